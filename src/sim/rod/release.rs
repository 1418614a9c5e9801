//! Parting of a coil from what pushes it.

use thiserror::Error;

use super::layout::fill_arcs;
use super::state::{Anchor, RodDevice, RodState, RubMemory};
use super::step::RodScratch;
use super::touch::sites;
use super::{RodBase, RodInputs};
use crate::device::{Device, Implant, Release};
use crate::math::Vec3;
use crate::sim::command::ToolId;
use crate::units::TICK_S;

/// The cut goes to a node that is nearer to the joint than this, mm.
const NEAR_MM: f64 = 0.15;
/// A joint this little inside its catheter counts as outside, mm.
const AT_TIP_MM: f64 = 0.05;
/// Ticks for which an implant settles when nothing pushes it any more: its loops need some times 15 ms.
const SETTLE_TICKS: u32 = 12;

/// What a device has left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Shed {
    /// Centerline from the joint to the first tip, patient frame, mm.
    pub nodes_mm: Vec<Vec3>,
    /// Sum of the forces with which it presses on the wall, N.
    pub wall_force_n: f64,
}

/// Why nothing can be left behind.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ReleaseRefusal {
    /// Not in, or nothing on it.
    #[error("{0} has nothing to detach")]
    Nothing(String),
    /// The joint is still in the catheter.
    #[error("the joint of {device} is {inside_mm:.1} mm inside the catheter; it must be outside (0 mm)")]
    JointInside {
        /// Device.
        device: String,
        /// How far, mm.
        inside_mm: f64,
    },
}

/// Arc length of the joint of an implant that is still on its pusher, and the implant.
fn joint<'a>(state: &RodState, tools: &'a [Device], index: usize) -> Option<(f64, &'a Implant)> {
    let device = &state.devices[index];
    let implant = tools.get(device.tool.idx())?.implant.as_ref()?;
    (device.shed_mm == 0.0).then_some((device.inserted_mm - implant.length_mm, implant))
}

/// Farthest tip of the devices around `index`, mm.
fn carried_to_mm(state: &RodState, index: usize) -> f64 {
    state.devices[..index].iter().map(|d| d.inserted_mm).fold(0.0, f64::max)
}

/// The device whose implant is loose and has wholly left its catheter, if there is one.
pub(super) fn loose(state: &RodState, tools: &[Device]) -> Option<ToolId> {
    (0..state.devices.len()).find_map(|d| {
        let (joint_mm, implant) = joint(state, tools, d)?;
        let is_out = implant.release == Release::Pushed && joint_mm >= carried_to_mm(state, d);
        is_out.then_some(state.devices[d].tool)
    })
}

/// Whether a device carries a loose implant that has begun to leave its catheter: it cannot be drawn back.
pub(super) fn cannot_return(state: &RodState, tools: &[Device], index: usize) -> bool {
    let Some((_, implant)) = joint(state, tools, index) else { return false };
    implant.release == Release::Pushed && state.devices[index].inserted_mm > carried_to_mm(state, index)
}

/// Cuts the rod at the joint of a device; what lies beyond is no part of it any more and settles without its push.
pub(super) fn release(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    tool: ToolId,
) -> Result<Shed, ReleaseRefusal> {
    let tools = inputs.tools;
    let label = tools.get(tool.idx()).map(|t| t.label.clone()).unwrap_or_default();
    let nothing = || ReleaseRefusal::Nothing(label.clone());
    let index = state.index_of(tool).ok_or_else(nothing)?;
    let (joint_mm, implant) = joint(state, tools, index).ok_or_else(nothing)?;
    let inside_mm = carried_to_mm(state, index) - joint_mm;
    if inside_mm > AT_TIP_MM || joint_mm <= NEAR_MM {
        return Err(ReleaseRefusal::JointInside { device: label, inside_mm: inside_mm.max(-joint_mm) });
    }
    let length_mm = implant.length_mm;
    let cut = node_at(state, joint_mm);
    let mut free = part_behind(state, index, cut);
    truncate(state, cut);
    let device = &mut state.devices[index];
    device.inserted_mm -= length_mm;
    device.length_mm -= length_mm;
    device.shed_mm = length_mm;
    let inputs = RodInputs { controls: &[], ..*inputs };
    for _ in 0..SETTLE_TICKS {
        super::advance(&inputs, &mut free, scratch, TICK_S);
    }
    let wall_force_n = free.anchors.iter().map(|a| a.normal_n).sum();
    Ok(Shed { nodes_mm: free.nodes_mm, wall_force_n })
}

/// The stretch of a device from a node on as a rod of its own, held at its first edge.
fn part_behind(state: &RodState, index: usize, cut: usize) -> RodState {
    let last = state.nodes_mm.len() - 1;
    let cut = cut.min(last - 2);
    let base = RodBase {
        position_mm: state.nodes_mm[cut + 1],
        direction: state.edge_tangent(cut),
        sheath_length_mm: 0.0,
        ..state.base
    };
    let length_mm: f64 = state.rest_mm[cut + 1..].iter().sum();
    let whole = &state.devices[index];
    let theta = whole.theta.get(cut..).unwrap_or_default().to_vec();
    let mut device = RodDevice::new(whole.tool, length_mm, length_mm);
    device.hub_angle_rad = theta.first().copied().unwrap_or(0.0);
    device.rubs = vec![RubMemory::default(); theta.len()];
    device.theta = theta;
    RodState {
        devices: vec![device],
        nodes_mm: state.nodes_mm[cut..].to_vec(),
        velocity_mm_per_s: vec![Vec3::zeros(); last + 1 - cut],
        rest_mm: state.rest_mm[cut..].to_vec(),
        director: state.director[cut..].to_vec(),
        reference_twist: state.reference_twist[cut..].to_vec(),
        tip_of: vec![None; last + 1 - cut],
        anchors: state.anchors[2 * cut..].to_vec(),
        lumen_mm: state.lumen_mm[cut..].to_vec(),
        ..RodState::new(base)
    }
}

/// The node at an arc length, made if there is none.
fn node_at(state: &mut RodState, arc_mm: f64) -> usize {
    let mut arc = Vec::new();
    fill_arcs(state, &mut arc);
    let last = arc.len() - 1;
    let j = (1..last).find(|&j| arc_mm < arc[j + 1]).unwrap_or(last - 1);
    let (before, behind) = (arc_mm - arc[j], arc[j + 1] - arc_mm);
    if before < NEAR_MM && j >= 2 {
        return j;
    }
    if behind >= NEAR_MM {
        state.split_edge(j, before / (before + behind));
    }
    j + 1
}

/// Drops all nodes behind `last`.
fn truncate(state: &mut RodState, last: usize) {
    let nodes = last + 1;
    state.nodes_mm.truncate(nodes);
    state.velocity_mm_per_s.truncate(nodes);
    state.rest_mm.truncate(last);
    state.director.truncate(last);
    state.reference_twist.truncate(nodes);
    state.tip_of.truncate(nodes);
    state.tip_of[last] = None;
    state.anchors.truncate(sites(nodes));
    state.anchors[2 * last] = Anchor::default();
    state.lumen_mm.truncate(nodes);
    for device in &mut state.devices {
        device.theta.truncate(last);
        device.rubs.truncate(last);
    }
}
