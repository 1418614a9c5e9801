//! Where particles that reached a bed lodge: down its generations, through its anastomoses into other beds.

use super::bed::open_share;
use super::{TherapyModel, TherapyState};
use crate::sim::contrast::{Species, leaving};
use crate::sim::event::EventKind;
use crate::sim::flow::{FlowState, Network};

/// Beds that one particle may cross: a chain of anastomoses longer than this is not followed.
const MOST_CROSSINGS: u32 = 4;

/// Particles of a species arrive from the vessel of an outlet.
pub(super) fn arrive(
    net: &Network,
    model: &TherapyModel,
    flow: &FlowState,
    state: &mut TherapyState,
    species: usize,
    outlet: usize,
    count: f64,
    events: &mut Vec<EventKind>,
) {
    if !model.lodging_enabled {
        state.outlets[outlet].arrived[species] += count;
        state.outlets[outlet].passed[species] += count;
        return;
    }
    enter(net, model, flow, state, species, outlet, count, 0);
    let Species::Particle { embolic, .. } = model.species[species] else { return };
    for o in 0..state.outlets.len() {
        let key = (model.bed_of_outlet[o], embolic as u32);
        let total: f64 = state.of_embolic(model, embolic, &state.outlets[o].lodged);
        if total >= 1.0 && !state.told.contains(&key) {
            state.told.push(key);
            events.push(EventKind::Lodged { bed: key.0, agent: model.embolics[embolic].clone() });
        }
    }
}

/// `crossings` 0: from the vessel, through all generations; otherwise from an anastomosis, from its node on.
fn enter(
    net: &Network,
    model: &TherapyModel,
    flow: &FlowState,
    state: &mut TherapyState,
    species: usize,
    outlet: usize,
    count: f64,
    crossings: u32,
) {
    let node = model.node[outlet];
    let last = model.beds[outlet].generations.len();
    state.outlets[outlet].arrived[species] += count;
    let mut moving = count;
    if crossings == 0 {
        moving = lodge(model, state, species, outlet, moving, 0..node);
    }
    let onward = flow.capillary_flow_ml_per_s[outlet].max(0.0);
    let across: Vec<(usize, usize, f64)> = net
        .anastomoses
        .iter()
        .enumerate()
        .filter_map(|(a, link)| {
            let flow = flow.anastomosis_flow_ml_per_s[a];
            leaving(link.outlets, outlet, flow).map(|(to, q)| (a, to, q))
        })
        .filter(|_| node < last && crossings < MOST_CROSSINGS)
        .collect();
    let out = onward + across.iter().map(|(_, _, q)| q).sum::<f64>();
    let arrived_at_node = moving;
    for (a, to, q) in across {
        let wanted = arrived_at_node * q / out;
        let share = model.anastomosis_lodging[species][a];
        state.anastomoses[a] += wanted * share.lodge;
        state.outlets[outlet].lodged_between[species] += wanted * share.lodge;
        let passing = wanted * share.pass;
        state.outlets[outlet].crossed[species] += passing;
        moving -= wanted * (share.lodge + share.pass);
        let link = &net.anastomoses[a];
        state.anastomosis_open_share[a] = open_share(state.anastomoses[a], link.count);
        if passing > 0.0 {
            enter(net, model, flow, state, species, to, passing, crossings + 1);
        }
    }
    moving = lodge(model, state, species, outlet, moving, node..last);
    state.outlets[outlet].passed[species] += moving;
    resist(model, state, outlet);
}

/// What lies in a bed as resistance.
fn resist(model: &TherapyModel, state: &mut TherapyState, outlet: usize) {
    let (node, last) = (model.node[outlet], model.beds[outlet].generations.len());
    let ledger = &state.outlets[outlet].by_generation;
    let bed = &model.beds[outlet];
    let near = bed.resistance_factor(ledger, 0..node);
    state.bed_resistance_factor[outlet] =
        if node < last { [near, bed.resistance_factor(ledger, node..last)] } else { [near; 2] };
}

/// Soluble particles let go by their half-life: `n' = -k n`.
pub(super) fn dissolve(model: &TherapyModel, state: &mut TherapyState, dt_s: f64) {
    for outlet in 0..state.outlets.len() {
        let ledger = &mut state.outlets[outlet];
        let mut has_changed = false;
        for (list, rate) in ledger.soluble.iter_mut().zip(&model.dissolves_per_s) {
            let share = -(-rate * dt_s).exp_m1();
            for (soluble, all) in list.iter_mut().zip(&mut ledger.by_generation) {
                let gone = share * *soluble;
                *soluble -= gone;
                *all = (*all - gone).max(0.0);
                has_changed |= gone > 0.0;
            }
        }
        if has_changed {
            resist(model, state, outlet);
        }
    }
}

/// Lodges particles in a range of generations; returns how many go on.
fn lodge(
    model: &TherapyModel,
    state: &mut TherapyState,
    species: usize,
    outlet: usize,
    count: f64,
    range: std::ops::Range<usize>,
) -> f64 {
    // Shares are of those that start at the top; of those that reach a generation it is that over what is left.
    let shares = &model.lodging[species][outlet];
    let mut reaching = 1.0 - shares[..range.start].iter().sum::<f64>();
    let mut moving = count;
    let ledger = &mut state.outlets[outlet];
    let soluble = match model.species[species] {
        Species::Particle { embolic, .. } if model.dissolves_per_s[embolic] > 0.0 => Some(embolic),
        _ => None,
    };
    if let Some(embolic) = soluble {
        ledger.soluble[embolic].resize(ledger.by_generation.len(), 0.0);
    }
    for g in range {
        let share = if reaching > 1e-9 { (shares[g] / reaching).min(1.0) } else { 1.0 };
        ledger.by_generation[g] += moving * share;
        if let Some(embolic) = soluble {
            ledger.soluble[embolic][g] += moving * share;
        }
        ledger.lodged[species] += moving * share;
        moving -= moving * share;
        reaching -= shares[g];
    }
    moving
}
