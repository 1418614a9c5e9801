//! Pause: the procedure stands still.

use bevy_egui::egui::{Align2, Button, RichText, Ui, Window, vec2};

use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::view::View;
use crate::sim::Command;

/// The dialog over the halted procedure.
pub fn pause_ui(ui: &Ui, _view: &View, out: &mut Out) {
    Window::new(t(Text::PausedTitle))
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ui.ctx(), |ui| {
            ui.set_width(300.0);
            ui.label(t(Text::PausedText));
            ui.add_space(8.0);
            let wide = |text| Button::new(RichText::new(t(text)).size(16.0)).min_size(vec2(300.0, 34.0));
            for (text, action) in [
                (Text::Continue, UiAction::Pause(false)),
                (Text::Keys, UiAction::ShowKeys(true)),
                (Text::Again, UiAction::Again),
                (Text::Back, UiAction::ToMenu),
            ] {
                if ui.add(wide(text)).clicked() {
                    out.ui.push(action);
                }
            }
            if ui.add(wide(Text::EndProcedure)).clicked() {
                out.commands.push(Command::Finish);
                out.ui.push(UiAction::Pause(false));
            }
        });
}
