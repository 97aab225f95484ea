//! The same piece of work on many sealed files: several at a time, each replaced whole or not at all, and what became of
//! them told in the order of the files.
//!
//! Which files a folder brings is in [`walk`], what is told in [`tell`].

mod piece;
mod survey;
mod tell;
mod walk;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use stackseal_core::Format;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::files::{self, Audience, Held, Prepared};
use crate::keys::lock;
use crate::output;
use crate::output::Shown as _;

pub(crate) use piece::{Made, Piece, Sealed, Taken, Work, to_write};
pub(crate) use survey::{Seen, Summary, find, survey};
pub(crate) use tell::Told;
pub(crate) use walk::{FIRST, Found, read_if_sealed, starts_as_sealed};

use piece::OnSealed;
use tell::{Became, Board, Tally};
use walk::Walk;

/// The files, and how they are worked on.
pub(crate) struct Batch<'a> {
    /// Files and folders.
    pub(crate) paths: &'a [PathBuf],
    /// Whether files are replaced; else there may be one, whose new text is the result.
    pub(crate) in_place: bool,
    /// Whether nothing is written.
    pub(crate) dry_run: bool,
    /// Whether somebody is asked, so that it must go one by one.
    pub(crate) one_by_one: bool,
    /// What all of them are, if not what their names tell.
    pub(crate) format: Option<Format>,
    pub(crate) words: Words,
}

/// What differs between the verbs.
pub(crate) struct Words {
    /// What became of a file, such as `rotated`.
    pub(crate) done: &'static str,
    /// Exit status when the only file does not exist.
    pub(crate) missing: u8,
    /// How files of a folder are called that are not concerned.
    pub(crate) skipped: &'static str,
    /// What is said where no file is concerned.
    pub(crate) none: &'static str,
}

impl Words {
    /// Those of verbs that work on sealed files.
    pub(crate) const fn of_sealed(done: &'static str, missing: u8) -> Self {
        Self {
            done,
            missing,
            skipped: "not sealed",
            none: "no sealed file is there",
        }
    }
}

impl Batch<'_> {
    /// Does the work on each sealed file. The text of the only one comes back when it is not to be replaced.
    ///
    /// # Errors
    /// `file-not-found` (exit 100) without a file; `arguments-conflict` for many that are not replaced. The only file's own
    /// failure; `files-failed` when there were many, whose failures were told.
    pub(crate) fn run(&self, work: &Work<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        match self.paths {
            [] => Err(Failure::no_file(
                "no file specified; name a sealed file or a folder",
            )),
            [path] if !path.is_dir() => self.single(path, &OnSealed(work)),
            _ => self.run_many(&OnSealed(work)).map(|()| None),
        }
    }

    /// Does the work on several files, or those of folders.
    ///
    /// # Errors
    /// `arguments-conflict` unless they are to be replaced; `files-failed`, when the failures were told.
    pub(crate) fn run_many(&self, piece: &dyn Piece) -> Result<(), Failure> {
        match self.in_place || self.dry_run {
            true => self.several(piece),
            false => Err(Failure::conflict(
                "several files, or those of a folder, can only be replaced; add --in-place",
            )),
        }
    }

    /// Does the work on files that need not be sealed.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn run_any(&self, piece: &dyn Piece) -> Result<(), Failure> {
        match self.paths {
            [path] if !path.is_dir() => self.single(path, piece).map(drop),
            _ => self.run_many(piece),
        }
    }

    /// Whether a file is kept from others from before it is read. Not while a person is asked, who may take long.
    fn holds(&self) -> bool {
        self.in_place && !self.dry_run && !self.one_by_one
    }

    fn single(
        &self,
        path: &Path,
        piece: &dyn Piece,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        if self.in_place || self.dry_run {
            files::changeable(path)?;
        }
        let mut held = self.holds().then(|| Held::wait(path));
        let bytes = files::read(path).map_err(|failure| match failure.code {
            "file-not-found" => Failure {
                status: self.words.missing,
                ..failure
            },
            _ => failure,
        })?;
        let mut told = Told::default();
        let taken = self.taken(path, &bytes, true, false);
        let made = piece.make(&taken, &mut told);
        told.tell();
        match made? {
            Made::Skipped | Made::Unchanged => Ok(None),
            Made::Text(_) if self.dry_run => {
                output::note(&format!("{} would be {}", taken.name, self.words.done));
                Ok(None)
            }
            Made::Text(text) if self.in_place => {
                held.get_or_insert_with(|| Held::wait(path));
                files::unchanged(path, &bytes)?;
                files::replace(path, &text, Audience::Anyone)?;
                told.written();
                told.tell();
                Ok(None)
            }
            Made::Text(text) => Ok(Some(text)),
        }
    }

    fn several(&self, piece: &dyn Piece) -> Result<(), Failure> {
        let Walk { found, leftovers } = walk::find(self.paths);
        if self.in_place && !self.dry_run {
            leftovers
                .iter()
                .for_each(|path| files::remove_if_left(path));
        }
        let replacing = Replacing {
            board: Mutex::new(Board::new(found.len(), !self.one_by_one)),
            waiting: Mutex::default(),
            most: if self.one_by_one { 1 } else { AT_ONCE },
            folders: Mutex::default(),
        };
        let threads = match self.one_by_one {
            true => 1,
            false => several_threads(),
        };
        let postponed = Mutex::new(Vec::new());
        each(&found, threads, &|at, found| {
            let mut told = Told::default();
            match self.one_of_many(found, piece, &mut told, Turn::First) {
                Ok(Outcome::Later) => lock(&postponed).push(at),
                became => replacing.add(at, told, became),
            }
        });
        // Nothing is held any more that somebody could wait for who holds one of these.
        replacing.replace_waiting();
        let postponed = std::mem::take(&mut *lock(&postponed));
        for (at, found) in postponed
            .into_iter()
            .filter_map(|at| Some((at, found.get(at)?)))
        {
            let mut told = Told::default();
            let became = self.one_of_many(found, piece, &mut told, Turn::Last);
            replacing.add(at, told, became);
            replacing.replace_waiting();
        }
        let tally = replacing.end()?;
        let done = self.words.done;
        match self.dry_run {
            true => tally.tell(&format!("to be {done}"), &self.words),
            false => tally.tell(done, &self.words),
        }
    }

    fn one_of_many(
        &self,
        found: &Found,
        piece: &dyn Piece,
        told: &mut Told,
        turn: Turn,
    ) -> Result<Outcome, Failure> {
        let mut held = match (found, turn) {
            (Found::Named(path) | Found::InFolder(path), Turn::Last) => Some(Held::wait(path)),
            _ => None,
        };
        let (path, bytes) = match found {
            Found::Named(path) => {
                files::changeable(path)?;
                (path, files::read(path)?)
            }
            Found::InFolder(path) => match piece.read_of_folder(path, self.format_of(path))? {
                Some(bytes) => (path, bytes),
                None => return Ok(Outcome::Is(Became::Skipped)),
            },
            Found::Unreadable(folder, why) => {
                let folder = folder.shown();
                return Err(Failure::unreadable(format!(
                    "{folder} cannot be read: {why}"
                )));
            }
        };
        if self.holds() && held.is_none() {
            held = Held::at_once(path).filter(|_| files::unchanged(path, &bytes).is_ok());
            if held.is_none() {
                return Ok(Outcome::Later);
            }
        }
        let is_named = matches!(found, Found::Named(_));
        let taken = self.taken(path, &bytes, is_named, true);
        let text = match piece.make(&taken, told)? {
            Made::Skipped => return Ok(Outcome::Is(Became::Skipped)),
            Made::Unchanged => return Ok(Outcome::Is(Became::Unchanged)),
            Made::Text(text) => text,
        };
        if self.dry_run {
            told.result(&format!("{} would be {}", taken.name, self.words.done));
            return Ok(Outcome::Is(Became::Changed));
        }
        let held = held.unwrap_or_else(|| Held::wait(path));
        files::unchanged(path, &bytes)?;
        if let Some(prepared) = Prepared::write(path, &text)? {
            return Ok(Outcome::Waits(prepared, held));
        }
        files::replace(path, &text, Audience::Anyone)?;
        told.written();
        Ok(Outcome::Is(Became::Changed))
    }

    fn taken<'a>(
        &self,
        path: &'a Path,
        bytes: &'a [u8],
        is_named: bool,
        of_many: bool,
    ) -> Taken<'a> {
        Taken {
            path,
            name: path.shown(),
            bytes,
            format: self.format_of(path),
            is_named,
            of_many,
        }
    }

    fn format_of(&self, path: &Path) -> Format {
        self.format
            .unwrap_or_else(|| Format::of_name(&path.to_string_lossy()))
    }
}

/// Works on all files, several at a time; each comes with its number.
fn each(found: &[Found], threads: usize, work: &(dyn Fn(usize, &Found) + Sync)) {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        while let Some((at, found)) = take(&next, found) {
            work(at, found);
        }
    };
    thread::scope(|scope| {
        // this thread is one of them
        for _ in 1..threads.min(found.len()) {
            scope.spawn(take_turns);
        }
        take_turns();
    });
}

/// Some of them wait for the disk.
fn several_threads() -> usize {
    PER_PROCESSOR * thread::available_parallelism().map_or(1, NonZero::get)
}

fn take<'a>(next: &AtomicUsize, found: &'a [Found]) -> Option<(usize, &'a Found)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    found.get(at).map(|found| (at, found))
}

/// How far a file came.
enum Outcome {
    Is(Became),
    /// Somebody else is changing it.
    Later,
    /// Its new text is to take its place together with others.
    Waits(Prepared, Held),
}

/// How a file is waited for that somebody else is changing.
#[derive(Clone, Copy)]
enum Turn {
    /// Not at all, since others are held.
    First,
    /// As long as it takes.
    Last,
}

/// A new text with the number of its file, which is held until it is replaced.
type Ready = (usize, Told, Prepared, Held);

/// What is done when files are ready.
struct Replacing {
    board: Mutex<Board>,
    waiting: Mutex<Vec<Ready>>,
    /// So many of them are waited for.
    most: usize,
    /// Where files were replaced.
    folders: Mutex<BTreeSet<PathBuf>>,
}

impl Replacing {
    fn add(&self, at: usize, told: Told, outcome: Result<Outcome, Failure>) {
        let (prepared, held) = match outcome {
            Ok(Outcome::Waits(prepared, held)) => (prepared, held),
            // It comes again.
            Ok(Outcome::Later) => return,
            Ok(Outcome::Is(became)) => return lock(&self.board).put(at, told, Ok(became)),
            Err(failure) => return lock(&self.board).put(at, told, Err(failure)),
        };
        let mut waiting = lock(&self.waiting);
        waiting.push((at, told, prepared, held));
        if waiting.len() >= self.most {
            let ready = std::mem::take(&mut *waiting);
            drop(waiting);
            self.replace(ready);
        }
    }

    fn replace(&self, ready: Vec<Ready>) {
        let synced = files::sync_prepared(ready.iter().map(|(_, _, prepared, _)| prepared));
        for (at, mut told, prepared, _held) in ready {
            let put = match &synced {
                Ok(()) => prepared.put(),
                Err(error) => Err(prepared.unwritable(error)),
            };
            let became = put.map(|folder| {
                lock(&self.folders).insert(folder.to_owned());
                told.written();
                Became::Changed
            });
            lock(&self.board).put(at, told, became);
        }
    }

    /// Replaces what still waits.
    fn replace_waiting(&self) {
        let ready = std::mem::take(&mut *lock(&self.waiting));
        self.replace(ready);
    }

    /// Replaces what still waits, and counts.
    fn end(&self) -> Result<Tally, Failure> {
        self.replace_waiting();
        for folder in lock(&self.folders).iter() {
            files::sync_folder(folder)?;
        }
        Ok(lock(&self.board).end())
    }
}

/// Files whose new texts are brought to the disk together: each takes a file handle.
const AT_ONCE: usize = 128;

/// Threads for each processor.
const PER_PROCESSOR: usize = 2;
