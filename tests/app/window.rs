//! The real program on a private screen: started as a user would, photographed by itself, checked by numbers.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

/// A picture in 8-bit RGB.
struct Rgb {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Rgb {
    fn read(path: &Path) -> Self {
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let pixels = bytes[..info.buffer_size()].chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        Self { width: info.width as usize, pixels }
    }

    /// Pixels of a rectangle: left, top, right, bottom.
    fn region(&self, r: [usize; 4]) -> Vec<[u8; 3]> {
        (r[1]..r[3])
            .flat_map(|y| self.pixels[y * self.width + r[0]..y * self.width + r[2]].iter().copied())
            .collect()
    }
}

fn mean_and_spread(pixels: &[[u8; 3]]) -> (f64, f64) {
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|p| f64::from(p[1])).sum::<f64>() / n;
    let variance = pixels.iter().map(|p| (f64::from(p[1]) - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

fn count(pixels: &[[u8; 3]], is: impl Fn([u8; 3]) -> bool) -> usize {
    pixels.iter().filter(|p| is(**p)).count()
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
    let args = ["demo", "--screenshot", picture.to_str().unwrap(), "--after", "40"];
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

/// Copies a picture to the folder of `CATHNAV_PANEL_PICTURES`, to be looked at.
fn keep(picture: &Path, name: &str) {
    if let Some(dir) = std::env::var_os("CATHNAV_PANEL_PICTURES").map(PathBuf::from) {
        std::fs::copy(picture, dir.join(name)).unwrap();
    }
}
