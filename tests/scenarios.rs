//! Every shipped case as a user meets it: it loads, compiles, runs; its expert script passes, its careless one fails with
//! the right errors, and it is not won when particles do not lodge.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests print figures and may unwrap")]

#[path = "scenarios/regions.rs"]
mod regions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cathnav::cli::attempt::{self, Outcome, Pictures, Watcher};
use cathnav::script::{self, Driver};
use cathnav::sim::record::{RecordError, Recording};
use cathnav::sim::{Command, Model, Session, Snapshot, State, session};
use cathnav::training::Assessment;
use regions::{Eye, Region, region_of};

/// Middle part of a bed that is looked at, mm.
const CORE_MM: f64 = 12.0;

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
fn expert_passes(drill: &str) -> Assessment {
    let model = attempt::load_model(&attempt::resolve(Path::new(drill), "scenarios").unwrap()).unwrap();
    let (assessment, outcome, _) =
        play(&model, &root().join(format!("assets/scripts/{drill}_expert.ron")), 1);
    tell(drill, &assessment, &outcome);
    assert_eq!(outcome.failure, None);
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    assessment
}

/// The expert passes without a single error.
fn expert_raises_none(case: &str) -> Assessment {
    let assessment = expert_passes(case);
    assert_eq!(assessment.errors, Vec::new());
    assessment
}

/// The careless script of a case or drill does not, and these errors are named.
fn careless_fails(drill: &str, expected: &[&str]) {
    careless_fails_by_rule(drill, expected, None);
}

/// The same; and played on from a heading without a rule, the errors that follow from the rule are not named.
fn careless_fails_by_rule(drill: &str, expected: &[&str], rule: Option<Rule<'_>>) {
    let mut play = Play::new(drill, "careless");
    let (assessment, fork) = play.past(drill, rule.as_ref().map(|r| r.heading), &mut |_| {});
    assert!(!assessment.score.passed);
    let missing = |assessment: &Assessment, wanted: &[&str]| -> Vec<String> {
        let has = |name: &str| assessment.errors.iter().any(|e| e.name == name);
        wanted.iter().filter(|n| !has(n)).map(|n| (*n).to_owned()).collect()
    };
    assert_eq!(missing(&assessment, expected), Vec::<String>::new());
    if let Some((fork, rule)) = fork.zip(rule) {
        assert!(rule.names.iter().all(|n| expected.contains(n)), "{:?}", rule.names);
        let without =
            fork.without(rule.switch_off).play_out(&format!("{drill} without the rule"), &mut |_| {});
        assert_eq!(missing(&without, rule.names), rule.names, "they come from the rule alone");
    }
}

/// A physical rule, and what is named because of it from a heading of a script on.
struct Rule<'a> {
    heading: &'a str,
    switch_off: fn(&mut Model),
    names: &'a [&'a str],
}

fn no_lodging(model: &mut Model) {
    model.therapy.lodging_enabled = false;
}

fn no_debris(model: &mut Model) {
    model.dilation.vessels.spans.iter_mut().for_each(|s| s.debris = 0.0);
}

fn no_packing(model: &mut Model) {
    model.packing_enabled = false;
}

/// A script at work in a case.
struct Play {
    case: PathBuf,
    model: Arc<Model>,
    session: Session,
    driver: Driver,
    watcher: Watcher,
}

/// Where another attempt may go on.
struct Fork {
    case: PathBuf,
    state: State,
    driver: Driver,
}

impl Play {
    fn new(case: &str, who: &str) -> Self {
        let path = attempt::resolve(Path::new(case), "scenarios").unwrap();
        let model = attempt::load_model(&path).unwrap();
        let script = root().join(format!("assets/scripts/{case}_{who}.ron"));
        let driver = attempt::load_driver(&script, &model).unwrap();
        Self::from(path, model, None, driver)
    }

    fn from(case: PathBuf, model: Arc<Model>, state: Option<State>, driver: Driver) -> Self {
        let mut session = Session::new(model.clone(), 1);
        if let Some(state) = state {
            session.restore(state);
        }
        let watcher = Watcher::new(&model, &session.snapshot(), &Pictures::default()).unwrap();
        Self { case, model, session, driver, watcher }
    }

    fn play_out(&mut self, name: &str, see: &mut dyn FnMut(&Snapshot)) -> Assessment {
        self.past(name, None, see).0
    }

    /// Plays to the end; leaves a fork where a heading of the script is reached.
    fn past(
        &mut self,
        name: &str,
        heading: Option<&str>,
        see: &mut dyn FnMut(&Snapshot),
    ) -> (Assessment, Option<Fork>) {
        let mut fork = None;
        let case = &self.case;
        let mut watch = |session: &Session, driver: &Driver, snapshot: &Snapshot| {
            if fork.is_none() && heading == Some(driver.label()) {
                fork =
                    Some(Fork { case: case.clone(), state: session.state().clone(), driver: driver.clone() });
            }
            see(snapshot);
        };
        let (session, driver, watcher) = (&mut self.session, &mut self.driver, &mut self.watcher);
        let outcome =
            attempt::drive_seen(session, driver, watcher, attempt::MAX_SECONDS, &mut watch).unwrap();
        let assessment = self.watcher.observer().assessment();
        tell(name, &assessment, &outcome);
        assert_eq!(outcome.failure, None);
        assert!(heading.is_none() || fork.is_some(), "no heading {heading:?}");
        (assessment, fork)
    }
}

impl Fork {
    /// Goes on in a model of which a rule is switched off.
    fn without(self, switch_off: fn(&mut Model)) -> Play {
        let mut model = Arc::try_unwrap(attempt::load_model(&self.case).unwrap()).unwrap();
        switch_off(&mut model);
        Play::from(self.case, Arc::new(model), Some(self.state), self.driver)
    }

    /// Goes on with other steps.
    fn with_steps(self, model: &Arc<Model>, case: &str, steps: &str) -> Play {
        let text = format!("(format: 1, title: \"Other\", case: \"{case}\", steps: [{steps}])");
        let script = script::parse(&text, "other steps").unwrap();
        let driver = Driver::new(script, &model.anatomy.tree, &model.case).unwrap();
        Play::from(self.case, model.clone(), Some(self.state), driver)
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
    let mut play = Play::new("gib_gda", "expert");
    let start = play.session.snapshot();
    let mut eye = Eye::new(&play.model, vec![region_of(&start, "ulcer")]);
    let assessment = play.play_out("gib_gda", &mut |snapshot| eye.see(snapshot));
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    assert_eq!(assessment.errors, Vec::new());
    // The pool is seen before, and not after: the same place in the first and the last run that show it.
    let (most, last) = eye.most_and_last(0);
    println!("the ulcer: {most:.1} gray levels at the most, {last:.1} in the last run");
    assert!(most > 15.0 && last < 0.4 * most);
}

#[test]
fn a_narrow_coil_a_coil_at_the_mouth_and_particles_on_top_are_named() {
    let names = [
        "air_injected",
        "coil_undersized",
        "coil_migrated",
        "coil_in_hepatic",
        "coil_protrudes",
        "embolic_off_target",
        "particles_in_liver",
    ];
    let rule = Rule { heading: "A coil too narrow", switch_off: no_packing, names: &["coil_migrated"] };
    careless_fails_by_rule("gib_gda", &names, Some(rule));
}

#[test]
fn the_expert_treats_the_fibroid_from_both_sides_and_small_spheres_would_reach_the_ovary() {
    let mut play = Play::new("uae", "expert");
    let start = play.session.snapshot();
    let core = |name: &str| Region { radius_mm: CORE_MM, ..region_of(&start, name) };
    let mut eye = Eye::new(&play.model, vec![core("bed.fibroid.right")]);
    let heading = Some("Left side to near stasis");
    let (assessment, fork) = play.past("uae", heading, &mut |snapshot| eye.see(snapshot));
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    assert_eq!(assessment.errors, Vec::new());
    let (most, last) = eye.most_and_last(0);
    println!("the fibroid from the right: {most:.1} gray levels at the most, {last:.1} in the last run");
    assert!(most > 5.0 && last < 0.4 * most);

    // The same tip and the same hand, but spheres that pass an anastomosis of 0.4 mm.
    let small = "EmbolizeUntil(through: \"microcatheter.2_4f\", agent: \"particles.microspheres.300_500\", \
                 beats_to_clear: 5, puff_ml: 0.4, rate_ml_per_s: 0.15, pause_s: 4, max_ml: 6), Wait(8), Finish";
    let other = fork.unwrap().with_steps(&play.model, "uae", small).play_out("small spheres", &mut |_| {});
    let ovary = other.errors.iter().find(|e| e.name == "ovary_left").expect("the ovary is named");
    println!("{}", ovary.cause);
    assert!(!other.score.passed && ovary.cause.contains("left ovary"));
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
    let heading = "Small spheres from the anterior division, fast and beyond stasis";
    let rule = Rule { heading, switch_off: no_lodging, names: &["gluteal", "bladder", "cervix"] };
    careless_fails_by_rule("uae", &names, Some(rule));
}

#[test]
fn the_expert_closes_a_part_of_the_spleen() {
    let mut play = Play::new("pse", "expert");
    let start = play.session.snapshot();
    let core = |name: &str| Region { radius_mm: CORE_MM, ..region_of(&start, name) };
    let regions = ["bed.spleen.upper", "bed.spleen.middle", "bed.spleen.lower"];
    let mut eye = Eye::new(&play.model, regions.iter().map(|name| core(name)).collect());
    let assessment = play.play_out("pse", &mut |snapshot| eye.see(snapshot));
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    let infarct = assessment.metric("infarct_pct").unwrap();
    println!("infarct {infarct:.1} %, {:.1?}", eye.runs);
    assert!((50.0..=70.0).contains(&infarct) && assessment.errors.is_empty());
    // First and last run of the celiac trunk: what is closed stains less, what is not stains as before.
    for (i, name) in regions.iter().enumerate() {
        let (first, last) = eye.first_and_last(i);
        println!("{name}: {first:.1} gray levels in the first run, {last:.1} in the last");
        assert!(first > 5.0);
        assert!(if i == 0 { last > 0.7 * first } else { last < 0.5 * first }, "{name}");
    }
}

#[test]
fn particles_for_the_spleen_given_from_the_celiac_trunk_are_named() {
    let names =
        ["liver", "pancreas", "too_much", "embolic_off_target", "embolic_without_test", "air_injected"];
    let rule =
        Rule { heading: "All at once", switch_off: no_lodging, names: &["liver", "pancreas", "too_much"] };
    careless_fails_by_rule("pse", &names, Some(rule));
}

#[test]
fn the_expert_closes_the_vas_rectum_that_bleeds_and_without_packing_does_not() {
    let mut play = Play::new("gib_colon", "expert");
    let start = play.session.snapshot();
    let mut eye = Eye::new(&play.model, vec![region_of(&start, "diverticulum")]);
    let (assessment, fork) =
        play.past("gib_colon", Some("One small coil"), &mut |snapshot| eye.see(snapshot));
    assert!(assessment.score.passed, "{:?}", assessment.score.reasons);
    assert_eq!(assessment.errors, Vec::new());
    let (most, last) = eye.most_and_last(0);
    println!("the diverticulum: {most:.1} gray levels at the most, {last:.1} in the last run");
    assert!(most > 5.0 && last < 0.4 * most);

    let without = fork.unwrap().without(no_packing).play_out("without packing", &mut |_| {});
    let leak = |a: &Assessment| a.metric("leak_ml_per_min").unwrap();
    println!("bleeds at the end: {:.2} mL/min, without packing {:.2}", leak(&assessment), leak(&without));
    assert!(leak(&assessment) < 0.1 && leak(&without) > 5.0);
}

#[test]
fn spheres_and_a_coil_in_the_marginal_artery_are_named() {
    let names = [
        "air_injected",
        "vasa_recta_lost",
        "marginal_closed",
        "small_bowel",
        "coil_off_target",
        "embolic_off_target",
        "embolic_without_test",
        "embolic_blind",
    ];
    let heading = "Spheres into the marginal artery";
    let rule = Rule { heading, switch_off: no_lodging, names: &["vasa_recta_lost", "small_bowel"] };
    careless_fails_by_rule("gib_colon", &names, Some(rule));
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
    expert_raises_none("pta_iliac");
}

#[test]
fn an_iliac_balloon_too_low_too_wide_and_without_heparin_is_named() {
    let names =
        ["no_heparin", "balloon_over_rated", "balloon_oversized", "geographic_miss", "wire_lost_lesion"];
    careless_fails("pta_iliac", &names);
}

/// The expert of a case meets plaque that no balloon breaks: it is not won.
fn hard_plaque_is_not_won(case: &str) {
    let path = attempt::resolve(Path::new(case), "scenarios").unwrap();
    let mut model = Arc::try_unwrap(attempt::load_model(&path).unwrap()).unwrap();
    model.dilation.vessels.spans.iter_mut().for_each(|s| s.yield_n_per_mm2 = 20.0);
    let script = root().join(format!("assets/scripts/{case}_expert.ron"));
    let (assessment, outcome, _) = play(&Arc::new(model), &script, 1);
    tell(&format!("{case}, hard as stone"), &assessment, &outcome);
    assert!(!assessment.score.passed);
    let opened = assessment.steps.iter().find(|s| s.id == "opened").unwrap();
    assert_eq!(opened.done_s, None);
}

#[test]
fn plaque_that_does_not_yield_is_not_opened_in_the_iliac_artery() {
    hard_plaque_is_not_won("pta_iliac");
}

#[test]
fn plaque_that_does_not_yield_is_not_opened_over_the_bifurcation() {
    hard_plaque_is_not_won("pta_iliac_crossover");
}

#[test]
fn plaque_that_does_not_yield_is_not_opened_in_the_femoral_artery() {
    hard_plaque_is_not_won("pta_sfa");
}

#[test]
fn plaque_that_does_not_yield_is_not_opened_at_the_mouth_of_the_renal_artery() {
    hard_plaque_is_not_won("pta_renal");
}

#[test]
fn the_expert_stents_the_mouth_of_the_renal_artery() {
    let assessment = expert_raises_none("pta_renal");
    let into_mm = assessment.metric("stent_into_parent_mm").unwrap();
    println!("the stent stands {into_mm:.1} mm into the aorta");
    assert!((0.3..=3.0).contains(&into_mm));
}

#[test]
fn a_wide_stent_behind_the_mouth_of_the_renal_artery_is_named() {
    let names = [
        "no_heparin",
        "balloon_oversized",
        "ostium_missed",
        "geographic_miss",
        "wire_lost_lesion",
        "air_injected",
    ];
    careless_fails("pta_renal", &names);
}

#[test]
fn the_expert_stents_the_carotid_artery_behind_a_filter() {
    expert_raises_none("cas");
}

#[test]
fn a_carotid_artery_opened_without_a_filter_is_named_and_without_loose_plaque_nothing_is_lost() {
    let names = [
        "no_heparin",
        "no_atropine",
        "no_filter",
        "debris_lodged",
        "geographic_miss",
        "wire_lost_lesion",
        "air_injected",
    ];
    let rule = Rule { heading: "The largest balloon", switch_off: no_debris, names: &["debris_lodged"] };
    careless_fails_by_rule("cas", &names, Some(rule));
}

#[test]
fn plaque_that_does_not_yield_is_not_opened_in_the_carotid_artery() {
    hard_plaque_is_not_won("cas");
}

#[test]
fn the_expert_opens_the_closed_femoral_artery() {
    expert_raises_none("pta_sfa");
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
