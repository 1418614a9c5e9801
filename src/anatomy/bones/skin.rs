//! Skin, the muscle layer under the fat, and gas.

use super::sdf::{self, ellipsoid, join, v};
use crate::anatomy::description::{Habitus, Sex};
use crate::anatomy::{BodySurface, Material, Mesh};
use crate::math::Vec3;

/// Stations from below upwards: z, center y, half depth, half width of the skin; fat in front, at the sides, behind
/// (female, BMI 24; `body.md` 6.1 `[K]`).
pub(super) const PELVIS: [[f64; 7]; 8] = [
    [-270.0, -12.0, 82.0, 172.0, 14.0, 24.0, 22.0],
    [-200.0, -10.0, 104.0, 180.0, 18.0, 28.0, 26.0],
    [-110.0, -10.0, 114.0, 182.0, 24.0, 32.0, 30.0],
    [-31.0, -14.0, 107.0, 173.0, 27.0, 32.0, 30.0],
    [30.0, -18.0, 106.0, 164.0, 27.0, 30.0, 28.0],
    [60.0, -20.0, 105.0, 161.0, 26.0, 28.0, 27.0],
    [130.0, -22.0, 102.0, 152.0, 22.0, 24.0, 24.0],
    [240.0, -18.0, 100.0, 144.0, 18.0, 20.0, 22.0],
];

/// Stations of a trunk: z, center y, half depth, half width (male, BMI 25; arms left out), and what a woman's differ by in depth and
/// width (`body.md` 6.1 `[K]`).
const TRUNK: [[f64; 6]; 15] = [
    [-270.0, -12.0, 82.0, 172.0, 2.0, 2.0],
    [-200.0, -10.0, 104.0, 178.0, 2.0, 3.0],
    [-110.0, -10.0, 115.0, 180.0, 0.0, 3.0],
    [-31.0, -14.0, 112.0, 175.0, 1.0, 2.0],
    [30.0, -14.0, 113.0, 172.0, -4.0, -5.0],
    [60.0, -16.0, 114.0, 172.0, -9.0, -10.0],
    [150.0, -16.0, 113.0, 164.0, -10.0, -11.0],
    [240.0, -19.0, 114.0, 160.0, -12.0, -12.0],
    [327.0, -27.0, 116.0, 166.0, -4.0, -14.0],
    [392.0, -28.0, 106.0, 176.0, -8.0, -12.0],
    [430.0, -20.0, 88.0, 190.0, -6.0, -14.0],
    [462.0, -16.0, 70.0, 150.0, -4.0, -10.0],
    [484.0, -20.0, 62.0, 80.0, -6.0, -10.0],
    [505.0, -24.0, 60.0, 64.0, -7.0, -8.0],
    [560.0, -26.0, 62.0, 64.0, -7.0, -8.0],
];

/// Fat in front, at the sides, behind, mm, of slim, normal and obese; men, then women `[D]`.
const FAT_MM: [[[f64; 3]; 3]; 2] = [
    [[8.0, 10.0, 12.0], [18.0, 20.0, 20.0], [32.0, 35.0, 32.0]],
    [[14.0, 18.0, 18.0], [27.0, 32.0, 28.0], [45.0, 52.0, 42.0]],
];
/// Depth and width of the belly over those of BMI 25: slim, normal, obese `[D]`.
const BELLY: [[f64; 2]; 3] = [[0.84, 0.85], [1.0, 1.0], [1.24, 1.14]];
/// Half width of the bones at a height, which the skin covers by 6 mm at least: (z, mm).
const BONES: [(f64, f64); 9] = [
    (-270.0, 130.0),
    (-110.0, 150.0),
    (0.0, 153.0),
    (45.0, 150.0),
    (80.0, 132.0),
    (220.0, 142.0),
    (330.0, 143.0),
    (430.0, 172.0),
    (460.0, 172.0),
];

/// Stations of the trunk of a sex and build, up to the neck where a head follows, as those of [`PELVIS`].
pub(super) fn stations(sex: Sex, habitus: Habitus, has_head: bool) -> Vec<[f64; 7]> {
    let build = habitus as usize;
    let fat = FAT_MM[usize::from(sex == Sex::Female)][build];
    TRUNK
        .iter()
        .filter(|s| !has_head || s[0] < 500.0)
        .map(|&[z, y, depth, width, female_depth, female_width]| {
            let k = if sex == Sex::Female { 1.0 } else { 0.0 };
            // Full effect on the belly, a quarter on hips, chest and thighs, hardly any on the neck.
            let belly = 1.0 - (((z - 110.0).abs() - 70.0) / 100.0).clamp(0.0, 0.75);
            let belly = if z > 440.0 { 0.25 * belly } else { belly };
            let at = |i: usize| 1.0 + belly * (BELLY[build][i] - 1.0);
            let bones = BONES.windows(2).find(|w| z <= w[1].0).map_or(0.0, |w| {
                w[0].1 + (w[1].1 - w[0].1) * ((z - w[0].0) / (w[1].0 - w[0].0)).clamp(0.0, 1.0)
            });
            let half_width = ((width + k * female_width) * at(1)).max(bones + 6.0);
            let half_depth = (depth + k * female_depth) * at(0);
            // The back lies on the table: what is more in depth rises in front.
            let y = y - FLAT_BACK * (half_depth - depth);
            // Thinner over the chest and the neck.
            let thin = 1.0 - 0.5 * ((z - 150.0) / 250.0).clamp(0.0, 1.0);
            let thin = if z > 470.0 { 0.35 } else { thin };
            [z, y, half_depth, half_width, fat[0] * thin, fat[1] * thin, fat[2] * thin]
        })
        .collect()
}

/// A supine back is flatter by this factor.
const FLAT_BACK: f64 = 0.88;
/// Corners of a ring.
const CORNERS: usize = 64;
/// Rings between two stations.
const RINGS: usize = 4;

/// Skin filled with fat, and inside it the muscles and organs as soft tissue.
pub(super) fn envelope(stations: &[[f64; 7]]) -> Vec<BodySurface> {
    let surface = |name: &str, material, density_g_per_cm3, inset| BodySurface {
        name: name.to_owned(),
        material,
        density_g_per_cm3,
        mesh: loft(stations, inset),
    };
    vec![surface("skin", Material::Fat, 0.95, 0.0), surface("muscle", Material::SoftTissue, 1.05, 1.0)]
}

fn loft(stations: &[[f64; 7]], inset: f64) -> Mesh {
    let mut mesh = Mesh::default();
    let pieces = (stations.len() - 1) * RINGS;
    let mut ends = [Vec3::zeros(); 2];
    for i in 0..=pieces {
        let k = (i / RINGS).min(stations.len() - 2);
        let t = (i - k * RINGS) as f64 / RINGS as f64;
        let s: [f64; 7] = std::array::from_fn(|j| stations[k][j] + t * (stations[k + 1][j] - stations[k][j]));
        let end = if i == 0 {
            1.0
        } else if i == pieces {
            -1.0
        } else {
            0.0
        };
        let z = s[0] + end * 2.0 * inset;
        for c in 0..CORNERS {
            let a = std::f64::consts::TAU * c as f64 / CORNERS as f64;
            let (sin, cos) = a.sin_cos();
            let (x, y) = (signed_power(cos, 2.0 / 2.4), signed_power(sin, 2.0 / 2.4));
            let depth = s[2] - inset * if sin < 0.0 { s[4] } else { s[6] };
            // Supine: the back is flattened by the table.
            let y = s[1] + depth * if y > 0.0 { FLAT_BACK * y } else { y };
            mesh.vertices_mm.push(v((s[3] - inset * s[5]) * x, y, z));
        }
        if i == 0 {
            ends[0] = v(0.0, s[1], z);
        }
        ends[1] = v(0.0, s[1], z);
    }
    let poles = mesh.vertices_mm.len() as u32;
    mesh.vertices_mm.extend(ends);
    let m = CORNERS as u32;
    let at = |ring: u32, c: u32| ring * m + c % m;
    let top = pieces as u32;
    for c in 0..m {
        mesh.triangles.push([poles, at(0, c + 1), at(0, c)]);
        mesh.triangles.push([poles + 1, at(top, c), at(top, c + 1)]);
        for ring in 0..top {
            mesh.triangles.push([at(ring, c), at(ring, c + 1), at(ring + 1, c + 1)]);
            mesh.triangles.push([at(ring, c), at(ring + 1, c + 1), at(ring + 1, c)]);
        }
    }
    mesh.vertices_mm.iter_mut().for_each(|p| *p = p.map(|c| f64::from(c as f32)));
    mesh
}

fn signed_power(x: f64, e: f64) -> f64 {
    x.signum() * x.abs().powf(e)
}

/// Pockets of gas: cecum, sigmoid and rectum, small bowel `[K]`.
const POCKETS: [(&str, [[f64; 4]; 3]); 5] = [
    ("cecum", [[-92.0, -52.0, 4.0, 17.0], [-95.0, -50.0, 24.0, 15.0], [-96.0, -46.0, 46.0, 16.0]]),
    ("sigmoid", [[58.0, -40.0, -22.0, 10.0], [40.0, -30.0, -36.0, 12.0], [20.0, -14.0, -40.0, 9.0]]),
    ("rectum", [[4.0, 10.0, -62.0, 9.0], [-3.0, 18.0, -80.0, 12.0], [0.0, 16.0, -98.0, 8.0]]),
    ("ileum", [[-36.0, -74.0, 2.0, 9.0], [-24.0, -78.0, 10.0, 10.0], [-10.0, -76.0, 6.0, 8.0]]),
    (
        "descending_colon",
        [[108.0, -20.0, 40.0, 11.0], [110.0, -16.0, 62.0, 13.0], [108.0, -12.0, 88.0, 10.0]],
    ),
];

/// Gas in the bowel.
pub(super) fn gas(grid_mm: f64, edge_mm: f64) -> Vec<BodySurface> {
    POCKETS
        .iter()
        .map(|(name, balls)| {
            let sdf = |p: &Vec3| {
                balls
                    .iter()
                    .map(|b| ellipsoid(&(p - v(b[0], b[1], b[2])), &v(1.1 * b[3], 0.75 * b[3], b[3])))
                    .reduce(|a, b| join(a, b, 5.0))
                    .unwrap_or(f64::INFINITY)
            };
            let reach = |f: fn(f64, f64) -> f64, s: f64| {
                Vec3::from_fn(|k, _| {
                    balls.iter().map(|b| b[k] + s * (1.3 * b[3] + 4.0)).reduce(f).unwrap_or(0.0)
                })
            };
            BodySurface {
                name: format!("gas.{name}"),
                material: Material::Air,
                density_g_per_cm3: 0.0012,
                mesh: sdf::mesh(
                    &sdf,
                    &reach(f64::min, -1.0),
                    &reach(f64::max, 1.0),
                    1.5 * grid_mm,
                    1.5 * edge_mm,
                ),
            }
        })
        .collect()
}
