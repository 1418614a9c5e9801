//! Steps that leave something behind: coils, plugs, pledgets.

use super::driver::{Bench, Progress};
use super::motion::{self, Outcome};
use super::types::Step;
use crate::sim::command::{Command, ToolId};

/// From this far inside the catheter's tip on the hand is slow, mm.
const NEAR_TIP_MM: f64 = 8.0;
/// In the lumen the hand is quick, mm/s.
const LUMEN_MM_PER_S: f64 = 80.0;
/// A joint this far outside the catheter is clear of it, mm.
const CLEAR_MM: f64 = 0.5;
/// Rest before a detachable one is detached and after it, s.
const SETTLE_S: f64 = 1.0;

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    match step {
        Step::DeployCoil { tool, through, speed_mm_per_s, stop_force_n, timeout_s } => {
            deploy(tool, through, speed_mm_per_s.abs(), *stop_force_n, *timeout_s, b)
        }
        Step::Pledget { through, diameter_mm } => {
            let tool = b.tool(through)?;
            b.hands.send(Command::DropPledget { tool, diameter_mm: *diameter_mm });
            Ok(Progress::Done)
        }
        _ => Ok(Progress::Done),
    }
}

const ENTER: u32 = 0;
const FEED: u32 = 1;
const REST: u32 = 2;
const DETACH: u32 = 3;
const BACK: u32 = 4;

/// Enters a coil or plug, pushes it out of the catheter, detaches it if need be, and takes the pusher off.
fn deploy(
    id: &str,
    through: &str,
    speed_mm_per_s: f64,
    stop_force_n: f64,
    timeout_s: f64,
    b: &mut Bench<'_>,
) -> Outcome {
    let (tool, catheter) = (b.tool(id)?, b.tool(through)?);
    if b.step_time_s() > timeout_s {
        return Err(format!("`{id}` was not placed within {timeout_s:.0} s"));
    }
    let carrier_mm = b.percept.tools.get(catheter.idx()).filter(|t| t.loaded).map(|t| t.inserted_mm);
    let carrier_mm = carrier_mm.ok_or_else(|| format!("`{through}` is not in"))?;
    // The phases belong to entering and taking off; the parts are counted beside them.
    match b.work.tries {
        ENTER => {
            if let Progress::Done = motion::load(id, 0, b)? {
                part(FEED, b);
            }
            // The beginning of the next part counts from here.
            b.work.base_mm = None;
            Ok(Progress::Running)
        }
        FEED => feed(id, tool, carrier_mm, speed_mm_per_s, stop_force_n, b),
        REST => {
            if b.phase_time_s() > SETTLE_S {
                b.hands.send(Command::Detach { tool });
                part(DETACH, b);
            }
            Ok(Progress::Running)
        }
        DETACH => {
            if b.phase_time_s() > SETTLE_S {
                if !b.percept.tools.get(tool.idx()).is_some_and(|t| t.has_shed) {
                    return Err(format!("`{id}` did not part from its pusher"));
                }
                part(BACK, b);
            }
            Ok(Progress::Running)
        }
        _ => motion::take_off(id, LUMEN_MM_PER_S, timeout_s, true, b),
    }
}

fn part(number: u32, b: &mut Bench<'_>) {
    b.work.tries = number;
    b.go(0);
}

/// Quick through the lumen, slow and under the beam from the tip on, until it is free or its joint has come out.
fn feed(
    id: &str,
    tool: ToolId,
    carrier_mm: f64,
    speed_mm_per_s: f64,
    stop_force_n: f64,
    b: &mut Bench<'_>,
) -> Outcome {
    let Some(t) = b.percept.tools.get(tool.idx()).filter(|t| t.loaded) else {
        return Err(format!("`{id}` is not in"));
    };
    if t.has_shed {
        part(BACK, b);
        return Ok(Progress::Running);
    }
    if t.implant_mm <= 0.0 {
        return Err(format!("`{id}` has nothing to leave behind"));
    }
    let joint_out_mm = t.inserted_mm - t.implant_mm - carrier_mm;
    if t.is_detachable && joint_out_mm >= CLEAR_MM {
        part(REST, b);
        return Ok(Progress::Running);
    }
    if t.hub_force_n > stop_force_n {
        return Err(format!("`{id}` does not go on: {:.2} N at the hub", t.hub_force_n));
    }
    if t.inserted_mm < carrier_mm - NEAR_TIP_MM {
        b.hands.feed(tool, LUMEN_MM_PER_S, true, b.percept.time_s);
    } else {
        b.hands.feed(tool, speed_mm_per_s, false, b.percept.time_s);
    }
    Ok(Progress::Running)
}
