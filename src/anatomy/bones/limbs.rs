//! Shoulder girdle, arm and leg (`body.md` 2.3, 3.2): left scapula, arm bones, whole femur, knee and lower leg. Courses `[D]`.

use super::sdf::{Plate, chain, curve, cut, ellipsoid, join, rounded_box, v};
use crate::math::Vec3;

/// Left scapula, its plate prepared once.
pub(super) struct Scapula {
    blade: Plate,
}

impl Scapula {
    pub(super) fn new() -> Self {
        let p = |x: f64, y: f64, z: f64, h: f64| (v(x, y, z), h);
        // From the medial border to the lateral one, rows from above: upper angle to lower angle, plane 32 degrees off the
        // frontal one.
        let rows = [
            vec![p(80.0, 36.0, 434.0, 2.0), p(105.0, 24.0, 438.0, 1.8), p(140.0, 2.0, 436.0, 2.4)],
            vec![p(74.0, 48.0, 405.0, 1.8), p(108.0, 34.0, 404.0, 1.7), p(150.0, 6.0, 405.0, 4.0)],
            vec![p(76.0, 52.0, 365.0, 1.8), p(100.0, 44.0, 364.0, 1.7), p(128.0, 26.0, 368.0, 4.0)],
            vec![p(84.0, 48.0, 318.0, 2.4), p(92.0, 46.0, 318.0, 2.4), p(100.0, 42.0, 322.0, 3.4)],
        ];
        Self { blade: Plate::new(&rows, 3) }
    }

    pub(super) fn outer(&self, p: &Vec3) -> f64 {
        let mut d = self.blade.at(p);
        // Lateral border, neck and socket of the shoulder.
        let border = [(v(99.0, 43.0, 322.0), 4.0), (v(127.0, 26.0, 368.0), 4.6), (v(150.0, 6.0, 404.0), 7.0)];
        d = join(d, chain(p, &border, 2.0), 3.0);
        d = join(d, ellipsoid(&(p - v(157.0, -3.0, 414.0)), &v(9.0, 12.0, 17.0)), 4.0);
        d = cut(d, (p - v(183.0, -8.0, 415.0)).norm() - 25.5, 1.5);
        // Spine and acromion.
        let spine = [
            (v(78.0, 50.0, 410.0), 3.0),
            (v(112.0, 48.0, 424.0), 4.5),
            (v(150.0, 32.0, 440.0), 6.0),
            (v(178.0, 8.0, 449.0), 6.0),
            (v(182.0, -16.0, 450.0), 6.0),
        ];
        d = join(d, chain(p, &curve(&spine, 2), 2.0), 3.0);
        // Coracoid.
        let beak =
            [(v(146.0, -8.0, 428.0), 7.0), (v(141.0, -28.0, 438.0), 6.0), (v(147.0, -44.0, 430.0), 5.0)];
        join(d, chain(p, &beak, 2.0), 3.0)
    }
}

/// Left humerus: head of 23 mm radius, shaft 22 to 24 mm, condyles.
pub(super) fn humerus(p: &Vec3) -> f64 {
    let mut d = (p - v(183.0, -8.0, 415.0)).norm() - 23.0;
    d = join(d, ellipsoid(&(p - v(200.0, -10.0, 408.0)), &v(9.0, 14.0, 17.0)), 5.0);
    let shaft = curve(
        &[
            (v(189.0, -8.0, 398.0), 17.0),
            (v(191.0, -7.0, 365.0), 12.6),
            (v(190.0, -5.0, 290.0), 11.2),
            (v(188.0, -5.0, 190.0), 11.0),
            (v(186.0, -7.0, 130.0), 12.5),
        ],
        3,
    );
    d = join(d, chain(p, &shaft, 2.0), 8.0);
    join(d, ellipsoid(&(p - v(185.0, -8.0, 104.0)), &v(31.0, 9.5, 13.0)), 8.0)
}

/// Cortex of a long bone: thin at the ends, `most` in the shaft, mm `[K]`.
pub(super) fn long_cortex_mm(z: f64, top: f64, bottom: f64, most: f64) -> f64 {
    let from_end = (top - z).min(z - bottom).max(0.0);
    1.2 + (most - 1.2) * (from_end / 60.0).min(1.0)
}

/// Left radius.
pub(super) fn radius(p: &Vec3) -> f64 {
    let shaft = curve(
        &[
            (v(198.0, -10.0, 88.0), 10.0),
            (v(198.0, -11.0, 74.0), 6.4),
            (v(207.0, -20.0, 0.0), 6.6),
            (v(213.0, -27.0, -100.0), 7.4),
            (v(213.5, -30.0, -148.0), 11.5),
        ],
        3,
    );
    chain(p, &shaft, 2.0)
}

/// Left ulna with its hook.
pub(super) fn ulna(p: &Vec3) -> f64 {
    let shaft = curve(
        &[
            (v(178.0, 8.0, 108.0), 9.0),
            (v(180.0, 2.0, 84.0), 10.0),
            (v(186.0, -6.0, 30.0), 6.6),
            (v(194.0, -15.0, -60.0), 6.0),
            (v(199.0, -22.0, -150.0), 6.2),
        ],
        3,
    );
    chain(p, &shaft, 2.0)
}

/// Wrist, middle hand and fingers as one bone with gaps.
pub(super) fn hand(p: &Vec3) -> f64 {
    let mut d = ellipsoid(&(p - v(209.0, -30.0, -172.0)), &v(20.0, 9.0, 14.0));
    for (i, x) in [189.0, 200.0, 211.0, 222.0].into_iter().enumerate() {
        let spread = 0.35 * (x - 206.0);
        let bend = 3.0 * i as f64;
        let ray = [(v(x, -32.0, -188.0), 5.0), (v(x + spread, -38.0, -240.0), 4.6)];
        let finger = [(v(x + spread, -40.0, -250.0), 4.4), (v(x + 1.5 * spread, -58.0 - bend, -300.0), 3.2)];
        d = d.min(chain(p, &ray, 1.0)).min(chain(p, &finger, 1.0));
    }
    let thumb =
        [(v(226.0, -36.0, -178.0), 5.4), (v(240.0, -50.0, -212.0), 5.0), (v(246.0, -60.0, -250.0), 3.8)];
    d.min(chain(p, &thumb, 1.0))
}

/// Left femur below the trochanters, to the condyles at the knee joint (z about -530): front bow of 943 mm radius.
pub(super) fn femur_shaft(p: &Vec3) -> f64 {
    let shaft = curve(
        &[
            (v(119.0, -21.0, -185.0), 14.2),
            (v(112.0, -24.0, -240.0), 13.5),
            (v(104.0, -28.0, -310.0), 13.6),
            (v(97.0, -27.0, -380.0), 14.4),
            (v(90.0, -20.0, -450.0), 17.5),
            (v(86.0, -12.0, -490.0), 24.0),
        ],
        3,
    );
    let mut d = chain(p, &shaft, 2.0);
    let condyle = |x: f64, rx: f64| ellipsoid(&(p - v(x, -6.0, -508.0)), &v(rx, 29.0, 21.0));
    d = join(d, condyle(64.0, 20.0), 8.0);
    d = join(d, condyle(106.0, 19.0), 8.0);
    cut(d, chain(p, &[(v(85.0, 10.0, -512.0), 8.0), (v(85.0, 34.0, -512.0), 11.0)], 1.0), 4.0)
}

/// Left tibia.
pub(super) fn tibia(p: &Vec3) -> f64 {
    let mut d = ellipsoid(&(p - v(85.0, -6.0, -547.0)), &v(38.5, 24.0, 13.0));
    let shaft = curve(
        &[
            (v(84.0, -8.0, -556.0), 25.0),
            (v(81.0, -14.0, -600.0), 16.0),
            (v(77.0, -16.0, -680.0), 13.0),
            (v(71.0, -14.0, -780.0), 11.5),
            (v(66.0, -8.0, -850.0), 13.5),
            (v(66.0, -5.0, -886.0), 19.0),
        ],
        3,
    );
    d = join(d, chain(p, &shaft, 2.0), 6.0);
    d = join(d, ellipsoid(&(p - v(81.0, -30.0, -578.0)), &v(9.0, 6.0, 14.0)), 6.0);
    // Inner ankle; flat joint below.
    d = join(d, ellipsoid(&(p - v(47.0, -6.0, -897.0)), &v(7.0, 11.0, 15.0)), 6.0);
    cut(d, ellipsoid(&(p - v(69.0, -4.0, -917.0)), &v(15.0, 30.0, 18.0)), 1.0)
}

/// Left fibula.
pub(super) fn fibula(p: &Vec3) -> f64 {
    let shaft = curve(
        &[
            (v(116.0, 14.0, -560.0), 10.0),
            (v(113.0, 13.0, -590.0), 6.2),
            (v(108.0, 11.0, -700.0), 6.4),
            (v(101.0, 8.0, -830.0), 6.6),
            (v(95.0, 6.0, -888.0), 9.0),
            (v(93.0, 6.0, -908.0), 7.0),
        ],
        3,
    );
    chain(p, &shaft, 2.0)
}

/// Left kneecap.
pub(super) fn patella(p: &Vec3) -> f64 {
    ellipsoid(&(p - v(85.0, -47.0, -500.0)), &v(21.0, 10.5, 22.0))
}

/// Left foot: ankle bone, heel, middle foot and toes.
pub(super) fn foot(p: &Vec3) -> f64 {
    let mut d = ellipsoid(&(p - v(69.0, -6.0, -917.0)), &v(14.0, 26.0, 15.0));
    d = join(d, ellipsoid(&(p - v(71.0, 22.0, -940.0)), &v(15.0, 32.0, 19.0)), 4.0);
    for (i, x) in [54.0, 64.0, 74.0, 83.0, 91.0].into_iter().enumerate() {
        let r = if i == 0 { 8.0 } else { 5.0 };
        let spread = 0.25 * (x - 70.0);
        let ray = [
            (v(x, -42.0, -928.0), r),
            (v(x + spread, -105.0, -948.0), 0.9 * r),
            (v(x + 1.4 * spread, -146.0, -954.0), 0.7 * r),
        ];
        d = d.min(chain(p, &ray, 1.0));
    }
    d
}

/// Arm outline (left), `inset` from outside to inside, mm.
pub(super) fn arm_skin(p: &Vec3, inset: f64) -> f64 {
    let line = [
        (v(178.0, -8.0, 400.0), 58.0),
        (v(185.0, -4.0, 320.0), 50.0),
        (v(186.0, -6.0, 200.0), 45.0),
        (v(188.0, -10.0, 105.0), 42.0),
        (v(196.0, -16.0, 40.0), 42.0),
        (v(206.0, -26.0, -90.0), 31.0),
        (v(208.0, -30.0, -150.0), 28.0),
    ];
    let hand = rounded_box(&(p - v(210.0, -42.0, -225.0)), &v(42.0, 20.0, 82.0), 18.0);
    join(chain(p, &curve(&line, 2), 6.0), hand, 20.0) + inset
}

/// Leg outline (left), `inset` from outside to inside, mm.
pub(super) fn leg_skin(p: &Vec3, inset: f64) -> f64 {
    let line = [
        (v(98.0, -16.0, -200.0), 88.0),
        (v(94.0, -16.0, -300.0), 80.0),
        (v(88.0, -8.0, -420.0), 66.0),
        (v(85.0, -6.0, -510.0), 62.0),
        (v(86.0, 8.0, -610.0), 60.0),
        (v(80.0, 6.0, -700.0), 54.0),
        (v(74.0, 0.0, -830.0), 40.0),
        (v(71.0, 2.0, -900.0), 40.0),
    ];
    let foot = chain(
        p,
        &[(v(71.0, 30.0, -934.0), 34.0), (v(72.0, -60.0, -940.0), 34.0), (v(72.0, -130.0, -952.0), 26.0)],
        8.0,
    );
    join(chain(p, &curve(&line, 2), 6.0), foot, 20.0) + inset
}
