//! Vessels that give way: a beam on its bed against the closed form, a stiff wire that straightens the iliac axis, a wall
//! that moves and drags, and the picture of it.

use cathnav::anatomy::{Anatomy, VesselPlace, VesselTree};
use cathnav::device::{Device, load_catalog};
use cathnav::imaging::{Renderer, RendererConfig};
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::analytic::StraightTube;
use cathnav::sim::contact::{
    BED_N_PER_MM3, ShiftedWall, VesselBed, WALL_N_PER_MM2, WallLaw, WallLoad, WallShift,
};
use cathnav::sim::rod::{self, Loads, Meshing, RodInputs, RodScratch, ToolControl, statics};
use cathnav::sim::snapshot::{Snapshot, VesselView};
use cathnav::xray::{CArm, DetectorProgram};

use super::rods::{DT, origin, pelvis, plain};
use super::rods_buckling::inputs;
use super::table::{residual, row};
use super::tubes;
use super::xray::{shot, technique};

#[test]
fn a_point_force_moves_a_vessel_as_a_beam_on_an_elastic_bed() {
    let (radius, force) = (4.0, 0.5);
    let (_, tree) = tubes::straight(radius, 400.0, 2.0, 12);
    let bed = VesselBed::compile(&tree).unwrap();
    let mut shift = WallShift::default();
    let place = VesselPlace { vessel: cathnav::anatomy::VesselId(0), arc_mm: 200.0 };
    for _ in 0..600 {
        bed.follow(
            &mut shift,
            &[WallLoad { place, force_n: Vec3::x() * force, stiffness_n_per_mm: 0.0 }],
            DT,
        );
    }
    let ei = std::f64::consts::PI * WALL_N_PER_MM2 * radius.powi(3) * tree.branches[0].wall_thickness_mm;
    let k = BED_N_PER_MM3 * 2.0 * radius;
    let beta = (k / (4.0 * ei)).powf(0.25);
    let at = |arc_mm: f64| shift.at(&VesselPlace { arc_mm, ..place }).x;
    let exact = force * beta / (2.0 * k);
    row("wall", "vessel under a point force, F b/(2 k), mm", exact, at(200.0), "5 %");
    assert!((at(200.0) / exact - 1.0).abs() < 0.05, "{} {exact}", at(200.0));
    let s = 18.0;
    let aside = exact * (-beta * s).exp() * ((beta * s).cos() + (beta * s).sin());
    row("wall", "the same 18 mm beside it, mm", aside, at(200.0 + s), "5 %");
    assert!((at(200.0 + s) / aside - 1.0).abs() < 0.05);
    // Let go, it comes back.
    for _ in 0..240 {
        bed.follow(&mut shift, &[], DT);
    }
    assert!(shift.branches.is_empty(), "{} mm left", shift.largest_mm());
}

/// Advances a wire in the pelvis that gives way, 60 mm/s, and rests; the state and the displacement.
struct Yielding<'a> {
    anatomy: &'a Anatomy,
    wall: &'a cathnav::sim::contact::MeshWall,
    bed: VesselBed,
    tools: Vec<Device>,
    state: rod::RodState,
    scratch: RodScratch,
    shift: WallShift,
}

impl Yielding<'_> {
    fn run(&mut self, feed_mm_per_s: f64, seconds: f64) {
        let controls = [ToolControl { feed_mm_per_s, ..ToolControl::default() }];
        for _ in 0..(seconds / DT) as usize {
            let before = self.shift.clone();
            let wall = ShiftedWall::new(self.wall, Some(&self.bed), &before);
            let inputs = RodInputs {
                tools: &self.tools,
                controls: &controls,
                wall: &wall,
                law: WallLaw::default(),
                others: &[],
                meshing: Meshing::default(),
            };
            rod::advance(&inputs, &mut self.state, &mut self.scratch, DT);
            let loads = rod::wall_loads(&self.state, &wall, &WallLaw::default());
            self.bed.follow(&mut self.shift, &loads, DT);
            let now = ShiftedWall::new(self.wall, Some(&self.bed), &self.shift);
            rod::carry_anchors(&mut self.state, &|x| now.shift_at(x) - wall.shift_at(x));
        }
    }

    /// Path over chord, minus 1, of the right iliac axis from the aorta to the groin.
    fn tortuosity(&self) -> f64 {
        let tree: VesselTree = self.shift.moved(&self.anatomy.tree);
        let points: Vec<Vec3> = ["common_iliac.right", "external_iliac.right"]
            .iter()
            .flat_map(|n| tree.branch(tree.find(n).unwrap()).points.iter().map(|p| p.position_mm))
            .collect();
        let path: f64 = points.windows(2).map(|w| (w[1] - w[0]).norm()).sum();
        path / (points[points.len() - 1] - points[0]).norm() - 1.0
    }
}

#[test]
fn a_super_stiff_wire_straightens_the_iliac_axis_and_it_recovers() {
    let (wall, anatomy, base) = pelvis();
    let catalog = load_catalog(&cathnav::assets::root().unwrap().join("assets")).unwrap();
    let with = |id: &str| {
        let device = catalog.device(id).unwrap_or_else(|| panic!("{id} is in the catalogue")).clone();
        let mut y = Yielding {
            anatomy: &anatomy,
            wall: &wall,
            bed: VesselBed::compile(&anatomy.tree).unwrap(),
            tools: vec![device],
            state: rod::new(base),
            scratch: RodScratch::default(),
            shift: WallShift::default(),
        };
        let rest = y.tortuosity();
        rod::load(&mut y.state, &y.tools, ToolId(0)).unwrap();
        // Beyond the sheath by 200 mm: the stiff shaft lies in the iliac artery.
        y.run(60.0, (200.0 + base.sheath_length_mm) / 60.0);
        y.run(0.0, 3.0);
        let (moved, loaded) = (y.shift.largest_mm(), y.tortuosity());
        y.run(-60.0, (210.0 + base.sheath_length_mm) / 60.0);
        y.run(0.0, 3.0);
        println!(
            "{id}: vessels give way by {moved:.2} mm, tortuosity {rest:.4} becomes {loaded:.4}, then {:.1e} mm left",
            y.shift.largest_mm()
        );
        assert!(y.shift.largest_mm() < 0.05, "{}", y.shift.largest_mm());
        (moved, loaded / rest)
    };
    // A wire that noses into a side branch moves that; the stiff ones go straight up and straighten the axis.
    with("wire.hydrophilic_angled.035");
    let (stiff, left) = with("wire.amplatz_super_stiff.035");
    let (stiffest, least) = with("wire.lunderquist.035");
    residual("wall", "iliac axis with a super stiff wire: share of its tortuosity left", left, "below 0.95");
    residual("wall", "the same with the stiffest wire", least, "below the former");
    assert!(stiff > 0.8 && stiffest > stiff, "{stiff} {stiffest}");
    assert!(left < 0.95 && least < left, "{left} {least}");
}

#[test]
fn a_wall_that_moves_drags_on_the_rod() {
    let mu = 0.1;
    let law = WallLaw { stiffness_n_per_mm2: 1.0, tip_patch_mm: 0.0, ..WallLaw::default() };
    let mut tool = plain(220.0, 100.0, 100.0, 0.0);
    tool.zones[0].friction_wall = mu;
    let tools = vec![tool];
    let wall = StraightTube { radius_mm: 3.0 };
    let mut base = origin();
    base.position_mm = Vec3::new(-2.75, 0.0, 0.0);
    let mut state = rod::new(base);
    let mut scratch = RodScratch::default();
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 75);
    let loads = Loads { body_force_n_per_mm: Vec3::x() * -0.02, ..Loads::default() };
    let inputs = inputs(&tools, &wall, law);
    for _ in 0..60 {
        statics::advance_loaded(&inputs, &mut state, &mut scratch, &loads, DT);
    }
    // The wall runs towards the tip at 5 mm/s, the hub is held: the rod is dragged out, the hub pulls.
    for _ in 0..120 {
        rod::carry_anchors(&mut state, &|_| Vec3::z() * (5.0 * DT));
        statics::advance_loaded(&inputs, &mut state, &mut scratch, &loads, DT);
    }
    let normal: f64 = rod::view(&state, &tools, &wall).contact_n.iter().sum();
    row("wall", "drag of a moving wall mu N, N", mu * normal, -state.devices[0].hub_force_n, "2 %");
    assert!((-state.devices[0].hub_force_n / (mu * normal) - 1.0).abs() < 0.02);
}

#[test]
fn the_picture_shows_the_vessel_where_it_has_gone() {
    let (_, tree) = tubes::straight(2.0, 160.0, 2.0, 12);
    let anatomy = Anatomy { tree, name: "tube".to_owned(), ..Anatomy::default() };
    let mut renderer = Renderer::new(&anatomy, &[], RendererConfig { pixels: 256, seed: 1 });
    let arm = CArm::default();
    let mut snapshot: Snapshot = shot(arm, technique(DetectorProgram::Fluoro(15.0), 200.0, &arm), 0);
    let length = anatomy.tree.branches[0].length_mm();
    let filled = VesselView {
        cell_mm: length,
        iodine_mg_per_ml: vec![300.0],
        flow_ml_per_s: vec![0.0],
        ..VesselView::default()
    };
    let bare = renderer.expected_signal_kev(&snapshot);
    snapshot.vessels = vec![filled];
    let mut center = |snapshot: &Snapshot| {
        let seen = renderer.expected_signal_kev(snapshot);
        let (mut sum, mut at) = (0.0, 0.0);
        for (i, (s, b)) in seen.iter().zip(&bare).enumerate() {
            let missing = f64::from(1.0 - s / b.max(1e-9)).max(0.0);
            sum += missing;
            at += missing * (i % 256) as f64;
        }
        at / sum
    };
    let before = center(&snapshot);
    snapshot.wall_shift = WallShift {
        branches: vec![cathnav::sim::contact::BranchShift {
            step_mm: length,
            knots_mm: vec![Vec3::x() * 6.0, Vec3::x() * 6.0],
        }],
    };
    let after = center(&snapshot);
    let projection = snapshot.xray.arm.projection(256);
    let column = |x: f64| projection.project(&Vec3::new(x, 0.0, 80.0)).unwrap().0;
    let exact = column(6.0) - column(0.0);
    println!("a vessel moved by 6 mm: {:.2} pixels in the picture, {exact:.2} by projection", after - before);
    assert!((after - before - exact).abs() < 0.5 && exact.abs() > 3.0, "{} {exact}", after - before);
}
