//! Advection and dispersion on cells: explicit, flux-limited, exactly conservative.

use super::reflux;
use super::state::{BED_STAGES, ContrastModel, ContrastScratch, ContrastState, Pool, Species, VEIN_STAGES};
use crate::sim::event::EventKind;
use crate::sim::flow::{BranchEnd, FlowState, NONE, Network, Source};
use crate::units::MM3_PER_ML;

/// Largest share of a cell that may flow out in a substep.
const MAX_COURANT: f64 = 0.85;
/// Largest share of a cell that may spread out in a substep.
const MAX_DIFFUSION: f64 = 0.45;
/// Amounts below this (mg, particles) are booked as gone: keeps subnormal numbers out of the cells.
const TRACE: f64 = 1e-12;

/// Advances contrast and particles by `dt_s` with the flows of this tick.
///
/// `dm/dt = -d(Q c)/dx + d(D A dc/dx)/dx + sources`, `c = m / V`: second order with van Leer's limiter (1974) along a
/// branch, upwind at junctions where flows mix; substeps keep every cell positive.
pub fn advance(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    scratch: &mut ContrastScratch,
    sources: &[Source],
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let leaks = flow.leaks.len();
    state.pools.resize(leaks, Pool { volume_ml: 0.5, ..Pool::default() });
    scratch.bed_arrivals.clear();
    scratch.bed_arrivals.resize(model.species.len() * net.outlets.len(), 0.0);
    scratch.leak_arrivals.clear();
    scratch.leak_arrivals.resize(model.species.len() * leaks, 0.0);
    scratch.start_flux.clear();
    scratch.start_flux.resize(net.branches.len(), [0.0; 2]);
    locate(net, scratch, sources);
    let any_source = !scratch.source_cells.is_empty();
    if any_source || state.present.contains(&true) || state.bed_iodine_mg.iter().any(|b| b[0] > 0.0) {
        carry(net, model, flow, state, scratch, sources, dt_s);
    }
    beds_and_veins(net, model, flow, state, dt_s);
    pools(model, flow, state, dt_s);
    reflux::watch(net, state, scratch, sources, dt_s, events);
}

/// Cells of the sources; one outside the tree is passed over (the caller keeps it out of the ledger).
fn locate(net: &Network, scratch: &mut ContrastScratch, sources: &[Source]) {
    scratch.source_cells.clear();
    for (i, s) in sources.iter().enumerate() {
        let gives = s.flow_ml_per_s > 0.0 && s.flow_ml_per_s.is_finite();
        if let Some(cell) = net.cell_at(s.place).filter(|_| gives) {
            scratch.source_cells.push((cell as u32, i));
        }
    }
}

/// Amount per second that a source gives of a species.
fn source_rate(species: &Species, source: &Source) -> f64 {
    match species {
        Species::Iodine => source.flow_ml_per_s * source.iodine_mg_per_ml,
        Species::Particle { embolic, share, .. } => match source.particles {
            Some((index, per_ml)) if index == *embolic => source.flow_ml_per_s * per_ml * share,
            _ => 0.0,
        },
    }
}

fn carry(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    sources: &[Source],
    dt_s: f64,
) {
    let substeps = substeps(net, model, flow, s, dt_s);
    let step_s = dt_s / substeps as f64;
    for (index, species) in model.species.iter().enumerate() {
        let given: f64 = s.source_cells.iter().map(|&(_, i)| source_rate(species, &sources[i])).sum();
        let returning = index == 0 && state.bed_iodine_mg.iter().any(|b| b[0] > 0.0);
        if given <= 0.0 && !state.present[index] && !returning {
            continue;
        }
        state.injected[index] += given * dt_s;
        for substep in 0..substeps {
            let at = (substep as f64) / substeps as f64;
            mark_busy(net, state, s, index, returning);
            concentrations(net, state, s, index, at);
            advective_fluxes(net, flow, state, s, index, step_s);
            apply(net, flow, state, s, index, step_s);
            for &(cell, i) in &s.source_cells {
                state.amount[index][cell as usize] += source_rate(species, &sources[i]) * step_s;
            }
            disperse(net, state, s, index, at + 1.0 / substeps as f64);
        }
        sweep(state, index);
    }
}

/// Number of substeps for the flows of this tick; fills volumes and dispersion conductances.
fn substeps(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    s: &mut ContrastScratch,
    dt_s: f64,
) -> usize {
    let n = net.cells();
    for (v, pressures) in s.volume.iter_mut().zip([&flow.last_pressure_mmhg, &flow.pressure_mmhg]) {
        v.clear();
        v.extend((0..n).map(|c| FlowState::cell_volume_ml(net, c, pressures[c])));
    }
    s.outflow.clear();
    s.outflow.resize(n, 0.0);
    s.diffusive.clear();
    s.diffusive.resize(net.face_cells.len(), 0.0);
    let mut spread = vec![0.0; n];
    for (f, &[a, b]) in net.face_cells.iter().enumerate() {
        let q = flow.face_flow_ml_per_s[f];
        if a != NONE && q > 0.0 {
            s.outflow[a as usize] += q;
        } else if b != NONE && q < 0.0 {
            s.outflow[b as usize] -= q;
        }
        if a != NONE && b != NONE {
            let g = dispersion_conductance(net, model, f, q);
            s.diffusive[f] = g;
            spread[a as usize] += g;
            spread[b as usize] += g;
        }
    }
    for (leak, q) in flow.leaks.iter().zip(&flow.leak_flow_ml_per_s) {
        s.outflow[leak.cell as usize] += q.max(0.0);
    }
    let (mut courant, mut diffusion): (f64, f64) = (0.0, 0.0);
    for (c, spread) in spread.iter().enumerate() {
        let v = s.volume[0][c].min(s.volume[1][c]);
        courant = courant.max(s.outflow[c] * dt_s / v);
        diffusion = diffusion.max(spread * dt_s / v);
    }
    let wanted = (courant / MAX_COURANT).max(diffusion / MAX_DIFFUSION);
    let substeps = wanted.ceil().clamp(1.0, 2000.0);
    for g in &mut s.diffusive {
        *g *= dt_s / substeps;
    }
    substeps as usize
}

/// Dispersive exchange over a face, `D A / dx`, mL/s, with the narrower of the two cells.
fn dispersion_conductance(net: &Network, model: &ContrastModel, face: usize, flow_ml_per_s: f64) -> f64 {
    let [a, b] = net.face_cells[face];
    let r = net.radius_mm[a as usize].min(net.radius_mm[b as usize]);
    let area = std::f64::consts::PI * r * r;
    let speed = flow_ml_per_s.abs() * MM3_PER_ML / area;
    let d = model.still_dispersion_mm2_per_s + model.dispersion_per_velocity_radius * speed * r;
    let length = |c: u32| net.branches[net.cell_branch[c as usize] as usize].cell_mm;
    d * area / (0.5 * (length(a) + length(b))) / MM3_PER_ML
}

/// Branches that hold anything of the species, and branches whose faces must be looked at.
fn mark_busy(net: &Network, state: &ContrastState, s: &mut ContrastScratch, index: usize, returning: bool) {
    s.busy.clear();
    for b in &net.branches {
        let cells = b.cell0 as usize..(b.cell0 + b.cells) as usize;
        s.busy.push(state.amount[index][cells].iter().any(|m| *m > 0.0));
    }
    s.face_busy.clear();
    for (i, b) in net.branches.iter().enumerate() {
        let parent = b.from != NONE && s.busy[net.cell_branch[b.from as usize] as usize];
        let end = match b.end {
            BranchEnd::Join(cell) => s.busy[net.cell_branch[cell as usize] as usize],
            BranchEnd::Outlet(o) => returning && state.bed_iodine_mg[o as usize][0] > 0.0,
            BranchEnd::Closed => false,
        };
        s.face_busy.push(s.busy[i] || parent || end);
    }
}

fn concentrations(net: &Network, state: &ContrastState, s: &mut ContrastScratch, index: usize, at: f64) {
    s.concentration.resize(net.cells(), 0.0);
    for (i, b) in net.branches.iter().enumerate() {
        for c in b.cell0 as usize..(b.cell0 + b.cells) as usize {
            s.concentration[c] = if s.busy[i] {
                state.amount[index][c] / (s.volume[0][c] + at * (s.volume[1][c] - s.volume[0][c]))
            } else {
                0.0
            };
        }
    }
}

/// Van Leer's limiter times the slope: `2 a b / (a + b)` where both differences agree in sign.
fn limited_slope(a: f64, b: f64) -> f64 {
    if a * b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
}

fn advective_fluxes(
    net: &Network,
    flow: &FlowState,
    state: &ContrastState,
    s: &mut ContrastScratch,
    index: usize,
    step_s: f64,
) {
    s.flux.resize(net.face_cells.len(), 0.0);
    let q_of = &flow.face_flow_ml_per_s;
    let c = &s.concentration;
    for (i, b) in net.branches.iter().enumerate() {
        if !s.face_busy[i] {
            continue;
        }
        let (f0, n, c0) = (b.face0 as usize, b.cells as usize, b.cell0 as usize);
        let q = q_of[f0];
        let up = if q > 0.0 { b.from } else { b.cell0 };
        s.flux[f0] = if up == NONE { 0.0 } else { q * c[up as usize] * step_s };
        for k in 1..n {
            let q = q_of[f0 + k];
            // Upwind cell, the cell behind it along the flow and the face through which that feeds it.
            let (up, down, behind, feed) = if q >= 0.0 {
                (c0 + k - 1, c0 + k, (k >= 2).then(|| c0 + k - 2), f0 + k - 1)
            } else {
                (c0 + k, c0 + k - 1, (k + 1 < n).then(|| c0 + k + 1), f0 + k + 1)
            };
            let mut face = c[up];
            if let Some(behind) = behind.filter(|_| q_of[feed] * q > 0.0) {
                let courant = s.outflow[up] * step_s / s.volume[0][up].min(s.volume[1][up]);
                face += 0.5 * (1.0 - courant) * limited_slope(c[up] - c[behind], c[down] - c[up]);
            }
            s.flux[f0 + k] = q * face * step_s;
        }
        let q = q_of[f0 + n];
        let last = c[c0 + n - 1];
        s.flux[f0 + n] = match b.end {
            BranchEnd::Join(cell) => q * step_s * if q > 0.0 { last } else { c[cell as usize] },
            BranchEnd::Outlet(_) if q > 0.0 => q * step_s * last,
            BranchEnd::Outlet(o) if index == 0 => {
                let outlet = &net.outlets[o as usize];
                let stage_ml = outlet.resting_flow_ml_per_s * outlet.transit_s / BED_STAGES as f64;
                let held = state.bed_iodine_mg[o as usize][0];
                -(held * (-q * step_s / stage_ml).min(0.9))
            }
            BranchEnd::Outlet(_) | BranchEnd::Closed => 0.0,
        };
    }
}

/// Books the fluxes: what leaves one place enters another.
fn apply(
    net: &Network,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    index: usize,
    step_s: f64,
) {
    let outlets = net.outlets.len();
    let leaks = flow.leaks.len();
    let amount = &mut state.amount[index];
    for (i, leak) in flow.leaks.iter().enumerate() {
        let out = flow.leak_flow_ml_per_s[i].max(0.0) * s.concentration[leak.cell as usize] * step_s;
        amount[leak.cell as usize] -= out;
        s.leak_arrivals[index * leaks + i] += out;
        if index == 0 {
            state.pools[i].iodine_mg += out;
        } else {
            state.to_leaks[index] += out;
        }
    }
    for (i, b) in net.branches.iter().enumerate() {
        if !s.face_busy[i] {
            continue;
        }
        let (f0, n, c0) = (b.face0 as usize, b.cells as usize, b.cell0 as usize);
        let start = s.flux[f0];
        s.start_flux[i][usize::from(index > 0)] += start;
        if b.from == NONE {
            state.left[index] -= start;
        } else {
            amount[b.from as usize] -= start;
        }
        for k in 0..n {
            amount[c0 + k] += s.flux[f0 + k] - s.flux[f0 + k + 1];
        }
        let end = s.flux[f0 + n];
        match b.end {
            BranchEnd::Closed => {}
            BranchEnd::Join(cell) => amount[cell as usize] += end,
            BranchEnd::Outlet(o) if index == 0 => state.bed_iodine_mg[o as usize][0] += end,
            BranchEnd::Outlet(o) => {
                state.to_beds[index] += end;
                s.bed_arrivals[index * outlets + o as usize] += end;
            }
        }
    }
}

/// Dispersion as a second pass, explicit; exchange between two cells is equal and opposite.
fn disperse(net: &Network, state: &mut ContrastState, s: &mut ContrastScratch, index: usize, at: f64) {
    mark_busy(net, state, s, index, false);
    concentrations(net, state, s, index, at.min(1.0));
    let amount = &mut state.amount[index];
    for (i, b) in net.branches.iter().enumerate() {
        if !s.face_busy[i] {
            continue;
        }
        let f0 = b.face0 as usize;
        for f in f0..=f0 + b.cells as usize {
            let [a, z] = net.face_cells[f];
            if a != NONE && z != NONE {
                let moved = s.diffusive[f] * (s.concentration[a as usize] - s.concentration[z as usize]);
                amount[a as usize] -= moved;
                amount[z as usize] += moved;
            }
        }
    }
}

/// Traces are booked as gone; rounding below zero is booked with them.
fn sweep(state: &mut ContrastState, index: usize) {
    let mut gone = 0.0;
    let mut present = false;
    for m in &mut state.amount[index] {
        if *m < TRACE {
            gone += *m;
            *m = 0.0;
        } else {
            present = true;
        }
    }
    state.left[index] += gone;
    state.present[index] = present;
}

/// Transit through beds (compartments emptied at the rate of the present flow) and veins.
fn beds_and_veins(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    dt_s: f64,
) {
    let mut to_veins = 0.0;
    for (o, outlet) in net.outlets.iter().enumerate() {
        let chain = &mut state.bed_iodine_mg[o];
        let volume = outlet.resting_flow_ml_per_s * outlet.transit_s;
        let rate = BED_STAGES as f64 * flow.outlet_flow_ml_per_s[o].max(0.0) / volume;
        to_veins += drain(chain, rate * dt_s);
    }
    let rate = VEIN_STAGES as f64 / model.vein_transit_s;
    state.left[0] += drain(&mut state.vein_iodine_mg, rate * dt_s);
    state.vein_iodine_mg[0] += to_veins;
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
