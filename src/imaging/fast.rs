//! Fast, portable stand-ins for library functions, and counter-based noise: same bits on every thread.

/// e^x for x up to about 80, relative error below 1e-5.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 x 2^23 rounds to the nearest whole number, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = x.max(-80.0) * std::f32::consts::LOG2_E;
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
pub(super) fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Near-normal number of a counter: sum of four 16-bit uniforms, mean 0, variance 1, excess kurtosis -0.3.
#[inline]
pub(super) fn normal(key: u64, counter: u64) -> f32 {
    let z = mix(key.wrapping_add(counter));
    let sum = (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);
    // Each has variance (2^32 - 1) / 12.
    const SCALE: f32 = 1.0 / 37_837.227;
    (sum as f32 - 131_070.0) * SCALE
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
            let x = f64::from(normal(7, i));
            sum += x;
            square += x * x;
        }
        let (mean, variance) = (sum / n as f64, square / n as f64);
        assert!(mean.abs() < 4e-3 && (variance - 1.0).abs() < 6e-3, "{mean} {variance}");
    }
}
