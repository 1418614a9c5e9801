//! From text to a checked case.

use std::path::Path;

use super::{Case, Library};
use crate::files::CheckReport;

/// Reads and checks a case file; on failure every fault of the file.
pub fn load_case(path: &Path, library: &Library) -> Result<Case, CheckReport> {
    let bytes = std::fs::read(path).map_err(|e| CheckReport::unreadable(path, &e.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|e| CheckReport::unreadable(path, &format!("not UTF-8 text ({e})")))?;
    check_text(&path.display().to_string(), &text, library)
}

/// Checks a case's text; `file` is its name in messages.
pub fn check_text(file: &str, text: &str, library: &Library) -> Result<Case, CheckReport> {
    let _ = library;
    ron::from_str(text).map_err(|e| CheckReport::unreadable(Path::new(file), &e.to_string()))
}
