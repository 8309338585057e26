//! `ListMetrics`: the dimension sets of a metric.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::types::{Dimension, DimensionFilter, Metric, RecentlyActive};

use super::pages::Pages;
use super::{Cloud, Failure};
use crate::allowance::Allowance;
use crate::results::DimensionSet;
use crate::rule::Rule;
use crate::usage;

const ACTION: &str = "listMetrics";

/// The parameters of a list of metrics. Rules with equal parameters share the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListParameters {
    namespace: String,
    metric: String,
    /// The names in the order of the sets; `None` for metrics with any dimensions.
    dimensions: Option<Arc<[String]>>,
    is_recent: bool,
}

/// The dimension sets of a metric, and the number of pages of the list.
#[derive(Debug, Default)]
pub(crate) struct MetricList {
    pub(crate) sets: Arc<Vec<DimensionSet>>,
    pub(crate) pages: u32,
}

impl ListParameters {
    /// `None` if nothing has to be listed.
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        rule.is_listed().then(|| Self {
            namespace: rule.namespace.clone(),
            metric: rule.metric.clone(),
            dimensions: rule.dimensions.clone(),
            is_recent: rule.window.is_recent(),
        })
    }

    /// The dimension set of a metric, if it has exactly the configured dimensions.
    fn set(&self, mut found: Vec<Dimension>, names: &mut Names) -> Option<DimensionSet> {
        let Some(wanted) = &self.dimensions else {
            found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            let (keys, values): (Vec<_>, Vec<_>) = found
                .into_iter()
                .map(|pair| {
                    let value = pair.value.unwrap_or_default().into_boxed_str();
                    (pair.name.unwrap_or_default(), value)
                })
                .unzip();
            let names = names.shared(keys);
            return Some(DimensionSet { names, values: values.into(), owner: None });
        };
        if found.len() != wanted.len() {
            return None;
        }
        let mut value = |name: &String| {
            let has_name = |dimension: &Dimension| dimension.name.as_deref() == Some(name.as_str());
            let index = found.iter().position(has_name)?;
            Some(found.swap_remove(index).value.unwrap_or_default().into_boxed_str())
        };
        let values = wanted.iter().map(&mut value).collect::<Option<_>>()?;
        Some(DimensionSet { names: Arc::clone(wanted), values, owner: None })
    }
}

/// Lists of dimension names, shared by the sets that have them.
#[derive(Default)]
struct Names(Vec<Arc<[String]>>);

impl Names {
    fn shared(&mut self, names: Vec<String>) -> Arc<[String]> {
        if let Some(known) = self.0.iter().find(|known| ***known == *names) {
            return Arc::clone(known);
        }
        let names: Arc<[String]> = names.into();
        self.0.push(Arc::clone(&names));
        names
    }
}

impl Cloud {
    pub(crate) async fn list(
        &self,
        listing: &ListParameters,
        allowance: &Allowance,
    ) -> Result<MetricList, Failure> {
        let ListParameters { namespace, metric, dimensions, is_recent } = listing;
        let filter = |name: &String| DimensionFilter::builder().name(name).build();
        let filters: Vec<_> =
            dimensions.iter().flat_map(|names| names.iter()).map(filter).collect();
        let mut sets = Vec::new();
        let mut names = Names::default();
        let mut owners: BTreeMap<String, Arc<str>> = BTreeMap::new();
        let mut pages = Pages::new(ACTION, namespace);
        loop {
            pages.take(allowance).inspect_err(|failure| self.failed(failure))?;
            let request = self
                .cloudwatch
                .list_metrics()
                .namespace(namespace)
                .metric_name(metric)
                .set_dimensions((!filters.is_empty()).then(|| filters.clone()))
                .set_recently_active(is_recent.then_some(RecentlyActive::Pt3H))
                .set_include_linked_accounts(self.is_linked().then_some(true))
                .set_next_token(pages.token());
            let page = {
                let _permit = self.permit().await;
                let attempts = self.attempts(ACTION, &usage::REQUESTS, namespace);
                request.customize().interceptor(attempts).send().await
            };
            let page = page.map_err(|error| self.failure(ACTION, namespace, &error))?;
            usage::count_response(ACTION, namespace, None);
            let metrics = page.metrics.unwrap_or_default();
            let mut owning_accounts = page.owning_accounts.unwrap_or_default().into_iter();
            let identities = metrics.iter().enumerate().map(|(index, metric)| {
                (identity(metric), owning_accounts.as_slice().get(index).map(String::as_str))
            });
            let has_more = pages
                .record(identities, page.next_token)
                .inspect_err(|failure| self.failed(failure))?;
            for metric in metrics {
                let owner = owning_accounts.next();
                let set = listing.set(metric.dimensions.unwrap_or_default(), &mut names);
                let Some(mut set) = set else { continue };
                set.owner = owner.filter(|_| self.is_linked()).map(|id| {
                    let shared = owners.entry(id).or_insert_with_key(|id| Arc::from(id.as_str()));
                    Arc::clone(shared)
                });
                sets.push(set);
            }
            if !has_more {
                break;
            }
        }
        sets.sort_unstable();
        sets.dedup();
        Ok(MetricList { sets: Arc::new(sets), pages: pages.count() })
    }
}

/// What distinguishes a listed metric: its name and dimensions.
fn identity(metric: &Metric) -> Vec<Option<&str>> {
    let dimensions = metric.dimensions().iter();
    let pairs = dimensions.flat_map(|dimension| [dimension.name(), dimension.value()]);
    [metric.metric_name()].into_iter().chain(pairs).collect()
}
