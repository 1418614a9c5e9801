//! Path lengths through closed meshes.

use cathnav::anatomy::{BodySurface, Material, Mesh};
use cathnav::math::Vec3;
use cathnav::xray::{BodyModel, CArm};

use super::super::table::row;
use super::{block, revolve, sphere, surface, torus};

/// Relative error of the summed chords, and their relative RMS error.
fn residual(mesh: Mesh, arm: &CArm, chord_mm: impl Fn(&Vec3, &Vec3) -> f64) -> (f64, f64) {
    let p = arm.projection(256);
    let map = BodyModel::from_surfaces(&[surface(Material::CorticalBone, 1.92, mesh.clone())]).project(&p);
    // The same without mass leaves the table.
    let table = BodyModel::from_surfaces(&[surface(Material::CorticalBone, 0.0, mesh)]).project(&p);
    let (mut sum, mut exact_sum, mut square, mut exact_square) = (0.0, 0.0, 0.0, 0.0);
    for row in 0..256 {
        for column in 0..256 {
            let d = (p.pixel_position_mm(column as f64 + 0.5, row as f64 + 0.5) - p.source_mm).normalize();
            let exact = chord_mm(&p.source_mm, &d);
            let found =
                f64::from(map.bone_g_per_cm2[row * 256 + column] - table.bone_g_per_cm2[row * 256 + column])
                    / 0.192;
            if exact > 0.0 {
                sum += found;
                exact_sum += exact;
                square += (found - exact).powi(2);
                exact_square += exact * exact;
            }
        }
    }
    (sum / exact_sum - 1.0, (square / exact_square).sqrt())
}

#[test]
fn mesh_path_lengths_match_closed_forms() {
    let center = Vec3::new(8.0, -120.0, 5.0);
    for (primary_deg, secondary_deg) in [(0.0, 0.0), (25.0, 15.0), (90.0, 0.0)] {
        let arm =
            CArm { primary_deg, secondary_deg, field_mm: 160.0, isocenter_mm: center, ..CArm::default() };
        let in_sphere = |o: &Vec3, d: &Vec3| {
            let oc = o - center;
            let b = oc.dot(d);
            2.0 * (b * b - oc.norm_squared() + 900.0).max(0.0).sqrt()
        };
        let (mean, rms) = residual(sphere(30.0, center, 64), &arm, in_sphere);
        let name = format!("sphere at {primary_deg}/{secondary_deg}: summed chords over exact");
        row("path", &name, 1.0, 1.0 + mean, "0.5 %");
        assert!(mean.abs() < 0.005 && rms < 0.01);
        let in_cylinder = |o: &Vec3, d: &Vec3| {
            let oc = o - center;
            let (a, b, c) =
                (d.x * d.x + d.y * d.y, oc.x * d.x + oc.y * d.y, oc.x * oc.x + oc.y * oc.y - 400.0);
            let disc = b * b - a * c;
            if disc <= 0.0 {
                return 0.0;
            }
            let (mut lo, mut hi) = ((-b - disc.sqrt()) / a, (-b + disc.sqrt()) / a);
            if d.z.abs() > 1e-12 {
                let (p, q) = ((-25.0 - oc.z) / d.z, (25.0 - oc.z) / d.z);
                lo = lo.max(p.min(q));
                hi = hi.min(p.max(q));
            }
            (hi - lo).max(0.0)
        };
        let profile = |t: f64| {
            // Along the axis at radius 0 would repeat vertices; a hair's radius closes it.
            let corners = [(1e-6, -25.0), (20.0, -25.0), (20.0, 25.0), (1e-6, 25.0)];
            corners[((t * 4.0).round() as usize) % 4]
        };
        let (mean, rms) = residual(revolve(profile, 720, 4, center), &arm, in_cylinder);
        let name = format!("cylinder at {primary_deg}/{secondary_deg}: summed chords over exact");
        row("path", &name, 1.0, 1.0 + mean, "0.5 %");
        assert!(mean.abs() < 0.005 && rms < 0.02);
    }
}

#[test]
fn the_volume_of_a_torus_is_found_by_its_shadow() {
    // Sum of chord x area at the object over all rays = volume: 2 pi^2 R r^2, whatever the angle.
    let center = Vec3::new(0.0, -150.0, 0.0);
    for (primary_deg, secondary_deg) in [(0.0, 0.0), (40.0, 20.0), (90.0, 0.0)] {
        let arm =
            CArm { primary_deg, secondary_deg, field_mm: 220.0, isocenter_mm: center, ..CArm::default() };
        let p = arm.projection(384);
        let of_density = |density| {
            let ring = surface(Material::CorticalBone, density, torus(30.0, 10.0, center, 96));
            BodyModel::from_surfaces(&[ring]).project(&p)
        };
        let (with, table) = (of_density(1.92), of_density(0.0));
        let volume: f64 = (0..384 * 384)
            .map(|i| {
                let (column, row) = ((i % 384) as f64 + 0.5, (i / 384) as f64 + 0.5);
                let on_detector = p.pixel_position_mm(column, row) - p.source_mm;
                let slant = on_detector.norm() / p.sid_mm;
                // Solid angle of the pixel times the squared distance to the object's center plane, to first order.
                let depth = 750.0;
                let area = (p.pixel_mm * depth / p.sid_mm).powi(2);
                f64::from(with.bone_g_per_cm2[i] - table.bone_g_per_cm2[i]) / 0.192 * area / slant
            })
            .sum();
        // Rays diverge: the exact sum weighs each element by (depth / 750)^2, whose mean is 1 + <z^2>/750^2 < 1.002.
        let exact = 2.0 * std::f64::consts::PI.powi(2) * 30.0 * 100.0;
        row("path", &format!("torus at {primary_deg}/{secondary_deg}: volume, mm3"), exact, volume, "0.5 %");
        assert!((volume / exact - 1.0).abs() < 0.005);
    }
}

#[test]
fn the_innermost_listed_surface_wins() {
    // Bone of 20 mm inside soft tissue of 100 mm, and gas listed last that bites 10 mm out of both.
    let c = Vec3::new(0.0, -100.0, 0.0);
    let body = [
        surface(Material::SoftTissue, 1.06, block(c, Vec3::repeat(50.0))),
        surface(Material::CorticalBone, 1.92, block(c, Vec3::repeat(10.0))),
        surface(Material::Air, 0.0012, block(c + Vec3::new(0.0, -10.0, 0.0), Vec3::new(10.0, 5.0, 10.0))),
    ];
    let arm = CArm { isocenter_mm: c, ..CArm::default() };
    let p = arm.projection(255);
    let only = |list: &[BodySurface]| {
        let map = BodyModel::from_surfaces(list).project(&p);
        let i = 127 * 255 + 127;
        (f64::from(map.water_g_per_cm2[i]), f64::from(map.bone_g_per_cm2[i]))
    };
    let (soft, bone) = (only(&body[..1]), only(&body[..2]));
    let all = only(&body);
    // 20 mm of soft tissue became bone; then 5 mm of it and 5 mm of soft tissue became gas.
    let soft_per_mm =
        (soft.0 - only(&[surface(Material::SoftTissue, 1e-9, block(c, Vec3::repeat(50.0)))]).0) / 100.0;
    println!("bone {:.4} g/cm2, water {:.4} of {:.4}", bone.1, bone.0, soft.0);
    assert!((soft.0 - bone.0 - 20.0 * soft_per_mm).abs() < 1e-3);
    assert!((bone.1 - soft.1 * 0.8 - 3.84).abs() < 0.02);
    assert!((bone.0 - all.0 - 5.0 * soft_per_mm).abs() < 2e-3, "{} {}", bone.0 - all.0, soft_per_mm);
    assert!((bone.1 - all.1 - 0.96).abs() < 0.02);
}
