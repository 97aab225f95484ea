//! The clone together with its remote: where the branch is, and how fresh that knowledge is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::Oid;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Error;
use crate::git::repository::Clone;
use crate::git::{GitError, GitRemote, RemoteError};

/// A bare clone and the remote that it follows. Cheap to clone.
///
/// What talks to the remote runs in tasks of its own: whoever asked may go away or lose patience, and
/// the conversation is still brought to its end.
#[derive(Clone)]
pub(crate) struct Mirror(Arc<Shared>);

struct Shared {
    clone: Clone,
    remote: Arc<dyn GitRemote>,
    /// Held while git talks to the remote; when it last answered, or failed to.
    contact: Arc<Mutex<Contact>>,
}

#[derive(Default)]
struct Contact {
    last: Option<Instant>,
    failure: Option<RemoteError>,
    /// When everything was last fetched anew.
    mended: Option<Instant>,
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
        Self(Arc::new(Shared {
            clone,
            remote,
            contact: Arc::default(),
        }))
    }

    /// Runs a call of the clone, which blocks. When the clone lacks an object that it should have,
    /// everything is fetched anew and the call made once more.
    ///
    /// # Errors
    /// What the call reports.
    pub(crate) async fn in_clone<T: Send + 'static>(
        &self,
        call: impl Fn(&Clone) -> Result<T, GitError> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let call = Arc::new(call);
        let first = Arc::clone(&call);
        match self.locally(move |clone| first(clone)).await {
            Err(Error::Git(error)) if error.is_missing_object() && self.mend().await => {
                self.locally(move |clone| call(clone)).await
            }
            result => result,
        }
    }

    async fn locally<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Clone) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, Error> {
        let clone = self.0.clone.clone();
        Ok(tokio::task::spawn_blocking(move || call(&clone)).await??)
    }

    /// The branch as last seen.
    ///
    /// # Errors
    /// When the clone fails.
    pub(crate) async fn head(&self) -> Result<Option<Oid>, Error> {
        self.locally(Clone::head).await
    }

    /// Asks the remote where the branch is and brings what is new.
    ///
    /// # Errors
    /// [`SyncError`].
    pub(crate) async fn sync(&self) -> Result<Option<Oid>, SyncError> {
        let contact = Arc::clone(&self.0.contact).lock_owned().await;
        let talk = tokio::spawn(self.clone().talk(contact));
        talk.await.map_err(Error::from)?
    }

    /// As [`Self::sync`] for a reader: not when the answer is fresh, not while another talks, not for
    /// long, and without complaint when the remote is away. Answers with the branch as best known.
    ///
    /// # Errors
    /// When the clone fails.
    pub(crate) async fn refresh(&self) -> Result<Option<Oid>, Error> {
        if let Ok(contact) = Arc::clone(&self.0.contact).try_lock_owned() {
            let pause = if contact.failure.is_some() {
                AFTER_FAILURE
            } else {
                FRESH
            };
            if contact.last.is_none_or(|last| last.elapsed() >= pause) {
                let talk = tokio::spawn(self.clone().talk(contact));
                // Out of patience, the reader goes; the talk goes on.
                if let Ok(talk) = tokio::time::timeout(PATIENCE, talk).await
                    && let Err(SyncError::Local(error)) = talk?
                {
                    return Err(error);
                }
            }
        }
        self.head().await
    }

    /// Moves the branch on the remote.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) async fn push(&self, new: Oid, old: Option<Oid>) -> Result<(), RemoteError> {
        let _contact = self.0.contact.lock().await;
        self.0.remote.push(new, old).await
    }

    /// What is wrong with the remote, as far as the last contact told.
    pub(crate) fn trouble(&self) -> Option<RemoteError> {
        self.0
            .contact
            .try_lock()
            .ok()
            .and_then(|contact| contact.failure.clone())
    }

    /// Asks and brings, and keeps what became of it.
    async fn talk(self, mut contact: OwnedMutexGuard<Contact>) -> Result<Option<Oid>, SyncError> {
        let result = self.bring().await;
        contact.last = Some(Instant::now());
        contact.failure = match &result {
            Err(SyncError::Remote(error)) => Some(error.clone()),
            _ => None,
        };
        result
    }

    async fn bring(&self) -> Result<Option<Oid>, SyncError> {
        let head = self.0.remote.head().await?;
        if self.head().await? == head {
            return Ok(head);
        }
        // A branch that was there is not begun anew by us: its files would be gone.
        let oid = head.ok_or(RemoteError::Gone)?;
        // That the commit is there says nothing of its files: only what one of our references leads
        // to was once fetched, or built, as a whole.
        if !self.locally(move |clone| clone.keeps(oid)).await? {
            self.0.remote.fetch().await?;
            if !self.locally(move |clone| clone.has_commit(oid)).await? {
                return Err(RemoteError::Moved.into());
            }
        }
        self.locally(move |clone| clone.set_head(oid)).await?;
        Ok(head)
    }

    /// Fetches everything anew; whether that came about, now or a moment ago.
    async fn mend(&self) -> bool {
        let mirror = self.clone();
        let mending = async move {
            let mut contact = mirror.0.contact.lock().await;
            if contact
                .mended
                .is_some_and(|mended| mended.elapsed() < AFTER_FAILURE)
            {
                return true;
            }
            tracing::error!("the clone lacks an object; everything is fetched anew");
            let fetched = mirror.0.remote.refetch().await;
            contact.mended = Some(Instant::now());
            if let Err(error) = &fetched {
                tracing::error!(%error, "it could not be fetched");
            }
            fetched.is_ok()
        };
        let mending = tokio::time::timeout(PATIENCE, tokio::spawn(mending));
        matches!(mending.await, Ok(Ok(true)))
    }
}

const FRESH: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);
