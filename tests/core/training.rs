//! Observer, errors, score, metrics, report on synthetic traces; the scripted driver on a plant of its own.

use cathnav::anatomy::{At, Branch, CenterlinePoint, LesionDescription, VesselId, VesselPlace, VesselTree};
use cathnav::device::DeviceKind;
use cathnav::math::Vec3;
use cathnav::scenario::{
    Access, AnatomyChoice, Briefing, Case, Condition, Grade, Level, Par, Patient, Room, Score, Step, Trap,
};
use cathnav::sim::command::{Pedal, ToolId};
use cathnav::sim::event::{Event, EventKind};
use cathnav::sim::snapshot::{BedView, PoolView, RodDeviceView, RodView, Snapshot, ToolInfo, VesselView};
use cathnav::training::errors::ERRORS;
use cathnav::training::{
    Assessment, METRIC_NAMES, Observer, ReportImage, ReportInput, ReportMeta, report_html, report_json,
    spectral_arc_length, telemetry_csv,
};

pub(crate) const AORTA: u32 = 0;
pub(crate) const COMMON_RIGHT: u32 = 1;
pub(crate) const COMMON_LEFT: u32 = 2;
pub(crate) const EXTERNAL: u32 = 3;
pub(crate) const INTERNAL: u32 = 4;
pub(crate) const OBTURATOR: u32 = 5;
pub(crate) const GLUTEAL: u32 = 6;

pub(crate) const WIRE: ToolId = ToolId(0);
pub(crate) const CATHETER: ToolId = ToolId(1);
pub(crate) const MICRO: ToolId = ToolId(2);

fn branch(name: &str, origin: Option<(u32, f64)>, from: [f64; 3], to: [f64; 3], radius_mm: f64) -> Branch {
    let (a, b) = (Vec3::from(from), Vec3::from(to));
    let length = (b - a).norm();
    let n = (length / 2.0).ceil() as usize;
    let tangent = (b - a) / length;
    let point = |i: usize| {
        let t = i as f64 / n as f64;
        CenterlinePoint {
            position_mm: a + (b - a) * t,
            tangent,
            normal: cathnav::math::orthogonal(&tangent),
            radius_mm,
            arc_mm: length * t,
        }
    };
    Branch {
        name: name.to_owned(),
        ta_name: String::new(),
        label: name.replace(['_', '.'], " "),
        origin: origin.map(|(v, arc_mm)| VesselPlace { vessel: VesselId(v), arc_mm }),
        distal_join: None,
        points: (0..=n).map(point).collect(),
        outlet: None,
        wall_ep_n_per_mm2: 0.1,
        wall_thickness_mm: 1.0,
    }
}

/// Aorta down to a bifurcation, left iliacs with two branches of the internal one.
pub(crate) fn tree() -> VesselTree {
    let common_left = [35.0, 10.0, -45.0];
    let length = Vec3::from(common_left).norm();
    let internal_end = [48.0, 40.0, -85.0];
    let internal = (Vec3::from(internal_end) - Vec3::from(common_left)).norm();
    VesselTree {
        branches: vec![
            branch("aorta", None, [0.0, 0.0, 100.0], [0.0, 0.0, 0.0], 8.0),
            branch("common_iliac.right", Some((AORTA, 100.0)), [0.0, 0.0, 0.0], [-60.0, 0.0, -90.0], 5.0),
            branch("common_iliac.left", Some((AORTA, 100.0)), [0.0, 0.0, 0.0], common_left, 5.0),
            branch(
                "external_iliac.left",
                Some((COMMON_LEFT, length)),
                common_left,
                [90.0, -20.0, -130.0],
                4.0,
            ),
            branch("internal_iliac.left", Some((COMMON_LEFT, length)), common_left, internal_end, 3.5),
            branch("obturator.left", Some((INTERNAL, internal)), internal_end, [75.0, 30.0, -110.0], 1.5),
            branch("gluteal.left", Some((INTERNAL, internal)), internal_end, [40.0, 70.0, -120.0], 2.0),
        ],
    }
}

fn tip(of: &str, within: &str) -> Condition {
    Condition::Tip { of: of.to_owned(), within: within.to_owned() }
}

fn step(id: &str, points: f64, after: &[&str], done: Condition) -> Step {
    Step {
        id: id.to_owned(),
        title: format!("title of {id}"),
        say: String::new(),
        points,
        after: after.iter().map(|s| (*s).to_owned()).collect(),
        done,
        hint: Vec::new(),
        common_error: String::new(),
        optional: false,
    }
}

pub(crate) fn case() -> Case {
    let names = ["wire.a", "catheter.b", "microcatheter.c", "catheter.d", "particles.p"];
    Case {
        format: 1,
        id: "t".to_owned(),
        title: "Bleeding <test>".to_owned(),
        authors: Vec::new(),
        licence: String::new(),
        level: Level::Foundation,
        minutes: 30.0,
        tags: Vec::new(),
        briefing: Briefing {
            story: String::new(),
            task: String::new(),
            why: String::new(),
            why_source: String::new(),
        },
        patient: Patient::default(),
        anatomy: AnatomyChoice {
            model: "pelvis".to_owned(),
            lesions: vec![LesionDescription::Bleeding {
                name: "bleed".to_owned(),
                vessel: "obturator.left".to_owned(),
                at: At::Mm(20.0),
                flow_ml_per_min: 60.0,
                share_of_time: 1.0,
                period_s: 300.0,
            }],
            seed: None,
            vary: Vec::new(),
        },
        access: Access { site: "femoral.right".to_owned(), sheath: "sheath.s".to_owned() },
        second_access: None,
        tray: names.iter().map(|s| (*s).to_owned()).collect(),
        room: Room::default(),
        steps: vec![
            step("cross", 10.0, &[], tip("catheter", "common_iliac.left")),
            step("select", 20.0, &["cross"], tip("microcatheter.c", "obturator.left")),
            step(
                "stop",
                40.0,
                &["select"],
                Condition::BleedBelow { bleed: "bleed".to_owned(), flow_ml_per_min: 5.0 },
            ),
        ],
        traps: vec![Trap {
            id: "gluteal_embolic".to_owned(),
            when: Condition::ParticlesIn { vessel: "gluteal.left".to_owned(), over_pct: 10.0 },
            grade: Grade::Blunder,
            say: "particles in the gluteal bed".to_owned(),
            instead: "inject from the branch".to_owned(),
            fails: true,
        }],
        events: Vec::new(),
        score: Score {
            pass: 60.0,
            slip: 2.0,
            mistake: 5.0,
            blunder: 15.0,
            fails: Vec::new(),
            par: vec![Par {
                metric: "contrast_ml".to_owned(),
                points: 9.0,
                gold: 20.0,
                silver: 40.0,
                bronze: 60.0,
            }],
        },
        debrief: Vec::new(),
    }
}

pub(crate) fn tools() -> Vec<ToolInfo> {
    let kinds = [DeviceKind::Wire, DeviceKind::Catheter, DeviceKind::Microcatheter, DeviceKind::Catheter];
    let info = |(id, kind): (&String, DeviceKind)| ToolInfo {
        id: id.clone(),
        label: format!("label of {id}"),
        kind,
        ..ToolInfo::default()
    };
    case().tray.iter().zip(kinds).map(info).collect()
}

pub(crate) fn place(vessel: u32, arc_mm: f64) -> VesselPlace {
    VesselPlace { vessel: VesselId(vessel), arc_mm }
}

/// A trace being written: the present snapshot, handed to an observer tick by tick.
pub(crate) struct Trace {
    pub(crate) snap: Snapshot,
    pub(crate) observer: Observer,
    tree: VesselTree,
    log: Vec<(Snapshot, Vec<Event>)>,
}

impl Trace {
    pub(crate) fn new() -> Self {
        let tree = tree();
        let view = |b: &Branch| VesselView {
            start_mm: 0.0,
            cell_mm: 5.0,
            iodine_mg_per_ml: vec![0.0; (b.length_mm() / 5.0) as usize],
            flow_ml_per_s: vec![2.0; (b.length_mm() / 5.0) as usize],
            pressure_mmhg: 90.0,
        };
        let bed = |name: &str, vessel: u32| BedView {
            name: name.to_owned(),
            vessels: vec![vessel],
            ..BedView::default()
        };
        let mut snap = Snapshot {
            tools: tools(),
            vessels: tree.branches.iter().map(view).collect(),
            beds: vec![bed("obturator bed", OBTURATOR), bed("gluteal bed", GLUTEAL)],
            pools: vec![PoolView { id: "bleed".to_owned(), leak_ml_per_s: 1.0, ..PoolView::default() }],
            ..Snapshot::default()
        };
        snap.rods = vec![RodView { nodes_mm: vec![Vec3::new(-60.0, 0.0, -90.0)], ..RodView::default() }];
        snap.patient.heart_rate_bpm = 60.0;
        snap.injection.beats_to_clear = 1.0;
        snap.xray.arm.blades = [0.8; 4];
        snap.xray.pulse_rate_per_s = 7.5;
        Self { snap, observer: Observer::new(&case(), &tree, &tools()), tree, log: Vec::new() }
    }

    /// One tick with these events.
    pub(crate) fn tick(&mut self, events: Vec<EventKind>) {
        self.snap.tick += 1;
        self.snap.time_s = self.snap.tick as f64 / 60.0;
        let tick = self.snap.tick;
        let events: Vec<Event> = events.into_iter().map(|kind| Event { tick, kind }).collect();
        self.observer.observe(&self.snap, &events);
        self.log.push((self.snap.clone(), events));
    }

    pub(crate) fn wait(&mut self, s: f64) {
        for _ in 0..(60.0 * s) as usize {
            self.tick(Vec::new());
        }
    }

    /// Puts a device into the rod (outermost first by order of calls).
    pub(crate) fn put(&mut self, tool: ToolId, inserted_mm: f64, vessel: u32, arc_mm: f64) {
        let tip_mm = self.tree.branches[vessel as usize].at(arc_mm).position_mm;
        let device = RodDeviceView {
            tool,
            inserted_mm,
            tip_mm,
            tip_place: Some(place(vessel, arc_mm)),
            ..Default::default()
        };
        let list = &mut self.snap.rods[0].devices;
        match list.iter_mut().find(|d| d.tool == tool) {
            Some(d) => *d = device,
            None => list.push(device),
        }
    }

    pub(crate) fn device(&mut self, tool: ToolId) -> &mut RodDeviceView {
        self.snap.rods[0].devices.iter_mut().find(|d| d.tool == tool).unwrap()
    }

    pub(crate) fn take(&mut self, tool: ToolId) {
        self.snap.rods[0].devices.retain(|d| d.tool != tool);
    }

    /// Moves a tip by `mm` at 10 mm/s without leaving its place on the tree.
    fn feed(&mut self, tool: ToolId, mm: f64) {
        let n = (6.0 * mm.abs()).round() as usize;
        for _ in 0..n {
            self.device(tool).inserted_mm += mm / n as f64;
            self.tick(Vec::new());
        }
    }

    pub(crate) fn beam(&mut self, on: bool) {
        self.snap.xray.pedal = if on { Pedal::Fluoro } else { Pedal::Off };
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.observer.errors().iter().map(|e| e.name.clone()).collect()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.observer.errors().iter().filter(|e| e.name == name).count()
    }

    pub(crate) fn assessment(&self) -> Assessment {
        self.observer.assessment()
    }
}

/// A procedure without a fault: each later test spoils one thing of it.
pub(crate) fn clean() -> Trace {
    let mut t = Trace::new();
    t.wait(1.0);
    t.beam(true);
    t.put(CATHETER, 60.0, AORTA, 80.0);
    t.put(WIRE, 120.0, COMMON_LEFT, 30.0);
    t.tick(vec![EventKind::Loaded(WIRE), EventKind::Loaded(CATHETER)]);
    t.feed(WIRE, 40.0);
    t.put(CATHETER, 110.0, COMMON_LEFT, 20.0);
    t.tick(Vec::new());
    t.feed(CATHETER, 20.0);
    t.put(MICRO, 200.0, OBTURATOR, 5.0);
    t.tick(vec![EventKind::Loaded(MICRO)]);
    t.beam(false);
    t.wait(1.0);
    t
}

pub(crate) fn embolic_start(tool: ToolId) -> EventKind {
    EventKind::InjectionStarted { tool, fluid: "particles.p".to_owned(), by_injector: false }
}

fn contrast_start(tool: ToolId) -> EventKind {
    EventKind::InjectionStarted { tool, fluid: "contrast".to_owned(), by_injector: false }
}

#[test]
fn a_clean_trace_has_no_error() {
    let mut t = clean();
    t.beam(true);
    t.tick(vec![contrast_start(MICRO)]);
    t.tick(vec![embolic_start(MICRO)]);
    t.snap.injection.syringe = "particles.p".to_owned();
    t.snap.injection.flow_ml_per_s = 0.1;
    t.wait(3.0);
    t.snap.injection.flow_ml_per_s = 0.0;
    t.snap.beds[0].lodged = vec![("particles.p".to_owned(), 5000.0)];
    t.snap.beds[1].lodged = vec![("particles.p".to_owned(), 20.0)];
    t.wait(3.0);
    assert_eq!(t.names(), Vec::<String>::new());
}

/// Spoils a clean trace and expects one error of this name, and no other.
fn expect(name: &str, spoil: impl FnOnce(&mut Trace)) {
    let mut t = clean();
    spoil(&mut t);
    println!("{name}: {:?}", t.observer.errors().iter().map(|e| &e.cause).collect::<Vec<_>>());
    assert_eq!(t.names(), vec![name.to_owned()]);
    let e = &t.observer.errors()[0];
    let spec = ERRORS.iter().find(|s| s.name == name).unwrap();
    assert!(
        e.tick > 0
            && e.time_s > 0.0
            && !e.cause.is_empty()
            && e.instead == spec.instead
            && e.grade == spec.grade
    );
}

#[test]
fn each_handling_error_fires_once() {
    expect("catheter_without_wire", |t| {
        t.beam(true);
        t.take(WIRE);
        t.feed(CATHETER, 15.0);
        t.feed(CATHETER, -15.0);
        assert_eq!(t.count("catheter_without_wire"), 0, "to and fro is not pushing on");
        t.feed(CATHETER, 60.0);
    });
    expect("moved_without_beam", |t| {
        t.put(MICRO, 20.0, AORTA, 90.0);
        t.tick(Vec::new());
        t.feed(MICRO, 80.0);
        assert_eq!(t.count("moved_without_beam"), 0, "inside the catheter nothing is to be seen");
        t.beam(true);
        t.put(WIRE, 240.0, EXTERNAL, 40.0);
        t.tick(Vec::new());
        t.beam(false);
        t.feed(WIRE, 25.0);
        assert_eq!(t.count("moved_without_beam"), 0);
        t.feed(WIRE, 25.0);
    });
    expect("tip_out_of_field", |t| {
        // The tip that leads is seen: the one that follows it need not be.
        t.put(WIRE, 300.0, EXTERNAL, 100.0);
        t.put(CATHETER, 200.0, EXTERNAL, 20.0);
        t.device(WIRE).tip_mm = Vec3::zeros();
        t.device(CATHETER).tip_mm = Vec3::new(300.0, 0.0, 0.0);
        t.beam(true);
        t.feed(CATHETER, 60.0);
        assert_eq!(t.count("tip_out_of_field"), 0);
        t.put(WIRE, 300.0, EXTERNAL, 100.0);
        t.device(WIRE).tip_mm = Vec3::new(300.0, 0.0, 0.0);
        t.beam(true);
        t.feed(WIRE, 60.0);
    });
    expect("tip_force_high", |t| {
        t.device(MICRO).tip_force_n = 0.5;
        t.wait(3.0);
    });
    expect("tip_force_dangerous", |t| {
        t.device(MICRO).tip_force_n = 2.0;
        t.wait(0.5);
        t.device(MICRO).tip_force_n = 0.0;
        t.wait(1.0);
    });
    expect("hub_force_high", |t| {
        t.device(CATHETER).hub_force_n = -9.0;
        t.wait(2.0);
    });
    expect("wire_position_lost", |t| {
        t.beam(true);
        t.take(MICRO);
        t.tick(vec![EventKind::Unloaded(MICRO)]);
        for _ in 0..60 {
            t.device(CATHETER).inserted_mm -= 2.0;
            t.device(WIRE).inserted_mm -= 1.5;
            t.tick(Vec::new());
        }
        t.take(CATHETER);
        t.tick(vec![EventKind::Unloaded(CATHETER)]);
    });
}

#[test]
fn an_exchange_that_keeps_the_wire_is_no_error() {
    let mut t = clean();
    t.beam(true);
    t.take(MICRO);
    for _ in 0..60 {
        t.device(CATHETER).inserted_mm -= 2.0;
        t.device(WIRE).inserted_mm -= 0.3;
        t.tick(Vec::new());
    }
    t.take(CATHETER);
    t.tick(vec![EventKind::Unloaded(CATHETER)]);
    assert_eq!(t.names(), Vec::<String>::new());
}

#[test]
fn each_vessel_error_fires_once() {
    expect("perforation", |t| t.tick(vec![EventKind::Perforation(place(OBTURATOR, 10.0))]));
    expect("dissection", |t| t.tick(vec![EventKind::Dissection(place(OBTURATOR, 10.0))]));
    expect("spasm", |t| {
        t.tick(vec![EventKind::Spasm(place(OBTURATOR, 10.0))]);
        t.tick(vec![EventKind::Spasm(place(OBTURATOR, 11.0))]);
    });
    expect("wrong_vessel", |t| {
        t.take(MICRO);
        t.put(WIRE, 160.0, EXTERNAL, 60.0);
        t.wait(2.0);
        assert_eq!(t.count("wrong_vessel"), 0, "the trunk beside the way is where a wire is anchored");
        t.take(WIRE);
        t.put(MICRO, 200.0, GLUTEAL, 5.0);
        t.wait(1.0);
        assert_eq!(t.count("wrong_vessel"), 0, "5 mm deep is not entered");
        t.put(MICRO, 220.0, GLUTEAL, 25.0);
        t.wait(5.0);
    });
    let mut t = clean();
    t.put(MICRO, 220.0, GLUTEAL, 25.0);
    t.wait(2.5);
    t.put(MICRO, 200.0, GLUTEAL, 5.0);
    t.wait(5.0);
    assert_eq!(t.count("wrong_vessel"), 0, "drawn back at once");
    let mut t = clean();
    t.put(MICRO, 220.0, GLUTEAL, 25.0);
    t.wait(90.0);
    assert_eq!(t.names(), vec!["wrong_vessel", "wrong_vessel_long"]);
    let a = t.assessment();
    let seconds = a.metric("wrong_vessel_s").unwrap();
    println!("wrong vessel {seconds} s");
    assert!((seconds - 90.0).abs() < 0.02);
    t.put(MICRO, 200.0, OBTURATOR, 5.0);
    t.wait(2.0);
    t.put(MICRO, 220.0, GLUTEAL, 25.0);
    t.wait(4.0);
    assert_eq!(t.count("wrong_vessel"), 2, "a second entry counts again");
    assert_eq!(t.assessment().metric("wrong_vessel_entries"), Some(2.0));
}

#[test]
fn each_injection_error_fires_once() {
    expect("wedged_injection", |t| {
        t.snap.injection.flow_ml_per_s = 1.0;
        for _ in 0..30 {
            t.tick(vec![EventKind::WedgedInjection(MICRO)]);
        }
        t.snap.injection.flow_ml_per_s = 0.0;
        t.wait(1.0);
    });
    expect("pressure_limited", |t| {
        for _ in 0..30 {
            t.tick(vec![EventKind::PressureLimited(CATHETER)]);
        }
    });
    expect("air_injected", |t| t.tick(vec![EventKind::AirInjected { tool: MICRO, volume_ml: 0.2 }]));
    expect("embolic_reflux", |t| {
        for _ in 0..30 {
            t.tick(vec![EventKind::Reflux { into: place(INTERNAL, 40.0), embolic: true }]);
        }
        t.tick(vec![EventKind::Reflux { into: place(COMMON_LEFT, 40.0), embolic: false }]);
    });
    expect("embolic_without_test", |t| {
        t.tick(vec![embolic_start(MICRO)]);
        t.tick(vec![embolic_start(MICRO)]);
    });
    expect("embolic_off_target", |t| {
        t.put(MICRO, 170.0, INTERNAL, 30.0);
        t.tick(vec![contrast_start(MICRO)]);
        t.tick(vec![embolic_start(MICRO)]);
    });
    let embolize = |t: &mut Trace, beats: f64| {
        t.tick(vec![contrast_start(MICRO)]);
        t.tick(vec![embolic_start(MICRO)]);
        t.snap.injection.syringe = "particles.p".to_owned();
        t.snap.injection.flow_ml_per_s = 0.1;
        t.snap.injection.beats_to_clear = beats;
        t.wait(3.0);
    };
    expect("embolic_blind", |t| embolize(t, 3.0));
    expect("embolic_after_stasis", |t| {
        t.beam(true);
        embolize(t, 12.0);
    });
}

#[test]
fn non_target_embolization_names_the_territory_and_springs_the_trap() {
    let mut t = clean();
    t.snap.beds[0].lodged = vec![("particles.p".to_owned(), 900.0)];
    t.snap.beds[1].lodged = vec![("particles.p".to_owned(), 100.5)];
    t.wait(1.0);
    assert_eq!(t.names(), vec!["gluteal_embolic", "nontarget_embolization"]);
    let a = t.assessment();
    assert!(a.errors[1].cause.contains("gluteal bed"), "{}", a.errors[1].cause);
    assert!(!a.score.passed && a.score.reasons.iter().any(|r| r.contains("gluteal_embolic")));
    assert!((a.metric("embolic_target_pct").unwrap() - 100.0 * 900.0 / 1000.5).abs() < 1e-12);
    assert_eq!(a.embolic.iter().map(|b| b.target).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn each_radiation_error_fires_once() {
    expect("beam_idle", |t| {
        t.wait(10.0);
        t.beam(true);
        t.wait(20.0);
    });
    // Motion keeps the beam from being idle.
    let mut t = clean();
    t.beam(true);
    t.put(WIRE, 300.0, EXTERNAL, 40.0);
    for _ in 0..20 {
        t.feed(WIRE, 5.0);
        t.feed(WIRE, -5.0);
    }
    assert_eq!(t.names(), Vec::<String>::new());
    let screen = |t: &mut Trace, s: f64| {
        t.beam(true);
        t.put(WIRE, 300.0, EXTERNAL, 40.0);
        for _ in 0..(s as usize) {
            t.feed(WIRE, 5.0);
            t.feed(WIRE, -5.0);
        }
    };
    expect("open_blades", |t| {
        t.snap.xray.arm.blades = [1.0; 4];
        screen(t, 130.0);
    });
    expect("steep_oblique", |t| {
        t.snap.xray.arm.primary_deg = 50.0;
        screen(t, 50.0);
    });
    expect("zoom_held", |t| {
        t.snap.xray.arm.field_mm = 160.0;
        t.snap.xray.arm.isocenter_mm = Vec3::new(60.0, 0.0, -80.0);
        screen(t, 130.0);
    });
    expect("fast_pulses", |t| {
        t.snap.xray.pulse_rate_per_s = 30.0;
        screen(t, 50.0);
    });
    expect("dose_alert_unheeded", |t| {
        t.snap.xray.air_kerma_mgy = 2100.0;
        t.wait(1.0);
        assert_eq!(t.names(), Vec::<String>::new());
        t.snap.xray.air_kerma_mgy = 2500.0;
        t.wait(1.0);
    });
    expect("contrast_limit", |t| {
        t.snap.injection.contrast_given_ml = 151.0;
        t.wait(1.0);
    });
}

#[test]
fn every_entry_of_the_error_table_has_a_test() {
    let here = concat!(
        include_str!("training.rs"),
        include_str!("training_dilation.rs"),
        include_str!("training_implants.rs")
    );
    for spec in ERRORS {
        let quoted = format!("\"{}\"", spec.name);
        assert!(here.contains(&quoted), "{}", spec.name);
        assert!(!spec.title.is_empty() && spec.instead.len() > 20);
    }
    let mut names: Vec<&str> = ERRORS.iter().map(|e| e.name).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() == ERRORS.len() && names.len() >= 10);
}

#[test]
fn predicates_hold_when_they_should() {
    let mut case = case();
    let text = |s: &str| s.to_owned();
    case.steps = vec![
        step("run", 1.0, &[], Condition::Run { at: text("internal_iliac.left"), min_ml: 5.0 }),
        step("stasis", 1.0, &[], Condition::Stasis { vessel: text("obturator.left"), beats_to_clear: 5.0 }),
        step(
            "final",
            1.0,
            &[],
            Condition::FinalRun { at: text("internal_iliac.left"), min_ml: 2.0, after: text("stasis") },
        ),
        step(
            "dwell",
            1.0,
            &[],
            Condition::TipDwell { of: text("wire"), within: text("internal_iliac.left"), over_s: 2.0 },
        ),
        step("force", 1.0, &[], Condition::TipForce { over_n: 0.2, for_s: 0.5 }),
        step("late", 1.0, &[], Condition::After { s: 5.0 }),
        step(
            "both",
            1.0,
            &[],
            Condition::All(vec![Condition::StepDone(text("late")), Condition::After { s: 6.0 }]),
        ),
        step(
            "any",
            1.0,
            &[],
            Condition::Any(vec![Condition::StepDone(text("none")), Condition::After { s: 0.1 }]),
        ),
        step("unknown", 1.0, &[], tip("wire", "no.such")),
    ];
    let mut t = Trace::new();
    t.observer = Observer::new(&case, &t.tree, &tools());
    let done = |t: &Trace| -> Vec<String> {
        t.assessment().steps.iter().filter(|s| s.done_s.is_some()).map(|s| s.id.clone()).collect()
    };
    let run = |t: &mut Trace, n: u32, ml: f64, at: VesselPlace| {
        t.tick(vec![EventKind::RunStarted(n)]);
        t.wait(0.2);
        t.tick(vec![EventKind::RunEnded { run: n, contrast_ml: ml, at: Some(at) }]);
    };
    let common = t.tree.branches[COMMON_LEFT as usize].length_mm();
    run(&mut t, 1, 4.0, place(INTERNAL, 10.0));
    run(&mut t, 2, 6.0, place(COMMON_LEFT, common - 31.0));
    run(&mut t, 3, 6.0, place(GLUTEAL, 5.0));
    assert_eq!(done(&t), ["any"], "too little, too far upstream, beyond it");
    run(&mut t, 4, 6.0, place(COMMON_LEFT, common - 29.0));
    assert_eq!(done(&t), ["run", "any"]);

    // 38.7 mm of 1.5 mm radius hold 0.247 mL in 7 cells; at 60 beats a minute the flow for 5 beats follows.
    t.wait(2.0);
    assert!(!done(&t).contains(&text("stasis")));
    let cells = t.snap.vessels[OBTURATOR as usize].flow_ml_per_s.len();
    let volume_ml = std::f64::consts::PI * 1.5 * 1.5 * 5.0 * cells as f64 / 1000.0;
    let set = |t: &mut Trace, q: f64| t.snap.vessels[OBTURATOR as usize].flow_ml_per_s.fill(q as f32);
    set(&mut t, volume_ml / 4.9);
    t.wait(20.0);
    assert!(!done(&t).contains(&text("stasis")), "4.9 beats are not 5");
    t.tick(vec![EventKind::RunStarted(5)]);
    set(&mut t, volume_ml / 5.1);
    t.wait(20.0);
    assert!(done(&t).contains(&text("stasis")));
    t.tick(vec![EventKind::RunEnded { run: 5, contrast_ml: 9.0, at: Some(place(INTERNAL, 10.0)) }]);
    assert!(!done(&t).contains(&text("final")), "that run began before stasis");
    run(&mut t, 6, 2.5, place(INTERNAL, 10.0));
    assert!(done(&t).contains(&text("final")));

    t.put(WIRE, 200.0, OBTURATOR, 5.0);
    t.wait(1.9);
    assert!(!done(&t).contains(&text("dwell")));
    t.wait(0.3);
    assert!(done(&t).contains(&text("dwell")), "beyond counts as within");
    t.device(WIRE).tip_force_n = 0.3;
    t.wait(0.4);
    t.device(WIRE).tip_force_n = 0.1;
    t.wait(0.1);
    assert!(!done(&t).contains(&text("force")));
    t.device(WIRE).tip_force_n = 0.3;
    t.wait(0.7);
    assert!(done(&t).contains(&text("force")));
    assert_eq!(done(&t), ["run", "stasis", "final", "dwell", "force", "late", "both", "any"]);
    let a = t.assessment();
    let late = a.steps.iter().find(|s| s.id == "late").unwrap().done_s.unwrap();
    assert!((late - 5.0).abs() < 1e-9, "{late}");
}

/// A trace of a case whose steps are these conditions, each named by its index.
fn watching(conditions: Vec<Condition>) -> Trace {
    let mut case = case();
    let steps = conditions.into_iter().enumerate();
    case.steps = steps.map(|(i, c)| step(&i.to_string(), 1.0, &[], c)).collect();
    let mut t = Trace::new();
    t.observer = Observer::new(&case, &t.tree, &tools());
    t
}

fn steps_done(t: &Trace) -> Vec<String> {
    t.assessment().steps.iter().filter(|s| s.done_s.is_some()).map(|s| s.id.clone()).collect()
}

#[test]
fn a_tip_in_a_vessel_itself_and_deep_in_it() {
    let text = |s: &str| s.to_owned();
    let deep =
        |mm: f64| Condition::TipDeep { of: text("wire"), within: text("internal_iliac.left"), over_mm: mm };
    let mut t = watching(vec![
        Condition::TipIn { of: text("wire"), vessel: text("common_iliac.left") },
        deep(10.0),
        deep(500.0),
        Condition::TipIn { of: text("wire"), vessel: text("no.such") },
    ]);
    t.snap.vessels[INTERNAL as usize].start_mm = 4.0;
    t.put(WIRE, 150.0, INTERNAL, 13.9);
    t.wait(0.1);
    assert_eq!(steps_done(&t), Vec::<String>::new(), "beyond it, and 9.9 mm behind the wall");
    t.put(WIRE, 150.0, INTERNAL, 14.1);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["1"]);
    t.put(WIRE, 160.0, OBTURATOR, 1.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["1", "2"], "beyond the vessel is deep enough");
    t.put(WIRE, 120.0, COMMON_LEFT, 20.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0", "1", "2"]);
}

#[test]
fn a_tip_that_moves_between_two_steps() {
    let text = |s: &str| s.to_owned();
    let moved =
        |over_mm: f64| Condition::TipMoved { of: text("wire"), over_mm, after: text("0"), until: text("1") };
    let start = || {
        let reached = Condition::TipIn { of: text("wire"), vessel: text("external_iliac.left") };
        let followed = Condition::TipIn { of: text("catheter"), vessel: text("external_iliac.left") };
        watching(vec![reached, followed, moved(15.0), moved(40.0)])
    };
    let mut t = start();
    t.put(WIRE, 100.0, COMMON_LEFT, 10.0);
    t.wait(0.1);
    t.put(WIRE, 200.0, EXTERNAL, 50.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0"], "it moved far, but before the step");
    t.put(WIRE, 195.0, EXTERNAL, 36.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0"], "14 mm are not 15");
    t.put(WIRE, 190.0, EXTERNAL, 34.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0", "2"]);
    t.put(CATHETER, 180.0, EXTERNAL, 30.0);
    t.wait(0.1);
    t.put(WIRE, 100.0, COMMON_LEFT, 10.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0", "1", "2"], "after the second step it may go");
    let mut t = start();
    t.put(WIRE, 200.0, EXTERNAL, 50.0);
    t.wait(0.1);
    t.take(WIRE);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0", "2", "3"], "taken off is moved");
}

#[test]
fn a_loop_is_what_is_in_beyond_the_way() {
    let of = "catheter".to_owned();
    let mut t = watching(vec![Condition::Loop { of, over_mm: 60.0 }]);
    // From the end of the right common iliac up, over the bifurcation, down the left one.
    let way_mm = t.tree.branches[COMMON_RIGHT as usize].length_mm() + 30.0;
    t.put(CATHETER, way_mm + 59.0, COMMON_LEFT, 30.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), Vec::<String>::new(), "59 mm are not 60");
    t.put(CATHETER, way_mm + 61.0, COMMON_LEFT, 30.0);
    t.wait(0.1);
    assert_eq!(steps_done(&t), ["0"]);
}

#[test]
fn the_way_to_a_tip_that_a_step_wants_is_no_wrong_vessel() {
    let text = |s: &str| s.to_owned();
    let wants = |vessel: &str| Condition::TipIn { of: text("wire"), vessel: text(vessel) };
    let errors = |conditions: Vec<Condition>| {
        let mut t = watching(conditions);
        t.put(WIRE, 200.0, GLUTEAL, 30.0);
        t.wait(4.0);
        t.assessment().errors.iter().map(|e| e.name.clone()).collect::<Vec<_>>()
    };
    let goal = || tip("wire", "obturator.left");
    assert!(errors(vec![goal()]).contains(&text("wrong_vessel")));
    assert!(!errors(vec![wants("gluteal.left"), goal()]).contains(&text("wrong_vessel")));
}

#[test]
fn bleeding_must_have_been_and_must_stay_low() {
    let mut t = clean();
    let is_done = |t: &Trace| t.assessment().steps[2].done_s.is_some();
    t.snap.pools[0].leak_ml_per_s = 4.0 / 60.0;
    t.wait(2.5);
    t.snap.pools[0].leak_ml_per_s = 6.0 / 60.0;
    t.wait(0.1);
    t.snap.pools[0].leak_ml_per_s = 4.0 / 60.0;
    t.wait(2.5);
    assert!(!is_done(&t));
    t.wait(1.0);
    assert!(is_done(&t));
}

#[test]
fn a_pause_of_the_bleeding_is_no_success() {
    let mut t = clean();
    let is_done = |t: &Trace| t.assessment().steps[2].done_s.is_some();
    t.snap.pools[0].pause_s = 20.0;
    t.wait(1.0);
    t.snap.pools[0].leak_ml_per_s = 0.0;
    t.wait(20.0);
    t.snap.pools[0].leak_ml_per_s = 6.0 / 60.0;
    t.wait(0.1);
    t.snap.pools[0].leak_ml_per_s = 0.0;
    t.wait(22.5);
    assert!(!is_done(&t));
    t.wait(1.0);
    assert!(is_done(&t));
}

#[test]
fn score_adds_up_by_hand() {
    let mut t = clean();
    t.snap.injection.contrast_given_ml = 33.0;
    t.tick(vec![EventKind::Spasm(place(OBTURATOR, 10.0))]);
    t.tick(vec![EventKind::WedgedInjection(MICRO)]);
    let open = t.assessment();
    // cross and select are done (10 + 20), par does not count yet, one slip, one mistake.
    assert!((open.score.total - (30.0 - 2.0 - 5.0)).abs() < 1e-12, "{}", open.score.total);
    t.snap.pools[0].leak_ml_per_s = 0.0;
    t.wait(4.0);
    t.tick(vec![EventKind::Finished]);
    let a = t.assessment();
    // All 70 step points, 9 x 2/3 for silver, minus 7.
    println!("score {} = 70 + 6 - 7", a.score.total);
    assert!((a.score.total - 69.0).abs() < 1e-12 && a.score.passed && a.finished);
    assert!((a.score.maximum - 79.0).abs() < 1e-12);
    let lines = a.score.steps.iter().chain(&a.score.par).chain(&a.score.errors);
    assert!((lines.map(|l| l.points).sum::<f64>() - a.score.total).abs() < 1e-12);
    let before = a.clone();
    t.wait(5.0);
    assert_eq!(before, t.assessment(), "after the end nothing counts");
}

#[test]
fn metrics_are_right_and_named_once() {
    let mut names = METRIC_NAMES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRIC_NAMES.len());
    let mut t = Trace::new();
    t.beam(true);
    t.put(WIRE, 20.0, AORTA, 50.0);
    t.tick(vec![EventKind::Loaded(WIRE)]);
    // 60 mm along x in steps of 1 mm.
    for i in 0..60 {
        let d = t.device(WIRE);
        d.tip_mm = Vec3::new(f64::from(i) + 1.0, 0.0, 50.0);
        d.inserted_mm += 1.0;
        d.hub_force_n = 0.5;
        d.tip_force_n = 0.1;
        t.tick(Vec::new());
    }
    t.snap.injection.contrast_given_ml = 10.0;
    t.snap.xray.fluoro_time_s = 90.0;
    t.tick(Vec::new());
    let a = t.assessment();
    let get = |name: &str| a.metric(name).unwrap();
    // The first step starts from the place on the tree, (0, 0, 50).
    println!("path {}", get("wire_path_length_mm"));
    assert!((get("wire_path_length_mm") - 60.0).abs() < 1e-9);
    assert!((get("iodine_g") - 3.0).abs() < 1e-12 && (get("fluoro_time_min") - 1.5).abs() < 1e-12);
    assert!((get("mean_hub_force_n") - 0.5).abs() < 1e-12 && (get("peak_tip_force_n") - 0.1).abs() < 1e-12);
    assert_eq!(a.metric("time_to_target_s"), None);
    assert_eq!((get("devices_used"), get("exchanges")), (1.0, 0.0));
    t.put(CATHETER, 10.0, AORTA, 90.0);
    t.tick(vec![EventKind::Loaded(CATHETER)]);
    t.take(CATHETER);
    t.tick(vec![EventKind::Unloaded(CATHETER)]);
    t.put(ToolId(3), 10.0, OBTURATOR, 5.0);
    t.tick(vec![EventKind::Loaded(ToolId(3))]);
    let a = t.assessment();
    assert_eq!(a.metric("exchanges"), Some(1.0));
    assert_eq!(a.metric("devices_used"), Some(3.0));
    assert_eq!(a.metric("time_to_target_s"), None, "a tip inside the wire's reach is compared by itself");
}

#[test]
fn seeing_the_same_again_gives_the_same_bits() {
    let mut t = clean();
    t.put(MICRO, 220.0, GLUTEAL, 25.0);
    t.wait(3.0);
    t.feed(MICRO, -20.0);
    let mut again = Observer::new(&case(), &t.tree, &tools());
    for (snap, events) in &t.log {
        again.observe(snap, events);
    }
    let bytes = |a: &Assessment| postcard::to_stdvec(a).unwrap();
    assert_eq!(bytes(&t.assessment()), bytes(&again.assessment()));
    let json = report_json(&t.assessment(), &ReportMeta::default()).unwrap();
    let back: serde_json::Value = serde_json::from_str(&json).unwrap();
    let read: Assessment = serde_json::from_value(back["assessment"].clone()).unwrap();
    assert_eq!(read.errors.len(), t.assessment().errors.len());
    assert_eq!(t.observer.telemetry(), again.telemetry());
}

/// Spectral arc length of a minimum-jerk stroke from its transform by quadrature, on a fine grid of frequencies.
fn minimum_jerk_by_quadrature(duration_s: f64) -> f64 {
    let speed = |x: f64| 30.0 * x * x * (1.0 - x) * (1.0 - x);
    let magnitude = |f: f64| {
        let n = 2000;
        let (mut re, mut im) = (0.0, 0.0);
        for i in 0..n {
            let x = (f64::from(i) + 0.5) / f64::from(n);
            let angle = std::f64::consts::TAU * f * duration_s * x;
            re += speed(x) * angle.cos() / f64::from(n);
            im += speed(x) * angle.sin() / f64::from(n);
        }
        re.hypot(im)
    };
    let df = 2e-3 / duration_s;
    let spectrum: Vec<f64> =
        (0..=(10.0 / df) as usize).map(|k| magnitude(k as f64 * df)).take(3000).collect();
    let last = spectrum.iter().rposition(|v| *v >= 0.05).unwrap();
    let step = 1.0 / last as f64;
    -spectrum[..=last].windows(2).map(|w| step.hypot(w[1] - w[0])).sum::<f64>()
}

#[test]
fn smoothness_of_a_minimum_jerk_stroke() {
    for duration_s in [1.0, 2.0, 4.0] {
        let n = (60.0 * duration_s) as usize;
        let speed = |i: usize| {
            let x = (i as f64 + 0.5) / n as f64;
            30.0 * x * x * (1.0 - x) * (1.0 - x)
        };
        let stroke: Vec<f64> = (0..n).map(speed).collect();
        let got = spectral_arc_length(&stroke, 60.0).unwrap();
        let want = minimum_jerk_by_quadrature(duration_s);
        println!("stroke of {duration_s} s: {got:.5}, by quadrature {want:.5}, residual {:.1e}", got - want);
        assert!((got - want).abs() < 0.01);
        let tremor: Vec<f64> =
            stroke.iter().enumerate().map(|(i, v)| v * (1.0 + 0.5 * (i as f64 * 0.6).sin())).collect();
        assert!(spectral_arc_length(&tremor, 60.0).unwrap() < got - 0.2, "a trembling stroke is less smooth");
    }
    assert_eq!(spectral_arc_length(&[0.0; 100], 60.0), None);
}

#[test]
fn report_names_each_error_and_loads_nothing() {
    let mut t = clean();
    t.tick(vec![EventKind::Perforation(place(OBTURATOR, 10.0)), EventKind::Spasm(place(INTERNAL, 10.0))]);
    t.tick(vec![EventKind::AirInjected { tool: MICRO, volume_ml: 0.2 }]);
    t.wait(1.0);
    let a = t.assessment();
    let meta = ReportMeta { operator: "a & b".to_owned(), ..ReportMeta::default() };
    let images = [ReportImage { caption: "first <run>".to_owned(), png: vec![1, 2, 3] }];
    let input = ReportInput {
        assessment: &a,
        meta: &meta,
        telemetry: t.observer.telemetry(),
        tree: &t.tree,
        images: &images,
    };
    let html = report_html(&input);
    assert_eq!(a.errors.len(), 3);
    for e in &a.errors {
        assert!(html.contains(&e.title) && html.contains(&e.instead), "{}", e.name);
    }
    for m in METRIC_NAMES {
        assert!(html.contains(m), "{m}");
    }
    for absent in
        ["http:", "https:", "//", "<script", "<link", "@import", "url(", "Bleeding <test>", "first <run>"]
    {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("teaching tool") && html.contains("data:image/png;base64,AQID"));
    assert!(html.find("<h2>Errors").unwrap() < html.find("<h2>Objectives").unwrap());
    assert_eq!(
        html.matches("<polyline").count(),
        html.matches("</polyline>").count() + html.matches("\"/></svg>").count()
    );
}

#[test]
fn telemetry_is_one_row_per_tenth_of_a_second() {
    let t = clean();
    let text = telemetry_csv(t.observer.telemetry(), &tools()).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().len();
    assert_eq!(columns, 18 + 12 * 4);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, t.snap.tick / 6);
    for w in rows.windows(2) {
        let time = |r: &csv::StringRecord| r[1].parse::<f64>().unwrap();
        assert!((time(&w[1]) - time(&w[0]) - 0.1).abs() < 2e-4);
    }
}
