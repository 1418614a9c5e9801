//! Rest shapes and frames: pre-curved rods released, rods in a helical tube, two tubes turned against each other.

use cathnav::device::DeviceKind;
use cathnav::math::Vec3;
use cathnav::sim::command::ToolId;
use cathnav::sim::contact::analytic::{FreeSpace, tube_hit};
use cathnav::sim::contact::{WallHit, WallLaw, WallQuery};
use cathnav::sim::rod::{self, Loads, RodBase, RodScratch, statics};

use super::rods::{device, origin, plain, relaxed, zone};
use super::rods_buckling::inputs;
use super::table::{residual, row};

#[test]
fn b5_a_precurved_rod_springs_into_its_arc() {
    let (radius, ei) = (20.0, 200.0);
    let length = 1.5 * std::f64::consts::PI * radius;
    let tools = vec![plain(length, ei, ei, 1.0 / radius)];
    let mut state = rod::new(origin());
    let mut scratch = RodScratch::default();
    let inputs = inputs(&tools, &FreeSpace, WallLaw::default());
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), length)], 80);
    let loads = Loads::default();
    let before = statics::energy_n_mm(&inputs, &mut state, &mut scratch, &loads);
    statics::relax(&inputs, &mut state, &mut scratch, &loads, 1e-9);
    let after = statics::energy_n_mm(&inputs, &mut state, &mut scratch, &loads);
    // The arc bends towards the direction in which the tip left the axis.
    let side = Vec3::new(state.nodes_mm[5].x, state.nodes_mm[5].y, 0.0).normalize();
    let center = side * radius;
    let off = |x: &Vec3| ((x - center).norm() - radius).abs().max((x - side * side.dot(x)).xy().norm());
    let worst = state.nodes_mm.iter().skip(1).map(off).fold(0.0, f64::max);
    residual("B5", "arc of 270 deg from straight: nodes off the arc, radii", worst / radius, "1e-3");
    residual("B5", "energy left, share", after / before, "1e-10");
    assert!(worst < 1e-3 * radius && after < 1e-10 * before, "{worst} {after} {before}");
}

#[test]
fn b5_a_helical_rod_springs_into_its_helix() {
    let (kappa, tau, ei) = (0.05_f64, 0.03_f64, 200.0);
    let rate = kappa * kappa + tau * tau;
    let turn = std::f64::consts::TAU / rate.sqrt();
    let (per_turn, turns) = (80_usize, 2);
    let h = turn / per_turn as f64;
    // A rod without material twist: its rest curvature turns its direction along the length.
    let zones = (0..per_turn * turns)
        .map(|i| {
            let angle = tau * (i as f64 + 0.5) * h;
            let mut z = zone(h, 0.5, ei, ei, kappa * angle.cos());
            z.rest_curvature_2_per_mm = kappa * angle.sin();
            z
        })
        .collect();
    let tools = vec![device("helix", DeviceKind::Wire, None, zones)];
    let (state, _) = relaxed(tools, &[turn * turns as f64], per_turn * turns, &Loads::default(), 1e-9);
    let (a, b, c) = (20, 20 + per_turn / 2, 20 + per_turn);
    let rise = (state.nodes_mm[c] - state.nodes_mm[a]).norm();
    let across = ((state.nodes_mm[b] - state.nodes_mm[a]).norm_squared() - 0.25 * rise * rise).sqrt();
    row("B5", "radius of a helix, mm", kappa / rate, 0.5 * across, "0.1 %");
    row("B5", "its pitch, mm", std::f64::consts::TAU * tau / rate, rise, "0.1 %");
    assert!((0.5 * across * rate / kappa - 1.0).abs() < 1e-3);
    assert!((rise * rate / (std::f64::consts::TAU * tau) - 1.0).abs() < 1e-3);
}

/// A tube around the helix `(R cos a, R sin a, b a)`.
struct HelixTube {
    helix_mm: f64,
    rise_mm: f64,
    radius_mm: f64,
}

impl HelixTube {
    fn at_angle(&self, a: f64) -> (Vec3, Vec3) {
        let (s, c) = a.sin_cos();
        (
            Vec3::new(self.helix_mm * c, self.helix_mm * s, self.rise_mm * a),
            Vec3::new(-self.helix_mm * s, self.helix_mm * c, self.rise_mm),
        )
    }
}

impl WallQuery for HelixTube {
    fn at(&self, p: &Vec3) -> WallHit {
        let mut a = p.z / self.rise_mm;
        for _ in 0..20 {
            let (x, d) = self.at_angle(a);
            a += (p - x).dot(&d) / d.norm_squared();
        }
        let radial = p - self.at_angle(a).0;
        let r = radial.norm();
        let inward = if r > 1e-12 { -radial / r } else { Vec3::z() };
        tube_hit(self.radius_mm, r, inward, &self.at_angle(a).1.normalize())
    }
}

#[test]
fn b14_a_rod_in_a_helical_tube_rolls_by_the_torsion() {
    let wall = HelixTube { helix_mm: 20.0, rise_mm: 8.0, radius_mm: 0.27 };
    let per_mm = 1.0 / wall.helix_mm.hypot(wall.rise_mm);
    let turns = 2.0;
    let length = turns * std::f64::consts::TAU / per_mm;
    let (_, d) = wall.at_angle(0.0);
    let base =
        RodBase { position_mm: Vec3::new(wall.helix_mm, 0.0, 0.0), direction: d.normalize(), ..origin() };
    let tools = vec![plain(length, 20.0, 20.0, 0.0)];
    let law =
        WallLaw { stiffness_n_per_mm2: 500.0, stiffening_mm: 5.0, tip_patch_mm: 0.0, friction_factor: 0.0 };
    let mut state = rod::new(base);
    let mut scratch = RodScratch::default();
    let edges = 80 * turns as usize;
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), length)], edges);
    for i in 2..state.nodes_mm.len() {
        state.nodes_mm[i] = wall.at_angle(length * (i - 1) as f64 / edges as f64 * per_mm).0;
    }
    // Directors carried along the edges without twist.
    for j in 1..state.rest_mm.len() {
        let t = |k: usize| (state.nodes_mm[k + 1] - state.nodes_mm[k]).normalize();
        state.director[j] = cathnav::math::parallel_transport(&state.director[j - 1], &t(j - 1), &t(j));
    }
    let inputs = inputs(&tools, &wall, law);
    let report = statics::relax(&inputs, &mut state, &mut scratch, &Loads::default(), 1e-6);
    let theta = &state.devices[0].theta;
    let twist: f64 =
        (1..theta.len()).map(|i| (theta[i] - theta[i - 1] + state.reference_twist[i]).abs()).sum();
    // Roll of the material against the Frenet frame, which itself turns by the torsion.
    let roll = |j: usize| {
        let t = (state.nodes_mm[j + 1] - state.nodes_mm[j]).normalize();
        let m = state.director[j] * theta[j].cos() + t.cross(&state.director[j]) * theta[j].sin();
        let middle = (state.nodes_mm[j + 1] + state.nodes_mm[j]) * 0.5;
        let n = Vec3::new(-middle.x, -middle.y, 0.0);
        let n = (n - t * t.dot(&n)).normalize();
        m.dot(&t.cross(&n)).atan2(m.dot(&n))
    };
    let (from, to) = (2, state.rest_mm.len() - 3);
    let arc: f64 =
        (state.rest_mm[from] + state.rest_mm[to]) * 0.5 + state.rest_mm[from + 1..to].iter().sum::<f64>();
    let torsion = wall.rise_mm * per_mm * per_mm * arc;
    let off = (roll(to) - roll(from) + torsion + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU)
        - std::f64::consts::PI;
    println!("B14 {report:?} torsion {:.1} deg", torsion.to_degrees());
    residual(
        "B14",
        "roll of a rod in a helical tube, off by deg per turn, N 80 a turn",
        off.to_degrees().abs() / turns,
        "0.5",
    );
    residual("B14", "twist that it takes, rad", twist, "1e-3");
    assert!(off.to_degrees().abs() / turns < 0.5, "{}", off.to_degrees());
    assert!(twist < 1e-3, "{twist}");
}

#[test]
fn b10_two_tubes_turned_against_each_other() {
    let (l, ei1, ei2, gj1, gj2, k1, k2) = (60.0, 300.0, 500.0, 250.0, 420.0, 1.0 / 50.0, 1.0 / 70.0);
    let c: f64 = k1 * k2 * (ei1 * ei2 / (ei1 + ei2)) * (1.0 / gj1 + 1.0 / gj2);
    assert!(l * c.sqrt() < std::f64::consts::FRAC_PI_2, "free of snaps");
    let tools = vec![plain(l, ei1, gj1, k1), plain(l, ei2, gj2, k2)];
    let inputs = inputs(&tools, &FreeSpace, WallLaw::default());
    let mut state = rod::new(origin());
    let mut scratch = RodScratch::default();
    statics::lay_straight(&mut state, &tools, &[(ToolId(0), l), (ToolId(1), l)], 80);
    for k in 1..=12 {
        state.devices[1].hub_angle_rad = f64::from(k) * 10.0_f64.to_radians();
        statics::relax(&inputs, &mut state, &mut scratch, &Loads::default(), 1e-8);
        if k % 4 != 0 {
            continue;
        }
        let (a, b) = (&state.devices[0].theta, &state.devices[1].theta);
        let last = a.len() - 1;
        let (at_base, at_tip) = (b[0] - a[0], b[last] - a[last]);
        let exact = relative_tip_angle(at_base, c, l);
        row(
            "B10",
            &format!("two tubes, {:.0} deg at the base: angle between the tips, deg", at_base.to_degrees()),
            exact.to_degrees(),
            at_tip.to_degrees(),
            "0.5 deg",
        );
        assert!((at_tip - exact).abs() < 0.5_f64.to_radians(), "{at_tip} {exact}");
    }
}

/// `psi'' = c sin psi`, `psi(0) = base`, `psi'(l) = 0`: psi(l), by bisection on the tip and Runge-Kutta backwards.
fn relative_tip_angle(base: f64, c: f64, l: f64) -> f64 {
    let base_of = |tip: f64| {
        let (steps, mut y) = (2000, (tip, 0.0));
        let h = l / f64::from(steps);
        let f = |y: (f64, f64)| (y.1, c * y.0.sin());
        let add = |y: (f64, f64), k: (f64, f64), s: f64| (y.0 + k.0 * s, y.1 + k.1 * s);
        for _ in 0..steps {
            let a = f(y);
            let b = f(add(y, a, 0.5 * h));
            let d = f(add(y, b, 0.5 * h));
            let e = f(add(y, d, h));
            y = add(y, (a.0 + 2.0 * b.0 + 2.0 * d.0 + e.0, a.1 + 2.0 * b.1 + 2.0 * d.1 + e.1), h / 6.0);
        }
        y.0
    };
    let (mut low, mut high) = (0.0, base);
    for _ in 0..60 {
        let tip = 0.5 * (low + high);
        if base_of(tip) < base { low = tip } else { high = tip }
    }
    0.5 * (low + high)
}
