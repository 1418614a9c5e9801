//! The real program on a private screen: started as a user would, photographed by itself, checked by numbers.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::measure::{Rgb, Shot, count, mean_and_spread};

/// A private X server; ends with the test.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    /// Starts Xvfb on a display that it chooses itself.
    fn start(size: [u32; 2]) -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                &format!("{}x{}x24", size[0], size[1]),
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("CATHNAV_WINDOW_TESTS=1 needs Xvfb (Debian: xvfb)");
        let mut out = server.stdout.take().unwrap();
        let (mut number, mut byte) = (String::new(), [0_u8; 1]);
        while out.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            number.push(char::from(byte[0]));
        }
        Self { server, display: format!(":{}", number.trim()) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

/// Runs the program on a screen until it ends by itself.
fn run(screen: &Screen, home: &Path, args: &[&str], limit_s: u64) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cathnav"))
        .args(args)
        .current_dir(home)
        .env("DISPLAY", &screen.display)
        .env_remove("WAYLAND_DISPLAY")
        .env("XDG_DATA_HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(home.join("stderr.txt")).unwrap())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begin.elapsed() > Duration::from_secs(limit_s) {
            child.kill().ok();
            child.wait().ok();
            break None;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let said = std::fs::read_to_string(home.join("stderr.txt")).unwrap_or_default();
    (status.is_some_and(|s| s.success()), said)
}

fn is_asked_for(name: &str) -> bool {
    let on = std::env::var_os("CATHNAV_WINDOW_TESTS").is_some_and(|v| v == "1");
    if !on {
        println!("{name}: not run: set CATHNAV_WINDOW_TESTS=1");
    }
    on
}

#[test]
fn the_menu_opens_on_a_private_screen() {
    if !is_asked_for("the_menu_opens_on_a_private_screen") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start([1280, 800]);
    let picture = home.path().join("menu.png");
    let args = ["menu", "--screenshot", picture.to_str().unwrap(), "--after", "4"];
    let (good, said) = run(&screen, home.path(), &args, 180);
    assert!(good, "{said}");
    let seen = Rgb::read(&picture);
    keep(&picture, "menu.png");
    let title = seen.region([20, 10, 400, 110]);
    let accent = count(&title, |p| p[2] > 180 && p[0] < 130);
    println!("title: {accent} pixels of the accent");
    assert!(accent > 300);
}

/// The demonstration in the window: the live picture shows anatomy in neutral gray, the monitor its curves, the rail its tools.
#[test]
fn the_demo_plays_in_the_window() {
    if !is_asked_for("the_demo_plays_in_the_window") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let screen = Screen::start([1280, 800]);
    let picture = home.path().join("demo.png");
    // The wire is then on its way, and the curves have run for some seconds.
    let args = ["demo", "--screenshot", picture.to_str().unwrap(), "--after", "12"];
    let (good, said) = run(&screen, home.path(), &args, 400);
    assert!(good, "{said}");
    keep(&picture, "demo.png");
    let seen = Rgb::read(&picture);
    assert_eq!((seen.width, seen.pixels.len() / seen.width), (1280, 800));
    let live = seen.region([120, 140, 510, 520]);
    let (mean, spread) = mean_and_spread(&live);
    let colored = count(&live, |p| p.iter().max().unwrap() - p.iter().min().unwrap() > 8);
    println!("live picture: mean {mean:.1}, spread {spread:.1}, {colored} colored pixels");
    assert!((20.0..235.0).contains(&mean), "neither black nor white");
    assert!(spread > 6.0, "bones and soft tissue differ");
    assert!(colored * 1000 < live.len(), "the picture is neutral gray");
    let vitals = seen.region([630, 370, 905, 650]);
    let (green, red) =
        (count(&vitals, |p| p[1] > 170 && p[0] < 120), count(&vitals, |p| p[0] > 200 && p[1] < 140));
    println!("curves: {green} green, {red} red pixels");
    assert!(green > 200 && red > 200);
    let rail = seen.region([10, 665, 900, 790]);
    let tools = count(&rail, |p| p.iter().max().unwrap() - p.iter().min().unwrap() > 90);
    println!("rail: {tools} pixels of tools");
    assert!(tools > 200, "a tool lies on the rail");
}

/// Times that are photographed, simulated seconds: the wire in the aorta, the mask of the first run, the same run when the
/// arteries are full. Script and state are the same on every machine, and so is what is there at these times.
const SHOTS: [(&str, f64); 3] = [("wire", 25.5), ("mask", 45.0), ("arteries", 50.4)];

/// A folder as an installed program has it, with the shipped expert script but a wider view of the pelvis.
fn room_with_a_wider_view(folder: &Path) {
    let root = cathnav::assets::root().unwrap();
    let link = |name: &str| std::os::unix::fs::symlink(root.join(name), folder.join(name)).unwrap();
    std::fs::create_dir_all(folder.join("assets/scripts")).unwrap();
    for name in ["scenarios", "assets/anatomy", "assets/devices", "assets/xray"] {
        link(name);
    }
    let name = "assets/scripts/pelvic_bleeding_expert.ron";
    let script = std::fs::read_to_string(root.join(name)).unwrap();
    let wider = script
        .replace("Blades(0.9, 0.9, 0.9, 0.9)", "Blades(1, 1, 1, 1)")
        .replace("Table(0, -30, -20)", "Field(48), Table(65, -30, -50)");
    assert_ne!(script, wider);
    std::fs::write(folder.join(name), wider).unwrap();
}

/// The live picture of the real window, measured against the description of the patient.
#[test]
fn the_live_picture_shows_the_described_patient() {
    if !is_asked_for("the_live_picture_shows_the_described_patient") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    room_with_a_wider_view(home.path());
    let screen = Screen::start([1280, 800]);
    let mut args = vec!["demo".to_owned()];
    for (name, at_s) in SHOTS {
        let file = home.path().join(format!("{name}.png")).display().to_string();
        args.extend(["--screenshot".to_owned(), file, "--at".to_owned(), at_s.to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (good, said) = run(&screen, home.path(), &args, 500);
    assert!(good, "{said}");
    for (name, _) in SHOTS {
        keep(&home.path().join(format!("{name}.png")), &format!("{name}.png"));
        keep(&home.path().join(format!("{name}.json")), &format!("{name}.json"));
    }
    let [wire, mask, arteries] = SHOTS.map(|(name, _)| Shot::read(home.path(), name));
    super::measure::check_landmarks(&wire, &mask, &arteries);
    super::measure::check_contrast(&arteries);
    super::measure::check_wire(&wire);
}

/// Copies a picture to the folder of `CATHNAV_PANEL_PICTURES`, to be looked at.
fn keep(picture: &Path, name: &str) {
    if let Some(dir) = std::env::var_os("CATHNAV_PANEL_PICTURES").map(PathBuf::from) {
        std::fs::copy(picture, dir.join(name)).unwrap();
    }
}
