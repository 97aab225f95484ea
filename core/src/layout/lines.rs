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

/// The new text; `None` when the differences are not for this one.
pub(super) fn apply(old: &str, differences: &str) -> Option<Zeroizing<String>> {
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let mut text = Zeroizing::new(String::with_capacity(old.len() + differences.len()));
    let mut at = 0;
    let mut rest = differences;
    while !rest.is_empty() {
        let (head, behind) = rest.strip_prefix('@')?.split_once('\n')?;
        let mut fields = head.split(' ');
        let mut number = || fields.next()?.parse::<usize>().ok();
        let (first, count, bytes) = (number()?, number()?, number()?);
        let end = first.checked_add(count)?;
        let replaced = lines.get(first..end)?;
        if fields.next()? != digest(replaced) || fields.next().is_some() {
            return None;
        }
        for line in lines.get(at..first)? {
            text.push_str(line);
        }
        text.push_str(behind.get(..bytes)?);
        rest = behind.get(bytes..)?.strip_prefix('\n')?;
        at = end;
    }
    for line in lines.get(at..)? {
        text.push_str(line);
    }
    Some(text)
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
    use super::*;

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
}
