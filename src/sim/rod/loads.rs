//! Loads and fixtures of a bench, beside what the wall does.

use super::energy::{Potential, add_diagonal, add3};
use super::frames::Frames;
use crate::math::banded::Banded;
use crate::math::{Mat3, Vec3};

/// A spring from a node to a point of the room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fixture {
    /// Node, counted from the tip (0 is the last).
    pub from_tip: usize,
    /// Where the spring is slack, patient frame, mm.
    pub at_mm: Vec3,
    /// Stiffness along x, y, z, N/mm.
    pub stiffness_n_per_mm: Vec3,
}

/// Loads of a bench.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loads {
    /// Dead force on the last node, N.
    pub tip_force_n: Vec3,
    /// Moment on the last edge, N mm (its part along the edge does nothing).
    pub tip_moment_n_mm: Vec3,
    /// Torque about the last edge on the outermost device there, N mm.
    pub tip_torque_n_mm: f64,
    /// Dead force along the whole rod, N/mm.
    pub body_force_n_per_mm: Vec3,
    /// Springs to the room.
    pub fixtures: Vec<Fixture>,
    /// Holds the material angle of the outermost device on the last edge: angle, rad, and stiffness, N mm/rad.
    pub tip_angle: Option<[f64; 2]>,
}

impl Potential {
    /// Energy of the loads but the tip couple, which is lagged.
    pub(super) fn load_energy(&self, frames: &Frames, loads: &Loads) -> f64 {
        let n = frames.x.len();
        let mut sum = -loads.tip_force_n.dot(&frames.x[n - 1]);
        if loads.body_force_n_per_mm != Vec3::zeros() {
            for i in 2..n {
                sum -= self.layout.skins[i].length_mm * loads.body_force_n_per_mm.dot(&frames.x[i]);
            }
        }
        for f in loads.fixtures.iter().filter(|f| f.from_tip + 2 < n) {
            let d = frames.x[n - 1 - f.from_tip] - f.at_mm;
            sum += 0.5 * d.component_mul(&d).dot(&f.stiffness_n_per_mm);
        }
        let end = self.layout.skins[n - 1].device;
        let angle = frames.theta[end].get(n - 2).copied().unwrap_or(0.0);
        if let Some([target, stiffness]) = loads.tip_angle {
            sum += 0.5 * stiffness * (angle - target) * (angle - target);
        }
        sum - loads.tip_torque_n_mm * angle
    }

    /// Gradient and Hessian of [`Potential::load_energy`].
    pub(super) fn assemble_loads(&self, frames: &Frames, loads: &Loads, g: &mut [f64], h: &mut Banded) {
        let n = frames.x.len();
        let dofs = &self.layout.x_dof;
        add3(g, dofs[n - 1], &-loads.tip_force_n);
        if loads.body_force_n_per_mm != Vec3::zeros() {
            for (&dof, skin) in dofs.iter().zip(&self.layout.skins).take(n).skip(2) {
                add3(g, dof, &(loads.body_force_n_per_mm * -skin.length_mm));
            }
        }
        for f in loads.fixtures.iter().filter(|f| f.from_tip + 2 < n) {
            let i = n - 1 - f.from_tip;
            add3(g, dofs[i], &(frames.x[i] - f.at_mm).component_mul(&f.stiffness_n_per_mm));
            add_diagonal(h, dofs[i], &Mat3::from_diagonal(&f.stiffness_n_per_mm));
        }
        let end = self.layout.skins[n - 1].device;
        if let Some(&t) = self.layout.theta_dof[end].get(n - 2) {
            g[t as usize] -= loads.tip_torque_n_mm;
            if let Some([target, stiffness]) = loads.tip_angle {
                g[t as usize] += stiffness * (frames.theta[end][n - 2] - target);
                h.add(t as usize, t as usize, stiffness);
            }
        }
    }
}
