//! Mass attenuation coefficients of everything that the beam meets.
//!
//! Table `assets/xray/attenuation.csv`, 10 to 125 keV, with a pair of rows at each K edge; see `SOURCE.md` beside it.

use std::sync::OnceLock;

use crate::anatomy::Material;

/// What attenuates, in the order of the table's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Substance {
    /// Water.
    Water,
    /// Soft tissue (ICRU 44).
    SoftTissue,
    /// Blood (ICRU 44).
    Blood,
    /// Fat (ICRU 44).
    Fat,
    /// Cortical bone (ICRU 44).
    CorticalBone,
    /// Spongiosa (ICRU 44).
    TrabecularBone,
    /// Dry air.
    Air,
    /// The element iodine.
    Iodine,
    /// Stainless steel 304.
    Steel,
    /// Nitinol.
    Nitinol,
    /// Platinum.
    Platinum,
    /// Tungsten.
    Tungsten,
    /// Tantalum.
    Tantalum,
    /// Gold.
    Gold,
    /// Barium sulfate, the filler of catheters.
    BariumSulfate,
    /// Aluminum.
    Aluminum,
    /// Copper.
    Copper,
    /// Cesium iodide, the scintillator.
    CesiumIodide,
    /// Carbon fiber of the table top.
    CarbonFiber,
    /// Polyether block amide of catheters.
    Polymer,
}

/// All substances with their densities, g/cm3, in column order.
pub const SUBSTANCES: [(Substance, f64); 20] = [
    (Substance::Water, 1.0),
    (Substance::SoftTissue, 1.06),
    (Substance::Blood, 1.06),
    (Substance::Fat, 0.95),
    (Substance::CorticalBone, 1.92),
    (Substance::TrabecularBone, 1.18),
    (Substance::Air, 0.001_205),
    (Substance::Iodine, 4.93),
    (Substance::Steel, 8.0),
    (Substance::Nitinol, 6.45),
    (Substance::Platinum, 21.45),
    (Substance::Tungsten, 19.3),
    (Substance::Tantalum, 16.65),
    (Substance::Gold, 19.32),
    (Substance::BariumSulfate, 4.5),
    (Substance::Aluminum, 2.699),
    (Substance::Copper, 8.96),
    (Substance::CesiumIodide, 4.51),
    (Substance::CarbonFiber, 1.5),
    (Substance::Polymer, 1.02),
];

impl Substance {
    /// The substance that fills a body surface.
    pub fn of_material(material: Material) -> Self {
        match material {
            Material::Air => Self::Air,
            Material::SoftTissue => Self::SoftTissue,
            Material::Fat => Self::Fat,
            Material::CorticalBone => Self::CorticalBone,
            Material::TrabecularBone => Self::TrabecularBone,
        }
    }

    /// Density, g/cm3.
    pub fn density_g_per_cm3(self) -> f64 {
        SUBSTANCES[self as usize].1
    }

    /// Mass attenuation coefficient, coherent scattering included, cm2/g.
    ///
    /// Log-log between rows; a K edge is a pair of rows, the energy of the edge itself counts as above it.
    /// Energies outside 10 to 125 keV take the nearest row.
    pub fn mass_attenuation_cm2_per_g(self, energy_kev: f64) -> f64 {
        let table = table();
        let e = energy_kev.clamp(table.energies_kev[0], table.energies_kev[table.energies_kev.len() - 1]);
        let hi = table.energies_kev.partition_point(|x| *x <= e).clamp(1, table.energies_kev.len() - 1);
        let (e0, e1) = (table.energies_kev[hi - 1], table.energies_kev[hi]);
        let column = &table.columns[self as usize];
        let t = if e1 > e0 { (e / e0).ln() / (e1 / e0).ln() } else { 1.0 };
        (column[hi - 1].ln() * (1.0 - t) + column[hi].ln() * t).exp()
    }

    /// Linear attenuation at the substance's own density, 1/mm.
    pub fn linear_per_mm(self, energy_kev: f64) -> f64 {
        self.mass_attenuation_cm2_per_g(energy_kev) * self.density_g_per_cm3() / 10.0
    }
}

/// Mass energy-absorption coefficient of dry air, cm2/g, log-log between the nodes of NIST (Hubbell and Seltzer 1995).
pub fn air_energy_absorption_cm2_per_g(energy_kev: f64) -> f64 {
    const NODES: [(f64, f64); 10] = [
        (10.0, 4.742),
        (15.0, 1.334),
        (20.0, 0.5389),
        (30.0, 0.1537),
        (40.0, 0.068_33),
        (50.0, 0.040_98),
        (60.0, 0.030_41),
        (80.0, 0.024_07),
        (100.0, 0.023_25),
        (150.0, 0.024_96),
    ];
    let e = energy_kev.clamp(10.0, 150.0);
    let hi = NODES.partition_point(|n| n.0 <= e).clamp(1, NODES.len() - 1);
    let ((e0, m0), (e1, m1)) = (NODES[hi - 1], NODES[hi]);
    let t = (e / e0).ln() / (e1 / e0).ln();
    (m0.ln() * (1.0 - t) + m1.ln() * t).exp()
}

struct Table {
    energies_kev: Vec<f64>,
    columns: Vec<Vec<f64>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows = parse_table(include_str!("../../assets/xray/attenuation.csv"));
        Table {
            energies_kev: rows.iter().map(|r| r[0]).collect(),
            columns: (1..=SUBSTANCES.len()).map(|c| rows.iter().map(|r| r[c]).collect()).collect(),
        }
    })
}

/// Rows of numbers of a compiled-in table, its heading left out.
pub(super) fn parse_table(text: &str) -> Vec<Vec<f64>> {
    text.lines()
        .skip(1)
        .map(|line| {
            line.split(',').map(|field| field.parse().expect("a compiled-in table holds numbers")).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_substances_are_in_the_same_order() {
        let heading = include_str!("../../assets/xray/attenuation.csv").lines().next().unwrap();
        assert_eq!(heading.split(',').count(), SUBSTANCES.len() + 1);
        for (i, (substance, _)) in SUBSTANCES.iter().enumerate() {
            assert_eq!(*substance as usize, i);
        }
        assert!(
            heading.contains("air,iodine,steel_304")
                && heading.ends_with("cesium_iodide,carbon_fiber,polymer")
        );
    }

    #[test]
    fn iodine_jumps_at_its_edge() {
        let below = Substance::Iodine.mass_attenuation_cm2_per_g(33.0);
        let above = Substance::Iodine.mass_attenuation_cm2_per_g(33.3);
        assert!(below < 6.9 && above > 35.0, "{below} {above}");
    }
}
