//! Steps of balloons and stents: inflate, deflate, withdraw the sheath of a stent.

use super::driver::{Bench, Progress};
use super::motion::Outcome;
use super::types::Step;
use crate::sim::command::{Command, ToolId};

/// The gauge is there when it stands this near, atm.
const NEAR_ATM: f64 = 0.3;
/// Pressure of a drawn-back inflator, atm.
const DRAWN_BACK_ATM: f64 = -0.9;

const BEGIN: u32 = 0;
const RISE: u32 = 1;
const HOLD: u32 = 2;

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    match step {
        Step::Inflate { tool, atm, hold_s, timeout_s } => inflate(tool, *atm, *hold_s, *timeout_s, b),
        Step::Deflate { tool, timeout_s } => deflate(tool, *timeout_s, b),
        Step::Unsheathe { tool, speed_mm_per_s, timeout_s } => {
            unsheathe(tool, speed_mm_per_s.abs(), *timeout_s, b)
        }
        _ => Ok(Progress::Done),
    }
}

fn in_time(id: &str, timeout_s: f64, what: &str, b: &Bench<'_>) -> Result<ToolId, String> {
    if b.step_time_s() > timeout_s {
        return Err(format!("`{id}` was not {what} within {timeout_s:.0} s"));
    }
    let tool = b.tool(id)?;
    let is_in = b.percept.tools.get(tool.idx()).is_some_and(|t| t.loaded);
    if is_in { Ok(tool) } else { Err(format!("`{id}` is not in")) }
}

/// Follows the gauge to the pressure under the beam, then holds it for a time.
fn inflate(id: &str, atm: f64, hold_s: f64, timeout_s: f64, b: &mut Bench<'_>) -> Outcome {
    let tool = in_time(id, timeout_s + hold_s, "inflated", b)?;
    let gauge = b.percept.tools.get(tool.idx()).and_then(|t| t.gauge_atm);
    match b.work.phase {
        BEGIN => {
            if b.hands.beam(b.percept.time_s) {
                b.hands.send(Command::SetInflation { tool, atm });
                b.go(RISE);
            }
        }
        RISE => {
            b.hands.beam(b.percept.time_s);
            if gauge.is_some_and(|g| (g - atm).abs() < NEAR_ATM) {
                b.go(HOLD);
            }
        }
        _ => {
            if gauge.is_none_or(|g| g < 0.5 * atm) {
                return Err(format!("`{id}` does not hold its pressure"));
            }
            if b.phase_time_s() >= hold_s {
                return Ok(Progress::Done);
            }
        }
    }
    Ok(Progress::Running)
}

/// Draws back and waits until the balloon is flat.
fn deflate(id: &str, timeout_s: f64, b: &mut Bench<'_>) -> Outcome {
    let tool = in_time(id, timeout_s, "deflated", b)?;
    if b.work.phase == BEGIN {
        b.hands.send(Command::SetInflation { tool, atm: DRAWN_BACK_ATM });
        b.go(RISE);
        return Ok(Progress::Running);
    }
    let is_flat = b.percept.tools.get(tool.idx()).is_some_and(|t| t.is_flat);
    Ok(if is_flat { Progress::Done } else { Progress::Running })
}

/// Withdraws the sheath under the beam until the stent is off.
fn unsheathe(id: &str, speed_mm_per_s: f64, timeout_s: f64, b: &mut Bench<'_>) -> Outcome {
    let tool = in_time(id, timeout_s, "released", b)?;
    if b.percept.tools.get(tool.idx()).is_some_and(|t| t.stent_is_off) {
        return Ok(Progress::Done);
    }
    if b.hands.beam(b.percept.time_s) && b.work.phase == BEGIN {
        b.hands.send(Command::PullSheath { tool, speed_mm_per_s });
        b.go(RISE);
    }
    Ok(Progress::Running)
}
