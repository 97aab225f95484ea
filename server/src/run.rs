//! Serves the router on a socket, with bounds on slow and idle clients, until a signal comes.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::state::{StartError, State};
use crate::{app, work};

/// Why the server ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {0}; stop what uses it, or choose another address with --listen (STACKSEAL_LISTEN)"
    )]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The system failed.
    #[error("the system failed")]
    System(#[from] std::io::Error),
    /// Something at the start is not as it must be.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Starts the server, prints the line with the sign-in link, and serves until SIGINT or SIGTERM.
///
/// # Errors
/// [`RunError`], with what to do.
pub async fn run(config: Config) -> Result<(), RunError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| RunError::Listen(address, error))?;
    let listening = listener.local_addr()?;
    let askpass: Option<PathBuf> = std::env::current_exe().ok();
    let state = State::open(config, listening, Arc::new(SystemClock), askpass).await?;
    let link = state.sign_in_link().await?;
    let (stop, stopped) = watch::channel(());
    let worker = tokio::spawn(work(state.clone(), until(stopped.clone())));
    let server = tokio::spawn(serve(listener, app(state.clone()), until(stopped)));
    print(&format!(
        "Stackseal is ready; this sign-in link works once: {link}\n"
    ))?;
    tracing::info!(%listening, "ready");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    // The receivers see the sender go.
    drop(stop);
    let ends = async {
        // A task that panicked has said so in the log.
        drop(server.await);
        drop(worker.await);
        state.close().await;
    };
    if tokio::time::timeout(PATIENCE, ends).await.is_err() {
        tracing::warn!("stopped with a save in hand; the next start resumes it");
    }
    Ok(())
}

async fn until(mut stopped: watch::Receiver<()>) {
    // Nothing is ever sent: the error means that the sender is gone.
    let _ = stopped.changed().await;
}

fn print(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}

async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        // Permits are never closed, so an error cannot come; a client waits for a place.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(kind = %error.kind(), "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let connection = graceful.watch(connection(stream, app.clone()));
        tokio::spawn(async move {
            // A client that breaks off is no event.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    // Requests under way are finished; what idles is closed.
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests were cut off");
    }
}

fn connection(
    stream: TcpStream,
    app: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let app = app.clone();
        async move {
            let response = app.oneshot(request.map(Body::new)).await;
            Ok::<_, Infallible>(response.unwrap_or_else(|never| match never {}))
        }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_headers(100)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
}

const CONNECTIONS: usize = 1024;
const HEADERS: Duration = Duration::from_secs(15);
const GRACE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);
