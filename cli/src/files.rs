//! Reads documents and replaces files: whole or not at all, keeping mode and owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::exit::Failure;

/// Who may read a file that did not exist before.
#[derive(Clone, Copy)]
pub(crate) enum Audience {
    /// Whom the process's mask lets: for sealed documents.
    Anyone,
    /// The owner: for plaintext and identities.
    Owner,
}

/// Reads a whole file. It may be plaintext, so it is wiped after use.
///
/// # Errors
/// `file-not-found`, `file-unreadable`.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Failure::no_file(format!("{} does not exist; check the name", path.display()))
            }
            _ => Failure::unreadable(format!("{} cannot be read: {error}", path.display())),
        })
}

/// Reads standard input to its end.
///
/// # Errors
/// `file-unreadable`.
pub(crate) fn read_stdin() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unreadable(format!("standard input cannot be read: {error}")))?;
    Ok(bytes)
}

/// Makes a file that must not exist yet, for its owner alone.
///
/// # Errors
/// `file-exists`, `file-unwritable`.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = new_file(path, Audience::Owner).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(
            "file-exists",
            format!(
                "{} exists and is left as it is; choose another name",
                path.display()
            ),
        ),
        _ => unwritable(path, &error),
    })
}

/// Puts `bytes` in the place of the file: a reader sees the old text or the new one, never a part.
/// Mode and owner of an existing file stay; a symbolic link stays one.
///
/// # Errors
/// `file-unwritable`; the old file is untouched then.
pub(crate) fn replace(path: &Path, bytes: &[u8], audience: Audience) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let beside = beside(&target);
    let replaced =
        write_beside(&beside, &target, bytes, audience).and_then(|()| fs::rename(&beside, &target));
    if replaced.is_err() {
        // What stands there may be plaintext. That it could not be made is the error to tell.
        let _removed = fs::remove_file(&beside);
    }
    replaced
        .and_then(|()| sync_folder(&target))
        .map_err(|error| unwritable(path, &error))
}

fn write_beside(beside: &Path, target: &Path, bytes: &[u8], audience: Audience) -> io::Result<()> {
    let existing = match fs::metadata(target) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file = new_file(
        beside,
        if existing.is_some() {
            Audience::Owner
        } else {
            audience
        },
    )?;
    if let Some(metadata) = existing {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
            fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

fn new_file(path: &Path, audience: Audience) -> io::Result<File> {
    let mode = match audience {
        Audience::Anyone => 0o666,
        Audience::Owner => 0o600,
    };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// A name in the same folder, so that renaming stays within one file system.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.stackseal-{}", std::process::id()))
}

fn sync_folder(target: &Path) -> io::Result<()> {
    match target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::unwritable(format!("{} cannot be written: {error}", path.display()))
}
