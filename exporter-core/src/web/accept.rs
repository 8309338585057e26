//! Accepts connections until the program ends, and waits for the last of them.

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
use super::connection::phase::{Phase, Stage};
use super::listen::Listener;
use super::server::Server;
use super::site::Site;
use super::socket::Socket;

/// Serves until `shutdown` is ready. Requests in progress are then answered, within
/// [`Limits::drain`](super::Limits::drain); everything else is closed.
pub async fn serve(site: Arc<Site>, listeners: Vec<Listener>, shutdown: impl Future) {
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
    if timeout(drain, server.table.emptied()).await.is_err() {
        let open = server.site.metrics.connections.load(Ordering::Relaxed);
        warn!(open, "closing connections whose answers were not read within {drain:?}");
    }
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
                admit(&server, socket, peer);
            }
            // It was gone before it was here.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                server.site.metrics.accept_failures.fetch_add(1, Ordering::Relaxed);
                if failed.replace(Instant::now()).is_none() {
                    warn!(%listener, %error, "cannot accept connections");
                }
                let room = server.table.evict();
                sleep(if room { Duration::from_millis(1) } else { BREATH }).await;
            }
        }
    }
}

fn admit(server: &Arc<Server>, socket: Socket, peer: Peer) {
    // In this order: a change in between closes the connection.
    let changes = server.site.live.changes();
    let settings = server.site.live.current();
    let stage = if settings.tls.is_some() { Stage::Handshake } else { Stage::FirstByte };
    let phase = Phase::new(stage, &server.site.limits);
    let Some(place) = server.table.admit(&phase) else { return };
    let running = server.running.subscribe();
    let connection = Connection { server: Arc::clone(server), phase, peer, changes, running };
    tokio::spawn(async move {
        let _place = place;
        connection.serve(socket, settings).await;
    });
}
