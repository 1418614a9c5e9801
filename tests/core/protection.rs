//! Filters and suction: what is kept, what passes, what they do to the flow, and what comes home.

use std::sync::Arc;

use cathnav::anatomy::{Anatomy, Outlet, VesselId, VesselPlace};
use cathnav::math::Vec3;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::event::EventKind;
use cathnav::sim::protection::suction_ml_per_s;
use cathnav::sim::snapshot::Snapshot;
use cathnav::sim::world::Held;
use cathnav::sim::{Model, Session};

use super::dilation::{Hand, SHEATH, anatomy_of, compile};
use super::stents::off;
use super::table::residual;
use super::tubes;

const FILTER: &str = "wire.filter_6.014";
const MICRO: &str = "microcatheter.2_4f";
const GUIDE: &str = "catheter.mpa.5f";

/// A straight vessel with an outlet of 5 mL/s.
fn vessel(diameter_mm: f64) -> Anatomy {
    let points: Vec<Vec3> = (0..=240).map(|i| Vec3::new(0.0, 0.0, f64::from(i))).collect();
    let mut branch = tubes::branch("tube", &points, |_| 0.5 * diameter_mm);
    branch.outlet = Some(Outlet {
        bed: "brain".to_owned(),
        flow_ml_per_s: 5.0,
        transit_s: 4.0,
        blush_center_mm: Vec3::new(0.0, 0.0, 260.0),
        blush_radius_mm: 20.0,
    });
    anatomy_of(vec![branch], |b| tubes::tube(&b[0], 40), Vec::new())
}

fn model(diameter_mm: f64) -> Arc<Model> {
    compile(&vessel(diameter_mm), "begin", SHEATH, &[FILTER, MICRO, GUIDE])
}

/// Pieces of debris in a row in the axis, upstream of the filter.
fn shed(session: &mut Session, pieces: usize, diameter_mm: f64) {
    let mut state = session.state().clone();
    for i in 0..pieces {
        let arc_mm = 60.0 + 40.0 * i as f64 / pieces as f64;
        let place = VesselPlace { vessel: VesselId(0), arc_mm };
        state.world.spawn_debris(diameter_mm, Vec3::new(0.0, 0.0, arc_mm), place);
    }
    session.restore(state);
}

fn kept(hand: &Hand, held: Held) -> usize {
    hand.session.state().world.bodies.iter().filter(|b| b.held == Some(held)).count()
}

/// The filter 150 mm in, still in its microcatheter.
fn brought(model: &Arc<Model>) -> (Hand, ToolId, ToolId) {
    let mut hand = Hand::new(model, 1);
    let (wire, micro) = (hand.tool(FILTER), hand.tool(MICRO));
    hand.send(Command::Load { rod: 0, tool: wire });
    hand.feed_to(wire, 60.0, 60.0);
    hand.send(Command::Load { rod: 0, tool: micro });
    hand.feed_to(micro, 58.0, 60.0);
    hand.feed_to(wire, 170.0, 60.0);
    hand.feed_to(micro, 150.0, 60.0);
    (hand, wire, micro)
}

fn flow(snapshot: &Snapshot) -> f64 {
    snapshot.beds.iter().map(|b| b.flow_ml_per_s).sum()
}

#[test]
fn an_open_filter_keeps_debris_and_brings_it_home() {
    let (mut hand, wire, micro) = brought(&model(5.5));
    let view = |hand: &Hand| hand.snapshot().filters[0].clone();
    assert_eq!(view(&hand).open_share, 0.0, "covered by the microcatheter");
    hand.feed_to(micro, 60.0, 30.0);
    assert!((view(&hand).open_share - 1.0).abs() < 1e-9, "{:?}", view(&hand));
    assert!(view(&hand).frame_mm.len() > 10, "its frame stands in the lumen");
    shed(&mut hand.session, 20, 0.6);
    hand.wait(3.0);
    let load = 20.0 * std::f64::consts::PI / 6.0 * 0.6_f64.powi(3) / 30.0;
    residual("filter", "load of 20 pieces of 0.6 mm, share", (view(&hand).load_share - load).abs(), "1e-9");
    assert_eq!(kept(&hand, Held::By(wire)), 20);
    assert!((view(&hand).load_share - load).abs() < 1e-9);
    hand.feed_to(micro, 150.0, 30.0);
    assert_eq!(view(&hand).open_share, 0.0);
    for tool in [micro, wire] {
        // Both come back together, the basket in the microcatheter.
        hand.session.submit(Command::SetFeed { tool, speed_mm_per_s: -30.0 });
    }
    hand.wait(3.0);
    for tool in [micro, wire] {
        hand.send(Command::SetFeed { tool, speed_mm_per_s: 0.0 });
    }
    assert_eq!(kept(&hand, Held::By(wire)), 20, "nothing is lost on the way");
    off(&mut hand, FILTER);
    hand.wait(0.1);
    assert_eq!(kept(&hand, Held::Out), 20, "{:?}", hand.refusals());
    assert!(hand.snapshot().filters.is_empty() && hand.snapshot().bodies.is_empty());
}

#[test]
fn a_filter_smaller_than_its_vessel_keeps_the_share_that_it_spans() {
    let (mut hand, wire, micro) = brought(&model(8.0));
    hand.feed_to(micro, 60.0, 30.0);
    for _ in 0..5 {
        shed(&mut hand.session, 40, 0.3);
        hand.wait(2.0);
    }
    let (share, spanned) = (kept(&hand, Held::By(wire)) as f64 / 200.0, (6.0_f64 / 8.0).powi(2));
    residual("filter", "share of 200 pieces kept by a 6 mm filter in 8 mm", (share - spanned).abs(), "0.02");
    assert!((share - spanned).abs() < 0.02, "{share} of {spanned}");
}

#[test]
fn a_clogged_filter_stops_the_flow_until_it_is_closed_and_loses_what_is_too_much() {
    let (mut hand, wire, micro) = brought(&model(5.5));
    hand.feed_to(micro, 60.0, 30.0);
    hand.wait(2.0);
    let mean = |hand: &mut Hand| {
        let mut sum = 0.0;
        for _ in 0..120 {
            hand.wait(1.0 / 60.0);
            sum += flow(&hand.snapshot());
        }
        sum / 120.0
    };
    let free = mean(&mut hand);
    // 30 mm3 clog it: 28 pieces of 1.4 mm are 40 mm3.
    shed(&mut hand.session, 28, 1.4);
    hand.wait(4.0);
    let clogged = mean(&mut hand);
    let load = hand.snapshot().filters[0].load_share;
    hand.feed_to(micro, 150.0, 30.0);
    hand.wait(2.0);
    let closed = mean(&mut hand);
    let spilled: u32 = hand
        .events
        .iter()
        .map(|e| if let EventKind::FilterSpilled { pieces, .. } = e { *pieces } else { 0 })
        .sum();
    println!(
        "flow {free:.2} mL/s free, {clogged:.2} with a load of {load:.2}, {closed:.2} closed; {spilled} pieces lost"
    );
    assert!(load > 1.0 && clogged < 0.15 * free, "no flow through a full filter");
    assert!(closed > 0.8 * free, "closing it lets the blood go");
    assert!(spilled > 0 && kept(&hand, Held::By(wire)) == 28 - spilled as usize);
    assert!(hand.snapshot().filters[0].load_share <= 1.0);
}

#[test]
fn suction_takes_what_goes_through_the_bore_and_carries_the_rest_on_the_tip() {
    let model = model(5.5);
    let mut hand = Hand::new(&model, 1);
    let guide = hand.tool(GUIDE);
    hand.send(Command::Aspirate(Some(guide)));
    assert!(hand.refusals().last().is_some_and(|r| r.contains("not in")), "{:?}", hand.refusals());
    hand.send(Command::Load { rod: 0, tool: guide });
    hand.feed_to(guide, 120.0, 60.0);
    let tip_mm = hand.device(guide).tip_mm;
    let lay = |hand: &mut Hand, diameter_mm: f64| {
        let mut state = hand.session.state().clone();
        let place = VesselPlace { vessel: VesselId(0), arc_mm: tip_mm.z };
        let at = state.world.spawn_debris(diameter_mm, tip_mm + Vec3::new(0.0, 0.0, 1.0), place);
        state.world.bodies[at].is_lodged = true;
        hand.session.restore(state);
    };
    let before_ml = hand.snapshot().patient.blood_loss_ml;
    hand.send(Command::Aspirate(Some(guide)));
    hand.wait(2.0);
    let drawn_ml = hand.snapshot().patient.blood_loss_ml - before_ml;
    let asked_ml = suction_ml_per_s(&model.tools[guide.idx()]) * (2.0 + 1.0 / 60.0);
    residual(
        "suction",
        "blood drawn in 2 s against Poiseuille, share",
        (drawn_ml / asked_ml - 1.0).abs(),
        "2 %",
    );
    assert!((drawn_ml / asked_ml - 1.0).abs() < 0.02, "{drawn_ml} of {asked_ml}");
    lay(&mut hand, 0.7);
    hand.wait(0.2);
    assert_eq!(kept(&hand, Held::Out), 1, "it went through the bore");
    assert!(hand.snapshot().aspirating.is_some());
    lay(&mut hand, 2.5);
    hand.wait(0.2);
    assert_eq!(kept(&hand, Held::By(guide)), 1, "it sticks to the tip");
    assert!(hand.snapshot().aspirating.is_none(), "and corks it");
    off(&mut hand, GUIDE);
    hand.wait(0.1);
    assert_eq!(kept(&hand, Held::Out), 2, "and comes along: {:?}", hand.refusals());
}
