//! Landmarks of the composed bodies on the projection from the front and from the left, against `body.md`; bones and outlines
//! of either sex and three builds.

use std::path::Path;

use cathnav::anatomy::{
    self, Anatomy, AnatomyFile, BodyPart, Description, Habitus, Material, MeshDistance, Sex, topology,
};
use cathnav::math::Vec3;
use cathnav::xray::CArm;

/// Landmarks may lie this far from their place, mm at the isocenter.
const NEAR_MM: f64 = 5.0;

fn described(name: &str) -> Description {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy").join(name);
    match anatomy::read_file(&dir).unwrap() {
        AnatomyFile::Described(d) => *d,
        AnatomyFile::Imported(_) => panic!("{name} is imported"),
    }
}

/// A tube too small to matter, so that bodies are built quickly.
fn body(parts: &[BodyPart], sex: Sex, habitus: Habitus) -> Anatomy {
    let mut d = described("arm");
    d.branches.truncate(1);
    d.ends.clear();
    d.access_sites.clear();
    d.variation = anatomy::Variation::default();
    let b = d.body.as_mut().unwrap();
    (b.parts, b.sex, b.habitus) = (parts.to_vec(), sex, habitus);
    anatomy::build(&d).unwrap()
}

/// Where a point is seen, mm at the isocenter: to the right on screen, and up.
fn seen(p: &Vec3, primary_deg: f64) -> (f64, f64) {
    let arm = CArm { primary_deg, isocenter_mm: Vec3::new(0.0, -20.0, p.z), ..CArm::default() };
    let projection = arm.projection(1024);
    let (column, row, _) = projection.project(p).unwrap();
    let mm = projection.pixel_mm * cathnav::xray::geometry::SOURCE_ISOCENTER_MM / arm.sid_mm;
    ((column - 511.5) * mm, (511.5 - row) * mm + p.z)
}

fn surface<'a>(a: &'a Anatomy, name: &str) -> &'a anatomy::Mesh {
    &a.body.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no surface {name}")).mesh
}

fn landmark(a: &Anatomy, name: &str) -> Vec3 {
    a.landmarks.iter().find(|l| l.name == name).unwrap_or_else(|| panic!("no landmark {name}")).position_mm
}

/// The vertex of a surface that lies farthest along a direction, among those that a filter takes.
fn farthest(a: &Anatomy, name: &str, along: [f64; 3], take: impl Fn(&Vec3) -> bool) -> Vec3 {
    let along = Vec3::from(along);
    let mesh = surface(a, name);
    let all = mesh.vertices_mm.iter().filter(|p| take(p));
    *all.max_by(|p, q| p.dot(&along).total_cmp(&q.dot(&along))).unwrap_or_else(|| panic!("{name}: none"))
}

fn agree(what: &str, found: f64, wanted: f64) {
    println!("{what}: {found:.1}, wanted {wanted:.1}");
    assert!((found - wanted).abs() <= NEAR_MM, "{what}: {found:.1} for {wanted:.1}");
}

#[test]
fn vessels_lie_at_their_levels_on_the_projection() {
    let spine = body(&[BodyPart::Abdomen, BodyPart::Neck], Sex::Male, Habitus::Normal);
    let level = |name: &str| seen(&landmark(&spine, name), 0.0).1;
    let (tree, _) =
        anatomy::load_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/visceral")).unwrap();
    // Where a branch has left the wall of its parent.
    let ostium = |tree: &anatomy::VesselTree, name: &str| {
        let b = tree.branch(tree.find(name).unwrap());
        let origin = b.origin.unwrap();
        let parent = tree.branch(origin.vessel).at(origin.arc_mm);
        b.at(parent.radius_mm).position_mm
    };
    let at = |name: &str| seen(&ostium(&tree, name), 0.0).1;
    agree(
        "celiac trunk at T12/L1",
        at("celiac"),
        0.5 * (landmark(&spine, "t12.center").z - 12.2 + level("l1.top")),
    );
    let l1 = (level("l1.top"), level("l1.bottom"));
    agree(
        "superior mesenteric artery at the upper third of L1",
        at("superior_mesenteric"),
        l1.0 - (l1.0 - l1.1) / 6.0,
    );
    agree("right renal artery at the lower third of L1", at("renal.right"), l1.1 + (l1.0 - l1.1) / 6.0);
    agree("left renal artery at L1/2", at("renal.left"), 0.5 * (l1.1 + level("l2.top")));
    let l3 = (level("l3.top"), level("l3.bottom"));
    agree(
        "inferior mesenteric artery at the lower third of L3",
        at("inferior_mesenteric"),
        l3.1 + (l3.0 - l3.1) / 6.0,
    );
    let l4 = (level("l4.top"), level("l4.bottom"));
    let end = tree.branch(tree.find("aorta.infrarenal").unwrap()).points.last().unwrap().position_mm;
    agree("aortic bifurcation at the lower third of L4", seen(&end, 0.0).1, l4.1 + (l4.0 - l4.1) / 6.0);
    let (tree, _) =
        anatomy::load_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/cerebral")).unwrap();
    for side in ["left", "right"] {
        let (inner, outer) = ("internal_carotid", "external_carotid");
        let branch = |name: &str| tree.branch(tree.find(&format!("{name}.{side}")).unwrap());
        // The bifurcation is where the two have come apart.
        let inner = branch(inner);
        let apart = branch(outer).points.iter().find(|p| {
            inner.points.iter().all(|q| (q.position_mm - p.position_mm).norm() > q.radius_mm + p.radius_mm)
        });
        let z = seen(&apart.unwrap().position_mm, 90.0).1;
        agree(
            &format!("carotid bifurcation at C3/4, {side}"),
            z,
            0.5 * (level("c3.center") + level("c4.center")),
        );
    }
    let arch = tree.branch(tree.find("aorta.arch").unwrap());
    let summit = arch.points.iter().map(|p| p.position_mm.z + p.radius_mm).fold(f64::MIN, f64::max);
    agree("summit of the arch at T3/4", summit, 408.0);
}

#[test]
fn the_pelvis_of_either_sex_has_its_landmarks() {
    for (sex, radius, tuberosity) in [(Sex::Female, 21.5, 68.0), (Sex::Male, 24.5, 62.0)] {
        let a = body(&[BodyPart::Abdomen, BodyPart::Pelvis], sex, Habitus::Normal);
        for (side, k) in [("left", 1.0), ("right", -1.0)] {
            let hip = format!("hip.{side}.cortex");
            let top = farthest(&a, &hip, [0.0, 0.0, 1.0], |_| true);
            let disc = Vec3::new(k * 128.0, -5.0, 45.0);
            agree(&format!("{sex:?} {side}: iliac crest at L4/5"), seen(&top, 0.0).1, seen(&disc, 0.0).1);
            let (l4, l5) = (landmark(&a, "l4.bottom").z, landmark(&a, "l5.top").z);
            assert!(top.z < l4 + NEAR_MM && top.z > l5 - NEAR_MM);
            let center = landmark(&a, &format!("femoral_head.{side}.center"));
            let femur = surface(&a, &format!("femur.{side}.cortex"));
            let head: Vec<f64> = femur
                .vertices_mm
                .iter()
                .filter(|p| p.z > center.z && p.x.abs() < center.x.abs())
                .map(|p| (p - center).norm())
                .collect();
            let mean = head.iter().sum::<f64>() / head.len() as f64;
            println!("{sex:?} {side}: femoral head of {mean:.1} mm radius");
            assert!((mean - radius).abs() < 0.8);
            let spine = farthest(&a, &hip, [0.0, -1.0, 0.0], |p| p.z > -60.0);
            let (x, z) = seen(&spine, 0.0);
            let wanted = seen(&Vec3::new(k * 118.0, -83.0, -31.0), 0.0);
            agree("anterior superior iliac spine, across", x, wanted.0);
            agree("anterior superior iliac spine, up", z, wanted.1);
            let sit = farthest(&a, &hip, [0.0, 0.0, -1.0], |p| p.y > -25.0);
            agree("tuberosity, across", k * sit.x, tuberosity);
            let symphysis = farthest(&a, &hip, [-k, 0.0, 0.0], |p| p.y < -50.0 && p.z < -90.0);
            assert!(
                k * symphysis.x > 1.0 && k * symphysis.x < 4.0,
                "gap of the symphysis: {:.1}",
                symphysis.x
            );
        }
        let foramina = landmark(&a, "s1.endplate");
        assert!(foramina.norm() < 1.0);
    }
    // The common femoral artery over the medial half of the head.
    let d = described("iliac");
    let (tree, _) = anatomy::build_tree(&d).unwrap();
    for (side, k) in [("left", 1.0), ("right", -1.0)] {
        let artery = tree.branch(tree.find(&format!("common_femoral.{side}")).unwrap());
        let p = artery
            .points
            .iter()
            .min_by(|p, q| (p.position_mm.z + 102.0).abs().total_cmp(&(q.position_mm.z + 102.0).abs()));
        let x = k * seen(&p.unwrap().position_mm, 0.0).0;
        let head = k * seen(&Vec3::new(k * 86.0, -31.0, -102.0), 0.0).0;
        println!("{side}: artery {:.1} mm medial to the middle of the head", head - x);
        assert!((0.0..=24.5).contains(&(head - x)));
    }
}

#[test]
fn the_skull_has_its_landmarks() {
    let a = body(&[BodyPart::Neck, BodyPart::Head], Sex::Male, Habitus::Normal);
    let lateral = |p: &Vec3| seen(p, 90.0);
    let top = farthest(&a, "cranium.cortex", [0.0, 0.0, 1.0], |_| true);
    agree("bregma, up", lateral(&top).1, lateral(&landmark(&a, "bregma")).1);
    let back = farthest(&a, "cranium.cortex", [0.0, 1.0, 0.0], |_| true);
    agree("opisthocranion, behind", back.y, 46.0);
    let menton = farthest(&a, "mandible.cortex", [0.0, -0.5, -1.0], |p| p.x.abs() < 8.0);
    agree("menton, up", lateral(&menton).1, lateral(&landmark(&a, "menton")).1);
    agree("menton, forwards", menton.y, -128.0 - 5.0);
    let gonion = farthest(&a, "mandible.cortex", [0.0, 1.0, -1.0], |p| p.x > 40.0);
    let wanted = landmark(&a, "gonion.left");
    agree("gonion, up", lateral(&gonion).1, lateral(&wanted).1);
    // Petrous ridge across the orbit from the front.
    let ridge = farthest(&a, "petrous.cortex", [0.0, 0.0, 1.0], |p| (p.x - 35.0).abs() < 4.0);
    let t = (58.0 - 35.0) / (58.0 - 12.0);
    agree("petrous ridge at the middle of the orbit", seen(&ridge, 0.0).1, 628.0 + t * (620.0 - 628.0));
    let dens = farthest(&a, "c2.cortex", [0.0, 0.0, 1.0], |p| p.x.abs() < 4.0);
    agree("tip of the dens", lateral(&dens).1, landmark(&a, "dens.tip").z);
    let rim = farthest(&a, "face.cortex", [1.0, 0.0, 0.0], |p| p.z > 615.0 && p.z < 640.0 && p.y < -100.0);
    agree("lateral rim of the orbit", rim.x, 55.0);
    let orbit = landmark(&a, "orbit.left.center");
    let face = MeshDistance::new(surface(&a, "face.cortex"));
    assert!(face.nearest(&orbit).unwrap().inside_mm < -8.0, "the orbit is open");
}

#[test]
fn the_chest_has_its_landmarks() {
    let a = body(&[BodyPart::Thorax], Sex::Male, Habitus::Normal);
    for (side, k) in [("left", 1.0), ("right", -1.0)] {
        let widest = farthest(&a, &format!("rib_8.{side}"), [k, 0.0, 0.0], |_| true);
        agree("width of rib 8", k * widest.x, 140.0 + 3.5);
        let clavicle = farthest(&a, &format!("clavicle.{side}.cortex"), [-k, 0.0, 0.0], |_| true);
        agree("medial end of the clavicle", k * clavicle.x, 18.0);
    }
    let heart = surface(&a, "heart");
    let right = heart.vertices_mm.iter().map(|p| p.x).fold(f64::MAX, f64::min);
    let left = heart.vertices_mm.iter().map(|p| p.x).fold(f64::MIN, f64::max);
    agree("right border of the heart", right, -42.0);
    agree("left border of the heart", left, 86.0);
    let lungs = ["lung.left", "lung.right"].map(|n| surface(&a, n));
    let width = lungs
        .iter()
        .flat_map(|m| &m.vertices_mm)
        .map(|p| p.x)
        .fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
    let ratio = (left - right) / (width.1 - width.0);
    println!("heart over chest {ratio:.2}");
    assert!((0.42..=0.52).contains(&ratio));
    // The dome of the diaphragm is where the lung ends below its middle.
    let dome = |m: &anatomy::Mesh, x: f64| {
        let under = m.vertices_mm.iter().filter(|p| (p.x - x).abs() < 8.0 && (p.y + 30.0).abs() < 14.0);
        under.map(|p| p.z).fold(f64::MAX, f64::min)
    };
    let (l, r) = (dome(lungs[0], 66.0), dome(lungs[1], -66.0));
    println!("diaphragm: left {l:.0}, right {r:.0}");
    assert!((5.0..=22.0).contains(&(r - l)), "the right dome stands higher");
}

/// All surfaces of slim, normal and obese men and women are closed and outward, and the skin is as deep and wide as it should be.
#[test]
fn bodies_of_either_sex_and_three_builds_are_closed() {
    let trunk = [BodyPart::Abdomen, BodyPart::Pelvis, BodyPart::Organs];
    // Depth and width at L4, mm, and fat in front: body.md 6.1.
    for (sex, habitus, ap, lateral) in [
        (Sex::Male, Habitus::Slim, 190.0, 298.0),
        (Sex::Male, Habitus::Normal, 228.0, 345.0),
        (Sex::Male, Habitus::Obese, 283.0, 402.0),
        (Sex::Female, Habitus::Slim, 176.0, 276.0),
        (Sex::Female, Habitus::Normal, 210.0, 325.0),
        (Sex::Female, Habitus::Obese, 262.0, 372.0),
    ] {
        let a = body(&trunk, sex, habitus);
        for s in &a.body {
            assert_eq!(topology(&s.mesh).open_edges, 0, "{sex:?} {habitus:?}: {} is not closed", s.name);
            assert!(s.mesh.signed_volume_mm3() > 0.0, "{} is wound inwards", s.name);
        }
        let skin = MeshDistance::new(surface(&a, "skin"));
        for s in a.body.iter().filter(|s| matches!(s.material, Material::CorticalBone | Material::Air)) {
            let is_out = |p: &&Vec3| p.z > -260.0 && skin.nearest(p).unwrap().inside_mm < 1.0;
            let outside: Vec<_> = s.mesh.vertices_mm.iter().filter(is_out).collect();
            assert!(
                outside.is_empty(),
                "{sex:?} {habitus:?}: {} outside the skin at {:.0?}",
                s.name,
                outside[0]
            );
        }
        let at = Vec3::new(0.0, -20.0, 58.0);
        let reach = |d: [f64; 3]| skin.ray(&at, &Vec3::from(d), 400.0).unwrap().0;
        let depth = reach([0.0, 1.0, 0.0]) + reach([0.0, -1.0, 0.0]);
        let width = reach([1.0, 0.0, 0.0]) + reach([-1.0, 0.0, 0.0]);
        println!("{sex:?} {habitus:?}: {depth:.0} x {width:.0} mm at L4, wanted {ap:.0} x {lateral:.0}");
        assert!((depth - ap).abs() < 0.1 * ap && (width - lateral).abs() < 0.08 * lateral);
    }
}

#[test]
fn limbs_and_head_are_closed_and_vessels_keep_out_of_bone() {
    for name in ["cerebral", "lower_limb", "visceral"] {
        let start = super::regions::now();
        let a = anatomy::build(&described(name)).unwrap();
        println!("{name}: built in {:.1} s", start.elapsed().as_secs_f64());
        for s in &a.body {
            assert_eq!(topology(&s.mesh).open_edges, 0, "{name}: {} is not closed", s.name);
        }
        let mut worst = (f64::INFINITY, String::new());
        for s in a.body.iter().filter(|s| s.material == Material::CorticalBone && s.name != "teeth") {
            let bone = MeshDistance::new(&s.mesh);
            for b in &a.tree.branches {
                for p in &b.points {
                    let Some(near) = bone.nearest_within(&p.position_mm, 20.0) else { continue };
                    let gap = -near.inside_mm - p.radius_mm;
                    // Nothing lies so deep in a plate: there the sign at its sharp edge is of no use.
                    let is_thin = matches!(s.name.as_str(), "skull_base.cortex" | "face.cortex");
                    if gap < worst.0 && !(is_thin && near.inside_mm > 3.0) {
                        worst = (gap, format!("{} at {:.0} mm and {}", b.name, p.arc_mm, s.name));
                    }
                }
            }
        }
        println!("{name}: least gap between a vessel and a bone {:.2} mm, {}", worst.0, worst.1);
        assert!(worst.0 > 0.0, "{name}: {}", worst.1);
    }
}
