//! The server: HTTP/1.1, one thread, an operation a path.

use std::net::TcpListener;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

use crate::cbor;
use crate::control;
use crate::fake::{Call, Request, State};
use crate::fault::{Fate, Operation};
use crate::get_metric_data::{GetMetricData, Page, Trouble};
use crate::get_metric_statistics::GetMetricStatistics;
use crate::list_metrics::ListMetrics;
use crate::refusal::Refusal;

const SERVICE: &str = "/service/GraniteServiceVersion20100801/operation/";
const PROTOCOL: &str = "smithy-protocol";
const RPC_V2_CBOR: HeaderValue = HeaderValue::from_static("rpc-v2-cbor");
const CBOR: HeaderValue = HeaderValue::from_static("application/cbor");
/// The account of metrics that have none of their own.
const ACCOUNT: &str = "123456789012";
/// The largest body of a request that CloudWatch takes.
const LARGEST: usize = 1 << 20;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Why a connection ends without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped, as injected")
    }
}

impl std::error::Error for Dropped {}

/// Until `stopped` is dropped. Connections end with it.
pub(crate) async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| answer(&state, request));
            _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(state: &State, request: http::Request<Incoming>) -> Result<Answer, Dropped> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = head.uri.path();
    if let Some(path) = path.strip_prefix("/control/") {
        return Ok(control::answer(state, &head.method, path, &body));
    }
    let operation = path
        .strip_prefix(SERVICE)
        .and_then(|name| Operation::ALL.into_iter().find(|at| at.name() == name));
    let Some(operation) = operation.filter(|_| head.method == Method::POST) else {
        return Ok(refuse(&unknown(path)));
    };
    if head.headers.get(PROTOCOL) != Some(&RPC_V2_CBOR)
        || head.headers.get(CONTENT_TYPE) != Some(&CBOR)
    {
        return Ok(refuse(&Refusal::sender(
            "UnknownOperationException",
            "only Smithy RPC v2 CBOR is spoken here",
        )));
    }
    let under_way = UnderWay::new(state, operation, body.len());
    let request = match parse(operation, &body) {
        Ok(request) => Arc::new(request),
        Err(refusal) => {
            state.counters().of_mut(operation).refused += 1;
            return Ok(refuse(&refusal));
        }
    };
    let fate = state.fate(&request);
    if !fate.delay.is_zero() {
        tokio::time::sleep(fate.delay).await;
    }
    let answer = carry_out(state, &request, &fate);
    let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
    let (access_key, region) = signer(&head.headers);
    state.remember(Call { access_key, region, status, request });
    drop(under_way);
    answer
}

fn parse(operation: Operation, body: &[u8]) -> Result<Request, Refusal> {
    if body.len() > LARGEST {
        return Err(Refusal {
            status: 413,
            code: "RequestEntityTooLarge".into(),
            message: format!("The body has {} bytes; {LARGEST} are allowed.", body.len()),
        });
    }
    Ok(match operation {
        Operation::ListMetrics => Request::ListMetrics(ListMetrics::parse(body)?),
        Operation::GetMetricData => Request::GetMetricData(GetMetricData::parse(body)?),
        Operation::GetMetricStatistics => {
            Request::GetMetricStatistics(GetMetricStatistics::parse(body)?)
        }
    })
}

/// Answers as far as fate allows, and counts.
fn carry_out(state: &State, request: &Request, fate: &Fate) -> Result<Answer, Dropped> {
    let operation = request.operation();
    if fate.drop {
        state.counters().of_mut(operation).failed += 1;
        return Err(Dropped);
    }
    if let Some(refusal) = &fate.refusal {
        let mut counters = state.counters();
        let calls = counters.of_mut(operation);
        let throttled = refusal.code.starts_with("Throttl") || refusal.status == 429;
        *(if throttled { &mut calls.throttled } else { &mut calls.failed }) += 1;
        return Ok(refuse(refusal));
    }
    let (world, now) = (state.world(), state.now());
    let (page, queries, billed) = match request {
        Request::ListMetrics(request) => {
            let body = request.answer(&world.model, ACCOUNT, now);
            (body.map(|body| Page { body, datapoints: 0 }), 0, 1)
        }
        Request::GetMetricData(request) => {
            let trouble = Trouble { datapoints: fate.partial, internal: fate.internal_status };
            (request.answer(&world, now, trouble), request.queries.len() as u64, request.billed())
        }
        Request::GetMetricStatistics(request) => (request.answer(&world, now), 0, 1),
    };
    let mut counters = state.counters();
    let calls = counters.of_mut(operation);
    let Page { mut body, datapoints } = match page {
        Ok(page) => page,
        Err(refusal) => {
            calls.refused += 1;
            return Ok(refuse(&refusal));
        }
    };
    calls.answered += 1;
    calls.billed += billed;
    counters.queries += queries;
    counters.datapoints += datapoints;
    if fate.truncate {
        body.truncate(body.len() / 2);
    }
    counters.bytes_sent += body.len() as u64;
    Ok(reply(StatusCode::OK, body))
}

fn unknown(path: &str) -> Refusal {
    Refusal {
        status: 404,
        code: "UnknownOperationException".into(),
        message: format!("nothing is known of POST {path}"),
    }
}

fn refuse(refusal: &Refusal) -> Answer {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = reply(status, cbor::error(&refusal.shape(), &refusal.message));
    if let Ok(error) = HeaderValue::try_from(refusal.query_error()) {
        answer.headers_mut().insert("x-amzn-query-error", error);
    }
    answer
}

fn reply(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Answer::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, CBOR);
    headers.insert(PROTOCOL, RPC_V2_CBOR);
    headers.insert(
        "x-amzn-requestid",
        HeaderValue::from_static("00000000-0000-4000-8000-000000000000"),
    );
    answer
}

/// Access key id and region of `Credential=AKID/20260101/eu-west-1/monitoring/aws4_request`.
fn signer(headers: &HeaderMap) -> (String, String) {
    let authorization =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let credential =
        authorization.split_once("Credential=").map_or("", |(_, credential)| credential);
    let mut parts = credential.split([',', '/']);
    let key = parts.next().unwrap_or_default();
    (key.to_owned(), parts.nth(1).unwrap_or_default().to_owned())
}

/// Counts a call, and that it is under way until this is dropped.
struct UnderWay<'a>(&'a State);

impl<'a> UnderWay<'a> {
    fn new(state: &'a State, operation: Operation, bytes: usize) -> Self {
        let at_once = state.enter();
        let mut counters = state.counters();
        counters.of_mut(operation).received += 1;
        counters.bytes_received += bytes as u64;
        counters.most_at_once = counters.most_at_once.max(at_once);
        Self(state)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
