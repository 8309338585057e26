//! A client for the Pushgateway: for jobs that end before Prometheus could scrape them.
//!
//! Metrics are pushed to a *group*, which is named by a job and further labels. Calls block; in
//! asynchronous code, run them with `spawn_blocking`.
//!
//! ```no_run
//! use exporter_core::instrument::{Counter, Metric};
//! use exporter_core::push::Pushgateway;
//!
//! static ROWS: Metric<Counter> = Metric::counter("backup_rows_total", "Rows written.");
//!
//! let gateway = Pushgateway::builder("http://push.example.org:9091").build()?;
//! let group = gateway.group("backup").label("instance", "db1");
//! let run = group.run(&[&ROWS]);
//! ROWS.inc_by(1000);
//! run.succeeded()?;
//! # Ok::<(), exporter_core::push::PushError>(())
//! ```

mod guard;
mod url;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::Agent;
use ureq::http::{Method, Request};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

pub use self::guard::Run;
use crate::encode;
use crate::format::{Escaping, Format};
use crate::instrument::Instrument;

/// Why a push failed. No error shows a password or a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The gateway could not be reached, or did not answer in time.
    #[error("Pushgateway {url} cannot be reached: {source}")]
    Connect {
        /// The URL of the gateway.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// A certificate or key is not PEM, or does not hold what it should.
    #[error("{what}: {problem}")]
    Pem {
        /// Which of them.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The gateway responded with an error status.
    #[error("Pushgateway {url} refused the metrics with status {status}: {reason}")]
    Refused {
        /// The URL of the gateway.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The first line of its response.
        reason: String,
    },
    /// The URL of the gateway is invalid, or has credentials in it.
    #[error("{0}")]
    Url(&'static str),
}

/// A Pushgateway. Cloning it is cheap; clones share their connections.
#[derive(Clone, Debug)]
pub struct Pushgateway {
    agent: Agent,
    /// Without a slash at its end.
    url: Arc<str>,
    authorization: Option<Arc<str>>,
    retries: u32,
}

/// A [`Pushgateway`] that is being configured.
#[must_use]
pub struct Builder {
    url: String,
    authorization: Option<String>,
    ca: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    timeout: Duration,
    retries: u32,
}

/// Not derived: passwords and keys are in it.
impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// The metrics of one job on a gateway.
#[derive(Clone, Debug)]
pub struct Group {
    gateway: Pushgateway,
    /// The path of the group, which begins with a slash.
    path: String,
}

/// The wait before the first retry. It doubles with each.
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// The maximum number of bytes that are read from a response.
const MAX_RESPONSE_LENGTH: u64 = 4096;

impl Pushgateway {
    /// A gateway at a URL such as `https://push.example.org:9091`, with a timeout of 10 s for each
    /// attempt and 3 retries.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder {
            url: url.into(),
            authorization: None,
            ca: None,
            identity: None,
            timeout: Duration::from_secs(10),
            retries: 3,
        }
    }

    /// The group of a job. Add labels with [`Group::label`].
    pub fn group(&self, job: &str) -> Group {
        let mut path = "/metrics".to_owned();
        url::push_label(&mut path, "job", job);
        Group { gateway: self.clone(), path }
    }

    fn send(&self, method: &Method, path: &str, body: &[u8]) -> Result<(), PushError> {
        let mut delay = FIRST_DELAY;
        for _ in 0..self.retries {
            match self.attempt(method, path, body) {
                Err(error) if error.is_temporary() => {}
                end => return end,
            }
            thread::sleep(delay);
            delay = delay.saturating_mul(2);
        }
        self.attempt(method, path, body)
    }

    fn attempt(&self, method: &Method, path: &str, body: &[u8]) -> Result<(), PushError> {
        let connect = |source| PushError::Connect { url: self.url.to_string(), source };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", Format::Text004.content_type(Escaping::Underscores));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", &**authorization);
        }
        let request = request.body(body).map_err(|error| connect(Box::new(error.into())))?;
        let mut response = self.agent.run(request).map_err(|error| connect(Box::new(error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let answer = response.body_mut().with_config().limit(MAX_RESPONSE_LENGTH).read_to_string();
        let reason = answer.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        Err(PushError::Refused { url: self.url.to_string(), status: status.as_u16(), reason })
    }
}

impl PushError {
    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { source, .. } => !matches!(**source, ureq::Error::Tls(_)),
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Pem { .. } | Self::Url(_) => false,
        }
    }
}

impl Builder {
    /// Sends a user name and a password with each request.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        self.authorization = Some(format!("Basic {credentials}"));
        self
    }

    /// Trusts the authorities in the text of this PEM file instead of the public ones.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Presents this certificate, with its intermediates, to the gateway: mutual TLS. Both are the
    /// text of PEM files.
    pub fn identity_pem(
        mut self,
        certificates: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.identity = Some((certificates.into(), key.into()));
        self
    }

    /// How long one attempt may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The number of retries when the gateway cannot be reached or has an internal error.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The gateway. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`PushError::Url`] for another scheme than `http` and `https` or a URL with a password,
    /// [`PushError::Pem`] for certificates and keys that cannot be read.
    pub fn build(self) -> Result<Pushgateway, PushError> {
        url::check(&self.url)?;
        let roots = match &self.ca {
            Some(pem) => RootCerts::new_with_certs(&certificates("the authority", pem)?),
            None => RootCerts::WebPki,
        };
        let identity = match &self.identity {
            Some((chain, key)) => {
                let key = PrivateKey::from_pem(key).map_err(|_| PushError::Pem {
                    what: "the client's key",
                    problem: "it is not a private key in PEM".to_owned(),
                })?;
                let chain = certificates("the client's certificate", chain)?;
                Some(ClientCert::new_with_certs(&chain, key))
            }
            None => None,
        };
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .client_cert(identity)
            .unversioned_rustls_crypto_provider(Arc::new(provider))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("exporter-core/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Pushgateway {
            agent: config.into(),
            url: self.url.trim_end_matches('/').into(),
            authorization: self.authorization.map(Into::into),
            retries: self.retries,
        })
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<Certificate<'static>>, PushError> {
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(PushError::Pem { what, problem: error.to_string() }),
        }
    }
    if found.is_empty() {
        let problem = "it contains no PEM certificate".to_owned();
        return Err(PushError::Pem { what, problem });
    }
    Ok(found)
}

impl Group {
    /// The group that has this label as well. A label without a value is the same as no label.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        url::push_label(&mut self.path, name, value);
        self
    }

    /// Replaces all metrics of the group by these.
    pub fn push(&self, instruments: &[&dyn Instrument]) -> Result<(), PushError> {
        self.gateway.send(&Method::PUT, &self.path, &page(instruments))
    }

    /// Replaces the metrics of the group that have the names of these, and keeps the others.
    pub fn add(&self, instruments: &[&dyn Instrument]) -> Result<(), PushError> {
        self.gateway.send(&Method::POST, &self.path, &page(instruments))
    }

    /// Deletes the group and its metrics.
    pub fn delete(&self) -> Result<(), PushError> {
        self.gateway.send(&Method::DELETE, &self.path, &[])
    }

    /// Begins a run of a job whose metrics are pushed at its end: see [`Run`].
    pub fn run<'a>(&self, instruments: &[&'a dyn Instrument]) -> Run<'a> {
        Run::new(self.clone(), instruments.to_vec())
    }
}

fn page(instruments: &[&dyn Instrument]) -> Vec<u8> {
    encode(instruments, Format::Text004, Escaping::Underscores)
}
