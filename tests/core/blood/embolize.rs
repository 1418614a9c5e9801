//! Embolization: stasis, hemostasis and reflux come from what lodges, and from nothing else.

use super::*;

/// Puffs of suspension (0.3 mL/s for 1 s, 1 s pause) from a tip in the obturator; per puff: mL so far, mean flow.
fn embolize(rig: &mut Rig, per_ml: f64, total_ml: f64) -> Vec<(f64, f64)> {
    let tip = at(7, 15.0);
    let source = Source {
        place: tip,
        flow_ml_per_s: 0.15,
        iodine_mg_per_ml: 290.0,
        particles: Some((0, per_ml)),
        gas_share: 0.0,
    };
    let mut out = vec![(0.0, rig.flow.mean_flow_at(&rig.net, at(7, 60.0)))];
    let mut given = 0.0;
    while given < total_ml {
        rig.run(1.0, &[source]);
        rig.run(4.0, &[]);
        given += 0.15;
        let bed = rig.flow.mean_outlet_flow_ml_per_s[1][4];
        out.push((given, bed));
    }
    out
}

/// Volume at which the bed's flow is below a tenth.
fn dose_to_near_stasis(curve: &[(f64, f64)], resting: f64) -> Option<f64> {
    curve.iter().find(|p| p.1 < 0.1 * resting).map(|p| p.0)
}

#[test]
fn particles_bring_an_obturator_to_near_stasis_at_a_plausible_dose() {
    for per_ml in [145.0, 530.0] {
        let mut rig = Rig::new(&small_pelvis(), &[], &[pva(per_ml)]);
        rig.run(5.0, &[]);
        let resting = 14.0 / 60.0;
        let start_beats = rig.flow.beats_to_clear(&rig.net, at(7, 15.0), 72.0);
        let curve = embolize(&mut rig, per_ml, 4.0);
        let dose = dose_to_near_stasis(&curve, resting);
        let beats = rig.flow.beats_to_clear(&rig.net, at(7, 15.0), 72.0);
        println!(
            "{per_ml} particles/mL: near-stasis after {dose:?} mL, beats to clear {start_beats:.1} -> {beats:.0}"
        );
        assert!(dose.is_some_and(|d| (0.3..=3.0).contains(&d)));
        // Monotone but for the beat that remains in the average.
        for w in curve.windows(2) {
            assert!(w[1].1 <= w[0].1 + 0.02 * resting, "{w:?}");
        }
        assert!(start_beats < 5.0 && beats > 10.0);
        assert!(rig.worst_ledger() < 1e-9);
        let lodged = rig
            .events
            .iter()
            .filter(|e| matches!(e, EventKind::Lodged { bed, .. } if *bed == rig.net.outlets[4].bed))
            .count();
        assert_eq!(lodged, 1, "told once");
        let beds = contrast::bed_views(&rig.net, &rig.flow, &rig.contrast, &rig.therapy_model, &rig.therapy);
        let bed = &beds[rig.net.outlets[4].bed as usize];
        assert!(bed.occluded_share > 0.9 && bed.lodged[0].1 > 50.0);
    }
}

#[test]
fn with_the_rule_off_nothing_is_blocked() {
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(50.0),
        flow_ml_per_min: 60.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    let mut rig = Rig::new(&small_pelvis(), &[bleed], &[pva(145.0)]);
    rig.therapy_model.lodging_enabled = false;
    rig.run(3.0, &[]);
    embolize(&mut rig, 145.0, 3.0);
    assert!(rig.therapy.bed_resistance_factor.iter().all(|f| *f == [1.0; 2]));
    assert!(rig.flow.leak_flow_ml_per_s[0] > 0.8);
    assert!(!rig.events.iter().any(|e| matches!(e, EventKind::Lodged { .. })));
}

#[test]
fn a_bleed_stops_by_what_lodges_in_it() {
    for per_ml in [145.0, 530.0] {
        let bleed = LesionDescription::Bleeding {
            name: "b".to_owned(),
            vessel: "obturator.left".to_owned(),
            at: At::Mm(50.0),
            flow_ml_per_min: 60.0,
            share_of_time: 1.0,
            period_s: 300.0,
        };
        let mut rig = Rig::new(&small_pelvis(), &[bleed], &[pva(per_ml)]);
        rig.run(5.0, &[]);
        let before = rig.flow.leak_flow_ml_per_s[0];
        let tip = at(7, 15.0);
        let source = Source {
            place: tip,
            flow_ml_per_s: 0.3,
            iodine_mg_per_ml: 290.0,
            particles: Some((0, per_ml)),
            gas_share: 0.0,
        };
        let (mut given, mut last) = (0.0, before);
        while given < 6.0 && rig.flow.leak_flow_ml_per_s[0] > 1.0 / 60.0 {
            rig.run(1.0, &[source]);
            rig.run(2.0, &[]);
            given += 0.3;
            let open = rig.therapy.leak_open_share[0];
            assert!(open <= last + 1e-12);
            last = open;
        }
        let leak = 60.0 * rig.flow.leak_flow_ml_per_s[0];
        println!("{per_ml} particles/mL: bleed {:.0} -> {leak:.2} mL/min after {given:.1} mL", 60.0 * before);
        assert!(leak < 1.0 && (0.3..6.0).contains(&given));
        assert!(rig.worst_ledger() < 1e-9);
        let leaks = &rig.therapy.leaks[0];
        let lodged: f64 = leaks.paths.iter().map(|p| p.lodged).sum();
        assert!((leaks.arrived - leaks.passed - lodged).abs() < 1e-9 * leaks.arrived);
    }
}

#[test]
fn further_injection_into_stasis_refluxes_into_other_beds() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[pva(145.0)]);
    rig.run(3.0, &[]);
    let slow = Source {
        place: at(7, 15.0),
        flow_ml_per_s: 0.12,
        iodine_mg_per_ml: 290.0,
        particles: Some((0, 145.0)),
        gas_share: 0.0,
    };
    rig.run(5.0, &[slow]);
    let early = rig.events.iter().any(|e| matches!(e, EventKind::Reflux { embolic: true, .. }));
    let fast = Source { flow_ml_per_s: 1.0, ..slow };
    rig.run(8.0, &[fast]);
    rig.run(10.0, &[]);
    let into: Vec<u32> = rig
        .events
        .iter()
        .filter_map(|e| match e {
            EventKind::Reflux { into, embolic: true } => Some(into.vessel.0),
            _ => None,
        })
        .collect();
    let other: f64 =
        [2, 3, 5].iter().map(|&o: &usize| rig.therapy.outlets[o].lodged.iter().sum::<f64>()).sum();
    println!("reflux into branches {into:?}; particles in other beds {other:.0}");
    assert!(!early, "below the flow nothing goes back");
    assert!(into.contains(&6));
    assert!(other > 20.0);
}

#[test]
fn gelatin_lets_go_by_its_half_life() {
    let slurry = Embolic { dissolves_half_life_h: Some(2.0), ..pva(400.0) };
    let mut rig = Rig::new(&small_pelvis(), &[], &[slurry]);
    rig.run(5.0, &[]);
    let _ = embolize(&mut rig, 400.0, 0.9);
    rig.run(20.0, &[]);
    let outlet = &rig.therapy.outlets[4];
    let lying = outlet.by_generation.iter().sum::<f64>();
    assert!(lying > 50.0, "{lying}");
    let factor = rig.therapy.resistance_factor(&rig.therapy_model, 4);
    // An hour of ticks, without the blood.
    for _ in 0..3600 * 60 {
        therapy::advance(
            &rig.net,
            &rig.therapy_model,
            &rig.flow,
            &mut rig.therapy,
            &Default::default(),
            TICK_S,
            &mut rig.events,
        );
    }
    let left = rig.therapy.outlets[4].by_generation.iter().sum::<f64>();
    let now = rig.therapy.resistance_factor(&rig.therapy_model, 4);
    println!("{lying:.1} particles, after an hour {left:.1}; resistance x {factor:.1}, then x {now:.1}");
    assert!((left / lying / 0.5_f64.sqrt() - 1.0).abs() < 1e-9, "{}", left / lying);
    assert!(now < factor);
}

#[test]
fn dense_particles_clump_and_lodge_farther_upstream() {
    let mean_mm = |per_ml: f64| {
        let mut rig = Rig::new(&small_pelvis(), &[], &[Embolic { clumping: 0.6, ..pva(400.0) }]);
        rig.run(5.0, &[]);
        let _ = embolize(&mut rig, per_ml, 120.0 / per_ml);
        rig.run(20.0, &[]);
        assert!(rig.worst_ledger() < 1e-9);
        let bed = &rig.therapy_model.beds[4];
        let lying = &rig.therapy.outlets[4].by_generation;
        let sum: f64 = lying.iter().sum();
        bed.generations.iter().zip(lying).map(|(g, n)| g.diameter_mm * n).sum::<f64>() / sum
    };
    let (dense, dilute) = (mean_mm(400.0), mean_mm(40.0));
    println!(
        "they lie in vessels of {dense:.3} mm from a dense suspension, {dilute:.3} mm from a tenth of it"
    );
    assert!(dense > 1.03 * dilute, "{dense} {dilute}");
}

#[test]
fn tissue_behind_packed_vessels_is_without_blood_by_their_share() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[pva(400.0)]);
    rig.run(5.0, &[]);
    let share = |rig: &Rig| rig.therapy.ischemic_share(&rig.net, &rig.therapy_model, &rig.flow, 4);
    assert!(share(&rig).abs() < 1e-9);
    let bed = rig.therapy_model.beds[4].clone();
    // Half of the vessels of one generation, a fifth of another: what both let through is reached.
    let (a, b) = (2, 4);
    rig.therapy.outlets[4].by_generation[a] = 0.5 * 4.0 * bed.generations[a].count;
    rig.therapy.outlets[4].by_generation[b] = 0.2 * 4.0 * bed.generations[b].count;
    println!("{:.4} of the tissue without blood", share(&rig));
    assert!((share(&rig) - (1.0 - 0.5 * 0.8)).abs() < 1e-9);
}
