//! Catalogue devices reach named targets by commands at the hub alone: feed and turn, pull back where the tip has gone astray or
//! the hand feels more than it should.

use std::sync::Arc;

use cathnav::anatomy::{self, VesselId, VesselTree};
use cathnav::scenario::Case;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::snapshot::RodDeviceView;
use cathnav::sim::{Model, Session};

/// The hand gives way at this force, N; it must never feel 2 N.
const GIVE_WAY_N: f64 = 1.5;
const MOST_N: f64 = 2.0;
/// A tip this deep in a branch that does not lead to the target has gone astray, mm.
const ASTRAY_MM: f64 = 4.0;
/// Pulled back before a turn, mm beyond where it went wrong.
const BACK_MM: f64 = 14.0;
/// Turn between two attempts, degrees: spreads over the round.
const TURN_DEG: f64 = 80.0;

fn model(anatomy: &str, site: &str, tray: &[&str]) -> Arc<Model> {
    let root = cathnav::assets::root().unwrap();
    let tray: Vec<String> = tray.iter().map(|t| format!("\"{t}\"")).collect();
    let case = format!(
        "#![enable(implicit_some)]\nCase(format: 1, id: \"t\", title: \"t\", briefing: (story: \"\", task: \"\"), anatomy: \
         (model: \"{anatomy}\"), access: (site: \"{site}\", sheath: \"sheath.5f.110\"), tray: [{}], steps: [], score: (pass: 0))",
        tray.join(", ")
    );
    let case: Case = ron::from_str(&case).unwrap();
    let dir = root.join("assets/anatomy").join(anatomy);
    let a =
        anatomy::load_patient(&dir, &anatomy::PatientChoice::default(), &cathnav::assets::cache()).unwrap();
    let catalog = cathnav::device::load_catalog(&root.join("assets")).unwrap();
    Arc::new(Model::compile(&case, &a, &catalog).unwrap())
}

/// Branches that lead from one to another, both included.
fn way(tree: &VesselTree, from: VesselId, to: VesselId) -> Vec<VesselId> {
    let (up, down) = (tree.route(from), tree.route(to));
    let common = up.iter().zip(&down).take_while(|(a, b)| a == b).count();
    let mut out: Vec<VesselId> = up[common..].iter().rev().copied().collect();
    out.push(down[common - 1]);
    out.extend(&down[common..]);
    out
}

/// A hand at the hub.
struct Operator {
    session: Session,
    worst_n: f64,
    turns: u32,
}

impl Operator {
    fn new(model: &Arc<Model>) -> Self {
        Self { session: Session::new(model.clone(), 1), worst_n: 0.0, turns: 0 }
    }

    fn step(&mut self) {
        self.session.step();
        for d in &self.session.snapshot().rods[0].devices {
            self.worst_n = self.worst_n.max(d.hub_force_n.abs());
        }
    }

    fn device(&self, tool: ToolId) -> RodDeviceView {
        self.session.snapshot().rods[0].devices.iter().find(|d| d.tool == tool).cloned().unwrap_or_default()
    }

    fn load(&mut self, tool: ToolId) {
        self.session.submit(Command::Load { rod: 0, tool });
        (0..3).for_each(|_| self.step());
    }

    /// Feeds until told to stop; says whether it was told in time.
    fn feed(
        &mut self,
        tool: ToolId,
        mm_per_s: f64,
        seconds: f64,
        mut stop: impl FnMut(&RodDeviceView) -> bool,
    ) -> bool {
        self.session.submit(Command::SetFeed { tool, speed_mm_per_s: mm_per_s });
        let mut told = false;
        for _ in 0..(60.0 * seconds) as u32 {
            self.step();
            if stop(&self.device(tool)) {
                told = true;
                break;
            }
        }
        self.session.submit(Command::SetFeed { tool, speed_mm_per_s: 0.0 });
        self.step();
        told
    }

    fn turn(&mut self, tool: ToolId, by_deg: f64) {
        self.turns += 1;
        self.session.submit(Command::SetSpin { tool, rate_deg_per_s: 120.0 * by_deg.signum() });
        (0..(0.5 * by_deg.abs()) as u32).for_each(|_| self.step());
        self.session.submit(Command::SetSpin { tool, rate_deg_per_s: 0.0 });
        (0..15).for_each(|_| self.step());
    }

    /// Leads a device along the branches of a way until its tip lies deep enough in the last.
    fn lead(&mut self, tool: ToolId, way: &[VesselId], depth_mm: f64, attempts: u32) -> Result<(), String> {
        let mut said = String::new();
        // A branch that is entered from its far end is deep where little of it is left.
        let tree = &self.session.model().anatomy.tree;
        let last = tree.branch(way[way.len() - 1]);
        let is_from_end = way.len() > 1
            && tree.branch(way[way.len() - 2]).origin.is_some_and(|o| o.vessel == way[way.len() - 1]);
        let (length, name_of) = (last.length_mm(), tree.clone());
        let depth = |arc: f64| if is_from_end { length - arc } else { arc };
        for _ in 0..attempts {
            let (mut arrived, mut astray, mut pressed) = (false, None, false);
            let (mut best, mut best_at) = (f64::MIN, 0.0);
            self.feed(tool, 18.0, 90.0, |d| {
                let Some(place) = d.tip_place else { return false };
                match way.iter().position(|v| *v == place.vessel) {
                    None if place.arc_mm > ASTRAY_MM => astray = Some(place.vessel),
                    None => {}
                    Some(i) => {
                        let is_last = i + 1 == way.len();
                        arrived = is_last && depth(place.arc_mm) >= depth_mm;
                        // Progress: branches passed, then along the branch in the direction of the way.
                        let along = if d.inserted_mm < 0.0 { 0.0 } else { d.inserted_mm };
                        let rank = 10_000.0 * i as f64 + along;
                        if rank > best {
                            (best, best_at) = (rank, d.inserted_mm);
                        }
                    }
                }
                pressed = d.hub_force_n.abs() > GIVE_WAY_N;
                arrived || astray.is_some() || pressed
            });
            if arrived {
                return Ok(());
            }
            said = match astray {
                Some(v) => format!("astray in {}", name_of.branch(v).name),
                None if pressed => format!("pressed at {best_at:.0} mm"),
                None => format!("stuck at {best_at:.0} mm"),
            };
            let from = self.device(tool).inserted_mm;
            let back_to = (best_at.min(from) - BACK_MM).max(5.0);
            self.feed(tool, -30.0, 30.0, |d| {
                d.inserted_mm <= back_to && d.tip_place.is_none_or(|p| way.contains(&p.vessel))
            });
            self.turn(tool, TURN_DEG);
        }
        Err(said)
    }
}

/// Site, anatomy, devices and targets of the wire alone.
struct Route {
    anatomy: &'static str,
    site: &'static str,
    wire: &'static str,
    targets: &'static [(&'static str, f64)],
}

fn follow(route: &Route) {
    let model = model(route.anatomy, route.site, &[route.wire]);
    let tree = &model.anatomy.tree;
    let wire = model.tool(route.wire).unwrap();
    let site = model.anatomy.access_sites.iter().find(|s| s.name == route.site).unwrap().place.vessel;
    let mut failed = Vec::new();
    for (target, depth_mm) in route.targets {
        let mut hand = Operator::new(&model);
        hand.load(wire);
        let way = way(tree, site, tree.find(target).unwrap());
        let outcome = hand.lead(wire, &way, *depth_mm, 24);
        let tip = hand.device(wire);
        println!(
            "{} > {target}: {outcome:?}, {:.0} mm in, {:.0} s, {} turns, hub force up to {:.2} N",
            route.site,
            tip.inserted_mm,
            hand.session.state().tick as f64 / 60.0,
            hand.turns,
            hand.worst_n
        );
        if outcome.is_err() || hand.worst_n >= MOST_N {
            failed.push(*target);
        }
    }
    assert!(failed.is_empty(), "{}: {failed:?}", route.site);
}

const WIRE: &str = "wire.hydrophilic_angled.035";

#[test]
fn a_wire_from_the_groin_downwards_reaches_the_run_off() {
    follow(&Route {
        anatomy: "lower_limb",
        site: "femoral.left.antegrade",
        wire: WIRE,
        targets: &[
            ("popliteal.left", 60.0),
            ("tibial.posterior.left", 60.0),
            ("fibular.left", 60.0),
            ("tibial.anterior.left", 60.0),
        ],
    });
}

#[test]
fn a_wire_from_the_groin_passes_the_bifurcation_to_the_aorta_and_the_arch() {
    follow(&Route {
        anatomy: "cerebral",
        site: "femoral.right",
        wire: WIRE,
        targets: &[
            ("aorta.abdominal", 70.0),
            ("aorta.descending", 60.0),
            ("aorta.arch", 50.0),
            ("subclavian.left", 40.0),
        ],
    });
}

#[test]
fn a_wire_from_the_wrist_reaches_the_arch() {
    follow(&Route {
        anatomy: "cerebral",
        site: "radial.right",
        wire: WIRE,
        targets: &[("axillary.right", 40.0), ("brachiocephalic", 30.0)],
    });
}
