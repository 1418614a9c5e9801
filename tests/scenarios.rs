//! Every shipped case as a user meets it: it loads, compiles, runs; its expert script passes, its careless one fails with
//! the right errors, and it is not won when particles do not lodge.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests print figures and may unwrap")]

#[path = "scenarios/regions.rs"]
mod regions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cathnav::cli::attempt::{self, Outcome, Pictures, Watcher};
use cathnav::sim::record::{RecordError, Recording};
use cathnav::sim::{Command, Model, Session, session};
use cathnav::training::Assessment;
use regions::{Eye, region_of};

fn root() -> PathBuf {
    cathnav::assets::root().unwrap()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_string_lossy().ends_with(ending))
        .collect();
    out.sort();
    out
}

/// Plays a script without pictures.
fn play(model: &Arc<Model>, script: &Path, seed: u64) -> (Assessment, Outcome, Session) {
    let mut session = Session::new(model.clone(), seed);
    let mut driver = attempt::load_driver(script, model).unwrap();
    let mut watcher = Watcher::new(model, &session.snapshot(), &Pictures::default()).unwrap();
    let outcome = attempt::drive(&mut session, &mut driver, &mut watcher, attempt::MAX_SECONDS).unwrap();
    (watcher.observer().assessment(), outcome, session)
}

fn tell(name: &str, assessment: &Assessment, outcome: &Outcome) {
    println!("{name}: {}; {} ticks", attempt::verdict(assessment), outcome.ticks);
    for reason in assessment.score.reasons.iter().chain(&outcome.failure) {
        println!("  {reason}");
    }
    for error in &assessment.errors {
        println!("  {:6.1} s {:?} {}: {}", error.time_s, error.grade, error.name, error.cause);
    }
}

#[test]
fn every_case_compiles_and_rests_without_a_warning_and_with_the_same_bits() {
    let cases = cathnav::scenario::case_files(&root()).unwrap();
    assert!(cases.len() >= 5, "{cases:?}");
    for path in cases {
        let model = attempt::load_model(&path).unwrap();
        let hashes: Vec<_> = (0..2)
            .map(|_| {
                let mut session = Session::new(model.clone(), 5);
                for _ in 0..120 {
                    let events = session.step().events;
                    assert!(events.is_empty(), "{}: {events:?}", path.display());
                }
                session.hash()
            })
            .collect();
        assert_eq!(hashes[0], hashes[1], "{}", path.display());
        println!("{}: {}", path.display(), hashes[0]);
    }
}

#[test]
fn every_script_is_for_a_case_that_is_there() {
    for script in files("assets/scripts", ".ron") {
        let name = script.file_stem().unwrap().to_string_lossy().into_owned();
        let case = name.rsplit_once('_').unwrap().0;
        let path = attempt::resolve(Path::new(case), "scenarios").unwrap();
        let model = attempt::load_model(&path).unwrap();
        attempt::load_driver(&script, &model).unwrap();
    }
}

#[test]
fn the_expert_passes_replays_and_an_altered_command_is_found() {
    let model = attempt::load_model(&root().join("scenarios/pelvic_bleeding.ron")).unwrap();
    let (assessment, outcome, session) =
        play(&model, &root().join("assets/scripts/pelvic_bleeding_expert.ron"), 1);
    tell("expert", &assessment, &outcome);
    assert_eq!(outcome.failure, None);
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);

    let recording = Recording::from_bytes(&session.recording_bytes(), "memory").unwrap();
    let mut altered = recording.clone();
    assert_eq!(session::replay(model.clone(), &recording, true, |_| {}).unwrap(), session.hash());
    let (tick, command) = altered
        .commands
        .iter_mut()
        .find(|(_, c)| matches!(c, Command::SetFeed { speed_mm_per_s, .. } if *speed_mm_per_s > 0.0))
        .unwrap();
    *command = Command::AskHint;
    let first = tick.div_ceil(60) * 60;
    match session::replay(model, &altered, true, |_| {}) {
        Err(RecordError::Diverged { tick, word, .. }) => {
            println!("altered at {first}: differs at {tick} ({word})");
            assert!(tick >= first && tick <= first + 60, "{tick} against {first}");
        }
        other => panic!("an altered command must be found: {other:?}"),
    }
}

#[test]
fn the_careless_run_fails_with_the_right_errors() {
    let model = attempt::load_model(&root().join("scenarios/pelvic_bleeding.ron")).unwrap();
    let (assessment, outcome, _) =
        play(&model, &root().join("assets/scripts/pelvic_bleeding_careless.ron"), 1);
    tell("careless", &assessment, &outcome);
    assert!(!assessment.score.passed);
    let names: Vec<&str> = assessment.errors.iter().map(|e| e.name.as_str()).collect();
    assert!(names.contains(&"posterior_division"), "the trap of the posterior division: {names:?}");
}

/// The expert script of a case or drill passes it.
fn expert_passes(drill: &str) {
    let model = attempt::load_model(&attempt::resolve(Path::new(drill), "scenarios").unwrap()).unwrap();
    let (assessment, outcome, _) =
        play(&model, &root().join(format!("assets/scripts/{drill}_expert.ron")), 1);
    tell(drill, &assessment, &outcome);
    assert_eq!(outcome.failure, None);
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
}

/// The careless script of a case or drill does not, and these errors are named.
fn careless_fails(drill: &str, expected: &[&str]) {
    let model = attempt::load_model(&attempt::resolve(Path::new(drill), "scenarios").unwrap()).unwrap();
    let (assessment, outcome, _) =
        play(&model, &root().join(format!("assets/scripts/{drill}_careless.ron")), 1);
    tell(drill, &assessment, &outcome);
    assert!(!assessment.score.passed);
    let names: Vec<&str> = assessment.errors.iter().map(|e| e.name.as_str()).collect();
    for name in expected {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}

#[test]
fn the_expert_crosses_the_bifurcation() {
    expert_passes("crossing_a_bifurcation");
}

#[test]
fn a_wire_drawn_back_with_the_catheter_is_named() {
    careless_fails(
        "crossing_a_bifurcation",
        &["wire_pulled_out", "wire_position_lost", "catheter_without_wire", "air_injected"],
    );
}

#[test]
fn the_expert_exchanges_over_the_long_wire() {
    expert_passes("exchange_over_wire");
}

#[test]
fn a_wire_that_nobody_holds_is_named() {
    careless_fails(
        "exchange_over_wire",
        &["wire_moved", "wire_lost", "wire_position_lost", "moved_without_beam", "air_injected"],
    );
}

#[test]
fn the_expert_engages_the_left_renal_artery() {
    expert_passes("engage_ostium_cobra");
}

#[test]
fn a_wire_pushed_into_the_kidney_is_named() {
    careless_fails(
        "engage_ostium_cobra",
        &["wire_in_the_kidney", "catheter_without_wire", "moved_without_beam", "air_injected"],
    );
}

#[test]
fn the_expert_re_forms_the_simmons_and_pulls_it_into_the_carotid_artery() {
    expert_passes("reform_simmons");
}

#[test]
fn a_simmons_in_the_vertebral_artery_and_drawn_out_of_shape_is_named() {
    careless_fails("reform_simmons", &["vertebral", "shape_lost", "moved_without_beam"]);
}

#[test]
fn the_expert_closes_both_doors_of_the_gastroduodenal_artery() {
    let model = attempt::load_model(&attempt::resolve(Path::new("gib_gda"), "scenarios").unwrap()).unwrap();
    let mut session = Session::new(model.clone(), 1);
    let script = root().join("assets/scripts/gib_gda_expert.ron");
    let mut driver = attempt::load_driver(&script, &model).unwrap();
    let start = session.snapshot();
    let mut watcher = Watcher::new(&model, &start, &Pictures::default()).unwrap();
    let mut eye = Eye::new(&model, vec![region_of(&start, "ulcer")]);
    let mut see = |snapshot: &cathnav::sim::Snapshot| eye.see(snapshot);
    let outcome =
        attempt::drive_seen(&mut session, &mut driver, &mut watcher, attempt::MAX_SECONDS, &mut see).unwrap();
    let assessment = watcher.observer().assessment();
    tell("gib_gda", &assessment, &outcome);
    assert_eq!(outcome.failure, None);
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    // The pool is seen before, and not after: the same place in the first and the last run that show it.
    println!("{:?}", eye.runs);
    let seen: Vec<f64> = eye.runs.iter().filter_map(|(_, darkest)| darkest[0]).collect();
    let most = seen.iter().copied().fold(0.0, f64::max);
    let last = seen.last().copied().unwrap();
    println!("the ulcer: {most:.1} gray levels at the most, {last:.1} in the last run");
    assert!(most > 15.0 && last < 0.4 * most);
}

#[test]
fn a_narrow_coil_a_coil_at_the_mouth_and_particles_on_top_are_named() {
    careless_fails(
        "gib_gda",
        &[
            "air_injected",
            "coil_undersized",
            "coil_migrated",
            "coil_in_hepatic",
            "coil_protrudes",
            "embolic_off_target",
            "particles_in_liver",
        ],
    );
}

#[test]
fn the_expert_treats_the_fibroid_from_both_sides() {
    expert_passes("uae");
}

#[test]
fn small_spheres_in_a_hurry_and_one_side_alone_are_named() {
    let names = [
        "reflux",
        "gluteal",
        "bladder",
        "cervix",
        "embolic_off_target",
        "embolic_without_test",
        "air_injected",
    ];
    careless_fails("uae", &names);
}

#[test]
fn particles_for_the_spleen_given_from_the_celiac_trunk_are_named() {
    let names =
        ["liver", "pancreas", "too_much", "embolic_off_target", "embolic_without_test", "air_injected"];
    careless_fails("pse", &names);
}

#[test]
fn without_lodging_the_case_is_not_won() {
    let loaded = attempt::load_model(&root().join("scenarios/pelvic_bleeding.ron")).unwrap();
    let mut model = Arc::try_unwrap(loaded).unwrap();
    model.therapy.lodging_enabled = false;
    let model = Arc::new(model);
    let (assessment, outcome, _) = play(&model, &root().join("assets/scripts/pelvic_bleeding_expert.ron"), 1);
    tell("without lodging", &assessment, &outcome);
    assert!(!assessment.score.passed);
    let embolize = assessment.steps.iter().find(|s| s.id == "embolize").unwrap();
    assert_eq!(embolize.done_s, None, "bleeding cannot stop when nothing lodges");
}

#[test]
fn two_seeds_differ_in_the_picture_and_one_seed_does_not() {
    use cathnav::imaging::{Renderer, RendererConfig};
    let model = attempt::load_model(&root().join("scenarios/pelvic_bleeding.ron")).unwrap();
    let mut session = Session::new(model.clone(), 1);
    session.submit(Command::SetPedal(cathnav::sim::command::Pedal::Fluoro));
    let snapshot = (0..60).map(|_| session.step().snapshot).find(|s| s.xray.pulse.is_some()).unwrap();
    let picture = |seed| {
        Renderer::new(&model.anatomy, &model.tools, RendererConfig { pixels: 256, seed })
            .render(&snapshot)
            .gray
    };
    assert_eq!(picture(1), picture(1));
    let (one, two) = (picture(1), picture(2));
    let differing = one.iter().zip(&two).filter(|(a, b)| a != b).count();
    println!("{differing} of {} pixels differ", one.len());
    assert!(differing > one.len() / 4, "noise of another seed is another noise");
}

#[test]
fn the_expert_opens_the_iliac_artery_from_the_same_side() {
    expert_passes("pta_iliac");
}

#[test]
fn an_iliac_balloon_too_low_too_wide_and_without_heparin_is_named() {
    let names =
        ["no_heparin", "balloon_over_rated", "balloon_oversized", "geographic_miss", "wire_lost_lesion"];
    careless_fails("pta_iliac", &names);
}

#[test]
fn plaque_that_does_not_yield_is_not_opened() {
    let path = attempt::resolve(Path::new("pta_iliac"), "scenarios").unwrap();
    let mut model = Arc::try_unwrap(attempt::load_model(&path).unwrap()).unwrap();
    model.dilation.vessels.spans.iter_mut().for_each(|s| s.yield_n_per_mm2 = 20.0);
    let (assessment, outcome, _) =
        play(&Arc::new(model), &root().join("assets/scripts/pta_iliac_expert.ron"), 1);
    tell("hard as stone", &assessment, &outcome);
    assert!(!assessment.score.passed);
    let opened = assessment.steps.iter().find(|s| s.id == "opened").unwrap();
    assert_eq!(opened.done_s, None);
}

#[test]
fn the_expert_opens_the_closed_femoral_artery() {
    expert_passes("pta_sfa");
}

#[test]
fn a_short_wide_balloon_in_a_closed_femoral_artery_is_named() {
    let names = [
        "no_heparin",
        "balloon_oversized",
        "burst_by_size",
        "geographic_miss",
        "flap_left",
        "wire_lost_lesion",
    ];
    careless_fails("pta_sfa", &names);
}

#[test]
fn the_expert_opens_the_other_iliac_artery_over_the_bifurcation() {
    expert_passes("pta_iliac_crossover");
}

#[test]
fn a_balloon_too_low_beyond_the_bifurcation_is_named() {
    let names =
        ["no_heparin", "balloon_over_rated", "rupture", "flap_left", "geographic_miss", "wire_lost_lesion"];
    careless_fails("pta_iliac_crossover", &names);
}
