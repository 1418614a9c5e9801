//! The shipped pelvis: resting flows, reflux by injection rate, order of filling, embolization of a bleeding obturator.

use super::*;
use std::path::Path;

fn tree() -> VesselTree {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/anatomy/pelvis");
    cathnav::anatomy::load(&dir).unwrap().tree
}

fn place(tree: &VesselTree, name: &str, share: f64) -> VesselPlace {
    let vessel = tree.find(name).unwrap();
    VesselPlace { vessel, arc_mm: share * tree.branch(vessel).length_mm() }
}

#[test]
fn every_bed_gets_its_resting_flow() {
    let tree = tree();
    let mut rig = Rig::new(&tree, &[], &[]);
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
    println!(
        "{} cells, {} outlets: worst resting flow off by {:.4} %",
        rig.net.cells(),
        sums.len(),
        100.0 * worst
    );
    assert!(worst < 0.01);
    let total: f64 = sums.iter().sum();
    let aorta = rig.flow.mean_flow_at(&rig.net, place(&tree, "aorta.abdominal", 0.1));
    assert!((aorta / total - 1.0).abs() < 0.1);
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
        println!(
            "{rate} mL/s: posterior {:.0}, common {:.0}, external {:.0}, bifurcation {:.1} mg/mL, reflux {reflux}",
            most[0], most[1], most[2], most[3]
        );
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
    println!("arrival, s: {arrival:.2?}");
    assert!(arrival.windows(2).all(|w| w[0] < w[1]) && arrival[3] < 4.0);
    rig.run(10.0, &[]);
    assert!(names.iter().all(|name| rig.iodine_at(place(&tree, name, 0.8)) < 2.0));
}

#[test]
fn a_bleeding_obturator_is_embolized_to_near_stasis() {
    let tree = tree();
    let bleed = Lesion::Bleed {
        id: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at_mm: 45.0,
        flow_ml_per_min: 45.0,
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
