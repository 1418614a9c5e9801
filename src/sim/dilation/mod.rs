//! Stage: balloons and stents. What an inflator does to a balloon, balloon and stents to the vessel, the vessel to them.
//!
//! Along each balloon and each touched branch stand cross-sections 1 mm apart. A balloon's volume follows from its inflator
//! ([`balloon`]), its shape from film, axial tension and the tissue around ([`tissue`]); the wall stands where the balloon
//! does, creeps, tears or bursts, and comes back to where tissue and stents balance ([`vessel`], [`stent`]). The walls so
//! displaced are one field ([`crate::sim::contact::Widening`]) that contact, flow and picture see in the same tick.

pub mod balloon;
mod blood;
mod deploy;
pub mod mount;
pub mod occlusion;
mod retrieve;
pub mod stent;
pub mod tissue;
pub mod vessel;
mod view;

use serde::{Deserialize, Serialize};

use crate::anatomy::{VesselPlace, VesselTree};
use crate::device::{Balloon, Device};
use crate::math::hash::StateHasher;
use crate::math::rng::{ChaCha8Rng, Stream, normal, stream, uniform};
use crate::sim::command::ToolId;
use crate::sim::contact::{Plug, Widening};
use crate::sim::event::EventKind;
use crate::sim::flow::{LumenChange, Network};
use crate::sim::snapshot::RodView;

use balloon::{Drive, Inflator, MOST_ATM, STEP_MM, SUCTION_ATM, Surroundings};
use mount::{Ground, Site};
use occlusion::Passage;
use stent::{PlacedStent, Support};
use tissue::Tissue;
use vessel::{Press, Segment, VesselModel, arc_of, knot_at};

pub use blood::{leak_open, obstructions, spills};
pub use deploy::jailed;
pub use retrieve::Loop;
pub use view::{BalloonView, LesionView, StentPhase, StentView, balloons, lesions, stents};

/// Pressure on the wall from which a balloon holds its catheter, atm `[D]`.
const GRIP_ATM: f64 = 0.2;
/// Contrast in a balloon: diluted to half.
pub const BALLOON_CONTRAST: f64 = 0.5;
/// What calcium takes off the pressure at which a balloon bursts, atm at calcium all around `[K]`.
const CALCIUM_BURST_ATM: f64 = 3.0;
/// Pieces of debris per volume of the loosest plaque that gives way, 1/mm3, and the sizes between which they are spread, mm `[K]`.
const DEBRIS_PER_MM3: f64 = 0.08;
const DEBRIS_MM: (f64, f64) = (0.25, 1.2);
/// Most pieces of one inflation.
const MOST_DEBRIS: f64 = 8.0;
/// Share of a flap that must be held to the wall, for it to stick.
pub(super) const HELD_SHARE: f64 = 0.9;
/// A tear that a balloon has held to the wall this long sticks, s `[K]`.
const TACK_S: f64 = 120.0;

/// What does not change.
#[derive(Clone, Debug)]
pub struct DilationModel {
    /// Vessels and lesions.
    pub vessels: VesselModel,
    /// Cross-section of the built lumen over the healthy one, per cell of the network: what the picture takes it for.
    pub built_area: Vec<f64>,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DilationState {
    /// Inflators, by tool.
    pub inflators: Vec<(ToolId, Inflator)>,
    /// Touched stretches, in the order of their branches.
    pub segments: Vec<Segment>,
    /// Stents in the patient, in the order in which they were begun.
    pub stents: Vec<PlacedStent>,
    /// Devices in the patient whose stent is off.
    pub spent: Vec<ToolId>,
    /// How far the walls stand outside the built ones.
    pub widening: Widening,
    /// The same as the collider of the free bodies has followed it.
    pub collider: Widening,
    /// What that does to the lumens.
    pub changes: Vec<LumenChange>,
    /// Devices whose stent, still crimped on its balloon, has been out of what carries them.
    out: Vec<ToolId>,
    /// Contrast that leaves burst balloons: where, and mL left.
    spills: Vec<(VesselPlace, f64)>,
    /// Debris that waits for the flow, pieces.
    debris: f64,
    /// What balloons pressed on in the last tick.
    pub presses: Vec<Press>,
    /// Occlusions and the ways through them.
    #[serde(default)]
    pub passages: Vec<Passage>,
    /// Devices whose tip leans on an occlusion: what it presses on is no wall.
    #[serde(default)]
    pub boring: Vec<ToolId>,
    /// Lost stents that lie in the open loop of a snare.
    #[serde(default)]
    looped: Vec<(ToolId, u32)>,
    /// Walls are on their way.
    is_moving: bool,
    rng: ChaCha8Rng,
}

/// What the stage needs from outside.
#[derive(Clone, Copy)]
pub struct DilationInputs<'a> {
    /// Model.
    pub model: &'a DilationModel,
    /// Where things lie.
    pub ground: Ground<'a>,
    /// Rods as they stand now.
    pub rods: &'a [RodView],
    /// Network of the flow.
    pub network: &'a Network,
    /// Free bodies: stents adrift are among them.
    pub bodies: &'a [crate::sim::world::FreeBody],
    /// Snares in the patient.
    pub loops: &'a [Loop],
}

/// What others must do about a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Flaps that narrow a lumen from now on.
    pub flaps: Vec<LumenChange>,
    /// Stretches in which flaps lie at the wall again.
    pub tacked: Vec<LumenChange>,
    /// Walls that burst, with the radius there, mm.
    pub ruptures: Vec<(VesselPlace, f64)>,
    /// Pieces of plaque: where, diameter mm.
    pub debris: Vec<(VesselPlace, f64)>,
    /// Stents that the blood carries away: index, diameter mm, where.
    pub adrift: Vec<(usize, f64, VesselPlace)>,
    /// Free bodies that snares have taken out of the blood.
    pub caught: Vec<u32>,
}

impl DilationModel {
    /// Of an anatomy and the network that was compiled from its healthy tree.
    pub fn compile(
        tree: &VesselTree,
        healthy: &VesselTree,
        lesions: &[crate::anatomy::LesionDescription],
        net: &Network,
    ) -> Self {
        let area = |cell: usize| {
            let place = net.place_of(cell);
            let radius =
                |t: &VesselTree| t.branches.get(place.vessel.idx()).map(|b| b.at(place.arc_mm).radius_mm);
            match (radius(tree), radius(healthy)) {
                (Some(built), Some(healthy)) => (built / healthy.max(1e-6)).powi(2).min(1.0),
                _ => 1.0,
            }
        };
        Self {
            vessels: VesselModel::compile(tree, healthy.clone(), lesions, net),
            built_area: (0..net.cells()).map(area).collect(),
        }
    }
}

/// A balloon in its vessel.
struct Around<'a> {
    sites: &'a [Site],
    tissues: Vec<Option<(Tissue, f64, f64)>>,
    supports: Vec<Vec<Support>>,
}

impl Surroundings for Around<'_> {
    fn pressure_n_per_mm2(&self, i: usize, r_mm: f64) -> f64 {
        let opening: f64 = self.supports[i].iter().map(|s| s.opening_n_per_mm2(r_mm)).sum();
        let Some((tissue, set_mm, _)) = self.tissues[i].filter(|t| r_mm > t.2) else { return opening };
        let pushed: f64 = self.supports[i].iter().map(|s| s.pressures_n_per_mm2(r_mm).0).sum();
        (tissue.balance_n_per_mm2(r_mm, set_mm) - pushed).max(0.0) + opening
    }

    fn rigid_mm(&self, i: usize) -> f64 {
        self.sites[i].bore_mm
    }
}

impl DilationState {
    /// Nothing opened yet.
    pub fn new(seed: u64) -> Self {
        Self {
            inflators: Vec::new(),
            segments: Vec::new(),
            stents: Vec::new(),
            spent: Vec::new(),
            widening: Widening::default(),
            collider: Widening::default(),
            out: Vec::new(),
            changes: Vec::new(),
            spills: Vec::new(),
            debris: 0.0,
            presses: Vec::new(),
            passages: Vec::new(),
            boring: Vec::new(),
            looped: Vec::new(),
            is_moving: false,
            rng: stream(seed, Stream::Dilation),
        }
    }

    /// The same with the occlusions of a patient.
    pub fn of(seed: u64, model: &DilationModel) -> Self {
        Self { passages: model.vessels.passages(), ..Self::new(seed) }
    }

    /// The inflator of a device, made when it is first used.
    fn inflator(&mut self, tools: &[Device], tool: ToolId) -> Result<&mut Inflator, String> {
        let device = tools.get(tool.idx()).ok_or_else(|| "there is no such device".to_owned())?;
        let balloon = device.balloon.as_ref().ok_or_else(|| format!("{} has no balloon", device.label))?;
        if let Some(i) = self.inflators.iter().position(|(t, _)| *t == tool) {
            return Ok(&mut self.inflators[i].1);
        }
        let at_atm = balloon.burst_atm.0 + balloon.burst_atm.1 * normal(&mut self.rng);
        self.inflators.push((tool, Inflator::new(balloon, at_atm.max(0.5 * balloon.rated_atm))));
        let last = self.inflators.len() - 1;
        Ok(&mut self.inflators[last].1)
    }

    /// The hand follows the gauge to a pressure; below 0 it draws back.
    ///
    /// # Errors
    /// When the device has no balloon, or it has burst.
    pub fn set_pressure(&mut self, tools: &[Device], tool: ToolId, atm: f64) -> Result<(), String> {
        let inflator = self.inflator(tools, tool)?;
        if inflator.is_burst && atm > 0.0 {
            return Err("the balloon has burst and holds no pressure".to_owned());
        }
        inflator.drive = Drive::Pressure(atm.clamp(SUCTION_ATM, MOST_ATM));
        Ok(())
    }

    /// Turns the handle of the inflator.
    ///
    /// # Errors
    /// As [`DilationState::set_pressure`].
    pub fn turn(&mut self, tools: &[Device], tool: ToolId, turns: f64) -> Result<(), String> {
        let inflator = self.inflator(tools, tool)?;
        if inflator.is_burst {
            return Err("the balloon has burst and holds no pressure".to_owned());
        }
        inflator.turn(turns.clamp(-20.0, 20.0));
        Ok(())
    }

    /// A device was taken off: what is on the table is a new one.
    pub fn forget(&mut self, tool: ToolId) {
        self.inflators.retain(|(t, _)| *t != tool);
        self.spent.retain(|t| *t != tool);
        self.out.retain(|t| *t != tool);
        self.stents.retain(|s| s.tool != tool || s.phase != stent::Phase::Opening);
    }

    /// Radius of the lumen at a place now, mm.
    pub fn radius_mm(&self, tree: &VesselTree, place: VesselPlace) -> f64 {
        tree.branch(place.vessel).at(place.arc_mm).radius_mm + self.widening.at(&place)
    }

    /// Nothing to do, and nothing has been done.
    pub fn is_untouched(&self) -> bool {
        self.inflators.is_empty()
            && self.segments.is_empty()
            && self.stents.is_empty()
            && self.passages.is_empty()
    }

    /// What closes vessels now.
    pub fn plugs(&self) -> Vec<Plug> {
        self.passages.iter().map(|p| p.plug).filter(|p| !p.is_passed()).collect()
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// Advances the stage by `dt_s`.
pub fn advance(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    stenosis_open: &mut [f64],
    dt_s: f64,
    events: &mut Vec<EventKind>,
) -> Outcome {
    let mut outcome = Outcome::default();
    deploy::strip(inputs, state, &mut outcome, events);
    if state.is_untouched() {
        return outcome;
    }
    deploy::advance(inputs, state, dt_s, events);
    retrieve::advance(inputs, state, &mut outcome, events);
    let supports = supports(inputs, state);
    let mut presses = Vec::new();
    let mut inflators = std::mem::take(&mut state.inflators);
    let mut was_up = false;
    for (tool, inflator) in &mut inflators {
        was_up |= inflator.balloon_atm > 1.0;
        inflate(inputs, state, (*tool, inflator), &supports, &mut presses, dt_s, events);
    }
    state.inflators = inflators;
    occlusion::advance(inputs, state, dt_s, &mut outcome, events);
    occlusion::press(inputs, state, &mut presses);
    for p in &presses {
        vessel::cover(&mut state.segments, &mut state.rng, inputs.ground.tree, p.vessel, (p.knot, p.knot));
    }
    deploy::dilate_stents(state, inputs.ground.tools, &presses);
    if !presses.is_empty() || state.is_moving || was_up {
        let acting = (presses.as_slice(), supports.as_slice());
        move_walls(inputs, state, acting, stenosis_open, dt_s, &mut outcome, events);
    }
    tack(state, &presses, &mut outcome);
    let tree = inputs.ground.tree;
    let mut stents = std::mem::take(&mut state.stents);
    for (i, placed) in stents.iter_mut().enumerate() {
        let Some(spec) = stent::of(inputs.ground.tools, placed.tool) else { continue };
        let wall_mm = |place: VesselPlace| state.radius_mm(tree, place);
        placed.follow(spec, &wall_mm);
        if let Some(slipped) = deploy::slip(i, placed, spec, &wall_mm, dt_s) {
            outcome.adrift.push(slipped);
        }
    }
    state.stents = stents;
    if presses.is_empty() && state.debris >= 1.0 {
        shed_debris(state, &mut outcome);
    }
    state.presses = presses;
    outcome
}

/// What all stents do to the knots.
fn supports(inputs: &DilationInputs<'_>, state: &DilationState) -> Vec<Support> {
    let mut out = Vec::new();
    for placed in &state.stents {
        if let Some(spec) = stent::of(inputs.ground.tools, placed.tool) {
            placed.supports(spec, &mut out);
        }
    }
    out
}

/// Advances one balloon: shape against its surroundings, what it presses on, whether it bursts.
fn inflate(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    (tool, inflator): (ToolId, &mut Inflator),
    supports: &[Support],
    presses: &mut Vec<Press>,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let Some(spec) = inputs.ground.tools.get(tool.idx()).and_then(|d| d.balloon.as_ref()) else { return };
    if inflator.is_idle(spec) {
        finish(inputs, (tool, inflator, spec), events);
        return;
    }
    let Some((rod, index, _)) = crate::sim::wiring::find_tool(inputs.rods, tool) else { return };
    let count = inflator.radius_mm.len();
    let sites = mount::sites(&inputs.ground, inputs.rods, (rod, index), spec.from_tip_mm, count, STEP_MM);
    let around = around(inputs, state, &sites, supports);
    inflator.advance(spec, &around, dt_s);
    let calcium = sites
        .iter()
        .filter_map(|s| s.place)
        .map(|p| inputs.model.vessels.span_at(p.vessel, p.arc_mm).map_or(0.0, |s| s.calcium));
    let calcium = calcium.fold(0.0, f64::max);
    if !inflator.is_burst && inflator.balloon_atm > inflator.bursts_at_atm - CALCIUM_BURST_ATM * calcium {
        inflator.is_burst = true;
        events.push(EventKind::BalloonBurst { tool, atm: inflator.balloon_atm });
        if let Some(place) = sites[count / 2].place {
            state.spills.push((place, inflator.volume_ml));
        }
        inflator.drive = Drive::Pressure(SUCTION_ATM);
        inflator.gauge_atm = 0.0;
        inflator.balloon_atm = 0.0;
    }
    press(inputs, state, &sites, &inflator.radius_mm, presses);
    deploy::open_by_balloon(inputs, state, tool, &sites, inflator, events);
    if inflator.balloon_atm < 1.0 {
        finish(inputs, (tool, inflator, spec), events);
    }
}

/// Tells of an inflation that has ended.
fn finish(
    inputs: &DilationInputs<'_>,
    (tool, inflator, spec): (ToolId, &mut Inflator, &Balloon),
    events: &mut Vec<EventKind>,
) {
    if inflator.peak_atm <= 1.0 || inflator.gauge_atm > 0.0 {
        return;
    }
    let found = crate::sim::wiring::find_tool(inputs.rods, tool);
    let count = inflator.radius_mm.len();
    let sites = found.map_or_else(Vec::new, |(rod, index, _)| {
        mount::sites(&inputs.ground, inputs.rods, (rod, index), spec.from_tip_mm, count, STEP_MM)
    });
    let at = sites.get(count / 2).and_then(|s| s.place);
    let healthy = |p: VesselPlace| 2.0 * inputs.model.vessels.healthy.branch(p.vessel).at(p.arc_mm).radius_mm;
    let narrowest_mm = sites.iter().filter_map(|s| s.place).map(healthy).reduce(f64::min);
    events.push(EventKind::Inflated {
        tool,
        at,
        peak_atm: inflator.peak_atm,
        for_s: inflator.up_s,
        balloon_to_vessel: narrowest_mm.map_or(0.0, |d| spec.diameter_at_mm(inflator.peak_atm) / d),
        stretches: mount::stretches(sites.iter().filter_map(|s| s.place)),
    });
    (inflator.peak_atm, inflator.up_s) = (0.0, 0.0);
}

fn around<'a>(
    inputs: &DilationInputs<'_>,
    state: &DilationState,
    sites: &'a [Site],
    supports: &[Support],
) -> Around<'a> {
    let tree = inputs.ground.tree;
    let tissue = |site: &Site| {
        let place = site.place?;
        let knot = knot_at(place.arc_mm);
        let tissue = inputs.model.vessels.tissue(tree, place.vessel, arc_of(knot));
        let segment = state.segments.iter().find(|s| s.vessel == place.vessel);
        let set_mm = segment.and_then(|s| s.knot(knot)).map_or(tissue.built_mm, |k| k.set_mm);
        Some((tissue, set_mm, tissue.unloaded_mm(set_mm)))
    };
    let stents = |site: &Site| {
        let Some(place) = site.place else { return Vec::new() };
        let here = |s: &&Support| s.vessel == place.vessel && s.knot == knot_at(place.arc_mm);
        supports.iter().filter(here).copied().collect()
    };
    Around {
        sites,
        tissues: sites.iter().map(tissue).collect(),
        supports: sites.iter().map(stents).collect(),
    }
}

/// The knots that a balloon's cylinder stands at.
fn press(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    sites: &[Site],
    radius_mm: &[f64],
    presses: &mut Vec<Press>,
) {
    let tree = inputs.ground.tree;
    for (pair, radii) in sites.windows(2).zip(radius_mm.windows(2)) {
        let [Some(a), Some(b)] = [pair[0].place, pair[1].place] else { continue };
        if a.vessel != b.vessel || radii.iter().all(|r| *r <= 0.0) {
            continue;
        }
        let (lo, hi) = (a.arc_mm.min(b.arc_mm), a.arc_mm.max(b.arc_mm));
        let (from, to) = (lo.max(0.0).round() as u32, hi.max(0.0).round() as u32);
        let wide_enough = (from..=to).any(|k| {
            let built_mm = tree.branch(a.vessel).at(arc_of(k)).radius_mm;
            radii[0].max(radii[1]) > built_mm || state.segments.iter().any(|s| s.vessel == a.vessel)
        });
        if !wide_enough {
            continue;
        }
        vessel::cover(&mut state.segments, &mut state.rng, tree, a.vessel, (from, to));
        for knot in from..=to {
            let t = (arc_of(knot) - a.arc_mm) / (b.arc_mm - a.arc_mm + 1e-12);
            let radius_mm = radii[0] + t.clamp(0.0, 1.0) * (radii[1] - radii[0]);
            presses.push(Press { vessel: a.vessel, knot, radius_mm });
        }
    }
}

/// Walls follow what presses on them and what supports them; the field and the lumens follow the walls.
fn move_walls(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    (presses, supports): (&[Press], &[Support]),
    stenosis_open: &mut [f64],
    dt_s: f64,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    let (model, tree) = (&inputs.model.vessels, inputs.ground.tree);
    let (harm, is_moving) = vessel::advance(model, tree, &mut state.segments, presses, supports, dt_s);
    state.is_moving = is_moving;
    state.debris = (state.debris + DEBRIS_PER_MM3 * harm.loose_mm3).min(MOST_DEBRIS);
    events.extend(harm.torn.into_iter().map(EventKind::Tear));
    outcome.flaps.extend(harm.flaps);
    for place in harm.ruptures {
        events.push(EventKind::Rupture(place));
        outcome.ruptures.push((place, state.radius_mm(tree, place)));
    }
    state.widening = vessel::widening(tree, &state.segments);
    vessel::lumen(model, tree, &state.segments, &mut state.changes, stenosis_open);
    deploy::close_branches(inputs, state);
}

/// Flaps that a stent covers, or that a balloon has held for long enough, lie at the wall again.
fn tack(state: &DilationState, presses: &[Press], outcome: &mut Outcome) {
    let stretch = |vessel, from_mm, to_mm| LumenChange {
        cause: crate::sim::flow::LumenCause::Dissection,
        vessel,
        from_mm,
        to_mm,
        radius_factor: 1.0,
    };
    for placed in state.stents.iter().filter(|s| s.phase == stent::Phase::Placed) {
        outcome.tacked.extend(placed.stretches().into_iter().map(|(v, a, b)| stretch(v, a, b)));
    }
    if state.inflators.iter().any(|(_, i)| i.up_s > TACK_S) {
        outcome.tacked.extend(presses.iter().map(|p| {
            let at = arc_of(p.knot);
            stretch(p.vessel, at - 0.5, at + 0.5)
        }));
    }
}

/// Plaque that has come off goes with the blood.
fn shed_debris(state: &mut DilationState, outcome: &mut Outcome) {
    let Some(segment) = state.segments.last() else { return };
    let middle = segment.first + segment.knots.len() as u32 / 2;
    let place = VesselPlace { vessel: segment.vessel, arc_mm: arc_of(middle) };
    for _ in 0..state.debris as usize {
        let share = uniform(&mut state.rng);
        let diameter_mm = DEBRIS_MM.0 * (DEBRIS_MM.1 / DEBRIS_MM.0).powf(share);
        outcome.debris.push((place, diameter_mm));
    }
    state.debris = 0.0;
}

/// Whether an inflated balloon holds its catheter, and why, for a hand that would move it.
pub fn holds(state: &DilationState, tools: &[Device], tool: ToolId) -> Option<String> {
    let (_, inflator) = state.inflators.iter().find(|(t, _)| *t == tool)?;
    let device = tools.get(tool.idx())?;
    let spec = device.balloon.as_ref()?;
    let film_atm =
        spec.pressure_at_atm(2.0 * inflator.radius_mm.iter().copied().fold(f64::INFINITY, f64::min));
    let on_wall_atm = inflator.balloon_atm - film_atm;
    (on_wall_atm > GRIP_ATM).then(|| {
        format!(
            "{} is inflated to {:.1} atm and holds in the vessel; deflate it first (0 atm)",
            device.label, inflator.balloon_atm
        )
    })
}
