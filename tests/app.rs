//! The window: panels without a window, and the real program on a private screen.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::float_cmp,
    reason = "tests print residuals, may unwrap, wait by the clock, and compare numbers that are passed through unchanged"
)]

#[path = "app/desk.rs"]
mod desk;
#[path = "app/fixture.rs"]
mod fixture;
#[cfg(target_os = "linux")]
#[path = "app/measure.rs"]
mod measure;
#[path = "app/panels.rs"]
mod panels;
#[path = "app/raster.rs"]
mod raster;
#[path = "app/replay.rs"]
mod replay;
#[path = "app/room.rs"]
mod room;
#[cfg(target_os = "linux")]
#[path = "app/window.rs"]
mod window;
