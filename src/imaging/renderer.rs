//! The renderer: from a snapshot with a pulse to a picture.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use rayon::prelude::*;

use super::chain::LagMemory;
use super::devices::MetalLayer;
use super::fast::{larger, smaller};
use super::scene::{Background, Geometry};
use super::subtraction::{DsaRun, FluoroRoadmap, Roadmap};
use super::{Frame, FrameKind, ReferenceStore};
use crate::anatomy::{Anatomy, Breathing, VesselTree};
use crate::device::Device;
use crate::sim::Snapshot;
use crate::sim::command::{AcquisitionKind, RoadmapSource};
use crate::sim::contact::WallShift;
use crate::sim::model::beat_shift;
use crate::sim::snapshot::{Technique, VesselView};
use crate::xray::{BodyModel, CArm, DetectorProgram, ExposureControl, FluoroLevel};

/// Weight of the new frame in the fluoroscopy filter where nothing moves.
const RECURSIVE_WEIGHT: f32 = 0.4;
/// Differences above this many standard deviations begin to count as motion.
const MOTION_SIGMAS: f32 = 2.0;
/// Pulses in the held picture.
const HELD_PULSES: usize = 4;
/// Edge boost of the displayed picture.
const EDGE_BOOST: f32 = 0.6;
/// Gray of the subtracted background, and gray lost per unit of ln contrast.
const DSA_GRAY: (f32, f32) = (0.66, 0.62);
/// How much lighter a roadmap vessel is at full opacity.
const ROADMAP_LIGHT: f32 = 0.48;
/// Gray of a fluoroscopic roadmap's background, and gray lost per unit of ln.
const FLUORO_ROADMAP_GRAY: (f32, f32) = (0.5, 0.9);
/// Runs whose roadmap is kept.
const MOST_ROADMAPS: usize = 12;

/// Settings of a renderer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RendererConfig {
    /// Columns and rows.
    pub pixels: usize,
    /// Seed of the noise.
    pub seed: u64,
}

/// Makes pictures from snapshots; call [`Renderer::render`] for every pulse, in order.
pub struct Renderer {
    pub(super) config: RendererConfig,
    pub(super) tree: VesselTree,
    pub(super) tray: Vec<Device>,
    pub(super) body: BodyModel,
    pub(super) breathing: Option<Breathing>,
    /// What the heart does to the vessels at the end of systole.
    pub(super) beat: Option<WallShift>,
    pub(super) geometry: Option<Geometry>,
    pub(super) background: Option<Background>,
    pub(super) iodine_mg_per_cm2: Vec<f32>,
    pub(super) metal: MetalLayer,
    /// Quanta with half of the blur, keV.
    pub(super) across: Vec<f32>,
    pub(super) lag: LagMemory,
    /// Detector output of this pulse, keV.
    pub(super) linear_kev: Vec<f32>,
    /// The same, ln.
    pub(super) log: Vec<f32>,
    /// Fluoroscopy after the recursive filter, ln; empty when the next pulse starts anew.
    pub(super) filtered_log: Vec<f32>,
    /// Last fluoroscopy pulses, ln, for the held picture.
    pub(super) recent: VecDeque<Vec<f32>>,
    last: Option<Frame>,
    dsa: Option<DsaRun>,
    /// Roadmaps of ended runs, by number.
    roadmaps: BTreeMap<u32, Roadmap>,
    fluoro_roadmap: Option<FluoroRoadmap>,
    /// Opacity of the roadmap in the last picture.
    roadmap_opacity: f32,
    /// Which run's roadmap the last picture showed.
    shown_roadmap: Option<u32>,
    /// Pictures that the user keeps beside the live one.
    pub reference: ReferenceStore,
}

impl Renderer {
    /// A renderer for an anatomy and the devices of the tray, in the tray's order.
    pub fn new(anatomy: &Anatomy, devices: &[Device], config: RendererConfig) -> Self {
        let n = config.pixels * config.pixels;
        Self {
            config,
            tree: anatomy.tree.clone(),
            tray: devices.to_vec(),
            body: BodyModel::new(anatomy),
            breathing: Breathing::of(anatomy),
            beat: beat_shift(anatomy),
            geometry: None,
            background: None,
            iodine_mg_per_cm2: vec![0.0; n],
            metal: MetalLayer::new(n),
            across: Vec::new(),
            lag: LagMemory::default(),
            linear_kev: Vec::new(),
            log: Vec::new(),
            filtered_log: Vec::new(),
            recent: VecDeque::new(),
            last: None,
            dsa: None,
            roadmaps: BTreeMap::new(),
            fluoro_roadmap: None,
            roadmap_opacity: 0.5,
            shown_roadmap: None,
            reference: ReferenceStore::default(),
        }
    }

    /// The picture of the snapshot's pulse.
    pub fn render(&mut self, snapshot: &Snapshot) -> Frame {
        let view = &snapshot.xray;
        let pulse = view.pulse.unwrap_or_default();
        self.prepare(snapshot, false);
        self.expose(snapshot, pulse.number);
        let mut frame = Frame {
            columns: self.config.pixels,
            rows: self.config.pixels,
            gray: Vec::new(),
            kind: FrameKind::Fluoro,
            live: true,
            run: pulse.run,
            frame_in_run: pulse.frame_in_run,
            pulse: pulse.number,
            arm: view.arm,
            roadmap_moved_mm: None,
        };
        match (pulse.run, view.acquisition) {
            (None, _) => self.fluoro(snapshot, &mut frame),
            (Some(run), AcquisitionKind::Dsa) => self.subtracted(run, view.suite.remasks, &mut frame),
            (Some(_), AcquisitionKind::Cine) => {
                self.filtered_log.clear();
                frame.kind = FrameKind::Native;
                frame.gray = self.native_gray(&self.log, None);
            }
        }
        self.last = Some(frame.clone());
        frame
    }

    /// Last image hold: from the last four fluoroscopy pulses of the pose; the last frame of a run. `None` before the first pulse.
    pub fn held(&self) -> Option<Frame> {
        let last = self.last.as_ref()?;
        let mut frame = Frame { live: false, ..last.clone() };
        if last.run.is_none() && !self.recent.is_empty() {
            let share = 1.0 / self.recent.len() as f32;
            let mut mean = vec![0.0; last.gray.len()];
            for log in &self.recent {
                mean.iter_mut().zip(log).for_each(|(m, l)| *m += l * share);
            }
            if last.kind == FrameKind::Roadmap && self.shown_roadmap.is_none() {
                // A subtracted roadmap is held as it is.
                return Some(frame);
            }
            let cover = self.shown_roadmap.and_then(|run| self.roadmaps.get(&run));
            frame.gray = self.native_gray(&mean, cover.map(|r| r.cover.as_slice()));
        }
        Some(frame)
    }

    /// Detector output of the last pulse with noise, blur and lag, keV absorbed per pixel.
    pub fn signal_kev(&self) -> &[f32] {
        &self.linear_kev
    }

    fn fluoro(&mut self, snapshot: &Snapshot, frame: &mut Frame) {
        let Some(background) = &self.background else { return };
        if self.filtered_log.len() == self.log.len() {
            let rows = self.filtered_log.par_chunks_mut(self.config.pixels);
            rows.zip(self.log.par_chunks(self.config.pixels)).enumerate().for_each(|(row, (old, log))| {
                let here = row * log.len()..(row + 1) * log.len();
                filter_row(old, log, &background.total_kev[here.clone()], &background.sigma_kev[here]);
            });
        } else {
            self.filtered_log.clone_from(&self.log);
        }
        // The oldest picture makes room for this one.
        let oldest = if self.recent.len() == HELD_PULSES { self.recent.pop_front() } else { None };
        self.recent.push_back(std::mem::replace(&mut self.log, oldest.unwrap_or_default()));
        if let Some(run) = self.dsa.take() {
            if self.roadmaps.len() == MOST_ROADMAPS {
                self.roadmaps.pop_first();
            }
            self.roadmaps.insert(run.number, run.roadmap());
        }
        let suite = &snapshot.xray.suite;
        self.roadmap_opacity = suite.roadmap_opacity as f32;
        self.shown_roadmap = None;
        if snapshot.xray.roadmap && suite.roadmap_source == RoadmapSource::Fluoro {
            self.subtracted_fluoro(snapshot, frame);
            return;
        }
        let run = match suite.roadmap_source {
            RoadmapSource::Run(run) => Some(run),
            RoadmapSource::LastRun | RoadmapSource::Fluoro => self.roadmaps.keys().next_back().copied(),
        };
        let wanted = run.and_then(|r| self.roadmaps.get(&r)).filter(|_| snapshot.xray.roadmap);
        frame.roadmap_moved_mm = wanted.and_then(|r| r.moved_mm(&frame.arm));
        let roadmap = wanted.filter(|_| frame.roadmap_moved_mm.is_none());
        frame.kind = if roadmap.is_some() { FrameKind::Roadmap } else { FrameKind::Fluoro };
        frame.gray = self.native_gray(&self.filtered_log, roadmap.map(|r| r.cover.as_slice()));
        self.shown_roadmap = run.filter(|_| frame.kind == FrameKind::Roadmap);
    }

    /// Fluoroscopy under a fluoroscopic roadmap: the first one makes the mask, later ones are subtracted from it.
    fn subtracted_fluoro(&mut self, snapshot: &Snapshot, frame: &mut Frame) {
        let suite = &snapshot.xray.suite;
        let (fluoroscopy, log) = (suite.loop_first_pulse, &self.filtered_log);
        if self.fluoro_roadmap.as_ref().is_none_or(|r| r.remasks != suite.remasks) {
            self.fluoro_roadmap = Some(FluoroRoadmap::start(suite.remasks, fluoroscopy, &frame.arm, log));
        }
        let Some(roadmap) = &mut self.fluoro_roadmap else { return };
        frame.roadmap_moved_mm = roadmap.moved_mm(&frame.arm);
        let difference =
            if frame.roadmap_moved_mm.is_none() { roadmap.follow(fluoroscopy, log) } else { None };
        match difference {
            Some(difference) => {
                frame.kind = FrameKind::Roadmap;
                let vessel = 2.0 * self.roadmap_opacity;
                let (ground, slope) = FLUORO_ROADMAP_GRAY;
                frame.gray = self.gray(&difference, |_, row| {
                    row.iter_mut()
                        .for_each(|d| *d = ground - slope * if *d < 0.0 { vessel * *d } else { *d });
                });
            }
            None => frame.gray = self.native_gray(&self.filtered_log, None),
        }
    }

    fn subtracted(&mut self, run: u32, remasks: u32, frame: &mut Frame) {
        self.filtered_log.clear();
        let Some(dsa) = self.dsa.as_mut().filter(|d| d.number == run && d.remasks == remasks) else {
            self.dsa = Some(DsaRun::start(run, remasks, &frame.arm, &self.linear_kev));
            frame.kind = FrameKind::Native;
            frame.gray = self.native_gray(&self.log, None);
            return;
        };
        let difference = dsa.subtract(&self.log, &self.linear_kev, &self.iodine_mg_per_cm2);
        frame.kind = FrameKind::Dsa;
        frame.gray = self.gray(&difference, |_, row| {
            row.iter_mut().for_each(|d| *d = DSA_GRAY.0 - DSA_GRAY.1 * *d);
        });
    }

    fn native_gray(&self, log: &[f32], roadmap: Option<&[f32]>) -> Vec<u8> {
        let Some(background) = &self.background else { return Vec::new() };
        let light = ROADMAP_LIGHT * self.roadmap_opacity;
        self.gray(log, |pixels, row| {
            background.range.shade(pixels.clone(), row);
            if let Some(cover) = roadmap {
                row.iter_mut().zip(&cover[pixels]).for_each(|(s, c)| *s += light * c);
            }
        })
    }

    /// Gray picture of a value per pixel after a mild edge boost; `shade` makes rows of values to gray from 0 to 1; blades black.
    fn gray(&self, values: &[f32], shade: impl Fn(Range<usize>, &mut [f32]) + Sync) -> Vec<u8> {
        let Some(background) = &self.background else { return Vec::new() };
        let n = self.config.pixels;
        let mut gray = vec![0_u8; n * n];
        gray.par_chunks_mut(n).enumerate().for_each_init(
            || vec![0.0_f32; n],
            |line, (row, out)| {
                let of_row = |row: usize| &values[row * n..(row + 1) * n];
                let [above, here, below] = [row.saturating_sub(1), row, (row + 1).min(n - 1)].map(of_row);
                boost_row(above, here, below, line);
                let pixels = row * n..(row + 1) * n;
                shade(pixels.clone(), line);
                to_gray(line, &background.open[pixels], out);
            },
        );
        gray
    }
}

/// A row of the recursive filter: new pictures count for a share, and wholly where something moves.
#[inline(never)]
fn filter_row(old: &mut [f32], log: &[f32], total_kev: &[f32], sigma_kev: &[f32]) {
    for (((old, log), total), sigma) in old.iter_mut().zip(log).zip(total_kev).zip(sigma_kev) {
        let per_sigma = smaller(1e4, larger(*total, 1.0) / sigma);
        let change = log - *old;
        let motion = smaller(larger(change.abs() * per_sigma - MOTION_SIGMAS, 0.0), 1.0);
        *old += (RECURSIVE_WEIGHT + (1.0 - RECURSIVE_WEIGHT) * motion) * change;
    }
}

/// Adds to a row what sets it off from its four neighbors; edges continue.
#[inline(never)]
fn boost_row(above: &[f32], here: &[f32], below: &[f32], out: &mut [f32]) {
    let n = here.len();
    let boosted = |v: f32, around: f32| v + 0.5 * EDGE_BOOST * (v - 0.25 * around);
    let at = |i: usize| {
        let beside = here[i.saturating_sub(1)] + here[(i + 1).min(n - 1)];
        boosted(here[i], above[i] + below[i] + beside)
    };
    (out[0], out[n - 1]) = (at(0), at(n - 1));
    if n > 2 {
        let (middle, out) = (&here[1..n - 1], &mut out[1..n - 1]);
        let beside = here[..n - 2].iter().zip(&here[2..]);
        let across = above[1..n - 1].iter().zip(&below[1..n - 1]);
        for (((out, v), (left, right)), (above, below)) in out.iter_mut().zip(middle).zip(beside).zip(across)
        {
            *out = boosted(*v, above + below + left + right);
        }
    }
}

/// Shades from 0 to 1 in 256 steps, times the share that blades leave open.
#[inline(never)]
fn to_gray(shades: &[f32], open: &[f32], out: &mut [u8]) {
    // Adding 2^23 rounds to the nearest whole number, which then sits in the low bits.
    const ROUND: f32 = 8_388_608.0;
    for ((gray, shade), open) in out.iter_mut().zip(shades).zip(open) {
        *gray = (smaller(larger(shade * open * 255.0, 0.0), 255.0) + ROUND).to_bits() as u8;
    }
}

/// One fluoroscopy picture of an anatomy without devices, technique by the exposure control, vessels filled with contrast of
/// 300 mgI/mL or not.
pub fn render_still(anatomy: &Anatomy, arm: &CArm, contrast_filled: bool, config: RendererConfig) -> Frame {
    let mut renderer = Renderer::new(anatomy, &[], config);
    let mut snapshot = Snapshot::default();
    let water_equivalent_mm = renderer.body.water_equivalent_mm(arm);
    let air_gap_mm = renderer.body.air_gap_mm(arm);
    // A single shot has the dose of a cine frame.
    let program = DetectorProgram::Cine(15.0);
    let set =
        ExposureControl::for_patient(program, FluoroLevel::Normal, water_equivalent_mm, air_gap_mm, arm);
    snapshot.xray.arm = *arm;
    snapshot.xray.technique = Technique::of(&set, water_equivalent_mm, air_gap_mm);
    if contrast_filled {
        snapshot.vessels = anatomy
            .tree
            .branches
            .iter()
            .map(|b| VesselView {
                cell_mm: b.length_mm().max(1e-3),
                iodine_mg_per_ml: vec![300.0],
                flow_ml_per_s: vec![0.0],
                ..VesselView::default()
            })
            .collect();
    }
    renderer.render(&snapshot)
}
