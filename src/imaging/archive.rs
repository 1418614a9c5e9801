//! Stored runs and loops of fluoroscopy: what a review works on. Runs keep the detector's signal, loops the displayed pictures.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::{Frame, fast};
use crate::sim::Snapshot;
use crate::sim::command::AcquisitionKind;
use crate::sim::exposure::suite::LOOP_PULSES;
use crate::xray::CArm;

/// Steps of the stored logarithm per unit: 0.0003 is far below the noise of any frame.
const LOG_STEPS: f32 = 3000.0;
/// Bytes of stored runs; the oldest run goes first.
const MOST_BYTES: usize = 384 << 20;
/// Frames of one run that are kept.
const MOST_FRAMES: usize = 240;
/// Bytes of the ring of the last fluoroscopy.
const RING_BYTES: usize = 128 << 20;
/// Stored loops that are kept.
const MOST_LOOPS: usize = 6;

/// A stored acquisition run.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// Number from 1.
    pub number: u32,
    /// Subtracted or not.
    pub kind: AcquisitionKind,
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Pose of the first frame.
    pub arm: CArm,
    /// Frames per second.
    pub frame_rate_per_s: f64,
    /// ln of the signal in keV, times [`LOG_STEPS`].
    frames: Vec<Vec<u16>>,
    /// Ticks of the frames.
    pub ticks: Vec<u64>,
}

impl StoredRun {
    /// Frames kept.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// No frame is kept.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// ln of the signal of a frame; the last one beyond the end.
    pub fn log(&self, frame: usize) -> Vec<f32> {
        let stored = self.frames.get(frame).or(self.frames.last());
        stored.map_or_else(Vec::new, |f| f.iter().map(|v| f32::from(*v) / LOG_STEPS).collect())
    }

    /// Pixel pitch at the detector, mm.
    pub fn pixel_mm(&self) -> f64 {
        self.arm.field_side_mm() / self.columns as f64
    }

    fn bytes(&self) -> usize {
        self.frames.len() * self.columns * self.rows * 2
    }
}

/// A stored loop of fluoroscopy.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLoop {
    /// Number from 1.
    pub number: u32,
    /// Pictures as they were shown.
    pub frames: Vec<Frame>,
    /// Ticks of the pictures.
    pub ticks: Vec<u64>,
}

impl StoredLoop {
    /// The loop as a run whose ln of the signal is the displayed gray, over a window of ln: what a file of a run is made from. `None`
    /// without a picture.
    pub fn as_run(&self, window: f32, frame_rate_per_s: f64) -> Option<StoredRun> {
        let first = self.frames.first()?;
        let code = |gray: &u8| (f32::from(*gray) / 255.0 * window * LOG_STEPS + 0.5) as u16;
        Some(StoredRun {
            number: self.number,
            kind: AcquisitionKind::Cine,
            columns: first.columns,
            rows: first.rows,
            arm: first.arm,
            frame_rate_per_s,
            frames: self.frames.iter().map(|f| f.gray.iter().map(code).collect()).collect(),
            ticks: self.ticks.clone(),
        })
    }
}

/// All that is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    /// Runs, oldest first.
    pub runs: Vec<StoredRun>,
    /// Loops, oldest first.
    pub loops: Vec<StoredLoop>,
    /// Ticks and pictures of the last fluoroscopy.
    ring: VecDeque<(u64, Frame)>,
    loops_seen: usize,
}

impl Archive {
    /// Takes the picture of a pulse: `signal_kev` is the detector's output, `frame` what was shown.
    pub fn add(&mut self, snapshot: &Snapshot, frame: &Frame, signal_kev: &[f32]) {
        let x = &snapshot.xray;
        match x.pulse.and_then(|p| p.run) {
            Some(run) => self.add_to_run(run, snapshot, frame, signal_kev),
            None => {
                let most = (RING_BYTES / frame.gray.len().max(1)).clamp(1, LOOP_PULSES as usize);
                while self.ring.len() >= most {
                    self.ring.pop_front();
                }
                self.ring.push_back((snapshot.tick, frame.clone()));
            }
        }
        self.follow(snapshot);
    }

    /// Stores the loops that were asked for.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        let asked = &snapshot.xray.suite.loops;
        for (i, [first, last]) in asked.iter().enumerate().skip(self.loops_seen) {
            let kept = self.ring.iter().filter(|(_, f)| (*first..=*last).contains(&f.pulse)).cloned();
            let (ticks, frames) = kept.unzip();
            if self.loops.len() == MOST_LOOPS {
                self.loops.remove(0);
            }
            self.loops.push(StoredLoop { number: i as u32 + 1, frames, ticks });
        }
        self.loops_seen = asked.len();
    }

    fn add_to_run(&mut self, run: u32, snapshot: &Snapshot, frame: &Frame, signal_kev: &[f32]) {
        if self.runs.last().is_none_or(|r| r.number != run) {
            self.runs.push(StoredRun {
                number: run,
                kind: snapshot.xray.acquisition,
                columns: frame.columns,
                rows: frame.rows,
                arm: frame.arm,
                frame_rate_per_s: snapshot.xray.frame_rate_per_s,
                frames: Vec::new(),
                ticks: Vec::new(),
            });
        }
        if let Some(stored) = self.runs.last_mut().filter(|r| r.frames.len() < MOST_FRAMES) {
            let code = |kev: &f32| (fast::ln(kev.max(1.0)) * LOG_STEPS + 0.5) as u16;
            stored.frames.push(signal_kev.par_iter().map(code).collect());
            stored.ticks.push(snapshot.tick);
        }
        while self.runs.len() > 1 && self.runs.iter().map(StoredRun::bytes).sum::<usize>() > MOST_BYTES {
            self.runs.remove(0);
        }
    }

    /// A run by its number.
    pub fn run(&self, number: u32) -> Option<&StoredRun> {
        self.runs.iter().find(|r| r.number == number)
    }
}
