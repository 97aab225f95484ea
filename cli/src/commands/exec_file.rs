//! `stackseal exec-file`: runs a command with the path of a document's plaintext.
//!
//! The plaintext goes through a pipe with a name, so that it stands nowhere. Commands that must find a file get one, in
//! a folder that is gone afterwards, see [`crate::private_folder`].

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use zeroize::Zeroizing;

use super::Context;
use crate::args::{ExecFile, Places};
use crate::exit::{Act, Failure};
use crate::foreground::{self, Foreground};
use crate::opening::Mac;
use crate::output::Shown as _;
use crate::private_folder::{self, PrivateFolder, hand_over};
use crate::shell::{self, User};

/// Opens the document, runs the command, and ends as the command ended.
///
/// # Errors
/// Those of the arguments and files, and what the codec finds, by its codes; `private-folder-unavailable`,
/// `command-failed`.
pub(crate) fn run(arguments: &ExecFile, context: &Context) -> Result<ExitCode, Failure> {
    if arguments.background {
        return Err(shell::no_background("exec-file"));
    }
    let name = Path::new(&arguments.filename);
    if name.file_name() != Some(name.as_os_str()) {
        return Err(Failure::conflict(
            "--filename is a name, not a path: the plaintext lies in a folder of its own",
        ));
    }
    let user = arguments.user.as_deref();
    let owner = user.map(User::named).transpose()?;
    let input_type = arguments.input_type.as_deref();
    let places = Places::of(
        &arguments.file,
        input_type,
        arguments.output_type.as_deref(),
    );
    let config = context.config()?;
    let opened = places.open(context, Mac::Check);
    let opened = opened.map_err(Failure::missing_as_unreadable)?;
    let indentation = context.indentation(config.as_ref(), places.output())?;
    let content = opened.plain().converted(places.output(), indentation);
    let content =
        content.map_err(|error| Failure::of_document(&error, &places.name(), Act::Decrypt))?;

    let mut folders = private_folder::places(&context.environment, owner);
    // The shell reads the path as a part of the command.
    folders.retain(|path| path.as_os_str().as_bytes().iter().all(is_taken_as_it_is));
    let folder = PrivateFolder::make(&folders, owner)?;
    let foreground = Foreground::with(&folder)?;
    let path = match arguments.no_fifo {
        true => folder.write(name.as_os_str(), &content)?,
        false => {
            let path = folder.path().join(name);
            serve(&path, owner, content).map_err(|error| {
                Failure::unwritable(format!("{} cannot be made: {error}", path.shown()))
            })?;
            path
        }
    };
    let line = arguments.command.replace("{}", &path.to_string_lossy());
    let ended = foreground.run(&mut shell::command(&line, owner));
    let ended = ended.map_err(|error| shell::failed(&error, user))?;
    Ok(ExitCode::from(foreground::status(ended)))
}

fn is_taken_as_it_is(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte)
}

/// Makes a pipe with that name, from which everybody who opens it reads the whole content.
///
/// # Errors
/// When it cannot be made.
fn serve(path: &Path, owner: Option<User>, content: Zeroizing<Vec<u8>>) -> io::Result<()> {
    renew(path, owner)?;
    let path = path.to_path_buf();
    let content = Arc::new(content);
    // Nobody waits for it: it waits for readers, and they may never come.
    let _serving = thread::spawn(move || {
        // blocks until somebody reads
        while let Ok(mut pipe) = OpenOptions::new().write(true).open(&path) {
            // whoever comes next shall not get what is left of this one's
            if renew(&path, owner).is_err() {
                return;
            }
            let content = Arc::clone(&content);
            // a reader may go away before the end
            let _writing = thread::spawn(move || pipe.write_all(&content));
        }
    });
    Ok(())
}

/// Puts a pipe that nobody has opened in the place of the name.
fn renew(path: &Path, owner: Option<User>) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(OsStr::new(".new"));
    let fresh = PathBuf::from(fresh);
    make_pipe(&fresh)?;
    hand_over(&fresh, owner)?;
    fs::rename(&fresh, path)
}

#[cfg(target_os = "linux")]
fn make_pipe(path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, Mode, mkfifoat};

    Ok(mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?)
}

#[cfg(not(target_os = "linux"))]
fn make_pipe(path: &Path) -> io::Result<()> {
    let made = std::process::Command::new("mkfifo")
        .arg("-m")
        .arg("600")
        .arg(path)
        .status()?;
    match made.success() {
        true => Ok(()),
        false => Err(io::Error::other("mkfifo failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_opens_the_pipe_reads_all_of_it_whether_the_others_finish_or_not() {
        use std::io::Read as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        // more than a pipe holds
        let content = vec![b'x'; 300_000];
        serve(&path, None, Zeroizing::new(content.clone())).unwrap();
        assert!(fs::read(&path).unwrap() == content);
        let mut slow = fs::File::open(&path).unwrap();
        let mut first = [0];
        slow.read_exact(&mut first).unwrap();
        drop(fs::File::open(&path).unwrap());
        assert!(fs::read(&path).unwrap() == content);
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).unwrap();
        assert_eq!(rest.len(), content.len() - 1);
    }
}
