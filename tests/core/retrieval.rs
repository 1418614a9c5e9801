//! A lost stent is caught with a snare and brought home.

use cathnav::sim::command::Command;
use cathnav::sim::dilation::StentPhase;
use cathnav::sim::event::EventKind;

use super::dilation::{Hand, SHEATH, compile, stenosed};
use super::stents::{bring, off};

const WIRE: &str = "wire.rosen.035";
const SMALL: &str = "stent.self.035.6x40";
const GUIDE: &str = "guide.straight.6f";
const SNARE: &str = "snare.10";

/// Arc length where the lost stent lies, mm; the introducer stands at 12 mm.
fn lost_at_mm(hand: &Hand) -> f64 {
    let stent = hand.snapshot().stents.last().cloned().unwrap();
    let (_, from_mm, to_mm) = stent.stretches[0];
    0.5 * (from_mm + to_mm)
}

#[test]
fn a_snare_closes_around_a_lost_stent_and_brings_it_out() {
    let model = compile(&stenosed(5.0, 0.0), "begin", SHEATH, &[WIRE, SMALL, GUIDE, SNARE]);
    let mut hand = Hand::new(&model, 6);
    bring(&mut hand, SMALL, 90.0);
    let stent = hand.tool(SMALL);
    hand.send(Command::PullSheath { tool: stent, speed_mm_per_s: 10.0 });
    hand.wait(10.0);
    assert!(hand.events.iter().any(|e| matches!(e, EventKind::StentMigrates { .. })));
    hand.wait(20.0);
    off(&mut hand, SMALL);
    hand.events.clear();
    off(&mut hand, WIRE);
    let at_mm = lost_at_mm(&hand);

    let (guide, snare) = (hand.tool(GUIDE), hand.tool(SNARE));
    hand.events.clear();
    hand.send(Command::Load { rod: 0, tool: guide });
    hand.feed_to(guide, at_mm - 12.0 - 30.0, 60.0);
    hand.send(Command::Load { rod: 0, tool: snare });
    hand.feed_to(snare, at_mm - 12.0 - 5.0, 60.0);
    hand.wait(0.5);
    let caught = |hand: &Hand| hand.events.iter().any(|e| matches!(e, EventKind::StentCaught { .. }));
    assert!(!caught(&hand), "the loop is open");
    // Drawn into the guide the loop closes on what lies in it.
    hand.feed_to(snare, at_mm - 12.0 - 30.0, 10.0);
    hand.wait(0.2);
    println!("the stent lies at {at_mm:.0} mm; caught: {}", caught(&hand));
    assert!(caught(&hand));
    assert_eq!(hand.snapshot().stents.last().unwrap().phase, StentPhase::Snared);

    // It goes along with the snare.
    hand.feed_to(guide, 40.0, 40.0);
    hand.feed_to(snare, 40.0, 40.0);
    println!("drawn back to {:.0} mm", lost_at_mm(&hand));
    assert!((lost_at_mm(&hand) - 52.0).abs() < 12.0);
    hand.feed_to(guide, 2.0, 40.0);
    hand.feed_to(snare, 1.0, 20.0);
    hand.wait(0.2);
    assert!(hand.events.iter().any(|e| matches!(e, EventKind::StentRetrieved { .. })));
    assert!(hand.snapshot().stents.is_empty(), "it is out");
}
