//! Stage: the patient. Heart, pressures, ECG, breathing, saturation, clotting, blood loss, drugs, and the answers to what
//! is done (pain, reflex, consciousness, temperature, allergy, load on the kidneys); effects follow from causes (`clinical.md` A6, A7), except targets that a case event sets.

mod breath;
mod drugs;
mod responses;
mod veins;
mod wave;

use serde::{Deserialize, Serialize};

use crate::math::hash::StateHasher;
use crate::scenario::Patient;
use crate::sim::event::EventKind;
use crate::sim::snapshot::PatientView;

pub use drugs::{DRUGS, Drug, DrugLevel};
pub use responses::Responses;
pub use wave::{ecg_mv, mean_of_pressures_mmhg, mean_of_shape, pressure_shape};

/// Clotting time without heparin, s (`clinical.md` A6).
const ACT_BASE_S: f64 = 150.0;
/// Rise of the clotting time per IU/kg of active heparin, s: 5000 IU in 70 kg give 290 s after ten minutes (A6).
const ACT_PER_IU_PER_KG_S: f64 = 2.2;
/// Heparin that one mg of protamine binds, IU (A6).
const IU_PER_MG_PROTAMINE: f64 = 100.0;
/// Time constant with which circulation answers to blood loss and drugs, s `[K]`.
const REFLEX_S: f64 = 15.0;
/// Time constant of the saturation at the finger, s `[K]`.
const SATURATION_S: f64 = 40.0;
/// Rise of the heart rate, 1/min, by lost blood in mL of a 70 kg patient (A7).
const RATE_BY_LOSS: [(f64, f64); 6] =
    [(0.0, 0.0), (750.0, 22.0), (1500.0, 45.0), (2000.0, 65.0), (3000.0, 85.0), (5000.0, 60.0)];
/// Fall of the systolic pressure, mmHg, by lost blood in mL of a 70 kg patient (A7).
const PRESSURE_BY_LOSS: [(f64, f64); 6] =
    [(0.0, 0.0), (750.0, 4.0), (1500.0, 18.0), (2000.0, 40.0), (3000.0, 75.0), (5000.0, 100.0)];

/// Ramp of a value to a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Ramp {
    now: f64,
    target: f64,
    rate_per_s: f64,
}

impl Ramp {
    fn at(value: f64) -> Self {
        Self { now: value, target: value, rate_per_s: 0.0 }
    }

    fn set(&mut self, target: f64, over_s: f64) {
        self.target = target;
        self.rate_per_s = (target - self.now).abs() / over_s.max(0.1);
    }

    fn advance(&mut self, dt_s: f64) {
        let step = self.rate_per_s * dt_s;
        self.now += (self.target - self.now).clamp(-step, step);
    }
}

/// Everything the stage needs to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhysiologyState {
    weight_kg: f64,
    base_rate: Ramp,
    base_systolic: Ramp,
    base_diastolic: Ramp,
    base_spo2_pct: f64,
    base_respiration_bpm: f64,
    /// Heart rate now, 1/min.
    pub heart_rate_bpm: f64,
    /// Systolic pressure now, mmHg.
    pub systolic_mmhg: f64,
    /// Diastolic pressure now, mmHg.
    pub diastolic_mmhg: f64,
    /// Phase of the beat, 0 to 1; 0 is the R wave.
    pub heart_phase: f64,
    /// Phase of the breath, 0 to 1.
    pub breath_phase: f64,
    /// Seconds that the breath has been held, while it is.
    held_s: Option<f64>,
    /// Breaths per minute.
    pub respiration_bpm: f64,
    /// Saturation, percent.
    pub spo2_pct: f64,
    /// Blood lost, mL.
    pub blood_loss_ml: f64,
    /// Pressure at the root of the tree now, mmHg.
    pub pressure_mmhg: f64,
    /// Central venous pressure now, mmHg.
    pub venous_mmhg: f64,
    /// A beat has begun in the last tick.
    pub is_new_beat: bool,
    /// Highest and lowest pressure of the beat that runs.
    extremes_mmhg: (f64, f64),
    /// Highest and lowest pressure of the last whole beat.
    last_beat_mmhg: (f64, f64),
    /// Per entry of [`DRUGS`].
    pub drugs: Vec<DrugLevel>,
    /// Pain, allergy, temperature, kidneys.
    pub responses: Responses,
    warned_hypotension: bool,
}

/// What acts on the patient during a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PhysiologyInputs {
    /// Sum of all leaks, mL/s.
    pub leak_ml_per_s: f64,
    /// Iodine that has come into the blood so far, mg.
    pub iodine_mg: f64,
    /// Pain of the worst injury of a vessel, 0 to 10, as it is when new.
    pub injury: f64,
    /// Flow that beds lack, mL/s.
    pub lacking_ml_per_s: f64,
    /// How far the wall of a carotid sinus is stretched, 0 to 1.
    pub carotid_stretch: f64,
}

impl PhysiologyState {
    /// The patient of a case, at rest.
    pub fn new(patient: &Patient) -> Self {
        let mut state = Self {
            weight_kg: patient.weight_kg.max(1.0),
            base_rate: Ramp::at(patient.heart_rate_bpm),
            base_systolic: Ramp::at(patient.systolic_mmhg),
            base_diastolic: Ramp::at(patient.diastolic_mmhg),
            base_spo2_pct: patient.spo2_pct,
            base_respiration_bpm: patient.respiration_bpm,
            heart_rate_bpm: patient.heart_rate_bpm,
            systolic_mmhg: patient.systolic_mmhg,
            diastolic_mmhg: patient.diastolic_mmhg,
            respiration_bpm: patient.respiration_bpm,
            spo2_pct: patient.spo2_pct,
            last_beat_mmhg: (patient.systolic_mmhg, patient.diastolic_mmhg),
            extremes_mmhg: (f64::NEG_INFINITY, f64::INFINITY),
            drugs: vec![DrugLevel::default(); DRUGS.len()],
            responses: Responses::new(patient),
            ..Self::default()
        };
        state.pressure_mmhg = state.pressure_now();
        state.venous_mmhg = veins::venous_mmhg(&state);
        state
    }

    /// Moves heart rate and systolic pressure (diastolic in proportion) to targets over a time: case events.
    pub fn set_targets(&mut self, heart_rate_bpm: Option<f64>, systolic_mmhg: Option<f64>, over_s: f64) {
        if let Some(rate) = heart_rate_bpm.filter(|r| r.is_finite()) {
            self.base_rate.set(rate.clamp(20.0, 220.0), over_s);
        }
        if let Some(systolic) = systolic_mmhg.filter(|p| p.is_finite()) {
            let systolic = systolic.clamp(40.0, 260.0);
            let ratio = self.base_diastolic.now / self.base_systolic.now.max(1.0);
            self.base_systolic.set(systolic, over_s);
            self.base_diastolic.set(systolic * ratio, over_s);
        }
    }

    /// Gives a drug; an event says that it was given, or why not.
    pub fn give(&mut self, drug: &str, dose: f64, events: &mut Vec<EventKind>) {
        let refuse = |reason: String| EventKind::Refused { tool: None, reason };
        let Some(at) = DRUGS.iter().position(|d| d.id == drug) else {
            let list: Vec<&str> = DRUGS.iter().map(|d| d.id).collect();
            events.push(refuse(format!("no drug `{drug}`; at hand: {}", list.join(", "))));
            return;
        };
        let entry = &DRUGS[at];
        if !(dose > 0.0 && dose <= entry.max_dose) {
            let (max, unit) = (entry.max_dose, entry.unit);
            events.push(refuse(format!(
                "{drug} {dose} {unit}: allowed are doses above 0 and up to {max} {unit}"
            )));
            return;
        }
        self.drugs[at].pending += dose;
        self.drugs[at].total += dose;
        events.push(EventKind::Given { drug: drug.to_owned(), dose });
    }

    /// Asks the patient to hold the breath after breathing out, or to breathe on.
    pub fn hold_breath(&mut self, hold: bool, events: &mut Vec<EventKind>) {
        breath::ask(self, hold, events);
    }

    /// Depth of breath now, -1 (out) to 1 (in).
    pub fn breath(&self) -> f64 {
        (std::f64::consts::TAU * self.breath_phase).sin()
    }

    /// Amount of a drug that acts now, in its dose unit.
    pub fn active(&self, drug: &str) -> f64 {
        DRUGS.iter().position(|d| d.id == drug).and_then(|i| self.drugs.get(i)).map_or(0.0, |l| l.active)
    }

    /// Activated clotting time, s.
    pub fn act_s(&self) -> f64 {
        ACT_BASE_S + ACT_PER_IU_PER_KG_S * self.active("heparin") / self.weight_kg
    }

    /// Mean arterial pressure now, mmHg.
    pub fn mean_mmhg(&self) -> f64 {
        mean_of_pressures_mmhg(self.systolic_mmhg, self.diastolic_mmhg)
    }

    /// Depth of sedation: 100 ug of fentanyl or 3 mg of midazolam make 1 (moderate, responds to the voice) `[K]`.
    pub fn sedation(&self) -> f64 {
        self.active("fentanyl") / 100.0 + self.active("midazolam") / 3.0
    }

    /// Bowel motion over that at rest: `1 / (1 + (glucagon / 0.25 mg)^2)`; 1 mg stills it (`clinical.md` A7).
    pub fn bowel_motion(&self) -> f64 {
        1.0 / (1.0 + (self.active("glucagon") / 0.25).powi(2))
    }

    fn pressure_now(&self) -> f64 {
        // Breathing moves the pressure by about 2 mmHg either way [K].
        let breath = 2.0 * (std::f64::consts::TAU * self.breath_phase).sin();
        let shape = pressure_shape(self.heart_phase - wave::PRESSURE_DELAY);
        self.diastolic_mmhg + (self.systolic_mmhg - self.diastolic_mmhg) * shape + breath
    }

    /// Pulse wave at the finger: a fifth of a beat late, weaker with a small pulse pressure.
    fn pleth(&self) -> f64 {
        let strength = ((self.systolic_mmhg - self.diastolic_mmhg) / 40.0).clamp(0.0, 1.0);
        strength * pressure_shape(self.heart_phase - wave::PRESSURE_DELAY - 0.2)
    }

    /// View for snapshots.
    pub fn view(&self) -> PatientView {
        PatientView {
            heart_rate_bpm: self.heart_rate_bpm,
            heart_phase: self.heart_phase,
            ecg_mv: ecg_mv(self.heart_phase, 60.0 / self.heart_rate_bpm),
            pressure_mmhg: self.pressure_mmhg,
            systolic_mmhg: self.last_beat_mmhg.0,
            diastolic_mmhg: self.last_beat_mmhg.1,
            mean_mmhg: self.mean_mmhg(),
            venous_mmhg: self.venous_mmhg,
            pleth: self.pleth(),
            breath: self.breath(),
            breath_held: self.held_s.is_some(),
            sedation: self.sedation(),
            bowel_motion: self.bowel_motion(),
            pain: self.pain(),
            consciousness: self.consciousness(),
            temperature_c: self.responses.temperature_c,
            allergic_reaction: self.allergic_reaction(),
            kidney_load: self.kidney_load(),
            spo2_pct: self.spo2_pct,
            respiration_bpm: self.respiration_bpm,
            act_s: self.act_s(),
            blood_loss_ml: self.blood_loss_ml,
        }
    }

    /// Are all numbers finite.
    pub fn is_finite(&self) -> bool {
        let answers = [self.pain(), self.responses.temperature_c, self.allergic_reaction()];
        [self.pressure_mmhg, self.heart_rate_bpm, self.spo2_pct, self.blood_loss_ml, self.act_s()]
            .iter()
            .chain(&answers)
            .all(|x| x.is_finite())
    }

    /// Feeds the state into a hash.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        hasher.value(self);
    }
}

/// Advances the patient by `dt_s`.
pub fn advance(
    state: &mut PhysiologyState,
    inputs: &PhysiologyInputs,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    state.base_rate.advance(dt_s);
    state.base_systolic.advance(dt_s);
    state.base_diastolic.advance(dt_s);
    let mut infused_ml = 0.0;
    for (level, drug) in state.drugs.iter_mut().zip(&DRUGS) {
        let moved = level.advance(drug, dt_s);
        if drug.unit == "mL" {
            infused_ml += moved;
        }
    }
    neutralize_heparin(state);
    state.blood_loss_ml += inputs.leak_ml_per_s.max(0.0) * dt_s;
    responses::advance(state, inputs, infused_ml, dt_s, events);
    circulate(state, dt_s);
    breathe(state, dt_s, events);
    beat(state, dt_s);
    if state.systolic_mmhg < 90.0 && !state.warned_hypotension {
        state.warned_hypotension = true;
        events.push(EventKind::Said("The pressure is falling: systolic below 90.".to_owned()));
    } else if state.systolic_mmhg > 100.0 {
        state.warned_hypotension = false;
    }
}

/// Protamine that has come to act binds active heparin, 1 mg per 100 IU, and is used up by it.
fn neutralize_heparin(state: &mut PhysiologyState) {
    let index = |id: &str| DRUGS.iter().position(|d| d.id == id);
    let (Some(h), Some(p)) = (index("heparin"), index("protamine")) else { return };
    let bound = (state.drugs[p].active * IU_PER_MG_PROTAMINE).min(state.drugs[h].active);
    state.drugs[h].active -= bound;
    state.drugs[p].active -= bound / IU_PER_MG_PROTAMINE;
}

/// Heart rate and pressures follow blood loss and drugs; effects per dose are estimates `[K]`.
fn circulate(state: &mut PhysiologyState, dt_s: f64) {
    // A third of what is infused stays in the vessels.
    let loss = ((state.blood_loss_ml - state.active("fluids") / 3.0) * 70.0 / state.weight_kg).max(0.0);
    let nitro = state.active("nitroglycerin") / 200.0;
    let nitro = nitro / (1.0 + 0.5 * nitro);
    let calm = state.active("fentanyl") / 100.0 + state.active("midazolam") / 5.0;
    let vagolysis = (state.active("atropine") / 0.75).min(1.5);
    let pressor = state.active("noradrenaline") * 2.5 / (1.0 + state.active("noradrenaline") * 0.03);
    let adrenaline = state.active("adrenaline");
    let rate = state.base_rate.now + interpolate(&RATE_BY_LOSS, loss) + 5.0 * nitro + 22.0 * vagolysis
        - 3.0 * calm
        - 0.1 * pressor
        + 0.08 * adrenaline;
    let fall = interpolate(&PRESSURE_BY_LOSS, loss);
    let pressor = pressor + 0.06 * adrenaline;
    let systolic = state.base_systolic.now - fall - 15.0 * nitro - 4.0 * calm + pressor;
    let diastolic = state.base_diastolic.now - 0.55 * fall - 8.0 * nitro - 2.0 * calm + 0.6 * pressor;
    // Strong pain raises both by up to a fifth; a vasovagal reflex brings them below 50/min and 90 mmHg (A7).
    let (pain, vagal, allergy) = (0.02 * state.pain(), state.vagal_tone(), state.allergic_reaction());
    let rate = rate * (1.0 + pain) * (1.0 - 0.75 * vagal) * (1.0 + 0.6 * allergy);
    let tension = (1.0 + pain) * (1.0 - 0.65 * vagal) * (1.0 - 0.5 * allergy);
    let (systolic, diastolic) = (systolic * tension, diastolic * tension);
    let follow = 1.0 - (-dt_s / REFLEX_S).exp();
    state.heart_rate_bpm += follow * (rate.clamp(25.0, 200.0) - state.heart_rate_bpm);
    let systolic = systolic.clamp(25.0, 260.0);
    state.systolic_mmhg += follow * (systolic - state.systolic_mmhg);
    state.diastolic_mmhg += follow * (diastolic.clamp(15.0, systolic - 8.0) - state.diastolic_mmhg);
}

fn breathe(state: &mut PhysiologyState, dt_s: f64, events: &mut Vec<EventKind>) {
    let sedation = state.sedation();
    let shock =
        (interpolate(&PRESSURE_BY_LOSS, state.blood_loss_ml * 70.0 / state.weight_kg) / 10.0).min(10.0);
    let allergy = state.allergic_reaction();
    state.respiration_bpm =
        (state.base_respiration_bpm - 2.5 * sedation + shock + 12.0 * allergy).clamp(2.0, 40.0);
    let breathes = breath::advance(state, dt_s, events);
    let shallow = if breathes { (8.0 - state.respiration_bpm).max(0.0) } else { 4.0 };
    let target = (state.base_spo2_pct - 3.0 * shallow - 0.3 * shock - 25.0 * allergy).clamp(50.0, 100.0);
    state.spo2_pct += (1.0 - (-dt_s / SATURATION_S).exp()) * (target - state.spo2_pct);
}

fn beat(state: &mut PhysiologyState, dt_s: f64) {
    // Respiratory sinus arrhythmia of two percent.
    let rate = state.heart_rate_bpm * (1.0 + 0.02 * (std::f64::consts::TAU * state.breath_phase).sin());
    let phase = state.heart_phase + dt_s * rate / 60.0;
    state.is_new_beat = phase >= 1.0;
    if state.is_new_beat {
        if state.extremes_mmhg.0.is_finite() {
            state.last_beat_mmhg = state.extremes_mmhg;
        }
        state.extremes_mmhg = (f64::NEG_INFINITY, f64::INFINITY);
    }
    state.heart_phase = phase.fract();
    state.pressure_mmhg = state.pressure_now();
    state.venous_mmhg = veins::venous_mmhg(state);
    state.extremes_mmhg.0 = state.extremes_mmhg.0.max(state.pressure_mmhg);
    state.extremes_mmhg.1 = state.extremes_mmhg.1.min(state.pressure_mmhg);
}

/// Piecewise linear table, clamped at both ends.
fn interpolate(table: &[(f64, f64)], x: f64) -> f64 {
    for w in table.windows(2) {
        let (a, b) = (w[0], w[1]);
        if x <= b.0 {
            return a.1 + (b.1 - a.1) * ((x - a.0) / (b.0 - a.0)).max(0.0);
        }
    }
    table.last().map_or(0.0, |p| p.1)
}
