//! What two sequences have in common, and what becomes of a third that both were made of.
//!
//! Items are numbers: whoever asks gives equal things the same one, see [`numbered`]. Items that stand once on both
//! sides are matched first, and what lies between them in turn; a stretch without any such item is matched by the
//! longest common subsequence while it is short, and counts as replaced otherwise. So the work stays in proportion to
//! the input.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// Numbers for the items of several sequences, equal ones for equal items.
pub(crate) fn numbered<T: Ord>(sequences: &[&[T]]) -> Vec<Vec<usize>> {
    let mut all: Vec<&T> = sequences.iter().flat_map(|items| items.iter()).collect();
    all.sort_unstable();
    all.dedup();
    let number = |item: &T| all.binary_search(&item).unwrap_or(usize::MAX);
    (sequences.iter())
        .map(|items| items.iter().map(number).collect())
        .collect()
}

/// Positions of items that are the same on both sides, ascending in both.
pub(crate) fn matches(old: &[usize], new: &[usize]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open = vec![(0..old.len(), 0..new.len(), LEVELS)];
    while let Some((mut left, mut right, levels)) = open.pop() {
        while let (Some(one), Some(other)) = (at(old, &left, 0), at(new, &right, 0))
            && one == other
        {
            found.push((left.start, right.start));
            (left.start, right.start) = (left.start + 1, right.start + 1);
        }
        while let (Some(one), Some(other)) = (last(old, &left), last(new, &right))
            && one == other
        {
            (left.end, right.end) = (left.end - 1, right.end - 1);
            found.push((left.end, right.end));
        }
        if left.is_empty() || right.is_empty() {
            continue;
        }
        let anchors = match levels {
            0 => Vec::new(),
            _ => anchors(old, &left, new, &right),
        };
        if anchors.is_empty() {
            longest(old, &left, new, &right, &mut found);
            continue;
        }
        let (mut from, mut from_new) = (left.start, right.start);
        for (one, other) in anchors {
            found.push((one, other));
            open.push((from..one, from_new..other, levels - 1));
            (from, from_new) = (one + 1, other + 1);
        }
        open.push((from..left.end, from_new..right.end, levels - 1));
    }
    found.sort_unstable();
    found
}

/// So often a stretch is divided by items that stand once.
const LEVELS: usize = 32;

/// So many pairs of items are compared in a stretch at most.
const PAIRS: usize = 1 << 16;

fn at(items: &[usize], range: &Range<usize>, offset: usize) -> Option<usize> {
    let place = range.start + offset;
    (place < range.end)
        .then(|| items.get(place).copied())
        .flatten()
}

fn last(items: &[usize], range: &Range<usize>) -> Option<usize> {
    let before = range.end.checked_sub(1)?;
    (before >= range.start)
        .then(|| items.get(before).copied())
        .flatten()
}

/// Items that stand once in both stretches, as many as come in the same order.
fn anchors(
    old: &[usize],
    left: &Range<usize>,
    new: &[usize],
    right: &Range<usize>,
) -> Vec<(usize, usize)> {
    let (once, once_new) = (once(old, left), once(new, right));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (item, place) in once {
        if let Ok(found) = once_new.binary_search_by_key(&item, |(item, _)| *item)
            && let Some((_, other)) = once_new.get(found)
        {
            pairs.push((place, *other));
        }
    }
    pairs.sort_unstable();
    ascending(&pairs)
}

/// The items that stand once in a stretch, with their places, by item.
fn once(items: &[usize], range: &Range<usize>) -> Vec<(usize, usize)> {
    let places = range.clone();
    let of = items.get(range.clone()).unwrap_or_default();
    let mut sorted: Vec<(usize, usize)> = of.iter().copied().zip(places).collect();
    sorted.sort_unstable();
    let is_once = |run: &&[(usize, usize)]| run.len() == 1;
    let runs = sorted.chunk_by(|one, other| one.0 == other.0);
    runs.filter(is_once).flatten().copied().collect()
}

/// The longest part of the pairs whose second numbers ascend, as their first do.
fn ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair that ends such a part lowest; and for each pair, the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |at: usize| pairs.get(at).map_or(usize::MAX, |pair| pair.1);
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < pair.1);
        before.push(length.checked_sub(1).and_then(|it| ends.get(it).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut part = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(at) = next {
        part.extend(pairs.get(at).copied());
        next = before.get(at).copied().flatten();
    }
    part.reverse();
    part
}

/// The longest common subsequence of two short stretches.
fn longest(
    old: &[usize],
    left: &Range<usize>,
    new: &[usize],
    right: &Range<usize>,
    found: &mut Vec<(usize, usize)>,
) {
    let (rows, columns) = (left.len(), right.len());
    if rows.saturating_mul(columns) > PAIRS {
        return;
    }
    // How much both have in common from a place on.
    let width = columns + 1;
    let mut lengths = vec![0_usize; (rows + 1) * width];
    let length = |lengths: &[usize], row: usize, column: usize| {
        lengths.get(row * width + column).copied().unwrap_or(0)
    };
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let best = if at(old, left, row) == at(new, right, column) {
                length(&lengths, row + 1, column + 1) + 1
            } else {
                length(&lengths, row + 1, column).max(length(&lengths, row, column + 1))
            };
            if let Some(place) = lengths.get_mut(row * width + column) {
                *place = best;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if at(old, left, row) == at(new, right, column) {
            found.push((left.start + row, right.start + column));
            (row, column) = (row + 1, column + 1);
        } else if length(&lengths, row + 1, column) >= length(&lengths, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
}

/// A stretch that one sequence has in the place of another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// What it replaces.
    pub old: Range<usize>,
    /// What it puts there.
    pub new: Range<usize>,
}

/// The stretches of lines in which two texts differ, by the numbers of the lines from 0.
pub fn line_hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    match numbered(&[old, new]).as_slice() {
        [old, new] => hunks(old, new),
        _ => Vec::new(),
    }
}

/// The stretches in which two sequences differ.
pub(crate) fn hunks(old: &[usize], new: &[usize]) -> Vec<Hunk> {
    let mut hunks = Vec::new();
    let (mut from, mut from_new) = (0, 0);
    let ends = [(old.len(), new.len())];
    for (at, at_new) in matches(old, new).into_iter().chain(ends) {
        if from < at || from_new < at_new {
            hunks.push(Hunk {
                old: from..at,
                new: from_new..at_new,
            });
        }
        (from, from_new) = (at + 1, at_new + 1);
    }
    hunks
}

/// A part of what two changed versions make together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it was.
    Base(Range<usize>),
    /// Changed in different ways.
    Both {
        base: Range<usize>,
        ours: Range<usize>,
        theirs: Range<usize>,
    },
    /// Changed by us alone, or by both alike.
    Ours(Range<usize>),
    /// Changed by them alone.
    Theirs(Range<usize>),
}

/// Puts two changed versions together. Changes that only touch each other do not disturb each other.
pub(crate) fn three_way(base: &[usize], ours: &[usize], theirs: &[usize]) -> Vec<Piece> {
    let (one, other) = (hunks(base, ours), hunks(base, theirs));
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut pieces = Vec::new();
    let mut at = 0;
    let order = |hunk: &Hunk| (hunk.old.start, hunk.old.end);
    loop {
        let ours_first = match (one.peek(), other.peek()) {
            (None, None) => break,
            (Some(one), Some(other)) => order(one) <= order(other),
            (one, _) => one.is_some(),
        };
        let first = if ours_first { one.peek() } else { other.peek() };
        let Some(mut range) = first.map(|hunk| hunk.old.clone()) else {
            break;
        };
        let (mut mine, mut others) = (Side::default(), Side::default());
        loop {
            let joins = |hunk: &&Hunk, has_other: bool| {
                let overlaps = hunk.old.start < range.end && range.start < hunk.old.end;
                overlaps || has_other && hunk.old == range
            };
            let begins = mine.is_none() && others.is_none();
            let next = if begins && ours_first
                || one.peek().is_some_and(|it| joins(it, !others.is_none()))
            {
                one.next().inspect(|hunk| mine.take(hunk))
            } else if begins || other.peek().is_some_and(|it| joins(it, !mine.is_none())) {
                other.next().inspect(|hunk| others.take(hunk))
            } else {
                None
            };
            let Some(next) = next else { break };
            range = range.start.min(next.old.start)..range.end.max(next.old.end);
        }
        if at < range.start {
            pieces.push(Piece::Base(at..range.start));
        }
        at = range.end;
        pieces.push(match (mine.range(&range), others.range(&range)) {
            (Some(mine), Some(others)) => {
                if ours.get(mine.clone()) == theirs.get(others.clone()) {
                    Piece::Ours(mine)
                } else {
                    Piece::Both {
                        base: range,
                        ours: mine,
                        theirs: others,
                    }
                }
            }
            (Some(mine), None) => Piece::Ours(mine),
            (None, Some(others)) => Piece::Theirs(others),
            (None, None) => Piece::Base(range),
        });
    }
    if at < base.len() {
        pieces.push(Piece::Base(at..base.len()));
    }
    pieces
}

/// The first and the last of a side's hunks in a group.
#[derive(Default)]
struct Side {
    ends: Option<(Hunk, Hunk)>,
}

impl Side {
    fn is_none(&self) -> bool {
        self.ends.is_none()
    }

    fn take(&mut self, hunk: &Hunk) {
        match &mut self.ends {
            Some((_, last)) => *last = hunk.clone(),
            none => *none = Some((hunk.clone(), hunk.clone())),
        }
    }

    /// What the side has in the place of a stretch.
    fn range(&self, base: &Range<usize>) -> Option<Range<usize>> {
        let (first, last) = self.ends.as_ref()?;
        let before = first.old.start.saturating_sub(base.start);
        let behind = base.end.saturating_sub(last.old.end);
        Some(first.new.start.saturating_sub(before)..last.new.end + behind)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn numbers(texts: &[&str]) -> Vec<Vec<usize>> {
        let sequences: Vec<Vec<char>> = texts.iter().map(|text| text.chars().collect()).collect();
        let sequences: Vec<&[char]> = sequences.iter().map(Vec::as_slice).collect();
        numbered(&sequences)
    }

    fn merged(base: &str, ours: &str, theirs: &str) -> String {
        let all = numbers(&[base, ours, theirs]);
        let part = |text: &str, range: Range<usize>| -> String {
            text.chars().skip(range.start).take(range.len()).collect()
        };
        let pieces = three_way(&all[0], &all[1], &all[2]).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Base(range) => part(base, range),
                Piece::Ours(range) => part(ours, range),
                Piece::Theirs(range) => part(theirs, range),
                Piece::Both {
                    base: was,
                    ours: one,
                    theirs: other,
                } => alloc::format!(
                    "({}|{}|{})",
                    part(ours, one),
                    part(base, was),
                    part(theirs, other)
                ),
            })
            .collect()
    }

    #[test]
    fn what_two_texts_have_in_common_is_found() {
        for (old, new, count) in [
            ("", "", 0),
            ("a", "", 0),
            ("abc", "abc", 3),
            ("abc", "xabyc", 3),
            ("aabbaa", "abab", 3),
            ("abcd", "bcda", 3),
            ("xxxx", "yyyy", 0),
        ] {
            let all = numbers(&[old, new]);
            let found = matches(&all[0], &all[1]);
            assert_eq!(found.len(), count, "{old} {new}");
            assert!(found.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1));
            assert!(
                found
                    .iter()
                    .all(|(one, other)| all[0][*one] == all[1][*other])
            );
        }
    }

    #[test]
    fn long_texts_without_anything_in_common_take_no_time() {
        let old: Vec<usize> = (0..20_000).map(|at| at % 3).collect();
        let new: Vec<usize> = (0..20_000).map(|at| at % 3 + 3).collect();
        assert_eq!(hunks(&old, &new).len(), 1);
        let turned: Vec<usize> = (0..20_000).rev().collect();
        let straight: Vec<usize> = (0..20_000).collect();
        assert!(!matches(&straight, &turned).is_empty());
    }

    #[test]
    fn changes_in_different_places_come_together() {
        for (base, ours, theirs, expected) in [
            ("abc", "abc", "abc", "abc"),
            ("abc", "xbc", "aby", "xby"),
            ("ab", "xb", "ay", "xy"),
            ("abc", "ac", "abcd", "acd"),
            ("abc", "axbc", "abyc", "axbyc"),
            ("abc", "xbc", "xbc", "xbc"),
            ("abc", "bc", "bc", "bc"),
            ("abc", "abcx", "abcy", "abc(x||y)"),
            ("abc", "abcx", "abcx", "abcx"),
            ("abc", "axc", "ayc", "a(x|b|y)c"),
            ("abc", "ac", "ayc", "a(|b|y)c"),
            ("abcd", "axyd", "abzd", "a(xy|bc|bz)d"),
            ("abcd", "d", "abxcd", "(|abc|abxc)d"),
            ("", "a", "b", "(a||b)"),
            ("abcdef", "xbcdey", "abXdef", "xbXdey"),
        ] {
            assert_eq!(
                merged(base, ours, theirs),
                expected,
                "{base} {ours} {theirs}"
            );
        }
    }
}
