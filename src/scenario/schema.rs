//! What a case file may hold: the types of `types.rs` and `condition.rs` with ranges, units and defaults. A test keeps the two in step.

use crate::files::schema::{Body, FieldKind, Group, Kind, NameOf, Variant, default, required};

const ANY: Kind = Kind::Number { min: f64::NEG_INFINITY, max: f64::INFINITY };
const POINTS: Kind = Kind::Number { min: 0.0, max: 1000.0 };
const TEXTS: Kind = Kind::List { of: &Kind::Text, min_items: 0 };
const VESSEL: Kind = Kind::Name(NameOf::Vessel);

const fn number(min: f64, max: f64) -> Kind {
    Kind::Number { min, max }
}

const fn positive(max: f64) -> Kind {
    Kind::Positive { max }
}

/// A whole case.
pub static CASE: Group = Group {
    name: "Case",
    doc: "one case file",
    fields: &[
        required("format", Kind::Whole { min: 1.0, max: 1.0 }, "file-format number, leave it"),
        required("id", Kind::NewId, "results are filed under this: never change it once published"),
        required("title", Kind::Text, "title on the card"),
        default("authors", TEXTS, "[]", "who wrote it"),
        default("licence", Kind::Text, "\"\"", "licence of the text"),
        default("level", Kind::Choice(LEVELS), "Foundation", "difficulty"),
        default("minutes", positive(600.0), "30", "planned minutes"),
        default("tags", TEXTS, "[]", "syllabus tags, `scheme:code`"),
        required("briefing", Kind::Group(&BRIEFING), "what the trainee reads first"),
        default("patient", Kind::Group(&PATIENT), "()", "who lies on the table"),
        required("anatomy", Kind::Group(&ANATOMY), "vessels and lesions"),
        required("access", Kind::Group(&ACCESS), "where the sheath is"),
        default(
            "second_access",
            Kind::Optional(&Kind::Group(&ACCESS)),
            "None",
            "a second sheath, for a snare or a second catheter",
        ),
        required(
            "tray",
            Kind::List { of: &Kind::Name(NameOf::TrayItem), min_items: 1 },
            "ids of devices and embolics that the nurse can hand over",
        ),
        default("room", Kind::Group(&ROOM), "()", "X-ray room and contrast"),
        required("steps", Kind::List { of: &Kind::Group(&STEP), min_items: 1 }, "objectives in phases"),
        default(
            "traps",
            Kind::List { of: &Kind::Group(&TRAP), min_items: 0 },
            "[]",
            "what counts as an error here",
        ),
        default("events", Kind::List { of: &Kind::Group(&EVENT), min_items: 0 }, "[]", "things that happen"),
        required("score", Kind::Group(&SCORE), "points, par values, pass mark"),
        default("debrief", TEXTS, "[]", "questions for the debriefing"),
    ],
};

const LEVELS: &[(&str, &str)] =
    &[("Foundation", "first cases"), ("Intermediate", "after the drills"), ("Advanced", "for experts")];
const SEXES: &[(&str, &str)] = &[("Female", "female"), ("Male", "male")];
const GRADES: &[(&str, &str)] =
    &[("Slip", "bad habit"), ("Mistake", "could have harmed"), ("Blunder", "harm")];

/// Briefing.
pub static BRIEFING: Group = Group {
    name: "Briefing",
    doc: "what the trainee reads before the table",
    fields: &[
        required("story", Kind::Text, "clinical story"),
        required("task", Kind::Text, "what to do"),
        default("why", Kind::Text, "\"\"", "why the procedure exists, one paragraph"),
        default("why_source", Kind::Text, "\"\"", "source of that paragraph"),
    ],
};

/// Patient.
pub static PATIENT: Group = Group {
    name: "Patient",
    doc: "who lies on the table",
    fields: &[
        default("age_y", number(0.0, 120.0), "50", "age, years"),
        default("sex", Kind::Choice(SEXES), "Female", "sex"),
        default("weight_kg", number(2.0, 350.0), "70", "weight, kg"),
        default("heart_rate_bpm", number(20.0, 250.0), "72", "heart rate at the start, 1/min"),
        default("systolic_mmhg", number(40.0, 260.0), "120", "arterial pressure at the start, mmHg"),
        default("diastolic_mmhg", number(20.0, 160.0), "80", "arterial pressure at the start, mmHg"),
        default("spo2_pct", number(50.0, 100.0), "98", "oxygen saturation, percent"),
        default("respiration_bpm", number(4.0, 60.0), "14", "breaths per minute"),
        default(
            "temperature_c",
            number(30.0, 42.0),
            "36.8",
            "core temperature at the start, degrees Celsius",
        ),
        default("egfr_ml_per_min", number(2.0, 200.0), "90", "filtration rate of the kidneys, mL/min"),
        default("contrast_allergy", Kind::Bool, "false", "reacts to iodinated contrast"),
    ],
};

/// Anatomy.
pub static ANATOMY: Group = Group {
    name: "AnatomyChoice",
    doc: "vessels and what is wrong with them",
    fields: &[
        required("model", Kind::Name(NameOf::Anatomy), "folder under assets/anatomy"),
        default("lesions", Kind::List { of: &Kind::Variants(LESION), min_items: 0 }, "[]", "lesions"),
        default(
            "seed",
            Kind::Optional(&Kind::Whole { min: 0.0, max: 9_007_199_254_740_992.0 }),
            "None",
            "draws a patient who differs from the description",
        ),
        default(
            "vary",
            Kind::List { of: &Kind::Variants(SETTING), min_items: 0 },
            "[]",
            "what of the patient is fixed, bounded, freed or chosen (`cathnav anatomy show NAME --statistics 1` lists the names)",
        ),
    ],
};

/// Settings of a patient.
pub static SETTING: &[Variant] = &[
    Variant {
        name: "Fix",
        doc: "a number of the anatomy has this value",
        body: Body::Fields(&[
            required("name", Kind::Text, "parameter"),
            required(
                "value",
                number(f64::NEG_INFINITY, f64::INFINITY),
                "value, within the parameter's bounds",
            ),
        ]),
    },
    Variant {
        name: "Bound",
        doc: "a number of the anatomy is drawn between these",
        body: Body::Fields(&[
            required("name", Kind::Text, "parameter"),
            required("low", number(f64::NEG_INFINITY, f64::INFINITY), "least"),
            required("high", number(f64::NEG_INFINITY, f64::INFINITY), "largest"),
        ]),
    },
    Variant {
        name: "Free",
        doc: "drawn, also without a seed for the rest",
        body: Body::Fields(&[required("name", Kind::Text, "parameter or variant")]),
    },
    Variant {
        name: "Choose",
        doc: "this option of a variant",
        body: Body::Fields(&[
            required("name", Kind::Text, "variant"),
            required("option", Kind::Text, "option"),
        ]),
    },
];

pub use super::schema_lesions::LESION;

/// Access.
pub static ACCESS: Group = Group {
    name: "Access",
    doc: "where the sheath is",
    fields: &[
        required("site", Kind::Name(NameOf::AccessSite), "access site of the anatomy"),
        required("sheath", Kind::Name(NameOf::Sheath), "device id of the sheath"),
    ],
};

/// Pulse rates of fluoroscopy, 1/s.
pub const PULSE_RATES_PER_S: &[f64] = &[3.75, 7.5, 15.0, 30.0];
/// Fields, cm.
pub const FIELDS_CM: &[f64] = &[48.0, 42.0, 32.0, 22.0, 16.0];

/// Room.
pub static ROOM: Group = Group {
    name: "Room",
    doc: "X-ray room and contrast",
    fields: &[
        default(
            "pulse_rate_per_s",
            Kind::OneOf(PULSE_RATES_PER_S),
            "7.5",
            "fluoroscopy pulses per second at the start",
        ),
        default("frame_rate_per_s", number(0.5, 30.0), "3", "frames per second of an acquisition"),
        default("field_cm", Kind::OneOf(FIELDS_CM), "42", "field (detector diagonal) at the start, cm"),
        default("contrast_mg_i_per_ml", number(100.0, 400.0), "300", "iodine of the contrast, mg/mL"),
        default("contrast_ml", number(0.0, 1000.0), "150", "contrast at hand, mL"),
        default(
            "dose_alert_mgy",
            positive(20000.0),
            "2000",
            "alert at this air kerma at the reference point, mGy",
        ),
        default("injector", Kind::Bool, "true", "is there an injector"),
        default(
            "isocenter_mm",
            Kind::Tuple(&[number(-1000.0, 1000.0); 3]),
            "(0, 0, 0)",
            "isocenter at the start: left, back, up from the S1 upper endplate, mm",
        ),
        default(
            "views",
            Kind::List { of: &Kind::Group(&ROOM_VIEW), min_items: 0 },
            "[]",
            "C-arm views offered on buttons; without any: AP, RAO 30, LAO 30, lateral",
        ),
        default(
            "procedure",
            Kind::Choice(PROCEDURES),
            "Other",
            "procedure whose published dose reference level the report compares with",
        ),
        default("arms", Kind::Choice(ARMS), "Beside", "where the patient's arms are at the start"),
    ],
};

const ARMS: &[(&str, &str)] =
    &[("Beside", "on the table beside the body, in the way of lateral beams"), ("Up", "beside the head")];

const PROCEDURES: &[(&str, &str)] = &[
    ("Other", "no reference level"),
    ("Fistulography", "12 Gy cm2"),
    ("LowerLimb", "lower limb arteriography, 73 Gy cm2"),
    ("Renal", "renal arteriography, 89 Gy cm2"),
    ("BiliaryDrainage", "80 Gy cm2"),
    ("Tace", "chemoembolization of the liver, 289 Gy cm2"),
    ("IliacStent", "94 Gy cm2"),
    ("UterineEmbolization", "236 Gy cm2"),
    ("CerebralAngiography", "125 Gy cm2"),
    ("CerebralEmbolization", "440 Gy cm2"),
    ("Iliac", "iliac and lower limb angiography, 210 Gy cm2"),
    ("Nephrostomy", "24 Gy cm2"),
    ("Tips", "portosystemic shunt, 347 Gy cm2"),
];

/// A view of the room.
pub static ROOM_VIEW: Group = Group {
    name: "RoomView",
    doc: "a C-arm view offered on a button",
    fields: &[
        required("name", Kind::Text, "name on the button"),
        default("primary_deg", number(-120.0, 120.0), "0", "LAO +, RAO -, degrees"),
        default("secondary_deg", number(-50.0, 50.0), "0", "CRA +, CAU -, degrees"),
        default(
            "isocenter_mm",
            Kind::Optional(&Kind::Tuple(&[number(-1000.0, 1000.0); 3])),
            "None",
            "isocenter, mm; stays when left out",
        ),
        default(
            "field_cm",
            Kind::Optional(&Kind::OneOf(FIELDS_CM)),
            "None",
            "field, cm; stays when left out",
        ),
    ],
};

/// Step.
pub static STEP: Group = Group {
    name: "Step",
    doc: "an objective",
    fields: &[
        required("id", Kind::NewId, "name used by `after` and in reports"),
        required("title", Kind::Text, "title in the step list"),
        default("say", Kind::Text, "\"\"", "what the consultant says"),
        required("points", POINTS, "points for it"),
        default(
            "after",
            Kind::List { of: &Kind::Name(NameOf::Step), min_items: 0 },
            "[]",
            "steps that must be done before",
        ),
        required("done", Kind::Variants(CONDITION), "when it is done"),
        default("hint", TEXTS, "[]", "hints, general to specific"),
        default("common_error", Kind::Text, "\"\"", "the usual mistake"),
        default("optional", Kind::Bool, "false", "not needed to pass"),
    ],
};

const AT: FieldKind = required("at", VESSEL, "vessel");
const MIN_ML: FieldKind = required("min_ml", number(0.1, 200.0), "least contrast in the run, mL");
const OF: FieldKind = required("of", Kind::Name(NameOf::Tool), "device id or kind word");
const WITHIN: FieldKind = required("within", VESSEL, "vessel, or beyond it");
static CONDITIONS: Kind = Kind::List { of: &Kind::Variants(CONDITION), min_items: 1 };
static STEP_NAME: Kind = Kind::Name(NameOf::Step);

/// Conditions.
pub static CONDITION: &[Variant] = &[
    Variant {
        name: "Run",
        doc: "an acquisition with contrast at a vessel (the tip lies in it or within 30 mm upstream)",
        body: Body::Fields(&[AT, MIN_ML]),
    },
    Variant {
        name: "Tip",
        doc: "the tip of a device lies in a vessel or beyond",
        body: Body::Fields(&[OF, WITHIN]),
    },
    Variant {
        name: "Stasis",
        doc: "flow in a vessel has fallen",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required(
                "beats_to_clear",
                positive(100.0),
                "heart beats that a contrast column needs to clear, at least",
            ),
        ]),
    },
    Variant {
        name: "BleedBelow",
        doc: "bleeding has fallen below a rate, for longer than it stands by itself",
        body: Body::Fields(&[
            required("bleed", Kind::Name(NameOf::Bleed), "id of the lesion"),
            required("flow_ml_per_min", positive(500.0), "rate, mL/min"),
        ]),
    },
    Variant {
        name: "FinalRun",
        doc: "like Run, begun after a step is done",
        body: Body::Fields(&[
            AT,
            MIN_ML,
            required("after", STEP_NAME, "step that must be done before the run begins"),
        ]),
    },
    Variant {
        name: "ParticlesIn",
        doc: "particles lodged in beds fed by a vessel, share of what left the catheter",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("over_pct", number(0.0, 100.0), "more than this share, percent"),
        ]),
    },
    Variant {
        name: "TipDwell",
        doc: "a device's tip is in a vessel for longer than a time",
        body: Body::Fields(&[OF, WITHIN, required("over_s", positive(3600.0), "seconds")]),
    },
    Variant {
        name: "TipForce",
        doc: "contact force of a tip above a limit for a time",
        body: Body::Fields(&[
            required("over_n", positive(20.0), "Newton"),
            required("for_s", number(0.0, 60.0), "seconds"),
        ]),
    },
    Variant {
        name: "TipIn",
        doc: "the tip of a device lies in this vessel itself, not beyond it",
        body: Body::Fields(&[OF, required("vessel", VESSEL, "vessel")]),
    },
    Variant {
        name: "TipDeep",
        doc: "the tip of a device lies deep in a vessel, behind the wall of its parent, or in a vessel beyond",
        body: Body::Fields(&[
            OF,
            WITHIN,
            required("over_mm", number(0.0, 1000.0), "more than this behind the wall of the parent, mm"),
        ]),
    },
    Variant {
        name: "TipMoved",
        doc: "the tip of a device has moved away from where it was when a step was done",
        body: Body::Fields(&[
            OF,
            required("over_mm", positive(1000.0), "farther than this, mm"),
            required("after", STEP_NAME, "step that fixes the place"),
            required("until", STEP_NAME, "step that ends the watch"),
        ]),
    },
    Variant {
        name: "Loop",
        doc: "more of a device is in than its tip is away along the vessels: it lies in a loop or is folded back",
        body: Body::Fields(&[OF, required("over_mm", positive(1000.0), "more than this, mm")]),
    },
    Variant {
        name: "CoilsIn",
        doc: "coils and plugs lie in this vessel itself",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("over_mm", number(0.0, 5000.0), "more than this length of them, mm"),
        ]),
    },
    Variant {
        name: "FlowBelow",
        doc: "mean flow in a vessel has fallen below a share of that of the first minute",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("under_pct", positive(100.0), "share, percent"),
        ]),
    },
    Variant {
        name: "Closed",
        doc: "so many of these vessels have less than a tenth of the flow of the first minute",
        body: Body::Fields(&[
            required("vessels", Kind::List { of: &VESSEL, min_items: 1 }, "vessels"),
            required("at_least", Kind::Whole { min: 1.0, max: 1000.0 }, "how many"),
        ]),
    },
    Variant {
        name: "Infarct",
        doc: "share of an organ's tissue that has lost its blood",
        body: Body::Fields(&[
            required("organ", Kind::Name(NameOf::Bed), "bed or organ"),
            required("over_pct", number(0.0, 100.0), "more than this, percent"),
            default("up_to_pct", positive(100.0), "100", "at most this, percent"),
        ]),
    },
    Variant {
        name: "Residual",
        doc: "the narrowing of a vessel is opened, and no balloon is up",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("under_pct", positive(100.0), "less diameter reduction than this is left, percent"),
        ]),
    },
    Variant {
        name: "GradientBelow",
        doc: "the mean pressure falls by little across the narrowing of a vessel",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("under_mmhg", positive(200.0), "less than this, mmHg"),
        ]),
    },
    Variant {
        name: "StentMargin",
        doc: "stents reach beyond both ends of the narrowing of a vessel",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("at_least_mm", number(-100.0, 100.0), "by this much at least, mm"),
        ]),
    },
    Variant {
        name: "StentAtMouth",
        doc: "a stent of a vessel stands out of its mouth into the parent",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("at_least_mm", number(-100.0, 100.0), "by this much at least, mm"),
            required("at_most_mm", number(-100.0, 100.0), "by this much at most, mm"),
        ]),
    },
    Variant {
        name: "FilterOpen",
        doc: "an open embolic filter stands in a vessel, or beyond it",
        body: Body::Fields(&[
            required("vessel", VESSEL, "vessel"),
            required("over_mm", number(0.0, 1000.0), "at least this far from its origin, mm"),
        ]),
    },
    Variant {
        name: "Oversized",
        doc: "a balloon was inflated to more than the healthy size of its vessel",
        body: Body::Fields(&[required(
            "over_pct",
            number(50.0, 300.0),
            "more than this share of it, percent",
        )]),
    },
    Variant {
        name: "EmbolicReflux",
        doc: "embolic has flowed back into a vessel, or into one that it feeds, past the origin of a branch",
        body: Body::Fields(&[required("into", VESSEL, "vessel")]),
    },
    Variant {
        name: "DoseOver",
        doc: "the kerma-area product has passed a limit",
        body: Body::Fields(&[required("kap_gy_cm2", number(0.0, 10000.0), "Gy cm2")]),
    },
    Variant { name: "StepDone", doc: "a step is done", body: Body::Value(&STEP_NAME) },
    Variant {
        name: "After",
        doc: "time since the start",
        body: Body::Fields(&[required("s", number(0.0, 36000.0), "seconds")]),
    },
    Variant { name: "All", doc: "all of these", body: Body::Value(&CONDITIONS) },
    Variant { name: "Any", doc: "any of these", body: Body::Value(&CONDITIONS) },
];

/// Trap.
pub static TRAP: Group = Group {
    name: "Trap",
    doc: "an error of this case, beyond the general table",
    fields: &[
        required("id", Kind::NewId, "name in the report"),
        required("when", Kind::Variants(CONDITION), "when it has happened"),
        required("grade", Kind::Choice(GRADES), "how bad"),
        required("say", Kind::Text, "what happened, in words"),
        default("instead", Kind::Text, "\"\"", "what to do instead"),
        default("fails", Kind::Bool, "false", "the case cannot be passed after this"),
    ],
};

static MAYBE_CONDITION: Kind = Kind::Variants(CONDITION);

/// Event.
pub static EVENT: Group = Group {
    name: "CaseEvent",
    doc: "something that happens to the patient",
    fields: &[
        required("id", Kind::NewId, "name; the instructor can fire it by this"),
        default("at", Kind::Optional(&MAYBE_CONDITION), "None", "when; never by itself if absent"),
        default("wait_s", number(0.0, 36000.0), "0", "seconds after the condition"),
        required("say", Kind::Text, "what is heard"),
        default(
            "heart_rate_bpm",
            Kind::Optional(&number(20.0, 250.0)),
            "None",
            "heart rate moves to this, 1/min",
        ),
        default(
            "systolic_mmhg",
            Kind::Optional(&number(30.0, 260.0)),
            "None",
            "systolic pressure moves to this, mmHg",
        ),
        default("over_s", number(0.0, 3600.0), "30", "over this time, s"),
    ],
};

/// Score.
pub static SCORE: Group = Group {
    name: "Score",
    doc: "points and par values",
    fields: &[
        required("pass", POINTS, "points needed to pass"),
        default("slip", POINTS, "2", "points lost for a slip"),
        default("mistake", POINTS, "5", "points lost for a mistake"),
        default("blunder", POINTS, "15", "points lost for a blunder"),
        default(
            "fails",
            Kind::List { of: &Kind::Name(NameOf::Error), min_items: 0 },
            "[]",
            "errors of the general table after which the case cannot be passed",
        ),
        default(
            "par",
            Kind::List { of: &Kind::Group(&PAR), min_items: 0 },
            "[]",
            "upper limits for gold, silver and bronze; a par counts its points x (1, 2/3, 1/3, 0)",
        ),
    ],
};

/// Par value.
pub static PAR: Group = Group {
    name: "Par",
    doc: "a par value",
    fields: &[
        required("metric", Kind::Name(NameOf::Metric), "name of a metric of the report"),
        required("points", POINTS, "points for gold"),
        required("gold", ANY, "at most this"),
        required("silver", ANY, "at most this"),
        required("bronze", ANY, "at most this"),
    ],
};
