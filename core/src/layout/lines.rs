//! Differences of two texts by lines. Each names the lines it replaces by number and by a digest, so that it is not taken
//! where they have changed.
//!
//! Text form, one difference after the other: `@FIRST COUNT BYTES DIGEST`, a line break, the new text, a line break.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// So many lines are looked at to find where two texts meet again.
const REACH: usize = 32;

/// What makes `new` of `old`.
pub(super) fn difference(old: &str, new: &str) -> Zeroizing<String> {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let mut text = Zeroizing::new(String::new());
    let (mut at, mut at_new) = (0, 0);
    while at < old.len() || at_new < new.len() {
        if let (Some(line), Some(line_new)) = (old.get(at), new.get(at_new))
            && line == line_new
        {
            (at, at_new) = (at + 1, at_new + 1);
            continue;
        }
        let (gone, come) = meeting(
            old.get(at..).unwrap_or_default(),
            new.get(at_new..).unwrap_or_default(),
        );
        let replaced = old.get(at..at + gone).unwrap_or_default();
        let come_lines = new.get(at_new..at_new + come).unwrap_or_default();
        let bytes: usize = come_lines.iter().map(|line| line.len()).sum();
        // Writing to a string does not fail.
        writeln!(text, "@{at} {gone} {bytes} {}", digest(replaced)).unwrap_or_default();
        for line in come_lines {
            text.push_str(line);
        }
        text.push('\n');
        (at, at_new) = (at + gone, at_new + come);
    }
    text
}

/// How many lines of each to pass until both go on with the same line.
fn meeting(old: &[&str], new: &[&str]) -> (usize, usize) {
    for sum in 1..2 * REACH {
        for gone in 0..=sum.min(REACH) {
            let come = sum - gone;
            match (old.get(gone), new.get(come)) {
                (Some(one), Some(other)) if one == other => return (gone, come),
                (None, None) if gone == old.len() && come == new.len() => return (gone, come),
                _ => {}
            }
        }
    }
    (old.len(), new.len())
}

/// Lines to be replaced, and by what.
#[derive(Clone)]
pub(super) struct Change<'a> {
    first: usize,
    count: usize,
    digest: &'a str,
    new: &'a str,
}

/// The differences of their text form; `None` for any other text.
pub(super) fn parse(differences: &str) -> Option<Vec<Change<'_>>> {
    let mut changes = Vec::new();
    let mut rest = differences;
    while !rest.is_empty() {
        let (head, behind) = rest.strip_prefix('@')?.split_once('\n')?;
        let mut fields = head.split(' ');
        let mut number = || fields.next()?.parse::<usize>().ok();
        let (first, count, bytes) = (number()?, number()?, number()?);
        first.checked_add(count)?;
        changes.push(Change {
            first,
            count,
            digest: fields.next()?,
            new: behind.get(..bytes)?,
        });
        if fields.next().is_some() {
            return None;
        }
        rest = behind.get(bytes..)?.strip_prefix('\n')?;
    }
    Some(changes)
}

/// The new text; `None` when the differences are not for this one.
pub(super) fn apply(old: &str, changes: &[Change<'_>]) -> Option<Zeroizing<String>> {
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let mut text = Zeroizing::new(String::with_capacity(old.len()));
    let mut at = 0;
    for change in changes {
        let replaced = lines.get(change.first..change.first + change.count)?;
        if change.digest != digest(replaced) {
            return None;
        }
        for line in lines.get(at..change.first)? {
            text.push_str(line);
        }
        text.push_str(change.new);
        at = change.first + change.count;
    }
    for line in lines.get(at..)? {
        text.push_str(line);
    }
    Some(text)
}

/// Those of the differences that fit a text in which lines came, went or changed since, as they fit it. What replaces
/// nothing has no digest to be known by: it is taken where its neighbours moved alike.
pub(super) fn fitting<'a>(old: &str, changes: &[Change<'a>]) -> Vec<Change<'a>> {
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let (mut at, mut moved) = (0, 0);
    let mut places: Vec<Option<usize>> = Vec::with_capacity(changes.len());
    for change in changes {
        let found = match change.count {
            0 => None,
            _ => change.found(&lines, at, moved),
        };
        if let Some(first) = found {
            (at, moved) = (first + change.count, distance(change.first, first));
        }
        places.push(found);
    }
    // How far what is found next has moved.
    let mut next = None;
    let mut after = Vec::with_capacity(changes.len());
    for (change, place) in changes.iter().zip(&places).rev() {
        next = place.map_or(next, |first| Some(distance(change.first, first)));
        after.push(next);
    }
    let (mut fitting, mut at, mut moved) = (Vec::new(), 0, 0);
    for ((change, place), next) in changes.iter().zip(places).zip(after.into_iter().rev()) {
        let place = match change.count {
            0 if next.unwrap_or(moved) == moved => change.first.checked_add_signed(moved),
            _ => place,
        };
        let Some(first) = place.filter(|first| *first >= at && *first <= lines.len()) else {
            continue;
        };
        (at, moved) = (first + change.count, distance(change.first, first));
        fitting.push(Change {
            first,
            ..change.clone()
        });
    }
    fitting
}

fn distance(from: usize, to: usize) -> isize {
    isize::try_from(to)
        .unwrap_or_default()
        .saturating_sub(isize::try_from(from).unwrap_or_default())
}

impl Change<'_> {
    /// Where its lines stand now, from `at` on, next to where they would when they moved so far.
    fn found(&self, lines: &[&str], at: usize, moved: isize) -> Option<usize> {
        let wanted = self.first.saturating_add_signed(moved);
        let fits = |first: &usize| {
            let end = first.saturating_add(self.count);
            let replaced = lines.get(*first..end);
            *first >= at && replaced.is_some_and(|lines| digest(lines) == self.digest)
        };
        (0..=REACH).find_map(|by| {
            let below = wanted.checked_sub(by).filter(fits);
            below.or_else(|| Some(wanted.saturating_add(by)).filter(fits))
        })
    }
}

fn digest(lines: &[&str]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
    }
    let hash = hash.finalize();
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;

    use super::*;

    fn apply(old: &str, differences: &str) -> Option<Zeroizing<String>> {
        super::apply(old, &parse(differences)?)
    }

    #[test]
    fn differences_bring_the_new_text_back() {
        let texts = [
            "",
            "\n",
            "a",
            "a\n",
            "a\nb\nc\n",
            "a\nB\nc\n",
            "a\nc",
            "x\ny\nz\n@0 1 2\n",
            "b\na\nc\n\n\n",
        ];
        for old in texts {
            for new in texts {
                let differences = difference(old, new);
                assert_eq!(apply(old, &differences).unwrap().as_str(), new);
                assert_eq!(differences.is_empty(), old == new);
            }
        }
    }

    #[test]
    fn a_line_that_changed_elsewhere_does_not_matter() {
        let differences = difference("a: 31\nb: 1\n", "a: 0x1F\nb: 1\n");
        let other = apply("a: 31\nb: 2\n", &differences).unwrap();
        assert_eq!(other.as_str(), "a: 0x1F\nb: 2\n");
        assert_eq!(apply("a: 32\nb: 1\n", &differences), None);
        assert_eq!(apply("", &differences), None);
    }

    #[test]
    fn what_is_no_list_of_differences_is_not_taken() {
        for text in [
            "x",
            "@",
            "@0 0 9 e3b0c44298fc1c14\na\n",
            "@0 0 1\na\n",
            "@9 9 1 00\na\n",
        ] {
            assert_eq!(apply("a\n", text), None, "{text}");
        }
    }

    #[test]
    fn what_still_fits_is_found_where_lines_came_and_went() {
        let old = "a: 31\nb: 1\nc: one two\nd: 2\n";
        let new = "# top\n\na: 0x1F\nb: 1\nc: >\n  one\n  two\n\nd: 2\n";
        let differences = difference(old, new);
        let changes = parse(&differences).unwrap();
        for (now, expected) in [
            (old.to_owned(), new.to_owned()),
            (
                old.replace("b: 1\n", "b: 1\nx: y\n"),
                new.replace("b: 1\n", "b: 1\nx: y\n"),
            ),
            (old.replace("b: 1\n", ""), new.replace("b: 1\n", "")),
            (
                old.replace("one two", "three"),
                "# top\n\na: 0x1F\nb: 1\nc: three\nd: 2\n".to_owned(),
            ),
            (String::new(), String::new()),
        ] {
            let fitting = fitting(&now, &changes);
            let text = super::apply(&now, &fitting).unwrap();
            assert_eq!(text.as_str(), expected, "{now}");
        }
    }
}
