//! From what is held to commands: only changes are sent; letting go sends the zero.

use std::collections::BTreeMap;

use super::out::{Held, Stroke};
use crate::sim::command::Pedal;
use crate::sim::exposure::{MAX_CRADLE_DEG, MAX_TILT_DEG};
use crate::sim::{Command, Snapshot, ToolId};
use crate::xray::CArm;

/// Limits of the C-arm, degrees: primary, secondary.
pub const ARM_LIMIT_DEG: [f64; 2] = [120.0, 45.0];
/// Shortest and longest source to image distance, mm.
pub const SID_RANGE_MM: [f64; 2] = [900.0, 1200.0];
/// Field diagonals, mm.
pub const FIELDS_MM: [f64; 6] = [480.0, 420.0, 320.0, 220.0, 160.0, 110.0];
/// How far the table floats from the middle, mm.
pub const TABLE_LIMIT_MM: f64 = 600.0;

/// How far table and patient are lifted or lowered from the middle, mm `[K]`.
pub const HEIGHT_LIMIT_MM: f64 = 150.0;

/// Limits of the commands.
const FEED_LIMIT_MM_PER_S: f64 = 100.0;
const SPIN_LIMIT_DEG_PER_S: f64 = 360.0;
/// A stroke is handed over within about this time, s.
const STROKE_TIME_S: f64 = 0.08;

/// What was sent last, and what of the strokes is still to be done.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    sent: Held,
    feeds: BTreeMap<ToolId, f64>,
    spins: BTreeMap<ToolId, f64>,
    backlog: BTreeMap<ToolId, [f64; 2]>,
}

impl Controls {
    /// Adds a stroke of the mouse, done by and by.
    pub fn stroke(&mut self, stroke: Stroke) {
        let b = self.backlog.entry(stroke.tool).or_default();
        b[0] += stroke.feed_mm;
        b[1] += stroke.spin_deg;
    }

    /// Commands that bring the simulation from what was held to what is held; `dt_s` is the time since the last call.
    pub fn update(&mut self, held: &Held, snapshot: &Snapshot, dt_s: f64) -> Vec<Command> {
        let mut out = Vec::new();
        self.tools(held, dt_s, &mut out);
        let sheaths = held.sheath_mm_per_s.keys().chain(self.sent.sheath_mm_per_s.keys());
        for tool in sheaths.copied().collect::<std::collections::BTreeSet<_>>() {
            let speed = |h: &Held| h.sheath_mm_per_s.get(&tool).copied().unwrap_or(0.0);
            if differs(speed(held), speed(&self.sent)) {
                out.push(Command::PullSheath { tool, speed_mm_per_s: speed(held) });
            }
        }
        if held.pedal != self.sent.pedal {
            out.push(Command::SetPedal(held.pedal));
        }
        if differs(held.hand_injection_ml_per_s, self.sent.hand_injection_ml_per_s) {
            out.push(Command::SetHandInjection(held.hand_injection_ml_per_s));
        }
        let arm = &snapshot.xray.arm;
        if held.arm != self.sent.arm {
            out.push(arm_towards(arm, held.arm));
        }
        if held.table != self.sent.table || differs(held.lift, self.sent.lift) {
            out.push(table_towards(arm, held.table, held.lift));
        }
        if held.tilt != self.sent.tilt {
            out.push(tilt_towards(arm, held.tilt));
        }
        if differs(held.sid, self.sent.sid) {
            let target = if held.sid > 0.0 {
                SID_RANGE_MM[1]
            } else if held.sid < 0.0 {
                SID_RANGE_MM[0]
            } else {
                arm.sid_mm
            };
            out.push(Command::SetSid(target));
        }
        self.sent = held.clone();
        out
    }

    /// Lets everything go: pedal, injection, hands, table and arm (focus lost, dialog, pause).
    pub fn release(&mut self, snapshot: &Snapshot) -> Vec<Command> {
        self.backlog.clear();
        self.update(&Held::default(), snapshot, 1.0 / 60.0)
    }

    /// Nothing is held and no stroke is left to do.
    pub fn is_at_rest(&self) -> bool {
        self.sent == Held::default()
            && self.backlog.is_empty()
            && self.feeds.is_empty()
            && self.spins.is_empty()
    }

    /// A tool is being moved.
    pub fn moves_tools(&self) -> bool {
        !self.feeds.is_empty() || !self.spins.is_empty()
    }

    fn tools(&mut self, held: &Held, dt_s: f64, out: &mut Vec<Command>) {
        let mut feeds = held.feed_mm_per_s.clone();
        let mut spins = held.spin_deg_per_s.clone();
        let share = (dt_s / STROKE_TIME_S).min(1.0);
        for (tool, left) in &mut self.backlog {
            let step = [
                (left[0] * share).clamp(-FEED_LIMIT_MM_PER_S * dt_s, FEED_LIMIT_MM_PER_S * dt_s),
                (left[1] * share).clamp(-SPIN_LIMIT_DEG_PER_S * dt_s, SPIN_LIMIT_DEG_PER_S * dt_s),
            ];
            if step[0].abs() > 0.0 {
                *feeds.entry(*tool).or_default() += step[0] / dt_s.max(1e-4);
            }
            if step[1].abs() > 0.0 {
                *spins.entry(*tool).or_default() += step[1] / dt_s.max(1e-4);
            }
            left[0] -= step[0];
            left[1] -= step[1];
            for l in left.iter_mut() {
                if l.abs() < 1e-2 {
                    *l = 0.0;
                }
            }
        }
        self.backlog.retain(|_, l| l.iter().any(|l| l.abs() > 0.0));
        let feed = |tool, speed| Command::SetFeed { tool, speed_mm_per_s: speed };
        let spin = |tool, rate| Command::SetSpin { tool, rate_deg_per_s: rate };
        diff(&mut self.feeds, &feeds, FEED_LIMIT_MM_PER_S, feed, out);
        diff(&mut self.spins, &spins, SPIN_LIMIT_DEG_PER_S, spin, out);
    }
}

/// Sends changed entries and zeros for those that are gone.
fn diff(
    sent: &mut BTreeMap<ToolId, f64>,
    now: &BTreeMap<ToolId, f64>,
    limit: f64,
    command: impl Fn(ToolId, f64) -> Command,
    out: &mut Vec<Command>,
) {
    for tool in sent.keys() {
        if !now.contains_key(tool) {
            out.push(command(*tool, 0.0));
        }
    }
    let mut next = BTreeMap::new();
    for (tool, value) in now {
        let value = value.clamp(-limit, limit);
        if sent.get(tool).is_none_or(|s| differs(*s, value)) {
            out.push(command(*tool, value));
        }
        next.insert(*tool, value);
    }
    *sent = next;
}

fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-9
}

/// The end of the way in a direction, or where it is now.
fn target(now: f64, direction: f64, limit: f64) -> f64 {
    if direction.abs() > 0.0 { direction.signum() * limit } else { now }
}

fn arm_towards(arm: &CArm, direction: [f64; 2]) -> Command {
    Command::SetAngles {
        primary_deg: target(arm.primary_deg, direction[0], ARM_LIMIT_DEG[0]),
        secondary_deg: target(arm.secondary_deg, direction[1], ARM_LIMIT_DEG[1]),
    }
}

fn tilt_towards(arm: &CArm, direction: [f64; 2]) -> Command {
    Command::SetTilt {
        head_up_deg: target(arm.table_tilt_deg, direction[0], MAX_TILT_DEG),
        left_up_deg: target(arm.table_cradle_deg, direction[1], MAX_CRADLE_DEG),
    }
}

/// A patient who is lifted has the isocenter farther back.
fn table_towards(arm: &CArm, direction: [f64; 2], lift: f64) -> Command {
    let at = arm.isocenter_mm;
    let [x, z] = direction.map(|d| d * TABLE_LIMIT_MM);
    Command::SetTable { isocenter_mm: [at.x + x, target(at.y, lift, HEIGHT_LIMIT_MM), at.z + z] }
}

/// The pedal that stays down by itself: after ten seconds without a moving tool it lets go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latch {
    /// Pedal.
    pub pedal: Pedal,
    /// Seconds left.
    pub left_s: f64,
}

impl Latch {
    /// Seconds without a moving tool after which it lets go.
    pub const LIMIT_S: f64 = 10.0;

    /// Latches a pedal, or lets go if it is latched already.
    pub fn toggle(&mut self, pedal: Pedal) {
        let pedal = if self.pedal == pedal { Pedal::Off } else { pedal };
        *self = Self { pedal, left_s: Self::LIMIT_S };
    }

    /// Time passes.
    pub fn advance(&mut self, dt_s: f64, tools_move: bool) {
        self.left_s = if tools_move { Self::LIMIT_S } else { self.left_s - dt_s };
        if self.left_s <= 0.0 {
            self.pedal = Pedal::Off;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_key_sends_one_command_and_letting_go_sends_zero() {
        let mut controls = Controls::default();
        let snapshot = Snapshot::default();
        let mut held = Held::default();
        held.feed_mm_per_s.insert(ToolId(2), 20.0);
        let set = |speed| Command::SetFeed { tool: ToolId(2), speed_mm_per_s: speed };
        assert_eq!(controls.update(&held, &snapshot, 0.016), [set(20.0)]);
        assert!(controls.update(&held, &snapshot, 0.016).is_empty());
        assert_eq!(controls.update(&Held::default(), &snapshot, 0.016), [set(0.0)]);
        assert!(controls.is_at_rest());
    }

    #[test]
    fn release_lets_go_of_all_that_was_held() {
        let mut controls = Controls::default();
        let snapshot = Snapshot::default();
        let mut held =
            Held { pedal: Pedal::Fluoro, hand_injection_ml_per_s: 2.0, arm: [1.0, 0.0], ..Held::default() };
        held.spin_deg_per_s.insert(ToolId(0), 90.0);
        controls.update(&held, &snapshot, 0.016);
        controls.stroke(Stroke { tool: ToolId(0), feed_mm: 30.0, spin_deg: 0.0 });
        let released = controls.release(&snapshot);
        assert!(released.contains(&Command::SetPedal(Pedal::Off)));
        assert!(released.contains(&Command::SetHandInjection(0.0)));
        assert!(released.contains(&Command::SetSpin { tool: ToolId(0), rate_deg_per_s: 0.0 }));
        assert!(released.iter().any(|c| matches!(c, Command::SetAngles { .. })));
        assert!(controls.is_at_rest());
    }

    #[test]
    fn held_height_and_tilt_go_to_their_ends_and_stop_where_they_are() {
        let mut controls = Controls::default();
        let mut snapshot = Snapshot::default();
        let held = Held { lift: 1.0, tilt: [-1.0, 0.0], ..Held::default() };
        let sent = controls.update(&held, &snapshot, 0.016);
        assert_eq!(
            sent,
            [
                Command::SetTable { isocenter_mm: [0.0, HEIGHT_LIMIT_MM, 0.0] },
                Command::SetTilt { head_up_deg: -MAX_TILT_DEG, left_up_deg: 0.0 },
            ]
        );
        snapshot.xray.arm.isocenter_mm.y = 20.0;
        snapshot.xray.arm.table_tilt_deg = -4.5;
        assert_eq!(
            controls.update(&Held::default(), &snapshot, 0.016),
            [
                Command::SetTable { isocenter_mm: [0.0, 20.0, 0.0] },
                Command::SetTilt { head_up_deg: -4.5, left_up_deg: 0.0 },
            ]
        );
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "prints its residual")]
    fn a_stroke_moves_its_length_at_any_frame_rate() {
        for fps in [20.0, 60.0, 144.0] {
            let mut controls = Controls::default();
            let dt = 1.0 / fps;
            controls.stroke(Stroke { tool: ToolId(1), feed_mm: 5.0, spin_deg: -45.0 });
            let (mut feed, mut spin, mut moved, mut turned) = (0.0, 0.0, 0.0, 0.0);
            for _ in 0..200 {
                for command in controls.update(&Held::default(), &Snapshot::default(), dt) {
                    match command {
                        Command::SetFeed { speed_mm_per_s, .. } => feed = speed_mm_per_s,
                        Command::SetSpin { rate_deg_per_s, .. } => spin = rate_deg_per_s,
                        other => panic!("{other:?}"),
                    }
                }
                moved += feed * dt;
                turned += spin * dt;
            }
            println!("fps {fps}: moved {moved:.4} mm, turned {turned:.3} degrees");
            assert!((moved - 5.0).abs() < 0.02 && controls.is_at_rest());
            assert!((turned + 45.0).abs() < 0.02);
        }
    }

    #[test]
    fn the_latch_lets_go_after_ten_seconds_at_rest() {
        let mut latch = Latch::default();
        latch.toggle(Pedal::Fluoro);
        latch.advance(9.0, false);
        latch.advance(0.5, true);
        latch.advance(9.9, false);
        assert_eq!(latch.pedal, Pedal::Fluoro);
        latch.advance(0.2, false);
        assert_eq!(latch.pedal, Pedal::Off);
    }
}
