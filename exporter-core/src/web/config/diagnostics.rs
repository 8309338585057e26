//! Notes and warnings about a configuration.

use crate::exporter::CheckLine;

/// Notes, warnings and dates, for the log, `--check` and the metrics.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    /// Notes and warnings, in the order of the file.
    pub(crate) lines: Vec<CheckLine>,
    /// Problems that make a valid configuration useless, such as an expired certificate.
    pub(crate) failures: Vec<CheckLine>,
    /// Everything that can expire.
    pub(crate) certificates: Vec<Certificate>,
    /// The Unix time at which the configuration must be read again, although no file has changed.
    pub(crate) valid_until: Option<i64>,
}

/// A certificate or revocation list, for the metric of expiry times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// `server`, `server_chain`, `client_ca` or `client_crl`.
    pub(crate) role: &'static str,
    /// The subject; the issuer of a revocation list.
    pub(crate) subject: String,
    /// In Unix seconds; the next update of a revocation list.
    pub(crate) not_after: i64,
}

impl Diagnostics {
    pub(crate) fn note(&mut self, what: &str, finding: impl Into<String>) {
        self.lines.push(CheckLine { is_fine: true, what: what.into(), finding: finding.into() });
    }

    pub(crate) fn warning(&mut self, what: &str, finding: impl Into<String>) {
        self.lines.push(CheckLine { is_fine: false, what: what.into(), finding: finding.into() });
    }

    pub(crate) fn failure(&mut self, what: &str, finding: impl Into<String>) {
        let line = CheckLine { is_fine: false, what: what.into(), finding: finding.into() };
        self.failures.push(line);
    }

    /// Requests that the configuration is read again at `at`, in Unix seconds.
    pub(crate) fn limit_validity(&mut self, at: i64) {
        self.valid_until = Some(self.valid_until.map_or(at, |earlier| earlier.min(at)));
    }
}
