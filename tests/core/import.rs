//! `cathnav import` as a user has it: the program itself, a folder of files, a case in the new anatomy.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cathnav::anatomy;

/// A folder as an installed program has it, with no anatomy yet.
fn room(folder: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.join("assets/devices")).unwrap();
    std::fs::create_dir_all(folder.join("assets/anatomy")).unwrap();
    std::fs::create_dir_all(folder.join("scenarios")).unwrap();
    for entry in std::fs::read_dir(root.join("assets/devices")).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, folder.join("assets/devices").join(from.file_name().unwrap())).unwrap();
    }
}

fn cathnav(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cathnav")).current_dir(folder).args(args).output().unwrap()
}

/// What a command said when it went well.
fn done(folder: &Path, args: &[&str]) -> String {
    let output = cathnav(folder, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command said when it refused.
fn refused(folder: &Path, args: &[&str]) -> String {
    let output = cathnav(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Writes a straight tube along z, radius 4, length 200, as OBJ, and its centerline; lengths in mm times `unit`.
fn write_tube(folder: &Path, unit: f64) {
    const SIDES: usize = 24;
    let mut obj = String::new();
    for k in 0..=40 {
        for i in 0..SIDES {
            let (s, c) = (i as f64 / SIDES as f64 * std::f64::consts::TAU).sin_cos();
            obj += &format!("v {} {} {}\n", 4.0 * c * unit, 4.0 * s * unit, 5.0 * f64::from(k) * unit);
        }
    }
    for k in 0..40 {
        for i in 0..SIDES {
            let (a, b) = (k * SIDES + i + 1, k * SIDES + (i + 1) % SIDES + 1);
            obj += &format!("f {a} {b} {}\nf {a} {} {}\n", b + SIDES, b + SIDES, a + SIDES);
        }
    }
    std::fs::write(folder.join("tube.obj"), obj).unwrap();
    let points: Vec<String> =
        (1..40).map(|k| format!("{{\"position\":[0,0,{}]}}", 5.0 * f64::from(k) * unit)).collect();
    let line = format!(
        "{{\"markups\":[{{\"coordinateSystem\":\"LPS\",\"controlPoints\":[{}]}}]}}",
        points.join(",")
    );
    std::fs::write(folder.join("main.mrk.json"), line).unwrap();
}

/// Writes a case in an anatomy and a script that pushes a wire for some seconds.
fn write_case(folder: &Path, model: &str, site: &str, vessel: &str) {
    let case = format!(
        "#![enable(implicit_some)]\nCase(format: 1, id: \"mine\", title: \"Mine\", \
         briefing: (story: \"A mesh of my own.\", task: \"Advance the wire.\"), \
         anatomy: (model: \"{model}\"), access: (site: \"{site}\", sheath: \"sheath.5f.110\"), \
         tray: [\"wire.hydrophilic_angled.035\"], \
         steps: [(id: \"in\", title: \"In\", points: 10, done: Tip(of: \"wire\", within: \"{vessel}\"))], \
         score: (pass: 5))\n"
    );
    std::fs::write(folder.join("scenarios/mine.ron"), case).unwrap();
    let wire = "wire.hydrophilic_angled.035";
    let script = format!(
        "(format: 1, title: \"Push\", case: \"mine\", steps: [Load(\"{wire}\"), \
         Advance(tool: \"{wire}\", until: Inserted(60), speed_mm_per_s: 40), Wait(1), Finish])"
    );
    std::fs::write(folder.join("push.ron"), script).unwrap();
}

/// Check, run, picture and replay of the case that [`write_case`] wrote.
fn play(folder: &Path) {
    done(folder, &["check", "scenarios/mine.ron"]);
    let said = done(folder, &["run", "mine", "--script", "push.ron", "--out", "out"]);
    println!("{said}");
    let report = std::fs::read_to_string(folder.join("out/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let step = &report["assessment"]["steps"][0];
    assert!(step["done_s"].is_number(), "the wire got into the vessel: {step}");
    done(folder, &["replay", "out/recording.cnr", "--verify"]);
    done(folder, &["image", "mine", "--contrast", "--pixels", "128", "--out", "x.png"]);
    assert!(folder.join("x.png").is_file());
}

#[test]
fn a_mesh_in_centimeters_becomes_an_anatomy_that_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    room(folder);
    write_tube(folder, 0.1);
    let import = [
        "import",
        "tube.obj",
        "--centerlines",
        "main.mrk.json",
        "--unit",
        "cm",
        "--out",
        "assets/anatomy/tube",
    ];
    let said = done(folder, &import);
    println!("{said}");
    assert!(said.contains("access: main"), "{said}");
    let built = anatomy::load(&folder.join("assets/anatomy/tube")).unwrap();
    let volume = built.lumen.mesh.signed_volume_mm3() / (std::f64::consts::PI * 16.0 * 200.0);
    println!("volume over that of the cylinder {volume:.4}, {:.1} mm", built.tree.branches[0].length_mm());
    assert!((volume - 1.0).abs() < 0.05);
    assert!(done(folder, &["anatomy", "list"]).contains("tube"));
    assert!(done(folder, &["anatomy", "show", "tube"]).contains("main"));
    assert!(done(folder, &["check", "assets/anatomy/tube/anatomy.ron"]).contains("in order"));
    // Built anew from the sources in the folder it is the same.
    let before = std::fs::read(folder.join("assets/anatomy/tube/tree.bin")).unwrap();
    done(folder, &["anatomy", "build", "tube"]);
    assert_eq!(std::fs::read(folder.join("assets/anatomy/tube/tree.bin")).unwrap(), before);
    write_case(folder, "tube", "main", "main");
    play(folder);
}

#[test]
fn what_cannot_be_imported_is_said_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    room(folder);
    write_tube(folder, 1.0);
    let out = "assets/anatomy/tube";
    for (args, word) in [
        (vec!["import", "tube.obj", "--out", out], "3D Slicer"),
        (
            vec!["import", "none.obj", "--centerlines", "main.mrk.json", "--out", out],
            "none.obj: cannot be read",
        ),
        (vec!["import", "tube.obj", "--centerlines", "tube.obj", "--out", out], "same file name"),
        (vec!["import", "main.mrk.json", "--centerlines", "main.mrk.json", "--out", out], "same file name"),
        (vec!["import", "tube.obj", "--centerlines", "main.mrk.json", "--unit", "km", "--out", out], "km"),
        (
            vec!["import", "tube.obj", "--centerlines", "main.mrk.json", "--axes", "x,x,z", "--out", out],
            "axes",
        ),
        (
            vec!["import", "tube.obj", "--centerlines", "main.mrk.json", "--root", "aorta", "--out", out],
            "main",
        ),
        (
            vec!["import", "tube.obj", "--centerlines", "main.mrk.json", "--access", "groin", "--out", out],
            "NAME=CENTERLINE",
        ),
        (vec!["import", "tube.obj", "--centerlines", "main.mrk.json", "--out", "assets"], "is there already"),
    ] {
        let said = refused(folder, &args);
        println!("{said}");
        assert!(said.contains(word) && said.trim().lines().count() == 1, "{args:?}: {said}");
        assert_eq!(std::fs::read_dir(folder.join("assets/anatomy")).unwrap().count(), 0, "{args:?}");
    }
    // Sources that were changed afterwards are not built without a word.
    done(folder, &["import", "tube.obj", "--centerlines", "main.mrk.json", "--out", out]);
    std::fs::write(folder.join(out).join("source/tube.obj"), "v 0 0 0\n").unwrap();
    assert!(refused(folder, &["anatomy", "build", "tube"]).contains("source_hash"));
}

/// The real arch-to-neuro anatomy, as its user would take it in.
#[test]
fn the_real_anatomy_is_imported_by_the_program_and_played() {
    let Ok(dir) = std::env::var("CATHNAV_REAL_ANATOMY") else {
        println!("not run: CATHNAV_REAL_ANATOMY is not set");
        return;
    };
    let source = Path::new(&dir).join("arch_to_neuro");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    room(folder);
    let mesh = source.join("lumen.obj").display().to_string();
    let mut lines: Vec<PathBuf> =
        std::fs::read_dir(source.join("centerlines")).unwrap().map(|e| e.unwrap().path()).collect();
    lines.sort();
    let lines: Vec<String> = lines.iter().map(|l| l.display().to_string()).collect();
    let mut args = vec!["import", &mesh, "--centerlines"];
    args.extend(lines.iter().map(String::as_str));
    args.extend([
        "--axes",
        "+y,-z,-x",
        "--root",
        "0",
        "--access",
        "femoral.left=4",
        "--access",
        "femoral.right=6",
    ]);
    args.extend(["--title", "From the groin to the head", "--out", "assets/anatomy/arch"]);
    println!("{}", done(folder, &args));
    let built = anatomy::load(&folder.join("assets/anatomy/arch")).unwrap();
    assert_eq!((built.tree.branches.len(), built.access_sites.len()), (25, 2));
    println!("{}", done(folder, &["anatomy", "show", "arch"]));
    write_case(folder, "arch", "femoral.left", "3");
    play(folder);
}
