//! Left hip bone and left proximal femur (`body.md` 3.1, 3.2, 8.8, 8.9); the right ones are their mirror images.

use super::sdf::{Plate, chain, curve, cut, ellipsoid, join, rounded_box, v};
use super::spine::sacrum;
use crate::math::Vec3;

/// Center of the left hip joint, female `[D]`.
pub(super) const HIP_CENTER: [f64; 3] = [86.0, -31.0, -102.0];
/// Radius of the femoral head, female: diameter 43 mm.
pub(super) const HEAD_RADIUS_MM: f64 = 21.5;
/// Joint space between head and socket, mm.
const JOINT_SPACE_MM: f64 = 4.0;

/// Iliac crest from back to front: PSIS, crest top at L4/5, tubercle, ASIS `[D]`.
pub(super) const CREST: [[f64; 3]; 8] = [
    [43.0, 54.0, -30.0],
    [56.0, 52.0, -4.0],
    [80.0, 40.0, 24.0],
    [108.0, 16.0, 42.0],
    [128.0, -8.0, 45.0],
    [138.0, -34.0, 27.0],
    [133.0, -62.0, -2.0],
    [118.0, -83.0, -31.0],
];

/// A hip bone, its plate prepared once.
pub(super) struct HipBone {
    wing: Plate,
    crest: Vec<(Vec3, f64)>,
    brim: Vec<(Vec3, f64)>,
}

impl HipBone {
    pub(super) fn new() -> Self {
        let p = |a: [f64; 3], h: f64| (v(a[0], a[1], a[2]), h);
        let crest: Vec<(Vec3, f64)> = CREST.iter().map(|c| p(*c, 4.0)).collect();
        // Middle of the wing: the fossa, hollow towards the inside, thin.
        let middle = vec![
            p([44.0, 50.0, -44.0], 6.0),
            p([55.0, 42.0, -28.0], 5.5),
            p([78.0, 26.0, -14.0], 2.6),
            p([101.0, 6.0, -4.0], 2.0),
            p([115.0, -16.0, -6.0], 2.0),
            p([119.0, -36.0, -16.0], 2.4),
            p([116.0, -56.0, -32.0], 3.5),
            p([111.0, -72.0, -48.0], 4.5),
        ];
        // Lower edge: PIIS, joint surface, arcuate line, roof of the socket, AIIS.
        let lower = vec![
            p([44.0, 46.0, -60.0], 5.0),
            p([49.0, 27.0, -50.0], 7.0),
            p([55.0, 4.0, -36.0], 6.5),
            p([63.0, -12.0, -50.0], 6.0),
            p([75.0, -24.0, -63.0], 7.0),
            p([87.0, -34.0, -69.0], 8.0),
            p([96.0, -50.0, -71.0], 7.5),
            p([102.0, -63.0, -68.0], 6.0),
        ];
        let brim = vec![
            p([53.0, 4.0, -28.0], 7.0),
            p([58.0, -10.0, -46.0], 7.0),
            p([65.0, -30.0, -66.0], 7.5),
            p([68.0, -50.0, -82.0], 8.0),
            p([58.0, -68.0, -94.0], 7.0),
            p([42.0, -81.0, -101.0], 6.2),
            p([26.0, -88.0, -107.0], 6.5),
        ];
        Self {
            wing: Plate::new(&[crest.clone(), middle, lower], 3),
            crest: curve(&crest, 4),
            brim: curve(&brim, 3),
        }
    }

    /// Distance to the outer surface.
    pub(super) fn outer(&self, p: &Vec3) -> f64 {
        let mut d = self.wing.at(p);
        // Crest: a lip along the upper edge, thickest at the tubercle.
        d = join(d, chain(p, &self.crest, 1.0), 3.0);
        let tubercle = ellipsoid(&(p - v(137.0, -34.0, 24.0)), &v(7.0, 10.0, 9.0));
        d = join(d, tubercle, 4.0);
        // Thick hind part that carries the sacroiliac joint.
        let auricular =
            [(v(55.0, 6.0, -24.0), 8.0), (v(51.0, 28.0, -38.0), 9.0), (v(46.0, 44.0, -50.0), 6.0)];
        d = join(d, chain(p, &auricular, 3.0), 6.0);
        // Pelvic brim: arcuate line, iliopubic eminence, superior ramus.
        d = join(d, chain(p, &self.brim, 3.0), 6.0);
        let strut = [(v(82.0, -56.0, -82.0), 9.0), (v(68.0, -60.0, -90.0), 7.5)];
        d = join(d, chain(p, &strut, 2.0), 5.0);
        // Posterior column, ischium, tuberosity, spine.
        let column = [
            (v(60.0, 4.0, -44.0), 7.0),
            (v(70.0, 3.0, -66.0), 9.5),
            (v(72.0, 2.0, -92.0), 13.0),
            (v(68.0, -3.0, -118.0), 11.0),
            (v(66.0, -8.0, -138.0), 12.0),
        ];
        d = join(d, chain(p, &column, 4.0), 6.0);
        d = join(d, ellipsoid(&(p - v(68.0, -5.0, -140.0)), &v(12.0, 16.0, 20.0)), 6.0);
        d = join(d, chain(p, &[(v(64.0, 4.0, -92.0), 6.0), (v(53.5, 5.5, -96.0), 2.4)], 1.0), 4.0);
        // Ischiopubic ramus and body of the pubis.
        let ramus = [
            (v(66.0, -16.0, -151.0), 8.0),
            (v(50.0, -32.0, -152.0), 5.5),
            (v(32.0, -48.0, -146.0), 5.5),
            (v(15.0, -62.0, -136.0), 7.0),
        ];
        d = join(d, chain(p, &ramus, 3.0), 5.0);
        d = join(d, pubis(p), 7.0);
        d = socket(d, p);
        // Gaps of the joints: sacroiliac, symphysis.
        d = cut(d, sacrum(p) - 2.6, 1.0);
        cut(d, p.x - 2.3, 1.0)
    }

    /// Thickness of the cortex `[K]`.
    pub(super) fn cortex_mm(p: &Vec3) -> f64 {
        let c = v(HIP_CENTER[0], HIP_CENTER[1], HIP_CENTER[2]);
        let near_socket = 1.0 - (((p - c).norm() - 30.0) / 10.0).clamp(0.0, 1.0);
        // In the fossa the two cortices meet; the sudden rise ends the spongiosa there with a clean edge.
        let q = (p - v(103.0, 0.0, -8.0)).component_div(&v(34.0, 40.0, 30.0)).norm();
        let fossa = ((1.0 - q) / 0.25).clamp(0.0, 1.0);
        1.5 + 0.6 * near_socket + 3.0 * fossa
    }
}

/// Body of the pubis, its joint face 48 degrees to the vertical.
fn pubis(p: &Vec3) -> f64 {
    let (s, c) = 48.0_f64.to_radians().sin_cos();
    let q = p - v(10.5, -72.0, -123.0);
    // Along the symphysis: down and back.
    let along = -q.z * c + q.y * s;
    let across = q.y * c + q.z * s;
    rounded_box(&v(q.x + 0.18 * along, along, across), &v(9.5, 18.0, 7.5), 6.0)
}

/// Adds the wall of the socket and hollows it; opens 42 degrees down, 20 degrees forwards.
fn socket(d: f64, p: &Vec3) -> f64 {
    let c = v(HIP_CENTER[0], HIP_CENTER[1], HIP_CENTER[2]);
    let q = p - c;
    let inclination = 42.0_f64.to_radians();
    let anteversion = 20.0_f64.to_radians();
    let axis =
        v(inclination.sin() * anteversion.cos(), -inclination.sin() * anteversion.sin(), -inclination.cos());
    let inner = HEAD_RADIUS_MM + JOINT_SPACE_MM;
    let ball = q.norm() - (inner + 6.0);
    let wall = -join(-ball, -(q.dot(&axis) + 1.0), 3.0);
    let d = join(d, wall, 6.0);
    // The hollow and, outside the opening, room for the neck.
    let hollow = q.norm() - inner;
    let d = cut(d, hollow, 1.5);
    // Acetabular notch, down and forwards.
    let notch = chain(p, &[(c, 10.0), (c + v(-6.0, -4.0, -30.0), 10.0)], 1.0);
    cut(d, notch, 2.0)
}

/// Distance to the outer surface of the left proximal femur.
pub(super) fn femur(p: &Vec3) -> f64 {
    // Cut across the shaft below the field.
    -join(-femur_uncut(p), -(-245.0 - p.z), 1.0)
}

/// As [`femur`], the shaft going on a little.
pub(super) fn femur_uncut(p: &Vec3) -> f64 {
    let c = v(HIP_CENTER[0], HIP_CENTER[1], HIP_CENTER[2]);
    let head = (p - c).norm() - HEAD_RADIUS_MM;
    // Neck: 127 degrees to the shaft, 12 degrees forwards.
    let neck =
        [(c + v(4.0, 0.8, -3.0), 15.0), (v(106.0, -27.0, -117.0), 14.0), (v(120.0, -23.5, -129.0), 16.5)];
    let mut d = join(head, chain(p, &neck, 4.0), 3.0);
    let trochanter = ellipsoid(&(p - v(132.0, -14.0, -119.0)), &v(12.0, 16.0, 18.0));
    d = join(d, trochanter, 6.0);
    let shaft = curve(
        &[
            (v(125.0, -22.0, -130.0), 17.0),
            (v(123.0, -21.5, -155.0), 16.5),
            (v(119.0, -21.0, -185.0), 14.2),
            (v(114.0, -22.0, -222.0), 13.4),
            (v(108.0, -24.0, -262.0), 13.2),
        ],
        3,
    );
    d = join(d, chain(p, &shaft, 3.0), 7.0);
    let crest = [(v(131.0, -6.0, -122.0), 5.0), (v(122.0, -6.5, -140.0), 4.0), (v(112.0, -8.5, -156.0), 5.0)];
    d = join(d, chain(p, &crest, 3.0), 5.0);
    let lesser = ellipsoid(&(p - v(109.5, -9.5, -156.0)), &v(8.0, 8.5, 11.0));
    d = join(d, lesser, 5.0);
    let fovea = (p - c - v(-21.0, -3.0, 3.0)).norm() - 4.0;
    cut(d, fovea, 2.0)
}

/// Thickness of the femoral cortex: 1 mm over the head, 2 at the neck, 7 in the shaft; calcar 4 `[K]`.
pub(super) fn femur_cortex_mm(p: &Vec3) -> f64 {
    let c = v(HIP_CENTER[0], HIP_CENTER[1], HIP_CENTER[2]);
    let away = (((p - c).norm() - HEAD_RADIUS_MM) / 12.0).clamp(0.0, 1.0);
    let down = ((-140.0 - p.z) / 60.0).clamp(0.0, 1.0);
    let calcar = (1.0 - (p - v(106.0, -25.0, -140.0)).norm() / 22.0).max(0.0);
    1.0 + 0.9 * away + 4.9 * down * down * (3.0 - 2.0 * down) + 2.0 * calcar
}
