//! Stenoses: narrower cells and the pressure loss of Young and Tsai.

use super::live::LiveLumen;
use super::network::Network;
use crate::anatomy::{LesionDescription, VesselId, VesselPlace, VesselTree};
use crate::units::{
    BLOOD_DENSITY_T_PER_MM3, BLOOD_VISCOSITY_MPA_S, MM3_PER_ML, MMHG_S_PER_MPA_S, N_PER_MM2_PER_MMHG,
};

/// Turbulence coefficient of Young and Tsai.
const KT: f64 = 1.52;
/// Inertia coefficient of Young and Tsai.
const KU: f64 = 1.2;
/// Narrower than this share of the open diameter counts as occluded; keeps resistances finite.
const LEAST_OPEN: f64 = 0.01;

/// Loss coefficients of a stenosis: `dP = viscous Q + turbulent Q |Q| + inertance dQ/dt`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StenosisLoss {
    /// mmHg s/mL.
    pub viscous: f64,
    /// mmHg s2/mL2.
    pub turbulent: f64,
    /// mmHg s2/mL.
    pub inertance: f64,
}

/// Young and Tsai (1973), J Biomech 6:395: `dP = Kv mu U / D0 + Kt/2 rho (A0/A1 - 1)^2 U |U| + Ku rho L dU/dt`,
/// `Kv = 32 (0.83 L + 1.64 D1) / D0 (A0/A1)^2`, `Kt` = 1.52, `Ku` = 1.2; blunt axisymmetric stenosis, Re up to 1000.
pub fn young_tsai(open_diameter_mm: f64, throat_diameter_mm: f64, length_mm: f64) -> StenosisLoss {
    let (d0, d1) = (open_diameter_mm, throat_diameter_mm);
    let a0 = 0.25 * std::f64::consts::PI * d0 * d0;
    let ratio = (d0 / d1).powi(2);
    let kv = 32.0 * (0.83 * length_mm + 1.64 * d1) / d0 * ratio * ratio;
    let mu = BLOOD_VISCOSITY_MPA_S * MMHG_S_PER_MPA_S;
    let rho = BLOOD_DENSITY_T_PER_MM3 / N_PER_MM2_PER_MMHG;
    StenosisLoss {
        viscous: kv * mu / (d0 * a0) * MM3_PER_ML,
        turbulent: 0.5 * KT * rho * (ratio - 1.0).powi(2) / (a0 * a0) * MM3_PER_ML * MM3_PER_ML,
        inertance: KU * rho * length_mm / a0 * MM3_PER_ML,
    }
}

/// A narrowing on a branch: stenosis, clot or occlusion.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Narrowing {
    vessel: VesselId,
    from_mm: f64,
    to_mm: f64,
    /// Share of the open diameter at the throat before treatment.
    pub open_share: f64,
    open_diameter_mm: f64,
    /// Gives the profile along it.
    lesion: LesionDescription,
}

/// The narrowings among the lesions, of a tree whose radii are those without them.
pub(super) fn narrowings(tree: &VesselTree, lesions: &[LesionDescription]) -> Vec<Narrowing> {
    let narrowing = |lesion: &LesionDescription| {
        let place = lesion.on(tree)?;
        let radius_mm = tree.branch(place.vessel).at(place.arc_mm).radius_mm;
        let share = lesion.open_share(radius_mm).filter(|share| *share < 1.0 && lesion.length_mm() > 0.0)?;
        Some(Narrowing {
            vessel: place.vessel,
            from_mm: place.arc_mm - 0.5 * lesion.length_mm(),
            to_mm: place.arc_mm + 0.5 * lesion.length_mm(),
            open_share: share.max(LEAST_OPEN),
            open_diameter_mm: 2.0 * radius_mm,
            lesion: lesion.clone(),
        })
    };
    lesions.iter().filter_map(narrowing).collect()
}

impl Narrowing {
    /// Share of the open diameter at an arc length, at most as wide as the vessel.
    fn open_at(&self, open_share: f64, arc_mm: f64) -> f64 {
        let along = arc_mm - 0.5 * (self.from_mm + self.to_mm);
        1.0 - (1.0 - open_share) * self.lesion.weight(along, 0.5 * self.open_diameter_mm)
    }

    /// Branch and stretch, mm.
    pub(super) fn stretch(&self) -> (VesselId, f64, f64) {
        (self.vessel, self.from_mm, self.to_mm)
    }

    /// Places two open diameters before it and five behind it, where the pressure has recovered.
    pub(super) fn around(&self) -> [VesselPlace; 2] {
        let at = |arc_mm: f64| VesselPlace { vessel: self.vessel, arc_mm };
        [
            at((self.from_mm - 2.0 * self.open_diameter_mm).max(0.0)),
            at(self.to_mm + 5.0 * self.open_diameter_mm),
        ]
    }

    /// Narrows the cells and lays the loss of Young and Tsai over them in place of Poiseuille's; `open_share` of the
    /// open diameter is left at the throat (1: dilated to the healthy size).
    pub(super) fn narrow(&self, net: &Network, live: &mut LiveLumen, open_share: f64) {
        let open_share = if open_share.is_finite() { open_share.clamp(LEAST_OPEN, 1.0) } else { 1.0 };
        if open_share >= 1.0 {
            return;
        }
        let b = net.branches[self.vessel.idx()];
        let loss =
            young_tsai(self.open_diameter_mm, self.open_diameter_mm * open_share, self.to_mm - self.from_mm);
        let half_mm = 0.5 * b.cell_mm;
        let lumen_end_mm = b.start_mm + b.cell_mm * f64::from(b.cells);
        let covered_mm = (self.to_mm.min(lumen_end_mm) - self.from_mm.max(b.start_mm)).max(1e-9);
        for (cell, shares) in net.covered(self.vessel, self.from_mm, self.to_mm) {
            let k = cell as u32 - b.cell0;
            let before = live.half_radius_mm[cell];
            for (h, share) in shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
                let from = b.start_mm + (f64::from(k) + 0.5 * h as f64) * b.cell_mm;
                let part = share * half_mm / covered_mm;
                // What else has narrowed these cells keeps its factor.
                let other = live.half_resistance[cell][h] / net.half_resistance[cell][h];
                live.half_resistance[cell][h] = ((1.0 - share) * net.half_resistance[cell][h]
                    + part * loss.viscous * net.viscosity_ratio[cell])
                    * other;
                live.half_inertance[cell][h] =
                    (1.0 - share) * live.half_inertance[cell][h] + part * loss.inertance;
                live.half_radius_mm[cell][h] *= self.open_at(open_share, from + 0.5 * half_mm);
            }
            let square = |r: [f64; 2]| r[0] * r[0] + r[1] * r[1];
            live.area_factor[cell] *= square(live.half_radius_mm[cell]) / square(before);
        }
        // The jet's energy is lost behind the throat: the loss sits on the face nearest the middle of the lesion.
        let middle = ((0.5 * (self.from_mm + self.to_mm) - b.start_mm) / b.cell_mm).round();
        let face = b.face0 + middle.clamp(0.0, f64::from(b.cells - 1)) as u32;
        live.face_quadratic[face as usize] += loss.turbulent;
    }
}
