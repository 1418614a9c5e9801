//! What is wrong with a vessel, by segment and position: how it shapes the lumen and what it adds to the tree.

use serde::{Deserialize, Serialize};

use super::description::{At, BranchDescription, Course, OriginDescription, OutletDescription};
use super::{AnatomyError, Shunt, VesselPlace, VesselTree};

/// One lesion. Lengths mm, angles degrees, flows mL/min at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LesionDescription {
    /// Narrowing, cosine-shaped over its length.
    Stenosis {
        /// Vessel.
        vessel: String,
        /// Its middle.
        at: At,
        /// Length, mm, 1 to 300.
        length_mm: f64,
        /// Diameter reduction at the throat, percent, 1 to 97.
        diameter_reduction_pct: f64,
        /// 0: the throat lies on the axis; 1: it lies against the healthy wall.
        #[serde(default)]
        eccentricity: f64,
        /// Side of the plaque: 0 anterior, 90 the patient's left, 180 posterior, 270 right.
        #[serde(default)]
        around_deg: f64,
        /// Share of the circumference with calcium, 0 to 1; seen in the X-ray.
        #[serde(default)]
        calcium: f64,
        /// How loose its plaque is, 0 to 1: what comes off when it is opened.
        #[serde(default = "default_debris")]
        debris: f64,
    },
    /// Closed but for a channel that a wire can be led through.
    Occlusion {
        /// Vessel.
        vessel: String,
        /// Its middle.
        at: At,
        /// Length, mm, 1 to 400.
        length_mm: f64,
        /// Diameter of the channel, mm, 0.3 to 2.
        #[serde(default = "default_channel_mm")]
        channel_mm: f64,
        /// Share of the circumference with calcium, 0 to 1.
        #[serde(default)]
        calcium: f64,
        /// How loose its plaque is, 0 to 1: what comes off when it is opened.
        #[serde(default = "default_debris")]
        debris: f64,
    },
    /// Clot against one side of the wall.
    Thrombus {
        /// Vessel.
        vessel: String,
        /// Its middle.
        at: At,
        /// Length, mm, 1 to 400.
        length_mm: f64,
        /// Diameter reduction, percent, 1 to 97.
        diameter_reduction_pct: f64,
        /// Side of the clot.
        #[serde(default = "default_dependent_deg")]
        around_deg: f64,
    },
    /// Spindle-shaped widening.
    FusiformAneurysm {
        /// Vessel.
        vessel: String,
        /// Its middle.
        at: At,
        /// Length, mm, 3 to 300.
        length_mm: f64,
        /// Largest diameter, mm, at most six times the vessel.
        diameter_mm: f64,
    },
    /// A sac with a neck.
    SaccularAneurysm {
        /// Name; its sac is the branch `aneurysm.<name>`.
        name: String,
        /// Vessel.
        vessel: String,
        /// Middle of its neck.
        at: At,
        /// Angle between the vessel's distal direction and the sac, degrees.
        #[serde(default = "default_right_angle")]
        angle_deg: f64,
        /// Side of the sac.
        around_deg: f64,
        /// Width of the neck, mm.
        neck_mm: f64,
        /// Width of the dome, mm, more than the neck.
        width_mm: f64,
        /// Height of the dome over the wall, mm, 0.8 to 3 widths.
        height_mm: f64,
    },
    /// Nidus between arteries and veins.
    Malformation {
        /// Name of the nidus.
        name: String,
        /// Feeders: vessel, place and share of the flow.
        feeders: Vec<(String, At, f64)>,
        /// Diameter of a feeding pedicle, mm.
        pedicle_mm: f64,
        /// Center of the nidus, patient frame, mm.
        center_mm: (f64, f64, f64),
        /// Radius of the nidus, mm.
        radius_mm: f64,
        /// Flow through it, mL/min.
        flow_ml_per_min: f64,
        /// Transit time to the veins, s.
        transit_s: f64,
    },
    /// One hole into a vein.
    Fistula {
        /// Name.
        name: String,
        /// Vessel.
        vessel: String,
        /// Place of the hole.
        at: At,
        /// Diameter of the hole, mm.
        hole_mm: f64,
        /// Flow, mL/min.
        flow_ml_per_min: f64,
    },
    /// Blood leaves the vessel.
    Bleeding {
        /// Name.
        name: String,
        /// Vessel.
        vessel: String,
        /// Place.
        at: At,
        /// Rate at a mean pressure of 90 mmHg while it bleeds, mL/min.
        flow_ml_per_min: f64,
        /// Share of the time in which it bleeds: it begins with each period and stops by itself for the rest of it.
        #[serde(default = "default_always", skip_serializing_if = "is_always")]
        share_of_time: f64,
        /// Length of such a period, s.
        #[serde(default = "default_period_s", skip_serializing_if = "is_default_period")]
        period_s: f64,
    },
    /// A tumor with a feeder of its own.
    TumorBed {
        /// Name; its feeder is the branch `feeder.<name>` and its bed `bed.<name>`.
        name: String,
        /// Vessel that the feeder leaves.
        vessel: String,
        /// Where.
        at: At,
        /// Diameter of the feeder, mm.
        feeder_mm: f64,
        /// Diameter, mm, to which years of flow have widened the vessel from its origin to the feeder; absent: as it is
        /// described. A vessel that is wider keeps its width.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vessel_mm: Option<f64>,
        /// Center of the tumor, patient frame, mm.
        center_mm: (f64, f64, f64),
        /// Radius of the tumor, mm.
        radius_mm: f64,
        /// Flow, mL/min.
        flow_ml_per_min: f64,
        /// Transit time, s.
        transit_s: f64,
    },
}

fn default_debris() -> f64 {
    0.01
}
fn default_channel_mm() -> f64 {
    0.5
}
fn default_always() -> f64 {
    1.0
}
fn is_always(share: &f64) -> bool {
    *share >= 1.0
}
/// A clot forms and is washed out again within some minutes `[K]`.
fn default_period_s() -> f64 {
    300.0
}
fn is_default_period(period_s: &f64) -> bool {
    *period_s == default_period_s()
}
fn default_dependent_deg() -> f64 {
    180.0
}
fn default_right_angle() -> f64 {
    90.0
}

/// Narrowest lumen that a lesion leaves, mm radius.
const LEAST_RADIUS_MM: f64 = 0.15;
/// Transit of a hole between artery and vein, s `[K]`.
const FISTULA_TRANSIT_S: f64 = 0.2;

impl LesionDescription {
    /// Its vessel and place; of a malformation the first feeder's.
    pub fn place(&self) -> Option<(&str, At)> {
        match self {
            Self::Stenosis { vessel, at, .. }
            | Self::Occlusion { vessel, at, .. }
            | Self::Thrombus { vessel, at, .. }
            | Self::FusiformAneurysm { vessel, at, .. }
            | Self::SaccularAneurysm { vessel, at, .. }
            | Self::Fistula { vessel, at, .. }
            | Self::Bleeding { vessel, at, .. }
            | Self::TumorBed { vessel, at, .. } => Some((vessel, *at)),
            Self::Malformation { feeders, .. } => feeders.first().map(|f| (f.0.as_str(), f.1)),
        }
    }

    /// Length along the vessel that it reshapes, mm; 0 for one that does not.
    pub fn length_mm(&self) -> f64 {
        match self {
            Self::Stenosis { length_mm, .. }
            | Self::Occlusion { length_mm, .. }
            | Self::Thrombus { length_mm, .. }
            | Self::FusiformAneurysm { length_mm, .. } => *length_mm,
            _ => 0.0,
        }
    }

    /// Share of the circumference with calcium.
    pub fn calcium(&self) -> f64 {
        match self {
            Self::Stenosis { calcium, .. } | Self::Occlusion { calcium, .. } => *calcium,
            _ => 0.0,
        }
    }

    /// How loose its plaque is, 0 to 1; clot is looser than most plaque `[K]`.
    pub fn debris(&self) -> f64 {
        match self {
            Self::Stenosis { debris, .. } | Self::Occlusion { debris, .. } => *debris,
            Self::Thrombus { .. } => 0.6,
            _ => 0.0,
        }
    }

    /// Share of the open diameter that is left in the middle of a narrowing of a vessel of radius `open_mm`; `None` for lesions
    /// that narrow nothing.
    pub fn open_share(&self, open_mm: f64) -> Option<f64> {
        match self {
            Self::Stenosis { diameter_reduction_pct, .. } | Self::Thrombus { diameter_reduction_pct, .. } => {
                Some(1.0 - 0.01 * diameter_reduction_pct)
            }
            Self::Occlusion { channel_mm, .. } => Some((0.5 * channel_mm / open_mm.max(1e-6)).min(1.0)),
            _ => None,
        }
    }

    /// How much of its full depth a narrowing or widening has at `along_mm` from its middle, 0 to 1, in a vessel of radius
    /// `open_mm`. Stenosis and spindle: `(1 + cos(2 pi x / L)) / 2`; occlusion and clot keep one bore between two such shoulders.
    pub fn weight(&self, along_mm: f64, open_mm: f64) -> f64 {
        let half = 0.5 * self.length_mm();
        let x = along_mm.abs();
        if x >= half {
            return 0.0;
        }
        let from = match self {
            Self::Thrombus { .. } | Self::Occlusion { .. } => half - (3.0 * open_mm).min(0.7 * half),
            _ => 0.0,
        };
        0.5 * (1.0 + (std::f64::consts::PI * ((x - from) / (half - from)).clamp(0.0, 1.0)).cos())
    }

    /// Radius of the lumen and shift of its axis away from the plaque at `along_mm` from the lesion's middle, of a vessel of
    /// radius `open_mm`: `r = r0 (1 - a weight)`. An eccentric lumen touches the far wall: shift `e (r0 - r)`.
    pub(super) fn shape(&self, along_mm: f64, open_mm: f64) -> (f64, f64) {
        let depth = match self {
            Self::FusiformAneurysm { diameter_mm, .. } => 1.0 - 0.5 * diameter_mm / open_mm,
            _ => 1.0 - self.open_share(open_mm).unwrap_or(1.0),
        };
        let eccentricity = match self {
            Self::Stenosis { eccentricity, .. } => *eccentricity,
            Self::Thrombus { .. } => 1.0,
            _ => 0.0,
        };
        let radius =
            (open_mm * (1.0 - depth * self.weight(along_mm, open_mm))).max(LEAST_RADIUS_MM.min(open_mm));
        (radius, eccentricity * (open_mm - radius).max(0.0))
    }

    /// Does it change the vessels or what lies beyond them, so that they must be built with it. A bleeding does not.
    pub fn changes_vessels(&self) -> bool {
        !matches!(self, Self::Bleeding { .. })
    }

    /// Side of the plaque, degrees.
    pub(super) fn around_deg(&self) -> f64 {
        match self {
            Self::Stenosis { around_deg, .. }
            | Self::Thrombus { around_deg, .. }
            | Self::SaccularAneurysm { around_deg, .. } => *around_deg,
            _ => 0.0,
        }
    }

    /// Refuses figures outside their ranges.
    pub(super) fn check(&self) -> Result<(), AnatomyError> {
        let item = self.place().map_or("lesions", |p| p.0);
        let ok = |field, found: f64, low: f64, high: f64| -> Result<(), AnatomyError> {
            if found >= low && found <= high {
                return Ok(());
            }
            let allowed = format!("{low} to {high}");
            Err(AnatomyError::Value { item: item.to_owned(), field, found: found.to_string(), allowed })
        };
        ok("lesions.calcium", self.calcium(), 0.0, 1.0)?;
        ok("lesions.debris", self.debris(), 0.0, 1.0)?;
        ok("lesions.around_deg", self.around_deg(), -360.0, 360.0)?;
        match self {
            Self::Stenosis { length_mm, diameter_reduction_pct, eccentricity, .. } => {
                ok("lesions.length_mm", *length_mm, 1.0, 300.0)?;
                ok("lesions.eccentricity", *eccentricity, 0.0, 1.0)?;
                ok("lesions.diameter_reduction_pct", *diameter_reduction_pct, 1.0, 97.0)
            }
            Self::Occlusion { length_mm, channel_mm, .. } => {
                ok("lesions.length_mm", *length_mm, 1.0, 400.0)?;
                ok("lesions.channel_mm", *channel_mm, 0.3, 2.0)
            }
            Self::Thrombus { length_mm, diameter_reduction_pct, .. } => {
                ok("lesions.length_mm", *length_mm, 1.0, 400.0)?;
                ok("lesions.diameter_reduction_pct", *diameter_reduction_pct, 1.0, 97.0)
            }
            Self::FusiformAneurysm { length_mm, diameter_mm, .. } => {
                ok("lesions.length_mm", *length_mm, 3.0, 300.0)?;
                ok("lesions.diameter_mm", *diameter_mm, 1.0, 120.0)
            }
            Self::SaccularAneurysm { angle_deg, neck_mm, width_mm, height_mm, .. } => {
                ok("lesions.angle_deg", *angle_deg, 20.0, 160.0)?;
                ok("lesions.neck_mm", *neck_mm, 0.6, 40.0)?;
                ok("lesions.width_mm", *width_mm, 1.05 * neck_mm, 80.0)?;
                ok("lesions.height_mm", *height_mm, 0.8 * width_mm, 3.0 * width_mm)
            }
            Self::Malformation { pedicle_mm, radius_mm, flow_ml_per_min, transit_s, .. } => {
                ok("lesions.pedicle_mm", *pedicle_mm, 0.2, 20.0)?;
                ok("lesions.radius_mm", *radius_mm, 0.5, 100.0)?;
                ok("lesions.flow_ml_per_min", *flow_ml_per_min, 0.01, 3000.0)?;
                ok("lesions.transit_s", *transit_s, 0.05, 20.0)
            }
            Self::Fistula { hole_mm, flow_ml_per_min, .. } => {
                ok("lesions.hole_mm", *hole_mm, 0.2, 10.0)?;
                ok("lesions.flow_ml_per_min", *flow_ml_per_min, 0.01, 3000.0)
            }
            Self::Bleeding { flow_ml_per_min, share_of_time, period_s, .. } => {
                ok("lesions.flow_ml_per_min", *flow_ml_per_min, 0.01, 500.0)?;
                ok("lesions.share_of_time", *share_of_time, 0.05, 1.0)?;
                ok("lesions.period_s", *period_s, 20.0, 3600.0)
            }
            Self::TumorBed { feeder_mm, vessel_mm, radius_mm, flow_ml_per_min, transit_s, .. } => {
                ok("lesions.feeder_mm", *feeder_mm, 0.4, 8.0)?;
                ok("lesions.vessel_mm", vessel_mm.unwrap_or(*feeder_mm), 0.4, 12.0)?;
                ok("lesions.radius_mm", *radius_mm, 0.5, 150.0)?;
                ok("lesions.flow_ml_per_min", *flow_ml_per_min, 0.01, 3000.0)?;
                ok("lesions.transit_s", *transit_s, 0.2, 60.0)
            }
        }
    }

    /// The branch that it adds: the feeder of a tumor, which ends at the tumor's near side.
    pub(super) fn feeder(&self, tree: &VesselTree) -> Option<BranchDescription> {
        let Self::TumorBed {
            name,
            vessel,
            at,
            feeder_mm,
            center_mm,
            radius_mm,
            flow_ml_per_min,
            transit_s,
            ..
        } = self
        else {
            return None;
        };
        let id = tree.find(vessel)?;
        let start = tree.branch(id).at(arc_mm(*at, tree.branch(id).length_mm())).position_mm;
        let center = super::tree_vec3(*center_mm);
        let way = center - start;
        // A gentle bow beside the straight way, ending at the rim of the tumor.
        let side = crate::math::orthogonal(&way.try_normalize(1e-9)?);
        let reach = 1.0 - (0.8 * radius_mm / way.norm()).min(0.6);
        let point = |t: f64| {
            let p = start + way * (t * reach) + side * (0.12 * way.norm() * (std::f64::consts::PI * t).sin());
            (p.x, p.y, p.z)
        };
        Some(BranchDescription {
            name: format!("feeder.{name}"),
            ta: "Ramus tumoris".to_owned(),
            label: format!("Feeder of the tumor {name}"),
            origin: Some(OriginDescription { vessel: vessel.clone(), at: *at }),
            course: Course::Points([0.25, 0.5, 0.75, 1.0].map(point).to_vec()),
            join: None,
            corkscrew: None,
            diameter_mm: (*feeder_mm, 0.8 * feeder_mm),
            profile_mm: Vec::new(),
            outlet: Some(OutletDescription {
                bed: format!("bed.{name}"),
                flow_ml_per_min: *flow_ml_per_min,
                transit_s: *transit_s,
                blush_center_mm: *center_mm,
                blush_radius_mm: *radius_mm,
            }),
            wall_ep_n_per_mm2: 0.15,
            wall_thickness_share: 0.2,
        })
    }

    /// Its short circuits between artery and vein.
    pub(super) fn shunts(&self, tree: &VesselTree) -> Vec<Shunt> {
        let at_mm = |vessel: &str, at: At| {
            tree.find(vessel).map_or(0.0, |id| arc_mm(at, tree.branch(id).length_mm()))
        };
        match self {
            Self::Malformation {
                name,
                feeders,
                pedicle_mm,
                center_mm,
                radius_mm,
                flow_ml_per_min,
                transit_s,
            } => {
                let sum: f64 = feeders.iter().map(|f| f.2.max(0.0)).sum::<f64>().max(1e-9);
                let shunt = |(i, (vessel, at, share)): (usize, &(String, At, f64))| Shunt {
                    name: format!("{name}.{}", i + 1),
                    vessel: vessel.clone(),
                    at_mm: at_mm(vessel, *at),
                    pedicle_mm: *pedicle_mm,
                    flow_ml_per_min: (flow_ml_per_min * share / sum).max(0.01),
                    // Channels of a nidus `[K]`.
                    channel_mm: 0.2,
                    transit_s: *transit_s,
                    center_mm: *center_mm,
                    radius_mm: *radius_mm,
                };
                feeders.iter().enumerate().map(shunt).collect()
            }
            Self::Fistula { name, vessel, at, hole_mm, flow_ml_per_min } => {
                let arc = at_mm(vessel, *at);
                let p = tree.find(vessel).map(|id| tree.branch(id).at(arc).position_mm).unwrap_or_default();
                vec![Shunt {
                    name: name.clone(),
                    vessel: vessel.clone(),
                    at_mm: arc,
                    pedicle_mm: *hole_mm,
                    flow_ml_per_min: *flow_ml_per_min,
                    channel_mm: *hole_mm,
                    transit_s: FISTULA_TRANSIT_S,
                    center_mm: (p.x, p.y, p.z),
                    radius_mm: (2.0 * hole_mm).max(0.5),
                }]
            }
            _ => Vec::new(),
        }
    }

    /// Its place on a tree.
    pub fn on(&self, tree: &VesselTree) -> Option<VesselPlace> {
        let (vessel, at) = self.place()?;
        let vessel = tree.find(vessel)?;
        Some(VesselPlace { vessel, arc_mm: arc_mm(at, tree.branch(vessel).length_mm()) })
    }
}

/// Arc length of a place on a branch of a length, clamped to it.
pub(super) fn arc_mm(at: At, length_mm: f64) -> f64 {
    match at {
        At::End => length_mm,
        At::Mm(mm) => mm.clamp(0.0, length_mm),
        At::BeforeEnd(mm) => (length_mm - mm).clamp(0.0, length_mm),
    }
}

/// The tree as it was before its narrowings: radii without stenoses, clots and occlusions; centerlines stay.
pub fn open_tree(tree: &VesselTree, lesions: &[LesionDescription]) -> VesselTree {
    let mut open = tree.clone();
    for lesion in lesions {
        let Some(place) = lesion.on(tree).filter(|_| lesion.open_share(1.0).is_some()) else { continue };
        let half = 0.5 * lesion.length_mm();
        let branch = &mut open.branches[place.vessel.idx()];
        // The caliber at both ends of the lesion, in a straight line between them.
        let (from, to) = ((place.arc_mm - half).max(0.0), (place.arc_mm + half).min(branch.length_mm()));
        let (before, behind) = (branch.at(from).radius_mm, branch.at(to).radius_mm);
        for p in branch.points.iter_mut().filter(|p| p.arc_mm > from && p.arc_mm < to) {
            p.radius_mm = before + (behind - before) * (p.arc_mm - from) / (to - from);
        }
    }
    open
}
