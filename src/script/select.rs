//! The core skill: bringing a tip into a branch by feeding, looking, pulling back and turning.

use super::driver::{Bench, Progress};
use super::motion::{Outcome, TIP_STRETCH_MM};
use super::see::{angle_between_deg, depth_in, distance_to_origin};
use super::types::{Screen, Step};
use crate::anatomy::VesselId;
use crate::sim::command::ToolId;

/// The tip is at the origin when seen this near, mm.
const AT_ORIGIN_MM: f64 = 12.0;
/// The tip has left the way when it was at the origin and is this far from it outside the branch, mm.
const ASTRAY_MM: f64 = 18.0;
/// Fed this far with the tip seen to move less than [`STUCK_TIP_MM`]: it buckles, mm.
const STUCK_FEED_MM: f64 = 25.0;
const STUCK_TIP_MM: f64 = 3.0;
/// Rate of turning in search, degrees/s.
const SEARCH_DEG_PER_S: f64 = 120.0;
/// Rest after a turn so that the tip follows and is seen, s.
const SETTLE_S: f64 = 0.4;
/// Turn between two looks when pointing, degrees.
const POINT_STEP_DEG: f64 = 20.0;

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    match step {
        Step::Point { tool, to, within_deg, timeout_s } => point(tool, *to, *within_deg, *timeout_s, b),
        Step::Select { .. } => select(step, b),
        _ => Ok(Progress::Done),
    }
}

const LOOK: u32 = 0;
const TURN_ON: u32 = 1;
const TURN_LAST: u32 = 2;
const LOOK_LAST: u32 = 3;

/// Turns in steps with a look after each; after a whole turn without success goes back to the best direction seen.
fn point(id: &str, to: Screen, within_deg: f64, timeout_s: f64, b: &mut Bench<'_>) -> Outcome {
    let tool = b.tool(id)?;
    let wanted = match to {
        Screen::Right => 0.0,
        Screen::Up => 90.0,
        Screen::Left => 180.0,
        Screen::Down => -90.0,
    };
    if b.step_time_s() > timeout_s {
        return Err(format!("the tip of `{id}` could not be turned to {to:?} within {timeout_s:.0} s"));
    }
    match b.work.phase {
        LOOK | LOOK_LAST => {
            let ready = b.hands.beam(b.percept.time_s) && b.phase_time_s() > SETTLE_S && b.percept.fresh;
            if !ready {
                return Ok(Progress::Running);
            }
            let Some(t) = b.percept.tools.get(tool.idx()) else { return Ok(Progress::Running) };
            let direction = t.seen.as_ref().and_then(|s| s.direction_deg(TIP_STRETCH_MM));
            let error = direction.map_or(180.0, |d| angle_between_deg(d, wanted));
            if error <= within_deg || b.work.phase == LOOK_LAST {
                return Ok(Progress::Done);
            }
            if b.work.best.is_none_or(|(e, _)| error < e) {
                b.work.best = Some((error, t.hub_angle_deg));
            }
            let is_round = f64::from(b.work.tries) * POINT_STEP_DEG >= 360.0;
            let best_deg = b.work.best.map_or(t.hub_angle_deg, |(_, deg)| deg);
            b.work.goal_deg = if is_round { best_deg } else { t.hub_angle_deg + POINT_STEP_DEG };
            b.work.tries += 1;
            b.go(if is_round { TURN_LAST } else { TURN_ON });
        }
        TURN_LAST => turn_to_goal(tool, b, LOOK_LAST),
        _ => turn_to_goal(tool, b, LOOK),
    }
    Ok(Progress::Running)
}

/// Turns towards the goal angle, then goes to another part.
pub(super) fn turn_to_goal(tool: ToolId, b: &mut Bench<'_>, then: u32) {
    let now = b.percept.tools.get(tool.idx()).map_or(0.0, |t| t.hub_angle_deg);
    let left = b.work.goal_deg - now;
    if left.abs() <= SEARCH_DEG_PER_S * crate::units::TICK_S {
        b.go(then);
    } else {
        b.hands.spin(tool, SEARCH_DEG_PER_S * left.signum(), b.percept.time_s);
    }
}

const FEED: u32 = 0;
const PULL: u32 = 1;
const TURN: u32 = 2;
const SETTLE: u32 = 3;

fn select(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let Step::Select {
        tool,
        into,
        depth_mm,
        tries,
        pull_back_mm,
        turn_deg,
        probe_mm,
        stop_force_n,
        speed_mm_per_s,
        timeout_s,
    } = step
    else {
        return Ok(Progress::Done);
    };
    let (id, vessel) = (b.tool(tool)?, b.vessel(into)?);
    if b.percept.course(vessel).is_none() {
        return Err(format!("`{into}` is not on the roadmap: make a run in this view first"));
    }
    if b.step_time_s() > *timeout_s {
        return Err(format!(
            "`{tool}` did not enter `{into}` within {timeout_s:.0} s, {} attempts",
            b.work.tries + 1
        ));
    }
    let Some(inserted_mm) = b.percept.tools.get(id.idx()).filter(|t| t.loaded).map(|t| t.inserted_mm) else {
        return Err(format!("`{tool}` is not in"));
    };
    let base = *b.work.base_mm.get_or_insert(inserted_mm);
    match b.work.phase {
        FEED => {
            if is_in(id, vessel, *depth_mm, b) {
                return Ok(Progress::Done);
            }
            if is_attempt_over(id, vessel, (base, *probe_mm), *stop_force_n, b) {
                b.work.tries += 1;
                if b.work.tries >= *tries {
                    return Err(format!("`{tool}` did not enter `{into}` in {tries} attempts"));
                }
                b.go(PULL);
            } else {
                b.feed(id, speed_mm_per_s.abs(), false);
            }
        }
        PULL => {
            // Back before the origin; where that was never reached, back to where the search began.
            let reached = b.work.nearest.filter(|(d, _)| *d < AT_ORIGIN_MM);
            let goal_mm = reached.map_or(base, |(_, mm)| mm - pull_back_mm);
            if inserted_mm <= goal_mm.max(1.0) {
                let now = b.percept.tools.get(id.idx()).map_or(0.0, |t| t.hub_angle_deg);
                b.work.goal_deg = now + turn_deg;
                b.go(TURN);
            } else {
                b.feed(id, -speed_mm_per_s.abs(), false);
            }
        }
        TURN => turn_to_goal(id, b, SETTLE),
        _ => {
            b.hands.beam(b.percept.time_s);
            if b.phase_time_s() > SETTLE_S {
                b.work.nearest = None;
                b.work.moved_at = None;
                b.go(FEED);
            }
        }
    }
    Ok(Progress::Running)
}

fn is_in(id: ToolId, vessel: VesselId, depth_mm: f64, b: &Bench<'_>) -> bool {
    let seen = b.percept.tools.get(id.idx()).and_then(|t| t.seen.as_ref()).filter(|_| b.percept.fresh);
    seen.and_then(|s| depth_in(b.percept, b.tree, s, vessel)).is_some_and(|d| d >= depth_mm)
}

/// Has the attempt failed: fed in vain, pressed, buckled, or seen to leave the way at the origin.
fn is_attempt_over(
    id: ToolId,
    vessel: VesselId,
    (base_mm, probe_mm): (f64, f64),
    stop_force_n: f64,
    b: &mut Bench<'_>,
) -> bool {
    let Some(t) = b.percept.tools.get(id.idx()) else { return true };
    // As long as the tip comes nearer to the origin the feed is not in vain.
    let since_mm = b.work.nearest.map_or(base_mm, |(_, mm)| mm.max(base_mm));
    if t.inserted_mm - since_mm > probe_mm || t.hub_force_n > stop_force_n {
        return true;
    }
    let Some(seen) = t.seen.as_ref().filter(|_| b.percept.fresh) else { return false };
    let Some(to_origin) = distance_to_origin(b.percept, seen, vessel) else { return false };
    if b.work.nearest.is_none_or(|(d, _)| to_origin < d) {
        b.work.nearest = Some((to_origin, t.inserted_mm));
    }
    let was_there = b.work.nearest.is_some_and(|(d, _)| d < AT_ORIGIN_MM);
    let is_astray = was_there && to_origin > ASTRAY_MM && depth_in(b.percept, b.tree, seen, vessel).is_none();
    is_astray || is_stuck(t.inserted_mm, seen.tip(), b)
}

fn is_stuck(inserted_mm: f64, tip: [f64; 2], b: &mut Bench<'_>) -> bool {
    let (at_mm, at_tip) = *b.work.moved_at.get_or_insert((inserted_mm, tip));
    if super::percept::distance(at_tip, tip) > STUCK_TIP_MM {
        b.work.moved_at = Some((inserted_mm, tip));
        return false;
    }
    inserted_mm - at_mm > STUCK_FEED_MM
}
