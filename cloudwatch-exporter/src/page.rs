//! The environment of the collector: what one kind of page shows.

use std::sync::Arc;

use crate::cache::Cache;
use crate::name_filter::NameFilter;

/// A page of the cache.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) cache: Arc<Cache>,
    pub(crate) names: NameFilter,
}
