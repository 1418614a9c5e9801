//! What joins vessels and beds beyond the branches of the tree. All of it is optional: without it every root is fed by
//! the heart, every bed drains into lumped veins, and no two beds know of each other.

use serde::{Deserialize, Serialize};

use super::{AnatomyError, VesselTree};

/// Connections and boundaries of a tree, by the names of its branches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Circulation {
    /// What lies behind the roots; a root that is not named is fed by the heart.
    pub roots: Vec<RootSupply>,
    /// Beds whose blood returns through a vein of the tree.
    pub returns: Vec<VenousReturn>,
    /// Fine vessels between two beds.
    pub anastomoses: Vec<Anastomosis>,
    /// Vessels between two branches that are too thin or too tortuous for a device.
    pub collaterals: Vec<Collateral>,
    /// Arteriovenous fistulas and the nidus of malformations.
    pub shunts: Vec<Shunt>,
}

/// What lies behind a root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootSupply {
    /// The root branch.
    pub vessel: String,
    /// Its supply.
    pub supply: Supply,
}

/// Boundary of a root and with it of all branches below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Supply {
    /// The heart's arterial pressure wave; the outlets below are beds.
    #[default]
    Heart,
    /// Central venous pressure with breathing; the outlets below are inflows from beds that the tree does not hold.
    Veins,
    /// A duct or cavity with its own fluid: constant pressure at the root, the outlets below secrete.
    Duct {
        /// Pressure at the root, mmHg, -20 to 200.
        pressure_mmhg: f64,
        /// Viscosity of the fluid, mPa s, 0.5 to 1000.
        viscosity_mpa_s: f64,
    },
}

/// A bed that drains into a vein of the tree, at the vein's distal end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenousReturn {
    /// Bed or shunt.
    pub bed: String,
    /// Branch below a root with [`Supply::Veins`].
    pub vein: String,
}

/// Parallel fine vessels between the beds of two terminal branches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anastomosis {
    /// Terminal branch with an outlet.
    pub from: String,
    /// The other one.
    pub to: String,
    /// Diameter, mm, 0.02 to 2: what is larger does not pass.
    pub diameter_mm: f64,
    /// Length, mm, 1 to 500.
    #[serde(default = "default_length_mm")]
    pub length_mm: f64,
    /// Number of parallel vessels, 1 to 1000.
    #[serde(default = "default_count")]
    pub count: u32,
}

/// A vessel between two places of the tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collateral {
    /// Branch that it leaves.
    pub from: String,
    /// Where, mm from that branch's origin.
    pub from_mm: f64,
    /// Branch that it enters.
    pub to: String,
    /// Where, mm from that branch's origin.
    pub to_mm: f64,
    /// Diameter, mm, 0.1 to 10.
    pub diameter_mm: f64,
    /// Length, mm, 1 to 1000.
    pub length_mm: f64,
}

/// Channels from an artery to the veins without capillaries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shunt {
    /// Name, shown as a bed.
    pub name: String,
    /// Feeding artery.
    pub vessel: String,
    /// Where, mm from its origin.
    pub at_mm: f64,
    /// Diameter of the pedicle that leads into it, mm, 0.2 to 20.
    pub pedicle_mm: f64,
    /// Flow at rest, mL/min.
    pub flow_ml_per_min: f64,
    /// Diameter of its channels, mm, 0.05 to 10 (a nidus: about 0.2; a fistula: that of the hole).
    pub channel_mm: f64,
    /// Mean transit time to the veins, s, 0.05 to 20.
    pub transit_s: f64,
    /// Center of the blush, patient frame, mm.
    pub center_mm: (f64, f64, f64),
    /// Radius of the blush, mm.
    pub radius_mm: f64,
}

fn default_length_mm() -> f64 {
    30.0
}
fn default_count() -> u32 {
    1
}

impl Circulation {
    /// Nothing beyond the tree.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses names that the tree does not hold and numbers out of range.
    ///
    /// # Errors
    /// [`AnatomyError::Value`] with item, field, what was found and what is allowed.
    pub fn check(&self, tree: &VesselTree) -> Result<(), AnatomyError> {
        for r in &self.roots {
            let id = vessel(tree, "circulation.roots", &r.vessel)?;
            if tree.branches[id].origin.is_some() {
                return Err(value(&r.vessel, "circulation.roots", "a branch with an origin", "roots"));
            }
            if let Supply::Duct { pressure_mmhg, viscosity_mpa_s } = r.supply {
                within(&r.vessel, "pressure_mmhg", pressure_mmhg, (-20.0, 200.0))?;
                within(&r.vessel, "viscosity_mpa_s", viscosity_mpa_s, (0.5, 1000.0))?;
            }
        }
        for r in &self.returns {
            vessel(tree, "circulation.returns", &r.vein)?;
            let is_bed = tree.branches.iter().filter_map(|b| b.outlet.as_ref()).any(|o| o.bed == r.bed)
                || self.shunts.iter().any(|s| s.name == r.bed);
            if !is_bed {
                return Err(value(&r.vein, "returns.bed", &r.bed, "a bed of an outlet or a shunt"));
            }
        }
        for a in &self.anastomoses {
            for name in [&a.from, &a.to] {
                let id = vessel(tree, "circulation.anastomoses", name)?;
                if tree.branches[id].outlet.is_none() {
                    let found = "a branch without outlet";
                    return Err(value(name, "circulation.anastomoses", found, "terminal branches"));
                }
            }
            within(&a.from, "anastomoses.diameter_mm", a.diameter_mm, (0.02, 2.0))?;
            within(&a.from, "anastomoses.length_mm", a.length_mm, (1.0, 500.0))?;
            within(&a.from, "anastomoses.count", f64::from(a.count), (1.0, 1000.0))?;
        }
        self.check_vessels(tree)
    }

    fn check_vessels(&self, tree: &VesselTree) -> Result<(), AnatomyError> {
        for c in &self.collaterals {
            for (name, mm) in [(&c.from, c.from_mm), (&c.to, c.to_mm)] {
                let id = vessel(tree, "circulation.collaterals", name)?;
                within(name, "collaterals.from_mm, to_mm", mm, (0.0, tree.branches[id].length_mm()))?;
            }
            within(&c.from, "collaterals.diameter_mm", c.diameter_mm, (0.1, 10.0))?;
            within(&c.from, "collaterals.length_mm", c.length_mm, (1.0, 1000.0))?;
        }
        for s in &self.shunts {
            let id = vessel(tree, "circulation.shunts", &s.vessel)?;
            within(&s.name, "shunts.at_mm", s.at_mm, (0.0, tree.branches[id].length_mm()))?;
            within(&s.name, "shunts.pedicle_mm", s.pedicle_mm, (0.2, 20.0))?;
            within(&s.name, "shunts.flow_ml_per_min", s.flow_ml_per_min, (0.01, 10_000.0))?;
            within(&s.name, "shunts.channel_mm", s.channel_mm, (0.05, 10.0))?;
            within(&s.name, "shunts.transit_s", s.transit_s, (0.05, 20.0))?;
            within(&s.name, "shunts.radius_mm", s.radius_mm, (0.5, 300.0))?;
        }
        Ok(())
    }
}

fn value(item: &str, field: &'static str, found: impl ToString, allowed: impl ToString) -> AnatomyError {
    AnatomyError::Value {
        item: item.to_owned(),
        field,
        found: found.to_string(),
        allowed: allowed.to_string(),
    }
}

fn within(item: &str, field: &'static str, found: f64, range: (f64, f64)) -> Result<(), AnatomyError> {
    if found >= range.0 && found <= range.1 {
        return Ok(());
    }
    Err(value(item, field, found, format_args!("{} to {}", range.0, range.1)))
}

fn vessel(tree: &VesselTree, field: &'static str, name: &str) -> Result<usize, AnatomyError> {
    tree.find(name).map(super::VesselId::idx).ok_or_else(|| {
        let names: Vec<&str> = tree.branches.iter().map(|b| b.name.as_str()).collect();
        value(name, field, format_args!("`{name}`"), names.join(", "))
    })
}
