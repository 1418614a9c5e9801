//! Plugs of braided wire: what fills the lumen, how it presses outwards, what it looks like.

use crate::anatomy::{VesselPlace, VesselTree};
use crate::device::Mesh;
use crate::math::{Vec3, orthogonal};
use crate::sim::contact::WallQuery;

/// Cosine of the angle between wires and axis of an opened braid `[K]`.
const COS_BRAID: f64 = 0.7;
/// Outward pressure of a braid squeezed to nothing, N/mm2; it falls evenly to none at its own diameter `[K]`.
const OUTWARD_N_PER_MM2: f64 = 0.06;
/// Wires that are drawn of a braid, and turns of each over a length of one diameter.
const DRAWN_WIRES: usize = 12;
const TURNS_PER_DIAMETER: f64 = 0.35;
/// Points of a drawn wire.
const DRAWN_POINTS: usize = 14;
/// Share of the length over which the braid closes to its clamp at either end.
const CLOSING_SHARE: f64 = 0.25;

/// Cross-section of all wires of an opened braid, mm2.
pub(super) fn section_mm2(mesh: &Mesh) -> f64 {
    0.25 * std::f64::consts::PI * mesh.wire_mm * mesh.wire_mm * f64::from(mesh.wires) / COS_BRAID
}

/// Width that a plug takes in a lumen, mm.
pub(super) fn width_mm(nominal_mm: f64, lumen_mm: f64) -> f64 {
    nominal_mm.min(lumen_mm)
}

/// Force with which a plug presses on the wall all around, N: `p (1 - D / D0)` over the touched surface.
pub(super) fn outward_n(nominal_mm: f64, lumen_mm: f64, length_mm: f64) -> f64 {
    let squeezed = (1.0 - lumen_mm / nominal_mm.max(1e-6)).max(0.0);
    OUTWARD_N_PER_MM2 * squeezed * std::f64::consts::PI * width_mm(nominal_mm, lumen_mm) * length_mm
}

/// An opened plug fills the lumen: its axis is the centerline of the vessel.
pub(super) fn center(nodes_mm: &mut [Vec3], wall: &dyn WallQuery, tree: &VesselTree) {
    for x in nodes_mm {
        if let Some(VesselPlace { vessel, arc_mm }) = wall.at(x).place {
            *x = tree.branch(vessel).at(arc_mm).position_mm;
        }
    }
}

/// The wires of a plug as one line, forth and back between its two clamps.
pub(super) fn wires(axis_mm: &[Vec3], width_mm: f64) -> Vec<Vec3> {
    let (Some(first), Some(last)) = (axis_mm.first(), axis_mm.last()) else { return Vec::new() };
    let Some(along) = (last - first).try_normalize(1e-9) else { return axis_mm.to_vec() };
    let across = orthogonal(&along);
    let third = along.cross(&across);
    let length_mm = (last - first).norm();
    let turns = TURNS_PER_DIAMETER * length_mm / width_mm.max(0.1);
    let mut out = Vec::with_capacity(DRAWN_WIRES * DRAWN_POINTS);
    for wire in 0..DRAWN_WIRES {
        let sense = if wire % 2 == 0 { 1.0 } else { -1.0 };
        let start = wire as f64 / DRAWN_WIRES as f64;
        for i in 0..DRAWN_POINTS {
            let t = i as f64 / (DRAWN_POINTS - 1) as f64;
            let t = if wire % 2 == 0 { t } else { 1.0 - t };
            let open = (t.min(1.0 - t) / CLOSING_SHARE).min(1.0);
            let (sin, cos) = (std::f64::consts::TAU * (start + sense * turns * t)).sin_cos();
            let radius_mm = 0.5 * width_mm * (open * (2.0 - open)).sqrt();
            out.push(point_at(axis_mm, t) + (across * cos + third * sin) * radius_mm);
        }
    }
    out
}

/// Point of a line at a share of its nodes.
fn point_at(line: &[Vec3], t: f64) -> Vec3 {
    let x = t * (line.len() - 1) as f64;
    let i = (x as usize).min(line.len().saturating_sub(2));
    let next = line.get(i + 1).unwrap_or(&line[i]);
    line[i] + (next - line[i]) * (x - i as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plug_presses_only_where_it_is_squeezed_and_its_wires_stay_within_it() {
        assert_eq!(outward_n(6.0, 6.5, 8.0), 0.0);
        let tight = outward_n(8.0, 6.0, 8.0);
        assert!((tight - 0.06 * 0.25 * std::f64::consts::PI * 6.0 * 8.0).abs() < 1e-12, "{tight}");
        let axis: Vec<Vec3> = (0..9).map(|i| Vec3::new(0.0, 0.0, f64::from(i))).collect();
        let line = wires(&axis, 6.0);
        assert!(line.iter().all(|p| p.xy().norm() <= 3.0 + 1e-9 && (-1e-9..=8.0 + 1e-9).contains(&p.z)));
        assert!(line.iter().any(|p| p.xy().norm() > 2.9));
    }
}
