//! Stand-in until the web configuration is merged.

use std::io;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::watch;

#[derive(Debug)]
pub struct Live {
    settings: Arc<Settings>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub struct Settings {
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub http2: bool,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub users: Option<Arc<Authenticator>>,
    pub rate_limit: Option<Arc<RateLimit>>,
    pub certificates: Vec<Certificate>,
}

#[derive(Debug)]
pub struct Certificate {
    pub role: &'static str,
    pub subject: String,
    pub not_after: i64,
}

#[derive(Debug)]
pub struct Authenticator {}

#[derive(Debug)]
pub struct Denied;

#[derive(Debug)]
pub struct RateLimit {}

#[derive(Debug)]
pub struct Caller;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Other,
    PlainHttp,
    Timeout,
}

#[derive(Debug, thiserror::Error)]
#[error("bad")]
pub struct ConfigError;

#[derive(Debug)]
pub struct Reloaded;

#[derive(Debug)]
pub struct ReloadStatus {
    pub successful: bool,
    pub last_success: f64,
}

impl Live {
    pub fn fixed(settings: Settings) -> Arc<Self> {
        Arc::new(Self { settings: Arc::new(settings), changes: watch::channel(0).0 })
    }

    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
    }

    pub fn reload(&self) -> Result<Reloaded, ConfigError> {
        self.changes.send_modify(|count| *count += 1);
        Ok(Reloaded)
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn status(&self) -> ReloadStatus {
        ReloadStatus { successful: true, last_success: 0.0 }
    }
}

impl Settings {
    pub fn admits(&self, _connection: &rustls::ServerConnection) -> Result<Caller, Refusal> {
        Ok(Caller)
    }
}

impl Authenticator {
    #[expect(clippy::unused_async, reason = "stand-in")]
    pub async fn check(&self, _headers: &HeaderMap) -> Result<(), Denied> {
        Ok(())
    }
}

impl RateLimit {
    pub fn allow(&self) -> bool {
        true
    }
}

impl Refusal {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::PlainHttp => "plain_http",
            Self::Timeout => "timeout",
        }
    }

    pub fn of(_error: &io::Error) -> Self {
        Self::Other
    }
}
