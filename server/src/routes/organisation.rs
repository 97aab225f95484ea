//! The organisation: its name, its recipient, and where its saves go.

use axum::extract::State as Shared;
use axum::{Extension, Json};
use sha2::{Digest as _, Sha256};
use stackseal_core::Timestamp;
use stackseal_model::api::{Encryption, NameOrganisation, Organisation};
use stackseal_model::name::OrganisationName;

use crate::audit::{self, Event};
use crate::auth::Member;
use crate::body;
use crate::error::{Code, Error};
use crate::random;
use crate::state::State;
use crate::store::keys::{KeyRow, name_organisation};
use crate::telemetry::RequestId;

/// `GET /api/v1/organisation`
pub(crate) async fn show(
    _member: Member,
    Shared(state): Shared<State>,
) -> Result<Json<Organisation>, Error> {
    let organisation = current(&state).await?;
    organisation
        .map(Json)
        .ok_or_else(|| Error::refused(Code::OrganisationMissing, ""))
}

/// `PUT /api/v1/organisation`
pub(crate) async fn name(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    body: body::Json<NameOrganisation>,
) -> Result<Json<Organisation>, Error> {
    let now = state.now();
    let mut writing = state.store().write().await?;
    name_organisation(
        &mut writing,
        &random::identifier()?,
        body.value.name.as_str(),
        now.unix(),
    )
    .await?;
    let event = Event {
        action: "organisation.named",
        actor: &member.actor,
        request_id: &request.0,
        ..Default::default()
    };
    audit::append(&mut writing, now, &event).await?;
    writing.commit().await?;
    let organisation = current(&state).await?;
    organisation
        .map(Json)
        .ok_or_else(|| Error::refused(Code::Internal, ""))
}

/// The organisation as it is now.
///
/// # Errors
/// When the database fails.
pub(crate) async fn current(state: &State) -> Result<Option<Organisation>, Error> {
    let Some(row) = state.store().organisation().await? else {
        return Ok(None);
    };
    let name =
        OrganisationName::parse(&row.name).map_err(|_| Error::refused(Code::Internal, ""))?;
    let key = state.store().active_key().await?;
    let encryption = key.as_ref().map(encryption).transpose()?;
    Ok(Some(Organisation {
        name,
        encryption,
        repository: state.repository(),
    }))
}

/// The public side of a key.
///
/// # Errors
/// When the database holds a time that is none.
pub(crate) fn encryption(key: &KeyRow) -> Result<Encryption, Error> {
    Ok(Encryption {
        recipient: key.recipient.clone(),
        fingerprint: fingerprint(&key.recipient),
        created_at: Timestamp::from_unix(key.created_at)?.to_string(),
        private_key: PRIVATE_KEY.to_owned(),
    })
}

/// First 20 hex digits of the recipient's SHA-256, in groups of 4.
pub(crate) fn fingerprint(recipient: &str) -> String {
    let digest = random::hex(&Sha256::digest(recipient.as_bytes()));
    let groups: Vec<String> = digest
        .chars()
        .collect::<Vec<_>>()
        .chunks(4)
        .take(5)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

const PRIVATE_KEY: &str = "The private key lies in this server's vault, encrypted under the root key \
    file (root.key) beside the database. It does not leave the vault; each use of it is recorded in the \
    audit trail first. Back root.key up, apart from the database: without it nothing here can be opened again.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_five_groups_of_four() {
        assert_eq!(fingerprint("abc"), "ba78 16bf 8f01 cfea 4141");
    }
}
