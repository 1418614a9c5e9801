//! Vessels opened wider than they were built: the radial displacement of their walls by balloons and stents.
//!
//! Along a branch the wall is displaced by `u(s)`; the opened lumen is the built one united with a round tube of radius
//! `r(s) + u(s)` about the axis. A union is a field in space: it does not ask which branch a point of the wall belongs to, so
//! it has no jump where branches meet, and a mesh that is moved by it cannot crack. The union is smoothed over a twentieth of a
//! millimeter, the radius along the axis is a quadratic B-spline: the distance is continuous with its gradient. Neglected:
//! that an opened stretch may be out of round.

use serde::{Deserialize, Serialize};

use super::WallHit;
use super::grid::spline;
use crate::anatomy::{LumenMesh, VesselId, VesselPlace, VesselTree};
use crate::math::{Mat3, Vec3};

/// Distance of the knots along a branch, mm.
pub const RADIAL_KNOT_MM: f64 = 1.0;
/// Width over which the union is smoothed, mm.
const SMOOTH_MM: f64 = 0.05;
/// How far a tube that is not wider hides behind the built wall, mm: about what a mesh of flat triangles is off.
const HIDDEN_MM: f64 = 0.05;
/// Displacement below which a wall counts as built, mm.
const STILL_MM: f64 = 1e-3;
/// A point this far outside the tube does not belong to its vessel, mm.
const BESIDE_MM: f64 = 3.0;
/// Knots that are passed over in a first look for the nearest one.
const STRIDE: usize = 6;
/// Longest walk from the nearest knot to the foot of a point, in knots.
const MAX_WALK: usize = 8;
/// Sweeps in which a mesh follows the field.
const MESH_SWEEPS: usize = 4;

/// Displacement of a stretch of one branch at knots 1 mm apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WideBranch {
    /// Branch.
    pub vessel: VesselId,
    /// Arc length of the first knot in knots.
    pub first: u32,
    /// Displacement outwards, mm, at least 0.
    pub wider_mm: Vec<f64>,
}

/// Radial displacement of the vessels; nothing while none is opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Widening {
    /// Stretches, at most one per branch, in the order of the branches.
    pub branches: Vec<WideBranch>,
}

impl WideBranch {
    fn at(&self, arc_mm: f64) -> f64 {
        let x = arc_mm / RADIAL_KNOT_MM - f64::from(self.first);
        let last = self.wider_mm.len().saturating_sub(1);
        if !(x >= 0.0 && x <= last as f64) || last == 0 {
            return 0.0;
        }
        let i = (x as usize).min(last - 1);
        self.wider_mm[i] + (x - i as f64) * (self.wider_mm[i + 1] - self.wider_mm[i])
    }

    fn is_wider(&self) -> bool {
        self.wider_mm.iter().any(|u| *u > STILL_MM)
    }
}

impl Widening {
    /// Displacement outwards at a place, linear between knots, mm.
    pub fn at(&self, place: &VesselPlace) -> f64 {
        self.branches.iter().filter(|b| b.vessel == place.vessel).map(|b| b.at(place.arc_mm)).sum()
    }

    /// Largest difference to another on one branch, mm.
    pub fn difference_mm(&self, other: &Self, vessel: VesselId) -> f64 {
        let own = |w: &Self| w.branches.iter().find(|b| b.vessel == vessel).cloned().unwrap_or_default();
        let (a, b) = (own(self), own(other));
        let one_way = |a: &WideBranch, b: &WideBranch| {
            let arc = |i: usize| (f64::from(a.first) + i as f64) * RADIAL_KNOT_MM;
            a.wider_mm.iter().enumerate().map(|(i, u)| (u - b.at(arc(i))).abs()).fold(0.0, f64::max)
        };
        one_way(&a, &b).max(one_way(&b, &a))
    }

    /// A tree with the radii of the opened vessels; axes, arc lengths and names stay.
    pub fn opened(&self, mut tree: VesselTree) -> VesselTree {
        for wide in self.branches.iter().filter(|w| w.is_wider()) {
            if let Some(branch) = tree.branches.get_mut(wide.vessel.idx()) {
                branch.points.iter_mut().for_each(|p| p.radius_mm += wide.at(p.arc_mm));
            }
        }
        tree
    }

    /// The opened stretches in space, of a tree with its built radii and axes.
    pub fn tubes(&self, tree: &VesselTree) -> Vec<WideTube> {
        let wide = self.branches.iter().filter(|w| w.is_wider() && w.wider_mm.len() > 2);
        wide.filter_map(|w| Some((w, tree.branches.get(w.vessel.idx())?)))
            .map(|(w, branch)| {
                let knot = |(i, wider_mm): (usize, &f64)| {
                    let p = branch.at((f64::from(w.first) + i as f64) * RADIAL_KNOT_MM);
                    AxisKnot {
                        position_mm: p.position_mm,
                        tangent: p.tangent,
                        radius_mm: p.radius_mm + lifted(*wider_mm),
                    }
                };
                WideTube::new(w.wider_mm.iter().enumerate().map(knot).collect())
            })
            .collect()
    }

    /// A lumen mesh that has followed the field: vertices inside an opened tube go out to its wall. Triangles and labels stay.
    pub fn opened_mesh(&self, lumen: &LumenMesh, tree: &VesselTree) -> LumenMesh {
        let tubes = self.tubes(tree);
        let mut out = lumen.clone();
        if tubes.is_empty() {
            return out;
        }
        for v in &mut out.mesh.vertices_mm {
            // Two tubes meet where branches do: a few sweeps bring a vertex onto the wall of both.
            for _ in 0..MESH_SWEEPS {
                let deepest = tubes
                    .iter()
                    .filter_map(|t| t.sample(v))
                    .max_by(|a, b| a.inside_mm.total_cmp(&b.inside_mm));
                let Some(s) = deepest.filter(|s| s.inside_mm > 1e-6) else { break };
                *v -= s.gradient * (s.inside_mm / s.gradient.norm_squared().max(0.25));
            }
        }
        out
    }
}

/// What the tube has of a displacement: one that hardly moves hides behind the built wall, so that the two walls do not merge.
fn lifted(wider_mm: f64) -> f64 {
    wider_mm - HIDDEN_MM * (1.0 - wider_mm / (2.0 * HIDDEN_MM)).max(0.0)
}

#[derive(Clone, Copy, Debug)]
struct AxisKnot {
    position_mm: Vec3,
    tangent: Vec3,
    radius_mm: f64,
}

/// An opened stretch of a vessel in space.
#[derive(Clone, Debug)]
pub struct WideTube {
    knots: Vec<AxisKnot>,
    low_mm: Vec3,
    high_mm: Vec3,
}

/// Signed distance to the wall of a tube, positive inside, with its derivatives.
struct TubeSample {
    inside_mm: f64,
    gradient: Vec3,
    bend_per_mm: Mat3,
    radius_mm: f64,
}

impl WideTube {
    fn new(knots: Vec<AxisKnot>) -> Self {
        let most = knots.iter().map(|k| k.radius_mm).fold(0.0, f64::max) + 2.0;
        let inf = |a: Vec3, k: &AxisKnot| a.inf(&k.position_mm);
        let sup = |a: Vec3, k: &AxisKnot| a.sup(&k.position_mm);
        let low_mm = knots.iter().fold(Vec3::repeat(f64::INFINITY), inf).add_scalar(-most);
        let high_mm = knots.iter().fold(Vec3::repeat(f64::NEG_INFINITY), sup).add_scalar(most);
        Self { knots, low_mm, high_mm }
    }

    /// Knots of a branch with its own radius.
    pub(super) fn along(branch: &crate::anatomy::Branch, knots: std::ops::RangeInclusive<u32>) -> Self {
        let knot = |k: u32| {
            let p = branch.at(f64::from(k) * RADIAL_KNOT_MM);
            AxisKnot { position_mm: p.position_mm, tangent: p.tangent, radius_mm: p.radius_mm }
        };
        Self::new(knots.map(knot).collect())
    }

    /// Where along the axis a point lies, in knots from the first, and the gradient of that, 1/mm; none beside the tube, before
    /// or behind it.
    pub(super) fn along_axis(&self, p_mm: &Vec3) -> Option<(f64, Vec3)> {
        if (0..3).any(|k| !(p_mm[k] > self.low_mm[k] && p_mm[k] < self.high_mm[k])) {
            return None;
        }
        let (k, t, slope) = self.foot(p_mm);
        let middle = self.knots[k].position_mm.lerp(&self.knots[k + 1].position_mm, t);
        let near_mm = self.knots[k].radius_mm.max(self.knots[k + 1].radius_mm) + BESIDE_MM;
        (slope != Vec3::zeros() && (p_mm - middle).norm() < near_mm).then_some((k as f64 + t, slope))
    }

    /// `R(s) - |p - c(s)|` with the foot `s` where the plane across the axis, turned evenly from knot to knot, holds the point.
    fn sample(&self, p_mm: &Vec3) -> Option<TubeSample> {
        if (0..3).any(|k| !(p_mm[k] > self.low_mm[k] && p_mm[k] < self.high_mm[k])) {
            return None;
        }
        let (k, t, slope) = self.foot(p_mm);
        let (a, b) = (&self.knots[k], &self.knots[k + 1]);
        let along = b.position_mm - a.position_mm;
        let out = p_mm - (a.position_mm + along * t);
        let r = out.norm();
        let n = if r > 1e-9 { out / r } else { crate::math::orthogonal(&a.tangent) };
        let [radius_mm, turn, bend] = self.radius(k as f64 + t);
        let gradient = slope * (turn + n.dot(&along)) - n;
        let (length, unit) = (slope.norm(), slope.try_normalize(1e-9).unwrap_or(a.tangent));
        let across = Mat3::identity() - n * n.transpose() - unit * unit.transpose();
        let bend_per_mm = across * (-1.0 / r.max(0.05 * radius_mm.max(0.1)))
            + unit * unit.transpose() * (bend * length * length);
        Some(TubeSample { inside_mm: radius_mm - r, gradient, bend_per_mm, radius_mm })
    }

    /// Interval, share of it and gradient of the foot in knots per mm; zero where the point lies before or behind the tube.
    fn foot(&self, p_mm: &Vec3) -> (usize, f64, Vec3) {
        let knots = &self.knots;
        let far = |k: usize| (p_mm - knots[k].position_mm).norm_squared();
        // Every few knots first, then around the best of them: a vessel does not turn back within that.
        let least = |a: &usize, b: &usize| far(*a).total_cmp(&far(*b));
        let rough = (0..knots.len()).step_by(STRIDE).min_by(least).unwrap_or(0);
        let around = rough.saturating_sub(STRIDE)..=(rough + STRIDE).min(knots.len() - 1);
        let nearest = around.min_by(least).unwrap_or(rough);
        let last = knots.len() - 2;
        let ahead = |k: usize| (p_mm - knots[k].position_mm).dot(&knots[k].tangent);
        let mut k = nearest.min(last);
        let (mut from, mut to) = (ahead(k), ahead(k + 1));
        for _ in 0..MAX_WALK {
            if from < 0.0 && k > 0 {
                (k, to) = (k - 1, from);
                from = ahead(k);
            } else if to > 0.0 && k < last {
                (k, from) = (k + 1, to);
                to = ahead(k + 1);
            } else {
                break;
            }
        }
        if from < 0.0 && k == 0 {
            return (k, 0.0, Vec3::zeros());
        }
        if to > 0.0 && k == last {
            return (k, 1.0, Vec3::zeros());
        }
        let span = (from - to).max(1e-9);
        let slope = (knots[k + 1].tangent * from - knots[k].tangent * to) / (span * span);
        (k, (from / span).clamp(0.0, 1.0), slope)
    }

    /// Radius, its slope and second derivative by knots.
    fn radius(&self, at: f64) -> [f64; 3] {
        let last = self.knots.len() - 1;
        let middle = (at.round() as usize).clamp(1, last - 1);
        let u = (at - middle as f64).clamp(-0.5, 0.5);
        let (weights, slopes) = spline(u);
        let r: [f64; 3] = std::array::from_fn(|i| self.knots[middle + i - 1].radius_mm);
        let sum = |w: [f64; 3]| w.iter().zip(&r).map(|(w, r)| w * r).sum::<f64>();
        [sum(weights), sum(slopes), r[0] - 2.0 * r[1] + r[2]]
    }

    /// Unites a wall with the tube: where the tube reaches farther, its wall is the wall.
    ///
    /// Smooth maximum `max(a, b) + (w - |a - b|)^2 / (4 w)` within `w`.
    pub(super) fn unite(&self, p_mm: &Vec3, hit: &mut WallHit) {
        let Some(tube) = self.sample(p_mm) else { return };
        let apart = hit.inside_mm - tube.inside_mm;
        if apart >= SMOOTH_MM {
            return;
        }
        let near = (SMOOTH_MM - apart.abs()).max(0.0);
        // Share of the wall that is built.
        let share = if apart > 0.0 { 1.0 - near / (2.0 * SMOOTH_MM) } else { near / (2.0 * SMOOTH_MM) };
        let built = hit.inward * hit.slope;
        let gradient = built * share + tube.gradient * (1.0 - share);
        let mut bend = hit.bend_per_mm * share + tube.bend_per_mm * (1.0 - share);
        if near > 0.0 {
            let across = built - tube.gradient;
            bend += across * across.transpose() / (2.0 * SMOOTH_MM);
        }
        let steepness = gradient.norm();
        hit.inside_mm = hit.inside_mm.max(tube.inside_mm) + near * near / (4.0 * SMOOTH_MM);
        if steepness > 1e-6 {
            hit.inward = gradient / steepness;
        }
        hit.slope = steepness.max(1e-3);
        hit.bend_per_mm = bend;
        hit.radius_mm = hit.radius_mm.max(tube.radius_mm);
    }
}
