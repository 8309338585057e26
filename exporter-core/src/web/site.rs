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
    /// Between two requests of one connection, and for an answer to be taken whole.
    pub idle: Duration,
    /// For a client to take 64 KiB more of its answers, or all that is left of them.
    pub stall: Duration,
    /// For requests in progress when the program is to end. Service managers kill what does not
    /// end in time: the units allow 10 s.
    pub drain: Duration,
    /// Open connections.
    pub connections: usize,
    /// Of these, connections of one client address. Half as many are reserved for each address that
    /// has authenticated before.
    pub connections_per_address: usize,
    /// TLS handshakes in progress.
    pub handshakes: usize,
    /// Bytes of answers that are not yet sent. Answers that share a page count once, and one answer
    /// may be larger.
    pub unsent: usize,
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
            connections_per_address: 128,
            handshakes: 64,
            unsent: 32 << 20,
            scrape: Duration::from_secs(30),
            requests: 40,
        }
    }
}
