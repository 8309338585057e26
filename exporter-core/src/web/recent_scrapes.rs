//! The latest scrapes, for the landing page.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::StatusCode;

/// How many scrapes are kept.
pub(crate) const CAPACITY: usize = 60;

/// The latest scrapes, the newest first.
#[derive(Debug, Default)]
pub(crate) struct RecentScrapes(Mutex<VecDeque<RecentScrape>>);

/// A scrape that was answered.
#[derive(Clone, Debug)]
pub(crate) struct RecentScrape {
    pub(crate) time: SystemTime,
    /// The address of the client.
    pub(crate) peer: String,
    /// The name in its certificate, or else its user name.
    pub(crate) client: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) status: StatusCode,
    pub(crate) series: usize,
}

/// Attached to the response to a scrape: the number of series on its page, 0 without a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScrapedSeries(pub(crate) usize);

impl RecentScrapes {
    pub(crate) fn add(&self, scrape: RecentScrape) {
        let mut scrapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        scrapes.truncate(CAPACITY - 1);
        scrapes.push_front(scrape);
    }

    pub(crate) fn list(&self) -> Vec<RecentScrape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
