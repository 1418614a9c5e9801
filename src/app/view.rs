//! What the panels read: plain copies of the latest state of session, picture and desk.

use std::collections::VecDeque;

use bevy_egui::egui;

use super::bridge::ReplayState;
use super::keys::KeyTable;
use super::review::ReviewView;
use super::shelf::GrayPicture;
use crate::device::DeviceKind;
use crate::imaging::{ColorPicture, Frame};
use crate::scenario::{Grade, Level};
use crate::sim::{Snapshot, ToolId};

/// Which page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// The cases as cards.
    #[default]
    Menu,
    /// A case is being read and built.
    Loading,
    /// What the trainee reads first.
    Briefing,
    /// At the table.
    Procedure,
    /// The procedure stands still.
    Paused,
    /// What went well and what went wrong.
    Report,
    /// Finished runs, to be played again.
    Recordings,
    /// A recording is played.
    Replay,
}

/// Everything that a panel may read.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Page.
    pub screen: Screen,
    /// Latest state of the simulation.
    pub snapshot: Snapshot,
    /// The case being played.
    pub case: CaseView,
    /// Facts about the tray's devices, in [`ToolId`] order.
    pub tools: Vec<ToolView>,
    /// Embolics of the tray: id, label.
    pub embolics: Vec<(String, String)>,
    /// Labels of the vessels, by index.
    pub vessel_labels: Vec<String>,
    /// Objectives.
    pub steps: Vec<StepView>,
    /// Hint shown last.
    pub hint: String,
    /// What happened, oldest first.
    pub log: Vec<LogLine>,
    /// Last seconds of the curves.
    pub trace: Trace,
    /// Which tool each hand holds.
    pub hands: Hands,
    /// Simulated seconds per real second, measured; 1 when the machine keeps up.
    pub time_factor: f64,
    /// Live monitor.
    pub live: Picture,
    /// What the live picture shows, without its pixels.
    pub frame: Option<Frame>,
    /// Reference monitor.
    pub reference: Picture,
    /// What the reference monitor shows, in words.
    pub reference_title: String,
    /// See-through patient, if it is on.
    pub truth: Option<Picture>,
    /// Times the see-through patient was opened.
    pub truth_uses: u32,
    /// Seconds until a latched pedal lets go, if one is latched.
    pub latch_left_s: Option<f64>,
    /// Cases for the menu.
    pub cards: Vec<CaseCard>,
    /// A recording left by a crash: what it is, in words.
    pub resume: Option<String>,
    /// The last thing that went wrong outside the simulation, in words.
    pub problem: Option<String>,
    /// Result of the run.
    pub report: Option<ReportView>,
    /// Keys.
    pub keys: KeyTable,
    /// The key list is open.
    pub keys_open: bool,
    /// A key is being chosen for this action.
    pub rebinding: Option<super::keys::KeyAction>,
    /// A script plays: its words for the present step.
    pub demo: Option<String>,
    /// Finished runs, the newest first.
    pub recordings: Vec<RecordingCard>,
    /// A recording is played.
    pub replay: Option<ReplayView>,
    /// Stored runs are reviewed.
    pub review: Option<ReviewView>,
    /// The dose on the skin is wanted.
    pub skin_open: bool,
    /// The dose on the skin, once it is drawn.
    pub skin: Option<SkinView>,
    /// Files of a finished run are being written.
    pub exporting: bool,
}

/// Dose on the patient's skin.
#[derive(Clone, Debug, PartialEq)]
pub struct SkinView {
    /// From behind and from the front.
    pub picture: std::sync::Arc<ColorPicture>,
    /// Peak when it was drawn, mGy.
    pub peak_mgy: f64,
    /// Top of the color scale, mGy.
    pub top_mgy: f64,
    /// Counts pictures.
    pub version: u64,
}

/// A finished run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordingCard {
    /// Recording.
    pub path: std::path::PathBuf,
    /// Title of the case.
    pub title: String,
    /// Name of its folder.
    pub run: String,
    /// When it ended.
    pub date: String,
    /// How long it took, simulated seconds, if there is a report.
    pub seconds: Option<f64>,
    /// Points and the most that could be had, if there is a report.
    pub score: Option<(f64, f64)>,
    /// Passed.
    pub passed: bool,
    /// Errors of the report.
    pub errors: usize,
}

/// A recording that is played.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayView {
    /// Where it is.
    pub state: ReplayState,
    /// Errors of its report, in order of time.
    pub errors: Vec<ErrorView>,
}

/// The case being played, as the trainee sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseView {
    /// Title.
    pub title: String,
    /// Age, sex, weight.
    pub patient: String,
    /// Story.
    pub story: String,
    /// Task.
    pub task: String,
    /// Why the procedure exists.
    pub why: String,
    /// Source of that.
    pub why_source: String,
    /// Planned minutes.
    pub minutes: f64,
    /// Points to pass.
    pub pass: f64,
    /// Par values: metric, gold, silver, bronze.
    pub par: Vec<(String, f64, f64, f64)>,
    /// Contrast at hand, mL.
    pub contrast_ml: f64,
    /// Air kerma of the alert, mGy.
    pub dose_alert_mgy: f64,
    /// There is an injector.
    pub has_injector: bool,
    /// Names of the case's views.
    pub views: Vec<String>,
    /// Procedure with a reference level: name, kerma-area product in Gy cm2.
    pub reference_kap: Option<(String, f64)>,
    /// Questions for the debriefing.
    pub debrief: Vec<String>,
}

/// A card of the menu.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseCard {
    /// File.
    pub path: std::path::PathBuf,
    /// Title.
    pub title: String,
    /// Difficulty.
    pub level: Level,
    /// Planned minutes.
    pub minutes: f64,
    /// Task, first words.
    pub task: String,
    /// Best result so far, points out of the most that can be had.
    pub best: Option<(f64, f64)>,
    /// An expert script for a demonstration exists.
    pub has_demo: bool,
    /// Why the file cannot be played, if it cannot.
    pub fault: Option<String>,
    /// Heading of the syllabus.
    pub heading: Option<String>,
    /// X-ray picture of the case, if there is one.
    pub xray: Option<GrayPicture>,
    /// The same as a texture.
    pub picture: Picture,
}

/// A device of the tray.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolView {
    /// What the nurse calls it.
    pub label: String,
    /// Kind.
    pub kind: DeviceKind,
    /// Length, mm.
    pub length_mm: f64,
    /// Outer diameter, mm.
    pub outer_mm: f64,
    /// Has a lumen.
    pub has_lumen: bool,
    /// Length of the implant that is joined to it until it is detached, mm.
    pub detachable_mm: Option<f64>,
    /// Its balloon.
    pub balloon: Option<BalloonTool>,
    /// It carries a stent that opens when its sheath is withdrawn.
    pub has_sheathed_stent: bool,
    /// It carries an embolic filter.
    pub has_filter: bool,
}

/// What the hand at an inflator knows of a balloon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BalloonTool {
    /// Nominal pressure, atm.
    pub nominal_atm: f64,
    /// Rated burst pressure, atm.
    pub rated_atm: f64,
}

/// An objective.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepView {
    /// Title.
    pub title: String,
    /// What the consultant says.
    pub say: String,
    /// Points.
    pub points: f64,
    /// Done at this time, s.
    pub done_s: Option<f64>,
    /// All steps before it are done.
    pub open: bool,
    /// Not needed to pass.
    pub optional: bool,
}

/// How a log line is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogKind {
    /// For the record.
    #[default]
    Plain,
    /// Somebody says something.
    Said,
    /// Refused, or a warning.
    Warning,
    /// Harm.
    Alarm,
}

/// A line of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogLine {
    /// When, s.
    pub time_s: f64,
    /// What.
    pub text: String,
    /// How it is meant.
    pub kind: LogKind,
}

/// Which tool each hand holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hands {
    /// Right hand.
    pub right: Option<ToolId>,
    /// Left hand.
    pub left: Option<ToolId>,
}

impl Hands {
    /// Lets go of tools that are no longer loaded and takes the innermost two when a hand is empty.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        let loaded: Vec<ToolId> =
            snapshot.rods.iter().flat_map(|r| r.devices.iter().map(|d| d.tool)).collect();
        self.right = self.right.filter(|t| loaded.contains(t));
        self.left = self.left.filter(|t| loaded.contains(t));
        for tool in loaded.iter().rev() {
            if self.right.is_none() && self.left != Some(*tool) {
                self.right = Some(*tool);
            } else if self.left.is_none() && self.right != Some(*tool) {
                self.left = Some(*tool);
            }
        }
    }

    /// Puts a tool into the right hand; if the left had it, the left takes the right's.
    pub fn take_right(&mut self, tool: ToolId) {
        if self.left == Some(tool) {
            self.left = self.right;
        }
        self.right = Some(tool);
    }

    /// Puts a tool into the left hand; if the right had it, the right takes the left's.
    pub fn take_left(&mut self, tool: ToolId) {
        if self.right == Some(tool) {
            self.right = self.left;
        }
        self.left = Some(tool);
    }
}

/// An image that egui can draw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Picture {
    /// Texture; `None` before the first picture.
    pub texture: Option<egui::TextureId>,
}

/// Seconds of the curves that the monitor shows.
pub const TRACE_S: f64 = 6.0;

/// One sample of the curves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TraceSample {
    /// Time, s.
    pub time_s: f64,
    /// ECG, mV.
    pub ecg_mv: f32,
    /// Arterial pressure, mmHg.
    pub pressure_mmhg: f32,
    /// Pulse wave of the saturation probe, 0 to 1.
    pub pleth: f32,
    /// Pressure at the tip of the connected lumen, mmHg.
    pub tip_mmhg: Option<f32>,
}

/// The last seconds of the curves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Oldest first.
    pub samples: VecDeque<TraceSample>,
}

impl Trace {
    /// Adds a sample and drops what is too old. A jump in time (skipped or going back) begins anew.
    pub fn push(&mut self, sample: TraceSample) {
        if self.samples.back().is_some_and(|b| sample.time_s <= b.time_s || sample.time_s > b.time_s + 1.0) {
            self.samples.clear();
        }
        self.samples.push_back(sample);
        while self.samples.front().is_some_and(|f| f.time_s < sample.time_s - TRACE_S) {
            self.samples.pop_front();
        }
    }
}

/// One error of the report.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorView {
    /// When, s.
    pub time_s: f64,
    /// How bad.
    pub grade: Grade,
    /// Name.
    pub name: String,
    /// What happened.
    pub what: String,
    /// What to do instead.
    pub instead: String,
}

/// One metric of the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricView {
    /// Name.
    pub name: String,
    /// Value with its unit.
    pub value: String,
    /// Gold, silver, bronze or nothing, in words.
    pub medal: String,
}

/// A moment of the curves of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CurveSample {
    /// Time, s.
    pub time_s: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Contrast given so far, mL.
    pub contrast_ml: f64,
    /// Largest axial force at a hub, N.
    pub hub_force_n: f64,
    /// Mean aortic pressure, mmHg.
    pub mean_mmhg: f64,
}

/// Result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportView {
    /// Points.
    pub score: f64,
    /// The most that can be had.
    pub max: f64,
    /// Needed to pass.
    pub pass: f64,
    /// Passed.
    pub passed: bool,
    /// Why not passed.
    pub reasons: Vec<String>,
    /// Errors, the worst first.
    pub errors: Vec<ErrorView>,
    /// Metrics.
    pub metrics: Vec<MetricView>,
    /// Curves over the time of the run.
    pub curves: Vec<CurveSample>,
    /// Files written.
    pub files: Vec<String>,
    /// The recording among them.
    pub recording: Option<std::path::PathBuf>,
}

impl View {
    /// A warning of the desk, in the log.
    pub fn say_warning(&mut self, text: &str) {
        let time_s = self.snapshot.time_s;
        self.log.push(LogLine { time_s, text: text.to_owned(), kind: LogKind::Warning });
    }

    /// Label of a tool, or its number if the tray does not know it.
    pub fn tool_label(&self, tool: ToolId) -> String {
        let known = self.tools.get(tool.idx()).map(|t| t.label.clone());
        let told = self.snapshot.tools.get(tool.idx()).map(|t| t.label.clone()).filter(|l| !l.is_empty());
        known.or(told).unwrap_or_else(|| format!("#{}", tool.0))
    }

    /// Kind of a tool, if the tray knows it.
    pub fn tool_kind(&self, tool: ToolId) -> Option<DeviceKind> {
        self.tools.get(tool.idx()).map(|t| t.kind)
    }

    /// Label of a vessel, empty if unknown.
    pub fn vessel_label(&self, vessel: crate::anatomy::VesselId) -> &str {
        self.vessel_labels.get(vessel.idx()).map_or("", String::as_str)
    }

    /// The syringe holds an embolic of the tray.
    pub fn syringe_is_embolic(&self) -> bool {
        let syringe = &self.snapshot.injection.syringe;
        self.embolics.iter().any(|(id, label)| id == syringe || label == syringe)
    }

    /// Devices in the patient, outermost first, over all accesses.
    pub fn devices(&self) -> impl DoubleEndedIterator<Item = &crate::sim::snapshot::RodDeviceView> {
        self.snapshot.rods.iter().flat_map(|r| r.devices.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::snapshot::{RodDeviceView, RodView};

    #[test]
    fn hands_take_the_innermost_two_and_swap_without_losing_a_tool() {
        let device = |n| RodDeviceView { tool: ToolId(n), ..RodDeviceView::default() };
        let rod = RodView { devices: vec![device(4), device(2), device(7)], ..RodView::default() };
        let snapshot = Snapshot { rods: vec![rod], ..Snapshot::default() };
        let mut hands = Hands::default();
        hands.follow(&snapshot);
        assert_eq!((hands.right, hands.left), (Some(ToolId(7)), Some(ToolId(2))));
        hands.take_right(ToolId(2));
        assert_eq!((hands.right, hands.left), (Some(ToolId(2)), Some(ToolId(7))));
        hands.follow(&Snapshot::default());
        assert_eq!(hands, Hands::default());
    }

    #[test]
    fn the_trace_keeps_six_seconds_and_restarts_after_a_jump() {
        let mut trace = Trace::default();
        for i in 0..1000 {
            trace.push(TraceSample { time_s: f64::from(i) / 60.0, ..TraceSample::default() });
        }
        assert!((355..=362).contains(&trace.samples.len()), "{}", trace.samples.len());
        trace.push(TraceSample { time_s: 900.0, ..TraceSample::default() });
        assert_eq!(trace.samples.len(), 1);
    }
}
