//! Regions and routes: every lumen is sound, lesions lie where they are placed, people differ as the sources say, regions join.

use std::path::{Path, PathBuf};
use std::time::Instant;

use cathnav::anatomy::{
    self, Anatomy, AnatomyFile, At, Description, LesionDescription, MeshDistance, PatientChoice, Quantity,
    Setting, VesselTree, measured, open_tree, survey, vary,
};
use cathnav::scenario::Patient;
use cathnav::sim::flow::{FlowState, Network};

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

fn folder(name: &str) -> PathBuf {
    assets().join("anatomy").join(name)
}

/// Times are printed and decide nothing.
#[expect(clippy::disallowed_methods, reason = "tells how long a build took")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn is_full() -> bool {
    std::env::var_os("CATHNAV_FULL").is_some()
}

fn described(name: &str) -> Description {
    match anatomy::read_file(&folder(name)).unwrap() {
        AnatomyFile::Described(d) => *d,
        AnatomyFile::Imported(_) => panic!("{name} is imported"),
    }
}

/// Regions that vary; routes are made of them.
const REGIONS: [&str; 7] = ["abdomen", "arch", "arm", "iliac", "leg", "neck", "pelvis"];
/// Routes that are built on first use.
const ROUTES: [&str; 3] = ["cerebral", "lower_limb", "visceral"];

fn tell(name: &str, s: &anatomy::Survey, seconds: f64) {
    println!(
        "{name}: {:?}, {} crossings, {} places, worst {:.1} % ({}), {seconds:.1} s",
        s.topology, s.crossings, s.places, s.worst_diameter_pct, s.worst_place
    );
}

/// The vessels alone, without bones: what most checks need.
fn vessels(d: &Description) -> Anatomy {
    anatomy::build(&Description { body: None, ..d.clone() }).unwrap()
}

#[test]
fn every_shipped_lumen_is_sound() {
    for name in REGIONS.iter().chain(&ROUTES) {
        let start = now();
        let stored = folder(name);
        let a = if anatomy::is_stored(&stored) {
            anatomy::load(&stored).unwrap()
        } else {
            vessels(&described(name))
        };
        let seconds = start.elapsed().as_secs_f64();
        let s = survey(&a);
        tell(name, &s, seconds);
        assert_eq!(s.topology, s.wanted, "{name}: closed, manifold, nothing fused");
        assert!(s.volume_mm3 > 0.0 && s.crossings == 0, "{name}");
        assert!(s.places > 40 && s.worst_diameter_pct <= 5.0, "{name}: {}", s.worst_place);
    }
}

/// Seeds build and are as sound as what is shipped: three per region, 200 with `CATHNAV_FULL=1` (of one region alone with its name
/// in `CATHNAV_REGION`).
#[test]
fn drawn_patients_build_and_are_sound() {
    let seeds = if is_full() { 200 } else { 3 };
    let only = std::env::var("CATHNAV_REGION").ok();
    for name in REGIONS.into_iter().filter(|r| only.as_deref().is_none_or(|o| o == *r)) {
        let d = described(name);
        for seed in 0..seeds {
            let start = now();
            let patient = PatientChoice { seed: Some(seed), ..PatientChoice::default() };
            let (drawn, _) = vary(&d, &patient).unwrap_or_else(|e| panic!("{name}, seed {seed}: {e}"));
            let s = survey(&vessels(&drawn));
            tell(&format!("{name}, seed {seed}"), &s, start.elapsed().as_secs_f64());
            assert!(s.is_sound(), "{name}, seed {seed}: {s:?}");
        }
    }
}

/// Pelves whose lumens crossed themselves: at the mouth of a uterine artery, and where rounding laid slivers over each other.
#[test]
fn pelvis_seeds_10_and_168_do_not_cross() {
    let d = described("pelvis");
    for seed in [10, 168] {
        let patient = PatientChoice { seed: Some(seed), ..PatientChoice::default() };
        let s = survey(&vessels(&vary(&d, &patient).unwrap().0));
        println!("pelvis, seed {seed}: {} crossings", s.crossings);
        assert!(s.is_sound(), "seed {seed}: {s:?}");
    }
}

#[test]
fn drawn_patients_differ_as_the_sources_say() {
    for name in REGIONS {
        let d = described(name);
        let (plain, _) = anatomy::build_tree(&d).unwrap();
        let count = 200;
        let drawn: Vec<_> = (0..count)
            .map(|seed| {
                let patient = PatientChoice { seed: Some(seed), ..PatientChoice::default() };
                let (v, choices) = vary(&d, &patient).unwrap_or_else(|e| panic!("{name}, seed {seed}: {e}"));
                (anatomy::build_tree(&v).unwrap().0, choices)
            })
            .collect();
        for v in &d.variation.variants {
            for o in &v.options {
                let chosen = |c: &anatomy::Choices| c.options.iter().any(|x| x.0 == v.name && x.1 == o.name);
                let share = 100.0 * drawn.iter().filter(|d| chosen(&d.1)).count() as f64 / count as f64;
                println!("{name}, {} {}: {share:.1} %, source {:.1} %", v.name, o.name, o.share_pct);
                assert!((share - o.share_pct).abs() <= 5.0, "{name}, {} {}: {share} %", v.name, o.name);
            }
        }
        for p in &d.variation.parameters {
            let x: Vec<f64> = drawn.iter().filter_map(|(t, _)| measured(p, t, &plain)).collect();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let (low, high) = x.iter().fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(*x), h.max(*x)));
            println!(
                "{name}, {}: {mean:.2} ({low:.2} to {high:.2}), source {:.2} +- {:.2}",
                p.name, p.mean, p.sd
            );
            assert!(x.len() > 150 && (mean - p.mean).abs() <= p.sd, "{name}, {}: {mean}", p.name);
            assert!(high - low > p.sd, "{name}, {} hardly differs", p.name);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_a_case_may_fix_bound_and_choose() {
    let d = described("abdomen");
    let seeded = PatientChoice { seed: Some(7), ..PatientChoice::default() };
    let (a, first) = vary(&d, &seeded).unwrap();
    let (b, second) = vary(&d, &seeded).unwrap();
    assert_eq!((&a, &first), (&b, &second));
    let bytes = |d: &Description| AnatomyFile::Described(Box::new(d.clone())).hash();
    assert_eq!(bytes(&a), bytes(&b));
    let (x, y) = (vessels(&a), vessels(&b));
    assert_eq!(x.lumen, y.lumen, "same seed, same surface, bit by bit");
    let (c, _) = vary(&d, &PatientChoice { seed: Some(8), ..PatientChoice::default() }).unwrap();
    assert_ne!(bytes(&a), bytes(&c));
    // What is fixed does not shift the draws of the rest.
    let set = vec![
        Setting::Fix { name: "celiac.diameter".to_owned(), value: 6.4 },
        Setting::Bound { name: "renal.left.diameter".to_owned(), low: 6.8, high: 7.2 },
        Setting::Choose { name: "hepatic".to_owned(), option: "III".to_owned() },
    ];
    let (e, third) =
        vary(&d, &PatientChoice { seed: Some(7), set: set.clone(), ..PatientChoice::default() }).unwrap();
    let value = |c: &anatomy::Choices, name: &str| c.values.iter().find(|v| v.0 == name).unwrap().1;
    assert_eq!(value(&third, "celiac.diameter"), Some(6.4));
    assert!((6.8..=7.2).contains(&value(&third, "renal.left.diameter").unwrap()));
    assert_eq!(value(&third, "splenic.diameter"), value(&first, "splenic.diameter"));
    let right = e.branches.iter().find(|b| b.name == "hepatic.right").unwrap();
    assert_eq!(right.origin.as_ref().unwrap().vessel, "superior_mesenteric");
    // Without a seed nothing but what is set differs.
    let (f, fourth) = vary(&d, &PatientChoice { seed: None, set, ..PatientChoice::default() }).unwrap();
    assert_eq!(value(&fourth, "splenic.diameter"), None);
    let celiac = f.branches.iter().find(|b| b.name == "celiac").unwrap();
    assert!((celiac.diameter_mm.0 - 6.4).abs() < 1e-9);
    let free = PatientChoice {
        set: vec![Setting::Free { name: "splenic.diameter".to_owned() }],
        ..PatientChoice::default()
    };
    assert!(value(&vary(&d, &free).unwrap().1, "splenic.diameter").is_some());
    let wrong = |s: Setting| {
        vary(&d, &PatientChoice { set: vec![s], ..PatientChoice::default() }).unwrap_err().to_string()
    };
    let name = || "celiac.diameter".to_owned();
    assert!(wrong(Setting::Fix { name: name(), value: 60.0 }).contains("5.8 to 9.8"));
    assert!(wrong(Setting::Bound { name: name(), low: 9.0, high: 12.0 }).contains("5.8 to 9.8"));
    assert!(wrong(Setting::Free { name: "coeliac".to_owned() }).contains("celiac.diameter"));
    assert!(wrong(Setting::Choose { name: "hepatic".to_owned(), option: "XII".to_owned() }).contains("III"));
}

/// Angles and tortuosity are those that were set, and the far end stays where its organ is.
#[test]
fn a_set_angle_is_the_angle_of_the_tree() {
    let d = described("abdomen");
    let (plain, _) = anatomy::build_tree(&d).unwrap();
    for (name, values) in [
        ("superior_mesenteric.take_off", [35.0, 50.0, 62.0]),
        ("renal.left.take_off", [60.0, 75.0, 95.0]),
        ("splenic.tortuosity", [1.15, 1.3, 1.5]),
    ] {
        let p = d.variation.parameters.iter().find(|p| p.name == name).unwrap();
        let (Quantity::TakeOff(branch) | Quantity::Length(branch)) = &p.of else {
            assert!(matches!(p.of, Quantity::Tortuosity(_)));
            continue;
        };
        let end = |t: &VesselTree| t.branch(t.find(branch).unwrap()).points.last().unwrap().position_mm;
        for value in values {
            let set = vec![Setting::Fix { name: name.to_owned(), value }];
            let (v, _) = vary(&d, &PatientChoice { seed: None, set, ..PatientChoice::default() })
                .unwrap_or_else(|e| panic!("{name} {value}: {e}"));
            let (tree, _) = anatomy::build_tree(&v).unwrap();
            let found = measured(p, &tree, &plain).unwrap();
            println!("{name} {value}: {found:.2}, end moved {:.2} mm", (end(&tree) - end(&plain)).norm());
            assert!((found - value).abs() < 3.0 && (end(&tree) - end(&plain)).norm() < 0.5);
        }
    }
}

const TUBE: &str = r#"#![enable(implicit_some)]
(format: 1, name: "tube", title: "A straight artery", branches: [
    (name: "artery", ta: "", label: "", course: Points([(0, 0, 120), (0, 0, 0)]), diameter_mm: (6, 6),
     outlet: (bed: "bed.a", flow_ml_per_min: 100, transit_s: 5, blush_center_mm: (0, 0, -40), blush_radius_mm: 10)),
], lesions: [LESION], body: (grid_mm: 2.4, edge_mm: 4, parts: [ArmRight]))"#;

fn with(lesion: &str) -> Description {
    ron::from_str(&TUBE.replace("LESION", lesion)).unwrap()
}

/// Diameter of the lumen at a height, from the surface: twice the mean distance of its vertices from their middle.
fn width_mm(a: &Anatomy, z: f64, reach: f64) -> (f64, f64) {
    let near: Vec<_> = a.lumen.mesh.vertices_mm.iter().filter(|p| (p.z - z).abs() < reach).collect();
    let n = near.len() as f64;
    let y = near.iter().map(|p| p.y).sum::<f64>() / n;
    let r = near.iter().map(|p| p.x.hypot(p.y - y)).sum::<f64>() / n;
    (2.0 * r, y)
}

#[test]
fn lesions_shape_the_lumen_where_they_are_placed() {
    let cases = [
        (
            "Stenosis(vessel: \"artery\", at: Mm(50), length_mm: 20, diameter_reduction_pct: 70)",
            70.0,
            1.8,
            0.0,
        ),
        (
            "Stenosis(vessel: \"artery\", at: Mm(50), length_mm: 20, diameter_reduction_pct: 60, eccentricity: 1, \
             around_deg: 180, calcium: 0.5)",
            70.0,
            2.4,
            -1.8,
        ),
        ("Occlusion(vessel: \"artery\", at: BeforeEnd(70), length_mm: 40, channel_mm: 0.6)", 70.0, 0.6, 0.0),
        (
            "Thrombus(vessel: \"artery\", at: Mm(50), length_mm: 30, diameter_reduction_pct: 50)",
            70.0,
            3.0,
            -1.5,
        ),
        ("FusiformAneurysm(vessel: \"artery\", at: Mm(50), length_mm: 50, diameter_mm: 16)", 70.0, 16.0, 0.0),
    ];
    for (lesion, z, diameter, shift) in cases {
        let d = with(lesion);
        let a = anatomy::build(&Description { body: None, ..d.clone() }).unwrap();
        let s = survey(&a);
        let (found, y) = width_mm(&a, z, 0.6);
        let healthy = width_mm(&a, 15.0, 1.0).0;
        println!("{}: throat {found:.2} mm, {y:.2} mm off the axis, healthy {healthy:.2}", &lesion[..20]);
        tell("tube", &s, 0.0);
        assert!(s.is_sound(), "{lesion}: {s:?}");
        assert!((found - diameter).abs() < 0.06 * diameter && (y - shift).abs() < 0.15, "{lesion}");
        assert!((healthy - 6.0).abs() < 0.15);
        assert_eq!(a.lesions.len(), 1);
    }
    let calcified = anatomy::build(&with(cases[1].0)).unwrap();
    let flecks: Vec<_> = calcified.body.iter().filter(|s| s.name.starts_with("calcium")).collect();
    println!("{} flecks of calcium", flecks.len());
    assert!(flecks.len() == 3 && flecks.iter().all(|s| anatomy::topology(&s.mesh).open_edges == 0));
}

/// A case's stenosis narrows the mesh that devices touch and the picture shows, and loses the pressure that the same stenosis
/// loses in a network laid on the healthy tree.
#[test]
fn a_stenosis_of_a_case_shapes_lumen_and_flow_alike() {
    let root = cathnav::assets::root().unwrap();
    let d = match anatomy::read_file(&root.join("assets/anatomy/iliac")).unwrap() {
        AnatomyFile::Described(d) => Description { body: None, ..*d },
        AnatomyFile::Imported(_) => panic!("the iliac region is described"),
    };
    let lesion = LesionDescription::Stenosis {
        vessel: "external_iliac.left".to_owned(),
        at: At::Mm(50.0),
        length_mm: 24.0,
        diameter_reduction_pct: 70.0,
        eccentricity: 0.0,
        around_deg: 0.0,
        calcium: 0.0,
        debris: 0.01,
    };
    let choice = PatientChoice { lesions: vec![lesion.clone()], ..PatientChoice::default() };
    let (plain, narrowed) =
        (anatomy::build(&d).unwrap(), anatomy::build(&vary(&d, &choice).unwrap().0).unwrap());
    let s = survey(&narrowed);
    tell("iliac with stenosis", &s, 0.0);
    assert!(s.is_sound());
    let place = lesion.on(&narrowed.tree).unwrap();
    let (at, healthy) = (
        narrowed.tree.branch(place.vessel).at(place.arc_mm),
        plain.tree.branch(place.vessel).at(place.arc_mm).radius_mm,
    );
    let room = MeshDistance::new(&narrowed.lumen.mesh).nearest(&at.position_mm).unwrap().inside_mm;
    println!("radius {healthy:.2} mm, at the throat {:.2}, room in the mesh {room:.2}", at.radius_mm);
    assert!((at.radius_mm / healthy - 0.3).abs() < 0.01 && (room / at.radius_mm - 1.0).abs() < 0.05);
    let open = open_tree(&narrowed.tree, &narrowed.lesions);
    let worst = open
        .branch(place.vessel)
        .points
        .iter()
        .map(|p| (p.radius_mm / plain.tree.branch(place.vessel).at(p.arc_mm).radius_mm - 1.0).abs());
    let worst = worst.fold(0.0, f64::max);
    let lost = |tree: &VesselTree| {
        let net =
            Network::compile(tree, &plain.circulation, &Patient::default(), std::slice::from_ref(&lesion));
        let state = FlowState::new(&net);
        let [before, behind] = net.around_stenosis(0).unwrap();
        state.mean_gradient_mmhg(&net, before, behind)
    };
    let (of_case, of_flow) = (lost(&open), lost(&plain.tree));
    println!(
        "opened again: radii within {:.2} %; loss {of_case:.3} mmHg, on the healthy tree {of_flow:.3}",
        100.0 * worst
    );
    assert!(worst < 0.01 && of_flow > 1.0 && (of_case / of_flow - 1.0).abs() < 0.01);
}

#[test]
fn sacs_feeders_and_short_circuits_are_added() {
    let d = with(
        "SaccularAneurysm(name: \"dome\", vessel: \"artery\", at: Mm(50), around_deg: 90, neck_mm: 3, width_mm: 7, height_mm: 6),
         TumorBed(name: \"hcc\", vessel: \"artery\", at: Mm(80), feeder_mm: 1.8, center_mm: (0, -40, 20), radius_mm: 17, \
         flow_ml_per_min: 40, transit_s: 4),
         Malformation(name: \"nidus\", feeders: [(\"artery\", Mm(100), 2), (\"artery\", Mm(105), 1)], pedicle_mm: 1.5, \
         center_mm: (10, 0, 10), radius_mm: 12, flow_ml_per_min: 240, transit_s: 0.8),
         Fistula(name: \"hole\", vessel: \"artery\", at: Mm(30), hole_mm: 2, flow_ml_per_min: 300),
         Bleeding(name: \"bleed\", vessel: \"artery\", at: Mm(20), flow_ml_per_min: 20)",
    );
    let a = anatomy::build(&Description { body: None, ..d.clone() }).unwrap();
    let s = survey(&a);
    tell("sac", &s, 0.0);
    assert_eq!(s.topology, s.wanted);
    assert!(s.crossings == 0);
    let dome = a.lumen.mesh.vertices_mm.iter().map(|p| p.x).fold(f64::MIN, f64::max);
    println!("the dome reaches {:.2} mm over the wall", dome - 3.0);
    assert!((dome - 3.0 - 6.0).abs() < 0.25);
    let (low, high) = a
        .lumen
        .mesh
        .vertices_mm
        .iter()
        .filter(|p| p.x > 4.5)
        .fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.z), h.max(p.z)));
    println!("and is {:.2} mm wide", high - low);
    assert!((high - low - 7.0).abs() < 0.4);
    let feeder = a.tree.branch(a.tree.find("feeder.hcc").unwrap());
    assert_eq!(feeder.outlet.as_ref().unwrap().bed, "bed.hcc");
    assert!((feeder.points.last().unwrap().position_mm.y + 40.0).abs() < 17.0);
    let flows: Vec<f64> = a.circulation.shunts.iter().map(|s| s.flow_ml_per_min).collect();
    println!("short circuits {flows:?} mL/min");
    assert_eq!(flows, [160.0, 80.0, 300.0]);
    assert_eq!(a.lesions.len(), 5);
    let wrong = |lesion: &str| anatomy::build(&with(lesion)).unwrap_err().to_string();
    let says = wrong("Stenosis(vessel: \"artery\", at: Mm(50), length_mm: 20, diameter_reduction_pct: 170)");
    assert!(says.contains("1 to 97"), "{says}");
    assert!(wrong("Occlusion(vessel: \"vein\", at: End, length_mm: 20)").contains("artery"));
}

#[test]
fn routes_join_regions_into_one_tree() {
    for (name, roots, wanted) in [
        ("visceral", 1, ["hepatic.segment_8", "vasa_recta_3", "renal.left.lower"]),
        ("cerebral", 1, ["middle_cerebral.left.m1", "anterior_communicating", "radial.right"]),
        ("lower_limb", 1, ["tibial.posterior.left", "fibular.left", "external_iliac.right"]),
    ] {
        let (tree, sites) = anatomy::load_tree(&folder(name)).unwrap();
        let found = tree.branches.iter().filter(|b| b.origin.is_none()).count();
        println!(
            "{name}: {} branches, sites {:?}",
            tree.branches.len(),
            sites.iter().map(|s| &s.name).collect::<Vec<_>>()
        );
        assert_eq!(found, roots, "{name}");
        for w in wanted {
            assert!(tree.find(w).is_some(), "{name}: no {w}");
        }
        for (i, b) in tree.branches.iter().enumerate() {
            assert!(b.origin.is_none_or(|o| o.vessel.idx() < i), "parents first");
        }
        assert!(sites.iter().any(|s| s.name == "femoral.right"), "{name}: no way in from the right groin");
    }
    let (_, sites) = anatomy::load_tree(&folder("cerebral")).unwrap();
    assert!(sites.iter().any(|s| s.name == "radial.right"));
    let (_, sites) = anatomy::load_tree(&folder("lower_limb")).unwrap();
    let antegrade = sites.iter().find(|s| s.name == "femoral.left.antegrade").unwrap();
    assert!(antegrade.direction.z < -0.8);
}

#[test]
fn ends_that_do_not_meet_and_twice_named_branches_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        std::fs::create_dir_all(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("anatomy.ron"), text).unwrap();
    };
    let region = |name: &str, vessel: &str, from: f64, end: &str, side: &str, wide: f64| {
        format!(
            "(format: 1, name: \"{name}\", title: \"\", branches: [(name: \"{vessel}\", ta: \"\", label: \"\", course: \
             Points([(0, 0, {from}), (0, 0, {})]), diameter_mm: ({wide}, {wide}))], ends: [(name: \"{end}\", vessel: \
             \"{vessel}\", side: {side})])",
            from - 50.0
        )
    };
    let join = "Route(format: 1, name: \"r\", title: \"\", parts: [\"a\", \"b\"])";
    put("r", join);
    put("a", &region("a", "upper", 100.0, "m", "End", 6.0));
    put("b", &region("b", "lower", 50.0, "m", "Begin", 6.0));
    let a = anatomy::build_folder(&dir.path().join("r")).unwrap();
    assert_eq!(a.tree.branches[1].origin.unwrap().vessel.idx(), 0);
    assert!(survey(&a).is_sound());
    assert_eq!(a, anatomy::load(&dir.path().join("r")).unwrap());
    let refused = |text: String, says: &str| {
        put("b", &text);
        let e = anatomy::load_tree(&dir.path().join("r")).unwrap_err().to_string();
        println!("{e}");
        assert!(e.contains(says), "{e}");
    };
    refused(region("b", "lower", 60.0, "m", "Begin", 6.0), "within 1 mm");
    refused(region("b", "lower", 50.0, "m", "Begin", 9.0), "within 20 %");
    refused(region("b", "upper", 50.0, "m", "Begin", 6.0), "twice");
    put("r", "Route(format: 1, name: \"r\", title: \"\", parts: [\"c\"])");
    assert!(anatomy::load_tree(&dir.path().join("r")).unwrap_err().to_string().contains("anatomy.ron"));
}

/// A patient is built once and then comes from the cache, in the same bits.
#[test]
fn what_is_built_on_first_use_is_kept() {
    let cache = tempfile::tempdir().unwrap();
    let patient = PatientChoice { seed: Some(3), ..PatientChoice::default() };
    let dir = folder("arm");
    let first = anatomy::load_patient(&dir, &patient, cache.path()).unwrap();
    let kept: Vec<_> = std::fs::read_dir(cache.path().join("anatomy")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    let start = now();
    let second = anatomy::load_patient(&dir, &patient, cache.path()).unwrap();
    println!("loaded in {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(first, second);
    // A damaged entry is made anew.
    let entry = kept[0].as_ref().unwrap().path();
    std::fs::write(entry.join("lumen.ply"), b"ply").unwrap();
    assert_eq!(anatomy::load_patient(&dir, &patient, cache.path()).unwrap(), first);
    assert_eq!(anatomy::load(&entry).unwrap(), first, "an entry is an anatomy folder of its own");
    // A cache that cannot be written costs time only.
    assert_eq!(anatomy::load_patient(&dir, &patient, Path::new("/proc/none")).unwrap(), first);
}
