//! Drugs: dose, onset, decay.

use serde::{Deserialize, Serialize};

/// A drug of the nurse's list. Onset and half-life are estimates `[K]` unless a source is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drug {
    /// Id in commands and case files.
    pub id: &'static str,
    /// Unit of its dose.
    pub unit: &'static str,
    /// Largest single dose taken.
    pub max_dose: f64,
    /// Time constant with which it comes to act, s.
    pub onset_s: f64,
    /// Half-life of its effect, s.
    pub half_life_s: f64,
}

/// The list. Heparin's half-life: `clinical.md` A6.
pub const DRUGS: [Drug; 10] = [
    Drug { id: "adrenaline", unit: "ug", max_dose: 500.0, onset_s: 45.0, half_life_s: 300.0 },
    Drug { id: "atropine", unit: "mg", max_dose: 3.0, onset_s: 30.0, half_life_s: 1800.0 },
    Drug { id: "fentanyl", unit: "ug", max_dose: 500.0, onset_s: 90.0, half_life_s: 1800.0 },
    Drug { id: "fluids", unit: "mL", max_dose: 2000.0, onset_s: 240.0, half_life_s: 2400.0 },
    Drug { id: "glucagon", unit: "mg", max_dose: 2.0, onset_s: 45.0, half_life_s: 600.0 },
    Drug { id: "heparin", unit: "IU", max_dose: 20_000.0, onset_s: 90.0, half_life_s: 3600.0 },
    Drug { id: "midazolam", unit: "mg", max_dose: 10.0, onset_s: 120.0, half_life_s: 3600.0 },
    Drug { id: "nitroglycerin", unit: "ug", max_dose: 1000.0, onset_s: 15.0, half_life_s: 150.0 },
    Drug { id: "noradrenaline", unit: "ug", max_dose: 100.0, onset_s: 10.0, half_life_s: 100.0 },
    Drug { id: "protamine", unit: "mg", max_dose: 100.0, onset_s: 60.0, half_life_s: 900.0 },
];

/// Amounts of one drug in the patient, in its dose unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrugLevel {
    /// Given, not yet acting.
    pub pending: f64,
    /// Acting.
    pub active: f64,
    /// Given in total.
    pub total: f64,
}

impl DrugLevel {
    /// First-order onset and decay over `dt_s` (exact for each in turn); returns what has come to act.
    pub(super) fn advance(&mut self, drug: &Drug, dt_s: f64) -> f64 {
        let moved = self.pending * (1.0 - (-dt_s / drug.onset_s).exp());
        self.pending -= moved;
        self.active = self.active * (-dt_s * std::f64::consts::LN_2 / drug.half_life_s).exp() + moved;
        moved
    }
}
