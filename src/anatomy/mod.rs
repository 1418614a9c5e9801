//! Vessel tree, lumen surface, bones and organs: geometry and names of a patient, at rest, in the patient frame.
//!
//! The vessel tree is the truth for names, flow, contrast and guidance; the lumen surface is one closed triangle mesh
//! whose corners know branch and arc length; both come from a description (RON) or from an imported mesh.

mod bones;
pub mod breathing;
mod build;
mod circulation;
pub mod description;
mod distance;
mod error;
mod import;
mod lesion;
mod mesh_io;
mod mesh_repair;
mod organ;
mod refine;
mod remesh;
mod route;
mod store;
mod survey;
mod tree_index;
mod types;
mod vary;

pub use breathing::Breathing;
use build::tree_vec3;
pub use build::{Topology, build, build_tree, topology};
pub use circulation::{Anastomosis, Circulation, Collateral, RootSupply, Shunt, Supply, VenousReturn};
pub use description::{At, BodyPart, Description, Habitus, Sex};
pub use distance::{MeshDistance, Nearest};
pub use error::AnatomyError;
pub use import::{
    AxisMap, ImportDescription, ImportError, ImportOptions, ImportRequest, ImportSummary, build_import,
    import, import_folder,
};
pub use lesion::{LesionDescription, open_tree};
pub use mesh_io::{LengthUnit, MeshError, MeshFormat, OpenRim, Openness, load_mesh, parse_mesh, stl_bytes};
pub use organ::{ORGANS, Organ, is_part_of, organ_of};
pub use refine::refine;
pub use route::RouteDescription;
pub use store::{
    AnatomyFile, build_folder, cached, is_stored, list, load, load_patient, load_tree, parse_file,
    patient_tree, read_file, save,
};
pub use survey::{Survey, crossings, survey};
pub use types::*;
pub use vary::{
    Change, Choices, Parameter, PatientChoice, Quantity, Setting, Variant, VariantOption, Variation,
    measured, vary,
};
