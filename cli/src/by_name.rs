//! What differs when the command is called `sops`: the version that it tells, and an option that is given twice counts
//! once.
//!
//! Under its own name the options that name recipients may be repeated, which nobody should lose recipients by.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use stackseal_core::metadata::FORMAT_VERSION;

use crate::args::Verb;
use crate::exit::Failure;
use crate::output;

/// Whether the program is called `sops`.
pub(crate) fn is_sops(program: Option<&OsStr>) -> bool {
    program.and_then(|program| Path::new(program).file_name()) == Some(OsStr::new("sops"))
}

/// Whether a line asks `sops` for its version.
pub(crate) fn asks_version(line: &[OsString]) -> bool {
    let words = line
        .iter()
        .skip(1)
        .take_while(|word| word.as_encoded_bytes().starts_with(b"-"));
    let asks = |word: &OsString| matches!(word.to_str(), Some("--version" | "-version" | "-v"));
    words.into_iter().any(asks)
}

/// The version as scripts take it from `sops`, with our own behind it.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn version() -> Result<(), Failure> {
    let own = env!("CARGO_PKG_VERSION");
    output::result(format!("sops {FORMAT_VERSION} (stackseal {own})\n").as_bytes())
}

/// Lets the last of repeated recipients count, and says so.
pub(crate) fn as_sops(verb: &mut Verb) {
    match verb {
        Verb::Edit(arguments) => keep_last(&mut arguments.selection.age, "--age"),
        Verb::Encrypt(arguments) => keep_last(&mut arguments.selection.age, "--age"),
        Verb::Rotate(arguments) => {
            keep_last(&mut arguments.add_age, "--add-age");
            keep_last(&mut arguments.rm_age, "--rm-age");
        }
        _ => {}
    }
}

fn keep_last(given: &mut Vec<String>, option: &str) {
    let others = given.len().saturating_sub(1);
    if others > 0 {
        given.drain(..others);
        output::warning(&format!(
            "{option} is given more than once, and as with sops the last one alone counts; separate \
             recipients by commas"
        ));
    }
}
