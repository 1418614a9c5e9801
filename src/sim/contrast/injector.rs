//! Power injector, hand syringe and lumens: what the pump does becomes what leaves each opening.

use serde::{Deserialize, Serialize};

use super::lumen::{Lumen, Mixture, lumen_flow_ml_per_s, pressure_drop_mmhg};
use crate::anatomy::VesselPlace;
use crate::device::Embolic;
use crate::math::hash::StateHasher;
use crate::scenario::Room;
use crate::sim::command::{Command, Fluid, ToolId};
use crate::sim::event::EventKind;
use crate::sim::flow::Source;
use crate::sim::snapshot::InjectionView;
use crate::units::MMHG_PER_PSI;

/// Pressure that a hand reaches with a small syringe, psi `[K]`.
const HAND_LIMIT_PSI: f64 = 300.0;
/// Fastest hand injection, mL/s `[K]`.
const HAND_MAX_ML_PER_S: f64 = 8.0;
/// Largest syringe, mL.
const SYRINGE_ML: f64 = 20.0;
/// Largest syringe of gas, mL.
const GAS_SYRINGE_ML: f64 = 60.0;
/// Share of the bore that a clot may fill before nothing goes through.
const CLOTTED_SHARE: f64 = 0.5;
/// Injector limits: rate mL/s, volume mL, rise and delay s, pressure psi.
const INJECTOR_MAX: (f64, f64, f64, f64) = (40.0, 150.0, 10.0, 1200.0);
/// Flow below this share of the wanted one counts as held back by pressure.
const LIMITED_SHARE: f64 = 0.95;
/// Weight of a side hole per weight of the end hole in sharing the flow `[K]`.
const SIDE_HOLE_WEIGHT: f64 = 0.8;
/// Weight of an end hole that the wall closes about a wedged tip `[K]`.
const WEDGED_END_WEIGHT: f64 = 0.05;

/// What the injector stage knows of the case; immutable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InjectorModel {
    /// Contrast and injector of the room.
    pub room: Room,
    /// Embolics of the tray, in the order of [`Source::particles`].
    pub embolics: Vec<Embolic>,
}

/// A lumen that something can be injected through, as it lies in this tick.
#[derive(Clone, Debug, PartialEq)]
pub struct LumenInput {
    /// Device.
    pub tool: ToolId,
    /// Inner diameter, mm.
    pub inner_diameter_mm: f64,
    /// Length from hub to tip, mm.
    pub length_mm: f64,
    /// Rated pressure, psi.
    pub max_pressure_psi: f64,
    /// Outer diameter of the device inside it, 0 if there is none, mm.
    pub inside_diameter_mm: f64,
    /// Openings that lie in vessels, tip first, then side holes; empty while it is outside.
    pub openings: Vec<VesselPlace>,
    /// Pressure in the vessel at the tip, mmHg.
    pub tip_pressure_mmhg: f64,
    /// It fills the vessel at its tip.
    pub wedged: bool,
}

/// A power injection that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Firing {
    since_s: f64,
    given_ml: f64,
}

/// The injection that is going on, by hand or injector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ongoing {
    tool: ToolId,
    by_injector: bool,
    volume_ml: f64,
    limited: bool,
    wedged: bool,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InjectorState {
    /// Lumen in use.
    pub connected: Option<ToolId>,
    /// What the syringe holds.
    pub syringe: Option<Mixture>,
    /// Name of it.
    pub syringe_name: String,
    /// Left in it, mL.
    pub syringe_ml: f64,
    /// Hand injection wanted, mL/s.
    pub hand_rate_ml_per_s: f64,
    /// Injector program: rate.
    pub rate_ml_per_s: f64,
    /// Injector program: volume.
    pub volume_ml: f64,
    /// Injector program: rise time, s.
    pub rise_s: f64,
    /// Injector program: delay after the run starts, s.
    pub delay_s: f64,
    /// Injector program: pressure limit, psi.
    pub pressure_limit_psi: f64,
    /// Fires with the next acquisition.
    pub armed: bool,
    /// Contrast still at hand, mL.
    pub stock_ml: f64,
    /// Contrast (pure) that left a lumen into a vessel, mL.
    pub contrast_given_ml: f64,
    /// Embolic suspension that left a lumen into a vessel, mL.
    pub embolic_given_ml: f64,
    /// Flow out of the tip in the last tick, mL/s.
    pub flow_ml_per_s: f64,
    /// Driving pressure in the last tick, psi.
    pub pressure_psi: f64,
    lumens: Vec<Lumen>,
    firing: Option<Firing>,
    ongoing: Option<Ongoing>,
    was_acquiring: bool,
    was_refused: bool,
    is_new_connection: bool,
}

impl InjectorState {
    /// The start of a case: syringe empty, injector programmed to nothing.
    pub fn new(model: &InjectorModel) -> Self {
        Self {
            rate_ml_per_s: 3.0,
            volume_ml: 9.0,
            rise_s: 0.3,
            pressure_limit_psi: 600.0,
            stock_ml: model.room.contrast_ml,
            ..Self::default()
        }
    }

    /// View for snapshots; `vessel_flow_ml_per_s` and `beats_to_clear` are of the vessel at the connected tip.
    pub fn view(&self, vessel_flow_ml_per_s: f64, beats_to_clear: f64) -> InjectionView {
        InjectionView {
            connected: self.connected,
            armed: self.armed,
            rate_ml_per_s: self.rate_ml_per_s,
            volume_ml: self.volume_ml,
            flow_ml_per_s: self.flow_ml_per_s,
            pressure_psi: self.pressure_psi,
            syringe: self.syringe_name.clone(),
            syringe_ml: self.syringe_ml,
            contrast_given_ml: self.contrast_given_ml,
            embolic_given_ml: self.embolic_given_ml,
            vessel_flow_ml_per_s,
            beats_to_clear,
        }
    }

    /// Hand and pump let go; a program that waits stays programmed but disarmed.
    pub fn rest(&mut self) {
        self.hand_rate_ml_per_s = 0.0;
        self.armed = false;
        self.firing = None;
    }

    /// Fluid that lies at the tip end of a lumen and how much of it, mL.
    pub fn at_tip(&self, tool: ToolId) -> Option<(Mixture, f64)> {
        self.lumens.iter().find(|l| l.tool == tool).and_then(Lumen::front)
    }

    /// Share of a lumen's bore that a clot fills, 0 to 1.
    pub fn clot_share(&self, tool: ToolId) -> f64 {
        self.lumens.iter().find(|l| l.tool == tool).map_or(0.0, |l| l.clot_share)
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        [self.flow_ml_per_s, self.pressure_psi, self.contrast_given_ml, self.syringe_ml]
            .iter()
            .all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// Applies a command of this stage; false if it is not one.
pub fn command(
    model: &InjectorModel,
    state: &mut InjectorState,
    command: &Command,
    events: &mut Vec<EventKind>,
) -> bool {
    match command {
        Command::Connect { tool } => {
            if state.connected != Some(*tool) {
                state.hand_rate_ml_per_s = 0.0;
                state.armed = false;
                state.firing = None;
            }
            state.connected = Some(*tool);
            state.is_new_connection = true;
        }
        Command::FillSyringe { fluid, volume_ml } => fill(model, state, fluid, *volume_ml, events),
        Command::SetHandInjection(rate) => {
            let rate = if rate.is_finite() { rate.clamp(0.0, HAND_MAX_ML_PER_S) } else { 0.0 };
            state.was_refused &= rate > 0.0;
            state.hand_rate_ml_per_s = rate;
        }
        Command::Flush => flush(state, events),
        Command::SetInjector { rate_ml_per_s, volume_ml, rise_s, delay_s, pressure_limit_psi } => {
            let limit = |x: f64, max: f64| if x.is_finite() { x.clamp(0.0, max) } else { 0.0 };
            state.rate_ml_per_s = limit(*rate_ml_per_s, INJECTOR_MAX.0);
            state.volume_ml = limit(*volume_ml, INJECTOR_MAX.1);
            state.rise_s = limit(*rise_s, INJECTOR_MAX.2);
            state.delay_s = limit(*delay_s, INJECTOR_MAX.2);
            state.pressure_limit_psi = limit(*pressure_limit_psi, INJECTOR_MAX.3);
            state.armed = false;
            state.firing = None;
        }
        Command::SetInjectorArmed(armed) => arm(model, state, *armed, events),
        _ => return false,
    }
    true
}

fn refuse(tool: Option<ToolId>, reason: impl Into<String>) -> EventKind {
    EventKind::Refused { tool, reason: reason.into() }
}

fn arm(model: &InjectorModel, state: &mut InjectorState, armed: bool, events: &mut Vec<EventKind>) {
    let reason = if !armed {
        None
    } else if !model.room.injector {
        Some("this room has no injector".to_owned())
    } else if state.connected.is_none() {
        Some("the injector is not connected to a lumen".to_owned())
    } else if state.rate_ml_per_s <= 0.0 || state.volume_ml <= 0.0 {
        Some("the injector's rate and volume must be above 0".to_owned())
    } else if state.volume_ml > state.stock_ml {
        Some(format!(
            "{:.0} mL are programmed, {:.0} mL of contrast are left",
            state.volume_ml, state.stock_ml
        ))
    } else {
        None
    };
    state.armed = armed && reason.is_none();
    if let Some(reason) = reason {
        events.push(refuse(state.connected, reason));
    }
}

fn fill(
    model: &InjectorModel,
    state: &mut InjectorState,
    fluid: &Fluid,
    volume_ml: f64,
    events: &mut Vec<EventKind>,
) {
    let largest = if *fluid == Fluid::CarbonDioxide { GAS_SYRINGE_ML } else { SYRINGE_ML };
    let volume = if volume_ml.is_finite() { volume_ml.clamp(0.0, largest) } else { 0.0 };
    let (mixture, name) = match fluid {
        Fluid::Contrast => (Mixture::contrast(1.0, model.room.contrast_mg_i_per_ml), "contrast".to_owned()),
        Fluid::Diluted(share) => {
            let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
            (
                Mixture::contrast(share, model.room.contrast_mg_i_per_ml),
                format!("contrast {:.0} %", 100.0 * share),
            )
        }
        Fluid::Saline => (Mixture::saline(), "saline".to_owned()),
        Fluid::CarbonDioxide => (Mixture::carbon_dioxide(), "carbon dioxide".to_owned()),
        Fluid::Embolic { id, strength } => {
            let Some(at) = model.embolics.iter().position(|e| e.id == *id) else {
                events.push(refuse(None, format!("no embolic `{id}` on the tray")));
                return;
            };
            let strength = if strength.is_finite() { strength.clamp(0.0, 1.0) } else { 1.0 };
            let rest = Mixture::contrast(1.0 - strength, model.room.contrast_mg_i_per_ml);
            (rest.with_embolic(at, &model.embolics[at], strength), id.clone())
        }
    };
    let wanted = mixture.contrast_share * volume;
    if wanted > state.stock_ml + 1e-9 {
        events
            .push(refuse(None, format!("{wanted:.1} mL of contrast wanted, {:.1} mL left", state.stock_ml)));
        return;
    }
    state.stock_ml -= wanted;
    state.syringe = Some(mixture);
    state.syringe_name = name;
    state.syringe_ml = volume;
}

/// Aspirates what the connected lumen holds (air, embolic, blood) and fills it with saline.
fn flush(state: &mut InjectorState, events: &mut Vec<EventKind>) {
    let Some(tool) = state.connected else {
        events.push(refuse(None, "nothing is connected that could be flushed"));
        return;
    };
    match state.lumens.iter_mut().find(|l| l.tool == tool) {
        Some(lumen) => lumen.flush(),
        None => events.push(refuse(Some(tool), "this device is not in use")),
    }
}

/// Advances pump and lumens by `dt_s`; what leaves into vessels is appended to `sources`.
///
/// `acquiring`: the acquisition pedal is down. The injector fires with the first acquisition after it was armed.
/// `act_s`: the patient's clotting time; a lumen that stands still clots below 200 s.
pub fn advance(
    model: &InjectorModel,
    state: &mut InjectorState,
    lumens: &[LumenInput],
    acquiring: bool,
    act_s: f64,
    dt_s: f64,
    sources: &mut Vec<Source>,
    events: &mut Vec<EventKind>,
) {
    keep_lumens(state, lumens, events);
    for (lumen, input) in
        state.lumens.iter_mut().filter_map(|l| lumens.iter().find(|i| i.tool == l.tool).map(|i| (l, i)))
    {
        lumen.stand(input, act_s, dt_s);
    }
    if acquiring && !state.was_acquiring && state.armed {
        state.firing = Some(Firing::default());
        state.armed = false;
    }
    state.was_acquiring = acquiring;
    if !acquiring {
        state.firing = None;
    }
    let input = state.connected.and_then(|tool| lumens.iter().find(|l| l.tool == tool));
    let given = input.map_or(0.0, |input| pump(model, state, input, dt_s, sources, events));
    state.flow_ml_per_s = given / dt_s;
    if given <= 0.0 {
        state.pressure_psi = 0.0;
        if let Some(done) = state.ongoing.take() {
            events.push(EventKind::InjectionEnded { tool: done.tool, volume_ml: done.volume_ml });
        }
    }
}

/// Lumens follow the devices in use; a new one comes flushed, a device that left a lumen leaves air in it.
fn keep_lumens(state: &mut InjectorState, inputs: &[LumenInput], events: &mut Vec<EventKind>) {
    state.lumens.retain(|l| inputs.iter().any(|i| i.tool == l.tool));
    for input in inputs {
        match state.lumens.iter_mut().find(|l| l.tool == input.tool) {
            Some(lumen) => lumen.follow(input),
            None => state.lumens.push(Lumen::new(input)),
        }
    }
    if state.connected.is_some_and(|tool| inputs.iter().all(|i| i.tool != tool)) {
        if state.is_new_connection {
            events.push(refuse(state.connected, "this device is not in use or has no lumen"));
        }
        state.connected = None;
        state.armed = false;
        state.firing = None;
        state.hand_rate_ml_per_s = 0.0;
    }
    state.is_new_connection = false;
}

/// What the pump wants in this tick.
struct Demand {
    mixture: Mixture,
    name: String,
    by_injector: bool,
    rate_ml_per_s: f64,
    volume_ml: f64,
    limit_psi: f64,
}

fn demand(model: &InjectorModel, state: &mut InjectorState, dt_s: f64) -> Option<Demand> {
    if let Some(firing) = &mut state.firing {
        firing.since_s += dt_s;
        let run_s = firing.since_s - state.delay_s;
        let left_ml = state.volume_ml - firing.given_ml;
        if left_ml <= 1e-9 {
            state.firing = None;
        } else if run_s > 0.0 {
            let rise = if state.rise_s > 0.0 { (run_s / state.rise_s).min(1.0) } else { 1.0 };
            return Some(Demand {
                mixture: Mixture::contrast(1.0, model.room.contrast_mg_i_per_ml),
                name: "contrast".to_owned(),
                by_injector: true,
                rate_ml_per_s: state.rate_ml_per_s * rise,
                volume_ml: left_ml.min(state.stock_ml),
                limit_psi: state.pressure_limit_psi,
            });
        }
    }
    let mixture = state.syringe.filter(|_| state.hand_rate_ml_per_s > 0.0 && state.syringe_ml > 0.0)?;
    Some(Demand {
        mixture,
        name: state.syringe_name.clone(),
        by_injector: false,
        rate_ml_per_s: state.hand_rate_ml_per_s,
        volume_ml: state.syringe_ml,
        limit_psi: HAND_LIMIT_PSI,
    })
}

/// Moves fluid through the connected lumen; returns the volume moved, mL.
fn pump(
    model: &InjectorModel,
    state: &mut InjectorState,
    input: &LumenInput,
    dt_s: f64,
    sources: &mut Vec<Source>,
    events: &mut Vec<EventKind>,
) -> f64 {
    let Some(want) = demand(model, state, dt_s) else { return 0.0 };
    let Some(at) = state.lumens.iter().position(|l| l.tool == input.tool) else { return 0.0 };
    if let Some(reason) = blocked(model, input, &want, state.lumens[at].clot_share) {
        if !state.was_refused {
            events.push(refuse(Some(input.tool), reason));
        }
        state.was_refused = true;
        return 0.0;
    }
    let viscosity = state.lumens[at].viscosity_mpa_s(&want.mixture);
    let limit_mmhg = want.limit_psi.min(input.max_pressure_psi.max(1.0)) * MMHG_PER_PSI;
    let possible = lumen_flow_ml_per_s(input, viscosity, limit_mmhg - input.tip_pressure_mmhg);
    let flow = want.rate_ml_per_s.min(possible);
    let volume = (flow * dt_s).min(want.volume_ml);
    if volume <= 0.0 {
        return 0.0;
    }
    let drop = pressure_drop_mmhg(input, viscosity, volume / dt_s);
    state.pressure_psi = (drop + input.tip_pressure_mmhg) / MMHG_PER_PSI;
    announce(state, input, &want, volume, flow < LIMITED_SHARE * want.rate_ml_per_s, events);
    if want.by_injector {
        state.stock_ml -= volume;
        if let Some(firing) = &mut state.firing {
            firing.given_ml += volume;
        }
    } else {
        state.syringe_ml -= volume;
    }
    let lumen = &mut state.lumens[at];
    if lumen.air_ml > 0.0 && !input.openings.is_empty() {
        events.push(EventKind::AirInjected { tool: input.tool, volume_ml: lumen.air_ml });
        lumen.air_ml = 0.0;
    }
    for (mixture, ml) in lumen.push(want.mixture, volume) {
        give(state, input, mixture, ml, dt_s, sources);
    }
    volume
}

/// Why nothing can be injected.
fn blocked(model: &InjectorModel, input: &LumenInput, want: &Demand, clot_share: f64) -> Option<String> {
    if clot_share > CLOTTED_SHARE {
        return Some(format!(
            "a clot fills {:.0} % of the lumen (at most {:.0} % lets fluid pass): aspirate and flush",
            100.0 * clot_share,
            100.0 * CLOTTED_SHARE
        ));
    }
    let gap = input.inner_diameter_mm - input.inside_diameter_mm;
    if gap < 0.05 {
        return Some(format!(
            "a device of {:.2} mm fills the lumen of {:.2} mm",
            input.inside_diameter_mm, input.inner_diameter_mm
        ));
    }
    let (embolic, _) = want.mixture.particles?;
    let needed = model.embolics[embolic].min_lumen_mm;
    let open = if input.inside_diameter_mm > 0.0 { gap } else { input.inner_diameter_mm };
    (open < needed).then(|| {
        format!("{} clogs: it needs a lumen of {needed:.2} mm, this one has {open:.2} mm", want.name)
    })
}

/// Events of an injection: start, held back by pressure, wedged.
fn announce(
    state: &mut InjectorState,
    input: &LumenInput,
    want: &Demand,
    volume: f64,
    limited: bool,
    events: &mut Vec<EventKind>,
) {
    let same =
        state.ongoing.as_ref().is_some_and(|o| o.tool == input.tool && o.by_injector == want.by_injector);
    if !same {
        if let Some(done) = state.ongoing.take() {
            events.push(EventKind::InjectionEnded { tool: done.tool, volume_ml: done.volume_ml });
        }
        events.push(EventKind::InjectionStarted {
            tool: input.tool,
            fluid: want.name.clone(),
            by_injector: want.by_injector,
        });
        let by_injector = want.by_injector;
        state.ongoing =
            Some(Ongoing { tool: input.tool, by_injector, volume_ml: 0.0, limited: false, wedged: false });
    }
    let Some(ongoing) = &mut state.ongoing else { return };
    ongoing.volume_ml += volume;
    if limited && !ongoing.limited {
        ongoing.limited = true;
        events.push(EventKind::PressureLimited(input.tool));
    }
    if input.wedged && !ongoing.wedged {
        ongoing.wedged = true;
        events.push(EventKind::WedgedInjection(input.tool));
    }
}

/// Fluid that left the lumen becomes sources at its openings.
fn give(
    state: &mut InjectorState,
    input: &LumenInput,
    mixture: Mixture,
    ml: f64,
    dt_s: f64,
    sources: &mut Vec<Source>,
) {
    if input.openings.is_empty() {
        return;
    }
    state.contrast_given_ml += mixture.contrast_share * ml;
    if mixture.particles.is_some() {
        state.embolic_given_ml += ml;
    }
    let holes = (input.openings.len() - 1) as f64;
    let end = if input.wedged { WEDGED_END_WEIGHT } else { 1.0 };
    let total = end + SIDE_HOLE_WEIGHT * holes;
    for (i, place) in input.openings.iter().enumerate() {
        let weight = if i == 0 { end } else { SIDE_HOLE_WEIGHT };
        sources.push(Source {
            place: *place,
            flow_ml_per_s: ml / dt_s * weight / total,
            iodine_mg_per_ml: mixture.iodine_mg_per_ml,
            particles: mixture.particles,
            gas_share: mixture.gas_share,
        });
    }
}
