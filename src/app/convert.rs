//! From the core's data to what the panels show.

use std::path::{Path, PathBuf};

use super::shelf::GrayPicture;
use super::store::BestResults;
use super::view::{
    BalloonTool, CaseCard, CaseView, CurveSample, ErrorView, MetricView, Picture, ReportView, StepView,
    ToolView, View,
};
use crate::device::{Expansion, Release};
use crate::imaging::Frame;
use crate::scenario::{self, Case, Library, Par, Sex};
use crate::sim::Model;
use crate::sim::record::Recording;
use crate::training::{Assessment, ErrorRecord, Sample};
use crate::units::TICKS_PER_S;

/// The cases below `root/scenarios` and its folders, by file name. A faulty file is a card that says so.
pub(super) fn cards(root: &Path, best: &BestResults) -> Vec<CaseCard> {
    let Ok(paths) = scenario::case_files(root) else { return Vec::new() };
    let library = Library::load(root);
    let card = |path: PathBuf| match &library {
        Ok(library) => card(root, path, library, best),
        Err(fault) => faulty(path, fault.to_string()),
    };
    paths.into_iter().map(card).collect()
}

fn card(root: &Path, path: PathBuf, library: &Library, best: &BestResults) -> CaseCard {
    let case = match scenario::load_case(&path, library) {
        Ok(case) => case,
        Err(fault) => return faulty(path, fault.to_string()),
    };
    CaseCard {
        title: case.title,
        level: case.level,
        heading: super::syllabus::heading(&case.tags),
        xray: xray_picture(root, &path),
        picture: Picture::default(),
        minutes: case.minutes,
        task: case.briefing.task,
        best: best.0.get(&case.id).copied(),
        has_demo: expert_script(root, &path).is_some(),
        fault: None,
        path,
    }
}

fn faulty(path: PathBuf, fault: String) -> CaseCard {
    let title = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    CaseCard { path, title, fault: Some(fault), ..CaseCard::default() }
}

/// The expert script of a case, if there is one: `assets/scripts/<case>_expert.ron`.
pub(super) fn expert_script(root: &Path, case: &Path) -> Option<PathBuf> {
    let stem = case.file_stem()?.to_string_lossy().into_owned();
    let path = root.join("assets/scripts").join(format!("{stem}_expert.ron"));
    path.is_file().then_some(path)
}

/// The picture of a case: `assets/pictures/cases/<case>.png`, made with `cathnav image`.
fn xray_picture(root: &Path, case: &Path) -> Option<GrayPicture> {
    let stem = case.file_stem()?.to_string_lossy().into_owned();
    GrayPicture::read_png(&root.join("assets/pictures/cases").join(format!("{stem}.png")))
}

/// Most samples of a curve.
const MOST_SAMPLES: usize = 600;

/// Curves of the telemetry, thinned out: of the forces the largest since the last sample that is kept.
pub(super) fn curves(telemetry: &[Sample]) -> Vec<CurveSample> {
    let stride = telemetry.len().div_ceil(MOST_SAMPLES).max(1);
    let sample = |part: &[Sample]| {
        let last = part.last()?;
        let forces = part.iter().flat_map(|s| &s.tools).map(|t| t.hub_force_n.abs());
        Some(CurveSample {
            time_s: last.time_s,
            air_kerma_mgy: last.air_kerma_mgy,
            contrast_ml: last.contrast_ml,
            hub_force_n: forces.fold(0.0, f64::max),
            mean_mmhg: last.mean_mmhg,
        })
    };
    telemetry.chunks(stride).filter_map(sample).collect()
}

/// What a recording left by a crash is of, in words.
pub(super) fn resume_text(path: &Path) -> Option<String> {
    let recording = Recording::read(path).ok()?;
    let seconds = recording.last_tick / TICKS_PER_S;
    (seconds > 0).then(|| format!("{}, {:02}:{:02}", recording.header.case_id, seconds / 60, seconds % 60))
}

/// Case, tray and vessels of a compiled model.
pub(super) fn fill_case(view: &mut View, model: &Model) {
    view.case = case_view(&model.case);
    view.tools = model
        .tools
        .iter()
        .map(|d| ToolView {
            label: d.label.clone(),
            kind: d.kind,
            length_mm: d.length_mm,
            outer_mm: d.max_outer_diameter_mm,
            has_lumen: d.inner_diameter_mm.is_some(),
            detachable_mm: d.implant.as_ref().filter(|i| i.release == Release::Detached).map(|i| i.length_mm),
            balloon: d
                .balloon
                .as_ref()
                .map(|b| BalloonTool { nominal_atm: b.nominal_atm, rated_atm: b.rated_atm }),
            has_filter: d.filter.is_some(),
            has_sheathed_stent: d.stent.as_ref().is_some_and(|s| s.expansion == Expansion::Itself),
        })
        .collect();
    view.embolics = model.embolics.iter().map(|e| (e.id.clone(), e.label.clone())).collect();
    view.vessel_labels = model.anatomy.tree.branches.iter().map(|b| b.label.clone()).collect();
}

fn case_view(case: &Case) -> CaseView {
    let p = &case.patient;
    let sex = match p.sex {
        Sex::Female => "female",
        Sex::Male => "male",
    };
    let par = |p: &Par| (metric_label(&p.metric), p.gold, p.silver, p.bronze);
    CaseView {
        title: case.title.clone(),
        patient: format!("{sex}, {:.0} y, {:.0} kg", p.age_y, p.weight_kg),
        story: case.briefing.story.clone(),
        task: case.briefing.task.clone(),
        why: case.briefing.why.clone(),
        why_source: case.briefing.why_source.clone(),
        minutes: case.minutes,
        pass: case.score.pass,
        par: case.score.par.iter().map(par).collect(),
        contrast_ml: case.room.contrast_ml,
        dose_alert_mgy: case.room.dose_alert_mgy,
        has_injector: case.room.injector,
        views: case.room.offered_views().into_iter().map(|v| v.name).collect(),
        reference_kap: crate::xray::dose::reference_level(&case.room.procedure.name())
            .map(|r| (r.label.to_owned(), r.kap_gy_cm2)),
        debrief: case.debrief.clone(),
    }
}

/// Objectives and result so far.
pub(super) fn fill_assessment(view: &mut View, assessment: &Assessment, model: Option<&Model>) {
    let say = |id: &str| {
        let step = model.and_then(|m| m.case.steps.iter().find(|s| s.id == id));
        step.map_or_else(String::new, |s| s.say.clone())
    };
    view.steps = assessment
        .steps
        .iter()
        .map(|s| StepView {
            title: s.title.clone(),
            say: say(&s.id),
            points: s.points,
            done_s: s.done_s,
            open: s.open,
            optional: s.optional,
        })
        .collect();
    view.report = Some(report_view(assessment, model));
}

fn report_view(a: &Assessment, model: Option<&Model>) -> ReportView {
    let par = |name: &str| model.and_then(|m| m.case.score.par.iter().find(|p| p.metric == name));
    let metric = |m: &crate::training::Metric| {
        let value = m.value?;
        let medal = par(&m.name).map_or("", |p| medal(p, value)).to_owned();
        Some(MetricView { name: metric_name(&m.name), value: number(value, &m.unit), medal })
    };
    let mut errors: Vec<ErrorView> = a.errors.iter().map(error_view).collect();
    // The worst first, then by time.
    errors.sort_by(|a, b| b.grade.cmp(&a.grade).then(a.time_s.total_cmp(&b.time_s)));
    ReportView {
        score: a.score.total,
        max: a.score.maximum,
        pass: a.score.pass_mark,
        passed: a.score.passed,
        reasons: a.score.reasons.clone(),
        errors,
        metrics: a.metrics.iter().filter_map(metric).collect(),
        curves: Vec::new(),
        files: Vec::new(),
        recording: None,
    }
}

/// An error as it is shown.
pub(super) fn error_view(e: &ErrorRecord) -> ErrorView {
    let place = if e.place_label.is_empty() { String::new() } else { format!(" ({})", e.place_label) };
    ErrorView {
        time_s: e.time_s,
        grade: e.grade,
        name: e.title.clone(),
        what: format!("{}{place}", e.cause),
        instead: e.instead.clone(),
    }
}

fn medal(par: &Par, value: f64) -> &'static str {
    if value <= par.gold {
        "gold"
    } else if value <= par.silver {
        "silver"
    } else if value <= par.bronze {
        "bronze"
    } else {
        "-"
    }
}

/// Units that end a metric's name, and how they are written.
const UNIT_ENDINGS: [(&str, &str); 10] = [
    ("_gy_cm2", "Gy cm2"),
    ("_mgy", "mGy"),
    ("_ml", "mL"),
    ("_min", "min"),
    ("_mm", "mm"),
    ("_pct", "%"),
    ("_deg", "degrees"),
    ("_s", "s"),
    ("_n", "N"),
    ("_g", "g"),
];

/// Words and unit of a metric's name: `fluoro_time_min` is fluoro time, in min.
fn words_and_unit(name: &str) -> (String, &'static str) {
    let ending = UNIT_ENDINGS.iter().find_map(|(e, unit)| name.strip_suffix(e).map(|stem| (stem, *unit)));
    let (stem, unit) = ending.unwrap_or((name, ""));
    (stem.replace('_', " "), unit)
}

fn metric_name(name: &str) -> String {
    words_and_unit(name).0
}

fn metric_label(name: &str) -> String {
    let (words, unit) = words_and_unit(name);
    if unit.is_empty() { words } else { format!("{words}, {unit}") }
}

/// A number with three significant digits and its unit.
fn number(value: f64, unit: &str) -> String {
    let digits = if value == 0.0 || value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

/// A frame without its pixels: what the texts on the picture need.
pub(super) fn frame_facts(frame: &Frame) -> Frame {
    Frame {
        columns: frame.columns,
        rows: frame.rows,
        gray: Vec::new(),
        kind: frame.kind,
        live: frame.live,
        run: frame.run,
        frame_in_run: frame.frame_in_run,
        pulse: frame.pulse,
        arm: frame.arm,
        roadmap_moved_mm: frame.roadmap_moved_mm,
    }
}

/// The hint of a step that is given now; hints go from general to specific, the last one stays.
pub(super) fn hint(model: &Model, view: &View, given: usize) -> Option<String> {
    let at = view.steps.iter().position(|s| s.open && s.done_s.is_none())?;
    let hints = &model.case.steps.get(at)?.hint;
    hints.get(given.min(hints.len().saturating_sub(1))).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_medals() {
        assert_eq!(metric_label("fluoro_time_min"), "fluoro time, min");
        assert_eq!(metric_name("kap_gy_cm2"), "kap");
        assert_eq!(metric_label("runs"), "runs");
        assert_eq!(number(1234.56, "mL"), "1235 mL");
        assert_eq!(number(12.34, ""), "12.3");
        assert_eq!(number(0.1234, "N"), "0.12 N");
        let par = Par { metric: "m".to_owned(), points: 10.0, gold: 1.0, silver: 2.0, bronze: 3.0 };
        assert_eq!([0.5, 1.5, 2.5, 3.5].map(|v| medal(&par, v)), ["gold", "silver", "bronze", "-"]);
    }

    #[test]
    fn a_faulty_case_is_a_card_that_says_so() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("scenarios")).unwrap();
        std::fs::create_dir_all(root.path().join("assets/devices")).unwrap();
        std::fs::write(root.path().join("scenarios/a.ron"), "Case(").unwrap();
        let cards = cards(root.path(), &BestResults::default());
        assert_eq!(cards.len(), 1);
        assert!(cards[0].fault.is_some() && cards[0].title == "a.ron", "{cards:?}");
    }
}
