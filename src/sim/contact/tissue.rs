//! The displacement of vessels as a field in space: the tissue between them moves with them.
//!
//! A field by branch would jump where one branch's wall meets another's, and a contact on a jump has no equilibrium.
//! Here each node of a coarse grid near the vessels is a fixed mean of the knots around it, and a point the mean of the
//! 27 nodes around it by a quadratic B-spline: continuous with its gradient.

use super::grid::spline;
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

    /// Displacement of every node that knots move, mm.
    pub(super) fn field(&self, knot_mm: impl Fn(u32) -> Vec3) -> Vec<Vec3> {
        let mean = |ends: &[u32]| {
            let knots = &self.weights[ends[0] as usize..ends[1] as usize];
            knots.iter().fold(Vec3::zeros(), |sum, (i, w)| sum + knot_mm(*i) * *w)
        };
        self.from.windows(2).map(mean).collect()
    }

    /// Displacement at a point in a field of the nodes, mm, and its gradient (`g[(r, c)]` is that of component `r` along
    /// axis `c`).
    pub(super) fn at(&self, p_mm: &Vec3, field: &[Vec3]) -> (Vec3, Mat3) {
        let u = (p_mm - self.origin_mm) / CELL_MM;
        let (mut shift, mut gradient) = (Vec3::zeros(), Mat3::zeros());
        if (0..3).any(|k| !(u[k] >= 0.5 && u[k] < self.size[k] as f64 - 1.5)) {
            return (shift, gradient);
        }
        let middle: [usize; 3] = std::array::from_fn(|k| u[k].round() as usize);
        let [(wx, sx), (wy, sy), (wz, sz)] = std::array::from_fn(|k| spline(u[k] - middle[k] as f64));
        for z in 0..3 {
            for y in 0..3 {
                let row =
                    ((middle[2] + z - 1) * self.size[1] + middle[1] + y - 1) * self.size[0] + middle[0] - 1;
                for x in 0..3 {
                    let node = self.nodes[row + x];
                    if node == NONE {
                        continue;
                    }
                    let value = field[node as usize];
                    shift += value * (wx[x] * wy[y] * wz[z]);
                    let d = Vec3::new(sx[x] * wy[y] * wz[z], wx[x] * sy[y] * wz[z], wx[x] * wy[y] * sz[z]);
                    gradient += value * d.transpose();
                }
            }
        }
        (shift, gradient / CELL_MM)
    }
}
