//! Files of a run as a suite writes them, made while its ticks are replayed: DICOM XA and dose report, PNG.

use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::dicom::{DicomError, RunFacts, Study, loop_file, rdsr_file, update_mask, xa_file};
use super::review::{ReviewSettings, ViewTrace, automatic_mask, fullest_frame, review};
use super::{ImageError, Renderer, RendererConfig, encode_png, skin_picture};
use crate::files::atomic_write;
use crate::sim::exposure::account::IrradiationEvent;
use crate::sim::exposure::suite::RunRecord;
use crate::sim::session::StepOutput;
use crate::sim::{EventKind, Model};

/// A file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A picture.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A DICOM file.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// The file system.
    #[error("cannot write or read {}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
}

/// What to write, and where; the folders must exist.
#[derive(Clone, Debug, Default)]
pub struct ExportPlan {
    /// Folder for one XA file per run and stored loop, and one dose report.
    pub dicom: Option<PathBuf>,
    /// Folder for the fullest frame and the view trace of each run, the last picture of each loop, and the dose on the skin.
    pub png: Option<PathBuf>,
    /// Columns and rows.
    pub pixels: usize,
}

/// A run that was written.
struct Written {
    number: u32,
    frames: usize,
    pixel_mm: f64,
    record: Option<RunRecord>,
    path: PathBuf,
}

/// Writes what a replay gives, run by run, so that only one run is held.
pub struct Exporter {
    plan: ExportPlan,
    study: Study,
    renderer: Renderer,
    archive: Archive,
    runs: Vec<RunRecord>,
    ended: Option<(u32, f64)>,
    events: Vec<IrradiationEvent>,
    written: Vec<Written>,
    paths: Vec<PathBuf>,
    last: Option<StepOutput>,
}

impl Exporter {
    /// For a case and seed.
    pub fn new(model: &Model, study: Study, plan: ExportPlan) -> Self {
        let config = RendererConfig { pixels: plan.pixels, seed: study.seed };
        Self {
            renderer: Renderer::new(&model.anatomy, &model.tools, config),
            plan,
            study,
            archive: Archive::default(),
            runs: Vec::new(),
            ended: None,
            events: Vec::new(),
            written: Vec::new(),
            paths: Vec::new(),
            last: None,
        }
    }

    /// One tick.
    ///
    /// # Errors
    /// The first file that cannot be made.
    pub fn watch(&mut self, output: &StepOutput) -> Result<(), ExportError> {
        let snapshot = &output.snapshot;
        if snapshot.xray.pulse.is_some() {
            let frame = self.renderer.render(snapshot);
            self.archive.add(snapshot, &frame, self.renderer.signal_kev());
        }
        for event in &output.events {
            match &event.kind {
                EventKind::RunEnded { run, contrast_ml, .. } => self.ended = Some((*run, *contrast_ml)),
                EventKind::Irradiated(event) => {
                    self.events.push(**event);
                    if event.run.is_some() {
                        self.runs.clone_from(&snapshot.xray.suite.runs);
                        self.write_run(event)?;
                    }
                }
                _ => {}
            }
        }
        self.last = Some(output.clone());
        Ok(())
    }

    /// Writes a run as soon as it has ended, so that only one is held.
    fn write_run(&mut self, event: &IrradiationEvent) -> Result<(), ExportError> {
        let Some(number) = event.run else { return Ok(()) };
        let Some(at) = self.archive.runs.iter().position(|r| r.number == number) else { return Ok(()) };
        let run = self.archive.runs.remove(at);
        let record = self.runs.iter().find(|r| r.number == number).copied();
        if let Some(folder) = self.plan.dicom.clone() {
            let facts = RunFacts {
                record,
                event: Some(*event),
                contrast_ml: self.ended.filter(|e| e.0 == number).map_or(0.0, |e| e.1),
                automatic_mask: automatic_mask(&run),
            };
            let path = folder.join(format!("run{number:02}.dcm"));
            let bytes = xa_file(&self.study, &run, &facts)?;
            self.write(&path, &bytes)?;
            self.written.push(Written { number, frames: run.len(), pixel_mm: run.pixel_mm(), record, path });
        }
        if let Some(folder) = self.plan.png.clone() {
            let full = ReviewSettings { frame: fullest_frame(&run), ..ReviewSettings::for_run(&run) };
            let trace = ReviewSettings { trace: ViewTrace::Opacified, ..full.clone() };
            for (name, settings) in [("full", full), ("trace", trace)] {
                let Some(reviewed) = review(&run, &settings) else { continue };
                let png = encode_png(&reviewed.frame)?;
                self.write(&folder.join(format!("run{number:02}_{name}.png")), &png)?;
            }
        }
        Ok(())
    }

    /// Stored loops of fluoroscopy: all pictures in a file, the last one by itself.
    fn write_loops(&mut self) -> Result<(), ExportError> {
        for stored in std::mem::take(&mut self.archive.loops) {
            let (Some(last), Some(tick)) = (stored.frames.last(), stored.ticks.first()) else { continue };
            let is_of = |e: &&IrradiationEvent| e.run.is_none() && e.start_tick <= *tick;
            let event = self.events.iter().rev().find(is_of).copied();
            if let Some(folder) = self.plan.dicom.clone() {
                let bytes = loop_file(&self.study, &stored, event)?;
                self.write(&folder.join(format!("loop{:02}.dcm", stored.number)), &bytes)?;
            }
            if let Some(folder) = self.plan.png.clone() {
                let png = encode_png(last)?;
                self.write(&folder.join(format!("loop{:02}.png", stored.number)), &png)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
        atomic_write(path, bytes).map_err(|source| ExportError::Io { path: path.to_path_buf(), source })?;
        if !self.paths.iter().any(|p| p == path) {
            self.paths.push(path.to_path_buf());
        }
        Ok(())
    }

    /// Masks that were set later, the dose report, the picture of the skin; returns all paths.
    ///
    /// # Errors
    /// The first file that cannot be made.
    pub fn finish(mut self, model: &Model, last_tick: u64) -> Result<Vec<PathBuf>, ExportError> {
        let Some(last) = self.last.take() else { return Ok(self.paths) };
        for written in std::mem::take(&mut self.written) {
            let record = last.snapshot.xray.suite.run(written.number).copied();
            let Some(record) = record.filter(|r| Some(*r) != written.record) else { continue };
            let file = std::fs::read(&written.path)
                .map_err(|source| ExportError::Io { path: written.path.clone(), source })?;
            let bytes = update_mask(&file, written.frames, written.pixel_mm, &record)?;
            self.write(&written.path, &bytes)?;
        }
        self.write_loops()?;
        if let Some(folder) = self.plan.dicom.clone() {
            let bytes = rdsr_file(&self.study, &self.events, last_tick)?;
            let path = folder.join("dose_report.dcm");
            self.write(&path, &bytes)?;
        }
        if let Some(folder) = &self.plan.png {
            let picture = skin_picture(model.exposure.skin(), &last.snapshot.xray.dose.skin.0, 512);
            let png = picture.encode_png()?;
            let path = folder.join("skin.png");
            self.write(&path, &png)?;
        }
        Ok(self.paths)
    }
}
