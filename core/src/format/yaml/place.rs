//! Which collection a comment belongs to: the reference takes its path as additional data.
//!
//! A comment behind something on its line belongs to the collection of what it follows, behind a dash to its
//! list. One on a
//! line of its own belongs where its indentation puts it: to the collection whose first entry it
//! precedes, to that of the next entry when their columns agree, else to the deepest collection
//! open before it that does not stand further right, or to the deepest of all when it comes first
//! and a line in another column follows at once (SOPS 3.11 through go-yaml, measured).

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
    /// The last anchored flow collections: where each ends, and which it is. A comment behind one is of its inside.
    anchored: Vec<(usize, usize)>,
    /// Where the last comment's line begins that stands below a dash alone, and the dash's list.
    below_dash: (usize, usize),
    /// The last run of comments looked at: its end, its column, and whether it is cut off.
    run: (usize, usize, bool),
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

    /// A flow collection with an anchor ends.
    pub(crate) fn anchored_end(&mut self, end: usize, place: usize) {
        self.anchored.push((end, place));
    }

    pub(crate) fn entry(&mut self, start: usize, place: usize) {
        self.entries.push((start, place));
    }

    pub(crate) fn of_comment(&mut self, text: &str, at: usize) -> Path {
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
            let entry = next.checked_sub(1).and_then(|at| self.entries.get(at));
            let entry = entry.map_or(0, |(start, _)| *start);
            if lead
                .split_whitespace()
                .next_back()
                .is_some_and(|word| word.starts_with(['&', '!']))
                && let Some(after) = after.filter(|after| self.begins_after(*after, at))
            {
                return self.path(after);
            }
            let end = at - (lead.len() - lead.trim_end().len());
            let anchored = self.anchored.binary_search_by_key(&end, |(end, _)| *end);
            let anchored = anchored.ok().and_then(|found| self.anchored.get(found));
            let anchored = anchored.map(|(_, place)| *place);
            anchored
                .or(self.empty_before(lead, at, entry))
                .or(before)
                .or(after)
        } else if let Some(list) = self.below_dash(text, at, before, after) {
            Some(list)
        } else if let (Some(before), Some(after)) = (before, after) {
            let column = lead.chars().count();
            let place = self.own_line(at, column, after);
            Some(match place {
                Some(place) => place,
                None if self.is_cut_off(text, at, column) => before,
                None => self.enclosing(column, before),
            })
        } else {
            before
                .map(|before| self.enclosing(lead.chars().count(), before))
                .or(after)
        };
        place.map(|place| self.path(place)).unwrap_or_default()
    }

    /// The list of a dash that stands alone on the line before, or before other such comments.
    fn below_dash(
        &mut self,
        text: &str,
        at: usize,
        before: Option<usize>,
        after: Option<usize>,
    ) -> Option<usize> {
        let line = line_start(text, at);
        let above = line_start(text, line.checked_sub(1)?);
        let lead = text.get(above..line)?.trim_end();
        let own = text.get(line..at)?.chars().count();
        let list = if let Some(column) = dash_alone(lead).filter(|column| *column < own) {
            let list = |from: Option<usize>| self.list_at(column, from?, at);
            list(after).or_else(|| list(before))?
        } else if lead.trim_start().starts_with('#') && self.below_dash.0 == above {
            self.below_dash.1
        } else {
            return None;
        };
        self.below_dash = (line, list);
        Some(list)
    }

    fn path(&self, place: usize) -> Path {
        let place = self.places.get(place);
        place.map(|place| place.path.clone()).unwrap_or_default()
    }

    fn begins_after(&self, place: usize, at: usize) -> bool {
        let place = self.places.get(place);
        place.is_some_and(|place| place.start >= at)
    }

    fn own_line(&self, at: usize, column: usize, after: usize) -> Option<usize> {
        let opens_after = self.begins_after(after, at);
        let same_column = self
            .places
            .get(after)
            .is_some_and(|place| place.column == column);
        (opens_after || same_column).then_some(after)
    }

    /// The empty collection that ends just before a comment.
    fn empty_before(&self, lead: &str, at: usize, entry: usize) -> Option<usize> {
        let last = self.places.partition_point(|place| place.start < at);
        let last = last.checked_sub(1)?;
        let place = self.places.get(last)?;
        (place.start > entry && lead.trim_end().ends_with([']', '}'])).then_some(last)
    }

    /// Whether the lines of comments from here on, the first behind an entry and all in one column, are
    /// followed at once by a line in another one.
    fn is_cut_off(&mut self, text: &str, at: usize, column: usize) -> bool {
        let (until, of, answer) = self.run;
        if at < until && of == column {
            return answer;
        }
        let mut until = at;
        let mut answer = false;
        for (number, line) in text
            .get(at..)
            .unwrap_or_default()
            .split_inclusive('\n')
            .enumerate()
        {
            let rest = line.trim_start_matches(' ');
            let lead = line.len() - rest.len();
            if number > 0 && !(lead == column && rest.starts_with('#')) {
                answer = lead != column && !rest.trim().is_empty();
                break;
            }
            until += line.len();
        }
        let earlier = text
            .get(..line_start(text, at))
            .unwrap_or_default()
            .trim_end();
        let earlier = earlier.get(line_start(earlier, earlier.len())..);
        answer &= !earlier.is_some_and(|line| line.trim_start().starts_with('#'));
        self.run = (until, column, answer);
        answer
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
    fn comments_belong_where_the_reference_files_them() {
        for (text, expected) in [
            ("s:\n- a\n# c\n- b\n", &["s:"][..]),
            ("s:\n  - a\n  # c\n  - b\n", &["s:"]),
            ("s:\n- # c\n  a: b\n", &["s:"]),
            ("s:\n  - # c\n    a: b\n", &["s:"]),
            ("s:\n- a # c\n", &["s:"]),
            ("s: {} # c\n", &["s:"]),
            ("s: []  # c\nt: u\n", &["s:"]),
            ("s:\n- {} # c\n", &["s:"]),
            ("s: []\n# c\nt: u\n", &[":"]),
            ("a:\n  b:\n    c: d\n  # x\n# y\nd: e\n", &["a:b:", ":"]),
            (
                "a:\n  b:\n    c: d\n  # x\n  # z\nd: e\n",
                &["a:b:", "a:b:"],
            ),
            ("a:\n  b:\n    c: d\n  # x\n\nd: e\n", &["a:"]),
            ("a:\n  b:\n    c: d\n  # x\n  e: f\n", &["a:"]),
        ] {
            assert_eq!(additional_data(text), expected, "{text}");
        }
    }
}
