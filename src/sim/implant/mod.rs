//! Stage: implants. Coils that have parted from their pusher: where they lie, how densely they fill the vessel, how
//! they clot, whether they hold; what they do to the flow follows from that.
//!
//! A released coil keeps the shape that it had as a rod ([`crate::sim::rod`]): its loops are in equilibrium with the wall. It
//! is then rigid; other devices touch it, the vessel takes it along. One that the flow tears loose goes as a free body
//! ([`crate::sim::world`]) until the vessel is as narrow as it.

mod hold;
mod mesh;
mod packing;
pub mod snare;

use serde::{Deserialize, Serialize};

use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::device::{Device, Implant};
use crate::math::Vec3;
use crate::math::hash::StateHasher;
use crate::sim::command::ToolId;
use crate::sim::contact::WallQuery;
use crate::sim::event::EventKind;
use crate::sim::flow::{FlowState, LumenChange, Network};
use crate::sim::rod::{Capsule, Shed};
use crate::sim::snapshot::ImplantView;
use crate::sim::world::WorldState;

pub use packing::{Stretch, permeability_mm2};
pub use snare::{Snare, SnareSeen};

/// Time constants with which the blood between the loops clots, s: with fibers and without, at an activated clotting time of
/// 120 s `[K]`.
const CLOT_S: (f64, f64) = (60.0, 240.0);
/// The same of a braid, s `[K]`.
const MESH_CLOT_S: f64 = 120.0;
/// A plug on its cable is looked at again when its exposed length has changed by this, or when it has moved so far, mm.
const EXPOSED_CHANGE_MM: f64 = 0.25;
/// Activated clotting time without heparin, s.
const ACT_NORMAL_S: f64 = 120.0;
/// Width of a drawn wire of a braid, which stands for several, mm.
const DRAWN_WIRE_MM: f64 = 0.12;
/// Steps in which the clotted share acts on the flow.
const CLOT_STEPS: f64 = 64.0;

/// A coil in the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The device that it came from.
    pub tool: ToolId,
    /// Centerline from its proximal to its distal end, patient frame, vessels at rest, mm.
    pub nodes_mm: Vec<Vec3>,
    /// Of a plug: where its axis lay when it was last looked at, before it opened.
    #[serde(default)]
    pub seen_mm: Vec<Vec3>,
    /// Of a plug: the width to which it opened, mm.
    #[serde(default)]
    pub width_mm: f64,
    /// Length in each vessel, mm; what is outside all vessels is left out.
    pub length_mm: Vec<(VesselId, f64)>,
    /// Sum of the forces with which it presses on the wall, N.
    pub wall_force_n: f64,
    /// Share of the blood between its loops that has clotted, 0 to 1.
    pub clot: f64,
    /// For how long the blood has pulled harder than it holds, s.
    pub slipping_s: f64,
    /// The free body as which it drifts.
    pub body: Option<u32>,
    /// The snare that is drawn tight on it.
    #[serde(default)]
    pub held_by: Option<ToolId>,
    /// It has been taken out of the patient.
    #[serde(default)]
    pub is_out: bool,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImplantState {
    /// In the order in which they were released.
    pub placed: Vec<Placed>,
    /// A plug that stands open on its cable: it acts on the blood, but is held.
    #[serde(default)]
    pub exposed: Option<Placed>,
    /// Snares in the patient.
    #[serde(default)]
    pub snares: Vec<Snare>,
    /// What they fill of the vessels; made anew when one comes or moves.
    pub stretches: Vec<Stretch>,
    /// What that does to the lumens.
    pub changes: Vec<LumenChange>,
}

/// What the stage needs from outside.
#[derive(Clone, Copy)]
pub struct ImplantInputs<'a> {
    /// Devices of the tray.
    pub tools: &'a [Device],
    /// Vessels at rest.
    pub tree: &'a VesselTree,
    /// Their wall.
    pub wall: &'a dyn WallQuery,
    /// Network of the flow.
    pub network: &'a Network,
    /// Its state in the last tick.
    pub flow: &'a FlowState,
    /// Activated clotting time, s.
    pub act_s: f64,
    /// Do implants resist the blood.
    pub packing_enabled: bool,
}

impl ImplantState {
    /// Takes over what a rod has left behind; returns its index and its place: the middle of its length.
    pub fn add(
        &mut self,
        inputs: &ImplantInputs<'_>,
        tool: ToolId,
        shed: Shed,
    ) -> (usize, Option<VesselPlace>) {
        let mut placed = Placed::new(tool, shed.nodes_mm, shed.wall_force_n);
        if let Some(open) = self.exposed.take_if(|e| e.tool == tool) {
            placed.clot = open.clot;
        }
        placed.open(inputs);
        self.placed.push(placed);
        self.survey(inputs);
        let last = self.placed.len() - 1;
        (last, self.placed[last].place(inputs.wall))
    }

    /// Where all lie, and what they fill.
    fn survey(&mut self, inputs: &ImplantInputs<'_>) {
        for p in self.placed.iter_mut().chain(&mut self.exposed) {
            p.length_mm = packing::lengths(&p.nodes_mm, inputs.wall);
        }
        self.stretches = packing::stretches(&self.all(), inputs);
        self.change(inputs);
    }

    /// The blood takes an implant along; false where it lies in no vessel.
    fn let_go(
        &mut self,
        inputs: &ImplantInputs<'_>,
        world: &mut WorldState,
        index: usize,
        events: &mut Vec<EventKind>,
    ) -> bool {
        let p = &mut self.placed[index];
        p.held_by = None;
        let Some(place) = p.place(inputs.wall) else { return false };
        let diameter_mm = p.spec(inputs.tools).map_or(1.0, |s| s.diameter_mm);
        let body = world.spawn_implant(index as u32, diameter_mm, p.center_mm(), place);
        p.body = Some(body as u32);
        p.clot = 0.0;
        events.push(EventKind::ImplantMigrates { implant: index as u32, from: place });
        true
    }

    fn change(&mut self, inputs: &ImplantInputs<'_>) {
        self.changes.clear();
        if inputs.packing_enabled {
            self.changes = packing::changes(&self.all(), &self.stretches, inputs);
        }
    }

    /// All that fills vessels: what was released, then what stands open on its cable.
    fn all(&self) -> Vec<&Placed> {
        self.placed.iter().chain(&self.exposed).collect()
    }

    /// Takes note of a plug that stands open on its cable: its axis from the joint on, vessels at rest; `None` when there is none.
    pub fn expose(&mut self, inputs: &ImplantInputs<'_>, seen: Option<(ToolId, Vec<Vec3>)>) {
        let is_same = match (&self.exposed, &seen) {
            (None, None) => true,
            (Some(old), Some((tool, axis_mm))) => old.tool == *tool && is_alike(&old.seen_mm, axis_mm),
            _ => false,
        };
        if is_same {
            return;
        }
        let clot = self.exposed.as_ref().map_or(0.0, |e| e.clot);
        self.exposed = seen.map(|(tool, axis_mm)| {
            let mut placed = Placed::new(tool, axis_mm, 0.0);
            placed.clot = clot;
            placed.open(inputs);
            placed
        });
        self.survey(inputs);
    }

    /// The pieces that rods must not enter, given how far the vessels have moved at a point, mm.
    pub fn capsules(&self, tools: &[Device], shift: &dyn Fn(&Vec3) -> Vec3) -> Vec<Capsule> {
        let mut out = Vec::new();
        for p in self.placed.iter().filter(|p| p.lies()) {
            let radius_mm = 0.5 * if p.is_mesh(tools) { p.width_mm } else { p.thickness_mm(tools) };
            let moved: Vec<Vec3> = p.nodes_mm.iter().map(|x| x + shift(x)).collect();
            out.extend(moved.windows(2).map(|w| Capsule { a_mm: w[0], b_mm: w[1], radius_mm }));
        }
        out
    }

    /// What the outside may see.
    pub fn view(&self, tools: &[Device], shift: &dyn Fn(&Vec3) -> Vec3) -> Vec<ImplantView> {
        let view = |(i, p): (usize, &Placed)| ImplantView {
            packing: self.packing(i),
            tool: p.tool,
            points_mm: p.drawn(tools).iter().map(|x| x + shift(x)).collect(),
            width_mm: if p.is_mesh(tools) { DRAWN_WIRE_MM } else { p.thickness_mm(tools) },
            length_mm: p.length_mm.clone(),
            clot: p.clot,
            drifts: p.body.is_some() || p.held_by.is_some() || p.is_out,
            is_joined: i >= self.placed.len(),
        };
        let width_mm =
            |tool: ToolId| tools.get(tool.idx()).map_or(0.3, |d| d.section_at(0.0).outer_diameter_mm);
        let loops = self.snares.iter().filter_map(|s| snare::view(s, width_mm(s.tool), shift));
        self.all().into_iter().enumerate().map(view).chain(loops).collect()
    }

    /// Mean share of solid in the pieces of vessel where an implant lies, weighted by its own share of them.
    fn packing(&self, index: usize) -> f64 {
        let own = |s: &Stretch| s.shares.iter().find(|(i, _)| *i as usize == index).map(|x| x.1 * s.solid);
        let (sum, weight) = self
            .stretches
            .iter()
            .filter_map(|s| own(s).map(|w| (s.solid, w)))
            .fold((0.0, 0.0), |(sum, weight), (solid, w)| (sum + solid * w, weight + w));
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// Do two axes lie where the other lies.
fn is_alike(a: &[Vec3], b: &[Vec3]) -> bool {
    let near = |x: Option<&Vec3>, y: Option<&Vec3>| match (x, y) {
        (Some(x), Some(y)) => (x - y).norm() < EXPOSED_CHANGE_MM,
        _ => false,
    };
    near(a.first(), b.first()) && near(a.last(), b.last())
}

impl Placed {
    fn new(tool: ToolId, nodes_mm: Vec<Vec3>, wall_force_n: f64) -> Self {
        Self {
            tool,
            seen_mm: Vec::new(),
            nodes_mm,
            width_mm: 0.0,
            length_mm: Vec::new(),
            wall_force_n,
            clot: 0.0,
            slipping_s: 0.0,
            body: None,
            held_by: None,
            is_out: false,
        }
    }

    /// It lies where it was left: neither adrift nor in a snare nor out.
    fn lies(&self) -> bool {
        self.body.is_none() && self.held_by.is_none() && !self.is_out
    }

    /// A braid opens: it fills its vessel and presses on the wall.
    fn open(&mut self, inputs: &ImplantInputs<'_>) {
        let Some(nominal_mm) = self.spec(inputs.tools).filter(|s| s.mesh.is_some()).map(|s| s.diameter_mm)
        else {
            return;
        };
        self.seen_mm.clone_from(&self.nodes_mm);
        mesh::center(&mut self.nodes_mm, inputs.wall, inputs.tree);
        let place = self.place(inputs.wall);
        let lumen_mm =
            place.map_or(nominal_mm, |p| 2.0 * inputs.tree.branch(p.vessel).at(p.arc_mm).radius_mm);
        let length_mm: f64 = self.nodes_mm.windows(2).map(|w| (w[1] - w[0]).norm()).sum();
        self.width_mm = mesh::width_mm(nominal_mm, lumen_mm);
        self.wall_force_n = mesh::outward_n(nominal_mm, lumen_mm, length_mm);
    }

    fn is_mesh(&self, tools: &[Device]) -> bool {
        self.spec(tools).is_some_and(|s| s.mesh.is_some())
    }

    /// Solid cross-section along its axis, mm2, and the radius of its cylinders, mm.
    fn solid(&self, tools: &[Device]) -> (f64, f64) {
        match self.spec(tools).and_then(|s| s.mesh.as_ref()) {
            Some(braid) => (mesh::section_mm2(braid), 0.5 * braid.wire_mm),
            None => {
                let radius_mm = 0.5 * self.thickness_mm(tools);
                (std::f64::consts::PI * radius_mm * radius_mm, radius_mm)
            }
        }
    }

    /// The line of its wire, or those of its braid.
    fn drawn(&self, tools: &[Device]) -> Vec<Vec3> {
        if self.is_mesh(tools) { mesh::wires(&self.nodes_mm, self.width_mm) } else { self.nodes_mm.clone() }
    }

    /// Clots on; true when that acts on the flow.
    fn thicken(&mut self, tools: &[Device], dt_s: f64) -> bool {
        let step = |clot: f64| (clot * CLOT_STEPS) as u32;
        let before = step(self.clot);
        self.clot += (1.0 - self.clot) * -(-dt_s / self.clot_s(tools)).exp_m1();
        step(self.clot) != before
    }

    /// Time constant with which the blood in it clots, s.
    fn clot_s(&self, tools: &[Device]) -> f64 {
        match self.spec(tools) {
            Some(s) if s.mesh.is_some() => MESH_CLOT_S,
            Some(s) if s.fibered => CLOT_S.0,
            _ => CLOT_S.1,
        }
    }

    fn spec<'a>(&self, tools: &'a [Device]) -> Option<&'a Implant> {
        tools.get(self.tool.idx())?.implant.as_ref()
    }

    /// Outer diameter of its stock, mm.
    fn thickness_mm(&self, tools: &[Device]) -> f64 {
        tools.get(self.tool.idx()).map_or(0.3, |d| d.section_at(0.0).outer_diameter_mm)
    }

    /// Place of the middle of its length; where that is outside, of any part of it.
    fn place(&self, wall: &dyn WallQuery) -> Option<VesselPlace> {
        let middle = self.nodes_mm.len() / 2;
        let at = |i: usize| wall.at(&self.nodes_mm[i]).place;
        at(middle).or_else(|| (0..self.nodes_mm.len()).find_map(at))
    }

    fn center_mm(&self) -> Vec3 {
        self.nodes_mm.iter().sum::<Vec3>() / self.nodes_mm.len().max(1) as f64
    }
}

/// Clots, holds or lets go, follows its free body, by `dt_s`.
pub fn advance(
    inputs: &ImplantInputs<'_>,
    state: &mut ImplantState,
    world: &mut WorldState,
    snares: &[SnareSeen],
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    if state.placed.is_empty() && state.exposed.is_none() && snares.is_empty() && state.snares.is_empty() {
        return;
    }
    let slower = (inputs.act_s / ACT_NORMAL_S).max(1.0).powi(2);
    let mut has_clotted = false;
    let mut has_moved = snare::advance(inputs, state, world, snares, events);
    for i in 0..state.placed.len() {
        if state.placed[i].held_by.is_some() || state.placed[i].is_out {
            continue;
        }
        let pull_n = if inputs.packing_enabled { hold::drag_n(i, &state.stretches, inputs) } else { 0.0 };
        let hold_n = hold::hold_n(i, &state.placed[i], &state.stretches, inputs);
        let p = &mut state.placed[i];
        if let Some(body) = p.body {
            has_moved |= follow(p, i, &world.bodies[body as usize], inputs, events);
            continue;
        }
        has_clotted |= p.thicken(inputs.tools, dt_s / slower);
        let is_slipping = pull_n > hold_n;
        p.slipping_s = if is_slipping { p.slipping_s + dt_s } else { 0.0 };
        if p.slipping_s > hold::PATIENCE_S {
            has_moved |= state.let_go(inputs, world, i, events);
        }
    }
    if let Some(open) = &mut state.exposed {
        has_clotted |= open.thicken(inputs.tools, dt_s / slower);
    }
    if has_moved {
        state.survey(inputs);
    } else if has_clotted {
        state.change(inputs);
    }
}

/// Goes with its free body; one that has come to rest lies where it is, wedged.
fn follow(
    p: &mut Placed,
    index: usize,
    body: &crate::sim::world::FreeBody,
    inputs: &ImplantInputs<'_>,
    events: &mut Vec<EventKind>,
) -> bool {
    let by = body.position_mm - p.center_mm();
    p.nodes_mm.iter_mut().for_each(|x| *x += by);
    if body.is_lodged {
        p.body = None;
        p.wall_force_n = hold::WEDGED_N;
        p.length_mm = packing::lengths(&p.nodes_mm, inputs.wall);
        events.push(EventKind::ImplantLodged { implant: index as u32, place: body.place });
    }
    body.is_lodged || by != Vec3::zeros()
}
