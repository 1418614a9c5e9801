//! Times the whole tick and a picture from a saved warm state of the pelvis: `cargo bench --no-default-features`.
#![allow(missing_docs, clippy::expect_used, reason = "a bench is no library")]

use std::hint::black_box;

use cathnav::cli::attempt;
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::sim::{Command, Session, State};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

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
    targets = benches
}
criterion_main!(all);
