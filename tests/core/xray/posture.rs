//! How the patient lies: arms beside or up, front wall and ribs that breathe, thickness that follows the breath.

use cathnav::anatomy::{BodySurface, Breathing, Material};
use cathnav::math::Vec3;
use cathnav::scenario::{Arms, Room};
use cathnav::sim::command::{Command, Pedal};
use cathnav::sim::event::EventKind;
use cathnav::sim::exposure;
use cathnav::xray::{BodyModel, CArm, Posture, Substance};

use super::super::table::{row, value};
use super::motion::trunk;
use super::room::RoomRig;

/// Thickness in water of a ray, 60 keV, mm.
fn water_mm(model: &BodyModel, arm: &CArm) -> f64 {
    const PIXELS: usize = 65;
    let map = model.project(&arm.projection(PIXELS));
    let middle = PIXELS / 2 * PIXELS + PIXELS / 2;
    let mu = |s: Substance| s.mass_attenuation_cm2_per_g(60.0);
    let bone_as_water = mu(Substance::CorticalBone) / mu(Substance::Water);
    10.0 * (f64::from(map.water_g_per_cm2[middle]) + bone_as_water * f64::from(map.bone_g_per_cm2[middle]))
}

#[test]
fn arms_beside_the_body_lie_in_a_lateral_beam_and_arms_up_do_not() {
    let mut model = BodyModel::new(&trunk());
    // Through the middle of both upper arms, half way from the shoulder (y = -8) down to the table, whose top is at y = 90 mm.
    let arm = CArm { primary_deg: 90.0, isocenter_mm: Vec3::new(0.0, 16.5, 257.5), ..CArm::default() };
    let bare = water_mm(&model, &arm);
    model.set_arms(Some(Arms::Up));
    let up = water_mm(&model, &arm);
    model.set_arms(Some(Arms::Beside));
    let beside = water_mm(&model, &arm);
    let mu =
        |s: Substance| s.mass_attenuation_cm2_per_g(60.0) / Substance::Water.mass_attenuation_cm2_per_g(60.0);
    // An arm by hand, 90 mm across: fat, muscle, shaft and canal of the humerus.
    let of_arm = 12.0 * 0.95 * mu(Substance::Fat)
        + (78.0 - 23.0) * 1.05 * mu(Substance::SoftTissue)
        + 10.0 * 1.92 * mu(Substance::CorticalBone)
        + 13.0 * 0.98 * mu(Substance::SoftTissue);
    row("posture", "both arms in a lateral ray, mm of water", 2.0 * of_arm, beside - bare, "3 %");
    value("posture", "arms up in the same ray, mm of water", up - bare, "0");
    assert!(((beside - bare) / (2.0 * of_arm) - 1.0).abs() < 0.03, "{beside} {bare} {of_arm}");
    assert_eq!(up, bare);
    // Under a vertical beam they are out of the field.
    let ap = CArm { primary_deg: 0.0, ..arm };
    let thick = |arms| model.water_equivalent_of(&ap, &Posture { breath: 0.0, arms });
    assert_eq!(thick(None), thick(Some(Arms::Beside)));
    // Arms up show where they are: over a field at the head.
    let head = CArm { isocenter_mm: Vec3::new(158.0, 0.0, 660.0), field_mm: 160.0, ..CArm::default() };
    assert!(model.water_equivalent_of(&head, &Posture { breath: 0.0, arms: Some(Arms::Up) }) > 50.0);
    assert_eq!(model.water_equivalent_of(&head, &Posture { breath: 0.0, arms: Some(Arms::Beside) }), 0.0);
}

#[test]
fn the_exposure_control_pays_for_arms_in_the_beam() {
    let kerma = |arms: Arms| {
        let mut rig = RoomRig::of(&trunk(), &Room { isocenter_mm: (0.0, 30.0, 240.0), ..Room::default() });
        rig.run(&[Command::SetArms(arms), Command::SetAngles { primary_deg: 90.0, secondary_deg: 0.0 }], 240);
        rig.run(&[Command::SetPedal(Pedal::Acquire)], 30);
        rig.run(&[Command::SetArms(Arms::Up)], 1);
        let is_refusal =
            |e: &EventKind| matches!(e, EventKind::Refused { reason, .. } if reason.contains("beam off"));
        assert!(rig.events.iter().any(is_refusal), "not while the beam is on");
        let view = exposure::view(&rig.state);
        assert_eq!(view.arms, Some(arms));
        // What the control would give without the limits of the tube.
        (view.technique.water_equivalent_mm, view.technique.kerma_per_pulse_mgy / view.technique.dose_share)
    };
    let (beside, up) = (kerma(Arms::Beside), kerma(Arms::Up));
    value("posture", "lateral, arms beside: thickness, mm", beside.0, "");
    value("posture", "lateral, arms up: thickness, mm", up.0, "");
    value(
        "posture",
        "kerma asked for by a lateral DSA frame, arms beside over arms up",
        beside.1 / up.1,
        "> 2",
    );
    assert!(beside.0 > up.0 + 20.0 && beside.1 > 2.0 * up.1);
    assert_eq!(Room::default().arms, Arms::Beside, "as a patient lies by default");
}

#[test]
fn thickness_follows_the_breath() {
    let mut rig = RoomRig::of(&trunk(), &Room { isocenter_mm: (0.0, -20.0, 110.0), ..Room::default() });
    rig.run(&[Command::SetPedal(Pedal::Fluoro)], 60);
    let mut at = |breath: f64| {
        rig.breath = breath;
        rig.run(&[], 10);
        exposure::view(&rig.state).technique.water_equivalent_mm
    };
    let (out, middle, full) = (at(-1.0), at(0.0), at(1.0));
    let model = BodyModel::new(&trunk());
    let arm = CArm { isocenter_mm: Vec3::new(0.0, -20.0, 110.0), ..exposure::view(&rig.state).arm };
    let direct = |breath| model.water_equivalent_of(&arm, &Posture { breath, arms: None });
    row("posture", "thickness of the belly, breath out, mm", direct(-1.0), out, "exact");
    row(
        "posture",
        "thickness of the belly, middle of a breath (straight between the ends), mm",
        direct(0.0),
        middle,
        "1 mm",
    );
    row("posture", "thickness of the belly, breath in, mm", direct(1.0), full, "exact");
    assert!((out - direct(-1.0)).abs() < 1e-9 && (full - direct(1.0)).abs() < 1e-9);
    assert!((middle - direct(0.0)).abs() < 1.0 && full > out + 4.0);
}

#[test]
fn front_wall_and_ribs_breathe_as_far_as_in_a_quiet_breath() {
    let anatomy = trunk();
    let breathing = Breathing::of(&anatomy).unwrap();
    let at = |x: f64, y: f64, z: f64| Vec3::new(x, y, z);
    let belly = -2.0 * breathing.of_wall_mm(&at(0.0, -110.0, 90.0)).y;
    let breast = -2.0 * breathing.of_wall_mm(&at(0.0, -120.0, 330.0)).y;
    // Front end of the sixth rib, and the head of it.
    let front = breathing.of_rib_mm(&at(84.0, -120.0, 245.0)) * 2.0;
    let head = breathing.of_rib_mm(&at(21.0, 23.0, 350.0)) * 2.0;
    value("posture", "belly, forwards in a quiet breath, mm", belly, "8");
    value("posture", "breast, forwards, mm", breast, "4");
    value("posture", "front end of a rib, forwards and up, mm", front.y.hypot(front.z), "3-6");
    value("posture", "front end of a rib, outwards, mm", front.x, "1-4");
    value("posture", "head of a rib, mm", head.norm(), "< 0.2");
    assert!((belly - 8.0).abs() < 1e-9 && (breast - 4.0).abs() < 1e-9);
    assert!(
        (3.0..6.0).contains(&front.y.hypot(front.z)) && (1.0..4.0).contains(&front.x) && head.norm() < 0.2
    );
    assert_eq!(breathing.of_wall_mm(&at(0.0, 90.0, 100.0)), Vec3::zeros(), "the back lies on the table");
    // On a ray through the belly: 8 mm more of muscle, the fat before it as thick as ever.
    let model = BodyModel::new(&anatomy);
    let arm = CArm { isocenter_mm: at(0.0, -20.0, 100.0), field_mm: 220.0, ..CArm::default() };
    let p = arm.projection(65);
    let middle = 32 * 65 + 32;
    let of = |breath: f64| f64::from(model.project_wall(&p, breath).water_g_per_cm2[middle]);
    let per_mm = f64::from(
        BodyModel::from_surfaces(&[BodySurface {
            name: "muscle".to_owned(),
            material: Material::SoftTissue,
            density_g_per_cm3: 1.05,
            mesh: super::block(at(0.0, -20.0, 100.0), at(50.0, 5.0, 50.0)),
        }])
        .project_wall(&p, 0.0)
        .water_g_per_cm2
        .iter()
        .sum::<f32>(),
    );
    assert_eq!(per_mm, 0.0, "a surface without lungs or organs beside it has no wall that breathes");
    let expected = 8.0 * 0.105 * cathnav::xray::thickness::WaterBone::of(Substance::SoftTissue).water;
    row(
        "posture",
        "water of a ray through the belly, full in less full out, g/cm2",
        expected,
        of(1.0) - of(-1.0),
        "2 %",
    );
    assert!(((of(1.0) - of(-1.0)) / expected - 1.0).abs() < 0.02);
    // Ribs belong to what moves.
    let mut with_rib = anatomy.clone();
    with_rib.body.push(BodySurface {
        name: "rib_6.left".to_owned(),
        material: Material::TrabecularBone,
        density_g_per_cm3: 1.4,
        mesh: super::block(at(84.0, -100.0, 245.0), at(6.0, 4.0, 5.0)),
    });
    let still = |a| BodyModel::new(a).project_still(&p, cathnav::xray::Spongiosa::Even);
    assert_eq!(still(&with_rib), still(&anatomy));
}
