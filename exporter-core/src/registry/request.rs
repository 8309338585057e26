//! A scrape request, and why it may have no page.

use std::time::Instant;

use crate::exposition::format::{Escaping, Format};

/// What a scrape asks for.
#[derive(Clone, Debug)]
pub struct ScrapeRequest {
    pub format: Format,
    pub escaping: Escaping,
    pub selection: Selection,
    /// When the page must be ready. Collectors that have not finished by then are left out.
    pub deadline: Instant,
}

/// Which collectors a scrape asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    All,
    Except(Vec<String>),
    Only(Vec<String>),
}

/// Why a scrape has no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    #[error("collector {0:?} is switched off on this exporter")]
    Disabled(String),
    #[error("the collection that this scrape shares was not done in time")]
    Late,
    #[error("there is no collector named {0:?}")]
    Unknown(String),
}
