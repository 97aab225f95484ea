//! JSON bodies: read whole, within the route's limit and a time, and parsed without repeating what they hold.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Error};
use crate::state::State;
use crate::telemetry::Place;

/// A parsed body with the digest of its bytes.
pub(crate) struct Json<T> {
    /// What it says.
    pub(crate) value: T,
    /// SHA-256 of the bytes as they came.
    pub(crate) digest: [u8; 32],
}

impl<T: DeserializeOwned> FromRequest<State> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &State) -> Result<Self, Error> {
        let place = request.extensions().get::<Place>().cloned();
        if let Some(place) = &place {
            place.leave();
        }
        let bytes = within(PATIENCE, Bytes::from_request(request, state))
            .await?
            .map_err(|rejection| Error::refused(Code::of_status(rejection.status()), ""))?;
        if let Some(place) = &place {
            place.enter(state)?;
        }
        let value = serde_json::from_slice(&bytes).map_err(|error| refusal(&error))?;
        Ok(Self {
            value,
            digest: Sha256::digest(&bytes).into(),
        })
    }
}

/// Waits so long for a body to come in.
async fn within<T>(patience: Duration, body: impl Future<Output = T>) -> Result<T, Error> {
    let late = |_| Error::refused(Code::Timeout, "The request's body did not come in.");
    tokio::time::timeout(patience, body).await.map_err(late)
}

/// What is wrong with a body. Messages of the parser may quote the body, so only those that speak of
/// names are passed on.
fn refusal(error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default();
    if error.classify() == Category::Data {
        if NAMES.iter().any(|start| message.starts_with(start)) {
            let mut chars = message.chars();
            let first = chars
                .next()
                .map(|c| c.to_ascii_uppercase())
                .unwrap_or_default();
            return Error::refused(Code::NameInvalid, format!("{first}{}.", chars.as_str()));
        }
        if message.starts_with("missing field `") {
            return Error::refused(
                Code::RequestInvalid,
                format!("The request lacks something: {message}."),
            );
        }
    }
    Error::refused(
        Code::RequestInvalid,
        format!("The request's JSON does not fit at {place}."),
    )
}

const PATIENCE: Duration = Duration::from_secs(15);

/// How messages about names begin, in the model's words.
const NAMES: &[&str] = &[
    "the organisation",
    "the stack name",
    "the file name",
    "the namespace",
];

#[cfg(test)]
mod tests {
    use stackseal_model::api::{NewStack, SaveRequest};

    use super::*;

    fn problem<T: DeserializeOwned>(body: &str) -> (String, String) {
        let problem = refusal(&serde_json::from_str::<T>(body).err().unwrap()).problem();
        (problem.code, problem.detail)
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for_beyond_the_time_for_it() {
        let never = std::future::pending::<()>();
        let late = within(Duration::ZERO, never).await.unwrap_err();
        assert_eq!(late.problem().code, "timeout");
        assert_eq!(within(Duration::ZERO, async { 1 }).await.unwrap(), 1);
    }

    #[test]
    fn a_bad_name_is_explained() {
        let (code, detail) = problem::<NewStack>(r#"{"name": "A b"}"#);
        assert_eq!(code, "name-invalid");
        assert_eq!(
            detail,
            "The stack name holds 'A'; use lower-case letters, digits and '-'."
        );
        let (_, detail) = problem::<NewStack>("{}");
        assert_eq!(detail, "The request lacks something: missing field `name`.");
    }

    #[test]
    fn what_the_body_holds_is_not_repeated() {
        for body in [
            r#"{"stack": "a", "files": "canary"}"#,
            r#"{"stack": "a", "files": [{"kind": "canary"}]}"#,
            r#"{"stack": "a", "files": [{"kind": "manifest", "name": "a", "text": 1, "canary"#,
            "canary",
        ] {
            let (code, detail) = problem::<SaveRequest>(body);
            assert_eq!(code, "request-invalid");
            assert!(!detail.contains("canary"), "{detail}");
        }
    }
}
