//! The control panel and the pages: plain functions that read a [`View`] and push into an [`Out`].

mod briefing;
mod contrast;
mod curves;
mod devices;
mod dilation;
mod guide;
mod keys;
mod log;
mod menu;
mod motion;
mod patient;
mod pause;
mod rail;
mod replay;
mod report;
mod review;
mod suite;
mod treatment;
mod xray;

pub use briefing::briefing_ui;
pub use contrast::contrast_ui;
pub use devices::devices_ui;
pub use guide::guide_ui;
pub use keys::keys_ui;
pub use log::log_ui;
pub use menu::{loading_ui, menu_ui, problem_ui};
pub use motion::{motion_ui, stroke_of};
pub use patient::{DRUGS, patient_ui};
pub use pause::pause_ui;
pub use rail::{next_hold, rail_ui};
pub use replay::{recordings_ui, replay_ui, transport_ui};
pub use report::report_ui;
pub use review::{review_ui, skin_ui};
pub use treatment::treatment_ui;
pub use xray::{pedals_ui, xray_ui};

use bevy_egui::egui::{CollapsingHeader, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::out::Out;
use super::texts::{Text, t};
use super::theme;
use super::view::View;
use crate::scenario::Grade;

type Section = (Text, fn(&mut Ui, &View, &mut Out), bool);

/// Sections of the control panel in the order of the work: title, content, open at the start.
const SECTIONS: [Section; 8] = [
    (Text::Devices, devices_ui, true),
    (Text::Motion, motion_ui, true),
    (Text::Xray, xray_ui, true),
    (Text::Contrast, contrast_ui, true),
    (Text::Treatment, treatment_ui, false),
    (Text::Patient, patient_ui, false),
    (Text::Guide, guide_ui, true),
    (Text::Log, log_ui, true),
];

/// The control panel: all sections, in the order of the work, and the pedals below them.
pub fn control_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let foot = Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(0, 4));
    Panel::bottom("pedals").resizable(false).frame(foot).show(ui, |ui| pedals_ui(ui, view, out));
    sections_ui(ui, view, out);
}

fn sections_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_width(ui.available_width() - 4.0);
        ui.spacing_mut().item_spacing.y = 4.0;
        for (title, content, open) in SECTIONS {
            CollapsingHeader::new(RichText::new(t(title)).strong().size(15.5))
                .default_open(open)
                .show_unindented(ui, |ui| {
                    content(ui, view, out);
                    ui.add_space(6.0);
                });
        }
    });
}

/// Word and color of a grade.
fn grade_words(grade: Grade) -> (Text, bevy_egui::egui::Color32) {
    match grade {
        Grade::Slip => (Text::Slip, theme::WEAK),
        Grade::Mistake => (Text::Mistake, theme::WARNING),
        Grade::Blunder => (Text::Blunder, theme::ALARM),
    }
}

/// Minutes and seconds.
pub fn clock(time_s: f64) -> String {
    let s = time_s.max(0.0) as u64;
    format!("{:02}:{:02}", s / 60, s % 60)
}
