//! The X-ray room without pixels: C-arm geometry, spectra, attenuation, thickness, exposure control, dose.

mod arms;
pub mod attenuation;
pub mod control;
pub mod dose;
pub mod geometry;
pub mod outline;
mod raster;
pub mod scatter;
pub mod skin;
pub mod spectrum;
pub mod staff;
pub mod thickness;
pub mod wedge;

pub use attenuation::Substance;
pub use control::{DetectorProgram, ExposureControl, FluoroLevel};
pub use geometry::{CArm, Projection};
pub use spectrum::Spectrum;
pub use thickness::{BodyModel, BodyMotion, Posture, Spongiosa};
pub use wedge::Wedge;
