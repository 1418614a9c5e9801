//! What lies between source and detector: areal densities along rays through closed body surfaces.
//!
//! Every body substance is written as a mixture of water and cortical bone with the same attenuation at two energies
//! (Alvarez and Macovski 1976), so a ray is two numbers. Rays are the pixel centers of a [`Projection`]; crossings with
//! the triangles come from an exact fixed-point rasterization (shared edges are crossed once), are sorted by depth,
//! and the innermost listed surface fills each stretch.

use std::ops::Range;

use rayon::prelude::*;

use super::arms::{ArmSurface, Layer, arms};
use super::attenuation::Substance;
use super::geometry::{CArm, Projection};
pub use super::raster::slant;
use super::raster::{
    Crossing, OpenSurfaces, Projected, Triangle, crossings, first_center, last_center, spongiosa,
};
use crate::anatomy::breathing::beat_of_surface_mm;
use crate::anatomy::{Anatomy, BodySurface, Breathing, Material, Mesh, VesselTree};
use crate::math::Vec3;
use crate::scenario::Arms;

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
/// Rows rasterized at a time.
const BAND_ROWS: usize = 8;

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
    /// Per surface: it moves, so it belongs to the moving layer.
    moves: Vec<bool>,
    /// Displacement of every vertex at full breath in, and at the end of systole, mm; empty where nothing moves.
    breath_mm: Vec<Vec3>,
    beat_mm: Vec<Vec3>,
    /// Per surface: outline of the trunk, whose front breathes.
    is_wall: Vec<bool>,
    /// Per surface of an arm: the posture it belongs to.
    posture: Vec<Option<Arms>>,
    /// Where the arms are; none are there without.
    arms: Option<Arms>,
    /// Vertices of skin, and the posture that they belong to.
    skin: Vec<(Option<Arms>, Range<usize>)>,
    /// What surrounds the organs: its fill is taken off those of the moving layer.
    around: WaterBone,
}

/// Which surfaces a projection takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Everything at rest, with the table.
    All,
    /// Without the table.
    Patient,
    /// What neither breathes nor beats, with the table.
    Still,
    /// What does, as the difference to what surrounds it.
    Moving,
    /// Outlines of the trunk alone.
    Wall,
}

/// What is cast on the raster.
#[derive(Clone, Copy, Debug)]
struct Cast {
    part: Part,
    arms: Option<Arms>,
    spongiosa: Spongiosa,
}

/// Whether spongiosa is drawn with its grain, or even, as suits a first picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spongiosa {
    /// Grain.
    Uneven,
    /// The same density everywhere.
    Even,
}

/// How the patient lies as the exposure control sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Posture {
    /// Depth of breath, -1 (out) to 1 (in).
    pub breath: f64,
    /// Where the arms are; none are there without.
    pub arms: Option<Arms>,
}

/// Where the moving organs are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BodyMotion {
    /// Depth of breath, -1 (out) to 1 (in).
    pub breath: f64,
    /// Contraction of the heart, 0 to 1.
    pub contraction: f64,
}

impl BodyModel {
    /// The body of an anatomy on its table; an anatomy without body surfaces lies in an elliptic cylinder of soft tissue.
    pub fn new(anatomy: &Anatomy) -> Self {
        if anatomy.body.is_empty() {
            let skin = BodySurface {
                name: "trunk".to_owned(),
                material: Material::SoftTissue,
                density_g_per_cm3: 1.06,
                mesh: Mesh::elliptic_cylinder_around(&anatomy.tree),
            };
            return Self::from_surfaces(&[skin]);
        }
        let mut model = Self::default();
        // What overlaps counts as what is listed last: flesh of the arms below the trunk, their bones above it.
        let (bones, flesh): (Vec<_>, Vec<_>) =
            arms(anatomy).into_iter().partition(|a| a.layer == Layer::Bone);
        model.push_arms(&flesh);
        let (surfaces, vertices) = (model.fills.len(), model.vertices_mm.len());
        model.push_body(&anatomy.body);
        if let Some(breathing) = Breathing::of(anatomy) {
            model.set_in_motion(&anatomy.body, breathing, (surfaces, vertices));
        }
        model.push_arms(&bones);
        model.lay_on_table(&anatomy.body);
        model
    }

    fn push_arms(&mut self, surfaces: &[ArmSurface]) {
        for s in surfaces {
            let from = self.vertices_mm.len();
            self.push(&s.mesh, s.substance, s.density_g_per_cm3);
            if let Some(last) = self.posture.last_mut() {
                *last = Some(s.posture);
            }
            if s.layer == Layer::Skin {
                self.skin.push((Some(s.posture), from..self.vertices_mm.len()));
            }
        }
    }

    fn push_body(&mut self, surfaces: &[BodySurface]) {
        for (i, s) in surfaces.iter().enumerate() {
            let from = self.vertices_mm.len();
            self.push(&s.mesh, Substance::of_material(s.material), s.density_g_per_cm3);
            if i == 0 {
                self.skin.push((None, from..self.vertices_mm.len()));
            }
        }
    }

    /// Where the patient's arms are from now on; none are there without.
    pub fn set_arms(&mut self, arms: Option<Arms>) {
        self.arms = arms;
    }

    /// Where they are.
    pub fn arms(&self) -> Option<Arms> {
        self.arms
    }

    fn set_in_motion(
        &mut self,
        surfaces: &[BodySurface],
        breathing: Breathing,
        (first_surface, first_vertex): (usize, usize),
    ) {
        self.breath_mm = vec![Vec3::zeros(); self.vertices_mm.len()];
        self.beat_mm = self.breath_mm.clone();
        if let Some(i) = surfaces.iter().position(|s| s.name == "muscle") {
            self.around = self.fills[first_surface + i];
        }
        let mut first = first_vertex;
        for (i, surface) in surfaces.iter().enumerate() {
            let range = first..first + surface.mesh.vertices_mm.len();
            if let Some(breath_mm) = breathing.of_surface_mm(surface) {
                let is_wall = Breathing::is_wall(surface);
                self.is_wall[first_surface + i] = is_wall;
                self.moves[first_surface + i] = !is_wall;
                self.breath_mm[range.clone()].copy_from_slice(&breath_mm);
            }
            if let Some(beat_mm) = beat_of_surface_mm(surface) {
                self.beat_mm[range.clone()].copy_from_slice(&beat_mm);
            }
            first = range.end;
        }
    }

    /// Whether organs breathe, and whether a heart beats.
    pub fn moves(&self) -> (bool, bool) {
        (self.moves.contains(&true), self.beat_mm.iter().any(|b| *b != Vec3::zeros()))
    }

    /// The given surfaces on a table.
    pub fn from_surfaces(surfaces: &[BodySurface]) -> Self {
        let mut model = Self::default();
        model.push_body(surfaces);
        model.lay_on_table(surfaces);
        model
    }

    /// Puts the table top under the lowest corner of a body.
    fn lay_on_table(&mut self, body: &[BodySurface]) {
        self.table_from = self.triangles.len();
        let mut lowest: Option<Vec3> = None;
        let mut z_range = (f64::INFINITY, f64::NEG_INFINITY);
        for v in body.iter().flat_map(|s| &s.mesh.vertices_mm) {
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
            self.push(&box_mesh(&center, &half), Substance::CarbonFiber, density);
        }
        self.breath_mm.resize(self.vertices_mm.len(), Vec3::zeros());
        self.beat_mm.resize(self.vertices_mm.len(), Vec3::zeros());
    }

    fn push(&mut self, mesh: &Mesh, substance: Substance, density_g_per_cm3: f64) {
        let first = self.vertices_mm.len() as u32;
        let surface = self.fills.len() as u16;
        let per_mm = density_g_per_cm3 / 10.0;
        let basis = WaterBone::of(substance);
        self.fills.push(WaterBone { water: basis.water * per_mm, bone: basis.bone * per_mm });
        self.uneven.push(substance == Substance::TrabecularBone);
        self.moves.push(false);
        self.is_wall.push(false);
        self.posture.push(None);
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
        self.rasterize(projection, &self.cast(Part::All, Spongiosa::Uneven), &self.vertices_mm)
    }

    /// The same of what keeps still, with the table; the whole body where nothing moves.
    pub fn project_still(&self, projection: &Projection, spongiosa: Spongiosa) -> ArealMap {
        let part = if self.moves().0 { Part::Still } else { Part::All };
        self.rasterize(projection, &self.cast(part, spongiosa), &self.vertices_mm)
    }

    /// What organs and ribs in motion add to it, in difference to the soft tissue around them. Where one overlaps a bone that keeps
    /// still (by a millimeter or two at full breath) both count.
    pub fn project_moving(
        &self,
        projection: &Projection,
        motion: BodyMotion,
        spongiosa: Spongiosa,
    ) -> ArealMap {
        self.rasterize(projection, &self.cast(Part::Moving, spongiosa), &self.moved(motion))
    }

    /// The outlines of the trunk alone at a depth of breath.
    pub fn project_wall(&self, projection: &Projection, breath: f64) -> ArealMap {
        let motion = BodyMotion { breath, contraction: 0.0 };
        self.rasterize(projection, &self.cast(Part::Wall, Spongiosa::Even), &self.moved(motion))
    }

    fn cast(&self, part: Part, spongiosa: Spongiosa) -> Cast {
        Cast { part, arms: self.arms, spongiosa }
    }

    fn moved(&self, motion: BodyMotion) -> Vec<Vec3> {
        (self.vertices_mm.iter().zip(&self.breath_mm).zip(&self.beat_mm))
            .map(|((p, breath), beat)| p + breath * motion.breath + beat * motion.contraction)
            .collect()
    }

    /// Air between the patient's exit side and the detector, mm: from the corner of the skin nearest to the detector within the open
    /// field; 0 where the patient touches it, and the whole way from the isocenter where nobody is there.
    pub fn air_gap_mm(&self, arm: &CArm) -> f64 {
        self.air_gap_of(arm, self.arms)
    }

    /// The same with the arms somewhere.
    pub fn air_gap_of(&self, arm: &CArm, arms: Option<Arms>) -> f64 {
        let p = arm.projection(1);
        let depth = |v: &&Vec3| {
            let (column, row, m) = p.project(v)?;
            arm.is_open(column, row).then_some(p.sid_mm / m)
        };
        let there = self.skin.iter().filter(|(posture, _)| posture.is_none() || *posture == arms);
        let skin = there.flat_map(|(_, range)| &self.vertices_mm[range.clone()]);
        let deepest = skin.filter_map(|v| depth(&v)).fold(0.0, f64::max);
        let exit_mm = if deepest > 0.0 { deepest } else { super::geometry::SOURCE_ISOCENTER_MM };
        (arm.sid_mm - exit_mm).max(0.0)
    }

    /// Mean water-equivalent thickness (60 keV) of the patient over a fan of 16 x 16 rays in the open field, mm; rays
    /// beside the patient are left out as long as one meets the patient. The table top is not counted.
    pub fn water_equivalent_mm(&self, arm: &CArm) -> f64 {
        self.water_equivalent_of(arm, &Posture { breath: 0.0, arms: self.arms })
    }

    /// The same at a depth of breath with the arms somewhere.
    pub fn water_equivalent_of(&self, arm: &CArm, posture: &Posture) -> f64 {
        let projection = arm.projection(FAN_RAYS);
        let cast = Cast { part: Part::Patient, arms: posture.arms, spongiosa: Spongiosa::Uneven };
        let map = if posture.breath == 0.0 || !self.moves().0 {
            self.rasterize(&projection, &cast, &self.vertices_mm)
        } else {
            let motion = BodyMotion { breath: posture.breath, contraction: 0.0 };
            self.rasterize(&projection, &cast, &self.moved(motion))
        };
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

    fn rasterize(&self, projection: &Projection, cast: &Cast, vertices_mm: &[Vec3]) -> ArealMap {
        let (columns, rows) = (projection.columns, projection.rows);
        let corners: Vec<Option<Projected>> =
            vertices_mm.par_iter().map(|v| Projected::of(v, projection)).collect();
        let bands = rows.div_ceil(BAND_ROWS);
        let in_band = self.triangles_by_band(&corners, cast, projection);
        let fills = self.fills_of(cast.part);
        // Only what is drawn with its grain.
        let uneven: Vec<bool> =
            self.uneven.iter().map(|u| *u && cast.spongiosa == Spongiosa::Uneven).collect();
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
                let crossings = crossings(
                    &self.triangles,
                    projection,
                    vertices_mm,
                    &corners,
                    list,
                    band * BAND_ROWS,
                    water.len() / columns,
                );
                self.fill(projection, (&fills, &uneven), band * BAND_ROWS, crossings, water, bone);
            });
        map
    }

    /// Fill of every surface in a part of the body.
    fn fills_of(&self, part: Part) -> Vec<WaterBone> {
        let taken = if part == Part::Moving { self.around } else { WaterBone::default() };
        let less = |f: &WaterBone| WaterBone { water: f.water - taken.water, bone: f.bone - taken.bone };
        self.fills.iter().map(less).collect()
    }

    fn triangles_by_band(
        &self,
        corners: &[Option<Projected>],
        cast: &Cast,
        projection: &Projection,
    ) -> Vec<Vec<u32>> {
        let (columns, rows) = (projection.columns, projection.rows);
        let end = if cast.part == Part::Patient { self.table_from } else { self.triangles.len() };
        // First and last row with a center inside the triangle's box; none where its box holds no center.
        let rows_of = |t: &Triangle| {
            let surface = usize::from(t.surface);
            let is_taken = self.posture[surface].is_none_or(|p| Some(p) == cast.arms)
                && match cast.part {
                    Part::All | Part::Patient => true,
                    Part::Still => !self.moves[surface],
                    Part::Moving => self.moves[surface],
                    Part::Wall => self.is_wall[surface],
                };
            let [Some(a), Some(b), Some(c)] = t.corners.map(|v| corners[v as usize]) else { return None };
            let lo = first_center(a.y.min(b.y).min(c.y)).max(0);
            let hi = last_center(a.y.max(b.y).max(c.y)).min(rows as i64 - 1);
            let left = first_center(a.x.min(b.x).min(c.x)).max(0);
            let right = last_center(a.x.max(b.x).max(c.x)).min(columns as i64 - 1);
            (is_taken && lo <= hi && left <= right).then_some((lo as u32, hi as u32))
        };
        let all: Vec<Option<(u32, u32)>> =
            self.triangles[..end].par_iter().with_min_len(4096).map(rows_of).collect();
        let mut lists = vec![Vec::new(); rows.div_ceil(BAND_ROWS)];
        for (i, found) in all.iter().enumerate() {
            let Some((lo, hi)) = found else { continue };
            for list in &mut lists[*lo as usize / BAND_ROWS..=*hi as usize / BAND_ROWS] {
                list.push(i as u32);
            }
        }
        lists
    }

    fn fill(
        &self,
        projection: &Projection,
        (fills, uneven): (&[WaterBone], &[bool]),
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
                    let fill = fills[inside];
                    let mut length = depth - from;
                    if uneven[inside] && length > 0.0 {
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

/// Path lengths through a closed mesh along the ray to each pixel center, mm, row by row.
pub fn path_lengths_mm(mesh: &Mesh, projection: &Projection) -> Vec<f32> {
    let mut model = BodyModel::default();
    // 10 g/cm3 of water: 1 g/cm2 for every millimeter.
    model.push(mesh, Substance::Water, 10.0);
    model.rasterize(projection, &model.cast(Part::All, Spongiosa::Even), &model.vertices_mm).water_g_per_cm2
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
