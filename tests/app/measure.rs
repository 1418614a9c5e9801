//! Measurements in a picture of the window against the description of the patient: no code of the picture is used.

use std::path::Path;

use cathnav::anatomy::{self, Anatomy, VesselId};
use cathnav::math::Vec3;
use cathnav::sim::Snapshot;
use serde::Deserialize;

/// A landmark must be found this near to where the description says it is, mm in the patient.
const LANDMARK_MM: f64 = 5.0;
/// Source to isocenter, mm: of the room as described, not of the program's projection.
const SOURCE_ISOCENTER_MM: f64 = 750.0;

/// A picture in 8-bit RGB.
pub(crate) struct Rgb {
    pub(crate) width: usize,
    pub(crate) pixels: Vec<[u8; 3]>,
}

impl Rgb {
    pub(crate) fn read(path: &Path) -> Self {
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let pixels = bytes[..info.buffer_size()].chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        Self { width: info.width as usize, pixels }
    }

    /// Pixels of a rectangle: left, top, right, bottom.
    pub(crate) fn region(&self, r: [usize; 4]) -> Vec<[u8; 3]> {
        (r[1]..r[3])
            .flat_map(|y| self.pixels[y * self.width + r[0]..y * self.width + r[2]].iter().copied())
            .collect()
    }

    /// Gray between pixels, bilinear; `None` outside.
    fn gray(&self, x: f64, y: f64) -> Option<f64> {
        let (x, y) = (x - 0.5, y - 0.5);
        let height = self.pixels.len() / self.width;
        if !(x >= 0.0 && y >= 0.0 && x < (self.width - 1) as f64 && y < (height - 1) as f64) {
            return None;
        }
        let (i, j) = (x as usize, y as usize);
        let (fx, fy) = (x.fract(), y.fract());
        let at = |i: usize, j: usize| f64::from(self.pixels[j * self.width + i][1]);
        let row = |j: usize| at(i, j) * (1.0 - fx) + at(i + 1, j) * fx;
        Some(row(j) * (1.0 - fy) + row(j + 1) * fy)
    }
}

pub(crate) fn mean_and_spread(pixels: &[[u8; 3]]) -> (f64, f64) {
    spread(&pixels.iter().map(|p| f64::from(p[1])).collect::<Vec<_>>())
}

pub(crate) fn count(pixels: &[[u8; 3]], is: impl Fn([u8; 3]) -> bool) -> usize {
    pixels.iter().filter(|p| is(**p)).count()
}

/// Mean and standard deviation.
fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[derive(Deserialize)]
struct Told {
    live_px: [f64; 4],
    snapshot: Snapshot,
}

/// A picture of the window and what it told about itself.
pub(crate) struct Shot {
    picture: Rgb,
    told: Told,
    /// The picture is read as if it lay so far to the left and up, pixels (to see that a shift is found out).
    shift_px: [f64; 2],
}

impl Shot {
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let json = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let picture = Rgb::read(&folder.join(format!("{name}.png")));
        Self { picture, told: serde_json::from_str(&json).unwrap(), shift_px: [0.0; 2] }
    }

    /// Place in the window of a point of the patient, pixels, and pixels per mm there: the perspective of a C-arm from
    /// angles, distances and field alone.
    fn place(&self, p_mm: &Vec3) -> ([f64; 2], f64) {
        let arm = &self.told.snapshot.xray.arm;
        let (sa, ca) = arm.primary_deg.to_radians().sin_cos();
        let (sb, cb) = arm.secondary_deg.to_radians().sin_cos();
        let beam = Vec3::new(sa * cb, -ca * cb, sb);
        let right = Vec3::new(ca, sa, 0.0);
        let up = beam.cross(&right);
        let r = p_mm - arm.isocenter_mm + beam * SOURCE_ISOCENTER_MM;
        let [left, top, end, bottom] = self.told.live_px;
        let scale = arm.sid_mm / r.dot(&beam) * (end - left) / (arm.field_mm / 2_f64.sqrt());
        let x = 0.5 * (left + end) + r.dot(&right) * scale;
        let y = 0.5 * (top + bottom) - r.dot(&up) * scale;
        ([x, y], scale)
    }

    /// Gray of the live picture where the blades are open and no text lies.
    fn gray(&self, x: f64, y: f64) -> Option<f64> {
        let [left, top, end, bottom] = self.told.live_px;
        let (across, down) = ((x - left) / (end - left), (y - top) / (bottom - top));
        let right = across > 0.67 && down > 0.80 || across > 0.795 && down < 0.13;
        let left = across < 0.20 && down > 0.89 || across < 0.43 && down < 0.07;
        let text = right || left;
        if text || !(0.015..0.985).contains(&across) || !(0.015..0.985).contains(&down) {
            return None;
        }
        self.picture.gray(x + self.shift_px[0], y + self.shift_px[1])
    }

    /// The shot as if its picture were moved by a vector, mm in the plane of the isocenter.
    fn shifted(&mut self, by_mm: [f64; 2]) {
        let scale = self.place(&self.told.snapshot.xray.arm.isocenter_mm.clone()).1;
        self.shift_px = by_mm.map(|d| -d * scale);
    }
}

/// A landmark as found: how far from where it should be, mm, to the right and down; `None` for a direction that it does
/// not fix.
struct Found {
    name: String,
    off_mm: [Option<f64>; 2],
}

impl Found {
    fn worst_mm(&self) -> f64 {
        self.off_mm.iter().flatten().fold(0.0, |w, d| d.abs().max(w))
    }
}

fn landmark(anatomy: &Anatomy, name: &str) -> Vec3 {
    anatomy.landmarks.iter().find(|l| l.name == name).unwrap_or_else(|| panic!("{name}")).position_mm
}

/// How dark a line lies between its two sides, gray.
fn line_darkness(before: Option<f64>, on: Option<f64>, after: Option<f64>) -> Option<f64> {
    Some(before? + after? - 2.0 * on?)
}

/// Offset within +-15 mm that scores best, in steps of 0.25 mm.
fn best_offset(score: impl Fn(f64) -> f64) -> f64 {
    let offsets = (-60..=60).map(|k| f64::from(k) * 0.25);
    offsets.max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap()
}

/// A vertebral endplate: the dark horizontal line beside the spinous process.
fn endplate(shot: &Shot, anatomy: &Anatomy, name: &str) -> Found {
    let p = landmark(anatomy, name);
    let ([x, y], scale) = shot.place(&p);
    let score = |off_mm: f64| {
        let at =
            |across_mm: f64, down_mm: f64| shot.gray(x + across_mm * scale, y + (off_mm + down_mm) * scale);
        let columns = (-28..=28).map(|k| f64::from(k) * 0.5).filter(|a| a.abs() > 6.0);
        columns.filter_map(|a| line_darkness(at(a, -2.0), at(a, 0.0), at(a, 2.0))).sum::<f64>()
    };
    Found { name: name.to_owned(), off_mm: [None, Some(best_offset(score))] }
}

/// The femoral head, by what a radiologist draws its circle with: the dark roof of the socket, a joint space from the head.
fn femoral_head(shot: &Shot, anatomy: &Anatomy, name: &str) -> Found {
    /// Radius of the head and width of the joint space, mm (described in `anatomy/bones`).
    const RADIUS_MM: f64 = 21.5 + 4.0;
    let ([x, y], scale) = shot.place(&landmark(anatomy, name));
    let score = |off: [f64; 2]| {
        let rim = |angle: f64, r_mm: f64| {
            let (s, c) = angle.sin_cos();
            shot.gray(x + (off[0] + r_mm * c) * scale, y + (off[1] + r_mm * s) * scale)
        };
        // The upper half: below, neck and ischium cross the rim.
        let angles = (-80..=-10).map(|k| f64::from(k) * 2_f64.to_radians());
        let dark: Vec<f64> = angles
            .filter_map(|a| {
                line_darkness(rim(a, RADIUS_MM - 3.0), rim(a, RADIUS_MM), rim(a, RADIUS_MM + 3.0))
            })
            .collect();
        if dark.len() < 40 { f64::MIN } else { dark.iter().sum::<f64>() / dark.len() as f64 }
    };
    let mut best = ([0.0; 2], f64::MIN);
    for i in -24..=24 {
        for j in -24..=24 {
            let off = [f64::from(i) * 0.5, f64::from(j) * 0.5];
            let s = score(off);
            if s > best.1 {
                best = (off, s);
            }
        }
    }
    Found { name: name.to_owned(), off_mm: best.0.map(Some) }
}

/// The top of the iliac crest: soft tissue above, bone below.
fn crest(shot: &Shot, anatomy: &Anatomy, name: &str) -> Found {
    let ([x, y], scale) = shot.place(&landmark(anatomy, name));
    let score = |off_mm: f64| {
        let mean = |down_mm: f64| {
            let all: Vec<f64> = (-6..=6)
                .filter_map(|k| shot.gray(x + f64::from(k) * 0.5 * scale, y + (off_mm + down_mm) * scale))
                .collect();
            if all.len() < 8 { f64::NAN } else { spread(&all).0 }
        };
        let step = mean(-3.0) + mean(-2.0) + mean(-1.0) - mean(1.0) - mean(2.0) - mean(3.0);
        if step.is_nan() { f64::MIN } else { step }
    };
    Found { name: name.to_owned(), off_mm: [None, Some(best_offset(score))] }
}

/// The symphysis: the light gap between the dark pubic bones.
fn symphysis(shot: &Shot, anatomy: &Anatomy) -> Found {
    let name = "symphysis.center";
    let ([x, y], scale) = shot.place(&landmark(anatomy, name));
    let score = |off_mm: f64| {
        let at =
            |across_mm: f64, down_mm: f64| shot.gray(x + (off_mm + across_mm) * scale, y + down_mm * scale);
        let rows = (-10..=10).map(|k| f64::from(k) * 0.5);
        rows.filter_map(|d| line_darkness(at(-6.0, d), at(0.0, d), at(6.0, d))).map(|dark| -dark).sum::<f64>()
    };
    Found { name: name.to_owned(), off_mm: [Some(best_offset(score)), None] }
}

/// Points of a centerline between two depths below its begin, each with how far aside its shadow lies, mm on the picture's
/// row: the middle of the dark stretch around it.
fn limb(shot: &Shot, anatomy: &Anatomy, vessel: &str, from_mm: f64, to_mm: f64) -> Vec<([f64; 2], f64)> {
    let branch = anatomy.tree.branch(anatomy.tree.find(vessel).unwrap());
    let mut out = Vec::new();
    let mut arc = from_mm;
    while arc < to_mm {
        let p = branch.at(arc);
        let ([x, y], scale) = shot.place(&p.position_mm);
        let row: Vec<(f64, f64)> = (-40..=40)
            .map(|k| f64::from(k) * 0.25)
            .filter_map(|off| Some((off, shot.gray(x + off * scale, y)?)))
            .collect();
        let (low, high) = row.iter().fold((f64::MAX, f64::MIN), |(l, h), (_, g)| (g.min(l), g.max(h)));
        let is_dark = |k: &usize| row[*k].1 < 0.5 * (low + high);
        // The dark stretch that is nearest, from one edge to the other.
        let nearest =
            (0..row.len()).filter(is_dark).min_by(|a, b| row[*a].0.abs().total_cmp(&row[*b].0.abs()));
        if let Some(k) = nearest {
            let first = (0..=k).rev().take_while(is_dark).last().unwrap_or(k);
            let last = (k..row.len()).take_while(is_dark).last().unwrap_or(k);
            out.push(([x, y], 0.5 * (row[first].0 + row[last].0)));
        }
        arc += 1.0;
    }
    out
}

/// Where two lines fitted through points meet (x over y).
fn meeting(a: &[[f64; 2]], b: &[[f64; 2]]) -> [f64; 2] {
    let fit = |points: &[[f64; 2]]| {
        let n = points.len() as f64;
        let mean = [0, 1].map(|k| points.iter().map(|p| p[k]).sum::<f64>() / n);
        let up: f64 = points.iter().map(|p| (p[1] - mean[1]) * (p[0] - mean[0])).sum();
        let down: f64 = points.iter().map(|p| (p[1] - mean[1]).powi(2)).sum();
        (mean, up / down)
    };
    let ((m, s), (n, t)) = (fit(a), fit(b));
    let y = (n[0] - m[0] + s * m[1] - t * n[1]) / (s - t);
    [m[0] + s * (y - m[1]), y]
}

/// The aortic bifurcation: where the middles of the two common iliac shadows meet, against where their centerlines do.
fn bifurcation(shot: &Shot, anatomy: &Anatomy) -> Found {
    let scale = shot.place(&landmark(anatomy, "aortic_bifurcation")).1;
    let limbs = ["common_iliac.right", "common_iliac.left"].map(|v| limb(shot, anatomy, v, 22.0, 44.0));
    let told = limbs.each_ref().map(|l| l.iter().map(|(p, _)| *p).collect::<Vec<_>>());
    let seen =
        limbs.each_ref().map(|l| l.iter().map(|(p, off)| [p[0] + off * scale, p[1]]).collect::<Vec<_>>());
    let (told, seen) = (meeting(&told[0], &told[1]), meeting(&seen[0], &seen[1]));
    let off_mm = [0, 1].map(|k| Some((seen[k] - told[k]) / scale));
    Found { name: "aortic bifurcation".to_owned(), off_mm }
}

fn all_landmarks(wire: &Shot, mask: &Shot, arteries: &Shot, anatomy: &Anatomy) -> Vec<Found> {
    let mut all: Vec<Found> = ["l2.top", "l3.top", "l4.top"].map(|n| endplate(wire, anatomy, n)).into();
    all.push(femoral_head(mask, anatomy, "femoral_head.left.center"));
    all.push(crest(mask, anatomy, "iliac_crest.left.top"));
    all.push(symphysis(mask, anatomy));
    all.push(bifurcation(arteries, anatomy));
    all
}

fn pelvis() -> Anatomy {
    let root = cathnav::assets::root().unwrap();
    anatomy::load(&root.join("assets/anatomy/pelvis")).unwrap()
}

/// Bones and vessels lie where the description says; the same picture moved by 6 mm is found out.
pub(crate) fn check_landmarks(wire: &Shot, mask: &Shot, arteries: &Shot) {
    let anatomy = pelvis();
    let mut shots = [wire, mask, arteries].map(|s| Shot {
        picture: Rgb { width: s.picture.width, pixels: s.picture.pixels.clone() },
        told: Told { live_px: s.told.live_px, snapshot: s.told.snapshot.clone() },
        shift_px: [0.0; 2],
    });
    for by_mm in [[0.0, 0.0], [6.0, 0.0], [-6.0, 0.0], [0.0, 6.0], [0.0, -6.0]] {
        shots.iter_mut().for_each(|s| s.shifted(by_mm));
        let [wire, mask, arteries] = &shots;
        let found = all_landmarks(wire, mask, arteries, &anatomy);
        for f in &found {
            println!("picture moved by {by_mm:?} mm: {} found {:?} mm off", f.name, f.off_mm);
        }
        let missed = found.iter().filter(|f| f.worst_mm() > LANDMARK_MM).count();
        if by_mm == [0.0, 0.0] {
            assert_eq!(missed, 0, "every landmark is within {LANDMARK_MM} mm");
        } else {
            assert!(missed >= 2, "a shift by {by_mm:?} mm is found out: {missed} landmarks missed");
        }
    }
}

/// Contrast-to-noise ratio of a stripe along a polyline against stripes on both sides, all of the given half width, mm.
fn stripe_cnr(shot: &Shot, line: &[Vec3], half_mm: f64, aside_mm: f64) -> Option<f64> {
    let (mut inside, mut beside) = (Vec::new(), Vec::new());
    for pair in line.windows(2) {
        let (([x0, y0], scale), ([x1, y1], _)) = (shot.place(&pair[0]), shot.place(&pair[1]));
        let length = (x1 - x0).hypot(y1 - y0).max(1e-9);
        let (nx, ny) = (-(y1 - y0) / length, (x1 - x0) / length);
        let steps = (length.ceil() as usize).max(1);
        for i in 0..steps {
            let t = i as f64 / steps as f64;
            let at = |off_mm: f64| {
                shot.gray(x0 + t * (x1 - x0) + off_mm * scale * nx, y0 + t * (y1 - y0) + off_mm * scale * ny)
            };
            for k in -4..=4 {
                let off = f64::from(k) * 0.25 * half_mm;
                inside.extend(at(off));
                beside.extend(at(off - aside_mm));
                beside.extend(at(off + aside_mm));
            }
        }
    }
    if inside.len() < 60 {
        return None;
    }
    let (dark, _) = spread(&inside);
    let (light, noise) = spread(&beside);
    Some((light - dark) / noise.max(0.5))
}

/// Stretches of arteries of 3.6 to 4.4 mm that are full of contrast and lie free of other vessels on the picture.
fn free_stretches(shot: &Shot, anatomy: &Anatomy) -> Vec<(String, Vec<Vec3>)> {
    let mut out = Vec::new();
    for (i, branch) in anatomy.tree.branches.iter().enumerate() {
        let iodine = &shot.told.snapshot.vessels[i];
        let full = |arc_mm: f64| {
            let cell = ((arc_mm - iodine.start_mm) / iodine.cell_mm).max(0.0) as usize;
            iodine.iodine_mg_per_ml.get(cell).copied().unwrap_or(0.0)
        };
        let good = |p: &anatomy::CenterlinePoint| {
            (1.8..=2.2).contains(&p.radius_mm)
                && full(p.arc_mm) > 60.0
                && is_free(shot, anatomy, VesselId(i as u32), &p.position_mm)
        };
        let stretch: Vec<Vec3> = branch.points.iter().filter(|p| good(p)).map(|p| p.position_mm).collect();
        if stretch.len() >= 4 {
            out.push((branch.name.clone(), stretch));
        }
    }
    out
}

/// No other vessel's edge within 6.6 mm, which is as far as the stripes beside reach.
fn is_free(shot: &Shot, anatomy: &Anatomy, own: VesselId, p_mm: &Vec3) -> bool {
    let ([x, y], scale) = shot.place(p_mm);
    let others = anatomy.tree.branches.iter().enumerate().filter(|(j, _)| *j != own.idx());
    others.flat_map(|(_, b)| &b.points).all(|q| {
        let ([u, v], _) = shot.place(&q.position_mm);
        (u - x).hypot(v - y) > (6.6 + q.radius_mm) * scale
    })
}

/// The least contrast-to-noise ratio of an artery of 4 mm full of contrast in a subtracted run: five times the 5 that Rose (1974)
/// found to be needed to be sure of a disk.
const LEAST_VESSEL_CNR: f64 = 25.0;

/// A 4 mm artery full of contrast stands out.
pub(crate) fn check_contrast(shot: &Shot) {
    let anatomy = pelvis();
    let stretches = free_stretches(shot, &anatomy);
    let mut measured = 0;
    for (name, line) in &stretches {
        let Some(cnr) = stripe_cnr(shot, line, 1.0, 5.5) else { continue };
        println!("{name}: {} points, contrast-to-noise ratio {cnr:.1}", line.len());
        assert!(cnr > LEAST_VESSEL_CNR, "{name}: {cnr}");
        measured += 1;
    }
    assert!(measured > 0, "an artery of 4 mm is free on the picture: {stretches:?}");
}

/// The least contrast-to-noise ratio of a 0.035 in wire in fluoroscopy: darkness of the line against its two sides, over the
/// noise of the same figure beside it, per 5 mm of length.
const LEAST_WIRE_CNR: f64 = 2.0;

/// Darkness of a line, offset sideways on the picture by some mm, against 1.5 mm on both its sides: one mean per 5 mm.
fn line_profile(shot: &Shot, line: &[Vec3], off_mm: f64) -> Vec<f64> {
    let mut all = Vec::new();
    for pair in line.windows(2) {
        let (([x0, y0], scale), ([x1, y1], _)) = (shot.place(&pair[0]), shot.place(&pair[1]));
        let length = (x1 - x0).hypot(y1 - y0).max(1e-9);
        let (nx, ny) = (-(y1 - y0) / length, (x1 - x0) / length);
        let at = |mm: f64| {
            let mm = mm + off_mm;
            shot.gray(0.5 * (x0 + x1) + mm * scale * nx, 0.5 * (y0 + y1) + mm * scale * ny)
        };
        if let Some(dark) = line_darkness(at(-1.5), at(0.0), at(1.5)) {
            all.push((dark / 2.0, length / scale));
        }
    }
    let mut means = Vec::new();
    let (mut sum, mut weight) = (0.0, 0.0);
    for (dark, mm) in all {
        sum += dark * mm;
        weight += mm;
        if weight >= 5.0 {
            means.push(sum / weight);
            (sum, weight) = (0.0, 0.0);
        }
    }
    means
}

/// The wire is seen where the simulation has it, not a few millimeters beside.
pub(crate) fn check_wire(shot: &Shot) {
    let line = &shot.told.snapshot.rods[0].nodes_mm;
    let (on, _) = spread(&line_profile(shot, line, 0.0));
    let beside: Vec<f64> = [-10.0, -8.0, -6.0, -4.0, 4.0, 6.0, 8.0, 10.0]
        .iter()
        .flat_map(|off| line_profile(shot, line, *off))
        .collect();
    let (aside, noise) = spread(&beside);
    let cnr = (on - aside) / noise;
    println!(
        "wire: {on:.2} gray darker than its sides, beside it {aside:.2} +- {noise:.2}: contrast-to-noise {cnr:.1}"
    );
    let darkness = |off: f64| spread(&line_profile(shot, line, off)).0;
    let offsets = (-12..=12).map(|k| f64::from(k) * 0.25);
    let at = offsets.max_by(|a, b| darkness(*a).total_cmp(&darkness(*b))).unwrap();
    println!("the darkest line lies {at} mm beside the simulated wire");
    assert!(at.abs() <= 0.5, "{at}");
    assert!(cnr > LEAST_WIRE_CNR, "{cnr}");
}
