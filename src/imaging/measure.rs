//! Measurement on a stored picture: distance, diameter by half height along a line, stenosis in percent.
//!
//! A round lumen full of contrast has the profile `2 sqrt(r^2 - x^2)`, which falls to half its height at `x = r sqrt(3)/2`: its
//! diameter is the width at half height times `2/sqrt(3)`. A catheter is a tube whose profile is steep at its edge: its diameter
//! is the width at half height (1 % less for a bore of 0.7 of the diameter). Blur widens what is not much wider than itself.

use super::review::{Reviewed, bilinear};
use crate::units::FrenchSize;
use crate::xray::CArm;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;

/// Diameter of a round filled lumen over its width at half height.
pub const LUMEN_PER_HALF_WIDTH: f64 = 1.154_700_538_379_251_5;
/// Share of the height by which a profile may lie on the other side of its ground.
const OTHER_SIDE: f64 = 0.4;
/// Samples of a profile per pixel.
const SAMPLES_PER_PIXEL: f64 = 4.0;
/// Lines beside the drawn one that are averaged, one pixel apart, either way.
const BESIDE: i32 = 2;
/// A structure stands out by this many times the noise beside it.
const OUTSTANDING: f64 = 4.0;

/// Millimeters per pixel, and how they are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// mm of the patient per pixel.
    pub mm_per_pixel: f64,
    /// Size of the catheter it was taken from; `None` for the geometry at the isocenter.
    pub catheter_french: Option<f64>,
}

impl Calibration {
    /// At the isocenter: pixel pitch over magnification, `p SOD / SID`.
    pub fn isocenter(arm: &CArm, columns: usize) -> Self {
        let pixel_mm = arm.field_side_mm() / columns as f64;
        Self { mm_per_pixel: pixel_mm * SOURCE_ISOCENTER_MM / arm.sid_mm, catheter_french: None }
    }

    /// From a catheter of known size across which a line was drawn.
    ///
    /// # Errors
    /// When no edges are found on the line, or the size is none.
    pub fn catheter(picture: &Reviewed, from: [f64; 2], to: [f64; 2], french: f64) -> Result<Self, String> {
        if !(1.0..=30.0).contains(&french) {
            return Err(format!("{french} F is no catheter size: 1 to 30"));
        }
        let width = half_height_pixels(picture, from, to)?;
        Ok(Self { mm_per_pixel: FrenchSize(french).to_mm() / width, catheter_french: Some(french) })
    }

    /// Distance between two points, mm.
    pub fn distance_mm(&self, from: [f64; 2], to: [f64; 2]) -> f64 {
        (to[0] - from[0]).hypot(to[1] - from[1]) * self.mm_per_pixel
    }

    /// Diameter of the filled lumen that the line crosses, mm.
    ///
    /// # Errors
    /// When no edges are found on the line.
    pub fn lumen_mm(&self, picture: &Reviewed, from: [f64; 2], to: [f64; 2]) -> Result<f64, String> {
        Ok(half_height_pixels(picture, from, to)? * LUMEN_PER_HALF_WIDTH * self.mm_per_pixel)
    }
}

/// Stenosis of the diameter, percent: `100 (1 - throat / reference)`.
pub fn stenosis_percent(throat_mm: f64, reference_mm: f64) -> Option<f64> {
    (reference_mm > 0.0).then(|| 100.0 * (1.0 - throat_mm / reference_mm))
}

/// Width at half height of what a line crosses, pixels; points are pixel coordinates (centers at whole numbers).
///
/// # Errors
/// When the line is too short, nothing stands out of the noise, or an edge lies beyond its ends.
pub fn half_height_pixels(picture: &Reviewed, from: [f64; 2], to: [f64; 2]) -> Result<f64, String> {
    let (columns, rows) = (picture.frame.columns, picture.frame.rows);
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy);
    if length < 4.0 {
        return Err("the line is too short: draw it across the vessel and beyond both edges".to_owned());
    }
    let count = (length * SAMPLES_PER_PIXEL).ceil() as usize + 1;
    let across = [-dy / length, dx / length];
    let profile: Vec<f64> = (0..count)
        .map(|i| {
            let s = i as f64 / (count - 1) as f64;
            let mean = (-BESIDE..=BESIDE)
                .map(|k| {
                    let k = f64::from(k);
                    let x = from[0] + s * dx + k * across[0];
                    let y = from[1] + s * dy + k * across[1];
                    f64::from(bilinear(&picture.values, columns, rows, x, y))
                })
                .sum::<f64>();
            mean / f64::from(2 * BESIDE + 1)
        })
        .collect();
    width_at_half_height(&profile).map(|w| w * length / (count - 1) as f64)
}

/// Width at half height of the largest deviation from the ground between the ends of a profile, in samples.
///
/// # Errors
/// When nothing stands out, or an edge lies beyond the ends.
pub fn width_at_half_height(profile: &[f64]) -> Result<f64, String> {
    let n = profile.len();
    let end = (n / 6).max(2);
    if n < 12 {
        return Err("the profile is too short".to_owned());
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (start, stop) = (mean(&profile[..end]), mean(&profile[n - end..]));
    // A straight line through both means, which lie in the middle of their stretches.
    let middle = 0.5 * (end - 1) as f64;
    let ground = |i: usize| start + (stop - start) * (i as f64 - middle) / (n as f64 - 1.0 - 2.0 * middle);
    let above: Vec<f64> = (0..n).map(|i| profile[i] - ground(i)).collect();
    let noise =
        (above[..end].iter().chain(&above[n - end..]).map(|v| v * v).sum::<f64>() / (2 * end) as f64).sqrt();
    let peak = (end / 2..n - end / 2).max_by(|a, b| above[*a].abs().total_cmp(&above[*b].abs()));
    let Some(peak) = peak else { return Err("the profile is too short".to_owned()) };
    let height = above[peak];
    if height.abs() < OUTSTANDING * noise || height.abs() < 1e-6 {
        return Err("nothing stands out on the line: no edge is found".to_owned());
    }
    let half = 0.5 * height.abs();
    let level = |i: usize| above[i] * height.signum();
    // A single edge leaves its ground on both sides.
    if (0..n).any(|i| level(i) < -OTHER_SIDE * height.abs()) {
        return Err("only one edge lies on the line: draw it beyond both edges of the vessel".to_owned());
    }
    let crossing = |inside: usize, outside: usize| {
        let (a, b) = (level(inside), level(outside));
        let share = (a - half) / (a - b);
        inside as f64 + share * (outside as f64 - inside as f64)
    };
    let left = (1..=peak).rev().find(|i| level(i - 1) < half).map(|i| crossing(i, i - 1));
    let right = (peak..n - 1).find(|i| level(i + 1) < half).map(|i| crossing(i, i + 1));
    match (left, right) {
        (Some(left), Some(right)) => Ok(right - left),
        _ => Err("an edge lies beyond the end of the line: draw it longer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::print_stdout, reason = "prints its residual")]
    fn half_height_of_a_round_lumen_gives_its_diameter() {
        for radius in [8.0_f64, 20.0, 41.5] {
            let profile: Vec<f64> = (0..200)
                .map(|i| {
                    let x = f64::from(i) - 97.3;
                    0.3 + 0.001 * f64::from(i) + (radius * radius - x * x).max(0.0).sqrt() / 50.0
                })
                .collect();
            let found = width_at_half_height(&profile).unwrap() * LUMEN_PER_HALF_WIDTH;
            let error = found / (2.0 * radius) - 1.0;
            println!("lumen of {:.0} samples: {found:.2}, {:+.2} %", 2.0 * radius, 100.0 * error);
            assert!(error.abs() < 0.01);
        }
        assert_eq!(stenosis_percent(1.5, 6.0), Some(75.0));
        assert_eq!(stenosis_percent(1.5, 0.0), None);
        assert!(width_at_half_height(&[0.0; 50]).unwrap_err().contains("stands out"));
        let edge: Vec<f64> = (0..50).map(|i| if i > 30 { 1.0 } else { 0.0 }).collect();
        assert!(width_at_half_height(&edge).is_err(), "one edge is no vessel");
    }
}
