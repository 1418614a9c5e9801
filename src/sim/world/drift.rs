//! How the blood carries a body: drag towards a Poiseuille profile along the vessel it goes with, and the way it takes
//! where vessels part.

use super::{FreeBody, WorldInputs};
use crate::anatomy::{Branch, VesselId, VesselPlace};
use crate::math::Vec3;
use crate::math::rng::{ChaCha8Rng, uniform};
use crate::units::{BLOOD_DENSITY_T_PER_MM3, BLOOD_VISCOSITY_MPA_S};

/// Blood: g/mm3, and g/(mm s) (1 mPa s = 1e-3 g/(mm s)).
const DENSITY_G_PER_MM3: f64 = BLOOD_DENSITY_T_PER_MM3 * 1e6;
const VISCOSITY_G_PER_MM_S: f64 = BLOOD_VISCOSITY_MPA_S * 1e-3;
/// Gravity, mm/s2; the patient lies supine, so it points to +y.
const GRAVITY_MM_PER_S2: f64 = 9810.0;
/// Largest share of the lumen for which the confined drag is computed.
const MAX_CONFINEMENT: f64 = 0.9;
/// A body is gripped by the wall from this share of the lumen on, wholly over so much more.
const GRIP_FROM: f64 = 0.97;
const GRIP_OVER: f64 = 0.05;

/// A speed that the blood around a body does not exceed, mm/s.
pub(super) fn speed_bound_mm_per_s(body: &FreeBody, inputs: &WorldInputs<'_>) -> f64 {
    2.0 * mean_speed_mm_per_s(&body.place, inputs).abs()
}

fn mean_speed_mm_per_s(place: &VesselPlace, inputs: &WorldInputs<'_>) -> f64 {
    let radius_mm = inputs.radius_mm(place).max(0.1);
    1000.0 * (inputs.flow_ml_per_s)(place) / (std::f64::consts::PI * radius_mm * radius_mm)
}

/// Velocity after `h` s of drag and weight.
///
/// Drag of a sphere `3 pi mu d (u - v) (1 + 0.15 Re^0.687)` (Schiller and Naumann 1933, Re < 800), times
/// `(1 - d/D)^-2.5` for the confining wall (after Haberman and Sayre 1958), on the body's mass and half that of the
/// displaced blood; integrated exactly for a constant coefficient. Undisturbed flow `u = 2 U (1 - (r/R)^2 - 2/3 (d/D)^2)`
/// along the vessel (Faxen's correction), steered towards the centerline of the vessel the body goes with.
pub(super) fn drag(body: &mut FreeBody, inputs: &WorldInputs<'_>, h: f64) {
    let center = inputs.tree.branch(body.place.vessel).at(body.place.arc_mm);
    let radius_mm = inputs.radius_mm(&body.place).max(0.1);
    let off = body.position_mm - center.position_mm;
    let off = off - center.tangent * off.dot(&center.tangent);
    let share = (off.norm() / radius_mm).min(1.0);
    let confinement = (body.radius_mm / radius_mm).min(1.0);
    let mean = mean_speed_mm_per_s(&body.place, inputs);
    let profile = (1.0 - share * share - 2.0 / 3.0 * confinement * confinement).max(0.1);
    // Outside its vessel's own lumen (still in the parent) a body is drawn to the ostium.
    let steer = if off.norm() > radius_mm { 1.0 } else { 0.3 * share };
    let inward = -off.try_normalize(1e-9).unwrap_or_else(Vec3::zeros);
    let along = center.tangent * mean.signum();
    let direction = (along + inward * steer).try_normalize(1e-9).unwrap_or(along);
    // A plug that fills the lumen stops the blood behind it and is held by the squeezed wall.
    let grip = ((body.radius_mm / radius_mm - GRIP_FROM) / GRIP_OVER).clamp(0.0, 1.0);
    let blood = direction * (2.0 * mean.abs() * profile * (1.0 - grip));

    let slip = blood - body.velocity_mm_per_s;
    let reynolds = DENSITY_G_PER_MM3 * slip.norm() * 2.0 * body.radius_mm / VISCOSITY_G_PER_MM_S;
    let narrow = (1.0 - confinement.min(MAX_CONFINEMENT)).powf(-2.5);
    let coefficient = 6.0
        * std::f64::consts::PI
        * VISCOSITY_G_PER_MM_S
        * body.radius_mm
        * (1.0 + 0.15 * reynolds.powf(0.687))
        * narrow;
    let volume = 4.0 / 3.0 * std::f64::consts::PI * body.radius_mm.powi(3);
    let mass = body.mass_g() + 0.5 * DENSITY_G_PER_MM3 * volume;
    let rate = coefficient / mass;
    let weight = (body.mass_g() - DENSITY_G_PER_MM3 * volume) * GRAVITY_MM_PER_S2 / mass;
    let target = blood + Vec3::y() * (weight / rate);
    body.velocity_mm_per_s = target + (body.velocity_mm_per_s - target) * (-rate * h).exp();
}

/// The body's place after a move; at a parting it goes with a share of the blood, by chance.
pub(super) fn follow(body: &mut FreeBody, inputs: &WorldInputs<'_>, rng: &mut ChaCha8Rng) {
    let vessel = body.place.vessel;
    let branch = inputs.tree.branch(vessel);
    let from = body.place.arc_mm;
    body.place.arc_mm = foot_mm(branch, from, &body.position_mm);
    let flow = (inputs.flow_ml_per_s)(&body.place);
    if flow < 0.0 {
        if let Some(origin) = branch.origin.filter(|_| body.place.arc_mm <= 0.0) {
            body.place = origin;
        }
        return;
    }
    let end = branch.length_mm() - branch.at(branch.length_mm()).radius_mm;
    let mut left = None;
    for child in inputs.tree.children(vessel) {
        let Some(origin) = inputs.tree.branch(child).origin else { continue };
        let parts_at = origin.arc_mm.min(end).max(0.0);
        if !(from < parts_at && parts_at <= body.place.arc_mm) {
            continue;
        }
        let before = VesselPlace { vessel, arc_mm: (parts_at - 1.0).max(0.0) };
        let of_parent = left.unwrap_or_else(|| (inputs.flow_ml_per_s)(&before));
        let of_child = own_flow(child, inputs).max(0.0);
        // Drawn also where nothing is to choose, so that streams do not depend on the anatomy's flows.
        let drawn = uniform(rng);
        if of_parent > 0.0 && drawn * of_parent < of_child {
            body.place = VesselPlace { vessel: child, arc_mm: 0.0 };
            body.place.arc_mm = foot_mm(inputs.tree.branch(child), 0.0, &body.position_mm);
            return;
        }
        left = Some((of_parent - of_child).max(0.0));
    }
    if let Some(join) = branch.distal_join.filter(|_| body.place.arc_mm >= branch.length_mm()) {
        body.place = join;
    }
}

/// Flow of a vessel in the middle of its course.
fn own_flow(vessel: VesselId, inputs: &WorldInputs<'_>) -> f64 {
    (inputs.flow_ml_per_s)(&VesselPlace { vessel, arc_mm: 0.5 * inputs.tree.branch(vessel).length_mm() })
}

/// Arc length of the foot of a point on a branch, sought from `from_mm` on.
fn foot_mm(branch: &Branch, from_mm: f64, p: &Vec3) -> f64 {
    let points = &branch.points;
    let last = points.len() - 2;
    let ahead = |k: usize| (p - points[k].position_mm).dot(&points[k].tangent);
    let mut k = points.partition_point(|q| q.arc_mm <= from_mm).clamp(1, points.len() - 1) - 1;
    for _ in 0..64 {
        if ahead(k) < 0.0 && k > 0 {
            k -= 1;
        } else if ahead(k + 1) > 0.0 && k < last {
            k += 1;
        } else {
            break;
        }
    }
    let (a, b) = (ahead(k), ahead(k + 1));
    let t = if a <= 0.0 {
        0.0
    } else if b >= 0.0 {
        1.0
    } else {
        a / (a - b)
    };
    points[k].arc_mm + t * (points[k + 1].arc_mm - points[k].arc_mm)
}
