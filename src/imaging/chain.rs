//! From a snapshot to the detector's output: what lies in the beam, expected signal, quanta, blur, lag, read-out noise.

use rayon::prelude::*;

use super::detector::{Deposit, Detector, SCATTER_ENERGY_KEV, SWANK};
use super::devices::{add_balloons, add_balls, add_devices};
use super::fast;
use super::renderer::Renderer;
use super::scene::{Background, Geometry, pose_of};
use crate::anatomy::breathing::contraction;
use crate::sim::Snapshot;
use crate::xray::{BodyMotion, DetectorProgram, Projection};

/// Lag: shares of the signal that a removed object leaves after one nominal frame, and their time constants, s: 3.5 % in the first
/// frame, 0.2 % after ten `[K]`. Light that fills the traps before each frame keeps the gain from changing.
const LAG: [(f32, f64); 2] = [(0.028, 0.06), (0.007, 0.5)];
/// Frame interval for which those shares are given, s.
const LAG_FRAME_S: f64 = 1.0 / 15.0;

/// Coarseness of the maps in the first picture of a new pose.
const COARSEST: usize = 4;

/// What the detector remembers of the frames before, keV: one memory for each time constant.
#[derive(Clone, Debug, Default)]
pub(super) struct LagMemory {
    memories: [Vec<f32>; 2],
    time_s: f64,
}

impl LagMemory {
    /// Nothing is remembered.
    fn forget(&mut self) {
        self.memories.iter_mut().for_each(Vec::clear);
    }

    /// For a frame at a time: how much of each memory is left in it, and how far each follows the frame.
    fn shares(&mut self, time_s: f64) -> [(f32, f32); 2] {
        let since_s = time_s - self.time_s;
        let dt_s = if since_s > 0.0 { since_s } else { LAG_FRAME_S };
        self.time_s = time_s;
        LAG.map(|(share, tau_s)| {
            let decay = ((LAG_FRAME_S - dt_s) / tau_s).min(0.0).exp();
            (share * decay as f32, (1.0 - (-dt_s / tau_s).exp()) as f32)
        })
    }
}

impl Renderer {
    /// Path lengths and expected signal, kept while pose, technique and motion stay.
    ///
    /// While the pose changes from pulse to pulse the maps have a quarter of the columns and rows; further pulses of a pose refine
    /// them. A run is never coarse: its first frame is the mask.
    pub(super) fn prepare(&mut self, snapshot: &Snapshot, is_whole: bool) {
        let (arm, technique) = (&snapshot.xray.arm, &snapshot.xray.technique);
        let is_whole = is_whole || snapshot.xray.pulse.is_some_and(|p| p.run.is_some());
        let coarseness = match &self.geometry {
            Some(g) if g.pose != pose_of(arm) => Some(COARSEST),
            Some(g) if g.coarseness > 1 => Some(g.coarseness / 2),
            None => Some(1),
            Some(_) => None,
        };
        if let Some(coarseness) = coarseness {
            let coarseness = if is_whole { 1 } else { coarseness };
            self.geometry = Some(Geometry::new(&self.body, arm, self.config.pixels, coarseness));
            self.background = None;
        }
        let Some(geometry) = &mut self.geometry else { return };
        geometry.lumen.prepare(&self.tree, self.breathing, snapshot);
        let patient = &snapshot.patient;
        let motion = BodyMotion { breath: patient.breath, contraction: contraction(patient.heart_phase) };
        let has_moved = geometry.follow(&self.body, motion);
        let geometry = &*geometry;
        match &mut self.background {
            Some(background) if background.is_for(technique, arm) => {
                if has_moved {
                    background.follow(geometry);
                }
            }
            _ => {
                self.background = Some(Background::new(geometry, technique, arm));
                // A new program starts on a detector that was read out empty.
                self.lag.forget();
                self.filtered_log.clear();
                self.recent.clear();
            }
        }
    }

    /// Iodine and metal on every ray.
    fn place_contents(&mut self, snapshot: &Snapshot) {
        let (Some(geometry), Some(background)) = (&self.geometry, &self.background) else { return };
        self.iodine_mg_per_cm2.fill(0.0);
        geometry.lumen.add_iodine(snapshot, &mut self.iodine_mg_per_cm2);
        let moving = self.breathing.filter(|b| b.moves_vessels);
        add_balls(&geometry.projection, snapshot, moving, &mut self.iodine_mg_per_cm2);
        add_balloons(&geometry.projection, &snapshot.balloons, &mut self.iodine_mg_per_cm2);
        let focal_spot_mm = DetectorProgram::focal_spot_mm(snapshot.xray.technique.tube_ma);
        let projection = Projection { focal_spot_mm, ..geometry.projection };
        add_devices(&projection, snapshot, &self.tray, &background.detector, &mut self.metal);
    }

    /// Expected signal of the snapshot before noise and blur, keV absorbed per pixel, primary and scatter.
    pub fn expected_signal_kev(&mut self, snapshot: &Snapshot) -> Vec<f32> {
        self.prepare(snapshot, true);
        self.place_contents(snapshot);
        let (Some(geometry), Some(background)) = (&self.geometry, &self.background) else {
            return Vec::new();
        };
        let metal = &self.metal;
        let iodine = self.iodine_mg_per_cm2.par_iter().enumerate();
        iodine
            .map(|(i, iodine)| {
                let (water, bone) = (geometry.body().water_g_per_cm2[i], geometry.body().bone_g_per_cm2[i]);
                let here = Ray { water, bone, iodine: *iodine, metal: metal.at(i) };
                here.expected(background, i).0
            })
            .collect()
    }

    /// Detector output of one pulse into `linear_kev`.
    pub(super) fn expose(&mut self, snapshot: &Snapshot, pulse: u64) {
        self.place_contents(snapshot);
        let (Some(geometry), Some(background)) = (&self.geometry, &self.background) else { return };
        let n = self.config.pixels;
        let spread = Detector::spread(geometry.projection.pixel_mm);
        let half = spread.len() / 2;
        let quantum_key = fast::mix(self.config.seed ^ fast::mix(2 * pulse));
        let electronic_key = fast::mix(self.config.seed ^ fast::mix(2 * pulse + 1));
        let (iodine, metal, body) = (&self.iodine_mg_per_cm2, &self.metal, geometry.body());
        self.across.resize(n * n, 0.0);
        self.across.par_chunks_mut(n).enumerate().for_each_init(
            || vec![0.0_f32; n + 2 * half],
            |padded, (row, out)| {
                for column in 0..n {
                    let i = row * n + column;
                    let (water, bone) = (body.water_g_per_cm2[i], body.bone_g_per_cm2[i]);
                    let ray = Ray { water, bone, iodine: iodine[i], metal: metal.at(i) };
                    let (total, sigma) = ray.expected(background, i);
                    padded[half + column] = (total + sigma * fast::normal(quantum_key, i as u64)).max(0.0);
                }
                let (first, last) = (padded[half], padded[half + n - 1]);
                padded[..half].fill(first);
                padded[half + n..].fill(last);
                out.fill(0.0);
                for (k, weight) in spread.iter().enumerate() {
                    out.iter_mut().zip(&padded[k..k + n]).for_each(|(o, p)| *o += weight * p);
                }
            },
        );
        self.read_out(&spread, electronic_key, snapshot.time_s);
    }

    /// Second half of the blur, lag and read-out noise.
    fn read_out(&mut self, spread: &[f32], electronic_key: u64, time_s: f64) {
        let Some(background) = &self.background else { return };
        let n = self.config.pixels;
        let half = spread.len() / 2;
        let is_first = self.lag.memories[0].len() != n * n;
        self.lag.memories.iter_mut().for_each(|m| m.resize(n * n, 0.0));
        let shares = self.lag.shares(time_s);
        let [fast_memory, slow_memory] = &mut self.lag.memories;
        self.linear_kev.resize(n * n, 0.0);
        let electronic_kev = background.detector.electronic_kev;
        let across = &self.across;
        let memories = fast_memory.par_chunks_mut(n).zip(slow_memory.par_chunks_mut(n));
        self.linear_kev.par_chunks_mut(n).zip(memories).enumerate().for_each_init(
            || vec![0.0_f32; n],
            |sum, (row, (out, (fast_row, slow_row)))| {
                sum.fill(0.0);
                for (k, weight) in spread.iter().enumerate() {
                    let from = (row + k).saturating_sub(half).min(n - 1) * n;
                    sum.iter_mut().zip(&across[from..from + n]).for_each(|(s, a)| *s += weight * a);
                }
                if is_first {
                    fast_row.copy_from_slice(sum);
                    slow_row.copy_from_slice(sum);
                }
                let memories = fast_row.iter_mut().zip(slow_row);
                for (column, ((value, new), (m0, m1))) in out.iter_mut().zip(&*sum).zip(memories).enumerate()
                {
                    let lag = shares[0].0 * (*m0 - new) + shares[1].0 * (*m1 - new);
                    *m0 += shares[0].1 * (new - *m0);
                    *m1 += shares[1].1 * (new - *m1);
                    let noise = electronic_kev * fast::normal(electronic_key, (row * n + column) as u64);
                    *value = (new + lag + noise).max(electronic_kev.max(1.0));
                }
            },
        );
    }
}

/// What lies on a pixel's ray.
struct Ray<'a> {
    /// g/cm2.
    water: f32,
    /// g/cm2.
    bone: f32,
    /// mg/cm2.
    iodine: f32,
    metal: Option<&'a [f32; super::detector::BINS]>,
}

impl Ray<'_> {
    /// Expected signal and its noise, keV.
    #[inline]
    fn expected(&self, background: &Background, i: usize) -> (f32, f32) {
        if self.iodine.abs() <= 1e-3 && self.metal.is_none() {
            return (background.total_kev[i], background.sigma_kev[i]);
        }
        let d = background.detector.all_bins(self.water, self.bone, self.iodine, self.metal);
        // The table over water and bone is a little off the bins; the same error must be in mask and contrast frame.
        let bare: Deposit = background.detector.all_bins(self.water, self.bone, 0.0, None);
        let scatter = background.scatter_kev[i];
        let primary = (background.total_kev[i] - scatter) * d.signal_kev / bare.signal_kev.max(1e-20);
        let variance = (primary * d.quantum_kev + scatter * SCATTER_ENERGY_KEV) / SWANK;
        (primary + scatter, variance.max(0.0).sqrt())
    }
}
