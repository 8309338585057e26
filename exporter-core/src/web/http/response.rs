//! Responses, and their bodies.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::web::auth::{CHALLENGE, Denied};
use crate::web::connection::state::RequestInProgress;
use crate::web::connection::unsent::UnsentResponse;

pub(crate) type Response = http::Response<Bytes>;

/// A response of plain text. `nosniff` keeps browsers from interpreting text that a client
/// supplied.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn json(text: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn html(page: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(page.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    response
}

pub(crate) fn bad_request(reason: &str) -> Response {
    text(StatusCode::BAD_REQUEST, format!("{reason}\n"))
}

pub(crate) fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "There is no such page.\n")
}

pub(crate) fn method_not_allowed(allow: &'static str) -> Response {
    let mut response =
        text(StatusCode::METHOD_NOT_ALLOWED, format!("Only {allow} can be used here.\n"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// Does not tell an unknown user from a wrong password.
pub(crate) fn unauthorized(denied: Denied) -> Response {
    let reason = match denied {
        Denied::Wrong => "The user name or password is wrong.\n",
        _ => "A user name and password are needed.\n",
    };
    let mut response = text(StatusCode::UNAUTHORIZED, reason);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}

pub(crate) fn unavailable(reason: String) -> Response {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, reason);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The response, as the last one of its connection.
pub(crate) fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response to a HEAD request has the length of the body, but not the body.
pub(crate) fn without_body_for_head(response: &mut Response, method: &Method) {
    if method == Method::HEAD {
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
        response.body_mut().clear();
    }
}

/// The body of a response; its request is in progress until the last byte is written.
#[derive(Debug)]
pub(crate) struct Page {
    bytes: Option<Bytes>,
    /// `None` for an empty body.
    _unsent: Option<Unsent>,
}

/// Dropped when the body is sent or abandoned.
#[derive(Debug)]
struct Unsent {
    _request: RequestInProgress,
    _response: UnsentResponse,
}

/// The bytes of a body, with the guard of their request.
struct UnsentBytes {
    bytes: Bytes,
    _unsent: Unsent,
}

impl AsRef<[u8]> for UnsentBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Page {
    pub(crate) fn respond(
        response: Response,
        mut request: RequestInProgress,
        unsent: UnsentResponse,
    ) -> http::Response<Self> {
        request.response_completed(response.body().len());
        let unsent = Unsent { _request: request, _response: unsent };
        response.map(|bytes| {
            if bytes.is_empty() {
                Self { bytes: None, _unsent: Some(unsent) }
            } else {
                let bytes = Bytes::from_owner(UnsentBytes { bytes, _unsent: unsent });
                Self { bytes: Some(bytes), _unsent: None }
            }
        })
    }
}

impl Body for Page {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}
