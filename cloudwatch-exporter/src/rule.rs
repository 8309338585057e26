//! Rules: the entries of the configuration, with all defaults applied.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use regex::bytes::Regex;

use crate::discovery::Discovery;
use crate::target::Target;

/// One entry of `metrics`: a metric, in all or some of its dimension sets.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent keys of the file")]
pub(crate) struct Rule {
    /// The line in the file.
    pub(crate) line: u64,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    /// The names of all dimensions. `None` means the metric without dimensions, which need not be
    /// listed.
    pub(crate) dimensions: Option<Arc<[String]>>,
    pub(crate) select: Select,
    pub(crate) tags: Option<Tags>,
    /// Set for entries of `discover`, whose metrics may have any dimensions.
    pub(crate) discovery: Option<Arc<Discovery>>,
    pub(crate) statistics: Vec<Statistic>,
    pub(crate) window: Window,
    /// Whether samples have the timestamp of their datapoint.
    pub(crate) set_timestamp: bool,
    /// The operation to use; `None` selects it by cost.
    pub(crate) api: Option<Api>,
    /// The lifetime of a list of dimension sets.
    pub(crate) list_ttl: Duration,
    pub(crate) warn_on_empty: bool,
    pub(crate) help: Option<String>,
    /// The label `name` of series without a resource, with the naming of YACE.
    pub(crate) name: Option<String>,
    /// Whether a metric without datapoints in the window is 0.
    pub(crate) nil_to_zero: bool,
    /// Whether the datapoints come from a metric stream.
    pub(crate) from_stream: bool,
    /// The names of the accounts to which the rule applies. `None` means all.
    pub(crate) accounts: Option<Vec<String>>,
    /// The keys of resource tags that become labels of the series.
    pub(crate) copied_tags: Vec<String>,
}

impl Rule {
    /// Whether the dimension sets have to be listed.
    pub(crate) fn is_listed(&self) -> bool {
        !self.from_stream
            && (self.discovery.is_some() || (self.dimensions.is_some() && self.product().is_none()))
    }

    /// Whether a metric stream can feed the rule. A stream has a datapoint each minute, and percentiles
    /// of minutes cannot be combined.
    pub(crate) fn can_be_streamed(&self) -> bool {
        let period = self.window.period;
        let is_extended = self.statistics.iter().any(|statistic| statistic.is_extended);
        STREAMED_PERIODS.contains(&period) && (period == 60 || !is_extended)
    }

    /// Whether the rule causes requests to AWS.
    pub(crate) fn is_fetched(&self) -> bool {
        !self.from_stream || self.has_resources()
    }

    /// The dimension sets, if the configuration determines them: all combinations of the selected
    /// values, if values are given for each dimension and tags are not used.
    pub(crate) fn product(&self) -> Option<Vec<Vec<String>>> {
        let names = self.dimensions.as_ref()?;
        let Select::Values(values) = &self.select else { return None };
        let is_determined = !names.is_empty()
            && self.tags.is_none()
            && values.len() == names.len()
            && names.iter().all(|name| values.contains_key(name));
        if !is_determined {
            return None;
        }
        let mut sets = vec![Vec::new()];
        for name in names.iter() {
            let values = values.get(name).map(Vec::as_slice).unwrap_or_default();
            let extended = |set: &Vec<String>| {
                let set = set.clone();
                values.iter().map(move |value| [set.as_slice(), from_ref(value)].concat())
            };
            sets = sets.iter().flat_map(extended).collect();
        }
        Some(sets)
    }

    /// Whether the rule applies to this target.
    pub(crate) fn applies_to(&self, target: &Target) -> bool {
        let Some(accounts) = &self.accounts else { return true };
        let name = target.account.as_ref().map(|account| &account.name);
        name.is_some_and(|name| accounts.contains(name))
    }

    /// Whether resources have to be listed.
    pub(crate) fn has_resources(&self) -> bool {
        let has_types = |discovery: &Arc<Discovery>| !discovery.service.resource_types.is_empty();
        self.tags.is_some() || self.discovery.as_ref().is_some_and(has_types)
    }

    /// The name in logs and tables: `AWS/ELB HealthyHostCount`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.namespace, self.metric)
    }
}

/// The periods in seconds to which the minutes of a metric stream can be combined.
pub(crate) const STREAMED_PERIODS: RangeInclusive<u32> = 60..=3600;

/// The selected values of dimensions. Other dimensions may have any value.
#[derive(Clone, Debug)]
pub(crate) enum Select {
    All,
    /// These values.
    Values(BTreeMap<String, Vec<String>>),
    /// Values that match one of these patterns as a whole.
    Patterns(BTreeMap<String, Vec<Regex>>),
}

impl Select {
    pub(crate) fn matches(&self, dimension: &str, value: &str) -> bool {
        match self {
            Self::All => true,
            Self::Values(values) => {
                values.get(dimension).is_none_or(|values| values.iter().any(|v| v == value))
            }
            Self::Patterns(patterns) => patterns
                .get(dimension)
                .is_none_or(|patterns| patterns.iter().any(|p| p.is_match(value.as_bytes()))),
        }
    }
}

/// A selection of resources by their tags.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    /// The allowed values by key. `None` exposes every resource, and excludes no metric.
    pub(crate) selections: Option<BTreeMap<String, Vec<String>>>,
    /// The name in the tagging service: `ec2:instance`.
    pub(crate) resource_type: String,
    /// The dimension with the ID of the resource.
    pub(crate) id_dimension: String,
    /// The pattern of the ID in an ARN.
    pub(crate) id_pattern: Regex,
}

impl Tags {
    /// The ID in an ARN: the first group that is not empty, in the first match.
    pub(crate) fn id<'a>(&self, arn: &'a str) -> Option<&'a str> {
        let groups = self.id_pattern.captures(arn.as_bytes())?;
        let group = groups.iter().skip(1).flatten().find(|group| !group.is_empty())?;
        std::str::from_utf8(group.as_bytes()).ok()
    }
}

/// The name of a statistic in CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statistic {
    pub(crate) name: String,
    /// Percentiles and similar, which `GetMetricStatistics` has in another list.
    pub(crate) is_extended: bool,
}

/// The basic statistics, in the order of the exposition.
pub(crate) const STATISTICS: [&str; 5] = ["Sum", "SampleCount", "Minimum", "Maximum", "Average"];

/// An operation that returns datapoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Api {
    /// `GetMetricData`: up to 500 queries per call, billed by metric.
    Data,
    /// `GetMetricStatistics`: one metric per call, billed by call, with many free calls a month.
    Statistics,
}

/// The time range of queries, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Window {
    pub(crate) period: u32,
    pub(crate) range: u32,
    pub(crate) delay: u32,
}

/// The maximum age of results in seconds, for any period. It ensures that late datapoints, such as those
/// of daily storage metrics, are exposed soon.
pub(crate) const MAX_AGE: u64 = 3600;

impl Window {
    /// The start and end of the span to query at `now`, in seconds since 1970. A span consists of whole
    /// periods. The last one is the newest complete period that began at least `delay` ago.
    pub(crate) fn span(self, now: u64) -> (u64, u64) {
        let period = u64::from(self.period.max(1));
        let delayed = now.saturating_sub(self.delay.into()) / period;
        let end = (delayed + 1).min(now / period) * period;
        let range = u64::from(self.range).max(1).div_ceil(period) * period;
        (end.saturating_sub(range), end)
    }

    /// The number of datapoints in a span.
    pub(crate) fn datapoints(self) -> u32 {
        self.range.div_ceil(self.period.max(1)).max(1)
    }

    /// Until when the result of a query at `now` is used: until it may have changed, or longer if
    /// `stretch` periods are between two queries.
    pub(crate) fn valid_until(self, now: u64, stretch: u32) -> u64 {
        let (_, end) = self.span(now);
        let (period, delay) = (u64::from(self.period.max(1)), u64::from(self.delay));
        let next = end + delay.max(period);
        let stretch = u64::from(stretch.max(1));
        let stretched = next + (stretch - 1) * period.min(MAX_AGE);
        stretched.min(now + MAX_AGE * stretch)
    }

    /// The number of queries a month, if scraped every `scrape` seconds.
    pub(crate) fn queries_per_month(self, scrape: u64) -> f64 {
        const MONTH: f64 = 30.0 * 86_400.0;
        let interval = u64::from(self.period).max(scrape).max(1);
        MONTH / interval.min(MAX_AGE.max(scrape)) as f64
    }

    /// Whether metrics without data for more than three hours can be left out of the list.
    pub(crate) fn is_recent(self) -> bool {
        self.range < 3 * 3600
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn rule(namespace: &str, metric: &str, dimensions: &[&str]) -> Rule {
        let text = format!(
            "metrics: [{{aws_namespace: '{namespace}', aws_metric_name: '{metric}', \
             aws_dimensions: [{}]}}]",
            dimensions.join(", ")
        );
        crate::config::Config::parse(text.as_bytes()).unwrap().rules.remove(0)
    }

    fn values(selected: &[(&str, &[&str])]) -> Select {
        let owned = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
        Select::Values(selected.iter().map(|(k, v)| ((*k).to_owned(), owned(v))).collect())
    }

    #[test]
    fn a_rule_with_values_for_each_dimension_is_not_listed() {
        let mut rule = rule("AWS/ELB", "Latency", &["Zone", "Name"]);
        assert!(rule.is_listed());
        rule.select = values(&[("Name", &["x", "y"]), ("Zone", &["a", "b"])]);
        let product: Vec<_> = rule.product().unwrap().iter().map(|set| set.join("/")).collect();
        assert_eq!(product, ["a/x", "a/y", "b/x", "b/y"], "in the order of the dimensions");
        assert!(!rule.is_listed());
        for select in [
            values(&[("Name", &["x"])]),
            values(&[("Name", &["x"]), ("Other", &["y"])]),
            values(&[("Name", &["x"]), ("Zone", &["y"]), ("Other", &["z"])]),
            values(&[]),
        ] {
            rule.select = select;
            assert!(rule.is_listed(), "{:?}", rule.select);
        }
        rule.dimensions = Some(Arc::default());
        assert!(rule.is_listed(), "other metrics of the name may have dimensions");
        rule.dimensions = None;
        assert!(!rule.is_listed());
    }

    #[test]
    fn spans_consist_of_whole_periods_and_are_valid_for_one() {
        let window = |period, range, delay| Window { period, range, delay };
        for (window, now, span, until) in [
            (window(60, 600, 600), 100_000, (98_820, 99_420), 100_020),
            (window(60, 600, 600), 100_019, (98_820, 99_420), 100_020),
            (window(60, 600, 600), 100_020, (98_880, 99_480), 100_080),
            (window(300, 60, 0), 100_000, (99_600, 99_900), 100_200),
            (window(300, 301, 0), 100_000, (99_300, 99_900), 100_200),
            (window(300, 300, 100), 100_000, (99_600, 99_900), 100_200),
            // Daily metrics: yesterday is queried once today has begun.
            (window(86_400, 172_800, 600), 200_000, (0, 172_800), 203_600),
            (window(86_400, 172_800, 86_400), 200_000, (0, 172_800), 203_600),
            (window(86_400, 172_800, 86_400), 172_800, (0, 172_800), 176_400),
            (window(86_400, 86_400, 86_401), 172_800, (0, 86_400), 172_801),
            (window(60, 600, 600), 5, (0, 0), 600),
            (window(1, 1, 0), 7, (6, 7), 8),
        ] {
            assert_eq!(window.span(now), span, "{window:?} at {now}");
            assert_eq!(window.valid_until(now, 1), until, "{window:?} at {now}");
        }
        let per_month = |period, scrape| window(period, 600, 600).queries_per_month(scrape);
        assert!((per_month(60, 15) - 43_200.0).abs() < 1e-9);
        assert!((per_month(60, 120) - 21_600.0).abs() < 1e-9);
        assert!((per_month(86_400, 60) - 720.0).abs() < 1e-9);
    }

    #[test]
    fn the_id_is_the_first_nonempty_group() {
        let mut tags = Tags {
            selections: None,
            resource_type: "ec2:instance".into(),
            id_dimension: "InstanceId".into(),
            id_pattern: crate::config::pattern(crate::config::ID_PATTERN).unwrap(),
        };
        for (pattern, arn, id) in [
            ("", "arn:aws:ec2:eu-west-1:1:instance/i-1", Some("i-1")),
            ("", "arn:aws:elasticache:eu-west-1:1:cluster:front", Some("front")),
            ("", "arn:aws:s3:::bucket", Some("bucket")),
            ("", "", None),
            ("(targetgroup/.*)$", "arn:aws:x:r:1:targetgroup/a/b", Some("targetgroup/a/b")),
            ("([^/]+)/[^/]+$", "arn:aws:wafv2:r:1:regional/webacl/name/id", Some("name")),
            ("nothing", "arn:aws:s3:::bucket", None),
            ("()bucket", "arn:aws:s3:::bucket", None),
        ] {
            if !pattern.is_empty() {
                tags.id_pattern = crate::config::pattern(pattern).unwrap();
            }
            assert_eq!(tags.id(arn), id, "{pattern} {arn}");
        }
    }
}
