//! Virtual collimation: where the field would be, drawn on a picture taken before, without a beam.

use super::geometry::CArm;

/// Corners of the open field of `now`, taken in the plane through its isocenter across the beam, as they lie on a picture
/// taken at `shown`: 0 to 1 from the left and from the top, clockwise from the top left. `None` where a corner lies behind
/// the focal spot of the picture.
pub fn field_outline(now: &CArm, shown: &CArm) -> Option<[[f64; 2]; 4]> {
    let p = now.projection(2);
    let shrink = super::geometry::SOURCE_ISOCENTER_MM / now.sid_mm;
    let half = now.field_side_mm() / 2.0 * shrink;
    let [left, right, bottom, top] = now.blades;
    let onto = shown.projection(2);
    let corner = |x: f64, y: f64| {
        let at = now.isocenter_mm + p.right * (x * half) + p.up * (y * half);
        let (column, row, _) = onto.project(&at)?;
        Some([column / onto.columns as f64, row / onto.rows as f64])
    };
    Some([corner(-left, top)?, corner(right, top)?, corner(right, -bottom)?, corner(-left, -bottom)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Vec3;

    #[test]
    fn the_same_pose_outlines_its_blades_and_a_moved_table_moves_it() {
        let shown = CArm::default();
        let now = CArm { blades: [0.5, 1.0, 1.0, 0.25], ..shown };
        let o = field_outline(&now, &shown).unwrap();
        let close = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9;
        assert!(close(o[0], [0.25, 0.375]) && close(o[2], [1.0, 1.0]), "{o:?}");
        // 50 mm at the isocenter is 50 x 1100 / 750 mm on a detector of 297 mm.
        let moved = CArm { isocenter_mm: Vec3::new(50.0, 0.0, 0.0), ..shown };
        let shift = field_outline(&moved, &shown).unwrap()[0][0];
        let expected = 50.0 * 1100.0 / 750.0 / shown.field_side_mm();
        assert!((shift - expected).abs() < 1e-9, "{shift} {expected}");
    }
}
