//! Veins, anastomoses, collaterals, shunts, ducts, and the lumen of the moment.

use super::*;
use cathnav::anatomy::{Anastomosis, Collateral, RootSupply, Shunt, Supply, VenousReturn};
use cathnav::sim::flow::{LumenCause, LumenChange, VENOUS_PRESSURE_MMHG, poiseuille};

/// Mean of a reading over whole breaths (30 s).
fn mean(rig: &mut Rig, read: impl Fn(&Rig) -> f64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..1800 {
        rig.tick(&[]);
        sum += read(rig) / 1800.0;
    }
    sum
}

#[test]
fn a_murray_tree_drops_the_same_pressure_in_every_generation() {
    const GENERATIONS: usize = 6;
    let ratio = 0.5_f64.powf(1.0 / 3.0);
    let mut tree = VesselTree::default();
    let mut ends = vec![(Vec3::zeros(), None, 0.0)];
    let mut radius = 3.0;
    for g in 0..GENERATIONS {
        let mut next = Vec::new();
        for (k, (start, parent, inside_mm)) in ends.iter().enumerate() {
            // The part inside the parent's lumen is one parent radius long and is not the branch's own.
            let own_mm = 14.0 * radius;
            let side = if k % 2 == 0 { 0.5 } else { -0.5 };
            let to = start + Vec3::new(side, 0.2 * side, -1.0).normalize() * (own_mm + inside_mm);
            let origin = parent.map(|p: usize| at(p as u32, tree.branches[p].length_mm()));
            let mut b = branch(&format!("g{g}.{k}"), origin, *start, to, (radius, radius));
            b.outlet = outlet(&format!("bed{k}"), 8.0 / 32.0).filter(|_| g + 1 == GENERATIONS);
            b.wall_ep_n_per_mm2 = 1.0;
            let index = tree.branches.len();
            tree.branches.push(b);
            next.extend([(to, Some(index), radius), (to, Some(index), radius)]);
        }
        ends = next;
        radius *= ratio;
    }
    let mut rig = Rig::new(&tree, &[], &[]);
    rig.steady_mmhg = Some(rig.net.resting_map_mmhg);
    rig.run(20.0, &[]);
    // Murray (1926): Q ~ r^3, so the drop 8 mu L Q / (pi r^4) is that of the trunk in each generation.
    let exact = poiseuille(3.0, 42.0) * 8.0;
    let mut worst: f64 = 0.0;
    for (i, b) in rig.net.branches.iter().enumerate() {
        let p = |c: u32| rig.flow.pressure_mmhg[c as usize];
        let own = p(b.cell0) - p(b.cell0 + b.cells - 1);
        // Between the middles of the first and the last cell.
        let drop = own / (1.0 - 1.0 / f64::from(b.cells));
        worst = worst.max((drop / exact - 1.0).abs());
        assert!(i < 63);
    }
    residual("flow: Murray tree", "drop of each of six generations, worst relative error", worst, "1e-6");
    assert!(worst < 1e-6);
}

#[test]
fn spasm_dilation_stenosis_device_leak_and_injection_act_at_once() {
    let lesions = [
        LesionDescription::Stenosis {
            vessel: "external.left".to_owned(),
            at: At::Mm(50.0),
            length_mm: 20.0,
            diameter_reduction_pct: 70.0,
            eccentricity: 0.0,
            around_deg: 0.0,
            calcium: 0.0,
            debris: 0.01,
        },
        LesionDescription::Bleeding {
            name: "b".to_owned(),
            vessel: "obturator.left".to_owned(),
            at: At::Mm(40.0),
            flow_ml_per_min: 60.0,
            share_of_time: 1.0,
            period_s: 300.0,
        },
    ];
    let mut rig = Rig::new(&small_pelvis(), &lesions, &[]);
    rig.obstructions.push(Obstruction {
        vessel: VesselId(4),
        from_mm: 0.0,
        to_mm: 30.0,
        outer_diameter_mm: 1.67,
        body: 0,
    });
    // The bladder's artery is wedged, the gluteal bed mostly filled.
    rig.obstructions.push(Obstruction {
        vessel: VesselId(8),
        from_mm: 0.0,
        to_mm: 20.0,
        outer_diameter_mm: 2.3,
        body: 1,
    });
    rig.therapy.bed_resistance_factor[2] = [20.0, 40.0];
    rig.run(3.0, &[]);
    let across = |rig: &Rig| rig.flow.mean_gradient_mmhg(&rig.net, at(6, 10.0), at(6, 30.0));
    let before = across(&rig);
    assert!(rig.flow.irritate(at(6, 20.0)) && !rig.flow.irritate(at(6, 22.0)), "one spasm at one place");
    rig.flow.lumen.push(LumenChange {
        cause: LumenCause::Dilation,
        vessel: VesselId(1),
        from_mm: 10.0,
        to_mm: 30.0,
        radius_factor: 1.2,
    });
    rig.flow.stenosis_open[0] = 0.6;
    let mut worst: f64 = 0.0;
    for i in 0..1200 {
        let source = iodine_source(at(4, 31.0), if i < 600 { 3.0 } else { 0.0 });
        rig.tick(&[source]);
        worst = worst.max(rig.flow.residual_ml_per_s);
    }
    let spasm = across(&rig);
    residual("flow: all at once", "worst balance of a cell, mL/s", worst, "1e-9");
    residual("flow: all at once", "ledger", rig.worst_ledger(), "1e-9");
    println!("gradient at the spasm {before:.2} -> {spasm:.2} mmHg");
    assert!(worst < 1e-9 && rig.worst_ledger() < 1e-9);
    assert!(spasm > 5.0 * before, "the spasm narrows its artery");
    let leak: f64 = rig.flow.leak_flow_ml_per_s.iter().sum();
    let beds = &rig.flow.outlet_flow_ml_per_s;
    assert!(beds[5] < 0.02 && beds[2] < 0.2, "a wedged artery and a filled bed");
    assert!(leak > 0.2 && rig.flow.filled_share.iter().any(|f| *f > 0.2));
}

#[test]
fn a_closing_lumen_pushes_its_blood_out_and_keeps_the_concentration() {
    let mut rig = Rig::new(&tube(2.0, 200.0, 2.0), &[], &[]);
    rig.steady_mmhg = Some(90.0);
    for _ in 0..1200 {
        rig.tick(&[iodine_source(at(0, 1.0), 3.0)]);
    }
    let before = rig.iodine_at(at(0, 100.0));
    rig.flow.irritate(at(0, 100.0));
    let mut worst: f64 = 0.0;
    for _ in 0..300 {
        rig.tick(&[iodine_source(at(0, 1.0), 3.0)]);
        for x in [92.0, 98.0, 100.0, 104.0, 120.0] {
            worst = worst.max((rig.iodine_at(at(0, x)) / before - 1.0).abs());
        }
    }
    let area = rig.flow.area_factor[rig.net.cell_at(at(0, 100.0)).unwrap()];
    println!("spasm to {area:.3} of the area: concentration off by {worst:.1e}");
    assert!(area < 0.4 && worst < 1e-6 && rig.worst_ledger() < 1e-9);
}

#[test]
fn nitroglycerin_loosens_a_spasm_that_otherwise_lasts() {
    let left = |dose: f64| {
        let mut rig = Rig::new(&tube(1.5, 100.0, 1.0), &[], &[]);
        rig.flow.irritate(at(0, 50.0));
        rig.run(15.0, &[]);
        if dose > 0.0 {
            rig.patient.give("nitroglycerin", dose, &mut rig.events);
        }
        rig.run(120.0, &[]);
        1.0 - rig.flow.area_factor[rig.net.cell_at(at(0, 50.0)).unwrap()].sqrt()
    };
    let (alone, treated) = (left(0.0), left(150.0));
    println!(
        "narrowing after two minutes: {:.0} % alone, {:.1} % with nitroglycerin",
        100.0 * alone,
        100.0 * treated
    );
    assert!(alone > 0.4 && treated < 0.05);
}

#[test]
fn dilating_a_stenosis_takes_its_gradient_away() {
    let lesion = LesionDescription::Stenosis {
        vessel: "tube".to_owned(),
        at: At::Mm(100.0),
        length_mm: 20.0,
        diameter_reduction_pct: 75.0,
        eccentricity: 0.0,
        around_deg: 0.0,
        calcium: 0.0,
        debris: 0.01,
    };
    let mut rig = Rig::new(&tube(3.0, 250.0, 6.0), &[lesion], &[]);
    rig.run(10.0, &[]);
    let [before, behind] = rig.net.around_stenosis(0).unwrap();
    let narrow = rig.flow.mean_gradient_mmhg(&rig.net, before, behind);
    rig.flow.stenosis_open[0] = 1.0;
    rig.run(15.0, &[]);
    let open = rig.flow.mean_gradient_mmhg(&rig.net, before, behind);
    println!("gradient {narrow:.1} mmHg, after dilation {open:.2} mmHg");
    assert!(narrow > 15.0 && open < 2.0);
}

/// A tube into a bed and a vein that takes it home, beside the tube.
fn round_trip() -> (VesselTree, Circulation) {
    let mut tree = tube(2.0, 100.0, 3.0);
    let mut vein = branch("vein", None, Vec3::new(-50.0, 20.0, 0.0), Vec3::new(100.0, 20.0, 0.0), (3.0, 2.5));
    vein.outlet = outlet("elsewhere", 1.0);
    let mut side =
        branch("side", Some(at(1, 75.0)), Vec3::new(25.0, 20.0, 0.0), Vec3::new(25.0, 60.0, 0.0), (2.0, 2.0));
    side.outlet = outlet("other", 2.0);
    tree.branches.extend([vein, side]);
    let circulation = Circulation {
        roots: vec![RootSupply { vessel: "vein".to_owned(), supply: Supply::Veins }],
        returns: vec![VenousReturn { bed: "bed".to_owned(), vein: "vein".to_owned() }],
        ..Circulation::default()
    };
    (tree, circulation)
}

#[test]
fn blood_and_contrast_come_home_through_the_veins_which_breathe() {
    let (tree, circulation) = round_trip();
    let mut rig = Rig::with(&tree, &circulation, &[], &[]);
    rig.run(15.0, &[]);
    let artery = mean(&mut rig, |r| r.flow.outlet_flow_ml_per_s[0]);
    let root = mean(&mut rig, |r| r.flow.flow_at(&r.net, at(1, 10.0)));
    println!("artery {artery:.4}, vein {root:.4} mL/s (the vein's second inflow brings 2)");
    assert!((artery / 3.0 - 1.0).abs() < 0.01 && (root / -5.0 - 1.0).abs() < 0.02);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for _ in 0..600 {
        rig.tick(&[]);
        let p = rig.flow.pressure_at(&rig.net, at(1, 10.0));
        (low, high) = (low.min(p), high.max(p));
    }
    println!("venous pressure {low:.1} to {high:.1} mmHg");
    assert!(low > 0.0 && high < 12.0 && high - low > 2.5, "breath and a wave");
    let mut arrival = [f64::INFINITY; 2];
    for tick in 0..1800 {
        let source = iodine_source(at(0, 5.0), if tick < 120 { 2.0 } else { 0.0 });
        rig.tick(&[source]);
        for (a, p) in arrival.iter_mut().zip([at(0, 95.0), at(1, 20.0)]) {
            if a.is_infinite() && rig.iodine_at(p) > 5.0 {
                *a = f64::from(tick) * TICK_S;
            }
        }
    }
    println!(
        "contrast: artery {:.2} s, vein {:.2} s, ledger {:.1e}",
        arrival[0],
        arrival[1],
        rig.worst_ledger()
    );
    assert!(arrival[0] < 1.0 && (2.0..12.0).contains(&(arrival[1] - arrival[0])));
    assert!(rig.worst_ledger() < 1e-9);
    rig.run(60.0, &[]);
    assert!(rig.contrast.left[0] > 0.99 * rig.contrast.injected[0], "washed out at the heart");
}

#[test]
fn a_wedged_hepatic_vein_shows_the_pressure_behind_it() {
    let (tree, circulation) = round_trip();
    let mut rig = Rig::with(&tree, &circulation, &[], &[]);
    rig.run(10.0, &[]);
    let free = rig.flow.pressure_at(&rig.net, at(2, 30.0));
    rig.obstructions.push(Obstruction {
        vessel: VesselId(2),
        from_mm: 5.0,
        to_mm: 25.0,
        outer_diameter_mm: 4.0,
        body: 0,
    });
    rig.run(20.0, &[]);
    let wedged = rig.flow.pressure_at(&rig.net, at(2, 35.0));
    println!("free {free:.1}, wedged {wedged:.1} mmHg");
    assert!(free < 9.0 && (15.0..30.0).contains(&wedged));
}

#[test]
fn a_duct_has_its_own_fluid_and_pressure() {
    let mut tree = tube(2.0, 100.0, 0.02);
    tree.branches[0].name = "duct".to_owned();
    let supply = Supply::Duct { pressure_mmhg: 8.0, viscosity_mpa_s: 35.0 };
    let circulation = Circulation {
        roots: vec![RootSupply { vessel: "duct".to_owned(), supply }],
        ..Circulation::default()
    };
    let mut rig = Rig::with(&tree, &circulation, &[], &[]);
    rig.run(20.0, &[]);
    let q = rig.flow.flow_at(&rig.net, at(0, 50.0));
    let drop = rig.flow.pressure_at(&rig.net, at(0, 99.0)) - rig.flow.pressure_at(&rig.net, at(0, 1.0));
    let exact = 10.0 * poiseuille(2.0, 98.0) * 0.02;
    row("flow: duct", "drop of ten times the viscosity of blood, mmHg", exact, drop, "1e-6");
    assert!((q / -0.02 - 1.0).abs() < 1e-6 && (drop / exact - 1.0).abs() < 1e-6);
    assert!((rig.flow.pressure_at(&rig.net, at(0, 1.0)) - 8.0).abs() < 0.1);
}

fn anastomosed(diameter_mm: f64) -> Circulation {
    Circulation {
        anastomoses: vec![Anastomosis {
            from: "obturator.left".to_owned(),
            to: "vesical.left".to_owned(),
            diameter_mm,
            length_mm: 20.0,
            count: 2,
        }],
        ..Circulation::default()
    }
}

#[test]
fn an_anastomosis_feeds_a_bed_whose_artery_is_shut() {
    let flow_into_bladder = |circulation: &Circulation| {
        let mut rig = Rig::with(&small_pelvis(), circulation, &[], &[]);
        rig.run(20.0, &[]);
        let resting: Vec<f64> = (0..6).map(|o| mean_outlet(&mut rig, o)).collect();
        rig.obstructions.push(Obstruction {
            vessel: VesselId(8),
            from_mm: 0.0,
            to_mm: 20.0,
            outer_diameter_mm: 2.3,
            body: 0,
        });
        rig.run(20.0, &[]);
        let shut = mean(&mut rig, |r| r.flow.capillary_flow_ml_per_s[5]);
        (resting, shut)
    };
    let (resting, with) = flow_into_bladder(&anastomosed(0.4));
    let (_, without) = flow_into_bladder(&Circulation::default());
    let table = 8.0 / 60.0;
    row("flow: anastomosis", "resting flow of a bed with one, mL/s", table, resting[5], "0.01");
    println!("artery shut: {with:.4} with, {without:.5} without");
    for (q, exact) in resting.iter().zip([8.0, 5.8, 1.6, 1.0, 14.0 / 60.0, table]) {
        assert!((q / exact - 1.0).abs() < 0.01, "the table's flows come out with the anastomosis in place");
    }
    assert!(with > 0.3 * table && without < 0.05 * table);
}

fn mean_outlet(rig: &mut Rig, outlet: usize) -> f64 {
    mean(rig, |r| r.flow.outlet_flow_ml_per_s[outlet])
}

#[test]
fn small_particles_cross_an_anastomosis_and_large_ones_do_not() {
    let crossed = |min_mm: f64, max_mm: f64| {
        let mut agent = pva(500.0);
        agent.size_classes = vec![SizeClass { min_mm, max_mm, share: 1.0 }];
        let mut rig = Rig::with(&small_pelvis(), &anastomosed(0.4), &[], &[agent]);
        // The bladder's artery is shut, so that blood goes over to its bed.
        rig.obstructions.push(Obstruction {
            vessel: VesselId(8),
            from_mm: 0.0,
            to_mm: 20.0,
            outer_diameter_mm: 2.3,
            body: 0,
        });
        rig.run(10.0, &[]);
        let source = Source {
            place: at(7, 15.0),
            flow_ml_per_s: 0.1,
            iodine_mg_per_ml: 290.0,
            particles: Some((0, 500.0)),
            gas_share: 0.0,
        };
        rig.run(5.0, &[source]);
        rig.run(10.0, &[]);
        let ledger = &rig.therapy.outlets[4];
        let sum = |x: &[f64]| x.iter().sum::<f64>();
        let account =
            sum(&ledger.lodged) + sum(&ledger.passed) + sum(&ledger.crossed) + sum(&ledger.lodged_between);
        assert!((account / sum(&ledger.arrived) - 1.0).abs() < 1e-9);
        assert!(rig.worst_ledger() < 1e-9);
        let iodine: f64 = rig.contrast.bed_iodine_mg[5].iter().sum();
        (sum(&rig.therapy.outlets[5].arrived), sum(&ledger.arrived), iodine)
    };
    let (small, dose, iodine) = crossed(0.1, 0.2);
    let (large, _, _) = crossed(0.5, 0.7);
    println!(
        "of {dose:.0}: {small:.0} of 0.1 to 0.2 mm cross, {large:.0} of 0.5 to 0.7 mm; iodine there {iodine:.2} mg"
    );
    assert!(small > 0.05 * dose && large == 0.0 && iodine > 0.1);
}

#[test]
fn a_collateral_shares_the_flow_by_its_resistance() {
    let (one, two) = ((1.5, 80.0), (1.0, 60.0));
    let mut tree = tube(one.0, 200.0, 1.0);
    tree.branches[0].name = "main".to_owned();
    let circulation = Circulation {
        collaterals: vec![Collateral {
            from: "main".to_owned(),
            from_mm: 61.0,
            to: "main".to_owned(),
            to_mm: 61.0 + one.1,
            diameter_mm: 2.0 * two.0,
            length_mm: two.1,
        }],
        ..Circulation::default()
    };
    let mut rig = Rig::with(&tree, &circulation, &[], &[]);
    rig.steady_mmhg = Some(100.0);
    rig.run(20.0, &[]);
    let main = rig.flow.flow_at(&rig.net, at(0, 100.0));
    let around = rig.flow.flow_at(&rig.net, at(1, 30.0));
    let exact = poiseuille(one.0, one.1) / poiseuille(two.0, two.1);
    row("flow: collateral", "share of the main flow by its resistance", exact, around / main, "1e-6");
    assert!((around / main / exact - 1.0).abs() < 1e-6);
    // A plug in the main way sends all of it around, contrast included.
    rig.obstructions.push(Obstruction {
        vessel: VesselId(0),
        from_mm: 90.0,
        to_mm: 100.0,
        outer_diameter_mm: 3.0,
        body: 0,
    });
    rig.run(10.0, &[]);
    rig.run(6.0, &[iodine_source(at(0, 20.0), 0.5)]);
    assert!(rig.flow.flow_at(&rig.net, at(0, 95.0)) < 0.01 * rig.flow.flow_at(&rig.net, at(1, 30.0)));
    assert!(rig.iodine_at(at(0, 190.0)) > 50.0 && rig.worst_ledger() < 1e-9);
    let views = contrast::vessel_views(&rig.net, &rig.flow, &rig.contrast, &vec![1.0; rig.net.cells()]);
    assert_eq!(views.len(), 1, "no picture shows it");
}

fn with_nidus() -> Circulation {
    Circulation {
        shunts: vec![Shunt {
            name: "nidus".to_owned(),
            vessel: "anterior.left".to_owned(),
            at_mm: 30.0,
            pedicle_mm: 1.6,
            flow_ml_per_min: 120.0,
            channel_mm: 0.25,
            transit_s: 0.8,
            center_mm: (0.0, 0.0, 0.0),
            radius_mm: 12.0,
        }],
        ..Circulation::default()
    }
}

#[test]
fn a_nidus_shunts_fast_lets_small_particles_through_and_closes_with_large_ones() {
    let run = |min_mm: f64, max_mm: f64| {
        let mut agent = pva(2000.0);
        agent.size_classes = vec![SizeClass { min_mm, max_mm, share: 1.0 }];
        let mut rig = Rig::with(&small_pelvis(), &with_nidus(), &[], &[agent]);
        rig.run(15.0, &[]);
        let nidus = rig.net.beds.iter().position(|b| b.name == "nidus").unwrap();
        let outlet = rig.net.beds[nidus].outlets[0] as usize;
        let resting = mean_outlet(&mut rig, outlet);
        let pedicle = rig.net.outlets[outlet].branch;
        let source = Source {
            place: VesselPlace { vessel: pedicle, arc_mm: 1.0 },
            flow_ml_per_s: 0.5,
            iodine_mg_per_ml: 290.0,
            particles: Some((0, 2000.0)),
            gas_share: 0.0,
        };
        rig.run(2.0, &[source]);
        rig.run(2.0, &[]);
        let veins: f64 = rig.contrast.vein_iodine_mg.iter().sum();
        rig.run(20.0, &[]);
        let ledger = &rig.therapy.outlets[outlet];
        let passed = ledger.passed.iter().sum::<f64>() / ledger.arrived.iter().sum::<f64>();
        let views = contrast::bed_views(&rig.net, &rig.flow, &rig.contrast, &rig.therapy_model, &rig.therapy);
        assert_eq!(views[nidus].vessels, [6], "the artery of the tree feeds it");
        let later = mean_outlet(&mut rig, outlet);
        (resting, later, passed, veins / rig.contrast.injected[0])
    };
    let (resting, open, passed, veins) = run(0.04, 0.12);
    let (_, closed, stopped, _) = run(0.3, 0.5);
    println!(
        "nidus {resting:.4} mL/s; small: {:.0} % pass, flow {open:.2}; large: {:.0} % pass, flow {closed:.3}; veins {:.0} % in 4 s",
        100.0 * passed,
        100.0 * stopped,
        100.0 * veins
    );
    assert!((resting / 2.0 - 1.0).abs() < 0.01 && veins > 0.3, "early draining vein");
    assert!(passed > 0.95 && (open / resting - 1.0).abs() < 0.05);
    assert!(stopped < 0.05 && closed < 0.2 * resting);
}

#[test]
fn wrong_names_and_numbers_of_a_circulation_are_refused_in_words() {
    let tree = small_pelvis();
    let said = |c: Circulation| c.check(&tree).unwrap_err().to_string();
    let mut c = anastomosed(0.4);
    c.anastomoses[0].to = "vesical.lef".to_owned();
    assert!(said(c).contains("vesical.lef"));
    assert!(said(anastomosed(5.0)).contains("0.02 to 2"));
    let mut c = with_nidus();
    c.shunts[0].at_mm = 900.0;
    assert!(said(c).contains("900"));
    let supply = RootSupply { vessel: "common.left".to_owned(), supply: Supply::Veins };
    assert!(said(Circulation { roots: vec![supply], ..Circulation::default() }).contains("origin"));
    assert!((VENOUS_PRESSURE_MMHG - 5.0).abs() < 1e-12);
}
