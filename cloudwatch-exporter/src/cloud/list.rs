//! `ListMetrics`: the dimension sets that a metric has.

use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric, RecentlyActive};

use super::attempts::Attempts;
use super::pages::Pages;
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
        let mut sets = Vec::new();
        let mut pages = Pages::new(ACTION, namespace);
        loop {
            let request = self
                .cloudwatch
                .list_metrics()
                .namespace(namespace)
                .metric_name(metric)
                .set_dimensions((!filters.is_empty()).then(|| filters.clone()))
                .set_recently_active(is_recent.then_some(RecentlyActive::Pt3H))
                .set_next_token(pages.token());
            let attempts = charges::attempts(&charges::REQUESTS, ACTION, namespace);
            let page = request.customize().interceptor(Attempts::new(attempts)).send().await;
            let page = page.map_err(|error| Failure::new(ACTION, namespace, &error).counted())?;
            charges::answered(ACTION, namespace, None);
            let metrics = page.metrics.unwrap_or_default();
            let has_more = pages.next(metrics.iter().map(identity), page.next_token)?;
            let metrics = metrics.into_iter();
            sets.extend(
                metrics.filter_map(|metric| listing.set(metric.dimensions.unwrap_or_default())),
            );
            if !has_more {
                break;
            }
        }
        // In an order that stays, each once.
        sets.sort_unstable();
        sets.dedup();
        Ok(Listed { sets, pages: pages.count() })
    }
}

/// What tells a listed metric from others.
fn identity(metric: &Metric) -> Vec<Option<&str>> {
    let dimensions = metric.dimensions().iter();
    let pairs = dimensions.flat_map(|dimension| [dimension.name(), dimension.value()]);
    [metric.metric_name()].into_iter().chain(pairs).collect()
}
