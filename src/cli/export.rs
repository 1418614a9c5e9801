//! `cathnav export`: a recording as the files of an angiography suite: DICOM XA, dose report, PNG.

use std::path::PathBuf;

use super::CliError;
use super::attempt;
use crate::imaging::dicom::Study;
use crate::imaging::export::{ExportPlan, Exporter};
use crate::sim::record::{RecordError, Recording};
use crate::sim::session;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recording (.cnr)
    pub recording: PathBuf,
    /// Folder for DICOM files: one XA per run and one radiation dose report
    #[arg(long)]
    pub dicom: Option<PathBuf>,
    /// Folder for PNG: fullest frame and view trace of each run, dose on the skin
    #[arg(long)]
    pub png: Option<PathBuf>,
    /// Columns and rows of the pictures
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(64..=2048))]
    pub pixels: u16,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    if args.dicom.is_none() && args.png.is_none() {
        return Err(CliError::bad_input("say what to export: --dicom DIR, --png DIR, or both"));
    }
    let recording = Recording::read(&args.recording).map_err(bad)?;
    let name = format!("the case in {}", args.recording.display());
    let model = attempt::compile(&name, &recording.header.case_text)?;
    recording.check_replayable(&model.assets_hash).map_err(bad)?;
    for folder in [&args.dicom, &args.png].into_iter().flatten() {
        std::fs::create_dir_all(folder)
            .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", folder.display())))?;
    }
    let study = Study::of_recording(&model.case, &recording, &args.recording);
    let plan =
        ExportPlan { dicom: args.dicom.clone(), png: args.png.clone(), pixels: usize::from(args.pixels) };
    let mut exporter = Exporter::new(&model, study, plan);
    let mut failure = None;
    session::replay(model.clone(), &recording, false, |output| {
        if failure.is_none() {
            failure = exporter.watch(output).err();
        }
    })
    .map_err(bad)?;
    if let Some(e) = failure {
        return Err(CliError::bad_input(e.to_string()));
    }
    let paths =
        exporter.finish(&model, recording.last_tick).map_err(|e| CliError::bad_input(e.to_string()))?;
    for path in paths {
        super::say(&format!("wrote {}", path.display()))?;
    }
    Ok(())
}

fn bad(error: RecordError) -> CliError {
    CliError::bad_input(error.to_string())
}
