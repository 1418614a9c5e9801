//! Dose to the skin: the envelope of the body in bins, and what each pulse gives to those that the beam enters through.
//!
//! `D = K_ref (d_ref / d)^2 k_bs k_med k_table k_wedge`; `K_ref` is the air kerma at the reference point without table, `d` the
//! distance from the focal spot to the bin. Backscatter by field side at the skin and half-value layer (table computed from
//! the fit of Benmakhlouf 2013), table and pad as measured on a C-arm system, both by half-value layer.

use serde::{Deserialize, Serialize};

use super::control::REFERENCE_DISTANCE_MM;
use super::geometry::CArm;
use crate::anatomy::{Anatomy, Mesh};
use crate::math::Vec3;

/// Height of a ring of bins, mm.
pub const RING_MM: f64 = 10.0;
/// Bins of a ring: one every five degrees.
pub const RING_BINS: usize = 72;
/// Tissue over air, mass energy absorption `[S]`: 1.015 to 1.04 over the spectra used.
const MEDIUM: f64 = 1.03;
/// Half width of the table top, mm.
const TABLE_HALF_WIDTH_MM: f64 = 260.0;

/// One bin of skin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkinBin {
    /// Center, patient frame, mm.
    pub position_mm: Vec3,
    /// Outward unit normal.
    pub normal: Vec3,
    /// Area, mm2.
    pub area_mm2: f64,
}

/// The skin of a patient as rings of bins. Each ring is the outline seen from its middle, so the gap between legs or between
/// arm and trunk is bridged; skin inside it is not counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SkinModel {
    /// Ring by ring from the feet up, each from the patient's left (+x) over the back (+y).
    pub bins: Vec<SkinBin>,
    /// Height of the table top, mm (posterior edge of the skin).
    pub table_y_mm: f64,
}

/// Dose per bin, mGy, in the order of [`SkinModel::bins`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkinDose {
    /// mGy.
    pub dose_mgy: Vec<f32>,
    /// Largest, mGy.
    pub peak_mgy: f64,
    /// Its bin.
    pub peak_bin: usize,
}

/// One pulse for the skin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkinPulse<'a> {
    /// Pose.
    pub arm: &'a CArm,
    /// Air kerma at the reference point, mGy.
    pub kerma_mgy: f64,
    /// Half-value layer of the beam, mm of aluminum.
    pub hvl_mm_al: f64,
    /// Transmission of the whole wedge filter.
    pub wedge: f64,
}

impl SkinModel {
    /// From the surface named `skin`, or, without body surfaces, from the elliptic cylinder that stands for the body.
    pub fn new(anatomy: &Anatomy) -> Self {
        match anatomy.body.iter().find(|s| s.name == "skin").or(anatomy.body.first()) {
            Some(surface) => Self::from_mesh(&surface.mesh),
            None => Self::from_mesh(&Mesh::elliptic_cylinder_around(&anatomy.tree)),
        }
    }

    /// From a closed surface.
    pub fn from_mesh(mesh: &Mesh) -> Self {
        let mut z = (f64::INFINITY, f64::NEG_INFINITY);
        let mut table_y_mm = f64::NEG_INFINITY;
        for v in &mesh.vertices_mm {
            z = (z.0.min(v.z), z.1.max(v.z));
            table_y_mm = table_y_mm.max(v.y);
        }
        if mesh.vertices_mm.is_empty() {
            return Self::default();
        }
        let rings = ((z.1 - z.0) / RING_MM).floor().max(1.0) as usize;
        let first_mm = 0.5 * (z.0 + z.1) - 0.5 * rings as f64 * RING_MM + 0.5 * RING_MM;
        let outlines = outlines(mesh, first_mm, rings);
        let mut bins = Vec::with_capacity(rings * RING_BINS);
        for (i, outline) in outlines.iter().enumerate() {
            ring(outline, first_mm + i as f64 * RING_MM, &mut bins);
        }
        Self { bins, table_y_mm }
    }

    /// Adds the dose of a pulse.
    pub fn expose(&self, dose: &mut SkinDose, pulse: &SkinPulse<'_>) {
        dose.dose_mgy.resize(self.bins.len(), 0.0);
        let arm = pulse.arm;
        let p = arm.projection(2);
        let half = arm.field_side_mm() / 2.0;
        let (across, along) = arm.open_field_mm();
        let table = table_factor(pulse.hvl_mm_al);
        for (i, bin) in self.bins.iter().enumerate() {
            let r = bin.position_mm - p.source_mm;
            let depth = r.dot(&p.towards_detector);
            // The entrance: it faces the focal spot.
            if depth < 100.0 || r.dot(&bin.normal) >= 0.0 {
                continue;
            }
            let magnification = arm.sid_mm / depth;
            let per_mm = magnification / half;
            let (x, y) = (r.dot(&p.right) * per_mm, r.dot(&p.up) * per_mm);
            // Half the bin across and up, so that a bin at the edge of the field gets its share.
            let tangent = Vec3::new(-bin.normal.y, bin.normal.x, 0.0) * (0.5 * bin.area_mm2 / RING_MM);
            let extent = |axis: &Vec3| (tangent.dot(axis).abs() + (0.5 * RING_MM * axis.z).abs()) * per_mm;
            let [left, right, bottom, top] = arm.blades;
            let side_mm = (across * along).sqrt() / magnification;
            let open = overlap(x, extent(&p.right), -left, right) * overlap(y, extent(&p.up), -bottom, top);
            if open <= 0.0 {
                continue;
            }
            let mut factor = (REFERENCE_DISTANCE_MM * REFERENCE_DISTANCE_MM / r.norm_squared())
                * backscatter_factor(pulse.hvl_mm_al, side_mm)
                * MEDIUM
                * open
                * pulse.wedge.powf(arm.wedge.cover(x, y));
            if self.is_behind_table(&p.source_mm, &bin.position_mm) {
                factor *= table;
            }
            let total = &mut dose.dose_mgy[i];
            *total += (pulse.kerma_mgy * factor) as f32;
            if f64::from(*total) > dose.peak_mgy {
                dose.peak_mgy = f64::from(*total);
                dose.peak_bin = i;
            }
        }
    }

    fn is_behind_table(&self, source: &Vec3, at: &Vec3) -> bool {
        if source.y <= self.table_y_mm || at.y > self.table_y_mm {
            return false;
        }
        let t = (source.y - self.table_y_mm) / (source.y - at.y);
        (source.x + t * (at.x - source.x)).abs() < TABLE_HALF_WIDTH_MM
    }
}

/// Share of `[at - extent, at + extent]` that lies between `low` and `high`.
fn overlap(at: f64, extent: f64, low: f64, high: f64) -> f64 {
    let inside = (at + extent).min(high) - (at - extent).max(low);
    (inside / (2.0 * extent).max(1e-9)).clamp(0.0, 1.0)
}

/// Per ring the segments in which the plane of its middle cuts the surface, x and y, mm.
fn outlines(mesh: &Mesh, first_mm: f64, rings: usize) -> Vec<Vec<[[f64; 2]; 2]>> {
    let mut out = vec![Vec::new(); rings];
    for t in &mesh.triangles {
        let c = t.map(|i| mesh.vertices_mm[i as usize]);
        let lo = c[0].z.min(c[1].z).min(c[2].z);
        let hi = c[0].z.max(c[1].z).max(c[2].z);
        let from = ((lo - first_mm) / RING_MM).ceil().max(0.0) as usize;
        for (ring, cuts) in out.iter_mut().enumerate().skip(from) {
            let z = first_mm + ring as f64 * RING_MM;
            if z > hi {
                break;
            }
            let mut ends = Vec::with_capacity(2);
            for (a, b) in [(c[0], c[1]), (c[1], c[2]), (c[2], c[0])] {
                if (a.z <= z) != (b.z <= z) {
                    let s = (z - a.z) / (b.z - a.z);
                    ends.push([a.x + s * (b.x - a.x), a.y + s * (b.y - a.y)]);
                }
            }
            if let [p, q] = ends[..] {
                cuts.push([p, q]);
            }
        }
    }
    out
}

/// The bins of one ring: from the middle of the outline, the farthest crossing in each direction.
fn ring(outline: &[[[f64; 2]; 2]], z: f64, bins: &mut Vec<SkinBin>) {
    let (mut lo, mut hi) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for p in outline.iter().flatten() {
        for k in 0..2 {
            lo[k] = lo[k].min(p[k]);
            hi[k] = hi[k].max(p[k]);
        }
    }
    if outline.is_empty() {
        return;
    }
    let middle = [0.5 * (lo[0] + hi[0]), 0.5 * (lo[1] + hi[1])];
    let step = std::f64::consts::TAU / RING_BINS as f64;
    let radius = |i: usize| {
        let (s, c) = ((i as f64 + 0.5) * step).sin_cos();
        let crossing = |[p, q]: &[[f64; 2]; 2]| {
            let (px, py) = (p[0] - middle[0], p[1] - middle[1]);
            let (dx, dy) = (q[0] - p[0], q[1] - p[1]);
            let det = dx * s - dy * c;
            if det.abs() < 1e-12 {
                return 0.0;
            }
            let along = (py * c - px * s) / det;
            if (-1e-9..=1.0 + 1e-9).contains(&along) {
                (px + along * dx) * c + (py + along * dy) * s
            } else {
                0.0
            }
        };
        outline.iter().map(crossing).fold(0.0, f64::max)
    };
    let radii: Vec<f64> = (0..RING_BINS).map(radius).collect();
    for i in 0..RING_BINS {
        let angle = (i as f64 + 0.5) * step;
        let (before, after) = (radii[(i + RING_BINS - 1) % RING_BINS], radii[(i + 1) % RING_BINS]);
        let r = radii[i].max(1.0);
        let (s, c) = angle.sin_cos();
        // Normal of the polar curve r(angle), from the neighbors.
        let slope = ((after - before) / (2.0 * step)).clamp(-3.0 * r, 3.0 * r);
        let normal = Vec3::new(r * c + slope * s, r * s - slope * c, 0.0).normalize();
        let length = step * r.hypot(slope);
        bins.push(SkinBin {
            position_mm: Vec3::new(middle[0] + r * c, middle[1] + r * s, z),
            normal,
            area_mm2: length * RING_MM,
        });
    }
}

/// Field sides of the table of backscatter, mm.
const BACKSCATTER_SIDES_MM: [f64; 5] = [50.0, 100.0, 200.0, 250.0, 350.0];
/// Half-value layer, mm Al, and the factor for each side.
const BACKSCATTER: [(f64, [f64; 5]); 4] = [
    (2.4, [1.22, 1.30, 1.34, 1.34, 1.35]),
    (5.5, [1.29, 1.43, 1.52, 1.54, 1.55]),
    (6.3, [1.30, 1.44, 1.54, 1.57, 1.58]),
    (8.5, [1.30, 1.46, 1.60, 1.63, 1.66]),
];
/// Half-value layer, mm Al, and transmission of table and pad.
const TABLE: [(f64, f64); 6] =
    [(2.10, 0.619), (2.42, 0.638), (2.77, 0.655), (5.52, 0.719), (7.60, 0.749), (11.07, 0.775)];

/// Backscatter factor of a square field of this side at the skin: linear between the entries of the table, constant beyond.
pub fn backscatter_factor(hvl_mm_al: f64, side_mm: f64) -> f64 {
    let of_row =
        |row: &[f64; 5]| between(BACKSCATTER_SIDES_MM.iter().zip(row).map(|(x, y)| (*x, *y)), side_mm);
    between(BACKSCATTER.iter().map(|(hvl, row)| (*hvl, of_row(row))), hvl_mm_al)
}

/// Transmission of table top and pad for the beam of a half-value layer.
pub fn table_factor(hvl_mm_al: f64) -> f64 {
    between(TABLE.iter().copied(), hvl_mm_al)
}

fn between(nodes: impl Iterator<Item = (f64, f64)>, x: f64) -> f64 {
    let mut last: Option<(f64, f64)> = None;
    for (x1, y1) in nodes {
        if x <= x1 {
            return last.map_or(y1, |(x0, y0)| y0 + (y1 - y0) * (x - x0) / (x1 - x0));
        }
        last = Some((x1, y1));
    }
    last.map_or(0.0, |l| l.1)
}
