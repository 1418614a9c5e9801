//! Steps that move devices, table and arm.

use super::driver::{Bench, Progress};
use super::percept::Point2;
use super::see::{angle_between_deg, depth_in, distance_to_place};
use super::steer::is_in;
use super::types::{Step, Until};
use crate::math::Vec3;
use crate::sim::command::{Command, Pedal, ToolId};
use crate::xray::CArm;

/// A request (load, take off) is repeated after this time, s.
const REPEAT_S: f64 = 1.0;
/// A device drawn back that has not moved for this long is out, s.
const AT_HUB_S: f64 = 0.2;
/// A device that is not entered after this time was refused, s.
const REFUSED_S: f64 = 6.0;
/// Arm and table are given this long to start moving, s.
const ARM_START_S: f64 = 0.15;
/// Length of tip whose direction is judged, mm.
pub(super) const TIP_STRETCH_MM: f64 = 12.0;

pub(super) type Outcome = Result<Progress, String>;

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    match step {
        Step::Wait(s) => Ok(if b.step_time_s() >= *s { Progress::Done } else { Progress::Running }),
        Step::Screen(s) => {
            b.hands.beam(b.percept.time_s);
            Ok(if b.step_time_s() >= *s { Progress::Done } else { Progress::Running })
        }
        Step::SkipTime(s) => Ok(skip(*s, b)),
        Step::Aspirate { through, for_s } => aspirate(through, *for_s, b),
        Step::Load(id) => load(id, 0, b),
        Step::LoadAt { tool, access } => load(tool, *access, b),
        Step::TakeOff { tool, speed_mm_per_s, timeout_s, blind } => {
            take_off(tool, *speed_mm_per_s, *timeout_s, *blind, b)
        }
        Step::Advance { tool, until, speed_mm_per_s, timeout_s, blind } => {
            move_until(tool, until, speed_mm_per_s.abs(), *timeout_s, *blind, b)
        }
        Step::Withdraw { tool, until, speed_mm_per_s, timeout_s, blind } => {
            move_until(tool, until, -speed_mm_per_s.abs(), *timeout_s, *blind, b)
        }
        Step::FollowOverWire { tool, wire, stop_behind_mm, speed_mm_per_s, timeout_s, blind } => {
            let until = Until::Behind { tool: wire.clone(), mm: *stop_behind_mm };
            move_until(tool, &until, speed_mm_per_s.abs(), *timeout_s, *blind, b)
        }
        Step::Rotate { tool, by_deg, rate_deg_per_s } => {
            let tool = b.tool(tool)?;
            Ok(rotate(tool, *by_deg, *rate_deg_per_s, b))
        }
        Step::Arm { .. } | Step::Table(..) | Step::CenterOnTip(_) => room(step, b),
        _ => at_once(step, b),
    }
}

/// Steps that are one command.
fn at_once(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let command = match step {
        Step::Hold { tool, hold } => Command::SetHold { tool: b.tool(tool)?, hold: *hold },
        Step::Field(cm) => Command::SetField(10.0 * cm),
        Step::Blades(left, right, bottom, top) => Command::SetBlades([*left, *right, *bottom, *top]),
        Step::PulseRate(rate) => Command::SetPulseRate(*rate),
        Step::Flush(tool) => {
            let tool = b.tool(tool)?;
            b.hands.send(Command::Connect { tool });
            Command::Flush
        }
        Step::Give { drug, dose } => Command::Give { drug: drug.clone(), dose: *dose },
        Step::Do(command) => command.clone(),
        Step::Finish => Command::Finish,
        _ => return Ok(Progress::Done),
    };
    b.hands.send(command);
    Ok(Progress::Done)
}

fn aspirate(id: &str, for_s: f64, b: &mut Bench<'_>) -> Outcome {
    let tool = b.tool(id)?;
    if b.work.phase == 0 {
        b.hands.send(Command::Aspirate(Some(tool)));
        b.go(1);
    } else if b.phase_time_s() >= for_s {
        b.hands.send(Command::Aspirate(None));
        return Ok(Progress::Done);
    }
    Ok(Progress::Running)
}

/// Asks for the time to pass, and waits until it has.
fn skip(seconds: f64, b: &mut Bench<'_>) -> Progress {
    if b.work.phase == 0 {
        b.hands.send(Command::SkipTime(seconds));
        b.go(1);
    }
    if b.phase_time_s() >= seconds { Progress::Done } else { Progress::Running }
}

pub(super) fn load(id: &str, rod: u8, b: &mut Bench<'_>) -> Outcome {
    let tool = b.tool(id)?;
    if b.percept.tools.get(tool.idx()).is_some_and(|t| t.loaded) {
        return Ok(Progress::Done);
    }
    if b.step_time_s() > REFUSED_S {
        return Err(format!("`{id}` could not be entered"));
    }
    if b.work.phase == 0 || b.phase_time_s() > REPEAT_S {
        b.hands.send(Command::Load { rod, tool });
        b.go(1);
    }
    Ok(Progress::Running)
}

pub(super) fn take_off(id: &str, speed: f64, timeout_s: f64, blind: bool, b: &mut Bench<'_>) -> Outcome {
    let tool = b.tool(id)?;
    let Some(t) = b.percept.tools.get(tool.idx()).filter(|t| t.loaded) else { return Ok(Progress::Done) };
    if b.step_time_s() > timeout_s {
        return Err(format!(
            "`{id}` did not come out within {timeout_s:.0} s, {:.0} mm are inside",
            t.inserted_mm
        ));
    }
    let inserted_mm = t.inserted_mm;
    b.feed(tool, -speed.abs(), blind);
    // At the hub it comes no farther.
    if b.work.moved_at.is_none_or(|(mm, _)| (mm - inserted_mm).abs() > 1e-3) {
        b.work.moved_at = Some((inserted_mm, Point2::default()));
        b.go(0);
    } else if inserted_mm < 0.5 && b.phase_time_s() > AT_HUB_S {
        b.hands.send(Command::Unload { tool });
        b.go(0);
    }
    Ok(Progress::Running)
}

fn move_until(
    id: &str,
    until: &Until,
    speed: f64,
    timeout_s: f64,
    blind: bool,
    b: &mut Bench<'_>,
) -> Outcome {
    let tool = b.tool(id)?;
    let Some(t) = b.percept.tools.get(tool.idx()).filter(|t| t.loaded) else {
        return Err(format!("`{id}` is not in"));
    };
    if b.work.base_mm.is_none() {
        b.work.base_mm = Some(t.inserted_mm);
    }
    if b.work.base_direction_deg.is_none() {
        b.work.base_direction_deg = t.seen.as_ref().and_then(|s| s.direction_deg(TIP_STRETCH_MM));
    }
    if is_reached(until, tool, speed, b)? {
        return Ok(Progress::Done);
    }
    if b.step_time_s() > timeout_s {
        let (now, was) = (t.inserted_mm, b.work.base_mm.unwrap_or(0.0));
        return Err(format!(
            "`{id}` did not get there within {timeout_s:.0} s ({until:?}; inserted {was:.0} -> {now:.0} mm)"
        ));
    }
    b.feed(tool, speed, blind);
    Ok(Progress::Running)
}

fn is_reached(until: &Until, tool: ToolId, speed: f64, b: &Bench<'_>) -> Result<bool, String> {
    let Some(t) = b.percept.tools.get(tool.idx()) else { return Ok(false) };
    let base = b.work.base_mm.unwrap_or(t.inserted_mm);
    let over = b.work.overshoot_mm;
    Ok(match until {
        Until::Inserted(mm) if speed >= 0.0 => t.inserted_mm >= mm + over,
        Until::Inserted(mm) => t.inserted_mm <= mm - over,
        Until::By(mm) => (t.inserted_mm - base).abs() >= mm + over,
        Until::Behind { tool: other, mm } => {
            let other = b.tool(other)?;
            let Some(o) = b.percept.tools.get(other.idx()).filter(|o| o.loaded) else {
                return Err("the other device is not in".to_owned());
            };
            let behind = o.inserted_mm - t.inserted_mm;
            if speed >= 0.0 { behind <= mm - over } else { behind >= mm + over }
        }
        Until::Seen { vessel, depth_mm } => {
            let vessel = b.vessel(vessel)?;
            let seen = t.seen.as_ref().filter(|_| b.percept.fresh);
            let depth = seen.and_then(|s| depth_in(b.percept, b.tree, s, vessel));
            depth.is_some_and(|d| d >= *depth_mm)
        }
        Until::Near { vessel, fraction, within_mm } => {
            let vessel = b.vessel(vessel)?;
            let seen = t.seen.as_ref().filter(|s| b.percept.fresh && s.tip_visible);
            let d = seen.and_then(|s| distance_to_place(b.percept, s, vessel, *fraction));
            d.is_some_and(|d| d <= *within_mm)
        }
        Until::TipTurned(deg) => {
            let seen = t.seen.as_ref().filter(|s| b.percept.fresh && s.tip_visible);
            let now = seen.and_then(|s| s.direction_deg(TIP_STRETCH_MM));
            b.work.base_direction_deg.zip(now).is_some_and(|(was, now)| angle_between_deg(was, now) >= *deg)
        }
        Until::In { vessel, depth_mm } => {
            let vessel = b.vessel(vessel)?;
            let place = t.lie.as_ref().filter(|_| b.percept.fresh).and_then(|l| l.place);
            place.is_some_and(|p| is_in(b.tree, p, vessel, *depth_mm))
        }
        Until::HubForce(n) => t.hub_force_n.abs() > *n,
        Until::Any(list) => {
            for u in list {
                if is_reached(u, tool, speed, b)? {
                    return Ok(true);
                }
            }
            false
        }
    })
}

/// Turns a hub by an angle; ends exactly on the last tick's rounding.
pub(super) fn rotate(tool: ToolId, by_deg: f64, rate_deg_per_s: f64, b: &mut Bench<'_>) -> Progress {
    let Some(now) = b.percept.tools.get(tool.idx()).map(|t| t.hub_angle_deg) else { return Progress::Done };
    if b.work.phase == 0 {
        b.work.goal_deg = now + by_deg;
        b.go(1);
    }
    let left = b.work.goal_deg - now;
    // Within one tick's turn, or past the goal.
    if left * by_deg.signum() <= rate_deg_per_s.abs() * crate::units::TICK_S {
        return Progress::Done;
    }
    b.hands.spin(tool, rate_deg_per_s.abs() * left.signum(), b.percept.time_s);
    Progress::Running
}

/// Isocenter that puts a point of the picture in its middle: the table moves in the picture's plane.
pub(super) fn center_on(arm: &CArm, at: Point2) -> Vec3 {
    let projection = arm.projection(2);
    let (right, up) = (projection.right, projection.up);
    let iso = arm.isocenter_mm;
    iso + right * (at[0] - iso.dot(&right)) + up * (at[1] - iso.dot(&up))
}

fn room(step: &Step, b: &mut Bench<'_>) -> Outcome {
    if b.work.phase == 0 {
        let command = match step {
            Step::Arm { primary_deg, secondary_deg } => {
                Command::SetAngles { primary_deg: *primary_deg, secondary_deg: *secondary_deg }
            }
            Step::Table(x, y, z) => Command::SetTable { isocenter_mm: [*x, *y, *z] },
            Step::CenterOnTip(id) => {
                let tool = b.tool(id)?;
                let seen = b.percept.tools.get(tool.idx()).and_then(|t| t.seen.as_ref());
                let Some(seen) = seen else { return Ok(look_for(b)) };
                let goal = center_on(&b.percept.arm, seen.tip());
                Command::SetTable { isocenter_mm: [goal.x, goal.y, goal.z] }
            }
            _ => return Ok(Progress::Done),
        };
        b.hands.send(command);
        b.go(1);
    }
    let settled = b.phase_time_s() > ARM_START_S && !b.percept.arm_moves;
    Ok(if settled { Progress::Done } else { Progress::Running })
}

/// A short look for a device that was never seen; gives up after two seconds.
fn look_for(b: &mut Bench<'_>) -> Progress {
    if b.step_time_s() > 2.0 {
        return Progress::Failed("the device is not in the picture".to_owned());
    }
    b.hands.pedal = Pedal::Fluoro;
    Progress::Running
}
