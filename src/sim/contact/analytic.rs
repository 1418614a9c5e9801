//! Closed-form walls for tests and drills: straight tube, torus bend, free space.

use super::{WallHit, WallQuery};
use crate::math::{Mat3, Vec3};

/// No wall at all.
#[derive(Clone, Copy, Debug)]
pub struct FreeSpace;

impl WallQuery for FreeSpace {
    fn at(&self, _p_mm: &Vec3) -> WallHit {
        WallHit {
            inside_mm: 1e6,
            inward: Vec3::z(),
            slope: 1.0,
            bend_per_mm: Mat3::zeros(),
            radius_mm: 1e6,
            place: None,
        }
    }
}

/// An infinite straight tube along +z through the origin.
#[derive(Clone, Copy, Debug)]
pub struct StraightTube {
    /// Lumen radius, mm.
    pub radius_mm: f64,
}

impl WallQuery for StraightTube {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        let radial = Vec3::new(p_mm.x, p_mm.y, 0.0);
        let r = radial.norm();
        let inward = if r > 1e-12 { -radial / r } else { Vec3::x() };
        tube_hit(self.radius_mm, r, inward, &Vec3::z())
    }
}

/// The wall of a round tube at a point `off_axis_mm` from the axis, whose direction there is `along`.
pub fn tube_hit(radius_mm: f64, off_axis_mm: f64, inward: Vec3, along: &Vec3) -> WallHit {
    let across = along.cross(&inward);
    WallHit {
        inside_mm: radius_mm - off_axis_mm,
        inward,
        slope: 1.0,
        bend_per_mm: across * across.transpose() * (-1.0 / off_axis_mm.max(1e-4 * radius_mm)),
        radius_mm,
        place: None,
    }
}

/// A torus: the centerline is the circle of `bend_radius_mm` in the x-z plane about `(bend_radius_mm, 0, 0)`, so that it
/// starts at the origin along +z and bends towards +x. For `p.z < 0` it continues as a straight tube along z.
#[derive(Clone, Copy, Debug)]
pub struct BentTube {
    /// Lumen radius, mm.
    pub radius_mm: f64,
    /// Radius of the centerline, mm.
    pub bend_radius_mm: f64,
}

impl WallQuery for BentTube {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        if p_mm.z < 0.0 && p_mm.x < self.bend_radius_mm {
            return StraightTube { radius_mm: self.radius_mm }.at(p_mm);
        }
        let center = Vec3::new(self.bend_radius_mm, 0.0, 0.0);
        let in_plane = Vec3::new(p_mm.x - center.x, 0.0, p_mm.z);
        let rho = in_plane.norm().max(1e-12);
        let on_circle = center + in_plane * (self.bend_radius_mm / rho);
        let radial = p_mm - on_circle;
        let r = radial.norm();
        let inward = if r > 1e-12 { -radial / r } else { Vec3::y() };
        let out = in_plane / rho;
        let along = Vec3::new(-out.z, 0.0, out.x);
        let mut hit = tube_hit(self.radius_mm, r, inward, &along);
        // The tube's own bend, as the straight tangent leaves it.
        hit.bend_per_mm += along * along.transpose() * (inward.dot(&out) / rho);
        hit
    }
}
