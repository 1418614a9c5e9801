//! Signed-distance shapes and their meshing. Distances are negative inside; a lower bound of the true distance outside.

use fast_surface_nets::ndshape::{RuntimeShape, Shape as _};
use fast_surface_nets::{SurfaceNetsBuffer, surface_nets};
use rayon::prelude::*;

use crate::anatomy::Mesh;
use crate::anatomy::remesh::{Target, remesh, separated};
use crate::math::Vec3;

pub(super) fn v(x: f64, y: f64, z: f64) -> Vec3 {
    Vec3::new(x, y, z)
}

/// Union with a fillet of about `k` (quadratic smooth minimum).
pub(super) fn join(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - 0.25 * h * h * k
}

/// `a` without `b`, the edge rounded by about `k`.
pub(super) fn cut(a: f64, b: f64, k: f64) -> f64 {
    -join(-a, b, k)
}

/// Ellipsoid about the origin (first-order distance).
pub(super) fn ellipsoid(p: &Vec3, radii: &Vec3) -> f64 {
    let k0 = p.component_div(radii).norm();
    let k1 = p.component_div(&radii.component_mul(radii)).norm();
    if k1 < 1e-9 { -radii.min() } else { k0 * (k0 - 1.0) / k1 }
}

/// Box of half sizes `half` with edges rounded by `r` (within the half sizes).
pub(super) fn rounded_box(p: &Vec3, half: &Vec3, r: f64) -> f64 {
    let q = p.abs() - half + Vec3::repeat(r);
    q.sup(&Vec3::zeros()).norm() + q.max().min(0.0) - r
}

/// Chain of tapered capsules through points with radii, joined by `k`.
pub(super) fn chain(p: &Vec3, points: &[(Vec3, f64)], k: f64) -> f64 {
    let mut d = f64::INFINITY;
    for w in points.windows(2) {
        let ab = w[1].0 - w[0].0;
        let t = ((p - w[0].0).dot(&ab) / ab.norm_squared().max(1e-12)).clamp(0.0, 1.0);
        let s = (p - w[0].0 - ab * t).norm() - (w[0].1 + t * (w[1].1 - w[0].1));
        d = if d.is_finite() { join(d, s, k) } else { s };
    }
    d
}

/// Distance to a triangle, and the barycentric weights of the nearest point (Ericson 2004, 5.1.5).
fn triangle(p: &Vec3, t: &[Vec3; 3]) -> (f64, [f64; 3]) {
    let (ab, ac, ap) = (t[1] - t[0], t[2] - t[0], p - t[0]);
    let (d1, d2) = (ab.dot(&ap), ac.dot(&ap));
    let bp = p - t[1];
    let (d3, d4) = (ab.dot(&bp), ac.dot(&bp));
    let cp = p - t[2];
    let (d5, d6) = (ab.dot(&cp), ac.dot(&cp));
    let (va, vb, vc) = (d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2);
    let w = if d1 <= 0.0 && d2 <= 0.0 {
        [1.0, 0.0, 0.0]
    } else if d3 >= 0.0 && d4 <= d3 {
        [0.0, 1.0, 0.0]
    } else if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let s = d1 / (d1 - d3);
        [1.0 - s, s, 0.0]
    } else if d6 >= 0.0 && d5 <= d6 {
        [0.0, 0.0, 1.0]
    } else if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let s = d2 / (d2 - d6);
        [1.0 - s, 0.0, s]
    } else if va <= 0.0 && d4 >= d3 && d5 >= d6 {
        let s = (d4 - d3) / ((d4 - d3) + (d5 - d6));
        [0.0, 1.0 - s, s]
    } else {
        let sum = (va + vb + vc).max(1e-18);
        [va / sum, vb / sum, vc / sum]
    };
    let q = t[0] * w[0] + t[1] * w[1] + t[2] * w[2];
    ((p - q).norm(), w)
}

/// A curved plate: a surface between rows of control points, with a half thickness at each.
pub(super) struct Plate {
    triangles: Vec<([Vec3; 3], [f64; 3])>,
}

impl Plate {
    /// From rows of (point, half thickness), all of one length, smoothed by Catmull-Rom along the rows.
    pub(super) fn new(rows: &[Vec<(Vec3, f64)>], refine: usize) -> Self {
        let fine: Vec<Vec<(Vec3, f64)>> = rows.iter().map(|r| smooth(r, refine)).collect();
        let columns = fine[0].len();
        let across: Vec<Vec<(Vec3, f64)>> =
            (0..columns).map(|c| smooth(&fine.iter().map(|r| r[c]).collect::<Vec<_>>(), refine)).collect();
        let mut triangles = Vec::new();
        for pair in across.windows(2) {
            for i in 0..pair[0].len() - 1 {
                let (a, b, c, d) = (pair[0][i], pair[1][i], pair[1][i + 1], pair[0][i + 1]);
                triangles.push(([a.0, b.0, c.0], [a.1, b.1, c.1]));
                triangles.push(([a.0, c.0, d.0], [a.1, c.1, d.1]));
            }
        }
        Self { triangles }
    }

    /// Distance to the plate.
    pub(super) fn at(&self, p: &Vec3) -> f64 {
        let mut best = f64::INFINITY;
        for (t, h) in &self.triangles {
            let (d, w) = triangle(p, t);
            best = best.min(d - (h[0] * w[0] + h[1] * w[1] + h[2] * w[2]));
        }
        best
    }
}

/// Catmull-Rom through control values, `refine` pieces each.
fn smooth(row: &[(Vec3, f64)], refine: usize) -> Vec<(Vec3, f64)> {
    let n = row.len();
    let mut out = vec![row[0]];
    for i in 0..n - 1 {
        let (b, c) = (row[i], row[i + 1]);
        let a = if i == 0 { (b.0 * 2.0 - c.0, b.1) } else { row[i - 1] };
        let d = if i + 2 < n { row[i + 2] } else { (c.0 * 2.0 - b.0, c.1) };
        for s in 1..=refine {
            let t = s as f64 / refine as f64;
            let (t2, t3) = (t * t, t * t * t);
            let w = [
                -0.5 * t3 + t2 - 0.5 * t,
                1.5 * t3 - 2.5 * t2 + 1.0,
                -1.5 * t3 + 2.0 * t2 + 0.5 * t,
                0.5 * t3 - 0.5 * t2,
            ];
            let point = a.0 * w[0] + b.0 * w[1] + c.0 * w[2] + d.0 * w[3];
            out.push((point, b.1 + t * (c.1 - b.1)));
        }
    }
    out
}

/// Smooth curve through points (Catmull-Rom).
pub(super) fn curve(points: &[(Vec3, f64)], refine: usize) -> Vec<(Vec3, f64)> {
    smooth(points, refine)
}

/// Samples per edge of a block that is skipped when it is far from the surface.
const BLOCK: usize = 4;

/// Meshes the zero surface of a distance inside a box with surface nets on a grid, then evens the triangles.
///
/// Blocks of samples farther from the surface than their diagonal are filled without sampling; that needs the distance
/// not to grow faster than 1.3 per mm.
pub(super) fn mesh(
    sdf: &(dyn Fn(&Vec3) -> f64 + Sync),
    low: &Vec3,
    high: &Vec3,
    grid_mm: f64,
    edge_mm: f64,
) -> Mesh {
    let n: [usize; 3] = std::array::from_fn(|k| ((high[k] - low[k]) / grid_mm).ceil() as usize + 3);
    let at = |i: [usize; 3]| low + v(i[0] as f64 - 1.0, i[1] as f64 - 1.0, i[2] as f64 - 1.0) * grid_mm;
    let slabs = n[2].div_ceil(BLOCK);
    let values: Vec<Vec<f32>> = (0..slabs)
        .into_par_iter()
        .map(|slab| {
            let z0 = slab * BLOCK;
            let depth = BLOCK.min(n[2] - z0);
            let mut out = vec![0.0_f32; n[0] * n[1] * depth];
            for y0 in (0..n[1]).step_by(BLOCK) {
                for x0 in (0..n[0]).step_by(BLOCK) {
                    let half = 0.5 * (BLOCK - 1) as f64 * grid_mm;
                    let center = at([x0, y0, z0]) + Vec3::repeat(half);
                    let far = sdf(&center);
                    let skip = far.abs() > 1.3 * (half * 3.0_f64.sqrt() + grid_mm);
                    for z in 0..depth {
                        for y in y0..(y0 + BLOCK).min(n[1]) {
                            for x in x0..(x0 + BLOCK).min(n[0]) {
                                let d = if skip { far } else { sdf(&at([x, y, z0 + z])) };
                                out[(z * n[1] + y) * n[0] + x] = (d / grid_mm) as f32;
                            }
                        }
                    }
                }
            }
            out
        })
        .collect();
    let mut values: Vec<f32> = values.concat();
    settle_faces(&mut values, n);
    let shape = RuntimeShape::<u32, 3>::new(n.map(|c| c as u32));
    let mut buffer = SurfaceNetsBuffer::default();
    surface_nets(&values, &shape, [0; 3], shape.as_array().map(|c| c - 1), &mut buffer);
    let vertices_mm = buffer
        .positions
        .par_iter()
        .map(|p| {
            let start =
                low + v(f64::from(p[0]) - 1.0, f64::from(p[1]) - 1.0, f64::from(p[2]) - 1.0) * grid_mm;
            onto(sdf, &start, 0.6 * grid_mm)
        })
        .collect();
    let triangles = buffer.indices.chunks_exact(3).map(|t| [t[0], t[1], t[2]]).collect();
    let mut mesh = Mesh { vertices_mm, triangles };
    if mesh.signed_volume_mm3() < 0.0 {
        mesh.triangles.iter_mut().for_each(|t| t.swap(1, 2));
    }
    let target = Target { edge_mm: &|_| edge_mm, onto: &|p| onto(sdf, p, 0.5 * edge_mm) };
    let mut even = remesh(&separated(&mesh), &target, 4);
    even.vertices_mm.iter_mut().for_each(|p| *p = p.map(|c| f64::from(c as f32)));
    even
}

/// Where two diagonal samples of a grid face are inside and the two others outside, surface nets would join four
/// triangles at one edge: the shallower of the two goes outside, until no such face is left.
fn settle_faces(values: &mut [f32], n: [usize; 3]) {
    let stride = [1, n[0], n[0] * n[1]];
    loop {
        let mut changed = false;
        for z in 0..n[2] {
            for y in 0..n[1] {
                for x in 0..n[0] {
                    let at = [x, y, z];
                    let i = x + stride[1] * y + stride[2] * z;
                    for (u, w) in [(0, 1), (1, 2), (2, 0)] {
                        if at[u] + 1 == n[u] || at[w] + 1 == n[w] {
                            continue;
                        }
                        let face = [i, i + stride[u], i + stride[u] + stride[w], i + stride[w]];
                        let inside = face.map(|k| values[k] < 0.0);
                        if inside[0] == inside[1] || inside[0] != inside[2] || inside[1] != inside[3] {
                            continue;
                        }
                        // Always outwards, so that it comes to an end.
                        let (a, b) = if inside[0] { (face[0], face[2]) } else { (face[1], face[3]) };
                        values[if values[a] > values[b] { a } else { b }] = 0.01;
                        changed = true;
                    }
                }
            }
        }
        if !changed {
            break;
        }
    }
}

/// A Newton step along the numeric gradient, at most `limit_mm` long.
fn onto(sdf: &(dyn Fn(&Vec3) -> f64 + Sync), start: &Vec3, limit_mm: f64) -> Vec3 {
    let mut p = *start;
    for _ in 0..2 {
        let d = sdf(&p);
        let e = 0.05;
        let g = Vec3::from_fn(|k, _| {
            let mut q = p;
            q[k] += e;
            (sdf(&q) - d) / e
        });
        let g2 = g.norm_squared();
        if g2 < 0.04 {
            break;
        }
        let q = p - g * (d / g2);
        if (q - start).norm() > limit_mm {
            break;
        }
        p = q;
    }
    p
}

/// The mirror image across the sagittal plane, still outward.
pub(super) fn mirrored(mesh: &Mesh) -> Mesh {
    Mesh {
        vertices_mm: mesh.vertices_mm.iter().map(|p| v(-p.x, p.y, p.z)).collect(),
        triangles: mesh.triangles.iter().map(|t| [t[0], t[2], t[1]]).collect(),
    }
}
