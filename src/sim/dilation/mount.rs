//! Where a balloon or stent lies: cross-sections along its catheter, and their places on the axes of the vessels.

use crate::anatomy::{Branch, VesselId, VesselPlace, VesselTree};
use crate::device::Device;
use crate::math::Vec3;
use crate::sim::contact::WallQuery;
use crate::sim::snapshot::RodView;

/// How far along a parent the foot of a point is sought from a branch's mouth, mm.
const NEAR_MM: f64 = 25.0;
/// Ancestors that are tried.
const TRIES: usize = 3;

/// A cross-section of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Arc length on its rod, mm.
    pub rod_arc_mm: f64,
    /// Middle, where the vessels now are, mm.
    pub point_mm: Vec3,
    /// Place on an axis; none outside the vessels or in another device.
    pub place: Option<VesselPlace>,
    /// Radius of the bore that it still lies in, mm; infinite in a vessel.
    pub bore_mm: f64,
}

/// What places are found with.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Devices of the tray.
    pub tools: &'a [Device],
    /// Vessels at rest.
    pub tree: &'a VesselTree,
    /// Their wall where it now is.
    pub wall: &'a dyn WallQuery,
    /// How far the vessels have moved at a point, mm.
    pub shift_mm: &'a dyn Fn(&Vec3) -> Vec3,
    /// Inner diameter of the sheath of each rod, mm.
    pub sheath_mm: &'a [f64],
}

/// Cross-sections of device `index` of a rod, `step_mm` apart from `from_tip_mm` behind its tip on.
pub fn sites(
    ground: &Ground<'_>,
    rods: &[RodView],
    (rod, index): (usize, usize),
    from_tip_mm: f64,
    count: usize,
    step_mm: f64,
) -> Vec<Site> {
    let view = &rods[rod];
    let tip_mm = view.devices[index].inserted_mm + view.devices[index].shed_mm;
    let bore = |arc_mm: f64| {
        if arc_mm <= 0.0 {
            return 0.5 * ground.sheath_mm.get(rod).copied().unwrap_or(1.0);
        }
        let carriers = view.devices[..index].iter().filter(|d| d.inserted_mm > arc_mm);
        let bores = carriers.filter_map(|d| ground.tools.get(d.tool.idx())?.inner_diameter_mm);
        bores.fold(f64::INFINITY, |least, b| least.min(0.5 * b))
    };
    (0..count)
        .map(|i| {
            let rod_arc_mm = tip_mm - from_tip_mm - step_mm * i as f64;
            let point_mm = point_at(view, rod_arc_mm);
            let bore_mm = bore(rod_arc_mm);
            let place = if bore_mm.is_finite() { None } else { place(ground, &point_mm) };
            Site { rod_arc_mm, point_mm, place, bore_mm }
        })
        .collect()
}

/// Stretches of vessel between the outermost of some places in each: branch, from, to, mm.
pub fn stretches(places: impl Iterator<Item = VesselPlace>) -> Vec<(VesselId, f64, f64)> {
    let mut out: Vec<(VesselId, f64, f64)> = Vec::new();
    for p in places {
        match out.iter_mut().find(|(v, _, _)| *v == p.vessel) {
            Some((_, from, to)) => (*from, *to) = (from.min(p.arc_mm), to.max(p.arc_mm)),
            None => out.push((p.vessel, p.arc_mm, p.arc_mm)),
        }
    }
    out
}

/// The point of a rod at an arc length, straight on before its base, mm.
pub fn point_at(rod: &RodView, arc_mm: f64) -> Vec3 {
    let n = rod.nodes_mm.len();
    if n < 2 {
        return Vec3::zeros();
    }
    let hi = rod.arc_mm.partition_point(|a| *a < arc_mm).clamp(1, n - 1);
    let (a, b) = (rod.arc_mm[hi - 1], rod.arc_mm[hi]);
    let t = ((arc_mm - a) / (b - a).max(1e-9)).min(1.0);
    rod.nodes_mm[hi - 1] + (rod.nodes_mm[hi] - rod.nodes_mm[hi - 1]) * t
}

/// The place of a point on the axis that it lies nearest to by lumen: the nearest wall may be that of a small branch's mouth.
pub fn place(ground: &Ground<'_>, point_mm: &Vec3) -> Option<VesselPlace> {
    let mut at = ground.wall.at(point_mm).place?;
    let rest_mm = point_mm - (ground.shift_mm)(point_mm);
    for _ in 0..TRIES {
        let Some(origin) = ground.tree.branch(at.vessel).origin else { break };
        let parent = ground.tree.branch(origin.vessel);
        let mouth_mm = parent.at(origin.arc_mm).radius_mm;
        if at.arc_mm > 3.0 * mouth_mm {
            break;
        }
        let arc_mm = foot_mm(parent, &rest_mm, origin.arc_mm);
        let axis = parent.at(arc_mm);
        let is_beyond = arc_mm >= parent.length_mm() - 1e-6;
        if is_beyond || (rest_mm - axis.position_mm).norm() > axis.radius_mm {
            break;
        }
        at = VesselPlace { vessel: origin.vessel, arc_mm };
    }
    Some(at)
}

/// Arc length of the nearest point of an axis about a place, mm.
pub fn foot_mm(branch: &Branch, p_mm: &Vec3, near_mm: f64) -> f64 {
    let mut best = (f64::INFINITY, near_mm);
    for w in branch.points.windows(2) {
        if w[1].arc_mm < near_mm - NEAR_MM || w[0].arc_mm > near_mm + NEAR_MM {
            continue;
        }
        let along = w[1].position_mm - w[0].position_mm;
        let t = ((p_mm - w[0].position_mm).dot(&along) / along.norm_squared().max(1e-12)).clamp(0.0, 1.0);
        let far = (p_mm - (w[0].position_mm + along * t)).norm();
        if far < best.0 {
            best = (far, w[0].arc_mm + t * (w[1].arc_mm - w[0].arc_mm));
        }
    }
    best.1
}
