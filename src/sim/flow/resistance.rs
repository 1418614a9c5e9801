//! Closed forms of single tubes.

use crate::anatomy::Branch;
use crate::units::{
    BLOOD_DENSITY_T_PER_MM3, BLOOD_VISCOSITY_MPA_S, MM3_PER_ML, MMHG_S_PER_MPA_S, N_PER_MM2_PER_MMHG,
};

/// Half a cell: what its radius samples integrate to.
pub(super) struct Half {
    /// Mean radius, mm.
    pub radius_mm: f64,
    /// Resistance, mmHg s/mL.
    pub resistance: f64,
    /// Inertance, mmHg s2/mL.
    pub inertance: f64,
    /// Volume, mm3.
    pub volume_mm3: f64,
}

/// Poiseuille resistance `8 mu / pi * integral of r^-4`, inertance `rho * integral of 1/A`, volume; four samples.
pub(super) fn half_of(branch: &Branch, from_mm: f64, length_mm: f64) -> Half {
    const SAMPLES: u32 = 4;
    let step = length_mm / f64::from(SAMPLES);
    let mut half = Half { radius_mm: 0.0, resistance: 0.0, inertance: 0.0, volume_mm3: 0.0 };
    for s in 0..SAMPLES {
        let r = branch.at(from_mm + (f64::from(s) + 0.5) * step).radius_mm.max(0.02);
        half.radius_mm += r / f64::from(SAMPLES);
        half.resistance += poiseuille(r, step);
        half.inertance += inertance(r, step);
        half.volume_mm3 += std::f64::consts::PI * r * r * step;
    }
    half
}

/// The same of a straight tube.
pub(super) fn half_of_tube(radius_mm: f64, length_mm: f64) -> Half {
    Half {
        radius_mm,
        resistance: poiseuille(radius_mm, length_mm),
        inertance: inertance(radius_mm, length_mm),
        volume_mm3: std::f64::consts::PI * radius_mm * radius_mm * length_mm,
    }
}

/// Poiseuille resistance of a tube, `8 mu L / (pi r^4)`, mmHg s/mL; blood taken as Newtonian (3.5 mPa s).
pub fn poiseuille(radius_mm: f64, length_mm: f64) -> f64 {
    let mu = BLOOD_VISCOSITY_MPA_S * MMHG_S_PER_MPA_S;
    8.0 * mu * length_mm / (std::f64::consts::PI * radius_mm.powi(4)) * MM3_PER_ML
}

/// Inertance of a tube, `rho L / A`, mmHg s2/mL.
pub fn inertance(radius_mm: f64, length_mm: f64) -> f64 {
    let rho = BLOOD_DENSITY_T_PER_MM3 / N_PER_MM2_PER_MMHG;
    rho * length_mm / (std::f64::consts::PI * radius_mm * radius_mm) * MM3_PER_ML
}

/// Resistance of the gap between a device and the wall, per open resistance of the same tube, at least 1.
///
/// `1 / ((1 - k^4 + (1 - k^2)^2 / ln k) (1 + 1.5 k))` with `k` the share of the diameter that it fills: the concentric
/// annulus (White, Viscous Fluid Flow, eq. 3-51), relieved by up to 2.5 since a device lies on the wall (narrow gap, Snyder
/// and Goldstein 1965); the relief in between is an interpolation.
pub fn annulus_factor(filled: f64) -> f64 {
    let k = filled.clamp(0.0, 0.995);
    if k < 1e-6 {
        return 1.0;
    }
    let k2 = k * k;
    let open = 1.0 - k2 * k2 + (1.0 - k2) * (1.0 - k2) / k.ln();
    (1.0 / (open * (1.0 + 1.5 * k))).max(1.0)
}

/// Characteristic impedance `rho c / A` with `c^2 = Ep / (2 rho)`, mmHg s/mL.
pub(super) fn characteristic_impedance(diameter_mm: f64, ep_mmhg: f64) -> f64 {
    let rho = BLOOD_DENSITY_T_PER_MM3 / N_PER_MM2_PER_MMHG;
    let speed = (ep_mmhg / (2.0 * rho)).sqrt();
    rho * speed / (0.25 * std::f64::consts::PI * diameter_mm * diameter_mm) * MM3_PER_ML
}
