//! What the outside may see of balloons, stents and the lesions they treat.

use serde::{Deserialize, Serialize};

use super::balloon::{CONE, STEP_MM};
use super::stent::{self, Phase, PlacedStent};
use super::vessel::{Span, arc_of, knot_at};
use super::{BALLOON_CONTRAST, DilationInputs, DilationState, deploy, mount};
use crate::anatomy::{VesselId, VesselPlace};
use crate::math::Vec3;
use crate::sim::command::ToolId;

/// Corners of a ring of struts.
const CORNERS: usize = 8;

/// A balloon that is not folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BalloonView {
    /// Its device.
    pub tool: ToolId,
    /// Place of its middle.
    pub place: Option<VesselPlace>,
    /// Middles of its cross-sections with the tips of its cones, distal first, mm.
    pub points_mm: Vec<Vec3>,
    /// Their radii, mm.
    pub radius_mm: Vec<f64>,
    /// Iodine in it, mg/mL.
    pub iodine_mg_per_ml: f64,
    /// Gauge of the inflator, atm.
    pub gauge_atm: f64,
    /// Pressure in it, atm.
    pub balloon_atm: f64,
    /// Volume, mL.
    pub volume_ml: f64,
    /// It has burst.
    pub is_burst: bool,
}

/// How far a stent has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StentPhase {
    /// Opening on its catheter.
    #[default]
    Opening,
    /// Free of its catheter.
    Placed,
    /// Carried away.
    Adrift,
    /// In the loop of a snare.
    Snared,
}

/// A stent in the patient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StentView {
    /// The device that it came on.
    pub tool: ToolId,
    /// How far it has come.
    pub phase: StentPhase,
    /// Middles of its rings, distal first, mm.
    pub points_mm: Vec<Vec3>,
    /// Their radii, mm.
    pub radius_mm: Vec<f64>,
    /// Struts as straight pieces, mm.
    pub struts_mm: Vec<[Vec3; 2]>,
    /// Thickness of a strut, mm.
    pub strut_mm: f64,
    /// Stretches of vessel that it lies in: branch, from, to, mm.
    pub stretches: Vec<(VesselId, f64, f64)>,
    /// Length along its axis, mm.
    pub length_mm: f64,
    /// Largest distance of a ring from the wall, mm.
    pub gap_mm: f64,
    /// How far it reaches out of the mouth of its vessel into the parent, mm; negative where it begins behind the mouth.
    pub into_parent_mm: Option<f64>,
    /// Branches whose mouth it lies over, and whether it closes them.
    pub jailed: Vec<(VesselId, bool)>,
}

/// A lesion and what has come of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LesionView {
    /// Its middle.
    pub place: Option<VesselPlace>,
    /// Where it begins and ends on its vessel, mm.
    pub stretch_mm: [f64; 2],
    /// Healthy diameter at its throat, mm.
    pub healthy_mm: f64,
    /// Least diameter now, mm.
    pub least_mm: f64,
    /// Diameter reduction that is left, percent.
    pub residual_pct: f64,
    /// A tip must bore its way through it, still.
    pub is_closed: bool,
    /// The way through it runs under the intima.
    pub is_subintimal: bool,
    /// How far stents reach beyond its proximal and distal end, mm; negative where they leave some of it bare; none without.
    pub margins_mm: Option<[f64; 2]>,
}

/// Balloons that are not folded.
pub fn balloons(
    inputs: &DilationInputs<'_>,
    state: &DilationState,
    iodine_mg_per_ml: f64,
) -> Vec<BalloonView> {
    let view = |(tool, inflator): &(ToolId, super::Inflator)| {
        let spec = inputs.ground.tools.get(tool.idx())?.balloon.as_ref()?;
        let (rod, _, device) = crate::sim::wiring::find_tool(inputs.rods, *tool)?;
        let count = inflator.radius_mm.len();
        let tip_mm = device.inserted_mm + device.shed_mm - spec.from_tip_mm;
        let cone = |r: f64| CONE * r;
        let (first, last) = (inflator.radius_mm[0], inflator.radius_mm[count - 1]);
        let mut arcs = vec![tip_mm + cone(first)];
        arcs.extend((0..count).map(|i| tip_mm - STEP_MM * i as f64));
        arcs.push(tip_mm - STEP_MM * (count - 1) as f64 - cone(last));
        let shaft_mm = 0.5 * inputs.ground.tools[tool.idx()].section_at(0.0).outer_diameter_mm;
        let mut radius_mm = vec![shaft_mm];
        radius_mm.extend(&inflator.radius_mm);
        radius_mm.push(shaft_mm);
        Some(BalloonView {
            tool: *tool,
            place: mount::place(&inputs.ground, &mount::point_at(&inputs.rods[rod], arcs[arcs.len() / 2])),
            points_mm: arcs.iter().map(|a| mount::point_at(&inputs.rods[rod], *a)).collect(),
            radius_mm,
            iodine_mg_per_ml: if inflator.is_idle(spec) || inflator.is_burst {
                0.0
            } else {
                BALLOON_CONTRAST * iodine_mg_per_ml
            },
            gauge_atm: inflator.gauge_atm,
            balloon_atm: inflator.balloon_atm,
            volume_ml: inflator.volume_ml,
            is_burst: inflator.is_burst,
        })
    };
    state.inflators.iter().filter_map(view).collect()
}

/// Stents in the patient.
pub fn stents(inputs: &DilationInputs<'_>, state: &DilationState) -> Vec<StentView> {
    let tree = inputs.ground.tree;
    let view = |placed: &PlacedStent| {
        let spec = stent::of(inputs.ground.tools, placed.tool)?;
        let wall_mm = |place: VesselPlace| state.radius_mm(tree, place);
        let mut axis = placed.axis(tree);
        axis.iter_mut().for_each(|a| a.0 += (inputs.ground.shift_mm)(&a.0));
        let mouth_mm = placed.own().and_then(|v| inputs.network.branches.get(v.idx())).map(|b| b.start_mm);
        let radius_mm: Vec<f64> = placed.rings.iter().map(|r| r.radius_mm).collect();
        let jailed = deploy::jailed(placed, spec, tree);
        Some(StentView {
            tool: placed.tool,
            phase: match placed.phase {
                Phase::Opening => StentPhase::Opening,
                Phase::Placed => StentPhase::Placed,
                Phase::Adrift(_) => StentPhase::Adrift,
                Phase::Snared(_) | Phase::Out => StentPhase::Snared,
            },
            struts_mm: struts(&axis, &radius_mm),
            points_mm: axis.iter().map(|a| a.0).collect(),
            radius_mm,
            strut_mm: spec.strut_mm,
            stretches: placed.stretches(),
            length_mm: placed.length_mm(tree),
            gap_mm: placed.gap_mm(&wall_mm),
            into_parent_mm: mouth_mm.and_then(|mm| placed.into_parent_mm(tree, mm)),
            jailed: jailed.into_iter().map(|(b, closed)| (VesselId(b as u32), closed)).collect(),
        })
    };
    state.stents.iter().filter(|s| s.phase != Phase::Out).filter_map(view).collect()
}

/// A lattice of rhombs between rings of corners, every second ring turned by half a corner. The frame is carried from ring to ring, so
/// that it does not jump where branches meet.
fn struts(axis: &[(Vec3, Vec3, Vec3)], radius_mm: &[f64]) -> Vec<[Vec3; 2]> {
    let Some((_, first_tangent, first_normal)) = axis.first() else { return Vec::new() };
    let (mut tangent, mut normal) = (*first_tangent, *first_normal);
    let mut rings: Vec<Vec<Vec3>> = Vec::with_capacity(axis.len());
    for (j, ((middle, along, _), r)) in axis.iter().zip(radius_mm).enumerate() {
        normal = crate::math::parallel_transport(&normal, &tangent, along);
        tangent = *along;
        let side = tangent.cross(&normal);
        let corner = |k: usize| {
            let turn = std::f64::consts::TAU * (k as f64 + 0.5 * (j % 2) as f64) / CORNERS as f64;
            middle + (normal * turn.cos() + side * turn.sin()) * *r
        };
        rings.push((0..CORNERS).map(corner).collect());
    }
    let mut out = Vec::with_capacity(2 * CORNERS * axis.len());
    for (j, pair) in rings.windows(2).enumerate() {
        for k in 0..CORNERS {
            // An even ring's corner lies between corners k - 1 and k of the odd ring beside it.
            let other = if j % 2 == 0 { (k + CORNERS - 1) % CORNERS } else { (k + 1) % CORNERS };
            out.push([pair[0][k], pair[1][k]]);
            out.push([pair[0][k], pair[1][other]]);
        }
    }
    out
}

/// Lesions of the case.
pub fn lesions(inputs: &DilationInputs<'_>, state: &DilationState) -> Vec<LesionView> {
    let tree = inputs.ground.tree;
    let view = |(i, span): (usize, &Span)| {
        let passage = state.passages.iter().find(|p| p.span == i);
        let radii = |k: u32| {
            let place = VesselPlace { vessel: span.vessel, arc_mm: arc_of(k) };
            let healthy = inputs.model.vessels.healthy.branch(span.vessel).at(place.arc_mm).radius_mm;
            (state.radius_mm(tree, place), healthy)
        };
        let knots = knot_at(span.from_mm)..=knot_at(span.to_mm);
        let narrowest = knots.map(radii).min_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (least, healthy) = narrowest.unwrap_or((1.0, 1.0));
        LesionView {
            place: Some(VesselPlace { vessel: span.vessel, arc_mm: 0.5 * (span.from_mm + span.to_mm) }),
            stretch_mm: [span.from_mm, span.to_mm],
            healthy_mm: 2.0 * healthy,
            least_mm: 2.0 * least,
            residual_pct: 100.0 * (1.0 - least / healthy).max(0.0),
            is_closed: passage.is_some_and(|p| !p.plug.is_passed()),
            is_subintimal: passage.is_some_and(|p| p.is_subintimal),
            margins_mm: margins_mm(span, state),
        }
    };
    inputs.model.vessels.spans.iter().enumerate().map(view).collect()
}

/// How far the stents over a lesion reach beyond its ends.
fn margins_mm(span: &Span, state: &DilationState) -> Option<[f64; 2]> {
    let placed = state.stents.iter().filter(|s| s.phase == Phase::Placed);
    let own = placed
        .flat_map(PlacedStent::stretches)
        .filter(|(v, from, to)| *v == span.vessel && *to > span.from_mm && *from < span.to_mm);
    own.fold(None, |sum: Option<[f64; 2]>, (_, from, to)| {
        let [proximal, distal] = [span.from_mm - from, to - span.to_mm];
        let [a, b] = sum.unwrap_or([proximal, distal]);
        Some([a.max(proximal), b.max(distal)])
    })
}
