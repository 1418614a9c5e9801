//! Fast, portable stand-ins for library functions, and counter-based noise: same bits on every thread.

/// e^x for x up to about 80, relative error below 1e-5.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 x 2^23 rounds to the nearest whole number, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = larger(x, -80.0) * std::f32::consts::LOG2_E;
    let rounded = t + ROUND;
    let y = (t - (rounded - ROUND)) * std::f32::consts::LN_2;
    let series = 1.0
        + y * (1.0 + y * (0.5 + y * (1.0 / 6.0 + y * (1.0 / 24.0 + y * (1.0 / 120.0 + y * (1.0 / 720.0))))));
    let whole = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    series * f32::from_bits(whole.wrapping_add(127) << 23)
}

/// Natural logarithm of a positive normal number, absolute error below 1e-5.
#[inline]
pub(super) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    let m = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000);
    // ln m = 2 artanh((m - c) / (m + c)) + ln c with c = sqrt 2, |argument| < 0.172.
    let z = (m - std::f32::consts::SQRT_2) / (m + std::f32::consts::SQRT_2);
    let z2 = z * z;
    let artanh = z * (1.0 + z2 * (1.0 / 3.0 + z2 * (0.2 + z2 * (1.0 / 7.0))));
    (exponent + 0.5) * std::f32::consts::LN_2 + 2.0 * artanh
}

/// Scrambles a counter (Steele, Lea and Flood 2014, `SplitMix64`).
#[inline]
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Two words that make the noise of a frame its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoiseKey(u32, u32);

impl NoiseKey {
    /// The key of a seed and a counter of frames.
    pub(super) fn new(seed: u64, frame: u64) -> Self {
        let key = mix(seed ^ mix(frame));
        Self(key as u32, (key >> 32) as u32)
    }

    /// Near-normal number of a pixel: sum of four 8-bit uniforms, mean 0, variance 1, excess kurtosis -0.3. The scrambler is
    /// Wellons' `lowbias32` (2018); the second word between its rounds keeps frames from being shifts of one another.
    #[inline]
    pub(super) fn normal(self, pixel: u32) -> f32 {
        let mut x = pixel.wrapping_add(self.0);
        x = (x ^ x >> 16).wrapping_mul(0x7feb_352d).wrapping_add(self.1);
        x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        let pairs = (x & 0x00ff_00ff).wrapping_add(x >> 8 & 0x00ff_00ff);
        let sum = (pairs & 0xffff).wrapping_add(pairs >> 16);
        // Each has variance (2^16 - 1) / 12; below 2^31 the signed conversion is the quicker one.
        const SCALE: f32 = 1.0 / 147.800_54;
        (sum as i32 as f32 - 510.0) * SCALE
    }
}

/// The larger one; the first where one is not a number. Unlike `f32::max` it is one instruction.
#[inline]
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The smaller one; the first where one is not a number.
#[inline]
pub(super) fn smaller(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

/// Sum of shifted rows: `out[i] = sum over k of weights[k] padded[i + k]`.
pub(super) fn blur_row(padded: &[f32], weights: &[f32], out: &mut [f32]) {
    let n = out.len();
    out.fill(0.0);
    for (k, weight) in weights.iter().enumerate() {
        out.iter_mut().zip(&padded[k..k + n]).for_each(|(o, p)| *o += weight * p);
    }
}

/// Arc sine for -1 to 1, absolute error below 3e-8 (Abramowitz and Stegun 1964, 4.4.46).
#[inline]
pub(super) fn asin(x: f64) -> f64 {
    let a = x.abs();
    let series = 1.570_796_305_0
        + a * (-0.214_598_801_6
            + a * (0.088_978_987_4
                + a * (-0.050_174_304_6
                    + a * (0.030_891_881_0
                        + a * (-0.017_088_125_6 + a * (0.006_670_090_1 - a * 0.001_262_491_1))))));
    let angle = std::f64::consts::FRAC_PI_2 - (1.0 - a).sqrt() * series;
    if x < 0.0 { -angle } else { angle }
}

/// Normalized samples of a mixture of Gaussians integrated over pixels; widths in pixels.
pub(super) fn kernel(parts: &[(f64, f64)], half: usize) -> Vec<f32> {
    let mut weights = vec![0.0_f64; 2 * half + 1];
    const STEPS: usize = 16;
    for (share, sigma) in parts {
        let mut own: Vec<f64> = (0..weights.len())
            .map(|i| {
                let sum: f64 = (0..STEPS)
                    .map(|k| {
                        let x = i as f64 - half as f64 + (k as f64 + 0.5) / STEPS as f64 - 0.5;
                        (-0.5 * (x / sigma.max(1e-3)).powi(2)).exp()
                    })
                    .sum();
                sum
            })
            .collect();
        let total: f64 = own.iter().sum();
        if total > 0.0 {
            own.iter_mut().for_each(|w| *w /= total);
        } else {
            own[half] = 1.0;
        }
        weights.iter_mut().zip(&own).for_each(|(w, o)| *w += share * o);
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| (w / total) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_match_the_library() {
        let mut worst = (0.0_f32, 0.0_f32);
        for i in 0..4000 {
            let x = -60.0 + i as f32 * 0.02;
            worst.0 = worst.0.max((exp(x) / x.exp() - 1.0).abs());
            let v = 1e-3 * 1.01_f32.powi(i);
            if v.is_finite() && v.is_normal() {
                worst.1 = worst.1.max((ln(v) - v.ln()).abs() / (1.0 + v.ln().abs()));
            }
        }
        assert!(worst.0 < 1e-5 && worst.1 < 1e-5, "{worst:?}");
    }

    #[test]
    fn noise_has_mean_zero_and_variance_one() {
        let n = 1_000_000;
        let (mut sum, mut square) = (0.0, 0.0);
        for i in 0..n {
            let x = f64::from(NoiseKey::new(7, 0).normal(i));
            sum += x;
            square += x * x;
        }
        let (mean, variance) = (sum / f64::from(n), square / f64::from(n));
        assert!(mean.abs() < 4e-3 && (variance - 1.0).abs() < 6e-3, "{mean} {variance}");
    }

    #[test]
    fn noise_of_neighbors_rows_and_frames_is_independent() {
        let n = 1 << 20;
        let frame = |f: u64| (0..n).map(move |i| NoiseKey::new(3, f).normal(i)).collect::<Vec<f32>>();
        let (a, b) = (frame(10), frame(11));
        // Four standard deviations of a correlation over a million pairs.
        let limit = 4.0 / f64::from(n).sqrt();
        let mut worst = (0.0_f64, 0);
        for lag in [0_usize, 1, 2, 3, 7, 64, 1023, 1024, 1025, 4096, 65_536] {
            let correlation = |x: &[f32], y: &[f32]| {
                let pairs = x.iter().zip(&y[lag..]);
                pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>() / (n as usize - lag) as f64
            };
            let own = if lag > 0 { correlation(&a, &a).abs() } else { 0.0 };
            let other = correlation(&a, &b).abs().max(correlation(&b, &a).abs());
            if own.max(other) > worst.0 {
                worst = (own.max(other), lag);
            }
        }
        assert!(worst.0 < limit, "worst correlation {:.2e} at lag {}, limit {limit:.2e}", worst.0, worst.1);
    }

    #[test]
    fn arc_sine_matches_the_library() {
        let worst = (-1000..=1000)
            .map(|i| (asin(f64::from(i) / 1000.0) - (f64::from(i) / 1000.0).asin()).abs())
            .fold(0.0, f64::max);
        assert!(worst < 3e-8, "{worst}");
    }
}
