//! Rods: nested devices as Kirchhoff rods, against closed forms and against themselves.

use cathnav::device::{Device, DeviceKind, Zone};
use cathnav::math::Vec3;
use cathnav::sim::command::{Hold, ToolId};
use cathnav::sim::contact::analytic::{BentTube, FreeSpace, StraightTube};
use cathnav::sim::contact::{WallLaw, WallQuery};
use cathnav::sim::rod::{self, RodBase, RodInputs, RodReport, RodScratch, RodState, ToolControl};

const DT: f64 = 1.0 / 60.0;

fn zone(length_mm: f64, diameter: f64, ei: f64, gj: f64, rest: f64) -> Zone {
    Zone {
        length_mm,
        outer_diameter_mm: diameter,
        bend_stiffness_n_mm2: ei,
        torsion_stiffness_n_mm2: gj,
        rest_curvature_per_mm: rest,
        rest_curvature_2_per_mm: 0.0,
        friction_wall: 0.1,
        radiopacity_steel_ratio: 1.0,
    }
}

fn device(label: &str, kind: DeviceKind, inner: Option<f64>, zones: Vec<Zone>) -> Device {
    Device {
        id: label.replace(' ', "_"),
        label: label.to_owned(),
        kind,
        length_mm: zones.iter().map(|z| z.length_mm).sum(),
        inner_diameter_mm: inner,
        max_outer_diameter_mm: zones.iter().map(|z| z.outer_diameter_mm).fold(0.0, f64::max),
        friction_lumen: 0.08,
        zones,
        side_holes_mm: Vec::new(),
        max_pressure_psi: 0.0,
        source: "test".to_owned(),
    }
}

/// Angled hydrophilic wire, 5F catheter with a hook, microcatheter, micro wire.
fn tray() -> Vec<Device> {
    let wire = vec![
        zone(8.0, 0.889, 4.0, 3.0, 0.0),
        zone(6.0, 0.889, 6.0, 5.0, 1.0 / 6.7),
        zone(20.0, 0.889, 15.0, 12.0, 0.0),
        zone(30.0, 0.889, 100.0, 77.0, 0.0),
        zone(1436.0, 0.889, 450.0, 350.0, 0.0),
    ];
    let catheter = vec![
        zone(8.0, 1.67, 60.0, 70.0, 0.0),
        zone(14.0, 1.67, 80.0, 90.0, 1.0 / 8.0),
        zone(12.0, 1.67, 150.0, 170.0, 0.0),
        zone(58.0, 1.67, 250.0, 300.0, -1.0 / 28.0),
        zone(558.0, 1.67, 300.0, 400.0, 0.0),
    ];
    let micro = vec![zone(150.0, 0.80, 2.0, 2.5, 0.0), zone(1150.0, 0.95, 50.0, 60.0, 0.0)];
    let micro_wire = vec![
        zone(3.0, 0.36, 0.05, 0.04, 1.0 / 4.0),
        zone(100.0, 0.40, 2.0, 1.5, 0.0),
        zone(1697.0, 0.40, 75.0, 58.0, 0.0),
    ];
    vec![
        device("0.035 wire", DeviceKind::Wire, None, wire),
        device("5F cobra", DeviceKind::Catheter, Some(0.97), catheter),
        device("2.4F microcatheter", DeviceKind::Microcatheter, Some(0.53), micro),
        device("0.016 wire", DeviceKind::Wire, None, micro_wire),
    ]
}

const WIRE: ToolId = ToolId(0);
const COBRA: ToolId = ToolId(1);
const MICRO: ToolId = ToolId(2);
const MICRO_WIRE: ToolId = ToolId(3);

fn base() -> RodBase {
    RodBase {
        position_mm: Vec3::new(0.0, 0.0, -60.0),
        direction: Vec3::z(),
        sheath_length_mm: 110.0,
        sheath_inner_diameter_mm: 1.75,
    }
}

/// A rod with its tray and its wall.
struct Bench<'a> {
    tools: Vec<Device>,
    wall: &'a dyn WallQuery,
    law: WallLaw,
    state: RodState,
    scratch: RodScratch,
    controls: Vec<ToolControl>,
    worst: RodReport,
    iterations: Vec<u32>,
    millis: Vec<f64>,
}

impl<'a> Bench<'a> {
    fn new(tools: Vec<Device>, wall: &'a dyn WallQuery, base: RodBase) -> Self {
        let controls = vec![ToolControl::default(); tools.len()];
        Self {
            tools,
            wall,
            law: WallLaw::default(),
            state: rod::new(base),
            scratch: RodScratch::default(),
            controls,
            worst: RodReport::default(),
            iterations: Vec::new(),
            millis: Vec::new(),
        }
    }

    fn load(&mut self, tool: ToolId) {
        rod::load(&mut self.state, &self.tools, tool).unwrap();
    }

    fn tick(&mut self) -> RodReport {
        let inputs = RodInputs {
            tools: &self.tools,
            controls: &self.controls,
            wall: self.wall,
            law: self.law,
            others: &[],
        };
        #[allow(clippy::disallowed_methods, reason = "times are printed, never tested")]
        let start = std::time::Instant::now();
        let report = rod::advance(&inputs, &mut self.state, &mut self.scratch, DT);
        self.millis.push(start.elapsed().as_secs_f64() * 1e3);
        self.iterations.push(report.iterations);
        self.worst.residual_n = self.worst.residual_n.max(report.residual_n);
        self.worst.substeps = self.worst.substeps.max(report.substeps);
        self.worst.iterations = self.worst.iterations.max(report.iterations);
        if report.diverged.is_some() {
            self.worst.diverged.clone_from(&report.diverged);
        }
        report
    }

    /// Moves a device at a speed until its tip is at an arc length.
    fn drive(&mut self, tool: ToolId, to_mm: f64, speed: f64) {
        let at = |s: &RodState| s.devices[s.index_of(tool).unwrap()].inserted_mm;
        let ticks = ((to_mm - at(&self.state)).abs() / (speed * DT)).ceil().max(1.0);
        self.controls[tool.idx()].feed_mm_per_s = (to_mm - at(&self.state)) / (ticks * DT);
        for _ in 0..ticks as usize {
            self.tick();
        }
        self.controls[tool.idx()].feed_mm_per_s = 0.0;
    }

    fn rest(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    fn tip(&self) -> Vec3 {
        *self.state.nodes_mm.last().unwrap()
    }

    fn outside_mm(&self) -> f64 {
        self.state.nodes_mm.iter().map(|x| -self.wall.at(x).inside_mm).fold(f64::MIN, f64::max)
    }

    fn summary(&self, what: &str) {
        let mut ms = self.millis.clone();
        ms.sort_by(f64::total_cmp);
        let mut it = self.iterations.clone();
        it.sort_unstable();
        println!(
            "{what}: {} ticks, {} nodes, median {:.2} ms, p99 {:.2} ms, iterations median {} max {}, substeps max {}, residual max {:.3} N, outside {:.2} mm, diverged {:?}",
            ms.len(),
            self.state.nodes_mm.len(),
            ms[ms.len() / 2],
            ms[ms.len() * 99 / 100],
            it[it.len() / 2],
            self.worst.iterations,
            self.worst.substeps,
            self.worst.residual_n,
            self.outside_mm(),
            self.worst.diverged,
        );
    }
}

#[test]
fn wire_and_catheter_go_round_a_bend() {
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let mut b = Bench::new(tray(), &wall, base());
    b.load(WIRE);
    b.drive(WIRE, 250.0, 20.0);
    b.summary("wire");
    assert!(b.worst.diverged.is_none() && b.outside_mm() < 1.0);
    b.load(COBRA);
    b.millis.clear();
    b.iterations.clear();
    b.drive(COBRA, 200.0, 20.0);
    b.summary("catheter over wire");
    let view = rod::view(&b.state, &b.tools, &wall);
    for d in &view.devices {
        println!("{d:?}");
    }
    assert!(b.worst.diverged.is_none() && b.outside_mm() < 1.0);
    let sum: f64 = b.state.rest_mm[1..].iter().sum();
    let most = b.state.devices.iter().map(|d| d.inserted_mm).fold(0.0, f64::max);
    assert!((sum - most).abs() < 1e-9, "{sum} {most}");
}
