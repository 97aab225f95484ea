//! `stackseal man`: manual pages, made from the arguments that the command takes.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::args::{Arguments, Man};
use crate::exit::Failure;
use crate::files::{self, Audience};
use crate::output;

/// Prints the page of the whole command, or writes a page for each verb into a folder.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn run(arguments: &Man) -> Result<(), Failure> {
    let mut command = Arguments::command();
    command.build();
    let Some(folder) = &arguments.folder else {
        return output::result(&page(command)?);
    };
    fs::create_dir_all(folder).map_err(|error| {
        Failure::unwritable(format!("{} cannot be made: {error}", folder.display()))
    })?;
    write(&command, folder)
}

/// A page for the command, and for each verb below it.
fn write(command: &Command, folder: &Path) -> Result<(), Failure> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    files::replace(&path, &page(command.clone())?, Audience::Anyone)?;
    let mut verbs = command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    verbs.try_for_each(|verb| write(verb, folder))
}

fn page(command: Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let rendered = Page::new(command).render(&mut text);
    rendered.map_err(|error| Failure::unwritable(format!("the page cannot be made: {error}")))?;
    Ok(text)
}
