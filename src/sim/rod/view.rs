//! What the outside may see of a rod.

use super::Capsule;
use super::frames::Frames;
use super::layout::{fill_arcs, section};
use super::state::RodState;
use super::touch::{FIRST_SITE, bed_response, edge_of, position};
use crate::device::{Device, DeviceKind};
use crate::math::Vec3;
use crate::sim::contact::{WallLaw, WallLoad, WallQuery};
use crate::sim::snapshot::{RodDeviceView, RodView};

/// Length that counts as a tip, mm.
pub const TIP_MM: f64 = 2.0;

/// A plain copy of a rod.
pub(super) fn view(state: &RodState, tools: &[Device], wall: &dyn WallQuery) -> RodView {
    let mut arc = Vec::new();
    let mut frames = Frames::default();
    let base = (state.base.position_mm, state.base.direction);
    if !state.nodes_mm.is_empty() {
        fill_arcs(state, &mut arc);
        frames.load(state);
    }
    let devices = (0..state.devices.len()).map(|d| {
        let device = &state.devices[d];
        let (tip_mm, tip_direction) =
            if device.inserted_mm > 0.0 { at_arc(&arc, &frames, device.inserted_mm, base) } else { base };
        let tip_place = (device.inserted_mm > 0.0).then(|| wall.at(&tip_mm).place).flatten();
        let tip_torque_n_mm = tip_torque(state, &frames, &arc, d, tools);
        let (wall_force_n, wall_peak_n) = wall_force(state, &arc, d);
        RodDeviceView {
            tool: device.tool,
            inserted_mm: device.inserted_mm,
            shed_mm: device.shed_mm,
            hub_angle_rad: device.hub_angle_rad,
            tip_angle_rad: tip_angle(state, &frames, &arc, d),
            tip_mm,
            tip_direction,
            tip_place,
            hub_force_n: device.hub_force_n,
            hub_torque_n_mm: device.hub_torque_n_mm,
            tip_force_n: tip_force(state, &arc, d, tools),
            is_blunt: is_blunt(state, d, tools),
            tip_torque_n_mm,
            wall_force_n,
            wall_peak_n,
            lost_torque_n_mm: device.hub_torque_n_mm - tip_torque_n_mm,
            external_mm: state.external_mm(d),
            hold: device.hold,
        }
    });
    RodView {
        devices: devices.collect(),
        nodes_mm: state.nodes_mm.iter().skip(1).copied().collect(),
        arc_mm: arc.iter().skip(1).copied().collect(),
        contact_n: (1..state.nodes_mm.len()).map(|i| node_contact_n(state, i)).collect(),
    }
}

/// Does a tip press with its side.
fn is_blunt(state: &RodState, d: usize, tools: &[Device]) -> bool {
    let device = &state.devices[d];
    let Some(tool) = tools.get(device.tool.idx()) else { return false };
    // A wire in the loop stretches it.
    let inner_mm = state.devices[d + 1..].iter().map(|w| w.inserted_mm).fold(f64::NEG_INFINITY, f64::max);
    let is_loop = tool
        .tip_loop_mm()
        .is_some_and(|mm| device.shed_mm == 0.0 && inner_mm < device.inserted_mm - 0.5 * mm);
    tool.kind == DeviceKind::Coil || is_loop
}

/// The edges of a rod from its base on, each as thick as the outermost device there.
pub(super) fn capsules(state: &RodState, tools: &[Device]) -> Vec<Capsule> {
    let mut arc = Vec::new();
    if state.nodes_mm.len() > 2 {
        fill_arcs(state, &mut arc);
    }
    let radius = |s: f64| {
        let device = state.devices.iter().find(|d| d.inserted_mm >= s - 1e-6);
        let tool = device.and_then(|d| Some((d, tools.get(d.tool.idx())?)));
        tool.map_or(0.0, |(d, t)| 0.5 * section(t, d, s).outer_diameter_mm)
    };
    (1..arc.len().saturating_sub(1))
        .map(|j| Capsule {
            a_mm: state.nodes_mm[j],
            b_mm: state.nodes_mm[j + 1],
            radius_mm: radius(arc[j + 1]),
        })
        .collect()
}

/// Forces on the wall at the contact sites, and how stiff each contact is.
pub(super) fn wall_loads(state: &RodState, wall: &dyn WallQuery, law: &WallLaw) -> Vec<WallLoad> {
    let pressing = state.anchors.iter().enumerate().skip(FIRST_SITE).filter(|(_, a)| a.normal_n > 0.0);
    pressing
        .filter_map(|(s, anchor)| {
            let hit = wall.at(&position(&state.nodes_mm, s));
            let edge = state.rest_mm[edge_of(s)];
            Some(WallLoad {
                place: hit.place?,
                force_n: -hit.inward * anchor.normal_n,
                stiffness_n_per_mm: law.stiffness_n_per_mm2 * edge
                    + anchor.normal_n / law.stiffening_mm
                    + bed_response(-hit.inside_mm).2,
            })
        })
        .collect()
}

/// Position and tangent at an arc length; the base where there is no rod.
fn at_arc(arc: &[f64], frames: &Frames, s: f64, base: (Vec3, Vec3)) -> (Vec3, Vec3) {
    let edges = frames.tangent.len();
    if edges < 2 {
        return (base.0 + base.1 * s.max(0.0), base.1);
    }
    let j = (1..edges).find(|&j| s <= arc[j + 1]).unwrap_or(edges - 1);
    let t = ((s - arc[j]) / (arc[j + 1] - arc[j]).max(1e-12)).clamp(0.0, 1.0);
    (frames.x[j].lerp(&frames.x[j + 1], t), frames.tangent[j])
}

/// Roll of a device at its tip against a director carried in parallel from the base, rad.
fn tip_angle(state: &RodState, frames: &Frames, arc: &[f64], d: usize) -> f64 {
    let device = &state.devices[d];
    // Angles beyond the tip belong to the cell of the last vertex only; the tip's is the last edge that it enters.
    let last = (0..device.theta.len()).rev().find(|&j| arc[j] < device.inserted_mm - 1e-9);
    let Some(last) = last else { return device.hub_angle_rad };
    let twist: f64 = (1..=last).map(|i| frames.twist(d, i)).sum();
    device.theta[0] + twist
}

/// Wall force on the nodes of the tip of a device that lies bare there, N.
fn tip_force(state: &RodState, arc: &[f64], d: usize, tools: &[Device]) -> f64 {
    let tip = state.devices[d].inserted_mm;
    let bare = tip > 0.0 && state.devices[..d].iter().all(|o| o.inserted_mm < tip);
    if !bare || tools.get(state.devices[d].tool.idx()).is_none() {
        return 0.0;
    }
    let near = (1..arc.len()).filter(|&i| arc[i] <= tip + 1e-6 && arc[i] > tip - TIP_MM);
    near.map(|i| node_contact_n(state, i)).sum()
}

/// Torque carried past the last vertex before the tip: `-GJ` times the twist per length there, N mm.
fn tip_torque(state: &RodState, frames: &Frames, arc: &[f64], d: usize, tools: &[Device]) -> f64 {
    let device = &state.devices[d];
    let Some(tool) = tools.get(device.tool.idx()) else { return 0.0 };
    let last = (1..device.theta.len()).rev().find(|&i| arc[i] <= device.inserted_mm - TIP_MM);
    last.map_or(0.0, |i| {
        let cell_mm = 0.5 * (state.rest_mm[i - 1] + state.rest_mm[i]);
        -section(tool, device, arc[i]).torsion_stiffness_n_mm2 * frames.twist(d, i) / cell_mm
    })
}

/// Wall force on the nodes where a device is the outermost: sum and largest, N.
fn wall_force(state: &RodState, arc: &[f64], d: usize) -> (f64, f64) {
    let from = state.devices[..d].iter().map(|o| o.inserted_mm).fold(0.0, f64::max);
    let bare = (1..arc.len()).filter(|&i| arc[i] > from && arc[i] <= state.devices[d].inserted_mm + 1e-6);
    bare.map(|i| node_contact_n(state, i)).fold((0.0, 0.0), |(sum, most), n| (sum + n, n.max(most)))
}

/// Wall force on a node: its own and half of what its edges bear in their middles, N.
fn node_contact_n(state: &RodState, i: usize) -> f64 {
    let at = |s: usize| state.anchors.get(s).map_or(0.0, |a| a.normal_n);
    at(2 * i) + 0.5 * (at(2 * i - 1) + at(2 * i + 1))
}
