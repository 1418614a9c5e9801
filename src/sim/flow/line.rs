//! Pressure lines: what a transducer at the hub of a lumen shows of the pressure at its tip.

use serde::{Deserialize, Serialize};

use crate::math::hash::StateHasher;
use crate::sim::command::ToolId;
use crate::sim::snapshot::PressureLineView;

/// Compliance of transducer, tubing and small bubbles, mL/mmHg `[K]`.
const COMPLIANCE_ML_PER_MMHG: f64 = 2.0e-5;
/// Resistance of a tip that lies against the wall it wedges in, over that of the lumen `[K]`.
const WEDGED_RESISTANCE: f64 = 4.0;
/// Time constant from which a line counts as damped, s: pulse pressure is then visibly flattened.
const DAMPED_S: f64 = 0.05;
/// Slowest line, s: a closed lumen holds its last pressure for long.
const SLOWEST_S: f64 = 600.0;
/// Time constant of each of the two stages that average over beats, s.
const MEAN_STAGE_S: f64 = 0.7;

/// A lumen as the line sees it in a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineInput {
    /// Device.
    pub tool: ToolId,
    /// Pressure in the vessel at its tip, mmHg; none while it is outside.
    pub tip_mmhg: Option<f64>,
    /// Resistance of the lumen filled with saline, mmHg s/mL.
    pub resistance_mmhg_s_per_ml: f64,
    /// It fills the vessel at its tip.
    pub wedged: bool,
    /// Share of the bore that a clot fills.
    pub clot_share: f64,
    /// Something is injected through it: the stopcock is turned away.
    pub injecting: bool,
}

/// One line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    tool: ToolId,
    now_mmhg: f64,
    mean_mmhg: [f64; 2],
    time_constant_s: f64,
    running_mmhg: (f64, f64),
    beat_mmhg: (f64, f64),
}

/// All lines; everything needed to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureLines {
    lines: Vec<Line>,
}

impl PressureLines {
    /// Follows the lumens by `dt_s`.
    ///
    /// First-order line: `tau dP/dt = Ptip - P` with `tau = R C`, `R` the Poiseuille resistance of the lumen (over
    /// `(1 - clot)^4`, more when wedged) and `C` the compliance of the transducer (after Gardner 1981, overdamped limit;
    /// resonance and the height of the transducer are left out). A new beat closes systolic and diastolic values.
    pub fn advance(&mut self, inputs: &[LineInput], is_new_beat: bool, dt_s: f64) {
        self.lines.retain(|l| inputs.iter().any(|i| i.tool == l.tool && i.tip_mmhg.is_some()));
        for input in inputs {
            let Some(tip) = input.tip_mmhg else { continue };
            let at = self.lines.iter().position(|l| l.tool == input.tool).unwrap_or_else(|| {
                self.lines.push(Line {
                    tool: input.tool,
                    now_mmhg: tip,
                    mean_mmhg: [tip; 2],
                    running_mmhg: (tip, tip),
                    beat_mmhg: (tip, tip),
                    ..Line::default()
                });
                self.lines.len() - 1
            });
            let line = &mut self.lines[at];
            let open = (1.0 - input.clot_share).max(1e-3).powi(4);
            let wedge = if input.wedged { WEDGED_RESISTANCE } else { 1.0 };
            let tau = input.resistance_mmhg_s_per_ml * wedge / open * COMPLIANCE_ML_PER_MMHG;
            line.time_constant_s = tau.clamp(1e-4, SLOWEST_S);
            if !input.injecting {
                line.now_mmhg -= (-dt_s / line.time_constant_s).exp_m1() * (tip - line.now_mmhg);
            }
            let a = dt_s / MEAN_STAGE_S;
            line.mean_mmhg[0] += a * (line.now_mmhg - line.mean_mmhg[0]);
            line.mean_mmhg[1] += a * (line.mean_mmhg[0] - line.mean_mmhg[1]);
            if is_new_beat {
                line.beat_mmhg = line.running_mmhg;
                line.running_mmhg = (line.now_mmhg, line.now_mmhg);
            }
            line.running_mmhg.0 = line.running_mmhg.0.max(line.now_mmhg);
            line.running_mmhg.1 = line.running_mmhg.1.min(line.now_mmhg);
        }
    }

    /// Views for snapshots, in the order in which the devices came in.
    pub fn view(&self) -> Vec<PressureLineView> {
        let view = |l: &Line| PressureLineView {
            tool: l.tool,
            pressure_mmhg: l.now_mmhg,
            systolic_mmhg: l.beat_mmhg.0,
            diastolic_mmhg: l.beat_mmhg.1,
            mean_mmhg: l.mean_mmhg[1],
            damped: l.time_constant_s > DAMPED_S,
        };
        self.lines.iter().map(view).collect()
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}
