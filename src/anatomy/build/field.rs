//! The lumen as an implicit surface: tubes of linearly varying radius about the centerlines, blended at their ostia.

use crate::anatomy::{VesselId, VesselPlace, VesselTree};
use crate::math::Vec3;

/// Edge of a cell of the search grid, mm.
const CELL_MM: f64 = 4.0;
/// Longest blend, mm: a longer one would need distances beyond their reach.
const MAX_BLEND_MM: f64 = 2.0 * REACH_MM;
/// Distances are exact up to this far from a wall, mm; farther away they are only large.
const REACH_MM: f64 = 3.0;

/// A piece of centerline.
struct Segment {
    vessel: u32,
    a: Vec3,
    ab: Vec3,
    length_squared: f64,
    radius_a: f64,
    radius_b: f64,
    arc_a: f64,
    arc_b: f64,
}

/// Distance of a point to the wall of one branch taken alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct TubeHit {
    /// Distance to the wall, mm, negative inside.
    pub(super) distance_mm: f64,
    /// Unit gradient.
    pub(super) gradient: Vec3,
    /// Nearest place of the centerline.
    pub(super) place: VesselPlace,
    /// Radius there, mm.
    pub(super) radius_mm: f64,
}

/// Distance to the blended surface.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldHit {
    /// Distance to the wall, mm, negative inside; first-order near the wall.
    pub(super) distance_mm: f64,
    /// Gradient, near unit length.
    pub(super) gradient: Vec3,
    /// Radius of the smallest branch that shapes the surface here, mm.
    pub(super) radius_mm: f64,
}

/// Tubes, searchable by place.
pub(super) struct Field {
    segments: Vec<Segment>,
    low: Vec3,
    shape: [usize; 3],
    cells: Vec<Vec<u32>>,
    /// For each branch: those it may blend with, and the length of the blend.
    partners: Vec<Vec<(u32, f64)>>,
}

impl Field {
    /// Of all branches of a tree.
    pub(super) fn new(tree: &VesselTree) -> Self {
        let mut segments = Vec::new();
        for (i, b) in tree.branches.iter().enumerate() {
            for w in b.points.windows(2) {
                let ab = w[1].position_mm - w[0].position_mm;
                segments.push(Segment {
                    vessel: i as u32,
                    a: w[0].position_mm,
                    ab,
                    length_squared: ab.norm_squared().max(1e-18),
                    radius_a: w[0].radius_mm,
                    radius_b: w[1].radius_mm,
                    arc_a: w[0].arc_mm,
                    arc_b: w[1].arc_mm,
                });
            }
        }
        let mut low = Vec3::repeat(f64::INFINITY);
        let mut high = Vec3::repeat(f64::NEG_INFINITY);
        for s in &segments {
            let (l, h) = s.bounds();
            low = low.inf(&l);
            high = high.sup(&h);
        }
        let shape: [usize; 3] =
            std::array::from_fn(|k| ((high[k] - low[k]) / CELL_MM).ceil().max(1.0) as usize);
        let mut field = Self {
            segments,
            low,
            shape,
            cells: vec![Vec::new(); shape[0] * shape[1] * shape[2]],
            partners: partners(tree),
        };
        field.fill();
        field
    }

    fn fill(&mut self) {
        for (i, s) in self.segments.iter().enumerate() {
            let (l, h) = s.bounds();
            let from: [usize; 3] =
                std::array::from_fn(|k| ((l[k] - self.low[k]) / CELL_MM).max(0.0) as usize);
            let to: [usize; 3] =
                std::array::from_fn(|k| (((h[k] - self.low[k]) / CELL_MM) as usize).min(self.shape[k] - 1));
            for z in from[2]..=to[2] {
                for y in from[1]..=to[1] {
                    for x in from[0]..=to[0] {
                        self.cells[(z * self.shape[1] + y) * self.shape[0] + x].push(i as u32);
                    }
                }
            }
        }
    }

    fn near(&self, p: &Vec3) -> &[u32] {
        let mut index = [0; 3];
        for k in 0..3 {
            let c = (p[k] - self.low[k]) / CELL_MM;
            if !(c >= 0.0 && c < self.shape[k] as f64) {
                return &[];
            }
            index[k] = c as usize;
        }
        &self.cells[(index[2] * self.shape[1] + index[1]) * self.shape[0] + index[0]]
    }

    /// Each branch with a wall within reach of a point, in order of branches.
    pub(super) fn tubes(&self, p: &Vec3, out: &mut Vec<TubeHit>) {
        out.clear();
        for &i in self.near(p) {
            let s = &self.segments[i as usize];
            let ap = p - s.a;
            let t = (ap.dot(&s.ab) / s.length_squared).clamp(0.0, 1.0);
            let radial = ap - s.ab * t;
            let r = radial.norm();
            let radius_mm = s.radius_a + t * (s.radius_b - s.radius_a);
            let distance_mm = r - radius_mm;
            let vessel = VesselId(s.vessel);
            match out.last_mut() {
                Some(last) if last.place.vessel == vessel && last.distance_mm <= distance_mm => {}
                last => {
                    let hit = TubeHit {
                        distance_mm,
                        gradient: if r > 1e-9 { radial / r } else { Vec3::zeros() },
                        place: VesselPlace { vessel, arc_mm: s.arc_a + t * (s.arc_b - s.arc_a) },
                        radius_mm,
                    };
                    match last {
                        Some(last) if last.place.vessel == vessel => *last = hit,
                        _ => out.push(hit),
                    }
                }
            }
        }
    }

    /// The blended surface at a point; `None` farther than about 3 mm from any wall on the outside.
    ///
    /// Two distances a, b of branches that join are blended by the quadratic smooth minimum
    /// `min(a, b) - h^2 k / 4`, `h = max(k - |a - b|, 0) / k`, with `k = k0 (1 + ga . gb) / 2`: for walls at a right angle
    /// that is a fillet of about `0.43 k0`; where the walls face each other (the carina) it vanishes, so the carina stays.
    pub(super) fn at(&self, p: &Vec3, scratch: &mut Vec<TubeHit>) -> Option<FieldHit> {
        self.tubes(p, scratch);
        let nearest = scratch.iter().min_by(|a, b| a.distance_mm.total_cmp(&b.distance_mm)).copied()?;
        let mut best = FieldHit {
            distance_mm: nearest.distance_mm,
            gradient: nearest.gradient,
            radius_mm: nearest.radius_mm,
        };
        for (i, a) in scratch.iter().enumerate() {
            for b in &scratch[i + 1..] {
                let partner = self.partners[a.place.vessel.idx()].iter().find(|q| q.0 == b.place.vessel.0);
                let Some(&(_, k0)) = partner else { continue };
                let k = k0 * 0.5 * (1.0 + a.gradient.dot(&b.gradient));
                let h = if k > 1e-6 { (k - (a.distance_mm - b.distance_mm).abs()).max(0.0) / k } else { 0.0 };
                if h <= 0.0 {
                    continue;
                }
                let (low, high) = if a.distance_mm <= b.distance_mm { (a, b) } else { (b, a) };
                let distance_mm = low.distance_mm - 0.25 * h * h * k;
                if distance_mm < best.distance_mm {
                    let gradient = low.gradient * (1.0 - 0.5 * h) + high.gradient * (0.5 * h);
                    let radius_mm = a.radius_mm.min(b.radius_mm);
                    best = FieldHit { distance_mm, gradient, radius_mm };
                }
            }
        }
        Some(best)
    }

    /// Nearest place on one branch within reach, if any.
    pub(super) fn place_on(
        &self,
        vessel: VesselId,
        p: &Vec3,
        scratch: &mut Vec<TubeHit>,
    ) -> Option<VesselPlace> {
        self.tubes(p, scratch);
        scratch.iter().find(|h| h.place.vessel == vessel).map(|h| h.place)
    }
}

impl Segment {
    fn bounds(&self) -> (Vec3, Vec3) {
        let reach = Vec3::repeat(self.radius_a.max(self.radius_b) + REACH_MM);
        let b = self.a + self.ab;
        (self.a.inf(&b) - reach, self.a.sup(&b) + reach)
    }
}

/// Branches that share an ostium, with k0 = the radius of the smaller one at the ostium, not more than distances reach.
///
/// A wide trunk that goes on as one child is not blended with it: walls that run on would only bulge, by k0 / 4.
fn partners(tree: &VesselTree) -> Vec<Vec<(u32, f64)>> {
    let mut out = vec![Vec::new(); tree.branches.len()];
    for (i, b) in tree.branches.iter().enumerate() {
        if let Some(join) = b.distal_join {
            let end = b.points[b.points.len() - 1].radius_mm;
            out[i].push((join.vessel.0, end));
            out[join.vessel.idx()].push((i as u32, end));
        }
        let Some(origin) = b.origin else { continue };
        let own = b.points[0].radius_mm;
        let mut link = |j: usize, k: f64| {
            out[i].push((j as u32, k));
            out[j].push((i as u32, k));
        };
        let is_alone = !tree.branches.iter().enumerate().any(|(j, s)| j != i && s.origin == Some(origin));
        let is_trunk = own > MAX_BLEND_MM && is_alone && is_end(tree, origin);
        if !is_trunk {
            link(origin.vessel.idx(), own.min(MAX_BLEND_MM));
        }
        for (j, s) in tree.branches.iter().enumerate().take(i) {
            let Some(o) = s.origin else { continue };
            let sibling = s.points[0].radius_mm;
            if o.vessel == origin.vessel && (o.arc_mm - origin.arc_mm).abs() < own + sibling {
                link(j, own.min(sibling).min(MAX_BLEND_MM));
            }
        }
    }
    out
}

/// Is a place the distal end of its branch.
fn is_end(tree: &VesselTree, place: VesselPlace) -> bool {
    place.arc_mm > tree.branch(place.vessel).length_mm() - 1e-6
}
