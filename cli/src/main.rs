//! The `stackseal` command: seals and opens SOPS documents with age keys, as `sops` does.
//!
//! Here are the process's edges only: arguments, environment, clock, exit status. What is done lies
//! in [`commands`], where identities come from in [`keyring`], what kinds there are in [`keys`], how files are replaced in [`files`].

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use stackseal_core::{RandomFailed, Timestamp};

use crate::args::{Arguments, Verb};
use crate::commands::Context;
use crate::exit::Failure;
use crate::keyring::Environment;

mod aliases;
mod args;
mod by_name;
mod commands;
mod config;
mod editor;
mod exit;
mod expected;
mod files;
mod foreground;
mod help;
mod key_groups;
mod keyring;
mod keys;
mod likeness;
mod many;
mod opening;
mod output;
mod private_folder;
mod readable;
mod root_form;
mod sealing;
mod shell;

fn main() -> ExitCode {
    let given: Vec<_> = std::env::args_os().collect();
    let is_sops = by_name::is_sops(given.first().map(OsString::as_os_str));
    if is_sops && by_name::asks_version(&given) {
        return status(by_name::version().map(|()| ExitCode::SUCCESS));
    }
    let line = root_form::with_verb(given.clone());
    let mut arguments = match Arguments::try_parse_from(&line) {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(failure) = root_form::told_otherwise(&given, &error) {
                return status(Err(failure));
            }
            return output::usage(&as_shown(error, &line), &line);
        }
    };
    if is_sops {
        by_name::as_sops(&mut arguments.verb);
    }
    status(match root_form::lacks_file(&given, &arguments.verb) {
        true => Err(Failure::no_file(
            "no file specified; name one, or read standard input with 'stackseal decrypt' and 'stackseal encrypt'",
        )),
        false => run(arguments, if is_sops { "sops" } else { "stackseal" }),
    })
}

/// Help is made of the command as it is shown, which takes longer than to open a small file.
fn as_shown(error: clap::Error, line: &[OsString]) -> clap::Error {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let again = help::command().try_get_matches_from(line);
            again.err().unwrap_or(error)
        }
        _ => error,
    }
}

fn status(done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(status) => status,
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(failure.status)
        }
    }
}

/// Does what the arguments say; `name` is what the command is called.
fn run(arguments: Arguments, name: &str) -> Result<ExitCode, Failure> {
    let context = Context {
        environment: Environment::of_process(),
        common: arguments.common,
        now: now()?,
    };
    let done = match arguments.verb {
        Verb::Completions(arguments) => commands::completions::run(&arguments, name),
        Verb::Decrypt(arguments) => commands::decrypt::run(&arguments, &context),
        Verb::Diff(arguments) => return commands::diff::run(&arguments),
        Verb::Edit(arguments) => commands::edit::run(&arguments, &context, now, &mut random),
        Verb::Encrypt(arguments) => commands::encrypt::run(&arguments, &context, &mut random),
        Verb::ExecEnv(arguments) => commands::exec_env::run(&arguments, &context),
        Verb::ExecFile(arguments) => return commands::exec_file::run(&arguments, &context),
        Verb::Filestatus(arguments) => commands::filestatus::run(&arguments),
        Verb::Groups(arguments) => commands::groups::run(&arguments.act, &context),
        Verb::KeepFolder(arguments) => private_folder::keep(&arguments.places, &mut random),
        Verb::Keygen(arguments) => commands::keygen::run(&arguments, context.now, &mut random),
        Verb::Man(arguments) => commands::man::run(&arguments),
        Verb::MergeDriver(arguments) => commands::merge_driver::run(&arguments, &context),
        Verb::Rotate(arguments) => commands::rotate::run(&arguments, &context),
        Verb::Set(arguments) => commands::set::run(&arguments, &context, &mut random),
        Verb::UpdateKeys(arguments) => commands::updatekeys::run(&arguments, &context),
        Verb::Unset(arguments) => commands::unset::run(&arguments, &context, &mut random),
        Verb::Verify(arguments) => commands::verify::run(&arguments, &context),
        Verb::SshToAge(arguments) => commands::ssh_to_age::run(&arguments, &context.environment),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// The operating system's generator.
fn random(out: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(out).map_err(|_| RandomFailed)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that reads the clock"
)]
fn now() -> Result<Timestamp, Failure> {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_unix(seconds).ok())
        .ok_or_else(|| {
            Failure::usage(
                "timestamp-invalid",
                "the system's clock is beyond the year 9999; set it",
            )
        })
}
