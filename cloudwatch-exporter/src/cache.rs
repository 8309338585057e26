//! The state that all scrapes share: the configuration, the results, and the fetches in progress.

mod demand;
mod target;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use exporter_core::collector::Error;
use exporter_core::config_file::ConfigError;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Shared};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, OnceCell};
use tokio::task::AbortHandle;
use tokio::time::{timeout, timeout_at};

use self::demand::Demand;
use self::target::TargetState;
use crate::cloud::{Cloud, Connections, Failure};
use crate::config::{Config, Strictness};
use crate::demo::Demo;
use crate::exposition::Exposition;
use crate::snapshot::Snapshot;
use crate::stream::Store;
use crate::usage;

/// Fetches from AWS once for all scrapes. A scrape that is cancelled does not affect others, and
/// the fetch continues. While scrapes are regular, rules that are due are fetched ahead of them.
#[derive(Debug)]
pub(crate) struct Cache {
    source: Source,
    concurrency: usize,
    demo: Option<Demo>,
    state: Mutex<State>,
    /// Wakes the timer when a fetch has ended.
    fetch_ended: Notify,
}

#[derive(Debug)]
struct State {
    setup: Arc<Setup>,
    /// In the order of the setup's targets.
    targets: Vec<TargetState>,
    demand: Demand,
    /// Fetches rules that are due while scrapes are regular.
    timer: Option<AbortHandle>,
}

/// Where the configuration is read from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(PathBuf, Strictness),
    /// The example of `--demo`.
    Example,
}

impl Source {
    /// Reads the configuration. In a demo, rules that are fed by metric streams are fetched like all
    /// others, because nothing sends streams.
    fn read(&self, is_demo: bool) -> Result<Config, ConfigError> {
        let mut config = match self {
            Self::File(path, strictness) => Config::read(path, *strictness),
            Self::Example => Config::example(),
        }?;
        if is_demo {
            config.rules.iter_mut().for_each(|rule| rule.from_stream = false);
        }
        Ok(config)
    }

    /// The file; `None` for the example.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path, _) => Some(path),
            Self::Example => None,
        }
    }

    /// The name in the output of `--check`.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::File(path, _) => path.display().to_string(),
            Self::Example => "the example".to_owned(),
        }
    }
}

/// Completes when a fetch has ended.
type FetchEnd = Shared<BoxFuture<'static, ()>>;

/// A configuration with its families and clients.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Arc<Config>,
    exposition: Arc<Exposition>,
    connections: Connections,
    /// The datapoints of metric streams.
    pub(crate) streamed: Store,
    clouds: Vec<OnceCell<Cloud>>,
}

impl Setup {
    fn new(config: Config, connections: Connections, previous: Option<&Self>) -> Arc<Self> {
        let exposition = Arc::new(Exposition::new(&config));
        let config = Arc::new(config);
        let clouds = config.targets.iter().map(|_| OnceCell::new()).collect();
        let previous = previous.map(|setup| (&*setup.config, &setup.streamed));
        let streamed = Store::new(&config, previous);
        Arc::new(Self { config, exposition, connections, streamed, clouds })
    }

    /// The clients of a target, created on first use.
    pub(crate) async fn cloud(&self, target: usize) -> Result<&Cloud, Failure> {
        let entry = self.config.targets.get(target).zip(self.clouds.get(target));
        let Some((target, cloud)) = entry else {
            return Err(Failure::setup("there is no such target"));
        };
        cloud.get_or_try_init(|| self.connections.open(target)).await
    }
}

impl Cache {
    pub(crate) fn new(
        source: Source,
        concurrency: usize,
        is_demo: bool,
    ) -> Result<Arc<Self>, Error> {
        let config = source.read(is_demo).map_err(|error| Error::Other(error.into()))?;
        let demo = is_demo.then(|| Demo::start(&config)).transpose()?;
        let setup = Setup::new(config, connections(concurrency, demo.as_ref()), None);
        usage::RELOADED.set(1.0);
        let targets = TargetState::all(&setup);
        let state = State { setup, targets, demand: Demand::default(), timer: None };
        Ok(Arc::new(Self {
            source,
            concurrency,
            demo,
            state: Mutex::new(state),
            fetch_ended: Notify::new(),
        }))
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// New connections, which share no state with those of the fetches.
    pub(crate) fn connections(&self) -> Connections {
        connections(self.concurrency, self.demo.as_ref())
    }

    pub(crate) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.state().setup)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.current().1
    }

    /// The families of the configuration, with the results that they expose.
    pub(crate) fn exposition(&self) -> (Arc<Exposition>, Snapshot) {
        let (setup, snapshot) = self.current();
        (Arc::clone(&setup.exposition), snapshot)
    }

    fn current(&self) -> (Arc<Setup>, Snapshot) {
        let (setup, mut snapshot) = {
            let State { setup, targets, .. } = &*self.state();
            (Arc::clone(setup), snapshot(setup, targets))
        };
        // The lock is released, so that fetches continue meanwhile.
        setup.streamed.add_to(&mut snapshot, now());
        (setup, snapshot)
    }

    /// Reads the configuration again. If it is invalid or unchanged, the results are kept, so that
    /// nothing is fetched and paid for twice.
    pub(crate) fn reload(&self) -> Result<(), ConfigError> {
        let config = self.source.read(self.demo.is_some());
        usage::RELOADED.set(f64::from(u8::from(config.is_ok())));
        let config = config.inspect_err(|error| {
            tracing::error!(%error, "configuration is bad, the last good one stays in force");
        })?;
        let mut state = self.state();
        if state.setup.config.source == config.source {
            return Ok(());
        }
        tracing::info!(rules = config.rules.len(), "configuration reloaded");
        if let Some(demo) = &self.demo {
            demo.update(&config);
        }
        if state.setup.config.stream != config.stream {
            tracing::warn!("changes of `stream` take effect when the exporter is restarted");
        }
        state.setup = Setup::new(config, self.connections(), Some(&state.setup));
        // Fetches in progress continue, but their results are discarded.
        state.targets = TargetState::all(&state.setup);
        Ok(())
    }

    /// Records a scrape, and starts to fetch rules that are due. Returns a future for the scrape to
    /// wait for, or `None` if it has recent results.
    pub(crate) fn scrape(
        self: &Arc<Self>,
        now: u64,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        let mut state = self.state();
        state.demand.record_scrape(now);
        if state.timer.as_ref().is_none_or(AbortHandle::is_finished) {
            let cache = Arc::clone(self);
            state.timer =
                Some(tokio::spawn(async move { cache.keep_fetching().await }).abort_handle());
        }
        let needed: Vec<_> = self.fetch_due(&mut state, now, |_| true);
        (!needed.is_empty()).then(|| wait(needed))
    }

    /// Starts a fetch for each target with due rules whose period `is_wanted`. Returns the ends of the
    /// fetches in progress that the page needs.
    fn fetch_due(
        self: &Arc<Self>,
        state: &mut State,
        now: u64,
        is_wanted: impl Fn(u64) -> bool,
    ) -> Vec<FetchEnd> {
        let State { setup, targets, demand, .. } = state;
        let stretch =
            crate::budget::stretch(&setup.config, targets.iter().map(|target| &target.results));
        let mut ends = Vec::new();
        for (index, (target, stretch)) in targets.iter_mut().zip(stretch).enumerate() {
            let Some(target_config) = setup.config.targets.get(index) else { continue };
            let rules = &setup.config.rules;
            let due = target.due(rules, target_config, now);
            let wanted: Vec<_> = due
                .into_iter()
                .filter(|rule| {
                    rules.get(*rule).is_some_and(|rule| is_wanted(rule.window.period.into()))
                })
                .collect();
            if !wanted.is_empty() && !target.is_fetching() {
                target.start(Arc::clone(self), Arc::clone(setup), index, wanted, stretch, now);
            }
            if target.must_wait(rules, target_config, demand, now) {
                ends.extend(target.end());
            }
        }
        ends
    }

    /// Fetches rules that are due, for as long as scrapes are regular.
    async fn keep_fetching(self: Arc<Self>) {
        loop {
            let wait = {
                let now = now();
                let mut state = self.state();
                if !state.demand.is_recent(now) {
                    return;
                }
                let demand = state.demand.clone();
                self.fetch_due(&mut state, now, |period| demand.is_regular(period, now));
                let State { setup, targets, .. } = &*state;
                let next =
                    targets.iter().filter_map(|target| target.next_due(&setup.config.rules, now));
                next.min().map_or(60, |next| next.saturating_sub(now).clamp(1, 60))
            };
            _ = timeout(until_second(now() + wait), self.fetch_ended.notified()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connections(concurrency: usize, demo: Option<&Demo>) -> Connections {
    Connections::new(concurrency, demo.map(Demo::url))
}

fn snapshot(setup: &Setup, targets: &[TargetState]) -> Snapshot {
    let targets = targets.iter().map(TargetState::snapshot).collect();
    Snapshot { config: Arc::clone(&setup.config), targets }
}

/// Waits until all fetches have ended. After the first one has ended, waits at most a few times as long
/// as it took: an account that hangs must not delay the results of the others.
async fn wait(ends: Vec<FetchEnd>) {
    let start = Instant::now();
    let mut ends: FuturesUnordered<_> = ends.into_iter().collect();
    if ends.next().await.is_none() || ends.is_empty() {
        return;
    }
    let limit = Instant::now() + start.elapsed() * 2 + Duration::from_secs(1);
    while let Ok(Some(())) = timeout_at(limit.into(), ends.next()).await {}
}

/// The time until `second`, in seconds since 1970; at least 50 ms.
fn until_second(second: u64) -> Duration {
    let time = UNIX_EPOCH + Duration::from_secs(second);
    time.duration_since(SystemTime::now()).unwrap_or_default().max(Duration::from_millis(50))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
