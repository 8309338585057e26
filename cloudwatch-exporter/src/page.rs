//! What one kind of page shows: all that the cache has, or families by their names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cache::Cache;

/// Pages of the same cache.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) cache: Arc<Cache>,
    /// `name[]` of the query; `None` is all of them.
    pub(crate) names: Option<Arc<BTreeSet<String>>>,
}

impl Page {
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }
}
