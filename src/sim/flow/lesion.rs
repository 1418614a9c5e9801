//! Stenoses: narrower cells and the pressure loss of Young and Tsai.

use super::network::{Network, inertance};
use crate::anatomy::{VesselId, VesselTree};
use crate::scenario::Lesion;
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

/// A stenosis on a branch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Narrowing {
    vessel: VesselId,
    from_mm: f64,
    to_mm: f64,
    open_share: f64,
    open_diameter_mm: f64,
}

/// The stenoses among the lesions.
pub(super) fn narrowings(tree: &VesselTree, lesions: &[Lesion]) -> Vec<Narrowing> {
    let mut out = Vec::new();
    for lesion in lesions {
        let Lesion::Stenosis { vessel, at_mm, length_mm, diameter_reduction_pct } = lesion else { continue };
        let Some(vessel) = tree.find(vessel) else { continue };
        if *length_mm > 0.0 && *diameter_reduction_pct > 0.0 {
            out.push(Narrowing {
                vessel,
                from_mm: at_mm - 0.5 * length_mm,
                to_mm: at_mm + 0.5 * length_mm,
                open_share: (1.0 - diameter_reduction_pct / 100.0).max(LEAST_OPEN),
                open_diameter_mm: 2.0 * tree.branch(vessel).at(*at_mm).radius_mm,
            });
        }
    }
    out
}

impl Narrowing {
    /// Share of the open diameter at an arc length: a cosine-shaped constriction.
    fn open_at(&self, arc_mm: f64) -> f64 {
        let x = (arc_mm - self.from_mm) / (self.to_mm - self.from_mm);
        if !(0.0..=1.0).contains(&x) {
            return 1.0;
        }
        1.0 - (1.0 - self.open_share) * 0.5 * (1.0 - (std::f64::consts::TAU * x).cos())
    }

    /// Narrows the cells and lays the loss of Young and Tsai over them in place of Poiseuille's.
    pub(super) fn narrow(&self, net: &mut Network) {
        let b = net.branches[self.vessel.idx()];
        let loss = young_tsai(
            self.open_diameter_mm,
            self.open_diameter_mm * self.open_share,
            self.to_mm - self.from_mm,
        );
        let half_mm = 0.5 * b.cell_mm;
        let lumen_end_mm = b.start_mm + b.cell_mm * f64::from(b.cells);
        let covered_mm = (self.to_mm.min(lumen_end_mm) - self.from_mm.max(b.start_mm)).max(1e-9);
        for k in 0..b.cells {
            let cell = (b.cell0 + k) as usize;
            for h in 0..2 {
                let from = b.start_mm + f64::from(k) * b.cell_mm + h as f64 * half_mm;
                let share = ((self.to_mm.min(from + half_mm) - self.from_mm.max(from)) / half_mm).max(0.0);
                if share <= 0.0 {
                    continue;
                }
                let r = net.half_radius_mm[cell][h];
                let part = share * half_mm / covered_mm;
                net.half_resistance[cell][h] =
                    (1.0 - share) * net.half_resistance[cell][h] + part * loss.viscous;
                net.half_inertance[cell][h] = inertance(r, (1.0 - share) * half_mm) + part * loss.inertance;
                net.half_radius_mm[cell][h] = r * self.open_at(from + 0.5 * half_mm);
            }
            let [r0, r1] = net.half_radius_mm[cell];
            let open = (0.5 * (r0 * r0 + r1 * r1)) / net.radius_mm[cell].powi(2);
            net.radius_mm[cell] *= open.sqrt();
            net.volume_ml[cell] *= open;
            net.compliance_ml_per_mmhg[cell] *= open;
        }
        // The jet's energy is lost behind the throat: the loss sits on the face nearest the middle of the lesion.
        let middle = ((0.5 * (self.from_mm + self.to_mm) - b.start_mm) / b.cell_mm).round();
        let face = b.face0 + middle.clamp(0.0, f64::from(b.cells - 1)) as u32;
        net.face_quadratic[face as usize] += loss.turbulent;
    }
}
