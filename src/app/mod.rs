//! The window (feature `app`): thin plugins around the desk; panels are plain egui functions.
//!
//! The session runs on its own thread, the picture on a second ([`bridge`]); the main schedule exchanges and draws.
//! Panels read a [`view::View`] and push into an [`out::Out`]; [`desk::Desk`] turns that into commands, once per frame.

pub mod bridge;
pub mod controls;
mod convert;
pub mod desk;
pub mod engine;
pub mod keys;
pub mod out;
pub mod panels;
pub mod player;
mod probe;
mod recordings;
pub mod review;
mod scene3d;
mod screenshot;
pub mod shelf;
pub mod store;
mod syllabus;
pub mod texts;
pub mod theme;
pub mod view;
pub mod views;
pub mod widgets;
mod window;
pub mod words;

use std::path::PathBuf;

pub use probe::probe;
pub use screenshot::{Moment, ScreenshotWish};

use desk::Desk;
use store::Store;

/// Where the window begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Start {
    /// The menu.
    #[default]
    Menu,
    /// The briefing of a case.
    Case(PathBuf),
    /// A case that a script plays at once.
    Demo {
        /// Case.
        case: PathBuf,
        /// Script.
        script: PathBuf,
    },
}

/// How to open the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppConfig {
    /// Where to begin.
    pub start: Start,
    /// The folder with `assets/` and `scenarios/`.
    pub assets_root: PathBuf,
    /// Seed of the runs.
    pub seed: u64,
    /// Take these pictures of the window, one after the other, and leave.
    pub screenshots: Vec<ScreenshotWish>,
}

/// Why the window could not be opened or closed with a fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// No display or no graphics adapter.
    #[error("a window cannot be opened: {0}")]
    NoWindow(String),
    /// The window ended with a fault.
    #[error("the window ended with code {0}")]
    Ended(u8),
}

/// Columns and rows of the live picture.
const PICTURE_PIXELS: usize = 640;

/// Opens the window and stays until it is closed.
///
/// # Errors
/// [`AppError::NoWindow`] when there is no display or adapter.
pub fn run(config: AppConfig) -> Result<(), AppError> {
    probe().map_err(AppError::NoWindow)?;
    let mut desk = Desk::new(config.assets_root, config.seed, PICTURE_PIXELS, Store::of_user());
    match config.start {
        Start::Menu => {}
        Start::Case(case) => desk.open(case, None),
        Start::Demo { case, script } => desk.open(case, Some(script)),
    }
    match window::run(desk, config.screenshots) {
        bevy::app::AppExit::Success => Ok(()),
        bevy::app::AppExit::Error(code) => Err(AppError::Ended(code.get())),
    }
}
