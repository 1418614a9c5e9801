//! From signal to gray: subtraction, roadmap, orientation, threads.

use cathnav::anatomy::{Anatomy, Material, VesselTree};
use cathnav::imaging::{FrameKind, Renderer, RendererConfig, render_still};
use cathnav::math::Vec3;
use cathnav::sim::command::{AcquisitionKind, Pedal};
use cathnav::sim::snapshot::Pulse;
use cathnav::xray::{CArm, DetectorProgram};

use super::{
    block, filled, shot, slab, sphere, steel_wire, straight_rod, straight_vessel, surface, technique,
};

#[test]
fn subtraction_of_a_still_scene_is_zero_and_shows_contrast_dark() {
    let vessel = straight_vessel(2.0, Vec3::new(-40.0, 0.0, -100.0), Vec3::new(-40.0, 0.0, 100.0));
    let mut body = slab(100.0);
    body.push(surface(
        Material::CorticalBone,
        1.92,
        block(Vec3::new(30.0, 0.0, 20.0), Vec3::new(20.0, 15.0, 30.0)),
    ));
    let anatomy = Anatomy { body, tree: VesselTree { branches: vec![vessel] }, ..Anatomy::default() };
    let pixels = 256;
    let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels, seed: 11 });
    let arm = CArm::default();
    let mut snapshot = shot(arm, technique(DetectorProgram::Dsa(3.0), 200.0, &arm), 0);
    snapshot.xray.acquisition = AcquisitionKind::Dsa;
    snapshot.xray.pedal = Pedal::Acquire;
    let mut frame_of = |k: u32, iodine: f32, renderer: &mut Renderer| {
        snapshot.xray.pulse = Some(Pulse { number: u64::from(k), run: Some(1), frame_in_run: k });
        snapshot.vessels = vec![filled(200.0, iodine)];
        renderer.render(&snapshot)
    };
    assert_eq!(frame_of(0, 0.0, &mut renderer).kind, FrameKind::Native);
    let still: Vec<_> = (1..5).map(|k| frame_of(k, 0.0, &mut renderer)).collect();
    let p = arm.projection(pixels);
    let column_of = |x: f64| p.project(&Vec3::new(x, 0.0, 20.0)).unwrap();
    let patch = |frame: &cathnav::imaging::Frame, x: f64, half: usize| {
        let (c, r, _) = column_of(x);
        let mut sum = 0.0;
        for y in r as usize - 12..r as usize + 12 {
            for x in c as usize - half..=c as usize + half {
                sum += f64::from(frame.gray[y * pixels + x]);
            }
        }
        sum / (24.0 * (2 * half + 1) as f64)
    };
    let background = 0.66 * 255.0;
    for frame in &still {
        assert_eq!(frame.kind, FrameKind::Dsa);
        let mean = frame.gray.iter().map(|g| f64::from(*g)).sum::<f64>() / frame.gray.len() as f64;
        println!(
            "still scene: mean gray {:+.3} from zero; over bone {:+.3}",
            mean - background,
            patch(frame, 30.0, 10) - background
        );
        assert!((mean - background).abs() < 0.5, "mean of the difference is zero");
        assert!((patch(frame, 30.0, 10) - background).abs() < 1.5, "bone is gone");
    }
    frame_of(5, 300.0, &mut renderer);
    let contrast = frame_of(6, 300.0, &mut renderer);
    let (vessel_gray, beside) = (patch(&contrast, -40.0, 1), patch(&contrast, -70.0, 6));
    println!("DSA: vessel {vessel_gray:.1}, beside {beside:.1}");
    assert!(vessel_gray < beside - 60.0, "dark vessel on gray");
    // The roadmap of that run lies over live fluoroscopy, lighter than the same place without it.
    let mut live = shot(arm, technique(DetectorProgram::Fluoro(15.0), 200.0, &arm), 7);
    let plain = renderer.render(&live);
    live.xray.roadmap = true;
    live.xray.pulse = Some(Pulse { number: 8, run: None, frame_in_run: 0 });
    let road = renderer.render(&live);
    assert_eq!((plain.kind, road.kind), (FrameKind::Fluoro, FrameKind::Roadmap));
    assert!(patch(&road, -40.0, 1) > patch(&plain, -40.0, 1) + 30.0);
    assert!((patch(&road, 70.0, 6) - patch(&plain, 70.0, 6)).abs() < 8.0);
    live.xray.arm.isocenter_mm.x = 14.0;
    let moved = renderer.render(&live);
    assert_eq!(moved.kind, FrameKind::Fluoro);
    assert!((moved.roadmap_moved_mm.unwrap() - 14.0).abs() < 1e-6);
}

#[test]
fn a_vessel_of_four_millimeters_stands_out_of_the_noise() {
    let vessel = straight_vessel(2.0, Vec3::new(0.0, 0.0, -100.0), Vec3::new(0.0, 0.0, 100.0));
    let anatomy =
        Anatomy { body: slab(110.0), tree: VesselTree { branches: vec![vessel] }, ..Anatomy::default() };
    let pixels = 512;
    let arm = CArm::default();
    let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels, seed: 2 });
    let mut snapshot = shot(arm, technique(DetectorProgram::Fluoro(7.5), 220.0, &arm), 0);
    snapshot.vessels = vec![filled(200.0, 300.0)];
    renderer.render(&snapshot);
    let log: Vec<f64> = renderer.signal_kev().iter().map(|v| f64::from(*v).ln()).collect();
    let statistics = |columns: std::ops::Range<usize>| {
        let values: Vec<f64> =
            (200..312).flat_map(|y| columns.clone().map(move |x| y * pixels + x)).map(|i| log[i]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    };
    let (inside, (beside, sigma)) = (statistics(255..257).0, statistics(275..315));
    let ratio = (beside - inside) / sigma;
    println!(
        "4 mm vessel, 300 mgI/mL, 22 cm: ln contrast {:.3}, noise {sigma:.4}, ratio {ratio:.1}",
        beside - inside
    );
    assert!(ratio > 5.0);
}

#[test]
fn the_picture_is_oriented_as_a_radiologist_expects() {
    // A bone on the patient's left, a head-ward steel wire on the right front: asymmetric in all three axes.
    let mut body = slab(100.0);
    let bone_at = Vec3::new(60.0, 40.0, -30.0);
    body.push(surface(Material::CorticalBone, 1.92, block(bone_at, Vec3::new(12.0, 12.0, 12.0))));
    let anatomy = Anatomy { body, ..Anatomy::default() };
    let wire = steel_wire(1.5);
    let wire_at = Vec3::new(-50.0, -60.0, 40.0);
    for (primary_deg, secondary_deg) in [(0.0, 0.0), (30.0, 0.0), (0.0, 30.0)] {
        let arm = CArm { primary_deg, secondary_deg, ..CArm::default() };
        let mut renderer =
            Renderer::new(&anatomy, std::slice::from_ref(&wire), RendererConfig { pixels: 256, seed: 5 });
        let mut snapshot = shot(arm, technique(DetectorProgram::Cine(15.0), 200.0, &arm), 0);
        snapshot.rods = vec![straight_rod(wire_at, Vec3::z(), 40.0)];
        let frame = renderer.render(&snapshot);
        let mean = |p: Vec3, half: i64| {
            let (c, r, _) = arm.projection(256).project(&p).unwrap();
            let (mut sum, mut n) = (0.0, 0.0);
            for y in -half..=half {
                for x in -half..=half {
                    sum += f64::from(frame.gray[((r as i64 + y) * 256 + c as i64 + x) as usize]);
                    n += 1.0;
                }
            }
            (sum / n, c, r)
        };
        let (bone, bone_column, bone_row) = mean(bone_at, 3);
        let (wire_gray, wire_column, wire_row) = mean(wire_at + Vec3::new(0.0, 0.0, 20.0), 0);
        let (plain, _, _) = mean(Vec3::new(10.0, 0.0, 0.0), 8);
        println!("{primary_deg}/{secondary_deg}: bone {bone:.0}, wire {wire_gray:.0}, plain {plain:.0}");
        assert!(bone < plain - 15.0, "bone is dark");
        assert!(wire_gray < plain - 20.0, "a wire is dark");
        assert!(wire_column < bone_column, "patient's right on screen left");
        assert!(wire_row < bone_row, "head up");
        let ap = CArm::default().projection(256);
        if primary_deg > 0.0 {
            assert!(
                wire_column < ap.project(&wire_at).unwrap().0,
                "LAO takes front structures to screen left"
            );
        }
        if secondary_deg > 0.0 {
            assert!(
                wire_row > ap.project(&(wire_at + Vec3::z() * 20.0)).unwrap().1,
                "CRA takes front structures down"
            );
        }
    }
}

#[test]
fn the_picture_is_the_same_for_any_number_of_threads() {
    let vessel = straight_vessel(2.0, Vec3::new(-40.0, 5.0, -100.0), Vec3::new(-30.0, 0.0, 100.0));
    let mut body = slab(100.0);
    body.push(surface(Material::CorticalBone, 1.92, sphere(40.0, Vec3::new(20.0, 0.0, 0.0), 24)));
    let anatomy = Anatomy { body, tree: VesselTree { branches: vec![vessel] }, ..Anatomy::default() };
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let arm = CArm { primary_deg: 10.0, ..CArm::default() };
            let mut renderer =
                Renderer::new(&anatomy, &[steel_wire(0.89)], RendererConfig { pixels: 200, seed: 4 });
            let mut frames = Vec::new();
            for number in 0..6 {
                let mut snapshot = shot(arm, technique(DetectorProgram::Fluoro(7.5), 200.0, &arm), number);
                snapshot.vessels = vec![filled(200.0, 50.0 * number as f32)];
                snapshot.rods = vec![straight_rod(Vec3::new(number as f64, 0.0, -60.0), Vec3::z(), 100.0)];
                if number > 2 {
                    snapshot.xray.pulse =
                        Some(Pulse { number, run: Some(1), frame_in_run: number as u32 - 3 });
                    snapshot.xray.pedal = Pedal::Acquire;
                }
                frames.push(renderer.render(&snapshot));
            }
            frames.push(renderer.held().unwrap());
            frames
        })
    };
    let (one, three) = (with_threads(1), with_threads(3));
    assert!(one == three);
    let distinct = one[..6].windows(2).all(|w| w[0].gray != w[1].gray);
    assert!(distinct, "frames differ from each other");
}

#[test]
fn a_picture_of_an_empty_anatomy_is_made_too() {
    let frame =
        render_still(&Anatomy::default(), &CArm::default(), true, RendererConfig { pixels: 64, seed: 1 });
    assert_eq!(frame.gray.len(), 64 * 64);
}
