//! The typed client of the server's API: one function per route, nothing but wire types in and out.
//!
//! What is sent is sealed before it gets here; this module has no access to the codec.

use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stackseal_model::api::{
    Encryption, IDEMPOTENCY_HEADER, NameOrganisation, NewStack, Organisation, REQUEST_HEADER, Save,
    SaveRequest, Session, SignIn, UnwrapRequest, Unwrapped, routes,
};
use stackseal_model::name::{OrganisationName, StackName};
use stackseal_model::problem::Problem;
use stackseal_model::stack::{Stack, StackSummary};
use web_sys::{RequestCache, RequestCredentials, RequestRedirect};

use crate::error::Failure;
use crate::wire;

/// What a request brings.
pub type Answer<T> = Result<T, Failure>;

/// Trades the one-time token for a session.
pub async fn sign_in(token: String) -> Answer<()> {
    send(Request::post(routes::SESSION), Some(&SignIn { token }))
        .await
        .map(drop)
}

/// Who is signed in.
pub async fn session() -> Answer<Session> {
    get(routes::SESSION).await
}

/// Ends the session on the server.
pub async fn sign_out() -> Answer<()> {
    send(Request::delete(routes::SESSION), NOTHING)
        .await
        .map(drop)
}

/// Names the organisation, or renames it.
pub async fn name_organisation(name: OrganisationName) -> Answer<Organisation> {
    read(
        send(
            Request::put(routes::ORGANISATION),
            Some(&NameOrganisation { name }),
        )
        .await?,
    )
    .await
}

/// Makes the organisation's key pair.
pub async fn initialise_encryption() -> Answer<Encryption> {
    read(send(Request::post(routes::ENCRYPTION), NOTHING).await?).await
}

/// All stacks.
pub async fn stacks() -> Answer<Vec<StackSummary>> {
    get(routes::STACKS).await
}

/// Makes an empty stack.
pub async fn new_stack(stack: &NewStack) -> Answer<()> {
    send(Request::post(routes::STACKS), Some(stack))
        .await
        .map(drop)
}

/// One stack with its files.
pub async fn stack(name: &StackName) -> Answer<Stack> {
    get(&routes::STACK.replace("{stack}", name.as_str())).await
}

/// The newest saves.
pub async fn saves() -> Answer<Vec<Save>> {
    get(routes::SAVES).await
}

/// Hands a save over. The same key never makes a second commit.
pub async fn save(request: &SaveRequest, key: &str) -> Answer<Save> {
    read(
        send(
            Request::post(routes::SAVES).header(IDEMPOTENCY_HEADER, key),
            Some(request),
        )
        .await?,
    )
    .await
}

/// How far a save has come.
pub async fn save_state(id: &str) -> Answer<Save> {
    get(&routes::SAVE.replace("{save}", id)).await
}

/// Tries a waiting save at once.
pub async fn retry_save(id: &str) -> Answer<()> {
    send(
        Request::post(&routes::SAVE_RETRY.replace("{save}", id)),
        NOTHING,
    )
    .await
    .map(drop)
}

/// Discards a waiting save.
pub async fn discard_save(id: &str) -> Answer<()> {
    send(
        Request::delete(&routes::SAVE.replace("{save}", id)),
        NOTHING,
    )
    .await
    .map(drop)
}

/// Asks for the data key of one file, wrapped to a one-time recipient.
pub async fn unwrap(request: &UnwrapRequest) -> Answer<Unwrapped> {
    read(send(Request::post(routes::UNWRAPS), Some(request)).await?).await
}

async fn get<T: DeserializeOwned>(path: &str) -> Answer<T> {
    read(send(Request::get(path), NOTHING).await?).await
}

async fn send<B: Serialize>(request: RequestBuilder, body: Option<&B>) -> Answer<Response> {
    let request = request
        .header(REQUEST_HEADER, "1")
        .header("accept", "application/json")
        .cache(RequestCache::NoStore)
        .credentials(RequestCredentials::SameOrigin)
        .redirect(RequestRedirect::Error);
    let request = match body {
        Some(body) => {
            let text = wire::write(body).ok_or(Failure::Unreadable)?;
            request
                .header("content-type", "application/json")
                .body(text)
        }
        None => request.build(),
    };
    let response = request
        .map_err(|_| Failure::Unreadable)?
        .send()
        .await
        .map_err(|_| Failure::Offline)?;
    if response.ok() {
        Ok(response)
    } else {
        Err(refusal(&response).await)
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Answer<T> {
    let text = response.text().await.map_err(|_| Failure::Offline)?;
    wire::read(&text).ok_or(Failure::Unreadable)
}

/// The problem that the server tells; something in front of it may answer in another way.
async fn refusal(response: &Response) -> Failure {
    let status = response.status();
    let told = response
        .text()
        .await
        .ok()
        .and_then(|text| wire::read::<Problem>(&text));
    Failure::Refused(Box::new(told.unwrap_or_else(|| Problem {
        title: "the request was refused on the way".to_owned(),
        detail: format!(
            "something answered with status {status} instead of the server; try again in a moment"
        ),
        status,
        code: format!("status-{status}"),
        ..Problem::default()
    })))
}

const NOTHING: Option<&()> = None;
