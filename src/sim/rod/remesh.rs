//! Splitting and merging edges: nodes keep to the material of the outermost device, only rest lengths change hands.

use super::frames::reference_twist;
use super::state::{Anchor, RodState};
use crate::math::{Vec3, parallel_transport};

impl RodState {
    /// Unit tangent of an edge.
    pub(super) fn edge_tangent(&self, j: usize) -> Vec3 {
        let e = self.nodes_mm[j + 1] - self.nodes_mm[j];
        let l = e.norm();
        if l > 1e-12 { e / l } else { self.base.direction }
    }

    /// Unit tangent at a node: mean of its edges.
    pub(super) fn node_tangent(&self, i: usize) -> Vec3 {
        let edges = self.rest_mm.len();
        let before = self.edge_tangent(i.saturating_sub(1).min(edges - 1));
        let after = self.edge_tangent(i.min(edges - 1));
        let sum = before + after;
        let l = sum.norm();
        if l > 1e-6 { sum / l } else { after }
    }

    /// Splits edge `j` at a share of its length; the new node is node `j + 1`.
    ///
    /// It lies on the cubic through the end points and tangents; twist is laid out linearly, so it is conserved.
    pub(super) fn split_edge(&mut self, j: usize, share: f64) {
        let (x0, x1) = (self.nodes_mm[j], self.nodes_mm[j + 1]);
        let chord = (x1 - x0).norm();
        let (t0, t1) = (self.node_tangent(j), self.node_tangent(j + 1));
        let s = share;
        let (h1, h2) = (s * (1.0 - s) * (1.0 - s), s * s * (s - 1.0));
        let h0 = s * s * (3.0 - 2.0 * s);
        let x = x0 + (x1 - x0) * h0 + (t0 * h1 + t1 * h2) * chord;
        let rates: Vec<f64> = (0..self.devices.len()).map(|d| self.twist_rate(d, j)).collect();
        let (old_t, old_d) = (self.edge_tangent(j), self.director[j]);
        let rest = self.rest_mm[j];
        let v = self.velocity_mm_per_s[j].lerp(&self.velocity_mm_per_s[j + 1], s);

        self.nodes_mm.insert(j + 1, x);
        self.velocity_mm_per_s.insert(j + 1, v);
        self.tip_of.insert(j + 1, None);
        // Middle of the first half, the new node; what was the middle is that of the second half, and starts anew.
        self.anchors[2 * j + 1] = Anchor::default();
        self.anchors.insert(2 * j + 2, Anchor::default());
        self.anchors.insert(2 * j + 3, Anchor::default());
        self.lumen_mm.insert(j + 1, self.lumen_mm[j + 1]);
        self.rest_mm[j] = rest * s;
        self.rest_mm.insert(j + 1, rest - rest * s);
        let ta = self.edge_tangent(j);
        let tb = self.edge_tangent(j + 1);
        self.director[j] = carried(&old_d, &old_t, &ta);
        self.director.insert(j + 1, carried(&old_d, &old_t, &tb));
        self.reference_twist.insert(j + 1, 0.0);
        for (d, rate) in rates.into_iter().enumerate() {
            let theta = &mut self.devices[d].theta;
            if let Some(&middle) = theta.get(j) {
                theta[j] = middle - rate * 0.5 * rest * (1.0 - s);
                theta.insert(j + 1, middle + rate * 0.5 * rest * s);
                let rubs = &mut self.devices[d].rubs;
                let mut part = rubs[j];
                part.bound_n_mm *= 1.0 - s;
                rubs[j].bound_n_mm *= s;
                rubs.insert(j + 1, part);
            }
        }
        self.settle(j);
        self.settle(j + 1);
        self.settle(j + 2);
    }

    /// Removes node `i`, joining its two edges.
    pub(super) fn merge_at(&mut self, i: usize) {
        let (la, lb) = (self.rest_mm[i - 1], self.rest_mm[i]);
        let share = lb / (la + lb).max(1e-12);
        let total: Vec<Option<f64>> = self
            .devices
            .iter()
            .map(|d| d.theta.get(i).map(|t| t - d.theta[i - 1] + self.reference_twist[i]))
            .collect();
        let (old_t, old_d) = (self.edge_tangent(i - 1), self.director[i - 1]);
        let passed = self.reference_twist[i];
        self.nodes_mm.remove(i);
        self.velocity_mm_per_s.remove(i);
        self.tip_of.remove(i);
        self.anchors.drain(2 * i - 1..=2 * i);
        self.anchors[2 * i - 1] = Anchor::default();
        self.lumen_mm.remove(i);
        self.rest_mm[i - 1] = la + lb;
        self.rest_mm.remove(i);
        self.director.remove(i);
        self.reference_twist.remove(i);
        if let Some(next) = self.reference_twist.get_mut(i) {
            *next += passed;
        }
        let t = self.edge_tangent(i - 1);
        self.director[i - 1] = carried(&old_d, &old_t, &t);
        for (d, twist) in self.devices.iter_mut().zip(total) {
            if let Some(twist) = twist {
                d.theta[i - 1] += share * twist;
                d.theta.remove(i);
                let gone = d.rubs.remove(i);
                d.rubs[i - 1].bound_n_mm += gone.bound_n_mm;
            }
        }
        self.settle(i - 1);
        self.settle(i);
    }

    /// Twist per length of a device around edge `j`, rad/mm.
    fn twist_rate(&self, device: usize, j: usize) -> f64 {
        let theta = &self.devices[device].theta;
        let mut sum = 0.0;
        let mut length = 0.0;
        for i in [j, j + 1] {
            if i >= 1 && i < theta.len() && i + 1 < self.nodes_mm.len() {
                sum += theta[i] - theta[i - 1] + self.reference_twist[i];
                let before = if i == 1 { 0.0 } else { self.rest_mm[i - 1] };
                length += 0.5 * (before + self.rest_mm[i]);
            }
        }
        if length > 0.0 { sum / length } else { 0.0 }
    }

    /// Carries the directors from old tangents to the present ones.
    pub(super) fn transport_from(&mut self, old: &[Vec3]) {
        for (j, from) in old.iter().enumerate() {
            let t = self.edge_tangent(j);
            self.director[j] = carried(&self.director[j], from, &t);
        }
        for i in 1..self.rest_mm.len() {
            self.settle(i);
        }
    }

    /// Brings the reference twist of a vertex to its geometric value.
    fn settle(&mut self, i: usize) {
        if i >= 1 && i < self.rest_mm.len() {
            let (a, b) = (self.edge_tangent(i - 1), self.edge_tangent(i));
            self.reference_twist[i] = reference_twist(
                (&a, &self.director[i - 1]),
                (&b, &self.director[i]),
                self.reference_twist[i],
            );
        }
    }
}

/// A director carried to a new tangent, kept orthonormal.
fn carried(director: &Vec3, from: &Vec3, to: &Vec3) -> Vec3 {
    let d = parallel_transport(director, from, to);
    (d - to * to.dot(&d)).normalize()
}
