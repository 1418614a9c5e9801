//! What is carried, where it is, and the account of it.

use serde::{Deserialize, Serialize};

use super::reflux::InjectionTrack;
use crate::device::Embolic;
use crate::math::hash::StateHasher;
use crate::sim::flow::Network;

/// Compartments of a bed: transit times are gamma distributed with this shape.
pub(super) const BED_STAGES: usize = 5;
/// Compartments of the veins.
pub(super) const VEIN_STAGES: usize = 3;

/// Something carried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Species {
    /// Iodine, mg.
    Iodine,
    /// Carbon dioxide, mL.
    Gas,
    /// Particles of a size class of an embolic of the tray, count.
    Particle {
        /// Embolic.
        embolic: usize,
        /// Size class.
        class: usize,
        /// Share of the embolic's particles in this class.
        share: f64,
        /// Three that stick together.
        clump: bool,
    },
}

/// Species and coefficients; immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct ContrastModel {
    /// Species 0 is iodine.
    pub species: Vec<Species>,
    /// Per embolic: how much it clumps, and its particles per mL as drawn up.
    pub clumping: Vec<(f64, f64)>,
    /// Axial dispersion where blood stands, mm2/s `[K]`.
    pub still_dispersion_mm2_per_s: f64,
    /// Axial dispersion per velocity and radius (`D = D0 + k |u| r`) `[K]`: Taylor's coefficient does not hold within a
    /// few diameters and beats, this one is set so that a bolus front spreads by about a diameter per ten.
    pub dispersion_per_velocity_radius: f64,
    /// Mean time through the veins until contrast is diluted beyond sight, s `[K]`.
    pub vein_transit_s: f64,
    /// Half-life of contrast in a pool, s `[K]`.
    pub pool_half_life_s: f64,
    /// Time constant with which a pool spreads along tissue planes, s `[K]`.
    pub pool_spread_s: f64,
    /// Half-life of carbon dioxide in blood before it is dissolved, s `[K]`.
    pub gas_half_life_s: f64,
}

impl ContrastModel {
    /// Species for the embolics of the tray.
    pub fn compile(embolics: &[Embolic]) -> Self {
        let mut species = vec![Species::Iodine];
        for (embolic, e) in embolics.iter().enumerate() {
            let total: f64 = e.size_classes.iter().map(|c| c.share).sum();
            for (class, c) in e.size_classes.iter().enumerate() {
                let share = if total > 0.0 { c.share / total } else { 0.0 };
                species.push(Species::Particle { embolic, class, share, clump: false });
                if e.clumping > 0.0 {
                    species.push(Species::Particle { embolic, class, share, clump: true });
                }
            }
        }
        species.push(Species::Gas);
        Self {
            species,
            clumping: embolics.iter().map(|e| (e.clumping, e.particles_per_ml)).collect(),
            still_dispersion_mm2_per_s: 2.0,
            dispersion_per_velocity_radius: 0.05,
            vein_transit_s: 12.0,
            pool_half_life_s: 300.0,
            pool_spread_s: 90.0,
            gas_half_life_s: 10.0,
        }
    }
}

/// Particles in a clump.
pub(super) const IN_CLUMP: f64 = 3.0;

impl ContrastModel {
    /// Share of an embolic's particles that travel in clumps in a suspension of so many per mL: `c n / (n + n0)` with the clumping
    /// `c` of the material and its particles per mL `n0` as drawn up `[K]`.
    pub fn clumped_share(&self, embolic: usize, per_ml: f64) -> f64 {
        let (clumping, stock_per_ml) = self.clumping[embolic];
        clumping * per_ml / (per_ml + stock_per_ml).max(1e-12)
    }
}

/// A pool outside the vessels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Iodine in it, mg.
    pub iodine_mg: f64,
    /// Fresh blood in it, mL.
    pub volume_ml: f64,
    /// Blood lost in total, mL.
    pub lost_ml: f64,
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContrastState {
    /// Amount per species and cell.
    pub amount: Vec<Vec<f64>>,
    /// Is anything of the species in the vessels.
    pub present: Vec<bool>,
    /// Iodine per outlet and bed compartment, mg.
    pub bed_iodine_mg: Vec<[f64; BED_STAGES]>,
    /// Iodine per vein compartment, mg.
    pub vein_iodine_mg: [f64; VEIN_STAGES],
    /// Pools, one per leak.
    pub pools: Vec<Pool>,
    /// Pump integral per species.
    pub injected: Vec<f64>,
    /// Amount per species that went out of the tree: upstream through a root, or washed out.
    pub left: Vec<f64>,
    /// Particles per species that reached a bed.
    pub to_beds: Vec<f64>,
    /// Particles per species that went out through a leak (or lodged in it).
    pub to_leaks: Vec<f64>,
    /// The injection that is watched for reflux.
    pub(super) track: Option<InjectionTrack>,
}

/// Buffers and this tick's arrivals.
#[derive(Clone, Debug, Default)]
pub struct ContrastScratch {
    /// Particles per species and outlet that reached a bed in this tick: `[species * outlets + outlet]`.
    pub bed_arrivals: Vec<f64>,
    /// Particles per species and leak that entered it in this tick: `[species * leaks + leak]`.
    pub leak_arrivals: Vec<f64>,
    /// Iodine and particles through the first face of each branch in this tick, + away from the heart.
    pub start_flux: Vec<[f64; 2]>,
    /// Volume of each cell, carried by the same fluxes as amounts, mL.
    pub(super) volume: Vec<f64>,
    /// The smaller of its volumes before and after the tick, mL.
    pub(super) least_volume: Vec<f64>,
    /// Cells emptier than the elastic wall can describe.
    pub(super) collapsed: Vec<bool>,
    /// Volume below which a cell's concentration is not taken, mL.
    pub(super) floor: Vec<f64>,
    /// Of the branch in work, between two ghosts.
    pub(super) concentration: Vec<f64>,
    /// Of the branch in work, per face.
    pub(super) flux: Vec<f64>,
    /// Species that are carried in this tick.
    pub(super) active: Vec<usize>,
    /// Per active species and branch: does it hold anything.
    pub(super) busy: Vec<bool>,
    pub(super) source_cells: Vec<(u32, usize)>,
    pub(super) outflow: Vec<f64>,
    /// The same over the least volume, 1/s.
    pub(super) outflow_rate: Vec<f64>,
    pub(super) spread: Vec<f64>,
    /// Dispersive exchange per face, mL/s.
    pub(super) diffusive: Vec<f64>,
    /// Steps of the fastest branch in the tick.
    pub(super) finest: u32,
    /// Per branch: it steps where the number of the fine step has none of these bits.
    pub(super) masks: Vec<u32>,
    /// Faces between branches.
    pub(super) links: Vec<Link>,
}

/// A face between two branches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub face: u32,
    pub cells: [u32; 2],
    pub branches: [u32; 2],
    pub mask: u32,
    /// The branch whose first face it is.
    pub start_of: Option<u32>,
}

/// Where all of a species is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Integral of the pump.
    pub injected: f64,
    /// In vessels.
    pub vessels: f64,
    /// In beds (particles: reached them).
    pub beds: f64,
    /// In veins.
    pub veins: f64,
    /// In pools (particles: gone into leaks).
    pub pools: f64,
    /// Out of the tree or washed out.
    pub left: f64,
}

impl Ledger {
    /// Sum of all places.
    pub fn accounted(&self) -> f64 {
        self.vessels + self.beds + self.veins + self.pools + self.left
    }

    /// Difference between pump and places, relative to the pump.
    pub fn error(&self) -> f64 {
        (self.accounted() - self.injected).abs() / self.injected.abs().max(1e-300)
    }
}

impl ContrastState {
    /// Clear blood.
    pub fn new(net: &Network, model: &ContrastModel) -> Self {
        let species = model.species.len();
        Self {
            amount: vec![vec![0.0; net.cells()]; species],
            present: vec![false; species],
            bed_iodine_mg: vec![[0.0; BED_STAGES]; net.outlets.len()],
            pools: vec![Pool { volume_ml: 2.0, ..Pool::default() }; net.leaks.len()],
            injected: vec![0.0; species],
            left: vec![0.0; species],
            to_beds: vec![0.0; species],
            to_leaks: vec![0.0; species],
            ..Self::default()
        }
    }

    /// Carbon dioxide in a cell, mL.
    pub fn gas_ml(&self, cell: usize) -> f64 {
        // The last species of a model is the gas.
        self.amount.last().map_or(0.0, |gas| gas[cell])
    }

    /// The account of a species (0 is iodine).
    pub fn ledger(&self, species: usize) -> Ledger {
        let sum = |x: &[f64]| x.iter().sum::<f64>();
        let mut ledger = Ledger {
            injected: self.injected[species],
            vessels: sum(&self.amount[species]),
            beds: self.to_beds[species],
            veins: 0.0,
            pools: self.to_leaks[species],
            left: self.left[species],
        };
        if species == 0 {
            ledger.beds = self.bed_iodine_mg.iter().map(|b| sum(b)).sum();
            ledger.veins = sum(&self.vein_iodine_mg);
            ledger.pools = self.pools.iter().map(|p| p.iodine_mg).sum();
        }
        ledger
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        self.amount.iter().flatten().chain(self.bed_iodine_mg.iter().flatten()).all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}
