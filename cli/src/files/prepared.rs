//! Files that are replaced many at a time: their new texts are written without names, brought to the disk together, and
//! then take their places one after the other.
//!
//! Bringing each to the disk alone takes the disk longer than everything else that is done to a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{
    Audience, beside, destination, fill, folder, give_name, leftover, nameless, unwritable,
};
use crate::exit::Failure;

/// A new text that is written whole, and that vanishes with this process unless it takes its place.
pub(crate) struct Prepared {
    file: File,
    target: PathBuf,
    /// The file system.
    device: u64,
}

impl Prepared {
    /// Writes the text for an existing file. `None` where that cannot be done without a name, or the file is none: then
    /// [`super::replace`] knows what to do.
    ///
    /// # Errors
    /// `file-unwritable`; the file is untouched then.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<Option<Self>, Failure> {
        Self::try_write(path, bytes).map_err(|error| unwritable(path, &error))
    }

    fn try_write(path: &Path, bytes: &[u8]) -> io::Result<Option<Self>> {
        let existing = fs::metadata(path)?;
        let target = destination(path)?;
        let file = match existing.is_file() {
            true => nameless(&target, Audience::Owner),
            false => None,
        };
        let Some(mut file) = file else {
            return Ok(None);
        };
        fill(&mut file, bytes, Some(&existing))?;
        Ok(Some(Self {
            device: file.metadata()?.dev(),
            file,
            target,
        }))
    }

    /// Puts the text in the place of the file, once it was brought to the disk. The folder is to be given to
    /// [`super::sync_folder`]: until then a power cut may bring back the old text, whole.
    ///
    /// # Errors
    /// `file-unwritable`; the old text is there then.
    pub(crate) fn put(&self) -> Result<&Path, Failure> {
        let beside = beside(&self.target);
        leftover::hold(&self.file);
        let put = give_name(&self.file, &beside).and_then(|()| {
            let renamed = fs::rename(&beside, &self.target);
            if renamed.is_err() {
                // That it could not be put is the error to tell.
                let _removed = fs::remove_file(&beside);
            }
            renamed
        });
        put.map(|()| folder(&self.target))
            .map_err(|error| self.unwritable(&error))
    }

    /// Why it could not be put.
    pub(crate) fn unwritable(&self, error: &io::Error) -> Failure {
        unwritable(&self.target, error)
    }
}

/// Brings texts to the disk, with everything else that waits for that on their file systems.
///
/// # Errors
/// The system's reason; then none of them may be put.
pub(crate) fn sync_prepared<'a>(prepared: impl Iterator<Item = &'a Prepared>) -> io::Result<()> {
    let one_of_each: BTreeMap<u64, &File> = prepared.map(|it| (it.device, &it.file)).collect();
    one_of_each.into_values().try_for_each(sync_file_system)
}

#[cfg(target_os = "linux")]
fn sync_file_system(file: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(file: &File) -> io::Result<()> {
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_text_has_no_name_until_it_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        symlink("a.yaml", &link).unwrap();

        let Some(prepared) = Prepared::write(&link, b"new").unwrap() else {
            // The file system of the temporary folder knows no such files.
            return;
        };
        assert_eq!(
            (names(), fs::read_to_string(&path).unwrap().as_str()),
            (2, "old")
        );
        sync_prepared([&prepared].into_iter()).unwrap();
        assert_eq!(prepared.put().unwrap(), folder.path());
        assert_eq!(
            (names(), fs::read_to_string(&path).unwrap().as_str()),
            (2, "new")
        );
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_is_not_put_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "old").unwrap();
        drop(Prepared::write(&path, b"new").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert!(Prepared::write(&folder.path().join("gone"), b"").is_err());
        assert!(
            Prepared::write(Path::new("/dev/null"), b"")
                .unwrap()
                .is_none()
        );
    }
}
