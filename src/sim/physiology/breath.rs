//! Breath hold: the patient breathes out, keeps still as long as that goes, and breathes on.

use super::PhysiologyState;
use crate::sim::event::EventKind;
use crate::sim::snapshot::Consciousness;

/// Phase of the end of breathing out.
const OUT: f64 = 0.75;
/// How long an adult at rest holds the breath after breathing out, s `[K]`; shorter the faster they breathe.
const LONGEST_S: f64 = 25.0;
const RESTING_BPM: f64 = 14.0;
const SHORTEST_S: f64 = 6.0;

/// Asks for a hold, or lets the patient breathe.
pub(super) fn ask(state: &mut PhysiologyState, hold: bool, events: &mut Vec<EventKind>) {
    if hold && state.consciousness() > Consciousness::Voice {
        let reason = "the patient does not follow: too deeply asleep to hold the breath".to_owned();
        events.push(EventKind::Refused { tool: None, reason });
        return;
    }
    if hold == state.held_s.is_some() {
        return;
    }
    state.held_s = hold.then_some(0.0);
}

/// Moves the breath on by `dt_s`; returns whether the patient breathes.
pub(super) fn advance(state: &mut PhysiologyState, dt_s: f64, events: &mut Vec<EventKind>) -> bool {
    let step = dt_s * state.respiration_bpm / 60.0;
    let Some(held_s) = state.held_s else {
        state.breath_phase = (state.breath_phase + step).fract();
        return true;
    };
    let left = (OUT - state.breath_phase).rem_euclid(1.0);
    if left > step {
        // Breathes out first.
        state.breath_phase = (state.breath_phase + step).fract();
        return true;
    }
    state.breath_phase = OUT;
    let limit_s =
        (LONGEST_S * RESTING_BPM / state.respiration_bpm.max(1.0)).clamp(SHORTEST_S, 2.0 * LONGEST_S);
    if held_s + dt_s < limit_s {
        state.held_s = Some(held_s + dt_s);
        return false;
    }
    state.held_s = None;
    // Past the end of the breath, so that it goes on from there.
    state.breath_phase += 1e-9;
    events.push(EventKind::Said("I have to breathe.".to_owned()));
    true
}
