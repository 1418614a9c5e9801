//! The wedge filter: a semi-transparent copper edge that a suite turns into the field over lung, between legs, or beside the patient.

use serde::{Deserialize, Serialize};

use super::attenuation::Substance;
use super::spectrum::Spectrum;

/// Thickness where the filter is whole, mm of copper `[K]`.
pub const WEDGE_COPPER_MM: f64 = 0.4;
/// Width of the ramp from nothing to the whole thickness, as a share of the half field `[K]`.
const RAMP: f64 = 0.3;

/// Where the filter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wedge {
    /// How far it is in: 0 is out, 1 covers the field up to its middle, 2 all of it.
    pub insertion: f64,
    /// The side that it comes from, degrees: 0 from the right of the screen, 90 from the top.
    pub angle_deg: f64,
}

impl Wedge {
    /// Share of the whole thickness at a place of the field, `x` to the right and `y` up, in half fields (-1 to 1).
    pub fn cover(&self, x: f64, y: f64) -> f64 {
        if self.insertion <= 0.0 {
            return 0.0;
        }
        let (s, c) = self.angle_deg.to_radians().sin_cos();
        // The reach of the square field in this direction, so that 0 is out at any angle.
        let reach = s.abs() + c.abs();
        let edge = reach * (1.0 - self.insertion);
        ((x * c + y * s - edge) / RAMP).clamp(0.0, 1.0)
    }

    /// Mean of [`Wedge::cover`] to transmission over the open field `blades` (left, right, bottom, top), for the kerma-area product.
    pub fn mean_transmission(&self, blades: &[f64; 4], whole: f64) -> f64 {
        const STEPS: usize = 16;
        if self.insertion <= 0.0 {
            return 1.0;
        }
        let [left, right, bottom, top] = blades;
        let at = |i: usize, lo: f64, hi: f64| -lo + (lo + hi) * (i as f64 + 0.5) / STEPS as f64;
        let mut sum = 0.0;
        for j in 0..STEPS {
            for i in 0..STEPS {
                sum += whole.powf(self.cover(at(i, *left, *right), at(j, *bottom, *top)));
            }
        }
        sum / (STEPS * STEPS) as f64
    }
}

/// Transmission of the whole filter for air kerma behind `water_mm` of the patient: `K(Cu + 0.4 mm) / K(Cu)`. The hardening
/// that differs along the ramp is neglected: a part of the thickness transmits that power of it.
pub fn wedge_transmission(tube_kv: f64, copper_mm: f64, water_mm: f64) -> f64 {
    let behind = |copper: f64| {
        Spectrum::tube(tube_kv, copper).behind(Substance::Water, water_mm).air_kerma_ugy_per_mas()
    };
    let open = behind(copper_mm);
    if open > 0.0 { (behind(copper_mm + WEDGE_COPPER_MM) / open).clamp(0.0, 1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wedge_covers_from_its_side() {
        let from_right = Wedge { insertion: 1.0, angle_deg: 0.0 };
        assert_eq!(from_right.cover(-0.5, 0.3), 0.0);
        assert_eq!(from_right.cover(0.9, 0.3), 1.0);
        let from_top = Wedge { insertion: 1.0, angle_deg: 90.0 };
        assert_eq!(from_top.cover(0.9, -0.2), 0.0);
        assert_eq!(from_top.cover(0.0, 0.9), 1.0);
        assert_eq!(Wedge::default().mean_transmission(&[1.0; 4], 0.3), 1.0);
        let all = Wedge { insertion: 2.5, angle_deg: 0.0 }.mean_transmission(&[1.0; 4], 0.3);
        assert!((all - 0.3).abs() < 1e-12, "{all}");
    }
}
