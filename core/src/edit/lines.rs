//! Which lines of a dotenv or INI text to add or take away. As in `brackets`, a proposal only.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::format::parts::{Item, Root, Scalar};
use crate::format::yaml::block::{line_end, line_start};
use crate::format::yaml::write;
use crate::format::{Edit, Format, dotenv, ini};
use crate::path::Segment;
use crate::tree::Node;

/// What to replace so that a value stands at a path that had none, or that the value there is gone.
pub(super) fn edits(
    format: Format,
    text: &str,
    root: &Root,
    steps: &[Segment],
    value: Option<&Node>,
) -> Option<Vec<Edit>> {
    let scalars = root.items.iter().filter_map(|item| match item {
        Item::Scalar(scalar) => Some(scalar),
        Item::Comment(_) => None,
    });
    let Some(value) = value else {
        let mut scalars = scalars;
        return removal(text, scalars.find(|at| at.path.is(steps))?);
    };
    let newline = write::newline(text);
    let node = Node::grown(steps, value.clone());
    if format == Format::Dotenv {
        // There a carriage return is of the value.
        return Some(vec![at_end(text, &dotenv::emit(&node).ok()?, "\n")]);
    }
    let (_, section) = steps.split_last()?;
    let mut beside = scalars.filter(|at| !section.is_empty() && at.path.begins_with(section));
    let written = ini::emit(&node).ok()?;
    let Some(last) = beside.next_back() else {
        return Some(vec![at_end(text, &format!("\n{written}"), newline)]);
    };
    // Behind the last of its section, without the section's own line.
    let pair = written.lines().find(|line| !line.starts_with('['))?;
    let at = line_end(text, last.span.end());
    Some(vec![(at..at, format!("{newline}{pair}"))])
}

fn at_end(text: &str, written: &str, newline: &str) -> Edit {
    let written = if text.is_empty() || text.ends_with('\n') {
        String::from(written)
    } else {
        format!("\n{written}")
    };
    let written = written.replace('\n', newline);
    (text.len()..text.len(), written)
}

/// The line of a value with the comment lines right above it.
fn removal(text: &str, scalar: &Scalar) -> Option<Vec<Edit>> {
    let mut from = line_start(text, scalar.span.start());
    let end = line_end(text, scalar.span.end());
    let newline = text.get(end..)?.find('\n').map_or(0, |at| at + 1);
    let before = text.get(..from)?;
    for above in before.split_inclusive('\n').rev() {
        if !above.starts_with(['#', ';']) {
            break;
        }
        from -= above.len();
    }
    Some(vec![(from..end + newline, String::new())])
}
