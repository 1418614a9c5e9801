//! A lumen as a row of plugs of fluid from tip to hub, and the pressure that drives fluid through it.

use serde::{Deserialize, Serialize};

use super::injector::LumenInput;
use crate::device::Embolic;
use crate::sim::command::ToolId;
use crate::units::{MM3_PER_ML, MMHG_S_PER_MPA_S, N_PER_MM2_PER_MMHG};

/// Share of the volume of a withdrawn device that is air, the rest is blood and saline drawn in behind it `[K]`.
const AIR_SHARE: f64 = 0.3;
/// Viscosity of carbon dioxide at body temperature, mPa s.
const GAS_VISCOSITY_MPA_S: f64 = 0.0155;
/// Density of carbon dioxide at body temperature, tonne/mm3 (1.75 kg/m3; taken as incompressible).
const GAS_DENSITY_T_PER_MM3: f64 = 1.75e-12;
/// Clotting time below which a still column of blood in a lumen clots, s (`clinical.md` A6).
const CLOTTING_ACT_S: f64 = 200.0;
/// How long it must stand still before, s (`clinical.md` A6).
const CLOTTING_DWELL_S: f64 = 600.0;
/// Time in which a clot then fills the lumen at the tip, s `[K]`.
const CLOTTING_TIME_S: f64 = 300.0;
/// Density of contrast, tonne/mm3 (1300 kg/m3 `[K]`).
const CONTRAST_DENSITY_T_PER_MM3: f64 = 1.3e-9;
/// Viscosity of iodinated contrast at 37 C by iodine, mg/mL and mPa s (`clinical.md` A5; saline `[K]`).
const VISCOSITY_BY_IODINE: [(f64, f64); 5] =
    [(0.0, 0.7), (240.0, 3.3), (300.0, 6.1), (350.0, 10.6), (400.0, 18.0)];

/// A fluid in syringe, lumen or at an opening.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// Iodine, mg/mL.
    pub iodine_mg_per_ml: f64,
    /// Pure contrast per volume, for what was given.
    pub contrast_share: f64,
    /// Embolic of the tray and its particles per mL.
    pub particles: Option<(usize, f64)>,
    /// Share of the volume that is carbon dioxide.
    pub gas_share: f64,
}

impl Mixture {
    /// Contrast diluted to a share.
    pub fn contrast(share: f64, mg_i_per_ml: f64) -> Self {
        Self { iodine_mg_per_ml: share * mg_i_per_ml, contrast_share: share, ..Self::saline() }
    }

    /// Saline.
    pub fn saline() -> Self {
        Self { iodine_mg_per_ml: 0.0, contrast_share: 0.0, particles: None, gas_share: 0.0 }
    }

    /// Carbon dioxide.
    pub fn carbon_dioxide() -> Self {
        Self { gas_share: 1.0, ..Self::saline() }
    }

    /// The rest of the volume is an embolic suspension as drawn up, `strength` of the whole; its contrast comes with the vial and
    /// is not drawn from the room's stock.
    pub fn with_embolic(self, index: usize, embolic: &Embolic, strength: f64) -> Self {
        Self {
            iodine_mg_per_ml: self.iodine_mg_per_ml + strength * embolic.iodine_mg_per_ml,
            particles: Some((index, strength * embolic.particles_per_ml)),
            ..self
        }
    }

    /// Viscosity by iodine content, mPa s, logarithmic between the table's points.
    pub fn viscosity_mpa_s(&self) -> f64 {
        if self.gas_share > 0.5 {
            return GAS_VISCOSITY_MPA_S;
        }
        let x = self.iodine_mg_per_ml;
        for w in VISCOSITY_BY_IODINE.windows(2) {
            if x <= w[1].0 {
                let t = ((x - w[0].0) / (w[1].0 - w[0].0)).max(0.0);
                return (w[0].1.ln() + t * (w[1].1.ln() - w[0].1.ln())).exp();
            }
        }
        VISCOSITY_BY_IODINE[4].1
    }
}

/// What a lumen holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Lumen {
    /// Device.
    pub tool: ToolId,
    /// Plugs from tip to hub, mL each.
    plugs: Vec<(Mixture, f64)>,
    /// Device inside in the last tick, mm.
    inside_diameter_mm: f64,
    /// Air that the next injection would push out, mL.
    pub air_ml: f64,
    /// Time since something last moved through it, s.
    still_s: f64,
    /// Share of the bore at the tip that a clot fills, 0 to 1.
    pub clot_share: f64,
}

/// Volume between lumen wall and the device in it, mL.
fn dead_volume_ml(input: &LumenInput) -> f64 {
    let area = input.inner_diameter_mm.powi(2) - input.inside_diameter_mm.powi(2);
    0.25 * std::f64::consts::PI * area.max(0.0) * input.length_mm / MM3_PER_ML
}

impl Lumen {
    /// A lumen flushed on the table.
    pub(super) fn new(input: &LumenInput) -> Self {
        let plugs = vec![(Mixture::saline(), dead_volume_ml(input))];
        Self {
            tool: input.tool,
            plugs,
            inside_diameter_mm: input.inside_diameter_mm,
            air_ml: 0.0,
            still_s: 0.0,
            clot_share: 0.0,
        }
    }

    /// Blood that has crept into a lumen which nothing moves through clots, unless the clotting time is long.
    pub(super) fn stand(&mut self, input: &LumenInput, act_s: f64, dt_s: f64) {
        if input.openings.is_empty() {
            self.still_s = 0.0;
            return;
        }
        self.still_s += dt_s;
        if self.still_s > CLOTTING_DWELL_S && act_s < CLOTTING_ACT_S {
            self.clot_share = (self.clot_share + dt_s / CLOTTING_TIME_S).min(1.0);
        }
    }

    /// Follows the device inside: one that enters displaces fluid out of the hub, one that left lets air in.
    pub(super) fn follow(&mut self, input: &LumenInput) {
        let left = self.inside_diameter_mm > 0.0 && input.inside_diameter_mm <= 0.0;
        if left {
            let gone =
                0.25 * std::f64::consts::PI * self.inside_diameter_mm.powi(2) * input.length_mm / MM3_PER_ML;
            self.air_ml += AIR_SHARE * gone;
        }
        self.inside_diameter_mm = input.inside_diameter_mm;
        let over = self.volume_ml() - dead_volume_ml(input);
        if over > 1e-9 {
            self.drop_at_hub(over);
        } else if over < -1e-9 {
            self.add_at_hub(Mixture::saline(), -over);
        }
    }

    /// Aspirated and filled with saline.
    pub(super) fn flush(&mut self) {
        let volume = self.volume_ml();
        self.plugs.clear();
        self.plugs.push((Mixture::saline(), volume));
        self.air_ml = 0.0;
        self.still_s = 0.0;
        self.clot_share = 0.0;
    }

    /// Fluid at the tip and its length as volume, mL.
    pub(super) fn front(&self) -> Option<(Mixture, f64)> {
        self.plugs.first().copied()
    }

    fn volume_ml(&self) -> f64 {
        self.plugs.iter().map(|p| p.1).sum()
    }

    fn add_at_hub(&mut self, mixture: Mixture, ml: f64) {
        match self.plugs.last_mut() {
            Some(last) if last.0 == mixture => last.1 += ml,
            _ => self.plugs.push((mixture, ml)),
        }
    }

    fn drop_at_hub(&mut self, mut ml: f64) {
        while let Some(last) = self.plugs.last_mut() {
            if last.1 > ml {
                last.1 -= ml;
                return;
            }
            ml -= last.1;
            self.plugs.pop();
        }
    }

    /// Pushes fluid in at the hub; what leaves at the tip, oldest first, adds up to the same volume.
    pub(super) fn push(&mut self, mixture: Mixture, ml: f64) -> Vec<(Mixture, f64)> {
        self.add_at_hub(mixture, ml);
        self.still_s = 0.0;
        let mut out = Vec::new();
        let mut left = ml;
        while left > 0.0 && !self.plugs.is_empty() {
            let first = &mut self.plugs[0];
            if first.1 > left {
                first.1 -= left;
                out.push((first.0, left));
                left = 0.0;
            } else {
                left -= first.1;
                out.push(self.plugs.remove(0));
            }
        }
        out
    }

    /// Viscosity averaged over what fills the lumen, mPa s; of `coming` where it holds nothing.
    pub(super) fn viscosity_mpa_s(&self, coming: &Mixture) -> f64 {
        let volume = self.volume_ml();
        if volume <= 1e-9 {
            return coming.viscosity_mpa_s();
        }
        self.plugs.iter().map(|(m, v)| m.viscosity_mpa_s() * v).sum::<f64>() / volume
    }
}

/// Pressure drop along a lumen, mmHg: `f L/D rho v^2 / 2` with `f = 64/Re`, from Re 2300 on the larger of that and
/// Blasius' `0.316 Re^-0.25`; with a device inside, the laminar annulus (eccentric).
pub fn pressure_drop_mmhg(input: &LumenInput, viscosity_mpa_s: f64, flow_ml_per_s: f64) -> f64 {
    let d = input.inner_diameter_mm;
    let area = 0.25 * std::f64::consts::PI * d * d;
    let flow_mm3_per_s = flow_ml_per_s * MM3_PER_ML;
    let mu = viscosity_mpa_s * MMHG_S_PER_MPA_S;
    let laminar = 128.0 * mu * input.length_mm * flow_mm3_per_s / (std::f64::consts::PI * d.powi(4));
    if input.inside_diameter_mm > 0.0 {
        return laminar * crate::sim::flow::annulus_factor(input.inside_diameter_mm / d);
    }
    let is_gas = viscosity_mpa_s < 2.0 * GAS_VISCOSITY_MPA_S;
    let density = if is_gas { GAS_DENSITY_T_PER_MM3 } else { CONTRAST_DENSITY_T_PER_MM3 };
    let rho = density / N_PER_MM2_PER_MMHG;
    let v = flow_mm3_per_s / area;
    let reynolds = rho * v * d / mu;
    if reynolds <= 2300.0 {
        return laminar;
    }
    let turbulent = 0.316 * reynolds.powf(-0.25) * input.length_mm / d * 0.5 * rho * v * v;
    laminar.max(turbulent)
}

/// Resistance of a lumen filled with saline to the small flows of a pressure line, mmHg s/mL (laminar).
pub fn saline_resistance_mmhg_s_per_ml(input: &LumenInput) -> f64 {
    const SMALL_ML_PER_S: f64 = 1e-3;
    pressure_drop_mmhg(input, Mixture::saline().viscosity_mpa_s(), SMALL_ML_PER_S) / SMALL_ML_PER_S
}

/// Largest flow that a pressure drives through a lumen, mL/s (inverse of [`pressure_drop_mmhg`] by bisection).
pub fn lumen_flow_ml_per_s(input: &LumenInput, viscosity_mpa_s: f64, pressure_mmhg: f64) -> f64 {
    if pressure_mmhg <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if pressure_drop_mmhg(input, viscosity_mpa_s, middle) < pressure_mmhg {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
