//! Setting and taking away a part of a plain document, as edits of its text: what is not touched stays as it is.
//!
//! The tree tells what shall come out; `brackets` and `lines` find the bytes to replace. The new text is parsed and compared with that
//! tree, and where it says something else, or no edit is known, the document is laid out anew from the tree.

mod brackets;
mod lines;

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::convert::{self, Indentation};
use crate::document::{Document, Plain, splice};
use crate::error::{Error, ErrorCode};
use crate::format::emit::Indent;
use crate::format::parts::Item;
use crate::format::yaml::write::Caution;
use crate::format::{Edit, Format, flat, yaml};
use crate::path::Segment;
use crate::tree::at::TreePath;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// Puts a value at a path of the first document; gives the new text.
///
/// Missing keys and the collections on the way are added, an index past a list's end appends, and a value in the way gives
/// way to a collection, as with the reference.
///
/// # Errors
/// `tree-path-missing` when a list on the way is asked for a key, or a mapping for an item; `tree-path-invalid` for the
/// whole document or its `sops` block; `value-not-representable`, `limit-exceeded`.
pub fn set(
    document: &Document<Plain>,
    path: &TreePath,
    value: &Node,
) -> Result<Zeroizing<String>, Error> {
    let change = Change::new(document, path)?;
    let value = &match document.format() {
        Format::Dotenv | Format::Ini => as_text(value)?,
        _ => value.clone(),
    };
    let mut wanted = change.before.clone();
    if wanted.is_empty() {
        wanted.push(Node::Mapping(Vec::new()));
    }
    for first in wanted.iter_mut().take(1) {
        first.set(path, value.clone())?;
    }
    change.made(&wanted, Some(value))
}

/// Takes away what stands at a path of the first document; gives the new text. The comment lines right above an entry go
/// with it.
///
/// # Errors
/// `tree-path-missing`; `tree-path-invalid` for the whole document; `value-not-representable` when the format has no text
/// for what is left.
pub fn unset(document: &Document<Plain>, path: &TreePath) -> Result<Zeroizing<String>, Error> {
    let change = Change::new(document, path)?;
    let mut wanted = change.before.clone();
    let empty = &mut Node::Mapping(Vec::new());
    wanted.first_mut().unwrap_or(empty).unset(path)?;
    change.made(&wanted, None)
}

/// A value, or a section of values, as a format has it that knows text alone.
fn as_text(node: &Node) -> Result<Node, Error> {
    Ok(match node {
        Node::Leaf(value) => Node::Leaf(Value::String(flat::text(value)?)),
        Node::Mapping(entries) => {
            let leaf = |entry: &Entry| {
                Ok(match entry {
                    Entry::Item {
                        key,
                        node: Node::Leaf(value),
                    } => Entry::Item {
                        key: key.clone(),
                        node: Node::Leaf(Value::String(flat::text(value)?)),
                    },
                    other => other.clone(),
                })
            };
            Node::Mapping(entries.iter().map(leaf).collect::<Result<_, Error>>()?)
        }
        Node::List(_) => node.clone(),
    })
}

struct Change<'a> {
    document: &'a Document<Plain>,
    path: &'a TreePath,
    before: Vec<Node>,
}

impl<'a> Change<'a> {
    fn new(document: &'a Document<Plain>, path: &'a TreePath) -> Result<Self, Error> {
        let refused = |message| Err(Error::configuration(ErrorCode::TreePathInvalid, message));
        match path.steps().first() {
            None => {
                return refused(
                    "the tree path names the whole document; name a key, as in [\"key\"]",
                );
            }
            Some(Segment::Key(key)) if document.format().is_block_key(key) => {
                return refused(
                    "the tree path names the part that is kept for sops itself; choose another key",
                );
            }
            Some(_) => {}
        }
        Ok(Self {
            document,
            path,
            before: document.trees()?,
        })
    }

    /// The text of the documents wanted. `value` is what shall stand at the path, `None` to take away what does.
    fn made(&self, wanted: &[Node], value: Option<&Node>) -> Result<Zeroizing<String>, Error> {
        let text = self.document.text();
        if value.is_some() && says(&self.before, wanted) {
            return Ok(Zeroizing::new(text.to_owned()));
        }
        for caution in [Caution::Keep, Caution::Quote] {
            let Some(edits) = self.edits(value, caution) else {
                continue;
            };
            let comments = self.comments_left(&edits);
            let changed = Zeroizing::new(splice(text, edits));
            if let Ok(again) = self.parse(&changed)
                && again.trees().is_ok_and(|trees| says(&trees, wanted))
                && comments_of(&again).eq(comments)
            {
                return Ok(changed);
            }
        }
        let bytes = convert::written(wanted, self.document.format(), self.indentation())?;
        let changed = core::str::from_utf8(&bytes).map_err(|_| {
            Error::input(
                ErrorCode::ValueNotRepresentable,
                "what is not text cannot be edited; replace the file",
            )
        })?;
        let again = self.parse(changed).map_err(|error| match error.code() {
            ErrorCode::LimitExceeded => error,
            code => Error::bug(alloc::format!(
                "the edited text does not parse ({})",
                code.as_str()
            )),
        })?;
        if !says(&again.trees()?, wanted) {
            return Err(Error::bug("the edited text says something else"));
        }
        Ok(Zeroizing::new(changed.to_owned()))
    }

    fn parse(&self, text: &str) -> Result<Document<Plain>, Error> {
        let format = self.document.format();
        Document::<Plain>::parse_as(format, text.as_bytes(), self.document.limits())
    }

    /// What to replace in the text; `None` where no way is known.
    fn edits(&self, value: Option<&Node>, caution: Caution) -> Option<Vec<Edit>> {
        let (text, format) = (self.document.text(), self.document.format());
        let (root, steps) = (self.document.roots().first()?, self.path.steps());
        let scalar = root.items.iter().find_map(|item| match item {
            Item::Scalar(scalar) if scalar.path.segments() == steps => Some(scalar),
            _ => None,
        });
        match (format, value, scalar) {
            (Format::Binary, ..) => None,
            (Format::Yaml, ..) => {
                brackets::Site::new(text, root, steps, None).edits(value, caution)
            }
            (_, Some(Node::Leaf(value)), Some(scalar)) => {
                format.opened(value, scalar, text, caution).ok()
            }
            (Format::Json, ..) => {
                let parsed = yaml::parse::parse(text, self.document.limits()).ok()?;
                let indent = self.indentation().json;
                let indent = indent.map_or(Indent::Tab, Indent::Spaces);
                let root = parsed.documents.first()?;
                brackets::Site::new(text, root, steps, Some(indent)).edits(value, caution)
            }
            (Format::Dotenv | Format::Ini, ..) => lines::edits(format, text, root, steps, value),
        }
    }

    /// The comments that edits leave in the text.
    fn comments_left<'b>(&'b self, edits: &[Edit]) -> impl Iterator<Item = &'b str> + use<'b> {
        let gone: Vec<_> = edits.iter().map(|(range, _)| range.clone()).collect();
        self.document
            .comments()
            .filter(move |(_, comment)| {
                let at = comment.span.start;
                !gone.iter().any(|range| range.contains(&at))
            })
            .map(|(_, comment)| comment.text.as_str())
    }

    /// How the text is indented.
    fn indentation(&self) -> Indentation {
        let mut indentation = Indentation::default();
        match self.document.format() {
            Format::Json => {
                let mut lines = self.document.text().lines().skip(1);
                let line = lines
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let blanks = line.len() - line.trim_start_matches(' ').len();
                indentation.json = (blanks > 0).then_some(blanks);
            }
            Format::Yaml => {
                let root = self.document.roots().first();
                indentation.yaml = root.map(brackets::indent);
            }
            _ => {}
        }
        indentation
    }
}

fn comments_of(document: &Document<Plain>) -> impl Iterator<Item = &str> {
    document
        .comments()
        .map(|(_, comment)| comment.text.as_str())
}

/// Whether two texts hold the same values; comments aside, which go where the text has room for them.
fn says(some: &[Node], others: &[Node]) -> bool {
    let mut pairs: Vec<(&Node, &Node)> = some.iter().zip(others).collect();
    if some.len() != others.len() {
        return false;
    }
    while let Some((one, other)) = pairs.pop() {
        match (one, other) {
            (Node::Leaf(one), Node::Leaf(other)) if alike(one, other) => {}
            (Node::List(_), Node::List(_)) | (Node::Mapping(_), Node::Mapping(_)) => {
                if one.items().count() != other.items().count() {
                    return false;
                }
                for ((key, one), (name, other)) in one.items().zip(other.items()) {
                    if key != name {
                        return false;
                    }
                    pairs.push((one, other));
                }
            }
            _ => return false,
        }
    }
    true
}

/// A number without a fraction may be of either type, depending on the format.
fn alike(one: &Value, other: &Value) -> bool {
    let is_number = |value: &Value| matches!(value, Value::Float(_) | Value::Integer(_));
    one == other || is_number(one) && is_number(other) && one.plaintext() == other.plaintext()
}
