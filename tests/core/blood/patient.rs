//! The patient: drugs, bleeding, heart.

use super::*;

fn minutes(state: &mut PhysiologyState, minutes: f64, leak_ml_per_s: f64) -> Vec<EventKind> {
    let mut events = Vec::new();
    for _ in 0..(minutes * 3600.0) as usize {
        physiology::advance(state, &PhysiologyInputs { leak_ml_per_s }, TICK_S, &mut events);
    }
    events
}

#[test]
fn heparin_lengthens_clotting_and_protamine_takes_it_back() {
    let mut p = PhysiologyState::new(&Patient::default());
    let mut events = Vec::new();
    assert!((145.0..156.0).contains(&p.act_s()));
    p.give("heparin", 5000.0, &mut events);
    minutes(&mut p, 10.0, 0.0);
    println!("ACT after 10 min: {:.0} s (290 in the source)", p.act_s());
    assert!((275.0..305.0).contains(&p.act_s()));
    let rise = p.act_s() - 150.0;
    minutes(&mut p, 60.0, 0.0);
    let half = (p.act_s() - 150.0) / rise;
    assert!((half - 0.5).abs() < 0.01, "half-life of an hour: {half}");
    p.give("protamine", 50.0, &mut events);
    minutes(&mut p, 10.0, 0.0);
    assert!(p.act_s() < 155.0);
    assert_eq!(events.len(), 2);
}

#[test]
fn wrong_drugs_and_doses_are_refused_with_the_limits() {
    let mut p = PhysiologyState::new(&Patient::default());
    let mut events = Vec::new();
    p.give("aspirin", 1.0, &mut events);
    p.give("heparin", -5.0, &mut events);
    p.give("heparin", f64::NAN, &mut events);
    p.give("atropine", 50.0, &mut events);
    assert!(events.iter().all(|e| matches!(e, EventKind::Refused { .. })) && events.len() == 4);
    assert!(
        matches!(&events[3], EventKind::Refused { reason, .. } if reason.contains("50") && reason.contains("3 mg"))
    );
}

#[test]
fn blood_loss_follows_the_classes_of_haemorrhage() {
    let mut p = PhysiologyState::new(&Patient::default());
    for (loss, rate, systolic) in [
        (700.0, 85.0..100.0, 110.0..121.0),
        (1400.0, 100.0..121.0, 95.0..112.0),
        (1950.0, 119.0..141.0, 70.0..90.0),
    ] {
        let need = (loss - p.blood_loss_ml) / 300.0;
        minutes(&mut p, 5.0, need);
        minutes(&mut p, 2.0, 0.0);
        println!(
            "{:.0} mL lost: HR {:.0}, {:.0}/{:.0}",
            p.blood_loss_ml, p.heart_rate_bpm, p.systolic_mmhg, p.diastolic_mmhg
        );
        assert!(rate.contains(&p.heart_rate_bpm) && systolic.contains(&p.systolic_mmhg));
    }
    assert!(minutes(&mut p, 0.2, 0.0).is_empty(), "hypotension is told once");
    let mut events = Vec::new();
    p.give("fluids", 1500.0, &mut events);
    let before = p.systolic_mmhg;
    minutes(&mut p, 10.0, 0.0);
    assert!(p.systolic_mmhg > before + 8.0);
}

#[test]
fn drugs_act_in_their_direction_and_wear_off() {
    let run = |drug: &str, dose: f64, wait: f64| {
        let mut p = PhysiologyState::new(&Patient::default());
        p.give(drug, dose, &mut Vec::new());
        minutes(&mut p, wait, 0.0);
        p
    };
    let rest = PhysiologyState::new(&Patient::default());
    assert!(run("nitroglycerin", 200.0, 1.0).systolic_mmhg < rest.systolic_mmhg - 5.0);
    assert!((run("nitroglycerin", 200.0, 30.0).systolic_mmhg - rest.systolic_mmhg).abs() < 0.5);
    assert!(run("atropine", 1.0, 3.0).heart_rate_bpm > rest.heart_rate_bpm + 15.0);
    assert!(run("noradrenaline", 10.0, 1.0).systolic_mmhg > rest.systolic_mmhg + 5.0);
    let sedated = run("fentanyl", 400.0, 6.0);
    assert!(sedated.respiration_bpm < 8.0 && sedated.spo2_pct < 95.0);
}

#[test]
fn beats_have_their_rate_their_pressures_and_an_ecg() {
    let mut p = PhysiologyState::new(&Patient::default());
    let (mut beats, mut last, mut high, mut low, mut peak) = (0, 0.0, 0.0_f64, 300.0_f64, 0.0_f64);
    for _ in 0..3600 {
        physiology::advance(&mut p, &PhysiologyInputs::default(), TICK_S, &mut Vec::new());
        let view = p.view();
        beats += u32::from(view.heart_phase < last);
        last = view.heart_phase;
        (high, low, peak) =
            (high.max(view.pressure_mmhg), low.min(view.pressure_mmhg), peak.max(view.ecg_mv));
    }
    println!("{beats} beats, {high:.0}/{low:.0} mmHg, R wave {peak:.2} mV");
    assert!((71..=73).contains(&beats));
    assert!((high - 120.0).abs() < 4.0 && (low - 80.0).abs() < 4.0 && peak > 0.8);
    let view = p.view();
    assert!((view.systolic_mmhg - 120.0).abs() < 4.0 && (view.diastolic_mmhg - 80.0).abs() < 4.0);
    p.set_targets(Some(45.0), Some(85.0), 20.0);
    minutes(&mut p, 2.0, 0.0);
    assert!((p.heart_rate_bpm - 45.0).abs() < 1.0 && (p.systolic_mmhg - 85.0).abs() < 1.0);
}
