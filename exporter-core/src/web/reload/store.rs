//! The web configuration in force: read, validated and replaced as a whole.
//!
//! An invalid file changes only the status: the last valid configuration stays in force.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::downgrade;
use super::web_config::WebConfig;
use crate::config_file::{self, ConfigError, Stamp};
use crate::exporter::CheckLine;
use crate::web::config::files::{FileSet, Files};

/// The interval of the checks for changed files.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A web configuration, with its file if there is one.
#[derive(Debug)]
pub(crate) struct ConfigStore {
    path: Option<PathBuf>,
    /// The directory of the systemd credentials of the service.
    credentials: Option<PathBuf>,
    current: RwLock<Arc<WebConfig>>,
    generation: watch::Sender<u64>,
    /// Locked while files are read, so that only one reload runs at a time.
    history: Mutex<History>,
    /// Not locked while files are read, because scrapes need it.
    status: Mutex<ReloadStatus>,
}

/// The files of previous reads.
#[derive(Debug)]
struct History {
    /// The files of the configuration in force.
    in_force: FileSet,
    /// The files of the last attempt, valid or not.
    last: FileSet,
    /// The stamps of the files at the last poll. They must be unchanged for one interval, so that a
    /// certificate and its key can be replaced one after the other.
    polled: Vec<Stamp>,
}

/// The result of the last attempt, and the time of the last successful one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReloadStatus {
    /// `None` if the last attempt succeeded.
    pub(crate) error: Option<ConfigError>,
    pub(crate) last_success: SystemTime,
}

impl ReloadStatus {
    pub(crate) fn is_good(&self) -> bool {
        self.error.is_none()
    }
}

/// The result of a successful reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// Notifies connections of the new generation.
    Changed {
        generation: u64,
    },
    Unchanged,
}

impl ConfigStore {
    /// Reads and validates a file. Without a path: plain HTTP, and nothing configured.
    pub(crate) fn load(path: Option<PathBuf>) -> Result<Arc<Self>, ConfigError> {
        Self::load_with(path, config_file::credentials())
    }

    /// Plain HTTP, without a file.
    pub(crate) fn plain() -> Arc<Self> {
        Self::new(None, None, WebConfig::default(), FileSet::default())
    }

    fn load_with(
        path: Option<PathBuf>,
        credentials: Option<PathBuf>,
    ) -> Result<Arc<Self>, ConfigError> {
        let (config, files) = match &path {
            None => return Ok(Self::plain()),
            Some(path) => {
                let mut files = Files::for_config(path, credentials.clone());
                let config = WebConfig::read(path, &mut files, None)?;
                (config, files.into_file_set())
            }
        };
        log_warnings(&config);
        Ok(Self::new(path, credentials, config, files))
    }

    fn new(
        path: Option<PathBuf>,
        credentials: Option<PathBuf>,
        config: WebConfig,
        files: FileSet,
    ) -> Arc<Self> {
        Arc::new(Self {
            path,
            credentials,
            generation: watch::Sender::new(config.generation),
            current: RwLock::new(Arc::new(config)),
            history: Mutex::new(History {
                in_force: files.clone(),
                polled: files.stamps(),
                last: files,
            }),
            status: Mutex::new(ReloadStatus { error: None, last_success: SystemTime::now() }),
        })
    }

    /// Whether there is a web configuration file.
    pub(crate) fn has_file(&self) -> bool {
        self.path.is_some()
    }

    pub(crate) fn current(&self) -> Arc<WebConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The generation in force; connections of other generations should be closed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    pub(crate) fn status(&self) -> ReloadStatus {
        self.lock_status().clone()
    }

    /// Notes and warnings about the configuration in force, for `--check`.
    pub(crate) fn report(&self) -> Vec<CheckLine> {
        self.current().report.clone()
    }

    /// Problems that fail `--check` although the configuration is valid.
    pub(crate) fn failures(&self) -> Vec<CheckLine> {
        self.current().failures.clone()
    }

    /// Reads all files again. An invalid configuration is logged once, and the last valid one stays
    /// in force.
    ///
    /// Blocks on the files.
    pub(crate) fn reload(&self) -> Result<Reloaded, ConfigError> {
        let Some(path) = &self.path else { return Ok(Reloaded::Unchanged) };
        let mut history = self.history();
        let before = self.current();
        let mut files = Files::for_config(path, self.credentials.clone());
        let read = WebConfig::read(path, &mut files, Some(&before)).and_then(|config| {
            downgrade::check(&before, &config).map_err(|fault| fault.in_file(path))?;
            Ok(config)
        });
        history.last = files.into_file_set();
        history.polled = history.last.stamps();
        let config = match read {
            Ok(config) => config,
            Err(error) => {
                if self.lock_status().error.replace(error.clone()).as_ref() != Some(&error) {
                    error!(%error, "web configuration is bad, the last good one stays in force");
                }
                return Err(error);
            }
        };
        let was_bad = {
            let mut status = self.lock_status();
            status.last_success = SystemTime::now();
            status.error.take().is_some()
        };
        let is_same = history.last.has_same_content(&history.in_force) && !is_stale(&before);
        history.in_force = history.last.clone();
        if is_same {
            if was_bad {
                info!("web configuration is good again, and as it was");
            }
            return Ok(Reloaded::Unchanged);
        }
        let generation = before.generation + 1;
        let config = Arc::new(WebConfig { generation, ..config });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&config);
        self.generation.send_replace(generation);
        info!(generation, "web configuration reloaded");
        log_warnings(&config);
        Ok(Reloaded::Changed { generation })
    }

    /// Never returns: checks the files every second, and reloads when one has changed.
    pub(crate) async fn watch(self: Arc<Self>) {
        if self.path.is_none() {
            return std::future::pending().await;
        }
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let store = Arc::clone(&self);
            // On another thread, because the file system may hang. The result is in the status.
            let _ = tokio::task::spawn_blocking(move || store.poll()).await;
        }
    }

    /// Checks the files once.
    fn poll(&self) {
        let is_due = {
            let mut history = self.history();
            let now = history.last.current_stamps();
            let has_changed = now != history.last.stamps();
            let is_stable = now == history.polled;
            history.polled = now;
            has_changed && is_stable
        };
        if is_due || is_stale(&self.current()) {
            // The error is logged and kept in the status.
            let _ = self.reload();
        }
    }

    fn lock_status(&self) -> MutexGuard<'_, ReloadStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_stale(config: &WebConfig) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    config.valid_until.is_some_and(|at| u64::try_from(at).is_ok_and(|at| at <= now))
}

fn log_warnings(config: &WebConfig) {
    let warnings = config.report.iter().filter(|line| !line.is_fine);
    for line in warnings.chain(&config.failures) {
        warn!(what = line.what, "web configuration: {}", line.finding);
    }
}

#[cfg(test)]
mod tests;
