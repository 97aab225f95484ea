//! A plain document in another format, or in its own as the reference lays it out.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::document::{Document, Plain};
use crate::error::Error;
use crate::format::emit::{self, Indent};
use crate::format::{Format, dotenv, ini};
use crate::tree::Node;
use crate::tree::at::TreePath;
use crate::value::Value;

/// Columns a level in what is written anew; `None` for the reference's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indentation {
    /// In YAML; the reference takes 4.
    pub yaml: Option<usize>,
    /// In JSON; the reference takes a tab.
    pub json: Option<usize>,
}

impl Document<Plain> {
    /// The document in a format: its own text where that is its format, else its tree as the reference writes it. Only YAML
    /// takes more than the first of several documents, and JSON takes no comments.
    ///
    /// # Errors
    /// `value-not-representable` when the format has no text for a value; `limit-exceeded` when aliases stand for too much.
    pub fn converted(
        &self,
        to: Format,
        indentation: Indentation,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        if to == self.format() {
            return Ok(self.content());
        }
        written(&self.trees()?, to, indentation)
    }
}

impl Document<Plain> {
    /// What stands at a path of the first document: text as it is, anything else as the reference writes it.
    ///
    /// # Errors
    /// `tree-path-missing`, `value-not-representable`, `limit-exceeded`.
    pub fn extracted(&self, path: &TreePath, to: Format) -> Result<Zeroizing<Vec<u8>>, Error> {
        let trees = self.trees()?;
        let empty = Node::Mapping(Vec::new());
        trees.first().unwrap_or(&empty).at(path)?.extracted(to)
    }
}

/// Trees as the reference writes them.
///
/// # Errors
/// `value-not-representable`.
pub fn written(
    trees: &[Node],
    to: Format,
    indentation: Indentation,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let empty = Node::Mapping(Vec::new());
    let first = trees.first().unwrap_or(&empty);
    let text = match to {
        Format::Binary => return binary(first),
        Format::Dotenv => dotenv::emit(first)?,
        Format::Ini => ini::emit(first)?,
        Format::Json => emit::json(first, indentation.json.map_or(Indent::Tab, Indent::Spaces))?,
        Format::Yaml => emit::yaml_as_reference(trees, indentation.yaml.unwrap_or(4))?,
    };
    Ok(Zeroizing::new(text.into_bytes()))
}

/// A binary file has one value, under `data`.
fn binary(tree: &Node) -> Result<Zeroizing<Vec<u8>>, Error> {
    match tree.get("data").and_then(Node::value) {
        Some(value @ (Value::String(_) | Value::Bytes(_))) => Ok(value.plaintext()),
        _ => Err(Error::input(
            crate::error::ErrorCode::ValueNotRepresentable,
            "a binary file is one text under the key data, and this document is another; choose another format",
        )),
    }
}

/// The same document as the reference lays it out.
pub(crate) fn laid_out_anew(plain: &Document<Plain>) -> Result<Zeroizing<String>, Error> {
    let trees = plain.trees()?;
    if plain.format() == Format::Yaml {
        return yaml_with_room(&trees);
    }
    let bytes = written(&trees, plain.format(), Indentation::default())?;
    let text = core::str::from_utf8(&bytes).map_err(|_| Error::bug("a text became no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// YAML that takes a block: a document of nothing must not stand there as `{}`.
fn yaml_with_room(trees: &[Node]) -> Result<Zeroizing<String>, Error> {
    if trees.iter().all(|tree| tree.items().next().is_some()) {
        return emit::yaml(trees, emit::DEFAULT_INDENT).map(Zeroizing::new);
    }
    let mut all = Zeroizing::new(String::new());
    for tree in trees {
        let text = emit::yaml(core::slice::from_ref(tree), emit::DEFAULT_INDENT)?;
        let nothing = tree.items().next().is_none();
        let text = text
            .strip_suffix("{}\n")
            .filter(|_| nothing)
            .unwrap_or(&text);
        all.push_str("---\n");
        all.push_str(text);
    }
    Ok(all)
}
