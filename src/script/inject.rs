//! Steps that inject: runs, puffs, embolic.

use super::driver::{Bench, Progress};
use super::motion::Outcome;
use super::types::{By, Step};
use crate::sim::command::{AcquisitionKind, Command, Fluid, Pedal};

/// Time to change and fill a syringe, s.
const FILL_S: f64 = 1.0;
/// Rise time of the injector, s.
const RISE_S: f64 = 0.3;
/// Pressure limit that the injector is set to, psi: below the rating of diagnostic catheters.
const PRESSURE_LIMIT_PSI: f64 = 900.0;
/// A syringe with less is empty, mL.
const EMPTY_ML: f64 = 1e-3;
/// Embolic is drawn up in syringes of at most this much, mL.
const SYRINGE_ML: f64 = 3.0;
/// What the injection may take beyond volume / rate before the step gives up, s.
const PATIENCE_S: f64 = 20.0;

/// Does one tick of a step.
pub(super) fn act(step: &Step, b: &mut Bench<'_>) -> Outcome {
    match step {
        Step::Run { by: By::Hand, .. } => run_by_hand(step, b),
        Step::Run { .. } => run_by_injector(step, b),
        Step::Puff { through, volume_ml, rate_ml_per_s } => {
            give(through, &Fluid::Contrast, *volume_ml, *rate_ml_per_s, false, b)
        }
        Step::Embolize { through, agent, strength, volume_ml, rate_ml_per_s, blind } => {
            give(through, &suspension(agent, *strength), *volume_ml, *rate_ml_per_s, *blind, b)
        }
        Step::EmbolizeUntil { .. } => embolize_until(step, b),
        _ => Ok(Progress::Done),
    }
}

fn suspension(agent: &str, strength: f64) -> Fluid {
    Fluid::Embolic { id: agent.to_owned(), strength }
}

/// Connects and fills; true once that is done.
fn prepare(through: &str, fluid: &Fluid, volume_ml: f64, b: &mut Bench<'_>) -> Result<(), String> {
    let tool = b.tool(through)?;
    b.hands.send(Command::Connect { tool });
    b.hands.send(Command::FillSyringe { fluid: fluid.clone(), volume_ml });
    Ok(())
}

/// One syringe by hand under fluoroscopy (or blind), to the last drop.
fn give(through: &str, fluid: &Fluid, volume_ml: f64, rate: f64, blind: bool, b: &mut Bench<'_>) -> Outcome {
    match b.work.phase {
        0 => {
            prepare(through, fluid, volume_ml, b)?;
            b.go(1);
        }
        1 => {
            if b.phase_time_s() >= FILL_S {
                b.go(2);
            }
        }
        _ => {
            let is_empty = b.percept.syringe_ml <= EMPTY_ML;
            if is_empty || b.phase_time_s() > volume_ml / rate.max(1e-6) + PATIENCE_S {
                return Ok(Progress::Done);
            }
            if blind || b.hands.beam(b.percept.time_s) {
                b.hands.inject(rate);
            }
        }
    }
    Ok(Progress::Running)
}

fn run_by_hand(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let Step::Run { through, rate_ml_per_s, volume_ml, before_s, after_s, frame_rate_per_s, .. } = step
    else {
        return Ok(Progress::Done);
    };
    match b.work.phase {
        0 => {
            prepare(through, &Fluid::Contrast, *volume_ml, b)?;
            acquisition(*frame_rate_per_s, b);
            b.go(1);
        }
        1 => {
            if b.phase_time_s() >= FILL_S {
                b.go(2);
            }
        }
        2 => {
            b.hands.pedal = Pedal::Acquire;
            if b.phase_time_s() >= *before_s {
                b.go(3);
            }
        }
        3 => {
            b.hands.pedal = Pedal::Acquire;
            b.hands.inject(*rate_ml_per_s);
            let is_empty = b.percept.syringe_ml <= EMPTY_ML && b.phase_time_s() > 0.1;
            if is_empty || b.phase_time_s() > volume_ml / rate_ml_per_s.max(1e-6) + PATIENCE_S {
                b.hands.inject(0.0);
                b.go(4);
            }
        }
        _ => {
            if b.phase_time_s() >= *after_s {
                return Ok(Progress::Done);
            }
            b.hands.pedal = Pedal::Acquire;
        }
    }
    Ok(Progress::Running)
}

fn run_by_injector(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let Step::Run { through, rate_ml_per_s, volume_ml, before_s, after_s, frame_rate_per_s, .. } = step
    else {
        return Ok(Progress::Done);
    };
    match b.work.phase {
        0 => {
            let tool = b.tool(through)?;
            b.hands.send(Command::Connect { tool });
            b.hands.send(Command::SetInjector {
                rate_ml_per_s: *rate_ml_per_s,
                volume_ml: *volume_ml,
                rise_s: RISE_S,
                delay_s: *before_s,
                pressure_limit_psi: PRESSURE_LIMIT_PSI,
            });
            b.hands.send(Command::SetInjectorArmed(true));
            acquisition(*frame_rate_per_s, b);
            b.go(1);
        }
        1 => {
            if b.phase_time_s() >= FILL_S {
                b.go(2);
            }
        }
        _ => {
            if b.phase_time_s() >= before_s + RISE_S + volume_ml / rate_ml_per_s.max(1e-6) + after_s {
                return Ok(Progress::Done);
            }
            b.hands.pedal = Pedal::Acquire;
        }
    }
    Ok(Progress::Running)
}

fn acquisition(frame_rate_per_s: f64, b: &mut Bench<'_>) {
    b.hands.send(Command::SetAcquisition { kind: AcquisitionKind::Dsa, frame_rate_per_s });
}

const DRAW: u32 = 0;
const WAIT: u32 = 1;
const PUSH: u32 = 2;
const LOOK: u32 = 3;

/// Small puffs with a look after each; the end is seen, not counted.
fn embolize_until(step: &Step, b: &mut Bench<'_>) -> Outcome {
    let Step::EmbolizeUntil {
        through,
        agent,
        strength,
        beats_to_clear,
        puff_ml,
        rate_ml_per_s,
        pause_s,
        max_ml,
        timeout_s,
    } = step
    else {
        return Ok(Progress::Done);
    };
    let given_ml = b.percept.embolic_given_ml;
    let begun_ml = *b.work.begun_ml.get_or_insert(given_ml);
    if b.step_time_s() > *timeout_s {
        return Err(format!(
            "near stasis was not reached within {timeout_s:.0} s: {:.1} beats after {:.1} mL",
            b.percept.beats_to_clear,
            given_ml - begun_ml
        ));
    }
    match b.work.phase {
        DRAW => {
            prepare(through, &suspension(agent, *strength), SYRINGE_ML, b)?;
            b.go(WAIT);
        }
        WAIT => {
            if b.phase_time_s() >= FILL_S {
                b.work.volume_ml = given_ml;
                b.go(PUSH);
            }
        }
        PUSH => {
            if !b.hands.beam(b.percept.time_s) {
                return Ok(Progress::Running);
            }
            let is_puffed = given_ml - b.work.volume_ml >= *puff_ml;
            if is_puffed || b.percept.reflux_seen || b.percept.syringe_ml <= EMPTY_ML {
                b.go(LOOK);
            } else {
                b.hands.inject(*rate_ml_per_s);
            }
        }
        _ => {
            b.hands.beam(b.percept.time_s);
            if b.percept.reflux_seen {
                // Seen to flow back: no more of it from here.
                return Ok(Progress::Done);
            }
            if b.phase_time_s() < *pause_s || !b.percept.fresh {
                return Ok(Progress::Running);
            }
            let is_slow = b.percept.beats_to_clear >= *beats_to_clear;
            if is_slow || given_ml - begun_ml >= *max_ml {
                return Ok(Progress::Done);
            }
            b.work.volume_ml = given_ml;
            b.go(if b.percept.syringe_ml <= EMPTY_ML { DRAW } else { PUSH });
        }
    }
    Ok(Progress::Running)
}
