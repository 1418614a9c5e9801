//! Lumbar vertebrae, sacrum, coccyx (`body.md` 1.1 to 1.5).

use super::sdf::{chain, cut, ellipsoid, join, rounded_box, v};
use crate::math::Vec3;

/// Figures of a lumbar vertebra: layout `[D]`, body `[KP]`, pedicles, canal and processes `[KP]`.
pub(super) struct Vertebra {
    pub(super) name: &'static str,
    pub(super) center_y_mm: f64,
    pub(super) center_z_mm: f64,
    /// Anterior edge lower when positive, degrees.
    tilt_deg: f64,
    height_anterior_mm: f64,
    height_posterior_mm: f64,
    width_mm: f64,
    depth_mm: f64,
    pedicle_width_mm: f64,
    pedicle_height_mm: f64,
    interpedicular_mm: f64,
    canal_mm: f64,
    transverse_span_mm: f64,
    spinous_mm: f64,
    facet_x_mm: f64,
}

macro_rules! vertebra {
    ($name:literal, $y:literal, $z:literal, $tilt:literal, $ha:literal, $hp:literal, $w:literal, $d:literal, $pw:literal,
     $ph:literal, $ip:literal, $ca:literal, $tp:literal, $sp:literal, $fx:literal) => {
        Vertebra {
            name: $name,
            center_y_mm: $y,
            center_z_mm: $z,
            tilt_deg: $tilt,
            height_anterior_mm: $ha,
            height_posterior_mm: $hp,
            width_mm: $w,
            depth_mm: $d,
            pedicle_width_mm: $pw,
            pedicle_height_mm: $ph,
            interpedicular_mm: $ip,
            canal_mm: $ca,
            transverse_span_mm: $tp,
            spinous_mm: $sp,
            facet_x_mm: $fx,
        }
    };
}

/// L1 to L5.
pub(super) const LUMBAR: [Vertebra; 5] = [
    vertebra!("l1", -6.1, 166.2, -11.0, 25.5, 27.5, 42.3, 34.7, 8.7, 15.4, 23.7, 19.0, 71.0, 60.0, 13.0),
    vertebra!("l2", -11.9, 131.2, -8.0, 27.0, 28.0, 44.1, 34.8, 8.9, 15.0, 23.8, 18.2, 76.0, 62.0, 14.5),
    vertebra!("l3", -15.4, 94.8, -3.0, 27.5, 27.5, 46.1, 35.0, 10.3, 14.9, 24.3, 17.5, 86.0, 62.0, 16.5),
    vertebra!("l4", -14.8, 58.2, 5.0, 27.5, 26.5, 48.1, 34.7, 12.9, 14.8, 25.4, 18.6, 80.0, 58.0, 19.0),
    vertebra!("l5", -8.1, 22.1, 16.0, 28.5, 24.0, 48.4, 34.0, 17.0, 14.0, 27.1, 19.7, 92.0, 48.0, 22.0),
];

impl Vertebra {
    /// Patient point into the frame of the body: x left, y posterior, z along the column.
    fn local(&self, p: &Vec3) -> Vec3 {
        let (s, c) = self.tilt_deg.to_radians().sin_cos();
        let (y, z) = (p.y - self.center_y_mm, p.z - self.center_z_mm);
        // Positive tilt lowers the anterior (negative y) edge.
        v(p.x, y * c + z * s, z * c - y * s)
    }

    /// Distance to the outer surface.
    pub(super) fn outer(&self, p: &Vec3) -> f64 {
        let q = self.local(p);
        join(self.body(&q), self.arch(&q), 3.0)
    }

    /// Thickness of the cortex: thin wall, thicker arch, thin again on the spinous process `[K]`.
    pub(super) fn cortex_mm(&self, p: &Vec3) -> f64 {
        let q = self.local(p);
        let back = 0.5 * self.depth_mm;
        let share = ((q.y - back) / 6.0).clamp(0.0, 1.0);
        let behind = ((q.y - back - self.canal_mm - 3.0) / 6.0).clamp(0.0, 1.0);
        0.8 + 0.7 * share - 0.8 * behind
    }

    fn body(&self, q: &Vec3) -> f64 {
        let height = self.height_anterior_mm
            + (self.height_posterior_mm - self.height_anterior_mm)
                * (q.y / self.depth_mm + 0.5).clamp(0.0, 1.0);
        let (a, b) = (0.5 * self.width_mm, 0.5 * self.depth_mm);
        let relative = (2.0 * q.z / height).clamp(-1.0, 1.0);
        // Waist at mid-height (0.88 of the width), rim at the endplates.
        let waist = 0.88 + 0.12 * relative * relative;
        // Superellipse of exponent 2.6, back wall a little hollow.
        let hollow = if q.y > 0.0 { 2.0 * (1.0 - (q.x / a).powi(2)).max(0.0) } else { 0.0 };
        let (x, y) = (q.x / (a * waist), (q.y + hollow) / (b * waist));
        let rho = (x.abs().powf(2.6) + y.abs().powf(2.6)).powf(1.0 / 2.6);
        let side = (rho - 1.0) * a.min(b) * waist * 0.9;
        // Endplates: bowl of 2 mm, rim of a quarter of the radius.
        let bowl = 2.0 * (1.0 - (rho / 0.8).powi(2)).max(0.0);
        let end = q.z.abs() - (0.5 * height - bowl);
        // Rounded edge of about 1.2 mm.
        -join(-side, -end, 2.0)
    }

    fn arch(&self, q: &Vec3) -> f64 {
        let p = v(q.x.abs(), q.y, q.z);
        let back = 0.5 * self.depth_mm;
        let px = 0.5 * (self.interpedicular_mm + self.pedicle_width_mm);
        let lamina_y = back + self.canal_mm;
        // Pedicle: elliptic, at the upper third of the body.
        let stretch = self.pedicle_width_mm / self.pedicle_height_mm;
        let squeezed = v(p.x, p.y, (p.z - 5.0) * stretch);
        let pedicle_r = 0.5 * self.pedicle_width_mm;
        let mut d = chain(
            &squeezed,
            &[(v(px - 1.0, back - 6.0, 0.0), pedicle_r), (v(px, back + 10.0, 0.0), pedicle_r)],
            1.0,
        );
        // Articular pillar: superior process, pars, inferior process.
        let fx = self.facet_x_mm;
        let pillar = [
            (v(fx + 2.5, back + 14.0, 19.0), 5.0),
            (v(px, back + 12.0, 6.0), 6.0),
            (v(0.5 * (px + fx) - 1.0, lamina_y - 1.0, -8.0), 5.0),
            (v(fx - 2.5, lamina_y + 2.0, -22.0), 5.5),
        ];
        d = join(d, chain(&p, &pillar, 4.0), 4.0);
        // Lamina down to the root of the spinous process.
        let lamina = [(v(fx - 3.0, lamina_y - 1.0, -5.0), 4.5), (v(3.0, lamina_y + 6.0, -10.0), 4.5)];
        d = join(d, chain(&p, &lamina, 2.0), 4.0);
        // Spinous process: a plate that is thinner in its middle and lower at its root than at its tip, so that no ray runs along
        // its walls from end to end.
        let reach = 0.5 * (self.spinous_mm - self.canal_mm);
        let plate = v(p.x, p.y - (lamina_y + reach), p.z + 12.0 + 0.14 * (p.y - lamina_y - reach));
        let tall = if self.spinous_mm < 50.0 { 8.0 } else { 11.5 };
        let along = (plate.y / reach).clamp(-1.0, 1.0);
        let half = v(2.6 + 1.3 * along * along, reach, tall - 2.0 * (1.0 - along));
        d = join(d, rounded_box(&plate, &half, 2.5), 4.0);
        // Transverse process, a little upward.
        let tip = 0.5 * self.transverse_span_mm;
        let r = if self.transverse_span_mm > 90.0 { 7.0 } else { 5.0 };
        let transverse = [(v(px + 1.0, back + 10.0, 3.0), r), (v(tip - 4.0, back + 15.0, 7.0), 0.62 * r)];
        d = join(d, chain(&p, &transverse, 1.0), 4.0);
        // The canal stays open.
        let canal = v(
            p.x / (0.5 * self.interpedicular_mm),
            (p.y - back - 0.45 * self.canal_mm) / (0.5 * self.canal_mm),
            0.0,
        );
        cut(d, (canal.norm() - 1.0) * 0.5 * self.canal_mm, 2.0)
    }

    /// Highest and lowest point of the body on its axis, patient z, mm.
    pub(super) fn endplates_z_mm(&self) -> (f64, f64) {
        let half = 0.25 * (self.height_anterior_mm + self.height_posterior_mm);
        let c = self.tilt_deg.to_radians().cos();
        (self.center_z_mm + half * c, self.center_z_mm - half * c)
    }
}

/// Center line of sacrum and coccyx (y, z), half width, half thickness at the center and at the sides `[D]`.
const SACRUM: [(f64, f64, f64, f64, f64); 7] = [
    (1.0, -1.0, 50.0, 15.5, 13.0),
    (9.0, -13.0, 54.0, 15.0, 17.0),
    (24.0, -37.0, 48.0, 12.5, 15.0),
    (36.0, -60.0, 38.0, 10.5, 10.0),
    (40.0, -80.0, 28.0, 9.0, 7.0),
    (38.0, -97.0, 17.0, 7.0, 5.0),
    (34.0, -106.0, 8.0, 5.0, 4.0),
];

/// Pairs of sacral foramina: half distance, z and y of the center line there, tunnel radius.
const FORAMINA: [(f64, f64, f64, f64); 4] =
    [(18.0, 17.0, -25.0, 5.8), (15.5, 30.5, -48.0, 5.4), (14.0, 38.5, -70.0, 4.6), (12.5, 39.5, -88.0, 3.8)];

/// Direction of the center line, turning evenly from station to station.
fn tangent(i: usize, t: f64, f: fn(&(f64, f64, f64, f64, f64)) -> f64) -> f64 {
    let slope = |j: usize| {
        let (a, b) = (j.saturating_sub(1), (j + 1).min(SACRUM.len() - 1));
        (f(&SACRUM[b]) - f(&SACRUM[a])) / (b - a) as f64
    };
    slope(i) + t * (slope(i + 1) - slope(i))
}

/// Distance to the outer surface of the sacrum.
pub(super) fn sacrum(p: &Vec3) -> f64 {
    let x = p.x.abs();
    // Nearest station of the center line in the sagittal plane.
    let (mut best, mut at) = (f64::INFINITY, (0, 0.0, 0.0));
    for (i, w) in SACRUM.windows(2).enumerate() {
        let (dy, dz) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
        let t = ((p.y - w[0].0) * dy + (p.z - w[0].1) * dz) / (dy * dy + dz * dz);
        let c = t.clamp(0.0, 1.0);
        let d = (p.y - w[0].0 - c * dy).hypot(p.z - w[0].1 - c * dz);
        if d < best {
            let beyond = if i + 2 == SACRUM.len() { (t - 1.0).max(0.0) * dy.hypot(dz) } else { 0.0 };
            (best, at) = (d, (i, c, beyond));
        }
    }
    let (a, b) = (SACRUM[at.0], SACRUM[at.0 + 1]);
    let mix = |f: fn(&(f64, f64, f64, f64, f64)) -> f64| f(&a) + at.1 * (f(&b) - f(&a));
    let (w, h_mid, h_side) = (mix(|s| s.2), mix(|s| s.3), mix(|s| s.4));
    let (cy, cz) = (a.0 + at.1 * (b.0 - a.0), a.1 + at.1 * (b.1 - a.1));
    let (ty, tz) = (tangent(at.0, at.1, |s| s.0), tangent(at.0, at.1, |s| s.1));
    // Normal to the center line, posterior.
    let n = ((p.y - cy) * -tz + (p.z - cz) * ty) / ty.hypot(tz);
    // Front: hollow from side to side; sides lie a little farther back.
    let side = (x / w).min(1.2);
    let h = h_mid + (h_side - h_mid) * (side * 1.3).min(1.0);
    let n = n - 3.0 * side * side;
    let rho = (side.powi(4) + (n / h).powi(4)).powf(0.25);
    let mut d = (rho - 1.0) * h.min(w) * 0.8;
    d = -join(-d, -(at.2 - 2.0), 2.0);
    // Upper end: endplate of S1 through the origin (slope 35 degrees), the alae falling off to the sides.
    let (s35, c35) = 35.0_f64.to_radians().sin_cos();
    let top = p.z * c35 - p.y * s35 + 0.30 * (x - 24.0).max(0.0);
    d = -join(-d, -top, 3.0);
    // Body of S1 stands out as the promontory.
    let q = v(p.x, p.y * c35 + p.z * s35, p.z * c35 - p.y * s35);
    let rim = ((q.x / 25.0).abs().powf(2.6) + (q.y / 16.8).abs().powf(2.6)).powf(1.0 / 2.6);
    let body = -join(-((rim - 1.0) * 15.0), -((q.z + 12.0).abs() - 12.0), 2.0);
    d = join(d, body, 5.0);
    // Median crest.
    let crest = [
        (v(0.0, 27.0, 0.0), 5.0),
        (v(0.0, 41.0, -32.0), 4.5),
        (v(0.0, 50.0, -62.0), 3.5),
        (v(0.0, 50.0, -84.0), 2.5),
    ];
    d = join(d, chain(&v(x, p.y, p.z), &crest, 2.0), 5.0);
    // Superior articular processes.
    let facet = [(v(20.0, 20.0, -4.0), 6.0), (v(23.0, 22.0, 8.0), 4.5)];
    d = join(d, chain(&v(x, p.y, p.z), &facet, 1.0), 3.0);
    for (fx, fy, fz, r) in FORAMINA {
        // From the canal forwards, down and outwards; a narrower way to the back.
        let front = [(v(fx - 3.0, fy + 6.0, fz + 3.0), r * 0.8), (v(fx + 3.0, fy - 18.0, fz - 5.0), r * 1.1)];
        let back = [(v(fx - 3.0, fy + 4.0, fz + 3.0), r * 0.7), (v(fx + 4.0, fy + 24.0, fz + 6.0), r * 0.7)];
        let tunnel = chain(&v(x, p.y, p.z), &front, 1.0).min(chain(&v(x, p.y, p.z), &back, 1.0));
        d = cut(d, tunnel, 1.5);
    }
    let canal = [(v(0.0, 15.0, 6.0), 7.0), (v(0.0, 29.0, -34.0), 6.0), (v(0.0, 42.0, -66.0), 3.5)];
    cut(d, chain(&v(0.6 * p.x, p.y, p.z), &canal, 1.0), 1.5)
}

/// Coccyx: three dwindling pieces.
pub(super) fn coccyx(p: &Vec3) -> f64 {
    let piece = |y: f64, z: f64, w: f64, h: f64| ellipsoid(&(p - v(0.0, y, z)), &v(w, 4.0, h));
    let d = join(piece(32.0, -113.5, 9.0, 5.5), piece(28.0, -121.0, 6.0, 5.0), 2.0);
    join(d, piece(22.5, -128.0, 4.5, 5.0), 2.0)
}
