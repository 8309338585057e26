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

use crate::config::Config;
use crate::plan::table;
use crate::poll::Poll;
use crate::{check, options};

#[derive(Debug)]
pub(crate) struct CloudWatchExporter {
    registry: Arc<Registry>,
    poll: Arc<Poll>,
    errand: Option<Errand>,
}

/// `--plan`.
#[derive(Debug)]
struct Errand {
    config: Config,
    /// For what would have to be listed.
    sets: Option<usize>,
    concurrency: usize,
}

/// A collector may take as long as a scrape may, unless a flag says otherwise: it knows how to stop
/// in time.
const LIMIT: Duration = Duration::from_hours(1);

impl CloudWatchExporter {
    pub(crate) fn open(plan: &Plan<Arc<Poll>>) -> Opened {
        let flags = &plan.flags;
        let concurrency = options::concurrency(flags)?;
        let sets = options::sets(flags)?;
        let planned = flags.text(&options::PLAN);
        let file = if planned.is_empty() { flags.text(&options::CONFIG_FILE) } else { planned };
        let poll = Poll::new(PathBuf::from(file), concurrency);
        let poll = poll.map_err(|error| Error::Other(error.into()))?;
        let mut settings = plan.settings();
        if !flags.is_given(&COLLECTOR_TIMEOUT) {
            settings.limit = LIMIT;
        }
        let registry = Arc::new(plan.registry(&poll, settings)?);
        let errand = (!planned.is_empty()).then(|| Errand {
            config: poll.view().setup.config.clone(),
            sets,
            concurrency,
        });
        Ok(Arc::new(Self { registry, poll, errand }))
    }
}

impl Exporter for CloudWatchExporter {
    fn registry(&self, _: &Query) -> Result<Arc<Registry>, String> {
        Ok(Arc::clone(&self.registry))
    }

    fn reload(&self) -> Result<(), String> {
        self.poll.reload().map_err(|error| error.to_string())
    }

    fn one_shot_command(&self) -> Option<BoxFuture<'_, Result<String, String>>> {
        let Errand { config, sets, concurrency } = self.errand.as_ref()?;
        Some(table::print(config, *sets, *concurrency).boxed())
    }

    fn check(&self) -> BoxFuture<'_, Vec<CheckLine>> {
        check::lines(&self.poll).boxed()
    }
}
