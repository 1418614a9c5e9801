//! What keeps debris from the tissue beyond: filters on their wires, and suction at the tip of a catheter.
//!
//! A filter is open as far as no catheter covers it. Debris that comes to it is kept by the share of the lumen that its mouth
//! spans; what it holds narrows the lumen behind it, so that a full one stops the flow until it is taken home. More than it holds
//! is lost when it is closed. Suction takes what lies at the tip: pieces that go through the bore leave, a larger one sticks to
//! the tip and comes along with the catheter.

use serde::{Deserialize, Serialize};

use super::command::ToolId;
use super::dilation::mount;
use super::event::EventKind;
use super::flow::Obstruction;
use super::model::Model;
use super::snapshot::{RodDeviceView, RodView, Snapshot};
use super::state::State;
use super::world::{FreeBody, Held, WorldState};
use crate::anatomy::{VesselPlace, VesselTree};
use crate::device::{Device, Filter};
use crate::math::{Vec3, orthogonal};
use crate::units::{BLOOD_VISCOSITY_MPA_S, TICK_S};

/// Open at least so far, a basket keeps what comes; share of its length.
const KEEPS_FROM: f64 = 0.6;
/// A basket may be drawn along the wall so far, mm, before the wall answers with spasm `[K]`.
const DRAG_MM: f64 = 15.0;
/// Share of the lumen that a clogged basket closes.
const CLOGGED: f64 = 0.985;
/// Suction of a syringe drawn by hand, kPa `[K]`, and its volume, mL.
const SUCTION_KPA: f64 = 80.0;
const SYRINGE_ML: f64 = 30.0;
/// Debris this near to the tip is drawn in, mm `[K]`.
const REACH_MM: f64 = 1.5;
/// Thickness of a basket's frame, mm `[K]`, and its place along the basket, share from the mouth's collar.
const FRAME_MM: f64 = 0.09;
const MOUTH_AT: f64 = 0.35;
/// Filters among what fills the vessels are numbered from here, away from rods, bodies and balloons.
const FIRST_BODY: u32 = 2_000_000;
/// Corners of the drawn mouth.
const CORNERS: usize = 8;

/// A filter in the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basket {
    /// Its wire.
    pub tool: ToolId,
    /// How far it is open, 0 to 1.
    pub open_share: f64,
    /// Where its mouth lies.
    pub place: Option<VesselPlace>,
    /// Its collars, mouth and end of the bag, mm.
    pub ends_mm: [Vec3; 2],
    /// How far it was drawn along the wall since it opened, mm.
    pub dragged_mm: f64,
}

/// A syringe that draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suction {
    /// Catheter.
    pub tool: ToolId,
    /// Blood drawn by it so far, mL.
    pub drawn_ml: f64,
}

/// Filters and suction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProtectionState {
    /// Filters that are in.
    pub baskets: Vec<Basket>,
    /// The syringe that draws now.
    pub suction: Option<Suction>,
}

/// What the outside may see of a filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FilterView {
    /// Its wire.
    pub tool: ToolId,
    /// Where its mouth lies.
    pub place: Option<VesselPlace>,
    /// How far it is open, 0 to 1.
    pub open_share: f64,
    /// Debris in it over what clogs it.
    pub load_share: f64,
    /// Its frame as straight pieces, mm.
    pub frame_mm: Vec<[Vec3; 2]>,
    /// Thickness of the frame, mm.
    pub frame_thickness_mm: f64,
}

/// What the stage reads.
#[derive(Clone, Copy)]
pub struct ProtectionInputs<'a> {
    /// Devices of the tray.
    pub tools: &'a [Device],
    /// Vessels.
    pub tree: &'a VesselTree,
    /// Rods after their step.
    pub rods: &'a [RodView],
    /// Radius of the lumen at a place as it is now, mm.
    pub radius_mm: &'a dyn Fn(VesselPlace) -> f64,
}

/// Begins to draw through a catheter that is in, or lets go.
pub fn aspirate(
    state: &mut ProtectionState,
    tools: &[Device],
    rods: &[RodView],
    tool: Option<ToolId>,
) -> Result<(), String> {
    let Some(tool) = tool else {
        state.suction = None;
        return Ok(());
    };
    if tools.get(tool.idx()).and_then(|d| d.inner_diameter_mm).is_none() {
        return Err("it has no lumen to draw through".to_owned());
    }
    let (rod, at, _) = super::wiring::find_tool(rods, tool).ok_or_else(|| "it is not in".to_owned())?;
    if rods[rod].devices.len() > at + 1 {
        return Err("another device lies in its lumen: take that off first".to_owned());
    }
    state.suction = Some(Suction { tool, drawn_ml: 0.0 });
    Ok(())
}

/// Flow that a syringe draws through a lumen, mL/s: Poiseuille's law `pi r^4 dp / (8 mu L)`, blood all the way.
pub fn suction_ml_per_s(device: &Device) -> f64 {
    let Some(bore_mm) = device.inner_diameter_mm else { return 0.0 };
    let r = 0.5 * bore_mm;
    // mm4 kPa / (mPa s mm) = 1e6 mm3/s = 1e3 mL/s.
    1e3 * std::f64::consts::PI * r.powi(4) * SUCTION_KPA / (8.0 * BLOOD_VISCOSITY_MPA_S * device.length_mm)
}

/// Filters follow their wires, keep and lose debris; a syringe draws. Returns the blood that it draws, mL/s.
pub fn advance(
    inputs: &ProtectionInputs<'_>,
    state: &mut ProtectionState,
    world: &mut WorldState,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) -> f64 {
    follow_wires(inputs, state, world, events);
    for basket in &state.baskets {
        keep(inputs, basket, world, events);
    }
    draw(inputs, state, world, dt_s, events)
}

/// What clogged filters leave of the lumen, as bodies numbered from `body` on.
pub fn obstructions(
    inputs: &ProtectionInputs<'_>,
    state: &ProtectionState,
    world: &WorldState,
    body: u32,
    out: &mut Vec<Obstruction>,
) {
    for (basket, body) in state.baskets.iter().zip(body..) {
        let Some((place, filter)) = basket.place.zip(filter_of(inputs.tools, basket.tool)) else { continue };
        let load = load_share(filter, basket.tool, world).min(1.0) * basket.open_share;
        if load > 0.0 {
            let outer_diameter_mm = 2.0 * (inputs.radius_mm)(place) * (CLOGGED * load).sqrt();
            let (from_mm, to_mm) = ((place.arc_mm - 1.0).max(0.0), place.arc_mm + 1.0);
            out.push(Obstruction { vessel: place.vessel, from_mm, to_mm, outer_diameter_mm, body });
        }
    }
}

/// What the outside may see.
pub fn views(inputs: &ProtectionInputs<'_>, state: &ProtectionState, world: &WorldState) -> Vec<FilterView> {
    let view = |basket: &Basket| {
        let filter = filter_of(inputs.tools, basket.tool)?;
        let lumen_mm = basket.place.map_or(f64::INFINITY, |p| (inputs.radius_mm)(p));
        Some(FilterView {
            tool: basket.tool,
            place: basket.place,
            open_share: basket.open_share,
            load_share: load_share(filter, basket.tool, world),
            frame_mm: frame(basket, (0.5 * filter.diameter_mm).min(lumen_mm) * basket.open_share),
            frame_thickness_mm: FRAME_MM,
        })
    };
    state.baskets.iter().filter_map(view).collect()
}

/// Calls a function with what filters and suction read.
fn with_inputs<R>(
    model: &Model,
    state: &State,
    rods: &[RodView],
    f: impl FnOnce(&ProtectionInputs<'_>) -> R,
) -> R {
    let tree = &model.anatomy.tree;
    let radius_mm = |place: VesselPlace| state.dilation.radius_mm(tree, place);
    f(&ProtectionInputs { tools: &model.tools, tree, rods, radius_mm: &radius_mm })
}

/// Filters keep debris, a syringe draws it.
pub(super) fn tick(model: &Model, state: &mut State, rods: &[RodView], events: &mut Vec<EventKind>) {
    let has_filter = |d: &RodDeviceView| model.tools.get(d.tool.idx()).is_some_and(|t| t.filter.is_some());
    let is_idle = state.protection == ProtectionState::default()
        && !rods.iter().flat_map(|r| &r.devices).any(has_filter)
        && !state.world.bodies.iter().any(|b| b.held.is_some());
    if is_idle {
        return;
    }
    let mut protection = std::mem::take(&mut state.protection);
    let mut world = std::mem::replace(&mut state.world, WorldState::new(0));
    let before = events.len();
    let drawn_ml_per_s = with_inputs(model, state, rods, |inputs| {
        advance(inputs, &mut protection, &mut world, TICK_S, events)
    });
    (state.protection, state.world) = (protection, world);
    state.patient.blood_loss_ml += drawn_ml_per_s * TICK_S;
    for event in &events[before..] {
        if let EventKind::Spasm(place) = event {
            state.flow.irritate(*place);
        }
    }
}

/// What clogged filters leave of the lumen joins what fills the vessels.
pub(super) fn fill(model: &Model, state: &State, rods: &[RodView], out: &mut Vec<Obstruction>) {
    with_inputs(model, state, rods, |inputs| {
        obstructions(inputs, &state.protection, &state.world, FIRST_BODY, out);
    });
}

/// What the outside may see of it.
pub(super) fn view(model: &Model, state: &State, rods: &[RodView], snapshot: &mut Snapshot) {
    snapshot.filters =
        with_inputs(model, state, rods, |inputs| views(inputs, &state.protection, &state.world));
    snapshot.aspirating = state.protection.suction.map(|s| s.tool);
}

fn filter_of(tools: &[Device], tool: ToolId) -> Option<&Filter> {
    tools.get(tool.idx())?.filter.as_ref()
}

fn volume_mm3(body: &FreeBody) -> f64 {
    4.0 / 3.0 * std::f64::consts::PI * body.radius_mm.powi(3)
}

fn load_share(filter: &Filter, tool: ToolId, world: &WorldState) -> f64 {
    let kept = world.bodies.iter().filter(|b| b.held == Some(Held::By(tool)));
    kept.map(volume_mm3).sum::<f64>() / filter.holds_mm3
}

/// Where a filter is now, and how far it stands out of what covers it.
fn seen(rod: &RodView, at: usize, filter: &Filter) -> ([Vec3; 2], f64) {
    let device: &RodDeviceView = &rod.devices[at];
    let end_mm = device.inserted_mm - filter.from_tip_mm;
    let covered_mm = rod.devices[..at].iter().map(|d| d.inserted_mm).fold(0.0, f64::max);
    let open_share = ((end_mm - covered_mm) / filter.length_mm).clamp(0.0, 1.0);
    ([mount::point_at(rod, end_mm - filter.length_mm), mount::point_at(rod, end_mm)], open_share)
}

fn follow_wires(
    inputs: &ProtectionInputs<'_>,
    state: &mut ProtectionState,
    world: &mut WorldState,
    events: &mut Vec<EventKind>,
) {
    let is_in = |tool: ToolId| inputs.rods.iter().flat_map(|r| &r.devices).any(|d| d.tool == tool);
    for body in &mut world.bodies {
        // What came home with its device is out.
        if matches!(body.held, Some(Held::By(tool)) if !is_in(tool)) {
            body.held = Some(Held::Out);
        }
    }
    state.baskets.retain(|b| is_in(b.tool));
    for rod in inputs.rods {
        for (at, device) in rod.devices.iter().enumerate() {
            let Some(filter) = filter_of(inputs.tools, device.tool) else { continue };
            let (ends_mm, open_share) = seen(rod, at, filter);
            let mouth_mm = ends_mm[0] + (ends_mm[1] - ends_mm[0]) * MOUTH_AT;
            let is_inside = device.inserted_mm > filter.from_tip_mm + filter.length_mm;
            let place = inputs.tree.nearest(&mouth_mm).map(|(p, _)| p).filter(|_| is_inside);
            let open_share = if is_inside { open_share } else { 0.0 };
            let index = state.baskets.iter().position(|b| b.tool == device.tool).unwrap_or_else(|| {
                let tool = device.tool;
                state.baskets.push(Basket { tool, open_share: 0.0, place, ends_mm, dragged_mm: 0.0 });
                state.baskets.len() - 1
            });
            let basket = &mut state.baskets[index];
            drag(basket, open_share, place, events);
            (basket.ends_mm, basket.place) = (ends_mm, place);
            let was_open = std::mem::replace(&mut basket.open_share, open_share) >= KEEPS_FROM;
            if was_open && open_share < KEEPS_FROM {
                lose_excess(filter, basket, world, events);
            }
            for body in world.bodies.iter_mut().filter(|b| b.held == Some(Held::By(device.tool))) {
                body.position_mm = mouth_mm;
            }
        }
    }
}

/// An open basket that is drawn along the wall irritates it, once each time it has gone far.
fn drag(basket: &mut Basket, open_share: f64, place: Option<VesselPlace>, events: &mut Vec<EventKind>) {
    let (Some(was), Some(is)) = (basket.place, place) else { return };
    if open_share < KEEPS_FROM || basket.open_share < KEEPS_FROM {
        basket.dragged_mm = 0.0;
        return;
    }
    if was.vessel == is.vessel {
        let before = basket.dragged_mm;
        basket.dragged_mm += (is.arc_mm - was.arc_mm).abs();
        if before <= DRAG_MM && basket.dragged_mm > DRAG_MM {
            events.push(EventKind::Spasm(is));
        }
    }
}

/// What is more than a basket holds goes on with the blood when it is closed, the last first.
fn lose_excess(filter: &Filter, basket: &Basket, world: &mut WorldState, events: &mut Vec<EventKind>) {
    let Some(place) = basket.place else { return };
    let mut load = load_share(filter, basket.tool, world);
    let mut lost = 0;
    for body in world.bodies.iter_mut().rev().filter(|b| b.held == Some(Held::By(basket.tool))) {
        if load <= 1.0 {
            break;
        }
        load -= volume_mm3(body) / filter.holds_mm3;
        (body.held, body.place, body.position_mm) = (None, place, basket.ends_mm[1]);
        (body.velocity_mm_per_s, body.slow_s) = (Vec3::zeros(), 0.0);
        lost += 1;
    }
    if lost > 0 {
        events.push(EventKind::FilterSpilled { tool: basket.tool, pieces: lost });
    }
}

/// Debris that comes to an open mouth is kept by the share of the lumen that the mouth spans.
fn keep(inputs: &ProtectionInputs<'_>, basket: &Basket, world: &mut WorldState, events: &mut Vec<EventKind>) {
    let Some((place, filter)) = basket.place.zip(filter_of(inputs.tools, basket.tool)) else { return };
    if basket.open_share < KEEPS_FROM {
        return;
    }
    let lumen_mm = 2.0 * (inputs.radius_mm)(place);
    let spanned = (filter.diameter_mm * basket.open_share / lumen_mm).powi(2);
    let is_here = |body: &FreeBody| {
        body.place.vessel == place.vessel && (body.place.arc_mm - place.arc_mm).abs() < 0.5 * filter.length_mm
    };
    let is_free = |body: &FreeBody| body.held.is_none() && !body.is_lodged && body.implant.is_none();
    for (i, body) in world.bodies.iter_mut().enumerate() {
        // Each body has its own place across the lumen, evenly spread.
        let across = (0.5 + i as f64 * 0.618_033_988_749_895).fract();
        if is_free(body) && is_here(body) && 2.0 * body.radius_mm > filter.pore_mm && across < spanned {
            body.held = Some(Held::By(basket.tool));
            body.velocity_mm_per_s = Vec3::zeros();
            events.push(EventKind::FilterCaught { tool: basket.tool, diameter_mm: 2.0 * body.radius_mm });
        }
    }
}

/// The syringe draws until it is full or a piece corks the tip. Returns the blood drawn, mL/s.
fn draw(
    inputs: &ProtectionInputs<'_>,
    state: &mut ProtectionState,
    world: &mut WorldState,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) -> f64 {
    let Some(suction) = &mut state.suction else { return 0.0 };
    let tool = suction.tool;
    let seen = super::wiring::find_tool(inputs.rods, tool)
        .filter(|(rod, at, device)| device.inserted_mm > 0.0 && inputs.rods[*rod].devices.len() == at + 1);
    let (Some((_, _, device)), Some(spec)) = (seen, inputs.tools.get(tool.idx())) else {
        state.suction = None;
        return 0.0;
    };
    let bore_mm = spec.inner_diameter_mm.unwrap_or(0.0);
    let (mut out, mut is_corked) = (0, false);
    for body in world.bodies.iter_mut().filter(|b| b.implant.is_none()) {
        if body.held == Some(Held::By(tool)) {
            body.position_mm = device.tip_mm;
            is_corked = true;
        } else if body.held.is_none() && (body.position_mm - device.tip_mm).norm() < body.radius_mm + REACH_MM
        {
            (body.is_lodged, body.velocity_mm_per_s) = (false, Vec3::zeros());
            if 2.0 * body.radius_mm <= bore_mm {
                body.held = Some(Held::Out);
                out += 1;
            } else if !is_corked {
                body.held = Some(Held::By(tool));
                is_corked = true;
            }
        }
    }
    let flow = if is_corked { 0.0 } else { suction_ml_per_s(spec) };
    suction.drawn_ml += flow * dt_s;
    if out > 0 || is_corked {
        events.push(EventKind::Aspirated { tool, pieces: out, corked: is_corked });
    }
    if suction.drawn_ml >= SYRINGE_ML || is_corked {
        state.suction = None;
    }
    flow
}

/// The frame as it stands: struts from the mouth's collar to its ring, the ring, and the bag down to its end.
fn frame(basket: &Basket, radius_mm: f64) -> Vec<[Vec3; 2]> {
    let [first, last] = basket.ends_mm;
    let Some(along) = (last - first).try_normalize(1e-9).filter(|_| radius_mm > 0.05) else {
        return vec![[first, last]];
    };
    let middle = first + (last - first) * MOUTH_AT;
    let side = orthogonal(&along);
    let other = along.cross(&side);
    let corner = |k: usize| {
        let turn = std::f64::consts::TAU * k as f64 / CORNERS as f64;
        middle + (side * turn.cos() + other * turn.sin()) * radius_mm
    };
    let mut out = Vec::new();
    for k in 0..CORNERS {
        out.push([corner(k), corner((k + 1) % CORNERS)]);
        if k.is_multiple_of(2) {
            out.extend([[first, corner(k)], [corner(k), last]]);
        }
    }
    out
}
