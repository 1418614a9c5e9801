//! Implants in the tick: what parts from the rods, what the stage sees of the rest.

use super::command::ToolId;
use super::contact::ShiftedWall;
use super::event::EventKind;
use super::flow::FlowState;
use super::implant::{self, ImplantInputs, SnareSeen};
use super::model::Model;
use super::opening;
use super::rod::{self, Capsule, RodInputs, RodScratch};
use super::snapshot::{ImplantView, RodView};
use super::state::State;
use super::walls::total_shift;
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::units::TICK_S;

/// A plug that stands out less than this is closed, mm.
const LEAST_OPEN_MM: f64 = 1.0;
/// Spacing of the points of its axis, mm.
const AXIS_STEP_MM: f64 = 1.0;

/// Detaches on command.
pub(super) fn detach(
    model: &Model,
    state: &mut State,
    scratch: &mut RodScratch,
    tool: ToolId,
    events: &mut Vec<EventKind>,
) {
    let Some(rod) = state.rods.iter().position(|r| r.index_of(tool).is_some()) else {
        events.push(EventKind::Refused { tool: Some(tool), reason: "it is not in".to_owned() });
        return;
    };
    part(model, state, scratch, rod, tool, events);
}

/// Loose implants that have left their catheter are free.
pub(super) fn release_loose(
    model: &Model,
    state: &mut State,
    scratch: &mut RodScratch,
    events: &mut Vec<EventKind>,
) {
    for rod in 0..state.rods.len() {
        if let Some(tool) = rod::loose(&state.rods[rod], &model.tools) {
            part(model, state, scratch, rod, tool, events);
        }
    }
}

fn part(
    model: &Model,
    state: &mut State,
    scratch: &mut RodScratch,
    index: usize,
    tool: ToolId,
    events: &mut Vec<EventKind>,
) {
    let shift = total_shift(model, state).into_owned();
    let wall = opening::wall(model, state, &shift);
    let others = obstacles(model, state, index, &wall);
    let inputs = RodInputs {
        tools: &model.tools,
        controls: &[],
        wall: &wall,
        law: model.law,
        others: &others,
        meshing: rod::Meshing::default(),
    };
    let mut shed = match rod::release(&inputs, &mut state.rods[index], scratch, tool) {
        Ok(shed) => shed,
        Err(reason) => {
            events.push(EventKind::Refused { tool: Some(tool), reason: reason.to_string() });
            return;
        }
    };
    // The implant is kept in the frame of the vessels at rest.
    shed.nodes_mm.iter_mut().for_each(|x| *x -= wall.shift_at(x));
    let inputs = implant_inputs(model, &state.flow, state.patient.act_s());
    let (implant, place) = state.implants.add(&inputs, tool, shed);
    events.push(EventKind::ImplantReleased { implant: implant as u32, tool, place });
}

/// What a rod must not enter: the other rods and the implants.
pub(super) fn obstacles(model: &Model, state: &State, index: usize, wall: &ShiftedWall<'_>) -> Vec<Capsule> {
    let mut others: Vec<Capsule> = (0..state.rods.len())
        .filter(|r| *r != index)
        .flat_map(|r| rod::capsules(&state.rods[r], &model.tools))
        .collect();
    others.extend(state.implants.capsules(&model.tools, &|x| wall.shift_at(x)));
    others
}

/// Advances the stage by a tick.
pub(super) fn advance(model: &Model, state: &mut State, rods: &[RodView], events: &mut Vec<EventKind>) {
    let seen = open_plug(model, state, rods);
    let snares = snares(model, state, rods);
    let inputs = implant_inputs(model, &state.flow, state.patient.act_s());
    state.implants.expose(&inputs, seen);
    implant::advance(&inputs, &mut state.implants, &mut state.world, &snares, TICK_S, events);
}

/// Snares that are in, vessels at rest.
fn snares(model: &Model, state: &State, rods: &[RodView]) -> Vec<SnareSeen> {
    let mut out = Vec::new();
    for rod in rods {
        for (i, d) in rod.devices.iter().enumerate() {
            let Some(loop_mm) = model.tools.get(d.tool.idx()).and_then(|t| t.loop_mm) else { continue };
            let shift = total_shift(model, state);
            let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift);
            let around_mm = rod.devices[..i].iter().map(|o| o.inserted_mm).fold(0.0, f64::max);
            out.push(SnareSeen {
                tool: d.tool,
                tip_mm: d.tip_mm - wall.shift_at(&d.tip_mm),
                direction: d.tip_direction,
                exposed_mm: d.inserted_mm - around_mm,
                inserted_mm: d.inserted_mm,
                loop_mm,
            });
        }
    }
    out
}

/// The plug that has come out of its catheter and is still on its cable: its axis from the joint on, vessels at rest.
fn open_plug(model: &Model, state: &State, rods: &[RodView]) -> Option<(ToolId, Vec<Vec3>)> {
    let is_plug = |tool: ToolId| model.tools.get(tool.idx()).is_some_and(|t| t.kind == DeviceKind::Plug);
    let rod = rods.iter().find(|r| r.devices.last().is_some_and(|d| is_plug(d.tool)))?;
    let (plug, around) = rod.devices.split_last()?;
    let implant = model.tools[plug.tool.idx()].implant.as_ref().filter(|_| plug.shed_mm == 0.0)?;
    let from_mm = around.iter().map(|d| d.inserted_mm).fold(plug.inserted_mm - implant.length_mm, f64::max);
    if plug.inserted_mm - from_mm < LEAST_OPEN_MM {
        return None;
    }
    let shift = total_shift(model, state);
    let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift);
    let parts = ((plug.inserted_mm - from_mm) / AXIS_STEP_MM).ceil() as usize;
    let at = |i: usize| from_mm + (plug.inserted_mm - from_mm) * i as f64 / parts as f64;
    let axis = (0..=parts).map(|i| point_at(rod, at(i))).map(|x| x - wall.shift_at(&x));
    Some((plug.tool, axis.collect()))
}

/// Point of a rod at an arc length.
fn point_at(rod: &RodView, arc_mm: f64) -> Vec3 {
    let last = rod.arc_mm.len() - 1;
    let i = rod.arc_mm.partition_point(|a| *a < arc_mm).clamp(1, last);
    let (a, b) = (rod.arc_mm[i - 1], rod.arc_mm[i]);
    let t = ((arc_mm - a) / (b - a).max(1e-9)).clamp(0.0, 1.0);
    rod.nodes_mm[i - 1] + (rod.nodes_mm[i] - rod.nodes_mm[i - 1]) * t
}

/// What the outside may see.
pub(super) fn view(model: &Model, state: &State) -> Vec<ImplantView> {
    let it = &state.implants;
    if it.placed.is_empty() && it.exposed.is_none() && it.snares.is_empty() {
        return Vec::new();
    }
    let shift = total_shift(model, state);
    let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift);
    state.implants.view(&model.tools, &|x| wall.shift_at(x))
}

fn implant_inputs<'a>(model: &'a Model, flow: &'a FlowState, act_s: f64) -> ImplantInputs<'a> {
    ImplantInputs {
        tools: &model.tools,
        tree: &model.anatomy.tree,
        wall: &model.wall,
        network: &model.network,
        flow,
        act_s,
        packing_enabled: model.packing_enabled,
    }
}
