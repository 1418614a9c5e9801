//! Contrast in vessels: which stretch of which branch each ray passes, kept while C-arm and table stand still.

use rayon::prelude::*;

use super::chords::{Piece, for_each_pass, ray};
use super::scene::{between, coarser};
use crate::anatomy::{Breathing, CenterlinePoint, VesselId, VesselTree};
use crate::math::Vec3;
use crate::sim::Snapshot;
use crate::sim::contact::{WallShift, Widening};
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

/// All stretches of lumen of a projection.
#[derive(Clone, Debug, Default)]
struct LumenMap {
    /// What each branch has on the rays, by pixel, and the displacement by devices that it was made with.
    found: Vec<Vec<Found>>,
    made_with: WallShift,
    /// How far the walls of opened vessels stood outside the built ones.
    opened: Widening,
    /// The stretches of every band of rows, by pixel.
    bands: Vec<Vec<Stretch>>,
}

/// Rows that are brought up to date together.
const BAND_ROWS: usize = 8;
/// Displacement of vessels that is worth new path lengths, mm.
const SEEN_SHIFT_MM: f64 = 0.25;
/// Change of a radius that is.
const SEEN_WIDER_MM: f64 = 0.1;
/// Intervals between full breath out and in at which the vessels are projected.
const BREATH_LEVELS: usize = 16;

/// The vessels of a pose: one map where they keep still, one for each depth of breath where they breathe, each with the displacement
/// by devices that it was made with.
pub(super) struct LumenLayer {
    projection: Projection,
    /// Columns and rows of the picture over those of the maps.
    coarseness: usize,
    levels: Vec<Option<LumenMap>>,
}

impl LumenLayer {
    pub(super) fn new(projection: Projection, coarseness: usize) -> Self {
        Self { projection: coarser(&projection, coarseness), coarseness, levels: Vec::new() }
    }

    /// Makes the maps that the snapshot needs.
    pub(super) fn prepare(&mut self, tree: &VesselTree, breathing: Option<Breathing>, snapshot: &Snapshot) {
        let moving = breathing.filter(|b| b.moves_vessels);
        self.levels.resize(if moving.is_some() { BREATH_LEVELS + 1 } else { 1 }, None);
        for (level, _) in self.shares(snapshot) {
            let map = self.levels[level].get_or_insert_default();
            let stale = map.stale(tree, &snapshot.wall_shift, &snapshot.widening);
            if !stale.contains(&true) {
                continue;
            }
            let mut moved = snapshot.widening.opened(snapshot.wall_shift.moved(tree));
            if let Some(breathing) = moving {
                let depth = 2.0 * level as f64 / BREATH_LEVELS as f64 - 1.0;
                let places = tree.branches.iter().flat_map(|b| &b.points);
                let points = moved.branches.iter_mut().flat_map(|b| &mut b.points);
                points.zip(places).for_each(|(p, at)| {
                    p.position_mm += breathing.of_vessel_mm(&at.position_mm) * depth;
                });
            }
            map.update(&moved, (&snapshot.wall_shift, &snapshot.widening), &stale, &self.projection);
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
            let Some(map) = &self.levels[level] else { continue };
            map.add_iodine(&snapshot.vessels, share, &self.projection, self.coarseness, iodine_mg_per_cm2);
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Found {
    pixel: u32,
    branch: u32,
    arc_mm: f32,
    from_mm: f32,
    to_mm: f32,
}

impl Found {
    /// A total order by pixel, then depth: bits of positive floats order as the floats do.
    fn key(&self) -> (u64, u32, u32, u32) {
        let place = u64::from(self.pixel) << 32 | u64::from(self.from_mm.to_bits());
        (place, self.to_mm.to_bits(), self.branch, self.arc_mm.to_bits())
    }
}

impl LumenMap {
    /// Which branches have moved or opened too far since they were projected; all of them at first.
    fn stale(&self, tree: &VesselTree, shift: &WallShift, widening: &Widening) -> Vec<bool> {
        if self.found.len() != tree.branches.len() {
            return vec![true; tree.branches.len()];
        }
        let knots =
            |s: &WallShift, b: usize| s.branches.get(b).map(|b| b.knots_mm.clone()).unwrap_or_default();
        (0..tree.branches.len())
            .map(|b| {
                let (was, is) = (knots(&self.made_with, b), knots(shift, b));
                let at = |list: &[Vec3], i: usize| list.get(i).copied().unwrap_or_default();
                let opened = self.opened.difference_mm(widening, VesselId(b as u32)) > SEEN_WIDER_MM;
                opened
                    || (0..was.len().max(is.len())).any(|i| (at(&was, i) - at(&is, i)).norm() > SEEN_SHIFT_MM)
            })
            .collect()
    }

    /// Projects the stale branches anew. Where branches overlap (a child inside its parent) the first one met counts.
    fn update(
        &mut self,
        tree: &VesselTree,
        (shift, widening): (&WallShift, &Widening),
        stale: &[bool],
        projection: &Projection,
    ) {
        let mitres = end_mitres(tree);
        self.found.resize_with(tree.branches.len(), Vec::new);
        self.found.par_iter_mut().enumerate().filter(|(b, _)| stale[*b]).for_each(|(b, list)| {
            *list = of_branch(tree, b, &mitres[b], projection);
            list.sort_unstable_by_key(Found::key);
        });
        // A branch that was not stale keeps the displacement that it was made with.
        let mut made_with = shift.clone();
        for (b, branch) in made_with.branches.iter_mut().enumerate().filter(|(b, _)| !stale[*b]) {
            match self.made_with.branches.get(b) {
                Some(was) => branch.clone_from(was),
                None => branch.knots_mm.iter_mut().for_each(|k| *k = Vec3::zeros()),
            }
        }
        self.made_with = made_with;
        let is_stale =
            |b: &&crate::sim::contact::WideBranch| stale.get(b.vessel.idx()).copied().unwrap_or(true);
        self.opened.branches.retain(|b| !is_stale(&b));
        self.opened.branches.extend(widening.branches.iter().filter(is_stale).cloned());
        self.bands = united(&self.found, projection);
    }

    /// Adds a share of the iodine of the branches to a raster of the picture's size, mg/cm2.
    fn add_iodine(
        &self,
        vessels: &[VesselView],
        share: f32,
        projection: &Projection,
        coarseness: usize,
        iodine_mg_per_cm2: &mut [f32],
    ) {
        let filled: Vec<bool> = vessels
            .iter()
            .map(|v| v.iodine_mg_per_ml.iter().any(|c| c.abs() > 0.01) && v.cell_mm > 0.0)
            .collect();
        let (columns, wide) = (projection.columns, projection.columns * coarseness);
        let rasters = iodine_mg_per_cm2.par_chunks_mut(BAND_ROWS * coarseness * wide);
        self.bands.par_iter().zip(rasters).enumerate().for_each(|(band, (stretches, raster))| {
            let first = band * BAND_ROWS * columns;
            for s in stretches {
                let b = s.branch as usize;
                if !filled.get(b).copied().unwrap_or(false) {
                    continue;
                }
                let mg_per_cm2 = share * concentration(&vessels[b], s.arc_mm) * s.length_mm * 0.1;
                let (row, column) = ((s.pixel as usize - first) / columns, s.pixel as usize % columns);
                for y in row * coarseness..(row + 1) * coarseness {
                    let of_row = &mut raster[y * wide + column * coarseness..][..coarseness];
                    of_row.iter_mut().for_each(|v| *v += mg_per_cm2);
                }
            }
        });
    }
}

/// Longest straight piece of a vessel over its radius, and the most that it may turn.
const PIECE_RADII: f64 = 3.0;
const PIECE_TURN_COS: f64 = 0.985;

/// What one branch has on the rays: tubes between points far enough apart, and a ball where it ends in a fork.
fn of_branch(tree: &VesselTree, b: usize, mitres: &[Option<Vec3>; 2], projection: &Projection) -> Vec<Found> {
    let points = &tree.branches[b].points;
    let mut list = Vec::new();
    let last = points.len().saturating_sub(1);
    let mut i = 0;
    while i < last {
        let start = &points[i];
        let fits = |j: usize| {
            let p = &points[j];
            let middle = 0.5 * (start.radius_mm + p.radius_mm);
            p.arc_mm - start.arc_mm < PIECE_RADII * start.radius_mm
                && p.tangent.dot(&start.tangent) > PIECE_TURN_COS
                && (points[(i + j) / 2].radius_mm - middle).abs() < 0.05 * middle
        };
        let mut j = i + 1;
        while j < last && fits(j + 1) {
            j += 1;
        }
        let end = &points[j];
        let at_ends = [mitres[0].filter(|_| i == 0), mitres[1].filter(|_| j == last)];
        let piece = Piece {
            ends_mm: [start.position_mm, end.position_mm],
            mitres: [at_ends[0].unwrap_or(start.tangent), at_ends[1].unwrap_or(end.tangent)],
            radii_mm: [start.radius_mm, end.radius_mm],
        };
        for_each_pass(projection, &piece, |pass| {
            let (from, to) = pass.clipped_mm(pass.mean_chord_mm(pass.radius_mm));
            if to > from {
                list.push(Found {
                    pixel: pass.pixel as u32,
                    branch: b as u32,
                    arc_mm: (start.arc_mm + pass.along * (end.arc_mm - start.arc_mm)) as f32,
                    from_mm: from as f32,
                    to_mm: to as f32,
                });
            }
        });
        i = j;
    }
    let forks = tree.branches.iter().filter(|c| {
        c.origin.is_some_and(|o| {
            o.vessel.idx() == b && points.last().is_some_and(|p| o.arc_mm > p.arc_mm - p.radius_mm)
        })
    });
    if let Some(end) = points.last().filter(|_| forks.count() > 0) {
        add_ball(projection, b, end, &mut list);
    }
    list
}

/// The round end of a branch, so that a fork has no flat cut.
fn add_ball(projection: &Projection, b: usize, end: &CenterlinePoint, list: &mut Vec<Found>) {
    let Some((column, row, magnification)) = projection.project(&end.position_mm) else { return };
    let reach = end.radius_mm * magnification / projection.pixel_mm + 1.0;
    let range = |c: f64, limit: usize| {
        let lo = (c - reach).floor().max(0.0) as usize;
        lo..((c + reach).ceil().clamp(0.0, limit as f64) as usize).max(lo)
    };
    let away = end.position_mm - projection.source_mm;
    for y in range(row, projection.rows) {
        for x in range(column, projection.columns) {
            let d = ray(projection, x as f64 + 0.5, y as f64 + 0.5);
            let nearest = away.dot(&d);
            let under = end.radius_mm * end.radius_mm - (away.norm_squared() - nearest * nearest);
            if under > 0.0 {
                list.push(Found {
                    pixel: (y * projection.columns + x) as u32,
                    branch: b as u32,
                    arc_mm: end.arc_mm as f32,
                    from_mm: (nearest - under.sqrt()) as f32,
                    to_mm: (nearest + under.sqrt()) as f32,
                });
            }
        }
    }
}

/// Stretches of all branches (each sorted) without their overlaps, by bands of rows.
fn united(found: &[Vec<Found>], projection: &Projection) -> Vec<Vec<Stretch>> {
    let columns = projection.columns as u32;
    let bands = projection.rows.div_ceil(BAND_ROWS) as u32;
    let of_band = |band: u32| {
        let ends = [band, band + 1].map(|b| b * BAND_ROWS as u32 * columns);
        let mut all = Vec::new();
        for list in found {
            let [from, to] = ends.map(|end| list.partition_point(|f| f.pixel < end));
            all.extend_from_slice(&list[from..to]);
        }
        // The lists are in order already: a stable sort merges them.
        all.sort_by_key(Found::key);
        let (mut pixel, mut filled_to) = (u32::MAX, 0.0_f32);
        let mut stretches = Vec::with_capacity(all.len());
        for f in &all {
            if f.pixel != pixel {
                (pixel, filled_to) = (f.pixel, 0.0);
            }
            let length_mm = f.to_mm - f.from_mm.max(filled_to);
            filled_to = filled_to.max(f.to_mm);
            if length_mm > 0.0 {
                stretches.push(Stretch { pixel: f.pixel, branch: f.branch, arc_mm: f.arc_mm, length_mm });
            }
        }
        stretches
    };
    (0..bands).into_par_iter().map(of_band).collect()
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
