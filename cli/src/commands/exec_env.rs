//! `stackseal exec-env`: runs a command with the values of a sealed document in its environment.
//!
//! The command takes the place of this process. So its exit status and the signals to it need nobody in between, and
//! no copy of the values stays here while it runs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;

use super::Context;
use crate::args::{ExecEnv, Places};
use crate::exit::{Act, Failure};
use crate::opening::Mac;
use crate::shell::{self, User};

/// Opens the document and becomes the command.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes; `command-failed`.
pub(crate) fn run(arguments: &ExecEnv, context: &Context) -> Result<(), Failure> {
    if arguments.background {
        return Err(match arguments.same_process {
            true => Failure::conflict("--same-process and --background exclude each other"),
            false => shell::no_background("exec-env"),
        });
    }
    let user = arguments.user.as_deref();
    let of_user = user.map(User::named).transpose()?;
    let places = Places::of(&arguments.file, arguments.input_type.as_deref(), None);
    let opened = places.open(context, Mac::Check);
    let opened = opened.map_err(Failure::missing_as_unreadable)?;
    let variables = opened.plain().variables().map_err(|error| Failure {
        status: 1,
        ..Failure::of_document(&error, &places.name(), Act::Decrypt)
    })?;
    let mut shell = shell::command(&arguments.command, of_user);
    if arguments.pristine {
        shell.env_clear();
    }
    for (name, text) in &variables {
        shell.env(name, OsStr::from_bytes(text));
    }
    Err(shell::failed(&shell.exec(), user))
}
