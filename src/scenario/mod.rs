//! The case file: one RON text that a physician can read. Types here; loading with spans and validation beside.

mod condition;
mod library;
mod load;
mod names;
pub mod schema;
mod schema_lesions;
mod types;
mod validate;

pub use condition::Condition;
pub use library::{AnatomyInfo, Library};
pub use load::{case_files, check_text, load_case, read_text};
pub use types::*;
