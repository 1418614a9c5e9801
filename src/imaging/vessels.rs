//! Contrast in vessels: which stretch of which branch each ray passes, kept while C-arm and table stand still.

use rayon::prelude::*;

use super::chords::{Piece, for_each_pass};
use crate::anatomy::{VesselId, VesselTree};
use crate::math::Vec3;
use crate::sim::snapshot::VesselView;
use crate::xray::Projection;

/// A stretch of lumen on a pixel's ray.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    pixel: u32,
    branch: u32,
    /// Arc length on the branch, mm.
    arc_mm: f32,
    length_mm: f32,
}

/// All stretches of lumen of a projection, by pixel.
#[derive(Clone, Debug, Default)]
pub(super) struct LumenMap {
    stretches: Vec<Stretch>,
}

struct Found {
    pixel: u32,
    branch: u32,
    arc_mm: f32,
    from_mm: f32,
    to_mm: f32,
}

impl LumenMap {
    /// Chords through every branch; where branches overlap (a child inside its parent) the first one met counts.
    pub(super) fn new(tree: &VesselTree, projection: &Projection) -> Self {
        let mitres = end_mitres(tree);
        let mut found: Vec<Found> = tree
            .branches
            .par_iter()
            .enumerate()
            .flat_map_iter(|(b, branch)| {
                let mut list = Vec::new();
                let last = branch.points.len().saturating_sub(2);
                for (i, w) in branch.points.windows(2).enumerate() {
                    let at_ends = [mitres[b][0].filter(|_| i == 0), mitres[b][1].filter(|_| i == last)];
                    let piece = Piece {
                        ends_mm: [w[0].position_mm, w[1].position_mm],
                        mitres: [at_ends[0].unwrap_or(w[0].tangent), at_ends[1].unwrap_or(w[1].tangent)],
                        radii_mm: [w[0].radius_mm, w[1].radius_mm],
                    };
                    for_each_pass(projection, &piece, |pass| {
                        let (from, to) = pass.clipped_mm(pass.mean_chord_mm(pass.radius_mm, -1.0, 1.0));
                        if to > from {
                            list.push(Found {
                                pixel: pass.pixel as u32,
                                branch: b as u32,
                                arc_mm: (w[0].arc_mm + pass.along * (w[1].arc_mm - w[0].arc_mm)) as f32,
                                from_mm: from as f32,
                                to_mm: to as f32,
                            });
                        }
                    });
                }
                list
            })
            .collect();
        // Bits of positive floats order as the floats do; the key is total, so the order is the same for any threads.
        found.par_sort_unstable_by_key(|f| {
            (
                u64::from(f.pixel) << 32 | u64::from(f.from_mm.to_bits()),
                f.to_mm.to_bits(),
                f.branch,
                f.arc_mm.to_bits(),
            )
        });
        let mut stretches = Vec::with_capacity(found.len());
        let (mut pixel, mut filled_to) = (u32::MAX, 0.0_f32);
        for f in found {
            if f.pixel != pixel {
                (pixel, filled_to) = (f.pixel, 0.0);
            }
            let length_mm = f.to_mm - f.from_mm.max(filled_to);
            filled_to = filled_to.max(f.to_mm);
            if length_mm > 0.0 {
                stretches.push(Stretch { pixel, branch: f.branch, arc_mm: f.arc_mm, length_mm });
            }
        }
        Self { stretches }
    }

    /// Adds the iodine of the branches to a raster, mg/cm2.
    pub(super) fn add_iodine(&self, vessels: &[VesselView], iodine_mg_per_cm2: &mut [f32]) {
        let filled: Vec<bool> = vessels
            .iter()
            .map(|v| v.iodine_mg_per_ml.iter().any(|c| c.abs() > 0.01) && v.cell_mm > 0.0)
            .collect();
        for s in &self.stretches {
            let b = s.branch as usize;
            if filled.get(b).copied().unwrap_or(false) {
                iodine_mg_per_cm2[s.pixel as usize] +=
                    concentration(&vessels[b], s.arc_mm) * s.length_mm * 0.1;
            }
        }
    }
}

/// Where a branch goes on as one child, the two are cut by one plane, so that no wedge is left open or counted twice:
/// directions across the first and last point of each branch, where that is so.
fn end_mitres(tree: &VesselTree) -> Vec<[Option<Vec3>; 2]> {
    const ALONG: f64 = 0.8;
    let mut out = vec![[None; 2]; tree.branches.len()];
    for (i, parent) in tree.branches.iter().enumerate() {
        let length_mm = parent.length_mm();
        let mut at_end = tree.branches.iter().enumerate().filter(|(_, c)| {
            c.origin.is_some_and(|o| o.vessel == VesselId(i as u32) && o.arc_mm > length_mm - 1e-6)
        });
        let (Some((j, child)), None) = (at_end.next(), at_end.next()) else { continue };
        let (Some(a), Some(b)) = (parent.points.last(), child.points.first()) else { continue };
        if a.tangent.dot(&b.tangent) > ALONG {
            let middle = (a.tangent + b.tangent).normalize();
            out[i][1] = Some(middle);
            out[j][0] = Some(middle);
        }
    }
    out
}

/// Concentration at an arc length, linear between cell centers, mg/mL.
fn concentration(vessel: &VesselView, arc_mm: f32) -> f32 {
    let cells = &vessel.iodine_mg_per_ml;
    let at = ((arc_mm - vessel.start_mm as f32) / vessel.cell_mm as f32 - 0.5)
        .clamp(0.0, (cells.len() - 1) as f32);
    let i = (at as usize).min(cells.len() - 1);
    let next = cells[(i + 1).min(cells.len() - 1)];
    cells[i] + (next - cells[i]) * (at - i as f32)
}
