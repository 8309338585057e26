//! One connection, from accept to close.

mod first_bytes;
mod http1_heads;
mod http2_frames;
pub(crate) mod known_addresses;
pub(crate) mod state;
pub(crate) mod table;
mod tracked_stream;
pub(crate) mod unsent;

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::SystemTime;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{Level, debug, enabled};

use self::first_bytes::Protocol;
use self::state::ConnectionState;
use self::tracked_stream::TrackedStream;
use super::client_address::Peer;
use super::http::response::{self, Page};
use super::http::{request, route};
use super::recent_scrapes::{RecentScrape, ScrapedSeries};
use super::reload::WebConfig;
use super::server::Server;
use super::socket::{AsSocket, Socket};
use super::tls::caller::Caller;
use super::tls::rejection::Rejection;
use crate::collector::chain;

/// Concurrent streams of an HTTP/2 connection.
const MAX_STREAMS: u32 = 32;
/// Header bytes of an HTTP/2 request. Each header counts 32 bytes more than its length.
const MAX_HEADER_LIST: u32 = 16 * 1024;
/// The HTTP/2 receive window in bytes. Requests have no body.
const WINDOW_SIZE: u32 = 64 * 1024;

/// An accepted connection that was admitted to the table.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) state: Arc<ConnectionState>,
    pub(super) peer: Peer,
    /// Changes with the configuration: a connection of an earlier generation is closed.
    pub(super) changes: watch::Receiver<u64>,
    /// Set when the program shuts down.
    pub(super) shutdown: watch::Receiver<bool>,
}

/// The data that all requests of a connection share.
#[derive(Clone, Debug)]
struct RequestContext {
    server: Arc<Server>,
    state: Arc<ConnectionState>,
    peer: Peer,
    caller: Arc<Caller>,
}

/// A connection that is closed before its first request.
#[derive(Debug, Default)]
struct Rejected {
    /// `None` if the client closed it.
    reason: Option<Rejection>,
    /// The socket, if the reason was sent to the client on it.
    socket: Option<Socket>,
}

impl Rejected {
    fn new(reason: Rejection) -> Self {
        Self { reason: Some(reason), socket: None }
    }
}

impl Connection {
    pub(super) async fn serve(self, socket: Socket, settings: Arc<WebConfig>) {
        let result = match &settings.tls {
            None => self.serve_http1(socket, Caller::default()).await,
            Some(tls) => match self.accept_tls(socket, Arc::clone(tls), &settings).await {
                Ok((stream, caller)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    self.serve_http2(stream, caller).await
                }
                Ok((stream, caller)) => self.serve_http1(stream, caller).await,
                Err(rejected) => return self.reject(rejected).await,
            },
        };
        if let Err(error) = result {
            debug!(peer = %self.peer, error = chain(&error), "connection ended early");
        }
    }

    /// The TLS handshake.
    async fn accept_tls(
        &self,
        socket: Socket,
        tls: Arc<ServerConfig>,
        settings: &WebConfig,
    ) -> Result<(TlsStream<Socket>, Caller), Rejected> {
        let mut shutdown = self.shutdown.clone();
        let mut handshake = pin!(handshake(socket, tls));
        let mut overdue = pin!(self.state.deadline_passed());
        let mut is_stopping = false;
        let stream = loop {
            tokio::select! {
                biased;
                stream = &mut handshake => break stream?,
                _ = &mut overdue => {
                    let reason = (!is_stopping).then_some(Rejection::Timeout);
                    return Err(Rejected { reason, socket: None });
                }
                () = self.state.evicted() => return Err(Rejected::default()),
                // In TLS 1.3, the request may already be on its way, and would be lost if the
                // connection closed now.
                _ = shutdown.changed(), if !is_stopping => {
                    is_stopping = true;
                    self.state.stop();
                }
            }
        };
        // Also checks resumed sessions, which began under another configuration.
        let caller = settings.admits(stream.get_ref().1).map_err(Rejected::new)?;
        self.state.handshake_completed();
        Ok((stream, caller))
    }

    async fn reject(&self, rejected: Rejected) {
        if let Some(reason) = rejected.reason {
            self.server.site.metrics.rejected(reason);
            self.server.rejections.log(self.peer, reason);
        }
        if let Some(socket) = rejected.socket {
            tokio::select! {
                () = socket.linger() => {}
                () = self.state.evicted() => {}
            }
        }
    }

    async fn serve_http1<S>(&self, stream: S, caller: Caller) -> hyper::Result<()>
    where
        S: AsSocket + AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(TrackedStream::http1(stream, Arc::clone(&self.state)));
        let context = self.context(caller);
        let service = service_fn(|request| respond(&context, request));
        let connection = http1::Builder::new()
            .half_close(true)
            .header_read_timeout(None)
            .max_buf_size(request::BUFFER)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        self.drive(connection.as_mut(), http1::Connection::graceful_shutdown).await
    }

    pub(super) async fn serve_http2<S>(&self, stream: S, caller: Caller) -> hyper::Result<()>
    where
        S: AsSocket + AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(TrackedStream::http2(stream, Arc::clone(&self.state)));
        let context = self.context(caller);
        let service = service_fn(move |request| {
            let context = context.clone();
            async move { respond(&context, request).await }
        });
        let connection = http2::Builder::new(TokioExecutor::new())
            .initial_connection_window_size(WINDOW_SIZE)
            .initial_stream_window_size(WINDOW_SIZE)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEADER_LIST)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        self.drive(connection.as_mut(), http2::Connection::graceful_shutdown).await
    }

    fn context(&self, caller: Caller) -> RequestContext {
        RequestContext {
            server: Arc::clone(&self.server),
            state: Arc::clone(&self.state),
            peer: self.peer,
            caller: Arc::new(caller),
        }
    }

    /// Runs a connection until it ends, exceeds a limit, or is evicted.
    async fn drive<C: Future<Output = hyper::Result<()>>>(
        &self,
        mut connection: Pin<&mut C>,
        finish: impl Fn(Pin<&mut C>),
    ) -> hyper::Result<()> {
        let mut overdue = pin!(self.state.deadline_passed());
        let (mut changes, mut shutdown) = (self.changes.clone(), self.shutdown.clone());
        let mut stop = pin!(async {
            tokio::select! {
                _ = changes.changed() => {}
                _ = shutdown.changed() => {}
            }
        });
        let (mut is_stopping, mut is_finishing) = (false, false);
        loop {
            tokio::select! {
                biased;
                // Poll this before the connection: a busy connection must not outrun its eviction.
                () = self.state.evicted() => {
                    debug!(peer = %self.peer, "connection closed to make room");
                    self.state.abort();
                    return Ok(());
                }
                result = connection.as_mut() => return result,
                stage = &mut overdue => {
                    debug!(peer = %self.peer, ?stage, "connection closed: it took too long");
                    if self.state.unsent().0 > 0 {
                        self.state.abort();
                    }
                    return Ok(());
                }
                () = &mut stop, if !is_stopping => {
                    is_stopping = true;
                    self.state.stop();
                }
                // The first request of a new client may be on its way, and would be lost if the
                // connection closed now. `overdue` ends the wait.
                () = self.state.first_request(), if is_stopping && !is_finishing => {
                    is_finishing = true;
                    finish(connection.as_mut());
                }
            }
        }
    }
}

async fn handshake(
    mut socket: Socket,
    tls: Arc<ServerConfig>,
) -> Result<TlsStream<Socket>, Rejected> {
    let mut bytes = [0; first_bytes::LENGTH];
    // A port scan is not a failure.
    let bytes = socket.first_bytes(&mut bytes).await.map_err(|_| Rejected::default())?;
    let (response, reason) = match Protocol::of(bytes) {
        Protocol::None => return Err(Rejected::default()),
        Protocol::OldTls => (first_bytes::OLD_TLS, Rejection::ProtocolVersion),
        Protocol::PlainHttp => (first_bytes::PLAIN_HTTP, Rejection::PlainHttp),
        Protocol::Tls => {
            let accepted = TlsAcceptor::from(tls).accept(socket).into_fallible().await;
            return accepted.map_err(|(error, socket)| Rejected {
                reason: Some(Rejection::of(&error)),
                socket: Some(socket),
            });
        }
    };
    let _ = socket.write_all(response).await;
    Err(Rejected { reason: Some(reason), socket: Some(socket) })
}

async fn respond(
    context: &RequestContext,
    request: Request<Incoming>,
) -> Result<http::Response<Page>, Infallible> {
    let RequestContext { server, state, peer, caller } = context;
    let in_progress = state.request();
    let start = Instant::now();
    let (mut response, user) = match request::reject(&request) {
        Some(rejection) => {
            state.ignore_further_input();
            (response::closing(rejection), None)
        }
        None => route::respond(server, state, *peer, &request).await,
    };
    server.site.metrics.requests.count(response.status());
    if let Some(ScrapedSeries(series)) = response.extensions_mut().remove() {
        let duration = start.elapsed();
        let client = caller.verified_name().or(user.as_deref()).unwrap_or_default();
        server.site.metrics.client_scrapes.add(client, duration);
        server.site.metrics.recent_scrapes.add(RecentScrape {
            time: SystemTime::now(),
            peer: peer.to_string(),
            client: caller.name.clone().or_else(|| user.clone()),
            duration,
            status: response.status(),
            series,
        });
    }
    if enabled!(Level::DEBUG) {
        debug!(
            peer = %peer,
            certificate = caller.name.as_deref().unwrap_or_default(),
            user = user.unwrap_or_default(),
            method = %request.method(),
            path = request.uri().path(),
            status = response.status().as_u16(),
            bytes = response.body().len(),
            duration = start.elapsed().as_secs_f64(),
            "request"
        );
    }
    response::without_body_for_head(&mut response, request.method());
    let (unsent, excess) = server.unsent.add(response.body());
    let response = Page::respond(response, in_progress, unsent);
    if excess > 0 {
        server.table.evict_unsent(excess);
    }
    Ok(response)
}
