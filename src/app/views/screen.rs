//! How pages and monitors share the window. Everything is laid out for a height of 800 points and zoomed.

use bevy_egui::egui::{Align, CentralPanel, Frame, Layout, Margin, Panel, RichText, Ui};

use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::panels::{self, clock};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{Screen, View};
use super::{live_ui, reference_ui, truth_ui, vitals_ui};

/// Width of the control panel, points.
const CONTROL_WIDTH: f32 = 352.0;
/// Height of the rail, points.
const RAIL_HEIGHT: f32 = 132.0;

/// The whole window.
pub fn screen_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.painter().rect_filled(ui.max_rect(), 0.0, theme::BACKGROUND);
    match view.screen {
        Screen::Menu => page_ui(ui, view, out, panels::menu_ui),
        Screen::Loading => page_ui(ui, view, out, panels::loading_ui),
        Screen::Briefing => page_ui(ui, view, out, panels::briefing_ui),
        Screen::Report => page_ui(ui, view, out, panels::report_ui),
        Screen::Recordings => page_ui(ui, view, out, panels::recordings_ui),
        Screen::Procedure | Screen::Paused => procedure_ui(ui, view, out),
        Screen::Replay => replay_ui(ui, view, out),
    }
    if view.screen == Screen::Paused && !view.keys_open {
        panels::pause_ui(ui, view, out);
    }
    panels::keys_ui(ui, view, out);
    panels::problem_ui(ui, view, out);
}

fn page_ui(ui: &mut Ui, view: &View, out: &mut Out, page: fn(&mut Ui, &View, &mut Out)) {
    CentralPanel::default().frame(Frame::new().fill(theme::BACKGROUND)).show(ui, |ui| page(ui, view, out));
}

fn procedure_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let dim = view.screen == Screen::Paused || view.keys_open || view.problem.is_some();
    Panel::top("top")
        .exact_size(34.0)
        .resizable(false)
        .frame(bar_frame())
        .show(ui, |ui| top_ui(ui, view, out));
    Panel::right("control").exact_size(CONTROL_WIDTH).resizable(false).frame(theme::panel_frame()).show(
        ui,
        |ui| {
            ui.add_enabled_ui(!dim, |ui| panels::control_ui(ui, view, out));
        },
    );
    Panel::bottom("rail").exact_size(RAIL_HEIGHT).resizable(false).frame(theme::panel_frame()).show(
        ui,
        |ui| {
            ui.add_enabled_ui(!dim, |ui| panels::rail_ui(ui, view, out));
        },
    );
    CentralPanel::default().frame(Frame::new().fill(theme::BACKGROUND).inner_margin(Margin::same(4))).show(
        ui,
        |ui| {
            ui.add_enabled_ui(!dim, |ui| monitors_ui(ui, view, out));
        },
    );
}

/// As the procedure, but nothing of it can be touched; transport above, errors and log beside.
fn replay_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    Panel::top("top")
        .exact_size(40.0)
        .resizable(false)
        .frame(bar_frame())
        .show(ui, |ui| panels::transport_ui(ui, view, out));
    Panel::right("control")
        .exact_size(CONTROL_WIDTH)
        .resizable(false)
        .frame(theme::panel_frame())
        .show(ui, |ui| panels::replay_ui(ui, view, out));
    // What the pictures and the rail would send goes nowhere.
    let mut nowhere = Out::default();
    Panel::bottom("rail")
        .exact_size(RAIL_HEIGHT)
        .resizable(false)
        .frame(theme::panel_frame())
        .show(ui, |ui| panels::rail_ui(ui, view, &mut nowhere));
    CentralPanel::default()
        .frame(Frame::new().fill(theme::BACKGROUND).inner_margin(Margin::same(4)))
        .show(ui, |ui| monitors_ui(ui, view, &mut nowhere));
    out.live_rect = nowhere.live_rect;
    // The reference monitor may be leafed through, stored runs reviewed.
    let harmless = |a: &UiAction| {
        matches!(
            a,
            UiAction::ReferenceRun(_)
                | UiAction::ReferenceFrame(_)
                | UiAction::ReferencePlay
                | UiAction::SendToReference
                | UiAction::Review(_)
        )
    };
    out.ui.extend(nowhere.ui.into_iter().filter(harmless));
}

fn bar_frame() -> Frame {
    Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(10, 4))
}

fn top_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ui.horizontal_centered(|ui| {
        ui.label(RichText::new(clock(view.snapshot.time_s)).monospace().size(17.0).strong());
        if view.time_factor > 0.0 && view.time_factor < 0.97 {
            let text = format!("{} {:.2}x", t(Text::TimeSlow), view.time_factor);
            ui.label(RichText::new(text).color(theme::WARNING));
        }
        if view.demo.is_some() {
            ui.label(RichText::new(t(Text::Demo)).strong().color(theme::BEAM));
        }
        if let Some(step) = view.steps.iter().find(|s| s.open && s.done_s.is_none()) {
            let title = RichText::new(format!("\u{25B6} {}", step.title)).color(theme::ACCENT);
            ui.add(bevy_egui::egui::Label::new(title).truncate()).on_hover_text(&step.say);
        }
        if let Some(line) = view.log.last().filter(|l| view.snapshot.time_s - l.time_s < 8.0) {
            ui.add(bevy_egui::egui::Label::new(RichText::new(&line.text).color(theme::WEAK)).truncate());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (text, key, action) in [
                (Text::Pause, KeyAction::Pause, UiAction::Pause(true)),
                (Text::Keys, KeyAction::KeyList, UiAction::ShowKeys(true)),
                (Text::TruthView, KeyAction::Truth, UiAction::ToggleTruth),
            ] {
                let label = format!("{}  ({})", t(text), view.keys.keys_of(key));
                if ui.button(label).clicked() {
                    out.ui.push(action);
                }
            }
        });
    });
}

fn monitors_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    if view.review.is_some() {
        panels::review_ui(ui, view, out);
        return;
    }
    let whole = ui.available_rect_before_wrap();
    let live_side = whole.height().min(whole.width() - 240.0);
    let live = bevy_egui::egui::Rect::from_min_size(whole.min, bevy_egui::egui::vec2(live_side, live_side));
    ui.scope_builder(bevy_egui::egui::UiBuilder::new().max_rect(live), |ui| live_ui(ui, view, out));
    let column = bevy_egui::egui::Rect::from_min_max(
        bevy_egui::egui::pos2(live.right() + 6.0, whole.top()),
        whole.max,
    );
    let reference_height = (column.width() + 30.0).min(column.height() - 216.0);
    let (upper, lower) = column.split_top_bottom_at_y(column.top() + reference_height);
    ui.scope_builder(bevy_egui::egui::UiBuilder::new().max_rect(upper), |ui| {
        match (&view.truth, view.skin.as_ref().filter(|_| view.skin_open)) {
            (Some(truth), _) => truth_ui(ui, view, truth, out),
            (None, Some(skin)) => panels::skin_ui(ui, view, skin, out),
            (None, None) => reference_ui(ui, view, out),
        }
    });
    let lower = lower.with_min_y(lower.top() + 6.0);
    ui.scope_builder(bevy_egui::egui::UiBuilder::new().max_rect(lower), |ui| vitals_ui(ui, view));
}
