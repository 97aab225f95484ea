//! The files that arguments stand for. A folder stands for the sealed files in it and below: hidden folders, such as
//! `.git`, are passed over, and symbolic links are not followed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use stackseal_core::Format;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::files;
use crate::likeness::{holds_sealed, may_be_sealed};
use crate::output::Shown as _;

/// What an argument, or a folder, brought.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// A file of a folder, which may be anything.
    InFolder(PathBuf),
    /// A file that is meant.
    Named(PathBuf),
    /// A folder that cannot be looked into, and why.
    Unreadable(PathBuf, String),
}

/// What was found.
pub(super) struct Walk {
    /// All files, each once: in the order of the arguments, those of a folder by their names.
    pub(super) found: Vec<Found>,
    /// What may have been left in the folders by runs that were killed.
    pub(super) leftovers: Vec<PathBuf>,
}

pub(super) fn find(paths: &[PathBuf]) -> Walk {
    let mut walk = Walk {
        found: Vec::new(),
        leftovers: Vec::new(),
    };
    for path in paths {
        match path.is_dir() {
            true => below(path, &mut walk),
            false => walk.found.push(Found::Named(path.clone())),
        }
    }
    let found = &mut walk.found;
    if paths.len() > 1 {
        let mut seen = BTreeSet::new();
        found.retain(|it| match it {
            Found::InFolder(path) | Found::Named(path) | Found::Unreadable(path, _) => {
                seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            }
        });
    }
    walk
}

fn below(folder: &Path, walk: &mut Walk) {
    let found = &mut walk.found;
    // What is left to look at, the next one last.
    let mut left = vec![(folder.to_path_buf(), true)];
    while let Some((path, is_folder)) = left.pop() {
        if !is_folder {
            found.push(Found::InFolder(path));
            continue;
        }
        match entries(&path, &mut walk.leftovers) {
            Ok(mut entries) => {
                entries.sort_unstable_by(|one, other| other.cmp(one));
                left.append(&mut entries);
            }
            Err(error) => found.push(Found::Unreadable(path, error.to_string())),
        }
    }
}

/// The files and folders in a folder that are looked at, and whether they are folders.
fn entries(folder: &Path, leftovers: &mut Vec<PathBuf>) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        if name.to_str().is_some_and(files::is_leftover) {
            leftovers.push(folder.join(name));
        } else if kind.is_file() || kind.is_dir() && !starts_with(&name, ".") {
            // `./a` is called `a`
            let path = match folder == Path::new(".") {
                true => PathBuf::from(name),
                false => folder.join(name),
            };
            entries.push((path, kind.is_dir()));
        }
    }
    Ok(entries)
}

fn starts_with(name: &OsStr, start: &str) -> bool {
    name.as_bytes().starts_with(start.as_bytes())
}

/// Reads a file of a folder that may be sealed; `None` for one that is certainly not.
///
/// # Errors
/// `file-unreadable`.
pub(crate) fn read_if_sealed(
    path: &Path,
    format: Format,
) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let unreadable =
        |error| Failure::unreadable(format!("{} cannot be read: {error}", path.shown()));
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    // Nobody wants to read a film to find that it is none.
    let mut read = |most: u64| (&mut file).take(most).read_to_end(&mut bytes);
    read(FIRST).map_err(unreadable)?;
    if !starts_as_sealed(format, &bytes) {
        return Ok(None);
    }
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    // Of a damaged one the fields may be gone, or the values.
    let is_meant = may_be_sealed(&bytes) || holds_sealed(format, &bytes);
    Ok(is_meant.then_some(bytes))
}

/// Whether a file that begins so may be sealed.
pub(crate) fn starts_as_sealed(format: Format, first: &[u8]) -> bool {
    !matches!(format, Format::Binary | Format::Json)
        || first.trim_ascii_start().first() == Some(&b'{')
}

/// Bytes by which a file is judged first.
pub(crate) const FIRST: u64 = 4096;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(paths: &[&Path], folder: &Path) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
        let name = |found: Found| match found {
            Found::InFolder(path) => path,
            Found::Named(path) => PathBuf::from(format!("{}!", path.display())),
            Found::Unreadable(path, _) => PathBuf::from(format!("{}?", path.display())),
        };
        let names = find(&paths).found.into_iter().map(name);
        names
            .map(|path| {
                path.strip_prefix(folder)
                    .unwrap_or(&path)
                    .display()
                    .to_string()
            })
            .collect()
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b/c.yaml",
            "b/a/x.yaml",
            "b-c.yaml",
            ".git/config",
            ".env",
            "a.yaml",
            ".stackseal-1-2",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        symlink("a.yaml", folder.path().join("link.yaml")).unwrap();
        symlink(".", folder.path().join("loop")).unwrap();
        folder
    }

    #[test]
    fn a_folder_brings_its_files_by_name_without_links_and_hidden_folders() {
        let folder = folder();
        let folder = folder.path();
        let all = [".env", "a.yaml", "b/a/x.yaml", "b/c.yaml", "b-c.yaml"];
        assert_eq!(names(&[folder], folder), all);
        // A link that is named is followed.
        assert_eq!(
            names(&[&folder.join("loop/b/a")], &folder.join("loop")),
            ["b/a/x.yaml"]
        );
        let missing = folder.join("gone");
        assert_eq!(names(&[&missing], folder), ["gone!"]);
    }

    #[test]
    fn a_file_comes_once_however_often_it_is_named() {
        let folder = folder();
        let folder = folder.path();
        let (file, link, same) = (
            folder.join("a.yaml"),
            folder.join("link.yaml"),
            folder.join("b/../b"),
        );
        assert_eq!(names(&[&file, &link, &file], folder), ["a.yaml!"]);
        assert_eq!(
            names(&[&folder.join("b"), &same], folder),
            ["b/a/x.yaml", "b/c.yaml"]
        );
    }

    #[test]
    fn what_is_certainly_not_sealed_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = |text: &[u8], format| {
            fs::write(&path, text).unwrap();
            read_if_sealed(&path, format).unwrap().is_some()
        };
        let block = "sops:\n    lastmodified: x\n";
        assert!(read(block.as_bytes(), Format::Yaml));
        assert!(!read(b"sops:\n    last: x\n", Format::Yaml));
        assert!(!read(b"\xffsops lastmodified", Format::Yaml));
        assert!(!read(block.as_bytes(), Format::Binary));
        let json = format!(
            "  {{\"a\": \"{}\", \"sops\": {{\"lastmodified\": 1}}}}",
            "x".repeat(9999)
        );
        assert!(read(json.as_bytes(), Format::Binary));
    }
}
