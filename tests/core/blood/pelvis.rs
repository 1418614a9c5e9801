//! The shipped pelvis: resting flows, reflux by injection rate, order of filling, embolization of a bleeding obturator.

use super::*;
use std::path::Path;
use std::sync::OnceLock;

use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::sim::Snapshot;
use cathnav::sim::command::{AcquisitionKind, Pedal};
use cathnav::sim::snapshot::{Pulse, Technique};
use cathnav::xray::{CArm, DetectorProgram, ExposureControl};

fn anatomy() -> &'static cathnav::anatomy::Anatomy {
    static ANATOMY: OnceLock<cathnav::anatomy::Anatomy> = OnceLock::new();
    ANATOMY.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/pelvis");
        cathnav::anatomy::load(&dir).unwrap()
    })
}

fn tree() -> VesselTree {
    anatomy().tree.clone()
}

fn place(tree: &VesselTree, name: &str, share: f64) -> VesselPlace {
    let vessel = tree.find(name).unwrap();
    VesselPlace { vessel, arc_mm: share * tree.branch(vessel).length_mm() }
}

#[test]
fn every_bed_gets_its_resting_flow() {
    let tree = tree();
    let mut rig = Rig::with(&tree, &anatomy().circulation, &[], &[]);
    assert_eq!(rig.net.anastomoses.len(), 3);
    rig.run(15.0, &[]);
    let mut sums = vec![0.0; rig.net.outlets.len()];
    for _ in 0..1800 {
        rig.tick(&[]);
        for (s, q) in sums.iter_mut().zip(&rig.flow.outlet_flow_ml_per_s) {
            *s += q / 1800.0;
        }
    }
    let mut worst: f64 = 0.0;
    for (o, mean) in rig.net.outlets.iter().zip(&sums) {
        worst = worst.max((mean / o.resting_flow_ml_per_s - 1.0).abs());
    }
    println!("{} cells, {} outlets", rig.net.cells(), sums.len());
    residual("pelvis: resting flows", "worst of all beds under the pulse", worst, "0.01");
    assert!(worst < 0.01);
    let total: f64 = sums.iter().sum();
    let aorta = rig.flow.mean_flow_at(&rig.net, place(&tree, "aorta.abdominal", 0.1));
    assert!((aorta / total - 1.0).abs() < 0.1);
}

/// Most contrast at the watched places while `rate` mL/s are injected into the left internal iliac.
fn tabulate(test: &str, rate: f64, unit: &str, most: &[f64; 4]) {
    let places = ["posterior division", "end of the common iliac", "external iliac", "aortic bifurcation"];
    for (place, most) in places.iter().zip(most) {
        value(test, &format!("{rate} mL/s into the internal iliac, {place}, {unit}"), *most, "asserted");
    }
}

#[test]
fn reflux_from_the_internal_iliac_follows_the_rate() {
    let tree = tree();
    let tip = place(&tree, "internal_iliac.left", 0.5);
    let seen = |rate: f64| {
        let mut rig = Rig::new(&tree, &[], &[]);
        rig.run(3.0, &[]);
        let mut most = [0.0_f64; 4];
        let watched = [
            place(&tree, "internal_iliac.left.posterior", 0.5),
            place(&tree, "common_iliac.left", 0.97),
            place(&tree, "external_iliac.left", 0.3),
            place(&tree, "aorta.abdominal", 0.99),
        ];
        for _ in 0..(60.0 * 12.0_f64.min(12.0 / rate * 2.0)) as usize {
            rig.tick(&[iodine_source(tip, rate)]);
            for (m, p) in most.iter_mut().zip(watched) {
                *m = m.max(rig.iodine_at(p));
            }
        }
        let reflux = rig.events.iter().any(|e| matches!(e, EventKind::Reflux { .. }));
        assert!(rig.worst_ledger() < 1e-9);
        tabulate("pelvis: network", rate, "mg/mL", &most);
        (most, reflux)
    };
    let (two, reflux_two) = seen(2.0);
    assert!(two[0] > 50.0 && two[1] < 1.0 && two[2] < 1.0 && !reflux_two);
    let (ten, reflux_ten) = seen(10.0);
    assert!(ten[1] > 50.0 && ten[2] > 50.0 && ten[3] < 20.0 && reflux_ten);
    let (sixteen, _) = seen(16.0);
    assert!(sixteen[3] > 30.0);
}

#[test]
fn reflux_begins_when_the_injection_exceeds_the_momentary_flow() {
    let tree = tree();
    let tip = place(&tree, "internal_iliac.left", 0.5);
    let mut warm = Rig::new(&tree, &[], &[]);
    let origin = warm.net.branches[tip.vessel.idx()].face0 as usize;
    warm.run(5.0, &[]);
    // Flow through the artery's origin over two beats, after one beat of injecting.
    let flows = |rate: f64| {
        let mut rig = warm.clone();
        let source = iodine_source(tip, rate);
        let sources = if rate > 0.0 { std::slice::from_ref(&source) } else { &[] };
        rig.run(50.0 * TICK_S, sources);
        let mut flows = Vec::new();
        for _ in 0..100 {
            rig.tick(sources);
            flows.push(rig.flow.face_flow_ml_per_s[origin]);
        }
        flows
    };
    let least = |flows: &[f64]| flows.iter().copied().fold(f64::INFINITY, f64::min);
    let resting = flows(0.0);
    let lowest = least(&resting);
    let highest = -least(&resting.iter().map(|q| -q).collect::<Vec<_>>());
    value("pelvis: reflux", "the artery's flow at its highest, mL/s", highest, "beside the next");
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..14 {
        let middle = 0.5 * (low + high);
        if least(&flows(middle)) < 0.0 { high = middle } else { low = middle }
    }
    row("pelvis: reflux", "onset against the least flow of a beat, mL/s", lowest, high, "5 %");
    // At a rate within the beat's range the flow turns just while the artery's own is below it.
    let mean = resting.iter().sum::<f64>() / 100.0;
    let at_mean = flows(mean);
    let agree = resting.iter().zip(&at_mean).filter(|(q, with)| (**q < mean) == (**with < 0.0)).count();
    row("pelvis: reflux", "at the mean flow, ticks of 100 in which both agree", 100.0, agree as f64, "95");
    assert!((high / lowest - 1.0).abs() < 0.05 && agree >= 95);
}

#[test]
fn branches_fill_in_their_order_then_wash_out() {
    let tree = tree();
    let mut rig = Rig::new(&tree, &[], &[]);
    rig.run(3.0, &[]);
    let names =
        ["common_iliac.left", "internal_iliac.left", "internal_iliac.left.anterior", "obturator.left"];
    let mut arrival = [f64::INFINITY; 4];
    let source = iodine_source(place(&tree, "aorta.abdominal", 0.5), 10.0);
    for tick in 0..240 {
        rig.tick(if tick < 90 { std::slice::from_ref(&source) } else { &[] });
        for (a, name) in arrival.iter_mut().zip(names) {
            if a.is_infinite() && rig.iodine_at(place(&tree, name, 0.8)) > 20.0 {
                *a = f64::from(tick) * TICK_S;
            }
        }
    }
    for (name, at_s) in names.iter().zip(arrival) {
        value("pelvis: network", &format!("arrival at {name}, s"), at_s, "in order");
    }
    assert!(arrival.windows(2).all(|w| w[0] < w[1]) && arrival[3] < 4.0);
    rig.run(10.0, &[]);
    assert!(names.iter().all(|name| rig.iodine_at(place(&tree, name, 0.8)) < 2.0));
}

#[test]
fn a_bleeding_obturator_is_embolized_to_near_stasis() {
    let tree = tree();
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(45.0),
        flow_ml_per_min: 45.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    for lodging in [true, false] {
        let mut rig = Rig::new(&tree, std::slice::from_ref(&bleed), &[pva(145.0)]);
        rig.therapy_model.lodging_enabled = lodging;
        rig.run(5.0, &[]);
        let tip = place(&tree, "obturator.left", 0.4);
        let before = rig.flow.beats_to_clear(&rig.net, tip, 72.0);
        let source = Source {
            place: tip,
            flow_ml_per_s: 0.15,
            iodine_mg_per_ml: 290.0,
            particles: Some((0, 145.0)),
            gas_share: 0.0,
        };
        let (mut given, mut stopped_at) = (0.0, None);
        while given < 3.0 {
            rig.run(1.0, &[source]);
            rig.run(2.0, &[]);
            given += 0.15;
            if stopped_at.is_none() && rig.flow.leak_flow_ml_per_s[0] < 0.5 / 60.0 {
                stopped_at = Some(given);
            }
        }
        rig.run(6.0, &[]);
        let beats = rig.flow.beats_to_clear(&rig.net, tip, 72.0);
        println!(
            "lodging {lodging}: bleed stopped at {stopped_at:?} mL, beats to clear {before:.1} -> {beats:.1}"
        );
        assert_eq!(stopped_at.is_some(), lodging);
        assert_eq!(beats >= 5.0, lodging);
    }
}

#[test]
fn small_particles_into_the_uterine_artery_reach_the_ovary_and_large_ones_do_not() {
    let tree = tree();
    let reached = |min_mm: f64, max_mm: f64| {
        let mut agent = pva(400.0);
        agent.size_classes = vec![SizeClass { min_mm, max_mm, share: 1.0 }];
        let mut rig = Rig::with(&tree, &anatomy().circulation, &[], &[agent]);
        rig.run(5.0, &[]);
        let source = Source {
            place: place(&tree, "uterine.left", 0.7),
            flow_ml_per_s: 0.05,
            iodine_mg_per_ml: 290.0,
            particles: Some((0, 400.0)),
            gas_share: 0.0,
        };
        for _ in 0..20 {
            rig.run(2.0, &[source]);
            rig.run(3.0, &[]);
        }
        let ovary = tree.find("ovarian.left").unwrap();
        let outlet = rig.net.outlets.iter().position(|o| o.branch == ovary).unwrap();
        assert!(rig.worst_ledger() < 1e-9);
        rig.therapy.outlets[outlet].arrived.iter().sum::<f64>()
    };
    let (small, large) = (reached(0.15, 0.3), reached(0.5, 0.7));
    println!(
        "of 800 particles into the uterine artery: ovary {small:.0} of 0.15-0.3 mm, {large:.0} of 0.5-0.7 mm"
    );
    assert!(small > 8.0 && large == 0.0);
}

/// A subtracted run at 7.5 frames per second beside a rig: pictures of what the blood does.
struct Run {
    renderer: Renderer,
    snapshot: Snapshot,
    frame: u32,
    gray: Vec<u8>,
}

const PIXELS: usize = 384;
/// Gray of what has not changed since the mask.
const UNCHANGED: f64 = 0.66 * 255.0;

impl Run {
    /// An anteroposterior view of the whole pelvis.
    fn new() -> Self {
        let arm = CArm { isocenter_mm: Vec3::new(0.0, -30.0, 0.0), ..CArm::default() };
        let set = ExposureControl::for_thickness(DetectorProgram::Dsa(7.5), 220.0, &arm);
        let mut snapshot = Snapshot::default();
        snapshot.xray.arm = arm;
        snapshot.xray.technique = Technique::of(&set, 220.0, cathnav::xray::scatter::REFERENCE_GAP_MM);
        snapshot.xray.acquisition = AcquisitionKind::Dsa;
        snapshot.xray.pedal = Pedal::Acquire;
        let renderer = Renderer::new(anatomy(), &[], RendererConfig { pixels: PIXELS, seed: 5 });
        Self { renderer, snapshot, frame: 0, gray: Vec::new() }
    }

    fn take(&mut self, rig: &Rig) {
        self.snapshot.vessels =
            contrast::vessel_views(&rig.net, &rig.flow, &rig.contrast, &vec![1.0; rig.net.cells()]);
        self.snapshot.beds =
            contrast::bed_views(&rig.net, &rig.flow, &rig.contrast, &rig.therapy_model, &rig.therapy);
        self.snapshot.xray.pulse =
            Some(Pulse { number: u64::from(self.frame), run: Some(1), frame_in_run: self.frame });
        self.gray = self.renderer.render(&self.snapshot).gray;
        self.frame += 1;
    }

    /// How much darker than the mask a small patch about a point is, gray levels.
    fn darkness(&self, point_mm: &Vec3, half: usize) -> f64 {
        let projection = self.snapshot.xray.arm.projection(PIXELS);
        let (column, row, _) = projection.project(point_mm).unwrap();
        let (column, row) = (column.round() as usize, row.round() as usize);
        let mut sum = 0.0;
        for y in row - half..=row + half {
            for x in column - half..=column + half {
                sum += UNCHANGED - f64::from(self.gray[y * PIXELS + x]);
            }
        }
        sum / ((2 * half + 1) * (2 * half + 1)) as f64
    }
}

fn point(tree: &VesselTree, place: VesselPlace) -> Vec3 {
    tree.branch(place.vessel).at(place.arc_mm).position_mm
}

#[test]
fn the_picture_shows_reflux_as_the_rate_says() {
    let tree = tree();
    let tip = place(&tree, "internal_iliac.left", 0.5);
    let watched = [
        place(&tree, "internal_iliac.left.posterior", 0.6),
        place(&tree, "common_iliac.left", 0.95),
        place(&tree, "external_iliac.left", 0.35),
        place(&tree, "aorta.abdominal", 0.99),
    ];
    let darkest = |rate: f64| {
        let mut rig = Rig::new(&tree, &[], &[]);
        let mut run = Run::new();
        rig.run(3.0, &[]);
        let mut most = [0.0_f64; 4];
        for tick in 0..240 {
            if tick % 8 == 0 {
                run.take(&rig);
                if tick > 0 {
                    for (m, p) in most.iter_mut().zip(watched) {
                        *m = m.max(run.darkness(&point(&tree, p), 1));
                    }
                }
            }
            rig.tick(&[iodine_source(tip, rate)]);
        }
        tabulate("pelvis: picture", rate, "gray levels", &most);
        most
    };
    let two = darkest(2.0);
    assert!(two[0] > 25.0 && two[1..].iter().all(|d| *d < 12.0), "below the artery's flow nothing goes back");
    let ten = darkest(10.0);
    assert!(ten[1] > 60.0 && ten[2] > 60.0);
    let sixteen = darkest(16.0);
    // Against the same place when it is filled: how dark that is depends on the bone behind it.
    assert!(ten[3] < 0.43 * sixteen[3], "{} {}", ten[3], sixteen[3]);
    assert!(sixteen[3] > 80.0 && sixteen[1] > 80.0);
}

#[test]
fn the_picture_shows_branches_in_order_then_the_blush_then_nothing() {
    let tree = tree();
    let mut rig = Rig::new(&tree, &[], &[]);
    let mut run = Run::new();
    rig.run(3.0, &[]);
    run.take(&rig);
    let names =
        ["common_iliac.left", "internal_iliac.left", "internal_iliac.left.anterior", "obturator.left"];
    let points = names.map(|name| point(&tree, place(&tree, name, 0.8)));
    let source = iodine_source(place(&tree, "aorta.abdominal", 0.5), 10.0);
    let bed = rig.net.beds.iter().position(|b| b.name.contains("glut") && b.center_mm.x > 0.0).unwrap();
    let center = rig.net.beds[bed].center_mm;
    let mut arrival = [f64::INFINITY; 4];
    let (mut artery_clear_s, mut blush, mut early) = (f64::INFINITY, 0.0_f64, 0.0_f64);
    for tick in 1..=60 * 14 {
        rig.tick(if tick < 120 { std::slice::from_ref(&source) } else { &[] });
        if tick % 8 != 0 {
            continue;
        }
        run.take(&rig);
        let time_s = f64::from(tick) * TICK_S;
        for (a, p) in arrival.iter_mut().zip(&points) {
            if a.is_infinite() && run.darkness(p, 1) > 12.0 {
                *a = time_s;
            }
        }
        let stain = run.darkness(&center, 6);
        if time_s < 1.0 {
            early = early.max(stain);
        }
        if time_s > 5.0 {
            blush = blush.max(stain);
        }
        if artery_clear_s.is_infinite() && time_s > 3.0 && run.darkness(&points[0], 1) < 6.0 {
            artery_clear_s = time_s;
        }
    }
    for (name, at_s) in names.iter().zip(arrival) {
        value("pelvis: picture", &format!("arrival at {name}, s"), at_s, "in order");
    }
    value("pelvis: picture", "artery clear after, s", artery_clear_s, "9");
    value("pelvis: picture", "gluteal blush in the first second, gray levels", early, "below the next");
    value("pelvis: picture", "the same after five seconds", blush, "by 2 above");
    assert!(arrival.windows(2).all(|w| w[0] < w[1]) && arrival[3] < 4.0);
    assert!(artery_clear_s < 9.0 && blush > early + 2.0);
    rig.run(60.0, &[]);
    run.take(&rig);
    let late = run.darkness(&center, 6).abs();
    value("pelvis: picture", "blush after a minute, gray levels", late, "2");
    assert!(late < 2.0 && run.darkness(&points[0], 1) < 4.0);
}
