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
    /// Cosine `z` of the turning angle.
    pub(super) z: f64,
    /// Turning angle over `2 tan(angle / 2)`, and its first and second derivative against `z`.
    pub(super) g: [f64; 3],
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
        let z = x - 1.0;
        Self { a, b, e, f, kb: a.cross(&b) * (2.0 / x), x, z, g: angle_over_tangent(z) }
    }

    /// Curvatures in the material frame of a device, integrated: the turning angle, split over the two directors
    /// (positive bends towards the director of the same number).
    pub(super) fn curvatures(&self, d: &Directors) -> [f64; 2] {
        let scale = 0.5 * self.g[0];
        [scale * (d.m2e + d.m2f).dot(&self.kb), -scale * (d.m1e + d.m1f).dot(&self.kb)]
    }

    /// Derivatives of `z` against both edge vectors.
    fn dz(&self) -> (Vec3, Vec3) {
        ((self.b - self.a * self.z) / self.e, (self.a - self.b * self.z) / self.f)
    }
}

/// `phi / (2 tan(phi / 2))` of an angle with cosine `z`, and two derivatives against `z`.
///
/// The binormal of Bergou et al. 2008 has the length `2 tan(phi / 2)`; scaled by this it has the length `phi`, so that
/// a moment `M` turns a vertex by exactly `M l / EI` and a closed circle closes.
fn angle_over_tangent(z: f64) -> [f64; 3] {
    let u = 1.0 - z;
    if u < 1e-3 {
        // Series in u: the closed form cancels.
        let u2 = u * u;
        return [
            1.0 - u / 6.0 - u2 / 30.0 - u2 * u / 105.0,
            1.0 / 6.0 + u / 15.0 + u2 / 35.0,
            -1.0 / 15.0 - 2.0 * u / 35.0,
        ];
    }
    let phi = z.clamp(-1.0, 1.0).acos();
    let (sin, half) = (phi.sin().max(1e-3), 0.5 * phi);
    let cot = 1.0 / half.tan();
    let csc2 = 1.0 + cot * cot;
    let d = 0.5 * cot - 0.5 * half * csc2;
    let dd = -0.5 * csc2 + 0.5 * half * csc2 * cot;
    // d/dz = -(1 / sin) d/dphi.
    [half * cot, -d / sin, (dd - d * z / sin) / (sin * sin)]
}

/// The matrix of `w -> v x w`.
fn cross_matrix(v: &Vec3) -> Mat3 {
    Mat3::new(0.0, -v.z, v.y, v.z, 0.0, -v.x, -v.y, v.x, 0.0)
}

/// Adds a device's bending and twisting at a vertex; Gauss-Newton, or with `exact` the whole Hessian.
///
/// Bergou et al. 2010, with curvature by the turning angle (see [`angle_over_tangent`]); exact while the reference
/// frames belong to the present configuration.
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
    let [g, g1, _] = c.g;
    // Curvatures by the tangent, before they are scaled to the angle.
    let k = [s.k[0] / g, s.k[1] / g];
    let raw_e = [(p - sum * k[0]) * ie, (-r - sum * k[1]) * ie];
    let raw_f = [(-q - sum * k[0]) * jf, (w - sum * k[1]) * jf];
    let raw_te = [-0.5 * c.kb.dot(&d.m1e), -0.5 * c.kb.dot(&d.m2e)];
    let raw_tf = [-0.5 * c.kb.dot(&d.m1f), -0.5 * c.kb.dot(&d.m2f)];
    let (ze, zf) = c.dz();
    let de = [raw_e[0] * g + ze * (k[0] * g1), raw_e[1] * g + ze * (k[1] * g1), c.kb * (0.5 * ie)];
    let df = [raw_f[0] * g + zf * (k[0] * g1), raw_f[1] * g + zf * (k[1] * g1), c.kb * (0.5 * jf)];
    let dte = [raw_te[0] * g, raw_te[1] * g, -1.0];
    let dtf = [raw_tf[0] * g, raw_tf[1] * g, 1.0];
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
        for i in 0..2 {
            let f = weight[i] * deviation[i];
            add_scale_derivatives(c, k[i], (&raw_e[i], &raw_f[i]), [raw_te[i], raw_tf[i]], f, edges, angles);
        }
    }
}

/// What the scaling from tangent to angle adds to the second derivatives of one curvature, times `force`.
fn add_scale_derivatives(
    c: &Corner,
    k: f64,
    (dke, dkf): (&Vec3, &Vec3),
    dkt: [f64; 2],
    force: f64,
    edges: &mut EdgeBlock,
    angles: &mut AngleBlock,
) {
    let [_, g1, g2] = c.g;
    let (a, b) = (&c.a, &c.b);
    let (ze, zf) = c.dz();
    let pa = Mat3::identity() - a * a.transpose();
    let pb = Mat3::identity() - b * b.transpose();
    let sym = |u: &Vec3, v: &Vec3| u * v.transpose() + v * u.transpose();
    let zee = -(sym(&ze, a) * c.e + pa * c.z) / (c.e * c.e);
    let zff = -(sym(&zf, b) * c.f + pb * c.z) / (c.f * c.f);
    let zef = (pb - a * zf.transpose() * c.f) / (c.e * c.f);
    edges.ee += (sym(dke, &ze) * g1 + (ze * ze.transpose() * g2 + zee * g1) * k) * force;
    edges.ff += (sym(dkf, &zf) * g1 + (zf * zf.transpose() * g2 + zff * g1) * k) * force;
    edges.ef += ((dke * zf.transpose() + ze * dkf.transpose()) * g1
        + (ze * zf.transpose() * g2 + zef * g1) * k)
        * force;
    for (slot, turn) in dkt.iter().enumerate() {
        angles.e[slot] += ze * (g1 * turn * force);
        angles.f[slot] += zf * (g1 * turn * force);
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
    let g = c.g[0];
    let [k1, k2] = [s.k[0] / g, s.k[1] / g];
    let (f1, f2, f3) = (s.bend * s.dk[0] * g, s.bend * s.dk[1] * g, s.twist * s.dm);

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
