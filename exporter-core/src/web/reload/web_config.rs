//! A validated web configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use serde_saphyr::Spanned;

use crate::config_file::yaml::line_of;
use crate::config_file::{ConfigError, Fault, SMALL};
use crate::duration;
use crate::exporter::CheckLine;
use crate::web::auth::Authenticator;
use crate::web::config::diagnostics::{Certificate, Diagnostics};
use crate::web::config::file::{self, Field, Rate};
use crate::web::config::files::Files;
use crate::web::config::limit::RateLimit;
use crate::web::tls;
use crate::web::tls::caller::Caller;
use crate::web::tls::identity;
use crate::web::tls::rejection::Rejection;
use crate::web::tls::verify::Verifier;

/// A valid web configuration.
#[derive(Debug, Default)]
pub(crate) struct WebConfig {
    /// Counts the changes since the start. A connection of an earlier generation should be closed.
    pub(crate) generation: u64,
    /// `None` means plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Headers of every response.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// `None` admits every client.
    pub(crate) users: Option<Arc<Authenticator>>,
    /// `None` means no limit.
    pub(crate) rate_limit: Option<Arc<RateLimit>>,
    /// Everything that can expire.
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) verifier: Option<Arc<Verifier>>,
    pub(crate) report: Vec<CheckLine>,
    /// Problems for clients or the server although the configuration is valid: they fail `--check`.
    pub(crate) failures: Vec<CheckLine>,
    /// The Unix time at which an authority becomes valid or expires: the configuration has to be
    /// read again then.
    pub(crate) valid_until: Option<i64>,
}

impl WebConfig {
    /// Checks a completed handshake. A resumed one skips the verifier, and the certificate may have
    /// been revoked or have expired since.
    pub(crate) fn admits(&self, connection: &ServerConnection) -> Result<Caller, Rejection> {
        let Some(verifier) = &self.verifier else { return Ok(Caller::default()) };
        let Some([leaf, intermediates @ ..]) = connection.peer_certificates() else {
            let is_needed = verifier.client_auth_mandatory();
            return if is_needed { Err(Rejection::NoCertificate) } else { Ok(Caller::default()) };
        };
        if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
            verifier
                .verify_client_cert(leaf, intermediates, UnixTime::now())
                .map_err(|error| Rejection::of_tls(&error))?;
        }
        let name = identity::parse(leaf).map(|certificate| {
            let first = identity::names(&certificate).into_iter().next();
            first.unwrap_or_else(|| identity::subject(certificate.subject()))
        });
        Ok(Caller { name, is_verified: verifier.policy.is_verified })
    }

    /// Reads and validates the file `path` and all files that it names. Unchanged parts keep their
    /// state from `before`.
    pub(crate) fn read(
        path: &Path,
        files: &mut Files,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let text = files.read(path, SMALL).map_err(|problem| ConfigError::new(path, problem))?;
        Self::from_text(&text, files, before).map_err(|fault| fault.in_file(path))
    }

    fn from_text(text: &[u8], files: &mut Files, before: Option<&Self>) -> Result<Self, Fault> {
        let web = file::parse(text)?;
        let mut diagnostics = Diagnostics::default();

        let http = web.http_server_config.unwrap_or_default();
        let http2 = *http.http2.value().unwrap_or(&true);
        let headers = headers(http.headers.unwrap_or_default())?;
        if !headers.is_empty() {
            let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
            diagnostics.note("headers", names.join(", "));
        }

        let transport = tls::transport(
            &web.tls_server_config.unwrap_or_default(),
            http2,
            files,
            &mut diagnostics,
        )?;
        if transport.is_none() {
            diagnostics.note("tls_server_config", "none: plain HTTP");
        }

        let users = match web.basic_auth_users {
            Some(users) if !users.is_empty() => {
                let before = before.and_then(|before| before.users.as_deref());
                Some(Arc::new(Authenticator::new(users, before, &mut diagnostics)?))
            }
            _ => None,
        };
        if users.is_some() && transport.is_none() {
            diagnostics.warning("basic_auth_users", "passwords travel in the clear without TLS");
        }

        let before = before.and_then(|before| before.rate_limit.as_ref());
        let rate_limit = rate_limit(&web.rate_limit.unwrap_or_default(), before, &mut diagnostics)?;
        let (tls, verifier) = match transport {
            Some(transport) => (Some(transport.config), transport.verifier),
            None => (None, None),
        };
        Ok(Self {
            generation: 0,
            tls,
            headers,
            users,
            rate_limit,
            certificates: diagnostics.certificates,
            verifier,
            report: diagnostics.lines,
            failures: diagnostics.failures,
            valid_until: diagnostics.valid_until,
        })
    }
}

/// The headers that may be configured, with their valid values; any value if none are listed.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

fn headers(
    headers: BTreeMap<String, Spanned<String>>,
) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let header = |(name, value): (String, Spanned<String>)| {
        let line = line_of(&value);
        let fault =
            |problem| Fault::new(format!("http_server_config.headers.{name}"), line, problem);
        let Some((_, values)) = HEADERS.iter().find(|(known, _)| *known == name) else {
            let known = HEADERS.map(|(name, _)| name).join(", ");
            return Err(fault(format!(
                "HTTP header \"{name}\" can not be configured; those that can: {known}"
            )));
        };
        if !values.is_empty() && !values.contains(&value.value.as_str()) {
            return Err(fault(format!(
                "invalid value for {name}. Expected one of: {values:?}, but got: {:?}",
                value.value
            )));
        }
        let text = HeaderValue::from_str(&value.value).map_err(|_| {
            fault(format!("invalid value for {name}: a line break or control character in it"))
        })?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| fault("not the name of a header".into()))?;
        Ok((name, text))
    };
    headers.into_iter().map(header).collect()
}

fn rate_limit(
    rate: &Rate,
    before: Option<&Arc<RateLimit>>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Arc<RateLimit>>, Fault> {
    let text = rate.interval.text().unwrap_or("0");
    let interval = interval(text)
        .map_err(|problem| Fault::new("rate_limit.interval", rate.interval.line(), problem))?;
    if interval.is_zero() {
        if matches!(&rate.burst, Field::Given(burst) if burst.value > 0) {
            diagnostics.warning("rate_limit", "no interval, so no limit");
        }
        return Ok(None);
    }
    let burst = u64::try_from(*rate.burst.value().unwrap_or(&0)).unwrap_or(0);
    if burst == 0 {
        diagnostics.warning("rate_limit.burst", "0 refuses every request; set it to 1 or more");
    } else {
        diagnostics.note("rate_limit", format!("one request in {interval:?}, {burst} at once"));
    }
    Ok(Some(match before {
        Some(limit) if limit.has_values(interval, burst) => Arc::clone(limit),
        _ => Arc::new(RateLimit::new(interval, burst)),
    }))
}

/// Parses an interval as Go does: a bare number is nanoseconds, and a negative one is 0.
fn interval(text: &str) -> Result<Duration, String> {
    let (is_negative, amount) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let interval = match amount.parse() {
        Ok(nanoseconds) => Some(Duration::from_nanos(nanoseconds)),
        Err(_) => duration::parse(amount),
    };
    match interval {
        Some(_) if is_negative => Ok(Duration::ZERO),
        Some(interval) => Ok(interval),
        None => Err(format!("{text:?} is not a duration: write it like 1s, 100ms or 1m30s")),
    }
}

#[cfg(test)]
mod tests;
