//! Exposure stage: C-arm, table, pedal, pulses, runs, technique, dose. It never looks at pixels.

pub mod account;
pub mod program;
pub mod suite;

use serde::{Deserialize, Serialize};

use account::{Account, Booking, Totals};
use program::PROGRAMS;
use suite::{RunRecord, Suite};

use super::command::{AcquisitionKind, Command, Pedal};
use super::event::{Event, EventKind};
use super::snapshot::{Pulse, Technique, XrayView};
use crate::anatomy::{Anatomy, VesselPlace};
use crate::math::Vec3;
use crate::math::hash::StateHasher;
use crate::scenario::{Arms, Room, RoomView};
use crate::units::{TICK_S, TICKS_PER_S};
use crate::xray::skin::SkinModel;
use crate::xray::{BodyModel, CArm, DetectorProgram, ExposureControl, FluoroLevel, Posture, Wedge};

/// Speed of the C-arm, degrees/s.
pub const ARM_SPEED_DEG_PER_S: f64 = 25.0;
/// Speed of the table, mm/s.
pub const TABLE_SPEED_MM_PER_S: f64 = 120.0;
/// Speed of tilt and cradle, degrees/s `[K]`.
pub const TILT_SPEED_DEG_PER_S: f64 = 3.0;
/// Largest tilt of the table, head up or down, degrees `[K]`.
pub const MAX_TILT_DEG: f64 = 16.0;
/// Largest cradle of the table to either side, degrees `[K]`.
pub const MAX_CRADLE_DEG: f64 = 15.0;
/// Speed of the detector lift, mm/s.
pub const LIFT_SPEED_MM_PER_S: f64 = 100.0;
/// Pulse rates of fluoroscopy, 1/s.
pub const PULSE_RATES_PER_S: [f64; 4] = [3.75, 7.5, 15.0, 30.0];
/// Field diagonals, mm.
pub const FIELDS_MM: [f64; 6] = [480.0, 420.0, 320.0, 220.0, 160.0, 110.0];
/// Largest primary angle either way, degrees.
pub const MAX_PRIMARY_DEG: f64 = 120.0;
/// Largest secondary angle either way, degrees.
pub const MAX_SECONDARY_DEG: f64 = 50.0;
/// Source to image distances, mm.
pub const SID_RANGE_MM: (f64, f64) = (900.0, 1200.0);
/// How far the table can bring the isocenter from the origin, mm, per axis.
const TABLE_REACH_MM: f64 = 1500.0;
/// Blades close to this share of the half field at most.
const MIN_BLADE: f64 = 0.1;

/// What the stage needs of the case; part of the model.
#[derive(Clone, Debug)]
pub struct ExposureModel {
    body: BodyModel,
    room: Room,
    skin: SkinModel,
    /// Point on the table top under the access: staff stand around it.
    staff_origin_mm: Vec3,
    views: Vec<RoomView>,
}

impl ExposureModel {
    /// Thickness and skin from the anatomy, start values from the room; staff stand around the access.
    pub fn new(anatomy: &Anatomy, room: &Room, access_mm: &Vec3) -> Self {
        let skin = SkinModel::new(anatomy);
        Self {
            body: BodyModel::new(anatomy),
            room: room.clone(),
            staff_origin_mm: Vec3::new(access_mm.x, skin.table_y_mm, access_mm.z),
            skin,
            views: room.offered_views(),
        }
    }

    /// Bins of the skin.
    pub fn skin(&self) -> &SkinModel {
        &self.skin
    }

    /// Views of the case, in the order of [`Command::RecallPreset`].
    pub fn views(&self) -> &[RoomView] {
        &self.views
    }
}

/// Everything of the X-ray room that the next tick needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposureState {
    arm: CArm,
    target: CArm,
    pedal: Pedal,
    acquisition: AcquisitionKind,
    roadmap: bool,
    pulse_rate_per_s: f64,
    frame_rate_per_s: f64,
    /// Pulses since the beam started (or its rate changed), and the tick of that.
    beam_pulses: u64,
    beam_start_tick: u64,
    pulses: u64,
    pulse: Option<Pulse>,
    runs: u32,
    frames: u32,
    run: Option<RunState>,
    technique: Technique,
    /// Pose and arms for which the thickness was taken.
    thickness_of: Option<(CArm, Arms)>,
    /// Thickness after breathing out and after breathing in, mm.
    thickness_mm: [f64; 2],
    arms: Arms,
    fluoro_ticks: u64,
    air_kerma_mgy: f64,
    kap_gy_cm2: f64,
    level: FluoroLevel,
    /// Program of the next run; none when kind and rate were set by hand.
    program: Option<u8>,
    suite: Suite,
    account: Account,
}

/// A run under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct RunState {
    number: u32,
    frames: u32,
    start_tick: u64,
    contrast_at_start_ml: f64,
    injected_at: Option<VesselPlace>,
}

impl ExposureState {
    /// The room at the start of a case.
    pub fn new(model: &ExposureModel) -> Self {
        let room = &model.room;
        let (x, y, z) = room.isocenter_mm;
        let arm = CArm {
            field_mm: nearest_of(&FIELDS_MM, room.field_cm * 10.0),
            isocenter_mm: Vec3::new(x, y, z),
            ..CArm::default()
        };
        Self {
            arm,
            target: arm,
            pedal: Pedal::Off,
            acquisition: AcquisitionKind::Dsa,
            roadmap: false,
            pulse_rate_per_s: nearest_of(&PULSE_RATES_PER_S, room.pulse_rate_per_s),
            frame_rate_per_s: room.frame_rate_per_s.clamp(0.5, 30.0),
            beam_pulses: 0,
            beam_start_tick: 0,
            pulses: 0,
            pulse: None,
            runs: 0,
            frames: 0,
            run: None,
            technique: Technique::default(),
            thickness_of: None,
            thickness_mm: [0.0; 2],
            arms: room.arms,
            fluoro_ticks: 0,
            air_kerma_mgy: 0.0,
            kap_gy_cm2: 0.0,
            level: FluoroLevel::Normal,
            program: None,
            suite: Suite::default(),
            account: Account::default(),
        }
    }

    /// Pedal now.
    pub fn pedal(&self) -> Pedal {
        self.pedal
    }

    /// Number of the run under way.
    pub fn run(&self) -> Option<u32> {
        self.run.map(|r| r.number)
    }

    /// Pose now.
    pub fn arm(&self) -> &CArm {
        &self.arm
    }
}

/// What the other stages tell this one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExposureInput<'a> {
    /// Commands of this tick, all kinds; those of other stages are passed over.
    pub commands: &'a [Command],
    /// Tick.
    pub tick: u64,
    /// Contrast given so far, mL.
    pub contrast_given_ml: f64,
    /// Where an injection leaves its lumen now, if one runs.
    pub injecting_at: Option<VesselPlace>,
    /// Depth of breath, -1 (out) to 1 (in).
    pub breath: f64,
}

/// Advances the room by one tick: commands, motion, pulse. Events go to `events`.
pub fn advance(
    model: &ExposureModel,
    state: &mut ExposureState,
    input: &ExposureInput<'_>,
    events: &mut Vec<Event>,
) {
    let mut say = |kind| events.push(Event { tick: input.tick, kind });
    for command in input.commands {
        let tools = suite::apply(&model.views, state, command, &mut say);
        if let Err(reason) = tools.and_then(|()| apply(state, command, input, &mut say)) {
            say(EventKind::Refused { tool: None, reason });
        }
    }
    move_room(state);
    if let (Some(run), Some(at)) = (&mut state.run, input.injecting_at) {
        run.injected_at = Some(at);
    }
    if state.pedal != Pedal::Off {
        follow_program(state, input.tick);
        pulse(model, state, input);
        state.account.beam_tick(&mut say);
        let totals = Totals {
            air_kerma_mgy: state.air_kerma_mgy,
            kap_gy_cm2: state.kap_gy_cm2,
            fluoro_s: state.fluoro_ticks as f64 * TICK_S,
        };
        state.account.notify(&totals, &mut say);
    } else {
        state.pulse = None;
    }
}

/// What the outside may read.
pub fn view(state: &ExposureState) -> XrayView {
    XrayView {
        arm: state.arm,
        pedal: state.pedal,
        acquisition: state.acquisition,
        roadmap: state.roadmap,
        pulse_rate_per_s: state.pulse_rate_per_s,
        frame_rate_per_s: state.frame_rate_per_s,
        pulse: state.pulse,
        technique: state.technique,
        fluoro_time_s: state.fluoro_ticks as f64 * TICK_S,
        air_kerma_mgy: state.air_kerma_mgy,
        air_kerma_rate_mgy_per_min: program(state)
            .map_or(0.0, |p| state.technique.kerma_per_pulse_mgy * p.rate_per_s() * 60.0),
        kap_gy_cm2: state.kap_gy_cm2,
        runs: state.runs,
        frames: state.frames,
        level: state.level,
        program: state.program,
        suite: state.suite.clone(),
        dose: state.account.view(),
        arms: Some(state.arms),
    }
}

/// Feeds the whole state to a hash.
pub fn hash(state: &ExposureState, hasher: &mut StateHasher) {
    hasher.value(state);
}

fn apply(
    state: &mut ExposureState,
    command: &Command,
    input: &ExposureInput<'_>,
    say: &mut impl FnMut(EventKind),
) -> Result<(), String> {
    match command {
        Command::SetPedal(pedal) => set_pedal(state, *pedal, input, say),
        Command::SetPulseRate(rate) => {
            state.pulse_rate_per_s = one_of("pulse rate", "1/s", &PULSE_RATES_PER_S, *rate)?;
            restart_beam(state, input.tick);
        }
        Command::SetAcquisition { kind, frame_rate_per_s } => {
            state.frame_rate_per_s = within("frame rate", "1/s", (0.5, 30.0), *frame_rate_per_s)?;
            state.acquisition = *kind;
            state.program = None;
            restart_beam(state, input.tick);
        }
        Command::SelectProgram(number) => {
            let program = &PROGRAMS[one_of_len("program", PROGRAMS.len(), *number)?];
            if state.run.is_some() {
                return Err("a program is chosen between runs, not during one".to_owned());
            }
            state.program = Some(*number);
            state.acquisition = program.kind;
            state.frame_rate_per_s = program.rate_per_s(0.0);
        }
        Command::SetFluoroLevel(level) => state.level = *level,
        Command::SetShields(shields) => state.account.shields = *shields,
        Command::SetArms(_) if state.pedal != Pedal::Off => {
            return Err("the arms are moved with the beam off".to_owned());
        }
        Command::SetArms(arms) => state.arms = *arms,
        Command::SetWedge { insertion, angle_deg } => {
            let insertion = within("wedge insertion", "", (0.0, 2.0), *insertion)?;
            let angle_deg = within("wedge angle", "degrees", (-360.0, 360.0), *angle_deg)?;
            state.arm.wedge = Wedge { insertion, angle_deg };
        }
        Command::Finish => state.account.close(say),
        Command::SetAngles { primary_deg, secondary_deg } => {
            let limit = |max: f64| (-max, max);
            let primary = within("primary angle", "degrees", limit(MAX_PRIMARY_DEG), *primary_deg)?;
            state.target.secondary_deg =
                within("secondary angle", "degrees", limit(MAX_SECONDARY_DEG), *secondary_deg)?;
            state.target.primary_deg = primary;
        }
        Command::SetTable { isocenter_mm } => {
            for value in isocenter_mm {
                within("table position", "mm", (-TABLE_REACH_MM, TABLE_REACH_MM), *value)?;
            }
            state.target.isocenter_mm = Vec3::from(*isocenter_mm);
        }
        Command::SetTilt { head_up_deg, left_up_deg } => set_tilt(state, *head_up_deg, *left_up_deg)?,
        Command::SetSid(sid_mm) => {
            state.target.sid_mm = within("source to image distance", "mm", SID_RANGE_MM, *sid_mm)?;
        }
        Command::SetField(field_mm) => state.arm.field_mm = one_of("field", "mm", &FIELDS_MM, *field_mm)?,
        Command::SetBlades(blades) => {
            for value in blades {
                within("blade", "of the half field", (0.0, 1.0), *value)?;
            }
            state.arm.blades = blades.map(|b| b.max(MIN_BLADE));
        }
        Command::SetRoadmap(on) => state.roadmap = *on,
        _ => {}
    }
    Ok(())
}

/// The table tilts about the isocenter, as isocentric tilt tables do: only the target angles change.
fn set_tilt(state: &mut ExposureState, head_up_deg: f64, left_up_deg: f64) -> Result<(), String> {
    let tilt = within("table tilt", "degrees", (-MAX_TILT_DEG, MAX_TILT_DEG), head_up_deg)?;
    state.target.table_cradle_deg =
        within("table cradle", "degrees", (-MAX_CRADLE_DEG, MAX_CRADLE_DEG), left_up_deg)?;
    state.target.table_tilt_deg = tilt;
    Ok(())
}

fn within(what: &str, unit: &str, (lo, hi): (f64, f64), value: f64) -> Result<f64, String> {
    if value >= lo && value <= hi {
        Ok(value)
    } else {
        Err(format!("{what} {value} {unit} is outside {lo} to {hi} {unit}"))
    }
}

fn one_of(what: &str, unit: &str, allowed: &[f64], value: f64) -> Result<f64, String> {
    allowed.iter().copied().find(|a| (a - value).abs() < 1e-9).ok_or_else(|| {
        let list: Vec<String> = allowed.iter().map(f64::to_string).collect();
        format!("{what} {value} {unit} is not one of {} {unit}", list.join(", "))
    })
}

/// An index below a length.
fn one_of_len(what: &str, length: usize, number: u8) -> Result<usize, String> {
    if usize::from(number) < length {
        Ok(usize::from(number))
    } else {
        Err(format!("{what} {} is not one of 1 to {length}", u32::from(number) + 1))
    }
}

fn nearest_of(allowed: &[f64], value: f64) -> f64 {
    allowed
        .iter()
        .copied()
        .fold(allowed[0], |best, a| if (a - value).abs() < (best - value).abs() { a } else { best })
}

fn set_pedal(
    state: &mut ExposureState,
    pedal: Pedal,
    input: &ExposureInput<'_>,
    say: &mut impl FnMut(EventKind),
) {
    if pedal == state.pedal {
        return;
    }
    if let Some(run) = state.run.take() {
        say(EventKind::RunEnded {
            run: run.number,
            contrast_ml: (input.contrast_given_ml - run.contrast_at_start_ml).max(0.0),
            at: run.injected_at,
        });
    }
    state.account.close(say);
    state.pedal = pedal;
    restart_beam(state, input.tick);
    say(EventKind::Pedal(pedal));
    if pedal == Pedal::Acquire {
        state.runs += 1;
        state.run = Some(RunState {
            number: state.runs,
            frames: 0,
            start_tick: input.tick,
            contrast_at_start_ml: input.contrast_given_ml,
            injected_at: None,
        });
        state.suite.runs.push(RunRecord {
            number: state.runs,
            kind: state.acquisition,
            arm: state.arm,
            frame_rate_per_s: state.frame_rate_per_s,
            ..RunRecord::default()
        });
        say(EventKind::RunStarted(state.runs));
    }
}

fn restart_beam(state: &mut ExposureState, tick: u64) {
    state.beam_pulses = 0;
    state.beam_start_tick = tick;
}

fn towards(value: f64, target: f64, step: f64) -> f64 {
    if (target - value).abs() <= step { target } else { value + step * (target - value).signum() }
}

fn move_room(state: &mut ExposureState) {
    let (arm, target) = (&mut state.arm, &state.target);
    arm.primary_deg = towards(arm.primary_deg, target.primary_deg, ARM_SPEED_DEG_PER_S * TICK_S);
    arm.secondary_deg = towards(arm.secondary_deg, target.secondary_deg, ARM_SPEED_DEG_PER_S * TICK_S);
    let tilt_step = TILT_SPEED_DEG_PER_S * TICK_S;
    arm.table_tilt_deg = towards(arm.table_tilt_deg, target.table_tilt_deg, tilt_step);
    arm.table_cradle_deg = towards(arm.table_cradle_deg, target.table_cradle_deg, tilt_step);
    arm.sid_mm = towards(arm.sid_mm, target.sid_mm, LIFT_SPEED_MM_PER_S * TICK_S);
    let way = target.isocenter_mm - arm.isocenter_mm;
    let step = TABLE_SPEED_MM_PER_S * TICK_S;
    let length = way.norm();
    arm.isocenter_mm =
        if length <= step { target.isocenter_mm } else { arm.isocenter_mm + way * (step / length) };
}

/// What the beam is doing, if it is on.
fn program(state: &ExposureState) -> Option<DetectorProgram> {
    match (state.pedal, state.acquisition) {
        (Pedal::Off, _) => None,
        (Pedal::Fluoro, _) => Some(DetectorProgram::Fluoro(state.pulse_rate_per_s)),
        (Pedal::Acquire, AcquisitionKind::Dsa) => Some(DetectorProgram::Dsa(state.frame_rate_per_s)),
        (Pedal::Acquire, AcquisitionKind::Cine) => Some(DetectorProgram::Cine(state.frame_rate_per_s)),
    }
}

/// The frame rate of the program's phase.
fn follow_program(state: &mut ExposureState, tick: u64) {
    let (Some(number), Some(run)) = (state.program, &state.run) else { return };
    let Some(program) = PROGRAMS.get(usize::from(number)) else { return };
    let rate = program.rate_per_s(tick.saturating_sub(run.start_tick) as f64 * TICK_S);
    if (rate - state.frame_rate_per_s).abs() > 1e-9 {
        state.frame_rate_per_s = rate;
        restart_beam(state, tick);
    }
}

/// Thickness and air gap of the pose: at the ends of a breath, and straight between them.
fn measure(model: &ExposureModel, state: &mut ExposureState, breath: f64) {
    let (body, arms) = (&model.body, Some(state.arms));
    if state.thickness_of != Some((state.arm, state.arms)) {
        let at = |breath: f64| body.water_equivalent_of(&state.arm, &Posture { breath, arms });
        state.thickness_mm = if body.moves().0 { [at(-1.0), at(1.0)] } else { [at(0.0); 2] };
        state.technique.air_gap_mm = body.air_gap_of(&state.arm, arms);
        state.thickness_of = Some((state.arm, state.arms));
    }
    let [out_mm, in_mm] = state.thickness_mm;
    state.technique.water_equivalent_mm = out_mm + (in_mm - out_mm) * 0.5 * (breath.clamp(-1.0, 1.0) + 1.0);
}

fn pulse(model: &ExposureModel, state: &mut ExposureState, input: &ExposureInput<'_>) {
    let tick = input.tick;
    state.pulse = None;
    let Some(program) = program(state) else { return };
    if state.pedal == Pedal::Fluoro {
        state.fluoro_ticks += 1;
    }
    // Pulse k falls into the first tick at or after k / rate.
    let since = tick.saturating_sub(state.beam_start_tick) as f64;
    if since < state.beam_pulses as f64 * TICKS_PER_S as f64 / program.rate_per_s() - 1e-9 {
        return;
    }
    measure(model, state, input.breath);
    let Technique { water_equivalent_mm, air_gap_mm, .. } = state.technique;
    let set = ExposureControl::for_patient(program, state.level, water_equivalent_mm, air_gap_mm, &state.arm);
    state.technique = Technique::of(&set, water_equivalent_mm, air_gap_mm);
    state.air_kerma_mgy += set.kerma_per_pulse_mgy;
    state.kap_gy_cm2 += state.account.book(&Booking {
        skin: &model.skin,
        staff_origin_mm: &model.staff_origin_mm,
        arm: &state.arm,
        technique: &state.technique,
        tick,
        pedal: state.pedal,
        acquisition: state.acquisition,
        run: state.run.map(|r| r.number),
        level: state.level,
        rate_per_s: program.rate_per_s(),
    });
    let is_first = state.beam_pulses == 0;
    suite::book_pulse(&mut state.suite, state.pulses, state.run.is_some(), is_first, &state.arm);
    let (run, frame_in_run) = state.run.as_ref().map_or((None, 0), |r| (Some(r.number), r.frames));
    state.pulse = Some(Pulse { number: state.pulses, run, frame_in_run });
    state.pulses += 1;
    state.beam_pulses += 1;
    if let Some(run) = &mut state.run {
        run.frames += 1;
        state.frames += 1;
    }
}
