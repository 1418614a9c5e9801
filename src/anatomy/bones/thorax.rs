//! Bones and lungs of the chest from signed-distance recipes (`body.md` 1, 2, 6, 8.2, 8.5 to 8.7, 8.11): thoracic
//! vertebrae, ribs, sternum, clavicles. Default male `[D]`.

use super::sdf::{chain, curve, cut, ellipsoid, join, rounded_box, v};
use crate::math::Vec3;

/// Figures of a thoracic vertebra: layout `[D]`, body, pedicles and processes `[KP]`.
pub(super) struct Thoracic {
    pub(super) name: &'static str,
    /// Center of the body (y, z), mm.
    pub(super) center_mm: (f64, f64),
    /// Anterior edge lower when positive, degrees.
    pub(super) tilt_deg: f64,
    /// Height of the body, mean of front and back, mm.
    pub(super) height_mm: f64,
    pub(super) width_mm: f64,
    pub(super) depth_mm: f64,
    /// Width and height of a pedicle, mm.
    pub(super) pedicle_mm: (f64, f64),
    pub(super) interpedicular_mm: f64,
    pub(super) transverse_span_mm: f64,
    /// Tip of the spinous process behind the back wall, mm, and how far it points down, degrees.
    pub(super) spinous: (f64, f64),
}

macro_rules! vertebra {
    ($name:literal, $y:literal, $z:literal, $tilt:literal, $h:literal, $w:literal, $d:literal, $pw:literal, $ph:literal,
     $ip:literal, $tp:literal, $sp:literal, $droop:literal) => {
        Thoracic {
            name: $name,
            center_mm: ($y, $z),
            tilt_deg: $tilt,
            height_mm: $h,
            width_mm: $w,
            depth_mm: $d,
            pedicle_mm: ($pw, $ph),
            interpedicular_mm: $ip,
            transverse_span_mm: $tp,
            spinous: ($sp, $droop),
        }
    };
}

pub(super) use vertebra;

/// T1 to T12.
pub(super) const THORACIC: [Thoracic; 12] = [
    vertebra!("t1", -11.0, 453.1, 22.0, 16.5, 27.5, 20.0, 8.5, 9.9, 22.3, 75.0, 50.0, 25.0),
    vertebra!("t2", -3.3, 433.1, 20.0, 17.2, 27.5, 21.6, 7.0, 12.0, 19.4, 69.0, 51.0, 30.0),
    vertebra!("t3", 3.4, 412.9, 17.0, 17.5, 26.5, 24.0, 5.6, 12.4, 18.1, 61.0, 51.0, 38.0),
    vertebra!("t4", 8.9, 392.5, 13.0, 17.8, 26.5, 25.0, 4.7, 12.1, 17.5, 59.0, 52.0, 45.0),
    vertebra!("t5", 13.0, 371.5, 9.0, 18.0, 27.2, 26.3, 4.6, 11.9, 17.0, 60.0, 53.0, 50.0),
    vertebra!("t6", 15.6, 349.7, 5.0, 18.4, 28.5, 27.7, 5.2, 12.2, 17.1, 61.0, 54.0, 52.0),
    vertebra!("t7", 16.8, 327.1, 1.0, 18.8, 29.8, 29.3, 5.3, 12.1, 17.2, 61.0, 54.0, 53.0),
    vertebra!("t8", 16.4, 303.6, -3.0, 19.3, 31.5, 30.0, 5.9, 12.5, 17.2, 60.0, 53.0, 52.0),
    vertebra!("t9", 14.5, 279.5, -6.0, 19.6, 33.4, 31.6, 6.1, 13.9, 17.4, 60.0, 51.0, 48.0),
    vertebra!("t10", 11.2, 254.4, -9.0, 21.0, 35.3, 32.6, 6.3, 14.7, 17.8, 58.0, 51.0, 38.0),
    vertebra!("t11", 6.4, 227.4, -11.0, 22.8, 38.8, 33.4, 7.8, 17.0, 19.4, 52.0, 50.0, 25.0),
    vertebra!("t12", 0.4, 198.2, -12.0, 24.8, 42.5, 34.7, 7.4, 15.8, 22.3, 47.0, 48.0, 15.0),
];

impl Thoracic {
    /// Patient point into the frame of the body: x left, y posterior, z along the column.
    fn local(&self, p: &Vec3) -> Vec3 {
        let (s, c) = self.tilt_deg.to_radians().sin_cos();
        let (y, z) = (p.y - self.center_mm.0, p.z - self.center_mm.1);
        v(p.x, y * c + z * s, z * c - y * s)
    }

    /// Distance to the outer surface.
    pub(super) fn outer(&self, p: &Vec3) -> f64 {
        let q = self.local(p);
        join(self.body(&q), self.arch(&q), 2.5)
    }

    /// Thickness of the cortex: thin wall, thicker arch `[K]`.
    pub(super) fn cortex_mm(&self, p: &Vec3) -> f64 {
        let share = ((self.local(p).y - 0.5 * self.depth_mm) / 6.0).clamp(0.0, 1.0);
        0.8 + 0.5 * share
    }

    fn body(&self, q: &Vec3) -> f64 {
        let (a, b) = (0.5 * self.width_mm, 0.5 * self.depth_mm);
        let relative = (2.0 * q.z / self.height_mm).clamp(-1.0, 1.0);
        let waist = 0.92 + 0.08 * relative * relative;
        // Heart shape: the front is narrowed by 15 %.
        let narrow = 1.0 - 0.15 * (0.5 - 0.5 * q.y / b).clamp(0.0, 1.0);
        let (x, y) = (q.x / (a * waist * narrow), q.y / (b * waist));
        let rho = (x.abs().powf(2.4) + y.abs().powf(2.4)).powf(1.0 / 2.4);
        let side = (rho - 1.0) * a.min(b) * waist * 0.9;
        let bowl = (1.0 - (rho / 0.8).powi(2)).max(0.0);
        let end = q.z.abs() - (0.5 * self.height_mm - bowl);
        -join(-side, -end, 2.0)
    }

    fn arch(&self, q: &Vec3) -> f64 {
        let p = v(q.x.abs(), q.y, q.z);
        let back = 0.5 * self.depth_mm;
        let (width, height) = self.pedicle_mm;
        let px = 0.5 * (self.interpedicular_mm + width);
        // Pedicle: elliptic, at the upper half of the body.
        let squeezed = v(p.x, p.y, (p.z - 3.0) * width / height);
        let mut d = chain(
            &squeezed,
            &[(v(px, back - 5.0, 0.0), 0.5 * width), (v(px, back + 9.0, 0.0), 0.5 * width)],
            1.0,
        );
        let pillar = [(v(px, back + 9.0, 10.0), 4.0), (v(px, back + 11.0, -9.0), 4.2)];
        d = join(d, chain(&p, &pillar, 2.0), 3.0);
        let lamina = [(v(px - 1.0, back + 12.0, -2.0), 4.0), (v(0.0, back + 19.0, -7.0), 4.0)];
        d = join(d, chain(&p, &lamina, 2.0), 3.0);
        let (tip, droop_deg) = self.spinous;
        let reach = tip - 19.0;
        let drop = reach * droop_deg.to_radians().tan().min(1.3);
        let blade = [(v(0.0, back + 20.0, -8.0), 4.2), (v(0.0, back + tip - 4.0, -8.0 - drop), 3.4)];
        d = join(d, chain(&p, &blade, 2.0), 3.0);
        let x = 0.5 * self.transverse_span_mm - 5.0;
        let transverse = [(v(px + 1.0, back + 10.0, 2.0), 4.5), (v(x, back + 19.0, 4.0), 5.0)];
        join(d, chain(&p, &transverse, 1.0), 3.0)
    }
}

/// One rib on the left side: `body.md` 2.1 `[D]`.
pub(super) struct Rib {
    pub(super) name: String,
    /// Upper and lower edge of the section as two chains; their union is an upright oval.
    edges: [Vec<(Vec3, f64)>; 2],
    pub(super) low: Vec3,
    pub(super) high: Vec3,
}

/// Head |x|, half width, x of the bone's front end, reach forwards, drop, bulge backwards, height and thickness, mm.
const RIBS: [[f64; 8]; 12] = [
    [18.0, 50.0, 38.0, 60.0, 38.0, 8.0, 7.0, 9.0],
    [20.0, 80.0, 46.0, 92.0, 60.0, 20.0, 9.0, 8.0],
    [21.0, 98.0, 50.0, 108.0, 75.0, 26.0, 11.4, 6.5],
    [21.0, 111.0, 55.0, 124.0, 85.0, 30.0, 11.8, 6.5],
    [21.0, 121.0, 61.0, 136.0, 95.0, 32.0, 12.0, 6.5],
    [21.0, 129.0, 70.0, 144.0, 105.0, 33.0, 13.0, 6.5],
    [21.0, 135.0, 84.0, 150.0, 115.0, 33.0, 13.0, 7.0],
    [21.0, 140.0, 98.0, 147.0, 120.0, 32.0, 13.0, 7.0],
    [21.0, 141.0, 110.0, 134.0, 122.0, 30.0, 13.0, 7.0],
    [21.0, 138.0, 120.0, 110.0, 115.0, 28.0, 12.0, 7.0],
    [22.0, 126.0, 118.0, 72.0, 80.0, 18.0, 11.0, 6.5],
    [24.0, 92.0, 92.0, 30.0, 50.0, 8.0, 9.0, 6.5],
];

/// Ribs 1 to 12 of the left side.
pub(super) fn ribs() -> Vec<Rib> {
    RIBS.iter()
        .enumerate()
        .map(|(i, &[head, w, end, ant, drop, back, height, thick])| {
            let t = &THORACIC[i];
            // Heads lie at the disc above their vertebra; those of 1, 11 and 12 at the middle of its body.
            let up = if matches!(i, 0 | 10 | 11) { 0.0 } else { 0.5 * t.height_mm + 2.0 };
            let root = v(0.0, t.center_mm.0 + 8.0, t.center_mm.1 + up);
            let at = |x: f64, y: f64, z: f64| root + v(x, y, z);
            let sum = ant + back;
            let points = [
                at(head, 0.0, 0.0),
                at(head + 0.22 * (w - head) + 6.0, 0.75 * back, -0.02 * drop),
                at(head + 0.52 * (w - head), back, -0.10 * drop),
                at(head + 0.86 * (w - head), back - 0.18 * sum, -0.28 * drop),
                at(w, back - 0.45 * sum, -0.52 * drop),
                at(end + 0.72 * (w - end), back - 0.75 * sum, -0.78 * drop),
                at(end, -ant, -drop),
            ];
            let (r, half) = (0.5 * thick, 0.5 * (height - thick));
            let edge = |shift: f64| {
                let row: Vec<(Vec3, f64)> = points.iter().map(|p| (p + v(0.0, 0.0, shift), r)).collect();
                curve(&row, 3)
            };
            let edges = [edge(half), edge(-half)];
            let reach = Vec3::repeat(r + 4.0);
            let all = || edges.iter().flatten().map(|p| p.0);
            let low = all().fold(points[0], |l, p| l.inf(&p)) - reach;
            let high = all().fold(points[0], |h, p| h.sup(&p)) + reach;
            Rib { name: format!("rib_{}.left", i + 1), edges, low, high }
        })
        .collect()
}

impl Rib {
    /// Distance to the outer surface.
    pub(super) fn outer(&self, p: &Vec3) -> f64 {
        join(chain(p, &self.edges[0], 0.5), chain(p, &self.edges[1], 0.5), 3.0)
    }
}

/// Distance to the outer surface of manubrium and body of the sternum.
pub(super) fn sternum(p: &Vec3) -> f64 {
    let q = v(p.x.abs(), p.y, p.z);
    // Slabs along the chest wall, 10 mm thick.
    let slab = |top: [f64; 3], bottom: [f64; 3]| {
        let along = (top[1] - bottom[1]) / (top[2] - bottom[2]);
        let t = ((q.z - bottom[2]) / (top[2] - bottom[2])).clamp(0.0, 1.0);
        let half = bottom[0] + t * (top[0] - bottom[0]);
        let (y, z) = (0.5 * (top[1] + bottom[1]), 0.5 * (top[2] + bottom[2]));
        let local = v(q.x * 20.0 / half, q.y - y - along * (q.z - z), q.z - z);
        rounded_box(&local, &v(20.0, 5.0, 0.5 * (top[2] - bottom[2])), 4.0) * (half / 20.0).min(1.0)
    };
    let manubrium = slab([30.0, -70.0, 428.0], [20.0, -92.0, 383.0]);
    let body = slab([16.0, -93.0, 379.0], [19.0, -118.0, 282.0]);
    join(manubrium, body, 2.0)
}

/// Distance to the outer surface of the left clavicle: bows of 10 mm forwards and back.
pub(super) fn clavicle(p: &Vec3) -> f64 {
    let row = [
        (v(24.0, -72.0, 430.0), 10.0),
        (v(45.0, -82.0, 437.0), 7.0),
        (v(75.0, -82.0, 447.0), 6.0),
        (v(108.0, -62.0, 457.0), 6.0),
        (v(135.0, -45.0, 462.0), 6.5),
        (v(158.0, -40.0, 464.0), 7.5),
    ];
    chain(p, &curve(&row, 3), 2.0)
}

/// Distance to the surface of the left (+1) or right (-1) lung, at rest between breaths `[D]`.
pub(super) fn lung(p: &Vec3, side: f64) -> f64 {
    let q = v(side * p.x, p.y, p.z);
    let mut d = ellipsoid(&(q - v(66.0, -28.0, 335.0)), &v(62.0, 84.0, 128.0));
    // Dome of the diaphragm, the right one higher.
    let (dome, radii) = if side > 0.0 {
        (v(68.0, -22.0, 205.0), v(72.0, 92.0, 62.0))
    } else {
        (v(66.0, -22.0, 212.0), v(76.0, 96.0, 68.0))
    };
    d = cut(d, ellipsoid(&(q - dome), &radii), 8.0);
    // Spine and its muscles, heart, great vessels.
    let spine = v(q.x, q.y - 34.0, 0.0).norm() - 36.0;
    d = cut(d, spine, 8.0);
    d = cut(d, ellipsoid(&(p - v(15.0, -66.0, 305.0)), &v(66.0, 54.0, 58.0)), 12.0);
    let great = [
        (v(-10.0, -58.0, 330.0), 30.0),
        (v(-8.0, -52.0, 385.0), 30.0),
        (v(12.0, -20.0, 396.0), 26.0),
        (v(29.0, 3.0, 365.0), 15.0),
        (v(22.0, -2.0, 310.0), 15.0),
        (v(14.0, -20.0, 240.0), 15.0),
    ];
    d = cut(d, chain(p, &great, 4.0), 8.0);
    cut(d, chain(p, &[(v(0.0, -40.0, 400.0), 24.0), (v(0.0, -40.0, 470.0), 26.0)], 2.0), 8.0)
}

/// Stations of skin and fat from below upwards, as those of the pelvis (male, BMI 25; `body.md` 6.1 `[K]`); arms are
/// left out, shoulders end at the axilla.
pub(super) const STATIONS: [[f64; 7]; 12] = [
    [-160.0, -10.0, 114.0, 180.0, 20.0, 24.0, 24.0],
    [-31.0, -14.0, 112.0, 174.0, 18.0, 20.0, 20.0],
    [60.0, -20.0, 113.0, 172.0, 18.0, 20.0, 20.0],
    [150.0, -24.0, 113.0, 162.0, 18.0, 18.0, 20.0],
    [240.0, -28.0, 114.0, 160.0, 16.0, 14.0, 18.0],
    [327.0, -34.0, 116.0, 166.0, 14.0, 12.0, 16.0],
    [392.0, -28.0, 106.0, 176.0, 13.0, 12.0, 14.0],
    [430.0, -20.0, 88.0, 190.0, 11.0, 10.0, 12.0],
    [462.0, -16.0, 70.0, 150.0, 8.0, 8.0, 10.0],
    [484.0, -20.0, 62.0, 80.0, 6.0, 7.0, 9.0],
    [505.0, -24.0, 60.0, 64.0, 5.0, 6.0, 8.0],
    [560.0, -26.0, 62.0, 64.0, 5.0, 6.0, 8.0],
];
