//! The test of mutual TLS for all exporters: one client is accepted; all others are rejected, each
//! for a different reason, and counted.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::pki::{Authority, Identity, Kind};
use super::program::{Answer, Exporter, get};
use super::prometheus::Prometheus;

const USER: &str = "prometheus";
const PASSWORD: &str = "correct horse";
/// `prometheus:correct horse` in base64.
const AUTHORIZATION: &str = "Basic cHJvbWV0aGV1czpjb3JyZWN0IGhvcnNl";

/// An exporter with mutual TLS and basic authentication, and its clients.
#[derive(Debug)]
pub struct Setup {
    exporter: Exporter,
    authority: Authority,
    good: Identity,
    /// A job's name, its client certificate, and the reason for its rejection.
    others: [(&'static str, Option<Identity>, &'static str); 4],
}

impl Setup {
    /// Creates certificates and a web configuration in `dir`, and starts `binary` with them.
    pub fn new(binary: &str, flags: &[&str], dir: &Path) -> Self {
        let authority = Authority::new(dir, "ca");
        let stranger = Authority::new(dir, "other-ca");
        authority.issue(dir, "server", Kind::Server, &["exporter.internal"]);
        let client = |name, kind, san| authority.issue(dir, name, kind, &[san]);
        let good = client("good", Kind::Client, "prometheus.internal");
        let expired = client("expired", Kind::ExpiredClient, "prometheus.internal");
        let other_san = client("other-san", Kind::Client, "intruder.internal");
        let other_ca = stranger.issue(dir, "stranger", Kind::Client, &["prometheus.internal"]);
        let hash = bcrypt::hash(PASSWORD, 4).expect("a password can be hashed");
        let configuration = format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
             client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n  \
             client_allowed_sans: [prometheus.internal]\n\
             basic_auth_users:\n  {USER}: {hash}\n"
        );
        let file = dir.join("web.yml");
        fs::write(&file, configuration).expect("the test's directory takes files");
        let file = format!("--web.config.file={}", file.display());
        let flags: Vec<_> = flags.iter().copied().chain([file.as_str()]).collect();
        let exporter = Exporter::start(binary, &flags, dir);
        let others = [
            ("no-certificate", None, "no_certificate"),
            ("other-ca", Some(other_ca), "unknown_ca"),
            ("expired", Some(expired), "expired"),
            ("other-san", Some(other_san), "san_not_allowed"),
        ];
        Self { exporter, authority, good, others }
    }

    /// Connects as each client, with rustls.
    pub fn connect_as_each_client(&self) {
        let metrics = self.get(Some(&self.good), &[("Authorization", AUTHORIZATION)]);
        let metrics = metrics.expect("the allowed client is accepted");
        assert_eq!(metrics.status, 200, "{}", metrics.head);
        let without_password = self.get(Some(&self.good), &[]).expect("TLS accepts it");
        assert_eq!(without_password.status, 401, "the password is required as well");
        for (name, identity, reason) in &self.others {
            let before = self.refused(reason);
            let answer = self.get(identity.as_ref(), &[("Authorization", AUTHORIZATION)]);
            assert!(answer.is_err(), "{name} was answered: {answer:?}");
            assert!(self.refused(reason) > before, "{name} was not counted as {reason}");
        }
        let again = self.get(Some(&self.good), &[("Authorization", AUTHORIZATION)]);
        let page = again.expect("the allowed client is accepted").body;
        let scrapes = "exporter_client_scrapes_total{client=\"prometheus.internal\"} ";
        assert!(page.contains(scrapes), "no {scrapes} in {page}");
        assert!(!self.exporter.log().contains(PASSWORD), "the log contains a password");
    }

    /// Scrapes as each client with a real Prometheus; `None` without a Prometheus.
    pub fn scrape(&self, dir: &Path) -> Option<()> {
        let mut configuration =
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
        configuration.push_str(&self.job("good", Some(&self.good)));
        for (name, identity, _) in &self.others {
            configuration.push_str(&self.job(name, identity.as_ref()));
        }
        let prometheus = Prometheus::start(dir, &configuration, &[])?;
        let jobs: Vec<_> =
            ["good"].into_iter().chain(self.others.iter().map(|(name, ..)| *name)).collect();
        let up = prometheus.wait_for("up", &jobs);
        assert_eq!(up, [1.0, 0.0, 0.0, 0.0, 0.0], "{jobs:?}");
        for (name, _, reason) in &self.others {
            let query = format!(
                "exporter_tls_handshakes_refused_total{{job='good',reason='{reason}'}} > 0"
            );
            let refused = prometheus.wait_for(&query, &["good"]);
            assert!(refused.iter().all(|count| *count > 0.0), "{name}: {refused:?}");
        }
        Some(())
    }

    fn get(&self, identity: Option<&Identity>, headers: &[(&str, &str)]) -> io::Result<Answer> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(&self.authority.certificate);
        roots.add(root.expect("it was written")).expect("an authority can be a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let certificate = CertificateDer::from_pem_file(&identity.certificate);
                let key = PrivateKeyDer::from_pem_file(&identity.key);
                config
                    .with_client_auth_cert(
                        vec![certificate.expect("it was written")],
                        key.expect("it was written"),
                    )
                    .expect("key and certificate belong together")
            }
        };
        let name = ServerName::try_from("exporter.internal").expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let socket = TcpStream::connect(("127.0.0.1", self.exporter.port))?;
        get(StreamOwned::new(connection, socket), "/metrics", headers)
    }

    /// The number of handshakes rejected for this reason.
    fn refused(&self, reason: &str) -> f64 {
        let page = self.get(Some(&self.good), &[("Authorization", AUTHORIZATION)]);
        let page = page.expect("the allowed client is accepted").body;
        let series = format!("exporter_tls_handshakes_refused_total{{reason=\"{reason}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&series));
        value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }

    fn job(&self, name: &str, identity: Option<&Identity>) -> String {
        let client = identity.map_or_else(String::new, |identity| {
            format!(
                "      cert_file: {}\n      key_file: {}\n",
                identity.certificate.display(),
                identity.key.display()
            )
        });
        format!(
            "  - job_name: {name}\n    scheme: https\n    \
             basic_auth: {{username: {USER}, password: {PASSWORD}}}\n    tls_config:\n      \
             ca_file: {}\n      server_name: exporter.internal\n{client}    \
             static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
            self.authority.certificate.display(),
            self.exporter.port
        )
    }
}
