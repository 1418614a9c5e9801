//! What does not change from pulse to pulse: path lengths while the C-arm and table stand still, and the expected
//! signal of the body while the technique stays.

use std::ops::Range;

use rayon::prelude::*;

use super::detector::{Detector, SCATTER_ENERGY_KEV, SWANK};
use super::fast::{self, larger, smaller};
use super::vessels::LumenLayer;
use crate::sim::snapshot::Technique;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;
use crate::xray::scatter::scatter_to_primary_after_grid;
use crate::xray::thickness::ArealMap;
use crate::xray::wedge::wedge_transmission;
use crate::xray::{BodyModel, BodyMotion, CArm, Projection, Spongiosa, Wedge};

/// Blocks per side of the scatter and gray-range maps.
const BLOCKS: usize = 32;
/// Spread of scatter at the detector, mm `[K]`.
const SCATTER_SIGMA_MM: f64 = 40.0;
/// Share of the light that the scintillator spreads far, and how far, mm `[K]`.
const GLARE: f32 = 0.015;
const GLARE_SIGMA_MM: f64 = 15.0;
/// Water that attenuates like bone of the same mass, at the mean energy.
const BONE_AS_WATER: f32 = 1.5;
/// Softness of the blade edges at the detector, mm.
const BLADE_PENUMBRA_MM: f64 = 1.5;

/// Coarseness of the maps in the first picture of a new pose.
pub(super) const COARSEST: usize = 4;

/// Intervals between full breath out and full breath in, and of the heart's contraction, at which moving organs are projected.
const BREATH_LEVELS: usize = 16;
const BEAT_LEVELS: usize = 8;
/// The same of the outlines, which are smooth and move little.
const WALL_LEVELS: usize = 4;
/// Motion is taken in steps of this, so that what hardly moves costs nothing.
const MOTION_STEP: f64 = 1.0 / 128.0;

/// Path lengths of a pose, in layers.
pub(super) struct Geometry {
    /// Pose, blades open.
    pub(super) pose: CArm,
    pub(super) projection: Projection,
    /// Columns and rows of the picture over those of the layers: 1, or more while the C-arm turns.
    pub(super) coarseness: usize,
    pub(super) lumen: LumenLayer,
    /// What keeps still.
    still: ArealMap,
    /// Moving organs by depth of breath, the heart at rest; empty where nothing breathes.
    breathing: Vec<Option<ArealMap>>,
    /// What the breath adds to the outlines of the trunk.
    walls: Vec<Option<ArealMap>>,
    /// What contraction adds to that.
    beating: Vec<Option<ArealMap>>,
    /// Sum of the layers, where anything moves, and the motion that it is for.
    sum: Option<(BodyMotion, ArealMap)>,
    /// That at the resolution of the picture, where the layers are coarse.
    enlarged: Option<ArealMap>,
}

impl Geometry {
    /// Layers of a pose; a coarseness that does not divide the picture counts as 1.
    pub(super) fn new(body: &BodyModel, arm: &CArm, pixels: usize, coarseness: usize) -> Self {
        let projection = arm.projection(pixels);
        let (breathes, beats) = body.moves();
        let coarseness = if pixels.is_multiple_of(coarseness) { coarseness } else { 1 };
        let mut geometry = Self {
            pose: pose_of(arm),
            projection,
            coarseness,
            lumen: LumenLayer::new(projection, coarseness),
            still: ArealMap::default(),
            breathing: vec![None; if breathes { BREATH_LEVELS + 1 } else { 0 }],
            walls: vec![None; if breathes { WALL_LEVELS + 1 } else { 0 }],
            beating: vec![None; if beats { BEAT_LEVELS + 1 } else { 0 }],
            sum: None,
            enlarged: None,
        };
        geometry.still = geometry.made(|p| body.project_still(p, geometry.spongiosa()));
        geometry.enlarge();
        geometry
    }

    /// A layer; at the resolution of the picture it is blurred by focal spot and pixel at the isocenter.
    fn made(&self, project: impl Fn(&Projection) -> ArealMap) -> ArealMap {
        let p = &self.projection;
        let mut map = project(&coarser(p, self.coarseness));
        if self.coarseness > 1 {
            return map;
        }
        let magnification = p.sid_mm / SOURCE_ISOCENTER_MM;
        let focal_px = p.focal_sigma_mm(magnification) * magnification / p.pixel_mm;
        let sigma_px = focal_px.hypot(1.0 / 12.0_f64.sqrt());
        let weights = fast::kernel(&[(1.0, sigma_px)], 1 + (sigma_px > 0.6) as usize);
        blur(&mut map.water_g_per_cm2, p.columns, &weights);
        blur(&mut map.bone_g_per_cm2, p.columns, &weights);
        map
    }

    /// A first picture does without the grain of bones.
    fn spongiosa(&self) -> Spongiosa {
        if self.coarseness >= COARSEST { Spongiosa::Even } else { Spongiosa::Uneven }
    }

    /// The body as it is now, at the resolution of the picture.
    pub(super) fn body(&self) -> &ArealMap {
        self.enlarged.as_ref().unwrap_or_else(|| self.layers_sum())
    }

    /// The same at the resolution of the layers.
    fn layers_sum(&self) -> &ArealMap {
        self.sum.as_ref().map_or(&self.still, |s| &s.1)
    }

    fn enlarge(&mut self) {
        if self.coarseness > 1 {
            let columns = self.projection.columns / self.coarseness;
            let up = |values: &[f32]| enlarged(values, columns, self.coarseness);
            let map = self.layers_sum();
            self.enlarged = Some(ArealMap {
                water_g_per_cm2: up(&map.water_g_per_cm2),
                bone_g_per_cm2: up(&map.bone_g_per_cm2),
            });
        }
    }

    /// Brings the layers to a motion; returns whether that changed anything.
    pub(super) fn follow(&mut self, body: &BodyModel, motion: BodyMotion) -> bool {
        if self.breathing.is_empty() {
            return false;
        }
        let step = |x: f64, lo: f64| (x.clamp(lo, 1.0) / MOTION_STEP).round() * MOTION_STEP;
        let beats = !self.beating.is_empty();
        let motion = BodyMotion {
            breath: step(motion.breath, -1.0),
            contraction: if beats { step(motion.contraction, 0.0) } else { 0.0 },
        };
        if self.sum.as_ref().is_some_and(|s| s.0 == motion) {
            return false;
        }
        let breath = between((motion.breath + 1.0) / 2.0, BREATH_LEVELS);
        let wall = between((motion.breath + 1.0) / 2.0, WALL_LEVELS);
        let beat = between(motion.contraction, BEAT_LEVELS);
        for level in [breath.0, breath.0 + 1] {
            if self.breathing[level].is_none() {
                let depth = 2.0 * level as f64 / BREATH_LEVELS as f64 - 1.0;
                let at = BodyMotion { breath: depth, contraction: 0.0 };
                self.breathing[level] = Some(self.made(|p| body.project_moving(p, at, self.spongiosa())));
            }
        }
        for level in [beat.0, beat.0 + 1].into_iter().filter(|_| beats) {
            if self.beating[level].is_none() {
                let at = BodyMotion { breath: 0.0, contraction: level as f64 / BEAT_LEVELS as f64 };
                let rest = BodyMotion { contraction: 0.0, ..at };
                let moving = |p: &Projection, motion| body.project_moving(p, motion, self.spongiosa());
                self.beating[level] = Some(self.made(|p| difference(moving(p, at), &moving(p, rest))));
            }
        }
        for level in [wall.0, wall.0 + 1] {
            if self.walls[level].is_none() {
                let depth = 2.0 * level as f64 / WALL_LEVELS as f64 - 1.0;
                let outline = |p: &Projection, breath| body.project_wall(p, breath);
                self.walls[level] = Some(self.made(|p| difference(outline(p, depth), &outline(p, 0.0))));
            }
        }
        let mut layers = vec![(1.0, &self.still)];
        for (list, (i, t)) in [(&self.breathing, breath), (&self.walls, wall), (&self.beating, beat)] {
            for (level, share) in [(i, 1.0 - t), (i + 1, t)] {
                if let Some(map) = list.get(level).and_then(Option::as_ref).filter(|_| share > 0.0) {
                    layers.push((share, map));
                }
            }
        }
        self.sum = Some((motion, sum_of(&layers)));
        self.enlarge();
        true
    }
}

/// Interval and share of a value from 0 to 1 among levels.
pub(super) fn between(value: f64, levels: usize) -> (usize, f32) {
    let at = value.clamp(0.0, 1.0) * levels as f64;
    let i = (at as usize).min(levels - 1);
    (i, (at - i as f64) as f32)
}

fn difference(mut a: ArealMap, b: &ArealMap) -> ArealMap {
    a.water_g_per_cm2.iter_mut().zip(&b.water_g_per_cm2).for_each(|(a, b)| *a -= b);
    a.bone_g_per_cm2.iter_mut().zip(&b.bone_g_per_cm2).for_each(|(a, b)| *a -= b);
    a
}

fn sum_of(layers: &[(f32, &ArealMap)]) -> ArealMap {
    const CHUNK: usize = 4096;
    let add = |of: fn(&ArealMap) -> &Vec<f32>| {
        let mut sum = vec![0.0_f32; of(layers[0].1).len()];
        sum.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, sum)| {
            for (share, map) in layers {
                let part = &of(map)[chunk * CHUNK..][..sum.len()];
                sum.iter_mut().zip(part).for_each(|(s, m)| *s += share * m);
            }
        });
        sum
    };
    ArealMap { water_g_per_cm2: add(|m| &m.water_g_per_cm2), bone_g_per_cm2: add(|m| &m.bone_g_per_cm2) }
}

/// The same field on fewer pixels.
pub(super) fn coarser(p: &Projection, times: usize) -> Projection {
    Projection { pixel_mm: times as f64 * p.pixel_mm, columns: p.columns / times, rows: p.rows / times, ..*p }
}

/// More columns and rows, linear between pixel centers.
fn enlarged(values: &[f32], columns: usize, times: usize) -> Vec<f32> {
    let (rows, wide) = (values.len() / columns, times * columns);
    let place = |i: usize, n: usize| {
        let at = ((i as f32 + 0.5) / times as f32 - 0.5).clamp(0.0, (n - 1) as f32);
        let lo = (at as usize).min(n.saturating_sub(2));
        (lo, (lo + 1).min(n - 1), at - lo as f32)
    };
    let across: Vec<(usize, usize, f32)> = (0..wide).map(|x| place(x, columns)).collect();
    let mut out = vec![0.0; times * times * values.len()];
    out.par_chunks_mut(wide).enumerate().for_each_init(
        || vec![0.0_f32; columns],
        |line, (y, row)| {
            let (j, k, t) = place(y, rows);
            let (top, low) = (&values[j * columns..][..columns], &values[k * columns..][..columns]);
            line.iter_mut().zip(top.iter().zip(low)).for_each(|(v, (a, b))| *v = a + (b - a) * t);
            for (value, &(a, b, s)) in row.iter_mut().zip(&across) {
                *value = line[a] + (line[b] - line[a]) * s;
            }
        },
    );
    out
}

/// Separable blur in place, edges continued.
fn blur(values: &mut [f32], columns: usize, weights: &[f32]) {
    let (half, rows) = (weights.len() / 2, values.len() / columns);
    let mut across = vec![0.0_f32; values.len()];
    across.par_chunks_mut(columns).zip(values.par_chunks(columns)).for_each(|(out, row)| {
        for (i, o) in out.iter_mut().enumerate() {
            *o = weights
                .iter()
                .enumerate()
                .map(|(k, w)| w * row[(i + k).saturating_sub(half).min(columns - 1)])
                .sum();
        }
    });
    values.par_chunks_mut(columns).enumerate().for_each(|(y, out)| {
        out.fill(0.0);
        for (k, w) in weights.iter().enumerate() {
            let from = (y + k).saturating_sub(half).min(rows - 1) * columns;
            out.iter_mut().zip(&across[from..from + columns]).for_each(|(o, a)| *o += w * a);
        }
    });
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
    /// Share that the wedge filter lets through; empty while it is out.
    wedge_share: Vec<f32>,
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
        let wedge_share = wedge_shares(projection, technique, arm);
        let (mut total_kev, mut sigma_kev) = primary(&detector, geometry, &open, &wedge_share);
        let scatter_kev = scatter_map(projection, geometry.body(), &total_kev, &open, technique, arm);
        add_scatter(&scatter_kev, &mut total_kev, &mut sigma_kev);
        let range = GrayRange::new(geometry, technique, &total_kev, &open);
        Self {
            technique: *technique,
            blades: arm.blades,
            wedge: arm.wedge,
            wedge_share,
            detector,
            open,
            total_kev,
            scatter_kev,
            sigma_kev,
            range,
        }
    }

    /// The expected signal after organs have moved; scatter and window stay.
    pub(super) fn follow(&mut self, geometry: &Geometry) {
        (self.total_kev, self.sigma_kev) = primary(&self.detector, geometry, &self.open, &self.wedge_share);
        add_scatter(&self.scatter_kev, &mut self.total_kev, &mut self.sigma_kev);
    }
}

/// Primary signal that stays sharp, and the variance of its quanta.
fn primary(
    detector: &Detector,
    geometry: &Geometry,
    open: &[f32],
    wedge_share: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    const CHUNK: usize = 4096;
    let body = geometry.layers_sum();
    let n = body.water_g_per_cm2.len();
    let (mut kev, mut variance) = (vec![0.0_f32; n], vec![0.0_f32; n]);
    let rays = body.water_g_per_cm2.par_chunks(CHUNK).zip(body.bone_g_per_cm2.par_chunks(CHUNK));
    kev.par_chunks_mut(CHUNK).zip(variance.par_chunks_mut(CHUNK)).zip(rays).for_each(
        |((kev, variance), (water, bone))| {
            let pixels = kev.iter_mut().zip(variance.iter_mut()).zip(water.iter().zip(bone));
            for ((ln_kev, quantum_kev), (w, b)) in pixels {
                (*ln_kev, *quantum_kev) = detector.background_ln(*w, *b);
            }
            sharp_part(kev, variance);
        },
    );
    let columns = geometry.projection.columns / geometry.coarseness;
    let up = |values: Vec<f32>| {
        let mut all = match geometry.coarseness {
            1 => values,
            times => enlarged(&values, columns, times),
        };
        cover(&mut all, open);
        cover(&mut all, wedge_share);
        all
    };
    (up(kev), up(variance))
}

/// From ln of the signal to what the scintillator does not spread, and from the energy of its quanta to their variance.
#[inline(never)]
fn sharp_part(kev: &mut [f32], variance: &mut [f32]) {
    for (kev, variance) in kev.iter_mut().zip(variance) {
        *kev = fast::exp(*kev) * (1.0 - GLARE);
        *variance *= *kev / SWANK;
    }
}

/// Multiplies pixels by shares; none stands for 1 everywhere.
fn cover(values: &mut [f32], shares: &[f32]) {
    values.par_chunks_mut(4096).zip(shares.par_chunks(4096)).for_each(|(values, shares)| {
        values.iter_mut().zip(shares).for_each(|(v, s)| *v *= s);
    });
}

/// Adds scatter and glare to the primary, and its quanta to their variance, which becomes a standard deviation.
fn add_scatter(scatter_kev: &[f32], total_kev: &mut [f32], variance: &mut [f32]) {
    const CHUNK: usize = 4096;
    let pixels = total_kev.par_chunks_mut(CHUNK).zip(variance.par_chunks_mut(CHUNK));
    pixels
        .zip(scatter_kev.par_chunks(CHUNK))
        .for_each(|((total, variance), scatter)| add_scatter_row(scatter, total, variance));
}

#[inline(never)]
fn add_scatter_row(scatter_kev: &[f32], total_kev: &mut [f32], variance: &mut [f32]) {
    for ((total, sigma), scatter) in total_kev.iter_mut().zip(variance).zip(scatter_kev) {
        *total += scatter;
        *sigma = (*sigma + scatter * (SCATTER_ENERGY_KEV / SWANK)).sqrt();
    }
}

/// Share that the wedge filter lets through at each pixel; empty while it is out.
fn wedge_shares(projection: &Projection, technique: &Technique, arm: &CArm) -> Vec<f32> {
    if arm.wedge.insertion <= 0.0 {
        return Vec::new();
    }
    let n = projection.columns;
    let whole = wedge_transmission(technique.tube_kv, technique.copper_mm, technique.water_equivalent_mm);
    let at = |k: usize| 2.0 * (k as f64 + 0.5) / n as f64 - 1.0;
    let share = |i: usize| whole.powf(arm.wedge.cover(at(i % n), -at(i / n))) as f32;
    (0..n * projection.rows).into_par_iter().map(share).collect()
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

/// Scatter: primary times the local ratio, spread by a wide Gaussian; and the glare of the scintillator.
fn scatter_map(
    projection: &Projection,
    body: &ArealMap,
    primary_kev: &[f32],
    open: &[f32],
    technique: &Technique,
    arm: &CArm,
) -> Vec<f32> {
    let (across, along) = arm.open_field_mm();
    let side_mm = (across * along).sqrt();
    // The ratio depends smoothly on thickness: a table of it costs nothing per pixel.
    let by_cm: Vec<f32> = (0..=100)
        .map(|cm| scatter_to_primary_after_grid(10.0 * f64::from(cm), side_mm, technique.air_gap_mm) as f32)
        .collect();
    let ratio = |water_cm: f32| {
        let at = water_cm.clamp(0.0, 99.99);
        let i = at as usize;
        by_cm[i] + (by_cm[i + 1] - by_cm[i]) * (at - i as f32)
    };
    let coarse = block_means(projection.columns, projection.rows, |i| {
        let water = body.water_g_per_cm2[i] + BONE_AS_WATER * body.bone_g_per_cm2[i];
        primary_kev[i] * ratio(water)
    });
    let block_mm = projection.pixel_mm * projection.columns as f64 / BLOCKS as f64;
    let sigma = SCATTER_SIGMA_MM / block_mm;
    let mut spread = smooth_blocks(&coarse, sigma, false);
    // The ratio is that in the middle of the open field, which the spread must keep.
    let openness =
        smooth_blocks(&block_means(projection.columns, projection.rows, |i| open[i]), sigma, false);
    let middle = openness.iter().copied().fold(1e-6, f32::max);
    spread.iter_mut().for_each(|s| *s /= middle);
    let lit = block_means(projection.columns, projection.rows, |i| primary_kev[i]);
    let with_scatter: Vec<f32> = lit.iter().zip(&spread).map(|(p, s)| (p + s) / (1.0 - GLARE)).collect();
    let glare = smooth_blocks(&with_scatter, GLARE_SIGMA_MM / block_mm, false);
    spread.iter_mut().zip(&glare).for_each(|(s, g)| *s += GLARE * g);
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
    /// Share of missing dose, in ln, that the picture gets darker by `[D]`.
    const DARKENING: f32 = 0.2;

    fn new(geometry: &Geometry, technique: &Technique, total_kev: &[f32], open: &[f32]) -> Self {
        let (projection, body) = (&geometry.projection, geometry.body());
        let least = (Self::BESIDE * technique.water_equivalent_mm as f32 / 10.0).max(2.0);
        let (columns, rows) = (projection.columns, projection.rows);
        let log = |i: usize| fast::ln(total_kev[i].max(1.0));
        let within = |i: usize| open[i] > 0.99 && body.water_g_per_cm2[i] > least;
        let taken: Vec<usize> = (0..total_kev.len()).step_by(29).filter(|i| within(*i)).collect();
        let sum: f64 = taken.iter().map(|i| f64::from(log(*i))).sum();
        let mean = (sum / taken.len().max(1) as f64) as f32;
        // Outside patient and blades counts as average, so that edges do not bleed in.
        let coarse = block_means(columns, rows, |i| if within(i) { log(i) - mean } else { 0.0 });
        let mut offset = upsample(&smooth_blocks(&coarse, 1.6, true), columns, rows);
        offset.iter_mut().for_each(|o| *o *= Self::COMPRESSION);
        let mut shown: Vec<f32> = taken.iter().map(|i| log(*i) - offset[*i]).collect();
        if shown.is_empty() {
            shown = (0..total_kev.len()).step_by(5).map(log).collect();
        }
        shown.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| shown[((shown.len() - 1) as f64 * share) as usize];
        // The gain makes up for part of the dose that a limit withholds.
        let share = if technique.dose_share > 0.0 { technique.dose_share.min(1.0) } else { 1.0 };
        let dark = -Self::DARKENING * (share as f32).ln();
        Self { offset, black: at(0.02) - Self::MARGIN.0 + dark, white: at(0.97) + Self::MARGIN.1 + dark }
    }

    /// Makes ln of signal of a stretch of pixels to gray, 0 to 1: a straight line with a soft shoulder at both ends.
    #[inline(never)]
    pub(super) fn shade(&self, pixels: Range<usize>, log: &mut [f32]) {
        let scale = 1.0 / (self.white - self.black);
        for (value, offset) in log.iter_mut().zip(&self.offset[pixels]) {
            let x = smaller(larger((*value - offset - self.black) * scale, 0.0), 1.0);
            // Mix of line and smoothstep: mid-tones a little steeper.
            *value = 0.6 * x + 0.4 * x * x * (3.0 - 2.0 * x);
        }
    }
}
