//! A site: what the server serves, and its limits.

use std::borrow::Cow;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::config::ConfigError;
use super::http::DEFAULT_OFFSET;
use super::limits::Limits;
use super::listen::Listener;
use super::metrics::ServerMetrics;
use super::reload::ConfigStore;
use crate::config_file;
use crate::exporter::Exporter;
use crate::exposition::families::Families;

/// The name, the exporter, the configuration and the limits of a server.
///
/// Programs with a command line get it from their flags. Others build one:
///
/// ```no_run
/// use exporter_core::instrument::{Counter, Metric};
/// use exporter_core::registry::Registry;
/// use exporter_core::web::{Listener, Site};
///
/// static JOBS: Metric<Counter> = Metric::counter("app_jobs_total", "Jobs done.");
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::builder().instruments("app", [&JOBS]).build();
/// let site = Site::new("app", registry);
/// let listener = Listener::from_tcp(std::net::TcpListener::bind("127.0.0.1:9999")?)?;
/// tokio::spawn(site.serve(vec![listener], std::future::pending::<()>()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Site {
    /// The title of the landing page.
    pub name: Cow<'static, str>,
    /// One line for the landing page.
    pub about: Cow<'static, str>,
    /// The version on the landing page.
    pub version: Cow<'static, str>,
    pub(crate) exporter: Arc<dyn Exporter>,
    pub(crate) config: Arc<ConfigStore>,
    pub(crate) metrics: Arc<ServerMetrics>,
    /// Limits on clients.
    pub limits: Limits,
    /// The path of the metrics: `/metrics`.
    pub telemetry_path: String,
    /// Whether `POST /-/reload` reads the configuration again.
    pub enable_lifecycle: bool,
    /// The time before the timeout of the client at which a scrape has to be complete.
    pub timeout_offset: Duration,
}

impl Site {
    /// A site without a web configuration: plain HTTP, on `/metrics`. One registry is an exporter.
    pub fn new(name: impl Into<Cow<'static, str>>, exporter: impl Exporter + 'static) -> Self {
        Self {
            name: name.into(),
            about: "".into(),
            version: "".into(),
            exporter: Arc::new(exporter),
            config: ConfigStore::plain(),
            metrics: Arc::default(),
            limits: Limits::default(),
            telemetry_path: "/metrics".to_owned(),
            enable_lifecycle: false,
            timeout_offset: DEFAULT_OFFSET,
        }
    }

    /// Adds a web configuration file with TLS, client certificates, users and headers. It is read
    /// again when it changes. Blocks on the files.
    pub fn with_config_file(mut self, path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        self.config = ConfigStore::load(Some(path.into()))?;
        Ok(self)
    }

    /// The counters of this site, to expose them: scrapes, connections, rejected handshakes,
    /// reloads and the expiry of certificates.
    pub fn metrics(&self) -> impl Fn(&mut Families) + Send + Sync + 'static {
        let (metrics, config) = (Arc::clone(&self.metrics), Arc::clone(&self.config));
        move |out| metrics.write(out, &config)
    }

    /// Serves until `shutdown` is ready, within a tokio runtime: see [`serve`](super::serve).
    pub async fn serve(self, listeners: Vec<Listener>, shutdown: impl Future) {
        super::serve(Arc::new(self), listeners, shutdown).await;
    }

    /// Reads the web configuration again, and the program's own, even if the first is invalid.
    ///
    /// Blocks on the files.
    pub(crate) fn reload(&self) -> Result<(), String> {
        config_file::retry();
        let web = self.config.reload().map_err(|error| error.to_string());
        let own = self.exporter.reload();
        self.metrics.reloaded(own.is_ok());
        web.map(|_| ()).and(own)
    }
}
