//! A web application on axum whose requests are measured by a layer.
//!
//! `cargo run --example axum_app --features tower`, then
//! `curl localhost:9995/orders/7 localhost:9995/metrics`.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use exporter_core::process::ProcessMetrics;
use exporter_core::registry::Registry;
use exporter_core::tower::HttpMetrics;
use tokio::net::TcpListener;

static HTTP: HttpMetrics = HttpMetrics::new().at_most(1000);

async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    100_u32.checked_div(id).map(|n| format!("{n} per pallet\n")).ok_or(StatusCode::NOT_FOUND)
}

async fn metrics(State(registry): State<Arc<Registry>>, request: Request) -> Response {
    registry.respond(request.headers(), request.uri().query()).await.map(Body::from)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::builder().instruments("app", [&HTTP, &ProcessMetrics]).build();
    let route = HTTP.layer(|_, extensions| extensions.get().map(MatchedPath::as_str));
    let app = Router::new().route("/orders/{id}", get(order)).layer(route);
    // After the layer: scrapes are not measured.
    let app = app.route("/metrics", get(metrics)).with_state(registry);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9995".to_owned());
    axum::serve(TcpListener::bind(address).await?, app).await?;
    Ok(())
}
