//! Serving: listeners, their connections, and how all of it ends.

pub mod auth;
pub mod config {
    //! The web configuration: its file, and what is in force.

    pub(crate) mod file;
    pub(crate) mod files;
    pub mod limit;
    pub mod live;
    pub(crate) mod secret;
    pub mod settings;

    pub use self::file::ConfigError;
}
mod connection;
mod http;
pub mod listen;
pub mod own;
#[cfg(test)]
mod pki;
mod socket;
#[cfg(test)]
mod tests;
mod tls {
    //! TLS as configured, and the certificates of clients.

    pub mod caller;
    mod clients;
    pub(crate) mod identity;
    mod parameters;
    mod pem;
    pub mod refusal;
    pub(crate) mod refusals;
    mod server;
    pub(crate) mod verify;

    pub(crate) use self::server::transport;
}

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use self::config::live::Live;
pub use self::config::{limit, live, settings};
use self::connection::Connection;
use self::connection::phase::{Phase, Stage};
use self::connection::table::Table;
use self::http::compress::Compressor;
pub use self::listen::Listener;
use self::own::Own;
use self::socket::{Peer, Socket};
use self::tls::refusals::Refusals;
pub use self::tls::{caller, refusal};
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
    pub own: Arc<Own>,
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
    /// For requests under way when the program is to end.
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
            drain: Duration::from_secs(20),
            connections: 512,
            handshakes: 64,
            scrape: Duration::from_secs(30),
            requests: 40,
        }
    }
}

/// Serves until `shutdown` comes to its end. Requests under way are then answered, within
/// [`Limits::drain`]; everything else is closed.
pub async fn serve(
    site: Arc<Site>,
    listeners: Vec<Listener>,
    shutdown: impl Future,
) -> io::Result<()> {
    let server = Server::new(site);
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&server.site.live).watch());
    for listener in listeners {
        tasks.spawn(accept(Arc::clone(&server), listener));
    }
    shutdown.await;
    // The sockets are closed: whoever comes now is for the next process.
    tasks.shutdown().await;
    server.running.send_replace(false);
    let drain = server.site.limits.drain;
    timeout(drain, server.table.emptied()).await.map_err(|_| {
        let open = server.site.own.connections.load(Ordering::Relaxed);
        let why = format!("{open} connections were still open after {drain:?}");
        io::Error::new(io::ErrorKind::TimedOut, why)
    })
}

/// What all connections share.
#[derive(Debug)]
struct Server {
    site: Arc<Site>,
    compressor: Compressor,
    refusals: Refusals,
    table: Arc<Table>,
    running: watch::Sender<bool>,
}

/// How long to wait for what is lacking, when no connection can be closed for it.
const BREATH: Duration = Duration::from_millis(100);

/// How long all has to go well before it is said to.
const CALM: Duration = Duration::from_secs(10);

async fn accept(server: Arc<Server>, listener: Listener) {
    let mut failed: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                if failed.is_some_and(|last| last.elapsed() > CALM) {
                    failed = None;
                    info!(%listener, "accepting connections again");
                }
                server.admit(socket, peer);
            }
            // It was gone before it was here.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                server.site.own.accept_failures.fetch_add(1, Ordering::Relaxed);
                if failed.replace(Instant::now()).is_none() {
                    warn!(%listener, %error, "cannot accept connections");
                }
                let room = server.table.evict();
                sleep(if room { Duration::from_millis(1) } else { BREATH }).await;
            }
        }
    }
}

/// As many connections as are allowed, but never so many that no descriptors are left for what
/// collectors read.
fn affordable(connections: usize) -> usize {
    match getrlimit(Resource::Nofile).current.map(usize::try_from) {
        Some(Ok(descriptors)) => connections.min(descriptors / 2).max(1),
        _ => connections,
    }
}

impl Server {
    fn new(site: Arc<Site>) -> Arc<Self> {
        let limits = &site.limits;
        let connections = affordable(limits.connections);
        let table = Table::new(connections, limits.handshakes, Arc::clone(&site.own));
        Arc::new(Self {
            compressor: Compressor::default(),
            refusals: Refusals::default(),
            running: watch::Sender::new(true),
            site,
            table,
        })
    }

    fn admit(self: &Arc<Self>, socket: Socket, peer: Peer) {
        // In this order: a change in between closes the connection.
        let changes = self.site.live.changes();
        let settings = self.site.live.current();
        let stage = if settings.tls.is_some() { Stage::Handshake } else { Stage::FirstByte };
        let phase = Phase::new(stage, &self.site.limits);
        let Some(place) = self.table.admit(&phase) else { return };
        let running = self.running.subscribe();
        let connection = Connection { server: Arc::clone(self), phase, peer, changes, running };
        tokio::spawn(async move {
            let _place = place;
            connection.serve(socket, settings).await;
        });
    }
}
