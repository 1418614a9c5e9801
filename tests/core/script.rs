//! Scripts: exact parse errors, and closed loops on a plant that is not the simulation: a tip that slides along
//! centerlines and takes the branch that its hub angle points to.

use super::training::{
    AORTA, COMMON_LEFT, COMMON_RIGHT, EXTERNAL, GLUTEAL, INTERNAL, OBTURATOR, case, tools, tree,
};
use cathnav::anatomy::{VesselId, VesselPlace, VesselTree};
use cathnav::math::Vec3;
use cathnav::script::{Driver, Script, ScriptError, Step, parse};
use cathnav::sim::command::{Command, Fluid, Pedal, ToolId};
use cathnav::sim::snapshot::{RodDeviceView, RodView, Snapshot, VesselView};
use cathnav::units::TICK_S;

const WIRE: usize = 0;
const CATHETER: usize = 1;

/// One stretch of the way of a tip: vessel, from arc to arc (falling when it runs towards the heart).
type Leg = (u32, f64, f64);

#[derive(Clone, Debug, Default)]
struct Device {
    inserted_mm: f64,
    hub_deg: f64,
    feed: f64,
    spin: f64,
    loaded: bool,
    legs: Vec<Leg>,
}

/// A kinematic stand-in for the simulation.
struct Plant {
    tree: VesselTree,
    snap: Snapshot,
    devices: Vec<Device>,
    /// Hub angles (degrees) that lead into the internal iliac and the obturator are within 40 degrees of these.
    into_internal_deg: f64,
    into_obturator_deg: f64,
    syringe: Fluid,
    hand_rate: f64,
    given_ml: f64,
    beats_per_ml: f64,
    moved_without_beam_mm: f64,
    commands: Vec<Command>,
    pulse_phase: f64,
}

impl Plant {
    fn new() -> Self {
        let tree = tree();
        let view = |b: &cathnav::anatomy::Branch| VesselView {
            start_mm: 0.0,
            cell_mm: 5.0,
            iodine_mg_per_ml: vec![0.0; (b.length_mm() / 5.0) as usize],
            ..VesselView::default()
        };
        let mut snap = Snapshot {
            tools: tools(),
            vessels: tree.branches.iter().map(view).collect(),
            ..Snapshot::default()
        };
        snap.xray.arm.isocenter_mm = Vec3::new(-40.0, 0.0, -60.0);
        snap.injection.beats_to_clear = 1.0;
        Self {
            devices: vec![Device::default(); 4],
            tree,
            snap,
            into_internal_deg: 200.0,
            into_obturator_deg: 300.0,
            syringe: Fluid::Saline,
            hand_rate: 0.0,
            given_ml: 0.0,
            beats_per_ml: 2.0,
            moved_without_beam_mm: 0.0,
            commands: Vec::new(),
            pulse_phase: 0.0,
        }
    }

    fn is_near(hub_deg: f64, deg: f64) -> bool {
        let d = (hub_deg - deg).rem_euclid(360.0);
        d.min(360.0 - d) < 40.0
    }

    /// Legs of a tip with this hub angle, from the right common iliac over the bifurcation to a leaf.
    fn extend(&self, legs: &mut Vec<Leg>, hub_deg: f64) {
        let end = |v: u32| self.tree.branches[v as usize].length_mm();
        loop {
            let next = match legs.last().map(|l| l.0) {
                None => (COMMON_RIGHT, end(COMMON_RIGHT), 0.0),
                Some(COMMON_RIGHT) => (COMMON_LEFT, 0.0, end(COMMON_LEFT)),
                Some(COMMON_LEFT) if Self::is_near(hub_deg, self.into_internal_deg) => {
                    (INTERNAL, 0.0, end(INTERNAL))
                }
                Some(COMMON_LEFT) => (EXTERNAL, 0.0, end(EXTERNAL)),
                Some(INTERNAL) if Self::is_near(hub_deg, self.into_obturator_deg) => {
                    (OBTURATOR, 0.0, end(OBTURATOR))
                }
                Some(INTERNAL) => (GLUTEAL, 0.0, end(GLUTEAL)),
                Some(_) => return,
            };
            legs.push(next);
        }
    }

    fn locate(&self, legs: &[Leg], inserted_mm: f64) -> (Vec3, VesselPlace) {
        let mut left = inserted_mm.max(0.0);
        let mut last = legs[0];
        for leg in legs {
            last = *leg;
            let length = (leg.2 - leg.1).abs();
            if left <= length {
                break;
            }
            left -= length;
        }
        let arc_mm = last.1 + left.min((last.2 - last.1).abs()) * (last.2 - last.1).signum();
        let branch = &self.tree.branches[last.0 as usize];
        (branch.at(arc_mm).position_mm, VesselPlace { vessel: VesselId(last.0), arc_mm })
    }

    fn apply(&mut self, command: &Command) {
        self.commands.push(command.clone());
        match command {
            Command::Load { tool, .. } => {
                self.devices[tool.idx()] = Device { loaded: true, inserted_mm: -1.0, ..Device::default() };
            }
            Command::Unload { tool } if self.devices[tool.idx()].inserted_mm <= 0.5 => {
                self.devices[tool.idx()].loaded = false;
            }
            Command::SetFeed { tool, speed_mm_per_s } => self.devices[tool.idx()].feed = *speed_mm_per_s,
            Command::SetSpin { tool, rate_deg_per_s } => self.devices[tool.idx()].spin = *rate_deg_per_s,
            Command::SetPedal(p) => self.snap.xray.pedal = *p,
            Command::SetTable { isocenter_mm } => self.snap.xray.arm.isocenter_mm = Vec3::from(*isocenter_mm),
            Command::SetAngles { primary_deg, .. } => self.snap.xray.arm.primary_deg = *primary_deg,
            Command::Connect { tool } => self.snap.injection.connected = Some(*tool),
            Command::FillSyringe { fluid, volume_ml } => {
                self.syringe = fluid.clone();
                self.snap.injection.syringe_ml = *volume_ml;
            }
            Command::SetHandInjection(rate) => self.hand_rate = *rate,
            _ => {}
        }
    }

    fn step(&mut self) {
        self.snap.tick += 1;
        self.snap.time_s = self.snap.tick as f64 * TICK_S;
        for i in 0..self.devices.len() {
            let mut d = self.devices[i].clone();
            if !d.loaded {
                continue;
            }
            // Drawn back to the hub it comes no farther.
            d.inserted_mm = (d.inserted_mm + d.feed * TICK_S).max(-20.0);
            d.hub_deg += d.spin * TICK_S;
            let others = self.devices.iter().enumerate().filter(|(k, o)| *k != i && o.loaded);
            let around_mm = others.map(|(_, o)| o.inserted_mm).fold(f64::NEG_INFINITY, f64::max);
            if self.snap.xray.pedal == Pedal::Off && d.inserted_mm > around_mm {
                self.moved_without_beam_mm += (d.feed * TICK_S).abs();
            }
            // The way ahead of the tip is open again wherever the tip has been pulled back to.
            let mut kept = 0.0;
            let mut legs = d.legs.clone();
            legs.retain(|l| {
                let keep = kept < d.inserted_mm;
                kept += (l.2 - l.1).abs();
                keep
            });
            self.extend(&mut legs, d.hub_deg);
            d.legs = legs;
            self.devices[i] = d;
        }
        let rate = if self.snap.injection.syringe_ml > 0.0 { self.hand_rate } else { 0.0 };
        self.snap.injection.flow_ml_per_s = rate;
        self.snap.injection.syringe_ml = (self.snap.injection.syringe_ml - rate * TICK_S).max(0.0);
        let is_contrast = matches!(self.syringe, Fluid::Contrast);
        if rate > 0.0 && is_contrast {
            for (v, view) in self.snap.vessels.iter_mut().enumerate() {
                view.iodine_mg_per_ml.fill(if v as u32 == AORTA { 0.0 } else { 80.0 });
            }
        }
        if rate > 0.0 && !is_contrast {
            self.given_ml += rate * TICK_S;
            self.snap.injection.embolic_given_ml = self.given_ml;
            self.snap.injection.beats_to_clear = 1.0 + self.beats_per_ml * self.given_ml;
        }
        self.view();
    }

    fn view(&mut self) {
        let mut rod = RodView::default();
        // Outermost first: the catheter, then the wire.
        for i in [CATHETER, 3, 2, WIRE] {
            let d = &self.devices[i];
            if !d.loaded {
                continue;
            }
            let (tip_mm, place) = self.locate(&d.legs, d.inserted_mm);
            rod.devices.push(RodDeviceView {
                tool: ToolId(i as u8),
                inserted_mm: d.inserted_mm,
                hub_angle_rad: d.hub_deg.to_radians(),
                tip_mm,
                tip_place: Some(place),
                ..RodDeviceView::default()
            });
        }
        let farthest =
            self.devices.iter().filter(|d| d.loaded).max_by(|a, b| a.inserted_mm.total_cmp(&b.inserted_mm));
        if let Some(d) = farthest {
            let n = (d.inserted_mm.max(0.0) / 5.0) as usize;
            for k in 0..=n {
                let s = k as f64 * 5.0;
                rod.nodes_mm.push(self.locate(&d.legs, s).0);
                rod.arc_mm.push(s);
            }
        }
        self.snap.rods = vec![rod];
    }

    /// Runs a script to its end; the time it took, s, or why it failed.
    fn run(&mut self, driver: &mut Driver, limit_s: f64) -> Result<f64, String> {
        let began_s = self.snap.time_s;
        while self.snap.time_s - began_s < limit_s {
            self.pulse_phase += 7.5 * TICK_S;
            let frame = self.pulse_phase >= 1.0;
            self.pulse_phase -= if frame { 1.0 } else { 0.0 };
            for command in driver.next(&self.snap, frame) {
                self.apply(&command);
            }
            if let Some(why) = driver.failed() {
                return Err(why);
            }
            if driver.finished() {
                return Ok(self.snap.time_s - began_s);
            }
            self.step();
        }
        Err(format!("not finished after {limit_s} s"))
    }

    fn place(&self, tool: usize) -> u32 {
        self.locate(&self.devices[tool].legs, self.devices[tool].inserted_mm).1.vessel.0
    }
}

const MAP: &str = "
    Load(\"catheter.b\"),
    Advance(tool: \"catheter.b\", until: Inserted(60)), Table(10, 0, -70),
    Run(through: \"catheter.b\", rate_ml_per_s: 5, volume_ml: 10, after_s: 1),
    Load(\"wire.a\"),";

fn script(steps: &str) -> Script {
    parse(&format!("(format: 1, title: \"t\", case: \"t\", steps: [{steps}])"), "t.ron").unwrap()
}

fn driver(steps: &str) -> Driver {
    Driver::new(script(steps), &tree(), &case()).unwrap()
}

#[test]
fn select_finds_the_branch_by_looking_and_turning() {
    for goal_deg in [0.0, 120.0, 200.0, 310.0] {
        let mut plant = Plant { into_internal_deg: goal_deg, ..Plant::new() };
        let steps = format!("{MAP} Select(tool: \"wire.a\", into: \"internal_iliac.left\", depth_mm: 25),");
        let mut driver = driver(&steps);
        let took = plant.run(&mut driver, 300.0);
        let turned = plant.devices[WIRE].hub_deg;
        println!("branch at {goal_deg} degrees: {took:?} s, turned by {turned:.0} degrees");
        took.unwrap();
        assert_eq!(plant.place(WIRE), INTERNAL);
        assert!(Plant::is_near(turned, goal_deg));
        assert_eq!(plant.snap.xray.pedal, Pedal::Fluoro, "the last tick still moved");
        assert!(plant.moved_without_beam_mm < 2.0, "{} mm blind", plant.moved_without_beam_mm);
    }
}

#[test]
fn select_goes_on_into_the_next_branch() {
    let mut plant = Plant::new();
    let steps = format!(
        "{MAP} Select(tool: \"wire.a\", into: \"internal_iliac.left\", depth_mm: 25),
         Select(tool: \"wire.a\", into: \"obturator.left\", depth_mm: 15, pull_back_mm: 8),
         FollowOverWire(tool: \"catheter.b\", wire: \"wire.a\", stop_behind_mm: 5),
         TakeOff(tool: \"wire.a\"), Wait(1), Finish"
    );
    let mut driver = driver(&steps);
    println!("{:.1} s", plant.run(&mut driver, 600.0).unwrap());
    assert!(!plant.devices[WIRE].loaded);
    let left = plant.devices[CATHETER].inserted_mm;
    assert!(left > 200.0, "the catheter followed: {left}");
    assert_eq!(plant.snap.xray.pedal, Pedal::Off);
    assert_eq!(plant.commands.last(), Some(&Command::Finish));
}

#[test]
fn select_says_why_it_fails() {
    // No hub angle leads in: nothing is near NaN.
    let mut plant = Plant { into_internal_deg: f64::NAN, ..Plant::new() };
    let steps =
        format!("Label(\"hook\"), {MAP} Select(tool: \"wire.a\", into: \"internal_iliac.left\", tries: 3),");
    let why = plant.run(&mut driver(&steps), 300.0).unwrap_err();
    println!("{why}");
    assert!(
        why.contains("step 7 (hook)") && why.contains("internal_iliac.left") && why.contains("3 attempts")
    );

    let blind = "Load(\"wire.a\"), Select(tool: \"wire.a\", into: \"internal_iliac.left\"),";
    let why = Plant::new().run(&mut driver(blind), 60.0).unwrap_err();
    assert!(why.contains("not on the roadmap"), "{why}");

    // A turned arm makes the roadmap useless.
    let turned = format!(
        "{MAP} Arm(primary_deg: 30, secondary_deg: 0), Select(tool: \"wire.a\", into: \"internal_iliac.left\"),"
    );
    let why = Plant::new().run(&mut driver(&turned), 60.0).unwrap_err();
    assert!(why.contains("not on the roadmap"), "{why}");
    let stuck = "Load(\"wire.a\"), Advance(tool: \"wire.a\", until: Inserted(900), timeout_s: 2),";
    let mut plant = Plant::new();
    let why = plant.run(&mut driver(stuck), 60.0).unwrap_err();
    assert!(why.contains("within 2 s"), "{why}");
    assert_eq!(plant.devices[WIRE].feed, 0.0, "a failed driver lets go");
}

#[test]
fn embolization_stops_at_near_stasis_or_at_reflux() {
    let steps = "Load(\"catheter.b\"), Advance(tool: \"catheter.b\", until: Inserted(220)),
        EmbolizeUntil(through: \"catheter.b\", agent: \"particles.p\", beats_to_clear: 5, puff_ml: 0.5,
            rate_ml_per_s: 0.25, pause_s: 3, max_ml: 10),";
    let mut plant = Plant { into_internal_deg: 0.0, into_obturator_deg: 0.0, ..Plant::new() };
    let took = plant.run(&mut driver(steps), 300.0).unwrap();
    println!("{took:.1} s, {:.2} mL, {:.2} beats", plant.given_ml, plant.snap.injection.beats_to_clear);
    // 5 beats are reached at 2 mL: four puffs.
    assert!((plant.given_ml - 2.0).abs() < 0.05, "{}", plant.given_ml);

    let mut plant =
        Plant { into_internal_deg: 0.0, into_obturator_deg: 0.0, beats_per_ml: 0.0, ..Plant::new() };
    plant.run(&mut driver(steps), 300.0).unwrap();
    assert!((plant.given_ml - 10.0).abs() < 0.1, "no more than the limit: {}", plant.given_ml);

    let mut plant =
        Plant { into_internal_deg: 0.0, into_obturator_deg: 0.0, beats_per_ml: 0.0, ..Plant::new() };
    plant.snap.vessels[INTERNAL as usize].iodine_mg_per_ml.fill(50.0);
    plant.run(&mut driver(steps), 300.0).unwrap();
    assert!(plant.given_ml < 0.05, "contrast in the parent stops it: {}", plant.given_ml);
}

#[test]
fn the_eye_sees_only_with_the_beam_and_only_the_field() {
    let steps = "Load(\"wire.a\"), Advance(tool: \"wire.a\", until: Inserted(40), blind: true), Wait(1),
        Advance(tool: \"wire.a\", until: Inserted(60)), Wait(1)";
    let mut driver = driver(steps);
    let mut plant = Plant::new();
    let mut first_seen_mm = None;
    for _ in 0..3000 {
        for c in driver.next(&plant.snap, true) {
            plant.apply(&c);
        }
        let seen = driver.percept().tools.first().and_then(|t| t.seen.as_ref());
        if seen.is_some() && first_seen_mm.is_none() {
            first_seen_mm = Some(plant.devices[WIRE].inserted_mm);
        }
        plant.step();
    }
    assert!(driver.finished());
    let mm = first_seen_mm.unwrap();
    println!("first seen at {mm:.1} mm");
    assert!((39.9..41.0).contains(&mm), "blind up to 40 mm");
    assert!((plant.moved_without_beam_mm - 41.0).abs() < 1.0);
    // Out of the field: the last picture stays.
    let track = driver.percept().tools[0].seen.clone();
    plant.snap.xray.arm.isocenter_mm = Vec3::new(900.0, 0.0, 0.0);
    plant.snap.xray.pedal = Pedal::Fluoro;
    driver.next(&plant.snap, true);
    assert_eq!(driver.percept().tools[0].seen, track);
}

#[test]
fn parse_errors_have_line_and_column() {
    let fault = |text: &str| match parse(text, "s.ron") {
        Err(ScriptError::Syntax { line, column, message, .. }) => (line, column, message),
        other => panic!("{other:?}"),
    };
    let (line, column, message) =
        fault("(format: 1, title: \"t\", case: \"t\",\n  steps: [\n    Advanse(tool: \"w\"),\n])");
    println!("{line}:{column}: {message}");
    assert_eq!((line, column), (3, 5));
    assert!(message.contains("Advanse"));
    let (line, _, message) = fault(
        "(format: 1, title: \"t\", case: \"t\",\n  steps: [\n    Wait(1),\n    Rotate(tool: \"w\", by_dag: 3),\n])",
    );
    println!("{line}: {message}");
    assert!(line == 4 && message.contains("by_dag"));
    let (line, column, message) = fault("(\n  format: 2, title: \"t\", case: \"t\", steps: [])");
    assert!((line, column) == (2, 3) && message.contains('2'), "{message}");
    let text = parse("(format: 1,\n title: 3)", "s.ron").unwrap_err().to_string();
    assert!(text.starts_with("s.ron:2:") && text.contains("title: 3"), "{text}");
}

#[test]
fn unknown_names_are_all_reported_with_the_nearest() {
    let steps = "Load(\"wire.b\"), Select(tool: \"catheter.b\", into: \"internal_iliac.lefd\"),
        Advance(tool: \"wire.a\", until: Any([Behind(tool: \"no.thing\", mm: 1), HubForce(2)]))";
    let error = Driver::new(script(steps), &tree(), &case()).unwrap_err();
    println!("{error}");
    let ScriptError::Names(faults) = error else { panic!("names expected") };
    assert_eq!(faults.len(), 3);
    let steps = "Aim(tool: \"wire.a\", at: \"no.where\"), Engage(tool: \"catheter.x\", into: \"internal_iliac.left\"),
        Steer(tool: \"wire.a\", support: \"catheter.y\", into: \"no.where\"),
        Advance(tool: \"wire.a\", until: In(vessel: \"no.where\", depth_mm: 5))";
    let Err(ScriptError::Names(aimed)) = Driver::new(script(steps), &tree(), &case()) else { panic!() };
    println!("{aimed:?}");
    assert!(["no.where", "catheter.x", "catheter.y"].iter().all(|n| aimed.iter().any(|f| f.contains(n))));
    assert!(faults[0].contains("`wire.a`") && faults[1].contains("`internal_iliac.left`"));
}

#[test]
fn scripts_are_written_back_as_they_were_read() {
    let steps = format!("{MAP} EmbolizeUntil(through: \"catheter.b\", agent: \"particles.p\", beats_to_clear: 5,
        puff_ml: 0.2, rate_ml_per_s: 0.1, max_ml: 3), Do(SetPulseRate(7.5)), Give(drug: \"heparin\", dose: 3000)");
    let first = script(&steps);
    let text = ron::ser::to_string(&first).unwrap();
    assert_eq!(parse(&text, "t").unwrap(), first);
    assert!(matches!(first.steps.last(), Some(Step::Give { dose, .. }) if *dose == 3000.0));
}
