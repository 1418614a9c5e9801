//! Coils: pushed out of a microcatheter into a tube, against geometry.

use cathnav::anatomy::{VesselId, VesselPlace};
use cathnav::device::{DeviceKind, Implant, Release};
use cathnav::math::Vec3;
use cathnav::math::rng::{Stream, stream, uniform};
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::contact::WallQuery as _;
use cathnav::sim::contact::analytic::StraightTube;
use cathnav::sim::rod::{self, RodBase, Shed};
use cathnav::sim::snapshot::ImplantView;

use super::operator::{Operator, model};
use super::rods::{Bench, device, zone};

const CATHETER: ToolId = ToolId(0);
const COIL: ToolId = ToolId(1);
const STOCK_MM: f64 = 0.4;
/// Bending stiffness of a close-wound platinum stock, N mm2 (`coils.ron`).
const STOCK_N_MM2: f64 = 0.04;

/// A stiff microcatheter whose tip stands in the middle of a tube, and a coil of some loops on its pusher.
fn bench(wall: &StraightTube, loops_mm: f64, length_mm: f64, release: Release) -> Bench<'_> {
    let catheter = device(
        "microcatheter",
        DeviceKind::Microcatheter,
        Some(0.53),
        vec![zone(300.0, 0.8, 60.0, 70.0, 0.0)],
    );
    let rest = 2.0 / (loops_mm - STOCK_MM);
    let zones = vec![
        zone(length_mm, STOCK_MM, STOCK_N_MM2, 0.8 * STOCK_N_MM2, rest),
        zone(400.0, STOCK_MM, 20.0, 15.0, 0.0),
    ];
    let mut coil = device("coil", DeviceKind::Coil, None, zones);
    coil.implant = Some(Implant {
        length_mm,
        diameter_mm: loops_mm,
        release,
        bores_mm: (0.4, 0.7),
        fibered: true,
        mesh: None,
    });
    let base = RodBase {
        position_mm: Vec3::new(0.0, 0.0, -30.0),
        direction: Vec3::z(),
        sheath_length_mm: 20.0,
        sheath_inner_diameter_mm: 1.0,
    };
    let mut bench = Bench::new(vec![catheter, coil], wall, base);
    bench.load(CATHETER);
    bench.drive(CATHETER, 50.0, 30.0);
    bench.load(COIL);
    bench
}

/// Pushes the coil out at 6 mm/s until it is free; what it left, and the slowest tick, ms.
fn deploy(bench: &mut Bench<'_>) -> Shed {
    for _ in 0..6000 {
        bench.controls[COIL.idx()].feed_mm_per_s = 6.0;
        bench.tick();
        if rod::loose(&bench.state, &bench.tools).is_some() {
            return bench.try_release(COIL).unwrap();
        }
    }
    panic!("the coil did not come out: {:?}", bench.state.devices[1]);
}

fn length_mm(nodes: &[Vec3]) -> f64 {
    nodes.windows(2).map(|w| (w[1] - w[0]).norm()).sum()
}

#[test]
fn a_coil_of_the_right_size_packs_and_holds() {
    let wall = StraightTube { radius_mm: 1.9 };
    let mut bench = bench(&wall, 4.5, 80.0, Release::Pushed);
    let shed = deploy(&mut bench);
    let span = |k: usize| {
        let (lo, hi) =
            shed.nodes_mm.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p[k]), h.max(p[k])));
        hi - lo
    };
    let outside = shed.nodes_mm.iter().map(|p| STOCK_MM / 2.0 - wall.at(p).inside_mm).fold(0.0, f64::max);
    let volume = 0.25 * std::f64::consts::PI * STOCK_MM * STOCK_MM * length_mm(&shed.nodes_mm);
    let lumen = std::f64::consts::PI * wall.radius_mm * wall.radius_mm * span(2);
    println!(
        "coil of 80 mm in a tube of 3.8 mm: length {:.2} mm, {:.1} x {:.1} x {:.1} mm, packing {:.0} %, deepest in the wall {:.3} mm, \
         presses with {:.3} N",
        length_mm(&shed.nodes_mm),
        span(0),
        span(1),
        span(2),
        100.0 * volume / lumen,
        outside,
        shed.wall_force_n
    );
    bench.summary("coil");
    assert!((length_mm(&shed.nodes_mm) - 80.0).abs() < 0.5);
    assert!(outside < 0.1);
    assert!(span(2) < 30.0 && shed.wall_force_n > 0.01);
}

/// Random hands on catheter and coil, with attempts to detach: nothing panics, nothing becomes infinite.
#[test]
fn random_hands_with_a_coil() {
    let wall = StraightTube { radius_mm: 1.9 };
    for (seed, release) in [(1, Release::Pushed), (2, Release::Detached)] {
        let mut bench = bench(&wall, 4.5, 60.0, release);
        bench.drive(COIL, 55.0, 80.0);
        let mut rng = stream(seed, Stream::World);
        let (mut released, mut refused) = (0, 0);
        for _ in 0..40 {
            bench.controls[COIL.idx()].feed_mm_per_s = 28.0 * uniform(&mut rng) - 8.0;
            bench.controls[CATHETER.idx()].feed_mm_per_s = 8.0 * uniform(&mut rng) - 4.0;
            bench.rest(20);
            match bench.try_release(COIL) {
                Ok(shed) => {
                    released += 1;
                    assert!(shed.nodes_mm.iter().all(|x| x.iter().all(|c| c.is_finite())));
                    assert!((length_mm(&shed.nodes_mm) - 60.0).abs() < 2.0);
                }
                Err(_) => refused += 1,
            }
        }
        bench.summary(&format!("random hands {seed}: {released} released, {refused} refused"));
        assert!(bench.state.nodes_mm.iter().all(|x| x.iter().all(|c| c.is_finite())));
        assert!(refused > 0 && released <= 1);
    }
}

/// A microcatheter whose tip stands in the middle of the gastroduodenal artery, ready for coils.
fn at_the_gastroduodenal_artery(coils: &[&str]) -> (Operator, ToolId) {
    let site = "femoral.right";
    let hook = "catheter.rim.5f";
    let mut tray = vec!["wire.hydrophilic_angled.035", hook, "microcatheter.2_4f", "wire.micro.018"];
    tray.extend(coils);
    let model = model("visceral", site, &tray);
    let tool = |id: &str| model.tool(id).unwrap();
    let mut hand = Operator::new(&model, site);
    let tree = &model.anatomy.tree;
    let (wire, micro, micro_wire) = (tool(tray[0]), tool(tray[2]), tool(tray[3]));
    hand.engage(wire, tool(hook), tree.find("celiac").unwrap(), 13.0).unwrap();
    hand.take_off(wire);
    hand.load(micro);
    hand.load(micro_wire);
    let tip = hand.device(tool(hook)).inserted_mm;
    hand.feed_to(micro_wire, tip - 5.0, 25.0);
    hand.feed_to(micro, tip - 20.0, 25.0);
    let target = tree.find("gastroduodenal").unwrap();
    hand.lead(micro_wire, target, 30.0, 20).unwrap();
    hand.feed_to(micro, hand.device(micro_wire).inserted_mm - 4.0, 8.0);
    println!("microcatheter: {}", hand.told(micro));
    hand.take_off(micro_wire);
    println!("wire out: {}", hand.told(micro));
    (hand, micro)
}

/// Loads a coil and pushes it on until `stop`; panics when that takes too long.
fn push(hand: &mut Operator, micro: ToolId, coil: ToolId, stop: impl Fn(&Operator) -> bool) {
    if hand.device(coil).external_mm == 0.0 {
        hand.load(coil);
    }
    let feed = |hand: &mut Operator, speed_mm_per_s: f64| {
        hand.session.submit(Command::SetFeed { tool: coil, speed_mm_per_s });
    };
    feed(hand, 80.0);
    for _ in 0..60 * 120 {
        hand.step();
        if hand.device(coil).inserted_mm > hand.device(micro).inserted_mm - 5.0 {
            feed(hand, 6.0);
        }
        if stop(hand) {
            feed(hand, 0.0);
            hand.step();
            return;
        }
    }
    panic!("not there: {}, {:?}", hand.told(coil), hand.refusals);
}

/// Pushes a loose coil out and takes its pusher off.
fn place(hand: &mut Operator, micro: ToolId, coil: ToolId) {
    let before = hand.session.state().implants.placed.len();
    push(hand, micro, coil, |h| h.session.state().implants.placed.len() > before);
    hand.take_off(coil);
}

/// Shares of each coil's length in a vessel.
fn inside(hand: &Operator, vessel: VesselId) -> Vec<f64> {
    let share = |p: &ImplantView| {
        let own: f64 = p.length_mm.iter().filter(|(v, _)| *v == vessel).map(|x| x.1).sum();
        own / length_mm(&p.points_mm)
    };
    hand.session.snapshot().implants.iter().map(share).collect()
}

fn told(hand: &Operator) {
    let tree = hand.tree();
    for p in &hand.session.snapshot().implants {
        let parts: Vec<String> =
            p.length_mm.iter().map(|(v, l)| format!("{} {l:.1} mm", tree.branch(*v).name)).collect();
        println!(
            "coil of {:.0} mm: {}; clot {:.2}, drifts {}",
            length_mm(&p.points_mm),
            parts.join(", "),
            p.clot,
            p.drifts
        );
    }
}

#[test]
fn coils_close_the_gastroduodenal_artery_and_wrong_ones_do_not_stay_in_it() {
    let coils = [
        "coil.pushable.018.4x50",
        "coil.pushable.018.5x70",
        "coil.pushable.018.2x20",
        "coil.detachable.018.4x80",
    ];
    let (mut hand, micro) = at_the_gastroduodenal_artery(&coils);
    let model = hand.session.model().clone();
    let tool = |id: &str| model.tool(id).unwrap();
    let start = hand.session.state().clone();
    right_coils(&mut hand, micro, [tool(coils[1]), tool(coils[0]), tool(coils[0])]);
    hand.session.restore(start.clone());
    too_small(&mut hand, micro, tool(coils[2]));
    hand.session.restore(start);
    drawn_back(&mut hand, micro, tool(coils[3]));
}

/// Three coils of the right size lie in the artery, inside its wall, and close it.
fn right_coils(hand: &mut Operator, micro: ToolId, coils: [ToolId; 3]) {
    let model = hand.session.model().clone();
    let target = model.anatomy.tree.find("gastroduodenal").unwrap();
    let before_it = VesselPlace { vessel: target, arc_mm: 8.0 };
    let flow = |hand: &Operator| hand.session.state().flow.mean_flow_at(&model.network, before_it);
    let before = flow(hand);
    for coil in coils {
        place(hand, micro, coil);
        println!(
            "flow {:.3} of {before:.3} mL/s, shares in the artery {:.3?}",
            flow(hand),
            inside(hand, target)
        );
    }
    told(hand);
    let placed = &hand.session.state().implants.placed;
    let thick_mm = 0.016 * 25.4;
    let outside = |x: &Vec3| 0.5 * thick_mm - model.wall.at(x).inside_mm;
    let deepest = placed.iter().flat_map(|p| &p.nodes_mm).map(outside).fold(f64::MIN, f64::max);
    let shares = inside(hand, target);
    println!("surface {deepest:.3} mm deep in the wall, axis {:.3} mm outside", deepest - 0.5 * thick_mm);
    assert!(shares.iter().all(|s| *s >= 0.95), "{shares:?}");
    assert!(deepest < 0.1 + 0.5 * thick_mm, "{deepest}");
    hand.session.submit(Command::SkipTime(300.0));
    hand.wait(6.0);
    println!("after five minutes: flow {:.4} of {before:.3} mL/s", flow(hand));
    assert!(flow(hand) < 0.02 * before);
}

/// A coil with loops narrower than the artery is washed on.
fn too_small(hand: &mut Operator, micro: ToolId, coil: ToolId) {
    let target = hand.tree().find("gastroduodenal").unwrap();
    place(hand, micro, coil);
    told(hand);
    hand.wait(10.0);
    told(hand);
    let shares = inside(hand, target);
    assert!(shares[0] < 0.5, "it stayed: {shares:?}");
}

/// While a detachable coil is joined it can be drawn back, and its joint must be out of the catheter before it is detached.
fn drawn_back(hand: &mut Operator, micro: ToolId, coil: ToolId) {
    push(hand, micro, coil, |h| h.device(coil).inserted_mm > h.device(micro).inserted_mm + 30.0);
    hand.session.submit(Command::Detach { tool: coil });
    hand.wait(0.1);
    println!("{:?}", hand.refusals.last());
    assert!(hand.refusals.last().unwrap().contains("inside the catheter"));
    hand.feed_to(coil, hand.device(micro).inserted_mm - 5.0, 10.0);
    println!("drawn back: {}", hand.told(coil));
    assert!(hand.device(coil).inserted_mm < hand.device(micro).inserted_mm);
    assert_eq!(hand.session.state().implants.placed.len(), 0);
}
