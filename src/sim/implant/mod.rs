//! Stage: implants. Coils that have parted from their pusher: where they lie, how densely they fill the vessel, how
//! they clot, whether they hold; what they do to the flow follows from that.
//!
//! A released coil keeps the shape that it had as a rod ([`crate::sim::rod`]): its loops are in equilibrium with the wall. It
//! is then rigid; other devices touch it, the vessel takes it along. One that the flow tears loose goes as a free body
//! ([`crate::sim::world`]) until the vessel is as narrow as it.

mod hold;
mod packing;

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

/// Time constants with which the blood between the loops clots, s: with fibers and without, at an activated clotting time of
/// 120 s `[K]`.
const CLOT_S: (f64, f64) = (60.0, 240.0);
/// Activated clotting time without heparin, s.
const ACT_NORMAL_S: f64 = 120.0;
/// Steps in which the clotted share acts on the flow.
const CLOT_STEPS: f64 = 64.0;

/// A coil in the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The device that it came from.
    pub tool: ToolId,
    /// Centerline from its proximal to its distal end, patient frame, vessels at rest, mm.
    pub nodes_mm: Vec<Vec3>,
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
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImplantState {
    /// In the order in which they were released.
    pub placed: Vec<Placed>,
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
}

impl ImplantState {
    /// Takes over what a rod has left behind; returns its index and its place: the middle of its length.
    pub fn add(
        &mut self,
        inputs: &ImplantInputs<'_>,
        tool: ToolId,
        shed: Shed,
    ) -> (usize, Option<VesselPlace>) {
        let placed = Placed {
            tool,
            nodes_mm: shed.nodes_mm,
            length_mm: Vec::new(),
            wall_force_n: shed.wall_force_n,
            clot: 0.0,
            slipping_s: 0.0,
            body: None,
        };
        self.placed.push(placed);
        self.survey(inputs);
        let last = self.placed.len() - 1;
        (last, self.placed[last].place(inputs.wall))
    }

    /// Where all lie, and what they fill.
    fn survey(&mut self, inputs: &ImplantInputs<'_>) {
        for p in &mut self.placed {
            p.length_mm = packing::lengths(&p.nodes_mm, inputs.wall);
        }
        self.stretches = packing::stretches(&self.placed, inputs);
        self.changes = packing::changes(&self.placed, &self.stretches, inputs);
    }

    /// The pieces that rods must not enter, given how far the vessels have moved at a point, mm.
    pub fn capsules(&self, tools: &[Device], shift: &dyn Fn(&Vec3) -> Vec3) -> Vec<Capsule> {
        let mut out = Vec::new();
        for p in self.placed.iter().filter(|p| p.body.is_none()) {
            let radius_mm = p.thickness_mm(tools) / 2.0;
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
            points_mm: p.nodes_mm.iter().map(|x| x + shift(x)).collect(),
            width_mm: p.thickness_mm(tools),
            length_mm: p.length_mm.clone(),
            clot: p.clot,
            drifts: p.body.is_some(),
        };
        self.placed.iter().enumerate().map(view).collect()
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

impl Placed {
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
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    if state.placed.is_empty() {
        return;
    }
    let (mut has_clotted, mut has_moved) = (false, false);
    for i in 0..state.placed.len() {
        let pull_n = hold::drag_n(i, &state.stretches, inputs);
        let hold_n = hold::hold_n(i, &state.placed[i], &state.stretches, inputs);
        let p = &mut state.placed[i];
        if let Some(body) = p.body {
            has_moved |= follow(p, i, &world.bodies[body as usize], inputs, events);
            continue;
        }
        let step = |clot: f64| (clot * CLOT_STEPS) as u32;
        let before = step(p.clot);
        let tau_s = if p.spec(inputs.tools).is_some_and(|s| s.fibered) { CLOT_S.0 } else { CLOT_S.1 };
        let slower = (inputs.act_s / ACT_NORMAL_S).max(1.0).powi(2);
        p.clot += (1.0 - p.clot) * -(-dt_s / (tau_s * slower)).exp_m1();
        has_clotted |= step(p.clot) != before;
        let is_slipping = pull_n > hold_n;
        p.slipping_s = if is_slipping { p.slipping_s + dt_s } else { 0.0 };
        if p.slipping_s > hold::PATIENCE_S
            && let Some(place) = p.place(inputs.wall)
        {
            let diameter_mm = p.spec(inputs.tools).map_or(1.0, |s| s.diameter_mm);
            let body = world.spawn_implant(i as u32, diameter_mm, p.center_mm(), place);
            p.body = Some(body as u32);
            p.clot = 0.0;
            has_moved = true;
            events.push(EventKind::ImplantMigrates { implant: i as u32, from: place });
        }
    }
    if has_moved {
        state.survey(inputs);
    } else if has_clotted {
        state.changes = packing::changes(&state.placed, &state.stretches, inputs);
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
