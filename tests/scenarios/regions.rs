//! What the subtracted runs of an attempt show in a region: the darkest mean gray of it, run by run.

use cathnav::imaging::{FrameKind, Renderer, RendererConfig};
use cathnav::math::Vec3;
use cathnav::sim::{Model, Snapshot};

/// Side of the pictures, pixels.
const PIXELS: usize = 192;

/// A ball in the patient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) center_mm: Vec3,
    pub(crate) radius_mm: f64,
}

/// Where a bleed pools, or a bed blushes, at the start of a case.
pub(crate) fn region_of(snapshot: &Snapshot, name: &str) -> Region {
    let pool = snapshot.pools.iter().find(|p| p.id == name).map(|p| (p.center_mm, 8.0));
    let bed = snapshot.beds.iter().find(|b| b.name == name).map(|b| (b.center_mm, b.radius_mm));
    let (center_mm, radius_mm) = pool.or(bed).unwrap_or_else(|| panic!("no bleed or bed `{name}`"));
    Region { center_mm, radius_mm }
}

/// Looks at the subtracted runs.
pub(crate) struct Eye {
    renderer: Renderer,
    regions: Vec<Region>,
    /// Per run: its number, and the darkest of each region in gray levels below that of the first frame; `None` where the region
    /// was not in the picture.
    pub(crate) runs: Vec<(u32, Vec<Option<f64>>)>,
    first: Vec<Option<f64>>,
}

impl Eye {
    pub(crate) fn new(model: &Model, regions: Vec<Region>) -> Self {
        let config = RendererConfig { pixels: PIXELS, seed: 1 };
        let renderer = Renderer::new(&model.anatomy, &model.tools, config);
        Self { renderer, regions, runs: Vec::new(), first: Vec::new() }
    }

    pub(crate) fn see(&mut self, snapshot: &Snapshot) {
        let Some(run) = snapshot.xray.pulse.and_then(|p| p.run) else { return };
        let frame = self.renderer.render(snapshot);
        if frame.kind != FrameKind::Dsa {
            return;
        }
        let mean = |r: &Region| mean_gray(&frame, r);
        let now: Vec<Option<f64>> = self.regions.iter().map(mean).collect();
        if self.runs.last().is_none_or(|(n, _)| *n != run) {
            self.first.clone_from(&now);
            self.runs.push((run, vec![None; now.len()]));
        }
        let Some((_, darkest)) = self.runs.last_mut() else { return };
        for ((darkest, first), now) in darkest.iter_mut().zip(&self.first).zip(&now) {
            if let (Some(first), Some(now)) = (first, now) {
                *darkest = Some(darkest.unwrap_or(0.0).max(first - now));
            }
        }
    }
}

impl Eye {
    /// How dark a region was in the run that shows it best, and in the last run that shows it.
    pub(crate) fn most_and_last(&self, region: usize) -> (f64, f64) {
        let seen: Vec<f64> = self.runs.iter().filter_map(|(_, darkest)| darkest[region]).collect();
        (seen.iter().copied().fold(0.0, f64::max), seen.last().copied().unwrap_or(f64::NAN))
    }

    /// How dark a region was in the first and in the last run that show it.
    pub(crate) fn first_and_last(&self, region: usize) -> (f64, f64) {
        let mut seen = self.runs.iter().filter_map(|(_, darkest)| darkest[region]);
        let first = seen.next().unwrap_or(f64::NAN);
        (first, seen.next_back().unwrap_or(f64::NAN))
    }
}

/// Mean gray of the pixels of a region; `None` unless all of it is in the picture.
fn mean_gray(frame: &cathnav::imaging::Frame, region: &Region) -> Option<f64> {
    let projection = frame.arm.projection(frame.columns);
    let (column, row, magnification) = projection.project(&region.center_mm)?;
    let reach = region.radius_mm * magnification / projection.pixel_mm;
    let inside = |x: f64, limit: usize| x - reach >= 0.0 && x + reach < limit as f64;
    if !inside(column, frame.columns) || !inside(row, frame.rows) {
        return None;
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for y in (row - reach) as usize..=(row + reach) as usize {
        for x in (column - reach) as usize..=(column + reach) as usize {
            if (x as f64 - column).hypot(y as f64 - row) <= reach {
                sum += f64::from(frame.gray[y * frame.columns + x]);
                count += 1.0;
            }
        }
    }
    (count > 0.0).then(|| sum / count)
}
