//! The wall of a lumen mesh: signed distance, and where on the vessel tree it is.

use super::grid::DistanceGrid;
use super::{WallHit, WallQuery};
use crate::anatomy::{
    CenterlinePoint, CornerLabel, LumenMesh, MeshDistance, Nearest, VesselId, VesselPlace, VesselTree,
};
use crate::math::{Mat3, Vec3};

/// How far outside counts a point that no mesh is near to, mm.
const NOWHERE_MM: f64 = 1e6;
/// Lumen radius where the tree does not know one, mm.
const DEFAULT_RADIUS_MM: f64 = 2.0;

/// Longest way from a label to a foot, in centerline points.
const MAX_WALK: usize = 24;

/// The wall of a closed lumen mesh with its vessel tree.
///
/// `WallQuery::at` reads a distance grid that is filled on first touch; `exact_at` asks the triangles.
pub struct MeshWall {
    surface: MeshDistance,
    places: Places,
    grid: Option<DistanceGrid>,
}

impl std::fmt::Debug for MeshWall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MeshWall").field("surface", &self.surface).finish_non_exhaustive()
    }
}

impl MeshWall {
    /// Prepares the wall of a lumen mesh (either winding; corner labels as in [`LumenMesh`]).
    pub fn new(lumen: &LumenMesh, tree: &VesselTree) -> Self {
        let surface = MeshDistance::new(&lumen.mesh);
        let places = Places::new(lumen, tree);
        let triangles = lumen.mesh.triangles.iter().enumerate().map(|(i, t)| {
            let [a, b, c] = t.map(|v| lumen.mesh.vertices_mm[v as usize]);
            let seed = places.labels.get(i).and_then(|corners| places.seed(&corners[0]));
            let radius_mm = seed.map_or(DEFAULT_RADIUS_MM, |s| places.radius_mm(&s));
            ((a.inf(&b).inf(&c), a.sup(&b).sup(&c)), radius_mm)
        });
        let grid = surface.bounds_mm().and_then(|bounds| DistanceGrid::new(bounds, triangles));
        Self { surface, places, grid }
    }

    /// The wall near a point straight from the triangles, without the grid.
    pub fn exact_at(&self, p_mm: &Vec3) -> WallHit {
        let Some(near) = self.surface.nearest(p_mm) else {
            return WallHit {
                inside_mm: -NOWHERE_MM,
                inward: Vec3::z(),
                slope: 1.0,
                bend_per_mm: Mat3::zeros(),
                radius_mm: DEFAULT_RADIUS_MM,
                place: None,
            };
        };
        self.hit(p_mm, near.inside_mm, (near.inward, 1.0, Mat3::zeros()), self.places.seed_at(&near))
    }

    fn hit(
        &self,
        p_mm: &Vec3,
        inside_mm: f64,
        (inward, slope, bend_per_mm): (Vec3, f64, Mat3),
        seed: Option<PlaceSeed>,
    ) -> WallHit {
        let found = seed.map(|seed| self.places.foot(&seed, p_mm));
        WallHit {
            inside_mm,
            inward,
            slope,
            bend_per_mm,
            radius_mm: found.map_or(DEFAULT_RADIUS_MM, |(_, radius_mm)| radius_mm),
            place: found.map(|(place, _)| place),
        }
    }
}

impl WallQuery for MeshWall {
    fn at(&self, p_mm: &Vec3) -> WallHit {
        let seed = |near: &Nearest| self.places.seed_at(near);
        let Some(s) = self.grid.as_ref().and_then(|grid| grid.sample(p_mm, &self.surface, &seed)) else {
            return self.exact_at(p_mm);
        };
        let steepness = s.gradient.norm();
        if steepness < 1e-3 {
            // As far from one wall as from another: the triangles decide.
            return WallHit { inside_mm: s.inside_mm, ..self.exact_at(p_mm) };
        }
        self.hit(p_mm, s.inside_mm, (s.gradient / steepness, steepness, s.bend_per_mm), s.seed)
    }
}

/// Where on the tree a search for a place begins: a branch and one of its points. Valid for the tree it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlaceSeed {
    pub(super) vessel: u32,
    pub(super) point: u32,
}

/// A centerline point, as much of it as a search needs (one cache line).
#[derive(Clone, Copy)]
struct Foot {
    position_mm: Vec3,
    tangent: Vec3,
    radius_mm: f64,
    arc_mm: f64,
}

/// Centerlines and corner labels.
struct Places {
    branches: Vec<Vec<Foot>>,
    labels: Vec<[CornerLabel; 3]>,
}

impl Places {
    fn new(lumen: &LumenMesh, tree: &VesselTree) -> Self {
        let foot = |p: &CenterlinePoint| Foot {
            position_mm: p.position_mm,
            tangent: p.tangent,
            radius_mm: p.radius_mm,
            arc_mm: p.arc_mm,
        };
        let branches = tree.branches.iter().map(|b| b.points.iter().map(foot).collect()).collect();
        Self { branches, labels: lumen.labels.clone() }
    }

    /// The seed of a label; `None` for a branch that the tree does not have.
    fn seed(&self, label: &CornerLabel) -> Option<PlaceSeed> {
        let feet = self.branches.get(label.vessel.idx()).filter(|feet| feet.len() > 1)?;
        let after = feet.partition_point(|p| p.arc_mm < f64::from(label.arc_mm));
        Some(PlaceSeed { vessel: label.vessel.0, point: after.clamp(1, feet.len() - 1) as u32 - 1 })
    }

    /// The seed at a point of the surface, by the nearest corner.
    fn seed_at(&self, near: &Nearest) -> Option<PlaceSeed> {
        let corners = self.labels.get(near.triangle as usize)?;
        let nearest = (0..3).max_by(|a, b| near.bary[*a].total_cmp(&near.bary[*b]))?;
        self.seed(&corners[nearest])
    }

    fn radius_mm(&self, seed: &PlaceSeed) -> f64 {
        self.branches[seed.vessel as usize][seed.point as usize].radius_mm
    }

    /// The foot of a point on the seed's branch and the radius there: where the plane across the centerline, turned
    /// evenly from point to point, holds the point. Sought from the seed on.
    fn foot(&self, seed: &PlaceSeed, p_mm: &Vec3) -> (VesselPlace, f64) {
        let feet = &self.branches[seed.vessel as usize];
        let ahead = |k: usize| (p_mm - feet[k].position_mm).dot(&feet[k].tangent);
        let last = feet.len() - 2;
        let mut k = (seed.point as usize).min(last);
        let (mut from, mut to) = (ahead(k), ahead(k + 1));
        // A label is at most a few points off; the bound keeps a point far from the line from wandering along it.
        for _ in 0..MAX_WALK {
            if from < 0.0 && k > 0 {
                (k, to) = (k - 1, from);
                from = ahead(k);
            } else if to > 0.0 && k < last {
                (k, from) = (k + 1, to);
                to = ahead(k + 1);
            } else {
                break;
            }
        }
        let t = if from <= 0.0 {
            0.0
        } else if to >= 0.0 {
            1.0
        } else {
            from / (from - to)
        };
        let between = |a: f64, b: f64| a + t * (b - a);
        let (a, b) = (&feet[k], &feet[k + 1]);
        let place = VesselPlace { vessel: VesselId(seed.vessel), arc_mm: between(a.arc_mm, b.arc_mm) };
        (place, between(a.radius_mm, b.radius_mm))
    }
}
