//! Description to anatomy: tree, one closed labelled lumen surface, bones.

mod apart;
mod check;
mod field;
mod lesions;
mod tree;
mod tube;

pub use check::{Topology, topology};
pub(super) use tree::{build_branch, vec3 as tree_vec3};

use super::description::{Description, FORMAT, Towards};
use super::remesh::{Target, remesh};
use super::{
    AccessSite, Anatomy, AnatomyError, Circulation, CornerLabel, Landmark, LumenMesh, Mesh, VesselTree,
};
use crate::math::Vec3;
use field::Field;

/// Raised whenever the builder makes something else of the same description: stored builds of before are stale then.
pub(super) const BUILDER_VERSION: u32 = 1;
/// The same for bodies.
pub(super) const PARTS_VERSION: u32 = 2;

/// Tree and access sites of a description without any surface: quick, for checks of names and lengths.
pub fn build_tree(description: &Description) -> Result<(VesselTree, Vec<AccessSite>), AnatomyError> {
    let tree = tree::tree(description)?;
    circulation_of(description, &tree).check(&tree)?;
    let access_sites = access_sites(description, &tree)?;
    Ok((tree, access_sites))
}

/// Builds tree, lumen surface, bones, access sites and landmarks of a description.
pub fn build(description: &Description) -> Result<Anatomy, AnatomyError> {
    if description.format != FORMAT {
        return Err(tree::value(&description.name, "format", description.format, FORMAT));
    }
    tree::within(&description.name, "min_gap_mm", description.min_gap_mm, 0.0, 10.0)?;
    let tree = tree::tree(description)?;
    circulation_of(description, &tree).check(&tree)?;
    check::gaps(&tree, description.min_gap_mm)?;
    if let Some(b) = &description.body {
        tree::within("body", "grid_mm", b.grid_mm, 1.0, 6.0)?;
        tree::within("body", "edge_mm", b.edge_mm, b.grid_mm, 12.0)?;
    }
    let (lumen, body) = rayon::join(|| lumen(&tree), || body(description, &tree));
    let lumen = lumen?;
    let access_sites = access_sites(description, &tree)?;
    let mut landmarks: Vec<Landmark> = description
        .landmarks
        .iter()
        .map(|l| Landmark { name: l.name.clone(), position_mm: tree::vec3(l.position_mm) })
        .collect();
    if let Some(b) = &description.body {
        landmarks.extend(super::bones::landmarks(b));
    }
    let circulation = circulation_of(description, &tree);
    Ok(Anatomy {
        name: description.name.clone(),
        title: description.title.clone(),
        tree,
        lumen,
        body,
        access_sites,
        landmarks,
        circulation,
        lesions: description.lesions.clone(),
    })
}

/// The labelled surface of a tree.
fn lumen(tree: &VesselTree) -> Result<LumenMesh, AnatomyError> {
    let field = Field::new(tree);
    let mesh = even(&tube::union(tree)?, &field);
    check::lumen(&mesh, tree)?;
    let labels = label(&mesh, &field);
    Ok(LumenMesh { mesh, labels })
}

fn body(description: &Description, tree: &VesselTree) -> Vec<super::BodySurface> {
    let Some(b) = &description.body else { return Vec::new() };
    let mut body = super::bones::body(b);
    body.extend(lesions::calcium(&description.lesions, tree));
    body
}

/// Edges over the local radius.
const EDGE_PER_RADIUS: f64 = 0.4;
/// Growth of the edge with the distance from the wall of a smaller branch.
const EDGE_GRADE: f64 = 0.4;
/// Passes of the remesher.
const PASSES: usize = 5;

/// Moves the union onto the blended surface and evens its triangles.
fn even(union: &Mesh, field: &Field) -> Mesh {
    let edge_mm = |p: &Vec3| {
        let mut scratch = Vec::new();
        field.tubes(p, &mut scratch);
        scratch
            .iter()
            .map(|h| EDGE_PER_RADIUS * h.radius_mm + EDGE_GRADE * h.distance_mm.max(0.0))
            .fold(f64::INFINITY, f64::min)
    };
    let onto = |p: &Vec3| {
        let mut scratch = Vec::new();
        let mut q = *p;
        for _ in 0..3 {
            let Some(hit) = field.at(&q, &mut scratch) else { break };
            let step = hit.gradient * (hit.distance_mm / hit.gradient.norm_squared().max(0.25));
            q -= step * (0.5 * hit.radius_mm / step.norm().max(1e-12)).min(1.0);
        }
        q
    };
    let mut mesh = remesh(union, &Target { edge_mm: &edge_mm, onto: &onto }, PASSES);
    untangle(&mut mesh, &onto);
    // Rounding may lay slivers over each other that were just apart.
    for _ in 0..ROUNDINGS {
        mesh = rounded_to_f32(mesh);
        if !untangle(&mut mesh, &onto) {
            break;
        }
    }
    mesh
}

/// Times that a mesh is rounded and untangled again.
const ROUNDINGS: usize = 4;
/// Rounds of untangling; after the first ones vertices stay where smoothing has put them.
const UNTANGLINGS: usize = 40;
const UNTANGLINGS_ONTO: usize = 6;
/// Most rings about a crossing that are smoothed.
const MOST_RINGS: usize = 8;

/// Smooths the few places where triangles cross, until none do; the rest of the mesh stays as it is. Says whether any did.
fn untangle(mesh: &mut Mesh, onto: &(dyn Fn(&Vec3) -> Vec3 + Sync)) -> bool {
    for round in 0..UNTANGLINGS {
        let pairs = super::survey::crossing_pairs(mesh);
        if pairs.is_empty() {
            return round > 0;
        }
        let mut near = vec![false; mesh.vertices_mm.len()];
        for t in pairs.iter().flat_map(|p| [p.0, p.1]) {
            mesh.triangles[t as usize].iter().for_each(|v| near[*v as usize] = true);
        }
        // What holds out is smoothed in a wider and wider surrounding.
        for _ in 0..(1 + round / 4).min(MOST_RINGS) {
            let grown: Vec<u32> = mesh
                .triangles
                .iter()
                .filter(|t| t.iter().any(|v| near[*v as usize]))
                .flatten()
                .copied()
                .collect();
            grown.iter().for_each(|v| near[*v as usize] = true);
        }
        let mut sums = vec![(Vec3::zeros(), 0.0); mesh.vertices_mm.len()];
        for t in &mesh.triangles {
            for k in 0..3 {
                let others = [t[(k + 1) % 3], t[(k + 2) % 3]].map(|i| mesh.vertices_mm[i as usize]);
                let sum = &mut sums[t[k] as usize];
                *sum = (sum.0 + others[0] + others[1], sum.1 + 2.0);
            }
        }
        for (i, v) in mesh.vertices_mm.iter_mut().enumerate().filter(|(i, _)| near[*i]) {
            let mean = sums[i].0 / sums[i].1;
            let smooth = *v + 0.6 * (mean - *v);
            *v = if round < UNTANGLINGS_ONTO { onto(&smooth) } else { smooth };
        }
    }
    true
}

/// Stored coordinates are f32; a fresh build has the same.
fn rounded_to_f32(mut mesh: Mesh) -> Mesh {
    for v in &mut mesh.vertices_mm {
        *v = v.map(|c| f64::from(c as f32));
    }
    mesh
}

/// Labels each triangle with the branch whose wall it lies on, and each corner with the arc length there.
fn label(mesh: &Mesh, field: &Field) -> Vec<[CornerLabel; 3]> {
    let mut scratch = Vec::new();
    mesh.triangles
        .iter()
        .map(|t| {
            let corners = t.map(|i| mesh.vertices_mm[i as usize]);
            let center = (corners[0] + corners[1] + corners[2]) / 3.0;
            field.tubes(&center, &mut scratch);
            let nearest = scratch.iter().min_by(|a, b| a.distance_mm.total_cmp(&b.distance_mm));
            let place = nearest.map(|h| h.place);
            corners.map(|p| match place {
                None => CornerLabel { vessel: super::VesselId(0), arc_mm: 0.0 },
                Some(place) => {
                    let at = field.place_on(place.vessel, &p, &mut scratch).unwrap_or(place);
                    CornerLabel { vessel: place.vessel, arc_mm: at.arc_mm as f32 }
                }
            })
        })
        .collect()
}

/// Refuses a tree whose vessels come too near.
pub(super) fn gaps(description: &Description, tree: &VesselTree) -> Result<(), AnatomyError> {
    check::gaps(tree, description.min_gap_mm)
}

/// What lies beyond the tree, short circuits of lesions included.
pub(super) fn circulation_of(description: &Description, tree: &VesselTree) -> Circulation {
    let mut out = description.circulation.clone();
    out.shunts.extend(description.lesions.iter().flat_map(|l| l.shunts(tree)));
    out
}

fn access_sites(description: &Description, tree: &VesselTree) -> Result<Vec<AccessSite>, AnatomyError> {
    description
        .access_sites
        .iter()
        .map(|a| {
            let place = tree::place(&a.name, &a.vessel, a.at, tree)?;
            let p = tree.branch(place.vessel).at(place.arc_mm);
            let direction = match a.towards {
                Towards::Origin => -p.tangent,
                Towards::End => p.tangent,
            };
            Ok(AccessSite {
                name: a.name.clone(),
                label: a.label.clone(),
                position_mm: p.position_mm,
                direction,
                place,
            })
        })
        .collect()
}
