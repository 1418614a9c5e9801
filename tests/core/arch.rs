//! The arch: stored build, lumen and chest against clinical figures.

use std::path::{Path, PathBuf};

use cathnav::anatomy::{self, Anatomy, Branch, Material, MeshDistance, Topology, VesselId, topology};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/arch")
}

fn stored() -> Anatomy {
    anatomy::load(&folder()).unwrap()
}

fn branch<'a>(a: &'a Anatomy, name: &str) -> &'a Branch {
    a.tree.branch(a.tree.find(name).unwrap_or_else(|| panic!("no {name}")))
}

#[test]
fn stored_arch_is_that_of_its_description_and_closed() {
    let anatomy::AnatomyFile::Described(whole) = anatomy::read_file(&folder()).unwrap() else {
        panic!("described")
    };
    let description = anatomy::Description { body: None, ..*whole };
    let built = anatomy::build(&description).unwrap();
    let stored = stored();
    let (v, w) = (built.lumen.mesh.signed_volume_mm3(), stored.lumen.mesh.signed_volume_mm3());
    println!("lumen: {} triangles, {v:.0} mm3, stored {w:.0} mm3", stored.lumen.mesh.triangles.len());
    assert!((v - w).abs() < 1e-4 * w && w > 0.0);
    for a in [&built, &stored] {
        assert_eq!(topology(&a.lumen.mesh), Topology { bodies: 1, open_edges: 0, euler: 2 });
        assert_eq!(a.lumen.labels.len(), a.lumen.mesh.triangles.len());
    }
    let bytes: u64 = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    println!("stored in {:.2} MB", bytes as f64 / 1e6);
    assert!(bytes < 6_000_000);
}

/// Away from ostia the wall lies one radius from the centerline, so the diameters are those of the description.
#[test]
fn diameters_of_the_lumen_are_those_of_the_description() {
    let a = stored();
    let wall = MeshDistance::new(&a.lumen.mesh);
    let (mut worst, mut at, mut count) = (0.0_f64, String::new(), 0);
    for (i, b) in a.tree.branches.iter().enumerate() {
        for p in &b.points {
            let near = wall.nearest(&p.position_mm).unwrap();
            assert!(near.inside_mm > 0.0, "{} at {:.1} mm lies outside the lumen", b.name, p.arc_mm);
            let beside = a.tree.branches.iter().enumerate().any(|(j, o)| {
                let reach = |q: &anatomy::CenterlinePoint| 1.1 * p.radius_mm + q.radius_mm;
                j != i && o.points.iter().any(|q| (q.position_mm - p.position_mm).norm() < reach(q))
            });
            // The blind ends are half balls: nothing to measure beyond their last radius.
            let at_end = p.arc_mm < p.radius_mm || p.arc_mm > b.length_mm() - p.radius_mm;
            if beside || at_end {
                continue;
            }
            count += 1;
            let error = (near.inside_mm - p.radius_mm).abs() / p.radius_mm;
            if error > worst {
                (worst, at) = (error, format!("{} at {:.1} mm", b.name, p.arc_mm));
            }
        }
    }
    println!("{count} places, worst {:.1} % of the radius: {at}", 100.0 * worst);
    assert!(count > 200 && worst < 0.05);
}

#[test]
fn lengths_diameters_and_take_offs_of_the_arch_are_clinical() {
    let a = stored();
    // Name, diameter at origin and at end, length (mm): ranges of clinical.md B.
    let table = [
        ("aorta.ascending", 28.0..=32.0, 25.0..=28.0, 63.0..=110.0),
        ("aorta.arch", 24.0..=28.0, 22.5..=25.5, 70.0..=95.0),
        ("aorta.descending", 22.0..=25.0, 20.5..=22.5, 184.0..=300.0),
        ("aorta.abdominal", 19.0..=22.0, 14.5..=16.6, 120.0..=150.0),
        ("brachiocephalic", 12.0..=18.0, 10.0..=14.0, 35.0..=50.0),
        ("common_carotid.left", 7.0..=12.6, 6.0..=7.0, 110.0..=140.0),
        ("subclavian.left", 9.0..=14.0, 6.0..=9.0, 60.0..=130.0),
        ("vertebral.left", 3.5..=4.3, 2.8..=3.9, 20.0..=60.0),
        ("renal.left", 5.4..=6.4, 5.0..=6.4, 28.0..=50.0),
        ("renal.right", 5.0..=6.4, 4.8..=6.4, 37.0..=62.0),
    ];
    for (name, from, to, length) in table {
        let b = branch(&a, name);
        let (d0, d1) = (2.0 * b.points[0].radius_mm, 2.0 * b.points.last().unwrap().radius_mm);
        println!("{name:<22} {d0:5.2} > {d1:5.2} mm, {:6.1} mm long", b.length_mm());
        assert!(from.contains(&d0) && to.contains(&d1) && length.contains(&b.length_mm()), "{name}");
    }
    let origin = |name: &str| branch(&a, name).origin.unwrap().arc_mm;
    let (first, second, third) =
        (origin("brachiocephalic"), origin("common_carotid.left"), origin("subclavian.left"));
    println!("ostia {:.0} and {:.0} mm apart", second - first, third - second);
    assert!((6.0..=18.0).contains(&(second - first)) && (13.0..=25.0).contains(&(third - second)));
    assert!((22.0..=36.0).contains(&(third - first)));
    // Tilt from the perpendicular of the arch.
    for (name, tilt) in [
        ("brachiocephalic", 29.0..=61.0),
        ("common_carotid.left", 10.0..=42.0),
        ("subclavian.left", 14.0..=44.0),
    ] {
        let found = (90.0 - a.tree.take_off_deg(branch(&a, name)).unwrap()).abs();
        println!("{name}: tilt {found:.0} degrees");
        assert!(tilt.contains(&found), "{name}: {found:.0}");
    }
    // LAO 30 to 50 opens the arch: its plane lies that far from the view of LAO, give or take 10 degrees.
    let arch = branch(&a, "aorta.arch");
    let chord = arch.at(arch.length_mm()).position_mm - arch.at(0.0).position_mm;
    let opens_at_lao = chord.y.atan2(chord.x).to_degrees();
    println!("the arch is seen in profile at LAO {opens_at_lao:.0}");
    assert!((30.0..=60.0).contains(&opens_at_lao));
}

#[test]
fn flows_of_the_arch_add_up_to_the_cardiac_output() {
    let a = stored();
    let total: f64 =
        a.tree.branches.iter().filter_map(|b| b.outlet.as_ref()).map(|o| 60.0 * o.flow_ml_per_s).sum();
    println!("{total:.0} mL/min");
    assert!((5000.0..=6500.0).contains(&total));
    // A branch feeds a bed or goes on at its end, never both, never neither.
    for (i, b) in a.tree.branches.iter().enumerate() {
        let goes_on = a
            .tree
            .branches
            .iter()
            .filter_map(|c| c.origin)
            .any(|o| o.vessel == VesselId(i as u32) && o.arc_mm > b.length_mm() - 1e-6);
        assert_ne!(b.outlet.is_some(), goes_on, "{}", b.name);
    }
}

#[test]
fn the_chest_is_closed_and_keeps_out_of_the_vessels() {
    let a = stored();
    let mut worst = (f64::INFINITY, String::new());
    for s in &a.body {
        assert_eq!(topology(&s.mesh).open_edges, 0, "{} is not closed", s.name);
        assert!(s.mesh.signed_volume_mm3() > 0.0, "{} is wound inwards", s.name);
        if s.name.ends_with("trabecular") || matches!(s.material, Material::Fat | Material::SoftTissue) {
            continue;
        }
        let bone = MeshDistance::new(&s.mesh);
        for b in &a.tree.branches {
            for p in &b.points {
                let Some(near) = bone.nearest_within(&p.position_mm, 22.0) else { continue };
                let gap = -near.inside_mm - p.radius_mm;
                if gap < worst.0 {
                    worst = (gap, format!("{} at {:.1} mm and {}", b.name, p.arc_mm, s.name));
                }
            }
        }
    }
    println!("least gap between a vessel and a bone: {:.2} mm, {}", worst.0, worst.1);
    assert!(worst.0 > 0.0, "{worst:?}");
    let ribs = a.body.iter().filter(|s| s.name.starts_with("rib_")).count();
    let lungs: f64 =
        a.body.iter().filter(|s| s.name.starts_with("lung.")).map(|s| s.mesh.signed_volume_mm3()).sum();
    println!("{ribs} ribs, lungs {:.1} L", lungs / 1e6);
    assert_eq!(ribs, 24);
    assert!((2.0e6..=4.5e6).contains(&lungs), "a resting chest holds 2.5 to 3.5 L and its tissue");
}

#[test]
fn sheath_tips_lie_in_the_middle_and_point_to_the_head() {
    let a = stored();
    let wall = MeshDistance::new(&a.lumen.mesh);
    for site in &a.access_sites {
        let radius = a.tree.branch(site.place.vessel).at(site.place.arc_mm).radius_mm;
        let inside = wall.nearest(&site.position_mm).unwrap().inside_mm;
        println!(
            "{}: {inside:.1} mm from the wall of radius {radius:.1}, z {:.0}",
            site.name, site.position_mm.z
        );
        assert!(inside > 0.85 * radius && site.direction.z > 0.5);
    }
}
