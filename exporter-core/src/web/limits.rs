//! Limits on clients.

use std::time::Duration;

/// Limits on what one client, or all of them together, may use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Time for the TLS handshake, until the first byte, and from there to the end of the headers.
    pub header: Duration,
    /// Time between two requests of one connection, and for a response to be read whole.
    pub idle: Duration,
    /// Time for a client to read 64 KiB more of its responses, or all that is left of them.
    pub stall: Duration,
    /// Time for requests in progress when the program stops. Service managers kill what does not
    /// end in time: the units allow 10 s.
    pub drain: Duration,
    /// Open connections.
    pub connections: usize,
    /// Of these, connections of one client address. Half as many are reserved for each address that
    /// has authenticated before.
    pub connections_per_address: usize,
    /// TLS handshakes in progress.
    pub handshakes: usize,
    /// Bytes of responses that are not sent yet. Responses that share a page count once, and one
    /// response may be larger.
    pub unsent: usize,
    /// Time for a scrape whose client announces no timeout, or a longer one.
    pub scrape: Duration,
    /// Scrapes in progress; 0 is no limit.
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
