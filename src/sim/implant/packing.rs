//! How densely implants fill a stretch of vessel, and how little blood gets through.

use serde::{Deserialize, Serialize};

use super::{ImplantInputs, Placed};
use crate::anatomy::{VesselId, VesselTree};
use crate::device::Device;
use crate::math::Vec3;
use crate::sim::contact::WallQuery;
use crate::sim::flow::{LumenCause, LumenChange};

/// Length of the pieces of vessel that are looked at, mm.
const PIECE_MM: f64 = 1.0;
/// Share of solid that no packing exceeds: cylinders side by side.
const MOST_SOLID: f64 = 0.9;
/// Share of solid below which a stretch is open.
const LEAST_SOLID: f64 = 1e-3;
/// Share of a clotted stretch that still seeps.
const SEEP: f64 = 1e-3;

/// A piece of a vessel in which implants lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// Vessel.
    pub vessel: VesselId,
    /// From this arc length, mm.
    pub from_mm: f64,
    /// To this arc length, mm.
    pub to_mm: f64,
    /// Share of the lumen that is solid: packing density, 0 to 0.9.
    pub solid: f64,
    /// Mean radius of the solid cylinders, mm.
    pub cylinder_mm: f64,
    /// Implants in it, with their share of the solid.
    pub shares: Vec<(u32, f64)>,
}

/// Permeability of a random bed of cylinders, mm2 (Jackson and James 1986): `k = 3 a^2 (-ln s - 0.931) / (20 s)` with the share
/// of solid `s` (0.005 to 0.3 in the source) and the radius `a`. Above the share at which that ends the last value falls as the
/// cube of what is open.
pub fn permeability_mm2(solid: f64, cylinder_mm: f64) -> f64 {
    const LAST: f64 = 0.3;
    let law = |s: f64| 3.0 * cylinder_mm * cylinder_mm * (-s.ln() - 0.931) / (20.0 * s);
    if solid <= LAST { law(solid.max(1e-6)) } else { law(LAST) * ((1.0 - solid) / (1.0 - LAST)).powi(3) }
}

/// Length of a centerline in each vessel, mm, in the order of the vessels.
pub(super) fn lengths(nodes_mm: &[Vec3], wall: &dyn WallQuery) -> Vec<(VesselId, f64)> {
    let mut out: Vec<(VesselId, f64)> = Vec::new();
    for w in nodes_mm.windows(2) {
        let Some(place) = wall.at(&(0.5 * (w[0] + w[1]))).place else { continue };
        let l = (w[1] - w[0]).norm();
        match out.iter_mut().find(|(v, _)| *v == place.vessel) {
            Some((_, sum)) => *sum += l,
            None => out.push((place.vessel, l)),
        }
    }
    out.sort_by_key(|(v, _)| *v);
    out
}

/// Solid volume of an implant by pieces of vessel: (vessel, piece, mm3), and the radius of its cylinders, mm.
fn volumes(p: &Placed, tools: &[Device], wall: &dyn WallQuery) -> (Vec<(VesselId, i64, f64)>, f64) {
    let (area, cylinder_mm) = p.solid(tools);
    let mut out: Vec<(VesselId, i64, f64)> = Vec::new();
    for w in p.nodes_mm.windows(2) {
        let middle = 0.5 * (w[0] + w[1]);
        let Some(place) = wall.at(&middle).place else { continue };
        let piece = (place.arc_mm / PIECE_MM).floor() as i64;
        let volume = area * (w[1] - w[0]).norm();
        match out.iter_mut().find(|(v, i, _)| (*v, *i) == (place.vessel, piece)) {
            Some((_, _, sum)) => *sum += volume,
            None => out.push((place.vessel, piece, volume)),
        }
    }
    (out, cylinder_mm)
}

/// The pieces of vessel that hold anything of the implants at rest, in the order of vessel and arc length.
pub(super) fn stretches(placed: &[&Placed], inputs: &ImplantInputs<'_>) -> Vec<Stretch> {
    let mut out: Vec<(VesselId, i64, Vec<(u32, f64, f64)>)> = Vec::new();
    for (i, p) in placed.iter().enumerate().filter(|(_, p)| p.lies()) {
        let (volumes, cylinder_mm) = volumes(p, inputs.tools, inputs.wall);
        for (vessel, piece, volume) in volumes {
            let entry = (i as u32, volume, cylinder_mm);
            match out.iter_mut().find(|(v, k, _)| (*v, *k) == (vessel, piece)) {
                Some((_, _, list)) => list.push(entry),
                None => out.push((vessel, piece, vec![entry])),
            }
        }
    }
    out.sort_by_key(|(v, k, _)| (*v, *k));
    out.into_iter().map(|(vessel, piece, list)| stretch(inputs.tree, vessel, piece, &list)).collect()
}

fn stretch(tree: &VesselTree, vessel: VesselId, piece: i64, list: &[(u32, f64, f64)]) -> Stretch {
    let (from_mm, to_mm) = (piece as f64 * PIECE_MM, (piece + 1) as f64 * PIECE_MM);
    let radius_mm = tree.branch(vessel).at(0.5 * (from_mm + to_mm)).radius_mm;
    let lumen = std::f64::consts::PI * radius_mm * radius_mm * PIECE_MM;
    let volume: f64 = list.iter().map(|l| l.1).sum();
    Stretch {
        vessel,
        from_mm,
        to_mm,
        solid: (volume / lumen).min(MOST_SOLID),
        cylinder_mm: list.iter().map(|l| l.1 * l.2).sum::<f64>() / volume.max(1e-12),
        shares: list.iter().map(|l| (l.0, l.1 / volume.max(1e-12))).collect(),
    }
}

/// What the stretches do to the lumen: the radius of an open tube that resists as the packed one does, `r^4 = 8 k R^2`.
pub(super) fn changes(
    placed: &[&Placed],
    stretches: &[Stretch],
    inputs: &ImplantInputs<'_>,
) -> Vec<LumenChange> {
    let mut out = Vec::new();
    for s in stretches.iter().filter(|s| s.solid > LEAST_SOLID) {
        let clot: f64 = s.shares.iter().map(|(i, share)| share * placed[*i as usize].clot).sum();
        let open = (1.0 - clot).max(SEEP).powi(3);
        let radius_mm = inputs.tree.branch(s.vessel).at(0.5 * (s.from_mm + s.to_mm)).radius_mm;
        let factor =
            (8.0 * open * permeability_mm2(s.solid, s.cylinder_mm) / (radius_mm * radius_mm)).powf(0.25);
        if factor < 1.0 {
            out.push(LumenChange {
                cause: LumenCause::Packing,
                vessel: s.vessel,
                from_mm: s.from_mm,
                to_mm: s.to_mm,
                radius_factor: factor,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permeability_is_that_of_the_equation_and_falls_smoothly() {
        // By hand from the equation, k / a^2.
        for (s, k) in [(0.05, 6.19), (0.2, 0.509)] {
            let found = permeability_mm2(s, 1.0);
            assert!((found / k - 1.0).abs() < 0.01, "{s}: {found}");
        }
        let steps: Vec<f64> = (1..90).map(|i| permeability_mm2(f64::from(i) * 0.01, 0.15)).collect();
        assert!(steps.windows(2).all(|w| w[1] < w[0] && w[1] > 0.0));
    }
}
