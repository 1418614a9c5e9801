//! Organs and gas (`body.md` 6, 8.11, 8.12): closed shapes inside the trunk. What tells them apart in an X-ray is the fat around
//! them and the gas inside the bowel.

use super::sdf::{chain, curve, cut, ellipsoid, join, v};
use crate::math::Vec3;

/// A shape with its box.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) sdf: Box<dyn Fn(&Vec3) -> f64 + Sync>,
    pub(super) low: [f64; 3],
    pub(super) high: [f64; 3],
}

fn shape(
    name: &'static str,
    low: [f64; 3],
    high: [f64; 3],
    sdf: impl Fn(&Vec3) -> f64 + Sync + 'static,
) -> Shape {
    Shape { name, sdf: Box::new(sdf), low, high }
}

/// A kidney: a bean whose hilum looks to the midline; `k` is +1 on the left.
fn kidney(p: &Vec3, k: f64, grow: f64) -> f64 {
    let (cx, cz) = if k > 0.0 { (58.0, 158.0) } else { (58.0, 146.0) };
    let q = v(k * p.x - cx, p.y - 14.0, p.z - cz);
    // Upper pole medial and behind: 13 degrees in the frontal, 10 in the sagittal plane.
    let (s, c) = 13.0_f64.to_radians().sin_cos();
    let q = v(q.x * c + q.z * s, q.y, q.z * c - q.x * s);
    let (s, c) = 10.0_f64.to_radians().sin_cos();
    let q = v(q.x, q.y * c - q.z * s, q.z * c + q.y * s);
    let d = ellipsoid(&q, &v(25.0 + grow, 20.0 + grow, 54.0 + grow));
    if grow > 0.0 { d } else { cut(d, (q - v(-27.0, -2.0, 0.0)).norm() - 13.0, 5.0) }
}

/// Fat around the kidneys and beside the psoas muscles.
pub(super) fn fat() -> Vec<Shape> {
    [(1.0_f64, "fat.kidney.left"), (-1.0, "fat.kidney.right")]
        .map(|(k, name)| {
            let (a, b) = (6.0 * k, 116.0 * k);
            let (low, high) = ([a.min(b) - 4.0, -62.0, -40.0], [a.max(b) + 6.0, 66.0, 240.0]);
            shape(name, low, high, move |p| {
                let below = ellipsoid(&v(k * p.x - 58.0, p.y + 2.0, p.z - 76.0), &v(46.0, 34.0, 104.0));
                join(kidney(p, k, 16.0), below, 14.0)
            })
        })
        .into()
}

/// A psoas muscle, or what is so much larger; `k` is +1 on the left.
fn psoas(name: &'static str, k: f64, grow: f64) -> Shape {
    let (a, b) = (6.0 * k, 110.0 * k);
    let (low, high) = ([a.min(b) - 4.0, -100.0, -160.0], [a.max(b) + 4.0, 50.0, 200.0]);
    shape(name, low, high, move |p| {
        let q = v(k * p.x, p.y, p.z);
        let belly = [
            (v(26.0, 0.0, 176.0), 8.0 + grow),
            (v(36.0, -8.0, 110.0), 17.0 + grow),
            (v(46.0, -12.0, 52.0), 22.0 + grow),
            (v(62.0, -44.0, -45.0), 18.0 + grow),
            (v(88.0, -46.0, -110.0), 12.0 + grow),
        ];
        chain(&q, &curve(&belly, 2), 4.0)
    })
}

/// Thickness of the fat around a psoas muscle, whose stripe shows its edge, mm `[D]`.
const PSOAS_FAT_MM: f64 = 7.0;

/// Fat around the psoas muscles.
pub(super) fn psoas_fat() -> [Shape; 2] {
    [psoas("fat.psoas.left", 1.0, PSOAS_FAT_MM), psoas("fat.psoas.right", -1.0, PSOAS_FAT_MM)]
}

/// The psoas muscles alone, for a pelvis without organs.
pub(super) fn psoas_muscles() -> [Shape; 2] {
    [psoas("psoas.left", 1.0, 0.0), psoas("psoas.right", -1.0, 0.0)]
}

/// Liver, spleen, kidneys, psoas muscles, stomach and bladder: soft tissue.
pub(super) fn solid() -> Vec<Shape> {
    let mut out = vec![
        shape("liver", [-152.0, -110.0, 96.0], [96.0, 66.0, 300.0], |p| {
            let right = ellipsoid(&(p - v(-62.0, -20.0, 212.0)), &v(86.0, 82.0, 80.0));
            let left = ellipsoid(&(p - v(26.0, -60.0, 236.0)), &v(60.0, 34.0, 34.0));
            let d = join(right, left, 18.0);
            // Lower edge from the right flank up to the left.
            let edge = ((p.z - 112.0) - 0.58 * (p.x + 125.0)) * 0.86;
            cut(d, edge, 10.0)
        }),
        shape("spleen", [58.0, -8.0, 158.0], [128.0, 66.0, 272.0], |p| {
            let q = p - v(95.0, 28.0, 215.0);
            let (s, c) = 30.0_f64.to_radians().sin_cos();
            ellipsoid(&v(q.x, q.y * c - q.z * s, q.z * c + q.y * s), &v(19.0, 29.0, 52.0))
        }),
        shape("stomach", [-30.0, -100.0, 120.0], [110.0, 20.0, 285.0], |p| {
            let tube = [
                (v(60.0, -6.0, 258.0), 26.0),
                (v(70.0, -44.0, 200.0), 27.0),
                (v(30.0, -74.0, 155.0), 20.0),
                (v(-12.0, -62.0, 162.0), 12.0),
            ];
            chain(p, &curve(&tube, 2), 4.0)
        }),
        shape("bladder", [-44.0, -84.0, -126.0], [44.0, -6.0, -50.0], |p| {
            ellipsoid(&(p - v(0.0, -45.0, -90.0)), &v(38.0, 33.0, 30.0))
        }),
    ];
    for (k, kidney_name, psoas_name) in
        [(1.0, "kidney.left", "psoas.left"), (-1.0, "kidney.right", "psoas.right")]
    {
        let side = |a: f64, b: f64| ((k * a).min(k * b) - 4.0, (k * a).max(k * b) + 4.0);
        let (x0, x1) = side(18.0, 102.0);
        out.push(shape(kidney_name, [x0, -20.0, 84.0], [x1, 48.0, 222.0], move |p| kidney(p, k, 0.0)));
        out.push(psoas(psoas_name, k, 0.0));
    }
    out
}

/// Heart with its great vessels: soft tissue that stands out against the lungs; dome of the diaphragm below.
pub(super) fn heart() -> Shape {
    shape("heart", [-66.0, -134.0, 228.0], [114.0, 16.0, 380.0], |p| {
        // Long axis to the left, down and forwards.
        let q = p - v(24.0, -62.0, 302.0);
        let axis = v(0.66, -0.44, -0.61).normalize();
        let along = q.dot(&axis);
        let across = (q - axis * along).norm();
        let body = ((along / 76.0).powi(2) + (across / 49.0).powi(2)).sqrt();
        let d = (body - 1.0) * 44.0;
        join(d, ellipsoid(&(p - v(-20.0, -50.0, 308.0)), &v(24.0, 30.0, 37.0)), 18.0)
    })
}

/// Vessels of a lung: arteries fanning out from the hilum, 3 generations; `k` is +1 on the left.
pub(super) fn lung_vessels(k: f64) -> Vec<(Vec3, Vec3, f64, f64)> {
    let hilum = v(38.0, -26.0, if k > 0.0 { 338.0 } else { 330.0 });
    let mut out = Vec::new();
    // Directions spread over the lung by the golden angle; each ends short of the chest wall.
    let count = 26;
    for i in 0..count {
        let t = (f64::from(i) + 0.5) / f64::from(count);
        let up = 1.0 - 2.0 * t;
        let turn = 2.399_963 * f64::from(i);
        let flat = (1.0 - up * up).sqrt();
        // Away from the middle only.
        let way = v((flat * turn.cos()).abs() * 0.9 + 0.18, flat * turn.sin() * 1.1, 1.35 * up);
        let root = hilum + way * 14.0;
        let fork = hilum + way * 40.0;
        out.push((root, fork, 4.2, 2.8));
        for (side, reach) in [(0.32, 74.0), (-0.32, 70.0)] {
            let bent = v(way.x, way.y + side * way.z.signum() * 0.6, way.z + side);
            out.push((fork, hilum + bent * reach, 2.4, 1.1));
        }
    }
    out.into_iter().map(|(a, b, r, s)| (v(k * a.x, a.y, a.z), v(k * b.x, b.y, b.z), r, s)).collect()
}

/// Lengths of bowel with gas: line, radius, distance of its folds; clear of the spine and behind the front wall `[K]`.
const COLON: [(&str, &[[f64; 3]], f64); 5] = [
    (
        "gas.ascending_colon",
        &[[-98.0, -40.0, 10.0], [-104.0, -38.0, 50.0], [-103.0, -34.0, 92.0], [-96.0, -26.0, 128.0]],
        19.0,
    ),
    (
        "gas.transverse_colon",
        &[
            [-82.0, -62.0, 118.0],
            [-40.0, -84.0, 84.0],
            [4.0, -90.0, 76.0],
            [48.0, -84.0, 96.0],
            [84.0, -58.0, 146.0],
        ],
        18.0,
    ),
    ("gas.splenic_flexure", &[[98.0, -24.0, 186.0], [106.0, -6.0, 196.0], [110.0, 2.0, 172.0]], 16.0),
    ("gas.descending_colon", &[[110.0, 4.0, 128.0], [111.0, -2.0, 100.0], [108.0, -6.0, 66.0]], 12.0),
    (
        "gas.sigmoid",
        &[
            [66.0, -36.0, -20.0],
            [40.0, -26.0, -36.0],
            [16.0, -10.0, -44.0],
            [0.0, 12.0, -64.0],
            [0.0, 19.0, -92.0],
        ],
        11.0,
    ),
];
/// Distance between the folds of the colon, mm.
const FOLD_MM: f64 = 29.0;

/// Gas in colon, small bowel and stomach.
pub(super) fn gas() -> Vec<Shape> {
    let mut out = Vec::new();
    for (name, line, r) in COLON {
        let row: Vec<(Vec3, f64)> = line.iter().map(|p| (Vec3::from(*p), r)).collect();
        let row = curve(&row, 4);
        // Haustra: the radius swells and narrows along the way.
        let mut walked = 0.0;
        let mut tube = Vec::new();
        for (i, p) in row.iter().enumerate() {
            if i > 0 {
                walked += (p.0 - row[i - 1].0).norm();
            }
            let swell = 0.86 + 0.2 * (std::f64::consts::TAU * walked / FOLD_MM).cos();
            tube.push((p.0, r * swell));
        }
        let low: [f64; 3] =
            std::array::from_fn(|k| tube.iter().map(|p| p.0[k]).fold(f64::MAX, f64::min) - r - 8.0);
        let high: [f64; 3] =
            std::array::from_fn(|k| tube.iter().map(|p| p.0[k]).fold(f64::MIN, f64::max) + r + 8.0);
        // Gas floats in front: the lower share of a length is filled with what it floats on.
        let level = tube.iter().map(|p| p.0.y).sum::<f64>() / tube.len() as f64 + 0.45 * r;
        let is_steep = (line[0][1] - line[line.len() - 1][1]).abs() > 1.5 * r;
        out.push(shape(name, low, high, move |p| {
            let d = chain(p, &tube, 2.0);
            if is_steep { d } else { cut(d, level - p.y, 3.0) }
        }));
    }
    for (name, c, r) in [
        ("gas.ileum_1", [-28.0, -80.0, 12.0], 9.0),
        ("gas.ileum_2", [22.0, -84.0, 34.0], 8.0),
        ("gas.jejunum", [52.0, -80.0, 62.0], 8.5),
    ] {
        let low = c.map(|x: f64| x - 3.4 * r);
        let high = c.map(|x: f64| x + 3.4 * r);
        out.push(shape(name, low, high, move |p| {
            let q = p - Vec3::from(c);
            let line = [
                (v(-1.9 * r, 0.0, -0.5 * r), r),
                (v(0.0, -0.2 * r, 0.5 * r), 1.1 * r),
                (v(1.8 * r, 0.0, 0.1 * r), 0.9 * r),
            ];
            chain(&q, &line, 3.0)
        }));
    }
    out.push(shape("gas.stomach", [14.0, -92.0, 200.0], [106.0, 24.0, 290.0], |p| {
        let bubble = ellipsoid(&(p - v(60.0, -32.0, 252.0)), &v(36.0, 30.0, 20.0));
        cut(bubble, -20.0 - p.y - 30.0, 4.0)
    }));
    out
}
