//! Rods: nested devices as Kirchhoff rods, against closed forms and against themselves.

use cathnav::device::{Device, DeviceKind, Opaque, WireRun, Zone};
use cathnav::math::Vec3;
use cathnav::sim::command::{Hold, ToolId};
use cathnav::sim::contact::analytic::{BentTube, FreeSpace, StraightTube};
use cathnav::sim::contact::{MeshWall, WallLaw, WallQuery};
use cathnav::sim::rod::{
    self, Loads, Meshing, RodBase, RodInputs, RodReport, RodScratch, RodState, ToolControl, statics,
};

use super::table::{residual, row};

pub(crate) const DT: f64 = 1.0 / 60.0;

pub(crate) fn zone(length_mm: f64, diameter: f64, ei: f64, gj: f64, rest: f64) -> Zone {
    Zone {
        length_mm,
        outer_diameter_mm: diameter,
        bend_stiffness_n_mm2: ei,
        torsion_stiffness_n_mm2: gj,
        rest_curvature_per_mm: rest,
        rest_curvature_2_per_mm: 0.0,
        friction_wall: 0.1,
        radiopacity_steel_ratio: 1.0,
        opaque: Opaque::Steel,
    }
}

pub(crate) fn device(label: &str, kind: DeviceKind, inner: Option<f64>, zones: Vec<Zone>) -> Device {
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
        implant: None,
        loop_mm: None,
        balloon: None,
        stent: None,
        run: WireRun::default(),
        filter: None,
        source: "test".to_owned(),
    }
}

/// Angled hydrophilic wire, 5F catheter with a hook, microcatheter, micro wire.
pub(crate) fn tray() -> Vec<Device> {
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

pub(crate) const WIRE: ToolId = ToolId(0);
pub(crate) const COBRA: ToolId = ToolId(1);
pub(crate) const MICRO: ToolId = ToolId(2);
pub(crate) const MICRO_WIRE: ToolId = ToolId(3);

pub(crate) fn base() -> RodBase {
    RodBase {
        position_mm: Vec3::new(0.0, 0.0, -60.0),
        direction: Vec3::z(),
        sheath_length_mm: 110.0,
        sheath_inner_diameter_mm: 1.75,
    }
}

/// A rod with its tray and its wall.
pub(crate) struct Bench<'a> {
    pub(crate) tools: Vec<Device>,
    pub(crate) wall: &'a dyn WallQuery,
    pub(crate) law: WallLaw,
    pub(crate) state: RodState,
    pub(crate) scratch: RodScratch,
    pub(crate) controls: Vec<ToolControl>,
    pub(crate) worst: RodReport,
    pub(crate) iterations: Vec<u32>,
    pub(crate) millis: Vec<f64>,
}

/// What a rod needs that nothing else touches.
fn alone<'a>(
    tools: &'a [Device],
    controls: &'a [ToolControl],
    wall: &'a dyn WallQuery,
    law: WallLaw,
) -> RodInputs<'a> {
    RodInputs { tools, controls, wall, law, others: &[], meshing: Meshing::default() }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(tools: Vec<Device>, wall: &'a dyn WallQuery, base: RodBase) -> Self {
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

    pub(crate) fn load(&mut self, tool: ToolId) {
        rod::load(&mut self.state, &self.tools, tool).unwrap();
    }

    pub(crate) fn tick(&mut self) -> RodReport {
        let inputs = alone(&self.tools, &self.controls, self.wall, self.law);
        #[expect(clippy::disallowed_methods, reason = "times are printed, never tested")]
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

    /// Parts an implant from its pusher.
    pub(crate) fn try_release(&mut self, tool: ToolId) -> Result<rod::Shed, rod::ReleaseRefusal> {
        let inputs = alone(&self.tools, &self.controls, self.wall, self.law);
        rod::release(&inputs, &mut self.state, &mut self.scratch, tool)
    }

    /// Moves a device at a speed until its tip is at an arc length.
    pub(crate) fn drive(&mut self, tool: ToolId, to_mm: f64, speed: f64) {
        let at = |s: &RodState| s.devices[s.index_of(tool).unwrap()].inserted_mm;
        let ticks = ((to_mm - at(&self.state)).abs() / (speed * DT)).ceil().max(1.0);
        self.controls[tool.idx()].feed_mm_per_s = (to_mm - at(&self.state)) / (ticks * DT);
        for _ in 0..ticks as usize {
            self.tick();
        }
        self.controls[tool.idx()].feed_mm_per_s = 0.0;
    }

    pub(crate) fn rest(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    pub(crate) fn tip(&self) -> Vec3 {
        *self.state.nodes_mm.last().unwrap()
    }

    pub(crate) fn outside_mm(&self) -> f64 {
        self.state.nodes_mm.iter().skip(1).map(|x| -self.wall.at(x).inside_mm).fold(f64::MIN, f64::max)
    }

    pub(crate) fn summary(&self, what: &str) {
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

/// A wire of one zone.
pub(crate) fn plain(length_mm: f64, ei: f64, gj: f64, rest: f64) -> Device {
    device("plain", DeviceKind::Wire, None, vec![zone(length_mm, 0.5, ei, gj, rest)])
}

pub(crate) fn origin() -> RodBase {
    RodBase {
        position_mm: Vec3::zeros(),
        direction: Vec3::z(),
        sheath_length_mm: 0.0,
        sheath_inner_diameter_mm: 5.0,
    }
}

/// Relaxes plain devices laid straight from the origin in free space.
pub(crate) fn relaxed(
    tools: Vec<Device>,
    lengths: &[f64],
    edges: usize,
    loads: &Loads,
    tolerance: f64,
) -> (RodState, RodReport) {
    let mut state = rod::new(origin());
    let list: Vec<(ToolId, f64)> = lengths.iter().enumerate().map(|(i, l)| (ToolId(i as u8), *l)).collect();
    statics::lay_straight(&mut state, &tools, &list, edges);
    let inputs = RodInputs {
        tools: &tools,
        controls: &[],
        wall: &FreeSpace,
        law: WallLaw::default(),
        others: &[],
        meshing: Meshing::default(),
    };
    let report = statics::relax(&inputs, &mut state, &mut RodScratch::default(), loads, tolerance);
    (state, report)
}

#[test]
fn b1_cantilever_under_a_small_load() {
    let (l, ei) = (100.0, 400.0);
    let p = 0.01 * ei / (l * l);
    let loads = Loads { tip_force_n: Vec3::x() * p, ..Loads::default() };
    let (state, report) = relaxed(vec![plain(l, ei, ei, 0.0)], &[l], 40, &loads, 1e-10);
    let v = state.nodes_mm.last().unwrap().x;
    let exact = p * l.powi(3) / (3.0 * ei);
    let last = state.nodes_mm.len() - 1;
    let e = state.nodes_mm[last] - state.nodes_mm[last - 1];
    let slope = (e.x / e.z).atan();
    // The last edge's slope belongs to its middle.
    let s = l - 0.5 * l / 40.0;
    let slope_exact = p * (l * s - 0.5 * s * s) / ei;
    println!(
        "B1 {report:?} deflection {v} exact {exact} error {:.2e}; slope error {:.2e}",
        v / exact - 1.0,
        slope / slope_exact - 1.0
    );
    row("B1", "cantilever, small load: deflection, mm, N 40", exact, v, "0.2 %");
    assert!((v / exact - 1.0).abs() < 2e-3);
    assert!((slope / slope_exact - 1.0).abs() < 2e-3);
}

#[test]
fn b2_elastica_under_a_dead_tip_load() {
    // alpha = P L^2 / EI: deflection, shortening, end angle (degrees).
    let table = [
        (0.25, 0.08275, 0.00412, 7.121),
        (0.5, 0.16214, 0.01592, 14.011),
        (1.0, 0.30172, 0.05643, 26.434),
        (2.0, 0.49346, 0.16064, 44.791),
        (3.0, 0.60325, 0.25442, 56.495),
        (5.0, 0.71379, 0.38763, 69.635),
        (10.0, 0.81061, 0.55500, 81.949),
    ];
    let (l, ei) = (100.0, 400.0);
    for (alpha, v, u, angle) in table {
        let mut previous = 0.0;
        for edges in [20, 40, 80, 160] {
            let loads = Loads { tip_force_n: Vec3::x() * (alpha * ei / (l * l)), ..Loads::default() };
            let (state, report) = relaxed(vec![plain(l, ei, ei, 0.0)], &[l], edges, &loads, 1e-9);
            let tip = state.nodes_mm.last().unwrap();
            let (dv, du) = ((tip.x / l) / v - 1.0, (1.0 - tip.z / l) / u - 1.0);
            let e = tip - state.nodes_mm[state.nodes_mm.len() - 2];
            let dangle = e.x.atan2(e.z).to_degrees() - angle;
            let order = if previous == 0.0 { 0.0 } else { previous / dv };
            println!(
                "B2 alpha {alpha} N {edges}: v {dv:+.2e} u {du:+.2e} angle {dangle:+.3} ratio {order:.2} iterations {} residual {:.1e}",
                report.iterations, report.residual_n
            );
            previous = dv;
            if edges == 40 {
                row("B2", &format!("elastica, P L2/EI {alpha}: deflection / L, N 40"), v, tip.x / l, "0.5 %");
                assert!(dv.abs() < 5e-3 && du.abs() < 5e-3, "alpha {alpha}: {dv:e} {du:e}");
            }
            if edges == 160 {
                assert!(dv.abs() < 1e-3, "alpha {alpha}: {dv:e}");
            }
        }
    }
    // Order against a fine rod, where the table's five digits would hide it.
    let at = |edges: usize| {
        let loads = Loads { tip_force_n: Vec3::x() * (ei / (l * l)), ..Loads::default() };
        relaxed(vec![plain(l, ei, ei, 0.0)], &[l], edges, &loads, 1e-10).0.nodes_mm.last().unwrap().x
    };
    let (a, b, c) = (at(20), at(40), at(80));
    let ratio = (a - b) / (b - c);
    row("B2", "elastica: ratio of differences, N 20, 40, 80", 4.0, ratio, "3.5-4.5");
    assert!((3.5..4.5).contains(&ratio), "{ratio}");
}

#[test]
fn b2_end_moment_rolls_a_full_circle() {
    let (l, ei) = (100.0, 400.0);
    let closure = |edges: usize| {
        let mut state = rod::new(origin());
        let tools = vec![plain(l, ei, ei, 0.0)];
        statics::lay_straight(&mut state, &tools, &[(ToolId(0), l)], edges);
        let inputs = RodInputs {
            tools: &tools,
            controls: &[],
            wall: &FreeSpace,
            law: WallLaw::default(),
            others: &[],
            meshing: Meshing::default(),
        };
        let mut scratch = RodScratch::default();
        for k in 1..=20 {
            let m = f64::from(k) / 20.0 * std::f64::consts::TAU * ei / l;
            let loads = Loads { tip_moment_n_mm: Vec3::y() * m, ..Loads::default() };
            statics::relax(&inputs, &mut state, &mut scratch, &loads, 1e-7);
        }
        (state.nodes_mm.last().unwrap() - state.nodes_mm[1]).norm() / l
    };
    let (coarse, fine) = (closure(40), closure(100));
    println!("B2 roll: closure {coarse:.2e} L at N 40, {fine:.2e} L at N 100");
    residual("B2", "end moment 2 pi EI/L: gap of the circle, L, N 100", fine, "1e-3");
    assert!(fine < 1e-3, "{fine:e}");
}

#[test]
fn b6_twist_of_a_straight_rod_is_linear_and_does_not_bend() {
    let (l, gj, torque) = (100.0, 300.0, 0.5);
    let mut tool = plain(l + 40.0, 400.0, gj, 0.0);
    tool.friction_lumen = 0.0;
    let loads = Loads { tip_torque_n_mm: torque, ..Loads::default() };
    let (state, report) = relaxed(vec![tool], &[l], 40, &loads, 1e-12);
    let theta = &state.devices[0].theta;
    let h = l / 40.0;
    let mut worst: f64 = 0.0;
    for j in 1..theta.len() {
        let s = (j as f64 - 0.5) * h;
        worst = worst.max((theta[j] - theta[0] - torque * s / gj).abs());
    }
    let bent = state.nodes_mm.iter().map(|x| x.x.hypot(x.y)).fold(0.0, f64::max);
    let hub = state.devices[0].hub_torque_n_mm;
    println!("B6 twist error {worst:.2e} rad, bend {bent:.2e} mm, hub torque {hub} {report:?}");
    residual("B6", "twist of a straight rod off the line, rad", worst, "1e-12");
    assert!(worst < 1e-12 && bent < 1e-12);
    assert!((hub + torque).abs() < 1e-12 && (theta[0] - torque * 40.0 / gj).abs() < 1e-12);
}

#[test]
fn b10_two_aligned_precurved_devices_share_their_curvature() {
    let (l, ei1, ei2, k1, k2) = (60.0, 300.0, 500.0, 1.0 / 40.0, 1.0 / 120.0);
    let tools = vec![plain(l, ei1, ei1, k1), plain(l, ei2, ei2, k2)];
    let (state, report) = relaxed(tools, &[l, l], 60, &Loads::default(), 1e-10);
    let kappa = (ei1 * k1 + ei2 * k2) / (ei1 + ei2);
    let n = state.nodes_mm.len();
    // Curvature from three nodes amid the rod.
    let (a, b) = (
        state.nodes_mm[n / 2] - state.nodes_mm[n / 2 - 1],
        state.nodes_mm[n / 2 + 1] - state.nodes_mm[n / 2],
    );
    let angle = a.cross(&b).norm().atan2(a.dot(&b));
    let found = angle / (l / 60.0);
    let tip = state.nodes_mm[n - 1];
    let exact = Vec3::new((1.0 - (kappa * l).cos()) / kappa, 0.0, (kappa * l).sin() / kappa);
    // The plane of bending is that of the first director.
    let off = (Vec3::new(tip.x.hypot(tip.y), 0.0, tip.z) - exact).norm();
    println!("B10 curvature error {:.2e}, tip off {off:.2e} mm, {report:?}", found / kappa - 1.0);
    row("B10", "two aligned tubes: curvature, 1/mm", kappa, found, "0.1 %");
    assert!((found / kappa - 1.0).abs() < 1e-3);
    assert!(off < 1e-2, "{off}");
}

#[test]
fn b17_out_and_back_comes_back() {
    let walls: [(&str, &dyn WallQuery); 2] = [
        ("straight", &StraightTube { radius_mm: 4.0 }),
        ("bent", &BentTube { radius_mm: 4.0, bend_radius_mm: 60.0 }),
    ];
    for (name, wall) in walls {
        let mut b = Bench::new(tray(), wall, base());
        b.law.friction_factor = 0.0;
        b.load(WIRE);
        b.drive(WIRE, 110.0, 20.0);
        b.rest(120);
        let before = b.tip();
        b.drive(WIRE, 210.0, 20.0);
        b.drive(WIRE, 110.0, 20.0);
        b.rest(120);
        let off = (b.tip() - before).norm();
        println!("B17 {name}: tip comes back to {off:.2e} mm, {} nodes", b.state.nodes_mm.len());
        let sum: f64 = b.state.rest_mm[1..].iter().sum();
        assert!((sum - 110.0).abs() < 1e-9, "{sum}");
        residual("B17", &format!("out and back 100 mm, {name} tube, mm"), off, "1e-3");
        assert!(off < 1e-3, "{name}: {off}");
    }
}

#[test]
fn b17_catheter_over_a_fixed_wire_leaves_its_tip() {
    let wall = BentTube { radius_mm: 0.84, bend_radius_mm: 60.0 };
    let wire = device("wire", DeviceKind::Wire, None, vec![zone(600.0, 1.67, 300.0, 250.0, 0.0)]);
    let catheter =
        device("catheter", DeviceKind::Catheter, Some(1.7), vec![zone(300.0, 1.67, 250.0, 250.0, 0.0)]);
    let mut b = Bench::new(vec![wire, catheter], &wall, base());
    b.state.base.sheath_length_mm = 10.0;
    b.law = WallLaw { stiffness_n_per_mm2: 5.0, friction_factor: 0.0, ..WallLaw::default() };
    b.load(ToolId(0));
    b.drive(ToolId(0), 150.0, 20.0);
    b.load(ToolId(1));
    b.drive(ToolId(1), 20.0, 20.0);
    b.rest(60);
    let before = b.tip();
    b.drive(ToolId(1), 120.0, 20.0);
    b.rest(60);
    let off = (b.tip() - before).norm();
    b.summary("B17 catheter over fixed wire");
    println!("B17 wire tip moved {off:.2e} mm");
    residual("B17", "catheter over a fixed wire: its tip moves, mm", off, "0.05");
    assert!(off < 0.05, "{off}");
}

#[test]
fn refusals_name_both_numbers() {
    let tools = tray();
    let mut state = rod::new(base());
    rod::load(&mut state, &tools, WIRE).unwrap();
    let text = rod::load(&mut state, &tools, MICRO).unwrap_err().to_string();
    println!("{text}");
    assert!(text.contains("0.889") && text.contains("0.530"));
    let mut short = tools.clone();
    short[0].length_mm = 500.0;
    short[0].zones[4].length_mm = 436.0;
    let mut state = rod::new(base());
    rod::load(&mut state, &short, WIRE).unwrap();
    let text = rod::load(&mut state, &short, COBRA).unwrap_err().to_string();
    println!("{text}");
    assert!(text.contains("500 mm outside") && text.contains("runs on 650 mm"));
    let narrow = RodBase { sheath_inner_diameter_mm: 1.3, ..base() };
    let text = rod::load(&mut rod::new(narrow), &tools, COBRA).unwrap_err().to_string();
    assert!(text.contains("1.670") && text.contains("1.300"), "{text}");
    // Taken off only when withdrawn.
    let wall = StraightTube { radius_mm: 5.0 };
    let mut b = Bench::new(tray(), &wall, base());
    b.load(COBRA);
    b.drive(COBRA, 40.0, 50.0);
    let text = rod::unload(&mut b.state, &b.tools, COBRA).unwrap_err().to_string();
    println!("{text}");
    assert!(text.contains("150 mm in"));
    b.drive(COBRA, -110.0, 50.0);
    rod::unload(&mut b.state, &b.tools, COBRA).unwrap();
    assert!(b.state.devices.is_empty() && b.state.nodes_mm.is_empty());
}

#[test]
fn a_short_wire_stops_an_exchange() {
    let wall = StraightTube { radius_mm: 5.0 };
    let mut tools = tray();
    tools[0].length_mm = 1000.0;
    tools[0].zones[4].length_mm = 936.0;
    let mut b = Bench::new(tools, &wall, base());
    b.load(WIRE);
    b.drive(WIRE, 100.0, 50.0);
    b.load(COBRA);
    b.drive(COBRA, 50.0, 50.0);
    b.drive(WIRE, 290.0, 50.0);
    // The wire has 1000 - 290 - 110 = 600 mm outside the sheath, the catheter is 650 mm long.
    b.controls[COBRA.idx()].feed_mm_per_s = -50.0;
    let mut said = String::new();
    for _ in 0..300 {
        if let Some(blocked) = b.tick().blocked.first() {
            said.clone_from(&blocked.reason);
        }
    }
    println!("{said}");
    assert!(said.contains("0.035 wire") && said.contains("0 mm"), "{said}");
    let catheter = b.state.devices[0].inserted_mm;
    assert!((b.state.external_mm(1)).abs() < 1e-6 && catheter > -61.0, "{catheter}");
}

#[test]
fn a_saved_rod_goes_on_with_the_same_bits() {
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let mut b = Bench::new(tray(), &wall, base());
    b.load(WIRE);
    b.drive(WIRE, 150.0, 40.0);
    b.controls[0] = ToolControl { feed_mm_per_s: 15.0, spin_rad_per_s: 2.0, hold: Hold::Held };
    b.rest(5);
    let bytes = postcard::to_stdvec(&b.state).unwrap();
    b.rest(20);
    let mut again = Bench::new(tray(), &wall, base());
    again.state = postcard::from_bytes(&bytes).unwrap();
    again.controls.clone_from(&b.controls);
    again.rest(20);
    let hash = |s: &RodState| {
        let mut h = cathnav::math::hash::StateHasher::new();
        rod::hash(s, &mut h);
        h.finish()
    };
    assert_eq!(hash(&b.state), hash(&again.state));
    assert_eq!(b.state, again.state);
}

#[test]
fn soak_of_random_hands() {
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    for (seed, list) in
        [(1_u64, vec![WIRE, COBRA]), (2, vec![COBRA, MICRO, MICRO_WIRE]), (3, vec![COBRA, MICRO, MICRO_WIRE])]
    {
        let (_, restored, outside) = soak(&wall, base(), seed, &list, tray(), 1200);
        assert!(outside < 1.0 && restored == 0, "{outside} {restored}");
    }
}

/// Random hands on a list of devices (in the order in which they are entered). Ticks, restored ticks, farthest outside, mm.
pub(crate) fn soak(
    wall: &dyn WallQuery,
    base: RodBase,
    seed: u64,
    list: &[ToolId],
    tools: Vec<Device>,
    ticks: u32,
) -> (u32, u32, f64) {
    use cathnav::math::rng::{Stream, stream, uniform};
    let mut rng = stream(seed, Stream::World);
    let mut b = Bench::new(tools, wall, base);
    for tool in list {
        b.load(*tool);
        let to = if *tool == WIRE { 150.0 } else { 20.0 };
        b.drive(*tool, to, 50.0);
    }
    b.millis.clear();
    b.iterations.clear();
    let (mut worst, mut restored) = (f64::MIN, 0);
    for k in 0..ticks {
        if k % 30 == 0 {
            for tool in list {
                let hold = match (uniform(&mut rng) * 8.0) as u32 {
                    0 => Hold::Free,
                    1 => Hold::Clamped,
                    _ => Hold::Held,
                };
                // Drawn back where it is far in, so that the hands stay among the vessels.
                let inserted = b.state.devices[b.state.index_of(*tool).unwrap()].inserted_mm;
                let towards = 0.85 + 0.6 * ((inserted - 250.0) / 250.0).clamp(-0.4, 1.0);
                b.controls[tool.idx()] = ToolControl {
                    feed_mm_per_s: 50.0 * (2.0 * uniform(&mut rng) - towards).clamp(-1.0, 1.0),
                    spin_rad_per_s: std::f64::consts::PI * (2.0 * uniform(&mut rng) - 1.0),
                    hold,
                };
            }
        }
        restored += u32::from(b.tick().diverged.is_some());
        assert!(b.state.nodes_mm.iter().all(|x| x.iter().all(|c| c.is_finite())));
        worst = worst.max(b.outside_mm());
    }
    b.summary(&format!("soak seed {seed}"));
    println!("soak seed {seed}: farthest outside {worst:.2} mm, {restored} ticks restored");
    (ticks, restored, worst)
}

#[test]
fn a_long_pair_keeps_pace() {
    let wall = BentTube { radius_mm: 8.0, bend_radius_mm: 160.0 };
    let mut tools = tray();
    tools[1].length_mm = 1050.0;
    tools[1].zones[4].length_mm = 958.0;
    tools[0].length_mm = 2400.0;
    tools[0].zones[4].length_mm = 2336.0;
    let mut b = Bench::new(tools, &wall, base());
    b.load(WIRE);
    b.drive(WIRE, 620.0, 100.0);
    b.load(COBRA);
    b.drive(COBRA, 600.0, 100.0);
    b.millis.clear();
    b.iterations.clear();
    b.drive(COBRA, 660.0, 20.0);
    b.summary("long pair, catheter");
    b.millis.clear();
    b.iterations.clear();
    b.drive(WIRE, 700.0, 20.0);
    b.summary("long pair, wire");
    let mut it = b.iterations.clone();
    it.sort_unstable();
    assert!(it[it.len() / 2] <= 8, "median of {} iterations", it[it.len() / 2]);
}

/// The pelvis of the assets, and the base of a sheath in the right femoral artery.
pub(crate) fn pelvis() -> (MeshWall, cathnav::anatomy::Anatomy, RodBase) {
    let dir = cathnav::assets::root().unwrap().join("assets/anatomy/pelvis");
    let anatomy = cathnav::anatomy::load(&dir).unwrap();
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let site = anatomy.access_sites.iter().find(|s| s.name == "femoral.right").unwrap();
    let base = RodBase {
        position_mm: site.position_mm,
        direction: site.direction,
        sheath_length_mm: 110.0,
        sheath_inner_diameter_mm: 1.75,
    };
    (wall, anatomy, base)
}

#[test]
fn wire_and_catheter_go_up_the_iliac_artery() {
    let (wall, _, base) = pelvis();
    let mut b = Bench::new(tray(), &wall, base);
    b.load(WIRE);
    b.drive(WIRE, 260.0, 20.0);
    b.summary("pelvis, wire");
    println!("tip {:?} place {:?}", b.tip(), wall.at(&b.tip()).place);
    b.load(COBRA);
    b.millis.clear();
    b.drive(COBRA, 200.0, 20.0);
    b.summary("pelvis, catheter");
    b.millis.clear();
    b.drive(WIRE, 120.0, 20.0);
    b.summary("pelvis, wire withdrawn");
    b.millis.clear();
    b.controls[COBRA.idx()].spin_rad_per_s = 1.5;
    b.rest(240);
    b.summary("pelvis, catheter turned");
    assert!(b.worst.diverged.is_none() && b.outside_mm() < 1.0);
}
