//! Recordings: the list of finished runs, and what drives a replay: transport, timeline, errors.

use bevy_egui::egui::{
    Align, Align2, Button, Color32, CornerRadius, FontId, Frame, Label, Layout, Margin, Rect, RichText,
    ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use super::super::out::{Out, ReplayAction, UiAction};
use super::super::review::ReviewAction;
use super::super::texts::{Text, fill, t};
use super::super::theme;
use super::super::view::{ErrorView, RecordingCard, ReplayView, View};
use super::super::widgets::{caption, choice};
use super::{clock, grade_words, log_ui};
use crate::units::TICKS_PER_S;

/// Finished runs, the newest first.
pub fn recordings_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let side = ((ui.available_width() - 1000.0) / 2.0).max(24.0) as i8;
    Frame::new().inner_margin(Margin::symmetric(side, 20)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(t(Text::Recordings)).size(30.0).strong());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(Button::new(t(Text::Back)).min_size(vec2(120.0, 34.0))).clicked() {
                    out.ui.push(UiAction::ToMenu);
                }
            });
        });
        ui.add_space(12.0);
        if view.recordings.is_empty() {
            caption(ui, t(Text::NoRecordings));
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for card in &view.recordings {
                recording_ui(ui, card, out);
                ui.add_space(8.0);
            }
        });
    });
}

fn recording_ui(ui: &mut Ui, card: &RecordingCard, out: &mut Out) {
    theme::card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                ui.set_width(ui.available_width() - 290.0);
                ui.add(Label::new(RichText::new(&card.title).size(16.5).strong()).truncate());
                let length = card.seconds.map_or_else(String::new, |s| format!("   {}", clock(s)));
                caption(ui, &format!("{}{length}   {}", card.date, card.run));
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let play = Button::new(RichText::new(t(Text::Replay)).strong())
                    .fill(theme::ACCENT_DEEP)
                    .min_size(vec2(100.0, 34.0));
                if ui.add(play).clicked() {
                    out.ui.push(UiAction::OpenReplay(card.path.clone(), None));
                }
                ui.add_space(12.0);
                match card.score {
                    Some((score, max)) => {
                        let (word, color) = if card.passed {
                            (Text::Passed, theme::GOOD)
                        } else {
                            (Text::Failed, theme::ALARM)
                        };
                        ui.vertical(|ui| {
                            ui.label(RichText::new(format!("{score:.0} / {max:.0}")).size(16.5).strong());
                            ui.label(RichText::new(t(word)).color(color));
                        });
                    }
                    None => {
                        caption(ui, t(Text::NoScore));
                    }
                }
            });
        });
    });
}

/// Transport and timeline, in one line.
pub fn transport_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let Some(replay) = &view.replay else { return };
    let state = &replay.state;
    let (now_s, end_s) = (seconds(state.tick), seconds(state.last_tick));
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new(t(Text::Replay)).strong().color(theme::ACCENT));
        if ui.button("\u{23EA} 10 s").clicked() {
            out.ui.push(UiAction::Replay(ReplayAction::JumpTo(now_s - 10.0)));
        }
        let text = if state.paused { Text::Continue } else { Text::Pause };
        if ui.add(Button::new(t(text)).min_size(vec2(84.0, 26.0))).clicked() {
            out.ui.push(UiAction::Replay(ReplayAction::Pause(!state.paused)));
        }
        let speed = state.speed.round() as u32;
        if let Some(speed) = choice(ui, speed, &[(1, "1x"), (2, "2x"), (4, "4x")]) {
            out.ui.push(UiAction::Replay(ReplayAction::Speed(f64::from(speed))));
        }
        ui.label(RichText::new(format!("{} / {}", clock(now_s), clock(end_s))).monospace().size(15.0));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(t(Text::Close)).clicked() {
                out.ui.push(UiAction::CloseReplay);
            }
            if ui.add(Button::new(t(Text::Review)).selected(view.review.is_some())).clicked() {
                out.ui.push(UiAction::Review(ReviewAction::Toggle));
            }
            if view.time_factor > 0.0 && view.time_factor < 0.9 * state.speed && !state.paused {
                caption(ui, &format!("{:.1}x", view.time_factor));
            }
            timeline_ui(ui, replay, out);
        });
    });
}

fn seconds(tick: u64) -> f64 {
    tick as f64 / TICKS_PER_S as f64
}

/// The whole recording as a line with its errors; a click goes there.
fn timeline_ui(ui: &mut Ui, replay: &ReplayView, out: &mut Out) {
    let state = &replay.state;
    let end_s = seconds(state.last_tick).max(1e-3);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 24.0), Sense::click_and_drag());
    let now_s = seconds(state.tick);
    response.widget_info(move || WidgetInfo::slider(true, now_s, t(Text::Timeline)));
    let line = Rect::from_center_size(rect.center(), vec2(rect.width() - 12.0, 6.0));
    let x_of = |time_s: f64| line.left() + (time_s / end_s).clamp(0.0, 1.0) as f32 * line.width();
    let time_at = |x: f32| f64::from(((x - line.left()) / line.width()).clamp(0.0, 1.0)) * end_s;
    let painter = ui.painter();
    painter.rect_filled(line, CornerRadius::same(3), theme::LINE);
    let done = line.with_max_x(x_of(now_s));
    painter.rect_filled(done, CornerRadius::same(3), theme::ACCENT_DEEP);
    if let Some((from, to)) = state.jump {
        let way = Rect::from_x_y_ranges(x_of(seconds(from))..=x_of(seconds(to)), line.y_range());
        painter.rect_stroke(
            way.expand(2.0),
            CornerRadius::same(3),
            Stroke::new(1.5, theme::ACCENT),
            bevy_egui::egui::StrokeKind::Outside,
        );
    }
    for error in &replay.errors {
        let (_, color) = grade_words(error.grade);
        let x = x_of(error.time_s);
        painter
            .line_segment([pos2(x, rect.top() + 2.0), pos2(x, rect.bottom() - 2.0)], Stroke::new(2.0, color));
    }
    painter.circle(pos2(x_of(now_s), line.center().y), 6.0, theme::ACCENT, Stroke::new(1.0, Color32::BLACK));
    if let Some(pointer) = response.hover_pos().or_else(|| response.interact_pointer_pos()) {
        let at = pos2(pointer.x, rect.bottom() + 2.0);
        painter.text(at, Align2::CENTER_TOP, clock(time_at(pointer.x)), FontId::monospace(12.0), theme::TEXT);
    }
    // The way there is simulated again, so a drag jumps once, at its end.
    if (response.clicked() || response.drag_stopped())
        && let Some(pointer) = response.interact_pointer_pos()
    {
        out.ui.push(UiAction::Replay(ReplayAction::JumpTo(time_at(pointer.x))));
    }
}

/// Beside the pictures: what is simulated again, errors of the report, patient, log.
pub fn replay_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let Some(replay) = &view.replay else { return };
    ui.add(Label::new(RichText::new(&view.case.title).size(17.0).strong()).wrap());
    caption(ui, &view.case.patient);
    ui.add_space(6.0);
    if let Some((from, to)) = replay.state.jump {
        let share = (replay.state.tick.saturating_sub(from)) as f32 / (to.saturating_sub(from)).max(1) as f32;
        let text = fill(Text::Simulating, &[&clock(seconds(to))]);
        ui.add(bevy_egui::egui::ProgressBar::new(share).text(text));
        ui.add_space(6.0);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_width(ui.available_width() - 4.0);
        ui.label(RichText::new(t(Text::Errors)).strong().size(15.5));
        if replay.errors.is_empty() {
            caption(ui, t(Text::NoErrors));
        }
        for error in &replay.errors {
            error_ui(ui, error, seconds(replay.state.tick), out);
        }
        ui.add_space(8.0);
        ui.label(RichText::new(t(Text::Log)).strong().size(15.5));
        log_ui(ui, view, out);
    });
}

fn error_ui(ui: &mut Ui, error: &ErrorView, now_s: f64, out: &mut Out) {
    let (grade, color) = grade_words(error.grade);
    let near = (error.time_s - now_s).abs() < 3.0;
    let frame = if near { theme::card_frame().stroke((1.5, color)) } else { theme::card_frame() };
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            if ui
                .button(RichText::new(clock(error.time_s)).monospace())
                .on_hover_text(t(Text::GoThere))
                .clicked()
            {
                out.ui.push(UiAction::Replay(ReplayAction::JumpToError(error.time_s)));
            }
            ui.label(RichText::new(t(grade)).strong().color(color));
            ui.label(RichText::new(&error.name).strong());
        });
        ui.label(&error.what);
        if near {
            ui.label(RichText::new(&error.instead).color(theme::ACCENT));
        }
    });
    ui.add_space(4.0);
}
