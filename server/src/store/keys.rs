//! The organisation and the sealed private keys of its scopes.

use crate::store::{Store, Write};
use crate::vault::{Binding, KeyState};

/// The organisation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrganisationRow {
    /// Identifier, bound into every sealed key.
    pub(crate) id: String,
    /// Name as people write it.
    pub(crate) name: String,
}

/// A scope's key as stored.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    /// The place that the sealed record is bound to.
    pub(crate) binding: Binding,
    /// The public side.
    pub(crate) recipient: String,
    /// The private side, sealed by the vault.
    pub(crate) sealed: Vec<u8>,
    /// When it was made.
    pub(crate) created_at: i64,
}

/// id, organisation, scope, epoch, state, recipient, sealed, created_at
type RawKey = (String, String, String, i64, String, String, Vec<u8>, i64);

impl Store {
    /// The organisation, once it is named.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn organisation(&self) -> Result<Option<OrganisationRow>, sqlx::Error> {
        let row: Option<(String, String)> = sqlx::query_as("SELECT id, name FROM organisation")
            .fetch_optional(self.read())
            .await?;
        Ok(row.map(|(id, name)| OrganisationRow { id, name }))
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, sqlx::Error> {
        let rows: Vec<RawKey> = sqlx::query_as(
            "SELECT id, organisation, scope, epoch, state, recipient, sealed, created_at
             FROM scope_key ORDER BY epoch",
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(key_row).collect()
    }

    /// The key that saves are sealed to.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn active_key(&self) -> Result<Option<KeyRow>, sqlx::Error> {
        let keys = self.keys().await?;
        Ok(keys
            .into_iter()
            .rfind(|key| key.binding.state == KeyState::Active))
    }
}

/// Names the organisation, or renames it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn name_organisation(
    writing: &mut Write,
    new_id: &str,
    name: &str,
    now: i64,
) -> Result<(), sqlx::Error> {
    let renamed = sqlx::query("UPDATE organisation SET name = $1")
        .bind(name)
        .execute(&mut **writing)
        .await?;
    if renamed.rows_affected() == 0 {
        sqlx::query("INSERT INTO organisation (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(new_id)
            .bind(name)
            .bind(now)
            .execute(&mut **writing)
            .await?;
    }
    Ok(())
}

/// Stores a key that was just made.
///
/// # Errors
/// When the database fails.
pub(crate) async fn add_key(writing: &mut Write, key: &KeyRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO scope_key (id, organisation, scope, epoch, state, recipient, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&key.binding.key)
    .bind(&key.binding.organisation)
    .bind(&key.binding.scope)
    .bind(key.binding.epoch)
    .bind(key.binding.state.as_str())
    .bind(&key.recipient)
    .bind(&key.sealed)
    .bind(key.created_at)
    .execute(&mut **writing)
    .await
    .map(drop)
}

/// Replaces a key's state and its sealed record together.
///
/// # Errors
/// When the database fails, or the key's row is gone.
pub(crate) async fn set_key_state(
    writing: &mut Write,
    binding: &Binding,
    sealed: &[u8],
) -> Result<(), sqlx::Error> {
    let changed = sqlx::query("UPDATE scope_key SET state = $1, sealed = $2 WHERE id = $3")
        .bind(binding.state.as_str())
        .bind(sealed)
        .bind(&binding.key)
        .execute(&mut **writing)
        .await?;
    if changed.rows_affected() == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// Removes keys that were made but never proven readable: nobody has seen their recipients.
///
/// # Errors
/// When the database fails.
pub(crate) async fn remove_unproven_keys(writing: &mut Write) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM scope_key WHERE state = $1")
        .bind(KeyState::Generated.as_str())
        .execute(&mut **writing)
        .await
        .map(drop)
}

fn key_row(raw: RawKey) -> Result<KeyRow, sqlx::Error> {
    let (key, organisation, scope, epoch, state, recipient, sealed, created_at) = raw;
    let known = [KeyState::Active, KeyState::Generated]
        .into_iter()
        .find(|s| s.as_str() == state);
    let state = known.ok_or_else(|| sqlx::Error::Decode("the state of a key is unknown".into()))?;
    let binding = Binding {
        organisation,
        scope,
        key,
        epoch,
        state,
    };
    Ok(KeyRow {
        binding,
        recipient,
        sealed,
        created_at,
    })
}
