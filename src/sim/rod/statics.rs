//! Rods on a bench: laid out with chosen lengths and edges, loaded, relaxed to equilibrium.
//!
//! For tests against closed forms and for measuring a device as a laboratory does: no inertia, no damping, no
//! friction, no natural unevenness, no remeshing.

use super::energy::World;
use super::loads::Loads;
use super::newton::{Settings, minimize};
use super::state::RodState;
use super::step::{RodScratch, prepare_friction};
use super::{RodInputs, RodReport};
use crate::device::Device;
use crate::math::Vec3;
use crate::math::banded::Banded;
use crate::sim::command::ToolId;

/// Iterations of one relaxation.
const ITERATIONS: u32 = 2000;

/// Puts devices (outermost first, with their inserted lengths in mm) straight out of the base in `edges` equal edges.
///
/// Lengths must be positive. What was in the rod is dropped; whether the devices pass each other is not asked.
pub fn lay_straight(state: &mut RodState, tools: &[Device], devices: &[(ToolId, f64)], edges: usize) {
    let longest = devices.iter().map(|d| d.1).fold(1.0, f64::max);
    let base = state.base;
    *state = RodState::new(base);
    let mut start = Vec::new();
    for (tool, inserted) in devices {
        let length = tools.get(tool.idx()).map_or(*inserted, |t| t.length_mm);
        state.devices.push(super::RodDevice::new(*tool, length, 0.0));
        state.devices.last_mut().into_iter().for_each(|d| d.inserted_mm = inserted.min(length));
    }
    let tips: Vec<f64> = state.devices.iter().map(|d| d.inserted_mm).collect();
    state.devices.iter_mut().for_each(|d| d.inserted_mm = 0.0);
    state.feed(&tips, 0, &mut start);
    let edge = longest / edges.max(1) as f64;
    for i in 1..edges.max(1) {
        let left = longest - edge * (i - 1) as f64;
        let last = state.rest_mm.len() - 1;
        state.split_edge(last, edge / left);
    }
}

/// One tick as in play, with friction and damping, under loads at the tip.
pub fn advance_loaded(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
    dt_s: f64,
) -> RodReport {
    super::step::advance(inputs, state, scratch, loads, dt_s)
}

/// Finds the equilibrium under loads and the wall, from the present shape on; unbalanced force below `tolerance_n`
/// (N, and N mm for torques).
pub fn relax(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
    tolerance_n: f64,
) -> RodReport {
    let mut report = RodReport { substeps: 1, ..RodReport::default() };
    if state.nodes_mm.is_empty() {
        return report;
    }
    set_up(inputs, state, scratch);
    let p = &mut scratch.potential;
    let world = World { wall: inputs.wall, law: inputs.law, loads };
    let settings =
        Settings { force_n: tolerance_n, torque_n_mm: tolerance_n, step_mm: 0.0, iterations: ITERATIONS };
    let out = minimize(p, &mut scratch.frames, &world, &settings, &mut scratch.buffers);
    (report.iterations, report.residual_n) = (out.iterations, out.residual_n.max(out.residual_n_mm));
    if out.broken {
        report.diverged = Some("the solver found no finite step".to_owned());
        return report;
    }
    scratch.frames.store(state);
    state.velocity_mm_per_s.iter_mut().for_each(|v| *v = Vec3::zeros());
    super::hub::outputs(inputs, state, scratch, &vec![super::hub::Motion::default(); state.devices.len()]);
    report
}

/// Whether the present shape is a minimum: the exact Hessian of energy, wall and loads is positive definite.
///
/// Meaningful at an equilibrium (after [`relax`]); the loads must be dead or springs.
pub fn is_stable(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
) -> bool {
    set_up(inputs, state, scratch);
    let world = World { wall: inputs.wall, law: inputs.law, loads };
    scratch.potential.energy(&scratch.frames, &world);
    scratch.potential.lag(&scratch.frames, loads);
    let (mut gradient, mut hessian, mut factor) = (Vec::new(), Banded::default(), Banded::default());
    scratch.potential.assemble(&scratch.frames, &world, true, &mut gradient, &mut hessian);
    hessian.factor_shifted(0.0, &mut factor)
}

/// Energy of bending, twist, stretch, hub springs, wall and loads in the present shape, N mm.
pub fn energy_n_mm(
    inputs: &RodInputs<'_>,
    state: &mut RodState,
    scratch: &mut RodScratch,
    loads: &Loads,
) -> f64 {
    set_up(inputs, state, scratch);
    let world = World { wall: inputs.wall, law: inputs.law, loads };
    scratch.potential.energy(&scratch.frames, &world)
}

/// A potential without inertia, damping, friction and unevenness, at the state's shape.
fn set_up(inputs: &RodInputs<'_>, state: &mut RodState, scratch: &mut RodScratch) {
    let p = &mut scratch.potential;
    p.layout.rebuild(state, inputs.tools, 0.0);
    p.rest_mm.clone_from(&state.rest_mm);
    let n = state.nodes_mm.len();
    p.contacts.reset(n);
    for (target, weight) in
        [(&mut p.inertia_target, &mut p.inertia_weight), (&mut p.drag_from, &mut p.drag_weight)]
    {
        target.clear();
        target.resize(n, Vec3::zeros());
        weight.clear();
        weight.resize(n, 0.0);
    }
    state.anchors.iter_mut().for_each(|a| *a = super::Anchor::default());
    state.devices.iter_mut().flat_map(|d| &mut d.rubs).for_each(|r| *r = super::RubMemory::default());
    prepare_friction(inputs, state, p);
    scratch.frames.load(state);
}
