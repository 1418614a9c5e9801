//! `cathnav replay`: the simulation of a recording run again.

use std::path::{Path, PathBuf};

use super::CliError;
use super::attempt::{self, Pictures, Watcher};
use crate::sim::Session;
use crate::sim::record::{RecordError, Recording};
use crate::sim::session;
use crate::training::ReportMeta;

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

/// Runs the subcommand: exit 1 when the replay differs.
pub fn run(args: &Args) -> Result<(), CliError> {
    let (written, hash, ticks) =
        again(&args.recording, args.verify, args.out.as_deref(), args.out.is_some())?;
    for path in written {
        super::say(&format!("wrote {}", path.display()))?;
    }
    let word = if args.verify { "no divergence" } else { "replayed" };
    super::say(&format!("{word}: {ticks} ticks, state hash {hash}"))
}

/// Replays a recording; writes reports (and pictures) to a folder if one is given.
pub(super) fn again(
    path: &Path,
    verify: bool,
    out: Option<&Path>,
    render: bool,
) -> Result<(Vec<PathBuf>, String, u64), CliError> {
    let recording = Recording::read(path).map_err(bad)?;
    if recording.truncated {
        super::say(&format!(
            "{} ends in the middle of a record; replaying up to the last whole one",
            path.display()
        ))?;
    }
    let name = format!("the case in {}", path.display());
    let model = attempt::compile(&name, &recording.header.case_text)?;
    recording.check_replayable(&model.assets_hash).map_err(bad)?;
    let start = Session::new(model.clone(), recording.header.seed).snapshot();
    let pictures = Pictures {
        render,
        frames_dir: out.filter(|_| render).map(|o| o.join("frames")),
        fps: 1.0,
        seed: recording.header.seed,
    };
    let mut watcher = Watcher::new(&model, &start, &pictures)?;
    let mut failure = None;
    let hash = session::replay(model.clone(), &recording, verify, |output| {
        if let Err(e) = watcher.watch(output) {
            failure.get_or_insert(e);
        }
    })
    .map_err(bad)?;
    if let Some(e) = failure {
        return Err(e);
    }
    let mut written = Vec::new();
    if let Some(out) = out {
        std::fs::create_dir_all(out)
            .map_err(|e| CliError::bad_input(format!("cannot make {}: {e}", out.display())))?;
        let meta = ReportMeta {
            version: crate::VERSION.to_owned(),
            case_hash: crate::math::hash::hex_of_bytes(recording.header.case_text.as_bytes()),
            seed: recording.header.seed,
            operator: "recording".to_owned(),
            state_hash: hash.to_string(),
            recording: path.display().to_string(),
        };
        written = watcher.write_reports(&model, &meta, &start, out)?;
    }
    Ok((written, hash.to_string(), recording.last_tick))
}

fn bad(error: RecordError) -> CliError {
    match error {
        RecordError::Diverged { .. } => CliError::failed_check(error.to_string()),
        _ => CliError::bad_input(error.to_string()),
    }
}
