//! The pressure equations of a tick: assembled, solved, and turned back into flows.

use super::live::LiveLumen;
use super::network::{NONE, Network, RootPressure, TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG};
use super::state::FlowState;
use super::{LumenChange, Obstruction, Source};

/// What acts on the blood during a tick.
#[derive(Clone, Copy, Debug)]
pub struct FlowInputs<'a> {
    /// Pressure at the arterial roots, mmHg.
    pub root_mmhg: f64,
    /// Pressure of the central veins, mmHg.
    pub venous_mmhg: f64,
    /// Devices in vessels.
    pub obstructions: &'a [Obstruction],
    /// Lumens filled with coils.
    pub packing: &'a [LumenChange],
    /// Injections.
    pub sources: &'a [Source],
    /// Per outlet: present resistance of its bed per resistance at rest, before and behind the node of its
    /// anastomoses (equal without); missing entries are 1.
    pub bed_resistance_factor: &'a [[f64; 2]],
    /// Per anastomosis: share of its conductance still open; missing entries are 1.
    pub anastomosis_open_share: &'a [f64],
    /// Per leak: share still open; missing entries are 1.
    pub leak_open_share: &'a [f64],
    /// Active nitroglycerin, ug: loosens spasm.
    pub nitroglycerin_ug: f64,
}

impl Default for FlowInputs<'_> {
    fn default() -> Self {
        Self {
            root_mmhg: 0.0,
            venous_mmhg: VENOUS_PRESSURE_MMHG,
            obstructions: &[],
            packing: &[],
            sources: &[],
            bed_resistance_factor: &[],
            anastomosis_open_share: &[],
            leak_open_share: &[],
            nitroglycerin_ug: 0.0,
        }
    }
}

impl FlowInputs<'_> {
    pub(super) fn bed_factor(&self, outlet: usize) -> [f64; 2] {
        self.bed_resistance_factor.get(outlet).copied().unwrap_or([1.0; 2])
    }

    pub(super) fn root(&self, pressure: RootPressure) -> f64 {
        match pressure {
            RootPressure::Arterial => self.root_mmhg,
            RootPressure::Venous => self.venous_mmhg,
            RootPressure::Fixed(p) => p,
        }
    }
}

/// Conductances of an outlet: from its cell on, from its node on (0 without one), to the veins; mL/(s mmHg).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BedConductance {
    pub entry: f64,
    pub inner: f64,
    pub exit: f64,
    /// Compliance, mL/mmHg.
    pub compliance: f64,
}

/// Buffers that carry nothing from tick to tick but what is derived from model and state.
#[derive(Clone, Debug, Default)]
pub struct FlowScratch {
    pub(super) live: LiveLumen,
    /// With devices.
    pub(super) half_resistance: Vec<[f64; 2]>,
    pub(super) face_resistance: Vec<f64>,
    pub(super) touched: Vec<u32>,
    pub(super) net_source: Vec<f64>,
    pub(super) last_flow: Vec<f64>,
    pub(super) conductance: Vec<f64>,
    pub(super) drive: Vec<f64>,
    pub(super) beds: Vec<BedConductance>,
    pub(super) anastomoses: Vec<f64>,
    pub(super) leaks: Vec<f64>,
    pub(super) diagonal: Vec<f64>,
    pub(super) edge: Vec<f64>,
    /// After a solve: pressure of each unknown, mmHg.
    pub(super) rhs: Vec<f64>,
    pub(super) work: Vec<f64>,
    pub(super) balance: Vec<f64>,
}

/// Conductances of beds, anastomoses and leaks for this tick.
pub(super) fn terminals(net: &Network, state: &FlowState, s: &mut FlowScratch, inputs: &FlowInputs<'_>) {
    s.beds.clear();
    for (i, o) in net.outlets.iter().enumerate() {
        let [near, far] = inputs.bed_factor(i);
        let half = s.half_resistance[o.cell as usize][1];
        let before = o.node_share * o.proximal_mmhg_s_per_ml * near;
        let behind = (1.0 - o.node_share) * o.proximal_mmhg_s_per_ml * far;
        let exit = 1.0 / (o.distal_mmhg_s_per_ml * far);
        let compliance = o.compliance_ml_per_mmhg / far;
        s.beds.push(if o.node == NONE {
            BedConductance { entry: 1.0 / (half + before + behind), inner: 0.0, exit, compliance }
        } else {
            BedConductance { entry: 1.0 / (half + before), inner: 1.0 / behind, exit, compliance }
        });
    }
    s.anastomoses.clear();
    for (i, a) in net.anastomoses.iter().enumerate() {
        let open = inputs.anastomosis_open_share.get(i).copied().unwrap_or(1.0);
        s.anastomoses.push(open.max(0.0) / a.resistance_mmhg_s_per_ml);
    }
    s.leaks.clear();
    for (i, l) in state.leaks.iter().enumerate() {
        // None where the vessel has less pressure than the tissue.
        let bleeding = state.pressure_mmhg[l.cell as usize] > TISSUE_PRESSURE_MMHG;
        let open = inputs.leak_open_share.get(i).copied().unwrap_or(1.0);
        s.leaks.push(if bleeding { l.conductance_ml_per_s_mmhg * open } else { 0.0 });
    }
}

/// Conductance of each face and the part of its flow that inertia and the turbulent loss keep (Newton about the
/// present flow: `K Q |Q| = 2 K |Q0| Q - K Q0 |Q0|`).
pub(super) fn faces(state: &FlowState, s: &mut FlowScratch, inv_dt: f64) {
    s.conductance.clear();
    s.drive.clear();
    let inertia = s.live.face_inertance.iter().zip(&s.last_flow);
    for (r, (l, q)) in s.face_resistance.iter().zip(inertia) {
        let g = 1.0 / (l * inv_dt + r).max(1e-9);
        s.conductance.push(g);
        s.drive.push(g * l * inv_dt * q);
    }
    if s.live.is_turbulent {
        for (f, k) in s.live.face_quadratic.iter().enumerate().filter(|(_, k)| **k > 0.0) {
            let q = state.face_flow_ml_per_s[f];
            let l = s.live.face_inertance[f] * inv_dt;
            let g = 1.0 / (l + s.face_resistance[f] + 2.0 * k * q.abs()).max(1e-9);
            s.conductance[f] = g;
            s.drive[f] = g * (l * s.last_flow[f] + k * q * q.abs());
        }
    }
}

/// Assembles and solves; pressures are then in `s.rhs`. `inv_dt` 0 gives the steady state.
pub(super) fn solve(
    net: &Network,
    state: &FlowState,
    s: &mut FlowScratch,
    inputs: &FlowInputs<'_>,
    inv_dt: f64,
) {
    cells(net, state, s, inv_dt);
    for &f in &net.inner_faces {
        let (g, drive) = (s.conductance[f as usize], s.drive[f as usize]);
        let [a, b] = net.face_cells[f as usize];
        s.edge.push(-g);
        s.diagonal[a as usize] += g;
        s.diagonal[b as usize] += g;
        s.rhs[a as usize] -= drive;
        s.rhs[b as usize] += drive;
    }
    for root in &net.roots {
        let (f, cell) = (root.face as usize, root.cell as usize);
        s.diagonal[cell] += s.conductance[f];
        s.rhs[cell] += s.conductance[f] * inputs.root(root.pressure) + s.drive[f];
    }
    beds(net, state, s, inputs.venous_mmhg, inv_dt);
    for (i, inflow) in net.inflows.iter().enumerate() {
        s.diagonal[inflow.cell as usize] += inflow.conductance_ml_per_s_mmhg;
        s.rhs[inflow.cell as usize] += inflow.conductance_ml_per_s_mmhg * inflow_mmhg(net, state, i);
    }
    for (l, g) in state.leaks.iter().zip(&s.leaks) {
        s.diagonal[l.cell as usize] += g;
        s.rhs[l.cell as usize] += g * TISSUE_PRESSURE_MMHG;
    }
    net.ldl.solve(&mut s.diagonal, &s.edge, &mut s.rhs, &mut s.work);
}

/// Cells: `V = V0 a + C a (P - Pref)` with the area `a` of the moment, so a lumen that closes pushes its blood out.
fn cells(net: &Network, state: &FlowState, s: &mut FlowScratch, inv_dt: f64) {
    s.diagonal.clear();
    s.rhs.clear();
    s.edge.clear();
    for (c, last) in state.last_pressure_mmhg.iter().enumerate() {
        let compliance = net.compliance_ml_per_mmhg[c] * inv_dt;
        let (now, before) = (state.area_factor[c], state.last_area_factor[c]);
        s.diagonal.push(compliance * now);
        if now.to_bits() == before.to_bits() {
            s.rhs.push(compliance * now * last + s.net_source[c]);
        } else {
            let reference = net.reference_mmhg[c];
            let kept = compliance * (now * reference + before * (last - reference));
            s.rhs.push(kept - net.volume_ml[c] * (now - before) * inv_dt + s.net_source[c]);
        }
    }
    s.diagonal.resize(net.unknowns, 0.0);
    s.rhs.resize(net.unknowns, 0.0);
}

/// Beds: cell, node of the anastomoses, compliance, veins.
fn beds(net: &Network, state: &FlowState, s: &mut FlowScratch, venous_mmhg: f64, inv_dt: f64) {
    let join = |s: &mut FlowScratch, a: u32, b: u32, g: f64| {
        s.edge.push(-g);
        s.diagonal[a as usize] += g;
        s.diagonal[b as usize] += g;
    };
    for (i, o) in net.outlets.iter().enumerate() {
        let bed = s.beds[i];
        if o.node == NONE {
            join(s, o.cell, o.capillary, bed.entry);
        } else {
            join(s, o.cell, o.node, bed.entry);
            join(s, o.node, o.capillary, bed.inner);
        }
        let capillary = o.capillary as usize;
        s.diagonal[capillary] += bed.compliance * inv_dt;
        s.rhs[capillary] += bed.compliance * inv_dt * state.outlet_pressure_mmhg[i];
        if o.vein == NONE {
            s.diagonal[capillary] += bed.exit;
            s.rhs[capillary] += bed.exit * venous_mmhg;
        } else {
            join(s, o.capillary, o.vein, bed.exit);
        }
    }
    for (i, a) in net.anastomoses.iter().enumerate() {
        let node = |k: usize| net.outlets[a.outlets[k] as usize].node;
        let g = s.anastomoses[i];
        join(s, node(0), node(1), g);
    }
}

/// Pressure behind an inflow now.
fn inflow_mmhg(net: &Network, state: &FlowState, index: usize) -> f64 {
    let inflow = &net.inflows[index];
    let share = if inflow.is_blood { state.mean_root_mmhg / net.resting_map_mmhg } else { 1.0 };
    inflow.source_mmhg * share
}

/// Flows between cells and at the roots from the pressures of a solve.
pub(super) fn face_flows(net: &Network, state: &mut FlowState, s: &FlowScratch, inputs: &FlowInputs<'_>) {
    for &f in &net.inner_faces {
        let f = f as usize;
        let [a, b] = net.face_cells[f];
        state.face_flow_ml_per_s[f] = s.conductance[f] * (s.rhs[a as usize] - s.rhs[b as usize]) + s.drive[f];
    }
    for root in &net.roots {
        let f = root.face as usize;
        state.face_flow_ml_per_s[f] =
            s.conductance[f] * (inputs.root(root.pressure) - s.rhs[root.cell as usize]) + s.drive[f];
    }
}

/// Flows and inner pressures of beds, anastomoses, inflows and leaks from the pressures of a solve.
pub(super) fn terminal_flows(net: &Network, state: &mut FlowState, s: &FlowScratch, inputs: &FlowInputs<'_>) {
    for (i, o) in net.outlets.iter().enumerate() {
        let bed = s.beds[i];
        let next = if o.node == NONE { o.capillary } else { o.node };
        let q = bed.entry * (s.rhs[o.cell as usize] - s.rhs[next as usize]);
        let inner = s.rhs[o.capillary as usize];
        let vein = if o.vein == NONE { inputs.venous_mmhg } else { s.rhs[o.vein as usize] };
        state.outlet_flow_ml_per_s[i] = q;
        state.capillary_flow_ml_per_s[i] =
            if o.node == NONE { q } else { bed.inner * (s.rhs[o.node as usize] - inner) };
        state.return_flow_ml_per_s[i] = bed.exit * (inner - vein);
        state.outlet_pressure_mmhg[i] = inner;
        let end = net.faces_of(o.cell as usize).1;
        state.face_flow_ml_per_s[end] = q;
    }
    for (i, a) in net.anastomoses.iter().enumerate() {
        let node = |k: usize| s.rhs[net.outlets[a.outlets[k] as usize].node as usize];
        state.anastomosis_flow_ml_per_s[i] = s.anastomoses[i] * (node(0) - node(1));
    }
    for (i, inflow) in net.inflows.iter().enumerate() {
        let q = inflow.conductance_ml_per_s_mmhg * (inflow_mmhg(net, state, i) - s.rhs[inflow.cell as usize]);
        let end = net.faces_of(inflow.cell as usize).1;
        state.face_flow_ml_per_s[end] = -q;
    }
    for (i, g) in s.leaks.iter().enumerate() {
        state.leak_flow_ml_per_s[i] = g * (s.rhs[state.leaks[i].cell as usize] - TISSUE_PRESSURE_MMHG);
    }
}

/// Largest imbalance of a cell: inflow minus outflow minus what its wall takes up, mL/s.
pub(super) fn residual(net: &Network, state: &FlowState, s: &mut FlowScratch, inv_dt: f64) -> f64 {
    let mut balance = std::mem::take(&mut s.balance);
    balance.clone_from(&s.net_source);
    for (f, q) in state.face_flow_ml_per_s.iter().enumerate() {
        let [a, b] = net.face_cells[f];
        if a != NONE {
            balance[a as usize] -= q;
        }
        if b != NONE {
            balance[b as usize] += q;
        }
    }
    for (o, q) in net.outlets.iter().zip(&state.return_flow_ml_per_s).filter(|(o, _)| o.vein != NONE) {
        balance[o.vein as usize] += q;
    }
    for (l, q) in state.leaks.iter().zip(&state.leak_flow_ml_per_s) {
        balance[l.cell as usize] -= q;
    }
    let mut worst: f64 = 0.0;
    for (c, b) in balance.iter().enumerate() {
        let grown = state.unclamped_volume_ml(net, c, true) - state.unclamped_volume_ml(net, c, false);
        worst = worst.max((b - grown * inv_dt).abs());
    }
    s.balance = balance;
    worst
}
