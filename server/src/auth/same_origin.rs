//! Only our own page may change anything (R-30 of the threat model), and only under our own address.
//!
//! A change needs a same-origin `Origin` (or, without one, `Sec-Fetch-Site: same-origin`), the header
//! that foreign pages cannot send unasked, and JSON if it has a body. `GET` and `HEAD` change nothing.
//! A foreign `Host` is refused for every route but the health checks, so a rebound name gets nothing.

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stackseal_model::api::{REQUEST_HEADER, routes};

use crate::error::{Code, Error};
use crate::state::State;

/// The layer in front of all routes.
pub(crate) async fn check(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let refusal = refusal(
        &state,
        request.method(),
        request.uri().path(),
        request.headers(),
    );
    match refusal {
        Some(code) => Error::refused(code, "").into_response(),
        None => next.run(request).await,
    }
}

fn refusal(state: &State, method: &Method, path: &str, headers: &HeaderMap) -> Option<Code> {
    let probe = [routes::LIVEZ, routes::READYZ].contains(&path);
    if !probe
        && !headers
            .get(header::HOST)
            .and_then(|h| h.to_str().ok())
            .is_some_and(|h| state.is_own_host(h))
    {
        return Some(Code::HostUnknown);
    }
    if [Method::GET, Method::HEAD].contains(method) {
        return None;
    }
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let site = text("sec-fetch-site");
    let own_page = match (text("origin"), site) {
        (Some(origin), site) => {
            state.is_own_origin(origin) && site.is_none_or(|s| s == "same-origin")
        }
        (None, site) => site == Some("same-origin"),
    };
    if !own_page || headers.get(REQUEST_HEADER).is_none() {
        return Some(Code::CrossOrigin);
    }
    let empty =
        text("content-length").is_none_or(|n| n == "0") && text("transfer-encoding").is_none();
    match text("content-type") {
        Some(kind) if is_json(kind) => None,
        None if empty => None,
        _ => Some(Code::ContentTypeUnsupported),
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}
