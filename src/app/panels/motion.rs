//! Motion: a pad per hand, press-and-hold buttons, their speeds.

use bevy_egui::egui::{Align2, FontId, Label, RichText, Ui, WidgetInfo, WidgetType, vec2};

use super::super::out::{Out, Stroke};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{PadMove, caption, choice, drag_pad, hold_button, is_held};
use crate::sim::ToolId;

/// Advance per point of drag, mm.
pub(super) const MM_PER_POINT: f64 = 0.25;
/// Turn per point of drag, degrees.
pub(super) const DEG_PER_POINT: f64 = 1.5;
/// Turn per click of the wheel, degrees.
pub(super) const DEG_PER_CLICK: f64 = 15.0;
/// Share of a fine movement.
pub(super) const FINE: f64 = 0.2;

/// The stroke that a pad's movement means; up pushes, to the right turns clockwise.
pub fn stroke_of(tool: ToolId, moved: &PadMove) -> Option<Stroke> {
    let gain = if moved.fine { FINE } else { 1.0 };
    let mut stroke = Stroke {
        tool,
        feed_mm: -f64::from(moved.drag.y) * MM_PER_POINT * gain,
        spin_deg: f64::from(moved.drag.x) * DEG_PER_POINT * gain,
    };
    if moved.fine {
        stroke.feed_mm += f64::from(moved.clicks);
    } else {
        stroke.spin_deg += f64::from(moved.clicks) * DEG_PER_CLICK;
    }
    (stroke.feed_mm.abs() > 0.0 || stroke.spin_deg.abs() > 0.0).then_some(stroke)
}

/// Both hands.
pub fn motion_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    if view.hands.right.is_none() && view.hands.left.is_none() {
        caption(ui, t(Text::NothingInside));
        return;
    }
    ui.columns(2, |columns| {
        hand_ui(&mut columns[0], view, Text::LeftHand, view.hands.left, out);
        hand_ui(&mut columns[1], view, Text::RightHand, view.hands.right, out);
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::Speed));
        let options = [(5.0, "5"), (20.0, "20"), (60.0, "60 mm/s")];
        if let Some(speed) = choice(ui, out.form.feed_mm_per_s, &options) {
            out.form.feed_mm_per_s = speed;
        }
        let options = [(30.0, "30"), (90.0, "90"), (270.0, "270 \u{B0}/s")];
        if let Some(speed) = choice(ui, out.form.spin_deg_per_s, &options) {
            out.form.spin_deg_per_s = speed;
        }
    });
}

fn hand_ui(ui: &mut Ui, view: &View, title: Text, tool: Option<ToolId>, out: &mut Out) {
    let Some(tool) = tool else {
        caption(ui, &format!("{}: {}", t(title), t(Text::EmptyHand)));
        return;
    };
    let color = theme::tool_color(view.tool_kind(tool));
    ui.add(Label::new(RichText::new(view.tool_label(tool)).color(color)).truncate());
    let (response, moved) = drag_pad(ui, t(title), vec2(ui.available_width(), 54.0));
    let painter = ui.painter();
    let center = response.rect.center();
    painter.text(
        center - vec2(0.0, 9.0),
        Align2::CENTER_CENTER,
        t(title),
        FontId::proportional(14.0),
        theme::WEAK,
    );
    let words = format!("\u{2195} {}  \u{2194} {}", t(Text::PushPull), t(Text::Turn));
    painter.text(
        center + vec2(0.0, 10.0),
        Align2::CENTER_CENTER,
        words,
        FontId::proportional(12.0),
        theme::WEAK,
    );
    response.on_hover_text(t(Text::PadHelp));
    out.strokes.extend(stroke_of(tool, &moved));

    let (feed, spin) = (out.form.feed_mm_per_s, out.form.spin_deg_per_s);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let size = vec2((ui.available_width() - 12.0) / 4.0, 28.0);
        for (icon, text, feed, spin) in [
            ("\u{2B06}", Text::Push, feed, 0.0),
            ("\u{2B07}", Text::Pull, -feed, 0.0),
            ("\u{27F2}", Text::TurnLeft, 0.0, -spin),
            ("\u{27F3}", Text::TurnRight, 0.0, spin),
        ] {
            let response = hold_button(ui, icon, size, false, theme::ACCENT_DEEP).on_hover_text(t(text));
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, t(text)));
            if is_held(&response) {
                if feed.abs() > 0.0 {
                    out.held.feed_mm_per_s.insert(tool, feed);
                } else {
                    out.held.spin_deg_per_s.insert(tool, spin);
                }
            }
        }
    });
}
