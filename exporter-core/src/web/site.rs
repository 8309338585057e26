//! What is served, and within what limits.

use std::sync::Arc;
use std::time::Duration;

use super::config::live::Live;
use super::metrics::ServerMetrics;
use crate::config_file;
use crate::exporter::Exporter;

/// What is served, and to whom.
#[derive(Debug)]
pub struct Site {
    /// As people call it: the title of the landing page.
    pub name: &'static str,
    /// One line for the landing page.
    pub about: &'static str,
    pub version: &'static str,
    pub exporter: Arc<dyn Exporter>,
    pub live: Arc<Live>,
    pub metrics: Arc<ServerMetrics>,
    pub limits: Limits,
    /// Where the metrics are: `/metrics`.
    pub telemetry_path: String,
    /// Whether `POST /-/reload` does something.
    pub enable_lifecycle: bool,
    /// What the way of an answer back to the scraper takes off the scraper's own limit.
    pub timeout_offset: Duration,
}

impl Site {
    /// Reads the web configuration again, and the program's own. One that is bad does not keep
    /// the other from being read.
    ///
    /// Blocks on the files.
    pub(crate) fn reload(&self) -> Result<(), String> {
        config_file::retry();
        let web = self.live.reload().map_err(|error| error.to_string());
        let own = self.exporter.reload();
        web.map(|_| ()).and(own)
    }
}

/// What one client, or all of them together, may use up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For the TLS handshake, until the first byte, and from there to the end of a header.
    pub header: Duration,
    /// Between two requests of one connection.
    pub idle: Duration,
    /// For which a client may take nothing of an answer.
    pub stall: Duration,
    /// For requests in progress when the program is to end. Service managers kill what does not
    /// end in time: the units allow 10 s.
    pub drain: Duration,
    /// Open connections.
    pub connections: usize,
    /// TLS handshakes under way.
    pub handshakes: usize,
    /// For a scrape whose scraper does not say how long it will wait, or would wait longer.
    pub scrape: Duration,
    /// Scrapes under way; 0 is no limit.
    pub requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(8),
            connections: 512,
            handshakes: 64,
            scrape: Duration::from_secs(30),
            requests: 40,
        }
    }
}
