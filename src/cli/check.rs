//! `cathnav check`: validates files written by people and shows every fault.

use std::path::PathBuf;

use super::CliError;
use crate::scenario::{Library, load_case};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case, device or anatomy files; folders are searched for `.ron` files
    #[arg(required_unless_present = "explain")]
    pub paths: Vec<PathBuf>,
    /// Show every field with its type, range and default
    #[arg(long)]
    pub explain: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let library = Library::load(&super::root()?)?;
    for path in &args.paths {
        load_case(path, &library)?;
    }
    Ok(())
}
