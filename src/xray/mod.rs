//! The X-ray room without pixels: C-arm geometry, spectra, attenuation, thickness, exposure control, dose.

pub mod attenuation;
pub mod control;
pub mod dose;
pub mod geometry;
mod raster;
pub mod scatter;
pub mod spectrum;
pub mod thickness;

pub use attenuation::Substance;
pub use control::{DetectorProgram, ExposureControl};
pub use geometry::{CArm, Projection};
pub use spectrum::Spectrum;
pub use thickness::{BodyModel, BodyMotion};
