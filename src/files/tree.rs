//! The spanned tree of a RON text.

use std::ops::Range;

/// A value with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true`, `false`.
    Bool(bool),
    /// A number; whole if written without point and exponent.
    Number {
        /// Its value.
        value: f64,
        /// Written as a whole number.
        is_whole: bool,
    },
    /// Quoted text, escapes resolved.
    Text(String),
    /// One character in single quotes.
    Char(char),
    /// A bare word: the name of a variant.
    Word(String),
    /// `[..]`.
    List(Vec<Node>),
    /// `{key: value}`.
    Map(Vec<(Node, Node)>),
    /// `Name(field: value)` or `(field: value)`.
    Fields {
        /// The name before the bracket.
        name: Option<String>,
        /// The fields as written.
        fields: Vec<Field>,
    },
    /// `Name(value)`, `(value, value)` or `()`.
    Tuple {
        /// The name before the bracket.
        name: Option<String>,
        /// The values.
        items: Vec<Node>,
    },
}

/// A field as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Bytes of the name.
    pub name_span: Range<usize>,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The value of a field, if this is a struct that has it; `Some(..)` around it is taken off.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.field(name).map(|f| f.value.plain())
    }

    /// A field with the span of its name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        match &self.value {
            Value::Fields { fields, .. } => fields.iter().find(|f| f.name == name),
            _ => None,
        }
    }

    /// The node within `Some(..)`, or the node itself.
    pub fn plain(&self) -> &Self {
        match &self.value {
            Value::Tuple { name: Some(name), items } if name == "Some" && items.len() == 1 => {
                items[0].plain()
            }
            _ => self,
        }
    }

    /// Quoted text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Number { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The items of a list or a tuple; nothing for other nodes.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) | Value::Tuple { items, .. } => items,
            _ => &[],
        }
    }

    /// The name of a variant or struct.
    pub fn name(&self) -> Option<&str> {
        match &self.value {
            Value::Word(name) => Some(name),
            Value::Fields { name, .. } | Value::Tuple { name, .. } => name.as_deref(),
            _ => None,
        }
    }

    /// What it is, in words, for messages.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Bool(b) => format!("`{b}`"),
            Value::Number { value, .. } => format!("the number {value}"),
            Value::Text(text) if text.chars().count() <= 40 => format!("the text \"{text}\""),
            Value::Text(_) => "a text".to_owned(),
            Value::Char(c) => format!("the character '{c}'"),
            Value::Word(word) => format!("the word `{word}`"),
            Value::List(_) => "a list [..]".to_owned(),
            Value::Map(_) => "a map {..}".to_owned(),
            Value::Fields { name: None, .. } => "a group of fields (..)".to_owned(),
            Value::Fields { name: Some(name), .. } | Value::Tuple { name: Some(name), .. } => {
                format!("`{name}(..)`")
            }
            Value::Tuple { name: None, .. } => "a group (..)".to_owned(),
        }
    }
}
