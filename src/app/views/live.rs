//! The live monitor: the X-ray picture with what a suite writes on it.

use bevy_egui::egui::{
    Align2, Color32, CornerRadius, PointerButton, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType, pos2,
    vec2,
};

use super::super::out::Out;
use super::super::panels::clock;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{PadMove, pad_move, picture_text};
use crate::sim::command::{AcquisitionKind, Pedal};
use crate::sim::snapshot::XrayView;

/// The picture in a square, its texts, the hand on it: left drag is the right hand, right drag the left, middle the table.
pub fn live_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let side = ui.available_width().min(ui.available_height());
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::LiveMonitor)));
    picture(ui, rect, view.live.texture, Text::NoPicture);
    let beam = view.snapshot.xray.pedal != Pedal::Off;
    let edge = if beam { Stroke::new(3.0, theme::BEAM) } else { Stroke::new(1.0, theme::LINE) };
    ui.painter().rect_stroke(rect, CornerRadius::ZERO, edge, StrokeKind::Inside);
    texts(ui, view, rect, beam);
    let moved = pad_move(ui, &response);
    for (button, tool) in [(PointerButton::Primary, view.hands.right), (PointerButton::Secondary, view.hands.left)] {
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
        let offset = ui.input(|i| i.pointer.interact_pos().zip(i.pointer.press_origin())).map_or(vec2(0.0, 0.0), |(a, b)| a - b);
        let sign = |v: f32| if v.abs() < 8.0 { 0.0 } else { f64::from(v.signum()) };
        out.held.table = [sign(offset.x), sign(-offset.y)];
    }
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
pub(super) fn angles(primary_deg: f64, secondary_deg: f64) -> String {
    let part = |value: f64, plus: &str, minus: &str| {
        let word = if value.round() < 0.0 { minus } else { plus };
        format!("{word} {:.0}", value.abs())
    };
    format!("{}  {}", part(primary_deg, "LAO", "RAO"), part(secondary_deg, "CRA", "CAU"))
}

/// What the beam does, in the words of the pedals.
fn mode(x: &XrayView) -> String {
    match (x.pedal, x.acquisition) {
        (Pedal::Acquire, AcquisitionKind::Dsa) => t(Text::Dsa).to_owned(),
        (Pedal::Acquire, AcquisitionKind::Cine) => t(Text::Cine).to_owned(),
        _ if x.roadmap => t(Text::Roadmap).to_owned(),
        _ => t(Text::Fluoro).to_owned(),
    }
}

fn texts(ui: &Ui, view: &View, rect: Rect, beam: bool) {
    let x = &view.snapshot.xray;
    let size = (rect.width() / 50.0).clamp(9.0, 13.5);
    let line = size + 4.0;
    let inner = rect.shrink(10.0);
    let stack = |at: bevy_egui::egui::Pos2, align: Align2, lines: &[(String, Color32)], down: bool| {
        for (i, (text, color)) in lines.iter().enumerate() {
            let i = if down { i as f32 } else { -((lines.len() - 1 - i) as f32) };
            picture_text(ui, at + vec2(0.0, i * line), align, text, size, *color);
        }
    };
    let plain = |s: String| (s, theme::ON_PICTURE);
    let left = vec![plain(view.case.title.clone()), plain(view.case.patient.clone())];
    stack(inner.left_top(), Align2::LEFT_TOP, &left, true);
    let (state, color) = if beam { (Text::Live, theme::BEAM) } else { (Text::Held, theme::ON_PICTURE) };
    let mut right = vec![(t(state).to_owned(), color), plain(mode(x))];
    if beam {
        right.push((t(Text::XrayOn).to_owned(), theme::BEAM));
    }
    stack(inner.right_top(), Align2::RIGHT_TOP, &right, true);
    let arm = &x.arm;
    let left = vec![
        plain(angles(arm.primary_deg, arm.secondary_deg)),
        plain(format!("SID {:.0} cm   field {:.0} cm", arm.sid_mm / 10.0, arm.field_mm / 10.0)),
        plain(format!("table {:+.0} {:+.0} mm", arm.isocenter_mm.x, arm.isocenter_mm.z)),
    ];
    stack(inner.left_bottom(), Align2::LEFT_BOTTOM, &left, false);
    let k = &x.technique;
    let rate = if x.pedal == Pedal::Acquire { x.frame_rate_per_s } else { x.pulse_rate_per_s };
    let mut right = vec![
        plain(format!("{:.0} kV {:.0} mA {:.1} ms Cu {:.1}", k.tube_kv, k.tube_ma, k.pulse_ms, k.copper_mm)),
        plain(format!("{rate:.4} /s").replace(".0000", "").replace("000 /s", " /s").replace("00 /s", " /s")),
        plain(format!("total {:.1} mGy  {:.2} Gy cm2", x.air_kerma_mgy, x.kap_gy_cm2)),
        plain(format!("fluoro {}", clock(x.fluoro_time_s))),
    ];
    if beam {
        right.insert(2, (format!("rate {:.1} mGy/min", x.air_kerma_rate_mgy_per_min), theme::BEAM));
    }
    if view.case.dose_alert_mgy > 0.0 && x.air_kerma_mgy > view.case.dose_alert_mgy {
        right.push((format!("*** dose alert {:.0} mGy", view.case.dose_alert_mgy), theme::ALARM));
    }
    stack(inner.right_bottom(), Align2::RIGHT_BOTTOM, &right, false);
}
