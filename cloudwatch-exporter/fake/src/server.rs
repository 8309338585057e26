//! The HTTP/1.1 server. It uses one thread.

use std::fmt;
use std::future;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time;

use crate::api_error::ApiError;
use crate::control;
use crate::fault::{Outcome, Transfer};
use crate::get_metric_data::{GetMetricData, Page, PageFaults};
use crate::get_metric_statistics::GetMetricStatistics;
use crate::get_resources::GetResources;
use crate::imds;
use crate::list_metrics::ListMetrics;
use crate::model::Caller;
use crate::operation::Operation;
use crate::protocol::{self, Body, Endless, Protocol, Response};
use crate::request::{Call, Request};
use crate::state::State;
use crate::sts::{self, AssumeRole};

/// The maximum size of a request body that CloudWatch accepts.
const MAX_BODY: usize = 1 << 20;

/// The error that closes a connection without a response.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped")
    }
}

impl std::error::Error for Dropped {}

/// Serves until `stopped` is dropped, which also closes all connections.
pub(crate) async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = accepted else {
            // Probably out of file descriptors: wait until connections are closed.
            time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(|request| handle(&state, request));
            let mut http = http1::Builder::new();
            _ = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn handle(state: &State, request: http::Request<Incoming>) -> Result<Response, Dropped> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    if let Some(path) = head.uri.path().strip_prefix("/control/") {
        return Ok(control::respond(state, &head.method, path, &body));
    }
    if let Some(path) = head.uri.path().strip_prefix("/latest/") {
        return Ok(imds::respond(&head.method, path, &head.headers, state.now()));
    }
    let operation = match protocol::operation(&head, &body) {
        Ok(operation) => operation,
        Err(response) => return Ok(*response),
    };
    let in_flight = InFlightCall::new(state, operation, body.len());
    let request = match parse(operation, &body) {
        Ok(request) => Arc::new(request),
        Err(error) => {
            state.counters().of_mut(operation).refused += 1;
            return Ok(Protocol::of(operation).error_response(&error));
        }
    };
    let (access_key, region) = signer(&head.headers);
    let caller = Caller { account: state.account(&access_key), region };
    let outcome = state.outcome(&request, &caller.account);
    if !outcome.delay.is_zero() {
        time::sleep(outcome.delay).await;
    }
    if outcome.transfer == Transfer::Hang {
        future::pending::<()>().await;
    }
    let response = execute(state, &access_key, &caller, &request, &outcome);
    let status = response.as_ref().map_or(0, |response| response.status().as_u16());
    let Caller { account, region } = caller;
    state.record(Call { access_key, account, region, status, request });
    drop(in_flight);
    response
}

fn parse(operation: Operation, body: &[u8]) -> Result<Request, ApiError> {
    if body.len() > MAX_BODY {
        return Err(ApiError {
            status: 413,
            code: "RequestEntityTooLarge".into(),
            message: format!("The body has {} bytes; {MAX_BODY} are allowed.", body.len()),
        });
    }
    Ok(match operation {
        Operation::ListMetrics => Request::ListMetrics(ListMetrics::parse(body)?),
        Operation::GetMetricData => Request::GetMetricData(GetMetricData::parse(body)?),
        Operation::GetMetricStatistics => {
            Request::GetMetricStatistics(GetMetricStatistics::parse(body)?)
        }
        Operation::AssumeRole => Request::AssumeRole(AssumeRole::parse(body)),
        Operation::AssumeRoleWithWebIdentity => {
            Request::AssumeRole(AssumeRole::parse_with_web_identity(body)?)
        }
        Operation::GetCallerIdentity => Request::GetCallerIdentity,
        Operation::GetResources => Request::GetResources(GetResources::parse(body)?),
    })
}

/// Executes a request with its faults, and counts the result.
fn execute(
    state: &State,
    access_key: &str,
    caller: &Caller,
    request: &Request,
    outcome: &Outcome,
) -> Result<Response, Dropped> {
    let first_page;
    let request = if outcome.endless_tokens {
        first_page = request.first_page();
        &first_page
    } else {
        request
    };
    let operation = request.operation();
    let protocol = Protocol::of(operation);
    if outcome.transfer == Transfer::Drop {
        state.counters().of_mut(operation).failed += 1;
        return Err(Dropped);
    }
    if let Some(error) = &outcome.error {
        let mut counters = state.counters();
        let calls = counters.of_mut(operation);
        *(if error.is_throttling() { &mut calls.throttled } else { &mut calls.failed }) += 1;
        return Ok(protocol.error_response(error));
    }
    let (catalog, now) = (state.catalog(), state.now());
    let page = match request {
        Request::ListMetrics(request) => {
            request.respond(&catalog.model, caller, now).map(Page::from)
        }
        Request::GetMetricData(request) => {
            let faults =
                PageFaults { datapoints: outcome.partial, internal: outcome.internal_status };
            request.respond(&catalog, caller, now, faults)
        }
        Request::GetMetricStatistics(request) => request.respond(&catalog, caller, now),
        Request::AssumeRole(request) => request.role(&catalog.model).map(|(account, role)| {
            let key = state.create_session(&account, &role);
            request.respond(&account, &role, &key, now).into()
        }),
        Request::GetCallerIdentity => Ok(sts::caller_identity(&caller.account, access_key).into()),
        Request::GetResources(request) => request.respond(&catalog.model, caller).map(Page::from),
    };
    let mut counters = state.counters();
    let Page { mut body, datapoints } = match page {
        Ok(page) => page,
        Err(error) => {
            counters.of_mut(operation).refused += 1;
            return Ok(protocol.error_response(&error));
        }
    };
    if outcome.transfer == Transfer::Truncate {
        body.truncate(body.len() / 2);
    }
    if outcome.endless_tokens {
        body = protocol.with_token(body, counters.received());
    }
    counters.count_response(request, datapoints, body.len());
    let response = protocol.ok_response(body);
    Ok(if outcome.transfer == Transfer::Endless {
        response.map(|_| Body::Right(Endless))
    } else {
        response
    })
}

/// The access key ID and the region of `Credential=AKID/20260101/eu-west-1/monitoring/aws4_request`.
fn signer(headers: &HeaderMap) -> (String, String) {
    let authorization =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let credential =
        authorization.split_once("Credential=").map_or("", |(_, credential)| credential);
    let mut parts = credential.split([',', '/']);
    let key = parts.next().unwrap_or_default();
    (key.to_owned(), parts.nth(1).unwrap_or_default().to_owned())
}

/// Counts a call as concurrent until it is dropped.
struct InFlightCall<'a>(&'a State);

impl<'a> InFlightCall<'a> {
    fn new(state: &'a State, operation: Operation, bytes: usize) -> Self {
        let concurrent = state.enter();
        let mut counters = state.counters();
        counters.of_mut(operation).received += 1;
        counters.bytes_received += bytes as u64;
        counters.most_at_once = counters.most_at_once.max(concurrent);
        Self(state)
    }
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
