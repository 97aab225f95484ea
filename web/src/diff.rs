//! The difference of two texts by lines, for the pane that shows what a save changes in Git.
//!
//! Myers' greedy algorithm on the part between the common head and tail. Texts that differ in more than
//! [`MOST_EDITS`] lines are shown as replaced whole there: no one reads such a difference line by line.

use serde::Serialize;

/// What a row says about its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Sign {
    /// The line is new.
    #[serde(rename = "+")]
    Added,
    /// Unchanged lines are left out here.
    #[serde(rename = "@")]
    Gap,
    /// The line goes.
    #[serde(rename = "-")]
    Removed,
    /// The line is in both.
    #[serde(rename = " ")]
    Same,
}

/// One row of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row<'a> {
    /// Added, removed, the same, or a gap.
    pub sign: Sign,
    /// Line in the old text, from 1.
    pub old: Option<usize>,
    /// Line in the new text, from 1.
    pub new: Option<usize>,
    /// The line without its line break; for a gap, how much is left out.
    pub text: std::borrow::Cow<'a, str>,
}

/// How many lines were added and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Lines that only the new text has.
    pub added: usize,
    /// Lines that only the old text has.
    pub removed: usize,
}

/// Every line of both texts, in order.
pub fn rows<'a>(old: &'a str, new: &'a str) -> Vec<Row<'a>> {
    let (a, b) = (split(old), split(new));
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - head;
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(room)
        .take_while(|(x, y)| x == y)
        .count();
    let middle_a = a.get(head..a.len() - tail).unwrap_or_default();
    let middle_b = b.get(head..b.len() - tail).unwrap_or_default();

    let mut rows = Rows {
        all: Vec::with_capacity(a.len() + b.len()),
        old: 0,
        new: 0,
    };
    for line in a.iter().take(head) {
        rows.push(Sign::Same, line);
    }
    for (sign, index) in edits(middle_a, middle_b) {
        let line = if sign == Sign::Added {
            middle_b.get(index)
        } else {
            middle_a.get(index)
        };
        rows.push(sign, line.copied().unwrap_or_default());
    }
    for line in a.iter().skip(a.len() - tail) {
        rows.push(Sign::Same, line);
    }
    rows.all
}

/// Keeps `context` unchanged lines around each change and puts a gap for the others.
pub fn hunks<'a>(rows: Vec<Row<'a>>, context: usize) -> Vec<Row<'a>> {
    let changed: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.sign != Sign::Same)
        .map(|(at, _)| at)
        .collect();
    let near = |at: usize| {
        let next = changed.partition_point(|&c| c < at);
        let after = changed.get(next).is_some_and(|&c| c - at <= context);
        let before = next
            .checked_sub(1)
            .and_then(|i| changed.get(i))
            .is_some_and(|&c| at - c <= context);
        after || before
    };
    let mut kept = Vec::new();
    let mut skipped = 0;
    for (at, row) in rows.into_iter().enumerate() {
        if near(at) {
            gap(&mut kept, &mut skipped);
            kept.push(row);
        } else {
            skipped += 1;
        }
    }
    gap(&mut kept, &mut skipped);
    kept
}

/// How many lines a difference adds and removes.
pub fn count(rows: &[Row<'_>]) -> Count {
    let of = |sign| rows.iter().filter(|row| row.sign == sign).count();
    Count {
        added: of(Sign::Added),
        removed: of(Sign::Removed),
    }
}

fn gap(rows: &mut Vec<Row<'_>>, skipped: &mut usize) {
    let text = match std::mem::take(skipped) {
        0 => return,
        1 => "1 unchanged line".to_owned(),
        n => format!("{n} unchanged lines"),
    };
    rows.push(Row {
        sign: Sign::Gap,
        old: None,
        new: None,
        text: text.into(),
    });
}

/// Lines without their line breaks; a text that ends in one has no empty last line.
fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').unwrap_or(line))
        .collect()
}

struct Rows<'a> {
    all: Vec<Row<'a>>,
    old: usize,
    new: usize,
}

impl<'a> Rows<'a> {
    fn push(&mut self, sign: Sign, line: &'a str) {
        let text = line.into();
        let number = |at: &mut usize, counts: bool| {
            *at += usize::from(counts);
            counts.then_some(*at)
        };
        let old = number(&mut self.old, sign != Sign::Added);
        let new = number(&mut self.new, sign != Sign::Removed);
        self.all.push(Row {
            sign,
            old,
            new,
            text,
        });
    }
}

/// The shortest edit from `a` to `b`; the index is into `b` for added lines, else into `a`.
fn edits(a: &[&str], b: &[&str]) -> Vec<(Sign, usize)> {
    let Some(trace) = trace(a, b) else {
        let removed = (0..a.len()).map(|at| (Sign::Removed, at));
        return removed
            .chain((0..b.len()).map(|at| (Sign::Added, at)))
            .collect();
    };
    let (mut x, mut y) = (a.len(), b.len());
    let mut backwards = Vec::new();
    for (edit, frontier) in trace.iter().enumerate().rev() {
        let down = goes_down(frontier, edit, x, y);
        let (from_x, from_y) = match (edit, down) {
            (0, _) => (0, 0),
            (_, true) => {
                let x0 = furthest(frontier, edit, x + 1, y);
                (x0, x0 + y - x - 1)
            }
            (_, false) => {
                let x0 = furthest(frontier, edit, x, y + 1);
                (x0, x0 + y + 1 - x)
            }
        };
        let (start_x, start_y) = match (edit, down) {
            (0, _) => (0, 0),
            (_, true) => (from_x, from_y + 1),
            (_, false) => (from_x + 1, from_y),
        };
        while x > start_x && y > start_y {
            (x, y) = (x - 1, y - 1);
            backwards.push((Sign::Same, x));
        }
        if edit > 0 {
            backwards.push(if down {
                (Sign::Added, from_y)
            } else {
                (Sign::Removed, from_x)
            });
        }
        (x, y) = (from_x, from_y);
    }
    backwards.reverse();
    backwards
}

/// For each number of edits, how far each diagonal got *before* that edit: index `edit + x - y` (from the
/// lowest diagonal, in steps of one).
fn trace(a: &[&str], b: &[&str]) -> Option<Vec<Vec<usize>>> {
    let most = (a.len() + b.len()).min(MOST_EDITS);
    let size = 2 * most + 3;
    let middle = most + 1;
    let mut reach = vec![0usize; size];
    let mut trace = Vec::new();
    for edit in 0..=most {
        // the frontier of the edit before: diagonals -edit-1 ..= edit+1
        trace.push(reach.get(middle - edit - 1..=middle + edit + 1)?.to_vec());
        for k in (0..=2 * edit).step_by(2) {
            let at = middle + k - edit;
            let (left, right) = (*reach.get(at - 1)?, *reach.get(at + 1)?);
            let down = k == 0 || (k != 2 * edit && left < right);
            let mut x = if down { right } else { left + 1 };
            if edit == 0 {
                x = 0;
            }
            let mut y = x + edit - k;
            while x < a.len() && y < b.len() && a.get(x) == b.get(y) {
                (x, y) = (x + 1, y + 1);
            }
            *reach.get_mut(at)? = x;
            if x >= a.len() && y >= b.len() {
                return Some(trace);
            }
        }
    }
    None
}

/// How far the diagonal of `(x, y)` had got before this edit.
fn furthest(frontier: &[usize], edit: usize, x: usize, y: usize) -> usize {
    frontier.get(edit + 1 + x - y).copied().unwrap_or_default()
}

fn goes_down(frontier: &[usize], edit: usize, x: usize, y: usize) -> bool {
    let k = edit + x - y;
    k == 0 || (k != 2 * edit && frontier.get(k) < frontier.get(k + 2))
}

/// More edits than this are not searched for.
const MOST_EDITS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rows: &[Row<'_>]) -> String {
        let sign = |s| match s {
            Sign::Added => '+',
            Sign::Gap => '@',
            Sign::Removed => '-',
            Sign::Same => ' ',
        };
        rows.iter()
            .map(|row| format!("{}{}\n", sign(row.sign), row.text))
            .collect()
    }

    /// The new text, rebuilt from the rows.
    fn applied(rows: &[Row<'_>], skip: Sign) -> Vec<String> {
        rows.iter()
            .filter(|row| row.sign != skip)
            .map(|row| row.text.clone().into_owned())
            .collect()
    }

    #[test]
    fn a_changed_line_is_one_removed_and_one_added() {
        assert_eq!(text(&rows("a\nb\nc\n", "a\nx\nc\n")), " a\n-b\n+x\n c\n");
    }

    #[test]
    fn equal_texts_have_no_changes() {
        assert_eq!(count(&rows("a\nb", "a\nb")), Count::default());
        assert!(rows("", "").is_empty());
    }

    #[test]
    fn a_new_file_is_all_added() {
        assert_eq!(
            count(&rows("", "a\nb\n")),
            Count {
                added: 2,
                removed: 0
            }
        );
        assert_eq!(
            count(&rows("a\n", "")),
            Count {
                added: 0,
                removed: 1
            }
        );
    }

    #[test]
    fn the_difference_is_shortest() {
        let rows = rows("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n");
        assert_eq!(
            count(&rows),
            Count {
                added: 2,
                removed: 3
            }
        );
    }

    #[test]
    fn line_numbers_run_in_both_texts() {
        let rows = rows("a\nb\n", "x\na\nb\n");
        let numbers: Vec<_> = rows.iter().map(|row| (row.old, row.new)).collect();
        assert_eq!(
            numbers,
            [(None, Some(1)), (Some(1), Some(2)), (Some(2), Some(3))]
        );
    }

    #[test]
    fn both_texts_can_be_rebuilt_from_any_difference() {
        // a small fixed generator: the cases are the same at every run
        let mut seed = 7u32;
        let mut next = move |n: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % n
        };
        for _ in 0..500 {
            let mut make = || {
                (0..next(12))
                    .map(|_| format!("{}\n", next(4)))
                    .collect::<String>()
            };
            let (a, b) = (make(), make());
            let all = rows(&a, &b);
            assert_eq!(applied(&all, Sign::Added), split(&a), "{a:?} {b:?}");
            assert_eq!(applied(&all, Sign::Removed), split(&b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn texts_without_anything_in_common_are_replaced_whole() {
        let a: String = (0..3000).map(|n| format!("a{n}\n")).collect();
        let b: String = (0..3000).map(|n| format!("b{n}\n")).collect();
        assert_eq!(
            count(&rows(&a, &b)),
            Count {
                added: 3000,
                removed: 3000
            }
        );
    }

    #[test]
    fn far_lines_become_a_gap() {
        let old: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let new = old.replace("\n10\n", "\nten\n");
        assert_eq!(
            text(&hunks(rows(&old, &new), 1)),
            "@8 unchanged lines\n 9\n-10\n+ten\n 11\n@9 unchanged lines\n"
        );
        assert_eq!(
            text(&hunks(rows("a\nb\n", "a\nb\n"), 3)),
            "@2 unchanged lines\n"
        );
    }
}
