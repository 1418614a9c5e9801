//! Times the whole tick from saved warm states, in the pelvis and of a coil in the gastroduodenal artery, and a picture:
//! `cargo bench --no-default-features --bench step`.
#![allow(missing_docs, clippy::expect_used, reason = "a bench is no library")]

use std::hint::black_box;

use cathnav::cli::attempt;
use cathnav::device::DeviceKind;
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::sim::{Command, Session, Snapshot, State};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Half of the first coil of `gib_gda`, mm.
const HALF_MM: f64 = 40.0;
/// Ticks of a coil that are timed together: one tick differs from the next.
const COIL_TICKS: u32 = 30;

/// Wire and catheter in the iliac axis, both moving: 300 warm ticks.
fn warm() -> (Session, State) {
    let path = attempt::resolve("pelvic_bleeding".as_ref(), "scenarios").expect("the case is shipped");
    let model = attempt::load_model(&path).expect("the case is in order");
    let mut session = Session::new(model.clone(), 1);
    let tool = |id| model.tool(id).expect("on the tray");
    let (wire, catheter) = (tool("wire.hydrophilic_angled.035"), tool("catheter.cobra_c2.5f"));
    session.submit(Command::Load { rod: 0, tool: wire });
    session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 60.0 });
    session.submit(Command::SetSpin { tool: wire, rate_deg_per_s: 45.0 });
    for tick in 0..300 {
        if tick == 240 {
            session.submit(Command::SetFeed { tool: wire, speed_mm_per_s: 10.0 });
            session.submit(Command::Load { rod: 0, tool: catheter });
            session.submit(Command::SetFeed { tool: catheter, speed_mm_per_s: 20.0 });
        }
        session.step();
    }
    let state = session.state().clone();
    (session, state)
}

/// The expert of `gib_gda` at work until half of its first coil lies in the gastroduodenal artery, still being pushed.
fn coiling() -> (Session, State) {
    let path = attempt::resolve("gib_gda".as_ref(), "scenarios").expect("the case is shipped");
    let model = attempt::load_model(&path).expect("the case is in order");
    let script =
        attempt::resolve("gib_gda_expert".as_ref(), "assets/scripts").expect("the script is shipped");
    let mut driver = attempt::load_driver(&script, &model).expect("the script is in order");
    let mut session = Session::new(model.clone(), 1);
    let mut snapshot = session.snapshot();
    let is_half_out = |snapshot: &Snapshot| {
        let devices = &snapshot.rods[0].devices;
        let of = |kind| devices.iter().find(|d| snapshot.tools[d.tool.idx()].kind == kind);
        let (coil, catheter) = (of(DeviceKind::Coil), of(DeviceKind::Microcatheter));
        coil.zip(catheter).is_some_and(|(coil, catheter)| coil.inserted_mm > catheter.inserted_mm + HALF_MM)
    };
    while !is_half_out(&snapshot) {
        assert!(driver.failed().is_none() && !driver.finished(), "no coil: {:?}", driver.failed());
        for command in driver.next(&snapshot, snapshot.xray.pulse.is_some()) {
            session.submit(command);
        }
        snapshot = session.step().snapshot;
    }
    let state = session.state().clone();
    (session, state)
}

fn coil_benches(c: &mut Criterion) {
    let (mut session, state) = coiling();
    c.bench_function(&format!("{COIL_TICKS} ticks, coil being pushed, gastroduodenal artery"), |b| {
        b.iter_batched(
            || state.clone(),
            |state| {
                session.restore(state);
                for _ in 0..COIL_TICKS {
                    black_box(session.step());
                }
            },
            BatchSize::LargeInput,
        );
    });
}

fn benches(c: &mut Criterion) {
    let (mut session, state) = warm();
    c.bench_function("tick, wire and catheter moving, pelvis", |b| {
        b.iter_batched(
            || state.clone(),
            |state| {
                session.restore(state);
                black_box(session.step());
            },
            BatchSize::LargeInput,
        );
    });
    let snapshot = session.snapshot();
    for pixels in [512, 1024] {
        let config = RendererConfig { pixels, seed: 1 };
        let mut renderer = Renderer::new(&session.model().anatomy, &session.model().tools, config);
        renderer.render(&snapshot);
        c.bench_function(&format!("picture, {pixels} x {pixels}, C-arm still"), |b| {
            b.iter(|| black_box(renderer.render(&snapshot)));
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(50);
    targets = benches, coil_benches
}
criterion_main!(all);
