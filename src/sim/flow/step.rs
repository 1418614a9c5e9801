//! The flow state and its implicit step.

use serde::{Deserialize, Serialize};

use super::network::{Leak, NONE, Network, TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG, annulus_factor};
use super::steady::{face_halves, steady_pressures};
use super::{Obstruction, Source};
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;
use crate::math::hash::StateHasher;

/// A device that fills more than this share of the lumen's diameter wedges.
pub const WEDGED_SHARE: f64 = 0.95;
/// Time constant of each of the two stages that average the flow over beats, s.
const MEAN_STAGE_S: f64 = 0.7;
/// Repeats of the linear solve where a turbulent loss makes it nonlinear.
const TURBULENT_ITERATIONS: usize = 3;

/// Everything the flow stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowState {
    /// Pressure per cell, mmHg.
    pub pressure_mmhg: Vec<f64>,
    /// Pressure per cell one tick ago, mmHg (the volumes between which contrast is carried).
    pub last_pressure_mmhg: Vec<f64>,
    /// Flow per face, mL/s, + away from the heart.
    pub face_flow_ml_per_s: Vec<f64>,
    /// Flow per face averaged over beats, mL/s; two stages.
    pub mean_flow_ml_per_s: [Vec<f64>; 2],
    /// Flow into each outlet's bed, mL/s.
    pub outlet_flow_ml_per_s: Vec<f64>,
    /// The same averaged over beats, mL/s; two stages.
    pub mean_outlet_flow_ml_per_s: [Vec<f64>; 2],
    /// Pressure of each outlet's compliance, mmHg.
    pub outlet_pressure_mmhg: Vec<f64>,
    /// Leaks: those of the case, then the operator's.
    pub leaks: Vec<Leak>,
    /// Present leak, mL/s.
    pub leak_flow_ml_per_s: Vec<f64>,
    /// Share of each cell's diameter that a device fills.
    pub filled_share: Vec<f64>,
    /// Largest imbalance of a cell in the last solve, mL/s.
    pub residual_ml_per_s: f64,
}

/// What acts on the blood during a tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowInputs<'a> {
    /// Pressure at the roots, mmHg.
    pub root_mmhg: f64,
    /// Devices in vessels.
    pub obstructions: &'a [Obstruction],
    /// Injections.
    pub sources: &'a [Source],
    /// Per outlet: present resistance of its bed per resistance at rest; missing entries are 1.
    pub bed_resistance_factor: &'a [f64],
    /// Per leak: share still open; missing entries are 1.
    pub leak_open_share: &'a [f64],
}

/// Buffers that carry nothing from tick to tick.
#[derive(Clone, Debug, Default)]
pub struct FlowScratch {
    half_resistance: Vec<[f64; 2]>,
    conductance: Vec<f64>,
    drive: Vec<f64>,
    diagonal: Vec<f64>,
    edge: Vec<f64>,
    rhs: Vec<f64>,
    work: Vec<f64>,
    net_source: Vec<f64>,
    face_halves: Vec<[Option<usize>; 2]>,
    touched: Vec<u32>,
}

/// An outlet seen from its last cell after its inner pressure is eliminated: `Q = g (P - p0)`.
#[derive(Clone, Copy, Debug, Default)]
struct OutletEquation {
    conductance: f64,
    zero_flow_mmhg: f64,
}

impl FlowState {
    /// The steady state at the resting mean pressure, lesions included, no devices.
    pub fn new(net: &Network) -> Self {
        let p = steady_pressures(net, net.resting_map_mmhg);
        let mut state = Self {
            last_pressure_mmhg: p.clone(),
            face_flow_ml_per_s: vec![0.0; net.face_cells.len()],
            filled_share: vec![0.0; net.cells()],
            leaks: net.leaks.clone(),
            ..Self::default()
        };
        for (f, flow) in state.face_flow_ml_per_s.iter_mut().enumerate() {
            let [a, b] = net.face_cells[f];
            let [before, behind] = face_halves(net, f);
            let r = before.map_or(0.0, |c| net.half_resistance[c][1])
                + behind.map_or(0.0, |c| net.half_resistance[c][0]);
            if b != NONE {
                let upstream = if a == NONE { net.resting_map_mmhg } else { p[a as usize] };
                *flow = (upstream - p[b as usize]) / r.max(1e-9);
            }
        }
        for o in &net.outlets {
            let cell = o.cell as usize;
            let r = net.half_resistance[cell][1] + o.proximal_mmhg_s_per_ml + o.distal_mmhg_s_per_ml;
            let q = (p[cell] - VENOUS_PRESSURE_MMHG) / r;
            state.outlet_flow_ml_per_s.push(q);
            state.outlet_pressure_mmhg.push(VENOUS_PRESSURE_MMHG + q * o.distal_mmhg_s_per_ml);
            let end = net.faces_of(cell).1;
            state.face_flow_ml_per_s[end] = q;
        }
        state.leak_flow_ml_per_s = net
            .leaks
            .iter()
            .map(|l| l.conductance_ml_per_s_mmhg * (p[l.cell as usize] - TISSUE_PRESSURE_MMHG).max(0.0))
            .collect();
        state.mean_flow_ml_per_s = [state.face_flow_ml_per_s.clone(), state.face_flow_ml_per_s.clone()];
        state.mean_outlet_flow_ml_per_s =
            [state.outlet_flow_ml_per_s.clone(), state.outlet_flow_ml_per_s.clone()];
        state.pressure_mmhg = p;
        state
    }

    /// Opens a leak (a perforation) with the stated flow at a mean pressure of 90 mmHg.
    pub fn open_leak(
        &mut self,
        net: &Network,
        id: &str,
        place: VesselPlace,
        position_mm: Vec3,
        outward: Vec3,
        flow_ml_per_min: f64,
    ) {
        let Some(cell) = net.cell_at(place) else { return };
        let flow = flow_ml_per_min.max(0.0) / 60.0;
        self.leaks.push(Leak {
            id: id.to_owned(),
            place,
            cell: cell as u32,
            conductance_ml_per_s_mmhg: flow / (super::BLEED_MAP_MMHG - TISSUE_PRESSURE_MMHG),
            position_mm,
            outward,
            stated_flow_ml_per_s: flow,
        });
        self.leak_flow_ml_per_s.push(0.0);
    }

    /// Flow at a place, mL/s, + away from the heart; 0 where the tree has no such branch.
    pub fn flow_at(&self, net: &Network, place: VesselPlace) -> f64 {
        face_at(net, place).map_or(0.0, |f| self.face_flow_ml_per_s[f])
    }

    /// Flow at a place averaged over beats, mL/s.
    pub fn mean_flow_at(&self, net: &Network, place: VesselPlace) -> f64 {
        face_at(net, place).map_or(0.0, |f| self.mean_flow_ml_per_s[1][f])
    }

    /// Mean velocity over the cross-section at a place, mm/s, along the branch.
    pub fn velocity_at(&self, net: &Network, place: VesselPlace) -> f64 {
        net.cell_at(place).map_or(0.0, |c| {
            self.flow_at(net, place) * 1000.0 / (std::f64::consts::PI * net.radius_mm[c].powi(2))
        })
    }

    /// Mean velocity of each branch (over cross-section and beats, at its middle), mm/s.
    pub fn branch_velocity_mm_per_s(&self, net: &Network) -> Vec<f64> {
        let middle = |(i, b): (usize, &super::BranchCells)| {
            let place = VesselPlace {
                vessel: VesselId(i as u32),
                arc_mm: b.start_mm + 0.5 * b.cell_mm * f64::from(b.cells),
            };
            let cell = (b.cell0 + b.cells / 2) as usize;
            self.mean_flow_at(net, place) * 1000.0 / (std::f64::consts::PI * net.radius_mm[cell].powi(2))
        };
        net.branches.iter().enumerate().map(middle).collect()
    }

    /// Pressure at a place, mmHg.
    pub fn pressure_at(&self, net: &Network, place: VesselPlace) -> f64 {
        net.cell_at(place).map_or(0.0, |c| self.pressure_mmhg[c])
    }

    /// Does a device fill the vessel at the place or just behind it.
    pub fn wedged_at(&self, net: &Network, place: VesselPlace) -> bool {
        net.cell_at(place).is_some_and(|c| {
            let b = &net.branches[net.cell_branch[c] as usize];
            let before = if c as u32 > b.cell0 { c - 1 } else { c };
            self.filled_share[c].max(self.filled_share[before]) >= WEDGED_SHARE
        })
    }

    /// Heart beats that a column from the place to the end of its branch needs to clear: the sum of `V / Q` over its
    /// cells with the flow averaged over beats, times the heart rate; at most 999.
    pub fn beats_to_clear(&self, net: &Network, place: VesselPlace, heart_rate_bpm: f64) -> f64 {
        let Some(cell) = net.cell_at(place) else { return 0.0 };
        let b = &net.branches[net.cell_branch[cell] as usize];
        let mut seconds = 0.0;
        for c in cell..(b.cell0 + b.cells) as usize {
            let (left, right) = net.faces_of(c);
            let flow = self.mean_flow_ml_per_s[1][left].max(self.mean_flow_ml_per_s[1][right]);
            seconds += net.volume_ml[c] / flow.max(1e-9);
        }
        (seconds * heart_rate_bpm / 60.0).min(999.0)
    }

    /// Volume of a cell at a pressure, mL.
    pub fn cell_volume_ml(net: &Network, cell: usize, pressure_mmhg: f64) -> f64 {
        let v =
            net.volume_ml[cell] + net.compliance_ml_per_mmhg[cell] * (pressure_mmhg - net.resting_map_mmhg);
        v.max(0.02 * net.volume_ml[cell])
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        self.pressure_mmhg
            .iter()
            .chain(&self.face_flow_ml_per_s)
            .chain(&self.outlet_pressure_mmhg)
            .all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// The face nearest to a place on its own branch.
fn face_at(net: &Network, place: VesselPlace) -> Option<usize> {
    let cell = net.cell_at(place)?;
    let own = net.place_of(cell);
    let (left, right) = net.faces_of(cell);
    let end_is_closed =
        net.face_cells[right][1] == NONE && net.branches[own.vessel.idx()].end == super::BranchEnd::Closed;
    let behind = place.vessel == own.vessel && place.arc_mm > own.arc_mm;
    Some(if behind && !end_is_closed { right } else { left })
}

/// Advances the flow by `dt_s` (implicit Euler, direct solve).
///
/// Face: `L dQ/dt + R Q + K Q |Q| = Pa - Pb`; cell: `C dP/dt = sum of flows + sources - leak`. Neglected: waves within
/// a tick (the implicit step damps them), velocity profile, gravity.
pub fn advance(
    net: &Network,
    state: &mut FlowState,
    scratch: &mut FlowScratch,
    inputs: &FlowInputs<'_>,
    dt_s: f64,
) {
    let n = net.cells();
    if n == 0 || dt_s <= 0.0 {
        return;
    }
    if scratch.face_halves.len() != net.face_cells.len() {
        scratch.face_halves = (0..net.face_cells.len()).map(|f| face_halves(net, f)).collect();
        scratch.half_resistance = net.half_resistance.clone();
    }
    obstruct(net, state, scratch, inputs.obstructions);
    scratch.net_source.clear();
    scratch.net_source.resize(n, 0.0);
    for source in inputs.sources {
        if let Some(c) = net.cell_at(source.place).filter(|_| source.flow_ml_per_s.is_finite()) {
            scratch.net_source[c] += source.flow_ml_per_s.max(0.0);
        }
    }
    let outlets = outlet_equations(net, state, inputs, dt_s);
    let leaks = leak_conductances(state, inputs);
    let last_flow = state.face_flow_ml_per_s.clone();
    std::mem::swap(&mut state.last_pressure_mmhg, &mut state.pressure_mmhg);
    let iterations = if net.quadratic_faces.is_empty() { 1 } else { TURBULENT_ITERATIONS };
    for _ in 0..iterations {
        faces(net, state, scratch, &last_flow, dt_s);
        solve(net, state, scratch, inputs.root_mmhg, &outlets, &leaks, dt_s);
        for (f, q) in state.face_flow_ml_per_s.iter_mut().enumerate() {
            let [a, b] = net.face_cells[f];
            if b != NONE {
                let upstream = if a == NONE { inputs.root_mmhg } else { scratch.rhs[a as usize] };
                *q = scratch.conductance[f] * (upstream - scratch.rhs[b as usize]) + scratch.drive[f];
            }
        }
    }
    state.pressure_mmhg.clear();
    state.pressure_mmhg.extend_from_slice(&scratch.rhs);
    finish(net, state, inputs, &outlets, &leaks, dt_s);
    state.residual_ml_per_s = residual(net, state, &scratch.net_source, dt_s);
}

/// Puts devices into the lumen: annulus resistance for the covered part of each half cell.
fn obstruct(net: &Network, state: &mut FlowState, scratch: &mut FlowScratch, obstructions: &[Obstruction]) {
    for &c in &scratch.touched {
        scratch.half_resistance[c as usize] = net.half_resistance[c as usize];
    }
    scratch.touched.clear();
    state.filled_share.fill(0.0);
    for o in obstructions {
        let Some(b) = net.branches.get(o.vessel.idx()) else { continue };
        let (from, to) = (o.from_mm.min(o.to_mm) - b.start_mm, o.from_mm.max(o.to_mm) - b.start_mm);
        if !(from.is_finite() && to.is_finite()) || to <= 0.0 {
            continue;
        }
        let first = (from / b.cell_mm).floor().clamp(0.0, f64::from(b.cells - 1)) as u32;
        let last = (to / b.cell_mm).floor().clamp(0.0, f64::from(b.cells - 1)) as u32;
        for k in first..=last {
            let cell = (b.cell0 + k) as usize;
            scratch.touched.push(cell as u32);
            for h in 0..2 {
                let half_mm = 0.5 * b.cell_mm;
                let start = f64::from(k) * b.cell_mm + h as f64 * half_mm;
                let covered = ((to.min(start + half_mm) - from.max(start)) / half_mm).clamp(0.0, 1.0);
                let filled = 0.5 * o.outer_diameter_mm / net.half_radius_mm[cell][h];
                if covered > 0.0 {
                    state.filled_share[cell] = state.filled_share[cell].max(filled);
                    let r = net.half_resistance[cell][h] * (1.0 - covered + covered * annulus_factor(filled));
                    scratch.half_resistance[cell][h] = scratch.half_resistance[cell][h].max(r);
                }
            }
        }
    }
}

fn outlet_equations(
    net: &Network,
    state: &FlowState,
    inputs: &FlowInputs<'_>,
    dt_s: f64,
) -> Vec<OutletEquation> {
    let factor = |i: usize| inputs.bed_resistance_factor.get(i).copied().unwrap_or(1.0);
    let equation = |(i, o): (usize, &super::OutletModel)| {
        let k = factor(i);
        let rp = net.half_resistance[o.cell as usize][1] + o.proximal_mmhg_s_per_ml * k;
        let (rd, c) = (o.distal_mmhg_s_per_ml * k, o.compliance_ml_per_mmhg / k);
        // Pc = (C/dt Pc0 + P/Rp + Pv/Rd) / (C/dt + 1/Rp + 1/Rd) put into Q = (P - Pc) / Rp.
        let sum = c / dt_s + 1.0 / rp + 1.0 / rd;
        let rest =
            (c / dt_s * state.outlet_pressure_mmhg[i] + VENOUS_PRESSURE_MMHG / rd) / (c / dt_s + 1.0 / rd);
        OutletEquation { conductance: (1.0 - 1.0 / (rp * sum)) / rp, zero_flow_mmhg: rest }
    };
    net.outlets.iter().enumerate().map(equation).collect()
}

/// Open conductance of each leak; none where the vessel has less pressure than the tissue.
fn leak_conductances(state: &FlowState, inputs: &FlowInputs<'_>) -> Vec<f64> {
    let open = |i: usize| inputs.leak_open_share.get(i).copied().unwrap_or(1.0);
    let conductance = |(i, l): (usize, &Leak)| {
        let bleeding = state.pressure_mmhg[l.cell as usize] > TISSUE_PRESSURE_MMHG;
        if bleeding { l.conductance_ml_per_s_mmhg * open(i) } else { 0.0 }
    };
    state.leaks.iter().enumerate().map(conductance).collect()
}

/// Conductance of each face and the part of its flow that inertia keeps going.
fn faces(net: &Network, state: &FlowState, scratch: &mut FlowScratch, last_flow: &[f64], dt_s: f64) {
    scratch.conductance.clear();
    scratch.drive.clear();
    for (f, halves) in scratch.face_halves.iter().enumerate() {
        let [before, behind] = *halves;
        let r = before.map_or(0.0, |c| scratch.half_resistance[c][1])
            + behind.map_or(0.0, |c| scratch.half_resistance[c][0]);
        let l = before.map_or(0.0, |c| net.half_inertance[c][1])
            + behind.map_or(0.0, |c| net.half_inertance[c][0]);
        let loss = net.face_quadratic[f] * state.face_flow_ml_per_s[f].abs();
        let g = 1.0 / (l / dt_s + r + loss).max(1e-9);
        scratch.conductance.push(g);
        scratch.drive.push(g * l / dt_s * last_flow[f]);
    }
}

fn solve(
    net: &Network,
    state: &FlowState,
    s: &mut FlowScratch,
    root_mmhg: f64,
    outlets: &[OutletEquation],
    leaks: &[f64],
    dt_s: f64,
) {
    s.diagonal.clear();
    s.rhs.clear();
    s.edge.clear();
    for c in 0..net.cells() {
        let g = net.compliance_ml_per_mmhg[c] / dt_s;
        s.diagonal.push(g);
        s.rhs.push(g * state.last_pressure_mmhg[c] + s.net_source[c]);
    }
    for &f in &net.inner_faces {
        let (g, drive) = (s.conductance[f as usize], s.drive[f as usize]);
        let [a, b] = net.face_cells[f as usize];
        s.edge.push(-g);
        s.diagonal[a as usize] += g;
        s.diagonal[b as usize] += g;
        s.rhs[a as usize] -= drive;
        s.rhs[b as usize] += drive;
    }
    for &f in &net.root_faces {
        let cell = net.face_cells[f as usize][1] as usize;
        s.diagonal[cell] += s.conductance[f as usize];
        s.rhs[cell] += s.conductance[f as usize] * root_mmhg + s.drive[f as usize];
    }
    for (o, e) in net.outlets.iter().zip(outlets) {
        s.diagonal[o.cell as usize] += e.conductance;
        s.rhs[o.cell as usize] += e.conductance * e.zero_flow_mmhg;
    }
    for (l, g) in state.leaks.iter().zip(leaks) {
        s.diagonal[l.cell as usize] += g;
        s.rhs[l.cell as usize] += g * TISSUE_PRESSURE_MMHG;
    }
    net.ldl.solve(&mut s.diagonal, &s.edge, &mut s.rhs, &mut s.work);
}

/// Outlet and leak flows, inner pressures and averages after the solve.
fn finish(
    net: &Network,
    state: &mut FlowState,
    inputs: &FlowInputs<'_>,
    outlets: &[OutletEquation],
    leaks: &[f64],
    dt_s: f64,
) {
    for (i, o) in net.outlets.iter().enumerate() {
        let k = inputs.bed_resistance_factor.get(i).copied().unwrap_or(1.0);
        let cell = o.cell as usize;
        let q = outlets[i].conductance * (state.pressure_mmhg[cell] - outlets[i].zero_flow_mmhg);
        let rp = net.half_resistance[cell][1] + o.proximal_mmhg_s_per_ml * k;
        state.outlet_pressure_mmhg[i] = state.pressure_mmhg[cell] - q * rp;
        state.outlet_flow_ml_per_s[i] = q;
        let end = net.faces_of(cell).1;
        state.face_flow_ml_per_s[end] = q;
    }
    for (i, g) in leaks.iter().enumerate() {
        let over = state.pressure_mmhg[state.leaks[i].cell as usize] - TISSUE_PRESSURE_MMHG;
        state.leak_flow_ml_per_s[i] = g * over;
    }
    let a = (dt_s / MEAN_STAGE_S).min(1.0);
    average(&mut state.mean_flow_ml_per_s, &state.face_flow_ml_per_s, a);
    average(&mut state.mean_outlet_flow_ml_per_s, &state.outlet_flow_ml_per_s, a);
}

fn average(stages: &mut [Vec<f64>; 2], now: &[f64], a: f64) {
    let [first, second] = stages;
    for ((m1, m2), q) in first.iter_mut().zip(second).zip(now) {
        *m1 += a * (q - *m1);
        *m2 += a * (*m1 - *m2);
    }
}

/// Largest imbalance of a cell: inflow minus outflow minus what its wall takes up, mL/s.
fn residual(net: &Network, state: &FlowState, net_source: &[f64], dt_s: f64) -> f64 {
    let mut balance: Vec<f64> = net_source.to_vec();
    for (f, q) in state.face_flow_ml_per_s.iter().enumerate() {
        let [a, b] = net.face_cells[f];
        let live = b != NONE || is_outlet_face(net, f);
        if live && a != NONE {
            balance[a as usize] -= q;
        }
        if b != NONE {
            balance[b as usize] += q;
        }
    }
    for (l, q) in state.leaks.iter().zip(&state.leak_flow_ml_per_s) {
        balance[l.cell as usize] -= q;
    }
    let mut worst: f64 = 0.0;
    for (c, b) in balance.iter().enumerate() {
        let dp = state.pressure_mmhg[c] - state.last_pressure_mmhg[c];
        worst = worst.max((b - net.compliance_ml_per_mmhg[c] * dp / dt_s).abs());
    }
    worst
}

fn is_outlet_face(net: &Network, face: usize) -> bool {
    let a = net.face_cells[face][0];
    a != NONE && matches!(net.branches[net.cell_branch[a as usize] as usize].end, super::BranchEnd::Outlet(_))
}
