//! The response to a request.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use super::rejection::Rejection;

/// The ID of a request, which the response has to contain.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    const MAX_LENGTH: usize = 256;
    let id = headers.get("x-amz-firehose-request-id").and_then(|id| id.to_str().ok());
    id.filter(|id| id.len() <= MAX_LENGTH).unwrap_or_default().to_owned()
}

/// The response in the format that Firehose requires. Any other response counts as a failure.
pub(super) fn response(
    status: StatusCode,
    id: &str,
    rejection: Option<&Rejection>,
) -> Response<Full<Bytes>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    let body = match rejection {
        None => serde_json::json!({"requestId": id, "timestamp": millis}),
        Some(rejection) => serde_json::json!({
            "requestId": id, "timestamp": millis, "errorMessage": rejection.to_string(),
        }),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if rejection.is_some() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
