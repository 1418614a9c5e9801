//! The law of the wall: how it yields and rubs.

use serde::{Deserialize, Serialize};

/// Elastic foundation that stiffens: line force `q = k d0 (exp(d/d0) - 1)` at an indentation `d`.
///
/// `k` follows from the vessel's radial compliance `p = (E t / R^2) u` over the width of the contact: 0.06 N/mm3 at
/// R 4 mm, E 1 N/mm2, t 1 mm, so 0.15 N/mm2 for a strip of 2.5 mm; the exponential is a Fung-like stiffening.
/// Beyond 4 `d0` the force goes on along its tangent, so that no indentation overflows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WallLaw {
    /// Stiffness per length of device at first touch, N/mm2 (N per mm of indentation and mm of length).
    pub stiffness_n_per_mm2: f64,
    /// Indentation over which the wall stiffens e-fold, mm.
    pub stiffening_mm: f64,
    /// Length that a tip adds to its own half edge as its patch, mm.
    pub tip_patch_mm: f64,
    /// Factor on every device's friction coefficient (1 wet).
    pub friction_factor: f64,
}

impl Default for WallLaw {
    fn default() -> Self {
        Self { stiffness_n_per_mm2: 0.15, stiffening_mm: 0.4, tip_patch_mm: 1.0, friction_factor: 1.0 }
    }
}

impl WallLaw {
    /// Energy (N mm), force (N) and stiffness (N/mm) of a contact of `length_mm` indented by `depth_mm` (>= 0).
    pub fn response(&self, depth_mm: f64, length_mm: f64) -> (f64, f64, f64) {
        let (k, d0) = (self.stiffness_n_per_mm2 * length_mm, self.stiffening_mm);
        let knee = 4.0 * d0;
        let at = depth_mm.min(knee);
        let e = (at / d0).exp();
        let (w, f, s) = (k * d0 * (d0 * (e - 1.0) - at), k * d0 * (e - 1.0), k * e);
        let beyond = depth_mm - at;
        (w + f * beyond + 0.5 * s * beyond * beyond, f + s * beyond, s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn force_is_the_slope_of_the_energy_on_both_sides_of_the_knee() {
        let law = WallLaw::default();
        for d in [0.05, 0.7, 1.59, 1.61, 2.5] {
            let h = 1e-5;
            let (hi, lo) = (law.response(d + h, 3.0), law.response(d - h, 3.0));
            let (_, f, s) = law.response(d, 3.0);
            assert!(((hi.0 - lo.0) / (2.0 * h) - f).abs() < 1e-6 * f, "force at {d}");
            assert!(((hi.1 - lo.1) / (2.0 * h) - s).abs() < 1e-4 * s, "stiffness at {d}");
        }
    }
}
