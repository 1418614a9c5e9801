//! Devices: the tray and the hands.

use bevy_egui::egui::{Align, Button, Label, Layout, RichText, Ui};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, choice, dot};
use crate::device::DeviceKind;
use crate::sim::{Command, ToolId};

/// Tray and hands.
pub fn devices_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.spacing_mut().item_spacing.y = 3.0;
    if view.tools.is_empty() {
        caption(ui, t(Text::EmptyTray));
    }
    if view.snapshot.rods.len() > 1 {
        let options = [(0, t(Text::FirstAccess)), (1, t(Text::SecondAccess))];
        if let Some(access) = choice(ui, out.form.access, &options) {
            out.form.access = access;
        }
    }
    for (i, tool) in view.tools.iter().enumerate() {
        if tool.kind == DeviceKind::Sheath {
            continue;
        }
        let id = ToolId(u8::try_from(i).unwrap_or(u8::MAX));
        let loaded = view.snapshot.tools.get(i).is_some_and(|t| t.loaded);
        ui.horizontal(|ui| {
            dot(ui, theme::tool_color(Some(tool.kind)), loaded);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let (text, command) = if loaded {
                    (Text::Unload, Command::Unload { tool: id })
                } else {
                    (Text::Load, Command::Load { rod: out.form.access, tool: id })
                };
                if ui.button(t(text)).clicked() {
                    out.commands.push(command);
                }
                if loaded {
                    hand_buttons(ui, view, id, out);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text =
                        RichText::new(&tool.label).color(if loaded { theme::TEXT } else { theme::WEAK });
                    let facts =
                        format!("{}\n{:.0} cm, {:.2} mm", tool.label, tool.length_mm / 10.0, tool.outer_mm);
                    ui.add(Label::new(text).truncate()).on_hover_text(facts);
                });
            });
        });
    }
    let keys = view.keys.keys_of(KeyAction::SwapHands);
    if view.devices().count() > 1 && ui.button(t(Text::Swap)).on_hover_text(keys).clicked() {
        out.ui.push(UiAction::SwapHands);
    }
}

fn hand_buttons(ui: &mut Ui, view: &View, tool: ToolId, out: &mut Out) {
    for (text, hand, action) in [
        (Text::HandR, view.hands.right, UiAction::TakeRight(tool)),
        (Text::HandL, view.hands.left, UiAction::TakeLeft(tool)),
    ] {
        let mine = hand == Some(tool);
        if ui.add(Button::selectable(mine, t(text)).frame_when_inactive(true)).clicked() && !mine {
            out.ui.push(action);
        }
    }
}
