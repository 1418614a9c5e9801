//! The briefing: patient, task, reason, tray, marks.

use bevy_egui::egui::{Button, CentralPanel, Frame, Label, Margin, Panel, RichText, ScrollArea, Ui, vec2};

use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, dot, pair, two_columns};

/// What the trainee reads first.
pub fn briefing_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let side = ((ui.available_width() - 1120.0) / 2.0).max(24.0) as i8;
    let foot = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(side, 12));
    Panel::bottom("begin").resizable(false).frame(foot).show(ui, |ui| {
        ui.horizontal(|ui| {
            let begin = Button::new(RichText::new(t(Text::Begin)).strong().size(17.0))
                .fill(theme::ACCENT_DEEP)
                .min_size(vec2(180.0, 40.0));
            if ui.add(begin).clicked() {
                out.ui.push(UiAction::BeginProcedure);
            }
            if ui.add(Button::new(t(Text::Back)).min_size(vec2(140.0, 40.0))).clicked() {
                out.ui.push(UiAction::ToMenu);
            }
            ui.vertical(|ui| {
                ui.add(Label::new(RichText::new(t(Text::KeysHint)).color(theme::WEAK)).wrap());
            });
        });
    });
    let page = Frame::new().fill(theme::BACKGROUND).inner_margin(Margin::symmetric(side, 16));
    CentralPanel::default().frame(page).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            caption(ui, t(Text::Briefing));
            ui.label(RichText::new(&view.case.title).size(30.0).strong());
            ui.add_space(8.0);
            two_columns(ui, |ui| story_ui(ui, view), |ui| marks_ui(ui, view));
        });
    });
}

fn story_ui(ui: &mut Ui, view: &View) {
    let case = &view.case;
    for (title, text) in [(Text::Story, &case.story), (Text::Task, &case.task), (Text::Why, &case.why)] {
        if text.is_empty() {
            continue;
        }
        theme::card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(RichText::new(t(title)).strong().color(theme::ACCENT));
            if title == Text::Story && !case.patient.is_empty() {
                caption(ui, &case.patient);
            }
            ui.label(text);
            if title == Text::Why && !case.why_source.is_empty() {
                ui.label(
                    RichText::new(format!("{}: {}", t(Text::Source), case.why_source))
                        .small()
                        .color(theme::WEAK),
                );
            }
        });
        ui.add_space(8.0);
    }
}

fn marks_ui(ui: &mut Ui, view: &View) {
    let case = &view.case;
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Marks)).strong().color(theme::ACCENT));
        pair(ui, t(Text::PassMark), &format!("{:.0} {}", case.pass, t(Text::Points)));
        pair(ui, t(Text::Planned), &format!("{:.0} {}", case.minutes, t(Text::Minutes)));
        if !case.par.is_empty() {
            ui.add_space(4.0);
            caption(ui, t(Text::ParTitle));
            for (metric, gold, silver, bronze) in &case.par {
                pair(ui, metric, &format!("{gold} / {silver} / {bronze}"));
            }
        }
    });
    ui.add_space(8.0);
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Guide)).strong().color(theme::ACCENT));
        for step in &view.steps {
            pair(ui, &step.title, &format!("{:.0}", step.points));
        }
    });
    ui.add_space(8.0);
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Tray)).strong().color(theme::ACCENT));
        for tool in &view.tools {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = 18.0;
                dot(ui, theme::tool_color(Some(tool.kind)), true);
                ui.label(&tool.label);
            });
        }
        for (_, label) in &view.embolics {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = 18.0;
                dot(ui, theme::WEAK, true);
                ui.label(label);
            });
        }
    });
}
