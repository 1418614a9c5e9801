//! Stage: particle embolization. Particles that the flow brought to a bed or a leak lodge by size; what they block
//! raises the resistance that the flow meets in the next tick. Nothing else makes stasis, reflux or hemostasis.

mod bed;
mod leak;
mod lodge;

use serde::{Deserialize, Serialize};

use crate::anatomy::organ_of;
use crate::device::Embolic;
use crate::math::hash::StateHasher;
use crate::sim::contrast::{ContrastModel, ContrastScratch, Species};
use crate::sim::event::EventKind;
use crate::sim::flow::{FlowState, Network, OutletModel};

use bed::lodging_share_of_class;
pub use bed::{BedTree, Generation, lodging_share};
pub use leak::{LeakPath, LeakPaths};

/// Critical share of the resting flow of tissue that is not among the organs `[K]`.
const CRITICAL_FLOW_SHARE: f64 = 0.2;

/// Size of three particles that stick together over that of one: the ball of their volume.
const CLUMP_SCALE: f64 = 1.442;

/// Beds as generations, and which particles lodge where; immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct TherapyModel {
    /// Per outlet of the network.
    pub beds: Vec<BedTree>,
    /// Per outlet: index of its bed.
    pub bed_of_outlet: Vec<u32>,
    /// Ids of the embolics.
    pub embolics: Vec<String>,
    /// Per embolic: share of what has lodged that dissolves in a second; 0 for permanent ones.
    pub dissolves_per_s: Vec<f64>,
    /// Species of the contrast stage.
    pub species: Vec<Species>,
    /// Smallest and largest diameter of each species, mm (iodine: zeros).
    pub sizes_mm: Vec<(f64, f64)>,
    /// Per species and outlet: share of the particles that lodge in each generation, `[species][outlet][generation]`.
    pub lodging: Vec<Vec<Vec<f64>>>,
    /// Per outlet: first generation behind the node of its anastomoses; the number of generations without.
    pub node: Vec<usize>,
    /// Per outlet: share of its resistance before that node.
    pub near_share: Vec<f64>,
    /// Per outlet: share of its resting flow at which all of its tissue still lives.
    pub critical_flow_share: Vec<f64>,
    /// Per species and anastomosis: what becomes of the particles that come to its mouth.
    pub anastomosis_lodging: Vec<Vec<Passage>>,
    /// The rule itself; false lets every particle pass (a test holds that the case is then not won).
    pub lodging_enabled: bool,
}

/// Share of particles that lodge in a fine vessel and that go through; the rest is larger and does not enter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Passage {
    /// Stick in it.
    pub lodge: f64,
    /// Go through.
    pub pass: f64,
}

/// Account of one outlet: arrived = lodged + passed + crossed + lodged between.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutletLedger {
    /// Particles that arrived, per species.
    pub arrived: Vec<f64>,
    /// Particles that lodged, per species.
    pub lodged: Vec<f64>,
    /// Particles that went through to the veins, per species.
    pub passed: Vec<f64>,
    /// Particles that went through an anastomosis into another bed, per species.
    pub crossed: Vec<f64>,
    /// Particles that stuck in an anastomosis, per species.
    pub lodged_between: Vec<f64>,
    /// Particles that lie in each generation now.
    pub by_generation: Vec<f64>,
    /// Of these, what dissolves: per embolic, empty until some has lodged.
    pub soluble: Vec<Vec<f64>>,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TherapyState {
    /// Per outlet.
    pub outlets: Vec<OutletLedger>,
    /// Per outlet: resistance of its bed per resistance at rest, before and behind the node of its anastomoses.
    pub bed_resistance_factor: Vec<[f64; 2]>,
    /// Particles stuck in each anastomosis.
    pub anastomoses: Vec<f64>,
    /// Per anastomosis: share of its conductance still open.
    pub anastomosis_open_share: Vec<f64>,
    /// Per leak.
    pub leaks: Vec<LeakPaths>,
    /// Per leak: share of its conductance still open.
    pub leak_open_share: Vec<f64>,
    /// Bed and embolic for which `Lodged` was told.
    told: Vec<(u32, u32)>,
}

impl TherapyModel {
    /// Generations of every bed and the lodging shares of every size class.
    pub fn compile(net: &Network, contrast: &ContrastModel, embolics: &[Embolic]) -> Self {
        let bed = |o: &OutletModel| {
            if o.channel_mm > 0.0 {
                BedTree::channels(o.diameter_mm, o.channel_mm)
            } else {
                BedTree::murray(o.diameter_mm)
            }
        };
        let beds: Vec<BedTree> = net.outlets.iter().map(bed).collect();
        let sizes_mm: Vec<(f64, f64)> = contrast
            .species
            .iter()
            .map(|s| match s {
                Species::Iodine | Species::Gas => (0.0, 0.0),
                Species::Particle { embolic, class, clump, .. } => {
                    let c = &embolics[*embolic].size_classes[*class];
                    let scale = if *clump { CLUMP_SCALE } else { 1.0 };
                    (scale * c.min_mm, scale * c.max_mm)
                }
            })
            .collect();
        let lodging = sizes_mm
            .iter()
            .map(|&(min, max)| {
                beds.iter().map(|bed| if max > 0.0 { bed.lodging(min, max) } else { Vec::new() }).collect()
            })
            .collect();
        let node =
            net.outlets.iter().zip(&beds).map(|(o, bed)| bed.node_generation(o.anastomosis_mm)).collect();
        let near = |o: &OutletModel| {
            o.node_share * o.proximal_mmhg_s_per_ml / (o.proximal_mmhg_s_per_ml + o.distal_mmhg_s_per_ml)
        };
        let critical = |o: &OutletModel| {
            organ_of(&net.beds[o.bed as usize].name)
                .map_or(CRITICAL_FLOW_SHARE, |organ| organ.critical_flow_share)
        };
        Self {
            node,
            critical_flow_share: net.outlets.iter().map(critical).collect(),
            near_share: net.outlets.iter().map(near).collect(),
            anastomosis_lodging: passages(net, &sizes_mm),
            bed_of_outlet: net.outlets.iter().map(|o| o.bed).collect(),
            beds,
            embolics: embolics.iter().map(|e| e.id.clone()).collect(),
            dissolves_per_s: embolics
                .iter()
                .map(|e| e.dissolves_half_life_h.map_or(0.0, |h| std::f64::consts::LN_2 / (3600.0 * h)))
                .collect(),
            species: contrast.species.clone(),
            sizes_mm,
            lodging,
            lodging_enabled: true,
        }
    }
}

impl TherapyState {
    /// Nothing done yet.
    pub fn new(net: &Network, model: &TherapyModel) -> Self {
        let species = model.species.len();
        let outlet = |bed: &BedTree| OutletLedger {
            arrived: vec![0.0; species],
            lodged: vec![0.0; species],
            passed: vec![0.0; species],
            crossed: vec![0.0; species],
            lodged_between: vec![0.0; species],
            by_generation: vec![0.0; bed.generations.len()],
            soluble: vec![Vec::new(); model.embolics.len()],
        };
        let leaks: Vec<LeakPaths> =
            net.leaks.iter().map(|l| LeakPaths::new(l.stated_flow_ml_per_s)).collect();
        Self {
            outlets: model.beds.iter().map(outlet).collect(),
            bed_resistance_factor: vec![[1.0; 2]; model.beds.len()],
            anastomoses: vec![0.0; net.anastomoses.len()],
            anastomosis_open_share: vec![1.0; net.anastomoses.len()],
            leak_open_share: vec![1.0; leaks.len()],
            leaks,
            told: Vec::new(),
        }
    }

    /// Particles lodged in these outlets, by embolic: id and count; embolics that are not there are left out.
    pub fn lodged_in(&self, model: &TherapyModel, outlets: &[u32]) -> Vec<(String, f64)> {
        let mut out = Vec::new();
        for (e, id) in model.embolics.iter().enumerate() {
            let count: f64 =
                outlets.iter().map(|&o| self.of_embolic(model, e, &self.outlets[o as usize].lodged)).sum();
            if count > 0.0 {
                out.push((id.clone(), count));
            }
        }
        out
    }

    /// Sum of a per-species list over the classes of an embolic.
    fn of_embolic(&self, model: &TherapyModel, embolic: usize, counts: &[f64]) -> f64 {
        let own = |s: &Species| matches!(s, Species::Particle { embolic: e, .. } if *e == embolic);
        model.species.iter().zip(counts).filter(|(s, _)| own(s)).map(|(_, c)| c).sum()
    }

    /// Present resistance of an outlet's bed, from its vessel to the veins, per resistance at rest.
    pub fn resistance_factor(&self, model: &TherapyModel, outlet: usize) -> f64 {
        let [near, far] = self.bed_resistance_factor[outlet];
        let share = model.near_share[outlet];
        share * near + (1.0 - share) * far
    }

    /// Share of the conductance of an outlet's bed that is blocked, 0 to 1.
    pub fn occluded_share(&self, model: &TherapyModel, outlet: usize) -> f64 {
        1.0 - 1.0 / self.resistance_factor(model, outlet)
    }

    /// Share of an outlet's tissue without blood, 0 to 1: what lies behind packed vessels, or what a flow below the critical
    /// share of that at rest leaves over.
    pub fn ischemic_share(
        &self,
        net: &Network,
        model: &TherapyModel,
        flow: &FlowState,
        outlet: usize,
    ) -> f64 {
        let reached = model.beds[outlet].reached_share(&self.outlets[outlet].by_generation);
        let needed = model.critical_flow_share[outlet] * net.outlets[outlet].resting_flow_ml_per_s;
        let supplied = flow.mean_capillary_flow_ml_per_s[outlet].max(0.0) / needed.max(1e-12);
        1.0 - reached.min(supplied)
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        self.bed_resistance_factor.iter().flatten().chain(&self.leak_open_share).all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// What becomes of each species at the mouth of each anastomosis: what is larger than it does not enter.
fn passages(net: &Network, sizes_mm: &[(f64, f64)]) -> Vec<Vec<Passage>> {
    let passage = |(min, max): (f64, f64), diameter_mm: f64| {
        if max <= 0.0 {
            return Passage::default();
        }
        let enters = ((diameter_mm - min) / (max - min).max(1e-9)).clamp(0.0, 1.0);
        let lodge = enters * lodging_share_of_class(min, max.min(diameter_mm).max(min), diameter_mm);
        Passage { lodge, pass: enters - lodge }
    };
    let row = |sizes: &(f64, f64)| net.anastomoses.iter().map(|a| passage(*sizes, a.diameter_mm)).collect();
    sizes_mm.iter().map(row).collect()
}

/// Lodges what arrived in this tick, dissolves what does.
pub fn advance(
    net: &Network,
    model: &TherapyModel,
    flow: &FlowState,
    state: &mut TherapyState,
    arrivals: &ContrastScratch,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    lodge::dissolve(model, state, dt_s);
    let outlets = state.outlets.len();
    for (species, kind) in model.species.iter().enumerate() {
        if !matches!(kind, Species::Particle { .. }) {
            continue;
        }
        for o in 0..outlets {
            let count = arrivals.bed_arrivals.get(species * outlets + o).copied().unwrap_or(0.0);
            if count > 0.0 {
                lodge::arrive(net, model, flow, state, species, o, count, events);
            }
        }
    }
    lodge_in_leaks(model, flow, state, arrivals);
}

fn lodge_in_leaks(
    model: &TherapyModel,
    flow: &FlowState,
    state: &mut TherapyState,
    arrivals: &ContrastScratch,
) {
    for leak in flow.leaks.iter().skip(state.leaks.len()) {
        state.leaks.push(LeakPaths::new(leak.stated_flow_ml_per_s));
        state.leak_open_share.push(1.0);
    }
    let leaks = flow.leaks.len();
    for (species, kind) in model.species.iter().enumerate() {
        let lodges = model.lodging_enabled && matches!(kind, Species::Particle { .. });
        for i in 0..leaks {
            let count = arrivals.leak_arrivals.get(species * leaks + i).copied().unwrap_or(0.0);
            if count > 0.0 && lodges {
                state.leaks[i].arrive(count, model.sizes_mm[species]);
                state.leak_open_share[i] = state.leaks[i].open_share();
            }
        }
    }
}
