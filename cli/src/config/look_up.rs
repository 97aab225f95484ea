//! Where the configuration lies, and what paths are called.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use crate::output::Shown as _;

/// So many folders are looked into.
const LEVELS: usize = 100;
pub(crate) const NAME: &str = ".sops.yaml";
const OTHER_NAME: &str = ".sops.yml";

/// Texts that stand for files, whatever lies there: by absolute path, cleaned of `..`.
pub(crate) type Instead = BTreeMap<PathBuf, Zeroizing<Vec<u8>>>;

/// What was found.
pub(super) struct LookUp {
    /// The configuration, not yet cleaned of `..`.
    pub(super) path: Option<PathBuf>,
    /// The nearest file of the wrong name.
    ignored: Option<PathBuf>,
}

impl LookUp {
    /// What to tell of a file of the wrong name.
    pub(super) fn warning(&self) -> Option<String> {
        let ignored = clean(self.ignored.as_ref()?);
        let instead = self.path.as_ref().map_or_else(String::new, |path| {
            format!("; {} is used instead", clean(path).shown())
        });
        Some(format!(
            "{} is ignored, since a configuration must be called {NAME}; rename it{instead}",
            ignored.shown()
        ))
    }
}

/// Looks from a folder upwards, also for what is in `instead` alone. `..` is left to the system, so that above a folder
/// that was entered through a symbolic link lies what really is above it, as for `sops`.
pub(super) fn look_up(start: &Path, instead: &Instead) -> LookUp {
    let mut folder = start.to_path_buf();
    let mut ignored = None;
    for _ in 0..LEVELS {
        let path = folder.join(NAME);
        if path.metadata().is_ok() || instead.contains_key(&clean(&path)) {
            return LookUp {
                path: Some(path),
                ignored,
            };
        }
        if ignored.is_none() {
            ignored = Some(folder.join(OTHER_NAME)).filter(|path| path.metadata().is_ok());
        }
        let was = id(&folder);
        folder.push("..");
        if was.is_some() && was == id(&folder) {
            // Above the root is the root.
            break;
        }
    }
    LookUp {
        path: None,
        ignored,
    }
}

/// What tells a folder from others.
fn id(folder: &Path) -> Option<(u64, u64)> {
    let metadata = folder.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// The path without `.` and `..`, worked out on the text alone.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                // Above the root is the root.
                cleaned.pop();
            }
            Component::Normal(_) | Component::Prefix(_) | Component::RootDir => {
                cleaned.push(component);
            }
        }
    }
    cleaned
}

/// The working folder as the shell calls it: `PWD` where it names the folder that the system names, so that symbolic
/// links on the way stay in the names that rules are tried on.
pub(crate) fn working_folder(pwd: Option<OsString>, current: PathBuf) -> PathBuf {
    let same = |path: &Path| id(path).is_some_and(|one| Some(one) == id(&current));
    pwd.map(PathBuf::from)
        .filter(|path| path.is_absolute() && same(path))
        .unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn find(start: &Path) -> LookUp {
        look_up(start, &Instead::new())
    }

    #[test]
    fn the_nearest_file_upwards_is_found_and_the_nearest_wrong_name_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(folder.path().join("a/.sops.yml"), "").unwrap();
        fs::write(folder.path().join(".sops.yml"), "").unwrap();
        let found = find(&deep);
        assert!(found.path.is_none());
        let warning = found.warning().unwrap();
        assert!(warning.contains("/a/.sops.yml is ignored"), "{warning}");
        assert!(warning.ends_with("rename it"), "{warning}");

        fs::write(folder.path().join(".sops.yaml"), "").unwrap();
        let found = find(&deep);
        assert_eq!(
            clean(found.path.as_ref().unwrap()),
            folder.path().join(".sops.yaml")
        );
        let warning = found.warning().unwrap();
        assert!(
            warning.ends_with("/.sops.yaml is used instead"),
            "{warning}"
        );

        // One beside the right name is not even seen.
        assert!(find(folder.path()).warning().is_none());
    }

    #[test]
    fn a_hundred_folders_are_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".sops.yaml"), "").unwrap();
        let mut deep = folder.path().to_path_buf();
        deep.extend(["d"; 99]);
        fs::create_dir_all(deep.join("d")).unwrap();
        assert!(find(&deep).path.is_some());
        assert!(find(&deep.join("d")).path.is_none());
    }

    #[test]
    fn above_a_link_lies_what_is_above_its_target() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("real/sub")).unwrap();
        fs::create_dir(folder.path().join("links")).unwrap();
        fs::write(folder.path().join("real/.sops.yaml"), "").unwrap();
        let link = folder.path().join("links/link");
        symlink(folder.path().join("real/sub"), &link).unwrap();
        assert!(find(&link).path.is_some());
    }

    #[test]
    fn the_shells_name_of_the_working_folder_is_taken_when_it_is_true() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        let link = folder.path().join("link");
        symlink(&real, &link).unwrap();
        let named = |pwd: Option<&Path>| {
            working_folder(pwd.map(|path| path.as_os_str().to_owned()), real.clone())
        };
        assert_eq!(named(Some(&link)), link);
        assert_eq!(named(Some(folder.path())), real);
        assert_eq!(named(Some(Path::new("."))), real);
        assert_eq!(named(Some(Path::new("/gone/away"))), real);
        assert_eq!(named(None), real);
    }

    #[test]
    fn paths_are_cleaned_on_their_text() {
        for (path, cleaned) in [
            ("/a/./b//c/", "/a/b/c"),
            ("/a/../b", "/b"),
            ("/../../b", "/b"),
            ("/", "/"),
            ("/a/..", "/"),
        ] {
            assert_eq!(clean(Path::new(path)), Path::new(cleaned), "{path}");
        }
    }

    #[test]
    fn what_stands_for_a_file_is_found_where_none_lies() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(folder.path().join(".sops.yaml"), "").unwrap();
        let path = folder.path().join("a/.sops.yaml");
        let instead = Instead::from([(path.clone(), Zeroizing::default())]);
        let found = look_up(&deep, &instead).path.unwrap();
        assert_eq!(clean(&found), path);
    }
}
