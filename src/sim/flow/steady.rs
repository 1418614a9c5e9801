//! Steady pressures, for tuning and for the first state.

use super::live::LiveLumen;
use super::network::{NONE, Network, VENOUS_PRESSURE_MMHG};
use super::state::FlowState;
use super::system::{self, FlowInputs, FlowScratch};

/// Newton steps for the turbulent losses of the first state.
const STEADY_ITERATIONS: usize = 40;

/// Pressure of each cell when every outlet of the healthy tree takes its resting flow and every inflow gives its own.
pub(super) fn resting_pressures(net: &Network) -> Vec<f64> {
    let mut diagonal = vec![0.0; net.unknowns];
    let mut rhs = vec![0.0; net.unknowns];
    let mut edge = Vec::new();
    let live = LiveLumen::new(net, &[], &[]);
    for &f in &net.inner_faces {
        let g = 1.0 / live.face_resistance[f as usize].max(1e-9);
        let [a, b] = net.face_cells[f as usize];
        edge.push(-g);
        diagonal[a as usize] += g;
        diagonal[b as usize] += g;
    }
    let inputs = FlowInputs { root_mmhg: net.resting_map_mmhg, ..FlowInputs::default() };
    for root in &net.roots {
        let g = 1.0 / live.face_resistance[root.face as usize].max(1e-9);
        diagonal[root.cell as usize] += g;
        rhs[root.cell as usize] += g * inputs.root(root.pressure);
    }
    for o in &net.outlets {
        rhs[o.cell as usize] -= o.resting_flow_ml_per_s;
        if o.vein != NONE {
            rhs[o.vein as usize] += o.resting_flow_ml_per_s;
        }
    }
    for i in &net.inflows {
        rhs[i.cell as usize] += i.resting_flow_ml_per_s;
    }
    // Nodes of beds are cut off.
    for d in &mut diagonal[net.cells()..] {
        *d = 1.0;
    }
    edge.resize(net.ldl.edges(), 0.0);
    net.ldl.solve(&mut diagonal, &edge, &mut rhs, &mut Vec::new());
    rhs.truncate(net.cells());
    rhs
}

/// Pressure of each cell with tuned outlets when every leak takes its stated flow.
pub(super) fn pressures_with_leaks(net: &Network, live: &LiveLumen, root_mmhg: f64) -> Vec<f64> {
    let mut state = FlowState::blank(net);
    let mut s = FlowScratch::open(net, live.clone());
    for leak in &net.leaks {
        s.net_source[leak.cell as usize] -= leak.stated_flow_ml_per_s;
    }
    relax(net, &mut state, &mut s, root_mmhg);
    s.rhs.truncate(net.cells());
    s.rhs
}

/// Iterates a state to the steady one at a root pressure.
pub(super) fn relax(net: &Network, state: &mut FlowState, s: &mut FlowScratch, root_mmhg: f64) {
    let inputs = FlowInputs { root_mmhg, venous_mmhg: VENOUS_PRESSURE_MMHG, ..FlowInputs::default() };
    state.mean_root_mmhg = root_mmhg;
    let iterations = if s.live.is_turbulent { STEADY_ITERATIONS } else { 2 };
    for _ in 0..iterations {
        system::terminals(net, state, s, &inputs);
        system::faces(state, s, 0.0);
        system::solve(net, state, s, &inputs, 0.0);
        system::face_flows(net, state, s, &inputs);
        system::terminal_flows(net, state, s, &inputs);
        state.pressure_mmhg.copy_from_slice(&s.rhs[..net.cells()]);
    }
}
