//! Tree paths as the reference takes them, `["key"][0]['other']`, and what stands at one.
//!
//! A number counts items alone: the reference counts the comments of a list as well, so that a comment moves what
//! stands behind it.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{Entry, Node};
use crate::error::{Error, ErrorCode};
use crate::format::{Format, emit};
use crate::path::Segment;

/// The way to a part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePath {
    steps: Vec<Segment>,
}

impl TreePath {
    /// Reads `["key"][0]`: a key in double or single quotes, in which nothing is escaped, or the number of a list's
    /// item, from 0. The empty text is the whole document.
    ///
    /// # Errors
    /// `tree-path-invalid`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if steps.len() == MOST_STEPS {
                return Err(invalid(&format!("it has more than {MOST_STEPS} parts")));
            }
            let (step, after) = step(rest).ok_or_else(|| {
                invalid(&format!(
                    "part {} is neither a quoted key nor a number in brackets",
                    steps.len() + 1
                ))
            })?;
            steps.push(step);
            rest = after;
        }
        Ok(Self { steps })
    }

    /// The way that leads along steps.
    pub(crate) fn of_steps(steps: Vec<Segment>) -> Self {
        Self { steps }
    }

    /// The steps, from the top.
    pub fn steps(&self) -> &[Segment] {
        &self.steps
    }
}

/// As many levels as a document may have.
const MOST_STEPS: usize = 250;

/// The first part of a path, and what follows.
fn step(text: &str) -> Option<(Segment, &str)> {
    let inside = text.strip_prefix('[')?;
    for quote in ['"', '\''] {
        if let Some(key) = inside.strip_prefix(quote) {
            // A quote and bracket end the key only where another part or nothing follows; a key that holds both them
            // and `[` would more likely be a slip between two parts.
            let mut ends = key.match_indices([quote]).filter_map(|(at, _)| {
                let rest = key.get(at..)?.get(1..)?.strip_prefix(']')?;
                Some((at, rest))
            });
            let (first, after) = ends.next()?;
            let follows = |rest: &str| rest.is_empty() || rest.starts_with('[');
            let found = if follows(after) {
                Some((first, after))
            } else {
                ends.find(|(_, rest)| follows(rest))
                    .filter(|(end, _)| key.get(..*end).is_some_and(|key| !key.contains('[')))
            };
            let (end, rest) = found?;
            return Some((Segment::Key(key.get(..end)?.into()), rest));
        }
    }
    let (number, rest) = inside.split_once(']')?;
    Some((Segment::Index(number.parse().ok()?), rest))
}

fn invalid(problem: &str) -> Error {
    Error::configuration(
        ErrorCode::TreePathInvalid,
        format!("this is no tree path: {problem}; write it like [\"key\"][0][\"other\"]"),
    )
}

/// `["key"][0]`, as it is written.
impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Steps(&self.steps))
    }
}

struct Steps<'a>(&'a [Segment]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0 {
            match step {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write!(f, "[\"{key}\"]")?,
            }
        }
        Ok(())
    }
}

impl Node {
    /// What stands at a path.
    ///
    /// # Errors
    /// `tree-path-missing`.
    pub fn at(&self, path: &TreePath) -> Result<&Self, Error> {
        let mut node = self;
        for (depth, step) in path.steps().iter().enumerate() {
            let place = node.position(step).ok().flatten();
            let next = place.and_then(|place| match node.entries().get(place) {
                Some(Entry::Item { node, .. }) => Some(node),
                _ => None,
            });
            node = match next {
                Some(next) => next,
                None => return Err(node.lacks(path, depth)),
            };
        }
        Ok(node)
    }

    /// What the reference prints of a part that is asked for: text as it is, without a line break; anything else in the
    /// format.
    ///
    /// # Errors
    /// `value-not-representable` when the format has no text for it.
    pub fn extracted(&self, format: Format) -> Result<Zeroizing<Vec<u8>>, Error> {
        emit::extracted(self, format)
    }

    /// Puts a value at a path, with the collections that lead there; an index past a list's end appends.
    ///
    /// # Errors
    /// `tree-path-missing` when a list is asked for a key, or a mapping for an item.
    pub(crate) fn set(&mut self, path: &TreePath, value: Self) -> Result<(), Error> {
        let steps = path.steps();
        let mut node = self;
        for (depth, step) in steps.iter().enumerate() {
            let rest = steps.get(depth + 1..).unwrap_or_default();
            if matches!(node, Self::Leaf(_)) {
                *node = Self::grown(steps.get(depth..).unwrap_or_default(), value);
                return Ok(());
            }
            let Ok(place) = node.position(step) else {
                return Err(node.lacks(path, depth));
            };
            let (Self::List(entries) | Self::Mapping(entries)) = node else {
                return Ok(());
            };
            let Some(place) = place else {
                entries.push(item(step, Self::grown(rest, value)));
                return Ok(());
            };
            match entries.get_mut(place) {
                Some(Entry::Item { node: next, .. }) => node = next,
                _ => return Ok(()),
            }
        }
        *node = value;
        Ok(())
    }

    /// Takes away what stands at a path.
    ///
    /// # Errors
    /// `tree-path-missing`.
    pub(crate) fn unset(&mut self, path: &TreePath) -> Result<(), Error> {
        let Some((last, _)) = path.steps().split_last() else {
            return Err(invalid("it names the whole document"));
        };
        let mut node = self;
        for (depth, step) in path.steps().iter().enumerate() {
            let Some(place) = node.position(step).ok().flatten() else {
                return Err(node.lacks(path, depth));
            };
            let (Self::List(entries) | Self::Mapping(entries)) = node else {
                return Ok(());
            };
            if core::ptr::eq(step, last) {
                entries.remove(place);
                return Ok(());
            }
            match entries.get_mut(place) {
                Some(Entry::Item { node: next, .. }) => node = next,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// A value below the collections that steps name.
    pub(crate) fn grown(steps: &[Segment], value: Self) -> Self {
        steps.iter().rev().fold(value, |node, step| {
            let entries = vec![item(step, node)];
            match step {
                Segment::Index(_) => Self::List(entries),
                Segment::Key(_) => Self::Mapping(entries),
            }
        })
    }

    /// Where in its entries a step leads; `Ok(None)` where it could, `Err` where such a step cannot lead anywhere.
    fn position(&self, step: &Segment) -> Result<Option<usize>, ()> {
        let is_item = |(_, entry): &(usize, &Entry)| matches!(entry, Entry::Item { .. });
        let mut entries = self.entries().iter().enumerate().filter(is_item);
        let found = match (self, step) {
            (Self::List(_), Segment::Index(index)) => entries.nth(*index),
            (Self::Mapping(_), Segment::Key(name)) => entries.find(
                |(_, entry)| matches!(entry, Entry::Item { key: Some(key), .. } if key == name),
            ),
            _ => return Err(()),
        };
        Ok(found.map(|(place, _)| place))
    }

    /// That the step at a depth leads nowhere from here.
    fn lacks(&self, path: &TreePath, depth: usize) -> Error {
        let (before, after) = path.steps().split_at_checked(depth).unwrap_or_default();
        let step = Steps(after.get(..1).unwrap_or_default());
        let message = match (self, after.first()) {
            (Self::List(_), Some(Segment::Index(_))) => format!(
                "component {step} accesses out of bounds: the list has {} items, counted from 0",
                self.items().count()
            ),
            (Self::List(_), _) => {
                format!(
                    "component {step} not found: a list stands here; name an item by its number, as in [0]"
                )
            }
            (Self::Mapping(_), Some(Segment::Index(_))) => {
                format!(
                    "component {step} not found: a mapping stands here; name a key, as in [\"key\"]"
                )
            }
            (Self::Mapping(_), _) => {
                format!("component {step} not found: there is no such key; look at its spelling")
            }
            (Self::Leaf(_), _) => {
                format!(
                    "component {step} not found: a single value stands here, which has no parts"
                )
            }
        };
        let error = Error::input(ErrorCode::TreePathMissing, message);
        if before.is_empty() {
            error
        } else {
            error.at_path(Steps(before))
        }
    }
}

fn item(step: &Segment, node: Node) -> Entry {
    let key = match step {
        Segment::Index(_) => None,
        Segment::Key(key) => Some(key.clone()),
    };
    Entry::Item { key, node }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString as _};

    use super::*;
    use crate::document::{Document, Plain};
    use crate::limits::Limits;

    const TEXT: &str = "\
a:
  b: 1
  l:
    # c
    - x: 1.5
      y: [1]
    # d
    - q
s: hello
m: |
  a
  b
n:
t: 2001-01-01
e: {}
el: []
bin: !!binary //79
";

    fn tree() -> Node {
        let document = Document::<Plain>::parse(TEXT.as_bytes(), &Limits::default()).unwrap();
        document.trees().unwrap().swap_remove(0)
    }

    fn extract(path: &str, format: Format) -> Result<String, Error> {
        let tree = tree();
        let bytes = tree.at(&TreePath::parse(path)?)?.extracted(format)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn paths_are_read_as_the_reference_reads_them() {
        for (text, steps) in [
            ("", "[]"),
            ("[\"a\"]", "[Key(\"a\")]"),
            ("['a'][0]", "[Key(\"a\"), Index(0)]"),
            ("[\"a\"][+1][01]", "[Key(\"a\"), Index(1), Index(1)]"),
            ("[\"a\"]b\"]", "[Key(\"a\\\"]b\")]"),
            ("[\"[x]\"]", "[Key(\"[x]\")]"),
            ("[\"\"]", "[Key(\"\")]"),
            ("[\"it's\"]", "[Key(\"it's\")]"),
        ] {
            let path = TreePath::parse(text).unwrap();
            assert_eq!(format!("{:?}", path.steps()), steps, "{text}");
        }
        for text in [
            "x",
            "[",
            "[]",
            "[x]",
            "[-1]",
            "[1x]",
            "[ 1]",
            "[\"a\"",
            "[\"a']",
            "[\"a]",
            "[\"]",
            "[\"a\"] [\"b\"]",
            " [\"a\"]",
            "[\"a\"]x",
            "[99999999999999999999]",
        ] {
            let error = TreePath::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::TreePathInvalid, "{text}");
        }
        assert!(TreePath::parse(&"[0]".repeat(250)).is_ok());
        assert!(TreePath::parse(&"[0]".repeat(251)).is_err());
    }

    #[test]
    fn a_part_is_printed_as_the_reference_prints_it() {
        for (path, yaml, json) in [
            ("[\"s\"]", "hello", "hello"),
            ("[\"m\"]", "a\nb\n", "a\nb\n"),
            ("[\"a\"][\"b\"]", "1\n", "1"),
            ("[\"a\"][\"l\"][0][\"x\"]", "1.5\n", "1.5"),
            ("[\"a\"][\"l\"][1]", "q", "q"),
            ("[\"n\"]", "null\n", "null"),
            (
                "[\"t\"]",
                "2001-01-01T00:00:00Z\n",
                "\"2001-01-01T00:00:00Z\"",
            ),
            ("[\"e\"]", "{}\n", "{}\n"),
            ("[\"el\"]", "[]\n", "[]"),
            (
                "[\"a\"][\"l\"][0]",
                "x: 1.5\n\"y\":\n    - 1\n",
                "{\n\t\"x\": 1.5,\n\t\"y\": [\n\t\t1\n\t]\n}\n",
            ),
            (
                "[\"a\"][\"l\"]",
                "# c\n- x: 1.5\n  \"y\":\n    - 1\n# d\n- q\n",
                "[\n\t{\n\t\t\"x\": 1.5,\n\t\t\"y\": [\n\t\t\t1\n\t\t]\n\t},\n\t\"q\"\n]",
            ),
        ] {
            assert_eq!(extract(path, Format::Yaml).unwrap(), yaml, "{path}");
            assert_eq!(extract(path, Format::Json).unwrap(), json, "{path}");
        }
        assert_eq!(extract("[\"s\"]", Format::Binary).unwrap(), "hello");
        assert_eq!(extract("[\"n\"]", Format::Ini).unwrap(), "null");
        let bytes = tree()
            .at(&TreePath::parse("[\"bin\"]").unwrap())
            .unwrap()
            .extracted(Format::Json);
        assert_eq!(bytes.unwrap().as_slice(), [0xff, 0xfe, 0xfd]);
        let error = extract("[\"a\"]", Format::Dotenv).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ValueNotRepresentable);
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        for (path, message) in [
            (
                "[\"x\"]",
                "component [\"x\"] not found: there is no such key; look at its spelling",
            ),
            (
                "[\"a\"][\"l\"][9]",
                "[\"a\"][\"l\"]: component [9] accesses out of bounds: the list has 2 items, counted from 0",
            ),
            (
                "[\"a\"][\"l\"][\"x\"]",
                "[\"a\"][\"l\"]: component [\"x\"] not found: a list stands here; \
                 name an item by its number, as in [0]",
            ),
            (
                "[\"a\"][0]",
                "[\"a\"]: component [0] not found: a mapping stands here; name a key, as in [\"key\"]",
            ),
            (
                "[\"s\"][\"x\"]",
                "[\"s\"]: component [\"x\"] not found: a single value stands here, which has no parts",
            ),
        ] {
            let error = extract(path, Format::Yaml).unwrap_err();
            assert_eq!(error.code(), ErrorCode::TreePathMissing);
            assert_eq!(error.to_string(), message);
        }
    }
}
