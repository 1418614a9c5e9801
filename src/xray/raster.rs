//! Exact rasterization of triangles on the detector: who crosses which ray where, and the unevenness of spongiosa.

use super::geometry::Projection;
use crate::math::Vec3;

/// Spongiosa is uneven: its density varies by this share (standard deviation about half of it) ...
const SPONGIOSA_VARIATION: f64 = 0.5;
/// ... over this length, mm `[K]`.
const SPONGIOSA_CELL_MM: f64 = 2.2;
/// Sub-pixel steps of the rasterizer.
const SUB: f64 = 256.0;

#[derive(Clone, Copy, Debug)]
pub(super) struct Triangle {
    pub(super) corners: [u32; 3],
    pub(super) surface: u16,
}

/// Where the rays of some rows pass the listed triangles.
pub(super) fn crossings(
    triangles: &[Triangle],
    projection: &Projection,
    vertices_mm: &[Vec3],
    corners: &[Option<Projected>],
    list: &[u32],
    first_row: usize,
    rows: usize,
) -> Vec<Crossing> {
    let mut out = Vec::with_capacity(list.len() * 4);
    for &i in list {
        let t = triangles[i as usize];
        let [Some(a), Some(b), Some(c)] = t.corners.map(|v| corners[v as usize]) else { continue };
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        if area == 0 {
            continue;
        }
        let enters = area > 0; // rows run down: see `Projected`
        let raster = if enters { [a, b, c] } else { [a, c, b] };
        let x_lo = first_center(a.x.min(b.x).min(c.x)).max(0);
        let x_hi = last_center(a.x.max(b.x).max(c.x)).min(projection.columns as i64 - 1);
        let y_lo = first_center(a.y.min(b.y).min(c.y)).max(first_row as i64);
        let y_hi = last_center(a.y.max(b.y).max(c.y)).min((first_row + rows) as i64 - 1);
        if x_lo > x_hi || y_lo > y_hi {
            continue;
        }
        let edges = [(0, 1), (1, 2), (2, 0)].map(|(p, q)| Edge::of(&raster[p], &raster[q]));
        // Most triangles of a coarse raster lie between its rays and need no plane.
        let mut plane = None;
        for row in y_lo..=y_hi {
            let center = |i: i64| i * SUB as i64 + SUB as i64 / 2;
            let mut sides = edges.each_ref().map(|e| e.inside(center(x_lo), center(row)));
            for column in x_lo..=x_hi {
                // Inside of all three: no sign bit among them.
                let holds = (sides[0] | sides[1] | sides[2]) >= 0;
                for (side, e) in sides.iter_mut().zip(&edges) {
                    *side = side.wrapping_sub(e.dy * SUB as i64);
                }
                if holds {
                    let plane = plane.get_or_insert_with(|| {
                        let depths = [a, b, c].map(|p| p.depth_mm);
                        let range = (
                            depths[0].min(depths[1]).min(depths[2]),
                            depths[0].max(depths[1]).max(depths[2]),
                        );
                        DepthPlane::of(&t.corners.map(|v| vertices_mm[v as usize]), projection, range)
                    });
                    out.push(Crossing {
                        pixel: (row as usize - first_row) as u32 * projection.columns as u32 + column as u32,
                        depth_mm: plane.depth_mm(column as f64 + 0.5, row as f64 + 0.5) as f32,
                        surface: t.surface,
                        enters,
                    });
                }
            }
        }
    }
    out
}

/// Mean relative density of spongiosa on a pixel's ray between two depths, from a random field fixed in the patient.
pub(super) fn spongiosa(
    projection: &Projection,
    first_row: usize,
    pixel: usize,
    from_mm: f64,
    to_mm: f64,
) -> f64 {
    let (column, row) = (pixel % projection.columns, first_row + pixel / projection.columns);
    let scale = projection.pixel_mm / projection.sid_mm;
    let ray = projection.towards_detector
        + projection.right * ((column as f64 + 0.5 - projection.columns as f64 / 2.0) * scale)
        + projection.up * ((projection.rows as f64 / 2.0 - row as f64 - 0.5) * scale);
    let steps = ((to_mm - from_mm) / SPONGIOSA_CELL_MM).ceil().clamp(1.0, 64.0) as u32;
    let step = (to_mm - from_mm) / f64::from(steps);
    let sum: f64 = (0..steps)
        .map(|k| lattice_noise(&(projection.source_mm + ray * (from_mm + (f64::from(k) + 0.5) * step))))
        .sum();
    1.0 + SPONGIOSA_VARIATION * sum / f64::from(steps)
}

/// Value noise between -1 and 1: random numbers on a lattice turned against the body's axes, linear between.
pub(super) fn lattice_noise(p_mm: &Vec3) -> f64 {
    let q = [
        p_mm.x * 0.8 - p_mm.y * 0.36 + p_mm.z * 0.48,
        p_mm.x * 0.6 + p_mm.y * 0.48 - p_mm.z * 0.64,
        p_mm.y * 0.8 + p_mm.z * 0.6,
    ]
    .map(|v| v / SPONGIOSA_CELL_MM);
    // The cast rounds towards zero.
    let cell = q.map(|v| v as i64 - i64::from(v < (v as i64) as f64));
    let t: [f64; 3] = std::array::from_fn(|i| q[i] - cell[i] as f64);
    const PRIMES: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let keys: [[u64; 2]; 3] = std::array::from_fn(|i| {
        let low = (cell[i] as u64).wrapping_mul(PRIMES[i]);
        [low, low.wrapping_add(PRIMES[i])]
    });
    let weights = t.map(|t| [1.0 - t, t]);
    let mut sum = 0.0;
    for corner in 0..8 {
        let bit = [corner & 1, corner >> 1 & 1, corner >> 2];
        let weight = weights[0][bit[0]] * weights[1][bit[1]] * weights[2][bit[2]];
        let key = keys[0][bit[0]] ^ keys[1][bit[1]] ^ keys[2][bit[2]];
        let mixed = (key ^ key >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        sum += weight * ((mixed >> 40) as f64 / (1_u64 << 23) as f64 - 1.0);
    }
    sum
}

/// Length of a ray per unit of depth along the central ray.
pub fn slant(projection: &Projection, column: f64, row: f64) -> f64 {
    let x = (column - projection.columns as f64 / 2.0) * projection.pixel_mm / projection.sid_mm;
    let y = (projection.rows as f64 / 2.0 - row) * projection.pixel_mm / projection.sid_mm;
    (1.0 + x * x + y * y).sqrt()
}

/// A vertex on the raster, in 1/256 pixel. Columns, rows and depth are left-handed (rows run down), so a triangle that is
/// counter-clockwise from outside and faces the source has positive area here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projected {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) depth_mm: f64,
}

impl Projected {
    pub(super) fn of(v_mm: &Vec3, projection: &Projection) -> Option<Self> {
        let (column, row, magnification) = projection.project(v_mm)?;
        let bounded = |v: f64| (v.clamp(-1e6, 1e6) * SUB).round() as i64;
        Some(Self { x: bounded(column), y: bounded(row), depth_mm: projection.sid_mm / magnification })
    }
}

/// First pixel whose center is at or after a sub-pixel coordinate.
pub(super) fn first_center(v: i64) -> i64 {
    (v - SUB as i64 / 2).div_euclid(SUB as i64) + i64::from((v - SUB as i64 / 2).rem_euclid(SUB as i64) != 0)
}

/// Last pixel whose center is at or before a sub-pixel coordinate.
pub(super) fn last_center(v: i64) -> i64 {
    (v - SUB as i64 / 2).div_euclid(SUB as i64)
}

/// A directed edge with its fill rule: a center on an edge belongs to exactly one of the two triangles that share it.
pub(super) struct Edge {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) dx: i64,
    pub(super) dy: i64,
    pub(super) owns_its_points: bool,
}

impl Edge {
    pub(super) fn of(p: &Projected, q: &Projected) -> Self {
        let (dx, dy) = (q.x - p.x, q.y - p.y);
        Self { x: p.x, y: p.y, dx, dy, owns_its_points: dy > 0 || (dy == 0 && dx < 0) }
    }

    /// Not negative where the edge holds a point.
    pub(super) fn inside(&self, x: i64, y: i64) -> i64 {
        self.dx * (y - self.y) - self.dy * (x - self.x) - i64::from(!self.owns_its_points)
    }
}

/// Depth of a triangle's plane at a pixel, kept within the triangle's own depths (edge-on triangles).
pub(super) struct DepthPlane {
    /// The plane is at `offset / (a + b column + c row)`.
    pub(super) offset: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
    pub(super) range: (f64, f64),
}

impl DepthPlane {
    pub(super) fn of(corners_mm: &[Vec3; 3], projection: &Projection, range: (f64, f64)) -> Self {
        let normal = (corners_mm[1] - corners_mm[0]).cross(&(corners_mm[2] - corners_mm[0]));
        let scale = projection.pixel_mm / projection.sid_mm;
        let (b, c) = (normal.dot(&projection.right) * scale, -normal.dot(&projection.up) * scale);
        let (half_columns, half_rows) = (projection.columns as f64 / 2.0, projection.rows as f64 / 2.0);
        Self {
            offset: normal.dot(&(corners_mm[0] - projection.source_mm)),
            a: normal.dot(&projection.towards_detector) - b * half_columns - c * half_rows,
            b,
            c,
            range,
        }
    }

    pub(super) fn depth_mm(&self, column: f64, row: f64) -> f64 {
        let depth = self.offset / (self.a + self.b * column + self.c * row);
        if depth.is_finite() { depth.clamp(self.range.0, self.range.1) } else { self.range.0 }
    }
}

pub(super) struct Crossing {
    pub(super) pixel: u32,
    pub(super) depth_mm: f32,
    pub(super) surface: u16,
    pub(super) enters: bool,
}

impl Crossing {
    /// Orders by depth, then surface, entries before exits.
    pub(super) fn key(&self) -> u64 {
        // Bits of positive floats order as the floats do.
        u64::from(self.depth_mm.to_bits()) << 32 | u64::from(self.surface) << 1 | u64::from(!self.enters)
    }

    pub(super) fn of_key(key: u64) -> (f64, usize, bool) {
        (f64::from(f32::from_bits((key >> 32) as u32)), (key as u32 >> 1) as usize, key & 1 == 0)
    }
}

/// Surfaces that a ray is inside of.
pub(super) struct OpenSurfaces {
    pub(super) depth_in: Vec<i16>,
    pub(super) words: Vec<u64>,
}

impl OpenSurfaces {
    pub(super) fn new(surfaces: usize) -> Self {
        Self { depth_in: vec![0; surfaces], words: vec![0; surfaces.div_ceil(64)] }
    }

    pub(super) fn clear(&mut self) {
        self.depth_in.fill(0);
        self.words.fill(0);
    }

    pub(super) fn cross(&mut self, surface: usize, enters: bool) {
        let n = &mut self.depth_in[surface];
        *n += if enters { 1 } else { -1 };
        let bit = 1 << (surface % 64);
        if *n > 0 {
            self.words[surface / 64] |= bit;
        } else {
            self.words[surface / 64] &= !bit;
        }
    }

    pub(super) fn innermost(&self) -> Option<usize> {
        let word = self.words.iter().rposition(|w| *w != 0)?;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }
}
