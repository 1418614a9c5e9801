//! Friction of rods: stiction, sliding, spinning, hysteresis; devices that rub on each other; what a hand cannot do.

use cathnav::device::{Device, DeviceKind};
use cathnav::math::{Mat3, Vec3};
use cathnav::sim::command::{Hold, ToolId};
use cathnav::sim::contact::analytic::{BentTube, FreeSpace, StraightTube};
use cathnav::sim::contact::{WallHit, WallLaw, WallQuery};
use cathnav::sim::rod::{self, Loads, RodInputs, RodScratch, ToolControl, statics};

use super::rods::{Bench, COBRA, DT, WIRE, base, device, origin, plain, tray, zone};
use super::rods_buckling::inputs;
use super::table::{residual, row};

/// A table top: everything with `x >= 0` is free.
struct Plane;

impl WallQuery for Plane {
    fn at(&self, p: &Vec3) -> WallHit {
        WallHit { inside_mm: p.x + 0.25, inward: Vec3::x(), ..FreeSpace.at(p) }
    }
}

fn rubbing(ei: f64, mu: f64, length: f64) -> Vec<Device> {
    let mut tool = plain(length, ei, ei, 0.0);
    tool.zones[0].friction_wall = mu;
    vec![tool]
}

#[test]
fn b15_a_rod_on_an_incline_sticks_or_slides() {
    let (mu, weight): (f64, f64) = (0.1, 0.01);
    let law = WallLaw { stiffness_n_per_mm2: 1.0, tip_patch_mm: 0.0, ..WallLaw::default() };
    let tools = rubbing(5.0, mu, 130.0);
    let tip_after = |share: f64| {
        let tilt = share * mu.atan();
        let loads = Loads {
            body_force_n_per_mm: Vec3::new(-tilt.cos(), tilt.sin(), 0.0) * weight,
            ..Loads::default()
        };
        // Laid down flat first, then tilted.
        let flat = Loads { body_force_n_per_mm: Vec3::x() * -weight, ..Loads::default() };
        let mut state = rod::new(origin());
        let mut scratch = RodScratch::default();
        statics::lay_straight(&mut state, &tools, &[(ToolId(0), 100.0)], 50);
        let inputs = inputs(&tools, &Plane, law);
        let mut at = Vec::new();
        for (loads, ticks) in [(&flat, 60), (&loads, 300), (&loads, 3600)] {
            for _ in 0..ticks {
                let report = statics::advance_loaded(&inputs, &mut state, &mut scratch, loads, DT);
                assert!(report.diverged.is_none(), "{report:?}");
            }
            at.push(*state.nodes_mm.last().unwrap());
        }
        ((at[1] - at[0]).norm(), (at[2] - at[1]).norm())
    };
    let (moved, crept) = tip_after(0.9);
    residual("B15", "creep of a rod that sticks on an incline, mm/s over 60 s", crept / 60.0, "1e-6");
    println!("B15 below the angle of friction: moved {moved:.2e} mm, then {crept:.2e} mm");
    assert!(moved < 0.2 && crept < 60.0 * 1e-6, "{moved} {crept}");
    let (moved, crept) = tip_after(1.1);
    println!("B15 above: moved {moved:.2e} mm, then {crept:.2e} mm");
    assert!(moved + crept > 5.0, "{moved} {crept}");
}

/// Hub force while a rod lies on the floor of a tube and is pulled and spun, N: mean over the last second; and the wall's
/// force, N.
fn pulled(mu: f64, pull_mm_per_s: f64, spin_rad_per_s: f64) -> (f64, f64) {
    let law = WallLaw { stiffness_n_per_mm2: 1.0, tip_patch_mm: 0.0, ..WallLaw::default() };
    let tools = rubbing(100.0, mu, 220.0);
    let wall = StraightTube { radius_mm: 3.0 };
    let mut base = origin();
    base.position_mm = Vec3::new(-2.75, 0.0, 0.0);
    let mut state = rod::new(base);
    let mut scratch = RodScratch::default();
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 75);
    let loads = Loads { body_force_n_per_mm: Vec3::x() * -0.02, ..Loads::default() };
    let controls = [ToolControl { feed_mm_per_s: -pull_mm_per_s, spin_rad_per_s, hold: Hold::Held }];
    let still = inputs(&tools, &wall, law);
    for _ in 0..60 {
        statics::advance_loaded(&still, &mut state, &mut scratch, &loads, DT);
    }
    let moving = RodInputs { controls: &controls, ..still };
    let (mut force, mut normal) = (0.0, 0.0);
    for k in 0..240 {
        let report = statics::advance_loaded(&moving, &mut state, &mut scratch, &loads, DT);
        assert!(report.diverged.is_none(), "{report:?}");
        if k >= 180 {
            force -= state.devices[0].hub_force_n / 60.0;
            normal += rod::view(&state, &tools, &wall).contact_n.iter().sum::<f64>() / 60.0;
        }
    }
    (force, normal)
}

#[test]
fn b15_a_pulled_wire_that_is_spun_pulls_lighter() {
    let (mu, pull, radius) = (0.2, 2.0, 0.25);
    for spin in [0.0, 6.0, 20.0] {
        let (force, normal) = pulled(mu, pull, spin);
        let spin = if spin > 7.0 { 7.0 } else { spin };
        let exact = mu * normal * pull / pull.hypot(radius * spin);
        row("B15", &format!("pull of a wire spun at {spin} rad/s, N"), exact, force, "2 %");
        assert!((force / exact - 1.0).abs() < 0.02, "{spin}: {force} {exact}");
    }
}

#[test]
fn b15_push_and_pull_leave_a_loop() {
    let mu = 0.1;
    let law = WallLaw { stiffness_n_per_mm2: 1.0, tip_patch_mm: 0.0, ..WallLaw::default() };
    let tools = rubbing(100.0, mu, 220.0);
    let wall = StraightTube { radius_mm: 3.0 };
    let mut base = origin();
    base.position_mm = Vec3::new(-2.75, 0.0, 0.0);
    let mut state = rod::new(base);
    let mut scratch = RodScratch::default();
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 75);
    let loads = Loads { body_force_n_per_mm: Vec3::x() * -0.02, ..Loads::default() };
    // One cycle to begin on the loop, one to measure its area.
    let (speed, travel, mut area, mut normal, mut ticks) = (5.0, 20.0, 0.0, 0.0, 0.0);
    for leg in 0..4 {
        let sign = if leg % 2 == 0 { -1.0 } else { 1.0 };
        let controls = [ToolControl { feed_mm_per_s: sign * speed, ..ToolControl::default() }];
        let inputs = RodInputs { controls: &controls, ..inputs(&tools, &wall, law) };
        for _ in 0..(travel / speed / DT) as usize {
            statics::advance_loaded(&inputs, &mut state, &mut scratch, &loads, DT);
            if leg >= 2 {
                area += state.devices[0].hub_force_n * sign * speed * DT;
                normal += rod::view(&state, &tools, &wall).contact_n.iter().sum::<f64>();
                ticks += 1.0;
            }
        }
    }
    let exact = 2.0 * mu * normal / ticks * travel;
    row("B15", "area of a push-pull loop 2 mu N d, N mm", exact, area, "2 %");
    assert!((area / exact - 1.0).abs() < 0.02, "{area} {exact}");
}

#[test]
fn a_wire_let_go_keeps_its_place_and_a_loaded_one_springs_back_to_the_valve() {
    // Let go in a bend with friction: nothing moves any more.
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let mut b = Bench::new(tray(), &wall, base());
    b.load(WIRE);
    b.drive(WIRE, 200.0, 20.0);
    b.rest(60);
    let before = (b.tip(), b.state.devices[0].inserted_mm);
    b.controls[WIRE.idx()].hold = Hold::Free;
    b.rest(1800);
    let (moved, slid) = ((b.tip() - before.0).norm(), b.state.devices[0].inserted_mm - before.1);
    println!("let go for 30 s: tip moved {moved:.2e} mm, hub {slid:.2e} mm");
    assert!(moved < 0.1 && slid.abs() < 0.1, "{moved} {slid}");

    // Pushed onto an end wall with 1 N and let go: it comes back until the valve's 0.3 N hold it, and stays there.
    let stop = EndWall;
    let mut b = Bench::new(vec![plain(300.0, 300.0, 250.0, 0.0)], &stop, origin());
    b.load(ToolId(0));
    b.drive(ToolId(0), 49.7, 20.0);
    b.controls[0].feed_mm_per_s = 1.0;
    while b.state.devices[0].hub_force_n < 1.0 {
        b.tick();
    }
    b.controls[0] = ToolControl { hold: Hold::Free, ..ToolControl::default() };
    let mut forces = Vec::new();
    for _ in 0..300 {
        b.tick();
        forces.push(b.state.devices[0].hub_force_n);
    }
    let last = *forces.last().unwrap();
    let swing = forces[200..].iter().fold(0.0_f64, |w, f| w.max((f - last).abs()));
    println!("let go at 1 N: {:?} then {last:.3} N, swing {swing:.1e} N", &forces[..5]);
    assert!((0.0..=0.31).contains(&last) && swing < 1e-3, "{last} {swing}");
}

/// A tube of radius 1 mm that ends at z = 50.
struct EndWall;

impl WallQuery for EndWall {
    fn at(&self, p: &Vec3) -> WallHit {
        let side = StraightTube { radius_mm: 1.0 }.at(p);
        let end = 50.0 - p.z;
        if end < side.inside_mm {
            return WallHit { inside_mm: end, inward: -Vec3::z(), bend_per_mm: Mat3::zeros(), ..side };
        }
        side
    }
}

#[test]
fn a_catheter_takes_a_released_wire_along_and_slides_over_a_held_one() {
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let moved = |hold: Hold| {
        let mut b = Bench::new(tray(), &wall, base());
        b.load(WIRE);
        b.drive(WIRE, 160.0, 50.0);
        b.load(COBRA);
        b.drive(COBRA, 100.0, 50.0);
        b.rest(30);
        b.controls[WIRE.idx()].hold = hold;
        let wire = |b: &Bench<'_>| b.state.devices[b.state.index_of(WIRE).unwrap()].inserted_mm;
        let before = wire(&b);
        b.drive(COBRA, 120.0, 10.0);
        wire(&b) - before
    };
    let (held, free) = (moved(Hold::Held), moved(Hold::Free));
    println!("catheter advanced 20 mm: held wire moved {held:.3} mm, released wire {free:.3} mm");
    assert!(held.abs() < 1e-9 && free > 10.0, "{held} {free}");
}

#[test]
fn a_wire_refuses_to_advance_through_a_tight_hook() {
    // A shepherd's hook held open by nothing, a wire of 0.018 in with a stiff shaft, an unlined lumen.
    let hook = vec![
        zone(12.0, 1.67, 300.0, 330.0, 0.0),
        zone(20.0, 1.67, 300.0, 330.0, 1.0 / 6.0),
        zone(568.0, 1.67, 300.0, 330.0, 0.0),
    ];
    let wire = vec![zone(40.0, 0.46, 40.0, 30.0, 0.0), zone(1460.0, 0.46, 75.0, 58.0, 0.0)];
    let mut catheter = device("hook", DeviceKind::Catheter, Some(0.97), hook);
    catheter.friction_lumen = 0.5;
    let mut thread = device("0.018 wire", DeviceKind::Wire, None, wire);
    thread.friction_lumen = 0.5;
    let wall = StraightTube { radius_mm: 12.0 };
    let refusal = |mu: f64| {
        let mut tools = vec![catheter.clone(), thread.clone()];
        tools.iter_mut().for_each(|t| t.friction_lumen = mu);
        let mut b = Bench::new(tools, &wall, base());
        b.load(ToolId(0));
        b.drive(ToolId(0), 100.0, 50.0);
        b.load(ToolId(1));
        b.drive(ToolId(1), 50.0, 80.0);
        b.controls[1].feed_mm_per_s = 20.0;
        let (mut said, mut most) = (None, 0.0_f64);
        for _ in 0..240 {
            let report = b.tick();
            most = most.max(b.state.devices[1].hub_force_n);
            said = said.or_else(|| {
                report.blocked.first().map(|r| (r.reason.clone(), b.state.devices[1].inserted_mm))
            });
        }
        (said, most, b.state.devices[1].inserted_mm)
    };
    let (rough, most, reached) = refusal(0.5);
    println!("unlined: {rough:?}, most {most:.2} N, reached {reached:.1} mm");
    let (smooth, most, reached) = refusal(0.03);
    println!("lined: {smooth:?}, most {most:.2} N, reached {reached:.1} mm");
    let (reason, _) = rough.expect("an unlined hook stops the wire");
    assert!(reason.contains("buckles before the valve"), "{reason}");
    assert!(smooth.is_none() && reached > 125.0, "{smooth:?} {reached}");
}

/// A trunk of radius 9 mm with a narrow branch straight on from z = 120, blind at z = 180.
struct TrunkWithBranch;

impl WallQuery for TrunkWithBranch {
    fn at(&self, p: &Vec3) -> WallHit {
        let within = |radius_mm: f64, end_mm: f64| {
            let side = StraightTube { radius_mm }.at(p);
            let end = end_mm - p.z;
            if end < side.inside_mm {
                return WallHit { inside_mm: end, inward: -Vec3::z(), bend_per_mm: Mat3::zeros(), ..side };
            }
            side
        };
        let (trunk, branch) = (within(9.0, 120.0), within(1.2, 180.0));
        if trunk.inside_mm > branch.inside_mm { trunk } else { branch }
    }
}

#[test]
fn a_microcatheter_pushed_against_a_resistance_kicks_its_guide_back() {
    let guide =
        device("soft guide", DeviceKind::Catheter, Some(0.97), vec![zone(600.0, 1.67, 60.0, 70.0, 0.0)]);
    let tools = vec![tray()[WIRE.idx()].clone(), guide, tray()[2].clone()];
    let (guide, micro) = (ToolId(1), ToolId(2));
    let mut b = Bench::new(tools, &TrunkWithBranch, base());
    b.load(guide);
    b.drive(guide, 190.0, 50.0);
    b.load(micro);
    b.drive(micro, 236.0, 50.0);
    b.rest(60);
    let tip = |b: &Bench<'_>| {
        let rod = rod::view(&b.state, &b.tools, &TrunkWithBranch);
        rod.devices.iter().find(|d| d.tool == guide).unwrap().tip_mm.z
    };
    let seated = tip(&b);
    b.drive(micro, 262.0, 20.0);
    b.rest(60);
    let kicked = tip(&b);
    let force = b.state.devices[b.state.index_of(micro).unwrap()].hub_force_n;
    println!("guide's tip at z {seated:.2} mm, kicked back to {kicked:.2} by {force:.2} N");
    assert!((seated - 130.0).abs() < 0.5, "{seated}");
    // It has left the branch, whose mouth is at 120 mm, and the push has nothing more to lean on.
    assert!(kicked < 120.0 && (0.2..1.5).contains(&force), "{kicked} {force}");
}
