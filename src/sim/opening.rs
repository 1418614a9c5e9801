//! Balloons and stents in the tick: what the commands ask, what rods, flow, leaks and free bodies see of them.

use std::borrow::Cow;

use super::command::{Command, ToolId};
use super::contact::{ShiftedWall, WallShift, WideBranch, Widening};
use super::dilation::mount::Ground;
use super::dilation::{self, DilationInputs, Outcome};
use super::event::EventKind;
use super::flow::{LumenCause, LumenChange, Obstruction, Source};
use super::model::Model;
use super::snapshot::{RodView, Snapshot};
use super::state::State;
use super::walls::total_shift;
use super::world::{Held, World};
use crate::anatomy::VesselPlace;
use crate::device::{Balloon, Device, Zone};
use crate::units::{N_PER_MM2_PER_ATM, TICK_S};

/// Room that a balloon leaves to the wall as a body of its rod, mm: their contact is the balloon's own business.
const CLEARANCE_MM: f64 = 0.15;
/// Length of the pieces that an inflated balloon is cut into, mm.
const PIECE_MM: f64 = 3.0;
/// Young's modulus times thickness of a balloon's film, N/mm (`rod-physics.md` C8).
const FILM_N_PER_MM: f64 = 45.0;
/// Flow out of a burst vessel at a mean pressure of 90 mmHg over the square of its radius, mL/min per mm2 `[K]`.
const RUPTURE_ML_PER_MIN_MM2: f64 = 40.0;
/// Numbers of stents among the implants that drift as free bodies begin here.
const STENT_BODY: u32 = 1_000_000;
/// Pain of a wall stretched by a strain of 0.25, 0 to 10 `[K]`.
const STRETCH_PAIN: (f64, f64) = (6.0, 0.25);
/// Length of the carotid sinus on either side of the bifurcation, mm, and the strain that stretches it fully `[K]`.
const SINUS_MM: f64 = 20.0;
const SINUS_STRAIN: f64 = 0.1;
/// Ticks after which the collider of the free bodies follows.
const COLLIDER_TICKS: u64 = 30;
/// ... where a wall has moved farther than this, mm: it is made anew in half a second.
const COLLIDER_MM: f64 = 0.1;

/// The wall as it now is: vessels that gave way or breathe, and those that were opened.
pub(super) fn wall<'a>(model: &'a Model, state: &State, shift: &WallShift) -> ShiftedWall<'a> {
    let wall = ShiftedWall::new(&model.wall, model.bed.as_ref(), shift);
    wall.opened(&state.dilation.widening, &model.anatomy.tree)
        .closed(&state.dilation.plugs(), &model.anatomy.tree)
}

/// Commands of inflators and sheaths; false for any other.
pub(super) fn command(
    model: &Model,
    state: &mut State,
    command: &Command,
    events: &mut Vec<EventKind>,
) -> bool {
    let is_in = |tool: &ToolId| state.rods.iter().any(|r| r.index_of(*tool).is_some());
    let (tool, outcome) = match command {
        Command::SetInflation { tool, .. }
        | Command::TurnInflator { tool, .. }
        | Command::PullSheath { tool, .. }
            if !is_in(tool) =>
        {
            (tool, Err("it is not in".to_owned()))
        }
        Command::SetInflation { tool, atm } if atm.is_finite() => {
            (tool, state.dilation.set_pressure(&model.tools, *tool, *atm))
        }
        Command::TurnInflator { tool, turns } if turns.is_finite() => {
            (tool, state.dilation.turn(&model.tools, *tool, *turns))
        }
        Command::PullSheath { tool, speed_mm_per_s } if speed_mm_per_s.is_finite() => {
            (tool, state.dilation.pull_sheath(&model.tools, *tool, *speed_mm_per_s))
        }
        _ => return false,
    };
    if let Err(reason) = outcome {
        events.push(EventKind::Refused { tool: Some(*tool), reason });
    }
    true
}

/// A balloon or stent that holds to the wall holds the hub of its catheter.
pub(super) fn hold_hubs(model: &Model, state: &mut State, events: &mut Vec<EventKind>) {
    if state.dilation.is_untouched() {
        return;
    }
    for (i, control) in state.controls.iter_mut().enumerate().filter(|(_, c)| c.feed_mm_per_s != 0.0) {
        let tool = ToolId(i as u8);
        let held = dilation::holds(&state.dilation, &model.tools, tool)
            .or_else(|| state.dilation.stent_holds(&model.tools, tool));
        if let Some(reason) = held {
            control.feed_mm_per_s = 0.0;
            events.push(EventKind::Refused { tool: Some(tool), reason });
        }
    }
}

/// The devices as they now are: an inflated balloon is wide and stiff.
pub(super) fn tools<'a>(model: &'a Model, state: &State) -> Cow<'a, [Device]> {
    let mut now = Cow::Borrowed(model.tools.as_slice());
    for (tool, inflator) in &state.dilation.inflators {
        let Some(spec) = model.tools.get(tool.idx()).and_then(|d| d.balloon.as_ref()) else { continue };
        if inflator.is_idle(spec) {
            continue;
        }
        let device = &mut now.to_mut()[tool.idx()];
        device.zones = inflated(&device.zones, spec, &inflator.radius_mm, inflator.balloon_atm);
    }
    now
}

/// Zones of a catheter whose balloon is up: cut at its ends and into pieces, each as wide as the balloon there.
///
/// A tube of film under pressure bends with `EI = E t pi R^3` as long as no side of it goes slack: up to the moment `p pi R^3 / 2`
/// at the curvature `p / (2 E t)`, beyond which it hinges (`rod-physics.md` C8); taken at a curvature of 1/30 mm.
fn inflated(zones: &[Zone], spec: &Balloon, radius_mm: &[f64], atm: f64) -> Vec<Zone> {
    const CURVATURE_PER_MM: f64 = 1.0 / 30.0;
    let (from, to) = (spec.from_tip_mm, spec.from_tip_mm + spec.length_mm);
    let mut out = Vec::new();
    let mut start = 0.0;
    for zone in zones {
        let end = start + zone.length_mm;
        let mut at = start;
        while at < end - 1e-9 {
            let is_inside = at >= from - 1e-9 && at < to - 1e-9;
            let until = if at < from - 1e-9 {
                end.min(from)
            } else if is_inside {
                end.min(to).min(at + PIECE_MM)
            } else {
                end
            };
            let mut piece = zone.clone();
            piece.length_mm = until - at;
            if is_inside {
                let x = 0.5 * (at + until) - from;
                let i = (x.round().max(0.0) as usize).min(radius_mm.len() - 1);
                let r = radius_mm[i];
                let wide = 2.0 * (r - CLEARANCE_MM);
                if wide > piece.outer_diameter_mm {
                    let p = atm.max(0.0) * N_PER_MM2_PER_ATM;
                    let hinge = (p / (2.0 * FILM_N_PER_MM) / CURVATURE_PER_MM).min(1.0);
                    let film = FILM_N_PER_MM * std::f64::consts::PI * r.powi(3) * hinge;
                    piece.outer_diameter_mm = wide;
                    piece.bend_stiffness_n_mm2 += film;
                    piece.torsion_stiffness_n_mm2 += film;
                }
            }
            out.push(piece);
            at = until;
        }
        start = end;
    }
    out
}

/// Calls a function with what the stage needs.
fn with_inputs<R>(
    model: &Model,
    state: &State,
    rods: &[RodView],
    f: impl FnOnce(&DilationInputs<'_>) -> R,
) -> R {
    let shift = total_shift(model, state);
    let wall = wall(model, state, &shift);
    let sheath_mm: Vec<f64> = state.rods.iter().map(|r| r.base.sheath_inner_diameter_mm).collect();
    let shift_mm = |x: &crate::math::Vec3| wall.shift_at(x);
    let ground = Ground {
        tools: &model.tools,
        tree: &model.anatomy.tree,
        wall: &wall,
        shift_mm: &shift_mm,
        sheath_mm: &sheath_mm,
    };
    let loops = loops(state, rods);
    f(&DilationInputs {
        model: &model.dilation,
        ground,
        rods,
        network: &model.network,
        bodies: &state.world.bodies,
        loops: &loops,
    })
}

/// Snares that stand in the patient.
fn loops(state: &State, rods: &[RodView]) -> Vec<dilation::Loop> {
    let views = rods.iter().flat_map(|r| &r.devices);
    let find = |tool: ToolId| views.clone().find(|d| d.tool == tool);
    let seen = state.implants.snares.iter().filter_map(|s| {
        let device = find(s.tool)?;
        Some(dilation::Loop { snare: s.clone(), inserted_mm: device.inserted_mm, place: device.tip_place })
    });
    seen.collect()
}

/// Advances the stage by a tick; the balloons join what fills the vessels, numbered as bodies from `body` on.
pub(super) fn advance(
    model: &Model,
    state: &mut State,
    rods: &[RodView],
    body: u32,
    obstructions: &mut Vec<Obstruction>,
    events: &mut Vec<EventKind>,
) {
    let has_stent = |tool: ToolId| model.tools.get(tool.idx()).is_some_and(|d| d.stent.is_some());
    let is_stenting = rods.iter().flat_map(|r| &r.devices).any(|d| has_stent(d.tool));
    if state.dilation.is_untouched() && !is_stenting {
        return;
    }
    let mut now = state.dilation.clone();
    let mut open = std::mem::take(&mut state.flow.stenosis_open);
    let outcome = with_inputs(model, state, rods, |inputs| {
        let outcome = dilation::advance(inputs, &mut now, &mut open, TICK_S, events);
        dilation::obstructions(inputs, &now, body, obstructions);
        outcome
    });
    state.dilation = now;
    state.flow.stenosis_open = open;
    apply(model, state, outcome, events);
}

/// What a tick of balloons and stents means for flow, leaks and free bodies.
fn apply(model: &Model, state: &mut State, outcome: Outcome, events: &mut Vec<EventKind>) {
    let tree = &model.anatomy.tree;
    for flap in outcome.flaps {
        let is_same = |c: &LumenChange| {
            c.cause == LumenCause::Dissection
                && c.vessel == flap.vessel
                && c.from_mm <= flap.to_mm
                && c.to_mm >= flap.from_mm
        };
        state.flow.lumen.retain(|c| !is_same(c));
        state.flow.lumen.push(flap);
    }
    if !outcome.tacked.is_empty() && state.flow.lumen.iter().any(|c| c.cause == LumenCause::Dissection) {
        let is_held = |c: &LumenChange| {
            let own = outcome.tacked.iter().filter(|t| t.vessel == c.vessel);
            let over = own.map(|t| (t.to_mm.min(c.to_mm) - t.from_mm.max(c.from_mm)).max(0.0));
            over.sum::<f64>() >= dilation::HELD_SHARE * (c.to_mm - c.from_mm)
        };
        state.flow.lumen.retain(|c| c.cause != LumenCause::Dissection || !is_held(c));
    }
    for (place, radius_mm) in outcome.ruptures {
        state.perforations += 1;
        let point = tree.branch(place.vessel).at(place.arc_mm);
        state.flow.open_leak(
            &model.network,
            &format!("rupture.{}", state.perforations),
            place,
            point.position_mm + point.normal * radius_mm,
            point.normal,
            RUPTURE_ML_PER_MIN_MM2 * radius_mm * radius_mm,
        );
    }
    for (place, diameter_mm) in outcome.debris {
        let point = tree.branch(place.vessel).at(place.arc_mm);
        state.world.spawn_debris(diameter_mm, point.position_mm, place);
    }
    for body in outcome.caught {
        if let Some(body) = state.world.bodies.get_mut(body as usize) {
            body.held = Some(Held::Out);
        }
    }
    for (index, diameter_mm, from) in outcome.adrift {
        let at_mm = tree.branch(from.vessel).at(from.arc_mm).position_mm;
        let body = state.world.spawn_implant(STENT_BODY + index as u32, diameter_mm, at_mm, from);
        state.dilation.stents[index].phase = dilation::stent::Phase::Adrift(body as u32);
        events.push(EventKind::StentMigrates { stent: index as u32, from });
    }
}

/// Contrast out of burst balloons joins what enters the blood.
pub(super) fn spills(model: &Model, state: &mut State, sources: &mut Vec<Source>) {
    dilation::spills(&mut state.dilation, model.case.room.contrast_mg_i_per_ml, TICK_S, sources);
}

/// What coils, balloons and stents do to the lumens.
pub(super) fn changes(state: &State) -> Cow<'_, [LumenChange]> {
    if state.dilation.changes.is_empty() {
        return Cow::Borrowed(&state.implants.changes);
    }
    let both = state.implants.changes.iter().chain(&state.dilation.changes);
    Cow::Owned(both.copied().collect())
}

/// Open share of each leak: what particles leave of it while it bleeds, unless a balloon or a covered stent lies over it.
pub(super) fn leak_open(model: &Model, state: &State) -> Vec<f64> {
    let mut open = state.therapy.leak_open_share.clone();
    let time_s = state.tick as f64 * TICK_S;
    for (open, leak) in open.iter_mut().zip(&state.flow.leaks) {
        *open *= leak.open_share_at(time_s);
    }
    if state.dilation.is_untouched() {
        return open;
    }
    let places: Vec<VesselPlace> = state.flow.leaks.iter().map(|l| l.place).collect();
    dilation::leak_open(&state.dilation, &model.tools, &model.anatomy.tree, &places, &mut open);
    open
}

/// What the patient feels of it: pain of stretched walls, 0 to 10, and how far a carotid sinus is stretched, 0 to 1.
pub(super) fn felt(model: &Model, state: &State) -> (f64, f64) {
    let tree = &model.anatomy.tree;
    let (mut pain, mut sinus) = (0.0_f64, 0.0_f64);
    for press in &state.dilation.presses {
        let arc_mm = dilation::vessel::arc_of(press.knot);
        let place = VesselPlace { vessel: press.vessel, arc_mm };
        if press.radius_mm < state.dilation.radius_mm(tree, place) - CLEARANCE_MM {
            continue;
        }
        let tissue = model.dilation.vessels.tissue(tree, press.vessel, arc_mm);
        let strain = tissue.wall_strain(press.radius_mm);
        pain = pain.max(STRETCH_PAIN.0 * (strain / STRETCH_PAIN.1).min(1.0));
        let branch = tree.branch(press.vessel);
        let at_sinus = branch.name.starts_with("internal_carotid") && arc_mm < SINUS_MM
            || branch.name.starts_with("common_carotid") && arc_mm > branch.length_mm() - SINUS_MM;
        if at_sinus {
            sinus = sinus.max((strain / SINUS_STRAIN).min(1.0));
        }
    }
    (pain, sinus)
}

/// From time to time the collider of the free bodies follows the walls that were opened; without bodies nobody asks for it.
pub(super) fn follow_collider(state: &mut State) {
    let now = &state.dilation;
    let is_due = state.tick.is_multiple_of(COLLIDER_TICKS) || now.collider.branches.is_empty();
    let far = |b: &WideBranch| now.widening.difference_mm(&now.collider, b.vessel) > COLLIDER_MM;
    if is_due && !state.world.bodies.is_empty() && now.widening.branches.iter().any(far) {
        state.dilation.collider.clone_from(&state.dilation.widening);
    }
}

/// The rigid world with the walls that its collider has followed; made anew when they change.
pub(super) fn rigid_world<'a>(
    model: &'a Model,
    state: &State,
    cache: &'a mut Option<(Widening, World)>,
) -> &'a World {
    let collider = &state.dilation.collider;
    if collider.branches.is_empty() {
        return &model.world;
    }
    if cache.as_ref().is_none_or(|(made_with, _)| made_with != collider) {
        let lumen = collider.opened_mesh(&model.anatomy.lumen, &model.anatomy.tree);
        *cache = Some((collider.clone(), World::compile(&lumen)));
    }
    cache.as_ref().map_or(&model.world, |(_, world)| world)
}

/// Cross-section of the lumen that the picture shows over the healthy one, per cell.
pub(super) fn picture_area<'a>(model: &'a Model, state: &State) -> Cow<'a, [f64]> {
    let mut area = Cow::Borrowed(model.dilation.built_area.as_slice());
    for wide in &state.dilation.widening.branches {
        let Some(b) = model.network.branches.get(wide.vessel.idx()) else { continue };
        for cell in b.cell0 as usize..(b.cell0 + b.cells) as usize {
            let place = model.network.place_of(cell);
            let more = state.dilation.widening.at(&place);
            if more > 0.0 {
                let now = model.anatomy.tree.branch(place.vessel).at(place.arc_mm).radius_mm + more;
                let healthy = model.dilation.vessels.healthy.branch(place.vessel).at(place.arc_mm).radius_mm;
                area.to_mut()[cell] = (now / healthy).powi(2);
            }
        }
    }
    area
}

/// What the outside may see.
pub(super) fn view(model: &Model, state: &State, rods: &[RodView], snapshot: &mut Snapshot) {
    snapshot.widening.clone_from(&state.dilation.widening);
    let torn = state.flow.lumen.iter().filter(|c| c.cause == LumenCause::Dissection);
    snapshot.flaps = torn.map(|c| (c.vessel, c.from_mm, c.to_mm)).collect();
    if state.dilation.is_untouched() && model.dilation.vessels.spans.is_empty() {
        return;
    }
    let iodine = model.case.room.contrast_mg_i_per_ml;
    with_inputs(model, state, rods, |inputs| {
        snapshot.balloons = dilation::balloons(inputs, &state.dilation, iodine);
        snapshot.stents = dilation::stents(inputs, &state.dilation);
        snapshot.lesions = dilation::lesions(inputs, &state.dilation);
    });
}
