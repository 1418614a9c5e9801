//! Rods in time: work and energy, steps and meshes halved, long random hands in real vessels.

use cathnav::device::{Device, DeviceKind};
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::analytic::{BentTube, FreeSpace, StraightTube};
use cathnav::sim::contact::{WallLaw, WallQuery};
use cathnav::sim::rod::{self, Loads, Meshing, RodInputs, RodScratch, ToolControl, statics};

use super::rods::{
    COBRA, DT, MICRO, MICRO_WIRE, WIRE, base, device, origin, pelvis, plain, soak, tray, zone,
};
use super::rods_buckling::inputs;
use super::table::{residual, row};

#[test]
fn b16_hub_work_goes_into_energy() {
    let wall = BentTube { radius_mm: 4.0, bend_radius_mm: 60.0 };
    let law = WallLaw { friction_factor: 0.0, ..WallLaw::default() };
    let tools = vec![plain(400.0, 300.0, 250.0, 0.0)];
    let mut base = base();
    base.position_mm = Vec3::new(0.0, 0.0, -20.0);
    let mut state = rod::new(base);
    let mut scratch = RodScratch::default();
    let controls = [ToolControl { feed_mm_per_s: 2.0, ..ToolControl::default() }];
    rod::load(&mut state, &tools, ToolId(0)).unwrap();
    let quick = [ToolControl { feed_mm_per_s: 40.0, ..ToolControl::default() }];
    let still = inputs(&tools, &wall, law);
    while state.devices[0].inserted_mm < 20.0 {
        rod::advance(&RodInputs { controls: &quick, ..still }, &mut state, &mut scratch, DT);
    }
    for _ in 0..60 {
        rod::advance(&still, &mut state, &mut scratch, DT);
    }
    let energy = |state: &rod::RodState| {
        let mut copy = state.clone();
        statics::energy_n_mm(&still, &mut copy, &mut RodScratch::default(), &Loads::default())
    };
    let before = energy(&state);
    let (mut work, mut last) = (0.0, state.devices[0].hub_force_n);
    for _ in 0..(60.0 / 2.0 / DT) as usize {
        rod::advance(&RodInputs { controls: &controls, ..still }, &mut state, &mut scratch, DT);
        let now = state.devices[0].hub_force_n;
        work += 0.5 * (now + last) * 2.0 * DT;
        last = now;
    }
    for _ in 0..60 {
        rod::advance(&still, &mut state, &mut scratch, DT);
    }
    let gained = energy(&state) - before;
    row("B16", "hub work of a slow frictionless push into a bend, N mm", gained, work, "1 %");
    assert!((work / gained - 1.0).abs() < 0.01, "{work} {gained}");
}

#[test]
fn b16_a_plucked_rod_never_gains_energy() {
    let tools = vec![plain(150.0, 100.0, 100.0, 0.0)];
    let inputs = inputs(&tools, &FreeSpace, WallLaw::default());
    let mut state = rod::new(origin());
    let mut scratch = RodScratch::default();
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), 150.0)], 50);
    let pluck = Loads { tip_force_n: Vec3::x() * 0.05, ..Loads::default() };
    statics::relax(&inputs, &mut state, &mut scratch, &pluck, 1e-8);
    let mut previous = f64::INFINITY;
    let mut first = 0.0;
    for k in 0..120 {
        rod::advance(&inputs, &mut state, &mut scratch, DT);
        let mut copy = state.clone();
        let kinetic: f64 =
            state.velocity_mm_per_s.iter().map(|v| 0.5 * 5e-9 * 0.2 * 3.0 * v.norm_squared()).sum();
        let energy =
            kinetic + statics::energy_n_mm(&inputs, &mut copy, &mut RodScratch::default(), &Loads::default());
        assert!(energy <= previous + 1e-9, "tick {k}: {energy} after {previous}");
        if k == 0 {
            first = energy;
        }
        previous = energy;
    }
    residual("B16", "energy of a plucked rod after 2 s, share", previous / first, "never rising");
    assert!(previous < 1e-3 * first);
}

/// Tip after a fixed trace in a bend, with a tick and a mesh.
fn tip_after(dt_s: f64, meshing: Meshing) -> Vec3 {
    let wall = BentTube { radius_mm: 6.0, bend_radius_mm: 60.0 };
    let tools = tray();
    let mut state = rod::new(base());
    let mut scratch = RodScratch::default();
    rod::load(&mut state, &tools, WIRE).unwrap();
    for (feed, spin, seconds) in
        [(40.0, 0.0, 6.5), (20.0, 1.0, 3.0), (0.0, 1.5, 2.0), (-10.0, 0.0, 2.0), (0.0, 0.0, 1.0)]
    {
        let mut controls = vec![ToolControl::default(); tools.len()];
        controls[WIRE.idx()] =
            ToolControl { feed_mm_per_s: feed, spin_rad_per_s: spin, ..ToolControl::default() };
        let inputs = RodInputs {
            tools: &tools,
            controls: &controls,
            wall: &wall,
            law: WallLaw::default(),
            others: &[],
            meshing,
        };
        for _ in 0..(seconds / dt_s).round() as usize {
            let report = rod::advance(&inputs, &mut state, &mut scratch, dt_s);
            assert!(report.diverged.is_none(), "{report:?}");
        }
    }
    *state.nodes_mm.last().unwrap()
}

#[test]
fn b17_half_the_step_and_half_the_mesh_change_little() {
    let tip = tip_after(DT, Meshing::default());
    let half_step = (tip_after(0.5 * DT, Meshing::default()) - tip).norm();
    let half_mesh = (tip_after(DT, Meshing { scale: 0.5, adapts: true }) - tip).norm();
    residual("B17", "tip after a trace with half the step, mm", half_step, "0.3");
    residual("B17", "tip after it with half the edges, mm", half_mesh, "0.3");
    let even = tip_after(DT, Meshing { scale: 0.5, adapts: false });
    let adapted = tip_after(DT, Meshing { scale: 0.5, adapts: true });
    residual("B17", "tip after it with even and with adaptive edges, mm", (even - adapted).norm(), "0.1");
    assert!(half_step < 0.3, "{half_step}");
    assert!(half_mesh < 0.3, "{half_mesh}");
    assert!((even - adapted).norm() < 0.1, "{}", (even - adapted).norm());
}

#[test]
fn two_rods_in_one_vessel_touch_and_do_not_pass_through_each_other() {
    let wall = StraightTube { radius_mm: 3.0 };
    let tools = vec![plain(300.0, 300.0, 250.0, 0.0), plain(300.0, 300.0, 250.0, 0.0)];
    let mut bases = [origin(), origin()];
    bases[0].position_mm = Vec3::new(-1.0, 0.0, 0.0);
    bases[1].position_mm = Vec3::new(1.0, 0.0, 0.0);
    // They run towards each other.
    bases[0].direction = Vec3::new(0.04, 0.0, 1.0).normalize();
    bases[1].direction = Vec3::new(-0.04, 0.0, 1.0).normalize();
    let mut rods = bases.map(rod::new);
    let mut scratch = RodScratch::default();
    for (i, r) in rods.iter_mut().enumerate() {
        rod::load(r, &tools, ToolId(i as u8)).unwrap();
    }
    let controls = vec![ToolControl { feed_mm_per_s: 40.0, ..ToolControl::default() }; 2];
    let mut nearest = f64::INFINITY;
    for _ in 0..240 {
        for i in 0..2 {
            let others = rod::capsules(&rods[1 - i], &tools);
            let inputs = RodInputs {
                controls: &controls,
                others: &others,
                ..inputs(&tools, &wall, WallLaw::default())
            };
            rod::advance(&inputs, &mut rods[i], &mut scratch, DT);
        }
        for x in rods[0].nodes_mm.iter().skip(2) {
            for y in rods[1].nodes_mm.iter().skip(2) {
                nearest = nearest.min((x - y).norm());
            }
        }
    }
    println!("two rods of 0.5 mm: axes come to {nearest:.3} mm");
    assert!(nearest > 0.3 && nearest < 0.6, "{nearest}");
}

/// A tray from the softest to the stiffest: EI 0.03 to 5000 N mm2.
fn extremes() -> Vec<Device> {
    let soft = vec![zone(30.0, 0.36, 0.03, 0.02, 1.0 / 5.0), zone(1770.0, 0.36, 40.0, 31.0, 0.0)];
    let stiff = vec![
        zone(40.0, 0.889, 8.0, 6.0, 0.0),
        zone(40.0, 0.889, 600.0, 460.0, 0.0),
        zone(1720.0, 0.889, 5000.0, 3900.0, 0.0),
    ];
    let mut tools = tray();
    tools[WIRE.idx()] = device("stiffest wire", DeviceKind::Wire, None, stiff);
    tools[MICRO_WIRE.idx()] = device("softest wire", DeviceKind::Wire, None, soft);
    tools
}

#[test]
fn b18_random_hands_in_the_pelvis() {
    let (wall, _, base) = pelvis();
    let seconds = if std::env::var_os("CATHNAV_FULL").is_some() { 1800 } else { 60 };
    for (seed, list, tools) in [
        (11_u64, vec![WIRE, COBRA], tray()),
        (12, vec![COBRA, MICRO, MICRO_WIRE], extremes()),
        (13, vec![WIRE, COBRA], extremes()),
    ] {
        let (ticks, fallbacks, outside) = soak(&wall, base, seed, &list, tools, seconds * 60);
        row(
            "B18",
            &format!("random hands for {seconds} s, seed {seed}: farthest node outside, mm"),
            0.0,
            outside,
            "1",
        );
        residual("B18", "ticks restored, share", f64::from(fallbacks) / f64::from(ticks), "1e-4");
        assert!(outside < 1.0, "{outside}");
        assert!(f64::from(fallbacks) < 1e-4 * f64::from(ticks) + 0.5, "{fallbacks} of {ticks}");
    }
}

#[test]
fn rods_at_rest_stay_at_rest() {
    let wall: &dyn WallQuery = &StraightTube { radius_mm: 4.0 };
    let tools = tray();
    let mut state = rod::new(base());
    let mut scratch = RodScratch::default();
    rod::load(&mut state, &tools, WIRE).unwrap();
    let controls = vec![ToolControl { feed_mm_per_s: 50.0, ..ToolControl::default() }];
    let inputs = inputs(&tools, wall, WallLaw::default());
    for _ in 0..300 {
        rod::advance(&RodInputs { controls: &controls, ..inputs }, &mut state, &mut scratch, DT);
    }
    for _ in 0..240 {
        rod::advance(&inputs, &mut state, &mut scratch, DT);
    }
    let before = state.nodes_mm.clone();
    let report = rod::advance(&inputs, &mut state, &mut scratch, DT);
    let moved = before.iter().zip(&state.nodes_mm).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    println!("at rest: {} iterations, moved {moved:.1e} mm", report.iterations);
    assert!(moved < 1e-5, "{moved}");
}
