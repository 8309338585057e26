//! The metrics of a model by their identity.

use std::collections::HashMap;

use crate::metric::{Dimension, Metric};
use crate::model::Model;

/// A model, with an index of its metrics.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) model: Model,
    by_key: HashMap<String, usize>,
}

impl Catalog {
    pub(crate) fn new(model: Model) -> Self {
        let mut by_key = HashMap::with_capacity(model.metrics.len());
        let mut key = String::new();
        for (index, metric) in model.metrics.iter().enumerate() {
            write_key(
                &mut key,
                [metric.account.as_deref(), metric.region.as_deref()],
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            );
            by_key.insert(key.clone(), index);
        }
        Self { model, by_key }
    }

    /// The metric with exactly these dimensions, in any order, of this account and region or of all.
    /// `key` is a reusable buffer.
    pub(crate) fn find(
        &self,
        key: &mut String,
        account: &str,
        region: &str,
        namespace: &str,
        name: &str,
        dimensions: &[Dimension],
    ) -> Option<&Metric> {
        let scopes = [
            [Some(account), Some(region)],
            [Some(account), None],
            [None, Some(region)],
            [None, None],
        ];
        scopes.into_iter().find_map(|scope| {
            write_key(key, scope, namespace, name, dimensions);
            self.by_key.get(key.as_str()).and_then(|index| self.model.metrics.get(*index))
        })
    }
}

/// Writes the identity of a metric, by which CloudWatch bills, to `key`.
pub(crate) fn write_key(
    key: &mut String,
    [account, region]: [Option<&str>; 2],
    namespace: &str,
    name: &str,
    dimensions: &[Dimension],
) {
    key.clear();
    for part in [account.unwrap_or_default(), region.unwrap_or_default(), namespace, name] {
        key.push_str(part);
        key.push('\0');
    }
    let mut sorted: Vec<&Dimension> = dimensions.iter().collect();
    sorted.sort_unstable();
    for dimension in sorted {
        key.push_str(&dimension.name);
        key.push('\0');
        key.push_str(&dimension.value);
        key.push('\0');
    }
}
