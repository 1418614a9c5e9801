//! The live monitor: the X-ray picture with what a suite writes on it.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, PointerButton, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{PadMove, pad_move, picture_text};
use crate::imaging::{Frame, FrameKind, overlay_text, tilt_text};
use crate::sim::command::Pedal;
use crate::xray::FluoroLevel;
use crate::xray::outline::field_outline;

/// The picture in a square, its texts, the hand on it: left drag is the right hand, right drag the left, middle the table.
pub fn live_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let side = ui.available_width().min(ui.available_height());
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::LiveMonitor)));
    picture(ui, rect, view.live.texture, Text::NoPicture);
    out.live_rect = rect;
    let beam = view.snapshot.xray.pedal != Pedal::Off;
    let edge = if beam { Stroke::new(3.0, theme::BEAM) } else { Stroke::new(1.0, theme::LINE) };
    ui.painter().rect_stroke(rect, CornerRadius::ZERO, edge, StrokeKind::Inside);
    if !beam {
        virtual_field(ui, view, rect);
    }
    texts(ui, view, rect, beam);
    let moved = pad_move(ui, &response);
    for (button, tool) in
        [(PointerButton::Primary, view.hands.right), (PointerButton::Secondary, view.hands.left)]
    {
        let Some(tool) = tool else { continue };
        let mine = response.dragged_by(button);
        let wheel = button == PointerButton::Primary;
        let part = PadMove {
            drag: if mine { moved.drag } else { vec2(0.0, 0.0) },
            clicks: if wheel { moved.clicks } else { 0.0 },
            ..moved
        };
        out.strokes.extend(super::super::panels::stroke_of(tool, &part));
    }
    if response.dragged_by(PointerButton::Middle) {
        let offset = ui
            .input(|i| i.pointer.interact_pos().zip(i.pointer.press_origin()))
            .map_or(vec2(0.0, 0.0), |(a, b)| a - b);
        let sign = |v: f32| if v.abs() < 8.0 { 0.0 } else { f64::from(v.signum()) };
        out.held.table = [sign(offset.x), sign(-offset.y)];
    }
}

/// Where the next pulse would fall, on the held picture: blades, table, field and angles are set without a beam.
fn virtual_field(ui: &Ui, view: &View, rect: Rect) {
    let now = &view.snapshot.xray.arm;
    let Some(shown) = view.frame.as_ref().map(|f| &f.arm).filter(|a| *a != now) else { return };
    let Some(corners) = field_outline(now, shown) else { return };
    let at = |c: [f64; 2]| rect.left_top() + vec2(c[0] as f32, c[1] as f32) * rect.width();
    let painter = ui.painter().with_clip_rect(rect);
    for i in 0..4 {
        let line = [at(corners[i]), at(corners[(i + 1) % 4])];
        painter.extend(bevy_egui::egui::Shape::dashed_line(&line, Stroke::new(1.5, theme::BEAM), 8.0, 5.0));
    }
    let inside = rect.shrink(4.0).clamp(at(corners[3]));
    picture_text(ui, inside + vec2(4.0, -2.0), Align2::LEFT_BOTTOM, t(Text::VirtualField), 11.0, theme::BEAM);
}

/// A picture that fills its square, or a word when there is none.
pub(super) fn picture(ui: &Ui, rect: Rect, texture: Option<bevy_egui::egui::TextureId>, empty: Text) {
    ui.painter().rect_filled(rect, CornerRadius::ZERO, Color32::BLACK);
    match texture {
        Some(id) => {
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(id, rect, uv, Color32::WHITE);
        }
        None => {
            picture_text(ui, rect.center(), Align2::CENTER_CENTER, t(empty), 14.0, theme::WEAK);
        }
    }
}

/// LAO 30 CRA 20.
pub fn angles(primary_deg: f64, secondary_deg: f64) -> String {
    let part = |value: f64, plus: &str, minus: &str| {
        let word = if value.round() < 0.0 { minus } else { plus };
        format!("{word} {:.0}", value.abs())
    };
    format!("{}  {}", part(primary_deg, "LAO", "RAO"), part(secondary_deg, "CRA", "CAU"))
}

/// The frame whose words are shown; before the first picture an empty one of the present pose.
fn shown_frame(view: &View) -> Frame {
    view.frame.clone().unwrap_or_else(|| Frame {
        columns: 0,
        rows: 0,
        gray: Vec::new(),
        kind: FrameKind::Fluoro,
        live: false,
        run: None,
        frame_in_run: 0,
        pulse: 0,
        arm: view.snapshot.xray.arm,
        roadmap_moved_mm: None,
    })
}

fn texts(ui: &Ui, view: &View, rect: Rect, beam: bool) {
    let x = &view.snapshot.xray;
    let frame = shown_frame(view);
    let words = overlay_text(&frame, x);
    let size = (rect.width() / 48.0).clamp(9.0, 13.5);
    let line = size + 4.0;
    let inner = rect.shrink(10.0);
    let stack = |at: Pos2, align: Align2, lines: &[(String, Color32)]| {
        let down = align.y() == bevy_egui::egui::Align::Min;
        for (i, (text, color)) in lines.iter().enumerate() {
            let i = if down { i as f32 } else { -((lines.len() - 1 - i) as f32) };
            picture_text(ui, at + vec2(0.0, i * line), align, text, size, *color);
        }
    };
    let plain = |lines: Vec<String>| -> Vec<(String, Color32)> {
        lines.into_iter().map(|s| (s, theme::ON_PICTURE)).collect()
    };
    let mut top_left = plain(vec![view.case.title.clone(), view.case.patient.clone()]);
    top_left.extend(plain(words.top_left));
    stack(inner.left_top(), Align2::LEFT_TOP, &top_left);

    let mut top_right = plain(words.top_right);
    if let Some(first) = top_right.first_mut() {
        let live = beam && frame.live;
        *first = (
            t(if live { Text::Live } else { Text::Held }).to_owned(),
            if live { theme::BEAM } else { theme::ON_PICTURE },
        );
    }
    if beam {
        top_right.push((t(Text::XrayOn).to_owned(), theme::BEAM));
    }
    if x.level == FluoroLevel::High {
        top_right.push((t(Text::HighLevel).to_owned(), theme::WARNING));
    }
    if let Some(mask) = frame.run.and_then(|r| x.suite.run(r)).and_then(|r| r.mask) {
        top_right.push((format!("{} {}-{}", t(Text::MaskWord), mask[0] + 1, mask[1] + 1), theme::ON_PICTURE));
    }
    stack(inner.right_top(), Align2::RIGHT_TOP, &top_right);

    let mut bottom_left = plain(words.bottom_left);
    let (then, now) = (&frame.arm, &x.arm);
    if !then.is_turned_like(now, 0.5) {
        let mut text = format!("{} {}", t(Text::ArmNow), angles(now.primary_deg, now.secondary_deg));
        if let Some(tilt) = tilt_text(now) {
            text = format!("{text}  {tilt}");
        }
        bottom_left.insert(0, (text, theme::WARNING));
    }
    stack(inner.left_bottom(), Align2::LEFT_BOTTOM, &bottom_left);

    let mut bottom_right = plain(words.bottom_right);
    if view.case.dose_alert_mgy > 0.0 && x.air_kerma_mgy > view.case.dose_alert_mgy {
        bottom_right
            .push((format!("*** {} {:.0} mGy", t(Text::DoseAlert), view.case.dose_alert_mgy), theme::ALARM));
    }
    stack(inner.right_bottom(), Align2::RIGHT_BOTTOM, &bottom_right);
}
