//! `cathnav report`: reports recomputed from recordings.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings (.cnr)
    #[arg(required = true)]
    pub recordings: Vec<PathBuf>,
    /// Folder for the reports; beside each recording if absent
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("report")
}
