//! Times pictures of 1024 x 1024 with the whole chain, from saved warm states: `cargo bench --no-default-features --bench xray`.
#![allow(missing_docs, clippy::expect_used, reason = "a bench is no library")]

use std::hint::black_box;

use cathnav::anatomy::{self, Anatomy, PatientChoice};
use cathnav::cli::attempt;
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::math::Vec3;
use cathnav::sim::command::Fluid;
use cathnav::sim::snapshot::{Pulse, Technique, VesselView};
use cathnav::sim::{Command, Session, Snapshot};
use cathnav::xray::{BodyModel, CArm, DetectorProgram, ExposureControl, FluoroLevel};
use criterion::{Criterion, criterion_group, criterion_main};

const PIXELS: usize = 1024;

/// Wire and catheter in the iliac axis, both moving, contrast running: one snapshot for each pulse of 15/s.
fn pelvis() -> (Session, Vec<Snapshot>) {
    let path = attempt::resolve("pelvic_bleeding".as_ref(), "scenarios").expect("the case is shipped");
    let model = attempt::load_model(&path).expect("the case is in order");
    let mut session = Session::new(model.clone(), 1);
    let tool = |id| model.tool(id).expect("on the tray");
    let (wire, catheter) = (tool("wire.hydrophilic_angled.035"), tool("catheter.cobra_c2.5f"));
    session.submit(Command::SetPulseRate(15.0));
    session.submit(Command::Load { rod: 0, tool: wire });
    session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 60.0 });
    for tick in 0..360 {
        if tick == 200 {
            session.submit(Command::Load { rod: 0, tool: catheter });
            session.submit(Command::SetFeed { tool: catheter, speed_mm_per_s: 50.0 });
            session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 8.0 });
        }
        if tick == 320 {
            session.submit(Command::Connect { tool: catheter });
            session.submit(Command::FillSyringe { fluid: Fluid::Contrast, volume_ml: 10.0 });
            session.submit(Command::SetHandInjection(4.0));
            session.submit(Command::SetPedal(cathnav::sim::command::Pedal::Fluoro));
        }
        session.step();
    }
    let mut pulses = Vec::new();
    while pulses.len() < 24 {
        session.step();
        let snapshot = session.snapshot();
        if snapshot.xray.pulse.is_some() {
            pulses.push(snapshot);
        }
    }
    (session, pulses)
}

/// A breathing belly with all its vessels filled.
fn belly() -> (Anatomy, Vec<Snapshot>) {
    let root = cathnav::assets::root().expect("the assets are there");
    let folder = root.join("assets/anatomy/abdomen");
    let anatomy = anatomy::load_patient(&folder, &PatientChoice::default(), &cathnav::assets::cache())
        .expect("the anatomy can be built");
    let arm = CArm { isocenter_mm: Vec3::new(0.0, -20.0, 150.0), field_mm: 480.0, ..CArm::default() };
    let body = BodyModel::new(&anatomy);
    let (water_mm, gap_mm) = (body.water_equivalent_mm(&arm), body.air_gap_mm(&arm));
    let set = ExposureControl::for_patient(
        DetectorProgram::Fluoro(15.0),
        FluoroLevel::Normal,
        water_mm,
        gap_mm,
        &arm,
    );
    let pulses = (0..24_u64)
        .map(|k| {
            let mut snapshot = Snapshot { time_s: k as f64 / 15.0, ..Snapshot::default() };
            snapshot.xray.arm = arm;
            snapshot.xray.technique = Technique::of(&set, water_mm, gap_mm);
            snapshot.xray.pulse = Some(Pulse { number: k, run: None, frame_in_run: 0 });
            snapshot.patient.breath = (std::f64::consts::TAU * k as f64 / 24.0).sin();
            snapshot.vessels = anatomy
                .tree
                .branches
                .iter()
                .map(|b| VesselView {
                    cell_mm: b.length_mm().max(1e-3),
                    iodine_mg_per_ml: vec![200.0],
                    flow_ml_per_s: vec![0.0],
                    ..VesselView::default()
                })
                .collect();
            snapshot
        })
        .collect();
    (anatomy, pulses)
}

fn play(c: &mut Criterion, name: &str, renderer: &mut Renderer, pulses: &[Snapshot]) {
    pulses.iter().for_each(|s| drop(renderer.render(s)));
    let mut k = 0;
    c.bench_function(name, |b| {
        b.iter(|| {
            k = (k + 1) % pulses.len();
            black_box(renderer.render(&pulses[k]))
        });
    });
}

fn turn(c: &mut Criterion, name: &str, renderer: &mut Renderer, pulses: &[Snapshot]) {
    let mut k = 0;
    let mut snapshot = pulses[0].clone();
    c.bench_function(name, |b| {
        b.iter(|| {
            k = (k + 1) % 30;
            snapshot.xray.arm.primary_deg = 2.0 * k as f64 - 30.0;
            black_box(renderer.render(&snapshot))
        });
    });
}

fn benches(c: &mut Criterion) {
    let config = RendererConfig { pixels: PIXELS, seed: 1 };
    let (session, pulses) = pelvis();
    let mut renderer = Renderer::new(&session.model().anatomy, &session.model().tools, config);
    play(c, "pelvis, wire, catheter and contrast moving", &mut renderer, &pulses);
    turn(c, "pelvis, first picture of a new angle", &mut renderer, &pulses);
    let (anatomy, pulses) = belly();
    let mut renderer = Renderer::new(&anatomy, &[], config);
    play(c, "abdomen, breathing, all vessels filled", &mut renderer, &pulses);
    turn(c, "abdomen, first picture of a new angle", &mut renderer, &pulses);
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(30).measurement_time(std::time::Duration::from_secs(4));
    targets = benches
}
criterion_main!(all);
