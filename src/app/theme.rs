//! The dark room: colors, sizes, fonts. X-ray panes stay strictly neutral; saturated color is for alarms and beam.

use bevy_egui::egui::{self, Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2};

use crate::device::DeviceKind;

/// Room.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x0C, 0x0E, 0x11);
/// Panels.
pub const PANEL: Color32 = Color32::from_rgb(0x15, 0x19, 0x1E);
/// Wells and tracks in panels.
pub const WELL: Color32 = Color32::from_rgb(0x0F, 0x12, 0x16);
/// Buttons.
pub const BUTTON: Color32 = Color32::from_rgb(0x25, 0x2B, 0x33);
/// Buttons under the pointer.
pub const BUTTON_HOVER: Color32 = Color32::from_rgb(0x31, 0x39, 0x43);
/// Lines.
pub const LINE: Color32 = Color32::from_rgb(0x2C, 0x33, 0x3B);
/// Text; contrast 11:1 on panels.
pub const TEXT: Color32 = Color32::from_rgb(0xC9, 0xCF, 0xD6);
/// Secondary text; contrast 6:1 on panels.
pub const WEAK: Color32 = Color32::from_rgb(0x93, 0x9C, 0xA6);
/// The one accent.
pub const ACCENT: Color32 = Color32::from_rgb(0x56, 0xB4, 0xE9);
/// Accent as a fill under text.
pub const ACCENT_DEEP: Color32 = Color32::from_rgb(0x1E, 0x4A, 0x66);
/// Beam on.
pub const BEAM: Color32 = Color32::from_rgb(0xF0, 0xE4, 0x42);
/// Beam on, as a fill under text.
pub const BEAM_DEEP: Color32 = Color32::from_rgb(0x5C, 0x55, 0x0E);
/// Good, done.
pub const GOOD: Color32 = Color32::from_rgb(0x3F, 0xC0, 0x8F);
/// Warning.
pub const WARNING: Color32 = Color32::from_rgb(0xE6, 0x9F, 0x00);
/// Alarm.
pub const ALARM: Color32 = Color32::from_rgb(0xFF, 0x6B, 0x5E);
/// ECG.
pub const ECG: Color32 = Color32::from_rgb(0x4C, 0xD9, 0x64);
/// Arterial pressure.
pub const PRESSURE: Color32 = Color32::from_rgb(0xFF, 0x6B, 0x6B);
/// Pressure at the tip of a lumen.
pub const TIP: Color32 = Color32::from_rgb(0xFF, 0xC1, 0x5E);
/// Saturation.
pub const SPO2: Color32 = Color32::from_rgb(0x5A, 0xD1, 0xE6);
/// Text on pictures.
pub const ON_PICTURE: Color32 = Color32::from_rgb(0xD6, 0xD6, 0xD6);

/// Color of a kind of tool; form and label say it too.
pub fn tool_color(kind: Option<DeviceKind>) -> Color32 {
    match kind {
        Some(DeviceKind::Wire) => Color32::from_rgb(0xF0, 0xE4, 0x42),
        Some(DeviceKind::Microcatheter) => ACCENT,
        Some(DeviceKind::Catheter) => Color32::from_rgb(0xE6, 0x9F, 0x00),
        Some(DeviceKind::Coil | DeviceKind::Plug | DeviceKind::Snare) => Color32::from_rgb(0x56, 0xB4, 0xE9),
        Some(DeviceKind::Balloon) => Color32::from_rgb(0x00, 0x9E, 0x73),
        Some(DeviceKind::Stent) => Color32::from_rgb(0xD5, 0x5E, 0x00),
        Some(DeviceKind::Sheath) => Color32::from_rgb(0xCC, 0x79, 0xA7),
        None => WEAK,
    }
}

/// Height of the layout, points: everything is drawn for it and zoomed to the window.
pub const LAYOUT_HEIGHT: f32 = 800.0;

/// Zoom at which a window of this size (in its own points) shows the layout of [`LAYOUT_HEIGHT`].
pub fn zoom_for(window: Vec2) -> f32 {
    (window.y / LAYOUT_HEIGHT).min(window.x / 1240.0).clamp(0.6, 3.0)
}

/// Sets colors, fonts and sizes.
pub fn apply(ctx: &egui::Context) {
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(style_it);
}

fn style_it(style: &mut egui::Style) {
    let font = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(12.0)),
        (TextStyle::Body, font(14.5)),
        (TextStyle::Button, font(14.5)),
        (TextStyle::Heading, font(22.0)),
        (TextStyle::Monospace, FontId::new(13.5, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = Vec2::new(6.0, 5.0);
    style.spacing.button_padding = Vec2::new(8.0, 4.0);
    style.spacing.interact_size = Vec2::new(36.0, 24.0);
    style.spacing.slider_width = 120.0;
    style.spacing.combo_width = 150.0;
    style.spacing.scroll = egui::style::ScrollStyle::solid();
    style.animation_time = 0.0;
    let v = &mut style.visuals;
    v.dark_mode = true;
    v.panel_fill = PANEL;
    v.window_fill = PANEL;
    v.window_stroke = Stroke::new(1.0, LINE);
    v.extreme_bg_color = WELL;
    v.faint_bg_color = Color32::from_rgb(0x19, 0x1E, 0x24);
    v.hyperlink_color = ACCENT;
    v.warn_fg_color = WARNING;
    v.error_fg_color = ALARM;
    v.weak_text_color = Some(WEAK);
    v.selection.bg_fill = ACCENT_DEEP;
    v.selection.stroke = Stroke::new(1.0, Color32::from_rgb(0xE4, 0xF2, 0xFB));
    v.slider_trailing_fill = true;
    let corner = CornerRadius::same(4);
    for (w, fill, text) in [
        (&mut v.widgets.noninteractive, PANEL, TEXT),
        (&mut v.widgets.inactive, BUTTON, TEXT),
        (&mut v.widgets.hovered, BUTTON_HOVER, Color32::from_rgb(0xE6, 0xEA, 0xEE)),
        (&mut v.widgets.active, ACCENT_DEEP, Color32::from_rgb(0xE6, 0xEA, 0xEE)),
        (&mut v.widgets.open, BUTTON, TEXT),
    ] {
        w.bg_fill = fill;
        w.weak_bg_fill = fill;
        w.fg_stroke = Stroke::new(1.0, text);
        w.bg_stroke = Stroke::new(1.0, LINE);
        w.corner_radius = corner;
        w.expansion = 0.0;
    }
}

/// Frame of a panel.
pub fn panel_frame() -> egui::Frame {
    egui::Frame::new().fill(PANEL).inner_margin(Margin::symmetric(8, 6))
}

/// Frame of a card.
pub fn card_frame() -> egui::Frame {
    egui::Frame::new()
        .fill(PANEL)
        .stroke(Stroke::new(1.0, LINE))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::same(14))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG relative luminance.
    fn luminance(c: Color32) -> f64 {
        let channel = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(c.r()) + 0.7152 * channel(c.g()) + 0.0722 * channel(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        (a / b).max(b / a)
    }

    #[test]
    fn every_text_color_has_a_contrast_of_at_least_4_5() {
        for (name, text, ground) in [
            ("text", TEXT, PANEL),
            ("weak", WEAK, PANEL),
            ("weak in well", WEAK, WELL),
            ("accent", ACCENT, PANEL),
            ("alarm", ALARM, PANEL),
            ("warning", WARNING, PANEL),
            ("good", GOOD, PANEL),
            ("button", TEXT, BUTTON),
            ("hover", TEXT, BUTTON_HOVER),
            ("chosen", TEXT, ACCENT_DEEP),
            ("beam", TEXT, BEAM_DEEP),
            ("ecg", ECG, BACKGROUND),
            ("pressure", PRESSURE, BACKGROUND),
            ("tip", TIP, BACKGROUND),
            ("saturation", SPO2, BACKGROUND),
        ] {
            let c = contrast(text, ground);
            assert!(c >= 4.5, "{name}: {c:.2}");
        }
    }

    #[test]
    fn the_zoom_follows_the_window() {
        assert!((zoom_for(Vec2::new(1280.0, 800.0)) - 1.0).abs() < 1e-6);
        assert!((zoom_for(Vec2::new(1920.0, 1080.0)) - 1.35).abs() < 1e-6);
    }
}
