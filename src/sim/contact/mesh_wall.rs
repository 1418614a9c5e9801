//! The wall of a lumen mesh: exact signed distance, and where on the vessel tree it is.

use super::{WallHit, WallQuery};
use crate::anatomy::{CornerLabel, LumenMesh, MeshDistance, Nearest, VesselPlace, VesselTree};
use crate::math::Vec3;

/// How far outside counts a point that no mesh is near to, mm.
const NOWHERE_MM: f64 = 1e6;

/// The wall of a closed lumen mesh with its vessel tree.
#[derive(Debug)]
pub struct MeshWall {
    surface: MeshDistance,
    labels: Vec<[CornerLabel; 3]>,
    tree: VesselTree,
}

impl MeshWall {
    /// Prepares the wall of a lumen mesh (either winding; corner labels as in [`LumenMesh`]).
    pub fn new(lumen: &LumenMesh, tree: &VesselTree) -> Self {
        Self { surface: MeshDistance::new(&lumen.mesh), labels: lumen.labels.clone(), tree: tree.clone() }
    }

    /// The wall near a point straight from the triangles, without the grid.
    pub fn exact_at(&self, p_mm: &Vec3) -> WallHit {
        let Some(near) = self.surface.nearest(p_mm) else {
            return WallHit { inside_mm: -NOWHERE_MM, inward: Vec3::z(), radius_mm: 1.0, place: None };
        };
        let place = self.label(&near).and_then(|label| self.place(&label, p_mm));
        WallHit {
            inside_mm: near.inside_mm,
            inward: near.inward,
            radius_mm: place.map_or_else(|| near.inside_mm.abs().max(0.1), |place| self.radius_mm(&place)),
            place,
        }
    }

    /// The label at a point of the surface: interpolated where the corners agree on the branch, else the nearest's.
    fn label(&self, near: &Nearest) -> Option<CornerLabel> {
        let corners = self.labels.get(near.triangle as usize)?;
        let nearest = (0..3).max_by(|a, b| near.bary[*a].total_cmp(&near.bary[*b]))?;
        let vessel = corners[nearest].vessel;
        if corners.iter().any(|c| c.vessel != vessel) {
            return Some(corners[nearest]);
        }
        let arc = (0..3).map(|k| f64::from(corners[k].arc_mm) * near.bary[k]).sum::<f64>();
        Some(CornerLabel { vessel, arc_mm: arc as f32 })
    }

    /// The foot of a point on the centerline of the label's branch, sought downhill from the label's arc length.
    fn place(&self, label: &CornerLabel, p_mm: &Vec3) -> Option<VesselPlace> {
        let points = &self.tree.branches.get(label.vessel.idx())?.points;
        if points.len() < 2 {
            return None;
        }
        let guess = points.partition_point(|p| p.arc_mm < f64::from(label.arc_mm));
        let mut k = guess.clamp(1, points.len() - 1) - 1;
        let share = |k: usize| {
            let d = points[k + 1].position_mm - points[k].position_mm;
            (p_mm - points[k].position_mm).dot(&d) / d.norm_squared().max(1e-12)
        };
        let mut t = share(k);
        // Downhill on a curved line ends after a few points; the bound keeps a bent one from wandering off.
        for _ in 0..8 {
            let next = if t < 0.0 && k > 0 {
                k - 1
            } else if t > 1.0 && k + 2 < points.len() {
                k + 1
            } else {
                break;
            };
            let t_next = share(next);
            let back = if next < k { t_next > 1.0 } else { t_next < 0.0 };
            (k, t) = (next, t_next);
            if back {
                break; // the foot is the point between two segments
            }
        }
        let t = t.clamp(0.0, 1.0);
        let arc_mm = points[k].arc_mm + t * (points[k + 1].arc_mm - points[k].arc_mm);
        Some(VesselPlace { vessel: label.vessel, arc_mm })
    }

    fn radius_mm(&self, place: &VesselPlace) -> f64 {
        self.tree.branch(place.vessel).at(place.arc_mm).radius_mm
    }
}

impl WallQuery for MeshWall {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        self.exact_at(p_mm)
    }
}
