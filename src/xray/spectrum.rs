//! Spectra of the tube and what filters make of them.
//!
//! Table `assets/xray/spectra.csv`: tungsten anode, 11 degrees, 2.5 mm aluminum; see `SOURCE.md` beside it.

use std::sync::OnceLock;

use super::attenuation::{Substance, air_energy_absorption_cm2_per_g, parse_table};

/// Tube voltages of the table, kV.
pub const MIN_TUBE_KV: f64 = 40.0;
/// Highest tube voltage of the table, kV.
pub const MAX_TUBE_KV: f64 = 125.0;
/// Width of the bins, keV.
const BIN_KEV: f64 = 1.0;
/// 1 keV in J.
const J_PER_KEV: f64 = 1.602_177e-16;

/// A spectrum: photons per bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Energies, keV.
    pub energies_kev: Vec<f64>,
    /// Photons per mm2 and mAs at 1000 mm from the focal spot.
    pub photons_per_mm2: Vec<f64>,
}

impl Spectrum {
    /// Spectrum of the tube at a voltage (linear between the 5 kV steps of the table) behind added copper.
    pub fn tube(tube_kv: f64, copper_mm: f64) -> Self {
        let table = table();
        let at = (tube_kv.clamp(MIN_TUBE_KV, MAX_TUBE_KV) - MIN_TUBE_KV) / 5.0;
        let column = (at.floor() as usize).min(table.voltages - 2);
        let t = at - column as f64;
        let photons_per_mm2 = table
            .rows
            .iter()
            .map(|r| (r[1 + column] * (1.0 - t) + r[2 + column] * t) * BIN_KEV / 100.0)
            .collect();
        let bare = Self { energies_kev: table.rows.iter().map(|r| r[0]).collect(), photons_per_mm2 };
        bare.behind(Substance::Copper, copper_mm)
    }

    /// What passes a thickness of a substance of its own density, mm: Beer and Lambert, narrow beam.
    pub fn behind(&self, substance: Substance, thickness_mm: f64) -> Self {
        let photons_per_mm2 = self
            .energies_kev
            .iter()
            .zip(&self.photons_per_mm2)
            .map(|(e, n)| n * (-substance.linear_per_mm(*e) * thickness_mm).exp())
            .collect();
        Self { energies_kev: self.energies_kev.clone(), photons_per_mm2 }
    }

    /// Air kerma per mAs at 1000 mm, uGy: sum of `n E mu_en / rho`.
    pub fn air_kerma_ugy_per_mas(&self) -> f64 {
        let j_per_g: f64 = self
            .energies_kev
            .iter()
            .zip(&self.photons_per_mm2)
            .map(|(e, n)| n * 100.0 * e * J_PER_KEV * air_energy_absorption_cm2_per_g(*e))
            .sum();
        j_per_g * 1000.0 * 1e6
    }

    /// Photons per mm2 and mAs at 1000 mm.
    pub fn fluence_per_mm2(&self) -> f64 {
        self.photons_per_mm2.iter().sum()
    }

    /// Mean energy by number, keV.
    pub fn mean_energy_kev(&self) -> f64 {
        let energy: f64 = self.energies_kev.iter().zip(&self.photons_per_mm2).map(|(e, n)| e * n).sum();
        energy / self.fluence_per_mm2()
    }

    /// First half-value layer, mm of aluminum, by bisection on the air kerma.
    pub fn half_value_layer_mm_al(&self) -> f64 {
        let half = self.air_kerma_ugy_per_mas() / 2.0;
        let (mut lo, mut hi) = (0.0, 40.0);
        for _ in 0..50 {
            let mid = 0.5 * (lo + hi);
            if self.behind(Substance::Aluminum, mid).air_kerma_ugy_per_mas() > half {
                lo = mid;
            } else {
                hi = mid;
            }
        }
        0.5 * (lo + hi)
    }

    /// The same photons in few bins between the given edges, each at its mean energy; empty bins are left out.
    pub fn rebinned(&self, edges_kev: &[f64]) -> Self {
        let mut out = Self { energies_kev: Vec::new(), photons_per_mm2: Vec::new() };
        for edge in edges_kev.windows(2) {
            let (mut n_sum, mut e_sum) = (0.0, 0.0);
            for (e, n) in self.energies_kev.iter().zip(&self.photons_per_mm2) {
                if *e >= edge[0] && *e < edge[1] {
                    n_sum += n;
                    e_sum += n * e;
                }
            }
            if n_sum > 0.0 {
                out.energies_kev.push(e_sum / n_sum);
                out.photons_per_mm2.push(n_sum);
            }
        }
        out
    }
}

struct Table {
    rows: Vec<Vec<f64>>,
    voltages: usize,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows = parse_table(include_str!("../../assets/xray/spectra.csv"));
        let voltages = rows[0].len() - 1;
        Table { rows, voltages }
    })
}
