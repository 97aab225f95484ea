//! Making the scope's key pair, once.
//!
//! The recipient is published only when the sealed private key is on the disk, was read back and opens
//! to that recipient. A crash before that leaves a row that the next start removes.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::{Extension, Json};
use stackseal_model::api::Encryption;

use crate::audit::{self, Event};
use crate::auth::Member;
use crate::crash;
use crate::error::{Code, Error};
use crate::random;
use crate::routes::organisation::encryption;
use crate::state::State;
use crate::store::keys::{KeyRow, add_key, remove_unproven_keys, set_key_state};
use crate::telemetry::RequestId;
use crate::vault::{Binding, KeyState, VaultError};

/// `POST /api/v1/organisation/encryption`
pub(crate) async fn initialise(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
) -> Result<(StatusCode, Json<Encryption>), Error> {
    // One at a time: a second request would take the first one's unproven row for a leftover.
    let _turn = state.key_making().lock().await;
    let organisation = state.store().organisation().await?;
    let organisation = organisation.ok_or_else(|| Error::refused(Code::OrganisationMissing, ""))?;
    let binding = Binding {
        organisation: organisation.id,
        scope: SCOPE.to_owned(),
        key: random::identifier()?,
        epoch: 1,
        state: KeyState::Generated,
    };
    let generated = generate(&state, binding).await?;
    crash::point("k2-stored");
    let active = prove(&state, &generated).await?;
    crash::point("k3-proven");
    publish(&state, &active, &member, &request).await?;
    crash::point("k4-published");
    Ok((StatusCode::CREATED, Json(encryption(&active)?)))
}

/// Makes the pair and stores the sealed private half.
async fn generate(state: &State, binding: Binding) -> Result<KeyRow, Error> {
    let mut writing = state.store().write().await?;
    if state.store().active_key().await?.is_some() {
        return Err(Error::refused(Code::EncryptionExists, ""));
    }
    // left by a request that failed in between; nobody has seen it
    remove_unproven_keys(&mut writing).await?;
    let (recipient, sealed) = state.vault().generate(&binding)?;
    let created_at = state.now().unix();
    let row = KeyRow {
        binding,
        recipient: recipient.as_str().to_owned(),
        sealed,
        created_at,
    };
    crash::point("k1-generated");
    add_key(&mut writing, &row).await?;
    writing.commit().await?;
    Ok(row)
}

/// Reads the stored row back, opens it, and seals it anew for the state in which it is published.
async fn prove(state: &State, generated: &KeyRow) -> Result<KeyRow, Error> {
    let stored = state.store().keys().await?;
    let stored = stored
        .into_iter()
        .find(|key| key.binding == generated.binding);
    let stored = stored.ok_or(VaultError::Record)?;
    let vault = state.vault();
    let active = Binding {
        state: KeyState::Active,
        ..stored.binding.clone()
    };
    let sealed = vault.rebind(&stored.binding, &active, &stored.sealed)?;
    let opened = vault.recipient(&active, &sealed)?;
    if opened.as_str() != generated.recipient || stored.recipient != generated.recipient {
        return Err(VaultError::Record.into());
    }
    Ok(KeyRow {
        binding: active,
        sealed,
        ..stored
    })
}

async fn publish(
    state: &State,
    active: &KeyRow,
    member: &Member,
    request: &RequestId,
) -> Result<(), Error> {
    let mut writing = state.store().write().await?;
    set_key_state(&mut writing, &active.binding, &active.sealed).await?;
    let event = Event {
        action: "key.published",
        actor: &member.actor,
        request_id: &request.0,
        scope: Some(&active.binding.scope),
        recipient: Some(&active.recipient),
        ..Default::default()
    };
    audit::append(&mut writing, state.now(), &event).await?;
    writing.commit().await?;
    Ok(())
}

/// The scope that an organisation starts with.
const SCOPE: &str = "default";
