//! Stage: blood flow in the vessel network.

use crate::anatomy::{VesselId, VesselPlace};

/// A stretch of device inside a vessel: it narrows the lumen to an annulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Obstruction {
    /// Vessel.
    pub vessel: VesselId,
    /// From this arc length, mm.
    pub from_mm: f64,
    /// To this arc length, mm.
    pub to_mm: f64,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
}

/// Fluid that enters the blood at the opening of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// Where.
    pub place: VesselPlace,
    /// Volume flow, mL/s.
    pub flow_ml_per_s: f64,
    /// Iodine, mg/mL.
    pub iodine_mg_per_ml: f64,
    /// Index of the embolic in the tray's list and its particles per mL.
    pub particles: Option<(usize, f64)>,
}
