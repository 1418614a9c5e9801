//! Tools of the suite: programs, dose level, views, roadmap, stored loops and references, wedge, screens, dose.

use bevy_egui::egui::{Button, RichText, Slider, Ui};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::review::ReviewAction;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, choice, pair};
use crate::sim::Command;
use crate::sim::command::RoadmapSource;
use crate::sim::exposure::program::PROGRAMS;
use crate::xray::FluoroLevel;
use crate::xray::dose::ALERTS;
use crate::xray::staff::Shields;

/// Roadmap and what is stored.
pub(super) fn pictures_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    roadmap_ui(ui, view, out);
    store_ui(ui, view, out);
}

/// Breath hold.
pub(super) fn breath_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let held = view.snapshot.patient.breath_held;
    if key_button(ui, view, Text::HoldBreath, KeyAction::HoldBreath, held) {
        out.commands.push(Command::HoldBreath(!held));
    }
}

/// A button with its key in the tooltip.
fn key_button(ui: &mut Ui, view: &View, text: Text, key: KeyAction, on: bool) -> bool {
    let button = Button::new(t(text)).selected(on);
    ui.add(button).on_hover_text(format!("{} ({})", key.label(), view.keys.keys_of(key))).clicked()
}

/// Dose level of fluoroscopy.
pub(super) fn level_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let x = &view.snapshot.xray;
    ui.horizontal(|ui| {
        caption(ui, t(Text::DoseLevel)).on_hover_text(t(Text::DoseLevelHelp));
        let levels = [
            (FluoroLevel::Low, t(Text::LevelLow)),
            (FluoroLevel::Normal, t(Text::LevelNormal)),
            (FluoroLevel::High, t(Text::LevelHigh)),
        ];
        if let Some(level) = choice(ui, x.level, &levels) {
            out.commands.push(Command::SetFluoroLevel(level));
        }
    });
}

fn program_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let x = &view.snapshot.xray;
    caption(ui, t(Text::Programs)).on_hover_text(t(Text::ProgramsHelp));
    let options: Vec<(Option<u8>, &str)> =
        PROGRAMS.iter().enumerate().map(|(i, p)| (Some(i as u8), p.name)).collect();
    if let Some(Some(program)) = choice(ui, x.program, &options) {
        out.commands.push(Command::SelectProgram(program));
    }
}

/// Views of the case.
pub(super) fn views_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.horizontal_wrapped(|ui| {
        caption(ui, t(Text::Views)).on_hover_text(t(Text::ViewsHelp));
        let keys = [KeyAction::View1, KeyAction::View2, KeyAction::View3, KeyAction::View4];
        for (i, name) in view.case.views.iter().enumerate() {
            let help = keys.get(i).map_or_else(String::new, |k| view.keys.keys_of(*k));
            if ui.small_button(name).on_hover_text(help).clicked() {
                out.commands.push(Command::RecallPreset(i as u8));
            }
        }
    });
}

fn roadmap_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let suite = &view.snapshot.xray.suite;
    ui.horizontal_wrapped(|ui| {
        caption(ui, t(Text::RoadmapFrom)).on_hover_text(t(Text::RoadmapHelp));
        let mut options =
            vec![(RoadmapSource::LastRun, t(Text::LastRun)), (RoadmapSource::Fluoro, t(Text::FromFluoro))];
        let chosen;
        if let RoadmapSource::Run(run) = suite.roadmap_source {
            chosen = format!("{} {run}", t(Text::RunWord));
            options.push((RoadmapSource::Run(run), &chosen));
        }
        if let Some(source) = choice(ui, suite.roadmap_source, &options) {
            out.commands.push(Command::SetRoadmapSource(source));
        }
        if key_button(ui, view, Text::Remask, KeyAction::Remask, false) {
            out.commands.push(Command::Remask);
        }
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::Opacity));
        let mut share = suite.roadmap_opacity;
        let slider = Slider::new(&mut share, 0.0..=1.0)
            .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
            .custom_parser(|s| s.trim_end_matches('%').trim().parse::<f64>().ok().map(|v| v / 100.0));
        if ui.add(slider).changed() {
            out.commands.push(Command::SetRoadmapOpacity(share));
        }
    });
}

fn store_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let suite = &view.snapshot.xray.suite;
    ui.horizontal_wrapped(|ui| {
        if key_button(ui, view, Text::StoreFluoro, KeyAction::StoreFluoro, false) {
            out.commands.push(Command::StoreFluoro);
        }
        if key_button(ui, view, Text::Review, KeyAction::Review, view.review.is_some()) {
            out.ui.push(UiAction::Review(ReviewAction::Toggle));
        }
        if key_button(ui, view, Text::SkinDose, KeyAction::SkinDose, view.skin_open) {
            out.ui.push(UiAction::ToggleSkin);
        }
    });
    ui.horizontal_wrapped(|ui| {
        caption(ui, t(Text::References)).on_hover_text(t(Text::ReferencesHelp));
        for (slot, name, store, recall) in [
            (0_u8, "A", KeyAction::StoreReferenceA, KeyAction::RecallReferenceA),
            (1, "B", KeyAction::StoreReferenceB, KeyAction::RecallReferenceB),
        ] {
            let help = |k: KeyAction| format!("{} ({})", k.label(), view.keys.keys_of(k));
            let text = format!("{} {name}", t(Text::StoreView));
            if ui.small_button(text).on_hover_text(help(store)).clicked() {
                out.ui.push(UiAction::StoreReference(slot));
            }
            let kept = suite.references.get(usize::from(slot)).copied().flatten();
            let text = kept.map_or_else(
                || format!("{} {name}", t(Text::GoTo)),
                |v| {
                    let angles = super::super::views::angles(v.arm.primary_deg, v.arm.secondary_deg);
                    format!("{} {name}: {angles}", t(Text::GoTo))
                },
            );
            let button = ui.add_enabled(kept.is_some(), Button::new(text).small());
            if button.on_hover_text(help(recall)).clicked() {
                out.commands.push(Command::RecallReference(slot));
            }
        }
    });
}

/// Programs, wedge filter and lead screens.
pub(super) fn filters_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    program_ui(ui, view, out);
    let x = &view.snapshot.xray;
    let wedge = x.arm.wedge;
    ui.horizontal_wrapped(|ui| {
        caption(ui, t(Text::Wedge)).on_hover_text(t(Text::WedgeHelp));
        let steps = [(0.0, t(Text::WedgeOut)), (0.5, "1/4"), (1.0, "1/2")];
        if let Some(insertion) = choice(ui, wedge.insertion, &steps) {
            out.commands.push(Command::SetWedge { insertion, angle_deg: wedge.angle_deg });
        }
        let sides = [(0.0, "\u{2190}"), (90.0, "\u{2193}"), (180.0, "\u{2192}"), (270.0, "\u{2191}")];
        if let Some(angle_deg) = choice(ui, wedge.angle_deg, &sides) {
            out.commands.push(Command::SetWedge { insertion: wedge.insertion, angle_deg });
        }
    });
    ui.horizontal_wrapped(|ui| {
        let mut shields = x.dose.shields;
        let help = format!("{} ({})", t(Text::ScreenHelp), view.keys.keys_of(KeyAction::ScreenToggle));
        ui.checkbox(&mut shields.ceiling, t(Text::CeilingScreen)).on_hover_text(help);
        ui.checkbox(&mut shields.skirt, t(Text::TableSkirt)).on_hover_text(t(Text::ScreenHelp));
        if shields != x.dose.shields {
            out.commands.push(Command::SetShields(Shields { ..shields }));
        }
    });
}

/// Dose in numbers, in the color of the alert that it has reached.
pub(super) fn dose_ui(ui: &mut Ui, view: &View) {
    let x = &view.snapshot.xray;
    let values = [x.dose.peak_skin_mgy, x.air_kerma_mgy, x.kap_gy_cm2, x.fluoro_time_s / 60.0];
    let names = [Text::PeakSkin, Text::AirKerma, Text::KermaArea, Text::FluoroTime];
    for ((levels, value), name) in ALERTS.iter().zip(values).zip(names) {
        let color = if value >= levels.substantial {
            theme::ALARM
        } else if value >= levels.first {
            theme::WARNING
        } else {
            theme::TEXT
        };
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            caption(ui, t(name));
            let text = format!("{value:.1} {}", levels.unit);
            ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
                let alert = format!("{} {:.0} {}", t(Text::AlertAt), levels.first, levels.unit);
                ui.label(RichText::new(text).color(color)).on_hover_text(alert);
            });
        });
    }
    if let Some((label, kap)) = &view.case.reference_kap {
        let share = 100.0 * x.kap_gy_cm2 / kap;
        pair(ui, t(Text::ReferenceLevel), &format!("{share:.0} % ({label}, {kap:.0} Gy.cm2)"));
    }
    let [eyes, collar, ..] = x.dose.staff_ugy;
    pair(ui, t(Text::StaffDose), &format!("{eyes:.2} / {collar:.2} uGy"));
}
