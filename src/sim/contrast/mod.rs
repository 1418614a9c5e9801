//! Stage: contrast and particles in the blood: exact one-dimensional transport, beds, veins, pools outside.
//!
//! Everything injected is a species: iodine (mg) or a size class of an embolic (count). All travel by the same scheme
//! on the cells of the [`Network`](crate::sim::flow::Network). Layering and streaming are left out. The order of the
//! blood stages is documented at [`crate::sim::flow`].

mod capillaries;
pub mod injector;
mod lumen;
mod reflux;
mod state;
mod transport;
mod view;

pub(crate) use capillaries::leaving;
pub use lumen::{Mixture, lumen_flow_ml_per_s, pressure_drop_mmhg, saline_resistance_mmhg_s_per_ml};
pub use state::{ContrastModel, ContrastScratch, ContrastState, Ledger, Pool, Species};
pub use transport::advance;
pub use view::{bed_views, pool_views, vessel_views};
