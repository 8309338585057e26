//! Limits on the output of a collector.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// Says whether the family of a name is wanted.
pub type NamePredicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which families a collector may write, and how many series.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct OutputLimits {
    /// Whether the family of a name is wanted; all are where there is no such function. A family
    /// that is not costs nothing but the question, and is not counted as dropped.
    pub is_wanted: Option<NamePredicate>,
    /// The most series of one collector in one scrape. Further ones are dropped and counted.
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
