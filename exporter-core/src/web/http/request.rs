//! Checks of a request that hold for every path.

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{Request, StatusCode, Version};
use hyper::body::Body;

use super::response::{self, Response};

/// Bytes of the request line and the headers.
const MAX_HEAD: usize = 32 * 1024;
const MAX_TARGET: usize = 8 * 1024;
const MAX_HEADERS: usize = 100;

/// The read buffer of a connection. Larger than [`MAX_HEAD`], so that most clients that exceed it get
/// the response.
pub(crate) const BUFFER: usize = 72 * 1024;

/// The response to a request that must not be served. Its connection must be closed, since it is not
/// certain where the next request begins.
pub(crate) fn reject<B: Body>(request: &Request<B>) -> Option<Response> {
    let headers = request.headers();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET {
        return Some(response::text(StatusCode::URI_TOO_LONG, "The address is too long.\n"));
    }
    let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    if headers.len() > MAX_HEADERS || target + lines.sum::<usize>() > MAX_HEAD {
        let reason = "There are too many headers, or they are too long.\n";
        return Some(response::text(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, reason));
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        return Some(response::bad_request("A request must not have a body."));
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if lengths.any(|length| length.as_bytes() != b"0") || !request.body().is_end_stream() {
        let reason = "A request must not have a body.\n";
        return Some(response::text(StatusCode::PAYLOAD_TOO_LARGE, reason));
    }
    let hosts = headers.get_all(HOST).iter().count();
    let named = match request.version() {
        Version::HTTP_11 => hosts == 1,
        Version::HTTP_2 => hosts == 1 || (hosts == 0 && request.uri().authority().is_some()),
        _ => hosts <= 1,
    };
    (!named).then(|| response::bad_request("A request must name one host."))
}
