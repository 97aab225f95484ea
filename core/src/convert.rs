//! A plain document in another format, or in its own as the reference lays it out.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::document::{Document, Plain};
use crate::error::Error;
use crate::format::emit::{self, Indent};
use crate::format::{Format, dotenv, flat, ini};
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
    /// How many documents the text has that another format than YAML has no place for.
    pub fn left_out_in(&self, to: Format) -> usize {
        match to {
            Format::Yaml => 0,
            _ => self.roots().len().saturating_sub(1),
        }
    }

    /// As [`Self::converted`], for what goes in the place of this text.
    ///
    /// # Errors
    /// `value-not-representable` also for a text of several documents, where the format holds one.
    pub fn converted_whole(
        &self,
        to: Format,
        indentation: Indentation,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self.left_out_in(to) {
            0 => self.converted(to, indentation),
            _ => Err(Error::input(
                crate::error::ErrorCode::ValueNotRepresentable,
                "the text has several documents, and the other format holds one; keep it in YAML, or split it",
            )),
        }
    }

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
            return Ok(self.content().into_owned());
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

/// A name and its text, as a program's environment takes them.
pub type Variable = (String, Zeroizing<Vec<u8>>);

impl Document<Plain> {
    /// The top keys of the first document as variables of an environment, with the texts that the reference gives them.
    /// A key may stand twice.
    ///
    /// # Errors
    /// `value-not-representable` for lists and mappings, names with `=`, and NUL; `limit-exceeded`.
    pub fn variables(&self) -> Result<Vec<Variable>, Error> {
        let trees = self.trees()?;
        let items = trees.first().into_iter().flat_map(Node::items);
        items
            .map(|(key, node)| {
                let name = key.unwrap_or_default();
                variable(name, node).map_err(|error| error.at_path(name))
            })
            .collect()
    }
}

fn variable(name: &str, node: &Node) -> Result<Variable, Error> {
    let text = match node {
        Node::Leaf(Value::Bytes(bytes)) => bytes.as_ref().clone(),
        Node::Leaf(value) => Zeroizing::new(flat::text(value)?.as_bytes().to_vec()),
        Node::List(_) | Node::Mapping(_) => {
            return Err(flat::not_representable(
                "a list or mapping stands here, and a variable is one text; give the program the document as a file",
            ));
        }
    };
    if name.contains(['=', '\0']) || text.contains(&0) {
        return Err(flat::not_representable(
            "no variable has a name with = in it, or holds the character NUL; give the program the document as a file",
        ));
    }
    Ok((name.to_owned(), text))
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
        Format::Binary if trees.len() > 1 => {
            return Err(Error::input(
                crate::error::ErrorCode::ValueNotRepresentable,
                "a binary file is one document, and the text has several; choose another format",
            ));
        }
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
        Some(value @ (Value::String(_) | Value::Bytes(_))) => Ok(value.plaintext().into_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::limits::Limits;

    fn variables(text: &str) -> Result<Vec<Variable>, Error> {
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default());
        document.unwrap().variables()
    }

    #[test]
    fn values_become_variables_with_the_texts_of_the_reference() {
        for (value, text) in [
            ("one", "one"),
            ("\"a\\nb\"", "a\nb"),
            ("\"\"", ""),
            ("42", "42"),
            ("0x10", "16"),
            ("1.0", "1.0"),
            ("-0.5", "-0.5"),
            ("1e6", "1E+06"),
            ("1.5e-7", "1.5E-07"),
            ("100000.0", "100000.0"),
            ("123456789.5", "1.234567895E+08"),
            ("1e21", "1E+21"),
            (".inf", "+Inf"),
            (".nan", "NaN"),
            ("true", "true"),
            ("False", "false"),
            ("null", "<nil>"),
            ("2001-12-14", "2001-12-14T00:00:00Z"),
            ("2001-12-14T21:59:43.1-05:00", "2001-12-14T21:59:43-05:00"),
            ("!!binary aGk=", "hi"),
        ] {
            let found = variables(&alloc::format!("# before\na: {value} # after\n")).unwrap();
            let [(name, is)] = found.as_slice() else {
                panic!("{value}: {} variables", found.len())
            };
            assert_eq!(name, "a");
            assert_eq!(core::str::from_utf8(is).unwrap(), text, "{value}");
        }
        assert_eq!(variables("a: !!binary /w==\n").unwrap()[0].1[..], [0xff]);
    }

    #[test]
    fn only_the_first_document_gives_variables() {
        let found = variables("a: 1\nb: 2\n---\nc: 3\n").unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(variables("{}\n").unwrap().len(), 0);
    }

    #[test]
    fn what_no_variable_can_hold_is_refused_by_its_key() {
        for text in ["k: {}", "k: [1]", "k: {a: 1}", "k: \"x\\0y\"", "\"k=x\": 1"] {
            let error = variables(&alloc::format!("{text}\n")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValueNotRepresentable, "{text}");
            assert!(alloc::format!("{error}").starts_with('k'), "{error}");
        }
    }
}
