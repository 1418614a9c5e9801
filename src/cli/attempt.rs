//! An attempt without a window: what `run`, `record`, `demo`, `replay` and `report` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CliError;
use crate::anatomy;
use crate::imaging::{self, Frame, Renderer, RendererConfig};
use crate::scenario::{self, Library};
use crate::script::{self, Driver};
use crate::sim::session::StepOutput;
use crate::sim::{Model, Session, Snapshot};
use crate::training::{self, Assessment, Observer};
use crate::units::TICKS_PER_S;

/// Side of frames rendered without a window, pixels.
pub const FRAME_PIXELS: usize = 512;
/// Longest run of a script without `--seconds`, s of simulated time.
pub const MAX_SECONDS: f64 = 3600.0;

/// The path of a case or script given as a file or as the name of a shipped one; cases are found in folders too.
pub fn resolve(given: &Path, folder: &str) -> Result<PathBuf, CliError> {
    if given.is_file() {
        return Ok(given.to_path_buf());
    }
    let root = super::root()?;
    let mut tried = root.join(folder).join(given);
    if tried.extension().is_none() {
        tried.set_extension("ron");
    }
    if tried.is_file() {
        return Ok(tried);
    }
    if folder == "scenarios"
        && let Ok(cases) = scenario::case_files(&root)
        && let Some(case) = cases.into_iter().find(|c| c.file_name() == tried.file_name())
    {
        return Ok(case);
    }
    Err(CliError::bad_input(format!(
        "{} is not found, nor is {}; `ls {}` shows what is there",
        given.display(),
        tried.display(),
        root.join(folder).display()
    )))
}

/// Reads, checks and compiles a case file.
pub fn load_model(case_path: &Path) -> Result<Arc<Model>, CliError> {
    let text = std::fs::read_to_string(case_path)
        .map_err(|e| CliError::bad_input(format!("cannot read {}: {e}", case_path.display())))?;
    compile(&case_path.display().to_string(), &text)
}

/// Checks and compiles the text of a case.
pub fn compile(name: &str, text: &str) -> Result<Arc<Model>, CliError> {
    let root = super::root()?;
    let library = Library::load(&root)?;
    let case = scenario::check_text(name, text, &library)?;
    let folder = root.join("assets/anatomy").join(&case.anatomy.model);
    let anatomy = anatomy::load_patient(&folder, &case.anatomy.patient(), &crate::assets::cache())
        .map_err(|e| CliError::bad_input(format!("{name}: {e}")))?;
    let mut model = Model::compile(&case, &anatomy, &library.catalog)
        .map_err(|e| CliError::bad_input(format!("{name}: {e}")))?;
    text.clone_into(&mut model.case_text);
    Ok(Arc::new(model))
}

/// Reads a script and makes its driver.
pub fn load_driver(path: &Path, model: &Model) -> Result<Driver, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::bad_input(format!("cannot read {}: {e}", path.display())))?;
    let script =
        script::parse(&text, &path.display().to_string()).map_err(|e| CliError::bad_input(e.to_string()))?;
    Driver::new(script, &model.anatomy.tree, &model.case)
        .map_err(|e| CliError::bad_input(format!("{}: {e}", path.display())))
}

/// Sees every tick: assessment, pictures, key images.
pub struct Watcher {
    observer: Observer,
    renderer: Option<Renderer>,
    frames_dir: Option<PathBuf>,
    ticks_per_frame: u64,
    next_frame_tick: u64,
    key_images: Vec<training::ReportImage>,
    last_of_run: Option<(u32, Frame)>,
    skin: crate::sim::exposure::account::SharedSkin,
    /// Pictures made.
    pub pictures: u64,
    /// Frames written.
    pub written: u64,
}

/// What to make besides the assessment.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    /// Render every pulse.
    pub render: bool,
    /// Write frames here.
    pub frames_dir: Option<PathBuf>,
    /// Fluoroscopy frames written per second.
    pub fps: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl Watcher {
    /// For a case.
    pub fn new(model: &Model, start: &Snapshot, pictures: &Pictures) -> Result<Self, CliError> {
        if let Some(dir) = &pictures.frames_dir {
            std::fs::create_dir_all(dir)
                .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", dir.display())))?;
        }
        let config = RendererConfig { pixels: FRAME_PIXELS, seed: pictures.seed };
        let renderer = pictures.render.then(|| Renderer::new(&model.anatomy, &model.tools, config));
        let ticks_per_frame = if pictures.fps > 0.0 { (TICKS_PER_S as f64 / pictures.fps) as u64 } else { 0 };
        Ok(Self {
            observer: Observer::new(&model.case, &model.anatomy.tree, &start.tools),
            renderer,
            frames_dir: pictures.frames_dir.clone().filter(|_| pictures.fps > 0.0),
            ticks_per_frame,
            next_frame_tick: 0,
            key_images: Vec::new(),
            last_of_run: None,
            skin: Default::default(),
            pictures: 0,
            written: 0,
        })
    }

    /// One tick.
    pub fn watch(&mut self, output: &StepOutput) -> Result<(), CliError> {
        self.observer.observe(&output.snapshot, &output.events);
        let Some(pulse) = output.snapshot.xray.pulse else { return Ok(()) };
        self.skin = output.snapshot.xray.dose.skin.clone();
        let Some(renderer) = &mut self.renderer else { return Ok(()) };
        let mut frame = renderer.render(&output.snapshot);
        self.pictures += 1;
        let is_due = output.snapshot.tick >= self.next_frame_tick || pulse.run.is_some();
        if pulse.run.is_none() && !(is_due && self.frames_dir.is_some()) {
            return Ok(());
        }
        let text = imaging::overlay_text(&frame, &output.snapshot.xray);
        imaging::burn_text(&mut frame, &text);
        if let Some(dir) = &self.frames_dir {
            let name = match pulse.run {
                Some(run) => format!("run{run:02}_{:03}.png", pulse.frame_in_run),
                None => format!("fluoro_{:06}.png", output.snapshot.tick),
            };
            imaging::write_png(&frame, &dir.join(name)).map_err(|e| CliError::bad_input(e.to_string()))?;
            self.written += 1;
            if pulse.run.is_none() {
                self.next_frame_tick = output.snapshot.tick + self.ticks_per_frame;
            }
        }
        self.keep_key_image(pulse.run, frame)
    }

    /// The darkest frame of each run (most contrast) goes into the report.
    fn keep_key_image(&mut self, run: Option<u32>, frame: Frame) -> Result<(), CliError> {
        let Some(run) = run else { return Ok(()) };
        let darkness = |f: &Frame| f.gray.iter().map(|g| u64::from(255 - g)).sum::<u64>();
        match &mut self.last_of_run {
            Some((r, best)) if *r == run => {
                if darkness(&frame) > darkness(best) {
                    *best = frame;
                }
            }
            _ => {
                self.close_run()?;
                self.last_of_run = Some((run, frame));
            }
        }
        Ok(())
    }

    fn close_run(&mut self) -> Result<(), CliError> {
        if let Some((run, frame)) = self.last_of_run.take() {
            let png = imaging::encode_png(&frame).map_err(|e| CliError::bad_input(e.to_string()))?;
            self.key_images.push(training::ReportImage { caption: format!("Run {run}"), png });
        }
        Ok(())
    }

    /// The observer.
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Writes `report.html`, `report.json`, `telemetry.csv`; returns the paths and whether the case is passed.
    pub fn write_reports(
        &mut self,
        model: &Model,
        meta: &training::ReportMeta,
        start: &Snapshot,
        out: &Path,
    ) -> Result<Vec<PathBuf>, CliError> {
        self.close_run()?;
        self.key_images.extend(training::skin_image(model.exposure.skin(), &self.skin.0));
        let failed = |e: &dyn std::fmt::Display| CliError::bad_input(format!("cannot write the report: {e}"));
        let assessment = self.observer.assessment();
        let json = training::report_json(&assessment, meta).map_err(|e| failed(&e))?;
        let html = training::report_html(&training::ReportInput {
            assessment: &assessment,
            meta,
            telemetry: self.observer.telemetry(),
            tree: &model.anatomy.tree,
            images: &self.key_images,
        });
        let csv = training::telemetry_csv(self.observer.telemetry(), &start.tools).map_err(|e| failed(&e))?;
        let mut written = Vec::new();
        for (name, bytes) in [("report.html", html), ("report.json", json), ("telemetry.csv", csv)] {
            let path = out.join(name);
            super::write_file(&path, bytes.as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }
}

/// How a scripted attempt ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Ticks done.
    pub ticks: u64,
    /// Why the script could not go on, if it could not.
    pub failure: Option<String>,
}

/// Drives a session by a script until it finishes, fails or the time is over.
pub fn drive(
    session: &mut Session,
    driver: &mut Driver,
    watcher: &mut Watcher,
    seconds: f64,
) -> Result<Outcome, CliError> {
    drive_seen(session, driver, watcher, seconds, &mut |_, _, _| {})
}

/// The same, and somebody else sees every tick: the session, its driver, and the snapshot.
pub fn drive_seen(
    session: &mut Session,
    driver: &mut Driver,
    watcher: &mut Watcher,
    seconds: f64,
    see: &mut dyn FnMut(&Session, &Driver, &Snapshot),
) -> Result<Outcome, CliError> {
    let max_ticks = (seconds * TICKS_PER_S as f64) as u64;
    let mut snapshot = session.snapshot();
    while !driver.finished() && driver.failed().is_none() && snapshot.tick < max_ticks {
        for command in driver.next(&snapshot, snapshot.xray.pulse.is_some()) {
            session.submit(command);
        }
        let output = session.step();
        watcher.watch(&output)?;
        see(session, driver, &output.snapshot);
        for command in watcher.observer.take_due_events() {
            session.submit(command);
        }
        snapshot = output.snapshot;
    }
    Ok(Outcome { ticks: snapshot.tick, failure: driver.failed() })
}

/// One sentence on how it went.
pub fn verdict(assessment: &Assessment) -> String {
    let score = &assessment.score;
    format!(
        "{}: {:.0} of {:.0} points, pass mark {:.0}, {} errors",
        if score.passed { "passed" } else { "not passed" },
        score.total,
        score.maximum,
        score.pass_mark,
        assessment.errors.len()
    )
}
