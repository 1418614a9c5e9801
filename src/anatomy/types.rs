//! Plain data of an anatomy. Frame: patient LPS, mm.

use serde::{Deserialize, Serialize};

use super::{Circulation, LesionDescription};
use crate::math::Vec3;

/// Index of a branch in [`VesselTree::branches`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VesselId(pub u32);

impl VesselId {
    /// As an index into [`VesselTree::branches`].
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

/// A place in the tree: branch and arc length from the branch's own first point, mm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VesselPlace {
    /// The branch.
    pub vessel: VesselId,
    /// Arc length along its centerline, mm.
    pub arc_mm: f64,
}

/// One sample of a centerline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CenterlinePoint {
    /// Position, patient frame, mm.
    pub position_mm: Vec3,
    /// Unit tangent towards the distal end.
    pub tangent: Vec3,
    /// Unit normal of a rotation-minimizing frame.
    pub normal: Vec3,
    /// Inscribed radius of the lumen, mm.
    pub radius_mm: f64,
    /// Arc length from the first point of the branch, mm.
    pub arc_mm: f64,
}

/// The capillary bed that a terminal branch feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlet {
    /// Name of the bed; several branches may feed one bed.
    pub bed: String,
    /// Resting flow, mL/s.
    pub flow_ml_per_s: f64,
    /// Mean transit time through the bed to the veins, s.
    pub transit_s: f64,
    /// Center of the blush, patient frame, mm.
    pub blush_center_mm: Vec3,
    /// Radius of the blush as a ball, mm.
    pub blush_radius_mm: f64,
}

/// One branch of the vessel tree: an unbranched centerline with radius.
///
/// The first point of a child lies on the centerline of its parent (at `origin`); the part inside the parent belongs
/// to the child's arc length but not to its own lumen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Dotted name, unique: `internal_iliac.left`.
    pub name: String,
    /// Terminologia Anatomica name.
    pub ta_name: String,
    /// English label.
    pub label: String,
    /// Where it leaves its parent; `None` for a root.
    pub origin: Option<VesselPlace>,
    /// Where its distal end joins another branch, closing a loop (arcades, circle of Willis).
    pub distal_join: Option<VesselPlace>,
    /// At least two points, spacing about half the radius.
    pub points: Vec<CenterlinePoint>,
    /// For a terminal branch: its bed. A branch with neither outlet, children at its end nor `distal_join` is a stump.
    pub outlet: Option<Outlet>,
    /// Pressure-strain (Peterson) modulus of the wall, N/mm2.
    pub wall_ep_n_per_mm2: f64,
    /// Wall thickness, mm.
    pub wall_thickness_mm: f64,
}

impl Branch {
    /// Length of the centerline, mm.
    pub fn length_mm(&self) -> f64 {
        self.points.last().map_or(0.0, |p| p.arc_mm)
    }

    /// Linear interpolation of the centerline at an arc length (clamped to the branch).
    pub fn at(&self, arc_mm: f64) -> CenterlinePoint {
        let n = self.points.len();
        let hi = self.points.partition_point(|p| p.arc_mm < arc_mm).clamp(1, n - 1);
        let (a, b) = (&self.points[hi - 1], &self.points[hi]);
        let t = ((arc_mm - a.arc_mm) / (b.arc_mm - a.arc_mm).max(1e-12)).clamp(0.0, 1.0);
        CenterlinePoint {
            position_mm: a.position_mm.lerp(&b.position_mm, t),
            tangent: a.tangent.lerp(&b.tangent, t).normalize(),
            normal: a.normal.lerp(&b.normal, t).normalize(),
            radius_mm: a.radius_mm + t * (b.radius_mm - a.radius_mm),
            arc_mm: a.arc_mm + t * (b.arc_mm - a.arc_mm),
        }
    }
}

/// All vessels of an anatomy. Parents come before children; roots (inflow) first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VesselTree {
    /// The branches.
    pub branches: Vec<Branch>,
}

impl VesselTree {
    /// The branch of a dotted name.
    pub fn find(&self, name: &str) -> Option<VesselId> {
        self.branches.iter().position(|b| b.name == name).map(|i| VesselId(i as u32))
    }

    /// The branch of an id.
    pub fn branch(&self, id: VesselId) -> &Branch {
        &self.branches[id.idx()]
    }

    /// Children of a branch, in order of take-off.
    pub fn children(&self, id: VesselId) -> Vec<VesselId> {
        let mut out: Vec<(f64, VesselId)> = Vec::new();
        for (i, b) in self.branches.iter().enumerate() {
            if let Some(o) = b.origin.filter(|o| o.vessel == id) {
                out.push((o.arc_mm, VesselId(i as u32)));
            }
        }
        out.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.into_iter().map(|(_, id)| id).collect()
    }

    /// Angle between a branch just outside its parent's wall and the parent's distal direction there, degrees.
    pub fn take_off_deg(&self, branch: &Branch) -> Option<f64> {
        let origin = branch.origin?;
        let parent = self.branch(origin.vessel).at(origin.arc_mm);
        let outside = branch.at((1.5 * parent.radius_mm).min(branch.length_mm()));
        Some(parent.tangent.dot(&outside.tangent).clamp(-1.0, 1.0).acos().to_degrees())
    }

    /// Nearest place on any centerline, by distance divided by local radius, and that ratio. Linear in points.
    pub fn nearest(&self, p_mm: &Vec3) -> Option<(VesselPlace, f64)> {
        let mut best: Option<(VesselPlace, f64)> = None;
        for (i, b) in self.branches.iter().enumerate() {
            for w in b.points.windows(2) {
                let d = w[1].position_mm - w[0].position_mm;
                let t = ((p_mm - w[0].position_mm).dot(&d) / d.norm_squared().max(1e-12)).clamp(0.0, 1.0);
                let r = w[0].radius_mm + t * (w[1].radius_mm - w[0].radius_mm);
                let ratio = (p_mm - (w[0].position_mm + d * t)).norm() / r.max(1e-3);
                if best.is_none_or(|(_, b)| ratio < b) {
                    let arc_mm = w[0].arc_mm + t * (w[1].arc_mm - w[0].arc_mm);
                    best = Some((VesselPlace { vessel: VesselId(i as u32), arc_mm }, ratio));
                }
            }
        }
        best
    }

    /// Branches from the root to `id`, root first.
    pub fn route(&self, id: VesselId) -> Vec<VesselId> {
        let mut route = vec![id];
        let mut at = id;
        while let Some(origin) = self.branch(at).origin {
            at = origin.vessel;
            route.push(at);
            if route.len() > self.branches.len() {
                break; // a malformed tree with a cycle; validation reports it
            }
        }
        route.reverse();
        route
    }
}

/// Triangles with shared vertices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mesh {
    /// Vertex positions, patient frame, mm.
    pub vertices_mm: Vec<Vec3>,
    /// Vertex indices, counter-clockwise seen from outside (normals point outwards).
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// Enclosed volume by the divergence theorem, mm3; negative when wound inwards.
    pub fn signed_volume_mm3(&self) -> f64 {
        let v = |i: u32| &self.vertices_mm[i as usize];
        self.triangles.iter().map(|t| v(t[0]).dot(&v(t[1]).cross(v(t[2]))) / 6.0).sum()
    }
}

/// Where on the tree a mesh corner lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CornerLabel {
    /// Branch.
    pub vessel: VesselId,
    /// Arc length, mm.
    pub arc_mm: f32,
}

/// The lumen: one closed mesh, outward normals, each triangle corner labelled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LumenMesh {
    /// Surface.
    pub mesh: Mesh,
    /// One label per triangle corner, same order as `mesh.triangles`.
    pub labels: Vec<[CornerLabel; 3]>,
}

/// What a closed body surface is filled with; attenuation per material is in `xray`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Material {
    /// Air or gas (lungs filled separately).
    Air,
    /// Soft tissue, muscle, blood.
    SoftTissue,
    /// Fat.
    Fat,
    /// Cortical bone.
    CorticalBone,
    /// Trabecular bone with marrow.
    TrabecularBone,
}

/// One closed surface of the body. Overlap rule: among surfaces that contain a point, the one latest in
/// [`Anatomy::body`] wins (skin first, then organs, cortex, trabecular, gas).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BodySurface {
    /// Name: `femur.left.cortex`.
    pub name: String,
    /// What fills it.
    pub material: Material,
    /// Density, g/cm3.
    pub density_g_per_cm3: f64,
    /// Closed surface.
    pub mesh: Mesh,
}

/// Where a sheath enters. The rod's fixed base is at the sheath tip, pointing along `direction`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessSite {
    /// Name: `femoral.right`.
    pub name: String,
    /// English label.
    pub label: String,
    /// Point inside the lumen where the sheath tip lies, mm.
    pub position_mm: Vec3,
    /// Unit direction of advance.
    pub direction: Vec3,
    /// Place on the tree.
    pub place: VesselPlace,
}

/// A named point that a radiologist would know; used by tests, overlays and scripts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landmark {
    /// Name: `femoral_head.left.center`.
    pub name: String,
    /// Position, mm.
    pub position_mm: Vec3,
}

/// Everything built: what a case is played in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anatomy {
    /// Folder name.
    pub name: String,
    /// English title.
    pub title: String,
    /// Vessels.
    pub tree: VesselTree,
    /// Lumen surface.
    pub lumen: LumenMesh,
    /// Skin, bones, gas; overlap rule at [`BodySurface`].
    pub body: Vec<BodySurface>,
    /// Puncture sites.
    pub access_sites: Vec<AccessSite>,
    /// Named points.
    pub landmarks: Vec<Landmark>,
    /// What joins vessels and beds beyond the tree.
    pub circulation: Circulation,
    /// What is wrong with the vessels; those that shape the lumen are in tree and surface already.
    pub lesions: Vec<LesionDescription>,
}
