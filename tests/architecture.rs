//! Reads the sources and holds the invariants of `src/lib.rs`: 1 (no Bevy in the core), 4 (code looks only left), and the
//! deny-list of 5 (no clock, no hash maps, no fused rounding, no unordered sums); and the size of files.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::path::{Path, PathBuf};

/// Top-level modules from left to right; modules of one row do not look at each other.
const ROWS: [&[&str]; 13] = [
    &["assets", "units"],
    &["math"],
    &["files"],
    &["anatomy", "device"],
    &["scenario"],
    &["xray"],
    &["sim"],
    &["imaging"],
    &["training"],
    &["script"],
    &["app"],
    &["cli"],
    &["main"],
];

/// Longest source file, lines.
const MAX_LINES: usize = 620;

struct Source {
    /// Path below `src`, with `/`.
    name: String,
    /// Top-level module.
    module: String,
    /// Text without comments, strings and characters; lines are kept.
    code: String,
    lines: usize,
}

impl Source {
    fn line_of(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    fn is_in(&self, modules: &[&str]) -> bool {
        modules.contains(&self.module.as_str())
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&root).unwrap();
        let parts: Vec<String> = relative.iter().map(|p| p.to_str().unwrap().to_owned()).collect();
        let text = std::fs::read_to_string(&path).unwrap();
        let module = parts[0].trim_end_matches(".rs").to_owned();
        let lines = text.lines().count();
        found.push(Source { name: parts.join("/"), module, code: code_of(&text), lines });
    }
    assert!(found.len() > 30);
    found
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

/// Blanks out comments, strings and character literals, keeping every line break and offset.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    let blank = |code: &mut [u8], from: usize, to: usize| {
        for byte in &mut code[from..to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    while at < bytes.len() {
        let rest = &text.as_bytes()[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            at + find(rest, b"*/").map_or(rest.len(), |i| i + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let closer = format!("\"{}", "#".repeat(hashes));
            let start = 2 + hashes;
            at + start + find(&rest[start..], closer.as_bytes()).map_or(0, |i| i + closer.len())
        } else if rest[0] == b'"' {
            at + string_length(rest)
        } else if let Some(length) = char_length(rest) {
            at + length
        } else {
            at += 1;
            continue;
        };
        blank(&mut code, at, end);
        at = end;
    }
    String::from_utf8_lossy(&code).into_owned()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"r")?;
    let hashes = after.iter().take_while(|b| **b == b'#').count();
    (after.get(hashes) == Some(&b'"')).then_some(hashes)
}

fn string_length(rest: &[u8]) -> usize {
    let mut i = 1;
    while i < rest.len() && rest[i] != b'"' {
        i += if rest[i] == b'\\' { 2 } else { 1 };
    }
    (i + 1).min(rest.len())
}

/// A character literal, told from a lifetime by its closing quote.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    if rest.get(1) == Some(&b'\\') {
        return find(&rest[2..], b"'").map(|i| i + 3);
    }
    (2..=5).find(|i| rest.get(*i) == Some(&b'\'')).map(|i| i + 1)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places of a whole word.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(i, _)| i).filter(move |i| {
        let starts = *i == 0 || !is_word(bytes[i - 1]);
        starts && bytes.get(i + word.len()).is_none_or(|b| !is_word(*b))
    })
}

/// Offsets and names of the top-level modules that code refers to by `crate::name` or `crate::{a, b::c}`.
fn uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (offset, _) in code.match_indices("crate::") {
        if offset > 0 && (is_word(code.as_bytes()[offset - 1]) || code[..offset].ends_with('$')) {
            continue;
        }
        let rest = &code[offset + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push((offset, first_word(rest))),
            Some(group) => {
                let mut depth = 0_i32;
                let mut is_start = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => is_start = true,
                        c if !c.is_whitespace() && depth == 0 && is_start => {
                            found.push((offset, first_word(&group[i..])));
                            is_start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.bytes().take_while(|b| is_word(*b)).map(char::from).collect()
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_reader_of_sources_sees_code_only() {
    let code = code_of(
        "let a = \"HashMap\"; // Instant\nlet b: &'a str = r#\"x\"y\"#; /* mul_add */ let c = '\"'; crate::sim::X",
    );
    assert!(!code.contains("HashMap") && !code.contains("Instant") && !code.contains("mul_add"));
    assert!(code.contains("&'a str") && code.contains("let c ="));
    assert_eq!(uses(&code).len(), 1);
    let names: Vec<String> =
        uses("use crate::{math::{Vec3, Mat3}, sim::rod, units};").into_iter().map(|u| u.1).collect();
    assert_eq!(names, ["math", "sim", "units"]);
}

#[test]
fn the_core_has_no_window() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|s| !s.is_in(&["app"])) {
        for word in ["bevy", "bevy_egui", "egui", "egui_plot", "winit", "wgpu"] {
            for offset in words(&source.code, word) {
                faults.push(format!("src/{}:{}: {word} outside app", source.name, source.line_of(offset)));
            }
        }
    }
    report(&faults);
}

#[test]
fn code_looks_only_left() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|s| s.module != "lib") {
        let Some(own) = row(&source.module) else {
            faults
                .push(format!("src/{}: the module {} has no place in the order", source.name, source.module));
            continue;
        };
        for (offset, other) in uses(&source.code) {
            let is_left = row(&other).is_none_or(|other| other < own);
            // Only the outermost layers look for files.
            let may_find_files = other != "assets" || source.is_in(&["cli", "app"]);
            if other != source.module && !(is_left && may_find_files) {
                let line = source.line_of(offset);
                faults.push(format!("src/{}:{line}: {} looks at {other}", source.name, source.module));
            }
        }
    }
    report(&faults);
}

#[test]
fn the_core_is_deterministic() {
    let denied = [
        ("Instant", "the core has no clock"),
        ("SystemTime", "the core has no clock"),
        ("HashMap", "its order of iteration is random"),
        ("HashSet", "its order of iteration is random"),
        ("mul_add", "fused rounding differs between machines"),
        ("thread_rng", "random numbers come from seeded streams"),
        ("ThreadRng", "random numbers come from seeded streams"),
        ("from_os_rng", "random numbers come from seeded streams"),
        ("par_bridge", "its order is not fixed"),
        ("current_num_threads", "results must not depend on the number of threads"),
        ("AtomicF64", "sums in an order that is not fixed"),
    ];
    let mut faults = Vec::new();
    for source in sources().iter().filter(|s| !s.is_in(&["app", "cli", "assets", "main"])) {
        for (word, why) in denied {
            for offset in words(&source.code, word) {
                faults.push(format!("src/{}:{}: {word}: {why}", source.name, source.line_of(offset)));
            }
        }
        for path in ["std::env", "env::var", "rand::rng(", "rand::random"] {
            for (offset, _) in source.code.match_indices(path) {
                faults.push(format!("src/{}:{}: {path} in the core", source.name, source.line_of(offset)));
            }
        }
        faults.extend(parallel_sums(source));
    }
    report(&faults);
}

/// Parallel iterators whose statement ends in a sum, product, reduction or fold.
fn parallel_sums(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for start in ["par_iter", "into_par_iter", "par_iter_mut", "par_chunks", "par_chunks_mut", "par_windows"]
    {
        for offset in words(&source.code, start) {
            let statement = source.code[offset..].split(';').next().unwrap_or_default();
            for end in [".sum(", ".sum::", ".product(", ".reduce(", ".reduce_with("] {
                // A sum over a plain iterator within a closure is in order; one on the chain itself is not.
                if chain(statement).contains(end) {
                    faults.push(format!(
                        "src/{}:{}: unordered parallel {end}",
                        source.name,
                        source.line_of(offset)
                    ));
                }
            }
        }
    }
    faults
}

/// A method chain with everything inside its brackets left out.
fn chain(statement: &str) -> String {
    let mut depth = 0_i32;
    let mut out = String::new();
    for c in statement.chars() {
        match c {
            '(' | '[' | '{' => {
                if depth == 0 {
                    out.push(c);
                }
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth -= 1;
                if depth < 0 {
                    break;
                }
            }
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[test]
fn parallel_sums_are_found() {
    let source =
        |text: &str| Source { name: String::new(), module: String::new(), code: text.to_owned(), lines: 1 };
    assert_eq!(parallel_sums(&source("let s: f64 = a.par_iter().map(|x| x * x).sum();")).len(), 1);
    assert_eq!(
        parallel_sums(&source("let s: Vec<f64> = a.par_iter().map(|x| x.iter().sum()).collect();")).len(),
        0
    );
}

#[test]
fn stepping_opens_no_files() {
    let stages = ["rod", "contact", "world", "flow", "contrast", "therapy", "physiology", "exposure"];
    let mut faults = Vec::new();
    for source in sources() {
        let is_stage = stages.iter().any(|s| source.name.starts_with(&format!("sim/{s}/")));
        let is_step = ["sim/step.rs", "sim/state.rs", "sim/wiring.rs"].contains(&source.name.as_str());
        if is_stage || is_step || source.is_in(&["xray", "math", "units"]) {
            for path in ["std::fs", "File::", "fs::read"] {
                for (offset, _) in source.code.match_indices(path) {
                    faults.push(format!("src/{}:{}: {path}", source.name, source.line_of(offset)));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn files_are_short() {
    let long = |s: &Source| format!("src/{}: {} lines, at most {MAX_LINES}", s.name, s.lines);
    let faults: Vec<String> = sources().iter().filter(|s| s.lines > MAX_LINES).map(long).collect();
    report(&faults);
}
