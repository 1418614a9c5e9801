//! What a built lumen must be: one closed oriented body without handles, in which no two vessels come too near.

use crate::anatomy::survey::wanted;
use crate::anatomy::{AnatomyError, Branch, CenterlinePoint, Mesh, VesselTree};

/// Topology of a triangle mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Connected bodies.
    pub bodies: usize,
    /// Directed edges without exactly one reverse partner.
    pub open_edges: usize,
    /// Vertices - edges + triangles: 2 for each body without handles.
    pub euler: i64,
}

/// Counts bodies, faulty edges and the Euler number of a mesh.
pub fn topology(mesh: &Mesh) -> Topology {
    let n = mesh.vertices_mm.len();
    let mut edges: Vec<(u32, u32, bool)> = Vec::with_capacity(mesh.triangles.len() * 3);
    let mut root: Vec<usize> = (0..n).collect();
    for t in &mesh.triangles {
        for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
            edges.push((a.min(b), a.max(b), a < b));
            let (a, b) = (find(&mut root, a as usize), find(&mut root, b as usize));
            root[a.max(b)] = a.min(b);
        }
    }
    edges.sort_unstable();
    let (mut open_edges, mut count) = (0, 0);
    for group in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        count += 1;
        let is_paired = group.len() == 2 && group[0].2 != group[1].2;
        open_edges += if is_paired { 0 } else { group.len() };
    }
    let mut used = vec![false; n];
    for t in &mesh.triangles {
        t.iter().for_each(|v| used[*v as usize] = true);
    }
    let bodies = (0..n).filter(|i| used[*i] && find(&mut root, *i) == *i).count();
    let vertices = used.iter().filter(|u| **u).count() as i64;
    Topology { bodies, open_edges, euler: vertices - count + mesh.triangles.len() as i64 }
}

fn find(root: &mut [usize], mut i: usize) -> usize {
    while root[i] != i {
        root[i] = root[root[i]];
        i = root[i];
    }
    i
}

/// Refuses a lumen that is not closed, outward, one body per root, with one handle per join.
pub(super) fn lumen(mesh: &Mesh, tree: &VesselTree) -> Result<(), AnatomyError> {
    let t = topology(mesh);
    let volume = mesh.signed_volume_mm3();
    let wanted = wanted(tree);
    if t == wanted && volume > 0.0 {
        return Ok(());
    }
    let Topology { bodies, euler, .. } = wanted;
    let what = format!(
        "{} bodies, {} open edges, Euler number {}, volume {volume:.0} mm3; allowed: {bodies}, 0, {euler}, positive (a lower \
         Euler number means that vessels fuse)",
        t.bodies, t.open_edges, t.euler
    );
    Err(AnatomyError::Surface { item: "lumen".to_owned(), what })
}

/// Two vessels that come too near.
pub(super) struct NearMiss {
    /// One branch, by index, and where on it, mm.
    pub(super) a: usize,
    pub(super) a_mm: f64,
    /// The other.
    pub(super) b: usize,
    pub(super) b_mm: f64,
    /// Gap between the walls, mm; negative when they overlap.
    pub(super) gap_mm: f64,
}

/// Refuses vessels whose walls come nearer than `least_mm` without joining.
pub(super) fn gaps(tree: &VesselTree, least_mm: f64) -> Result<(), AnatomyError> {
    let Some(m) = near_misses(tree, least_mm).into_iter().next() else { return Ok(()) };
    Err(AnatomyError::Gap {
        a: tree.branches[m.a].name.clone(),
        a_mm: m.a_mm,
        b: tree.branches[m.b].name.clone(),
        b_mm: m.b_mm,
        gap_mm: m.gap_mm,
        allowed_mm: least_mm,
    })
}

/// Smooth step from 0 to 1.
pub(super) fn share(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// The nearest place of each pair of vessels whose walls come nearer than `least_mm` without joining.
///
/// A child and its parent, and siblings that leave one place, overlap at their origin: they are measured from where
/// they have first come apart.
pub(super) fn near_misses(tree: &VesselTree, least_mm: f64) -> Vec<NearMiss> {
    let bounds: Vec<_> = tree.branches.iter().map(bounds).collect();
    let own: Vec<&[CenterlinePoint]> = tree.branches.iter().map(|b| own_lumen(tree, b)).collect();
    let mut out = Vec::new();
    for i in 0..tree.branches.len() {
        for j in 0..i {
            let apart = (0..3).any(|k| {
                bounds[i].0[k] > bounds[j].1[k] + least_mm || bounds[j].0[k] > bounds[i].1[k] + least_mm
            });
            if apart {
                continue;
            }
            let from = if share_ostium(tree, i, j) {
                let first_clear = own[i].iter().position(|p| clearance(p, own[j]).0 >= least_mm);
                let Some(from) = first_clear else { continue };
                from
            } else {
                0
            };
            let end_mm = own_end_mm(tree, i, j);
            let mut worst: Option<NearMiss> = None;
            for p in own[i][from..].iter().filter(|p| p.arc_mm < end_mm) {
                let (gap_mm, b_mm) = clearance(p, own[j]);
                if gap_mm < least_mm && worst.as_ref().is_none_or(|w| gap_mm < w.gap_mm) {
                    worst = Some(NearMiss { a: i, a_mm: p.arc_mm, b: j, b_mm, gap_mm });
                }
            }
            out.extend(worst);
        }
    }
    out
}

/// Where branch `i` comes near to `j` because it joins it, or joins beside a branch that leaves it; infinite if it does
/// neither.
fn own_end_mm(tree: &VesselTree, i: usize, j: usize) -> f64 {
    let a = &tree.branches[i];
    let Some(at) = a.distal_join else { return f64::INFINITY };
    let end = a.points[a.points.len() - 1];
    if at.vessel.idx() == j || clearance(&end, &tree.branches[j].points).0 < 0.0 {
        // An oblique way through the wall takes a few of its own radii beyond the radius of what it joins.
        a.length_mm() - tree.branch(at.vessel).at(at.arc_mm).radius_mm - 3.0 * end.radius_mm
    } else {
        f64::INFINITY
    }
}

/// The points of a branch from where its centerline has left the parent's lumen.
fn own_lumen<'a>(tree: &'a VesselTree, b: &'a Branch) -> &'a [CenterlinePoint] {
    let from = b.origin.map_or(0, |o| {
        let parent = &tree.branch(o.vessel).points;
        let is_outside = |p: &CenterlinePoint| clearance(p, parent).0 > -p.radius_mm;
        b.points.iter().position(is_outside).unwrap_or(b.points.len())
    });
    // At least one piece, so that there is something to measure to.
    &b.points[from.min(b.points.len() - 2)..]
}

/// Gap between the wall at a point of one branch and the wall of another, and where on the other.
fn clearance(p: &CenterlinePoint, b: &[CenterlinePoint]) -> (f64, f64) {
    let mut best = (f64::INFINITY, 0.0);
    for w in b.windows(2) {
        let d = w[1].position_mm - w[0].position_mm;
        let t = ((p.position_mm - w[0].position_mm).dot(&d) / d.norm_squared().max(1e-18)).clamp(0.0, 1.0);
        let r = w[0].radius_mm + t * (w[1].radius_mm - w[0].radius_mm);
        let gap = (p.position_mm - w[0].position_mm - d * t).norm() - r - p.radius_mm;
        if gap < best.0 {
            best = (gap, w[0].arc_mm + t * (w[1].arc_mm - w[0].arc_mm));
        }
    }
    best
}

/// Parent and child, or children whose origins lie within their radii of one another, or a grandchild that leaves its
/// parent before the parent has left its own.
fn share_ostium(tree: &VesselTree, i: usize, j: usize) -> bool {
    let start = |k: usize| tree.branches[k].points[0];
    let touches_start = |k: usize, other: usize| clearance(&start(k), &tree.branches[other].points).0 < 0.0;
    let origin = |k: usize| tree.branches[k].origin.map(|o| o.vessel.idx());
    origin(i) == Some(j)
        || origin(j) == Some(i)
        || (origin(i).is_some() && origin(i) == origin(j) && (touches_start(i, j) || touches_start(j, i)))
        || (origin(i).and_then(origin) == Some(j) && touches_start(i, j))
}

fn bounds(b: &Branch) -> (crate::math::Vec3, crate::math::Vec3) {
    let mut low = crate::math::Vec3::repeat(f64::INFINITY);
    let mut high = -low;
    for p in &b.points {
        low = low.inf(&(p.position_mm.add_scalar(-p.radius_mm)));
        high = high.sup(&(p.position_mm.add_scalar(p.radius_mm)));
    }
    (low, high)
}
