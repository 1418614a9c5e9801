//! Detectors of the error table. Limits marked `[K]` are customary values without a source; a clinician should confirm
//! them.

use super::condition::is_fed_by;
use super::errors::{Found, Ground, Slot};
use super::facts::{Facts, ToolFacts};
use crate::anatomy::{VesselId, VesselPlace, organ_of};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::sim::command::{Pedal, ToolId};
use crate::sim::dilation::StentPhase;
use crate::sim::event::EventKind;

/// A catheter tip this far ahead of its wire, or with no wire, may creep at most this much forward, mm `[K]`.
const NO_WIRE_ADVANCE_MM: f64 = 20.0;
/// Blind advance in one go, mm `[K]`.
const BLIND_ADVANCE_MM: f64 = 30.0;
/// Blind withdrawal in one go, mm `[K]`.
const BLIND_WITHDRAWAL_MM: f64 = 100.0;
/// A tip may move outside the field for this long, s (`clinical.md` D).
const OUT_OF_FIELD_S: f64 = 3.0;
/// Tip force that deserves caution, N (`clinical.md` D, `[K]`).
const TIP_FORCE_CAUTION_N: f64 = 0.3;
/// Tip force that may perforate, N (`clinical.md` D, `[K]`).
const TIP_FORCE_DANGER_N: f64 = 1.0;
/// An occlusion may be pressed on so much harder (`clinical.md` D2), from this far before it and beyond it, mm.
const AT_OCCLUSION: f64 = 2.0;
/// The side of a tip against its end, for the force that it may bear: area of 2 mm of a 5F loop over that of its end `[D]`.
const SIDE_TO_END: f64 = 1.5;
const CAP_MM: f64 = 3.0;
const BEYOND_CAP_MM: f64 = 45.0;
/// Axial hub force that a hand should not exceed, N `[K]`.
const HUB_FORCE_N: f64 = 8.0;
/// A vessel counts as entered once the tip lies this deep in its own lumen, mm.
const ENTERED_MM: f64 = 10.0;
/// Time in which a hand notices that the tip took the wrong way and draws it back, s `[K]`.
const NOTICED_S: f64 = 3.0;
/// A stay in a wrong vessel beyond this is an error of its own, s `[K]`.
const WRONG_VESSEL_S: f64 = 60.0;
/// The wire may slip back this much during an exchange, mm `[K]`.
const WIRE_SLIP_MM: f64 = 50.0;
/// A catheter that has not moved for this long rests, s.
const REST_S: f64 = 10.0;
/// Embolic must not be given beyond this many beats to clear (`clinical.md` D, stasis).
const STASIS_BEATS: f64 = 10.0;
/// Share of lodged particles in one non-target bed that counts as non-target embolization, percent `[K]`.
const NONTARGET_PCT: f64 = 2.0;
/// Fewer particles than this in a bed are never called an error.
const NONTARGET_PARTICLES: f64 = 50.0;
/// Beam without motion, injection or contrast in flow for this long, s `[K]`.
const BEAM_IDLE_S: f64 = 5.0;
/// After the last motion or injection contrast is still watched for this long, s.
const WATCH_WASHOUT_S: f64 = 4.0;
/// The same in an acquisition run, where the late phase is wanted, s.
const WATCH_RUN_S: f64 = 15.0;
/// Fluoroscopy with all blades open, s `[K]`.
const OPEN_BLADES_S: f64 = 60.0;
/// Blades opened to this share count as open.
const OPEN_SHARE: f64 = 0.98;
/// Steep angles, degrees `[K]`.
const STEEP_PRIMARY_DEG: f64 = 45.0;
const STEEP_SECONDARY_DEG: f64 = 35.0;
/// Beam in a steep angle, s `[K]`.
const STEEP_S: f64 = 20.0;
/// Smallest field; screening in it for long costs dose, mm and s `[K]`.
const ZOOM_FIELD_MM: f64 = 160.0;
const ZOOM_S: f64 = 60.0;
/// A pulse rate that intervention below the diaphragm does not need, 1/s and s `[K]`.
const FAST_PULSES_PER_S: f64 = 29.0;
const FAST_PULSES_S: f64 = 20.0;
/// The alert counts as unheeded when kerma has risen by this factor since.
const UNHEEDED_FACTOR: f64 = 1.2;

fn in_vessel(t: &ToolFacts) -> bool {
    !t.covered && t.inserted_mm > 0.0 && t.kind != DeviceKind::Sheath
}

/// A loop that leads, as that of a pigtail, needs no wire.
pub(super) fn catheter_without_wire(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let follows_wire = |k: DeviceKind| {
        matches!(
            k,
            DeviceKind::Catheter | DeviceKind::Microcatheter | DeviceKind::Balloon | DeviceKind::Stent
        )
    };
    for t in f.tools.iter().filter(|t| follows_wire(t.kind)) {
        let i = t.tool.idx();
        let led = t.wire_ahead_mm.is_some_and(|w| w > -NO_WIRE_ADVANCE_MM);
        if led || t.is_blunt || t.inserted_mm <= 0.0 {
            *slot.amount(i) = 0.0;
            *slot.latch(i) = false;
        } else if in_vessel(t) {
            // Net advance: to and fro over the same stretch is engaging an ostium, not pushing on.
            let sum = (*slot.amount(i) + t.moved_mm).max(0.0);
            *slot.amount(i) = sum;
            if sum > NO_WIRE_ADVANCE_MM && !*slot.latch(i) {
                *slot.latch(i) = true;
                let wire = match t.wire_ahead_mm {
                    Some(w) => format!("its wire {:.0} mm behind the tip", -w),
                    None => "no wire in it".to_owned(),
                };
                out.push(Found::at_tool(t, format!("The catheter was pushed {sum:.0} mm with {wire}.")));
            }
        }
    }
}

pub(super) fn moved_without_beam(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for t in &f.tools {
        let (fwd, back) = (2 * t.tool.idx(), 2 * t.tool.idx() + 1);
        if f.beam_on {
            for i in [fwd, back] {
                *slot.amount(i) = 0.0;
                *slot.latch(i) = false;
            }
            continue;
        }
        if !in_vessel(t) {
            continue;
        }
        let (i, limit, word) = if t.moved_mm > 0.0 {
            (fwd, BLIND_ADVANCE_MM, "advanced")
        } else {
            (back, BLIND_WITHDRAWAL_MM, "withdrawn")
        };
        *slot.amount(i) += t.moved_mm.abs();
        if *slot.amount(i) > limit && !*slot.latch(i) {
            *slot.latch(i) = true;
            out.push(Found::at_tool(
                t,
                format!("The device was {word} more than {limit:.0} mm with the beam off."),
            ));
        }
    }
}

/// Is a point inside the open part of the picture.
fn is_in_field(f: &Facts<'_>, p_mm: &Vec3) -> bool {
    let arm = &f.snap.xray.arm;
    // One pixel per unit square: columns and rows from 0 to 2 with the middle at 1.
    let Some((c, r, _)) = arm.projection(2).project(p_mm) else { return false };
    let (right, up) = (c - 1.0, 1.0 - r);
    let [b_left, b_right, b_bottom, b_top] = arm.blades;
    -b_left <= right && right <= b_right && -b_bottom <= up && up <= b_top
}

pub(super) fn tip_out_of_field(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for t in &f.tools {
        let i = t.tool.idx();
        if !f.beam_on || !in_vessel(t) || t.moved_mm == 0.0 {
            continue;
        }
        // What leads is watched: a catheter runs safely over a wire whose tip is seen.
        let leads = f.tools.iter().filter(|o| o.rod == t.rod && o.inserted_mm > t.inserted_mm);
        if is_in_field(f, &t.tip_mm) || leads.clone().any(|o| is_in_field(f, &o.tip_mm)) {
            *slot.amount(i) = 0.0;
            *slot.latch(i) = false;
            continue;
        }
        *slot.amount(i) += f.dt_s;
        if *slot.amount(i) > OUT_OF_FIELD_S && !*slot.latch(i) {
            *slot.latch(i) = true;
            let cause = format!("The tip moved for more than {OUT_OF_FIELD_S:.0} s outside the picture.");
            out.push(Found::at_tool(t, cause));
        }
    }
}

/// Does a tip work its way through an occlusion.
fn bores(f: &Facts<'_>, t: &ToolFacts) -> bool {
    f.snap.lesions.iter().filter(|l| l.is_closed).any(|l| {
        let [from, to] = l.stretch_mm;
        let is_there = |p: VesselPlace| p.arc_mm > from - CAP_MM && p.arc_mm < to + BEYOND_CAP_MM;
        t.place.zip(l.place).is_some_and(|(tip, lesion)| tip.vessel == lesion.vessel && is_there(tip))
    })
}

fn force_over(f: &Facts<'_>, slot: &mut Slot, out: &mut Vec<Found>, over_n: f64, for_s: f64, tip: bool) {
    for t in f.tools.iter().filter(|t| in_vessel(t)) {
        let force = if tip { t.tip_force_n } else { t.hub_force_n.abs() };
        let over_n = if tip && bores(f, t) { AT_OCCLUSION * over_n } else { over_n };
        let over_n = if tip && t.is_blunt { SIDE_TO_END * over_n } else { over_n };
        if slot.held(t.tool.idx(), force > over_n, f.dt_s, for_s) {
            let part = if tip { "tip" } else { "hub" };
            out.push(Found::at_tool(
                t,
                format!("The {part} force was {force:.2} N, the limit is {over_n:.1} N."),
            ));
        }
    }
}

pub(super) fn tip_force_high(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    force_over(f, slot, out, TIP_FORCE_CAUTION_N, 1.0, true);
}

pub(super) fn tip_force_dangerous(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    force_over(f, slot, out, TIP_FORCE_DANGER_N, 0.1, true);
}

pub(super) fn hub_force_high(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    force_over(f, slot, out, HUB_FORCE_N, 0.5, false);
}

pub(super) fn perforation(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Perforation(p) = e.kind {
            out.push(Found::at_place(p, "The wall gave way; blood leaves the vessel.".to_owned()));
        }
    }
}

pub(super) fn dissection(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Dissection(p) = e.kind {
            out.push(Found::at_place(p, "The inner layer of the wall was torn.".to_owned()));
        }
    }
}

pub(super) fn spasm(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Spasm(p) = e.kind {
            let seen = slot.latch(p.vessel.idx());
            if !*seen {
                *seen = true;
                out.push(Found::at_place(p, "The vessel narrowed around the device.".to_owned()));
            }
        }
    }
}

/// The tip that leads, when it lies deep enough in a vessel off the route.
fn wrong_tip<'a>(f: &'a Facts<'_>, g: &Ground) -> Option<(&'a ToolFacts, VesselPlace)> {
    let t = f.farthest()?;
    let place = t.place?;
    let is_deep = f.tree.depth_mm(place, &f.snap.vessels) > ENTERED_MM;
    (is_deep && !g.is_allowed(place.vessel)).then_some((t, place))
}

fn name(f: &Facts<'_>, v: VesselId) -> String {
    f.tree.tree.branches.get(v.idx()).map_or_else(String::new, |b| b.label.clone())
}

/// Counts entries that were not left at once: a new one only after the tip has been back on the route for a second.
///
/// A wire that looks for a mouth slips into its neighbors; what counts is whether that was noticed.
pub(super) fn wrong_vessel(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    match wrong_tip(f, g) {
        Some((t, place)) => {
            *slot.amount(0) = 0.0;
            *slot.amount(1) += f.dt_s;
            if *slot.amount(1) > NOTICED_S && !*slot.latch(0) {
                *slot.latch(0) = true;
                let cause =
                    format!("The tip went into the {}, which is not on the way.", name(f, place.vessel));
                out.push(Found::at_tool(t, cause));
            }
        }
        None => {
            *slot.amount(0) += f.dt_s;
            *slot.amount(1) = 0.0;
            if *slot.amount(0) > 1.0 {
                *slot.latch(0) = false;
            }
        }
    }
}

pub(super) fn wrong_vessel_long(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let tip = wrong_tip(f, g);
    if slot.held(0, tip.is_some(), f.dt_s, WRONG_VESSEL_S)
        && let Some((t, place)) = tip
    {
        let cause =
            format!("The tip lay in the {} for more than {WRONG_VESSEL_S:.0} s.", name(f, place.vessel));
        out.push(Found::at_tool(t, cause));
    }
}

/// Follows, per catheter, how far its wire reached when the catheter last rested; judged when the catheter leaves.
pub(super) fn wire_position_lost(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for t in f.tools.iter().filter(|t| t.kind == DeviceKind::Catheter) {
        let base = 4 * t.tool.idx();
        let (deepest, wire, rod, still) = (base, base + 1, base + 2, base + 3);
        *slot.amount(rod) = t.rod as f64;
        *slot.amount(still) = if t.moved_mm == 0.0 { *slot.amount(still) + f.dt_s } else { 0.0 };
        if t.inserted_mm > *slot.amount(deepest) || *slot.amount(still) > REST_S {
            *slot.amount(deepest) = t.inserted_mm;
        }
        // Until the catheter is drawn back the wire may be worked with.
        if t.inserted_mm >= *slot.amount(deepest) - 5.0 {
            *slot.amount(wire) = t.wire_ahead_mm.map_or(f64::NEG_INFINITY, |w| w + t.inserted_mm);
        }
    }
    for e in f.events {
        let EventKind::Unloaded(tool) = e.kind else { continue };
        let base = 4 * tool.idx();
        let (deepest, wire_was, rod) = (*slot.amount(base), *slot.amount(base + 1), *slot.amount(base + 2));
        for i in base..base + 4 {
            *slot.amount(i) = 0.0;
        }
        // Judged only for a wire that led the catheter, and for a catheter that was really in.
        if deepest < WIRE_SLIP_MM || wire_was < deepest {
            continue;
        }
        let wires = f.tools.iter().filter(|t| t.kind == DeviceKind::Wire && t.rod as f64 == rod);
        let wire_now = wires.map(|t| t.inserted_mm).reduce(f64::max).unwrap_or(0.0).max(0.0);
        if wire_was - wire_now > WIRE_SLIP_MM {
            let lost = wire_was - wire_now;
            out.push(Found::new(format!(
                "The wire came back {lost:.0} mm while the catheter was taken off."
            )));
        }
    }
}

pub(super) fn wedged_injection(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let wedged = f.events.iter().find_map(|e| match e.kind {
        EventKind::WedgedInjection(tool) => Some(tool),
        _ => None,
    });
    let injecting = f.snap.injection.flow_ml_per_s > 0.0;
    if let Some(tool) = wedged
        && !*slot.latch(0)
    {
        let cause = "Contrast was injected while the tip filled its vessel.".to_owned();
        out.push(
            f.tool(tool).map_or_else(|| Found::new(cause.clone()), |t| Found::at_tool(t, cause.clone())),
        );
    }
    *slot.latch(0) = (wedged.is_some() || *slot.latch(0)) && (injecting || wedged.is_some());
}

pub(super) fn pressure_limited(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let limited = f.events.iter().any(|e| matches!(e.kind, EventKind::PressureLimited(_)));
    if slot.in_total(f.snap.xray.runs as usize, limited, 1.0, 0.5) {
        let psi = f.snap.injection.pressure_psi;
        out.push(Found::new(format!("The injector reached {psi:.0} psi and slowed down.")));
    }
}

pub(super) fn air_injected(f: &Facts<'_>, _: &Ground, _: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::AirInjected { tool, volume_ml } = e.kind {
            let cause = format!("{volume_ml:.2} mL of air left the tip: the lumen had not been flushed.");
            out.push(
                f.tool(tool).map_or_else(|| Found::new(cause.clone()), |t| Found::at_tool(t, cause.clone())),
            );
        }
    }
}

pub(super) fn embolic_reflux(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        if let EventKind::Reflux { into, embolic: true } = e.kind {
            let seen = slot.latch(into.vessel.idx());
            if !*seen {
                *seen = true;
                out.push(Found::at_place(
                    into,
                    format!("Embolic flowed back into the {}.", name(f, into.vessel)),
                ));
            }
        }
    }
}

pub(super) fn nontarget(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let lodged = |b: &crate::sim::snapshot::BedView| b.lodged.iter().map(|(_, n)| n).sum::<f64>();
    let all: f64 = f.snap.beds.iter().map(lodged).sum();
    if all <= 0.0 || g.targets.is_empty() {
        return;
    }
    for (i, bed) in f.snap.beds.iter().enumerate() {
        let n = lodged(bed);
        let share = 100.0 * n / all;
        let is_over = n > NONTARGET_PARTICLES && share > NONTARGET_PCT;
        if is_over && !*slot.latch(i) && !is_fed_by(f.tree, &bed.vessels, &g.targets) {
            *slot.latch(i) = true;
            let place = bed.vessels.first().map(|v| VesselPlace { vessel: VesselId(*v), arc_mm: 0.0 });
            let harm = organ_of(&bed.name).map_or("", |o| o.harm);
            let cause = format!("{share:.0} % of the particles lodged so far lie in: {}. {harm}", bed.name);
            out.push(Found { place, position_mm: Some(bed.center_mm), cause, tool: None });
        }
    }
}

/// Embolic injections that begin in this tick, with the device they leave.
fn embolic_starts<'a>(
    f: &'a Facts<'_>,
    g: &'a Ground,
) -> impl Iterator<Item = (ToolId, Option<&'a ToolFacts>)> {
    f.events.iter().filter_map(move |e| match &e.kind {
        EventKind::InjectionStarted { tool, fluid, .. } if g.is_embolic(fluid) => {
            Some((*tool, f.tool(*tool)))
        }
        _ => None,
    })
}

pub(super) fn embolic_off_target(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for (tool, facts) in embolic_starts(f, g) {
        let Some(t) = facts else { continue };
        let off = !g.targets.is_empty() && !g.is_at_target(f, t.place);
        if off && !*slot.latch(tool.idx()) {
            out.push(Found::at_tool(t, format!("The tip lay in: {}.", f.tree.label(t.place))));
        }
        *slot.latch(tool.idx()) = off;
    }
}

/// Remembers per device where contrast was last injected; embolic more than 20 mm away from there is untested.
pub(super) fn embolic_without_test(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    for e in f.events {
        let EventKind::InjectionStarted { tool, fluid, .. } = &e.kind else { continue };
        let Some(t) = f.tool(*tool) else { continue };
        let (at, tested) = (tool.idx(), 2 * tool.idx());
        if !g.is_embolic(fluid) {
            if !fluid.eq_ignore_ascii_case("saline") {
                *slot.amount(at) = t.inserted_mm;
                *slot.latch(tested) = true;
                *slot.latch(tested + 1) = false;
            }
            continue;
        }
        let is_tested = *slot.latch(tested) && (*slot.amount(at) - t.inserted_mm).abs() <= NO_WIRE_ADVANCE_MM;
        if !is_tested && !*slot.latch(tested + 1) {
            *slot.latch(tested + 1) = true;
            out.push(Found::at_tool(t, "No contrast had been injected from this position.".to_owned()));
        }
    }
}

pub(super) fn embolic_blind(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let blind = g.is_injecting_embolic(f) && !f.beam_on;
    if slot.in_total(0, blind, f.dt_s, 1.0) {
        out.push(Found::new("Embolic was injected for more than 1 s without a picture.".to_owned()));
    }
}

pub(super) fn embolic_after_stasis(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let beats = f.snap.injection.beats_to_clear;
    let late = g.is_injecting_embolic(f) && beats >= STASIS_BEATS;
    if slot.in_total(0, late, f.dt_s, 1.0) {
        let cause =
            format!("The column needed {beats:.0} beats to clear; {STASIS_BEATS:.0} or more is stasis.");
        out.push(Found::new(cause));
    }
}

pub(super) fn beam_idle(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    // amount 0: idle time; 1: time since the last motion or injection; 2, 3: last arm angles and isocenter.
    let arm = &f.snap.xray.arm;
    let tilt = arm.table_tilt_deg + 1e3 * arm.table_cradle_deg;
    let pose = arm.primary_deg + 1e3 * arm.secondary_deg + 1e6 * tilt;
    let table = arm.isocenter_mm.dot(&Vec3::new(1.0, 1e3, 1e6));
    let arm_moves = *slot.amount(2) != pose || *slot.amount(3) != table;
    *slot.amount(2) = pose;
    *slot.amount(3) = table;
    let moves = f.tools.iter().any(|t| t.moved_mm.abs() > 1e-3 || t.turned_deg.abs() > 1e-2);
    let injecting = f.snap.injection.flow_ml_per_s > 0.0;
    if injecting {
        *slot.amount(1) = 0.0;
    } else {
        *slot.amount(1) += f.dt_s;
    }
    let watch_s = if f.snap.xray.pedal == Pedal::Acquire { WATCH_RUN_S } else { WATCH_WASHOUT_S };
    let watching = *slot.amount(1) < watch_s && f.snap.time_s > watch_s;
    let armed_run = f.snap.xray.pedal == Pedal::Acquire && f.snap.injection.armed;
    let opens = f.snap.stents.iter().any(|s| s.phase == StentPhase::Opening);
    let idle = f.beam_on && !moves && !opens && !injecting && !watching && !arm_moves && !armed_run;
    if slot.held(0, idle, f.dt_s, BEAM_IDLE_S) {
        out.push(Found::new(format!(
            "The pedal was down for more than {BEAM_IDLE_S:.0} s with nothing to see."
        )));
    }
}

fn is_screening(f: &Facts<'_>) -> bool {
    f.snap.xray.pedal == Pedal::Fluoro
}

pub(super) fn open_blades(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let open = is_screening(f) && f.snap.xray.arm.blades.iter().all(|b| *b >= OPEN_SHARE);
    if slot.in_total(0, open, f.dt_s, OPEN_BLADES_S) {
        out.push(Found::new(format!("{OPEN_BLADES_S:.0} s of fluoroscopy with all blades open.")));
    }
}

pub(super) fn steep_oblique(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let arm = &f.snap.xray.arm;
    let steep = arm.primary_deg.abs() > STEEP_PRIMARY_DEG || arm.secondary_deg.abs() > STEEP_SECONDARY_DEG;
    if slot.in_total(0, steep && is_screening(f), f.dt_s, STEEP_S) {
        let (a, b) = (arm.primary_deg, arm.secondary_deg);
        out.push(Found::new(format!("{STEEP_S:.0} s of fluoroscopy at {a:.0} and {b:.0} degrees.")));
    }
}

pub(super) fn zoom_held(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let zoomed = is_screening(f) && f.snap.xray.arm.field_mm <= ZOOM_FIELD_MM;
    if slot.in_total(0, zoomed, f.dt_s, ZOOM_S) {
        out.push(Found::new(format!("{ZOOM_S:.0} s of fluoroscopy in the smallest field.")));
    }
}

pub(super) fn fast_pulses(f: &Facts<'_>, _: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let rate = f.snap.xray.pulse_rate_per_s;
    if slot.in_total(0, is_screening(f) && rate >= FAST_PULSES_PER_S, f.dt_s, FAST_PULSES_S) {
        out.push(Found::new(format!("{FAST_PULSES_S:.0} s of fluoroscopy at {rate:.0} pulses per second.")));
    }
}

pub(super) fn dose_alert_unheeded(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let kerma = f.snap.xray.air_kerma_mgy;
    if kerma > UNHEEDED_FACTOR * g.dose_alert_mgy && !*slot.latch(0) {
        *slot.latch(0) = true;
        let alert = g.dose_alert_mgy;
        out.push(Found::new(format!("Air kerma reached {kerma:.0} mGy; the alert came at {alert:.0} mGy.")));
    }
}

pub(super) fn contrast_limit(f: &Facts<'_>, g: &Ground, slot: &mut Slot, out: &mut Vec<Found>) {
    let (given, limit) = (f.snap.injection.contrast_given_ml, g.contrast_limit_ml);
    if given > limit && !*slot.latch(0) {
        *slot.latch(0) = true;
        out.push(Found::new(format!("{given:.0} mL of contrast given; the limit is {limit:.0} mL.")));
    }
}
