//! Advection and dispersion on cells: explicit, flux-limited, exactly conservative; each branch in steps of its own.

use super::capillaries;
use super::reflux;
use super::state::{ContrastModel, ContrastScratch, ContrastState, IN_CLUMP, Link, Pool, Species};
use crate::sim::event::EventKind;
use crate::sim::flow::{BranchCells, BranchEnd, FlowState, NONE, Network, Source};
use crate::units::MM3_PER_ML;

/// Largest share of a cell that may flow out in a step.
const MAX_COURANT: f64 = 0.85;
/// Largest share that may leave by flow (limited slopes included, `x (2 - x)`) and dispersion together.
const MAX_LEAVING: f64 = 0.98;
/// Most steps of a branch in a tick (a power of two).
const MAX_STEPS: u32 = 2048;
/// Amounts below this (mg, mL, particles) are booked as gone: keeps subnormal numbers out of the cells.
pub(super) const TRACE: f64 = 1e-12;

/// Advances contrast, gas and particles by `dt_s` with the flows of this tick.
///
/// `dm/dt = -d(Q c)/dx + d(D A dc/dx)/dx + sources`, `c = m / V`: second order with van Leer's limiter (1977) along a
/// branch, upwind at junctions where flows mix. Each branch takes as many steps (a power of two) as its own cells need,
/// each junction those of the faster side; volumes are carried by the same fluxes as amounts, so that a uniform
/// concentration stays uniform to rounding and no cell falls below zero. What leaves one cell enters another.
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
    choose_species(model, state, scratch, sources, dt_s);
    if !scratch.active.is_empty() {
        carry(net, model, flow, state, scratch, sources, dt_s);
    }
    capillaries::advance(net, model, flow, state, dt_s);
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

/// Species that are in the vessels, come into them, or may come back from a bed; books the pump's integral.
fn choose_species(
    model: &ContrastModel,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    sources: &[Source],
    dt_s: f64,
) {
    s.active.clear();
    for (index, species) in model.species.iter().enumerate() {
        let given: f64 = s.source_cells.iter().map(|&(_, i)| source_rate(model, species, &sources[i])).sum();
        state.injected[index] += given * dt_s;
        let returning = index == 0 && state.bed_iodine_mg.iter().any(|b| b[0] > 0.0);
        if given > 0.0 || state.present[index] || returning {
            s.active.push(index);
        }
    }
}

/// Amount per second that a source gives of a species.
fn source_rate(model: &ContrastModel, species: &Species, source: &Source) -> f64 {
    match species {
        Species::Iodine => source.flow_ml_per_s * source.iodine_mg_per_ml,
        Species::Gas => source.flow_ml_per_s * source.gas_share,
        Species::Particle { embolic, share, clump, .. } => match source.particles {
            Some((index, per_ml)) if index == *embolic => {
                let clumped = model.clumped_share(index, per_ml);
                let bodies = if *clump { clumped / IN_CLUMP } else { 1.0 - clumped };
                source.flow_ml_per_s * per_ml * share * bodies
            }
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
    plan(net, model, flow, s, dt_s);
    mark_busy(net, state, s);
    for sub in 0..s.finest {
        for b in 0..net.branches.len() {
            if sub & s.masks[b] == 0 {
                let step_s = dt_s * f64::from(s.masks[b] + 1) / f64::from(s.finest);
                step_branch(net, model, flow, state, s, sources, b, step_s);
            }
        }
        for i in 0..s.links.len() {
            let link = s.links[i];
            if sub & link.mask == 0 {
                let step_s = dt_s * f64::from(link.mask + 1) / f64::from(s.finest);
                exchange(model, flow, state, s, &link, step_s);
            }
        }
    }
    for at in 0..s.active.len() {
        sweep(state, s.active[at]);
    }
}

/// Volumes, flows out, dispersion, and the number of steps of every branch and junction.
fn plan(net: &Network, model: &ContrastModel, flow: &FlowState, s: &mut ContrastScratch, dt_s: f64) {
    let n = net.cells();
    flow.volumes_ml(net, &mut s.volume, &mut s.least_volume, &mut s.collapsed);
    s.outflow.clear();
    s.outflow.resize(n, 0.0);
    s.spread.clear();
    s.spread.resize(n, 0.0);
    s.diffusive.clear();
    for (f, &[a, b]) in net.face_cells.iter().enumerate() {
        let q = flow.face_flow_ml_per_s[f];
        if a != NONE && q > 0.0 {
            s.outflow[a as usize] += q;
        } else if b != NONE && q < 0.0 {
            s.outflow[b as usize] -= q;
        }
        let mut g = 0.0;
        if a != NONE && b != NONE {
            g = dispersion_conductance(net, model, f, q);
            s.spread[a as usize] += g;
            s.spread[b as usize] += g;
        }
        s.diffusive.push(g);
    }
    for (leak, q) in flow.leaks.iter().zip(&flow.leak_flow_ml_per_s) {
        s.outflow[leak.cell as usize] += q.max(0.0);
    }
    s.outflow_rate.clear();
    s.outflow_rate.extend(s.outflow.iter().zip(&s.least_volume).map(|(q, v)| q / v));
    let mut steps = Vec::with_capacity(net.branches.len());
    s.finest = 1;
    s.floor.clear();
    for b in &net.branches {
        let cells = b.cell0 as usize..(b.cell0 + b.cells) as usize;
        let wanted = steps_of(cells.clone(), s, dt_s);
        // Half way through a step a cell may hold less than before and after it; one that was emptied beyond what the
        // elastic wall describes, or is too fast for the most steps, gives no more than it has.
        s.floor.extend(cells.map(|c| {
            if wanted < MAX_STEPS && !s.collapsed[c] {
                return 0.1 * s.least_volume[c];
            }
            let leaving = (s.outflow[c] + s.spread[c]) * dt_s / f64::from(wanted);
            (leaving / MAX_COURANT).max(s.least_volume[c])
        }));
        steps.push(wanted);
        s.finest = s.finest.max(wanted);
    }
    s.masks.clear();
    s.masks.extend(steps.iter().map(|n| s.finest / n - 1));
    link_branches(net, s);
}

/// Steps of a branch in a tick: a power of two, so many that no cell gives away more than it has.
fn steps_of(cells: std::ops::Range<usize>, s: &ContrastScratch, dt_s: f64) -> u32 {
    let courant = s.outflow_rate[cells.clone()].iter().fold(0.0_f64, |a, b| a.max(*b)) * dt_s;
    let spread = s.spread[cells.clone()].iter().zip(&s.least_volume[cells]).map(|(g, v)| g / v);
    let dispersion = spread.fold(0.0_f64, f64::max) * dt_s;
    let mut wanted = 1;
    while wanted < MAX_STEPS {
        let (x, y) = (courant / f64::from(wanted), dispersion / f64::from(wanted));
        if x <= MAX_COURANT && x * (2.0 - x) + y <= MAX_LEAVING {
            break;
        }
        wanted *= 2;
    }
    wanted
}

/// Faces between branches, each in the steps of its faster side.
fn link_branches(net: &Network, s: &mut ContrastScratch) {
    s.links.clear();
    for (i, b) in net.branches.iter().enumerate() {
        let mut link = |face: u32, a: u32, b: u32, is_start: bool| {
            let of = |cell: u32| net.cell_branch[cell as usize];
            let mask = s.masks[of(a) as usize].min(s.masks[of(b) as usize]);
            let owner = is_start.then_some(i as u32);
            s.links.push(Link { face, cells: [a, b], branches: [of(a), of(b)], mask, start_of: owner });
        };
        if b.from != NONE {
            link(b.face0, b.from, b.cell0, true);
        }
        if let BranchEnd::Join(cell) = b.end {
            link(b.face0 + b.cells, b.cell0 + b.cells - 1, cell, false);
        }
    }
}

/// Dispersive exchange over a face, `D A / dx` with `D = D0 + k |u| r`, mL/s, with the narrower of the two cells.
fn dispersion_conductance(net: &Network, model: &ContrastModel, face: usize, flow_ml_per_s: f64) -> f64 {
    let [area_per_length_mm, radius_per_length] = net.face_shape[face];
    model.still_dispersion_mm2_per_s * area_per_length_mm / MM3_PER_ML
        + model.dispersion_per_velocity_radius * flow_ml_per_s.abs() * radius_per_length
}

/// Which branches hold anything of each active species, or may get it from their bed.
fn mark_busy(net: &Network, state: &ContrastState, s: &mut ContrastScratch) {
    s.busy.clear();
    for &species in &s.active {
        let amount = &state.amount[species];
        for b in &net.branches {
            let cells = b.cell0 as usize..(b.cell0 + b.cells) as usize;
            let back = match b.end {
                BranchEnd::Outlet(o) => species == 0 && state.bed_iodine_mg[o as usize][0] > 0.0,
                _ => false,
            };
            s.busy.push(back || amount[cells].iter().any(|m| *m > 0.0));
        }
    }
    for &(cell, _) in &s.source_cells {
        for at in 0..s.active.len() {
            s.busy[at * net.branches.len() + net.cell_branch[cell as usize] as usize] = true;
        }
    }
}

/// One step of a branch: its inner faces, its free ends, its leaks and sources.
fn step_branch(
    net: &Network,
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    sources: &[Source],
    branch: usize,
    step_s: f64,
) {
    let b = &net.branches[branch];
    for at in 0..s.active.len() {
        if !s.busy[at * net.branches.len() + branch] {
            continue;
        }
        let species = s.active[at];
        concentrations(b, &state.amount[species], s);
        inner_fluxes(b, flow, s, step_s);
        end_fluxes(net, b, flow, state, s, species, step_s);
        let (c0, n) = (b.cell0 as usize, b.cells as usize);
        for (m, pair) in state.amount[species][c0..c0 + n].iter_mut().zip(s.flux.windows(2)) {
            *m += pair[0] - pair[1];
        }
        leak_out(net, flow, state, s, species, branch, step_s);
        for &(cell, i) in s.source_cells.iter().filter(|(c, _)| net.cell_branch[*c as usize] == branch as u32)
        {
            state.amount[species][cell as usize] +=
                source_rate(model, &model.species[species], &sources[i]) * step_s;
        }
    }
    carry_volume(net, flow, s, sources, branch, step_s);
}

/// Concentrations of the branch between two ghosts that repeat its ends.
fn concentrations(b: &BranchCells, amount: &[f64], s: &mut ContrastScratch) {
    let cells = b.cell0 as usize..(b.cell0 + b.cells) as usize;
    s.concentration.clear();
    s.concentration.push(0.0);
    let volumes = s.volume[cells.clone()].iter().zip(&s.floor[cells.clone()]);
    s.concentration.extend(amount[cells].iter().zip(volumes).map(|(m, (v, floor))| m / v.max(*floor)));
    let n = s.concentration.len();
    s.concentration[0] = s.concentration[1];
    s.concentration.push(s.concentration[n - 1]);
}

/// The central slope, limited to twice the smaller difference and to 0 where they disagree in sign (van Leer 1977).
fn limited_slope(a: f64, b: f64) -> f64 {
    let slope = (2.0 * a.abs().min(b.abs())).min(0.5 * (a + b).abs()).copysign(a);
    if a * b > 0.0 { slope } else { 0.0 }
}

fn inner_fluxes(b: &BranchCells, flow: &FlowState, s: &mut ContrastScratch, step_s: f64) {
    let (f0, n, c0) = (b.face0 as usize, b.cells as usize, b.cell0 as usize);
    s.flux.clear();
    s.flux.resize(n + 1, 0.0);
    // Around each inner face: two cells on either side (ghosts at the ends), the face and its neighbors.
    let cells = s.concentration.windows(4);
    let faces = flow.face_flow_ml_per_s[f0..=f0 + n].windows(3);
    let rates = s.outflow_rate[c0..c0 + n].windows(2);
    let around = cells.zip(faces).zip(rates.zip(&s.diffusive[f0 + 1..f0 + n]));
    for (flux, ((c, q), (rate, g))) in s.flux[1..n].iter_mut().zip(around) {
        let (up, down, behind, feed, rate) =
            if q[1] >= 0.0 { (c[1], c[2], c[0], q[0], rate[0]) } else { (c[2], c[1], c[3], q[2], rate[1]) };
        let slope = limited_slope(up - behind, down - up);
        // No slope where the upwind cell is fed from elsewhere.
        let slope = if feed * q[1] > 0.0 { slope } else { 0.0 };
        let face = up + 0.5 * (1.0 - rate * step_s) * slope;
        *flux = (q[1] * face + g * (c[1] - c[2])) * step_s;
    }
}

/// Fluxes at the free ends of a branch (not where it meets another): root, bed, inflow.
fn end_fluxes(
    net: &Network,
    b: &BranchCells,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    species: usize,
    step_s: f64,
) {
    let n = b.cells as usize;
    if b.from == NONE {
        // What has left through a root does not come back.
        let out = flow.face_flow_ml_per_s[b.face0 as usize].min(0.0) * s.concentration[1] * step_s;
        s.flux[0] = out;
        state.left[species] -= out;
    }
    let q = flow.face_flow_ml_per_s[b.face0 as usize + n];
    let out = q.max(0.0) * s.concentration[n] * step_s;
    match b.end {
        BranchEnd::Closed | BranchEnd::Join(_) => {}
        BranchEnd::Inflow(_) => {
            s.flux[n] = out;
            state.left[species] += out;
        }
        BranchEnd::Outlet(o) if species == 0 && q < 0.0 => {
            let held = &mut state.bed_iodine_mg[o as usize][0];
            let stage_ml = capillaries::stage_volume_ml(&net.outlets[o as usize]);
            let back = *held * (-q * step_s / stage_ml).min(0.9);
            *held -= back;
            s.flux[n] = -back;
        }
        BranchEnd::Outlet(o) => {
            s.flux[n] = out;
            if species == 0 {
                state.bed_iodine_mg[o as usize][0] += out;
            } else {
                state.to_beds[species] += out;
                s.bed_arrivals[species * net.outlets.len() + o as usize] += out;
            }
        }
    }
}

fn leak_out(
    net: &Network,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    species: usize,
    branch: usize,
    step_s: f64,
) {
    let leaks = flow.leaks.len();
    for (i, leak) in flow.leaks.iter().enumerate() {
        if net.cell_branch[leak.cell as usize] as usize != branch {
            continue;
        }
        let k = (leak.cell - net.branches[branch].cell0) as usize;
        let out = flow.leak_flow_ml_per_s[i].max(0.0) * s.concentration[k + 1] * step_s;
        state.amount[species][leak.cell as usize] -= out;
        s.leak_arrivals[species * leaks + i] += out;
        if species == 0 {
            state.pools[i].iodine_mg += out;
        } else {
            state.to_leaks[species] += out;
        }
    }
}

/// The volumes that go with the fluxes of [`step_branch`].
fn carry_volume(
    net: &Network,
    flow: &FlowState,
    s: &mut ContrastScratch,
    sources: &[Source],
    branch: usize,
    step_s: f64,
) {
    let b = &net.branches[branch];
    let (f0, n, c0) = (b.face0 as usize, b.cells as usize, b.cell0 as usize);
    let q = &flow.face_flow_ml_per_s[f0..=f0 + n];
    let volume = &mut s.volume[c0..c0 + n];
    for (v, pair) in volume.iter_mut().zip(q.windows(2)) {
        *v += (pair[0] - pair[1]) * step_s;
    }
    // Faces to other branches carry theirs in `exchange`.
    if b.from != NONE {
        volume[0] -= q[0] * step_s;
    }
    if matches!(b.end, BranchEnd::Join(_)) {
        volume[n - 1] += q[n] * step_s;
    }
    for &(cell, i) in &s.source_cells {
        if net.cell_branch[cell as usize] as usize == branch {
            s.volume[cell as usize] += sources[i].flow_ml_per_s * step_s;
        }
    }
    for (leak, q) in flow.leaks.iter().zip(&flow.leak_flow_ml_per_s) {
        if net.cell_branch[leak.cell as usize] as usize == branch {
            s.volume[leak.cell as usize] -= q * step_s;
        }
    }
}

/// Flux over a face between two branches: upwind, where flows mix.
fn exchange(
    model: &ContrastModel,
    flow: &FlowState,
    state: &mut ContrastState,
    s: &mut ContrastScratch,
    link: &Link,
    step_s: f64,
) {
    let face = link.face as usize;
    let [a, b] = link.cells.map(|c| c as usize);
    let [branch_a, branch_b] = link.branches.map(|b| b as usize);
    let q = flow.face_flow_ml_per_s[face];
    let branches = s.masks.len();
    let held = |s: &ContrastScratch, c: usize| s.volume[c].max(s.floor[c]);
    let (volume_a, volume_b) = (held(s, a), held(s, b));
    for at in 0..s.active.len() {
        let row = at * branches;
        if !s.busy[row + branch_a] && !s.busy[row + branch_b] {
            continue;
        }
        let species = s.active[at];
        let amount = &mut state.amount[species];
        let (before, behind) = (amount[a] / volume_a, amount[b] / volume_b);
        let up = if q > 0.0 { before } else { behind };
        let flux = (q * up + s.diffusive[face] * (before - behind)) * step_s;
        amount[a] -= flux;
        amount[b] += flux;
        if flux != 0.0 {
            s.busy[row + branch_a] = true;
            s.busy[row + branch_b] = true;
        }
        let kind = match model.species[species] {
            Species::Iodine => Some(0),
            Species::Particle { .. } => Some(1),
            Species::Gas => None,
        };
        if let (Some(branch), Some(kind)) = (link.start_of, kind) {
            s.start_flux[branch as usize][kind] += flux;
        }
    }
    s.volume[a] -= q * step_s;
    s.volume[b] += q * step_s;
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
