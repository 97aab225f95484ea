//! The layout of a text, kept beside its sealed form where the sealed values do not tell it.
//!
//! `0x1F` is sealed as the number it is and comes back as `31`; an alias is sealed as what it stands for. So that the very
//! text comes back, the lines in which the opened text and the original differ are kept, sealed as a value is, in a field
//! of the block. The reference passes over that field, and drops it when it writes. What is taken from it must say the
//! same as the opened text, or it is not taken.

mod lines;

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::cipher::{self, SealedValue};
use crate::data_key::DataKey;
use crate::document::{Document, Plain};
use crate::error::Error;
use crate::random::Random;
use crate::tree::Node;

/// Binds the field to its purpose: the additional data of a value ends in a colon, that of a MAC is a time.
const PURPOSE: &[u8] = b"stackseal layout 1";

/// What brings the original back from the opened text; `None` when they are the same.
pub(crate) fn between(opened: &str, original: &str) -> Option<Zeroizing<String>> {
    (opened != original).then(|| lines::difference(opened, original))
}

/// Seals a layout for the block.
pub(crate) fn seal(
    data_key: &DataKey,
    layout: &str,
    random: &mut dyn Random,
) -> Result<String, Error> {
    cipher::seal(data_key, layout.as_bytes(), PURPOSE, "str", random)
}

/// Opens the field of the block. One that does not open is as good as none: it adds nothing but looks.
pub(crate) fn open(data_key: &DataKey, field: Option<&str>) -> Option<Zeroizing<String>> {
    let sealed = SealedValue::parse(field?)?.ok()?;
    let bytes = cipher::open(data_key, sealed, PURPOSE).ok()?;
    let text = core::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// The original document, if the layout fits the opened one and says the same; else what of it does.
pub(crate) fn restore(opened: Document<Plain>, layout: &str) -> Document<Plain> {
    let Some(changes) = lines::parse(layout) else {
        return opened;
    };
    if let Some(original) = with(&opened, &changes) {
        return original;
    }
    // Somebody changed the sealed file: whatever still fits is kept, as long as the values stay.
    let mut kept: Vec<lines::Change<'_>> = Vec::new();
    let mut best = None;
    let mut groups = vec![lines::fitting(opened.text(), &changes)];
    let tries = (MOST_WORK / opened.text().len().max(1)).clamp(1, MOST_TRIES);
    for _ in 0..tries {
        let Some(mut group) = groups.pop() else {
            break;
        };
        let mut together = kept.clone();
        together.extend(group.iter().cloned());
        if let Some(document) = with(&opened, &together) {
            (kept, best) = (together, Some(document));
        } else if group.len() > 1 {
            groups.push(group.split_off(group.len() / 2));
            groups.push(group);
        }
    }
    best.unwrap_or(opened)
}

/// The document with these lines replaced, where that says the same.
fn with(opened: &Document<Plain>, changes: &[lines::Change<'_>]) -> Option<Document<Plain>> {
    let text = lines::apply(opened.text(), changes)?;
    let original = Document::<Plain>::of_text(opened.format(), text.into(), opened.limits());
    original.ok().filter(|it| say_the_same(opened, it))
}

/// Each try reads the text again: so many bytes are read at most.
const MOST_WORK: usize = 1 << 24;

/// So many parts of a layout are tried by themselves.
const MOST_TRIES: usize = 64;

/// Whether two texts have the same values in the same places; comments do not count.
pub(crate) fn say_the_same(one: &Document<Plain>, other: &Document<Plain>) -> bool {
    match (one.trees(), other.trees()) {
        (Ok(one), Ok(other)) => {
            one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| same(one, other))
        }
        _ => false,
    }
}

/// The depth is bounded by the limits of the documents.
fn same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::Leaf(one), Node::Leaf(other)) => one.says_the_same(other),
        (Node::List(_), Node::List(_)) | (Node::Mapping(_), Node::Mapping(_)) => {
            let mut others = other.items();
            one.items().all(|(key, node)| {
                others
                    .next()
                    .is_some_and(|(other_key, other)| key == other_key && same(node, other))
            }) && others.next().is_none()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;

    use super::*;
    use crate::format::Format;
    use crate::limits::Limits;

    fn document(text: &str) -> Document<Plain> {
        Document::<Plain>::parse_as(Format::Yaml, text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn what_was_changed_in_the_sealed_file_costs_no_other_line_its_layout() {
        let original = "a: 0x1F\n\nz: 0\nx: &x one\nb: 1\ny: *x\nz2: 0\nc: 1_000\n";
        let opened = "a: 31\nz: 0\nx: one\nb: 1\ny: one\nz2: 0\nc: 1000\n";
        let layout = between(opened, original).unwrap();
        for (changed, restored) in [
            (opened.to_owned(), original.to_owned()),
            (
                opened.replace("b: 1", "b: 1\nnew: 2"),
                original.replace("b: 1", "b: 1\nnew: 2"),
            ),
            (opened.replace("b: 1\n", ""), original.replace("b: 1\n", "")),
            // The alias has lost what it named.
            (
                opened.replace("x: one", "x: two"),
                "a: 0x1F\n\nz: 0\nx: two\nb: 1\ny: one\nz2: 0\nc: 1_000\n".to_owned(),
            ),
        ] {
            let found = restore(document(&changed), &layout);
            assert_eq!(found.text(), restored, "{changed}");
        }
        for foreign in ["", "no layout", "@0 1 2 00\nx\n\n"] {
            assert_eq!(restore(document(opened), foreign).text(), opened);
        }
    }
}
