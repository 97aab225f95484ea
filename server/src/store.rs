//! The server's database: SQLite in one file, with a write-ahead log that is on the disk before a
//! transaction counts as made.
//!
//! One connection writes, in transactions that take the write lock at once; a few read. Statements
//! are plain SQL with `$1` placeholders, so that they also suit PostgreSQL.

pub(crate) mod audit;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod migrations;
pub(crate) mod saves;
pub(crate) mod sessions;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Sqlite, Transaction};

/// A transaction that holds the write lock.
pub(crate) type Write = Transaction<'static, Sqlite>;

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// SQLite found damage.
    #[error("the database is damaged ({0}); restore the data folder from your backup")]
    Damaged(String),
    /// It was made by a later version.
    #[error(
        "the database has version {found}, this program knows {known}; start the newer program"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// SQLite reported it.
    #[error("the database could not be opened")]
    Sqlite(#[from] sqlx::Error),
}

impl Store {
    /// Opens or makes the database, checks it for damage and brings it to this version.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let timeout = Duration::from_secs(10);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(timeout)
            .connect_with(options.clone())
            .await?;
        let damage: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&writer)
            .await?;
        if damage != "ok" {
            return Err(StoreError::Damaged(damage));
        }
        let mut writing = writer.begin_with(BEGIN).await?;
        migrations::migrate(&mut writing).await?;
        writing.commit().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(timeout)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn write(&self) -> Result<Write, sqlx::Error> {
        self.writer.begin_with(BEGIN).await
    }

    /// The connections that read.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT count(*) FROM organisation")
            .execute(&self.readers)
            .await
            .map(drop)
    }

    /// Closes all connections, so that the write-ahead log is folded in.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

const BEGIN: &str = "BEGIN IMMEDIATE";
