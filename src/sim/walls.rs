//! The walls of the vessels move: under devices, with the breath, with the heart.

use std::borrow::Cow;

use super::contact::{ShiftedWall, WallLoad, WallShift};
use super::model::Model;
use super::state::State;
use super::{opening, rod};
use crate::anatomy::breathing::contraction;
use crate::math::Vec3;
use crate::units::TICK_S;

/// Most that the walls follow breath and heart in a tick (faster than any breath and beat; after skipped time they catch up).
const MAX_BREATH_PER_TICK: f64 = 0.05;
const MAX_CONTRACTION_PER_TICK: f64 = 0.2;

/// Displacement of the vessels by devices, and by breath and heart as far as the walls have followed.
pub(super) fn total_shift<'a>(model: &Model, state: &'a State) -> Cow<'a, WallShift> {
    let moving =
        [(&model.breath_shift, state.breath_of_walls), (&model.beat_shift, state.contraction_of_walls)];
    let mut total = Cow::Borrowed(&state.wall_shift);
    for (full, share) in moving {
        if let Some(full) = full {
            total = Cow::Owned(total.plus(full, share));
        }
    }
    total
}

/// Breath and heart move the vessels, which take what sticks to them along.
pub(super) fn move_walls(model: &Model, state: &mut State) {
    let follow = |of: &Option<WallShift>, was: f64, is: f64, most: f64| {
        if of.is_some() { was + (is - was).clamp(-most, most) } else { was }
    };
    let (breath, beat) = (state.patient.breath(), contraction(state.patient.heart_phase));
    let breath = follow(&model.breath_shift, state.breath_of_walls, breath, MAX_BREATH_PER_TICK);
    let beat = follow(&model.beat_shift, state.contraction_of_walls, beat, MAX_CONTRACTION_PER_TICK);
    if (breath, beat) == (state.breath_of_walls, state.contraction_of_walls) {
        return;
    }
    let before_shift = total_shift(model, state).into_owned();
    (state.breath_of_walls, state.contraction_of_walls) = (breath, beat);
    let now_shift = total_shift(model, state).into_owned();
    let before = ShiftedWall::new(&model.wall, model.bed.as_ref(), &before_shift);
    let now = ShiftedWall::new(&model.wall, model.bed.as_ref(), &now_shift);
    let moved = |x: &Vec3| now.shift_at(x) - before.shift_at(x);
    for rod_state in &mut state.rods {
        rod::carry_anchors(rod_state, &moved);
    }
}

/// The vessels follow what presses on them, and take what sticks to them along.
pub(super) fn give_way(model: &Model, state: &mut State) {
    let Some(bed) = &model.bed else { return };
    let shift = total_shift(model, state).into_owned();
    let wall = opening::wall(model, state, &shift);
    let loads: Vec<WallLoad> =
        state.rods.iter().flat_map(|r| rod::wall_loads(r, &wall, &model.law)).collect();
    if bed.follow(&mut state.wall_shift, &loads, TICK_S) <= 0.0 {
        return;
    }
    let shift_now = total_shift(model, state).into_owned();
    let now = ShiftedWall::new(&model.wall, model.bed.as_ref(), &shift_now);
    let moved = |x: &Vec3| now.shift_at(x) - wall.shift_at(x);
    for rod_state in &mut state.rods {
        rod::carry_anchors(rod_state, &moved);
    }
}
