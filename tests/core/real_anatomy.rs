//! A real anatomy made by others (`arch_to_neuro`): it loads, fits, and devices find their way in it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cathnav::anatomy::{
    Anatomy, ImportOptions, LengthUnit, Mesh, MeshDistance, Openness, VesselPlace, import, load_mesh,
};
use cathnav::device::{Device, load_catalog};
use cathnav::math::rng::{Stream, stream, uniform};
use cathnav::sim::command::{Hold, ToolId};
use cathnav::sim::contact::{MeshWall, WallLaw, WallQuery as _};
use cathnav::sim::flow::{self, FlowInputs, FlowScratch, FlowState, Network};
use cathnav::sim::rod::{self, Meshing, RodBase, RodInputs, RodScratch, RodState, ToolControl};

/// The imported anatomy, once for all tests of this file.
pub(crate) fn anatomy() -> Option<&'static Anatomy> {
    static ANATOMY: OnceLock<Option<Anatomy>> = OnceLock::new();
    ANATOMY.get_or_init(|| folder().map(|dir| import_arch_to_neuro(&dir))).as_ref()
}

/// The folder of the data, if this machine has it; else says why the test does not run.
fn folder() -> Option<PathBuf> {
    let Ok(dir) = std::env::var("CATHNAV_REAL_ANATOMY") else {
        println!("not run: CATHNAV_REAL_ANATOMY is not set");
        return None;
    };
    Some(Path::new(&dir).join("arch_to_neuro"))
}

/// The anatomy in the patient frame, with femoral access on both sides.
fn import_arch_to_neuro(dir: &Path) -> Anatomy {
    let mut curves: Vec<PathBuf> =
        std::fs::read_dir(dir.join("centerlines")).unwrap().map(|e| e.unwrap().path()).collect();
    curves.sort();
    let options = ImportOptions {
        name: "arch_to_neuro".to_owned(),
        axes: "+y,-z,-x".parse().unwrap(),
        root: Some("0".to_owned()),
        access: vec![
            ("femoral.left".to_owned(), "4".to_owned()),
            ("femoral.right".to_owned(), "6".to_owned()),
        ],
        ..ImportOptions::default()
    };
    import(&dir.join("lumen.obj"), &curves, &options).unwrap()
}

#[test]
fn real_anatomy_is_imported() {
    let Some(dir) = folder() else { return };
    let Some(anatomy) = anatomy() else { return };
    println!("{} triangles", anatomy.lumen.mesh.triangles.len());
    let coarse = load_mesh(&dir.join("lumen.obj"), LengthUnit::Mm).unwrap();
    let volume = anatomy.lumen.mesh.signed_volume_mm3() / coarse.signed_volume_mm3();
    println!("volume over that of the file: {volume:.4}");
    assert!((volume - 1.0).abs() < 0.03);
    assert!(Openness::of(&anatomy.lumen.mesh).is_closed());
    let euler = |m: &Mesh| m.vertices_mm.len() as i64 - m.triangles.len() as i64 / 2;
    println!("Euler number {} from {}", euler(&anatomy.lumen.mesh), euler(&coarse));
    assert_eq!(euler(&anatomy.lumen.mesh), euler(&coarse));
    assert_eq!(anatomy.tree.branches.len(), 25);
    let surface = MeshDistance::new(&anatomy.lumen.mesh);
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let mut all_outside = 0;
    for b in &anatomy.tree.branches {
        let inside: Vec<f64> =
            b.points.iter().map(|p| surface.nearest(&p.position_mm).unwrap().inside_mm).collect();
        let outside = inside.iter().filter(|d| **d <= 0.05).count();
        all_outside += outside;
        let least = inside.iter().copied().fold(f64::INFINITY, f64::min);
        let (lo, hi) = b
            .points
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(lo, hi), p| (lo.min(p.radius_mm), hi.max(p.radius_mm)));
        println!(
            "{:>5}: {:4.0} mm, {:3} points, radius {lo:.2} to {hi:.2}, nearest wall {least:.2}, outside {outside}, origin {:?}, join {:?}, flow {:?}",
            b.name,
            b.length_mm(),
            b.points.len(),
            b.origin.map(|o| (anatomy.tree.branch(o.vessel).name.clone(), o.arc_mm)),
            b.distal_join.map(|o| (anatomy.tree.branch(o.vessel).name.clone(), o.arc_mm)),
            b.outlet.as_ref().map(|o| o.flow_ml_per_s),
        );
    }
    assert_eq!(all_outside, 0);
    let branch = |name: &str| anatomy.tree.branch(anatomy.tree.find(name).unwrap());
    let name = |place: Option<VesselPlace>| &anatomy.tree.branch(place.unwrap().vessel).name;
    assert_eq!(name(branch("LCCA").origin), "0");
    assert_eq!(name(branch("17").origin), "RVA");
    assert_eq!(name(branch("RVA").distal_join), "LVA");
    let inflow: f64 =
        anatomy.tree.branches.iter().filter_map(|b| b.outlet.as_ref()).map(|o| o.flow_ml_per_s).sum();
    assert!((40.0..90.0).contains(&inflow), "{inflow}");
    flows_of_the_table_come_out(anatomy);
    for s in &anatomy.access_sites {
        let hit = wall.at(&s.position_mm);
        println!("{}: {:?} {:?} {:.2} mm from the wall", s.name, s.position_mm, s.direction, hit.inside_mm);
        assert!(hit.inside_mm > 1.0);
    }
}

/// The blood of an imported tree with a loop at rest: every outlet its flow, every cell in balance, the loop carries.
fn flows_of_the_table_come_out(anatomy: &Anatomy) {
    let patient = cathnav::scenario::Patient::default();
    let net = Network::compile(&anatomy.tree, &anatomy.circulation, &patient, &[]);
    let mut state = FlowState::new(&net);
    let mut scratch = FlowScratch::default();
    let inputs = FlowInputs { root_mmhg: net.resting_map_mmhg, ..FlowInputs::default() };
    let mut residual: f64 = 0.0;
    for _ in 0..1200 {
        flow::advance(&net, &mut state, &mut scratch, &inputs, TICK_S);
        residual = residual.max(state.residual_ml_per_s);
    }
    // Where the mesh leaves less than a way for the stated flow, the flow falls short; the rest holds.
    let mut worst: f64 = 0.0;
    let mut short = 0;
    for (o, q) in net.outlets.iter().zip(&state.outlet_flow_ml_per_s) {
        let share = q / o.resting_flow_ml_per_s;
        println!("  outlet of {}: {share:.4}", anatomy.tree.branch(o.branch).name);
        if share < 0.97 {
            short += 1;
        } else {
            worst = worst.max((share - 1.0).abs());
        }
    }
    let joined = anatomy.tree.find("RVA").unwrap();
    let arc_mm = 0.8 * anatomy.tree.branch(joined).length_mm();
    let around = state.flow_at(&net, VesselPlace { vessel: joined, arc_mm });
    println!(
        "imported: {} cells, worst outlet off by {worst:.1e}, residual {residual:.1e} mL/s, loop {around:.3} mL/s",
        net.cells()
    );
    assert!(short <= 1 && worst < 0.01 && residual < 1e-9 && around.abs() > 1e-3);
}

const TICK_S: f64 = 1.0 / 60.0;
const WIRE: ToolId = ToolId(0);
const CATHETER: ToolId = ToolId(1);

/// An operator at the hubs of a wire and a catheter in the left groin.
struct Operator<'a> {
    anatomy: &'a Anatomy,
    wall: &'a MeshWall,
    tools: &'a [Device],
    controls: Vec<ToolControl>,
    rod: RodState,
    scratch: RodScratch,
    log: Log,
}

#[derive(Clone, Default)]
struct Log {
    millis: Vec<f64>,
    iterations: Vec<u32>,
    diverged: u32,
    outside_mm: f64,
}

fn tray() -> Vec<Device> {
    let catalog = load_catalog(&cathnav::assets::root().unwrap().join("assets")).unwrap();
    ["wire.hydrophilic_angled.035", "catheter.cobra_c2.5f"]
        .map(|id| catalog.device(id).unwrap().clone())
        .to_vec()
}

impl<'a> Operator<'a> {
    fn new(anatomy: &'a Anatomy, wall: &'a MeshWall, tools: &'a [Device]) -> Self {
        let site = &anatomy.access_sites[0];
        let base = RodBase {
            position_mm: site.position_mm,
            direction: site.direction,
            sheath_length_mm: 110.0,
            sheath_inner_diameter_mm: 1.9,
        };
        let mut rod = rod::new(base);
        rod::load(&mut rod, tools, WIRE).unwrap();
        Self {
            anatomy,
            wall,
            tools,
            controls: vec![ToolControl::default(); tools.len()],
            rod,
            scratch: RodScratch::default(),
            log: Log { outside_mm: f64::NEG_INFINITY, ..Log::default() },
        }
    }

    /// The same state in other hands.
    fn branch_off(&self) -> Self {
        Self {
            controls: self.controls.clone(),
            rod: self.rod.clone(),
            scratch: RodScratch::default(),
            log: self.log.clone(),
            ..*self
        }
    }

    fn tick(&mut self) {
        let inputs = RodInputs {
            tools: self.tools,
            controls: &self.controls,
            wall: self.wall,
            law: WallLaw::default(),
            others: &[],
            meshing: Meshing::default(),
        };
        #[expect(clippy::disallowed_methods, reason = "times are printed, never tested")]
        let start = std::time::Instant::now();
        let report = rod::advance(&inputs, &mut self.rod, &mut self.scratch, TICK_S);
        self.log.millis.push(start.elapsed().as_secs_f64() * 1e3);
        self.log.iterations.push(report.iterations);
        if let Some(reason) = report.diverged {
            if self.log.diverged == 0 {
                println!("  first given up at tick {}: {reason}", self.log.millis.len());
            }
            self.log.diverged += 1;
        }
        for p in &self.rod.nodes_mm {
            assert!(p.iter().all(|x| x.is_finite()));
            self.log.outside_mm = self.log.outside_mm.max(-self.wall.at(p).inside_mm);
        }
    }

    fn hold(&mut self, tool: ToolId, feed_mm_per_s: f64, spin_rad_per_s: f64, seconds: f64) {
        self.controls[tool.idx()] = ToolControl { feed_mm_per_s, spin_rad_per_s, hold: Hold::Held };
        for _ in 0..(seconds / TICK_S).round() as usize {
            self.tick();
        }
        self.controls[tool.idx()] = ToolControl::default();
    }

    /// Advances the wire until `is_there`; where it goes astray or no longer forward, it is drawn back, turned, and tried
    /// again. Uses the hub alone. Says how often it had to turn.
    fn seek(
        &mut self,
        is_there: impl Fn(&str, f64) -> bool,
        is_astray: impl Fn(&str, f64) -> bool,
        tries: u32,
    ) -> Option<u32> {
        for turned in 0..tries {
            let mut best = self.rod.nodes_mm.last().copied();
            for step in 1..400 {
                self.hold(WIRE, 30.0, 0.0, 0.25);
                let (name, arc) = self.tip(WIRE);
                if is_there(&name, arc) {
                    return Some(turned);
                }
                let tip = self.rod.nodes_mm.last().copied();
                let mut is_stuck = false;
                if step % 8 == 0 {
                    // 60 mm were fed since the last look.
                    is_stuck = tip.zip(best).is_some_and(|(a, b)| (a - b).norm() < 15.0);
                    best = tip;
                }
                if is_astray(&name, arc) || is_stuck {
                    println!(
                        "  turn {turned}: {name} at {arc:.0} mm{}",
                        if is_stuck { ", stuck" } else { "" }
                    );
                    break;
                }
            }
            for _ in 0..40 {
                self.hold(WIRE, -50.0, 0.0, 0.25);
                let (name, arc) = self.tip(WIRE);
                if !is_astray(&name, arc) {
                    break;
                }
            }
            self.hold(WIRE, -50.0, 0.0, 0.6);
            self.hold(WIRE, 0.0, 2.0, 0.6);
        }
        None
    }

    /// Name of the branch that a tip is in, and arc length there.
    fn tip(&self, tool: ToolId) -> (String, f64) {
        let view = rod::view(&self.rod, self.tools, self.wall);
        let device = view.devices.iter().find(|d| d.tool == tool).unwrap();
        device.tip_place.map_or_else(
            || ("sheath".to_owned(), 0.0),
            |place| (self.anatomy.tree.branch(place.vessel).name.clone(), place.arc_mm),
        )
    }

    fn print(&self, what: &str) {
        let mut ms = self.log.millis.clone();
        ms.sort_by(f64::total_cmp);
        if ms.is_empty() {
            return;
        }
        let mut it = self.log.iterations.clone();
        it.sort_unstable();
        let n = ms.len();
        println!(
            "{what}: {n} ticks, {} nodes, ms median {:.2} p95 {:.2} max {:.1}, iterations median {} p95 {} max {}, \
             diverged {}, farthest outside {:.2} mm",
            self.rod.nodes_mm.len(),
            ms[n / 2],
            ms[n * 95 / 100],
            ms[n - 1],
            it[n / 2],
            it[n * 95 / 100],
            it[n - 1],
            self.log.diverged,
            self.log.outside_mm,
        );
    }
}

/// The great vessel of a branch, if it is one.
fn great_vessel(name: &str, arc_mm: f64) -> Option<&'static str> {
    match name {
        "LCCA" if arc_mm > 15.0 => Some("left common carotid"),
        "11" if arc_mm > 15.0 => Some("brachiocephalic trunk"),
        "RCCA" | "RVA" | "17" => Some("brachiocephalic trunk"),
        "18" if arc_mm > 15.0 => Some("left subclavian"),
        "19" | "LVA" => Some("left subclavian"),
        _ => None,
    }
}

/// A wire pushed from the groin reaches the arch; what the hub was turned by decides which great vessel it enters.
#[test]
fn a_wire_chooses_between_the_great_vessels() {
    let Some(anatomy) = anatomy() else { return };
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let tools = tray();
    let mut way = Operator::new(anatomy, &wall, &tools);
    // Branch 2 is the aorta from the arch down, 3 and 4 are the left iliacs, 0 the arch and the ascending aorta.
    let left_groin = |name: &str| ["sheath", "3", "4", "14", "2"].contains(&name);
    let turns =
        way.seek(|name, arc| name == "2" && arc < 40.0, |name, arc| !left_groin(name) && arc > 15.0, 20);
    way.print("to the arch");
    println!("turned {turns:?} times on the way");
    let (name, arc) = way.tip(WIRE);
    assert!(turns.is_some(), "the wire is in {name} at {arc:.0} mm");
    let mut reached: Vec<&str> = Vec::new();
    for turn in [2, 4, 6, 0, 3, 5, 7, 1] {
        let mut op = way.branch_off();
        op.hold(WIRE, 0.0, std::f64::consts::FRAC_PI_2, 0.5 * f64::from(turn));
        let mut found = None;
        for _ in 0..40 {
            op.hold(WIRE, 20.0, 0.0, 0.25);
            let (name, arc) = op.tip(WIRE);
            found = great_vessel(&name, arc);
            if found.is_some() {
                break;
            }
        }
        let (name, arc) = op.tip(WIRE);
        println!("hub turned by {} degrees: {name} at {arc:.0} mm, {found:?}", turn * 45);
        op.print("  program");
        reached.extend(found.filter(|name| !reached.contains(name)));
        if reached.len() == 2 {
            break;
        }
    }
    println!("reached: {reached:?}");
    assert_eq!(reached.len(), 2);
}

/// Random hands on wire and catheter: finite, inside, for three seeds.
#[test]
fn random_hands_in_a_real_anatomy() {
    let Some(anatomy) = anatomy() else { return };
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let tools = tray();
    for seed in 1..=3 {
        let mut rng = stream(seed, Stream::World);
        let mut op = Operator::new(anatomy, &wall, &tools);
        op.hold(WIRE, 50.0, 0.0, 5.0);
        rod::load(&mut op.rod, &tools, CATHETER).unwrap();
        op.hold(CATHETER, 50.0, 0.0, 3.0);
        for k in 0..1200 {
            if k % 30 == 0 {
                for tool in [WIRE, CATHETER] {
                    op.controls[tool.idx()] = ToolControl {
                        feed_mm_per_s: 50.0 * (2.0 * uniform(&mut rng) - 0.8),
                        spin_rad_per_s: std::f64::consts::PI * (2.0 * uniform(&mut rng) - 1.0),
                        hold: Hold::Held,
                    };
                }
            }
            op.tick();
        }
        op.print(&format!("soak seed {seed}, ends in {:?}", op.tip(WIRE)));
        assert!(op.log.outside_mm < 1.0, "{}", op.log.outside_mm);
    }
}
