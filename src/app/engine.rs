//! The running case behind the window: session, observer, script driver. No window, no clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::anatomy::{self, Anatomy};
use crate::imaging::{Renderer, RendererConfig};
use crate::scenario::{self, Case, Library};
use crate::script::{self, Driver};
use crate::sim::command::Pedal;
use crate::sim::record::{RecordWriter, Recording};
use crate::sim::session::{Session, StepOutput};
use crate::sim::{Command, Model};
use crate::training::{
    Assessment, Observer, ReportInput, ReportMeta, report_html, report_json, skin_image, telemetry_csv,
};

use super::convert;
use super::store::write_whole;
use super::view::CurveSample;

/// What to open.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Folder with `assets/` and `scenarios/`.
    pub root: PathBuf,
    /// Case file; unused when a recording is resumed.
    pub case: PathBuf,
    /// Seed.
    pub seed: u64,
    /// Script that plays.
    pub script: Option<PathBuf>,
    /// Recording to go on from.
    pub resume: Option<PathBuf>,
    /// Recording to be played again; nothing is recorded then.
    pub replay: Option<PathBuf>,
    /// File that is written while the run goes on.
    pub running: PathBuf,
}

/// A running case.
pub struct Engine {
    session: Session,
    observer: Observer,
    driver: Option<Driver>,
    writer: Option<RecordWriter>,
    last: StepOutput,
}

impl Engine {
    /// Reads, compiles and starts a case; a resumed recording is played up to its end.
    ///
    /// # Errors
    /// What cannot be read or compiled, in words.
    pub fn open(opening: &Opening) -> Result<Self, String> {
        let recording = match &opening.resume {
            Some(path) => Some(Recording::read(path).map_err(|e| e.to_string())?),
            None => None,
        };
        let model = match &recording {
            Some(recording) => model_of_recording(&opening.root, recording)?,
            None => {
                let text = std::fs::read_to_string(&opening.case)
                    .map_err(|e| format!("{}: {e}", opening.case.display()))?;
                model_of_case(&opening.root, &opening.case.display().to_string(), text)?
            }
        };
        let driver = match &opening.script {
            Some(path) => Some(open_script(path, &model.anatomy, &model.case)?),
            None => None,
        };
        let seed = recording.as_ref().map_or(opening.seed, |r| r.header.seed);
        let session = Session::new(Arc::clone(&model), seed);
        let snapshot = session.snapshot();
        let observer = Observer::new(&model.case, &model.anatomy.tree, &snapshot.tools);
        let last = StepOutput { snapshot, events: Vec::new(), report: Default::default() };
        let mut engine = Self { session, observer, driver, writer: None, last };
        if let Some(recording) = &recording {
            engine.play(recording);
        }
        // The file is begun anew only now: while a recording is read from the same path it must stay whole.
        engine.writer = begin_recording(&opening.running);
        Ok(engine)
    }

    fn play(&mut self, recording: &Recording) {
        let mut commands = recording.commands.iter().peekable();
        while self.last.snapshot.tick < recording.last_tick {
            while let Some((_, command)) = commands.next_if(|(tick, _)| *tick <= self.last.snapshot.tick) {
                self.submit(command.clone());
            }
            self.step();
        }
    }

    /// The compiled case.
    pub fn model(&self) -> &Arc<Model> {
        self.session.model()
    }

    /// Latest output.
    pub fn last(&self) -> &StepOutput {
        &self.last
    }

    /// A script is at work.
    pub fn is_scripted(&self) -> bool {
        self.driver.as_ref().is_some_and(|d| !d.finished() && d.failed().is_none())
    }

    /// Why the script gave up, if it did; told once, then the table is the user's.
    pub fn take_script_fault(&mut self) -> Option<String> {
        let fault = self.driver.as_ref().and_then(Driver::failed)?;
        self.driver = None;
        self.let_go();
        Some(format!("The script gave up: {fault}"))
    }

    /// Nobody holds anything: pedal, syringe and hubs are released.
    fn let_go(&mut self) {
        let tools: Vec<_> =
            self.last.snapshot.rods.iter().flat_map(|r| r.devices.iter().map(|d| d.tool)).collect();
        self.submit(Command::SetPedal(Pedal::Off));
        self.submit(Command::SetHandInjection(0.0));
        for tool in tools {
            self.submit(Command::SetFeed { tool, speed_mm_per_s: 0.0 });
            self.submit(Command::SetSpin { tool, rate_deg_per_s: 0.0 });
        }
    }

    /// Queues a command.
    pub fn submit(&mut self, command: Command) {
        self.session.submit(command);
    }

    /// One tick. The script sees what was there before it.
    pub fn step(&mut self) -> &StepOutput {
        if let Some(driver) = self.driver.as_mut().filter(|d| !d.finished() && d.failed().is_none()) {
            let frame = self.last.snapshot.xray.pulse.is_some();
            for command in driver.next(&self.last.snapshot, frame) {
                self.session.submit(command);
            }
        }
        self.last = self.session.step();
        self.observer.observe(&self.last.snapshot, &self.last.events);
        &self.last
    }

    /// Appends what happened since the last call to the running recording.
    ///
    /// # Errors
    /// When the file cannot be written; recording stops then.
    pub fn save(&mut self) -> Result<(), String> {
        let records = self.session.take_records();
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = writer.append(&records).map_err(|e| format!("The recording cannot be written: {e}"));
        if result.is_err() {
            self.writer = None;
        }
        result
    }

    /// What the attempt amounts to so far.
    pub fn assessment(&self) -> Assessment {
        self.observer.assessment()
    }

    /// Curves of the run so far.
    pub fn curves(&self) -> Vec<CurveSample> {
        convert::curves(self.observer.telemetry())
    }

    /// Writes report, telemetry and recording into a folder; names what was written.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub fn write_results(&self, folder: &Path, operator: &str) -> Result<Vec<String>, String> {
        let model = self.session.model();
        let assessment = self.assessment();
        let meta = ReportMeta {
            version: crate::VERSION.to_owned(),
            case_hash: crate::math::hash::hex_of_bytes(model.case_text.as_bytes()),
            seed: self.session.state().seed,
            operator: operator.to_owned(),
            state_hash: self.session.hash().to_string(),
            recording: "recording.cnr".to_owned(),
        };
        let skin = &self.last.snapshot.xray.dose.skin.0;
        let images: Vec<_> = skin_image(model.exposure.skin(), skin).into_iter().collect();
        let input = ReportInput {
            assessment: &assessment,
            meta: &meta,
            telemetry: self.observer.telemetry(),
            tree: &model.anatomy.tree,
            images: &images,
        };
        let csv =
            telemetry_csv(self.observer.telemetry(), &self.last.snapshot.tools).map_err(|e| e.to_string())?;
        let json = report_json(&assessment, &meta).map_err(|e| e.to_string())?;
        let files: [(&str, Vec<u8>); 4] = [
            ("report.html", report_html(&input).into_bytes()),
            ("report.json", json.into_bytes()),
            ("telemetry.csv", csv.into_bytes()),
            ("recording.cnr", self.session.recording_bytes()),
        ];
        let mut written = Vec::new();
        for (name, bytes) in files {
            let path = folder.join(name);
            write_whole(&path, &bytes)?;
            written.push(path.display().to_string());
        }
        Ok(written)
    }
}

/// Checks and compiles the text of a case; `name` is for messages.
fn model_of_case(root: &Path, name: &str, text: String) -> Result<Arc<Model>, String> {
    let library = Library::load(root).map_err(|e| e.to_string())?;
    let case = scenario::check_text(name, &text, &library).map_err(|e| e.to_string())?;
    let dir = root.join("assets/anatomy").join(&case.anatomy.model);
    let anatomy = anatomy::load_patient(&dir, &case.anatomy.patient(), &crate::assets::cache())
        .map_err(|e| e.to_string())?;
    let mut model = Model::compile(&case, &anatomy, &library.catalog).map_err(|e| e.to_string())?;
    model.case_text = text;
    Ok(Arc::new(model))
}

/// Compiles the case of a recording; refuses one of another version or with other assets.
///
/// # Errors
/// Why it cannot be replayed, in words.
pub(super) fn model_of_recording(root: &Path, recording: &Recording) -> Result<Arc<Model>, String> {
    let header = &recording.header;
    let name = format!("case `{}` of the recording", header.case_id);
    let model = model_of_case(root, &name, header.case_text.clone())?;
    recording.check_replayable(&model.assets_hash).map_err(|e| e.to_string())?;
    Ok(model)
}

fn open_script(path: &Path, anatomy: &Anatomy, case: &Case) -> Result<Driver, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let script = script::parse(&text, &path.display().to_string()).map_err(|e| e.to_string())?;
    Driver::new(script, &anatomy.tree, case).map_err(|e| e.to_string())
}

/// The running recording; a folder that cannot be written costs the safety net, not the run.
fn begin_recording(path: &Path) -> Option<RecordWriter> {
    if path.as_os_str().is_empty() {
        return None;
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).ok()?;
    }
    RecordWriter::create(path).ok()
}

/// A renderer for a model's picture.
pub fn renderer(model: &Model, pixels: usize, seed: u64) -> Renderer {
    Renderer::new(&model.anatomy, &model.tools, RendererConfig { pixels, seed })
}
