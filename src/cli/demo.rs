//! `cathnav demo`: the expert script of a case.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    #[arg(default_value = "pelvic_bleeding")]
    pub case: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Folder for frames, reports and recording when it runs headless
    #[arg(long, default_value = "demo-out")]
    pub out: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("demo")
}
