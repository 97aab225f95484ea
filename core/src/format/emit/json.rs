//! A tree as JSON, as the reference writes it: keys in order, a tab a level, comments left out.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::entries;
use crate::error::{Error, ErrorCode};
use crate::number;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// How far a level is indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indent {
    /// So many spaces; none still gives a line to each value.
    Spaces(usize),
    /// A tab, as the reference does where nothing else is asked for.
    Tab,
}

/// The text of a tree, with a line break at its end.
///
/// # Errors
/// `value-not-representable` for NaN and the infinities.
pub(crate) fn json(node: &Node, indent: Indent) -> Result<String, Error> {
    let mut writer = Writer {
        out: String::new(),
        step: match indent {
            Indent::Tab => "\t".to_owned(),
            Indent::Spaces(count) => " ".repeat(count),
        },
        levels: Vec::new(),
    };
    writer.node(node)?;
    while let Some(level) = writer.levels.last_mut() {
        match level.next() {
            Some((entry, first)) => writer.entry(entry, first)?,
            None => writer.close(),
        }
    }
    writer.out.push('\n');
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    step: String,
    levels: Vec<Level<'a>>,
}

/// An open collection.
struct Level<'a> {
    rest: core::slice::Iter<'a, Entry>,
    end: char,
    is_empty: bool,
}

impl<'a> Level<'a> {
    /// The next entry that is no comment, and whether it is the first.
    fn next(&mut self) -> Option<(&'a Entry, bool)> {
        let entry = self
            .rest
            .find(|entry| matches!(entry, Entry::Item { .. }))?;
        Some((entry, core::mem::take(&mut self.is_empty)))
    }
}

impl<'a> Writer<'a> {
    fn entry(&mut self, entry: &'a Entry, first: bool) -> Result<(), Error> {
        if !first {
            self.out.push(',');
        }
        self.line();
        let Entry::Item { key, node } = entry else {
            return Ok(());
        };
        if let Some(key) = key {
            string(&mut self.out, key);
            self.out.push_str(": ");
        }
        self.node(node)
            .map_err(|error| error.at_path(key.as_deref().unwrap_or("a list")))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), Error> {
        let (start, end) = match node {
            Node::Leaf(value) => return scalar(&mut self.out, value),
            Node::List(_) => ('[', ']'),
            Node::Mapping(_) => ('{', '}'),
        };
        self.out.push(start);
        self.levels.push(Level {
            rest: entries(node).iter(),
            end,
            is_empty: true,
        });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(level) = self.levels.pop() {
            if !level.is_empty {
                self.line();
            }
            self.out.push(level.end);
        }
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in &self.levels {
            self.out.push_str(&self.step);
        }
    }
}

fn scalar(out: &mut String, value: &Value) -> Result<(), Error> {
    match value {
        Value::Boolean(true) => out.push_str("true"),
        Value::Boolean(false) => out.push_str("false"),
        Value::Bytes(bytes) => {
            // Go tells each byte that is no text by a character of its own.
            let mut text = String::new();
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
            }
            string(out, &text);
        }
        Value::Float(float) if !float.is_finite() => {
            return Err(Error::input(
                ErrorCode::ValueNotRepresentable,
                "JSON has no number for infinity or what is no number; put it in quotes, or ask for YAML",
            ));
        }
        Value::Float(float) => out.push_str(&number::json(*float)),
        Value::Integer(integer) => out.push_str(&integer.to_string()),
        Value::Null => out.push_str("null"),
        Value::String(text) | Value::Time(text) => string(out, text),
    }
    Ok(())
}

/// Quoted as Go does, which also escapes what HTML takes for markup.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
