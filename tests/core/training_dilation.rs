//! What the observer says of balloons and stents, on synthetic traces.

use cathnav::anatomy::VesselId;
use cathnav::device::DeviceKind;
use cathnav::scenario::{Case, Condition, Step};
use cathnav::sim::command::ToolId;
use cathnav::sim::dilation::{BalloonView, LesionView, StentPhase, StentView};
use cathnav::sim::event::EventKind;
use cathnav::sim::protection::FilterView;
use cathnav::sim::snapshot::{StenosisView, ToolInfo};
use cathnav::training::Observer;

use super::training::{
    AORTA, COMMON_LEFT, EXTERNAL, INTERNAL, OBTURATOR, Trace, WIRE, case, place, tools, tree,
};

/// The tool that stands for a balloon.
const BALLOON: ToolId = ToolId(3);
const LESION_MM: [f64; 2] = [15.0, 40.0];

/// A case that wants the left common iliac artery opened.
fn iliac() -> Case {
    let mut case = case();
    let last: &mut Step = case.steps.last_mut().unwrap();
    last.done = Condition::Residual { vessel: "common_iliac.left".to_owned(), under_pct: 30.0 };
    case
}

fn tray() -> Vec<ToolInfo> {
    let mut tray = tools();
    (tray[BALLOON.idx()].kind, tray[BALLOON.idx()].rated_atm) = (DeviceKind::Balloon, 14.0);
    tray
}

/// A stenosis of the left common iliac artery with a wire across it, heparin given.
fn start() -> Trace {
    let mut t = Trace::new();
    t.observer = Observer::new(&iliac(), &tree(), &tray());
    t.snap.tools = tray();
    t.snap.patient.act_s = 260.0;
    t.snap.lesions = vec![LesionView {
        place: Some(place(COMMON_LEFT, 27.5)),
        stretch_mm: LESION_MM,
        healthy_mm: 10.0,
        least_mm: 2.0,
        residual_pct: 80.0,
        ..LesionView::default()
    }];
    t.put(WIRE, 160.0, AORTA, 50.0);
    lay_rod(&mut t, true);
    t.wait(1.0);
    t
}

/// The rod from the left external iliac artery up to the aorta, or back to its beginning.
fn lay_rod(t: &mut Trace, is_across: bool) {
    let tree = tree();
    let on = |v: u32, arc: f64| tree.branches[v as usize].at(arc).position_mm;
    let length = tree.branches[COMMON_LEFT as usize].length_mm();
    let mut nodes = vec![on(EXTERNAL, 20.0), on(EXTERNAL, 0.0)];
    if is_across {
        nodes.extend((0..=10).map(|i| on(COMMON_LEFT, length * (1.0 - f64::from(i) / 10.0))));
        nodes.push(on(AORTA, 50.0));
    }
    let mut arc = vec![0.0];
    for w in nodes.windows(2) {
        arc.push(arc.last().unwrap() + (w[1] - w[0]).norm());
    }
    let end = *arc.last().unwrap();
    (t.snap.rods[0].nodes_mm, t.snap.rods[0].arc_mm) = (nodes, arc);
    t.device(WIRE).inserted_mm = end;
}

/// A balloon goes up over some stretch of a vessel and comes down again.
fn inflate(t: &mut Trace, vessel: u32, stretch: [f64; 2], atm: f64, to_vessel: f64) {
    let middle = place(vessel, 0.5 * (stretch[0] + stretch[1]));
    t.snap.balloons = vec![BalloonView {
        tool: BALLOON,
        place: Some(middle),
        balloon_atm: atm,
        gauge_atm: atm,
        iodine_mg_per_ml: 150.0,
        ..BalloonView::default()
    }];
    t.beam(true);
    t.wait(2.0);
    t.beam(false);
    t.snap.balloons.clear();
    t.tick(vec![EventKind::Inflated {
        tool: BALLOON,
        at: Some(middle),
        peak_atm: atm,
        for_s: 2.0,
        balloon_to_vessel: to_vessel,
        stretches: vec![(VesselId(vessel), stretch[0], stretch[1])],
    }]);
    t.snap.lesions[0].residual_pct = 20.0;
}

/// A stent over a stretch of the left common iliac artery.
fn stent(t: &mut Trace, stretch: [f64; 2], jailed: &[(u32, bool)], into_parent_mm: f64) {
    t.snap.lesions[0].margins_mm = Some([LESION_MM[0] - stretch[0], stretch[1] - LESION_MM[1]]);
    t.snap.stents.push(StentView {
        tool: BALLOON,
        phase: StentPhase::Placed,
        stretches: vec![(VesselId(COMMON_LEFT), stretch[0], stretch[1])],
        into_parent_mm: Some(into_parent_mm),
        jailed: jailed.iter().map(|(v, closed)| (VesselId(*v), *closed)).collect(),
        ..StentView::default()
    });
    t.wait(2.0);
}

fn finish(t: &mut Trace) {
    t.tick(vec![EventKind::RunStarted(1)]);
    t.tick(vec![EventKind::RunEnded { run: 1, contrast_ml: 8.0, at: Some(place(AORTA, 90.0)) }]);
    t.tick(vec![EventKind::Finished]);
}

/// Spoils one thing of a right procedure: exactly this error is named.
fn expect(name: &str, spoil: impl Fn(&mut Trace)) {
    let mut t = start();
    spoil(&mut t);
    finish(&mut t);
    println!("{name}: {:?}", t.observer.errors().iter().map(|e| &e.cause).collect::<Vec<_>>());
    assert_eq!(t.names(), [name]);
}

#[test]
fn the_right_balloon_and_stent_are_no_error_and_are_measured() {
    let mut t = start();
    t.snap.stenoses = vec![StenosisView {
        place: Some(place(COMMON_LEFT, 14.0)),
        mean_gradient_mmhg: 3.5,
        ..StenosisView::default()
    }];
    inflate(&mut t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    stent(&mut t, [10.0, 44.0], &[], 1.5);
    finish(&mut t);
    assert_eq!(t.names(), Vec::<String>::new());
    let a = t.assessment();
    let is = |name: &str, value: f64| {
        let found = a.metric(name).unwrap();
        assert!((found - value).abs() < 0.05, "{name}: {found} against {value}");
    };
    is("residual_stenosis_pct", 20.0);
    is("gradient_mmhg", 3.5);
    is("balloon_to_vessel", 1.05);
    is("inflation_s", 2.0);
    is("act_at_inflation_s", 260.0);
    is("stent_margin_mm", 4.0);
    is("stent_into_parent_mm", 1.5);
    is("emboli_downstream", 0.0);
}

#[test]
fn each_error_of_a_balloon_fires_once() {
    expect("balloon_oversized", |t| inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.25));
    expect("balloon_over_rated", |t| inflate(t, COMMON_LEFT, [12.0, 43.0], 15.0, 1.05));
    expect("geographic_miss", |t| inflate(t, COMMON_LEFT, [20.0, 60.0], 8.0, 1.05));
    expect("no_heparin", |t| {
        t.snap.patient.act_s = 150.0;
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    });
    expect("balloon_burst", |t| t.tick(vec![EventKind::BalloonBurst { tool: BALLOON, atm: 19.0 }]));
    expect("rupture", |t| t.tick(vec![EventKind::Rupture(place(COMMON_LEFT, 27.0))]));
    expect("flap_left", |t| {
        t.tick(vec![EventKind::Tear(place(COMMON_LEFT, 27.0))]);
        t.snap.flaps = vec![(VesselId(COMMON_LEFT), 20.0, 34.0)];
    });
    expect("debris_lodged", |t| {
        let lodged = |diameter_mm, is_debris| EventKind::BodyLodged {
            place: place(OBTURATOR, 10.0),
            diameter_mm,
            is_debris,
        };
        t.tick(vec![lodged(0.3, true), lodged(1.0, false)]);
        assert_eq!(t.count("debris_lodged"), 0, "small pieces and pledgets do no harm");
        t.tick(vec![lodged(0.8, true)]);
        t.tick(vec![lodged(0.9, true)]);
    });
}

#[test]
fn a_tear_that_is_laid_to_the_wall_again_is_no_error() {
    let mut t = start();
    t.tick(vec![EventKind::Tear(place(COMMON_LEFT, 27.0))]);
    t.snap.flaps = vec![(VesselId(COMMON_LEFT), 20.0, 34.0)];
    t.wait(1.0);
    t.snap.flaps.clear();
    finish(&mut t);
    assert_eq!(t.names(), Vec::<String>::new());
}

#[test]
fn each_error_of_a_stent_fires_once() {
    expect("geographic_miss", |t| {
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
        stent(t, [18.0, 45.0], &[], -8.0);
    });
    expect("stent_lost", |t| t.tick(vec![EventKind::StentStripped { stent: 0, tool: BALLOON }]));
    expect("stent_lost", |t| {
        t.tick(vec![EventKind::StentMigrates { stent: 0, from: place(COMMON_LEFT, 27.0) }]);
    });
    expect("branch_jailed", |t| {
        t.snap.lesions[0].stretch_mm = [5.0, 20.0];
        stent(t, [2.0, 56.0], &[(INTERNAL, false)], -2.0);
    });
    expect("branch_closed", |t| stent(t, [10.0, 56.0], &[(INTERNAL, true)], -8.0));
    expect("stent_across_joint", |t| {
        let mut tree = tree();
        tree.branches[EXTERNAL as usize].name = "common_femoral.left".to_owned();
        t.observer = Observer::new(&iliac(), &tree, &tray());
        stent(t, [10.0, 44.0], &[], -8.0);
        t.snap.stents[0].stretches.push((VesselId(EXTERNAL), 0.0, 20.0));
        t.snap.stents.push(t.snap.stents[0].clone());
        t.wait(2.0);
    });
}

#[test]
fn a_bare_stent_over_a_branch_is_no_error_where_the_lesion_reaches_its_mouth() {
    let mut t = start();
    t.snap.lesions[0].stretch_mm = [30.0, 52.0];
    stent(&mut t, [27.0, 56.0], &[(INTERNAL, false)], -2.0);
    finish(&mut t);
    assert_eq!(t.names(), Vec::<String>::new());
}

#[test]
fn an_error_that_the_case_does_not_allow_fails_it() {
    let mut case = iliac();
    case.score.pass = -100.0;
    case.steps.clear();
    for (fails, passed) in [(vec![], true), (vec!["rupture".to_owned()], false)] {
        case.score.fails = fails;
        let mut t = start();
        t.observer = Observer::new(&case, &tree(), &tray());
        t.tick(vec![EventKind::Rupture(place(COMMON_LEFT, 27.0))]);
        finish(&mut t);
        let score = t.assessment().score;
        println!("{:?}", score.reasons);
        assert_eq!(score.passed, passed);
    }
}

#[test]
fn the_mouth_of_a_smaller_vessel_is_judged_by_the_end_of_its_stent() {
    let at_mouth = |t: &mut Trace, into_mm: f64| {
        let mut tree = tree();
        for p in &mut tree.branches[COMMON_LEFT as usize].points {
            p.radius_mm = 3.0;
        }
        t.observer = Observer::new(&iliac(), &tree, &tray());
        t.snap.lesions[0].stretch_mm = [0.0, 12.0];
        t.snap.lesions[0].place = Some(place(COMMON_LEFT, 6.0));
        stent(t, [-into_mm, 16.0], &[], into_mm);
    };
    expect("stent_in_parent", |t| at_mouth(t, 6.0));
    expect("ostium_missed", |t| at_mouth(t, -0.8));
    let mut t = start();
    at_mouth(&mut t, 1.5);
    finish(&mut t);
    assert_eq!(t.names(), Vec::<String>::new());
}

#[test]
fn a_carotid_sinus_wants_atropine_and_a_longer_clotting_time() {
    let carotid = |t: &mut Trace| {
        let mut tree = tree();
        tree.branches[COMMON_LEFT as usize].name = "internal_carotid.right".to_owned();
        t.observer = Observer::new(&iliac(), &tree, &tray());
        let place = Some(place(COMMON_LEFT, 52.0));
        t.snap.filters = vec![FilterView { place, open_share: 1.0, ..FilterView::default() }];
    };
    let atropine = || EventKind::Given { drug: "atropine".to_owned(), dose: 0.6 };
    expect("no_atropine", |t| {
        carotid(t);
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    });
    expect("no_atropine", |t| {
        carotid(t);
        t.tick(vec![atropine()]);
        t.wait(5.0);
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    });
    expect("no_heparin", |t| {
        carotid(t);
        t.snap.patient.act_s = 230.0;
        t.tick(vec![atropine()]);
        t.wait(40.0);
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    });
}

#[test]
fn a_carotid_artery_wants_a_filter_that_stands_open_beyond() {
    for filter in [None, Some((2.0, 1.0)), Some((52.0, 0.2))] {
        expect("no_filter", |t| {
            let mut tree = tree();
            tree.branches[COMMON_LEFT as usize].name = "internal_carotid.right".to_owned();
            t.observer = Observer::new(&iliac(), &tree, &tray());
            let view = |(arc_mm, open_share)| {
                let place = Some(place(COMMON_LEFT, arc_mm));
                FilterView { place, open_share, ..FilterView::default() }
            };
            t.snap.filters = filter.map(view).into_iter().collect();
            t.tick(vec![EventKind::Given { drug: "atropine".to_owned(), dose: 0.6 }]);
            t.wait(40.0);
            inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
        });
    }
    expect("filter_spilled", |t| t.tick(vec![EventKind::FilterSpilled { tool: WIRE, pieces: 3 }]));
}

#[test]
fn the_wire_stays_across_the_lesion_until_a_run_has_shown_the_result() {
    expect("wire_lost_lesion", |t| {
        inflate(t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
        t.beam(true);
        lay_rod(t, false);
        t.wait(4.0);
    });
    let mut t = start();
    inflate(&mut t, COMMON_LEFT, [12.0, 43.0], 8.0, 1.05);
    t.wait(4.0);
    t.tick(vec![EventKind::RunStarted(1)]);
    t.tick(vec![EventKind::RunEnded { run: 1, contrast_ml: 8.0, at: Some(place(AORTA, 90.0)) }]);
    t.beam(true);
    lay_rod(&mut t, false);
    t.wait(4.0);
    finish(&mut t);
    assert_eq!(t.names(), Vec::<String>::new());
}
