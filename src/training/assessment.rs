//! What an attempt amounts to: plain data for report, panels and files.

use serde::{Deserialize, Serialize};

use super::dose::DoseReport;
use crate::anatomy::VesselPlace;
use crate::math::Vec3;
use crate::scenario::Grade;

/// Everything said about one attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Id of the case.
    pub case: String,
    /// Title of the case.
    pub title: String,
    /// Tick of the last observation.
    pub tick: u64,
    /// Time of the last observation, s.
    pub time_s: f64,
    /// The operator declared the procedure finished.
    pub finished: bool,
    /// Objectives in the order of the case.
    pub steps: Vec<StepResult>,
    /// Traps of the case in its order.
    pub traps: Vec<TrapResult>,
    /// Errors in order of time.
    pub errors: Vec<ErrorRecord>,
    /// Metrics in the order of [`crate::training::metrics::METRICS`].
    pub metrics: Vec<Metric>,
    /// Score, every term of it.
    pub score: ScoreBreakdown,
    /// Moments worth a look in the replay, in order of time.
    pub moments: Vec<KeyMoment>,
    /// Vessels visited by a tip, in tree order.
    pub visits: Vec<VesselVisit>,
    /// Where embolic lodged, beds in network order.
    pub embolic: Vec<BedShare>,
    /// Hints asked for.
    pub hints_used: u32,
    /// Dose.
    pub dose: DoseReport,
}

impl Assessment {
    /// Value of a metric by name; `None` when unknown or not measured.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|m| m.name == name).and_then(|m| m.value)
    }
}

/// An objective and whether it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// Id in the case file.
    pub id: String,
    /// Title.
    pub title: String,
    /// Points it is worth.
    pub points: f64,
    /// Not needed to pass.
    pub optional: bool,
    /// Its `after` steps are done, so it counts now.
    pub open: bool,
    /// When it was done, s.
    pub done_s: Option<f64>,
    /// Tick at which it was done.
    pub done_tick: Option<u64>,
}

/// A trap of the case and whether it was sprung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrapResult {
    /// Id in the case file.
    pub id: String,
    /// How bad.
    pub grade: Grade,
    /// The case cannot be passed after it.
    pub fails: bool,
    /// When it happened, s.
    pub time_s: Option<f64>,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// Name in the table, or the trap's id.
    pub name: String,
    /// Title in words.
    pub title: String,
    /// How bad.
    pub grade: Grade,
    /// Points lost.
    pub points: f64,
    /// When, s.
    pub time_s: f64,
    /// Tick: the link into the replay.
    pub tick: u64,
    /// Where on the tree.
    pub place: Option<VesselPlace>,
    /// Where in words.
    pub place_label: String,
    /// Where in the patient, mm.
    pub position_mm: Option<Vec3>,
    /// What happened, with numbers.
    pub cause: String,
    /// What to do instead.
    pub instead: String,
}

/// One measured number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name, as case files use it.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// How it is computed.
    pub formula: String,
    /// Value; `None` when it could not be measured (target never reached).
    pub value: Option<f64>,
}

/// One term of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointLine {
    /// What for.
    pub label: String,
    /// Points, negative when lost.
    pub points: f64,
    /// How they come about.
    pub why: String,
}

/// The score: steps + par - errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreBreakdown {
    /// The formula in words.
    pub formula: String,
    /// Points of steps done.
    pub steps: Vec<PointLine>,
    /// Points of par values.
    pub par: Vec<PointLine>,
    /// Points lost.
    pub errors: Vec<PointLine>,
    /// Sum of all lines.
    pub total: f64,
    /// Largest sum that can be had.
    pub maximum: f64,
    /// Needed to pass.
    pub pass_mark: f64,
    /// Total at or above the mark, required steps done, no failing trap sprung.
    pub passed: bool,
    /// Why not passed; empty when passed.
    pub reasons: Vec<String>,
}

/// Kinds of moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MomentKind {
    /// An objective was done.
    Step,
    /// An error.
    Error,
    /// An acquisition run.
    Run,
    /// A device entered or left.
    Device,
    /// Treatment began or took effect.
    Treatment,
    /// The patient.
    Patient,
}

/// A moment worth a look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyMoment {
    /// Tick.
    pub tick: u64,
    /// Time, s.
    pub time_s: f64,
    /// Kind.
    pub kind: MomentKind,
    /// In words.
    pub label: String,
}

/// Time spent in a vessel by the most distal tip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VesselVisit {
    /// Dotted name.
    pub vessel: String,
    /// English label.
    pub label: String,
    /// Index in the tree.
    pub index: u32,
    /// Times entered.
    pub entries: u32,
    /// Seconds in it.
    pub seconds: f64,
    /// On the way from access to target, or beyond the target.
    pub on_route: bool,
}

/// Embolic that lodged in a bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BedShare {
    /// Name of the bed.
    pub bed: String,
    /// Fed by a target vessel.
    pub target: bool,
    /// Particles.
    pub particles: f64,
    /// Share of all lodged particles, percent.
    pub share_pct: f64,
    /// Share of the bed's conductance that is blocked, percent.
    pub occluded_pct: f64,
}
