//! Geometry aliases, seeded random streams, hashing: what every layer may use.

pub mod banded;
pub mod hash;
pub mod rng;

/// A position or direction; which frame and unit is in the name of the variable (`tip_mm`: patient frame, mm).
pub type Vec3 = nalgebra::Vector3<f64>;
/// A rotation matrix or general 3x3.
pub type Mat3 = nalgebra::Matrix3<f64>;
/// A rigid transform, named `a_from_b`.
pub type Iso3 = nalgebra::Isometry3<f64>;

/// Any unit vector orthogonal to `v` (length > 0), chosen by the smallest component, so it varies little.
pub fn orthogonal(v: &Vec3) -> Vec3 {
    let axis = if v.x.abs() <= v.y.abs() && v.x.abs() <= v.z.abs() {
        Vec3::x()
    } else if v.y.abs() <= v.z.abs() {
        Vec3::y()
    } else {
        Vec3::z()
    };
    v.cross(&axis).normalize()
}

/// Parallel transport of `v` from unit tangent `from` to unit tangent `to` along the shortest rotation.
///
/// Antiparallel tangents (turn by pi) have no shortest rotation; `v` comes back unchanged then.
pub fn parallel_transport(v: &Vec3, from: &Vec3, to: &Vec3) -> Vec3 {
    let b = from.cross(to);
    let c = 1.0 + from.dot(to);
    if c < 1e-9 {
        return *v;
    }
    v + b.cross(v) + b.cross(&b.cross(v)) / c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transport_maps_tangent_to_tangent_and_keeps_length() {
        let from = Vec3::new(1.0, 2.0, -0.5).normalize();
        let to = Vec3::new(-0.3, 1.0, 0.7).normalize();
        assert!((parallel_transport(&from, &from, &to) - to).norm() < 1e-14);
        let v = orthogonal(&from);
        assert!((parallel_transport(&v, &from, &to).norm() - 1.0).abs() < 1e-14);
    }
}
