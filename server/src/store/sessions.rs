//! Sign-in links and sessions. Only hashes of their tokens are stored.

use crate::auth::token::TokenHash;
use crate::store::{Store, Write};

/// A session as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionRow {
    /// Who signed in.
    pub(crate) actor: String,
    /// When.
    pub(crate) created_at: i64,
    /// When a request came last, to the minute.
    pub(crate) seen_at: i64,
}

impl Store {
    /// Replaces all sign-in links by this one.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn set_sign_in(
        &self,
        hash: TokenHash,
        expires_at: i64,
    ) -> Result<(), sqlx::Error> {
        let mut writing = self.write().await?;
        sqlx::query("DELETE FROM sign_in_token")
            .execute(&mut *writing)
            .await?;
        sqlx::query("INSERT INTO sign_in_token (hash, expires_at) VALUES ($1, $2)")
            .bind(hash.as_slice())
            .bind(expires_at)
            .execute(&mut *writing)
            .await?;
        writing.commit().await
    }

    /// The session with this token.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn session(&self, hash: TokenHash) -> Result<Option<SessionRow>, sqlx::Error> {
        let row: Option<(String, i64, i64)> =
            sqlx::query_as("SELECT actor, created_at, seen_at FROM session WHERE hash = $1")
                .bind(hash.as_slice())
                .fetch_optional(self.read())
                .await?;
        Ok(row.map(|(actor, created_at, seen_at)| SessionRow {
            actor,
            created_at,
            seen_at,
        }))
    }

    /// Records that a session is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn touch_session(&self, hash: TokenHash, now: i64) -> Result<(), sqlx::Error> {
        let mut writing = self.write().await?;
        sqlx::query("UPDATE session SET seen_at = $1 WHERE hash = $2")
            .bind(now)
            .bind(hash.as_slice())
            .execute(&mut *writing)
            .await?;
        writing.commit().await
    }
}

/// Uses a sign-in link up. `false` when it is unknown, used or expired.
///
/// # Errors
/// When the database fails.
pub(crate) async fn use_sign_in(
    writing: &mut Write,
    hash: TokenHash,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let used = sqlx::query("DELETE FROM sign_in_token WHERE hash = $1 AND expires_at > $2")
        .bind(hash.as_slice())
        .bind(now)
        .execute(&mut **writing)
        .await?;
    Ok(used.rows_affected() == 1)
}

/// Stores a session, and forgets those that ended by themselves.
///
/// # Errors
/// When the database fails.
pub(crate) async fn add_session(
    writing: &mut Write,
    hash: TokenHash,
    row: &SessionRow,
    oldest: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE created_at < $1")
        .bind(oldest)
        .execute(&mut **writing)
        .await?;
    sqlx::query("INSERT INTO session (hash, actor, created_at, seen_at) VALUES ($1, $2, $3, $4)")
        .bind(hash.as_slice())
        .bind(&row.actor)
        .bind(row.created_at)
        .bind(row.seen_at)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end_session(writing: &mut Write, hash: TokenHash) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE hash = $1")
        .bind(hash.as_slice())
        .execute(&mut **writing)
        .await
        .map(drop)
}
