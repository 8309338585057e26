//! A scrape: from the request to what the registry is asked, and from its page to the answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::error;

use super::compress::{self, Coding};
use super::response::{self, Response};
use crate::exposition::format::Format;
use crate::query::Query;
use crate::registry::{Registry, ScrapeError, ScrapeRequest};
use crate::web::server::Server;

/// How long the scraper will wait, in seconds.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// A scrape of `registry`, unless there is none for what the `query` says.
pub(super) async fn scrape(
    server: &Arc<Server>,
    registry: Result<Arc<Registry>, String>,
    query: &Query,
    headers: &HeaderMap,
) -> Response {
    let site = &server.site;
    let Some(_place) = site.metrics.scrapes.enter(site.limits.requests) else {
        let most = site.limits.requests;
        return finished(server, response::unavailable(format!("{most} scrapes are under way.\n")));
    };
    let registry = match registry {
        Ok(registry) => registry,
        Err(why) => return finished(server, response::bad_request(&why)),
    };
    let selection = match query.selection() {
        Ok(selection) => selection,
        Err(why) => return finished(server, response::bad_request(why)),
    };
    let accept = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let (format, escaping) = Format::negotiate(accept);
    let deadline = Instant::now() + patience(headers, site.timeout_offset, site.limits.scrape);
    let request = ScrapeRequest { format, escaping, selection, deadline };
    let page = match registry.scrape(request).await {
        Ok(page) => page,
        Err(error @ ScrapeError::Late) => {
            return finished(server, response::unavailable(format!("{error}\n")));
        }
        Err(error) => return finished(server, response::bad_request(&error.to_string())),
    };
    let (body, coding) = match coded(server, page, Coding::negotiate(headers)).await {
        Ok(coded) => coded,
        Err(error) => {
            error!(%error, "a page could not be compressed");
            let why = "The page could not be compressed.\n";
            return finished(server, response::text(StatusCode::INTERNAL_SERVER_ERROR, why));
        }
    };
    let mut response = http::Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type(escaping)));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(name) = coding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    finished(server, response)
}

fn finished(server: &Server, response: Response) -> Response {
    server.site.metrics.scrapes.count(response.status());
    response
}

/// The least time that a scrape gets. Collectors that are stopped earlier would fail the next scrape
/// as well, since they are still running then.
const MIN_PATIENCE: Duration = Duration::from_millis(100);

/// How long a scrape may take: what the scraper says, less what the way back takes, and never
/// more than `limit`. Where the offset would leave nothing, half of it.
fn patience(headers: &HeaderMap, offset: Duration, limit: Duration) -> Duration {
    let said = headers.get(TIMEOUT).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    match said.map(Duration::try_from_secs_f64) {
        Some(Ok(said)) if !said.is_zero() => {
            said.saturating_sub(offset).max(said / 2).max(MIN_PATIENCE).min(limit)
        }
        _ => limit,
    }
}

async fn coded(server: &Arc<Server>, page: Bytes, coding: Coding) -> io::Result<(Bytes, Coding)> {
    if page.len() <= compress::INLINE || coding == Coding::Identity {
        return server.compressor.compress(&page, coding);
    }
    let server = Arc::clone(server);
    spawn_blocking(move || server.compressor.compress(&page, coding)).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_what_the_scraper_says_less_the_offset() {
        let limit = Duration::from_secs(10);
        for (said, patience) in [
            ("2", 1.75),
            ("0.3", 0.15),
            ("1e-7", 0.1),
            ("10.5", 10.0),
            ("1e300", 10.0),
            ("inf", 10.0),
            ("NaN", 10.0),
            ("-1", 10.0),
            ("0", 10.0),
            ("", 10.0),
            ("soon", 10.0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, said.parse().unwrap());
            let took = super::patience(&headers, Duration::from_millis(250), limit);
            assert_eq!(took, Duration::from_secs_f64(patience), "{said}");
        }
    }
}
