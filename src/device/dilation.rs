//! Balloons and stents: what they are, and the laws of their diameter and length.

use serde::{Deserialize, Serialize};

use super::Opaque;

/// Pressure of a balloon that lies folded, atm: its diameter is [`FOLDED_SHARE`] of the nominal one.
const FOLDED_SHARE: f64 = 0.25;

/// From the tip of a rapid exchange device to the port where the wire leaves its shaft, mm `[K]`.
pub const RAPID_EXCHANGE_MM: f64 = 250.0;

/// How a device runs on its wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WireRun {
    /// The wire runs through the whole shaft.
    #[default]
    OverTheWire,
    /// The wire leaves the shaft some hand widths behind the tip.
    RapidExchange,
}

/// A point of a compliance table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    /// Pressure over the surroundings, atm.
    pub atm: f64,
    /// Diameter free in air, mm.
    pub mm: f64,
}

/// The balloon of a catheter; lengths from the catheter's tip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balloon {
    /// Diameter at nominal pressure, mm.
    pub diameter_mm: f64,
    /// Length of its cylinder, between the markers, mm.
    pub length_mm: f64,
    /// From the catheter's tip to the distal end of the cylinder, mm.
    pub from_tip_mm: f64,
    /// Diameter by pressure, rising.
    pub compliance: Vec<Compliance>,
    /// Nominal pressure, atm.
    pub nominal_atm: f64,
    /// Rated burst pressure, atm.
    pub rated_atm: f64,
    /// Mean and standard deviation of the pressure at which it bursts, atm.
    pub burst_atm: (f64, f64),
    /// Time from nominal size to flat at full suction, s.
    pub deflation_s: f64,
}

impl Balloon {
    /// Diameter free in air at a pressure, mm: linear between the points of the table, from a quarter of the nominal diameter
    /// at 0 atm to the first point, beyond the last along its slope.
    pub fn diameter_at_mm(&self, atm: f64) -> f64 {
        let [a, b] = self.around(|p| p.atm < atm);
        (a.mm + (b.mm - a.mm) / (b.atm - a.atm).max(1e-9) * (atm - a.atm)).max(0.0)
    }

    /// Pressure at which it has a diameter free in air, atm; below the folded diameter 0, since folds bear nothing.
    pub fn pressure_at_atm(&self, diameter_mm: f64) -> f64 {
        let [a, b] = self.around(|p| p.mm < diameter_mm);
        (a.atm + (b.atm - a.atm) / (b.mm - a.mm).max(1e-9) * (diameter_mm - a.mm)).max(0.0)
    }

    /// Diameter of the folded balloon, mm.
    pub fn folded_mm(&self) -> f64 {
        FOLDED_SHARE * self.diameter_mm
    }

    /// The two points of the table around a place, or its last two.
    fn around(&self, is_below: impl Fn(&Compliance) -> bool) -> [Compliance; 2] {
        let folded = Compliance { atm: 0.0, mm: self.folded_mm() };
        let table = &self.compliance;
        let at = table.iter().position(|p| !is_below(p)).unwrap_or(table.len().saturating_sub(1));
        let b = table.get(at).copied().unwrap_or(Compliance { atm: 1.0, mm: self.diameter_mm });
        [at.checked_sub(1).map_or(folded, |i| table[i]), b]
    }
}

/// What opens a stent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expansion {
    /// The balloon of its catheter.
    Balloon,
    /// Itself, when its sheath is withdrawn.
    Itself,
}

/// How its length follows its diameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Cells {
    /// Cut from a tube: it shortens by a share of its crimped length on the way to its labelled diameter, evenly.
    Cut {
        /// Percent.
        shortening_pct: f64,
    },
    /// Braided or interwoven.
    Braid {
        /// Angle between wire and axis at the labelled diameter, degrees.
        angle_deg: f64,
    },
}

/// The stent of a device; lengths from the device's tip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stent {
    /// Labelled diameter, mm: at nominal pressure of its balloon, or free in air.
    pub diameter_mm: f64,
    /// Length at that diameter, mm.
    pub length_mm: f64,
    /// From the device's tip to the distal end of the crimped stent, mm.
    pub from_tip_mm: f64,
    /// Outer diameter crimped, mm.
    pub crimped_mm: f64,
    /// Widest that it can be opened, mm.
    pub widest_mm: f64,
    /// What opens it.
    pub expansion: Expansion,
    /// How its length follows its diameter.
    pub cells: Cells,
    /// Chronic outward force per length, N/mm; 0 for one that a balloon opens.
    pub outward_n_per_mm: f64,
    /// Radial resistive force per length, N/mm.
    pub resistive_n_per_mm: f64,
    /// Recoil of the diameter when its balloon goes down, percent; 0 for one that opens itself.
    pub recoil_pct: f64,
    /// Thickness of its struts, mm.
    pub strut_mm: f64,
    /// Covered with a tight membrane.
    #[serde(default)]
    pub covered: bool,
    /// Share of its length up to which it can be drawn into its sheath again; 0: never.
    #[serde(default)]
    pub recapture_share: f64,
    /// What makes its struts visible.
    #[serde(default)]
    pub opaque: Opaque,
    /// Steel equivalent of a strut, mm of steel per mm.
    pub radiopacity: f64,
}

impl Stent {
    /// Length at a diameter, mm.
    ///
    /// Cut: `L = Lc (1 - s (D - Dc) / (D0 - Dc))` with the crimped length `Lc = L0 / (1 - s)`. Braid of inextensible wires:
    /// `L = L0 cos(asin(D sin a0 / D0)) / cos a0` (`rod-physics.md` C9); a wire that lies across is as far as it opens.
    pub fn length_at_mm(&self, diameter_mm: f64) -> f64 {
        match self.cells {
            Cells::Cut { shortening_pct } => {
                let s = 0.01 * shortening_pct;
                let way = (diameter_mm - self.crimped_mm) / (self.diameter_mm - self.crimped_mm).max(1e-6);
                self.length_mm / (1.0 - s) * (1.0 - s * way.max(0.0)).max(0.2)
            }
            Cells::Braid { angle_deg } => {
                let a = angle_deg.to_radians();
                let sine = (diameter_mm / self.diameter_mm * a.sin()).clamp(0.0, 0.98);
                self.length_mm * (1.0 - sine * sine).sqrt() / a.cos()
            }
        }
    }

    /// Length crimped, mm.
    pub fn crimped_length_mm(&self) -> f64 {
        self.length_at_mm(self.crimped_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compliance_table_and_its_inverse_agree() {
        let point = |atm: f64, share: f64| Compliance { atm, mm: 6.0 * share };
        let balloon = Balloon {
            diameter_mm: 6.0,
            length_mm: 40.0,
            from_tip_mm: 5.0,
            compliance: vec![point(2.0, 0.9), point(4.0, 0.94), point(8.0, 1.0), point(14.0, 1.06)],
            nominal_atm: 8.0,
            rated_atm: 14.0,
            burst_atm: (18.0, 1.3),
            deflation_s: 10.0,
        };
        for atm in [0.5, 2.0, 5.0, 8.0, 13.0, 16.0] {
            let back = balloon.pressure_at_atm(balloon.diameter_at_mm(atm));
            assert!((back - atm).abs() < 1e-9, "{atm} {back}");
        }
        assert_eq!(balloon.diameter_at_mm(0.0), 1.5);
        assert_eq!(balloon.diameter_at_mm(8.0), 6.0);
    }
}
