//! Treatment: embolic agents and coils.

use bevy_egui::egui::{ComboBox, DragValue, Ui, vec2};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, hold_button, is_held, pair};
use super::contrast::lumen_ui;
use crate::device::DeviceKind;
use crate::sim::Command;
use crate::sim::command::Fluid;

/// Agents and coils.
pub fn treatment_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let has_implants = view.tools.iter().any(|t| t.kind == DeviceKind::Coil);
    if view.embolics.is_empty() && !has_implants {
        caption(ui, t(Text::NoAgents));
        return;
    }
    if !view.embolics.is_empty() {
        agents_ui(ui, view, out);
    }
    if has_implants {
        implants_ui(ui, view, out);
    }
    let i = &view.snapshot.injection;
    pair(ui, t(Text::TipFlow), &format!("{:.2} mL/s", i.vessel_flow_ml_per_s));
    pair(ui, t(Text::Clears), &format!("{:.1} {}", i.beats_to_clear, t(Text::Beats)));
}

/// Detaches what is joined to its pusher; says where all coils lie.
fn implants_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    for device in view.snapshot.rods.iter().flat_map(|r| &r.devices) {
        let Some(tool) = view.tools.get(device.tool.idx()) else { continue };
        let Some(length_mm) = tool.detachable_mm.filter(|_| device.shed_mm == 0.0) else { continue };
        ui.horizontal(|ui| {
            if ui.button(t(Text::Detach)).clicked() {
                out.commands.push(Command::Detach { tool: device.tool });
            }
            // The joint's mark against the mark of the catheter, as on the screen.
            let around = view.snapshot.rods.iter().flat_map(|r| &r.devices).filter(|d| d.tool != device.tool);
            let tip_mm = around.map(|d| d.inserted_mm).fold(0.0, f64::max);
            caption(ui, &format!("{} {:+.1} mm", t(Text::Joint), device.inserted_mm - length_mm - tip_mm));
        });
    }
    for implant in &view.snapshot.implants {
        let label = view.tools.get(implant.tool.idx()).map_or("", |t| t.label.as_str());
        let all: f64 = implant.length_mm.iter().map(|l| l.1).sum();
        let most = implant.length_mm.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let place = match most {
            _ if implant.drifts => t(Text::Drifts).to_owned(),
            Some((vessel, mm)) => {
                let name = view.vessel_labels.get(vessel.idx()).map_or("", String::as_str);
                format!("{name}, {:.0} %", 100.0 * mm / all.max(1e-9))
            }
            None => String::new(),
        };
        pair(ui, label, &place);
    }
}

/// Draws up and injects embolic agents slowly; shows what the flow at the tip does.
fn agents_ui(ui: &mut Ui, view: &View, out: &mut Out) {
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
}
