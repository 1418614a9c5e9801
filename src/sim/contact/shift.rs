//! Vessels give way: the displacement of their axes under the devices that press on them.
//!
//! Each branch is a beam of its wall on the elastic bed around it: `EI u'''' + k u = q` with `EI = pi E r^3 t` (thin
//! tube) and `k = k0 2 r`. It follows with one time constant; it neither rolls nor stretches, and a child moves with its
//! parent where it leaves. Surroundings: 1 to 10 kPa per mm (the largest uncertainty in the literature); the value here is
//! `[D]`. Small strains; the lumen keeps its round shape.

use nalgebra::{Cholesky, DMatrix};
use serde::{Deserialize, Serialize};

use super::{MeshWall, WallHit, WallQuery};
use crate::anatomy::{VesselPlace, VesselTree};
use crate::math::Vec3;

/// Distance of knots along a branch, mm.
const KNOT_MM: f64 = 6.0;
/// Stiffness of what lies around a vessel, N/mm3 `[D]`.
const BED_N_PER_MM3: f64 = 0.003;
/// Young's modulus of the wall for bending of the axis, N/mm2 `[D]`.
const WALL_N_PER_MM2: f64 = 0.8;
/// Stiffness that ties a child to its parent, N/mm.
const TIE_N_PER_MM: f64 = 100.0;
/// Time in which the vessels follow, s `[D]`.
const FOLLOW_S: f64 = 0.12;
/// Below this a vessel counts as unmoved, mm.
const STILL_MM: f64 = 1e-5;

/// Displacement of one branch at knots evenly spaced from its begin to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BranchShift {
    /// Distance of the knots along the branch, mm.
    pub step_mm: f64,
    /// Displacements, patient frame, mm.
    pub knots_mm: Vec<Vec3>,
}

/// Displacement of the vessels' axes, one entry per branch of the tree; none at all while nothing has moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WallShift {
    /// Branches.
    pub branches: Vec<BranchShift>,
}

impl WallShift {
    /// Displacement at a place, linear between knots, mm.
    pub fn at(&self, place: &VesselPlace) -> Vec3 {
        let Some(branch) = self.branches.get(place.vessel.idx()) else { return Vec3::zeros() };
        let (i, t) = split(place.arc_mm, branch.step_mm, branch.knots_mm.len());
        match branch.knots_mm.get(i..i + 2) {
            Some([a, b]) => a.lerp(b, t),
            _ => Vec3::zeros(),
        }
    }

    /// Largest displacement, mm.
    pub fn largest_mm(&self) -> f64 {
        self.branches.iter().flat_map(|b| &b.knots_mm).map(Vec3::norm).fold(0.0, f64::max)
    }

    /// Largest difference to another, mm.
    pub fn difference_mm(&self, other: &Self) -> f64 {
        if self.branches.is_empty() || other.branches.is_empty() {
            return self.largest_mm().max(other.largest_mm());
        }
        let knots = |s: &Self| s.branches.iter().flat_map(|b| b.knots_mm.clone()).collect::<Vec<_>>();
        knots(self).iter().zip(&knots(other)).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
    }

    /// The tree with its axes displaced; radii, arc lengths and names stay.
    pub fn moved(&self, tree: &VesselTree) -> VesselTree {
        let mut out = tree.clone();
        for (i, branch) in out.branches.iter_mut().enumerate() {
            for p in &mut branch.points {
                let vessel = crate::anatomy::VesselId(i as u32);
                p.position_mm += self.at(&VesselPlace { vessel, arc_mm: p.arc_mm });
            }
        }
        out
    }
}

/// Interval and share of an arc length among evenly spaced knots.
fn split(arc_mm: f64, step_mm: f64, knots: usize) -> (usize, f64) {
    let at = (arc_mm / step_mm.max(1e-9)).clamp(0.0, knots.saturating_sub(1) as f64);
    let i = (at as usize).min(knots.saturating_sub(2));
    (i, at - i as f64)
}

/// The compiled bed of a tree: what every knot yields to a force at every other.
#[derive(Clone, Debug)]
pub struct VesselBed {
    /// First knot, number of knots and their distance, per branch.
    branches: Vec<(usize, usize, f64)>,
    /// Inverse of the stiffness (symmetric), mm/N.
    compliance_mm_per_n: DMatrix<f64>,
}

impl VesselBed {
    /// Assembles and inverts the stiffness of a tree; `None` for a tree without branches.
    pub fn compile(tree: &VesselTree) -> Option<Self> {
        let mut branches = Vec::new();
        let mut total = 0;
        for b in &tree.branches {
            let count = ((b.length_mm() / KNOT_MM).ceil() as usize).max(1) + 1;
            branches.push((total, count, b.length_mm().max(1e-3) / (count - 1) as f64));
            total += count;
        }
        let mut k = DMatrix::<f64>::zeros(total, total);
        let mut add = |weights: &[(usize, f64)], stiffness: f64| {
            for (i, wi) in weights {
                for (j, wj) in weights {
                    k[(*i, *j)] += stiffness * wi * wj;
                }
            }
        };
        for (b, (first, count, step)) in tree.branches.iter().zip(&branches) {
            for n in 0..*count {
                let r = b.at(n as f64 * step).radius_mm;
                let share = if n == 0 || n + 1 == *count { 0.5 } else { 1.0 };
                add(&[(first + n, 1.0)], BED_N_PER_MM3 * 2.0 * r * step * share);
                if n >= 1 && n + 1 < *count {
                    let ei = std::f64::consts::PI * WALL_N_PER_MM2 * r.powi(3) * b.wall_thickness_mm;
                    let i = first + n;
                    add(&[(i - 1, 1.0), (i, -2.0), (i + 1, 1.0)], ei / step.powi(3));
                }
            }
            if let Some((parent, origin)) = b.origin.and_then(|o| Some((branches.get(o.vessel.idx())?, o))) {
                let (i, t) = split(origin.arc_mm, parent.2, parent.1);
                add(&[(*first, 1.0), (parent.0 + i, t - 1.0), (parent.0 + i + 1, -t)], TIE_N_PER_MM);
            }
        }
        Some(Self { branches, compliance_mm_per_n: Cholesky::new(k)?.inverse() })
    }

    /// Moves the shift for a tick towards what the forces on the wall (place, N) hold it at; returns how far at most
    /// any knot moved, mm.
    pub fn follow(&self, shift: &mut WallShift, forces: &[(VesselPlace, Vec3)], dt_s: f64) -> f64 {
        if forces.is_empty() && shift.branches.is_empty() {
            return 0.0;
        }
        if shift.branches.is_empty() {
            let still = |&(_, count, step_mm): &(usize, usize, f64)| BranchShift {
                step_mm,
                knots_mm: vec![Vec3::zeros(); count],
            };
            shift.branches = self.branches.iter().map(still).collect();
        }
        let knots = self.compliance_mm_per_n.nrows();
        let mut load_n = vec![Vec3::zeros(); knots];
        for (place, force) in forces {
            let Some((first, count, step)) = self.branches.get(place.vessel.idx()) else { continue };
            let (i, t) = split(place.arc_mm, *step, *count);
            load_n[first + i] += force * (1.0 - t);
            load_n[first + i + 1] += force * t;
        }
        let mut held_mm = vec![Vec3::zeros(); knots];
        for (i, load) in load_n.iter().enumerate().filter(|(_, f)| **f != Vec3::zeros()) {
            for (held, yields) in held_mm.iter_mut().zip(self.compliance_mm_per_n.column(i).iter()) {
                *held += load * *yields;
            }
        }
        let share = 1.0 - (-dt_s / FOLLOW_S).exp();
        let mut moved: f64 = 0.0;
        for (branch, (first, _, _)) in shift.branches.iter_mut().zip(&self.branches) {
            for (n, knot) in branch.knots_mm.iter_mut().enumerate() {
                let step = (held_mm[first + n] - *knot) * share;
                *knot += step;
                moved = moved.max(step.norm());
            }
        }
        if forces.is_empty() && shift.largest_mm() < STILL_MM {
            shift.branches.clear();
        }
        moved
    }
}

/// A wall whose vessels are displaced: asked in the unmoved configuration.
#[derive(Clone, Copy, Debug)]
pub struct ShiftedWall<'a> {
    /// Unmoved wall.
    pub wall: &'a MeshWall,
    /// Displacement.
    pub shift: &'a WallShift,
}

impl WallQuery for ShiftedWall<'_> {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        let first = self.wall.at(p_mm);
        if self.shift.branches.is_empty() {
            return first;
        }
        // The displacement changes slowly along the vessels: that of the nearest place is near enough.
        let Some(place) = first.place else { return first };
        let shift = self.shift.at(&place);
        if shift.norm_squared() < STILL_MM * STILL_MM { first } else { self.wall.at(&(p_mm - shift)) }
    }
}
