//! C-arm, detector and perspective. Patient frame, mm; angles as in DICOM (primary LAO +, secondary CRA +).

use serde::{Deserialize, Serialize};

use super::wedge::Wedge;
use crate::math::Vec3;

/// Distance from source to isocenter, mm.
pub const SOURCE_ISOCENTER_MM: f64 = 750.0;
/// The reference point lies this far from the isocenter towards the tube, mm (IEC 60601-2-43).
pub const REFERENCE_POINT_FROM_ISOCENTER_MM: f64 = 150.0;

/// Pose of C-arm, table and blades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CArm {
    /// Primary angle of the gantry in the room: LAO +, RAO - of a patient on a level table, degrees.
    pub primary_deg: f64,
    /// Secondary angle of the gantry in the room: CRA +, CAU -, degrees.
    pub secondary_deg: f64,
    /// Table tilt about its transverse axis through the isocenter: head up +, head down (Trendelenburg) -, degrees.
    #[serde(default)]
    pub table_tilt_deg: f64,
    /// Cradle of the table about its long axis through the isocenter: patient's left up +, degrees.
    #[serde(default)]
    pub table_cradle_deg: f64,
    /// Source to image distance, mm.
    pub sid_mm: f64,
    /// Detector field diagonal, mm; the field is square.
    pub field_mm: f64,
    /// Isocenter in the patient frame, mm (the table moves it).
    pub isocenter_mm: Vec3,
    /// Open share of the half field, per blade: left, right, bottom, top as seen on screen; 1 is open.
    pub blades: [f64; 4],
    /// Wedge filter.
    #[serde(default)]
    pub wedge: Wedge,
}

impl Default for CArm {
    fn default() -> Self {
        Self {
            primary_deg: 0.0,
            secondary_deg: 0.0,
            table_tilt_deg: 0.0,
            table_cradle_deg: 0.0,
            sid_mm: 1100.0,
            field_mm: 420.0,
            isocenter_mm: Vec3::zeros(),
            blades: [1.0; 4],
            wedge: Wedge::default(),
        }
    }
}

/// A point projection onto a pixel raster: columns to the right on screen, rows down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// Focal spot, mm.
    pub source_mm: Vec3,
    /// Center of the detector, mm.
    pub detector_center_mm: Vec3,
    /// Unit vector to the right on screen.
    pub right: Vec3,
    /// Unit vector up on screen.
    pub up: Vec3,
    /// Unit vector from source to detector.
    pub towards_detector: Vec3,
    /// Source to image distance, mm.
    pub sid_mm: f64,
    /// Pixel pitch at the detector, mm.
    pub pixel_mm: f64,
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Side of the focal spot, mm.
    pub focal_spot_mm: f64,
}

/// Side of the small focal spot, mm `[K]`.
pub const SMALL_FOCUS_MM: f64 = 0.6;

impl CArm {
    /// Unit vector from isocenter to detector, room frame (that of a patient on a level table): `(sin a cos b, -cos a cos b,
    /// sin b)` for primary a, secondary b.
    pub fn towards_detector_in_room(&self) -> Vec3 {
        let (sa, ca) = self.primary_deg.to_radians().sin_cos();
        let (sb, cb) = self.secondary_deg.to_radians().sin_cos();
        Vec3::new(sa * cb, -ca * cb, sb)
    }

    /// Unit vector from isocenter to detector, patient frame.
    pub fn towards_detector(&self) -> Vec3 {
        self.patient_from_room(&self.towards_detector_in_room())
    }

    /// A direction of the patient in the room: `Rx(tilt) Rz(-cradle)`, since the cradle turns on the tilted base. A level table
    /// leaves it as it is.
    pub fn room_from_patient(&self, v: &Vec3) -> Vec3 {
        let (st, ct) = self.table_tilt_deg.to_radians().sin_cos();
        let (sc, cc) = self.table_cradle_deg.to_radians().sin_cos();
        let on_base = Vec3::new(cc * v.x + sc * v.y, cc * v.y - sc * v.x, v.z);
        Vec3::new(on_base.x, ct * on_base.y - st * on_base.z, st * on_base.y + ct * on_base.z)
    }

    /// A direction of the room in the patient frame: the inverse of [`Self::room_from_patient`].
    pub fn patient_from_room(&self, v: &Vec3) -> Vec3 {
        let (st, ct) = self.table_tilt_deg.to_radians().sin_cos();
        let (sc, cc) = self.table_cradle_deg.to_radians().sin_cos();
        let on_base = Vec3::new(v.x, ct * v.y + st * v.z, ct * v.z - st * v.y);
        Vec3::new(cc * on_base.x - sc * on_base.y, sc * on_base.x + cc * on_base.y, on_base.z)
    }

    /// The beam seen from the patient as primary and secondary angle, degrees: those of the gantry on a level table.
    pub fn angles_to_patient_deg(&self) -> (f64, f64) {
        if self.table_tilt_deg == 0.0 && self.table_cradle_deg == 0.0 {
            return (self.primary_deg, self.secondary_deg);
        }
        let d = self.towards_detector();
        (d.x.atan2(-d.y).to_degrees(), d.z.clamp(-1.0, 1.0).asin().to_degrees())
    }

    /// Whether beam and patient lie to each other as at another pose, angles within a tolerance, degrees.
    pub fn is_turned_like(&self, other: &Self, tolerance_deg: f64) -> bool {
        let of = |a: &Self| [a.primary_deg, a.secondary_deg, a.table_tilt_deg, a.table_cradle_deg];
        of(self).iter().zip(of(other)).all(|(a, b)| (a - b).abs() <= tolerance_deg)
    }

    /// The projection onto `pixels` x `pixels`. On screen: the patient's right on the left, head up.
    pub fn projection(&self, pixels: usize) -> Projection {
        let d = self.towards_detector();
        let (sa, ca) = self.primary_deg.to_radians().sin_cos();
        let right = self.patient_from_room(&Vec3::new(ca, sa, 0.0));
        let source_mm = self.isocenter_mm - d * SOURCE_ISOCENTER_MM;
        Projection {
            source_mm,
            detector_center_mm: source_mm + d * self.sid_mm,
            right,
            up: d.cross(&right),
            towards_detector: d,
            sid_mm: self.sid_mm,
            pixel_mm: self.field_side_mm() / pixels as f64,
            columns: pixels,
            rows: pixels,
            focal_spot_mm: SMALL_FOCUS_MM,
        }
    }

    /// Side of the square field at the detector, mm.
    pub fn field_side_mm(&self) -> f64 {
        self.field_mm / std::f64::consts::SQRT_2
    }

    /// Whether the blades leave a place of the field open; 0 to 1 from the left and from the top of the screen.
    pub fn is_open(&self, across: f64, down: f64) -> bool {
        let (x, y) = (2.0 * across - 1.0, 1.0 - 2.0 * down);
        let [left, right, bottom, top] = self.blades;
        x >= -left && x <= right && y >= -bottom && y <= top
    }

    /// Sides of the open field at the detector, across and along, mm.
    pub fn open_field_mm(&self) -> (f64, f64) {
        let half = self.field_side_mm() / 2.0;
        let [left, right, bottom, top] = self.blades;
        (half * (left + right), half * (bottom + top))
    }

    /// Point on the entrance side at the reference distance, mm.
    pub fn reference_point_mm(&self) -> Vec3 {
        self.isocenter_mm - self.towards_detector() * REFERENCE_POINT_FROM_ISOCENTER_MM
    }
}

impl Projection {
    /// Column, row (pixel centers at +0.5) and magnification of a point in front of the source.
    pub fn project(&self, p_mm: &Vec3) -> Option<(f64, f64, f64)> {
        let r = p_mm - self.source_mm;
        let depth = r.dot(&self.towards_detector);
        if depth < 1.0 {
            return None;
        }
        let magnification = self.sid_mm / depth;
        let column = r.dot(&self.right) * magnification / self.pixel_mm + self.columns as f64 / 2.0;
        let row = self.rows as f64 / 2.0 - r.dot(&self.up) * magnification / self.pixel_mm;
        Some((column, row, magnification))
    }

    /// Standard deviation of the focal spot's shadow at an object of a magnification m, mm: the spot casts `f (m - 1)` on the detector.
    pub fn focal_sigma_mm(&self, magnification: f64) -> f64 {
        self.focal_spot_mm * (magnification - 1.0).max(0.0) / magnification / 12.0_f64.sqrt()
    }

    /// Position of a pixel coordinate on the detector, mm.
    pub fn pixel_position_mm(&self, column: f64, row: f64) -> Vec3 {
        self.detector_center_mm
            + self.right * ((column - self.columns as f64 / 2.0) * self.pixel_mm)
            + self.up * ((self.rows as f64 / 2.0 - row) * self.pixel_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientation_of_the_screen_is_that_of_a_radiologist() {
        let left_of_patient = Vec3::new(50.0, 0.0, 0.0);
        let head = Vec3::new(0.0, 0.0, 50.0);
        let anterior = Vec3::new(0.0, -50.0, 0.0);
        for (primary, secondary) in [(0.0, 0.0), (30.0, 0.0), (0.0, 30.0)] {
            let arm = CArm { primary_deg: primary, secondary_deg: secondary, ..CArm::default() };
            let p = arm.projection(1000);
            let (c, _, _) = p.project(&left_of_patient).unwrap();
            assert!(c > 500.0, "the patient's left is on the right of the screen");
            let (_, r, _) = p.project(&head).unwrap();
            assert!(r < 500.0, "head up");
            let (c, r, m) = p.project(&anterior).unwrap();
            assert!(m < p.project(&Vec3::zeros()).unwrap().2, "the detector is anterior");
            if primary > 0.0 {
                assert!(c < 500.0, "in LAO anterior structures move to the patient's right, screen left");
            }
            if secondary > 0.0 {
                assert!(r > 500.0, "in CRA anterior structures move down");
            }
        }
    }

    #[test]
    fn a_tilted_table_is_a_beam_tilted_the_other_way() {
        let worst = |a: &CArm, b: &CArm| {
            let (p, q) = (a.projection(1000), b.projection(1000));
            let points = [Vec3::new(30.0, -40.0, 50.0), Vec3::new(-60.0, 20.0, -10.0)];
            let off = |v: &Vec3| {
                let ((c, r, _), (d, s, _)) = (p.project(v).unwrap(), q.project(v).unwrap());
                (c - d).abs().max((r - s).abs())
            };
            points.iter().map(off).fold(0.0, f64::max)
        };
        // Head up by 12 degrees under a vertical beam is CRA 12; left up by 10 degrees is LAO 10.
        let tilted = CArm { table_tilt_deg: 12.0, ..CArm::default() };
        let cranial = CArm { secondary_deg: 12.0, ..CArm::default() };
        let cradled = CArm { table_cradle_deg: 10.0, ..CArm::default() };
        let oblique = CArm { primary_deg: 10.0, ..CArm::default() };
        let (a, b) = (worst(&tilted, &cranial), worst(&cradled, &oblique));
        assert!(a < 1e-9 && b < 1e-9, "{a} {b} pixels");
        // Head up lifts the head, left up the left side, whatever the other does.
        let both = CArm { table_tilt_deg: 9.0, table_cradle_deg: -8.0, ..CArm::default() };
        assert!(both.room_from_patient(&Vec3::z()).y < -0.1 && both.room_from_patient(&Vec3::x()).y > 0.1);
        let v = Vec3::new(1.0, -2.0, 3.0);
        let there_and_back = both.patient_from_room(&both.room_from_patient(&v));
        assert!((there_and_back - v).norm() < 1e-12);
        let p = CArm { primary_deg: 35.0, secondary_deg: -20.0, ..both }.projection(2);
        assert!(p.right.dot(&p.up).abs() < 1e-12 && p.right.dot(&p.towards_detector).abs() < 1e-12);
        // With the arm on its side the patient turns in the picture: the head goes up by the tilt.
        let side = CArm { primary_deg: 90.0, table_tilt_deg: 12.0, ..CArm::default() }.projection(2);
        let turned = side.right.z.atan2(side.up.z).to_degrees();
        assert!((turned.abs() - 12.0).abs() < 1e-9, "{turned}");
        let level = CArm { primary_deg: 35.0, secondary_deg: -20.0, ..CArm::default() };
        assert_eq!(level.angles_to_patient_deg(), (35.0, -20.0));
        let head_down = CArm { secondary_deg: 25.0, table_tilt_deg: -10.0, ..CArm::default() };
        let (primary, secondary) = head_down.angles_to_patient_deg();
        assert!(primary.abs() < 1e-9 && (secondary - 15.0).abs() < 1e-9, "{primary} {secondary}");
    }

    #[test]
    fn a_pixel_and_its_projection_agree() {
        let arm = CArm { primary_deg: 25.0, secondary_deg: -15.0, ..CArm::default() };
        let p = arm.projection(512);
        let at = p.pixel_position_mm(100.25, 400.75);
        let (c, r, m) = p.project(&at).unwrap();
        assert!((c - 100.25).abs() < 1e-9 && (r - 400.75).abs() < 1e-9 && (m - 1.0).abs() < 1e-12);
    }
}
