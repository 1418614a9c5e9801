//! Balloons and the vessels that they open: diameter by pressure, waist, recoil, what is left of a stenosis, tears and bursts.

use std::sync::Arc;

use cathnav::anatomy::{
    AccessSite, Anatomy, At, LesionDescription, Outlet, VesselId, VesselPlace, open_tree,
};
use cathnav::device::{Catalog, Device, DeviceKind, catalog_from_files, load_catalog};
use cathnav::math::Vec3;
use cathnav::scenario::Case;
use cathnav::sim::command::{Command, ToolId};
use cathnav::sim::contact::{ShiftedWall, WallQuery as _, WallShift, Widening};
use cathnav::sim::dilation::balloon::{Air, Drive, Inflator, SUCTION_ATM};
use cathnav::sim::dilation::vessel::{self, Press, Segment, VesselModel, arc_of};
use cathnav::sim::dilation::{DilationState, balloon};
use cathnav::sim::event::EventKind;
use cathnav::sim::flow::young_tsai;
use cathnav::sim::snapshot::RodDeviceView;
use cathnav::sim::{Model, Session, Snapshot};

use super::rods::DT;
use super::table::{residual, row, value};
use super::tubes;

pub(crate) fn catalog() -> Catalog {
    load_catalog(&cathnav::assets::root().unwrap().join("assets")).unwrap()
}

/// Tests of balloons alone: tool 0 is the device.
fn only(device: &Device) -> Vec<Device> {
    vec![device.clone()]
}

#[test]
fn balloon_diameter_follows_its_table() {
    let catalog = catalog();
    let (mut count, mut worst, mut worst_class) = (0, 0.0_f64, 0.0_f64);
    for device in catalog.devices.iter().filter(|d| d.kind == DeviceKind::Balloon) {
        let spec = device.balloon.as_ref().unwrap();
        let mut radius_mm = vec![0.5 * spec.folded_mm(); balloon::sections(spec)];
        for point in &spec.compliance {
            balloon::shape(spec, &Air, point.atm, &mut radius_mm);
            worst = radius_mm.iter().map(|r| (2.0 * r / point.mm - 1.0).abs()).fold(worst, f64::max);
        }
        // The generic tables of the two classes.
        let at = |atm: f64| spec.diameter_at_mm(atm) / spec.diameter_mm;
        let table: &[(f64, f64)] = if device.id.starts_with("balloon.semi") {
            &[(4.0, 0.94), (6.0, 0.98), (8.0, 1.0), (10.0, 1.02), (12.0, 1.04), (14.0, 1.06)]
        } else if device.id.starts_with("balloon.non") {
            &[(6.0, 0.95), (8.0, 0.97), (10.0, 0.985), (12.0, 1.0), (16.0, 1.015), (20.0, 1.03)]
        } else {
            &[]
        };
        worst_class = table.iter().map(|(p, d)| (at(*p) - d).abs()).fold(worst_class, f64::max);
        count += 1;
    }
    residual(
        "balloons",
        "diameter by pressure of all balloons, inflated, against their tables",
        worst,
        "0.1 %",
    );
    residual(
        "balloons",
        "their tables against those of their class, share of the diameter",
        worst_class,
        "0.001",
    );
    assert!(count >= 20 && worst < 1e-3 && worst_class < 1e-3);
}

#[test]
fn a_balloon_goes_down_in_its_time() {
    for id in ["balloon.semi.035.8x40", "balloon.semi.014.3x20", "balloon.non.014.5x15"] {
        let catalog = catalog();
        let spec = catalog.device(id).unwrap().balloon.clone().unwrap();
        let mut inflator = Inflator::new(&spec, 99.0);
        inflator.drive = Drive::Pressure(spec.nominal_atm);
        let mut up_s = 0.0;
        while inflator.balloon_atm < spec.nominal_atm - 0.05 && up_s < 60.0 {
            inflator.advance(&spec, &Air, DT);
            up_s += DT;
        }
        inflator.drive = Drive::Pressure(SUCTION_ATM);
        let mut down_s = 0.0;
        while inflator.widest_mm() > spec.folded_mm() + 0.05 && down_s < 60.0 {
            inflator.advance(&spec, &Air, DT);
            down_s += DT;
        }
        println!("{id}: up in {up_s:.1} s");
        row("balloons", "time of deflation, s", spec.deflation_s, down_s, "5 to 20 s, 10 %");
        assert!((5.0..=20.0).contains(&spec.deflation_s));
        assert!((down_s / spec.deflation_s - 1.0).abs() < 0.1);
        assert!(up_s < 15.0);
    }
}

#[test]
fn turns_of_the_handle_move_the_piston() {
    let catalog = catalog();
    let spec = catalog.device("balloon.semi.035.8x40").unwrap().balloon.clone().unwrap();
    let mut inflator = Inflator::new(&spec, 99.0);
    let mut last = 0.0;
    for turn in 1..=14 {
        inflator.turn(1.0);
        (0..60 * 20).for_each(|_| inflator.advance(&spec, &Air, DT));
        println!("{turn} turns: {:.2} mL, {:.2} atm", inflator.volume_ml, inflator.balloon_atm);
        assert!(inflator.balloon_atm >= last - 1e-6);
        last = inflator.balloon_atm;
    }
    assert!(last > 4.0, "{last}");
}

#[test]
fn balloons_burst_as_often_as_stated() {
    let catalog = catalog();
    let tools = only(catalog.device("balloon.semi.035.8x40").unwrap());
    let spec = tools[0].balloon.clone().unwrap();
    let count = 4000;
    let pressures: Vec<f64> = (0..count)
        .map(|seed| {
            let mut state = DilationState::new(seed);
            state.set_pressure(&tools, ToolId(0), 4.0).unwrap();
            state.inflators[0].1.bursts_at_atm
        })
        .collect();
    let share = |atm: f64| pressures.iter().filter(|p| **p < atm).count() as f64 / count as f64;
    let mean = pressures.iter().sum::<f64>() / count as f64;
    row("balloons", "mean burst pressure of semi-compliant balloons, atm", spec.burst_atm.0, mean, "0.5 %");
    row(
        "balloons",
        "share that has burst one deviation above the mean",
        0.8413,
        share(spec.burst_atm.0 + spec.burst_atm.1),
        "2 %",
    );
    value("balloons", "share that bursts at the rated pressure", share(spec.rated_atm), "below 0.003");
    assert!((mean / spec.burst_atm.0 - 1.0).abs() < 0.005);
    assert!(
        (share(spec.burst_atm.0 + spec.burst_atm.1) - 0.8413).abs() < 0.02 && share(spec.rated_atm) < 0.003
    );
}

pub(crate) const SHEATH: &str = "sheath.7f.110";

/// A straight vessel of 9 mm along +z with a stenosis in its middle, fed at its begin, where the sheath stands.
pub(crate) fn stenosed(reduction_pct: f64, calcium: f64) -> Anatomy {
    let healthy = 4.5;
    let lesion = LesionDescription::Stenosis {
        vessel: "tube".to_owned(),
        at: At::Mm(110.0),
        length_mm: 30.0,
        diameter_reduction_pct: reduction_pct,
        eccentricity: 0.0,
        around_deg: 0.0,
        calcium,
        debris: 0.01,
    };
    let points: Vec<Vec3> = (0..=220).map(|i| Vec3::new(0.0, 0.0, f64::from(i))).collect();
    let depth = 0.01 * reduction_pct;
    let mut branch =
        tubes::branch("tube", &points, |arc| healthy * (1.0 - depth * lesion.weight(arc - 110.0, healthy)));
    branch.wall_ep_n_per_mm2 = 0.121;
    branch.wall_thickness_mm = 1.1;
    branch.outlet = Some(Outlet {
        bed: "leg".to_owned(),
        flow_ml_per_s: 6.0,
        transit_s: 5.0,
        blush_center_mm: Vec3::new(0.0, 0.0, 240.0),
        blush_radius_mm: 20.0,
    });
    anatomy_of(vec![branch], |b| tubes::tube(&b[0], 40), vec![lesion])
}

/// An anatomy of branches with access at the begin of the first.
pub(crate) fn anatomy_of(
    branches: Vec<cathnav::anatomy::Branch>,
    mesh: impl Fn(&[cathnav::anatomy::Branch]) -> cathnav::anatomy::LumenMesh,
    lesions: Vec<LesionDescription>,
) -> Anatomy {
    let lumen = mesh(&branches);
    let begin = branches[0].at(12.0);
    Anatomy {
        name: "tube".to_owned(),
        lumen,
        access_sites: vec![AccessSite {
            name: "begin".to_owned(),
            label: "begin".to_owned(),
            position_mm: begin.position_mm,
            direction: begin.tangent,
            place: VesselPlace { vessel: VesselId(0), arc_mm: 12.0 },
        }],
        tree: cathnav::anatomy::VesselTree { branches },
        lesions,
        ..Anatomy::default()
    }
}

pub(crate) fn compile(anatomy: &Anatomy, site: &str, sheath: &str, tray: &[&str]) -> Arc<Model> {
    let tray: Vec<String> = tray.iter().map(|t| format!("\"{t}\"")).collect();
    let case = format!(
        "#![enable(implicit_some)]\nCase(format: 1, id: \"t\", title: \"t\", briefing: (story: \"\", task: \"\"), anatomy: \
         (model: \"tube\"), access: (site: \"{site}\", sheath: \"{sheath}\"), tray: [{}], steps: [], score: (pass: 0))",
        tray.join(", ")
    );
    let case: Case = ron::from_str(&case).unwrap();
    Arc::new(Model::compile(&case, anatomy, &catalog()).unwrap())
}

/// A hand that knows how far things are in.
pub(crate) struct Hand {
    pub(crate) session: Session,
    pub(crate) events: Vec<EventKind>,
}

impl Hand {
    pub(crate) fn new(model: &Arc<Model>, seed: u64) -> Self {
        Self { session: Session::new(model.clone(), seed), events: Vec::new() }
    }

    pub(crate) fn tool(&self, id: &str) -> ToolId {
        self.session.model().tool(id).unwrap()
    }

    pub(crate) fn wait(&mut self, seconds: f64) {
        for _ in 0..(seconds * 60.0).round() as u32 {
            let events = self.session.step().events;
            self.events.extend(events.into_iter().map(|e| e.kind));
        }
    }

    pub(crate) fn send(&mut self, command: Command) {
        self.session.submit(command);
        self.wait(DT);
    }

    pub(crate) fn device(&self, tool: ToolId) -> RodDeviceView {
        self.session.snapshot().rods[0].devices.iter().find(|d| d.tool == tool).cloned().unwrap_or_default()
    }

    /// Feeds a device until its tip is so far from the introducer.
    pub(crate) fn feed_to(&mut self, tool: ToolId, inserted_mm: f64, speed: f64) {
        for _ in 0..60 * 120 {
            let left = inserted_mm - self.device(tool).inserted_mm;
            if left.abs() < 0.05 {
                break;
            }
            let speed_mm_per_s = (left / DT).clamp(-speed, speed);
            self.session.submit(Command::SetFeed { tool, speed_mm_per_s });
            self.wait(DT);
            if matches!(self.events.last(), Some(EventKind::Refused { .. })) {
                panic!("{:?}", self.events.last());
            }
        }
        self.send(Command::SetFeed { tool, speed_mm_per_s: 0.0 });
    }

    /// Wire in, then the device over it with its tip so far in.
    pub(crate) fn over_the_wire(&mut self, wire: ToolId, wire_mm: f64, device: ToolId, inserted_mm: f64) {
        self.send(Command::Load { rod: 0, tool: wire });
        self.feed_to(wire, wire_mm, 80.0);
        self.send(Command::Load { rod: 0, tool: device });
        self.feed_to(device, inserted_mm, 60.0);
    }

    pub(crate) fn inflate(&mut self, tool: ToolId, atm: f64, seconds: f64) {
        self.send(Command::SetInflation { tool, atm });
        self.wait(seconds);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.session.snapshot()
    }

    pub(crate) fn refusals(&self) -> Vec<String> {
        let reason = |e: &EventKind| match e {
            EventKind::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        self.events.iter().filter_map(reason).collect()
    }
}

const WIRE: &str = "wire.rosen.035";

/// A balloon whose middle lies in the lesion of [`stenosed`], not yet inflated.
pub(crate) fn in_the_lesion(anatomy: &Anatomy, id: &str, seed: u64) -> (Hand, ToolId) {
    let model = compile(anatomy, "begin", SHEATH, &[WIRE, id]);
    let mut hand = Hand::new(&model, seed);
    let (wire, tool) = (hand.tool(WIRE), hand.tool(id));
    let spec = model.tools[tool.idx()].balloon.clone().unwrap();
    // The sheath's tip stands at 12 mm.
    hand.over_the_wire(wire, 170.0, tool, 110.0 - 12.0 + 0.5 * spec.length_mm + spec.from_tip_mm);
    (hand, tool)
}

#[test]
fn a_waist_shows_the_lesion_and_gives_way() {
    let anatomy = stenosed(80.0, 0.3);
    let (mut hand, tool) = in_the_lesion(&anatomy, "balloon.semi.035.8x40", 1);
    let waist = |hand: &Hand| {
        let (_, inflator) = &hand.session.state().dilation.inflators[0];
        let r = &inflator.radius_mm;
        let ends = 0.5 * (r[0] + r[r.len() - 1]);
        (2.0 * r.iter().copied().fold(f64::INFINITY, f64::min), 2.0 * ends, inflator.balloon_atm)
    };
    hand.inflate(tool, 3.0, 8.0);
    let (narrow, ends, atm) = waist(&hand);
    println!("at {atm:.2} atm: waist {narrow:.2} mm, ends {ends:.2} mm");
    let spec = hand.session.model().tools[tool.idx()].balloon.clone().unwrap();
    row("balloons", "ends of a waisted balloon against its table, mm", spec.diameter_at_mm(atm), ends, "3 %");
    assert!((ends / spec.diameter_at_mm(atm) - 1.0).abs() < 0.03);
    assert!(narrow < 0.6 * ends, "{narrow} {ends}");
    hand.inflate(tool, 10.0, 4.0);
    println!("{:?}", waist(&hand));
    let mut opened_s = None;
    for second in 0..60 {
        hand.wait(1.0);
        let (narrow, ends, _) = waist(&hand);
        if narrow > 0.9 * ends && opened_s.is_none() {
            opened_s = Some(f64::from(second) + 4.0);
        }
    }
    println!("{:?}, events {:?}", waist(&hand), hand.events);
    value(
        "balloons",
        "time at 10 atm until the waist of an 80 % stenosis is gone, s",
        opened_s.unwrap_or(99.0),
        "3 to 45 s",
    );
    assert!(opened_s.is_some_and(|s| (3.0..45.0).contains(&s)), "{opened_s:?}");
}

/// Diameter of the throat of a wall by contact: twice the distance from the axis, least over the lesion.
fn throat_by_contact(hand: &Hand) -> f64 {
    let (model, state) = (hand.session.model(), hand.session.state());
    let wall = ShiftedWall::new(&model.wall, None, &WallShift::default())
        .opened(&state.dilation.widening, &model.anatomy.tree);
    // Beside the axis, where the distance has its crest.
    let at = |i: i32| 2.0 * (wall.at(&Vec3::new(0.7, 0.0, f64::from(i))).inside_mm + 0.7);
    (95..=125).map(at).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_dilated_stenosis_recoils_and_its_loss_is_that_of_what_is_left() {
    let anatomy = stenosed(80.0, 0.2);
    let (mut hand, tool) = in_the_lesion(&anatomy, "balloon.semi.035.9x40", 3);
    let open = open_tree(&anatomy.tree, &anatomy.lesions);
    let healthy_mm = 2.0 * open.branches[0].at(110.0).radius_mm;
    let wire = hand.tool(WIRE);
    let inserted = hand.device(tool).inserted_mm;
    let gradient = |hand: &mut Hand, what: &str| {
        // The devices leave, the flow settles, some beats are averaged: the loss is not linear.
        hand.feed_to(tool, 5.0, 60.0);
        hand.feed_to(wire, 30.0, 80.0);
        hand.wait(5.0);
        let model = hand.session.model().clone();
        let share = hand.session.state().flow.stenosis_open[0];
        let place = |arc_mm| VesselPlace { vessel: VesselId(0), arc_mm };
        let loss = young_tsai(healthy_mm, healthy_mm * share, 30.0);
        let (mut found, mut expected, mut flow, count) = (0.0, 0.0, 0.0, 600);
        for _ in 0..count {
            hand.wait(DT);
            let blood = &hand.session.state().flow;
            let q = blood.flow_at(&model.network, place(110.0));
            // Where the lesion's own loss is read: its ends.
            found += (blood.pressure_at(&model.network, place(94.0))
                - blood.pressure_at(&model.network, place(126.0)))
                / f64::from(count);
            expected += (loss.viscous * q + loss.turbulent * q * q.abs()) / f64::from(count);
            flow += q / f64::from(count);
        }
        println!("{what}: throat {share:.3} of the healthy diameter, {flow:.2} mL/s");
        (share, found, expected)
    };
    let (before, found, expected) = gradient(&mut hand, "before");
    row("balloons", "mean gradient of an 80 % stenosis against Young-Tsai, mmHg", expected, found, "15 %");
    assert!((before - 0.2).abs() < 0.01 && (found / expected - 1.0).abs() < 0.15, "{found} {expected}");
    hand.feed_to(wire, 170.0, 80.0);
    hand.feed_to(tool, inserted, 60.0);
    hand.inflate(tool, 8.0, 60.0);
    let up = throat_by_contact(&hand);
    let up_seen = hand.snapshot().lesions[0].least_mm;
    hand.inflate(tool, -0.9, 25.0);
    let (after, found, expected) = gradient(&mut hand, "after");
    let down = throat_by_contact(&hand);
    let view = hand.snapshot().lesions[0].clone();
    println!("{:?}\nevents {:?}", view, hand.events);
    row("balloons", "throat by contact against the lesion's view, balloon up, mm", up_seen, up, "0.15 mm");
    row("balloons", "the same, balloon down, mm", view.least_mm, down, "0.15 mm");
    assert!((up - up_seen).abs() < 0.15 && (down - view.least_mm).abs() < 0.15);
    value(
        "balloons",
        "recoil of a dilated stenosis, percent of the balloon",
        100.0 * (1.0 - down / up),
        "5 to 30 %",
    );
    assert!((0.05..0.30).contains(&(1.0 - down / up)));
    value(
        "balloons",
        "diameter reduction left by a balloon of the healthy size, percent",
        view.residual_pct,
        "below 30 %",
    );
    assert!(view.residual_pct < 30.0 && after > 0.7);
    row("balloons", "mean gradient of what is left against Young-Tsai, mmHg", expected, found, "0.3 mmHg");
    assert!((found - expected).abs() < 0.3, "{found} {expected}");
}

#[test]
fn an_inflated_balloon_stops_the_flow_and_holds_its_catheter() {
    let anatomy = stenosed(50.0, 0.0);
    let (mut hand, tool) = in_the_lesion(&anatomy, "balloon.semi.035.9x40", 2);
    let model = hand.session.model().clone();
    let place = VesselPlace { vessel: VesselId(0), arc_mm: 180.0 };
    let flow = |hand: &Hand| hand.session.state().flow.mean_flow_at(&model.network, place);
    hand.wait(5.0);
    let before = flow(&hand);
    hand.inflate(tool, 6.0, 15.0);
    let stopped = flow(&hand);
    hand.send(Command::SetFeed { tool, speed_mm_per_s: -10.0 });
    hand.wait(0.5);
    println!("{:?}", hand.refusals());
    assert!(hand.refusals().iter().any(|r| r.contains("inflated")));
    hand.inflate(tool, -0.9, 25.0);
    let after = flow(&hand);
    println!("flow {before:.2}, balloon up {stopped:.3}, down {after:.2} mL/s");
    assert!(stopped < 0.03 * before && after > 0.95 * before);
    let told = hand.events.iter().find_map(|e| match e {
        EventKind::Inflated { peak_atm, for_s, balloon_to_vessel, at, .. } => {
            Some((*peak_atm, *for_s, *balloon_to_vessel, *at))
        }
        _ => None,
    });
    println!("{told:?}");
    let (peak, for_s, ratio, at) = told.unwrap();
    assert!((peak - 6.0).abs() < 0.2 && for_s > 10.0 && (ratio - 0.98).abs() < 0.02);
    assert!((at.unwrap().arc_mm - 110.0).abs() < 3.0);
}

/// Shares of 300 vessels that tear and that burst under a balloon of this size.
fn harmed(anatomy: &Anatomy, ratio: f64) -> (f64, f64) {
    let tree = &anatomy.tree;
    let healthy = open_tree(tree, &anatomy.lesions);
    let net = cathnav::sim::flow::Network::compile(
        &healthy,
        &anatomy.circulation,
        &Default::default(),
        &anatomy.lesions,
    );
    let model = VesselModel::compile(tree, healthy, &anatomy.lesions, &net);
    let (mut torn, mut burst) = (0.0, 0.0);
    let count = 300;
    for seed in 0..count {
        let mut rng = cathnav::math::rng::stream(seed, cathnav::math::rng::Stream::Dilation);
        let mut segments: Vec<Segment> = Vec::new();
        vessel::cover(&mut segments, &mut rng, tree, VesselId(0), (90, 130));
        let presses: Vec<Press> =
            (90..=130).map(|knot| Press { vessel: VesselId(0), knot, radius_mm: 4.5 * ratio }).collect();
        let (harm, _) = vessel::advance(&model, tree, &mut segments, &presses, &[], 30.0);
        torn += f64::from(u8::from(!harm.flaps.is_empty())) / count as f64;
        burst += f64::from(u8::from(!harm.ruptures.is_empty())) / count as f64;
    }
    (torn, burst)
}

#[test]
fn the_larger_the_balloon_the_more_tears_and_bursts() {
    let (soft, hard) = (stenosed(80.0, 0.0), stenosed(80.0, 0.5));
    let mut last = ([0.0; 2], [0.0; 2]);
    for ratio in [0.8, 1.0, 1.1, 1.2, 1.35] {
        let (a, b) = (harmed(&soft, ratio), harmed(&hard, ratio));
        println!(
            "balloon {ratio:.2} of the healthy size: soft {:.0} % torn, {:.0} % burst; calcium 0.5 {:.0} % torn, {:.0} % burst",
            100.0 * a.0,
            100.0 * a.1,
            100.0 * b.0,
            100.0 * b.1
        );
        assert!(a.0 >= last.0[0] && a.1 >= last.0[1] && b.0 >= last.1[0] && b.1 >= last.1[1]);
        assert!(b.0 >= a.0 && b.1 >= a.1);
        last = ([a.0, a.1], [b.0, b.1]);
        if ratio == 1.0 {
            value(
                "balloons",
                "share torn by a balloon of the healthy size, calcium 0.5",
                b.0,
                "0.05 to 0.3 (23 % in practice)",
            );
            assert!((0.02..0.3).contains(&b.0) && b.1 < 0.03);
        }
        if ratio == 1.35 {
            assert!(b.0 > 0.95 && b.1 > 0.8);
        }
    }
}

#[test]
fn the_opened_wall_is_smooth_and_its_gradient_is_its_own() {
    let anatomy = stenosed(70.0, 0.0);
    let mut segments: Vec<Segment> = Vec::new();
    let mut rng = cathnav::math::rng::stream(1, cathnav::math::rng::Stream::Dilation);
    vessel::cover(&mut segments, &mut rng, &anatomy.tree, VesselId(0), (90, 130));
    let first = segments[0].first;
    for (i, knot) in segments[0].knots.iter_mut().enumerate() {
        let along = (arc_of(first + i as u32) - 110.0).abs();
        knot.radius_mm = knot.radius_mm.max(4.0 - 0.2 * (along - 12.0).max(0.0));
    }
    let widening: Widening = vessel::widening(&anatomy.tree, &segments);
    let mesh = cathnav::sim::contact::MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let wall = ShiftedWall::new(&mesh, None, &WallShift::default()).opened(&widening, &anatomy.tree);
    let (mut jump, mut slope, mut turn) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut where_steepest = Vec3::zeros();
    let h = 1e-4;
    for i in 0..4000 {
        let t = f64::from(i) / 4000.0;
        let (r, a) = (4.6 * (37.0 * t).fract(), 61.0 * t);
        let p = Vec3::new(r * a.cos(), r * a.sin(), 85.0 + 50.0 * t);
        let hit = wall.at(&p);
        for axis in 0..3 {
            let mut e = Vec3::zeros();
            e[axis] = h;
            let (up, down) = (wall.at(&(p + e)), wall.at(&(p - e)));
            let by_difference = (up.inside_mm - down.inside_mm) / (2.0 * h);
            let error = (by_difference - hit.inward[axis] * hit.slope).abs();
            // The axis itself is a crest of the distance.
            if r > 0.05 {
                if error > slope {
                    (slope, where_steepest) = (error, Vec3::new(r, a, p.z));
                }
                jump = jump.max((up.inside_mm - hit.inside_mm).abs());
                turn = turn.max((up.inward * up.slope - hit.inward * hit.slope).norm());
            }
        }
    }
    residual("balloons", "gradient of an opened wall against differences", slope, "0.05");
    println!("largest step over {h} mm: {jump:.2e} mm, of the gradient {turn:.2e}, at {where_steepest:?}");
    assert!(slope < 0.05 && jump < 3.0 * h && turn < 0.05, "{slope} {jump} {turn}");
    let exact = 2.0 * 4.0;
    let contact = 2.0 * (wall.at(&Vec3::new(0.7, 0.0, 110.0)).inside_mm + 0.7);
    row("balloons", "diameter of the opened wall by contact, mm", exact, contact, "0.5 %");
    assert!((contact / exact - 1.0).abs() < 0.005);
}

/// Faults of a device file after a change of its text, as they are shown.
fn faults(file: &str, from: &str, to: &str) -> String {
    let path = cathnav::assets::root().unwrap().join("assets/devices").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    let changed = text.replacen(from, to, 1);
    let report = catalog_from_files(&[(file.to_owned(), changed)]).unwrap_err();
    let told: Vec<String> = report.faults.iter().map(|f| format!("{f:?}")).collect();
    told.join("\n")
}

#[test]
fn wrong_balloons_and_stents_are_refused_with_place_and_range() {
    let changes = [
        ("balloons.ron", "nominal_atm: 8,", "nominal_atm: 15,", "at least 15 atm"),
        ("balloons.ron", "(atm: 4, mm: 3.76)", "(atm: 1, mm: 3.76)", "more than 2, the row before"),
        ("balloons.ron", "length_mm: 40, from_tip_mm", "length_mm: 400, from_tip_mm", "4 to 300"),
        ("balloons.ron", "kind: Balloon", "kind: Catheter", "a balloon for balloon catheters"),
        ("balloons.ron", "burst_atm: (18, 1.3)", "burst_atm: (9, 1.3)", "at least 14 atm"),
        ("stents.ron", "kind: Stent", "kind: Balloon", "a stent for stents"),
        ("stents.ron", "expansion: Balloon", "expansion: Itself", "0 for one that opens itself"),
        ("stents.ron", "crimped_mm: 1.2", "crimped_mm: 3.5", "at least 3.5 mm"),
        ("stents.ron", "recapture_share: 0.5", "recapture_share: 1.5", "0 to 1"),
    ];
    for (file, from, to, allowed) in changes {
        let told = faults(file, from, to);
        println!("{file}: `{to}`: {}", told.lines().next().unwrap_or_default());
        assert!(told.contains(allowed), "{told}");
    }
}
