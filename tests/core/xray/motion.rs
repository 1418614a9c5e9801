//! Breathing and heart: layers, breath hold, misregistration, vessels that move.

use cathnav::anatomy::{Anatomy, BodySurface, Breathing, Material, Mesh, VesselTree};
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::math::Vec3;
use cathnav::scenario::Patient;
use cathnav::sim::EventKind;
use cathnav::sim::command::{AcquisitionKind, Pedal};
use cathnav::sim::physiology::{self, PhysiologyInputs, PhysiologyState};
use cathnav::sim::snapshot::Pulse;
use cathnav::units::TICK_S;
use cathnav::xray::{BodyModel, BodyMotion, CArm, DetectorProgram, Spongiosa};

use super::super::table::{row, value};
use super::{block, filled, shot, sphere, straight_vessel, technique};

/// A block whose faces are cut into small squares, so that it can bulge.
fn fine_block(center: Vec3, half: Vec3) -> Mesh {
    const CUTS: u32 = 24;
    let mut mesh = Mesh::default();
    for axis in 0..3 {
        for side in [-1.0, 1.0] {
            let first = mesh.vertices_mm.len() as u32;
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            for i in 0..=CUTS {
                for j in 0..=CUTS {
                    let mut p = Vec3::zeros();
                    p[axis] = side;
                    p[u] = 2.0 * f64::from(i) / f64::from(CUTS) - 1.0;
                    p[v] = 2.0 * f64::from(j) / f64::from(CUTS) - 1.0;
                    mesh.vertices_mm.push(center + half.component_mul(&p));
                }
            }
            let at = |i: u32, j: u32| first + i * (CUTS + 1) + j;
            for i in 0..CUTS {
                for j in 0..CUTS {
                    let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
                    let both = if side > 0.0 { [[a, b, c], [a, c, d]] } else { [[a, c, b], [a, d, c]] };
                    mesh.triangles.extend(both);
                }
            }
        }
    }
    mesh
}

/// A trunk with a liver, a kidney in its fat, a gas bubble, a lung with the heart, and a spine.
pub(crate) fn trunk() -> Anatomy {
    let surface = |name: &str, material, density_g_per_cm3, mesh| BodySurface {
        name: name.to_owned(),
        material,
        density_g_per_cm3,
        mesh,
    };
    let at = |x: f64, y: f64, z: f64| Vec3::new(x, y, z);
    let body = vec![
        surface("skin", Material::Fat, 0.95, fine_block(at(0.0, -20.0, 180.0), at(160.0, 110.0, 300.0))),
        surface(
            "muscle",
            Material::SoftTissue,
            1.05,
            fine_block(at(0.0, -20.0, 180.0), at(140.0, 90.0, 290.0)),
        ),
        surface("lung.left", Material::SoftTissue, 0.3, sphere(60.0, at(70.0, -20.0, 330.0), 24)),
        surface("heart", Material::SoftTissue, 1.05, sphere(40.0, at(60.0, -40.0, 310.0), 24)),
        surface("fat.kidney.left", Material::Fat, 0.95, sphere(45.0, at(62.0, 14.0, 158.0), 24)),
        surface("liver", Material::SoftTissue, 1.05, sphere(60.0, at(-75.0, -20.0, 200.0), 24)),
        surface("kidney.left", Material::SoftTissue, 1.05, sphere(28.0, at(62.0, 14.0, 158.0), 24)),
        surface(
            "vertebra.cortex",
            Material::CorticalBone,
            1.92,
            block(at(0.0, 30.0, 160.0), at(14.0, 15.0, 120.0)),
        ),
        surface("gas.transverse_colon", Material::Air, 0.0012, sphere(15.0, at(20.0, -80.0, 110.0), 16)),
    ];
    let vessel = straight_vessel(3.0, Vec3::new(-70.0, -30.0, 120.0), Vec3::new(-70.0, -30.0, 220.0));
    Anatomy { body, tree: VesselTree { branches: vec![vessel] }, ..Anatomy::default() }
}

fn arm() -> CArm {
    CArm { isocenter_mm: Vec3::new(0.0, -20.0, 180.0), sid_mm: 1000.0, ..CArm::default() }
}

#[test]
fn layers_at_rest_add_up_to_the_whole_body() {
    let anatomy = trunk();
    let p = arm().projection(256);
    let model = BodyModel::new(&anatomy);
    assert_eq!(model.moves(), (true, true));
    let whole = model.project(&p);
    let (still, moving) = (
        model.project_still(&p, Spongiosa::Uneven),
        model.project_moving(&p, BodyMotion::default(), Spongiosa::Uneven),
    );
    let mut worst = 0.0_f32;
    for i in 0..whole.water_g_per_cm2.len() {
        worst = worst
            .max((still.water_g_per_cm2[i] + moving.water_g_per_cm2[i] - whole.water_g_per_cm2[i]).abs())
            .max((still.bone_g_per_cm2[i] + moving.bone_g_per_cm2[i] - whole.bone_g_per_cm2[i]).abs());
    }
    value("motion", "layers at rest against the whole body, worst, g/cm2", f64::from(worst), "0.01");
    assert!(worst < 0.01);
}

#[test]
fn organs_move_by_what_a_quiet_breath_moves_them() {
    let anatomy = trunk();
    let breathing = Breathing::of(&anatomy).unwrap();
    let way = |p: Vec3| -2.0 * breathing.displacement_mm(&p).z;
    let at = |x: f64, y: f64, z: f64| Vec3::new(x, y, z);
    value("motion", "dome of the diaphragm, mm", way(at(-75.0, -20.0, 255.0)), "12-18");
    value("motion", "kidney, mm", way(at(62.0, 14.0, 158.0)), "8-16");
    value("motion", "aorta before L3, mm", way(at(12.0, -2.0, 70.0)), "< 2");
    value("motion", "true pelvis, mm", way(at(40.0, -30.0, -60.0)), "0");
    assert!((12.0..18.0).contains(&way(at(-75.0, -20.0, 255.0))));
    assert!((8.0..16.0).contains(&way(at(62.0, 14.0, 158.0))));
    assert!(way(at(12.0, -2.0, 70.0)) < 2.0 && way(at(40.0, -30.0, -60.0)) == 0.0);
    assert!(Breathing::of(&Anatomy::default()).is_none());
    // In the picture: the middle of the kidney's shadow goes down as far as the field says.
    let p = arm().projection(512);
    let model = BodyModel::new(&anatomy);
    let gas_row = |breath: f64| {
        let map = model.project_moving(&p, BodyMotion { breath, contraction: 0.0 }, Spongiosa::Uneven);
        let (c, r, m) = p.project(&at(20.0, -80.0, 110.0)).unwrap();
        let (mut sum, mut of) = (0.0, 0.0);
        for y in r as usize - 60..r as usize + 60 {
            let less = f64::from(-map.water_g_per_cm2[y * 512 + c as usize]).max(0.0);
            sum += less * y as f64;
            of += less;
        }
        sum / of * p.pixel_mm / m
    };
    let field = 2.0 * breathing.displacement_mm(&at(20.0, -80.0, 110.0)).z;
    row(
        "motion",
        "gas bubble from full out to full in, mm along z",
        -field,
        gas_row(1.0) - gas_row(-1.0),
        "5 %",
    );
    assert!(((gas_row(1.0) - gas_row(-1.0)) / -field - 1.0).abs() < 0.05);
}

#[test]
fn a_breath_between_mask_and_contrast_frame_shows_and_a_held_one_does_not() {
    let anatomy = trunk();
    let off = |breath: f64| {
        let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 256, seed: 11 });
        let arm = arm();
        let mut snapshot = shot(arm, technique(DetectorProgram::Dsa(3.0), 200.0, &arm), 0);
        snapshot.xray.acquisition = AcquisitionKind::Dsa;
        snapshot.xray.pedal = Pedal::Acquire;
        let mut frame = None;
        for k in 0..8_u32 {
            snapshot.xray.pulse = Some(Pulse { number: u64::from(k), run: Some(1), frame_in_run: k });
            snapshot.patient.breath = if k < 4 { -1.0 } else { breath };
            snapshot.time_s = f64::from(k + 1) / 3.0;
            frame = Some(renderer.render(&snapshot));
        }
        let gray = frame.unwrap().gray;
        (gray.iter().map(|g| (f64::from(*g) - 168.3).powi(2)).sum::<f64>() / gray.len() as f64).sqrt()
    };
    let (held, breathed) = (off(-1.0), off(0.5));
    value("motion", "DSA, breath held: deviation from gray, levels", held, "");
    value("motion", "DSA, breathed between mask and frame: the same", breathed, "> 2 x held");
    assert!(breathed > 2.0 * held);
}

#[test]
fn a_filled_vessel_moves_with_the_breath_in_the_picture() {
    let mut anatomy = trunk();
    anatomy.tree.branches[0] =
        straight_vessel(3.0, Vec3::new(-110.0, -30.0, 200.0), Vec3::new(-50.0, -30.0, 200.0));
    let arm = arm();
    let row_of = |breath: f64| {
        let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 512, seed: 1 });
        let mut snapshot = shot(arm, technique(DetectorProgram::Dsa(3.0), 200.0, &arm), 0);
        snapshot.patient.breath = breath;
        let bare = renderer.expected_signal_kev(&snapshot);
        snapshot.vessels = vec![filled(60.0, 350.0)];
        let with = renderer.expected_signal_kev(&snapshot);
        let p = arm.projection(512);
        let (c, _, m) = p.project(&Vec3::new(-80.0, -30.0, 200.0)).unwrap();
        let (mut sum, mut of) = (0.0, 0.0);
        for y in 0..512 {
            let i = y * 512 + c as usize;
            let less = f64::from((bare[i] / with[i]).ln());
            sum += less * y as f64;
            of += less;
        }
        sum / of * p.pixel_mm / m
    };
    let breathing = Breathing::of(&anatomy).unwrap();
    let field = breathing.of_vessel_mm(&Vec3::new(-80.0, -30.0, 200.0)).z;
    let found = row_of(0.55) - row_of(-0.45);
    row("motion", "filled hepatic vessel over half a breath, mm", -field, found, "6 %");
    assert!((found / -field - 1.0).abs() < 0.06);
}

#[test]
fn the_breath_is_held_for_a_while_and_then_the_patient_breathes() {
    let mut patient = PhysiologyState::new(&Patient::default());
    let mut events = Vec::new();
    let run = |patient: &mut PhysiologyState, events: &mut Vec<EventKind>, seconds: f64| {
        let mut depths = Vec::new();
        for _ in 0..(seconds / TICK_S) as usize {
            physiology::advance(patient, &PhysiologyInputs::default(), TICK_S, events);
            depths.push(patient.breath());
        }
        depths
    };
    run(&mut patient, &mut events, 3.3);
    patient.hold_breath(true, &mut events);
    let depths = run(&mut patient, &mut events, 12.0);
    let jump = depths.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
    assert!(jump < 0.05, "no jump: {jump}");
    assert!(depths[500..].iter().all(|d| (d + 1.0).abs() < 1e-9), "still after breathing out");
    assert!(patient.view().breath_held);
    let later = run(&mut patient, &mut events, 30.0);
    assert!(later.iter().any(|d| *d > 0.5), "breathes again");
    assert!(!patient.view().breath_held);
    assert!(events.iter().any(|e| matches!(e, EventKind::Said(s) if s.contains("breathe"))));
    // Who is deeply sedated does not follow.
    patient.give("midazolam", 5.0, &mut events);
    patient.give("fentanyl", 150.0, &mut events);
    run(&mut patient, &mut events, 600.0);
    events.clear();
    patient.hold_breath(true, &mut events);
    assert!(matches!(events.first(), Some(EventKind::Refused { .. })), "{:?}", patient.sedation());
}

#[test]
fn the_first_picture_of_a_new_angle_is_coarse_and_the_second_is_not() {
    let anatomy = trunk();
    let render = |angles: &[f64]| {
        let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 256, seed: 3 });
        let mut out = Vec::new();
        for (number, primary_deg) in angles.iter().enumerate() {
            let arm = CArm { primary_deg: *primary_deg, ..arm() };
            let mut t = technique(DetectorProgram::Fluoro(7.5), 200.0, &arm);
            t.pulse_ms *= 1e4;
            renderer.render(&shot(arm, t, number as u64));
            out = renderer.signal_kev().to_vec();
        }
        out
    };
    let (straight, coarse, fine) = (
        render(&[20.0]),
        render(&[0.0, 20.0]),
        render(&[0.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0, 20.0]),
    );
    let off = |a: &[f32]| {
        let sum: f64 = a.iter().zip(&straight).map(|(a, b)| f64::from((a / b).ln()).powi(2)).sum();
        (sum / a.len() as f64).sqrt()
    };
    value("motion", "coarse first picture of an angle: rms of ln signal", off(&coarse), "0.05");
    value("motion", "refined picture: rms of ln signal", off(&fine), "0.005");
    assert!(off(&coarse) < 0.05 && off(&fine) < 0.005 && off(&fine) < off(&coarse));
}
