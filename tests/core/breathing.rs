//! Devices in vessels whose walls move with the breath and the heart.

use cathnav::anatomy::VesselPlace;
use cathnav::math::Vec3;
use cathnav::sim::Session;
use cathnav::sim::command::Command;
use cathnav::sim::contact::{ShiftedWall, WallQuery as _};

use crate::operator::{Operator, model};

/// What no hub may feel, as on the way to a target, N.
const MOST_N: f64 = 2.0;

/// Largest depth of the rod's axis outside the lumen as it is now, mm.
fn outside_mm(session: &Session) -> f64 {
    let (model, state) = (session.model(), session.state());
    let mut shift = state.wall_shift.clone();
    let moving =
        [(&model.breath_shift, state.breath_of_walls), (&model.beat_shift, state.contraction_of_walls)];
    for (full, share) in moving.into_iter().filter_map(|(full, share)| Some((full.as_ref()?, share))) {
        shift = shift.plus(full, share);
    }
    let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift);
    let rod = &session.snapshot().rods[0];
    let inside = rod.nodes_mm.iter().zip(&rod.arc_mm).filter(|(_, s)| **s > 5.0);
    inside.map(|(p, _)| -wall.at(p).inside_mm).fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn a_catheter_in_a_renal_artery_rides_on_walls_that_breathe() {
    let (wire_id, catheter_id) = ("wire.hydrophilic_angled.035", "catheter.renal_double_curve.5f");
    let model = model("visceral", "femoral.right", &[wire_id, catheter_id]);
    let (wire, catheter) = (model.tool(wire_id).unwrap(), model.tool(catheter_id).unwrap());
    let vessel = model.anatomy.tree.find("renal.left").unwrap();
    let mut hand = Operator::new(&model, "femoral.right");
    hand.engage(wire, catheter, vessel, 9.0).unwrap();
    let led = hand.lead(wire, vessel, 22.0, 24);
    println!("{led:?}, {}", hand.told(wire));
    assert!(led.is_ok());
    let full = model.breath_shift.as_ref().unwrap();
    let refused = hand.refusals.len();
    // Quiet breathing, then a held breath, hands off.
    let watch = |hand: &mut Operator, seconds: u32| {
        let (mut tips, mut breaths): (Vec<Vec3>, Vec<f64>) = (Vec::new(), Vec::new());
        let (mut out, mut peak) = (f64::NEG_INFINITY, 0.0_f64);
        for _ in 0..60 * seconds {
            hand.step();
            let rod = &hand.session.snapshot().rods[0];
            tips.push(rod.nodes_mm[rod.nodes_mm.len() - 1]);
            breaths.push(hand.session.state().breath_of_walls);
            out = out.max(outside_mm(&hand.session));
            peak = peak.max(hand.worst_n);
        }
        (tips, breaths, out, peak)
    };
    watch(&mut hand, 2);
    hand.worst_n = 0.0;
    let (tips, breaths, out, hub_n) = watch(&mut hand, 10);
    let highest = (0..tips.len()).max_by(|a, b| breaths[*a].total_cmp(&breaths[*b])).unwrap();
    let lowest = (0..tips.len()).min_by(|a, b| breaths[*a].total_cmp(&breaths[*b])).unwrap();
    let tip_mm = (tips[highest] - tips[lowest]).norm();
    let place = hand.device(wire).tip_place.unwrap();
    let wall_mm = full.at(&place).norm() * (breaths[highest] - breaths[lowest]);
    println!(
        "two breaths and more: wall at the tip {wall_mm:.2} mm, tip {tip_mm:.2} mm, axis {out:.3} mm outside, hub up to {hub_n:.2} N, {}",
        hand.told(wire)
    );
    assert_eq!(place.vessel, vessel, "the tip stays in its vessel");
    assert!(wall_mm > 2.0, "the walls breathe: {wall_mm}");
    assert!(tip_mm > 0.4 * wall_mm && tip_mm < 1.8 * wall_mm, "the tip rides along: {tip_mm} of {wall_mm}");
    assert!(out < 0.1 && hub_n < MOST_N, "in the lumen, with no more force than on the way: {out} {hub_n}");
    hand.session.submit(Command::HoldBreath(true));
    watch(&mut hand, 6);
    let (tips, _, out, _) = watch(&mut hand, 3);
    let drift_mm = tips.iter().map(|t| (t - tips[0]).norm()).fold(0.0, f64::max);
    println!("breath held: tip drifts {drift_mm:.3} mm, axis {out:.3} mm outside");
    assert!(drift_mm < 0.3 * tip_mm && out < 0.1);
    assert_eq!(hand.refusals.len(), refused, "{:?}", &hand.refusals[refused..]);
}

#[test]
fn a_catheter_in_the_ascending_aorta_lives_with_walls_that_beat() {
    let (wire_id, catheter_id) = ("wire.hydrophilic_angled.035", "catheter.pigtail.5f.1000");
    let model = model("cerebral", "femoral.right", &[wire_id, catheter_id]);
    let (wire, catheter) = (model.tool(wire_id).unwrap(), model.tool(catheter_id).unwrap());
    let vessel = model.anatomy.tree.find("aorta.ascending").unwrap();
    let full = model.beat_shift.as_ref().unwrap();
    let root_mm = full.at(&VesselPlace { vessel, arc_mm: 0.0 });
    let arch = model.anatomy.tree.find("aorta.arch").unwrap();
    let arch_mm = full.branches[arch.idx()].knots_mm.iter().map(Vec3::norm).fold(0.0, f64::max);
    println!("end of systole: root {root_mm:?} mm, arch at most {arch_mm:.2} mm");
    assert!((5.0..15.0).contains(&root_mm.norm()) && root_mm.z < -5.0, "the root goes down");
    assert!(arch_mm < 2.5, "the arch hardly moves: {arch_mm}");
    let mut hand = Operator::new(&model, "femoral.right");
    hand.load(wire);
    let led = hand.lead(wire, vessel, 30.0, 24);
    println!("{led:?}, {}", hand.told(wire));
    assert!(led.is_ok());
    hand.load(catheter);
    assert!(hand.feed_to(catheter, hand.device(wire).inserted_mm - 40.0, 25.0));
    hand.worst_n = 0.0;
    let (mut tips, mut beats): (Vec<Vec3>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut out = f64::NEG_INFINITY;
    for _ in 0..300 {
        hand.step();
        let rod = &hand.session.snapshot().rods[0];
        assert!(rod.nodes_mm.iter().all(|p| p.iter().all(|x| x.is_finite())));
        tips.push(rod.nodes_mm[rod.nodes_mm.len() - 1]);
        beats.push(hand.session.state().contraction_of_walls);
        out = out.max(outside_mm(&hand.session));
    }
    let most = beats.iter().copied().fold(0.0, f64::max);
    let way_mm = tips.iter().map(|t| (t - tips[0]).norm()).fold(0.0, f64::max);
    println!(
        "five seconds: contraction up to {most:.2}, tip moves {way_mm:.2} mm, axis {out:.3} mm outside, hub up to {:.2} N",
        hand.worst_n
    );
    assert!(most > 0.95, "the walls follow the heart");
    assert!(out < 0.1 && hand.worst_n < MOST_N);
}
