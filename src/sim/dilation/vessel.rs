//! Vessels that were opened: where their walls now stand, knot by knot, and what has torn.

use serde::{Deserialize, Serialize};

use super::occlusion::Passage;
use super::stent::Support;
use super::tissue::{Tissue, yield_n_per_mm2};
use crate::anatomy::{LesionDescription, VesselId, VesselPlace, VesselTree};
use crate::math::rng::{ChaCha8Rng, normal};
use crate::sim::contact::{RADIAL_KNOT_MM, WideBranch, Widening};
use crate::sim::flow::{LumenCause, LumenChange, Network};

/// Time constant with which a wall that nothing holds comes back, s `[K]`.
const RECOIL_S: f64 = 0.4;
/// A wall this near to its rest is there, mm.
const SETTLED_MM: f64 = 1e-5;
/// Strain of the wall at which the intima tears: mean and deviation `[K]`, and the share that full calcium takes off. A balloon of
/// the healthy size tears one lesion in six, one of 1.2 times it nearly all.
const TEAR_STRAIN: (f64, f64) = (0.22, 0.06);
const TEAR_BY_CALCIUM: f64 = 0.3;
/// Hoop stress at which the wall bursts: mean and deviation, N/mm2 `[D]` (tensile strength of arteries 1 to 2), and the share that
/// full calcium takes off `[K]`.
const STRENGTH_N_PER_MM2: (f64, f64) = (1.5, 0.35);
const WEAK_BY_CALCIUM: f64 = 0.5;
/// Radius factor of the flap of a tear `[K]`.
const FLAP: f64 = 0.7;
/// A radius this much over the healthy one counts as wider for the flow.
const SAME: f64 = 0.01;

/// A stretch of vessel with a lesion.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Vessel.
    pub vessel: VesselId,
    /// From, mm.
    pub from_mm: f64,
    /// To, mm.
    pub to_mm: f64,
    /// Share of the circumference with calcium.
    pub calcium: f64,
    /// Clot, not plaque.
    pub is_clot: bool,
    /// Closed: a tip must bore its way.
    pub is_occlusion: bool,
    /// How loose its plaque is, 0 to 1.
    pub debris: f64,
    /// Yield stress, N/mm2.
    pub yield_n_per_mm2: f64,
    /// Its number among the stenoses of the network.
    pub stenosis: Option<usize>,
}

/// What does not change: healthy radii and lesions.
#[derive(Clone, Debug)]
pub struct VesselModel {
    /// The tree without narrowings.
    pub healthy: VesselTree,
    /// Its narrowings.
    pub spans: Vec<Span>,
}

impl VesselModel {
    /// Healthy tree, lesions and the network that was compiled from them.
    pub fn compile(
        tree: &VesselTree,
        healthy: VesselTree,
        lesions: &[LesionDescription],
        net: &Network,
    ) -> Self {
        let span = |lesion: &LesionDescription| {
            let place = lesion.on(tree)?;
            lesion.open_share(1.0).filter(|_| lesion.length_mm() > 0.0)?;
            let half = 0.5 * lesion.length_mm();
            let is_clot = matches!(lesion, LesionDescription::Thrombus { .. });
            let is_same = |i: &usize| {
                net.stenosis_stretch(*i).is_some_and(|(vessel, from_mm, to_mm)| {
                    vessel == place.vessel && (0.5 * (from_mm + to_mm) - place.arc_mm).abs() < 1e-6
                })
            };
            Some(Span {
                vessel: place.vessel,
                from_mm: place.arc_mm - half,
                to_mm: place.arc_mm + half,
                calcium: lesion.calcium(),
                is_clot,
                debris: lesion.debris(),
                is_occlusion: matches!(lesion, LesionDescription::Occlusion { .. }),
                yield_n_per_mm2: yield_n_per_mm2(lesion.calcium(), is_clot),
                stenosis: (0..net.stenoses()).find(is_same),
            })
        };
        Self { healthy, spans: lesions.iter().filter_map(span).collect() }
    }

    /// The occlusions among the lesions, as they were found.
    pub fn passages(&self) -> Vec<Passage> {
        let closed = self.spans.iter().enumerate().filter(|(_, s)| s.is_occlusion);
        closed.map(|(i, s)| Passage::new(i, s)).collect()
    }

    /// The lesion at a place.
    pub fn span_at(&self, vessel: VesselId, arc_mm: f64) -> Option<&Span> {
        self.spans.iter().find(|s| s.vessel == vessel && arc_mm >= s.from_mm && arc_mm <= s.to_mm)
    }

    /// The tissue of a cross-section of a tree as built.
    pub fn tissue(&self, tree: &VesselTree, vessel: VesselId, arc_mm: f64) -> Tissue {
        let branch = tree.branch(vessel);
        let built_mm = branch.at(arc_mm).radius_mm;
        let healthy_mm = self.healthy.branch(vessel).at(arc_mm).radius_mm.max(built_mm);
        let span = self.span_at(vessel, arc_mm);
        let calcium = span.map_or(0.0, |s| s.calcium);
        Tissue {
            built_mm,
            healthy_mm,
            thickness_mm: branch.wall_thickness_mm,
            ep_n_per_mm2: branch.wall_ep_n_per_mm2.max(0.02),
            yield_n_per_mm2: span.map_or(0.0, |s| s.yield_n_per_mm2),
            calcium,
        }
    }
}

/// A cross-section that was touched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knot {
    /// Radius at which its plaque lies unloaded, mm.
    pub set_mm: f64,
    /// Radius of its lumen now, mm.
    pub radius_mm: f64,
}

/// The touched stretch of a branch, knots 1 mm apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Branch.
    pub vessel: VesselId,
    /// Arc length of the first knot in knots.
    pub first: u32,
    /// Knots.
    pub knots: Vec<Knot>,
    /// How much stronger than the mean its intima and its wall are, in deviations.
    pub strength: (f64, f64),
    /// Stretch that has torn, in knots.
    pub torn: Option<(u32, u32)>,
    /// It has burst.
    pub is_ruptured: bool,
}

/// What a balloon does to a cross-section in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Press {
    /// Branch.
    pub vessel: VesselId,
    /// Knot.
    pub knot: u32,
    /// Radius of the balloon, mm.
    pub radius_mm: f64,
}

/// What came of a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Harm {
    /// Tears of the intima as they now are.
    pub flaps: Vec<LumenChange>,
    /// Where one began.
    pub torn: Vec<VesselPlace>,
    /// Walls that burst.
    pub ruptures: Vec<VesselPlace>,
    /// Plaque that gave way times how loose it is, mm3.
    pub loose_mm3: f64,
}

impl Segment {
    fn new(vessel: VesselId, knot: u32, rng: &mut ChaCha8Rng) -> Self {
        let strength = (normal(rng), normal(rng));
        Self { vessel, first: knot, knots: Vec::new(), strength, torn: None, is_ruptured: false }
    }

    /// The knot at a number.
    pub fn knot(&self, knot: u32) -> Option<&Knot> {
        self.knots.get(knot.checked_sub(self.first)? as usize)
    }

    /// Makes it reach from a knot to another, new knots as built.
    fn reach(&mut self, from: u32, to: u32, built_mm: &dyn Fn(u32) -> f64) {
        let fresh = |k: u32| Knot { set_mm: built_mm(k), radius_mm: built_mm(k) };
        if self.knots.is_empty() {
            self.first = from;
        }
        if from < self.first {
            self.knots.splice(0..0, (from..self.first).map(fresh));
            self.first = from;
        }
        let end = self.first + self.knots.len() as u32;
        self.knots.extend((end..=to.max(from)).map(fresh));
    }
}

/// Knot nearest to an arc length.
pub fn knot_at(arc_mm: f64) -> u32 {
    (arc_mm / RADIAL_KNOT_MM).round().max(0.0) as u32
}

/// Arc length of a knot, mm.
pub fn arc_of(knot: u32) -> f64 {
    f64::from(knot) * RADIAL_KNOT_MM
}

/// Makes the segment of a branch reach over some knots and one beyond at both ends.
pub fn cover<'a>(
    segments: &'a mut Vec<Segment>,
    rng: &mut ChaCha8Rng,
    tree: &VesselTree,
    vessel: VesselId,
    (from, to): (u32, u32),
) -> &'a mut Segment {
    let at = match segments.iter().position(|s| s.vessel == vessel) {
        Some(at) => at,
        None => {
            let at = segments.partition_point(|s| s.vessel < vessel);
            segments.insert(at, Segment::new(vessel, from, rng));
            at
        }
    };
    let branch = tree.branch(vessel);
    let last = knot_at(branch.length_mm().floor());
    let built = |k: u32| branch.at(arc_of(k)).radius_mm;
    segments[at].reach(from.saturating_sub(1), (to + 1).min(last.max(from)), &built);
    &mut segments[at]
}

/// Moves all walls by a tick: pressed ones stand where the balloon does, the others go to where tissue and stents balance.
pub fn advance(
    model: &VesselModel,
    tree: &VesselTree,
    segments: &mut [Segment],
    presses: &[Press],
    supports: &[Support],
    dt_s: f64,
) -> (Harm, bool) {
    let mut harm = Harm::default();
    let mut is_moving = false;
    let follow = -(-dt_s / RECOIL_S).exp_m1();
    for segment in segments.iter_mut() {
        let (vessel, first) = (segment.vessel, segment.first);
        let mut strained: Vec<(u32, f64)> = Vec::new();
        for (i, knot) in segment.knots.iter_mut().enumerate() {
            let number = first + i as u32;
            let tissue = model.tissue(tree, vessel, arc_of(number));
            let own = |p: &&Press| p.vessel == vessel && p.knot == number;
            let pressed = presses.iter().filter(own).map(|p| p.radius_mm).fold(0.0, f64::max);
            let unloaded_mm = tissue.unloaded_mm(knot.set_mm);
            let before = *knot;
            let here = supports.iter().filter(|s| s.vessel == vessel && s.knot == number);
            let rest = super::stent::balance(&tissue, knot.set_mm, unloaded_mm, knot.radius_mm, here);
            if pressed > rest {
                knot.radius_mm = pressed;
                knot.set_mm = tissue.crept_mm(pressed, knot.set_mm, dt_s);
                let way = knot.set_mm - before.set_mm;
                let debris = model.span_at(vessel, arc_of(number)).map_or(0.0, |s| s.debris);
                harm.loose_mm3 += debris * std::f64::consts::TAU * knot.set_mm * way * RADIAL_KNOT_MM;
                strained.push((number, tissue.wall_strain(pressed)));
                let weak = 1.0 - WEAK_BY_CALCIUM * tissue.calcium;
                let strength = STRENGTH_N_PER_MM2.0 * weak + STRENGTH_N_PER_MM2.1 * segment.strength.1;
                if !segment.is_ruptured && tissue.wall_stress_n_per_mm2(pressed) > strength.max(0.2) {
                    segment.is_ruptured = true;
                    harm.ruptures.push(VesselPlace { vessel, arc_mm: arc_of(number) });
                }
            } else {
                let way = rest - knot.radius_mm;
                knot.radius_mm = if way.abs() < SETTLED_MM { rest } else { knot.radius_mm + follow * way };
            }
            is_moving |= *knot != before;
        }
        tear(model, segment, &strained, &mut harm);
    }
    (harm, is_moving)
}

/// Where the wall is strained beyond what its intima bears, it tears; a tear may grow.
fn tear(model: &VesselModel, segment: &mut Segment, strained: &[(u32, f64)], harm: &mut Harm) {
    let calcium = |k: u32| model.span_at(segment.vessel, arc_of(k)).map_or(0.0, |s| s.calcium);
    let bears =
        |k: u32| (TEAR_STRAIN.0 + TEAR_STRAIN.1 * segment.strength.0) * (1.0 - TEAR_BY_CALCIUM * calcium(k));
    let torn: Vec<u32> = strained.iter().filter(|(k, e)| *e > bears(*k).max(0.03)).map(|x| x.0).collect();
    let (Some(from), Some(to)) = (torn.iter().min(), torn.iter().max()) else { return };
    let is_known = |(a, b): (u32, u32)| a <= *from + 2 && b + 2 >= *to;
    if segment.torn.is_some_and(is_known) {
        return;
    }
    if segment.torn.is_none() {
        let middle = 0.5 * (arc_of(*from) + arc_of(*to));
        harm.torn.push(VesselPlace { vessel: segment.vessel, arc_mm: middle });
    }
    segment.torn = Some(segment.torn.map_or((*from, *to), |(a, b)| (a.min(*from), b.max(*to))));
    let (from, to) = segment.torn.unwrap_or((*from, *to));
    harm.flaps.push(LumenChange {
        cause: LumenCause::Dissection,
        vessel: segment.vessel,
        from_mm: arc_of(from),
        to_mm: arc_of(to).max(arc_of(from) + RADIAL_KNOT_MM),
        radius_factor: FLAP,
    });
}

/// The field of all segments: how far each wall stands outside the built one.
pub fn widening(tree: &VesselTree, segments: &[Segment]) -> Widening {
    let wide = |s: &Segment| {
        let branch = tree.branch(s.vessel);
        let built = |i: usize| branch.at(arc_of(s.first + i as u32)).radius_mm;
        let wider_mm = s.knots.iter().enumerate().map(|(i, k)| (k.radius_mm - built(i)).max(0.0)).collect();
        WideBranch { vessel: s.vessel, first: s.first, wider_mm }
    };
    Widening { branches: segments.iter().map(wide).collect() }
}

/// What the flow sees of them: stretches wider than the healthy lumen, and the throat of each stenosis that was opened.
pub fn lumen(
    model: &VesselModel,
    tree: &VesselTree,
    segments: &[Segment],
    changes: &mut Vec<LumenChange>,
    stenosis_open: &mut [f64],
) {
    changes.clear();
    for s in segments {
        let healthy = model.healthy.branch(s.vessel);
        let mut run: Option<LumenChange> = None;
        for (i, knot) in s.knots.iter().enumerate() {
            let arc_mm = arc_of(s.first + i as u32);
            // In steps, so that neighbors join and a lumen at rest stays the same to the bit.
            let factor = (knot.radius_mm / healthy.at(arc_mm).radius_mm / SAME).round() * SAME;
            let (from_mm, to_mm) = (arc_mm - 0.5 * RADIAL_KNOT_MM, arc_mm + 0.5 * RADIAL_KNOT_MM);
            match &mut run {
                Some(r) if r.radius_factor == factor => r.to_mm = to_mm,
                _ => {
                    changes.extend(run.take().filter(|r| r.radius_factor > 1.0));
                    run = Some(LumenChange {
                        cause: LumenCause::Dilation,
                        vessel: s.vessel,
                        from_mm: from_mm.max(0.0),
                        to_mm,
                        radius_factor: factor,
                    });
                }
            }
        }
        changes.extend(run.filter(|r| r.radius_factor > 1.0));
    }
    for span in &model.spans {
        let (Some(index), Some(s)) = (span.stenosis, segments.iter().find(|s| s.vessel == span.vessel))
        else {
            continue;
        };
        if let Some(open) = stenosis_open.get_mut(index) {
            *open = throat(model, tree, span, s).unwrap_or(*open);
        }
    }
}

/// Least share of the healthy diameter in a lesion; none while its walls stand as built.
fn throat(model: &VesselModel, tree: &VesselTree, span: &Span, segment: &Segment) -> Option<f64> {
    let (from, to) = (knot_at(span.from_mm), knot_at(span.to_mm));
    let built = tree.branch(span.vessel);
    let healthy = model.healthy.branch(span.vessel);
    let (mut least, mut has_moved) = (1.0_f64, false);
    for k in from..=to {
        let built_mm = built.at(arc_of(k)).radius_mm;
        let radius_mm = segment.knot(k).map_or(built_mm, |knot| knot.radius_mm);
        has_moved |= radius_mm > built_mm + 1e-3;
        least = least.min(radius_mm / healthy.at(arc_of(k)).radius_mm);
    }
    has_moved.then_some(least)
}
