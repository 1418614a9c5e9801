//! The report: errors first, then measures, then the score.

use std::path::Path;

use bevy_egui::egui::{Button, CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui, vec2};

use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{ErrorView, ReportView, View};
use super::super::widgets::{caption, pair, two_columns};
use super::curves::curves_ui;
use super::{clock, grade_words};

/// What went well and what went wrong.
pub fn report_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let side = ((ui.available_width() - 1120.0) / 2.0).max(24.0) as i8;
    let foot = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(side, 10));
    Panel::bottom("after").resizable(false).frame(foot).show(ui, |ui| after_ui(ui, view, out));
    let page = Frame::new().fill(theme::BACKGROUND).inner_margin(Margin::symmetric(side, 16));
    CentralPanel::default().frame(page).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            caption(ui, t(Text::ReportTitle));
            ui.label(RichText::new(&view.case.title).size(30.0).strong());
            match &view.report {
                Some(report) => body_ui(ui, view, report, out),
                None => {
                    ui.label(t(Text::NoReport));
                }
            }
        });
    });
}

/// What can be done next.
fn after_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.horizontal(|ui| {
        if let Some(path) = view.report.as_ref().and_then(|r| r.recording.clone()) {
            let replay = Button::new(RichText::new(t(Text::Replay)).strong())
                .fill(theme::ACCENT_DEEP)
                .min_size(vec2(150.0, 38.0));
            if ui.add(replay).clicked() {
                out.ui.push(UiAction::OpenReplay(path, None));
            }
        }
        if let Some(path) = view.report.as_ref().and_then(|r| r.recording.clone()) {
            let text = if view.exporting { Text::Exporting } else { Text::ExportDicom };
            let button = Button::new(t(text)).min_size(vec2(150.0, 38.0));
            let response = ui.add_enabled(!view.exporting, button).on_hover_text(t(Text::ExportHelp));
            if response.clicked() {
                out.ui.push(UiAction::Export(path));
            }
        }
        for (text, action) in [(Text::Again, UiAction::Again), (Text::Back, UiAction::ToMenu)] {
            if ui.add(Button::new(t(text)).min_size(vec2(150.0, 38.0))).clicked() {
                out.ui.push(action);
            }
        }
    });
}

fn body_ui(ui: &mut Ui, view: &View, report: &ReportView, out: &mut Out) {
    ui.add_space(8.0);
    two_columns(
        ui,
        |ui| errors_ui(ui, report, out),
        |ui| {
            score_ui(ui, report);
            curves_ui(ui, report);
            steps_ui(ui, view);
            metrics_ui(ui, report);
            debrief_ui(ui, view);
            files_ui(ui, report);
        },
    );
}

fn errors_ui(ui: &mut Ui, report: &ReportView, out: &mut Out) {
    ui.label(RichText::new(t(Text::Errors)).heading());
    if report.errors.is_empty() {
        ui.label(RichText::new(t(Text::NoErrors)).color(theme::GOOD));
    }
    for error in &report.errors {
        error_ui(ui, error, report.recording.as_deref(), out);
        ui.add_space(6.0);
    }
}

fn error_ui(ui: &mut Ui, error: &ErrorView, recording: Option<&Path>, out: &mut Out) {
    let (grade, color) = grade_words(error.grade);
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            let time = RichText::new(clock(error.time_s)).monospace();
            match recording {
                Some(path) => {
                    if ui.button(time).on_hover_text(t(Text::GoThere)).clicked() {
                        out.ui.push(UiAction::OpenReplay(path.to_path_buf(), Some(error.time_s)));
                    }
                }
                None => {
                    ui.label(time.color(theme::WEAK));
                }
            }
            ui.label(RichText::new(t(grade)).strong().color(color));
            ui.label(RichText::new(&error.name).strong());
        });
        if !error.what.is_empty() {
            ui.label(&error.what);
        }
        if !error.instead.is_empty() {
            ui.horizontal_wrapped(|ui| {
                caption(ui, t(Text::Instead));
                ui.label(RichText::new(&error.instead).color(theme::ACCENT));
            });
        }
    });
}

fn score_ui(ui: &mut Ui, report: &ReportView) {
    let (text, color) =
        if report.passed { (Text::Passed, theme::GOOD) } else { (Text::Failed, theme::ALARM) };
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(text)).size(24.0).strong().color(color));
        pair(ui, t(Text::Points), &format!("{:.0} / {:.0}", report.score, report.max));
        pair(ui, t(Text::PassMark), &format!("{:.0}", report.pass));
        for reason in &report.reasons {
            ui.label(RichText::new(reason).color(theme::WARNING));
        }
    });
    ui.add_space(8.0);
}

fn steps_ui(ui: &mut Ui, view: &View) {
    if view.steps.is_empty() {
        return;
    }
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Guide)).strong().color(theme::ACCENT));
        for step in &view.steps {
            let done = step.done_s.map_or_else(|| "-".to_owned(), clock);
            pair(ui, &step.title, &done);
        }
    });
    ui.add_space(8.0);
}

fn metrics_ui(ui: &mut Ui, report: &ReportView) {
    if report.metrics.is_empty() {
        return;
    }
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Metrics)).strong().color(theme::ACCENT));
        for m in &report.metrics {
            let value =
                if m.medal.is_empty() { m.value.clone() } else { format!("{}   {}", m.value, m.medal) };
            pair(ui, &m.name, &value);
        }
    });
    ui.add_space(8.0);
}

fn debrief_ui(ui: &mut Ui, view: &View) {
    if view.case.debrief.is_empty() {
        return;
    }
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::DebriefTitle)).strong().color(theme::ACCENT));
        for question in &view.case.debrief {
            ui.label(question);
        }
    });
    ui.add_space(8.0);
}

fn files_ui(ui: &mut Ui, report: &ReportView) {
    if report.files.is_empty() {
        return;
    }
    caption(ui, t(Text::Files));
    for file in &report.files {
        ui.label(RichText::new(file).small());
    }
}
