//! One connection, from its first byte to its end.

mod frames;
mod greeting;
pub(crate) mod known_addresses;
pub(crate) mod phase;
pub(crate) mod table;
mod watched;

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use self::frames::Frames;
use self::greeting::Greeting;
use self::phase::Phase;
use self::watched::Watched;
use super::client_address::Peer;
use super::config::settings::Settings;
use super::http::response::{self, Page};
use super::http::{request, route};
use super::server::Server;
use super::socket::Socket;
use super::tls::refusal::Refusal;
use crate::collector::chain;

/// Of one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;
/// Of one request on HTTP/2, where each header counts 32 bytes more than it has.
const MAX_HEADER_LIST: u32 = 16 * 1024;
/// No request has a body.
const WINDOW: u32 = 64 * 1024;

/// A connection that came to nothing.
#[derive(Debug, Default)]
struct Refused {
    /// None if it ended by itself.
    reason: Option<Refusal>,
    /// On which the client was told why.
    socket: Option<Socket>,
}

impl Refused {
    fn because(reason: Refusal) -> Self {
        Self { reason: Some(reason), socket: None }
    }
}

/// A connection that was accepted and has a place in the table.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) phase: Arc<Phase>,
    pub(super) peer: Peer,
    /// Moves when the settings do: what was agreed on a connection ends with them.
    pub(super) changes: watch::Receiver<u64>,
    /// Closed when the program is to end.
    pub(super) running: watch::Receiver<bool>,
}

impl Connection {
    pub(super) async fn serve(self, socket: Socket, settings: Arc<Settings>) {
        let end = match &settings.tls {
            None => self.http1(socket).await,
            Some(tls) => match self.secure(socket, Arc::clone(tls), &settings).await {
                Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    self.http2(stream).await
                }
                Ok(stream) => self.http1(stream).await,
                Err(refused) => return self.refuse(refused).await,
            },
        };
        if let Err(error) = end {
            debug!(peer = %self.peer, error = chain(&error), "connection ended early");
        }
    }

    /// TLS on the socket, or why not.
    async fn secure(
        &self,
        socket: Socket,
        tls: Arc<ServerConfig>,
        settings: &Settings,
    ) -> Result<TlsStream<Socket>, Refused> {
        let mut running = self.running.clone();
        let stream = tokio::select! {
            biased;
            stream = handshake(socket, tls) => stream?,
            _ = self.phase.overdue() => return Err(Refused::because(Refusal::Timeout)),
            () = self.phase.evicted() => return Err(Refused::default()),
            _ = running.changed() => return Err(Refused::default()),
        };
        // Also for a session that goes on from an earlier one, which was let in by other settings.
        settings.admits(stream.get_ref().1).map_err(Refused::because)?;
        self.phase.secured();
        Ok(stream)
    }

    async fn refuse(&self, refused: Refused) {
        if let Some(reason) = refused.reason {
            self.server.site.metrics.refused(reason);
            self.server.refusals.log(self.peer, reason);
        }
        if let Some(socket) = refused.socket {
            tokio::select! {
                () = socket.linger() => {}
                () = self.phase.evicted() => {}
            }
        }
    }

    async fn http1<S>(&self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&self.phase), None));
        let service = service_fn(|request| respond(&self.server, &self.phase, self.peer, request));
        let connection = http1::Builder::new()
            .half_close(true)
            .header_read_timeout(None)
            .max_buf_size(request::BUFFER)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        self.drive(connection.as_mut(), http1::Connection::graceful_shutdown).await
    }

    pub(super) async fn http2<S>(&self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let frames = Some(Frames::default());
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&self.phase), frames));
        let (server, phase) = (Arc::clone(&self.server), Arc::clone(&self.phase));
        let peer = self.peer;
        let service = service_fn(move |request| {
            let (server, phase) = (Arc::clone(&server), Arc::clone(&phase));
            async move { respond(&server, &phase, peer, request).await }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .initial_connection_window_size(WINDOW)
            .initial_stream_window_size(WINDOW)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        self.drive(connection.as_mut(), http2::Connection::graceful_shutdown).await
    }

    /// Runs a connection until it ends by itself, goes beyond a limit, or is told to end.
    async fn drive<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        finish: impl Fn(Pin<&mut C>),
    ) -> hyper::Result<()> {
        let mut overdue = pin!(self.phase.overdue());
        let (mut changes, mut running) = (self.changes.clone(), self.running.clone());
        let mut told = pin!(async {
            tokio::select! {
                _ = changes.changed() => {}
                _ = running.changed() => {}
                () = self.phase.evicted() => {}
            }
        });
        let mut finishing = false;
        loop {
            tokio::select! {
                biased;
                end = connection.as_mut() => return end,
                stage = &mut overdue => {
                    debug!(peer = %self.peer, ?stage, "connection closed: it took too long");
                    return Ok(());
                }
                () = &mut told, if !finishing => {
                    if self.phase.is_evicted() && !self.phase.is_busy() {
                        return Ok(());
                    }
                    finishing = true;
                    self.phase.stop();
                    finish(connection.as_mut());
                }
            }
        }
    }
}

async fn handshake(
    mut socket: Socket,
    tls: Arc<ServerConfig>,
) -> Result<TlsStream<Socket>, Refused> {
    let mut bytes = [0; greeting::LENGTH];
    // A port that is looked at and not used is nobody's failure.
    let bytes = socket.first_bytes(&mut bytes).await.map_err(|_| Refused::default())?;
    let (answer, reason) = match Greeting::of(bytes) {
        Greeting::Nothing => return Err(Refused::default()),
        Greeting::OldTls => (greeting::OLD_TLS, Refusal::ProtocolVersion),
        Greeting::PlainHttp => (greeting::PLAIN_HTTP, Refusal::PlainHttp),
        Greeting::Tls => {
            let accepted = TlsAcceptor::from(tls).accept(socket).into_fallible().await;
            return accepted.map_err(|(error, socket)| Refused {
                reason: Some(Refusal::of(&error)),
                socket: Some(socket),
            });
        }
    };
    let _ = socket.write_all(answer).await;
    Err(Refused { reason: Some(reason), socket: Some(socket) })
}

async fn respond(
    server: &Arc<Server>,
    phase: &Arc<Phase>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<http::Response<Page>, Infallible> {
    let pending = phase.request();
    let response = match request::refuse(&request) {
        Some(refusal) => {
            phase.refuse();
            response::closing(refusal)
        }
        None => route::answer(server, peer, &request).await,
    };
    server.site.metrics.requests.count(response.status());
    Ok(Page::respond(response, request.method(), pending))
}
