//! The displacement of vessels as a field in space: the tissue between them moves with them.
//!
//! A field by branch would jump where one branch's wall meets another's, and a contact on a jump has no equilibrium.
//! Here each node of a coarse grid near the vessels is a fixed mean of the knots around it, and a point the trilinear
//! mean of the eight nodes of its cell: continuous, with an exact gradient, and nothing to fill in a tick.

use crate::math::{Mat3, Vec3};

/// Cell of the grid, mm.
const CELL_MM: f64 = 5.0;
/// Knots farther than this from a node do not move it, mm.
const REACH_MM: f64 = 9.0;
/// Weight of what does not move, so that the field fades beside the vessels.
const STILL_WEIGHT: f64 = 0.02;
/// No node.
const NONE: u32 = u32::MAX;

/// Weights of the knots at the nodes of a grid.
#[derive(Clone, Debug)]
pub(super) struct Tissue {
    origin_mm: Vec3,
    size: [usize; 3],
    /// Index of each grid node's weights in `from`, or none.
    nodes: Vec<u32>,
    /// `weights[from[n]..from[n + 1]]` are those of node `n`.
    from: Vec<u32>,
    weights: Vec<(u32, f64)>,
}

impl Tissue {
    /// The field of knots at places in space (unmoved), mm.
    pub(super) fn new(knots_mm: &[Vec3]) -> Self {
        let inf = knots_mm.iter().fold(Vec3::repeat(f64::INFINITY), |a, b| a.inf(b));
        let sup = knots_mm.iter().fold(Vec3::repeat(f64::NEG_INFINITY), |a, b| a.sup(b));
        let origin_mm = inf - Vec3::repeat(REACH_MM + CELL_MM);
        let size: [usize; 3] = std::array::from_fn(|k| {
            (((sup[k] - origin_mm[k] + REACH_MM + CELL_MM) / CELL_MM).ceil().max(1.0) as usize) + 1
        });
        let mut near: Vec<Vec<(u32, f64)>> = vec![Vec::new(); size[0] * size[1] * size[2]];
        for (i, x) in knots_mm.iter().enumerate() {
            let low = (x - origin_mm).map(|v| ((v - REACH_MM) / CELL_MM).floor().max(0.0) as usize);
            let high = (x - origin_mm).map(|v| ((v + REACH_MM) / CELL_MM).ceil() as usize);
            for z in low[2]..=high[2].min(size[2] - 1) {
                for y in low[1]..=high[1].min(size[1] - 1) {
                    for c in low[0]..=high[0].min(size[0] - 1) {
                        let node = origin_mm + Vec3::new(c as f64, y as f64, z as f64) * CELL_MM;
                        let away = (node - x).norm() / REACH_MM;
                        if away < 1.0 {
                            let weight = (1.0 - away * away).powi(3);
                            near[(z * size[1] + y) * size[0] + c].push((i as u32, weight));
                        }
                    }
                }
            }
        }
        let (mut nodes, mut from, mut weights) = (Vec::with_capacity(near.len()), vec![0], Vec::new());
        for list in near {
            if list.is_empty() {
                nodes.push(NONE);
                continue;
            }
            nodes.push(from.len() as u32 - 1);
            let sum: f64 = list.iter().map(|(_, w)| w).sum::<f64>() + STILL_WEIGHT;
            weights.extend(list.into_iter().map(|(i, w)| (i, w / sum)));
            from.push(weights.len() as u32);
        }
        Self { origin_mm, size, nodes, from, weights }
    }

    /// Displacement at a point, mm, and its gradient (`g[(r, c)]` is that of component `r` along axis `c`).
    pub(super) fn at(&self, p_mm: &Vec3, knot_mm: impl Fn(u32) -> Vec3) -> (Vec3, Mat3) {
        let u = (p_mm - self.origin_mm) / CELL_MM;
        let (mut shift, mut gradient) = (Vec3::zeros(), Mat3::zeros());
        if (0..3).any(|k| !(u[k] >= 0.0 && u[k] < (self.size[k] - 1) as f64)) {
            return (shift, gradient);
        }
        let cell: [usize; 3] = std::array::from_fn(|k| u[k] as usize);
        let t: Vec3 = Vec3::from_fn(|k, _| u[k] - cell[k] as f64);
        for corner in 0..8_usize {
            let up: [usize; 3] = [corner & 1, (corner >> 1) & 1, (corner >> 2) & 1];
            let index = ((cell[2] + up[2]) * self.size[1] + cell[1] + up[1]) * self.size[0] + cell[0] + up[0];
            let node = self.nodes[index];
            if node == NONE {
                continue;
            }
            let range = self.from[node as usize] as usize..self.from[node as usize + 1] as usize;
            let value = self.weights[range].iter().fold(Vec3::zeros(), |sum, (i, w)| sum + knot_mm(*i) * *w);
            let share = |k: usize| if up[k] == 1 { t[k] } else { 1.0 - t[k] };
            let slope = |k: usize| if up[k] == 1 { 1.0 / CELL_MM } else { -1.0 / CELL_MM };
            shift += value * (share(0) * share(1) * share(2));
            let d = Vec3::new(
                slope(0) * share(1) * share(2),
                share(0) * slope(1) * share(2),
                share(0) * share(1) * slope(2),
            );
            gradient += value * d.transpose();
        }
        (shift, gradient)
    }
}
