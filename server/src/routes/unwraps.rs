//! Releasing one file's data key, wrapped to a one-time recipient.
//!
//! The wrapped key is taken from Git at the commit, path and blob named, never from the request. The
//! audit record is on the disk before the vault is asked. Values are never decrypted here.

use std::time::{Duration, Instant};

use axum::extract::State as Shared;
use axum::{Extension, Json};
use git2::Oid;
use stackseal_core::document::{Document, Encrypted};
use stackseal_core::{Limits, Recipient};
use stackseal_model::api::{MAX_FILE_BYTES, Purpose, UnwrapRequest, Unwrapped};

use crate::audit::{self, Event};
use crate::auth::Member;
use crate::body;
use crate::crash;
use crate::error::{Code, Error};
use crate::git::path::RepositoryPath;
use crate::git::repository::Found;
use crate::random;
use crate::routes::organisation::fingerprint;
use crate::saves::accept::foreign_stanza;
use crate::state::State;
use crate::store::keys::KeyRow;
use crate::store::ledger;
use crate::telemetry::RequestId;

/// `POST /api/v1/unwraps`
pub(crate) async fn unwrap(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    body: body::Json<UnwrapRequest>,
) -> Result<Json<Unwrapped>, Error> {
    let asked = body.value;
    if !state.audit_is_whole() {
        return Err(Error::refused(Code::AuditUnavailable, ""));
    }
    if !state.unwraps().allows(Instant::now()) {
        return Err(Error::refused(Code::TooManyRequests, ""));
    }
    let to = Recipient::parse(&asked.recipient)?;
    let key = state.store().active_key().await?;
    let key = key.ok_or_else(|| Error::refused(Code::EncryptionMissing, ""))?;
    let path = RepositoryPath::parse(&asked.path)
        .map_err(|why| Error::refused(Code::PathInvalid, format!("In the request, {why}.")))?;
    let bytes = at_commit(&state, &path, &asked).await?;
    let document = read(bytes).await?;
    let enc = stanza(&document, &key)?.to_owned();
    let event = Event {
        actor: &member.actor,
        request_id: &request.0,
        scope: Some(&key.binding.scope),
        path: Some(path.as_str()),
        commit: Some(&asked.commit),
        purpose: Some(purpose(asked.purpose)),
        recipient: Some(to.as_str()),
        ..Default::default()
    };
    let audit_id = write_ahead(&state, &enc, event).await?;
    crash::point("u2-audited");
    let vault = state.vault();
    let rewrap = move || vault.rewrap(&key.binding, &key.sealed, &document, &to);
    let wrapped_data_key = tokio::task::spawn_blocking(rewrap).await??;
    Ok(Json(Unwrapped {
        wrapped_data_key,
        audit_id,
    }))
}

/// The file's bytes, if the commit is on the branch and the blob is the one named.
async fn at_commit(
    state: &State,
    path: &RepositoryPath,
    asked: &UnwrapRequest,
) -> Result<Vec<u8>, Error> {
    let unknown = || Error::refused(Code::CommitUnknown, "");
    let commit = full_oid(&asked.commit).ok_or_else(unknown)?;
    let mut head = state.mirror().head().await?;
    if !on_branch(state, head, commit).await? {
        // somebody else may have pushed it just now; a remote that is away leaves it unknown
        head = tokio::time::timeout(PATIENCE, state.mirror().sync())
            .await
            .map_err(|_| unknown())?
            .map_err(|_| unknown())?;
        if !on_branch(state, head, commit).await? {
            return Err(unknown());
        }
    }
    let wanted = path.clone();
    match state
        .mirror()
        .in_clone(move |clone| clone.find(Some(commit), &wanted))
        .await?
    {
        Found::File(file) if full_oid(&asked.blob) == Some(file.blob) => Ok(file.bytes),
        _ => Err(Error::refused(Code::BlobMismatch, "").at(path.as_str())),
    }
}

async fn on_branch(state: &State, head: Option<Oid>, commit: Oid) -> Result<bool, Error> {
    match head {
        Some(head) => {
            state
                .mirror()
                .in_clone(move |clone| clone.reaches(head, commit))
                .await
        }
        None => Ok(false),
    }
}

fn full_oid(text: &str) -> Option<Oid> {
    Oid::from_str(text)
        .ok()
        .filter(|oid| oid.to_string() == text)
}

async fn read(bytes: Vec<u8>) -> Result<Document<Encrypted>, Error> {
    let limits = Limits {
        bytes: 2 * MAX_FILE_BYTES,
        ..Limits::generous()
    };
    let parsed = tokio::task::spawn_blocking(move || Document::<Encrypted>::parse(&bytes, &limits));
    Ok(parsed.await??)
}

/// The data key as wrapped to the registered recipient; no other entry is looked at.
fn stanza<'a>(document: &'a Document<Encrypted>, key: &KeyRow) -> Result<&'a str, Error> {
    let entries = &document.metadata().age;
    if let Some(entry) = entries
        .iter()
        .find(|entry| entry.recipient.trim() == key.recipient)
    {
        return Ok(&entry.enc);
    }
    let foreign: Vec<_> = entries
        .iter()
        .map(|entry| fingerprint(entry.recipient.trim()))
        .collect();
    let detail = if foreign.is_empty() {
        "It names no age recipient that this server knows. Decrypt it with the key it was sealed to, then save it here.".to_owned()
    } else {
        format!(
            "It is sealed to the recipient with fingerprint {}. Decrypt it with that key, then save it here.",
            foreign.join(", ")
        )
    };
    Err(Error::refused(Code::RecipientForeign, detail))
}

/// Writes "about to release" to the audit trail, together with the ledger's entry, and waits for the disk.
async fn write_ahead(state: &State, enc: &str, event: Event<'_>) -> Result<String, Error> {
    let digest = random::hex(&ledger::digest(enc));
    let path = event.path.unwrap_or_default().to_owned();
    let written = async {
        let mut writing = state.store().write().await?;
        let owner = ledger::register(&mut writing, enc, &path).await?;
        let action = if owner == path {
            "data-key.released"
        } else {
            "data-key.refused"
        };
        let event = Event {
            action,
            digest: Some(&digest),
            ..event
        };
        let id = audit::append(&mut writing, state.now(), &event).await?;
        writing.commit().await?;
        Ok::<_, Error>((id, owner))
    };
    match written.await {
        Ok((id, owner)) if owner == path => Ok(id),
        Ok((_, owner)) => Err(foreign_stanza(&path, &owner)),
        Err(error) => {
            error.log();
            Err(Error::refused(Code::AuditUnavailable, ""))
        }
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Edit => "edit",
        Purpose::Reveal => "reveal",
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
