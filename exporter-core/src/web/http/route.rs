//! Routing: the rate limit, authentication, and what each path serves.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Body;
use tokio::task::spawn_blocking;

use super::response::{self, Response};
use super::{landing, scrape};
use crate::query::Query;
use crate::web::auth::Denied;
use crate::web::client_address::Peer;
use crate::web::config::limit::RateLimit;
use crate::web::connection::state::ConnectionState;
use crate::web::server::Server;

const READ: &str = "GET, HEAD";

/// The response to a request that [`super::request::reject`] did not reject, and its user.
pub(crate) async fn respond<B: Body>(
    server: &Arc<Server>,
    connection: &ConnectionState,
    peer: Peer,
    request: &Request<B>,
) -> (Response, Option<String>) {
    let settings = server.site.config.current();
    let is_within = |limit: &Arc<RateLimit>| match &settings.users {
        Some(users) if !users.remembers(request.headers()) => limit.allow_unauthenticated(),
        _ => limit.allow(),
    };
    if !settings.rate_limit.as_ref().is_none_or(is_within) {
        let reason = "There are too many requests.\n";
        return (response::text(StatusCode::TOO_MANY_REQUESTS, reason), None);
    }
    let address = peer.address();
    let authenticated = match &settings.users {
        Some(users) => {
            let is_known = server.known_addresses.contains(address);
            let user = users.check(request.headers(), address, is_known).await;
            user.map(|user| Some(user.to_owned()))
        }
        None => Ok(None),
    };
    let (mut response, user) = match authenticated {
        Ok(user) => {
            connection.authenticated();
            server.known_addresses.insert(address);
            (route(server, request).await, user)
        }
        Err(denied @ (Denied::Missing | Denied::Wrong)) => {
            server.rejections.log_login(peer, denied);
            (response::unauthorized(denied), None)
        }
        Err(Denied::Busy) => {
            (response::unavailable("Too many logins are being checked.\n".into()), None)
        }
    };
    for (name, value) in &settings.headers {
        response.headers_mut().insert(name, value.clone());
    }
    (response, user)
}

async fn route<B: Body>(server: &Arc<Server>, request: &Request<B>) -> Response {
    let site = &server.site;
    let path = request.uri().path();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    match (request.method(), path) {
        (&Method::GET | &Method::HEAD, path) if path == site.telemetry_path => {
            let registry = site.exporter.registry(&query);
            scrape::scrape(server, registry, &query, request.headers()).await
        }
        (&Method::GET | &Method::HEAD, "/probe")
            if let Some(registry) = site.exporter.probe(&query) =>
        {
            scrape::scrape(server, registry, &query, request.headers()).await
        }
        (&Method::GET | &Method::HEAD, "/sd") if let Some(json) = site.exporter.discovery() => {
            response::json(json)
        }
        (&Method::GET | &Method::HEAD, "/") => response::html(landing::page(site, &query).await),
        (&Method::GET | &Method::HEAD, "/-/healthy" | "/-/ready") => {
            response::text(StatusCode::OK, "OK\n")
        }
        (&Method::POST | &Method::PUT, "/-/reload") if site.enable_lifecycle => {
            reload(server).await
        }
        (&Method::POST | &Method::PUT, "/-/reload") => {
            let reason = "Reloading over HTTP is off; --web.enable-lifecycle turns it on.\n";
            response::text(StatusCode::FORBIDDEN, reason)
        }
        (_, "/-/reload") => response::method_not_allowed("POST, PUT"),
        (&Method::GET | &Method::HEAD, _) => response::not_found(),
        _ => response::method_not_allowed(READ),
    }
}

/// Reads all configuration again. A failure is one line for the client; the log has the details.
async fn reload(server: &Arc<Server>) -> Response {
    let site = Arc::clone(&server.site);
    match spawn_blocking(move || site.reload()).await {
        Ok(Ok(())) => response::text(StatusCode::OK, "The configuration is read again.\n"),
        Ok(Err(error)) => response::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The configuration stays as it was: {error}\n"),
        ),
        Err(_) => response::text(StatusCode::INTERNAL_SERVER_ERROR, "The reload was cut short.\n"),
    }
}
