//! Catalogue devices reach named targets by commands at the hub alone: feed and turn, pull back where the tip has gone astray or
//! the hand feels more than it should.

use std::sync::{Arc, OnceLock};

use cathnav::sim::command::ToolId;
use cathnav::sim::{Model, State};

use crate::operator::{Operator, model};

/// What no hub may feel on the way, N.
const MOST_N: f64 = 2.0;
const SITE: &str = "femoral.right";
const WIRE: &str = "wire.hydrophilic_angled.035";
const MICRO: [&str; 2] = ["microcatheter.2_4f", "wire.micro.018"];
/// For small vessels around sharp bends: an angled microcatheter, and a wire whose distal 35 cm are soft.
const SMALL: [&str; 2] = ["microcatheter.2_4f_angled", "wire.neuro_hypotube.014"];

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

/// A vessel to be engaged, and what lies beyond it.
struct Engagement<'a> {
    anatomy: &'a str,
    catheter: &'a str,
    vessel: &'a str,
    /// How far beyond the mouth the catheter begins, mm: less than the distance to the next mouth above.
    above_mm: f64,
    /// How far the wire leads before the microcatheter follows, mm, at most half of the vessel.
    lead_mm: f64,
    /// Places to which a microcatheter follows its wire.
    beyond: &'a [&'a str],
}

/// Brings the catheter into its vessel; asserts the forces.
fn engaged(e: &Engagement<'_>, model: &Arc<Model>) -> Operator {
    let mut hand = Operator::new(model, SITE);
    let tool = |id: &str| model.tool(id).unwrap();
    let vessel = model.anatomy.tree.find(e.vessel).unwrap();
    let outcome = hand.engage(tool(WIRE), tool(e.catheter), vessel, e.above_mm);
    println!("{SITE} > {} with {}: {outcome:?}, {}", e.vessel, e.catheter, hand.told(tool(e.catheter)));
    assert!(outcome.is_ok() && hand.worst_n < MOST_N);
    hand
}

/// Takes the wire off and brings a microcatheter and its wire to the tip of the catheter.
fn enter(hand: &mut Operator, catheter: ToolId, micro: ToolId, micro_wire: ToolId) {
    hand.load(micro);
    hand.load(micro_wire);
    to_the_tip(hand, catheter, micro, micro_wire);
}

fn to_the_tip(hand: &mut Operator, catheter: ToolId, micro: ToolId, micro_wire: ToolId) {
    let tip = hand.device(catheter).inserted_mm;
    hand.feed_to(micro_wire, tip - 5.0, 60.0);
    hand.feed_to(micro, tip - 20.0, 60.0);
    hand.feed_to(micro_wire, tip - 5.0, 25.0);
    println!("  microcatheter at the tip, {}", hand.told(micro_wire));
}

fn engage(e: &Engagement<'_>) {
    let model = model(e.anatomy, SITE, &[WIRE, e.catheter, MICRO[0], MICRO[1]]);
    let tree = &model.anatomy.tree;
    let tool = |id: &str| model.tool(id).unwrap();
    let catheter = tool(e.catheter);
    let mut hand = engaged(e, &model);
    if e.beyond.is_empty() {
        return;
    }
    hand.take_off(tool(WIRE));
    let (micro, micro_wire) = (tool(MICRO[0]), tool(MICRO[1]));
    enter(&mut hand, catheter, micro, micro_wire);
    for name in e.beyond {
        let place = tree.find(name).unwrap();
        // From one branch to another both go back into the catheter; farther along the same way they go on from where they are.
        let is_on = hand.device(micro).tip_place.is_some_and(|p| tree.route(place).contains(&p.vessel));
        if !is_on && hand.device(micro).inserted_mm > hand.device(catheter).inserted_mm {
            to_the_tip(&mut hand, catheter, micro, micro_wire);
        }
        let depth_mm = (0.5 * tree.branch(place).length_mm()).min(e.lead_mm);
        let outcome = hand.lead(micro_wire, place, depth_mm, 20);
        println!("  {name}: {outcome:?}, {}", hand.told(micro_wire));
        assert!(outcome.is_ok() && hand.worst_n < MOST_N);
        follow_the_wire(&mut hand, micro, micro_wire, name, 5.0);
    }
}

/// The microcatheter follows its wire into the vessel.
fn follow_the_wire(hand: &mut Operator, micro: ToolId, micro_wire: ToolId, name: &str, behind_mm: f64) {
    // Where little wire lies ahead the hand is slow: pushed fast, a microcatheter throws it out.
    let mm_per_s = if behind_mm > 5.0 { 4.0 } else { 8.0 };
    let followed = hand.feed_to(micro, hand.device(micro_wire).inserted_mm - behind_mm, mm_per_s);
    println!("  the microcatheter follows: {followed}, {}", hand.told(micro));
    assert!(followed && hand.worst_n < MOST_N);
    assert_eq!(hand.device(micro).tip_place.map(|p| p.vessel), hand.tree().find(name), "{name}");
}

/// A hook in a trunk with a small microcatheter and wire at its tip: made once for all tests that begin there.
struct Start {
    of: Engagement<'static>,
    made: OnceLock<(Arc<Model>, State)>,
}

impl Start {
    const fn new(vessel: &'static str, above_mm: f64) -> Self {
        let catheter = "catheter.rim.5f";
        let of = Engagement { anatomy: "visceral", catheter, vessel, above_mm, lead_mm: 0.0, beyond: &[] };
        Self { of, made: OnceLock::new() }
    }

    /// Steers to places one after the other, each a vessel, the depth of the wire, and how far the microcatheter stays behind, mm.
    fn steer(&self, places: &[(&str, f64, f64)]) {
        let (model, state) = self.made.get_or_init(|| {
            let model = model(self.of.anatomy, SITE, &[WIRE, self.of.catheter, SMALL[0], SMALL[1]]);
            let tool = |id: &str| model.tool(id).unwrap();
            let mut hand = engaged(&self.of, &model);
            hand.take_off(tool(WIRE));
            enter(&mut hand, tool(self.of.catheter), tool(SMALL[0]), tool(SMALL[1]));
            (model.clone(), hand.session.state().clone())
        });
        let mut hand = Operator::new(model, SITE);
        hand.session.restore(state.clone());
        hand.wait(0.1);
        let tool = |id: &str| model.tool(id).unwrap();
        let (micro, wire) = (tool(SMALL[0]), tool(SMALL[1]));
        hand.feed_to(wire, hand.device(tool(self.of.catheter)).inserted_mm + 8.0, 8.0);
        for (name, depth_mm, behind_mm) in places {
            let outcome = hand.steer((wire, micro), model.anatomy.tree.find(name).unwrap(), *depth_mm, 24);
            println!("  {name}: {outcome:?}, {}", hand.told(wire));
            assert!(outcome.is_ok() && hand.worst_n < MOST_N);
            follow_the_wire(&mut hand, micro, wire, name, *behind_mm);
        }
    }
}

static CELIAC: Start = Start::new("celiac", 13.0);
// The celiac trunk is 6 mm above.
static MESENTERIC: Start = Start::new("superior_mesenteric", 3.0);

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
    engage(&Engagement {
        anatomy: "lower_limb",
        catheter: "catheter.rim.5f",
        vessel: "common_iliac.left",
        above_mm: 13.0,
        lead_mm: 15.0,
        beyond: &[],
    });
}

#[test]
fn a_hook_reaches_the_celiac_trunk_and_a_microcatheter_its_branches() {
    engage(&Engagement {
        anatomy: "visceral",
        catheter: "catheter.rim.5f",
        vessel: "celiac",
        above_mm: 13.0,
        lead_mm: 15.0,
        beyond: &["splenic", "gastroduodenal"],
    });
}

#[test]
fn the_proper_and_the_right_hepatic_artery_are_reached_from_the_celiac_trunk() {
    CELIAC.steer(&[("proper_hepatic", 8.0, 5.0), ("hepatic.right", 15.0, 5.0)]);
}

#[test]
fn the_middle_colic_artery_is_reached_from_the_superior_mesenteric_artery() {
    MESENTERIC.steer(&[("colic.middle", 20.0, 5.0)]);
}

#[test]
fn a_vas_rectum_is_reached_by_the_right_colic_and_the_marginal_artery() {
    MESENTERIC.steer(&[
        ("colic.right", 40.0, 5.0),
        ("marginal.right.upper", 10.0, 5.0),
        ("vasa_recta_2", 14.0, 8.0),
    ]);
}

#[test]
fn the_ileocolic_artery_is_reached_from_the_superior_mesenteric_artery() {
    MESENTERIC.steer(&[("ileocolic", 20.0, 5.0)]);
}

#[test]
fn the_inferior_mesenteric_artery_is_reached_with_its_own_catheter() {
    engage(&Engagement {
        anatomy: "visceral",
        catheter: "catheter.rosch_inferior_mesenteric.5f",
        vessel: "inferior_mesenteric",
        above_mm: 13.0,
        lead_mm: 15.0,
        beyond: &["colic.left"],
    });
}

#[test]
fn both_renal_arteries_are_reached() {
    let of = |catheter, vessel, above_mm| Engagement {
        anatomy: "visceral",
        catheter,
        vessel,
        above_mm,
        lead_mm: 15.0,
        beyond: &[],
    };
    engage(&of("catheter.renal_double_curve.5f", "renal.left", 9.0));
    engage(&of("catheter.rim.5f", "renal.right", 13.0));
}

fn from_the_arch(catheter: &str, vessel: &str, lead_mm: f64, beyond: &[&str]) {
    engage(&Engagement { anatomy: "cerebral", catheter, vessel, above_mm: 13.0, lead_mm, beyond });
}

#[test]
fn the_left_carotid_arteries_and_the_circle_are_reached_from_the_groin() {
    let beyond = ["internal_carotid.left", "middle_cerebral.left.m1"];
    from_the_arch("catheter.headhunter_h1.5f", "common_carotid.left", 15.0, &beyond);
}

#[test]
fn the_right_carotid_artery_is_reached_from_the_groin() {
    // Led in for a short way only, the wire is pushed out into the subclavian artery by the microcatheter.
    from_the_arch("catheter.headhunter_h1.5f", "brachiocephalic", 50.0, &["common_carotid.right"]);
}

#[test]
fn the_vertebral_and_basilar_arteries_are_reached_from_the_groin() {
    from_the_arch("catheter.vertebral.5f", "subclavian.left", 15.0, &["vertebral.left", "basilar"]);
}
