//! The `[sops]` section: its text, where it stands, and what it says.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::write::{self, Pair};
use crate::format::parts::{Item, Root};
use crate::format::{Edit, flat};
use crate::path::{Path, Segment};
use crate::text::Text;
use crate::tree::Node;
use crate::value::Value;

/// The name of the section.
const NAME: &str = "sops";

/// What to insert so that the block stands at the end of the text, an empty line before it.
pub(crate) fn insertion(text: &str, root: &Root, metadata: &Node) -> Edit {
    let pairs: Vec<Pair> = flat::flatten(metadata)
        .into_iter()
        .map(|(key, value)| Pair {
            key: write::key(&key).unwrap_or(key),
            value: write::value(&value).unwrap_or(value),
            comment: None,
        })
        .collect();
    let before = text.get(..root.end).unwrap_or(text);
    let block = format!("[{NAME}]\n{}", write::pairs(&pairs));
    let block = if before.is_empty() {
        block
    } else if before.ends_with('\n') {
        format!("\n{block}")
    } else {
        // Without a last line break here as there: so it can be told afterwards.
        format!("\n\n{}", block.trim_end_matches('\n'))
    };
    let windows = before.contains("\r\n") || before.ends_with('\r');
    let block = if windows {
        block.replace('\n', "\r\n")
    } else {
        block
    };
    (root.end..root.end, block)
}

/// What to replace so that the text goes on without its block; `None` without one.
pub(crate) fn removal(text: &str, root: &Root) -> Option<Vec<Edit>> {
    let sections = root.collections.iter().skip(1).map(|section| section.start);
    // Where each section ends: where the line begins in which the next one does.
    let ends = sections
        .skip(1)
        .map(|start| line_start(text, start))
        .chain([text.len()]);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (key, end) in root.keys.iter().zip(ends) {
        if key.name.as_ref() != NAME {
            continue;
        }
        let start = line_start(text, key.start);
        match ranges.last_mut() {
            Some(range) if range.end == start => range.end = end,
            _ => ranges.push(start..end),
        }
    }
    let last = ranges.last_mut()?;
    if last.end == text.len() {
        last.start = before_block(text, last.start);
    }
    let edits = ranges.into_iter().map(|range| (range, String::new()));
    Some(edits.collect())
}

/// The leaves of the block, each with its path below `sops` and its line. Of several sections the first counts.
pub(crate) fn block_leaves(root: &Root) -> Vec<(Path, Value, usize)> {
    let mut section: Option<&Text> = None;
    let pairs = root.items.iter().filter_map(|item| {
        let Item::Scalar(scalar) = item else {
            return None;
        };
        let ([Segment::Key(name)], Some(Segment::Key(key))) =
            (scalar.path.collection(), scalar.path.last())
        else {
            return None;
        };
        let counts = name.as_ref() == NAME && section.get_or_insert(name).is(name);
        counts.then_some((key.as_ref(), &scalar.value, scalar.line))
    });
    let pairs: Vec<_> = pairs.collect();
    flat::unflatten(pairs.into_iter())
}

/// Where the text ended before the block was inserted whose header's line begins at `start`.
fn before_block(text: &str, start: usize) -> usize {
    let (before, block) = text.split_at_checked(start).unwrap_or((text, ""));
    let header = block.split('\n').next().unwrap_or_default();
    let newline = if header.ends_with('\r') { "\r\n" } else { "\n" };
    let Some(without_line) = before.strip_suffix(newline) else {
        return start;
    };
    if !text.ends_with('\n') {
        let end = without_line.strip_suffix(newline).unwrap_or(without_line);
        return end.len();
    }
    if without_line.ends_with('\n') {
        without_line.len()
    } else {
        start
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |newline| newline + 1)
}
