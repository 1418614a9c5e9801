//! `cathnav image`: one X-ray picture.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Primary angle, degrees: LAO +, RAO -
    #[arg(long, allow_negative_numbers = true, value_name = "DEG", default_value_t = 0.0)]
    pub primary: f64,
    /// Secondary angle, degrees: CRA +, CAU -
    #[arg(long, allow_negative_numbers = true, value_name = "DEG", default_value_t = 0.0)]
    pub secondary: f64,
    /// Fill the arteries with contrast
    #[arg(long)]
    pub contrast: bool,
    /// Picture to write (.png)
    #[arg(long)]
    pub out: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("image")
}
