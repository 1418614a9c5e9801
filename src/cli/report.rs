//! `cathnav report`: reports, CSV and HTML recomputed from recordings.

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
    for path in &args.recordings {
        let folder = path.with_extension("report");
        let out = match (&args.out, folder.file_name()) {
            (Some(out), Some(name)) => out.join(name),
            _ => folder,
        };
        let (written, _, _) = super::replay::again(path, false, Some(&out), false)?;
        for path in written {
            super::say(&format!("wrote {}", path.display()))?;
        }
    }
    Ok(())
}
