//! Lost stents that a snare takes home. What it is drawn tight on follows its tip without yielding, as coils do.

use super::stent::Phase;
use super::{DilationInputs, DilationState, Outcome, stent};
use crate::anatomy::VesselPlace;
use crate::math::Vec3;
use crate::sim::event::EventKind;
use crate::sim::implant::snare::{CATCHES_MM, HOLDS_MM, HOME_MM, Snare, lies_in};

/// A snare as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// Its loop, vessels at rest.
    pub snare: Snare,
    /// Length from the introducer, mm.
    pub inserted_mm: f64,
    /// Where its tip lies.
    pub place: Option<VesselPlace>,
}

/// Snares close around stents, carry them, bring them home, or let them go again.
pub(super) fn advance(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    for now in inputs.loops {
        let tool = now.snare.tool;
        match state.stents.iter().position(|s| s.phase == Phase::Snared(tool)) {
            Some(held) => carry(inputs, state, held, now, outcome, events),
            None => grip(inputs, state, now, outcome, events),
        }
    }
    state.looped.retain(|(tool, _)| inputs.loops.iter().any(|l| l.snare.tool == *tool));
}

fn carry(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    held: usize,
    now: &Loop,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    let placed = &mut state.stents[held];
    let length_mm = stent::of(inputs.ground.tools, placed.tool).map_or(0.0, |s| s.length_mm);
    if now.inserted_mm <= HOME_MM {
        placed.phase = Phase::Out;
        placed.rings.clear();
        events.push(EventKind::StentRetrieved { stent: held as u32 });
        return;
    }
    let Some(place) = now.place else { return };
    placed.lie_about(inputs.ground.tree, place, length_mm);
    if now.snare.open_mm >= CATCHES_MM {
        let diameter_mm = placed.rings.iter().map(|r| 2.0 * r.radius_mm).fold(0.0, f64::max);
        outcome.adrift.push((held, diameter_mm, place));
    }
}

fn grip(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    now: &Loop,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    let tool = now.snare.tool;
    if now.snare.open_mm >= CATCHES_MM {
        let inside = state.stents.iter().position(|s| {
            let middles: Vec<Vec3> = s.axis(inputs.ground.tree).iter().map(|a| a.0).collect();
            s.is_lost() && lies_in(&now.snare, &middles)
        });
        if let Some(i) = inside {
            state.looped.retain(|(t, _)| *t != tool);
            state.looped.push((tool, i as u32));
        }
        return;
    }
    if now.snare.open_mm > HOLDS_MM {
        return;
    }
    let Some(at) = state.looped.iter().position(|(t, _)| *t == tool) else { return };
    let (_, caught) = state.looped.remove(at);
    let placed = &mut state.stents[caught as usize];
    if !placed.is_lost() {
        return;
    }
    if let Phase::Adrift(body) = placed.phase {
        outcome.caught.push(body);
    }
    placed.phase = Phase::Snared(tool);
    // What it held open comes back.
    state.is_moving = true;
    events.push(EventKind::StentCaught { stent: caught, tool });
}
