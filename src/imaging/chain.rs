//! From a snapshot to the detector's output: what lies in the beam, expected signal, quanta, blur, lag, read-out noise.

use rayon::prelude::*;

use super::detector::{BINS, Detector, SCATTER_ENERGY_KEV, SWANK};
use super::devices::{add_balloons, add_balls, add_devices};
use super::fast::{self, NoiseKey, larger};
use super::renderer::Renderer;
use super::scene::{Background, COARSEST, Geometry, pose_of};
use crate::anatomy::breathing::contraction;
use crate::sim::Snapshot;
use crate::xray::{BodyMotion, DetectorProgram, Projection};

/// Lag: shares of the signal that a removed object leaves after one nominal frame, and their time constants, s: 3.5 % in the first
/// frame, 0.2 % after ten `[K]`. Light that fills the traps before each frame keeps the gain from changing.
const LAG: [(f32, f64); 2] = [(0.028, 0.06), (0.007, 0.5)];
/// Frame interval for which those shares are given, s.
const LAG_FRAME_S: f64 = 1.0 / 15.0;

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

    /// For a frame at a time.
    fn shares(&mut self, time_s: f64) -> LagShares {
        let since_s = time_s - self.time_s;
        let dt_s = if since_s > 0.0 { since_s } else { LAG_FRAME_S };
        self.time_s = time_s;
        LagShares {
            left: LAG.map(|(share, tau_s)| share * ((LAG_FRAME_S - dt_s) / tau_s).min(0.0).exp() as f32),
            follow: LAG.map(|(_, tau_s)| (1.0 - (-dt_s / tau_s).exp()) as f32),
        }
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
        let has_turned = self.body.arms() != snapshot.xray.arms;
        self.body.set_arms(snapshot.xray.arms);
        let coarseness = match &self.geometry {
            Some(g) if has_turned || g.pose != pose_of(arm) => Some(COARSEST),
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
        geometry.lumen.prepare(&self.tree, self.breathing, self.beat.as_ref(), snapshot);
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
        let here =
            |i: usize| contents_of(background, geometry, i, self.iodine_mg_per_cm2[i], self.metal.at(i));
        (0..self.iodine_mg_per_cm2.len()).into_par_iter().map(|i| here(i).0).collect()
    }

    /// Detector output of one pulse into `linear_kev`, its ln into `log`.
    pub(super) fn expose(&mut self, snapshot: &Snapshot, pulse: u64) {
        self.place_contents(snapshot);
        let (Some(geometry), Some(background)) = (&self.geometry, &self.background) else { return };
        let n = self.config.pixels;
        let spread = Detector::spread(geometry.projection.pixel_mm);
        let half = spread.len() / 2;
        let quanta = NoiseKey::new(self.config.seed, 2 * pulse);
        let (iodine, metal) = (&self.iodine_mg_per_cm2, &self.metal);
        self.across.resize(n * n, 0.0);
        self.across.par_chunks_mut(n).enumerate().for_each_init(
            || (vec![0.0_f32; n + 2 * half], vec![0.0_f32; n]),
            |(padded, sigma), (row, out)| {
                let line = &mut padded[half..half + n];
                let here = row * n..(row + 1) * n;
                line.copy_from_slice(&background.total_kev[here.clone()]);
                sigma.copy_from_slice(&background.sigma_kev[here.clone()]);
                for_each_filled(&iodine[here.clone()], metal.row(here), |column| {
                    let i = row * n + column;
                    (line[column], sigma[column]) =
                        contents_of(background, geometry, i, iodine[i], metal.at(i));
                });
                add_quanta(line, sigma, quanta, (row * n) as u32);
                let (left, right) = (padded[half], padded[half + n - 1]);
                padded[..half].fill(left);
                padded[half + n..].fill(right);
                fast::blur_row(padded, &spread, out);
            },
        );
        self.read_out(&spread, NoiseKey::new(self.config.seed, 2 * pulse + 1), snapshot.time_s);
    }

    /// Second half of the blur, lag and read-out noise.
    fn read_out(&mut self, spread: &[f32], electronic: NoiseKey, time_s: f64) {
        let Some(background) = &self.background else { return };
        let n = self.config.pixels;
        let half = spread.len() / 2;
        let is_first = self.lag.memories[0].len() != n * n;
        self.lag.memories.iter_mut().for_each(|m| m.resize(n * n, 0.0));
        let lag = self.lag.shares(time_s);
        let [fast_memory, slow_memory] = &mut self.lag.memories;
        self.linear_kev.resize(n * n, 0.0);
        self.log.resize(n * n, 0.0);
        let noise_kev = background.detector.electronic_kev;
        let across = &self.across;
        let memories = fast_memory.par_chunks_mut(n).zip(slow_memory.par_chunks_mut(n));
        let outs = self.linear_kev.par_chunks_mut(n).zip(self.log.par_chunks_mut(n));
        outs.zip(memories).enumerate().for_each(|(row, ((out, log), (fast_row, slow_row)))| {
            out.fill(0.0);
            for (k, weight) in spread.iter().enumerate() {
                let from = (row + k).saturating_sub(half).min(n - 1) * n;
                out.iter_mut().zip(&across[from..from + n]).for_each(|(o, a)| *o += weight * a);
            }
            if is_first {
                fast_row.copy_from_slice(out);
                slow_row.copy_from_slice(out);
            }
            lag.apply(out, fast_row, slow_row);
            add_electronic(out, log, electronic, noise_kev, (row * n) as u32);
        });
    }
}

// The loops over a row are functions of their own, so that the compiler knows that the slices do not overlap, and count
// without a check, so that it makes them four pixels at a time.

/// Adds quantum noise to a row: `sigma` times a normal number for every pixel; no signal is less than none.
#[inline(never)]
fn add_quanta(row: &mut [f32], sigma: &[f32], key: NoiseKey, first_pixel: u32) {
    let mut pixel = first_pixel;
    for (v, s) in row.iter_mut().zip(sigma) {
        *v = larger(*v + s * key.normal(pixel), 0.0);
        pixel = pixel.wrapping_add(1);
    }
}

/// Adds read-out noise to a row and takes its ln.
#[inline(never)]
fn add_electronic(row: &mut [f32], log: &mut [f32], key: NoiseKey, noise_kev: f32, first_pixel: u32) {
    let least_kev = larger(noise_kev, 1.0);
    let mut pixel = first_pixel;
    for (v, log) in row.iter_mut().zip(log) {
        *v = larger(*v + noise_kev * key.normal(pixel), least_kev);
        *log = fast::ln(*v);
        pixel = pixel.wrapping_add(1);
    }
}

/// How much of each memory is left in a frame, and how far each follows it.
#[derive(Clone, Copy, Debug)]
struct LagShares {
    left: [f32; 2],
    follow: [f32; 2],
}

impl LagShares {
    /// Adds to a row what the memories hold more than it, and lets them follow.
    #[inline(never)]
    fn apply(self, row: &mut [f32], fast_memory: &mut [f32], slow_memory: &mut [f32]) {
        for ((v, m0), m1) in row.iter_mut().zip(fast_memory).zip(slow_memory) {
            let (d0, d1) = (*m0 - *v, *m1 - *v);
            *m0 -= self.follow[0] * d0;
            *m1 -= self.follow[1] * d1;
            *v += self.left[0] * d0 + self.left[1] * d1;
        }
    }
}

/// Calls `at` for every column of a row with iodine or metal; most of a row has neither and is passed over in groups.
fn for_each_filled(iodine: &[f32], metal: &[u32], mut at: impl FnMut(usize)) {
    const GROUP: usize = 32;
    for (group, (iodine, metal)) in iodine.chunks(GROUP).zip(metal.chunks(GROUP)).enumerate() {
        let any = iodine.iter().zip(metal).fold(0, |any, (i, m)| any | i.to_bits() | m);
        if any == 0 {
            continue;
        }
        for (k, (i, m)) in iodine.iter().zip(metal).enumerate() {
            if i.abs() > LEAST_IODINE_MG_PER_CM2 || *m != 0 {
                at(group * GROUP + k);
            }
        }
    }
}

/// Less iodine on a ray counts as none, mg/cm2.
const LEAST_IODINE_MG_PER_CM2: f32 = 1e-3;

/// Expected signal of a pixel and its noise, keV, with iodine (mg/cm2) and metal (share of every bin that passes) on its ray.
fn contents_of(
    background: &Background,
    geometry: &Geometry,
    i: usize,
    iodine_mg_per_cm2: f32,
    metal: Option<&[f32; BINS]>,
) -> (f32, f32) {
    if iodine_mg_per_cm2.abs() <= LEAST_IODINE_MG_PER_CM2 && metal.is_none() {
        return (background.total_kev[i], background.sigma_kev[i]);
    }
    let (detector, body) = (&background.detector, geometry.body());
    let mut kev = detector.behind_body(body.water_g_per_cm2[i], body.bone_g_per_cm2[i]);
    // The table over water and bone is a little off the bins; the same error must be in mask and contrast frame.
    let bare_kev = detector.deposit(&kev).signal_kev;
    if iodine_mg_per_cm2.abs() > LEAST_IODINE_MG_PER_CM2 {
        detector.pass_iodine(iodine_mg_per_cm2, &mut kev);
    }
    if let Some(metal) = metal {
        kev.iter_mut().zip(metal).for_each(|(k, m)| *k *= m);
    }
    let d = detector.deposit(&kev);
    let scatter = background.scatter_kev[i];
    let primary = (background.total_kev[i] - scatter) * d.signal_kev / larger(bare_kev, 1e-20);
    let variance = (primary * d.quantum_kev + scatter * SCATTER_ENERGY_KEV) / SWANK;
    (primary + scatter, larger(variance, 0.0).sqrt())
}
