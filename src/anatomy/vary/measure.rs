//! What a tree measures where a parameter would set it.

use super::{Parameter, Quantity};
use crate::anatomy::{Branch, VesselTree};

/// The value that a tree has for a parameter; `None` where its branch is missing.
pub fn measured(p: &Parameter, tree: &VesselTree, described: &VesselTree) -> Option<f64> {
    let branch = |name: &str| tree.find(name).map(|id| tree.branch(id));
    match &p.of {
        Quantity::Diameter(names) => {
            names.first().and_then(|n| branch(n)).map(|b| 2.0 * b.points[0].radius_mm)
        }
        Quantity::Length(name) => branch(name).map(Branch::length_mm),
        Quantity::TakeOff(name) => branch(name).and_then(|b| tree.take_off_deg(b)),
        Quantity::Tortuosity(names) => names.first().and_then(|n| branch(n)).map(tortuosity),
        Quantity::Calibre => {
            let root = tree.branches.first()?;
            let before = described.branches.first()?;
            Some(root.points[0].radius_mm / before.points[0].radius_mm)
        }
    }
}

/// Way over straight distance.
pub(super) fn tortuosity(b: &Branch) -> f64 {
    let chord = (b.points[b.points.len() - 1].position_mm - b.points[0].position_mm).norm();
    b.length_mm() / chord.max(1e-9)
}
