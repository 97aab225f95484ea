//! Logs, and the outermost layer of every request: id, limits, problem bodies, security headers.
//!
//! A log line has the request's id, method, route template, status and duration. Bodies, query
//! strings, paths as sent, headers and tokens never reach it (`docs/LOGGING.md`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stackseal_model::api::routes;
use stackseal_model::problem::{PROBLEM_JSON, Problem};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Log;
use crate::error::{Code, Error, IntoDraft as _};
use crate::headers;
use crate::random;
use crate::state::State;

/// Finds a request in the log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// The place of a request among those served at once. It is free while a body comes in, so that clients
/// who send nothing keep nobody out.
#[derive(Clone)]
pub(crate) struct Place(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Place {
    /// Gives the place back.
    pub(crate) fn leave(&self) {
        self.put(None);
    }

    /// Takes a place again, if there is one.
    pub(crate) fn enter(&self, state: &State) -> Result<(), Error> {
        let place = state.place_for_request();
        let place = place.ok_or_else(|| Error::refused(Code::Busy, ""))?;
        self.put(Some(place));
        Ok(())
    }

    fn put(&self, place: Option<OwnedSemaphorePermit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

/// Marks an answer with an error status whose body is meant as it is.
#[derive(Clone, Copy)]
pub(crate) struct AsItIs;

/// Starts writing the log as JSON lines to standard error, once for the process.
///
/// # Errors
/// When a log was started before.
pub fn start_log(log: Log) -> Result<(), tracing_subscriber::util::TryInitError> {
    // A panic's message may hold anything; its place in the code is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    let ours = match log {
        Log::Info => LevelFilter::INFO,
        Log::Warn => LevelFilter::WARN,
    };
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_targets([("stackseal_server", ours), ("audit", ours)]);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .try_init()
}

/// The outermost layer.
pub(crate) async fn finish(
    Shared(state): Shared<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = random::identifier().unwrap_or_default();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", request_id = id, method = %method, route);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = if route == routes::LIVEZ {
        // it tells that the process runs, however busy it is
        next.run(request).await
    } else {
        within_limits(&state, request, next)
            .instrument(span.clone())
            .await
    };
    complete(&mut response, &id);
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(
            status = response.status().as_u16(),
            duration_ms = milliseconds,
            "answered"
        );
    });
    response
}

/// Runs the request in a task of its own: a client that goes away cuts no save in two, and a panic
/// becomes an answer.
async fn within_limits(state: &State, mut request: Request, next: Next) -> Response {
    let place = Place(Arc::default());
    if let Err(busy) = place.enter(state) {
        return busy.into_response();
    }
    request.extensions_mut().insert(place.clone());
    let run = async move {
        let response = next.run(request).await;
        place.leave();
        response
    };
    let task = tokio::spawn(run.in_current_span());
    match tokio::time::timeout(TIMEOUT, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Code::Internal.problem("").into_draft(),
        Err(_) => Error::refused(Code::Timeout, "").into_response(),
    }
}

/// Writes the problem's body, and the headers that every answer has.
fn complete(response: &mut Response, id: &str) {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if failed && response.extensions().get::<AsItIs>().is_none() {
        let drafted = response.extensions_mut().remove::<Problem>();
        let mut problem = drafted.unwrap_or_else(|| Code::of_status(status).problem(""));
        id.clone_into(&mut problem.request_id);
        // the rest of the request may still be on its way
        if problem.code == Code::Timeout.as_str() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        problem.status = status.as_u16();
        // A problem is strings and numbers: it always has a JSON text.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        *response.body_mut() = Body::from(body);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers::secure(response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-request-id", id);
    }
}

const TIMEOUT: Duration = Duration::from_secs(30);
