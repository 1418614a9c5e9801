//! `cathnav import`: a mesh becomes an anatomy folder.

use std::path::PathBuf;

use super::CliError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Surface of the lumen (STL, OBJ or PLY)
    pub mesh: PathBuf,
    /// Centerlines, if there are any
    #[arg(long, num_args = 1..)]
    pub centerlines: Vec<PathBuf>,
    /// Unit of the mesh
    #[arg(long, value_parser = ["mm", "cm", "m"], default_value = "mm")]
    pub unit: String,
    /// Anatomy folder to make
    #[arg(long)]
    pub out: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let Args { .. } = args;
    super::not_built_yet("import")
}
