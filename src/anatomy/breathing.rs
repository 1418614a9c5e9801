//! How breath and heart move the inside of the trunk: displacement fields in the frame that all bodies share, and which surfaces they move.

use super::{Anatomy, BodySurface};
use crate::math::Vec3;

/// Way of the diaphragm from the middle of a quiet breath to its end, mm: half of 15 mm `[K]`.
const DIAPHRAGM_MM: f64 = 7.5;
/// Organs move forwards by this share of their way down `[D]`.
const FORWARDS: f64 = 0.2;
/// Middle of the spine, y in mm; what lies within the first radius hardly moves, beyond the second in full, mm `[D]`.
const SPINE_Y_MM: f64 = 30.0;
const SPINE_RADII_MM: (f64, f64) = (30.0, 55.0);
/// Heights between which the motion rises from the pelvis to the upper belly, and falls from the diaphragm to the tips of the lungs, mm `[D]`.
const RISES_MM: (f64, f64) = (-40.0, 180.0);
const FALLS_MM: (f64, f64) = (260.0, 450.0);
/// Way of the front wall from the middle of a quiet breath to its end, mm: the belly rises by 8 mm, the breast by 4 mm in all `[K]`.
const BELLY_MM: f64 = 4.0;
const BREAST_MM: f64 = 2.0;
/// The wall moves in full before the first depth and not at all behind the second, y in mm `[D]`.
const WALL_Y_MM: (f64, f64) = (-70.0, 40.0);
/// Heights between which the motion of the wall begins above the symphysis, passes from belly to breast, and ends below the neck, mm `[D]`.
const WALL_RISES_MM: (f64, f64) = (-90.0, 60.0);
const WALL_PASSES_MM: (f64, f64) = (200.0, 300.0);
const WALL_ENDS_MM: (f64, f64) = (380.0, 470.0);
/// A rib's front end goes forwards, up and outwards from the middle of a quiet breath to its end, mm: half of 3 to 6 and of 2 to 4 mm `[K]`.
const RIB_MM: (f64, f64, f64) = (2.0, 2.2, 1.5);
/// A rib turns about its head: full motion at this distance from the spine's middle, none within the first, mm `[D]`.
const RIB_RADII_MM: (f64, f64) = (30.0, 150.0);
/// How much the heart's wall comes in at the end of systole, share of the distance to its middle `[D]`.
const SYSTOLE: f64 = 0.09;
/// End of systole, share of a beat that starts with the R wave.
const SYSTOLE_END: f64 = 0.38;

/// Way of the aortic root at the end of systole, mm: the valve plane is drawn down, to the left and forwards; 5 to 15 mm are seen `[K]`.
const ROOT_MM: (f64, f64, f64) = (2.0, -2.0, -7.5);
/// Heights over which that dies out from the valve to the branches of the arch, which the neck holds, mm `[D]`.
const ROOT_FALLS_MM: (f64, f64) = (318.0, 405.0);
/// The descending aorta lies at the spine and keeps still: y of full motion and of none, mm `[D]`.
const ROOT_Y_MM: (f64, f64) = (-45.0, -12.0);

/// Breathing of an anatomy with organs or lungs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breathing {
    /// The vessels of the belly move with the organs.
    pub moves_vessels: bool,
}

impl Breathing {
    /// `None` for an anatomy without organs and lungs: pelvis, head and limbs keep still.
    pub fn of(anatomy: &Anatomy) -> Option<Self> {
        let has = |name: &str| anatomy.body.iter().any(|s| s.name == name);
        (has("liver") || has("lung.left")).then(|| Self { moves_vessels: has("liver") })
    }

    /// Displacement at a point at full breath in, mm; the middle of a breath is 0, its end out the opposite. In and out take the same way.
    pub fn displacement_mm(self, p_mm: &Vec3) -> Vec3 {
        let from_spine = p_mm.x.hypot(p_mm.y - SPINE_Y_MM);
        let way = DIAPHRAGM_MM
            * smooth(p_mm.z, RISES_MM)
            * (1.0 - smooth(p_mm.z, FALLS_MM))
            * smooth(from_spine, SPINE_RADII_MM);
        Vec3::new(0.0, -FORWARDS * way, -way)
    }

    /// Displacement of front and side wall at full breath in, mm: the belly forwards, the breast half as far.
    pub fn of_wall_mm(self, p_mm: &Vec3) -> Vec3 {
        let share = smooth(p_mm.z, WALL_RISES_MM) * (1.0 - smooth(p_mm.z, WALL_ENDS_MM));
        let way = BELLY_MM + (BREAST_MM - BELLY_MM) * smooth(p_mm.z, WALL_PASSES_MM);
        Vec3::new(0.0, -way * share * (1.0 - smooth(p_mm.y, WALL_Y_MM)), 0.0)
    }

    /// Displacement of ribs and breastbone at full breath in, mm: forwards and up the farther in front (pump handle), outwards the
    /// farther aside (bucket handle).
    pub fn of_rib_mm(self, p_mm: &Vec3) -> Vec3 {
        let share = |from_spine: f64| smooth(from_spine, RIB_RADII_MM);
        let (aside, in_front) = (share(p_mm.x.abs()), share(SPINE_Y_MM - p_mm.y));
        let (forwards, up, outwards) = RIB_MM;
        Vec3::new(outwards * aside * p_mm.x.signum(), -forwards * in_front, up * in_front)
    }

    /// Whether a surface is the trunk's outline: skin or muscles.
    pub fn is_wall(surface: &BodySurface) -> bool {
        surface.name == "skin" || surface.name == "muscle"
    }

    /// Displacement of a vessel's axis at full breath in, mm: as the tissue around it, below the diaphragm.
    pub fn of_vessel_mm(self, p_mm: &Vec3) -> Vec3 {
        if self.moves_vessels { self.displacement_mm(p_mm) } else { Vec3::zeros() }
    }

    /// Displacement of the corners of a surface at full breath in, mm: organs as a whole, lungs and fat by the field, ribs and breastbone
    /// about their heads, outlines of the trunk by the front wall; `None` for what keeps still (other bones, limbs).
    pub fn of_surface_mm(self, surface: &BodySurface) -> Option<Vec<Vec3>> {
        let named = |list: &[&str]| list.iter().any(|n| surface.name.starts_with(n));
        let corners = &surface.mesh.vertices_mm;
        if named(&["lung", "fat.kidney", "gas.bronchi", "gas.airway"]) {
            return Some(corners.iter().map(|p| self.displacement_mm(p)).collect());
        }
        if named(&["rib_", "sternum"]) {
            return Some(corners.iter().map(|p| self.of_rib_mm(p)).collect());
        }
        if Self::is_wall(surface) {
            return Some(corners.iter().map(|p| self.of_wall_mm(p)).collect());
        }
        if named(&["liver", "spleen", "stomach", "kidney", "bladder", "heart", "gas."]) && !corners.is_empty()
        {
            let middle = corners.iter().sum::<Vec3>() / corners.len() as f64;
            return Some(vec![self.displacement_mm(&middle); corners.len()]);
        }
        None
    }
}

/// Displacement of the corners of a surface at the end of systole, mm; `None` for all but the heart.
pub fn beat_of_surface_mm(surface: &BodySurface) -> Option<Vec<Vec3>> {
    let corners = &surface.mesh.vertices_mm;
    if surface.name != "heart" || corners.is_empty() {
        return None;
    }
    let middle = corners.iter().sum::<Vec3>() / corners.len() as f64;
    Some(corners.iter().map(|p| (middle - p) * SYSTOLE).collect())
}

/// Whether an anatomy holds a heart that moves what hangs on it.
pub fn beats(anatomy: &Anatomy) -> bool {
    anatomy.body.iter().any(|s| s.name == "heart")
}

/// Displacement of a vessel's axis at the end of systole, mm: the root of the aorta goes with the heart, the arch hardly.
pub fn beat_of_vessel_mm(p_mm: &Vec3) -> Vec3 {
    let share = (1.0 - smooth(p_mm.z, ROOT_FALLS_MM)) * (1.0 - smooth(p_mm.y, ROOT_Y_MM));
    // Below the valve there is no vessel of the chest in front of the spine.
    let share = share * smooth(p_mm.z, (260.0, 300.0));
    let (left, back, up) = ROOT_MM;
    Vec3::new(left, back, up) * share
}

/// Contraction of the heart over a beat that starts with the R wave, 0 to 1: in until the end of systole, then out again, slower at the end.
pub fn contraction(heart_phase: f64) -> f64 {
    let x = heart_phase - heart_phase.floor();
    if x < SYSTOLE_END { smooth(x, (0.0, SYSTOLE_END)) } else { 1.0 - smooth(x, (SYSTOLE_END, 0.75)) }
}

/// Smooth step from 0 to 1 between two values.
fn smooth(x: f64, (from, to): (f64, f64)) -> f64 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
