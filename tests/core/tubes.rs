//! Closed tubes with labels and trees, for tests of walls and worlds.

use cathnav::anatomy::{Branch, CenterlinePoint, CornerLabel, LumenMesh, Mesh, VesselId, VesselTree};
use cathnav::math::{Vec3, orthogonal, parallel_transport};

/// A branch along points with radii: tangents, transported normals, arc lengths.
pub(crate) fn branch(name: &str, positions: &[Vec3], radius_mm: impl Fn(f64) -> f64) -> Branch {
    let n = positions.len();
    let tangent = |i: usize| (positions[(i + 1).min(n - 1)] - positions[i.saturating_sub(1)]).normalize();
    let mut points: Vec<CenterlinePoint> = Vec::with_capacity(n);
    for (i, position) in positions.iter().enumerate() {
        let t = tangent(i);
        let (normal, arc_mm) = match points.last() {
            None => (orthogonal(&t), 0.0),
            Some(last) => (
                parallel_transport(&last.normal, &last.tangent, &t),
                last.arc_mm + (position - last.position_mm).norm(),
            ),
        };
        points.push(CenterlinePoint {
            position_mm: *position,
            tangent: t,
            normal,
            radius_mm: radius_mm(arc_mm),
            arc_mm,
        });
    }
    Branch {
        name: name.to_owned(),
        ta_name: name.to_owned(),
        label: name.to_owned(),
        origin: None,
        distal_join: None,
        points,
        outlet: None,
        wall_ep_n_per_mm2: 0.1,
        wall_thickness_mm: 1.0,
    }
}

/// A tube around a branch, closed by flat caps, wound outwards; its polygon has the lumen radius as circumradius.
pub(crate) fn tube(branch: &Branch, corners: u32) -> LumenMesh {
    let mut mesh = Mesh::default();
    let mut labels = Vec::new();
    let rings = branch.points.len() as u32;
    let label = |i: u32| CornerLabel {
        vessel: VesselId(0),
        arc_mm: branch.points[(i.min(rings * corners - 1) / corners) as usize].arc_mm as f32,
    };
    for p in &branch.points {
        let binormal = p.tangent.cross(&p.normal);
        for k in 0..corners {
            let a = std::f64::consts::TAU * f64::from(k) / f64::from(corners);
            mesh.vertices_mm.push(p.position_mm + (p.normal * a.cos() + binormal * a.sin()) * p.radius_mm);
        }
    }
    for i in 0..rings - 1 {
        for k in 0..corners {
            let (a, b) = (i * corners + k, i * corners + (k + 1) % corners);
            let (c, d) = (a + corners, b + corners);
            mesh.triangles.extend([[a, b, d], [a, d, c]]);
        }
    }
    let (first, last) = (mesh.vertices_mm.len() as u32, mesh.vertices_mm.len() as u32 + 1);
    mesh.vertices_mm.push(branch.points[0].position_mm);
    mesh.vertices_mm.push(branch.points[rings as usize - 1].position_mm);
    let top = (rings - 1) * corners;
    for k in 0..corners {
        mesh.triangles.push([first, (k + 1) % corners, k]);
        mesh.triangles.push([last, top + k, top + (k + 1) % corners]);
    }
    for t in &mesh.triangles {
        let mut l = t.map(label);
        if t[0] == first {
            l = [CornerLabel { vessel: VesselId(0), arc_mm: 0.0 }; 3];
        }
        labels.push(l);
    }
    LumenMesh { mesh, labels }
}

/// Points of an arc of a circle of `bend_mm` in the x-z plane from the origin along +z, `length_mm` long.
pub(crate) fn bend(bend_mm: f64, length_mm: f64, step_mm: f64) -> Vec<Vec3> {
    let n = (length_mm / step_mm).round() as usize;
    (0..=n)
        .map(|i| {
            let a = length_mm * i as f64 / n as f64 / bend_mm;
            Vec3::new(bend_mm * (1.0 - a.cos()), 0.0, bend_mm * a.sin())
        })
        .collect()
}

/// A straight tube along +z from the origin with its tree.
pub(crate) fn straight(
    radius_mm: f64,
    length_mm: f64,
    step_mm: f64,
    corners: u32,
) -> (LumenMesh, VesselTree) {
    let n = (length_mm / step_mm).round() as usize;
    let points: Vec<Vec3> = (0..=n).map(|i| Vec3::new(0.0, 0.0, length_mm * i as f64 / n as f64)).collect();
    let b = branch("tube", &points, |_| radius_mm);
    (tube(&b, corners), VesselTree { branches: vec![b] })
}

/// The same surface wound the other way.
pub(crate) fn flipped(lumen: &LumenMesh) -> LumenMesh {
    let mut out = lumen.clone();
    for (t, l) in out.mesh.triangles.iter_mut().zip(&mut out.labels) {
        t.swap(0, 1);
        l.swap(0, 1);
    }
    out
}
