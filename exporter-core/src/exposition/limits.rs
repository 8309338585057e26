//! Limits on the output of a collector.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// Returns whether a family is included.
pub type NamePredicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Limits on the families of a collector and on the number of series.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct OutputLimits {
    /// Whether a family is included, by its name; all are if this is `None`. A family that is not
    /// included is not encoded, and not counted as dropped.
    pub is_wanted: Option<NamePredicate>,
    /// The maximum number of series of one collector in one scrape. Further ones are dropped and
    /// counted.
    pub max_series: Option<usize>,
}

impl OutputLimits {
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.is_wanted.as_ref().is_none_or(|is_wanted| is_wanted(name))
    }
}

impl Debug for OutputLimits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { is_wanted, max_series } = self;
        f.debug_struct("OutputLimits")
            .field("is_wanted", &is_wanted.is_some())
            .field("max_series", max_series)
            .finish()
    }
}
