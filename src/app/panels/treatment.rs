//! Treatment: embolic agents.

use bevy_egui::egui::{ComboBox, DragValue, Ui, vec2};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, hold_button, is_held, pair};
use super::contrast::lumen_ui;
use crate::sim::Command;
use crate::sim::command::Fluid;

/// Draws up and injects embolic agents slowly; shows what the flow at the tip does.
pub fn treatment_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    if view.embolics.is_empty() {
        caption(ui, t(Text::NoAgents));
        return;
    }
    lumen_ui(ui, view, out, "treatment");
    let chosen = match &out.form.fluid {
        Fluid::Embolic(id) => view.embolics.iter().find(|(e, _)| e == id),
        _ => None,
    };
    let chosen = chosen.unwrap_or(&view.embolics[0]).clone();
    ui.horizontal(|ui| {
        caption(ui, t(Text::Agent));
        ComboBox::from_id_salt("agent")
            .selected_text(&chosen.1)
            .width(ui.available_width() - 8.0)
            .truncate()
            .show_ui(ui, |ui| {
                for (id, label) in &view.embolics {
                    if ui.selectable_label(*id == chosen.0, label).clicked() {
                        out.form.fluid = Fluid::Embolic(id.clone());
                    }
                }
            });
    });
    let i = &view.snapshot.injection;
    ui.horizontal(|ui| {
        if ui.button(t(Text::DrawUpAgent)).clicked() {
            out.commands
                .push(Command::FillSyringe { fluid: Fluid::Embolic(chosen.0.clone()), volume_ml: 3.0 });
        }
        ui.add_enabled_ui(view.syringe_is_embolic(), |ui| {
            let response = hold_button(ui, t(Text::InjectAgent), vec2(96.0, 28.0), false, theme::ACCENT_DEEP);
            if is_held(&response) {
                out.held.hand_injection_ml_per_s = out.form.embolic_ml_per_s;
            }
        });
        ui.add(DragValue::new(&mut out.form.embolic_ml_per_s).range(0.02..=1.0).speed(0.01).suffix(" mL/s"));
    });
    pair(ui, t(Text::Syringe), &format!("{} {:.1} mL", i.syringe, i.syringe_ml));
    pair(ui, t(Text::AgentGiven), &format!("{:.2} mL", i.embolic_given_ml));
    pair(ui, t(Text::TipFlow), &format!("{:.2} mL/s", i.vessel_flow_ml_per_s));
    pair(ui, t(Text::Clears), &format!("{:.1} {}", i.beats_to_clear, t(Text::Beats)));
}
