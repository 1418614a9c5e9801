//! cathnav: a desktop simulator for catheter navigation. A teaching tool, not a medical device.
//!
//! # Bird's view
//! Data flows one way: `*.ron -> Scenario -> Model -> step(commands) -> State -> Snapshot, Events -> imaging,
//! training -> UI`. The only way back is `UI, keys, script -> Command stamped with its tick -> recorder -> step`.
//!
//! # Invariants (what is absent; `tests/architecture.rs` holds 1, 4 and the deny-list of 5)
//! 1. The core (everything but `app`) has no Bevy, no egui, no window, no clock, no file access while stepping.
//! 2. Nothing but `sim::step` advances the world. Nothing but a [`sim::Command`] changes what it does.
//! 3. Panels hold no simulation state: they read a view and push commands.
//! 4. Code looks only left: `units, math, files < anatomy, device < scenario < xray < sim < imaging < training < script
//!    < cli, app`.
//! 5. Same version, target, case, seed and commands give the same bits, for any number of threads: no clock, no
//!    thread-local random numbers, no hash-map iteration, no unordered parallel sums, no `mul_add` in the core.
//!
//! # Code map, in reading order
//! | module | holds |
//! |---|---|
//! | [`assets`], [`units`], [`math`] | where files are, unit factors, frames, splines, banded solver, seeded random streams, hashing |
//! | [`files`] | files written by people: spanned RON, faults with line and column |
//! | [`anatomy`], [`device`] | what the patient and the tray are made of: data, geometry, no motion |
//! | [`scenario`] | the case file: types, loading with spans, validation that collects all faults |
//! | [`xray`] | C-arm geometry, spectra, attenuation, exposure control, dose: no pixels |
//! | [`sim`] | model, state, commands, events, the step and its stages, session, recording |
//! | [`imaging`] | pixels from snapshots |
//! | [`training`], [`script`] | objectives, errors, metrics, report; scripted operators |
//! | [`cli`], `app` | subcommands; the window |
//!
//! # Units and frames
//! Mechanics in mm, N, s (mass in tonnes, EI in N mm2); blood in mL, mmHg, s; radians inside, degrees in files and
//! on screen. Patient frame: DICOM LPS in mm (+x patient left, +y posterior, +z superior); its origin is the center
//! of the S1 upper endplate. f64 in the core.

/// Version of the program, as recordings carry it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod assets;

pub mod units;

pub mod math;

pub mod files;

pub mod anatomy;

pub mod device;

pub mod scenario;

pub mod xray;

pub mod sim;

pub mod imaging;

pub mod training;

pub mod script;

pub mod cli;

#[cfg(feature = "app")]
pub mod app;
