//! The only writer to the terminal: results to standard output, everything else to standard error.

use std::ffi::OsString;
use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::exit::{self, Failure};

/// Writes a result to standard output.
///
/// # Errors
/// `file-unwritable`, unless the reader merely went away: then there is nobody left to tell.
pub(crate) fn result(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::unwritable(format!(
            "standard output could not be written: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes to standard error. When that is gone nobody is left to tell, and the work goes on.
fn tell(text: Arguments<'_>) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_fmt(text).unwrap_or_default();
    stderr.flush().unwrap_or_default();
}

/// A message with its lines, and without other characters that a terminal would obey: names come from files.
fn harmless(message: &str) -> String {
    let obeyed = |c: char| c.is_control() && c != '\n';
    let shown = |c: char| match obeyed(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    match message.contains(obeyed) {
        true => message.chars().map(shown).collect(),
        false => message.to_owned(),
    }
}

/// A name as messages show it.
pub(crate) trait Shown {
    /// On one line: a name may hold line breaks, and what follows one would look like a message of its own.
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        let shown = |c: char| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        };
        self.to_string_lossy().chars().map(shown).collect()
    }
}

/// Tells something beside the result.
pub(crate) fn note(message: &str) {
    tell(format_args!("{}\n", harmless(message)));
}

/// Tells of something that may be a mistake.
pub(crate) fn warning(message: &str) {
    tell(format_args!("stackseal: warning: {}\n", harmless(message)));
}

/// Asks something and brings the line that is typed, or piped in.
///
/// # Errors
/// `not-confirmed` when nobody answers.
pub(crate) fn ask(question: &str) -> Result<String, Failure> {
    result(question.as_bytes())?;
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(length) if length > 0 => Ok(line),
        _ => {
            result(b"\n")?;
            Err(Failure::usage(
                "not-confirmed",
                "there was no answer, so nothing was changed; add --yes to agree beforehand",
            ))
        }
    }
}

/// How far a long piece of work is: a line on the terminal that is drawn over itself, nothing elsewhere.
pub(crate) struct Progress {
    done: usize,
    total: usize,
    /// Bars of the line; `None` where it does not stand.
    drawn: Option<usize>,
    shown: bool,
}

impl Progress {
    pub(crate) fn new(total: usize, wanted: bool) -> Self {
        Self {
            done: 0,
            total,
            drawn: None,
            shown: wanted && std::io::stderr().is_terminal(),
        }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        let bars = BARS * self.done / self.total.max(1);
        // Not each time: a terminal is slower than the work.
        if self.shown && self.drawn != Some(bars) {
            self.drawn = Some(bars);
            let bars = "#".repeat(bars);
            tell(format_args!(
                "\r[{bars:BARS$}] {} of {}",
                self.done, self.total
            ));
        }
    }

    /// Makes room for other lines.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            tell(format_args!("\r{:width$}\r", "", width = BARS + 40));
        }
    }
}

/// Width of the progress.
const BARS: usize = 40;

/// Tells why the command failed.
pub(crate) fn failure(failure: &Failure) {
    let message = harmless(&failure.message);
    let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
    tell(format_args!(
        "stackseal: error: {first} [{}]\n",
        failure.code
    ));
    if !rest.is_empty() {
        tell(format_args!("{rest}\n"));
    }
    if let Some(advice) = failure.advice() {
        tell(format_args!("  {advice}\n"));
    }
}

/// Help, version, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error, line: &[OsString]) -> ExitCode {
    // Nothing can be done when the terminal is gone.
    let _printed = error.print();
    if error.use_stderr() {
        ExitCode::from(exit::of_usage(error, line))
    } else {
        ExitCode::SUCCESS
    }
}
