//! Scatter around the patient: what those who stand in the room get.
//!
//! `K = KAP S(theta) (1 m / r)^2 T`; `theta` is the angle between the direction of the primary beam and the way from the
//! middle of the field to the person, so that backscatter to the tube side (over 90 degrees) is the strongest.
//! `S(theta)` is a fourth-order polynomial for 85 kV with a small correction for voltage (Sutton and Williams, BIR 2000) `[K]`;
//! walls, and the person's own shadow on another, are neglected.

use serde::{Deserialize, Serialize};

use super::geometry::CArm;
use crate::math::Vec3;

/// Transmission of a ceiling-suspended screen of 0.5 mm lead equivalence `[K]`.
pub const CEILING_SCREEN_TRANSMISSION: f64 = 0.03;
/// Transmission of the lead skirt at the table, 0.5 mm `[K]`.
pub const TABLE_SKIRT_TRANSMISSION: f64 = 0.05;

/// Places of which the dose is followed.
pub const STAFF_PLACES: [StaffPlace; 5] = [
    StaffPlace { name: "operator eyes", offset_mm: [-450.0, -650.0, -150.0], screen: true, skirt: false },
    StaffPlace { name: "operator collar", offset_mm: [-450.0, -450.0, -150.0], screen: true, skirt: false },
    StaffPlace { name: "operator legs", offset_mm: [-500.0, 450.0, -150.0], screen: false, skirt: true },
    StaffPlace { name: "nurse", offset_mm: [-900.0, -300.0, -1200.0], screen: false, skirt: false },
    StaffPlace { name: "anesthesia", offset_mm: [600.0, -300.0, 900.0], screen: false, skirt: false },
];

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaffPlace {
    /// Who.
    pub name: &'static str,
    /// From the point on the table top under the access, patient frame: left, down, head, mm.
    pub offset_mm: [f64; 3],
    /// The ceiling screen can stand between.
    pub screen: bool,
    /// The table skirt can hang between.
    pub skirt: bool,
}

/// Movable protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shields {
    /// Ceiling-suspended lead acrylic screen swung in.
    pub ceiling: bool,
    /// Lead skirt at the table.
    pub skirt: bool,
}

impl Default for Shields {
    fn default() -> Self {
        Self { ceiling: false, skirt: true }
    }
}

/// Scattered air kerma at 1 m per kerma-area product, uGy/(Gy cm2), at an angle from the primary beam.
pub fn scatter_ugy_per_gy_cm2(angle_deg: f64, tube_kv: f64) -> f64 {
    let t = angle_deg.clamp(0.0, 180.0);
    let at_85 = (((-1.042e-7 * t + 3.265e-5) * t - 2.751e-3) * t + 8.371e-2) * t + 1.578;
    at_85 * (1.0 + 0.0018 * (tube_kv - 85.0))
}

/// Scattered air kerma per kerma-area product at a place, uGy/(Gy cm2); `origin_mm` is the point on the table top under the access,
/// patient frame. Staff stand in the room: they do not tilt with the table.
pub fn staff_factor(place: &StaffPlace, arm: &CArm, tube_kv: f64, shields: Shields, origin_mm: &Vec3) -> f64 {
    let way = arm.room_from_patient(&(origin_mm - arm.isocenter_mm)) + Vec3::from(place.offset_mm);
    // Nobody stands nearer than the skin of the patient.
    let distance_m = (way.norm() / 1000.0).max(0.2);
    let angle_deg =
        (way.normalize().dot(&arm.towards_detector_in_room())).clamp(-1.0, 1.0).acos().to_degrees();
    let mut kerma = scatter_ugy_per_gy_cm2(angle_deg, tube_kv) / (distance_m * distance_m);
    if place.screen && shields.ceiling {
        kerma *= CEILING_SCREEN_TRANSMISSION;
    }
    if place.skirt && shields.skirt {
        kerma *= TABLE_SKIRT_TRANSMISSION;
    }
    kerma
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tube_side_gets_more_and_distance_and_lead_help() {
        let place = StaffPlace { name: "x", offset_mm: [-700.0, 0.0, 0.0], screen: true, skirt: false };
        let lateral = |primary_deg: f64, shields| {
            let arm = CArm { primary_deg, ..CArm::default() };
            staff_factor(&place, &arm, 80.0, shields, &Vec3::zeros())
        };
        let none = Shields { ceiling: false, skirt: false };
        // LAO 90: the tube is on the patient's right, where the operator stands.
        assert!(lateral(90.0, none) > 3.0 * lateral(-90.0, none));
        let screen = Shields { ceiling: true, skirt: false };
        assert!((lateral(0.0, screen) / lateral(0.0, none) - CEILING_SCREEN_TRANSMISSION).abs() < 1e-12);
        let far = StaffPlace { offset_mm: [-1400.0, 0.0, 0.0], ..place };
        let arm = CArm::default();
        let ratio = staff_factor(&place, &arm, 80.0, none, &Vec3::zeros())
            / staff_factor(&far, &arm, 80.0, none, &Vec3::zeros());
        assert!((ratio - 4.0).abs() < 1e-9, "inverse square: {ratio}");
    }
}
