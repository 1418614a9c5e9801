//! The menu: cases as cards.

use bevy_egui::egui::{
    Align, Button, Color32, CornerRadius, Image, Layout, Rect, RichText, ScrollArea, Sense, Spinner, Ui,
    WidgetInfo, WidgetType, Window, pos2, vec2,
};

use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{CaseCard, View};
use super::super::widgets::caption;
use crate::scenario::Level;

/// Height of a case's picture, points.
const PICTURE_HEIGHT: f32 = 190.0;
/// Width of a card, points.
const CARD_WIDTH: f32 = 360.0;

/// The cases.
pub fn menu_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.add_space(24.0);
    ui.horizontal(|ui| {
        ui.add_space(32.0);
        ui.vertical(|ui| {
            ui.label(RichText::new(t(Text::AppTitle)).size(44.0).strong().color(theme::ACCENT));
            caption(ui, t(Text::AppSubtitle));
        });
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            ui.add_space(32.0);
            if ui.button(t(Text::Quit)).clicked() {
                out.ui.push(UiAction::Quit);
            }
            if ui.button(t(Text::Keys)).clicked() {
                out.ui.push(UiAction::ShowKeys(true));
            }
            if ui.button(t(Text::Recordings)).clicked() {
                out.ui.push(UiAction::ShowRecordings);
            }
        });
    });
    ui.add_space(16.0);
    if let Some(what) = &view.resume {
        resume_ui(ui, what, out);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add_space(32.0);
            ui.label(RichText::new(t(Text::Cases)).heading());
        });
        ui.add_space(6.0);
        if view.cards.is_empty() {
            ui.horizontal(|ui| {
                ui.add_space(32.0);
                caption(ui, t(Text::NoCases));
            });
        }
        let per_row = (((ui.available_width() - 32.0) / (CARD_WIDTH + 14.0)) as usize).max(1);
        for row in view.cards.chunks(per_row) {
            ui.horizontal_top(|ui| {
                ui.add_space(32.0);
                ui.spacing_mut().item_spacing.x = 14.0;
                for card in row {
                    card_ui(ui, card, out);
                }
            });
            ui.add_space(14.0);
        }
    });
}

fn resume_ui(ui: &mut Ui, what: &str, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.add_space(32.0);
        theme::card_frame().stroke((1.0, theme::WARNING)).show(ui, |ui| {
            ui.label(RichText::new(t(Text::ResumeTitle)).strong().color(theme::WARNING));
            ui.label(what);
            caption(ui, t(Text::ResumeText));
            if ui.button(t(Text::ResumeYes)).clicked() {
                out.ui.push(UiAction::Resume(true));
            }
            if ui.button(t(Text::ResumeNo)).clicked() {
                out.ui.push(UiAction::Resume(false));
            }
        });
    });
    ui.add_space(10.0);
}

/// Name of a difficulty.
pub(super) fn level_text(level: Level) -> &'static str {
    t(match level {
        Level::Foundation => Text::Foundation,
        Level::Intermediate => Text::Intermediate,
        Level::Advanced => Text::Advanced,
    })
}

/// The X-ray picture of a case, the middle of it in a wide frame.
fn picture_ui(ui: &mut Ui, card: &CaseCard) {
    let Some(xray) = &card.xray else { return };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), PICTURE_HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, &card.title));
    ui.painter().rect_filled(rect, CornerRadius::same(4), Color32::BLACK);
    let Some(texture) = card.picture.texture else { return };
    let share = (rect.height() / rect.width() * xray.columns as f32 / xray.rows.max(1) as f32).min(1.0);
    let uv = Rect::from_min_max(pos2(0.0, 0.5 - share / 2.0), pos2(1.0, 0.5 + share / 2.0));
    let image = (texture, rect.size());
    Image::new(image).uv(uv).corner_radius(CornerRadius::same(4)).paint_at(ui, rect);
}

fn card_ui(ui: &mut Ui, card: &CaseCard, out: &mut Out) {
    theme::card_frame().show(ui, |ui| {
        ui.set_width(CARD_WIDTH - 28.0);
        ui.set_min_height(190.0);
        ui.vertical(|ui| {
            picture_ui(ui, card);
            ui.label(RichText::new(&card.title).size(18.0).strong());
            if let Some(fault) = &card.fault {
                ui.label(RichText::new(fault).monospace().size(12.5).color(theme::ALARM));
                return;
            }
            let color = match card.level {
                Level::Foundation => theme::GOOD,
                Level::Intermediate => theme::WARNING,
                Level::Advanced => theme::ALARM,
            };
            ui.horizontal(|ui| {
                ui.label(RichText::new(level_text(card.level)).color(color));
                caption(ui, &format!("{:.0} {}", card.minutes, t(Text::Minutes)));
            });
            if let Some(heading) = &card.heading {
                ui.label(RichText::new(heading).small().color(theme::WEAK));
            }
            ui.label(&card.task);
            let best = card.best.map_or_else(
                || t(Text::NotPlayed).to_owned(),
                |(score, max)| format!("{} {score:.0} / {max:.0} {}", t(Text::Best), t(Text::Points)),
            );
            caption(ui, &best);
            ui.add_space(4.0);
            ui.horizontal(|ui| {
                let play = Button::new(RichText::new(t(Text::Play)).strong())
                    .fill(theme::ACCENT_DEEP)
                    .min_size(vec2(96.0, 30.0));
                if ui.add(play).clicked() {
                    out.ui.push(UiAction::OpenCase(card.path.clone()));
                }
                if card.has_demo && ui.add(Button::new(t(Text::Watch)).min_size(vec2(96.0, 30.0))).clicked() {
                    out.ui.push(UiAction::OpenDemo(card.path.clone()));
                }
            });
        });
    });
}

/// While a case is being built.
pub fn loading_ui(ui: &mut Ui, view: &View, _out: &mut Out) {
    ui.add_space(ui.available_height() * 0.4);
    ui.vertical_centered(|ui| {
        ui.add(Spinner::new().size(36.0).color(theme::ACCENT));
        ui.add_space(12.0);
        ui.label(RichText::new(t(Text::Loading)).heading());
        ui.label(&view.case.title);
        caption(ui, t(Text::LoadingNote));
    });
}

/// What went wrong outside the simulation.
pub fn problem_ui(ui: &Ui, view: &View, out: &mut Out) {
    let Some(problem) = &view.problem else { return };
    Window::new(t(Text::ProblemTitle))
        .collapsible(false)
        .resizable(false)
        .anchor(bevy_egui::egui::Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            ui.set_max_width(620.0);
            ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
                ui.label(RichText::new(problem).monospace());
            });
            if ui.button(t(Text::Dismiss)).clicked() {
                out.ui.push(UiAction::DismissProblem);
            }
        });
}
