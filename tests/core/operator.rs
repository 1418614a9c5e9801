//! A hand at the hub for tests: it feeds, turns and lets go by commands alone, and gives way to force. It sees the truth where an
//! operator would look at the picture.

use std::sync::Arc;

use cathnav::anatomy::{self, VesselId, VesselPlace, VesselTree};
use cathnav::math::Vec3;
use cathnav::scenario::Case;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::event::EventKind;
use cathnav::sim::snapshot::RodDeviceView;
use cathnav::sim::{Model, Session};

/// The hand gives way at this force, N.
const GIVE_WAY_N: f64 = 1.5;
/// A tip this deep in a branch that does not lead to the target has gone astray, mm.
const ASTRAY_MM: f64 = 4.0;
/// A tip this far beyond the mouth of the next vessel has missed it, mm.
const PAST_MM: f64 = 12.0;
/// Pulled back before a turn, mm beyond where it went wrong.
const BACK_MM: f64 = 14.0;
/// Turn between two attempts of a wire, degrees: spreads over the round.
const TURN_DEG: f64 = 80.0;
/// Turn of a catheter between two attempts at an ostium, degrees.
const SCAN_DEG: f64 = 40.0;
/// Attempts of a catheter: a little over a round.
const SCANS: u32 = 11;
/// A steered tip is turned this far before the mouth that it is to enter, in radii of the vessel.
const AHEAD: [f64; 3] = [1.0, 2.0, 0.2];
/// In a vessel of more than this radius the bend of a micro wire does not reach the other wall, mm.
const WIDE_MM: f64 = 2.0;
/// It is in when it lies this deep behind the wall of the parent, mm.
const IN_MM: f64 = 3.0;
/// Length of the bent tip, and of the stretch behind it that tells the axis, mm.
const BEND_MM: f64 = 5.0;
/// The supporting catheter stays this far behind the tip, mm.
const SUPPORT_MM: f64 = 8.0;
/// Good enough an aim, degrees.
const AIMED_DEG: f64 = 20.0;
/// Turns in which an aim must be found.
const AIM_TURNS: u32 = 8;
/// Aims of later attempts are off by these, degrees: a bent tip does not always slide where it points.
const AIM_OFF_DEG: [f64; 5] = [0.0, 35.0, -35.0, 70.0, -70.0];

/// An anatomy with a tray, nothing else.
pub(crate) fn model(anatomy: &str, site: &str, tray: &[&str]) -> Arc<Model> {
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
pub(crate) fn way(tree: &VesselTree, from: VesselId, to: VesselId) -> Vec<VesselId> {
    let (up, down) = (tree.route(from), tree.route(to));
    let common = up.iter().zip(&down).take_while(|(a, b)| a == b).count();
    let mut out: Vec<VesselId> = up[common..].iter().rev().copied().collect();
    out.push(down[common - 1]);
    out.extend(&down[common..]);
    out
}

/// Has a tip on the i-th vessel of a way gone past the mouth of the next, on the way from the heart.
fn misses(tree: &VesselTree, way: &[VesselId], i: usize, arc_mm: f64) -> bool {
    let Some(next) = way.get(i + 1) else { return false };
    let Some(mouth) = tree.branch(*next).origin.filter(|o| o.vessel == way[i]) else { return false };
    // A vessel that was entered from one of its branches is followed towards the heart.
    let is_upward = i > 0 && tree.branch(way[i - 1]).origin.is_some_and(|o| o.vessel == way[i]);
    !is_upward && arc_mm > mouth.arc_mm + PAST_MM
}

fn origin_radius_mm(tree: &VesselTree, origin: VesselPlace) -> f64 {
    tree.branch(origin.vessel).at(origin.arc_mm).radius_mm
}

/// A hand at the hub.
pub(crate) struct Operator {
    pub(crate) session: Session,
    /// Largest force felt at any hub, N.
    pub(crate) worst_n: f64,
    pub(crate) turns: u32,
    /// What the devices refused to do.
    pub(crate) refusals: Vec<String>,
    site: VesselId,
}

impl Operator {
    pub(crate) fn new(model: &Arc<Model>, site: &str) -> Self {
        let site = model.anatomy.access_sites.iter().find(|s| s.name == site).unwrap().place.vessel;
        Self { session: Session::new(model.clone(), 1), worst_n: 0.0, turns: 0, refusals: Vec::new(), site }
    }

    pub(crate) fn step(&mut self) {
        for event in self.session.step().events {
            if let EventKind::Refused { reason, .. } = event.kind {
                self.refusals.push(reason);
            }
        }
        for d in &self.session.snapshot().rods[0].devices {
            self.worst_n = self.worst_n.max(d.hub_force_n.abs());
        }
    }

    pub(crate) fn wait(&mut self, seconds: f64) {
        (0..(60.0 * seconds) as u32).for_each(|_| self.step());
    }

    pub(crate) fn tree(&self) -> VesselTree {
        self.session.model().anatomy.tree.clone()
    }

    pub(crate) fn device(&self, tool: ToolId) -> RodDeviceView {
        self.session.snapshot().rods[0].devices.iter().find(|d| d.tool == tool).cloned().unwrap_or_default()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.session.state().tick as f64 / 60.0
    }

    /// How it stands, for the log of a test.
    pub(crate) fn told(&self, tool: ToolId) -> String {
        let d = self.device(tool);
        let at = d.tip_place.map(|p| format!("{} {:.0} mm", self.tree().branch(p.vessel).name, p.arc_mm));
        format!(
            "tip in {}, {:.0} mm in, {:.0} s, {} turns, hub force up to {:.2} N",
            at.unwrap_or_else(|| "no vessel".to_owned()),
            d.inserted_mm,
            self.seconds(),
            self.turns,
            self.worst_n
        )
    }

    pub(crate) fn load(&mut self, tool: ToolId) {
        self.session.submit(Command::Load { rod: 0, tool });
        self.wait(0.1);
    }

    /// Feeds until told to stop; says whether it was told in time.
    pub(crate) fn feed(
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

    /// Withdraws a device and takes it off.
    pub(crate) fn take_off(&mut self, tool: ToolId) {
        // Its length counts from the introducer; it is out when it comes no farther.
        let (mut last, mut still) = (f64::MAX, 0);
        self.feed(tool, -80.0, 60.0, |d| {
            still = if d.inserted_mm < 0.5 && (d.inserted_mm - last).abs() < 1e-6 { still + 1 } else { 0 };
            last = d.inserted_mm;
            still > 20
        });
        self.session.submit(Command::Unload { tool });
        self.wait(0.1);
    }

    /// Feeds until its length from the introducer is this.
    pub(crate) fn feed_to(&mut self, tool: ToolId, inserted_mm: f64, mm_per_s: f64) -> bool {
        let sign = (inserted_mm - self.device(tool).inserted_mm).signum();
        self.feed(tool, sign * mm_per_s, 90.0, |d| sign * (d.inserted_mm - inserted_mm) >= 0.0)
    }

    pub(crate) fn turn(&mut self, tool: ToolId, by_deg: f64) {
        self.turns += 1;
        self.session.submit(Command::SetSpin { tool, rate_deg_per_s: 120.0 * by_deg.signum() });
        (0..(0.5 * by_deg.abs()) as u32).for_each(|_| self.step());
        self.session.submit(Command::SetSpin { tool, rate_deg_per_s: 0.0 });
        self.wait(0.25);
    }

    /// Leads a wire from the puncture along the vessels until its tip lies deep enough in the target.
    pub(crate) fn lead(
        &mut self,
        tool: ToolId,
        target: VesselId,
        depth_mm: f64,
        attempts: u32,
    ) -> Result<(), String> {
        let tree = self.tree();
        let way = way(&tree, self.site, target);
        let mut said = String::new();
        // A branch that is entered from its far end is deep where little of it is left.
        let last = tree.branch(target);
        let is_from_end =
            way.len() > 1 && tree.branch(way[way.len() - 2]).origin.is_some_and(|o| o.vessel == target);
        let length = last.length_mm();
        let depth = |arc: f64| if is_from_end { length - arc } else { arc };
        for _ in 0..attempts {
            let (mut arrived, mut astray, mut pressed) = (false, None, false);
            let (mut best, mut best_at) = (f64::MIN, 0.0);
            self.feed(tool, 12.0, 90.0, |d| {
                let Some(place) = d.tip_place else { return false };
                match way.iter().position(|v| *v == place.vessel) {
                    None if place.arc_mm > ASTRAY_MM => astray = Some(place.vessel),
                    None => {}
                    Some(i) if misses(&tree, &way, i, place.arc_mm) => astray = Some(place.vessel),
                    Some(i) => {
                        arrived = i + 1 == way.len() && depth(place.arc_mm) >= depth_mm;
                        // Progress: branches passed, then the length fed.
                        let rank = 10_000.0 * i as f64 + d.inserted_mm.max(0.0);
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
                Some(v) => format!("astray in {}", tree.branch(v).name),
                None if pressed => format!("pressed at {best_at:.0} mm"),
                None => format!("stuck at {best_at:.0} mm"),
            };
            let back_to = (best_at.min(self.device(tool).inserted_mm) - BACK_MM).max(5.0);
            self.feed(tool, -30.0, 30.0, |d| {
                d.inserted_mm <= back_to && d.tip_place.is_none_or(|p| way.contains(&p.vessel))
            });
            self.turn(tool, TURN_DEG);
        }
        Err(said)
    }

    /// Leads a wire from where it is by looking: before each mouth on the way the catheter around it is brought up for support,
    /// and the bent tip is turned towards the mouth.
    pub(crate) fn steer(
        &mut self,
        (tool, support): (ToolId, ToolId),
        target: VesselId,
        depth_mm: f64,
        attempts: u32,
    ) -> Result<(), String> {
        let tree = self.tree();
        let from = self.device(tool).tip_place.ok_or("the tip is in no vessel")?.vessel;
        let way = way(&tree, from, target);
        let (mut tries, mut at) = (0, 0);
        for _ in 0..attempts {
            let place = self.device(tool).tip_place.ok_or("the tip is in no vessel")?;
            let Some(i) = way.iter().position(|v| *v == place.vessel) else {
                self.feed(tool, -15.0, 12.0, |d| d.tip_place.is_some_and(|p| way.contains(&p.vessel)));
                continue;
            };
            if i != at {
                (tries, at) = (0, i);
            }
            tries += 1;
            match way.get(i + 1) {
                Some(next) => {
                    let mouth =
                        tree.branch(*next).origin.filter(|o| o.vessel == way[i]).ok_or("not downstream")?;
                    self.enter((tool, support), mouth, *next, tries - 1)?;
                }
                None => {
                    let deep = |d: &RodDeviceView| {
                        d.tip_place.is_some_and(|p| p.vessel == target && p.arc_mm >= depth_mm)
                    };
                    let is_off = |d: &RodDeviceView| d.tip_place.is_some_and(|p| p.vessel != target);
                    self.feed(tool, 8.0, 30.0, |d| deep(d) || is_off(d) || d.hub_force_n.abs() > GIVE_WAY_N);
                    if deep(&self.device(tool)) {
                        return Ok(());
                    }
                    if !is_off(&self.device(tool)) {
                        self.feed(tool, -12.0, 0.5, |_| false);
                        self.turn(tool, TURN_DEG);
                    }
                }
            }
        }
        Err(format!("the tip is in {:?} after {attempts} attempts", self.device(tool).tip_place))
    }

    /// One try to bring a tip into the next vessel.
    fn enter(
        &mut self,
        (tool, support): (ToolId, ToolId),
        mouth: VesselPlace,
        next: VesselId,
        tries: u32,
    ) -> Result<(), String> {
        let tree = self.tree();
        let wall_mm = tree.branch(mouth.vessel).at(mouth.arc_mm).radius_mm;
        let inside_mm = (wall_mm + IN_MM).min(0.7 * tree.branch(next).length_mm());
        let is_in = |p: VesselPlace| match p.vessel {
            v if v == next => p.arc_mm > inside_mm,
            v => tree.route(v).contains(&next),
        };
        let ahead_mm = wall_mm * AHEAD[tries as usize % AHEAD.len()];
        let before = |d: &RodDeviceView| {
            d.tip_place.is_some_and(|p| p.vessel == mouth.vessel && p.arc_mm <= mouth.arc_mm - ahead_mm)
        };
        // Back before the mouth, then up to it.
        if !before(&self.device(tool)) && !self.feed(tool, -15.0, 12.0, before) {
            return Err(format!("cannot come back before {}", tree.branch(next).name));
        }
        self.feed(tool, 6.0, 12.0, |d| !before(d) || d.hub_force_n.abs() > GIVE_WAY_N);
        let goal = tree.branch(next).at(wall_mm + BEND_MM).position_mm;
        let off_deg = AIM_OFF_DEG[tries as usize / AHEAD.len() % AIM_OFF_DEG.len()];
        // By the bend of the wire, or, where the vessel is too wide for it, by that of the catheter with the wire in it.
        let is_wide = wall_mm > WIDE_MM;
        self.feed_to(support, self.device(tool).inserted_mm - if is_wide { 0.5 } else { SUPPORT_MM }, 10.0);
        self.aim(if is_wide { support } else { tool }, &goal, off_deg);
        let fed = self.device(tool).inserted_mm;
        self.feed(tool, 6.0, 12.0, |d| {
            let entered = d.tip_place.is_some_and(is_in);
            let is_astray = d.tip_place.is_some_and(|p| match p.vessel {
                v if v == mouth.vessel => p.arc_mm > mouth.arc_mm + PAST_MM,
                v => v != next && p.arc_mm > ASTRAY_MM,
            });
            entered || is_astray || d.hub_force_n.abs() > GIVE_WAY_N || d.inserted_mm > fed + 3.0 * PAST_MM
        });
        Ok(())
    }

    /// Turns the hub until the bent tip points towards a place, seen along the wire.
    fn aim(&mut self, tool: ToolId, goal_mm: &Vec3, off_deg: f64) {
        for _ in 0..AIM_TURNS {
            let Some((tip, axis, bend)) = self.bend(tool) else { return };
            let to = goal_mm - tip;
            let to = to - axis * axis.dot(&to);
            let error = axis.dot(&bend.cross(&to)).atan2(bend.dot(&to)).to_degrees() + off_deg;
            let error = error - 360.0 * (error / 360.0).round();
            if bend.norm() > 0.1 && error.abs() < AIMED_DEG {
                return;
            }
            self.turn(tool, if bend.norm() > 0.1 { error } else { TURN_DEG });
        }
    }

    /// Tip, axis of the stretch behind the bend, and where the bent end points across it.
    fn bend(&self, tool: ToolId) -> Option<(Vec3, Vec3, Vec3)> {
        let snap = self.session.snapshot();
        let tip_mm = self.device(tool).inserted_mm;
        let nodes: Vec<(f64, Vec3)> =
            snap.rods[0].arc_mm.iter().copied().zip(snap.rods[0].nodes_mm.iter().copied()).collect();
        let at = |behind_mm: f64| nodes.iter().rfind(|(s, _)| *s <= tip_mm - behind_mm).map(|x| x.1);
        let (tip, knee, shaft) = (self.device(tool).tip_mm, at(BEND_MM)?, at(2.5 * BEND_MM)?);
        let axis = (knee - shaft).try_normalize(1e-6)?;
        let end = (tip - knee).try_normalize(1e-6)?;
        Some((tip, axis, end - axis * axis.dot(&end)))
    }

    /// Brings a shaped catheter into the mouth of a branch: over the wire to beyond the mouth, wire back so that the curve forms,
    /// then drawn across the mouth from `above_mm` beyond it, turned, and drawn again until the tip falls in.
    pub(crate) fn engage(
        &mut self,
        wire: ToolId,
        catheter: ToolId,
        target: VesselId,
        above_mm: f64,
    ) -> Result<(), String> {
        let tree = self.tree();
        let origin = tree.branch(target).origin.ok_or("no parent")?;
        // Upstream of the mouth there may be little vessel; branches count their length from the heart.
        let beyond = tree.branch(origin.vessel).length_mm() - (origin.arc_mm - 30.0).max(3.0);
        self.load(wire);
        self.lead(wire, origin.vessel, beyond, 24)?;
        self.load(catheter);
        let tip = self.device(wire).inserted_mm;
        self.feed_to(catheter, tip - 30.0, 20.0);
        self.feed_to(wire, tip - 140.0, 60.0);
        let above = |d: &RodDeviceView| {
            d.tip_place.is_some_and(|p| p.vessel == origin.vessel && p.arc_mm < origin.arc_mm - above_mm)
        };
        self.feed(catheter, 10.0, 8.0, above);
        self.wait(1.0);
        let start = self.device(catheter).inserted_mm;
        // First round and round, then with the bend turned towards the mouth and a little past it on either side.
        let mouth = tree.branch(target).at(origin_radius_mm(&tree, origin) + BEND_MM).position_mm;
        for scan in 0..SCANS + AIM_OFF_DEG.len() as u32 {
            self.feed(catheter, -8.0, 12.0, |d| {
                d.hub_force_n.abs() > GIVE_WAY_N
                    || d.tip_place.is_some_and(|p| match p.vessel {
                        v if v == target => p.arc_mm > 4.0,
                        v if v == origin.vessel => p.arc_mm > origin.arc_mm + 14.0,
                        _ => false,
                    })
            });
            if self.device(catheter).tip_place.is_some_and(|p| p.vessel == target) {
                return Ok(());
            }
            self.feed_to(catheter, start, 15.0);
            match (scan + 1).checked_sub(SCANS) {
                Some(aimed) => {
                    let off_deg = AIM_OFF_DEG[aimed as usize % AIM_OFF_DEG.len()];
                    self.aim(catheter, &mouth, off_deg);
                }
                None => self.turn(catheter, SCAN_DEG),
            }
        }
        Err("the tip found no mouth".to_owned())
    }
}
