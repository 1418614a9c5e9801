//! Devices and case files: loading, checking, exact messages, robustness.

use std::path::Path;

use cathnav::device::{Mismatch, catalog_from_files, load_catalog, passes};
use cathnav::files::CheckReport;
use cathnav::scenario::{Library, case_files, check_text, load_case};
use cathnav::training::METRIC_NAMES;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn catalog_loads_and_zones_add_up() {
    let catalog = load_catalog(&root().join("assets")).unwrap();
    assert!(catalog.devices.len() >= 9 && catalog.embolics.len() == 6);
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

fn library() -> Library {
    let mut library = Library::load(root()).unwrap();
    library.metrics = METRIC_NAMES.iter().map(|n| (*n).to_owned()).collect();
    library.errors = cathnav::training::errors::ERRORS.iter().map(|e| e.name.to_owned()).collect();
    library
}

/// Messages of a text's faults, without the file's name.
fn messages(text: &str, library: &Library) -> Vec<String> {
    match check_text("case", text, library) {
        Ok(_) => Vec::new(),
        Err(report) => {
            report.faults.iter().map(|f| f.to_string().trim_start_matches("case:").to_owned()).collect()
        }
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/data").join(name)).unwrap()
}

#[test]
fn every_shipped_case_is_in_order() {
    let library = library();
    let mut count = 0;
    let mut ids = Vec::new();
    for path in case_files(root()).unwrap() {
        let case = load_case(&path, &library).unwrap_or_else(|e| panic!("{e}"));
        // Results are filed under the id, scripts name the file: the two must not drift apart.
        assert_eq!(Some(case.id.as_str()), path.file_stem().and_then(|s| s.to_str()));
        assert!(!ids.contains(&case.id), "{} twice", case.id);
        ids.push(case.id);
        count += 1;
    }
    assert!(count >= 5, "{ids:?}");
    assert_eq!(messages(&read("right_case.ron"), &library), Vec::<String>::new());
}

#[test]
fn ten_kinds_of_fault_have_ten_exact_messages() {
    let library = library();
    let wanted = [
        (
            "missing_comma",
            "5:35: a comma is missing at the end of this line; allowed: `,` between fields and items",
        ),
        (
            "unclosed_bracket",
            "18:11: the `[` opened here is not closed before line 21, column 5; allowed: `]`",
        ),
        (
            "unknown_field",
            "8:9: patient.age_year: there is no field `age_year`; allowed: the fields of Patient: `age_y`, `sex`, \
             `weight_kg`, `heart_rate_bpm`, `systolic_mmhg`, `diastolic_mmhg`, `spo2_pct`, `respiration_bpm`, \
             `temperature_c`, `egfr_ml_per_min`, `contrast_allergy`; did you mean `age_y`?",
        ),
        (
            "wrong_unit",
            "23:9: room.field_mm: there is no field `field_mm`; allowed: the fields of Room: `pulse_rate_per_s`, \
             `frame_rate_per_s`, `field_cm`, `contrast_mg_i_per_ml`, `contrast_ml`, `dose_alert_mgy`, `injector`, \
             `isocenter_mm`, `views`, `procedure`, `arms`; did you mean `field_cm`? The unit is part of the name: give it in cm",
        ),
        (
            "unknown_device",
            "20:9: tray[1]: \"catheter.cobra_2.5f\" is not known; allowed: a device or embolic of the catalogue: \
             `balloon.non.014.3_5x15`",
        ),
        (
            "unknown_vessel",
            "27:85: steps[0].done.Tip.within: \"internal_iliac_left\" is not known; allowed: a vessel of the anatomy: \
             `aorta.abdominal`",
        ),
        (
            "pass_mark",
            "30:19: score.pass: a pass mark of 120; allowed: at most 100, the maximum of points (steps 100, par values \
             0)",
        ),
        ("out_of_range", "9:25: patient.heart_rate_bpm: 1000; allowed: a number from 20 to 250"),
        (
            "missing_field",
            "28:9: steps[1].title: `title` is missing; allowed: `title: ..`, text in quotes (title in the step list); \
             add it to Step",
        ),
        (
            "wrong_type",
            "27:47: steps[0].points: the text \"60\"; allowed: a number from 0 to 1000; write 60 without quotes",
        ),
    ];
    for (name, message) in wanted {
        let found = messages(&read(&format!("wrong_cases/{name}.ron")), &library);
        println!("{name}: {found:?}");
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(message), "{name}\n got {}\nwant {message}", found[0]);
    }
    let help = |name: &str| messages(&read(&format!("wrong_cases/{name}.ron")), &library).remove(0);
    assert!(help("unknown_device").ends_with("; did you mean \"catheter.cobra_c2.5f\"?"));
    assert!(help("unknown_vessel").ends_with("; did you mean \"internal_iliac.left\"?"));
    assert_eq!(std::fs::read_dir(root().join("tests/data/wrong_cases")).unwrap().count(), wanted.len());
}

#[test]
fn all_faults_are_said_at_once() {
    let library = library();
    let text = read("right_case.ron")
        .replace("title: \"A case with one fault\",", "title: \"A case with one fault\"")
        .replace("age_y: 40", "age_year: 40")
        .replace("heart_rate_bpm: 100", "heart_rate_bpm: \"fast\"")
        .replace("at: Mm(60)", "at: Mm(600)")
        .replace("\"catheter.cobra_c2.5f\"", "\"catheter.cobra\"")
        .replace("after: [\"cross\"]", "after: [\"stop\"]")
        .replace("field_cm: 32", "field_cm: 33")
        .replace("pass: 70", "pass: 700");
    let found = messages(&text, &library);
    for message in &found {
        println!("{message}");
    }
    for (place, part) in [
        ("5:35", "a comma is missing"),
        ("8:9", "no field `age_year`"),
        ("9:25", "the text \"fast\""),
        ("14:63", "600 mm lies beyond"),
        ("20:9", "\"catheter.cobra\" is not known"),
        ("23:19", "33"),
        ("28:56", "these steps wait for each other: stop"),
        ("30:19", "a pass mark of 700"),
    ] {
        let is_there = found.iter().any(|m| m.starts_with(&format!("{place}: ")) && m.contains(part));
        assert!(is_there, "no message at {place} with {part}");
    }
    assert_eq!(found.len(), 8, "one message for each fault");
}

#[test]
fn cases_that_cannot_be_won_are_refused() {
    let library = library();
    let right = read("right_case.ron");
    let with_tray = |items: &str| {
        let old = "\"wire.hydrophilic_angled.035\",\n        \"catheter.cobra_c2.5f\",";
        assert!(right.contains(old));
        messages(&right.replace(old, items), &library)
    };
    let one = |found: Vec<String>, parts: &[&str]| {
        println!("{found:?}");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(parts.iter().all(|p| found[0].contains(p)), "{found:?} lacks {parts:?}");
    };
    one(with_tray("\"catheter.cobra_c2.5f\", \"wire.micro.018\", \"wire.micro.018\""), &["second time"]);
    // The target lies 300 mm from the groin: a catheter of a made-up length does not get there.
    let mut short = library.clone();
    for device in &mut short.catalog.devices {
        if device.id == "catheter.cobra_c2.5f" {
            device.length_mm = 300.0;
        }
    }
    one(messages(&right, &short), &["27:85", "longest catheter 300 mm", "mm from the access"]);
    // A catheter too wide for the sheath, a microcatheter shorter than its catheter.
    let mut wide = library.clone();
    for device in &mut wide.catalog.devices {
        if device.id == "catheter.cobra_c2.5f" {
            device.max_outer_diameter_mm = 2.0;
        }
    }
    one(messages(&right, &wide), &["20:9", "2.00 mm wide", "1.85 mm bore"]);
    let mut short_micro = library.clone();
    for device in &mut short_micro.catalog.devices {
        if device.id == "microcatheter.2_4f" {
            device.length_mm = 600.0;
        }
    }
    let text =
        right.replace("\"catheter.cobra_c2.5f\",", "\"catheter.cobra_c2.5f\", \"microcatheter.2_4f\",");
    one(messages(&text, &short_micro), &["600 mm long", "does not come out", "longer than 650 mm"]);
    let text = right
        .replace("\"catheter.cobra_c2.5f\",", "\"microcatheter.2_4f\", \"particles.microspheres.700_900\",");
    let found = messages(&text, &library);
    println!("{found:?}");
    assert!(found.iter().any(|m| m.contains("a microcatheter without a catheter")));
    assert!(found.iter().any(|m| m.contains("need a bore of 0.58 mm") && m.contains("at most 0.53 mm")));
    let text = right.replace("after: [\"cross\"]", "after: [\"corss\"]");
    one(messages(&text, &library), &["\"corss\" is not known", "did you mean \"cross\"?"]);
    let text = right.replace(
        "(pass: 70)",
        "(pass: 70, par: [(metric: \"runs\", points: 5, gold: 9, silver: 6, bronze: 12)])",
    );
    one(messages(&text, &library), &["silver 6 is below gold 9"]);
    let text = right.replace(
        "(pass: 70)",
        "(pass: 70, par: [(metric: \"fluoro_time_mins\", points: 5, gold: 9, silver: 9, bronze: 12)])",
    );
    one(messages(&text, &library), &["did you mean \"fluoro_time_min\"?"]);
}

#[test]
fn device_files_are_checked() {
    let name = "assets/devices/catheters.ron";
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    let faults = |text: &str| {
        let report = catalog_from_files(&[(name.to_owned(), text.to_owned())]).err().unwrap_or_default();
        report.faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(faults(&text), Vec::<String>::new());
    for (old, new, part) in [
        ("outer: French(7)", "outer: Fench(7)", "did you mean `French`?"),
        ("lumen: Mm(1.85)", "lumen: Mm(2.85)", "less than 2.33 mm"),
        ("radius_mm: 35)", "radius_mm: 350)", "a shape 693.8 mm long; allowed: at most 650 mm"),
        ("id: \"sheath.5f.110\"", "id: \"microcatheter.2_4f\"", "a second time"),
        ("length_mm: 18.5, ", "", "only the last section"),
        ("78, 82, 86]", "78, 82, 860]", "at most 650 mm"),
        ("kind: Sheath", "kind: Wire", "no `lumen` for wires, coils, plugs and snares"),
    ] {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        let found = faults(&text.replace(old, new));
        println!("{found:?}");
        assert!(found.len() == 1 && found[0].contains(part), "{old}: {found:?}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let library = library();
    for opener in ["(", "[", "{", "a(", "(a:", "[["] {
        let text = opener.repeat(100_000);
        assert!(!messages(&text, &library).is_empty());
    }
    let text = read("right_case.ron").replace(
        "Tip(of: \"catheter\", within: \"internal_iliac.left\")",
        &format!("{}After(s: 1){}", "All([".repeat(60), "])".repeat(60)),
    );
    let found = messages(&text, &library);
    assert!(found.len() == 1 && found[0].contains("nested too deeply"), "{found:?}");
}

/// A text with pieces cut out, doubled, or strewn with characters that mean something.
fn mutated(text: &str, edits: &[(u16, u8, u8)]) -> String {
    const STREW: &[u8] = b"()[]{}:,;\"'#/*\\ \n-.0e=rZ_";
    let mut chars: Vec<char> = text.chars().collect();
    for (place, action, what) in edits {
        let at = usize::from(*place) * chars.len() / 65_536;
        let end = (at + usize::from(*what) % 40 + 1).min(chars.len());
        match action % 4 {
            0 => drop(chars.drain(at..end)),
            1 => chars.insert(at, char::from(STREW[usize::from(*what) % STREW.len()])),
            2 => {
                let copy: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, copy);
            }
            _ => {
                if let Some(c) = chars.get_mut(at) {
                    *c = if *what < 250 { char::from(*what) } else { '\u{201c}' };
                }
            }
        }
    }
    chars.into_iter().collect()
}

fn assert_sane(text: &str, report: &CheckReport) {
    assert!(!report.is_clean());
    for fault in &report.faults {
        assert!(fault.span.start <= fault.span.end && fault.span.end <= text.len(), "{fault}");
        assert!(fault.line >= 1 && fault.column >= 1, "{fault}");
        assert!(!fault.found.is_empty(), "{fault:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(report) = check_text("case", &text, shared()) {
            assert_sane(&text, &report);
        }
        if let Err(report) = catalog_from_files(&[("devices".to_owned(), text.clone().into_owned())]) {
            assert_sane(&text, &report);
        }
    }

    #[test]
    fn mutated_cases_never_panic(
        edits in proptest::collection::vec((proptest::num::u16::ANY, proptest::num::u8::ANY, proptest::num::u8::ANY), 1..6),
        of_device_file in proptest::bool::ANY,
    ) {
        if of_device_file {
            let text = mutated(include_str!("../../assets/devices/catheters.ron"), &edits);
            if let Err(report) = catalog_from_files(&[("devices".to_owned(), text.clone())]) {
                assert_sane(&text, &report);
            }
        } else {
            let text = mutated(include_str!("../../scenarios/pelvic_bleeding.ron"), &edits);
            if let Err(report) = check_text("case", &text, shared()) {
                assert_sane(&text, &report);
            }
        }
    }
}

fn shared() -> &'static Library {
    static LIBRARY: std::sync::OnceLock<Library> = std::sync::OnceLock::new();
    LIBRARY.get_or_init(library)
}
