//! Contact stage: signed distance to the lumen wall and the law of the wall.

use crate::anatomy::VesselPlace;
use crate::math::{Mat3, Vec3};

pub mod analytic;
mod grid;
mod law;
mod mesh_wall;
mod plug;
mod radial;
mod shift;
mod tissue;

pub use law::WallLaw;
pub use mesh_wall::MeshWall;
pub use plug::{Plug, PlugFaces, Side};
pub use radial::{RADIAL_KNOT_MM, WideBranch, WideTube, Widening};
pub use shift::{BED_N_PER_MM3, BranchShift, ShiftedWall, VesselBed, WALL_N_PER_MM2, WallLoad, WallShift};

/// What the wall is at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallHit {
    /// Distance from the point to the wall, mm: positive inside the lumen, negative outside.
    pub inside_mm: f64,
    /// Unit normal of the nearest wall, pointing into the lumen: the direction of the gradient of `inside_mm`.
    pub inward: Vec3,
    /// Length of that gradient: 1 where `inside_mm` is exact, within some hundredths of it where it is interpolated. A force
    /// without this factor would not be the slope of the energy, and the solve of a rod would end at neither.
    pub slope: f64,
    /// Second derivatives of `inside_mm`, 1/mm (symmetric): how the normal turns as the point moves.
    pub bend_per_mm: Mat3,
    /// Radius of the lumen there, mm (local length scale).
    pub radius_mm: f64,
    /// Place on the tree, where the wall knows it.
    pub place: Option<VesselPlace>,
}

/// Something that answers where the wall is: a lumen mesh, or a closed form in tests.
pub trait WallQuery: Sync {
    /// The wall near a point (patient frame, mm). Total: any finite point has an answer.
    fn at(&self, p_mm: &Vec3) -> WallHit;
}
