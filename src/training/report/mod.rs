//! The report of an attempt: JSON for programs, one self-contained HTML page for people.

/// Appends formatted text to a string.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        $out.push_str(&format!($($arg)*))
    };
}

mod dose;
mod html;
mod svg;

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::telemetry::Sample;
use crate::anatomy::VesselTree;
use crate::imaging::skin_picture;
use crate::imaging::skin_picture::scale_top_mgy;
use crate::xray::skin::{SkinDose, SkinModel};

/// What the caller knows about the attempt and the observer does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportMeta {
    /// Version of the program.
    pub version: String,
    /// Hash of the case file.
    pub case_hash: String,
    /// Seed of the anatomy's variation.
    pub seed: u64,
    /// Who worked: a name, or the script's title.
    pub operator: String,
    /// Hash of the final state.
    pub state_hash: String,
    /// File name of the recording, so that a tick can be found in it.
    pub recording: String,
}

/// A key image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportImage {
    /// Caption.
    pub caption: String,
    /// The file's bytes.
    pub png: Vec<u8>,
}

/// All that a report is made of.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// What the observer says.
    pub assessment: &'a Assessment,
    /// What the caller knows.
    pub meta: &'a ReportMeta,
    /// Samples for the curves.
    pub telemetry: &'a [Sample],
    /// Vessels for the map.
    pub tree: &'a VesselTree,
    /// Key images.
    pub images: &'a [ReportImage],
}

#[derive(Serialize)]
struct JsonReport<'a> {
    program: &'static str,
    meta: &'a ReportMeta,
    assessment: &'a Assessment,
}

/// The report as JSON: program, meta, assessment.
pub fn report_json(assessment: &Assessment, meta: &ReportMeta) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&JsonReport { program: "cathnav", meta, assessment })
}

/// The dose to the skin on the patient, if there was any.
pub fn skin_image(model: &SkinModel, dose: &SkinDose) -> Option<ReportImage> {
    if dose.peak_mgy <= 0.0 {
        return None;
    }
    let png = skin_picture(model, dose, 480).encode_png().ok()?;
    let top = scale_top_mgy(dose.peak_mgy);
    let caption = format!(
        "Dose to the skin from behind and from the front: largest {:.1} mGy, colors up to {top:.0} mGy",
        dose.peak_mgy
    );
    Some(ReportImage { caption, png })
}

/// The report as one HTML page that loads nothing from elsewhere.
pub fn report_html(input: &ReportInput<'_>) -> String {
    html::page(input)
}
