//! Harm to the wall: pressure under a tip, and the spasm, dissection or perforation that follows from it.
//!
//! Thresholds are pressures, not forces (`[D]`, from perforation and puncture forces over tip areas in the literature):
//! dissection from 1.5 N/mm2, perforation from 4.5 N/mm2, half of that in branches under 2 mm diameter. Soft tips buckle
//! before they reach them; a tip supported a few millimeters behind does not.

use serde::{Deserialize, Serialize};

use super::command::ToolId;
use super::event::EventKind;
use super::rod::TIP_MM;
use super::snapshot::{RodDeviceView, RodView};
use crate::anatomy::{VesselPlace, VesselTree};
use crate::device::Device;

/// Pressure that is reported, N/mm2.
pub const REPORT_N_PER_MM2: f64 = 0.7;
/// Pressure that dissects a healthy artery, N/mm2 `[D]`.
pub const DISSECTION_N_PER_MM2: f64 = 1.5;
/// Pressure that perforates a healthy artery, N/mm2 `[D]`.
pub const PERFORATION_N_PER_MM2: f64 = 4.5;
/// A pressure must last this long to harm, s `[D]`.
pub const HARM_TIME_S: f64 = 0.25;
/// A muscular artery goes into spasm when a tip leans on its wall for this long with more than the reported pressure,
/// s `[K]`.
pub const SPASM_TIME_S: f64 = 1.5;
/// Widest artery that does, radius in mm `[K]`.
pub const SPASM_RADIUS_MM: f64 = 3.0;
/// A tip that stands out less than this from the device around it leans on that device's rim, not on the wall, mm.
pub const BARE_TIP_MM: f64 = 2.0;
/// Bleeding from a wire perforation at a mean pressure of 90 mmHg, mL/min `[D]`.
pub const PERFORATION_ML_PER_MIN: f64 = 30.0;

/// How long each tool's tip has pressed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HarmState {
    tips: Vec<TipState>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct TipState {
    above_report_s: f64,
    above_dissection_s: f64,
    above_perforation_s: f64,
    is_reported: bool,
    is_in_spasm: bool,
    is_dissected: bool,
    is_perforated: bool,
}

/// Watches every tip for a tick, but those that bore through an occlusion: what bears them is no wall. Pushes events and returns the places of new perforations.
pub fn advance(
    state: &mut HarmState,
    rods: &[RodView],
    tools: &[Device],
    tree: &VesselTree,
    boring: &[ToolId],
    dt_s: f64,
    events: &mut Vec<EventKind>,
) -> Vec<VesselPlace> {
    state.tips.resize(tools.len(), TipState::default());
    let mut perforations = Vec::new();
    for (device, covered_to_mm) in rods.iter().flat_map(with_cover) {
        let tip = &mut state.tips[device.tool.idx()];
        let is_bare = device.inserted_mm > covered_to_mm + BARE_TIP_MM && !boring.contains(&device.tool);
        let Some(place) = device.tip_place.filter(|_| is_bare) else {
            *tip = TipState::default();
            continue;
        };
        let pressure = tip_pressure_n_per_mm2(&tools[device.tool.idx()], device.is_blunt, device.tip_force_n);
        let weakness = if tree.branch(place.vessel).at(place.arc_mm).radius_mm < 1.0 { 0.5 } else { 1.0 };
        let count = |time: &mut f64, limit: f64| *time = if pressure > limit { *time + dt_s } else { 0.0 };
        count(&mut tip.above_report_s, REPORT_N_PER_MM2 * weakness);
        count(&mut tip.above_dissection_s, DISSECTION_N_PER_MM2 * weakness);
        count(&mut tip.above_perforation_s, PERFORATION_N_PER_MM2 * weakness);
        report(tip, device.tool, device.tip_force_n, pressure, device.tip_mm, events);
        let is_muscular = tree.branch(place.vessel).at(place.arc_mm).radius_mm < SPASM_RADIUS_MM;
        if tip.above_report_s > SPASM_TIME_S && is_muscular && !tip.is_in_spasm {
            tip.is_in_spasm = true;
            events.push(EventKind::Spasm(place));
        }
        if tip.above_dissection_s > HARM_TIME_S && !tip.is_dissected {
            tip.is_dissected = true;
            events.push(EventKind::Dissection(place));
        }
        if tip.above_perforation_s > HARM_TIME_S && !tip.is_perforated {
            tip.is_perforated = true;
            events.push(EventKind::Perforation(place));
            perforations.push(place);
        }
    }
    perforations
}

/// The devices of a rod, each with how far the ones around it reach, mm.
fn with_cover(rod: &RodView) -> impl Iterator<Item = (&RodDeviceView, f64)> {
    let reach = |outer: &[RodDeviceView]| outer.iter().map(|d| d.inserted_mm).fold(-BARE_TIP_MM, f64::max);
    rod.devices.iter().enumerate().map(move |(i, device)| (device, reach(&rod.devices[..i])))
}

fn report(
    tip: &mut TipState,
    tool: ToolId,
    force_n: f64,
    pressure_n_per_mm2: f64,
    at_mm: crate::math::Vec3,
    events: &mut Vec<EventKind>,
) {
    if tip.above_report_s > HARM_TIME_S && !tip.is_reported {
        tip.is_reported = true;
        events.push(EventKind::TipPressure { tool, force_n, pressure_n_per_mm2, at_mm });
    } else if tip.above_report_s <= 0.0 {
        // one event for one push: it re-arms when the tip lets go
        *tip = TipState::default();
    }
}

/// Force over the area of the tip; an open catheter tip presses with its rim, taken as the full disc, a blunt one with its side.
fn tip_pressure_n_per_mm2(device: &Device, is_blunt: bool, force_n: f64) -> f64 {
    let d = device.section_at(0.0).outer_diameter_mm;
    let area_mm2 = if is_blunt { d * TIP_MM } else { std::f64::consts::FRAC_PI_4 * d * d };
    force_n / area_mm2.max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{DeviceKind, Opaque, WireRun, Zone};

    #[test]
    fn a_small_tip_harms_with_a_force_that_a_large_one_bears() {
        let wire = Device {
            id: "w".to_owned(),
            label: String::new(),
            kind: DeviceKind::Wire,
            length_mm: 100.0,
            inner_diameter_mm: None,
            max_outer_diameter_mm: 0.36,
            friction_lumen: 0.1,
            zones: vec![Zone {
                length_mm: 100.0,
                outer_diameter_mm: 0.36,
                bend_stiffness_n_mm2: 1.0,
                torsion_stiffness_n_mm2: 1.0,
                rest_curvature_per_mm: 0.0,
                rest_curvature_2_per_mm: 0.0,
                friction_wall: 0.1,
                radiopacity_steel_ratio: 1.0,
                opaque: Opaque::Steel,
            }],
            side_holes_mm: Vec::new(),
            max_pressure_psi: 0.0,
            implant: None,
            loop_mm: None,
            balloon: None,
            stent: None,
            run: WireRun::default(),
            filter: None,
            source: String::new(),
        };
        assert!(tip_pressure_n_per_mm2(&wire, false, 0.5) > PERFORATION_N_PER_MM2);
        let mut thick = wire.clone();
        thick.zones[0].outer_diameter_mm = 1.67;
        assert!(tip_pressure_n_per_mm2(&thick, false, 0.5) < REPORT_N_PER_MM2);
        assert!((tip_pressure_n_per_mm2(&wire, true, 0.1) - 0.1 / (0.36 * TIP_MM)).abs() < 1e-12);
    }
}
