//! A bleed as a few ruptured small arteries in parallel, each closed by particles of its size.

use serde::{Deserialize, Serialize};

use super::bed::lodging_share;

/// Flow of one ruptured vessel at a mean pressure of 90 mmHg, mL/s `[K]`.
const FLOW_PER_PATH_ML_PER_S: f64 = 0.25;
/// Diameters over which the paths are spread, mm `[K]`.
const DIAMETERS_MM: (f64, f64) = (0.6, 0.8);

/// Particles that plug a path: more than a closed vessel needs, since its jet blows them out until some hold `[K]`.
const PARTICLES_PER_PATH: f64 = 12.0;

/// One ruptured vessel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakPath {
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// Particles that lodged.
    pub lodged: f64,
}

impl LeakPath {
    /// Open share of its conductance.
    pub fn open_share(&self) -> f64 {
        (1.0 - self.lodged / PARTICLES_PER_PATH).max(0.0)
    }
}

/// All ruptured vessels of a bleed, and its account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakPaths {
    /// The vessels.
    pub paths: Vec<LeakPath>,
    /// Particles that arrived.
    pub arrived: f64,
    /// Particles that went through.
    pub passed: f64,
}

impl LeakPaths {
    /// As many vessels as the flow needs, diameters evenly spread.
    pub fn new(flow_ml_per_s: f64) -> Self {
        let count = (flow_ml_per_s / FLOW_PER_PATH_ML_PER_S).round().clamp(2.0, 12.0) as usize;
        let at = |i: usize| (i as f64 + 0.5) / count as f64;
        let diameter = |i: usize| DIAMETERS_MM.0 + (DIAMETERS_MM.1 - DIAMETERS_MM.0) * at(i);
        let paths = (0..count).map(|i| LeakPath { diameter_mm: diameter(i), lodged: 0.0 }).collect();
        Self { paths, ..Self::default() }
    }

    /// Share of the conductance still open.
    pub fn open_share(&self) -> f64 {
        let open: f64 = self.paths.iter().map(LeakPath::open_share).sum();
        if self.paths.is_empty() { 1.0 } else { open / self.paths.len() as f64 }
    }

    /// Particles of sizes `(min, max)` arrive, shared by the paths' open conductance; what has lodged narrows a path
    /// to `D open^(1/4)` (Poiseuille), so that smaller ones hold too.
    pub fn arrive(&mut self, count: f64, sizes_mm: (f64, f64)) {
        const SIZES: u32 = 6;
        self.arrived += count;
        let open: f64 = self.paths.iter().map(LeakPath::open_share).sum();
        if open <= 0.0 {
            self.passed += count;
            return;
        }
        let mut lodged = 0.0;
        for path in &mut self.paths {
            let here = count * path.open_share() / open;
            let narrowed = path.diameter_mm * path.open_share().powf(0.25);
            let size =
                |i: u32| sizes_mm.0 + (sizes_mm.1 - sizes_mm.0) * (f64::from(i) + 0.5) / f64::from(SIZES);
            let share = (0..SIZES).map(|i| lodging_share(size(i), narrowed)).sum::<f64>() / f64::from(SIZES);
            path.lodged += here * share;
            lodged += here * share;
        }
        self.passed += count - lodged;
    }
}
