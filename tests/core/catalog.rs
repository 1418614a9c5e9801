//! The whole catalogue: every device against the table of measured and estimated figures, what passes what, shapes.

use std::ops::RangeInclusive;
use std::path::Path;

use cathnav::device::{Catalog, Device, DeviceKind, load_catalog, pair_shape_mm, passes, rest_shape_mm};
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::WallLaw;
use cathnav::sim::contact::analytic::FreeSpace;
use cathnav::sim::rod::{self, Loads, Meshing, RodBase, RodInputs, RodScratch, statics};

fn catalog() -> Catalog {
    load_catalog(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")).unwrap()
}

fn shaft_ei(device: &Device) -> f64 {
    device.zones.last().unwrap().bend_stiffness_n_mm2
}

fn tip_ei(device: &Device) -> f64 {
    device.zones[0].bend_stiffness_n_mm2
}

#[test]
fn every_device_has_a_source_with_marks_and_an_id_of_its_kind() {
    let catalog = catalog();
    let mut counts = std::collections::BTreeMap::new();
    for device in &catalog.devices {
        let group = device.id.split('.').next().unwrap();
        *counts.entry(group).or_insert(0) += 1;
        let kind = match group {
            "wire" => DeviceKind::Wire,
            "catheter" | "guide" => DeviceKind::Catheter,
            "microcatheter" => DeviceKind::Microcatheter,
            "sheath" => DeviceKind::Sheath,
            "coil" => DeviceKind::Coil,
            "plug" => DeviceKind::Plug,
            "snare" => DeviceKind::Snare,
            "balloon" => DeviceKind::Balloon,
            "stent" => DeviceKind::Stent,
            other => panic!("{}: no group is called {other}", device.id),
        };
        assert_eq!(device.kind, kind, "{}", device.id);
        let has_mark = ["[S]", "[M]", "[K]", "[D]"].iter().any(|m| device.source.contains(m));
        assert!(has_mark, "{}: {}", device.id, device.source);
        let is_straight_sheath = kind == DeviceKind::Sheath;
        assert!(
            is_straight_sheath
                || matches!(kind, DeviceKind::Coil | DeviceKind::Plug)
                || device.zones.len() >= 5,
            "{}: {} zones",
            device.id,
            device.zones.len()
        );
        for z in &device.zones {
            let ratio = z.torsion_stiffness_n_mm2 / z.bend_stiffness_n_mm2;
            assert!((0.29..=1.61).contains(&ratio), "{}: GJ/EI {ratio}", device.id);
            assert!(z.length_mm > 0.0 && z.bend_stiffness_n_mm2 > 0.0, "{}", device.id);
        }
        let soft_first = tip_ei(device) <= shaft_ei(device);
        assert!(soft_first, "{}: the tip is stiffer than the shaft", device.id);
    }
    println!("{counts:?}");
    assert!(counts["wire"] >= 30 && counts["catheter"] >= 35 && counts["guide"] >= 12);
    assert!(counts["microcatheter"] >= 7 && counts["sheath"] >= 15);
}

/// EI of the shaft by id, N mm2; a name stands for all ids that begin with it.
const SHAFTS: [(&str, RangeInclusive<f64>); 26] = [
    ("wire.bentson.035", 150.0..=250.0),
    ("wire.rosen.035", 350.0..=445.0),
    ("wire.hydrophilic_angled.035", 380.0..=530.0),
    ("wire.hydrophilic_straight.035", 380.0..=530.0),
    ("wire.hydrophilic_stiff", 900.0..=1300.0),
    ("wire.amplatz.035", 289.0..=293.0),
    ("wire.amplatz_stiff.035", 519.0..=523.0),
    ("wire.amplatz_extra_stiff.035", 893.0..=897.0),
    ("wire.amplatz_super_stiff.035", 1845.0..=1855.0),
    ("wire.amplatz_super_stiff_short", 1845.0..=1855.0),
    ("wire.amplatz_ultra_stiff.035", 2000.0..=2010.0),
    ("wire.backup_meier.035", 4275.0..=4285.0),
    ("wire.lunderquist.035", 4855.0..=4865.0),
    ("wire.control.018", 245.0..=255.0),
    ("wire.micro.018", 74.0..=76.0),
    ("wire.coronary", 80.0..=131.0),
    ("wire.neuro", 90.0..=120.0),
    ("guide.judkins_right_4.6f", 390.0..=980.0),
    ("guide.extra_backup_3_5.7f", 640.0..=1600.0),
    ("guide.mpa.8f", 1000.0..=2500.0),
    ("guide.straight.8f", 1000.0..=2500.0),
    ("microcatheter.2_4f", 25.0..=50.0),
    ("microcatheter.2_8f", 40.0..=85.0),
    ("microcatheter.1_", 10.0..=30.0),
    ("catheter.cobra_c2.4f", 80.0..=200.0),
    ("catheter.cobra_c2.5f", 170.0..=500.0),
];

#[test]
fn bending_stiffness_is_within_its_table() {
    let catalog = catalog();
    for (name, range) in &SHAFTS {
        let found: Vec<&Device> = catalog.devices.iter().filter(|d| d.id.starts_with(name)).collect();
        assert!(!found.is_empty(), "{name}");
        for d in found {
            println!("{:<48} tip {:8.3}, shaft {:8.1} N mm2", d.id, tip_ei(d), shaft_ei(d));
            assert!(range.contains(&shaft_ei(d)), "{}: {}", d.id, shaft_ei(d));
        }
    }
    for d in catalog.devices.iter().filter(|d| d.id.starts_with("catheter.")) {
        let (shaft, tip) =
            if d.id.contains(".4f") { (80.0..=200.0, 20.0..=40.0) } else { (170.0..=500.0, 40.0..=80.0) };
        assert!(shaft.contains(&shaft_ei(d)) && tip.contains(&tip_ei(d)), "{}", d.id);
    }
    for d in catalog.devices.iter().filter(|d| d.id.starts_with("guide.")) {
        let share = tip_ei(d) / shaft_ei(d);
        assert!((0.25..=0.35).contains(&share), "{}: the tip has {share} of the shaft", d.id);
    }
    // No wire is stiffer than solid steel of its diameter, E 200 GPa.
    for d in catalog.devices.iter().filter(|d| d.kind == DeviceKind::Wire) {
        let solid = 200e3 * std::f64::consts::PI / 64.0 * d.max_outer_diameter_mm.powi(4);
        assert!(shaft_ei(d) <= 1.001 * solid, "{}: {} over {solid:.0}", d.id, shaft_ei(d));
    }
}

#[test]
fn sizes_are_those_of_their_table() {
    let catalog = catalog();
    let outer = |d: &Device| d.max_outer_diameter_mm;
    // Outer and inner diameter, mm.
    let sizes = [
        ("catheter.", ".4f", 1.40, 1.02),
        ("catheter.", ".5f", 1.67, 0.965),
        ("guide.", ".6f", 2.06, 1.78),
        ("guide.", ".7f", 2.36, 2.06),
        ("guide.", ".8f", 2.70, 2.29),
        ("microcatheter.", "2_8f", 0.95, 0.69),
        ("microcatheter.2_4f", "", 0.90, 0.53),
    ];
    for (begin, part, od, id) in sizes {
        let mut count = 0;
        for d in catalog.devices.iter().filter(|d| d.id.starts_with(begin) && d.id.contains(part)) {
            let bore = d.inner_diameter_mm.unwrap();
            assert!((outer(d) - od).abs() < 0.02 * od && (bore - id).abs() < 0.02 * id, "{}", d.id);
            count += 1;
        }
        assert!(count > 0, "{begin}{part}");
    }
    for d in catalog.devices.iter().filter(|d| d.kind == DeviceKind::Sheath) {
        let french: f64 = d.id.split('.').nth(1).unwrap().trim_end_matches('f').parse().unwrap();
        assert!((outer(d) * 3.0 - french - 2.0).abs() < 0.1, "{}: 2F above nominal", d.id);
        let spare = d.inner_diameter_mm.unwrap() - french / 3.0;
        assert!((0.1..=0.3).contains(&spare), "{}: {spare:.2} mm to spare", d.id);
    }
    for d in catalog.devices.iter().filter(|d| d.kind == DeviceKind::Wire) {
        let inches = ["014", "018", "035", "038"].iter().find(|s| d.id.contains(&format!(".{}", **s)));
        let inches: f64 = format!("0.{}", inches.unwrap()).parse().unwrap();
        assert!((outer(d) - 25.4 * inches).abs() < 1e-6, "{}", d.id);
    }
}

#[test]
fn wires_pass_what_they_should() {
    let catalog = catalog();
    let all = |begin: &str, part: &str| -> Vec<&Device> {
        // The sheath of a filter is no microcatheter to go through a diagnostic catheter.
        let is_meant = |d: &&Device| begin != "microcatheter." || d.id != "microcatheter.filter_sheath";
        let found = catalog.devices.iter().filter(|d| d.id.starts_with(begin) && d.id.contains(part));
        found.filter(is_meant).collect()
    };
    let pairs = [
        (("wire.filter", ""), ("microcatheter.filter_sheath", ""), true),
        (("microcatheter.filter_sheath", ""), ("guide.", ".6f"), true),
        (("microcatheter.filter_sheath", ""), ("catheter.", ".5f"), false),
        // Wires, outer devices, whether they pass.
        (("wire.", ".035"), ("catheter.", ".5f"), true),
        (("wire.", ".035"), ("catheter.", ".4f"), true),
        (("wire.", ".038"), ("catheter.", ".4f"), true),
        (("wire.", ".038"), ("catheter.", ".5f"), false),
        (("wire.", ".035"), ("guide.", "f"), true),
        (("wire.", ".018"), ("microcatheter.2_8f", ""), true),
        (("wire.", ".018"), ("microcatheter.2_4f", ""), true),
        (("wire.", ".018"), ("microcatheter.1_", ""), false),
        (("wire.", ".014"), ("microcatheter.", ""), true),
        (("wire.", ".035"), ("microcatheter.", ""), false),
        (("wire.", ".018"), ("catheter.", ""), true),
        (("microcatheter.", ""), ("catheter.", ".5f"), true),
        (("microcatheter.2_8f", ""), ("catheter.", ".4f"), true),
        (("catheter.", ".5f"), ("guide.", ".6f"), true),
        (("catheter.", ".4f"), ("guide.", ".5f"), true),
        (("catheter.", ".5f"), ("sheath.5f", ""), true),
        (("catheter.", ".5f"), ("sheath.4f", ""), false),
        (("guide.", ".6f"), ("sheath.6f", ""), true),
        (("guide.", ".8f"), ("sheath.8f", ""), true),
        (("guide.", ".7f"), ("sheath.6f", ""), false),
        (("catheter.", ""), ("wire.", ""), false),
    ];
    for ((a, b), (c, d), wanted) in pairs {
        let (inner, outer) = (all(a, b), all(c, d));
        assert!(!inner.is_empty() && !outer.is_empty(), "{a}{b} in {c}{d}");
        for i in &inner {
            for o in &outer {
                assert_eq!(passes(i, o).is_ok(), wanted, "{} in {}", i.id, o.id);
            }
        }
    }
}

/// Width of the shaped end across the shaft, mm.
fn width_mm(device: &Device) -> f64 {
    let points = rest_shape_mm(device, 300.0_f64.min(device.length_mm), 0.1);
    let [a, b] = [points[points.len() - 2], points[points.len() - 1]];
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let across = points.iter().map(|p| (p[0] * dy - p[1] * dx) / dx.hypot(dy));
    let (low, high) = across.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    high - low
}

#[test]
fn shapes_have_their_widths() {
    let catalog = catalog();
    // Across the shaft, mm: openings of the Cobras grow, a Simmons is two knee radii wide and a tip, a J is two radii.
    let wanted = [
        ("catheter.cobra_c1.5f", 40.0..=55.0),
        ("catheter.cobra_c2.5f", 50.0..=68.0),
        ("catheter.cobra_c3.5f", 60.0..=80.0),
        ("catheter.simmons_1.5f", 20.0..=35.0),
        ("catheter.simmons_2.5f", 28.0..=45.0),
        ("catheter.simmons_3.5f", 36.0..=55.0),
        ("catheter.rim.5f", 25.0..=35.0),
        ("catheter.pigtail.5f", 13.5..=16.5),
        ("catheter.judkins_left_4.5f", 65.0..=85.0),
        ("wire.j_3mm.035", 5.9..=6.1),
        ("wire.j_15mm.035", 29.8..=30.2),
        ("wire.rosen.035", 2.9..=3.1),
    ];
    for (id, range) in wanted {
        let width = width_mm(catalog.device(id).unwrap_or_else(|| panic!("{id}")));
        println!("{id}: {width:.1} mm across the shaft");
        assert!(range.contains(&width), "{id}: {width:.1} mm across the shaft");
    }
}

/// The closed form of the picture is the equilibrium that the rods find.
#[test]
fn a_catheter_with_a_wire_has_the_shape_that_the_rods_find() {
    let catalog = catalog();
    let device = |id: &str| catalog.device(id).unwrap().clone();
    let tools = vec![device("catheter.cobra_c2.5f"), device("wire.hydrophilic_angled.035")];
    let (catheter_mm, ahead_mm) = (160.0, 40.0);
    let base = RodBase {
        position_mm: Vec3::zeros(),
        direction: Vec3::z(),
        sheath_length_mm: 0.0,
        sheath_inner_diameter_mm: 5.0,
    };
    let wall = FreeSpace;
    let inputs = RodInputs {
        tools: &tools,
        controls: &[],
        wall: &wall,
        law: WallLaw::default(),
        others: &[],
        meshing: Meshing::default(),
    };
    let mut distances = Vec::new();
    for edges in [200, 400] {
        let mut state = rod::new(base);
        let list = [(ToolId(0), catheter_mm), (ToolId(1), catheter_mm + ahead_mm)];
        statics::lay_straight(&mut state, &tools, &list, edges);
        let report = statics::relax(&inputs, &mut state, &mut RodScratch::default(), &Loads::default(), 1e-7);
        assert_eq!(report.diverged, None);
        // Node 0 lies before the base, inside the clamp.
        let found = (state.nodes_mm.last().unwrap() - state.nodes_mm[1]).norm();
        let shape = pair_shape_mm(&tools[0], &tools[1], ahead_mm, catheter_mm + ahead_mm, 0.1);
        let end = shape.last().unwrap();
        let wanted = end[0].hypot(end[1]);
        println!("{edges} edges: tip {found:.3} mm from the base, closed form {wanted:.3}");
        distances.push((found - wanted).abs());
    }
    assert!(distances[1] < 0.02 && distances[1] < distances[0], "{distances:?}");
}
