//! Whether an implant holds where it lies.

use super::{ImplantInputs, Placed, Stretch};
use crate::anatomy::VesselPlace;

/// What a clotted implant sticks with to the wall, N per mm of its length `[K]`.
const ADHESION_N_PER_MM: f64 = 0.01;
/// Share of an implant that must lie where it fills the vessel, for it to be braced `[D]`.
const BRACED_SHARE: f64 = 0.5;
/// How long the blood must pull before it moves, s.
pub(super) const PATIENCE_S: f64 = 0.5;
/// Wall force of an implant that was washed into a vessel as narrow as it, N `[K]`.
pub(super) const WEDGED_N: f64 = 5.0;
/// N/mm2 of 1 mmHg.
const N_PER_MM2: f64 = 133.322e-6;
/// How far before and behind it the pressures are taken, mm.
const BESIDE_MM: f64 = 2.0;

/// Pull of the blood: the drop of mean pressure over the stretches of an implant times their lumen, by its share of the solid,
/// the largest over its vessels, N.
pub(super) fn drag_n(index: usize, stretches: &[Stretch], inputs: &ImplantInputs<'_>) -> f64 {
    let own = |s: &&Stretch| s.shares.iter().any(|(i, _)| *i as usize == index);
    let mut most: f64 = 0.0;
    let mut from = 0;
    while from < stretches.len() {
        let vessel = stretches[from].vessel;
        let to = from + stretches[from..].iter().take_while(|s| s.vessel == vessel).count();
        let of_vessel = &stretches[from..to];
        from = to;
        let mine: Vec<&Stretch> = of_vessel.iter().filter(own).collect();
        let (Some(first), Some(last)) = (mine.first(), mine.last()) else { continue };
        let share = |s: &&Stretch| s.shares.iter().find(|(i, _)| *i as usize == index).map_or(0.0, |x| x.1);
        let mean = mine.iter().map(share).sum::<f64>() / mine.len() as f64;
        let branch = inputs.tree.branch(vessel);
        let before = VesselPlace { vessel, arc_mm: (first.from_mm - BESIDE_MM).max(0.0) };
        let behind = VesselPlace { vessel, arc_mm: (last.to_mm + BESIDE_MM).min(branch.length_mm()) };
        let drop_mmhg = inputs.flow.mean_gradient_mmhg(inputs.network, before, behind).abs();
        let radius_mm = branch.at(0.5 * (first.from_mm + last.to_mm)).radius_mm;
        let area = std::f64::consts::PI * radius_mm * radius_mm;
        most = most.max(mean * drop_mmhg * N_PER_MM2 * area);
    }
    most
}

/// What it can bear: friction by the force with which it presses on the wall, and what its clot sticks with, N. Where most of it
/// lies in vessels that are wider than its loops at rest it only lies in the blood: nothing braces it.
pub(super) fn hold_n(
    index: usize,
    placed: &Placed,
    stretches: &[Stretch],
    inputs: &ImplantInputs<'_>,
) -> f64 {
    let tools = inputs.tools;
    let (mut braced, mut all) = (0.0, 0.0);
    for s in stretches {
        let Some((_, share)) = s.shares.iter().find(|(i, _)| *i as usize == index) else { continue };
        let radius_mm = inputs.tree.branch(s.vessel).at(0.5 * (s.from_mm + s.to_mm)).radius_mm;
        let volume = s.solid * radius_mm * radius_mm * share;
        all += volume;
        if placed.spec(tools).is_some_and(|i| i.diameter_mm >= 2.0 * radius_mm) {
            braced += volume;
        }
    }
    if braced < BRACED_SHARE * all {
        return 0.0;
    }
    let friction = tools.get(placed.tool.idx()).map_or(0.1, |d| d.section_at(0.0).friction_wall);
    let length_mm: f64 = placed.length_mm.iter().map(|l| l.1).sum();
    friction * placed.wall_force_n + ADHESION_N_PER_MM * placed.clot * length_mm
}
