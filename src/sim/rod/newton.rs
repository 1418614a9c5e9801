//! Newton's method on the potential: Gauss-Newton first, the exact Hessian with a shift when that stalls.

use super::energy::{Potential, World};
use super::frames::Frames;
use super::layout::FIXED;
use crate::math::Vec3;
use crate::math::banded::Banded;

/// Gauss-Newton iterations before the exact Hessian is used.
const GAUSS_NEWTON_ITERATIONS: u32 = 3;
/// A line search shorter than this calls for the exact Hessian.
const SHORT_STEP: f64 = 0.3;
/// Most that an edge vector may change in an iteration, share of its length.
const EDGE_CHANGE: f64 = 0.6;
/// Most that an angle may change in an iteration, rad.
const ANGLE_CHANGE_RAD: f64 = 0.6;
/// Most that a node may move in an iteration, share of the local lumen radius.
const LUMEN_SHARE: f64 = 0.5;
/// Armijo's constant.
const ARMIJO: f64 = 1.0e-4;
/// Halvings of a step.
const HALVINGS: u32 = 8;
/// Share of the tolerances below which nothing is left to do at all.
const REST_SHARE: f64 = 1.0e-3;
/// First share of the largest diagonal that is added when full steps do not descend.
const LEAST_SHIFT: f64 = 1.0e-4;
/// Shifts tried before a factorization is given up.
const SHIFTS: u32 = 20;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Largest unbalanced force, N.
    pub(super) force_n: f64,
    /// Largest unbalanced torque, N mm.
    pub(super) torque_n_mm: f64,
    /// Smallest step worth taking, mm.
    pub(super) step_mm: f64,
    /// Most iterations.
    pub(super) iterations: u32,
}

/// How a solve ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) iterations: u32,
    pub(super) residual_n: f64,
    pub(super) residual_n_mm: f64,
    pub(super) converged: bool,
    /// No finite step was found.
    pub(super) broken: bool,
}

/// Buffers of the solve.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) gradient: Vec<f64>,
    step: Vec<f64>,
    matrix: Banded,
    factor: Banded,
    trial: Frames,
}

/// Minimizes the potential from `frames` on, which are carried to every accepted iterate.
pub(super) fn minimize(
    potential: &mut Potential,
    frames: &mut Frames,
    world: &World<'_>,
    settings: &Settings,
    buffers: &mut Buffers,
) -> Outcome {
    let mut out = Outcome::default();
    let mut exact = false;
    let mut extra_shift = 0.0;
    // Energy without the lagged part; also brings the contacts to the configuration.
    let mut fixed = potential.energy(frames, world);
    loop {
        potential.lag(frames, world.loads);
        let start = fixed + potential.lagged_energy(frames, world);
        potential.assemble(frames, world, exact, &mut buffers.gradient, &mut buffers.matrix);
        (out.residual_n, out.residual_n_mm) = residual(potential, &buffers.gradient);
        if !(start.is_finite() && out.residual_n.is_finite() && out.residual_n_mm.is_finite()) {
            out.broken = true;
            return out;
        }
        // A soft tip is far from rest at a force that is small elsewhere, so the first look is stricter: a tick whose
        // start is merely good takes one step.
        let strict = if out.iterations == 0 { REST_SHARE } else { 1.0 };
        if out.residual_n < strict * settings.force_n && out.residual_n_mm < strict * settings.torque_n_mm {
            out.converged = true;
            return out;
        }
        if out.iterations >= settings.iterations {
            return out;
        }
        out.iterations += 1;
        let Some(slope) = descend(buffers, extra_shift) else {
            out.broken = true;
            return out;
        };
        let (clamp, largest_mm) = step_limit(potential, &buffers.step);
        match search(potential, frames, world, buffers, (start, slope), clamp) {
            Some((share, energy)) => {
                fixed = energy;
                std::mem::swap(frames, &mut buffers.trial);
                if largest_mm * clamp < settings.step_mm && share == 1.0 && extra_shift == 0.0 {
                    // Too small to matter: what force is left is friction of the last iterate. A step that only the line
                    // search or a shift has made small says nothing.
                    out.converged = true;
                    return out;
                }
                extra_shift = match (exact && share < SHORT_STEP, extra_shift > 0.0) {
                    (true, false) => LEAST_SHIFT,
                    (true, true) => (extra_shift * 10.0).min(1.0),
                    (false, _) if extra_shift > LEAST_SHIFT => extra_shift * 0.1,
                    (false, _) => 0.0,
                };
                exact = exact || share < SHORT_STEP || out.iterations >= GAUSS_NEWTON_ITERATIONS;
            }
            None if !exact => {
                // The contacts are those of the last trial; bring them back.
                potential.energy(frames, world);
                exact = true;
            }
            None if extra_shift < 1.0 => {
                potential.energy(frames, world);
                extra_shift = if extra_shift == 0.0 { LEAST_SHIFT } else { extra_shift * 30.0 };
            }
            None => {
                // Not even a strongly shifted step descends: at the limit of rounding.
                potential.energy(frames, world);
                return out;
            }
        }
    }
}

/// Largest unbalanced force and torque.
fn residual(potential: &Potential, g: &[f64]) -> (f64, f64) {
    let mut force: f64 = 0.0;
    for &dof in potential.layout.x_dof.iter().filter(|&&d| d != FIXED) {
        let at = dof as usize;
        let size = Vec3::new(g[at], g[at + 1], g[at + 2]).norm();
        force = if size.is_nan() { f64::NAN } else { force.max(size) };
    }
    let mut torque: f64 = 0.0;
    for &dof in potential.layout.theta_dof.iter().flatten() {
        let size = g[dof as usize].abs();
        torque = if size.is_nan() { f64::NAN } else { torque.max(size) };
    }
    (force, torque)
}

/// Step `-(H + shift)^-1 g` into `buffers.step`; returns the slope along it (negative).
fn descend(buffers: &mut Buffers, extra_shift: f64) -> Option<f64> {
    let scale = buffers.matrix.max_diagonal();
    let mut shift = extra_shift * scale;
    let mut tries = 0;
    while !buffers.matrix.factor_shifted(shift, &mut buffers.factor) {
        shift = if shift == 0.0 { 1e-7 * scale } else { 4.0 * shift };
        tries += 1;
        if tries > SHIFTS || !shift.is_finite() {
            return None;
        }
    }
    buffers.step.clear();
    buffers.step.extend(buffers.gradient.iter().map(|g| -g));
    buffers.factor.solve(&mut buffers.step);
    let slope: f64 = buffers.gradient.iter().zip(&buffers.step).map(|(g, d)| g * d).sum();
    slope.is_finite().then_some(slope)
}

/// Share of a step that respects the clamps, and the largest move of a node in it, mm.
fn step_limit(potential: &Potential, step: &[f64]) -> (f64, f64) {
    let at = |i: usize| {
        let dof = potential.layout.x_dof[i];
        if dof == FIXED {
            Vec3::zeros()
        } else {
            let k = dof as usize;
            Vec3::new(step[k], step[k + 1], step[k + 2])
        }
    };
    let mut share: f64 = 1.0;
    let mut largest: f64 = 0.0;
    for i in 2..potential.layout.x_dof.len() {
        let move_mm = at(i).norm();
        largest = largest.max(move_mm);
        share = share.min(LUMEN_SHARE * potential.contacts.lumen_mm(i) / move_mm.max(1e-12));
        let change = (at(i) - at(i - 1)).norm() / potential.rest_mm[i - 1];
        share = share.min(EDGE_CHANGE / change.max(1e-12));
    }
    for &dof in potential.layout.theta_dof.iter().flatten() {
        let change = step[dof as usize].abs();
        // An angle of 1 rad at a radius of 0.5 mm moves the surface by as much.
        largest = largest.max(0.5 * change);
        share = share.min(ANGLE_CHANGE_RAD / change.max(1e-12));
    }
    (share, largest)
}

/// Armijo backtracking; on success `buffers.trial` is the new configuration the share of the clamped step and the energy
/// without its lagged part are given.
fn search(
    potential: &mut Potential,
    frames: &Frames,
    world: &World<'_>,
    buffers: &mut Buffers,
    (start, slope): (f64, f64),
    clamp: f64,
) -> Option<(f64, f64)> {
    let mut share = 1.0;
    for _ in 0..=HALVINGS {
        let t = clamp * share;
        move_by(&mut buffers.trial, frames, &potential.layout, &buffers.step, t);
        let fixed = potential.energy(&buffers.trial, world);
        let energy = fixed + potential.lagged_energy(&buffers.trial, world);
        // Near the minimum the decrease drowns in rounding.
        if energy <= start + ARMIJO * t * slope + 1e-13 * (start.abs() + 1.0) {
            if share == 1.0 {
                return Some((share, fixed));
            }
            // What stops the longer step is mostly a wall that was not touched yet: halving alone would come nearer
            // and nearer to it and never feel it.
            let longer = 1.5 * share;
            move_by(&mut buffers.trial, frames, &potential.layout, &buffers.step, clamp * longer);
            let fixed_longer = potential.energy(&buffers.trial, world);
            if fixed_longer + potential.lagged_energy(&buffers.trial, world) < energy {
                return Some((longer, fixed_longer));
            }
            move_by(&mut buffers.trial, frames, &potential.layout, &buffers.step, t);
            return Some((share, potential.energy(&buffers.trial, world)));
        }
        share *= 0.5;
    }
    None
}

/// `trial = frames + t step`, frames transported.
fn move_by(trial: &mut Frames, frames: &Frames, layout: &super::layout::Layout, step: &[f64], t: f64) {
    trial.x.clone_from(&frames.x);
    for (x, &dof) in trial.x.iter_mut().zip(&layout.x_dof) {
        if dof != FIXED {
            let k = dof as usize;
            *x += Vec3::new(step[k], step[k + 1], step[k + 2]) * t;
        }
    }
    trial.theta.resize(frames.theta.len(), Vec::new());
    for (d, theta) in trial.theta.iter_mut().enumerate() {
        theta.clone_from(&frames.theta[d]);
        for (value, &dof) in theta.iter_mut().zip(&layout.theta_dof[d]) {
            *value += step[dof as usize] * t;
        }
    }
    trial.follow(frames);
}
