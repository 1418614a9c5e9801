//! The page.

use super::ReportInput;

pub(super) fn page(input: &ReportInput<'_>) -> String {
    format!("<!doctype html><title>{}</title>", input.assessment.title)
}
