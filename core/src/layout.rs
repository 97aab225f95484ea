//! The layout of a text, kept beside its sealed form where the sealed values do not tell it.
//!
//! `0x1F` is sealed as the number it is and comes back as `31`; an alias is sealed as what it stands for. So that the very
//! text comes back, the lines in which the opened text and the original differ are kept, sealed as a value is, in a field
//! of the block. The reference passes over that field, and drops it when it writes. What is taken from it must say the
//! same as the opened text, or it is not taken.

mod lines;

use alloc::borrow::ToOwned as _;
use alloc::string::String;

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

/// The original document, if the layout fits the opened one and says the same; else the opened one.
pub(crate) fn restore(opened: Document<Plain>, layout: &str) -> Document<Plain> {
    let original = lines::apply(opened.text(), layout).and_then(|text| {
        Document::<Plain>::of_text(opened.format(), text.into(), opened.limits()).ok()
    });
    match original {
        Some(original) if say_the_same(&opened, &original) => original,
        _ => opened,
    }
}

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
