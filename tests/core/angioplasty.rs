//! A stenosis treated by script and judged by conditions: the right stent passes, an oversized balloon bursts the vessel and fails.

use cathnav::anatomy::open_tree;
use cathnav::scenario::Case;
use cathnav::script::{Driver, parse};
use cathnav::sim::event::EventKind;
use cathnav::sim::{Model, Session};
use cathnav::training::{Assessment, Observer};

use super::dilation::{catalog, stenosed};

const CASE: &str = r#"#![enable(implicit_some)]
Case(
    format: 1, id: "t", title: "t",
    briefing: (story: "", task: ""),
    anatomy: (model: "tube"),
    access: (site: "begin", sheath: "sheath.10f.110"),
    tray: ["wire.rosen.035", "balloon.semi.035.12x40", "stent.balloon.035.9x37", "stent.self.035.10x60"],
    steps: [
        (id: "opened", title: "Opened", say: "", points: 50, done: Residual(vessel: "tube", under_pct: 30)),
        (id: "covered", title: "Covered", say: "", points: 25, done: StentMargin(vessel: "tube", at_least_mm: 1)),
        (id: "flows", title: "No gradient", say: "", points: 25, done: GradientBelow(vessel: "tube", under_mmhg: 5)),
    ],
    traps: [
        (id: "oversized", when: Oversized(over_pct: 120), grade: Mistake, say: "", fails: true),
    ],
    score: (pass: 0),
)"#;

/// Plays a script on a tube with an 80 % stenosis; what is made of it, and what happened.
fn play(steps: &str) -> (Assessment, Vec<EventKind>) {
    let anatomy = stenosed(80.0, 0.3);
    assert!(open_tree(&anatomy.tree, &anatomy.lesions).branches[0].at(110.0).radius_mm > 4.4);
    let case: Case = ron::from_str(CASE).unwrap();
    let model = std::sync::Arc::new(Model::compile(&case, &anatomy, &catalog()).unwrap());
    let text = format!("(format: 1, title: \"t\", case: \"t\", steps: [{steps}])");
    let mut driver = Driver::new(parse(&text, "t").unwrap(), &model.anatomy.tree, &model.case).unwrap();
    let mut session = Session::new(model.clone(), 3);
    let mut snapshot = session.snapshot();
    let mut observer = Observer::new(&model.case, &model.anatomy.tree, &snapshot.tools);
    let mut events = Vec::new();
    while !driver.finished() && driver.failed().is_none() && snapshot.time_s < 400.0 {
        for command in driver.next(&snapshot, snapshot.xray.pulse.is_some()) {
            session.submit(command);
        }
        let output = session.step();
        observer.observe(&output.snapshot, &output.events);
        events.extend(output.events.into_iter().map(|e| e.kind));
        snapshot = output.snapshot;
    }
    println!("{:.0} s, failure {:?}, lesion {:?}", snapshot.time_s, driver.failed(), snapshot.lesions);
    assert_eq!(driver.failed(), None);
    (observer.assessment(), events)
}

const ENTER: &str = r#"
    Table(0, 0, 110),
    Load("wire.rosen.035"),
    Advance(tool: "wire.rosen.035", until: Inserted(170), speed_mm_per_s: 60),"#;

#[test]
fn the_right_stent_passes_and_an_oversized_balloon_fails() {
    let (good, events) = play(&format!(
        r#"{ENTER}
        Load("stent.balloon.035.9x37"),
        Advance(tool: "stent.balloon.035.9x37", until: Inserted(124), speed_mm_per_s: 40),
        Inflate(tool: "stent.balloon.035.9x37", atm: 10, hold_s: 20),
        Deflate(tool: "stent.balloon.035.9x37"),
        TakeOff(tool: "stent.balloon.035.9x37"),
        Wait(4),
        Finish,"#
    ));
    let done: Vec<bool> = good.steps.iter().map(|s| s.done_s.is_some()).collect();
    println!("right: {done:?}, traps {:?}", good.traps);
    assert!(done.iter().all(|d| *d) && good.traps.iter().all(|t| t.time_s.is_none()));
    assert!(!events.iter().any(|e| matches!(e, EventKind::Rupture(_))));
    let (bad, events) = play(&format!(
        r#"{ENTER}
        Load("balloon.semi.035.12x40"),
        Advance(tool: "balloon.semi.035.12x40", until: Inserted(124), speed_mm_per_s: 40),
        Inflate(tool: "balloon.semi.035.12x40", atm: 10, hold_s: 20),
        Deflate(tool: "balloon.semi.035.12x40"),
        Wait(4),
        Finish,"#
    ));
    println!("oversized: traps {:?}", bad.traps);
    assert!(bad.traps[0].time_s.is_some() && events.iter().any(|e| matches!(e, EventKind::Rupture(_))));
    assert!(bad.steps[1].done_s.is_none());
}

#[test]
fn a_stent_under_its_sheath_by_script() {
    let (judged, _) = play(&format!(
        r#"{ENTER}
        Load("stent.self.035.10x60"),
        Advance(tool: "stent.self.035.10x60", until: Inserted(142), speed_mm_per_s: 40),
        Unsheathe(tool: "stent.self.035.10x60", speed_mm_per_s: 8),
        TakeOff(tool: "stent.self.035.10x60"),
        Wait(2),
        Finish,"#
    ));
    // It covers the lesion, but its force does not open plaque: a balloon must.
    assert!(judged.steps[1].done_s.is_some() && judged.steps[0].done_s.is_none());
}
