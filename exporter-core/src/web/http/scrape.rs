//! A scrape: from the HTTP request to the registry, and from its page to the response.

use std::io;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::task::spawn_blocking;
use tracing::error;

use super::compress::{self, Coding, Compressor};
use super::response::{self, Response};
use crate::exposition::format::Format;
use crate::query::Query;
use crate::registry::{Page, Registry, ScrapeError, ScrapeRequest};
use crate::web::limits::Limits;
use crate::web::recent_scrapes::ScrapedSeries;
use crate::web::server::Server;

/// The header with the timeout of the scraper, in seconds.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// Scrapes the registry that the `query` selects.
pub(super) async fn scrape(
    server: &Arc<Server>,
    registry: Result<Arc<Registry>, String>,
    query: &Query,
    headers: &HeaderMap,
) -> Response {
    let site = &server.site;
    let max = site.limits.requests;
    let time_limit = time_limit(headers, site.timeout_offset, site.limits.scrape);
    let request =
        registry.and_then(|registry| Ok((registry, request(query, headers, time_limit)?)));
    let mut response = match request {
        Err(reason) => response::bad_request(&reason),
        Ok((registry, request)) => {
            let scrapes = &site.metrics.scrapes;
            // A scrape that shares a collection costs little more than its connection.
            let is_shared = registry.is_in_progress(&request);
            let place = if is_shared { Some(scrapes.join()) } else { scrapes.enter(max) };
            match place {
                None => response::unavailable(format!("{max} scrapes are in progress.\n")),
                Some(_in_progress) => {
                    respond(&registry, request, headers, &server.compressor).await
                }
            }
        }
    };
    site.metrics.scrapes.count(response.status());
    if response.extensions().get::<ScrapedSeries>().is_none() {
        response.extensions_mut().insert(ScrapedSeries(0));
    }
    response
}

impl Registry {
    /// Responds to a scrape, for the router of your program: negotiates format and compression by
    /// the headers of the request, stays within the timeout that Prometheus announces less a
    /// quarter of a second, and runs the collectors that `collect[]=` and `exclude[]=` in the query
    /// select.
    ///
    /// Must be called within a tokio runtime. The status is 200, 400 for an invalid query, or 503
    /// if the scrape is late.
    ///
    /// ```
    /// use exporter_core::instrument::{Counter, Metric};
    /// use exporter_core::registry::Registry;
    /// use http::HeaderMap;
    ///
    /// static JOBS: Metric<Counter> = Metric::counter("app_jobs_total", "Jobs done.");
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let registry = Registry::builder().instruments("app", [&JOBS]).build();
    /// let response = registry.respond(&HeaderMap::new(), Some("collect[]=app")).await;
    /// assert_eq!(response.status(), 200);
    /// assert!(response.body().ends_with(b"app_jobs_total 0\n"));
    /// # }
    /// ```
    pub async fn respond(
        self: &Arc<Self>,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> http::Response<Bytes> {
        static COMPRESSOR: LazyLock<Arc<Compressor>> = LazyLock::new(Arc::default);
        let limits = Limits::default();
        let time_limit = time_limit(headers, DEFAULT_OFFSET, limits.scrape);
        match request(&Query::parse(query.unwrap_or_default()), headers, time_limit) {
            Ok(request) => respond(self, request, headers, &COMPRESSOR).await,
            Err(reason) => response::bad_request(&reason),
        }
    }
}

/// Subtracted from the timeout of the client, for the response to arrive.
pub(crate) const DEFAULT_OFFSET: Duration = Duration::from_millis(250);

/// The scrape request of a query and headers.
fn request(
    query: &Query,
    headers: &HeaderMap,
    time_limit: Duration,
) -> Result<ScrapeRequest, String> {
    let selection = query.selection()?;
    let accept = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let (format, escaping) = Format::negotiate(accept);
    Ok(ScrapeRequest { format, escaping, selection, deadline: Instant::now() + time_limit })
}

async fn respond(
    registry: &Arc<Registry>,
    request: ScrapeRequest,
    headers: &HeaderMap,
    compressor: &Arc<Compressor>,
) -> Response {
    let ScrapeRequest { format, escaping, .. } = request;
    let Page { bytes: page, series } = match registry.scrape_page(request).await {
        Ok(page) => page,
        Err(error @ ScrapeError::Late) => return response::unavailable(format!("{error}\n")),
        Err(error) => return response::bad_request(&error.to_string()),
    };
    let (body, coding) = match compressed(compressor, page, Coding::negotiate(headers)).await {
        Ok(compressed) => compressed,
        Err(error) => {
            error!(%error, "cannot compress a page");
            let reason = "The page could not be compressed.\n";
            return response::text(StatusCode::INTERNAL_SERVER_ERROR, reason);
        }
    };
    let mut response = http::Response::new(body);
    response.extensions_mut().insert(ScrapedSeries(series));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type(escaping)));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(name) = coding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

/// The minimum time limit. Collectors that are stopped earlier would still run at the next scrape,
/// and fail that, too.
const MIN_TIME_LIMIT: Duration = Duration::from_millis(100);

/// The time limit of a scrape: the timeout that the client announces less `offset`, but at least
/// half of it; never more than `limit`.
fn time_limit(headers: &HeaderMap, offset: Duration, limit: Duration) -> Duration {
    let announced =
        headers.get(TIMEOUT_HEADER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    match announced.map(Duration::try_from_secs_f64) {
        Some(Ok(announced)) if !announced.is_zero() => {
            announced.saturating_sub(offset).max(announced / 2).max(MIN_TIME_LIMIT).min(limit)
        }
        _ => limit,
    }
}

async fn compressed(
    compressor: &Arc<Compressor>,
    page: Bytes,
    coding: Coding,
) -> io::Result<(Bytes, Coding)> {
    if page.len() <= compress::INLINE || coding == Coding::Identity {
        return compressor.compress(&page, coding);
    }
    let compressor = Arc::clone(compressor);
    spawn_blocking(move || compressor.compress(&page, coding)).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_limit_is_the_timeout_of_the_scraper_less_the_offset() {
        let limit = Duration::from_secs(10);
        for (announced, time_limit) in [
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
            headers.insert(TIMEOUT_HEADER, announced.parse().unwrap());
            let took = super::time_limit(&headers, Duration::from_millis(250), limit);
            assert_eq!(took, Duration::from_secs_f64(time_limit), "{announced}");
        }
    }
}
