//! Stage: blood flow in the vessel network.
//!
//! Arteries, veins and ducts are one graph of cells. Beds hang between the ends of arteries and the veins, with nodes where
//! anastomoses meet; collaterals and the pedicles of shunts are branches that no picture shows. Spasm, dilation, dissection,
//! stenoses ([`LiveLumen`]), devices ([`Obstruction`]), leaks, blocked beds and injections ([`Source`]) act on one solve of the
//! whole each tick. [`PressureLines`] show the pressure at the tip of each lumen.
//!
//! # Order of the blood stages in a tick
//! 1. [`physiology::advance`](crate::sim::physiology::advance): pressure at the root for this tick.
//! 2. [`injector::command`](crate::sim::contrast::injector::command) for each command (at the start of the tick), then
//!    [`injector::advance`](crate::sim::contrast::injector::advance): what leaves each lumen becomes [`Source`]s.
//! 3. [`advance`]: flows and pressures with devices, sources, and what therapy has blocked so far.
//! 4. [`contrast::advance`](crate::sim::contrast::advance): iodine and particles are carried by those flows.
//! 5. [`therapy::advance`](crate::sim::therapy::advance): particles that reached beds and leaks lodge; its factors
//!    act on the flow of the next tick.

mod compile;
mod ldl;
mod lesion;
mod line;
mod live;
mod network;
mod resistance;
mod state;
mod steady;
mod step;
mod system;
mod way;

use crate::anatomy::{VesselId, VesselPlace};

pub use ldl::SparseLdl;
pub use lesion::{StenosisLoss, young_tsai};
pub use line::{LineInput, PressureLines};
pub use live::{LiveLumen, LumenCause, LumenChange};
pub use network::{
    AnastomosisModel, BLEED_MAP_MMHG, BedModel, BranchCells, BranchEnd, InflowModel, Leak, MAX_CELL_MM, NONE,
    Network, OutletModel, RootModel, RootPressure, TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG,
};
pub use resistance::{annulus_factor, inertance, poiseuille};
pub use state::{FlowState, WEDGED_SHARE};
pub use step::advance;
pub use system::{FlowInputs, FlowScratch};

/// A stretch of device inside a vessel: it narrows the lumen to an annulus. What lies side by side narrows it as one device
/// of the same cross-section.
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
    /// Stretches of one number are one body, of which the widest counts; those of others lie beside it.
    pub body: u32,
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
    /// Share of the volume that is carbon dioxide.
    pub gas_share: f64,
}
