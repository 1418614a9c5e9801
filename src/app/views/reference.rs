//! The reference monitor, and the see-through patient in its place.

use bevy_egui::egui::{Align2, Color32, CornerRadius, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{Picture, View};
use super::super::widgets::picture_text;
use super::live::picture;

/// A stored run or view, with its player.
pub fn reference_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().button_padding.x = 6.0;
        for (text, action, key) in [
            ("\u{23EE}", UiAction::ReferenceRun(-1), None),
            ("\u{25C0}", UiAction::ReferenceFrame(-1), Some(KeyAction::ReferenceBack)),
            (t(Text::PlayRun), UiAction::ReferencePlay, Some(KeyAction::ReferencePlay)),
            ("\u{25B6}", UiAction::ReferenceFrame(1), Some(KeyAction::ReferenceForward)),
            ("\u{23ED}", UiAction::ReferenceRun(1), None),
            (t(Text::Send), UiAction::SendToReference, Some(KeyAction::SendToReference)),
        ] {
            let response = ui.button(text);
            let response = match key {
                Some(key) => response.on_hover_text(format!("{} ({})", key.label(), view.keys.keys_of(key))),
                None => response,
            };
            if response.clicked() {
                out.ui.push(action);
            }
        }
    });
    let side = ui.available_width().min(ui.available_height());
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::ReferenceMonitor)));
    picture(ui, rect, view.reference.texture, Text::NoReference);
    let title = format!("{}  {}", t(Text::ReferenceMonitor), view.reference_title);
    picture_text(ui, rect.left_top() + vec2(8.0, 6.0), Align2::LEFT_TOP, &title, 11.5, theme::ON_PICTURE);
}

/// The see-through patient: drag turns, wheel zooms.
pub fn truth_ui(ui: &mut Ui, view: &View, truth: &Picture, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.label(t(Text::TruthView)).on_hover_text(t(Text::TruthHelp));
        super::super::widgets::caption(ui, &format!("{} {}x", t(Text::TruthUses), view.truth_uses));
        if ui.button(t(Text::Close)).clicked() {
            out.ui.push(UiAction::ToggleTruth);
        }
    });
    let side = ui.available_width().min(ui.available_height());
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::TruthView)));
    ui.painter().rect_filled(rect, CornerRadius::ZERO, theme::WELL);
    if let Some(id) = truth.texture {
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(id, rect, uv, Color32::WHITE);
    }
    let moved = super::super::widgets::pad_move(ui, &response);
    if moved.drag != vec2(0.0, 0.0) || moved.clicks.abs() > 0.0 {
        out.ui.push(UiAction::TurnTruth(moved.drag.x * 0.5, moved.drag.y * 0.5, 1.1_f32.powf(moved.clicks)));
    }
}
