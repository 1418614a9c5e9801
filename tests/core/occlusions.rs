//! Occlusions: what a tip must press with, which way it takes, and what balloon and stent make of it.

use cathnav::anatomy::{Anatomy, At, LesionDescription, Outlet, VesselId};
use cathnav::math::Vec3;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::contact::Side;
use cathnav::sim::dilation::occlusion::{chance_under_intima, hardness_n};
use cathnav::sim::dilation::tissue::yield_n_per_mm2;
use cathnav::sim::event::EventKind;

use super::dilation::{Hand, anatomy_of, compile};
use super::rods::DT;
use super::table::{row, value};
use super::tubes;

const SHEATH: &str = "sheath.6f.110";
const RADIUS_MM: f64 = 2.75;
/// The occlusion, arc lengths of the tube whose sheath stands at 12 mm.
const FROM_MM: f64 = 90.0;
const TO_MM: f64 = 130.0;

/// A straight femoral artery with an occlusion in its middle.
fn occluded(calcium: f64) -> Anatomy {
    let lesion = LesionDescription::Occlusion {
        vessel: "tube".to_owned(),
        at: At::Mm(0.5 * (FROM_MM + TO_MM)),
        length_mm: TO_MM - FROM_MM,
        channel_mm: 0.5,
        calcium,
        debris: 0.01,
    };
    let points: Vec<Vec3> = (0..=260).map(|i| Vec3::new(0.0, 0.0, f64::from(i))).collect();
    let share = lesion.open_share(RADIUS_MM).unwrap();
    let radius = |arc: f64| RADIUS_MM * (1.0 - (1.0 - share) * lesion.weight(arc - 110.0, RADIUS_MM));
    let mut branch = tubes::branch("tube", &points, radius);
    branch.wall_ep_n_per_mm2 = 0.1;
    branch.wall_thickness_mm = 0.8;
    branch.outlet = Some(Outlet {
        bed: "leg".to_owned(),
        flow_ml_per_s: 2.0,
        transit_s: 5.0,
        blush_center_mm: Vec3::new(0.0, 0.0, 280.0),
        blush_radius_mm: 20.0,
    });
    anatomy_of(vec![branch], |b| tubes::tube(&b[0], 40), vec![lesion])
}

/// Feeds a wire for some seconds at a speed, lets it rest; returns the largest force at its tip, N.
fn push(hand: &mut Hand, wire: ToolId, mm_per_s: f64, seconds: f64, until_mm: f64) -> f64 {
    let mut most = 0.0_f64;
    hand.send(Command::SetFeed { tool: wire, speed_mm_per_s: mm_per_s });
    for _ in 0..(60.0 * seconds) as u32 {
        hand.wait(DT);
        most = most.max(hand.device(wire).tip_force_n);
        if hand.device(wire).inserted_mm > until_mm {
            break;
        }
    }
    hand.send(Command::SetFeed { tool: wire, speed_mm_per_s: 0.0 });
    most
}

fn crossed(hand: &Hand) -> Option<bool> {
    hand.events.iter().find_map(|e| match e {
        EventKind::OcclusionCrossed { is_subintimal, .. } => Some(*is_subintimal),
        _ => None,
    })
}

fn entered(hand: &Hand) -> Option<bool> {
    hand.events.iter().find_map(|e| match e {
        EventKind::OcclusionEntered { is_subintimal, .. } => Some(*is_subintimal),
        _ => None,
    })
}

/// A wire whose tip stands before the cap, with a catheter this far behind it.
fn before_the_cap(
    anatomy: &Anatomy,
    wire: &str,
    carrier: &str,
    behind_mm: f64,
    seed: u64,
) -> (Hand, ToolId, ToolId) {
    let model = compile(anatomy, "begin", SHEATH, &[wire, carrier]);
    let mut hand = Hand::new(&model, seed);
    let (wire, carrier) = (hand.tool(wire), hand.tool(carrier));
    let at_mm = FROM_MM - 12.0 - 8.0;
    hand.send(Command::Load { rod: 0, tool: wire });
    hand.feed_to(wire, at_mm, 60.0);
    hand.send(Command::Load { rod: 0, tool: carrier });
    hand.feed_to(carrier, at_mm - behind_mm, 60.0);
    (hand, wire, carrier)
}

#[test]
fn the_force_at_a_cap_is_the_hardness_of_plaque_on_the_tip() {
    // A punch on plaque: three times its yield stress on the area of the tip, against tip loads of wires made for it.
    let area = |inch: f64| std::f64::consts::FRAC_PI_4 * (25.4 * inch).powi(2);
    let gram = |n: f64| n / 9.81e-3;
    let soft = hardness_n(yield_n_per_mm2(0.0, false), area(0.014));
    let hard = hardness_n(yield_n_per_mm2(1.0, false), area(0.014));
    value("occlusions", "cap under a 0.014 in tip, soft, gram-force", gram(soft), "3 to 12 g (tip loads)");
    value("occlusions", "the same, calcium all around, gram-force", gram(hard), "beyond 12 g");
    assert!((3.0..=12.0).contains(&gram(soft)) && gram(hard) > 12.0);
}

#[test]
fn a_soft_tip_buckles_before_a_cap_and_one_made_for_it_goes_through() {
    let anatomy = occluded(0.0);
    let through = |wire: &str| {
        let (mut hand, tool, _) = before_the_cap(&anatomy, wire, "microcatheter.2_4f", 6.0, 1);
        let force = push(&mut hand, tool, 4.0, 40.0, 170.0);
        let at = hand.device(tool).tip_place.map_or(0.0, |p| p.arc_mm);
        let tip_mm = hand.session.model().tools[tool.idx()].section_at(0.0).outer_diameter_mm;
        let cap_n = hardness_n(yield_n_per_mm2(0.0, false), std::f64::consts::FRAC_PI_4 * tip_mm * tip_mm);
        let passage = &hand.session.state().dilation.passages[0];
        println!(
            "{wire}: tip at {at:.1} mm, {force:.3} N, cap {cap_n:.3} N, {passage:?}, crossed {:?}",
            crossed(&hand)
        );
        (at, force / cap_n)
    };
    let (floppy, bent) = through("wire.coronary_floppy.014");
    let (made, force) = through("wire.coronary_cto_12g.014");
    row("occlusions", "force at the tip that breaks the cap, over its hardness", 1.0, force, "at least 1");
    assert!(floppy < FROM_MM + 5.0 && bent < 1.0 && made > TO_MM && force >= 1.0);
}

#[test]
fn a_tip_that_looks_aside_or_yields_goes_under_the_intima() {
    let at = chance_under_intima;
    assert!((at(1.0, 5.0, 1.0) - 0.1).abs() < 1e-9, "straight on, firm");
    assert!(at(0.7, 5.0, 1.0) > at(0.95, 5.0, 1.0) && at(0.95, 0.3, 1.0) > at(0.95, 5.0, 1.0));
    assert!((at(0.2, 5.0, 1.0) - 1.0).abs() < 1e-9, "a loop always");
    let anatomy = occluded(0.0);
    let mut under = 0;
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for seed in 0..6 {
        let id = "wire.hydrophilic_angled.035";
        let (mut hand, wire, _) = before_the_cap(&anatomy, id, "balloon.semi.035.5x40", 10.0, seed);
        push(&mut hand, wire, 8.0, 3.0, 300.0);
        let Some(is_under) = entered(&hand) else { panic!("seed {seed}: not entered") };
        under += u32::from(is_under);
        if is_under {
            let end_mm = hand.session.state().dilation.passages[0].plug.distal_mm;
            (least, most) = (least.min(end_mm - TO_MM), most.max(end_mm - TO_MM));
        }
    }
    println!(
        "{under} of 6 under the intima, back in the lumen {least:.1} to {most:.1} mm beyond the far cap"
    );
    assert!(under > 0 && least >= 10.0 && most <= 40.0);
}

/// Crosses under the intima, opens with a balloon and perhaps a stent; the flow that runs then, flaps that are left, and the residual.
fn treated(with_stent: bool) -> (f64, usize, f64) {
    let anatomy = occluded(0.0);
    let id = "wire.hydrophilic_stiff_straight.035";
    let tray = [id, "balloon.semi.035.5x100", "stent.self.035.6x80"];
    let model = compile(&anatomy, "begin", SHEATH, &tray);
    let mut hand = Hand::new(&model, 1);
    let [wire, balloon, stent] = tray.map(|id| hand.tool(id));
    let before = hand.snapshot().vessels[0].flow_ml_per_s[5];
    hand.send(Command::Load { rod: 0, tool: wire });
    hand.feed_to(wire, FROM_MM - 20.0, 60.0);
    hand.send(Command::Load { rod: 0, tool: balloon });
    hand.feed_to(balloon, FROM_MM - 34.0, 60.0);
    // Which way it takes is chance; here it is chosen.
    let mut state = hand.session.state().clone();
    let passage = &mut state.dilation.passages[0];
    (passage.is_subintimal, passage.plug.entered) = (true, Some(Side::Proximal));
    passage.plug.distal_mm = TO_MM + 12.0;
    hand.session.restore(state);
    push(&mut hand, wire, 6.0, 60.0, 190.0);
    println!("crossed {:?}, {:.2} N at the hub", crossed(&hand), hand.device(wire).hub_force_n);
    assert_eq!(crossed(&hand), Some(true));
    let middle = 0.5 * (FROM_MM + TO_MM + 12.0) - 12.0;
    hand.feed_to(balloon, middle + 56.0, 20.0);
    hand.inflate(balloon, 8.0, 25.0);
    hand.inflate(balloon, -0.9, 20.0);
    if with_stent {
        hand.send(Command::SetFeed { tool: balloon, speed_mm_per_s: -80.0 });
        hand.wait(4.0);
        hand.send(Command::Unload { tool: balloon });
        hand.send(Command::Load { rod: 0, tool: stent });
        let spec = hand.session.model().tools[stent.idx()].stent.clone().unwrap();
        hand.feed_to(stent, middle + 0.5 * spec.crimped_length_mm() + spec.from_tip_mm, 20.0);
        hand.send(Command::PullSheath { tool: stent, speed_mm_per_s: 8.0 });
        hand.wait(18.0);
    }
    hand.wait(4.0);
    let snap = hand.snapshot();
    let mean: f64 = {
        let mut sum = 0.0;
        for _ in 0..120 {
            hand.wait(DT);
            sum += f64::from(hand.snapshot().vessels[0].flow_ml_per_s[5]) / 120.0;
        }
        sum
    };
    println!(
        "stent {with_stent}: residual {:.1} %, flow {before:.3} -> {mean:.2} mL/s, flaps {:?}",
        snap.lesions[0].residual_pct, snap.flaps
    );
    assert_eq!(snap.lesions[0].place.unwrap().vessel, VesselId(0));
    (mean, snap.flaps.len(), snap.lesions[0].residual_pct)
}

#[test]
fn balloon_and_stent_follow_and_a_way_under_the_intima_stays_dissected_without_a_stent() {
    let (under, left, _) = treated(false);
    let (stented, none, residual) = treated(true);
    println!("flow {under:.2} mL/s, with a stent {stented:.2} mL/s");
    assert!(left >= 1 && none == 0 && residual < 30.0);
    assert!(under > 0.5 && stented > under);
}
