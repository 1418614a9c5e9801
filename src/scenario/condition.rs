//! What the program can check of an attempt: the words that steps, traps and events of a case are written in.

use serde::{Deserialize, Serialize};

/// Something the program can check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Condition {
    /// An acquisition run with contrast given at a vessel (the injecting tip lies in it or upstream within 30 mm).
    Run {
        /// Vessel.
        at: String,
        /// Least contrast in the run, mL.
        min_ml: f64,
    },
    /// The tip of a device lies in a vessel or beyond.
    Tip {
        /// Device id or kind word: `wire`, `catheter`, `microcatheter`.
        of: String,
        /// Vessel.
        within: String,
    },
    /// Flow in a vessel has fallen: heart beats that a contrast column needs to clear.
    Stasis {
        /// Vessel.
        vessel: String,
        /// At least this many beats.
        beats_to_clear: f64,
    },
    /// Bleeding has fallen below a rate.
    BleedBelow {
        /// Id of the lesion.
        bleed: String,
        /// mL/min.
        flow_ml_per_min: f64,
    },
    /// An acquisition run with contrast, after `after` is done, at a vessel.
    FinalRun {
        /// Vessel.
        at: String,
        /// Least contrast, mL.
        min_ml: f64,
        /// Step that must be done before the run begins.
        after: String,
    },
    /// Particles lodged in beds fed by this vessel, share of the dose that left the catheter, above a limit.
    ParticlesIn {
        /// Vessel.
        vessel: String,
        /// Share, percent.
        over_pct: f64,
    },
    /// A device tip is in a vessel for longer than a time.
    TipDwell {
        /// Device id or kind word.
        of: String,
        /// Vessel.
        within: String,
        /// Seconds.
        over_s: f64,
    },
    /// Contact force of a tip above a limit for a time.
    TipForce {
        /// Newton.
        over_n: f64,
        /// Seconds.
        for_s: f64,
    },
    /// The tip of a device lies in this vessel itself, not beyond it.
    TipIn {
        /// Device id or kind word.
        of: String,
        /// Vessel.
        vessel: String,
    },
    /// The tip of a device lies deep in a vessel: behind the wall of its parent, or in a vessel beyond.
    TipDeep {
        /// Device id or kind word.
        of: String,
        /// Vessel.
        within: String,
        /// More than this behind the wall of the parent, mm.
        over_mm: f64,
    },
    /// The tip of a device has moved away from where it was when one step was done, and before another is done.
    TipMoved {
        /// Device id or kind word.
        of: String,
        /// Farther than this, mm.
        over_mm: f64,
        /// Step that fixes the place.
        after: String,
        /// Step that ends the watch.
        until: String,
    },
    /// More of a device is in than its tip is away along the vessels: it lies in a loop or is folded back.
    Loop {
        /// Device id or kind word.
        of: String,
        /// More than this, mm.
        over_mm: f64,
    },
    /// Coils and plugs lie in a vessel.
    CoilsIn {
        /// Vessel itself, not beyond it.
        vessel: String,
        /// More than this length of them, mm.
        over_mm: f64,
    },
    /// Mean flow in a vessel has fallen below a share of that of the first minute.
    FlowBelow {
        /// Vessel.
        vessel: String,
        /// Share, percent.
        under_pct: f64,
    },
    /// So many of these vessels are closed: less than a tenth of the flow of the first minute.
    Closed {
        /// Vessels.
        vessels: Vec<String>,
        /// At least this many.
        at_least: u32,
    },
    /// Share of an organ's tissue that has lost its blood.
    Infarct {
        /// Bed or organ: `bed.spleen`.
        organ: String,
        /// More than this, percent.
        over_pct: f64,
        /// At most this, percent.
        #[serde(default = "super::types::defaults::whole_pct")]
        up_to_pct: f64,
    },
    /// The narrowing of a vessel is opened, and no balloon is up.
    Residual {
        /// Vessel.
        vessel: String,
        /// Less than this diameter reduction is left, percent.
        under_pct: f64,
    },
    /// The mean pressure falls by little across the narrowing of a vessel.
    GradientBelow {
        /// Vessel.
        vessel: String,
        /// mmHg.
        under_mmhg: f64,
    },
    /// Stents reach beyond both ends of the narrowing of a vessel.
    StentMargin {
        /// Vessel.
        vessel: String,
        /// By this much at least, mm.
        at_least_mm: f64,
    },
    /// A stent of a vessel stands out of its mouth into the parent.
    StentAtMouth {
        /// Vessel.
        vessel: String,
        /// By this much at least, mm; negative: it may begin behind the mouth.
        at_least_mm: f64,
        /// By this much at most, mm.
        at_most_mm: f64,
    },
    /// An open embolic filter stands in a vessel, or beyond it.
    FilterOpen {
        /// Vessel.
        vessel: String,
        /// At least this far from its origin, mm.
        over_mm: f64,
    },
    /// A balloon was inflated to more than the healthy size of its vessel.
    Oversized {
        /// More than this share of it, percent.
        over_pct: f64,
    },
    /// Embolic has flowed back into a vessel, or into one that it feeds, from a branch of it.
    EmbolicReflux {
        /// Vessel.
        into: String,
    },
    /// The kerma-area product has passed a limit.
    DoseOver {
        /// Gy cm2.
        kap_gy_cm2: f64,
    },
    /// A step is done.
    StepDone(String),
    /// Time since the start, s.
    After {
        /// Seconds.
        s: f64,
    },
    /// All of these.
    All(Vec<Self>),
    /// Any of these.
    Any(Vec<Self>),
}
