//! Meshes from files, and coarse meshes made fine: bytes of any kind give a mesh or an error; refinement keeps the
//! volume and the room inside.

use cathnav::anatomy::{
    LengthUnit, Mesh, MeshDistance, MeshFormat, Openness, VesselTree, parse_mesh, refine, stl_bytes,
};
use cathnav::math::Vec3;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::tubes::{bend, branch, tube};

fn obj_text(mesh: &Mesh) -> String {
    let mut out = String::new();
    for v in &mesh.vertices_mm {
        out += &format!("v {} {} {}\n", v.x, v.y, v.z);
    }
    for t in &mesh.triangles {
        out += &format!("f {} {} {}\n", t[0] + 1, t[1] + 1, t[2] + 1);
    }
    out
}

fn ascii_stl_text(mesh: &Mesh) -> String {
    let mut out = "solid tube\n".to_owned();
    for t in &mesh.triangles {
        out += "facet normal 0 0 0\nouter loop\n";
        for i in t {
            let v = mesh.vertices_mm[*i as usize];
            out += &format!("vertex {:e} {:e} {:e}\n", v.x, v.y, v.z);
        }
        out += "endloop\nendfacet\n";
    }
    out + "endsolid tube\n"
}

fn small_tube() -> Mesh {
    let b = branch("tube", &bend(30.0, 30.0, 2.0), |_| 3.0);
    tube(&b, 12).mesh
}

#[test]
fn all_formats_windings_and_units_give_the_same_surface() {
    let mesh = small_tube();
    let mut inward = mesh.clone();
    for t in &mut inward.triangles {
        t.swap(0, 1);
    }
    let volume = mesh.signed_volume_mm3();
    for (unit, share) in [(LengthUnit::Mm, 1.0), (LengthUnit::Cm, 0.1), (LengthUnit::M, 0.001)] {
        for m in [&mesh, &inward] {
            let scaled = Mesh {
                vertices_mm: m.vertices_mm.iter().map(|v| v * share).collect(),
                triangles: m.triangles.clone(),
            };
            for (bytes, format) in [
                (stl_bytes(&scaled), MeshFormat::Stl),
                (ascii_stl_text(&scaled).into_bytes(), MeshFormat::Stl),
                (obj_text(&scaled).into_bytes(), MeshFormat::Obj),
            ] {
                let read = parse_mesh(&bytes, format, unit, "tube").unwrap();
                assert!((read.signed_volume_mm3() / volume - 1.0).abs() < 1e-5);
                assert_eq!(read.vertices_mm.len(), mesh.vertices_mm.len());
                assert!(Openness::of(&read).is_closed());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in [MeshFormat::Stl, MeshFormat::Obj] {
            let _result = parse_mesh(&bytes, format, LengthUnit::Mm, "random");
            let mut text = b"solid\n".to_vec();
            text.extend(&bytes);
            let _result = parse_mesh(&text, format, LengthUnit::Mm, "random");
        }
    }

    #[test]
    fn a_damaged_file_never_panics(at in 0..2000_usize, byte in any::<u8>(), cut in 0..3000_usize) {
        let mesh = small_tube();
        for (mut bytes, format) in [
            (stl_bytes(&mesh), MeshFormat::Stl),
            (ascii_stl_text(&mesh).into_bytes(), MeshFormat::Stl),
            (obj_text(&mesh).into_bytes(), MeshFormat::Obj),
        ] {
            if at < bytes.len() {
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Ok(read) = parse_mesh(&bytes, format, LengthUnit::Mm, "damaged") {
                prop_assert!(read.vertices_mm.iter().all(|v| v.iter().all(|x| x.is_finite())));
                prop_assert!(read.triangles.iter().flatten().all(|i| (*i as usize) < read.vertices_mm.len()));
            }
        }
    }
}

/// A square pipe, as a strongly reduced mesh has it, becomes round with the same volume.
#[test]
fn refinement_rounds_and_keeps_volume_and_room() {
    let b = branch("pipe", &bend(50.0, 120.0, 6.0), |arc| 5.0 - arc / 60.0);
    let coarse = tube(&b, 5);
    let tree = VesselTree { branches: vec![b] };
    let fine = refine(&coarse, &tree);
    let (before, after) = (coarse.mesh.signed_volume_mm3(), fine.mesh.signed_volume_mm3());
    let longest = fine.mesh.triangles.iter().map(|t| {
        let v = |i: usize| fine.mesh.vertices_mm[t[i % 3] as usize];
        (0..3).map(|k| (v(k) - v(k + 1)).norm()).fold(0.0, f64::max)
    });
    let longest = longest.fold(0.0, f64::max);
    println!(
        "{} to {} triangles, volume {:.4}, longest edge {longest:.2} mm",
        coarse.mesh.triangles.len(),
        fine.mesh.triangles.len(),
        after / before
    );
    assert!((after / before - 1.0).abs() < 0.02);
    assert!(longest < 3.5);
    assert!(Openness::of(&fine.mesh).is_closed());
    assert_eq!(fine.labels.len(), fine.mesh.triangles.len());
    let (rough, smooth) = (MeshDistance::new(&coarse.mesh), MeshDistance::new(&fine.mesh));
    let mut turn = 0.0_f64;
    for p in &tree.branches[0].points[2..18] {
        let (a, b) = (
            rough.nearest(&p.position_mm).unwrap().inside_mm,
            smooth.nearest(&p.position_mm).unwrap().inside_mm,
        );
        assert!(b > 0.95 * a, "room {b:.2} of {a:.2} mm");
        // Around the lumen the normal turns evenly now: no step of more than a facet.
        let around = |k: i32| {
            let angle = f64::from(k) * std::f64::consts::TAU / 36.0;
            let binormal = p.tangent.cross(&p.normal);
            let at = p.position_mm + (p.normal * angle.cos() + binormal * angle.sin()) * (0.75 * b);
            smooth.nearest(&at).unwrap().inward
        };
        turn = turn.max((0..36).map(|k| around(k).angle(&around(k + 1))).fold(0.0, f64::max));
    }
    println!("largest turn of the normal over 10 degrees: {:.0} degrees", turn.to_degrees());
    assert!(turn.to_degrees() < 45.0);
    // Fine already: unchanged.
    assert_eq!(refine(&fine, &tree), fine);
}

#[test]
fn a_point_cloud_is_no_mesh() {
    let text = "v 0 0 0\nv 1 0 0\nv 0 1 0\n";
    assert!(parse_mesh(text.as_bytes(), MeshFormat::Obj, LengthUnit::Mm, "cloud").is_err());
    let flat = "v 0 0 0\nv 1 0 0\nv 0 0 0\nf 1 2 3\n";
    assert!(parse_mesh(flat.as_bytes(), MeshFormat::Obj, LengthUnit::Mm, "flat").is_err());
    assert!(MeshDistance::new(&Mesh::default()).nearest(&Vec3::zeros()).is_none());
}
