//! Lesions on a tree: narrowed and widened pieces, sacs, feeders of tumors, flecks of calcium.

use super::check::share;
use super::tree::{self, around_parent, frames, value};
use crate::anatomy::description::Description;
use crate::anatomy::lesion::{LesionDescription, arc_mm};
use crate::anatomy::{AnatomyError, BodySurface, Branch, CenterlinePoint, Material, VesselPlace, VesselTree};
use crate::math::Vec3;

/// Stations on a lesion, at least.
const LEAST_STATIONS: f64 = 24.0;
/// Stations on a lesion, at most.
const MOST_STATIONS: usize = 1500;

/// Refuses lesions with wrong figures or on branches that are not described.
pub(super) fn check(description: &Description) -> Result<(), AnatomyError> {
    for lesion in &description.lesions {
        lesion.check()?;
        let feeders: Vec<&str> = match lesion {
            LesionDescription::Malformation { feeders, .. } => feeders.iter().map(|f| f.0.as_str()).collect(),
            _ => lesion.place().map(|p| p.0).into_iter().collect(),
        };
        if feeders.is_empty() {
            return Err(value("lesions", "feeders", "none", "at least one"));
        }
        for name in feeders {
            if !description.branches.iter().any(|b| b.name == name) {
                let known: Vec<&str> = description.branches.iter().map(|b| b.name.as_str()).collect();
                return Err(value(name, "lesions.vessel", format_args!("`{name}`"), known.join(", ")));
            }
        }
    }
    Ok(())
}

/// Narrows or widens a branch where lesions lie on it, before its children are built.
pub(super) fn shape(branch: &mut Branch, lesions: &[LesionDescription]) {
    for lesion in lesions.iter().filter(|l| l.length_mm() > 0.0) {
        let Some((_, at)) = lesion.place().filter(|p| p.0 == branch.name) else { continue };
        let length = branch.length_mm();
        let middle = arc_mm(at, length);
        let half = 0.5 * lesion.length_mm();
        let (from, to) = ((middle - half).max(0.0), (middle + half).min(length));
        let narrowest = lesion.shape(0.0, branch.at(middle).radius_mm).0;
        let step = (0.5 * narrowest).min((to - from) / LEAST_STATIONS).max(1e-3);
        let count = (((to - from) / step).ceil() as usize).clamp(2, MOST_STATIONS);
        let inside = (0..=count).map(|i| from + (to - from) * i as f64 / count as f64);
        let kept = |p: &&CenterlinePoint| p.arc_mm < from - 1e-6 || p.arc_mm > to + 1e-6;
        let mut arcs: Vec<f64> = branch.points.iter().filter(kept).map(|p| p.arc_mm).collect();
        arcs.extend(inside);
        arcs.sort_by(f64::total_cmp);
        let shaped: Vec<(Vec3, f64)> = arcs
            .iter()
            .map(|arc| {
                let p = branch.at(*arc);
                let (radius, shift) = lesion.shape(arc - middle, p.radius_mm);
                let away = around_parent(&p.tangent, lesion.around_deg().to_radians());
                (p.position_mm - away * shift, radius)
            })
            .collect();
        let positions: Vec<Vec3> = shaped.iter().map(|s| s.0).collect();
        branch.points = frames(&positions);
        branch.points.iter_mut().zip(&shaped).for_each(|(p, s)| p.radius_mm = s.1);
    }
}

/// Length over which a widened vessel comes back to its own width behind the feeder of a tumor, in widened diameters.
const WIDENING_END: f64 = 2.5;

/// Widens a branch from its origin to the feeders of tumors that leave it: `r = max(r0, w)` up to the feeder's far rim, then
/// back to `r0` along a smooth step.
pub(super) fn widen(branch: &mut Branch, lesions: &[LesionDescription]) {
    for lesion in lesions {
        let LesionDescription::TumorBed { vessel, at, vessel_mm: Some(vessel_mm), feeder_mm, .. } = lesion
        else {
            continue;
        };
        if *vessel != branch.name {
            continue;
        }
        let rim_mm = arc_mm(*at, branch.length_mm()) + 0.5 * feeder_mm;
        for p in &mut branch.points {
            let back = share((p.arc_mm - rim_mm) / (WIDENING_END * vessel_mm));
            p.radius_mm += (1.0 - back) * (0.5 * vessel_mm - p.radius_mm).max(0.0);
        }
    }
}

/// Adds sacs and feeders as branches of their own.
pub(super) fn add(tree: &mut VesselTree, lesions: &[LesionDescription]) -> Result<(), AnatomyError> {
    for lesion in lesions {
        if let Some(feeder) = lesion.feeder(tree) {
            let branch = tree::build_branch(&feeder, tree)?;
            tree.branches.push(branch);
        }
        if let Some(sac) = sac(lesion, tree) {
            if tree.find(&sac.name).is_some() {
                return Err(value(&sac.name, "lesions.name", "the same name twice", "each name once"));
            }
            tree.branches.push(sac);
        }
    }
    Ok(())
}

/// The sac of a saccular aneurysm: an ellipsoid of revolution about its axis, cut off where it is as wide as the neck.
fn sac(lesion: &LesionDescription, tree: &VesselTree) -> Option<Branch> {
    let LesionDescription::SaccularAneurysm {
        name, angle_deg, around_deg, neck_mm, width_mm, height_mm, ..
    } = lesion
    else {
        return None;
    };
    let place: VesselPlace = lesion.on(tree)?;
    let parent = tree.branch(place.vessel).at(place.arc_mm);
    let side = around_parent(&parent.tangent, around_deg.to_radians());
    let (s, c) = angle_deg.to_radians().sin_cos();
    let axis = side * s + parent.tangent * c;
    let wall = parent.radius_mm / s.max(0.3);
    // Share of the ellipsoid below the plane of the neck, and where a half ball completes it.
    let below = 0.5 * (1.0 - (1.0 - (neck_mm / width_mm).powi(2)).max(0.0).sqrt());
    let full = height_mm / (1.0 - below);
    let top = full * full / (full * full + width_mm * width_mm);
    let from = wall - below * full;
    let radius = |x: f64| {
        let share = ((x - from) / full).clamp(0.0, top);
        let body = width_mm * (share * (1.0 - share)).max(0.0).sqrt();
        if x < wall { 0.5 * neck_mm } else { body.max(0.5 * neck_mm) }
    };
    let end = from + top * full;
    let count = 40;
    let positions: Vec<Vec3> =
        (0..=count).map(|i| parent.position_mm + axis * (end * f64::from(i) / f64::from(count))).collect();
    let mut points = frames(&positions);
    points.iter_mut().for_each(|p| p.radius_mm = radius(p.arc_mm));
    let host = tree.branch(place.vessel);
    Some(Branch {
        name: format!("aneurysm.{name}"),
        ta_name: "Aneurysma".to_owned(),
        label: format!("Aneurysm {name}"),
        origin: Some(place),
        distal_join: None,
        points,
        outlet: None,
        wall_ep_n_per_mm2: host.wall_ep_n_per_mm2,
        // Thinner than the vessel it bulges from `[K]`.
        wall_thickness_mm: 0.5 * host.wall_thickness_mm,
    })
}

/// Density of a calcified plaque, g/cm3 `[K]`.
const CALCIUM_G_PER_CM3: f64 = 1.6;
/// Half thickness of a fleck, mm `[K]`.
const FLECK_MM: f64 = 0.55;
/// Grid that a fleck is sampled on, mm.
const FLECK_GRID_MM: f64 = 0.4;

/// Flecks of calcium outside the lumen of calcified lesions: up to five stripes along the vessel.
pub(super) fn calcium(lesions: &[LesionDescription], tree: &VesselTree) -> Vec<BodySurface> {
    let mut out = Vec::new();
    for (i, lesion) in lesions.iter().enumerate().filter(|(_, l)| l.calcium() > 0.0) {
        let Some(place) = lesion.on(tree) else { continue };
        let branch = tree.branch(place.vessel);
        let stripes = (1.0 + 4.0 * lesion.calcium()).round() as usize;
        for k in 0..stripes {
            // The golden angle spreads them; each is a little shorter than the one before.
            let around = lesion.around_deg().to_radians() + 2.4 * k as f64;
            let half = 0.5 * lesion.length_mm() * (1.0 - 0.13 * k as f64).max(0.3);
            let steps = (2.0 * half / 1.5).ceil().clamp(2.0, 60.0) as usize;
            let stripe: Vec<(Vec3, f64)> = (0..=steps)
                .map(|j| {
                    let t = j as f64 / steps as f64;
                    let p = branch.at(place.arc_mm + half * (2.0 * t - 1.0));
                    let away = around_parent(&p.tangent, around + 0.3 * (5.0 * t).sin());
                    (p.position_mm + away * (p.radius_mm + 1.2 * FLECK_MM), FLECK_MM)
                })
                .collect();
            out.push(BodySurface {
                name: format!("calcium.{}.{}", i + 1, k + 1),
                material: Material::CorticalBone,
                density_g_per_cm3: CALCIUM_G_PER_CM3,
                mesh: crate::anatomy::bones::stripe(&stripe, FLECK_GRID_MM),
            });
        }
    }
    out
}
