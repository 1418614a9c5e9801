//! The patient: drugs, bleeding, heart.

use super::*;
use cathnav::sim::snapshot::Consciousness;

fn minutes(state: &mut PhysiologyState, minutes: f64, leak_ml_per_s: f64) -> Vec<EventKind> {
    let mut events = Vec::new();
    for _ in 0..(minutes * 3600.0) as usize {
        let inputs = PhysiologyInputs { leak_ml_per_s, ..PhysiologyInputs::default() };
        physiology::advance(state, &inputs, TICK_S, &mut events);
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
    row("patient: heparin", "clotting time 10 min after 5000 IU, s", 290.0, p.act_s(), "275 to 305");
    assert!((275.0..305.0).contains(&p.act_s()));
    let rise = p.act_s() - 150.0;
    minutes(&mut p, 60.0, 0.0);
    let half = (p.act_s() - 150.0) / rise;
    row("patient: heparin", "share of the rise left an hour later", 0.5, half, "0.01");
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
        let (of_rate, of_systolic) = (
            format!("{:.0} to {:.0}", rate.start, rate.end),
            format!("{:.0} to {:.0}", systolic.start, systolic.end),
        );
        value("patient: bleeding", &format!("heart rate at {loss} mL lost"), p.heart_rate_bpm, &of_rate);
        value("patient: bleeding", &format!("systolic at {loss} mL lost"), p.systolic_mmhg, &of_systolic);
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

#[test]
fn a_patient_at_rest_feels_nothing_and_a_bed_without_blood_hurts() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[]);
    rig.run(60.0, &[]);
    let still = rig.patient.pain();
    rig.obstructions.push(Obstruction {
        vessel: VesselId(3),
        from_mm: 0.0,
        to_mm: 20.0,
        outer_diameter_mm: 7.4,
        body: 0,
    });
    rig.run(35.0, &[]);
    let early = rig.patient.pain();
    rig.run(180.0, &[]);
    let (pain, rate, systolic) =
        (rig.patient.pain(), rig.patient.heart_rate_bpm / 72.0, rig.patient.systolic_mmhg / 120.0);
    let mut calmed = rig.clone();
    calmed.patient.give("fentanyl", 100.0, &mut Vec::new());
    calmed.run(240.0, &[]);
    rig.obstructions.clear();
    rig.run(180.0, &[]);
    let after = rig.patient.pain();
    println!(
        "at rest {still:.3}; leg without blood {early:.1}, {pain:.1}, with fentanyl {:.1}; open again {after:.2}",
        calmed.patient.pain()
    );
    residual("patient: pain", "at rest under the pulse", still, "0.05");
    row("patient: pain", "share of it 35 s after the occlusion", 0.63, early / pain, "0.5 to 0.75");
    row(
        "patient: pain",
        "rise of heart rate and pressure (10 to 20 %)",
        1.15,
        0.5 * (rate + systolic),
        "1.1 to 1.2",
    );
    assert!(still < 0.05 && after < 0.1 && pain > 5.0 && (0.5..0.75).contains(&(early / pain)));
    assert!((1.1..1.2).contains(&rate) && (1.1..1.2).contains(&systolic));
    assert!(calmed.patient.pain() < 0.6 * pain);
}

#[test]
fn sudden_pain_sets_off_a_vasovagal_reflex_that_atropine_prevents() {
    let run = |atropine: bool| {
        let mut p = PhysiologyState::new(&Patient::default());
        if atropine {
            p.give("atropine", 1.0, &mut Vec::new());
            minutes(&mut p, 3.0, 0.0);
        }
        let torn = PhysiologyInputs { injury: 7.0, ..PhysiologyInputs::default() };
        let (mut events, mut slow_s, mut least) = (Vec::new(), 0.0, (300.0_f64, 300.0_f64));
        for _ in 0..60 * 300 {
            physiology::advance(&mut p, &torn, TICK_S, &mut events);
            least = (least.0.min(p.heart_rate_bpm), least.1.min(p.systolic_mmhg));
            if p.heart_rate_bpm < 55.0 {
                slow_s += TICK_S;
            }
        }
        let faint = events.iter().any(|e| matches!(e, EventKind::Said(s) if s.contains("faint")));
        (least, slow_s, faint, p.heart_rate_bpm)
    };
    let ((rate, systolic), slow_s, faint, later) = run(false);
    let ((with, _), _, told, _) = run(true);
    value("patient: reflex", "lowest heart rate after sudden pain, 1/min", rate, "below 50");
    value("patient: reflex", "lowest systolic, mmHg", systolic, "below 90");
    value("patient: reflex", "time below 55/min, s", slow_s, "15 to 180");
    value("patient: reflex", "lowest heart rate with atropine, 1/min", with, "above 70");
    assert!(rate < 50.0 && systolic < 90.0 && (15.0..180.0).contains(&slow_s) && faint);
    assert!(later > 70.0 && with > 70.0 && !told);
}

#[test]
fn contrast_burdens_the_kidneys_and_harms_only_the_allergic() {
    let run = |contrast_allergy: bool, adrenaline_ug: f64| {
        let patient = Patient { contrast_allergy, egfr_ml_per_min: 30.0, ..Patient::default() };
        let mut p = PhysiologyState::new(&patient);
        let given = PhysiologyInputs { iodine_mg: 90.0 * 300.0, ..PhysiologyInputs::default() };
        let mut events = Vec::new();
        for tick in 0..60 * 360 {
            if tick == 60 * 240 && adrenaline_ug > 0.0 {
                p.give("adrenaline", adrenaline_ug, &mut events);
            }
            physiology::advance(&mut p, &given, TICK_S, &mut events);
        }
        let told = events.iter().filter(|e| matches!(e, EventKind::Said(s) if s.contains("kidneys"))).count();
        (p, told)
    };
    let (healthy, told) = run(false, 0.0);
    row("patient: kidneys", "load of 90 mL at 30 mL/min", 1.0, healthy.kidney_load(), "1e-9");
    assert!((healthy.kidney_load() - 1.0).abs() < 1e-9 && told == 1);
    assert!(healthy.allergic_reaction() == 0.0 && healthy.spo2_pct > 97.5 && healthy.systolic_mmhg > 119.0);
    let (ill, _) = run(true, 0.0);
    let (treated, _) = run(true, 300.0);
    value("patient: allergy", "systolic after 90 mL, mmHg", ill.systolic_mmhg, "below 90");
    value("patient: allergy", "saturation, %", ill.spo2_pct, "below 90");
    value(
        "patient: allergy",
        "systolic two minutes after adrenaline, mmHg",
        treated.systolic_mmhg,
        "above 100",
    );
    assert!(ill.systolic_mmhg < 90.0 && ill.heart_rate_bpm > 90.0 && ill.spo2_pct < 90.0);
    assert!(treated.systolic_mmhg > 100.0 && treated.spo2_pct > ill.spo2_pct + 5.0);
}

#[test]
fn infusions_cool_and_sedation_shock_and_want_of_oxygen_dim_the_mind() {
    let run = |fluids_ml: f64| {
        let mut p = PhysiologyState::new(&Patient::default());
        p.give("fluids", fluids_ml, &mut Vec::new());
        minutes(&mut p, 30.0, 0.0);
        p.responses.temperature_c
    };
    // Heat balance: a litre at 22 C in a body of 70 kg with 0.83 of water's heat capacity, come in with 240 s, less what
    // a cooler body does not lose to the room (four hours).
    let kept = (-1800.0_f64 / 14_400.0).exp() / (1.0 - 240.0 / 14_400.0);
    let exact = kept / (1.0 + 0.83 * 70.0) * (36.8 - 22.0);
    let fell = run(1e-9) - run(1000.0);
    row("patient: temperature", "fall by a litre of infusion at 22 C, K", exact, fell, "2 %");
    assert!((fell / exact - 1.0).abs() < 0.02);
    let mut p = PhysiologyState::new(&Patient::default());
    assert_eq!(p.consciousness(), Consciousness::Alert);
    p.give("midazolam", 3.0, &mut Vec::new());
    minutes(&mut p, 6.0, 0.0);
    assert_eq!(p.consciousness(), Consciousness::Voice);
    let mut bled = PhysiologyState::new(&Patient::default());
    minutes(&mut bled, 10.0, 6.0);
    println!(
        "{:.0} mL lost, mean {:.0} mmHg: {:?}",
        bled.blood_loss_ml,
        bled.mean_mmhg(),
        bled.consciousness()
    );
    assert!(bled.consciousness() >= Consciousness::Pain);
}
