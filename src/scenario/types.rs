//! Types of a case file. Every field but the ones marked required has a default.

use serde::{Deserialize, Serialize};

use super::Condition;
use crate::anatomy::{LesionDescription, PatientChoice, Setting};

/// A whole case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// File-format number; this program reads 1.
    pub format: u32,
    /// Results are filed under this: never changed once published.
    pub id: String,
    /// Title on the card.
    pub title: String,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Licence of the text.
    #[serde(default)]
    pub licence: String,
    /// Difficulty.
    #[serde(default)]
    pub level: Level,
    /// Planned minutes.
    #[serde(default = "defaults::minutes")]
    pub minutes: f64,
    /// Syllabus tags, `scheme:code`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What the trainee reads first.
    pub briefing: Briefing,
    /// Who lies on the table.
    #[serde(default)]
    pub patient: Patient,
    /// Vessels and lesions.
    pub anatomy: AnatomyChoice,
    /// Where the sheath is.
    pub access: Access,
    /// A second sheath, for a snare or a second catheter.
    #[serde(default)]
    pub second_access: Option<Access>,
    /// Ids of devices and embolics that the nurse can hand over.
    pub tray: Vec<String>,
    /// X-ray room and contrast.
    #[serde(default)]
    pub room: Room,
    /// Objectives in phases.
    pub steps: Vec<Step>,
    /// What counts as an error here, beyond the general table.
    #[serde(default)]
    pub traps: Vec<Trap>,
    /// Things that happen.
    #[serde(default)]
    pub events: Vec<CaseEvent>,
    /// Points, par values, pass mark.
    pub score: Score,
    /// Questions for the debriefing.
    #[serde(default)]
    pub debrief: Vec<String>,
}

/// Difficulty of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// First cases.
    #[default]
    Foundation,
    /// After the drills.
    Intermediate,
    /// For experts.
    Advanced,
}

/// What the trainee reads before the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Briefing {
    /// Clinical story.
    pub story: String,
    /// What to do.
    pub task: String,
    /// Why the procedure exists, one paragraph.
    #[serde(default)]
    pub why: String,
    /// Source of the paragraph.
    #[serde(default)]
    pub why_source: String,
}

/// Who lies on the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patient {
    /// Age, years.
    pub age_y: f64,
    /// Sex.
    pub sex: Sex,
    /// Weight, kg.
    pub weight_kg: f64,
    /// Heart rate at the start, 1/min.
    pub heart_rate_bpm: f64,
    /// Arterial pressure at the start, mmHg.
    pub systolic_mmhg: f64,
    /// Arterial pressure at the start, mmHg.
    pub diastolic_mmhg: f64,
    /// Saturation, percent.
    pub spo2_pct: f64,
    /// Breaths per minute.
    pub respiration_bpm: f64,
    /// Core temperature at the start, C.
    pub temperature_c: f64,
    /// Filtration rate of the kidneys, mL/min.
    pub egfr_ml_per_min: f64,
    /// Reacts to iodinated contrast.
    pub contrast_allergy: bool,
}

impl Default for Patient {
    fn default() -> Self {
        Self {
            age_y: 50.0,
            sex: Sex::Female,
            weight_kg: 70.0,
            heart_rate_bpm: 72.0,
            systolic_mmhg: 120.0,
            diastolic_mmhg: 80.0,
            spo2_pct: 98.0,
            respiration_bpm: 14.0,
            temperature_c: 36.8,
            egfr_ml_per_min: 90.0,
            contrast_allergy: false,
        }
    }
}

/// Sex of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Vessels and what is wrong with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnatomyChoice {
    /// Folder under `assets/anatomy`.
    pub model: String,
    /// Lesions.
    #[serde(default)]
    pub lesions: Vec<LesionDescription>,
    /// Draws a patient who differs from the description; none: as described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What of the patient is fixed, bounded, freed or chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vary: Vec<Setting>,
}

impl AnatomyChoice {
    /// The patient to draw, with the lesions that change the vessels.
    pub fn patient(&self) -> PatientChoice {
        let lesions = self.lesions.iter().filter(|l| l.changes_vessels()).cloned().collect();
        PatientChoice { seed: self.seed, set: self.vary.clone(), lesions }
    }
}

/// Where the sheath is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Access site of the anatomy: `femoral.right`.
    pub site: String,
    /// Device id of the sheath.
    pub sheath: String,
}

/// X-ray room and contrast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Room {
    /// Fluoroscopy pulses per second at the start: 3.75, 7.5, 15 or 30.
    pub pulse_rate_per_s: f64,
    /// Frames per second of an acquisition.
    pub frame_rate_per_s: f64,
    /// Field (detector diagonal) at the start, cm: 48, 42, 32, 22 or 16.
    pub field_cm: f64,
    /// Iodine of the contrast, mg/mL.
    pub contrast_mg_i_per_ml: f64,
    /// Contrast at hand, mL.
    pub contrast_ml: f64,
    /// Alert at this air kerma at the reference point, mGy.
    pub dose_alert_mgy: f64,
    /// Is there an injector.
    pub injector: bool,
    /// Isocenter at the start, patient frame, mm.
    pub isocenter_mm: (f64, f64, f64),
    /// Views of the case; without any, the usual four.
    pub views: Vec<RoomView>,
    /// Procedure whose reference level the dose is compared with.
    pub procedure: Procedure,
    /// Where the patient's arms are at the start.
    pub arms: Arms,
}

/// Where the patient's arms lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arms {
    /// On the table beside the body: in the way of lateral beams through the trunk.
    #[default]
    Beside,
    /// Up beside the head.
    Up,
}

/// A procedure with a published reference level of dose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Procedure {
    /// None of those below.
    #[default]
    Other,
    /// Fistulography.
    Fistulography,
    /// Lower limb arteriography.
    LowerLimb,
    /// Renal arteriography.
    Renal,
    /// Biliary drainage.
    BiliaryDrainage,
    /// Chemoembolization of the liver.
    Tace,
    /// Iliac stent.
    IliacStent,
    /// Uterine artery embolization.
    UterineEmbolization,
    /// Cerebral angiography.
    CerebralAngiography,
    /// Cerebral embolization.
    CerebralEmbolization,
    /// Iliac and lower limb angiography.
    Iliac,
    /// Nephrostomy.
    Nephrostomy,
    /// Transjugular portosystemic shunt.
    Tips,
}

impl Procedure {
    /// Name as case files write it.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// A view that the case offers on a button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomView {
    /// Name on the button.
    pub name: String,
    /// LAO +, degrees.
    #[serde(default)]
    pub primary_deg: f64,
    /// CRA +, degrees.
    #[serde(default)]
    pub secondary_deg: f64,
    /// Isocenter, patient frame, mm; stays when left out.
    #[serde(default)]
    pub isocenter_mm: Option<(f64, f64, f64)>,
    /// Field, cm; stays when left out.
    #[serde(default)]
    pub field_cm: Option<f64>,
}

impl Room {
    /// The views of the case, or the usual four: AP, both obliques, lateral.
    pub fn offered_views(&self) -> Vec<RoomView> {
        if !self.views.is_empty() {
            return self.views.clone();
        }
        let usual = [("AP", 0.0), ("RAO 30", -30.0), ("LAO 30", 30.0), ("Lateral", 90.0)];
        usual
            .map(|(name, primary_deg)| RoomView {
                name: name.to_owned(),
                primary_deg,
                secondary_deg: 0.0,
                isocenter_mm: None,
                field_cm: None,
            })
            .to_vec()
    }
}

impl Default for Room {
    fn default() -> Self {
        Self {
            pulse_rate_per_s: 7.5,
            frame_rate_per_s: 3.0,
            field_cm: 42.0,
            contrast_mg_i_per_ml: 300.0,
            contrast_ml: 150.0,
            dose_alert_mgy: 2000.0,
            injector: true,
            isocenter_mm: (0.0, 0.0, 0.0),
            views: Vec::new(),
            procedure: Procedure::Other,
            arms: Arms::Beside,
        }
    }
}

/// An objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name used by `after` and in reports.
    pub id: String,
    /// Title in the step list.
    pub title: String,
    /// What the consultant says.
    #[serde(default)]
    pub say: String,
    /// Points for it.
    pub points: f64,
    /// Steps that must be done before.
    #[serde(default)]
    pub after: Vec<String>,
    /// When it is done.
    pub done: Condition,
    /// Hints, general to specific.
    #[serde(default)]
    pub hint: Vec<String>,
    /// The usual mistake.
    #[serde(default)]
    pub common_error: String,
    /// Not needed to pass.
    #[serde(default)]
    pub optional: bool,
}

/// An error specific to this case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    /// Name in the report.
    pub id: String,
    /// When it has happened.
    pub when: Condition,
    /// How bad.
    pub grade: Grade,
    /// What happened, in words.
    pub say: String,
    /// What to do instead.
    #[serde(default)]
    pub instead: String,
    /// The case cannot be passed after this.
    #[serde(default)]
    pub fails: bool,
}

/// How bad an error is; points lost are in [`Score`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// Bad habit.
    Slip,
    /// Could have harmed.
    Mistake,
    /// Harm.
    Blunder,
}

/// Something that happens to the patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEvent {
    /// Name; the instructor can fire it by this.
    pub id: String,
    /// When; never by itself if absent.
    #[serde(default)]
    pub at: Option<Condition>,
    /// Seconds after the condition.
    #[serde(default)]
    pub wait_s: f64,
    /// What is heard.
    pub say: String,
    /// Heart rate moves to this, 1/min.
    #[serde(default)]
    pub heart_rate_bpm: Option<f64>,
    /// Systolic pressure moves to this, mmHg.
    #[serde(default)]
    pub systolic_mmhg: Option<f64>,
    /// Over this time, s.
    #[serde(default = "defaults::ramp_s")]
    pub over_s: f64,
}

/// Points and par values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Points needed to pass.
    pub pass: f64,
    /// Points lost for a slip.
    #[serde(default = "defaults::slip")]
    pub slip: f64,
    /// Points lost for a mistake.
    #[serde(default = "defaults::mistake")]
    pub mistake: f64,
    /// Points lost for a blunder.
    #[serde(default = "defaults::blunder")]
    pub blunder: f64,
    /// Errors of the general table after which the case cannot be passed.
    #[serde(default)]
    pub fails: Vec<String>,
    /// Upper limits for gold, silver, bronze; each par counts `par_points` x (1, 2/3, 1/3, 0).
    #[serde(default)]
    pub par: Vec<Par>,
}

/// A par value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Par {
    /// Name of a metric of the report.
    pub metric: String,
    /// Points for gold.
    pub points: f64,
    /// At most this.
    pub gold: f64,
    /// At most this.
    pub silver: f64,
    /// At most this.
    pub bronze: f64,
}

/// Defaults, shown by `check --explain`.
pub(crate) mod defaults {
    pub(crate) fn minutes() -> f64 {
        30.0
    }
    pub(crate) fn ramp_s() -> f64 {
        30.0
    }
    pub(crate) fn whole_pct() -> f64 {
        100.0
    }
    pub(crate) fn slip() -> f64 {
        2.0
    }
    pub(crate) fn mistake() -> f64 {
        5.0
    }
    pub(crate) fn blunder() -> f64 {
        15.0
    }
}
