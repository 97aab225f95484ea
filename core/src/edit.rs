//! Setting and taking away a part of a plain document, as edits of its text: what is not touched stays as it is.
//!
//! The tree tells what shall come out; `brackets` and `lines` find the bytes to replace. The new text is parsed and
//! compared with that tree. Where it says something else, or no edit is known, it is tried again with the aliases written
//! out that the change concerns; then the document is laid out anew.

mod aliases;
mod brackets;
mod lines;

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroizing;

use crate::convert::{self, Indentation};
use crate::document::{Document, Plain, splice};
use crate::error::{Error, ErrorCode};
use crate::format::emit::{self, Indent};
use crate::format::parts::{Item, Root};
use crate::format::yaml::write::Caution;
use crate::format::{Edit, Format, flat, yaml};
use crate::path::Segment;
use crate::tree::at::TreePath;
use crate::tree::{Entry, Node};
use crate::value::Value;

/// A text that was changed.
#[derive(Clone)]
pub struct Edited {
    /// What it is now.
    pub text: Zeroizing<String>,
    /// Whether all of it was laid out anew, since no other way was known.
    pub laid_out_anew: bool,
}

impl Deref for Edited {
    type Target = String;

    fn deref(&self) -> &String {
        &self.text
    }
}

impl fmt::Debug for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edited")
            .field("laid_out_anew", &self.laid_out_anew)
            .finish_non_exhaustive()
    }
}

/// Puts a value at a path of the first document; gives the new text.
///
/// Missing keys and the collections on the way are added, an index past a list's end appends, and a value in the way
/// makes room for a collection, as with the reference.
///
/// # Errors
/// `tree-path-missing` when a list on the way is asked for a key, or a mapping for an item; `tree-path-invalid` for the
/// whole document or its `sops` block; `value-not-representable`, `limit-exceeded`.
pub fn set(document: &Document<Plain>, path: &TreePath, value: &Node) -> Result<Edited, Error> {
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

/// Takes away what stands at a path of the first document; gives the new text. The comment lines right above an entry
/// go with it.
///
/// # Errors
/// `tree-path-missing`; `tree-path-invalid` for the whole document; `value-not-representable` when the format has no
/// text for what is left.
pub fn unset(document: &Document<Plain>, path: &TreePath) -> Result<Edited, Error> {
    let change = Change::new(document, path)?;
    let mut wanted = change.before.clone();
    let empty = &mut Node::Mapping(Vec::new());
    wanted.first_mut().unwrap_or(empty).unset(path)?;
    change.made(&wanted, None)
}

/// Where the content of a binary file stands.
const CONTENT: &str = "data";

/// A value, or a section of values, as a format has it that knows text alone.
fn as_text(node: &Node) -> Result<Node, Error> {
    Ok(match node {
        Node::Leaf(value) => Node::Leaf(Value::String(flat::text(value)?.into())),
        Node::Mapping(entries) => {
            let leaf = |entry: &Entry| {
                Ok(match entry {
                    Entry::Item {
                        key,
                        node: Node::Leaf(value),
                    } => Entry::Item {
                        key: key.clone(),
                        node: Node::Leaf(Value::String(flat::text(value)?.into())),
                    },
                    other => other.clone(),
                })
            };
            Node::Mapping(entries.iter().map(leaf).collect::<Result<_, Error>>()?)
        }
        Node::List(_) => node.clone(),
    })
}

/// A document as its text reads, whatever its values were sealed as.
fn read_back(tree: &Node, format: Format) -> Result<Node, Error> {
    let section = |entry: &Entry| {
        Ok(match entry {
            Entry::Item { key, node } => Entry::Item {
                key: key.clone(),
                node: as_text(node)?,
            },
            comment @ Entry::Comment(_) => comment.clone(),
        })
    };
    match (format, tree) {
        (Format::Dotenv, _) => as_text(tree),
        (Format::Ini, Node::Mapping(sections)) => {
            let sections = sections.iter().map(section);
            sections.collect::<Result<_, _>>().map(Node::Mapping)
        }
        _ => Ok(tree.clone()),
    }
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
            Some(first) if document.format() == Format::Binary => {
                let is_content = matches!(first, Segment::Key(key) if key.as_ref() == CONTENT);
                if !is_content || path.steps().len() > 1 {
                    return refused(
                        "the content of a binary file is at [\"data\"], and nothing else is in it",
                    );
                }
            }
            Some(_) => {}
        }
        let trees = document.trees()?;
        let trees = trees.iter().map(|tree| read_back(tree, document.format()));
        Ok(Self {
            document,
            path,
            before: trees.collect::<Result<_, Error>>()?,
        })
    }

    /// The text of the documents wanted. `value` is what shall stand at the path, `None` to take away what does.
    fn made(&self, wanted: &[Node], value: Option<&Node>) -> Result<Edited, Error> {
        let text = self.document.text();
        let in_place = if value.is_some() && says(&self.before, wanted) {
            Some(Zeroizing::new(text.to_owned()))
        } else {
            self.made_in_place(wanted, value)
        };
        if let Some(text) = in_place.or_else(|| self.made_without_aliases(wanted, value)) {
            return Ok(Edited {
                text,
                laid_out_anew: false,
            });
        }
        let changed = self.laid_out_anew(wanted)?;
        let again = self.parse(&changed).map_err(|error| match error.code() {
            ErrorCode::LimitExceeded => error,
            ErrorCode::DuplicateKey => Error::input(
                ErrorCode::DuplicateKey,
                "a key stands twice in one mapping of the value; readers disagree on which counts, so give it once",
            ),
            code => Error::bug(alloc::format!(
                "the edited text does not parse ({})",
                code.as_str()
            )),
        })?;
        if !says(&again.trees()?, wanted) {
            return Err(Error::bug("the edited text says something else"));
        }
        Ok(Edited {
            text: changed,
            // The layout of a binary file is its content.
            laid_out_anew: self.document.format() != Format::Binary,
        })
    }

    /// The text with the fewest bytes replaced; `None` where that does not say what is wanted.
    fn made_in_place(&self, wanted: &[Node], value: Option<&Node>) -> Option<Zeroizing<String>> {
        for caution in [Caution::Keep, Caution::Quote] {
            let Some(edits) = self.edits(value, caution) else {
                continue;
            };
            let comments = self.comments_left(&edits);
            let changed = Zeroizing::new(splice(self.document.text(), &edits));
            if let Ok(again) = self.parse(&changed)
                && again.trees().is_ok_and(|trees| says(&trees, wanted))
                && (self.document.roots().is_empty() || comments_of(&again).eq(comments))
            {
                return Some(changed);
            }
        }
        None
    }

    /// As [`Self::made_in_place`], in the text without the aliases that the change concerns.
    fn made_without_aliases(
        &self,
        wanted: &[Node],
        value: Option<&Node>,
    ) -> Option<Zeroizing<String>> {
        if self.document.format() != Format::Yaml {
            return None;
        }
        let (tree, steps) = (self.before.first()?, self.path.steps());
        let (text, limits) = (self.document.shared_text(), self.document.limits());
        let text = Zeroizing::new(aliases::written_out(text, limits, tree, steps)?);
        let document = &self.parse(&text).ok()?;
        let before = document.trees().ok().filter(|it| says(it, &self.before))?;
        let again = Change {
            document,
            path: self.path,
            before,
        };
        again.made_in_place(wanted, value)
    }

    fn laid_out_anew(&self, trees: &[Node]) -> Result<Zeroizing<String>, Error> {
        let indentation = self.indentation();
        if self.document.format() == Format::Yaml {
            // As it reads back: what is only shown may lose what the reference loses.
            let indent = indentation.yaml.unwrap_or(emit::DEFAULT_INDENT);
            return emit::yaml(trees, indent).map(Zeroizing::new);
        }
        let bytes = convert::written(trees, self.document.format(), indentation)?;
        let text = core::str::from_utf8(&bytes).map_err(|_| {
            Error::input(
                ErrorCode::ValueNotRepresentable,
                "what is not text cannot be edited; replace the file",
            )
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn parse(&self, text: &str) -> Result<Document<Plain>, Error> {
        let format = self.document.format();
        let again = Document::<Plain>::parse_as(format, text.as_bytes(), self.document.limits())?;
        Ok(again.with_integers_of([self.document]).unwrap_or(again))
    }

    /// What to replace in the text; `None` where no way is known.
    fn edits(&self, value: Option<&Node>, caution: Caution) -> Option<Vec<Edit>> {
        let (text, format) = (self.document.shared_text(), self.document.format());
        // A text of comments alone has no document.
        let none = Root {
            end: text.len(),
            ..Root::default()
        };
        let root = self.document.roots().first().unwrap_or(&none);
        let steps = self.path.steps();
        let scalar = root.items.iter().find_map(|item| match item {
            Item::Scalar(scalar) if scalar.path.is(steps) => Some(scalar),
            _ => None,
        });
        match (format, value, scalar) {
            (Format::Binary, ..) => None,
            (Format::Yaml, ..) => {
                let parsed = yaml::parse::parse_for_edit(text, self.document.limits()).ok()?;
                let root = parsed.documents.first().unwrap_or(&none);
                brackets::Site::new(text, root, steps, None).edits(value, caution)
            }
            (_, Some(Node::Leaf(value)), Some(scalar)) => {
                format.opened(value, scalar, text, caution).ok()
            }
            (Format::Json, ..) => {
                let parsed = yaml::parse::parse_for_edit(text, self.document.limits()).ok()?;
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
                let at = comment.span.start();
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
    one == other || is_number(one) && is_number(other) && *one.plaintext() == *other.plaintext()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    const TEXT: &str = r#"# header

# about a
a:   # inline a
  # c0
  b: 1   # inline b
  l:
  # l0
  - x
  # l1
  - y: 1
    z: 2
  - - p
    - q
s: 'hello' # inline s
n: # inline n
e: {} # inline e
blk: |- # inline blk
  one
  two
f: {a: 1, b: [x, "y"], c: }
"#;

    fn document(format: Format, text: &str) -> Document<Plain> {
        Document::<Plain>::parse_as(format, text.as_bytes(), &Limits::default()).unwrap()
    }

    fn value(text: &str) -> Node {
        let document = document(Format::Yaml, &alloc::format!("v: {text}\n"));
        document.trees().unwrap()[0].get("v").unwrap().clone()
    }

    fn changed(format: Format, text: &str, path: &str, to: Option<&str>) -> Result<String, Error> {
        let path = TreePath::parse(path).unwrap();
        let document = document(format, text);
        let text = match to {
            Some(to) => set(&document, &path, &value(to))?,
            None => unset(&document, &path)?,
        };
        Ok(text.text.as_str().to_owned())
    }

    /// That an edit changes one stretch of lines, told before and after, and nothing else.
    fn check(format: Format, text: &str, path: &str, to: Option<&str>, before: &str, after: &str) {
        assert_eq!(text.matches(before).count(), 1, "{before:?} stands once");
        let expected = text.replacen(before, after, 1);
        assert_eq!(
            changed(format, text, path, to).unwrap(),
            expected,
            "{path} {to:?}"
        );
    }

    #[test]
    fn a_value_is_replaced_in_its_place_and_its_style() {
        for (path, to, before, after) in [
            ("['s']", "it", "'hello'", "'it'"),
            ("['s']", "5", "'hello'", "5"),
            ("['s']", "'5'", "'hello'", "'5'"),
            (
                "['s']",
                "\"a\\nb\"",
                " 'hello' # inline s\n",
                " |- # inline s\n  a\n  b\n",
            ),
            (
                "['s']",
                "{p: [1]}",
                " 'hello' # inline s\n",
                " # inline s\n  p:\n    - 1\n",
            ),
            (
                "['a']['b']['z']",
                "true",
                " 1   # inline b\n",
                "   # inline b\n    z: true\n",
            ),
            ("['a']['l'][1]", "1", "- y: 1\n    z: 2\n", "- 1\n"),
            (
                "['a']['l'][0]",
                "{u: 1, v: 2}",
                "- x\n",
                "- u: 1\n    v: 2\n",
            ),
            ("['a']['l'][2][0]", "{m: 1}", "- - p\n", "- - m: 1\n"),
            ("['n']", "x", "n: # inline n", "n: x # inline n"),
            (
                "['e']['q']",
                "1",
                "e: {} # inline e\n",
                "e: # inline e\n  q: 1\n",
            ),
            (
                "['blk']",
                "\"three\\nfour\"",
                "  one\n  two\n",
                "  three\n  four\n",
            ),
            (
                "['blk']",
                "5",
                "|- # inline blk\n  one\n  two\n",
                "5 # inline blk\n",
            ),
            ("['f']['a']", "{k: x y}", "{a: 1,", "{a: {k: \"x y\"},"),
            ("['f']['c']", "x", "c: }", "c: x }"),
        ] {
            check(Format::Yaml, TEXT, path, Some(to), before, after);
        }
    }

    #[test]
    fn what_is_missing_is_added_at_the_end_of_its_collection() {
        for (path, to, before, after) in [
            ("['a']['z']", "1", "    - q\n", "    - q\n  z: 1\n"),
            (
                "['a']['l'][9]",
                "[1, {k: v}]",
                "    - q\n",
                "    - q\n  - - 1\n    - k: v\n",
            ),
            (
                "['a']['l'][1]['w']['q']",
                "t",
                "    z: 2\n",
                "    z: 2\n    w:\n      q: t\n",
            ),
            ("['f']['b'][7]", "z", "\"y\"]", "\"y\", z]"),
            ("['f']['d']", "z", "c: }", "c:, d: z }"),
            (
                "['new']['p'][0]['q']",
                "'z: 1'",
                "c: }\n",
                "c: }\nnew:\n  p:\n    - q: 'z: 1'\n",
            ),
        ] {
            check(Format::Yaml, TEXT, path, Some(to), before, after);
        }
        for (before, after) in [
            ("", "a: 1\n"),
            ("# c\n", "# c\na: 1\n"),
            ("b: 2", "b: 2\na: 1"),
            ("b: 2\n---\nb: 3\n", "b: 2\na: 1\n---\nb: 3\n"),
            ("b:\r\n  c: 1\r\n", "b:\r\n  c: 1\r\na: 1\r\n"),
            ("b: 2\n...\n", "b: 2\na: 1\n...\n"),
        ] {
            let changed = changed(Format::Yaml, before, "['a']", Some("1")).unwrap();
            assert_eq!(changed, after, "{before:?}");
        }
    }

    #[test]
    fn what_goes_takes_the_comments_above_it_along() {
        for (path, before, after) in [
            ("['s']", "s: 'hello' # inline s\n", ""),
            ("['a']['b']", "  # c0\n  b: 1   # inline b\n", ""),
            ("['a']['l'][0]", "  # l0\n  - x\n", ""),
            ("['a']['l'][1]", "  # l1\n  - y: 1\n    z: 2\n", ""),
            ("['a']['l'][1]['y']", "- y: 1\n    z: 2\n", "- z: 2\n"),
            ("['a']['l'][1]['z']", "    z: 2\n", ""),
            ("['a']['l'][2][0]", "- - p\n    - q\n", "- - q\n"),
            ("['blk']", "blk: |- # inline blk\n  one\n  two\n", ""),
            ("['f']['a']", "{a: 1, b", "{b"),
            ("['f']['b'][1]", "[x, \"y\"]", "[x]"),
        ] {
            check(Format::Yaml, TEXT, path, None, before, after);
        }
        for (before, path, after) in [
            ("# file\na: 1\nb: 2\n", "['a']", "# file\nb: 2\n"),
            ("# c\na: 1\n", "['a']", "# c\n{}\n"),
            ("a:\n  # c\n  b: 1\nd: 2\n", "['a']['b']", "a: {}\nd: 2\n"),
            ("a:\n  - 1\nd: 2\n", "['a'][0]", "a: []\nd: 2\n"),
        ] {
            let changed = changed(Format::Yaml, before, path, None).unwrap();
            assert_eq!(changed, after, "{before:?}");
        }
    }

    #[test]
    fn json_keeps_its_layout() {
        let text = "{\n\t\"a\": {\"b\": 1, \"c\": [1, 2]},\n\t\"d\": \"x\",\n\t\"e\": {}\n}\n";
        for (path, to, before, after) in [
            ("['d']", Some("y<"), "\"x\"", "\"y\\u003c\""),
            ("['a']['c'][1]", Some("5"), ", 2]", ", 5]"),
            (
                "['a']['z']",
                Some("{q: 1}"),
                "2]}",
                "2], \"z\": {\"q\": 1}}",
            ),
            ("['e']['q']", Some("1"), "{}", "{\n\t\t\"q\": 1\n\t}"),
            ("['new']", Some("null"), "{}\n", "{},\n\t\"new\": null\n"),
            ("['d']", None, "\t\"d\": \"x\",\n", ""),
            ("['e']", None, ",\n\t\"e\": {}", ""),
            ("['a']['b']", None, "\"b\": 1, ", ""),
        ] {
            check(Format::Json, text, path, to, before, after);
        }
    }

    #[test]
    fn dotenv_and_ini_change_by_lines() {
        let dotenv = "A=1\n\n# b\nB=2\n";
        for (path, to, before, after) in [
            ("['A']", Some("x y"), "A=1", "A=x y"),
            ("['C']", Some("3"), "B=2\n", "B=2\nC=3\n"),
            ("['B']", None, "# b\nB=2\n", ""),
        ] {
            check(Format::Dotenv, dotenv, path, to, before, after);
        }
        let ini = "[s]\n; c\na = 1\nb   = 2\n\n[t]\nd=3\n";
        for (path, to, before, after) in [
            ("['s']['b']", Some("x"), "b   = 2", "b   = x"),
            ("['s']['e']", Some("4"), "b   = 2\n", "b   = 2\ne = 4\n"),
            ("['s']['a']", None, "; c\na = 1\n", ""),
            ("['u']['f']", Some("5"), "d=3\n", "d=3\n\n[u]\nf = 5\n"),
        ] {
            check(Format::Ini, ini, path, to, before, after);
        }
    }

    #[test]
    fn aliases_that_a_change_concerns_are_written_out_and_everything_else_stays() {
        let text = "# top\n\nbase: &base   # b\n    user: app\n    # secret\n    password: old\n\npw: &pw hunter2\ncopy: *pw   # c\n\nprod:\n    <<: *base\n    host: x\nstages:\n    - *base\n    - {k: *pw}\n";
        for (path, to, changes) in [
            (
                "['pw']",
                Some("new"),
                [
                    ("&pw hunter2", "new"),
                    ("*pw ", "hunter2 "),
                    ("{k: *pw}", "{k: hunter2}"),
                ]
                .as_slice(),
            ),
            (
                "['pw']",
                None,
                &[
                    ("pw: &pw hunter2\n", ""),
                    ("*pw ", "hunter2 "),
                    ("{k: *pw}", "{k: hunter2}"),
                ],
            ),
            ("['copy']", Some("new"), &[("*pw ", "new ")]),
            (
                "['stages'][0]['user']",
                Some("new"),
                &[("- *base", "- user: new\n      password: old")],
            ),
        ] {
            let mut expected = text.to_owned();
            for (before, after) in changes {
                assert_eq!(
                    expected.matches(before).count(),
                    1,
                    "{before:?} stands once"
                );
                expected = expected.replacen(before, after, 1);
            }
            let changed = changed(Format::Yaml, text, path, to).unwrap();
            assert_eq!(changed, expected, "{path} {to:?}");
        }
        // A part of what others stand for; a merge stays one, of a mapping that stands there.
        let changed = changed(Format::Yaml, text, "['base']['password']", Some("new")).unwrap();
        let old = "user: app\n        password: old\n";
        let expected = text.replacen("old", "new", 1);
        let expected = expected.replacen("<<: *base\n", &alloc::format!("<<:\n        {old}"), 1);
        let item = "- user: app\n      password: old\n";
        assert_eq!(changed, expected.replacen("- *base\n", item, 1));
    }

    #[test]
    fn a_path_that_cannot_be_is_an_error() {
        for (path, to, code) in [
            ("", Some("1"), ErrorCode::TreePathInvalid),
            ("", None, ErrorCode::TreePathInvalid),
            ("['sops']['mac']", Some("1"), ErrorCode::TreePathInvalid),
            ("['a']['l']['x']", Some("1"), ErrorCode::TreePathMissing),
            ("['a'][0]", Some("1"), ErrorCode::TreePathMissing),
            ("['x']", None, ErrorCode::TreePathMissing),
            ("['a']['l'][9]", None, ErrorCode::TreePathMissing),
        ] {
            let error = changed(Format::Yaml, TEXT, path, to).unwrap_err();
            assert_eq!(error.code(), code, "{path}");
        }
    }

    #[test]
    fn setting_what_is_there_changes_nothing() {
        assert_eq!(
            changed(Format::Yaml, TEXT, "['s']", Some("hello")).unwrap(),
            TEXT
        );
    }
}
