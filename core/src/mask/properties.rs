//! What stands in YAML beside keys, values and comments: anchors, aliases, tags, directives.
//!
//! Somebody who forgets the quotes around a password such as `&Tr0ub4dor` or `!s3cret` has written one of these, so
//! none of them is shown that is not known to be none. Everything that is no punctuation counts as one.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::document::Document;
use crate::format::parts::Item;
use crate::format::{Edit, Format, yaml};
use crate::text::Text;

/// Adds to the edits of a text what hides them.
pub(super) fn hide<State>(document: &Document<State>, edits: &mut Vec<Edit>) {
    if document.format() != Format::Yaml {
        return;
    }
    let mut known: Vec<Range<usize>> = edits.iter().map(|(range, _)| range.clone()).collect();
    known.extend(document.items().map(|(_, item)| match item {
        Item::Comment(comment) => comment.span.range(),
        Item::Scalar(scalar) => scalar.span.range(),
    }));
    let whole = Text::from(document.text());
    // It was read once, so it can be again; without the places of keys these would be hidden, too.
    let parsed = yaml::parse::parse_for_edit(&whole, document.limits()).unwrap_or_default();
    for root in &parsed.documents {
        let keys = root.places.iter().filter(|place| place.key.is_some());
        known.extend(keys.map(|place| place.start..place.key_end));
    }
    known.retain(|range| range.start < range.end);
    known.sort_by_key(|range| (range.start, range.end));
    let mut at = 0;
    let end = whole.len()..whole.len();
    for range in known.into_iter().chain([end]) {
        if let Some(gap) = whole.get(at..range.start) {
            in_gap(gap, at, edits);
        }
        at = at.max(range.end);
    }
}

fn in_gap(gap: &str, start: usize, edits: &mut Vec<Edit>) {
    let mut word: Option<usize> = None;
    let ends = |c: char| c.is_whitespace() || ",[]{}".contains(c);
    for (at, c) in gap.char_indices().chain([(gap.len(), ' ')]) {
        match word {
            None if !ends(c) => word = Some(at),
            Some(from) if ends(c) => {
                word = None;
                let mask = gap.get(from..at).and_then(mask);
                edits.extend(mask.map(|mask| (start + from..start + at, mask)));
            }
            _ => {}
        }
    }
}

/// What is shown instead of a word; `None` for one that tells nothing.
fn mask(word: &str) -> Option<String> {
    let word = word.trim_matches(['-', ':', '?', '.', '\u{feff}']);
    let kind = match word.chars().next()? {
        _ if TAGS.contains(&word) => return None,
        '&' => "anchor",
        '*' => "alias",
        '!' => "tag",
        _ => "hidden",
    };
    Some(format!("«{kind}»"))
}

/// Tags that are in every reader of YAML, and the mark of a text.
const TAGS: [&str; 16] = [
    "!",
    "!!binary",
    "!!bool",
    "!!float",
    "!!int",
    "!!map",
    "!!merge",
    "!!null",
    "!!omap",
    "!!pairs",
    "!!seq",
    "!!set",
    "!!str",
    "!!timestamp",
    "!!value",
    "!!yaml",
];
