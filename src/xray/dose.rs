//! Dose quantities that the room shows.

use super::control::REFERENCE_DISTANCE_MM;
use super::geometry::CArm;

/// Kerma-area product of an air kerma at the reference point, Gy cm2: kerma times the open field there.
pub fn kerma_area_gy_cm2(air_kerma_mgy: f64, arm: &CArm) -> f64 {
    let (across, along) = arm.open_field_mm();
    let shrink = REFERENCE_DISTANCE_MM / arm.sid_mm;
    air_kerma_mgy / 1000.0 * (across * shrink / 10.0) * (along * shrink / 10.0)
}
