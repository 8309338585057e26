//! The body of a request.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use tokio::time::timeout;

use super::BODY;
use super::rejection::Rejection;
use crate::stream::delivery::LARGEST_BODY;

/// Bytes of a body that are read and dropped, so that the client gets the response that rejects it.
const DROPPED: usize = 64 << 20;

/// Whether the body is compressed.
pub(super) fn encoding(headers: &HeaderMap) -> Result<bool, Rejection> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Rejection::Encoding),
    }
}

/// The KiB that a body may have.
pub(super) fn permits(body: &Incoming) -> Result<u32, Rejection> {
    let largest = LARGEST_BODY as u64;
    let length = body.size_hint().exact().unwrap_or(largest);
    if length > largest {
        return Err(Rejection::TooLarge);
    }
    Ok(u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX))
}

pub(super) async fn whole(mut body: Incoming) -> Result<Vec<u8>, Rejection> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Rejection::Incomplete) };
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > LARGEST_BODY {
            drop_body(body).await;
            return Err(Rejection::TooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// Reads what is left of a body, and drops it: a connection that is closed with unread data in it
/// loses the response.
pub(super) async fn drop_body(mut body: Incoming) {
    let rest = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > DROPPED {
                return;
            }
        }
    };
    _ = timeout(BODY, rest).await;
}
