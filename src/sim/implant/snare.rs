//! Snares: a loop that opens as it leaves its catheter, closes around what lies in it, and takes it along.
//!
//! The loop stands across the tip of its wire. What it is drawn tight on follows the tip without yielding; how hard the wall
//! or a clot holds on to it is left out.

use serde::{Deserialize, Serialize};

use super::{ImplantInputs, ImplantState};
use crate::math::{Vec3, orthogonal};
use crate::sim::command::ToolId;
use crate::sim::event::EventKind;
use crate::sim::snapshot::ImplantView;
use crate::sim::world::WorldState;

/// A loop is open to its diameter when this share of the diameter stands out of the catheter.
const OPEN_AT_SHARE: f64 = 0.8;
/// A loop of the vessel's width does not turn into its plane: it takes this share of the lumen at most.
const LUMEN_SHARE: f64 = 0.95;
/// Narrower than this the loop catches nothing new, mm.
pub const CATCHES_MM: f64 = 2.5;
/// Narrower than this it holds what lies in it, mm.
pub const HOLDS_MM: f64 = 1.5;
/// What is this near to the plane of the loop lies in it, mm.
const NEAR_PLANE_MM: f64 = 2.0;
/// A tip this little out of the sheath has brought its catch home, mm.
pub const HOME_MM: f64 = 2.0;
/// Points of a drawn loop.
const DRAWN_POINTS: u32 = 25;

/// A snare as the hand holds it now.
#[derive(Clone, Debug, PartialEq)]
pub struct SnareSeen {
    /// Device.
    pub tool: ToolId,
    /// Tip of its wire, vessels at rest, mm.
    pub tip_mm: Vec3,
    /// Direction there.
    pub direction: Vec3,
    /// Length out of its catheter, mm.
    pub exposed_mm: f64,
    /// Length from the introducer, mm.
    pub inserted_mm: f64,
    /// Diameter of the loop, mm.
    pub loop_mm: f64,
}

/// A snare in the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snare {
    /// Device.
    pub tool: ToolId,
    /// Tip in the last tick, mm.
    pub tip_mm: Vec3,
    /// Direction there.
    pub direction: Vec3,
    /// Width of the loop, mm.
    pub open_mm: f64,
    /// The implant that lies in the loop.
    pub around: Option<u32>,
    /// The implant that it is drawn tight on.
    pub holds: Option<u32>,
}

/// Snares follow the hands by a tick: they open, close, carry and bring home.
pub(super) fn advance(
    inputs: &ImplantInputs<'_>,
    state: &mut ImplantState,
    world: &mut WorldState,
    seen: &[SnareSeen],
    events: &mut Vec<EventKind>,
) -> bool {
    let mut snares = std::mem::take(&mut state.snares);
    snares.retain(|s| seen.iter().any(|now| now.tool == s.tool));
    let mut has_moved = false;
    for now in seen {
        let open_mm = open_mm(inputs, now);
        let at = snares.iter().position(|s| s.tool == now.tool).unwrap_or_else(|| {
            snares.push(Snare {
                tool: now.tool,
                tip_mm: now.tip_mm,
                direction: now.direction,
                open_mm,
                around: None,
                holds: None,
            });
            snares.len() - 1
        });
        let snare = &mut snares[at];
        has_moved |= carry(state, snare, now);
        let is_closing = open_mm < snare.open_mm;
        (snare.tip_mm, snare.direction, snare.open_mm) = (now.tip_mm, now.direction, open_mm);
        has_moved |= grip(inputs, state, world, snare, is_closing, events);
        has_moved |= bring_home(state, snare, now.inserted_mm, events);
    }
    state.snares = snares;
    has_moved
}

/// Width of the loop: by what stands out of the catheter, at most the lumen.
fn open_mm(inputs: &ImplantInputs<'_>, now: &SnareSeen) -> f64 {
    let share = (now.exposed_mm / (OPEN_AT_SHARE * now.loop_mm)).clamp(0.0, 1.0);
    let lumen_mm =
        inputs.wall.at(&now.tip_mm).place.map_or(f64::INFINITY, |p| {
            2.0 * LUMEN_SHARE * inputs.tree.branch(p.vessel).at(p.arc_mm).radius_mm
        });
    (share * now.loop_mm).min(lumen_mm)
}

/// What is held goes with the tip.
fn carry(state: &mut ImplantState, snare: &Snare, now: &SnareSeen) -> bool {
    let Some(held) = snare.holds.and_then(|i| state.placed.get_mut(i as usize)) else { return false };
    let by = now.tip_mm - snare.tip_mm;
    held.nodes_mm.iter_mut().for_each(|x| *x += by);
    by != Vec3::zeros()
}

/// Takes note of what lies in the loop, is drawn tight on it, or lets it go.
fn grip(
    inputs: &ImplantInputs<'_>,
    state: &mut ImplantState,
    world: &mut WorldState,
    snare: &mut Snare,
    is_closing: bool,
    events: &mut Vec<EventKind>,
) -> bool {
    if let Some(held) = snare.holds {
        if snare.open_mm < CATCHES_MM {
            return false;
        }
        snare.holds = None;
        state.let_go(inputs, world, held as usize, events);
        return true;
    }
    if snare.open_mm >= CATCHES_MM {
        let inside = (0..state.placed.len()).find(|&i| {
            let p = &state.placed[i];
            !p.is_out && p.held_by.is_none() && lies_in(snare, &p.nodes_mm)
        });
        // A loop that is being drawn tight takes with it what it was around.
        if inside.is_some() || !is_closing {
            snare.around = inside.map(|i| i as u32);
        }
        return false;
    }
    if snare.open_mm > HOLDS_MM {
        return false;
    }
    let Some(caught) = snare.around.take() else { return false };
    let p = &mut state.placed[caught as usize];
    p.held_by = Some(snare.tool);
    p.body = None;
    p.clot = 0.0;
    p.length_mm.clear();
    snare.holds = Some(caught);
    events.push(EventKind::ImplantCaught { implant: caught, tool: snare.tool });
    true
}

/// Does a part of a line lie in the loop.
pub fn lies_in(snare: &Snare, line_mm: &[Vec3]) -> bool {
    line_mm.iter().any(|x| {
        let r = x - snare.tip_mm;
        let height = r.dot(&snare.direction);
        height.abs() < NEAR_PLANE_MM && (r - snare.direction * height).norm() < 0.5 * snare.open_mm
    })
}

/// What has been drawn into the sheath is out of the patient.
fn bring_home(
    state: &mut ImplantState,
    snare: &mut Snare,
    inserted_mm: f64,
    events: &mut Vec<EventKind>,
) -> bool {
    let Some(held) = snare.holds.filter(|_| inserted_mm <= HOME_MM) else { return false };
    snare.holds = None;
    let p = &mut state.placed[held as usize];
    p.held_by = None;
    p.is_out = true;
    p.nodes_mm.clear();
    p.length_mm.clear();
    events.push(EventKind::ImplantRetrieved { implant: held });
    true
}

/// The loop as it is drawn; nothing while it is in its catheter.
pub(super) fn view(snare: &Snare, width_mm: f64, shift: &dyn Fn(&Vec3) -> Vec3) -> Option<ImplantView> {
    if snare.open_mm < HOLDS_MM {
        return None;
    }
    let across = orthogonal(&snare.direction);
    let third = snare.direction.cross(&across);
    let point = |i: u32| {
        let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / f64::from(DRAWN_POINTS - 1)).sin_cos();
        let x = snare.tip_mm + (across * cos + third * sin) * (0.5 * snare.open_mm);
        x + shift(&x)
    };
    Some(ImplantView {
        tool: snare.tool,
        points_mm: (0..DRAWN_POINTS).map(point).collect(),
        width_mm,
        is_joined: true,
        ..ImplantView::default()
    })
}
