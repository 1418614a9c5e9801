//! Flow against closed forms.

use super::*;
use cathnav::sim::flow::{
    TISSUE_PRESSURE_MMHG, VENOUS_PRESSURE_MMHG, annulus_factor, poiseuille, young_tsai,
};

#[test]
fn drop_along_a_tube_is_poiseuille() {
    let mut rig = Rig::new(&tube(2.0, 200.0, 3.0), &[], &[]);
    rig.steady_mmhg = Some(100.0);
    rig.run(20.0, &[]);
    let q = rig.flow.flow_at(&rig.net, at(0, 100.0));
    // Between cell middles 199 and 1 mm.
    let drop = rig.flow.pressure_mmhg[0] - rig.flow.pressure_mmhg.last().unwrap();
    let exact = poiseuille(2.0, 198.0) * q;
    row("flow: Poiseuille", "drop along 198 mm of 4 mm, mmHg", exact, drop, "1e-9");
    residual("flow: Poiseuille", "relative error of that drop", (drop / exact - 1.0).abs(), "1e-9");
    assert!((drop / exact - 1.0).abs() < 1e-9);
}

#[test]
fn annulus_of_a_hair_is_open_and_a_plug_is_shut() {
    assert!(annulus_factor(0.0) == 1.0 && annulus_factor(0.02) < 1.5);
    assert!(annulus_factor(0.97) > 1000.0);
    // 5F (1.67 mm) in 4 mm: concentric annulus over the relief of its eccentric place, by hand.
    let k: f64 = 1.67 / 4.0;
    let open = 1.0 - k.powi(4) + (1.0 - k * k).powi(2) / k.ln();
    assert!((annulus_factor(k) - 1.0 / (open * (1.0 + 1.5 * k))).abs() < 1e-12);
}

#[test]
fn two_branches_share_by_their_resistances() {
    let v = Vec3::new;
    let mut parent = branch("parent", None, v(0.0, 0.0, 0.0), v(50.0, 0.0, 0.0), (3.0, 3.0));
    parent.wall_ep_n_per_mm2 = 0.3;
    let mut a = branch("a", Some(at(0, 50.0)), v(50.0, 0.0, 0.0), v(100.0, 50.0, 0.0), (1.5, 1.5));
    let mut b = branch("b", Some(at(0, 50.0)), v(50.0, 0.0, 0.0), v(90.0, -40.0, 0.0), (1.0, 1.0));
    (a.outlet, b.outlet) = (outlet("a", 1.2), outlet("b", 0.7));
    let mut rig = Rig::new(&VesselTree { branches: vec![parent, a, b] }, &[], &[]);
    rig.steady_mmhg = Some(100.0);
    rig.therapy.bed_resistance_factor = vec![[1.0; 2], [5.0; 2]];
    rig.run(30.0, &[]);
    let arm = |i: usize, factor: f64| {
        let cells = &rig.net.branches[i];
        let own: f64 = (0..cells.cells as usize)
            .map(|k| rig.net.half_resistance[cells.cell0 as usize + k].iter().sum::<f64>())
            .sum();
        let o = &rig.net.outlets[i - 1];
        own + factor * (o.proximal_mmhg_s_per_ml + o.distal_mmhg_s_per_ml)
    };
    let ratio = rig.flow.outlet_flow_ml_per_s[0] / rig.flow.outlet_flow_ml_per_s[1];
    let exact = arm(2, 5.0) / arm(1, 1.0);
    row("flow: two branches", "flow of one over the other", exact, ratio, "1e-7");
    residual("flow: two branches", "relative error of that", (ratio / exact - 1.0).abs(), "1e-7");
    assert!((ratio / exact - 1.0).abs() < 1e-7);
    let sum: f64 = rig.flow.outlet_flow_ml_per_s.iter().sum();
    assert!((rig.flow.flow_at(&rig.net, at(0, 25.0)) / sum - 1.0).abs() < 1e-7);
}

#[test]
fn windkessel_decays_with_its_time_constant() {
    let net = Network::compile(&tube(4.0, 10.0, 2.0), &Circulation::default(), &Patient::default(), &[]);
    let o = net.outlets[0];
    let tau = o.compliance_ml_per_mmhg / (1.0 / o.proximal_mmhg_s_per_ml + 1.0 / o.distal_mmhg_s_per_ml);
    let error = |ticks: usize| {
        let mut state = FlowState::new(&net);
        let mut scratch = FlowScratch::default();
        let start = state.outlet_pressure_mmhg[0];
        let inputs = FlowInputs { root_mmhg: 60.0, ..FlowInputs::default() };
        let seconds = 0.1;
        for _ in 0..ticks {
            flow::advance(&net, &mut state, &mut scratch, &inputs, seconds / ticks as f64);
        }
        let share = o.distal_mmhg_s_per_ml / (o.distal_mmhg_s_per_ml + o.proximal_mmhg_s_per_ml);
        let end = VENOUS_PRESSURE_MMHG + share * (60.0 - VENOUS_PRESSURE_MMHG);
        let exact = end + (start - end) * (-seconds / tau).exp();
        ((state.outlet_pressure_mmhg[0] - exact) / (start - end)).abs()
    };
    let errors: Vec<f64> = [25, 50, 100, 200].into_iter().map(error).collect();
    for (e, ticks) in errors.iter().zip([25, 50, 100, 200]) {
        residual(
            "flow: Windkessel",
            &format!("decay over 0.1 s in {ticks} steps, share of the fall"),
            *e,
            "0.01 in 200",
        );
    }
    let order = (errors[0] / errors[2]).log2() / 2.0;
    row("flow: Windkessel", "order in the step", 1.0, order, "0.9 to 1.2");
    assert!(errors[3] < 0.01 && (0.9..1.2).contains(&order));
}

#[test]
fn stenosis_drops_as_young_and_tsai() {
    for reduction in [50.0, 70.0, 80.0] {
        let lesion = LesionDescription::Stenosis {
            vessel: "tube".to_owned(),
            at: At::Mm(100.0),
            length_mm: 20.0,
            diameter_reduction_pct: reduction,
            eccentricity: 0.0,
            around_deg: 0.0,
            calcium: 0.0,
            debris: 0.01,
        };
        let mut rig = Rig::new(&tube(3.0, 200.0, 6.0), &[lesion], &[]);
        rig.steady_mmhg = Some(100.0);
        rig.run(30.0, &[]);
        let q = rig.flow.flow_at(&rig.net, at(0, 50.0));
        let drop = rig.flow.pressure_at(&rig.net, at(0, 81.0)) - rig.flow.pressure_at(&rig.net, at(0, 119.0));
        let loss = young_tsai(6.0, 6.0 * (1.0 - reduction / 100.0), 20.0);
        let exact = loss.viscous * q + loss.turbulent * q * q + poiseuille(3.0, 18.0) * q;
        row(
            "flow: stenosis",
            &format!("drop of {reduction} % at {q:.2} mL/s against Young and Tsai, mmHg"),
            exact,
            drop,
            "1e-3",
        );
        residual("flow: stenosis", "relative error of that", (drop / exact - 1.0).abs(), "1e-3");
        assert!((drop / exact - 1.0).abs() < 1e-3);
    }
}

/// Arcade: two branches of the aorta joined by a third.
fn arcade() -> VesselTree {
    let v = Vec3::new;
    let mut tree = small_pelvis();
    let mut loop_branch =
        branch("arcade", Some(at(7, 50.0)), v(40.0, -20.0, -110.0), v(12.0, -25.0, -101.0), (0.8, 0.8));
    loop_branch.distal_join = Some(at(8, 35.0));
    tree.branches.push(loop_branch);
    tree
}

#[test]
fn every_cell_balances_with_loops_devices_leaks_and_sources() {
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(40.0),
        flow_ml_per_min: 60.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    let mut rig = Rig::new(&arcade(), &[bleed], &[]);
    rig.obstructions.push(Obstruction {
        vessel: VesselId(7),
        from_mm: 0.0,
        to_mm: 20.0,
        outer_diameter_mm: 0.8,
        body: 0,
    });
    rig.obstructions.push(Obstruction {
        vessel: VesselId(4),
        from_mm: 0.0,
        to_mm: 30.0,
        outer_diameter_mm: 1.67,
        body: 0,
    });
    let mut worst: f64 = 0.0;
    for i in 0..600 {
        let flow = if (i / 60) % 2 == 0 { 4.0 } else { 0.0 };
        rig.tick(&[iodine_source(at(7, 21.0), flow)]);
        worst = worst.max(rig.flow.residual_ml_per_s);
    }
    residual("flow: mass balance", "worst cell, loops, devices, leak, injection, mL/s", worst, "1e-9");
    assert!(worst < 1e-9);
    assert!(rig.flow.flow_at(&rig.net, at(9, 15.0)).abs() > 1e-6, "the arcade carries flow");
}

#[test]
fn resting_flows_come_out_under_the_pulse() {
    let mut worst: f64 = 0.0;
    for tree in [small_pelvis(), arcade()] {
        let mut rig = Rig::new(&tree, &[], &[]);
        rig.run(20.0, &[]);
        let mut sums = vec![0.0; rig.net.outlets.len()];
        let mut ticks = 0.0;
        // Whole breaths, so that their pull averages out: 14 per minute, 7 breaths in 30 s.
        for _ in 0..1800 {
            rig.tick(&[]);
            ticks += 1.0;
            for (s, q) in sums.iter_mut().zip(&rig.flow.outlet_flow_ml_per_s) {
                *s += q;
            }
        }
        for (o, sum) in rig.net.outlets.iter().zip(&sums) {
            let mean = sum / ticks;
            let error = mean / o.resting_flow_ml_per_s - 1.0;
            worst = worst.max(error.abs());
            assert!(error.abs() < 0.01);
        }
    }
    residual("flow: resting flows", "worst outlet under the pulse, with and without a loop", worst, "0.01");
}

#[test]
fn a_bleed_runs_at_its_stated_rate() {
    let bleed = LesionDescription::Bleeding {
        name: "b".to_owned(),
        vessel: "obturator.left".to_owned(),
        at: At::Mm(40.0),
        flow_ml_per_min: 60.0,
        share_of_time: 1.0,
        period_s: 300.0,
    };
    let mut rig = Rig::new(&small_pelvis(), &[bleed], &[]);
    rig.steady_mmhg = Some(90.0);
    rig.run(30.0, &[]);
    row("flow: leak", "bleed of 60 mL/min at 90 mmHg", 60.0, 60.0 * rig.flow.leak_flow_ml_per_s[0], "1e-6");
    assert!((rig.flow.leak_flow_ml_per_s[0] - 1.0).abs() < 1e-6);
    rig.steady_mmhg = Some(50.0);
    rig.run(30.0, &[]);
    let expected = (50.0 - TISSUE_PRESSURE_MMHG) / (90.0 - TISSUE_PRESSURE_MMHG);
    assert!((rig.flow.leak_flow_ml_per_s[0] - expected).abs() < 0.05, "falls with the pressure");
}

#[test]
fn a_wedged_device_stops_what_lies_behind_it() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[]);
    rig.run(3.0, &[]);
    let open = rig.flow.mean_flow_at(&rig.net, at(7, 40.0));
    rig.obstructions.push(Obstruction {
        vessel: VesselId(7),
        from_mm: 0.0,
        to_mm: 20.0,
        outer_diameter_mm: 2.6,
        body: 0,
    });
    rig.run(12.0, &[]);
    let shut = rig.flow.mean_flow_at(&rig.net, at(7, 40.0));
    residual("flow: wedge", "share of the flow past a device as wide as its vessel", shut / open, "0.05");
    assert!(rig.flow.wedged_at(&rig.net, at(7, 20.5)) && !rig.flow.wedged_at(&rig.net, at(6, 10.0)));
    assert!(shut < 0.05 * open);
    rig.obstructions.clear();
    rig.run(12.0, &[]);
    assert!((rig.flow.mean_flow_at(&rig.net, at(7, 40.0)) / open - 1.0).abs() < 0.1);
}

#[test]
fn devices_side_by_side_narrow_as_one_of_their_cross_section() {
    let body = |body: u32, from_mm: f64, to_mm: f64, outer_diameter_mm: f64| Obstruction {
        vessel: VesselId(0),
        from_mm,
        to_mm,
        outer_diameter_mm,
        body,
    };
    let drop = |obstructions: Vec<Obstruction>| {
        let mut rig = Rig::new(&tube(2.0, 200.0, 3.0), &[], &[]);
        rig.steady_mmhg = Some(100.0);
        rig.obstructions = obstructions;
        rig.run(20.0, &[]);
        let q = rig.flow.flow_at(&rig.net, at(0, 100.0));
        (rig.flow.pressure_mmhg[0] - rig.flow.pressure_mmhg.last().unwrap()) / q
    };
    let both = drop(vec![body(0, 50.0, 151.0, 1.2), body(1, 90.0, 151.0, 1.6)]);
    // By hand: 40 mm beside the first, 61 mm beside both, which fill as one of 2 mm.
    let open = poiseuille(2.0, 1.0);
    let exact = open * (198.0 - 101.0 + 40.0 * annulus_factor(0.3) + 61.0 * annulus_factor(0.5));
    row("flow: devices", "two side by side, resistance, mmHg s/mL", exact, both, "1e-9");
    assert!((both / exact - 1.0).abs() < 1e-9);
    // Stretches of one body that overlap count once.
    let folded = drop(vec![body(0, 50.0, 120.0, 1.2), body(0, 151.0, 110.0, 1.2)]);
    let exact = open * (198.0 - 101.0 + 101.0 * annulus_factor(0.3));
    assert!((folded / exact - 1.0).abs() < 1e-9);
}
