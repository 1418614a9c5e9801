//! Stage: rods. Nested guidewires and catheters as discrete Kirchhoff rods that share a centerline.

use crate::math::Vec3;
use crate::sim::command::Hold;

/// The fixed end of a rod: the sheath tip.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RodBase {
    /// Position, patient frame, mm.
    pub position_mm: Vec3,
    /// Unit direction of advance.
    pub direction: Vec3,
    /// Length of the sheath from its hub to its tip, mm.
    pub sheath_length_mm: f64,
    /// Inner diameter of the sheath, mm.
    pub sheath_inner_diameter_mm: f64,
}

/// What the hand does at one hub during a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ToolControl {
    /// Advance +, retract -, mm/s.
    pub feed_mm_per_s: f64,
    /// Turn, rad/s.
    pub spin_rad_per_s: f64,
    /// How the hub is held.
    pub hold: Hold,
}
