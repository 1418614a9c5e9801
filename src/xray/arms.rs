//! The patient's arms: beside the body or up beside the head. Closed tubes, placed by the width of the trunk; an arm that the anatomy brings
//! itself stays where it is.

use super::attenuation::Substance;
use crate::anatomy::{Anatomy, Mesh};
use crate::math::Vec3;
use crate::scenario::Arms;

/// Layer of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Skin,
    Muscle,
    Bone,
}

/// A surface of an arm and the posture that it belongs to.
pub(super) struct ArmSurface {
    pub(super) posture: Arms,
    pub(super) layer: Layer,
    pub(super) mesh: Mesh,
    pub(super) substance: Substance,
    pub(super) density_g_per_cm3: f64,
}

/// A station of a tube along z: center and half axes across, mm.
type Station = (Vec3, f64, f64);

/// Corners of a ring, rings between stations.
const CORNERS: u32 = 20;
const RINGS: usize = 4;
/// Thickness of the fat under the skin of an arm, mm `[K]`.
const FAT_MM: f64 = 6.0;
/// Air between an arm and the trunk, mm `[D]`.
const BESIDE_MM: f64 = 6.0;
/// Shoulder, elbow, wrist and finger tips of arms beside the body: z, mm (`body.md` 2.3; lengths `[K]`).
const BESIDE_Z_MM: [f64; 4] = [415.0, 100.0, -150.0, -320.0];
/// The same of arms up: elbows beside the head, forearms above it.
const UP_Z_MM: [f64; 4] = [415.0, 700.0, 940.0, 1110.0];
/// Half axes of the limb at shoulder, middle of the upper arm, elbow, forearm, wrist, palm, finger tips, mm `[K]`: half of the width and depth.
const LIMB_MM: [(f64, f64); 7] =
    [(48.0, 50.0), (45.0, 47.0), (38.0, 42.0), (40.0, 42.0), (29.0, 21.0), (42.0, 15.0), (30.0, 8.0)];

/// All surfaces of the arms of an anatomy with a trunk, for both postures; none for a limb or a head alone.
pub(super) fn arms(anatomy: &Anatomy) -> Vec<ArmSurface> {
    let Some(trunk) = anatomy.body.iter().find(|s| s.name == "skin").map(|s| &s.mesh) else {
        return Vec::new();
    };
    let has = |name: &str| anatomy.body.iter().any(|s| s.name == name);
    let table_y_mm = trunk.vertices_mm.iter().map(|v| v.y).fold(f64::NEG_INFINITY, f64::max);
    let mut out = Vec::new();
    for (side, name) in [(1.0, "skin.arm.left"), (-1.0, "skin.arm.right")] {
        if has(name) {
            continue;
        }
        for posture in [Arms::Beside, Arms::Up] {
            let line = axis(posture, trunk, table_y_mm);
            let side_of = |p: Vec3| Vec3::new(side * p.x, p.y, p.z);
            let limb = |less: f64| -> Vec<Station> {
                line.iter()
                    .zip(LIMB_MM)
                    .map(|(p, (a, b))| (side_of(*p), (a - less).max(2.0), (b - less).max(2.0)))
                    .collect()
            };
            let bone = |from: usize, to: usize, aside: f64, radius: f64| -> Vec<Station> {
                let place = |p: &Vec3| side_of(p + Vec3::new(aside, 0.0, 0.0));
                line[from..=to].iter().map(|p| (place(p), radius, radius)).collect()
            };
            let mut add =
                |layer: Layer, stations: Vec<Station>, substance: Substance, density_g_per_cm3: f64| {
                    let mesh = tube(&stations);
                    out.push(ArmSurface { posture, layer, mesh, substance, density_g_per_cm3 });
                };
            add(Layer::Skin, limb(0.0), Substance::Fat, 0.95);
            add(Layer::Muscle, limb(FAT_MM), Substance::SoftTissue, 1.05);
            // Humerus; radius and ulna; the hand's rays: shaft and canal (`body.md` 2.3).
            for (from, to, aside, radius, canal) in
                [(0, 2, 0.0, 11.5, 6.5), (2, 4, 9.0, 6.5, 3.5), (2, 4, -9.0, 6.5, 3.5)]
            {
                add(Layer::Bone, bone(from, to, aside, radius), Substance::CorticalBone, 1.92);
                add(Layer::Bone, bone(from, to, aside, canal), Substance::SoftTissue, 0.98);
            }
            for ray in 0..4 {
                add(Layer::Bone, bone(4, 6, 16.0 * f64::from(ray) - 24.0, 3.4), Substance::CorticalBone, 1.5);
            }
        }
    }
    out
}

/// The left arm's axis through the places of [`LIMB_MM`], on the table.
fn axis(posture: Arms, trunk: &Mesh, table_y_mm: f64) -> Vec<Vec3> {
    let z = match posture {
        Arms::Beside => BESIDE_Z_MM,
        Arms::Up => UP_Z_MM,
    };
    let between = |i: usize, t: f64| z[i] + t * (z[i + 1] - z[i]);
    let heights = [z[0], between(0, 0.5), z[1], between(1, 0.4), z[2], between(2, 0.35), z[3]];
    let shoulder = Vec3::new(183.0, -8.0, 415.0);
    heights
        .iter()
        .zip(LIMB_MM)
        .enumerate()
        .map(|(i, (z, (across, deep)))| {
            let aside = match posture {
                Arms::Beside => half_width_mm(trunk, *z).max(shoulder.x - across) + across + BESIDE_MM,
                // Beside the head, the hands nearer together.
                Arms::Up => [shoulder.x, 168.0, 158.0, 140.0, 110.0, 95.0, 80.0][i],
            };
            // From the shoulder joint down onto the table; only the joint itself lies in the trunk.
            let t = (i as f64 / 2.0).min(1.0);
            let lies_y_mm = table_y_mm - deep - 2.0;
            let x = if i == 0 { shoulder.x } else { aside };
            Vec3::new(x, shoulder.y + t * (lies_y_mm - shoulder.y), *z)
        })
        .collect()
}

/// Half of the trunk's width near a height, mm; beyond its ends that of the end.
fn half_width_mm(trunk: &Mesh, z_mm: f64) -> f64 {
    const NEAR_MM: f64 = 30.0;
    let range = trunk
        .vertices_mm
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |r, v| (r.0.min(v.z), r.1.max(v.z)));
    let z = z_mm.clamp(range.0, range.1);
    let near = trunk.vertices_mm.iter().filter(|v| (v.z - z).abs() < NEAR_MM);
    near.map(|v| v.x.abs()).fold(0.0, f64::max)
}

/// A closed tube with flat ends through stations whose z only rises or only falls.
fn tube(stations: &[Station]) -> Mesh {
    let mut mesh = Mesh::default();
    let pieces = (stations.len() - 1) * RINGS;
    for i in 0..=pieces {
        let k = (i / RINGS).min(stations.len() - 2);
        let t = (i - k * RINGS) as f64 / RINGS as f64;
        let (a, b) = (&stations[k], &stations[k + 1]);
        let center = a.0.lerp(&b.0, t);
        let (across, deep) = (a.1 + t * (b.1 - a.1), a.2 + t * (b.2 - a.2));
        for corner in 0..CORNERS {
            let (s, c) = (std::f64::consts::TAU * f64::from(corner) / f64::from(CORNERS)).sin_cos();
            mesh.vertices_mm.push(center + Vec3::new(across * c, deep * s, 0.0));
        }
    }
    let rings = pieces as u32;
    for ring in 0..rings {
        for corner in 0..CORNERS {
            let next = (corner + 1) % CORNERS;
            let at = |ring: u32, corner: u32| ring * CORNERS + corner;
            let (a, b, c, d) = (at(ring, corner), at(ring, next), at(ring + 1, next), at(ring + 1, corner));
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    let last = rings * CORNERS;
    for corner in 1..CORNERS - 1 {
        mesh.triangles.push([0, corner + 1, corner]);
        mesh.triangles.push([last, last + corner, last + corner + 1]);
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tube_is_closed_and_has_its_volume() {
        let at = |z: f64| (Vec3::new(5.0, 0.0, z), 10.0, 20.0);
        let mesh = tube(&[at(0.0), at(-30.0), at(-100.0)]);
        // A polygon of 20 corners has 20 / 2 sin(2 pi / 20) of the square of the radius.
        let area = 10.0 * 20.0 * 10.0 * (std::f64::consts::TAU / 20.0).sin();
        assert!((mesh.signed_volume_mm3().abs() / (100.0 * area) - 1.0).abs() < 1e-9);
        let mut edges = std::collections::BTreeMap::new();
        for t in &mesh.triangles {
            for k in 0..3 {
                let (a, b) = (t[k], t[(k + 1) % 3]);
                *edges.entry((a.min(b), a.max(b))).or_insert(0) += if a < b { 1 } else { -1 };
            }
        }
        assert!(edges.values().all(|n| *n == 0), "every edge is run both ways");
    }
}
