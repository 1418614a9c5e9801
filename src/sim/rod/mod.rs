//! Stage: rods. Nested guidewires and catheters as discrete Kirchhoff rods that share a centerline.
//!
//! One polyline from the introducer to the most distal tip carries up to four nested devices, each with its own
//! material angle per edge (Bergou et al. 2008, 2010). A tick is a backward-Euler minimization by Newton's method
//! with a banded Cholesky factor, so its cost grows linearly with the nodes.

use serde::{Deserialize, Serialize};

use crate::device::Device;
use crate::math::Vec3;
use crate::math::hash::StateHasher;
use crate::sim::command::{Hold, ToolId};
use crate::sim::contact::{WallLaw, WallLoad, WallQuery};
use crate::sim::snapshot::RodView;

mod bend;
mod energy;
mod feed;
mod frames;
mod hub;
mod layout;
mod loads;
mod newton;
mod release;
mod remesh;
mod state;
pub mod statics;
mod step;
mod touch;
mod view;

pub use loads::{Fixture, Loads};
pub use release::{ReleaseRefusal, Shed};
pub use state::{Anchor, LoadRefusal, RodDevice, RodState, RubMemory};
pub use step::RodScratch;
pub use view::TIP_MM;

/// Most devices that one rod can hold.
pub const MAX_DEVICES: usize = 4;

/// The fixed end of a rod: the sheath tip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolControl {
    /// Advance +, retract -, mm/s.
    pub feed_mm_per_s: f64,
    /// Turn, rad/s.
    pub spin_rad_per_s: f64,
    /// How the hub is held.
    pub hold: Hold,
}

/// A piece of something else in the lumen that the rod must not enter: an edge of another rod.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capsule {
    /// One end, patient frame, mm.
    pub a_mm: Vec3,
    /// Other end, mm.
    pub b_mm: Vec3,
    /// Radius, mm.
    pub radius_mm: f64,
}

/// What a rod needs from outside for a tick.
#[derive(Clone, Copy)]
pub struct RodInputs<'a> {
    /// Devices of the tray; the index is the [`ToolId`].
    pub tools: &'a [Device],
    /// What the hands do; same index. A missing entry is a hand that holds still.
    pub controls: &'a [ToolControl],
    /// The wall.
    pub wall: &'a dyn WallQuery,
    /// How it yields.
    pub law: WallLaw,
    /// Other rods, at rest during the tick (lagged).
    pub others: &'a [Capsule],
    /// How finely the rod is cut.
    pub meshing: Meshing,
}

/// How finely a rod is cut into edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meshing {
    /// Factor on every edge length (1 in play).
    pub scale: f64,
    /// Whether edges follow curvature and lumen; without, all are wanted alike.
    pub adapts: bool,
}

impl Default for Meshing {
    fn default() -> Self {
        Self { scale: 1.0, adapts: true }
    }
}

/// A hub that could not move as asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    /// Device.
    pub tool: ToolId,
    /// Why, in words with both numbers.
    pub reason: String,
}

/// What happened in a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RodReport {
    /// Newton iterations over all substeps.
    pub iterations: u32,
    /// Substeps done.
    pub substeps: u32,
    /// Largest force left unbalanced at a node, N.
    pub residual_n: f64,
    /// The solver gave up and restored the last good state; why.
    pub diverged: Option<String>,
    /// Hubs that could not move as asked.
    pub blocked: Vec<Blocked>,
}

/// An empty rod at an access.
pub fn new(base: RodBase) -> RodState {
    RodState::new(base)
}

/// Enters a device: over the wire that is in, or through the lumen of the innermost device.
pub fn load(state: &mut RodState, tools: &[Device], tool: ToolId) -> Result<(), LoadRefusal> {
    state.load(tools, tool)
}

/// Takes a device off that is withdrawn to the hub of what is around it.
pub fn unload(state: &mut RodState, tools: &[Device], tool: ToolId) -> Result<(), LoadRefusal> {
    state.unload(tools, tool)
}

/// Parts the implant of a device from its pusher; the rod goes on without it.
///
/// # Errors
/// When there is none, or its joint is still in the catheter.
pub fn release(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    tool: ToolId,
) -> Result<Shed, ReleaseRefusal> {
    release::release(inputs, state, scratch, tool)
}

/// The device whose implant lies loose before its pusher and has wholly left its catheter.
pub fn loose(state: &RodState, tools: &[Device]) -> Option<ToolId> {
    release::loose(state, tools)
}

/// Advances a rod by `dt_s` (one tick of 1/60 s). Never fails; a divergence restores the last good state.
pub fn advance(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    dt_s: f64,
) -> RodReport {
    step::advance(inputs, state, scratch, &Loads::default(), dt_s)
}

/// What a rod presses on the wall with.
pub fn wall_loads(state: &RodState, wall: &dyn WallQuery, law: &WallLaw) -> Vec<WallLoad> {
    view::wall_loads(state, wall, law)
}

/// Takes what sticks to the wall along with it; `moved` says how far the wall at a point has moved, mm.
///
/// So a wall that moves (a vessel that gives way, heart, breath) drags on a device by its own velocity.
pub fn carry_anchors(state: &mut RodState, moved: &dyn Fn(&Vec3) -> Vec3) {
    for anchor in state.anchors.iter_mut().filter(|a| a.active) {
        anchor.point_mm += moved(&anchor.point_mm);
    }
}

/// The edges of a rod as pieces that other rods must not enter.
pub fn capsules(state: &RodState, tools: &[Device]) -> Vec<Capsule> {
    view::capsules(state, tools)
}

/// What the outside may see of a rod.
pub fn view(state: &RodState, tools: &[Device], wall: &dyn WallQuery) -> RodView {
    view::view(state, tools, wall)
}

/// Feeds everything that decides the rod's future into a hash.
pub fn hash(state: &RodState, hasher: &mut StateHasher) {
    hasher.value(state);
}
