//! Text for values: what the reference prints, or the style that the place already has.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::block::{self, line_end};
use super::resolve;
use crate::format::Edit;
use crate::format::parts::{Scalar, Style};
use crate::number;
use crate::value::Value;

/// How freely to choose a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caution {
    /// Keep the style of the place.
    Keep,
    /// Double quotes for all text: always readable, for when the kept style did not read back.
    Quote,
}

/// What to replace so that a sealed value stands in the style of the place it takes.
pub(crate) fn sealed(enc: &str, at: &Scalar, text: &str) -> Vec<Edit> {
    if let Some(tag) = at.tag {
        // A sealed value is text, whatever the tag says of the plain one.
        let whole = if at.flow { double(enc) } else { enc.to_owned() };
        return vec![(tag as usize..at.span.end(), whole)];
    }
    let whole = match at.style {
        Style::Single => format!("'{enc}'"),
        Style::Double => format!("\"{enc}\""),
        Style::Plain if at.flow => format!("\"{enc}\""),
        Style::Block if let Some(shape) = BlockShape::of(at, text) => {
            // An empty line of the value, which says whose a comment behind it is.
            let lines: &[&str] = if ends_empty_before_comment(at, text) {
                &[enc, ""]
            } else {
                &[enc]
            };
            return shape.replace(at, text, "-", lines, shape.digit.is_some());
        }
        Style::Block | Style::Plain => enc.to_owned(),
    };
    vec![(at.span.range(), whole)]
}

/// What to replace so that an opened value stands in the place of its sealed form.
pub(crate) fn opened(value: &Value, at: &Scalar, text: &str, caution: Caution) -> Vec<Edit> {
    let whole = match value {
        Value::String(string) => match at.style {
            Style::Block
                if caution == Caution::Keep
                    && let Some(edits) = BlockShape::of(at, text)
                        .and_then(|shape| shape.string(at, text, string)) =>
            {
                return edits;
            }
            Style::Plain if caution == Caution::Keep => canonical(string, at, text),
            Style::Single if caution == Caution::Keep && fits_single(string) => single(string),
            _ => double(string),
        },
        Value::Bytes(bytes) if !at.flow => {
            format!("!!binary {}", canonical(&packed(bytes), at, text))
        }
        other => word(other),
    };
    // A comment behind a block's header stays; nothing else of the block may.
    let header = BlockShape::header(at, text);
    match header.filter(|_| at.style == Style::Block) {
        Some(header) => vec![
            (at.span.start()..header.end, whole),
            (line_end(text, header.end)..at.span.end(), String::new()),
        ],
        None => vec![(at.span.range(), whole)],
    }
}

/// The text of a value that is no string; empty for one.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::Boolean(true) => "true".to_owned(),
        Value::Boolean(false) => "false".to_owned(),
        // Read back, `-0` would be the integer 0.
        Value::Float(number) if *number == 0.0 && number.is_sign_negative() => "-0.0".to_owned(),
        Value::Float(number) => number::yaml(*number),
        Value::Integer(number) => number.to_string(),
        Value::Null => "null".to_owned(),
        Value::Time(text) => text.to_string(),
        Value::Bytes(bytes) => format!("!!binary {}", STANDARD.encode(bytes.as_slice())),
        Value::String(_) => String::new(),
    }
}

/// Base64 as the reference writes it: in lines of 70 characters when it fills one.
pub(crate) fn packed(bytes: &[u8]) -> String {
    let packed = STANDARD.encode(bytes);
    if packed.len() < BASE64_LINE {
        return packed;
    }
    let lines = packed.as_bytes().chunks(BASE64_LINE);
    lines
        .map(|line| String::from_utf8_lossy(line) + "\n")
        .collect()
}

const BASE64_LINE: usize = 70;

/// The reference's choice for a string in block context (`spec` rule: plain where it reads back, double
/// quotes for what would be another type, single quotes for what YAML forbids plain, `|` for lines).
fn canonical(string: &str, at: &Scalar, text: &str) -> String {
    if string.contains('\n') {
        if at.flow || !fits_literal(string) || has_loose_blank(string) {
            return double(string);
        }
        let list = text
            .get(..at.span.start())
            .is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with('-'));
        // The next multiple of the indentation.
        let indent = if list {
            at.column + 2
        } else {
            (at.column + 4) / 4 * 4
        };
        let shape = BlockShape {
            indent,
            digit: None,
            column: at.column,
            newline: newline_at(text, at.span.start()),
            folded: false,
        };
        return shape
            .block(string)
            .map_or_else(|| double(string), |(header, body)| header + &body);
    }
    match key_or_value(string) {
        plain if plain == string && at.flow && !is_flow_safe(string) => double(string),
        chosen => chosen,
    }
}

/// One-line text as the reference writes it, for keys and values in block context.
pub(crate) fn key_or_value(string: &str) -> String {
    let typed = !resolve::is_plain_string(string) && string != "<<";
    if typed || is_old_boolean(string) || is_base_sixty(string) || !string.chars().all(is_printable)
    {
        return double(string);
    }
    if is_forbidden_plain(string) || string == "<<" {
        single(string)
    } else {
        string.to_owned()
    }
}

fn is_forbidden_plain(string: &str) -> bool {
    let first = string.chars().next();
    let leads = first.is_some_and(|c| "#,[]{}&*!|>'\"%@`".contains(c));
    let indicator = ["?", ":", "-"].iter().any(|mark| {
        string == *mark
            || string
                .strip_prefix(mark)
                .is_some_and(|rest| rest.starts_with(' '))
    });
    leads
        || indicator
        || string.contains(": ")
        || string.ends_with(':')
        || string.contains(" #")
        || string.starts_with([' ', '\t'])
        || string.ends_with([' ', '\t'])
        || string.starts_with("---")
        || string.starts_with("...")
}

pub(crate) fn is_flow_safe(string: &str) -> bool {
    string
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '='))
        && !string.starts_with('-')
}

fn is_old_boolean(string: &str) -> bool {
    matches!(
        string,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_sixty(string: &str) -> bool {
    let string = string.strip_prefix(['-', '+']).unwrap_or(string);
    let (string, fraction) = string.split_once('.').unwrap_or((string, ""));
    let mut parts = string.split(':');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let head = parts
        .next()
        .is_some_and(|head| head.starts_with(|c: char| c.is_ascii_digit()) && digits(head));
    let mut more = false;
    let tail = parts.all(|part| {
        more = true;
        match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
            _ => false,
        }
    });
    head && more && tail && digits(fraction)
}

/// Printable in go-yaml's sense; characters above U+FFFF are not.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn fits_single(string: &str) -> bool {
    string.chars().all(is_printable)
}

fn fits_literal(string: &str) -> bool {
    string
        .chars()
        .all(|c| is_printable(c) || c == '\n' || c == '\t')
        && !string.starts_with('\t')
        && !string
            .lines()
            .any(|line| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty())
}

/// A blank before a line break or at the end: the reference takes double quotes then.
fn has_loose_blank(string: &str) -> bool {
    string.contains(" \n") || string.ends_with(' ')
}

fn single(string: &str) -> String {
    format!("'{}'", string.replace('\'', "''"))
}

pub(crate) fn double(string: &str) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\0' => text.push_str("\\0"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{b}' => text.push_str("\\v"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\u{1b}' => text.push_str("\\e"),
            '\u{85}' => text.push_str("\\N"),
            '\u{2028}' => text.push_str("\\L"),
            '\u{2029}' => text.push_str("\\P"),
            c if is_printable(c) => text.push(c),
            c => {
                let code = u32::from(c);
                text.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
            }
        }
    }
    text.push('"');
    text
}

/// The line break that the text uses.
pub(crate) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The line break that ends the line, or the one before.
pub(crate) fn newline_at(text: &str, at: usize) -> &'static str {
    let rest = text.get(at..).unwrap_or_default();
    let before = text.get(..at).unwrap_or_default();
    let end = match rest.find('\n') {
        Some(end) => at + end,
        None => before.rfind('\n').unwrap_or_default(),
    };
    let line = text.get(..end).unwrap_or_default();
    if line.ends_with('\r') { "\r\n" } else { "\n" }
}

/// Text of several lines as a literal block whose lines begin at `indent`, in a collection at `column`: header and body.
/// Double quotes where the reference takes them, and where it loses the text.
#[cfg(feature = "formats")]
pub(crate) fn lines(string: &str, column: usize, indent: usize) -> String {
    let holds = |c| is_printable(c) || matches!(c, '\n' | '\t');
    if has_loose_blank(string) || string.starts_with('\t') || !string.chars().all(holds) {
        return double(string);
    }
    let shape = BlockShape {
        indent,
        digit: None,
        column,
        newline: "\n",
        folded: false,
    };
    shape
        .lines_of(string)
        .map_or_else(|| double(string), |(header, body)| header + &body)
}

/// Header and indentation of a block scalar.
struct BlockShape {
    indent: usize,
    digit: Option<usize>,
    column: usize,
    newline: &'static str,
    folded: bool,
}

impl BlockShape {
    fn of(at: &Scalar, text: &str) -> Option<Self> {
        let source = text.get(at.span.range())?;
        let (digit, indent) = block::indentation(source, at.column);
        Some(Self {
            indent: indent.unwrap_or(at.column + 2),
            digit,
            column: at.column,
            newline: newline_at(text, at.span.start()),
            folded: source.starts_with('>'),
        })
    }

    /// The header's indicators: `|`, `>2-`, …
    fn header(at: &Scalar, text: &str) -> Option<Range<usize>> {
        let source = text.get(at.span.range())?;
        let length = 1 + source
            .bytes()
            .skip(1)
            .take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9'))
            .count();
        source
            .starts_with(['|', '>'])
            .then_some(at.span.start()..at.span.start() + length)
    }

    /// Edits that put a string in the place of the block scalar `at`.
    fn string(&self, at: &Scalar, text: &str, string: &str) -> Option<Vec<Edit>> {
        let (header, body) = self.block(string)?;
        let keeps = header.ends_with('+');
        let mut edits = Self::edits(at, text, header, body)?;
        // It has its empty lines itself, and would take those that follow for its own.
        if keeps && let Some((range, _)) = edits.last_mut() {
            range.end += empty_lines(text.get(range.end..).unwrap_or_default());
        }
        Some(edits)
    }

    /// Header and body of a string; `None` when a block cannot hold it.
    fn block(&self, string: &str) -> Option<(String, String)> {
        if !fits_literal(string) || string.is_empty() {
            return None;
        }
        self.lines_of(string)
    }

    /// As [`BlockShape::block`], for a string that a block can hold.
    fn lines_of(&self, string: &str) -> Option<(String, String)> {
        let body = string.trim_end_matches('\n');
        let chomp = match string.len() - body.len() {
            0 => "-",
            1 if !body.is_empty() => "",
            _ => "+",
        };
        let needs_digit = self.digit.is_some() || string.starts_with([' ', '\n']);
        if needs_digit && !(1..=9).contains(&self.indent.checked_sub(self.column)?) {
            return None;
        }
        let body = if chomp == "+" {
            string.strip_suffix('\n').unwrap_or(string)
        } else {
            body
        };
        let lines: Vec<&str> = body.split('\n').collect();
        // Line breaks of its own cannot be told from folded ones.
        let shape = Self {
            folded: self.folded && lines.len() == 1,
            ..*self
        };
        Some((shape.head(chomp, needs_digit), shape.body(&lines)))
    }

    fn replace(
        &self,
        at: &Scalar,
        text: &str,
        chomp: &str,
        lines: &[&str],
        digit: bool,
    ) -> Vec<Edit> {
        let edits = Self::edits(at, text, self.head(chomp, digit), self.body(lines));
        edits
            .unwrap_or_else(|| vec![(at.span.range(), self.head(chomp, digit) + &self.body(lines))])
    }

    /// A comment behind the header stays between the two.
    fn edits(at: &Scalar, text: &str, header: String, body: String) -> Option<Vec<Edit>> {
        let place = Self::header(at, text)?;
        let rest = line_end(text, place.end);
        Some(vec![(place, header), (rest..at.span.end().max(rest), body)])
    }

    fn head(&self, chomp: &str, digit: bool) -> String {
        let mut text = String::from(if self.folded { ">" } else { "|" });
        if digit {
            text.push_str(&self.indent.saturating_sub(self.column).to_string());
        }
        text.push_str(chomp);
        text
    }

    fn body(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            text.push_str(self.newline);
            if !line.is_empty() {
                text.push_str(&" ".repeat(self.indent));
                text.push_str(line);
            }
        }
        text
    }
}

/// Whether a block scalar ends in empty lines that belong to it (`|+`), and a comment follows.
fn ends_empty_before_comment(at: &Scalar, text: &str) -> bool {
    let next = text.get(at.span.end()..).unwrap_or_default();
    text.get(at.span.range())
        .is_some_and(|block| block.trim_end_matches('\r').ends_with('\n'))
        && next.trim_start().starts_with('#')
}

/// How much of a text, from the end of a line on, is line breaks before the last one of the empty lines that follow.
fn empty_lines(text: &str) -> usize {
    let breaks = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let last = text.get(..breaks).and_then(|breaks| breaks.rfind('\n'));
    last.map_or(0, |last| {
        let carriage = text
            .get(..last)
            .is_some_and(|before| before.ends_with('\r'));
        last - usize::from(carriage)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_text_is_quoted_as_the_reference_does() {
        for (string, text) in [
            ("plain", "plain"),
            ("a b", "a b"),
            ("it's", "it's"),
            ("x\\y", "x\\y"),
            ("-x", "-x"),
            ("a, b", "a, b"),
            ("1", "\"1\""),
            ("true", "\"true\""),
            ("y", "\"y\""),
            ("1:20", "\"1:20\""),
            ("~", "\"~\""),
            ("", "\"\""),
            ("1:60", "1:60"),
            ("2001-01-01", "\"2001-01-01\""),
            ("# c", "'# c'"),
            ("- x", "'- x'"),
            ("a: b", "'a: b'"),
            ("a:", "'a:'"),
            ("a #b", "'a #b'"),
            (" a", "' a'"),
            ("'q", "'''q'"),
            ("---x", "'---x'"),
            ("a\tb", "\"a\\tb\""),
            ("😀", "\"\\U0001F600\""),
            ("é", "é"),
            ("\u{85}", "\"\\N\""),
            ("0o8", "0o8"),
        ] {
            assert_eq!(key_or_value(string), text, "{string:?}");
        }
    }
}
