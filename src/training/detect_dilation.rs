//! Detectors of balloons and stents.

use super::condition::FILTER_OPEN;
use super::errors::{Found, Ground, Slot};
use super::facts::Facts;
use crate::anatomy::{VesselId, VesselPlace};
use crate::sim::dilation::{BalloonView, LesionView, StentPhase, StentView};
use crate::sim::event::EventKind;

/// A balloon above this share of the healthy diameter dissects or ruptures (`clinical.md` C2: 1.2 to 1.3).
const OVERSIZED: f64 = 1.2;
/// The pressure may stand this much above the rated one for the needle of the gauge, atm.
const GAUGE_ATM: f64 = 0.2;
/// A balloon with more than this in it is up, atm.
pub(super) const UP_ATM: f64 = 1.0;
/// Least clotting time for a balloon, s: anywhere, and in arteries of the brain (`clinical.md` A6, C3d).
const ACT_S: (f64, f64) = (200.0, 250.0);
/// Atropine acts for this long, s `[K]`, and reaches the heart after this, s `[K]`.
const ATROPINE_S: (f64, f64) = (30.0, 2400.0);
/// A lesion must be covered to this much of its ends, mm `[K]`.
const ENDS_MM: f64 = 1.0;
/// Debris from this size on harms where it lodges, mm `[K]`: the brain minds all of it.
const HARMFUL_MM: f64 = 0.5;
/// Branches from this radius on matter when a stent lies over their mouth, mm `[K]`.
const BRANCH_MM: f64 = 1.5;
/// ... unless the lesion itself comes this near to the mouth, mm `[K]`.
const AT_MOUTH_MM: f64 = 10.0;
/// A stent at a mouth may reach this far into the parent, and must reach this far, mm (`clinical.md` C3c: 1 to 2).
const INTO_PARENT_MM: (f64, f64) = (0.0, 4.0);
/// A lesion that begins this near behind the mouth is one of the mouth, mm `[K]`.
const OSTIAL_MM: f64 = 4.0;
/// A parent this much wider than its branch is another vessel, not its trunk.
const OTHER_VESSEL: f64 = 1.5;
/// Vessels that bend with a joint, and the joint.
const JOINTS: [(&str, &str); 2] = [("common_femoral", "hip"), ("popliteal", "knee")];
/// A device this far beyond the lesion, mm, and no farther from its axis than this beyond the wall, mm, is across.
const ACROSS_MM: (f64, f64) = (10.0, 3.0);
/// It must be away for this long, s.
const AWAY_S: f64 = 2.0;
/// A stent has settled after this, s.
const SETTLED_S: f64 = 1.0;

fn label(f: &Facts<'_>, v: VesselId) -> String {
    f.tree.tree.branches.get(v.idx()).map_or_else(String::new, |b| b.label.clone())
}

fn name<'a>(f: &'a Facts<'_>, v: VesselId) -> &'a str {
    f.tree.tree.branches.get(v.idx()).map_or("", |b| b.name.as_str())
}

fn is_up(b: &BalloonView) -> bool {
    b.balloon_atm > UP_ATM
}

/// Balloons that come up in this tick.
fn rising<'a>(f: &'a Facts<'_>, slot: &mut Slot) -> Vec<&'a BalloonView> {
    let mut out = Vec::new();
    for b in &f.snap.balloons {
        let was_up = slot.latch(b.tool.idx());
        if is_up(b) && !*was_up {
            out.push(b);
        }
        *was_up = is_up(b);
    }
    out
}

/// Is a vessel one that feeds the brain.
pub(super) fn is_carotid(f: &Facts<'_>, v: VesselId) -> bool {
    name(f, v).contains("carotid")
}

fn is_finishing(f: &Facts<'_>) -> bool {
    f.events.iter().any(|e| e.kind == EventKind::Finished)
}

pub(super) fn oversized(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Inflated { at: Some(place), balloon_to_vessel, peak_atm, .. } = e.kind
            && balloon_to_vessel > OVERSIZED
        {
            let pct = 100.0 * balloon_to_vessel;
            let cause = format!(
                "At {peak_atm:.0} atm it has {pct:.0} % of the least healthy diameter along it ({}).",
                label(f, place.vessel)
            );
            out.push(Found::at_place(place, cause));
        }
    }
}

pub(super) fn over_rated(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for b in &f.snap.balloons {
        let rated_atm = f.snap.tools.get(b.tool.idx()).map_or(0.0, |t| t.rated_atm);
        let is_over = rated_atm > 0.0 && b.balloon_atm > rated_atm + GAUGE_ATM;
        let was_over = slot.latch(b.tool.idx());
        if is_over && !*was_over {
            let cause = format!("{:.1} atm in a balloon that is rated for {rated_atm:.0}.", b.balloon_atm);
            out.push(Found { place: b.place, position_mm: None, cause, tool: Some(b.tool) });
        }
        *was_over = is_over;
    }
}

pub(super) fn burst(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::BalloonBurst { tool, atm } = e.kind {
            let view = f.snap.balloons.iter().find(|b| b.tool == tool);
            let cause = format!("It burst at {atm:.1} atm.");
            out.push(Found { place: view.and_then(|b| b.place), position_mm: None, cause, tool: Some(tool) });
        }
    }
}

pub(super) fn rupture(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Rupture(p) = e.kind {
            out.push(Found::at_place(p, format!("The wall of the {} burst.", label(f, p.vessel))));
        }
    }
}

/// Once in a case: what was forgotten before the first balloon is not told again at the next.
pub(super) fn no_heparin(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let told = f.snap.tools.len();
    for b in rising(f, slot) {
        let is_brain = b.place.is_some_and(|p| is_carotid(f, p.vessel));
        let (least_s, act_s) = (if is_brain { ACT_S.1 } else { ACT_S.0 }, f.snap.patient.act_s);
        if act_s < least_s && !*slot.latch(told) {
            *slot.latch(told) = true;
            let cause = format!("Clotting time {act_s:.0} s; {least_s:.0} s are wanted.");
            out.push(Found { place: b.place, position_mm: None, cause, tool: Some(b.tool) });
        }
    }
}

/// Amount 0: time since atropine, s; 0 without.
pub(super) fn no_atropine(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let told = f.snap.tools.len();
    if *slot.amount(0) > 0.0 {
        *slot.amount(0) += f.dt_s;
    }
    if f.events.iter().any(|e| matches!(&e.kind, EventKind::Given { drug, .. } if drug == "atropine")) {
        *slot.amount(0) = f.dt_s.max(1e-3);
    }
    let acts = (ATROPINE_S.0..ATROPINE_S.1).contains(slot.amount(0));
    for b in rising(f, slot) {
        let is_brain = b.place.is_some_and(|p| is_carotid(f, p.vessel));
        if is_brain && !acts && !*slot.latch(told) {
            *slot.latch(told) = true;
            let cause = "The carotid sinus was stretched without atropine acting.".to_owned();
            out.push(Found { place: b.place, position_mm: None, cause, tool: Some(b.tool) });
        }
    }
}

/// A balloon goes up in a carotid artery, and no open filter stands beyond it.
pub(super) fn no_filter(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let told = f.snap.tools.len();
    for b in rising(f, slot) {
        let Some(place) = b.place.filter(|p| is_carotid(f, p.vessel)) else { continue };
        let is_beyond = |p: VesselPlace| {
            let is_farther = p.vessel == place.vessel && p.arc_mm > place.arc_mm;
            is_farther || (p.vessel != place.vessel && f.tree.tree.route(p.vessel).contains(&place.vessel))
        };
        let stands =
            f.snap.filters.iter().any(|x| x.open_share > FILTER_OPEN && x.place.is_some_and(is_beyond));
        if !stands && !*slot.latch(told) {
            *slot.latch(told) = true;
            let cause = "The balloon went up with no open filter beyond the lesion.".to_owned();
            out.push(Found { place: b.place, position_mm: None, cause, tool: Some(b.tool) });
        }
    }
}

/// A filter was closed over more than it holds.
pub(super) fn filter_spilled(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::FilterSpilled { tool, pieces } = e.kind {
            let cause = format!("{pieces} pieces went on with the blood when the full filter was closed.");
            out.push(Found { place: None, position_mm: None, cause, tool: Some(tool) });
        }
    }
}

/// Length of a lesion that some stretches of its vessel leave free at its ends, mm.
fn bare_mm(lesion: &LesionView, vessel: VesselId, stretches: &[(VesselId, f64, f64)]) -> Option<f64> {
    let [from, to] = lesion.stretch_mm;
    let own = || stretches.iter().filter(move |s| s.0 == vessel && s.2 > from && s.1 < to);
    let first = own().map(|s| s.1).reduce(f64::min)?;
    let last = own().map(|s| s.2).reduce(f64::max)?;
    Some((first - from).max(to - last).max(0.0))
}

/// Judged at the end, by the stents over each lesion, or by the balloons where there are none.
pub(super) fn geographic_miss(f: &Facts<'_>, g: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    if !is_finishing(f) {
        return;
    }
    let placed = f.snap.stents.iter().filter(|s| s.phase == StentPhase::Placed);
    let stents: Vec<_> = placed.flat_map(|s| s.stretches.iter().copied()).collect();
    for lesion in &f.snap.lesions {
        let Some(place) = lesion.place else { continue };
        let by_stent = bare_mm(lesion, place.vessel, &stents);
        let bare = by_stent.or_else(|| bare_mm(lesion, place.vessel, &g.dilated));
        if let Some(mm) = bare.filter(|mm| *mm > ENDS_MM) {
            let by = if by_stent.is_some() { "stent" } else { "balloon" };
            let cause = format!("{mm:.0} mm at an end of the narrowing were not covered by the {by}.");
            out.push(Found::at_place(place, cause));
        }
    }
}

/// Judged at the end: a flap that neither a stent nor a long inflation has laid to the wall.
pub(super) fn flap_left(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    if !is_finishing(f) {
        return;
    }
    for (vessel, from_mm, to_mm) in &f.snap.flaps {
        let place = VesselPlace { vessel: *vessel, arc_mm: 0.5 * (from_mm + to_mm) };
        let cause = format!("A flap of {:.0} mm hangs in the {}.", to_mm - from_mm, label(f, *vessel));
        out.push(Found::at_place(place, cause));
    }
}

pub(super) fn debris_lodged(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        let EventKind::BodyLodged { place, diameter_mm, is_debris: true } = e.kind else { continue };
        let is_harmful = diameter_mm >= HARMFUL_MM || is_brain(f, place.vessel);
        let told = slot.latch(place.vessel.idx());
        if is_harmful && !*told {
            *told = true;
            let cause = format!("A piece of {diameter_mm:.1} mm closes the {}.", label(f, place.vessel));
            out.push(Found::at_place(place, cause));
        }
    }
}

/// Does a vessel come off a carotid artery.
fn is_brain(f: &Facts<'_>, v: VesselId) -> bool {
    f.tree.tree.route(v).into_iter().any(|above| is_carotid(f, above))
}

pub(super) fn stent_lost(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        match e.kind {
            EventKind::StentStripped { tool, .. } => {
                let cause = "It came off its balloon while it was still crimped.".to_owned();
                out.push(Found { place: None, position_mm: None, cause, tool: Some(tool) });
            }
            EventKind::StentMigrates { stent, from } if !is_stripped(f, stent) => {
                let cause = format!("The blood took it along from the {}.", label(f, from.vessel));
                out.push(Found::at_place(from, cause));
            }
            _ => {}
        }
    }
}

/// Was a stent stripped off in this very tick: that is told once.
fn is_stripped(f: &Facts<'_>, index: u32) -> bool {
    f.events.iter().any(|e| matches!(e.kind, EventKind::StentStripped { stent, .. } if stent == index))
}

/// Stents that have been free of their catheters for a while, each once.
fn settled<'a>(f: &'a Facts<'_>, slot: &mut Slot) -> Vec<&'a StentView> {
    let mut out = Vec::new();
    for (i, stent) in f.snap.stents.iter().enumerate() {
        if slot.held(i, stent.phase == StentPhase::Placed, f.dt_s, SETTLED_S) {
            out.push(stent);
        }
    }
    out
}

/// Branches that matter under a stent, unless its lesion reaches their mouth.
fn jailed(f: &Facts<'_>, stent: &StentView, is_closed: bool) -> Vec<VesselId> {
    let matters = |v: VesselId| {
        let Some(origin) = f.tree.tree.branches.get(v.idx()).and_then(|b| b.origin) else { return false };
        let at_mouth = |l: &LesionView| {
            let near = |p: VesselPlace| {
                p.vessel == origin.vessel
                    && origin.arc_mm > l.stretch_mm[0] - AT_MOUTH_MM
                    && origin.arc_mm < l.stretch_mm[1] + AT_MOUTH_MM
            };
            // One that begins a sister branch lies at the mouth too.
            let sister = |p: VesselPlace| {
                let of = f.tree.tree.branches.get(p.vessel.idx()).and_then(|b| b.origin);
                l.stretch_mm[0] < AT_MOUTH_MM && of.is_some_and(|o| o.vessel == origin.vessel)
            };
            l.place.is_some_and(|p| near(p) || sister(p))
        };
        f.tree.radius_mm(v) >= BRANCH_MM && (is_closed || !f.snap.lesions.iter().any(at_mouth))
    };
    stent.jailed.iter().filter(|(v, closed)| *closed == is_closed && matters(*v)).map(|(v, _)| *v).collect()
}

pub(super) fn branch_jailed(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    over_branches(f, slot, out, false);
}

pub(super) fn branch_closed(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    over_branches(f, slot, out, true);
}

fn over_branches(f: &Facts<'_>, slot: &mut Slot, out: &mut Vec<Found>, is_closed: bool) {
    for stent in settled(f, slot) {
        for v in jailed(f, stent, is_closed) {
            let origin = f.tree.tree.branches.get(v.idx()).and_then(|b| b.origin);
            let cause = format!("The stent lies over the mouth of the {}.", label(f, v));
            out.push(Found { place: origin, position_mm: None, cause, tool: Some(stent.tool) });
        }
    }
}

/// The vessel in which most of a stent lies, with its stretch, where its parent is another vessel and not its trunk.
fn at_mouth(f: &Facts<'_>, stent: &StentView) -> Option<(VesselId, f64)> {
    let own = stent.stretches.iter().max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)))?.0;
    let origin = f.tree.tree.branches.get(own.idx())?.origin?;
    let parent_mm = f.tree.tree.branches.get(origin.vessel.idx())?.at(origin.arc_mm).radius_mm;
    let into_mm = stent.into_parent_mm?;
    (parent_mm > OTHER_VESSEL * f.tree.radius_mm(own)).then_some((own, into_mm))
}

pub(super) fn stent_in_parent(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for stent in settled(f, slot) {
        if let Some((own, mm)) = at_mouth(f, stent).filter(|(_, mm)| *mm > INTO_PARENT_MM.1) {
            let cause = format!("{mm:.0} mm of it stand out of the mouth of the {}.", label(f, own));
            out.push(Found { place: None, position_mm: None, cause, tool: Some(stent.tool) });
        }
    }
}

/// Judged at the end: the best of the stents in the vessel counts.
pub(super) fn ostium_missed(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    if !is_finishing(f) {
        return;
    }
    for lesion in &f.snap.lesions {
        let Some(place) = lesion.place else { continue };
        let mouth_mm = f.snap.vessels.get(place.vessel.idx()).map_or(0.0, |v| v.start_mm);
        if lesion.stretch_mm[0] > mouth_mm + OSTIAL_MM {
            continue;
        }
        let placed = f.snap.stents.iter().filter(|s| s.phase == StentPhase::Placed);
        let own = placed.filter_map(|s| at_mouth(f, s)).filter(|(v, _)| *v == place.vessel);
        let Some(best) = own.map(|x| x.1).reduce(f64::max) else { continue };
        if best < INTO_PARENT_MM.0 {
            let cause = format!("It begins {:.1} mm behind the mouth, and the narrowing before it.", -best);
            out.push(Found::at_place(place, cause));
        }
    }
}

pub(super) fn across_joint(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for stent in settled(f, slot) {
        for (v, from_mm, to_mm) in &stent.stretches {
            if let Some((_, joint)) = JOINTS.iter().find(|(vessel, _)| name(f, *v).starts_with(vessel)) {
                let place = VesselPlace { vessel: *v, arc_mm: 0.5 * (from_mm + to_mm) };
                out.push(Found::at_place(place, format!("It lies in the {}, at the {joint}.", label(f, *v))));
            }
        }
    }
}

/// Is a wire, or a catheter that one can be led through, across a lesion: it passes its middle and goes on beyond.
fn is_across(f: &Facts<'_>, lesion: &LesionView) -> bool {
    let Some(middle) = f.tree.position(lesion.place) else { return false };
    let reach_mm = 0.5 * lesion.healthy_mm + ACROSS_MM.1;
    f.snap.rods.iter().any(|rod| {
        let passes = |tip_mm: f64| {
            let near = rod.nodes_mm.iter().zip(&rod.arc_mm).filter(|(p, _)| (*p - middle).norm() < reach_mm);
            near.map(|(_, arc)| *arc).reduce(f64::min).is_some_and(|arc| tip_mm > arc + ACROSS_MM.0)
        };
        rod.devices.iter().any(|d| passes(d.inserted_mm))
    })
}

/// Per lesion: latch 3i it was dilated, 3i + 1 a run was made after that, 3i + 2 told.
pub(super) fn wire_lost(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for (i, lesion) in f.snap.lesions.iter().enumerate() {
        let Some(place) = lesion.place else { continue };
        for e in f.events {
            match &e.kind {
                EventKind::Inflated { stretches, .. } => {
                    let treats = bare_mm(lesion, place.vessel, stretches).is_some();
                    *slot.latch(3 * i) |= treats;
                    *slot.latch(3 * i + 1) &= !treats;
                }
                EventKind::RunEnded { contrast_ml, .. } if *contrast_ml > 0.5 => {
                    let is_dilated = *slot.latch(3 * i);
                    *slot.latch(3 * i + 1) |= is_dilated;
                }
                _ => {}
            }
        }
        let is_open = *slot.latch(3 * i) && !*slot.latch(3 * i + 1) && !*slot.latch(3 * i + 2);
        let is_away = is_open && !is_across(f, lesion);
        *slot.amount(i) = if is_away { *slot.amount(i) + f.dt_s } else { 0.0 };
        if *slot.amount(i) > AWAY_S {
            *slot.latch(3 * i + 2) = true;
            let cause = "The wire left the treated lesion before a run had shown the result.".to_owned();
            out.push(Found::at_place(place, cause));
        }
    }
}
