//! Everything that the routes and the worker share, and how it is put together at the start.

use std::fs::{DirBuilder, File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stackseal_core::{Recipient, Timestamp};
use stackseal_model::api::Repository;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::auth::LINK;
use crate::auth::origin::Origin;
use crate::auth::token::Token;
use crate::clock::Clock;
use crate::config::Config;
use crate::git::executable::{Askpass, Executable};
use crate::git::remote::RemoteAddress;
use crate::git::sync::Mirror;
use crate::git::{GitError, repository};
use crate::page::Page;
use crate::rate::Rate;
use crate::saves::Queue;
use crate::store::keys::KeyRow;
use crate::store::{Store, StoreError};
use crate::vault::local::LocalVault;
use crate::vault::root_key::RootKeyError;
use crate::vault::{Vault, VaultError};

/// What the server knows and owns. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    config: Config,
    clock: Arc<dyn Clock>,
    origins: Vec<Origin>,
    store: Store,
    vault: Arc<dyn Vault>,
    mirror: Mirror,
    address: RemoteAddress,
    queue: Queue,
    page: Page,
    places: Arc<Semaphore>,
    unwraps: Rate,
    key_making: Mutex<()>,
    audit_is_whole: bool,
    /// Held for the life of the process: two servers on one data folder would both be right and wrong.
    lock: File,
}

/// Why the server does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] Reason);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the data folder {0} cannot be used")]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("the data folder {0} can be read by others; set its mode to 0700")]
    FolderOpen(PathBuf),
    #[error("another server uses the data folder {0}; stop it first")]
    FolderTaken(PathBuf),
    #[error("the token file {0} can be read by others, or is no file; set its mode to 0600")]
    TokenFile(PathBuf),
    #[error(
        "the private key of {0} does not open; restore root.key and the database from one backup"
    )]
    Key(String, #[source] VaultError),
    #[error(
        "the sealed key of {0} belongs to another recipient; restore the database from your backup"
    )]
    KeySwapped(String),
    #[error(
        "the repository {0}, which holds every save, cannot be opened; restore it from your backup"
    )]
    Remote(PathBuf, #[source] GitError),
    #[error("the data folder's path is not UTF-8")]
    Utf8,
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Random(#[from] stackseal_core::Error),
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl State {
    /// Opens the data folder and everything in it, making what is missing at the first start.
    ///
    /// `askpass` is the program that git asks for the token: this very binary.
    ///
    /// # Errors
    /// [`StartError`], with what to do.
    pub async fn open(
        config: Config,
        listening: SocketAddr,
        clock: Arc<dyn Clock>,
        askpass: Option<PathBuf>,
    ) -> Result<Self, StartError> {
        Self::assemble(config, listening, clock, askpass)
            .await
            .map_err(StartError)
    }

    async fn assemble(
        config: Config,
        listening: SocketAddr,
        clock: Arc<dyn Clock>,
        askpass: Option<PathBuf>,
    ) -> Result<Self, Reason> {
        let data = config.data.clone();
        let lock = lock_folder(&data).await?;
        let store = Store::open(&data.join("stackseal.db")).await?;
        let mut writing = store.write().await.map_err(StoreError::from)?;
        crate::store::keys::remove_unproven_keys(&mut writing)
            .await
            .map_err(StoreError::from)?;
        writing.commit().await.map_err(StoreError::from)?;
        let keys = store.keys().await.map_err(StoreError::from)?;
        let vault = LocalVault::open(&data.join("root.key"), keys.is_empty())?;
        check_keys(&vault, &keys)?;
        let broken = store.audit_break().await.map_err(StoreError::from)?;
        if let Some(record) = broken {
            tracing::error!(
                record,
                "the audit trail is broken; nothing will be unwrapped"
            );
        }
        let clone = repository::Clone::open(&data.join("clone.git"))?;
        let address = match &config.remote {
            Some(address) => address.clone(),
            None => {
                let used = clone.head()?.is_some()
                    || store.has_pushed().await.map_err(StoreError::from)?;
                own_remote(&data, used)?
            }
        };
        let askpass = match (&config.remote_token_file, askpass) {
            (Some(file), Some(program)) => Some(Askpass {
                program,
                file: private_file(file)?,
            }),
            _ => None,
        };
        let remote = Executable::new(
            clone.path(),
            address.clone(),
            config.branch.clone(),
            askpass,
        );
        let origins = match &config.public_url {
            Some(origin) => vec![origin.clone()],
            None => Origin::of_loopback(listening),
        };
        Ok(Self(Arc::new(Shared {
            page: Page::of(config.page.as_deref()),
            config,
            clock,
            origins,
            store,
            vault: Arc::new(vault),
            mirror: Mirror::new(clone, Arc::new(remote)),
            address,
            queue: Queue::default(),
            places: Arc::new(Semaphore::new(REQUESTS)),
            unwraps: Rate::new(UNWRAPS_A_MINUTE),
            key_making: Mutex::default(),
            audit_is_whole: broken.is_none(),
            lock,
        })))
    }

    /// Makes the sign-in link of this start; earlier ones no longer work.
    ///
    /// # Errors
    /// [`StartError`] when the database or the random generator fails.
    pub async fn sign_in_link(&self) -> Result<String, StartError> {
        let token = Token::generate().map_err(Reason::from)?;
        let expires = self.now().unix() + LINK;
        let stored = self.store().set_sign_in(token.hash(), expires).await;
        stored.map_err(|error| Reason::from(StoreError::from(error)))?;
        let origin = self
            .0
            .origins
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        Ok(format!("{origin}/signin#token={}", token.expose()))
    }

    /// Closes the database and gives the data folder free.
    pub async fn close(&self) {
        self.0.store.close().await;
        // A child between fork and exec still holds the file, so closing ours would not be enough. A
        // lock that cannot be released goes with the process.
        drop(self.0.lock.unlock());
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn vault(&self) -> Arc<dyn Vault> {
        Arc::clone(&self.0.vault)
    }

    pub(crate) fn mirror(&self) -> &Mirror {
        &self.0.mirror
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    pub(crate) fn page(&self) -> &Page {
        &self.0.page
    }

    pub(crate) fn unwraps(&self) -> &Rate {
        &self.0.unwraps
    }

    /// Held while a key pair is made.
    pub(crate) fn key_making(&self) -> &Mutex<()> {
        &self.0.key_making
    }

    pub(crate) fn audit_is_whole(&self) -> bool {
        self.0.audit_is_whole
    }

    /// The remote as it may be shown.
    pub(crate) fn repository(&self) -> Repository {
        Repository {
            remote: self.0.address.to_string(),
            branch: self.0.config.branch.as_str().to_owned(),
            cluster_file: self.0.config.cluster_file.to_string(),
        }
    }

    /// A place among the requests served at once, while there is one.
    pub(crate) fn place_for_request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.places).try_acquire_owned().ok()
    }

    /// Whether a `Host` header names this server.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        self.0
            .origins
            .iter()
            .any(|own| Origin::from_authority(own.is_secure(), host).as_ref() == Some(own))
    }

    /// Whether an `Origin` header names this server.
    pub(crate) fn is_own_origin(&self, origin: &str) -> bool {
        Origin::parse(origin).is_ok_and(|origin| self.0.origins.contains(&origin))
    }
}

/// Every published recipient must have its private half, or the server does not start: saves would be
/// sealed to a key that nobody has.
fn check_keys(vault: &dyn Vault, keys: &[KeyRow]) -> Result<(), Reason> {
    for key in keys {
        let opened = vault.recipient(&key.binding, &key.sealed);
        let recipient = opened.map_err(|error| Reason::Key(key.recipient.clone(), error))?;
        if Recipient::parse(&key.recipient).ok() != Some(recipient) {
            return Err(Reason::KeySwapped(key.recipient.clone()));
        }
    }
    Ok(())
}

async fn lock_folder(data: &Path) -> Result<File, Reason> {
    let failed = |error| Reason::Folder(data.to_owned(), error);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(failed)?;
    if std::fs::metadata(data).map_err(failed)?.mode() & 0o077 != 0 {
        return Err(Reason::FolderOpen(data.to_owned()));
    }
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(data.join("lock"))
        .map_err(failed)?;
    // One that was just stopped may need a moment to let go.
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(Reason::FolderTaken(data.to_owned()))
}

/// The embedded default's remote: a bare repository that refuses to lose anything. One that was `used`
/// is never made anew.
fn own_remote(data: &Path, used: bool) -> Result<RemoteAddress, Reason> {
    let folder = std::path::absolute(data.join("remote.git"))
        .map_err(|error| Reason::Folder(data.to_owned(), error))?;
    let repository = match git2::Repository::open_bare(&folder) {
        Ok(repository) => repository,
        Err(error) if error.code() == git2::ErrorCode::NotFound && !used => {
            repository::init_bare(&folder)?
        }
        Err(source) => {
            let source = GitError::Library {
                attempt: "opening the repository",
                source,
            };
            return Err(Reason::Remote(folder, source));
        }
    };
    let library = |source| GitError::Library {
        attempt: "writing the repository's settings",
        source,
    };
    let mut settings = repository.config().map_err(library)?;
    settings.set_str("core.fsync", "all").map_err(library)?;
    for rule in [
        "receive.denyDeletes",
        "receive.denyNonFastForwards",
        "receive.fsckObjects",
    ] {
        settings.set_bool(rule, true).map_err(library)?;
    }
    RemoteAddress::of_folder(&folder).ok_or(Reason::Utf8)
}

fn private_file(path: &Path) -> Result<PathBuf, Reason> {
    let unfit = || Reason::TokenFile(path.to_owned());
    let absolute = std::path::absolute(path).map_err(|_| unfit())?;
    let about = std::fs::metadata(&absolute).map_err(|_| unfit())?;
    if about.is_file() && about.mode() & 0o077 == 0 {
        Ok(absolute)
    } else {
        Err(unfit())
    }
}

const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
const REQUESTS: usize = 256;
const UNWRAPS_A_MINUTE: usize = 120;
