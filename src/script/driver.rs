//! Runs a script against snapshots: one step after the other, each a small state machine over percepts.

use super::hands::Hands;
use super::load::{ScriptError, check_names};
use super::percept::{Eye, Percept};
use super::types::{Script, Step};
use super::{dilate, embolize, inject, motion, select, steer};
use crate::anatomy::{VesselId, VesselTree};
use crate::math::rng::{ChaCha8Rng, Stream, stream, uniform};
use crate::scenario::Case;
use crate::sim::command::{Command, ToolId};
use crate::sim::snapshot::Snapshot;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;

/// Steps that take no time are done in the same tick, at most this many.
const STEPS_PER_TICK: usize = 16;
/// The table follows when the tip lies farther out than this share of the half field.
const FOLLOW_SHARE: f64 = 0.6;
/// The table is sent again after this time at the earliest, s.
const FOLLOW_PAUSE_S: f64 = 0.5;
/// A tip this deep in the lumen around it is not watched, mm.
const HIDDEN_MM: f64 = 5.0;
/// A tip this deep in the lumen around it is moved quickly, mm and mm/s.
const DEEP_IN_LUMEN_MM: f64 = 40.0;
const LUMEN_MM_PER_S: f64 = 80.0;
/// Seed of an unsteady hand; scripts are the same each time.
const TREMOR_SEED: u64 = 1;

/// How a step stands.
pub(super) enum Progress {
    Running,
    Done,
    Failed(String),
}

/// Memory of the step at work.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Work {
    /// When the step began, s.
    pub began_s: f64,
    /// Which part of it.
    pub phase: u32,
    /// When the part began, s.
    pub phase_s: f64,
    /// Length inserted when the step or attempt began, mm.
    pub base_mm: Option<f64>,
    /// Angle to be reached, degrees.
    pub goal_deg: f64,
    /// Direction of the tip when the step began, degrees.
    pub base_direction_deg: Option<f64>,
    /// Attempts made, and those of them at the present mouth.
    pub tries: u32,
    pub tries_here: u32,
    /// Turns of the present aim.
    pub turns: u32,
    /// Nearest that the tip came to the origin in this attempt, mm, and the length inserted there.
    pub nearest: Option<(f64, f64)>,
    /// Where the tip was last seen to move: inserted length, picture point.
    pub moved_at: Option<(f64, [f64; 2])>,
    /// Best direction found so far: error, degrees, and the hub angle there.
    pub best: Option<(f64, f64)>,
    /// Vessel that the tip was in when the step, and when the try began.
    pub from: Option<(VesselId, VesselId)>,
    /// Length inserted of the catheter that leads, when the step began, mm.
    pub held_mm: Option<f64>,
    /// Volume given when the puff began, mL.
    pub volume_ml: f64,
    /// Volume given when the step began, mL.
    pub begun_ml: Option<f64>,
    /// Overshoot of an unsteady hand, mm.
    pub overshoot_mm: f64,
}

impl Work {
    /// Goes to another part of the step.
    pub(super) fn go(&mut self, phase: u32, now_s: f64) {
        self.phase = phase;
        self.phase_s = now_s;
    }
}

/// What a step works with.
pub(super) struct Bench<'a> {
    pub percept: &'a Percept,
    pub tree: &'a VesselTree,
    pub hands: &'a mut Hands,
    pub work: &'a mut Work,
    pub ids: &'a [String],
}

impl Bench<'_> {
    pub(super) fn now_s(&self) -> f64 {
        self.percept.time_s
    }

    /// Time in the present part of the step, s.
    pub(super) fn phase_time_s(&self) -> f64 {
        self.now_s() - self.work.phase_s
    }

    /// Time in the step, s.
    pub(super) fn step_time_s(&self) -> f64 {
        self.now_s() - self.work.began_s
    }

    /// Feeds a tool in this tick. In a lumen there is nothing to see: no beam, and the hand is quick.
    pub(super) fn feed(&mut self, tool: ToolId, speed_mm_per_s: f64, blind: bool) {
        let covered_mm =
            self.percept.tools.get(tool.idx()).map_or(0.0, super::percept::ToolPercept::covered_mm);
        let is_deep = covered_mm > DEEP_IN_LUMEN_MM;
        let speed = if is_deep { speed_mm_per_s.abs().max(LUMEN_MM_PER_S) } else { speed_mm_per_s.abs() };
        let hidden = covered_mm > HIDDEN_MM;
        self.hands.feed(tool, speed.copysign(speed_mm_per_s), blind || hidden, self.percept.time_s);
    }

    pub(super) fn go(&mut self, phase: u32) {
        let now = self.now_s();
        self.work.go(phase, now);
    }

    /// Id of a device; names were checked when the driver was made, so a stranger is only possible for another tray.
    pub(super) fn tool(&self, id: &str) -> Result<ToolId, String> {
        let found = self.ids.iter().position(|t| t == id);
        found.map(|i| ToolId(i as u8)).ok_or_else(|| format!("`{id}` is not on the tray"))
    }

    pub(super) fn vessel(&self, name: &str) -> Result<VesselId, String> {
        self.tree.find(name).ok_or_else(|| format!("there is no vessel `{name}`"))
    }
}

/// A scripted operator at work: ask [`Driver::next`] each tick for the commands of the next.
#[derive(Clone, Debug)]
pub struct Driver {
    script: Script,
    eye: Eye,
    hands: Hands,
    work: Work,
    index: usize,
    is_begun: bool,
    label: String,
    failed: Option<String>,
    rng: ChaCha8Rng,
    /// Device that moved last, for the table to follow.
    moving: Option<ToolId>,
    panned_s: f64,
    ids: Vec<String>,
}

impl Driver {
    /// A driver for a script in a case; names are checked.
    pub fn new(script: Script, tree: &VesselTree, case: &Case) -> Result<Self, ScriptError> {
        check_names(&script, tree, case)?;
        Ok(Self {
            script,
            eye: Eye::new(tree),
            hands: Hands::default(),
            work: Work::default(),
            index: 0,
            is_begun: false,
            label: String::new(),
            failed: None,
            rng: stream(TREMOR_SEED, Stream::World),
            moving: None,
            panned_s: f64::NEG_INFINITY,
            ids: Vec::new(),
        })
    }

    /// Perceives one tick and decides; `frame_available`: a picture was shown in this tick.
    pub fn next(&mut self, snap: &Snapshot, frame_available: bool) -> Vec<Command> {
        self.eye.look(snap, frame_available);
        if self.ids.len() != snap.tools.len() {
            self.ids = snap.tools.iter().map(|t| t.id.clone()).collect();
        }
        self.hands.release(snap.tools.len());
        for _ in 0..STEPS_PER_TICK {
            if self.finished() || self.failed.is_some() {
                break;
            }
            if !self.is_begun {
                self.begin(snap.time_s);
            }
            match self.act() {
                Progress::Running => break,
                Progress::Done => self.advance(snap.tools.len()),
                Progress::Failed(why) => {
                    let heading =
                        if self.label.is_empty() { String::new() } else { format!(" ({})", self.label) };
                    self.failed = Some(format!("step {}{heading}: {why}", self.index + 1));
                    self.hands.release(snap.tools.len());
                }
            }
        }
        if self.script.follow_tip {
            self.follow_tip();
        }
        self.hands.commands(snap.time_s)
    }

    /// All steps are done.
    pub fn finished(&self) -> bool {
        self.index >= self.script.steps.len()
    }

    /// The step that could not be done, and why.
    pub fn failed(&self) -> Option<String> {
        self.failed.clone()
    }

    /// Heading of the part of the script at work.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Number of the step at work, from 0.
    pub fn step_index(&self) -> usize {
        self.index
    }

    /// Steps of the script.
    pub fn step_count(&self) -> usize {
        self.script.steps.len()
    }

    /// What the operator perceives.
    pub fn percept(&self) -> &Percept {
        self.eye.percept()
    }

    fn begin(&mut self, now_s: f64) {
        self.is_begun = true;
        let overshoot_mm = self.script.tremor_mm * uniform(&mut self.rng);
        self.work = Work { began_s: now_s, phase_s: now_s, overshoot_mm, ..Work::default() };
    }

    fn advance(&mut self, tools: usize) {
        self.index += 1;
        self.is_begun = false;
        self.hands.release(tools);
    }

    fn act(&mut self) -> Progress {
        let Some(step) = self.script.steps.get(self.index) else { return Progress::Done };
        if let Step::Label(text) = step {
            self.label.clone_from(text);
            return Progress::Done;
        }
        let mut bench = Bench {
            percept: self.eye.percept(),
            tree: self.eye.tree(),
            hands: &mut self.hands,
            work: &mut self.work,
            ids: &self.ids,
        };
        let (moving, progress) = match step {
            Step::Select { tool, .. } | Step::Point { tool, .. } => {
                (Some(tool), select::act(step, &mut bench))
            }
            Step::Aim { tool, .. } | Step::Engage { tool, .. } | Step::Steer { tool, .. } => {
                (Some(tool), steer::act(step, &mut bench))
            }
            Step::Run { .. } | Step::Puff { .. } | Step::EmbolizeUntil { .. } | Step::Embolize { .. } => {
                (None, inject::act(step, &mut bench))
            }
            Step::DeployCoil { tool, .. } => (Some(tool), embolize::act(step, &mut bench)),
            Step::Pledget { .. } => (None, embolize::act(step, &mut bench)),
            Step::Inflate { .. } | Step::Deflate { .. } | Step::Unsheathe { .. } => {
                (None, dilate::act(step, &mut bench))
            }
            Step::Advance { tool, .. }
            | Step::Withdraw { tool, .. }
            | Step::FollowOverWire { tool, .. }
            | Step::Rotate { tool, .. } => (Some(tool), motion::act(step, &mut bench)),
            _ => (None, motion::act(step, &mut bench)),
        };
        // A pan would spoil the roadmap that a selection is made on: objects at other depths shift against it.
        let follows = !matches!(step, Step::Select { .. });
        self.moving = moving.filter(|_| follows).and_then(|id| bench.tool(id).ok());
        progress.unwrap_or_else(Progress::Failed)
    }

    /// Keeps the moving tip in the middle part of the picture by panning the table.
    fn follow_tip(&mut self) {
        let p = self.eye.percept();
        let Some(seen) = self.moving.and_then(|t| p.tools.get(t.idx())).and_then(|t| t.seen.as_ref()) else {
            return;
        };
        if p.time_s - self.panned_s < FOLLOW_PAUSE_S || p.arm_moves || !p.fresh {
            return;
        }
        let goal = motion::center_on(&p.arm, seen.tip());
        let open = p.arm.blades.iter().copied().fold(1.0, f64::min);
        let half_mm = 0.5 * open * p.arm.field_side_mm() * SOURCE_ISOCENTER_MM / p.arm.sid_mm;
        if (goal - p.arm.isocenter_mm).norm() > FOLLOW_SHARE * half_mm || !seen.tip_visible {
            self.panned_s = p.time_s;
            self.hands.send(Command::SetTable { isocenter_mm: [goal.x, goal.y, goal.z] });
        }
    }
}
