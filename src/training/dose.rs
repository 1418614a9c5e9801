//! Dose of an attempt: totals, per manoeuvre (from one objective to the next), alerts, comparison with reference levels, staff.

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::sim::command::Pedal;
use crate::sim::event::EventKind;
use crate::sim::exposure::account::IrradiationEvent;
use crate::xray::dose::{ALERTS, DoseQuantity, reference_level};
use crate::xray::staff::STAFF_PLACES;

/// Between two objectives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manoeuvre {
    /// The objective that ended it, or `after the last objective`.
    pub label: String,
    /// Start, s.
    pub from_s: f64,
    /// End, s.
    pub to_s: f64,
    /// Fluoroscopy, s.
    pub fluoro_s: f64,
    /// Acquisition runs begun.
    pub runs: u32,
    /// Air kerma of fluoroscopy, mGy.
    pub fluoro_kerma_mgy: f64,
    /// Air kerma of runs, mGy.
    pub run_kerma_mgy: f64,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// When, s.
    pub time_s: f64,
    /// Of what.
    pub quantity: DoseQuantity,
    /// Level, in the quantity's unit.
    pub level: f64,
    /// Unit.
    pub unit: String,
    /// It asks for follow-up of the patient.
    pub substantial: bool,
}

/// Comparison with a published level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceShare {
    /// Procedure.
    pub procedure: String,
    /// Level, Gy cm2.
    pub kap_gy_cm2: f64,
    /// Kerma-area product of the attempt over it, percent.
    pub share_pct: f64,
    /// Whose survey.
    pub source: String,
}

/// Dose at a place of the staff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaffDose {
    /// Who.
    pub place: String,
    /// Scattered air kerma, uGy.
    pub kerma_ugy: f64,
}

/// Everything said about dose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DoseReport {
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Of it by fluoroscopy, mGy.
    pub fluoro_kerma_mgy: f64,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
    /// Of it by fluoroscopy, Gy cm2.
    pub fluoro_kap_gy_cm2: f64,
    /// Fluoroscopy time, s.
    pub fluoro_s: f64,
    /// Largest dose to the skin, mGy.
    pub peak_skin_mgy: f64,
    /// Between objectives, in order.
    pub manoeuvres: Vec<Manoeuvre>,
    /// Notifications, in order.
    pub alerts: Vec<AlertRecord>,
    /// Against the published level of the procedure, if it has one.
    pub reference: Option<ReferenceShare>,
    /// Staff.
    pub staff: Vec<StaffDose>,
    /// Irradiation events, in order.
    pub events: Vec<IrradiationEvent>,
}

/// Follows the dose of an attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DoseWatch {
    procedure: String,
    report: DoseReport,
    /// Totals at the start of the present manoeuvre.
    base: Manoeuvre,
    runs: u32,
    time_s: f64,
    /// Beam on while arm or table moved, s.
    pub(super) moving_s: f64,
    arm: Option<crate::xray::CArm>,
}

impl DoseWatch {
    pub(super) fn new(procedure: String) -> Self {
        Self { procedure, ..Self::default() }
    }

    pub(super) fn observe(&mut self, f: &Facts<'_>) {
        let x = &f.snap.xray;
        let r = &mut self.report;
        r.air_kerma_mgy = x.air_kerma_mgy;
        r.fluoro_kerma_mgy = x.dose.fluoro_kerma_mgy;
        r.kap_gy_cm2 = x.kap_gy_cm2;
        r.fluoro_kap_gy_cm2 = x.dose.fluoro_kap_gy_cm2;
        r.fluoro_s = x.fluoro_time_s;
        r.peak_skin_mgy = x.dose.peak_skin_mgy;
        self.runs = x.runs;
        self.time_s = f.snap.time_s;
        let moved =
            self.arm.is_some_and(|a| a.isocenter_mm != x.arm.isocenter_mm || !a.is_turned_like(&x.arm, 0.0));
        if moved && x.pedal != Pedal::Off {
            self.moving_s += f.dt_s;
        }
        self.arm = Some(x.arm);
        if r.staff.is_empty() {
            r.staff =
                STAFF_PLACES.iter().map(|p| StaffDose { place: p.name.to_owned(), kerma_ugy: 0.0 }).collect();
        }
        for (staff, kerma_ugy) in r.staff.iter_mut().zip(x.dose.staff_ugy) {
            staff.kerma_ugy = kerma_ugy;
        }
        for e in f.events {
            match &e.kind {
                EventKind::Irradiated(event) => r.events.push(**event),
                EventKind::DoseAlert { quantity, level, substantial, .. } => {
                    let unit = ALERTS.iter().find(|a| a.quantity == *quantity).map_or("", |a| a.unit);
                    r.alerts.push(AlertRecord {
                        time_s: f.snap.time_s,
                        quantity: *quantity,
                        level: *level,
                        unit: unit.to_owned(),
                        substantial: *substantial,
                    });
                }
                _ => {}
            }
        }
    }

    /// An objective was done: the manoeuvre that led to it ends.
    pub(super) fn end_manoeuvre(&mut self, label: &str) {
        let done = self.since_base(label);
        self.report.manoeuvres.push(done);
        let r = &self.report;
        self.base = Manoeuvre {
            label: String::new(),
            from_s: self.time_s,
            to_s: self.time_s,
            fluoro_s: r.fluoro_s,
            runs: self.runs,
            fluoro_kerma_mgy: r.fluoro_kerma_mgy,
            run_kerma_mgy: r.air_kerma_mgy - r.fluoro_kerma_mgy,
            kap_gy_cm2: r.kap_gy_cm2,
        };
    }

    fn since_base(&self, label: &str) -> Manoeuvre {
        let (r, b) = (&self.report, &self.base);
        Manoeuvre {
            label: label.to_owned(),
            from_s: b.to_s,
            to_s: self.time_s,
            fluoro_s: r.fluoro_s - b.fluoro_s,
            runs: self.runs - b.runs,
            fluoro_kerma_mgy: r.fluoro_kerma_mgy - b.fluoro_kerma_mgy,
            run_kerma_mgy: r.air_kerma_mgy - r.fluoro_kerma_mgy - b.run_kerma_mgy,
            kap_gy_cm2: r.kap_gy_cm2 - b.kap_gy_cm2,
        }
    }

    /// The report, with what came after the last objective.
    pub(super) fn report(&self) -> DoseReport {
        let mut report = self.report.clone();
        let rest = self.since_base("after the last objective");
        if rest.kap_gy_cm2 > 0.0 {
            report.manoeuvres.push(rest);
        }
        report.reference = reference_level(&self.procedure).map(|level| ReferenceShare {
            procedure: level.label.to_owned(),
            kap_gy_cm2: level.kap_gy_cm2,
            share_pct: 100.0 * report.kap_gy_cm2 / level.kap_gy_cm2,
            source: level.source.to_owned(),
        });
        report
    }
}
