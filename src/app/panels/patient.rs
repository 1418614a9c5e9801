//! Patient: what the nurse reads out, drugs, time.

use bevy_egui::egui::Ui;

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::view::View;
use super::super::widgets::{caption, pair};
use crate::sim::Command;

/// Drugs of the nurse's list: button, id, dose in the drug's unit.
const DRUGS: [(Text, &str, f64); 7] = [
    (Text::Heparin, "heparin", 5000.0),
    (Text::Protamine, "protamine", 50.0),
    (Text::Nitroglycerin, "nitroglycerin", 0.1),
    (Text::Atropine, "atropine", 0.5),
    (Text::Fluids, "fluids", 500.0),
    (Text::Noradrenaline, "noradrenaline", 0.01),
    (Text::Fentanyl, "fentanyl", 0.05),
];

/// Numbers, drugs, time.
pub fn patient_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let p = &view.snapshot.patient;
    ui.label(&view.case.patient);
    pair(
        ui,
        t(Text::Art),
        &format!("{:.0}/{:.0} ({:.0}) mmHg", p.systolic_mmhg, p.diastolic_mmhg, p.mean_mmhg),
    );
    pair(ui, t(Text::Act), &format!("{:.0} s", p.act_s));
    pair(ui, t(Text::BloodLoss), &format!("{:.0} mL", p.blood_loss_ml));
    caption(ui, t(Text::Drugs));
    ui.horizontal_wrapped(|ui| {
        for (text, drug, dose) in DRUGS {
            if ui.button(t(text)).clicked() {
                out.commands.push(Command::Give { drug: drug.to_owned(), dose });
            }
        }
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::SkipTime));
        for (label, seconds) in [("1 min", 60.0), ("5 min", 300.0), ("15 min", 900.0)] {
            if ui.button(label).clicked() {
                out.commands.push(Command::SkipTime(seconds));
            }
        }
    });
}
