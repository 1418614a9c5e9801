//! The check of a built lumen: closed, manifold, outward, no self-crossing, and as wide as its tree says.

use rayon::prelude::*;

use super::build::{Topology, topology};
use super::{Anatomy, CenterlinePoint, Mesh, MeshDistance, VesselId, VesselTree};
use crate::math::{Vec3, orthogonal};

/// Distance between two measured places of a branch, mm.
const SPACING_MM: f64 = 2.0;
/// Rays across the lumen at a place.
const RAYS: usize = 32;
/// Rays that must end on the branch's own wall; fewer and the place lies in an ostium.
const LEAST_RAYS: usize = 20;
/// Ostia are rounded up to this far around, mm; see `build::field`.
const MOST_ROUNDING_MM: f64 = 6.0;
/// Coarsest cell of the search for crossings, mm.
const CELL_MM: f64 = 3.0;

/// What [`survey`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Topology of the lumen.
    pub topology: Topology,
    /// What the tree asks for: one body for each system of joined vessels, no open edge, two handles fewer per loop.
    pub wanted: Topology,
    /// Volume, mm3: positive when wound outwards.
    pub volume_mm3: f64,
    /// Pairs of triangles that cross.
    pub crossings: usize,
    /// Where the first of them is, mm.
    pub first_crossing_mm: Option<Vec3>,
    /// Places measured, every 2 mm outside ostia.
    pub places: usize,
    /// Largest deviation of a diameter from the tree, percent.
    pub worst_diameter_pct: f64,
    /// Where that is.
    pub worst_place: String,
}

impl Survey {
    /// Is all in order; diameters within 5 %.
    pub fn is_sound(&self) -> bool {
        self.topology == self.wanted
            && self.volume_mm3 > 0.0
            && self.crossings == 0
            && self.worst_diameter_pct <= 5.0
    }
}

/// Measures a built lumen against its tree.
///
/// The diameter at a place is that of the ball inscribed there: twice the median of 32 rays across the centerline, times the
/// cosine of the wall's slope where the lumen narrows or widens. A facetted round of edges 0.4 r lies up to 2 % inside its
/// circle. Left out are ostia (rounded by design) and the half balls at blind ends.
pub fn survey(a: &Anatomy) -> Survey {
    let mesh = &a.lumen.mesh;
    let wall = MeshDistance::new(mesh);
    let crossed = crossings(mesh);
    let per_branch: Vec<(usize, f64, String)> =
        (0..a.tree.branches.len()).into_par_iter().map(|i| diameters(a, &wall, VesselId(i as u32))).collect();
    let mut out = Survey {
        topology: topology(mesh),
        wanted: wanted(&a.tree),
        volume_mm3: mesh.signed_volume_mm3(),
        crossings: crossed.len(),
        first_crossing_mm: crossed.first().copied(),
        places: 0,
        worst_diameter_pct: 0.0,
        worst_place: String::new(),
    };
    for (places, worst, place) in per_branch {
        out.places += places;
        if worst > out.worst_diameter_pct {
            (out.worst_diameter_pct, out.worst_place) = (worst, place);
        }
    }
    out
}

/// Bodies and Euler number of the lumen of a tree: each system of roots that joins tie together is one body, and each
/// join beyond that is a handle.
pub(super) fn wanted(tree: &VesselTree) -> Topology {
    let n = tree.branches.len();
    let mut body: Vec<usize> = (0..n).collect();
    let (mut roots, mut joins) = (0, 0);
    for (i, b) in tree.branches.iter().enumerate() {
        roots += i64::from(b.origin.is_none());
        joins += i64::from(b.distal_join.is_some());
        for other in [b.origin, b.distal_join].into_iter().flatten() {
            let (from, to) = (body[i].max(body[other.vessel.idx()]), body[i].min(body[other.vessel.idx()]));
            body.iter_mut().filter(|x| **x == from).for_each(|x| *x = to);
        }
    }
    let bodies = (0..n).filter(|i| body[*i] == *i).count();
    Topology { bodies, open_edges: 0, euler: 2 * (roots - joins) }
}

/// Places, worst deviation in percent and where, of one branch.
fn diameters(a: &Anatomy, wall: &MeshDistance, id: VesselId) -> (usize, f64, String) {
    let b = a.tree.branch(id);
    let length = b.length_mm();
    let (mut places, mut worst, mut at) = (0, 0.0, String::new());
    let mut arc = 0.5 * SPACING_MM;
    while arc < length {
        let p = b.at(arc);
        let is_end = arc < p.radius_mm || arc > length - p.radius_mm;
        if !is_end
            && !is_ostium(&a.tree, id, &p)
            && let Some(radius) = median_radius(a, wall, id, &p)
        {
            places += 1;
            let half = 0.25 * p.radius_mm;
            let slope = (b.at(arc + half).radius_mm - b.at(arc - half).radius_mm) / (2.0 * half);
            let radius = radius / slope.hypot(1.0);
            let error = 100.0 * (radius / p.radius_mm - 1.0).abs();
            if error > worst {
                worst = error;
                at =
                    format!("{} at {arc:.0} mm: {:.2} for {:.2} mm", b.name, 2.0 * radius, 2.0 * p.radius_mm);
            }
        }
        arc += SPACING_MM;
    }
    (places, worst, at)
}

/// Is another branch near enough for its ostium's rounding to reach this place.
fn is_ostium(tree: &VesselTree, id: VesselId, p: &CenterlinePoint) -> bool {
    tree.branches.iter().enumerate().any(|(j, o)| {
        let reach = o.points[0].radius_mm.max(o.points[o.points.len() - 1].radius_mm);
        j != id.idx()
            && o.points.iter().any(|q| {
                let blend = p.radius_mm.min(reach).min(MOST_ROUNDING_MM);
                let between = (q.position_mm - p.position_mm).norm();
                between < q.radius_mm + p.radius_mm.max(blend)
            })
    })
}

fn median_radius(a: &Anatomy, wall: &MeshDistance, id: VesselId, p: &CenterlinePoint) -> Option<f64> {
    let u = orthogonal(&p.tangent);
    let v = p.tangent.cross(&u);
    let mut found: Vec<f64> = (0..RAYS)
        .filter_map(|k| {
            let (s, c) = (std::f64::consts::TAU * k as f64 / RAYS as f64).sin_cos();
            let (way, triangle) = wall.ray(&p.position_mm, &(u * c + v * s), 4.0 * p.radius_mm + 1.0)?;
            (a.lumen.labels[triangle as usize][0].vessel == id).then_some(way)
        })
        .collect();
    if found.len() < LEAST_RAYS {
        return None;
    }
    found.sort_by(f64::total_cmp);
    Some(0.5 * (found[(found.len() - 1) / 2] + found[found.len() / 2]))
}

/// Places where an edge of one triangle pierces another, one for each pair.
pub fn crossings(mesh: &Mesh) -> Vec<Vec3> {
    let center =
        |t: u32| mesh.triangles[t as usize].iter().map(|i| mesh.vertices_mm[*i as usize]).sum::<Vec3>() / 3.0;
    crossing_pairs(mesh).into_iter().map(|(a, b)| 0.5 * (center(a) + center(b))).collect()
}

/// Pairs of triangles of which an edge of one pierces the other; neighbors at an edge are left out, and at a corner only the
/// edge opposite to it is tried.
pub(super) fn crossing_pairs(mesh: &Mesh) -> Vec<(u32, u32)> {
    let corners = |t: &[u32; 3]| -> [Vec3; 3] { std::array::from_fn(|k| mesh.vertices_mm[t[k] as usize]) };
    let bounds: Vec<(Vec3, Vec3)> = mesh
        .triangles
        .iter()
        .map(|t| {
            let [a, b, c] = corners(t);
            (a.inf(&b).inf(&c), a.sup(&b).sup(&c))
        })
        .collect();
    // Each triangle is listed in all cells that its box touches; a pair counts in the cell of its lowest common corner.
    let cell = |x: &Vec3| -> [i32; 3] { std::array::from_fn(|k| (x[k] / CELL_MM).floor() as i32) };
    let mut entries: Vec<([i32; 3], u32)> = Vec::new();
    for (i, (low, high)) in bounds.iter().enumerate() {
        let (l, h) = (cell(low), cell(high));
        for x in l[0]..=h[0] {
            for y in l[1]..=h[1] {
                for z in l[2]..=h[2] {
                    entries.push(([x, y, z], i as u32));
                }
            }
        }
    }
    entries.par_sort_unstable();
    let groups: Vec<&[([i32; 3], u32)]> = entries.chunk_by(|a, b| a.0 == b.0).collect();
    groups
        .par_iter()
        .map(|group| {
            let mut found = Vec::new();
            for (n, (at, i)) in group.iter().enumerate() {
                let (li, hi) = bounds[*i as usize];
                for (_, j) in &group[n + 1..] {
                    let (lj, hj) = bounds[*j as usize];
                    let apart = (0..3).any(|k| li[k] > hj[k] || lj[k] > hi[k]);
                    if !apart
                        && cell(&li.sup(&lj)) == *at
                        && cross(mesh, mesh.triangles[*i as usize], mesh.triangles[*j as usize])
                    {
                        found.push((*i, *j));
                    }
                }
            }
            found
        })
        .collect::<Vec<_>>()
        .concat()
}

fn cross(mesh: &Mesh, a: [u32; 3], b: [u32; 3]) -> bool {
    if a.iter().filter(|i| b.contains(i)).count() > 1 {
        return false;
    }
    let pierces = |from: [u32; 3], into: [u32; 3]| {
        let t = into.map(|i| mesh.vertices_mm[i as usize]);
        (0..3).any(|k| {
            let (p, q) = (from[k], from[(k + 1) % 3]);
            !into.contains(&p)
                && !into.contains(&q)
                && segment_pierces(&mesh.vertices_mm[p as usize], &mesh.vertices_mm[q as usize], &t)
        })
    };
    pierces(a, b) || pierces(b, a)
}

/// Does an open segment cross the inside of a triangle (signed volumes of the five tetrahedra).
fn segment_pierces(p: &Vec3, q: &Vec3, t: &[Vec3; 3]) -> bool {
    let volume = |a: &Vec3, b: &Vec3, c: &Vec3, d: &Vec3| (a - d).dot(&(b - d).cross(&(c - d)));
    let (above, below) = (volume(&t[0], &t[1], &t[2], p), volume(&t[0], &t[1], &t[2], q));
    if above * below >= 0.0 {
        return false;
    }
    let sides = [volume(p, q, &t[0], &t[1]), volume(p, q, &t[1], &t[2]), volume(p, q, &t[2], &t[0])];
    sides.iter().all(|s| *s > 0.0) || sides.iter().all(|s| *s < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_triangles_that_cross_are_found_and_neighbors_are_not() {
        let vertices_mm = [
            [0.0, 0.0, 0.0],
            [4.0, 0.0, 0.0],
            [0.0, 4.0, 0.0],
            [1.0, 1.0, -1.0],
            [1.0, 1.0, 1.0],
            [5.0, 5.0, 0.5],
        ]
        .map(Vec3::from)
        .to_vec();
        let mesh = |triangles: Vec<[u32; 3]>| Mesh { vertices_mm: vertices_mm.clone(), triangles };
        assert_eq!(crossings(&mesh(vec![[0, 1, 2], [3, 4, 5]])).len(), 1);
        assert!(crossings(&mesh(vec![[0, 1, 2], [1, 2, 5]])).is_empty());
        assert!(crossings(&mesh(vec![[0, 1, 2], [0, 4, 5]])).is_empty());
        assert!(crossings(&mesh(vec![[0, 1, 2]])).is_empty());
    }
}
