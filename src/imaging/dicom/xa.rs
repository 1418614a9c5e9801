//! X-ray angiographic multi-frame image (1.2.840.10008.5.1.4.1.1.12.1).

use dicom_core::{PrimitiveValue, VR};
use dicom_object::InMemDicomObject;

use super::super::archive::{StoredLoop, StoredRun};
use super::{DicomError, Study, bytes, common, decimal, put, put_items};
use crate::sim::command::AcquisitionKind;
use crate::sim::exposure::account::IrradiationEvent;
use crate::sim::exposure::suite::RunRecord;
use crate::units::TICK_S;
use crate::xray::geometry::SOURCE_ISOCENTER_MM;

const SOP_CLASS: &str = "1.2.840.10008.5.1.4.1.1.12.1";
/// Stored values per unit of ln of the signal: 12 bits hold a range of 13.6, a factor of 800 000.
const STEPS: f32 = 300.0;
const MOST: f32 = 4095.0;

/// What is known of a run besides its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunFacts {
    /// Mask and shift.
    pub record: Option<RunRecord>,
    /// Technique and dose.
    pub event: Option<IrradiationEvent>,
    /// Contrast given during the run, mL.
    pub contrast_ml: f64,
    /// Mask that is used when the operator set none.
    pub automatic_mask: [u32; 2],
}

/// A run as a file: all frames, ln of the signal in 12 bits (`LOG`), with mask, geometry, technique and dose.
///
/// # Errors
/// When no frame is stored, or the file cannot be encoded.
pub fn xa_file(study: &Study, run: &StoredRun, facts: &RunFacts) -> Result<Vec<u8>, DicomError> {
    if run.is_empty() {
        return Err(DicomError::Empty(run.number));
    }
    let uid = study.uid(&format!("run {}", run.number));
    let mut o = angiogram(study, run, facts, (run.number, &uid));
    if run.kind == AcquisitionKind::Dsa {
        put(&mut o, 0x0028, 0x1090, VR::CS, "SUB");
        let record = facts.record.unwrap_or_default();
        let mask = record.mask.unwrap_or(facts.automatic_mask);
        mask_sequence(&mut o, run.len(), mask, record.shift_mm, run.pixel_mm());
    } else {
        put(&mut o, 0x0028, 0x1090, VR::CS, "NAT");
    }
    bytes(o, SOP_CLASS, &uid)
}

/// ln that the gray of a stored loop spans in its file.
const LOOP_WINDOW: f32 = 3.0;
/// Loops are the series after this number.
const LOOP_SERIES: u32 = 500;

/// A stored loop of fluoroscopy as a file: the pictures as they were displayed (`DISP`).
///
/// # Errors
/// When no picture is stored, or the file cannot be encoded.
pub fn loop_file(
    study: &Study,
    stored: &StoredLoop,
    event: Option<IrradiationEvent>,
) -> Result<Vec<u8>, DicomError> {
    let rate_per_s = event.map_or(1.0, |e| e.rate_per_s);
    let run = stored.as_run(LOOP_WINDOW, rate_per_s).ok_or(DicomError::Empty(stored.number))?;
    let uid = study.uid(&format!("loop {}", stored.number));
    let facts = RunFacts { event, ..RunFacts::default() };
    let mut o = angiogram(study, &run, &facts, (LOOP_SERIES + stored.number, &uid));
    put(&mut o, 0x0008, 0x0008, VR::CS, kinds(["DERIVED", "PRIMARY", "SINGLE PLANE"]));
    put(&mut o, 0x0018, 0x1155, VR::CS, "SC");
    put(&mut o, 0x0028, 0x1040, VR::CS, "DISP");
    put(&mut o, 0x0028, 0x1090, VR::CS, "NAT");
    bytes(o, SOP_CLASS, &uid)
}

fn kinds(words: [&str; 3]) -> PrimitiveValue {
    PrimitiveValue::Strs(words.map(str::to_owned).into_iter().collect())
}

/// What every angiogram has.
fn angiogram(
    study: &Study,
    run: &StoredRun,
    facts: &RunFacts,
    (series, uid): (u32, &str),
) -> InMemDicomObject {
    let mut o = common(study, "XA", series, SOP_CLASS, uid);
    put(&mut o, 0x0008, 0x0008, VR::CS, kinds(["ORIGINAL", "PRIMARY", "SINGLE PLANE"]));
    let (date, time) = study.date_time(run.ticks.first().copied().unwrap_or(0));
    put(&mut o, 0x0008, 0x0022, VR::DA, date.as_str());
    put(&mut o, 0x0008, 0x0032, VR::TM, time.as_str());
    put(&mut o, 0x0008, 0x0033, VR::TM, time.as_str());
    put(&mut o, 0x0020, 0x0013, VR::IS, "1");
    put(&mut o, 0x0020, 0x0020, VR::CS, "");
    geometry(&mut o, run);
    technique(&mut o, study, facts);
    contrast(&mut o, study, facts);
    timing(&mut o, run);
    pixels(&mut o, run);
    o
}

/// The same file with the mask that was set after it was written.
///
/// # Errors
/// When the bytes are no such file.
pub fn update_mask(
    file: &[u8],
    frames: usize,
    pixel_mm: f64,
    record: &RunRecord,
) -> Result<Vec<u8>, DicomError> {
    let failed = |e: &dyn std::fmt::Display| DicomError::Make(e.to_string());
    let mut object = dicom_object::from_reader(file).map_err(|e| failed(&e))?;
    if let Some(mask) = record.mask {
        mask_sequence(&mut object, frames, mask, record.shift_mm, pixel_mm);
    }
    let mut out = Vec::new();
    object.write_all(&mut out).map_err(|e| failed(&e))?;
    Ok(out)
}

fn geometry(o: &mut InMemDicomObject, run: &StoredRun) {
    let arm = &run.arm;
    put(o, 0x0018, 0x1110, VR::DS, decimal(arm.sid_mm));
    put(o, 0x0018, 0x1111, VR::DS, decimal(SOURCE_ISOCENTER_MM));
    put(o, 0x0018, 0x1114, VR::DS, decimal(arm.sid_mm / SOURCE_ISOCENTER_MM));
    put(o, 0x0018, 0x1134, VR::CS, "STATIC");
    put(o, 0x0018, 0x1147, VR::CS, "RECTANGLE");
    let side = format!("{:.0}", arm.field_side_mm());
    put(o, 0x0018, 0x1149, VR::IS, two(&side));
    put(o, 0x0018, 0x1164, VR::DS, two(&decimal(run.pixel_mm())));
    put(o, 0x0018, 0x1500, VR::CS, "STATIC");
    // Positioner angles are those about the patient.
    let (primary_deg, secondary_deg) = arm.angles_to_patient_deg();
    put(o, 0x0018, 0x1510, VR::DS, decimal(primary_deg));
    put(o, 0x0018, 0x1511, VR::DS, decimal(secondary_deg));
    put(o, 0x0018, 0x1138, VR::DS, decimal(arm.table_tilt_deg));
    put(o, 0x0018, 0x1700, VR::CS, "RECTANGULAR");
    let n = run.columns as f64 / 2.0;
    let [left, right, bottom, top] = arm.blades;
    for (element, edge) in
        [(0x1702, n - n * left), (0x1704, n + n * right), (0x1706, n - n * top), (0x1708, n + n * bottom)]
    {
        put(o, 0x0018, element, VR::IS, format!("{edge:.0}"));
    }
    put(o, 0x0018, 0x5100, VR::CS, "HFS");
}

fn two(text: &str) -> PrimitiveValue {
    PrimitiveValue::Strs([text, text].map(str::to_owned).into_iter().collect())
}

fn technique(o: &mut InMemDicomObject, study: &Study, facts: &RunFacts) {
    put(o, 0x0018, 0x1155, VR::CS, "GR");
    put(o, 0x0018, 0x115A, VR::CS, "PULSED");
    put(
        o,
        0x0018,
        0x1166,
        VR::CS,
        PrimitiveValue::Strs(["IN", "FOCUSED"].map(str::to_owned).into_iter().collect()),
    );
    put(o, 0x0018, 0x1190, VR::DS, "0.6");
    let Some(e) = &facts.event else { return };
    put(o, 0x0008, 0x3010, VR::UI, study.uid(&format!("event {}", e.number)));
    put(o, 0x0018, 0x0060, VR::DS, decimal(e.tube_kv));
    put(o, 0x0018, 0x1150, VR::IS, format!("{:.0}", e.pulse_ms * f64::from(e.pulses)));
    put(o, 0x0018, 0x1151, VR::IS, format!("{:.0}", e.tube_ma));
    put(o, 0x0018, 0x1154, VR::DS, decimal(e.pulse_ms));
    if e.copper_mm > 0.0 {
        put(o, 0x0018, 0x1160, VR::SH, "STRIP");
        put(o, 0x0018, 0x7050, VR::CS, "COPPER");
        put(o, 0x0018, 0x7052, VR::DS, decimal(e.copper_mm));
        put(o, 0x0018, 0x7054, VR::DS, decimal(e.copper_mm));
    }
    // dGy cm2: 1 Gy cm2 is 10.
    put(o, 0x0018, 0x115E, VR::DS, decimal(10.0 * e.kap_gy_cm2));
}

fn contrast(o: &mut InMemDicomObject, study: &Study, facts: &RunFacts) {
    if facts.contrast_ml > 0.0 {
        put(o, 0x0018, 0x0010, VR::LO, "iodinated contrast");
        put(o, 0x0018, 0x1041, VR::DS, decimal(facts.contrast_ml));
        put(o, 0x0018, 0x1049, VR::DS, decimal(study.contrast_mg_i_per_ml));
    }
}

fn timing(o: &mut InMemDicomObject, run: &StoredRun) {
    put(o, 0x0018, 0x0040, VR::IS, format!("{:.0}", run.frame_rate_per_s.max(1.0)));
    let mut steps = vec!["0".to_owned()];
    steps.extend(run.ticks.windows(2).map(|w| decimal((w[1] - w[0]) as f64 * TICK_S * 1000.0)));
    put(o, 0x0018, 0x1065, VR::DS, PrimitiveValue::Strs(steps.into_iter().collect()));
    put(o, 0x0028, 0x0008, VR::IS, run.len().to_string());
    put(
        o,
        0x0028,
        0x0009,
        VR::AT,
        PrimitiveValue::Tags([dicom_core::Tag(0x0018, 0x1065)].into_iter().collect()),
    );
}

fn pixels(o: &mut InMemDicomObject, run: &StoredRun) {
    let frames: Vec<Vec<f32>> = (0..run.len()).map(|i| run.log(i)).collect();
    let least = frames.iter().flatten().copied().fold(f32::INFINITY, f32::min);
    let mut words: Vec<u16> = Vec::with_capacity(frames.len() * run.columns * run.rows);
    for frame in &frames {
        words.extend(frame.iter().map(|l| ((l - least) * STEPS + 0.5).clamp(0.0, MOST) as u16));
    }
    let (mut low, mut high) = (u16::MAX, 0);
    for w in words.iter().step_by(11) {
        (low, high) = (low.min(*w), high.max(*w));
    }
    put(o, 0x0028, 0x0002, VR::US, 1_u16);
    put(o, 0x0028, 0x0004, VR::CS, "MONOCHROME2");
    put(o, 0x0028, 0x0010, VR::US, run.rows as u16);
    put(o, 0x0028, 0x0011, VR::US, run.columns as u16);
    put(o, 0x0028, 0x0100, VR::US, 16_u16);
    put(o, 0x0028, 0x0101, VR::US, 12_u16);
    put(o, 0x0028, 0x0102, VR::US, 11_u16);
    put(o, 0x0028, 0x0103, VR::US, 0_u16);
    put(o, 0x0028, 0x1040, VR::CS, "LOG");
    put(o, 0x0028, 0x1041, VR::SS, 1_i16);
    put(o, 0x0028, 0x1050, VR::DS, decimal(0.5 * (f64::from(low) + f64::from(high))));
    put(o, 0x0028, 0x1051, VR::DS, decimal((f64::from(high) - f64::from(low)).max(1.0)));
    put(o, 0x7FE0, 0x0010, VR::OW, PrimitiveValue::U16(words.into_iter().collect()));
}

fn mask_sequence(
    o: &mut InMemDicomObject,
    frames: usize,
    [first, last]: [u32; 2],
    [right_mm, up_mm]: [f64; 2],
    pixel_mm: f64,
) {
    let mut item = InMemDicomObject::new_empty();
    put(&mut item, 0x0028, 0x6101, VR::CS, "AVG_SUB");
    let range = PrimitiveValue::U16([1, frames as u16].into_iter().collect());
    put(&mut item, 0x0028, 0x6102, VR::US, range);
    let numbers = (first + 1..=last + 1).map(|n| n as u16);
    put(&mut item, 0x0028, 0x6110, VR::US, PrimitiveValue::U16(numbers.collect()));
    put(&mut item, 0x0028, 0x6112, VR::US, 1_u16);
    // Rows first, downwards, then columns to the right.
    let shift = [-up_mm / pixel_mm, right_mm / pixel_mm].map(|v| v as f32);
    put(&mut item, 0x0028, 0x6114, VR::FL, PrimitiveValue::F32(shift.into_iter().collect()));
    put_items(o, 0x0028, 0x6100, vec![item]);
}
