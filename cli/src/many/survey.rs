//! A look at many files, none of which changes: several at a time, told of in their order.

use std::path::PathBuf;
use std::sync::Mutex;

use super::tell::{Became, Board, Told};
use super::walk::{self, Found};
use super::{each, several_threads};
use crate::exit::Failure;
use crate::keys::lock;

/// What a look at a file brought.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    /// Something is wrong with it, which was told.
    Faulty,
    Good,
    /// It is not sealed, and need not be.
    NotSealed,
}

/// Looks at a file, and tells what is wrong with it.
pub(crate) type Look<'a> = dyn Fn(&Found, &mut Told) -> Seen + Sync + 'a;

/// Looks at all files, and tells how many are good; `done` is what those are called, `remark` what is to be said of
/// all.
///
/// # Errors
/// `file-not-found` (exit 100) without a file; `files-failed`.
pub(crate) fn survey(
    paths: &[PathBuf],
    done: &str,
    remark: Option<&str>,
    look: &Look<'_>,
) -> Result<(), Failure> {
    if paths.is_empty() {
        return Err(Failure::no_file(
            "no file specified; name a file or a folder",
        ));
    }
    let found = walk::find(paths).found;
    let board = Mutex::new(Board::new(found.len(), true));
    each(&found, several_threads(), &|at, found| {
        let mut told = Told::default();
        let became = match look(found, &mut told) {
            Seen::Faulty => Became::Faulty,
            Seen::Good => Became::Changed,
            Seen::NotSealed => Became::Skipped,
        };
        lock(&board).put(at, told, Ok(became));
    });
    let tally = lock(&board).end();
    tally.tell_of_survey(done, remark)
}
