//! Times rods: wire and catheter in an aorta, cost against nodes, and a cantilever beside chains of rapier's joints:
//! `cargo bench --no-default-features --bench rods` (a word after `--` picks one of `trace`, `nodes`, `cantilever`).
//!
//! The anatomy is `arch_to_neuro` below the folder in `CATHNAV_REAL_ANATOMY`, else the arch that the program ships.
//! Plain runs print their figures; criterion measures one tick from a saved warm state. Where Linux tells how long the
//! thread stood in the queue for a core, that is taken off, so that other work on the machine disturbs less.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench is no library and has a clock"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cathnav::anatomy::{AccessSite, Anatomy, ImportOptions, import};
use cathnav::device::{Device, DeviceKind, Opaque, WireRun, Zone, load_catalog};
use cathnav::math::Vec3;
use cathnav::sim::command::{Hold, ToolId};
use cathnav::sim::contact::analytic::{BentTube, FreeSpace};
use cathnav::sim::contact::{MeshWall, WallLaw, WallQuery};
use cathnav::sim::rod::{
    self, Loads, Meshing, RodBase, RodInputs, RodReport, RodScratch, RodState, ToolControl, statics,
};
use cathnav::units::TICK_S;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

mod rapier_chain;

use rapier_chain::{CHAIN_DT_S, Chain, Joints};

/// A moment: the clock, and how long the thread had waited for a core until then.
struct Moment(u64, Instant);

impl Moment {
    fn now() -> Self {
        let waited = waited_ns();
        Self(waited, Instant::now())
    }

    /// Seconds since: on the clock, and without the wait for a core.
    fn since(&self) -> (f64, f64) {
        let wall = self.1.elapsed().as_secs_f64();
        (wall, (wall - waited_ns().saturating_sub(self.0) as f64 * 1e-9).max(0.0))
    }
}

/// How long this thread has waited for a core so far, ns; 0 where the system does not tell.
fn waited_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|w| w.parse().ok()).unwrap_or(0)
}

/// Whether a section was asked for.
fn is_wanted(section: &str) -> bool {
    std::env::args().skip(1).find(|a| !a.starts_with('-')).is_none_or(|a| a.starts_with(section))
}

/// The value below which a share of all lies.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

// Wire and catheter in an aorta.

const WIRE: ToolId = ToolId(0);
const CATHETER: ToolId = ToolId(1);
/// Nodes at the start of the trace, so that it has about 300 on the way.
const START_NODES: f64 = 260.0;

fn aorta() -> (Anatomy, AccessSite) {
    let anatomy = match std::env::var("CATHNAV_REAL_ANATOMY") {
        Ok(dir) => {
            println!("anatomy: arch_to_neuro");
            import_arch_to_neuro(&Path::new(&dir).join("arch_to_neuro"))
        }
        Err(_) => {
            println!("anatomy: the shipped arch, because CATHNAV_REAL_ANATOMY is not set");
            let root = cathnav::assets::root().expect("the assets are there");
            cathnav::anatomy::load(&root.join("assets/anatomy/arch")).expect("the arch is in order")
        }
    };
    let site = anatomy.access_sites.first().expect("there is an access").clone();
    (anatomy, site)
}

/// The anatomy in the patient frame, with femoral access on both sides.
fn import_arch_to_neuro(dir: &Path) -> Anatomy {
    let entries = std::fs::read_dir(dir.join("centerlines")).expect("the centerlines are there");
    let mut curves: Vec<PathBuf> = entries.map(|e| e.expect("a file").path()).collect();
    curves.sort();
    let options = ImportOptions {
        name: "arch_to_neuro".to_owned(),
        axes: "+y,-z,-x".parse().expect("axes"),
        root: Some("0".to_owned()),
        access: vec![("femoral.left".to_owned(), "4".to_owned())],
        ..ImportOptions::default()
    };
    import(&dir.join("lumen.obj"), &curves, &options).expect("the anatomy is in order")
}

fn tray() -> Vec<Device> {
    let root = cathnav::assets::root().expect("the assets are there");
    let catalog = load_catalog(&root.join("assets")).expect("the catalog is in order");
    ["wire.hydrophilic_angled.035", "catheter.cobra_c2.5f"]
        .map(|id| catalog.device(id).expect("in the catalog").clone())
        .to_vec()
}

/// What some ticks took.
#[derive(Default)]
struct Log {
    wall_s: f64,
    own_ms: Vec<f64>,
    nodes: Vec<f64>,
    iterations: Vec<f64>,
    substeps: u32,
    diverged: u32,
    blocked: u32,
    outside_mm: f64,
}

impl Log {
    fn print(&self, what: &str) {
        let ticks = self.own_ms.len();
        let simulated = ticks as f64 * TICK_S;
        let own_s: f64 = self.own_ms.iter().sum::<f64>() * 1e-3;
        println!(
            "{what}: {simulated:.0} s, nodes {:.0} ({:.0} to {:.0}), {:.1} x real time ({:.1} x on the clock), \
             tick median {:.2} ms p99 {:.2} ms, iterations median {:.0} p99 {:.0}, {} substeps in {ticks} ticks, given up {}, blocked {}, \
             farthest outside {:.2} mm",
            quantile(self.nodes.clone(), 0.5),
            quantile(self.nodes.clone(), 0.0),
            quantile(self.nodes.clone(), 1.0),
            simulated / own_s,
            simulated / self.wall_s,
            quantile(self.own_ms.clone(), 0.5),
            quantile(self.own_ms.clone(), 0.99),
            quantile(self.iterations.clone(), 0.5),
            quantile(self.iterations.clone(), 0.99),
            self.substeps,
            self.diverged,
            self.blocked,
            self.outside_mm,
        );
    }
}

/// An operator at the hubs of one rod.
struct Operator<'a> {
    wall: &'a dyn WallQuery,
    tools: &'a [Device],
    controls: Vec<ToolControl>,
    rod: RodState,
    scratch: RodScratch,
    meshing: Meshing,
    log: Log,
}

impl<'a> Operator<'a> {
    fn new(wall: &'a dyn WallQuery, tools: &'a [Device], base: RodBase) -> Self {
        let mut rod = rod::new(base);
        rod::load(&mut rod, tools, WIRE).expect("the first device is a wire");
        Self {
            wall,
            tools,
            controls: vec![ToolControl::default(); tools.len()],
            rod,
            scratch: RodScratch::default(),
            meshing: Meshing::default(),
            log: Log::default(),
        }
    }

    fn inputs(&self) -> RodInputs<'_> {
        RodInputs {
            tools: self.tools,
            controls: &self.controls,
            wall: self.wall,
            law: WallLaw::default(),
            others: &[],
            meshing: self.meshing,
        }
    }

    fn tick(&mut self) -> RodReport {
        let mut scratch = std::mem::take(&mut self.scratch);
        let empty = rod::new(self.rod.base);
        let mut state = std::mem::replace(&mut self.rod, empty);
        let start = Moment::now();
        let report = rod::advance(&self.inputs(), &mut state, &mut scratch, TICK_S);
        let (wall_s, own_s) = start.since();
        (self.rod, self.scratch) = (state, scratch);
        let log = &mut self.log;
        log.wall_s += wall_s;
        log.own_ms.push(own_s * 1e3);
        log.nodes.push(self.rod.nodes_mm.len() as f64);
        log.iterations.push(f64::from(report.iterations));
        log.substeps += report.substeps;
        log.diverged += u32::from(report.diverged.is_some());
        log.blocked += u32::from(!report.blocked.is_empty());
        for p in &self.rod.nodes_mm {
            log.outside_mm = log.outside_mm.max(-self.wall.at(p).inside_mm);
        }
        report
    }

    fn set(&mut self, tool: ToolId, feed_mm_per_s: f64, spin_rad_per_s: f64) {
        self.controls[tool.idx()] = ToolControl { feed_mm_per_s, spin_rad_per_s, hold: Hold::Held };
    }

    fn hold(&mut self, tool: ToolId, feed_mm_per_s: f64, spin_rad_per_s: f64, seconds: f64) {
        self.set(tool, feed_mm_per_s, spin_rad_per_s);
        for _ in 0..(seconds / TICK_S).round() as usize {
            self.tick();
        }
        self.set(tool, 0.0, 0.0);
    }

    fn inserted_mm(&self, tool: ToolId) -> f64 {
        self.rod.index_of(tool).map_or(0.0, |d| self.rod.devices[d].inserted_mm)
    }

    /// How far above the access the farthest tip is, mm.
    fn height_mm(&self) -> f64 {
        self.rod.nodes_mm.last().map_or(0.0, |tip| tip.z - self.rod.base.position_mm.z)
    }

    /// Wire up to a height; where it no longer rises it is drawn back, turned, and tried again.
    fn climb(&mut self, height_mm: f64) -> u32 {
        // Out of the sheath first.
        self.hold(WIRE, 50.0, 0.0, (self.rod.base.sheath_length_mm + 20.0) / 50.0);
        for turned in 0..30 {
            let mut best = self.height_mm();
            loop {
                self.hold(WIRE, 30.0, 0.0, 2.0);
                if self.height_mm() > height_mm {
                    return turned;
                }
                if self.height_mm() < best + 15.0 {
                    break;
                }
                best = self.height_mm();
            }
            self.hold(WIRE, -50.0, 0.0, 2.0);
            self.hold(WIRE, 0.0, 2.0, 1.0);
        }
        30
    }

    /// Lets the mesh come to about so many nodes, by a factor on all edge lengths.
    fn settle_at(&mut self, nodes: f64) {
        // What is split is not merged at once, so every try begins with the coarse rod.
        let coarse = self.rod.clone();
        self.meshing.scale = coarse.nodes_mm.len() as f64 / nodes;
        for _ in 0..4 {
            self.rod = coarse.clone();
            for _ in 0..120 {
                self.tick();
            }
            self.meshing.scale *= self.rod.nodes_mm.len() as f64 / nodes;
        }
    }

    /// The fixed trace: 30 s of 20 mm/s and 90 degrees/s, wire and catheter in turns and together, ends where it began.
    fn trace(&mut self, mut each: impl FnMut(&Self)) -> Log {
        let spin = std::f64::consts::FRAC_PI_2;
        // Feeds of wire and catheter in mm/s, spins in units of 90 degrees/s.
        let phases = [
            (20.0, 1.0, 0.0, 0.0),
            (0.0, 0.0, 20.0, 1.0),
            (20.0, -1.0, 20.0, 1.0),
            (-20.0, -1.0, -20.0, -1.0),
            (0.0, 0.0, -20.0, -1.0),
            (-20.0, 1.0, 0.0, 0.0),
        ];
        self.log = Log::default();
        for _ in 0..2 {
            for (wire, wire_spin, catheter, catheter_spin) in phases {
                self.set(WIRE, wire, wire_spin * spin);
                self.set(CATHETER, catheter, catheter_spin * spin);
                for _ in 0..(2.5 / TICK_S).round() as usize {
                    self.tick();
                    each(self);
                }
            }
        }
        std::mem::take(&mut self.log)
    }
}

fn trace(c: &mut Criterion) {
    if !is_wanted("trace") {
        return;
    }
    let (anatomy, site) = aorta();
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let tools = tray();
    let base = RodBase {
        position_mm: site.position_mm,
        direction: site.direction,
        sheath_length_mm: 110.0,
        sheath_inner_diameter_mm: 1.9,
    };
    let mut op = Operator::new(&wall, &tools, base);
    let turned = op.climb(360.0);
    op.hold(WIRE, 30.0, 0.0, 1.0);
    rod::load(&mut op.rod, &tools, CATHETER).expect("the catheter passes over the wire");
    while op.inserted_mm(CATHETER) < (op.inserted_mm(WIRE) - 60.0).min(470.0) && op.log.own_ms.len() < 20_000
    {
        op.hold(CATHETER, 40.0, 0.0, 0.25);
    }
    println!(
        "warm: turned {turned} times, wire {:.0} mm and catheter {:.0} mm in, tip {:.0} mm above the access, {} nodes",
        op.inserted_mm(WIRE),
        op.inserted_mm(CATHETER),
        op.height_mm(),
        op.rod.nodes_mm.len(),
    );
    let warm = op.rod.clone();
    op.trace(|_| {}).print("trace, cut as in play");
    op.rod = warm;
    op.settle_at(START_NODES);
    println!("edges cut by {:.2}", op.meshing.scale);
    let mut middle = None;
    let mut ticks = 0;
    let log = op.trace(|op| {
        ticks += 1;
        // Amid the phase in which both move.
        if ticks == 375 {
            middle = Some((op.rod.clone(), op.controls.clone()));
        }
    });
    log.print("trace, cut finer");
    let (state, controls) = middle.expect("the trace has a middle");
    op.controls = controls;
    let mut scratch = RodScratch::default();
    let nodes = state.nodes_mm.len();
    c.bench_function(&format!("trace: a tick, wire and catheter moving, {nodes} nodes"), |b| {
        b.iter_batched(
            || state.clone(),
            |mut state| {
                black_box(rod::advance(&op.inputs(), &mut state, &mut scratch, TICK_S));
                state
            },
            BatchSize::LargeInput,
        );
    });
}

// Cost against nodes.

fn plain(length_mm: f64, diameter_mm: f64, ei: f64) -> Device {
    Device {
        id: "plain".to_owned(),
        label: "plain".to_owned(),
        kind: DeviceKind::Wire,
        length_mm,
        inner_diameter_mm: None,
        max_outer_diameter_mm: diameter_mm,
        friction_lumen: 0.08,
        zones: vec![Zone {
            length_mm,
            outer_diameter_mm: diameter_mm,
            bend_stiffness_n_mm2: ei,
            torsion_stiffness_n_mm2: 0.77 * ei,
            rest_curvature_per_mm: 0.0,
            rest_curvature_2_per_mm: 0.0,
            friction_wall: 0.1,
            radiopacity_steel_ratio: 1.0,
            opaque: Opaque::Steel,
        }],
        side_holes_mm: Vec::new(),
        max_pressure_psi: 0.0,
        implant: None,
        loop_mm: None,
        balloon: None,
        stent: None,
        run: WireRun::default(),
        filter: None,
        source: "bench".to_owned(),
    }
}

/// One wire, 300 mm of it in a bent tube, cut into 100 to 800 nodes, pushed and turned to and fro.
fn nodes(c: &mut Criterion) {
    if !is_wanted("nodes") {
        return;
    }
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let tools = vec![plain(1000.0, 0.889, 100.0)];
    let base = RodBase {
        position_mm: Vec3::new(0.0, 0.0, -60.0),
        direction: Vec3::z(),
        sheath_length_mm: 110.0,
        sheath_inner_diameter_mm: 1.9,
    };
    let mut per_iteration = Vec::new();
    let mut per_tick = Vec::new();
    for scale in [2.0, 1.0, 0.5, 0.25] {
        let mut op = Operator::new(&wall, &tools, base);
        op.meshing = Meshing { scale, adapts: false };
        op.hold(WIRE, 20.0, 0.0, 20.5);
        op.log = Log::default();
        for _ in 0..3 {
            op.hold(WIRE, 20.0, std::f64::consts::FRAC_PI_2, 1.0);
            op.hold(WIRE, -20.0, -std::f64::consts::FRAC_PI_2, 1.0);
        }
        let log = std::mem::take(&mut op.log);
        let own_us: f64 = log.own_ms.iter().sum::<f64>() * 1e3;
        let nodes: f64 = log.nodes.iter().sum();
        let work: f64 = log.nodes.iter().zip(&log.iterations).map(|(n, i)| n * i.max(1.0)).sum();
        per_iteration.push(own_us / work);
        per_tick.push(own_us / nodes);
        log.print("nodes");
        println!("  {:.3} us a node a tick, {:.3} us a node an iteration", own_us / nodes, own_us / work);
        op.set(WIRE, 20.0, std::f64::consts::FRAC_PI_2);
        let state = op.rod.clone();
        let mut scratch = RodScratch::default();
        c.bench_function(&format!("nodes: a tick of a wire, {} nodes", state.nodes_mm.len()), |b| {
            b.iter_batched(
                || state.clone(),
                |mut state| {
                    black_box(rod::advance(&op.inputs(), &mut state, &mut scratch, TICK_S));
                    state
                },
                BatchSize::LargeInput,
            );
        });
    }
    for (what, times) in [("an iteration", &per_iteration), ("a tick", &per_tick)] {
        println!(
            "nodes: time a node {what}, largest over smallest {:.2}, at 800 over at 100 {:.2}",
            quantile(times.clone(), 1.0) / quantile(times.clone(), 0.0),
            times[3] / times[0],
        );
    }
}

// A cantilever, beside chains of rapier's joints.

const LENGTH_MM: f64 = 700.0;
const DIAMETER_MM: f64 = 0.889;
const EI_N_MM2: f64 = 700.0;
/// Deflection of the elastica at `P L^2 / EI = 1`, share of its length.
const ELASTICA: f64 = 0.301_72;
/// Most computed time of one cantilever, s.
const LIMIT_S: f64 = 60.0;

/// When a cantilever rests: its tip is slower than a speed in mm/s for half a second; and how long it may take.
#[derive(Clone, Copy)]
struct Rest {
    below_mm_per_s: f64,
    limit_s: f64,
}

/// Our rod in play creeps through the drag of blood: the lowest mode dies away with a time of 28 s.
const OUR_REST: Rest = Rest { below_mm_per_s: 0.005, limit_s: 500.0 };
/// A chain swings in a void, damped by its joints, and counts in single precision.
const CHAIN_REST: Rest = Rest { below_mm_per_s: 0.5, limit_s: 20.0 };

/// How a cantilever under a suddenly applied load came to rest.
struct Fall {
    simulated_s: f64,
    own_s: f64,
    deflection_mm: f64,
    is_settled: bool,
}

impl Fall {
    /// Steps until the tip rests for half a second; a step returns the tip.
    fn run(rest: Rest, dt_s: f64, mut step: impl FnMut() -> Vec3) -> Self {
        let mut fall = Self { simulated_s: 0.0, own_s: 0.0, deflection_mm: 0.0, is_settled: false };
        let (mut last, mut quiet_s) = (Vec3::zeros(), 0.0);
        while fall.simulated_s < rest.limit_s && fall.own_s < LIMIT_S {
            let start = Moment::now();
            let tip = step();
            fall.own_s += start.since().1;
            fall.simulated_s += dt_s;
            quiet_s = if (tip - last).norm() < rest.below_mm_per_s * dt_s { quiet_s + dt_s } else { 0.0 };
            last = tip;
            fall.deflection_mm = tip.x.hypot(tip.y);
            if !fall.deflection_mm.is_finite() {
                break;
            }
            if quiet_s > 0.5 {
                fall.is_settled = true;
                break;
            }
        }
        fall
    }

    fn print(&self, what: &str) {
        let exact = ELASTICA * LENGTH_MM;
        println!(
            "cantilever, {what}: {:.3} x real time, tip {:.1} mm (elastica {exact:.1}, {:+.1} %) after {:.2} s, {}",
            self.simulated_s / self.own_s,
            self.deflection_mm,
            100.0 * (self.deflection_mm / exact - 1.0),
            self.simulated_s,
            if self.is_settled { "at rest" } else { "not at rest" },
        );
    }
}

fn cantilever(c: &mut Criterion) {
    if !is_wanted("cantilever") {
        return;
    }
    for edges in [50, 100, 200, 300] {
        our_cantilever(c, edges);
    }
    let kinds = [
        ("impulse joints", Joints::Impulse, 4),
        ("impulse joints, 32 solver iterations", Joints::Impulse, 32),
        ("multibody, motors", Joints::Motors, 4),
        ("multibody, springs", Joints::Springs, 4),
    ];
    for (name, kind, iterations) in kinds {
        for links in [20, 50, 100] {
            let mut chain = Chain::new(links, kind, iterations);
            Fall::run(CHAIN_REST, f64::from(CHAIN_DT_S), || chain.step())
                .print(&format!("rapier {name}, {links} links"));
        }
    }
}

/// Our rod: relaxed, and in play under the load applied at once.
fn our_cantilever(c: &mut Criterion, edges: usize) {
    let tools = vec![plain(LENGTH_MM + 40.0, DIAMETER_MM, EI_N_MM2)];
    let base = RodBase {
        position_mm: Vec3::zeros(),
        direction: Vec3::z(),
        sheath_length_mm: 0.0,
        sheath_inner_diameter_mm: 5.0,
    };
    let inputs = RodInputs {
        tools: &tools,
        controls: &[],
        wall: &FreeSpace,
        law: WallLaw::default(),
        others: &[],
        // Even edges of 1.5 mm times this: as they are laid.
        meshing: Meshing { scale: LENGTH_MM / edges as f64 / 1.5, adapts: false },
    };
    let p = EI_N_MM2 / (LENGTH_MM * LENGTH_MM);
    let loads = Loads { tip_force_n: Vec3::x() * p, ..Loads::default() };
    let mut scratch = RodScratch::default();
    let mut state = rod::new(base);
    let lay = |state: &mut RodState| statics::lay_straight(state, &tools, &[(WIRE, LENGTH_MM)], edges);
    lay(&mut state);
    let start = Moment::now();
    let report = statics::relax(&inputs, &mut state, &mut scratch, &loads, 1e-6);
    let own_ms = start.since().1 * 1e3;
    let tip = state.nodes_mm.last().map_or(0.0, |t| t.x);
    println!(
        "cantilever, our rod relaxed, {edges} edges: tip {tip:.2} mm ({:+.3} %), {} iterations, {own_ms:.2} ms",
        100.0 * (tip / (ELASTICA * LENGTH_MM) - 1.0),
        report.iterations,
    );
    lay(&mut state);
    let mut moving = None;
    let mut ticks = 0;
    Fall::run(OUR_REST, TICK_S, || {
        statics::advance_loaded(&inputs, &mut state, &mut scratch, &loads, TICK_S);
        ticks += 1;
        if ticks == 15 {
            moving = Some(state.clone());
        }
        state.nodes_mm.last().copied().unwrap_or_else(Vec3::zeros)
    })
    .print(&format!("our rod in play, {edges} edges (at the end {})", state.rest_mm.len() - 1));
    let moving = moving.expect("it moves for a quarter of a second");
    c.bench_function(&format!("cantilever: a tick of our rod, {edges} edges"), |b| {
        b.iter_batched(
            || moving.clone(),
            |mut state| {
                black_box(statics::advance_loaded(&inputs, &mut state, &mut scratch, &loads, TICK_S));
                state
            },
            BatchSize::LargeInput,
        );
    });
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(50).measurement_time(Duration::from_secs(8));
    targets = trace, nodes, cantilever
}
criterion_main!(all);
