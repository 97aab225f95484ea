//! dotenv: `KEY=value` lines, `#` lines and empty lines, as the reference reads them.
//!
//! Nothing is trimmed or unquoted: what stands before the first `=` is the key, what follows it the value, a carriage
//! return included. The two characters `\n` of a value are a line break (SOPS 3.11, `stores/dotenv`). Metadata are
//! keys that begin with `sops_`.

#![allow(
    dead_code,
    unused_imports,
    reason = "the documents of all formats that call this come next"
)]

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Edit;
use super::flat;
use super::parts::{Collection, Comment, Item, Parsed, Root, Scalar, Style, TopKey};
use crate::error::{Error, ErrorCode};
use crate::limits::Limits;
use crate::path::{Path, Segment};
use crate::tree::{Entry, Node};
use crate::value::Value;

/// What the keys of the block begin with.
const PREFIX: &str = "sops_";

/// Reads a text.
///
/// # Errors
/// `dotenv-syntax` for a line without `=`, `limit-exceeded`.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Parsed, Error> {
    let mut root = Root {
        end: text.len(),
        collections: vec![Collection {
            path: Path::default(),
            start: 0,
            items: None,
        }],
        ..Root::default()
    };
    let mut nodes = 0;
    let mut start = 0;
    for (number, line) in (1..).zip(text.split('\n')) {
        let end = start + line.len();
        if let Some(comment) = line.strip_prefix('#') {
            nodes += 1;
            root.items.push(Item::Comment(Comment {
                path: Path::default(),
                span: start..end,
                line: number,
                text: comment.to_owned(),
            }));
        } else if let Some((key, value)) = line.split_once('=') {
            nodes += 2;
            check_sizes(key, value, limits).map_err(|error| error.at_line(number))?;
            root.has_content = true;
            pair(&mut root, key, value, start..end, number);
        } else if !line.is_empty() {
            return Err(syntax(line).at_line(number));
        }
        if nodes > limits.nodes {
            return Err(Error::input(
                ErrorCode::LimitExceeded,
                format!(
                    "the text has more than {} keys, values and comments; split it",
                    limits.nodes
                ),
            )
            .at_line(number));
        }
        start = end + 1;
    }
    Ok(Parsed {
        documents: vec![root],
        obstacles: Vec::new(),
    })
}

/// What to replace so that a sealed value stands where the value stood.
pub(crate) fn sealed(enc: &str, at: &Scalar) -> Vec<Edit> {
    vec![(at.span.clone(), enc.to_owned())]
}

/// What to replace so that a sealed comment stands where the comment stood.
pub(crate) fn sealed_comment(enc: &str, at: &Comment) -> Vec<Edit> {
    vec![(at.span.clone(), format!("#{enc}"))]
}

/// What to replace so that an opened value stands where its sealed form stood.
///
/// # Errors
/// `value-not-representable` for bytes that are no text.
pub(crate) fn opened(value: &Value, at: &Scalar) -> Result<Vec<Edit>, Error> {
    let text = value_text(value).map_err(|error| error.at_line(at.line).at_path(&at.path))?;
    Ok(vec![(at.span.clone(), text)])
}

/// What to replace so that an opened comment stands where its sealed form stood.
pub(crate) fn opened_comment(text: &str, at: &Comment) -> Vec<Edit> {
    vec![(at.span.clone(), comment_text(text))]
}

/// What to insert so that the block stands at the end of the text: its keys sorted by bytes.
pub(crate) fn insertion(text: &str, root: &Root, metadata: &Node) -> Edit {
    let mut pairs = flat::flatten(metadata);
    pairs.sort();
    let lines: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{PREFIX}{key}={value}"))
        .collect();
    let lines = lines.join("\n");
    let before = text.get(..root.end).unwrap_or(text);
    // A text without a last line break ends without one behind the block, too: so it can be told afterwards.
    let block = if before.is_empty() || before.ends_with('\n') {
        lines + "\n"
    } else {
        format!("\n{lines}")
    };
    (root.end..root.end, block)
}

/// What to replace so that the text goes on without its block, wherever the block's lines stand; `None` without one.
pub(crate) fn removal(text: &str, root: &Root) -> Option<Vec<Edit>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for key in &root.keys {
        if !key.name.starts_with(PREFIX) {
            continue;
        }
        let end = text.len().min(key.end + 1);
        match runs.last_mut() {
            Some(run) if run.end == key.start => run.end = end,
            _ => runs.push(key.start..end),
        }
    }
    let last = runs.last_mut()?;
    if last.end == text.len() && !text.ends_with('\n') {
        last.start = last.start.saturating_sub(1);
    }
    Some(runs.into_iter().map(|run| (run, String::new())).collect())
}

/// Whether an item belongs to the block.
pub(crate) fn in_block(path: &Path) -> bool {
    matches!(path.segments().first(), Some(Segment::Key(key)) if key.starts_with(PREFIX))
}

/// The leaves of the block, each with its path below `sops` and its line.
pub(crate) fn block_leaves(root: &Root) -> Vec<(Path, Value, usize)> {
    let pairs = root.items.iter().filter_map(|item| match item {
        Item::Scalar(scalar) => {
            let key = scalar.path.last_key()?.strip_prefix(PREFIX)?;
            Some((key, &scalar.value, scalar.line))
        }
        Item::Comment(_) => None,
    });
    flat::unflatten(pairs)
}

/// A tree in the layout of the reference.
///
/// # Errors
/// `value-not-representable` for lists and mappings, bytes that are no text, and keys that would not read back.
pub(crate) fn emit(tree: &Node) -> Result<String, Error> {
    let Node::Mapping(entries) = tree else {
        return Err(flat::not_representable(
            "the document is no mapping at the top, which dotenv cannot hold; take YAML or JSON",
        ));
    };
    let mut text = String::new();
    for entry in entries {
        let line = match entry {
            Entry::Comment(comment) => comment_text(comment),
            Entry::Item { key, node } => {
                let key = key.as_deref().unwrap_or_default();
                pair_text(key, node).map_err(|error| error.at_path(key))?
            }
        };
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn pair(root: &mut Root, key: &str, value: &str, line: Range<usize>, number: usize) {
    let name: Arc<str> = key.into();
    root.keys.push(TopKey {
        name: name.clone(),
        start: line.start,
        end: line.end,
        line: number,
    });
    root.items.push(Item::Scalar(Scalar {
        path: Path::default().child(Segment::Key(name)),
        span: line.end - value.len()..line.end,
        line: number,
        style: Style::Plain,
        flow: false,
        column: 0,
        tag: None,
        value: Value::string(&value.replace("\\n", "\n")),
    }));
}

fn check_sizes(key: &str, value: &str, limits: &Limits) -> Result<(), Error> {
    let message = if key.len() > limits.key_bytes {
        format!("a key has more than {} bytes; shorten it", limits.key_bytes)
    } else if value.len() > limits.scalar_bytes {
        format!("a value has more than {} bytes", limits.scalar_bytes)
    } else {
        return Ok(());
    };
    Err(Error::input(ErrorCode::LimitExceeded, message))
}

fn syntax(line: &str) -> Error {
    let message = if line.trim().is_empty() {
        "the line holds blanks, or the carriage return of a Windows line break, and nothing else, which sops cannot read; empty it"
    } else {
        "the line is neither KEY=value nor a comment; put an = behind the key, or # in the first column"
    };
    Error::input(ErrorCode::DotenvSyntax, message)
}

/// A comment's further lines, which it cannot have here, become comments of their own.
fn comment_text(text: &str) -> String {
    format!("#{}", text.replace('\n', "\n#"))
}

fn value_text(value: &Value) -> Result<String, Error> {
    let text = flat::text(value)?;
    Ok(text.replace('\n', "\\n"))
}

fn pair_text(key: &str, node: &Node) -> Result<String, Error> {
    let Node::Leaf(value) = node else {
        return Err(flat::not_representable(
            "a list or mapping stands here, which dotenv cannot hold; take YAML or JSON",
        ));
    };
    if key.starts_with('#') || key.contains(['=', '\n']) {
        return Err(flat::not_representable(
            "the key holds a = or line break, or begins with #, so that dotenv would read another one; rename it",
        ));
    }
    Ok(format!("{key}={}", value_text(value)?))
}
