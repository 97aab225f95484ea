//! The clone together with its remote: where the branch is, and how fresh that knowledge is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::Oid;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::git::repository::Clone;
use crate::git::{GitError, GitRemote, RemoteError};

/// A bare clone and the remote that it follows.
pub(crate) struct Mirror {
    clone: Clone,
    remote: Arc<dyn GitRemote>,
    /// Held while git talks to the remote; when it last answered, or failed to.
    contact: Mutex<Contact>,
}

#[derive(Default)]
struct Contact {
    last: Option<Instant>,
    failure: Option<RemoteError>,
}

/// Why the clone does not know where the branch is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    /// The clone failed.
    #[error("the local repository failed")]
    Local(#[from] Error),
    /// The remote failed.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl Mirror {
    /// Joins a clone and its remote.
    pub(crate) fn new(clone: Clone, remote: Arc<dyn GitRemote>) -> Self {
        Self {
            clone,
            remote,
            contact: Mutex::default(),
        }
    }

    /// Runs a call of the clone, which blocks.
    ///
    /// # Errors
    /// What the call reports.
    pub(crate) async fn in_clone<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Clone) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, Error> {
        let clone = self.clone.clone();
        Ok(tokio::task::spawn_blocking(move || call(&clone)).await??)
    }

    /// The branch as last seen.
    ///
    /// # Errors
    /// When the clone fails.
    pub(crate) async fn head(&self) -> Result<Option<Oid>, Error> {
        self.in_clone(Clone::head).await
    }

    /// Asks the remote where the branch is and brings what is new.
    ///
    /// # Errors
    /// [`SyncError`].
    pub(crate) async fn sync(&self) -> Result<Option<Oid>, SyncError> {
        let mut contact = self.contact.lock().await;
        let result = self.bring().await;
        contact.last = Some(Instant::now());
        contact.failure = match &result {
            Err(SyncError::Remote(error)) => Some(error.clone()),
            _ => None,
        };
        result
    }

    /// As [`Self::sync`] for a reader: not when the answer is fresh, not while another talks, and
    /// without complaint when the remote is away. Answers with the branch as best known.
    ///
    /// # Errors
    /// When the clone fails.
    pub(crate) async fn refresh(&self) -> Result<Option<Oid>, Error> {
        if let Ok(mut contact) = self.contact.try_lock() {
            let pause = if contact.failure.is_some() {
                AFTER_FAILURE
            } else {
                FRESH
            };
            if contact.last.is_none_or(|last| last.elapsed() >= pause) {
                let result = tokio::time::timeout(PATIENCE, self.bring()).await;
                contact.last = Some(Instant::now());
                contact.failure = match result {
                    Ok(Ok(_)) => None,
                    Ok(Err(SyncError::Remote(error))) => Some(error),
                    Ok(Err(SyncError::Local(error))) => return Err(error),
                    Err(_) => Some(RemoteError::Unreachable("no answer in time".to_owned())),
                };
            }
        }
        self.head().await
    }

    /// Moves the branch on the remote.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) async fn push(&self, new: Oid, old: Option<Oid>) -> Result<(), RemoteError> {
        let _contact = self.contact.lock().await;
        self.remote.push(new, old).await
    }

    /// What is wrong with the remote, as far as the last contact told.
    pub(crate) fn trouble(&self) -> Option<RemoteError> {
        self.contact
            .try_lock()
            .ok()
            .and_then(|contact| contact.failure.clone())
    }

    async fn bring(&self) -> Result<Option<Oid>, SyncError> {
        let head = self.remote.head().await?;
        if self.head().await? == head {
            return Ok(head);
        }
        if let Some(oid) = head {
            let known = self.in_clone(move |clone| clone.has_commit(oid)).await?;
            if !known {
                self.remote.fetch().await?;
                if !self.in_clone(move |clone| clone.has_commit(oid)).await? {
                    return Err(RemoteError::Moved.into());
                }
            }
        }
        self.in_clone(move |clone| clone.set_head(head)).await?;
        Ok(head)
    }
}

const FRESH: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);
