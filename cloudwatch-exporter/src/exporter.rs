//! The program behind its pages: one registry, a configuration that can be read again, and what it
//! can do instead of serving.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exporter_core::collector::Error;
use exporter_core::exporter::{CheckLine, Exporter, Opened, Query};
use exporter_core::registry::Registry;
use exporter_core::run::{COLLECTOR_TIMEOUT, Plan};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::cache::Cache;
use crate::config::Config;
use crate::plan::estimate::estimate;
use crate::plan::table::table;
use crate::{check, options};

#[derive(Debug)]
pub(crate) struct CloudWatchExporter {
    registry: Arc<Registry>,
    cache: Arc<Cache>,
    plan: Option<PlanCommand>,
}

/// `--plan`.
#[derive(Debug)]
struct PlanCommand {
    config: Config,
    /// For what would have to be listed.
    sets: Option<usize>,
    concurrency: usize,
    is_json: bool,
}

impl PlanCommand {
    async fn run(&self) -> Result<String, String> {
        let estimate = estimate(&self.config, self.sets, self.concurrency).await?;
        if self.is_json {
            let json =
                serde_json::to_string_pretty(&estimate).map_err(|error| error.to_string())?;
            return Ok(json + "\n");
        }
        Ok(table(&estimate))
    }
}

/// A collector may take as long as a scrape may, unless a flag says otherwise: it knows how to stop
/// in time.
const LIMIT: Duration = Duration::from_hours(1);

impl CloudWatchExporter {
    pub(crate) fn open(plan: &Plan<Arc<Cache>>) -> Opened {
        let flags = &plan.flags;
        let concurrency = options::concurrency(flags)?;
        let sets = options::sets(flags)?;
        let planned = flags.text(&options::PLAN);
        let file = if planned.is_empty() { flags.text(&options::CONFIG_FILE) } else { planned };
        let cache = Cache::new(PathBuf::from(file), options::strictness(flags)?, concurrency);
        let cache = cache.map_err(|error| Error::Other(error.into()))?;
        let mut settings = plan.settings();
        if !flags.is_given(&COLLECTOR_TIMEOUT) {
            settings.limit = LIMIT;
        }
        let registry = Arc::new(plan.registry(&cache, settings)?);
        let plan = if planned.is_empty() {
            None
        } else {
            let mut config = cache.snapshot().setup.config.clone();
            config.scrape_interval = options::scrape_interval(flags)?;
            let is_json = options::is_plan_json(flags)?;
            Some(PlanCommand { config, sets, concurrency, is_json })
        };
        Ok(Arc::new(Self { registry, cache, plan }))
    }
}

impl Exporter for CloudWatchExporter {
    fn registry(&self, _: &Query) -> Result<Arc<Registry>, String> {
        Ok(Arc::clone(&self.registry))
    }

    fn reload(&self) -> Result<(), String> {
        self.cache.reload().map_err(|error| error.to_string())
    }

    fn one_shot_command(&self) -> Option<BoxFuture<'_, Result<String, String>>> {
        Some(self.plan.as_ref()?.run().boxed())
    }

    fn check(&self) -> BoxFuture<'_, Vec<CheckLine>> {
        check::lines(&self.cache).boxed()
    }
}
