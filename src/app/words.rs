//! Events as lines of the log.

use super::texts::{Text, fill, t};
use super::view::{LogKind, LogLine, View};
use crate::anatomy::VesselPlace;
use crate::sim::exposure::account::IrradiationKind;
use crate::sim::{Event, EventKind};
use crate::units::TICKS_PER_S;
use crate::xray::dose::{ALERTS, DoseQuantity};

/// The line of an event; `None` if it is not worth one.
pub fn log_line(event: &Event, view: &View) -> Option<LogLine> {
    let (kind, text) = words(&event.kind, view)?;
    Some(LogLine { time_s: event.tick as f64 / TICKS_PER_S as f64, text, kind })
}

fn dose_alert(quantity: DoseQuantity, level: f64, substantial: bool) -> (LogKind, String) {
    let name = t(match quantity {
        DoseQuantity::PeakSkinDose => Text::PeakSkin,
        DoseQuantity::AirKerma => Text::AirKerma,
        DoseQuantity::KermaArea => Text::KermaArea,
        DoseQuantity::FluoroTime => Text::FluoroTime,
    });
    let unit = ALERTS.iter().find(|a| a.quantity == quantity).map_or("", |a| a.unit);
    let level = format!("{level:.0} {unit}");
    if substantial {
        (LogKind::Alarm, fill(Text::LogSubstantial, &[name, &level]))
    } else {
        (LogKind::Warning, fill(Text::LogDoseAlert, &[name, &level]))
    }
}

fn place(view: &View, place: &VesselPlace) -> String {
    fill(Text::LogPlace, &[view.vessel_label(place.vessel), &format!("{:.0}", place.arc_mm)])
}

fn words(kind: &EventKind, view: &View) -> Option<(LogKind, String)> {
    use LogKind::{Alarm, Plain, Said, Warning};
    let tool = |id: &crate::sim::ToolId| view.tool_label(*id);
    Some(match kind {
        EventKind::Loaded(id) => (Plain, fill(Text::LogEntered, &[&tool(id)])),
        EventKind::Unloaded(id) => (Plain, fill(Text::LogTakenOff, &[&tool(id)])),
        EventKind::Refused { reason, .. } => (Warning, fill(Text::LogRefused, &[reason])),
        EventKind::RunStarted(run) => (Plain, fill(Text::LogRun, &[&run.to_string()])),
        EventKind::RunEnded { run, contrast_ml, at } => {
            let at = at.as_ref().map_or_else(String::new, |p| format!(", {}", place(view, p)));
            let ended = fill(Text::LogRunEnded, &[&run.to_string(), &format!("{contrast_ml:.1}")]);
            (Plain, ended + &at)
        }
        EventKind::InjectionStarted { tool: id, fluid, .. } => {
            (Plain, fill(Text::LogInjection, &[fluid, &tool(id)]))
        }
        EventKind::InjectionEnded { volume_ml, .. } => {
            (Plain, fill(Text::LogInjected, &[&format!("{volume_ml:.1}")]))
        }
        EventKind::PressureLimited(id) => (Warning, fill(Text::LogPressureLimited, &[&tool(id)])),
        EventKind::WedgedInjection(id) => (Warning, fill(Text::LogWedged, &[&tool(id)])),
        EventKind::AirInjected { volume_ml, .. } => {
            (Alarm, fill(Text::LogAir, &[&format!("{volume_ml:.2}")]))
        }
        EventKind::Reflux { into, embolic: true } => {
            (Alarm, fill(Text::LogRefluxEmbolic, &[&place(view, into)]))
        }
        EventKind::Reflux { into, embolic: false } => {
            (Plain, fill(Text::LogRefluxContrast, &[&place(view, into)]))
        }
        EventKind::Spasm(at) => (Warning, fill(Text::LogSpasm, &[&place(view, at)])),
        EventKind::Dissection(at) | EventKind::Tear(at) => {
            (Alarm, fill(Text::LogDissection, &[&place(view, at)]))
        }
        EventKind::Perforation(at) => (Alarm, fill(Text::LogPerforation, &[&place(view, at)])),
        EventKind::TipPressure { tool: id, force_n, .. } => {
            (Warning, fill(Text::LogTipPressure, &[&tool(id), &format!("{force_n:.2}")]))
        }
        EventKind::Said(text) => (Said, text.clone()),
        EventKind::Given { drug, dose } => (Plain, fill(Text::LogGiven, &[drug, &dose.to_string()])),
        EventKind::HintAsked => (Plain, t(Text::LogHint).to_owned()),
        EventKind::Diverged { rod, reason } => {
            (Warning, fill(Text::LogDiverged, &[&(u32::from(*rod) + 1).to_string(), reason]))
        }
        EventKind::Irradiated(e) => {
            let what = match e.kind {
                IrradiationKind::Fluoro => t(Text::Fluoro),
                IrradiationKind::Dsa => t(Text::Dsa),
                IrradiationKind::Cine => t(Text::Cine),
            };
            let [kerma, kap] = [format!("{:.2}", e.air_kerma_mgy), format!("{:.3}", e.kap_gy_cm2)];
            (Plain, fill(Text::LogIrradiated, &[what, &kerma, &kap]))
        }
        EventKind::FluoroStored { number, first, last } => {
            (Plain, fill(Text::LogStored, &[&number.to_string(), &(last - first + 1).to_string()]))
        }
        EventKind::ReferenceStored(slot) => {
            (Plain, fill(Text::LogReferenceStored, &[if *slot == 0 { "A" } else { "B" }]))
        }
        EventKind::DoseAlert { quantity, level, substantial, .. } => {
            dose_alert(*quantity, *level, *substantial)
        }
        EventKind::BeamTimer { minutes } => (Warning, fill(Text::LogTimer, &[&format!("{minutes:.0}")])),
        EventKind::Finished => (Plain, t(Text::LogFinished).to_owned()),
        _ => return None,
    })
}
