//! Dose quantities that the room shows: kerma-area product, levels of alert, reference levels of procedures.

use serde::{Deserialize, Serialize};

use super::control::REFERENCE_DISTANCE_MM;
use super::geometry::CArm;

/// Kerma-area product of an air kerma at the reference point, Gy cm2: kerma times the open field there.
pub fn kerma_area_gy_cm2(air_kerma_mgy: f64, arm: &CArm) -> f64 {
    let (across, along) = arm.open_field_mm();
    let shrink = REFERENCE_DISTANCE_MM / arm.sid_mm;
    air_kerma_mgy / 1000.0 * (across * shrink / 10.0) * (along * shrink / 10.0)
}

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DoseQuantity {
    /// Largest dose to any place of the skin, mGy.
    PeakSkinDose,
    /// Air kerma at the reference point, mGy.
    AirKerma,
    /// Kerma-area product, Gy cm2.
    KermaArea,
    /// Fluoroscopy time, min.
    FluoroTime,
}

/// Levels of notification of one quantity: the first, then every further step, and the substantial dose level that asks for
/// follow-up (SIR guideline, Stecker 2009; NCRP report 168) `[K]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertLevels {
    /// Which.
    pub quantity: DoseQuantity,
    /// Its unit.
    pub unit: &'static str,
    /// First notification.
    pub first: f64,
    /// Then each.
    pub step: f64,
    /// Substantial radiation dose level.
    pub substantial: f64,
}

/// The published levels.
pub const ALERTS: [AlertLevels; 4] = [
    level(DoseQuantity::PeakSkinDose, "mGy", 2000.0, 500.0, 3000.0),
    level(DoseQuantity::AirKerma, "mGy", 3000.0, 1000.0, 5000.0),
    level(DoseQuantity::KermaArea, "Gy cm2", 300.0, 100.0, 500.0),
    level(DoseQuantity::FluoroTime, "min", 30.0, 15.0, 60.0),
];

const fn level(
    quantity: DoseQuantity,
    unit: &'static str,
    first: f64,
    step: f64,
    substantial: f64,
) -> AlertLevels {
    AlertLevels { quantity, unit, first, step, substantial }
}

impl AlertLevels {
    /// Notifications due at a value: 0 below the first level.
    pub fn due(&self, value: f64) -> u32 {
        if value < self.first { 0 } else { 1 + ((value - self.first) / self.step) as u32 }
    }

    /// The level of the n-th notification, n from 1.
    pub fn level_of(&self, n: u32) -> f64 {
        self.first + self.step * f64::from(n.saturating_sub(1))
    }
}

/// Reference level of a procedure: kerma-area product, Gy cm2, with its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceLevel {
    /// Procedure, as case files name it.
    pub procedure: &'static str,
    /// In words.
    pub label: &'static str,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
    /// Whose survey.
    pub source: &'static str,
}

const fn reference(
    procedure: &'static str,
    label: &'static str,
    kap_gy_cm2: f64,
    source: &'static str,
) -> ReferenceLevel {
    ReferenceLevel { procedure, label, kap_gy_cm2, source }
}

/// Published diagnostic reference levels (third quartiles, except medians where said).
pub const REFERENCE_LEVELS: [ReferenceLevel; 12] = [
    reference("Fistulography", "Fistulography", 12.0, "Spain 2009"),
    reference("LowerLimb", "Lower limb arteriography", 73.0, "Spain 2009"),
    reference("Renal", "Renal arteriography", 89.0, "Spain 2009"),
    reference("BiliaryDrainage", "Biliary drainage", 80.0, "Spain 2009"),
    reference("Tace", "Chemoembolization of the liver", 289.0, "Spain 2009"),
    reference("IliacStent", "Iliac stent", 94.0, "Spain 2009"),
    reference("UterineEmbolization", "Uterine artery embolization", 236.0, "Spain 2009"),
    reference("CerebralAngiography", "Cerebral angiography", 125.0, "Switzerland"),
    reference("CerebralEmbolization", "Cerebral embolization", 440.0, "Switzerland"),
    reference("Iliac", "Iliac and lower limb angiography", 210.0, "Switzerland"),
    reference("Nephrostomy", "Nephrostomy", 24.0, "United Kingdom, median"),
    reference("Tips", "Transjugular portosystemic shunt", 347.0, "United Kingdom, median"),
];

/// The level of a procedure by its name in case files.
pub fn reference_level(procedure: &str) -> Option<&'static ReferenceLevel> {
    REFERENCE_LEVELS.iter().find(|r| r.procedure == procedure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_come_at_the_published_levels() {
        let kerma = &ALERTS[1];
        let due: Vec<u32> = [2999.0, 3000.0, 3999.0, 4000.0, 5000.0].iter().map(|v| kerma.due(*v)).collect();
        assert_eq!(due, [0, 1, 1, 2, 3]);
        assert_eq!(kerma.level_of(3), kerma.substantial);
        let time = &ALERTS[3];
        assert_eq!((time.due(29.9), time.due(45.0), time.level_of(2)), (0, 2, 45.0));
    }
}
