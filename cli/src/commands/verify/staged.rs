//! What is staged for the next commit, as `verify` looks at it: instead of what lies in the working folder, which may be
//! sealed already, or not yet. A configuration that is staged goes before the one that lies there, too.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use stackseal_core::{Document, Encrypted, Format, Limits};

use super::contents::{Blob, Contents};
use super::repository::{self, Repository};
use crate::commands::{Context, current_folder};
use crate::config::{self, Config, Instead};
use crate::exit::Failure;
use crate::files;
use crate::keys::lock;
use crate::many::Found;
use crate::output::Shown as _;

pub(super) struct Staged {
    /// The working folder, absolute.
    start: PathBuf,
    /// The files, in the order in which they are told of: as they are called from the working folder.
    pub(super) found: Vec<Found>,
    /// The names of their texts.
    ids: BTreeMap<PathBuf, String>,
    contents: Mutex<Contents>,
    /// Configurations.
    instead: Instead,
}

impl Staged {
    /// All that is staged, or what patterns name.
    ///
    /// # Errors
    /// `git-failed`.
    pub(super) fn find(patterns: &[PathBuf], context: &Context) -> Result<Self, Failure> {
        let repository = Repository::around()?;
        let prefix = &repository.prefix;
        let start = start(prefix, context)?;
        let top = start.ancestors().nth(prefix.components().count());
        let top = top.ok_or_else(|| repository::untold("the working folder cannot be told"))?;
        let contents = Contents::of(repository.git());
        let mut contents = contents.map_err(|error| repository::unstarted(&error))?;

        let all = repository.staged(&[])?;
        let explicit = context.common.config.as_ref();
        let explicit = explicit.or(context.environment.config.as_ref());
        let explicit = explicit.map(|path| config::clean(&start.join(path)));
        let mut instead = Instead::new();
        for entry in &all {
            let path = top.join(&entry.path);
            if path.file_name() != Some(OsStr::new(config::NAME))
                && explicit.as_ref() != Some(&path)
            {
                continue;
            }
            let blob = contents.read(&entry.id, Format::Yaml).map_err(|error| {
                let name = path.shown();
                repository::untold(&format!("the staged {name} cannot be read: {error}"))
            })?;
            instead.insert(path, blob.into_bytes());
        }
        // One that is as it was committed holds, too, when it does not lie in the working folder.
        for entry in repository.called(config::NAME)? {
            let path = top.join(&entry.path);
            if path.is_file() || instead.contains_key(&path) {
                continue;
            }
            let blob = contents.read(&entry.id, Format::Yaml).map_err(|error| {
                let name = path.shown();
                repository::untold(&format!("the committed {name} cannot be read: {error}"))
            })?;
            instead.insert(path, blob.into_bytes());
        }

        let entries = match patterns {
            [] => all,
            _ => repository.staged(patterns)?,
        };
        let entries = entries.into_iter();
        let named = entries.map(|entry| (as_called(&entry.path, prefix), entry.id));
        let named: Vec<_> = named.collect();
        Ok(Self {
            start,
            found: named
                .iter()
                .map(|(path, _)| Found::InFolder(path.clone()))
                .collect(),
            ids: named.into_iter().collect(),
            contents: Mutex::new(contents),
            instead,
        })
    }

    /// The configuration that holds for the next commit.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    pub(super) fn config(&self, context: &Context) -> Result<Option<Config>, Failure> {
        context.config_from(&self.start, &self.instead)
    }

    /// A file as it is staged.
    ///
    /// # Errors
    /// `file-unreadable`.
    pub(super) fn read(&self, path: &Path, format: Format) -> Result<Blob, Failure> {
        let id = self.ids.get(path).map(String::as_str).unwrap_or_default();
        let read = lock(&self.contents).read(id, format);
        read.map_err(|error| {
            let name = path.shown();
            Failure::unreadable(format!("{name} cannot be read as it is staged: {error}"))
        })
    }
}

/// Whether a file is sealed as it lies in the working folder.
pub(super) fn lies_sealed(path: &Path, format: Format) -> bool {
    if !path.is_file() {
        return false;
    }
    let bytes = files::read(path);
    bytes.is_ok_and(|bytes| {
        Document::<Encrypted>::parse_as(format, &bytes, &Limits::generous()).is_ok()
    })
}

/// The working folder: as the shell calls it, unless the top of the repository is called otherwise then.
fn start(prefix: &Path, context: &Context) -> Result<PathBuf, Failure> {
    let current = current_folder()?;
    let shell = context.environment.working_folder.clone();
    let called = config::working_folder(shell, current.clone());
    match called.ends_with(prefix) {
        true => Ok(called),
        false if current.ends_with(prefix) => Ok(current),
        false => Err(repository::untold(
            "Git calls the working folder otherwise than the system does",
        )),
    }
}

/// How a file below the top is called from a folder there.
fn as_called(path: &Path, folder: &Path) -> PathBuf {
    let alike = path.components().zip(folder.components());
    let alike = alike.take_while(|(one, other)| one == other).count();
    let up = folder
        .components()
        .skip(alike)
        .map(|_| Component::ParentDir);
    up.chain(path.components().skip(alike)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_from_the_working_folder() {
        for (path, folder, called) in [
            ("a.yaml", "", "a.yaml"),
            ("a/b.yaml", "a/", "b.yaml"),
            ("a/b.yaml", "a/c/d/", "../../b.yaml"),
            ("ab/c.yaml", "a/", "../ab/c.yaml"),
            ("x", "a/", "../x"),
        ] {
            let is = as_called(Path::new(path), Path::new(folder));
            assert_eq!(is, Path::new(called), "{path} from {folder}");
        }
    }
}
