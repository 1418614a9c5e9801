//! Stents: rings along the axis of a vessel, what each pushes with, where a stent lies and whether it holds.

use serde::{Deserialize, Serialize};

use super::tissue::Tissue;
use super::vessel::{arc_of, knot_at};
use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::device::{Device, Expansion, Stent};
use crate::math::Vec3;
use crate::sim::command::ToolId;

/// Distance of the rings at the labelled diameter, mm.
const RING_MM: f64 = 1.5;
/// The axis of another vessel is no way on when the next ring on it lies farther than this many distances of rings.
const STEP_ASIDE: f64 = 2.0;
/// Stiffness of a stent that was opened by a balloon, N/mm2 per strain of the diameter `[D]`: the recoils of 23 stents grew by 0.9 to
/// 1.9 % when 0.2 bar pressed on them.
pub const OPENED_N_PER_MM2: f64 = 1.45;
/// Pressure that opens a crimped stent further, N/mm2 `[K]`, and the radius over which it comes on, mm.
const OPENING_N_PER_MM2: (f64, f64) = (0.2, 0.05);
/// Oversize of the radius at which a stent that opens itself has its whole force, mm `[D]`.
const OVERSIZE_MM: f64 = 0.5;
/// A ring this far from the wall is not apposed, mm.
pub const APPOSED_MM: f64 = 0.1;
/// A ring this near to the wall leans on it, mm, and holds by its struts, N/mm of length `[K]`.
const LEANING: (f64, f64) = (0.3, 0.01);
/// Friction of struts on the wall, and the pull of the blood on a bare stent, N `[K]`.
const FRICTION: f64 = 0.3;
const PULL_N: f64 = 0.02;

/// A ring of a stent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ring {
    /// Where its middle lies on an axis.
    pub place: VesselPlace,
    /// Largest radius that a balloon has given it, or half the labelled diameter, mm.
    pub peak_mm: f64,
    /// Radius, mm.
    pub radius_mm: f64,
}

/// How far a stent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Opening on its catheter.
    Opening,
    /// Free of its catheter.
    Placed,
    /// Carried away by the blood, as this free body.
    Adrift(u32),
    /// In the loop of a snare.
    Snared(ToolId),
    /// Out of the patient.
    Out,
}

/// A stent in the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedStent {
    /// The device that it came on.
    pub tool: ToolId,
    /// How far it has come.
    pub phase: Phase,
    /// Length of the crimped stent that is out of its sheath, from its distal end, mm.
    pub open_mm: f64,
    /// Speed of the sheath, mm/s; withdrawing is positive.
    pub sheath_mm_per_s: f64,
    /// Its rings are fixed to the wall from the distal end on.
    pub is_anchored: bool,
    /// Rings from the distal end on.
    pub rings: Vec<Ring>,
    /// For how long it has slipped, s.
    pub slipping_s: f64,
}

/// What a stent does to one knot of a vessel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// Branch.
    pub vessel: VesselId,
    /// Knot.
    pub knot: u32,
    /// Radius to which the stent goes by itself, mm.
    pub rest_mm: f64,
    /// Force per length that it pushes out with, and that it resists with, N/mm; none: elastic, opened by a balloon.
    pub force_n_per_mm: Option<(f64, f64)>,
}

impl Support {
    /// Pressure that it pushes outwards with while it opens, and with which it resists being pressed together, N/mm2.
    pub fn pressures_n_per_mm2(&self, r_mm: f64) -> (f64, f64) {
        match self.force_n_per_mm {
            None => {
                let p = OPENED_N_PER_MM2 * (1.0 - r_mm / self.rest_mm).max(0.0);
                (p, p)
            }
            Some((out, resist)) => {
                let share = ((self.rest_mm - r_mm) / OVERSIZE_MM).clamp(0.0, 1.0);
                let around = std::f64::consts::TAU * r_mm.max(0.1);
                (share * out / around, share * resist / around)
            }
        }
    }

    /// What it adds to the pressure that a balloon in it needs, N/mm2.
    pub fn opening_n_per_mm2(&self, r_mm: f64) -> f64 {
        if self.force_n_per_mm.is_some() {
            return 0.0;
        }
        let (most, over_mm) = OPENING_N_PER_MM2;
        most * -(-(r_mm - self.rest_mm).max(0.0) / over_mm).exp_m1()
    }
}

/// Radius at which tissue and the stents in it balance, mm: between where the tissue presses as hard as they push and where it presses
/// as hard as they resist, a wall stays where it is (the hysteresis of nitinol).
pub fn balance<'a>(
    tissue: &Tissue,
    set_mm: f64,
    unloaded_mm: f64,
    now_mm: f64,
    supports: impl Iterator<Item = &'a Support> + Clone,
) -> f64 {
    let widest = supports.clone().map(|s| s.rest_mm).fold(0.0, f64::max);
    if widest <= unloaded_mm {
        return unloaded_mm;
    }
    let meet = |pick: fn((f64, f64)) -> f64| {
        let (mut low, mut high) = (unloaded_mm, widest);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            let push: f64 = supports.clone().map(|s| pick(s.pressures_n_per_mm2(middle))).sum();
            if tissue.balance_n_per_mm2(middle, set_mm) > push {
                high = middle;
            } else {
                low = middle;
            }
        }
        0.5 * (low + high)
    };
    let (least, most) = (meet(|p| p.0), meet(|p| p.1));
    now_mm.clamp(least.min(most), most)
}

/// Number of rings.
pub fn rings(stent: &Stent) -> usize {
    (stent.length_mm / RING_MM).round().max(2.0) as usize + 1
}

impl PlacedStent {
    /// A crimped stent on its catheter.
    pub fn new(tool: ToolId) -> Self {
        Self {
            tool,
            phase: Phase::Opening,
            open_mm: 0.0,
            sheath_mm_per_s: 0.0,
            is_anchored: false,
            rings: Vec::new(),
            slipping_s: 0.0,
        }
    }

    /// Radius to which a ring goes by itself, mm.
    fn rest_mm(stent: &Stent, ring: &Ring) -> f64 {
        ring.peak_mm * (1.0 - 0.01 * stent.recoil_pct)
    }

    /// What its rings do to the knots of the vessels.
    pub fn supports(&self, stent: &Stent, out: &mut Vec<Support>) {
        if !matches!(self.phase, Phase::Opening | Phase::Placed) {
            return;
        }
        let opens_itself = stent.expansion == Expansion::Itself;
        let force = opens_itself.then_some((stent.outward_n_per_mm, stent.resistive_n_per_mm));
        for (vessel, knot, t, pair) in knots_between(&self.rings) {
            let rest = |r: &Ring| Self::rest_mm(stent, r);
            let rest_mm = rest(&pair[0]) + t * (rest(&pair[1]) - rest(&pair[0]));
            out.push(Support { vessel, knot, rest_mm, force_n_per_mm: force });
        }
    }

    /// Its rings follow the wall as far as they go by themselves.
    pub fn follow(&mut self, stent: &Stent, wall_mm: &dyn Fn(VesselPlace) -> f64) {
        for ring in &mut self.rings {
            ring.radius_mm = Self::rest_mm(stent, ring).min(wall_mm(ring.place));
        }
    }

    /// Middle, tangent and normal of each ring, vessels at rest, mm. Where the stent stands out of a mouth into a wide parent, whose
    /// axis runs elsewhere, it goes on straight.
    pub fn axis(&self, tree: &VesselTree) -> Vec<(Vec3, Vec3, Vec3)> {
        let frame = |r: &Ring| {
            let p = tree.branch(r.place.vessel).at(r.place.arc_mm);
            (p.position_mm, p.tangent, p.normal)
        };
        let mut out: Vec<_> = self.rings.iter().map(frame).collect();
        let Some(own) = self.own() else { return out };
        let is_own = |r: &Ring| r.place.vessel == own;
        let first = self.rings.iter().position(is_own).unwrap_or(0);
        let last = self.rings.iter().rposition(is_own).unwrap_or(0);
        let spacing_mm = self.spacing_mm();
        let along = |pair: (Vec3, Vec3)| (pair.0 - pair.1).try_normalize(1e-9).unwrap_or(out[first].1);
        let (back, on) = match last > first {
            true => (along((out[first].0, out[first + 1].0)), along((out[last].0, out[last - 1].0))),
            false => (-out[first].1, out[first].1),
        };
        let leaves = |a: &Vec3, b: &Vec3| (a - b).norm() > STEP_ASIDE * spacing_mm;
        if first > 0 && leaves(&out[first].0, &out[first - 1].0) {
            let (from, _, normal) = out[first];
            (0..first)
                .for_each(|j| out[j] = (from + back * (spacing_mm * (first - j) as f64), -back, normal));
        }
        if last + 1 < out.len() && leaves(&out[last].0, &out[last + 1].0) {
            let (from, _, normal) = out[last];
            (last + 1..out.len())
                .for_each(|j| out[j] = (from + on * (spacing_mm * (j - last) as f64), on, normal));
        }
        out
    }

    /// The vessel in which most of it lies.
    pub fn own(&self) -> Option<VesselId> {
        self.stretches().iter().max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1))).map(|s| s.0)
    }

    /// Mean distance of rings in the vessel in which most of it lies, mm.
    fn spacing_mm(&self) -> f64 {
        let Some(own) = self.own() else { return RING_MM };
        let rings = self.rings.iter().filter(|r| r.place.vessel == own).count();
        let length_mm = self.stretches().iter().find(|s| s.0 == own).map_or(0.0, |s| s.2 - s.1);
        if rings > 1 { length_mm / (rings - 1) as f64 } else { RING_MM }
    }

    /// Length along its rings, mm.
    pub fn length_mm(&self, tree: &VesselTree) -> f64 {
        let axis = self.axis(tree);
        let arc = |w: &[Ring]| (w[0].place.arc_mm - w[1].place.arc_mm).abs();
        let way = |(w, a): (&[Ring], &[(Vec3, Vec3, Vec3)])| {
            let is_one = w[0].place.vessel == w[1].place.vessel && Some(w[0].place.vessel) == self.own();
            if is_one { arc(w) } else { (a[0].0 - a[1].0).norm() }
        };
        self.rings.windows(2).zip(axis.windows(2)).map(way).sum()
    }

    /// How far its end on the side of the heart stands out of the mouth, at `mouth_mm` of the vessel in which most of it lies, mm.
    pub fn into_parent_mm(&self, tree: &VesselTree, mouth_mm: f64) -> Option<f64> {
        let own = self.own()?;
        let parent = tree.branch(own).origin?.vessel;
        let first_mm = self.stretches().iter().find(|s| s.0 == own)?.1;
        let in_parent = |r: &Ring| r.place.vessel == parent;
        let axis = self.axis(tree);
        let pairs = self.rings.windows(2).zip(axis.windows(2)).filter(|(w, _)| w.iter().any(in_parent));
        let beyond_mm: f64 = pairs.map(|(_, a)| (a[0].0 - a[1].0).norm()).sum();
        Some(mouth_mm - first_mm + beyond_mm)
    }

    /// Force with which it holds, N: friction `mu 2 pi r p` of the rings that touch, and what those that lean hold by.
    pub fn hold_n(&self, stent: &Stent, wall_mm: &dyn Fn(VesselPlace) -> f64) -> f64 {
        let force = (stent.outward_n_per_mm, stent.resistive_n_per_mm);
        let opens_itself = stent.expansion == Expansion::Itself;
        let of = |ring: &Ring| {
            let support = Support {
                vessel: ring.place.vessel,
                knot: 0,
                rest_mm: Self::rest_mm(stent, ring),
                force_n_per_mm: opens_itself.then_some(force),
            };
            let gap = wall_mm(ring.place) - ring.radius_mm;
            let p = if gap < APPOSED_MM { support.pressures_n_per_mm2(ring.radius_mm).0 } else { 0.0 };
            let leans = if gap < LEANING.0 { LEANING.1 } else { 0.0 };
            (FRICTION * std::f64::consts::TAU * ring.radius_mm * p + leans) * RING_MM
        };
        self.rings.iter().map(of).sum()
    }

    /// The blood carries it away when it holds with less than it is pulled by.
    pub fn slips(&self, stent: &Stent, wall_mm: &dyn Fn(VesselPlace) -> f64) -> bool {
        self.phase == Phase::Placed && self.hold_n(stent, wall_mm) < PULL_N
    }

    /// It drifts, or has come to rest where the blood left it.
    pub fn is_lost(&self) -> bool {
        matches!(self.phase, Phase::Adrift(_)) || self.phase == Phase::Placed && self.slipping_s < 0.0
    }

    /// Lies along the axis of a vessel about a place, of this length, mm.
    pub fn lie_about(&mut self, tree: &VesselTree, place: VesselPlace, length_mm: f64) {
        let end_mm = tree.branch(place.vessel).length_mm();
        let half = self.rings.len() as f64 / 2.0;
        let count = self.rings.len().max(2) as f64 - 1.0;
        for (j, ring) in self.rings.iter_mut().enumerate() {
            let arc_mm = place.arc_mm - (j as f64 - half) / count * length_mm;
            ring.place = VesselPlace { vessel: place.vessel, arc_mm: arc_mm.clamp(0.0, end_mm) };
        }
    }

    /// Largest distance of its rings from the wall, mm.
    pub fn gap_mm(&self, wall_mm: &dyn Fn(VesselPlace) -> f64) -> f64 {
        self.rings.iter().map(|r| wall_mm(r.place) - r.radius_mm).fold(0.0, f64::max)
    }

    /// Stretches of vessel that it covers: branch, from, to, mm.
    pub fn stretches(&self) -> Vec<(VesselId, f64, f64)> {
        super::mount::stretches(self.rings.iter().map(|r| r.place))
    }
}

/// The knots between neighboring rings of one branch, each with its share of the way and the rings.
pub fn knots_between(rings: &[Ring]) -> Vec<(VesselId, u32, f64, [Ring; 2])> {
    let mut out: Vec<(VesselId, u32, f64, [Ring; 2])> = Vec::new();
    for w in rings.windows(2) {
        let (a, b) = (w[0], w[1]);
        if a.place.vessel != b.place.vessel {
            // The branches meet: each ring holds its own knot.
            out.push((a.place.vessel, knot_at(a.place.arc_mm), 0.0, [a, b]));
            out.push((b.place.vessel, knot_at(b.place.arc_mm), 1.0, [a, b]));
            continue;
        }
        let (lo, hi) = (a.place.arc_mm.min(b.place.arc_mm), a.place.arc_mm.max(b.place.arc_mm));
        let mut knot = lo.max(0.0).ceil() as u32;
        while arc_of(knot) <= hi {
            let t = (arc_of(knot) - a.place.arc_mm) / (b.place.arc_mm - a.place.arc_mm).abs().max(1e-9)
                * (b.place.arc_mm - a.place.arc_mm).signum();
            out.push((a.place.vessel, knot, t.clamp(0.0, 1.0), [a, b]));
            knot += 1;
        }
    }
    out.sort_by_key(|k| (k.0, k.1));
    out.dedup_by_key(|k| (k.0, k.1));
    out
}

/// The stent of a device.
pub fn of(tools: &[Device], tool: ToolId) -> Option<&Stent> {
    tools.get(tool.idx())?.stent.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::{Branch, CenterlinePoint};

    fn branch(origin: Option<VesselPlace>, from: Vec3, to: Vec3, radius_mm: f64) -> Branch {
        let tangent = (to - from).normalize();
        let normal = crate::math::orthogonal(&tangent);
        let points = (0..=10)
            .map(|i| CenterlinePoint {
                position_mm: from + (to - from) * (0.1 * f64::from(i)),
                radius_mm,
                arc_mm: (to - from).norm() * 0.1 * f64::from(i),
                tangent,
                normal,
            })
            .collect();
        Branch {
            name: String::new(),
            ta_name: String::new(),
            label: String::new(),
            origin,
            distal_join: None,
            points,
            outlet: None,
            wall_ep_n_per_mm2: 0.1,
            wall_thickness_mm: 1.0,
        }
    }

    #[test]
    fn a_stent_that_stands_out_of_a_mouth_goes_on_straight_and_keeps_its_length() {
        let place = |vessel: u32, arc_mm: f64| VesselPlace { vessel: VesselId(vessel), arc_mm };
        let aorta = branch(None, Vec3::zeros(), Vec3::new(0.0, 0.0, 100.0), 10.0);
        let side = branch(Some(place(0, 50.0)), Vec3::new(0.0, 0.0, 50.0), Vec3::new(40.0, 0.0, 50.0), 3.0);
        let tree = VesselTree { branches: vec![aorta, side] };
        // Ten rings in the branch from 23.5 to 10 mm, where its mouth is, and two in the parent.
        let own = (0..10).map(|i| place(1, 23.5 - 1.5 * f64::from(i)));
        let rings = own.chain([place(0, 50.0), place(0, 49.5)]);
        let rings = rings.map(|place| Ring { place, peak_mm: 3.0, radius_mm: 3.0 }).collect();
        let stent = PlacedStent { rings, phase: Phase::Placed, ..PlacedStent::new(ToolId(0)) };
        let (length_mm, into_mm) = (stent.length_mm(&tree), stent.into_parent_mm(&tree, 10.0).unwrap());
        assert!((length_mm - 16.5).abs() < 1e-9 && (into_mm - 3.0).abs() < 1e-9);
        let last = stent.axis(&tree)[11].0;
        assert!((last - Vec3::new(7.0, 0.0, 50.0)).norm() < 1e-9, "{last:?}");
    }
}
