//! What closes a vessel: two faces across its axis, between which nothing passes.

use serde::{Deserialize, Serialize};

use super::radial::WideTube;
use super::{RADIAL_KNOT_MM, WallHit};
use crate::anatomy::{VesselId, VesselTree};
use crate::math::Mat3;

/// Width over which the faces merge with the wall around, mm.
const SMOOTH_MM: f64 = 0.05;
/// A point this far beyond the far face is not held back by the near one, mm.
const BEYOND_MM: f64 = 2.0;
/// How far before and behind the faces the axis is known, mm.
const AROUND_MM: f64 = 6.0;

/// From which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The heart's.
    Proximal,
    /// The far one.
    Distal,
}

/// A closed stretch of a vessel: arc lengths of its proximal and distal face, mm. It is passed when they have met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plug {
    /// Branch.
    pub vessel: VesselId,
    /// Face on the side of the heart.
    pub proximal_mm: f64,
    /// Face on the far side.
    pub distal_mm: f64,
    /// Where the first tip broke in; none before.
    pub entered: Option<Side>,
}

impl Plug {
    /// Nothing of it is left.
    pub fn is_passed(&self) -> bool {
        self.proximal_mm >= self.distal_mm
    }
}

/// A plug in space.
#[derive(Clone, Debug)]
pub struct PlugFaces {
    axis: WideTube,
    first_mm: f64,
    plug: Plug,
}

impl PlugFaces {
    /// A plug on the axis of its vessel; none where it is passed.
    pub fn new(plug: &Plug, tree: &VesselTree) -> Option<Self> {
        let branch = tree.branches.get(plug.vessel.idx()).filter(|_| !plug.is_passed())?;
        let from = ((plug.proximal_mm - AROUND_MM).max(0.0) / RADIAL_KNOT_MM).floor() as u32;
        let to = ((plug.distal_mm + AROUND_MM).min(branch.length_mm()) / RADIAL_KNOT_MM).floor() as u32;
        (to > from + 2).then(|| Self {
            axis: WideTube::along(branch, from..=to),
            first_mm: f64::from(from) * RADIAL_KNOT_MM,
            plug: *plug,
        })
    }

    /// Takes the plug out of the lumen: the distance to the wall is at most that to its nearer face.
    ///
    /// Smooth minimum `min(a, b) - (w - |a - b|)^2 / (4 w)` within `w`; the face is taken as flat.
    pub(super) fn close(&self, p_mm: &crate::math::Vec3, hit: &mut WallHit) {
        let Some((knot, slope)) = self.axis.along_axis(p_mm) else { return };
        let arc_mm = self.first_mm + knot * RADIAL_KNOT_MM;
        let (before, behind) = (self.plug.proximal_mm - arc_mm, arc_mm - self.plug.distal_mm);
        // What has broken in on one side is held back by the face before it, however little is left beyond.
        let leans_on = match self.plug.entered {
            Some(Side::Proximal) if behind <= BEYOND_MM => Side::Proximal,
            Some(Side::Distal) if before <= BEYOND_MM => Side::Distal,
            _ if before > behind => Side::Proximal,
            _ => Side::Distal,
        };
        let (free_mm, gradient) = match leans_on {
            Side::Proximal => (before, -slope * RADIAL_KNOT_MM),
            Side::Distal => (behind, slope * RADIAL_KNOT_MM),
        };
        let apart = free_mm - hit.inside_mm;
        if apart >= SMOOTH_MM {
            return;
        }
        let near = (SMOOTH_MM - apart.abs()).max(0.0);
        let share = if apart > 0.0 { 1.0 - near / (2.0 * SMOOTH_MM) } else { near / (2.0 * SMOOTH_MM) };
        let wall = hit.inward * hit.slope;
        let sum = wall * share + gradient * (1.0 - share);
        let mut bend = hit.bend_per_mm * share;
        if near > 0.0 {
            let across = wall - gradient;
            bend -= across * across.transpose() / (2.0 * SMOOTH_MM);
        }
        let steepness = sum.norm();
        hit.inside_mm = hit.inside_mm.min(free_mm) - near * near / (4.0 * SMOOTH_MM);
        if steepness > 1e-6 {
            hit.inward = sum / steepness;
        }
        hit.slope = steepness.max(1e-3);
        hit.bend_per_mm = if near > 0.0 || apart > 0.0 { bend } else { Mat3::zeros() };
    }
}
