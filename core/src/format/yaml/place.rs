//! Which collection a comment belongs to: the reference takes its path as additional data.
//!
//! A comment behind something on its line belongs to the collection of what it follows, behind a dash to its
//! list. One on a
//! line of its own belongs where its indentation puts it: to the collection whose first entry it
//! precedes, to that of the next entry when their columns agree, else to the deepest collection
//! open before it that does not stand further right (SOPS 3.11 through go-yaml, measured).

use alloc::vec::Vec;

use super::block::line_start;
use crate::path::Path;

#[derive(Debug)]
struct Place {
    start: usize,
    column: usize,
    is_list: bool,
    parent: Option<usize>,
    path: Path,
}

/// Column of the last dash, when nothing but dashes stands there.
fn dash_alone(lead: &str) -> Option<usize> {
    lead.bytes()
        .all(|byte| matches!(byte, b' ' | b'-'))
        .then(|| lead.rfind('-'))?
}

/// The collections of one document and where their entries begin.
#[derive(Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    /// Offset of a key or list item, and its collection; in file order.
    entries: Vec<(usize, usize)>,
}

impl Places {
    pub(crate) fn open(
        &mut self,
        start: usize,
        column: usize,
        is_list: bool,
        parent: Option<usize>,
        path: Path,
    ) -> usize {
        self.places.push(Place {
            start,
            column,
            is_list,
            parent,
            path,
        });
        self.places.len() - 1
    }

    pub(crate) fn entry(&mut self, start: usize, place: usize) {
        self.entries.push((start, place));
    }

    pub(crate) fn of_comment(&self, text: &str, at: usize) -> Path {
        let next = self.entries.partition_point(|(start, _)| *start < at);
        let before = next
            .checked_sub(1)
            .and_then(|index| self.entries.get(index))
            .map(|(_, place)| *place);
        let after = self.entries.get(next).map(|(_, place)| *place);
        let lead = text.get(line_start(text, at)..at).unwrap_or("");
        let place = if let Some(column) = dash_alone(lead) {
            let list = |from: Option<usize>| self.list_at(column, from?, at);
            list(after).or_else(|| list(before)).or(before).or(after)
        } else if !lead.trim().is_empty() {
            before.or(after)
        } else if let (Some(before), Some(after)) = (before, after) {
            Some(self.own_line(at, lead.chars().count(), before, after))
        } else {
            before
                .map(|before| self.enclosing(lead.chars().count(), before))
                .or(after)
        };
        place
            .and_then(|place| self.places.get(place))
            .map(|place| place.path.clone())
            .unwrap_or_default()
    }

    fn own_line(&self, at: usize, column: usize, before: usize, after: usize) -> usize {
        let opens_after = self
            .places
            .get(after)
            .is_some_and(|place| place.start >= at);
        let same_column = self
            .places
            .get(after)
            .is_some_and(|place| place.column == column);
        if opens_after || same_column {
            after
        } else {
            self.enclosing(column, before)
        }
    }

    /// The list around a place whose dashes stand in a column.
    fn list_at(&self, column: usize, from: usize, at: usize) -> Option<usize> {
        let mut place = from;
        loop {
            let open = self.places.get(place)?;
            if open.column == column && open.start < at && open.is_list {
                return Some(place);
            }
            place = open.parent?;
        }
    }

    fn enclosing(&self, column: usize, from: usize) -> usize {
        let mut place = from;
        while let Some(open) = self.places.get(place) {
            match open.parent {
                Some(parent) if open.column > column => place = parent,
                _ => break,
            }
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use crate::document::{Document, Plain};
    use crate::limits::Limits;

    fn additional_data(text: &str) -> Vec<String> {
        let document = Document::<Plain>::parse(text.as_bytes(), &Limits::default()).unwrap();
        let comments = document.comments();
        comments
            .map(|(_, comment)| comment.path.additional_data())
            .collect()
    }

    #[test]
    fn comments_in_lists_belong_to_the_list() {
        for (text, expected) in [
            ("s:\n- a\n# c\n- b\n", &["s:"][..]),
            ("s:\n  - a\n  # c\n  - b\n", &["s:"]),
            ("s:\n- # c\n  a: b\n", &["s:"]),
            ("s:\n  - # c\n    a: b\n", &["s:"]),
            ("s:\n- a # c\n", &["s:"]),
        ] {
            assert_eq!(additional_data(text), expected, "{text}");
        }
    }
}
