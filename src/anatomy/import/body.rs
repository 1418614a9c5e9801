//! A plain body around imported vessels, so that the X-ray has something to go through.

use crate::anatomy::{BodySurface, Material, Mesh};
use crate::math::Vec3;

/// Half axes of the body are at least these, and this far beyond the vessels: to the side and to the front, mm `[K]`.
const LEAST_HALF_MM: (f64, f64) = (140.0, 100.0);
const MARGIN_MM: f64 = 40.0;
const SIDES: u32 = 48;

/// An elliptic cylinder of soft tissue along the body, 30 mm longer than the vessels at both ends.
pub(super) fn around(lumen: &Mesh) -> BodySurface {
    let start = (Vec3::repeat(f64::INFINITY), Vec3::repeat(f64::NEG_INFINITY));
    let (low, high) = lumen.vertices_mm.iter().fold(start, |(l, h), v| (l.inf(v), h.sup(v)));
    let center = (low + high) / 2.0;
    let half = (high - low) / 2.0;
    let half_x = LEAST_HALF_MM.0.max(half.x + MARGIN_MM);
    let half_y = LEAST_HALF_MM.1.max(half.y + MARGIN_MM);
    let mut mesh = Mesh::default();
    for z in [low.z - 30.0, high.z + 30.0] {
        for i in 0..SIDES {
            let (s, c) = (f64::from(i) / f64::from(SIDES) * std::f64::consts::TAU).sin_cos();
            mesh.vertices_mm.push(Vec3::new(center.x + half_x * c, center.y + half_y * s, z));
        }
        mesh.vertices_mm.push(Vec3::new(center.x, center.y, z));
    }
    let (bottom, top) = (SIDES, 2 * SIDES + 1);
    for i in 0..SIDES {
        let (a, b) = (i, (i + 1) % SIDES);
        let (c, d) = (a + SIDES + 1, b + SIDES + 1);
        mesh.triangles.extend([[a, b, d], [a, d, c], [bottom, b, a], [top, c, d]]);
    }
    BodySurface { name: "skin".to_owned(), material: Material::SoftTissue, density_g_per_cm3: 1.05, mesh }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anatomy::Openness;

    #[test]
    fn the_body_is_closed_faces_outwards_and_holds_the_vessels() {
        let corner = |x| Vec3::new(x, 2.0 * x, -x);
        let lumen = Mesh { vertices_mm: vec![corner(-90.0), corner(100.0)], triangles: Vec::new() };
        let body = around(&lumen);
        assert!(Openness::of(&body.mesh).is_closed());
        let ellipse = std::f64::consts::PI * 140.0 * (190.0 + MARGIN_MM) * (190.0 + 60.0);
        let share = body.mesh.signed_volume_mm3() / ellipse;
        assert!((0.99..1.0).contains(&share), "{share}");
    }
}
