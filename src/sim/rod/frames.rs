//! A configuration of the rod: positions, angles and the frames that belong to them.

use super::bend::{Corner, Directors};
use super::state::RodState;
use crate::math::{Vec3, parallel_transport};

/// Positions, angles, transported frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    pub(super) x: Vec<Vec3>,
    /// Per device, per edge.
    pub(super) theta: Vec<Vec<f64>>,
    pub(super) tangent: Vec<Vec3>,
    pub(super) length: Vec<f64>,
    pub(super) director: Vec<Vec3>,
    pub(super) reference_twist: Vec<f64>,
    /// Material directors per device and edge.
    pub(super) m1: Vec<Vec<Vec3>>,
    pub(super) m2: Vec<Vec<Vec3>>,
}

impl Frames {
    /// Takes the configuration of a state, whose directors belong to its positions up to rounding.
    pub(super) fn load(&mut self, state: &RodState) {
        self.x.clone_from(&state.nodes_mm);
        self.theta.resize(state.devices.len(), Vec::new());
        for (mine, d) in self.theta.iter_mut().zip(&state.devices) {
            mine.clone_from(&d.theta);
        }
        self.tangent.clear();
        self.length.clear();
        self.director.clone_from(&state.director);
        for j in 0..state.rest_mm.len() {
            let e = self.x[j + 1] - self.x[j];
            let l = e.norm().max(1e-9);
            let t = e / l;
            self.tangent.push(t);
            self.length.push(l);
            let d = state.director[j];
            self.director[j] = (d - t * t.dot(&d)).normalize();
        }
        self.reference_twist.clone_from(&state.reference_twist);
        for i in 1..state.rest_mm.len() {
            self.settle_reference_twist(i);
        }
        self.turn_material();
    }

    /// Writes the configuration back.
    pub(super) fn store(&self, state: &mut RodState) {
        state.nodes_mm.clone_from(&self.x);
        state.director.clone_from(&self.director);
        state.reference_twist.clone_from(&self.reference_twist);
        for (d, mine) in state.devices.iter_mut().zip(&self.theta) {
            d.theta.clone_from(mine);
        }
    }

    /// Makes the frames for new positions (already in `self.x`, `self.theta`) by transport from an older configuration.
    pub(super) fn follow(&mut self, from: &Self) {
        let edges = from.tangent.len();
        self.tangent.clear();
        self.length.clear();
        self.director.clear();
        for j in 0..edges {
            let e = self.x[j + 1] - self.x[j];
            let l = e.norm().max(1e-9);
            let t = e / l;
            let d = parallel_transport(&from.director[j], &from.tangent[j], &t);
            self.tangent.push(t);
            self.length.push(l);
            // Rounding would let the director drift off the normal plane over thousands of steps.
            self.director.push((d - t * t.dot(&d)).normalize());
        }
        self.reference_twist.clone_from(&from.reference_twist);
        for i in 1..edges {
            self.settle_reference_twist(i);
        }
        self.turn_material();
    }

    /// Brings the reference twist of a vertex to its geometric value on the branch nearest to the old one.
    fn settle_reference_twist(&mut self, i: usize) {
        self.reference_twist[i] = reference_twist(
            (&self.tangent[i - 1], &self.director[i - 1]),
            (&self.tangent[i], &self.director[i]),
            self.reference_twist[i],
        );
    }

    fn turn_material(&mut self) {
        let devices = self.theta.len();
        self.m1.resize(devices, Vec::new());
        self.m2.resize(devices, Vec::new());
        for d in 0..devices {
            let (m1, m2) = (&mut self.m1[d], &mut self.m2[d]);
            m1.clear();
            m2.clear();
            for (j, theta) in self.theta[d].iter().enumerate() {
                let (s, c) = theta.sin_cos();
                let d1 = self.director[j];
                let d2 = self.tangent[j].cross(&d1);
                m1.push(d1 * c + d2 * s);
                m2.push(d2 * c - d1 * s);
            }
        }
    }

    /// The two edges of vertex `i`.
    pub(super) fn corner(&self, i: usize) -> Corner {
        Corner::new(self.tangent[i - 1], self.tangent[i], self.length[i - 1], self.length[i])
    }

    /// Material directors of a device around vertex `i`.
    pub(super) fn directors(&self, device: usize, i: usize) -> Directors {
        let (m1, m2) = (&self.m1[device], &self.m2[device]);
        Directors { m1e: m1[i - 1], m2e: m2[i - 1], m1f: m1[i], m2f: m2[i] }
    }

    /// Twist of a device at vertex `i`, rad.
    pub(super) fn twist(&self, device: usize, i: usize) -> f64 {
        self.theta[device][i] - self.theta[device][i - 1] + self.reference_twist[i]
    }
}

/// Angle from the space-parallel transport of the first frame to the second, about the second tangent, nearest to `old`.
pub(super) fn reference_twist(before: (&Vec3, &Vec3), after: (&Vec3, &Vec3), old: f64) -> f64 {
    let u = parallel_transport(before.1, before.0, after.0);
    let (s, c) = old.sin_cos();
    let v = u * c + after.0.cross(&u) * s;
    old + after.0.dot(&v.cross(after.1)).atan2(v.dot(after.1))
}
