//! Who is asking: sign-in link, session cookie, and the proof that a change comes from our own page.
//!
//! The embedded default knows one local person, who holds every right; there is nothing to
//! re-authenticate with, so a session alone decides (`docs/decisions`).

pub(crate) mod origin;
pub(crate) mod same_origin;
pub(crate) mod token;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::auth::token::TokenHash;
use crate::error::{Code, Error};
use crate::state::State;

/// Somebody who is signed in. A handler that takes one is closed to everybody else.
#[derive(Clone)]
pub(crate) struct Member {
    /// Name, as commits and the audit trail have it.
    pub(crate) actor: String,
    /// Hash of the session's token.
    pub(crate) session: TokenHash,
}

impl FromRequestParts<State> for Member {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Error> {
        let missing = || Error::refused(Code::SessionMissing, "");
        let session = presented(&parts.headers).ok_or_else(missing)?;
        let row = state.store().session(session).await?.ok_or_else(missing)?;
        let now = state.now().unix();
        if now - row.created_at >= ABSOLUTE || now - row.seen_at >= IDLE {
            return Err(missing());
        }
        if now - row.seen_at >= TOUCH {
            state.store().touch_session(session, now).await?;
        }
        Ok(Self {
            actor: row.actor,
            session,
        })
    }
}

/// The session that a request presents, if any.
pub(crate) fn presented(headers: &HeaderMap) -> Option<TokenHash> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut ours = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token);
    let token = ours.next()?;
    // two cookies of this name: somebody else planted one
    ours.next().is_none().then(|| TokenHash::of(token))
}

/// The cookie's name; its prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
pub(crate) const COOKIE: &str = "__Host-stackseal";
/// What follows the token in `Set-Cookie`.
pub(crate) const COOKIE_RULES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
/// The local person's name.
pub(crate) const OWNER: &str = "owner";
/// A session ends this many seconds after it began.
pub(crate) const ABSOLUTE: i64 = 12 * 60 * 60;
/// Seconds that a sign-in link works.
pub(crate) const LINK: i64 = 24 * 60 * 60;
/// A session ends this many seconds after its last request.
const IDLE: i64 = 30 * 60;
/// The last request is recorded to this precision, in seconds.
const TOUCH: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_of_our_name_is_taken_and_two_are_not() {
        let headers = |lines: &[&'static str]| {
            lines
                .iter()
                .map(|l| (header::COOKIE, l.parse().unwrap()))
                .collect::<HeaderMap>()
        };
        assert!(presented(&headers(&["a=b; __Host-stackseal=t; c=d"])) == Some(TokenHash::of("t")));
        for bad in [
            &["a=b"][..],
            &["__Host-stackseal=t; __Host-stackseal=u"],
            &["__Host-stackseal=t", "__Host-stackseal=t"],
            &["x__Host-stackseal=t"],
        ] {
            assert!(presented(&headers(bad)).is_none(), "{bad:?}");
        }
    }
}
