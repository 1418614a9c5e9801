//! Implants in the tick: what parts from the rods, what the stage sees of the rest.

use super::command::ToolId;
use super::contact::ShiftedWall;
use super::event::EventKind;
use super::flow::FlowState;
use super::implant::{self, ImplantInputs};
use super::model::Model;
use super::rod;
use super::snapshot::ImplantView;
use super::state::State;
use super::step::total_shift;
use crate::units::TICK_S;

/// Detaches on command.
pub(super) fn detach(model: &Model, state: &mut State, tool: ToolId, events: &mut Vec<EventKind>) {
    let Some(rod) = state.rods.iter().position(|r| r.index_of(tool).is_some()) else {
        events.push(EventKind::Refused { tool: Some(tool), reason: "it is not in".to_owned() });
        return;
    };
    part(model, state, rod, tool, events);
}

/// Loose implants that have left their catheter are free.
pub(super) fn release_loose(model: &Model, state: &mut State, events: &mut Vec<EventKind>) {
    for rod in 0..state.rods.len() {
        if let Some(tool) = rod::loose(&state.rods[rod], &model.tools) {
            part(model, state, rod, tool, events);
        }
    }
}

fn part(model: &Model, state: &mut State, rod: usize, tool: ToolId, events: &mut Vec<EventKind>) {
    let mut shed = match rod::release(&mut state.rods[rod], &model.tools, tool) {
        Ok(shed) => shed,
        Err(reason) => {
            events.push(EventKind::Refused { tool: Some(tool), reason: reason.to_string() });
            return;
        }
    };
    // The implant is kept in the frame of the vessels at rest.
    {
        let shift = total_shift(model, state);
        let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift);
        shed.nodes_mm.iter_mut().for_each(|x| *x -= wall.shift_at(x));
    }
    let inputs = inputs(model, &state.flow, state.patient.act_s());
    let (implant, place) = state.implants.add(&inputs, tool, shed);
    events.push(EventKind::ImplantReleased { implant: implant as u32, tool, place });
}

/// Advances the stage by a tick.
pub(super) fn advance(model: &Model, state: &mut State, events: &mut Vec<EventKind>) {
    let inputs = inputs(model, &state.flow, state.patient.act_s());
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

fn inputs<'a>(model: &'a Model, flow: &'a FlowState, act_s: f64) -> ImplantInputs<'a> {
    ImplantInputs {
        tools: &model.tools,
        tree: &model.anatomy.tree,
        wall: &model.wall,
        network: &model.network,
        flow,
        act_s,
    }
}
