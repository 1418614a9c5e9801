//! The session as a whole: determinism, snapshot and restore, recording and replay, harmless nonsense.

use std::sync::{Arc, OnceLock};

use cathnav::scenario::Case;
use cathnav::sim::command::{Command, Fluid, Pedal};
use cathnav::sim::record::{RecordError, Recording};
use cathnav::sim::{Model, Session, State, session};

const CASE: &str = r#"#![enable(implicit_some)]
Case(
    format: 1, id: "t", title: "t",
    briefing: (story: "", task: ""),
    anatomy: (model: "pelvis", lesions: [Bleeding(name: "b", vessel: "obturator.left", at: Mm(30), flow_ml_per_min: 40)]),
    access: (site: "femoral.right", sheath: "sheath.5f.110"),
    tray: ["wire.hydrophilic_angled.035", "catheter.cobra_c2.5f", "microcatheter.2_4f"],
    steps: [], score: (pass: 0),
)"#;

/// The pelvis with a small tray, compiled once.
pub(crate) fn model() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL
        .get_or_init(|| {
            let root = cathnav::assets::root().unwrap();
            let case: Case = ron::from_str(CASE).unwrap();
            let anatomy = cathnav::anatomy::load(&root.join("assets/anatomy/pelvis")).unwrap();
            let catalog = cathnav::device::load_catalog(&root.join("assets")).unwrap();
            let mut model = Model::compile(&case, &anatomy, &catalog).unwrap();
            CASE.clone_into(&mut model.case_text);
            Arc::new(model)
        })
        .clone()
}

/// Wire up with fluoroscopy, catheter over it, a puff.
fn work(session: &mut Session, ticks: u64) {
    let wire = session.model().tool("wire.hydrophilic_angled.035").unwrap();
    let catheter = session.model().tool("catheter.cobra_c2.5f").unwrap();
    for _ in 0..ticks {
        match session.state().tick {
            0 => session.submit(Command::Load { rod: 0, tool: wire }),
            1 => session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 60.0 }),
            30 => session.submit(Command::SetPedal(Pedal::Fluoro)),
            150 => session.submit(Command::SetSpin { tool: wire, rate_deg_per_s: 90.0 }),
            300 => {
                session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 0.0 });
                session.submit(Command::SetSpin { tool: wire, rate_deg_per_s: 0.0 });
                session.submit(Command::Load { rod: 0, tool: catheter });
            }
            301 => session.submit(Command::SetFeed { tool: catheter, speed_mm_per_s: 60.0 }),
            480 => {
                session.submit(Command::Connect { tool: catheter });
                session.submit(Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 10.0 });
                session.submit(Command::SetHandInjection(2.0));
            }
            _ => {}
        }
        session.step();
    }
}

#[test]
fn two_runs_give_the_same_bits_and_a_restored_state_goes_on_the_same() {
    let mut a = Session::new(model(), 1);
    let mut b = Session::new(model(), 1);
    work(&mut a, 500);
    work(&mut b, 400);
    let bytes = postcard::to_stdvec(b.state()).unwrap();
    let saved: State = postcard::from_bytes(&bytes).unwrap();
    let mut c = Session::new(model(), 1);
    c.restore(saved);
    work(&mut b, 100);
    work(&mut c, 100);
    println!("after 500 ticks: {}", a.hash());
    assert_eq!(a.hash(), b.hash());
    assert_eq!(a.hash(), c.hash());
    let rod = &a.snapshot().rods[0];
    println!("wire {:.1} mm, catheter {:.1} mm", rod.devices[1].inserted_mm, rod.devices[0].inserted_mm);
    assert!(rod.devices[1].inserted_mm > 150.0, "the wire went in");
}

#[test]
fn a_replay_verifies_and_an_altered_command_is_found_at_its_second() {
    let mut a = Session::new(model(), 2);
    work(&mut a, 330);
    let recording = Recording::from_bytes(&a.recording_bytes(), "memory").unwrap();
    assert_eq!(session::replay(model(), &recording, true, |_| {}).unwrap(), a.hash());
    let mut altered = recording.clone();
    for (tick, command) in &mut altered.commands {
        if *tick == 150 {
            *command = Command::AskHint;
        }
    }
    match session::replay(model(), &altered, true, |_| {}) {
        Err(RecordError::Diverged { tick, word, .. }) => assert_eq!((tick, word), (180, "mechanics")),
        other => panic!("an altered command must be found, got {other:?}"),
    }
}

#[test]
fn a_pledget_drifts_lodges_and_is_refused_by_a_lumen_that_is_too_small() {
    let mut s = Session::new(model(), 3);
    work(&mut s, 480);
    let catheter = s.model().tool("catheter.cobra_c2.5f").unwrap();
    let micro = s.model().tool("microcatheter.2_4f").unwrap();
    s.submit(Command::DropPledget { tool: micro, diameter_mm: 0.9 });
    let refused = s.step().events;
    assert!(refused.iter().any(|e| format!("{e:?}").contains("0.90 mm does not pass")), "{refused:?}");
    s.submit(Command::DropPledget { tool: catheter, diameter_mm: 0.9 });
    let mut lodged = None;
    for _ in 0..1200 {
        let out = s.step();
        lodged = lodged.or(out.events.iter().find(|e| format!("{e:?}").contains("BodyLodged")).cloned());
        for body in &out.snapshot.bodies {
            assert!(body.position_mm.iter().all(|x| x.is_finite()));
        }
    }
    assert_eq!(s.snapshot().bodies.len(), 1);
    println!("after 20 s: {:?}, lodged {:?}", s.snapshot().bodies[0].position_mm, lodged.map(|e| e.kind));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes_as_a_recording_are_an_error_and_never_a_panic(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400),
        with_magic in proptest::bool::ANY,
    ) {
        let mut file = if with_magic { b"CNR1\n".to_vec() } else { Vec::new() };
        file.extend(bytes);
        // Without a whole header record nothing is a recording, and a random one fails its checksum.
        proptest::prop_assert!(Recording::from_bytes(&file, "random").is_err());
    }
}

#[test]
fn skipped_time_passes_for_blood_and_drugs_while_devices_rest() {
    let mut session = Session::new(model(), 4);
    let wire = session.model().tool("wire.hydrophilic_angled.035").unwrap();
    session.submit(Command::Load { rod: 0, tool: wire });
    session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 60.0 });
    session.submit(Command::Give { drug: "heparin".to_owned(), dose: 5000.0 });
    for _ in 0..70 {
        session.step();
    }
    let before = session.snapshot();
    session.submit(Command::SetPedal(Pedal::Fluoro));
    session.step();
    session.submit(Command::SkipTime(60.0));
    let refused = session.step();
    assert!(refused.events.iter().any(|e| matches!(&e.kind,
        cathnav::sim::EventKind::Refused { reason, .. } if reason.contains("beam"))));
    session.submit(Command::SetPedal(Pedal::Off));
    session.step();
    session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 60.0 });
    session.submit(Command::SkipTime(600.0));
    let mut steps = 0;
    let from = session.state().tick;
    while session.state().tick < from + 36_000 {
        session.step();
        steps += 1;
    }
    let after = session.snapshot();
    println!(
        "{steps} steps for 600 s; ACT {:.0} -> {:.0} s, lost {:.0} -> {:.0} mL",
        before.patient.act_s, after.patient.act_s, before.patient.blood_loss_ml, after.patient.blood_loss_ml
    );
    assert_eq!(session.state().tick, from + 36_000, "not a tick more");
    assert!(steps <= 601);
    assert!((270.0..310.0).contains(&after.patient.act_s));
    let lost = after.patient.blood_loss_ml - before.patient.blood_loss_ml;
    assert!((250.0..500.0).contains(&lost), "the bleed went on: {lost}");
    assert_eq!(before.rods[0].devices[0].inserted_mm > 0.0, after.rods[0].devices[0].inserted_mm > 0.0);
    let kept = after.rods[0].devices[0].inserted_mm;
    for _ in 0..30 {
        session.step();
    }
    assert!((session.snapshot().rods[0].devices[0].inserted_mm - kept).abs() < 0.5, "hands had let go");
    // The same from a recording.
    let bytes = session.recording_bytes();
    let recording = Recording::from_bytes(&bytes, "memory").unwrap();
    assert_eq!(session::replay(model(), &recording, true, |_| ()).unwrap(), session.hash());
}

#[test]
fn a_catheter_in_the_artery_shows_its_wave_and_an_injection_is_counted() {
    let mut session = Session::new(model(), 9);
    let catheter = session.model().tool("catheter.cobra_c2.5f").unwrap();
    session.submit(Command::Load { rod: 0, tool: catheter });
    session.submit(Command::Connect { tool: catheter });
    session.submit(Command::SetFeed { tool: catheter, speed_mm_per_s: 40.0 });
    for _ in 0..300 {
        session.step();
    }
    session.submit(Command::SetFeed { tool: catheter, speed_mm_per_s: 0.0 });
    for _ in 0..240 {
        session.step();
    }
    let snapshot = session.snapshot();
    let line = snapshot.connected_line().expect("a lumen in the artery has a line").clone();
    let patient = &snapshot.patient;
    println!(
        "line {:.0}/{:.0} ({:.0}), aorta {:.0}/{:.0} ({:.0}) mmHg",
        line.systolic_mmhg,
        line.diastolic_mmhg,
        line.mean_mmhg,
        patient.systolic_mmhg,
        patient.diastolic_mmhg,
        patient.mean_mmhg
    );
    assert!((line.mean_mmhg - patient.mean_mmhg).abs() < 10.0 && !line.damped);
    assert!(
        line.systolic_mmhg - line.diastolic_mmhg > 0.5 * (patient.systolic_mmhg - patient.diastolic_mmhg)
    );
    assert_eq!(patient.kidney_load, 0.0);
    session.submit(Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 5.0 });
    session.submit(Command::SetHandInjection(2.0));
    for _ in 0..180 {
        session.step();
    }
    let load = session.snapshot().patient.kidney_load;
    // Five milliliters less what stays in the lumen, of 3 mL per mL/min at 90 mL/min.
    println!("load on the kidneys {load:.5}");
    assert!((3.5 / 270.0..5.0 / 270.0).contains(&load));
}

#[test]
fn an_intermittent_bleed_runs_for_its_share_of_the_time() {
    let bleed = |rhythm: &str| {
        let text = CASE.replace("flow_ml_per_min: 40", &format!("flow_ml_per_min: 40{rhythm}"));
        let case: Case = ron::from_str(&text).unwrap();
        let base = model();
        let catalog =
            cathnav::device::load_catalog(&cathnav::assets::root().unwrap().join("assets")).unwrap();
        let mut session = Session::new(Arc::new(Model::compile(&case, &base.anatomy, &catalog).unwrap()), 1);
        let flows: Vec<f64> =
            (0..2400).map(|_| 60.0 * session.step().snapshot.pools[0].leak_ml_per_s).collect();
        (flows, session.snapshot().pools[0].clone())
    };
    let (always, all) = bleed("");
    let (flows, some) = bleed(", share_of_time: 0.6, period_s: 20");
    let share = some.lost_ml / all.lost_ml;
    let most = |from_s: usize, to_s: usize| flows[60 * from_s..60 * to_s].iter().copied().fold(0.0, f64::max);
    let least = |from_s: usize, to_s: usize| {
        flows[60 * from_s..60 * to_s].iter().copied().fold(f64::INFINITY, f64::min)
    };
    println!(
        "lost {:.2} of {:.2} mL, share {share:.4}; pause {:.1} s; flow {:.1} mL/min at first, up to {:.2} in the pause, {:.1} or more \
         after it",
        some.lost_ml,
        all.lost_ml,
        some.pause_s,
        flows[0],
        most(12, 17),
        least(20, 29)
    );
    assert_eq!((some.pause_s, all.pause_s), (8.0, 0.0));
    assert!((share - 0.6).abs() < 0.02);
    assert_eq!(flows[..540], always[..540], "until it pauses nothing differs");
    assert!(most(12, 17) == 0.0 && least(20, 29) > 15.0);
}
