//! Tools of the suite that a recording must know: roadmap source, masks of stored runs, stored loops, reference views.

use serde::{Deserialize, Serialize};

use super::{ExposureState, one_of_len, within};
use crate::sim::command::{AcquisitionKind, Command, RoadmapSource};
use crate::sim::event::EventKind;
use crate::xray::CArm;

/// Reference views that can be stored.
pub const REFERENCES: usize = 2;
/// Pulses that a stored loop holds at most, the last ones: 30 s at 7.5/s.
pub const LOOP_PULSES: u32 = 250;
/// Largest pixel shift either way, mm at the detector.
pub const MAX_SHIFT_MM: f64 = 20.0;

/// A run that has ended, or is under way (last).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Number from 1.
    pub number: u32,
    /// Subtracted or not.
    pub kind: AcquisitionKind,
    /// Frames so far.
    pub frames: u32,
    /// Pose at its first frame.
    pub arm: CArm,
    /// Frame rate at its start, 1/s.
    pub frame_rate_per_s: f64,
    /// First and last frame that the mask is averaged from; set by the operator, else the frames before contrast.
    pub mask: Option<[u32; 2]>,
    /// Shift of the mask to the right and up, mm at the detector.
    pub shift_mm: [f64; 2],
}

/// A stored reference view: where the C-arm was and which picture it showed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredView {
    /// Pose.
    pub arm: CArm,
    /// Pulse of the picture, if there was one.
    pub pulse: Option<u64>,
}

/// What the tools are set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// What the roadmap is made from.
    pub roadmap_source: RoadmapSource,
    /// Share of the roadmap in the picture, 0 to 1.
    pub roadmap_opacity: f64,
    /// Counts requests for a new mask: a running subtraction or fluoroscopic roadmap begins anew when it changes.
    pub remasks: u32,
    /// Runs in order.
    pub runs: Vec<RunRecord>,
    /// Pulses of the fluoroscopy under way or last.
    pub loop_pulses: u32,
    /// Pulse at which that fluoroscopy began.
    pub loop_first_pulse: u64,
    /// Stored loops: first and last pulse of each.
    pub loops: Vec<[u64; 2]>,
    /// Reference views.
    pub references: [Option<StoredView>; REFERENCES],
}

impl Default for Suite {
    fn default() -> Self {
        Self {
            roadmap_source: RoadmapSource::LastRun,
            roadmap_opacity: 0.5,
            remasks: 0,
            runs: Vec::new(),
            loop_pulses: 0,
            loop_first_pulse: 0,
            loops: Vec::new(),
            references: [None; REFERENCES],
        }
    }
}

impl Suite {
    /// The stored run of a number.
    pub fn run(&self, number: u32) -> Option<&RunRecord> {
        self.runs.iter().find(|r| r.number == number)
    }

    fn dsa_run_mut(&mut self, number: u32) -> Result<&mut RunRecord, String> {
        let run = self.runs.iter_mut().find(|r| r.number == number);
        let run = run.ok_or_else(|| format!("there is no run {number}"))?;
        match run.kind {
            AcquisitionKind::Dsa => Ok(run),
            AcquisitionKind::Cine => Err(format!("run {number} is cine: it has no mask")),
        }
    }
}

/// Commands of the tools; what is not theirs is passed over.
pub(super) fn apply(
    views: &[crate::scenario::RoomView],
    state: &mut ExposureState,
    command: &Command,
    say: &mut impl FnMut(EventKind),
) -> Result<(), String> {
    let suite = &mut state.suite;
    match command {
        Command::SetRoadmapSource(source) => {
            if let RoadmapSource::Run(number) = source {
                suite.dsa_run_mut(*number)?;
            }
            suite.roadmap_source = *source;
        }
        Command::SetRoadmapOpacity(share) => {
            suite.roadmap_opacity = within("roadmap opacity", "", (0.0, 1.0), *share)?;
        }
        Command::Remask => remask(state)?,
        Command::SetMask { run, first, last } => {
            let record = suite.dsa_run_mut(*run)?;
            if first > last || *last >= record.frames {
                return Err(format!(
                    "mask frames {} to {} are not among the {} frames of run {run}",
                    u64::from(*first) + 1,
                    u64::from(*last) + 1,
                    record.frames
                ));
            }
            record.mask = Some([*first, *last]);
        }
        Command::SetPixelShift { run, right_mm, up_mm } => {
            let range = (-MAX_SHIFT_MM, MAX_SHIFT_MM);
            let shift =
                [within("pixel shift", "mm", range, *right_mm)?, within("pixel shift", "mm", range, *up_mm)?];
            suite.dsa_run_mut(*run)?.shift_mm = shift;
        }
        Command::StoreFluoro => store_loop(suite, say)?,
        Command::StoreReference(slot) => {
            let slot = one_of_len("reference view", REFERENCES, *slot)?;
            let pulse = state.pulses.checked_sub(1);
            state.suite.references[slot] = Some(StoredView { arm: state.arm, pulse });
            say(EventKind::ReferenceStored(slot as u8));
        }
        Command::RecallReference(slot) => {
            let slot = one_of_len("reference view", REFERENCES, *slot)?;
            let view = state.suite.references[slot];
            let view = view.ok_or_else(|| format!("reference view {} is empty", slot + 1))?;
            state.target = CArm { blades: state.arm.blades, wedge: state.arm.wedge, ..view.arm };
            state.arm.field_mm = view.arm.field_mm;
        }
        Command::RecallPreset(number) => {
            let view = &views[one_of_len("view", views.len(), *number)?];
            state.target.primary_deg = view.primary_deg;
            state.target.secondary_deg = view.secondary_deg;
            if let Some((x, y, z)) = view.isocenter_mm {
                state.target.isocenter_mm = crate::math::Vec3::new(x, y, z);
            }
            if let Some(field_cm) = view.field_cm {
                state.arm.field_mm = super::nearest_of(&super::FIELDS_MM, 10.0 * field_cm);
            }
        }
        _ => {}
    }
    Ok(())
}

fn remask(state: &mut ExposureState) -> Result<(), String> {
    let is_dsa = state.run.is_some() && state.acquisition == AcquisitionKind::Dsa;
    if let Some(record) = state.suite.runs.last_mut().filter(|_| is_dsa) {
        record.mask = Some([record.frames, record.frames]);
    } else if state.suite.roadmap_source != RoadmapSource::Fluoro {
        return Err("remask needs a subtracted run under way or a fluoroscopic roadmap".to_owned());
    }
    state.suite.remasks += 1;
    Ok(())
}

fn store_loop(suite: &mut Suite, say: &mut impl FnMut(EventKind)) -> Result<(), String> {
    if suite.loop_pulses == 0 {
        return Err("there is no fluoroscopy to store yet".to_owned());
    }
    let last = suite.loop_first_pulse + u64::from(suite.loop_pulses) - 1;
    let first = suite.loop_first_pulse.max((last + 1).saturating_sub(u64::from(LOOP_PULSES)));
    if suite.loops.last().is_some_and(|l| l[1] == last) {
        return Err("this fluoroscopy is stored already".to_owned());
    }
    suite.loops.push([first, last]);
    say(EventKind::FluoroStored { number: suite.loops.len() as u32, first, last });
    Ok(())
}

/// Books a pulse of fluoroscopy (`run` is none) or of a run.
pub(super) fn book_pulse(suite: &mut Suite, pulse: u64, in_run: bool, is_first: bool, arm: &CArm) {
    if in_run {
        if let Some(record) = suite.runs.last_mut() {
            if record.frames == 0 {
                record.arm = *arm;
            }
            record.frames += 1;
        }
        return;
    }
    if is_first {
        suite.loop_first_pulse = pulse;
        suite.loop_pulses = 0;
    }
    suite.loop_pulses += 1;
}
