//! `NextToken`s: a position in the response to a request. They contain all state, so a page can be
//! requested again.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::api_error::ApiError;

/// The identity of a request, which must be the same for its further pages.
pub(crate) fn tag(request: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn write(tag: u64, place: i64, within: i64) -> String {
    format!("{tag:016x}.{place}.{within}")
}

pub(crate) fn read(token: &str, tag: u64) -> Result<(i64, i64), ApiError> {
    let mut parts = token.split('.');
    let mut part = || parts.next().ok_or_else(ApiError::token);
    let tied = u64::from_str_radix(part()?, 16).map_err(|_| ApiError::token())?;
    let place = part()?.parse().map_err(|_| ApiError::token())?;
    let within = part()?.parse().map_err(|_| ApiError::token())?;
    if tied != tag || place < 0 {
        return Err(ApiError::token());
    }
    Ok((place, within))
}
