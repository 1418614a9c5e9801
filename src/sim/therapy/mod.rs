//! Stage: particle embolization. Particles that the flow brought to a bed or a leak lodge by size; what they block
//! raises the resistance that the flow meets in the next tick. Nothing else makes stasis, reflux or hemostasis.

mod bed;
mod leak;

use serde::{Deserialize, Serialize};

use crate::device::Embolic;
use crate::math::hash::StateHasher;
use crate::sim::contrast::{ContrastModel, ContrastScratch, Species};
use crate::sim::event::EventKind;
use crate::sim::flow::{FlowState, Network};

pub use bed::{BedTree, Generation, lodging_share};
pub use leak::{LeakPath, LeakPaths};

/// Beds as generations, and which particles lodge where; immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct TherapyModel {
    /// Per outlet of the network.
    pub beds: Vec<BedTree>,
    /// Per outlet: index of its bed.
    pub bed_of_outlet: Vec<u32>,
    /// Ids of the embolics.
    pub embolics: Vec<String>,
    /// Species of the contrast stage.
    pub species: Vec<Species>,
    /// Smallest and largest diameter of each species, mm (iodine: zeros).
    pub sizes_mm: Vec<(f64, f64)>,
    /// Per species and outlet: share of the particles that lodge in each generation, `[species][outlet][generation]`.
    pub lodging: Vec<Vec<Vec<f64>>>,
    /// The rule itself; false lets every particle pass (a test holds that the case is then not won).
    pub lodging_enabled: bool,
}

/// Account of one outlet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutletLedger {
    /// Particles that arrived, per species.
    pub arrived: Vec<f64>,
    /// Particles that lodged, per species.
    pub lodged: Vec<f64>,
    /// Particles that went through to the veins, per species.
    pub passed: Vec<f64>,
    /// Particles that lodged, per generation.
    pub by_generation: Vec<f64>,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TherapyState {
    /// Per outlet.
    pub outlets: Vec<OutletLedger>,
    /// Per outlet: resistance of its bed per resistance at rest.
    pub bed_resistance_factor: Vec<f64>,
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
        let beds: Vec<BedTree> = net.outlets.iter().map(|o| BedTree::murray(o.diameter_mm)).collect();
        let sizes_mm: Vec<(f64, f64)> = contrast
            .species
            .iter()
            .map(|s| match s {
                Species::Iodine => (0.0, 0.0),
                Species::Particle { embolic, class, .. } => {
                    let c = &embolics[*embolic].size_classes[*class];
                    (c.min_mm, c.max_mm)
                }
            })
            .collect();
        let lodging = sizes_mm
            .iter()
            .map(|&(min, max)| {
                beds.iter().map(|bed| if max > 0.0 { bed.lodging(min, max) } else { Vec::new() }).collect()
            })
            .collect();
        Self {
            bed_of_outlet: net.outlets.iter().map(|o| o.bed).collect(),
            beds,
            embolics: embolics.iter().map(|e| e.id.clone()).collect(),
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
            by_generation: vec![0.0; bed.generations.len()],
        };
        let leaks: Vec<LeakPaths> =
            net.leaks.iter().map(|l| LeakPaths::new(l.stated_flow_ml_per_s)).collect();
        Self {
            outlets: model.beds.iter().map(outlet).collect(),
            bed_resistance_factor: vec![1.0; model.beds.len()],
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

    /// Share of the conductance of an outlet's bed that is blocked, 0 to 1.
    pub fn occluded_share(&self, outlet: usize) -> f64 {
        1.0 - 1.0 / self.bed_resistance_factor[outlet]
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        self.bed_resistance_factor.iter().chain(&self.leak_open_share).all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// Lodges what arrived in this tick.
pub fn advance(
    model: &TherapyModel,
    flow: &FlowState,
    state: &mut TherapyState,
    arrivals: &ContrastScratch,
    events: &mut Vec<EventKind>,
) {
    let outlets = state.outlets.len();
    for species in 1..model.species.len() {
        for o in 0..outlets {
            let count = arrivals.bed_arrivals.get(species * outlets + o).copied().unwrap_or(0.0);
            if count > 0.0 {
                arrive(model, state, species, o, count, events);
            }
        }
    }
    lodge_in_leaks(model, flow, state, arrivals);
}

fn arrive(
    model: &TherapyModel,
    state: &mut TherapyState,
    species: usize,
    outlet: usize,
    count: f64,
    events: &mut Vec<EventKind>,
) {
    let ledger = &mut state.outlets[outlet];
    ledger.arrived[species] += count;
    if !model.lodging_enabled {
        ledger.passed[species] += count;
        return;
    }
    let mut lodged = 0.0;
    for (g, share) in model.lodging[species][outlet].iter().enumerate() {
        ledger.by_generation[g] += share * count;
        lodged += share * count;
    }
    ledger.lodged[species] += lodged;
    ledger.passed[species] += count - lodged;
    state.bed_resistance_factor[outlet] = model.beds[outlet].resistance_factor(&ledger.by_generation);
    let Species::Particle { embolic, .. } = model.species[species] else { return };
    let key = (model.bed_of_outlet[outlet], embolic as u32);
    let total: f64 = state.of_embolic(model, embolic, &state.outlets[outlet].lodged);
    if total >= 1.0 && !state.told.contains(&key) {
        state.told.push(key);
        events.push(EventKind::Lodged { bed: key.0, agent: model.embolics[embolic].clone() });
    }
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
    for species in 1..model.species.len() {
        for i in 0..leaks {
            let count = arrivals.leak_arrivals.get(species * leaks + i).copied().unwrap_or(0.0);
            if count > 0.0 && model.lodging_enabled {
                state.leaks[i].arrive(count, model.sizes_mm[species]);
                state.leak_open_share[i] = state.leaks[i].open_share();
            }
        }
    }
}
