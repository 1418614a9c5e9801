//! Every unit factor, once. Mechanics is coherent in mm, N, s (mass in tonnes); blood in mL, mmHg, s.

use serde::{Deserialize, Serialize};

/// 1 mmHg in N/mm2 (MPa).
pub const N_PER_MM2_PER_MMHG: f64 = 1.333_22e-4;
/// 1 mL in mm3.
pub const MM3_PER_ML: f64 = 1000.0;
/// Viscosity: 1 mPa s (cP) in mmHg s. 1 mPa s = 1e-3 Pa s; 1 mmHg = 133.322 Pa.
pub const MMHG_S_PER_MPA_S: f64 = 1.0e-3 / 133.322;
/// Blood density, tonne/mm3 (1060 kg/m3).
pub const BLOOD_DENSITY_T_PER_MM3: f64 = 1.06e-9;
/// Blood viscosity taken as Newtonian, mPa s (`clinical.md` A3).
pub const BLOOD_VISCOSITY_MPA_S: f64 = 3.5;
/// Seconds in a simulation tick.
pub const TICK_S: f64 = 1.0 / 60.0;
/// Simulation ticks in a second.
pub const TICKS_PER_S: u64 = 60;
/// N/mm2 of 1 atm.
pub const N_PER_MM2_PER_ATM: f64 = 0.101_325;
/// 1 kPa-free helper: 1 psi in mmHg.
pub const MMHG_PER_PSI: f64 = 51.7149;

/// Outer size in French: 1 F = 1/3 mm of outer diameter.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrenchSize(pub f64);

impl FrenchSize {
    /// Diameter in mm.
    pub fn to_mm(self) -> f64 {
        self.0 / 3.0
    }
}

/// A length in inches, as wires and lumens are sold.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inches(pub f64);

impl Inches {
    /// Length in mm.
    pub fn to_mm(self) -> f64 {
        self.0 * 25.4
    }
}

/// An angle in degrees, as files and screens have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Degrees(pub f64);

impl Degrees {
    /// The angle in radians.
    pub fn to_rad(self) -> f64 {
        self.0.to_radians()
    }
}
