//! A web configuration that has been validated whole, ready to be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::{HandshakeKind, ServerConfig, ServerConnection};
use serde_saphyr::Spanned;
use x509_parser::certificate::X509Certificate;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::file::{self, ConfigError, Fault, Field, Rate, line_of};
use super::files::Files;
use super::limit::RateLimit;
use crate::config_file::SMALL;
use crate::duration;
use crate::exporter::CheckLine;
use crate::web::auth::Authenticator;
use crate::web::tls;
use crate::web::tls::caller::Caller;
use crate::web::tls::identity;
use crate::web::tls::refusal::Refusal;
use crate::web::tls::verify::Verifier;

/// What is in force from one reload to the next.
#[derive(Debug, Default)]
pub struct Settings {
    /// Counts the changes since the start. A connection made under another generation should
    /// be finished.
    pub generation: u64,
    /// `None` is plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether HTTP/2 is offered, over TLS.
    pub http2: bool,
    /// To be set on every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `None` lets everyone in.
    pub users: Option<Arc<Authenticator>>,
    /// `None` is no limit.
    pub rate_limit: Option<Arc<RateLimit>>,
    /// All that can expire.
    pub certificates: Vec<Certificate>,
    pub(crate) verifier: Option<Arc<Verifier>>,
    pub(crate) report: Vec<CheckLine>,
    /// What clients or servers refuse, however valid the configuration is: it fails `--check`.
    pub(crate) failures: Vec<CheckLine>,
    /// When an authority comes into force or expires, in Unix seconds: the settings are to be
    /// made anew then.
    pub(crate) stale_at: Option<i64>,
}

/// Something with a date on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// `server`, `server_chain`, `client_ca` or `client_crl`.
    pub role: &'static str,
    /// Of a revocation list, its issuer.
    pub subject: String,
    /// In Unix seconds. Of a revocation list, when the next one is due.
    pub not_after: i64,
}

impl Settings {
    /// What must hold after every handshake, resumed ones too: those skip the verifier, and the
    /// certificate may have been revoked, or have expired, since.
    pub fn admits(&self, connection: &ServerConnection) -> Result<Caller, Refusal> {
        let Some(verifier) = &self.verifier else { return Ok(Caller::default()) };
        let Some([leaf, intermediates @ ..]) = connection.peer_certificates() else {
            let is_needed = verifier.client_auth_mandatory();
            return if is_needed { Err(Refusal::NoCertificate) } else { Ok(Caller::default()) };
        };
        if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
            verifier
                .verify_client_cert(leaf, intermediates, UnixTime::now())
                .map_err(|error| Refusal::of_tls(&error))?;
        }
        let name = identity::parse(leaf).map(|certificate| {
            let first = identity::names(&certificate).into_iter().next();
            first.unwrap_or_else(|| identity::subject(certificate.subject()))
        });
        Ok(Caller { name })
    }

    /// Reads and validates all that `path` names. What has not changed since `before` keeps its
    /// state.
    pub(crate) fn read(
        path: &Path,
        files: &mut Files,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let text = files.read(path, SMALL).map_err(|problem| ConfigError {
            file: path.to_path_buf(),
            line: None,
            key: None,
            problem,
        })?;
        Self::from_text(&text, files, before).map_err(|fault| fault.in_file(path))
    }

    fn from_text(text: &[u8], files: &mut Files, before: Option<&Self>) -> Result<Self, Fault> {
        let web = file::parse(text)?;
        let mut found = Findings::default();

        let http = web.http_server_config.unwrap_or_default();
        let http2 = *http.http2.value().unwrap_or(&true);
        let headers = headers(http.headers.unwrap_or_default())?;
        if !headers.is_empty() {
            let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
            found.fine("headers", names.join(", "));
        }

        let transport =
            tls::transport(&web.tls_server_config.unwrap_or_default(), http2, files, &mut found)?;
        if transport.is_none() {
            found.fine("tls_server_config", "none: plain HTTP");
        }

        let users = match web.basic_auth_users {
            Some(users) if !users.is_empty() => {
                let before = before.and_then(|before| before.users.as_deref());
                Some(Arc::new(Authenticator::new(users, before, &mut found)?))
            }
            _ => None,
        };
        if users.is_some() && transport.is_none() {
            found.warning("basic_auth_users", "passwords travel in the clear without TLS");
        }

        let before = before.and_then(|before| before.rate_limit.as_ref());
        let rate_limit = rate_limit(&web.rate_limit.unwrap_or_default(), before, &mut found)?;
        let (tls, verifier) =
            transport.map(|made| (made.config, made.verifier)).map_or((None, None), |made| {
                let (config, verifier) = made;
                (Some(config), verifier)
            });
        Ok(Self {
            generation: 0,
            tls,
            http2,
            headers,
            users,
            rate_limit,
            certificates: found.certificates,
            verifier,
            report: found.lines,
            failures: found.failures,
            stale_at: found.stale_at,
        })
    }
}

/// The headers that may be set, and what they may be set to: anything where nothing is listed.
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
    found: &mut Findings,
) -> Result<Option<Arc<RateLimit>>, Fault> {
    let text = rate.interval.text().unwrap_or("0");
    let interval = interval(text)
        .map_err(|problem| Fault::new("rate_limit.interval", rate.interval.line(), problem))?;
    if interval.is_zero() {
        if matches!(&rate.burst, Field::Given(burst) if burst.value > 0) {
            found.warning("rate_limit", "no interval, so no limit");
        }
        return Ok(None);
    }
    let burst = u64::try_from(*rate.burst.value().unwrap_or(&0)).unwrap_or(0);
    if burst == 0 {
        found.warning("rate_limit.burst", "0 refuses every request; set it to 1 or more");
    } else {
        found.fine("rate_limit", format!("one request in {interval:?}, {burst} at once"));
    }
    Ok(Some(match before {
        Some(limit) if limit.is(interval, burst) => Arc::clone(limit),
        _ => Arc::new(RateLimit::new(interval, burst)),
    }))
}

/// A bare number is nanoseconds, and one below zero is none: as Go's.
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

/// How many days before its end a certificate is warned of.
const WARNING_DAYS: i64 = 14;
const DAY: i64 = 24 * 60 * 60;

/// What comes to light while a configuration is read.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    lines: Vec<CheckLine>,
    failures: Vec<CheckLine>,
    certificates: Vec<Certificate>,
    stale_at: Option<i64>,
}

impl Findings {
    pub(crate) fn fine(&mut self, what: &str, finding: impl Into<String>) {
        self.lines.push(CheckLine { is_fine: true, what: what.into(), finding: finding.into() });
    }

    pub(crate) fn warning(&mut self, what: &str, finding: impl Into<String>) {
        self.lines.push(CheckLine { is_fine: false, what: what.into(), finding: finding.into() });
    }

    pub(crate) fn failure(&mut self, what: &str, finding: impl Into<String>) {
        let line = CheckLine { is_fine: false, what: what.into(), finding: finding.into() };
        self.failures.push(line);
    }

    /// Something that is valid until a date.
    fn dated(&mut self, role: &str, finding: String, until: ASN1Time, now: ASN1Time) {
        let days = (until.timestamp() - now.timestamp()) / DAY;
        if days < WARNING_DAYS {
            self.warning(role, format!("{finding}; {days} days left, renew it"));
        } else {
            self.fine(role, finding);
        }
    }

    pub(crate) fn certificate(
        &mut self,
        role: &'static str,
        certificate: &X509Certificate<'_>,
        now: ASN1Time,
    ) {
        let subject = identity::subject(certificate.subject());
        let validity = certificate.validity();
        let (from, to) = (validity.not_before, validity.not_after);
        if now < from {
            self.warning(role, format!("{subject}: not valid before {}", identity::date(from)));
        } else if now <= to {
            let finding = format!("{subject}: valid until {}", identity::date(to));
            self.dated(role, finding, to, now);
        } else {
            let finding = format!("{subject}: expired at {}", identity::date(to));
            // An authority that has ended may stand beside the one that follows it.
            if role == "client_ca" {
                self.warning(role, finding);
            } else {
                self.failure(role, finding);
            }
        }
        if role == "client_ca" {
            let next = [from.timestamp(), to.timestamp() + 1];
            let next = next.into_iter().filter(|at| *at > now.timestamp());
            self.stale_at = self.stale_at.into_iter().chain(next).min();
        }
        self.certificates.push(Certificate { role, subject, not_after: to.timestamp() });
    }

    pub(crate) fn revocation_list(&mut self, list: &CertificateRevocationList<'_>, now: ASN1Time) {
        let role = "client_crl";
        let subject = identity::subject(list.issuer());
        let count = list.iter_revoked_certificates().count();
        let Some(due) = list.next_update() else {
            self.fine(role, format!("{subject}: {count} revoked"));
            return;
        };
        let date = identity::date(due);
        if now > due {
            let so = "and its clients are refused until it is renewed";
            self.failure(role, format!("{subject}: a new list was due at {date}, {so}"));
        } else {
            self.fine(role, format!("{subject}: {count} revoked; in force until {date}"));
        }
        self.certificates.push(Certificate { role, subject, not_after: due.timestamp() });
    }
}

#[cfg(test)]
mod tests;
