//! The audit trail: who did what, written and on the disk before anything secret is released.
//!
//! A record never holds a value, a key or a token. It is chained to the one before
//! ([`crate::store::audit`]) and repeated in the log, which is the second place to find it.

use serde::Serialize;
use stackseal_core::Timestamp;

use crate::error::Error;
use crate::random;
use crate::store::{self, Write};

/// Something that happened.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Event<'a> {
    /// What, as `noun.verb`.
    pub(crate) action: &'a str,
    /// Who.
    pub(crate) actor: &'a str,
    /// In which request.
    pub(crate) request_id: &'a str,
    /// Scope whose key is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'a str>,
    /// Path in the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<&'a str>,
    /// Commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit: Option<&'a str>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<&'a str>,
    /// Recipient concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient: Option<&'a str>,
    /// Digest of the wrapped data key, hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<&'a str>,
    /// Save.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) save: Option<&'a str>,
}

#[derive(Serialize)]
struct Record<'a> {
    id: &'a str,
    at: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// Appends a record; it counts once the transaction is committed. Answers with its id.
///
/// # Errors
/// When it cannot be written; then the act must not happen.
pub(crate) async fn append(
    writing: &mut Write,
    now: Timestamp,
    event: &Event<'_>,
) -> Result<String, Error> {
    let id = random::identifier()?;
    let record = Record {
        id: &id,
        at: now.to_string(),
        event,
    };
    let text = serde_json::to_string(&record)
        .map_err(|error| Error::Store(sqlx::Error::Encode(Box::new(error))))?;
    let seq = store::audit::append(writing, &text).await?;
    tracing::info!(target: "audit", seq, record = text, "audit");
    Ok(id)
}
