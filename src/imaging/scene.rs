//! What does not change from pulse to pulse: path lengths while the C-arm and table stand still, and the expected
//! signal of the body while the technique stays.

use rayon::prelude::*;

use super::detector::{Detector, SCATTER_ENERGY_KEV, SWANK};
use super::fast;
use super::vessels::LumenMap;
use crate::anatomy::VesselTree;
use crate::sim::contact::WallShift;
use crate::sim::snapshot::Technique;
use crate::xray::scatter::scatter_to_primary_after_grid;
use crate::xray::thickness::ArealMap;
use crate::xray::wedge::wedge_transmission;
use crate::xray::{BodyModel, CArm, Projection, Wedge};

/// Blocks per side of the scatter and gray-range maps.
const BLOCKS: usize = 32;
/// Spread of scatter at the detector, mm `[K]`.
const SCATTER_SIGMA_MM: f64 = 40.0;
/// Water that attenuates like bone of the same mass, at the mean energy.
const BONE_AS_WATER: f32 = 1.5;
/// Softness of the blade edges at the detector, mm.
const BLADE_PENUMBRA_MM: f64 = 1.5;

/// Path lengths of a pose.
pub(super) struct Geometry {
    /// Pose, blades open.
    pub(super) pose: CArm,
    pub(super) projection: Projection,
    pub(super) body: ArealMap,
    pub(super) lumen: LumenMap,
    /// Displacement of the vessels that `lumen` was made with.
    pub(super) shift: WallShift,
}

impl Geometry {
    pub(super) fn new(body: &BodyModel, tree: &VesselTree, arm: &CArm, pixels: usize) -> Self {
        let projection = arm.projection(pixels);
        Self {
            pose: pose_of(arm),
            projection,
            body: body.project(&projection),
            lumen: LumenMap::new(tree, &projection),
            shift: WallShift::default(),
        }
    }
}

/// A pose without its blades: they change no path length.
pub(super) fn pose_of(arm: &CArm) -> CArm {
    CArm { blades: [1.0; 4], wedge: Wedge::default(), ..*arm }
}

/// Expected signal of body, table and scatter.
pub(super) struct Background {
    technique: Technique,
    blades: [f64; 4],
    wedge: Wedge,
    pub(super) detector: Detector,
    /// Share of each pixel that the blades leave open.
    pub(super) open: Vec<f32>,
    /// Primary and scatter, keV.
    pub(super) total_kev: Vec<f32>,
    /// Scatter alone, keV.
    pub(super) scatter_kev: Vec<f32>,
    /// Standard deviation of the quantum noise, keV.
    pub(super) sigma_kev: Vec<f32>,
    /// Compression of the large-scale range and the window, in ln of signal.
    pub(super) range: GrayRange,
}

/// How ln of signal becomes gray.
pub(super) struct GrayRange {
    /// Part of the large-scale brightness, taken off each pixel.
    pub(super) offset: Vec<f32>,
    /// ln of signal (offset taken off) that is black.
    pub(super) black: f32,
    /// And white.
    pub(super) white: f32,
}

impl Background {
    pub(super) fn is_for(&self, technique: &Technique, arm: &CArm) -> bool {
        self.technique == *technique && self.blades == arm.blades && self.wedge == arm.wedge
    }

    pub(super) fn new(geometry: &Geometry, technique: &Technique, arm: &CArm) -> Self {
        let projection = &geometry.projection;
        let detector = Detector::new(technique, projection);
        let open = blade_cover(projection, arm);
        let (water, bone) = (&geometry.body.water_g_per_cm2, &geometry.body.bone_g_per_cm2);
        let (mut total_kev, variance): (Vec<f32>, Vec<f32>) = water
            .par_iter()
            .zip(bone)
            .zip(&open)
            .map(|((w, b), o)| {
                let d = detector.background(*w, *b);
                (d.signal_kev * o, d.signal_kev * o * d.quantum_kev / SWANK)
            })
            .unzip();
        let mut variance = variance;
        filter_by_wedge(projection, technique, arm, [&mut total_kev, &mut variance]);
        let scatter_kev = scatter_map(projection, &geometry.body, &total_kev, &open, arm);
        let mut sigma_kev = variance;
        for ((total, sigma), scatter) in total_kev.iter_mut().zip(&mut sigma_kev).zip(&scatter_kev) {
            *total += scatter;
            *sigma = (*sigma + scatter * SCATTER_ENERGY_KEV / SWANK).sqrt();
        }
        let range = GrayRange::new(geometry, technique, &total_kev, &open);
        Self {
            technique: *technique,
            blades: arm.blades,
            wedge: arm.wedge,
            detector,
            open,
            total_kev,
            scatter_kev,
            sigma_kev,
            range,
        }
    }
}

/// The wedge filter takes its share of signal and variance.
fn filter_by_wedge(projection: &Projection, technique: &Technique, arm: &CArm, maps: [&mut Vec<f32>; 2]) {
    if arm.wedge.insertion <= 0.0 {
        return;
    }
    let n = projection.columns;
    let whole = wedge_transmission(technique.tube_kv, technique.copper_mm, technique.water_equivalent_mm);
    let share = |i: usize| {
        let at = |k: usize| 2.0 * (k as f64 + 0.5) / n as f64 - 1.0;
        whole.powf(arm.wedge.cover(at(i % n), -at(i / n))) as f32
    };
    for map in maps {
        map.par_iter_mut().enumerate().for_each(|(i, v)| *v *= share(i));
    }
}

fn blade_cover(projection: &Projection, arm: &CArm) -> Vec<f32> {
    let (n, soft) = (projection.columns, BLADE_PENUMBRA_MM / projection.pixel_mm);
    let [left, right, bottom, top] = arm.blades;
    let profile = |low: f64, high: f64| -> Vec<f32> {
        let half = n as f64 / 2.0;
        let inside =
            |edge: f64, share: f64| if share >= 1.0 { 1.0 } else { (edge / soft + 0.5).clamp(0.0, 1.0) };
        (0..n)
            .map(|i| {
                let x = i as f64 + 0.5 - half;
                (inside(x + low * half, low) * inside(high * half - x, high)) as f32
            })
            .collect()
    };
    let (across, down) = (profile(left, right), profile(top, bottom));
    down.iter().flat_map(|d| across.iter().map(move |a| a * d)).collect()
}

/// Scatter: primary times the local ratio, spread by a wide Gaussian.
fn scatter_map(
    projection: &Projection,
    body: &ArealMap,
    primary_kev: &[f32],
    open: &[f32],
    arm: &CArm,
) -> Vec<f32> {
    let (across, along) = arm.open_field_mm();
    let side_mm = (across * along).sqrt();
    let coarse = block_means(projection.columns, projection.rows, |i| {
        let water = body.water_g_per_cm2[i] + BONE_AS_WATER * body.bone_g_per_cm2[i];
        primary_kev[i] * scatter_to_primary_after_grid(f64::from(water) * 10.0, side_mm) as f32
    });
    let block_mm = projection.pixel_mm * projection.columns as f64 / BLOCKS as f64;
    let sigma = SCATTER_SIGMA_MM / block_mm;
    let mut spread = smooth_blocks(&coarse, sigma, false);
    // The ratio is that in the middle of the open field, which the spread must keep.
    let openness =
        smooth_blocks(&block_means(projection.columns, projection.rows, |i| open[i]), sigma, false);
    let middle = openness.iter().copied().fold(1e-6, f32::max);
    spread.iter_mut().for_each(|s| *s /= middle);
    upsample(&spread, projection.columns, projection.rows)
}

/// Means over blocks, from every fourth pixel each way.
fn block_means(columns: usize, rows: usize, value: impl Fn(usize) -> f32 + Sync) -> Vec<f32> {
    (0..BLOCKS * BLOCKS)
        .into_par_iter()
        .map(|block| {
            let (bx, by) = (block % BLOCKS, block / BLOCKS);
            let (mut sum, mut count) = (0.0, 0.0);
            for y in (by * rows / BLOCKS..(by + 1) * rows / BLOCKS).step_by(4) {
                for x in (bx * columns / BLOCKS..(bx + 1) * columns / BLOCKS).step_by(4) {
                    sum += value(y * columns + x);
                    count += 1.0;
                }
            }
            if count > 0.0 { sum / count } else { 0.0 }
        })
        .collect()
}

/// Gaussian over blocks; beyond the field there is nothing, or (extended) more of the same.
fn smooth_blocks(blocks: &[f32], sigma: f64, extended: bool) -> Vec<f32> {
    let half = (3.0 * sigma).ceil() as usize;
    let weights = fast::kernel(&[(1.0, sigma)], half);
    let pass = |input: &[f32], stride: usize, other: usize| -> Vec<f32> {
        let mut out = vec![0.0; input.len()];
        for line in 0..BLOCKS {
            for i in 0..BLOCKS {
                let (mut sum, mut of) = (0.0, 0.0);
                for (k, w) in weights.iter().enumerate() {
                    if let Some(j) = (i + k).checked_sub(half).filter(|j| *j < BLOCKS) {
                        sum += w * input[line * other + j * stride];
                        of += w;
                    }
                }
                out[line * other + i * stride] = if extended { sum / of } else { sum };
            }
        }
        out
    };
    pass(&pass(blocks, 1, BLOCKS), BLOCKS, 1)
}

/// Bilinear from block centers to pixels.
fn upsample(blocks: &[f32], columns: usize, rows: usize) -> Vec<f32> {
    let place = |i: usize, n: usize| {
        let at = ((i as f32 + 0.5) * BLOCKS as f32 / n as f32 - 0.5).clamp(0.0, (BLOCKS - 1) as f32);
        let lo = (at as usize).min(BLOCKS - 2);
        (lo, at - lo as f32)
    };
    let across: Vec<(usize, f32)> = (0..columns).map(|x| place(x, columns)).collect();
    let mut out = vec![0.0; columns * rows];
    out.par_chunks_mut(columns).enumerate().for_each(|(y, row)| {
        let (j, t) = place(y, rows);
        for (value, &(i, s)) in row.iter_mut().zip(&across) {
            let at = |i: usize, j: usize| blocks[j * BLOCKS + i];
            let top = at(i, j) * (1.0 - s) + at(i + 1, j) * s;
            let low = at(i, j + 1) * (1.0 - s) + at(i + 1, j + 1) * s;
            *value = top * (1.0 - t) + low * t;
        }
    });
    out
}

impl GrayRange {
    /// Share of the large-scale range that is taken off.
    const COMPRESSION: f32 = 0.6;
    /// Room below the darkest body for devices and contrast, and above the lightest, in ln.
    const MARGIN: (f32, f32) = (0.40, 0.30);
    /// Rays with less than this share of the thickness that the exposure control saw are beside the patient.
    const BESIDE: f32 = 0.4;

    fn new(geometry: &Geometry, technique: &Technique, total_kev: &[f32], open: &[f32]) -> Self {
        let (projection, body) = (&geometry.projection, &geometry.body);
        let least = (Self::BESIDE * technique.water_equivalent_mm as f32 / 10.0).max(2.0);
        let (columns, rows) = (projection.columns, projection.rows);
        let log = |i: usize| fast::ln(total_kev[i].max(1.0));
        let within = |i: usize| open[i] > 0.99 && body.water_g_per_cm2[i] > least;
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        for i in (0..total_kev.len()).step_by(7) {
            if within(i) {
                sum += f64::from(log(i));
                count += 1;
            }
        }
        let mean = if count > 0 { (sum / f64::from(count)) as f32 } else { 0.0 };
        // Outside patient and blades counts as average, so that edges do not bleed in.
        let coarse = block_means(columns, rows, |i| if within(i) { log(i) - mean } else { 0.0 });
        let mut offset = upsample(&smooth_blocks(&coarse, 1.6, true), columns, rows);
        offset.iter_mut().for_each(|o| *o *= Self::COMPRESSION);
        let mut shown: Vec<f32> =
            (0..total_kev.len()).step_by(5).filter(|i| within(*i)).map(|i| log(i) - offset[i]).collect();
        if shown.is_empty() {
            shown = (0..total_kev.len()).step_by(5).map(log).collect();
        }
        shown.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| shown[((shown.len() - 1) as f64 * share) as usize];
        Self { offset, black: at(0.02) - Self::MARGIN.0, white: at(0.97) + Self::MARGIN.1 }
    }

    /// Gray of ln of signal at a pixel, 0 to 1: a straight line with a soft shoulder at both ends.
    #[inline]
    pub(super) fn shade(&self, pixel: usize, log: f32) -> f32 {
        let x = ((log - self.offset[pixel] - self.black) / (self.white - self.black)).clamp(0.0, 1.0);
        // Mix of line and smoothstep: mid-tones a little steeper.
        0.6 * x + 0.4 * x * x * (3.0 - 2.0 * x)
    }
}
