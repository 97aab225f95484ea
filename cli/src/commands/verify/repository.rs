//! The repository around the working folder: what is staged in it, and the text of that, as `git` tells them. What a hook
//! finds in its environment, such as the index of this one commit, holds for the `git` that is started here, too.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::exit::Failure;
use crate::output::Shown as _;

/// A repository that has a working folder.
pub(super) struct Repository {
    /// Whether it is found without the folder that the environment names.
    finds_itself: bool,
    /// The working folder below that of the repository.
    pub(super) prefix: PathBuf,
}

/// A file as it is staged.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Below the repository's working folder.
    pub(super) path: PathBuf,
    /// The name of its text.
    pub(super) id: String,
}

impl Repository {
    /// The one that the environment names, else the one around.
    ///
    /// # Errors
    /// `git-failed`.
    pub(super) fn around() -> Result<Self, Failure> {
        let named = Self::at(false)?;
        let is_set = |name| std::env::var_os(name).is_some();
        // In a linked working folder hooks are given the repository alone, and Git takes whatever folder they go to for
        // the top of it.
        if is_set("GIT_DIR") && !is_set("GIT_WORK_TREE") {
            let folder = |it: &Self| it.ask(&["rev-parse", "--absolute-git-dir"]);
            if let Ok(own) = Self::at(true)
                && folder(&own)? == folder(&named)?
            {
                return Ok(own);
            }
        }
        Ok(named)
    }

    fn at(finds_itself: bool) -> Result<Self, Failure> {
        let mut repository = Self {
            finds_itself,
            prefix: PathBuf::new(),
        };
        let told = repository.ask(&["rev-parse", "--is-inside-work-tree", "--show-prefix"])?;
        let prefix = told
            .strip_prefix(b"true\n")
            .and_then(|rest| rest.strip_suffix(b"\n"));
        let Some(prefix) = prefix else {
            return Err(untold("this is not where the files of a repository lie"));
        };
        repository.prefix = PathBuf::from(OsStr::from_bytes(prefix));
        Ok(repository)
    }

    /// Files that are staged otherwise than they are in the last commit, by their path: all, or what patterns name.
    ///
    /// # Errors
    /// `git-failed`.
    pub(super) fn staged(&self, patterns: &[PathBuf]) -> Result<Vec<Entry>, Failure> {
        let last = match self.run(&["rev-parse", "-q", "--verify", "HEAD^{commit}"])? {
            // Before the first commit.
            output if !output.status.success() => {
                self.ask(&["hash-object", "-t", "tree", "--stdin"])?
            }
            output => {
                self.has_index()?;
                output.stdout
            }
        };
        let last = OsString::from_vec(last.trim_ascii_end().to_vec());
        let mut git = self.git();
        git.args(["diff-index", "--cached", "--raw", "-z", "--no-abbrev"])
            .args(["--no-renames", "--diff-filter=d"])
            .arg(last)
            .arg("--")
            .args(patterns);
        let listed = succeeded(started(&mut git)?)?;
        entries(&listed).ok_or_else(|| untold("git diff-index is not understood"))
    }

    /// The regular files of that name in the index, in whatever folder.
    ///
    /// # Errors
    /// `git-failed`.
    pub(super) fn called(&self, name: &str) -> Result<Vec<Entry>, Failure> {
        let pattern = format!(":(top,glob)**/{name}");
        let listed = self.ask(&["ls-files", "--full-name", "-s", "-z", "--", &pattern])?;
        indexed(&listed).ok_or_else(|| untold("git ls-files is not understood"))
    }

    /// A `git` that is to work on this repository.
    pub(super) fn git(&self) -> Command {
        let mut git = Command::new("git");
        // What is committed, and not what others replaced it by for showing.
        git.arg("--no-replace-objects");
        if self.finds_itself {
            git.env_remove("GIT_DIR");
            // It is named from here, and Git goes to the top of the repository.
            let index = std::env::var_os("GIT_INDEX_FILE").map(std::path::absolute);
            if let Some(Ok(index)) = index {
                git.env("GIT_INDEX_FILE", index);
            }
        }
        git
    }

    /// Git takes an index that is not there for an empty one, in which nothing could be found.
    fn has_index(&self) -> Result<(), Failure> {
        let path = self.ask(&["rev-parse", "--path-format=absolute", "--git-path", "index"])?;
        let path = path.strip_suffix(b"\n").unwrap_or(&path);
        let index = match std::env::var_os("GIT_INDEX_FILE") {
            Some(named) => PathBuf::from(named),
            None => PathBuf::from(OsStr::from_bytes(path)),
        };
        match index.is_file() {
            true => Ok(()),
            false => Err(untold(&format!("there is no index at {}", index.shown()))),
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        started(self.git().args(arguments))
    }

    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        succeeded(self.run(arguments)?)
    }
}

/// What is staged cannot be told.
pub(super) fn untold(why: &str) -> Failure {
    Failure::usage(
        "git-failed",
        format!("what is staged cannot be told: {why}"),
    )
}

/// Git is not there, or cannot be talked to.
pub(super) fn unstarted(error: &std::io::Error) -> Failure {
    untold(&format!("git cannot be started: {error}"))
}

fn started(git: &mut Command) -> Result<Output, Failure> {
    let output = git.stdin(Stdio::null()).output();
    output.map_err(|error| unstarted(&error))
}

fn succeeded(output: Output) -> Result<Vec<u8>, Failure> {
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(untold(String::from_utf8_lossy(&output.stderr).trim_end())),
    }
}

/// The regular files in what `git diff-index --raw -z` prints: `:MODE MODE ID ID STATUS`, and the path.
fn entries(listed: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let whole = listed.strip_suffix(b"\0").unwrap_or(listed);
    let mut fields = whole.split(|byte| *byte == 0);
    if listed.is_empty() {
        return Some(entries);
    }
    while let Some(head) = fields.next() {
        let path = fields.next()?;
        let head = std::str::from_utf8(head).ok()?.strip_prefix(':')?;
        let mut words = head.split(' ');
        let (mode, id) = (words.nth(1)?, words.nth(1)?);
        // The others are links, repositories in this one, and files with conflicts, which nobody can commit.
        if mode.starts_with(REGULAR) {
            entries.push(Entry {
                path: Path::new(OsStr::from_bytes(path)).to_path_buf(),
                id: id.to_owned(),
            });
        }
    }
    Some(entries)
}

/// The regular files in what `git ls-files -s -z` prints: `MODE ID STAGE`, a tab, and the path.
fn indexed(listed: &[u8]) -> Option<Vec<Entry>> {
    let lines = listed
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty());
    let mut entries = Vec::new();
    for line in lines {
        let at = line.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = line.split_at_checked(at)?;
        let mut words = std::str::from_utf8(head).ok()?.split(' ');
        let (mode, id) = (words.next()?, words.next()?);
        if mode.starts_with(REGULAR) {
            entries.push(Entry {
                path: Path::new(OsStr::from_bytes(path.get(1..)?)).to_path_buf(),
                id: id.to_owned(),
            });
        }
    }
    Some(entries)
}

/// How the modes of regular files begin.
const REGULAR: &str = "100";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_are_taken_whatever_they_are_called() {
        let listed = b":000000 100644 0000 aa11 A\0a \n\xff.yaml\0:100644 120000 1111 bb22 T\0link\0\
            :000000 160000 0000 cc33 A\0module\0:100644 000000 1111 0000 U\0conflict\0:100644 100755 1111 dd44 M\0b\0";
        let entry = |path: &[u8], id: &str| Entry {
            path: PathBuf::from(OsStr::from_bytes(path)),
            id: id.to_owned(),
        };
        assert_eq!(
            entries(listed).unwrap(),
            [entry(b"a \n\xff.yaml", "aa11"), entry(b"b", "dd44")]
        );
        assert_eq!(entries(b"").unwrap(), []);
    }

    #[test]
    fn files_of_the_index_are_told_with_their_texts() {
        let listed = b"100644 aa11 0\tp/.sops.yaml\x00120000 bb22 0\t.sops.yaml\0";
        let entry = Entry {
            path: PathBuf::from("p/.sops.yaml"),
            id: "aa11".to_owned(),
        };
        assert_eq!(indexed(listed).unwrap(), [entry]);
        assert_eq!(indexed(b""), Some(Vec::new()));
        assert_eq!(indexed(b"100644 aa11 0 x\0"), None);
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for listed in [
            "warning\n",
            ":000000 100644 0 1 A\0",
            "\0\0",
            ":000000 100644\0a\0",
        ] {
            assert_eq!(entries(listed.as_bytes()), None, "{listed:?}");
        }
    }
}
