//! Git as the record: a bare clone that commits are built in as objects, and the remote they go to.
//!
//! No work tree exists, so no path of a repository ever becomes a path of this machine's disk.
//! [`repository::Clone`] reads and writes objects; [`GitRemote`] fetches and pushes. Only this
//! process writes references of the clone.

pub(crate) mod commit;
pub(crate) mod executable;
pub(crate) mod path;
pub(crate) mod remote;
pub(crate) mod repository;
pub(crate) mod sync;

use std::future::Future;
use std::pin::Pin;

use git2::Oid;

/// A failure of the clone on disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// libgit2 reported it.
    #[error("{attempt}")]
    Library {
        /// What was attempted.
        attempt: &'static str,
        /// What libgit2 said.
        #[source]
        source: git2::Error,
    },
    /// The file system reported it.
    #[error("{attempt}")]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl GitError {
    /// Whether the clone lacks an object that was asked for.
    pub(crate) fn is_missing_object(&self) -> bool {
        matches!(self, Self::Library { source, .. }
            if source.code() == git2::ErrorCode::NotFound && source.class() == git2::ErrorClass::Odb)
    }
}

/// Adds what was attempted to an error of libgit2.
pub(crate) trait Attempt<T> {
    /// Names the attempt.
    fn attempt(self, attempt: &'static str) -> Result<T, GitError>;
}

impl<T> Attempt<T> for Result<T, git2::Error> {
    fn attempt(self, attempt: &'static str) -> Result<T, GitError> {
        self.map_err(|source| GitError::Library { attempt, source })
    }
}

impl<T> Attempt<T> for Result<T, std::io::Error> {
    fn attempt(self, attempt: &'static str) -> Result<T, GitError> {
        self.map_err(|source| GitError::Disk { attempt, source })
    }
}

/// Why the remote did not do what was asked. Messages are one line, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RemoteError {
    /// It refused our credentials.
    #[error("the remote refused our credentials: {0}")]
    Auth(String),
    /// The branch was there and is not any more.
    #[error("the branch is gone")]
    Gone,
    /// The branch is not where we believed it: somebody pushed in between.
    #[error("the branch moved")]
    Moved,
    /// A hook or branch protection refused the commit.
    #[error("the remote's rules refused the commit: {0}")]
    Policy(String),
    /// No answer, or none that makes sense.
    #[error("the remote does not answer: {0}")]
    Unreachable(String),
}

/// A future in a box, so that the trait can be an object.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, RemoteError>> + Send + 'a>>;

/// The branch of the remote repository that saves go to.
pub(crate) trait GitRemote: Send + Sync {
    /// The commit that the branch points at; `None` while it does not exist.
    fn head(&self) -> Pending<'_, Option<Oid>>;

    /// Brings the branch's objects into the clone. No reference is written.
    fn fetch(&self) -> Pending<'_, ()>;

    /// As [`Self::fetch`], but brings every object of the branch, also those that are there.
    fn refetch(&self) -> Pending<'_, ()>;

    /// Moves the branch from exactly `old` to `new`, or fails. Never overwrites: when the branch is
    /// elsewhere the answer is [`RemoteError::Moved`].
    fn push(&self, new: Oid, old: Option<Oid>) -> Pending<'_, ()>;
}
