//! The route table: each path with its methods, and nothing else.

mod encryption;
mod health;
mod organisation;
mod saves;
mod session;
mod stacks;
mod unwraps;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use stackseal_model::api::routes;

use crate::page;
use crate::state::State;

/// All routes, without layers.
pub(crate) fn table() -> Router<State> {
    let small = Router::new()
        .route(
            routes::SESSION,
            get(session::show)
                .post(session::sign_in)
                .delete(session::sign_out),
        )
        .route(
            routes::ORGANISATION,
            get(organisation::show).put(organisation::name),
        )
        .route(routes::ENCRYPTION, post(encryption::initialise))
        .route(routes::STACKS, get(stacks::list).post(stacks::create))
        .route(routes::STACK, get(stacks::show))
        .route(routes::SAVE, get(saves::show).delete(saves::discard))
        .route(routes::SAVE_RETRY, post(saves::retry))
        .route(routes::UNWRAPS, post(unwraps::unwrap))
        .route(routes::LIVEZ, get(health::live))
        .route(routes::READYZ, get(health::ready))
        .layer(DefaultBodyLimit::max(SMALL_BODY));
    let large = Router::new()
        .route(routes::SAVES, get(saves::list).post(saves::create))
        .layer(DefaultBodyLimit::max(SAVE_BODY));
    small.merge(large).fallback(page::serve)
}

/// Largest body of most routes.
const SMALL_BODY: usize = 16 * 1024;
/// Largest body of a save: a few files of the largest size, as JSON writes them.
const SAVE_BODY: usize = 8 * 1024 * 1024;
