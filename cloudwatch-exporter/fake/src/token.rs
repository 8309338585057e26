//! `NextToken`s: a place in the answer to one request. They hold all that is needed, so a page can be asked for again.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::refusal::Refusal;

/// What ties a token to its request, which must come again with it.
pub(crate) fn tag(request: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn write(tag: u64, place: i64, within: i64) -> String {
    format!("{tag:016x}.{place}.{within}")
}

pub(crate) fn read(token: &str, tag: u64) -> Result<(i64, i64), Refusal> {
    let mut parts = token.split('.');
    let mut part = || parts.next().ok_or_else(Refusal::token);
    let tied = u64::from_str_radix(part()?, 16).map_err(|_| Refusal::token())?;
    let place = part()?.parse().map_err(|_| Refusal::token())?;
    let within = part()?.parse().map_err(|_| Refusal::token())?;
    if tied != tag || place < 0 {
        return Err(Refusal::token());
    }
    Ok((place, within))
}
