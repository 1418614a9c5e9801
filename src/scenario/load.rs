//! From text to a checked case: spanned tree, schema walk, cross-checks, then the values.

use std::path::{Path, PathBuf};

use super::schema::CASE;
use super::{Case, Library, names, validate};
use crate::files::{CheckReport, Fault, FaultKind, Node, fault_at, parse, walk};

/// Reads and checks a case file; on failure every fault of the file.
pub fn load_case(path: &Path, library: &Library) -> Result<Case, CheckReport> {
    let text = read_text(path)?;
    check_text(&path.display().to_string(), &text, library)
}

/// All case files below `scenarios/` of a root, those of its folders too, sorted: a folder after the files beside it.
pub fn case_files(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("scenarios")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(&folder)? {
            inside.push(entry?.path());
        }
        inside.sort();
        let (deeper, here): (Vec<_>, Vec<_>) = inside.into_iter().partition(|p| p.is_dir());
        files.extend(here.into_iter().filter(|p| p.extension().is_some_and(|e| e == "ron")));
        folders.extend(deeper.into_iter().rev());
    }
    Ok(files)
}

/// Reads a file as UTF-8 text.
pub fn read_text(path: &Path) -> Result<String, CheckReport> {
    let bytes = std::fs::read(path).map_err(|e| CheckReport::unreadable(path, &e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| CheckReport::unreadable(path, &format!("not UTF-8 text ({e})")))
}

/// Checks a case's text; `file` is its name in messages.
pub fn check_text(file: &str, text: &str, library: &Library) -> Result<Case, CheckReport> {
    let (root, mut report) = parse(file, text);
    let Some(root) = root else {
        return Err(report);
    };
    let drawn = library.for_patient(&root, text);
    let library = drawn.as_ref().unwrap_or(library);
    walk(&root, &CASE, text, file, &|of| names::names(&root, library, of), &mut report);
    report.faults.extend(validate::cross_checks(&root, text, file, library));
    report.tidy();
    if !report.is_clean() {
        return Err(report);
    }
    values(file, text, &root).map_err(|fault| {
        report.faults.push(*fault);
        report
    })
}

/// The values of a text whose tree was found in order.
fn values(file: &str, text: &str, root: &Node) -> Result<Case, Box<Fault>> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(text).map_err(|e| {
        // The walk should have said it; what the reader of values knows is better than nothing.
        let line_start =
            text.split_inclusive('\n').take(e.span.start.line.saturating_sub(1)).map(str::len).sum();
        let span = if e.span.start.line == 0 { root.span.clone() } else { line_start..line_start };
        Box::new(Fault { found: e.code.to_string(), ..fault_at(file, text, span, FaultKind::WrongType, "") })
    })
}
