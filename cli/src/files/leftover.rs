//! New texts that have a name, and not yet their place: what a run leaves that is killed just then.
//!
//! A file cannot take another's place without a name of its own first, if only for a moment. Such a file is whole. Its
//! writer holds a lock on it from before it has the name, and the system gives that back when the writer is gone,
//! however it ended. So whoever gets the lock may remove the file, on whichever machine the writer was.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};

/// The name of a file that is about to take another's place.
pub(super) fn name(process: u32, count: usize) -> String {
    format!("{PREFIX}{process}-{count}")
}

/// Whether a file is called so.
pub(crate) fn is_name(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, count)| number(process) && number(count))
}

/// Says that the file's writer is at work. Where the file system knows no locks, leftovers are not removed either.
pub(super) fn hold(file: &File) {
    let _held = flock(file, FlockOperation::NonBlockingLockExclusive);
}

/// Removes what was left in a folder.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_name) {
            remove_if_left(&entry.path());
        }
    }
}

/// Removes a file of such a name unless its writer is at work. That it cannot be removed keeps nobody from working.
pub(crate) fn remove_if_left(path: &Path) {
    let is_file = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let Some(file) = is_file
        .then(|| {
            OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(path)
                .ok()
        })
        .flatten()
    else {
        return;
    };
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    // It may have got its place meanwhile, and another one the name.
    let (Ok(held), Ok(named)) = (file.metadata(), path.symlink_metadata()) else {
        return;
    };
    if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
        let _removed = fs::remove_file(path);
    }
}

const PREFIX: &str = ".stackseal-";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_nobody_holds_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [
            ".stackseal-1-2",
            ".stackseal-9-0",
            ".stackseal-lock",
            ".stackseal-1-",
            "a",
        ] {
            fs::write(path(name), "").unwrap();
        }
        symlink("a", path(".stackseal-3-3")).unwrap();
        fs::create_dir(path(".stackseal-4-4")).unwrap();
        let held = File::open(path(".stackseal-9-0")).unwrap();
        hold(&held);
        sweep(folder.path());
        let left = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries
                .map(|it| it.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let others = [".stackseal-1-", ".stackseal-3-3", ".stackseal-4-4"];
        assert_eq!(
            left(),
            [&others[..], &[".stackseal-9-0", ".stackseal-lock", "a"]].concat()
        );
        drop(held);
        sweep(folder.path());
        assert_eq!(left(), [&others[..], &[".stackseal-lock", "a"]].concat());
    }
}
