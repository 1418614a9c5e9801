//! A sparse grid of signed distances over a lumen mesh: cells of a sixth of the local radius, filled on first touch.
//!
//! A quadratic B-spline carries the distance: its coefficients at the cells' centers are those that reproduce quadratic
//! fields, `c = d - sum of second differences / 8`. So value and gradient are continuous everywhere, and the gradient is
//! the value's own: a force with jumps, or one that is not the slope of its energy, has no equilibrium to be found. Bricks
//! of 8 x 8 x 8 cells are a pure function of the mesh, so a value never depends on who asked first.

use std::sync::OnceLock;

use super::mesh_wall::PlaceSeed;
use crate::anatomy::{MeshDistance, Nearest};
use crate::math::{Mat3, Vec3};

/// Cells along a brick's side.
const CELLS: usize = 8;
/// Coefficients along a brick's side: those of its cells and of one cell around.
const COEFFICIENTS: usize = CELLS + 2;
/// Distances along a brick's side that those are made of.
const DISTANCES: usize = COEFFICIENTS + 2;
/// Side of a block, mm: one brick of the coarsest level.
const BLOCK_MM: f64 = 4.8;
/// Cell side of each level, mm.
const CELL_MM: [f64; 3] = [0.6, 0.3, 0.15];
/// How far the grid reaches beyond the mesh, mm.
const MARGIN_MM: f64 = 5.0;
/// Around a triangle, this far, the grid is as fine as its radius asks, mm.
const BAND_MM: f64 = 1.5;
/// A mesh that would need more blocks (a wrong unit, a stray vertex) is served without a grid.
const MAX_BLOCKS: usize = 4_000_000;
/// In a cell's seed: no vessel.
const NO_VESSEL: u32 = u32::MAX;
/// Distance where the mesh has no answer, mm.
const FAR_MM: f64 = 1e6;
/// In a block's level: it changes within the block.
const MIXED: u8 = u8::MAX;

/// Signed distance at a point, from the grid.
pub(super) struct Sample {
    /// Distance, mm: positive inside.
    pub(super) inside_mm: f64,
    /// Its gradient, not normalized.
    pub(super) gradient: Vec3,
    /// Its second derivatives, 1/mm.
    pub(super) bend_per_mm: Mat3,
    /// Seed of the wall nearest to the center of the cell.
    pub(super) seed: Option<PlaceSeed>,
}

struct Brick {
    /// Per cell with one around, x fastest.
    coefficients: Box<[f32]>,
    /// Vessel and point, per cell.
    seeds: Box<[[u32; 2]]>,
}

/// The bricks of one block, per level: 1, 8 or 64 of them.
#[derive(Default)]
struct Block {
    levels: [OnceLock<Box<[OnceLock<Brick>]>>; CELL_MM.len()],
    /// The level wanted everywhere in the block, or [`MIXED`].
    level: u8,
}

/// The grid over one mesh.
pub(super) struct DistanceGrid {
    origin_mm: Vec3,
    dims: [usize; 3],
    blocks: Vec<Block>,
    /// Level wanted at each corner of the block lattice; between corners it is interpolated and levels are blended.
    corner_level: Vec<u8>,
}

impl DistanceGrid {
    /// Lays the grid over a mesh; `triangles` gives box and local radius of each. `None` for a mesh beyond all bounds.
    pub(super) fn new(
        bounds_mm: (Vec3, Vec3),
        triangles: impl Iterator<Item = ((Vec3, Vec3), f64)>,
    ) -> Option<Self> {
        let origin_mm = bounds_mm.0.add_scalar(-MARGIN_MM);
        let span = bounds_mm.1.add_scalar(MARGIN_MM) - origin_mm;
        let dims_f = span.map(|s| (s / BLOCK_MM).ceil());
        if dims_f.product() > MAX_BLOCKS as f64 || !dims_f.product().is_finite() {
            return None;
        }
        let dims: [usize; 3] = std::array::from_fn(|k| dims_f[k] as usize);
        let corner_dims = dims.map(|n| n + 1);
        let mut grid =
            Self { origin_mm, dims, blocks: Vec::new(), corner_level: vec![0; corner_dims.iter().product()] };
        grid.blocks.resize_with(dims.iter().product(), Block::default);
        for ((lo, hi), radius_mm) in triangles {
            let level = level_of(radius_mm);
            if level > 0 {
                grid.refine(&lo, &hi, level);
            }
        }
        for z in 0..dims[2] {
            for y in 0..dims[1] {
                for x in 0..dims[0] {
                    let levels = grid.corner_levels(&[x, y, z]);
                    let same = levels.iter().all(|l| *l == levels[0]);
                    let block = (z * dims[1] + y) * dims[0] + x;
                    grid.blocks[block].level = if same { levels[0] } else { MIXED };
                }
            }
        }
        Some(grid)
    }

    /// All blocks near a box get at least this level at all of their corners.
    fn refine(&mut self, lo: &Vec3, hi: &Vec3, level: u8) {
        let block = |v: f64, k: usize| {
            (((v - self.origin_mm[k]) / BLOCK_MM).floor().max(0.0) as usize).min(self.dims[k] - 1)
        };
        let from: [usize; 3] = std::array::from_fn(|k| block(lo[k] - BAND_MM, k));
        let to: [usize; 3] = std::array::from_fn(|k| block(hi[k] + BAND_MM, k) + 1);
        for z in from[2]..=to[2] {
            for y in from[1]..=to[1] {
                for x in from[0]..=to[0] {
                    let i = self.corner_index(x, y, z);
                    self.corner_level[i] = self.corner_level[i].max(level);
                }
            }
        }
    }

    fn corner_index(&self, x: usize, y: usize, z: usize) -> usize {
        (z * (self.dims[1] + 1) + y) * (self.dims[0] + 1) + x
    }

    /// The field at a point; `None` off the grid. `surface` and `seed` fill bricks that were not touched before.
    pub(super) fn sample(
        &self,
        p_mm: &Vec3,
        surface: &MeshDistance,
        seed: &dyn Fn(&Nearest) -> Option<PlaceSeed>,
    ) -> Option<Sample> {
        let q = (p_mm - self.origin_mm) / BLOCK_MM;
        let mut at = [0_usize; 3];
        for k in 0..3 {
            // A NaN is in no range.
            if !(0.0..self.dims[k] as f64).contains(&q[k]) {
                return None;
            }
            at[k] = q[k] as usize;
        }
        let block = &self.blocks[(at[2] * self.dims[1] + at[1]) * self.dims[0] + at[0]];
        if block.level != MIXED {
            return Some(self.level_sample(block, usize::from(block.level), p_mm, &at, surface, seed));
        }
        let (wanted, slope) = self.mixed_level(&at, &q);
        let low = (wanted as usize).min(CELL_MM.len() - 2);
        let share = wanted - low as f64;
        let fine = self.level_sample(block, low, p_mm, &at, surface, seed);
        let finer = self.level_sample(block, low + 1, p_mm, &at, surface, seed);
        Some(Sample {
            inside_mm: fine.inside_mm + share * (finer.inside_mm - fine.inside_mm),
            gradient: fine.gradient
                + (finer.gradient - fine.gradient) * share
                + slope * (finer.inside_mm - fine.inside_mm),
            bend_per_mm: fine.bend_per_mm + (finer.bend_per_mm - fine.bend_per_mm) * share,
            seed: finer.seed,
        })
    }

    fn corner_levels(&self, at: &[usize; 3]) -> [u8; 8] {
        std::array::from_fn(|c| {
            self.corner_level[self.corner_index(at[0] + (c & 1), at[1] + (c >> 1 & 1), at[2] + (c >> 2))]
        })
    }

    /// The wanted level between the corners of a block, a real number, and its gradient, 1/mm.
    fn mixed_level(&self, at: &[usize; 3], q: &Vec3) -> (f64, Vec3) {
        let (mut level, mut slope) = (0.0, Vec3::zeros());
        for (c, corner) in self.corner_levels(at).into_iter().enumerate() {
            let (mut weight, mut turn) = ([0.0; 3], [0.0; 3]);
            for k in 0..3 {
                let t = q[k] - at[k] as f64;
                (weight[k], turn[k]) =
                    if c >> k & 1 == 1 { (t, 1.0 / BLOCK_MM) } else { (1.0 - t, -1.0 / BLOCK_MM) };
            }
            let [x, y, z] = weight;
            level += f64::from(corner) * x * y * z;
            slope += Vec3::new(turn[0] * y * z, x * turn[1] * z, x * y * turn[2]) * f64::from(corner);
        }
        (level, slope)
    }

    fn level_sample(
        &self,
        block: &Block,
        level: usize,
        p_mm: &Vec3,
        at: &[usize; 3],
        surface: &MeshDistance,
        seed: &dyn Fn(&Nearest) -> Option<PlaceSeed>,
    ) -> Sample {
        let per_side = 1_usize << level;
        let cell_mm = CELL_MM[level];
        let bricks = block.levels[level].get_or_init(|| {
            std::iter::repeat_with(OnceLock::new).take(per_side * per_side * per_side).collect()
        });
        // Cell in the whole grid and place in it from its center, kept within the block against rounding at its faces.
        let mut cell = [0_usize; 3];
        let mut t = [0.0_f64; 3];
        for k in 0..3 {
            let u = (p_mm[k] - self.origin_mm[k]) / cell_mm;
            let first = at[k] * per_side * CELLS;
            cell[k] = (u as usize).clamp(first, first + per_side * CELLS - 1);
            t[k] = (u - cell[k] as f64 - 0.5).clamp(-0.5, 0.5);
        }
        let brick_at = cell.map(|c| c / CELLS);
        let inner: [usize; 3] = std::array::from_fn(|k| brick_at[k] - at[k] * per_side);
        let brick = bricks[(inner[2] * per_side + inner[1]) * per_side + inner[0]]
            .get_or_init(|| self.fill(brick_at, cell_mm, surface, seed));
        let local: [usize; 3] = std::array::from_fn(|k| cell[k] - brick_at[k] * CELLS);
        brick.sample(&local, &t, cell_mm)
    }

    fn fill(
        &self,
        brick_at: [usize; 3],
        cell_mm: f64,
        surface: &MeshDistance,
        seed: &dyn Fn(&Nearest) -> Option<PlaceSeed>,
    ) -> Brick {
        let mut distance = Vec::with_capacity(DISTANCES * DISTANCES * DISTANCES);
        let mut seeds = Vec::with_capacity(CELLS * CELLS * CELLS);
        // A center is at most one cell further from the wall than its neighbor.
        let mut reach = [f64::INFINITY; 3];
        for z in 0..DISTANCES {
            for y in 0..DISTANCES {
                for x in 0..DISTANCES {
                    let at = [x, y, z];
                    let p: Vec3 = Vec3::from_fn(|k, _| {
                        self.origin_mm[k] + ((brick_at[k] * CELLS + at[k]) as f64 - 1.5) * cell_mm
                    });
                    let from = if x > 0 {
                        reach[0]
                    } else if y > 0 {
                        reach[1]
                    } else {
                        reach[2]
                    };
                    let near = surface.nearest_within(&p, from);
                    if at.iter().all(|i| (2..2 + CELLS).contains(i)) {
                        let seed = near.as_ref().and_then(seed);
                        seeds.push(seed.map_or([NO_VESSEL, 0], |s| [s.vessel, s.point]));
                    }
                    let inside_mm = near.map_or(-FAR_MM, |n| n.inside_mm);
                    distance.push(inside_mm);
                    reach[0] = inside_mm.abs() + cell_mm;
                    if x == 0 {
                        reach[1] = reach[0];
                        if y == 0 {
                            reach[2] = reach[0];
                        }
                    }
                }
            }
        }
        Brick { coefficients: coefficients(&distance), seeds: seeds.into_boxed_slice() }
    }
}

/// Those of a brick, from the distances at the centers of its cells and of two around.
fn coefficients(distance: &[f64]) -> Box<[f32]> {
    let mut out = Vec::with_capacity(COEFFICIENTS * COEFFICIENTS * COEFFICIENTS);
    for z in 1..=COEFFICIENTS {
        for y in 1..=COEFFICIENTS {
            for x in 1..=COEFFICIENTS {
                let at = (z * DISTANCES + y) * DISTANCES + x;
                let bend = |step: usize| distance[at - step] - 2.0 * distance[at] + distance[at + step];
                let all = bend(1) + bend(DISTANCES) + bend(DISTANCES * DISTANCES);
                out.push((distance[at] - all / 8.0) as f32);
            }
        }
    }
    out.into_boxed_slice()
}

/// Second derivatives of the weights of [`spline`], 1/cell2.
const SECOND: [f64; 3] = [1.0, -2.0, 1.0];

/// Quadratic B-spline: weights of the three nodes around a place `t` cells from the middle one, and their slopes, 1/cell.
pub(super) fn spline(t: f64) -> ([f64; 3], [f64; 3]) {
    let (down, up) = (0.5 - t, 0.5 + t);
    ([0.5 * down * down, 0.75 - t * t, 0.5 * up * up], [-down, -2.0 * t, up])
}

impl Brick {
    fn sample(&self, cell: &[usize; 3], t: &[f64; 3], cell_mm: f64) -> Sample {
        let [(wx, sx), (wy, sy), (wz, sz)] = t.map(spline);
        let (mut inside_mm, mut gradient) = (0.0, Vec3::zeros());
        // Second derivatives: along x, y, z, then mixed.
        let (mut own, mut mixed) = (Vec3::zeros(), Vec3::zeros());
        for k in 0..3 {
            for j in 0..3 {
                let from = ((cell[2] + k) * COEFFICIENTS + cell[1] + j) * COEFFICIENTS + cell[0];
                let [a, b, c] = [0, 1, 2].map(|i| f64::from(self.coefficients[from + i]));
                let value = wx[0] * a + wx[1] * b + wx[2] * c;
                let slope = sx[0] * a + sx[1] * b + sx[2] * c;
                inside_mm += wy[j] * wz[k] * value;
                gradient += Vec3::new(wy[j] * wz[k] * slope, sy[j] * wz[k] * value, wy[j] * sz[k] * value);
                let turn = a - 2.0 * b + c;
                own += Vec3::new(wy[j] * wz[k] * turn, SECOND[j] * wz[k] * value, wy[j] * SECOND[k] * value);
                mixed += Vec3::new(sy[j] * wz[k] * slope, wy[j] * sz[k] * slope, sy[j] * sz[k] * value);
            }
        }
        let [vessel, point] = self.seeds[(cell[2] * CELLS + cell[1]) * CELLS + cell[0]];
        let seed = (vessel != NO_VESSEL).then_some(PlaceSeed { vessel, point });
        let [xy, xz, yz] = [mixed.x, mixed.y, mixed.z];
        let bend = Mat3::new(own.x, xy, xz, xy, own.y, yz, xz, yz, own.z);
        Sample { inside_mm, gradient: gradient / cell_mm, bend_per_mm: bend / (cell_mm * cell_mm), seed }
    }
}

/// The coarsest level whose cell is at most a sixth of the radius.
fn level_of(radius_mm: f64) -> u8 {
    let fitting = CELL_MM.iter().position(|cell| *cell <= radius_mm / 6.0 + 1e-9);
    fitting.unwrap_or(CELL_MM.len() - 1) as u8
}
