//! Events as lines of the log.

use super::view::{LogKind, LogLine, View};
use crate::anatomy::VesselPlace;
use crate::sim::{Event, EventKind};
use crate::units::TICKS_PER_S;

/// The line of an event; `None` if it is not worth one.
pub fn log_line(event: &Event, view: &View) -> Option<LogLine> {
    let (kind, text) = words(&event.kind, view)?;
    Some(LogLine { time_s: event.tick as f64 / TICKS_PER_S as f64, text, kind })
}

fn place(view: &View, place: &VesselPlace) -> String {
    format!("{} at {:.0} mm", view.vessel_label(place.vessel), place.arc_mm)
}

fn words(kind: &EventKind, view: &View) -> Option<(LogKind, String)> {
    use LogKind::{Alarm, Plain, Said, Warning};
    Some(match kind {
        EventKind::Loaded(tool) => (Plain, format!("{} entered", view.tool_label(*tool))),
        EventKind::Unloaded(tool) => (Plain, format!("{} taken off", view.tool_label(*tool))),
        EventKind::Refused { reason, .. } => (Warning, format!("Refused: {reason}")),
        EventKind::RunStarted(run) => (Plain, format!("Run {run}")),
        EventKind::RunEnded { run, contrast_ml, at } => {
            let at = at.as_ref().map_or_else(String::new, |p| format!(", {}", place(view, p)));
            (Plain, format!("Run {run} ended: {contrast_ml:.1} mL of contrast{at}"))
        }
        EventKind::InjectionStarted { tool, fluid, .. } => {
            (Plain, format!("{fluid} through {}", view.tool_label(*tool)))
        }
        EventKind::InjectionEnded { volume_ml, .. } => (Plain, format!("{volume_ml:.1} mL given")),
        EventKind::PressureLimited(tool) => {
            (Warning, format!("{}: the pressure limit holds the injector back", view.tool_label(*tool)))
        }
        EventKind::WedgedInjection(tool) => {
            (Warning, format!("{}: injection while the tip fills its vessel", view.tool_label(*tool)))
        }
        EventKind::AirInjected { volume_ml, .. } => (Alarm, format!("Air went in: {volume_ml:.2} mL")),
        EventKind::Reflux { into, embolic } => {
            let what = if *embolic { "Embolic" } else { "Contrast" };
            (if *embolic { Alarm } else { Plain }, format!("{what} flowed back into {}", place(view, into)))
        }
        EventKind::Spasm(at) => (Warning, format!("Spasm: {}", place(view, at))),
        EventKind::Dissection(at) => (Alarm, format!("Dissection: {}", place(view, at))),
        EventKind::Perforation(at) => (Alarm, format!("Perforation: {}", place(view, at))),
        EventKind::TipPressure { tool, force_n, .. } => {
            (Warning, format!("{}: the tip presses the wall with {force_n:.2} N", view.tool_label(*tool)))
        }
        EventKind::Said(text) => (Said, text.clone()),
        EventKind::Given { drug, dose } => (Plain, format!("{drug} {dose}")),
        EventKind::HintAsked => (Plain, "A hint was asked for".to_owned()),
        EventKind::Diverged { rod, reason } => {
            (Warning, format!("Solver, access {}: {reason}; the last good state holds", rod + 1))
        }
        EventKind::Finished => (Plain, "The procedure is finished".to_owned()),
        _ => return None,
    })
}
