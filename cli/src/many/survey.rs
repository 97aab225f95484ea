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
    /// It is not sealed, and cannot be.
    LeftOut,
    /// It is not sealed, and need not be.
    NotSealed,
}

/// Looks at a file, and tells what is wrong with it.
pub(crate) type Look<'a> = dyn Fn(&Found, &mut Told) -> Seen + Sync + 'a;

/// What is said when all files were looked at.
pub(crate) struct Summary<'a> {
    /// What good files are called.
    pub(crate) done: &'a str,
    /// What is to be said of all.
    pub(crate) remark: Option<&'a str>,
    /// What is to be said of files that are not sealed, if there are any.
    pub(crate) of_skipped: Option<&'a str>,
    /// Whether nothing is said where no file is sealed and nothing is wrong.
    pub(crate) quiet: bool,
}

/// The files that arguments stand for, each once.
pub(crate) fn find(paths: &[PathBuf]) -> Vec<Found> {
    walk::find(paths).found
}

/// Looks at all files, and tells how many are good.
///
/// # Errors
/// `files-failed`.
pub(crate) fn survey(
    found: &[Found],
    summary: &Summary<'_>,
    look: &Look<'_>,
) -> Result<(), Failure> {
    let board = Mutex::new(Board::new(found.len(), true));
    each(found, several_threads(), &|at, found| {
        let mut told = Told::default();
        let became = match look(found, &mut told) {
            Seen::Faulty => Became::Faulty,
            Seen::Good => Became::Changed,
            Seen::LeftOut => Became::LeftOut,
            Seen::NotSealed => Became::Skipped,
        };
        lock(&board).put(at, told, Ok(became));
    });
    let tally = lock(&board).end();
    tally.tell_of_survey(summary)
}
