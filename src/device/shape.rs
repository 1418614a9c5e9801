//! The shape of devices at rest, free in space, alone or one in the other.

use super::Device;

/// In-plane centerline of a free device: `[x, y, distance from the tip]`, mm.
///
/// The tip lies at the origin; the device runs from there along +y before its curves act. Only the first
/// component of the rest curvature is drawn. Each step is an exact arc, so nothing is lost in sharp bends.
pub fn rest_shape_mm(device: &Device, length_mm: f64, step_mm: f64) -> Vec<[f64; 3]> {
    let curvature = |from_tip_mm: f64| device.section_at(from_tip_mm).rest_curvature_per_mm;
    integrate(borders_mm(device, 0.0), length_mm.min(device.length_mm), step_mm, curvature)
}

/// In-plane centerline of a catheter with a wire in it, free in space: `[x, y, distance from the wire's tip]`, mm.
///
/// `kappa = (EI_1 kappa_1 + EI_2 kappa_2) / (EI_1 + EI_2)`, section by section: no load acts, so the moments of the two
/// cancel everywhere (Webster and Jones, IJRR 2010, equation 8). The wire's tip is `ahead_mm` beyond the catheter's
/// (at least 0). Both lie in one plane with their bends to the same side; clearance and friction are neglected, and so is
/// that a wire may turn its bend inside the catheter to where it costs least.
pub fn pair_shape_mm(
    catheter: &Device,
    wire: &Device,
    ahead_mm: f64,
    length_mm: f64,
    step_mm: f64,
) -> Vec<[f64; 3]> {
    let ahead_mm = ahead_mm.max(0.0);
    let curvature = |from_tip_mm: f64| {
        let inner = wire.section_at(from_tip_mm);
        if from_tip_mm < ahead_mm {
            return inner.rest_curvature_per_mm;
        }
        let outer = catheter.section_at(from_tip_mm - ahead_mm);
        let (a, b) = (outer.bend_stiffness_n_mm2, inner.bend_stiffness_n_mm2);
        (a * outer.rest_curvature_per_mm + b * inner.rest_curvature_per_mm) / (a + b)
    };
    let mut borders = borders_mm(catheter, ahead_mm);
    borders.push(ahead_mm);
    borders.extend(borders_mm(wire, 0.0));
    let most_mm = wire.length_mm.min(ahead_mm + catheter.length_mm);
    integrate(borders, length_mm.min(most_mm), step_mm, curvature)
}

/// Ends of the zones of a device whose tip lies at `tip_mm`, mm.
fn borders_mm(device: &Device, tip_mm: f64) -> Vec<f64> {
    let mut at_mm = tip_mm;
    device
        .zones
        .iter()
        .map(|z| {
            at_mm += z.length_mm;
            at_mm
        })
        .collect()
}

/// Joins arcs of constant curvature between the borders, cut into steps.
fn integrate(
    mut borders: Vec<f64>,
    length_mm: f64,
    step_mm: f64,
    curvature: impl Fn(f64) -> f64,
) -> Vec<[f64; 3]> {
    borders.retain(|b| *b < length_mm);
    borders.push(length_mm);
    borders.sort_by(f64::total_cmp);
    let (mut x, mut y, mut heading) = (0.0_f64, 0.0_f64, std::f64::consts::FRAC_PI_2);
    let mut from_tip_mm = 0.0;
    let mut points = vec![[x, y, 0.0]];
    for border in borders {
        let left_mm = border - from_tip_mm;
        if left_mm < 1e-9 {
            continue;
        }
        let count = (left_mm / step_mm).ceil().max(1.0);
        let step = left_mm / count;
        let turn = curvature(from_tip_mm + 0.5 * left_mm) * step;
        for i in 1..=count as usize {
            // Chord of a circular arc: its direction is the middle heading, its length sinc(turn / 2) x step.
            let half = 0.5 * turn;
            let chord = if half.abs() < 1e-9 { step } else { step * half.sin() / half };
            x += chord * (heading + half).cos();
            y += chord * (heading + half).sin();
            heading += turn;
            points.push([x, y, from_tip_mm + step * i as f64]);
        }
        from_tip_mm = border;
    }
    points
}
