//! Files written by people: a spanned RON tree, a walk that finds every fault at once, faults with line and column.

mod fault;
mod lexer;
mod parse;
pub mod schema;
mod tree;
mod walk;
mod write;

pub use fault::{CheckReport, Fault, FaultKind, line_and_column, nearest};
pub use parse::parse;
pub use tree::{Field, Node, Value};
pub use walk::{Names, fault_at, walk};
pub use write::atomic_write;
