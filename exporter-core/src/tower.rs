//! Metrics of HTTP servers that consist of `tower` services, such as those of axum.

mod body;
mod exchange;
mod service;

use http::{Extensions, Method, Uri};

pub use self::body::MeasuredBody;
pub use self::service::{HttpLayer, HttpService, MeasuredFuture};
use crate::exposition::desc::{Describe, DynDesc};
use crate::exposition::families::Families;
use crate::instrument::{Buckets, Gauge, Histogram, Instrument, Labelled, Metric};

/// The metrics of an HTTP server:
///
/// - `http_server_request_duration_seconds`, a histogram of the time from the request to the end of
///   the response, by `method`, `route` and `status`
/// - `http_server_response_size_bytes`, a histogram of the size of the response's body, by the same
/// - `http_server_requests_in_progress`, a gauge
///
/// The number of series is bounded: `route` is a template, such as `/orders/{id}`, and `unmatched`
/// for requests without one; a `method` that HTTP does not define is `other`. `status` is `error` if
/// the service failed, and `aborted` if its response was no longer awaited, because the client went
/// away or the handler panicked. [`at_most`](Self::at_most) sets a limit in any case.
///
/// In axum, the route is the `MatchedPath`:
///
/// ```
/// use axum::Router;
/// use axum::extract::MatchedPath;
/// use axum::routing::get;
/// use exporter_core::registry::Registry;
/// use exporter_core::tower::HttpMetrics;
///
/// static HTTP: HttpMetrics = HttpMetrics::new().at_most(1000);
///
/// let app: Router = Router::new()
///     .route("/orders/{id}", get(async || "an order"))
///     .layer(HTTP.layer(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str)));
/// let registry = Registry::builder().instruments("http", [&HTTP]).build();
/// ```
#[derive(Debug)]
pub struct HttpMetrics {
    duration: Labelled<Histogram, 3>,
    size: Labelled<Histogram, 3>,
    in_progress: Metric<Gauge>,
}

/// The `route` of requests that have none.
pub const UNMATCHED: &str = "unmatched";

const LABELS: [&str; 3] = ["method", "route", "status"];

/// In bytes: powers of 4.
const SIZES: Buckets =
    Buckets::classic(&[256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0])
        .and_native();

impl HttpMetrics {
    /// Metrics without a request so far.
    pub const fn new() -> Self {
        Self {
            duration: Labelled::histogram(
                "http_server_request_duration_seconds",
                "Time from a request to the end of its response.",
                LABELS,
                Buckets::DURATIONS,
            )
            .with_unit("seconds"),
            size: Labelled::histogram(
                "http_server_response_size_bytes",
                "Size of the body of a response.",
                LABELS,
                SIZES,
            )
            .with_unit("bytes"),
            in_progress: Metric::gauge(
                "http_server_requests_in_progress",
                "Requests whose response is not complete.",
            ),
        }
    }

    /// With these buckets of the duration, in seconds, in the place of [`Buckets::DURATIONS`].
    #[must_use]
    pub const fn with_buckets(mut self, buckets: Buckets) -> Self {
        self.duration.set_settings(buckets);
        self
    }

    /// Limits the number of label sets of each family: see [`Labelled::at_most`].
    #[must_use]
    pub const fn at_most(mut self, max: usize) -> Self {
        self.duration.set_max(max);
        self.size.set_max(max);
        self
    }

    /// A layer that measures a service. `route` returns the template of the route of a request, such
    /// as `/orders/{id}`; the layer has to be within the router if that finds the template.
    pub const fn layer<F>(&'static self, route: F) -> HttpLayer<F>
    where
        F: for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str>,
    {
        HttpLayer::new(self, route)
    }
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Describe for HttpMetrics {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.duration.describe(visit);
        self.size.describe(visit);
        self.in_progress.describe(visit);
    }
}

impl Instrument for HttpMetrics {
    fn write(&self, out: &mut Families) {
        self.duration.write(out);
        self.size.write(out);
        self.in_progress.write(out);
    }
}

/// A method as a label: those that HTTP defines have their name.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "CONNECT" => "CONNECT",
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        "TRACE" => "TRACE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
