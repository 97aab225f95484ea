//! The editor: `SOPS_EDITOR`, else `EDITOR`, split into words as a shell does it; else the first of a few that is
//! there.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use crate::exit::Failure;
use crate::foreground::{self, Foreground};
use crate::keys::command::split;

/// Lets a person edit the file until they leave the editor.
///
/// # Errors
/// `editor-failed` when there is none, or it ends with an error; `interrupted` when this process was told to end.
pub(crate) fn edit(
    file: &Path,
    named: Option<&str>,
    foreground: &Foreground,
) -> Result<(), Failure> {
    let editors = match named {
        Some(line) => vec![split(line).map_err(|why| failed(&format!("{line:?}: {why}")))?],
        None => DEFAULTS.map(|name| vec![name.to_owned()]).to_vec(),
    };
    for words in editors {
        let Some((program, arguments)) = words.split_first() else {
            return Err(failed("the setting holds no command"));
        };
        let ended = match foreground.run(Command::new(program).args(arguments).arg(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => continue,
            ended => ended.map_err(|error| failed(&format!("{program}: {error}")))?,
        };
        if let Some(signal) = foreground.passed_on() {
            return Err(interrupted(signal));
        }
        return match ended.success() {
            true => Ok(()),
            false => Err(failed(&format!("{program} ended with {ended}"))),
        };
    }
    Err(failed(&format!(
        "no editor available; set SOPS_EDITOR or EDITOR, or install one of {}",
        DEFAULTS.join(", ")
    )))
}

fn failed(why: &str) -> Failure {
    Failure {
        status: 201,
        code: "editor-failed",
        message: format!("Could not run editor: {why}; nothing was written"),
    }
}

fn interrupted(signal: i32) -> Failure {
    Failure {
        status: foreground::status_of_signal(signal),
        code: "interrupted",
        message: format!("signal {signal} ended the editor; nothing was written"),
    }
}

const DEFAULTS: [&str; 3] = ["vim", "nano", "vi"];
