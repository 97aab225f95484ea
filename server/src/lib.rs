//! The Stackseal server: serves the Stack Builder, checks that saves are sealed, commits and pushes
//! them, and keeps the private keys.
//!
//! [`app`] is the whole service as a router over a [`State`]; [`run`] starts it on a socket together
//! with the worker that pushes saves. Inside, `routes` use `store`, `vault` and `git`; nothing of those
//! knows about HTTP. `docs/ARCHITECTURE.md` has the picture.

mod audit;
mod auth;
mod body;
mod cluster;
mod crash;
mod error;
mod git;
mod guard;
mod headers;
mod page;
mod random;
mod rate;
mod routes;
mod saves;
mod state;
mod store;
mod vault;

pub mod clock;
pub mod config;
pub mod process;
pub mod run;
pub mod telemetry;

use std::future::Future;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use git::executable::{ASKPASS_FILE, answer_askpass};
pub use state::{StartError, State};

/// The service: all routes under their layers.
pub fn app(state: State) -> Router {
    routes::table()
        .layer(from_fn_with_state(state.clone(), auth::same_origin::check))
        .layer(from_fn_with_state(state.clone(), telemetry::finish))
        .with_state(state)
}

/// Works on saves until `stop` resolves; the save in hand is finished first.
pub async fn work(state: State, stop: impl Future<Output = ()>) {
    saves::worker::run(state, stop).await;
}
