//! The described schema of case and device files is in step with the types that serde reads.

use std::fmt::Debug;

use cathnav::device::{DeviceKind, SizeClass, file, schema as devices};
use cathnav::files::schema::{Body, FieldKind, Group, Kind, NameOf, Variant, explain};
use cathnav::scenario::{self as cases, schema};
use ron::error::Error;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(text).map_err(|e| e.code)
}

/// A text that a kind allows.
fn sample(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Name(_) | Kind::NewId => "\"x\"".to_owned(),
        Kind::Bool => "true".to_owned(),
        Kind::Number { min, max } => format!("{}", 1.0_f64.clamp(*min, *max)),
        Kind::Positive { max } => format!("{}", max.min(0.5)),
        Kind::Whole { min, .. } => format!("{min}"),
        Kind::OneOf(values) => format!("{}", values[0]),
        Kind::Choice(words) => words[0].0.to_owned(),
        Kind::Group(group) => fields(group.fields, ""),
        Kind::Variants(variants) => variant(&variants[0]),
        Kind::List { of, .. } => format!("[{}]", sample(of)),
        Kind::Tuple(kinds) => format!("({})", kinds.iter().map(sample).collect::<Vec<_>>().join(", ")),
        Kind::Optional(inner) => sample(inner),
    }
}

/// All required fields but one.
fn fields(kinds: &[FieldKind], without: &str) -> String {
    let given: Vec<String> = kinds
        .iter()
        .filter(|k| k.default.is_none() && k.name != without)
        .map(|k| format!("{}: {}", k.name, sample(&k.kind)))
        .collect();
    format!("({})", given.join(", "))
}

fn variant(variant: &Variant) -> String {
    match &variant.body {
        Body::Fields(kinds) => format!("{}{}", variant.name, fields(kinds, "")),
        // The inner list of conditions would go on for ever.
        Body::Value(Kind::List { .. }) => format!("{}([After(s: 1)])", variant.name),
        Body::Value(kind) => format!("{}({})", variant.name, sample(kind)),
    }
}

/// The fields that serde knows, from its answer to one that it does not know.
fn serde_fields<T: DeserializeOwned + Debug>(text: &str) -> Vec<&'static str> {
    match read::<T>(text) {
        Err(Error::NoSuchStructField { expected, .. }) => expected.to_vec(),
        other => panic!("{text} gives {other:?}"),
    }
}

fn check_fields<T: DeserializeOwned + PartialEq + Debug>(prefix: &str, kinds: &[FieldKind]) {
    let known = serde_fields::<T>(&format!("{prefix}(no_such_field: 1)"));
    assert_eq!(kinds.iter().map(|k| k.name).collect::<Vec<_>>(), known, "{prefix}");
    let least = fields(kinds, "");
    let value: T = read(&format!("{prefix}{least}")).unwrap_or_else(|e| panic!("{prefix}{least}: {e}"));
    for kind in kinds {
        let with = |text: &str| {
            let comma = if least == "()" { "" } else { ", " };
            format!("{prefix}{}{comma}{}: {text})", &least[..least.len() - 1], kind.name)
        };
        match kind.default {
            None => {
                let text = format!("{prefix}{}", fields(kinds, kind.name));
                assert!(read::<T>(&text).is_err(), "{} is not required: {text}", kind.name);
            }
            Some(default) => {
                let text = with(default);
                let given: T = read(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(given, value, "default of {prefix}.{}", kind.name);
                let text = with(&sample(&kind.kind));
                assert!(read::<T>(&text).is_ok(), "{text}");
            }
        }
        assert!(!kind.doc.is_empty(), "{}", kind.name);
    }
}

fn check_group<T: DeserializeOwned + PartialEq + Debug>(group: &Group) {
    check_fields::<T>("", group.fields);
}

fn check_variants<T: DeserializeOwned + PartialEq + Debug>(variants: &[Variant]) {
    let Err(Error::NoSuchEnumVariant { expected, .. }) = read::<T>("NoSuchVariant") else {
        panic!("an unknown variant is accepted");
    };
    assert_eq!(variants.iter().map(|v| v.name).collect::<Vec<_>>(), expected);
    for v in variants {
        match &v.body {
            Body::Fields(kinds) => check_fields::<T>(v.name, kinds),
            Body::Value(_) => assert!(read::<T>(&variant(v)).is_ok(), "{}", variant(v)),
        }
    }
}

fn check_words<T: DeserializeOwned + PartialEq + Debug>(group: &Group, field: &str) {
    let kind = group.fields.iter().find(|f| f.name == field).map(|f| f.kind);
    let (Some(Kind::Choice(words)), Err(Error::NoSuchEnumVariant { expected, .. })) =
        (kind, read::<T>("NoSuchWord"))
    else {
        panic!("{field} is not a choice");
    };
    assert_eq!(words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), expected);
}

#[test]
fn schema_and_types_are_in_step() {
    check_group::<cases::Case>(&schema::CASE);
    check_group::<cases::Briefing>(&schema::BRIEFING);
    check_group::<cases::Patient>(&schema::PATIENT);
    check_group::<cases::AnatomyChoice>(&schema::ANATOMY);
    check_group::<cases::Access>(&schema::ACCESS);
    check_group::<cases::Room>(&schema::ROOM);
    check_group::<cases::Step>(&schema::STEP);
    check_group::<cases::Trap>(&schema::TRAP);
    check_group::<cases::CaseEvent>(&schema::EVENT);
    check_group::<cases::Score>(&schema::SCORE);
    check_group::<cases::Par>(&schema::PAR);
    check_variants::<cathnav::anatomy::LesionDescription>(schema::LESION);
    check_variants::<cases::Condition>(schema::CONDITION);
    check_words::<cases::Level>(&schema::CASE, "level");
    check_words::<cases::Sex>(&schema::PATIENT, "sex");
    check_words::<cases::Grade>(&schema::TRAP, "grade");
    check_group::<file::DeviceFile>(&devices::DEVICE_FILE);
    check_group::<file::DeviceEntry>(&devices::DEVICE);
    check_group::<file::BuildSection>(&devices::SECTION);
    check_group::<file::EmbolicEntry>(&devices::EMBOLIC);
    check_variants::<file::Size>(devices::SIZE);
    check_variants::<file::Piece>(devices::PIECE);
    check_words::<DeviceKind>(&devices::DEVICE, "kind");
    let class = read::<SizeClass>(&fields(devices::SIZE_CLASS.fields, "")).unwrap();
    println!("{class:?}");
}

#[test]
fn the_explanation_names_every_field_with_its_default() {
    let text = explain(&schema::CASE);
    for group in [&schema::CASE, &schema::PATIENT, &schema::ROOM, &schema::STEP, &schema::SCORE, &schema::PAR]
    {
        for field in group.fields {
            let state = field.default.map_or_else(|| "required".to_owned(), |d| format!("default {d}"));
            let line = format!("  {}: {} [{state}]", field.name, field.doc);
            assert!(text.contains(&line), "{line}");
        }
    }
    assert!(text.contains(NameOf::Vessel.describe()) && text.contains("StepDone"));
}
