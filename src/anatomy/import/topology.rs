//! Which curve leaves which: from the inflow on, along the shortest way, curves that meet become parent and child.

use super::ImportError;
use super::curves::Curve;
use crate::math::Vec3;

/// A curve in its place: points run away from the heart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) points_mm: Vec<Vec3>,
    /// Parent (index into the result) and the parent's point that the first point meets.
    pub(super) parent: Option<(usize, usize)>,
    /// Curve and its point that the last point meets, where that closes a loop.
    pub(super) joins: Option<(usize, usize)>,
}

/// The curves as a tree, parents first.
pub(super) fn arrange(
    curves: Vec<Curve>,
    root: &(usize, bool),
    tolerance_mm: f64,
) -> Result<Vec<Placed>, ImportError> {
    let mut open: Vec<Option<Curve>> = curves.into_iter().map(Some).collect();
    let mut placed: Vec<Placed> = Vec::new();
    let mut distance: Vec<f64> = Vec::new();
    // Candidates: (way from the inflow to the entry, curve, entered at its end, parent).
    let mut next = Some((0.0, root.0, root.1, None));
    while let Some((way, curve, reversed, parent)) = next {
        if let Some(c) = open[curve].take() {
            let mut points_mm = c.points_mm;
            if reversed {
                points_mm.reverse();
            }
            placed.push(Placed { name: c.name, points_mm, parent, joins: None });
            distance.push(way);
        }
        next = nearest_entry(&open, &placed, &distance, tolerance_mm);
    }
    if let Some(left) = open.iter().flatten().next() {
        let gap_mm = placed
            .iter()
            .flat_map(|p| p.points_mm.iter())
            .flat_map(|p| {
                [left.points_mm[0], left.points_mm[left.points_mm.len() - 1]].map(|e| (e - p).norm())
            })
            .fold(f64::INFINITY, f64::min);
        return Err(ImportError::Apart { curve: left.name.clone(), gap_mm, tolerance_mm });
    }
    for i in 0..placed.len() {
        placed[i].joins = join(&placed, i, tolerance_mm);
    }
    Ok(placed)
}

/// The curve not yet placed whose end meets a placed one nearest to the inflow.
fn nearest_entry(
    open: &[Option<Curve>],
    placed: &[Placed],
    distance: &[f64],
    tolerance_mm: f64,
) -> Option<(f64, usize, bool, Option<(usize, usize)>)> {
    let mut best: Option<(f64, usize, bool, Option<(usize, usize)>)> = None;
    for (parent, p) in placed.iter().enumerate() {
        let ways = arcs(&p.points_mm);
        for (i, curve) in open.iter().enumerate().filter_map(|(i, c)| c.as_ref().map(|c| (i, c))) {
            for reversed in [false, true] {
                let end = if reversed { curve.points_mm.last() } else { curve.points_mm.first() };
                let Some((k, gap)) = end.and_then(|e| nearest_point(&p.points_mm, e)) else { continue };
                let way = distance[parent] + ways[k];
                if gap <= tolerance_mm && best.is_none_or(|b| way < b.0) {
                    best = Some((way, i, reversed, Some((parent, k))));
                }
            }
        }
    }
    best
}

/// Where the last point of a curve meets another, which closes a loop. Of curves that end together, the one that others
/// go on from is the one met, else the first.
fn join(placed: &[Placed], i: usize, tolerance_mm: f64) -> Option<(usize, usize)> {
    let end = placed[i].points_mm.last()?;
    let goes_on = |k: usize| {
        let last = placed[k].points_mm.len() - 1;
        placed.iter().any(|p| p.parent.is_some_and(|(parent, at)| parent == k && at + 2 > last))
    };
    if goes_on(i) {
        return None;
    }
    for (k, other) in placed.iter().enumerate().filter(|(k, _)| *k != i) {
        let Some((at, gap)) = nearest_point(&other.points_mm, end) else { continue };
        let ends_too = at + 1 == other.points_mm.len();
        if gap <= tolerance_mm && at > 0 && (!ends_too || goes_on(k) || k < i) {
            return Some((k, at));
        }
    }
    None
}

fn nearest_point(points: &[Vec3], p: &Vec3) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (i, q) in points.iter().enumerate() {
        let d = (q - p).norm();
        if best.is_none_or(|b| d < b.1) {
            best = Some((i, d));
        }
    }
    best
}

/// Arc length of each point.
pub(super) fn arcs(points: &[Vec3]) -> Vec<f64> {
    let mut arc = 0.0;
    let mut out = Vec::with_capacity(points.len());
    for (i, p) in points.iter().enumerate() {
        if i > 0 {
            arc += (p - points[i - 1]).norm();
        }
        out.push(arc);
    }
    out
}

/// Curve ends that meet nothing: curve, at its end.
pub(super) fn free_ends(curves: &[Curve], tolerance_mm: f64) -> Vec<(usize, bool)> {
    let mut out = Vec::new();
    for (i, c) in curves.iter().enumerate() {
        for reversed in [false, true] {
            let end = if reversed { c.points_mm.last() } else { c.points_mm.first() };
            let Some(end) = end else { continue };
            let meets = curves.iter().enumerate().any(|(k, other)| {
                k != i && nearest_point(&other.points_mm, end).is_some_and(|(_, gap)| gap <= tolerance_mm)
            });
            if !meets {
                out.push((i, reversed));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, points: &[(f64, f64)]) -> Curve {
        let points_mm = points.iter().map(|(x, z)| Vec3::new(*x, 0.0, *z)).collect();
        Curve { name: name.to_owned(), points_mm }
    }

    #[test]
    fn a_diamond_is_a_tree_with_one_loop() {
        // trunk up, two ways that meet again (one stored backwards), a branch on from there, one from mid-trunk
        let curves = vec![
            curve("top", &[(0.0, 20.0), (0.0, 30.0)]),
            curve("right", &[(0.0, 20.0), (7.0, 15.0), (0.0, 10.0)]),
            curve("left", &[(0.0, 10.0), (-5.0, 15.0), (0.0, 20.0)]),
            curve("trunk", &[(0.0, 0.0), (0.0, 5.0), (0.0, 10.0)]),
            curve("side", &[(9.0, 5.0), (0.0, 5.0)]),
        ];
        let ends = free_ends(&curves, 0.5);
        assert_eq!(ends, vec![(0, true), (3, false), (4, false)]);
        let tree = arrange(curves, &(3, false), 0.5).unwrap();
        let names: Vec<&str> = tree.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["trunk", "side", "right", "left", "top"]);
        assert_eq!(tree[1].parent, Some((0, 1)));
        assert_eq!(tree[1].points_mm[1], Vec3::new(9.0, 0.0, 5.0));
        assert_eq!(tree[2].parent, Some((0, 2)));
        assert_eq!(tree[4].parent, Some((3, 2)), "the shorter way is the parent");
        assert_eq!(tree[2].joins, Some((3, 2)));
        assert_eq!(tree[3].joins, None);
    }
}
