//! The rail under the live picture: each hub as a handle at true scale, with what the hand feels.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, FontId, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2,
    vec2,
};

use super::super::out::{self, Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{bar, dial, pad_move};
use super::motion::{DEG_PER_CLICK, FINE};
use crate::sim::command::Hold;
use crate::sim::snapshot::RodDeviceView;
use crate::sim::{Command, ToolId};

/// Height of a row, points.
const ROW: f32 = 26.0;
/// Where the rail begins: a sheath's length before the introducer's tip, mm.
const RAIL_START_MM: f64 = -120.0;
/// Force at which the bar is full, N.
const FULL_FORCE_N: f64 = 3.0;

/// All hubs.
pub fn rail_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let help = ui.label(bevy_egui::egui::RichText::new(t(Text::Rail)).small().color(theme::WEAK));
    help.on_hover_text(t(Text::RailHelp));
    let devices: Vec<&RodDeviceView> = view.devices().collect();
    if devices.is_empty() {
        ui.label(bevy_egui::egui::RichText::new(t(Text::NothingInside)).color(theme::WEAK));
        return;
    }
    let longest = devices.iter().map(|d| tool_length(view, d)).fold(1000.0, f64::max);
    for device in devices.into_iter().rev() {
        row_ui(ui, view, device, longest, out);
    }
}

fn tool_length(view: &View, device: &RodDeviceView) -> f64 {
    view.tools.get(device.tool.idx()).map_or(1000.0, |t| t.length_mm)
}

fn row_ui(ui: &mut Ui, view: &View, device: &RodDeviceView, longest_mm: f64, out: &mut Out) {
    let tool = device.tool;
    let color = theme::tool_color(view.tool_kind(tool));
    let width = ui.available_width();
    let (row, _) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    let font = FontId::proportional(13.0);
    let hand = if view.hands.right == Some(tool) {
        t(Text::HandR)
    } else if view.hands.left == Some(tool) {
        t(Text::HandL)
    } else {
        ""
    };
    let name = Rect::from_min_size(row.min, vec2(206.0, ROW));
    let clipped = ui.painter().with_clip_rect(name);
    clipped.text(name.left_center(), Align2::LEFT_CENTER, hand, font.clone(), theme::ACCENT);
    clipped.text(
        name.left_center() + vec2(16.0, 0.0),
        Align2::LEFT_CENTER,
        view.tool_label(tool),
        font.clone(),
        color,
    );

    let chips = Rect::from_min_max(pos2(row.right() - 364.0, row.top()), row.max);
    let track =
        Rect::from_min_max(pos2(name.right() + 8.0, row.top()), pos2(chips.left() - 8.0, row.bottom()));
    track_ui(ui, view, device, track, longest_mm, color, out);
    chips_ui(ui, device, chips, color, out);
}

/// The track: from the sheath's hub to the length of the longest tool; the mark is the sheath's tip, the handle the
/// device's.
fn track_ui(
    ui: &Ui,
    view: &View,
    device: &RodDeviceView,
    track: Rect,
    longest_mm: f64,
    color: Color32,
    out: &mut Out,
) {
    let tool = device.tool;
    let points_per_mm = f64::from(track.width()) / (longest_mm - RAIL_START_MM);
    let x = |mm: f64| {
        track.left() + ((mm.clamp(RAIL_START_MM, longest_mm) - RAIL_START_MM) * points_per_mm) as f32
    };
    let y = track.center().y;
    let painter = ui.painter();
    painter.line_segment(
        [pos2(track.left(), y), pos2(x(tool_length(view, device)), y)],
        Stroke::new(2.0, theme::LINE),
    );
    for mark in 0..=(longest_mm / 200.0) as i32 {
        let at = x(f64::from(mark) * 200.0);
        painter.vline(at, track.bottom() - 5.0..=track.bottom(), Stroke::new(1.0, theme::LINE));
    }
    painter.vline(x(0.0), track.top() + 3.0..=track.bottom(), Stroke::new(1.5, theme::WEAK));
    painter.line_segment([pos2(track.left(), y), pos2(x(device.inserted_mm), y)], Stroke::new(3.0, color));
    let at = pos2(x(device.inserted_mm), y);
    let handle = Rect::from_center_size(at, vec2(14.0, 20.0));
    let response =
        ui.interact(track.expand2(vec2(7.0, 0.0)), ui.id().with(("rail", tool.0)), Sense::click_and_drag());
    let label = view.tool_label(tool);
    response.widget_info(move || WidgetInfo::labeled(WidgetType::Slider, true, format!("rail {label}")));
    let lit = response.hovered() || response.dragged();
    painter.rect(
        handle,
        CornerRadius::same(3),
        color,
        Stroke::new(2.0, if lit { theme::TEXT } else { theme::WELL }),
        StrokeKind::Outside,
    );
    let text = format!("{:.1} cm", device.inserted_mm / 10.0);
    let (place, align) = if at.x > track.center().x {
        (at - vec2(12.0, 8.0), Align2::RIGHT_CENTER)
    } else {
        (at + vec2(12.0, -8.0), Align2::LEFT_CENTER)
    };
    painter.text(place, align, text, FontId::proportional(12.0), theme::TEXT);

    let moved = pad_move(ui, &response);
    let gain = if moved.fine { FINE } else { 1.0 };
    let mut stroke = out::Stroke {
        tool,
        feed_mm: f64::from(moved.drag.x) / points_per_mm.max(1e-6) * gain,
        spin_deg: 0.0,
    };
    if moved.fine {
        stroke.feed_mm += f64::from(moved.clicks);
    } else {
        stroke.spin_deg += f64::from(moved.clicks) * DEG_PER_CLICK;
    }
    if stroke.feed_mm.abs() > 0.0 || stroke.spin_deg.abs() > 0.0 {
        out.strokes.push(stroke);
    }
    if response.clicked() {
        out.ui.push(UiAction::TakeRight(tool));
    }
    if response.secondary_clicked() {
        out.ui.push(UiAction::TakeLeft(tool));
    }
}

/// Dial, force, twist, length outside, hold.
fn chips_ui(ui: &Ui, device: &RodDeviceView, area: Rect, color: Color32, out: &mut Out) {
    let font = FontId::proportional(12.5);
    let painter = ui.painter();
    let y = area.center().y;
    dial(ui, pos2(area.left() + 12.0, y), 11.0, device.hub_angle_rad, device.tip_angle_rad, color);
    let twist_deg = (device.hub_angle_rad - device.tip_angle_rad).to_degrees();
    let twist_color = if twist_deg.abs() > 180.0 { theme::WARNING } else { theme::WEAK };
    let text = format!("{} {twist_deg:+.0}\u{B0}", t(Text::Twist));
    painter.text(pos2(area.left() + 30.0, y), Align2::LEFT_CENTER, text, font.clone(), twist_color);

    let force = Rect::from_min_max(pos2(area.left() + 112.0, y - 8.0), pos2(area.left() + 176.0, y + 8.0));
    let share = device.hub_force_n.abs() / FULL_FORCE_N;
    let force_color = if share > 0.66 {
        theme::ALARM
    } else if share > 0.33 {
        theme::WARNING
    } else {
        theme::GOOD
    };
    bar(ui, force, share, force_color);
    painter.text(
        force.center(),
        Align2::CENTER_CENTER,
        format!("{:.2} N", device.hub_force_n),
        FontId::proportional(12.0),
        theme::TEXT,
    );
    let outside = format!("{} {:.0} cm", t(Text::Outside), device.external_mm / 10.0);
    painter.text(pos2(area.left() + 184.0, y), Align2::LEFT_CENTER, outside, font.clone(), theme::WEAK);

    let chip = Rect::from_min_max(pos2(area.right() - 64.0, y - 11.0), pos2(area.right(), y + 11.0));
    hold_chip(ui, device.tool, device.hold, chip, font, out);
}

fn hold_chip(ui: &Ui, tool: ToolId, hold: Hold, chip: Rect, font: FontId, out: &mut Out) {
    let response = ui.interact(chip, ui.id().with(("hold", tool.0)), Sense::click());
    let text = match hold {
        Hold::Held => t(Text::HoldHeld),
        Hold::Free => t(Text::HoldFree),
        Hold::Clamped => t(Text::HoldClamped),
    };
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Button, true, format!("{} {text}", t(Text::HoldTitle)))
    });
    let fill = if response.hovered() { theme::BUTTON_HOVER } else { theme::BUTTON };
    ui.painter().rect(chip, CornerRadius::same(4), fill, Stroke::new(1.0, theme::LINE), StrokeKind::Inside);
    let color = if hold == Hold::Held { theme::TEXT } else { theme::WARNING };
    ui.painter().text(chip.center(), Align2::CENTER_CENTER, text, font, color);
    if response.clicked() {
        out.commands.push(Command::SetHold { tool, hold: next_hold(hold) });
    }
}

/// Held, free, clamped, held ...
pub fn next_hold(hold: Hold) -> Hold {
    match hold {
        Hold::Held => Hold::Free,
        Hold::Free => Hold::Clamped,
        Hold::Clamped => Hold::Held,
    }
}
