//! Cervical spine (`body.md` 1.1 to 1.4): C3 to C7 after the figures of the thoracic recipe, atlas and axis of their own.

use super::sdf::{chain, cut, ellipsoid, join, rounded_box, v};
use super::thorax::{Thoracic, vertebra};
use crate::math::Vec3;

/// C3 to C7: layout `[D]`, bodies, pedicles and processes `[KP]`.
pub(super) const LOWER: [Thoracic; 5] = [
    vertebra!("c3", -29.6, 541.4, 3.0, 12.6, 20.0, 15.3, 5.6, 7.4, 22.9, 50.0, 30.0, 12.0),
    vertebra!("c4", -28.4, 524.1, 5.0, 12.4, 20.5, 15.6, 5.4, 7.4, 24.7, 49.0, 30.0, 14.0),
    vertebra!("c5", -26.4, 506.9, 8.0, 12.4, 21.0, 16.5, 5.6, 7.0, 24.9, 47.0, 31.0, 18.0),
    vertebra!("c6", -23.2, 489.7, 13.0, 12.6, 22.0, 17.5, 6.0, 7.3, 25.8, 49.0, 34.0, 20.0),
    vertebra!("c7", -18.1, 472.1, 19.0, 14.0, 23.5, 17.5, 6.6, 7.5, 24.5, 67.0, 46.0, 22.0),
];

/// Axis: body, dens of 16 mm, upper joints, arch with a stout spinous process.
pub(super) fn axis(p: &Vec3) -> f64 {
    let q = v(p.x.abs(), p.y + 30.5, p.z - 562.7);
    let mut d = rounded_box(&q, &v(9.0, 7.4, 10.5), 4.0);
    d = join(d, chain(&q, &[(v(0.0, 0.0, 8.0), 5.6), (v(0.0, -0.5, 22.0), 4.8)], 2.0), 3.0);
    d = join(d, ellipsoid(&(q - v(16.0, 3.0, 7.0)), &v(9.0, 8.0, 5.5)), 3.0);
    let arch = [(v(14.0, 6.0, 0.0), 5.0), (v(13.0, 17.0, -5.0), 4.5), (v(3.0, 27.0, -7.0), 4.5)];
    d = join(d, chain(&q, &arch, 2.0), 3.0);
    d = join(d, chain(&q, &[(v(1.5, 26.0, -8.0), 4.5), (v(4.0, 37.0, -13.0), 4.0)], 1.0), 3.0);
    let transverse = [(v(15.0, 4.0, -1.0), 4.0), (v(24.5, 5.5, -3.0), 3.0)];
    d = join(d, chain(&q, &transverse, 1.0), 2.0);
    // Foramen of the vertebral artery.
    cut(d, chain(&q, &[(v(27.5, 5.5, -16.0), 3.4), (v(30.0, 6.0, 2.0), 3.4)], 1.0), 1.0)
}

/// Atlas: ring without a body, lateral masses, wide transverse processes.
pub(super) fn atlas(p: &Vec3) -> f64 {
    let q = v(p.x.abs(), p.y + 30.5, p.z - 580.0);
    let ring = [
        (v(0.0, -9.0, 2.0), 4.6),
        (v(10.0, -7.0, 1.0), 3.8),
        (v(19.0, 0.0, 0.0), 5.0),
        (v(20.0, 12.0, 0.0), 4.0),
        (v(14.0, 23.0, 0.0), 3.8),
        (v(0.0, 28.0, 0.0), 4.4),
    ];
    let mut d = chain(&q, &ring, 2.0);
    d = join(d, ellipsoid(&(q - v(19.0, 1.0, 0.0)), &v(8.5, 10.5, 9.0)), 3.0);
    let transverse = [(v(24.0, 4.0, -2.0), 3.6), (v(33.5, 11.0, -5.0), 3.2)];
    d = join(d, chain(&q, &transverse, 1.0), 2.0);
    let dens = (q.xy() - nalgebra::Vector2::new(0.0, 0.0)).norm() - 6.4;
    d = cut(d, dens, 1.0);
    // Foramen of the vertebral artery, and its groove on the arch behind.
    cut(
        d,
        chain(&q, &[(v(36.2, 11.5, -14.0), 3.3), (v(36.6, 16.0, -2.0), 3.3), (v(30.0, 24.0, 4.5), 3.3)], 1.0),
        1.0,
    )
}
