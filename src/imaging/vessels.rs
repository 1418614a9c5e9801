//! Contrast in vessels: which stretch of which branch each ray passes, kept while C-arm and table stand still.

use rayon::prelude::*;

use super::chords::{Piece, for_each_pass, ray};
use super::scene::{between, coarser};
use crate::anatomy::breathing::contraction;
use crate::anatomy::{Breathing, VesselId, VesselTree};
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
    /// What each branch has on the rays, and the displacement by devices that it was made with.
    found: Vec<BranchMap>,
    made_with: WallShift,
    /// How far the walls of opened vessels stood outside the built ones.
    opened: Widening,
    /// The stretches of every band of rows, by pixel.
    bands: Vec<Vec<Stretch>>,
}

/// What one branch has on the rays, by bands of rows.
#[derive(Clone, Debug, Default)]
struct BranchMap {
    found: Vec<Found>,
    /// Where each band begins in `found`, and its end; empty for a branch that is nowhere.
    starts: Vec<u32>,
}

impl BranchMap {
    /// Sorts by bands of so many pixels; what is in a band keeps its order.
    fn new(lists: &[Vec<Found>], bands: usize, band_pixels: usize) -> Self {
        let total = lists.iter().map(Vec::len).sum();
        if total == 0 {
            return Self::default();
        }
        let band_of = |f: &Found| f.pixel as usize / band_pixels;
        let mut starts = vec![0_u32; bands + 1];
        for f in lists.iter().flatten() {
            starts[band_of(f) + 1] += 1;
        }
        for band in 0..bands {
            starts[band + 1] += starts[band];
        }
        let mut next = starts.clone();
        let mut found = vec![Found::default(); total];
        for f in lists.iter().flatten() {
            let at = &mut next[band_of(f)];
            found[*at as usize] = *f;
            *at += 1;
        }
        Self { found, starts }
    }

    /// What is in a band.
    fn of_band(&self, band: usize) -> &[Found] {
        match self.starts.get(band..band + 2) {
            Some([from, to]) => &self.found[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

/// Rows that are brought up to date together.
const BAND_ROWS: usize = 8;
/// Displacement of vessels that is worth new path lengths, mm.
const SEEN_SHIFT_MM: f64 = 0.25;
/// Change of a radius that is.
const SEEN_WIDER_MM: f64 = 0.1;
/// Intervals between full breath out and in at which the vessels are projected.
const BREATH_LEVELS: usize = 16;
/// Steps of the heart's contraction at which its vessels are projected.
const BEAT_STEPS: f64 = 16.0;

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

    /// Makes the maps that the snapshot needs; `beat` is what the heart does at the end of systole.
    pub(super) fn prepare(
        &mut self,
        tree: &VesselTree,
        breathing: Option<Breathing>,
        beat: Option<&WallShift>,
        snapshot: &Snapshot,
    ) {
        // The few branches at the heart are projected anew as they move.
        let shift = match beat {
            Some(full) => {
                let share = contraction(snapshot.patient.heart_phase);
                &snapshot.wall_shift.plus(full, (share * BEAT_STEPS).round() / BEAT_STEPS)
            }
            None => &snapshot.wall_shift,
        };
        let moving = breathing.filter(|b| b.moves_vessels);
        self.levels.resize(if moving.is_some() { BREATH_LEVELS + 1 } else { 1 }, None);
        for (level, _) in self.shares(snapshot) {
            let map = self.levels[level].get_or_insert_default();
            let stale = map.stale(tree, shift, &snapshot.widening);
            if !stale.contains(&true) {
                continue;
            }
            let mut moved = snapshot.widening.opened(shift.moved(tree));
            if let Some(breathing) = moving {
                let depth = 2.0 * level as f64 / BREATH_LEVELS as f64 - 1.0;
                let places = tree.branches.iter().flat_map(|b| &b.points);
                let points = moved.branches.iter_mut().flat_map(|b| &mut b.points);
                points.zip(places).for_each(|(p, at)| {
                    p.position_mm += breathing.of_vessel_mm(&at.position_mm) * depth;
                });
            }
            map.update(&moved, (shift, &snapshot.widening), &stale, &self.projection);
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

#[derive(Clone, Copy, Debug, Default)]
struct Found {
    pixel: u32,
    branch: u32,
    arc_mm: f32,
    from_mm: f32,
    to_mm: f32,
}

impl Found {
    /// A total order along a ray: bits of positive floats order as the floats do.
    fn key(&self) -> (u32, u32, u32, u32) {
        (self.from_mm.to_bits(), self.to_mm.to_bits(), self.branch, self.arc_mm.to_bits())
    }
}

impl LumenMap {
    /// Which branches have moved or opened too far since they were projected; all of them at first.
    fn stale(&self, tree: &VesselTree, shift: &WallShift, widening: &Widening) -> Vec<bool> {
        if self.found.len() != tree.branches.len() {
            return vec![true; tree.branches.len()];
        }
        fn knots(shift: &WallShift, b: usize) -> &[Vec3] {
            shift.branches.get(b).map_or(&[], |b| &b.knots_mm)
        }
        (0..tree.branches.len())
            .map(|b| {
                let (was, is) = (knots(&self.made_with, b), knots(shift, b));
                let at = |list: &[Vec3], i: usize| list.get(i).copied().unwrap_or_default();
                let opened = self.opened.difference_mm(widening, VesselId(b as u32)) > SEEN_WIDER_MM;
                opened
                    || (0..was.len().max(is.len())).any(|i| (at(was, i) - at(is, i)).norm() > SEEN_SHIFT_MM)
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
        let bands = projection.rows.div_ceil(BAND_ROWS);
        self.found.resize_with(tree.branches.len(), BranchMap::default);
        // What a stale branch left and where it comes to has to be united anew.
        let mut changed = vec![self.bands.len() != bands; bands];
        let mark = |maps: &[BranchMap], changed: &mut [bool]| {
            for map in maps.iter().zip(stale).filter(|(_, s)| **s).map(|(m, _)| m) {
                changed.iter_mut().enumerate().for_each(|(band, c)| *c |= !map.of_band(band).is_empty());
            }
        };
        mark(&self.found, &mut changed);
        let mitres = end_mitres(tree);
        let parts: Vec<(usize, Part)> = (0..tree.branches.len())
            .filter(|b| stale[*b])
            .flat_map(|b| parts_of(tree, b, &mitres[b]).into_iter().map(move |part| (b, part)))
            .collect();
        let lists: Vec<Vec<Found>> = parts.par_iter().map(|(b, part)| part.found(*b, projection)).collect();
        let (mut from, band_pixels) = (0, BAND_ROWS * projection.columns);
        for (b, map) in self.found.iter_mut().enumerate().filter(|(b, _)| stale[*b]) {
            let to = from + parts[from..].iter().take_while(|(of, _)| *of == b).count();
            *map = BranchMap::new(&lists[from..to], bands, band_pixels);
            from = to;
        }
        mark(&self.found, &mut changed);
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
        self.bands.resize_with(bands, Vec::new);
        let found = &self.found;
        self.bands.par_iter_mut().enumerate().filter(|(band, _)| changed[*band]).for_each_init(
            Merge::default,
            |merge, (band, stretches)| {
                merge.unite(found, band, band_pixels, stretches);
            },
        );
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
            let first = (band * BAND_ROWS * columns) as u32;
            for s in stretches {
                let b = s.branch as usize;
                if !filled.get(b).copied().unwrap_or(false) {
                    continue;
                }
                let mg_per_cm2 = share * concentration(&vessels[b], s.arc_mm) * s.length_mm * 0.1;
                let place = (s.pixel - first) as usize;
                if coarseness == 1 {
                    raster[place] += mg_per_cm2;
                    continue;
                }
                let (row, column) = (place / columns, place % columns);
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

/// A part of a branch as it is projected.
enum Part {
    /// A straight tube with the arc lengths of its ends, mm.
    Tube(Piece, [f64; 2]),
    /// The round end of a branch, so that a fork has no flat cut.
    Ball { center_mm: Vec3, radius_mm: f64, arc_mm: f64 },
}

/// The parts of a branch: tubes between points far enough apart, and a ball where it ends in a fork.
fn parts_of(tree: &VesselTree, b: usize, mitres: &[Option<Vec3>; 2]) -> Vec<Part> {
    let points = &tree.branches[b].points;
    let radii = radii_mm(tree, b);
    let mut parts = Vec::new();
    let last = points.len().saturating_sub(1);
    let mut i = 0;
    while i < last {
        let start = &points[i];
        let fits = |j: usize| {
            let p = &points[j];
            let middle = 0.5 * (radii[i] + radii[j]);
            p.arc_mm - start.arc_mm < PIECE_RADII * radii[i]
                && p.tangent.dot(&start.tangent) > PIECE_TURN_COS
                && (radii[(i + j) / 2] - middle).abs() < 0.05 * middle
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
            radii_mm: [radii[i], radii[j]],
        };
        parts.push(Part::Tube(piece, [start.arc_mm, end.arc_mm]));
        i = j;
    }
    let mut forks = tree.branches.iter().filter(|c| {
        c.origin.is_some_and(|o| {
            o.vessel.idx() == b && points.last().is_some_and(|p| o.arc_mm > p.arc_mm - p.radius_mm)
        })
    });
    if let Some(end) = points.last().filter(|_| forks.next().is_some()) {
        let (center_mm, radius_mm, arc_mm) = (end.position_mm, end.radius_mm, end.arc_mm);
        parts.push(Part::Ball { center_mm, radius_mm, arc_mm });
    }
    parts
}

impl Part {
    /// Where the rays pass it, row by row.
    fn found(&self, branch: usize, projection: &Projection) -> Vec<Found> {
        let branch = branch as u32;
        let mut list = Vec::new();
        match self {
            Self::Tube(piece, [from_arc_mm, to_arc_mm]) => for_each_pass(projection, piece, |pass| {
                let (from, to) = pass.clipped_mm(pass.mean_chord_mm(pass.radius_mm));
                if to > from {
                    list.push(Found {
                        pixel: pass.pixel as u32,
                        branch,
                        arc_mm: (from_arc_mm + pass.along * (to_arc_mm - from_arc_mm)) as f32,
                        from_mm: from as f32,
                        to_mm: to as f32,
                    });
                }
            }),
            Self::Ball { center_mm, radius_mm, arc_mm } => {
                add_ball(projection, branch, (center_mm, *radius_mm, *arc_mm), &mut list);
            }
        }
        list
    }
}

fn add_ball(
    projection: &Projection,
    branch: u32,
    (center_mm, radius_mm, arc_mm): (&Vec3, f64, f64),
    list: &mut Vec<Found>,
) {
    let Some((column, row, magnification)) = projection.project(center_mm) else { return };
    let reach = radius_mm * magnification / projection.pixel_mm + 1.0;
    let range = |c: f64, limit: usize| {
        let lo = (c - reach).floor().max(0.0) as usize;
        lo..((c + reach).ceil().clamp(0.0, limit as f64) as usize).max(lo)
    };
    let away = center_mm - projection.source_mm;
    for y in range(row, projection.rows) {
        for x in range(column, projection.columns) {
            let d = ray(projection, x as f64 + 0.5, y as f64 + 0.5);
            let nearest = away.dot(&d);
            let under = radius_mm * radius_mm - (away.norm_squared() - nearest * nearest);
            if under > 0.0 {
                list.push(Found {
                    pixel: (y * projection.columns + x) as u32,
                    branch,
                    arc_mm: arc_mm as f32,
                    from_mm: (nearest - under.sqrt()) as f32,
                    to_mm: (nearest + under.sqrt()) as f32,
                });
            }
        }
    }
}

/// Room for uniting a band of rows.
#[derive(Default)]
struct Merge {
    /// Where each pixel begins in `sorted`, and its end.
    starts: Vec<u32>,
    sorted: Vec<Found>,
}

impl Merge {
    /// The stretches of all branches in a band of rows, without their overlaps, by pixel.
    fn unite(&mut self, maps: &[BranchMap], band: usize, band_pixels: usize, stretches: &mut Vec<Stretch>) {
        stretches.clear();
        let lists = || maps.iter().map(|m| m.of_band(band)).filter(|l| !l.is_empty());
        let total = lists().map(<[Found]>::len).sum();
        // Counting sort by pixel; what is on a ray is put in order afterwards.
        let first = (band * band_pixels) as u32;
        self.starts.clear();
        self.starts.resize(band_pixels + 2, 0);
        for f in lists().flatten() {
            self.starts[(f.pixel - first) as usize + 2] += 1;
        }
        for i in 2..self.starts.len() {
            self.starts[i] += self.starts[i - 1];
        }
        self.sorted.clear();
        self.sorted.resize(total, Found::default());
        for f in lists().flatten() {
            let at = &mut self.starts[(f.pixel - first) as usize + 1];
            self.sorted[*at as usize] = *f;
            *at += 1;
        }
        for ends in self.starts.windows(2).take(band_pixels) {
            let on_ray = &mut self.sorted[ends[0] as usize..ends[1] as usize];
            if on_ray.len() > 1 {
                on_ray.sort_unstable_by_key(Found::key);
            }
            let mut filled_to = 0.0_f32;
            for f in on_ray {
                let length_mm = f.to_mm - f.from_mm.max(filled_to);
                filled_to = filled_to.max(f.to_mm);
                if length_mm > 0.0 {
                    stretches.push(Stretch { pixel: f.pixel, branch: f.branch, arc_mm: f.arc_mm, length_mm });
                }
            }
        }
    }
}

/// A branch that goes on from the end of its parent, less than this turned and not much narrower, widens towards it over four of the parent's radii as the
/// wall does: so there is no step where the common iliac artery becomes the external.
const GOES_ON_COS: f64 = 0.8;
const GOES_ON_SHARE: f64 = 0.7;
const WIDENS_RADII: f64 = 4.0;

/// Radii at the points of a branch as they are projected, mm.
fn radii_mm(tree: &VesselTree, b: usize) -> Vec<f64> {
    let branch = &tree.branches[b];
    let own = || branch.points.iter().map(|p| p.radius_mm);
    let parent = branch.origin.and_then(|o| {
        let end = tree.branches.get(o.vessel.idx())?.points.last()?;
        let first = branch.points.first()?;
        let goes_on = o.arc_mm > end.arc_mm - end.radius_mm && end.tangent.dot(&first.tangent) > GOES_ON_COS;
        let is_as_wide = first.radius_mm > GOES_ON_SHARE * end.radius_mm;
        (goes_on && is_as_wide).then_some(end.radius_mm)
    });
    let Some(wide_mm) = parent else { return own().collect() };
    let reach_mm = WIDENS_RADII * wide_mm;
    let share = |arc_mm: f64| {
        let t = (1.0 - arc_mm / reach_mm).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    };
    let points = branch.points.iter();
    points.map(|p| p.radius_mm + share(p.arc_mm) * (wide_mm - p.radius_mm).max(0.0)).collect()
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
