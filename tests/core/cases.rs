//! Devices and case files: loading, checking, exact messages, robustness.

use std::path::Path;

use cathnav::device::{Mismatch, load_catalog, passes};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn catalog_loads_and_zones_add_up() {
    let catalog = load_catalog(&root().join("assets")).unwrap();
    assert!(catalog.devices.len() >= 9 && catalog.embolics.len() == 4);
    for device in &catalog.devices {
        let sum: f64 = device.zones.iter().map(|z| z.length_mm).sum();
        println!(
            "{}: {} zones, sum - length = {:.2e} mm",
            device.id,
            device.zones.len(),
            sum - device.length_mm
        );
        assert!((sum - device.length_mm).abs() < 1e-6, "{}", device.id);
        assert!(device.zones.len() >= 5 || !device.id.starts_with("wire"), "{}", device.id);
    }
    for embolic in &catalog.embolics {
        let share: f64 = embolic.size_classes.iter().map(|c| c.share).sum();
        assert!((share - 1.0).abs() < 1e-9, "{}", embolic.id);
    }
}

#[test]
fn shape_turns_by_its_angles() {
    let catalog = load_catalog(&root().join("assets")).unwrap();
    let turn = |id: &str| -> f64 {
        let zones = &catalog.device(id).unwrap().zones;
        zones.iter().map(|z| z.rest_curvature_per_mm * z.length_mm).sum::<f64>().to_degrees()
    };
    for (id, deg) in [
        ("catheter.cobra_c2.5f", 85.0 - 110.0),
        ("catheter.pigtail.5f", 360.0),
        ("catheter.roberts_uterine.5f", 70.0 - 180.0),
        ("wire.hydrophilic_angled.035", 50.0),
        ("wire.bentson.035", 0.0),
    ] {
        println!("{id}: {} deg", turn(id));
        assert!((turn(id) - deg).abs() < 1e-6, "{id}");
    }
}

#[test]
fn the_tray_nests() {
    let catalog = load_catalog(&root().join("assets")).unwrap();
    let device = |id: &str| catalog.device(id).unwrap();
    for (inner, outer) in [
        ("wire.hydrophilic_angled.035", "catheter.cobra_c2.5f"),
        ("wire.bentson.035", "catheter.pigtail.5f"),
        ("wire.micro.018", "microcatheter.2_4f"),
        ("microcatheter.2_4f", "catheter.cobra_c2.5f"),
        ("microcatheter.2_4f", "catheter.roberts_uterine.5f"),
        ("catheter.cobra_c2.5f", "sheath.5f.110"),
    ] {
        assert_eq!(passes(device(inner), device(outer)), Ok(()));
        assert!(device(inner).length_mm > device(outer).length_mm, "{inner} is not longer than {outer}");
    }
    let refused = passes(device("wire.hydrophilic_angled.035"), device("microcatheter.2_4f")).unwrap_err();
    assert!(matches!(refused, Mismatch::TooWide { .. }));
    assert!(refused.to_string().contains("0.89 mm") && refused.to_string().contains("0.53 mm"), "{refused}");
    assert!(passes(device("microcatheter.2_4f"), device("wire.micro.018")).is_err());
}
