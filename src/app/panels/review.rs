//! Review: strip of runs, the picture with lines drawn on it, and the tools beside it.

use bevy_egui::egui::{
    Button, Color32, ColorImage, CornerRadius, PointerButton, Pos2, Rect, Response, RichText, ScrollArea,
    Sense, Slider, Stroke, StrokeKind, TextureId, TextureOptions, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::review::{ReviewAction, ReviewView, Source, Tool, scale_words};
use super::super::shelf::GrayPicture;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{SkinView, View};
use super::super::widgets::{caption, choice, pair, picture_text};
use crate::imaging::review::ViewTrace;
use crate::sim::command::AcquisitionKind;

/// Width of the tools, points.
const TOOLS_WIDTH: f32 = 232.0;
/// Side of a thumbnail, points.
const THUMB: f32 = 84.0;
/// Step of the pixel shift, mm at the detector.
const SHIFT_STEP_MM: f64 = 0.1;

/// A picture that this panel keeps as a texture until its version changes.
fn texture(ui: &Ui, name: &str, version: u64, make: impl FnOnce() -> ColorImage) -> TextureId {
    type Kept = (u64, bevy_egui::egui::TextureHandle);
    let id = bevy_egui::egui::Id::new(("picture", name));
    let kept: Option<Kept> = ui.ctx().data(|d| d.get_temp(id));
    if let Some((_, handle)) = kept.filter(|k| k.0 == version) {
        return handle.id();
    }
    let handle = ui.ctx().load_texture(name, make(), TextureOptions::LINEAR);
    let texture = handle.id();
    ui.ctx().data_mut(|d| d.insert_temp(id, (version, handle)));
    texture
}

fn gray_image(columns: usize, rows: usize, gray: &[u8]) -> ColorImage {
    ColorImage::from_gray([columns, rows], gray)
}

fn draw(ui: &Ui, rect: Rect, id: TextureId) {
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(id, rect, uv, Color32::WHITE);
}

/// The whole review, in place of the monitors.
pub fn review_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let Some(review) = &view.review else { return };
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width(THUMB + 14.0);
            strip_ui(ui, review, out);
        });
        let side = (ui.available_width() - TOOLS_WIDTH - 12.0).min(ui.available_height()).max(80.0);
        ui.vertical(|ui| {
            ui.set_width(side);
            picture_ui(ui, review, side, out);
        });
        ui.vertical(|ui| {
            ui.set_width(ui.available_width().max(80.0));
            ScrollArea::vertical().id_salt("review tools").show(ui, |ui| tools_ui(ui, view, review, out));
        });
    });
}

fn strip_ui(ui: &mut Ui, review: &ReviewView, out: &mut Out) {
    ScrollArea::vertical().id_salt("runs").show(ui, |ui| {
        for tile in &review.tiles {
            let (rect, response) = ui.allocate_exact_size(vec2(THUMB, THUMB), Sense::click());
            let title = tile.title.clone();
            response.widget_info(move || WidgetInfo::labeled(WidgetType::Button, true, &title));
            ui.painter().rect_filled(rect, CornerRadius::ZERO, Color32::BLACK);
            if let (Some(thumb), Source::Run(run)) = (&tile.thumb, tile.source) {
                let id = texture(ui, &format!("thumb {run}"), thumb_version(thumb), || {
                    gray_image(thumb.columns, thumb.rows, &thumb.gray)
                });
                draw(ui, rect, id);
            }
            let on = tile.source == review.source;
            let edge = if on { Stroke::new(2.0, theme::ACCENT) } else { Stroke::new(1.0, theme::LINE) };
            ui.painter().rect_stroke(rect, CornerRadius::ZERO, edge, StrokeKind::Inside);
            let at = rect.left_bottom() + vec2(4.0, -3.0);
            picture_text(ui, at, bevy_egui::egui::Align2::LEFT_BOTTOM, &tile.title, 9.0, theme::ON_PICTURE);
            if response.clicked() && !on {
                out.ui.push(UiAction::Review(ReviewAction::Show(tile.source)));
            }
        }
    });
}

/// A thumbnail grows darker as its run fills: its sum tells whether it is the same.
fn thumb_version(thumb: &GrayPicture) -> u64 {
    thumb.gray.iter().map(|g| u64::from(*g)).sum()
}

fn picture_ui(ui: &mut Ui, review: &ReviewView, side: f32, out: &mut Out) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::Review)));
    ui.painter().rect_filled(rect, CornerRadius::ZERO, Color32::BLACK);
    let Some(picture) = &review.picture else {
        picture_text(
            ui,
            rect.center(),
            bevy_egui::egui::Align2::CENTER_CENTER,
            t(Text::Loading),
            13.0,
            theme::WEAK,
        );
        return;
    };
    let f = &picture.frame;
    let id = texture(ui, "review", review.version, || gray_image(f.columns, f.rows, &f.gray));
    let shown = review.zoom.shown();
    let [left, top, right, bottom] = shown.map(|v| v as f32);
    let uv = Rect::from_min_max(pos2(left, top), pos2(right, bottom));
    ui.painter().image(id, rect, uv, Color32::WHITE);
    let scale = rect.width() * review.zoom.factor as f32 / f.columns as f32;
    let corner = [shown[0] * f.columns as f64, shown[1] * f.rows as f64];
    let to_screen = |p: [f64; 2]| -> Pos2 {
        let at = [0, 1].map(|i| (p[i] + 0.5 - corner[i]) as f32 * scale);
        rect.left_top() + vec2(at[0], at[1])
    };
    let to_pixel = |p: Pos2| -> [f64; 2] {
        let d = (p - rect.left_top()) / scale;
        [f64::from(d.x) - 0.5 + corner[0], f64::from(d.y) - 0.5 + corner[1]]
    };
    zoom_by_hand(ui, review, rect, &response, out);
    let dragged = ui.input(|i| i.pointer.press_origin().zip(i.pointer.interact_pos()));
    if review.tool != Tool::Off && response.dragged_by(PointerButton::Primary) {
        if let Some((from, to)) = dragged {
            ui.painter().line_segment([from, to], Stroke::new(1.5, theme::ACCENT));
        }
    } else if let Some([a, b]) = review.line {
        ui.painter()
            .with_clip_rect(rect)
            .line_segment([to_screen(a), to_screen(b)], Stroke::new(1.5, theme::TIP));
    }
    if review.tool != Tool::Off
        && response.drag_stopped_by(PointerButton::Primary)
        && let (Some((from, _)), Some(to)) = (
            response.interact_pointer_pos().map(|p| (p - response.total_drag_delta().unwrap_or_default(), p)),
            response.interact_pointer_pos(),
        )
    {
        out.ui.push(UiAction::Review(ReviewAction::Line([to_pixel(from), to_pixel(to)])));
    }
    if response.dragged_by(PointerButton::Secondary) {
        let d = response.drag_delta();
        let s = &review.settings;
        let window = (s.window * (1.0 + d.x * 0.005)).clamp(0.05, 10.0);
        out.ui.push(UiAction::Review(ReviewAction::Window(window, s.level + d.y * 0.004 * s.window)));
    }
    words_ui(ui, review, rect);
}

/// The wheel zooms about the pointer; the middle button, and the left one while no tool is in hand, move what is shown.
fn zoom_by_hand(ui: &Ui, review: &ReviewView, rect: Rect, response: &Response, out: &mut Out) {
    let share = |p: Pos2| {
        let [left, top, right, bottom] = review.zoom.shown();
        let at = (p - rect.left_top()) / rect.width();
        [left + f64::from(at.x) * (right - left), top + f64::from(at.y) * (bottom - top)]
    };
    let turned = ui.input(|i| i.smooth_scroll_delta.y);
    if let Some(at) = response.hover_pos().filter(|_| turned != 0.0) {
        let factor = f64::from(turned * 0.004).exp();
        out.ui.push(UiAction::Review(ReviewAction::Zoom(factor, share(at))));
    }
    let moves = response.dragged_by(PointerButton::Middle)
        || (review.tool == Tool::Off && response.dragged_by(PointerButton::Primary));
    if moves && review.zoom.factor > 1.0 {
        let d = response.drag_delta() / (rect.width() * review.zoom.factor as f32);
        out.ui.push(UiAction::Review(ReviewAction::Pan([-f64::from(d.x), -f64::from(d.y)])));
    }
}

fn words_ui(ui: &Ui, review: &ReviewView, rect: Rect) {
    use bevy_egui::egui::Align2;
    let Some(picture) = &review.picture else { return };
    let arm = &picture.frame.arm;
    let mut lines = vec![
        t(Text::ReviewSign).to_owned(),
        match review.source {
            Source::Run(run) => format!("{} {run}", t(Text::RunWord)),
            Source::Loop(number) => format!("{} {number}", t(Text::LoopWord)),
        },
        format!("{} {} / {}", t(Text::FrameWord), review.settings.frame + 1, picture.frames),
    ];
    if let Some([first, last]) = picture.mask {
        lines.push(format!("{} {}-{}", t(Text::MaskWord), first + 1, last + 1));
    }
    let [right, up] = review.settings.shift_mm;
    if right != 0.0 || up != 0.0 {
        lines.push(format!("{} {right:+.1} {up:+.1} mm", t(Text::PixelShift)));
    }
    for (i, line) in lines.iter().enumerate() {
        let at = rect.right_top() + vec2(-10.0, 10.0 + 16.0 * i as f32);
        picture_text(ui, at, Align2::RIGHT_TOP, line, 12.0, theme::ON_PICTURE);
    }
    let at = rect.left_bottom() + vec2(10.0, -10.0);
    let angles = super::super::views::angles(arm.primary_deg, arm.secondary_deg);
    picture_text(ui, at, Align2::LEFT_BOTTOM, &angles, 12.0, theme::ON_PICTURE);
}

fn tools_ui(ui: &mut Ui, view: &View, review: &ReviewView, out: &mut Out) {
    let mut push = |action: ReviewAction| out.ui.push(UiAction::Review(action));
    let tip = |key: KeyAction| format!("{} ({})", key.label(), view.keys.keys_of(key));
    ui.horizontal(|ui| {
        for (text, action, key) in [
            ("\u{25C0}", ReviewAction::Frame(-1), KeyAction::ReferenceBack),
            (
                t(if review.playing { Text::Stop } else { Text::PlayRun }),
                ReviewAction::Play,
                KeyAction::ReferencePlay,
            ),
            ("\u{25B6}", ReviewAction::Frame(1), KeyAction::ReferenceForward),
        ] {
            if ui.button(text).on_hover_text(tip(key)).clicked() {
                push(action);
            }
        }
        if ui.button(t(Text::Close)).on_hover_text(tip(KeyAction::Review)).clicked() {
            push(ReviewAction::Toggle);
        }
    });
    if review.kind == AcquisitionKind::Dsa {
        subtraction_ui(ui, review, &tip(KeyAction::Remask), &mut push);
    }
    display_ui(ui, review, &mut push);
    ui.horizontal_wrapped(|ui| {
        if review.kind == AcquisitionKind::Dsa
            && ui.button(t(Text::AsRoadmap)).on_hover_text(t(Text::AsRoadmapHelp)).clicked()
        {
            push(ReviewAction::Roadmap);
        }
        if ui.button(t(Text::ToReference)).on_hover_text(tip(KeyAction::SendToReference)).clicked() {
            push(ReviewAction::ToReference);
        }
        if ui.button(t(Text::SavePicture)).on_hover_text(t(Text::SavePictureHelp)).clicked() {
            push(ReviewAction::Save);
        }
    });
    ui.horizontal(|ui| {
        let factor = review.zoom.factor;
        caption(ui, &format!("{} {factor:.1}x", t(Text::DigitalZoom)))
            .on_hover_text(t(Text::DigitalZoomHelp));
        for (sign, by) in [("\u{2212}", 0.8), ("+", 1.25)] {
            if ui.small_button(sign).clicked() {
                push(ReviewAction::Zoom(by, review.zoom.center));
            }
        }
        if ui.add_enabled(factor > 1.0, Button::new(t(Text::WholePicture)).small()).clicked() {
            push(ReviewAction::WholePicture);
        }
    });
    ui.separator();
    measure_ui(ui, review, &mut push);
}

fn subtraction_ui(ui: &mut Ui, review: &ReviewView, tip: &str, push: &mut impl FnMut(ReviewAction)) {
    let s = &review.settings;
    ui.horizontal_wrapped(|ui| {
        if ui.add(Button::new(t(Text::Subtracted)).selected(s.subtract)).clicked() {
            push(ReviewAction::Subtract);
        }
        if ui.button(t(Text::MaskHere)).on_hover_text(tip).clicked() {
            push(ReviewAction::MaskHere);
        }
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::PixelShift)).on_hover_text(t(Text::PixelShiftHelp));
        for (arrow, right, up) in [
            ("\u{2190}", -SHIFT_STEP_MM, 0.0),
            ("\u{2192}", SHIFT_STEP_MM, 0.0),
            ("\u{2191}", 0.0, SHIFT_STEP_MM),
            ("\u{2193}", 0.0, -SHIFT_STEP_MM),
        ] {
            if ui.small_button(arrow).clicked() {
                push(ReviewAction::Shift(right, up));
            }
        }
        if ui.small_button("0").clicked() {
            push(ReviewAction::ResetShift);
        }
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::Landmark)).on_hover_text(t(Text::LandmarkHelp));
        let mut share = s.landmark;
        if ui.add(Slider::new(&mut share, 0.0..=0.5).show_value(false)).changed() {
            push(ReviewAction::Landmark(share));
        }
    });
}

fn display_ui(ui: &mut Ui, review: &ReviewView, push: &mut impl FnMut(ReviewAction)) {
    let s = &review.settings;
    ui.horizontal_wrapped(|ui| {
        caption(ui, t(Text::ViewTrace)).on_hover_text(t(Text::ViewTraceHelp));
        let kinds = [
            (ViewTrace::Off, t(Text::TraceOff)),
            (ViewTrace::Opacified, t(Text::TraceIodine)),
            (ViewTrace::Gas, t(Text::TraceGas)),
        ];
        if let Some(trace) = choice(ui, s.trace, &kinds) {
            push(ReviewAction::Trace(trace));
        }
    });
    let (mut window, mut level, mut edge) = (s.window, s.level, s.edge);
    let mut changed = false;
    for (text, value, range) in
        [(Text::Window, &mut window, 0.1..=6.0), (Text::Level, &mut level, -2.0..=2.0)]
    {
        ui.horizontal(|ui| {
            caption(ui, t(text)).on_hover_text(t(Text::WindowHelp));
            changed |= ui.add(Slider::new(value, range).fixed_decimals(2)).changed();
        });
    }
    if changed {
        push(ReviewAction::Window(window, level));
    }
    ui.horizontal(|ui| {
        caption(ui, t(Text::EdgeBoost));
        if ui.add(Slider::new(&mut edge, 0.0..=2.0).show_value(false)).changed() {
            push(ReviewAction::Edge(edge));
        }
    });
    if ui.add(Button::new(t(Text::Invert)).selected(s.invert)).clicked() {
        push(ReviewAction::Invert);
    }
}

fn measure_ui(ui: &mut Ui, review: &ReviewView, push: &mut impl FnMut(ReviewAction)) {
    ui.label(RichText::new(t(Text::Measure)).strong());
    let tools = [
        (Tool::Off, t(Text::ToolOff)),
        (Tool::Catheter, t(Text::ToolCalibrate)),
        (Tool::Distance, t(Text::ToolDistance)),
        (Tool::Reference, t(Text::ToolReference)),
        (Tool::Throat, t(Text::ToolThroat)),
    ];
    if let Some(tool) = choice(ui, review.tool, &tools) {
        push(ReviewAction::Tool(tool));
    }
    if review.tool == Tool::Catheter {
        let sizes = [(4.0, "4 F"), (5.0, "5 F"), (6.0, "6 F"), (7.0, "7 F"), (8.0, "8 F")];
        if let Some(french) = choice(ui, review.french, &sizes) {
            push(ReviewAction::French(french));
        }
    }
    if review.tool != Tool::Off {
        caption(ui, t(Text::MeasureHelp));
    }
    if let Some(calibration) = review.calibration() {
        pair(ui, t(Text::Scale), "");
        caption(ui, &scale_words(&calibration));
    }
    let m = &review.measured;
    for (text, value, unit) in [
        (Text::ToolDistance, m.distance_mm, "mm"),
        (Text::ToolReference, m.reference_mm, "mm"),
        (Text::ToolThroat, m.throat_mm, "mm"),
        (Text::Stenosis, m.stenosis(), "%"),
    ] {
        if let Some(value) = value {
            pair(ui, t(text), &format!("{value:.1} {unit}"));
        }
    }
    if let Some(fault) = &m.fault {
        ui.label(RichText::new(fault).color(theme::WARNING));
    }
}

/// Dose on the patient's skin with its scale, in a square.
pub fn skin_ui(ui: &mut Ui, view: &View, skin: &SkinView, out: &mut Out) {
    ui.horizontal(|ui| {
        ui.label(t(Text::SkinDose)).on_hover_text(t(Text::SkinHelp));
        if ui.button(t(Text::Close)).clicked() {
            out.ui.push(UiAction::ToggleSkin);
        }
    });
    let side = ui.available_width().min(ui.available_height());
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, t(Text::SkinDose)));
    ui.painter().rect_filled(rect, CornerRadius::ZERO, theme::WELL);
    let p = &skin.picture;
    if p.columns > 0 {
        let id = texture(ui, "skin", skin.version, || ColorImage::from_rgb([p.columns, p.rows], &p.rgb));
        let room = rect.shrink2(vec2(4.0, 34.0));
        let scale = (room.width() / p.columns as f32).min(room.height() / p.rows as f32);
        let size = vec2(p.columns as f32 * scale, p.rows as f32 * scale);
        draw(ui, Rect::from_center_size(room.center(), size), id);
    }
    use bevy_egui::egui::Align2;
    let top = format!("{}   |   {}", t(Text::FromBehind), t(Text::FromFront));
    picture_text(ui, rect.center_top() + vec2(0.0, 8.0), Align2::CENTER_TOP, &top, 11.5, theme::ON_PICTURE);
    let peak = view.snapshot.xray.dose.peak_skin_mgy;
    let words = [
        format!("{} {:.0} mGy", t(Text::ColorsTo), skin.top_mgy),
        format!("{} {peak:.1} mGy", t(Text::PeakSkin)),
    ];
    for (line, words) in words.iter().enumerate() {
        let at = rect.center_bottom() - vec2(0.0, 4.0 + 15.0 * line as f32);
        picture_text(ui, at, Align2::CENTER_BOTTOM, words, 11.5, theme::ON_PICTURE);
    }
}
