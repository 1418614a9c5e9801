//! Makes a triangle soup one oriented surface: welds vertices, turns triangles to agree, closes open rims.

use std::collections::BTreeMap;

use super::Mesh;
use super::mesh_io::Openness;
use crate::math::Vec3;

/// Vertices closer than this share of the mesh's diagonal are one, where an exact weld leaves the mesh open.
const WELD_SHARE: f64 = 1e-6;

/// Makes one vertex of those with equal coordinates, then, only if the mesh is still open, of those that nearly agree;
/// drops triangles that collapse and vertices that no triangle uses.
pub(super) fn weld(mesh: &mut Mesh) {
    merge(mesh, 0.0);
    if !Openness::of(mesh).rims.is_empty() {
        let Some(first) = mesh.vertices_mm.first() else { return };
        let (lo, hi) = mesh.vertices_mm.iter().fold((*first, *first), |(lo, hi), v| (lo.inf(v), hi.sup(v)));
        merge(mesh, (hi - lo).norm() * WELD_SHARE);
    }
}

fn merge(mesh: &mut Mesh, tolerance_mm: f64) {
    let mut seen: BTreeMap<[i64; 3], Vec<u32>> = BTreeMap::new();
    let key = |v: &Vec3| -> [i64; 3] {
        if tolerance_mm > 0.0 {
            std::array::from_fn(|k| (v[k] / tolerance_mm).floor() as i64)
        } else {
            std::array::from_fn(|k| (v[k] + 0.0).to_bits() as i64)
        }
    };
    let reach = i64::from(tolerance_mm > 0.0);
    let mut vertices: Vec<Vec3> = Vec::new();
    let mut index = vec![u32::MAX; mesh.vertices_mm.len()];
    let mut triangles = Vec::with_capacity(mesh.triangles.len());
    let mut find = |v: &Vec3, vertices: &mut Vec<Vec3>| -> u32 {
        let k = key(v);
        for dx in -reach..=reach {
            for dy in -reach..=reach {
                for dz in -reach..=reach {
                    let near = [k[0].wrapping_add(dx), k[1].wrapping_add(dy), k[2].wrapping_add(dz)];
                    for i in seen.get(&near).into_iter().flatten() {
                        if (vertices[*i as usize] - v).norm() <= tolerance_mm {
                            return *i;
                        }
                    }
                }
            }
        }
        vertices.push(*v);
        seen.entry(k).or_default().push(vertices.len() as u32 - 1);
        vertices.len() as u32 - 1
    };
    for t in &mesh.triangles {
        let t = t.map(|i| {
            let i = i as usize;
            if index[i] == u32::MAX {
                index[i] = find(&mesh.vertices_mm[i], &mut vertices);
            }
            index[i]
        });
        if t[0] != t[1] && t[1] != t[2] && t[2] != t[0] {
            triangles.push(t);
        }
    }
    mesh.vertices_mm = vertices;
    mesh.triangles = triangles;
}

/// Turns triangles so that neighbors across an edge of two triangles agree; each body keeps the sense of its first.
pub(super) fn orient(mesh: &mut Mesh) {
    let mut edges: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    for (i, t) in mesh.triangles.iter().enumerate() {
        for k in 0..3 {
            let (a, b) = (t[k], t[(k + 1) % 3]);
            edges.entry((a.min(b), a.max(b))).or_default().push(i as u32);
        }
    }
    let mut done = vec![false; mesh.triangles.len()];
    for start in 0..mesh.triangles.len() {
        if done[start] {
            continue;
        }
        done[start] = true;
        let mut stack = vec![start];
        while let Some(i) = stack.pop() {
            let t = mesh.triangles[i];
            for k in 0..3 {
                let (a, b) = (t[k], t[(k + 1) % 3]);
                let Some(pair) = edges.get(&(a.min(b), a.max(b))).filter(|pair| pair.len() == 2) else {
                    continue;
                };
                let other = if pair[0] as usize == i { pair[1] } else { pair[0] } as usize;
                if done[other] {
                    continue;
                }
                done[other] = true;
                let o = mesh.triangles[other];
                if (0..3).any(|m| (o[m], o[(m + 1) % 3]) == (a, b)) {
                    mesh.triangles[other] = [o[0], o[2], o[1]];
                }
                stack.push(other);
            }
        }
    }
}

/// Bodies (parts joined by shared vertices) that enclose a negative volume are turned outwards.
pub(super) fn flip_inward_bodies(mesh: &mut Mesh) {
    let body = bodies(mesh);
    let n = body.iter().copied().max().map_or(0, |b| b as usize + 1);
    // Measured from each body's own middle, which bounds the error that open rims make.
    let mut middle = vec![(Vec3::zeros(), 0.0_f64); n];
    for (t, b) in mesh.triangles.iter().zip(&body) {
        let m = &mut middle[*b as usize];
        *m = (m.0 + mesh.vertices_mm[t[0] as usize], m.1 + 1.0);
    }
    let mut volume = vec![0.0_f64; n];
    for (t, b) in mesh.triangles.iter().zip(&body) {
        let m = middle[*b as usize];
        let [p, q, r] = t.map(|i| mesh.vertices_mm[i as usize] - m.0 / m.1);
        volume[*b as usize] += p.dot(&q.cross(&r)) / 6.0;
    }
    for (t, b) in mesh.triangles.iter_mut().zip(&body) {
        if volume[*b as usize] < 0.0 {
            t.swap(1, 2);
        }
    }
}

/// The number of the body of each triangle.
fn bodies(mesh: &Mesh) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..mesh.vertices_mm.len() as u32).collect();
    fn root(parent: &mut [u32], mut i: u32) -> u32 {
        while parent[i as usize] != i {
            parent[i as usize] = parent[parent[i as usize] as usize];
            i = parent[i as usize];
        }
        i
    }
    for t in &mesh.triangles {
        let a = root(&mut parent, t[0]);
        for i in &t[1..] {
            let b = root(&mut parent, *i);
            parent[b as usize] = a;
        }
    }
    let mut number: BTreeMap<u32, u32> = BTreeMap::new();
    mesh.triangles
        .iter()
        .map(|t| {
            let next = number.len() as u32;
            *number.entry(root(&mut parent, t[0])).or_insert(next)
        })
        .collect()
}

/// Closes every open rim by a fan about its middle.
pub(super) fn cap_rims(mesh: &mut Mesh) {
    for rim in Openness::of(mesh).rims {
        let middle = mesh.vertices_mm.len() as u32;
        mesh.vertices_mm.push(rim.center_mm);
        for k in 0..rim.vertices.len() {
            let (a, b) = (rim.vertices[k], rim.vertices[(k + 1) % rim.vertices.len()]);
            mesh.triangles.push([b, a, middle]);
        }
    }
}
