//! Tokens to tree. Slips that leave no doubt (a missing comma) are noted and reading goes on; others end it.

use super::lexer::{Slip, Token, TokenKind, tokens};
use super::tree::{Field, Node, Value};
use super::{CheckReport, Fault, FaultKind, line_and_column};

/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 100;

/// The tree of a text, if it could be read to the end, and what is not well-formed.
pub fn parse(file: &str, text: &str) -> (Option<Node>, CheckReport) {
    let (tokens, lexical) = tokens(text);
    let mut report = CheckReport::of(file, text);
    let mut parser = Parser { text, tokens, at: 0, slips: Vec::new(), open: Vec::new(), pairs: Vec::new() };
    let fatal = lexical.iter().find(|s| s.is_fatal).cloned();
    let mut root = None;
    if let Some(fatal) = fatal {
        // The brackets before an unreadable place say nothing more.
        parser.slips = lexical.into_iter().filter(|s| !s.is_fatal).collect();
        parser.slips.push(fatal);
    } else {
        match parser.document() {
            Ok(node) => root = Some(node),
            Err(slip) => parser.slips.push(slip),
        }
        parser.slips.extend(lexical);
    }
    report.faults = parser.slips.into_iter().map(|slip| fault_of(file, text, slip)).collect();
    report.tidy();
    (root, report)
}

fn fault_of(file: &str, text: &str, slip: Slip) -> Fault {
    let (line, column) = line_and_column(text, slip.span.start);
    Fault {
        file: file.to_owned(),
        span: slip.span,
        line,
        column,
        kind: FaultKind::Syntax,
        field: String::new(),
        found: slip.found,
        allowed: slip.allowed,
        help: slip.help,
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    slips: Vec<Slip>,
    /// Indices of opening tokens that wait for their partner.
    open: Vec<usize>,
    /// Indices of partners found so far.
    pairs: Vec<(usize, usize)>,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // The lexer ends with `End`, and nothing steps past it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn next_is_colon(&self) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|t| t.kind == TokenKind::Colon)
    }

    fn document(&mut self) -> Result<Node, Slip> {
        if *self.kind() == TokenKind::End {
            return Err(Slip::new(0..0, "an empty file", "a value such as `Case(..)`"));
        }
        let root = self.value()?;
        match self.kind() {
            TokenKind::End => Ok(root),
            TokenKind::Close(c) => {
                let slip = Slip::new(
                    self.token().span.clone(),
                    format!("`{c}` without its opening bracket"),
                    "the end of the file",
                );
                Err(self.suspect_pair().unwrap_or(slip))
            }
            _ => Err(Slip::new(
                self.token().span.clone(),
                "more text behind the end of the value",
                "the end of the file",
            )),
        }
    }

    fn value(&mut self) -> Result<Node, Slip> {
        let token = self.token().clone();
        match token.kind {
            TokenKind::Open('(') => self.group(None, token.span.start),
            TokenKind::Open('[') => self.list(),
            TokenKind::Open(_) => self.map(),
            TokenKind::Word(word) => self.word(word, token.span),
            TokenKind::Number { value, is_whole } => Ok(self.leaf(Value::Number { value, is_whole })),
            TokenKind::Text(text) => Ok(self.leaf(Value::Text(text))),
            TokenKind::Char(c) => Ok(self.leaf(Value::Char(c))),
            TokenKind::Comma | TokenKind::Colon => {
                let found = if token.kind == TokenKind::Comma { "`,`" } else { "`:`" };
                Err(Slip::new(token.span, found, "a value here"))
            }
            TokenKind::Close(c) => Err(Slip::new(token.span, format!("`{c}`"), "a value here")),
            TokenKind::End => Err(self.unclosed(&token)),
        }
    }

    fn leaf(&mut self, value: Value) -> Node {
        let span = self.token().span.clone();
        self.at += 1;
        Node { span, value }
    }

    fn word(&mut self, word: String, span: std::ops::Range<usize>) -> Result<Node, Slip> {
        self.at += 1;
        if *self.kind() == TokenKind::Open('(') {
            return self.group(Some(word), span.start);
        }
        if matches!(self.kind(), TokenKind::Word(_) | TokenKind::Number { .. }) && !self.next_is_colon() {
            let between = &self.text[span.end..self.token().span.start];
            if !between.contains('\n') {
                let found = format!("text without quotes from `{word}` on");
                return Err(Slip::new(span, found, "text in straight quotes: \"..\""));
            }
        }
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Word(word),
        };
        Ok(Node { span, value })
    }

    fn enter(&mut self) -> Result<(), Slip> {
        if self.open.len() >= MAX_DEPTH {
            let allowed = format!("at most {MAX_DEPTH} brackets within each other");
            return Err(Slip::new(self.token().span.clone(), "brackets nested too deeply", allowed));
        }
        self.open.push(self.at);
        self.at += 1;
        Ok(())
    }

    /// The closing bracket of the innermost open one; the span from `start` to its end.
    fn leave(&mut self, start: usize) -> std::ops::Range<usize> {
        if let Some(opener) = self.open.pop() {
            self.pairs.push((opener, self.at));
        }
        let end = self.token().span.end;
        self.at += 1;
        start..end
    }

    fn list(&mut self) -> Result<Node, Slip> {
        let start = self.token().span.start;
        self.enter()?;
        let mut items = Vec::new();
        while *self.kind() != TokenKind::Close(']') {
            if matches!(self.kind(), TokenKind::Word(_)) && self.next_is_colon() {
                return Err(self.unclosed(&self.token().clone()));
            }
            self.check_item()?;
            items.push(self.value()?);
            self.comma(']')?;
        }
        Ok(Node { span: self.leave(start), value: Value::List(items) })
    }

    fn map(&mut self) -> Result<Node, Slip> {
        let start = self.token().span.start;
        self.enter()?;
        let mut entries = Vec::new();
        while *self.kind() != TokenKind::Close('}') {
            self.check_item()?;
            let key = self.value()?;
            self.colon()?;
            let value = self.value()?;
            entries.push((key, value));
            self.comma('}')?;
        }
        Ok(Node { span: self.leave(start), value: Value::Map(entries) })
    }

    fn group(&mut self, name: Option<String>, start: usize) -> Result<Node, Slip> {
        self.enter()?;
        let has_fields = matches!(self.kind(), TokenKind::Word(_))
            && self.tokens.get(self.at + 1).is_some_and(|t| t.kind == TokenKind::Colon);
        if has_fields { self.fields(name, start) } else { self.tuple(name, start) }
    }

    fn tuple(&mut self, name: Option<String>, start: usize) -> Result<Node, Slip> {
        let mut items = Vec::new();
        while *self.kind() != TokenKind::Close(')') {
            self.check_item()?;
            items.push(self.value()?);
            self.comma(')')?;
        }
        Ok(Node { span: self.leave(start), value: Value::Tuple { name, items } })
    }

    fn fields(&mut self, name: Option<String>, start: usize) -> Result<Node, Slip> {
        let mut fields = Vec::new();
        while *self.kind() != TokenKind::Close(')') {
            self.check_item()?;
            let token = self.token().clone();
            let TokenKind::Word(field) = token.kind.clone() else {
                return Err(match token.kind {
                    TokenKind::Open(_) => self.unclosed(&token),
                    TokenKind::Comma => Slip::new(token.span, "`,` twice", "one `,` between fields"),
                    _ => Slip::new(token.span, "a value without its field name", "`name: value`"),
                });
            };
            self.at += 1;
            self.colon()?;
            let value = self.value()?;
            fields.push(Field { name: field, name_span: token.span, value });
            self.comma(')')?;
        }
        Ok(Node { span: self.leave(start), value: Value::Fields { name, fields } })
    }

    /// Refuses what cannot begin an item: the end of the file or another bracket's partner.
    fn check_item(&self) -> Result<(), Slip> {
        match self.kind() {
            TokenKind::End | TokenKind::Close(_) => Err(self.unclosed(self.token())),
            _ => Ok(()),
        }
    }

    fn colon(&mut self) -> Result<(), Slip> {
        if *self.kind() == TokenKind::Colon {
            self.at += 1;
            return Ok(());
        }
        let end = self.tokens[self.at - 1].span.end;
        Err(Slip::new(end..end, "no `:` behind the name", "`name: value`"))
    }

    /// A comma or the closing bracket; a missing comma is noted at the end of what lacks it.
    fn comma(&mut self, closer: char) -> Result<(), Slip> {
        match self.kind() {
            TokenKind::Comma => self.at += 1,
            TokenKind::Close(c) if *c == closer => {}
            TokenKind::Close(_) | TokenKind::End => return Err(self.unclosed(&self.token().clone())),
            TokenKind::Colon => {
                return Err(Slip::new(
                    self.token().span.clone(),
                    "`:` behind a value",
                    "`,` or the closing bracket",
                ));
            }
            _ => {
                let end = self.tokens[self.at - 1].span.end;
                let is_line_end = self.text[end..self.token().span.start].contains('\n');
                let place = if is_line_end { "at the end of this line" } else { "here" };
                let slip = Slip::new(
                    end..end,
                    format!("a comma is missing {place}"),
                    "`,` between fields and items",
                );
                self.slips.push(slip.mild());
            }
        }
        Ok(())
    }

    /// A bracket that is not closed where `at` stands: its opener is named.
    fn unclosed(&self, at: &Token) -> Slip {
        if let Some(slip) = self.suspect_pair() {
            return slip;
        }
        let Some(opener) = self.open.last().map(|i| &self.tokens[*i]) else {
            return Slip::new(at.span.clone(), "the end of the file", "a value");
        };
        let (line, column) = line_and_column(self.text, at.span.start);
        let what = match &at.kind {
            TokenKind::End => "before the end of the file".to_owned(),
            TokenKind::Close(c) => format!("before the `{c}` in line {line}, column {column}"),
            _ => format!("before line {line}, column {column}"),
        };
        unclosed_slip(opener, &what)
    }

    /// A pair whose closing bracket stands further left than its opener's line: that opener lacks its own partner.
    fn suspect_pair(&self) -> Option<Slip> {
        let indent = |offset: usize| {
            let start = self.text[..offset].rfind('\n').map_or(0, |i| i + 1);
            let line = &self.text[start..];
            (line.len() - line.trim_start_matches([' ', '\t']).len(), start)
        };
        let mut found: Option<&Token> = None;
        for (opener, closer) in &self.pairs {
            let (opener, closer) = (&self.tokens[*opener], &self.tokens[*closer]);
            let (opener_indent, _) = indent(opener.span.start);
            let (closer_indent, line_start) = indent(closer.span.start);
            let leads_its_line = line_start + closer_indent == closer.span.start;
            let is_later = found.is_none_or(|f| opener.span.start > f.span.start);
            if leads_its_line && closer_indent < opener_indent && is_later {
                found = Some(opener);
            }
        }
        found.map(|opener| unclosed_slip(opener, "where its indentation ends"))
    }
}

fn unclosed_slip(opener: &Token, what: &str) -> Slip {
    let (bracket, partner) = match opener.kind {
        TokenKind::Open('[') => ('[', ']'),
        TokenKind::Open('{') => ('{', '}'),
        _ => ('(', ')'),
    };
    let found = format!("the `{bracket}` opened here is not closed {what}");
    Slip::new(opener.span.clone(), found, format!("`{partner}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        let (_, report) = parse("t.ron", text);
        report.faults.first().map_or_else(String::new, ToString::to_string)
    }

    #[test]
    fn reads_what_people_write() {
        let text = "#![enable(implicit_some)]\n// remark\nCase(a: 1.5, b: [\"x\", 'c'], /* c */ c: (1, -2e3), d: Tip(of: \"w\"), e: None, f: {\"k\": true,},)";
        let (root, report) = parse("t.ron", text);
        assert!(report.is_clean(), "{report}");
        let root = root.unwrap();
        assert_eq!(root.get("a").and_then(Node::number), Some(1.5));
        assert_eq!(root.get("d").and_then(Node::name), Some("Tip"));
        assert_eq!(&text[root.get("b").unwrap().span.clone()], "[\"x\", 'c']");
    }

    #[test]
    fn names_each_slip() {
        let cases = [
            ("(\n a: 1\n b: 2)", "t.ron:2:6: a comma is missing at the end of this line"),
            ("(\n a: [1, 2,\n b: 2)", "t.ron:2:5: the `[` opened here is not closed before line 3, column 2"),
            (
                "(\n a: [1, (2],\n)",
                "t.ron:2:9: the `(` opened here is not closed before the `]` in line 2, column 11",
            ),
            (
                "(\n  a: (\n    b: 1,\n  c: 2,\n)\n",
                "t.ron:2:6: the `(` opened here is not closed where its indentation ends",
            ),
            ("(a: \u{201c}x\u{201d})", "t.ron:1:5: the curly quote `\u{201c}`"),
            ("(a: 1; b: 2)", "t.ron:1:6: `;`"),
            ("(a = 1)", "t.ron:1:4: `=`"),
            ("(a: big wire)", "t.ron:1:5: text without quotes from `big` on"),
            ("(a: \"x,\n b: \"y\")", "t.ron:1:5: a text whose quote is not closed"),
            ("(a: 12mm)", "t.ron:1:5: `12mm`"),
            ("(a: 1) b", "t.ron:1:8: more text behind the end of the value"),
            ("(a: 1))", "t.ron:1:7: `)` without its opening bracket"),
            ("", "t.ron:1:1: an empty file"),
            ("(a:, b: 1)", "t.ron:1:4: `,`"),
            ("(a: 1, 2)", "t.ron:1:8: a value without its field name"),
        ];
        for (text, start) in cases {
            let message = first(text);
            assert!(message.starts_with(start), "{text:?}\n got {message}\n want {start}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_missing_comma() {
        let (root, report) = parse("t.ron", "(a: 1 b: [2 3], c: 4)");
        assert_eq!(report.faults.len(), 2);
        assert_eq!(root.and_then(|r| r.get("c").and_then(Node::number)), Some(4.0));
    }
}
