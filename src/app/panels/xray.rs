//! X-ray: pedals, rates, field, blades, C-arm, table.

use bevy_egui::egui::{
    Align2, Button, CollapsingHeader, FontId, Pos2, RichText, Slider, Stroke, Ui, pos2, vec2,
};

use super::super::controls::{ARM_LIMIT_DEG, FIELDS_MM, SID_RANGE_MM};
use super::super::keys::KeyAction;
use super::super::out::{Out, UiAction};
use super::super::texts::{Text, t};
use super::super::theme;
use super::super::view::View;
use super::super::widgets::{caption, choice, drag_pad, hold_button, is_held};
use super::suite::{breath_ui, dose_ui, filters_ui, level_ui, pictures_ui, views_ui};
use crate::scenario::Arms;
use crate::sim::Command;
use crate::sim::command::{AcquisitionKind, Pedal};

/// The groups of the room in the order of use: title, content, open at the start.
const GROUPS: [(Text, fn(&mut Ui, &View, &mut Out), bool); 6] = [
    (Text::GroupBeam, beam_ui, true),
    (Text::GroupField, field_ui, true),
    (Text::GroupPosition, position_ui, true),
    (Text::GroupPictures, pictures_ui, true),
    (Text::GroupFilters, filters_ui, false),
    (Text::GroupDose, |ui, view, _| dose_ui(ui, view), true),
];

/// The room in groups that open and close.
pub fn xray_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    for (title, content, open) in GROUPS {
        CollapsingHeader::new(RichText::new(t(title)).color(theme::ACCENT))
            .id_salt(("x-ray", title as usize))
            .default_open(open)
            .show_unindented(ui, |ui| content(ui, view, out));
    }
}

fn beam_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    rates_ui(ui, view, out);
    level_ui(ui, view, out);
}

/// C-arm, table, and how the patient lies on it.
fn position_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    views_ui(ui, view, out);
    ui.columns(2, |columns| {
        arm_ui(&mut columns[0], view, out);
        table_ui(&mut columns[1], view, out);
    });
    table_height_ui(ui, view, out);
    ui.horizontal(|ui| {
        caption(ui, t(Text::PatientArms)).on_hover_text(t(Text::PatientArmsHelp));
        let places = [(Some(Arms::Beside), t(Text::ArmsBeside)), (Some(Arms::Up), t(Text::ArmsUp))];
        if let Some(Some(arms)) = choice(ui, view.snapshot.xray.arms, &places) {
            out.commands.push(Command::SetArms(arms));
        }
        breath_ui(ui, view, out);
    });
}

/// The pedals: always in reach below the sections, as in a room.
pub fn pedals_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let now = view.snapshot.xray.pedal;
    ui.horizontal(|ui| {
        let size = vec2((ui.available_width() - 18.0) / 4.0, 34.0);
        for (text, pedal) in [(Text::Fluoro, Pedal::Fluoro), (Text::Acquire, Pedal::Acquire)] {
            let response = hold_button(ui, t(text), size, now == pedal, theme::BEAM_DEEP);
            if out.form.latch {
                if response.clicked() {
                    out.ui.push(UiAction::Latch(pedal));
                }
            } else if is_held(&response) {
                out.held.pedal = pedal;
            }
        }
        let on = view.snapshot.xray.roadmap;
        if hold_button(ui, t(Text::Roadmap), size, on, theme::ACCENT_DEEP).clicked() {
            out.commands.push(Command::SetRoadmap(!on));
        }
        let flows = view.snapshot.injection.flow_ml_per_s > 0.0;
        if is_held(&hold_button(ui, t(Text::Puff), size, flows, theme::ACCENT_DEEP)) {
            out.held.hand_injection_ml_per_s =
                if view.syringe_is_embolic() { out.form.embolic_ml_per_s } else { out.form.puff_ml_per_s };
        }
    });
    ui.horizontal(|ui| {
        ui.checkbox(&mut out.form.latch, t(Text::Latch));
        if let Some(left) = view.latch_left_s {
            ui.colored_label(theme::BEAM, format!("{} {left:.0} s", t(Text::LatchLeft)));
        }
    });
}

fn rates_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let x = &view.snapshot.xray;
    ui.horizontal(|ui| {
        caption(ui, t(Text::PulseRate));
        let rates = [(3.75, "3.75"), (7.5, "7.5"), (15.0, "15"), (30.0, "30")];
        if let Some(rate) = choice(ui, x.pulse_rate_per_s, &rates) {
            out.commands.push(Command::SetPulseRate(rate));
        }
    });
    ui.horizontal(|ui| {
        let kinds = [(AcquisitionKind::Dsa, t(Text::Dsa)), (AcquisitionKind::Cine, t(Text::Cine))];
        if let Some(kind) = choice(ui, x.acquisition, &kinds) {
            let frame_rate_per_s = if kind == AcquisitionKind::Cine { 15.0 } else { 3.0 };
            out.commands.push(Command::SetAcquisition { kind, frame_rate_per_s });
        }
        caption(ui, t(Text::FrameRate));
        let rates: &[(f64, &str)] = match x.acquisition {
            AcquisitionKind::Dsa => &[(1.0, "1"), (2.0, "2"), (3.0, "3"), (6.0, "6")],
            AcquisitionKind::Cine => &[(15.0, "15"), (30.0, "30")],
        };
        if let Some(frame_rate_per_s) = choice(ui, x.frame_rate_per_s, rates) {
            out.commands.push(Command::SetAcquisition { kind: x.acquisition, frame_rate_per_s });
        }
    });
}

fn field_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let arm = &view.snapshot.xray.arm;
    ui.horizontal(|ui| {
        caption(ui, t(Text::Field));
        let labels: Vec<String> = FIELDS_MM.iter().map(|f| format!("{:.0}", f / 10.0)).collect();
        let options: Vec<(f64, &str)> =
            FIELDS_MM.iter().copied().zip(labels.iter().map(String::as_str)).collect();
        if let Some(field) = choice(ui, arm.field_mm, &options) {
            out.commands.push(Command::SetField(field));
        }
        caption(ui, "cm");
    });
    ui.horizontal(|ui| {
        caption(ui, t(Text::Detector));
        for (text, direction) in [(Text::Nearer, -1.0), (Text::Farther, 1.0)] {
            if is_held(&hold_button(ui, t(text), vec2(64.0, 24.0), false, theme::ACCENT_DEEP)) {
                out.held.sid = direction;
            }
        }
        caption(
            ui,
            &format!("{} {:.0} cm", t(Text::Sid), arm.sid_mm.clamp(SID_RANGE_MM[0], SID_RANGE_MM[1]) / 10.0),
        );
    });
    blades_ui(ui, view, out);
}

fn arm_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let arm = &view.snapshot.xray.arm;
    let (response, moved) = drag_pad(ui, t(Text::Arm), vec2(ui.available_width(), 76.0));
    let rect = response.rect.shrink(6.0);
    let place = |primary: f64, secondary: f64| -> Pos2 {
        pos2(
            rect.center().x + (primary / 60.0).clamp(-1.0, 1.0) as f32 * rect.width() / 2.0,
            rect.center().y - (secondary / ARM_LIMIT_DEG[1]).clamp(-1.0, 1.0) as f32 * rect.height() / 2.0,
        )
    };
    let painter = ui.painter();
    let thin = Stroke::new(1.0, theme::LINE);
    painter.hline(rect.x_range(), rect.center().y, thin);
    painter.vline(rect.center().x, rect.y_range(), thin);
    let font = FontId::proportional(12.0);
    for (at, align, text) in [
        (rect.left_center(), Align2::LEFT_BOTTOM, "RAO"),
        (rect.right_center(), Align2::RIGHT_BOTTOM, "LAO"),
        (rect.center_top(), Align2::LEFT_TOP, " CRA"),
        (rect.center_bottom(), Align2::LEFT_BOTTOM, " CAU"),
    ] {
        painter.text(at, align, text, font.clone(), theme::WEAK);
    }
    painter.circle_filled(place(arm.primary_deg, arm.secondary_deg), 5.0, theme::ACCENT);
    response.on_hover_text(t(Text::ArmHelp));
    if moved.active {
        // A pad is spring-loaded: the direction of the drag moves the arm, letting go stops it.
        let offset = ui
            .input(|i| i.pointer.interact_pos().zip(i.pointer.press_origin()))
            .map_or(vec2(0.0, 0.0), |(a, b)| a - b);
        out.held.arm = [direction(offset.x), direction(-offset.y)];
    }
}

fn direction(offset: f32) -> f64 {
    if offset.abs() < 6.0 { 0.0 } else { f64::from(offset.signum()) }
}

fn table_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let (response, moved) = drag_pad(ui, t(Text::Table), vec2(ui.available_width(), 76.0));
    let rect = response.rect;
    // A small patient, head up, and the field over it.
    let painter = ui.painter();
    let scale = rect.height() / 2000.0;
    let body = |x: f32, z: f32| rect.center() + vec2(x, -z) * scale;
    let skin = Stroke::new(1.5, theme::WEAK);
    painter.circle_stroke(body(0.0, 700.0), 110.0 * scale + 1.0, skin);
    let trunk = bevy_egui::egui::Rect::from_two_pos(body(-200.0, 560.0), body(200.0, -80.0));
    painter.rect_stroke(trunk, 5.0, skin, bevy_egui::egui::StrokeKind::Middle);
    for side in [-1.0, 1.0] {
        painter.line_segment(
            [body(110.0 * side, -80.0), body(130.0 * side, -900.0)],
            Stroke::new(3.0, theme::LINE),
        );
    }
    let arm = &view.snapshot.xray.arm;
    let at = body(arm.isocenter_mm.x as f32, arm.isocenter_mm.z as f32);
    let side = (arm.field_side_mm() * 750.0 / arm.sid_mm.max(1.0)) as f32 * scale;
    let field = bevy_egui::egui::Rect::from_center_size(at, vec2(side, side).max(vec2(5.0, 5.0)));
    painter.rect_stroke(field, 1.0, Stroke::new(1.5, theme::ACCENT), bevy_egui::egui::StrokeKind::Middle);
    response.on_hover_text(t(Text::TableHelp));
    if moved.active {
        let offset = ui
            .input(|i| i.pointer.interact_pos().zip(i.pointer.press_origin()))
            .map_or(vec2(0.0, 0.0), |(a, b)| a - b);
        out.held.table = [direction(offset.x), direction(-offset.y)];
    }
    caption(ui, &format!("{} {:+.0} {:+.0} mm", t(Text::Table), arm.isocenter_mm.x, arm.isocenter_mm.z));
}

/// Height, tilt and cradle of the table, each by two buttons that act while held.
fn table_height_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let arm = &view.snapshot.xray.arm;
    let keys = |k: KeyAction| format!("{} ({})", k.label(), view.keys.keys_of(k));
    let button = |ui: &mut Ui, sign: &str, key: KeyAction| {
        let made = hold_button(ui, sign, vec2(26.0, 24.0), false, theme::ACCENT_DEEP);
        is_held(&made.on_hover_text(keys(key)))
    };
    let both = |ui: &mut Ui, plus: KeyAction, minus: KeyAction| {
        f64::from(i8::from(button(ui, "+", plus)) - i8::from(button(ui, "\u{2212}", minus)))
    };
    ui.horizontal(|ui| {
        caption(ui, &format!("{} {:+.0} mm", t(Text::TableHeight), arm.isocenter_mm.y));
        out.held.lift = both(ui, KeyAction::TableRaise, KeyAction::TableLower);
        caption(ui, &format!("{} {:+.0}\u{b0}", t(Text::TableTilt), arm.table_tilt_deg));
        out.held.tilt[0] = both(ui, KeyAction::TiltHeadUp, KeyAction::TiltHeadDown);
    });
    ui.horizontal(|ui| {
        caption(ui, &format!("{} {:+.0}\u{b0}", t(Text::TableCradle), arm.table_cradle_deg));
        out.held.tilt[1] = both(ui, KeyAction::CradleLeftUp, KeyAction::CradleRightUp);
        let is_level = arm.table_tilt_deg == 0.0 && arm.table_cradle_deg == 0.0;
        if ui.add_enabled(!is_level, Button::new(t(Text::TableLevel))).clicked() {
            out.commands.push(Command::SetTilt { head_up_deg: 0.0, left_up_deg: 0.0 });
        }
    });
}

fn blades_ui(ui: &mut Ui, view: &View, out: &mut Out) {
    let now = view.snapshot.xray.arm.blades;
    let mut sides = now[0].min(now[1]);
    let mut ends = now[2].min(now[3]);
    let mut changed = false;
    for (text, value) in [(Text::Sides, &mut sides), (Text::Ends, &mut ends)] {
        ui.horizontal(|ui| {
            caption(ui, t(text));
            let slider = Slider::new(value, 0.1..=1.0)
                .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
                .custom_parser(|s| s.trim_end_matches('%').trim().parse::<f64>().ok().map(|v| v / 100.0));
            changed |= ui.add(slider).changed();
        });
    }
    if changed {
        out.commands.push(Command::SetBlades([sides, sides, ends, ends]));
    }
}
