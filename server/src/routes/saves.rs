//! Saves: asking for one, watching it, retrying and discarding it.

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use stackseal_model::api::{IDEMPOTENCY_HEADER, Save, SaveRequest, routes};

use crate::auth::Member;
use crate::body;
use crate::error::{Code, Error};
use crate::saves;
use crate::saves::accept::{self, Asked};
use crate::state::State;
use crate::telemetry::RequestId;

/// `POST /api/v1/saves`
pub(crate) async fn create(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: body::Json<SaveRequest>,
) -> Result<Response, Error> {
    let key = accept::key(
        headers
            .get(IDEMPOTENCY_HEADER)
            .and_then(|key| key.to_str().ok()),
    )?;
    let asked = Asked {
        member: &member,
        request_id: &request.0,
        key: Some(key),
        digest: body.digest,
    };
    let save = accept::accept(&state, &asked, body.value).await?;
    let place = routes::SAVE.replace("{save}", &save.id);
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, place)],
        Json(save),
    )
        .into_response())
}

/// `GET /api/v1/saves`: the newest, newest first.
pub(crate) async fn list(
    _member: Member,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<Save>>, Error> {
    Ok(Json(state.store().newest_saves(NEWEST).await?))
}

/// `GET /api/v1/saves/{save}`
pub(crate) async fn show(
    _member: Member,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Json<Save>, Error> {
    current(&state, &id).await
}

/// `POST /api/v1/saves/{save}/retry`
pub(crate) async fn retry(
    _member: Member,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Save>), Error> {
    saves::retry(&state, &id).await?;
    Ok((StatusCode::ACCEPTED, current(&state, &id).await?))
}

/// `DELETE /api/v1/saves/{save}`
pub(crate) async fn discard(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    Path(id): Path<String>,
) -> Result<Json<Save>, Error> {
    saves::discard(&state, &id, &member.actor, &request.0).await?;
    current(&state, &id).await
}

async fn current(state: &State, id: &str) -> Result<Json<Save>, Error> {
    let save = state.store().save(id).await?;
    save.map(Json)
        .ok_or_else(|| Error::refused(Code::NotFound, "There is no such save."))
}

const NEWEST: i64 = 50;
