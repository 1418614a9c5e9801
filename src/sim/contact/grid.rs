//! A sparse grid of signed distances over a lumen mesh: cells of a sixth of the local radius, filled on first touch.
//!
//! Each node holds the exact distance and its gradient. In a cell, with trilinear weights `w_i` and offsets `r_i` from
//! the nodes, `f = sum w_i (d_i + g_i . r_i / 2)`: exact for quadratic fields, continuous, and its gradient turns
//! smoothly where the exact one jumps from facet to facet. Bricks of 8 x 8 x 8 cells are a pure function of the mesh,
//! so a value never depends on who asked first.

use std::sync::OnceLock;

use super::mesh_wall::PlaceSeed;
use crate::anatomy::{MeshDistance, Nearest};
use crate::math::Vec3;

/// Cells along a brick's side.
const CELLS: usize = 8;
/// Nodes along a brick's side.
const NODES: usize = CELLS + 1;
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
/// In a node's seed: no vessel.
const NO_VESSEL: u32 = u32::MAX;
/// In a block's level: it changes within the block.
const MIXED: u8 = u8::MAX;

/// Signed distance at a point, from the grid.
pub(super) struct Sample {
    /// Distance, mm: positive inside.
    pub(super) inside_mm: f64,
    /// Its gradient, not normalized.
    pub(super) gradient: Vec3,
    /// Seed of the wall nearest to the closest node.
    pub(super) seed: Option<PlaceSeed>,
}

struct Brick {
    /// Distance and gradient per node, x fastest.
    field: Box<[[f32; 4]]>,
    /// Vessel and point.
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
        let wanted = self.mixed_level(&at, &q);
        let low = (wanted as usize).min(CELL_MM.len() - 2);
        let share = wanted - low as f64;
        let fine = self.level_sample(block, low, p_mm, &at, surface, seed);
        let finer = self.level_sample(block, low + 1, p_mm, &at, surface, seed);
        Some(Sample {
            inside_mm: fine.inside_mm + share * (finer.inside_mm - fine.inside_mm),
            gradient: fine.gradient + (finer.gradient - fine.gradient) * share,
            seed: finer.seed,
        })
    }

    fn corner_levels(&self, at: &[usize; 3]) -> [u8; 8] {
        std::array::from_fn(|c| {
            self.corner_level[self.corner_index(at[0] + (c & 1), at[1] + (c >> 1 & 1), at[2] + (c >> 2))]
        })
    }

    /// The wanted level between the corners of a block, a real number.
    fn mixed_level(&self, at: &[usize; 3], q: &Vec3) -> f64 {
        let levels = self.corner_levels(at);
        let weight = |c: usize, k: usize| {
            let t = q[k] - at[k] as f64;
            if c >> k & 1 == 1 { t } else { 1.0 - t }
        };
        (0..8).map(|c| f64::from(levels[c]) * weight(c, 0) * weight(c, 1) * weight(c, 2)).sum()
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
        // Cell in the whole grid, kept within the block against rounding at its faces.
        let mut cell = [0_usize; 3];
        let mut t = [0.0_f64; 3];
        for k in 0..3 {
            let u = (p_mm[k] - self.origin_mm[k]) / cell_mm;
            let first = at[k] * per_side * CELLS;
            cell[k] = (u as usize).clamp(first, first + per_side * CELLS - 1);
            t[k] = (u - cell[k] as f64).clamp(0.0, 1.0);
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
        let count = NODES * NODES * NODES;
        let mut field = Vec::with_capacity(count);
        let mut seeds = Vec::with_capacity(count);
        // A node is at most one cell further from the wall than its neighbor.
        let mut reach = [f64::INFINITY; 3];
        for z in 0..NODES {
            for y in 0..NODES {
                for x in 0..NODES {
                    let node = [x, y, z];
                    let p: Vec3 = Vec3::from_fn(|k, _| {
                        self.origin_mm[k] + (brick_at[k] * CELLS + node[k]) as f64 * cell_mm
                    });
                    let from = if x > 0 {
                        reach[0]
                    } else if y > 0 {
                        reach[1]
                    } else {
                        reach[2]
                    };
                    let Some(near) = surface.nearest_within(&p, from) else {
                        field.push([-1e6, 0.0, 0.0, 1.0]);
                        seeds.push([NO_VESSEL, 0]);
                        continue;
                    };
                    reach[0] = near.inside_mm.abs() + cell_mm;
                    if x == 0 {
                        reach[1] = reach[0];
                        if y == 0 {
                            reach[2] = reach[0];
                        }
                    }
                    let g = near.inward;
                    field.push([near.inside_mm as f32, g.x as f32, g.y as f32, g.z as f32]);
                    seeds.push(seed(&near).map_or([NO_VESSEL, 0], |s| [s.vessel, s.point]));
                }
            }
        }
        Brick { field: field.into_boxed_slice(), seeds: seeds.into_boxed_slice() }
    }
}

impl Brick {
    fn sample(&self, cell: &[usize; 3], t: &[f64; 3], cell_mm: f64) -> Sample {
        let base = (cell[2] * NODES + cell[1]) * NODES + cell[0];
        let inverse = 1.0 / cell_mm;
        let [tx, ty, tz] = *t;
        // Along y and z: weight of the row, its slope, and the offset from the row's nodes, by which end it is.
        let ends = |t: f64| [(1.0 - t, -inverse, t), (t, inverse, t - 1.0)];
        let (along_y, along_z) = (ends(ty), ends(tz));
        let (mut inside_mm, mut gradient, mut blended) = (0.0, Vec3::zeros(), Vec3::zeros());
        for (k, (wz, sz, rz)) in along_z.into_iter().enumerate() {
            for (j, (wy, sy, ry)) in along_y.into_iter().enumerate() {
                let row = &self.field[base + (k * NODES + j) * NODES..][..2];
                let [d0, x0, y0, z0] = row[0].map(f64::from);
                let [d1, x1, y1, z1] = row[1].map(f64::from);
                let v0 = d0 + 0.5 * cell_mm * (x0 * tx + y0 * ry + z0 * rz);
                let v1 = d1 + 0.5 * cell_mm * (x1 * (tx - 1.0) + y1 * ry + z1 * rz);
                let value = v0 + tx * (v1 - v0);
                let w = wy * wz;
                inside_mm += w * value;
                gradient += Vec3::new(w * (v1 - v0) * inverse, sy * wz * value, wy * sz * value);
                blended += Vec3::new(x0 + tx * (x1 - x0), y0 + tx * (y1 - y0), z0 + tx * (z1 - z0)) * w;
            }
        }
        gradient += blended * 0.5;
        let near = |k: usize| cell[k] + usize::from(t[k] >= 0.5);
        let [vessel, point] = self.seeds[(near(2) * NODES + near(1)) * NODES + near(0)];
        let seed = (vessel != NO_VESSEL).then_some(PlaceSeed { vessel, point });
        Sample { inside_mm, gradient, seed }
    }
}

/// The coarsest level whose cell is at most a sixth of the radius.
fn level_of(radius_mm: f64) -> u8 {
    let fitting = CELL_MM.iter().position(|cell| *cell <= radius_mm / 6.0 + 1e-9);
    fitting.unwrap_or(CELL_MM.len() - 1) as u8
}
