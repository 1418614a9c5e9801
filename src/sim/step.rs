//! The ordered stages of a tick and all their wiring.
//!
//! Order and reason:
//! 1. **Commands**: everything the operator changed acts on this whole tick.
//! 2. **Rods**, then the vessels that give way to them: devices move first; flow, injection and picture of this tick see them where they now are.
//!    Then **balloons and stents**: where they lie is known, and what they open, close or fill acts in this tick.
//! 3. **Harm**: tip pressures of the moved rods; a perforation bleeds in the same tick.
//! 4. **Patient**: the pressure at the root drives the flow.
//! 5. **Injection**: what leaves each lumen, against the pressures of the last tick.
//! 6. **Flow**: with devices and sources in place, and what therapy has blocked so far.
//! 7. **Contrast, then therapy, then implants**: carried by those flows; what lodges, clots or slips acts on the flow of the next tick.
//! 8. **Free bodies**: dragged by the flow, pushed by the devices.
//! 9. **Exposure**: last, so that a pulse of this tick shows the state after all of it.
//!
//! While time is skipped, stages 2, 3 and 8 rest, and a step runs the others to the next whole second.

use super::command::{Command, Pedal};
use super::contact::{ShiftedWall, WallShift, Widening};
use super::contrast::{self, ContrastScratch, injector};
use super::event::{Event, EventKind};
use super::exposure::{self, ExposureInput};
use super::flow::{self, FlowInputs, FlowScratch, LineInput, LumenChange, Obstruction, Source};
use super::model::Model;
use super::physiology::{self, PhysiologyInputs};
use super::rod::{self, RodInputs, RodReport, RodScratch};
use super::snapshot::{RodView, Snapshot, StenosisView, ToolInfo};
use super::state::State;
use super::walls::{give_way, move_walls, total_shift};
use super::{harm, opening, placing, protection, therapy, wiring, world};
use crate::anatomy::VesselPlace;
use crate::device::Release;
use crate::units::{TICK_S, TICKS_PER_S};

/// Fastest feed that a hand makes, mm/s.
pub const MAX_FEED_MM_PER_S: f64 = 100.0;
/// Fastest turn, degrees/s.
pub const MAX_SPIN_DEG_PER_S: f64 = 360.0;
/// Longest time skip, s.
pub const MAX_SKIP_S: f64 = 3600.0;

/// Buffers and derived views; nothing here decides the future.
#[derive(Debug, Default)]
pub struct Scratch {
    rod: RodScratch,
    flow: FlowScratch,
    contrast: ContrastScratch,
    /// Views of the rods after the last tick; made anew when missing.
    rods: Vec<RodView>,
    places: Vec<Vec<Option<VesselPlace>>>,
    obstructions: Vec<Obstruction>,
    sources: Vec<Source>,
    /// The rigid world with opened walls.
    opened_world: Option<(Widening, world::World)>,
}

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }
}

/// What a tick reports.
#[derive(Clone, Debug, Default)]
pub struct StepReport {
    /// Events, in the order in which they happened.
    pub events: Vec<Event>,
    /// One per rod.
    pub rods: Vec<RodReport>,
}

/// Advances the world by one tick, or, while time is skipped, by the ticks to the next whole second. Cannot fail: what
/// cannot be done is an event.
pub fn step(model: &Model, state: &mut State, scratch: &mut Scratch, commands: &[Command]) -> StepReport {
    let mut report = StepReport::default();
    let mut kinds: Vec<EventKind> = Vec::new();
    for command in commands {
        apply(model, state, scratch, command, &mut kinds);
    }
    if state.skip_ticks == 0 {
        fire_pending_events(model, state, &mut kinds);
        advance_rods(model, state, scratch, &mut report, &mut kinds);
        view_rods(model, state, scratch);
        open_vessels(model, state, scratch, &mut kinds);
        advance_harm(model, state, scratch, &mut kinds);
        advance_blood(model, state, scratch, &mut kinds);
        advance_world(model, state, scratch, &mut kinds);
        finish_tick(model, state, scratch, commands, kinds, &mut report);
        return report;
    }
    view_rods(model, state, scratch);
    let to_whole_second = TICKS_PER_S - state.tick % TICKS_PER_S;
    for i in 0..state.skip_ticks.min(to_whole_second) {
        fire_pending_events(model, state, &mut kinds);
        view_obstructions(model, state, scratch);
        open_vessels(model, state, scratch, &mut kinds);
        advance_blood(model, state, scratch, &mut kinds);
        let commands = if i == 0 { commands } else { &[] };
        finish_tick(model, state, scratch, commands, std::mem::take(&mut kinds), &mut report);
        state.skip_ticks -= 1;
        if state.exposure.pedal() != Pedal::Off {
            // Who takes the pedal is back at the table.
            state.skip_ticks = 0;
            break;
        }
    }
    report
}

/// Stamps the events of the tick, advances the X-ray room, and counts.
fn finish_tick(
    model: &Model,
    state: &mut State,
    scratch: &Scratch,
    commands: &[Command],
    kinds: Vec<EventKind>,
    report: &mut StepReport,
) {
    let tick = state.tick;
    report.events.extend(kinds.into_iter().map(|kind| Event { tick, kind }));
    exposure::advance(
        &model.exposure,
        &mut state.exposure,
        &ExposureInput {
            commands,
            tick,
            contrast_given_ml: state.injector.contrast_given_ml,
            injecting_at: scratch.sources.first().map(|s| s.place),
            breath: state.patient.breath(),
        },
        &mut report.events,
    );
    state.tick += 1;
}

/// Commands that concern no stage alone; the rest goes to the injector (the exposure stage reads its own).
fn apply(
    model: &Model,
    state: &mut State,
    scratch: &mut Scratch,
    command: &Command,
    events: &mut Vec<EventKind>,
) {
    let known = |tool: super::ToolId| tool.idx() < model.tools.len();
    let refuse = |tool, reason: String| EventKind::Refused { tool: Some(tool), reason };
    match command {
        Command::Load { rod, tool } if known(*tool) => {
            let Some(rod_state) = state.rods.get_mut(usize::from(*rod)) else {
                events.push(refuse(*tool, format!("there is no access {rod}")));
                return;
            };
            match rod::load(rod_state, &model.tools, *tool) {
                Ok(()) => events.push(EventKind::Loaded(*tool)),
                Err(reason) => events.push(refuse(*tool, reason.to_string())),
            }
        }
        Command::Unload { tool } if known(*tool) => {
            let holder = state.rods.iter_mut().find(|r| r.index_of(*tool).is_some());
            match holder.map(|r| rod::unload(r, &model.tools, *tool)) {
                Some(Ok(())) => {
                    state.controls[tool.idx()] = rod::ToolControl::default();
                    state.dilation.forget(*tool);
                    events.push(EventKind::Unloaded(*tool));
                }
                Some(Err(reason)) => events.push(refuse(*tool, reason.to_string())),
                None => events.push(refuse(*tool, "it is not in".to_owned())),
            }
        }
        Command::SetFeed { tool, speed_mm_per_s } if known(*tool) && speed_mm_per_s.is_finite() => {
            state.controls[tool.idx()].feed_mm_per_s =
                speed_mm_per_s.clamp(-MAX_FEED_MM_PER_S, MAX_FEED_MM_PER_S);
        }
        Command::SetSpin { tool, rate_deg_per_s } if known(*tool) && rate_deg_per_s.is_finite() => {
            state.controls[tool.idx()].spin_rad_per_s =
                rate_deg_per_s.clamp(-MAX_SPIN_DEG_PER_S, MAX_SPIN_DEG_PER_S).to_radians();
        }
        Command::SetHold { tool, hold } if known(*tool) => state.controls[tool.idx()].hold = *hold,
        Command::DropPledget { tool, diameter_mm } if known(*tool) => {
            drop_pledget(model, state, scratch, *tool, *diameter_mm, events);
        }
        Command::Detach { tool } if known(*tool) => {
            placing::detach(model, state, &mut scratch.rod, *tool, events);
        }
        Command::Aspirate(tool) => {
            let done = protection::aspirate(&mut state.protection, &model.tools, &scratch.rods, *tool);
            if let Err(reason) = done {
                events.push(EventKind::Refused { tool: *tool, reason });
            }
        }
        Command::HoldBreath(hold) => state.patient.hold_breath(*hold, events),
        Command::Give { drug, dose } => state.patient.give(drug, *dose, events),
        Command::FireEvent(id) => fire_event(model, state, id, events),
        Command::AskHint => events.push(EventKind::HintAsked),
        Command::SkipTime(s) if s.is_finite() => skip_time(state, *s, events),
        Command::Finish => {
            if !state.is_finished {
                state.is_finished = true;
                events.push(EventKind::Finished);
            }
        }
        other if opening::command(model, state, other, events) => {}
        other => {
            injector::command(&model.injector, &mut state.injector, other, events);
        }
    }
}

/// Hands and pump let go; a beam that is on would expose the patient meanwhile.
fn skip_time(state: &mut State, seconds: f64, events: &mut Vec<EventKind>) {
    if state.exposure.pedal() != Pedal::Off {
        let reason = "time is not skipped while the beam is on: release the pedal".to_owned();
        events.push(EventKind::Refused { tool: None, reason });
        return;
    }
    for control in &mut state.controls {
        control.feed_mm_per_s = 0.0;
        control.spin_rad_per_s = 0.0;
    }
    state.injector.rest();
    state.protection.suction = None;
    state.skip_ticks = (seconds.clamp(0.0, MAX_SKIP_S) * TICKS_PER_S as f64) as u64;
}

fn fire_event(model: &Model, state: &mut State, id: &str, events: &mut Vec<EventKind>) {
    match model.case.events.iter().position(|e| e.id == id) {
        Some(i) => {
            let wait_ticks = (model.case.events[i].wait_s.max(0.0) * TICKS_PER_S as f64) as u64;
            state.pending_events.push((i, wait_ticks));
        }
        None => {
            events.push(EventKind::Refused { tool: None, reason: format!("the case has no event `{id}`") });
        }
    }
}

fn fire_pending_events(model: &Model, state: &mut State, events: &mut Vec<EventKind>) {
    let mut due = Vec::new();
    state.pending_events.retain_mut(|(i, left)| {
        if *left == 0 {
            due.push(*i);
        }
        *left = left.saturating_sub(1);
        !due.contains(i)
    });
    for event in due.into_iter().filter_map(|i| model.case.events.get(i)) {
        state.patient.set_targets(event.heart_rate_bpm, event.systolic_mmhg, event.over_s);
        events.push(EventKind::Said(event.say.clone()));
    }
}

fn advance_rods(
    model: &Model,
    state: &mut State,
    scratch: &mut Scratch,
    report: &mut StepReport,
    events: &mut Vec<EventKind>,
) {
    move_walls(model, state);
    opening::hold_hubs(model, state, events);
    let shift = total_shift(model, state).into_owned();
    let wall = opening::wall(model, state, &shift);
    let tools = opening::tools(model, state);
    for i in 0..state.rods.len() {
        let others = placing::obstacles(model, state, i, &wall);
        let rod_state = &mut state.rods[i];
        let inputs = RodInputs {
            tools: &tools,
            controls: &state.controls,
            wall: &wall,
            law: model.law,
            others: &others,
            meshing: rod::Meshing::default(),
        };
        let rod_report = rod::advance(&inputs, rod_state, &mut scratch.rod, TICK_S);
        if let Some(reason) = &rod_report.diverged {
            events.push(EventKind::Diverged { rod: i as u8, reason: reason.clone() });
        }
        for blocked in &rod_report.blocked {
            // A hub that cannot move stays asked until the hand lets go; one event tells why, then the feed stops.
            state.controls[blocked.tool.idx()].feed_mm_per_s = 0.0;
            events.push(EventKind::Refused { tool: Some(blocked.tool), reason: blocked.reason.clone() });
        }
        report.rods.push(rod_report);
    }
    // What a rod pressed with when its solver gave up is no load to follow.
    if report.rods.iter().all(|r| r.diverged.is_none()) {
        give_way(model, state);
    }
    placing::release_loose(model, state, &mut scratch.rod, events);
}

fn view_rods(model: &Model, state: &State, scratch: &mut Scratch) {
    let shift = total_shift(model, state);
    let wall = opening::wall(model, state, &shift);
    scratch.rods = state.rods.iter().map(|r| rod::view(r, &model.tools, &wall)).collect();
    scratch.places = scratch.rods.iter().map(|r| wiring::node_places(r, &wall)).collect();
    view_obstructions(model, state, scratch);
}

/// What devices and plugs fill of the vessels.
fn view_obstructions(model: &Model, state: &State, scratch: &mut Scratch) {
    scratch.obstructions.clear();
    for ((rod, places), body) in scratch.rods.iter().zip(&scratch.places).zip(0..) {
        scratch.obstructions.extend(wiring::obstructions(rod, places, &model.tools, body));
    }
    let rods = state.rods.len() as u32;
    let plugs = state.world.bodies.iter().zip(rods..).filter(|(b, _)| b.is_lodged && b.implant.is_none());
    scratch.obstructions.extend(plugs.map(|(b, body)| wiring::plug(b, body)));
    protection::fill(model, state, &scratch.rods, &mut scratch.obstructions);
}

/// Balloons and stents act on the vessels and fill them.
fn open_vessels(model: &Model, state: &mut State, scratch: &mut Scratch, events: &mut Vec<EventKind>) {
    let bodies = (state.rods.len() + state.world.bodies.len()) as u32;
    opening::advance(model, state, &scratch.rods, bodies, &mut scratch.obstructions, events);
}

fn advance_harm(model: &Model, state: &mut State, scratch: &Scratch, events: &mut Vec<EventKind>) {
    let tree = &model.anatomy.tree;
    let before = events.len();
    let boring = &state.dilation.boring;
    let holes = harm::advance(&mut state.harm, &scratch.rods, &model.tools, tree, boring, TICK_S, events);
    for event in &events[before..] {
        match event {
            EventKind::Spasm(place) => {
                state.flow.irritate(*place);
            }
            EventKind::Dissection(place) => state.flow.lumen.push(LumenChange::dissection(*place)),
            _ => {}
        }
    }
    for place in holes {
        state.perforations += 1;
        let point = tree.branch(place.vessel).at(place.arc_mm);
        state.flow.open_leak(
            &model.network,
            &format!("perforation.{}", state.perforations),
            place,
            point.position_mm + point.normal * point.radius_mm,
            point.normal,
            harm::PERFORATION_ML_PER_MIN,
        );
    }
}

/// Lumens that something can be injected through, in tool order.
fn lumens(model: &Model, state: &State, scratch: &Scratch) -> Vec<injector::LumenInput> {
    let mut out = Vec::new();
    for (rod, places) in scratch.rods.iter().zip(&scratch.places) {
        for (i, device) in rod.devices.iter().enumerate() {
            let tool = &model.tools[device.tool.idx()];
            let Some(inner_diameter_mm) = tool.inner_diameter_mm else { continue };
            let openings = wiring::openings(rod, places, i, &model.tools);
            let tip = openings.first().copied();
            out.push(injector::LumenInput {
                tool: device.tool,
                inner_diameter_mm,
                length_mm: tool.length_mm,
                max_pressure_psi: tool.max_pressure_psi,
                inside_diameter_mm: wiring::inside_diameter_mm(rod, i, &model.tools),
                tip_pressure_mmhg: tip.map_or(0.0, |p| state.flow.pressure_at(&model.network, p)),
                wedged: tip.is_some_and(|p| state.flow.wedged_at(&model.network, p)),
                openings,
            });
        }
    }
    out
}

fn advance_blood(model: &Model, state: &mut State, scratch: &mut Scratch, events: &mut Vec<EventKind>) {
    let mut on_patient = PhysiologyInputs::of(&model.network, &state.flow, state.contrast.injected[0]);
    let (pain, sinus) = opening::felt(model, state);
    (on_patient.injury, on_patient.carotid_stretch) = (on_patient.injury.max(pain), sinus);
    physiology::advance(&mut state.patient, &on_patient, TICK_S, events);
    let lumens = lumens(model, state, scratch);
    scratch.sources.clear();
    injector::advance(
        &model.injector,
        &mut state.injector,
        &lumens,
        state.exposure.run().is_some(),
        state.patient.act_s(),
        TICK_S,
        &mut scratch.sources,
        events,
    );
    opening::spills(model, state, &mut scratch.sources);
    let (changes, leak_open) = (opening::changes(state).into_owned(), opening::leak_open(model, state));
    flow::advance(
        &model.network,
        &mut state.flow,
        &mut scratch.flow,
        &FlowInputs {
            root_mmhg: state.patient.pressure_mmhg,
            venous_mmhg: state.patient.venous_mmhg,
            obstructions: &scratch.obstructions,
            packing: &changes,
            sources: &scratch.sources,
            bed_resistance_factor: &state.therapy.bed_resistance_factor,
            anastomosis_open_share: &state.therapy.anastomosis_open_share,
            leak_open_share: &leak_open,
            nitroglycerin_ug: state.patient.active("nitroglycerin"),
        },
        TICK_S,
    );
    let lines: Vec<LineInput> = lumens.iter().map(|l| line(state, l)).collect();
    state.pressure_lines.advance(&lines, state.patient.is_new_beat, TICK_S);
    contrast::advance(
        &model.network,
        &model.contrast,
        &state.flow,
        &mut state.contrast,
        &mut scratch.contrast,
        &scratch.sources,
        TICK_S,
        events,
    );
    therapy::advance(
        &model.network,
        &model.therapy,
        &state.flow,
        &mut state.therapy,
        &scratch.contrast,
        TICK_S,
        events,
    );
    placing::advance(model, state, &scratch.rods, events);
}

/// A lumen as its transducer sees it: the pressure of the last tick, in the order of the injection.
fn line(state: &State, lumen: &injector::LumenInput) -> LineInput {
    LineInput {
        tool: lumen.tool,
        tip_mmhg: (!lumen.openings.is_empty()).then_some(lumen.tip_pressure_mmhg),
        resistance_mmhg_s_per_ml: contrast::saline_resistance_mmhg_s_per_ml(lumen),
        wedged: lumen.wedged,
        clot_share: state.injector.clot_share(lumen.tool),
        injecting: state.injector.flow_ml_per_s > 0.0 && state.injector.connected == Some(lumen.tool),
    }
}

fn advance_world(model: &Model, state: &mut State, scratch: &mut Scratch, events: &mut Vec<EventKind>) {
    protection::tick(model, state, &scratch.rods, events);
    if state.world.bodies.is_empty() {
        return;
    }
    opening::follow_collider(state);
    let rigid = opening::rigid_world(model, state, &mut scratch.opened_world);
    let wall = ShiftedWall::new(&model.wall, None, &WallShift::default())
        .opened(&state.dilation.collider, &model.anatomy.tree);
    let (flow, net) = (&state.flow, &model.network);
    let inputs = world::WorldInputs {
        tree: &model.anatomy.tree,
        wall: &wall,
        widening: &state.dilation.collider,
        flow_ml_per_s: &|place| flow.flow_at(net, *place),
        rods: &scratch.rods,
        tool_radius_mm: &model.tool_radius_mm,
    };
    for lodging in world::advance(rigid, &mut state.world, &inputs, TICK_S) {
        let body = &state.world.bodies[lodging.body];
        if body.implant.is_some() {
            continue;
        }
        events.push(EventKind::BodyLodged {
            place: lodging.place,
            diameter_mm: lodging.diameter_mm,
            is_debris: body.is_debris,
        });
    }
}

/// A gelatin pledget through a lumen: it must be smaller than the bore and finds itself in the blood at the tip.
fn drop_pledget(
    model: &Model,
    state: &mut State,
    scratch: &Scratch,
    tool: super::ToolId,
    diameter_mm: f64,
    events: &mut Vec<EventKind>,
) {
    let refused = |reason: String| EventKind::Refused { tool: Some(tool), reason };
    let bore_mm = model.tools[tool.idx()].inner_diameter_mm.unwrap_or(0.0);
    if !(0.2..=5.0).contains(&diameter_mm) || diameter_mm > bore_mm {
        events.push(refused(format!(
            "a pledget of {diameter_mm:.2} mm does not pass a lumen of {bore_mm:.2} mm (0.2 to 5 mm are cut)"
        )));
        return;
    }
    let tip = wiring::find_tool(&scratch.rods, tool)
        .filter(|(_, _, d)| d.inserted_mm > 0.0)
        .and_then(|(_, _, d)| d.tip_place.map(|p| (p, d.tip_mm, d.tip_direction)));
    match tip {
        Some((place, tip_mm, direction)) => {
            // Just ahead of the rim, so that it does not start inside the device; soaked with contrast.
            let at_mm = tip_mm + direction * (0.6 * diameter_mm);
            let soaked_ml = std::f64::consts::PI / 6.0 * diameter_mm.powi(3) / crate::units::MM3_PER_ML;
            let iodine_mg = soaked_ml * model.case.room.contrast_mg_i_per_ml;
            state.world.spawn_pledget(diameter_mm, at_mm, place, iodine_mg);
        }
        None => events.push(refused("its tip is not in a vessel".to_owned())),
    }
}

/// Copies out what the outside may see.
pub fn snapshot(model: &Model, state: &State, scratch: &Scratch) -> Snapshot {
    let rods = if scratch.rods.len() == state.rods.len() {
        scratch.rods.clone()
    } else {
        let shift = total_shift(model, state);
        let wall = opening::wall(model, state, &shift);
        state.rods.iter().map(|r| rod::view(r, &model.tools, &wall)).collect()
    };
    let connected = state.injector.connected;
    let tip = connected
        .and_then(|tool| wiring::find_tool(&rods, tool))
        .and_then(|(_, _, device)| device.tip_place.filter(|_| device.inserted_mm > 0.0));
    let heart_rate = state.patient.view().heart_rate_bpm;
    let net = &model.network;
    let vessel_flow = tip.map_or(0.0, |p| state.flow.mean_flow_at(net, p));
    let beats = tip.map_or(0.0, |p| state.flow.beats_to_clear(net, p, heart_rate));
    let mut snapshot = Snapshot {
        tick: state.tick,
        time_s: state.tick as f64 * TICK_S,
        bodies: state.world.view(),
        implants: placing::view(model, state),
        vessels: contrast::vessel_views(
            net,
            &state.flow,
            &state.contrast,
            &opening::picture_area(model, state),
        ),
        beds: contrast::bed_views(net, &state.flow, &state.contrast, &model.therapy, &state.therapy),
        pools: contrast::pool_views(&state.flow, &state.contrast),
        injection: state.injector.view(vessel_flow, beats),
        pressure_lines: state.pressure_lines.view(),
        stenoses: (0..net.stenoses()).filter_map(|i| stenosis(model, state, i)).collect(),
        patient: state.patient.view(),
        xray: exposure::view(&state.exposure),
        tools: tools(model, &rods),
        wall_shift: state.wall_shift.clone(),
        rods,
        ..Snapshot::default()
    };
    let rods = std::mem::take(&mut snapshot.rods);
    opening::view(model, state, &rods, &mut snapshot);
    protection::view(model, state, &rods, &mut snapshot);
    snapshot.rods = rods;
    snapshot
}

fn stenosis(model: &Model, state: &State, index: usize) -> Option<StenosisView> {
    let (net, flow) = (&model.network, &state.flow);
    let [before, behind] = net.around_stenosis(index)?;
    Some(StenosisView {
        place: Some(before),
        open_share: flow.stenosis_open[index],
        mean_gradient_mmhg: flow.mean_gradient_mmhg(net, before, behind),
        gradient_mmhg: flow.pressure_at(net, before) - flow.pressure_at(net, behind),
    })
}

fn tools(model: &Model, rods: &[RodView]) -> Vec<ToolInfo> {
    let is_loaded = |i: usize| rods.iter().flat_map(|r| &r.devices).any(|d| d.tool.idx() == i);
    model
        .tools
        .iter()
        .enumerate()
        .map(|(i, d)| ToolInfo {
            id: d.id.clone(),
            label: d.label.clone(),
            kind: d.kind,
            loaded: is_loaded(i),
            implant_mm: d.implant.as_ref().map_or(0.0, |p| p.length_mm),
            implant_diameter_mm: d.implant.as_ref().map_or(0.0, |p| p.diameter_mm),
            is_detachable: d.implant.as_ref().is_some_and(|p| p.release == Release::Detached),
            rated_atm: d.balloon.as_ref().map_or(0.0, |b| b.rated_atm),
        })
        .collect()
}
