//! The detector: absorbed energy per pixel behind water, bone, iodine and metal, and its quantum statistics.
//!
//! Energy-integrating cesium iodide, 600 um at 80 % packing. Signals are in keV absorbed per pixel. Water and bone come from a
//! table over both; iodine and metal need all energy bins.

use super::fast;
use crate::device::Opaque;
use crate::sim::snapshot::Technique;
use crate::xray::attenuation::Substance;
use crate::xray::scatter::GRID_PRIMARY_TRANSMISSION;
use crate::xray::{Projection, Spectrum};

/// Edges of the energy bins, keV; split at the K edges of iodine, barium, tantalum, tungsten, platinum and bismuth.
const BIN_EDGES_KEV: [f64; 13] =
    [10.0, 28.0, 33.17, 37.44, 43.0, 49.0, 55.0, 61.0, 67.42, 69.53, 78.39, 90.53, 126.0];
pub(super) const BINS: usize = 12;
/// Energy at which radiopacity is given in steel, keV.
const STEEL_EQUIVALENT_KEV: f64 = 60.0;
/// Cesium iodide in the ray, g/cm2: 0.6 mm, packed to 80 %.
const SCINTILLATOR_G_PER_CM2: f64 = 0.06 * 0.8 * 4.51;
/// Mean energy of scattered photons, keV.
pub(super) const SCATTER_ENERGY_KEV: f32 = 48.0;
/// Swank factor: quantum noise grows by its inverse `[K]`.
pub(super) const SWANK: f32 = 0.87;
/// Electronic noise of a native pixel, absorbed photons `[K]`.
const ELECTRONIC_PHOTONS: f64 = 1.5;
/// Energy that counts as one photon there, keV.
const ELECTRONIC_PHOTON_KEV: f64 = 55.0;
/// Pitch of a native pixel, mm.
const NATIVE_PITCH_MM: f64 = 0.154;
/// Spread of the scintillator: share and sigma in mm; MTF 0.60, 0.31, 0.16 at 1, 2, 3 per mm `[K]`.
const SPREAD: [(f64, f64); 2] = [(0.5, 0.08), (0.5, 0.24)];

/// Table over water (g/cm2).
const WATER_STEPS: usize = 96;
const WATER_STEP: f32 = 1.0;
/// Table over bone (g/cm2); fat has a negative bone share.
const BONE_STEPS: usize = 64;
const BONE_STEP: f32 = 0.5;
const BONE_FROM: f32 = -6.0;

/// Table of what iodine lets through, mg/cm2: straight lines between are off by (mu step)^2 / 8 or 2e-5.
const IODINE_STEPS: usize = 800;
const IODINE_STEP: f32 = 0.5;

/// Substance of every [`Opaque`], in its order. A polymer filled with tungsten or barium sulfate counts as what fills it.
const METALS: [Substance; 7] = [
    Substance::Steel,
    Substance::Nitinol,
    Substance::Platinum,
    Substance::Tungsten,
    Substance::Tantalum,
    Substance::Gold,
    Substance::BariumSulfate,
];

/// Signal and mean deposited energy of a ray.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deposit {
    /// Absorbed energy, keV.
    pub(super) signal_kev: f32,
    /// Energy per quantum for the noise, keV: variance is signal times this.
    pub(super) quantum_kev: f32,
}

/// A technique as the detector sees it.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    water: [f32; BINS],
    bone: [f32; BINS],
    iodine_per_mg: [f32; BINS],
    /// Attenuation of 1 mm of steel, or of what weighs as much at 60 keV, by [`Opaque`].
    metal_per_mm: [[f32; BINS]; METALS.len()],
    /// Absorbed energy per bin without an object, keV.
    energy: [f32; BINS],
    /// Mean energy of the bins, keV.
    bin_kev: [f32; BINS],
    /// ln of signal, and quantum energy, by water and bone.
    table: Vec<(f32, f32)>,
    /// Share of every bin that passes iodine.
    iodine_table: Vec<[f32; BINS]>,
    /// Standard deviation of the electronic noise, keV.
    pub(super) electronic_kev: f32,
}

impl Detector {
    /// The detector under a technique; the raster's pixel sets the area.
    pub(super) fn new(technique: &Technique, projection: &Projection) -> Self {
        let mas = technique.tube_ma * technique.pulse_ms / 1000.0;
        let spectrum = Spectrum::tube(technique.tube_kv, technique.copper_mm);
        let area = projection.pixel_mm * projection.pixel_mm * (1000.0 / projection.sid_mm).powi(2);
        let mut detector = Self {
            water: [0.0; BINS],
            bone: [0.0; BINS],
            iodine_per_mg: [0.0; BINS],
            metal_per_mm: [[0.0; BINS]; METALS.len()],
            energy: [0.0; BINS],
            bin_kev: [1.0; BINS],
            table: Vec::new(),
            iodine_table: Vec::new(),
            electronic_kev: (ELECTRONIC_PHOTONS * ELECTRONIC_PHOTON_KEV * projection.pixel_mm
                / NATIVE_PITCH_MM) as f32,
        };
        // Means over a bin are those of the spectrum behind the patient, where it matters.
        let behind = spectrum.behind(Substance::Water, technique.water_equivalent_mm.clamp(50.0, 300.0));
        for bin in 0..BINS {
            let inside: Vec<usize> = (0..spectrum.energies_kev.len())
                .filter(|i| (BIN_EDGES_KEV[bin]..BIN_EDGES_KEV[bin + 1]).contains(&spectrum.energies_kev[*i]))
                .collect();
            let open: f64 = inside.iter().map(|i| spectrum.photons_per_mm2[*i]).sum();
            let seen: f64 = inside.iter().map(|i| behind.photons_per_mm2[*i]).sum();
            if seen <= 0.0 {
                continue;
            }
            let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
                inside.iter().map(|i| behind.photons_per_mm2[*i] * of(spectrum.energies_kev[*i])).sum::<f64>()
                    / seen
            };
            let mu = |s: Substance| mean(&|e| s.mass_attenuation_cm2_per_g(e));
            let absorbed = mean(&|e| {
                e * (1.0
                    - (-Substance::CesiumIodide.mass_attenuation_cm2_per_g(e) * SCINTILLATOR_G_PER_CM2).exp())
            });
            detector.water[bin] = mu(Substance::Water) as f32;
            detector.bone[bin] = mu(Substance::CorticalBone) as f32;
            detector.iodine_per_mg[bin] = (mu(Substance::Iodine) / 1000.0) as f32;
            for (metal, substance) in METALS.iter().enumerate() {
                let as_steel = Substance::Steel.linear_per_mm(STEEL_EQUIVALENT_KEV)
                    / substance.linear_per_mm(STEEL_EQUIVALENT_KEV);
                detector.metal_per_mm[metal][bin] = (as_steel * mean(&|e| substance.linear_per_mm(e))) as f32;
            }
            detector.energy[bin] = (open * mas * area * GRID_PRIMARY_TRANSMISSION * absorbed) as f32;
            detector.bin_kev[bin] = mean(&|e| e) as f32;
        }
        detector.table = (0..WATER_STEPS * BONE_STEPS)
            .map(|i| {
                let w = (i / BONE_STEPS) as f32 * WATER_STEP;
                let b = BONE_FROM + (i % BONE_STEPS) as f32 * BONE_STEP;
                let d = detector.deposit(&detector.behind_body(w, b));
                (d.signal_kev.max(1e-30).ln(), d.quantum_kev)
            })
            .collect();
        detector.iodine_table = (0..=IODINE_STEPS)
            .map(|i| detector.iodine_per_mg.map(|mu| fast::exp(-mu * i as f32 * IODINE_STEP)))
            .collect();
        detector
    }

    /// Attenuation of 1 mm of a metal (steel equivalent at 60 keV) in every bin.
    pub(super) fn metal_per_mm(&self, metal: Opaque) -> &[f32; BINS] {
        &self.metal_per_mm[metal as usize]
    }

    /// ln of the signal (keV) and quantum energy (keV) behind water and bone (g/cm2), from the table: linear in ln.
    #[inline]
    pub(super) fn background_ln(&self, water: f32, bone: f32) -> (f32, f32) {
        let within = |v: f32, steps: usize| fast::smaller(fast::larger(v, 0.0), (steps - 1) as f32);
        let w = within(water / WATER_STEP, WATER_STEPS);
        let b = within((bone - BONE_FROM) / BONE_STEP, BONE_STEPS);
        let (i, j) = ((w as usize).min(WATER_STEPS - 2), (b as usize).min(BONE_STEPS - 2));
        let (s, t) = (w - i as f32, b - j as f32);
        let at = i * BONE_STEPS + j;
        let (low, high) = (&self.table[at..at + 2], &self.table[at + BONE_STEPS..at + BONE_STEPS + 2]);
        let mix = |a: f32, b: f32, c: f32, d: f32| {
            let (low, high) = (a + (b - a) * t, c + (d - c) * t);
            low + (high - low) * s
        };
        (mix(low[0].0, low[1].0, high[0].0, high[1].0), mix(low[0].1, low[1].1, high[0].1, high[1].1))
    }

    /// Absorbed energy of every bin behind water and bone (g/cm2): Beer and Lambert, keV.
    #[inline]
    pub(super) fn behind_body(&self, water: f32, bone: f32) -> [f32; BINS] {
        std::array::from_fn(|k| self.energy[k] * fast::exp(-(self.water[k] * water + self.bone[k] * bone)))
    }

    /// Takes off what iodine (mg/cm2; less than none for gas in a vessel) absorbs.
    #[inline]
    pub(super) fn pass_iodine(&self, iodine: f32, kev: &mut [f32; BINS]) {
        let at = iodine * (1.0 / IODINE_STEP);
        if at >= 0.0 && at < IODINE_STEPS as f32 {
            let i = at as usize;
            let t = at - i as f32;
            let (low, high) = (&self.iodine_table[i], &self.iodine_table[i + 1]);
            for (kev, (low, high)) in kev.iter_mut().zip(low.iter().zip(high)) {
                *kev *= low + (high - low) * t;
            }
        } else {
            for (kev, mu) in kev.iter_mut().zip(&self.iodine_per_mg) {
                *kev *= fast::exp(-mu * iodine);
            }
        }
    }

    /// Signal and quantum energy of the bins together.
    #[inline]
    pub(super) fn deposit(&self, kev: &[f32; BINS]) -> Deposit {
        let (mut signal, mut square) = (0.0_f32, 0.0_f32);
        for (kev, bin_kev) in kev.iter().zip(&self.bin_kev) {
            signal += kev;
            square += kev * bin_kev;
        }
        Deposit { signal_kev: signal, quantum_kev: square / fast::larger(signal, 1e-30) }
    }

    /// Samples of the detector's spread over pixels of a pitch, one dimension of a separable blur.
    pub(super) fn spread(pixel_mm: f64) -> Vec<f32> {
        let parts = SPREAD.map(|(share, sigma_mm)| (share, sigma_mm / pixel_mm));
        let half = ((2.5 * SPREAD[1].1 / pixel_mm).ceil() as usize).clamp(1, 6);
        fast::kernel(&parts, half)
    }
}
