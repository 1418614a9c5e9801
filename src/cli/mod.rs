//! Subcommands; one file each. A subcommand returns a [`CliError`]; only [`main`] writes it and chooses the exit code.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

pub mod anatomy;
pub mod attempt;
pub mod check;
pub mod demo;
pub mod devices;
pub mod export;
pub mod image;
pub mod import;
pub mod paths;
pub mod pictures;
pub mod play;
pub mod record;
pub mod replay;
pub mod report;
pub mod run;
pub mod version;

pub use crate::files::atomic_write;

/// Why a subcommand ends: one sentence and an exit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// One clear sentence with the cause; empty when everything was said already.
    pub message: String,
    /// Exit code: 2 bad input, 1 failed check.
    pub exit_code: u8,
}

impl CliError {
    /// Input that cannot be used.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 2 }
    }

    /// A check that failed.
    pub fn failed_check(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 1 }
    }
}

impl From<crate::files::CheckReport> for CliError {
    fn from(report: crate::files::CheckReport) -> Self {
        let count = report.faults.len();
        match report.faults.first() {
            Some(first) if count > 1 => {
                Self::bad_input(format!("{first} (and {} more faults: see `cathnav check`)", count - 1))
            }
            _ => Self::bad_input(report.to_string()),
        }
    }
}

/// A simulator for catheter navigation: wires, catheters, contrast and treatment under a synthetic X-ray picture.
/// A teaching tool, not a medical device.
#[derive(Debug, Parser)]
#[command(
    name = "cathnav",
    disable_version_flag = true,
    after_help = "Without a subcommand the menu of cases opens.\n\
                  Exit codes: 0 done, 1 a check failed, 2 input that cannot be used."
)]
struct Cli {
    /// Print the version and the hash of the assets
    #[arg(short = 'V', long)]
    version: bool,
    #[command(subcommand)]
    command: Option<SubCommand>,
}

#[derive(Debug, Subcommand)]
enum SubCommand {
    /// Open a case in the window
    Play(play::Args),
    /// Open the menu of cases, as without a subcommand
    #[command(hide = true)]
    Menu(play::Picture),
    /// Show the expert script of a case: in the window, or headless where there is no display
    Demo(demo::Args),
    /// Validate case, device and anatomy files: every fault with line and column
    Check(check::Args),
    /// Run a script without a window: report, telemetry, recording, frames
    Run(run::Args),
    /// Make a recording from a script
    Record(record::Args),
    /// Replay a recording; `--verify` compares the state hashes
    Replay(replay::Args),
    /// Write a recording as DICOM (XA, dose report) and PNG
    Export(export::Args),
    /// Make one X-ray picture of a case
    Image(image::Args),
    /// Path lengths through a closed mesh, for comparisons with other projectors
    #[command(hide = true)]
    Paths(paths::Args),
    /// Make the pictures that show the X-ray chain
    #[command(hide = true)]
    Pictures(pictures::Args),
    /// Turn a mesh of yours into an anatomy folder
    Import(import::Args),
    /// Build, list and show anatomies
    Anatomy(anatomy::Args),
    /// List and show devices
    Devices(devices::Args),
    /// Recompute reports, CSV and HTML, from recordings
    Report(report::Args),
}

/// Parses the arguments of this process and runs the subcommand.
pub fn main() -> ExitCode {
    // A panic prints its place for a bug report; nothing else is written.
    finish(run_with(std::env::args_os()))
}

/// Parses arguments (the program's name first) and runs the subcommand.
pub fn run_with(args: impl IntoIterator<Item = OsString>) -> Result<(), CliError> {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if cli.version {
        return version::run();
    }
    match cli.command {
        None => play::menu(&play::Picture::default()),
        Some(SubCommand::Menu(picture)) => play::menu(&picture),
        Some(SubCommand::Play(args)) => play::run(&args),
        Some(SubCommand::Demo(args)) => demo::run(&args),
        Some(SubCommand::Check(args)) => check::run(&args),
        Some(SubCommand::Run(args)) => run::run(&args),
        Some(SubCommand::Record(args)) => record::run(&args),
        Some(SubCommand::Replay(args)) => replay::run(&args),
        Some(SubCommand::Export(args)) => export::run(&args),
        Some(SubCommand::Image(args)) => image::run(&args),
        Some(SubCommand::Paths(args)) => paths::run(&args),
        Some(SubCommand::Pictures(args)) => pictures::run(&args),
        Some(SubCommand::Import(args)) => import::run(&args),
        Some(SubCommand::Anatomy(args)) => anatomy::run(&args),
        Some(SubCommand::Devices(args)) => devices::run(&args),
        Some(SubCommand::Report(args)) => report::run(&args),
    }
}

/// Help goes to stdout; a wrong argument becomes one sentence.
fn usage(error: &clap::Error) -> Result<(), CliError> {
    let text = error.to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return say(text.trim_end());
    }
    let cause = text.split("\n\nUsage:").next().unwrap_or(&text);
    let cause = cause.split("\n\nFor more information").next().unwrap_or(cause);
    let words: Vec<&str> = cause.split_whitespace().collect();
    let cause = words.join(" ");
    Err(CliError::bad_input(format!("{} (see `cathnav --help`)", cause.trim_start_matches("error: "))))
}

fn finish(result: Result<(), CliError>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if !error.message.is_empty() {
        // When stderr itself is gone, the exit code still tells.
        writeln!(std::io::stderr().lock(), "cathnav: {}", error.message).ok();
    }
    ExitCode::from(error.exit_code)
}

/// Writes a line to stdout; a reader that has gone away (`| head`) is not an error.
pub fn say(line: &str) -> Result<(), CliError> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::bad_input(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// The folder with `assets/` and `scenarios/`.
pub fn root() -> Result<std::path::PathBuf, CliError> {
    crate::assets::root().ok_or_else(|| {
        CliError::bad_input(
            "the folder `assets` is not found: it is looked for in the working folder and its parents, beside the \
             program, and where it was compiled",
        )
    })
}

/// Devices, anatomies and metrics that case files may name.
pub fn library() -> Result<crate::scenario::Library, CliError> {
    let mut library = crate::scenario::Library::load(&root()?)?;
    library.metrics = crate::training::METRIC_NAMES.iter().map(|n| (*n).to_owned()).collect();
    library.errors = crate::training::errors::ERRORS.iter().map(|e| e.name.to_owned()).collect();
    Ok(library)
}

/// Writes a file whole or not at all, naming it when that fails.
pub fn write_file(path: &std::path::Path, bytes: &[u8]) -> Result<(), CliError> {
    atomic_write(path, bytes)
        .map_err(|e| CliError::bad_input(format!("cannot write {}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn run(args: &[&str]) -> Result<(), CliError> {
        run_with(args.iter().map(OsString::from))
    }

    #[test]
    fn arguments_are_well_formed_and_documented() {
        Cli::command().debug_assert();
        let command = Cli::command();
        let shown = command.get_subcommands().filter(|c| !c.is_hide_set());
        let names: Vec<String> = shown.map(|c| c.get_name().to_owned()).collect();
        let wanted = [
            "play", "demo", "check", "run", "record", "replay", "export", "image", "import", "anatomy",
            "devices", "report",
        ];
        assert_eq!(names, wanted);
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
        }
    }

    #[test]
    fn a_wrong_argument_is_one_sentence() {
        let error = run(&["cathnav", "play"]).unwrap_err();
        assert_eq!(error.exit_code, 2);
        assert!(!error.message.contains('\n') && error.message.contains("<CASE>"), "{}", error.message);
        let error = run(&["cathnav", "plya", "x"]).unwrap_err();
        assert!(error.message.contains("plya") && error.message.contains("play"), "{}", error.message);
    }
}
