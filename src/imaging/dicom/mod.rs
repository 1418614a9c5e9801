//! DICOM files as an angiography suite writes them: XA multi-frame pictures and the radiation dose structured report.

mod rdsr;
mod xa;

pub use rdsr::rdsr_file;
pub use xa::{RunFacts, loop_file, update_mask, xa_file};

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use crate::math::hash::hex_of_bytes;
use crate::scenario::{Case, Sex};
use crate::sim::record::Recording;
use crate::units::TICK_S;

/// Explicit VR little endian.
const TRANSFER_SYNTAX: &str = "1.2.840.10008.1.2.1";

/// A file could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum DicomError {
    /// The library refuses.
    #[error("cannot make the DICOM file: {0}")]
    Make(String),
    /// There is nothing to write.
    #[error("run {0} has no stored frame")]
    Empty(u32),
}

/// Whose study it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Case title.
    pub title: String,
    /// Case id.
    pub case_id: String,
    /// Seed of the attempt.
    pub seed: u64,
    /// `F` or `M`.
    pub sex: &'static str,
    /// Age, years.
    pub age_y: f64,
    /// Weight, kg.
    pub weight_kg: f64,
    /// Start, seconds since 1970-01-01 00:00 UTC.
    pub start_unix_s: u64,
    /// Tells this attempt from others of the same case and seed: all unique identifiers hang on it.
    pub attempt: String,
    /// Iodine of the contrast, mg/mL.
    pub contrast_mg_i_per_ml: f64,
}

impl Study {
    /// The study of an attempt at a case.
    pub fn new(case: &Case, seed: u64, start_unix_s: u64, attempt: &str) -> Self {
        Self {
            title: case.title.clone(),
            case_id: case.id.clone(),
            seed,
            sex: match case.patient.sex {
                Sex::Female => "F",
                Sex::Male => "M",
            },
            age_y: case.patient.age_y,
            weight_kg: case.patient.weight_kg,
            start_unix_s,
            attempt: attempt.to_owned(),
            contrast_mg_i_per_ml: case.room.contrast_mg_i_per_ml,
        }
    }

    /// The study of a recording: its date is that of the file (a file system that does not say gives the start of 1970).
    pub fn of_recording(case: &Case, recording: &Recording, path: &std::path::Path) -> Self {
        let modified = std::fs::metadata(path).and_then(|m| m.modified()).ok();
        let start =
            modified.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        let end = recording.hashes.last().map_or_else(String::new, |(_, hash)| hash.to_string());
        Self::new(case, recording.header.seed, start, &end)
    }

    /// A unique identifier below 2.25 (a hashed name of this attempt), the same whenever it is asked for.
    pub fn uid(&self, what: &str) -> String {
        let name = format!("{}/{}/{}/{}/{what}", self.case_id, self.seed, self.start_unix_s, self.attempt);
        // Two hashes of 64 bits make the 128 bits.
        let parts = ["a", "b"].map(|salt| hex_of_bytes(format!("{salt}{name}").as_bytes()));
        let number = u128::from_str_radix(&parts.concat(), 16).unwrap_or(1);
        format!("2.25.{number}")
    }

    /// `YYYYMMDD` and `HHMMSS.ffffff` of a tick.
    pub fn date_time(&self, tick: u64) -> (String, String) {
        let since = tick as f64 * TICK_S;
        let seconds = self.start_unix_s + since as u64;
        let (y, m, d) = civil(seconds / 86_400);
        let s = seconds % 86_400;
        let micros = (since.fract() * 1e6) as u32;
        (format!("{y:04}{m:02}{d:02}"), format!("{:02}{:02}{:02}.{micros:06}", s / 3600, s / 60 % 60, s % 60))
    }
}

/// Year, month, day of a count of days since 1970-01-01, proleptic Gregorian (years start in March, so that the leap day is last).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let of_era = z % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn put(o: &mut InMemDicomObject, group: u16, element: u16, vr: VR, value: impl Into<PrimitiveValue>) {
    o.put(DataElement::new(Tag(group, element), vr, value.into()));
}

fn put_items(o: &mut InMemDicomObject, group: u16, element: u16, items: Vec<InMemDicomObject>) {
    let sequence: DataSetSequence<InMemDicomObject> = DataSetSequence::new(items, Length::UNDEFINED);
    o.put(DataElement::new(Tag(group, element), VR::SQ, sequence));
}

/// A decimal string of at most 16 characters.
fn decimal(value: f64) -> String {
    let plain = format!("{value:.6}");
    let plain = plain.trim_end_matches('0').trim_end_matches('.');
    let kept = plain.parse().is_ok_and(|back: f64| (back - value).abs() <= 1e-8 * value.abs());
    if kept && plain.len() <= 16 { plain.to_owned() } else { format!("{value:.8e}") }
}

/// Patient, study, series and equipment.
fn common(
    study: &Study,
    modality: &str,
    series: u32,
    sop_class: &str,
    instance_uid: &str,
) -> InMemDicomObject {
    let mut o = InMemDicomObject::new_empty();
    let (date, time) = study.date_time(0);
    put(&mut o, 0x0008, 0x0005, VR::CS, "ISO_IR 192");
    put(&mut o, 0x0008, 0x0016, VR::UI, sop_class);
    put(&mut o, 0x0008, 0x0018, VR::UI, instance_uid);
    put(&mut o, 0x0008, 0x0020, VR::DA, date.as_str());
    put(&mut o, 0x0008, 0x0021, VR::DA, date.as_str());
    put(&mut o, 0x0008, 0x0023, VR::DA, date.as_str());
    put(&mut o, 0x0008, 0x0030, VR::TM, time.as_str());
    put(&mut o, 0x0008, 0x0050, VR::SH, "");
    put(&mut o, 0x0008, 0x0060, VR::CS, modality);
    put(&mut o, 0x0008, 0x0070, VR::LO, "cathnav");
    put(&mut o, 0x0008, 0x0090, VR::PN, "");
    let title: String = study.title.chars().take(64).collect();
    put(&mut o, 0x0008, 0x1030, VR::LO, title.as_str());
    put(&mut o, 0x0008, 0x1090, VR::LO, "cathnav simulator");
    put(&mut o, 0x0010, 0x0010, VR::PN, "Simulated^Patient");
    let patient: String = study.case_id.chars().take(64).collect();
    put(&mut o, 0x0010, 0x0020, VR::LO, patient.as_str());
    put(&mut o, 0x0010, 0x0030, VR::DA, "");
    put(&mut o, 0x0010, 0x0040, VR::CS, study.sex);
    put(&mut o, 0x0010, 0x1010, VR::AS, format!("{:03.0}Y", study.age_y));
    put(&mut o, 0x0010, 0x1030, VR::DS, decimal(study.weight_kg));
    put(&mut o, 0x0018, 0x1000, VR::LO, format!("seed {}", study.seed));
    put(&mut o, 0x0018, 0x1020, VR::LO, crate::VERSION);
    put(&mut o, 0x0020, 0x000D, VR::UI, study.uid("study"));
    put(&mut o, 0x0020, 0x000E, VR::UI, study.uid(&format!("series {modality} {series}")));
    put(&mut o, 0x0020, 0x0010, VR::SH, "1");
    put(&mut o, 0x0020, 0x0011, VR::IS, series.to_string());
    o
}

/// The bytes of a file: preamble, meta group, data set.
fn bytes(o: InMemDicomObject, sop_class: &str, instance_uid: &str) -> Result<Vec<u8>, DicomError> {
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(sop_class)
        .media_storage_sop_instance_uid(instance_uid)
        .transfer_syntax(TRANSFER_SYNTAX);
    let file = o.with_meta(meta).map_err(|e| DicomError::Make(e.to_string()))?;
    let mut out = Vec::new();
    file.write_all(&mut out).map_err(|e| DicomError::Make(e.to_string()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_numbers_fit() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_454), (2026, 1, 1));
        for v in [0.0, 1.5, -123_456.789, 1.234_567_89e-7, 1e12, 0.000_4, 0.013_234_567, -0.1 / 3.0] {
            let text = decimal(v);
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back - v).abs() <= 1e-8 * v.abs(), "{v} {text}");
        }
    }
}
