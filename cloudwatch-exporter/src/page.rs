//! The environment of the collector.

use std::sync::Arc;

use crate::cache::Cache;
use crate::name_filter::NameFilter;

/// What a page exposes: the results in the cache, filtered by the names of families.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) cache: Arc<Cache>,
    pub(crate) names: NameFilter,
}
