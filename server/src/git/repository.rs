//! The bare clone: reads files of a commit, builds commits as objects, keeps our references.
//!
//! References: `refs/stackseal/remote` is the branch as last seen on the remote;
//! `refs/stackseal/saves/ID` holds a commit that is not known to be there yet. All calls block.

use std::path::{Path, PathBuf};

use git2::{
    FileMode, ObjectType, Oid, Repository, RepositoryInitOptions, Signature, Time, Tree,
    build::TreeUpdateBuilder,
};

use stackseal_model::api::MAX_FILE_BYTES;

use crate::git::path::RepositoryPath;
use crate::git::{Attempt, GitError};

/// A bare clone on this machine's disk.
#[derive(Clone, Debug)]
pub(crate) struct Clone {
    path: PathBuf,
}

/// A regular file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Id of the blob.
    pub(crate) blob: Oid,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    executable: bool,
}

/// What a path leads to in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A regular file.
    File(File),
    /// Nothing; the path is free on every level.
    Nothing,
    /// A symbolic link, submodule, folder, or a name that differs in case only.
    Special,
    /// A regular file of more bytes than any that was saved here; it was not read.
    TooLarge,
}

impl Clone {
    /// Opens the clone, making it at the first start.
    ///
    /// Lock files that a killed process left are removed: the caller holds the data folder's lock, so
    /// nobody else can own them.
    ///
    /// # Errors
    /// [`GitError`] when the disk or the repository fails.
    pub(crate) fn open(path: &Path) -> Result<Self, GitError> {
        let repository = match Repository::open_bare(path) {
            Ok(repository) => repository,
            Err(error) if error.code() == git2::ErrorCode::NotFound => init_bare(path)?,
            Err(source) => {
                return Err(GitError::Library {
                    attempt: "opening the clone",
                    source,
                });
            }
        };
        let mut settings = repository
            .config()
            .attempt("reading the clone's settings")?;
        // libgit2's switch: objects and references are on the disk before the journal says so
        settings
            .set_bool("core.fsyncObjectFiles", true)
            .attempt("writing the clone's settings")?;
        remove_locks(&path.join("refs"))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn repository(&self) -> Result<Repository, GitError> {
        Repository::open_bare(&self.path).attempt("opening the clone")
    }

    /// The branch as last seen on the remote.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn head(&self) -> Result<Option<Oid>, GitError> {
        match self.repository()?.refname_to_id(REMOTE) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(GitError::Library {
                attempt: "reading the branch",
                source,
            }),
        }
    }

    /// Records where the branch is on the remote.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails or lacks the commit.
    pub(crate) fn set_head(&self, head: Oid) -> Result<(), GitError> {
        let repository = self.repository()?;
        repository
            .find_commit(head)
            .attempt("reading the fetched commit")?;
        repository
            .reference(REMOTE, head, true, "fetch")
            .attempt("recording the branch")?;
        Ok(())
    }

    /// Whether one of our references leads to the commit. A history with a hole keeps nothing.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn keeps(&self, oid: Oid) -> Result<bool, GitError> {
        let repository = self.repository()?;
        let ours = repository
            .references_glob(OURS)
            .attempt("listing the references")?;
        for reference in ours {
            let reference = reference.attempt("listing the references")?;
            if let Some(tip) = reference.target()
                && self.reaches(tip, oid).unwrap_or(false)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the clone has the commit.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn has_commit(&self, oid: Oid) -> Result<bool, GitError> {
        match self.repository()?.find_commit(oid) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
            Err(source) => Err(GitError::Library {
                attempt: "looking for a commit",
                source,
            }),
        }
    }

    /// Whether `ancestor` is `head` or one of its ancestors. An unknown commit is none.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn reaches(&self, head: Oid, ancestor: Oid) -> Result<bool, GitError> {
        if head == ancestor {
            return Ok(true);
        }
        let repository = self.repository()?;
        if repository.find_commit(ancestor).is_err() {
            return Ok(false);
        }
        repository
            .graph_descendant_of(head, ancestor)
            .attempt("walking the history")
    }

    /// Whether `commit` was built on exactly `parent`. An unknown commit was not.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn is_child(&self, commit: Oid, parent: Option<Oid>) -> Result<bool, GitError> {
        match self.repository()?.find_commit(commit) {
            Ok(commit) => Ok(commit.parent_ids().next() == parent),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
            Err(source) => Err(GitError::Library {
                attempt: "looking for a commit",
                source,
            }),
        }
    }

    /// The regular file at `path`, checked on each level.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn find(
        &self,
        commit: Option<Oid>,
        path: &RepositoryPath,
    ) -> Result<Found, GitError> {
        let Some(commit) = commit else {
            return Ok(Found::Nothing);
        };
        let repository = self.repository()?;
        let mut tree = tree_of(&repository, commit)?;
        let mut parts = path.parts().peekable();
        while let Some(part) = parts.next() {
            let Some(entry) = tree.get_name(part) else {
                let other_case = tree.iter().any(|entry| {
                    entry
                        .name()
                        .is_ok_and(|name| name.eq_ignore_ascii_case(part))
                });
                return Ok(if other_case {
                    Found::Special
                } else {
                    Found::Nothing
                });
            };
            let (mode, id) = (entry.filemode(), entry.id());
            if parts.peek().is_some() {
                if mode != i32::from(FileMode::Tree) {
                    return Ok(Found::Special);
                }
                let next = repository.find_tree(id).attempt("reading a folder")?;
                drop(entry);
                tree = next;
                continue;
            }
            let executable = mode == i32::from(FileMode::BlobExecutable);
            let regular = [FileMode::Blob, FileMode::BlobGroupWritable].map(i32::from);
            if !executable && !regular.contains(&mode) {
                return Ok(Found::Special);
            }
            let objects = repository.odb().attempt("reading a file")?;
            let (size, _) = objects.read_header(id).attempt("reading a file")?;
            if size > 2 * MAX_FILE_BYTES {
                return Ok(Found::TooLarge);
            }
            let blob = repository.find_blob(id).attempt("reading a file")?;
            return Ok(Found::File(File {
                blob: blob.id(),
                bytes: blob.content().to_vec(),
                executable,
            }));
        }
        Ok(Found::Nothing)
    }

    /// Builds a commit on `parent` that holds `files`; `None` when they are what the parent has.
    ///
    /// Objects only: no reference moves. The paths must have been looked up with [`Self::find`].
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn build(
        &self,
        parent: Option<Oid>,
        files: &[(RepositoryPath, Vec<u8>)],
        message: &str,
        seconds: i64,
    ) -> Result<Option<Oid>, GitError> {
        let repository = self.repository()?;
        let parent = match parent {
            Some(oid) => Some(repository.find_commit(oid).attempt("reading the parent")?),
            None => None,
        };
        let base = match &parent {
            Some(commit) => commit.tree().attempt("reading the parent")?,
            None => {
                let empty = repository
                    .treebuilder(None)
                    .and_then(|builder| builder.write());
                repository
                    .find_tree(empty.attempt("writing a folder")?)
                    .attempt("reading a folder")?
            }
        };
        let mut update = TreeUpdateBuilder::new();
        for (path, bytes) in files {
            let executable = match self.find(parent.as_ref().map(git2::Commit::id), path)? {
                Found::File(file) => file.executable,
                Found::Nothing | Found::Special | Found::TooLarge => false,
            };
            let mode = if executable {
                FileMode::BlobExecutable
            } else {
                FileMode::Blob
            };
            let blob = repository.blob(bytes).attempt("writing a file")?;
            update.upsert(path.as_str(), blob, mode);
        }
        let tree = update
            .create_updated(&repository, &base)
            .attempt("writing the folders")?;
        if parent.is_some() && tree == base.id() {
            return Ok(None);
        }
        let tree = repository
            .find_tree(tree)
            .attempt("reading the new folders")?;
        // a clock that went back must not make a child older than its parent
        let after = parent
            .as_ref()
            .map_or(i64::MIN, |commit| commit.time().seconds());
        let time = Time::new(seconds.max(after), 0);
        let author = Signature::new(NAME, ADDRESS, &time).attempt("naming the author")?;
        let parents: Vec<_> = parent.iter().collect();
        let commit = repository.commit(None, &author, &author, message, &tree, &parents);
        commit.map(Some).attempt("writing the commit")
    }

    /// Keeps a commit from being collected, under the id of its save.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn pin(&self, save: &str, commit: Oid) -> Result<(), GitError> {
        let repository = self.repository()?;
        let name = format!("{SAVES}{save}");
        let old = match repository.refname_to_id(&name) {
            Ok(oid) => oid,
            Err(error) if error.code() == git2::ErrorCode::NotFound => Oid::ZERO_SHA1,
            Err(source) => {
                return Err(GitError::Library {
                    attempt: "reading a pin",
                    source,
                });
            }
        };
        let force = old != Oid::ZERO_SHA1;
        repository
            .reference_matching(&name, commit, force, old, "save")
            .attempt("pinning the commit")?;
        Ok(())
    }

    /// Forgets the pin of a save.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn unpin(&self, save: &str) -> Result<(), GitError> {
        remove_reference(&self.repository()?, &format!("{SAVES}{save}"))
    }

    /// The commit of `head`'s history that carries the save's trailer, newest first, down to `base`.
    ///
    /// # Errors
    /// [`GitError`] when the clone fails.
    pub(crate) fn find_save(
        &self,
        head: Oid,
        base: Option<Oid>,
        save: &str,
    ) -> Result<Option<Oid>, GitError> {
        let repository = self.repository()?;
        let mut walk = repository.revwalk().attempt("walking the history")?;
        walk.push(head).attempt("walking the history")?;
        if let Some(base) = base.filter(|base| repository.find_commit(*base).is_ok()) {
            walk.hide(base).attempt("walking the history")?;
        }
        let trailer = format!("Save-Id: {save}");
        for oid in walk {
            let oid = oid.attempt("walking the history")?;
            let commit = repository.find_commit(oid).attempt("reading a commit")?;
            if commit
                .message_bytes()
                .split(|b| *b == b'\n')
                .any(|line| line == trailer.as_bytes())
            {
                return Ok(Some(oid));
            }
        }
        Ok(None)
    }
}

/// The id that Git gives to a file's bytes.
///
/// # Errors
/// [`GitError`] when the hash fails, which it does not for bytes in memory.
pub(crate) fn blob_id(bytes: &[u8]) -> Result<Oid, GitError> {
    Oid::hash_object(ObjectType::Blob, bytes).attempt("hashing a file")
}

/// Makes a bare repository with a `main` branch to come, for the clone or as the remote.
///
/// # Errors
/// [`GitError`] when the disk fails.
pub(crate) fn init_bare(path: &Path) -> Result<Repository, GitError> {
    let mut options = RepositoryInitOptions::new();
    options
        .bare(true)
        .external_template(false)
        .initial_head("main");
    Repository::init_opts(path, &options).attempt("making a repository")
}

fn tree_of(repository: &Repository, commit: Oid) -> Result<Tree<'_>, GitError> {
    repository
        .find_commit(commit)
        .and_then(|c| c.tree())
        .attempt("reading a commit")
}

fn remove_reference(repository: &Repository, name: &str) -> Result<(), GitError> {
    match repository
        .find_reference(name)
        .and_then(|mut reference| reference.delete())
    {
        Err(error) if error.code() != git2::ErrorCode::NotFound => Err(GitError::Library {
            attempt: "removing a reference",
            source: error,
        }),
        _ => Ok(()),
    }
}

fn remove_locks(folder: &Path) -> Result<(), GitError> {
    for entry in std::fs::read_dir(folder).attempt("looking for stale locks")? {
        let entry = entry.attempt("looking for stale locks")?;
        let kind = entry.file_type().attempt("looking for stale locks")?;
        if kind.is_dir() {
            remove_locks(&entry.path())?;
        } else if entry.path().extension().is_some_and(|e| e == "lock") {
            std::fs::remove_file(entry.path()).attempt("removing a stale lock")?;
        }
    }
    Ok(())
}

const OURS: &str = "refs/stackseal/*";
const REMOTE: &str = "refs/stackseal/remote";
const SAVES: &str = "refs/stackseal/saves/";
const NAME: &str = "Stackseal";
const ADDRESS: &str = "stackseal@localhost";

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = crate::random::identifier().unwrap();
            Self(std::env::temp_dir().join(format!("stackseal-clone-{name}")))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn path(text: &str) -> RepositoryPath {
        RepositoryPath::parse(text).unwrap()
    }

    #[test]
    fn a_commit_keeps_everything_it_does_not_name() {
        let folder = Folder::new();
        let clone = Clone::open(&folder.0).unwrap();
        let first = [
            (path("a/b.yaml"), b"1".to_vec()),
            (path("a/c.yaml"), b"2".to_vec()),
        ];
        let one = clone.build(None, &first, "one", 100).unwrap().unwrap();
        let two = clone.build(Some(one), &[(path("a/b.yaml"), b"3".to_vec())], "two", 50);
        let two = two.unwrap().unwrap();
        let read = |at: &str| match clone.find(Some(two), &path(at)).unwrap() {
            Found::File(file) => file.bytes,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (read("a/b.yaml"), read("a/c.yaml")),
            (b"3".to_vec(), b"2".to_vec())
        );
        let repository = clone.repository().unwrap();
        assert_eq!(repository.find_commit(two).unwrap().time().seconds(), 100);
        assert!(clone.reaches(two, one).unwrap() && !clone.reaches(one, two).unwrap());
        let same = clone.build(
            Some(two),
            &[(path("a/b.yaml"), b"3".to_vec())],
            "three",
            200,
        );
        assert_eq!(same.unwrap(), None);
    }

    #[test]
    fn links_submodules_folders_and_other_cases_are_special() {
        let folder = Folder::new();
        let clone = Clone::open(&folder.0).unwrap();
        let base = clone
            .build(None, &[(path("real/x.yaml"), b"1".to_vec())], "m", 1)
            .unwrap()
            .unwrap();
        let repository = clone.repository().unwrap();
        let tree = tree_of(&repository, base).unwrap();
        let link = repository.blob(b"real").unwrap();
        let mut update = TreeUpdateBuilder::new();
        update.upsert("link", link, FileMode::Link);
        update.upsert("real/leaf", link, FileMode::Link);
        update.upsert("module", base, FileMode::Commit);
        let tree = update.create_updated(&repository, &tree).unwrap();
        let author = Signature::now("n", "e").unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let commit = repository
            .commit(None, &author, &author, "m", &tree, &[])
            .unwrap();
        for special in [
            "link",
            "link/x.yaml",
            "real/leaf",
            "module",
            "module/x",
            "real",
            "Real/x.yaml",
            "real/X.yaml",
            "real/x.yaml/y",
        ] {
            assert_eq!(
                clone.find(Some(commit), &path(special)).unwrap(),
                Found::Special,
                "{special}"
            );
        }
        assert_eq!(
            clone.find(Some(commit), &path("real/new/y.yaml")).unwrap(),
            Found::Nothing
        );
    }

    #[test]
    fn a_save_is_found_by_its_trailer_only_after_its_base() {
        let folder = Folder::new();
        let clone = Clone::open(&folder.0).unwrap();
        let file = |n: &str| [(path("a"), n.as_bytes().to_vec())];
        let one = clone
            .build(None, &file("1"), "s\n\nSave-Id: abc\n", 1)
            .unwrap()
            .unwrap();
        let two = clone
            .build(Some(one), &file("2"), "s\n\nSave-Id: abcd\n", 2)
            .unwrap()
            .unwrap();
        assert_eq!(clone.find_save(two, None, "abc").unwrap(), Some(one));
        assert_eq!(clone.find_save(two, Some(one), "abc").unwrap(), None);
        assert_eq!(clone.find_save(two, Some(one), "abcd").unwrap(), Some(two));
        assert_eq!(clone.find_save(two, None, "ab").unwrap(), None);
    }

    #[test]
    fn pins_are_replaced_and_forgotten_and_stale_locks_go() {
        let folder = Folder::new();
        let clone = Clone::open(&folder.0).unwrap();
        let one = clone
            .build(None, &[(path("a"), vec![1])], "m", 1)
            .unwrap()
            .unwrap();
        let two = clone
            .build(Some(one), &[(path("a"), vec![2])], "m", 1)
            .unwrap()
            .unwrap();
        clone.pin("x", one).unwrap();
        std::fs::write(folder.0.join("refs/stackseal/saves/x.lock"), b"").unwrap();
        assert!(clone.pin("x", two).is_err());
        let clone = Clone::open(&folder.0).unwrap();
        clone.pin("x", two).unwrap();
        clone.unpin("x").unwrap();
        clone.unpin("x").unwrap();
        assert_eq!(clone.head().unwrap(), None);
        clone.set_head(two).unwrap();
        assert_eq!(clone.head().unwrap(), Some(two));
        assert!(
            clone
                .set_head(Oid::from_str(&"1".repeat(40)).unwrap())
                .is_err()
        );
    }
}
