//! The program: one registry, a configuration that can be reloaded, and the command `--plan`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use exporter_core::collector::Error;
use exporter_core::exporter::{CheckLine, Exporter, Opened, Query};
use exporter_core::registry::{Registry, Settings};
use exporter_core::run::{CHECK, COLLECTOR_TIMEOUT, Plan};

use crate::cache::{Cache, Source};
use crate::cloud::Connections;
use crate::config::Config;
use crate::estimate::estimate;
use crate::estimate::table::table;
use crate::name_filter::NameFilter;
use crate::page::Page;
use crate::stream_receiver::Receiver;
use crate::{check, options, yace};

pub(crate) struct CloudWatchExporter {
    program: Plan<Page>,
    registry: Arc<Registry>,
    /// The registries of pages that were recently requested with `name[]`.
    by_names: Mutex<BTreeMap<BTreeSet<String>, Arc<Registry>>>,
    cache: Arc<Cache>,
    plan: Option<PlanCommand>,
}

/// The maximum number of registries in `by_names`.
const MAX_REGISTRIES: usize = 16;

impl fmt::Debug for CloudWatchExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudWatchExporter").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// The command `--plan`.
#[derive(Debug)]
struct PlanCommand {
    config: Config,
    connections: Connections,
    /// The number of dimension sets for each metric that would have to be listed.
    sets: Option<usize>,
    concurrency: usize,
    is_json: bool,
}

impl PlanCommand {
    async fn run(&self) -> Result<String, String> {
        let estimate =
            estimate(&self.config, self.sets, &self.connections, self.concurrency).await?;
        if self.is_json {
            let json =
                serde_json::to_string_pretty(&estimate).map_err(|error| error.to_string())?;
            return Ok(json + "\n");
        }
        Ok(table(&estimate))
    }
}

/// The command `--convert`, which serves nothing.
#[derive(Debug)]
struct ConvertCommand(PathBuf);

#[async_trait]
impl Exporter for ConvertCommand {
    fn registry(&self, _: &Query) -> Result<Arc<Registry>, String> {
        Err("--convert serves no metrics".to_owned())
    }

    async fn one_shot_command(&self) -> Option<Result<String, String>> {
        Some(yace::convert(&self.0))
    }
}

/// The default time limit of the collector. It exceeds any scrape timeout, because the collector ends
/// before the timeout by itself.
const TIME_LIMIT: Duration = Duration::from_hours(1);

impl CloudWatchExporter {
    pub(crate) fn open(plan: &Plan<Page>) -> Opened {
        let flags = &plan.flags;
        let yace = flags.text(&options::CONVERT);
        if !yace.is_empty() {
            return Ok(Arc::new(ConvertCommand(yace.into())));
        }
        let concurrency = options::concurrency(flags)?;
        let sets = options::sets(flags)?;
        let planned = flags.text(&options::PLAN);
        let strictness = options::strictness(flags)?;
        let is_demo = flags.is_on(&options::DEMO);
        let source = if !planned.is_empty() {
            Source::File(planned.into(), strictness)
        } else if is_demo && !flags.is_given(&options::CONFIG_FILE) {
            Source::Example
        } else {
            Source::File(flags.text(&options::CONFIG_FILE).into(), strictness)
        };
        let cache = Cache::new(source, concurrency, is_demo)?;
        if planned.is_empty() && !is_demo {
            let receiver = Receiver::open(&cache).map_err(|error| Error::Other(error.into()))?;
            if let Some(receiver) = receiver.filter(|_| !flags.is_on(&CHECK)) {
                receiver.start()?;
            }
        }
        let page = Page { cache: Arc::clone(&cache), names: NameFilter::default() };
        let registry = Arc::new(plan.registry(&page, settings(plan))?);
        let program = plan.clone();
        let plan = if planned.is_empty() {
            None
        } else {
            let mut config = Config::clone(&cache.snapshot().config);
            config.scrape_interval = options::scrape_interval(flags)?;
            let is_json = options::is_plan_json(flags)?;
            let connections = cache.connections();
            Some(PlanCommand { config, connections, sets, concurrency, is_json })
        };
        let by_names = Mutex::default();
        Ok(Arc::new(Self { program, registry, by_names, cache, plan }))
    }

    /// The registry of pages with only these families.
    fn filtered_registry(&self, names: BTreeSet<String>) -> Result<Arc<Registry>, String> {
        let mut by_names = self.by_names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_names.get(&names) {
            return Ok(Arc::clone(known));
        }
        let cache = Arc::clone(&self.cache);
        let page = Page { cache, names: NameFilter::only(names.clone()) };
        let mut settings = settings(&self.program);
        settings.own = Box::new(|_| {});
        let registry = self.program.registry(&page, settings).map_err(|error| error.to_string())?;
        let registry = Arc::new(registry);
        if by_names.len() >= MAX_REGISTRIES {
            by_names.clear();
        }
        by_names.insert(names, Arc::clone(&registry));
        Ok(registry)
    }
}

fn settings(plan: &Plan<Page>) -> Settings {
    let mut settings = plan.settings();
    if !plan.flags.is_given(&COLLECTOR_TIMEOUT) {
        settings.limit = TIME_LIMIT;
    }
    settings
}

#[async_trait]
impl Exporter for CloudWatchExporter {
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String> {
        let names: BTreeSet<_> = query.values("name[]").map(str::to_owned).collect();
        if !names.is_empty() {
            return self.filtered_registry(names);
        }
        Ok(Arc::clone(&self.registry))
    }

    fn reload(&self) -> Result<(), String> {
        self.cache.reload().map_err(|error| error.to_string())
    }

    async fn one_shot_command(&self) -> Option<Result<String, String>> {
        Some(self.plan.as_ref()?.run().await)
    }

    async fn check(&self) -> Vec<CheckLine> {
        check::lines(&self.cache).await
    }
}
