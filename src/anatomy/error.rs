//! What can be wrong with an anatomy.

use std::path::PathBuf;

/// What can be wrong with an anatomy: its description, its build, its stored files.
#[derive(Debug, thiserror::Error)]
pub enum AnatomyError {
    /// A file or folder that cannot be read or written.
    #[error("{}: {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// Not RON, or not the fields of an anatomy.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser found.
        what: String,
    },
    /// A value that is not allowed.
    #[error("{item}: {field} is {found}, allowed: {allowed}")]
    Value {
        /// Branch, site or other item.
        item: String,
        /// Field.
        field: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// Vessels that do not join come too near.
    #[error(
        "{a} at {a_mm:.1} mm and {b} at {b_mm:.1} mm have {gap_mm:.2} mm between their walls, allowed: at least {allowed_mm:.2} mm"
    )]
    Gap {
        /// One vessel.
        a: String,
        /// Its arc length, mm.
        a_mm: f64,
        /// The other.
        b: String,
        /// Its arc length, mm.
        b_mm: f64,
        /// What was found, mm; negative when they overlap.
        gap_mm: f64,
        /// Least allowed, mm.
        allowed_mm: f64,
    },
    /// The surface could not be made.
    #[error("{item}: the surface could not be made: {what}")]
    Surface {
        /// Branch or bone.
        item: String,
        /// What went wrong.
        what: String,
    },
    /// Stored files that do not belong to the description.
    #[error("{}: built from another description; run `cathnav anatomy build {name}`", path.display())]
    Stale {
        /// The stored file.
        path: PathBuf,
        /// Name of the anatomy.
        name: String,
    },
    /// A stored file that is not what it should be.
    #[error("{}: {what}; run `cathnav anatomy build`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what is allowed.
        what: String,
    },
    /// A folder or file that cannot be used for an import.
    #[error("{} {what}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Mesh and centerlines of an import.
    #[error(transparent)]
    Import(#[from] super::ImportError),
    /// An error of a description, with its file.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<Self>,
    },
}
