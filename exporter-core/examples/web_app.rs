//! A web application on hyper that measures its requests, and serves the metrics on its own port.
//!
//! `cargo run --example web_app`, then `curl localhost:9994/orders/7 localhost:9994/metrics`.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exporter_core::instrument::{Buckets, Counter, Gauge, Histogram, Labelled, Metric};
use exporter_core::process::ProcessMetrics;
use exporter_core::registry::Registry;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

static TOOK: Labelled<Histogram, 2> = Labelled::histogram(
    "app_request_duration_seconds",
    "Time to answer a request.",
    ["route", "status"],
    Buckets::classic(&[0.005, 0.025, 0.1, 0.5, 2.5]).and_native(),
)
.with_unit("seconds");
static EXCEPTIONS: Labelled<Counter, 1> =
    Labelled::counter("app_exceptions_total", "Requests whose handler panicked.", ["route"]);
static IN_PROGRESS: Metric<Gauge> =
    Metric::gauge("app_requests_in_progress", "Requests that are being answered.");

/// The route of a request: its template, not its path, so that the number of series is bounded.
fn route(path: &str) -> &'static str {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", ""] => "/",
        ["", "orders", _] => "/orders/{id}",
        _ => "none",
    }
}

fn handle(route: &str, path: &str) -> (StatusCode, String) {
    let order = path.rsplit('/').next().and_then(|id| id.parse::<u32>().ok());
    match (route, order) {
        ("/", _) => (StatusCode::OK, "Orders are at /orders/{id}.\n".to_owned()),
        // Order 0 is a bug: the division panics.
        ("/orders/{id}", Some(id)) => (StatusCode::OK, format!("{} per pallet\n", 100 / id)),
        _ => (StatusCode::NOT_FOUND, "There is no such page.\n".to_owned()),
    }
}

async fn measured(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let _in_progress = IN_PROGRESS.in_progress();
    let timer = TOOK.start_timer();
    let route = route(request.uri().path());
    // A task of its own turns a panic into an error.
    let uri = request.uri().clone();
    let outcome = tokio::spawn(async move { handle(route, uri.path()) }).await;
    let (status, text) = outcome.unwrap_or_else(|_| {
        EXCEPTIONS.with([route]).inc();
        (StatusCode::INTERNAL_SERVER_ERROR, "The server has a bug.\n".to_owned())
    });
    timer.stop([route, status.as_str()]);
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

async fn respond(
    registry: Arc<Registry>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let uri = request.uri();
    Ok(match (request.method(), uri.path()) {
        (&Method::GET, "/metrics") => {
            registry.respond(request.headers(), uri.query()).await.map(Full::new)
        }
        _ => measured(request).await,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::builder()
        .instruments("app", [&TOOK, &EXCEPTIONS, &IN_PROGRESS, &ProcessMetrics])
        .build();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9994".to_owned());
    let listener = TcpListener::bind(address).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open, for example: that may pass.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let registry = Arc::clone(&registry);
        let service = service_fn(move |request| respond(Arc::clone(&registry), request));
        let mut http = http1::Builder::new();
        let connection =
            http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        // An error is a client that went away.
        tokio::spawn(async move { connection.await.ok() });
    }
}
