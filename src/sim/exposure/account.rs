//! Dose accounts: skin, staff, irradiation events, notifications.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::command::{AcquisitionKind, Pedal};
use super::super::event::EventKind;
use super::super::snapshot::{DoseView, Technique};
use crate::units::{TICK_S, TICKS_PER_S};
use crate::xray::control::FluoroLevel;
use crate::xray::dose::{ALERTS, DoseQuantity};
use crate::xray::skin::{SkinDose, SkinModel, SkinPulse};
use crate::xray::staff::{STAFF_PLACES, Shields, staff_factor};
use crate::xray::wedge::wedge_transmission;
use crate::xray::{CArm, Spectrum};

/// Beam between two signals of the timer, s.
pub const TIMER_S: f64 = 300.0;

/// What an irradiation event was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IrradiationKind {
    /// Fluoroscopy.
    #[default]
    Fluoro,
    /// Subtraction angiography.
    Dsa,
    /// Unsubtracted run.
    Cine,
}

/// From one press of a pedal to its release: a row of the dose report. Technique is the mean over pulses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IrradiationEvent {
    /// Counts events from 1.
    pub number: u32,
    /// What.
    pub kind: IrradiationKind,
    /// Run, for an acquisition.
    pub run: Option<u32>,
    /// Dose level, for fluoroscopy.
    pub level: FluoroLevel,
    /// Tick of the first pulse.
    pub start_tick: u64,
    /// Ticks with the pedal down.
    pub ticks: u64,
    /// Pulses.
    pub pulses: u32,
    /// Rate at the start, 1/s.
    pub rate_per_s: f64,
    /// Pose at the first pulse.
    pub start_arm: CArm,
    /// Pose at the last.
    pub end_arm: CArm,
    /// Tube voltage, kV.
    pub tube_kv: f64,
    /// Tube current, mA.
    pub tube_ma: f64,
    /// Pulse width, ms.
    pub pulse_ms: f64,
    /// Copper, mm.
    pub copper_mm: f64,
    /// Water-equivalent thickness, mm.
    pub water_equivalent_mm: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Kerma-area product, Gy cm2.
    pub kap_gy_cm2: f64,
}

/// The skin's dose, shared with snapshots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SkinDose", into = "SkinDose")]
pub struct SharedSkin(pub Arc<SkinDose>);

impl From<SkinDose> for SharedSkin {
    fn from(dose: SkinDose) -> Self {
        Self(Arc::new(dose))
    }
}

impl From<SharedSkin> for SkinDose {
    fn from(shared: SharedSkin) -> Self {
        (*shared.0).clone()
    }
}

/// What a technique means for skin and wedge, kept while it stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Beam {
    tube_kv: f64,
    copper_mm: f64,
    hvl_mm_al: f64,
    /// Transmission of the whole wedge filter in air.
    wedge: f64,
}

/// All accounts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    skin: SharedSkin,
    staff_ugy: [f64; STAFF_PLACES.len()],
    pub(super) shields: Shields,
    beam: Beam,
    open: Option<IrradiationEvent>,
    events: u32,
    notified: [u32; ALERTS.len()],
    beam_ticks: u64,
    signals: u32,
    fluoro_kerma_mgy: f64,
    fluoro_kap_gy_cm2: f64,
}

/// A pulse to be booked.
pub(super) struct Booking<'a> {
    pub(super) skin: &'a SkinModel,
    pub(super) staff_origin_mm: &'a crate::math::Vec3,
    pub(super) arm: &'a CArm,
    pub(super) technique: &'a Technique,
    pub(super) tick: u64,
    pub(super) pedal: Pedal,
    pub(super) acquisition: AcquisitionKind,
    pub(super) run: Option<u32>,
    pub(super) level: FluoroLevel,
    pub(super) rate_per_s: f64,
}

impl Account {
    /// Books a pulse; returns its kerma-area product, Gy cm2.
    pub(super) fn book(&mut self, b: &Booking<'_>) -> f64 {
        self.follow_beam(b);
        let kerma_mgy = b.technique.kerma_per_pulse_mgy;
        let open_field = b.arm.wedge.mean_transmission(&b.arm.blades, self.beam.wedge);
        let kap = crate::xray::dose::kerma_area_gy_cm2(kerma_mgy, b.arm) * open_field;
        let pulse =
            SkinPulse { arm: b.arm, kerma_mgy, hvl_mm_al: self.beam.hvl_mm_al, wedge: self.beam.wedge };
        b.skin.expose(Arc::make_mut(&mut self.skin.0), &pulse);
        for (sum, place) in self.staff_ugy.iter_mut().zip(&STAFF_PLACES) {
            *sum += kap * staff_factor(place, b.arm, b.technique.tube_kv, self.shields, b.staff_origin_mm);
        }
        if b.pedal == Pedal::Fluoro {
            self.fluoro_kerma_mgy += kerma_mgy;
            self.fluoro_kap_gy_cm2 += kap;
        }
        self.note_event(b, kap);
        kap
    }

    fn follow_beam(&mut self, b: &Booking<'_>) {
        let t = b.technique;
        let now = (t.tube_kv, t.copper_mm);
        if (self.beam.tube_kv, self.beam.copper_mm) == now {
            return;
        }
        self.beam = Beam {
            tube_kv: t.tube_kv,
            copper_mm: t.copper_mm,
            hvl_mm_al: Spectrum::tube(t.tube_kv, t.copper_mm).half_value_layer_mm_al(),
            wedge: wedge_transmission(t.tube_kv, t.copper_mm, 0.0),
        };
    }

    fn note_event(&mut self, b: &Booking<'_>, kap: f64) {
        let kind = match (b.pedal, b.acquisition) {
            (Pedal::Acquire, AcquisitionKind::Dsa) => IrradiationKind::Dsa,
            (Pedal::Acquire, AcquisitionKind::Cine) => IrradiationKind::Cine,
            (Pedal::Fluoro | Pedal::Off, _) => IrradiationKind::Fluoro,
        };
        let number = self.events + 1;
        let e = self.open.get_or_insert_with(|| IrradiationEvent {
            number,
            kind,
            run: b.run,
            level: b.level,
            start_tick: b.tick,
            rate_per_s: b.rate_per_s,
            start_arm: *b.arm,
            ..IrradiationEvent::default()
        });
        let t = b.technique;
        e.pulses += 1;
        let share = 1.0 / f64::from(e.pulses);
        for (mean, value) in [
            (&mut e.tube_kv, t.tube_kv),
            (&mut e.tube_ma, t.tube_ma),
            (&mut e.pulse_ms, t.pulse_ms),
            (&mut e.copper_mm, t.copper_mm),
            (&mut e.water_equivalent_mm, t.water_equivalent_mm),
        ] {
            *mean += (value - *mean) * share;
        }
        e.end_arm = *b.arm;
        e.air_kerma_mgy += t.kerma_per_pulse_mgy;
        e.kap_gy_cm2 += kap;
    }

    /// A tick with the beam on: time, timer.
    pub(super) fn beam_tick(&mut self, say: &mut impl FnMut(EventKind)) {
        self.beam_ticks += 1;
        if let Some(e) = &mut self.open {
            e.ticks += 1;
        }
        let signals = (self.beam_ticks as f64 / (TIMER_S * TICKS_PER_S as f64)) as u32;
        if signals > self.signals {
            self.signals = signals;
            say(EventKind::BeamTimer { minutes: f64::from(signals) * TIMER_S / 60.0 });
        }
    }

    /// The pedal was released or changed: the event is closed.
    pub(super) fn close(&mut self, say: &mut impl FnMut(EventKind)) {
        if let Some(event) = self.open.take() {
            self.events += 1;
            say(EventKind::Irradiated(Box::new(event)));
        }
    }

    /// Notifications that the accounts now ask for.
    pub(super) fn notify(&mut self, totals: &Totals, say: &mut impl FnMut(EventKind)) {
        for (levels, notified) in ALERTS.iter().zip(&mut self.notified) {
            let value = match levels.quantity {
                DoseQuantity::PeakSkinDose => self.skin.0.peak_mgy,
                DoseQuantity::AirKerma => totals.air_kerma_mgy,
                DoseQuantity::KermaArea => totals.kap_gy_cm2,
                DoseQuantity::FluoroTime => totals.fluoro_s / 60.0,
            };
            let due = levels.due(value);
            if due > *notified {
                *notified = due;
                let level = levels.level_of(due);
                say(EventKind::DoseAlert {
                    quantity: levels.quantity,
                    value,
                    level,
                    substantial: level >= levels.substantial,
                });
            }
        }
    }

    /// What the outside may read.
    pub(super) fn view(&self) -> DoseView {
        DoseView {
            peak_skin_mgy: self.skin.0.peak_mgy,
            skin: self.skin.clone(),
            staff_ugy: self.staff_ugy,
            shields: self.shields,
            fluoro_kerma_mgy: self.fluoro_kerma_mgy,
            fluoro_kap_gy_cm2: self.fluoro_kap_gy_cm2,
            beam_s: self.beam_ticks as f64 * TICK_S,
            events: self.events,
            notified: self.notified,
        }
    }
}

/// Totals of the room.
pub(super) struct Totals {
    pub(super) air_kerma_mgy: f64,
    pub(super) kap_gy_cm2: f64,
    pub(super) fluoro_s: f64,
}
