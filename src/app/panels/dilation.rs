//! Treatment with balloons and stents: inflator, sheath, what has come of the lesions.

use bevy_egui::egui::{Ui, vec2};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{BalloonTool, View};
use super::super::widgets::{caption, hold_button, is_held, pair};
use crate::sim::dilation::StentPhase;
use crate::sim::{Command, ToolId};

/// Speed of the hand on a sheath, mm/s.
const SHEATH_MM_PER_S: f64 = 4.0;
/// Turn of the inflator by a click.
const CLICK_TURNS: f64 = 0.25;
/// Suction that draws a balloon down, atm.
const SUCTION_ATM: f64 = -0.9;

/// Whether the tray holds anything of this kind.
pub(super) fn has_dilation(view: &View) -> bool {
    view.tools.iter().any(|tool| tool.balloon.is_some() || tool.has_sheathed_stent || tool.has_filter)
}

/// Inflators of what is in, sheaths over stents, stents and lesions.
pub(super) fn dilation_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    for device in view.snapshot.rods.iter().flat_map(|r| &r.devices) {
        let Some(tool) = view.tools.get(device.tool.idx()) else { continue };
        if let Some(balloon) = &tool.balloon {
            caption(ui, &tool.label);
            inflator_ui(ui, view, device.tool, balloon, out);
        }
        if tool.has_sheathed_stent {
            caption(ui, &tool.label);
            sheath_ui(ui, device.tool, out);
        }
    }
    suction_ui(ui, view, out);
    for filter in &view.snapshot.filters {
        let state = if filter.open_share > 0.5 { Text::FilterOpen } else { Text::FilterClosed };
        pair(ui, t(Text::Filter), &format!("{}, {:.0} %", t(state), 100.0 * filter.load_share));
    }
    for stent in &view.snapshot.stents {
        let label = view.tools.get(stent.tool.idx()).map_or("", |tool| tool.label.as_str());
        let widest = stent.radius_mm.iter().fold(0.0, |w: f64, r| w.max(2.0 * r));
        let narrowest = stent.radius_mm.iter().fold(f64::INFINITY, |w: f64, r| w.min(2.0 * r));
        let state = match stent.phase {
            StentPhase::Opening => t(Text::StentOpening),
            StentPhase::Placed => t(Text::StentPlaced),
            StentPhase::Adrift => t(Text::Drifts),
            StentPhase::Snared => t(Text::Snared),
        };
        pair(ui, label, &format!("{state}, {narrowest:.1}-{widest:.1} mm, {:.0} mm", stent.length_mm));
    }
    for lesion in &view.snapshot.lesions {
        let vessel = lesion.place.and_then(|p| view.vessel_labels.get(p.vessel.idx()));
        let text =
            format!("{:.1} / {:.1} mm, {:.0} %", lesion.least_mm, lesion.healthy_mm, lesion.residual_pct);
        pair(ui, vessel.map_or("", String::as_str), &text);
    }
}

fn inflator_ui(ui: &mut Ui, view: &View, tool: ToolId, balloon: &BalloonTool, out: &mut Out) {
    let now = view.snapshot.balloons.iter().find(|b| b.tool == tool);
    let turn = |turns: f64| Command::TurnInflator { tool, turns };
    ui.horizontal(|ui| {
        if ui.button(t(Text::InflateLess)).clicked() {
            out.commands.push(turn(-CLICK_TURNS));
        }
        if ui.button(t(Text::InflateMore)).clicked() {
            out.commands.push(turn(CLICK_TURNS));
        }
        let nominal = format!("{:.0} atm", balloon.nominal_atm);
        if ui.button(nominal).on_hover_text(t(Text::Nominal)).clicked() {
            out.commands.push(Command::SetInflation { tool, atm: balloon.nominal_atm });
        }
        if ui.button(t(Text::Deflate)).clicked() {
            out.commands.push(Command::SetInflation { tool, atm: SUCTION_ATM });
        }
    });
    let gauge_atm = now.map_or(0.0, |b| b.gauge_atm);
    let widest_mm = now.map_or(0.0, |b| 2.0 * b.radius_mm.iter().copied().fold(0.0, f64::max));
    let is_over = gauge_atm > balloon.rated_atm;
    let text = format!("{gauge_atm:.1} atm, {widest_mm:.1} mm");
    if is_over {
        ui.colored_label(theme::WARNING, format!("{text} > {:.0} atm {}", balloon.rated_atm, t(Text::Rated)));
    } else {
        pair(ui, t(Text::Gauge), &format!("{text} ({} {:.0} atm)", t(Text::Rated), balloon.rated_atm));
    }
    if now.is_some_and(|b| b.is_burst) {
        ui.colored_label(theme::WARNING, t(Text::Burst));
    }
}

fn sheath_ui(ui: &mut Ui, tool: ToolId, out: &mut Out) {
    ui.horizontal(|ui| {
        for (text, speed) in [(Text::SheathBack, SHEATH_MM_PER_S), (Text::SheathOn, -SHEATH_MM_PER_S)] {
            let response = hold_button(ui, t(text), vec2(110.0, 28.0), false, theme::ACCENT_DEEP);
            if is_held(&response) {
                out.held.sheath_mm_per_s.insert(tool, speed);
            }
        }
    });
}

/// A syringe on the innermost lumen that is free.
fn suction_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let free = view.snapshot.rods.iter().filter_map(|rod| rod.devices.last().map(|d| d.tool));
    let has_lumen = |tool: &ToolId| view.tools.get(tool.idx()).is_some_and(|t| t.has_lumen);
    for tool in free.filter(has_lumen) {
        let draws = view.snapshot.aspirating == Some(tool);
        let text = if draws { Text::AspirateStop } else { Text::Aspirate };
        if ui.button(t(text)).clicked() {
            out.commands.push(Command::Aspirate((!draws).then_some(tool)));
        }
    }
}
