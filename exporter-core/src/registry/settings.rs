//! Settings of a registry.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::exposition::limits::OutputLimits;

/// Settings of a registry, apart from its collectors.
#[non_exhaustive]
pub struct Settings {
    /// The family with the time that each collector took: a gauge in seconds.
    pub duration: Option<&'static Desc<'static, 1>>,
    /// The family with the success of each collector: 0 or 1.
    pub success: Option<&'static Desc<'static, 1>>,
    /// A prefix of collector names in the labels of these.
    pub label: &'static str,
    /// The time limit of a collector.
    pub limit: Duration,
    /// The maximum number of async collectors that run at the same time.
    pub concurrency: usize,
    /// Whether `OpenMetrics` has `_created` lines.
    pub created_lines: bool,
    /// The family with the collectors whose devices or features the machine lacks: 1 for each.
    pub absent: Option<&'static Desc<'static, 1>>,
    /// The limits on the output of each collector.
    pub limits: OutputLimits,
    /// Whether dropped series are counted on the page.
    pub exposes_dropped: bool,
    /// Whether `collect[]` may name collectors that are off or unknown, beside others: they are
    /// ignored, counted and logged. If not, such a scrape is refused.
    pub ignores_unavailable: bool,
    /// Writes the metrics of the program itself, after the collectors.
    pub own: Box<dyn Fn(&mut Families) + Send + Sync>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            duration: None,
            success: None,
            absent: None,
            limits: OutputLimits::default(),
            label: "",
            limit: Duration::from_secs(5),
            concurrency: 16,
            created_lines: false,
            exposes_dropped: false,
            ignores_unavailable: false,
            own: Box::new(|_| {}),
        }
    }
}

impl Debug for Settings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("limit", &self.limit).finish_non_exhaustive()
    }
}
