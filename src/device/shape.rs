//! The shape of a device at rest, free in space.

use super::Device;

/// In-plane centerline of a free device: `[x, y, distance from the tip]`, mm.
///
/// The tip lies at the origin; the device runs from there along +y before its curves act. Only the first
/// component of the rest curvature is drawn. Each step is an exact arc, so nothing is lost in sharp bends.
pub fn rest_shape_mm(device: &Device, length_mm: f64, step_mm: f64) -> Vec<[f64; 3]> {
    let (mut x, mut y, mut heading) = (0.0_f64, 0.0_f64, std::f64::consts::FRAC_PI_2);
    let mut from_tip_mm = 0.0;
    let mut points = vec![[x, y, 0.0]];
    for zone in &device.zones {
        let count = (zone.length_mm / step_mm).ceil().max(1.0);
        let step = zone.length_mm / count;
        for _ in 0..count as usize {
            let turn = zone.rest_curvature_per_mm * step;
            // Chord of a circular arc: its direction is the middle heading, its length sinc(turn / 2) x step.
            let half = 0.5 * turn;
            let chord = if half.abs() < 1e-9 { step } else { step * half.sin() / half };
            x += chord * (heading + half).cos();
            y += chord * (heading + half).sin();
            heading += turn;
            from_tip_mm += step;
            points.push([x, y, from_tip_mm]);
            if from_tip_mm >= length_mm {
                return points;
            }
        }
    }
    points
}
