//! From tree, circulation, patient and lesions to the network; outlets tuned to their resting flows.

use super::ldl::SparseLdl;
use super::lesion::narrowings;
use super::live::LiveLumen;
use super::network::{
    AnastomosisModel, BLEED_MAP_MMHG, BedModel, BranchCells, BranchEnd, InflowModel, Leak, MAX_CELL_MM, NONE,
    Network, OutletModel, RootModel, RootPressure, TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG,
};
use super::resistance::{Half, characteristic_impedance, half_of, half_of_tube, poiseuille};
use super::steady::{pressures_with_leaks, resting_pressures};
use crate::anatomy::{
    Branch, Circulation, LesionDescription, Outlet, Shunt, Supply, VesselId, VesselPlace, VesselTree,
};
use crate::math::Vec3;
use crate::scenario::Patient;
use crate::sim::physiology::mean_of_pressures_mmhg;
use crate::units::{BLOOD_VISCOSITY_MPA_S, MM3_PER_ML, N_PER_MM2_PER_MMHG};

/// Share of a bed's resistance that sits before its compliance, at least (sets how pulsatile its flow is) `[K]`.
const PROXIMAL_SHARE: f64 = 0.42;
/// Time constant of the beds' compliance, s `[K]`.
const WINDKESSEL_S: f64 = 0.35;
/// Softest wall taken (Peterson modulus), mmHg: below, lumped cells could empty.
const MIN_WALL_EP_MMHG: f64 = 375.0;
/// Wall of collaterals and pedicles (Peterson modulus), N/mm2 `[K]`.
const FINE_WALL_EP_N_PER_MM2: f64 = 0.15;
/// Length of the pedicle of a shunt over its diameter.
const PEDICLE_LENGTH: f64 = 4.0;
/// Pressure of the capillaries behind the veins, and by which a gland's secretion exceeds its duct's, mmHg `[K]`.
const CAPILLARY_MMHG: f64 = 20.0;
/// Share of a bed's resistance in the arteries that lead to its anastomoses, per tenfold fall of the diameter from
/// 3 mm to 0.03 mm: with the arterioles beyond, an anastomosis of 0.4 mm sees a tenth of it `[K]`.
const SHARE_PER_DECADE: f64 = 0.12;

impl Network {
    /// Compiles tree, circulation, patient and lesions; a lesion on an unknown vessel is passed over (validation names
    /// it), as is an entry of the circulation. The tree's radii are those without narrowings ([`crate::anatomy::open_tree`]).
    ///
    /// Outlets are tuned on the healthy tree so that the resting flows come out at the patient's mean pressure,
    /// anastomoses and shunts included (where a table's parent flow disagrees, its outlets govern); a bleed's
    /// conductance so that its stated rate comes out at a mean pressure of 90 mmHg.
    pub fn compile(
        tree: &VesselTree,
        circulation: &Circulation,
        patient: &Patient,
        lesions: &[LesionDescription],
    ) -> Self {
        let map = mean_of_pressures_mmhg(patient.systolic_mmhg, patient.diastolic_mmhg);
        let mut net = Self { resting_map_mmhg: map, tree_branches: tree.branches.len(), ..Self::default() };
        for (i, branch) in tree.branches.iter().enumerate() {
            net.lay_branch(tree, branch, supply_of(tree, circulation, i));
        }
        let mut joins: Vec<Option<VesselPlace>> = tree.branches.iter().map(|b| b.distal_join).collect();
        net.lay_collaterals(tree, circulation, &mut joins);
        let pedicles = net.lay_shunts(tree, circulation, &mut joins);
        net.connect(&joins);
        net.find_roots(tree, circulation);
        net.place_outlets(tree, circulation);
        for (branch, shunt) in pedicles {
            net.place_shunt(branch, shunt);
        }
        net.place_returns(tree, circulation);
        net.place_anastomoses(tree, circulation);
        net.lay_ways();
        net.factorize();
        net.tune();
        net.stenoses = narrowings(tree, lesions);
        net.add_bleeds(tree, lesions);
        net
    }

    fn lay_branch(&mut self, tree: &VesselTree, branch: &Branch, supply: Supply) {
        let length = branch.length_mm();
        let start_mm = own_lumen_start_mm(tree, branch);
        let cells = (((length - start_mm) / MAX_CELL_MM).ceil() as u32).max(2);
        let cell_mm = ((length - start_mm) / f64::from(cells)).max(1e-3);
        let (reference, ratio) = match supply {
            Supply::Heart => (self.resting_map_mmhg, 1.0),
            Supply::Veins => (VENOUS_PRESSURE_MMHG, 1.0),
            Supply::Duct { pressure_mmhg, viscosity_mpa_s } => {
                (pressure_mmhg, viscosity_mpa_s / BLOOD_VISCOSITY_MPA_S)
            }
        };
        self.push_branch(start_mm, cell_mm, cells, branch.origin);
        for k in 0..cells {
            let from_mm = start_mm + f64::from(k) * cell_mm;
            let half = |h: f64| half_of(branch, from_mm + h * 0.5 * cell_mm, 0.5 * cell_mm);
            self.push_cell([half(0.0), half(1.0)], branch.wall_ep_n_per_mm2, reference, ratio);
        }
    }

    /// A straight tube that no picture shows; returns its index.
    fn lay_tube(&mut self, from: VesselPlace, diameter_mm: f64, length_mm: f64) -> usize {
        let cells = ((length_mm / MAX_CELL_MM).ceil() as u32).max(2);
        let cell_mm = length_mm / f64::from(cells);
        self.push_branch(0.0, cell_mm, cells, Some(from));
        for _ in 0..cells {
            let half = || half_of_tube(0.5 * diameter_mm, 0.5 * cell_mm);
            self.push_cell([half(), half()], FINE_WALL_EP_N_PER_MM2, self.resting_map_mmhg, 1.0);
        }
        self.branches.len() - 1
    }

    fn push_branch(&mut self, start_mm: f64, cell_mm: f64, cells: u32, origin: Option<VesselPlace>) {
        let last = self.branches.last();
        let (cell0, face0) = last.map_or((0, 0), |b| (b.cell0 + b.cells, b.face0 + b.cells + 1));
        self.branches.push(BranchCells {
            start_mm,
            cell_mm,
            cells,
            cell0,
            face0,
            from: NONE,
            origin,
            end: BranchEnd::Closed,
        });
    }

    fn push_cell(&mut self, halves: [Half; 2], ep_n_per_mm2: f64, reference_mmhg: f64, viscosity: f64) {
        let volume = halves[0].volume_mm3 + halves[1].volume_mm3;
        let ep = (ep_n_per_mm2 / N_PER_MM2_PER_MMHG).max(MIN_WALL_EP_MMHG);
        let index = self.branches.len() - 1;
        let cell_mm = self.branches[index].cell_mm;
        self.cell_branch.push(index as u32);
        self.radius_mm.push((volume / (std::f64::consts::PI * cell_mm)).sqrt());
        self.half_radius_mm.push([halves[0].radius_mm, halves[1].radius_mm]);
        self.half_resistance.push([halves[0].resistance * viscosity, halves[1].resistance * viscosity]);
        self.half_inertance.push([halves[0].inertance, halves[1].inertance]);
        self.volume_ml.push(volume / MM3_PER_ML);
        self.compliance_ml_per_mmhg.push(2.0 * volume / MM3_PER_ML / ep);
        self.reference_mmhg.push(reference_mmhg);
        self.viscosity_ratio.push(viscosity);
    }

    fn lay_collaterals(
        &mut self,
        tree: &VesselTree,
        circulation: &Circulation,
        joins: &mut Vec<Option<VesselPlace>>,
    ) {
        for c in &circulation.collaterals {
            let (Some(from), Some(to)) = (tree.find(&c.from), tree.find(&c.to)) else { continue };
            let from = VesselPlace { vessel: from, arc_mm: c.from_mm };
            self.lay_tube(from, c.diameter_mm, c.length_mm);
            joins.push(Some(VesselPlace { vessel: to, arc_mm: c.to_mm }));
        }
    }

    fn lay_shunts<'a>(
        &mut self,
        tree: &VesselTree,
        circulation: &'a Circulation,
        joins: &mut Vec<Option<VesselPlace>>,
    ) -> Vec<(usize, &'a Shunt)> {
        let mut out = Vec::new();
        for shunt in &circulation.shunts {
            let Some(vessel) = tree.find(&shunt.vessel) else { continue };
            let from = VesselPlace { vessel, arc_mm: shunt.at_mm };
            out.push((self.lay_tube(from, shunt.pedicle_mm, PEDICLE_LENGTH * shunt.pedicle_mm), shunt));
            joins.push(None);
        }
        out
    }

    fn connect(&mut self, joins: &[Option<VesselPlace>]) {
        for (i, join) in joins.iter().enumerate() {
            let known = |p: &VesselPlace| p.vessel.idx() < self.branches.len() && p.vessel.idx() != i;
            let cell = |p: Option<VesselPlace>| {
                p.filter(known).and_then(|p| self.cell_at(p)).map_or(NONE, |c| c as u32)
            };
            let (from, join) = (cell(self.branches[i].origin), cell(*join));
            let b = &mut self.branches[i];
            b.from = from;
            if join != NONE {
                b.end = BranchEnd::Join(join);
            }
            let (cell0, cells) = (b.cell0, b.cells);
            for k in 0..=cells {
                let before = if k == 0 { from } else { cell0 + k - 1 };
                let behind = if k == cells { join } else { cell0 + k };
                self.face_cells.push([before, behind]);
                // A branch that leaves or joins another starts or ends in the middle of that other's cell.
                let own_before = if k == 0 || before == NONE { NONE } else { before };
                let own_behind = if k == cells { NONE } else { behind };
                self.face_halves.push([own_before, own_behind]);
            }
        }
        let length = |c: u32| self.branches[self.cell_branch[c as usize] as usize].cell_mm;
        let shape = |&[a, b]: &[u32; 2]| {
            if a == NONE || b == NONE {
                return [0.0; 2];
            }
            let r = self.radius_mm[a as usize].min(self.radius_mm[b as usize]);
            let distance_mm = 0.5 * (length(a) + length(b));
            [std::f64::consts::PI * r * r / distance_mm, r / distance_mm]
        };
        self.face_shape = self.face_cells.iter().map(shape).collect();
    }

    fn find_roots(&mut self, tree: &VesselTree, circulation: &Circulation) {
        for (i, b) in self.branches.iter().enumerate().filter(|(_, b)| b.from == NONE) {
            let supply =
                if i < tree.branches.len() { supply_of(tree, circulation, i) } else { Supply::Heart };
            let pressure = match supply {
                Supply::Heart => RootPressure::Arterial,
                Supply::Veins => RootPressure::Venous,
                Supply::Duct { pressure_mmhg, .. } => RootPressure::Fixed(pressure_mmhg),
            };
            self.roots.push(RootModel { face: b.face0, cell: b.cell0, pressure });
        }
    }

    fn place_outlets(&mut self, tree: &VesselTree, circulation: &Circulation) {
        for (i, branch) in tree.branches.iter().enumerate() {
            let closed = self.branches[i].end == BranchEnd::Closed;
            let Some(outlet) = branch.outlet.as_ref().filter(|_| closed) else { continue };
            match supply_of(tree, circulation, i) {
                Supply::Heart => {
                    let diameter_mm = 2.0 * branch.at(branch.length_mm()).radius_mm;
                    self.place_bed(i, outlet, diameter_mm, 0.0);
                }
                supply => self.place_inflow(i, outlet.flow_ml_per_s, supply == Supply::Veins),
            }
        }
    }

    fn place_shunt(&mut self, branch: usize, shunt: &Shunt) {
        let (x, y, z) = shunt.center_mm;
        let outlet = Outlet {
            bed: shunt.name.clone(),
            flow_ml_per_s: shunt.flow_ml_per_min / 60.0,
            transit_s: shunt.transit_s,
            blush_center_mm: Vec3::new(x, y, z),
            blush_radius_mm: shunt.radius_mm,
        };
        self.place_bed(branch, &outlet, shunt.pedicle_mm, shunt.channel_mm);
    }

    fn place_bed(&mut self, branch: usize, outlet: &Outlet, diameter_mm: f64, channel_mm: f64) {
        let at = self.outlets.len() as u32;
        let bed = self.bed_of(outlet, at);
        let b = &mut self.branches[branch];
        b.end = BranchEnd::Outlet(at);
        self.outlets.push(OutletModel {
            branch: VesselId(branch as u32),
            cell: b.cell0 + b.cells - 1,
            bed,
            resting_flow_ml_per_s: outlet.flow_ml_per_s.max(1e-4),
            proximal_mmhg_s_per_ml: 0.0,
            distal_mmhg_s_per_ml: 0.0,
            compliance_ml_per_mmhg: 0.0,
            transit_s: outlet.transit_s.max(0.05),
            diameter_mm,
            node_share: 0.0,
            node: NONE,
            capillary: NONE,
            vein: NONE,
            anastomosis_mm: 0.0,
            channel_mm,
        });
    }

    fn place_inflow(&mut self, branch: usize, flow_ml_per_s: f64, is_blood: bool) {
        let b = &mut self.branches[branch];
        b.end = BranchEnd::Inflow(self.inflows.len() as u32);
        self.inflows.push(InflowModel {
            cell: b.cell0 + b.cells - 1,
            conductance_ml_per_s_mmhg: 0.0,
            source_mmhg: 0.0,
            is_blood,
            resting_flow_ml_per_s: flow_ml_per_s.max(0.0),
        });
    }

    fn bed_of(&mut self, outlet: &Outlet, index: u32) -> u32 {
        if let Some(at) = self.beds.iter().position(|b| b.name == outlet.bed) {
            self.beds[at].outlets.push(index);
            return at as u32;
        }
        self.beds.push(BedModel {
            name: outlet.bed.clone(),
            outlets: vec![index],
            center_mm: outlet.blush_center_mm,
            radius_mm: outlet.blush_radius_mm,
        });
        (self.beds.len() - 1) as u32
    }

    /// Beds drain into the distal ends of their veins, which then need no inflow of their own.
    fn place_returns(&mut self, tree: &VesselTree, circulation: &Circulation) {
        for r in &circulation.returns {
            let (Some(vein), Some(bed)) =
                (tree.find(&r.vein), self.beds.iter().position(|b| b.name == r.bed))
            else {
                continue;
            };
            let b = self.branches[vein.idx()];
            if let BranchEnd::Inflow(i) = b.end {
                self.inflows[i as usize].resting_flow_ml_per_s = 0.0;
            }
            for outlet in self.outlets.iter_mut().filter(|o| o.bed as usize == bed) {
                outlet.vein = b.cell0 + b.cells - 1;
            }
        }
    }

    fn place_anastomoses(&mut self, tree: &VesselTree, circulation: &Circulation) {
        for a in &circulation.anastomoses {
            let outlet = |name: &String| {
                let vessel = tree.find(name)?;
                self.outlets.iter().position(|o| o.branch == vessel)
            };
            let (Some(from), Some(to)) = (outlet(&a.from), outlet(&a.to)) else { continue };
            if from == to {
                continue;
            }
            for o in [from, to] {
                let outlet = &mut self.outlets[o];
                outlet.anastomosis_mm = outlet.anastomosis_mm.max(a.diameter_mm);
            }
            let count = f64::from(a.count.max(1));
            self.anastomoses.push(AnastomosisModel {
                outlets: [from as u32, to as u32],
                diameter_mm: a.diameter_mm,
                count,
                resistance_mmhg_s_per_ml: poiseuille(0.5 * a.diameter_mm, a.length_mm) / count,
            });
        }
    }

    /// Numbers the nodes of beds behind the cells and analyses the matrix; the order of its edges is that in which
    /// [`super::system`] gives their values.
    fn factorize(&mut self) {
        let mut edges = Vec::new();
        for (f, c) in self.face_cells.iter().enumerate() {
            if c[0] != NONE && c[1] != NONE {
                self.inner_faces.push(f as u32);
                edges.push((c[0], c[1]));
            }
        }
        let mut next = self.cells() as u32;
        for o in &mut self.outlets {
            o.capillary = next;
            next += 1;
            if o.anastomosis_mm > 0.0 {
                o.node = next;
                next += 1;
                edges.extend([(o.cell, o.node), (o.node, o.capillary)]);
            } else {
                edges.push((o.cell, o.capillary));
            }
            if o.vein != NONE {
                edges.push((o.capillary, o.vein));
            }
        }
        for a in &self.anastomoses {
            let node = |i: usize| self.outlets[a.outlets[i] as usize].node;
            edges.push((node(0), node(1)));
        }
        self.unknowns = next as usize;
        self.ldl = SparseLdl::new(self.unknowns, &edges);
    }

    /// Sets all resistances behind the outlets so that each takes its resting flow from the tree.
    fn tune(&mut self) {
        let pressures = resting_pressures(self);
        let map = self.resting_map_mmhg;
        let mut nodes = vec![(0.0, 0.0); self.outlets.len()];
        for (o, outlet) in self.outlets.iter_mut().enumerate() {
            let cell = outlet.cell as usize;
            let flow = outlet.resting_flow_ml_per_s;
            let end_mmhg = pressures[cell] - flow * self.half_resistance[cell][1];
            let vein_mmhg = vein_pressure(&pressures, outlet.vein);
            // A vessel too narrow for its stated flow: the bed keeps a third of the pressure and the flow falls short.
            let drop = (end_mmhg - vein_mmhg).max(0.3 * (map - vein_mmhg)).max(1.0);
            let total = drop / flow;
            let ep = 2.0 * self.volume_ml[cell] / self.compliance_ml_per_mmhg[cell];
            let impedance = characteristic_impedance(outlet.diameter_mm, ep);
            outlet.proximal_mmhg_s_per_ml = impedance.max(PROXIMAL_SHARE * total).min(0.9 * total);
            outlet.distal_mmhg_s_per_ml = total - outlet.proximal_mmhg_s_per_ml;
            let decades = (3.0 / outlet.anastomosis_mm.clamp(0.03, 3.0)).log10();
            let before =
                if outlet.node == NONE { 0.0 } else { (SHARE_PER_DECADE * decades).max(0.01) * total };
            outlet.node_share = (before / outlet.proximal_mmhg_s_per_ml).min(0.9);
            let before = outlet.node_share * outlet.proximal_mmhg_s_per_ml;
            nodes[o] = (vein_mmhg + drop - flow * before, flow);
        }
        // What the anastomoses carry at rest comes out of one bed's capillaries and into the other's.
        for a in &self.anastomoses {
            let [i, j] = a.outlets.map(|o| o as usize);
            let q = (nodes[i].0 - nodes[j].0) / a.resistance_mmhg_s_per_ml;
            nodes[i].1 -= q;
            nodes[j].1 += q;
        }
        for (outlet, (node_mmhg, through)) in self.outlets.iter_mut().zip(nodes) {
            if outlet.node != NONE {
                let before = outlet.node_share * outlet.proximal_mmhg_s_per_ml;
                let behind = outlet.proximal_mmhg_s_per_ml - before;
                let rest = (node_mmhg - vein_pressure(&pressures, outlet.vein))
                    / through.max(0.02 * outlet.resting_flow_ml_per_s);
                let scale = rest / (behind + outlet.distal_mmhg_s_per_ml);
                outlet.proximal_mmhg_s_per_ml = before + behind * scale;
                outlet.node_share = before / outlet.proximal_mmhg_s_per_ml;
                outlet.distal_mmhg_s_per_ml *= scale;
            }
            outlet.compliance_ml_per_mmhg = WINDKESSEL_S / outlet.distal_mmhg_s_per_ml;
        }
        for inflow in &mut self.inflows {
            let end_mmhg = pressures[inflow.cell as usize];
            inflow.source_mmhg = end_mmhg + CAPILLARY_MMHG;
            inflow.conductance_ml_per_s_mmhg = inflow.resting_flow_ml_per_s / CAPILLARY_MMHG;
        }
    }

    fn add_bleeds(&mut self, tree: &VesselTree, lesions: &[LesionDescription]) {
        for lesion in lesions {
            let LesionDescription::Bleeding { name, flow_ml_per_min, share_of_time, period_s, .. } = lesion
            else {
                continue;
            };
            let Some(place) = lesion.on(tree) else { continue };
            let Some(cell) = self.cell_at(place) else { continue };
            let at = tree.branch(place.vessel).at(place.arc_mm);
            self.leaks.push(Leak {
                id: name.clone(),
                place,
                cell: cell as u32,
                conductance_ml_per_s_mmhg: 0.0,
                position_mm: at.position_mm + at.normal * at.radius_mm,
                outward: at.normal,
                stated_flow_ml_per_s: flow_ml_per_min.max(0.0) / 60.0,
                share_of_time: *share_of_time,
                period_s: *period_s,
            });
        }
        if self.leaks.is_empty() {
            return;
        }
        let open: Vec<f64> = self.stenoses.iter().map(|s| s.open_share).collect();
        let pressures = pressures_with_leaks(self, &LiveLumen::new(self, &[], &open), BLEED_MAP_MMHG);
        for leak in &mut self.leaks {
            let over = (pressures[leak.cell as usize] - TISSUE_PRESSURE_MMHG).max(5.0);
            leak.conductance_ml_per_s_mmhg = leak.stated_flow_ml_per_s / over;
        }
    }
}

fn vein_pressure(pressures_mmhg: &[f64], vein: u32) -> f64 {
    if vein == NONE { VENOUS_PRESSURE_MMHG } else { pressures_mmhg[vein as usize] }
}

/// What drives the root above a branch.
fn supply_of(tree: &VesselTree, circulation: &Circulation, branch: usize) -> Supply {
    let route = tree.route(VesselId(branch as u32));
    let root = &tree.branch(route[0]).name;
    circulation.roots.iter().find(|r| r.vessel == *root).map_or(Supply::Heart, |r| r.supply)
}

/// Arc length at which a child's centerline leaves the lumen of its parent, at most half its length.
fn own_lumen_start_mm(tree: &VesselTree, branch: &Branch) -> f64 {
    let Some(origin) = branch.origin.filter(|o| o.vessel.idx() < tree.branches.len()) else { return 0.0 };
    let parent = tree.branch(origin.vessel);
    let inside = |p: &Vec3| {
        let mut ratio = f64::INFINITY;
        for w in parent.points.windows(2) {
            let d = w[1].position_mm - w[0].position_mm;
            let t = ((p - w[0].position_mm).dot(&d) / d.norm_squared().max(1e-12)).clamp(0.0, 1.0);
            let r = w[0].radius_mm + t * (w[1].radius_mm - w[0].radius_mm);
            ratio = ratio.min((p - (w[0].position_mm + d * t)).norm() / r.max(1e-3));
        }
        ratio
    };
    let limit = 0.5 * branch.length_mm();
    let mut last = (0.0, 0.0);
    for point in &branch.points {
        let ratio = inside(&point.position_mm);
        if ratio >= 1.0 {
            let t = if ratio > last.1 { (1.0 - last.1) / (ratio - last.1) } else { 0.0 };
            return (last.0 + t.clamp(0.0, 1.0) * (point.arc_mm - last.0)).min(limit);
        }
        if point.arc_mm >= limit {
            break;
        }
        last = (point.arc_mm, ratio);
    }
    limit
}
