//! Reads documents and replaces files: whole or not at all, keeping mode and owner. Many at once are replaced by
//! [`Prepared`].

mod held;
mod leftover;
mod prepared;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::output::Shown as _;

pub(crate) use held::Held;
pub(crate) use leftover::{is_name as is_leftover, remove_if_left};
pub(crate) use prepared::{Prepared, sync_prepared};

/// Who may read a file that did not exist before.
#[derive(Clone, Copy)]
pub(crate) enum Audience {
    /// Whom the process's mask lets: for sealed documents.
    Anyone,
    /// The owner: for plaintext and identities.
    Owner,
}

impl Audience {
    fn mode(self) -> u32 {
        match self {
            Self::Anyone => 0o666,
            Self::Owner => 0o600,
        }
    }
}

/// So many symbolic links are followed, as Linux does.
const LINKS: usize = 40;

/// Reads a whole file. It may be plaintext, so it is wiped after use.
///
/// # Errors
/// `file-not-found`, `file-unreadable`.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Failure::no_file(format!("{} does not exist; check the name", path.shown()))
            }
            _ => Failure::unreadable(format!("{} cannot be read: {error}", path.shown())),
        })
}

/// That a file can be changed where it lies: a pipe would be waited for, and a device has nothing to put in its place.
///
/// # Errors
/// `file-unreadable`.
pub(crate) fn changeable(path: &Path) -> Result<(), Failure> {
    let kind = fs::metadata(path).map(|metadata| metadata.file_type());
    let what = match kind {
        Ok(kind) if kind.is_fifo() => "a pipe",
        Ok(kind) if kind.is_socket() => "a socket",
        Ok(kind) if kind.is_char_device() || kind.is_block_device() => "a device",
        // Whoever reads it tells what is wrong with it.
        _ => return Ok(()),
    };
    Err(Failure::unreadable(format!(
        "{} is {what}, which cannot be changed in its place; name a file",
        path.shown()
    )))
}

/// That a file still holds what was read from it: whoever changed it meanwhile shall not lose that.
///
/// # Errors
/// `file-changed`.
pub(crate) fn unchanged(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    match fs::read(path) {
        Ok(is) if is == bytes => Ok(()),
        _ => Err(Failure::usage(
            "file-changed",
            format!(
                "{}: somebody else changed the file meanwhile, so it is left as it is; do it again",
                path.shown()
            ),
        )),
    }
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

/// Whether two names stand for one file, also through links.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Makes the folders above a file that are not there, for their owner alone.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn make_way(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) else {
        return Ok(());
    };
    let mut folders = fs::DirBuilder::new();
    let made = folders.recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unwritable(folder, &error))
}

/// Makes a file that must not exist yet, for its owner alone.
///
/// # Errors
/// `file-exists`, `file-unwritable`.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = new_file(path, Audience::Owner).and_then(|mut file| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            // What is half there would stand in the way of another try.
            drop(fs::remove_file(path));
        }
        written
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(
            "file-exists",
            format!(
                "{} exists and is left as it is; choose another name",
                path.shown()
            ),
        ),
        _ => unwritable(path, &error),
    })
}

/// Puts `bytes` in the place of the file: a reader sees the old text or the new one, never a part.
/// Mode and owner of an existing file stay; a symbolic link stays one. A device or a pipe is written to.
///
/// # Errors
/// `file-unwritable`; the old file is untouched then.
pub(crate) fn replace(path: &Path, bytes: &[u8], audience: Audience) -> Result<(), Failure> {
    try_replace(path, bytes, audience).map_err(|error| unwritable(path, &error))
}

/// Makes sure that what was replaced in a folder stays replaced, whatever befalls the machine; and removes what runs
/// left there that were killed.
///
/// # Errors
/// `file-unwritable`.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Failure> {
    leftover::sweep(folder);
    try_sync_folder(folder).map_err(|error| unwritable(folder, &error))
}

fn try_sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn try_replace(path: &Path, bytes: &[u8], audience: Audience) -> io::Result<()> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let target = destination(path)?;
    let beside = beside(&target);
    // The file stays open, and so locked, until it has its place.
    let replaced = write_beside(&beside, &target, bytes, existing.as_ref(), audience)
        .and_then(|_file| fs::rename(&beside, &target));
    if replaced.is_err() {
        // What stands there may be plaintext. That it could not be made is the error to tell.
        let _removed = fs::remove_file(&beside);
    }
    replaced?;
    leftover::sweep(folder(&target));
    try_sync_folder(folder(&target))
}

/// Where a path leads, also when nothing stands there yet.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let link = match fs::read_link(&path) {
            Ok(link) => link,
            // What is no link is where it is.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                return Ok(path);
            }
            Err(error) => return Err(error),
        };
        path = match path.parent() {
            Some(folder) => folder.join(link),
            None => link,
        };
    }
    Err(io::Error::other("too many symbolic links"))
}

fn write_beside(
    beside: &Path,
    target: &Path,
    bytes: &[u8],
    existing: Option<&fs::Metadata>,
    audience: Audience,
) -> io::Result<File> {
    let audience = existing.map_or(audience, |_| Audience::Owner);
    let (mut file, name) = match nameless(target, audience) {
        Some(file) => (file, Some(beside)),
        None => (new_file(beside, audience)?, None),
    };
    leftover::hold(&file);
    fill(&mut file, bytes, existing)?;
    file.sync_all()?;
    name.map_or(Ok(()), |name| give_name(&file, name))?;
    Ok(file)
}

/// Writes the whole text, and makes the file what the existing one is.
fn fill(file: &mut File, bytes: &[u8], existing: Option<&fs::Metadata>) -> io::Result<()> {
    file.write_all(bytes)?;
    // only what is whole gets the mode that others may read it by
    if let Some(metadata) = existing {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
            fchown(&*file, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        file.set_permissions(fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    }
    Ok(())
}

/// A file without a name, in the folder of the target: whatever ends this process, no part of a text stays behind.
/// `None` where the file system knows no such files.
#[cfg(target_os = "linux")]
fn nameless(target: &Path, audience: Audience) -> Option<File> {
    let flags = i32::try_from(rustix::fs::OFlags::TMPFILE.bits()).ok()?;
    OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .mode(audience.mode())
        .open(folder(target))
        .ok()
}

#[cfg(target_os = "linux")]
fn give_name(file: &File, name: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd as _;

    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, own, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_target: &Path, _audience: Audience) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
fn give_name(_file: &File, _name: &Path) -> io::Result<()> {
    Ok(())
}

fn new_file(path: &Path, audience: Audience) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(audience.mode())
        .open(path)
}

/// A name in the same folder, so that renaming stays within one file system; another one each time, since several threads
/// may replace files of a folder.
fn beside(target: &Path) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    target.with_file_name(leftover::name(std::process::id(), count))
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::unwritable(format!("{} cannot be written: {error}", path.shown()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_is_written_to_and_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        let refused = changeable(&pipe).unwrap_err();
        assert_eq!((refused.status, refused.code), (2, "file-unreadable"));
        replace(&pipe, b"text", Audience::Owner).unwrap();
        assert_eq!(reader.join().unwrap(), b"text");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_link_stays_a_link_also_when_nothing_stands_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("target", &link).unwrap();
        for text in ["new", "newer"] {
            replace(&link, text.as_bytes(), Audience::Owner).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(
                fs::read_to_string(folder.path().join("target")).unwrap(),
                text
            );
        }
        symlink("loop", folder.path().join("loop")).unwrap();
        assert!(replace(&folder.path().join("loop"), b"", Audience::Owner).is_err());
    }

    #[test]
    fn a_file_keeps_its_mode_and_nothing_else_is_left_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("n".repeat(255));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&file, b"new", Audience::Owner).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_being_written_has_no_name_yet() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        let mut file = nameless(&target, Audience::Owner).unwrap();
        file.write_all(b"half of a secr").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
