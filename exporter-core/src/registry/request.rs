//! A scrape request, and why it may have no page.

use std::time::Instant;

use crate::exposition::format::{Escaping, Format};

/// What a scrape asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScrapeRequest {
    pub format: Format,
    pub escaping: Escaping,
    pub selection: Selection,
    /// When the page must be ready. Collectors that have not finished by then are left out.
    pub deadline: Instant,
}

impl ScrapeRequest {
    /// All collectors, in the text format 0.0.4, with a page that must be ready at `deadline`.
    pub fn new(deadline: Instant) -> Self {
        Self {
            format: Format::default(),
            escaping: Escaping::default(),
            selection: Selection::All,
            deadline,
        }
    }

    /// In this format, with names escaped in this way.
    #[must_use]
    pub fn format(self, format: Format, escaping: Escaping) -> Self {
        Self { format, escaping, ..self }
    }

    /// Only these collectors.
    #[must_use]
    pub fn selection(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }
}

/// Which collectors a scrape asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
