//! The desk's part of the room: keys of the suite, review of runs, the skin's dose, files of a suite.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Desk;
use crate::app::keys::KeyAction;
use crate::app::review::{ReviewAction, ReviewAsk, ReviewView, Source, Tile, Zoom};
use crate::app::shelf::GrayPicture;
use crate::app::texts::{Text, fill, t};
use crate::app::view::{Screen, SkinView};
use crate::imaging::export::{ExportPlan, Exporter};
use crate::imaging::skin_picture::{scale_top_mgy, skin_picture};
use crate::sim::Command;
use crate::sim::command::{AcquisitionKind, Pedal, RoadmapSource};
use crate::sim::exposure::PULSE_RATES_PER_S;
use crate::sim::exposure::program::PROGRAMS;
use crate::sim::record::Recording;
use crate::sim::session;
use crate::xray::FluoroLevel;
use crate::xray::staff::Shields;

/// Where a thread leaves the names of the files it made, or why it could not.
pub(super) type ExportSlot = Arc<Mutex<Option<Result<Vec<String>, String>>>>;

/// Step of blades by key.
const BLADE_STEP: f64 = 0.1;
/// Rows of the skin's picture.
const SKIN_ROWS: usize = 420;
/// Columns of exported pictures.
const EXPORT_PIXELS: usize = 512;

/// What a key of the suite sends; `None` when it is not one of them.
pub(super) fn suite_command(view: &crate::app::view::View, action: KeyAction) -> Option<Command> {
    let x = &view.snapshot.xray;
    let all_blades = |by: f64| Command::SetBlades(x.arm.blades.map(|b| (b + by).clamp(0.1, 1.0)));
    Some(match action {
        KeyAction::HoldBreath => Command::HoldBreath(!view.snapshot.patient.breath_held),
        KeyAction::Remask => Command::Remask,
        KeyAction::StoreFluoro => Command::StoreFluoro,
        KeyAction::StoreReferenceA => Command::StoreReference(0),
        KeyAction::StoreReferenceB => Command::StoreReference(1),
        KeyAction::RecallReferenceA => Command::RecallReference(0),
        KeyAction::RecallReferenceB => Command::RecallReference(1),
        KeyAction::View1 => Command::RecallPreset(0),
        KeyAction::View2 => Command::RecallPreset(1),
        KeyAction::View3 => Command::RecallPreset(2),
        KeyAction::View4 => Command::RecallPreset(3),
        KeyAction::BladesIn => all_blades(-BLADE_STEP),
        KeyAction::BladesOut => all_blades(BLADE_STEP),
        KeyAction::WedgeNext => Command::SetWedge {
            insertion: next(&[0.0, 0.5, 1.0], x.arm.wedge.insertion),
            angle_deg: x.arm.wedge.angle_deg,
        },
        KeyAction::LevelNext => Command::SetFluoroLevel(match x.level {
            FluoroLevel::Low => FluoroLevel::Normal,
            FluoroLevel::Normal => FluoroLevel::High,
            FluoroLevel::High => FluoroLevel::Low,
        }),
        KeyAction::ProgramNext => {
            Command::SelectProgram(x.program.map_or(0, |p| (p + 1) % PROGRAMS.len() as u8))
        }
        KeyAction::PulseRateNext => Command::SetPulseRate(next(&PULSE_RATES_PER_S, x.pulse_rate_per_s)),
        KeyAction::RoadmapSourceNext => Command::SetRoadmapSource(match x.suite.roadmap_source {
            RoadmapSource::Fluoro => RoadmapSource::LastRun,
            RoadmapSource::LastRun | RoadmapSource::Run(_) => RoadmapSource::Fluoro,
        }),
        KeyAction::RoadmapOpacityNext => {
            Command::SetRoadmapOpacity(next(&[0.2, 0.4, 0.6, 0.8], x.suite.roadmap_opacity))
        }
        KeyAction::ScreenToggle => {
            Command::SetShields(Shields { ceiling: !x.dose.shields.ceiling, ..x.dose.shields })
        }
        _ => return None,
    })
}

/// The value after this one, round.
fn next(values: &[f64], now: f64) -> f64 {
    let after = values.iter().copied().find(|v| *v > now + 1e-9);
    after.or(values.first().copied()).unwrap_or(now)
}

impl Desk {
    /// A stored view is seen on the reference monitor.
    pub(super) fn show_stored(&mut self, action: KeyAction) {
        if matches!(action, KeyAction::StoreReferenceA | KeyAction::StoreReferenceB)
            && let Some(live) = self.live.clone()
        {
            self.shelf.add_view(&self.live_angles, live);
        }
    }

    /// A key while the review is open; false when the review does not use it.
    pub(super) fn review_key(&mut self, action: KeyAction) -> bool {
        if self.view.review.is_none() {
            return false;
        }
        let action = match action {
            KeyAction::ReferenceBack => ReviewAction::Frame(-1),
            KeyAction::ReferenceForward => ReviewAction::Frame(1),
            KeyAction::ReferencePlay => ReviewAction::Play,
            KeyAction::Remask => ReviewAction::MaskHere,
            KeyAction::SendToReference => ReviewAction::ToReference,
            _ => return false,
        };
        self.act_on_review(action);
        true
    }

    pub(super) fn act_on_review(&mut self, action: ReviewAction) {
        if action == ReviewAction::Toggle {
            match self.view.review.take() {
                Some(_) => {}
                None => self.open_review(),
            }
            return;
        }
        if let ReviewAction::Show(source) = action {
            self.show_in_review(source);
            return;
        }
        if action == ReviewAction::Save {
            self.save_reviewed();
            return;
        }
        let Some(review) = &mut self.view.review else { return };
        let mut commands = Vec::new();
        let s = &mut review.settings;
        match action {
            ReviewAction::Frame(by) => review.step(by),
            ReviewAction::Play => review.playing = !review.playing,
            ReviewAction::MaskHere => {
                let at = s.frame as u32;
                s.mask = Some([at, at]);
                commands.extend(mask_command(review.source, at));
            }
            ReviewAction::Shift(right, up) => {
                s.shift_mm = [s.shift_mm[0] + right, s.shift_mm[1] + up];
                commands.extend(shift_command(review.source, s.shift_mm));
            }
            ReviewAction::ResetShift => {
                s.shift_mm = [0.0; 2];
                commands.extend(shift_command(review.source, s.shift_mm));
            }
            ReviewAction::Trace(trace) => s.trace = trace,
            ReviewAction::Subtract => set_subtract(s),
            ReviewAction::Invert => s.invert = !s.invert,
            ReviewAction::Window(window, level) => (s.window, s.level) = (window, level),
            ReviewAction::Landmark(share) => s.landmark = share,
            ReviewAction::Edge(edge) => s.edge = edge,
            ReviewAction::Tool(tool) => (review.tool, review.line) = (tool, None),
            ReviewAction::Line(line) => review.measure(line),
            ReviewAction::French(french) => review.french = french,
            ReviewAction::Roadmap => {
                if let Source::Run(run) = review.source {
                    commands.push(Command::SetRoadmapSource(RoadmapSource::Run(run)));
                    commands.push(Command::SetRoadmap(true));
                }
            }
            ReviewAction::ToReference => {
                if let Some(p) = &review.picture {
                    let arm = &p.frame.arm;
                    let angles = crate::app::views::angles(arm.primary_deg, arm.secondary_deg);
                    let gray = p.frame.gray.clone().into();
                    self.shelf.add_view(
                        &angles,
                        GrayPicture { columns: p.frame.columns, rows: p.frame.rows, gray },
                    );
                }
            }
            ReviewAction::Zoom(by, at) => review.zoom_by(by, at),
            ReviewAction::Pan(by) => review.pan(by),
            ReviewAction::WholePicture => review.zoom = Zoom::default(),
            ReviewAction::Toggle | ReviewAction::Show(_) | ReviewAction::Save => {}
        }
        // What is set while a recording is watched changes the picture, not the recording.
        if self.view.replay.is_none() {
            self.out.commands.extend(commands);
        }
        self.ask_for_review();
    }

    /// Writes the picture that is reviewed beside the recordings.
    fn save_reviewed(&mut self) {
        let Some(review) = &self.view.review else { return };
        let Some(picture) = &review.picture else { return };
        let what = match review.source {
            Source::Run(n) => format!("run{n:02}"),
            Source::Loop(n) => format!("loop{n:02}"),
        };
        let folder = self.store.runs().join("pictures");
        let name = |k: u32| format!("{what}_frame{:03}_{k}.png", review.settings.frame + 1);
        let free = (1..1000).map(|k| folder.join(name(k))).find(|p| !p.exists());
        let made = std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()));
        let written = match free {
            Some(path) => made.and_then(|()| {
                crate::imaging::write_png(&picture.frame, &path).map(|()| path).map_err(|e| e.to_string())
            }),
            None => Err(fill(Text::TooManyPictures, &[&folder.display().to_string()])),
        };
        match written {
            Ok(path) => self.view.say_warning(&fill(Text::PictureSaved, &[&path.display().to_string()])),
            Err(why) => self.view.problem = Some(why),
        }
    }

    fn open_review(&mut self) {
        let suite = &self.view.snapshot.xray.suite;
        let source = suite.runs.last().map(|r| Source::Run(r.number));
        let source = source.or((!suite.loops.is_empty()).then_some(Source::Loop(suite.loops.len() as u32)));
        match source {
            Some(source) => self.show_in_review(source),
            None => self.view.say_warning(t(Text::NothingToReview)),
        }
    }

    fn show_in_review(&mut self, source: Source) {
        let suite = &self.view.snapshot.xray.suite;
        let tiles = tiles(&self.view, &self.shelf);
        let record = match source {
            Source::Run(run) => suite.run(run).copied(),
            Source::Loop(_) => None,
        };
        let (kind, rate) = record.map_or((AcquisitionKind::Cine, 7.5), |r| (r.kind, r.frame_rate_per_s));
        let mut review = ReviewView::open(tiles, source, kind, rate);
        if let Some(record) = record {
            review.settings.mask = record.mask;
            review.settings.shift_mm = record.shift_mm;
            review.settings.frame = self.shelf.fullest_of(record.number).unwrap_or(0);
        }
        self.view.review = Some(review);
        self.ask_for_review();
    }

    fn ask_for_review(&mut self) {
        if let (Some(review), Some(bridge)) = (&self.view.review, &self.bridge) {
            bridge.review(ReviewAsk { source: review.source, settings: review.settings.clone() });
        }
    }

    /// Each frame: the player of the review, the pedal that goes back to live, the skin's picture, files that were made.
    pub(super) fn follow_room(&mut self, dt_s: f64) {
        // The pedal of a recording is not in the hands of who watches it.
        let beam = self.view.snapshot.xray.pedal != Pedal::Off && !self.is_watching();
        if beam || !(self.is_at_table() || self.is_watching()) {
            self.view.review = None;
        }
        if self.view.review.as_mut().is_some_and(|r| r.advance(dt_s)) {
            self.ask_for_review();
        }
        self.follow_skin();
        if let Some(result) = self.export.as_ref().and_then(taken) {
            self.export = None;
            self.view.exporting = false;
            match result {
                Ok(files) => {
                    if let Some(report) = &mut self.view.report {
                        report.files.extend(files);
                    }
                }
                Err(why) => self.view.problem = Some(why),
            }
        }
    }

    fn follow_skin(&mut self) {
        let Some(model) = self.model.as_ref().filter(|_| self.view.skin_open) else { return };
        let dose = &self.view.snapshot.xray.dose.skin.0;
        // Redrawn when the peak has grown by a hundredth.
        let drawn = self.view.skin.as_ref().map_or(-1.0, |s| s.peak_mgy);
        if (dose.peak_mgy - drawn).abs() <= 0.01 * dose.peak_mgy && drawn >= 0.0 {
            return;
        }
        let version = self.view.skin.as_ref().map_or(0, |s| s.version) + 1;
        self.view.skin = Some(SkinView {
            picture: Arc::new(skin_picture(model.exposure.skin(), dose, SKIN_ROWS)),
            peak_mgy: dose.peak_mgy,
            top_mgy: scale_top_mgy(dose.peak_mgy),
            version,
        });
    }

    /// DICOM files and pictures of a finished run, beside its recording; made on a thread of their own.
    pub(super) fn export(&mut self, recording: PathBuf) {
        if self.view.exporting || self.view.screen != Screen::Report {
            return;
        }
        let slot = ExportSlot::default();
        let theirs = Arc::clone(&slot);
        let root = self.root.clone();
        let started = std::thread::Builder::new().name("export".to_owned()).spawn(move || {
            let result = export_recording(&root, &recording);
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        });
        match started {
            Ok(_) => {
                self.export = Some(slot);
                self.view.exporting = true;
            }
            Err(e) => self.view.problem = Some(e.to_string()),
        }
    }
}

fn taken(slot: &ExportSlot) -> Option<Result<Vec<String>, String>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn set_subtract(s: &mut crate::imaging::review::ReviewSettings) {
    use crate::imaging::review::ReviewSettings as R;
    s.subtract = !s.subtract;
    (s.window, s.level) = if s.subtract { R::SUBTRACTED } else { R::NATIVE };
}

fn mask_command(source: Source, at: u32) -> Option<Command> {
    match source {
        Source::Run(run) => Some(Command::SetMask { run, first: at, last: at }),
        Source::Loop(_) => None,
    }
}

fn shift_command(source: Source, [right_mm, up_mm]: [f64; 2]) -> Option<Command> {
    match source {
        Source::Run(run) => Some(Command::SetPixelShift { run, right_mm, up_mm }),
        Source::Loop(_) => None,
    }
}

fn tiles(view: &crate::app::view::View, shelf: &crate::app::shelf::Shelf) -> Vec<Tile> {
    let suite = &view.snapshot.xray.suite;
    let runs = suite.runs.iter().map(|r| Tile {
        source: Source::Run(r.number),
        title: fill(
            Text::RunTile,
            &[
                &r.number.to_string(),
                t(if r.kind == AcquisitionKind::Dsa { Text::Dsa } else { Text::Cine }),
                &r.frames.to_string(),
            ],
        ),
        thumb: shelf.thumb_of(r.number),
    });
    let loops = suite.loops.iter().enumerate().map(|(i, [first, last])| Tile {
        source: Source::Loop(i as u32 + 1),
        title: fill(Text::LoopTile, &[&(i + 1).to_string(), &(last - first + 1).to_string()]),
        thumb: None,
    });
    runs.chain(loops).collect()
}

fn export_recording(root: &std::path::Path, path: &std::path::Path) -> Result<Vec<String>, String> {
    let recording = Recording::read(path).map_err(|e| e.to_string())?;
    let model = crate::app::engine::model_of_recording(root, &recording)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("dicom"), |p| p.join("dicom"));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let study = crate::imaging::dicom::Study::of_recording(&model.case, &recording, path);
    let plan = ExportPlan { dicom: Some(folder.clone()), png: Some(folder), pixels: EXPORT_PIXELS };
    let mut exporter = Exporter::new(&model, study, plan);
    let mut fault = None;
    session::replay(Arc::clone(&model), &recording, false, |output| {
        if fault.is_none() {
            fault = exporter.watch(output).err();
        }
    })
    .map_err(|e| e.to_string())?;
    if let Some(fault) = fault {
        return Err(fault.to_string());
    }
    let paths = exporter.finish(&model, recording.last_tick).map_err(|e| e.to_string())?;
    Ok(paths.iter().map(|p| p.display().to_string()).collect())
}
