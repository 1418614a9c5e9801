//! Numbering of the unknowns, and properties averaged over the cells of the vertices.

use super::state::{RodState, RubMemory};
use super::{MAX_DEVICES, RodDevice};
use crate::device::{Device, DeviceKind, Section};

/// Length of the fixed edge before the base, mm.
pub(super) const GHOST_MM: f64 = 1.0;
/// No unknown.
pub(super) const FIXED: u32 = u32::MAX;
/// Mean density of devices, tonne/mm3 (steel and polymer) `[D]`.
const DENSITY_T_PER_MM3: f64 = 5.0e-9;
/// Axial stiffness bounds, N: below, soft tips would stretch visibly; above, the Newton step would shrink.
const AXIAL_STIFFNESS_N: (f64, f64) = (500.0, 2000.0);
/// Length of a coil that lives outside its catheter, mm: what came out before keeps its shape.
const LIVE_COIL_MM: f64 = 40.0;
/// Edges of the resting loops that still turn with the live ones.
const REST_EDGES: usize = 8;
/// Ticks after which resting loops live for one, to settle.
const SETTLE_TICKS: u32 = 30;
/// Shortest piece of shaft outside the hub that counts for torsional compliance, mm.
const MIN_OUTSIDE_MM: f64 = 5.0;

/// Weights of a device at a vertex.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VertexSpring {
    /// Bending weight `EI L / lb^2` (EI averaged over the covered part), N mm.
    pub(super) bend: f64,
    /// Rest curvatures integrated over the cell, rad.
    pub(super) rest: [f64; 2],
    /// Twisting weight, N mm.
    pub(super) twist: f64,
    /// Rest twist, rad.
    pub(super) rest_twist: f64,
}

/// What touches the wall at a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skin {
    /// Index of the outermost device.
    pub(super) device: usize,
    /// Outer radius, mm.
    pub(super) radius_mm: f64,
    /// Friction coefficient.
    pub(super) friction: f64,
    /// Length of device that the node stands for, mm.
    pub(super) length_mm: f64,
    /// Mass, t.
    pub(super) mass_t: f64,
    /// It is the coil of a coil device, whose loops lie close.
    pub(super) is_coil: bool,
}

/// Everything about a rod that does not change during a Newton solve.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) arc_mm: Vec<f64>,
    /// Edges that each device reaches (edges `0..reach`).
    pub(super) reach: Vec<usize>,
    /// First unknown of each node.
    pub(super) x_dof: Vec<u32>,
    /// Unknown of each device's angle on each edge.
    pub(super) theta_dof: Vec<Vec<u32>>,
    pub(super) unknowns: usize,
    /// Nodes from here on rest: the older loops of a coil.
    pub(super) rests_from: usize,
    /// Nodes that are looked at: the live ones and some behind them.
    pub(super) nodes: usize,
    pub(super) half_bandwidth: usize,
    /// Per device, per vertex.
    pub(super) springs: Vec<Vec<VertexSpring>>,
    /// Torsion spring of each device's shaft outside, N mm.
    pub(super) hub_spring: Vec<f64>,
    pub(super) skins: Vec<Skin>,
    /// Outer radius of each device at the begin of each edge that it reaches, mm.
    pub(super) radius_mm: Vec<Vec<f64>>,
    /// Axial stiffness of each edge, N.
    pub(super) axial_n: Vec<f64>,
}

/// Integrals over a piece of a device.
#[derive(Clone, Copy, Debug, Default)]
struct Integral {
    length: f64,
    ei: f64,
    ei_k: [f64; 2],
    gj: f64,
}

/// Integrates a device between two distances from its tip, mm.
fn integrate(device: &Device, rod: &RodDevice, from: f64, to: f64, imperfection: f64) -> Integral {
    let mut out = Integral::default();
    let (from, to) = (rod.shed_mm + from.max(0.0), (rod.shed_mm + to).min(device.length_mm));
    let mut start = 0.0;
    for zone in &device.zones {
        let end = start + zone.length_mm;
        let l = to.min(end) - from.max(start);
        if l > 0.0 {
            let ei = zone.bend_stiffness_n_mm2 * l;
            // A slow wave of curvature of changing direction, so that perfect columns buckle.
            let mid = 0.5 * (to.min(end) + from.max(start));
            let noise = [imperfection * (mid * 0.11).cos(), imperfection * (mid * 0.083).sin()];
            out.length += l;
            out.ei += ei;
            out.ei_k[0] += ei * (zone.rest_curvature_per_mm + noise[0]);
            out.ei_k[1] += ei * (zone.rest_curvature_2_per_mm + noise[1]);
            out.gj += zone.torsion_stiffness_n_mm2 * l;
        }
        if end >= to {
            break;
        }
        start = end;
    }
    out
}

/// Section of a device at an arc length from the base.
pub(super) fn section(device: &Device, rod: &RodDevice, arc_mm: f64) -> Section {
    device.section_at(rod.behind_tip_mm(arc_mm))
}

/// Arc lengths of the nodes from the base.
pub(super) fn fill_arcs(state: &RodState, arc_mm: &mut Vec<f64>) {
    arc_mm.clear();
    arc_mm.extend([-GHOST_MM, 0.0]);
    let mut s = 0.0;
    for l in &state.rest_mm[1..] {
        s += l;
        arc_mm.push(s);
    }
}

impl Layout {
    /// Numbers the unknowns and averages the properties; also brings every `theta` to the device's reach.
    pub(super) fn rebuild(&mut self, state: &mut RodState, tools: &[Device], imperfection: f64) {
        fill_arcs(state, &mut self.arc_mm);
        let edges = state.rest_mm.len();
        self.reach.clear();
        for d in &mut state.devices {
            let reach = reach_of(d.inserted_mm, &self.arc_mm, &state.rest_mm);
            fit_theta(d, reach, &state.reference_twist);
            self.reach.push(reach);
        }
        self.rests_from = rests_from(state, tools, &self.arc_mm);
        self.nodes = (self.rests_from + REST_EDGES).min(edges + 1);
        self.number(state, edges);
        self.average(state, tools, imperfection);
        self.cover(state, tools);
    }

    /// Nodes that can move or are fixed at the base.
    pub(super) fn live_nodes(&self) -> usize {
        self.rests_from.min(self.x_dof.len())
    }

    fn number(&mut self, state: &RodState, edges: usize) {
        self.x_dof.clear();
        self.theta_dof.resize(state.devices.len(), Vec::new());
        self.theta_dof.iter_mut().for_each(Vec::clear);
        let mut next = 0_u32;
        let mut most = 0;
        for i in 0..=edges {
            if i < 2 || i >= self.rests_from {
                self.x_dof.push(FIXED);
            } else {
                self.x_dof.push(next);
                next += 3;
            }
            let mut here = 0;
            for (d, dofs) in self.theta_dof.iter_mut().enumerate() {
                if i < self.reach[d].min(self.nodes - 1) {
                    dofs.push(next);
                    next += 1;
                    here += 1;
                }
            }
            most = most.max(here);
        }
        self.unknowns = next as usize;
        self.half_bandwidth = (8 + 2 * most).min(self.unknowns.saturating_sub(1));
    }

    fn average(&mut self, state: &RodState, tools: &[Device], imperfection: f64) {
        self.springs.resize(state.devices.len(), Vec::new());
        self.hub_spring.clear();
        self.radius_mm.resize(state.devices.len(), Vec::new());
        for (d, rod) in state.devices.iter().enumerate() {
            let springs = &mut self.springs[d];
            springs.clear();
            springs.resize(state.nodes_mm.len(), VertexSpring::default());
            let Some(device) = tools.get(rod.tool.idx()) else {
                self.hub_spring.push(1.0);
                continue;
            };
            for (i, spring) in springs.iter_mut().enumerate().take(self.reach[d]).skip(1) {
                let s = self.arc_mm[i];
                // The ghost edge has no length of its own: its cell is the clamp.
                let lo = if i == 1 { s } else { s - 0.5 * state.rest_mm[i - 1] };
                let hi = s + 0.5 * state.rest_mm[i];
                let lb = hi - lo;
                let tip = rod.inserted_mm;
                let sum = integrate(device, rod, tip - hi, tip - lo, imperfection);
                if sum.length > 0.0 {
                    spring.bend = sum.ei / (lb * lb);
                    spring.rest = [sum.ei_k[0] * lb / sum.ei, sum.ei_k[1] * lb / sum.ei];
                    spring.twist = sum.gj / (lb * lb);
                }
            }
            let arcs = self.arc_mm.iter().take(self.reach[d]);
            self.radius_mm[d].clear();
            self.radius_mm[d].extend(arcs.map(|s| 0.5 * section(device, rod, *s).outer_diameter_mm));
            let outside = (rod.length_mm - rod.inserted_mm).max(MIN_OUTSIDE_MM);
            let from = rod.length_mm - outside;
            let gj = integrate(device, rod, from, rod.length_mm, 0.0).gj / outside;
            self.hub_spring.push(gj / outside);
        }
    }

    fn cover(&mut self, state: &RodState, tools: &[Device]) {
        let n = state.nodes_mm.len();
        self.skins.clear();
        self.axial_n.clear();
        for i in 0..n {
            let s = self.arc_mm[i].max(0.0);
            let half = |e: Option<&f64>| 0.5 * e.copied().unwrap_or(0.0);
            let before = if i == 1 { 0.0 } else { half(i.checked_sub(1).map(|j| &state.rest_mm[j])) };
            let length_mm = before + half(state.rest_mm.get(i));
            let mut skin = Skin { length_mm, ..Skin::default() };
            let mut found = false;
            let mut axial: f64 = 0.0;
            let mut area = 0.0;
            for (d, rod) in state.devices.iter().enumerate().take(MAX_DEVICES) {
                let Some(device) = tools.get(rod.tool.idx()).filter(|_| rod.inserted_mm >= s - 1e-6) else {
                    continue;
                };
                let sec = section(device, rod, s);
                let diameter = sec.outer_diameter_mm.max(0.05);
                axial = axial.max(16.0 * sec.bend_stiffness_n_mm2 / (diameter * diameter));
                area += 0.25 * std::f64::consts::PI * diameter * diameter;
                if !found {
                    found = true;
                    skin.device = d;
                    skin.radius_mm = 0.5 * diameter;
                    skin.friction = sec.friction_wall;
                    let from_tip_mm = rod.behind_tip_mm(s);
                    skin.is_coil = device.kind == DeviceKind::Coil
                        && device.implant.as_ref().is_some_and(|i| from_tip_mm < i.length_mm);
                }
            }
            skin.mass_t = DENSITY_T_PER_MM3 * area * length_mm;
            self.skins.push(skin);
            if i + 1 < n {
                self.axial_n.push(axial.clamp(AXIAL_STIFFNESS_N.0, AXIAL_STIFFNESS_N.1));
            }
        }
    }
}

/// Nodes at the end of a rod that rest.
pub(super) fn resting_nodes(state: &RodState, tools: &[Device]) -> usize {
    let has_coil = |d: &RodDevice| tools.get(d.tool.idx()).is_some_and(|t| t.kind == DeviceKind::Coil);
    if state.nodes_mm.len() < 3 || !state.devices.last().is_some_and(has_coil) {
        return 0;
    }
    let mut arc_mm = Vec::new();
    fill_arcs(state, &mut arc_mm);
    arc_mm.len() - rests_from(state, tools, &arc_mm)
}

/// First node of the loops of a coil that rest; the number of nodes where all live.
fn rests_from(state: &RodState, tools: &[Device], arc_mm: &[f64]) -> usize {
    let all = arc_mm.len();
    let Some((coil, around)) = state.devices.split_last() else { return all };
    let Some(device) = tools.get(coil.tool.idx()).filter(|d| d.kind == DeviceKind::Coil) else { return all };
    let Some(implant) = device.implant.as_ref().filter(|_| coil.shed_mm == 0.0) else { return all };
    if around.is_empty() || state.coil_ticks.is_multiple_of(SETTLE_TICKS) {
        return all;
    }
    let carried_mm = around.iter().map(|d| d.inserted_mm).fold(0.0, f64::max);
    let from_mm = (carried_mm + LIVE_COIL_MM).max(coil.inserted_mm - implant.length_mm);
    arc_mm.iter().position(|s| *s > from_mm).map_or(all, |i| i.max(3))
}

/// Edges that a device with its tip at `inserted_mm` has an angle on.
fn reach_of(inserted_mm: f64, arc_mm: &[f64], rest_mm: &[f64]) -> usize {
    if inserted_mm <= 0.0 {
        return 0;
    }
    let edges = rest_mm.len();
    // An angle begins where the tip enters the cell of the edge's first vertex.
    (2..edges).find(|&j| inserted_mm <= arc_mm[j] - 0.5 * rest_mm[j - 1] + 1e-9).unwrap_or(edges)
}

/// Cuts or continues (without twist) the angles of a device to a number of edges.
fn fit_theta(device: &mut RodDevice, reach: usize, reference_twist: &[f64]) {
    device.theta.truncate(reach);
    device.rubs.resize(reach, RubMemory::default());
    while device.theta.len() < reach {
        let j = device.theta.len();
        let value = match device.theta.last() {
            Some(last) => last - reference_twist.get(j).copied().unwrap_or(0.0),
            None => device.hub_angle_rad,
        };
        device.theta.push(value);
    }
}
