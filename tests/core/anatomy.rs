//! The pelvis: description, stored build, tree, lumen and bones against clinical figures, and what wrong files give.

use std::path::{Path, PathBuf};

use cathnav::anatomy::{
    self, Anatomy, AnatomyError, AnatomyFile, Description, Material, Mesh, MeshDistance, Topology,
    VesselTree, topology,
};
use cathnav::math::Vec3;

fn pelvis() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/pelvis")
}

fn stored() -> Anatomy {
    anatomy::load(&pelvis()).unwrap()
}

fn landmark(a: &Anatomy, name: &str) -> Vec3 {
    a.landmarks.iter().find(|l| l.name == name).unwrap_or_else(|| panic!("no landmark {name}")).position_mm
}

fn surface<'a>(a: &'a Anatomy, name: &str) -> &'a Mesh {
    &a.body.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no surface {name}")).mesh
}

/// The longest edge and the smallest angle of a mesh, and the largest edge over a radius.
fn smallest_angle_deg(mesh: &Mesh) -> f64 {
    let mut least = f64::INFINITY;
    for t in &mesh.triangles {
        let p = t.map(|i| mesh.vertices_mm[i as usize]);
        for k in 0..3 {
            let (u, v) = (p[(k + 1) % 3] - p[k], p[(k + 2) % 3] - p[k]);
            least = least.min(u.angle(&v).to_degrees());
        }
    }
    least
}

#[test]
fn stored_build_is_that_of_the_description() {
    let AnatomyFile::Described(whole) = anatomy::read_file(&pelvis()).unwrap() else { panic!("described") };
    let description = Description { body: None, ..*whole };
    let built = anatomy::build(&description).unwrap();
    let stored = stored();
    assert_eq!(built.tree.branches.len(), stored.tree.branches.len());
    for (b, s) in built.tree.branches.iter().zip(&stored.tree.branches) {
        assert_eq!(b.name, s.name);
        for (p, q) in b.points.iter().zip(&s.points) {
            assert!((p.position_mm - q.position_mm).norm() < 1e-9, "{} moved", b.name);
        }
    }
    let (v, w) = (built.lumen.mesh.signed_volume_mm3(), stored.lumen.mesh.signed_volume_mm3());
    let (n, m) = (built.lumen.mesh.triangles.len() as f64, stored.lumen.mesh.triangles.len() as f64);
    println!(
        "lumen: {n} triangles, stored {m}; {v:.1} mm3, stored {w:.1}; same bits {}",
        built.lumen == stored.lumen
    );
    // The bits may differ where the C library rounds its sines otherwise; the shape may not.
    assert!((v - w).abs() < 1e-4 * w && (n - m).abs() < 1e-2 * m);
    for a in [&built, &stored] {
        assert_eq!(topology(&a.lumen.mesh), Topology { bodies: 1, open_edges: 0, euler: 2 });
        assert!(a.lumen.mesh.signed_volume_mm3() > 0.0, "wound outwards");
        assert_eq!(a.lumen.labels.len(), a.lumen.mesh.triangles.len());
    }
}

#[test]
fn triangles_of_the_lumen_are_even_and_labels_lie_on_their_vessel() {
    let a = stored();
    let (mut over, mut worst_edge, mut worst_label) = (0, 0.0_f64, 0.0_f64);
    for (t, labels) in a.lumen.mesh.triangles.iter().zip(&a.lumen.labels) {
        let p = t.map(|i| a.lumen.mesh.vertices_mm[i as usize]);
        for k in 0..3 {
            let at = a.tree.branch(labels[k].vessel).at(f64::from(labels[k].arc_mm));
            let ratio = (p[k] - p[(k + 1) % 3]).norm() / at.radius_mm;
            over += usize::from(ratio > 0.6);
            worst_edge = worst_edge.max(ratio);
            worst_label = worst_label.max((p[k] - at.position_mm).norm() / at.radius_mm);
        }
    }
    let angle = smallest_angle_deg(&a.lumen.mesh);
    let share = over as f64 / (3.0 * a.lumen.mesh.triangles.len() as f64);
    println!(
        "edges over 0.6 radii: {:.3} %, longest {worst_edge:.2} radii; smallest angle {angle:.1} deg; label at most {worst_label:.2} radii away",
        100.0 * share
    );
    assert!(share < 0.01 && worst_edge < 1.5 && angle > 2.0 && worst_label < 1.8);
}

/// Away from ostia a point of the centerline is one radius from the wall.
#[test]
fn wall_is_one_radius_from_the_centerline() {
    let a = stored();
    let wall = MeshDistance::new(&a.lumen.mesh);
    let (mut worst, mut at, mut count) = (0.0_f64, String::new(), 0);
    for (i, b) in a.tree.branches.iter().enumerate() {
        for p in &b.points {
            let near = wall.nearest(&p.position_mm).unwrap();
            assert!(near.inside_mm > 0.0, "{} at {:.1} mm lies outside the lumen", b.name, p.arc_mm);
            let near_other = a.tree.branches.iter().enumerate().any(|(j, o)| {
                j != i
                    && o.points
                        .iter()
                        .any(|q| (q.position_mm - p.position_mm).norm() < 1.1 * p.radius_mm + q.radius_mm)
            });
            if near_other {
                continue;
            }
            count += 1;
            let error = (near.inside_mm - p.radius_mm).abs() / p.radius_mm;
            if error > worst {
                (worst, at) = (error, format!("{} at {:.1} mm", b.name, p.arc_mm));
            }
        }
    }
    println!("wall distance over {count} points: worst {:.1} % of the radius, {at}", 100.0 * worst);
    assert!(count > 1000 && worst < 0.15);
}

#[test]
fn diameters_lengths_and_take_offs_are_clinical() {
    let a = stored();
    let branch = |name: &str| a.tree.branch(a.tree.find(name).unwrap_or_else(|| panic!("no {name}")));
    // Name, diameter (mm) at the origin, length (mm); ranges of clinical.md B and body.md 7.
    let table = [
        ("aorta.abdominal", 14.5..=16.6, 90.0..=110.0),
        ("common_iliac", 9.0..=11.8, 40.0..=66.0),
        ("external_iliac", 6.0..=10.3, 95.0..=115.0),
        ("internal_iliac", 6.2..=7.5, 36.0..=44.0),
        ("common_femoral", 5.5..=8.3, 27.0..=59.0),
        ("obturator", 2.2..=2.5, 50.0..=130.0),
        ("uterine", 1.3..=1.7, 46.0..=222.0),
    ];
    for (name, diameter, length) in table {
        for side in ["", ".left", ".right"] {
            let Some(id) = a.tree.find(&format!("{name}{side}")) else {
                assert!(side.is_empty() != (name == "aorta.abdominal"));
                continue;
            };
            let b = a.tree.branch(id);
            let d = 2.0 * b.points[0].radius_mm;
            println!("{:<22} {d:5.2} mm, {:6.1} mm long", b.name, b.length_mm());
            assert!(diameter.contains(&d) && length.contains(&b.length_mm()), "{}", b.name);
        }
    }
    let left = branch("common_iliac.left");
    let right = branch("common_iliac.right");
    let angle = left.at(16.0).tangent.angle(&right.at(16.0).tangent).to_degrees();
    let chord = |b: &anatomy::Branch, mm: f64| b.at(mm).position_mm - b.at(0.0).position_mm;
    let opening = chord(left, 20.0).angle(&chord(right, 20.0)).to_degrees();
    println!(
        "aortic bifurcation: {opening:.0} deg between the chords of 20 mm, {angle:.0} deg between the tangents there"
    );
    assert!((40.0..=60.0).contains(&opening), "40 to 60 degrees");
    for side in ["left", "right"] {
        let name = format!("internal_iliac.{side}");
        let take_off = a.tree.take_off_deg(branch(&name)).unwrap();
        let way = chord(branch(&name), 25.0);
        println!("{name}: take-off {take_off:.0} deg, first 25 mm run {way:.1?}");
        assert!((30.0..=50.0).contains(&take_off), "30 to 50 degrees");
        let external = chord(branch(&format!("external_iliac.{side}")), 25.0);
        let s = if side == "left" { 1.0 } else { -1.0 };
        assert!(
            way.y > external.y + 10.0 && s * way.x < s * external.x,
            "behind and medial to the external iliac"
        );
    }
}

/// Rest flows: external 350 each, internal 200 to 300 each, uterine 8 (mL/min).
#[test]
fn outlets_sum_to_clinical_flows() {
    let a = stored();
    let below = |name: &str| -> f64 {
        let id = a.tree.find(name).unwrap();
        a.tree
            .branches
            .iter()
            .enumerate()
            .filter(|(i, _)| a.tree.route(anatomy::VesselId(*i as u32)).contains(&id))
            .filter_map(|(_, b)| b.outlet.as_ref())
            .map(|o| 60.0 * o.flow_ml_per_s)
            .sum()
    };
    for side in ["left", "right"] {
        let (external, internal) =
            (below(&format!("external_iliac.{side}")), below(&format!("internal_iliac.{side}")));
        let uterine = below(&format!("uterine.{side}"));
        println!("{side}: external {external:.0}, internal {internal:.0}, uterine {uterine:.1} mL/min");
        assert!((310.0..=390.0).contains(&external) && (200.0..=300.0).contains(&internal));
        assert!((6.0..=10.0).contains(&uterine));
    }
    let aorta = below("aorta.abdominal");
    assert!((900.0..=1400.0).contains(&aorta), "infrarenal aorta {aorta:.0} mL/min");
    for b in &a.tree.branches {
        let id = a.tree.find(&b.name).unwrap();
        assert!(b.outlet.is_some() == a.tree.children(id).is_empty(), "{}", b.name);
        if let Some(o) = &b.outlet {
            assert!((4.0..=8.0).contains(&o.transit_s) && o.bed.starts_with("bed."), "{}", b.name);
        }
    }
}

#[test]
fn sheath_tips_lie_in_the_middle_of_the_external_iliac_and_point_to_the_head() {
    let a = stored();
    let wall = MeshDistance::new(&a.lumen.mesh);
    for name in ["femoral.left", "femoral.right"] {
        let site = a.access_sites.iter().find(|s| s.name == name).unwrap();
        let p = a.tree.branch(site.place.vessel).at(site.place.arc_mm);
        let inside = wall.nearest(&site.position_mm).unwrap().inside_mm;
        let puncture = landmark(&a, &name.replace("femoral", "puncture"));
        let depth = (site.position_mm - puncture).norm();
        println!(
            "{name}: {inside:.2} mm from the wall of radius {:.2}, {depth:.0} mm from the puncture",
            p.radius_mm
        );
        assert!(inside > 0.85 * p.radius_mm && site.direction.z > 0.5);
        assert!((site.direction.norm() - 1.0).abs() < 1e-9 && (60.0..=80.0).contains(&depth));
    }
}

#[test]
fn bones_are_closed_outward_pairs_of_surfaces() {
    let a = stored();
    let mut bones = 0;
    for s in &a.body {
        let t = topology(&s.mesh);
        assert_eq!(t.open_edges, 0, "{} is not closed", s.name);
        assert!(s.mesh.signed_volume_mm3() > 0.0, "{} is wound inwards", s.name);
        if matches!(s.material, Material::CorticalBone | Material::TrabecularBone) {
            bones += s.mesh.triangles.len();
        }
    }
    println!("bones: {bones} triangles");
    assert!(bones < 120_000);
    for cortex in a.body.iter().filter(|s| s.material == Material::CorticalBone) {
        let outer = MeshDistance::new(&cortex.mesh);
        let inner = surface(&a, &cortex.name.replace("cortex", "trabecular"));
        let outside = inner.vertices_mm.iter().filter(|p| outer.nearest(p).unwrap().inside_mm < 0.1).count();
        let share = outside as f64 / inner.vertices_mm.len() as f64;
        assert!(
            share < 0.01,
            "{}: {:.1} % of the trabecular surface is not inside",
            cortex.name,
            100.0 * share
        );
    }
    let first = |m: Material| a.body.iter().position(|s| s.material == m).unwrap();
    let last = |m: Material| a.body.iter().rposition(|s| s.material == m).unwrap();
    assert!(first(Material::Fat) < first(Material::SoftTissue));
    assert!(last(Material::SoftTissue) < first(Material::CorticalBone));
    assert!(last(Material::CorticalBone) < first(Material::TrabecularBone));
    assert!(last(Material::TrabecularBone) < first(Material::Air));
}

#[test]
fn landmarks_are_where_a_radiologist_finds_them() {
    let a = stored();
    for side in ["left", "right"] {
        // The head is a ball of 43 mm about its landmark.
        let center = landmark(&a, &format!("femoral_head.{side}.center"));
        let femur = surface(&a, &format!("femur.{side}.cortex"));
        let head: Vec<f64> = femur
            .vertices_mm
            .iter()
            .filter(|p| p.z > center.z && (p.x.abs() < center.x.abs()))
            .map(|p| (p - center).norm())
            .collect();
        let mean = head.iter().sum::<f64>() / head.len() as f64;
        println!("femoral head {side}: radius {mean:.2} mm over {} points", head.len());
        assert!(head.len() > 50 && (mean - 21.5).abs() < 0.4);
        // The crest reaches L4/5 to lower L4.
        let hip = surface(&a, &format!("hip.{side}.cortex"));
        let crest = hip.vertices_mm.iter().map(|p| p.z).fold(f64::NEG_INFINITY, f64::max);
        let (top, disc) = (landmark(&a, "l4.top").z, landmark(&a, "l5.top").z);
        println!("iliac crest {side}: z {crest:.1}, L4 {disc:.1} to {top:.1}");
        assert!(crest > disc && crest < top);
        // The common femoral artery runs over the medial half of the head.
        let cfa = a.tree.branch(a.tree.find(&format!("common_femoral.{side}")).unwrap());
        let p = cfa
            .points
            .iter()
            .min_by(|p, q| (p.position_mm.z - center.z).abs().total_cmp(&(q.position_mm.z - center.z).abs()));
        let medial = center.x.abs() - p.unwrap().position_mm.x.abs();
        println!("common femoral {side}: {medial:.1} mm medial to the center of the head");
        assert!((7.0..=21.5).contains(&medial), "over the medial third");
        // The common iliac divides over the sacroiliac joint.
        let end = a
            .tree
            .branch(a.tree.find(&format!("common_iliac.{side}")).unwrap())
            .points
            .last()
            .unwrap()
            .position_mm;
        let joint = landmark(&a, &format!("sacroiliac_joint.{side}.brim"));
        assert!((end.x - joint.x).abs() < 20.0 && (end.z - joint.z).abs() < 20.0);
    }
    let aorta = &a.tree.branch(a.tree.find("aorta.abdominal").unwrap());
    let bifurcation = aorta.points.last().unwrap().position_mm;
    let (top, bottom) = (landmark(&a, "l4.top").z, landmark(&a, "l4.bottom").z);
    println!("aortic bifurcation z {:.1}, L4 {bottom:.1} to {top:.1}", bifurcation.z);
    assert!(bifurcation.z > bottom && bifurcation.z < bottom + (top - bottom) / 3.0, "lower third of L4");
    assert!((landmark(&a, "aortic_bifurcation") - bifurcation).norm() < 0.5);
}

#[test]
fn vessels_keep_out_of_bone() {
    let a = stored();
    let mut worst = (f64::INFINITY, String::new());
    for s in a.body.iter().filter(|s| s.material == Material::CorticalBone) {
        let bone = MeshDistance::new(&s.mesh);
        for b in &a.tree.branches {
            for p in &b.points {
                let Some(near) = bone.nearest_within(&p.position_mm, 8.0) else { continue };
                let gap = -near.inside_mm - p.radius_mm;
                if gap < worst.0 {
                    worst = (gap, format!("{} at {:.1} mm and {}", b.name, p.arc_mm, s.name));
                }
            }
        }
    }
    println!("least gap between a vessel and a bone: {:.2} mm, {}", worst.0, worst.1);
    assert!(worst.0 > 0.0);
}

/// Each change makes the description wrong; the error must say where and what is allowed.
#[test]
fn wrong_descriptions_give_errors() {
    let text = std::fs::read_to_string(pelvis().join("anatomy.ron")).unwrap();
    let cases = [
        ("format: 1", "format: 2", "allowed: 1"),
        ("name: \"ovarian.left\"", "name: \"ovarian.right\"", "each name once"),
        ("diameter_mm: (16.5, 15.8)", "diameter_mm: (16.5, -15.8)", "0.4 to 60"),
        ("diameter_mm: (16.5, 15.8)", "diameter: (16.5, 15.8)", "diameter_mm"),
        ("at: Mm(22.0)", "at: Mm(2200.0)", "allowed: 0 to"),
        (
            "vessel: \"aorta.abdominal\", at: End",
            "vessel: \"aorta.abdominl\", at: End",
            "a branch described before it",
        ),
        ("flow_ml_per_min: 3.0", "flow_ml_per_min: -3.0", "0.01 to 10000"),
        ("min_gap_mm: 0.6", "min_gap_mm: 5.0", "between their walls"),
        ("towards: Origin", "towards: Heart", "Heart"),
        ("BeforeEnd(50.0)", "BeforeEnd(500.0)", "allowed: 0 to"),
        ("(10.0, -35.0, 152.0)", "(10.0, -35.0, inf)", "3000"),
        ("branches: [", "branches: ", "3"),
    ];
    for (from, to, expected) in cases {
        assert!(text.contains(from), "{from} is not in the description");
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("anatomy.ron"), text.replacen(from, to, 1)).unwrap();
        let error = anatomy::build_folder(dir.path()).unwrap_err().to_string();
        println!("{to}: {error}");
        assert!(error.contains(expected) && error.contains("anatomy.ron"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was written");
    }
}

#[test]
fn stale_and_damaged_builds_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(pelvis()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    assert!(anatomy::load(dir.path()).is_ok());
    let lumen = dir.path().join("lumen.ply");
    let whole = std::fs::read(&lumen).unwrap();
    for broken in [&whole[..whole.len() - 1], &whole[..40], &[0x70, 0xff, 0x00][..], &[]] {
        std::fs::write(&lumen, broken).unwrap();
        let error = anatomy::load(dir.path()).unwrap_err();
        assert!(
            matches!(error, AnatomyError::Damaged { .. }) && error.to_string().contains("lumen.ply"),
            "{error}"
        );
    }
    std::fs::write(&lumen, &whole).unwrap();
    let tree = dir.path().join("tree.bin");
    let whole = std::fs::read(&tree).unwrap();
    std::fs::write(&tree, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(anatomy::load(dir.path()), Err(AnatomyError::Damaged { .. })));
    std::fs::write(&tree, &whole).unwrap();
    let ron = dir.path().join("anatomy.ron");
    let text = std::fs::read_to_string(&ron).unwrap();
    std::fs::write(&ron, text.replacen("(16.5, 15.8)", "(16.4, 15.8)", 1)).unwrap();
    let error = anatomy::load(dir.path()).unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, AnatomyError::Stale { .. }) && error.to_string().contains("cathnav anatomy build")
    );
    assert!(matches!(anatomy::load(Path::new("/nowhere")), Err(AnatomyError::Io { .. })));
}

/// A branch by its take-off angles leaves where they say.
#[test]
fn take_off_angles_are_those_of_the_parent_frame() {
    let text = r#"(format: 1, name: "t", title: "t", branches: [
        (name: "root", ta: "", label: "", course: Points([(0, 0, 100), (0, 0, 0)]), diameter_mm: (10, 10)),
        (name: "left", ta: "", label: "", origin: (vessel: "root", at: Mm(40)), diameter_mm: (4, 3),
            course: TakeOff(angle_deg: 60, around_deg: 90, length_mm: 40, turn_deg: 30)),
        (name: "front", ta: "", label: "", origin: (vessel: "root", at: Mm(70)), diameter_mm: (4, 3),
            course: TakeOff(angle_deg: 45, around_deg: 0, length_mm: 30)),
    ])"#;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("anatomy.ron"), text).unwrap();
    let a = anatomy::build_folder(dir.path()).unwrap();
    assert_eq!(a, anatomy::load(dir.path()).unwrap(), "what is stored is what was built");
    let end =
        |tree: &VesselTree, name: &str| tree.branch(tree.find(name).unwrap()).points.last().unwrap().tangent;
    let (s, c) = 30.0_f64.to_radians().sin_cos();
    let left = end(&a.tree, "left");
    println!("left ends along {left:.4?}");
    assert!((left - Vec3::new(s, 0.0, -c)).norm() < 0.03, "60 degrees to the left, turned 30 back");
    let front = end(&a.tree, "front");
    assert!((front - Vec3::new(0.0, -1.0, -1.0).normalize()).norm() < 1e-6);
    // Closed form: the union is larger than the root and smaller than the sum.
    let tube = |r: f64, l: f64| std::f64::consts::PI * r * r * (l + 4.0 / 3.0 * r);
    let volume = a.lumen.mesh.signed_volume_mm3();
    let (least, most) = (tube(5.0, 100.0), tube(5.0, 100.0) + tube(2.0, 40.0) + tube(2.0, 30.0));
    println!("volume {volume:.0} mm3, root alone {least:.0}, sum {most:.0}");
    assert!(volume > 0.99 * least && volume < most);
}

const LOOP: &str = r#"#![enable(implicit_some)]
(
    format: 1, name: "arcade", title: "A trunk with two branches and an arcade between them",
    branches: [
        (name: "trunk", ta: "", label: "", course: Points([(0, 0, 60), (0, 0, 0)]), diameter_mm: (8, 8)),
        (name: "a", ta: "", label: "", origin: (vessel: "trunk", at: Mm(20)),
         course: Points([(20, 0, 35), (45, 0, 10), (50, 0, -30)]), diameter_mm: (4, 3),
         outlet: (bed: "bed.a", flow_ml_per_min: 60, transit_s: 5, blush_center_mm: (50, 0, -40), blush_radius_mm: 10)),
        (name: "b", ta: "", label: "", origin: (vessel: "trunk", at: End),
         course: Points([(0, 0, -20), (0, 0, -50)]), diameter_mm: (5, 4),
         outlet: (bed: "bed.b", flow_ml_per_min: 90, transit_s: 5, blush_center_mm: (0, 0, -60), blush_radius_mm: 10)),
        (name: "arcade", ta: "", label: "", origin: (vessel: "a", at: BeforeEnd(15)),
         course: Points([(30, 5, -25)]), join: (vessel: "b", at: BeforeEnd(20)), diameter_mm: (2, 2)),
    ],
    circulation: (
        anastomoses: [(from: "a", to: "b", diameter_mm: 0.3)],
        shunts: [(name: "nidus", vessel: "a", at_mm: 30, pedicle_mm: 1.5, flow_ml_per_min: 40, channel_mm: 0.2,
                  transit_s: 0.8, center_mm: (50, 10, 0), radius_mm: 8)],
    ),
)"#;

#[test]
fn a_description_may_close_a_loop_and_name_what_lies_beyond_the_tree() {
    let description: Description = ron::from_str(LOOP).unwrap();
    let built = anatomy::build(&description).unwrap();
    let t = topology(&built.lumen.mesh);
    println!("arcade: {t:?}, {} triangles", built.lumen.mesh.triangles.len());
    assert_eq!(t, Topology { bodies: 1, open_edges: 0, euler: 0 }, "one handle");
    let arcade = &built.tree.branches[3];
    let join = arcade.distal_join.unwrap();
    let end = arcade.points.last().unwrap().position_mm;
    assert!((end - built.tree.branch(join.vessel).at(join.arc_mm).position_mm).norm() < 1e-9);
    assert_eq!(built.circulation, description.circulation);
    let plain = Description { circulation: anatomy::Circulation::default(), ..description.clone() };
    let hash = |d: &Description| AnatomyFile::Described(Box::new(d.clone())).hash();
    assert_eq!(hash(&plain), hash(&description));
    let open: Description =
        ron::from_str(&LOOP.replace("join: (vessel: \"b\", at: BeforeEnd(20)),", "")).unwrap();
    assert_ne!(hash(&open), hash(&description));
    let patient = cathnav::scenario::Patient::default();
    let net = cathnav::sim::flow::Network::compile(&built.tree, &built.circulation, &patient, &[]);
    let state = cathnav::sim::flow::FlowState::new(&net);
    let around = state.flow_at(&net, anatomy::VesselPlace { vessel: anatomy::VesselId(3), arc_mm: 25.0 });
    println!("flow of the arcade at rest {around:.4} mL/s, outlets {:?}", state.outlet_flow_ml_per_s);
    assert!(around.abs() > 1e-3 && net.anastomoses.len() == 1 && net.outlets.len() == 3);
    let refused = |from: &str, to: &str| {
        let wrong: Description = ron::from_str(&LOOP.replace(from, to)).unwrap();
        anatomy::build_tree(&wrong).unwrap_err().to_string()
    };
    assert!(refused("join: (vessel: \"b\"", "join: (vessel: \"c\"").contains('c'));
    assert!(refused("at: BeforeEnd(20))", "at: BeforeEnd(200))").contains("at"));
    assert!(refused("diameter_mm: 0.3", "diameter_mm: 3").contains("0.02 to 2"));
}
