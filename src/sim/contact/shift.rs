//! Vessels give way: the displacement of their axes under the devices that press on them.
//!
//! Each branch is a beam of its wall on the elastic bed around it: `EI u'''' + k u = q` with `EI = pi E r^3 t` (thin
//! tube) and `k = k0 2 r`. It follows with one time constant; it neither rolls nor stretches, and a child moves with its
//! parent where it leaves. Surroundings: 1 to 10 kPa per mm (the largest uncertainty in the literature); the value here is
//! `[D]`. Small strains; the lumen keeps its round shape.

use nalgebra::{Cholesky, DMatrix};
use serde::{Deserialize, Serialize};

use super::tissue::Tissue;
use super::{MeshWall, Plug, PlugFaces, WallHit, WallQuery, WideTube, Widening};
use crate::anatomy::{Branch, VesselPlace, VesselTree};
use crate::math::{Mat3, Vec3};

/// Distance of knots along a branch, mm.
const KNOT_MM: f64 = 4.0;
/// Stiffness of what lies around a vessel, N/mm3 `[D]`.
pub const BED_N_PER_MM3: f64 = 0.003;
/// Young's modulus of the wall for bending of the axis, N/mm2 `[D]`.
pub const WALL_N_PER_MM2: f64 = 0.8;
/// Stiffness that ties a child to its parent, N/mm.
const TIE_N_PER_MM: f64 = 100.0;
/// Time in which the vessels follow, s `[D]`.
const FOLLOW_S: f64 = 0.12;
/// More than this at one contact tears and does not move the vessel as a whole, N `[D]`.
const MOST_N: f64 = 8.0;
/// Farthest that a vessel gives way, mm `[D]`.
const FARTHEST_MM: f64 = 15.0;
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

/// Number of a branch's knots and their distance, mm.
fn knots_of(branch: &Branch) -> (usize, f64) {
    let count = ((branch.length_mm() / KNOT_MM).ceil() as usize).max(1) + 1;
    (count, branch.length_mm().max(1e-3) / (count - 1) as f64)
}

impl WallShift {
    /// The shift in which every knot of a tree follows a field, mm.
    pub fn by_field(tree: &VesselTree, field_mm: impl Fn(&Vec3) -> Vec3) -> Self {
        let of = |b: &Branch| {
            let (count, step_mm) = knots_of(b);
            let knots_mm = (0..count).map(|n| field_mm(&b.at(n as f64 * step_mm).position_mm)).collect();
            BranchShift { step_mm, knots_mm }
        };
        Self { branches: tree.branches.iter().map(of).collect() }
    }

    /// Displacement at a place, linear between knots, mm.
    pub fn at(&self, place: &VesselPlace) -> Vec3 {
        let Some(branch) = self.branches.get(place.vessel.idx()) else { return Vec3::zeros() };
        let (i, t) = split(place.arc_mm, branch.step_mm, branch.knots_mm.len());
        match branch.knots_mm.get(i..i + 2) {
            Some([a, b]) => a.lerp(b, t),
            _ => Vec3::zeros(),
        }
    }

    /// This and `share` times another of the same tree.
    pub fn plus(&self, other: &Self, share: f64) -> Self {
        let mut out = if self.branches.is_empty() { other.clone() } else { self.clone() };
        let own_share = if self.branches.is_empty() { 0.0 } else { 1.0 };
        for (branch, add) in out.branches.iter_mut().zip(&other.branches) {
            for (knot, more) in branch.knots_mm.iter_mut().zip(&add.knots_mm) {
                *knot = *knot * own_share + more * share;
            }
        }
        out
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

/// What presses on a vessel at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallLoad {
    /// Where.
    pub place: VesselPlace,
    /// Force on the wall, N.
    pub force_n: Vec3,
    /// How fast that force falls when the wall gives way, N/mm.
    pub stiffness_n_per_mm: f64,
}

/// The compiled bed of a tree: what every knot yields to a force at every other.
#[derive(Clone, Debug)]
pub struct VesselBed {
    /// First knot, number of knots and their distance, per branch.
    branches: Vec<(usize, usize, f64)>,
    /// Inverse of the stiffness (symmetric), mm/N.
    compliance_mm_per_n: DMatrix<f64>,
    tissue: Tissue,
    /// Branch and index in it of every knot.
    places: Vec<(u32, u32)>,
}

impl VesselBed {
    /// Assembles and inverts the stiffness of a tree; `None` for a tree without branches.
    pub fn compile(tree: &VesselTree) -> Option<Self> {
        let mut branches = Vec::new();
        let mut total = 0;
        for b in &tree.branches {
            let (count, step_mm) = knots_of(b);
            branches.push((total, count, step_mm));
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
        let (mut knots_mm, mut places) = (Vec::new(), Vec::new());
        for (i, (b, (_, count, step))) in tree.branches.iter().zip(&branches).enumerate() {
            for n in 0..*count {
                knots_mm.push(b.at(n as f64 * step).position_mm);
                places.push((i as u32, n as u32));
            }
        }
        let compliance_mm_per_n = Cholesky::new(k)?.inverse();
        Some(Self { branches, compliance_mm_per_n, tissue: Tissue::new(&knots_mm), places })
    }

    /// Displacement of the tissue's nodes; empty where nothing is displaced.
    fn field(&self, shift: &WallShift) -> Vec<Vec3> {
        if shift.branches.is_empty() {
            return Vec::new();
        }
        self.tissue.field(|i| {
            let (branch, n) = self.places[i as usize];
            let knots = shift.branches.get(branch as usize).map(|b| &b.knots_mm);
            knots.and_then(|k| k.get(n as usize)).copied().unwrap_or_default()
        })
    }

    /// Moves the shift for a tick towards what the loads hold it at; returns how far at most any knot moved, mm.
    ///
    /// The loads are those of the tick before. A wall that gives way takes its load off, so each knot steps by its share
    /// over 1 + (what it yields to the contacts' own stiffness): the bound of Gershgorin, under which the coupling
    /// of stiff contacts and soft vessels cannot swing. It changes the time, not the place of rest.
    pub fn follow(&self, shift: &mut WallShift, loads: &[WallLoad], dt_s: f64) -> f64 {
        if loads.is_empty() && shift.branches.is_empty() {
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
        let mut load_n = vec![(Vec3::zeros(), 0.0); knots];
        for load in loads {
            let Some((first, count, step)) = self.branches.get(load.place.vessel.idx()) else { continue };
            let (i, t) = split(load.place.arc_mm, *step, *count);
            let force_n = load.force_n * (MOST_N / load.force_n.norm().max(MOST_N));
            for (knot, share) in [(first + i, 1.0 - t), (first + i + 1, t)] {
                load_n[knot].0 += force_n * share;
                load_n[knot].1 += load.stiffness_n_per_mm * share;
            }
        }
        let mut held_mm = vec![(Vec3::zeros(), 0.0); knots];
        for (i, (force, stiffness)) in
            load_n.iter().enumerate().filter(|(_, l)| l.1 > 0.0 || l.0 != Vec3::zeros())
        {
            for (held, yields) in held_mm.iter_mut().zip(self.compliance_mm_per_n.column(i).iter()) {
                held.0 += force * *yields;
                held.1 += stiffness * yields.abs();
            }
        }
        let share = 1.0 - (-dt_s / FOLLOW_S).exp();
        let mut moved: f64 = 0.0;
        for (branch, (first, _, _)) in shift.branches.iter_mut().zip(&self.branches) {
            for (n, knot) in branch.knots_mm.iter_mut().enumerate() {
                let (to, gain) = held_mm[first + n];
                let to = to * (FARTHEST_MM / to.norm().max(FARTHEST_MM));
                let step = (to - *knot) * (share / (1.0 + share * gain));
                *knot += step;
                moved = moved.max(step.norm());
            }
        }
        if loads.is_empty() && shift.largest_mm() < STILL_MM {
            shift.branches.clear();
        }
        moved
    }
}

/// A wall whose vessels are displaced: asked in the unmoved configuration.
#[derive(Clone, Debug)]
pub struct ShiftedWall<'a> {
    wall: &'a MeshWall,
    bed: Option<&'a VesselBed>,
    field: Vec<Vec3>,
    tubes: Vec<WideTube>,
    plugs: Vec<PlugFaces>,
}

impl<'a> ShiftedWall<'a> {
    /// The unmoved wall and what moves it; no bed leaves it where it is.
    pub fn new(wall: &'a MeshWall, bed: Option<&'a VesselBed>, shift: &WallShift) -> Self {
        let field = bed.map_or_else(Vec::new, |b| b.field(shift));
        Self { wall, bed, field, tubes: Vec::new(), plugs: Vec::new() }
    }

    /// The same with stretches that are opened.
    pub fn opened(self, widening: &Widening, tree: &VesselTree) -> Self {
        Self { tubes: widening.tubes(tree), ..self }
    }

    /// The same with stretches that are closed.
    pub fn closed(self, plugs: &[Plug], tree: &VesselTree) -> Self {
        Self { plugs: plugs.iter().filter_map(|p| PlugFaces::new(p, tree)).collect(), ..self }
    }

    /// The wall in the unmoved configuration.
    fn unmoved_at(&self, p_mm: &Vec3) -> WallHit {
        let mut hit = self.wall.at(p_mm);
        self.tubes.iter().for_each(|t| t.unite(p_mm, &mut hit));
        self.plugs.iter().for_each(|p| p.close(p_mm, &mut hit));
        hit
    }

    /// Displacement at a point, mm.
    pub fn shift_at(&self, p_mm: &Vec3) -> Vec3 {
        self.moved(p_mm).map_or(Vec3::zeros(), |(shift, _)| shift)
    }

    /// Displacement of wall and tissue at a point, mm, and its gradient.
    fn moved(&self, p_mm: &Vec3) -> Option<(Vec3, Mat3)> {
        let bed = self.bed.filter(|_| !self.field.is_empty())?;
        Some(bed.tissue.at(p_mm, &self.field))
    }
}

impl WallQuery for ShiftedWall<'_> {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        let Some((shift, gradient)) = self.moved(p_mm) else { return self.unmoved_at(p_mm) };
        let hit = self.unmoved_at(&(p_mm - shift));
        // d inside / dp = (1 - grad u)^T n.
        let n = hit.inward - gradient.transpose() * hit.inward;
        let l = n.norm().max(1e-3);
        let carried = Mat3::identity() - gradient;
        let bend_per_mm = carried.transpose() * hit.bend_per_mm * carried;
        WallHit { inward: n / l, slope: hit.slope * l, bend_per_mm, ..hit }
    }
}
