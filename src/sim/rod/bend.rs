//! Curvature and twist at one vertex: values, gradients, Hessians.

use crate::math::{Mat3, Vec3};

/// The two edges of a vertex, without material angles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corner {
    /// Unit tangent of the edge before.
    pub(super) a: Vec3,
    /// Unit tangent of the edge after.
    pub(super) b: Vec3,
    /// Length of the edge before, mm.
    pub(super) e: f64,
    /// Length of the edge after, mm.
    pub(super) f: f64,
    /// Integrated curvature binormal `2 a x b / (1 + a.b)`.
    pub(super) kb: Vec3,
    /// `1 + a.b`.
    pub(super) x: f64,
}

/// Material directors of a device on both edges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directors {
    pub(super) m1e: Vec3,
    pub(super) m2e: Vec3,
    pub(super) m1f: Vec3,
    pub(super) m2f: Vec3,
}

/// Weights and deviations of a device at a vertex.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strain {
    /// Bending weight, N mm.
    pub(super) bend: f64,
    /// Curvatures (integrated, rad) and their deviations from rest.
    pub(super) k: [f64; 2],
    pub(super) dk: [f64; 2],
    /// Twisting weight, N mm.
    pub(super) twist: f64,
    /// Deviation of the twist from rest, rad.
    pub(super) dm: f64,
}

/// Gradient and Hessian of a vertex against its edge vectors `e`, `f`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EdgeBlock {
    pub(super) ge: Vec3,
    pub(super) gf: Vec3,
    pub(super) ee: Mat3,
    pub(super) ff: Mat3,
    pub(super) ef: Mat3,
}

/// The part against a device's material angles on `e` and `f`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AngleBlock {
    /// Gradient against the two angles.
    pub(super) g: [f64; 2],
    /// Hessian of the angles: ee, ef, ff.
    pub(super) tt: [f64; 3],
    /// Mixed: `e` against both angles.
    pub(super) e: [Vec3; 2],
    /// Mixed: `f` against both angles.
    pub(super) f: [Vec3; 2],
}

impl Corner {
    pub(super) fn new(a: Vec3, b: Vec3, e: f64, f: f64) -> Self {
        // Antiparallel edges have infinite curvature; the floor keeps the energy finite and enormous.
        let x = (1.0 + a.dot(&b)).max(1e-6);
        Self { a, b, e, f, kb: a.cross(&b) * (2.0 / x), x }
    }

    /// Curvatures in the material frame of a device; positive bends towards the director of the same number.
    pub(super) fn curvatures(&self, d: &Directors) -> [f64; 2] {
        [0.5 * (d.m2e + d.m2f).dot(&self.kb), -0.5 * (d.m1e + d.m1f).dot(&self.kb)]
    }
}

/// The matrix of `w -> v x w`.
fn cross_matrix(v: &Vec3) -> Mat3 {
    Mat3::new(0.0, -v.z, v.y, v.z, 0.0, -v.x, -v.y, v.x, 0.0)
}

/// Adds a device's bending and twisting at a vertex; Gauss-Newton, or with `exact` the whole Hessian.
///
/// Bergou et al. 2010 with the derivatives of reference A4; exact while the reference frames belong to the
/// present configuration.
pub(super) fn add_vertex(
    c: &Corner,
    d: &Directors,
    s: &Strain,
    exact: bool,
    edges: &mut EdgeBlock,
    angles: &mut AngleBlock,
) {
    let sum = (c.a + c.b) / c.x;
    let n1 = (d.m1e + d.m1f) / c.x;
    let n2 = (d.m2e + d.m2f) / c.x;
    let (p, q) = (c.b.cross(&n2), c.a.cross(&n2));
    let (r, w) = (c.b.cross(&n1), c.a.cross(&n1));
    let (ie, jf) = (1.0 / c.e, 1.0 / c.f);
    let de = [(p - sum * s.k[0]) * ie, (-r - sum * s.k[1]) * ie, c.kb * (0.5 * ie)];
    let df = [(-q - sum * s.k[0]) * jf, (w - sum * s.k[1]) * jf, c.kb * (0.5 * jf)];
    let dte = [-0.5 * c.kb.dot(&d.m1e), -0.5 * c.kb.dot(&d.m2e), -1.0];
    let dtf = [-0.5 * c.kb.dot(&d.m1f), -0.5 * c.kb.dot(&d.m2f), 1.0];
    let weight = [s.bend, s.bend, s.twist];
    let deviation = [s.dk[0], s.dk[1], s.dm];
    for i in 0..3 {
        let (wi, f) = (weight[i], weight[i] * deviation[i]);
        edges.ge += de[i] * f;
        edges.gf += df[i] * f;
        angles.g[0] += dte[i] * f;
        angles.g[1] += dtf[i] * f;
        let (we, wf) = (de[i] * wi, df[i] * wi);
        edges.ee += we * de[i].transpose();
        edges.ff += wf * df[i].transpose();
        edges.ef += we * df[i].transpose();
        angles.tt[0] += wi * dte[i] * dte[i];
        angles.tt[1] += wi * dte[i] * dtf[i];
        angles.tt[2] += wi * dtf[i] * dtf[i];
        angles.e[0] += we * dte[i];
        angles.e[1] += we * dtf[i];
        angles.f[0] += wf * dte[i];
        angles.f[1] += wf * dtf[i];
    }
    if exact {
        add_second_derivatives(c, d, s, &sum, [n1, n2], [p, q, r, w], edges, angles);
    }
}

/// The terms `weight * deviation * second derivative`.
fn add_second_derivatives(
    c: &Corner,
    d: &Directors,
    s: &Strain,
    sum: &Vec3,
    n: [Vec3; 2],
    pqrw: [Vec3; 4],
    edges: &mut EdgeBlock,
    angles: &mut AngleBlock,
) {
    let [p, q, r, w] = pqrw;
    let (a, b, kb) = (&c.a, &c.b, &c.kb);
    let sym = |u: &Vec3, v: &Vec3| u * v.transpose() + v * u.transpose();
    let (ee, ff, ef) = (1.0 / (c.e * c.e), 1.0 / (c.f * c.f), 1.0 / (c.e * c.f));
    let ss = sum * sum.transpose();
    let pa = Mat3::identity() - a * a.transpose();
    let pb = Mat3::identity() - b * b.transpose();
    let iab = Mat3::identity() + a * b.transpose();
    let [k1, k2] = s.k;
    let (f1, f2, f3) = (s.bend * s.dk[0], s.bend * s.dk[1], s.twist * s.dm);

    edges.ee += ((ss * (2.0 * k1) - sym(&p, sum) - pa * (k1 / c.x)) + sym(kb, &d.m2e) * 0.25) * (f1 * ee);
    edges.ff += ((ss * (2.0 * k1) + sym(&q, sum) - pb * (k1 / c.x)) + sym(kb, &d.m2f) * 0.25) * (f1 * ff);
    edges.ef += (ss * (2.0 * k1) - p * sum.transpose() + sum * q.transpose()
        - cross_matrix(&n[1])
        - iab * (k1 / c.x))
        * (f1 * ef);

    edges.ee += ((ss * (2.0 * k2) + sym(&r, sum) - pa * (k2 / c.x)) - sym(kb, &d.m1e) * 0.25) * (f2 * ee);
    edges.ff += ((ss * (2.0 * k2) - sym(&w, sum) - pb * (k2 / c.x)) - sym(kb, &d.m1f) * 0.25) * (f2 * ff);
    edges.ef += (ss * (2.0 * k2) + r * sum.transpose() - sum * w.transpose() + cross_matrix(&n[0])
        - iab * (k2 / c.x))
        * (f2 * ef);

    edges.ee -= sym(kb, &(a + sum)) * (0.25 * f3 * ee);
    edges.ff -= sym(kb, &(b + sum)) * (0.25 * f3 * ff);
    edges.ef += (cross_matrix(a) * (2.0 / c.x) - kb * sum.transpose()) * (0.5 * f3 * ef);

    angles.tt[0] += 0.5 * (f2 * kb.dot(&d.m1e) - f1 * kb.dot(&d.m2e));
    angles.tt[2] += 0.5 * (f2 * kb.dot(&d.m1f) - f1 * kb.dot(&d.m2f));
    for (slot, (m1, m2)) in [(d.m1e, d.m2e), (d.m1f, d.m2f)].into_iter().enumerate() {
        let (s1, s2) = (sum * (0.5 * kb.dot(&m1)), sum * (0.5 * kb.dot(&m2)));
        angles.e[slot] += ((s1 - b.cross(&m1) / c.x) * f1 + (s2 - b.cross(&m2) / c.x) * f2) / c.e;
        angles.f[slot] += ((s1 + a.cross(&m1) / c.x) * f1 + (s2 + a.cross(&m2) / c.x) * f2) / c.f;
    }
}
