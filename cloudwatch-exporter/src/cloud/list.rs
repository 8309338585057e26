//! `ListMetrics`: the dimension sets that a metric has.

use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, RecentlyActive};

use super::attempts::Attempts;
use super::{Cloud, Failure};
use crate::charges;
use crate::rule::Rule;
use crate::sheet::Set;

const ACTION: &str = "listMetrics";

/// What a list was asked with: rules with equal ones share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Listing {
    namespace: String,
    metric: String,
    /// In the order of the sets.
    dimensions: Vec<String>,
    is_recent: bool,
}

/// The dimension sets of a metric, and how many pages they came on.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) sets: Vec<Set>,
    pub(crate) pages: u32,
}

impl Listing {
    /// `None` where there is nothing to list.
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        rule.is_listed().then(|| Self {
            namespace: rule.namespace.clone(),
            metric: rule.metric.clone(),
            dimensions: rule.dimensions.clone().unwrap_or_default(),
            is_recent: rule.window.is_recent(),
        })
    }

    /// The values of a metric that has exactly these dimensions.
    fn set(&self, mut dimensions: Vec<Dimension>) -> Option<Set> {
        if dimensions.len() != self.dimensions.len() {
            return None;
        }
        let mut value = |name: &String| {
            let named = |dimension: &Dimension| dimension.name.as_deref() == Some(name.as_str());
            let at = dimensions.iter().position(named)?;
            Some(dimensions.swap_remove(at).value.unwrap_or_default().into_boxed_str())
        };
        self.dimensions.iter().map(&mut value).collect()
    }
}

impl Cloud {
    pub(crate) async fn list(&self, listing: &Listing) -> Result<Listed, Failure> {
        let Listing { namespace, metric, dimensions, is_recent } = listing;
        let filter = |name: &String| DimensionFilter::builder().name(name).build();
        let filters: Vec<_> = dimensions.iter().map(filter).collect();
        let mut listed = Listed::default();
        let mut next = None;
        loop {
            let request = self
                .cloudwatch
                .list_metrics()
                .namespace(namespace)
                .metric_name(metric)
                .set_dimensions((!filters.is_empty()).then(|| filters.clone()))
                .set_recently_active(is_recent.then_some(RecentlyActive::Pt3H))
                .set_next_token(next.clone());
            let attempts = charges::attempts(&charges::REQUESTS, ACTION, namespace);
            let page = request.customize().interceptor(Attempts::new(attempts)).send().await;
            let page = page.map_err(|error| Failure::new(ACTION, namespace, &error).counted())?;
            charges::answered(ACTION, namespace, None);
            listed.pages += 1;
            let metrics = page.metrics.unwrap_or_default().into_iter();
            listed.sets.extend(
                metrics.filter_map(|metric| listing.set(metric.dimensions.unwrap_or_default())),
            );
            let after = page.next_token.filter(|token| !token.is_empty());
            if after.is_none() || after == next {
                break;
            }
            next = after;
        }
        // In an order that stays, each once.
        listed.sets.sort_unstable();
        listed.sets.dedup();
        Ok(listed)
    }
}
