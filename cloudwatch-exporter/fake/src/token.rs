//! `NextToken`s: positions in the result of a request. The server keeps no state for them, so a page can be
//! requested again.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::api_error::ApiError;

/// A hash of a request. The requests for further pages must have the same one.
pub(crate) fn tag(request: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

/// `position` is the index of the first item of the page, `start` the first period of a query, or 0.
pub(crate) fn write(tag: u64, position: i64, start: i64) -> String {
    format!("{tag:016x}.{position}.{start}")
}

pub(crate) fn read(token: &str, tag: u64) -> Result<(i64, i64), ApiError> {
    let mut parts = token.split('.');
    let mut part = || parts.next().ok_or_else(ApiError::invalid_token);
    let token_tag = u64::from_str_radix(part()?, 16).map_err(|_| ApiError::invalid_token())?;
    let position = part()?.parse().map_err(|_| ApiError::invalid_token())?;
    let start = part()?.parse().map_err(|_| ApiError::invalid_token())?;
    if token_tag != tag || position < 0 {
        return Err(ApiError::invalid_token());
    }
    Ok((position, start))
}
