//! What the panels push: commands, held controls, wishes of the desk. Drained once per frame, after the last pass.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bevy_egui::egui::Rect;

use super::keys::KeyAction;
use super::review::ReviewAction;
use crate::sim::command::{Fluid, Pedal};
use crate::sim::{Command, ToolId};

/// Controls that act as long as they are held; absolute values, so that a second pass repeats harmlessly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Feed per tool, mm/s.
    pub feed_mm_per_s: BTreeMap<ToolId, f64>,
    /// Spin per tool, degrees/s.
    pub spin_deg_per_s: BTreeMap<ToolId, f64>,
    /// Sheath over a stent: withdrawn + or pushed on -, per tool, mm/s.
    pub sheath_mm_per_s: BTreeMap<ToolId, f64>,
    /// Pedal.
    pub pedal: Pedal,
    /// Hand injection, mL/s.
    pub hand_injection_ml_per_s: f64,
    /// Field of view over the patient: to the right and up on screen, -1, 0 or 1.
    pub table: [f64; 2],
    /// Patient and table up (+) or down, -1, 0 or 1.
    pub lift: f64,
    /// Table: head up + and patient's left up +, -1, 0 or 1.
    pub tilt: [f64; 2],
    /// C-arm: LAO + and CRA +, -1, 0 or 1.
    pub arm: [f64; 2],
    /// Detector away from (+) or towards the patient, -1, 0 or 1.
    pub sid: f64,
}

impl Held {
    /// Adds what another source holds (keys and mouse at once).
    pub fn merge(&mut self, other: &Self) {
        for (tool, v) in &other.feed_mm_per_s {
            self.feed_mm_per_s.insert(*tool, *v);
        }
        for (tool, v) in &other.spin_deg_per_s {
            self.spin_deg_per_s.insert(*tool, *v);
        }
        for (tool, v) in &other.sheath_mm_per_s {
            self.sheath_mm_per_s.insert(*tool, *v);
        }
        if other.pedal != Pedal::Off {
            self.pedal = other.pedal;
        }
        let pick = |mine: &mut f64, theirs: f64| {
            if theirs.abs() > 0.0 {
                *mine = theirs;
            }
        };
        pick(&mut self.hand_injection_ml_per_s, other.hand_injection_ml_per_s);
        for i in 0..2 {
            pick(&mut self.table[i], other.table[i]);
            pick(&mut self.arm[i], other.arm[i]);
            pick(&mut self.tilt[i], other.tilt[i]);
        }
        pick(&mut self.lift, other.lift);
        pick(&mut self.sid, other.sid);
    }
}

/// A stroke of the hand on a tool: position control, 1:1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Tool.
    pub tool: ToolId,
    /// Advance, mm.
    pub feed_mm: f64,
    /// Turn, degrees.
    pub spin_deg: f64,
}

/// What the desk, not the simulation, shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum UiAction {
    /// Open a case.
    OpenCase(PathBuf),
    /// Open a case and let its expert script play.
    OpenDemo(PathBuf),
    /// From the briefing to the table.
    BeginProcedure,
    /// Pause or go on.
    Pause(bool),
    /// Back to the menu.
    ToMenu,
    /// The same case again.
    Again,
    /// Leave the program.
    Quit,
    /// Resume the recording left by a crash (true) or forget it.
    Resume(bool),
    /// Take a tool in the right hand.
    TakeRight(ToolId),
    /// Take a tool in the left hand.
    TakeLeft(ToolId),
    /// Exchange the hands' tools.
    SwapHands,
    /// See-through patient on or off.
    ToggleTruth,
    /// Turn the see-through patient: yaw, pitch in degrees, zoom factor.
    TurnTruth(f32, f32, f32),
    /// Key list open or not.
    ShowKeys(bool),
    /// Choose a new key for an action; `None` gives up.
    Rebind(Option<KeyAction>),
    /// All keys as delivered.
    ResetKeys,
    /// Latch the pedal, or let go.
    Latch(Pedal),
    /// The live picture goes to the reference monitor.
    SendToReference,
    /// Reference monitor: another run.
    ReferenceRun(i32),
    /// Reference monitor: another frame.
    ReferenceFrame(i32),
    /// Reference monitor: play or stop.
    ReferencePlay,
    /// Review of stored runs.
    Review(ReviewAction),
    /// Keep the live view with its C-arm position: 0 or 1.
    StoreReference(u8),
    /// Dose on the skin shown or not.
    ToggleSkin,
    /// DICOM and pictures of a finished run.
    Export(PathBuf),
    /// The problem was read.
    DismissProblem,
    /// The list of recordings.
    ShowRecordings,
    /// Play a recording again, from a moment a little before this time if one is given, s.
    OpenReplay(PathBuf, Option<f64>),
    /// What a replay shall do.
    Replay(ReplayAction),
    /// Back to where the replay was opened.
    CloseReplay,
}

/// What a replay shall do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayAction {
    /// Stand still or go on.
    Pause(bool),
    /// Times as fast as it was.
    Speed(f64),
    /// Go to a time, s.
    JumpTo(f64),
    /// Go to a little before an error at this time, s.
    JumpToError(f64),
}

/// Entries that are not yet commands: what the hands are about to draw up or to program.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// Speed of held feed, mm/s.
    pub feed_mm_per_s: f64,
    /// Speed of held spin, degrees/s.
    pub spin_deg_per_s: f64,
    /// Fluid to draw up.
    pub fluid: Fluid,
    /// Volume to draw up, mL.
    pub fill_ml: f64,
    /// Hand injection while held, mL/s.
    pub puff_ml_per_s: f64,
    /// Embolic injection while held, mL/s.
    pub embolic_ml_per_s: f64,
    /// Share of the suspension as drawn up, 0 to 1.
    pub strength: f64,
    /// Sheath that devices are entered at, from 0.
    pub access: u8,
    /// Pledget to cut, mm.
    pub pledget_mm: f64,
    /// Injector: rate mL/s, volume mL, rise s, delay s, limit psi.
    pub injector: [f64; 5],
    /// Clicking a pedal latches it.
    pub latch: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            feed_mm_per_s: 20.0,
            spin_deg_per_s: 90.0,
            fluid: Fluid::Contrast,
            fill_ml: 10.0,
            puff_ml_per_s: 2.0,
            embolic_ml_per_s: 0.1,
            strength: 1.0,
            access: 0,
            pledget_mm: 1.0,
            injector: [3.0, 9.0, 0.5, 1.0, 600.0],
            latch: false,
        }
    }
}

/// All that the panels push.
#[derive(Clone, Debug, PartialEq)]
pub struct Out {
    /// Commands, in order.
    pub commands: Vec<Command>,
    /// Held controls of the mouse; cleared before each frame.
    pub held: Held,
    /// Strokes since the last frame.
    pub strokes: Vec<Stroke>,
    /// Wishes.
    pub ui: Vec<UiAction>,
    /// Entries; they stay.
    pub form: Form,
    /// Where the live picture was drawn last, points.
    pub live_rect: Rect,
}

impl Default for Out {
    fn default() -> Self {
        Self {
            commands: Vec::new(),
            held: Held::default(),
            strokes: Vec::new(),
            ui: Vec::new(),
            form: Form::default(),
            live_rect: Rect::ZERO,
        }
    }
}
