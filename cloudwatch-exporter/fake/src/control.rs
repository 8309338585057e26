//! The control interface over HTTP: `/control/counters`, `calls`, `faults`, `model`, `now`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::{Answer, Body};
use crate::state::State;

pub(crate) fn answer(state: &State, method: &Method, path: &str, body: &[u8]) -> Answer {
    match (method, path) {
        (&Method::GET, "counters") => json(&*state.counters()),
        (&Method::DELETE, "counters") => {
            state.reset();
            done()
        }
        (&Method::GET, "calls") => json(&state.calls()),
        (&Method::POST, "faults") => with(body, |fault| state.faults().push(fault)),
        (&Method::DELETE, "faults") => {
            state.faults().clear();
            done()
        }
        (&Method::PUT, "now") => with(body, |unix| state.set_now(unix)),
        (&Method::PUT, "model") => with(body, |model| state.set_model(model)),
        _ => text(StatusCode::NOT_FOUND, format!("nothing is known of {method} /control/{path}\n")),
    }
}

fn with<T: DeserializeOwned>(body: &[u8], then: impl FnOnce(T)) -> Answer {
    match serde_json::from_slice(body) {
        Ok(value) => {
            then(value);
            done()
        }
        Err(error) => text(StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => {
            let mut answer = text(StatusCode::OK, body);
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            answer
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn done() -> Answer {
    text(StatusCode::NO_CONTENT, String::new())
}

fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Answer::new(Body::Left(Full::new(Bytes::from(body))));
    *answer.status_mut() = status;
    answer
}
