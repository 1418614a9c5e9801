//! Implants in the tick: what parts from the rods, what the stage sees of the rest.

use super::command::ToolId;
use super::contact::ShiftedWall;
use super::event::EventKind;
use super::flow::FlowState;
use super::implant::{self, ImplantInputs};
use super::model::Model;
use super::opening;
use super::rod::{self, Capsule, RodInputs, RodScratch};
use super::snapshot::ImplantView;
use super::state::State;
use super::step::total_shift;
use crate::units::TICK_S;

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
pub(super) fn advance(model: &Model, state: &mut State, events: &mut Vec<EventKind>) {
    let inputs = implant_inputs(model, &state.flow, state.patient.act_s());
    implant::advance(&inputs, &mut state.implants, &mut state.world, TICK_S, events);
}

/// What the outside may see.
pub(super) fn view(model: &Model, state: &State) -> Vec<ImplantView> {
    if state.implants.placed.is_empty() {
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
    }
}
