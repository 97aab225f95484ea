//! What every format's parser gives: the parts of a text in file order, each with its byte span.

use alloc::vec::Vec;
use core::ops::Range;

use crate::error::{Error, ErrorCode};
use crate::path::Path;
use crate::text::Text;
use crate::value::Value;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Block,
    Double,
    Plain,
    Single,
}

/// Bytes of the text. Small, since there is one of these for every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    #[cfg(feature = "formats")]
    pub(crate) fn len(self) -> usize {
        self.range().len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: small(range.start),
            end: small(range.end),
        }
    }
}

/// A place, number or size in a text. Longer texts than it can tell are refused before they are parsed.
pub(crate) fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A scalar value.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) path: Path,
    /// Bytes of the value: quotes and block header included, tag and anchor not.
    pub(crate) span: Span,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) style: Style,
    /// Whether it stands inside `[…]` or `{…}`.
    pub(crate) flow: bool,
    /// Column of the mapping or list it stands in.
    pub(crate) column: usize,
    /// Where a tag of the core schema other than `!!str` begins that types it.
    pub(crate) tag: Option<u32>,
    pub(crate) value: Value,
}

/// A comment; `path` is that of the collection it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) path: Path,
    /// From `#` to the end of the line.
    pub(crate) span: Span,
    pub(crate) line: usize,
    /// What follows the `#`.
    pub(crate) text: Text,
    /// Where it goes among the entries, in YAML; elsewhere it goes where it stands.
    pub(crate) seat: Option<Seat>,
    /// It stands before the header of a section, in INI.
    #[cfg(feature = "formats")]
    pub(crate) of_section: bool,
}

/// Between which entries the reference has a comment.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "formats"),
    expect(dead_code, reason = "asked for trees, which the page has none of")
)]
pub(crate) struct Seat {
    /// The number of its collection among those of the document.
    pub(crate) collection: u32,
    /// How many of the collection's entries come before it.
    pub(crate) before: u32,
    /// Orders it among other comments there.
    pub(crate) rank: u32,
    /// Whether the reference drops it, as go-yaml has no place for it.
    pub(crate) dropped: bool,
}

/// A leaf or a comment.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Comment(Comment),
    Scalar(Scalar),
}

impl Item {
    pub(crate) fn start(&self) -> usize {
        match self {
            Self::Comment(comment) => comment.span.start(),
            Self::Scalar(scalar) => scalar.span.start(),
        }
    }
}

/// Something that keeps the text from being sealed, though it is YAML.
#[derive(Clone, Debug)]
pub(crate) struct Obstacle {
    pub(crate) code: ErrorCode,
    pub(crate) line: usize,
    pub(crate) message: &'static str,
    pub(crate) remedy: Remedy,
}

/// What helps against an obstacle, when the layout may be kept beside the sealed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Only the person can help.
    None,
    /// It is in the way of nothing but caution.
    Nothing,
    /// The same tree in the layout of the reference.
    Rewrite,
}

impl Obstacle {
    /// As an error.
    pub(crate) fn error(&self) -> Error {
        Error::input(self.code, self.message).at_line(self.line)
    }
}

/// A place where the value of an anchor stands again.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "formats"),
    expect(dead_code, reason = "asked for trees, which the page has none of")
)]
pub(crate) struct Alias {
    pub(crate) path: Path,
    pub(crate) start: usize,
    /// The parser's number of the anchor.
    pub(crate) anchor: usize,
}

/// A key of the top mapping of a document, for finding the `sops` block.
#[derive(Clone, Debug)]
pub(crate) struct TopKey {
    pub(crate) name: Text,
    pub(crate) start: usize,
    /// Where its value ends.
    pub(crate) end: usize,
    pub(crate) line: usize,
}

/// A mapping or a list.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) path: Path,
    pub(crate) start: usize,
    /// How many items a list has; `None` for a mapping.
    pub(crate) items: Option<usize>,
}

/// How a collection is written.
#[cfg(feature = "formats")]
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Where its last entry ends; of `[…]` and `{…}`, behind the bracket.
    pub(crate) end: usize,
    /// Column of its entries.
    pub(crate) column: usize,
    /// Whether it is written as `[…]` or `{…}`.
    pub(crate) flow: bool,
}

/// Where an entry of a mapping or list stands: what an edit of the text needs.
#[cfg(feature = "formats")]
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The number of its collection.
    pub(crate) collection: usize,
    /// `None` in a list.
    pub(crate) key: Option<Text>,
    /// The key, or where the item's value begins.
    pub(crate) start: usize,
    /// Where the key ends.
    pub(crate) key_end: usize,
    /// Where its value ends, or the key when there is none.
    pub(crate) end: usize,
    /// The number of the collection that it is.
    pub(crate) value: Option<usize>,
}

/// One document of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Root {
    /// Items in file order.
    pub(crate) items: Vec<Item>,
    /// Keys of the top mapping.
    pub(crate) keys: Vec<TopKey>,
    /// Column of the top mapping.
    pub(crate) column: usize,
    /// Offset where the next document's marker stands, or the end of the text.
    pub(crate) end: usize,
    /// Mappings and lists, in the order in which they begin.
    pub(crate) collections: Vec<Collection>,
    /// Aliases as values, in file order.
    pub(crate) aliases: Vec<Alias>,
    /// The numbers of the anchors, and where what they name begins.
    pub(crate) anchors: Vec<(usize, usize)>,
    /// How each of them is written, in YAML.
    #[cfg(feature = "formats")]
    pub(crate) shapes: Vec<Shape>,
    /// Entries of the top mapping and of what stands in the `sops` block, in YAML, in the order in which they begin; those
    /// of all collections when the text was parsed for an edit.
    #[cfg(feature = "formats")]
    pub(crate) places: Vec<Place>,
    /// Where nodes begin that have an anchor or a tag, and their lines, in YAML.
    #[cfg(feature = "formats")]
    pub(crate) properties: Vec<(usize, usize)>,
    /// Whether anything but comments stands in it.
    pub(crate) has_content: bool,
}

/// A parsed text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) documents: Vec<Root>,
    pub(crate) obstacles: Vec<Obstacle>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_small_since_there_is_one_for_every_value() {
        assert!(size_of::<Item>() <= 96);
    }

    #[test]
    fn a_place_that_a_span_cannot_tell_is_none_of_the_text() {
        let most = u32::MAX as usize;
        let span = Span::from(7..most + 9);
        assert_eq!((span.start(), span.end()), (7, most));
    }
}
