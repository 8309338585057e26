use std::convert::Infallible;
use std::future;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower_layer::Layer;
use tower_service::Service;

use super::*;
use crate::exposition::format::{Escaping, Format};
use crate::instrument::encode;

/// The samples of the instrument, without buckets and sums.
fn samples(metrics: &dyn Instrument) -> Vec<String> {
    let page = encode(&[metrics], Format::Text004, Escaping::Underscores);
    let page = String::from_utf8(page).unwrap();
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| !line.contains("_bucket{") && !line.contains("duration_seconds_sum"))
        .map(|line| line.trim_start_matches("http_server_").to_owned())
        .collect()
}

fn first_segment<'a>(uri: &'a Uri, _: &'a Extensions) -> Option<&'a str> {
    uri.path().strip_prefix("/orders/").map(|_| "/orders/{id}")
}

fn request(method: &str, path: &str) -> Request<()> {
    Request::builder().method(method).uri(path).body(()).unwrap()
}

#[tokio::test]
async fn requests_are_measured_by_template() {
    static HTTP: HttpMetrics = HttpMetrics::new();
    let mut service = HTTP.layer(first_segment).layer(tower_fn(|request: Request<()>| {
        assert!(samples(&HTTP).contains(&"requests_in_progress 1".to_owned()));
        let body = if request.uri().path() == "/x" { "" } else { "twelve bytes" };
        future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(body))))
    }));
    for (method, path) in
        [("GET", "/orders/1"), ("GET", "/orders/2"), ("BREW", "/x"), ("GET", "/x")]
    {
        let response = service.call(request(method, path)).await.unwrap();
        assert!(samples(&HTTP).contains(&"requests_in_progress 1".to_owned()));
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(
        samples(&HTTP),
        [
            r#"request_duration_seconds_count{method="GET",route="/orders/{id}",status="200"} 2"#,
            r#"request_duration_seconds_count{method="GET",route="unmatched",status="200"} 1"#,
            r#"request_duration_seconds_count{method="other",route="unmatched",status="200"} 1"#,
            r#"response_size_bytes_sum{method="GET",route="/orders/{id}",status="200"} 24"#,
            r#"response_size_bytes_count{method="GET",route="/orders/{id}",status="200"} 2"#,
            r#"response_size_bytes_sum{method="GET",route="unmatched",status="200"} 0"#,
            r#"response_size_bytes_count{method="GET",route="unmatched",status="200"} 1"#,
            r#"response_size_bytes_sum{method="other",route="unmatched",status="200"} 0"#,
            r#"response_size_bytes_count{method="other",route="unmatched",status="200"} 1"#,
            "requests_in_progress 0",
        ]
    );
}

#[tokio::test]
async fn failures_and_dropped_requests_are_counted() {
    static HTTP: HttpMetrics = HttpMetrics::new().at_most(2);
    let mut failing = HTTP.layer(first_segment).layer(tower_fn(|_: Request<()>| {
        future::ready(Err::<Response<Full<Bytes>>, _>("no database"))
    }));
    assert_eq!(failing.call(request("GET", "/")).await.err(), Some("no database"));
    let mut hanging = HTTP.layer(first_segment).layer(tower_fn(|_: Request<()>| {
        future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    drop(hanging.call(request("GET", "/")));
    drop(hanging.call(request("PUT", "/")));
    assert_eq!(
        samples(&HTTP),
        [
            r#"request_duration_seconds_count{method="GET",route="unmatched",status="aborted"} 1"#,
            r#"request_duration_seconds_count{method="GET",route="unmatched",status="error"} 1"#,
            r#"instrument_refused_label_sets_total{family="http_server_request_duration_seconds"} 1"#,
            r#"instrument_refused_label_sets_total{family="http_server_response_size_bytes"} 0"#,
            "requests_in_progress 0",
        ]
    );
}

/// A service of a function.
fn tower_fn<F>(function: F) -> FnService<F> {
    FnService(function)
}

struct FnService<F>(F);

impl<F, A, R, B, E> Service<Request<A>> for FnService<F>
where
    F: FnMut(Request<A>) -> R,
    R: Future<Output = Result<Response<B>, E>>,
{
    type Response = Response<B>;
    type Error = E;
    type Future = R;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), E>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<A>) -> R {
        (self.0)(request)
    }
}
