//! Curves into the middle of a mesh: points that lie outside or off the middle move across the curve to where the
//! inscribed sphere is largest.

use super::topology::arcs;
use crate::anatomy::MeshDistance;
use crate::math::Vec3;

/// Rounds of moving and smoothing.
const ROUNDS: usize = 12;
/// Moves in a round.
const MOVES: usize = 4;

/// The points of a curve, evenly spaced by about `step_mm`.
pub(super) fn resample(points: &[Vec3], step_mm: f64) -> Vec<Vec3> {
    let arc = arcs(points);
    let length = arc[arc.len() - 1];
    let n = ((length / step_mm).ceil() as usize).max(1);
    let mut out = Vec::with_capacity(n + 1);
    let mut k = 0;
    for i in 0..=n {
        let s = length * i as f64 / n as f64;
        while k + 2 < points.len() && arc[k + 1] < s {
            k += 1;
        }
        let t = ((s - arc[k]) / (arc[k + 1] - arc[k]).max(1e-12)).clamp(0.0, 1.0);
        out.push(points[k].lerp(&points[k + 1], t));
    }
    out
}

fn tangent(points: &[Vec3], i: usize) -> Vec3 {
    let (a, b) = (points[i.saturating_sub(1)], points[(i + 1).min(points.len() - 1)]);
    (b - a).try_normalize(1e-12).unwrap_or_else(Vec3::z)
}

fn inside_mm(surface: &MeshDistance, p: &Vec3) -> f64 {
    surface.nearest(p).map_or(f64::NEG_INFINITY, |n| n.inside_mm)
}

/// Moves points to the middle. `fixed_start` keeps the first one where the parent has it.
pub(super) fn center(points: &mut [Vec3], surface: &MeshDistance, fixed_start: bool) {
    let from = usize::from(fixed_start);
    let mut step = vec![0.5_f64; points.len()];
    for _ in 0..ROUNDS {
        for i in from..points.len() {
            let t = tangent(points, i);
            for _ in 0..MOVES {
                points[i] = moved(&points[i], &t, surface, &mut step[i]);
            }
        }
        smooth(points, surface, from);
    }
}

/// One uphill move of the wall distance: straight in from outside, across the curve once inside.
fn moved(p: &Vec3, tangent: &Vec3, surface: &MeshDistance, step: &mut f64) -> Vec3 {
    let Some(near) = surface.nearest(p) else { return *p };
    if near.inside_mm <= 0.0 {
        return near.point_mm + near.inward * 0.3;
    }
    let across = near.inward - tangent * near.inward.dot(tangent);
    let q = p + across * (*step * near.inside_mm);
    if inside_mm(surface, &q) > near.inside_mm + 1e-3 {
        q
    } else {
        *step = (*step * 0.6).max(0.02);
        *p
    }
}

/// Cuts what a curve has beyond the end of the mesh. Fitted there, its points jump to another lumen or pile up at the
/// wall. The first `keep` points stay.
pub(super) fn trim_end(points: &mut Vec<Vec3>, keep: usize, step_mm: f64) {
    let gap = |points: &[Vec3], i: usize| (points[i] - points[i - 1]).norm();
    let keep = keep.max(2);
    if let Some(jump) = (keep..points.len()).find(|i| gap(points, *i) > 5.0 * step_mm) {
        points.truncate(jump);
    }
    while points.len() > keep && gap(points, points.len() - 1) < 0.5 * step_mm {
        points.pop();
    }
}

/// Evens the curve out where that costs little of the wall distance.
fn smooth(points: &mut [Vec3], surface: &MeshDistance, from: usize) {
    for i in from.max(1)..points.len().saturating_sub(1) {
        let q = points[i] * 0.5 + (points[i - 1] + points[i + 1]) * 0.25;
        let (before, after) = (inside_mm(surface, &points[i]), inside_mm(surface, &q));
        if after > 0.85 * before {
            points[i] = q;
        }
    }
}
