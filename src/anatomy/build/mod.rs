//! Description to anatomy: tree, one closed labelled lumen surface, bones.

mod field;
mod tree;
mod tube;

use super::description::{Description, FORMAT, Towards};
use super::{AccessSite, Anatomy, AnatomyError, CornerLabel, Landmark, LumenMesh, Mesh, VesselTree};
use field::Field;

/// Raised whenever the builder makes something else of the same description: stored builds of before are stale then.
pub(super) const BUILDER_VERSION: u32 = 1;

/// Builds tree, lumen surface, bones, access sites and landmarks of a description.
pub fn build(description: &Description) -> Result<Anatomy, AnatomyError> {
    if description.format != FORMAT {
        return Err(tree::value(&description.name, "format", description.format, FORMAT));
    }
    tree::within(&description.name, "min_gap_mm", description.min_gap_mm, 0.0, 10.0)?;
    let tree = tree::tree(description)?;
    let field = Field::new(&tree);
    let mesh = rounded_to_f32(tube::union(&tree)?);
    let labels = label(&mesh, &field);
    let access_sites = access_sites(description, &tree)?;
    let landmarks = description
        .landmarks
        .iter()
        .map(|l| Landmark { name: l.name.clone(), position_mm: tree::vec3(l.position_mm) })
        .collect();
    Ok(Anatomy {
        name: description.name.clone(),
        title: description.title.clone(),
        tree,
        lumen: LumenMesh { mesh, labels },
        body: Vec::new(),
        access_sites,
        landmarks,
    })
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
