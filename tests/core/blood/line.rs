//! Pressure lines.

use super::*;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::contrast::saline_resistance_mmhg_s_per_ml;
use cathnav::sim::flow::{LineInput, PressureLines};
use cathnav::sim::snapshot::PressureLineView;

const TOOL: ToolId = ToolId(2);

fn lumen(bore_mm: f64, length_mm: f64) -> LumenInput {
    LumenInput {
        tool: TOOL,
        inner_diameter_mm: bore_mm,
        length_mm,
        max_pressure_psi: 1000.0,
        inside_diameter_mm: 0.0,
        openings: vec![at(4, 30.0)],
        tip_pressure_mmhg: 90.0,
        wedged: false,
    }
}

/// What the line of a lumen shows after some seconds at a place.
fn shown(rig: &mut Rig, lumen: &LumenInput, place: VesselPlace, clot_share: f64) -> PressureLineView {
    let mut lines = PressureLines::default();
    for _ in 0..900 {
        rig.tick(&[]);
        let input = LineInput {
            tool: TOOL,
            tip_mmhg: Some(rig.flow.pressure_at(&rig.net, place)),
            resistance_mmhg_s_per_ml: saline_resistance_mmhg_s_per_ml(lumen),
            wedged: rig.flow.wedged_at(&rig.net, place),
            clot_share,
            injecting: false,
        };
        lines.advance(&[input], rig.patient.is_new_beat, TICK_S);
    }
    lines.view().remove(0)
}

#[test]
fn the_line_is_the_closed_form_of_a_first_order_system() {
    // R = 128 mu L / (pi d^4) in SI by hand, C = 2e-5 mL/mmHg; a step of 50 mmHg after 0.2 s.
    let l = lumen(0.4, 1500.0);
    let r = 128.0 * 0.7e-3 * 1.5 / (std::f64::consts::PI * 0.4e-3_f64.powi(4)) / 133.322 * 1e-6;
    assert!((saline_resistance_mmhg_s_per_ml(&l) / r - 1.0).abs() < 1e-4);
    let mut lines = PressureLines::default();
    let mut input = LineInput {
        tool: TOOL,
        tip_mmhg: Some(50.0),
        resistance_mmhg_s_per_ml: r,
        wedged: false,
        clot_share: 0.0,
        injecting: false,
    };
    lines.advance(&[input], false, TICK_S);
    input.tip_mmhg = Some(100.0);
    for _ in 0..12 {
        lines.advance(&[input], false, TICK_S);
    }
    let exact = 100.0 - 50.0 * (-0.2 / (r * 2e-5)).exp();
    let now = lines.view()[0].pressure_mmhg;
    row("line: step", "a step of 50 mmHg after 0.2 s, mmHg", exact, now, "1e-6");
    residual("line: step", "difference, mmHg", (now - exact).abs(), "1e-6");
    assert!((now - exact).abs() < 1e-6);
    input.tip_mmhg = None;
    lines.advance(&[input], false, TICK_S);
    assert!(lines.view().is_empty(), "no line outside the body");
}

#[test]
fn a_catheter_shows_the_wave_and_a_fine_wedged_or_clotted_one_is_damped() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[]);
    let place = at(4, 30.0);
    let pulse = |v: &PressureLineView| v.systolic_mmhg - v.diastolic_mmhg;
    let five = shown(&mut rig, &lumen(1.07, 800.0), place, 0.0);
    let micro = shown(&mut rig, &lumen(0.45, 1500.0), place, 0.0);
    let clotted = shown(&mut rig, &lumen(1.07, 800.0), place, 0.9);
    rig.obstructions.push(Obstruction {
        vessel: VesselId(4),
        from_mm: 0.0,
        to_mm: 25.0,
        outer_diameter_mm: 6.6,
        body: 0,
    });
    rig.run(15.0, &[]);
    let wedged = shown(&mut rig, &lumen(1.07, 800.0), at(4, 28.0), 0.0);
    println!(
        "pulse: 5F {:.1}, micro {:.1}, clotted {:.2}, wedged {:.2} mmHg; means {:.1} and wedged {:.1}",
        pulse(&five),
        pulse(&micro),
        pulse(&clotted),
        pulse(&wedged),
        five.mean_mmhg,
        wedged.mean_mmhg
    );
    assert!(pulse(&five) > 30.0 && !five.damped);
    assert!(pulse(&micro) < 0.8 * pulse(&five) && micro.damped);
    assert!(pulse(&clotted) < 0.1 * pulse(&five) && clotted.damped);
    assert!(pulse(&wedged) < 0.2 * pulse(&five) && wedged.mean_mmhg < 0.8 * five.mean_mmhg);
}

#[test]
fn an_unflushed_lumen_clots_without_heparin_and_only_then() {
    let minutes = |heparin: f64, flush_every_min: Option<u32>| {
        let mut rig = Rig::new(&tube(2.0, 20.0, 1.0), &[], &[]);
        rig.lumens.push(LumenInput { openings: vec![at(0, 10.0)], ..lumen(1.07, 800.0) });
        rig.tick(&[]);
        rig.command(&Command::Connect { tool: TOOL });
        if heparin > 0.0 {
            rig.patient.give("heparin", heparin, &mut rig.events);
        }
        for minute in 1..=15 {
            rig.run(60.0, &[]);
            if flush_every_min.is_some_and(|every| minute % every == 0) {
                rig.command(&Command::Flush);
            }
        }
        rig
    };
    let mut rig = minutes(0.0, None);
    let clot = rig.injector.clot_share(TOOL);
    let with = minutes(5000.0, None).injector.clot_share(TOOL);
    let flushed = minutes(0.0, Some(5)).injector.clot_share(TOOL);
    println!("clot after 15 min: {clot:.2}, with heparin {with:.2}, flushed {flushed:.2}");
    assert!(clot > 0.9 && with == 0.0 && flushed == 0.0);
    rig.command(&Command::FillSyringe { fluid: cathnav::sim::command::Fluid::Contrast, volume_ml: 5.0 });
    rig.command(&Command::SetHandInjection(1.0));
    rig.run(0.5, &[]);
    assert!(
        rig.events.iter().any(|e| matches!(e, EventKind::Refused { reason, .. } if reason.contains("clot")))
    );
    rig.command(&Command::Flush);
    rig.command(&Command::SetHandInjection(0.0));
    rig.run(0.1, &[]);
    rig.command(&Command::SetHandInjection(1.0));
    rig.run(2.0, &[]);
    assert!(rig.injector.contrast_given_ml > 0.5, "aspirated and flushed, it is open again");
}

#[test]
fn carbon_dioxide_flows_easily_shows_as_less_than_blood_and_dissolves() {
    let mut rig = Rig::new(&small_pelvis(), &[], &[]);
    rig.lumens.push(lumen(0.57, 1500.0));
    rig.run(1.0, &[]);
    rig.command(&Command::Connect { tool: TOOL });
    rig.command(&Command::FillSyringe {
        fluid: cathnav::sim::command::Fluid::CarbonDioxide,
        volume_ml: 40.0,
    });
    rig.command(&Command::SetHandInjection(6.0));
    rig.run(3.0, &[]);
    assert!((rig.injector.flow_ml_per_s - 6.0).abs() < 1e-9, "a microcatheter does not hold gas back");
    assert_eq!(rig.injector.contrast_given_ml, 0.0);
    let views = contrast::vessel_views(&rig.net, &rig.flow, &rig.contrast, &vec![1.0; rig.net.cells()]);
    let least = views[4].iodine_mg_per_ml.iter().fold(0.0_f32, |a, b| a.min(*b));
    let gas = rig.contrast.amount.len() - 1;
    println!(
        "least {least:.1} mg/mL of iodine equivalent; gas given {:.2} mL, ledger {:.1e}",
        rig.contrast.injected[gas],
        rig.contrast.ledger(gas).error()
    );
    assert!(least < -15.0 && rig.contrast.ledger(gas).error() < 1e-9);
    rig.command(&Command::SetHandInjection(0.0));
    rig.run(90.0, &[]);
    let left: f64 = rig.contrast.amount[gas].iter().sum();
    assert!(left < 0.01 * rig.contrast.injected[gas]);
}

#[test]
fn the_line_shows_the_gradient_of_a_lesion() {
    let lesion = LesionDescription::Stenosis {
        vessel: "tube".to_owned(),
        at: At::Mm(100.0),
        length_mm: 20.0,
        diameter_reduction_pct: 70.0,
        eccentricity: 0.0,
        around_deg: 0.0,
        calcium: 0.0,
        debris: 0.01,
    };
    let mut rig = Rig::new(&tube(3.0, 250.0, 6.0), &[lesion], &[]);
    rig.run(10.0, &[]);
    let [before, behind] = rig.net.around_stenosis(0).unwrap();
    let resistance_mmhg_s_per_ml = saline_resistance_mmhg_s_per_ml(&lumen(1.07, 800.0));
    let input = |rig: &Rig, tool: u8, place: VesselPlace| LineInput {
        tool: ToolId(tool),
        tip_mmhg: Some(rig.flow.pressure_at(&rig.net, place)),
        resistance_mmhg_s_per_ml,
        wedged: false,
        clot_share: 0.0,
        injecting: false,
    };
    let mut lines = PressureLines::default();
    let (mut shown, mut network, mut systolic) = (0.0, 0.0, [0.0_f64; 2]);
    // Whole breaths.
    for _ in 0..1800 {
        rig.tick(&[]);
        let inputs = [input(&rig, 1, before), input(&rig, 2, behind)];
        lines.advance(&inputs, rig.patient.is_new_beat, TICK_S);
        let view = lines.view();
        shown += (view[0].pressure_mmhg - view[1].pressure_mmhg) / 1800.0;
        network += (inputs[0].tip_mmhg.unwrap() - inputs[1].tip_mmhg.unwrap()) / 1800.0;
        systolic = [view[0].systolic_mmhg, view[1].systolic_mmhg];
    }
    row("line: gradient", "two lines about a lesion of 70 %, mean, mmHg", network, shown, "1e-2");
    assert!((shown / network - 1.0).abs() < 1e-2 && network > 10.0);
    assert!(systolic[0] - systolic[1] > shown, "most of it in systole");
}
