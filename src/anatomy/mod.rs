//! Vessel tree, lumen surface, bones and organs: geometry and names of a patient, at rest, in the patient frame.
//!
//! The vessel tree is the truth for names, flow, contrast and guidance; the lumen surface is one closed triangle mesh
//! whose corners know branch and arc length; both come from a description (RON) or from an imported mesh.

mod distance;
mod types;

pub use distance::{MeshDistance, Nearest};
pub use types::*;
