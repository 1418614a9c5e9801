//! Moves vessels apart that come too near without joining.

use super::check::{near_misses, share};
use super::tree::frames;
use crate::anatomy::VesselTree;
use crate::math::Vec3;

/// Passes over all pairs.
const PASSES: usize = 10;
/// Added to the least gap, mm, so that the check passes after rounding.
const MARGIN_MM: f64 = 0.08;
/// A vessel is bent over this many of its own radii to either side of a place, and at least ...
const REACH_RADII: f64 = 8.0;
/// ... over this length, mm.
const REACH_MM: f64 = 7.0;

/// Bends end branches away from what they come too near to; those that others leave or join stay where they are, and so do
/// origins and ends. What cannot be helped is left to the check.
pub(super) fn separate(tree: &mut VesselTree, least_mm: f64) {
    for _ in 0..PASSES {
        let misses = near_misses(tree, least_mm);
        let mut moved = vec![false; tree.branches.len()];
        for m in &misses {
            // The thinner of the two that may move.
            let radius = |k: usize, arc: f64| tree.branches[k].at(arc).radius_mm;
            let mut both = [(m.a, m.a_mm, m.b, m.b_mm), (m.b, m.b_mm, m.a, m.a_mm)];
            if radius(m.b, m.b_mm) < radius(m.a, m.a_mm) {
                both.swap(0, 1);
            }
            let Some(&(own, own_mm, other, other_mm)) =
                both.iter().find(|c| is_free(tree, c.0) && !moved[c.0])
            else {
                continue;
            };
            let (p, q) = (tree.branches[own].at(own_mm), tree.branches[other].at(other_mm));
            let away = p.position_mm - q.position_mm;
            // Across both, where they cross; apart along the line between them otherwise.
            let way = away.try_normalize(1e-3).unwrap_or_else(|| p.tangent.cross(&q.tangent));
            let way = way - p.tangent * p.tangent.dot(&way);
            let Some(way) = way.try_normalize(1e-6) else { continue };
            let by = way * (least_mm + MARGIN_MM - m.gap_mm);
            if bend(tree, own, own_mm, &by) {
                moved[own] = true;
            }
        }
        if !moved.contains(&true) {
            return;
        }
    }
}

/// May a branch be bent: nothing leaves or joins it.
fn is_free(tree: &VesselTree, k: usize) -> bool {
    !tree
        .branches
        .iter()
        .flat_map(|b| [b.origin, b.distal_join])
        .flatten()
        .any(|place| place.vessel.idx() == k)
}

/// Adds a smooth bump around a place that vanishes at the branch's origin and, where it joins something, at its end.
fn bend(tree: &mut VesselTree, k: usize, at_mm: f64, by: &Vec3) -> bool {
    let branch = &mut tree.branches[k];
    let length = branch.length_mm();
    let reach = (REACH_RADII * branch.at(at_mm).radius_mm).max(REACH_MM).min(at_mm);
    if reach < 1.0 {
        return false;
    }
    let is_tied = branch.distal_join.is_some();
    let positions: Vec<Vec3> = branch
        .points
        .iter()
        .map(|p| {
            let x = ((p.arc_mm - at_mm) / reach).clamp(-1.0, 1.0);
            let bump = (1.0 - x * x).powi(2);
            let tie = if is_tied { share((length - p.arc_mm) / reach) } else { 1.0 };
            p.position_mm + by * (bump * tie)
        })
        .collect();
    let radii: Vec<f64> = branch.points.iter().map(|p| p.radius_mm).collect();
    branch.points = frames(&positions);
    branch.points.iter_mut().zip(radii).for_each(|(p, r)| p.radius_mm = r);
    true
}
