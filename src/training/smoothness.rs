//! Smoothness of a motion as the spectral arc length of its speed.

use std::f64::consts::TAU;

/// Highest frequency that counts, Hz.
const MAX_FREQUENCY_HZ: f64 = 10.0;
/// The spectrum counts up to where it stays below this share of its value at zero frequency.
const AMPLITUDE_THRESHOLD: f64 = 0.05;
/// Zero padding: the transform is this many times longer than the next power of two.
const PADDING: usize = 16;

/// Spectral arc length of a speed profile sampled at `rate_hz`; negative, nearer to zero is smoother.
///
/// `-int_0^fc sqrt((1/fc)^2 + (dV/df)^2) df` of the magnitude spectrum `V` normalized by `V(0)`; `fc` is the highest
/// frequency up to 10 Hz where `V` is at least 0.05. Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet (2015).
/// `None` for fewer than four samples or no motion.
pub fn spectral_arc_length(speed: &[f64], rate_hz: f64) -> Option<f64> {
    if speed.len() < 4 {
        return None;
    }
    let n = speed.len().next_power_of_two() * PADDING;
    let mut re = speed.to_vec();
    re.resize(n, 0.0);
    let mut im = vec![0.0; n];
    fft(&mut re, &mut im);
    let dc = re[0].hypot(im[0]);
    if dc <= 0.0 || !dc.is_finite() {
        return None;
    }
    let df = rate_hz / n as f64;
    let bins = ((MAX_FREQUENCY_HZ / df) as usize).min(n / 2);
    let spectrum: Vec<f64> = (0..=bins).map(|k| re[k].hypot(im[k]) / dc).collect();
    let last = spectrum.iter().rposition(|v| *v >= AMPLITUDE_THRESHOLD)?.max(1);
    let step = 1.0 / last as f64;
    Some(-spectrum[..=last].windows(2).map(|w| step.hypot(w[1] - w[0])).sum::<f64>())
}

/// In-place radix-2 transform; the length is a power of two.
fn fft(re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    let shift = usize::BITS - n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits() >> shift;
        if i < j {
            re.swap(i, j);
            im.swap(i, j);
        }
    }
    let mut half = 1;
    while half < n {
        let angle = -TAU / (2 * half) as f64;
        for k in 0..half {
            let (s, c) = (angle * k as f64).sin_cos();
            let mut i = k;
            while i < n {
                let j = i + half;
                let (tr, ti) = (re[j] * c - im[j] * s, re[j] * s + im[j] * c);
                re[j] = re[i] - tr;
                im[j] = im[i] - ti;
                re[i] += tr;
                im[i] += ti;
                i += 2 * half;
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transform_agrees_with_the_sum_it_stands_for() {
        let x: Vec<f64> = (0..16).map(|i| ((i * i) as f64 * 0.37).sin()).collect();
        let (mut re, mut im) = (x.clone(), vec![0.0; 16]);
        fft(&mut re, &mut im);
        for k in 0..16 {
            let (mut r, mut i) = (0.0, 0.0);
            for (n, v) in x.iter().enumerate() {
                let a = -TAU * (k * n) as f64 / 16.0;
                r += v * a.cos();
                i += v * a.sin();
            }
            assert!((re[k] - r).abs() < 1e-12 && (im[k] - i).abs() < 1e-12, "bin {k}");
        }
    }
}
