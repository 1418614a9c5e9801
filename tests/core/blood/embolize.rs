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
