//! Injector, syringe and lumens.

use super::*;
use cathnav::sim::command::{Command, Fluid, ToolId};
use cathnav::sim::contrast::{lumen_flow_ml_per_s, pressure_drop_mmhg};
use cathnav::units::MMHG_PER_PSI;

const TOOL: ToolId = ToolId(1);

/// A 5F catheter in the internal iliac, a microcatheter in the obturator.
fn lumen(micro: bool) -> LumenInput {
    LumenInput {
        tool: TOOL,
        inner_diameter_mm: if micro { 0.57 } else { 1.07 },
        length_mm: if micro { 1500.0 } else { 800.0 },
        max_pressure_psi: if micro { 750.0 } else { 1050.0 },
        inside_diameter_mm: 0.0,
        openings: vec![if micro { at(7, 20.0) } else { at(4, 20.0) }],
        tip_pressure_mmhg: 90.0,
        wedged: false,
    }
}

fn rig(micro: bool) -> Rig {
    let mut rig = Rig::new(&small_pelvis(), &[], &[pva(145.0)]);
    rig.lumens.push(lumen(micro));
    rig.run(1.0, &[]);
    rig.command(&Command::Connect { tool: TOOL });
    rig
}

fn has(rig: &Rig, wanted: impl Fn(&EventKind) -> bool) -> bool {
    rig.events.iter().any(wanted)
}

#[test]
fn pressure_drop_is_hagen_poiseuille_while_laminar_and_inverts() {
    let l = lumen(true);
    // 128 mu L Q / (pi d^4), SI by hand: 0.2 mL/s, 6.1 mPa s.
    let si = 128.0 * 6.1e-3 * 1.5 * 0.2e-6 / (std::f64::consts::PI * 0.57e-3_f64.powi(4)) / 133.322;
    let drop = pressure_drop_mmhg(&l, 6.1, 0.2);
    row(
        "injector: bore",
        "1.5 m of 0.57 mm, 0.2 mL/s of contrast, psi",
        si / MMHG_PER_PSI,
        drop / MMHG_PER_PSI,
        "1e-4",
    );
    assert!((drop / si - 1.0).abs() < 1e-4);
    for q in [0.1, 0.7, 3.0, 12.0] {
        let l = lumen(q > 2.0);
        assert!((lumen_flow_ml_per_s(&l, 6.1, pressure_drop_mmhg(&l, 6.1, q)) / q - 1.0).abs() < 1e-9);
    }
}

#[test]
fn injector_fires_with_the_run_after_its_delay_and_gives_its_volume() {
    let mut rig = rig(false);
    rig.command(&Command::SetInjector {
        rate_ml_per_s: 4.0,
        volume_ml: 8.0,
        rise_s: 0.5,
        delay_s: 1.0,
        pressure_limit_psi: 900.0,
    });
    rig.command(&Command::SetInjectorArmed(true));
    rig.run(1.0, &[]);
    assert_eq!(rig.injector.flow_ml_per_s, 0.0, "armed alone does nothing");
    rig.acquiring = true;
    rig.run(0.95, &[]);
    assert_eq!(rig.injector.flow_ml_per_s, 0.0, "delay");
    rig.run(0.3, &[]);
    assert!((0.5..3.5).contains(&rig.injector.flow_ml_per_s), "rise");
    rig.run(1.0, &[]);
    assert!((rig.injector.flow_ml_per_s - 4.0).abs() < 1e-9);
    rig.run(5.0, &[]);
    let dead = std::f64::consts::PI / 4.0 * 1.07 * 1.07 * 800.0 / 1000.0;
    println!("given {:.4} mL of contrast, dead volume {dead:.4} mL", rig.injector.contrast_given_ml);
    assert!((rig.injector.contrast_given_ml - (8.0 - dead)).abs() < 1e-6, "saline of the lumen came first");
    assert!((rig.contrast.injected[0] - 300.0 * (8.0 - dead)).abs() < 1e-3);
    assert!(has(&rig, |e| matches!(e, EventKind::InjectionStarted { by_injector: true, .. })));
    assert!(has(
        &rig,
        |e| matches!(e, EventKind::InjectionEnded { volume_ml, .. } if (volume_ml - 8.0).abs() < 1e-6)
    ));
    assert!(!rig.injector.armed && !has(&rig, |e| matches!(e, EventKind::PressureLimited(_))));
    assert!((rig.injector.stock_ml - 142.0).abs() < 1e-6);
}

#[test]
fn releasing_the_pedal_stops_the_injector_and_an_edit_disarms() {
    let mut rig = rig(false);
    rig.command(&Command::SetInjectorArmed(true));
    rig.acquiring = true;
    rig.run(1.0, &[]);
    rig.acquiring = false;
    rig.run(1.0, &[]);
    let given = rig.injector.contrast_given_ml;
    rig.acquiring = true;
    rig.run(1.0, &[]);
    assert_eq!(rig.injector.contrast_given_ml, given);
    rig.command(&Command::SetInjectorArmed(true));
    rig.command(&Command::SetInjector {
        rate_ml_per_s: 2.0,
        volume_ml: 4.0,
        rise_s: 0.0,
        delay_s: 0.0,
        pressure_limit_psi: 600.0,
    });
    assert!(!rig.injector.armed);
    rig.command(&Command::SetInjector {
        rate_ml_per_s: f64::NAN,
        volume_ml: 4.0,
        rise_s: 0.0,
        delay_s: 0.0,
        pressure_limit_psi: 600.0,
    });
    rig.command(&Command::SetInjectorArmed(true));
    assert!(!rig.injector.armed && has(&rig, |e| matches!(e, EventKind::Refused { .. })));
}

#[test]
fn a_microcatheter_holds_the_injector_back() {
    let mut rig = rig(true);
    rig.command(&Command::SetInjector {
        rate_ml_per_s: 5.0,
        volume_ml: 6.0,
        rise_s: 0.0,
        delay_s: 0.0,
        pressure_limit_psi: 600.0,
    });
    rig.command(&Command::SetInjectorArmed(true));
    rig.acquiring = true;
    rig.run(1.5, &[]);
    println!("2.4F at 600 psi: {:.2} mL/s", rig.injector.flow_ml_per_s);
    assert!((0.5..2.5).contains(&rig.injector.flow_ml_per_s));
    assert!((rig.injector.pressure_psi - 600.0).abs() < 1.0);
    assert!(has(&rig, |e| matches!(e, EventKind::PressureLimited(TOOL))));
}

#[test]
fn old_fluid_leaves_the_lumen_first() {
    let mut rig = rig(true);
    let dead = std::f64::consts::PI / 4.0 * 0.57 * 0.57 * 1500.0 / 1000.0;
    let embolic = Fluid::Embolic { id: "particles.pva.500_700".to_owned(), strength: 1.0 };
    rig.command(&Command::FillSyringe { fluid: embolic, volume_ml: 1.0 });
    rig.command(&Command::SetHandInjection(0.3));
    rig.run(1.0, &[]);
    assert_eq!(rig.injector.embolic_given_ml, 0.0, "the first {dead} mL are saline");
    rig.run(3.0, &[]);
    let first = rig.injector.embolic_given_ml;
    println!("1 mL of suspension: {first:.3} mL out, dead volume {dead:.3} mL");
    assert!((first - (1.0 - dead)).abs() < 1e-6);
    rig.command(&Command::FillSyringe { fluid: Fluid::Saline, volume_ml: 2.0 });
    rig.run(6.0, &[]);
    assert!(
        (rig.injector.embolic_given_ml - 1.0).abs() < 1e-6,
        "the rest follows when saline is pushed behind it"
    );
    let particles: f64 = rig.contrast.injected[1..].iter().sum();
    assert!((particles - 145.0).abs() < 1e-3);
    assert!(rig.worst_ledger() < 1e-9);
}

#[test]
fn air_comes_after_a_wire_unless_the_lumen_is_flushed() {
    for flushed in [false, true] {
        let mut rig = rig(false);
        rig.lumens[0].inside_diameter_mm = 0.89;
        rig.run(0.5, &[]);
        rig.lumens[0].inside_diameter_mm = 0.0;
        rig.run(0.5, &[]);
        if flushed {
            rig.command(&Command::Flush);
        }
        rig.command(&Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 5.0 });
        rig.command(&Command::SetHandInjection(2.0));
        rig.run(1.0, &[]);
        let air = has(&rig, |e| matches!(e, EventKind::AirInjected { volume_ml, .. } if *volume_ml > 0.05));
        assert_eq!(air, !flushed);
    }
}

#[test]
fn wire_and_clogging_and_empty_stock_are_refused_in_words() {
    let mut rig = rig(true);
    rig.lumens[0].inside_diameter_mm = 0.55;
    rig.command(&Command::FillSyringe { fluid: Fluid::Saline, volume_ml: 5.0 });
    rig.command(&Command::SetHandInjection(0.5));
    rig.run(1.0, &[]);
    let reasons: Vec<&String> = rig
        .events
        .iter()
        .filter_map(|e| if let EventKind::Refused { reason, .. } = e { Some(reason) } else { None })
        .collect();
    assert_eq!(reasons.len(), 1, "told once while held: {reasons:?}");
    assert!(reasons[0].contains("0.55") && reasons[0].contains("0.57"));
    rig.lumens[0].inside_diameter_mm = 0.0;
    rig.lumens[0].inner_diameter_mm = 0.42;
    rig.command(&Command::SetHandInjection(0.0));
    rig.command(&Command::FillSyringe {
        fluid: Fluid::Embolic { id: "particles.pva.500_700".to_owned(), strength: 1.0 },
        volume_ml: 1.0,
    });
    rig.command(&Command::SetHandInjection(0.3));
    rig.run(0.5, &[]);
    assert!(has(&rig, |e| matches!(e, EventKind::Refused { reason, .. } if reason.contains("clogs"))));
    assert_eq!(rig.injector.embolic_given_ml, 0.0);
    for _ in 0..9 {
        rig.command(&Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 20.0 });
    }
    assert!(has(&rig, |e| matches!(e, EventKind::Refused { reason, .. } if reason.contains("left"))));
}

#[test]
fn a_wedged_tip_is_told_once_per_injection() {
    let mut rig = rig(true);
    rig.lumens[0].wedged = true;
    rig.command(&Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 3.0 });
    rig.command(&Command::SetHandInjection(0.3));
    rig.run(1.0, &[]);
    rig.command(&Command::SetHandInjection(0.0));
    rig.run(0.5, &[]);
    assert_eq!(rig.events.iter().filter(|e| matches!(e, EventKind::WedgedInjection(_))).count(), 1);
    rig.command(&Command::SetHandInjection(0.3));
    rig.run(0.5, &[]);
    assert_eq!(rig.events.iter().filter(|e| matches!(e, EventKind::WedgedInjection(_))).count(), 2);
}

/// What the injector gives in one tick.
fn given(rig: &mut Rig) -> Vec<Source> {
    let (model, lumens) = (rig.injector_model.clone(), rig.lumens.clone());
    let mut sources = Vec::new();
    injector::advance(
        &model,
        &mut rig.injector,
        &lumens,
        false,
        150.0,
        TICK_S,
        &mut sources,
        &mut Vec::new(),
    );
    sources
}

#[test]
fn side_holes_share_the_flow() {
    let mut rig = rig(false);
    rig.lumens[0].openings = vec![at(0, 60.0), at(0, 50.0), at(0, 46.0)];
    rig.command(&Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 10.0 });
    rig.command(&Command::SetHandInjection(5.0));
    rig.run(0.5, &[]);
    let sources = given(&mut rig);
    let total: f64 = sources.iter().map(|s| s.flow_ml_per_s).sum();
    assert_eq!(sources.len(), 3);
    assert!((total - 5.0).abs() < 1e-9 && sources[0].flow_ml_per_s > sources[1].flow_ml_per_s);
    rig.lumens[0].wedged = true;
    rig.run(0.5, &[]);
    let wedged = given(&mut rig);
    let total: f64 = wedged.iter().map(|s| s.flow_ml_per_s).sum();
    assert!((total - 5.0).abs() < 1e-9 && wedged[0].flow_ml_per_s < 0.1 * wedged[1].flow_ml_per_s);
}

#[test]
fn connecting_to_a_device_that_is_not_in_is_refused() {
    let mut rig = rig(false);
    rig.command(&Command::Connect { tool: ToolId(9) });
    rig.run(0.1, &[]);
    assert!(has(&rig, |e| matches!(e, EventKind::Refused { tool: Some(ToolId(9)), .. })));
    assert_eq!(rig.injector.connected, None);
}

#[test]
fn dilution_halves_the_iodine_and_lets_a_fine_bore_give_more() {
    let through = |share: f64| {
        let mut rig = rig(true);
        rig.lumens[0].inner_diameter_mm = 0.4;
        rig.command(&Command::FillSyringe { fluid: Fluid::Diluted(share), volume_ml: 20.0 });
        rig.command(&Command::SetHandInjection(8.0));
        rig.run(4.0, &[]);
        let before = (rig.contrast.injected[0], rig.injector.flow_ml_per_s);
        rig.run(1.0, &[]);
        ((rig.contrast.injected[0] - before.0) / before.1, before.1)
    };
    let (iodine, flow) = through(1.0);
    let (half_iodine, half_flow) = through(0.5);
    // Hagen-Poiseuille, SI: a hand gives 300 psi; 6.1 mPa s at 300 mg/mL, 150 mg/mL between saline and 240 mg/mL.
    let thin = (0.7_f64.ln() + 150.0 / 240.0 * (3.3_f64.ln() - 0.7_f64.ln())).exp();
    let pascal = (300.0 * MMHG_PER_PSI - 90.0) * 133.322;
    let exact =
        |mu: f64| pascal * std::f64::consts::PI * 0.4e-3_f64.powi(4) / (128.0 * mu * 1e-3 * 1.5) * 1e6;
    row("injector: viscosity", "hand through 0.4 mm, contrast, mL/s", exact(6.1), flow, "1e-3");
    row("injector: viscosity", "the same half diluted, mL/s", exact(thin), half_flow, "1e-3");
    row("injector: dilution", "iodine of half strength, mg/mL", 150.0, half_iodine, "1e-6");
    assert!((flow / exact(6.1) - 1.0).abs() < 1e-3 && (half_flow / exact(thin) - 1.0).abs() < 1e-3);
    assert!((iodine / 300.0 - 1.0).abs() < 1e-6 && (half_iodine / 150.0 - 1.0).abs() < 1e-6);
}
