//! `cathnav image`: one X-ray picture of a case.

use std::path::PathBuf;

use super::{CliError, attempt};
use crate::imaging::{self, RendererConfig};
use crate::sim::Session;
use crate::xray::CArm;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Primary angle: LAO +, RAO -, degrees
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub primary: f64,
    /// Secondary angle: CRA +, CAU -, degrees
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub secondary: f64,
    /// Fill all vessels with contrast
    #[arg(long)]
    pub contrast: bool,
    /// Picture to write (PNG)
    #[arg(long)]
    pub out: PathBuf,
    /// Side of the picture, pixels
    #[arg(long, default_value_t = 1024)]
    pub pixels: usize,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    if !(16..=4096).contains(&args.pixels) {
        return Err(CliError::bad_input(format!("--pixels is {}, allowed are 16 to 4096", args.pixels)));
    }
    for (name, value, limit) in [("--primary", args.primary, 120.0), ("--secondary", args.secondary, 50.0)] {
        if value.is_nan() || value.abs() > limit {
            return Err(CliError::bad_input(format!(
                "{name} is {value}, allowed are -{limit} to {limit} degrees"
            )));
        }
    }
    let model = attempt::load_model(&attempt::resolve(&args.case, "scenarios")?)?;
    let start = Session::new(model.clone(), 0).snapshot();
    let arm = CArm { primary_deg: args.primary, secondary_deg: args.secondary, ..start.xray.arm };
    let config = RendererConfig { pixels: args.pixels, seed: 0 };
    let frame = imaging::render_still(&model.anatomy, &arm, args.contrast, config);
    imaging::write_png(&frame, &args.out).map_err(|e| CliError::bad_input(e.to_string()))?;
    super::say(&format!("wrote {}", args.out.display()))
}
