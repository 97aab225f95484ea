//! The `sops` block in YAML: its text, and where it stands.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::ops::Range;

use super::block::line_start;
use super::write;
use crate::format::Edit;
use crate::format::parts::{Item, Root, Style};
use crate::tree::Node;
use crate::value::Value;

/// The top key of the block.
pub(crate) const KEY: &str = "sops";

/// Writes the block as the reference does: four columns a level, ending in a line break.
/// `column` is that of the mapping it joins.
fn render(block: &Node, column: usize) -> String {
    let mut lines = Lines {
        text: String::new(),
        indent: column,
        step: STEP,
    };
    lines.line(&format!("{KEY}:"));
    lines.indent += STEP;
    lines.mapping(block, false);
    lines.text
}

/// Fields of the block in a layout that has other columns.
#[cfg(feature = "formats")]
pub(super) fn fields(fields: &Node, column: usize, step: usize) -> String {
    let mut lines = Lines {
        text: String::new(),
        indent: column,
        step,
    };
    lines.mapping(fields, false);
    lines.text
}

const STEP: usize = 4;

/// Columns of a dash and its blank.
const DASH: usize = 2;

struct Lines {
    text: String,
    indent: usize,
    /// Columns of a level.
    step: usize,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.extend(core::iter::repeat_n(' ', self.indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// `in_list`: the first line stands behind a dash, the others under it.
    fn mapping(&mut self, node: &Node, in_list: bool) {
        // What stands under a key of a list's mapping is told from the dash, but must lie behind the key.
        let step = match in_list {
            true if self.step <= DASH => DASH + self.step,
            _ => self.step,
        };
        for (at, (key, node)) in node.items().enumerate() {
            let key = write::key_or_value(key.unwrap_or_default());
            let key = match (in_list, at) {
                (true, 0) => format!("- {key}"),
                (true, _) => format!("  {key}"),
                (false, _) => key,
            };
            match node {
                Node::Leaf(value) => self.leaf(&key, value, step),
                Node::List(entries) if entries.is_empty() => self.line(&format!("{key}: []")),
                Node::Mapping(entries) if entries.is_empty() => self.line(&format!("{key}: {{}}")),
                Node::List(_) | Node::Mapping(_) => {
                    self.line(&format!("{key}:"));
                    self.indent += step;
                    match node {
                        Node::Mapping(_) => self.mapping(node, false),
                        _ => self.list(node),
                    }
                    self.indent -= step;
                }
            }
        }
    }

    fn list(&mut self, node: &Node) {
        for (_, node) in node.items() {
            match node {
                Node::Leaf(value) => self.line(&format!("- {}", scalar(value))),
                Node::List(_) => self.line("- []"),
                Node::Mapping(_) => self.mapping(node, true),
            }
        }
    }

    fn leaf(&mut self, key: &str, value: &Value, step: usize) {
        match value.as_str() {
            Some(text) if text.contains('\n') => {
                let chomp = if text.ends_with('\n') { "" } else { "-" };
                self.line(&format!("{key}: |{chomp}"));
                self.indent += step;
                for line in text.lines() {
                    self.line(line);
                }
                self.indent -= step;
            }
            _ => self.line(&format!("{key}: {}", scalar(value))),
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Boolean(true) => "true".into(),
        Value::Boolean(false) => "false".into(),
        Value::Bytes(_) | Value::Null => "null".into(),
        Value::Float(number) => crate::number::yaml(*number),
        Value::Integer(number) => number.to_string(),
        Value::String(text) => write::key_or_value(text),
        Value::Time(text) => write::double(text),
    }
}

/// Bytes of the block in one document, whole lines; `None` when the document has none.
///
/// At the end of a text without a last line break the block takes the break before it along, as
/// [`insertion`] put it there; but not from a block text that ends with it, which somebody's editor took the last line
/// break behind.
pub(crate) fn find(text: &str, root: &Root) -> Option<Range<usize>> {
    let key = root.keys.iter().find(|key| key.name.as_ref() == KEY)?;
    let start = line_start(text, key.start);
    let last = key.end;
    let rest = text.get(last..)?;
    match rest.find('\n') {
        Some(newline) => Some(start..last + newline + 1),
        None if ends_with_break(text, root, start) => Some(start..text.len()),
        None => Some(start - before_newline(text, start)..text.len()),
    }
}

/// Whether the last value before a place is a block text to which the line break there belongs.
fn ends_with_break(text: &str, root: &Root, at: usize) -> bool {
    let before = root.items.iter().rev().find_map(|item| match item {
        Item::Scalar(scalar) if scalar.span.start() < at => Some(scalar),
        _ => None,
    });
    let block = before.filter(|scalar| scalar.style == Style::Block);
    let parts = block.and_then(|scalar| {
        let source = text.get(scalar.span.start()..at)?;
        let behind = text.get(scalar.span.end().min(at)..at)?;
        Some((source, behind))
    });
    parts.is_some_and(|(source, behind)| {
        let marks = source.chars().take_while(|c| !c.is_whitespace());
        behind.trim().is_empty() && marks.into_iter().all(|mark| mark != '-')
    })
}

/// What to replace so that a document goes on without its block. One with nothing else is written as the reference does.
pub(crate) fn removal(text: &str, root: &Root) -> Option<Edit> {
    let range = find(text, root)?;
    let block = text.get(range.clone())?;
    let newline = write::newline_at(text, range.start);
    let left = match root.keys.len() {
        1 if block.starts_with(['\r', '\n']) => format!("{newline}{{}}"),
        1 => format!("{{}}{newline}"),
        _ => String::new(),
    };
    Some((range, left))
}

/// The block, joined to a document.
pub(crate) fn insertion(text: &str, root: &Root, block: &Node) -> Edit {
    let newline = write::newline(text);
    let block = render(block, root.column);
    let block = if newline == "\n" {
        block
    } else {
        block.replace('\n', newline)
    };
    let at = root.end..root.end;
    let before = text.get(..root.end).unwrap_or(text);
    if before.is_empty() || before.ends_with('\n') {
        return (at, block);
    }
    let bare = block.strip_suffix(newline).unwrap_or(&block);
    (at, format!("{newline}{bare}"))
}

fn before_newline(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or("");
    if before.ends_with("\r\n") {
        2
    } else {
        usize::from(before.ends_with('\n'))
    }
}
