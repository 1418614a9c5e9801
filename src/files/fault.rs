//! Faults of files written by people: where, what was found, what is allowed.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// What sort of fault it is; its code is stable and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The file cannot be opened or is not UTF-8 text.
    Unreadable,
    /// The text is not well-formed.
    Syntax,
    /// A field that does not exist.
    UnknownField,
    /// A required field is absent.
    MissingField,
    /// A value of another type than allowed.
    WrongType,
    /// A number outside its range or list.
    OutOfRange,
    /// A name that is not in its list.
    UnknownName,
    /// Two parts of the file contradict each other.
    Contradiction,
}

impl FaultKind {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Syntax => "syntax",
            Self::UnknownField => "unknown-field",
            Self::MissingField => "missing-field",
            Self::WrongType => "wrong-type",
            Self::OutOfRange => "out-of-range",
            Self::UnknownName => "unknown-name",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One fault of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File, as the user named it.
    pub file: String,
    /// Bytes of its text.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Sort.
    pub kind: FaultKind,
    /// Path of the field: `steps[2].done.within`; empty for the whole file.
    pub field: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// What to do, if there is a good guess; else empty.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: ", self.file)?;
        } else {
            write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.found)?;
        if !self.allowed.is_empty() {
            write!(f, "; allowed: {}", self.allowed)?;
        }
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}

/// All faults found, with the texts they point into.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct CheckReport {
    /// Faults in the order of file and place.
    pub faults: Vec<Fault>,
    /// Text of each file named by a fault.
    pub texts: BTreeMap<String, String>,
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl CheckReport {
    /// A report of one file without faults yet.
    pub fn of(file: &str, text: &str) -> Self {
        Self { faults: Vec::new(), texts: BTreeMap::from([(file.to_owned(), text.to_owned())]) }
    }

    /// A file that cannot be read.
    pub fn unreadable(path: &Path, cause: &str) -> Self {
        let file = path.display().to_string();
        let found = format!("cannot be read: {cause}");
        let fault = Fault {
            file,
            span: 0..0,
            line: 0,
            column: 0,
            kind: FaultKind::Unreadable,
            field: String::new(),
            found,
            allowed: String::new(),
            help: String::new(),
        };
        Self { faults: vec![fault], texts: BTreeMap::new() }
    }

    /// True when nothing was found.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// True when some file could not be opened at all.
    pub fn is_unreadable(&self) -> bool {
        self.faults.iter().any(|f| f.kind == FaultKind::Unreadable)
    }

    /// Adds another report's faults.
    pub fn merge(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.texts.extend(other.texts);
    }

    /// Sorts by place and drops doubles.
    pub fn tidy(&mut self) {
        self.faults.sort_by(|a, b| (&a.file, a.span.start, a.kind).cmp(&(&b.file, b.span.start, b.kind)));
        self.faults.dedup();
    }
}

/// Line and column (in characters), both from 1, of a byte offset.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    (line, before[start..].chars().count() + 1)
}

/// The nearest of some names: at most two edits, or a third of a long name, or the same name with other punctuation.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = plain(name);
    let limit = 2.max(name.chars().count() / 3);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in names {
        let distance =
            if plain(candidate) == wanted { 0 } else { strsim::damerau_levenshtein(name, candidate) };
        if distance <= limit && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("ab\nc\u{e9}d", 3), (2, 1));
        assert_eq!(line_and_column("ab\nc\u{e9}d", 6), (2, 3));
        assert_eq!(line_and_column("ab", 99), (1, 3));
    }

    #[test]
    fn nearest_name_is_near() {
        let names = ["weight_kg", "age_y", "field_cm"];
        assert_eq!(nearest("wieght_kg", names), Some("weight_kg"));
        assert_eq!(nearest("field_mm", names), Some("field_cm"));
        assert_eq!(nearest("zzz", names), None);
    }
}
