//! Requests and responses.

pub(crate) mod compress;
mod landing;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod route;
mod scrape;

pub(crate) use self::scrape::DEFAULT_OFFSET;
