//! Objectives, errors, metrics, score and report, from snapshots and events alone.
//!
//! [`Observer`] sees every tick once. What it says ([`Assessment`]) is a pure function of what it has seen, so a
//! replay gives the same bits. Errors are one table ([`errors::ERRORS`]), metrics another ([`metrics::METRICS`]).

mod assessment;
mod condition;
mod detect;
mod detect_dilation;
mod detect_implants;
mod dilation_tally;
pub mod dose;
pub mod errors;
mod facts;
pub mod metrics;
mod observer;
mod report;
mod score;
mod smoothness;
mod telemetry;

pub use assessment::{
    Assessment, BedShare, ErrorRecord, KeyMoment, Metric, MomentKind, PointLine, ScoreBreakdown, StepResult,
    TrapResult, VesselVisit,
};
pub use metrics::METRIC_NAMES;
pub use observer::Observer;
pub use report::{ReportImage, ReportInput, ReportMeta, report_html, report_json, skin_image};
pub use smoothness::spectral_arc_length;
pub use telemetry::{Sample, ToolSample, telemetry_csv};
