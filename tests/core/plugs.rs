//! Braided plugs: open on their cable, drawn back, detached; one that is too narrow is washed away.

use cathnav::anatomy::VesselPlace;
use cathnav::math::Vec3;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::implant::ImplantInputs;
use cathnav::sim::rod::Shed;

use super::operator::{Operator, model};

const CATHETER: &str = "catheter.mpa.5f";
const FITS: &str = "plug.braided.8";
const TOO_NARROW: &str = "plug.braided.6";

/// A catheter whose tip lies in the right external iliac artery, the way a plug goes from the groin.
fn in_the_external_iliac() -> (Operator, ToolId) {
    let model = model("pelvis", "femoral.right", &[CATHETER, FITS, TOO_NARROW]);
    let catheter = model.tool(CATHETER).unwrap();
    let mut hand = Operator::new(&model, "femoral.right");
    hand.load(catheter);
    hand.feed_to(catheter, 28.0, 15.0);
    (hand, catheter)
}

fn flow(hand: &Operator) -> f64 {
    let model = hand.session.model().clone();
    let vessel = model.anatomy.tree.find("external_iliac.right").unwrap();
    hand.session.state().flow.mean_flow_at(&model.network, VesselPlace { vessel, arc_mm: 24.0 })
}

/// Pushes a plug until so much of it stands out of the catheter, mm.
fn push_out(hand: &mut Operator, catheter: ToolId, plug: ToolId, out_mm: f64) {
    if hand.device(plug).external_mm == 0.0 {
        hand.load(plug);
    }
    let tip = hand.device(catheter).inserted_mm;
    hand.feed_to(plug, tip - 5.0, 60.0);
    hand.feed_to(plug, tip + out_mm, 8.0);
    println!("{}; {:?}", hand.told(plug), hand.refusals);
}

#[test]
fn a_plug_closes_its_vessel_can_be_drawn_back_and_holds_when_detached() {
    let (mut hand, catheter) = in_the_external_iliac();
    let plug = hand.session.model().tool(FITS).unwrap();
    hand.wait(2.0);
    let before = flow(&hand);
    push_out(&mut hand, catheter, plug, 14.5);
    hand.wait(3.0);
    let open = flow(&hand);
    let seen = hand.session.snapshot().implants;
    assert!(seen.len() == 1 && seen[0].is_joined, "{} seen", seen.len());
    println!("flow {before:.3} mL/s, {open:.3} with the plug open, packing {:.3}", seen[0].packing);
    assert!(open < 0.9 * before, "a braid resists");
    // Drawn back it is as if it had not been.
    hand.feed_to(plug, hand.device(catheter).inserted_mm - 5.0, 10.0);
    hand.wait(4.0);
    println!("drawn back: {:.3} mL/s", flow(&hand));
    assert!(hand.session.snapshot().implants.is_empty());
    assert!((flow(&hand) / before - 1.0).abs() < 0.1);
    // Left open it clots.
    push_out(&mut hand, catheter, plug, 14.5);
    hand.session.submit(Command::SkipTime(600.0));
    // While time is skipped a step is a second.
    hand.wait(11.0);
    println!("after ten minutes: {:.4} mL/s", flow(&hand));
    assert!(flow(&hand) < 0.03 * before);
    hand.session.submit(Command::Detach { tool: plug });
    hand.wait(3.0);
    let implants = hand.session.snapshot().implants;
    println!("{:?}", hand.refusals);
    assert!(implants.len() == 1 && !implants[0].is_joined && !implants[0].drifts);
    assert!(flow(&hand) < 0.03 * before);
}

#[test]
fn a_plug_narrower_than_its_vessel_is_washed_away() {
    let (mut hand, catheter) = in_the_external_iliac();
    let plug = hand.session.model().tool(TOO_NARROW).unwrap();
    push_out(&mut hand, catheter, plug, 12.0);
    hand.session.submit(Command::Detach { tool: plug });
    hand.wait(3.0);
    let implant = hand.session.state().implants.placed[0].clone();
    println!("drifts: {}, refusals {:?}", implant.body.is_some(), hand.refusals);
    assert!(implant.body.is_some() || hand.session.state().world.bodies.len() == 1);
}

#[test]
fn a_snare_closes_around_a_lost_coil_and_brings_it_out() {
    let coil = "coil.pushable.035.8x100";
    let model = model("pelvis", "femoral.right", &[CATHETER, "snare.10", coil]);
    let tool = |id: &str| model.tool(id).unwrap();
    let (catheter, snare, coil) = (tool(CATHETER), tool("snare.10"), tool(coil));
    let mut hand = Operator::new(&model, "femoral.right");
    hand.load(catheter);
    hand.feed_to(catheter, 20.0, 15.0);
    // The coil lies across the external iliac artery, ahead of the catheter.
    let vessel = model.anatomy.tree.find("external_iliac.right").unwrap();
    let tip_mm = hand.device(catheter).tip_place.unwrap().arc_mm;
    let at = model.anatomy.tree.branch(vessel).at(tip_mm - 14.0);
    let node = |i: i32| -> Vec3 {
        let (sin, cos) = (f64::from(i) * 0.6).sin_cos();
        at.position_mm
            + at.tangent * (f64::from(i) * 0.25 - 2.5)
            + (at.normal * cos + at.tangent.cross(&at.normal) * sin) * 2.0
    };
    let shed = Shed { nodes_mm: (0..=20).map(node).collect(), wall_force_n: 5.0 };
    let mut state = hand.session.state().clone();
    let inputs = ImplantInputs {
        tools: &model.tools,
        tree: &model.anatomy.tree,
        wall: &model.wall,
        network: &model.network,
        flow: &hand.session.state().flow,
        act_s: 120.0,
        packing_enabled: true,
    };
    state.implants.add(&inputs, coil, shed);
    hand.session.restore(state);
    hand.load(snare);
    hand.feed_to(snare, hand.device(catheter).inserted_mm - 5.0, 60.0);
    hand.feed_to(snare, hand.device(catheter).inserted_mm + 16.0, 8.0);
    let open = hand.session.state().implants.snares[0].clone();
    println!("loop {:.1} mm open, around {:?}; {}", open.open_mm, open.around, hand.told(snare));
    assert_eq!(open.around, Some(0));
    // The catheter is pushed over the loop, then both come back.
    hand.feed_to(catheter, hand.device(snare).inserted_mm - 0.5, 8.0);
    hand.wait(0.2);
    println!("{:?}; {}", hand.session.state().implants.snares[0], hand.told(snare));
    assert_eq!(hand.session.state().implants.snares[0].holds, Some(0));
    assert!(hand.session.snapshot().implants[0].drifts, "it fills no vessel any more");
    for tool in [snare, catheter] {
        hand.session.submit(Command::SetFeed { tool, speed_mm_per_s: -15.0 });
    }
    hand.wait(6.0);
    let placed = &hand.session.state().implants.placed[0];
    println!("out {}, {} nodes; {}", placed.is_out, placed.nodes_mm.len(), hand.told(snare));
    assert!(placed.is_out && placed.nodes_mm.is_empty());
}
