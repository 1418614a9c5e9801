//! Compares a spanned tree with a schema and collects every fault.

use std::ops::Range;

use super::schema::{Body, FieldKind, Group, Kind, NameOf, Variant, listed};
use super::tree::{Field, Node, Value};
use super::{CheckReport, Fault, FaultKind, line_and_column, nearest};

/// The names that a [`NameOf`] may take in this file; `None` when they cannot be known.
pub type Names<'a> = dyn Fn(NameOf) -> Option<Vec<String>> + 'a;

/// Compares a file's tree with its schema; faults are added to the report.
pub fn walk(
    root: &Node,
    group: &'static Group,
    text: &str,
    file: &str,
    names: &Names<'_>,
    report: &mut CheckReport,
) {
    let mut walker = Walker { text, file, names, faults: Vec::new() };
    walker.group(root, group, "");
    report.faults.extend(walker.faults);
    report.tidy();
}

/// A fault with its place worked out.
pub fn fault_at(file: &str, text: &str, span: Range<usize>, kind: FaultKind, field: &str) -> Fault {
    let (line, column) = line_and_column(text, span.start);
    Fault {
        file: file.to_owned(),
        span,
        line,
        column,
        kind,
        field: field.to_owned(),
        found: String::new(),
        allowed: String::new(),
        help: String::new(),
    }
}

struct Walker<'a> {
    text: &'a str,
    file: &'a str,
    names: &'a Names<'a>,
    faults: Vec<Fault>,
}

impl Walker<'_> {
    fn add(
        &mut self,
        span: &Range<usize>,
        kind: FaultKind,
        path: &str,
        found: String,
        allowed: String,
        help: String,
    ) {
        let fault = fault_at(self.file, self.text, span.clone(), kind, path);
        self.faults.push(Fault { found, allowed, help, ..fault });
    }

    fn wrong_type(&mut self, node: &Node, kind: &Kind, path: &str) {
        let help = match (&node.value, kind) {
            (
                Value::Text(text),
                Kind::Number { .. } | Kind::Positive { .. } | Kind::Whole { .. } | Kind::OneOf(_),
            ) if text.trim().parse::<f64>().is_ok() => {
                format!("write {} without quotes", text.trim())
            }
            (Value::Word(word), Kind::Text | Kind::Name(_) | Kind::NewId) => format!("write \"{word}\""),
            (Value::Text(word), Kind::Choice(words)) if words.iter().any(|(w, _)| w == word) => {
                format!("write {word} without quotes")
            }
            (_, Kind::List { .. }) => "put it between `[` and `]`".to_owned(),
            _ => String::new(),
        };
        self.add(&node.span, FaultKind::WrongType, path, node.describe(), kind.describe(), help);
    }

    fn value(&mut self, node: &Node, kind: &'static Kind, path: &str) {
        match kind {
            Kind::Text => self.text(node, kind, path),
            Kind::NewId => self.new_id(node, kind, path),
            Kind::Name(of) => self.name(node, kind, *of, path),
            Kind::Bool if matches!(node.value, Value::Bool(_)) => {}
            Kind::Bool => self.wrong_type(node, kind, path),
            Kind::Number { .. } | Kind::Positive { .. } | Kind::Whole { .. } | Kind::OneOf(_) => {
                self.number(node, kind, path);
            }
            Kind::Choice(words) => self.choice(node, kind, words, path),
            Kind::Group(group) => self.group(node, group, path),
            Kind::Variants(variants) => self.variant(node, kind, variants, path),
            Kind::List { of, min_items } => self.list(node, kind, of, *min_items, path),
            Kind::Tuple(kinds) => self.tuple(node, kind, kinds, path),
            Kind::Optional(inner) => {
                if node.name() != Some("None") {
                    self.value(node.plain(), inner, path);
                }
            }
        }
    }

    fn text(&mut self, node: &Node, kind: &Kind, path: &str) {
        if node.text().is_none() {
            self.wrong_type(node, kind, path);
        }
    }

    fn new_id(&mut self, node: &Node, kind: &Kind, path: &str) {
        match node.text() {
            None => self.wrong_type(node, kind, path),
            Some(id) if id.trim().is_empty() => {
                let (found, allowed) = ("an empty name".to_owned(), "a short name".to_owned());
                self.add(&node.span, FaultKind::OutOfRange, path, found, allowed, String::new());
            }
            Some(_) => {}
        }
    }

    fn name(&mut self, node: &Node, kind: &Kind, of: NameOf, path: &str) {
        let Some(name) = node.text() else {
            return self.wrong_type(node, kind, path);
        };
        let Some(allowed) = (self.names)(of) else {
            return;
        };
        if allowed.iter().any(|a| a == name) {
            return;
        }
        let help = nearest(name, allowed.iter().map(String::as_str))
            .map_or_else(String::new, |near| format!("did you mean \"{near}\"?"));
        let mut words = allowed.iter().map(String::as_str);
        // A long list would hide the message; the nearest name is what helps.
        let list = listed(words.by_ref().take(12));
        let more = words.count();
        let list = match (list.is_empty(), more) {
            (true, _) => "there is none".to_owned(),
            (false, 0) => list,
            (false, n) => format!("{list} and {n} more"),
        };
        let allowed = format!("{}: {list}", of.describe());
        self.add(&node.span, FaultKind::UnknownName, path, format!("\"{name}\" is not known"), allowed, help);
    }

    fn number(&mut self, node: &Node, kind: &Kind, path: &str) {
        let Value::Number { value, is_whole } = node.value else {
            return self.wrong_type(node, kind, path);
        };
        let is_allowed = value.is_finite()
            && match kind {
                Kind::Number { min, max } => *min <= value && value <= *max,
                Kind::Positive { max } => 0.0 < value && value <= *max,
                Kind::Whole { min, max } => is_whole && *min <= value && value <= *max,
                Kind::OneOf(values) => values.contains(&value),
                _ => true,
            };
        if !is_allowed {
            let found = self.text[node.span.clone()].to_owned();
            self.add(&node.span, FaultKind::OutOfRange, path, found, kind.describe(), String::new());
        }
    }

    fn choice(&mut self, node: &Node, kind: &Kind, words: &[(&'static str, &'static str)], path: &str) {
        let Value::Word(word) = &node.value else {
            return self.wrong_type(node, kind, path);
        };
        if words.iter().all(|(w, _)| w != word) {
            self.unknown_variant(node, word, words.iter().map(|(w, _)| *w).collect(), path);
        }
    }

    fn unknown_variant(&mut self, node: &Node, word: &str, names: Vec<&'static str>, path: &str) {
        let help = nearest(word, names.iter().copied())
            .map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        let allowed = format!("one of {}", listed(names.into_iter()));
        let span = node.span.start..node.span.start + word.len();
        self.add(&span, FaultKind::UnknownName, path, format!("`{word}` is not known"), allowed, help);
    }

    fn variant(&mut self, node: &Node, kind: &Kind, variants: &'static [Variant], path: &str) {
        let Some(word) = node.name() else {
            return self.wrong_type(node, kind, path);
        };
        let Some(variant) = variants.iter().find(|v| v.name == word) else {
            return self.unknown_variant(node, word, variants.iter().map(|v| v.name).collect(), path);
        };
        let path = join(path, variant.name);
        match (&variant.body, &node.value) {
            (Body::Fields(kinds), Value::Fields { fields, .. }) => {
                self.fields(node, fields, kinds, word, &path);
            }
            (Body::Fields(kinds), Value::Tuple { items, .. }) if items.is_empty() => {
                self.fields(node, &[], kinds, word, &path);
            }
            (Body::Value(inner), Value::Tuple { items, .. }) if items.len() == 1 => {
                self.value(&items[0], inner, &path);
            }
            (Body::Fields(kinds), _) => {
                let allowed = format!("`{word}({}: ..)`", kinds.first().map_or("", |k| k.name));
                self.add(&node.span, FaultKind::WrongType, &path, node.describe(), allowed, String::new());
            }
            (Body::Value(inner), _) => {
                let allowed = format!("`{word}(..)` with {}", inner.describe());
                self.add(&node.span, FaultKind::WrongType, &path, node.describe(), allowed, String::new());
            }
        }
    }

    fn list(&mut self, node: &Node, kind: &Kind, of: &'static Kind, min_items: usize, path: &str) {
        let Value::List(items) = &node.value else {
            return self.wrong_type(node, kind, path);
        };
        if items.len() < min_items {
            let found = format!("{} items", items.len());
            self.add(
                &node.span,
                FaultKind::OutOfRange,
                path,
                found,
                format!("at least {min_items}"),
                String::new(),
            );
        }
        for (i, item) in items.iter().enumerate() {
            self.value(item, of, &format!("{path}[{i}]"));
        }
    }

    fn tuple(&mut self, node: &Node, kind: &Kind, kinds: &'static [Kind], path: &str) {
        match &node.value {
            Value::Tuple { name: None, items } if items.len() == kinds.len() => {
                for (i, (item, kind)) in items.iter().zip(kinds).enumerate() {
                    self.value(item, kind, &format!("{path}.{i}"));
                }
            }
            _ => self.wrong_type(node, kind, path),
        }
    }

    fn group(&mut self, node: &Node, group: &'static Group, path: &str) {
        if let Some(name) = node.name().filter(|n| *n != group.name) {
            let span = node.span.start..node.span.start + name.len();
            let found = format!("`{name}`");
            let allowed = format!("`{}(..)` or `(..)`", group.name);
            self.add(&span, FaultKind::WrongType, path, found, allowed, String::new());
            return;
        }
        match &node.value {
            Value::Fields { fields, .. } => self.fields(node, fields, group.fields, group.name, path),
            Value::Tuple { items, .. } if items.is_empty() => {
                self.fields(node, &[], group.fields, group.name, path);
            }
            _ => self.wrong_type(node, &Kind::Group(group), path),
        }
    }

    fn fields(
        &mut self,
        node: &Node,
        fields: &[Field],
        kinds: &'static [FieldKind],
        owner: &str,
        path: &str,
    ) {
        for (i, field) in fields.iter().enumerate() {
            let path = join(path, &field.name);
            if let Some(first) = fields[..i].iter().find(|f| f.name == field.name) {
                let (line, _) = line_and_column(self.text, first.name_span.start);
                let found = format!("`{}` a second time (first in line {line})", field.name);
                let allowed = "each field once".to_owned();
                self.add(&field.name_span, FaultKind::Contradiction, &path, found, allowed, String::new());
            }
            match kinds.iter().find(|k| k.name == field.name) {
                Some(kind) => self.value(&field.value, &kind.kind, &path),
                None => self.unknown_field(field, fields, kinds, owner, &path),
            }
        }
        for kind in kinds.iter().filter(|k| k.default.is_none()) {
            if fields.iter().all(|f| f.name != kind.name) {
                self.missing_field(node, fields, kinds, kind, owner, path);
            }
        }
    }

    fn unknown_field(
        &mut self,
        field: &Field,
        fields: &[Field],
        kinds: &'static [FieldKind],
        owner: &str,
        path: &str,
    ) {
        let free = kinds.iter().filter(|k| fields.iter().all(|f| f.name != k.name)).map(|k| k.name);
        let help = match other_unit(&field.name, kinds).or_else(|| nearest(&field.name, free)) {
            Some(near) if stem(near).0 == stem(&field.name).0 && stem(near).1 != stem(&field.name).1 => {
                let unit = stem(near).1.replace('_', " ");
                format!("did you mean `{near}`? The unit is part of the name: give it in {}", unit.trim())
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => String::new(),
        };
        let allowed = format!("the fields of {owner}: {}", listed(kinds.iter().map(|k| k.name)));
        let found = format!("there is no field `{}`", field.name);
        self.add(&field.name_span, FaultKind::UnknownField, path, found, allowed, help);
    }

    /// A missing field is shown where its group begins, unless a misspelt one is there, which says it all.
    fn missing_field(
        &mut self,
        node: &Node,
        fields: &[Field],
        kinds: &'static [FieldKind],
        kind: &FieldKind,
        owner: &str,
        path: &str,
    ) {
        let unknown = fields.iter().filter(|f| kinds.iter().all(|k| k.name != f.name));
        let is_misspelt =
            |f: &Field| stem(&f.name).0 == stem(kind.name).0 || nearest(&f.name, [kind.name]).is_some();
        if unknown.into_iter().any(is_misspelt) {
            return;
        }
        let name_length = node.name().map_or(0, str::len);
        let span = node.span.start..node.span.start + name_length + 1;
        let found = format!("`{}` is missing", kind.name);
        let allowed = format!("`{}: ..`, {} ({})", kind.name, kind.kind.describe(), kind.doc);
        self.add(
            &span,
            FaultKind::MissingField,
            &join(path, kind.name),
            found,
            allowed,
            format!("add it to {owner}"),
        );
    }
}

/// A field that differs only in its unit, or in how the unit is spelled.
fn other_unit(name: &str, kinds: &'static [FieldKind]) -> Option<&'static str> {
    kinds.iter().map(|k| k.name).find(|known| differs_in_unit(name, known))
}

fn differs_in_unit(name: &str, known: &str) -> bool {
    let (wanted, unit) = stem(name);
    let (plain, known_unit) = stem(known);
    let is_spelled_otherwise =
        !known_unit.is_empty() && name.strip_prefix(plain).is_some_and(|r| r.starts_with('_'));
    unit != known_unit && (plain == wanted || is_spelled_otherwise)
}

/// A field's name without and with only its unit.
fn stem(name: &str) -> (&str, &str) {
    const UNITS: [&str; 28] = [
        "_mg_per_ml",
        "_mg_i_per_ml",
        "_ml_per_min",
        "_ml_per_s",
        "_n_per_mm2",
        "_n_mm2",
        "_per_mm",
        "_per_s",
        "_mmhg",
        "_kpa",
        "_mm",
        "_cm",
        "_um",
        "_m",
        "_ml",
        "_l",
        "_mgy",
        "_gy",
        "_min",
        "_ms",
        "_s",
        "_h",
        "_pct",
        "_deg",
        "_kg",
        "_g",
        "_bpm",
        "_y",
    ];
    for unit in UNITS {
        if let Some(stem) = name.strip_suffix(unit).filter(|s| !s.is_empty()) {
            return (stem, unit);
        }
    }
    (name, "")
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
