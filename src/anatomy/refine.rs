//! Makes a coarse lumen mesh fine and smooth enough for contact, or its facets feel like steps.
//!
//! Edges longer than a third of the local radius are split onto the given surface, the result is smoothed by Taubin's
//! lambda-mu filter (1995), which rounds facets without shrinking, and what volume is still lost or won is given back
//! by an offset in proportion to the local radius. No vertex leaves the given surface by more than a share of the
//! radius, so that thin places stay open and neighbors apart.

use rayon::prelude::*;

use super::distance::MeshDistance;
use super::remesh::{Target, remesh};
use super::tree_index::TreeIndex;
use super::{CornerLabel, LumenMesh, Mesh, VesselTree};
use crate::math::Vec3;

/// Wished edge over radius, and its bounds, mm.
const EDGE_SHARE: f64 = 1.0 / 3.0;
const EDGE_MM: (f64, f64) = (0.25, 4.0);
/// Passes of the remesher.
const PASSES: usize = 5;
/// Taubin's factors: pass-band frequency 1/lambda + 1/mu = 0.1.
const LAMBDA: f64 = 0.5;
const MU: f64 = -0.526_316;
const SMOOTHINGS: usize = 30;
/// Farthest way of a vertex from the given surface, as a share of the local radius.
const MAX_SHIFT: f64 = 0.25;
/// Largest radial offset that gives volume back.
const MAX_OFFSET: f64 = 0.1;

/// A lumen mesh with edges of at most about a third of the local radius, relabeled; one that is fine already comes back
/// as it is.
pub fn refine(lumen: &LumenMesh, tree: &VesselTree) -> LumenMesh {
    if tree.branches.is_empty() || is_fine(lumen, tree) {
        return lumen.clone();
    }
    let mesh = refine_mesh(&lumen.mesh, tree);
    let labels = label_corners(&mesh, tree);
    LumenMesh { mesh, labels }
}

fn is_fine(lumen: &LumenMesh, tree: &VesselTree) -> bool {
    let index = TreeIndex::new(tree);
    let v = |i: u32| lumen.mesh.vertices_mm[i as usize];
    let too_long = lumen.mesh.triangles.par_iter().filter(|t| {
        let longest = (0..3).map(|k| (v(t[k]) - v(t[(k + 1) % 3])).norm()).fold(0.0, f64::max);
        longest > 1.5 * wished_mm(&index, &v(t[0]))
    });
    // A few long edges are no facets.
    too_long.count() * 50 < lumen.mesh.triangles.len()
}

fn wished_mm(index: &TreeIndex<'_>, p: &Vec3) -> f64 {
    (index.radius_mm(p).unwrap_or(1.0) * EDGE_SHARE).clamp(EDGE_MM.0, EDGE_MM.1)
}

/// The refined surface without labels.
pub(super) fn refine_mesh(coarse: &Mesh, tree: &VesselTree) -> Mesh {
    let index = TreeIndex::new(tree);
    let surface = MeshDistance::new(coarse);
    let edge_mm = |p: &Vec3| wished_mm(&index, p);
    let onto = |p: &Vec3| surface.nearest(p).map_or(*p, |near| near.point_mm);
    let mut mesh = remesh(coarse, &Target { edge_mm: &edge_mm, onto: &onto }, PASSES);
    let radius: Vec<f64> = mesh.vertices_mm.par_iter().map(|p| index.radius_mm(p).unwrap_or(1.0)).collect();
    let before = mesh.vertices_mm.clone();
    let rings = rings(&mesh);
    for _ in 0..SMOOTHINGS {
        for factor in [LAMBDA, MU] {
            smooth(&mut mesh, &rings, factor);
        }
    }
    restore_volume(&mut mesh, coarse.signed_volume_mm3(), &radius);
    for ((v, b), r) in mesh.vertices_mm.iter_mut().zip(&before).zip(&radius) {
        let shift = *v - b;
        let most = MAX_SHIFT * r;
        if shift.norm() > most {
            *v = b + shift * (most / shift.norm());
        }
    }
    mesh
}

/// Neighbors of each vertex, sorted.
fn rings(mesh: &Mesh) -> Vec<Vec<u32>> {
    let mut rings = vec![Vec::with_capacity(12); mesh.vertices_mm.len()];
    for t in &mesh.triangles {
        for k in 0..3 {
            rings[t[k] as usize].extend([t[(k + 1) % 3], t[(k + 2) % 3]]);
        }
    }
    for ring in &mut rings {
        ring.sort_unstable();
        ring.dedup();
    }
    rings
}

fn smooth(mesh: &mut Mesh, rings: &[Vec<u32>], factor: f64) {
    let old = &mesh.vertices_mm;
    mesh.vertices_mm = old
        .par_iter()
        .zip(rings)
        .map(|(v, ring)| {
            if ring.is_empty() {
                return *v;
            }
            let mean = ring.iter().map(|i| old[*i as usize]).sum::<Vec3>() / ring.len() as f64;
            v + (mean - v) * factor
        })
        .collect();
}

/// Moves vertices along their normals by one share of the local radius so that the volume is `wanted_mm3`.
fn restore_volume(mesh: &mut Mesh, wanted_mm3: f64, radius: &[f64]) {
    let mut normals = vec![Vec3::zeros(); mesh.vertices_mm.len()];
    for t in &mesh.triangles {
        let [a, b, c] = t.map(|i| mesh.vertices_mm[i as usize]);
        let area = (b - a).cross(&(c - a)) * (1.0 / 6.0);
        for i in t {
            normals[*i as usize] += area;
        }
    }
    let gain: f64 = normals.iter().zip(radius).map(|(n, r)| n.norm() * r).sum();
    let share = (wanted_mm3 - mesh.signed_volume_mm3()) / gain.max(1e-9);
    let share = share.clamp(-MAX_OFFSET, MAX_OFFSET);
    for ((v, n), r) in mesh.vertices_mm.iter_mut().zip(&normals).zip(radius) {
        if let Some(n) = n.try_normalize(1e-12) {
            *v += n * (share * r);
        }
    }
}

/// Labels of all corners by the nearest branch, distance over radius.
pub(super) fn label_corners(mesh: &Mesh, tree: &VesselTree) -> Vec<[CornerLabel; 3]> {
    let index = TreeIndex::new(tree);
    let label = |p: &Vec3| {
        index.nearest(p).map_or(CornerLabel { vessel: super::VesselId(0), arc_mm: 0.0 }, |(place, _)| {
            CornerLabel { vessel: place.vessel, arc_mm: place.arc_mm as f32 }
        })
    };
    let of_vertex: Vec<CornerLabel> = mesh.vertices_mm.par_iter().map(label).collect();
    mesh.triangles.iter().map(|t| t.map(|i| of_vertex[i as usize])).collect()
}
