//! Other keys in a `sops` block that stands as it is: the lines of the old ones go, those of the new ones come in the
//! columns of the block.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::block::{line_end, line_start};
use super::{metadata, write};
use crate::format::Edit;
use crate::format::parts::{Place, Root};
use crate::metadata::is_about_keys;
use crate::tree::Node;

/// What to replace so that the block has these keys; `None` when it does not have a line for each field.
pub(crate) fn with_keys(text: &str, root: &Root, keys: &Node) -> Option<Vec<Edit>> {
    let top = root.places.iter().filter(|place| place.collection == 0);
    let block = top
        .filter(|place| place.key.as_deref() == Some(metadata::KEY))
        .find_map(|place| place.value)?;
    let shape = root.shapes.get(block).filter(|shape| !shape.flow)?;
    let step = shape.column.checked_sub(root.column)?;

    let fields: Vec<&Place> = (root.places.iter())
        .filter(|place| place.collection == block)
        .collect();
    let mut old: Vec<Range<usize>> = Vec::new();
    for field in &fields {
        if is_about_keys(field.key.as_deref()?) && !is_left(text, field) {
            old.push(lines(text, field)?);
        }
    }
    let first = match old.first() {
        Some(first) => first.start,
        None => lines(text, fields.first()?)?.start,
    };
    let newline = write::newline(text);
    let new = metadata::fields(keys, shape.column, step);
    let new = match newline {
        "\n" => new,
        _ => new.replace('\n', newline),
    };
    let mut edits: Vec<Edit> = Vec::from([(first..first, new)]);
    edits.extend(old.into_iter().map(|lines| (lines, String::new())));
    Some(edits)
}

/// Whether a field holds no keys, and is none of those that are written anew: releases before 3.10 wrote such fields.
fn is_left(text: &str, field: &Place) -> bool {
    let holds = text.get(field.key_end..field.end).unwrap_or_default();
    let holds = holds.trim_start_matches([' ', '\t', ':']).trim_end();
    let is_written = matches!(
        field.key.as_deref(),
        Some("age" | "key_groups" | "shamir_threshold")
    );
    !is_written && matches!(holds, "" | "[]" | "null" | "~")
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
