//! Catalogue devices reach named targets by commands at the hub alone: feed and turn, pull back where the tip has gone astray or
//! the hand feels more than it should.

use crate::operator::{Operator, model};

/// What no hub may feel on the way, N.
const MOST_N: f64 = 2.0;
const WIRE: &str = "wire.hydrophilic_angled.035";
const MICRO: [&str; 2] = ["microcatheter.2_4f", "wire.micro.018"];

/// Leads the wire alone from the puncture to each target and depth, mm.
fn follow(anatomy: &str, site: &str, targets: &[(&str, f64)]) {
    let model = model(anatomy, site, &[WIRE]);
    let wire = model.tool(WIRE).unwrap();
    let mut failed = Vec::new();
    for (target, depth_mm) in targets {
        let mut hand = Operator::new(&model, site);
        hand.load(wire);
        let vessel = model.anatomy.tree.find(target).unwrap();
        let outcome = hand.lead(wire, vessel, *depth_mm, 24);
        println!("{site} > {target}: {outcome:?}, {}", hand.told(wire));
        if outcome.is_err() || hand.worst_n >= MOST_N {
            failed.push(*target);
        }
    }
    assert!(failed.is_empty(), "{site}: {failed:?}");
}

/// Engages a vessel with a catheter; from there a microcatheter follows its wire to the places beyond. With no places beyond,
/// the large wire goes on into the vessel.
fn engage(anatomy: &str, site: &str, catheter: &str, vessel: &str, beyond: &[&str]) {
    let model = model(anatomy, site, &[WIRE, catheter, MICRO[0], MICRO[1]]);
    let tree = &model.anatomy.tree;
    let tool = |id: &str| model.tool(id).unwrap();
    let (wire, catheter_tool) = (tool(WIRE), tool(catheter));
    let mut hand = Operator::new(&model, site);
    let target = tree.find(vessel).unwrap();
    let engaged = hand.engage(wire, catheter_tool, target);
    println!("{site} > {vessel} with {catheter}: {engaged:?}, {}", hand.told(catheter_tool));
    assert!(engaged.is_ok() && hand.worst_n < MOST_N);
    if beyond.is_empty() {
        return;
    }
    hand.take_off(wire);
    let (micro, micro_wire) = (tool(MICRO[0]), tool(MICRO[1]));
    hand.load(micro);
    hand.load(micro_wire);
    let tip = hand.device(catheter_tool).inserted_mm;
    hand.feed_to(micro, tip - 20.0, 60.0);
    hand.feed_to(micro_wire, tip - 5.0, 60.0);
    for name in beyond {
        let place = tree.find(name).unwrap();
        let depth_mm = (0.5 * tree.branch(place).length_mm()).min(15.0);
        let outcome = hand.lead(micro_wire, place, depth_mm, 20);
        println!("  {name}: {outcome:?}, {}", hand.told(micro_wire));
        assert!(outcome.is_ok() && hand.worst_n < MOST_N);
        // The microcatheter follows; it must be able to.
        let to = hand.device(micro_wire).inserted_mm - 5.0;
        let followed = hand.feed_to(micro, to, 8.0);
        println!("  microcatheter: {followed}, {}", hand.told(micro));
        assert!(followed && hand.worst_n < MOST_N);
        assert_eq!(hand.device(micro).tip_place.map(|p| p.vessel), Some(place), "{name}");
    }
}

#[test]
fn a_wire_from_the_groin_downwards_reaches_the_run_off() {
    let targets = [
        ("popliteal.left", 60.0),
        ("tibial.posterior.left", 60.0),
        ("fibular.left", 60.0),
        ("tibial.anterior.left", 60.0),
    ];
    follow("lower_limb", "femoral.left.antegrade", &targets);
}

#[test]
fn a_wire_from_the_groin_passes_the_bifurcation_to_the_aorta_and_the_arch() {
    let targets = [
        ("aorta.abdominal", 70.0),
        ("aorta.descending", 60.0),
        ("aorta.arch", 50.0),
        ("subclavian.left", 40.0),
    ];
    follow("cerebral", "femoral.right", &targets);
}

#[test]
fn a_wire_from_the_wrist_reaches_the_arch() {
    follow("cerebral", "radial.right", &[("axillary.right", 40.0), ("brachiocephalic", 30.0)]);
}

#[test]
fn a_hook_goes_over_the_bifurcation_to_the_other_leg() {
    engage("lower_limb", "femoral.right", "catheter.rim.5f", "common_iliac.left", &[]);
}
