//! The case file: one RON text that a physician can read. Types here; loading with spans and validation beside.

mod types;

pub use types::*;
