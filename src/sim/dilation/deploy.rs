//! How stents come off their catheters: out of a sheath that a hand withdraws, or opened by a balloon; and how they go adrift.

use super::balloon::{Inflator, STEP_MM};
use super::mount::{self, Site};
use super::stent::{self, APPOSED_MM, Phase, PlacedStent, Ring};
use super::vessel::{self, knot_at};
use super::{DilationInputs, DilationState, Outcome, Press};
use crate::anatomy::VesselPlace;
use crate::device::{Device, Expansion, Stent};
use crate::math::rng::uniform;
use crate::sim::command::ToolId;
use crate::sim::event::EventKind;
use crate::sim::flow::{LumenCause, LumenChange};
use crate::sim::snapshot::RodView;

/// Fastest that a hand moves a sheath, mm/s.
const MOST_SHEATH_MM_PER_S: f64 = 20.0;
/// How steeply a stent opens before its sheath: radius per length.
const FLARE: f64 = 1.0;
/// Rings that must be out and touch before the stent holds to the wall.
const ANCHOR_RINGS: usize = 3;
/// A stent this much wider than crimped has left its balloon when that goes down.
const OFF_SHARE: f64 = 1.3;
/// How long the blood must pull before a stent moves, s.
const PATIENCE_S: f64 = 0.5;
/// A stent that has been washed into a narrow place stays: it counts as having slipped this long, s.
const WEDGED_S: f64 = -1e12;
/// Share of crimped stents that are stripped off when they are drawn back into what carries them `[K]`.
const STRIP_SHARE: f64 = 0.2;
/// Length of the mouth of a branch that a membrane closes, mm, and the radius that is left.
const CLOSED: (f64, f64) = (4.0, 0.01);

impl DilationState {
    /// The stent that is coming off a device.
    fn opening(&self, tool: ToolId) -> Option<usize> {
        self.stents.iter().position(|s| s.tool == tool && s.phase == Phase::Opening)
    }

    /// Moves the sheath of a stent that opens itself; withdrawing is positive, mm/s.
    ///
    /// # Errors
    /// When there is no such stent, it is off already, or out too far to be drawn in again.
    pub fn pull_sheath(&mut self, tools: &[Device], tool: ToolId, mm_per_s: f64) -> Result<(), String> {
        let device = tools.get(tool.idx()).ok_or_else(|| "there is no such device".to_owned())?;
        let none = || format!("{} has no stent under a sheath", device.label);
        let spec = device.stent.as_ref().filter(|s| s.expansion == Expansion::Itself).ok_or_else(none)?;
        if self.spent.contains(&tool) {
            return Err(format!("the stent of {} is off", device.label));
        }
        let at = self.opening(tool).unwrap_or_else(|| {
            self.stents.push(PlacedStent::new(tool));
            self.stents.len() - 1
        });
        let placed = &mut self.stents[at];
        let share = placed.open_mm / spec.crimped_length_mm();
        if mm_per_s < 0.0 && share > spec.recapture_share {
            placed.sheath_mm_per_s = 0.0;
            return Err(format!(
                "{:.0} % of the stent are out; it can be drawn in again up to {:.0} %",
                100.0 * share,
                100.0 * spec.recapture_share
            ));
        }
        placed.sheath_mm_per_s = mm_per_s.clamp(-MOST_SHEATH_MM_PER_S, MOST_SHEATH_MM_PER_S);
        Ok(())
    }

    /// A stent that holds to the wall holds its catheter too; why, for a hand that would move it.
    pub fn stent_holds(&self, tools: &[Device], tool: ToolId) -> Option<String> {
        let placed = &self.stents[self.opening(tool)?];
        let device = tools.get(tool.idx())?;
        placed.is_anchored.then(|| {
            format!(
                "the stent of {} is half out and holds to the wall: release it or draw it in",
                device.label
            )
        })
    }
}

/// Moves sheaths and lets what is out of them open; stents that drift go with their bodies.
pub(super) fn advance(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    for i in 0..state.stents.len() {
        let tool = state.stents[i].tool;
        let Some(spec) = stent::of(inputs.ground.tools, tool) else { continue };
        match state.stents[i].phase {
            Phase::Opening if spec.expansion == Expansion::Itself => {
                unsheathe(inputs, state, i, spec, dt_s, events);
            }
            Phase::Adrift(body) => drift(inputs, state, i, body, events),
            _ => {}
        }
    }
}

fn unsheathe(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    index: usize,
    spec: &Stent,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let mut placed = state.stents[index].clone();
    let Some((rod, device, view)) = crate::sim::wiring::find_tool(inputs.rods, placed.tool) else { return };
    let crimped_mm = spec.crimped_length_mm();
    let tip_mm = view.inserted_mm + view.shed_mm;
    let hidden =
        mount::sites(&inputs.ground, inputs.rods, (rod, device), spec.from_tip_mm + crimped_mm, 1, STEP_MM)
            [0]
        .bore_mm
        .is_finite();
    if placed.sheath_mm_per_s != 0.0 && hidden {
        placed.sheath_mm_per_s = 0.0;
        let reason = "the stent still lies in the catheter around it: advance it first".to_owned();
        events.push(EventKind::Refused { tool: Some(placed.tool), reason });
    }
    if placed.sheath_mm_per_s == 0.0 {
        state.stents[index] = placed;
        return;
    }
    placed.open_mm = (placed.open_mm + placed.sheath_mm_per_s * dt_s).clamp(0.0, crimped_mm);
    let is_out = placed.open_mm >= crimped_mm - 1e-6;
    let count = stent::rings(spec);
    let out = (0..count)
        .take_while(|j| *j as f64 * crimped_mm / (count - 1) as f64 <= placed.open_mm + 1e-6)
        .count();
    let edge_mm = tip_mm - spec.from_tip_mm - placed.open_mm;
    lay(inputs, state, &mut placed, spec, (rod, edge_mm, out, is_out));
    if placed.open_mm <= 0.0 {
        placed.is_anchored = false;
    }
    if is_out {
        release(state, index, &mut placed, events);
    }
    state.stents[index] = placed;
    state.is_moving = true;
}

/// Puts the rings that are out along the path of the rod: from the sheath's edge on while nothing touches, from the distal end back
/// once that holds to the wall.
fn lay(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    placed: &mut PlacedStent,
    spec: &Stent,
    (rod, edge_mm, out, is_out): (usize, f64, usize, bool),
) {
    let (tree, view) = (inputs.ground.tree, &inputs.rods[rod]);
    let count = stent::rings(spec) as f64 - 1.0;
    if out < 2 {
        placed.rings.clear();
        return;
    }
    let known: Vec<f64> = placed.rings.iter().map(|r| r.radius_mm).collect();
    let radius = |j: usize| known.get(j).copied().unwrap_or(0.5 * spec.crimped_mm);
    let pitch = |j: usize| spec.length_at_mm(radius(j) + radius(j + 1)) / count;
    let length_mm: f64 = (0..out - 1).map(pitch).sum();
    let first_mm = match placed.rings.first().filter(|_| placed.is_anchored) {
        Some(ring) => nearest_arc_mm(view, inputs, ring.place, edge_mm + length_mm),
        None => edge_mm + length_mm,
    };
    let mut arc_mm = first_mm;
    let mut rings = Vec::with_capacity(out);
    for j in 0..out {
        let point = mount::point_at(view, arc_mm);
        let held = placed.rings.first().filter(|_| placed.is_anchored && j == 0).map(|r| r.place);
        let place = held.or_else(|| mount::place(&inputs.ground, &point));
        if let Some(place) = place {
            let whole = 0.5 * spec.diameter_mm;
            let flared = 0.5 * spec.crimped_mm + FLARE * (arc_mm - edge_mm).max(0.0);
            let peak_mm = if is_out { whole } else { flared.min(whole) };
            let wall_mm = state.radius_mm(tree, place);
            rings.push(Ring { place, peak_mm, radius_mm: peak_mm.min(wall_mm) });
        }
        if j + 1 < out {
            arc_mm -= pitch(j);
        }
    }
    placed.rings = rings;
    let touching = placed.rings.iter().filter(|r| state.radius_mm(tree, r.place) - r.radius_mm < APPOSED_MM);
    placed.is_anchored |= touching.count() >= ANCHOR_RINGS;
    cover_rings(inputs, state, &placed.rings);
}

/// Arc length at which a rod passes nearest to a place, mm, about a first guess.
fn nearest_arc_mm(view: &RodView, inputs: &DilationInputs<'_>, place: VesselPlace, guess_mm: f64) -> f64 {
    let rest = inputs.ground.tree.branch(place.vessel).at(place.arc_mm).position_mm;
    let at = rest + (inputs.ground.shift_mm)(&rest);
    let far = |arc_mm: f64| (mount::point_at(view, arc_mm) - at).norm();
    let steps = (-60..=60).map(|i| guess_mm + 0.5 * f64::from(i));
    steps.min_by(|a, b| far(*a).total_cmp(&far(*b))).unwrap_or(guess_mm)
}

fn cover_rings(inputs: &DilationInputs<'_>, state: &mut DilationState, rings: &[Ring]) {
    for (vessel, knot, _, _) in stent::knots_between(rings) {
        vessel::cover(&mut state.segments, &mut state.rng, inputs.ground.tree, vessel, (knot, knot));
    }
}

fn release(state: &mut DilationState, index: usize, placed: &mut PlacedStent, events: &mut Vec<EventKind>) {
    placed.phase = Phase::Placed;
    placed.sheath_mm_per_s = 0.0;
    state.spent.push(placed.tool);
    let place = placed.rings.get(placed.rings.len() / 2).map(|r| r.place);
    events.push(EventKind::StentReleased { stent: index as u32, tool: placed.tool, place });
}

/// A balloon opens the stent that is crimped on it.
pub(super) fn open_by_balloon(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    tool: ToolId,
    sites: &[Site],
    inflator: &Inflator,
    events: &mut Vec<EventKind>,
) {
    let by_balloon = |s: &&Stent| s.expansion == Expansion::Balloon;
    let Some(spec) = stent::of(inputs.ground.tools, tool).filter(by_balloon) else { return };
    if state.spent.contains(&tool) {
        return;
    }
    let crimped_mm = 0.5 * spec.crimped_mm;
    let index = match state.opening(tool) {
        Some(index) => index,
        None if inflator.widest_mm() > spec.crimped_mm => {
            state.stents.push(PlacedStent::new(tool));
            state.stents.len() - 1
        }
        None => return,
    };
    let Some((rod, _, view)) = crate::sim::wiring::find_tool(inputs.rods, tool) else { return };
    let mut placed = state.stents[index].clone();
    let count = stent::rings(spec);
    let first_mm = sites.first().map_or(0.0, |s| s.rod_arc_mm);
    let balloon_mm = |arc_mm: f64| {
        let x = ((first_mm - arc_mm) / STEP_MM).clamp(0.0, (inflator.radius_mm.len() - 1) as f64);
        let i = (x as usize).min(inflator.radius_mm.len() - 2);
        inflator.radius_mm[i] + (x - i as f64) * (inflator.radius_mm[i + 1] - inflator.radius_mm[i])
    };
    let middle_mm = view.inserted_mm + view.shed_mm - spec.from_tip_mm - 0.5 * spec.crimped_length_mm();
    let mean_mm = if placed.rings.is_empty() {
        spec.crimped_mm
    } else {
        2.0 * placed.rings.iter().map(|r| r.peak_mm).sum::<f64>() / placed.rings.len() as f64
    };
    let length_mm = spec.length_at_mm(mean_mm);
    let mut rings = Vec::with_capacity(count);
    for j in 0..count {
        let arc_mm = middle_mm + length_mm * (0.5 - j as f64 / (count - 1) as f64);
        let old = placed.rings.get(j).copied();
        let held = old.filter(|_| placed.is_anchored).map(|r| r.place);
        let place =
            held.or_else(|| mount::place(&inputs.ground, &mount::point_at(&inputs.rods[rod], arc_mm)));
        let Some(place) = place else { continue };
        let given_mm = balloon_mm(arc_mm).min(0.5 * spec.widest_mm);
        let peak_mm = old.map_or(crimped_mm, |r| r.peak_mm).max(given_mm);
        rings.push(Ring { place, peak_mm, radius_mm: peak_mm });
    }
    placed.rings = rings;
    let tree = inputs.ground.tree;
    let touching = placed.rings.iter().filter(|r| r.peak_mm >= state.radius_mm(tree, r.place) - 1e-6);
    placed.is_anchored |= touching.count() >= ANCHOR_RINGS;
    cover_rings(inputs, state, &placed.rings);
    state.is_moving = true;
    let widest_mm = placed.rings.iter().map(|r| r.peak_mm).fold(0.0, f64::max);
    if inflator.gauge_atm <= 0.0 && inflator.balloon_atm < 0.5 && widest_mm > OFF_SHARE * crimped_mm {
        release(state, index, &mut placed, events);
    }
    state.stents[index] = placed;
}

/// A balloon in a stent that was opened by one opens it further.
pub(super) fn dilate_stents(state: &mut DilationState, tools: &[Device], presses: &[Press]) {
    for placed in state.stents.iter_mut().filter(|s| s.phase == Phase::Placed) {
        let by_balloon = |s: &&Stent| s.expansion == Expansion::Balloon;
        let Some(spec) = stent::of(tools, placed.tool).filter(by_balloon) else { continue };
        for ring in &mut placed.rings {
            let own = |p: &&Press| p.vessel == ring.place.vessel && p.knot == knot_at(ring.place.arc_mm);
            if let Some(press) = presses.iter().find(own) {
                ring.peak_mm = ring.peak_mm.max(press.radius_mm.min(0.5 * spec.widest_mm));
            }
        }
    }
}

/// Whether the blood takes a stent along from now on: its index, diameter and place.
pub(super) fn slip(
    index: usize,
    placed: &mut PlacedStent,
    spec: &Stent,
    wall_mm: &dyn Fn(VesselPlace) -> f64,
    dt_s: f64,
) -> Option<(usize, f64, VesselPlace)> {
    if !placed.slips(spec, wall_mm) || placed.slipping_s < 0.0 {
        placed.slipping_s = placed.slipping_s.min(0.0);
        return None;
    }
    placed.slipping_s += dt_s;
    let ring = placed.rings.get(placed.rings.len() / 2)?;
    (placed.slipping_s > PATIENCE_S).then_some((index, 2.0 * ring.radius_mm, ring.place))
}

/// A stent adrift lies along the axis about its body; where that has come to rest it stays.
fn drift(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    index: usize,
    body: u32,
    events: &mut Vec<EventKind>,
) {
    let Some(body) = inputs.bodies.get(body as usize) else { return };
    let placed = &mut state.stents[index];
    let Some(spec) = stent::of(inputs.ground.tools, placed.tool) else { return };
    placed.lie_about(inputs.ground.tree, body.place, spec.length_mm);
    if body.is_lodged {
        placed.phase = Phase::Placed;
        placed.slipping_s = WEDGED_S;
        events.push(EventKind::StentLodged { stent: index as u32, place: body.place });
        let rings = placed.rings.clone();
        cover_rings(inputs, state, &rings);
        state.is_moving = true;
    }
}

/// A stent that is still crimped on its balloon and is drawn back into what carries it may be stripped off at the rim.
pub(super) fn strip(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    for rod in 0..inputs.rods.len() {
        for device in 0..inputs.rods[rod].devices.len() {
            let tool = inputs.rods[rod].devices[device].tool;
            let by_balloon = |s: &&Stent| s.expansion == Expansion::Balloon;
            let Some(spec) = stent::of(inputs.ground.tools, tool).filter(by_balloon) else { continue };
            if state.spent.contains(&tool) || state.opening(tool).is_some() {
                continue;
            }
            let length_mm = spec.crimped_length_mm();
            let ends =
                mount::sites(&inputs.ground, inputs.rods, (rod, device), spec.from_tip_mm, 2, length_mm);
            let is_out = ends.iter().all(|s| s.bore_mm.is_infinite());
            let was_out = state.out.contains(&tool);
            if is_out && !was_out {
                state.out.push(tool);
            }
            let rim = ends[1].bore_mm.is_finite() && ends[0].bore_mm.is_infinite();
            if !was_out || !rim {
                continue;
            }
            state.out.retain(|t| *t != tool);
            if uniform(&mut state.rng) < STRIP_SHARE
                && let Some(place) = ends[0].place
            {
                lose(inputs, state, (tool, spec), place, outcome, events);
            }
        }
    }
}

/// A crimped stent is adrift.
fn lose(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    (tool, spec): (ToolId, &Stent),
    place: VesselPlace,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    let branch = inputs.ground.tree.branch(place.vessel);
    let count = stent::rings(spec);
    let length_mm = spec.crimped_length_mm();
    let radius_mm = 0.5 * spec.crimped_mm;
    let ring = |j: usize| {
        let back_mm = length_mm * j as f64 / (count - 1) as f64;
        let arc_mm = (place.arc_mm - back_mm).clamp(0.0, branch.length_mm());
        Ring { place: VesselPlace { vessel: place.vessel, arc_mm }, peak_mm: radius_mm, radius_mm }
    };
    let mut placed = PlacedStent::new(tool);
    placed.phase = Phase::Placed;
    placed.rings = (0..count).map(ring).collect();
    state.stents.push(placed);
    state.spent.push(tool);
    let index = state.stents.len() - 1;
    events.push(EventKind::StentStripped { stent: index as u32, tool });
    outcome.adrift.push((index, spec.crimped_mm, place));
}

/// Branches whose mouth a stent lies over: index of the branch, and whether a membrane closes it.
pub fn jailed(placed: &PlacedStent, spec: &Stent, tree: &crate::anatomy::VesselTree) -> Vec<(usize, bool)> {
    let stretches = placed.stretches();
    let own = |i: usize| stretches.iter().any(|(v, _, _)| v.idx() == i);
    let mut out = Vec::new();
    for (i, branch) in tree.branches.iter().enumerate() {
        let Some(origin) = branch.origin.filter(|_| !own(i)) else { continue };
        let mouth_mm = 0.5 * branch.at(0.0).radius_mm;
        let over = |(v, from, to): &(_, f64, f64)| {
            *v == origin.vessel && *from < origin.arc_mm + mouth_mm && *to > origin.arc_mm - mouth_mm
        };
        if stretches.iter().any(over) {
            out.push((i, spec.covered));
        }
    }
    out
}

/// What covered stents do to the branches that they lie over.
pub(super) fn close_branches(inputs: &DilationInputs<'_>, state: &mut DilationState) {
    for placed in state.stents.iter().filter(|s| s.phase == Phase::Placed) {
        let Some(spec) = stent::of(inputs.ground.tools, placed.tool) else { continue };
        for (branch, _) in jailed(placed, spec, inputs.ground.tree).into_iter().filter(|j| j.1) {
            let Some(cells) = inputs.network.branches.get(branch) else { continue };
            state.changes.push(LumenChange {
                cause: LumenCause::Covered,
                vessel: crate::anatomy::VesselId(branch as u32),
                from_mm: cells.start_mm,
                to_mm: cells.start_mm + CLOSED.0,
                radius_factor: CLOSED.1,
            });
        }
    }
}
