//! `stackseal diff`: a file as text without its values, for Git's `textconv`; or how two such texts differ. No key is
//! needed, and whatever stands in the file, no value is shown.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use stackseal_core::mask::masked;
use stackseal_core::sequence::{Hunk, line_hunks};
use stackseal_core::{Format, Limits};

use crate::args::{Diff, Places};
use crate::exit::Failure;
use crate::output;
use crate::output::Shown as _;

/// Prints the masked text of the file, or the differences of two.
///
/// # Errors
/// Those of files, with status 2.
pub(crate) fn run(arguments: &Diff) -> Result<ExitCode, Failure> {
    diff(arguments).map_err(|failure| Failure {
        status: 2,
        ..failure
    })
}

fn diff(arguments: &Diff) -> Result<ExitCode, Failure> {
    let text = shown(arguments, &arguments.file)?;
    let Some(other) = &arguments.other else {
        output::result(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let names = (arguments.file.shown(), other.shown());
    let other = shown(arguments, other)?;
    let differences = unified(&text, &other, arguments.context);
    if differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::result(format!("--- {}\n+++ {}\n{differences}", names.0, names.1).as_bytes())?;
    Ok(ExitCode::from(1))
}

fn shown(arguments: &Diff, file: &Path) -> Result<String, Failure> {
    let mut places = Places::of(file, arguments.input_type.as_deref(), None);
    places
        .filename_override
        .clone_from(&arguments.filename_override);
    let bytes = places.read()?;
    if bytes.is_empty() {
        return Ok(String::new());
    }
    Ok(masked(format(&places), &bytes, &Limits::generous()))
}

fn format(places: &Places) -> Format {
    places.input()
}

/// The differences as `diff -U` shows them.
fn unified(old: &str, new: &str, context: usize) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let hunks = line_hunks(&old, &new);
    let mut text = String::new();
    let near = |one: &Hunk, next: &Hunk| next.old.start - one.old.end <= context.saturating_mul(2);
    for group in hunks.chunk_by(near) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let before = context.min(first.old.start);
        let behind = context.min(old.len().saturating_sub(last.old.end));
        let is = first.old.start - before..last.old.end + behind;
        let shall = first.new.start - before..last.new.end + behind;
        let mut put = |mark: char, lines: Option<&[&str]>| {
            for line in lines.unwrap_or_default() {
                // A string takes everything.
                let _written = writeln!(text, "{mark}{line}");
            }
        };
        let mut lines = String::new();
        let place = |range: &std::ops::Range<usize>| match range.len() {
            0 => format!("{},0", range.start),
            1 => format!("{}", range.start + 1),
            count => format!("{},{count}", range.start + 1),
        };
        let _written = write!(lines, "@ -{} +{} @@", place(&is), place(&shall));
        put('@', Some(&[&lines]));
        let mut at = is.start;
        for hunk in group {
            put(' ', old.get(at..hunk.old.start));
            put('-', old.get(hunk.old.clone()));
            put('+', new.get(hunk.new.clone()));
            at = hunk.old.end;
        }
        put(' ', old.get(at..is.end));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_look_as_those_of_diff() {
        assert_eq!(unified("a\nb\n", "a\nb\n", 3), "");
        assert_eq!(
            unified("a\nb\n", "a\nc\n", 3),
            "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
        assert_eq!(unified("", "a\n", 3), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(
            unified("1\n2\n3\n4\n5\n", "0\n1\n2\n3\n4\n", 1),
            "@@ -1 +1,2 @@\n+0\n 1\n@@ -4,2 +5 @@\n 4\n-5\n"
        );
    }
}
