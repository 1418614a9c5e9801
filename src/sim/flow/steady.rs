//! Steady pressures, for tuning and for the first state.

use super::network::{NONE, Network, TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG};

/// The steady pressure equations.
struct Steady {
    diagonal: Vec<f64>,
    rhs: Vec<f64>,
    edge: Vec<f64>,
}

/// Resistance of a face in the open network, mmHg s/mL.
fn face_resistance(net: &Network, face: usize) -> f64 {
    let [before, behind] = face_halves(net, face);
    before.map_or(0.0, |c| net.half_resistance[c][1]) + behind.map_or(0.0, |c| net.half_resistance[c][0])
}

/// Is the cell before the face of the same branch as the one behind it.
fn same_branch(net: &Network, face: usize) -> bool {
    let [a, b] = net.face_cells[face];
    a != NONE && b != NONE && net.cell_branch[a as usize] == net.cell_branch[b as usize]
}

/// Is it the last face of a branch that joins another.
fn is_join(net: &Network, face: usize) -> bool {
    let [a, b] = net.face_cells[face];
    if a == NONE || b == NONE || same_branch(net, face) {
        return false;
    }
    let branch = &net.branches[net.cell_branch[a as usize] as usize];
    branch.face0 + branch.cells == face as u32
}

/// The cells whose distal half and whose proximal half make up a face: a branch that leaves or joins another starts
/// or ends in the middle of that other's cell.
pub(super) fn face_halves(net: &Network, face: usize) -> [Option<usize>; 2] {
    let [a, b] = net.face_cells[face];
    let own = same_branch(net, face);
    let join = is_join(net, face);
    let before = (a != NONE && (own || join)).then_some(a as usize);
    let behind = (b != NONE && !join).then_some(b as usize);
    [before, behind]
}

fn assemble(net: &Network, root_mmhg: f64) -> Steady {
    let n = net.cells();
    let mut s =
        Steady { diagonal: vec![0.0; n], rhs: vec![0.0; n], edge: Vec::with_capacity(net.inner_faces.len()) };
    for &f in &net.inner_faces {
        let g = 1.0 / face_resistance(net, f as usize).max(1e-9);
        let [a, b] = net.face_cells[f as usize];
        s.edge.push(-g);
        s.diagonal[a as usize] += g;
        s.diagonal[b as usize] += g;
    }
    for &f in &net.root_faces {
        let g = 1.0 / face_resistance(net, f as usize).max(1e-9);
        let cell = net.face_cells[f as usize][1] as usize;
        s.diagonal[cell] += g;
        s.rhs[cell] += g * root_mmhg;
    }
    s
}

/// Pressure at the end of each outlet's branch when every outlet takes its resting flow.
pub(super) fn outlet_pressures(net: &Network, root_mmhg: f64) -> Vec<f64> {
    let mut s = assemble(net, root_mmhg);
    for o in &net.outlets {
        s.rhs[o.cell as usize] -= o.resting_flow_ml_per_s;
    }
    net.ldl.solve(&mut s.diagonal, &s.edge, &mut s.rhs, &mut Vec::new());
    net.outlets
        .iter()
        .map(|o| s.rhs[o.cell as usize] - o.resting_flow_ml_per_s * net.half_resistance[o.cell as usize][1])
        .collect()
}

/// Pressure at each leak when every leak takes its stated flow.
pub(super) fn pressures_with_leaks(net: &Network, root_mmhg: f64) -> Vec<f64> {
    let mut s = assemble(net, root_mmhg);
    add_outlets(net, &mut s);
    for leak in &net.leaks {
        s.rhs[leak.cell as usize] -= leak.stated_flow_ml_per_s;
    }
    net.ldl.solve(&mut s.diagonal, &s.edge, &mut s.rhs, &mut Vec::new());
    net.leaks.iter().map(|l| s.rhs[l.cell as usize]).collect()
}

fn add_outlets(net: &Network, s: &mut Steady) {
    for o in &net.outlets {
        let cell = o.cell as usize;
        let g = 1.0 / (net.half_resistance[cell][1] + o.proximal_mmhg_s_per_ml + o.distal_mmhg_s_per_ml);
        s.diagonal[cell] += g;
        s.rhs[cell] += g * VENOUS_PRESSURE_MMHG;
    }
}

/// Steady pressures of the open network with its leaks.
pub(super) fn steady_pressures(net: &Network, root_mmhg: f64) -> Vec<f64> {
    let mut s = assemble(net, root_mmhg);
    add_outlets(net, &mut s);
    for leak in &net.leaks {
        s.diagonal[leak.cell as usize] += leak.conductance_ml_per_s_mmhg;
        s.rhs[leak.cell as usize] += leak.conductance_ml_per_s_mmhg * TISSUE_PRESSURE_MMHG;
    }
    net.ldl.solve(&mut s.diagonal, &s.edge, &mut s.rhs, &mut Vec::new());
    s.rhs
}
