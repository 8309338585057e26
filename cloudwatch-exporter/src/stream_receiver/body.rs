//! Reads the body of a request.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use tokio::time::timeout;

use super::BODY_TIMEOUT;
use super::rejection::Rejection;
use crate::stream::delivery::MAX_BODY;

/// The maximum number of bytes of a rejected body that are read and discarded, so that the client gets
/// the response.
const MAX_DISCARDED: usize = 64 << 20;

/// Whether the body is compressed with gzip.
pub(super) fn is_gzip(headers: &HeaderMap) -> Result<bool, Rejection> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Rejection::Encoding),
    }
}

/// The size of a body in KiB, or the maximum size if it is unknown.
pub(super) fn size_kib(body: &Incoming) -> Result<u32, Rejection> {
    let max = MAX_BODY as u64;
    let length = body.size_hint().exact().unwrap_or(max);
    if length > max {
        return Err(Rejection::TooLarge);
    }
    Ok(u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX))
}

pub(super) async fn read_body(mut body: Incoming) -> Result<Vec<u8>, Rejection> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Rejection::Incomplete) };
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > MAX_BODY {
            discard_body(body).await;
            return Err(Rejection::TooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

/// Reads and discards the rest of a body. If a connection is closed with unread data, the client may not
/// get the response.
pub(super) async fn discard_body(mut body: Incoming) {
    let rest = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > MAX_DISCARDED {
                return;
            }
        }
    };
    _ = timeout(BODY_TIMEOUT, rest).await;
}
