//! The device catalogue: wires, catheters, sheaths, embolics; properties, no motion.

mod types;

pub use types::*;
