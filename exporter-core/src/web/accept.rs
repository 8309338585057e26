//! Accepts connections until the program ends, then waits until all connections are closed.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::client_address::Peer;
use super::connection::Connection;
use super::connection::state::{ConnectionState, Stage};
use super::listen::Listener;
use super::memory;
use super::metrics::Eviction;
use super::server::Server;
use super::site::Site;
use super::socket::Socket;

/// Serves until `shutdown` is ready. Then requests in progress are completed within
/// [`Limits::drain`](super::Limits::drain), and all other connections are closed.
pub async fn serve(site: Arc<Site>, listeners: Vec<Listener>, shutdown: impl Future) {
    let server = Server::new(site);
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&server.site.config).watch());
    tasks.spawn(memory::release_after_peaks(Arc::clone(&server)));
    for listener in listeners {
        tasks.spawn(accept(Arc::clone(&server), listener));
    }
    shutdown.await;
    // The listening sockets are closed: new clients connect to the next process.
    tasks.shutdown().await;
    server.shutdown.send_replace(true);
    let drain = server.site.limits.drain;
    if timeout(drain, server.table.all_closed()).await.is_err() {
        let open = server.site.metrics.connections.load(Ordering::Relaxed);
        warn!(open, "closing connections whose answers were not read within {drain:?}");
    }
}

/// The delay before the next attempt, if no connection can be closed to make room.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The time without a failure after which the end of the failures is logged.
const RECOVERY: Duration = Duration::from_secs(10);

async fn accept(server: Arc<Server>, listener: Listener) {
    let mut failed: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                if failed.is_some_and(|last| last.elapsed() > RECOVERY) {
                    failed = None;
                    info!(%listener, "accepting connections again");
                }
                admit(&server, socket, peer);
            }
            // The client has closed the connection already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                server.site.metrics.accept_failures.fetch_add(1, Ordering::Relaxed);
                if failed.replace(Instant::now()).is_none() {
                    warn!(%listener, %error, "cannot accept connections");
                }
                let has_evicted = server.table.evict_one(Eviction::Descriptors);
                sleep(if has_evicted { Duration::from_millis(1) } else { RETRY_DELAY }).await;
            }
        }
    }
}

fn admit(server: &Arc<Server>, socket: Socket, peer: Peer) {
    // Subscribe first: a change in between closes the connection.
    let changes = server.site.config.changes();
    let settings = server.site.config.current();
    let first = if settings.tls.is_some() { Stage::Handshake } else { Stage::FirstByte };
    let state = ConnectionState::new(first, peer.address(), &server.site.limits);
    let Some(entry) = server.table.admit(&state) else { return };
    let shutdown = server.shutdown.subscribe();
    let connection = Connection { server: Arc::clone(server), state, peer, changes, shutdown };
    tokio::spawn(async move {
        let _entry = entry;
        connection.serve(socket, settings).await;
    });
}
