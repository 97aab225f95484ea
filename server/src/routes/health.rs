//! Whether the process runs, and whether its parts answer.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use stackseal_model::api::Readiness;

use crate::state::State;
use crate::telemetry::AsItIs;

/// `GET /livez`
pub(crate) async fn live() -> &'static str {
    "ok"
}

/// `GET /readyz`: the parts that must answer are the database, the repository on disk and the audit
/// trail. A remote that is away is told, but saves are accepted all the same.
pub(crate) async fn ready(Shared(state): Shared<State>) -> Response {
    let database = word(state.store().ping().await.is_ok(), "does not answer");
    let repository = word(state.mirror().head().await.is_ok(), "cannot be read");
    let audit = word(state.audit_is_whole(), "the chain is broken");
    let ready = [&database, &repository, &audit]
        .iter()
        .all(|text| *text == "ok");
    let remote = state
        .mirror()
        .trouble()
        .map_or("ok", |_| "not reached at the last attempt");
    let parts = [
        ("audit", audit.as_str()),
        ("database", &database),
        ("remote", remote),
        ("repository", &repository),
        ("vault", "ok"),
    ];
    let parts = parts
        .map(|(part, text)| (part.to_owned(), text.to_owned()))
        .to_vec();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut response = (status, Json(Readiness { ready, parts })).into_response();
    response.extensions_mut().insert(AsItIs);
    response
}

fn word(fine: bool, otherwise: &str) -> String {
    if fine { "ok" } else { otherwise }.to_owned()
}
