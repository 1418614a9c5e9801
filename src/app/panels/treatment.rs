//! Treatment: embolic agents and coils.

use bevy_egui::egui::{ComboBox, DragValue, Ui, vec2};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, hold_button, is_held, pair};
use super::contrast::lumen_ui;
use super::dilation::{dilation_ui, has_dilation};
use crate::anatomy::organ_of;
use crate::device::DeviceKind;
use crate::sim::Command;
use crate::sim::command::Fluid;

/// A syringe of embolic, mL.
const EMBOLIC_SYRINGE_ML: f64 = 3.0;
/// Beds with more than this share of their tissue without blood are shown, and so many of them.
const SHOWN_SHARE: f64 = 0.03;
const SHOWN_BEDS: usize = 6;

/// Agents and coils.
pub fn treatment_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let has_implants = view.tools.iter().any(|t| matches!(t.kind, DeviceKind::Coil | DeviceKind::Plug));
    if has_dilation(view) {
        dilation_ui(ui, view, out);
    }
    if view.embolics.is_empty() && !has_implants {
        if has_dilation(view) {
            return;
        }
        caption(ui, t(Text::NoAgents));
        return;
    }
    if !view.embolics.is_empty() {
        agents_ui(ui, view, out);
    }
    pledget_ui(ui, view, out);
    if has_implants {
        implants_ui(ui, view, out);
    }
    tissue_ui(ui, view);
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
        Fluid::Embolic { id, .. } => view.embolics.iter().find(|(e, _)| e == id),
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
                        out.form.fluid = Fluid::Embolic { id: id.clone(), strength: out.form.strength };
                    }
                }
            });
    });
    let i = &view.snapshot.injection;
    ui.horizontal(|ui| {
        caption(ui, t(Text::Strength));
        let mut pct = 100.0 * out.form.strength;
        ui.add(DragValue::new(&mut pct).range(5.0..=100.0).speed(1.0).suffix(" %"));
        out.form.strength = pct / 100.0;
    });
    ui.horizontal(|ui| {
        if ui.button(t(Text::DrawUpAgent)).clicked() {
            let fluid = Fluid::Embolic { id: chosen.0.clone(), strength: out.form.strength };
            out.form.fluid = fluid.clone();
            out.commands.push(Command::FillSyringe { fluid, volume_ml: EMBOLIC_SYRINGE_ML });
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

/// Cuts a pledget of gelatin sponge and pushes it through the connected lumen.
fn pledget_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let Some(tool) = view.snapshot.injection.connected else { return };
    ui.horizontal(|ui| {
        if ui.button(t(Text::Pledget)).clicked() {
            out.commands.push(Command::DropPledget { tool, diameter_mm: out.form.pledget_mm });
        }
        ui.add(DragValue::new(&mut out.form.pledget_mm).range(0.2..=3.0).speed(0.05).suffix(" mm"));
    });
}

/// Organs that have lost blood, worst first.
fn tissue_ui(ui: &mut Ui, view: &View) {
    let beds = view.snapshot.beds.iter().filter(|b| b.ischemic_share > SHOWN_SHARE);
    let mut beds: Vec<_> = beds.collect();
    beds.sort_by(|a, b| b.ischemic_share.total_cmp(&a.ischemic_share));
    for bed in beds.into_iter().take(SHOWN_BEDS) {
        let label = organ_of(&bed.name).map_or(bed.name.as_str(), |o| o.label);
        let text = format!("{:.0} % {}", 100.0 * bed.ischemic_share, t(Text::WithoutBlood));
        pair(ui, &format!("{label} ({})", bed.name.trim_start_matches("bed.")), &text);
    }
}
