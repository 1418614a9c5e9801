//! Patient: what the nurse reads out, drugs, time.

use bevy_egui::egui::Ui;

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::view::View;
use super::super::widgets::{caption, pair};
use crate::sim::Command;
use crate::sim::snapshot::Consciousness;

/// Drugs of the nurse's list: button, id, dose in the drug's unit (`sim::physiology::DRUGS`).
pub const DRUGS: [(Text, &str, f64); 10] = [
    (Text::Heparin, "heparin", 5000.0),
    (Text::Protamine, "protamine", 50.0),
    (Text::Nitroglycerin, "nitroglycerin", 100.0),
    (Text::Atropine, "atropine", 0.5),
    (Text::Fluids, "fluids", 500.0),
    (Text::Noradrenaline, "noradrenaline", 10.0),
    (Text::Adrenaline, "adrenaline", 300.0),
    (Text::Fentanyl, "fentanyl", 50.0),
    (Text::Midazolam, "midazolam", 1.0),
    (Text::Glucagon, "glucagon", 1.0),
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
    pair(ui, t(Text::PainScale), &format!("{:.0} / 10", p.pain));
    pair(ui, t(Text::Answers), consciousness_words(p.consciousness));
    pair(ui, t(Text::Temperature), &format!("{:.1} C", p.temperature_c));
    pair(ui, t(Text::KidneyLoad), &format!("{:.0} %", 100.0 * p.kidney_load));
    pressure_lines_ui(ui, view);
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

/// What each lumen's transducer shows, and the mean gradient across each stenosis.
fn pressure_lines_ui(ui: &mut Ui, view: &View) {
    for line in &view.snapshot.pressure_lines {
        let damped = if line.damped { t(Text::Damped) } else { "" };
        let numbers = format!(
            "{:.0}/{:.0} ({:.0}) mmHg {damped}",
            line.systolic_mmhg, line.diastolic_mmhg, line.mean_mmhg
        );
        pair(ui, &view.tool_label(line.tool), numbers.trim_end());
    }
    for stenosis in &view.snapshot.stenoses {
        pair(ui, t(Text::Gradient), &format!("{:.0} mmHg", stenosis.mean_gradient_mmhg));
    }
}

fn consciousness_words(level: Consciousness) -> &'static str {
    t(match level {
        Consciousness::Alert => Text::Awake,
        Consciousness::Voice => Text::AnswersVoice,
        Consciousness::Pain => Text::AnswersPain,
        Consciousness::Unresponsive => Text::AnswersNothing,
    })
}
