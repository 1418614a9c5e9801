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

#[test]
fn the_vitals_strip_has_waves_of_heart_breath_and_pulse() {
    let mut p = PhysiologyState::new(&Patient::default());
    let (mut breaths, mut last, mut beats) = (0, 0.0, 0);
    let mut range = [(f64::INFINITY, f64::NEG_INFINITY); 3];
    for _ in 0..3600 {
        physiology::advance(&mut p, &PhysiologyInputs::default(), TICK_S, &mut Vec::new());
        let view = p.view();
        beats += u32::from(p.is_new_beat);
        breaths += u32::from(last < 0.0 && view.breath >= 0.0);
        last = view.breath;
        for (r, x) in range.iter_mut().zip([view.venous_mmhg, view.pleth, view.ecg_mv]) {
            *r = (r.0.min(x), r.1.max(x));
        }
    }
    println!(
        "{beats} beats, {breaths} breaths; venous {:?}, pleth {:?}, ECG {:?}",
        range[0], range[1], range[2]
    );
    assert!((71..=73).contains(&beats) && (13..=15).contains(&breaths));
    assert!(range[0].0 > 0.0 && range[0].1 < 10.0 && range[0].1 - range[0].0 > 3.0);
    assert!(range[1].0 < 0.01 && range[1].1 > 0.95 && range[2].1 > 0.8);
    minutes(&mut p, 5.0, 5.0);
    assert!(p.venous_mmhg < 4.0, "the veins empty when blood is lost");
}

#[test]
fn glucagon_stills_the_bowel_and_sedatives_sedate() {
    let mut p = PhysiologyState::new(&Patient::default());
    assert!(p.bowel_motion() == 1.0 && p.sedation() == 0.0);
    p.give("glucagon", 1.0, &mut Vec::new());
    p.give("midazolam", 2.0, &mut Vec::new());
    p.give("fentanyl", 50.0, &mut Vec::new());
    minutes(&mut p, 3.0, 0.0);
    println!("after 3 min: bowel {:.2}, sedation {:.2}", p.bowel_motion(), p.sedation());
    assert!(p.bowel_motion() < 0.15 && (0.6..1.3).contains(&p.sedation()) && p.respiration_bpm > 8.0);
    minutes(&mut p, 60.0, 0.0);
    assert!(p.bowel_motion() > 0.8, "it comes back within the hour");
}
