//! Signed distance to a closed triangle mesh: parry's bounding-volume tree finds the triangle, the distance is then
//! computed in f64 and signed by angle-weighted pseudo-normals (Baerentzen and Aanaes 2005).

use std::collections::BTreeMap;

use rapier3d::parry::math::Vector;
use rapier3d::parry::query::{PointQueryWithLocation as _, Ray};
use rapier3d::parry::shape::{CompositeShapeRef, TriMesh};

use super::Mesh;
use crate::math::Vec3;

/// The nearest point of a mesh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Distance to the surface, mm: positive inside the closed surface, negative outside.
    pub inside_mm: f64,
    /// Unit gradient of `inside_mm`: away from the nearest wall inside, towards it outside.
    pub inward: Vec3,
    /// The nearest point of the surface, mm.
    pub point_mm: Vec3,
    /// Triangle it lies on.
    pub triangle: u32,
    /// Its barycentric coordinates there, in the corner order of the mesh.
    pub bary: [f64; 3],
}

/// Answers nearest-point queries on one mesh. Vertices with equal coordinates count as one.
pub struct MeshDistance {
    vertices_mm: Vec<Vec3>,
    triangles: Vec<[u32; 3]>,
    face_normals: Vec<Vec3>,
    /// Sum of the normals of the two faces at the edge opposite to each corner (not normalized).
    edge_normals: Vec<[Vec3; 3]>,
    vertex_normals: Vec<Vec3>,
    fan_start: Vec<u32>,
    fans: Vec<u32>,
    /// +1 where normals point outwards, -1 for a mesh wound inwards.
    outward: f64,
    tree: Option<TriMesh>,
}

impl std::fmt::Debug for MeshDistance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeshDistance").field("triangles", &self.triangles.len()).finish_non_exhaustive()
    }
}

impl MeshDistance {
    /// Prepares a mesh of either winding. Triangles keep their numbers.
    pub fn new(mesh: &Mesh) -> Self {
        let (vertices_mm, triangles) = welded(mesh);
        let face_normals: Vec<Vec3> = triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| vertices_mm[i as usize]);
                (b - a).cross(&(c - a)).try_normalize(1e-300).unwrap_or_else(Vec3::zeros)
            })
            .collect();
        let vertex_normals = vertex_normals(&vertices_mm, &triangles, &face_normals);
        let edge_normals = edge_normals(&triangles, &face_normals);
        let (fan_start, fans) = fans(vertices_mm.len(), &triangles);
        let outward = if mesh.signed_volume_mm3() < 0.0 { -1.0 } else { 1.0 };
        let points = vertices_mm.iter().map(to_f32).collect();
        let tree = TriMesh::new(points, triangles.clone()).ok();
        Self {
            vertices_mm,
            triangles,
            face_normals,
            edge_normals,
            vertex_normals,
            fan_start,
            fans,
            outward,
            tree,
        }
    }

    /// The nearest point of the surface; `None` only for an empty mesh or a point that is not finite.
    pub fn nearest(&self, p_mm: &Vec3) -> Option<Nearest> {
        self.nearest_within(p_mm, f64::INFINITY)
    }

    /// As [`Self::nearest`] for a point known to be within `reach_mm` of the surface (faster). A reach that is too
    /// short is corrected.
    pub fn nearest_within(&self, p_mm: &Vec3, reach_mm: f64) -> Option<Nearest> {
        let tree = self.tree.as_ref()?;
        if !p_mm.iter().all(|x| x.is_finite() && x.abs() < 1e12) {
            return None;
        }
        let p = to_f32(p_mm);
        let reach = (reach_mm * 1.001 + 1e-3).min(f64::from(f32::MAX)) as f32;
        let (_, (triangle, _)) = tree
            .project_local_point_and_get_location_with_max_dist(p, false, reach)
            .or_else(|| tree.project_local_point_and_get_location_with_max_dist(p, false, f32::MAX))?;
        Some(self.on_triangle(p_mm, triangle))
    }

    /// Distance and sign in f64 on the found triangle and, close to its rim, on those around it.
    fn on_triangle(&self, p: &Vec3, found: u32) -> Nearest {
        let mut best = (found, self.closest(p, found));
        if best.1.1.iter().any(|b| *b < 0.02) {
            for corner in self.triangles[found as usize] {
                let (from, to) = (self.fan_start[corner as usize], self.fan_start[corner as usize + 1]);
                for &other in &self.fans[from as usize..to as usize] {
                    let candidate = self.closest(p, other);
                    if (candidate.0 - p).norm_squared() < (best.1.0 - p).norm_squared() {
                        best = (other, candidate);
                    }
                }
            }
        }
        let (triangle, (point_mm, bary)) = best;
        let normal = self.pseudo_normal(triangle, &bary) * self.outward;
        let away = p - point_mm;
        let distance = away.norm();
        let outside = away.dot(&normal) > 0.0;
        let inward = if distance < 1e-9 {
            -normal.try_normalize(1e-12).unwrap_or_else(Vec3::z)
        } else if outside {
            -away / distance
        } else {
            away / distance
        };
        Nearest { inside_mm: if outside { -distance } else { distance }, inward, point_mm, triangle, bary }
    }

    fn closest(&self, p: &Vec3, triangle: u32) -> (Vec3, [f64; 3]) {
        let [a, b, c] = self.triangles[triangle as usize].map(|i| self.vertices_mm[i as usize]);
        closest_on_triangle(p, &a, &b, &c)
    }

    /// The pseudo-normal of the face, edge or vertex that the barycentric coordinates lie on.
    fn pseudo_normal(&self, triangle: u32, bary: &[f64; 3]) -> Vec3 {
        let t = triangle as usize;
        let zero = bary.map(|b| b <= 0.0);
        match zero {
            [false, false, false] => self.face_normals[t],
            [true, false, false] => self.edge_normals[t][0],
            [false, true, false] => self.edge_normals[t][1],
            [false, false, true] => self.edge_normals[t][2],
            [false, true, true] => self.vertex_normals[self.triangles[t][0] as usize],
            [true, false, true] => self.vertex_normals[self.triangles[t][1] as usize],
            _ => self.vertex_normals[self.triangles[t][2] as usize],
        }
    }

    /// First crossing of a ray with the surface within `reach_mm`: way along the unit direction, mm, and triangle. Single
    /// precision of the coordinates.
    pub fn ray(&self, from_mm: &Vec3, direction: &Vec3, reach_mm: f64) -> Option<(f64, u32)> {
        let tree = self.tree.as_ref()?;
        let ray = Ray::new(to_f32(from_mm), to_f32(direction));
        let (triangle, way) = CompositeShapeRef(tree).cast_local_ray(&ray, reach_mm as f32, false)?;
        Some((f64::from(way), triangle))
    }

    /// Corners of the bounding box, mm; `None` for an empty mesh.
    pub fn bounds_mm(&self) -> Option<(Vec3, Vec3)> {
        let first = *self.vertices_mm.first()?;
        Some(self.vertices_mm.iter().fold((first, first), |(lo, hi), v| (lo.inf(v), hi.sup(v))))
    }
}

/// The point of triangle `abc` nearest to `p`, with exact zeros in the coordinates of corners it does not depend on
/// (regions after Ericson, Real-Time Collision Detection 2005, 5.1.5).
fn closest_on_triangle(p: &Vec3, a: &Vec3, b: &Vec3, c: &Vec3) -> (Vec3, [f64; 3]) {
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(&ap), ac.dot(&ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return (*a, [1.0, 0.0, 0.0]);
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(&bp), ac.dot(&bp));
    if d3 >= 0.0 && d4 <= d3 {
        return (*b, [0.0, 1.0, 0.0]);
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let t = d1 / (d1 - d3);
        return (a + ab * t, [1.0 - t, t, 0.0]);
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(&cp), ac.dot(&cp));
    if d6 >= 0.0 && d5 <= d6 {
        return (*c, [0.0, 0.0, 1.0]);
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let t = d2 / (d2 - d6);
        return (a + ac * t, [1.0 - t, 0.0, t]);
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0 {
        let t = (d4 - d3) / ((d4 - d3) + (d5 - d6));
        return (b + (c - b) * t, [0.0, 1.0 - t, t]);
    }
    let sum = va + vb + vc;
    if sum.abs() < 1e-300 {
        return (*a, [1.0, 0.0, 0.0]);
    }
    let (v, w) = (vb / sum, vc / sum);
    (a + ab * v + ac * w, [1.0 - v - w, v, w])
}

fn to_f32(v: &Vec3) -> Vector {
    Vector::new(v.x as f32, v.y as f32, v.z as f32)
}

/// Vertices with equal coordinates become one (the first), so that edges and fans are found across seams.
fn welded(mesh: &Mesh) -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let mut seen: BTreeMap<[u64; 3], u32> = BTreeMap::new();
    let mut vertices = Vec::with_capacity(mesh.vertices_mm.len());
    let index: Vec<u32> = mesh
        .vertices_mm
        .iter()
        .map(|v| {
            // Adding zero makes -0.0 and 0.0 equal.
            let key = [v.x + 0.0, v.y + 0.0, v.z + 0.0].map(f64::to_bits);
            *seen.entry(key).or_insert_with(|| {
                vertices.push(*v);
                vertices.len() as u32 - 1
            })
        })
        .collect();
    let triangles = mesh.triangles.iter().map(|t| t.map(|i| index[i as usize])).collect();
    (vertices, triangles)
}

fn vertex_normals(vertices: &[Vec3], triangles: &[[u32; 3]], faces: &[Vec3]) -> Vec<Vec3> {
    let mut normals = vec![Vec3::zeros(); vertices.len()];
    for (t, n) in triangles.iter().zip(faces) {
        for k in 0..3 {
            let [o, a, b] = [t[k], t[(k + 1) % 3], t[(k + 2) % 3]].map(|i| vertices[i as usize]);
            let (u, v) = (a - o, b - o);
            let angle = u.cross(&v).norm().atan2(u.dot(&v));
            normals[t[k] as usize] += n * angle;
        }
    }
    normals
}

fn edge_normals(triangles: &[[u32; 3]], faces: &[Vec3]) -> Vec<[Vec3; 3]> {
    let mut sums: BTreeMap<(u32, u32), Vec3> = BTreeMap::new();
    let key = |a: u32, b: u32| (a.min(b), a.max(b));
    for (t, n) in triangles.iter().zip(faces) {
        for k in 0..3 {
            *sums.entry(key(t[(k + 1) % 3], t[(k + 2) % 3])).or_insert_with(Vec3::zeros) += n;
        }
    }
    triangles
        .iter()
        .map(|t| {
            std::array::from_fn(|k| {
                sums.get(&key(t[(k + 1) % 3], t[(k + 2) % 3])).copied().unwrap_or_else(Vec3::zeros)
            })
        })
        .collect()
}

/// The triangles around each vertex, in compressed rows.
fn fans(n_vertices: usize, triangles: &[[u32; 3]]) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0_u32; n_vertices + 1];
    for i in triangles.iter().flatten() {
        start[*i as usize + 1] += 1;
    }
    for i in 0..n_vertices {
        start[i + 1] += start[i];
    }
    let mut fill = start.clone();
    let mut fans = vec![0; triangles.len() * 3];
    for (t, corners) in triangles.iter().enumerate() {
        for i in corners {
            fans[fill[*i as usize] as usize] = t as u32;
            fill[*i as usize] += 1;
        }
    }
    (start, fans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(half: f64) -> Mesh {
        let v = |i: u32| {
            let s = |bit: u32| if i >> bit & 1 == 1 { half } else { -half };
            Vec3::new(s(0), s(1), s(2))
        };
        Mesh {
            vertices_mm: (0..8).map(v).collect(),
            triangles: vec![
                [0, 2, 3],
                [0, 3, 1],
                [4, 5, 7],
                [4, 7, 6],
                [0, 1, 5],
                [0, 5, 4],
                [2, 6, 7],
                [2, 7, 3],
                [0, 4, 6],
                [0, 6, 2],
                [1, 3, 7],
                [1, 7, 5],
            ],
        }
    }

    #[test]
    fn cube_distances_of_both_windings() {
        let mut mesh = cube(2.0);
        assert!((mesh.signed_volume_mm3() - 64.0).abs() < 1e-12);
        for flipped in [false, true] {
            if flipped {
                for t in &mut mesh.triangles {
                    t.swap(0, 1);
                }
            }
            let d = MeshDistance::new(&mesh);
            for (p, inside) in [
                (Vec3::new(0.5, 0.0, 0.0), 1.5),
                (Vec3::new(3.0, 0.1, 0.2), -1.0),
                (Vec3::new(3.0, 3.0, 0.0), -2.0_f64.sqrt()),
                (Vec3::new(3.0, 3.0, -3.0), -3.0_f64.sqrt()),
                (Vec3::new(2.0, 2.0, 2.0), 0.0),
            ] {
                let n = d.nearest(&p).unwrap();
                assert!((n.inside_mm - inside).abs() < 1e-12, "{p:?} {n:?}");
                assert!((n.inward.norm() - 1.0).abs() < 1e-12);
                assert!(inside == 0.0 || n.inward.dot(&p) < 0.0);
            }
        }
    }

    #[test]
    fn empty_mesh_and_nan_give_none() {
        assert!(MeshDistance::new(&Mesh::default()).nearest(&Vec3::zeros()).is_none());
        assert!(MeshDistance::new(&cube(1.0)).nearest(&Vec3::new(f64::NAN, 0.0, 0.0)).is_none());
        assert!(MeshDistance::new(&cube(1.0)).nearest(&Vec3::repeat(1e9)).is_some());
    }
}
