//! `cathnav run`: a headless run of a script.

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
    /// Folder for report.json, telemetry.csv, recording.cnr and frames
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Stop after this much simulated time, s
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Frames written per second of fluoroscopy; 0 writes none
    #[arg(long, default_value_t = 1.0)]
    pub fps: f64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("run")
}
