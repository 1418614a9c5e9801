//! X-ray radiation dose structured report (1.2.840.10008.5.1.4.1.1.88.67), templates 10001 to 10004.

use dicom_core::VR;
use dicom_object::InMemDicomObject;

use super::{DicomError, Study, bytes, common, decimal, put, put_items};
use crate::sim::exposure::account::{IrradiationEvent, IrradiationKind};
use crate::units::TICK_S;
use crate::xray::control::REFERENCE_DISTANCE_MM;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;

const SOP_CLASS: &str = "1.2.840.10008.5.1.4.1.1.88.67";
/// Gy cm2 in Gy m2.
const GY_M2: f64 = 1e-4;

type Code<'a> = (&'a str, &'a str, &'a str);

const PLANE: Code<'_> = ("113764", "DCM", "Acquisition Plane");
const SINGLE_PLANE: Code<'_> = ("113622", "DCM", "Single Plane");
const REFERENCE_POINT: Code<'_> = ("113780", "DCM", "Reference Point Definition");
const REFERENCE_POINT_IS: Code<'_> = ("113860", "DCM", "15cm from Isocenter toward Source");

/// The dose report of a whole study.
///
/// # Errors
/// When the file cannot be encoded.
pub fn rdsr_file(study: &Study, events: &[IrradiationEvent], end_tick: u64) -> Result<Vec<u8>, DicomError> {
    let uid = study.uid("dose report");
    let mut o = common(study, "SR", 9001, SOP_CLASS, &uid);
    let (date, time) = study.date_time(end_tick);
    put(&mut o, 0x0008, 0x0023, VR::DA, date.as_str());
    put(&mut o, 0x0008, 0x0033, VR::TM, time.as_str());
    put_items(&mut o, 0x0008, 0x1111, Vec::new());
    put(&mut o, 0x0020, 0x0013, VR::IS, "1");
    put_items(&mut o, 0x0040, 0xA372, Vec::new());
    put(&mut o, 0x0040, 0xA491, VR::CS, "COMPLETE");
    put(&mut o, 0x0040, 0xA493, VR::CS, "UNVERIFIED");
    put(&mut o, 0x0040, 0xA040, VR::CS, "CONTAINER");
    put_items(&mut o, 0x0040, 0xA043, vec![code(("113701", "DCM", "X-Ray Radiation Dose Report"))]);
    put(&mut o, 0x0040, 0xA050, VR::CS, "SEPARATE");
    let mut template = InMemDicomObject::new_empty();
    put(&mut template, 0x0008, 0x0105, VR::CS, "DCMR");
    put(&mut template, 0x0040, 0xDB00, VR::CS, "10001");
    put_items(&mut o, 0x0040, 0xA504, vec![template]);
    let mut content = head(study);
    content.push(accumulated(events));
    content.extend(events.iter().map(|e| event(study, e)));
    put_items(&mut o, 0x0040, 0xA730, content);
    bytes(o, SOP_CLASS, &uid)
}

fn head(study: &Study) -> Vec<InMemDicomObject> {
    let mut procedure = coded(
        "HAS CONCEPT MOD",
        ("121058", "DCM", "Procedure reported"),
        ("113704", "DCM", "Projection X-Ray"),
    );
    let intent = coded(
        "HAS CONCEPT MOD",
        ("363703001", "SCT", "Has Intent"),
        ("262202000", "SCT", "Therapeutic intent"),
    );
    put_items(&mut procedure, 0x0040, 0xA730, vec![intent]);
    let mut scope =
        coded("HAS OBS CONTEXT", ("113705", "DCM", "Scope of Accumulation"), ("113014", "DCM", "Study"));
    let of = uid_ref("HAS PROPERTIES", ("110180", "DCM", "Study Instance UID"), &study.uid("study"));
    put_items(&mut scope, 0x0040, 0xA730, vec![of]);
    vec![
        procedure,
        coded("HAS OBS CONTEXT", ("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device")),
        uid_ref("HAS OBS CONTEXT", ("121012", "DCM", "Device Observer UID"), &study.uid("room")),
        text("HAS OBS CONTEXT", ("121013", "DCM", "Device Observer Name"), "cathnav simulator"),
        scope,
        coded(
            "CONTAINS",
            ("113854", "DCM", "Source of Dose Information"),
            ("113856", "DCM", "Automated Data Collection"),
        ),
    ]
}

fn accumulated(events: &[IrradiationEvent]) -> InMemDicomObject {
    let sum = |fluoro: bool, of: fn(&IrradiationEvent) -> f64| -> f64 {
        events.iter().filter(|e| (e.kind == IrradiationKind::Fluoro) == fluoro).map(of).sum()
    };
    let kap = |e: &IrradiationEvent| e.kap_gy_cm2 * GY_M2;
    let kerma = |e: &IrradiationEvent| e.air_kerma_mgy / 1000.0;
    let time = |e: &IrradiationEvent| e.ticks as f64 * TICK_S;
    let exposure = |e: &IrradiationEvent| f64::from(e.pulses) * e.pulse_ms / 1000.0;
    let frames: f64 = sum(false, |e| f64::from(e.pulses));
    container(
        ("113702", "DCM", "Accumulated X-Ray Dose Data"),
        vec![
            coded("HAS CONCEPT MOD", PLANE, SINGLE_PLANE),
            number(("113722", "DCM", "Dose Area Product Total"), sum(true, kap) + sum(false, kap), "Gy.m2"),
            number(("113725", "DCM", "Dose (RP) Total"), sum(true, kerma) + sum(false, kerma), "Gy"),
            number(("113726", "DCM", "Fluoro Dose Area Product Total"), sum(true, kap), "Gy.m2"),
            number(("113728", "DCM", "Fluoro Dose (RP) Total"), sum(true, kerma), "Gy"),
            number(("113730", "DCM", "Total Fluoro Time"), sum(true, time), "s"),
            number(("113727", "DCM", "Acquisition Dose Area Product Total"), sum(false, kap), "Gy.m2"),
            number(("113729", "DCM", "Acquisition Dose (RP) Total"), sum(false, kerma), "Gy"),
            number(("113855", "DCM", "Total Acquisition Time"), sum(false, exposure), "s"),
            number(("113731", "DCM", "Total Number of Radiographic Frames"), frames, "1"),
            coded("CONTAINS", REFERENCE_POINT, REFERENCE_POINT_IS),
        ],
    )
}

fn event(study: &Study, e: &IrradiationEvent) -> InMemDicomObject {
    let (date, time) = study.date_time(e.start_tick);
    let kind = match e.kind {
        IrradiationKind::Fluoro => ("44491008", "SCT", "Fluoroscopy"),
        IrradiationKind::Dsa | IrradiationKind::Cine => ("113611", "DCM", "Stationary Acquisition"),
    };
    let protocol = match e.kind {
        IrradiationKind::Fluoro => format!("Fluoroscopy {:?}", e.level),
        IrradiationKind::Dsa => "DSA".to_owned(),
        IrradiationKind::Cine => "Cine".to_owned(),
    };
    let mut items = vec![
        coded("HAS CONCEPT MOD", PLANE, SINGLE_PLANE),
        uid_ref(
            "CONTAINS",
            ("113769", "DCM", "Irradiation Event UID"),
            &study.uid(&format!("event {}", e.number)),
        ),
        stamped(("111526", "DCM", "DateTime Started"), &(date + &time)),
        coded("CONTAINS", ("113721", "DCM", "Irradiation Event Type"), kind),
        text("CONTAINS", ("125203", "DCM", "Acquisition Protocol"), &protocol),
        coded("CONTAINS", REFERENCE_POINT, REFERENCE_POINT_IS),
        number(("122130", "DCM", "Dose Area Product"), e.kap_gy_cm2 * GY_M2, "Gy.m2"),
        number(("113738", "DCM", "Dose (RP)"), e.air_kerma_mgy / 1000.0, "Gy"),
    ];
    items.extend(position(e));
    items.extend(source(e));
    container(("113706", "DCM", "Irradiation Event X-Ray Data"), items)
}

fn position(e: &IrradiationEvent) -> Vec<InMemDicomObject> {
    let arm = &e.start_arm;
    // Positioner angles are those about the patient.
    let (start, end) = (arm.angles_to_patient_deg(), e.end_arm.angles_to_patient_deg());
    let (across, along) = arm.open_field_mm();
    let n = |value, meaning, v, unit| number((value, "DCM", meaning), v, unit);
    vec![
        n("112011", "Positioner Primary Angle", start.0, "deg"),
        n("112012", "Positioner Secondary Angle", start.1, "deg"),
        n("113739", "Positioner Primary End Angle", end.0, "deg"),
        n("113740", "Positioner Secondary End Angle", end.1, "deg"),
        n("113748", "Distance Source to Isocenter", SOURCE_ISOCENTER_MM, "mm"),
        n("113750", "Distance Source to Detector", arm.sid_mm, "mm"),
        n("113737", "Distance Source to Reference Point", REFERENCE_DISTANCE_MM, "mm"),
        n("113751", "Table Longitudinal Position", arm.isocenter_mm.z, "mm"),
        n("113752", "Table Lateral Position", arm.isocenter_mm.x, "mm"),
        n("113753", "Table Height Position", arm.isocenter_mm.y, "mm"),
        n("113754", "Table Head Tilt Angle", arm.table_tilt_deg, "deg"),
        n("113756", "Table Cradle Tilt Angle", arm.table_cradle_deg, "deg"),
        n("113790", "Collimated Field Area", across * along * 1e-6, "m2"),
        n("113788", "Collimated Field Height", along, "mm"),
        n("113789", "Collimated Field Width", across, "mm"),
    ]
}

fn source(e: &IrradiationEvent) -> Vec<InMemDicomObject> {
    let n = |value, meaning, v, unit| number((value, "DCM", meaning), v, unit);
    let exposure_ms = f64::from(e.pulses) * e.pulse_ms;
    let mut items = vec![
        n("113733", "KVP", e.tube_kv, "kV"),
        n("113734", "X-Ray Tube Current", e.tube_ma, "mA"),
        n("113735", "Exposure Time", exposure_ms, "ms"),
        n("113736", "Exposure", exposure_ms * e.tube_ma, "uA.s"),
        n("113766", "Focal Spot Size", 0.6, "mm"),
        n("113791", "Pulse Rate", e.rate_per_s, "{pulse}/s"),
        n("113768", "Number of Pulses", f64::from(e.pulses), "1"),
        n("113793", "Pulse Width", e.pulse_ms, "ms"),
        n("113742", "Irradiation Duration", e.ticks as f64 * TICK_S, "s"),
    ];
    if e.copper_mm > 0.0 {
        items.push(container(
            ("113771", "DCM", "X-Ray Filters"),
            vec![
                coded("CONTAINS", ("113772", "DCM", "X-Ray Filter Type"), ("113650", "DCM", "Strip filter")),
                coded("CONTAINS", ("113757", "DCM", "X-Ray Filter Material"), ("66925006", "SCT", "Copper")),
                n("113758", "X-Ray Filter Thickness Minimum", e.copper_mm, "mm"),
                n("113773", "X-Ray Filter Thickness Maximum", e.copper_mm, "mm"),
            ],
        ));
    }
    items
}

fn code((value, scheme, meaning): Code<'_>) -> InMemDicomObject {
    let mut o = InMemDicomObject::new_empty();
    put(&mut o, 0x0008, 0x0100, VR::SH, value);
    put(&mut o, 0x0008, 0x0102, VR::SH, scheme);
    put(&mut o, 0x0008, 0x0104, VR::LO, meaning);
    o
}

fn item(relation: &str, kind: &str, name: Code<'_>) -> InMemDicomObject {
    let mut o = InMemDicomObject::new_empty();
    put(&mut o, 0x0040, 0xA010, VR::CS, relation);
    put(&mut o, 0x0040, 0xA040, VR::CS, kind);
    put_items(&mut o, 0x0040, 0xA043, vec![code(name)]);
    o
}

fn coded(relation: &str, name: Code<'_>, value: Code<'_>) -> InMemDicomObject {
    let mut o = item(relation, "CODE", name);
    put_items(&mut o, 0x0040, 0xA168, vec![code(value)]);
    o
}

fn text(relation: &str, name: Code<'_>, value: &str) -> InMemDicomObject {
    let mut o = item(relation, "TEXT", name);
    put(&mut o, 0x0040, 0xA160, VR::UT, value);
    o
}

fn uid_ref(relation: &str, name: Code<'_>, uid: &str) -> InMemDicomObject {
    let mut o = item(relation, "UIDREF", name);
    put(&mut o, 0x0040, 0xA124, VR::UI, uid);
    o
}

fn stamped(name: Code<'_>, at: &str) -> InMemDicomObject {
    let mut o = item("CONTAINS", "DATETIME", name);
    put(&mut o, 0x0040, 0xA120, VR::DT, at);
    o
}

fn number(name: Code<'_>, value: f64, unit: &str) -> InMemDicomObject {
    let mut o = item("CONTAINS", "NUM", name);
    let mut measured = InMemDicomObject::new_empty();
    put(&mut measured, 0x0040, 0xA30A, VR::DS, decimal(value));
    put_items(&mut measured, 0x0040, 0x08EA, vec![code((unit, "UCUM", unit))]);
    put_items(&mut o, 0x0040, 0xA300, vec![measured]);
    o
}

fn container(name: Code<'_>, content: Vec<InMemDicomObject>) -> InMemDicomObject {
    let mut o = item("CONTAINS", "CONTAINER", name);
    put(&mut o, 0x0040, 0xA050, VR::CS, "SEPARATE");
    put_items(&mut o, 0x0040, 0xA730, content);
    o
}
