//! What differs when the command is called `sops`: there, an option that is given twice counts once.
//!
//! Under its own name the options that name recipients may be repeated, which nobody should lose recipients by.

use std::ffi::OsStr;
use std::path::Path;

use crate::args::Verb;
use crate::output;

/// Whether the program is called `sops`.
pub(crate) fn is_sops(program: Option<&OsStr>) -> bool {
    program.and_then(|program| Path::new(program).file_name()) == Some(OsStr::new("sops"))
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
