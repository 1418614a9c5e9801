//! Pixels from snapshots: projector, detector, noise, display chain, subtraction, roadmap, on-picture text.
//!
//! [`Renderer::render`] is called once for each pulse. The picture depends on the seed, the pulses rendered so far and the
//! snapshot alone, never on the number of threads.

pub mod archive;
mod chain;
mod chords;
mod detector;
mod devices;
pub mod dicom;
pub mod export;
mod fast;
mod frame;
pub mod measure;
mod overlay;
mod png;
mod renderer;
pub mod review;
mod scene;
pub mod skin_picture;
mod subtraction;
mod vessels;

pub use frame::{Frame, FrameKind, ReferenceStore};
pub use overlay::{OverlayText, burn_text, overlay_text, tilt_text};
pub use png::{ImageError, encode_png, write_png};
pub use renderer::{Renderer, RendererConfig, render_still};
pub use skin_picture::{ColorPicture, skin_picture};
