//! Other fields in a `sops` block that stands as it is: the lines of the old ones go, those of the new ones come in the
//! columns of the block.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::block::{line_end, line_start};
use super::metadata as block;
use super::write;
use crate::format::Edit;
use crate::format::parts::{Place, Root};
use crate::metadata::{LAYOUT, Metadata, Renewed, is_foreign};

/// What to replace so that the block has these fields; `None` when it does not have lines of its own for each field.
pub(crate) fn with_fields(
    text: &str,
    root: &Root,
    metadata: &Metadata,
    which: Renewed,
) -> Option<Vec<Edit>> {
    let top = root.places.iter().filter(|place| place.collection == 0);
    let number = top
        .filter(|place| place.key.as_deref() == Some(block::KEY))
        .find_map(|place| place.value)?;
    let shape = root.shapes.get(number).filter(|shape| !shape.flow)?;
    let step = shape.column.checked_sub(root.column)?;

    let fields: Vec<&Place> = (root.places.iter())
        .filter(|place| place.collection == number)
        .collect();
    let mut old: Vec<Range<usize>> = Vec::new();
    for field in &fields {
        if which.has(field.key.as_deref()?) && !is_left(text, field) {
            old.push(lines(text, field)?);
        }
    }
    let first = match old.first() {
        Some(first) => first.start,
        None => lines(text, fields.first()?)?.start,
    };
    let newline = write::newline(text);
    let new = block::fields(&metadata.renewed(which), shape.column, step);
    let mut edits: Vec<Edit> = Vec::from([(first..first, new.replace('\n', newline))]);
    // It stays where it is, in the blocks that have it.
    let is_layout = |field: &&&Place| field.key.as_deref() == Some(LAYOUT);
    if let Some(field) = fields
        .iter()
        .find(is_layout)
        .filter(|_| which == Renewed::KeysAndMac)
    {
        let new = metadata.layout_field();
        edits.push((
            lines(text, field)?,
            block::fields(&new, shape.column, step).replace('\n', newline),
        ));
    }
    edits.extend(old.into_iter().map(|lines| (lines, String::new())));
    Some(edits)
}

/// Whether a field of a kind that is not written here holds no keys: releases before 3.10 wrote such fields.
fn is_left(text: &str, field: &Place) -> bool {
    let holds = text.get(field.key_end..field.end).unwrap_or_default();
    let holds = holds.trim_start_matches([' ', '\t', ':']).trim_end();
    let is_foreign = field.key.as_deref().is_some_and(is_foreign);
    is_foreign && matches!(holds, "" | "[]" | "null" | "~")
}

/// The whole lines of a field; `None` when something else stands in them.
fn lines(text: &str, field: &Place) -> Option<Range<usize>> {
    let start = line_start(text, field.start);
    let before = text.get(start..field.start)?;
    let end = line_end(text, field.end);
    let rest = text.get(end..)?;
    let newline = ["\r\n", "\n"].into_iter().find(|it| rest.starts_with(it))?;
    before
        .chars()
        .all(|c| c == ' ')
        .then_some(start..end + newline.len())
}
