//! Free bodies: they stay in the vessel, lodge where it is as small as they, feel devices, and go on bit-exactly.

use cathnav::anatomy::{LumenMesh, Outlet, VesselId, VesselPlace, VesselTree};
use cathnav::math::Vec3;
use cathnav::math::hash::StateHasher;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::{MeshWall, Widening};
use cathnav::sim::snapshot::{RodDeviceView, RodView};
use cathnav::sim::world::{self, World, WorldInputs, WorldState, advance};

use crate::dilation::{in_the_lesion, stenosed};
use crate::tubes::{bend, branch, flipped, straight, tube};

const TICK_S: f64 = 1.0 / 60.0;

struct Setup {
    tree: VesselTree,
    wall: MeshWall,
    widening: Widening,
    world: World,
}

impl Setup {
    fn new((lumen, tree): (LumenMesh, VesselTree)) -> Self {
        Self {
            wall: MeshWall::new(&lumen, &tree),
            widening: Widening::default(),
            world: World::compile(&lumen),
            tree,
        }
    }

    fn inputs<'a>(&'a self, flow: &'a dyn Fn(&VesselPlace) -> f64, rods: &'a [RodView]) -> WorldInputs<'a> {
        WorldInputs {
            tree: &self.tree,
            wall: &self.wall,
            widening: &self.widening,
            flow_ml_per_s: flow,
            rods,
            tool_radius_mm: &[1.0],
        }
    }
}

fn place(arc_mm: f64) -> VesselPlace {
    VesselPlace { vessel: VesselId(0), arc_mm }
}

fn hash(state: &WorldState) -> u64 {
    let mut hasher = StateHasher::new();
    world::hash(state, &mut hasher);
    hasher.finish()
}

/// A ball of 1 mm in a tube of 3 mm, for 60 s under a flow that goes to and fro, for both windings.
#[test]
fn a_ball_stays_in_its_tube() {
    let made = straight(1.5, 60.0, 0.6, 18);
    for lumen in [flipped(&made.0), made.0.clone()] {
        let s = Setup::new((lumen, made.1.clone()));
        let mut state = WorldState::new(1);
        state.spawn_pledget(1.0, Vec3::new(0.4, -0.3, 10.0), place(10.0), 0.0);
        let (mut farthest, mut reached) = (0.0_f64, 0.0_f64);
        for tick in 0..3600 {
            let t = f64::from(tick) * TICK_S;
            let flow = move |_: &VesselPlace| 1.2 * (std::f64::consts::TAU * t / 4.0).sin();
            advance(&s.world, &mut state, &s.inputs(&flow, &[]), TICK_S);
            let p = state.bodies[0].position_mm;
            farthest = farthest.max(p.xy().norm());
            reached = reached.max(p.z);
            assert!((0.0..60.0).contains(&p.z), "{t} s: {p:?}");
        }
        println!("ball: at most {farthest:.3} mm off the axis (room 1.0), went to {reached:.1} mm");
        assert!(farthest < 1.05 && reached > 40.0);
    }
}

#[test]
fn it_lodges_where_the_vessel_is_as_small() {
    let mut b = branch("narrowing", &bend(60.0, 80.0, 0.5), |arc| 2.5 - 2.0 * (arc / 80.0));
    b.outlet = Some(Outlet {
        bed: "bed".to_owned(),
        flow_ml_per_s: 0.5,
        transit_s: 1.0,
        blush_center_mm: Vec3::zeros(),
        blush_radius_mm: 1.0,
    });
    let lumen = tube(&b, 18);
    let s = Setup::new((lumen, VesselTree { branches: vec![b] }));
    let flow = |_: &VesselPlace| 0.5;
    for diameter_mm in [1.5, 2.4] {
        let mut state = WorldState::new(1);
        let start = s.tree.branches[0].at(8.0).position_mm;
        state.spawn_pledget(diameter_mm, start, place(8.0), 0.0);
        let mut lodged = Vec::new();
        for _ in 0..1200 {
            lodged.extend(advance(&s.world, &mut state, &s.inputs(&flow, &[]), TICK_S));
        }
        assert_eq!(lodged.len(), 1);
        let lumen_mm = 2.0 * s.tree.branches[0].at(lodged[0].place.arc_mm).radius_mm;
        println!("{diameter_mm} mm lodged at {:.1} mm, lumen {lumen_mm:.2} mm", lodged[0].place.arc_mm);
        assert!((lumen_mm / diameter_mm - 1.0).abs() < 0.1);
        assert!(state.view()[0].lodged);
        // It stays, whatever the flow does.
        let before = state.bodies[0].position_mm;
        for _ in 0..60 {
            advance(&s.world, &mut state, &s.inputs(&|_| 5.0, &[]), TICK_S);
        }
        assert_eq!(state.bodies[0].position_mm, before);
    }
}

#[test]
fn a_device_pushes_it() {
    let s = Setup::new(straight(3.0, 60.0, 1.0, 20));
    let mut state = WorldState::new(1);
    state.spawn_pledget(2.0, Vec3::new(0.0, 0.3, 20.0), place(20.0), 0.0);
    let rod = |tip: f64| RodView {
        nodes_mm: vec![Vec3::zeros(), Vec3::new(0.0, 0.0, 0.5 * tip), Vec3::new(0.0, 0.0, tip)],
        arc_mm: vec![0.0, 0.5 * tip, tip],
        contact_n: vec![0.0; 3],
        devices: vec![RodDeviceView { tool: ToolId(0), inserted_mm: tip, ..Default::default() }],
    };
    for tick in 0..240 {
        let tip = 14.0 + 20.0 * f64::from(tick) * TICK_S / 4.0;
        advance(&s.world, &mut state, &s.inputs(&|_| 0.0, &[rod(tip)]), TICK_S);
        let p = state.bodies[0].position_mm;
        let gap = if p.z > tip { (p - Vec3::new(0.0, 0.0, tip)).norm() } else { p.xy().norm() } - 2.0;
        assert!(gap > -0.25, "tick {tick}: overlap {gap:.3}");
    }
    println!("pushed to {:?}", state.bodies[0].position_mm);
    assert!(state.bodies[0].position_mm.z > 22.0 || state.bodies[0].position_mm.xy().norm() > 1.5);
}

/// Bodies go with the blood where a vessel parts: by the shares of the flow.
#[test]
fn they_part_with_the_flow() {
    let (lumen, mut tree) = straight(3.0, 60.0, 1.0, 20);
    // The side branch of the tree alone decides; the tube stays whole, so nothing blocks the way.
    let side: Vec<Vec3> = (0..20).map(|i| Vec3::new(f64::from(i), 0.0, 30.0 + 0.5 * f64::from(i))).collect();
    let mut child = branch("side", &side, |_| 1.5);
    child.origin = Some(place(30.0));
    tree.branches.push(child);
    let s = Setup::new((lumen, tree));
    let flow = |p: &VesselPlace| match p.vessel.0 {
        0 if p.arc_mm < 30.0 => 4.0,
        0 => 3.0,
        _ => 1.0,
    };
    let mut state = WorldState::new(7);
    let mut to_side = 0;
    for _ in 0..60 {
        state.bodies.clear();
        state.spawn_pledget(1.0, Vec3::new(0.1, 0.0, 20.0), place(20.0), 0.0);
        for _ in 0..30 {
            advance(&s.world, &mut state, &s.inputs(&flow, &[]), TICK_S);
        }
        to_side += usize::from(state.bodies[0].place.vessel.0 == 1);
    }
    println!("{to_side} of 60 went to the side that takes a quarter of the flow");
    assert!((7..=24).contains(&to_side));
}

#[test]
fn a_snapshot_goes_on_bit_exactly() {
    let s = Setup::new(straight(1.5, 60.0, 0.6, 18));
    let flow = |_: &VesselPlace| 0.8;
    let mut state = WorldState::new(3);
    for k in 0..3 {
        state.spawn_pledget(0.8, Vec3::new(0.3, 0.2, 5.0 + 1.5 * f64::from(k)), place(5.0), 1.0);
    }
    for _ in 0..40 {
        advance(&s.world, &mut state, &s.inputs(&flow, &[]), TICK_S);
    }
    let bytes = postcard::to_stdvec(&state).unwrap();
    let mut restored: WorldState = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(hash(&state), hash(&restored));
    let other = Setup::new(straight(1.5, 60.0, 0.6, 18));
    for tick in 0..120 {
        advance(&s.world, &mut state, &s.inputs(&flow, &[]), TICK_S);
        advance(&other.world, &mut restored, &other.inputs(&flow, &[]), TICK_S);
        assert_eq!(hash(&state), hash(&restored), "tick {tick}");
    }
}

#[test]
fn a_piece_in_a_lesion_that_was_opened_does_not_lodge_there() {
    let anatomy = stenosed(80.0, 0.0);
    let (mut hand, balloon) = in_the_lesion(&anatomy, "balloon.semi.035.9x40", 1);
    hand.inflate(balloon, 10.0, 30.0);
    hand.inflate(balloon, 0.0, 25.0);
    let opened = hand.session.state().dilation.widening.clone();
    let tree = anatomy.tree.clone();
    let wall = MeshWall::new(&anatomy.lumen, &tree);
    let world = World::compile(&anatomy.lumen);
    // Standing blood, a piece as wide as the throat was before.
    let throat = VesselPlace { vessel: VesselId(0), arc_mm: 110.0 };
    let lodged = |widening: &Widening| {
        let mut state = WorldState::new(1);
        state.spawn_debris(1.8, Vec3::new(0.0, 0.0, 110.0), throat);
        let inputs = WorldInputs {
            tree: &tree,
            wall: &wall,
            widening,
            flow_ml_per_s: &|_| 0.0,
            rods: &[],
            tool_radius_mm: &[],
        };
        (0..60).flat_map(|_| advance(&world, &mut state, &inputs, TICK_S)).count()
    };
    let built_mm = 2.0 * tree.branch(VesselId(0)).at(110.0).radius_mm;
    println!("throat {built_mm:.2} mm as built, {:.2} mm opened", built_mm + 2.0 * opened.at(&throat));
    assert_eq!((lodged(&Widening::default()), lodged(&opened)), (1, 0));
}

#[test]
fn a_piece_that_the_blood_shakes_at_the_end_of_a_vessel_has_arrived() {
    let anatomy = stenosed(5.0, 0.0);
    let wall = MeshWall::new(&anatomy.lumen, &anatomy.tree);
    let world = World::compile(&anatomy.lumen);
    let end_mm = anatomy.tree.branch(VesselId(0)).length_mm();
    let mut state = WorldState::new(1);
    state.spawn_debris(
        0.6,
        Vec3::new(0.0, 0.0, end_mm - 40.0),
        VesselPlace { vessel: VesselId(0), arc_mm: end_mm - 40.0 },
    );
    let opened = Widening::default();
    let inputs = WorldInputs {
        tree: &anatomy.tree,
        wall: &wall,
        widening: &opened,
        flow_ml_per_s: &|_| 6.0,
        rods: &[],
        tool_radius_mm: &[],
    };
    let lodged: Vec<_> =
        (0..300).flat_map(|_| advance(&world, &mut state, &inputs, TICK_S)).map(|l| l.place.arc_mm).collect();
    println!("arrived at {lodged:.1?} of {end_mm:.0} mm");
    assert!(lodged.len() == 1 && lodged[0] > end_mm - 10.0, "{lodged:?}");
}
