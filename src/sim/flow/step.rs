//! The implicit step.

use super::Obstruction;
use super::live::{self, LiveLumen};
use super::network::{NONE, Network};
use super::resistance::annulus_factor;
use super::state::FlowState;
use super::system::{self, FlowInputs, FlowScratch};

/// Time constant of each of the two stages that average over beats, s.
const MEAN_STAGE_S: f64 = 0.7;
/// Time constant of the mean root pressure, s.
const MEAN_ROOT_S: f64 = 2.0;
/// Time constant with which the volume of a lumen follows a sudden change, s `[K]`: no wall jumps.
const AREA_S: f64 = 0.15;
/// An area factor this near to its goal is there.
const AREA_SETTLED: f64 = 1e-6;
/// Newton steps where a turbulent loss makes the solve nonlinear.
const TURBULENT_ITERATIONS: usize = 2;

/// Advances the flow by `dt_s` (implicit Euler, direct solve).
///
/// Face: `L dQ/dt + R Q + K Q |Q| = Pa - Pb`; cell: `dV/dt = sum of flows + sources - leak`,
/// `V = V0 a + C a (P - Pref)` with `a` the cross-section over the healthy one. Neglected: waves within a tick (the
/// implicit step damps them), velocity profile, gravity, the volume of devices.
pub fn advance(
    net: &Network,
    state: &mut FlowState,
    scratch: &mut FlowScratch,
    inputs: &FlowInputs<'_>,
    dt_s: f64,
) {
    if net.cells() == 0 || dt_s <= 0.0 {
        return;
    }
    let inv_dt = 1.0 / dt_s;
    follow_lumen(net, state, scratch, inputs, dt_s);
    obstruct(net, state, scratch, inputs);
    scratch.net_source.clear();
    scratch.net_source.resize(net.cells(), 0.0);
    for source in inputs.sources {
        if let Some(c) = net.cell_at(source.place).filter(|_| source.flow_ml_per_s.is_finite()) {
            scratch.net_source[c] += source.flow_ml_per_s.max(0.0);
        }
    }
    state.mean_root_mmhg += (dt_s / MEAN_ROOT_S).min(1.0) * (inputs.root_mmhg - state.mean_root_mmhg);
    system::terminals(net, state, scratch, inputs);
    scratch.last_flow.clone_from(&state.face_flow_ml_per_s);
    std::mem::swap(&mut state.last_pressure_mmhg, &mut state.pressure_mmhg);
    let iterations = if scratch.live.is_turbulent { TURBULENT_ITERATIONS } else { 1 };
    for _ in 0..iterations {
        system::faces(state, scratch, inv_dt);
        system::solve(net, state, scratch, inputs, inv_dt);
        system::face_flows(net, state, scratch, inputs);
    }
    system::terminal_flows(net, state, scratch, inputs);
    state.pressure_mmhg.copy_from_slice(&scratch.rhs[..net.cells()]);
    let a = (dt_s / MEAN_STAGE_S).min(1.0);
    average(&mut state.mean_flow_ml_per_s, &state.face_flow_ml_per_s, a);
    average(&mut state.mean_pressure_mmhg, &state.pressure_mmhg, a);
    average(&mut state.mean_outlet_flow_ml_per_s, &state.outlet_flow_ml_per_s, a);
    for (mean, q) in state.mean_capillary_flow_ml_per_s.iter_mut().zip(&state.capillary_flow_ml_per_s) {
        *mean += (dt_s / MEAN_ROOT_S).min(1.0) * (q - *mean);
    }
    state.residual_ml_per_s = system::residual(net, state, scratch, inv_dt);
}

impl FlowScratch {
    /// Buffers for a lumen without devices.
    pub(super) fn open(net: &Network, live: LiveLumen) -> Self {
        Self {
            half_resistance: live.half_resistance.clone(),
            face_resistance: live.face_resistance.clone(),
            net_source: vec![0.0; net.cells()],
            last_flow: vec![0.0; net.face_cells.len()],
            live,
            ..Self::default()
        }
    }
}

/// Spasms come and go; the lumen follows.
fn follow_lumen(
    net: &Network,
    state: &mut FlowState,
    s: &mut FlowScratch,
    inputs: &FlowInputs<'_>,
    dt_s: f64,
) {
    live::relax(&mut state.lumen, inputs.nitroglycerin_ug, dt_s);
    if s.live.update(net, &state.lumen, inputs.packing, &state.stenosis_open) {
        s.half_resistance.clone_from(&s.live.half_resistance);
        s.face_resistance.clone_from(&s.live.face_resistance);
        s.touched.clear();
    }
    std::mem::swap(&mut state.last_area_factor, &mut state.area_factor);
    let follow = -(-dt_s / AREA_S).exp_m1();
    let areas = state.area_factor.iter_mut().zip(&state.last_area_factor);
    for ((now, before), goal) in areas.zip(&s.live.area_factor) {
        let off = goal - before;
        *now = if off.abs() < AREA_SETTLED { *goal } else { before + follow * off };
    }
}

/// Puts devices into the lumen: annulus resistance for the covered part of each half cell.
fn obstruct(net: &Network, state: &mut FlowState, s: &mut FlowScratch, inputs: &FlowInputs<'_>) {
    let touched = std::mem::take(&mut s.touched);
    for &c in &touched {
        let c = c as usize;
        s.half_resistance[c] = s.live.half_resistance[c];
        let (left, right) = net.faces_of(c);
        for f in [left, right] {
            s.face_resistance[f] = s.live.face_resistance[f];
        }
    }
    s.touched = touched;
    s.touched.clear();
    state.filled_share.fill(0.0);
    for o in side_by_side(inputs.obstructions) {
        for (cell, shares) in net.covered(o.vessel, o.from_mm, o.to_mm) {
            s.touched.push(cell as u32);
            for (h, share) in shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
                let filled = 0.5 * o.outer_diameter_mm / s.live.half_radius_mm[cell][h];
                state.filled_share[cell] = state.filled_share[cell].max(filled);
                let more = share * (annulus_factor(filled) - 1.0);
                s.half_resistance[cell][h] += more * s.live.half_resistance[cell][h];
            }
        }
    }
    for &c in &s.touched {
        let (left, right) = net.faces_of(c as usize);
        for f in [left, right] {
            let [before, behind] = net.face_halves[f];
            let half = |c: u32, h: usize| if c == NONE { 0.0 } else { s.half_resistance[c as usize][h] };
            s.face_resistance[f] = half(before, 1) + half(behind, 0);
        }
    }
}

/// The same as stretches that do not overlap, each as wide as the cross-section of all bodies in it together.
fn side_by_side(obstructions: &[Obstruction]) -> Vec<Obstruction> {
    let span = |o: &Obstruction| (o.from_mm.min(o.to_mm), o.from_mm.max(o.to_mm));
    let mut sorted: Vec<Obstruction> = obstructions.to_vec();
    sorted.retain(|o| (o.to_mm - o.from_mm).is_finite() && o.outer_diameter_mm.is_finite());
    sorted.sort_by_key(|o| (o.vessel, o.body));
    let mut out = Vec::with_capacity(2 * sorted.len());
    for of_vessel in sorted.chunk_by(|a, b| a.vessel == b.vessel) {
        let mut ends: Vec<f64> = of_vessel.iter().flat_map(|o| [o.from_mm, o.to_mm]).collect();
        ends.sort_by(f64::total_cmp);
        for pair in ends.windows(2).filter(|w| w[1] > w[0]) {
            let middle = 0.5 * (pair[0] + pair[1]);
            let widest = |body: &[Obstruction]| {
                let here = body.iter().filter(|o| span(o).0 <= middle && middle <= span(o).1);
                here.map(|o| o.outer_diameter_mm).fold(0.0, f64::max)
            };
            let bodies = of_vessel.chunk_by(|a, b| a.body == b.body);
            let outer_diameter_mm = bodies.map(|b| widest(b).powi(2)).sum::<f64>().sqrt();
            if outer_diameter_mm > 0.0 {
                out.push(Obstruction { from_mm: pair[0], to_mm: pair[1], outer_diameter_mm, ..of_vessel[0] });
            }
        }
    }
    out
}

fn average(stages: &mut [Vec<f64>; 2], now: &[f64], a: f64) {
    let [first, second] = stages;
    for ((m1, m2), q) in first.iter_mut().zip(second).zip(now) {
        *m1 += a * (q - *m1);
        *m2 += a * (*m1 - *m2);
    }
}
