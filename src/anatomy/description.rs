//! Types of `anatomy.ron`: what a person writes, from which tree, lumen and bones are built.

use serde::{Deserialize, Serialize};

use super::Circulation;
use super::lesion::LesionDescription;
use super::vary::Variation;

/// File-format number that this program reads.
pub const FORMAT: u32 = 1;

/// A whole `anatomy.ron`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// File-format number; this program reads 1.
    pub format: u32,
    /// Name, that of the folder.
    pub name: String,
    /// English title.
    pub title: String,
    /// Where the figures come from.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Least clearance between the walls of vessels that do not join, mm.
    #[serde(default = "default_gap_mm")]
    pub min_gap_mm: f64,
    /// Branches, parents before children, roots first.
    pub branches: Vec<BranchDescription>,
    /// Bones, skin and gas; none when absent.
    #[serde(default)]
    pub body: Option<BodyDescription>,
    /// Puncture sites.
    #[serde(default)]
    pub access_sites: Vec<AccessDescription>,
    /// Named points beyond those that the bones bring, patient frame, mm.
    #[serde(default)]
    pub landmarks: Vec<LandmarkDescription>,
    /// What is wrong with the vessels, by segment and position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lesions: Vec<LesionDescription>,
    /// Where other regions join. They may change without a new build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<EndDescription>,
    /// How people differ. It may change without a new build.
    #[serde(default, skip_serializing_if = "Variation::is_empty")]
    pub variation: Variation,
    /// What joins vessels and beds beyond the tree; nothing when absent. It may change without a new build.
    #[serde(default, skip_serializing_if = "Circulation::is_empty")]
    pub circulation: Circulation,
}

fn default_gap_mm() -> f64 {
    0.5
}

/// One branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchDescription {
    /// Dotted name, unique: `internal_iliac.left`.
    pub name: String,
    /// Terminologia Anatomica name.
    pub ta: String,
    /// English label.
    pub label: String,
    /// Where it leaves its parent; a root has none.
    #[serde(default)]
    pub origin: Option<OriginDescription>,
    /// Its way.
    pub course: Course,
    /// Where its distal end joins another branch described before it, closing a loop; its way ends there. Absent: it
    /// joins none (and the build's hash knows nothing of it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<OriginDescription>,
    /// A helix laid over the way.
    #[serde(default)]
    pub corkscrew: Option<Corkscrew>,
    /// Lumen diameter at the origin and at the end, mm; linear in between.
    pub diameter_mm: (f64, f64),
    /// Diameters in between, as (share of the length, mm), ascending; the carotid bulb, say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile_mm: Vec<(f64, f64)>,
    /// For a terminal branch: the bed it feeds.
    #[serde(default)]
    pub outlet: Option<OutletDescription>,
    /// Pressure-strain (Peterson) modulus of the wall, N/mm2.
    #[serde(default = "default_ep")]
    pub wall_ep_n_per_mm2: f64,
    /// Wall thickness as a share of the mean lumen radius.
    #[serde(default = "default_wall_share")]
    pub wall_thickness_share: f64,
}

// Peterson modulus and wall-to-radius ratio of muscular arteries [K].
fn default_ep() -> f64 {
    0.15
}
fn default_wall_share() -> f64 {
    0.2
}

/// Where a branch leaves its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginDescription {
    /// Name of the parent.
    pub vessel: String,
    /// Place on the parent.
    pub at: At,
}

/// Place along a branch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum At {
    /// Its distal end.
    End,
    /// Arc length from its origin, mm.
    Mm(f64),
    /// Distance back from its distal end, mm.
    BeforeEnd(f64),
}

/// The way of a branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Course {
    /// A spline through these points (patient frame, mm); a child starts at its origin, which is not repeated here.
    Points(Vec<(f64, f64, f64)>),
    /// A circular arc that leaves the parent at an angle.
    TakeOff {
        /// Angle between the parent's distal direction and the branch, degrees: 0 goes on, 180 turns back.
        angle_deg: f64,
        /// Direction around the parent, degrees: 0 anterior, 90 the patient's left, 180 posterior, 270 right.
        around_deg: f64,
        /// Length, mm.
        length_mm: f64,
        /// Turn over the whole length towards the parent's distal direction, degrees (negative: away).
        #[serde(default)]
        turn_deg: f64,
    },
}

/// A helix laid over a way between two places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corkscrew {
    /// Begin, arc length of the plain way, mm.
    pub from_mm: f64,
    /// End, mm; clamped to the length.
    pub to_mm: f64,
    /// Radius of the helix, mm.
    pub amplitude_mm: f64,
    /// Length of one turn, mm.
    pub pitch_mm: f64,
}

/// A place where another region joins: regions with an end of the same name go on into one another there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndDescription {
    /// Name, the same in both regions: `aorta.l4`.
    pub name: String,
    /// Branch that ends here, or root that begins here.
    pub vessel: String,
    /// Which of its ends.
    pub side: EndSide,
}

/// An end of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndSide {
    /// The root begins here; blood comes from the other region.
    Begin,
    /// The branch ends here; blood goes on into the other region.
    End,
}

/// A bed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutletDescription {
    /// Name of the bed; several branches may feed one.
    pub bed: String,
    /// Resting flow, mL/min.
    pub flow_ml_per_min: f64,
    /// Mean transit time, s.
    pub transit_s: f64,
    /// Center of the blush, mm.
    pub blush_center_mm: (f64, f64, f64),
    /// Radius of the blush, mm.
    pub blush_radius_mm: f64,
}

/// A puncture site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDescription {
    /// Name: `femoral.right`.
    pub name: String,
    /// English label.
    pub label: String,
    /// Vessel in which the sheath tip lies.
    pub vessel: String,
    /// Where in it.
    pub at: At,
    /// Which way the sheath points.
    pub towards: Towards,
}

/// Direction along a vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Towards {
    /// Against the flow of an artery.
    Origin,
    /// With it.
    End,
}

/// A named point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarkDescription {
    /// Name.
    pub name: String,
    /// Position, mm.
    pub position_mm: (f64, f64, f64),
}

/// Bones, skin and gas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyDescription {
    /// Edge of the sampling grid of bones, mm.
    #[serde(default = "default_grid_mm")]
    pub grid_mm: f64,
    /// Edge of the triangles of bones, mm.
    #[serde(default = "default_edge_mm")]
    pub edge_mm: f64,
    /// Parts of the body to build; none: those of `region`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<BodyPart>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Sex::is_female")]
    pub sex: Sex,
    /// How slim or obese.
    #[serde(default, skip_serializing_if = "Habitus::is_normal")]
    pub habitus: Habitus,
    /// Which part of the body. The default is left out of the description's hash, so that older builds stay valid.
    #[serde(default, skip_serializing_if = "BodyRegion::is_pelvis")]
    pub region: BodyRegion,
}

/// Part of the body that a body description builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyRegion {
    /// Lumbar spine, sacrum, hips and femora, bowel gas (female).
    #[default]
    Pelvis,
    /// Thoracic and lumbar spine, ribs, sternum, clavicles, lungs (male).
    Thorax,
}

/// Parts of a body that may be built together; the skin reaches over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BodyPart {
    /// Lumbar spine, lower ribs, psoas muscles, bowel gas.
    Abdomen,
    /// Liver, spleen, kidneys, stomach, bladder, with the fat around them.
    Organs,
    /// Sacrum, hip bones, upper femora.
    Pelvis,
    /// Thoracic spine, ribs, sternum, shoulder girdle, lungs, heart, diaphragm.
    Thorax,
    /// Cervical spine, airway.
    Neck,
    /// Skull and mandible.
    Head,
    /// Right arm by the side.
    ArmRight,
    /// Left femur, knee and lower leg.
    LegLeft,
}

/// Sex of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// Female.
    #[default]
    Female,
    /// Male.
    Male,
}

impl Sex {
    fn is_female(&self) -> bool {
        *self == Self::Female
    }
}

/// Build of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Habitus {
    /// BMI 19.
    Slim,
    /// BMI 25.
    #[default]
    Normal,
    /// BMI 32.
    Obese,
}

impl Habitus {
    fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

impl BodyRegion {
    fn is_pelvis(&self) -> bool {
        *self == Self::Pelvis
    }
}

fn default_grid_mm() -> f64 {
    2.2
}
fn default_edge_mm() -> f64 {
    3.0
}

/// Parents, and what a loop joins, before those that name them; otherwise the order stays.
pub(super) fn sort_branches(branches: &mut Vec<BranchDescription>) {
    let mut left = std::mem::take(branches);
    while !left.is_empty() {
        let is_ready = |b: &BranchDescription, done: &[BranchDescription]| {
            [&b.origin, &b.join].into_iter().flatten().all(|o| done.iter().any(|d| d.name == o.vessel))
        };
        match left.iter().position(|b| is_ready(b, branches)) {
            Some(i) => branches.push(left.remove(i)),
            // A parent is missing: the builder names it.
            None => branches.append(&mut left),
        }
    }
}
