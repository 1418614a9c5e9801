//! Swept tubes with rounded ends and their union into one closed surface.

use boolmesh::prelude::{Manifold, OpType, compute_boolean};

use crate::anatomy::{AnatomyError, Branch, Mesh, VesselTree};
use crate::math::Vec3;

/// Spacing of rings over the local radius.
const RING_SPACING_PER_RADIUS: f64 = 0.8;
/// Rings of a rounded end between equator and pole.
const END_RINGS: usize = 3;

/// The union of all tubes of a tree.
pub(super) fn union(tree: &VesselTree) -> Result<Mesh, AnatomyError> {
    let mut whole: Option<Manifold> = None;
    for branch in &tree.branches {
        let fault = |what: String| AnatomyError::Surface { item: branch.name.clone(), what };
        let tube = manifold(&tube(branch)).map_err(fault)?;
        whole = Some(match whole {
            None => tube,
            Some(w) => compute_boolean(&w, &tube, OpType::Add).map_err(fault)?,
        });
    }
    let Some(whole) = whole else {
        return Err(AnatomyError::Surface { item: "lumen".to_owned(), what: "no branches".to_owned() });
    };
    Ok(Mesh {
        vertices_mm: whole.ps.iter().map(|p| Vec3::new(p.x, p.y, p.z)).collect(),
        triangles: whole.hs.chunks_exact(3).map(|h| std::array::from_fn(|k| h[k].tail as u32)).collect(),
    })
}

fn manifold(mesh: &Mesh) -> Result<Manifold, String> {
    let positions: Vec<f64> = mesh.vertices_mm.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
    let indices: Vec<usize> = mesh.triangles.iter().flatten().map(|i| *i as usize).collect();
    Manifold::new(&positions, &indices)
}

/// One closed tube: rings across the centerline, half balls at both ends.
pub(super) fn tube(branch: &Branch) -> Mesh {
    let corners = corners(branch.points[0].radius_mm);
    let mut mesh = Mesh::default();
    let length = branch.length_mm();
    // (center, normal, binormal, radius) of each ring, from the pole behind the origin to that beyond the end.
    let mut rings: Vec<(Vec3, Vec3, Vec3, f64)> = Vec::new();
    let first = branch.at(0.0);
    let last = branch.at(length);
    let frame = |p: &crate::anatomy::CenterlinePoint| (p.normal, p.tangent.cross(&p.normal));
    for i in 0..END_RINGS {
        let latitude = std::f64::consts::FRAC_PI_2 * (1.0 - (i + 1) as f64 / (END_RINGS + 1) as f64);
        let (n, b) = frame(&first);
        let center = first.position_mm - first.tangent * (first.radius_mm * latitude.sin());
        rings.push((center, n, b, first.radius_mm * latitude.cos()));
    }
    let mut arc = 0.0;
    // Where the radius rises and falls, points are as dense as its changes ask: a ring at each.
    let mut points = branch.points.iter().take(branch.points.len() - 1);
    let is_even = is_even(branch);
    while let Some(p) = if is_even { (arc < length).then(|| branch.at(arc)) } else { points.next().copied() }
    {
        let (n, b) = frame(&p);
        rings.push((p.position_mm, n, b, p.radius_mm));
        arc += RING_SPACING_PER_RADIUS * p.radius_mm;
    }
    for i in 0..=END_RINGS {
        let latitude = std::f64::consts::FRAC_PI_2 * i as f64 / (END_RINGS + 1) as f64;
        let (n, b) = frame(&last);
        let center = last.position_mm + last.tangent * (last.radius_mm * latitude.sin());
        rings.push((center, n, b, last.radius_mm * latitude.cos()));
    }
    for (center, n, b, r) in &rings {
        for k in 0..corners {
            let a = std::f64::consts::TAU * k as f64 / corners as f64;
            mesh.vertices_mm.push(center + (n * a.cos() + b * a.sin()) * *r);
        }
    }
    let pole_a = mesh.vertices_mm.len() as u32;
    mesh.vertices_mm.push(first.position_mm - first.tangent * first.radius_mm);
    mesh.vertices_mm.push(last.position_mm + last.tangent * last.radius_mm);
    let m = corners as u32;
    let at = |ring: u32, k: u32| ring * m + k % m;
    let top = rings.len() as u32 - 1;
    for k in 0..m {
        mesh.triangles.push([pole_a, at(0, k + 1), at(0, k)]);
        mesh.triangles.push([pole_a + 1, at(top, k), at(top, k + 1)]);
        for ring in 0..top {
            let (a, b, c, d) = (at(ring, k), at(ring, k + 1), at(ring + 1, k + 1), at(ring + 1, k));
            mesh.triangles.push([a, b, c]);
            mesh.triangles.push([a, c, d]);
        }
    }
    mesh
}

/// Does the radius change linearly from end to end.
fn is_even(branch: &Branch) -> bool {
    let length = branch.length_mm().max(1e-12);
    let (first, last) = (branch.points[0].radius_mm, branch.points[branch.points.len() - 1].radius_mm);
    branch.points.iter().all(|p| {
        let linear = first + (last - first) * p.arc_mm / length;
        (p.radius_mm - linear).abs() < 1e-6 * first.max(last)
    })
}

/// Corners of a ring: 14 for the smallest vessels to 28 for the largest.
fn corners(radius_mm: f64) -> usize {
    (14.0 + 1.6 * radius_mm).clamp(14.0, 28.0) as usize
}
