//! The case file: one RON text that a physician can read. Types here; loading with spans and validation beside.

mod library;
mod load;
mod types;

pub use library::{AnatomyInfo, Library};
pub use load::{check_text, load_case};
pub use types::*;
