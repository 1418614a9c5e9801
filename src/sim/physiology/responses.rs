//! How the patient answers to what is done: pain and the reflex that it may set off, consciousness, temperature, allergy,
//! load on the kidneys. Sizes of effects are estimates `[K]` unless a source is named.

use serde::{Deserialize, Serialize};

use super::{PhysiologyInputs, PhysiologyState};
use crate::scenario::Patient;
use crate::sim::event::EventKind;
use crate::sim::flow::{FlowState, LumenCause, Network, VENOUS_PRESSURE_MMHG};
use crate::sim::snapshot::Consciousness;

/// Pain (0 to 10) of a full spasm, a flap, a hole that bleeds at its stated rate.
const INJURY_PAIN: (f64, f64, f64) = (4.0, 6.0, 7.0);
/// Share of the pain of an injury that wears off while the injury stays, and the time constant of that, s.
const INJURY_FADES: (f64, f64) = (0.6, 300.0);
/// Pain of tissue without blood, and the lost flow that makes 63 % of it, mL/s.
const ISCHEMIC_PAIN: (f64, f64) = (7.0, 1.0);
/// Share of its resting flow that a bed needs: it takes more from less blood.
const NEEDED_SHARE: f64 = 0.7;
/// Time constant with which it comes and goes, s (`clinical.md` A7: angina 20 to 60 s after occlusion).
const ISCHEMIC_S: f64 = 35.0;
/// Fentanyl that halves pain, ug.
const FENTANYL_HALVES_UG: f64 = 60.0;
/// A rise of felt pain by this much over its mean of the last [`SURGE_S`] sets off the vasovagal reflex. In practice it
/// comes in 0 to 8.7 % of procedures (`clinical.md` A7); here whenever its cause does.
const SURGE_PAIN: f64 = 4.0;
const SURGE_S: f64 = 20.0;
/// Time constants with which the reflex comes and goes, s (A7: 20 s to a few minutes).
const VAGAL_S: (f64, f64) = (5.0, 40.0);
/// Atropine that halves the reflex, mg.
const ATROPINE_HALVES_MG: f64 = 0.4;
/// Iodine that makes half of the worst allergic reaction, mg (10 mL of contrast).
const ALLERGIC_IODINE_MG: f64 = 3000.0;
/// Time constant with which a reaction comes, and its half-life, s.
const ALLERGIC_S: (f64, f64) = (60.0, 1800.0);
/// Adrenaline that halves a reaction, ug.
const ADRENALINE_HALVES_UG: f64 = 60.0;
/// Core temperature towards which an uncovered patient cools, C, and the time constant, s.
const COOLING: (f64, f64) = (35.0, 4.0 * 3600.0);
/// Temperature of infusions, C, and the heat capacity of a body over that of water.
const INFUSION: (f64, f64) = (22.0, 0.83);
/// Contrast per filtration rate that loads the kidneys fully, mL per mL/min, at 300 mg/mL (`clinical.md` C2).
const KIDNEY_LIMIT: (f64, f64) = (3.0, 300.0);
/// Pain, vagal tone, reaction and kidney load at which the nurse says so.
const TOLD: [(f64, &str); 4] = [
    (5.0, "The patient is in pain."),
    (0.5, "The patient feels faint: the heart rate is falling."),
    (0.2, "The patient has hives and is short of breath."),
    (1.0, "The contrast has reached three times the filtration rate of the kidneys."),
];

/// Everything that these answers need to go on bit-exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Responses {
    injury: f64,
    injury_faded: f64,
    ischemic: f64,
    /// Flow that the beds lacked at the start, mL/s; that does not hurt anew.
    lacking_at_start_ml_per_s: Option<f64>,
    /// Felt pain averaged over the last seconds.
    recent: f64,
    vagal: f64,
    is_allergic: bool,
    /// Iodine that has not yet and that has come to act in an allergic patient, mg.
    allergen_mg: (f64, f64),
    iodine_mg: f64,
    filtration_ml_per_min: f64,
    /// Core temperature, C.
    pub temperature_c: f64,
    told: [bool; 4],
}

impl PhysiologyInputs {
    /// What the blood and its vessels do to the patient now; `iodine_mg`: all that was given so far.
    pub fn of(net: &Network, flow: &FlowState, iodine_mg: f64) -> Self {
        let (spasm, flap, hole) = INJURY_PAIN;
        let mut injury: f64 = 0.0;
        for change in &flow.lumen {
            injury = injury.max(match change.cause {
                LumenCause::Spasm { now, .. } => spasm * now,
                LumenCause::Dissection => flap,
                LumenCause::Dilation | LumenCause::Packing | LumenCause::Covered => 0.0,
            });
        }
        // The bleeds of the case are what the patient came with.
        let made = flow.leaks.iter().zip(&flow.leak_flow_ml_per_s).skip(net.leaks.len());
        for (leak, q) in made.filter(|(l, _)| l.stated_flow_ml_per_s > 0.0) {
            injury = injury.max(hole * (q / leak.stated_flow_ml_per_s).clamp(0.0, 1.0));
        }
        // A bed lacks what its vessels do not let through, not what a low pressure does not drive.
        let rest = (net.resting_map_mmhg - VENOUS_PRESSURE_MMHG).max(1.0);
        let drive = (flow.mean_root_mmhg - VENOUS_PRESSURE_MMHG) / rest;
        let lacking = |(o, q): (&crate::sim::flow::OutletModel, &f64)| {
            // A shunt feeds no tissue.
            let tissue = f64::from(u8::from(o.channel_mm <= 0.0));
            tissue * (drive * o.resting_flow_ml_per_s - q / NEEDED_SHARE).max(0.0)
        };
        Self {
            leak_ml_per_s: flow.leak_flow_ml_per_s.iter().sum(),
            iodine_mg,
            injury,
            lacking_ml_per_s: net.outlets.iter().zip(&flow.mean_capillary_flow_ml_per_s).map(lacking).sum(),
        }
    }
}

impl Responses {
    pub(super) fn new(patient: &Patient) -> Self {
        Self {
            is_allergic: patient.contrast_allergy,
            filtration_ml_per_min: patient.egfr_ml_per_min,
            temperature_c: patient.temperature_c,
            ..Self::default()
        }
    }
}

/// Follows pain, reflex, reaction and temperature by `dt_s`; `infused_ml` came into the blood meanwhile.
pub(super) fn advance(
    state: &mut PhysiologyState,
    inputs: &PhysiologyInputs,
    infused_ml: f64,
    dt_s: f64,
    events: &mut Vec<EventKind>,
) {
    let follow = |time_s: f64| -(-dt_s / time_s).exp_m1();
    let water_ml = 1000.0 * INFUSION.1 * state.weight_kg;
    let r = &mut state.responses;
    r.injury += follow(2.0) * (inputs.injury - r.injury);
    r.injury_faded += follow(INJURY_FADES.1) * (INJURY_FADES.0 * r.injury - r.injury_faded);
    let start = *r.lacking_at_start_ml_per_s.get_or_insert(inputs.lacking_ml_per_s);
    let lost = (inputs.lacking_ml_per_s - start).max(0.0);
    let ischemic = -ISCHEMIC_PAIN.0 * (-lost / ISCHEMIC_PAIN.1).exp_m1();
    r.ischemic += follow(ISCHEMIC_S) * (ischemic - r.ischemic);
    let given = (inputs.iodine_mg - r.iodine_mg).max(0.0);
    r.iodine_mg += given;
    if r.is_allergic {
        r.allergen_mg.0 += given;
        let moved = follow(ALLERGIC_S.0) * r.allergen_mg.0;
        r.allergen_mg.0 -= moved;
        r.allergen_mg.1 = r.allergen_mg.1 * 0.5_f64.powf(dt_s / ALLERGIC_S.1) + moved;
    }
    r.temperature_c += follow(COOLING.1) * (COOLING.0 - r.temperature_c);
    r.temperature_c += infused_ml / (water_ml + infused_ml) * (INFUSION.0 - r.temperature_c);
    let pain = state.pain();
    let r = &mut state.responses;
    let (target, time_s) = if pain - r.recent > SURGE_PAIN { (1.0, VAGAL_S.0) } else { (0.0, VAGAL_S.1) };
    r.vagal += follow(time_s) * (target - r.vagal);
    r.recent += follow(SURGE_S) * (pain - r.recent);
    tell(state, events);
}

/// The nurse tells once what has come, and again when it has gone and comes back.
fn tell(state: &mut PhysiologyState, events: &mut Vec<EventKind>) {
    let now = [state.pain(), state.vagal_tone(), state.allergic_reaction(), state.kidney_load()];
    for (i, (limit, words)) in TOLD.iter().enumerate() {
        let told = &mut state.responses.told[i];
        if now[i] >= *limit && !*told {
            *told = true;
            events.push(EventKind::Said((*words).to_owned()));
        } else if now[i] < 0.5 * limit {
            *told = false;
        }
    }
}

impl PhysiologyState {
    /// Pain as it is felt, 0 to 10: of injuries (fading while they stay) and of tissue without blood, over
    /// `1 + fentanyl / 60 ug`.
    pub fn pain(&self) -> f64 {
        let r = &self.responses;
        let cause = (r.injury - r.injury_faded).max(0.0) + r.ischemic;
        cause.min(10.0) / (1.0 + self.active("fentanyl") / FENTANYL_HALVES_UG)
    }

    /// Strength of the vasovagal reflex, 0 to 1, with atropine.
    pub fn vagal_tone(&self) -> f64 {
        self.responses.vagal / (1.0 + (self.active("atropine") / ATROPINE_HALVES_MG).powi(2))
    }

    /// Severity of an allergic reaction to contrast, 0 to 1: `A / (A + 3 g)` of iodine, with adrenaline.
    pub fn allergic_reaction(&self) -> f64 {
        let acting = self.responses.allergen_mg.1;
        acting / (acting + ALLERGIC_IODINE_MG) / (1.0 + self.active("adrenaline") / ADRENALINE_HALVES_UG)
    }

    /// Contrast given (as of 300 mg/mL) over three times the filtration rate: from 1 on the kidneys are at risk
    /// (`clinical.md` C2).
    pub fn kidney_load(&self) -> f64 {
        let r = &self.responses;
        r.iodine_mg / KIDNEY_LIMIT.1 / (KIDNEY_LIMIT.0 * r.filtration_ml_per_min.max(1.0))
    }

    /// What the patient answers to: sedation, mean pressure and saturation, the worst of the three.
    pub fn consciousness(&self) -> Consciousness {
        let level = |x: f64, limits: [f64; 3]| limits.iter().filter(|l| x > **l).count();
        let worst = level(self.sedation(), [0.5, 1.5, 2.5])
            .max(level(-self.mean_mmhg(), [-58.0, -48.0, -38.0]))
            .max(level(-self.spo2_pct, [-82.0, -72.0, -62.0]));
        [Consciousness::Alert, Consciousness::Voice, Consciousness::Pain, Consciousness::Unresponsive][worst]
    }
}
