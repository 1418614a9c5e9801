//! Contact and friction of a rod: with the wall, with other rods and with far parts of itself.
//!
//! Contact is felt at sites: site `2 i` is node `i`, site `2 j + 1` the middle of edge `j`, so that a sharp crest of the
//! wall cannot lie between two nodes unfelt. A site acts on its nodes in equal parts, which keeps it in the band.

use super::Capsule;
use super::energy::{Potential, World, add_block, add_diagonal, add_mixed, add3};
use super::frames::Frames;
use super::layout::Skin;
use super::state::Anchor;
use crate::math::banded::Banded;
use crate::math::{Mat3, Vec3};
use crate::sim::contact::{WallHit, WallLaw, WallQuery};

/// Share of the normal stiffness that a friction bristle has.
const BRISTLE_SHARE: f64 = 0.5;
/// A center farther outside than this meets what lies around the vessel, mm `[D]`.
const BED_FROM_MM: f64 = 0.4;
/// Its stiffness at first, N/mm, and how that grows, N/mm2 `[D]`.
const BED: (f64, f64) = (20.0, 500.0);
/// Parts of a rod nearer than this along it do not touch each other, in diameters and at least in mm; the second is for coils.
const SELF_APART: (f64, f64) = (8.0, 10.0);
const COIL_APART: (f64, f64) = (5.0, 2.5);
/// Beyond the sum of radii, how near something must be at the start of a substep to be felt in it, mm.
const NEAR_MM: f64 = 1.5;

/// Steepest that an interpolated distance is taken to be.
const STEEPEST: f64 = 1.3;

/// First site that can move: the middle of the first edge.
pub(super) const FIRST_SITE: usize = 3;

/// Contact of one site with the wall in the present configuration, and what friction remembers of the last iterate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    /// Points into the lumen.
    pub(super) inward: Vec3,
    /// What the turning of the normal adds to the stiffness, N/mm.
    pub(super) turning: Mat3,
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
            turning: Mat3::zeros(),
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
    slope: f64,
    bend_per_mm: Mat3,
    radius_mm: f64,
}

/// Contacts of a solve.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    pub(super) anchors: Vec<Anchor>,
    pub(super) touches: Vec<Touch>,
    /// Where the wall was asked last for each site; the answer is in `hits`.
    asked: Vec<Option<Vec3>>,
    hits: Vec<Hit>,
    /// Pieces of rods near a site, by site; `near_from[s]..near_from[s + 1]` are those of site `s`.
    near: Vec<Capsule>,
    near_from: Vec<u32>,
}

/// Energy, secant stiffness and whether it slips, of a bristle that slips at `bound`.
pub(super) fn bristle(stiffness: f64, bound: f64, u: f64) -> (f64, f64, bool) {
    if stiffness * u <= bound {
        (0.5 * stiffness * u * u, stiffness, false)
    } else {
        (bound * u - 0.5 * bound * bound / stiffness, bound / u, true)
    }
}

/// Energy (N mm), force (N) and stiffness (N/mm) of what lies around a vessel against a center `outside_mm` the wall.
pub(super) fn bed_response(outside_mm: f64) -> (f64, f64, f64) {
    let d = (outside_mm - BED_FROM_MM).max(0.0);
    if d <= 0.0 {
        return (0.0, 0.0, 0.0);
    }
    let (a, b) = BED;
    (0.5 * a * d * d + b * d * d * d / 3.0, a * d + b * d * d, a + 2.0 * b * d)
}

/// Number of sites of a rod of `nodes`.
pub(super) fn sites(nodes: usize) -> usize {
    (2 * nodes).saturating_sub(1)
}

/// The edge whose material a site belongs to: the one before a node, the edge itself at its middle.
pub(super) fn edge_of(site: usize) -> usize {
    if site.is_multiple_of(2) { (site / 2).saturating_sub(1) } else { site / 2 }
}

/// The node whose skin a site has: the node, or the distal end of the edge.
pub(super) fn skin_of(site: usize) -> usize {
    site.div_ceil(2)
}

/// Position of a site.
pub(super) fn position(x: &[Vec3], site: usize) -> Vec3 {
    let i = site / 2;
    if site.is_multiple_of(2) { x[i] } else { (x[i] + x[i + 1]) * 0.5 }
}

impl Contacts {
    /// Forgets the wall of the last solve and sizes the buffers for `nodes`.
    pub(super) fn reset(&mut self, nodes: usize) {
        let n = sites(nodes);
        self.touches.clear();
        self.touches.resize(n, Touch::default());
        self.asked.clear();
        self.asked.resize(n, None);
        self.hits.clear();
        self.hits.resize(n, Hit { radius_mm: 1e6, ..Hit::default() });
        self.near.clear();
        self.near_from.clear();
        self.near_from.resize(n + 1, 0);
    }

    /// Radius of the lumen at a node when last asked, mm.
    pub(super) fn lumen_mm(&self, node: usize) -> f64 {
        self.hits[2 * node].radius_mm
    }

    /// The wall at a site; `None` where it is too far to be touched.
    fn ask(&mut self, s: usize, x: &Vec3, radius_mm: f64, wall: &dyn WallQuery) -> Option<Hit> {
        if let Some(at) = self.asked[s] {
            let moved = (x - at).norm();
            // The distance to the wall changes hardly faster than the point moves.
            if STEEPEST * moved < self.hits[s].inside_mm - radius_mm {
                return None;
            }
            if moved == 0.0 {
                return Some(self.hits[s]);
            }
        }
        let WallHit { inside_mm, inward, slope, bend_per_mm, radius_mm, .. } = wall.at(x);
        self.asked[s] = Some(*x);
        self.hits[s] = Hit { inside_mm, inward, slope, bend_per_mm, radius_mm };
        Some(self.hits[s])
    }

    /// Notes which pieces of other rods, and of the rod itself farther along, lie near each site.
    pub(super) fn look_around(
        &mut self,
        x: &[Vec3],
        skins: &[Skin],
        arc_mm: &[f64],
        live: usize,
        others: &[Capsule],
    ) {
        self.near.clear();
        let others = within_reach(x, skins, others);
        let n = x.len();
        for s in 0..sites(n) {
            self.near_from[s] = self.near.len() as u32;
            if s < FIRST_SITE || s >= sites(live) {
                continue;
            }
            let (p, skin) = (position(x, s), &skins[skin_of(s)]);
            let r = skin.radius_mm;
            self.near.extend(others.iter().filter(|c| c.distance_mm(&p) < c.radius_mm + r + NEAR_MM));
            let (diameters, least_mm) = if skin.is_coil { COIL_APART } else { SELF_APART };
            let apart = (diameters * 2.0 * r).max(least_mm);
            let here = if s % 2 == 0 { arc_mm[s / 2] } else { 0.5 * (arc_mm[s / 2] + arc_mm[s / 2 + 1]) };
            let mut j = 1;
            while j + 1 < n {
                let piece = Capsule { a_mm: x[j], b_mm: x[j + 1], radius_mm: skins[j + 1].radius_mm };
                let gap = piece.distance_mm(&p) - piece.radius_mm - r - NEAR_MM;
                let along = (arc_mm[j] - here).max(here - arc_mm[j + 1]);
                if gap < 0.0 && along > apart {
                    self.near.push(piece);
                }
                // Nothing along the rod comes nearer than by its own length.
                let from = arc_mm[j];
                j += 1;
                while j + 1 < n && arc_mm[j + 1] - from < gap {
                    j += 1;
                }
            }
        }
        let last = sites(n);
        self.near_from[last] = self.near.len() as u32;
    }

    /// How deep a site lies in the pieces near it; `None` where it is clear of them.
    fn overlap(&self, s: usize, x: &Vec3, radius_mm: f64) -> Option<Overlap> {
        let near = &self.near[self.near_from[s] as usize..self.near_from[s + 1] as usize];
        let depth = |c: &Capsule| {
            let (away, tangent) = c.away_mm(x);
            let distance = away.norm();
            let depth = c.radius_mm + radius_mm - distance;
            (depth > 0.0 && distance > 1e-9).then(|| (depth, away / distance, tangent, distance))
        };
        let sum: f64 = near.iter().filter_map(depth).map(|d| d.0.powi(4)).sum();
        if sum <= 0.0 {
            return None;
        }
        let whole = sum.sqrt().sqrt();
        let mut out =
            Overlap { depth_mm: whole, out: Vec3::zeros(), gauss: Mat3::zeros(), turning: Mat3::zeros() };
        for (d, n, t, distance) in near.iter().filter_map(depth) {
            let share = d / whole;
            out.out += n * share.powi(3);
            out.gauss += n * n.transpose() * (3.0 * share * share);
            let across = Mat3::identity() - n * n.transpose() - t * t.transpose();
            out.turning -= across * (whole * share.powi(3) / distance);
        }
        out.gauss -= out.out * out.out.transpose() * 2.0;
        Some(out)
    }
}

/// Overlap of a site with pieces of rods, for the energy `k D^2 / 2`.
///
/// The depth is the 4-norm of the depths in all pieces: on the inside of a loop a site lies between two pieces, and the deeper
/// one alone would leave a kink there, on which a solve never comes to rest.
struct Overlap {
    /// D, mm.
    depth_mm: f64,
    /// Minus its gradient: out of the pieces.
    out: Vec3,
    /// Hessian of `D^2 / 2` with the pieces' normals held, and what their turning adds.
    gauss: Mat3,
    turning: Mat3,
}

/// Those pieces that come near the box around a rod.
fn within_reach(x: &[Vec3], skins: &[Skin], others: &[Capsule]) -> Vec<Capsule> {
    let free = x.iter().skip(1);
    let (lo, hi) =
        free.fold((Vec3::repeat(f64::MAX), Vec3::repeat(f64::MIN)), |(l, h), p| (l.inf(p), h.sup(p)));
    let widest = skins.iter().map(|s| s.radius_mm).fold(0.0, f64::max);
    let is_near = |c: &&Capsule| {
        let reach = c.radius_mm + widest + NEAR_MM;
        let (a, b) = (c.a_mm.inf(&c.b_mm), c.a_mm.sup(&c.b_mm));
        (0..3).all(|k| b[k] + reach >= lo[k] && a[k] - reach <= hi[k])
    };
    others.iter().filter(is_near).copied().collect()
}

impl Capsule {
    /// From the nearest point of the axis to `x`, mm; and the direction of the axis, zero beyond its ends.
    fn away_mm(&self, x: &Vec3) -> (Vec3, Vec3) {
        let axis = self.b_mm - self.a_mm;
        let t = (x - self.a_mm).dot(&axis) / axis.norm_squared().max(1e-12);
        let tangent = if (0.0..=1.0).contains(&t) { axis / axis.norm().max(1e-9) } else { Vec3::zeros() };
        (x - (self.a_mm + axis * t.clamp(0.0, 1.0)), tangent)
    }

    /// Distance of a point from the axis, mm.
    fn distance_mm(&self, x: &Vec3) -> f64 {
        self.away_mm(x).0.norm()
    }
}

impl Potential {
    /// Length of device that a site stands for, mm; half of each cell belongs to the node, half to the edges' middles.
    pub(super) fn site_length_mm(&self, s: usize) -> f64 {
        0.5 * if s.is_multiple_of(2) { self.layout.skins[s / 2].length_mm } else { self.rest_mm[s / 2] }
    }

    /// Brings the contacts to a configuration and returns their energy.
    pub(super) fn touch_wall(&mut self, frames: &Frames, world: &World<'_>) -> f64 {
        let last = self.contacts.touches.len() - 1;
        let mut energy = 0.0;
        for s in FIRST_SITE..sites(self.layout.live_nodes()) {
            let (x, radius) = (position(&frames.x, s), self.layout.skins[skin_of(s)].radius_mm);
            let patch = if s == last { world.law.tip_patch_mm } else { 0.0 };
            let length = self.site_length_mm(s) + patch;
            if let Some(o) = self.contacts.overlap(s, &x, radius) {
                energy += 0.5 * world.law.stiffness_n_per_mm2 * length * o.depth_mm * o.depth_mm;
            }
            let hit = self.contacts.ask(s, &x, radius, world.wall);
            let touch = &mut self.contacts.touches[s];
            (touch.force_n, touch.stiffness, touch.depth_mm) = (0.0, 0.0, -radius);
            let Some(hit) = hit else { continue };
            let depth = radius - hit.inside_mm;
            touch.depth_mm = depth;
            if depth <= 0.0 {
                continue;
            }
            let (mut e, mut f, mut k) = world.law.response(depth, length);
            if world.law.stiffness_n_per_mm2 > 0.0 {
                let bed = bed_response(depth - radius);
                (e, f, k) = (e + bed.0, f + bed.1, k + bed.2);
            }
            energy += e;
            (touch.force_n, touch.stiffness) = (f * hit.slope, k * hit.slope * hit.slope);
            touch.inward = hit.inward;
            touch.turning = hit.bend_per_mm * -f;
        }
        energy
    }

    /// Takes normals and normal forces of the present configuration as those that friction sees.
    pub(super) fn lag_friction(&mut self, frames: &Frames) {
        for (s, touch) in self.contacts.touches.iter_mut().enumerate().skip(FIRST_SITE) {
            touch.lag_force_n = touch.force_n;
            if touch.force_n > 0.0 {
                touch.lag_normal = touch.inward;
                let b = touch.inward.cross(&frames.tangent[edge_of(s)]);
                let l = b.norm();
                touch.lag_across = if l > 1e-3 { b / l } else { Vec3::zeros() };
            }
        }
    }

    /// Stiffness that a bristle has at a normal force.
    pub(super) fn bristle_stiffness(law: &WallLaw, length_mm: f64, normal_n: f64) -> f64 {
        BRISTLE_SHARE * (law.stiffness_n_per_mm2 * length_mm + normal_n / law.stiffening_mm)
    }

    /// Slip of the contact at a site against its anchor, as a vector in the tangent plane, mm.
    fn slip(&self, frames: &Frames, s: usize) -> Vec3 {
        let (anchor, touch) = (&self.contacts.anchors[s], &self.contacts.touches[s]);
        let skin = &self.layout.skins[skin_of(s)];
        let d = position(&frames.x, s) - anchor.point_mm;
        let theta = frames.theta[skin.device].get(edge_of(s)).copied().unwrap_or(anchor.theta);
        d - touch.lag_normal * touch.lag_normal.dot(&d)
            + touch.lag_across * (skin.radius_mm * (theta - anchor.theta))
    }

    /// Friction at a site: (slip, energy, secant stiffness, slipping); none without friction.
    pub(super) fn friction_at(
        &self,
        frames: &Frames,
        law: &WallLaw,
        s: usize,
    ) -> Option<(Vec3, f64, f64, bool)> {
        let touch = &self.contacts.touches[s];
        if !self.contacts.anchors[s].active || touch.lag_force_n <= 0.0 || touch.bristle <= 0.0 {
            return None;
        }
        let bound = self.layout.skins[skin_of(s)].friction * law.friction_factor * touch.lag_force_n;
        let u = self.slip(frames, s);
        let (e, secant, slipping) = bristle(touch.bristle, bound, u.norm());
        Some((u, e, secant, slipping))
    }

    /// Adds gradient and Hessian of contact and friction at a site.
    pub(super) fn assemble_site(
        &self,
        frames: &Frames,
        world: &World<'_>,
        s: usize,
        exact: bool,
        g: &mut [f64],
        h: &mut Banded,
    ) {
        let touch = &self.contacts.touches[s];
        let skin = &self.layout.skins[skin_of(s)];
        let mut force = Vec3::zeros();
        let mut k = Mat3::zeros();
        let mut felt = false;
        if touch.force_n > 0.0 {
            felt = true;
            let normal = touch.inward;
            force -= normal * touch.force_n;
            k += normal * normal.transpose() * touch.stiffness;
            // A round lumen holds a contact from the sides: its normal turns as the contact moves around. A crest pushes
            // it aside, which only the exact Hessian may hold.
            if exact {
                k += touch.turning;
            } else {
                let across = frames.tangent[edge_of(s)].cross(&normal);
                k += across * across.transpose() * across.dot(&(touch.turning * across)).max(0.0);
            }
        }
        if let Some(o) = self.contacts.overlap(s, &position(&frames.x, s), skin.radius_mm) {
            felt = true;
            let patch = if s + 1 == self.contacts.touches.len() { world.law.tip_patch_mm } else { 0.0 };
            let stiffness = world.law.stiffness_n_per_mm2 * (self.site_length_mm(s) + patch);
            force -= o.out * (stiffness * o.depth_mm);
            k += o.gauss * stiffness;
            if exact {
                k += o.turning * stiffness;
            }
        }
        let mut turn = None;
        if let Some((u, _, secant, slipping)) = self.friction_at(frames, &world.law, s) {
            felt = true;
            let mut plane = Mat3::identity() - touch.lag_normal * touch.lag_normal.transpose();
            if slipping {
                let along = u.normalize();
                plane -= along * along.transpose();
            }
            force += u * secant;
            k += plane * secant;
            let lever = touch.lag_across * skin.radius_mm;
            if let Some(&t) = self.layout.theta_dof[skin.device].get(edge_of(s)) {
                let mixed = plane * lever * secant;
                g[t as usize] += secant * u.dot(&lever);
                h.add(t as usize, t as usize, lever.dot(&mixed));
                turn = Some((t, mixed));
            }
        }
        if felt {
            self.spread(s, &force, &k, turn, g, h);
        }
    }

    /// Hands what a site feels to its nodes.
    fn spread(
        &self,
        s: usize,
        force: &Vec3,
        k: &Mat3,
        turn: Option<(u32, Vec3)>,
        g: &mut [f64],
        h: &mut Banded,
    ) {
        let i = s / 2;
        let (nodes, share) = if s.is_multiple_of(2) { (&[i][..], 1.0) } else { (&[i, i + 1][..], 0.5) };
        for &node in nodes {
            let dof = self.layout.x_dof[node];
            add3(g, dof, &(force * share));
            add_diagonal(h, dof, &(k * (share * share)));
            if let Some((t, mixed)) = turn {
                add_mixed(h, dof, t, &(mixed * share));
            }
        }
        if let [a, b] = *nodes {
            add_block(h, self.layout.x_dof[a], self.layout.x_dof[b], &(k * (share * share)));
        }
    }
}
