//! A real anatomy made by others (`arch_to_neuro`): it loads, fits, and devices find their way in it.

use std::path::{Path, PathBuf};

use cathnav::anatomy::{Anatomy, ImportOptions, MeshDistance, Openness, import};
use cathnav::sim::contact::{MeshWall, WallQuery as _};

/// The folder of the data, if this machine has it; else says why the test does not run.
pub(crate) fn folder() -> Option<PathBuf> {
    let Ok(dir) = std::env::var("CATHNAV_REAL_ANATOMY") else {
        println!("not run: CATHNAV_REAL_ANATOMY is not set");
        return None;
    };
    Some(Path::new(&dir).join("arch_to_neuro"))
}

/// The anatomy in the patient frame, with femoral access on both sides.
pub(crate) fn import_arch_to_neuro(dir: &Path) -> Anatomy {
    let mut curves: Vec<PathBuf> =
        std::fs::read_dir(dir.join("centerlines")).unwrap().map(|e| e.unwrap().path()).collect();
    curves.sort();
    let options = ImportOptions {
        name: "arch_to_neuro".to_owned(),
        axes: "+y,-z,-x".parse().unwrap(),
        root: Some("0".to_owned()),
        access: vec![
            ("femoral.left".to_owned(), "4".to_owned()),
            ("femoral.right".to_owned(), "6".to_owned()),
        ],
        ..ImportOptions::default()
    };
    import(&dir.join("lumen.obj"), &curves, &options).unwrap()
}

#[test]
fn real_anatomy_is_imported() {
    let Some(dir) = folder() else { return };
    let start = std::time::Instant::now();
    let anatomy = import_arch_to_neuro(&dir);
    println!("import {:.1} s, {} triangles", start.elapsed().as_secs_f64(), anatomy.lumen.mesh.triangles.len());
    let coarse = cathnav::anatomy::load_mesh(&dir.join("lumen.obj"), cathnav::anatomy::LengthUnit::Mm).unwrap();
    let volume = anatomy.lumen.mesh.signed_volume_mm3() / coarse.signed_volume_mm3();
    println!("volume over that of the file: {volume:.4}");
    assert!((volume - 1.0).abs() < 0.03);
    assert!(Openness::of(&anatomy.lumen.mesh).is_closed());
    let euler = |m: &cathnav::anatomy::Mesh| m.vertices_mm.len() as i64 - m.triangles.len() as i64 / 2;
    println!("Euler number {} from {}", euler(&anatomy.lumen.mesh), euler(&coarse));
    assert_eq!(euler(&anatomy.lumen.mesh), euler(&coarse));
    assert_eq!(anatomy.tree.branches.len(), 25);
    let surface = MeshDistance::new(&anatomy.lumen.mesh);
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    for b in &anatomy.tree.branches {
        let inside: Vec<f64> =
            b.points.iter().map(|p| surface.nearest(&p.position_mm).unwrap().inside_mm).collect();
        let outside = inside.iter().filter(|d| **d <= 0.05).count();
        let least = inside.iter().copied().fold(f64::INFINITY, f64::min);
        let (lo, hi) = b.points.iter().fold((f64::INFINITY, 0.0_f64), |(lo, hi), p| (lo.min(p.radius_mm), hi.max(p.radius_mm)));
        println!(
            "{:>5}: {:4.0} mm, {:3} points, radius {lo:.2} to {hi:.2}, nearest wall {least:.2}, outside {outside}, origin {:?}, join {:?}, flow {:?}",
            b.name,
            b.length_mm(),
            b.points.len(),
            b.origin.map(|o| (anatomy.tree.branch(o.vessel).name.clone(), o.arc_mm)),
            b.distal_join.map(|o| (anatomy.tree.branch(o.vessel).name.clone(), o.arc_mm)),
            b.outlet.as_ref().map(|o| o.flow_ml_per_s),
        );
    }
    if std::env::var("DETAIL").is_ok() {
        for name in ["6", "7", "17", "15"] {
            let b = anatomy.tree.branch(anatomy.tree.find(name).unwrap());
            for p in &b.points {
                println!("{name} {:.1} ({:.1} {:.1} {:.1}) r {:.2}", p.arc_mm, p.position_mm.x, p.position_mm.y, p.position_mm.z, p.radius_mm);
            }
        }
    }
    for s in &anatomy.access_sites {
        let hit = wall.at(&s.position_mm);
        println!("{}: {:?} {:?} {:.2} mm from the wall", s.name, s.position_mm, s.direction, hit.inside_mm);
        assert!(hit.inside_mm > 1.0);
    }
}
