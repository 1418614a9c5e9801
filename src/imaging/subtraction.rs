//! Subtraction angiography: mask, log subtraction, peak opacification for the roadmap.

use rayon::prelude::*;

use super::fast::{self, larger, smaller};
use super::scene::pose_of;
use crate::xray::CArm;

/// Frames averaged into the mask at most.
const MASK_FRAMES: u32 = 4;
/// Iodine on some ray that ends the mask, mg/cm2.
const CONTRAST_SEEN_MG_PER_CM2: f32 = 1.0;

/// Pixels that a thread takes at a time.
const CHUNK: usize = 4096;

/// A run being subtracted.
pub(super) struct DsaRun {
    pub(super) number: u32,
    /// Request for a new mask that this one answers.
    pub(super) remasks: u32,
    pose: CArm,
    mask_kev: Vec<f32>,
    mask_frames: u32,
    mask_open: bool,
    /// ln of the mask.
    pub(super) mask_log: Vec<f32>,
    /// Time-smoothed difference and its maximum so far.
    smoothed: Vec<f32>,
    peak: Vec<f32>,
}

impl DsaRun {
    /// A run begins; its first frame is the mask.
    pub(super) fn start(number: u32, remasks: u32, arm: &CArm, linear_kev: &[f32]) -> Self {
        let n = linear_kev.len();
        Self {
            number,
            remasks,
            pose: pose_of(arm),
            mask_kev: linear_kev.to_vec(),
            mask_frames: 1,
            mask_open: true,
            mask_log: linear_kev.iter().map(|v| fast::ln(*v)).collect(),
            smoothed: vec![0.0; n],
            peak: vec![0.0; n],
        }
    }

    /// ln mask - ln live: contrast is positive. The mask grows by frames without contrast, until contrast is seen.
    pub(super) fn subtract(
        &mut self,
        log: &[f32],
        linear_kev: &[f32],
        iodine_mg_per_cm2: &[f32],
    ) -> Vec<f32> {
        let mut difference = vec![0.0_f32; log.len()];
        let rows = self.smoothed.par_chunks_mut(CHUNK).zip(self.peak.par_chunks_mut(CHUNK));
        let logs = self.mask_log.par_chunks(CHUNK).zip(log.par_chunks(CHUNK));
        difference.par_chunks_mut(CHUNK).zip(rows).zip(logs).for_each(
            |((difference, (smoothed, peak)), (mask, log))| {
                let memories = smoothed.iter_mut().zip(peak);
                for ((d, (s, p)), (m, l)) in difference.iter_mut().zip(memories).zip(mask.iter().zip(log)) {
                    *d = m - l;
                    *s += 0.5 * (*d - *s);
                    *p = larger(*p, *s);
                }
            },
        );
        if self.mask_open && iodine_mg_per_cm2.iter().any(|i| *i > CONTRAST_SEEN_MG_PER_CM2) {
            self.mask_open = false;
        }
        if self.mask_open && self.mask_frames < MASK_FRAMES {
            self.mask_frames += 1;
            let share = 1.0 / self.mask_frames as f32;
            for ((kev, new), mask_log) in self.mask_kev.iter_mut().zip(linear_kev).zip(&mut self.mask_log) {
                *kev += (new - *kev) * share;
                *mask_log = fast::ln(*kev);
            }
        }
        difference
    }

    /// The roadmap of this run.
    pub(super) fn roadmap(&self) -> Roadmap {
        // What noise alone peaks at is no vessel.
        let cover = self.peak.iter().map(|p| ((p - 0.06) / 0.4).clamp(0.0, 1.0)).collect();
        Roadmap { pose: self.pose, cover }
    }
}

/// Vessels of the last run.
pub(super) struct Roadmap {
    pose: CArm,
    /// How much vessel, 0 to 1.
    pub(super) cover: Vec<f32>,
}

impl Roadmap {
    /// How far isocenter or focal spot moved since, mm; `None` when the roadmap fits. A change of field or SID counts as its own length.
    pub(super) fn moved_mm(&self, arm: &CArm) -> Option<f64> {
        moved_mm(&self.pose, arm)
    }
}

fn moved_mm(pose: &CArm, arm: &CArm) -> Option<f64> {
    let (was, is) = (pose.projection(2), arm.projection(2));
    let moved = (pose.isocenter_mm - arm.isocenter_mm)
        .norm()
        .max((was.source_mm - is.source_mm).norm())
        .max((pose.sid_mm - arm.sid_mm).abs())
        .max((pose.field_mm - arm.field_mm).abs());
    (moved > 0.5).then_some(moved)
}

/// Fluoroscopic roadmap: the darkest of each pixel over one fluoroscopy with contrast is the mask of those that follow.
pub(super) struct FluoroRoadmap {
    /// Request for a new mask that this one answers.
    pub(super) remasks: u32,
    pose: CArm,
    /// First pulse of the fluoroscopy that made the mask.
    made_in: u64,
    darkest_log: Vec<f32>,
}

impl FluoroRoadmap {
    pub(super) fn start(remasks: u32, made_in: u64, arm: &CArm, log: &[f32]) -> Self {
        Self { remasks, pose: pose_of(arm), made_in, darkest_log: log.to_vec() }
    }

    /// During the fluoroscopy of the mask: adds a picture. Later: mask - live, devices positive, vessels negative.
    pub(super) fn follow(&mut self, fluoroscopy: u64, log: &[f32]) -> Option<Vec<f32>> {
        if fluoroscopy == self.made_in {
            self.darkest_log.iter_mut().zip(log).for_each(|(d, l)| *d = smaller(*d, *l));
            return None;
        }
        Some(self.darkest_log.iter().zip(log).map(|(m, l)| m - l).collect())
    }

    pub(super) fn moved_mm(&self, arm: &CArm) -> Option<f64> {
        moved_mm(&self.pose, arm)
    }
}
