//! Contrast in vessels: which stretch of which branch each ray passes, kept while C-arm and table stand still.

use rayon::prelude::*;

use super::chords::{Piece, for_each_pass};
use super::scene::between;
use crate::anatomy::{Breathing, VesselId, VesselTree};
use crate::math::Vec3;
use crate::sim::Snapshot;
use crate::sim::contact::WallShift;
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
struct LumenMap {
    stretches: Vec<Stretch>,
}

/// Displacement of vessels that is worth new path lengths, mm.
const SEEN_SHIFT_MM: f64 = 0.25;
/// Intervals between full breath out and in at which the vessels are projected.
const BREATH_LEVELS: usize = 16;

/// The vessels of a pose: one map where they keep still, one for each depth of breath where they breathe, each with the displacement
/// by devices that it was made with.
pub(super) struct LumenLayer {
    projection: Projection,
    /// The maps have half the columns and rows of the picture.
    is_coarse: bool,
    levels: Vec<Option<(WallShift, LumenMap)>>,
}

impl LumenLayer {
    pub(super) fn new(projection: Projection, is_coarse: bool) -> Self {
        let p = projection;
        let projection = if is_coarse {
            Projection { pixel_mm: 2.0 * p.pixel_mm, columns: p.columns / 2, rows: p.rows / 2, ..p }
        } else {
            p
        };
        Self { projection, is_coarse, levels: Vec::new() }
    }

    /// Makes the maps that the snapshot needs.
    pub(super) fn prepare(&mut self, tree: &VesselTree, breathing: Option<Breathing>, snapshot: &Snapshot) {
        let moving = breathing.filter(|b| b.moves_vessels);
        self.levels.resize(if moving.is_some() { BREATH_LEVELS + 1 } else { 1 }, None);
        for (level, _) in self.shares(snapshot) {
            let made = self.levels[level].as_ref();
            if made.is_some_and(|m| m.0.difference_mm(&snapshot.wall_shift) <= SEEN_SHIFT_MM) {
                continue;
            }
            let mut moved = snapshot.wall_shift.moved(tree);
            if let Some(breathing) = moving {
                let depth = 2.0 * level as f64 / BREATH_LEVELS as f64 - 1.0;
                let places = tree.branches.iter().flat_map(|b| &b.points);
                let points = moved.branches.iter_mut().flat_map(|b| &mut b.points);
                points.zip(places).for_each(|(p, at)| {
                    p.position_mm += breathing.of_vessel_mm(&at.position_mm) * depth;
                });
            }
            let map = LumenMap::new(&moved, &self.projection);
            self.levels[level] = Some((snapshot.wall_shift.clone(), map));
        }
    }

    /// The levels on both sides of the breath, and their shares.
    fn shares(&self, snapshot: &Snapshot) -> Vec<(usize, f32)> {
        if self.levels.len() == 1 {
            return vec![(0, 1.0)];
        }
        let (i, t) = between((snapshot.patient.breath + 1.0) / 2.0, BREATH_LEVELS);
        [(i, 1.0 - t), (i + 1, t)].into_iter().filter(|l| l.1 > 0.0).collect()
    }

    /// Adds the iodine of the branches to a raster of the picture's size, mg/cm2.
    pub(super) fn add_iodine(&self, snapshot: &Snapshot, iodine_mg_per_cm2: &mut [f32]) {
        for (level, share) in self.shares(snapshot) {
            let Some((_, map)) = &self.levels[level] else { continue };
            let columns = self.is_coarse.then_some(self.projection.columns);
            map.add_iodine(&snapshot.vessels, share, columns, iodine_mg_per_cm2);
        }
    }
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
    fn new(tree: &VesselTree, projection: &Projection) -> Self {
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

    /// Adds a share of the iodine of the branches to a raster, mg/cm2; of a coarse map (with its columns) to four pixels each.
    fn add_iodine(
        &self,
        vessels: &[VesselView],
        share: f32,
        coarse_columns: Option<usize>,
        iodine_mg_per_cm2: &mut [f32],
    ) {
        let filled: Vec<bool> = vessels
            .iter()
            .map(|v| v.iodine_mg_per_ml.iter().any(|c| c.abs() > 0.01) && v.cell_mm > 0.0)
            .collect();
        for s in &self.stretches {
            let b = s.branch as usize;
            if !filled.get(b).copied().unwrap_or(false) {
                continue;
            }
            let mg_per_cm2 = share * concentration(&vessels[b], s.arc_mm) * s.length_mm * 0.1;
            let pixel = s.pixel as usize;
            match coarse_columns {
                None => iodine_mg_per_cm2[pixel] += mg_per_cm2,
                Some(n) => {
                    let at = 2 * (pixel / n) * (2 * n) + 2 * (pixel % n);
                    [at, at + 1, at + 2 * n, at + 2 * n + 1]
                        .iter()
                        .for_each(|i| iodine_mg_per_cm2[*i] += mg_per_cm2);
                }
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
