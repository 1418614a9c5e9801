//! Log: what happened, newest first.

use bevy_egui::egui::{RichText, ScrollArea, Ui};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::{LogKind, View};
use super::super::widgets::caption;
use super::clock;

/// What happened, newest first.
pub fn log_ui(ui: &mut Ui, view: &View, _out: &mut Out) {
    if view.log.is_empty() {
        caption(ui, t(Text::NoLog));
        return;
    }
    ScrollArea::vertical().id_salt("log").max_height(150.0).auto_shrink([false, true]).show(ui, |ui| {
        for line in view.log.iter().rev().take(60) {
            let color = match line.kind {
                LogKind::Plain => theme::WEAK,
                LogKind::Said => theme::TEXT,
                LogKind::Warning => theme::WARNING,
                LogKind::Alarm => theme::ALARM,
            };
            let mark = match line.kind {
                LogKind::Plain | LogKind::Said => "",
                LogKind::Warning => "** ",
                LogKind::Alarm => "*** ",
            };
            ui.label(RichText::new(format!("{} {mark}{}", clock(line.time_s), line.text)).color(color));
        }
    });
}
