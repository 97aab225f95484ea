//! Signing in by the one-time link, asking who is signed in, signing out.

use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use stackseal_model::api::{Session, SignIn};

use crate::audit::{self, Event};
use crate::auth::token::{Token, TokenHash};
use crate::auth::{ABSOLUTE, COOKIE, COOKIE_RULES, Member, OWNER, presented};
use crate::body;
use crate::error::{Code, Error};
use crate::routes::organisation::current;
use crate::state::State;
use crate::store::sessions::{SessionRow, add_session, end_session, use_sign_in};
use crate::telemetry::RequestId;

/// `POST /api/v1/session`
pub(crate) async fn sign_in(
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: body::Json<SignIn>,
) -> Result<Response, Error> {
    let link = zeroize::Zeroizing::new(body.value.token);
    let now = state.now();
    let token = Token::generate()?;
    let mut writing = state.store().write().await?;
    if !use_sign_in(&mut writing, TokenHash::of(&link), now.unix()).await? {
        return Err(Error::refused(Code::SignInRefused, ""));
    }
    // a session from before, if the browser has one, ends: the id is never kept across a sign-in
    if let Some(earlier) = presented(&headers) {
        end_session(&mut writing, earlier).await?;
    }
    let row = SessionRow {
        actor: OWNER.to_owned(),
        created_at: now.unix(),
        seen_at: now.unix(),
    };
    add_session(&mut writing, token.hash(), &row, now.unix() - ABSOLUTE).await?;
    let event = Event {
        action: "session.begun",
        actor: OWNER,
        request_id: &request.0,
        ..Default::default()
    };
    audit::append(&mut writing, now, &event).await?;
    writing.commit().await?;
    let session = Session {
        actor: OWNER.to_owned(),
        organisation: current(&state).await?,
    };
    let cookie = format!("{COOKIE}={}; {COOKIE_RULES}", token.expose());
    let mut cookie =
        HeaderValue::try_from(cookie).map_err(|_| Error::refused(Code::Internal, ""))?;
    cookie.set_sensitive(true);
    Ok((
        StatusCode::CREATED,
        [(header::SET_COOKIE, cookie)],
        Json(session),
    )
        .into_response())
}

/// `GET /api/v1/session`
pub(crate) async fn show(
    member: Member,
    Shared(state): Shared<State>,
) -> Result<Json<Session>, Error> {
    Ok(Json(Session {
        actor: member.actor,
        organisation: current(&state).await?,
    }))
}

/// `DELETE /api/v1/session`
pub(crate) async fn sign_out(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
) -> Result<Response, Error> {
    let mut writing = state.store().write().await?;
    end_session(&mut writing, member.session).await?;
    let event = Event {
        action: "session.ended",
        actor: &member.actor,
        request_id: &request.0,
        ..Default::default()
    };
    audit::append(&mut writing, state.now(), &event).await?;
    writing.commit().await?;
    let cookie = HeaderValue::try_from(format!("{COOKIE}=; {COOKIE_RULES}; Max-Age=0"))
        .map_err(|_| Error::refused(Code::Internal, ""))?;
    let clear = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.headers_mut().insert("clear-site-data", clear);
    Ok(response)
}
