//! Shapes over a heart beat: arterial pressure and ECG.

/// End of the upstroke, share of a beat.
const PEAK: f64 = 0.14;
/// Dicrotic notch, share of a beat and height.
const NOTCH: (f64, f64) = (0.36, 0.55);
/// Dicrotic wave, share of a beat and height.
const DICROTIC: (f64, f64) = (0.44, 0.60);
/// Decay of the diastolic run-off over the rest of the beat.
const RUN_OFF: f64 = 1.6;
/// Pressure follows the R wave after this share of a beat.
pub(super) const PRESSURE_DELAY: f64 = 0.15;

/// Smooth step from 0 to 1.
fn ease(t: f64) -> f64 {
    0.5 * (1.0 - (std::f64::consts::PI * t).cos())
}

/// Arterial pressure over a beat that starts with the upstroke, 0 (diastolic) to 1 (systolic): upstroke, fall to the
/// dicrotic notch, dicrotic wave, exponential run-off.
pub fn pressure_shape(phase: f64) -> f64 {
    let x = phase - phase.floor();
    if x < PEAK {
        ease(x / PEAK)
    } else if x < NOTCH.0 {
        1.0 - (1.0 - NOTCH.1) * ease((x - PEAK) / (NOTCH.0 - PEAK))
    } else if x < DICROTIC.0 {
        NOTCH.1 + (DICROTIC.1 - NOTCH.1) * ease((x - NOTCH.0) / (DICROTIC.0 - NOTCH.0))
    } else {
        let t = (x - DICROTIC.0) / (1.0 - DICROTIC.0);
        let end = (-RUN_OFF).exp();
        DICROTIC.1 * ((-RUN_OFF * t).exp() - end) / (1.0 - end)
    }
}

/// Mean of [`pressure_shape`] over a beat (closed form of its four pieces).
pub fn mean_of_shape() -> f64 {
    let end = (-RUN_OFF).exp();
    let run_off = DICROTIC.1 * (1.0 - DICROTIC.0) * (1.0 / RUN_OFF - end / (1.0 - end));
    0.5 * PEAK
        + 0.5 * (1.0 + NOTCH.1) * (NOTCH.0 - PEAK)
        + 0.5 * (NOTCH.1 + DICROTIC.1) * (DICROTIC.0 - NOTCH.0)
        + run_off
}

/// Mean arterial pressure of a systolic and diastolic pressure with this wave form, mmHg.
pub fn mean_of_pressures_mmhg(systolic_mmhg: f64, diastolic_mmhg: f64) -> f64 {
    diastolic_mmhg + mean_of_shape() * (systolic_mmhg - diastolic_mmhg)
}

/// ECG (lead II) over a beat that starts with the R wave, mV: sum of Gaussians for P, Q, R, S, T (after
/// `McSharry` et al. 2003); widths of QRS are fixed in seconds, places of P and T scale with the beat.
pub fn ecg_mv(phase: f64, beat_s: f64) -> f64 {
    let x = phase - phase.floor();
    let t = if x > 0.6 { x - 1.0 } else { x } * beat_s;
    let scale = beat_s.sqrt();
    let bump =
        |at_s: f64, width_s: f64, height_mv: f64| height_mv * (-0.5 * ((t - at_s) / width_s).powi(2)).exp();
    bump(-0.16 * scale, 0.022, 0.13)
        + bump(-0.028, 0.009, -0.10)
        + bump(0.0, 0.010, 1.10)
        + bump(0.030, 0.010, -0.22)
        + bump(0.30 * scale, 0.045 * scale, 0.30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_of_shape_is_the_integral() {
        let n = 100_000;
        let sum: f64 = (0..n).map(|i| pressure_shape((f64::from(i) + 0.5) / f64::from(n))).sum();
        assert!((sum / f64::from(n) - mean_of_shape()).abs() < 1e-8);
        assert!((0.3..0.5).contains(&mean_of_shape()));
    }

    #[test]
    fn shape_is_continuous_and_touches_both_ends() {
        let mut last = pressure_shape(0.0);
        let (mut low, mut high) = (1.0_f64, 0.0_f64);
        for i in 1..=2000 {
            let now = pressure_shape(f64::from(i) / 2000.0);
            assert!((now - last).abs() < 0.01);
            (low, high, last) = (low.min(now), high.max(now), now);
        }
        assert!(low < 1e-9 && high > 0.999);
    }
}
