//! Skull and mandible (`body.md` 4, 8.10): vault, base, petrous bones, orbits, face, teeth, air spaces. Left half, mirrored by |x|.

use super::sdf::{chain, curve, cut, ellipsoid, join, rounded_box, v};
use crate::math::Vec3;

/// Center and outer radii of the vault `[D]`.
const VAULT: ([f64; 3], [f64; 3]) = ([0.0, -45.0, 650.0], [71.0, 91.0, 80.0]);

fn half(p: &Vec3) -> Vec3 {
    v(p.x.abs(), p.y, p.z)
}

/// Thickness of the vault: frontal 8, parietal 7, temporal 4.7, occipital 8 mm `[A74]`.
fn thickness_mm(q: &Vec3) -> f64 {
    let side = (q.x / 71.0).powi(2) * (1.0 - ((q.z - 640.0) / 60.0).clamp(0.0, 1.0));
    7.8 - 3.0 * side.min(1.0)
}

/// Floor of the skull: high in front, vaulted over the orbits, hollow at the sides of the middle fossa `[D]`.
fn floor_z_mm(q: &Vec3) -> f64 {
    let step = |at: f64| (0.5 + (q.y - at) / 16.0).clamp(0.0, 1.0);
    let front =
        622.0 + 12.0 * (1.0 - ((q.x - 33.0) / 26.0).powi(2)).max(-0.4) - 0.10 * (q.y + 100.0).max(-20.0);
    let middle = 612.0 - 16.0 * (1.0 - ((q.x - 38.0) / 30.0).powi(2)).max(0.0) + 0.12 * (q.y + 55.0);
    let hind = 590.0;
    let s = step(-76.0);
    let t = step(-34.0);
    (front * (1.0 - s) + middle * s) * (1.0 - t) + hind * t
}

/// Foramen magnum, 35 x 30 mm.
fn great_foramen(q: &Vec3) -> f64 {
    (v(q.x / 15.0, (q.y + 18.0) / 17.5, 0.0).norm() - 1.0) * 15.0
}

/// Distance to the vault, from the brow round to the great foramen.
pub(super) fn cranium(p: &Vec3) -> f64 {
    let q = half(p);
    let (c, r) = VAULT;
    let outer = ellipsoid(&(q - Vec3::from(c)), &Vec3::from(r));
    let shell = outer.max(-(outer + thickness_mm(&q)));
    let floor = floor_z_mm(&q).max(598.0);
    let mut d = -join(-shell, -(floor - 6.0 - q.z), 4.0);
    // Behind, the vault goes on into a bowl around the great foramen.
    let bowl = ellipsoid(&(q - v(0.0, 0.0, 626.0)), &v(60.0, 46.0, 40.0));
    let bowl = bowl.max(-(bowl + 5.0)).max(q.z - 628.0).max(-36.0 - q.y);
    d = join(d, cut(bowl, great_foramen(&q), 2.0), 5.0);
    // Mastoid, occipital condyles.
    d = join(d, ellipsoid(&(q - v(52.0, -23.0, 597.0)), &v(11.0, 14.0, 18.0)), 4.0);
    join(d, ellipsoid(&(q - v(17.0, -26.0, 589.5)), &v(6.0, 11.0, 4.5)), 2.0)
}

/// Base of the skull between the walls: floor, clivus, sella, wings of the sphenoid. Thin plates at the limit of the grid: their
/// density is lower so that what lies on a ray is right.
pub(super) fn base(p: &Vec3) -> f64 {
    let q = half(p);
    let (c, r) = VAULT;
    let outer = ellipsoid(&(q - Vec3::from(c)), &Vec3::from(r));
    // In the midline it ends at the clivus: behind that is room for the basilar artery.
    let end = q.y + 36.0 + 14.0 * (1.0 - q.x / 24.0).max(0.0);
    let plate = (((q.z - floor_z_mm(&q)).abs() - 1.7) * 0.8).max(outer + 2.0).max(end);
    let mut d = plate;
    // Clivus, back of the sella, its floor, clinoid processes.
    let clivus = [
        (v(0.0, -43.0, 596.0), 6.0),
        (v(0.0, -54.0, 614.0), 6.0),
        (v(0.0, -56.5, 626.0), 3.5),
        (v(0.0, -53.0, 636.0), 2.4),
    ];
    d = join(d, chain(&v(0.55 * q.x, q.y, q.z), &clivus, 2.0), 3.0);
    d = join(d, rounded_box(&(q - v(0.0, -66.0, 624.5)), &v(7.0, 9.0, 1.8), 1.5), 2.0);
    d = join(d, chain(&q, &[(v(0.0, -75.0, 634.0), 2.6), (v(15.5, -73.0, 641.5), 2.4)], 1.0), 2.0);
    // Lesser and greater wing of the sphenoid: the oblique lines through the orbits.
    let lesser =
        curve(&[(v(15.0, -75.0, 641.0), 2.4), (v(34.0, -82.0, 645.0), 2.2), (v(56.0, -92.0, 650.0), 2.4)], 2);
    d = join(d, chain(&q, &lesser, 1.0), 2.0);
    let greater = [(v(30.0, -82.0, 612.0), 2.2), (v(46.0, -96.0, 624.0), 2.2), (v(55.0, -98.0, 646.0), 2.4)];
    d = join(d, chain(&q, &greater, 1.0), 2.0);
    cut(d, carotid_canal(&q), 1.0)
}

/// Cortical tables: 1.5 outside, 1.2 inside `[K]`.
pub(super) fn table_mm(p: &Vec3) -> f64 {
    let q = half(p) - Vec3::from(VAULT.0);
    // Diploe only in the vault; the base is solid.
    if q.z > 0.0 || q.y > 30.0 { 1.5 } else { 8.0 }
}

/// Room for the internal carotid artery through base and petrous bone and beside the sella.
fn carotid_canal(q: &Vec3) -> f64 {
    let way = [
        [29.5, -40.0, 590.0],
        [28.5, -41.5, 606.0],
        [24.5, -46.5, 611.0],
        [18.0, -52.5, 613.0],
        [13.5, -56.5, 616.0],
        [11.8, -59.5, 622.0],
        [11.2, -65.0, 627.5],
        [11.0, -72.0, 629.5],
        [11.0, -77.5, 632.5],
        [11.3, -79.5, 637.0],
        [11.8, -76.5, 641.5],
        [12.6, -71.0, 645.0],
    ]
    .map(|p| (Vec3::from(p), 4.0));
    chain(q, &way, 0.5)
}

/// Petrous pyramid: from the mastoid to the tip beside the clivus, its upper edge along the ridge.
pub(super) fn petrous(p: &Vec3) -> f64 {
    let q = half(p);
    let ridge = [(v(57.0, -28.0, 616.0), 11.5), (v(38.0, -38.0, 616.5), 9.0), (v(17.5, -48.5, 614.5), 5.2)];
    let d = chain(&q, &ridge, 2.0);
    // Inner ear canal; canal of the carotid artery.
    let d = cut(d, chain(&q, &[(v(36.0, -34.0, 618.0), 2.6), (v(24.0, -36.0, 619.0), 3.4)], 1.0), 1.0);
    cut(d, carotid_canal(&q), 1.0)
}

/// Facial skeleton: orbital rims, nose, upper jaw, cheek bones.
pub(super) fn face(p: &Vec3) -> f64 {
    let q = half(p);
    // Rim of the orbit: 40 x 34 mm, turned a little outwards.
    let rim: Vec<(Vec3, f64)> = (0..=12)
        .map(|i| {
            let (s, c) = (std::f64::consts::TAU * f64::from(i) / 12.0).sin_cos();
            let x = 33.0 + 22.0 * c;
            (v(x, -122.0 + 0.32 * (x - 16.0), 625.0 + 19.0 * s), 3.4 + 0.9 * s.max(0.0))
        })
        .collect();
    let mut d = chain(&q, &rim, 1.0);
    // Brow between the orbits, bridge of the nose.
    d = join(d, ellipsoid(&(q - v(0.0, -131.0, 645.0)), &v(20.0, 6.0, 9.0)), 4.0);
    d = join(d, chain(&q, &[(v(3.0, -131.0, 638.0), 4.0), (v(5.0, -137.0, 617.0), 3.0)], 1.0), 3.0);
    // Inner walls of the orbits, roof of the nose.
    let inner = rounded_box(
        &(v(q.x - 0.12 * (q.z - 618.0), q.y, q.z) - v(13.0, -103.0, 618.0)),
        &v(1.3, 24.0, 14.0),
        1.2,
    );
    d = join(d, inner, 2.0);
    // Lateral wall of the orbit.
    let lateral = [(v(53.0, -112.0, 628.0), 3.0), (v(44.0, -94.0, 628.0), 2.4), (v(33.0, -82.0, 628.0), 2.2)];
    d = join(d, chain(&v(q.x, q.y, 628.0 + 0.25 * (q.z - 628.0)), &lateral, 1.0), 2.0);
    // Upper jaw around its sinus.
    let jaw = ellipsoid(&(q - v(26.0, -105.0, 592.0)), &v(17.0, 21.0, 20.0));
    let jaw = jaw.max(-(jaw + 2.2));
    d = join(d, jaw, 2.0);
    // Opening of the nose stays free in front; its edge and the septum.
    let edge = [
        (v(6.0, -133.0, 612.0), 2.4),
        (v(12.5, -126.0, 596.0), 2.6),
        (v(8.0, -127.0, 584.0), 2.8),
        (v(0.0, -130.0, 581.0), 2.8),
    ];
    d = join(d, chain(&q, &edge, 1.0), 2.0);
    d = join(d, rounded_box(&(q - v(0.0, -104.0, 604.0)), &v(1.2, 20.0, 22.0), 1.0), 1.5);
    // Cheek bone and arch.
    let arch = curve(
        &[
            (v(46.0, -117.0, 606.0), 7.0),
            (v(56.0, -108.0, 602.0), 6.5),
            (v(64.5, -88.0, 604.0), 3.4),
            (v(64.0, -66.0, 606.0), 3.4),
            (v(60.0, -52.0, 607.0), 3.6),
        ],
        2,
    );
    d = join(d, chain(&q, &arch, 2.0), 3.0);
    // Hard palate and tooth-bearing arch.
    d = join(d, rounded_box(&(q - v(0.0, -104.0, 579.0)), &v(18.0, 23.0, 2.0), 1.6), 2.0);
    d = join(d, chain(&v(q.x, q.y, 572.0 + 0.6 * (q.z - 572.0)), &tooth_line(572.0, 1.0), 3.0), 3.0);
    // Pterygoid plates.
    join(d, chain(&q, &[(v(14.0, -78.0, 612.0), 2.6), (v(17.0, -75.0, 584.0), 2.6)], 1.0), 2.0)
}

/// The parabola that teeth stand on, at a height.
fn tooth_line(z: f64, wide: f64) -> Vec<(Vec3, f64)> {
    let at = |x: f64, y: f64| (v(wide * x, y, z), 5.2);
    curve(&[at(0.0, -128.0), at(10.0, -125.5), at(18.0, -117.0), at(22.5, -105.0), at(25.0, -90.0)], 2)
}

/// Lower jaw.
pub(super) fn mandible(p: &Vec3) -> f64 {
    let q = half(p);
    let body = |z: f64, r: f64| {
        curve(
            &[
                (v(0.0, -127.0, z), r),
                (v(14.0, -123.0, z), r),
                (v(27.0, -108.0, z + 3.0), r),
                (v(38.0, -88.0, z + 10.0), r),
                (v(46.0, -68.0, z + 22.5), 0.9 * r),
            ],
            2,
        )
    };
    // Three rows joined: a plate 12 mm thick, 30 high.
    let rows = [523.0, 531.0, 539.0].map(|z| chain(&q, &body(z, 6.0), 1.0));
    let mut d = join(join(rows[0], rows[1], 4.0), rows[2], 4.0);
    let back = [(v(47.5, -62.0, 552.0), 4.6), (v(49.5, -54.0, 575.0), 4.4), (v(51.0, -50.0, 598.0), 4.2)];
    let front = [(v(46.0, -82.0, 553.0), 4.2), (v(48.5, -79.0, 575.0), 3.4), (v(49.0, -77.0, 597.0), 2.6)];
    let edges = join(chain(&q, &back, 1.0), chain(&q, &front, 1.0), 4.0);
    // Between its edges a plate that leans outwards.
    let lean = v(q.x - 0.06 * (q.z - 566.0), q.y, q.z);
    let plate = rounded_box(&(lean - v(48.2, -69.0, 568.0)), &v(3.2, 12.0, 19.0), 3.0);
    d = join(d, join(edges, plate, 3.0), 4.0);
    d = join(d, ellipsoid(&(q - v(51.0, -50.0, 601.0)), &v(10.0, 4.8, 5.0)), 3.0);
    join(d, ellipsoid(&(q - v(0.0, -130.0, 521.0)), &v(12.0, 5.0, 8.0)), 4.0)
}

/// Teeth of both jaws: capsules along the arch, a slit between upper and lower.
pub(super) fn teeth(p: &Vec3) -> f64 {
    let q = half(p);
    let line = tooth_line(557.0, 1.0);
    let mut d = f64::INFINITY;
    let mut walked = 0.0;
    let mut next = 3.6;
    for w in line.windows(2) {
        let step = (w[1].0 - w[0].0).norm();
        while walked + step > next {
            let c = w[0].0.lerp(&w[1].0, (next - walked) / step);
            let r = if c.y < -114.0 { 3.0 } else { 4.0 };
            let up = chain(&q, &[(v(c.x, c.y, 561.0), r), (v(c.x, c.y, 574.0), 0.6 * r)], 0.5);
            let low = chain(&q, &[(v(c.x, c.y + 1.0, 553.0), r), (v(c.x, c.y + 1.0, 540.0), 0.6 * r)], 0.5);
            d = d.min(up).min(low);
            next += 2.0 * r + 0.9;
        }
        walked += step;
    }
    d
}

/// Air spaces: sinuses, nose, throat, windpipe down to its fork; mastoid cells.
pub(super) fn air(p: &Vec3) -> f64 {
    let q = half(p);
    let mut d = ellipsoid(&(q - v(26.0, -105.0, 592.0)), &v(14.6, 18.6, 17.6));
    d = d.min(ellipsoid(&(q - v(9.0, -131.5, 650.0)), &v(10.0, 3.6, 10.0)));
    d = d.min(ellipsoid(&(q - v(0.0, -72.0, 615.0)), &v(8.5, 9.0, 7.5)));
    d = d.min(ellipsoid(&(q - v(8.0, -108.0, 619.0)), &v(3.4, 19.0, 11.0)));
    d = d.min(ellipsoid(&(q - v(6.5, -105.0, 595.0)), &v(4.6, 21.0, 12.0)));
    let cells = [(v(52.0, -24.0, 606.0), 5.0), (v(52.0, -23.0, 594.0), 4.5), (v(48.0, -30.0, 610.0), 3.5)];
    d.min(chain(&q, &cells, 1.0))
}

/// Throat and windpipe, in the midline.
pub(super) fn airway(p: &Vec3) -> f64 {
    let q = v(0.8 * p.x, p.y, p.z);
    let throat = [
        (v(0.0, -74.0, 596.0), 8.0),
        (v(0.0, -66.0, 575.0), 7.0),
        (v(0.0, -62.0, 548.0), 7.0),
        (v(0.0, -62.0, 520.0), 6.0),
        (v(0.0, -58.0, 500.0), 6.0),
        (v(0.0, -52.0, 478.0), 7.6),
        (v(0.0, -42.0, 430.0), 7.6),
        (v(2.0, -29.0, 374.0), 7.6),
    ];
    chain(&q, &throat, 2.0)
}

/// Main bronchi.
pub(super) fn bronchi(p: &Vec3) -> f64 {
    let right = [(v(2.0, -28.0, 372.0), 7.0), (v(-14.0, -24.0, 352.0), 6.6), (v(-28.0, -22.0, 336.0), 5.0)];
    let left = [(v(2.0, -28.0, 372.0), 7.0), (v(26.0, -22.0, 352.0), 5.8), (v(46.0, -20.0, 338.0), 4.4)];
    chain(p, &right, 1.0).min(chain(p, &left, 1.0))
}

/// Distance to the skin of head and neck; `inset` from outside to inside, mm.
pub(super) fn skin(p: &Vec3, inset: f64) -> f64 {
    let q = half(p);
    let head = ellipsoid(&(q - v(0.0, -46.0, 650.0)), &v(77.0, 98.0, 87.0));
    let face = ellipsoid(&(q - v(0.0, -82.0, 590.0)), &v(66.0, 60.0, 82.0));
    let nose = ellipsoid(&(q - v(0.0, -142.0, 602.0)), &v(12.0, 14.0, 20.0));
    let neck = chain(
        &v(q.x, 0.95 * q.y, q.z),
        &[(v(0.0, -30.0, 590.0), 58.0), (v(0.0, -28.0, 520.0), 56.0), (v(0.0, -24.0, 470.0), 64.0)],
        10.0,
    );
    join(join(join(head, face, 20.0), nose, 8.0), neck, 20.0) + inset
}
