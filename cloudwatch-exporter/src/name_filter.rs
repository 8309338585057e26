//! The families that a page shows, by name.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The names from `name[]` of the query; without any, all families are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameFilter(Option<Arc<BTreeSet<String>>>);

impl NameFilter {
    pub(crate) fn only(names: BTreeSet<String>) -> Self {
        Self(Some(Arc::new(names)))
    }

    pub(crate) fn shows(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }
}
