//! The renderer: from a snapshot with a pulse to a picture.

use std::collections::{BTreeMap, VecDeque};

use rayon::prelude::*;

use super::chain::LagMemory;
use super::devices::MetalLayer;
use super::scene::{Background, Geometry};
use super::subtraction::{DsaRun, FluoroRoadmap, Roadmap};
use super::{Frame, FrameKind, ReferenceStore, fast};
use crate::anatomy::{Anatomy, Breathing, VesselTree};
use crate::device::Device;
use crate::sim::Snapshot;
use crate::sim::command::{AcquisitionKind, RoadmapSource};
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
    pub(super) geometry: Option<Geometry>,
    pub(super) background: Option<Background>,
    pub(super) iodine_mg_per_cm2: Vec<f32>,
    pub(super) metal: MetalLayer,
    /// Quanta with half of the blur, keV.
    pub(super) across: Vec<f32>,
    pub(super) lag: LagMemory,
    /// Detector output of this pulse, keV.
    pub(super) linear_kev: Vec<f32>,
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
            geometry: None,
            background: None,
            iodine_mg_per_cm2: vec![0.0; n],
            metal: MetalLayer::new(n),
            across: Vec::new(),
            lag: LagMemory::default(),
            linear_kev: Vec::new(),
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
                let log = logs(&self.linear_kev);
                frame.kind = FrameKind::Native;
                frame.gray = self.native_gray(&log, None);
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
        let log = logs(&self.linear_kev);
        if self.filtered_log.len() == log.len() {
            self.filtered_log.par_iter_mut().enumerate().for_each(|(i, old)| {
                let sigma = background.sigma_kev[i] / background.total_kev[i].max(1.0);
                let change = log[i] - *old;
                let motion = (change.abs() / sigma.max(1e-4) - MOTION_SIGMAS).clamp(0.0, 1.0);
                *old += (RECURSIVE_WEIGHT + (1.0 - RECURSIVE_WEIGHT) * motion) * change;
            });
        } else {
            self.filtered_log.clone_from(&log);
        }
        if self.recent.len() == HELD_PULSES {
            self.recent.pop_front();
        }
        self.recent.push_back(log);
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
                frame.gray =
                    self.gray(&difference, |_, d| ground - slope * if d < 0.0 { vessel * d } else { d });
            }
            None => frame.gray = self.native_gray(&self.filtered_log, None),
        }
    }

    fn subtracted(&mut self, run: u32, remasks: u32, frame: &mut Frame) {
        self.filtered_log.clear();
        let log = logs(&self.linear_kev);
        let Some(dsa) = self.dsa.as_mut().filter(|d| d.number == run && d.remasks == remasks) else {
            self.dsa = Some(DsaRun::start(run, remasks, &frame.arm, &self.linear_kev));
            frame.kind = FrameKind::Native;
            frame.gray = self.native_gray(&log, None);
            return;
        };
        let most_iodine = self.iodine_mg_per_cm2.iter().copied().fold(0.0, f32::max);
        let difference = dsa.subtract(&log, &self.linear_kev, most_iodine);
        frame.kind = FrameKind::Dsa;
        frame.gray = self.gray(&difference, |_, d| DSA_GRAY.0 - DSA_GRAY.1 * d);
    }

    fn native_gray(&self, log: &[f32], roadmap: Option<&[f32]>) -> Vec<u8> {
        let Some(background) = &self.background else { return Vec::new() };
        self.gray(log, |i, l| {
            let shade = background.range.shade(i, l);
            roadmap.map_or(shade, |cover| shade + ROADMAP_LIGHT * self.roadmap_opacity * cover[i])
        })
    }

    /// Gray picture of a value per pixel after a mild edge boost; blades black.
    fn gray(&self, values: &[f32], shade: impl Fn(usize, f32) -> f32 + Sync) -> Vec<u8> {
        let Some(background) = &self.background else { return Vec::new() };
        let n = self.config.pixels;
        let mut gray = vec![0_u8; n * n];
        gray.par_chunks_mut(n).enumerate().for_each(|(row, out)| {
            let above = &values[row.saturating_sub(1) * n..];
            let below = &values[(row + 1).min(n - 1) * n..];
            let here = &values[row * n..(row + 1) * n];
            for column in 0..n {
                let v = here[column];
                let around = above[column]
                    + below[column]
                    + here[column.saturating_sub(1)]
                    + here[(column + 1).min(n - 1)];
                let boosted = v + EDGE_BOOST * (v - 0.25 * around) * 0.5;
                let i = row * n + column;
                out[column] = (shade(i, boosted) * background.open[i] * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
            }
        });
        gray
    }
}

fn logs(linear_kev: &[f32]) -> Vec<f32> {
    linear_kev.par_iter().map(|v| fast::ln(*v)).collect()
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
