//! Automatic exposure control: thickness to kV, mA, ms and copper, with the legal limit.
//!
//! The control keeps the air kerma at the detector and pays for thickness with kerma at the patient: first current, then
//! voltage, and less copper. Its curves are `[K]`: `70 kV are held for iodine`, and the fluoroscopy curve is that of a 30 nGy program.

use serde::{Deserialize, Serialize};

use super::attenuation::Substance;
use super::geometry::{CArm, REFERENCE_POINT_FROM_ISOCENTER_MM, SMALL_FOCUS_MM, SOURCE_ISOCENTER_MM};
use super::scatter::{GRID_PRIMARY_TRANSMISSION, REFERENCE_GAP_MM, scatter_to_primary_after_grid};
use super::spectrum::Spectrum;
use super::thickness::TABLE_TOP_MM;

/// Legal limit of fluoroscopy at the reference point, mGy/min (21 CFR 1020.32).
pub const MAX_FLUORO_KERMA_MGY_PER_MIN: f64 = 88.0;
/// Dose at the detector over that of the 420 mm field, by field diagonal in mm: published table of a C-arm with a 20 in detector;
/// smaller fields by the inverse of the diagonal.
const ZOOM_DOSE: [(f64, f64); 10] = [
    (110.0, 3.46),
    (150.0, 2.538),
    (190.0, 2.154),
    (220.0, 1.846),
    (270.0, 1.538),
    (310.0, 1.308),
    (370.0, 1.115),
    (420.0, 1.0),
    (480.0, 0.769),
    (500.0, 0.769),
];
/// The same under high-level control, mGy/min.
pub const MAX_HIGH_LEVEL_KERMA_MGY_PER_MIN: f64 = 176.0;
/// Distance from focal spot to reference point, mm.
pub const REFERENCE_DISTANCE_MM: f64 = SOURCE_ISOCENTER_MM - REFERENCE_POINT_FROM_ISOCENTER_MM;
/// Distance at which spectra are tabulated, mm.
const SPECTRUM_DISTANCE_MM: f64 = 1000.0;

/// Dose level of fluoroscopy: kerma wanted at the detector against the normal program, and the legal limit `[K]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FluoroLevel {
    /// Half the kerma at the detector.
    Low,
    /// The normal program.
    #[default]
    Normal,
    /// High-level control: twice the kerma at the detector, limit 176 instead of 88 mGy/min; a room sounds all the while.
    High,
}

impl FluoroLevel {
    /// Kerma at the detector over the normal.
    pub fn detector_factor(self) -> f64 {
        match self {
            Self::Low => 0.5,
            Self::Normal => 1.0,
            Self::High => 2.0,
        }
    }

    /// Legal limit at the reference point, mGy/min (21 CFR 1020.32).
    pub fn max_kerma_mgy_per_min(self) -> f64 {
        match self {
            Self::Low | Self::Normal => MAX_FLUORO_KERMA_MGY_PER_MIN,
            Self::High => MAX_HIGH_LEVEL_KERMA_MGY_PER_MIN,
        }
    }
}

/// What the beam is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DetectorProgram {
    /// Pulsed fluoroscopy at this rate, 1/s.
    Fluoro(f64),
    /// Unsubtracted acquisition at this rate, 1/s.
    Cine(f64),
    /// Subtraction angiography at this rate, 1/s.
    Dsa(f64),
}

impl DetectorProgram {
    /// Air kerma per pulse wanted at the detector, nGy: 30 for fluoroscopy and 200 for cine at 15/s, growing as the root of the
    /// pulse interval so that perceived noise stays `[K]`; 3000 for DSA; growing as the field gets smaller.
    pub fn detector_kerma_ngy(self, field_mm: f64) -> f64 {
        let base = match self {
            Self::Fluoro(rate) => 30.0 * (15.0 / rate).sqrt(),
            Self::Cine(rate) => 200.0 * (15.0 / rate).sqrt(),
            Self::Dsa(_) => 3000.0,
        };
        base * piecewise_linear(&ZOOM_DOSE, field_mm)
    }

    /// Nominal size of the focal spot, mm: the small one while its track bears the current `[K]`.
    pub fn focal_spot_mm(tube_ma: f64) -> f64 {
        if tube_ma <= 200.0 { SMALL_FOCUS_MM } else { 1.0 }
    }

    /// Pulses per second.
    pub fn rate_per_s(self) -> f64 {
        match self {
            Self::Fluoro(rate) | Self::Cine(rate) | Self::Dsa(rate) => rate,
        }
    }

    /// kV and mm of copper for a water-equivalent thickness.
    fn curve(self, water_mm: f64) -> (f64, f64) {
        const FLUORO_KV: [(f64, f64); 8] = [
            (50.0, 60.0),
            (100.0, 62.0),
            (150.0, 66.0),
            (200.0, 72.0),
            (250.0, 80.0),
            (300.0, 90.0),
            (350.0, 105.0),
            (400.0, 120.0),
        ];
        const DSA_KV: [(f64, f64); 6] =
            [(100.0, 66.0), (200.0, 72.0), (250.0, 75.0), (300.0, 80.0), (350.0, 87.0), (400.0, 95.0)];
        /// Copper up to this thickness.
        const FLUORO_COPPER: [(f64, f64); 5] =
            [(125.0, 0.9), (175.0, 0.6), (225.0, 0.3), (275.0, 0.2), (375.0, 0.1)];
        match self {
            Self::Fluoro(_) | Self::Cine(_) => {
                let copper = FLUORO_COPPER.iter().find(|c| water_mm < c.0).map_or(0.0, |c| c.1);
                (piecewise_linear(&FLUORO_KV, water_mm), copper)
            }
            Self::Dsa(_) => (piecewise_linear(&DSA_KV, water_mm), if water_mm < 250.0 { 0.1 } else { 0.0 }),
        }
    }

    /// Limits of current, mA, and pulse width, ms, least and most `[K]`.
    fn tube_limits(self) -> TubeLimits {
        match self {
            Self::Fluoro(_) => TubeLimits { held_ma: 80.0, max_ma: 200.0, min_ms: 4.0, max_ms: 12.0 },
            Self::Cine(_) => TubeLimits { held_ma: 400.0, max_ma: 800.0, min_ms: 4.0, max_ms: 12.0 },
            Self::Dsa(_) => TubeLimits { held_ma: 400.0, max_ma: 800.0, min_ms: 20.0, max_ms: 100.0 },
        }
    }
}

struct TubeLimits {
    /// Current at which the pulse starts to lengthen.
    held_ma: f64,
    max_ma: f64,
    min_ms: f64,
    max_ms: f64,
}

/// The setting of one pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExposureControl {
    /// Tube voltage, kV.
    pub tube_kv: f64,
    /// Tube current, mA.
    pub tube_ma: f64,
    /// Pulse width, ms.
    pub pulse_ms: f64,
    /// Added copper, mm.
    pub copper_mm: f64,
    /// Air kerma of one pulse at the reference point, mGy.
    pub kerma_per_pulse_mgy: f64,
    /// Air kerma of one pulse at the detector, primary and scatter, nGy: as wanted, or less at a limit.
    pub detector_kerma_ngy: f64,
    /// That over what the program wants: below 1 at a limit.
    pub dose_share: f64,
}

impl ExposureControl {
    /// The setting for a water-equivalent thickness: kV and copper by the program's curve, mAs by the kerma wanted at the
    /// detector behind patient, table top and grid, scatter included; then the limits of tube and law. Patient close to the detector.
    pub fn for_thickness(program: DetectorProgram, water_equivalent_mm: f64, arm: &CArm) -> Self {
        Self::for_patient(program, FluoroLevel::Normal, water_equivalent_mm, REFERENCE_GAP_MM, arm)
    }

    /// The same at a dose level of fluoroscopy, for a patient whose exit face lies an air gap away from the detector, mm.
    pub fn for_patient(
        program: DetectorProgram,
        level: FluoroLevel,
        water_equivalent_mm: f64,
        air_gap_mm: f64,
        arm: &CArm,
    ) -> Self {
        let (tube_kv, copper_mm) = program.curve(water_equivalent_mm);
        let tube = Spectrum::tube(tube_kv, copper_mm);
        let reference_mgy_per_mas =
            tube.air_kerma_ugy_per_mas() / 1000.0 * (SPECTRUM_DISTANCE_MM / REFERENCE_DISTANCE_MM).powi(2);
        let behind =
            tube.behind(Substance::CarbonFiber, TABLE_TOP_MM).behind(Substance::Water, water_equivalent_mm);
        let (across, along) = arm.open_field_mm();
        let scatter = scatter_to_primary_after_grid(water_equivalent_mm, (across * along).sqrt(), air_gap_mm);
        let detector_ngy_per_mas = behind.air_kerma_ugy_per_mas()
            * 1000.0
            * (SPECTRUM_DISTANCE_MM / arm.sid_mm).powi(2)
            * GRID_PRIMARY_TRANSMISSION
            * (1.0 + scatter);
        let limits = program.tube_limits();
        let is_fluoro = matches!(program, DetectorProgram::Fluoro(_));
        let level_factor = if is_fluoro { level.detector_factor() } else { 1.0 };
        let wanted_mas = level_factor * program.detector_kerma_ngy(arm.field_mm) / detector_ngy_per_mas;
        let mut mas = wanted_mas;
        mas = mas.min(limits.max_ma * limits.max_ms / 1000.0);
        if is_fluoro {
            let limit = level.max_kerma_mgy_per_min();
            mas = mas.min(limit / (60.0 * program.rate_per_s() * reference_mgy_per_mas));
        }
        let pulse_ms = (mas * 1000.0 / limits.held_ma).clamp(limits.min_ms, limits.max_ms);
        Self {
            tube_kv,
            tube_ma: mas * 1000.0 / pulse_ms,
            pulse_ms,
            copper_mm,
            kerma_per_pulse_mgy: reference_mgy_per_mas * mas,
            detector_kerma_ngy: detector_ngy_per_mas * mas,
            dose_share: mas / wanted_mas,
        }
    }
}

/// Linear between nodes of rising abscissa, constant beyond them.
fn piecewise_linear(nodes: &[(f64, f64)], x: f64) -> f64 {
    let hi = nodes.partition_point(|n| n.0 < x).clamp(1, nodes.len() - 1);
    let (a, b) = (nodes[hi - 1], nodes[hi]);
    let t = ((x - a.0) / (b.0 - a.0)).clamp(0.0, 1.0);
    a.1 + t * (b.1 - a.1)
}
