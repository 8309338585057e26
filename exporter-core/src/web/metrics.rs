//! The metrics of the server.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use http::StatusCode;

use super::client_scrapes::ClientScrapes;
use super::recent_scrapes::RecentScrapes;
use super::reload::ConfigStore;
use super::tls::rejection::Rejection;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;

/// All families of [`ServerMetrics`].
#[cfg(feature = "testing")]
pub(crate) static METRICS: &[&dyn crate::desc::Describe] = &[
    &SCRAPES,
    &IN_FLIGHT,
    &super::client_scrapes::SCRAPES,
    &super::client_scrapes::DURATION,
    &REQUESTS,
    &CONNECTIONS,
    &ACCEPT_FAILURES,
    &EVICTED,
    &REJECTED,
    &RELOADED,
    &RELOAD_TIME,
    &EXPIRY,
];

static SCRAPES: Desc<1> = Desc::counter(
    "promhttp_metric_handler_requests_total",
    "Scrapes answered, by HTTP status.",
    ["code"],
);
static IN_FLIGHT: Desc = Desc::gauge(
    "promhttp_metric_handler_requests_in_flight",
    "Scrapes being answered, this one included.",
    [],
);
static REQUESTS: Desc<1> = Desc::counter(
    "exporter_http_requests_total",
    "HTTP requests answered, scrapes included, by status.",
    ["code"],
);
static CONNECTIONS: Desc = Desc::gauge("exporter_connections", "Connections that are open.", []);
static ACCEPT_FAILURES: Desc = Desc::counter(
    "exporter_accept_failures_total",
    "Connections that could not be accepted, for example because of missing file descriptors.",
    [],
);
static EVICTED: Desc<1> = Desc::counter(
    "exporter_connections_evicted_total",
    "Connections closed to make room for others, by the limit that was reached.",
    ["reason"],
);
static REJECTED: Desc<1> = Desc::counter(
    "exporter_tls_handshakes_refused_total",
    "Connections refused before the first request, by reason.",
    ["reason"],
);
static RELOADED: Desc = Desc::gauge(
    "exporter_config_last_reload_successful",
    "Whether the configuration was valid when it was last read: that of the web server and that of the program.",
    [],
);
static RELOAD_TIME: Desc = Desc::gauge(
    "exporter_config_last_reload_success_timestamp_seconds",
    "When a valid web configuration was last read.",
    [],
);
static EXPIRY: Desc<2> = Desc::gauge(
    "exporter_certificate_expiry_timestamp_seconds",
    "When a configured certificate expires.",
    ["role", "subject"],
);

/// The counters of a server.
#[derive(Debug, Default)]
pub(crate) struct ServerMetrics {
    pub(super) scrapes: Scrapes,
    pub(super) recent_scrapes: RecentScrapes,
    pub(super) client_scrapes: ClientScrapes,
    pub(super) requests: Codes,
    pub(super) connections: AtomicUsize,
    pub(super) accept_failures: AtomicU64,
    /// Whether the configuration of the program was invalid when it was last read.
    is_program_config_invalid: AtomicBool,
    /// In the order of [`Eviction::ALL`].
    evicted: [AtomicU64; Eviction::ALL.len()],
    /// In the order of [`Rejection::ALL`].
    rejected: [AtomicU64; Rejection::ALL.len()],
}

impl ServerMetrics {
    pub(crate) fn write(&self, out: &mut Families, config: &ConfigStore) {
        self.scrapes.codes.write(out, &SCRAPES, &["200", "400", "500", "503"]);
        let in_flight = self.scrapes.in_flight.load(Ordering::Relaxed);
        out.family(&IN_FLIGHT).sample([], in_flight as f64);
        self.client_scrapes.write(out);
        self.requests.write(out, &REQUESTS, &[]);
        let connections = self.connections.load(Ordering::Relaxed);
        out.family(&CONNECTIONS).sample([], connections as f64);
        let failures = self.accept_failures.load(Ordering::Relaxed);
        out.family(&ACCEPT_FAILURES).sample([], failures as f64);
        {
            let mut evicted = out.family(&EVICTED);
            for (eviction, count) in Eviction::ALL.iter().zip(&self.evicted) {
                evicted.sample([eviction.as_str()], count.load(Ordering::Relaxed) as f64);
            }
        }
        {
            let mut rejected = out.family(&REJECTED);
            for (rejection, count) in Rejection::ALL.iter().zip(&self.rejected) {
                rejected.sample([rejection.as_str()], count.load(Ordering::Relaxed) as f64);
            }
        }
        let status = config.status();
        let is_good = status.is_good() && !self.is_program_config_invalid.load(Ordering::Relaxed);
        out.family(&RELOADED).sample([], f64::from(is_good));
        let success = status.last_success.duration_since(UNIX_EPOCH).unwrap_or_default();
        out.family(&RELOAD_TIME).sample([], success.as_secs_f64());
        let mut expiry = out.family(&EXPIRY);
        for certificate in &config.current().certificates {
            let labels = [certificate.role, certificate.subject.as_str()];
            expiry.sample(labels, certificate.not_after as f64);
        }
    }

    #[cfg(test)]
    pub(super) fn rejections(&self, rejection: Rejection) -> u64 {
        let nth = Rejection::ALL.iter().position(|known| *known == rejection).unwrap();
        self.rejected[nth].load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn evictions(&self, eviction: Eviction) -> u64 {
        let nth = Eviction::ALL.iter().position(|known| *known == eviction).unwrap();
        self.evicted[nth].load(Ordering::Relaxed)
    }

    /// Records a reload of the program's own configuration.
    pub(super) fn reloaded(&self, is_good: bool) {
        self.is_program_config_invalid.store(!is_good, Ordering::Relaxed);
    }

    pub(super) fn evicted(&self, eviction: Eviction) {
        let nth = Eviction::ALL.iter().position(|known| *known == eviction);
        if let Some(counter) = nth.and_then(|nth| self.evicted.get(nth)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn rejected(&self, rejection: Rejection) {
        let nth = Rejection::ALL.iter().position(|known| *known == rejection);
        if let Some(counter) = nth.and_then(|nth| self.rejected.get(nth)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The limit for which a connection was closed, or a new one not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eviction {
    /// Connections of one client address.
    AddressLimit,
    /// Connections of all clients.
    ConnectionLimit,
    /// File descriptors of the process.
    Descriptors,
    /// TLS handshakes in progress.
    HandshakeLimit,
    /// Memory for responses that clients do not read.
    UnsentResponses,
}

impl Eviction {
    const ALL: [Self; 5] = [
        Self::AddressLimit,
        Self::ConnectionLimit,
        Self::Descriptors,
        Self::HandshakeLimit,
        Self::UnsentResponses,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::AddressLimit => "address_limit",
            Self::ConnectionLimit => "connection_limit",
            Self::Descriptors => "descriptors",
            Self::HandshakeLimit => "handshake_limit",
            Self::UnsentResponses => "unsent_responses",
        }
    }
}

/// Scrapes in progress, and responses to scrapes by status.
#[derive(Debug, Default)]
pub(super) struct Scrapes {
    in_flight: AtomicUsize,
    /// The scrapes in progress that do not share the collection of another one.
    limited: AtomicUsize,
    codes: Codes,
}

impl Scrapes {
    /// Starts a scrape if fewer than `max` are in progress; 0 is no limit.
    pub(super) fn enter(&self, max: usize) -> Option<ScrapeInFlight<'_>> {
        let scrape = ScrapeInFlight { scrapes: self, is_limited: true };
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let others = self.limited.fetch_add(1, Ordering::Relaxed);
        (max == 0 || others < max).then_some(scrape)
    }

    /// Starts a scrape that shares the collection of another: it does not count towards the limit.
    pub(super) fn join(&self) -> ScrapeInFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        ScrapeInFlight { scrapes: self, is_limited: false }
    }

    pub(super) fn count(&self, status: StatusCode) {
        self.codes.count(status);
    }
}

/// A scrape in progress; dropping it ends the scrape.
#[derive(Debug)]
pub(super) struct ScrapeInFlight<'a> {
    scrapes: &'a Scrapes,
    is_limited: bool,
}

impl Drop for ScrapeInFlight<'_> {
    fn drop(&mut self) {
        self.scrapes.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.is_limited {
            self.scrapes.limited.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The number of responses by status.
#[derive(Debug, Default)]
pub(super) struct Codes([AtomicU64; CODES.len()]);

/// The statuses of this server; the last counts all others.
const CODES: [&str; 13] =
    ["200", "400", "401", "403", "404", "405", "413", "414", "429", "431", "500", "503", "other"];

impl Codes {
    pub(super) fn count(&self, status: StatusCode) {
        let known = CODES.iter().position(|code| *code == status.as_str());
        if let Some(counter) = self.0.get(known.unwrap_or(CODES.len() - 1)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes the statuses that occurred, and those in `always`.
    fn write(&self, out: &mut Families, desc: &Desc<1>, always: &[&str]) {
        let mut family = out.family(desc);
        for (code, counter) in CODES.iter().zip(&self.0) {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 || always.contains(code) {
                family.sample([code], count as f64);
            }
        }
    }
}
