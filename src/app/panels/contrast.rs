//! Contrast: lumen, syringe, injector.

use bevy_egui::egui::{ComboBox, DragValue, RichText, Ui, vec2};

use super::super::out::Out;
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, choice, hold_button, is_held, pair};
use crate::sim::command::Fluid;
use crate::sim::{Command, ToolId};

/// Lumen, syringe, injector.
pub fn contrast_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    lumen_ui(ui, view, out, "contrast");
    syringe_ui(ui, view, out);
    injector_ui(ui, view, out);
    let i = &view.snapshot.injection;
    let given = if view.case.contrast_ml > 0.0 {
        format!("{:.1} / {:.0} mL", i.contrast_given_ml, view.case.contrast_ml)
    } else {
        format!("{:.1} mL", i.contrast_given_ml)
    };
    pair(ui, t(Text::Given), &given);
}

/// Which lumen syringe and injector are on.
pub(super) fn lumen_ui(ui: &mut Ui, view: &View, out: &mut Out, salt: &str) {
    let now = view.snapshot.injection.connected;
    ui.horizontal(|ui| {
        caption(ui, t(Text::Lumen));
        let label = now.map_or_else(|| t(Text::ChooseLumen).to_owned(), |tool| view.tool_label(tool));
        ComboBox::from_id_salt(("lumen", salt))
            .selected_text(label)
            .width(ui.available_width() - 8.0)
            .truncate()
            .show_ui(ui, |ui| {
                for device in view.devices() {
                    let tool: ToolId = device.tool;
                    if view.tools.get(tool.idx()).is_some_and(|t| !t.has_lumen) {
                        continue;
                    }
                    if ui.selectable_label(now == Some(tool), view.tool_label(tool)).clicked() {
                        out.commands.push(Command::Connect { tool });
                    }
                }
            });
    });
}

fn syringe_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let i = &view.snapshot.injection;
    ui.horizontal(|ui| {
        caption(ui, t(Text::Syringe));
        let content = if i.syringe.is_empty() {
            "-".to_owned()
        } else {
            format!("{} {:.1} mL", i.syringe, i.syringe_ml)
        };
        ui.label(content);
    });
    let now = match out.form.fluid {
        Fluid::Contrast => 0,
        Fluid::Diluted(_) => 1,
        Fluid::Saline => 2,
        Fluid::CarbonDioxide => 3,
        Fluid::Embolic { .. } => 4,
    };
    let options = [(0, t(Text::FluidContrast)), (1, t(Text::FluidDiluted)), (2, t(Text::FluidSaline))];
    if let Some(fluid) = choice(ui, now, &options) {
        out.form.fluid = match fluid {
            0 => Fluid::Contrast,
            1 => Fluid::Diluted(0.5),
            _ => Fluid::Saline,
        };
    }
    ui.horizontal(|ui| {
        ui.add(DragValue::new(&mut out.form.fill_ml).range(1.0..=20.0).speed(0.1).suffix(" mL"));
        if ui.button(t(Text::Fill)).clicked() {
            let fluid = if matches!(out.form.fluid, Fluid::Embolic { .. }) {
                Fluid::Contrast
            } else {
                out.form.fluid.clone()
            };
            out.commands.push(Command::FillSyringe { fluid, volume_ml: out.form.fill_ml });
        }
        let response =
            hold_button(ui, t(Text::Puff), vec2(70.0, 28.0), i.flow_ml_per_s > 0.0, theme::ACCENT_DEEP);
        if is_held(&response) {
            out.held.hand_injection_ml_per_s = out.form.puff_ml_per_s;
        }
        ui.add(DragValue::new(&mut out.form.puff_ml_per_s).range(0.1..=6.0).speed(0.05).suffix(" mL/s"));
    });
    if ui.button(t(Text::Flush)).clicked() {
        out.commands.push(Command::Flush);
    }
}

fn injector_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    if !view.case.has_injector {
        caption(ui, t(Text::NoInjector));
        return;
    }
    let i = &view.snapshot.injection;
    ui.horizontal(|ui| {
        caption(ui, t(Text::Injector));
        ui.label(format!("{:.1} mL/s, {:.0} mL", i.rate_ml_per_s, i.volume_ml));
        if i.pressure_psi > 1.0 {
            ui.label(format!("{:.0} psi", i.pressure_psi));
        }
    });
    let [rate, volume, rise, delay, limit] = &mut out.form.injector;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.add(DragValue::new(rate).range(0.1..=25.0).speed(0.1).max_decimals(1).suffix(" mL/s"))
            .on_hover_text(t(Text::Rate));
        ui.add(DragValue::new(volume).range(0.5..=50.0).speed(0.2).max_decimals(1).suffix(" mL"))
            .on_hover_text(t(Text::Volume));
        ui.add(DragValue::new(limit).range(100.0..=1200.0).speed(5.0).suffix(" psi"))
            .on_hover_text(t(Text::Limit));
        ui.add(
            DragValue::new(rise)
                .range(0.0..=2.0)
                .speed(0.05)
                .prefix(format!("{} ", t(Text::Rise)))
                .suffix(" s"),
        )
        .on_hover_text(t(Text::Rise));
        ui.add(
            DragValue::new(delay)
                .range(0.0..=10.0)
                .speed(0.1)
                .prefix(format!("{} ", t(Text::Delay)))
                .suffix(" s"),
        )
        .on_hover_text(t(Text::Delay));
    });
    ui.horizontal(|ui| {
        if ui.button(t(Text::Program)).clicked() {
            let [rate_ml_per_s, volume_ml, rise_s, delay_s, pressure_limit_psi] = out.form.injector;
            out.commands.push(Command::SetInjector {
                rate_ml_per_s,
                volume_ml,
                rise_s,
                delay_s,
                pressure_limit_psi,
            });
        }
        let text = if i.armed { Text::Disarm } else { Text::ArmInjector };
        if ui.button(t(text)).clicked() {
            out.commands.push(Command::SetInjectorArmed(!i.armed));
        }
    });
    if i.armed {
        ui.label(RichText::new(t(Text::Armed)).color(theme::WARNING).strong());
    }
}
