//! The control interface over HTTP: `/control/counters`, `calls`, `faults`, `model`, `now`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::{Body, Response};
use crate::state::State;

pub(crate) fn respond(state: &State, method: &Method, path: &str, body: &[u8]) -> Response {
    match (method, path) {
        (&Method::GET, "counters") => json(&*state.counters()),
        (&Method::DELETE, "counters") => {
            state.reset();
            done()
        }
        (&Method::GET, "calls") => json(&state.calls()),
        (&Method::POST, "faults") => parse_and(body, |fault| state.faults().push(fault)),
        (&Method::DELETE, "faults") => {
            state.faults().clear();
            done()
        }
        (&Method::PUT, "now") => parse_and(body, |unix| state.set_now(unix)),
        (&Method::PUT, "model") => parse_and(body, |model| state.set_model(model)),
        _ => text(StatusCode::NOT_FOUND, format!("nothing is known of {method} /control/{path}\n")),
    }
}

fn parse_and<T: DeserializeOwned>(body: &[u8], then: impl FnOnce(T)) -> Response {
    match serde_json::from_slice(body) {
        Ok(value) => {
            then(value);
            done()
        }
        Err(error) => text(StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(body) => {
            let mut response = text(StatusCode::OK, body);
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn done() -> Response {
    text(StatusCode::NO_CONTENT, String::new())
}

fn text(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::Left(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response
}
