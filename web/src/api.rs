//! The typed client of the server's API: one function per route, nothing but wire types in and out.
//!
//! What is sent is sealed before it gets here; this module has no access to the codec.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stackseal_model::api::{
    Encryption, IDEMPOTENCY_HEADER, NameOrganisation, NewStack, Organisation, REQUEST_HEADER, Save,
    SaveRequest, Session, SignIn, UnwrapRequest, Unwrapped, routes,
};
use stackseal_model::name::{OrganisationName, StackName};
use stackseal_model::problem::Problem;
use stackseal_model::stack::{Stack, StackSummary};

use crate::error::Failure;
use crate::http::{Answered, fetch};
use crate::wire;

/// What a request brings.
pub type Answer<T> = Result<T, Failure>;

/// Trades the one-time token for a session.
pub async fn sign_in(token: String) -> Answer<()> {
    change("POST", routes::SESSION, Some(&SignIn { token })).await
}

/// Who is signed in.
pub async fn session() -> Answer<Session> {
    get(routes::SESSION).await
}

/// Ends the session on the server.
pub async fn sign_out() -> Answer<()> {
    change("DELETE", routes::SESSION, NOTHING).await
}

/// Names the organisation, or renames it.
pub async fn name_organisation(name: OrganisationName) -> Answer<Organisation> {
    let body = NameOrganisation { name };
    read(&send("PUT", routes::ORGANISATION, &[], Some(&body)).await?)
}

/// Makes the organisation's key pair.
pub async fn initialise_encryption() -> Answer<Encryption> {
    read(&send("POST", routes::ENCRYPTION, &[], NOTHING).await?)
}

/// All stacks.
pub async fn stacks() -> Answer<Vec<StackSummary>> {
    get(routes::STACKS).await
}

/// Makes an empty stack.
pub async fn new_stack(stack: &NewStack) -> Answer<()> {
    change("POST", routes::STACKS, Some(stack)).await
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
    let headers = &[(IDEMPOTENCY_HEADER, key)];
    read(&send("POST", routes::SAVES, headers, Some(request)).await?)
}

/// How far a save has come.
pub async fn save_state(id: &str) -> Answer<Save> {
    get(&of_save(routes::SAVE, id)).await
}

/// Tries a waiting save at once.
pub async fn retry_save(id: &str) -> Answer<()> {
    change("POST", &of_save(routes::SAVE_RETRY, id), NOTHING).await
}

/// Discards a waiting save.
pub async fn discard_save(id: &str) -> Answer<()> {
    change("DELETE", &of_save(routes::SAVE, id), NOTHING).await
}

/// Asks for the data key of one file, wrapped to a one-time recipient.
pub async fn unwrap(request: &UnwrapRequest) -> Answer<Unwrapped> {
    read(&send("POST", routes::UNWRAPS, &[], Some(request)).await?)
}

fn of_save(route: &str, id: &str) -> String {
    route.replace("{save}", id)
}

async fn get<T: DeserializeOwned>(path: &str) -> Answer<T> {
    read(&send("GET", path, &[], NOTHING).await?)
}

async fn change<B: Serialize>(method: &str, path: &str, body: Option<&B>) -> Answer<()> {
    send(method, path, &[], body).await.map(drop)
}

async fn send<B: Serialize>(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&B>,
) -> Answer<Answered> {
    let body = body.map(|body| wire::write(body).ok_or(Failure::Unreadable));
    exchange(method, path, headers, body.transpose()?).await
}

/// One request, whatever type its body was.
async fn exchange(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> Answer<Answered> {
    let mut all = vec![(REQUEST_HEADER, "1"), ("accept", "application/json")];
    all.extend_from_slice(headers);
    if body.is_some() {
        all.push(("content-type", "application/json"));
    }
    let answered = fetch(method, path, &all, body.as_deref())
        .await
        .ok_or(Failure::Offline)?;
    if answered.is_success() {
        Ok(answered)
    } else {
        Err(refusal(&answered))
    }
}

fn read<T: DeserializeOwned>(answered: &Answered) -> Answer<T> {
    wire::read(&answered.text).ok_or(Failure::Unreadable)
}

/// The problem that the server tells; something in front of it may answer in another way.
fn refusal(answered: &Answered) -> Failure {
    let status = answered.status;
    let told = wire::read::<Problem>(&answered.text);
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
