//! `cathnav record`: a recording from a script.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Script of timed or closed-loop steps
    #[arg(long)]
    pub script: PathBuf,
    /// Recording to write (.cnr)
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("record")
}
