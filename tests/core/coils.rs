//! Coils: pushed out of a microcatheter into a tube, against geometry.

use cathnav::device::{DeviceKind, Implant, Release};
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::WallQuery;
use cathnav::sim::contact::analytic::StraightTube;
use cathnav::sim::rod::{self, RodBase, Shed};

use super::rods::{Bench, device, zone};

const CATHETER: ToolId = ToolId(0);
const COIL: ToolId = ToolId(1);
const STOCK_MM: f64 = 0.4;
/// Bending stiffness of a close-wound platinum stock, N mm2 (`coils.ron`).
const STOCK_N_MM2: f64 = 0.04;

/// A stiff microcatheter whose tip stands in the middle of a tube, and a coil of some loops on its pusher.
fn bench(wall: &StraightTube, loops_mm: f64, length_mm: f64, release: Release) -> Bench<'_> {
    let catheter = device(
        "microcatheter",
        DeviceKind::Microcatheter,
        Some(0.53),
        vec![zone(300.0, 0.8, 60.0, 70.0, 0.0)],
    );
    let rest = 2.0 / (loops_mm - STOCK_MM);
    let zones = vec![
        zone(length_mm, STOCK_MM, STOCK_N_MM2, 0.8 * STOCK_N_MM2, rest),
        zone(400.0, STOCK_MM, 20.0, 15.0, 0.0),
    ];
    let mut coil = device("coil", DeviceKind::Coil, None, zones);
    coil.implant =
        Some(Implant { length_mm, diameter_mm: loops_mm, release, bores_mm: (0.4, 0.7), fibered: true });
    let base = RodBase {
        position_mm: Vec3::new(0.0, 0.0, -30.0),
        direction: Vec3::z(),
        sheath_length_mm: 20.0,
        sheath_inner_diameter_mm: 1.0,
    };
    let mut bench = Bench::new(vec![catheter, coil], wall, base);
    bench.load(CATHETER);
    bench.drive(CATHETER, 50.0, 30.0);
    bench.load(COIL);
    bench
}

/// Pushes the coil out at 6 mm/s until it is free; what it left, and the slowest tick, ms.
fn deploy(bench: &mut Bench<'_>) -> Shed {
    for _ in 0..6000 {
        bench.controls[COIL.idx()].feed_mm_per_s = 6.0;
        bench.tick();
        if rod::loose(&bench.state, &bench.tools).is_some() {
            return rod::release(&mut bench.state, &bench.tools, COIL).unwrap();
        }
    }
    panic!("the coil did not come out: {:?}", bench.state.devices[1]);
}

fn length_mm(nodes: &[Vec3]) -> f64 {
    nodes.windows(2).map(|w| (w[1] - w[0]).norm()).sum()
}

#[test]
fn a_coil_of_the_right_size_packs_and_holds() {
    let wall = StraightTube { radius_mm: 1.9 };
    let mut bench = bench(&wall, 4.5, 80.0, Release::Pushed);
    if std::env::var("NOFR").is_ok() {
        bench.law.friction_factor = 0.0;
    }
    let shed = deploy(&mut bench);
    let span = |k: usize| {
        let (lo, hi) =
            shed.nodes_mm.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p[k]), h.max(p[k])));
        hi - lo
    };
    let outside = shed.nodes_mm.iter().map(|p| STOCK_MM / 2.0 - wall.at(p).inside_mm).fold(0.0, f64::max);
    let volume = 0.25 * std::f64::consts::PI * STOCK_MM * STOCK_MM * length_mm(&shed.nodes_mm);
    let lumen = std::f64::consts::PI * wall.radius_mm * wall.radius_mm * span(2);
    println!(
        "coil of 80 mm in a tube of 3.8 mm: length {:.2} mm, {:.1} x {:.1} x {:.1} mm, packing {:.0} %, deepest in the wall {:.3} mm, \
         presses with {:.3} N",
        length_mm(&shed.nodes_mm),
        span(0),
        span(1),
        span(2),
        100.0 * volume / lumen,
        outside,
        shed.wall_force_n
    );
    for (i, x) in shed.nodes_mm.iter().enumerate() {
        println!("n {i} {:.2} {:.2} {:.2} r {:.2}", x.x, x.y, x.z, x.x.hypot(x.y));
    }
    for k in (0..bench.millis.len()).step_by(40) {
        let r = k..(k + 40).min(bench.millis.len());
        let it = &bench.iterations[r.clone()];
        println!(
            "{k}: {:.1} ms, it {:.0} max {}",
            bench.millis[r].iter().sum::<f64>() / it.len() as f64,
            it.iter().sum::<u32>() as f64 / it.len() as f64,
            it.iter().max().unwrap()
        );
    }
    bench.summary("coil");
    assert!((length_mm(&shed.nodes_mm) - 80.0).abs() < 0.5);
    assert!(outside < 0.1);
    assert!(span(2) < 30.0 && shed.wall_force_n > 0.01);
}
