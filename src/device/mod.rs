//! Wires, catheters, sheaths and embolics: properties, no motion.

mod check;
mod dilation;
pub mod file;
mod load;
mod passes;
mod protection;
pub mod schema;
mod shape;
mod types;

pub use dilation::{Balloon, Cells, Compliance, Expansion, RAPID_EXCHANGE_MM, Stent, WireRun};
pub use load::{catalog_from_files, check_file, load_catalog};
pub use passes::{MIN_CLEARANCE_MM, Mismatch, passes};
pub use protection::Filter;
pub use shape::{pair_shape_mm, rest_shape_mm};
pub use types::*;
