//! Guide: objectives, hints, the end.

use bevy_egui::egui::{Id, RichText, Ui};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::caption;
use super::clock;
use crate::sim::Command;

/// Objectives, hints, the end.
pub fn guide_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    if view.steps.is_empty() {
        caption(ui, t(Text::NoSteps));
    }
    let current = view.steps.iter().position(|s| s.done_s.is_none() && s.open);
    for (i, step) in view.steps.iter().enumerate() {
        let (mark, color) = match step.done_s {
            Some(_) => ("\u{2714}", theme::GOOD),
            None if Some(i) == current => ("\u{25B6}", theme::ACCENT),
            None => ("\u{25CB}", theme::WEAK),
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(mark).color(color));
            let strong = Some(i) == current;
            ui.label(RichText::new(&step.title).color(if step.done_s.is_some() || strong {
                theme::TEXT
            } else {
                theme::WEAK
            }));
            if let Some(done_s) = step.done_s {
                caption(ui, &clock(done_s));
            } else if step.optional {
                caption(ui, t(Text::Optional));
            }
        });
        if Some(i) == current && !step.say.is_empty() {
            ui.label(RichText::new(&step.say).italics());
        }
    }
    if !view.hint.is_empty() {
        ui.label(RichText::new(&view.hint).color(theme::ACCENT));
    }
    ui.horizontal(|ui| {
        if ui.button(t(Text::Hint)).on_hover_text(t(Text::HintCost)).clicked() {
            out.commands.push(Command::AskHint);
        }
        finish_ui(ui, out);
    });
}

/// Finishing needs a second click, so that no run ends by a slip of the hand.
fn finish_ui(ui: &mut Ui, out: &mut Out) {
    let id = Id::new("finish_asked");
    let asked = ui.data(|d| d.get_temp(id).unwrap_or(false));
    if !asked {
        if ui.button(t(Text::Finish)).clicked() {
            ui.data_mut(|d| d.insert_temp(id, true));
        }
        return;
    }
    if ui.button(RichText::new(t(Text::FinishSure)).color(theme::WARNING)).clicked() {
        ui.data_mut(|d| d.insert_temp(id, false));
        out.commands.push(Command::Finish);
    }
    if ui.button(t(Text::Continue)).clicked() {
        ui.data_mut(|d| d.insert_temp(id, false));
    }
}
