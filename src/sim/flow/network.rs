//! The immutable network: cells of at most 2 mm along every branch, faces between them, what lies at their ends.

use super::ldl::SparseLdl;
use super::lesion::Narrowing;
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;

/// Longest cell, mm.
pub const MAX_CELL_MM: f64 = 2.0;
/// Mean pressure of the central veins at rest, mmHg `[K]`; beds and venous volumes are stated at it.
pub const VENOUS_PRESSURE_MMHG: f64 = 5.0;
/// Pressure of the tissue into which a leak bleeds, mmHg `[K]`.
pub const TISSUE_PRESSURE_MMHG: f64 = 10.0;
/// Time in which a leak that comes and goes opens and shuts, s `[K]`.
const LEAK_RAMP_S: f64 = 3.0;
/// Mean pressure at which the stated rate of a bleed holds, mmHg.
pub const BLEED_MAP_MMHG: f64 = 90.0;
/// No cell: outside, or a closed end.
pub const NONE: u32 = u32::MAX;

/// How a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchEnd {
    /// In branches that leave its last cells, or as a stump.
    Closed,
    /// In a capillary bed or shunt: index into [`Network::outlets`].
    Outlet(u32),
    /// In a cell of another branch.
    Join(u32),
    /// At a bed outside the tree that feeds it (a vein, a duct): index into [`Network::inflows`].
    Inflow(u32),
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

/// What drives a root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RootPressure {
    /// The heart: [`super::FlowInputs::root_mmhg`].
    Arterial,
    /// Central veins: [`super::FlowInputs::venous_mmhg`].
    Venous,
    /// Constant, mmHg.
    Fixed(f64),
}

/// A root of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RootModel {
    /// First face of its branch.
    pub face: u32,
    /// Cell behind it.
    pub cell: u32,
    /// Its pressure.
    pub pressure: RootPressure,
}

/// A three-element Windkessel at the end of a terminal branch, with a node for anastomoses where there are some.
///
/// `P = Q Rp + Pc`, `C dPc/dt = Q - (Pc - Pv) / Rd` (Westerhof, Lankhaar, Westerhof 2009, eq. 5); the share
/// `node_share` of `Rp` lies before the node.
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
    /// Share of the proximal resistance before the node of its anastomoses; 0 without.
    pub node_share: f64,
    /// Unknown of that node; [`NONE`] without anastomoses.
    pub node: u32,
    /// Unknown of its compliance.
    pub capillary: u32,
    /// Cell of the vein that it drains into; [`NONE`]: the lumped veins.
    pub vein: u32,
    /// Diameter of the largest anastomosis, mm; 0 without.
    pub anastomosis_mm: f64,
    /// Diameter of the channels of a shunt, mm; 0 for a bed with capillaries.
    pub channel_mm: f64,
}

/// Blood (or secretion) that enters at the end of a vein (or duct) from outside the tree: `Q = g (p - P)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InflowModel {
    /// Last cell of the branch.
    pub cell: u32,
    /// Conductance, mL/(s mmHg).
    pub conductance_ml_per_s_mmhg: f64,
    /// Pressure behind it at rest, mmHg.
    pub source_mmhg: f64,
    /// That pressure follows the mean arterial pressure.
    pub is_blood: bool,
    /// Flow of the table, mL/s.
    pub resting_flow_ml_per_s: f64,
}

/// Parallel fine vessels between the nodes of two outlets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnastomosisModel {
    /// The outlets.
    pub outlets: [u32; 2],
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// Number of vessels.
    pub count: f64,
    /// Resistance of all of them open, mmHg s/mL (Poiseuille).
    pub resistance_mmhg_s_per_ml: f64,
}

/// A capillary bed or shunt, fed by one or more outlets.
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
    /// Share of the time in which it bleeds.
    pub share_of_time: f64,
    /// Length of a period of bleeding and pause, s.
    pub period_s: f64,
}

impl Leak {
    /// Open share of a leak that comes and goes: 1 from the beginning of each period, 0 after `share_of_time` of it, with ramps of a
    /// few seconds, so that its mean over a period is `share_of_time`.
    pub fn open_share_at(&self, time_s: f64) -> f64 {
        if self.share_of_time >= 1.0 {
            return 1.0;
        }
        let t = time_s.rem_euclid(self.period_s);
        let falls = (self.share_of_time * self.period_s - t) / LEAK_RAMP_S;
        let rises = 1.0 + (t - self.period_s) / LEAK_RAMP_S;
        falls.clamp(0.0, 1.0).max(rises.clamp(0.0, 1.0))
    }

    /// How long it may stand by itself, s.
    pub fn pause_s(&self) -> f64 {
        (1.0 - self.share_of_time).max(0.0) * self.period_s
    }
}

/// The compiled vessel network. Arrays are per cell unless they say otherwise; geometry is the healthy, open one (see
/// [`super::LiveLumen`] for that of the moment).
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Per branch of the tree, then collaterals and pedicles of shunts, which no picture shows.
    pub branches: Vec<BranchCells>,
    /// How many of them are branches of the tree.
    pub tree_branches: usize,
    /// Branch of each cell.
    pub cell_branch: Vec<u32>,
    /// Lumen radius, mm.
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
    /// Pressure at which the volumes are stated, mmHg.
    pub reference_mmhg: Vec<f64>,
    /// Viscosity over that of blood.
    pub viscosity_ratio: Vec<f64>,
    /// Cell before and behind each face ([`NONE`]: outside or closed).
    pub face_cells: Vec<[u32; 2]>,
    /// Cells whose distal and whose proximal half make up each face ([`NONE`]: none).
    pub(super) face_halves: Vec<[u32; 2]>,
    /// Per face between two cells: cross-section (mm2) and radius (mm) of the narrower one over the distance of their
    /// middles, mm.
    pub face_shape: Vec<[f64; 2]>,
    /// Per cell: the cell into which most of its blood goes on at rest, the next one or the first one of a branch that leaves it;
    /// [`NONE`] at the end of a branch.
    pub(super) way: Vec<u32>,
    /// Faces between two cells, in the order of the matrix.
    pub inner_faces: Vec<u32>,
    /// Roots.
    pub roots: Vec<RootModel>,
    /// Windkessels.
    pub outlets: Vec<OutletModel>,
    /// Inflows at the ends of veins and ducts.
    pub inflows: Vec<InflowModel>,
    /// Vessels between the nodes of outlets.
    pub anastomoses: Vec<AnastomosisModel>,
    /// Beds.
    pub beds: Vec<BedModel>,
    /// Stenoses of the case.
    pub(super) stenoses: Vec<Narrowing>,
    /// Leaks of the case.
    pub leaks: Vec<Leak>,
    /// Mean root pressure at rest, mmHg.
    pub resting_map_mmhg: f64,
    /// Unknowns of the pressure matrix: cells, then nodes of beds.
    pub(super) unknowns: usize,
    /// Factorization of the pressure matrix.
    pub(super) ldl: SparseLdl,
}

impl Network {
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

    /// Number of stenoses of the case.
    pub fn stenoses(&self) -> usize {
        self.stenoses.len()
    }

    /// Branch and stretch of a stenosis of the case, mm.
    pub fn stenosis_stretch(&self, index: usize) -> Option<(VesselId, f64, f64)> {
        self.stenoses.get(index).map(Narrowing::stretch)
    }

    /// Places before and behind a stenosis of the case, between which its gradient is read.
    pub fn around_stenosis(&self, index: usize) -> Option<[VesselPlace; 2]> {
        self.stenoses.get(index).map(Narrowing::around)
    }

    /// Cells of a branch that a stretch of arc length touches, each with the covered share of its two halves.
    pub(super) fn covered(
        &self,
        vessel: VesselId,
        from_mm: f64,
        to_mm: f64,
    ) -> impl Iterator<Item = (usize, [f64; 2])> + '_ {
        let found = self.branches.get(vessel.idx()).filter(|_| (to_mm - from_mm).is_finite());
        let found = found.filter(|b| to_mm > b.start_mm);
        found.into_iter().flat_map(move |b| {
            let (from, to) = (from_mm - b.start_mm, to_mm - b.start_mm);
            let cell = |x: f64| (x / b.cell_mm).floor().clamp(0.0, f64::from(b.cells - 1)) as u32;
            (cell(from)..=cell(to)).map(move |k| {
                let half_mm = 0.5 * b.cell_mm;
                let share = |h: u32| {
                    let start = f64::from(2 * k + h) * half_mm;
                    ((to.min(start + half_mm) - from.max(start)) / half_mm).clamp(0.0, 1.0)
                };
                ((b.cell0 + k) as usize, [share(0), share(1)])
            })
        })
    }
}
