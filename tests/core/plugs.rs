//! Braided plugs: open on their cable, drawn back, detached; one that is too narrow is washed away.

use cathnav::anatomy::VesselPlace;
use cathnav::sim::command::{Command, ToolId};

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
