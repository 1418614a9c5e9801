//! Detectors of coils and plugs, and of tissue that lost its blood.

use super::condition::{infarct_pct, is_fed_by};
use super::detect_dilation::UP_ATM;
use super::errors::{Found, Ground, Slot};
use super::facts::Facts;
use crate::anatomy::{ORGANS, VesselId, VesselPlace, is_part_of};
use crate::sim::event::EventKind;
use crate::sim::snapshot::ImplantView;

/// A coil narrower than its vessel by this share does not hold (`clinical.md` B: 20 % wider is right).
const UNDERSIZED: f64 = 1.0;
/// One wider by this share stays stretched (`clinical.md` B) `[K]`.
const OVERSIZED: f64 = 1.7;
/// Length of an implant outside the target that may lie in the parent's mouth, mm `[K]`.
const PROTRUSION_MM: f64 = 5.0;
/// A share of tissue must be without blood this long to count, s: by what was left in the vessels, or by devices alone, which come
/// out again `[K]`.
const ISCHEMIA_S: (f64, f64) = (20.0, 1200.0);
/// Tissue without blood in this time was so before, s, and more than this beyond it is new, percent.
const FOUND_S: f64 = 5.0;
const WORSE_PCT: f64 = 10.0;
/// Embolic may be given this long after nitroglycerin in a vessel that was in spasm, s `[K]`.
const LOOSENED_S: f64 = 60.0;

fn implant<'a>(f: &'a Facts<'_>, index: u32) -> Option<&'a ImplantView> {
    f.snap.implants.get(index as usize)
}

fn label(f: &Facts<'_>, v: VesselId) -> String {
    f.tree.tree.branches.get(v.idx()).map_or_else(String::new, |b| b.label.clone())
}

/// Implants that were released in this tick, with the place of their middle.
fn released<'a>(f: &'a Facts<'_>) -> impl Iterator<Item = (u32, &'a ImplantView, VesselPlace)> {
    f.events.iter().filter_map(|e| match e.kind {
        EventKind::ImplantReleased { implant: i, place: Some(place), .. } => {
            implant(f, i).map(|view| (i, view, place))
        }
        _ => None,
    })
}

/// Diameter of the lumen at a place, mm.
fn lumen_mm(f: &Facts<'_>, place: VesselPlace) -> f64 {
    f.tree.tree.branches.get(place.vessel.idx()).map_or(0.0, |b| 2.0 * b.at(place.arc_mm).radius_mm)
}

fn size(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>, is_small: bool) {
    for (_, view, place) in released(f) {
        let nominal_mm = f.snap.tools.get(view.tool.idx()).map_or(0.0, |t| t.implant_diameter_mm);
        let lumen_mm = lumen_mm(f, place);
        let ratio = nominal_mm / lumen_mm.max(0.1);
        if nominal_mm > 0.0 && if is_small { ratio < UNDERSIZED } else { ratio > OVERSIZED } {
            let cause = format!(
                "{nominal_mm:.1} mm in the {}, which is {lumen_mm:.1} mm wide.",
                label(f, place.vessel)
            );
            out.push(Found::at_place(place, cause));
        }
    }
}

pub(super) fn undersized(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    size(f, g, slot, out, true);
}

pub(super) fn oversized(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    size(f, g, slot, out, false);
}

pub(super) fn off_target(f: &Facts<'_>, g: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for (_, _, place) in released(f) {
        if !g.targets.is_empty() && !g.is_at_target(f, Some(place)) {
            out.push(Found::at_place(place, format!("It lies in: {}.", f.tree.label(Some(place)))));
        }
    }
}

pub(super) fn migration(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::ImplantMigrates { from, .. } = e.kind {
            out.push(Found::at_place(
                from,
                format!("The blood carried it away from the {}.", label(f, from.vessel)),
            ));
        }
    }
}

pub(super) fn lost(f: &Facts<'_>, g: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::ImplantLodged { place, .. } = e.kind
            && !g.is_at_target(f, Some(place))
        {
            out.push(Found::at_place(place, format!("It came to rest in the {}.", label(f, place.vessel))));
        }
    }
}

/// Judged once for each implant, when it has lain still for a second.
pub(super) fn protrusion(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for (i, view) in f.snap.implants.iter().enumerate() {
        if view.drifts || view.is_joined || g.targets.is_empty() || *slot.latch(i) {
            continue;
        }
        *slot.amount(i) += f.dt_s;
        if *slot.amount(i) < 1.0 {
            continue;
        }
        *slot.latch(i) = true;
        let in_target = |v: VesselId| g.targets.iter().any(|t| f.tree.is_within(v, *t));
        let inside: f64 = view.length_mm.iter().filter(|(v, _)| in_target(*v)).map(|x| x.1).sum();
        let outside = view.length_mm.iter().filter(|(v, _)| !in_target(*v));
        let Some((vessel, mm)) = outside.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        if inside > 0.0 && *mm > PROTRUSION_MM {
            let cause = format!("{mm:.0} mm of it lie in the {}.", label(f, *vessel));
            out.push(Found::at_place(VesselPlace { vessel: *vessel, arc_mm: 0.0 }, cause));
        }
    }
}

/// Organs of which more has lost its blood than they bear; those of the target apart from the others.
fn lost_tissue(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>, of_target: bool) {
    let is_closed = !f.snap.implants.is_empty() || f.snap.beds.iter().any(|b| !b.lodged.is_empty());
    let lasts_s = if is_closed { ISCHEMIA_S.0 } else { ISCHEMIA_S.1 };
    for (i, organ) in ORGANS.iter().enumerate() {
        let beds = || f.snap.beds.iter().filter(|b| is_part_of(&b.name, organ.bed));
        // Sides of a body are organs of their own: the worst is judged.
        let mut names: Vec<&str> = beds().map(|b| side(&b.name, organ.bed)).collect();
        names.dedup();
        let is_target = beds().any(|b| is_fed_by(f.tree, &b.vessels, &g.targets));
        if is_target != of_target {
            continue;
        }
        let shares = names.into_iter().filter_map(|name| Some((infarct_pct(&f.snap.beds, name)?, name)));
        let worst = shares.max_by(|a, b| a.0.total_cmp(&b.0));
        // What the patient came with is not the operator's doing.
        let found = slot.amount(ORGANS.len() + i);
        if f.snap.time_s < FOUND_S {
            *found = worst.map_or(0.0, |w| w.0).max(*found);
        }
        let bears_pct = organ.bears_pct.max(*found + WORSE_PCT);
        // A balloon keeps the blood away for minutes, which is not lost tissue.
        let is_held = f.snap.balloons.iter().any(|b| b.balloon_atm > UP_ATM);
        let over = !is_held && worst.is_some_and(|(pct, _)| pct > bears_pct);
        if slot.held(i, over, f.dt_s, lasts_s)
            && let Some((pct, name)) = worst
        {
            let bed = f.snap.beds.iter().find(|b| is_part_of(&b.name, name));
            let cause = format!("{pct:.0} % of: {} ({name}). {}", organ.label, organ.harm);
            out.push(Found { place: None, position_mm: bed.map(|b| b.center_mm), cause, tool: None });
        }
    }
}

/// The part of a bed's name that tells its side, or the organ's name.
fn side<'a>(bed: &'a str, organ: &'a str) -> &'a str {
    if bed.ends_with(".left") || bed.ends_with(".right") { bed } else { organ }
}

pub(super) fn infarct_of_target(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    lost_tissue(f, g, slot, out, true);
}

pub(super) fn infarct_elsewhere(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    lost_tissue(f, g, slot, out, false);
}

/// Stasis in a vessel that is in spasm is none: amounts hold the time since the spasm, and since nitroglycerin.
pub(super) fn embolic_in_spasm(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let n = f.tree.tree.branches.len();
    for e in f.events {
        match &e.kind {
            EventKind::Spasm(p) => *slot.latch(p.vessel.idx()) = true,
            EventKind::Given { drug, .. } if drug == "nitroglycerin" => *slot.amount(0) = LOOSENED_S,
            EventKind::InjectionStarted { tool, fluid, .. } if g.is_embolic(fluid) => {
                let Some(t) = f.tool(*tool) else { continue };
                let Some(place) = t.place else { continue };
                if *slot.latch(place.vessel.idx()) && !*slot.latch(n) {
                    *slot.latch(n) = true;
                    let cause = format!("The {} was in spasm.", label(f, place.vessel));
                    out.push(Found::at_tool(t, cause));
                }
            }
            _ => {}
        }
    }
    // A minute after nitroglycerin the vessels are loose again.
    if *slot.amount(0) > 0.0 {
        *slot.amount(0) -= f.dt_s;
        if *slot.amount(0) <= 0.0 {
            (0..n).for_each(|v| *slot.latch(v) = false);
        }
    }
}
