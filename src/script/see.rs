//! Reading the flat picture: in which vessel of the roadmap does a device seem to lie.

use super::percept::{Course, Percept, Point2, SeenTool, distance};
use crate::anatomy::{VesselId, VesselTree};

/// Drawing and parallax error that the eye allows beside the vessel's half width, mm.
const TOLERANCE_MM: f64 = 2.5;
/// The stretch behind the tip that is compared with the vessels, mm.
const STRETCH_MM: f64 = 20.0;
/// Spacing of the compared points, mm.
const SPACING_MM: f64 = 2.0;

/// Points of a track every 2 mm from the tip backwards, over a length.
fn stretch(track: &[Point2], over_mm: f64) -> Vec<Point2> {
    let mut out: Vec<Point2> = track.first().copied().into_iter().collect();
    let (mut done, mut next) = (0.0, SPACING_MM);
    for w in track.windows(2) {
        let d = distance(w[0], w[1]);
        while d > 0.0 && next <= done + d && next <= over_mm {
            let t = (next - done) / d;
            out.push([w[0][0] + t * (w[1][0] - w[0][0]), w[0][1] + t * (w[1][1] - w[0][1])]);
            next += SPACING_MM;
        }
        done += d;
        if done > over_mm {
            break;
        }
    }
    out
}

/// Mean over points of how far they lie outside a vessel's shadow, and of their distance from its centerline, mm.
fn misfit(course: &Course, points: &[Point2]) -> (f64, f64) {
    let (mut outside, mut off) = (0.0, 0.0);
    for p in points {
        let (d, _, half_width) = course.nearest(*p);
        outside += (d - half_width).max(0.0);
        off += d;
    }
    let n = points.len().max(1) as f64;
    (outside / n, off / n)
}

fn is_beyond(tree: &VesselTree, v: VesselId, of: VesselId) -> bool {
    v == of || tree.route(v).contains(&of)
}

/// How far past a vessel's origin the tip seems to lie in it (or beyond it), mm; `None` when it does not.
///
/// The last stretch of the device must lie in the vessel's shadow and nearer to its centerline than to that of any
/// other vessel of the roadmap; in a projection that is all there is.
pub(super) fn depth_in(p: &Percept, tree: &VesselTree, seen: &SeenTool, vessel: VesselId) -> Option<f64> {
    if !seen.tip_visible {
        return None;
    }
    let course = p.course(vessel)?;
    let (off, depth, half_width) = course.nearest(seen.tip());
    if depth <= 0.0 {
        return None;
    }
    if off > half_width + TOLERANCE_MM {
        // Past the vessel's end it may lie in one of its branches: as deep as the vessel is long, and more.
        let deeper =
            p.roadmap.iter().filter(|c| c.vessel != vessel.0 && is_beyond(tree, VesselId(c.vessel), vessel));
        return deeper
            .filter_map(|c| depth_in(p, tree, seen, VesselId(c.vessel)))
            .reduce(f64::max)
            .map(|d| d + course.length_mm());
    }
    let points = stretch(&seen.track, depth.min(STRETCH_MM));
    let (outside, mean_off) = misfit(course, &points);
    if outside > TOLERANCE_MM {
        return None;
    }
    let others = p.roadmap.iter().filter(|c| !is_beyond(tree, VesselId(c.vessel), vessel));
    let best_other = others.map(|c| misfit(c, &points).1).reduce(f64::min);
    best_other.is_none_or(|o| mean_off <= o + 0.5).then_some(depth)
}

/// Distance of the tip from the origin of a vessel on the roadmap, mm.
pub(super) fn distance_to_origin(p: &Percept, seen: &SeenTool, vessel: VesselId) -> Option<f64> {
    p.course(vessel).and_then(|c| c.points.first()).map(|o| distance(*o, seen.tip()))
}

/// Distance of the tip from a place on a vessel's course, mm.
pub(super) fn distance_to_place(
    p: &Percept,
    seen: &SeenTool,
    vessel: VesselId,
    fraction: f64,
) -> Option<f64> {
    p.course(vessel).map(|c| distance(c.at(fraction * c.length_mm()), seen.tip()))
}

/// Smallest angle between two directions, degrees.
pub(super) fn angle_between_deg(a: f64, b: f64) -> f64 {
    let d = (a - b).rem_euclid(360.0);
    d.min(360.0 - d)
}
