//! Finds the place on a vessel tree nearest to a point, by distance over radius, without walking the whole tree.

use std::collections::BTreeMap;

use super::{VesselId, VesselPlace, VesselTree};
use crate::math::Vec3;

/// Side of a cell, mm.
const CELL_MM: f64 = 6.0;
/// A segment is listed in all cells within this many of its radii.
const REACH: f64 = 1.6;

/// Segments of a tree by where they are.
pub(super) struct TreeIndex<'a> {
    tree: &'a VesselTree,
    cells: BTreeMap<[i32; 3], Vec<(u32, u32)>>,
}

impl<'a> TreeIndex<'a> {
    pub(super) fn new(tree: &'a VesselTree) -> Self {
        let mut cells: BTreeMap<[i32; 3], Vec<(u32, u32)>> = BTreeMap::new();
        for (b, branch) in tree.branches.iter().enumerate() {
            for (s, w) in branch.points.windows(2).enumerate() {
                let reach = REACH * w[0].radius_mm.max(w[1].radius_mm);
                let (p, q) = (w[0].position_mm, w[1].position_mm);
                let lo = cell(&p.inf(&q).add_scalar(-reach));
                let hi = cell(&p.sup(&q).add_scalar(reach));
                for x in lo[0]..=hi[0] {
                    for y in lo[1]..=hi[1] {
                        for z in lo[2]..=hi[2] {
                            cells.entry([x, y, z]).or_default().push((b as u32, s as u32));
                        }
                    }
                }
            }
        }
        Self { tree, cells }
    }

    /// As [`VesselTree::nearest`].
    pub(super) fn nearest(&self, p_mm: &Vec3) -> Option<(VesselPlace, f64)> {
        let mut best: Option<(VesselPlace, f64)> = None;
        for &(b, s) in self.cells.get(&cell(p_mm)).into_iter().flatten() {
            let w = &self.tree.branches[b as usize].points[s as usize..s as usize + 2];
            let d = w[1].position_mm - w[0].position_mm;
            let t = ((p_mm - w[0].position_mm).dot(&d) / d.norm_squared().max(1e-12)).clamp(0.0, 1.0);
            let r = w[0].radius_mm + t * (w[1].radius_mm - w[0].radius_mm);
            let ratio = (p_mm - (w[0].position_mm + d * t)).norm() / r.max(1e-3);
            if best.is_none_or(|(_, b)| ratio < b) {
                let arc_mm = w[0].arc_mm + t * (w[1].arc_mm - w[0].arc_mm);
                best = Some((VesselPlace { vessel: VesselId(b), arc_mm }, ratio));
            }
        }
        best.filter(|(_, ratio)| *ratio <= REACH).or_else(|| self.tree.nearest(p_mm))
    }

    /// Lumen radius at the nearest place, mm.
    pub(super) fn radius_mm(&self, p_mm: &Vec3) -> Option<f64> {
        self.nearest(p_mm).map(|(place, _)| self.tree.branch(place.vessel).at(place.arc_mm).radius_mm)
    }
}

fn cell(p: &Vec3) -> [i32; 3] {
    std::array::from_fn(|k| (p[k] / CELL_MM).floor() as i32)
}
