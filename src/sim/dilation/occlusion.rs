//! Closed vessels: a tip bores its way through by force, in the old lumen or under the intima, and what follows it widens the way.
//!
//! The occlusion is a plug between two faces ([`Plug`]), which the tip leans on like on a wall. A face gives way when the tip presses
//! harder than `F = H A`: plaque under a punch bears its hardness `H = 3 sY` (Tabor 1951) on the area `A` of the tip. That makes
//! 0.08 N for a 0.014 in wire in soft plaque, 0.15 N in calcium all around, against tip loads of 3 to 12 gram-force of wires made for
//! it (`rod-physics.md` C2). Caps bear that, what lies between them half of it, the layer under the intima a third `[K]`.
//!
//! Whether the tip goes on in the old lumen or under the intima is decided where it breaks into the cap: under it the more,
//! the more the tip looks aside and the less it bears before it buckles, and always when it is folded to a loop. From under the intima
//! it comes back 10 mm or more beyond the far cap (`clinical.md` C3b).

use serde::{Deserialize, Serialize};

use super::mount;
use super::vessel::{Press, Span, arc_of, knot_at};
use super::{DilationInputs, DilationState, Outcome, stent};
use crate::anatomy::VesselPlace;
use crate::math::rng::uniform;
use crate::sim::command::ToolId;
use crate::sim::contact::{Plug, Side};
use crate::sim::event::EventKind;
use crate::sim::flow::{LumenCause, LumenChange};

/// Hardness of plaque over its yield stress (Tabor).
const HARDNESS: f64 = 3.0;
/// Length of a cap, mm, and what lies between caps and under the intima bears of a cap's force `[K]`.
const CAP_MM: f64 = 4.0;
const BETWEEN: f64 = 0.5;
const UNDER_INTIMA: f64 = 0.33;
/// Speed of a face at twice the force that it bears, and the fastest, mm/s `[K]`.
const GIVES_MM_PER_S: f64 = 4.0;
const FASTEST_MM_PER_S: f64 = 12.0;
/// A tip this far before a face, beyond its own radius, leans on it, mm.
const LEANS_MM: f64 = 1.0;
/// A tip buckles over this length at the most, mm, and at least: the test of a wire's tip load is made with 10 mm.
const BUCKLING_MM: (f64, f64) = (2.0, 10.0);
/// Load of a column that is held at one end and led at the other, `F = 20.19 EI / L^2` (`rod-physics.md` C2).
const BUCKLING: f64 = 20.19;
/// A tip that looks this far aside is folded to a loop, as a cosine.
const FOLDED: f64 = 0.34;
/// Chance of a way under the intima `[K]`: of a tip that bears the cap straight on, and of one that yields.
const UNDER: (f64, f64) = (0.1, 0.6);
/// Way beyond the far cap until it comes back into the lumen: least, and further by chance, mm; a loop comes back sooner `[K]`.
const REENTRY_MM: (f64, f64) = (10.0, 30.0);
const LOOP_REENTRY: f64 = 0.4;
/// Room of a device in the way that it has pressed open, mm.
const ROOM_MM: f64 = 0.05;
/// Radius factor of the flap that a way under the intima leaves.
const FLAP: f64 = 0.7;

/// An occlusion and the way through it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    /// Its number among the lesions.
    pub span: usize,
    /// What still closes it.
    pub plug: Plug,
    /// The way runs under the intima.
    pub is_subintimal: bool,
}

impl Passage {
    /// The occlusion of a lesion as it was found.
    pub fn new(index: usize, span: &Span) -> Self {
        let plug =
            Plug { vessel: span.vessel, proximal_mm: span.from_mm, distal_mm: span.to_mm, entered: None };
        Self { span: index, plug, is_subintimal: false }
    }

    /// The stretch that was bored, mm; none before.
    pub fn way_mm(&self, span: &Span) -> Option<(f64, f64)> {
        match self.plug.entered? {
            Side::Proximal => Some((span.from_mm, self.plug.proximal_mm)),
            Side::Distal => Some((self.plug.distal_mm, span.to_mm)),
        }
    }
}

/// A tip near a face.
struct Tip {
    tool: ToolId,
    side: Side,
    force_n: f64,
    area_mm2: f64,
    /// Force at which it buckles, N.
    bears_n: f64,
    /// Cosine between tip and axis.
    ahead: f64,
}

/// Faces give way to the tips that press on them.
pub(super) fn advance(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    dt_s: f64,
    outcome: &mut Outcome,
    events: &mut Vec<EventKind>,
) {
    let mut passages = std::mem::take(&mut state.passages);
    state.boring.clear();
    for passage in &mut passages {
        let Some(span) = inputs.model.vessels.spans.get(passage.span) else { continue };
        if !passage.plug.is_passed() {
            let tips = tips(inputs, passage);
            state.boring.extend(tips.iter().map(|t| t.tool));
            for tip in &tips {
                bore(inputs, state, (passage, span), tip, dt_s, events);
            }
        }
        if passage.is_subintimal && passage.plug.is_passed() && !is_stented(inputs, state, passage, span) {
            outcome.flaps.extend(flap(passage, span));
        }
    }
    state.passages = passages;
}

fn tips(inputs: &DilationInputs<'_>, passage: &Passage) -> Vec<Tip> {
    let mut out = Vec::new();
    for rod in inputs.rods {
        for (i, device) in rod.devices.iter().enumerate() {
            let support_mm = rod.devices[..i].iter().map(|d| d.inserted_mm).fold(0.0, f64::max);
            let Some(spec) = inputs.ground.tools.get(device.tool.idx()) else { continue };
            let Some(place) = mount::place(&inputs.ground, &device.tip_mm) else { continue };
            if device.inserted_mm <= support_mm || place.vessel != passage.plug.vessel {
                continue;
            }
            let section = spec.section_at(0.0);
            let reach_mm = 0.5 * section.outer_diameter_mm + LEANS_MM;
            let middle_mm = 0.5 * (passage.plug.proximal_mm + passage.plug.distal_mm);
            let seen = if place.arc_mm < middle_mm { Side::Proximal } else { Side::Distal };
            let side = passage.plug.entered.unwrap_or(seen);
            let gap_mm = match side {
                Side::Proximal => passage.plug.proximal_mm - place.arc_mm,
                Side::Distal => place.arc_mm - passage.plug.distal_mm,
            };
            if gap_mm > reach_mm {
                continue;
            }
            let free_mm = (device.inserted_mm - support_mm).clamp(BUCKLING_MM.0, BUCKLING_MM.1);
            let axis = inputs.ground.tree.branch(place.vessel).at(place.arc_mm).tangent;
            let along = device.tip_direction.dot(&axis);
            out.push(Tip {
                tool: device.tool,
                side,
                force_n: device.tip_force_n,
                area_mm2: std::f64::consts::FRAC_PI_4 * section.outer_diameter_mm.powi(2),
                bears_n: BUCKLING * spec.section_at(0.5 * free_mm).bend_stiffness_n_mm2 / (free_mm * free_mm),
                ahead: if side == Side::Proximal { along } else { -along },
            });
        }
    }
    out
}

/// Force that plaque of a yield stress bears under a tip of an area, `F = 3 sY A`, N.
pub fn hardness_n(yield_n_per_mm2: f64, area_mm2: f64) -> f64 {
    HARDNESS * yield_n_per_mm2 * area_mm2
}

/// Chance that a tip goes under the intima: by the cosine between it and the axis, the force that it bears before it buckles, and
/// the force that it needs, N.
pub fn chance_under_intima(ahead: f64, bears_n: f64, needs_n: f64) -> f64 {
    if ahead < FOLDED {
        return 1.0;
    }
    let yields = (1.0 - bears_n / (2.0 * needs_n).max(1e-9)).clamp(0.0, 1.0);
    let aside = (1.0 - ahead * ahead).max(0.0).sqrt();
    (UNDER.0 + UNDER.1 * yields.max(aside)).min(1.0)
}

/// Force that a face bears at a tip, N.
fn bears_n(passage: &Passage, span: &Span, tip: &Tip) -> f64 {
    let cap_n = hardness_n(span.yield_n_per_mm2, tip.area_mm2);
    let at_mm = if tip.side == Side::Proximal { passage.plug.proximal_mm } else { passage.plug.distal_mm };
    let to_end_mm = (at_mm - span.from_mm).min(span.to_mm - at_mm);
    let is_own = passage.plug.entered == Some(tip.side);
    if passage.is_subintimal && is_own {
        UNDER_INTIMA * cap_n
    } else if to_end_mm < CAP_MM {
        cap_n
    } else {
        BETWEEN * cap_n
    }
}

fn bore(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    (passage, span): (&mut Passage, &Span),
    tip: &Tip,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let bears_n = bears_n(passage, span, tip);
    if tip.force_n <= bears_n || passage.plug.is_passed() {
        return;
    }
    if passage.plug.entered.is_none() {
        enter(inputs, state, (passage, span), tip, bears_n, events);
    }
    let way_mm = (GIVES_MM_PER_S * (tip.force_n / bears_n.max(1e-9) - 1.0)).min(FASTEST_MM_PER_S) * dt_s;
    match tip.side {
        Side::Proximal => passage.plug.proximal_mm += way_mm,
        Side::Distal => passage.plug.distal_mm -= way_mm,
    }
    if passage.plug.is_passed() {
        let at_mm =
            if tip.side == Side::Proximal { passage.plug.proximal_mm } else { passage.plug.distal_mm };
        let at = VesselPlace { vessel: span.vessel, arc_mm: at_mm };
        events.push(EventKind::OcclusionCrossed { at, is_subintimal: passage.is_subintimal });
    }
}

/// The first tip breaks in, and takes its way.
fn enter(
    inputs: &DilationInputs<'_>,
    state: &mut DilationState,
    (passage, span): (&mut Passage, &Span),
    tip: &Tip,
    bears_n: f64,
    events: &mut Vec<EventKind>,
) {
    passage.plug.entered = Some(tip.side);
    let is_folded = tip.ahead < FOLDED;
    let chance = chance_under_intima(tip.ahead, tip.bears_n, bears_n);
    // Both are drawn in any case, so that streams do not depend on the way.
    let (drawn, way) = (uniform(&mut state.rng), uniform(&mut state.rng));
    passage.is_subintimal = drawn < chance;
    if passage.is_subintimal {
        let loops = if is_folded { LOOP_REENTRY } else { 1.0 };
        let beyond_mm = REENTRY_MM.0 + REENTRY_MM.1 * way * loops;
        let length_mm = inputs.ground.tree.branch(span.vessel).length_mm();
        match tip.side {
            Side::Proximal => passage.plug.distal_mm = (span.to_mm + beyond_mm).min(length_mm - 1.0),
            Side::Distal => passage.plug.proximal_mm = (span.from_mm - beyond_mm).max(1.0),
        }
    }
    let arc_mm = if tip.side == Side::Proximal { span.from_mm } else { span.to_mm };
    let at = VesselPlace { vessel: span.vessel, arc_mm };
    events.push(EventKind::OcclusionEntered { at, is_subintimal: passage.is_subintimal });
}

/// The stretch that the way under the intima has split, mm.
fn split_mm(passage: &Passage, span: &Span) -> (f64, f64) {
    let met_mm = 0.5 * (passage.plug.proximal_mm + passage.plug.distal_mm);
    (span.from_mm.min(met_mm), span.to_mm.max(met_mm))
}

fn flap(passage: &Passage, span: &Span) -> Option<LumenChange> {
    let (from_mm, to_mm) = split_mm(passage, span);
    (to_mm > from_mm).then_some(LumenChange {
        cause: LumenCause::Dissection,
        vessel: span.vessel,
        from_mm,
        to_mm,
        radius_factor: FLAP,
    })
}

/// A stent holds nine tenths of the split layer to the wall.
fn is_stented(inputs: &DilationInputs<'_>, state: &DilationState, passage: &Passage, span: &Span) -> bool {
    let (from_mm, to_mm) = split_mm(passage, span);
    let placed = state.stents.iter().filter(|s| s.phase == stent::Phase::Placed);
    let placed = placed.filter(|s| stent::of(inputs.ground.tools, s.tool).is_some());
    let over = |(v, a, b): (crate::anatomy::VesselId, f64, f64)| {
        if v == span.vessel { (b.min(to_mm) - a.max(from_mm)).max(0.0) } else { 0.0 }
    };
    let held: f64 = placed.flat_map(|s| s.stretches()).map(over).sum();
    held >= super::HELD_SHARE * (to_mm - from_mm)
}

/// What lies in the ways through occlusions presses them open.
pub(super) fn press(inputs: &DilationInputs<'_>, state: &DilationState, presses: &mut Vec<Press>) {
    for passage in &state.passages {
        let Some(span) = inputs.model.vessels.spans.get(passage.span) else { continue };
        let Some((from_mm, to_mm)) = passage.way_mm(span) else { continue };
        let (from_mm, to_mm) = (from_mm.max(span.from_mm), to_mm.min(span.to_mm));
        for (place, radius_mm) in bodies(inputs, span) {
            if place.arc_mm >= from_mm - 1.0 && place.arc_mm <= to_mm + 1.0 {
                let knot = knot_at(place.arc_mm);
                let built_mm = inputs.ground.tree.branch(span.vessel).at(arc_of(knot)).radius_mm;
                if radius_mm + ROOM_MM > built_mm {
                    presses.push(Press { vessel: span.vessel, knot, radius_mm: radius_mm + ROOM_MM });
                }
            }
        }
    }
}

/// Places of the devices in the vessel of a lesion, a millimeter apart, with the radius there.
fn bodies(inputs: &DilationInputs<'_>, span: &Span) -> Vec<(VesselPlace, f64)> {
    let mut out = Vec::new();
    let middle_mm = inputs.ground.tree.branch(span.vessel).at(0.5 * (span.from_mm + span.to_mm)).position_mm;
    let far_mm = 0.5 * (span.to_mm - span.from_mm) + 5.0;
    for rod in inputs.rods {
        let Some(end_mm) = rod.arc_mm.last() else { continue };
        let mut arc_mm = 0.0;
        while arc_mm <= *end_mm {
            let point = mount::point_at(rod, arc_mm);
            // A cheap look first: most of a rod lies elsewhere.
            if (point - middle_mm).norm() < far_mm
                && let Some(place) = mount::place(&inputs.ground, &point).filter(|p| p.vessel == span.vessel)
            {
                let wide = rod.devices.iter().filter(|d| d.inserted_mm >= arc_mm).filter_map(|d| {
                    let spec = inputs.ground.tools.get(d.tool.idx())?;
                    Some(0.5 * spec.section_at(d.inserted_mm - arc_mm).outer_diameter_mm)
                });
                out.push((place, wide.fold(0.0, f64::max)));
            }
            arc_mm += 1.0;
        }
    }
    out
}
