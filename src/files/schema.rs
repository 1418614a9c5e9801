//! What a file may hold: fields, types, ranges, defaults; the ground of the walk and of `check --explain`.

/// A type of value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Quoted text.
    Text,
    /// Quoted text that is a name out of a list known only when the file is read.
    Name(NameOf),
    /// Quoted text that this file introduces and later refers to.
    NewId,
    /// `true` or `false`.
    Bool,
    /// A number within closed bounds; `f64::NEG_INFINITY` or `f64::INFINITY` where there is none.
    Number {
        /// Lowest.
        min: f64,
        /// Highest.
        max: f64,
    },
    /// A number above zero, up to a bound.
    Positive {
        /// Highest.
        max: f64,
    },
    /// A whole number within closed bounds.
    Whole {
        /// Lowest.
        min: f64,
        /// Highest.
        max: f64,
    },
    /// One of some numbers.
    OneOf(&'static [f64]),
    /// A bare word out of a list.
    Choice(&'static [(&'static str, &'static str)]),
    /// A group of fields.
    Group(&'static Group),
    /// `Name(..)` out of a list.
    Variants(&'static [Variant]),
    /// Values between `[` and `]`.
    List {
        /// Of what.
        of: &'static Self,
        /// At least so many.
        min_items: usize,
    },
    /// Values between `(` and `)`, of fixed number.
    Tuple(&'static [Self]),
    /// May be left out or be `None`.
    Optional(&'static Self),
}

/// Lists of names that are known when a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOf {
    /// A device or embolic of the catalogue.
    TrayItem,
    /// A sheath of the catalogue.
    Sheath,
    /// A device of the tray or a kind word.
    Tool,
    /// A folder of the anatomies.
    Anatomy,
    /// A vessel of the case's anatomy.
    Vessel,
    /// An access site of the case's anatomy.
    AccessSite,
    /// A bleed of the case.
    Bleed,
    /// A step of the case.
    Step,
    /// A metric of the report.
    Metric,
    /// An error of the general table.
    Error,
    /// A bed of the case's anatomy, or the organ that it is a part of.
    Bed,
}

impl NameOf {
    /// What is named, with its article.
    pub fn describe(self) -> &'static str {
        match self {
            Self::TrayItem => "a device or embolic of the catalogue",
            Self::Sheath => "a sheath of the catalogue",
            Self::Tool => {
                "`wire`, `catheter`, `microcatheter`, `coil`, `plug`, `snare` or a device of the tray"
            }
            Self::Anatomy => "an anatomy",
            Self::Vessel => "a vessel of the anatomy",
            Self::AccessSite => "an access site of the anatomy",
            Self::Bleed => "the name of a bleeding among the lesions",
            Self::Step => "the id of a step",
            Self::Metric => "a metric of the report",
            Self::Error => "an error of the general table",
            Self::Bed => "a bed of the anatomy or its organ",
        }
    }
}

/// A group of fields.
#[derive(Debug)]
pub struct Group {
    /// Name that may stand before the bracket.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Fields in their usual order.
    pub fields: &'static [FieldKind],
}

/// A field of a group.
#[derive(Debug)]
pub struct FieldKind {
    /// Name, with the unit.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// What holds when it is left out, as it would be written; `None`: required.
    pub default: Option<&'static str>,
    /// What it is.
    pub doc: &'static str,
}

/// An alternative of an enumeration.
#[derive(Debug)]
pub struct Variant {
    /// Name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// What is in its bracket.
    pub body: Body,
}

/// What is in the bracket of a variant.
#[derive(Debug)]
pub enum Body {
    /// Fields.
    Fields(&'static [FieldKind]),
    /// One value.
    Value(&'static Kind),
}

/// A required field.
pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> FieldKind {
    FieldKind { name, kind, default: None, doc }
}

/// A field with a default.
pub const fn default(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> FieldKind {
    FieldKind { name, kind, default: Some(default), doc }
}

impl Kind {
    /// What is allowed, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Text | Self::NewId => "text in quotes".to_owned(),
            Self::Name(of) => format!("{} in quotes", of.describe()),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Number { min, max } => match (min.is_finite(), max.is_finite()) {
                (true, true) => format!("a number from {min} to {max}"),
                (true, false) => format!("a number of at least {min}"),
                (false, true) => format!("a number of at most {max}"),
                (false, false) => "a number".to_owned(),
            },
            Self::Positive { max } if max.is_finite() => format!("a number above 0, up to {max}"),
            Self::Positive { .. } => "a number above 0".to_owned(),
            Self::Whole { min, max } if *min == *max => format!("the whole number {min}"),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::OneOf(values) => {
                let words: Vec<String> = values.iter().map(ToString::to_string).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Choice(words) => format!("one of {}", listed(words.iter().map(|(word, _)| *word))),
            Self::Group(group) => format!("`(..)` with the fields of {}", group.name),
            Self::Variants(variants) => format!("one of {}", listed(variants.iter().map(|v| v.name))),
            Self::List { of, min_items: 0 } => format!("`[..]`, a list of: {}", of.describe()),
            Self::List { of, min_items } => {
                format!("`[..]`, a list of at least {min_items}: {}", of.describe())
            }
            Self::Tuple(kinds) => {
                let mut words: Vec<String> = kinds.iter().map(Self::describe).collect();
                words.dedup();
                format!("`(..)` with {} values: {}", kinds.len(), words.join(", "))
            }
            Self::Optional(kind) => kind.describe(),
        }
    }
}

/// Names between backticks, with commas.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = names.map(|n| format!("`{n}`")).collect();
    words.join(", ")
}

/// Every field with type, range and default, as a commented text.
pub fn explain(group: &'static Group) -> String {
    let mut out = String::new();
    let mut waiting: Vec<Part> = vec![Part::Group(group)];
    let mut done: Vec<&'static str> = Vec::new();
    while !waiting.is_empty() {
        let part = waiting.remove(0);
        if done.contains(&part.title()) {
            continue;
        }
        done.push(part.title());
        if !out.is_empty() {
            out.push('\n');
        }
        part.write(&mut out, &mut waiting);
    }
    out
}

/// A paragraph of the explanation.
enum Part {
    Group(&'static Group),
    Variants(&'static str, &'static [Variant]),
}

impl Part {
    fn title(&self) -> &'static str {
        match self {
            Self::Group(group) => group.name,
            Self::Variants(title, _) => title,
        }
    }

    fn write(&self, out: &mut String, waiting: &mut Vec<Self>) {
        match self {
            Self::Group(group) => {
                out.push_str(&format!("{}: {}\n", group.name, group.doc));
                write_fields(group.fields, "  ", out, waiting);
            }
            Self::Variants(title, variants) => {
                out.push_str(&format!("{title}: one of these\n"));
                for variant in *variants {
                    out.push_str(&format!("  {}: {}\n", variant.name, variant.doc));
                    match &variant.body {
                        Body::Fields(fields) => write_fields(fields, "    ", out, waiting),
                        Body::Value(kind) => out.push_str(&format!("    ({})\n", kind.describe())),
                    }
                }
            }
        }
    }
}

fn write_fields(fields: &'static [FieldKind], indent: &str, out: &mut String, waiting: &mut Vec<Part>) {
    for field in fields {
        let state = match field.default {
            None => "required".to_owned(),
            Some(text) => format!("default {text}"),
        };
        let allowed = short(&field.kind, field.name, waiting);
        out.push_str(&format!("{indent}{}: {} [{state}] {allowed}\n", field.name, field.doc));
        if let Kind::Choice(words) = field.kind {
            for (word, doc) in words {
                out.push_str(&format!("{indent}  {word}: {doc}\n"));
            }
        }
    }
}

/// Like [`Kind::describe`], but groups and variants are named and explained in their own paragraph.
fn short(kind: &'static Kind, field: &'static str, waiting: &mut Vec<Part>) -> String {
    match kind {
        Kind::Group(group) => {
            waiting.push(Part::Group(group));
            format!("({}, below)", group.name)
        }
        Kind::Variants(variants) => {
            waiting.push(Part::Variants(variants_title(variants, field), variants));
            format!("({}, below)", variants_title(variants, field))
        }
        Kind::List { of, min_items } => {
            let inner = short(of, field, waiting);
            if *min_items > 0 {
                format!("list, at least {min_items}: {inner}")
            } else {
                format!("list: {inner}")
            }
        }
        Kind::Optional(inner) => short(inner, field, waiting),
        _ => kind.describe(),
    }
}

/// Enumerations have no name in a file; they are titled after the field that first holds them.
fn variants_title(variants: &'static [Variant], field: &'static str) -> &'static str {
    match variants.first().map(|v| v.name) {
        Some("Run") => "condition",
        Some("Bleed") => "lesion",
        _ => field,
    }
}
