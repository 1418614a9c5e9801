//! `cathnav replay`: the simulation of a recording run again.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recording (.cnr)
    pub recording: PathBuf,
    /// Compare the state hashes and name the first tick that differs
    #[arg(long)]
    pub verify: bool,
    /// Folder for frames and report
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("replay")
}
