//! What all scrapes share: the configuration, what was fetched, and the fetch under way.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use exporter_core::web::config::ConfigError;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use crate::charges;
use crate::cloud::{Cloud, Failure};
use crate::config::Config;
use crate::fetch::fetch;
use crate::layout::Layout;
use crate::sheet::Sheet;

/// Asks AWS when a scrape finds that something is due, once for all who wait. A scrape that gives
/// up takes nothing from the others, and the fetch goes on without it.
#[derive(Debug)]
pub(crate) struct Poll {
    file: PathBuf,
    concurrency: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    setup: Arc<Setup>,
    sheets: Arc<Vec<Arc<Sheet>>>,
    failures: Vec<Failure>,
    under_way: Option<UnderWay>,
}

/// A fetch that was started.
#[derive(Debug)]
struct UnderWay {
    setup: Arc<Setup>,
    end: Shared<BoxFuture<'static, ()>>,
    task: AbortHandle,
}

/// A configuration and what is made of it.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) layout: Layout,
    cloud: OnceCell<Cloud>,
}

impl Setup {
    fn new(config: Config) -> Arc<Self> {
        let layout = Layout::new(&config.rules);
        Arc::new(Self { config, layout, cloud: OnceCell::new() })
    }

    /// The clients, opened when they are first needed.
    pub(crate) async fn cloud(&self) -> Result<&Cloud, Failure> {
        self.cloud.get_or_try_init(|| Cloud::open(&self.config)).await
    }
}

/// What is known at a time.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) setup: Arc<Setup>,
    pub(crate) sheets: Arc<Vec<Arc<Sheet>>>,
    /// Of the last fetch.
    pub(crate) failures: Vec<Failure>,
}

impl Poll {
    pub(crate) fn new(file: PathBuf, concurrency: usize) -> Result<Arc<Self>, ConfigError> {
        let setup = Setup::new(Config::read(&file)?);
        charges::RELOADED.set(1.0);
        let state = State { setup, sheets: Arc::default(), failures: Vec::new(), under_way: None };
        Ok(Arc::new(Self { file, concurrency, state: Mutex::new(state) }))
    }

    pub(crate) fn file(&self) -> &std::path::Path {
        &self.file
    }

    pub(crate) fn view(&self) -> View {
        let State { setup, sheets, failures, .. } = &*self.state();
        View { setup: Arc::clone(setup), sheets: Arc::clone(sheets), failures: failures.clone() }
    }

    /// Reads the configuration again. One that is bad changes nothing; one that is as it was
    /// changes nothing either, least of all what has been paid for.
    pub(crate) fn reload(&self) -> Result<(), ConfigError> {
        let config = Config::read(&self.file);
        charges::RELOADED.set(f64::from(u8::from(config.is_ok())));
        let config = config.inspect_err(|error| {
            tracing::error!(%error, "configuration is bad, the last good one stays in force");
        })?;
        let mut state = self.state();
        if state.setup.config.source == config.source {
            return Ok(());
        }
        tracing::info!(rules = config.rules.len(), "configuration reloaded");
        state.setup = Setup::new(config);
        state.sheets = Arc::default();
        state.failures.clear();
        Ok(())
    }

    /// The fetch under way, or one that is started because something is due.
    pub(crate) fn refresh(
        self: &Arc<Self>,
        now: u64,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let mut state = self.state();
        if let Some(UnderWay { setup, end, task }) = &state.under_way
            && Arc::ptr_eq(setup, &state.setup)
            && !task.is_finished()
        {
            return Some(end.clone());
        }
        let rules = &state.setup.config.rules;
        let is_good = |sheet: &Arc<Sheet>| now < sheet.good_until;
        if (0..rules.len()).all(|at| state.sheets.get(at).is_some_and(is_good)) {
            return None;
        }
        let (poll, setup) = (Arc::clone(self), Arc::clone(&state.setup));
        let task = tokio::spawn(async move { poll.fetch(&setup, now).await });
        let (setup, handle) = (Arc::clone(&state.setup), task.abort_handle());
        let end = task.map(|_| ()).boxed().shared();
        state.under_way = Some(UnderWay { setup, end: end.clone(), task: handle });
        Some(end)
    }

    async fn fetch(&self, setup: &Arc<Setup>, now: u64) {
        let before = self.view();
        let fetched = match setup.cloud().await {
            Ok(cloud) => {
                let rules = &setup.config.rules;
                fetch(cloud, rules, &before.sheets, now, self.concurrency).await
            }
            Err(failure) => {
                crate::fetch::Fetched { sheets: before.sheets.to_vec(), failures: vec![failure] }
            }
        };
        let mut state = self.state();
        if Arc::ptr_eq(&state.setup, setup) {
            state.sheets = Arc::new(fetched.sheets);
            state.failures = fetched.failures;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// Whether something is missing that the configuration asks for.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.sheets.len() < self.setup.config.rules.len()
            || self.sheets.iter().any(|sheet| sheet.is_incomplete)
    }
}

/// In seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
