//! The only writer to the terminal: results to standard output, everything else to standard error.
#![expect(clippy::print_stderr, reason = "messages of a command belong there")]

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use crate::exit::Failure;

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

/// Tells something beside the result.
pub(crate) fn note(message: &str) {
    eprintln!("{message}");
}

/// Tells of something that may be a mistake.
pub(crate) fn warning(message: &str) {
    eprintln!("stackseal: warning: {message}");
}

/// Tells why the command failed.
pub(crate) fn failure(failure: &Failure) {
    let (first, rest) = failure
        .message
        .split_once('\n')
        .unwrap_or((&failure.message, ""));
    eprintln!("stackseal: error: {first} [{}]", failure.code);
    if !rest.is_empty() {
        eprintln!("{rest}");
    }
}

/// Help, version, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing can be done when the terminal is gone.
    let _printed = error.print();
    if error.use_stderr() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
