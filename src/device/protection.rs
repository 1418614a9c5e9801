//! Embolic filters: what they are.

use serde::{Deserialize, Serialize};

/// A basket on a wire that lets blood through and keeps debris; open wherever no catheter covers it. Lengths from the wire's tip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Diameter of its mouth, open, mm.
    pub diameter_mm: f64,
    /// Length from the mouth's collar to the end of the bag, mm.
    pub length_mm: f64,
    /// From the wire's tip to the end of the bag, mm.
    pub from_tip_mm: f64,
    /// Width of its pores, mm.
    pub pore_mm: f64,
    /// Volume of debris that clogs it, mm3.
    pub holds_mm3: f64,
}
