//! A tree as text, laid out as the reference lays it out: for conversion between formats and for what an edit puts in.
//! A document that is only opened or edited is never written this way, see [`crate::document`].

pub(crate) mod json;
pub(crate) mod yaml;

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::Format;
use crate::error::{Error, ErrorCode};
use crate::tree::{Entry, Node};
use crate::value::Value;

pub(crate) use json::{Indent, json};
pub(crate) use yaml::{yaml, yaml_as_reference};

/// What `--extract` prints of a tree: text as it is, without a line break; anything else in the output's format.
pub(crate) fn extracted(node: &Node, format: Format) -> Result<Zeroizing<Vec<u8>>, Error> {
    let refused = |message| Err(Error::input(ErrorCode::ValueNotRepresentable, message));
    let text = match (node, format) {
        (Node::Leaf(Value::String(text)), _) => text.as_str().to_owned(),
        (Node::Leaf(Value::Bytes(bytes)), _) => return Ok(bytes.as_ref().clone()),
        (_, Format::Yaml) => yaml_as_reference(core::slice::from_ref(node), DEFAULT_INDENT)?,
        (Node::Mapping(_), Format::Json) => json(node, Indent::Tab)?,
        (_, Format::Json) | (Node::Leaf(_), Format::Ini) => {
            json::json_at(node, Indent::Tab, "")?.as_str().to_owned()
        }
        (Node::Leaf(_), _) => {
            return refused("only text can be taken out in this format; ask for YAML or JSON");
        }
        (Node::List(_) | Node::Mapping(_), _) => {
            return refused(
                "a list or mapping cannot be taken out in this format; ask for YAML or JSON",
            );
        }
    };
    Ok(Zeroizing::new(text.into_bytes()))
}

/// Columns that the reference indents YAML by.
pub(crate) const DEFAULT_INDENT: usize = 4;

/// Whether a collection holds nothing but comments.
fn is_bare(entries: &[Entry]) -> bool {
    entries
        .iter()
        .all(|entry| matches!(entry, Entry::Comment(_)))
}
