//! The incremental potential of a step: energy, gradient and Hessian.
//!
//! `Psi(q) = |x - x~|_M^2 / (2 dt^2) + stretch + bend + twist + damping + wall + friction - loads`.
//! Friction enters with the normal forces and tangent planes of the last iterate (lagged), so `Psi` stays a potential.

use super::bend::{AngleBlock, EdgeBlock, Strain, add_vertex};
use super::frames::Frames;
use super::layout::{FIXED, Layout};
use super::loads::Loads;
use super::touch::{Contacts, FIRST_SITE, bristle, sites};
use crate::math::banded::Banded;
use crate::math::{Mat3, Vec3};
use crate::sim::contact::{WallLaw, WallQuery};

/// Drag of blood and everything else that slows a free flight, N s per mm of travel and mm of length `[D]`.
pub(super) const DRAG_N_S_PER_MM2: f64 = 1.0e-6;

/// Rubbing in rotation of a device in its carrier on one edge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rub {
    /// Index of the carrier; meaningless without `bound`.
    pub(super) carrier: usize,
    /// Largest torque, N mm.
    pub(super) bound: f64,
    /// Torque per angle before slip, N mm/rad.
    pub(super) bristle: f64,
    /// Angle between the two at rest.
    pub(super) anchor: f64,
}

/// The environment of a solve.
pub(super) struct World<'a> {
    pub(super) wall: &'a dyn WallQuery,
    pub(super) law: WallLaw,
    pub(super) loads: &'a Loads,
}

/// Data of the potential beside the layout.
#[derive(Debug, Default)]
pub(super) struct Potential {
    pub(super) layout: Layout,
    pub(super) rest_mm: Vec<f64>,
    /// Inertia: target and weight `m / dt^2` per node.
    pub(super) inertia_target: Vec<Vec3>,
    pub(super) inertia_weight: Vec<f64>,
    /// Drag: start of the step and weight `c / dt` per node.
    pub(super) drag_from: Vec<Vec3>,
    pub(super) drag_weight: Vec<f64>,
    pub(super) hub_angle: Vec<f64>,
    pub(super) contacts: Contacts,
    /// Per device, per edge.
    pub(super) rubs: Vec<Vec<Rub>>,
    /// Lagged tip couple.
    couple: Vec3,
}

impl Potential {
    /// Takes friction and the direction of the tip couple from the present configuration.
    pub(super) fn lag(&mut self, frames: &Frames, loads: &Loads) {
        self.lag_friction(frames);
        let last = frames.tangent.len() - 1;
        self.couple = loads.tip_moment_n_mm.cross(&frames.tangent[last]) / frames.length[last];
    }

    /// Energy of what is lagged (friction, tip couple) in a configuration.
    pub(super) fn lagged_energy(&self, frames: &Frames, world: &World<'_>) -> f64 {
        let n = frames.x.len();
        let friction: f64 = (FIRST_SITE..sites(self.layout.live_nodes()))
            .map(|s| self.friction_at(frames, &world.law, s).map_or(0.0, |f| f.1))
            .sum();
        friction - self.couple.dot(&(frames.x[n - 1] - frames.x[n - 2]))
    }

    /// Energy of a configuration without what is lagged; brings the contacts to it.
    pub(super) fn energy(&mut self, frames: &Frames, world: &World<'_>) -> f64 {
        let n = self.layout.nodes;
        let mut sum = self.touch_wall(frames, world);
        for i in 0..n {
            let x = frames.x[i];
            sum += 0.5 * self.inertia_weight[i] * (x - self.inertia_target[i]).norm_squared();
            sum += 0.5 * self.drag_weight[i] * (x - self.drag_from[i]).norm_squared();
        }
        for j in 0..n - 1 {
            let strain = frames.length[j] / self.rest_mm[j] - 1.0;
            sum += 0.5 * self.layout.axial_n[j] * strain * strain * self.rest_mm[j];
        }
        for i in 1..n - 1 {
            let corner = frames.corner(i);
            for d in 0..frames.theta.len() {
                if i < self.layout.reach[d] {
                    let s = self.strain(frames, &corner, d, i);
                    sum +=
                        0.5 * s.bend * (s.dk[0] * s.dk[0] + s.dk[1] * s.dk[1]) + 0.5 * s.twist * s.dm * s.dm;
                }
            }
        }
        for (d, theta) in frames.theta.iter().enumerate() {
            if let Some(first) = theta.first() {
                let a = first - self.hub_angle[d];
                sum += 0.5 * self.layout.hub_spring[d] * a * a;
            }
            for (j, rub) in self.rubs[d].iter().enumerate().filter(|(_, r)| r.bound > 0.0) {
                let a = theta[j] - frames.theta[rub.carrier][j] - rub.anchor;
                sum += bristle(rub.bristle, rub.bound, a.abs()).0;
            }
        }
        sum + self.load_energy(frames, world.loads)
    }

    /// Deviations of a device at a vertex.
    fn strain(&self, frames: &Frames, corner: &super::bend::Corner, d: usize, i: usize) -> Strain {
        let spring = &self.layout.springs[d][i];
        let k = corner.curvatures(&frames.directors(d, i));
        Strain {
            bend: spring.bend,
            k,
            dk: [k[0] - spring.rest[0], k[1] - spring.rest[1]],
            twist: spring.twist,
            dm: frames.twist(d, i) - spring.rest_twist,
        }
    }

    /// Gradient and Hessian at a configuration whose contacts are up to date.
    pub(super) fn assemble(
        &self,
        frames: &Frames,
        world: &World<'_>,
        exact: bool,
        g: &mut Vec<f64>,
        h: &mut Banded,
    ) {
        g.clear();
        g.resize(self.layout.unknowns, 0.0);
        h.reset(self.layout.unknowns, self.layout.half_bandwidth);
        let n = self.layout.nodes;
        let dofs = &self.layout.x_dof;
        for (i, &dof) in dofs.iter().enumerate().take(n) {
            let (m, c) = (self.inertia_weight[i], self.drag_weight[i]);
            let x = frames.x[i];
            add3(g, dof, &((x - self.inertia_target[i]) * m + (x - self.drag_from[i]) * c));
            add_diagonal(h, dof, &(Mat3::identity() * (m + c)));
        }
        for s in FIRST_SITE..sites(self.layout.live_nodes()) {
            self.assemble_site(frames, world, s, exact, g, h);
        }
        for j in 0..n - 1 {
            let (rest, ea, t) = (self.rest_mm[j], self.layout.axial_n[j], frames.tangent[j]);
            let tension = ea * (frames.length[j] / rest - 1.0);
            add3(g, dofs[j], &(-t * tension));
            add3(g, dofs[j + 1], &(t * tension));
            let mut k = t * t.transpose() * (ea / rest);
            if exact || tension > 0.0 {
                k += (Mat3::identity() - t * t.transpose()) * (tension / frames.length[j]);
            }
            add_diagonal(h, dofs[j], &k);
            add_diagonal(h, dofs[j + 1], &k);
            add_block(h, dofs[j], dofs[j + 1], &-k);
        }
        for i in 1..n - 1 {
            self.assemble_vertex(frames, i, exact, g, h);
        }
        self.assemble_angles(frames, g, h);
        let last = dofs.len() - 1;
        add3(g, dofs[last], &-self.couple);
        add3(g, dofs[last - 1], &self.couple);
        self.assemble_loads(frames, world.loads, g, h);
    }

    /// Bending and twisting of all devices at a vertex.
    fn assemble_vertex(&self, frames: &Frames, i: usize, exact: bool, g: &mut [f64], h: &mut Banded) {
        let corner = frames.corner(i);
        let dofs = &self.layout.x_dof;
        let (before, here, after) = (dofs[i - 1], dofs[i], dofs[i + 1]);
        let mut edges = EdgeBlock::default();
        for d in 0..frames.theta.len() {
            if i >= self.layout.reach[d] || self.layout.springs[d][i].bend <= 0.0 {
                continue;
            }
            let s = self.strain(frames, &corner, d, i);
            let mut angles = AngleBlock::default();
            add_vertex(&corner, &frames.directors(d, i), &s, exact, &mut edges, &mut angles);
            let t = [self.layout.theta_dof[d][i - 1], self.layout.theta_dof[d][i]];
            for k in 0..2 {
                g[t[k] as usize] += angles.g[k];
                add_mixed(h, before, t[k], &-angles.e[k]);
                add_mixed(h, here, t[k], &(angles.e[k] - angles.f[k]));
                add_mixed(h, after, t[k], &angles.f[k]);
            }
            h.add(t[0] as usize, t[0] as usize, angles.tt[0]);
            h.add(t[1] as usize, t[0] as usize, angles.tt[1]);
            h.add(t[1] as usize, t[1] as usize, angles.tt[2]);
        }
        add3(g, before, &-edges.ge);
        add3(g, here, &(edges.ge - edges.gf));
        add3(g, after, &edges.gf);
        add_diagonal(h, before, &edges.ee);
        add_diagonal(h, here, &(edges.ee + edges.ff - edges.ef - edges.ef.transpose()));
        add_diagonal(h, after, &edges.ff);
        add_block(h, before, here, &(edges.ef - edges.ee));
        add_block(h, before, after, &-edges.ef);
        add_block(h, here, after, &(edges.ef - edges.ff));
    }

    /// Hub springs and rubbing in rotation.
    fn assemble_angles(&self, frames: &Frames, g: &mut [f64], h: &mut Banded) {
        for (d, theta) in frames.theta.iter().enumerate() {
            let dofs = &self.layout.theta_dof[d];
            if let Some(first) = theta.first() {
                let (k, t) = (self.layout.hub_spring[d], dofs[0] as usize);
                g[t] += k * (first - self.hub_angle[d]);
                h.add(t, t, k);
            }
            for (j, rub) in self.rubs[d].iter().enumerate().filter(|(_, r)| r.bound > 0.0) {
                let a = theta[j] - frames.theta[rub.carrier][j] - rub.anchor;
                let (_, secant, slipping) = bristle(rub.bristle, rub.bound, a.abs());
                let (t, c) = (dofs[j] as usize, self.layout.theta_dof[rub.carrier][j] as usize);
                g[t] += secant * a;
                g[c] -= secant * a;
                if !slipping {
                    h.add(t, t, secant);
                    h.add(c, c, secant);
                    h.add(t, c, -secant);
                }
            }
        }
    }
}

/// Adds a vector at a node's unknowns.
pub(super) fn add3(g: &mut [f64], dof: u32, v: &Vec3) {
    if dof != FIXED {
        let at = dof as usize;
        g[at] += v.x;
        g[at + 1] += v.y;
        g[at + 2] += v.z;
    }
}

/// Adds a symmetric block of a node with itself.
pub(super) fn add_diagonal(h: &mut Banded, dof: u32, m: &Mat3) {
    if dof == FIXED {
        return;
    }
    let at = dof as usize;
    for r in 0..3 {
        for c in 0..=r {
            h.add(at + r, at + c, m[(r, c)]);
        }
    }
}

/// Adds a block between two nodes.
pub(super) fn add_block(h: &mut Banded, row: u32, column: u32, m: &Mat3) {
    if row == FIXED || column == FIXED {
        return;
    }
    for r in 0..3 {
        for c in 0..3 {
            h.add(row as usize + r, column as usize + c, m[(r, c)]);
        }
    }
}

/// Adds a block between a node and an angle.
pub(super) fn add_mixed(h: &mut Banded, node: u32, angle: u32, v: &Vec3) {
    if node != FIXED {
        for r in 0..3 {
            h.add(node as usize + r, angle as usize, v[r]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Anchor;
    use super::*;
    use crate::sim::contact::analytic::StraightTube;

    /// A bent, twisted rod of two devices against a wall, with everything but friction.
    fn bench() -> (Potential, Frames) {
        let n = 7;
        let mut p = Potential { rest_mm: vec![1.0, 2.0, 2.5, 1.8, 2.2, 2.0], ..Potential::default() };
        (p.layout.rests_from, p.layout.nodes) = (n, n);
        p.layout.reach = vec![6, 4];
        let mut next = 0;
        p.layout.theta_dof = vec![Vec::new(), Vec::new()];
        for i in 0..n {
            p.layout.x_dof.push(if i < 2 { FIXED } else { next });
            next += if i < 2 { 0 } else { 3 };
            for d in 0..2 {
                if i < p.layout.reach[d] {
                    p.layout.theta_dof[d].push(next);
                    next += 1;
                }
            }
        }
        p.layout.unknowns = next as usize;
        p.layout.half_bandwidth = 12;
        p.layout.hub_spring = vec![3.0, 2.0];
        p.layout.axial_n = vec![50.0; n - 1];
        p.hub_angle = vec![0.4, -0.2];
        p.contacts.anchors = vec![Anchor::default(); sites(n)];
        p.rubs = vec![Vec::new(), vec![Rub { carrier: 0, bound: 1.0, bristle: 0.7, anchor: 0.1 }; 4]];
        let mut f = Frames::default();
        for i in 0..n {
            let s = i as f64;
            p.layout.skins.push(super::super::layout::Skin {
                radius_mm: 0.4,
                length_mm: 2.0,
                ..Default::default()
            });
            f.x.push(if i < 2 {
                Vec3::new(0.0, 0.0, s - 1.0)
            } else {
                Vec3::new(0.4 * (s - 1.0) * (s * 0.9).sin(), 0.15 * (s - 1.0).powi(2), 1.7 * (s - 1.0))
            });
            p.inertia_target.push(Vec3::new(0.3, 0.1, s));
            p.drag_from.push(Vec3::new(0.0, 0.2, s));
        }
        p.inertia_weight = vec![0.5; n];
        p.drag_weight = vec![0.2; n];
        for (d, reach) in p.layout.reach.clone().into_iter().enumerate() {
            let spring = super::super::layout::VertexSpring {
                bend: 4.0 + d as f64,
                rest: [0.3, -0.2],
                twist: 3.0,
                rest_twist: 0.1,
            };
            p.layout.springs.push(vec![spring; n]);
            f.theta.push((0..reach).map(|j| 0.3 * (j as f64 + d as f64).cos()).collect());
        }
        // Begin with directors of a straight rod along z and carry them to the shape.
        let mut straight = f.clone();
        straight.tangent = vec![Vec3::z(); n - 1];
        straight.director = vec![Vec3::x(); n - 1];
        straight.reference_twist = vec![0.0; n];
        f.follow(&straight);
        p.contacts.reset(n);
        (p, f)
    }

    type Dofs = (Vec<u32>, Vec<Vec<u32>>);

    /// Moves two unknowns at once, transported in one go as the line search does.
    fn moved(dofs: &Dofs, f: &Frames, moves: [(usize, f64); 2]) -> Frames {
        let mut out = f.clone();
        for (dof, by) in moves {
            for (x, &first) in out.x.iter_mut().zip(&dofs.0) {
                if first != FIXED && (first as usize..first as usize + 3).contains(&dof) {
                    x[dof - first as usize] += by;
                }
            }
            for (theta, dofs) in out.theta.iter_mut().zip(&dofs.1) {
                for (t, &k) in theta.iter_mut().zip(dofs) {
                    *t += if k as usize == dof { by } else { 0.0 };
                }
            }
        }
        out.follow(f);
        out
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "tests print residuals")]
    fn gradient_and_exact_hessian_are_differences_of_the_energy() {
        let (mut p, f) = bench();
        let wall = StraightTube { radius_mm: 1.5 };
        let law = WallLaw { stiffness_n_per_mm2: 0.0, ..WallLaw::default() };
        let loads = Loads { tip_force_n: Vec3::new(0.1, 0.2, -0.3), ..Loads::default() };
        let world = World { wall: &wall, law, loads: &loads };
        let e0 = p.energy(&f, &world);
        let (mut g, mut h) = (Vec::new(), Banded::default());
        p.assemble(&f, &world, true, &mut g, &mut h);
        let n = p.layout.unknowns;
        let dofs: Dofs = (p.layout.x_dof.clone(), p.layout.theta_dof.clone());
        let step = 1e-5;
        let mut worst: f64 = 0.0;
        let mut worst_h: f64 = 0.0;
        for (k, g_k) in g.iter().enumerate().take(n) {
            let mut at = |a: f64, m: usize, b: f64| p.energy(&moved(&dofs, &f, [(k, a), (m, b)]), &world);
            let (eh, el) = (at(step, 0, 0.0), at(-step, 0, 0.0));
            worst = worst.max(((eh - el) / (2.0 * step) - g_k).abs() / (1.0 + g_k.abs()));
            // The gradient is exact only with frames of its own configuration, so the Hessian is checked by energies.
            for m in 0..=k {
                let d = 1e-3;
                let found = (at(d, m, d) - at(d, m, -d) - at(-d, m, d) + at(-d, m, -d)) / (4.0 * d * d);
                let have = h.get(k, m);
                worst_h = worst_h.max((found - have).abs() / (10.0 + have.abs()));
            }
        }
        println!("gradient off by {worst:.1e}, Hessian by {worst_h:.1e}");
        assert!(e0.is_finite() && worst < 1e-7, "gradient off by {worst:e}");
        assert!(worst_h < 2e-5, "Hessian off by {worst_h:e}");
    }
}
