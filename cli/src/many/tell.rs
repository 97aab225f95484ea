//! What is told of many files while they are worked on: in their order, whoever is ready first.

use std::collections::BTreeMap;

use super::Words;
use super::survey::Summary;
use crate::exit::Failure;
use crate::output::{self, Progress};

/// What is to be told of a file, kept until it is its turn.
#[derive(Default)]
pub(crate) struct Told {
    lines: Vec<Line>,
    when_written: Option<String>,
}

enum Line {
    Note(String),
    Result(String),
}

impl Told {
    /// Keeps a line for standard output.
    pub(crate) fn result(&mut self, line: &str) {
        self.lines.push(Line::Result(format!("{line}\n")));
    }

    /// Keeps a line for standard error.
    pub(crate) fn note(&mut self, line: &str) {
        self.lines.push(Line::Note(line.to_owned()));
    }

    /// Keeps a warning for standard error.
    pub(crate) fn warning(&mut self, message: &str) {
        self.note(&format!("stackseal: warning: {message}"));
    }

    /// Keeps a line for standard error that is told of a file that is replaced.
    pub(crate) fn when_written(&mut self, line: String) {
        self.when_written = Some(line);
    }

    /// The file was replaced.
    pub(super) fn written(&mut self) {
        let line = self.when_written.take();
        self.lines.extend(line.map(Line::Note));
    }

    /// Tells what was kept.
    pub(crate) fn tell(&mut self) {
        for line in self.lines.drain(..) {
            match line {
                Line::Note(line) => output::note(&line),
                Line::Result(line) => {
                    if let Err(failure) = output::result(line.as_bytes()) {
                        output::failure(&failure);
                    }
                }
            }
        }
    }
}

/// What became of a file.
#[derive(Debug, PartialEq)]
pub(super) enum Became {
    Changed,
    /// What is wrong with it was told.
    Faulty,
    /// It does not count.
    LeftOut,
    /// It is not sealed.
    Skipped,
    Unchanged,
}

/// Whose turn it is to be told.
pub(super) struct Board {
    next: usize,
    waiting: BTreeMap<usize, (Told, Option<Failure>)>,
    tally: Tally,
    progress: Progress,
}

impl Board {
    pub(super) fn new(files: usize, shows_progress: bool) -> Self {
        Self {
            next: 0,
            waiting: BTreeMap::new(),
            tally: Tally::default(),
            progress: Progress::new(files, shows_progress),
        }
    }

    /// A file is done.
    pub(super) fn put(&mut self, at: usize, told: Told, became: Result<Became, Failure>) {
        let failure = match became {
            Ok(became) => {
                self.tally.count(&became);
                None
            }
            Err(failure) => {
                self.tally.failed += 1;
                Some(failure)
            }
        };
        self.waiting.insert(at, (told, failure));
        while let Some((mut told, failure)) = self.waiting.remove(&self.next) {
            self.next += 1;
            if !told.lines.is_empty() || failure.is_some() {
                self.progress.clear();
            }
            told.tell();
            if let Some(failure) = failure {
                output::failure(&failure);
            }
        }
        self.progress.step();
    }

    /// All files are done.
    pub(super) fn end(&mut self) -> Tally {
        self.progress.clear();
        std::mem::take(&mut self.tally)
    }
}

/// How many files became what.
#[derive(Default)]
pub(super) struct Tally {
    changed: usize,
    failed: usize,
    skipped: usize,
    unchanged: usize,
}

impl Tally {
    fn count(&mut self, became: &Became) {
        *match became {
            Became::LeftOut => return,
            Became::Changed => &mut self.changed,
            Became::Faulty => &mut self.failed,
            Became::Skipped => &mut self.skipped,
            Became::Unchanged => &mut self.unchanged,
        } += 1;
    }

    /// Tells the numbers of files that were looked at.
    ///
    /// # Errors
    /// `files-failed`.
    pub(super) fn tell_of_survey(&self, told: &Summary<'_>) -> Result<(), Failure> {
        let good = self.changed;
        let all = good + self.failed;
        if all == 0 && told.quiet {
            return Ok(());
        }
        let mut summary = format!("{} {good}, failed {}", told.done, self.failed);
        if self.skipped > 0 {
            summary.push_str(&format!(", not sealed {}", self.skipped));
        }
        let of_skipped = told.of_skipped.filter(|_| self.skipped > 0);
        for remark in told.remark.into_iter().chain(of_skipped) {
            summary.push_str(&format!("; {remark}"));
        }
        if all == 0 {
            output::warning("no sealed file is there");
        }
        self.fail(all, &summary)
    }

    /// Tells the numbers.
    ///
    /// # Errors
    /// `files-failed`.
    pub(super) fn tell(&self, done: &str, words: &Words) -> Result<(), Failure> {
        let Self {
            changed,
            failed,
            skipped,
            unchanged,
        } = self;
        let mut summary = format!("{done} {changed}, unchanged {unchanged}, failed {failed}");
        if *skipped > 0 {
            summary.push_str(&format!(", {} {skipped}", words.skipped));
        }
        let concerned = changed + unchanged + failed;
        if concerned == 0 {
            output::warning(words.none);
        }
        self.fail(concerned, &summary)
    }

    fn fail(&self, all: usize, summary: &str) -> Result<(), Failure> {
        if self.failed > 0 {
            let message = format!("{} of {all} files failed: {summary}", self.failed);
            return Err(Failure::usage("files-failed", message));
        }
        output::note(summary);
        Ok(())
    }
}
