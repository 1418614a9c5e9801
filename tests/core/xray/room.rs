//! The exposure stage: pulses, motion, dose.

use cathnav::anatomy::Anatomy;
use cathnav::math::Vec3;
use cathnav::scenario::Room;
use cathnav::sim::command::{AcquisitionKind, Command, Pedal};
use cathnav::sim::event::EventKind;
use cathnav::sim::exposure::{self, ExposureInput, ExposureModel, ExposureState};
use cathnav::sim::snapshot::Pulse;
use cathnav::xray::Spectrum;

use super::slab;

pub(super) struct RoomRig {
    pub(super) model: ExposureModel,
    pub(super) state: ExposureState,
    tick: u64,
    pub(super) events: Vec<EventKind>,
    pulses: Vec<(u64, Pulse)>,
    contrast_ml: f64,
    pub(super) breath: f64,
}

impl RoomRig {
    fn new() -> Self {
        Self::of(&Anatomy { body: slab(100.0), ..Anatomy::default() }, &Room::default())
    }

    pub(super) fn of(anatomy: &Anatomy, room: &Room) -> Self {
        let model = ExposureModel::new(anatomy, room, &Vec3::zeros());
        let state = ExposureState::new(&model);
        Self { model, state, tick: 0, events: Vec::new(), pulses: Vec::new(), contrast_ml: 0.0, breath: 0.0 }
    }

    pub(super) fn run(&mut self, commands: &[Command], ticks: u64) {
        for k in 0..ticks {
            let mut events = Vec::new();
            let input = ExposureInput {
                commands: if k == 0 { commands } else { &[] },
                tick: self.tick,
                contrast_given_ml: self.contrast_ml,
                injecting_at: None,
                breath: self.breath,
            };
            exposure::advance(&self.model, &mut self.state, &input, &mut events);
            self.events.extend(events.into_iter().map(|e| e.kind));
            if let Some(pulse) = exposure::view(&self.state).pulse {
                self.pulses.push((self.tick, pulse));
            }
            self.tick += 1;
        }
    }
}

#[test]
fn pulses_come_at_their_rate() {
    for (rate, every) in [(3.75, 16), (7.5, 8), (15.0, 4), (30.0, 2)] {
        let mut rig = RoomRig::new();
        rig.run(&[Command::SetPulseRate(rate), Command::SetPedal(Pedal::Fluoro)], 240);
        let ticks: Vec<u64> = rig.pulses.iter().map(|p| p.0).collect();
        assert_eq!(ticks, (0..240).step_by(every).collect::<Vec<u64>>(), "{rate}/s");
        assert!((exposure::view(&rig.state).fluoro_time_s - 4.0).abs() < 1e-9);
    }
}

#[test]
fn kerma_and_area_product_of_a_sequence_match_a_hand_calculation() {
    let mut rig = RoomRig::new();
    // 10 s of fluoroscopy at 7.5/s, then blades to half the width, then 4 s of DSA at 3/s, with 12 mL of contrast.
    rig.run(&[Command::SetPedal(Pedal::Fluoro)], 600);
    let first = exposure::view(&rig.state);
    rig.run(&[Command::SetPedal(Pedal::Off)], 30);
    rig.run(&[Command::SetBlades([0.5, 0.5, 1.0, 1.0]), Command::SetPedal(Pedal::Acquire)], 120);
    rig.contrast_ml = 12.0;
    rig.run(&[], 120);
    rig.run(&[Command::SetPedal(Pedal::Off)], 10);
    let last = exposure::view(&rig.state);
    assert_eq!((first.runs, last.runs, last.frames), (0, 1, 12));
    let t = first.technique;
    println!(
        "{:.0} kV {:.0} mA {:.1} ms {} mm Cu at {:.0} mm",
        t.tube_kv, t.tube_ma, t.pulse_ms, t.copper_mm, t.water_equivalent_mm
    );
    // Rays through the slab are a little slanted.
    assert!(t.water_equivalent_mm > 200.0 && t.water_equivalent_mm < 205.0);
    // By hand: uGy/mAs at 100 cm from the spectrum, inverse square to 60 cm, mAs, pulses.
    let per_mas_mgy =
        Spectrum::tube(t.tube_kv, t.copper_mm).air_kerma_ugy_per_mas() / 1000.0 * (100.0_f64 / 60.0).powi(2);
    let fluoro_mgy = 75.0 * per_mas_mgy * t.tube_ma * t.pulse_ms / 1000.0;
    let d = last.technique;
    let dsa_mgy = 12.0 * Spectrum::tube(d.tube_kv, d.copper_mm).air_kerma_ugy_per_mas() / 1000.0
        * (100.0_f64 / 60.0).powi(2)
        * d.tube_ma
        * d.pulse_ms
        / 1000.0;
    // 42 cm diagonal is 29.70 cm square at 110 cm, 16.20 cm square at 60 cm: 262.4 cm2; half of it in the run.
    let kap = (fluoro_mgy * 262.44 + dsa_mgy * 131.22) / 1000.0;
    println!(
        "kerma {:.3} mGy by hand {:.3}; KAP {:.4} Gy cm2 by hand {kap:.4}",
        last.air_kerma_mgy,
        fluoro_mgy + dsa_mgy,
        last.kap_gy_cm2
    );
    assert!((first.air_kerma_mgy / fluoro_mgy - 1.0).abs() < 1e-9);
    assert!((last.air_kerma_mgy / (fluoro_mgy + dsa_mgy) - 1.0).abs() < 1e-9);
    assert!((last.kap_gy_cm2 / kap - 1.0).abs() < 1e-3);
    assert!(
        (first.air_kerma_rate_mgy_per_min - fluoro_mgy * 6.0).abs() < 1e-9
            && last.air_kerma_rate_mgy_per_min == 0.0
    );
    let run_ended = rig.events.iter().find_map(|e| match e {
        EventKind::RunEnded { run, contrast_ml, .. } => Some((*run, *contrast_ml)),
        _ => None,
    });
    assert_eq!(run_ended, Some((1, 12.0)));
    assert!(rig.events.contains(&EventKind::RunStarted(1)));
    assert_eq!(rig.events.iter().filter(|e| matches!(e, EventKind::Pedal(_))).count(), 4);
}

/// One rig tilts its table head up under a vertical beam, the other turns the gantry cranially on a level table.
#[test]
fn a_tilted_table_gives_the_patient_what_an_angled_beam_would() {
    let mut tilted = RoomRig::new();
    tilted.run(&[Command::SetTilt { head_up_deg: 12.0, left_up_deg: 0.0 }], 120);
    let half = exposure::view(&tilted.state).arm;
    assert!((half.table_tilt_deg - 6.0).abs() < 1e-9, "2 s at 3 degrees/s: {}", half.table_tilt_deg);
    tilted.run(&[], 121);
    let mut angled = RoomRig::new();
    angled.run(&[Command::SetAngles { primary_deg: 0.0, secondary_deg: 12.0 }], 241);
    for rig in [&mut tilted, &mut angled] {
        rig.run(&[Command::SetPedal(Pedal::Acquire)], 180);
    }
    let (t, a) = (exposure::view(&tilted.state), exposure::view(&angled.state));
    assert_eq!((t.arm.table_tilt_deg, t.arm.secondary_deg), (12.0, 0.0));
    let off = |x: f64, y: f64| (x / y - 1.0).abs();
    let residuals = [
        off(t.technique.water_equivalent_mm, a.technique.water_equivalent_mm),
        off(t.air_kerma_mgy, a.air_kerma_mgy),
        off(t.kap_gy_cm2, a.kap_gy_cm2),
        off(t.dose.peak_skin_mgy, a.dose.peak_skin_mgy),
    ];
    println!("tilt against angle: thickness, kerma, KAP, peak skin off by {residuals:?}");
    assert!(t.dose.peak_skin_mgy > 0.0 && residuals.iter().all(|r| *r < 1e-6));
    // Staff stand on the floor: the beam is vertical for them in the first room only.
    assert!(off(t.dose.staff_ugy[0], a.dose.staff_ugy[0]) > 1e-3);
}

#[test]
fn arm_and_table_move_at_their_speed_and_wrong_values_are_refused() {
    let mut rig = RoomRig::new();
    rig.run(
        &[
            Command::SetAngles { primary_deg: -50.0, secondary_deg: 20.0 },
            Command::SetTable { isocenter_mm: [0.0, 0.0, -240.0] },
        ],
        60,
    );
    let half = exposure::view(&rig.state).arm;
    assert!((half.primary_deg + 25.0).abs() < 1e-9 && (half.secondary_deg - 20.0).abs() < 1e-9);
    assert!((half.isocenter_mm.z + 120.0).abs() < 1e-9);
    rig.run(&[], 61);
    let there = exposure::view(&rig.state).arm;
    assert!((there.primary_deg + 50.0).abs() < 1e-9 && (there.isocenter_mm.z + 240.0).abs() < 1e-9);
    rig.run(&[Command::SetTilt { head_up_deg: -12.0, left_up_deg: 0.0 }], 121);
    let tilting = exposure::view(&rig.state).arm.table_tilt_deg;
    assert!((tilting + 6.0).abs() < 0.06, "3 degrees a second, head down: {tilting}");
    rig.run(&[], 130);
    let there = exposure::view(&rig.state).arm;
    assert!((there.table_tilt_deg + 12.0).abs() < 1e-12);
    let wrong = [
        Command::SetPulseRate(9.0),
        Command::SetAngles { primary_deg: 500.0, secondary_deg: 0.0 },
        Command::SetAngles { primary_deg: f64::NAN, secondary_deg: 0.0 },
        Command::SetSid(100.0),
        Command::SetField(1.0),
        Command::SetBlades([2.0, 1.0, 1.0, 1.0]),
        Command::SetTable { isocenter_mm: [f64::INFINITY, 0.0, 0.0] },
        Command::SetTilt { head_up_deg: 20.0, left_up_deg: 0.0 },
        Command::SetTilt { head_up_deg: 5.0, left_up_deg: -16.0 },
        Command::SetAcquisition { kind: AcquisitionKind::Dsa, frame_rate_per_s: 100.0 },
    ];
    rig.run(&wrong, 30);
    let refused: Vec<&EventKind> =
        rig.events.iter().filter(|e| matches!(e, EventKind::Refused { .. })).collect();
    assert_eq!(refused.len(), wrong.len());
    if let EventKind::Refused { reason, .. } = refused[0] {
        assert_eq!(reason, "pulse rate 9 1/s is not one of 3.75, 7.5, 15, 30 1/s");
    }
    assert_eq!(exposure::view(&rig.state).arm, there, "nothing moved");
}
