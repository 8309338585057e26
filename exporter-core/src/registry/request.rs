//! A scrape request, and its errors.

use std::time::Instant;

use crate::exposition::format::{Escaping, Format};

/// The parameters of a scrape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScrapeRequest {
    /// The format of the page.
    pub format: Format,
    /// How names are escaped that the format does not allow.
    pub escaping: Escaping,
    /// The collectors that run.
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

/// The collectors of a scrape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// All but these.
    Except(Vec<String>),
    /// These alone.
    Only(Vec<String>),
}

/// Why a scrape has no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// A collector of this name exists, but is not enabled.
    #[error("collector {0:?} is switched off on this exporter")]
    Disabled(String),
    /// The scrape shares the collection of another, which was not complete at its deadline.
    #[error("the collection that this scrape shares was not done in time")]
    Late,
    /// No collector has this name.
    #[error("there is no collector named {0:?}")]
    Unknown(String),
}
