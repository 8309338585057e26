//! Stand-in until the web configuration is merged.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::refusal::Refusal;

#[derive(Debug, Default)]
pub struct Settings {
    pub tls: Option<Arc<rustls::ServerConfig>>,
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
pub struct RateLimit {}

impl Settings {
    pub fn admits(&self, _connection: &rustls::ServerConnection) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Authenticator {
    #[expect(clippy::unused_async, reason = "stand-in")]
    pub async fn check(&self, _headers: &HeaderMap) -> Result<(), ()> {
        Ok(())
    }
}

impl RateLimit {
    pub fn allow(&self) -> bool {
        true
    }
}
