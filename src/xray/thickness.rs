//! What lies between source and detector: areal densities along rays through closed body surfaces.
//!
//! Every body substance is written as a mixture of water and cortical bone with the same attenuation at two energies
//! (Alvarez and Macovski 1976), so a ray is two numbers. Rays are the pixel centers of a [`Projection`]; crossings with
//! the triangles come from an exact fixed-point rasterization (shared edges are crossed once), are sorted by depth,
//! and the innermost listed surface fills each stretch.

use rayon::prelude::*;

use super::attenuation::Substance;
use super::geometry::{CArm, Projection};
use crate::anatomy::{Anatomy, BodySurface, Mesh, VesselTree};
use crate::math::Vec3;

/// Thickness of the carbon fiber table top, mm.
pub const TABLE_TOP_MM: f64 = 6.0;
/// Half width of the table top, mm.
const TABLE_HALF_WIDTH_MM: f64 = 260.0;
/// Energies at which water and bone reproduce a substance, keV.
const BASIS_ENERGIES_KEV: (f64, f64) = (45.0, 75.0);
/// Energy at which thickness is called water-equivalent, keV.
const WATER_EQUIVALENT_KEV: f64 = 60.0;
/// Rays per side of the fan of the exposure control.
pub const FAN_RAYS: usize = 16;
/// Rays with less than this are beside the patient, mm of water.
const BESIDE_PATIENT_MM: f64 = 20.0;
/// Spongiosa is uneven: its density varies by this share (standard deviation about half of it) ...
const SPONGIOSA_VARIATION: f64 = 0.5;
/// ... over this length, mm `[K]`.
const SPONGIOSA_CELL_MM: f64 = 2.2;
/// Rows rasterized at a time.
const BAND_ROWS: usize = 8;
/// Sub-pixel steps of the rasterizer.
const SUB: f64 = 256.0;

/// Grams per cm2 of water and of cortical bone that attenuate like 1 g/cm2 of a substance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WaterBone {
    /// Water share.
    pub water: f64,
    /// Cortical bone share.
    pub bone: f64,
}

impl WaterBone {
    /// Solves `mu(E) = water mu_w(E) + bone mu_b(E)` at the two basis energies.
    pub fn of(substance: Substance) -> Self {
        let mu = |s: Substance, e: f64| s.mass_attenuation_cm2_per_g(e);
        let (e1, e2) = BASIS_ENERGIES_KEV;
        let (w1, w2) = (mu(Substance::Water, e1), mu(Substance::Water, e2));
        let (b1, b2) = (mu(Substance::CorticalBone, e1), mu(Substance::CorticalBone, e2));
        let (s1, s2) = (mu(substance, e1), mu(substance, e2));
        let det = w1 * b2 - w2 * b1;
        Self { water: (s1 * b2 - s2 * b1) / det, bone: (w1 * s2 - w2 * s1) / det }
    }
}

/// Areal densities per pixel, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArealMap {
    /// Water, g/cm2.
    pub water_g_per_cm2: Vec<f32>,
    /// Cortical bone, g/cm2.
    pub bone_g_per_cm2: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Triangle {
    corners: [u32; 3],
    surface: u16,
}

/// All closed surfaces of a patient, and the table under it, ready for projection.
#[derive(Clone, Debug, Default)]
pub struct BodyModel {
    vertices_mm: Vec<Vec3>,
    triangles: Vec<Triangle>,
    /// Per surface: g/cm2 of water and bone for 1 mm of path.
    fills: Vec<WaterBone>,
    /// Per surface: filled with spongiosa.
    uneven: Vec<bool>,
    /// Triangles of the table top come last, from here.
    table_from: usize,
}

impl BodyModel {
    /// The body of an anatomy on its table; an anatomy without body surfaces lies in an elliptic cylinder of soft tissue.
    pub fn new(anatomy: &Anatomy) -> Self {
        if anatomy.body.is_empty() {
            let skin = Mesh::elliptic_cylinder_around(&anatomy.tree);
            return Self::of_meshes(&[(&skin, Substance::SoftTissue, 1.06)]);
        }
        Self::from_surfaces(&anatomy.body)
    }

    /// The given surfaces on a table.
    pub fn from_surfaces(surfaces: &[BodySurface]) -> Self {
        let listed: Vec<(&Mesh, Substance, f64)> = surfaces
            .iter()
            .map(|s| (&s.mesh, Substance::of_material(s.material), s.density_g_per_cm3))
            .collect();
        Self::of_meshes(&listed)
    }

    fn of_meshes(listed: &[(&Mesh, Substance, f64)]) -> Self {
        let mut model = Self::default();
        for (mesh, substance, density) in listed {
            model.push(mesh, *substance, *density);
        }
        model.table_from = model.triangles.len();
        let mut lowest: Option<Vec3> = None;
        let mut z_range = (f64::INFINITY, f64::NEG_INFINITY);
        for v in &model.vertices_mm {
            z_range = (z_range.0.min(v.z), z_range.1.max(v.z));
            if lowest.is_none_or(|l| v.y > l.y) {
                lowest = Some(*v);
            }
        }
        if let Some(lowest) = lowest {
            let half =
                Vec3::new(TABLE_HALF_WIDTH_MM, 0.5 * TABLE_TOP_MM, 0.5 * (z_range.1 - z_range.0) + 300.0);
            let center = Vec3::new(0.0, lowest.y + 0.5 * TABLE_TOP_MM, 0.5 * (z_range.0 + z_range.1));
            let density = Substance::CarbonFiber.density_g_per_cm3();
            model.push(&box_mesh(&center, &half), Substance::CarbonFiber, density);
        }
        model
    }

    fn push(&mut self, mesh: &Mesh, substance: Substance, density_g_per_cm3: f64) {
        let first = self.vertices_mm.len() as u32;
        let surface = self.fills.len() as u16;
        let per_mm = density_g_per_cm3 / 10.0;
        let basis = WaterBone::of(substance);
        self.fills.push(WaterBone { water: basis.water * per_mm, bone: basis.bone * per_mm });
        self.uneven.push(substance == Substance::TrabecularBone);
        // A surface wound inwards would subtract: its triangles are turned.
        let inwards = mesh.signed_volume_mm3() < 0.0;
        self.vertices_mm.extend_from_slice(&mesh.vertices_mm);
        self.triangles.extend(mesh.triangles.iter().map(|t| {
            let [a, b, c] = t.map(|i| i + first);
            Triangle { corners: if inwards { [a, c, b] } else { [a, b, c] }, surface }
        }));
    }

    /// Areal densities along the ray to each pixel center, table top included.
    pub fn project(&self, projection: &Projection) -> ArealMap {
        self.rasterize(projection, self.triangles.len())
    }

    /// Mean water-equivalent thickness (60 keV) of the patient over a fan of 16 x 16 rays in the open field, mm; rays
    /// beside the patient are left out as long as one meets the patient. The table top is not counted.
    pub fn water_equivalent_mm(&self, arm: &CArm) -> f64 {
        let projection = arm.projection(FAN_RAYS);
        let map = self.rasterize(&projection, self.table_from);
        let bone_as_water = Substance::CorticalBone.mass_attenuation_cm2_per_g(WATER_EQUIVALENT_KEV)
            / Substance::Water.mass_attenuation_cm2_per_g(WATER_EQUIVALENT_KEV);
        let (mut sum, mut count) = (0.0, 0_u32);
        for row in 0..FAN_RAYS {
            for column in 0..FAN_RAYS {
                let i = row * FAN_RAYS + column;
                let water =
                    f64::from(map.water_g_per_cm2[i]) + f64::from(map.bone_g_per_cm2[i]) * bone_as_water;
                let thickness_mm = water * 10.0;
                let open = arm
                    .is_open((column as f64 + 0.5) / FAN_RAYS as f64, (row as f64 + 0.5) / FAN_RAYS as f64);
                if open && thickness_mm > BESIDE_PATIENT_MM {
                    sum += thickness_mm;
                    count += 1;
                }
            }
        }
        if count == 0 { 0.0 } else { sum / f64::from(count) }
    }

    fn rasterize(&self, projection: &Projection, triangles: usize) -> ArealMap {
        let (columns, rows) = (projection.columns, projection.rows);
        let corners: Vec<Option<Projected>> =
            self.vertices_mm.par_iter().map(|v| Projected::of(v, projection)).collect();
        let bands = rows.div_ceil(BAND_ROWS);
        let in_band = self.triangles_by_band(&corners, triangles, rows);
        let mut map = ArealMap {
            water_g_per_cm2: vec![0.0; columns * rows],
            bone_g_per_cm2: vec![0.0; columns * rows],
        };
        let size = BAND_ROWS * columns;
        debug_assert!(in_band.len() == bands);
        map.water_g_per_cm2
            .par_chunks_mut(size)
            .zip(map.bone_g_per_cm2.par_chunks_mut(size))
            .zip(in_band.par_iter())
            .enumerate()
            .for_each(|(band, ((water, bone), list))| {
                let crossings =
                    self.crossings(projection, &corners, list, band * BAND_ROWS, water.len() / columns);
                self.fill(projection, band * BAND_ROWS, crossings, water, bone);
            });
        map
    }

    fn triangles_by_band(
        &self,
        corners: &[Option<Projected>],
        triangles: usize,
        rows: usize,
    ) -> Vec<Vec<u32>> {
        let bands = rows.div_ceil(BAND_ROWS);
        let mut lists = vec![Vec::new(); bands];
        for (i, t) in self.triangles[..triangles].iter().enumerate() {
            let [Some(a), Some(b), Some(c)] = t.corners.map(|v| corners[v as usize]) else { continue };
            let lo = first_center(a.y.min(b.y).min(c.y)).max(0);
            let hi = last_center(a.y.max(b.y).max(c.y)).min(rows as i64 - 1);
            if lo > hi || first_center(a.x.min(b.x).min(c.x)) > last_center(a.x.max(b.x).max(c.x)) {
                continue;
            }
            for list in &mut lists[lo as usize / BAND_ROWS..=hi as usize / BAND_ROWS] {
                list.push(i as u32);
            }
        }
        lists
    }

    fn crossings(
        &self,
        projection: &Projection,
        corners: &[Option<Projected>],
        list: &[u32],
        first_row: usize,
        rows: usize,
    ) -> Vec<Crossing> {
        let mut out = Vec::with_capacity(list.len() * 4);
        for &i in list {
            let t = self.triangles[i as usize];
            let [Some(a), Some(b), Some(c)] = t.corners.map(|v| corners[v as usize]) else { continue };
            let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
            if area == 0 {
                continue;
            }
            let enters = area > 0; // rows run down: see `Projected`
            let raster = if enters { [a, b, c] } else { [a, c, b] };
            let plane = DepthPlane::of(
                &t.corners.map(|v| self.vertices_mm[v as usize]),
                projection,
                (a.depth_mm.min(b.depth_mm).min(c.depth_mm), a.depth_mm.max(b.depth_mm).max(c.depth_mm)),
            );
            let x_lo = first_center(a.x.min(b.x).min(c.x)).max(0);
            let x_hi = last_center(a.x.max(b.x).max(c.x)).min(projection.columns as i64 - 1);
            let y_lo = first_center(a.y.min(b.y).min(c.y)).max(first_row as i64);
            let y_hi = last_center(a.y.max(b.y).max(c.y)).min((first_row + rows) as i64 - 1);
            let edges = [(0, 1), (1, 2), (2, 0)].map(|(p, q)| Edge::of(&raster[p], &raster[q]));
            for row in y_lo..=y_hi {
                for column in x_lo..=x_hi {
                    let (px, py) = (column * SUB as i64 + SUB as i64 / 2, row * SUB as i64 + SUB as i64 / 2);
                    if edges.iter().all(|e| e.holds(px, py)) {
                        out.push(Crossing {
                            pixel: (row as usize - first_row) as u32 * projection.columns as u32
                                + column as u32,
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

    fn fill(
        &self,
        projection: &Projection,
        first_row: usize,
        crossings: Vec<Crossing>,
        water: &mut [f32],
        bone: &mut [f32],
    ) {
        // Counting sort by pixel, then each pixel's few crossings by depth.
        let mut start = vec![0_u32; water.len() + 1];
        for c in &crossings {
            start[c.pixel as usize + 1] += 1;
        }
        for i in 0..water.len() {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut keys = vec![0_u64; crossings.len()];
        for c in &crossings {
            let at = &mut next[c.pixel as usize];
            keys[*at as usize] = c.key();
            *at += 1;
        }
        let mut open = OpenSurfaces::new(self.fills.len());
        for pixel in 0..water.len() {
            let of_pixel = &mut keys[start[pixel] as usize..start[pixel + 1] as usize];
            if of_pixel.is_empty() {
                continue;
            }
            of_pixel.sort_unstable();
            let (mut w, mut b, mut from) = (0.0_f64, 0.0_f64, 0.0_f64);
            open.clear();
            for key in of_pixel.iter() {
                let (depth, surface, enters) = Crossing::of_key(*key);
                if let Some(inside) = open.innermost() {
                    let fill = self.fills[inside];
                    let mut length = depth - from;
                    if self.uneven[inside] && length > 0.0 {
                        length *= spongiosa(projection, first_row, pixel, from, depth);
                    }
                    w += length * fill.water;
                    b += length * fill.bone;
                }
                from = depth;
                open.cross(surface, enters);
            }
            let row = first_row + pixel / projection.columns;
            let slant = slant(projection, (pixel % projection.columns) as f64 + 0.5, row as f64 + 0.5);
            water[pixel] = (w * slant) as f32;
            bone[pixel] = (b * slant) as f32;
        }
    }
}

/// Mean relative density of spongiosa on a pixel's ray between two depths, from a random field fixed in the patient.
fn spongiosa(projection: &Projection, first_row: usize, pixel: usize, from_mm: f64, to_mm: f64) -> f64 {
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
fn lattice_noise(p_mm: &Vec3) -> f64 {
    let q = [
        p_mm.x * 0.8 - p_mm.y * 0.36 + p_mm.z * 0.48,
        p_mm.x * 0.6 + p_mm.y * 0.48 - p_mm.z * 0.64,
        p_mm.y * 0.8 + p_mm.z * 0.6,
    ]
    .map(|v| v / SPONGIOSA_CELL_MM);
    let cell = q.map(f64::floor);
    let t: [f64; 3] = std::array::from_fn(|i| q[i] - cell[i]);
    let [x, y, z] = cell.map(|v| v as i64 as u64);
    let mut sum = 0.0;
    for corner in 0..8_u64 {
        let bit = [corner & 1, corner >> 1 & 1, corner >> 2];
        let weight: f64 = (0..3).map(|i| if bit[i] == 1 { t[i] } else { 1.0 - t[i] }).product();
        let key = (x.wrapping_add(bit[0])).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (y.wrapping_add(bit[1])).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ (z.wrapping_add(bit[2])).wrapping_mul(0x1656_67b1_9e37_79f9);
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
struct Projected {
    x: i64,
    y: i64,
    depth_mm: f64,
}

impl Projected {
    fn of(v_mm: &Vec3, projection: &Projection) -> Option<Self> {
        let (column, row, magnification) = projection.project(v_mm)?;
        let bounded = |v: f64| (v.clamp(-1e6, 1e6) * SUB).round() as i64;
        Some(Self { x: bounded(column), y: bounded(row), depth_mm: projection.sid_mm / magnification })
    }
}

/// First pixel whose center is at or after a sub-pixel coordinate.
fn first_center(v: i64) -> i64 {
    (v - SUB as i64 / 2).div_euclid(SUB as i64) + i64::from((v - SUB as i64 / 2).rem_euclid(SUB as i64) != 0)
}

/// Last pixel whose center is at or before a sub-pixel coordinate.
fn last_center(v: i64) -> i64 {
    (v - SUB as i64 / 2).div_euclid(SUB as i64)
}

/// A directed edge with its fill rule: a center on an edge belongs to exactly one of the two triangles that share it.
struct Edge {
    x: i64,
    y: i64,
    dx: i64,
    dy: i64,
    owns_its_points: bool,
}

impl Edge {
    fn of(p: &Projected, q: &Projected) -> Self {
        let (dx, dy) = (q.x - p.x, q.y - p.y);
        Self { x: p.x, y: p.y, dx, dy, owns_its_points: dy > 0 || (dy == 0 && dx < 0) }
    }

    fn holds(&self, x: i64, y: i64) -> bool {
        let side = self.dx * (y - self.y) - self.dy * (x - self.x);
        side > 0 || (side == 0 && self.owns_its_points)
    }
}

/// Depth of a triangle's plane at a pixel, kept within the triangle's own depths (edge-on triangles).
struct DepthPlane {
    /// The plane is at `offset / (a + b column + c row)`.
    offset: f64,
    a: f64,
    b: f64,
    c: f64,
    range: (f64, f64),
}

impl DepthPlane {
    fn of(corners_mm: &[Vec3; 3], projection: &Projection, range: (f64, f64)) -> Self {
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

    fn depth_mm(&self, column: f64, row: f64) -> f64 {
        let depth = self.offset / (self.a + self.b * column + self.c * row);
        if depth.is_finite() { depth.clamp(self.range.0, self.range.1) } else { self.range.0 }
    }
}

struct Crossing {
    pixel: u32,
    depth_mm: f32,
    surface: u16,
    enters: bool,
}

impl Crossing {
    /// Orders by depth, then surface, entries before exits.
    fn key(&self) -> u64 {
        // Bits of positive floats order as the floats do.
        u64::from(self.depth_mm.to_bits()) << 32 | u64::from(self.surface) << 1 | u64::from(!self.enters)
    }

    fn of_key(key: u64) -> (f64, usize, bool) {
        (f64::from(f32::from_bits((key >> 32) as u32)), (key as u32 >> 1) as usize, key & 1 == 0)
    }
}

/// Surfaces that a ray is inside of.
struct OpenSurfaces {
    depth_in: Vec<i16>,
    words: Vec<u64>,
}

impl OpenSurfaces {
    fn new(surfaces: usize) -> Self {
        Self { depth_in: vec![0; surfaces], words: vec![0; surfaces.div_ceil(64)] }
    }

    fn clear(&mut self) {
        self.depth_in.fill(0);
        self.words.fill(0);
    }

    fn cross(&mut self, surface: usize, enters: bool) {
        let n = &mut self.depth_in[surface];
        *n += if enters { 1 } else { -1 };
        let bit = 1 << (surface % 64);
        if *n > 0 {
            self.words[surface / 64] |= bit;
        } else {
            self.words[surface / 64] &= !bit;
        }
    }

    fn innermost(&self) -> Option<usize> {
        let word = self.words.iter().rposition(|w| *w != 0)?;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }
}

impl Mesh {
    /// A body for vessels that come without one: an elliptic cylinder along z, 60 mm wider than the vessels.
    pub(super) fn elliptic_cylinder_around(tree: &VesselTree) -> Self {
        let points = || tree.branches.iter().flat_map(|b| b.points.iter().map(|p| p.position_mm));
        if points().next().is_none() {
            return Self::default();
        }
        let lo = points().fold(Vec3::repeat(f64::INFINITY), |a, p| a.inf(&p));
        let hi = points().fold(Vec3::repeat(f64::NEG_INFINITY), |a, p| a.sup(&p));
        let center = (lo + hi) / 2.0;
        let half = (hi - lo) / 2.0 + Vec3::new(60.0, 60.0, 150.0);
        const SIDES: u32 = 64;
        let mut mesh = Self::default();
        for z in [center.z - half.z, center.z + half.z] {
            for k in 0..SIDES {
                let (s, c) = (std::f64::consts::TAU * f64::from(k) / f64::from(SIDES)).sin_cos();
                mesh.vertices_mm.push(Vec3::new(center.x + half.x * c, center.y + half.y * s, z));
            }
        }
        mesh.vertices_mm.push(Vec3::new(center.x, center.y, center.z - half.z));
        mesh.vertices_mm.push(Vec3::new(center.x, center.y, center.z + half.z));
        for k in 0..SIDES {
            let (a, b) = (k, (k + 1) % SIDES);
            let (c, d) = (a + SIDES, b + SIDES);
            mesh.triangles.extend([[a, b, d], [a, d, c], [b, a, 2 * SIDES], [c, d, 2 * SIDES + 1]]);
        }
        mesh
    }
}

fn box_mesh(center_mm: &Vec3, half_mm: &Vec3) -> Mesh {
    let vertices_mm = (0..8)
        .map(|i| {
            let sign = |bit: u32| if i >> bit & 1 == 1 { 1.0 } else { -1.0 };
            center_mm + half_mm.component_mul(&Vec3::new(sign(0), sign(1), sign(2)))
        })
        .collect();
    let quads: [[u32; 4]; 6] =
        [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let triangles = quads.iter().flat_map(|[a, b, c, d]| [[*a, *b, *c], [*a, *c, *d]]).collect();
    Mesh { vertices_mm, triangles }
}
