//! The root key: 32 random bytes in a file of their own, outside the database.
//!
//! Made once, at the first start; from then on the file must be there, be ours, and be readable by
//! nobody else. It is never written again.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::random;

/// The key under which record keys are sealed. Wiped when dropped.
pub(crate) struct RootKey(Box<Zeroizing<[u8; 32]>>);

/// Why the root key cannot be used. The operator restores or corrects the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootKeyError {
    /// The database holds sealed keys, and the file that opens them is gone.
    #[error(
        "{0} is missing, but the database holds keys sealed under it; restore the file from your backup"
    )]
    Missing(PathBuf),
    /// The file is not what it must be.
    #[error("{path} {reason}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: &'static str,
    },
    /// The file system failed.
    #[error("{0} could not be read or written")]
    Disk(PathBuf, #[source] std::io::Error),
    /// The random generator failed.
    #[error("the random generator failed")]
    Random(#[from] stackseal_core::Error),
}

impl RootKey {
    /// Reads the file, or makes it when `first_start`.
    ///
    /// # Errors
    /// [`RootKeyError`], with what to do.
    pub(crate) fn open(path: &Path, first_start: bool) -> Result<Self, RootKeyError> {
        let disk = |error| RootKeyError::Disk(path.to_owned(), error);
        let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
        match OpenOptions::new()
            .read(true)
            .custom_flags(no_follow)
            .open(path)
        {
            Ok(file) => Self::read(path, &file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !first_start {
                    return Err(RootKeyError::Missing(path.to_owned()));
                }
                Self::create(path)?;
                Self::read(path, &File::open(path).map_err(disk)?)
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Err(unfit(path, "is a symbolic link; put the file itself there"))
            }
            Err(error) => Err(disk(error)),
        }
    }

    fn create(path: &Path) -> Result<(), RootKeyError> {
        let disk = |error| RootKeyError::Disk(path.to_owned(), error);
        let mut key = Zeroizing::new([0; 32]);
        random::fill(key.as_mut_slice()).map_err(stackseal_core::Error::from)?;
        // Complete under another name first: a crash in between leaves no short key behind.
        let partial = path.with_extension("partial");
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(disk(error)),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(disk)?;
        file.write_all(key.as_slice())
            .and_then(|()| file.sync_all())
            .map_err(disk)?;
        // a link never replaces a file that stands there, unlike a rename
        std::fs::hard_link(&partial, path).map_err(disk)?;
        std::fs::remove_file(&partial).map_err(disk)?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(disk)
    }

    fn read(path: &Path, mut file: &File) -> Result<Self, RootKeyError> {
        let disk = |error| RootKeyError::Disk(path.to_owned(), error);
        let about = file.metadata().map_err(disk)?;
        if !about.is_file() {
            return Err(unfit(path, "is no regular file"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(unfit(
                path,
                "belongs to another user; give it to the server's user",
            ));
        }
        if about.mode() & 0o077 != 0 {
            return Err(unfit(path, "can be read by others; set its mode to 0600"));
        }
        if about.len() != 32 {
            return Err(unfit(
                path,
                "does not hold 32 bytes; restore the file from your backup",
            ));
        }
        let mut key = Self(Box::default());
        file.read_exact(key.0.as_mut_slice()).map_err(disk)?;
        Ok(key)
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(Zeroizing::new(bytes)))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(redacted)")
    }
}

fn unfit(path: &Path, reason: &'static str) -> RootKeyError {
    RootKeyError::Unfit {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir()
                .join(format!("stackseal-root-{}", random::identifier().unwrap()));
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn made_once_with_mode_0600_and_read_ever_after() {
        let folder = Folder::new();
        let path = folder.0.join("root.key");
        std::fs::write(path.with_extension("partial"), b"left by a crash").unwrap();
        let first = RootKey::open(&path, true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            first.expose(),
            RootKey::open(&path, false).unwrap().expose()
        );
        assert_eq!(first.expose(), RootKey::open(&path, true).unwrap().expose());
        assert_eq!(format!("{first:?}"), "RootKey(redacted)");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn an_unfit_file_is_refused_with_what_to_do() {
        let folder = Folder::new();
        let path = folder.0.join("root.key");
        let refused = |first_start| RootKey::open(&path, first_start).unwrap_err().to_string();
        assert!(refused(false).contains("is missing"));
        for mode in [0o640, 0o604, 0o666, 0o620] {
            std::fs::write(&path, [1; 32]).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(refused(true).contains("mode to 0600"), "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for length in [0, 31, 33] {
            std::fs::write(&path, vec![1; length]).unwrap();
            assert!(refused(true).contains("32 bytes"), "{length}");
        }
        std::fs::rename(&path, folder.0.join("elsewhere")).unwrap();
        symlink(folder.0.join("elsewhere"), &path).unwrap();
        assert!(refused(true).contains("symbolic link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(refused(true).contains("no regular file"));
    }
}
