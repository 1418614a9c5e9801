//! Tokens of a RON text, with the slips that people make named exactly.

use std::ops::Range;

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Open(char),
    Close(char),
    Comma,
    Colon,
    Word(String),
    Number { value: f64, is_whole: bool },
    Text(String),
    Char(char),
    End,
}

/// A slip: place, what was found, what is allowed, help. A fatal one ends the reading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slip {
    pub(super) span: Range<usize>,
    pub(super) found: String,
    pub(super) allowed: String,
    pub(super) help: String,
    pub(super) is_fatal: bool,
}

impl Slip {
    pub(super) fn new(span: Range<usize>, found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { span, found: found.into(), allowed: allowed.into(), help: String::new(), is_fatal: true }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub(super) fn mild(mut self) -> Self {
        self.is_fatal = false;
        self
    }
}

/// All tokens up to the end or the first fatal slip.
pub(super) fn tokens(text: &str) -> (Vec<Token>, Vec<Slip>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), slips: Vec::new() };
    if let Err(slip) = lexer.run() {
        lexer.slips.push(slip);
    }
    (lexer.tokens, lexer.slips)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    slips: Vec<Slip>,
}

const OPENING_QUOTES: [char; 4] = ['\u{201c}', '\u{201e}', '\u{ab}', '\u{201f}'];
const CLOSING_QUOTES: [char; 3] = ['\u{201d}', '\u{201c}', '\u{bb}'];

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, start: usize, kind: TokenKind) {
        self.tokens.push(Token { span: start..self.at, kind });
    }

    fn run(&mut self) -> Result<(), Slip> {
        if self.rest().starts_with('\u{feff}') {
            self.at += '\u{feff}'.len_utf8();
        }
        loop {
            self.skip_space()?;
            let start = self.at;
            let Some(c) = self.peek() else {
                self.push(start, TokenKind::End);
                return Ok(());
            };
            match c {
                '(' | '[' | '{' => self.single(TokenKind::Open(c)),
                ')' | ']' | '}' => self.single(TokenKind::Close(c)),
                ',' => self.single(TokenKind::Comma),
                ':' => self.single(TokenKind::Colon),
                ';' => {
                    self.single(TokenKind::Comma);
                    self.slips.push(Slip::new(start..self.at, "`;`", "`,` between fields and items").mild());
                }
                '=' => {
                    self.single(TokenKind::Colon);
                    self.slips
                        .push(Slip::new(start..self.at, "`=`", "`:` between a name and its value").mild());
                }
                '"' => self.text_token()?,
                '\'' => self.char_token()?,
                '#' => self.attribute()?,
                c if OPENING_QUOTES.contains(&c) || CLOSING_QUOTES.contains(&c) => self.curly(c)?,
                c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => self.number()?,
                c if c.is_alphabetic() || c == '_' => self.word()?,
                c => {
                    let span = start..start + c.len_utf8();
                    return Err(Slip::new(
                        span,
                        format!("the character `{}`", c.escape_default()),
                        "names, numbers, \"text\", brackets, `:` and `,`",
                    ));
                }
            }
        }
    }

    fn single(&mut self, kind: TokenKind) {
        let start = self.at;
        self.at += 1;
        self.push(start, kind);
    }

    fn skip_space(&mut self) -> Result<(), Slip> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn block_comment(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if let Some(c) = self.peek() {
                self.at += c.len_utf8();
            } else {
                return Err(Slip::new(
                    start..start + 2,
                    "a comment `/*` that is never closed",
                    "`*/` at its end",
                ));
            }
        }
    }

    /// `#![enable(implicit_some)]` and the like, at the head of a file.
    fn attribute(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let is_head = self.tokens.is_empty() && self.rest().starts_with("#!");
        let Some(length) = self.rest().find(']').filter(|_| is_head) else {
            let allowed = "`#![enable(implicit_some)]` at the head of the file, `//` before a remark";
            return Err(Slip::new(start..start + 1, "the character `#`", allowed));
        };
        self.at += length + 1;
        let inside: String = self.text[start..self.at].chars().filter(|c| !c.is_whitespace()).collect();
        let names = inside.strip_prefix("#![enable(").and_then(|s| s.strip_suffix(")]"));
        let is_known =
            |name: &str| matches!(name, "implicit_some" | "unwrap_newtypes" | "unwrap_variant_newtypes" | "");
        if !names.is_some_and(|n| n.split(',').all(is_known)) {
            return Err(Slip::new(start..self.at, "an unknown header", "`#![enable(implicit_some)]`"));
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let raw = self.rest();
        if raw.strip_prefix('r').is_some_and(|r| r.trim_start_matches('#').starts_with('"')) {
            return self.raw_text();
        }
        if raw.starts_with("r#") {
            self.at += 2;
        }
        let is_inner = |c: char| c.is_alphanumeric() || c == '_';
        let length: usize = self.rest().chars().take_while(|c| is_inner(*c)).map(char::len_utf8).sum();
        let word = self.rest()[..length].to_owned();
        self.at += length;
        if word.is_empty() {
            return Err(Slip::new(start..self.at, "`r#` without a name", "a name after it"));
        }
        let kind = match word.as_str() {
            "inf" => TokenKind::Number { value: f64::INFINITY, is_whole: false },
            "NaN" => TokenKind::Number { value: f64::NAN, is_whole: false },
            _ => TokenKind::Word(word),
        };
        self.push(start, kind);
        Ok(())
    }

    fn number(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
        let mut end = start;
        let mut previous = ' ';
        for c in self.rest().chars().take_while(|c| is_part(*c)) {
            // A sign belongs to the number only at its start or behind an exponent.
            if matches!(c, '+' | '-') && end > start && !matches!(previous, 'e' | 'E') {
                break;
            }
            previous = c;
            end += 1;
        }
        self.at = end;
        let written = &self.text[start..end];
        let plain = written.replace('_', "");
        let whole = plain.trim_start_matches(['+', '-']);
        let is_whole = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
        let is_shaped = whole.starts_with(|c: char| c.is_ascii_digit() || c == '.') && whole != ".";
        match plain.parse::<f64>() {
            Ok(value) if is_shaped => {
                self.push(start, TokenKind::Number { value, is_whole });
                Ok(())
            }
            _ if matches!(whole, "inf" | "NaN") => {
                let value = if plain.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
                self.push(start, TokenKind::Number { value, is_whole: false });
                Ok(())
            }
            _ => {
                let slip = Slip::new(start..end, format!("`{written}`"), "a number such as `12` or `0.5`");
                Err(if whole.starts_with(|c: char| c.is_ascii_digit()) {
                    slip.help("text needs straight quotes: \"..\"; the unit is part of the field's name")
                } else {
                    slip
                })
            }
        }
    }

    fn text_token(&mut self) -> Result<(), Slip> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let at = self.at;
            let Some(c) = self.peek() else {
                return Err(unclosed_quote(start));
            };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' => self.escape(at, start, &mut out)?,
                c => out.push(c),
            }
        }
        if out.contains('\n') && !self.continues_well() {
            return Err(unclosed_quote(start));
        }
        self.push(start, TokenKind::Text(out));
        Ok(())
    }

    /// True when what follows a closed text may follow a value; otherwise an earlier quote was left open.
    fn continues_well(&self) -> bool {
        let next = self.rest().trim_start();
        next.is_empty()
            || next.starts_with([',', ')', ']', '}', ':'])
            || next.starts_with("//")
            || next.starts_with("/*")
    }

    fn escape(&mut self, at: usize, opener: usize, out: &mut String) -> Result<(), Slip> {
        let Some(c) = self.peek() else {
            return Err(unclosed_quote(opener));
        };
        self.at += c.len_utf8();
        let plain = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            '"' | '\\' | '\'' => c,
            'x' => return self.code(at, 2, out),
            'u' if self.rest().starts_with('{') => {
                let length = self.rest().find('}').unwrap_or(0);
                let digits = self.rest().get(1..length).unwrap_or("").to_owned();
                self.at += length + 1;
                return self.push_code(at, &digits, out);
            }
            '\n' => {
                let rest = self.rest();
                self.at += rest.len() - rest.trim_start().len();
                return Ok(());
            }
            _ => return Err(bad_escape(at..self.at)),
        };
        out.push(plain);
        Ok(())
    }

    fn code(&mut self, at: usize, count: usize, out: &mut String) -> Result<(), Slip> {
        let digits = self.rest().get(..count).unwrap_or("").to_owned();
        self.at += digits.len();
        self.push_code(at, &digits, out)
    }

    fn push_code(&self, at: usize, digits: &str, out: &mut String) -> Result<(), Slip> {
        match u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
            Some(c) => out.push(c),
            None => return Err(bad_escape(at..self.at)),
        }
        Ok(())
    }

    fn raw_text(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let hashes = self.rest()[1..].bytes().take_while(|b| *b == b'#').count();
        let closer = format!("\"{}", "#".repeat(hashes));
        let begin = start + 1 + hashes + 1;
        let Some(length) = self.text[begin..].find(&closer) else {
            return Err(unclosed_quote(start));
        };
        self.at = begin + length + closer.len();
        self.push(start, TokenKind::Text(self.text[begin..begin + length].to_owned()));
        Ok(())
    }

    fn char_token(&mut self) -> Result<(), Slip> {
        let start = self.at;
        let mut chars = self.rest().chars().skip(1);
        match (chars.next(), chars.next()) {
            (Some(c), Some('\'')) if c != '\\' => {
                self.at += 2 + c.len_utf8();
                self.push(start, TokenKind::Char(c));
                Ok(())
            }
            _ => Err(Slip::new(
                start..start + 1,
                "a single quote `'`",
                "text in straight double quotes: \"..\"",
            )),
        }
    }

    /// Quotes of a word processor: said, then read as straight ones.
    fn curly(&mut self, quote: char) -> Result<(), Slip> {
        let start = self.at;
        self.at += quote.len_utf8();
        let found = format!("the curly quote `{quote}`");
        let slip = Slip::new(start..self.at, found, "the straight quote `\"`");
        let rest = self.rest();
        let Some(length) = rest.find(|c| CLOSING_QUOTES.contains(&c) || matches!(c, '"' | '\n')) else {
            return Err(slip);
        };
        let Some(closer) = rest[length..].chars().next().filter(|c| *c != '\n') else {
            return Err(slip);
        };
        let out = rest[..length].to_owned();
        self.at += length + closer.len_utf8();
        self.slips.push(slip.mild());
        self.push(start, TokenKind::Text(out));
        Ok(())
    }
}

fn unclosed_quote(start: usize) -> Slip {
    Slip::new(start..start + 1, "a text whose quote is not closed", "`\"` at its end")
}

fn bad_escape(span: Range<usize>) -> Slip {
    Slip::new(span, "an unknown escape in a text", "`\\n`, `\\t`, `\\\"`, `\\\\` or `\\u{..}`")
        .help("a plain backslash is written `\\\\`")
}
