//! The X-ray room without pixels: C-arm geometry, spectra, attenuation, thickness, exposure control, dose.

pub mod geometry;

pub use geometry::{CArm, Projection};
