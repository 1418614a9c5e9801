//! The flow state and what is read from it.

use serde::{Deserialize, Serialize};

use super::live::{LiveLumen, LumenChange};
use super::network::{BLEED_MAP_MMHG, BranchCells, BranchEnd, Leak, NONE, Network, TISSUE_PRESSURE_MMHG};
use super::steady;
use super::system::FlowScratch;
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;
use crate::math::hash::StateHasher;

/// A device that fills more than this share of the lumen's diameter wedges.
pub const WEDGED_SHARE: f64 = 0.95;
/// Least share of the resting volume that a cell is taken to hold for transport.
const LEAST_VOLUME: f64 = 0.02;

/// Everything the flow stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowState {
    /// Pressure per cell, mmHg.
    pub pressure_mmhg: Vec<f64>,
    /// Pressure per cell one tick ago, mmHg (the volumes between which contrast is carried).
    pub last_pressure_mmhg: Vec<f64>,
    /// Cross-section per cell over the healthy one.
    pub area_factor: Vec<f64>,
    /// The same one tick ago.
    pub last_area_factor: Vec<f64>,
    /// Flow per face, mL/s, + away from the root.
    pub face_flow_ml_per_s: Vec<f64>,
    /// Flow per face averaged over beats, mL/s; two stages.
    pub mean_flow_ml_per_s: [Vec<f64>; 2],
    /// Pressure per cell averaged over beats, mmHg; two stages.
    pub mean_pressure_mmhg: [Vec<f64>; 2],
    /// Flow out of each outlet's vessel, mL/s.
    pub outlet_flow_ml_per_s: Vec<f64>,
    /// Flow through its arterioles, mL/s: the same plus what anastomoses bring.
    pub capillary_flow_ml_per_s: Vec<f64>,
    /// The same averaged over beats, mL/s.
    pub mean_capillary_flow_ml_per_s: Vec<f64>,
    /// Flow from its bed into the veins, mL/s.
    pub return_flow_ml_per_s: Vec<f64>,
    /// Flow out of each outlet's vessel averaged over beats, mL/s; two stages.
    pub mean_outlet_flow_ml_per_s: [Vec<f64>; 2],
    /// Pressure of each outlet's compliance, mmHg.
    pub outlet_pressure_mmhg: Vec<f64>,
    /// Flow through each anastomosis, mL/s, + from its first outlet to its second.
    pub anastomosis_flow_ml_per_s: Vec<f64>,
    /// Leaks: those of the case, then the operator's.
    pub leaks: Vec<Leak>,
    /// Present leak, mL/s.
    pub leak_flow_ml_per_s: Vec<f64>,
    /// Stretches of lumen that differ from the healthy one.
    pub lumen: Vec<LumenChange>,
    /// Share of the open diameter at the throat of each stenosis of the case; dilation raises it.
    pub stenosis_open: Vec<f64>,
    /// Share of each cell's diameter that a device fills.
    pub filled_share: Vec<f64>,
    /// Arterial root pressure averaged over beats, mmHg.
    pub mean_root_mmhg: f64,
    /// Largest imbalance of a cell in the last solve, mL/s.
    pub residual_ml_per_s: f64,
}

impl FlowState {
    /// Blood at rest without pressure.
    pub(super) fn blank(net: &Network) -> Self {
        let (cells, faces, outlets) = (net.cells(), net.face_cells.len(), net.outlets.len());
        Self {
            pressure_mmhg: vec![0.0; cells],
            last_pressure_mmhg: vec![0.0; cells],
            area_factor: vec![1.0; cells],
            last_area_factor: vec![1.0; cells],
            face_flow_ml_per_s: vec![0.0; faces],
            outlet_flow_ml_per_s: vec![0.0; outlets],
            capillary_flow_ml_per_s: vec![0.0; outlets],
            return_flow_ml_per_s: vec![0.0; outlets],
            outlet_pressure_mmhg: vec![0.0; outlets],
            anastomosis_flow_ml_per_s: vec![0.0; net.anastomoses.len()],
            filled_share: vec![0.0; cells],
            stenosis_open: net.stenoses.iter().map(|s| s.open_share).collect(),
            ..Self::default()
        }
    }

    /// The steady state at the resting mean pressure, lesions included, no devices.
    pub fn new(net: &Network) -> Self {
        let mut state = Self::blank(net);
        state.leaks.clone_from(&net.leaks);
        state.leak_flow_ml_per_s = vec![0.0; net.leaks.len()];
        let live = LiveLumen::new(net, &[], &state.stenosis_open);
        state.area_factor.clone_from(&live.area_factor);
        state.last_area_factor.clone_from(&live.area_factor);
        // A leak flows where there is pressure; the first iterate knows it.
        state.pressure_mmhg.fill(net.resting_map_mmhg);
        steady::relax(net, &mut state, &mut FlowScratch::open(net, live), net.resting_map_mmhg);
        state.last_pressure_mmhg.clone_from(&state.pressure_mmhg);
        let twice = |x: &Vec<f64>| [x.clone(), x.clone()];
        state.mean_flow_ml_per_s = twice(&state.face_flow_ml_per_s);
        state.mean_pressure_mmhg = twice(&state.pressure_mmhg);
        state.mean_outlet_flow_ml_per_s = twice(&state.outlet_flow_ml_per_s);
        state.mean_capillary_flow_ml_per_s.clone_from(&state.capillary_flow_ml_per_s);
        state
    }

    /// Outlets that take less than this share of their resting flow now, with what they take of it: in the first state,
    /// those behind a lumen too narrow for their stated flow.
    pub fn short_outlets(&self, net: &Network, share: f64) -> Vec<(VesselId, f64)> {
        let taken = net.outlets.iter().zip(&self.outlet_flow_ml_per_s);
        taken.map(|(o, q)| (o.branch, q / o.resting_flow_ml_per_s)).filter(|(_, s)| *s < share).collect()
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
            conductance_ml_per_s_mmhg: flow / (BLEED_MAP_MMHG - TISSUE_PRESSURE_MMHG),
            position_mm,
            outward,
            stated_flow_ml_per_s: flow,
            share_of_time: 1.0,
            period_s: 0.0,
        });
        self.leak_flow_ml_per_s.push(0.0);
    }

    /// Lets a place go into spasm; one that is in spasm already tightens anew. True if it is a new one.
    pub fn irritate(&mut self, place: VesselPlace) -> bool {
        use super::live::LumenCause;
        for change in &mut self.lumen {
            let here =
                change.vessel == place.vessel && (change.from_mm..=change.to_mm).contains(&place.arc_mm);
            if let LumenCause::Spasm { target, .. } = &mut change.cause
                && here
            {
                *target = 1.0;
                return false;
            }
        }
        self.lumen.push(LumenChange::spasm(place));
        true
    }

    /// Flow at a place, mL/s, + away from the root; 0 where the tree has no such branch.
    pub fn flow_at(&self, net: &Network, place: VesselPlace) -> f64 {
        face_at(net, place).map_or(0.0, |f| self.face_flow_ml_per_s[f])
    }

    /// Flow at a place averaged over beats, mL/s.
    pub fn mean_flow_at(&self, net: &Network, place: VesselPlace) -> f64 {
        face_at(net, place).map_or(0.0, |f| self.mean_flow_ml_per_s[1][f])
    }

    /// Mean velocity over the cross-section at a place, mm/s, along the branch.
    pub fn velocity_at(&self, net: &Network, place: VesselPlace) -> f64 {
        let area_mm2 = |c: usize| std::f64::consts::PI * net.radius_mm[c].powi(2) * self.area_factor[c];
        net.cell_at(place).map_or(0.0, |c| self.flow_at(net, place) * 1000.0 / area_mm2(c))
    }

    /// Mean velocity of each branch of the tree (over cross-section and beats, at its middle), mm/s.
    pub fn branch_velocity_mm_per_s(&self, net: &Network) -> Vec<f64> {
        let middle = |(i, b): (usize, &BranchCells)| {
            let arc_mm = b.start_mm + 0.5 * b.cell_mm * f64::from(b.cells);
            let place = VesselPlace { vessel: VesselId(i as u32), arc_mm };
            let cell = (b.cell0 + b.cells / 2) as usize;
            let area_mm2 = std::f64::consts::PI * net.radius_mm[cell].powi(2) * self.area_factor[cell];
            self.mean_flow_at(net, place) * 1000.0 / area_mm2
        };
        net.branches[..net.tree_branches].iter().enumerate().map(middle).collect()
    }

    /// Pressure at a place, mmHg.
    pub fn pressure_at(&self, net: &Network, place: VesselPlace) -> f64 {
        net.cell_at(place).map_or(0.0, |c| self.pressure_mmhg[c])
    }

    /// Pressure at a place averaged over beats, mmHg.
    pub fn mean_pressure_at(&self, net: &Network, place: VesselPlace) -> f64 {
        net.cell_at(place).map_or(0.0, |c| self.mean_pressure_mmhg[1][c])
    }

    /// Mean gradient from one place to another, mmHg.
    pub fn mean_gradient_mmhg(&self, net: &Network, from: VesselPlace, to: VesselPlace) -> f64 {
        self.mean_pressure_at(net, from) - self.mean_pressure_at(net, to)
    }

    /// Does a device fill the vessel at the place or just behind it.
    pub fn wedged_at(&self, net: &Network, place: VesselPlace) -> bool {
        net.cell_at(place).is_some_and(|c| {
            let b = &net.branches[net.cell_branch[c] as usize];
            let before = if c as u32 > b.cell0 { c - 1 } else { c };
            self.filled_share[c].max(self.filled_share[before]) >= WEDGED_SHARE
        })
    }

    /// Heart beats that a column from the place needs to clear, to the end of its branch or of the one that takes most of its blood
    /// away before: the sum of `V / Q` over the cells with the flow averaged over beats, times the heart rate; at most 999.
    pub fn beats_to_clear(&self, net: &Network, place: VesselPlace, heart_rate_bpm: f64) -> f64 {
        let Some(mut cell) = net.cell_at(place) else { return 0.0 };
        let mut seconds = 0.0;
        loop {
            let (left, right) = net.faces_of(cell);
            let flow = self.mean_flow_ml_per_s[1][left].max(self.mean_flow_ml_per_s[1][right]);
            seconds += net.volume_ml[cell] * self.area_factor[cell] / flow.max(1e-9);
            if net.way[cell] == NONE {
                break;
            }
            cell = net.way[cell] as usize;
        }
        (seconds * heart_rate_bpm / 60.0).min(999.0)
    }

    /// Volume of a cell now, mL: `V0 a + C a (P - Pref)`, at least 2 % of the first.
    pub fn volume_ml(&self, net: &Network, cell: usize) -> f64 {
        let least = LEAST_VOLUME * net.volume_ml[cell] * self.area_factor[cell];
        self.unclamped_volume_ml(net, cell, true).max(least)
    }

    /// Of all cells: volume one tick ago, the smaller of that and the one now, mL; and whether a cell is, in either,
    /// emptier than the elastic wall can describe (its volume is then 2 % of the resting one).
    pub fn volumes_ml(
        &self,
        net: &Network,
        before_ml: &mut Vec<f64>,
        least_ml: &mut Vec<f64>,
        is_collapsed: &mut Vec<bool>,
    ) {
        before_ml.clear();
        least_ml.clear();
        is_collapsed.clear();
        let wall = net.volume_ml.iter().zip(&net.compliance_ml_per_mmhg).zip(&net.reference_mmhg);
        let before = self.last_pressure_mmhg.iter().zip(&self.last_area_factor);
        let now = self.pressure_mmhg.iter().zip(&self.area_factor);
        for (((volume, compliance), reference), ((p0, a0), (p1, a1))) in wall.zip(before.zip(now)) {
            let share = LEAST_VOLUME * volume;
            let at = |p: &f64| volume + compliance * (p - reference);
            let (v0, v1) = (at(p0), at(p1));
            let (clamped0, clamped1) = (a0 * v0.max(share), a1 * v1.max(share));
            before_ml.push(clamped0);
            least_ml.push(clamped0.min(clamped1));
            is_collapsed.push(v0 <= share || v1 <= share);
        }
    }

    pub(super) fn unclamped_volume_ml(&self, net: &Network, cell: usize, is_now: bool) -> f64 {
        let (pressure, area) = if is_now {
            (self.pressure_mmhg[cell], self.area_factor[cell])
        } else {
            (self.last_pressure_mmhg[cell], self.last_area_factor[cell])
        };
        area * (net.volume_ml[cell]
            + net.compliance_ml_per_mmhg[cell] * (pressure - net.reference_mmhg[cell]))
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
        net.face_cells[right][1] == NONE && net.branches[own.vessel.idx()].end == BranchEnd::Closed;
    let behind = place.vessel == own.vessel && place.arc_mm > own.arc_mm;
    Some(if behind && !end_is_closed { right } else { left })
}
