//! Curves of a run over its time, with its errors as marks.

use bevy_egui::egui::{Color32, RichText, Stroke, Ui};
use egui_plot::{GridInput, GridMark, Line, Plot, PlotPoints, VLine};

use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{CurveSample, ReportView};
use super::grade_words;

/// Height of one plot, points.
const HEIGHT: f32 = 88.0;

type Curve = (Text, Color32, fn(&CurveSample) -> f64);

const CURVES: [Curve; 4] = [
    (Text::CurveKerma, theme::BEAM, |s| s.air_kerma_mgy),
    (Text::CurveContrast, theme::ACCENT, |s| s.contrast_ml),
    (Text::CurveForce, theme::WARNING, |s| s.hub_force_n),
    (Text::CurvePressure, theme::PRESSURE, |s| s.mean_mmhg),
];

/// Dose, contrast, force and pressure over the minutes of the run.
pub(super) fn curves_ui(ui: &mut Ui, report: &ReportView) {
    let (Some(first), Some(last)) = (report.curves.first(), report.curves.last()) else { return };
    let span = [first.time_s / 60.0, (last.time_s / 60.0).max(first.time_s / 60.0 + 0.1)];
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(t(Text::Curves)).strong().color(theme::ACCENT));
        for (i, (title, color, value)) in CURVES.into_iter().enumerate() {
            ui.label(RichText::new(t(title)).small().color(color));
            let is_last = i + 1 == CURVES.len();
            let points: PlotPoints<'_> = report.curves.iter().map(|s| [s.time_s / 60.0, value(s)]).collect();
            let plot = Plot::new(("curve", i))
                .height(if is_last { HEIGHT + 18.0 } else { HEIGHT })
                .link_axis("report", [true, false])
                .link_cursor("report", [true, false])
                .allow_drag(false)
                .allow_zoom(false)
                .allow_scroll(false)
                .allow_boxed_zoom(false)
                .show_background(false)
                .show_axes([is_last, true])
                .show_grid([false, true])
                .y_axis_min_width(40.0)
                .y_grid_spacer(round_marks)
                .y_axis_formatter(|mark, _| {
                    let digits = if mark.step_size < 1.0 { 1 } else { 0 };
                    format!("{:.digits$}", mark.value)
                })
                .include_y(0.0)
                .default_x_bounds(span[0], span[1]);
            let plot = if is_last { plot.x_axis_label(t(Text::CurveMinutes)) } else { plot };
            plot.show(ui, |plot| {
                for error in &report.errors {
                    let (_, mark) = grade_words(error.grade);
                    plot.vline(
                        VLine::new(error.name.clone(), error.time_s / 60.0).stroke(Stroke::new(1.0, mark)),
                    );
                }
                plot.line(Line::new(t(title), points).color(color).width(1.5));
            });
        }
    });
    ui.add_space(8.0);
}

/// Marks at multiples of 1, 2 or 5 times a power of ten, three or four of them.
fn round_marks(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let rough = ((high - low) / 3.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    (0..8)
        .map(|k| (first + k) as f64 * step)
        .take_while(|v| *v <= high)
        .map(|value| GridMark { value, step_size: step })
        .collect()
}
