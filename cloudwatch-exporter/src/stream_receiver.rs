//! The HTTP endpoint for Firehose. It has a thread of its own, so that decoding large deliveries does
//! not delay scrapes.

mod access_keys;
mod body;
mod connections;
mod rejection;
mod response;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use exporter_core::collector::Error;
use exporter_core::config_file::{self, ConfigError};
use exporter_core::web::ServerTls;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep, timeout};

use self::access_keys::AccessKeys;
use self::body::{discard_body, is_gzip, read_body, size_kib};
use self::connections::Connections;
use self::rejection::Rejection;
use self::response::{request_id, response};
use crate::cache::{self, Cache};
use crate::stream::delivery::{self, Delivery, InvalidBody, MAX_BODY};
use crate::stream::{Outcome, metrics};

/// The time limit of a handshake. Also the time limit for the headers of a request, which includes the
/// idle time before the request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit of a body. Firehose waits three minutes for a response.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of all bodies in memory, in KiB. Further requests wait, at most for `BODY_TIMEOUT`.
const MAX_BODY_MEMORY: usize = (2 * MAX_BODY) >> 10;

/// The lifetime of a connection. After that, it is closed with the next response.
const CONNECTION_LIFETIME: Duration = Duration::from_mins(10);

/// The interval at which the file of access keys is read again.
const KEY_FILE_INTERVAL: Duration = Duration::from_secs(10);

/// Receives deliveries until the program ends.
pub(crate) struct Receiver {
    cache: Arc<Cache>,
    address: String,
    key_file: PathBuf,
    keys: RwLock<AccessKeys>,
    /// `None` without a web configuration file: TLS ends at a load balancer.
    tls: Option<ServerTls>,
    /// Limits the memory of bodies. Has a permit for each KiB.
    body_memory: Semaphore,
    log: rejection::Log,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Creates the receiver of the configuration, and reads its files, which blocks. `None` if the
    /// configuration has no receiver.
    pub(crate) fn open(cache: &Arc<Cache>) -> Result<Option<Self>, ConfigError> {
        let (setup, path) = (cache.setup(), cache.source().path());
        let Some((stream, path)) = setup.config.stream.as_ref().zip(path) else { return Ok(None) };
        let resolve = |key: &str, name: &str| {
            let fault = |problem| {
                let key = Some(format!("stream.{key}"));
                ConfigError::new(path, problem).with_line(Some(stream.line)).with_key(key)
            };
            config_file::resolve(path, name).map_err(fault)
        };
        let key_file = resolve("access_key_file", &stream.access_key_file)?;
        let web = stream.web_config_file.as_ref();
        let web = web.map(|name| resolve("web_config_file", name)).transpose()?;
        Ok(Some(Self {
            cache: Arc::clone(cache),
            address: stream.listen_address.clone(),
            keys: RwLock::new(AccessKeys::read(&key_file)?),
            key_file,
            tls: web.map(ServerTls::load).transpose()?,
            body_memory: Semaphore::new(MAX_BODY_MEMORY),
            log: rejection::Log::default(),
        }))
    }

    /// Listens, and receives on a thread of its own.
    pub(crate) fn start(self) -> Result<(), Error> {
        let failed = |error: io::Error| {
            Error::Other(format!("stream.listen_address {}: {error}", self.address).into())
        };
        let listener = bind(&self.address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let is_tls = self.tls.is_some();
        tracing::info!(%address, tls = is_tls, "receiving metric streams");
        if !is_tls && !address.ip().is_loopback() {
            let advice = "give stream.web_config_file, unless a load balancer with TLS is in front";
            tracing::warn!(%address, "metric streams and their access key arrive without TLS; {advice}");
        }
        let thread = thread::Builder::new().name("stream".to_owned());
        let path = self.address.clone();
        let receive = move || runtime.block_on(Arc::new(self).receive(listener));
        thread
            .spawn(receive)
            .map(|_| ())
            .map_err(|error| Error::Other(format!("stream.listen_address {path}: {error}").into()))
    }

    async fn receive(self: Arc<Self>, listener: TcpListener) {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "metric streams cannot be received"),
        };
        let receiver = Arc::clone(&self);
        tokio::spawn(async move { receiver.watch_keys().await });
        if let Some(tls) = self.tls.clone() {
            tokio::spawn(async move { tls.watch().await });
        }
        let mut connections = Connections::default();
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "a connection cannot be accepted");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            connections.evict();
            let is_authenticated = Arc::<AtomicBool>::default();
            let (receiver, flag) = (Arc::clone(&self), Arc::clone(&is_authenticated));
            let task = tokio::spawn(async move { receiver.connection(stream, &flag).await });
            connections.add(task.abort_handle(), is_authenticated);
        }
    }

    /// Reads the access keys again and again. If the file has become invalid, logs it once, and keeps
    /// the previous keys.
    async fn watch_keys(&self) {
        let mut ticks = interval(KEY_FILE_INTERVAL);
        let mut problem = None;
        loop {
            ticks.tick().await;
            let path = self.key_file.clone();
            match spawn_blocking(move || AccessKeys::read(&path)).await {
                Ok(Ok(keys)) => {
                    problem = None;
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                }
                Ok(Err(error)) => {
                    if problem.as_ref() != Some(&error) {
                        tracing::error!(%error, "access keys are bad, the last good ones stay in force");
                    }
                    problem = Some(error);
                }
                Err(_) => {}
            }
        }
    }

    async fn connection(&self, stream: tokio::net::TcpStream, is_authenticated: &AtomicBool) {
        let Some(tls) = &self.tls else { return self.serve(stream, is_authenticated).await };
        match timeout(HEADER_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, is_authenticated).await,
            Ok(Err(error)) => self.handshake_failed(&error.to_string()),
            Err(_) => self.handshake_failed("it took too long"),
        }
    }

    /// Counts and logs a failed handshake. Otherwise, only the log of Firehose would show that the client
    /// rejects the certificate.
    fn handshake_failed(&self, error: &str) {
        metrics::REJECTED.with(["tls"]).inc();
        self.log.handshake_failed(error);
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        is_authenticated: &AtomicBool,
    ) {
        let service = service_fn(|request| async move {
            Ok::<_, Infallible>(self.respond(request, is_authenticated).await)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 << 10);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = sleep(CONNECTION_LIFETIME) => {
                connection.as_mut().graceful_shutdown();
                timeout(BODY_TIMEOUT * 2, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection for metric streams ended early");
        }
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        is_authenticated: &AtomicBool,
    ) -> Response<Full<Bytes>> {
        let id = request_id(request.headers());
        // Load balancers use this path for health checks.
        if request.method() == Method::GET && request.uri().path() == "/-/healthy" {
            return response(StatusCode::OK, &id, None);
        }
        let (id, outcome) = match self.deliver(request, is_authenticated).await {
            Ok(delivery) if id.is_empty() => (delivery.request_id, Ok(())),
            Ok(_) => (id, Ok(())),
            Err(rejection) => (id, Err(rejection)),
        };
        match outcome {
            Ok(()) => {
                metrics::DELIVERIES.inc();
                tracing::debug!(request_id = id, "a delivery of a metric stream was accepted");
                response(StatusCode::OK, &id, None)
            }
            Err(rejection) => {
                metrics::REJECTED.with([rejection.label()]).inc();
                self.log.rejected(&rejection, &id);
                response(rejection.status(), &id, Some(&rejection))
            }
        }
    }

    /// Reads a delivery. The access key is checked before the body is read.
    async fn deliver(
        &self,
        request: Request<Incoming>,
        is_authenticated: &AtomicBool,
    ) -> Result<Delivery, Rejection> {
        let (head, body) = request.into_parts();
        let key = head.headers.get("x-amz-firehose-access-key").map(HeaderValue::as_bytes);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let checked = if head.method != Method::POST {
            Err(Rejection::Method)
        } else if !keys.accept(key.unwrap_or_default()) {
            Err(if key.is_some() { Rejection::WrongKey } else { Rejection::NoKey })
        } else {
            is_authenticated.store(true, Ordering::Relaxed);
            is_gzip(&head.headers).and_then(|is_gzip| Ok((is_gzip, size_kib(&body)?)))
        };
        let (is_gzip, size_kib) = match checked {
            Ok(checked) => checked,
            Err(rejection) => {
                discard_body(body).await;
                return Err(rejection);
            }
        };
        let permit = timeout(BODY_TIMEOUT, self.body_memory.acquire_many(size_kib)).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Rejection::Busy);
        };
        let body = match timeout(BODY_TIMEOUT, read_body(body)).await {
            Ok(body) => body?,
            Err(_) => return Err(Rejection::Slow),
        };
        self.keep(&body, is_gzip)
    }

    /// Keeps the datapoints of a body.
    fn keep(&self, body: &[u8], is_gzip: bool) -> Result<Delivery, Rejection> {
        let (setup, now) = (self.cache.setup(), cache::now());
        let mut counts = [0_u64; Outcome::ALL.len()];
        let delivery = delivery::read(body, is_gzip, |point| {
            let outcome = setup.streamed.insert(&setup.config, point, now);
            if let Some(count) = counts.get_mut(outcome as usize) {
                *count += 1;
            }
        });
        for (outcome, count) in Outcome::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0)
        {
            match outcome.label() {
                None => metrics::DATAPOINTS.inc_by(count),
                Some(reason) => metrics::DROPPED.with([reason]).inc_by(count),
            }
        }
        let delivery = delivery.map_err(|invalid| match invalid {
            InvalidBody::TooLarge => Rejection::TooLarge,
            InvalidBody::Malformed(problem) => Rejection::Malformed(problem),
        })?;
        if delivery.unreadable > 0 {
            metrics::DROPPED.with(["unreadable"]).inc_by(delivery.unreadable);
        }
        match &delivery.problem {
            // Firehose repeats the delivery, and finally writes it to the bucket for failed deliveries.
            Some(problem) if delivery.datapoints == 0 => Err(Rejection::Malformed(problem.clone())),
            Some(problem) => {
                self.log.unreadable(problem, &delivery.request_id);
                Ok(delivery)
            }
            None => Ok(delivery),
        }
    }
}

/// Opens an address such as `:9107` or `127.0.0.1:9107`.
fn bind(address: &str) -> io::Result<TcpListener> {
    match address.strip_prefix(':') {
        Some(port) => {
            let any = |host: &str| TcpListener::bind(format!("{host}:{port}"));
            any("[::]").or_else(|_| any("0.0.0.0"))
        }
        None => TcpListener::bind(address),
    }
}
