//! Pixels from snapshots: projector, detector, noise, display chain, subtraction, roadmap, on-picture text.
//!
//! [`Renderer::render`] is called once for each pulse. The picture depends on the seed, the pulses rendered so far and the
//! snapshot alone, never on the number of threads.

mod chain;
mod chords;
mod detector;
mod devices;
mod fast;
mod frame;
mod overlay;
mod png;
mod renderer;
mod scene;
mod subtraction;
mod vessels;

pub use frame::{Frame, FrameKind, ReferenceStore};
pub use overlay::{OverlayText, burn_text, overlay_text};
pub use png::{ImageError, encode_png, write_png};
pub use renderer::{Renderer, RendererConfig, render_still};
