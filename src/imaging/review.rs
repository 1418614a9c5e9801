//! Review of a stored run: mask, pixel shift, view trace, landmark, window and level.

use rayon::prelude::*;

use super::archive::StoredRun;
use super::{Frame, FrameKind};
use crate::sim::command::AcquisitionKind;

/// Mean difference over a block of pixels that is contrast, ln.
const CONTRAST_SEEN: f32 = 0.03;
/// Side of such a block, pixels.
const BLOCK: usize = 8;
/// Frames of an automatic mask at most.
const MASK_FRAMES: usize = 4;

/// View trace: one picture of a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ViewTrace {
    /// A single frame.
    #[default]
    Off,
    /// The darkest of each pixel over the run: all vessels that filled.
    Opacified,
    /// The lightest: for carbon dioxide.
    Gas,
}

/// How a run is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewSettings {
    /// Frame, from 0.
    pub frame: usize,
    /// Subtracted from the mask.
    pub subtract: bool,
    /// First and last frame of the mask; the frames before contrast when none is given.
    pub mask: Option<[u32; 2]>,
    /// Shift of the mask to the right and up, mm at the detector.
    pub shift_mm: [f64; 2],
    /// View trace.
    pub trace: ViewTrace,
    /// Share of the anatomy that is left in a subtracted picture, 0 to 1.
    pub landmark: f32,
    /// Range of ln of signal from black to white.
    pub window: f32,
    /// ln of signal at middle gray: contrast in a subtracted picture, else against the middle of the picture.
    pub level: f32,
    /// Vessels white.
    pub invert: bool,
    /// Edge boost, 0 to 2.
    pub edge: f32,
}

impl ReviewSettings {
    /// Window and level of a subtracted picture, as on the live monitor.
    pub const SUBTRACTED: (f32, f32) = (1.6, 0.26);
    /// Of an unsubtracted one.
    pub const NATIVE: (f32, f32) = (3.0, 0.0);

    /// The usual way for a run.
    pub fn for_run(run: &StoredRun) -> Self {
        Self::for_kind(run.kind)
    }

    /// The usual way for a kind of run.
    pub fn for_kind(kind: AcquisitionKind) -> Self {
        let subtract = kind == AcquisitionKind::Dsa;
        let (window, level) = if subtract { Self::SUBTRACTED } else { Self::NATIVE };
        Self {
            frame: 0,
            subtract,
            mask: None,
            shift_mm: [0.0; 2],
            trace: ViewTrace::Off,
            landmark: 0.0,
            window,
            level,
            invert: false,
            edge: 0.3,
        }
    }
}

/// A reviewed picture with the values that measurements are taken on.
#[derive(Clone, Debug, PartialEq)]
pub struct Reviewed {
    /// Picture.
    pub frame: Frame,
    /// ln of attenuation per pixel: of contrast when subtracted, of everything (up to a constant) else.
    pub values: Vec<f32>,
    /// Frames of the mask used, from 0.
    pub mask: Option<[u32; 2]>,
    /// Frames of the run.
    pub frames: usize,
}

/// The frames before contrast comes, at most four: `[0, last]`.
pub fn automatic_mask(run: &StoredRun) -> [u32; 2] {
    let first = run.log(0);
    let mut last = 0;
    for i in 1..run.len().min(MASK_FRAMES) {
        if most_contrast(&first, &run.log(i), run.columns, run.rows) > CONTRAST_SEEN {
            break;
        }
        last = i as u32;
    }
    [0, last]
}

/// The frame with the most contrast over its blocks.
pub fn fullest_frame(run: &StoredRun) -> usize {
    let first = run.log(0);
    let sum = |i: usize| -> f64 {
        let log = run.log(i);
        block_means(&first, &log, run.columns, run.rows)
            .into_iter()
            .filter(|m| *m > CONTRAST_SEEN)
            .map(f64::from)
            .sum()
    };
    let mut best = (0, 0.0);
    for i in 0..run.len() {
        let filled = sum(i);
        if filled > best.1 {
            best = (i, filled);
        }
    }
    best.0
}

fn most_contrast(mask: &[f32], log: &[f32], columns: usize, rows: usize) -> f32 {
    block_means(mask, log, columns, rows).into_iter().fold(0.0, f32::max)
}

fn block_means(mask: &[f32], log: &[f32], columns: usize, rows: usize) -> Vec<f32> {
    let (across, down) = (columns / BLOCK, rows / BLOCK);
    (0..across * down)
        .into_par_iter()
        .map(|b| {
            let (x0, y0) = (b % across * BLOCK, b / across * BLOCK);
            let mut sum = 0.0;
            for y in y0..y0 + BLOCK {
                for x in x0..x0 + BLOCK {
                    sum += mask[y * columns + x] - log[y * columns + x];
                }
            }
            sum / (BLOCK * BLOCK) as f32
        })
        .collect()
}

/// The picture of a run; `None` when the run has no frame.
pub fn review(run: &StoredRun, settings: &ReviewSettings) -> Option<Reviewed> {
    if run.is_empty() {
        return None;
    }
    let at = settings.frame.min(run.len() - 1);
    let (values, mask) = if settings.subtract {
        let frames = clamped(settings.mask.unwrap_or_else(|| automatic_mask(run)), run.len());
        let mask = shifted(&mean_log(run, frames), run, settings.shift_mm);
        (differences(run, &mask, at, settings), Some(frames))
    } else {
        (darkest(run, at, settings.trace), None)
    };
    let gray = grays(run, &values, at, settings);
    let frame = Frame {
        columns: run.columns,
        rows: run.rows,
        gray,
        kind: if settings.subtract { FrameKind::Dsa } else { FrameKind::Native },
        live: false,
        run: Some(run.number),
        frame_in_run: at as u32,
        pulse: 0,
        arm: run.arm,
        roadmap_moved_mm: None,
    };
    Some(Reviewed { frame, values, mask, frames: run.len() })
}

fn clamped([first, last]: [u32; 2], frames: usize) -> [u32; 2] {
    let end = frames as u32 - 1;
    [first.min(end), last.clamp(first.min(end), end)]
}

fn mean_log(run: &StoredRun, [first, last]: [u32; 2]) -> Vec<f32> {
    let mut mean = vec![0.0; run.columns * run.rows];
    let share = 1.0 / (last - first + 1) as f32;
    for i in first..=last {
        mean.iter_mut().zip(run.log(i as usize)).for_each(|(m, l)| *m += share * l);
    }
    mean
}

/// The mask moved by a part of a pixel: bilinear.
fn shifted(mask: &[f32], run: &StoredRun, [right_mm, up_mm]: [f64; 2]) -> Vec<f32> {
    if right_mm == 0.0 && up_mm == 0.0 {
        return mask.to_vec();
    }
    let (columns, rows) = (run.columns, run.rows);
    let (dx, dy) = (right_mm / run.pixel_mm(), -up_mm / run.pixel_mm());
    let mut out = vec![0.0; mask.len()];
    out.par_chunks_mut(columns).enumerate().for_each(|(y, row)| {
        for (x, value) in row.iter_mut().enumerate() {
            *value = bilinear(mask, columns, rows, x as f64 - dx, y as f64 - dy);
        }
    });
    out
}

/// Value between pixel centers (whole numbers), the edge beyond.
pub(super) fn bilinear(values: &[f32], columns: usize, rows: usize, x: f64, y: f64) -> f32 {
    let x = x.clamp(0.0, (columns - 1) as f64);
    let y = y.clamp(0.0, (rows - 1) as f64);
    let (i, j) = ((x as usize).min(columns - 2), (y as usize).min(rows - 2));
    let (s, t) = ((x - i as f64) as f32, (y - j as f64) as f32);
    let at = |i: usize, j: usize| values[j * columns + i];
    let top = at(i, j) * (1.0 - s) + at(i + 1, j) * s;
    let low = at(i, j + 1) * (1.0 - s) + at(i + 1, j + 1) * s;
    top * (1.0 - t) + low * t
}

fn differences(run: &StoredRun, mask: &[f32], at: usize, settings: &ReviewSettings) -> Vec<f32> {
    let difference = |i: usize| -> Vec<f32> {
        let log = run.log(i);
        mask.iter().zip(log).map(|(m, l)| m - l).collect()
    };
    let mut out = difference(at);
    if settings.trace != ViewTrace::Off {
        for i in 0..run.len() {
            let gas = settings.trace == ViewTrace::Gas;
            out.iter_mut().zip(difference(i)).for_each(|(o, d)| *o = if gas { o.min(d) } else { o.max(d) });
        }
    }
    out
}

/// Minus ln of signal, of one frame or the darkest (lightest for gas) of all.
fn darkest(run: &StoredRun, at: usize, trace: ViewTrace) -> Vec<f32> {
    let mut out: Vec<f32> = run.log(at).iter().map(|l| -l).collect();
    if trace != ViewTrace::Off {
        for i in 0..run.len() {
            let gas = trace == ViewTrace::Gas;
            out.iter_mut().zip(run.log(i)).for_each(|(o, l)| *o = if gas { o.min(-l) } else { o.max(-l) });
        }
    }
    out
}

fn grays(run: &StoredRun, values: &[f32], at: usize, settings: &ReviewSettings) -> Vec<u8> {
    let n = run.columns;
    let middle = if settings.subtract { 0.0 } else { median(values) };
    let anatomy: Option<Vec<f32>> =
        (settings.subtract && settings.landmark > 0.0).then(|| run.log(at).iter().map(|l| -l).collect());
    let anatomy_middle = anatomy.as_ref().map_or(0.0, |a| median(a));
    let window = settings.window.max(0.01);
    let mut gray = vec![0_u8; values.len()];
    gray.par_chunks_mut(n).enumerate().for_each(|(y, row)| {
        for (x, out) in row.iter_mut().enumerate() {
            let i = y * n + x;
            let around = 0.25
                * (values[y.saturating_sub(1) * n + x]
                    + values[(y + 1).min(run.rows - 1) * n + x]
                    + values[y * n + x.saturating_sub(1)]
                    + values[y * n + (x + 1).min(n - 1)]);
            let mut v = values[i] + settings.edge * (values[i] - around) - middle - settings.level;
            if let Some(anatomy) = &anatomy {
                v += settings.landmark * (anatomy[i] - anatomy_middle);
            }
            let shade = (0.5 - v / window).clamp(0.0, 1.0);
            let shade = if settings.invert { 1.0 - shade } else { shade };
            *out = (shade * 255.0 + 0.5) as u8;
        }
    });
    gray
}

/// Median of every seventh value.
fn median(values: &[f32]) -> f32 {
    let mut some: Vec<f32> = values.iter().step_by(7).copied().collect();
    if some.is_empty() {
        return 0.0;
    }
    let middle = some.len() / 2;
    *some.select_nth_unstable_by(middle, f32::total_cmp).1
}
