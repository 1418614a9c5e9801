//! Curves and numbers of the patient monitor. Every number carries its label; colors only help.

use bevy_egui::egui::{
    Align2, Color32, FontId, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{TRACE_S, TraceSample, View};

/// Alarm limits: heart rate low, high; systolic low, high; saturation low.
const HEART_RATE_LIMITS: [f64; 2] = [50.0, 120.0];
const SYSTOLIC_LIMITS_MMHG: [f64; 2] = [90.0, 160.0];
const SPO2_LIMIT_PCT: f64 = 90.0;

/// ECG, arterial pressure, saturation.
pub fn vitals_ui(ui: &mut Ui, view: &View) {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    let p = &view.snapshot.patient;
    let words = format!(
        "{} {:.0}, {} {:.0}/{:.0}, {} {:.0}",
        t(Text::HeartRate),
        p.heart_rate_bpm,
        t(Text::Art),
        p.systolic_mmhg,
        p.diastolic_mmhg,
        t(Text::Spo2),
        p.spo2_pct
    );
    response.widget_info(move || WidgetInfo::labeled(WidgetType::Label, true, &words));
    ui.painter().rect_filled(rect, 4.0, theme::BACKGROUND);
    let row = rect.height() / 3.0;
    let numbers = 108.0_f32.min(rect.width() * 0.4);
    let wave = |i: usize| {
        Rect::from_min_max(
            pos2(rect.left() + 6.0, rect.top() + i as f32 * row + 18.0),
            pos2(rect.right() - numbers - 6.0, rect.top() + (i + 1) as f32 * row - 4.0),
        )
    };
    let number = |i: usize| {
        Rect::from_min_max(
            pos2(rect.right() - numbers, rect.top() + i as f32 * row),
            pos2(rect.right() - 6.0, rect.top() + (i + 1) as f32 * row),
        )
    };
    curve(ui, view, wave(0), [-0.6, 1.4], theme::ECG, |s| s.ecg_mv);
    let scale = pressure_scale(view);
    curve(ui, view, wave(1), scale, theme::PRESSURE, |s| s.pressure_mmhg);
    label(ui, wave(0), t(Text::Ecg), "", theme::ECG);
    label(ui, wave(1), t(Text::Art), &format!("{:.0}-{:.0}", scale[0], scale[1]), theme::PRESSURE);
    let hr_alarm = p.heart_rate_bpm < HEART_RATE_LIMITS[0] || p.heart_rate_bpm > HEART_RATE_LIMITS[1];
    big(ui, number(0), &format!("{:.0}", p.heart_rate_bpm), t(Text::HeartRate), theme::ECG, hr_alarm);
    let ap_alarm = p.systolic_mmhg < SYSTOLIC_LIMITS_MMHG[0] || p.systolic_mmhg > SYSTOLIC_LIMITS_MMHG[1];
    let pressure = format!("{:.0}/{:.0}", p.systolic_mmhg, p.diastolic_mmhg);
    let name = format!("{} ({:.0})", t(Text::Art), p.mean_mmhg);
    big(ui, number(1), &pressure, &name, theme::PRESSURE, ap_alarm);
    big(
        ui,
        number(2),
        &format!("{:.0}", p.spo2_pct),
        t(Text::Spo2),
        theme::SPO2,
        p.spo2_pct < SPO2_LIMIT_PCT,
    );
    let low = Rect::from_min_max(
        pos2(rect.left() + 6.0, rect.top() + 2.0 * row),
        pos2(rect.right() - numbers, rect.bottom()),
    );
    small_numbers(ui, view, low);
}

/// Scale of the pressure curve, mmHg: the last seconds with a margin, in steps of 20.
fn pressure_scale(view: &View) -> [f32; 2] {
    let values = || view.trace.samples.iter().map(|s| s.pressure_mmhg);
    let (low, high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
    if low > high {
        return [40.0, 140.0];
    }
    [((low - 6.0) / 20.0).floor() * 20.0, ((high + 6.0) / 20.0).ceil() * 20.0]
}

fn small_numbers(ui: &Ui, view: &View, area: Rect) {
    let p = &view.snapshot.patient;
    let lines = [
        format!("{} {:.0} /min", t(Text::Resp), p.respiration_bpm),
        format!("{} {:.0} s", t(Text::Act), p.act_s),
        format!("{} {:.0} mL", t(Text::BloodLoss), p.blood_loss_ml),
    ];
    let step = (area.height() / 3.0).min(24.0);
    let top = area.center().y - step;
    for (i, line) in lines.iter().enumerate() {
        let at = pos2(area.left(), top + i as f32 * step);
        ui.painter().text(at, Align2::LEFT_CENTER, line, FontId::proportional(14.5), theme::TEXT);
    }
}

fn label(ui: &Ui, wave: Rect, name: &str, scale: &str, color: Color32) {
    let at = pos2(wave.left(), wave.top() - 3.0);
    let drawn = ui.painter().text(at, Align2::LEFT_BOTTOM, name, FontId::proportional(12.5), color);
    ui.painter().text(
        pos2(drawn.right() + 8.0, at.y),
        Align2::LEFT_BOTTOM,
        scale,
        FontId::proportional(12.0),
        theme::WEAK,
    );
}

fn big(ui: &Ui, area: Rect, value: &str, name: &str, color: Color32, alarm: bool) {
    let size = (area.height() * 0.42).min(area.width() * 1.75 / value.len().max(2) as f32).clamp(14.0, 46.0);
    let painter = ui.painter();
    painter.text(
        area.right_center() + vec2(0.0, 4.0),
        Align2::RIGHT_CENTER,
        value,
        FontId::proportional(size),
        color,
    );
    let name = if alarm { format!("** {name}") } else { name.to_owned() };
    let name_color = if alarm { theme::BEAM } else { color };
    painter.text(
        area.right_top() + vec2(0.0, 4.0),
        Align2::RIGHT_TOP,
        name,
        FontId::proportional(13.0),
        name_color,
    );
}

fn curve(
    ui: &Ui,
    view: &View,
    area: Rect,
    range: [f32; 2],
    color: Color32,
    value: impl Fn(&TraceSample) -> f32,
) {
    let Some(last) = view.trace.samples.back() else { return };
    let end = last.time_s;
    let points: Vec<Pos2> = view
        .trace
        .samples
        .iter()
        .map(|s| {
            let x = area.right() - ((end - s.time_s) / TRACE_S) as f32 * area.width();
            let share = ((value(s) - range[0]) / (range[1] - range[0])).clamp(0.0, 1.0);
            pos2(x, area.bottom() - share * area.height())
        })
        .collect();
    ui.painter().with_clip_rect(area.expand(2.0)).line(points, Stroke::new(1.5, color));
}
