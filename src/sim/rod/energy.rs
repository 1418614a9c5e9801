//! The incremental potential of a step: energy, gradient and Hessian.
//!
//! `Psi(q) = |x - x~|_M^2 / (2 dt^2) + stretch + bend + twist + damping + wall + friction - loads`.
//! Friction enters with the normal forces and tangent planes of the last iterate (lagged), so `Psi` stays a potential.

use super::Capsule;
use super::bend::{AngleBlock, EdgeBlock, Strain, add_vertex};
use super::frames::Frames;
use super::layout::{FIXED, Layout};
use super::state::Anchor;
use crate::math::banded::Banded;
use crate::math::{Mat3, Vec3};
use crate::sim::contact::{WallHit, WallLaw, WallQuery};

/// Share of the normal stiffness that a friction bristle has.
const BRISTLE_SHARE: f64 = 0.5;
/// Drag of blood and everything else that slows a free flight, N s per mm of travel and mm of length `[D]`.
pub(super) const DRAG_N_S_PER_MM2: f64 = 1.0e-6;

/// Loads of a bench, beside the wall's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loads {
    /// Dead force on the last node, N.
    pub tip_force_n: Vec3,
    /// Moment on the last edge, N mm (its part along the edge does nothing).
    pub tip_moment_n_mm: Vec3,
    /// Torque about the last edge on the outermost device there, N mm.
    pub tip_torque_n_mm: f64,
}

/// Contact of one node with the wall in the present configuration, and what friction remembers of the last iterate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    /// Point into the lumen, radius there.
    pub(super) inward: Vec3,
    pub(super) curvature_radius_mm: f64,
    /// Indentation (negative: clearance at the last query), mm.
    pub(super) depth_mm: f64,
    /// Force and stiffness now.
    pub(super) force_n: f64,
    pub(super) stiffness: f64,
    /// Lagged by one iterate.
    pub(super) lag_normal: Vec3,
    pub(super) lag_across: Vec3,
    pub(super) lag_force_n: f64,
    /// Bristle stiffness, N/mm; fixed in a step.
    pub(super) bristle: f64,
}

impl Default for Touch {
    fn default() -> Self {
        Self {
            inward: Vec3::zeros(),
            curvature_radius_mm: 1.0,
            depth_mm: 0.0,
            force_n: 0.0,
            stiffness: 0.0,
            lag_normal: Vec3::zeros(),
            lag_across: Vec3::zeros(),
            lag_force_n: 0.0,
            bristle: 0.0,
        }
    }
}

/// An answer of the wall.
#[derive(Clone, Copy, Debug, Default)]
struct Hit {
    inside_mm: f64,
    inward: Vec3,
    radius_mm: f64,
}

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
    pub(super) others: &'a [Capsule],
    pub(super) loads: Loads,
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
    pub(super) anchors: Vec<Anchor>,
    pub(super) touches: Vec<Touch>,
    /// Per device, per edge.
    pub(super) rubs: Vec<Vec<Rub>>,
    /// Where the wall was asked last for each node; the answer is in `hits`.
    asked: Vec<Option<Vec3>>,
    hits: Vec<Hit>,
    /// Lagged tip couple.
    couple: Vec3,
}

/// Value, slope over u and slack stiffness of a bristle that slips at `bound`: (energy, secant stiffness, slipping).
fn bristle(stiffness: f64, bound: f64, u: f64) -> (f64, f64, bool) {
    if stiffness * u <= bound {
        (0.5 * stiffness * u * u, stiffness, false)
    } else {
        (bound * u - 0.5 * bound * bound / stiffness, bound / u, true)
    }
}

impl Potential {
    /// Forgets the wall of the last solve and sizes the buffers for `nodes`.
    pub(super) fn reset_contact(&mut self, nodes: usize) {
        self.touches.clear();
        self.touches.resize(nodes, Touch::default());
        self.asked.clear();
        self.asked.resize(nodes, None);
        self.hits.clear();
        self.hits.resize(nodes, Hit { radius_mm: 1e6, ..Hit::default() });
    }

    /// Radius of the lumen at a node when last asked, mm.
    pub(super) fn lumen_mm(&self, node: usize) -> f64 {
        self.hits[node].radius_mm
    }

    /// The wall at a node; `None` where it is too far to be touched.
    fn ask(&mut self, i: usize, x: &Vec3, radius_mm: f64, wall: &dyn WallQuery) -> Option<Hit> {
        if let Some(at) = self.asked[i] {
            let moved = (x - at).norm();
            // The distance to the wall changes at most as fast as the point moves.
            if moved < self.hits[i].inside_mm - radius_mm {
                return None;
            }
            if moved == 0.0 {
                return Some(self.hits[i]);
            }
        }
        let WallHit { inside_mm, inward, radius_mm: lumen, .. } = wall.at(x);
        self.asked[i] = Some(*x);
        self.hits[i] = Hit { inside_mm, inward, radius_mm: lumen };
        Some(self.hits[i])
    }

    /// Brings the contacts to a configuration and returns their energy.
    fn touch_wall(&mut self, frames: &Frames, world: &World<'_>) -> f64 {
        let n = frames.x.len();
        let mut energy = 0.0;
        for i in 2..n {
            let (x, skin) = (frames.x[i], self.layout.skins[i]);
            let hit = self.ask(i, &x, skin.radius_mm, world.wall);
            let touch = &mut self.touches[i];
            (touch.force_n, touch.stiffness, touch.depth_mm) = (0.0, 0.0, -skin.radius_mm);
            let Some(hit) = hit else { continue };
            let depth = skin.radius_mm - hit.inside_mm;
            touch.depth_mm = depth;
            if depth <= 0.0 {
                continue;
            }
            let patch = if i + 1 == n { world.law.tip_patch_mm } else { 0.0 };
            let (e, f, s) = world.law.response(depth, skin.length_mm + patch);
            energy += e;
            touch.force_n = f;
            touch.stiffness = s;
            touch.inward = hit.inward;
            touch.curvature_radius_mm = (hit.radius_mm - hit.inside_mm).max(1e-4 * hit.radius_mm);
        }
        energy
    }

    /// Takes normals and normal forces of the present configuration as those that friction sees.
    pub(super) fn lag_friction(&mut self, frames: &Frames, loads: &Loads) {
        let n = frames.x.len();
        for (i, touch) in self.touches.iter_mut().enumerate().skip(2) {
            touch.lag_force_n = touch.force_n;
            if touch.force_n > 0.0 {
                touch.lag_normal = touch.inward;
                let t = frames.tangent[i - 1];
                let b = touch.inward.cross(&t);
                let l = b.norm();
                touch.lag_across = if l > 1e-3 { b / l } else { Vec3::zeros() };
            }
        }
        if n >= 2 {
            let t = frames.tangent[n - 2];
            self.couple = loads.tip_moment_n_mm.cross(&t) / frames.length[n - 2];
        }
    }

    /// Stiffness that a bristle has at a normal force.
    pub(super) fn bristle_stiffness(law: &WallLaw, length_mm: f64, normal_n: f64) -> f64 {
        BRISTLE_SHARE * (law.stiffness_n_per_mm2 * length_mm + normal_n / law.stiffening_mm)
    }

    /// Slip of the contact at node `i` against its anchor, as a vector in the tangent plane, mm.
    pub(super) fn slip(&self, frames: &Frames, i: usize) -> Vec3 {
        let (anchor, touch, skin) = (&self.anchors[i], &self.touches[i], &self.layout.skins[i]);
        let d = frames.x[i] - anchor.point_mm;
        let theta = frames.theta[skin.device].get(i - 1).copied().unwrap_or(anchor.theta);
        d - touch.lag_normal * touch.lag_normal.dot(&d)
            + touch.lag_across * (skin.radius_mm * (theta - anchor.theta))
    }

    /// Secant stiffness of the friction at node `i`: (slip, secant, slipping), none without friction.
    pub(super) fn friction_at(
        &self,
        frames: &Frames,
        law: &WallLaw,
        i: usize,
    ) -> Option<(Vec3, f64, f64, bool)> {
        let touch = &self.touches[i];
        if !self.anchors[i].active || touch.lag_force_n <= 0.0 || touch.bristle <= 0.0 {
            return None;
        }
        let bound = self.layout.skins[i].friction * law.friction_factor * touch.lag_force_n;
        let u = self.slip(frames, i);
        let (e, s, slipping) = bristle(touch.bristle, bound, u.norm());
        Some((u, e, s, slipping))
    }

    /// Energy of what is lagged (friction, tip couple) in a configuration.
    pub(super) fn lagged_energy(&self, frames: &Frames, world: &World<'_>) -> f64 {
        let n = frames.x.len();
        let friction: f64 =
            (2..n).map(|i| self.friction_at(frames, &world.law, i).map_or(0.0, |f| f.1)).sum();
        friction - self.couple.dot(&(frames.x[n - 1] - frames.x[n - 2]))
    }

    /// Energy of a configuration without what is lagged; brings the contacts to it.
    pub(super) fn energy(&mut self, frames: &Frames, world: &World<'_>) -> f64 {
        let n = frames.x.len();
        let mut sum = self.touch_wall(frames, world);
        for i in 2..n {
            let x = frames.x[i];
            sum += 0.5 * self.inertia_weight[i] * (x - self.inertia_target[i]).norm_squared();
            sum += 0.5 * self.drag_weight[i] * (x - self.drag_from[i]).norm_squared();
            sum += self.others(&x, i, world).map_or(0.0, |(d, _, k)| 0.5 * k * d * d);
        }
        for j in 1..n - 1 {
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
        sum -= world.loads.tip_force_n.dot(&frames.x[n - 1]);
        let end = self.layout.skins[n - 1].device;
        sum - world.loads.tip_torque_n_mm * frames.theta[end].get(n - 2).copied().unwrap_or(0.0)
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

    /// Deepest overlap with another rod: depth, direction out of it, stiffness.
    fn others(&self, x: &Vec3, i: usize, world: &World<'_>) -> Option<(f64, Vec3, f64)> {
        let skin = &self.layout.skins[i];
        let mut deepest: Option<(f64, Vec3, f64)> = None;
        for c in world.others {
            let axis = c.b_mm - c.a_mm;
            let t = ((x - c.a_mm).dot(&axis) / axis.norm_squared().max(1e-12)).clamp(0.0, 1.0);
            let away = x - (c.a_mm + axis * t);
            let distance = away.norm();
            let depth = c.radius_mm + skin.radius_mm - distance;
            if depth > 0.0 && distance > 1e-9 && deepest.is_none_or(|d| depth > d.0) {
                deepest = Some((depth, away / distance, world.law.stiffness_n_per_mm2 * skin.length_mm));
            }
        }
        deepest
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
        let n = frames.x.len();
        let dofs = &self.layout.x_dof;
        for i in 2..n {
            self.assemble_node(frames, world, i, g, h);
        }
        for j in 1..n - 1 {
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
        add3(g, dofs[n - 1], &-(world.loads.tip_force_n + self.couple));
        add3(g, dofs[n - 2], &self.couple);
        if let Some(&t) = self.layout.theta_dof[self.layout.skins[n - 1].device].get(n - 2) {
            g[t as usize] -= world.loads.tip_torque_n_mm;
        }
    }

    /// Inertia, drag, wall and friction at a node.
    fn assemble_node(&self, frames: &Frames, world: &World<'_>, i: usize, g: &mut [f64], h: &mut Banded) {
        let (x, dof, touch) = (frames.x[i], self.layout.x_dof[i], &self.touches[i]);
        let (m, c) = (self.inertia_weight[i], self.drag_weight[i]);
        let mut force = (x - self.inertia_target[i]) * m + (x - self.drag_from[i]) * c;
        let mut k = Mat3::identity() * (m + c);
        if touch.force_n > 0.0 {
            let normal = touch.inward;
            force -= normal * touch.force_n;
            k += normal * normal.transpose() * touch.stiffness;
            // A round lumen holds a contact from the sides: its normal turns as the contact moves around.
            let across = frames.tangent[i - 1].cross(&normal);
            k += across * across.transpose() * (touch.force_n / touch.curvature_radius_mm);
        }
        if let Some((depth, away, stiffness)) = self.others(&x, i, world) {
            force -= away * (stiffness * depth);
            k += away * away.transpose() * stiffness;
        }
        if let Some((u, _, s, slipping)) = self.friction_at(frames, &world.law, i) {
            let skin = &self.layout.skins[i];
            let mut plane = Mat3::identity() - touch.lag_normal * touch.lag_normal.transpose();
            if slipping {
                let along = u.normalize();
                plane -= along * along.transpose();
            }
            force += u * s;
            k += plane * s;
            let lever = touch.lag_across * skin.radius_mm;
            if let Some(&t) = self.layout.theta_dof[skin.device].get(i - 1) {
                g[t as usize] += s * u.dot(&lever);
                let mixed = plane * lever * s;
                h.add(t as usize, t as usize, lever.dot(&mixed));
                add_mixed(h, dof, t, &mixed);
            }
        }
        add3(g, dof, &force);
        add_diagonal(h, dof, &k);
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
fn add3(g: &mut [f64], dof: u32, v: &Vec3) {
    if dof != FIXED {
        let at = dof as usize;
        g[at] += v.x;
        g[at + 1] += v.y;
        g[at + 2] += v.z;
    }
}

/// Adds a symmetric block of a node with itself.
fn add_diagonal(h: &mut Banded, dof: u32, m: &Mat3) {
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
fn add_block(h: &mut Banded, row: u32, column: u32, m: &Mat3) {
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
fn add_mixed(h: &mut Banded, node: u32, angle: u32, v: &Vec3) {
    if node != FIXED {
        for r in 0..3 {
            h.add(node as usize + r, angle as usize, v[r]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::contact::analytic::StraightTube;

    /// A bent, twisted rod of two devices against a wall, with everything but friction.
    fn bench() -> (Potential, Frames) {
        let n = 7;
        let mut p = Potential { rest_mm: vec![1.0, 2.0, 2.5, 1.8, 2.2, 2.0], ..Potential::default() };
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
        p.anchors = vec![Anchor::default(); n];
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
        p.reset_contact(n);
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
        let world = World { wall: &wall, law, others: &[], loads };
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
