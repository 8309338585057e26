//! The entries of `discover`. Each becomes several rules: one for each of its metrics.

use std::sync::Arc;
use std::time::Duration;

use exporter_core::config_file::Fault;
use exporter_core::config_file::yaml::{line_of, similar};
use serde_saphyr::Spanned;

use super::accounts::account_names;
use super::defaults::Defaults;
use super::file::{Discover, not_empty};
use super::metrics::{dimension_names, whole_patterns};
use crate::discovery::Discovery;
use crate::rule::{Rule, STATISTICS, Select, Statistic};
use crate::services::{self, DefaultMetric, Service};
use crate::target::Target;

/// The default period in seconds: most services measure every five minutes or every minute.
const DEFAULT_PERIOD: u32 = 300;

/// The period of metrics of S3 buckets, in seconds.
const DAY: u32 = 86_400;

/// The default lifetime of lists.
const DEFAULT_LIST_TTL: Duration = Duration::from_mins(15);

impl Defaults {
    pub(super) fn discovery_rules(
        &self,
        given: Spanned<Discover>,
        targets: &[Target],
    ) -> Result<Vec<Rule>, Fault> {
        let line = line_of(&given).unwrap_or_default();
        let entry = given.value;
        let Some(name) = not_empty(entry.aws_namespace.clone(), "aws_namespace")? else {
            return Err(Fault::new("discover", Some(line), "each entry needs an `aws_namespace`"));
        };
        let is_untagged = entry.untagged.as_ref().is_some_and(|given| given.value);
        let known = services::find(&name);
        let Some(service) = known.or(is_untagged.then_some(&services::OTHER)) else {
            let hint = match similar(&name, &services::namespaces()) {
                Some(similar) => format!("did you mean {similar:?}?"),
                None => "set `untagged: true` to list its metrics".to_owned(),
            };
            let problem = format!("{name:?} is not a known namespace; {hint}");
            return Err(Fault::new("aws_namespace", Some(line), problem));
        };
        if service.resource_types.is_empty() && !is_untagged {
            let problem = format!(
                "the resources of {name} cannot be found by tags; set `untagged: true` to include all \
                 metrics of the namespace"
            );
            return Err(Fault::new("discover", Some(line), problem));
        }
        let namespace = known.map_or(name, |service| service.namespace.to_owned());
        let metrics = metrics(line, &entry, service, &namespace)?;
        let defaults = self.for_entry(&entry, service)?;
        let tags = entry.tags.map(|given| given.value).unwrap_or_default();
        let tag_patterns = entry
            .tags_regex
            .as_ref()
            .map(|given| whole_patterns(given, "tags_regex"))
            .transpose()?
            .unwrap_or_default();
        let discovery = Arc::new(Discovery::new(service, tags, tag_patterns, is_untagged));
        let dimensions = entry.dimensions.map(dimension_names).transpose()?.map(Arc::from);
        let entry_name = entry.name.map(|given| given.value);
        let accounts = entry.accounts.map(|given| account_names(given, targets)).transpose()?;
        let copied_tags = entry.copy_tags.map(|given| given.value).unwrap_or_default();
        let rule = |(metric, statistics)| Rule {
            line,
            namespace: namespace.clone(),
            metric,
            dimensions: dimensions.clone(),
            select: Select::All,
            tags: None,
            discovery: Some(Arc::clone(&discovery)),
            statistics,
            window: defaults.window,
            set_timestamp: defaults.set_timestamp,
            api: defaults.api,
            list_ttl: defaults.list_ttl,
            warn_on_empty: defaults.warn_on_empty,
            help: None,
            name: entry_name.clone(),
            nil_to_zero: defaults.nil_to_zero,
            from_stream: defaults.from_stream,
            accounts: accounts.clone(),
            copied_tags: copied_tags.clone(),
        };
        Ok(metrics.into_iter().map(rule).collect())
    }

    /// The values for an entry: its own keys, or else those of the file, or else the defaults of the
    /// service.
    fn for_entry(&self, entry: &Discover, service: &Service) -> Result<Self, Fault> {
        let mut defaults = self.with(&entry.shared_keys())?;
        let is_daily = service.namespace == "AWS/S3";
        if entry.period_seconds.is_none() {
            let period = if is_daily { DAY } else { DEFAULT_PERIOD };
            defaults.window.period = defaults.window.period.max(period);
        }
        if entry.range_seconds.is_none() {
            let min_range = defaults.window.period.saturating_mul(2);
            defaults.window.range = defaults.window.range.max(min_range);
        }
        if entry.list_metrics_cache_ttl.is_none() {
            defaults.list_ttl = defaults.list_ttl.max(DEFAULT_LIST_TTL);
        }
        Ok(defaults)
    }
}

/// The metrics of an entry, or the default ones of the service.
fn metrics(
    line: u64,
    entry: &Discover,
    service: &Service,
    namespace: &str,
) -> Result<Vec<(String, Vec<Statistic>)>, Fault> {
    let named =
        |name: &str| Statistic { is_extended: !STATISTICS.contains(&name), name: name.to_owned() };
    let Some(given) = &entry.metrics else {
        if service.metrics.is_empty() {
            let problem = format!("`metrics` is missing, and {namespace} has no default metrics");
            return Err(Fault::new("discover", Some(line), problem));
        }
        let defaults = service.metrics.iter();
        let metric =
            |default: &DefaultMetric| (default.name.to_owned(), vec![named(default.statistic)]);
        return Ok(defaults.map(metric).collect());
    };
    for (metric, statistics) in &given.value {
        if statistics.is_empty() {
            let problem = format!("{metric}: name a statistic, such as Average or p99");
            return Err(Fault::at(given, "metrics", problem));
        }
        let unknown = statistics.iter().find(|name| !is_statistic(name));
        if let Some(name) = unknown {
            let hint = similar(name, &STATISTICS).unwrap_or("Average or p99");
            let problem = format!("{metric}: {name:?} is not a statistic; did you mean {hint}?");
            return Err(Fault::at(given, "metrics", problem));
        }
    }
    let metric = |(metric, names): (&String, &Vec<String>)| {
        let mut statistics: Vec<Statistic> = Vec::new();
        for name in names {
            if !statistics.iter().any(|known| known.name == *name) {
                statistics.push(named(name));
            }
        }
        (metric.clone(), statistics)
    };
    Ok(given.value.iter().map(metric).collect())
}

/// Whether a name is one of the five basic statistics, or an extended one: `p99`, `tm90`,
/// `TM(2%:98%)`, `IQM`.
fn is_statistic(name: &str) -> bool {
    let has_digit = name.chars().any(|c| c.is_ascii_digit());
    STATISTICS.contains(&name) || has_digit || name == "IQM"
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn invalid_entries_are_errors() {
        for (text, problem) in [
            ("discover: [{tags: {A: [b]}}]", "needs an `aws_namespace`"),
            ("discover: [{aws_namespace: AWS/rds}]", "did you mean \"AWS/RDS\"?"),
            (
                "discover: [{aws_namespace: My/Application}]",
                "set `untagged: true` to list its metrics",
            ),
            ("discover: [{aws_namespace: AWS/Usage}]", "set `untagged: true`"),
            ("discover: [{aws_namespace: AWS/KMS}]", "`metrics` is missing"),
            ("discover: [{aws_namespace: AWS/RDS, metrics: {A: []}}]", "A: name a statistic"),
            (
                "discover: [{aws_namespace: AWS/RDS, metrics: {A: [Avg]}}]",
                "\"Avg\" is not a statistic",
            ),
            ("discover: [{aws_namespace: AWS/RDS, accounts: [x]}]", "no account called \"x\""),
            ("discover: [{aws_namespace: AWS/RDS, tag: {}}]", "did you mean \"tags\"?"),
        ] {
            let fault = Config::parse(text.as_bytes()).unwrap_err();
            assert!(fault.problem.contains(problem), "{text}: {fault:?}");
        }
    }

    #[test]
    fn discovery_has_defaults_that_suit_the_service() {
        let text = "discover: [{aws_namespace: AWS/S3}, {aws_namespace: sqs}]";
        let config = Config::parse(text.as_bytes()).unwrap();
        let windows: Vec<_> = config.rules.iter().map(|rule| (rule.title(), rule.window)).collect();
        assert_eq!(windows[0].0, "AWS/S3 BucketSizeBytes");
        assert_eq!((windows[0].1.period, windows[0].1.range), (86_400, 172_800));
        assert_eq!((windows[2].1.period, windows[2].1.range), (300, 600));
        assert!(config.rules.iter().all(|rule| rule.is_listed() && rule.has_resources()));
    }
}
