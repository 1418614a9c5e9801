//! The immutable network: cells of at most 2 mm along every branch, faces between them, outlets, leaks.

use super::ldl::SparseLdl;
use super::lesion::{Narrowing, narrowings};
use super::steady::{outlet_pressures, pressures_with_leaks};
use crate::anatomy::{Branch, VesselId, VesselPlace, VesselTree};
use crate::math::Vec3;
use crate::scenario::{Lesion, Patient};
use crate::sim::physiology::mean_of_pressures_mmhg;
use crate::units::{
    BLOOD_DENSITY_T_PER_MM3, BLOOD_VISCOSITY_MPA_S, MM3_PER_ML, MMHG_S_PER_MPA_S, N_PER_MM2_PER_MMHG,
};

/// Longest cell, mm.
pub const MAX_CELL_MM: f64 = 2.0;
/// Pressure behind the beds, mmHg `[K]`.
pub const VENOUS_PRESSURE_MMHG: f64 = 5.0;
/// Pressure of the tissue into which a leak bleeds, mmHg `[K]`.
pub const TISSUE_PRESSURE_MMHG: f64 = 10.0;
/// Mean pressure at which the stated rate of a bleed holds, mmHg.
pub const BLEED_MAP_MMHG: f64 = 90.0;
/// No cell: outside, or a closed end.
pub const NONE: u32 = u32::MAX;
/// Share of a bed's resistance that sits before its compliance, at least (sets how pulsatile its flow is) `[K]`.
const PROXIMAL_SHARE: f64 = 0.42;
/// Time constant of the beds' compliance, s `[K]`.
const WINDKESSEL_S: f64 = 0.35;
/// Softest wall taken (Peterson modulus), mmHg: below, lumped cells could empty.
const MIN_WALL_EP_MMHG: f64 = 375.0;

/// How a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchEnd {
    /// In branches that leave its last cells, or as a stump.
    Closed,
    /// In a capillary bed: index into [`Network::outlets`].
    Outlet(u32),
    /// In a cell of another branch.
    Join(u32),
}

/// Cells of one branch: cell `k` is `cell0 + k`; face `k` (of `cells + 1`) is proximal of cell `k`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BranchCells {
    /// Arc length at which its own lumen begins, mm.
    pub start_mm: f64,
    /// Cell length, mm.
    pub cell_mm: f64,
    /// Number of cells.
    pub cells: u32,
    /// Its first cell.
    pub cell0: u32,
    /// Its first face.
    pub face0: u32,
    /// Cell of the parent that it leaves from; [`NONE`] for a root.
    pub from: u32,
    /// Where it leaves its parent.
    pub origin: Option<VesselPlace>,
    /// How it ends.
    pub end: BranchEnd,
}

/// A three-element Windkessel at the end of a terminal branch.
///
/// `P = Q Rp + Pc`, `C dPc/dt = Q - (Pc - Pv) / Rd` (Westerhof, Lankhaar, Westerhof 2009, eq. 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutletModel {
    /// Branch.
    pub branch: VesselId,
    /// Its last cell.
    pub cell: u32,
    /// Bed that it feeds: index into [`Network::beds`].
    pub bed: u32,
    /// Resting flow of the table, mL/s.
    pub resting_flow_ml_per_s: f64,
    /// Proximal resistance, mmHg s/mL.
    pub proximal_mmhg_s_per_ml: f64,
    /// Distal resistance, mmHg s/mL.
    pub distal_mmhg_s_per_ml: f64,
    /// Compliance, mL/mmHg.
    pub compliance_ml_per_mmhg: f64,
    /// Mean transit time at rest, s.
    pub transit_s: f64,
    /// Diameter of the branch at its end, mm.
    pub diameter_mm: f64,
}

/// A capillary bed, fed by one or more outlets.
#[derive(Clone, Debug, PartialEq)]
pub struct BedModel {
    /// Name.
    pub name: String,
    /// Outlets that feed it.
    pub outlets: Vec<u32>,
    /// Center of the blush, mm.
    pub center_mm: Vec3,
    /// Radius of the blush, mm.
    pub radius_mm: f64,
}

/// A hole in a vessel wall.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Leak {
    /// Id of the lesion.
    pub id: String,
    /// Where.
    pub place: VesselPlace,
    /// Its cell.
    pub cell: u32,
    /// Conductance to outside before treatment, mL/(s mmHg).
    pub conductance_ml_per_s_mmhg: f64,
    /// Center of the pool at its smallest, mm.
    pub position_mm: Vec3,
    /// Unit direction from the vessel into the pool.
    pub outward: Vec3,
    /// Flow at a mean pressure of 90 mmHg before treatment, mL/s.
    pub stated_flow_ml_per_s: f64,
}

/// The compiled vessel network. Arrays are per cell unless they say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Per branch of the tree.
    pub branches: Vec<BranchCells>,
    /// Branch of each cell.
    pub cell_branch: Vec<u32>,
    /// Lumen radius, mm (lesions included).
    pub radius_mm: Vec<f64>,
    /// Mean lumen radius of the proximal and the distal half, mm.
    pub half_radius_mm: Vec<[f64; 2]>,
    /// Viscous resistance of the halves, mmHg s/mL.
    pub half_resistance: Vec<[f64; 2]>,
    /// Inertance of the halves, mmHg s2/mL.
    pub half_inertance: Vec<[f64; 2]>,
    /// Volume at the reference pressure, mL.
    pub volume_ml: Vec<f64>,
    /// Compliance, mL/mmHg: `2 V / Ep`.
    pub compliance_ml_per_mmhg: Vec<f64>,
    /// Cell before and behind each face ([`NONE`]: outside or closed).
    pub face_cells: Vec<[u32; 2]>,
    /// Turbulent loss of each face, mmHg s2/mL2.
    pub face_quadratic: Vec<f64>,
    /// Faces that carry a turbulent loss.
    pub quadratic_faces: Vec<u32>,
    /// Faces between two cells, in the order of the matrix.
    pub inner_faces: Vec<u32>,
    /// First faces of the roots.
    pub root_faces: Vec<u32>,
    /// Windkessels.
    pub outlets: Vec<OutletModel>,
    /// Beds.
    pub beds: Vec<BedModel>,
    /// Leaks of the case.
    pub leaks: Vec<Leak>,
    /// Mean root pressure at rest, mmHg; volumes are stated at it.
    pub resting_map_mmhg: f64,
    /// Factorization of the pressure matrix.
    pub(super) ldl: SparseLdl,
}

impl Network {
    /// Compiles tree, patient and lesions; a lesion on an unknown vessel is passed over (validation names it).
    ///
    /// Outlets are tuned on the healthy tree so that the resting flows come out at the patient's mean pressure; a
    /// bleed's conductance so that its stated rate comes out at a mean pressure of 90 mmHg.
    pub fn compile(tree: &VesselTree, patient: &Patient, lesions: &[Lesion]) -> Self {
        let map = mean_of_pressures_mmhg(patient.systolic_mmhg, patient.diastolic_mmhg);
        let mut net = Self { resting_map_mmhg: map, ..Self::default() };
        net.lay_cells(tree);
        net.connect(tree);
        net.tune_outlets(tree, map);
        net.apply(&narrowings(tree, lesions));
        net.add_bleeds(tree, lesions);
        net
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.radius_mm.len()
    }

    /// The cell of a place; inside the parent's lumen that is the parent's cell. `None` for an unknown branch.
    pub fn cell_at(&self, place: VesselPlace) -> Option<usize> {
        let b = self.branches.get(place.vessel.idx())?;
        if place.arc_mm < b.start_mm && b.from != NONE {
            return Some(b.from as usize);
        }
        let k = ((place.arc_mm - b.start_mm) / b.cell_mm).floor().clamp(0.0, f64::from(b.cells - 1));
        Some(b.cell0 as usize + k as usize)
    }

    /// Cell and its arc length (of its middle, mm) as a place.
    pub fn place_of(&self, cell: usize) -> VesselPlace {
        let vessel = VesselId(self.cell_branch[cell]);
        let b = &self.branches[vessel.idx()];
        let k = cell as u32 - b.cell0;
        VesselPlace { vessel, arc_mm: b.start_mm + (f64::from(k) + 0.5) * b.cell_mm }
    }

    /// The two faces of a cell along its branch.
    pub fn faces_of(&self, cell: usize) -> (usize, usize) {
        let b = &self.branches[self.cell_branch[cell] as usize];
        let left = (b.face0 + (cell as u32 - b.cell0)) as usize;
        (left, left + 1)
    }

    fn lay_cells(&mut self, tree: &VesselTree) {
        for (i, branch) in tree.branches.iter().enumerate() {
            let length = branch.length_mm();
            let start_mm = own_lumen_start_mm(tree, branch);
            let cells = (((length - start_mm) / MAX_CELL_MM).ceil() as u32).max(2);
            let cell_mm = ((length - start_mm) / f64::from(cells)).max(1e-3);
            let faces: u32 = self.branches.iter().map(|b| b.cells + 1).sum();
            self.branches.push(BranchCells {
                start_mm,
                cell_mm,
                cells,
                cell0: self.cells() as u32,
                face0: faces,
                from: NONE,
                origin: branch.origin,
                end: BranchEnd::Closed,
            });
            for k in 0..cells {
                self.push_cell(branch, i as u32, start_mm + f64::from(k) * cell_mm, cell_mm);
            }
        }
    }

    fn push_cell(&mut self, branch: &Branch, index: u32, from_mm: f64, cell_mm: f64) {
        let half = |h: f64| half_of(branch, from_mm + h * 0.5 * cell_mm, 0.5 * cell_mm);
        let halves = [half(0.0), half(1.0)];
        let volume = halves[0].volume_mm3 + halves[1].volume_mm3;
        let ep = (branch.wall_ep_n_per_mm2 / N_PER_MM2_PER_MMHG).max(MIN_WALL_EP_MMHG);
        self.cell_branch.push(index);
        self.radius_mm.push((volume / (std::f64::consts::PI * cell_mm)).sqrt());
        self.half_radius_mm.push([halves[0].radius_mm, halves[1].radius_mm]);
        self.half_resistance.push([halves[0].resistance, halves[1].resistance]);
        self.half_inertance.push([halves[0].inertance, halves[1].inertance]);
        self.volume_ml.push(volume / MM3_PER_ML);
        self.compliance_ml_per_mmhg.push(2.0 * volume / MM3_PER_ML / ep);
    }

    fn connect(&mut self, tree: &VesselTree) {
        for (i, branch) in tree.branches.iter().enumerate() {
            let known = |p: &VesselPlace| p.vessel.idx() < self.branches.len() && p.vessel.idx() != i;
            let from = branch.origin.filter(known).and_then(|p| self.cell_at(p)).map_or(NONE, |c| c as u32);
            let join =
                branch.distal_join.filter(known).and_then(|p| self.cell_at(p)).map_or(NONE, |c| c as u32);
            let b = &mut self.branches[i];
            b.from = from;
            if join != NONE {
                b.end = BranchEnd::Join(join);
            }
            let (cell0, cells, face0) = (b.cell0, b.cells, b.face0);
            for k in 0..=cells {
                let before = if k == 0 { from } else { cell0 + k - 1 };
                let behind = if k == cells { join } else { cell0 + k };
                self.face_cells.push([before, behind]);
            }
            if from == NONE {
                self.root_faces.push(face0);
            }
        }
        self.face_quadratic = vec![0.0; self.face_cells.len()];
        let mut edges = Vec::new();
        for (f, c) in self.face_cells.iter().enumerate() {
            if c[0] != NONE && c[1] != NONE {
                self.inner_faces.push(f as u32);
                edges.push((c[0], c[1]));
            }
        }
        self.ldl = SparseLdl::new(self.cells(), &edges);
    }

    fn tune_outlets(&mut self, tree: &VesselTree, map: f64) {
        for (i, branch) in tree.branches.iter().enumerate() {
            let b = self.branches[i];
            let Some(outlet) = branch.outlet.as_ref().filter(|_| b.end == BranchEnd::Closed) else {
                continue;
            };
            let at = self.outlets.len() as u32;
            let bed = self.bed_of(outlet, at);
            self.branches[i].end = BranchEnd::Outlet(at);
            self.outlets.push(OutletModel {
                branch: VesselId(i as u32),
                cell: b.cell0 + b.cells - 1,
                bed,
                resting_flow_ml_per_s: outlet.flow_ml_per_s.max(1e-4),
                proximal_mmhg_s_per_ml: 0.0,
                distal_mmhg_s_per_ml: 0.0,
                compliance_ml_per_mmhg: 0.0,
                transit_s: outlet.transit_s.max(0.1),
                diameter_mm: 2.0 * branch.at(branch.length_mm()).radius_mm,
            });
        }
        let pressures = outlet_pressures(self, map);
        for (o, end_mmhg) in pressures.into_iter().enumerate() {
            let cell = self.outlets[o].cell as usize;
            let ep = 2.0 * self.volume_ml[cell] / self.compliance_ml_per_mmhg[cell];
            let outlet = &mut self.outlets[o];
            // A vessel too narrow for its stated flow: the bed keeps a third of the pressure and the flow falls short.
            let drop = (end_mmhg - VENOUS_PRESSURE_MMHG).max(0.3 * (map - VENOUS_PRESSURE_MMHG)).max(1.0);
            let total = drop / outlet.resting_flow_ml_per_s;
            let impedance = characteristic_impedance(outlet.diameter_mm, ep);
            outlet.proximal_mmhg_s_per_ml = impedance.max(PROXIMAL_SHARE * total).min(0.9 * total);
            outlet.distal_mmhg_s_per_ml = total - outlet.proximal_mmhg_s_per_ml;
            outlet.compliance_ml_per_mmhg = WINDKESSEL_S / outlet.distal_mmhg_s_per_ml;
        }
    }

    fn bed_of(&mut self, outlet: &crate::anatomy::Outlet, index: u32) -> u32 {
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

    fn apply(&mut self, lesions: &[Narrowing]) {
        for lesion in lesions {
            lesion.narrow(self);
        }
        self.quadratic_faces = (0..self.face_quadratic.len() as u32)
            .filter(|&f| self.face_quadratic[f as usize] > 0.0)
            .collect();
    }

    fn add_bleeds(&mut self, tree: &VesselTree, lesions: &[Lesion]) {
        for lesion in lesions {
            let Lesion::Bleed { id, vessel, at_mm, flow_ml_per_min } = lesion else { continue };
            let Some(vessel) = tree.find(vessel) else { continue };
            let place = VesselPlace { vessel, arc_mm: *at_mm };
            let Some(cell) = self.cell_at(place) else { continue };
            let at = tree.branch(vessel).at(*at_mm);
            self.leaks.push(Leak {
                id: id.clone(),
                place,
                cell: cell as u32,
                conductance_ml_per_s_mmhg: 0.0,
                position_mm: at.position_mm + at.normal * at.radius_mm,
                outward: at.normal,
                stated_flow_ml_per_s: flow_ml_per_min.max(0.0) / 60.0,
            });
        }
        let pressures = pressures_with_leaks(self, BLEED_MAP_MMHG);
        for (leak, pressure) in self.leaks.iter_mut().zip(pressures) {
            leak.conductance_ml_per_s_mmhg =
                leak.stated_flow_ml_per_s / (pressure - TISSUE_PRESSURE_MMHG).max(5.0);
        }
    }
}

/// Half a cell: what its radius samples integrate to.
struct Half {
    radius_mm: f64,
    resistance: f64,
    inertance: f64,
    volume_mm3: f64,
}

/// Poiseuille resistance `8 mu / pi * integral of r^-4`, inertance `rho * integral of 1/A`, volume; four samples.
fn half_of(branch: &Branch, from_mm: f64, length_mm: f64) -> Half {
    const SAMPLES: u32 = 4;
    let step = length_mm / f64::from(SAMPLES);
    let mut half = Half { radius_mm: 0.0, resistance: 0.0, inertance: 0.0, volume_mm3: 0.0 };
    for s in 0..SAMPLES {
        let r = branch.at(from_mm + (f64::from(s) + 0.5) * step).radius_mm.max(0.02);
        half.radius_mm += r / f64::from(SAMPLES);
        half.resistance += poiseuille(r, step);
        half.inertance += inertance(r, step);
        half.volume_mm3 += std::f64::consts::PI * r * r * step;
    }
    half
}

/// Poiseuille resistance of a tube, `8 mu L / (pi r^4)`, mmHg s/mL; blood taken as Newtonian (3.5 mPa s).
pub fn poiseuille(radius_mm: f64, length_mm: f64) -> f64 {
    let mu = BLOOD_VISCOSITY_MPA_S * MMHG_S_PER_MPA_S;
    8.0 * mu * length_mm / (std::f64::consts::PI * radius_mm.powi(4)) * MM3_PER_ML
}

/// Inertance of a tube, `rho L / A`, mmHg s2/mL.
pub fn inertance(radius_mm: f64, length_mm: f64) -> f64 {
    let rho = BLOOD_DENSITY_T_PER_MM3 / N_PER_MM2_PER_MMHG;
    rho * length_mm / (std::f64::consts::PI * radius_mm * radius_mm) * MM3_PER_ML
}

/// Resistance of the gap between a device and the wall, per open resistance of the same tube, at least 1.
///
/// Concentric annulus (White, Viscous Fluid Flow, eq. 3-51) divided by `1 + 1.5 k^2 e^2`-like relief of a device that
/// lies on the wall (narrow-gap limit 2.5, Snyder and Goldstein 1965), blended with the share `k` that it fills.
pub fn annulus_factor(filled: f64) -> f64 {
    let k = filled.clamp(0.0, 0.995);
    if k < 1e-6 {
        return 1.0;
    }
    let k2 = k * k;
    let open = 1.0 - k2 * k2 + (1.0 - k2) * (1.0 - k2) / k.ln();
    (1.0 / (open * (1.0 + 1.5 * k))).max(1.0)
}

/// Characteristic impedance `rho c / A` with `c^2 = Ep / (2 rho)`, mmHg s/mL.
fn characteristic_impedance(diameter_mm: f64, ep_mmhg: f64) -> f64 {
    let rho = BLOOD_DENSITY_T_PER_MM3 / N_PER_MM2_PER_MMHG;
    let speed = (ep_mmhg / (2.0 * rho)).sqrt();
    rho * speed / (0.25 * std::f64::consts::PI * diameter_mm * diameter_mm) * MM3_PER_ML
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
