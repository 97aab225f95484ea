//! A file that is read, changed and replaced, kept from other runs meanwhile: else the last one to write would take
//! away what the others wrote.
//!
//! The lock is on the file itself, so that nothing lies beside it. A file that is replaced is another one afterwards:
//! whoever waited looks whether the name still stands for what is locked. The system gives a lock back however its
//! holder ends. Where the file system knows no locks, and towards programs that take none, there remains
//! [`super::unchanged`].

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;

use crate::output;
use crate::output::Shown as _;

/// Says that nobody else changes the file, until it is dropped.
pub(crate) struct Held {
    /// Open and locked; `None` for what cannot be.
    _file: Option<File>,
}

impl Held {
    /// Waits until nobody else changes the file, and says so when it takes long: whoever can read a file can lock it,
    /// for as long as they like. Whoever holds another one meanwhile may wait for ever.
    pub(crate) fn wait(path: &Path) -> Self {
        let mut patient = true;
        loop {
            let Some(file) = open(path) else {
                return Self { _file: None };
            };
            match lock(&file, path, &mut patient) {
                Ok(()) if is_at(&file, path) => return Self { _file: Some(file) },
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Self { _file: None },
            }
        }
    }

    /// As [`Self::wait`]; `None` when somebody else is changing the file.
    pub(crate) fn at_once(path: &Path) -> Option<Self> {
        loop {
            let Some(file) = open(path) else {
                return Some(Self { _file: None });
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return Some(Self { _file: Some(file) }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return None,
                Err(TryLockError::Error(_)) => return Some(Self { _file: None }),
            }
        }
    }
}

/// Waits for a lock, and tells it once after a while.
fn lock(file: &File, path: &Path, patient: &mut bool) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => return Ok(()),
    }
    let (locked, waits) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let ended = waits.recv_timeout(WHILE);
            if *patient && ended == Err(RecvTimeoutError::Timeout) {
                *patient = false;
                output::note(&format!(
                    "waiting for {}, which another process has locked",
                    path.shown()
                ));
            }
        });
        let result = file.lock();
        drop(locked);
        result
    })
}

/// Others are done sooner.
const WHILE: Duration = Duration::from_secs(1);

/// A file; what is none, such as a pipe, is not replaced either.
fn open(path: &Path) -> Option<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).ok()?;
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(flags);
    is_file.then(|| options.open(path).ok()).flatten()
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => id(held) == id(named),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Audience, replace};

    #[test]
    fn one_has_a_file_at_a_time_and_then_the_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "").unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _held = Held::wait(&path);
                        let text = fs::read_to_string(&path).unwrap();
                        replace(&path, format!("{text}x").as_bytes(), Audience::Owner).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap().len(), 160);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let held = Held::wait(&path);
        assert!(Held::at_once(&path).is_none());
        drop(held);
        assert!(Held::at_once(&path).is_some());
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            folder.path(),
            Path::new("/dev/null"),
            &folder.path().join("gone"),
        ] {
            let _held = Held::wait(path);
            assert!(Held::at_once(path).is_some());
        }
    }
}
