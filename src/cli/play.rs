//! `cathnav play`: a case in the window.

use std::path::PathBuf;

use super::{CliError, attempt};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case file, or the name of a shipped case
    pub case: PathBuf,
    /// Seed of the anatomy variation and the noise
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Take pictures of the window and leave (for tests)
    #[command(flatten)]
    pub picture: Picture,
}

/// Pictures of the window, for tests. A JSON file beside each tells what the live monitor showed and where.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Picture {
    /// File for a picture of the window; may be repeated together with `--at`
    #[arg(long, hide = true)]
    pub screenshot: Vec<PathBuf>,
    /// Seconds before it is taken
    #[arg(long, hide = true, default_value_t = 10.0)]
    pub after: f64,
    /// Instead of `--after`, one for each picture, rising: when the live monitor shows this simulated second
    #[arg(long, hide = true)]
    pub at: Vec<f64>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<(), CliError> {
    let case = attempt::resolve(&args.case, "scenarios")?;
    attempt::load_model(&case)?;
    open(window::Start::Case(case), args.seed, &args.picture)
}

/// Opens the menu of cases.
pub fn menu(picture: &Picture) -> Result<(), CliError> {
    open(window::Start::Menu, 0, picture)
}

/// Lets a script play a case in the window.
#[cfg(feature = "app")]
pub(super) fn demo(case: PathBuf, script: PathBuf, seed: u64, picture: &Picture) -> Result<(), CliError> {
    open(window::Start::Demo { case, script }, seed, picture)
}

#[cfg(feature = "app")]
use crate::app as window;

/// Stand-in for the window's types in a build without it.
#[cfg(not(feature = "app"))]
mod window {
    use std::path::PathBuf;

    pub(super) enum Start {
        Menu,
        Case(PathBuf),
    }
}

#[cfg(feature = "app")]
fn open(start: window::Start, seed: u64, picture: &Picture) -> Result<(), CliError> {
    let config =
        window::AppConfig { start, assets_root: super::root()?, seed, screenshots: wishes(picture)? };
    window::run(config).map_err(|e| CliError::bad_input(e.to_string()))
}

#[cfg(feature = "app")]
fn wishes(picture: &Picture) -> Result<Vec<window::ScreenshotWish>, CliError> {
    use window::{Moment, ScreenshotWish};
    let paths = picture.screenshot.iter().cloned();
    if picture.at.is_empty() {
        let when = Moment::AfterS(picture.after);
        return Ok(paths.map(|path| ScreenshotWish { path, when }).collect());
    }
    if picture.at.len() != picture.screenshot.len() {
        let (times, files) = (picture.at.len(), picture.screenshot.len());
        return Err(CliError::bad_input(format!("{times} times `--at` for {files} times `--screenshot`")));
    }
    Ok(paths.zip(&picture.at).map(|(path, s)| ScreenshotWish { path, when: Moment::AtS(*s) }).collect())
}

#[cfg(not(feature = "app"))]
fn open(start: window::Start, _seed: u64, _picture: &Picture) -> Result<(), CliError> {
    let what = match start {
        window::Start::Menu => "the menu".to_owned(),
        window::Start::Case(case) => case.display().to_string(),
    };
    Err(CliError::bad_input(format!(
        "{what} needs the window, and this program was built without it (`--no-default-features`); \
         `cathnav demo` and `cathnav run` work without"
    )))
}
