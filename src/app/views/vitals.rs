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

/// Height of the line of small numbers, points.
const FOOT: f32 = 18.0;

/// ECG, arterial pressure, pressure at the tip of the connected lumen, saturation.
pub fn vitals_ui(ui: &mut Ui, view: &View) {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    let p = &view.snapshot.patient;
    let line = view.snapshot.connected_line();
    let mut words = format!(
        "{} {:.0}, {} {:.0}/{:.0}, {} {:.0}",
        t(Text::HeartRate),
        p.heart_rate_bpm,
        t(Text::Art),
        p.systolic_mmhg,
        p.diastolic_mmhg,
        t(Text::Spo2),
        p.spo2_pct
    );
    if let Some(line) = line {
        words += &format!(", {} {:.0}/{:.0}", t(Text::TipPressure), line.systolic_mmhg, line.diastolic_mmhg);
    }
    response.widget_info(move || WidgetInfo::labeled(WidgetType::Label, true, &words));
    ui.painter().rect_filled(rect, 4.0, theme::BACKGROUND);
    let rows = Rows {
        area: rect.with_max_y(rect.bottom() - FOOT),
        count: if line.is_some() { 4 } else { 3 },
        numbers: 108.0_f32.min(rect.width() * 0.4),
    };
    let hr_alarm = p.heart_rate_bpm < HEART_RATE_LIMITS[0] || p.heart_rate_bpm > HEART_RATE_LIMITS[1];
    curve(ui, view, rows.wave(0), [-0.6, 1.4], theme::ECG, |s| Some(s.ecg_mv));
    label(ui, rows.wave(0), t(Text::Ecg), "", theme::ECG);
    let rate = format!("{:.0}", p.heart_rate_bpm);
    big(ui, rows.number(0), &rate, t(Text::HeartRate), theme::ECG, hr_alarm);
    let ap_alarm = p.systolic_mmhg < SYSTOLIC_LIMITS_MMHG[0] || p.systolic_mmhg > SYSTOLIC_LIMITS_MMHG[1];
    let pressure = format!("{:.0}/{:.0}", p.systolic_mmhg, p.diastolic_mmhg);
    let name = format!("{} ({:.0})", t(Text::Art), p.mean_mmhg);
    pressure_row(ui, view, &rows, 1, t(Text::Art), theme::PRESSURE, |s| Some(s.pressure_mmhg));
    big(ui, rows.number(1), &pressure, &name, theme::PRESSURE, ap_alarm);
    if let Some(line) = line {
        let pressure = format!("{:.0}/{:.0}", line.systolic_mmhg, line.diastolic_mmhg);
        let damped = if line.damped { format!(" {}", t(Text::Damped)) } else { String::new() };
        let name = format!("{} ({:.0}){damped}", t(Text::TipPressure), line.mean_mmhg);
        pressure_row(ui, view, &rows, 2, t(Text::TipPressure), theme::TIP, |s| s.tip_mmhg);
        big(ui, rows.number(2), &pressure, &name, theme::TIP, false);
    }
    let last = rows.count - 1;
    curve(ui, view, rows.wave(last), [0.0, 1.1], theme::SPO2, |s| Some(s.pleth));
    label(ui, rows.wave(last), t(Text::Pleth), "", theme::SPO2);
    let spo2 = format!("{:.0}", p.spo2_pct);
    big(ui, rows.number(last), &spo2, t(Text::Spo2), theme::SPO2, p.spo2_pct < SPO2_LIMIT_PCT);
    small_numbers(ui, view, rect.with_min_y(rect.bottom() - FOOT));
}

/// Rows of a wave on the left and its number on the right.
struct Rows {
    area: Rect,
    count: usize,
    numbers: f32,
}

impl Rows {
    fn span(&self, i: usize) -> [f32; 2] {
        let height = self.area.height() / self.count as f32;
        [self.area.top() + i as f32 * height, self.area.top() + (i + 1) as f32 * height]
    }

    fn wave(&self, i: usize) -> Rect {
        let [top, bottom] = self.span(i);
        Rect::from_min_max(
            pos2(self.area.left() + 6.0, top + 16.0),
            pos2(self.area.right() - self.numbers - 6.0, bottom - 3.0),
        )
    }

    fn number(&self, i: usize) -> Rect {
        let [top, bottom] = self.span(i);
        Rect::from_min_max(pos2(self.area.right() - self.numbers, top), pos2(self.area.right() - 6.0, bottom))
    }
}

/// A pressure curve with its name and scale.
fn pressure_row(
    ui: &Ui,
    view: &View,
    rows: &Rows,
    row: usize,
    name: &str,
    color: Color32,
    value: impl Fn(&TraceSample) -> Option<f32>,
) {
    let scale = pressure_scale(view, &value);
    curve(ui, view, rows.wave(row), scale, color, value);
    label(ui, rows.wave(row), name, &format!("{:.0}-{:.0}", scale[0], scale[1]), color);
}

/// Scale of a pressure curve, mmHg: the last seconds with a margin, in steps of 20.
fn pressure_scale(view: &View, value: &impl Fn(&TraceSample) -> Option<f32>) -> [f32; 2] {
    let values = || view.trace.samples.iter().filter_map(value);
    let (low, high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
    if low > high {
        return [40.0, 140.0];
    }
    [((low - 6.0) / 20.0).floor() * 20.0, ((high + 6.0) / 20.0).ceil() * 20.0]
}

fn small_numbers(ui: &Ui, view: &View, area: Rect) {
    let p = &view.snapshot.patient;
    let words = format!(
        "{} {:.0} /min   {} {:.0} s   {} {:.0} mL",
        t(Text::Resp),
        p.respiration_bpm,
        t(Text::Act),
        p.act_s,
        t(Text::BloodLoss),
        p.blood_loss_ml
    );
    let at = pos2(area.left() + 6.0, area.center().y - 1.0);
    ui.painter().text(at, Align2::LEFT_CENTER, words, FontId::proportional(13.5), theme::TEXT);
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
    value: impl Fn(&TraceSample) -> Option<f32>,
) {
    let Some(last) = view.trace.samples.back() else { return };
    let end = last.time_s;
    let point = |s: &TraceSample, value: f32| -> Pos2 {
        let x = area.right() - ((end - s.time_s) / TRACE_S) as f32 * area.width();
        let share = ((value - range[0]) / (range[1] - range[0])).clamp(0.0, 1.0);
        pos2(x, area.bottom() - share * area.height())
    };
    let points = view.trace.samples.iter().filter_map(|s| value(s).map(|v| point(s, v))).collect();
    ui.painter().with_clip_rect(area.expand(2.0)).line(points, Stroke::new(1.5, color));
}
