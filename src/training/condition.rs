//! Predicates of a case file, compiled against a tree and followed tick by tick.

use super::facts::{Facts, TreeFacts, column_cells, lumen_ml, mean_flow_ml_per_s};
use crate::anatomy::{VesselId, VesselPlace, is_part_of};
use crate::device::DeviceKind;
use crate::math::Vec3;
use crate::scenario::Condition;
use crate::sim::dilation::{LesionView, StentPhase};
use crate::sim::event::EventKind;
use crate::sim::snapshot::{BedView, ToolInfo};

/// A filter is open at this share of its length.
pub(super) const FILTER_OPEN: f64 = 0.9;
/// A run counts for a vessel when its tip lies at most this far upstream of the vessel's origin, mm.
const RUN_UPSTREAM_MM: f64 = 30.0;
/// ... or this far past the ostium in the parent, mm: contrast there still flows back over it.
const RUN_PAST_OSTIUM_MM: f64 = 5.0;
/// Flow is averaged with this time constant, s (two beats).
const FLOW_AVERAGE_S: f64 = 1.5;
/// Bleeding must stay below its limit this long, s, so that a diastole does not count.
const BLEED_HOLD_S: f64 = 3.0;
/// A vessel with less than this share of its first flow is closed.
const CLOSED_SHARE: f64 = 0.1;
/// Flow at the beginning is the mean of this time, s.
const FIRST_FLOW_S: f64 = 60.0;
/// A flow must stay below its limit this long, s.
const FLOW_HOLD_S: f64 = 3.0;
/// More beats than this are reported as this.
pub(super) const MAX_BEATS: f64 = 999.0;

/// Mean flow of one vessel and the beats that its column needs to clear.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FlowWatch {
    pub vessel: VesselId,
    /// Cells of its column; 0 before the first tick.
    cells: usize,
    volume_ml: f64,
    /// Mean over about two beats, mL/s; `None` before the first tick.
    pub flow_ml_per_s: Option<f64>,
}

impl FlowWatch {
    pub(super) fn new(vessel: VesselId) -> Self {
        Self { vessel, cells: 0, volume_ml: 0.0, flow_ml_per_s: None }
    }

    pub(super) fn observe(&mut self, f: &Facts<'_>) {
        let Some(view) = f.snap.vessels.get(self.vessel.idx()) else { return };
        if self.volume_ml <= 0.0 {
            self.cells = column_cells(&f.tree.tree, self.vessel, view);
            self.volume_ml = lumen_ml(&f.tree.tree, self.vessel, view, self.cells);
        }
        let q = mean_flow_ml_per_s(view, self.cells);
        let blend = 1.0 - (-f.dt_s / FLOW_AVERAGE_S).exp();
        self.flow_ml_per_s = Some(self.flow_ml_per_s.map_or(q, |m| m + blend * (q - m)));
    }

    /// Lumen volume / mean flow, in heart beats.
    pub(super) fn beats_to_clear(&self, heart_rate_bpm: f64) -> f64 {
        let q = self.flow_ml_per_s.unwrap_or(f64::INFINITY).max(0.0);
        if q <= 0.0 {
            return MAX_BEATS;
        }
        (self.volume_ml / q * heart_rate_bpm / 60.0).min(MAX_BEATS)
    }
}

/// Flow of a vessel against that of the first minute.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FallWatch {
    flow: FlowWatch,
    first: (f64, f64),
    below_s: f64,
}

impl FallWatch {
    fn new(vessel: VesselId) -> Self {
        Self { flow: FlowWatch::new(vessel), first: (0.0, 0.0), below_s: 0.0 }
    }

    /// True once the flow has stayed below this share of the first for a while.
    fn observe(&mut self, f: &Facts<'_>, share: f64) -> bool {
        self.flow.observe(f);
        let Some(now) = self.flow.flow_ml_per_s else { return false };
        if f.snap.time_s <= FIRST_FLOW_S {
            self.first.0 += now * f.dt_s;
            self.first.1 += f.dt_s;
        }
        let first = self.first.0 / self.first.1.max(1e-9);
        let is_below = self.first.1 > 0.0 && now.abs() < share * first.abs();
        self.below_s = if is_below { self.below_s + f.dt_s } else { 0.0 };
        self.below_s >= FLOW_HOLD_S
    }
}

/// Which devices a condition speaks of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Which(Vec<bool>);

impl Which {
    fn new(of: &str, tools: &[ToolInfo]) -> Self {
        let kind = match of {
            "wire" => Some(DeviceKind::Wire),
            "catheter" => Some(DeviceKind::Catheter),
            "microcatheter" => Some(DeviceKind::Microcatheter),
            "sheath" => Some(DeviceKind::Sheath),
            "coil" => Some(DeviceKind::Coil),
            "snare" => Some(DeviceKind::Snare),
            "plug" => Some(DeviceKind::Plug),
            "balloon" => Some(DeviceKind::Balloon),
            "stent" => Some(DeviceKind::Stent),
            _ => None,
        };
        Self(tools.iter().map(|t| t.id == of || Some(t.kind) == kind).collect())
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }
}

/// A predicate with its memory. Names that do not resolve give a predicate that never holds; `check` reports them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Watch {
    Never,
    Run { at: VesselId, min_ml: f64, after: Option<String>, began: Vec<(u32, bool)>, done: bool },
    Tip { of: Which, within: VesselId },
    TipDwell { of: Which, within: VesselId, over_s: f64, spent_s: f64 },
    Stasis { flow: FlowWatch, beats: f64 },
    Bleed { id: String, limit_ml_per_min: f64, seen: bool, below_s: f64 },
    Particles { vessel: VesselId, over_pct: f64 },
    TipForce { over_n: f64, for_s: f64, held_s: f64 },
    TipIn { of: Which, vessel: VesselId },
    TipDeep { of: Which, within: VesselId, over_mm: f64 },
    TipMoved { of: Which, over_mm: f64, after: String, until: String, from: Option<(usize, Vec3)> },
    Loop { of: Which, over_mm: f64, base: Option<VesselPlace> },
    CoilsIn { vessel: VesselId, over_mm: f64 },
    Closed { flows: Vec<FallWatch>, share: f64, at_least: usize },
    Infarct { organ: String, over_pct: f64, up_to_pct: f64 },
    Residual { vessel: VesselId, under_pct: f64 },
    Gradient { vessel: VesselId, under_mmhg: f64 },
    StentMargin { vessel: VesselId, at_least_mm: f64 },
    StentAtMouth { vessel: VesselId, mm: [f64; 2] },
    Filter { vessel: VesselId, over_mm: f64 },
    Oversized { over_pct: f64, had: bool },
    Reflux { into: VesselId, seen: bool },
    Dose { kap_gy_cm2: f64 },
    StepDone(String),
    After(f64),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Watch {
    pub(super) fn new(c: &Condition, tree: &TreeFacts, tools: &[ToolInfo]) -> Self {
        let vessel =
            |name: &str, make: &dyn Fn(VesselId) -> Self| tree.tree.find(name).map_or(Self::Never, make);
        let run = |at: &str, min_ml: f64, after: Option<&String>| {
            vessel(at, &|at| Self::Run { at, min_ml, after: after.cloned(), began: Vec::new(), done: false })
        };
        match c {
            Condition::Run { at, min_ml } => run(at, *min_ml, None),
            Condition::FinalRun { at, min_ml, after } => run(at, *min_ml, Some(after)),
            Condition::Tip { of, within } => {
                vessel(within, &|v| Self::Tip { of: Which::new(of, tools), within: v })
            }
            Condition::TipDwell { of, within, over_s } => vessel(within, &|v| Self::TipDwell {
                of: Which::new(of, tools),
                within: v,
                over_s: *over_s,
                spent_s: 0.0,
            }),
            Condition::Stasis { vessel: name, beats_to_clear } => {
                vessel(name, &|v| Self::Stasis { flow: FlowWatch::new(v), beats: *beats_to_clear })
            }
            Condition::BleedBelow { bleed, flow_ml_per_min } => Self::Bleed {
                id: bleed.clone(),
                limit_ml_per_min: *flow_ml_per_min,
                seen: false,
                below_s: 0.0,
            },
            Condition::ParticlesIn { vessel: name, over_pct } => {
                vessel(name, &|v| Self::Particles { vessel: v, over_pct: *over_pct })
            }
            Condition::TipForce { over_n, for_s } => {
                Self::TipForce { over_n: *over_n, for_s: *for_s, held_s: 0.0 }
            }
            Condition::TipIn { of, vessel: name } => {
                vessel(name, &|v| Self::TipIn { of: Which::new(of, tools), vessel: v })
            }
            Condition::TipDeep { of, within, over_mm } => {
                vessel(within, &|v| Self::TipDeep { of: Which::new(of, tools), within: v, over_mm: *over_mm })
            }
            Condition::TipMoved { of, over_mm, after, until } => Self::TipMoved {
                of: Which::new(of, tools),
                over_mm: *over_mm,
                after: after.clone(),
                until: until.clone(),
                from: None,
            },
            Condition::Loop { of, over_mm } => {
                Self::Loop { of: Which::new(of, tools), over_mm: *over_mm, base: None }
            }
            Condition::CoilsIn { vessel: name, over_mm } => {
                vessel(name, &|v| Self::CoilsIn { vessel: v, over_mm: *over_mm })
            }
            Condition::FlowBelow { vessel: name, under_pct } => vessel(name, &|v| Self::Closed {
                flows: vec![FallWatch::new(v)],
                share: under_pct / 100.0,
                at_least: 1,
            }),
            Condition::Closed { vessels, at_least } => Self::Closed {
                flows: vessels.iter().filter_map(|n| tree.tree.find(n)).map(FallWatch::new).collect(),
                share: CLOSED_SHARE,
                at_least: *at_least as usize,
            },
            Condition::Infarct { organ, over_pct, up_to_pct } => {
                Self::Infarct { organ: organ.clone(), over_pct: *over_pct, up_to_pct: *up_to_pct }
            }
            Condition::Residual { vessel: name, under_pct } => {
                vessel(name, &|v| Self::Residual { vessel: v, under_pct: *under_pct })
            }
            Condition::GradientBelow { vessel: name, under_mmhg } => {
                vessel(name, &|v| Self::Gradient { vessel: v, under_mmhg: *under_mmhg })
            }
            Condition::StentMargin { vessel: name, at_least_mm } => {
                vessel(name, &|v| Self::StentMargin { vessel: v, at_least_mm: *at_least_mm })
            }
            Condition::StentAtMouth { vessel: name, at_least_mm, at_most_mm } => {
                vessel(name, &|v| Self::StentAtMouth { vessel: v, mm: [*at_least_mm, *at_most_mm] })
            }
            Condition::FilterOpen { vessel: name, over_mm } => {
                vessel(name, &|v| Self::Filter { vessel: v, over_mm: *over_mm })
            }
            Condition::Oversized { over_pct } => Self::Oversized { over_pct: *over_pct, had: false },
            Condition::EmbolicReflux { into } => vessel(into, &|v| Self::Reflux { into: v, seen: false }),
            Condition::DoseOver { kap_gy_cm2 } => Self::Dose { kap_gy_cm2: *kap_gy_cm2 },
            Condition::StepDone(id) => Self::StepDone(id.clone()),
            Condition::After { s } => Self::After(*s),
            Condition::All(list) => Self::All(list.iter().map(|c| Self::new(c, tree, tools)).collect()),
            Condition::Any(list) => Self::Any(list.iter().map(|c| Self::new(c, tree, tools)).collect()),
        }
    }

    /// Follows one tick; true while it holds. Runs stay true once made. `done` answers for steps.
    pub(super) fn observe(&mut self, f: &Facts<'_>, done: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Never => false,
            Self::Run { at, min_ml, after, began, done: had } => {
                let may = after.as_ref().is_none_or(|id| done(id));
                *had |= run_made(f, *at, *min_ml, may, began);
                *had
            }
            Self::Tip { of, within } => is_tip_in(f, of, *within),
            Self::TipDwell { of, within, over_s, spent_s } => {
                *spent_s = if is_tip_in(f, of, *within) { *spent_s + f.dt_s } else { 0.0 };
                *spent_s > *over_s
            }
            Self::Stasis { flow, beats } => {
                flow.observe(f);
                flow.flow_ml_per_s.is_some() && flow.beats_to_clear(f.snap.patient.heart_rate_bpm) >= *beats
            }
            Self::Bleed { id, limit_ml_per_min, seen, below_s } => {
                let Some(pool) = f.snap.pools.iter().find(|p| p.id == *id) else { return false };
                let below = pool.leak_ml_per_s * 60.0 < *limit_ml_per_min;
                *seen |= !below;
                *below_s = if below { *below_s + f.dt_s } else { 0.0 };
                // A pause is no success: it must have stood for longer than it does by itself.
                *seen && *below_s >= BLEED_HOLD_S + pool.pause_s
            }
            Self::Particles { vessel, over_pct } => share_in(f, &[*vessel]).is_some_and(|s| s > *over_pct),
            Self::TipForce { over_n, for_s, held_s } => {
                let peak = f.tools.iter().map(|t| t.tip_force_n).fold(0.0, f64::max);
                *held_s = if peak > *over_n { *held_s + f.dt_s } else { 0.0 };
                *held_s > *for_s
            }
            Self::TipIn { of, vessel } => open_tips(f, of).any(|p| p.vessel == *vessel),
            Self::TipDeep { of, within, over_mm } => is_tip_deep(f, of, *within, *over_mm),
            Self::TipMoved { of, over_mm, after, until, from } => {
                if !done(after) || done(until) {
                    return false;
                }
                has_moved(f, of, *over_mm, from)
            }
            Self::Loop { of, over_mm, base } => slack_mm(f, of, base) > *over_mm,
            Self::CoilsIn { vessel, over_mm } => coils_mm(f, *vessel) > *over_mm,
            Self::Closed { flows, share, at_least } => {
                flows.iter_mut().map(|w| usize::from(w.observe(f, *share))).sum::<usize>() >= *at_least
            }
            Self::Infarct { organ, over_pct, up_to_pct } => {
                infarct_pct(&f.snap.beds, organ).is_some_and(|pct| pct > *over_pct && pct <= *up_to_pct)
            }
            Self::Residual { vessel, under_pct } => residual_pct(f, *vessel).is_some_and(|r| r < *under_pct),
            Self::Gradient { vessel, under_mmhg } => {
                let own = f.snap.stenoses.iter().filter(|s| s.place.is_some_and(|p| p.vessel == *vessel));
                let worst = own.map(|s| s.mean_gradient_mmhg).reduce(f64::max);
                worst.is_some_and(|g| g < *under_mmhg)
            }
            Self::StentMargin { vessel, at_least_mm } => {
                let mut own = lesions(f, *vessel).peekable();
                let reaches = |l: &LesionView| l.margins_mm.is_some_and(|[a, b]| a.min(b) >= *at_least_mm);
                own.peek().is_some() && own.all(reaches)
            }
            Self::StentAtMouth { vessel, mm: [least, most] } => f.snap.stents.iter().any(|s| {
                let longest = s.stretches.iter().max_by(|a, b| (a.2 - a.1).total_cmp(&(b.2 - b.1)));
                let is_own = longest.is_some_and(|l| l.0 == *vessel);
                let is_there = s.into_parent_mm.is_some_and(|mm| mm >= *least && mm <= *most);
                is_own && is_there && s.phase == StentPhase::Placed
            }),
            Self::Filter { vessel, over_mm } => f.snap.filters.iter().any(|x| {
                let is_there = |p: VesselPlace| {
                    p.vessel == *vessel && p.arc_mm >= *over_mm
                        || p.vessel != *vessel && f.tree.is_within(p.vessel, *vessel)
                };
                x.open_share > FILTER_OPEN && x.place.is_some_and(is_there)
            }),
            Self::Oversized { over_pct, had } => {
                *had |= f.events.iter().any(|e| {
                    let EventKind::Inflated { balloon_to_vessel, .. } = e.kind else { return false };
                    100.0 * balloon_to_vessel > *over_pct
                });
                *had
            }
            Self::Reflux { into, seen } => {
                *seen |= f.events.iter().any(|e| {
                    matches!(&e.kind, EventKind::Reflux { into: place, embolic: true }
                        if f.tree.is_within(place.vessel, *into))
                });
                *seen
            }
            Self::Dose { kap_gy_cm2 } => f.snap.xray.kap_gy_cm2 > *kap_gy_cm2,
            Self::StepDone(id) => done(id),
            Self::After(s) => f.snap.time_s >= *s,
            // No short cut: every part must see every tick.
            Self::All(list) => {
                let mut all = true;
                for watch in list {
                    all &= watch.observe(f, done);
                }
                all
            }
            Self::Any(list) => {
                let mut any = false;
                for watch in list {
                    any |= watch.observe(f, done);
                }
                any
            }
        }
    }
}

/// Narrowings of a vessel itself.
fn lesions<'a>(f: &'a Facts<'_>, vessel: VesselId) -> impl Iterator<Item = &'a LesionView> + 'a {
    f.snap.lesions.iter().filter(move |l| l.place.is_some_and(|p| p.vessel == vessel))
}

/// Largest diameter reduction that is left in a vessel, percent; none without a narrowing or while a balloon is up.
pub(super) fn residual_pct(f: &Facts<'_>, vessel: VesselId) -> Option<f64> {
    if f.snap.balloons.iter().any(|b| b.iodine_mg_per_ml > 0.0) {
        return None;
    }
    lesions(f, vessel).map(|l| l.residual_pct).reduce(f64::max)
}

/// Length of implants at rest in a vessel itself, mm.
pub(super) fn coils_mm(f: &Facts<'_>, vessel: VesselId) -> f64 {
    let at_rest = f.snap.implants.iter().filter(|i| !i.drifts && !i.is_joined);
    at_rest.flat_map(|i| &i.length_mm).filter(|(v, _)| *v == vessel).map(|(_, mm)| mm).sum()
}

/// Share of an organ's tissue without blood, weighted by resting flow, percent; `None` where the organ is not.
pub(super) fn infarct_pct(beds: &[BedView], organ: &str) -> Option<f64> {
    let of_organ = || beds.iter().filter(|b| is_part_of(&b.name, organ));
    let whole: f64 = of_organ().map(|b| b.resting_flow_ml_per_s).sum();
    let lost: f64 = of_organ().map(|b| b.resting_flow_ml_per_s * b.ischemic_share).sum();
    (whole > 0.0).then(|| 100.0 * lost / whole)
}

fn is_tip_in(f: &Facts<'_>, of: &Which, within: VesselId) -> bool {
    open_tips(f, of).any(|p| f.tree.is_within(p.vessel, within))
}

/// Places of the tips that are not inside an outer device.
fn open_tips<'a>(f: &'a Facts<'_>, of: &'a Which) -> impl Iterator<Item = VesselPlace> + 'a {
    f.tools.iter().filter(|t| of.has(t.tool.idx()) && !t.covered).filter_map(|t| t.place)
}

fn is_tip_deep(f: &Facts<'_>, of: &Which, within: VesselId, over_mm: f64) -> bool {
    open_tips(f, of).any(|p| {
        let is_beyond = p.vessel != within && f.tree.is_within(p.vessel, within);
        is_beyond || p.vessel == within && f.tree.depth_mm(p, &f.snap.vessels) > over_mm
    })
}

/// Has the tip left the place that it had when first asked; a device that was taken off has.
fn has_moved(f: &Facts<'_>, of: &Which, over_mm: f64, from: &mut Option<(usize, Vec3)>) -> bool {
    let Some((tool, place_mm)) = *from else {
        let farthest = f.tools.iter().filter(|t| of.has(t.tool.idx()) && !t.covered);
        let farthest = farthest.max_by(|a, b| a.inserted_mm.total_cmp(&b.inserted_mm));
        *from = farthest.map(|t| (t.tool.idx(), t.tip_mm));
        return false;
    };
    let now = f.tools.iter().find(|t| t.tool.idx() == tool);
    now.is_none_or(|t| (t.tip_mm - place_mm).norm() > over_mm)
}

/// Length inserted beyond the way along the vessels from the base of the rod to the tip, mm; the largest of the devices.
fn slack_mm(f: &Facts<'_>, of: &Which, base: &mut Option<VesselPlace>) -> f64 {
    if base.is_none() {
        let node = f.snap.rods.first().and_then(|r| r.nodes_mm.first());
        *base = node.and_then(|p| f.tree.tree.nearest(p)).map(|(place, _)| place);
    }
    let Some(base) = *base else { return 0.0 };
    let tips = f.tools.iter().filter(|t| of.has(t.tool.idx()) && !t.covered);
    let slack = tips.filter_map(|t| Some(t.inserted_mm - f.tree.way_mm(base, t.place?)?));
    slack.fold(0.0, f64::max)
}

fn run_made(f: &Facts<'_>, at: VesselId, min_ml: f64, may: bool, began: &mut Vec<(u32, bool)>) -> bool {
    let mut made = false;
    for e in f.events {
        match &e.kind {
            EventKind::RunStarted(n) => began.push((*n, may)),
            EventKind::RunEnded { run, contrast_ml, at: place } => {
                let i = began.iter().position(|(n, _)| n == run);
                let counted = i.map(|i| began.swap_remove(i).1).unwrap_or(false);
                made |= counted && *contrast_ml >= min_ml && place.is_some_and(|p| fills(f.tree, p, at));
            }
            _ => {}
        }
    }
    made
}

/// Does contrast from a tip at `place` fill `vessel`.
pub(super) fn fills(tree: &TreeFacts, place: VesselPlace, vessel: VesselId) -> bool {
    tree.upstream_mm(place, vessel).is_some_and(|d| (-RUN_PAST_OSTIUM_MM..=RUN_UPSTREAM_MM).contains(&d))
}

/// Share of all lodged particles that lies in beds fed by these vessels or beyond, percent; `None` with none lodged.
pub(super) fn share_in(f: &Facts<'_>, vessels: &[VesselId]) -> Option<f64> {
    let (mut inside, mut all) = (0.0, 0.0);
    for bed in &f.snap.beds {
        let n: f64 = bed.lodged.iter().map(|(_, n)| n).sum();
        all += n;
        if is_fed_by(f.tree, &bed.vessels, vessels) {
            inside += n;
        }
    }
    (all > 0.0).then(|| 100.0 * inside / all)
}

/// Does one of `vessels`, or a vessel beyond, feed a bed with these feeders.
pub(super) fn is_fed_by(tree: &TreeFacts, feeders: &[u32], vessels: &[VesselId]) -> bool {
    feeders.iter().any(|b| vessels.iter().any(|v| tree.is_within(VesselId(*b), *v)))
}

/// Vessels that the case wants treated: of bleeds and stases among its objectives, else of particles, else of tips.
pub(super) fn targets(case: &crate::scenario::Case, tree: &TreeFacts) -> Vec<VesselId> {
    let mut by_rank: [Vec<VesselId>; 3] = Default::default();
    for step in &case.steps {
        gather(&step.done, case, tree, &mut by_rank);
    }
    let mut found = by_rank.into_iter().find(|list| !list.is_empty()).unwrap_or_default();
    found.sort();
    found.dedup();
    found
}

fn gather(c: &Condition, case: &crate::scenario::Case, tree: &TreeFacts, out: &mut [Vec<VesselId>; 3]) {
    let find = |name: &str| tree.tree.find(name);
    match c {
        Condition::BleedBelow { bleed, .. } => out[0].extend(bleed_vessel(case, bleed).and_then(find)),
        Condition::Stasis { vessel, .. }
        | Condition::FlowBelow { vessel, .. }
        | Condition::CoilsIn { vessel, .. }
        | Condition::Residual { vessel, .. }
        | Condition::GradientBelow { vessel, .. }
        | Condition::StentMargin { vessel, .. }
        | Condition::FilterOpen { vessel, .. }
        | Condition::StentAtMouth { vessel, .. } => {
            out[0].extend(find(vessel));
        }
        Condition::Closed { vessels, .. } => out[0].extend(vessels.iter().filter_map(|v| find(v))),
        // An organ is treated through the vessels that end in it.
        Condition::Infarct { organ, .. } => {
            let feeds =
                |b: &crate::anatomy::Branch| b.outlet.as_ref().is_some_and(|o| is_part_of(&o.bed, organ));
            let all = tree.tree.branches.iter().enumerate().filter(|(_, b)| feeds(b));
            out[0].extend(all.map(|(i, _)| VesselId(i as u32)));
        }
        Condition::ParticlesIn { vessel, .. } => out[1].extend(find(vessel)),
        Condition::Tip { within, .. } | Condition::TipDeep { within, .. } => {
            out[2] = find(within).into_iter().collect();
        }
        Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| gather(c, case, tree, out)),
        _ => {}
    }
}

/// The organ of which a step wants a share without blood.
pub(super) fn treated_organ(case: &crate::scenario::Case) -> Option<String> {
    fn of(c: &Condition) -> Option<String> {
        match c {
            Condition::Infarct { organ, .. } => Some(organ.clone()),
            Condition::All(list) | Condition::Any(list) => list.iter().find_map(of),
            _ => None,
        }
    }
    case.steps.iter().find_map(|s| of(&s.done))
}

/// Vessels in which a step wants a tip or a run: the way to them is right, whatever is treated in the end.
pub(super) fn waypoints(case: &crate::scenario::Case, tree: &TreeFacts) -> Vec<VesselId> {
    fn tips(c: &Condition, tree: &TreeFacts, out: &mut Vec<VesselId>) {
        match c {
            Condition::Tip { within, .. }
            | Condition::TipDeep { within, .. }
            | Condition::TipDwell { within, .. }
            | Condition::TipIn { vessel: within, .. }
            | Condition::Run { at: within, .. }
            | Condition::FinalRun { at: within, .. } => out.extend(tree.tree.find(within)),
            Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| tips(c, tree, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    case.steps.iter().for_each(|s| tips(&s.done, tree, &mut out));
    out
}

fn bleed_vessel<'a>(case: &'a crate::scenario::Case, bleed: &str) -> Option<&'a str> {
    case.anatomy.lesions.iter().find_map(|l| match l {
        crate::anatomy::LesionDescription::Bleeding { name, vessel, .. } if name == bleed => {
            Some(vessel.as_str())
        }
        _ => None,
    })
}
