//! Central venous pressure: heart and breath.

use super::PhysiologyState;
use crate::sim::flow::VENOUS_PRESSURE_MMHG;

/// Fall of the venous pressure per share of the blood volume that is lost, mmHg `[K]`.
const FALL_PER_SHARE_MMHG: f64 = 12.0;
/// Blood volume, mL/kg `[K]`.
const BLOOD_ML_PER_KG: f64 = 70.0;
/// Half of the swing of the venous pressure with the breath, mmHg: it falls on drawing breath `[K]`.
const BREATH_MMHG: f64 = 1.5;

/// Pressure of the central veins now, mmHg: mean 5, a, c and v waves of up to 1.5 mmHg (a before the R wave, v at the
/// end of systole), breath of 1.5 mmHg either way, lower after blood loss, higher after fluids; -2 to 25.
pub(super) fn venous_mmhg(state: &PhysiologyState) -> f64 {
    let volume_ml = BLOOD_ML_PER_KG * state.weight_kg;
    let lost = (state.blood_loss_ml - state.active("fluids") / 3.0) / volume_ml;
    let mean = VENOUS_PRESSURE_MMHG - FALL_PER_SHARE_MMHG * lost;
    let breath = -BREATH_MMHG * (std::f64::consts::TAU * state.breath_phase).sin();
    (mean + wave(state.heart_phase) + breath).clamp(-2.0, 25.0)
}

/// The a, c and v waves over a beat that starts with the R wave, mmHg; mean zero.
pub(super) fn wave(phase: f64) -> f64 {
    let x = phase - phase.floor();
    let bump = |at: f64, width: f64, height: f64| {
        let d = (x - at + 0.5).rem_euclid(1.0) - 0.5;
        height * (-0.5 * (d / width).powi(2)).exp()
    };
    const WAVES: [(f64, f64, f64); 3] = [(0.90, 0.05, 1.5), (0.08, 0.035, 0.7), (0.45, 0.07, 1.1)];
    let mean: f64 =
        WAVES.iter().map(|(_, width, height)| height * width * std::f64::consts::TAU.sqrt()).sum();
    WAVES.iter().map(|(at, width, height)| bump(*at, *width, *height)).sum::<f64>() - mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waves_have_mean_zero_and_their_order() {
        let mean = (0..1000).map(|i| wave(f64::from(i) / 1000.0)).sum::<f64>() / 1000.0;
        assert!(mean.abs() < 1e-6, "{mean}");
        assert!(wave(0.90) > wave(0.45) && wave(0.45) > wave(0.25) && wave(0.25) < 0.0);
    }
}
