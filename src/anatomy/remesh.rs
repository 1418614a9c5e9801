//! Even triangles on a closed surface: edge split, collapse and flip, tangential smoothing, and a step back onto the
//! surface (Botsch and Kobbelt 2004), with an edge length that may vary from place to place.

use rayon::prelude::*;

use super::Mesh;
use crate::math::Vec3;

/// Longest and shortest edge over the wished one.
const LONG: f64 = 4.0 / 3.0;
const SHORT: f64 = 4.0 / 5.0;
/// An edge below this share of the wished one is a flaw.
const TINY: f64 = 0.2;
/// A triangle may not turn farther than this (cosine) in one operation.
const LEAST_TURN_COSINE: f64 = 0.3;
/// Marks a triangle that is gone.
const GONE: u32 = u32::MAX;

/// What the surface wants of a mesh.
pub(super) struct Target<'a> {
    /// Wished edge length near a point, mm.
    pub(super) edge_mm: &'a (dyn Fn(&Vec3) -> f64 + Sync),
    /// The nearest point of the surface.
    pub(super) onto: &'a (dyn Fn(&Vec3) -> Vec3 + Sync),
}

/// Remeshes a closed oriented mesh.
pub(super) fn remesh(mesh: &Mesh, target: &Target<'_>, passes: usize) -> Mesh {
    let mut work = Work::new(mesh);
    for _ in 0..passes {
        work.measure(target);
        work.split(target);
        work.collapse(target);
        work.flip();
        work.smooth(target);
    }
    work.finish()
}

/// The same surface with a vertex of its own for each fan of triangles, where fans touched at one vertex.
pub(super) fn separated(mesh: &Mesh) -> Mesh {
    let corners = mesh.triangles.len() * 3;
    let mut root: Vec<usize> = (0..corners).collect();
    fn find(root: &mut [usize], mut i: usize) -> usize {
        while root[i] != i {
            root[i] = root[root[i]];
            i = root[i];
        }
        i
    }
    // Edges with their two corners; the two sides of an edge share both of its ends.
    let mut edges: Vec<(u32, u32, usize, usize)> = Vec::with_capacity(corners);
    for (i, t) in mesh.triangles.iter().enumerate() {
        for k in 0..3 {
            let (a, b, ca, cb) = (t[k], t[(k + 1) % 3], 3 * i + k, 3 * i + (k + 1) % 3);
            edges.push(if a < b { (a, b, ca, cb) } else { (b, a, cb, ca) });
        }
    }
    edges.sort_unstable();
    for pair in edges.chunk_by(|x, y| (x.0, x.1) == (y.0, y.1)) {
        for other in &pair[1..] {
            for (c, d) in [(pair[0].2, other.2), (pair[0].3, other.3)] {
                let (c, d) = (find(&mut root, c), find(&mut root, d));
                root[c.max(d)] = c.min(d);
            }
        }
    }
    let mut index = vec![u32::MAX; corners];
    let mut out = Mesh::default();
    for (i, t) in mesh.triangles.iter().enumerate() {
        out.triangles.push(std::array::from_fn(|k| {
            let r = find(&mut root, 3 * i + k);
            if index[r] == u32::MAX {
                index[r] = out.vertices_mm.len() as u32;
                out.vertices_mm.push(mesh.vertices_mm[t[k] as usize]);
            }
            index[r]
        }));
    }
    out
}

struct Work {
    points: Vec<Vec3>,
    wished: Vec<f64>,
    triangles: Vec<[u32; 3]>,
    /// Triangles at each vertex.
    fans: Vec<Vec<u32>>,
}

impl Work {
    fn new(mesh: &Mesh) -> Self {
        let mut fans = vec![Vec::with_capacity(8); mesh.vertices_mm.len()];
        for (i, t) in mesh.triangles.iter().enumerate() {
            for v in t {
                fans[*v as usize].push(i as u32);
            }
        }
        Self { points: mesh.vertices_mm.clone(), wished: Vec::new(), triangles: mesh.triangles.clone(), fans }
    }

    fn finish(self) -> Mesh {
        let mut index = vec![u32::MAX; self.points.len()];
        let mut out = Mesh::default();
        for t in self.triangles.iter().filter(|t| t[0] != GONE) {
            out.triangles.push(t.map(|v| {
                if index[v as usize] == u32::MAX {
                    index[v as usize] = out.vertices_mm.len() as u32;
                    out.vertices_mm.push(self.points[v as usize]);
                }
                index[v as usize]
            }));
        }
        out
    }

    fn measure(&mut self, target: &Target<'_>) {
        self.wished = self.points.par_iter().map(|p| (target.edge_mm)(p)).collect();
    }

    fn wish(&self, a: u32, b: u32) -> f64 {
        self.wished[a as usize].min(self.wished[b as usize])
    }

    fn length(&self, a: u32, b: u32) -> f64 {
        (self.points[a as usize] - self.points[b as usize]).norm()
    }

    /// Undirected edges, each once, in order.
    fn edges(&self) -> Vec<(u32, u32)> {
        let mut out: Vec<(u32, u32)> = self
            .triangles
            .iter()
            .filter(|t| t[0] != GONE)
            .flat_map(|t| [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])])
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The triangle with a directed edge and the one with its reverse, when the edge has exactly these two.
    fn pair(&self, a: u32, b: u32) -> Option<[u32; 2]> {
        let mut found = [GONE; 2];
        for &t in &self.fans[a as usize] {
            let tri = self.triangles[t as usize];
            for k in 0..3 {
                let (p, q) = (tri[k], tri[(k + 1) % 3]);
                let slot = if (p, q) == (a, b) {
                    0
                } else if (p, q) == (b, a) {
                    1
                } else {
                    continue;
                };
                if found[slot] != GONE {
                    return None;
                }
                found[slot] = t;
            }
        }
        (found[0] != GONE && found[1] != GONE).then_some(found)
    }

    fn opposite(&self, t: u32, a: u32, b: u32) -> u32 {
        let tri = self.triangles[t as usize];
        tri.into_iter().find(|v| *v != a && *v != b).unwrap_or(a)
    }

    fn normal(&self, t: [u32; 3]) -> Vec3 {
        let [a, b, c] = t.map(|v| self.points[v as usize]);
        (b - a).cross(&(c - a))
    }

    fn split(&mut self, target: &Target<'_>) {
        let mut long: Vec<(u32, u32)> = self.edges();
        long.retain(|e| self.length(e.0, e.1) > LONG * self.wish(e.0, e.1));
        for (a, b) in long {
            let Some([t0, t1]) = self.pair(a, b) else { continue };
            let middle = (target.onto)(&((self.points[a as usize] + self.points[b as usize]) * 0.5));
            let m = self.points.len() as u32;
            self.points.push(middle);
            self.wished.push((target.edge_mm)(&middle));
            self.fans.push(Vec::with_capacity(8));
            for (t, from, to) in [(t0, a, b), (t1, b, a)] {
                let c = self.opposite(t, a, b);
                let new = self.triangles.len() as u32;
                self.triangles[t as usize] = [from, m, c];
                self.triangles.push([m, to, c]);
                self.fans[to as usize].retain(|x| *x != t);
                self.fans[to as usize].push(new);
                self.fans[c as usize].push(new);
                self.fans[m as usize].extend([t, new]);
            }
        }
    }

    fn neighbors(&self, a: u32) -> Vec<u32> {
        let mut out: Vec<u32> = self.fans[a as usize]
            .iter()
            .flat_map(|t| self.triangles[*t as usize])
            .filter(|v| *v != a)
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    fn collapse(&mut self, target: &Target<'_>) {
        let mut short: Vec<(f64, u32, u32)> = self
            .edges()
            .into_iter()
            .map(|(a, b)| (self.length(a, b), a, b))
            .filter(|(l, a, b)| *l < SHORT * self.wish(*a, *b))
            .collect();
        short.sort_by(|x, y| x.0.total_cmp(&y.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        for (_, a, b) in short {
            let Some([t0, t1]) = self.pair(a, b) else { continue };
            if self.length(a, b) >= SHORT * self.wish(a, b) {
                continue;
            }
            let (near_a, near_b) = (self.neighbors(a), self.neighbors(b));
            // Link condition: the two ends share the two opposite corners and nothing else.
            if near_a.iter().filter(|v| near_b.binary_search(v).is_ok()).count() != 2
                || near_a.len() + near_b.len() < 9
            {
                continue;
            }
            // An edge of next to nothing goes whatever the others become.
            let is_tiny = self.length(a, b) < TINY * self.wish(a, b);
            let (p, q) = (self.points[a as usize], self.points[b as usize]);
            let middle = (target.onto)(&((p + q) * 0.5));
            let is_long = |v: &u32| {
                (self.points[*v as usize] - middle).norm()
                    > LONG * self.wish(a, b).min(self.wished[*v as usize])
            };
            if !is_tiny && near_a.iter().chain(&near_b).any(|v| *v != a && *v != b && is_long(v)) {
                continue;
            }
            let places = if is_tiny { vec![middle, p, q] } else { vec![middle] };
            let fits = |to: &&Vec3| self.may_move(a, to, b) && self.may_move(b, to, a);
            let Some(place) = places.iter().find(fits).copied() else { continue };
            self.points[a as usize] = place;
            self.wished[a as usize] = self.wish(a, b);
            for t in [t0, t1] {
                for v in self.triangles[t as usize] {
                    self.fans[v as usize].retain(|x| *x != t);
                }
                self.triangles[t as usize] = [GONE; 3];
            }
            for t in std::mem::take(&mut self.fans[b as usize]) {
                for v in &mut self.triangles[t as usize] {
                    if *v == b {
                        *v = a;
                    }
                }
                self.fans[a as usize].push(t);
            }
        }
    }

    /// No triangle at `v` without `gone` would turn over or degenerate with `v` moved.
    fn may_move(&self, v: u32, to: &Vec3, gone: u32) -> bool {
        self.fans[v as usize].iter().all(|t| {
            let tri = self.triangles[*t as usize];
            if tri.contains(&gone) {
                return true;
            }
            let before = self.normal(tri);
            let [a, b, c] = tri.map(|x| if x == v { *to } else { self.points[x as usize] });
            let after = (b - a).cross(&(c - a));
            let longest = (b - a).norm_squared().max((c - b).norm_squared()).max((a - c).norm_squared());
            // A sliver may turn as it likes, since its direction says nothing, if it does not get thinner.
            let (n0, n1) = (before.norm(), after.norm());
            let thin_before = n0 < 0.03 * longest;
            (n1 > 0.03 * longest || (thin_before && n1 >= n0))
                && (thin_before || before.dot(&after) > LEAST_TURN_COSINE * n0 * n1)
        })
    }

    fn flip(&mut self) {
        for (a, b) in self.edges() {
            let Some([t0, t1]) = self.pair(a, b) else { continue };
            let (c, d) = (self.opposite(t0, a, b), self.opposite(t1, a, b));
            if c == d || self.fans[c as usize].iter().any(|t| self.triangles[*t as usize].contains(&d)) {
                continue;
            }
            let valence = |v: u32| self.fans[v as usize].len() as i64;
            let miss = |v: u32, change: i64| (valence(v) + change - 6).pow(2);
            let now = miss(a, 0) + miss(b, 0) + miss(c, 0) + miss(d, 0);
            let then = miss(a, -1) + miss(b, -1) + miss(c, 1) + miss(d, 1);
            // Slivers are flipped whatever the valences: the shorter diagonal is better.
            let sliver = |t: [u32; 3]| {
                let n = self.normal(t).norm();
                let l = self.length(t[0], t[1]).max(self.length(t[1], t[2])).max(self.length(t[2], t[0]));
                n / (l * l).max(1e-18)
            };
            let (old0, old1) = (self.triangles[t0 as usize], self.triangles[t1 as usize]);
            let (new0, new1) = ([c, a, d], [d, b, c]);
            let quality_now = sliver(old0).min(sliver(old1));
            let quality_then = sliver(new0).min(sliver(new1));
            let is_better = (then < now && quality_then > 0.5 * quality_now.min(0.5)) || quality_now < 0.2;
            if !is_better || quality_then < quality_now.min(0.3) || valence(a) < 5 || valence(b) < 5 {
                continue;
            }
            let mean = self.normal(old0) + self.normal(old1);
            let agrees = |t: [u32; 3]| {
                let n = self.normal(t);
                n.dot(&mean) > 0.7 * n.norm() * mean.norm()
            };
            if !agrees(new0) || !agrees(new1) {
                continue;
            }
            self.triangles[t0 as usize] = new0;
            self.triangles[t1 as usize] = new1;
            self.fans[a as usize].retain(|x| *x != t1);
            self.fans[b as usize].retain(|x| *x != t0);
            self.fans[c as usize].push(t1);
            self.fans[d as usize].push(t0);
        }
    }

    fn smooth(&mut self, target: &Target<'_>) {
        let moved: Vec<Option<Vec3>> = (0..self.points.len() as u32)
            .into_par_iter()
            .map(|v| {
                let fan = &self.fans[v as usize];
                if fan.is_empty() {
                    return None;
                }
                let p = self.points[v as usize];
                let mut normal = Vec3::zeros();
                let mut center = Vec3::zeros();
                let mut weight = 0.0;
                for t in fan {
                    let tri = self.triangles[*t as usize];
                    let n = self.normal(tri);
                    let area = n.norm();
                    let [a, b, c] = tri.map(|x| self.points[x as usize]);
                    normal += n;
                    center += (a + b + c) * (area / 3.0);
                    weight += area;
                }
                let n = normal.try_normalize(1e-15)?;
                let step = center / weight.max(1e-18) - p;
                Some((target.onto)(&(p + (step - n * n.dot(&step)) * 0.8)))
            })
            .collect();
        for (v, q) in moved.into_iter().enumerate() {
            if let Some(q) = q
                && self.may_move(v as u32, &q, GONE - 1)
            {
                self.points[v] = q;
            }
        }
    }
}
