//! What balloons and stents do to the blood: contrast of burst balloons, what balloons fill, leaks that they close.

use super::balloon::STEP_MM;
use super::vessel::knot_at;
use super::{BALLOON_CONTRAST, DilationInputs, DilationState, mount, stent};
use crate::anatomy::{VesselPlace, VesselTree};
use crate::device::Device;
use crate::sim::flow::{Obstruction, Source};

/// Flow of contrast out of a burst balloon, as a share of its volume per second `[K]`.
const SPILL_PER_S: f64 = 4.0;

/// Contrast out of burst balloons.
pub fn spills(state: &mut DilationState, iodine_mg_per_ml: f64, dt_s: f64, sources: &mut Vec<Source>) {
    for (place, left_ml) in &mut state.spills {
        let ml = (*left_ml * SPILL_PER_S * dt_s).max(0.002).min(*left_ml);
        *left_ml -= ml;
        sources.push(Source {
            place: *place,
            flow_ml_per_s: ml / dt_s,
            iodine_mg_per_ml: BALLOON_CONTRAST * iodine_mg_per_ml,
            particles: None,
            gas_share: 0.0,
        });
    }
    state.spills.retain(|(_, left)| *left > 1e-6);
}

/// What balloons fill of the vessels; their numbers as bodies count from `body` on.
pub fn obstructions(
    inputs: &DilationInputs<'_>,
    state: &DilationState,
    body: u32,
    out: &mut Vec<Obstruction>,
) {
    for ((tool, inflator), body) in state.inflators.iter().zip(body..) {
        let Some(spec) = inputs.ground.tools.get(tool.idx()).and_then(|d| d.balloon.as_ref()) else {
            continue;
        };
        let Some((rod, index, _)) = crate::sim::wiring::find_tool(inputs.rods, *tool) else { continue };
        if inflator.is_idle(spec) {
            continue;
        }
        let count = inflator.radius_mm.len();
        let sites = mount::sites(&inputs.ground, inputs.rods, (rod, index), spec.from_tip_mm, count, STEP_MM);
        for (pair, radii) in sites.windows(2).zip(inflator.radius_mm.windows(2)) {
            if let [Some(a), Some(b)] = [pair[0].place, pair[1].place]
                && a.vessel == b.vessel
            {
                out.push(Obstruction {
                    vessel: a.vessel,
                    from_mm: a.arc_mm.min(b.arc_mm),
                    to_mm: a.arc_mm.max(b.arc_mm),
                    outer_diameter_mm: radii[0] + radii[1],
                    body,
                });
            }
        }
    }
}

/// Share of each leak that balloons and covered stents leave open, times what is open already.
pub fn leak_open(
    state: &DilationState,
    tools: &[Device],
    tree: &VesselTree,
    leaks: &[VesselPlace],
    open: &mut Vec<f64>,
) {
    open.resize(leaks.len(), 1.0);
    for (place, open) in leaks.iter().zip(open) {
        let covered = state.stents.iter().any(|s| {
            let is_tight = stent::of(tools, s.tool).is_some_and(|spec| spec.covered);
            let over =
                |(v, a, b): &(_, f64, f64)| *v == place.vessel && *a <= place.arc_mm && place.arc_mm <= *b;
            is_tight && s.phase == stent::Phase::Placed && s.stretches().iter().any(over) && {
                let near = s.rings.iter().filter(|r| r.place.vessel == place.vessel);
                let ring = near.min_by(|x, y| {
                    let far = |r: &stent::Ring| (r.place.arc_mm - place.arc_mm).abs();
                    far(x).total_cmp(&far(y))
                });
                ring.is_some_and(|r| state.radius_mm(tree, r.place) - r.radius_mm < stent::APPOSED_MM)
            }
        });
        let is_pressed = state.presses.iter().any(|p| {
            let stands = p.radius_mm > state.radius_mm(tree, *place) - stent::APPOSED_MM;
            p.vessel == place.vessel && p.knot == knot_at(place.arc_mm) && stands
        });
        if covered || is_pressed {
            *open = 0.0;
        }
    }
}
