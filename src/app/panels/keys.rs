//! The key list: what each key does; a click and a key press change it.

use bevy_egui::egui::{Align2, Button, Grid, RichText, ScrollArea, Ui, Window, vec2};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::caption;

/// The list as a dialog.
pub fn keys_ui(ui: &Ui, view: &View, out: &mut Out) {
    if !view.keys_open {
        return;
    }
    Window::new(t(Text::KeyListTitle))
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            ui.set_width(880.0);
            ui.horizontal(|ui| {
                if ui.button(t(Text::Close)).clicked() {
                    out.ui.push(UiAction::ShowKeys(false));
                }
                if ui.button(t(Text::ResetKeys)).clicked() {
                    out.ui.push(UiAction::ResetKeys);
                }
                caption(ui, t(Text::KeyListHelp));
            });
            ScrollArea::vertical().max_height(600.0).min_scrolled_height(540.0).show(ui, |ui| {
                let half = KeyAction::ALL.len().div_ceil(2);
                ui.columns(2, |columns| {
                    for (i, part) in KeyAction::ALL.chunks(half).enumerate() {
                        column_ui(&mut columns[i], i, part, view, out);
                    }
                });
            });
        });
}

fn column_ui(ui: &mut Ui, column: usize, actions: &[KeyAction], view: &View, out: &mut Out) {
    Grid::new(("keys", column)).num_columns(2).striped(true).spacing(vec2(12.0, 2.0)).show(ui, |ui| {
        for action in actions {
            let waiting = view.rebinding == Some(*action);
            let text = if waiting { t(Text::PressKey).to_owned() } else { view.keys.keys_of(*action) };
            let color = if waiting { theme::BEAM } else { theme::ACCENT };
            if ui
                .add(Button::new(RichText::new(text).monospace().color(color)).min_size(vec2(110.0, 20.0)))
                .clicked()
            {
                out.ui.push(UiAction::Rebind((!waiting).then_some(*action)));
            }
            ui.label(action.label());
            ui.end_row();
        }
    });
}
