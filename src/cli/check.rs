//! `cathnav check`: validates files written by people and shows every fault.

use std::path::{Path, PathBuf};

use super::CliError;
use crate::device::{check_file, schema::DEVICE_FILE};
use crate::files::schema::explain;
use crate::files::{CheckReport, Fault, FaultKind, Node, fault_at, parse};
use crate::scenario::{Library, check_text, read_text, schema::CASE};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Case, device or anatomy files; folders are searched for `.ron` files
    #[arg(required_unless_present = "explain")]
    pub paths: Vec<PathBuf>,
    /// Show every field with its type, range and default
    #[arg(long)]
    pub explain: bool,
}

/// Runs the subcommand: exit 0 when clean, 1 with faults found, 2 when something cannot be read.
pub fn run(args: &Args) -> Result<(), CliError> {
    if args.explain {
        super::say("# Case files (scenarios/*.ron)\n")?;
        super::say(&explain(&CASE))?;
        super::say("# Device files (assets/devices/*.ron)\n")?;
        super::say(&explain(&DEVICE_FILE))?;
    }
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() && !args.paths.is_empty() {
        return Err(CliError::bad_input("there is no `.ron` file in what was named"));
    }
    let mut library = None;
    let mut report = CheckReport::default();
    for file in &files {
        let found = check(file, &mut library)?;
        if found.is_clean() {
            super::say(&format!("{}: in order", file.display()))?;
        }
        report.merge(found);
    }
    if report.is_clean() {
        return Ok(());
    }
    show(&report)?;
    let count = report.faults.len();
    let message = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
    Err(if report.is_unreadable() { CliError::bad_input(message) } else { CliError::failed_check(message) })
}

/// Files as named; folders give their `.ron` files, deeper ones too.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let fail = |e: std::io::Error| CliError::bad_input(format!("{} cannot be read: {e}", path.display()));
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        inside.push(entry.map_err(fail)?.path());
    }
    inside.sort();
    for entry in inside {
        if entry.is_dir() || entry.extension().is_some_and(|e| e == "ron") {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

/// Checks one file by what it holds.
fn check(path: &Path, library: &mut Option<Library>) -> Result<CheckReport, CliError> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(report) => return Ok(report),
    };
    let file = path.display().to_string();
    let (root, syntax) = parse(&file, &text);
    match kind_of(root.as_ref(), &text) {
        Sort::Devices => Ok(check_file(&file, &text).1),
        Sort::Anatomy => Ok(if syntax.is_clean() { anatomy(path, &file, &text) } else { syntax }),
        Sort::Script => Ok(if syntax.is_clean() { script(&file, &text) } else { syntax }),
        Sort::Case => {
            if library.is_none() {
                *library = Some(super::library()?);
            }
            let checked = library.as_ref().map(|l| check_text(&file, &text, l));
            Ok(checked.and_then(Result::err).unwrap_or_default())
        }
    }
}

enum Sort {
    Case,
    Devices,
    Anatomy,
    Script,
}

/// What a file is, by the name before its bracket or by a field that only this sort has.
fn kind_of(root: Option<&Node>, text: &str) -> Sort {
    let has = |field: &str| root.is_some_and(|r| r.field(field).is_some());
    let name = root.and_then(Node::name).map_or_else(|| first_word(text), str::to_owned);
    match name.as_str() {
        "DeviceFile" => Sort::Devices,
        "Description" | "Imported" => Sort::Anatomy,
        "Script" => Sort::Script,
        "Case" => Sort::Case,
        _ if has("devices") || has("embolics") => Sort::Devices,
        _ if has("branches") => Sort::Anatomy,
        _ if has("steps") && !has("tray") && !has("score") => Sort::Script,
        _ => Sort::Case,
    }
}

/// The word before the first bracket, for files that cannot be read to the end.
fn first_word(text: &str) -> String {
    let line =
        text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with("//") && !l.starts_with('#'));
    line.and_then(|l| l.split('(').next()).unwrap_or_default().trim().to_owned()
}

/// An anatomy file: its reader stops at the first fault, the builder names the branch.
fn anatomy(path: &Path, file: &str, text: &str) -> CheckReport {
    use crate::anatomy::{AnatomyError, AnatomyFile, build_tree, load_tree, parse_file};
    let mut report = CheckReport::of(file, text);
    let result = parse_file(path, text).and_then(|parsed| match parsed {
        AnatomyFile::Described(description) => build_tree(&description),
        AnatomyFile::Imported(_) => load_tree(path.parent().unwrap_or(Path::new("."))),
    });
    match result {
        Ok(_) => {}
        Err(AnatomyError::Parse { line, column, what, .. }) => {
            report.faults.push(at_line(file, text, line, column, what));
        }
        Err(AnatomyError::Value { item, field, found, allowed }) => {
            let span = place_of(text, &item);
            let fault = fault_at(file, text, span, FaultKind::OutOfRange, &format!("{item}.{field}"));
            report.faults.push(Fault { found, allowed, ..fault });
        }
        Err(other) => {
            let fault = fault_at(file, text, 0..0, FaultKind::Contradiction, "");
            report.faults.push(Fault { found: other.to_string(), ..fault });
        }
    }
    report
}

fn script(file: &str, text: &str) -> CheckReport {
    use crate::script::{ScriptError, parse};
    let mut report = CheckReport::of(file, text);
    match parse(text, file) {
        Err(ScriptError::Syntax { line, column, message, .. }) => {
            report.faults.push(at_line(file, text, line, column, message));
        }
        Err(other) => {
            let fault = fault_at(file, text, 0..0, FaultKind::Contradiction, "");
            report.faults.push(Fault { found: other.to_string(), ..fault });
        }
        Ok(_) => {}
    }
    report
}

/// Where an item is named in the text.
fn place_of(text: &str, item: &str) -> std::ops::Range<usize> {
    let quoted = format!("\"{item}\"");
    text.find(&quoted).map_or(0..0, |i| i..i + quoted.len())
}

fn at_line(file: &str, text: &str, line: usize, column: usize, found: String) -> Fault {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let in_line: usize = text[line_start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let at = line_start + in_line;
    Fault { found, ..fault_at(file, text, at..at, FaultKind::WrongType, "") }
}

/// Each fault as one line that other programs can read, then its line of the file with the place marked.
fn show(report: &CheckReport) -> Result<(), CliError> {
    for fault in &report.faults {
        super::say(&fault.to_string())?;
        if let Some(text) = report.texts.get(&fault.file).filter(|_| fault.line > 0) {
            super::say(&excerpt(fault, text))?;
        }
    }
    Ok(())
}

/// The source line with the place marked, by miette; what it would repeat of the message is left out.
fn excerpt(fault: &Fault, text: &str) -> String {
    use miette::{
        GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
    };
    let rest = text.get(fault.span.start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    // Within its line and at least one character, so that there is something to mark.
    let least = line.chars().next().map_or(0, char::len_utf8);
    let length = fault.span.len().min(line.len()).max(least);
    let label = LabeledSpan::new(None, fault.span.start, length);
    let diagnostic = MietteDiagnostic::new(fault.found.clone()).with_label(label);
    let report = Report::new(diagnostic).with_source_code(NamedSource::new(&fault.file, text.to_owned()));
    let theme = GraphicalTheme::unicode_nocolor();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_context_lines(1);
    let mut out = String::new();
    if handler.render_report(&mut out, report.as_ref()).is_err() {
        return String::new(); // the plain line above has said it all
    }
    let frame: Vec<&str> = out.lines().skip_while(|l| !l.contains('\u{256d}')).collect();
    frame.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_mark_any_text() {
        for text in [
            "(\u{e9}: 1 \u{fc}: \u{201c}x\u{201d})",
            "(a: 1\n b: \u{e9}\u{e9})",
            "(a: [1, 2,\n",
            "(",
            "(a: \"x\n",
            "\u{20ac}",
        ] {
            let (_, report) = parse("t.ron", text);
            assert!(!report.is_clean(), "{text}");
            for fault in &report.faults {
                let shown = excerpt(fault, text);
                assert!(shown.contains("t.ron:"), "{text}: {shown}");
            }
        }
    }
}
