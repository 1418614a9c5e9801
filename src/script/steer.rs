//! Aimed moves: a bend turned towards a mouth, a curved catheter drawn down into a branch, a wire led from mouth to mouth.

use super::driver::{Bench, Progress};
use super::motion::Outcome;
use super::percept::Lie;
use super::select::turn_to_goal;
use super::types::Step;
use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::math::Vec3;
use crate::sim::command::ToolId;

/// Good enough an aim, degrees.
const AIMED_DEG: f64 = 20.0;
/// Turns in which an aim must be found; after these it is as good as it gets.
const AIM_TURNS: u32 = 8;
/// A tip that is stretched straight points nowhere; it is turned by this and looked at again, degrees.
const BLIND_TURN_DEG: f64 = 80.0;
/// Across less than this there is no bend.
const LEAST_BEND: f64 = 0.1;
/// Rest after a turn, so that the tip follows, s.
const SETTLE_S: f64 = 0.4;
/// Aims of later tries are off by these, degrees: a bent tip does not always slide where it points.
const AIM_OFF_DEG: [f64; 5] = [0.0, 35.0, -35.0, 70.0, -70.0];
/// When aims do not help a catheter is turned round by this from try to try, degrees.
const SCAN_DEG: f64 = 40.0;
/// A tip this far beyond the mouth has missed it, mm.
const MISSED_MM: f64 = 12.0;
/// A tip is to point to a place this far behind the wall of the parent, mm.
const BEHIND_WALL_MM: f64 = 5.0;
/// A wire is turned this far before the mouth, in radii of the vessel, by try.
const AHEAD: [f64; 3] = [1.0, 2.0, 0.2];
/// In a vessel of more than this radius the bend of a wire does not reach the other wall: the catheter is turned, mm.
const WIDE_MM: f64 = 2.5;
/// It is in when it lies this deep behind the wall of the parent, mm.
const IN_MM: f64 = 3.0;
/// Deep enough in a short branch, as a share of its length.
const IN_SHARE: f64 = 0.7;
/// The supporting catheter stays this far behind the tip, in a wide vessel and in a narrow one, mm.
const SUPPORT_MM: [f64; 2] = [0.5, 8.0];
/// A catheter that stands at a mouth is moved along the vessel by this after tries in all directions, mm.
const HEIGHT_MM: [f64; 5] = [0.0, -3.0, 3.0, -6.0, 6.0];
/// It tries this many aims at each height.
const HELD_AIMS: usize = 3;
/// It stands where it should within this, mm.
const NEAR_MM: f64 = 0.3;
/// A wire is out of its catheter, mm.
const OUT_MM: f64 = 4.0;
/// Speed of a device drawn back for another try, over the speed forward.
const BACK_RATIO: f64 = 2.0;
/// Longest part of a try, s.
const PART_S: f64 = 12.0;
/// Fed in vain at most this far beyond where a mouth was expected, mm.
const VAIN_MM: f64 = 36.0;
/// Drawn back from where it does not go on, mm.
const EASE_MM: f64 = 6.0;

/// Does a place lie in a vessel, deep enough, or beyond it.
pub(super) fn is_in(tree: &VesselTree, place: VesselPlace, vessel: VesselId, depth_mm: f64) -> bool {
    if place.vessel == vessel { place.arc_mm >= depth_mm } else { tree.route(place.vessel).contains(&vessel) }
}

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let (Step::Aim { tool: id, timeout_s, .. }
    | Step::Engage { tool: id, timeout_s, .. }
    | Step::Steer { tool: id, timeout_s, .. }) = step
    else {
        return Ok(Progress::Done);
    };
    let tool = b.tool(id)?;
    let Some(t) = b.percept.tools.get(tool.idx()).filter(|t| t.loaded) else {
        return Err(format!("`{id}` is not in"));
    };
    let seen = Tip { tool, inserted_mm: t.inserted_mm, force_n: t.hub_force_n.abs(), lie: t.lie };
    if b.step_time_s() > *timeout_s {
        let at = t.lie.and_then(|l| l.place);
        let at = at.map_or("no vessel".to_owned(), |p| {
            format!("{}, {:.0} mm", b.tree.branch(p.vessel).name, p.arc_mm)
        });
        return Err(format!("`{id}` did not get there within {timeout_s:.0} s, its tip is in {at}"));
    }
    match step {
        Step::Aim { at, off_deg, .. } => {
            let mouth = b.vessel(at)?;
            let goal_mm = goal_of(b.tree, mouth)?;
            if b.work.phase == 0 {
                b.go(LOOK);
            }
            aim(tool, &goal_mm, *off_deg, b);
            Ok(if b.work.phase == AIMED { Progress::Done } else { Progress::Running })
        }
        Step::Engage { into, .. } => {
            let vessel = b.vessel(into)?;
            engage(step, &seen, vessel, b)
        }
        _ => steer(step, &seen, b),
    }
}

/// A device as this tick shows it.
struct Tip {
    tool: ToolId,
    inserted_mm: f64,
    force_n: f64,
    lie: Option<Lie>,
}

impl Tip {
    fn place(&self) -> Option<VesselPlace> {
        self.lie.and_then(|l| l.place)
    }
}

// Parts of the steps.
const CHOOSE: u32 = 0;
const LOOK: u32 = 1;
const TURN: u32 = 2;
const AIMED: u32 = 3;
const DRAW: u32 = 4;
const RISE: u32 = 5;
const ROUND: u32 = 6;
const RETURN: u32 = 7;
const BACK: u32 = 8;
const UP: u32 = 9;
const SUPPORT: u32 = 10;
const ENTER: u32 = 11;
const GO_ON: u32 = 12;
const EASE: u32 = 13;
const CLIMB: u32 = 14;

fn mouth_of(tree: &VesselTree, vessel: VesselId) -> Result<VesselPlace, String> {
    let branch = tree.branch(vessel);
    branch.origin.ok_or_else(|| format!("`{}` leaves no other vessel: it has no mouth", branch.name))
}

/// Where a tip should point to enter a vessel: just behind the wall of its parent, mm.
fn goal_of(tree: &VesselTree, vessel: VesselId) -> Result<Vec3, String> {
    let origin = mouth_of(tree, vessel)?;
    let wall_mm = tree.branch(origin.vessel).at(origin.arc_mm).radius_mm;
    Ok(tree.branch(vessel).at(wall_mm + BEHIND_WALL_MM).position_mm)
}

/// Turns, with a look after each turn, until the bend points to a place; goes from part LOOK to AIMED.
fn aim(turned: ToolId, goal_mm: &Vec3, off_deg: f64, b: &mut Bench<'_>) {
    if b.work.phase == TURN {
        turn_to_goal(turned, b, LOOK);
        return;
    }
    let ready = b.hands.beam(b.percept.time_s) && b.phase_time_s() > SETTLE_S && b.percept.fresh;
    let lie = b.percept.tools.get(turned.idx()).and_then(|t| t.lie);
    let Some(lie) = lie.filter(|_| ready) else { return };
    let to = goal_mm - lie.tip_mm;
    let to = to - lie.axis * lie.axis.dot(&to);
    let error_deg = lie.axis.dot(&lie.bend.cross(&to)).atan2(lie.bend.dot(&to)).to_degrees() + off_deg;
    let error_deg = error_deg - 360.0 * (error_deg / 360.0).round();
    let is_bent = lie.bend.norm() > LEAST_BEND;
    b.work.turns += 1;
    if is_bent && error_deg.abs() < AIMED_DEG || b.work.turns > AIM_TURNS {
        b.work.turns = 0;
        b.go(AIMED);
        return;
    }
    let now_deg = b.percept.tools.get(turned.idx()).map_or(0.0, |t| t.hub_angle_deg);
    b.work.goal_deg = now_deg + if is_bent { error_deg } else { BLIND_TURN_DEG };
    b.go(TURN);
}

fn engage(step: &Step, seen: &Tip, into: VesselId, b: &mut Bench<'_>) -> Outcome {
    let Step::Engage { tool: id, into: name, depth_mm, past_mm, tries, stop_force_n, speed_mm_per_s, .. } =
        step
    else {
        return Ok(Progress::Done);
    };
    let origin = mouth_of(b.tree, into)?;
    let goal_mm = goal_of(b.tree, into)?;
    let base_mm = *b.work.base_mm.get_or_insert(seen.inserted_mm);
    match b.work.phase {
        CHOOSE => b.go(LOOK),
        LOOK | TURN => {
            let off_deg = AIM_OFF_DEG[b.work.tries as usize % AIM_OFF_DEG.len()];
            aim(seen.tool, &goal_mm, off_deg, b);
        }
        AIMED => b.go(DRAW),
        DRAW => {
            let place = seen.place().filter(|_| b.percept.fresh);
            if place.is_some_and(|p| is_in(b.tree, p, into, *depth_mm)) {
                return Ok(Progress::Done);
            }
            // Past the mouth in the parent, or as deep in another branch of it.
            let is_past = place.is_some_and(|p| match p.vessel {
                v if v == origin.vessel => p.arc_mm > origin.arc_mm + past_mm,
                v => v != into && p.arc_mm > *past_mm && b.tree.route(v).contains(&origin.vessel),
            });
            if is_past || seen.force_n > *stop_force_n || b.phase_time_s() > PART_S {
                b.work.tries += 1;
                if b.work.tries >= *tries {
                    return Err(format!("`{id}` did not fall into `{name}` in {tries} tries"));
                }
                b.go(RISE);
            } else {
                b.feed(seen.tool, -speed_mm_per_s.abs(), false);
            }
        }
        RISE => {
            if seen.inserted_mm >= base_mm || b.phase_time_s() > PART_S {
                b.work.goal_deg = hub_deg(seen.tool, b) + SCAN_DEG;
                let aims = (b.work.tries as usize) < AIM_OFF_DEG.len();
                b.go(if aims { LOOK } else { ROUND });
            } else {
                b.feed(seen.tool, BACK_RATIO * speed_mm_per_s.abs(), false);
            }
        }
        _ => turn_to_goal(seen.tool, b, AIMED),
    }
    Ok(Progress::Running)
}

fn hub_deg(tool: ToolId, b: &Bench<'_>) -> f64 {
    b.percept.tools.get(tool.idx()).map_or(0.0, |t| t.hub_angle_deg)
}

/// How the way of a tip goes on to a target.
enum Leg {
    /// It is in the target.
    There,
    /// Into this branch, through this mouth.
    Down(VesselId, VesselPlace),
    /// Towards the heart, to where the ways part.
    Up,
    /// It is in a branch that does not lead there.
    Astray,
}

fn leg(tree: &VesselTree, start: VesselId, at: VesselId, target: VesselId) -> Leg {
    if at == target {
        return Leg::There;
    }
    let (up, down) = (tree.route(start), tree.route(target));
    if let Some(i) = down.iter().position(|v| *v == at) {
        let next = down[i + 1];
        return tree.branch(next).origin.map_or(Leg::Astray, |mouth| Leg::Down(next, mouth));
    }
    let is_above = up.contains(&at);
    if is_above { Leg::Up } else { Leg::Astray }
}

/// Is a tip no deeper in a branch of a vessel, or of one before it, than that it may still slide back or on: around a mouth
/// it seems to be here and there.
fn is_at_mouth(tree: &VesselTree, tip: VesselPlace, vessel: VesselId) -> bool {
    let branch = tree.branch(tip.vessel);
    let Some(mouth) = branch.origin.filter(|o| tree.route(vessel).contains(&o.vessel)) else { return false };
    let wall_mm = tree.branch(mouth.vessel).at(mouth.arc_mm).radius_mm;
    tip.vessel != vessel && tip.arc_mm < (wall_mm + IN_MM).min(IN_SHARE * branch.length_mm())
}

fn steer(step: &Step, seen: &Tip, b: &mut Bench<'_>) -> Outcome {
    let Step::Steer { tool: id, support, into: name, depth_mm, tries, stop_force_n, speed_mm_per_s, .. } =
        step
    else {
        return Ok(Progress::Done);
    };
    let (support, target) = (b.tool(support)?, b.vessel(name)?);
    let speed = speed_mm_per_s.abs();
    // In the catheter there is nothing to steer: first to its tip.
    let held_mm = b.percept.tools.get(support.idx()).map_or(0.0, |t| t.inserted_mm);
    if b.work.from.is_none() && seen.inserted_mm < held_mm + OUT_MM && seen.force_n < *stop_force_n {
        b.feed(seen.tool, speed, false);
        return Ok(Progress::Running);
    }
    let ready = b.hands.beam(b.percept.time_s);
    let Some(place) = seen.place().filter(|_| ready) else { return Ok(Progress::Running) };
    let (start, tried) = *b.work.from.get_or_insert((place.vessel, place.vessel));
    if place.vessel == target && place.arc_mm >= *depth_mm {
        return Ok(Progress::Done);
    }
    let is_pressed = seen.force_n > *stop_force_n;
    let at = if is_at_mouth(b.tree, place, tried) { tried } else { place.vessel };
    match (b.work.phase, leg(b.tree, start, at, target)) {
        (CHOOSE, leg) => {
            b.work.tries += 1;
            if b.work.tries > *tries {
                return Err(format!("`{id}` did not enter `{name}` in {tries} tries"));
            }
            if !matches!(leg, Leg::Astray) {
                let is_again = b.work.tries > 1 && tried == at;
                b.work.tries_here = if is_again { b.work.tries_here + 1 } else { 0 };
                b.work.from = Some((start, at));
            }
            b.work.base_mm = Some(seen.inserted_mm);
            b.go(match leg {
                Leg::There => GO_ON,
                Leg::Down(..) => BACK,
                Leg::Up => CLIMB,
                Leg::Astray => RETURN,
            });
        }
        (RETURN, Leg::Astray) => over_or(b, false, |b| b.feed(seen.tool, -BACK_RATIO * speed, false)),
        // Back in the target from a branch of it: farther back, and turned, or it goes there again.
        (RETURN, Leg::There) => {
            b.work.base_mm = Some(seen.inserted_mm);
            b.go(EASE);
        }
        (CLIMB, Leg::Up) => over_or(b, is_pressed, |b| b.feed(seen.tool, speed, false)),
        (GO_ON, Leg::There) if is_pressed || b.phase_time_s() > PART_S => {
            b.work.base_mm = Some(seen.inserted_mm);
            b.go(EASE);
        }
        (GO_ON, Leg::There) => b.feed(seen.tool, speed, false),
        (EASE, _) if seen.inserted_mm > b.work.base_mm.unwrap_or(0.0) - EASE_MM => {
            b.work.goal_deg = hub_deg(seen.tool, b) + BLIND_TURN_DEG;
            b.feed(seen.tool, -BACK_RATIO * speed, false);
        }
        (EASE, _) => turn_to_goal(seen.tool, b, CHOOSE),
        (BACK | UP | SUPPORT | LOOK | TURN | AIMED | ENTER, Leg::Down(next, mouth)) => {
            enter(seen, support, (next, mouth), (speed, is_pressed), b)?;
        }
        _ => b.go(CHOOSE),
    }
    Ok(Progress::Running)
}

/// Ends the part in time or when told; does something otherwise.
fn over_or(b: &mut Bench<'_>, is_over: bool, act: impl FnOnce(&mut Bench<'_>)) {
    if is_over || b.phase_time_s() > PART_S { b.go(CHOOSE) } else { act(b) }
}

/// One try to bring a tip into the next vessel: back before the mouth, up to it, support, aim, in.
fn enter(
    seen: &Tip,
    support: ToolId,
    (next, mouth): (VesselId, VesselPlace),
    (speed, is_pressed): (f64, bool),
    b: &mut Bench<'_>,
) -> Result<(), String> {
    let Some(place) = seen.place() else { return Ok(()) };
    let try_here = b.work.tries_here as usize;
    let wall_mm = b.tree.branch(mouth.vessel).at(mouth.arc_mm).radius_mm;
    let ahead_mm = wall_mm * AHEAD[try_here % AHEAD.len()];
    let is_before = place.vessel == mouth.vessel && place.arc_mm <= mouth.arc_mm - ahead_mm;
    // Where a vessel ends in branches the bend chooses between them, wide as it may be.
    let is_fork = b.tree.branch(mouth.vessel).length_mm() - mouth.arc_mm < wall_mm;
    let is_wide = wall_mm > WIDE_MM && !is_fork;
    let held = b.percept.tools.get(support.idx());
    let held_mm = held.map_or(0.0, |t| t.inserted_mm);
    let is_held_there = held.and_then(|t| t.lie).and_then(|l| l.place).is_some_and(|p| {
        p.vessel == next || p.vessel == mouth.vessel && (p.arc_mm - mouth.arc_mm).abs() < 2.0 * wall_mm
    });
    match b.work.phase {
        // A catheter that stands at the mouth leads; the wire comes back into it.
        BACK if is_wide && is_held_there => {
            let shift_mm = HEIGHT_MM[try_here / HELD_AIMS % HEIGHT_MM.len()];
            let left_mm = *b.work.held_mm.get_or_insert(held_mm) + shift_mm - held_mm;
            let is_over = b.phase_time_s() > PART_S;
            if seen.inserted_mm > held_mm + SUPPORT_MM[0] && !is_over {
                b.feed(seen.tool, -BACK_RATIO * speed, false);
            } else if left_mm.abs() > NEAR_MM && !is_over {
                b.feed(support, speed.min(20.0 * left_mm.abs()).copysign(left_mm), false);
            } else {
                b.go(LOOK);
            }
        }
        BACK if is_before || b.phase_time_s() > PART_S => b.go(UP),
        BACK => b.feed(seen.tool, -BACK_RATIO * speed, false),
        UP if !is_before || is_pressed || b.phase_time_s() > PART_S => b.go(SUPPORT),
        UP => b.feed(seen.tool, speed, false),
        SUPPORT => {
            let left_mm = seen.inserted_mm - SUPPORT_MM[usize::from(!is_wide)] - held_mm;
            if left_mm.abs() < NEAR_MM || b.phase_time_s() > PART_S {
                b.go(LOOK);
            } else {
                b.feed(support, speed.min(20.0 * left_mm.abs()).copysign(left_mm), false);
            }
        }
        LOOK | TURN => {
            let goal_mm = goal_of(b.tree, next)?;
            let off_deg = match is_wide && is_held_there {
                true => AIM_OFF_DEG[try_here % HELD_AIMS],
                false => AIM_OFF_DEG[try_here / AHEAD.len() % AIM_OFF_DEG.len()],
            };
            aim(if is_wide { support } else { seen.tool }, &goal_mm, off_deg, b);
        }
        AIMED => {
            b.work.base_mm = Some(seen.inserted_mm);
            b.go(ENTER);
        }
        _ => {
            let fed_mm = seen.inserted_mm - b.work.base_mm.unwrap_or(seen.inserted_mm);
            let past_mm = place.arc_mm - mouth.arc_mm;
            let is_far = past_mm > MISSED_MM || is_held_there && past_mm < -MISSED_MM;
            let is_missed = place.vessel == mouth.vessel && is_far;
            let is_over = is_missed || is_pressed || fed_mm > VAIN_MM;
            over_or(b, is_over, |b| b.feed(seen.tool, speed, false));
        }
    }
    Ok(())
}
