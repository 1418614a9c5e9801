//! A balloon on its inflator: volume, pressure, and the shape that film, axial tension and what lies around it agree on.

use serde::{Deserialize, Serialize};

use crate::device::Balloon;
use crate::units::{MM3_PER_ML, N_PER_MM2_PER_ATM};

/// Distance of the cross-sections, mm.
pub const STEP_MM: f64 = 1.0;
/// Suction of a drawn-back inflator, atm.
pub const SUCTION_ATM: f64 = -0.9;
/// Highest pressure of an inflator, atm.
pub const MOST_ATM: f64 = 30.0;
/// How fast a hand raises the pressure, and how fast it draws back, atm/s `[K]`.
const HAND_ATM_PER_S: (f64, f64) = (3.0, 20.0);
/// Volume that a turn of the handle moves, mL `[K]`.
pub const TURN_ML: f64 = 0.25;
/// Compliance of inflator and shaft, mL/atm `[K]`.
const LINE_ML_PER_ATM: f64 = 0.02;
/// Resistance of a shaft's mouth where the balloon lies in a tube that does not give, N/mm2 per mm.
const RIGID_N_PER_MM3: f64 = 5.0;
/// Length of a cone over the radius at its wide end `[K]`.
pub const CONE: f64 = 0.8;
/// Largest change of a radius in one Newton step, mm.
const MOST_STEP_MM: f64 = 0.4;
/// Newton steps at most, and the change below which a shape is found, mm.
const ITERATIONS: usize = 40;
const FOUND_MM: f64 = 1e-5;

/// How the inflator is driven.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Drive {
    /// The hand follows the gauge to this pressure, atm.
    Pressure(f64),
    /// The piston stands where the turns have brought it: volume that it has pushed out, mL.
    Piston(f64),
}

/// A balloon and its inflator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inflator {
    /// Drive.
    pub drive: Drive,
    /// Pressure on the gauge, atm.
    pub gauge_atm: f64,
    /// Pressure in the balloon, atm.
    pub balloon_atm: f64,
    /// Volume in the balloon, mL.
    pub volume_ml: f64,
    /// Radius of its cross-sections from its distal end on, mm.
    pub radius_mm: Vec<f64>,
    /// It has burst.
    pub is_burst: bool,
    /// Pressure at which this one bursts, atm; drawn when it is first used.
    pub bursts_at_atm: f64,
    /// Highest pressure of this inflation, atm.
    pub peak_atm: f64,
    /// How long it has been up, s.
    pub up_s: f64,
}

/// What surrounds a cross-section of a balloon.
pub trait Surroundings {
    /// Pressure at a radius of cross-section `i`, N/mm2, not falling with the radius.
    fn pressure_n_per_mm2(&self, i: usize, r_mm: f64) -> f64;
    /// Radius of a rigid tube around it, mm.
    fn rigid_mm(&self, i: usize) -> f64;
}

/// Nothing around.
#[derive(Clone, Copy, Debug)]
pub struct Air;

impl Surroundings for Air {
    fn pressure_n_per_mm2(&self, _i: usize, _r_mm: f64) -> f64 {
        0.0
    }
    fn rigid_mm(&self, _i: usize) -> f64 {
        f64::INFINITY
    }
}

/// Volume of a balloon with cones at its ends, mL.
pub fn volume_ml(radius_mm: &[f64]) -> f64 {
    let area = |r: &f64| std::f64::consts::PI * r * r;
    let body: f64 = radius_mm.windows(2).map(|w| 0.5 * (area(&w[0]) + area(&w[1])) * STEP_MM).sum();
    let cone = |r: Option<&f64>| r.map_or(0.0, |r| area(r) * CONE * r / 3.0);
    (body + cone(radius_mm.first()) + cone(radius_mm.last())) / MM3_PER_ML
}

/// Number of cross-sections of a balloon.
pub fn sections(balloon: &Balloon) -> usize {
    (balloon.length_mm / STEP_MM).round().max(3.0) as usize + 1
}

/// The shape at a pressure (at least 0), from the one before:
/// `p = film(R) + around(R) - (p R / 2) R''`, film by the compliance table, the last term the axial tension of a closed tube.
pub fn shape(balloon: &Balloon, around: &dyn Surroundings, atm: f64, radius_mm: &mut [f64]) {
    let p = atm.max(0.0) * N_PER_MM2_PER_ATM;
    let n = radius_mm.len();
    let mean = radius_mm.iter().sum::<f64>() / n.max(1) as f64;
    let tension = 0.5 * p * mean / (STEP_MM * STEP_MM);
    let answer = |i: usize, r: f64| {
        let film = balloon.pressure_at_atm(2.0 * r) * N_PER_MM2_PER_ATM;
        let rigid = RIGID_N_PER_MM3 * (r - around.rigid_mm(i)).max(0.0);
        film + around.pressure_n_per_mm2(i, r) + rigid
    };
    let (mut upper, mut residual, mut diagonal) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for round in 0..ITERATIONS {
        for i in 0..n {
            const H: f64 = 1e-4;
            let r = radius_mm[i];
            let (at, above) = (answer(i, r), answer(i, r + H));
            let neighbors = [i.checked_sub(1), (i + 1 < n).then_some(i + 1)];
            let bow: f64 = neighbors.iter().flatten().map(|&j| radius_mm[j] - r).sum();
            residual[i] = p - at + tension * bow;
            diagonal[i] = ((above - at) / H).max(1e-4) + tension * neighbors.iter().flatten().count() as f64;
        }
        // Thomas: the matrix is the diagonal with -tension beside it.
        for i in 0..n {
            let before = if i > 0 { upper[i - 1] } else { 0.0 };
            let pivot = diagonal[i] + tension * before;
            upper[i] = -tension / pivot;
            let from = if i > 0 { residual[i - 1] } else { 0.0 };
            residual[i] = (residual[i] + tension * from) / pivot;
        }
        let (mut step, mut most) = (0.0, 0.0_f64);
        for i in (0..n).rev() {
            step = residual[i] - if i + 1 < n { upper[i] * step } else { 0.0 };
            // The answer has kinks; a shorter step late keeps from swinging about one.
            let damped = if round < 12 { step } else { 0.5 * step };
            let by = damped.clamp(-MOST_STEP_MM, MOST_STEP_MM);
            radius_mm[i] = (radius_mm[i] + by).max(0.5 * balloon.folded_mm());
            most = most.max(by.abs());
        }
        if most < FOUND_MM {
            break;
        }
    }
}

impl Inflator {
    /// A folded balloon at no pressure, which bursts at a pressure.
    pub fn new(balloon: &Balloon, bursts_at_atm: f64) -> Self {
        let radius_mm = vec![0.5 * balloon.folded_mm(); sections(balloon)];
        Self {
            drive: Drive::Pressure(SUCTION_ATM),
            gauge_atm: SUCTION_ATM,
            balloon_atm: 0.0,
            volume_ml: volume_ml(&radius_mm),
            radius_mm,
            is_burst: false,
            bursts_at_atm,
            peak_atm: 0.0,
            up_s: 0.0,
        }
    }

    /// Folded and drawn back: nothing to do.
    pub fn is_idle(&self, balloon: &Balloon) -> bool {
        let folded = 0.5 * balloon.folded_mm();
        matches!(self.drive, Drive::Pressure(p) if p <= 0.0)
            && self.gauge_atm <= 0.0
            && self.radius_mm.iter().all(|r| *r <= folded + 1e-6)
    }

    /// Turns the handle: the piston goes on from where it stands.
    pub fn turn(&mut self, turns: f64) {
        let stands_ml = match self.drive {
            Drive::Piston(ml) => ml,
            Drive::Pressure(_) => self.volume_ml + self.gauge_atm.max(0.0) * LINE_ML_PER_ATM,
        };
        self.drive = Drive::Piston((stands_ml + turns * TURN_ML).max(0.0));
    }

    /// Advances volume, pressure and shape by `dt_s`.
    ///
    /// `dV/dt = (gauge - p) / R` with the shaft's resistance `R` from the time of deflation; `p` is the pressure at which the
    /// shape holds the volume, so a waist that gives way lets it fall.
    pub fn advance(&mut self, balloon: &Balloon, around: &dyn Surroundings, dt_s: f64) {
        let folded_ml = volume_ml(&vec![0.5 * balloon.folded_mm(); self.radius_mm.len()]);
        self.gauge_atm = match self.drive {
            Drive::Pressure(target) => {
                let (up, down) = (HAND_ATM_PER_S.0 * dt_s, HAND_ATM_PER_S.1 * dt_s);
                self.gauge_atm + (target - self.gauge_atm).clamp(-down, up)
            }
            Drive::Piston(ml) => ((ml - self.volume_ml) / LINE_ML_PER_ATM).clamp(SUCTION_ATM, MOST_ATM),
        };
        if self.is_burst {
            self.gauge_atm = self.gauge_atm.min(0.0);
        }
        let nominal_ml = volume_ml(&vec![0.5 * balloon.diameter_mm; self.radius_mm.len()]);
        let resistance = -SUCTION_ATM * balloon.deflation_s / (nominal_ml - folded_ml).max(1e-6);
        let before = self.radius_mm.clone();
        shape(balloon, around, self.balloon_atm, &mut self.radius_mm);
        let flow_ml = (self.gauge_atm - self.balloon_atm) / resistance * dt_s;
        let wanted_ml = (self.volume_ml + flow_ml).max(folded_ml);
        self.settle(balloon, around, wanted_ml, flow_ml > 0.0);
        if self.radius_mm.iter().any(|r| !r.is_finite()) {
            self.radius_mm = before;
        }
        self.volume_ml = volume_ml(&self.radius_mm);
        let is_up = self.balloon_atm > 1.0;
        self.up_s = if is_up { self.up_s + dt_s } else { self.up_s };
        self.peak_atm = self.peak_atm.max(self.balloon_atm);
    }

    /// Finds the pressure at which the shape holds a volume; one that fills does not pass the gauge, nor one that empties.
    fn settle(&mut self, balloon: &Balloon, around: &dyn Surroundings, wanted_ml: f64, fills: bool) {
        let gauge = self.gauge_atm.max(0.0);
        let range = if fills { (0.0, gauge) } else { (gauge, MOST_ATM.max(self.balloon_atm)) };
        let radius = &mut self.radius_mm;
        let over_ml = |atm: f64| {
            shape(balloon, around, atm, radius);
            volume_ml(radius) - wanted_ml
        };
        self.balloon_atm = rising_root(over_ml, self.balloon_atm, range);
    }

    /// The widest cross-section, mm.
    pub fn widest_mm(&self) -> f64 {
        2.0 * self.radius_mm.iter().copied().fold(0.0, f64::max)
    }
}

/// Where a rising function is 0, sought from a place outwards; an end of the range where it is 0 nowhere in it. The function was
/// asked last at (nearly) the place that is returned. Bracket by growing steps, then regula falsi (Illinois).
fn rising_root(mut f: impl FnMut(f64) -> f64, start: f64, (low, high): (f64, f64)) -> f64 {
    const CLOSE: f64 = 1e-6;
    let mut a = start.clamp(low, high);
    let mut fa = f(a);
    let (mut b, mut fb) = (a, fa);
    let mut reach = 0.02;
    while fa.abs() > CLOSE && fa * fb > 0.0 {
        (a, fa) = (b, fb);
        b = if fa > 0.0 { (a - reach).max(low) } else { (a + reach).min(high) };
        if b == a {
            return a;
        }
        fb = f(b);
        reach *= 4.0;
    }
    for _ in 0..30 {
        if fa.abs().min(fb.abs()) < CLOSE || (b - a).abs() < CLOSE {
            break;
        }
        let c = (a * fb - b * fa) / (fb - fa);
        let fc = f(c);
        if fc * fb < 0.0 {
            (a, fa) = (b, fb);
        } else {
            fa *= 0.5;
        }
        (b, fb) = (c, fc);
    }
    b
}
