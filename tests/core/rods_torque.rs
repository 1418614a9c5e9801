//! Rods in bends: torque that lags and snaps, and the capstan.

use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::WallLaw;
use cathnav::sim::contact::analytic::{BentTube, FreeSpace, StraightTube};
use cathnav::sim::rod::{
    self, Loads, Meshing, RodBase, RodInputs, RodScratch, RodState, ToolControl, statics,
};

use super::rods::{DT, origin, plain};
use super::rods_buckling::inputs;
use super::table::row;

const BEND_MM: f64 = 200.0;
/// Holds a rod in the bend without room and without friction.
const NARROW: BentTube = BentTube { radius_mm: 0.2505, bend_radius_mm: BEND_MM };
const HARD: WallLaw =
    WallLaw { stiffness_n_per_mm2: 2000.0, stiffening_mm: 5.0, tip_patch_mm: 0.0, friction_factor: 0.0 };

#[test]
fn b9_torque_whip_in_a_curved_tube() {
    // lambda, then input angles (degrees) for tip angles of 30, 60, 90, 120, 150 degrees.
    let table = [
        (0.5, [33.6, 66.3, 97.2, 126.1, 153.5]),
        (1.0, [45.4, 85.7, 118.4, 143.7, 163.3]),
        (1.4, [62.0, 111.4, 144.4, 163.8, 174.2]),
    ];
    for (lambda, inputs_deg) in table {
        let length = lambda * BEND_MM;
        let tools = vec![plain(length, 100.0, 100.0, 1.0 / BEND_MM)];
        let inputs = inputs(&tools, &NARROW, HARD);
        let mut state = rod::new(origin());
        let mut scratch = RodScratch::default();
        statics::lay_straight(&mut state, &tools, &[(ToolId(0), length)], 160);
        let plane = plane_angle(&mut state, &inputs, &mut scratch);
        // Sweep the hub; note tip against base angle.
        let mut curve = vec![(0.0, 0.0)];
        let mut iterations = 0;
        for k in 1..=90 {
            state.devices[0].hub_angle_rad = plane + (2.5 * f64::from(k)).to_radians();
            iterations +=
                statics::relax(&inputs, &mut state, &mut scratch, &Loads::default(), 1e-5).iterations;
            let view = rod::view(&state, &tools, &NARROW);
            let turn = view.devices[0].tip_angle_rad - plane;
            curve.push(((state.devices[0].theta[0] - plane).to_degrees(), turn.to_degrees()));
        }
        println!("B9 lambda {lambda}: {iterations} iterations");
        for (tip, input) in [30.0, 60.0, 90.0, 120.0, 150.0].into_iter().zip(inputs_deg) {
            let at =
                curve.windows(2).find(|w| w[0].1 <= tip && w[1].1 > tip).expect("the tip turns that far");
            let share = (tip - at[0].1) / (at[1].1 - at[0].1);
            let found = at[0].0 + share * (at[1].0 - at[0].0);
            println!(
                "B9 lambda {lambda} tip {tip}: input {found:.2} table {input} off {:+.2} degrees",
                found - input
            );
            row("B9", &format!("torque whip, lambda {lambda}, tip {tip}: hub, deg"), input, found, "1 deg");
            assert!((found - input).abs() < 1.0, "lambda {lambda} tip {tip}: {found} {input}");
        }
    }
}

#[test]
fn b9_torque_whip_snaps_over() {
    // lambda, input angles for tip angles before the fold, input angle at which the tip snaps over (degrees).
    let table: [(f64, &[(f64, f64)], f64); 3] = [
        (1.8, &[(30.0, 86.6), (60.0, 145.4), (90.0, 175.6)], 187.3),
        (2.0, &[(30.0, 102.3), (60.0, 164.5), (90.0, 191.8)], 197.8),
        (2.5, &[(30.0, 150.7), (60.0, 213.4)], 229.0),
    ];
    for (lambda, before, snap) in table {
        let length = lambda * BEND_MM;
        let tools = vec![plain(length, 100.0, 100.0, 1.0 / BEND_MM)];
        let inputs = inputs(&tools, &NARROW, HARD);
        let mut state = rod::new(origin());
        let mut scratch = RodScratch::default();
        statics::lay_straight(&mut state, &tools, &[(ToolId(0), length)], 160);
        let plane = plane_angle(&mut state, &inputs, &mut scratch);
        let (mut curve, mut found_snap) = (vec![(0.0, 0.0)], f64::NAN);
        let mut hub = 0.0_f64;
        while hub < snap + 20.0 {
            hub += if hub > snap - 12.0 { 0.5 } else { 4.0 };
            state.devices[0].hub_angle_rad = plane + hub.to_radians();
            statics::relax(&inputs, &mut state, &mut scratch, &Loads::default(), 1e-5);
            let tip = (rod::view(&state, &tools, &NARROW).devices[0].tip_angle_rad - plane).to_degrees();
            let input = (state.devices[0].theta[0] - plane).to_degrees();
            let last: (f64, f64) = *curve.last().unwrap();
            if tip - last.1 > 25.0 && hub > snap - 12.0 {
                found_snap = 0.5 * (input + last.0);
                break;
            }
            curve.push((input, tip));
        }
        for &(tip, input) in before {
            let at =
                curve.windows(2).find(|w| w[0].1 <= tip && w[1].1 > tip).expect("the tip turns that far");
            let found = at[0].0 + (tip - at[0].1) / (at[1].1 - at[0].1) * (at[1].0 - at[0].0);
            row("B9", &format!("torque whip, lambda {lambda}, tip {tip}: hub, deg"), input, found, "1 deg");
            assert!((found - input).abs() < 1.0, "lambda {lambda} tip {tip}: {found} {input}");
        }
        row("B9", &format!("snap, lambda {lambda}: hub, deg"), snap, found_snap, "2 deg");
        assert!((found_snap - snap).abs() < 2.0, "lambda {lambda}: {found_snap} {snap}");
    }
}

/// Hub angle at which a rod of natural curvature lies untwisted in the bend of its tube.
fn plane_angle(state: &mut RodState, inputs: &RodInputs<'_>, scratch: &mut RodScratch) -> f64 {
    // The tube bends towards +x; the director of angle zero at the base is the one that the state carries.
    let director = state.director[0];
    let angle = Vec3::z().dot(&director.cross(&Vec3::x())).atan2(director.x);
    state.devices[0].hub_angle_rad = angle;
    state.devices[0].theta.iter_mut().for_each(|t| *t = angle);
    // Free, it takes the curvature of the tube.
    let free = RodInputs { wall: &FreeSpace, ..*inputs };
    statics::relax(&free, state, scratch, &Loads::default(), 1e-8);
    statics::relax(inputs, state, scratch, &Loads::default(), 1e-6);
    angle
}

#[test]
fn b13_capstan_pull_and_push() {
    for (mu, bend_deg) in [(0.1, 90.0_f64), (0.2, 90.0), (0.1, 180.0)] {
        for sign in [1.0, -1.0] {
            let hub_force = |tip_n: f64| capstan(mu, bend_deg.to_radians(), sign * tip_n, sign);
            let ((f1, w1), (f2, _)) = (hub_force(1.0), hub_force(1.5));
            let (slope, exact) = ((f2 - f1) / 0.5, (mu * w1).exp());
            let what = if sign > 0.0 { "pull" } else { "push" };
            println!(
                "B13 {what} mu {mu} over {bend_deg} degrees: slope {slope:.4} exact {exact:.4} error {:+.2e}",
                slope / exact - 1.0
            );
            row("B13", &format!("capstan, {what}, mu {mu}, {bend_deg} deg"), exact, slope, "2 %");
            assert!((slope / exact - 1.0).abs() < 0.02, "{what} mu {mu} {bend_deg}: {slope} {exact}");
        }
    }
}

/// Hub force over a tip force while a thin wire slides round a tight bend, N, and the angle it wraps, rad.
fn capstan(mu: f64, bend_rad: f64, tip_n: f64, sign: f64) -> (f64, f64) {
    let bend = 60.0;
    let wall = BentTube { radius_mm: 0.30, bend_radius_mm: bend };
    let law =
        WallLaw { stiffness_n_per_mm2: 30.0, stiffening_mm: 5.0, tip_patch_mm: 0.0, friction_factor: 1.0 };
    // Soft for a pull, so that the ends of the bend do not count; stiff enough for a push of 2 N not to buckle it in
    // the clearance, which would add its own friction.
    let stiffness = if sign > 0.0 { 5.0 } else { 40.0 };
    let mut tool = plain(400.0, stiffness, stiffness, 0.0);
    tool.zones[0].friction_wall = mu;
    let tools = vec![tool];
    let base = RodBase { position_mm: Vec3::new(0.0, 0.0, -5.0), ..origin() };
    let mut state = rod::new(base);
    let length = 5.0 + bend_rad * bend;
    let mut scratch = RodScratch::default();
    rod::load(&mut state, &tools, ToolId(0)).unwrap();
    let drive =
        |state: &mut RodState, scratch: &mut RodScratch, law: WallLaw, force: f64, by: f64, ticks: u32| {
            let feed_mm_per_s = by / (f64::from(ticks) * DT);
            let controls = [ToolControl { feed_mm_per_s, ..ToolControl::default() }];
            let inputs = RodInputs {
                tools: &tools,
                controls: &controls,
                wall: &wall,
                law,
                others: &[],
                meshing: Meshing::default(),
            };
            for _ in 0..ticks {
                let tip = state.nodes_mm.last().copied().unwrap_or(base.position_mm);
                let angle = if tip.x < bend && tip.z < 0.0 {
                    0.0
                } else {
                    tip.z.atan2(bend - tip.x).rem_euclid(std::f64::consts::TAU)
                };
                let along = Vec3::new(angle.sin(), 0.0, angle.cos());
                let loads = Loads { tip_force_n: along * force, ..Loads::default() };
                let report = statics::advance_loaded(&inputs, state, scratch, &loads, DT);
                assert!(report.diverged.is_none(), "{report:?}");
            }
        };
    let smooth = WallLaw { friction_factor: 0.0, ..law };
    drive(&mut state, &mut scratch, smooth, 0.0, length, 600);
    drive(&mut state, &mut scratch, smooth, tip_n, 0.0, 60);
    // Pull back (or push on) slowly until every contact slides.
    drive(&mut state, &mut scratch, law, tip_n, -sign * 3.0, 180);
    let tip = state.nodes_mm.last().unwrap();
    let wrap = tip.z.atan2(bend - tip.x).rem_euclid(std::f64::consts::TAU);
    (-sign * state.devices[0].hub_force_n, wrap)
}

#[test]
fn torque_is_told_at_hub_tip_and_wall() {
    let tools = vec![plain(200.0, 100.0, 80.0, 0.0)];
    let mut scratch = RodScratch::default();
    let torque = 0.3;
    let mut state = rod::new(origin());
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 75);
    let free = inputs(&tools, &FreeSpace, WallLaw::default());
    let loads = Loads { tip_torque_n_mm: torque, ..Loads::default() };
    for _ in 0..240 {
        statics::advance_loaded(&free, &mut state, &mut scratch, &loads, DT);
    }
    let told = rod::view(&state, &tools, &FreeSpace).devices[0].clone();
    println!("held: hub {} tip {} N mm", told.hub_torque_n_mm, told.tip_torque_n_mm);
    assert!((told.hub_torque_n_mm + torque).abs() < 1e-3 && (told.tip_torque_n_mm + torque).abs() < 1e-3);
    assert!(told.lost_torque_n_mm.abs() < 2e-3 && told.wall_force_n == 0.0);

    // Spun on the floor of a tube the wall takes what the hand gives, mu N r, and the free tip is left with nothing. (In a
    // bend the rod's own damping takes torque too.)
    let (mu, tube) = (0.1, StraightTube { radius_mm: 3.0 });
    let mut tools = tools;
    tools[0].zones[0].friction_wall = mu;
    let mut base = origin();
    base.position_mm = Vec3::new(-2.75, 0.0, 0.0);
    let mut state = rod::new(base);
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 75);
    let law = WallLaw { stiffness_n_per_mm2: 1.0, tip_patch_mm: 0.0, ..WallLaw::default() };
    let controls = [ToolControl { spin_rad_per_s: 2.0, ..ToolControl::default() }];
    let spun = RodInputs { controls: &controls, ..inputs(&tools, &tube, law) };
    let loads = Loads { body_force_n_per_mm: Vec3::x() * -0.02, ..Loads::default() };
    for _ in 0..240 {
        statics::advance_loaded(&spun, &mut state, &mut scratch, &loads, DT);
    }
    let told = rod::view(&state, &tools, &tube).devices[0].clone();
    let exact = mu * told.wall_force_n * 0.5 * tools[0].zones[0].outer_diameter_mm;
    row("B15", "torque that the wall takes of a spun rod, mu N r, N mm", exact, told.lost_torque_n_mm, "2 %");
    assert!((told.lost_torque_n_mm / exact - 1.0).abs() < 0.02, "{told:?}");
    assert!(told.tip_torque_n_mm.abs() < 0.05 * told.hub_torque_n_mm, "{told:?}");
    assert!(
        (2.5..3.0).contains(&told.wall_force_n) && told.wall_peak_n < 0.1 * told.wall_force_n,
        "{told:?}"
    );
}
