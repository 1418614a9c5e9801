//! Rapid exchange: which devices go over a short wire, and what cannot be threaded again.

use cathnav::sim::command::Command;

use super::dilation::{Hand, SHEATH, catalog, compile, stenosed};
use super::stents::off;

const WIRE: &str = "wire.coronary_support.014";
const GUIDE: &str = "guide.straight.6f";
const RAPID: &str = "balloon.semi.014.4x20";
const WHOLE: &str = "microcatheter.2_4f";

#[test]
fn a_rapid_exchange_balloon_goes_over_a_wire_that_is_too_short_for_a_microcatheter() {
    let model = compile(&stenosed(30.0, 0.0), "begin", SHEATH, &[WIRE, GUIDE, RAPID, WHOLE]);
    let mut hand = Hand::new(&model, 1);
    let (wire, guide) = (hand.tool(WIRE), hand.tool(GUIDE));
    hand.over_the_wire(wire, 150.0, guide, 40.0);
    let outside_mm = hand.device(wire).external_mm;
    let tool = |hand: &Hand, id: &str| hand.session.model().tools[hand.tool(id).idx()].clone();
    println!(
        "{outside_mm:.0} mm of wire outside; {} of balloon and {} mm of microcatheter run on it",
        tool(&hand, RAPID).rail_mm(),
        tool(&hand, WHOLE).rail_mm()
    );
    let load = |hand: &mut Hand, id: &str| {
        let tool = hand.tool(id);
        hand.send(Command::Load { rod: 0, tool });
        hand.refusals().last().cloned()
    };
    let reason = load(&mut hand, WHOLE).unwrap();
    assert!(reason.contains("too short a wire"), "{reason}");
    hand.events.clear();
    assert_eq!(load(&mut hand, RAPID), None);
    let balloon = hand.tool(RAPID);
    hand.feed_to(balloon, 120.0, 60.0);

    // The wire comes out to the port, and no farther in again while the balloon is in.
    off(&mut hand, WIRE);
    assert!((hand.device(balloon).inserted_mm - 120.0).abs() < 0.5);
    hand.events.clear();
    let reason = load(&mut hand, WIRE).unwrap();
    assert!(reason.contains("wire port"), "{reason}");
}

#[test]
fn devices_of_0_014_in_run_on_a_short_rail_and_a_pigtail_ends_in_a_loop() {
    let catalog = catalog();
    for device in &catalog.devices {
        let is_rapid = device.rail_mm() < device.length_mm;
        let is_thin = device.balloon.is_some() || device.stent.is_some();
        assert_eq!(
            is_rapid,
            is_thin && device.id.contains(".014.") || device.id == "microcatheter.filter_sheath",
            "{}",
            device.id
        );
        let is_pigtail = device.id.contains("pigtail");
        if is_pigtail || device.id.contains("cobra") || device.id.contains("rim") {
            println!("{}: loop {:?}", device.id, device.tip_loop_mm());
            assert_eq!(device.tip_loop_mm().is_some(), is_pigtail, "{}", device.id);
        }
    }
}
