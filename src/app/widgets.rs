//! Small widgets: press-and-hold buttons, drag pads, choices, bars. Mouse ways for all that keys do.

use bevy_egui::egui::{
    Align2, Button, Color32, CornerRadius, FontId, Rect, Response, RichText, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, WidgetType, pos2, vec2,
};

use super::theme;

/// A button that acts while it is pressed; true while so.
pub fn hold_button(ui: &mut Ui, text: &str, size: Vec2, on: bool, fill: Color32) -> Response {
    let mut button = Button::new(RichText::new(text)).min_size(size).sense(Sense::click_and_drag());
    if on {
        button = button.fill(fill);
    }
    ui.add(button)
}

/// Is the button held down with the first mouse button.
pub fn is_held(response: &Response) -> bool {
    response.enabled() && response.is_pointer_button_down_on()
}

/// A row of choices; the new one when another is clicked.
pub fn choice<T: PartialEq + Copy>(ui: &mut Ui, now: T, options: &[(T, &str)]) -> Option<T> {
    let mut chosen = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        for (value, label) in options {
            let on = *value == now;
            let text = RichText::new(*label).color(if on { theme::TEXT } else { theme::WEAK });
            if ui.add(Button::selectable(on, text).frame_when_inactive(true)).clicked() && !on {
                chosen = Some(*value);
            }
        }
    });
    chosen
}

/// What a pad was asked for in this pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PadMove {
    /// Drag, points.
    pub drag: Vec2,
    /// Wheel clicks.
    pub clicks: f32,
    /// Shift was held.
    pub fine: bool,
    /// It is being dragged.
    pub active: bool,
}

/// An area to drag in, with a name for screen readers.
pub fn drag_pad(ui: &mut Ui, name: &str, size: Vec2) -> (Response, PadMove) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let label = name.to_owned();
    response.widget_info(move || WidgetInfo::labeled(WidgetType::Other, true, &label));
    let active = response.dragged() || response.is_pointer_button_down_on();
    let edge = if active || response.hovered() { theme::ACCENT } else { theme::LINE };
    ui.painter().rect(rect, CornerRadius::same(5), theme::WELL, Stroke::new(1.0, edge), StrokeKind::Inside);
    let moved = pad_move(ui, &response);
    (response, moved)
}

/// Drag and wheel on any area.
pub fn pad_move(ui: &Ui, response: &Response) -> PadMove {
    let (wheel, fine) = ui.input(|i| (wheel_clicks(i), i.modifiers.shift));
    let drag = if response.drag_started() {
        // What was moved before it counted as a drag belongs to the stroke.
        response.total_drag_delta().unwrap_or_default()
    } else if response.dragged() {
        response.drag_delta()
    } else {
        Vec2::ZERO
    };
    PadMove { drag, clicks: if response.hovered() { wheel } else { 0.0 }, fine, active: response.dragged() }
}

/// Clicks of the wheel that arrived with this pass's events; up is +.
fn wheel_clicks(input: &bevy_egui::egui::InputState) -> f32 {
    use bevy_egui::egui::{Event, MouseWheelUnit};
    let mut clicks = 0.0;
    for event in &input.events {
        if let Event::MouseWheel { unit, delta, .. } = event {
            // With Shift some systems turn the wheel sideways.
            let d = if delta.y.abs() >= delta.x.abs() { delta.y } else { delta.x };
            clicks += match unit {
                MouseWheelUnit::Line | MouseWheelUnit::Page => d,
                MouseWheelUnit::Point => d / 50.0,
            };
        }
    }
    clicks
}

/// A horizontal bar from 0 to 1 with a text on it.
pub fn bar(ui: &Ui, rect: Rect, share: f64, color: Color32) {
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(2), theme::WELL);
    let width = rect.width() * share.clamp(0.0, 1.0) as f32;
    painter.rect_filled(
        Rect::from_min_size(rect.min, vec2(width, rect.height())),
        CornerRadius::same(2),
        color,
    );
    painter.rect_stroke(rect, CornerRadius::same(2), Stroke::new(1.0, theme::LINE), StrokeKind::Inside);
}

/// A dial: a circle with a hand; 0 points up, clockwise is +. A second, thin hand shows the tip.
pub fn dial(ui: &Ui, center: bevy_egui::egui::Pos2, radius: f32, hub_rad: f64, tip_rad: f64, color: Color32) {
    let painter = ui.painter();
    painter.circle(center, radius, theme::WELL, Stroke::new(1.0, theme::LINE));
    let point = |angle: f64, r: f32| center + vec2(angle.sin() as f32, -angle.cos() as f32) * r;
    painter.line_segment([center, point(tip_rad, radius - 1.0)], Stroke::new(1.0, theme::WEAK));
    painter.line_segment([center, point(hub_rad, radius - 1.0)], Stroke::new(2.0, color));
}

/// A small disk in a color; filled or a ring.
pub fn dot(ui: &mut Ui, color: Color32, filled: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    let fill = if filled { color } else { Color32::TRANSPARENT };
    ui.painter().circle(rect.center(), 5.0, fill, Stroke::new(1.5, color));
}

/// A label in the weak color, before a control.
pub fn caption(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::WEAK))
}

/// A line with a name at the left and a value at the right.
pub fn pair(ui: &mut Ui, name: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        caption(ui, name);
        ui.with_layout(bevy_egui::egui::Layout::right_to_left(bevy_egui::egui::Align::Center), |ui| {
            ui.label(value);
        });
    });
}

/// Two columns of equal width, each laid out from the top left.
pub fn two_columns(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let width = (ui.available_width() - 16.0) / 2.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (i, column) in
            [Box::new(left) as Box<dyn FnOnce(&mut Ui)>, Box::new(right)].into_iter().enumerate()
        {
            if i > 0 {
                ui.add_space(16.0);
            }
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                ui.set_width(width);
                column(ui);
            });
        }
    });
}

/// Text on a picture: light with a dark rim on a faint dark plate, so that it can be read on any gray.
pub fn picture_text(
    ui: &Ui,
    at: bevy_egui::egui::Pos2,
    align: Align2,
    text: &str,
    size: f32,
    color: Color32,
) -> Rect {
    let font = FontId::monospace(size);
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), color);
    let plate = align.anchor_size(at, galley.size()).expand2(vec2(3.0, 0.0));
    painter.rect_filled(plate, CornerRadius::same(2), Color32::from_black_alpha(80));
    for (dx, dy) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
        painter.text(pos2(at.x + dx, at.y + dy), align, text, font.clone(), Color32::from_black_alpha(190));
    }
    painter.text(at, align, text, font, color)
}
