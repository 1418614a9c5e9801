//! `cathnav paths`: path lengths through a closed mesh, for comparisons with other projectors.

use std::path::PathBuf;
use std::time::Instant;

use super::CliError;
use crate::anatomy::{LengthUnit, load_mesh};
use crate::xray::{CArm, thickness};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Closed mesh (STL or OBJ), mm, patient frame; the isocenter is the origin
    pub mesh: PathBuf,
    /// Primary angle: LAO +, RAO -, degrees
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub primary: f64,
    /// Secondary angle: CRA +, CAU -, degrees
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true)]
    pub secondary: f64,
    /// Source to image distance, mm
    #[arg(long, default_value_t = 1100.0)]
    pub sid_mm: f64,
    /// Field diagonal at the detector, mm
    #[arg(long, default_value_t = 420.0)]
    pub field_mm: f64,
    /// Columns and rows
    #[arg(long, default_value_t = 1024)]
    pub pixels: usize,
    /// Projections to time; the median is printed, ms
    #[arg(long, default_value_t = 1)]
    pub repeat: usize,
    /// File for the path lengths: 32-bit floats, little-endian, mm, row by row
    #[arg(long)]
    pub out: PathBuf,
}

/// Runs the subcommand.
#[expect(
    clippy::disallowed_methods,
    reason = "it times the projector beside another; nothing that is simulated sees the clock"
)]
pub fn run(args: &Args) -> Result<(), CliError> {
    if !(16..=4096).contains(&args.pixels) || args.repeat == 0 {
        return Err(CliError::bad_input("--pixels must be 16 to 4096 and --repeat at least 1"));
    }
    if !(args.sid_mm > 760.0 && args.sid_mm < 3000.0 && args.field_mm > 1.0 && args.field_mm < 2000.0) {
        return Err(CliError::bad_input("--sid-mm must be 760 to 3000 and --field-mm 1 to 2000"));
    }
    let mesh = load_mesh(&args.mesh, LengthUnit::Mm).map_err(|e| CliError::bad_input(e.to_string()))?;
    let arm = CArm {
        primary_deg: args.primary,
        secondary_deg: args.secondary,
        sid_mm: args.sid_mm,
        field_mm: args.field_mm,
        ..CArm::default()
    };
    let projection = arm.projection(args.pixels);
    let (mut times_ms, mut lengths) = (Vec::new(), Vec::new());
    for _ in 0..args.repeat + 1 {
        let clock = Instant::now();
        lengths = thickness::path_lengths_mm(&mesh, &projection);
        times_ms.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    times_ms.remove(0);
    times_ms.sort_by(f64::total_cmp);
    let bytes: Vec<u8> = lengths.iter().flat_map(|v| v.to_le_bytes()).collect();
    super::write_file(&args.out, &bytes)?;
    super::say(&format!("{:.3} ms, median of {}", times_ms[times_ms.len() / 2], args.repeat))
}
