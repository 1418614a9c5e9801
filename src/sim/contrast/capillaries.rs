//! Beyond the vessels: beds as chains of compartments, anastomoses between them, veins, pools, dissolving gas.

use super::state::{BED_STAGES, ContrastModel, ContrastState, Species, VEIN_STAGES};
use super::transport::TRACE;
use crate::sim::flow::{FlowState, NONE, Network, OutletModel};

/// Volume of one compartment of a bed, mL: resting flow times transit time over the number of compartments.
pub(super) fn stage_volume_ml(outlet: &OutletModel) -> f64 {
    outlet.resting_flow_ml_per_s * outlet.transit_s / BED_STAGES as f64
}

/// Transit through beds (compartments emptied at the rate of the present flow) and veins; pools; gas.
pub(super) fn advance(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    dt_s: f64,
) {
    pass_nodes(net, flow, state, dt_s);
    let mut to_veins = 0.0;
    for (o, outlet) in net.outlets.iter().enumerate() {
        let rate = flow.capillary_flow_ml_per_s[o].max(0.0) / stage_volume_ml(outlet);
        let out = drain(&mut state.bed_iodine_mg[o][1..], rate * dt_s);
        if outlet.vein == NONE {
            to_veins += out;
        } else if out > 0.0 {
            state.amount[0][outlet.vein as usize] += out;
            state.present[0] = true;
        }
    }
    let rate = VEIN_STAGES as f64 / model.vein_transit_s;
    state.left[0] += drain(&mut state.vein_iodine_mg, rate * dt_s);
    state.vein_iodine_mg[0] += to_veins;
    pools(model, flow, state, dt_s);
    dissolve(model, state, dt_s);
}

/// The first compartment of a bed is mixed by all that meets at its node: what leaves it goes on into its own
/// arterioles and through anastomoses into the first compartment of other beds, in proportion to the flows.
fn pass_nodes(net: &Network, flow: &FlowState, state: &mut ContrastState, dt_s: f64) {
    // Small networks: a list of what crosses, applied after all have been read.
    let mut crossing: Vec<(usize, f64)> = Vec::new();
    for (o, outlet) in net.outlets.iter().enumerate() {
        let held = state.bed_iodine_mg[o][0];
        if held <= 0.0 {
            continue;
        }
        let on = flow.capillary_flow_ml_per_s[o].max(0.0);
        let mut out = on;
        for (a, q) in net.anastomoses.iter().zip(&flow.anastomosis_flow_ml_per_s) {
            out += leaving(a.outlets, o, *q).map_or(0.0, |(_, q)| q);
        }
        let share = -(-out * dt_s / stage_volume_ml(outlet)).exp_m1();
        let moved = if held < TRACE { held } else { held * share };
        let mut onward = moved;
        for (a, q) in net.anastomoses.iter().zip(&flow.anastomosis_flow_ml_per_s) {
            if let Some((to, q)) = leaving(a.outlets, o, *q) {
                let part = moved * (q / out);
                crossing.push((to, part));
                onward -= part;
            }
        }
        state.bed_iodine_mg[o][0] -= moved;
        state.bed_iodine_mg[o][1] += onward;
    }
    for (to, amount) in crossing {
        state.bed_iodine_mg[to][0] += amount;
    }
}

/// Where an anastomosis leads from an outlet and how much flows there, if it flows that way.
pub(crate) fn leaving(outlets: [u32; 2], from: usize, flow_ml_per_s: f64) -> Option<(usize, f64)> {
    let [a, b] = outlets.map(|o| o as usize);
    if a == from && flow_ml_per_s > 0.0 {
        Some((b, flow_ml_per_s))
    } else if b == from && flow_ml_per_s < 0.0 {
        Some((a, -flow_ml_per_s))
    } else {
        None
    }
}

/// Empties a chain of compartments into the next by `1 - exp(-x)`; returns what leaves the last.
fn drain(chain: &mut [f64], x: f64) -> f64 {
    let share = -(-x).exp_m1();
    let mut out = 0.0;
    for i in (0..chain.len()).rev() {
        let moved = if chain[i] < TRACE { chain[i] } else { chain[i] * share };
        chain[i] -= moved;
        match chain.get_mut(i + 1) {
            Some(next) => *next += moved,
            None => out = moved,
        }
    }
    out
}

/// Pools grow with the leak, spread, and lose contrast slowly to the veins.
fn pools(model: &ContrastModel, flow: &FlowState, state: &mut ContrastState, dt_s: f64) {
    let share = -(-dt_s * std::f64::consts::LN_2 / model.pool_half_life_s).exp_m1();
    for (pool, leak) in state.pools.iter_mut().zip(&flow.leak_flow_ml_per_s) {
        let lost = leak.max(0.0) * dt_s;
        pool.lost_ml += lost;
        pool.volume_ml += lost - dt_s / model.pool_spread_s * (pool.volume_ml - 0.5).max(0.0);
        let back = pool.iodine_mg * share;
        pool.iodine_mg -= back;
        state.vein_iodine_mg[0] += back;
    }
}

/// Carbon dioxide goes into solution and is breathed out: first order.
fn dissolve(model: &ContrastModel, state: &mut ContrastState, dt_s: f64) {
    let share = -(-dt_s * std::f64::consts::LN_2 / model.gas_half_life_s).exp_m1();
    for (index, species) in model.species.iter().enumerate() {
        if *species != Species::Gas || !state.present[index] {
            continue;
        }
        for m in &mut state.amount[index] {
            let gone = *m * share;
            *m -= gone;
            state.left[index] += gone;
        }
    }
}
