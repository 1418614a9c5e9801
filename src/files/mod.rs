//! Files written by people: a spanned RON tree, a walk that finds every fault at once, faults with line and column.

mod fault;

pub use fault::{CheckReport, Fault, FaultKind, line_and_column, nearest};
