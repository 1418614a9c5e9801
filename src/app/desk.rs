//! The desk: pages, hands, pictures, files. Bevy-free; the window calls it once before and once after the panels.

mod mail;
mod replay;
mod room;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::bridge::{Bridge, BridgeConfig, Shot};
use super::controls::{Controls, FIELDS_MM, Latch};
use super::convert;
use super::engine::Opening;
use super::keys::{Chord, KeyAction, KeyTable, Pressed};
use super::out::{Held, Out, UiAction};
use super::panels::next_hold;
use super::review::ReviewAction;
use super::shelf::{GrayPicture, Shelf};
use super::store::Store;
use super::view::{LogLine, Picture, Screen, View};
use crate::device::DeviceKind;
use crate::sim::command::{Hold, Pedal};
use crate::sim::{Command, Model, Snapshot};

/// Most lines that the log keeps.
const MOST_LINES: usize = 500;

/// What the window saw since the last frame.
#[derive(Clone, Debug, Default)]
pub struct FrameInput {
    /// Keys.
    pub pressed: Pressed,
    /// The window has the focus.
    pub focused: bool,
    /// A text field has the keyboard.
    pub typing: bool,
    /// Seconds since the last frame.
    pub dt_s: f64,
}

/// What is kept of a report page while its run is played again.
struct ReportPage {
    view: View,
    opening: Opening,
    model: Option<Arc<Model>>,
}

/// Everything behind the panels.
pub struct Desk {
    /// What the panels read.
    pub view: View,
    /// What they push.
    pub out: Out,
    /// The compiled case, for the see-through patient.
    pub model: Option<Arc<Model>>,
    /// Angles and zoom of the see-through patient: yaw, pitch in degrees, zoom factor.
    pub truth_pose: [f32; 3],
    root: PathBuf,
    seed: u64,
    pixels: usize,
    store: Store,
    bridge: Option<Bridge>,
    opening: Opening,
    controls: Controls,
    latch: Latch,
    keys_held: Held,
    shelf: Shelf,
    live: Option<GrayPicture>,
    live_angles: String,
    shown_reference: Option<GrayPicture>,
    skip_briefing: bool,
    quit: bool,
    hints_given: usize,
    live_is_new: bool,
    waiting: VecDeque<Shot>,
    shown: Option<Arc<Snapshot>>,
    hold_at_s: Option<f64>,
    replay_log: Vec<LogLine>,
    /// The report page from which a replay was opened.
    report_page: Option<Box<ReportPage>>,
    told_running: Option<bool>,
    /// Files of a suite that are being made.
    export: Option<room::ExportSlot>,
}

impl Desk {
    /// A desk with the menu open.
    pub fn new(root: PathBuf, seed: u64, pixels: usize, store: Store) -> Self {
        let (keys, fault) = store.keys();
        let mut desk = Self {
            view: View { keys, problem: fault, time_factor: 1.0, ..View::default() },
            out: Out::default(),
            model: None,
            truth_pose: [25.0, 10.0, 1.0],
            root,
            seed,
            pixels,
            store,
            bridge: None,
            opening: Opening::default(),
            controls: Controls::default(),
            latch: Latch::default(),
            keys_held: Held::default(),
            shelf: Shelf::default(),
            live: None,
            live_angles: String::new(),
            shown_reference: None,
            skip_briefing: false,
            quit: false,
            hints_given: 0,
            live_is_new: false,
            waiting: VecDeque::new(),
            shown: None,
            hold_at_s: None,
            replay_log: Vec::new(),
            report_page: None,
            told_running: None,
            export: None,
        };
        desk.back_to_menu();
        desk
    }

    /// Wants to leave.
    pub fn wants_quit(&self) -> bool {
        self.quit
    }

    /// Opens a case, with the script that shall play it.
    pub fn open(&mut self, case: PathBuf, script: Option<PathBuf>) {
        let opening = Opening {
            root: self.root.clone(),
            case,
            seed: self.seed,
            resume: None,
            replay: None,
            // A demonstration leaves nothing to go on from.
            running: if script.is_some() { PathBuf::new() } else { self.store.running() },
            script,
        };
        self.begin(opening);
    }

    fn begin(&mut self, opening: Opening) {
        self.close();
        self.skip_briefing = opening.script.is_some() || opening.resume.is_some();
        let stem =
            opening.case.file_stem().map_or_else(|| "run".to_owned(), |s| s.to_string_lossy().into_owned());
        let operator = if opening.script.is_some() { "script" } else { "trainee" };
        let config = BridgeConfig {
            pixels: self.pixels,
            results: self.store.new_run_folder(&stem),
            operator: operator.to_owned(),
        };
        self.opening = opening.clone();
        match Bridge::start(opening, config) {
            Ok(bridge) => {
                self.bridge = Some(bridge);
                self.view.screen = Screen::Loading;
            }
            Err(why) => self.view.problem = Some(why),
        }
    }

    /// Ends the running case, if there is one, and forgets what was shown of it.
    fn close(&mut self) {
        self.bridge = None;
        self.told_running = None;
        self.model = None;
        self.controls = Controls::default();
        self.latch = Latch::default();
        self.shelf = Shelf::default();
        self.live = None;
        self.waiting.clear();
        self.replay_log.clear();
        self.shown = None;
        self.shown_reference = None;
        let keep = std::mem::take(&mut self.view);
        self.view = View {
            keys: keep.keys,
            cards: keep.cards,
            problem: keep.problem,
            time_factor: 1.0,
            ..View::default()
        };
    }

    fn back_to_menu(&mut self) {
        let was_running = self.bridge.is_some() && self.view.replay.is_none();
        self.report_page = None;
        self.close();
        if was_running {
            std::fs::remove_file(self.store.running()).ok();
        }
        self.view.screen = Screen::Menu;
        self.view.cards = convert::cards(&self.root, &self.store.best());
        self.view.resume = convert::resume_text(&self.store.running());
    }

    /// Before the panels: mail, keys, time.
    pub fn begin_frame(&mut self, input: &FrameInput) {
        self.out.held = Held::default();
        if let Some(bridge) = &self.bridge {
            let mail = bridge.take();
            self.receive(mail);
        }
        self.view.hands.follow(&self.view.snapshot);
        self.keys(input);
        self.latch.advance(input.dt_s, self.controls.moves_tools());
        self.shelf.advance(input.dt_s);
        self.follow_room(input.dt_s);
        self.view.latch_left_s = (self.latch.pedal != Pedal::Off).then_some(self.latch.left_s);
    }

    /// After the panels: what was pushed becomes orders. Returns the commands that were sent.
    pub fn end_frame(&mut self, input: &FrameInput) -> Vec<Command> {
        for action in std::mem::take(&mut self.out.ui) {
            self.act(action);
        }
        for stroke in std::mem::take(&mut self.out.strokes) {
            if self.is_at_table() {
                self.controls.stroke(stroke);
            }
        }
        let mut commands = std::mem::take(&mut self.out.commands);
        if self.is_at_table() && input.focused {
            let mut held = self.keys_held.clone();
            held.merge(&self.out.held);
            if held.pedal == Pedal::Off {
                held.pedal = self.latch.pedal;
            }
            commands.extend(self.controls.update(&held, &self.view.snapshot, input.dt_s));
        } else {
            self.latch.pedal = Pedal::Off;
            if !self.controls.is_at_rest() {
                commands.extend(self.controls.release(&self.view.snapshot));
            }
        }
        if let Some(bridge) = &self.bridge {
            bridge.send(commands.clone());
            let running = self.is_running();
            if self.view.replay.is_none() && self.told_running != Some(running) {
                bridge.pause(!running);
                self.told_running = Some(running);
            }
        }
        commands
    }

    /// The table may be worked at: no page, dialog or fault lies over it.
    fn is_at_table(&self) -> bool {
        self.view.screen == Screen::Procedure && !self.view.keys_open && self.view.problem.is_none()
    }

    /// A recording is played, and no dialog or fault lies over it.
    fn is_watching(&self) -> bool {
        self.view.screen == Screen::Replay && !self.view.keys_open && self.view.problem.is_none()
    }

    /// Time runs: also while the key list is open, as in a real room; not while paused.
    fn is_running(&self) -> bool {
        self.view.screen == Screen::Procedure
    }

    fn keys(&mut self, input: &FrameInput) {
        self.keys_held = Held::default();
        if let Some(action) = self.view.rebinding {
            self.rebind(action, &input.pressed);
            return;
        }
        if input.typing || !input.focused {
            return;
        }
        if self.is_at_table() {
            let embolic = self.view.syringe_is_embolic();
            self.keys_held = self.view.keys.held(&input.pressed, &self.view.hands, &self.out.form, embolic);
        }
        for action in self.view.keys.called(&input.pressed) {
            self.key(action);
        }
    }

    fn rebind(&mut self, action: KeyAction, pressed: &Pressed) {
        let is_modifier = |k: &str| ["Shift", "Control", "Alt", "Super"].iter().any(|m| k.starts_with(m));
        let Some(key) = pressed.just.iter().find(|k| !is_modifier(k)) else { return };
        self.view.rebinding = None;
        if key == "Escape" {
            return;
        }
        let alt = pressed.down.contains("AltLeft") || pressed.down.contains("AltRight");
        self.view.keys.rebind(action, Chord { alt, key: key.clone() });
        self.save_keys();
    }

    fn save_keys(&mut self) {
        if let Err(fault) = self.store.save_keys(&self.view.keys) {
            self.view.problem = Some(fault);
        }
    }

    /// A key that acts when it goes down.
    fn key(&mut self, action: KeyAction) {
        match action {
            KeyAction::Pause if self.view.keys_open => self.view.keys_open = false,
            KeyAction::Pause => match self.view.screen {
                Screen::Procedure => self.act(UiAction::Pause(true)),
                Screen::Paused => self.act(UiAction::Pause(false)),
                Screen::Replay => self.pause_replay(),
                _ => {}
            },
            KeyAction::KeyList => self.view.keys_open = !self.view.keys_open,
            _ if self.is_at_table() => self.table_key(action),
            KeyAction::Review if self.is_watching() => self.act_on_review(ReviewAction::Toggle),
            _ if self.is_watching() => {
                self.review_key(action);
            }
            _ => {}
        }
    }

    fn table_key(&mut self, action: KeyAction) {
        if self.review_key(action) {
            return;
        }
        if let Some(command) = room::suite_command(&self.view, action) {
            self.out.commands.push(command);
            self.show_stored(action);
            return;
        }
        let x = &self.view.snapshot.xray;
        let i = &self.view.snapshot.injection;
        match action {
            KeyAction::Roadmap => self.out.commands.push(Command::SetRoadmap(!x.roadmap)),
            KeyAction::Arm => self.out.commands.push(Command::SetInjectorArmed(!i.armed)),
            KeyAction::Flush => self.out.commands.push(Command::Flush),
            KeyAction::Hint => self.out.commands.push(Command::AskHint),
            KeyAction::FieldSmaller => {
                self.out.commands.push(Command::SetField(next_field(x.arm.field_mm, true)));
            }
            KeyAction::FieldLarger => {
                self.out.commands.push(Command::SetField(next_field(x.arm.field_mm, false)));
            }
            KeyAction::HoldNext => {
                if let Some(tool) = self.view.hands.right {
                    let now = self.view.devices().find(|d| d.tool == tool).map_or(Hold::Held, |d| d.hold);
                    self.out.commands.push(Command::SetHold { tool, hold: next_hold(now) });
                }
            }
            KeyAction::ToolWire => self.take(DeviceKind::Wire),
            KeyAction::ToolMicrocatheter => self.take(DeviceKind::Microcatheter),
            KeyAction::ToolCatheter => self.take(DeviceKind::Catheter),
            KeyAction::SwapHands => self.act(UiAction::SwapHands),
            KeyAction::SendToReference => self.act(UiAction::SendToReference),
            KeyAction::ReferencePlay => self.act(UiAction::ReferencePlay),
            KeyAction::ReferenceBack => self.act(UiAction::ReferenceFrame(-1)),
            KeyAction::ReferenceForward => self.act(UiAction::ReferenceFrame(1)),
            KeyAction::Truth => self.act(UiAction::ToggleTruth),
            KeyAction::Review => self.act_on_review(ReviewAction::Toggle),
            KeyAction::SkinDose => self.act(UiAction::ToggleSkin),
            _ => {}
        }
    }

    fn take(&mut self, kind: DeviceKind) {
        let tool = self.view.devices().rev().map(|d| d.tool).find(|t| self.view.tool_kind(*t) == Some(kind));
        if let Some(tool) = tool {
            self.view.hands.take_right(tool);
        }
    }

    fn act(&mut self, action: UiAction) {
        match action {
            UiAction::OpenCase(path) => self.open(path, None),
            UiAction::OpenDemo(path) => {
                let script = convert::expert_script(&self.root, &path);
                self.open(path, script);
            }
            UiAction::BeginProcedure => self.view.screen = Screen::Procedure,
            UiAction::Pause(on) => self.view.screen = if on { Screen::Paused } else { Screen::Procedure },
            UiAction::ToMenu => self.back_to_menu(),
            UiAction::Again => {
                let opening = Opening { resume: None, ..self.opening.clone() };
                self.begin(opening);
            }
            UiAction::Quit => self.quit = true,
            UiAction::Resume(yes) => self.resume(yes),
            UiAction::TakeRight(tool) => self.view.hands.take_right(tool),
            UiAction::TakeLeft(tool) => self.view.hands.take_left(tool),
            UiAction::SwapHands => {
                let hands = &mut self.view.hands;
                std::mem::swap(&mut hands.right, &mut hands.left);
            }
            UiAction::ToggleTruth => self.toggle_truth(),
            UiAction::TurnTruth(yaw, pitch, zoom) => {
                let [y, p, z] = &mut self.truth_pose;
                *y += yaw;
                *p = (*p + pitch).clamp(-85.0, 85.0);
                *z = (*z * zoom).clamp(0.3, 8.0);
            }
            UiAction::ShowKeys(on) => self.view.keys_open = on,
            UiAction::Rebind(action) => self.view.rebinding = action,
            UiAction::ResetKeys => {
                self.view.keys = KeyTable::default();
                self.save_keys();
            }
            UiAction::Latch(pedal) => self.latch.toggle(pedal),
            UiAction::SendToReference => {
                if let Some(live) = self.live.clone() {
                    self.shelf.add_view(&self.live_angles, live);
                }
            }
            UiAction::ReferenceRun(by) => self.shelf.step_run(by),
            UiAction::ReferenceFrame(by) => self.shelf.step_frame(by),
            UiAction::ReferencePlay => self.shelf.toggle_play(),
            UiAction::Review(action) => self.act_on_review(action),
            UiAction::StoreReference(slot) => {
                self.out.commands.push(Command::StoreReference(slot));
                self.act(UiAction::SendToReference);
            }
            UiAction::ToggleSkin => {
                self.view.skin_open = !self.view.skin_open;
                self.view.skin = None;
            }
            UiAction::Export(path) => self.export(path),
            UiAction::DismissProblem => {
                self.view.problem = None;
                if self.view.screen == Screen::Loading {
                    self.back_to_menu();
                }
            }
            UiAction::ShowRecordings => self.show_recordings(),
            UiAction::OpenReplay(path, at_s) => self.open_replay(path, at_s),
            UiAction::Replay(action) => self.act_on_replay(action),
            UiAction::CloseReplay => self.close_replay(),
        }
    }

    fn toggle_truth(&mut self) {
        self.view.truth = match self.view.truth {
            Some(_) => None,
            None => {
                self.view.truth_uses += 1;
                Some(Picture::default())
            }
        };
    }

    fn resume(&mut self, yes: bool) {
        let running = self.store.running();
        if yes {
            // The recording is read from beside, so that the new one may be written where the old one was.
            let beside = running.with_extension("resumed.cnr");
            if let Err(e) = std::fs::rename(&running, &beside) {
                self.view.problem = Some(format!("{}: {e}", running.display()));
                return;
            }
            let opening =
                Opening { root: self.root.clone(), resume: Some(beside), running, ..Opening::default() };
            self.begin(opening);
        } else {
            std::fs::remove_file(running).ok();
            self.view.resume = None;
        }
    }

    /// Pictures that are new since the last call: live, reference. What is not new stays as it was drawn.
    pub fn take_new_pictures(&mut self) -> [Option<GrayPicture>; 2] {
        let live = if std::mem::take(&mut self.live_is_new) { self.live.clone() } else { None };
        let shown = self.shelf.shown();
        self.view.reference_title = shown.as_ref().map_or_else(String::new, |(_, title)| title.clone());
        let picture = shown.map(|(p, _)| p.clone());
        let reference = if picture == self.shown_reference { None } else { picture.clone() };
        self.shown_reference = picture;
        [live, reference]
    }

    /// There is a live picture; a stored one.
    pub fn has_pictures(&self) -> [bool; 2] {
        [self.live.is_some(), self.shown_reference.is_some()]
    }
}

/// The next smaller or larger field.
fn next_field(now_mm: f64, smaller: bool) -> f64 {
    let next = if smaller {
        FIELDS_MM.iter().copied().find(|f| *f < now_mm - 1.0)
    } else {
        FIELDS_MM.iter().rev().copied().find(|f| *f > now_mm + 1.0)
    };
    next.unwrap_or(now_mm)
}
