//! Converts jobs to entries of `discover` and `metrics`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::mapping::{Mapping, Report};
use crate::rule::STATISTICS;
use crate::services::Service;

/// An entry of `discover`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Discover {
    aws_namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags_regex: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "is_false")]
    untagged: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copy_tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dimensions: Vec<String>,
    #[serde(flatten)]
    window: Window,
    metrics: BTreeMap<String, Vec<String>>,
}

/// An entry of `metrics`.
#[derive(Debug, Serialize)]
pub(super) struct Metric {
    aws_namespace: String,
    aws_metric_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    accounts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aws_dimensions: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    aws_dimension_select: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aws_statistics: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aws_extended_statistics: Vec<String>,
    #[serde(flatten)]
    window: Window,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Window {
    period_seconds: u64,
    range_seconds: u64,
    delay_seconds: u64,
    set_timestamp: bool,
    #[serde(skip_serializing_if = "is_false")]
    nil_to_zero: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The defaults of a job for its metrics.
#[derive(Debug)]
struct Defaults {
    statistics: Vec<String>,
    period: Option<u64>,
    length: Option<u64>,
    delay: u64,
    nil_to_zero: bool,
    timestamp: bool,
}

/// The default of `period` and `length`, in seconds.
const DEFAULT_PERIOD: u64 = 300;

impl Defaults {
    fn take(job: &mut Mapping, report: &mut Report) -> Self {
        report_all_data_points(job, report);
        if job.number("roundingPeriod").is_some() {
            report.add(&format!("{}, which has no effect in YACE", job.path_of("roundingPeriod")));
        }
        Self {
            statistics: job.texts("statistics"),
            period: job.number("period"),
            length: job.number("length"),
            delay: job.number("delay").unwrap_or_default(),
            nil_to_zero: job.flag("nilToZero").unwrap_or_default(),
            timestamp: job.flag("addCloudwatchTimestamp").unwrap_or_default(),
        }
    }

    /// The metrics of a job, with their statistics and windows.
    fn metrics(
        &self,
        job: &mut Mapping,
        report: &mut Report,
    ) -> Vec<(String, Vec<String>, Window)> {
        let mut metrics = Vec::new();
        for mut metric in job.list("metrics", report) {
            let path = metric.path().to_owned();
            report_all_data_points(&mut metric, report);
            if metric.number("delay").is_some() {
                report.add(&format!("{path}.delay, which YACE ignores; only that of a job counts"));
            }
            let period = metric.number("period").or(self.period).unwrap_or(DEFAULT_PERIOD);
            let length =
                metric.number("length").or(self.length).unwrap_or(DEFAULT_PERIOD).max(period);
            // In YACE, the window ends `delay` before the start of the current period. In this exporter,
            // it ends with the newest period that began `delay_seconds` ago.
            let delay_seconds = if self.delay == 0 { 0 } else { self.delay.saturating_add(period) };
            let window = Window {
                period_seconds: period,
                range_seconds: length,
                delay_seconds,
                set_timestamp: metric.flag("addCloudwatchTimestamp").unwrap_or(self.timestamp),
                nil_to_zero: metric.flag("nilToZero").unwrap_or(self.nil_to_zero),
            };
            let mut statistics = metric.texts("statistics");
            if statistics.is_empty() {
                statistics.clone_from(&self.statistics);
            }
            let name = metric.text("name");
            metric.report_rest(report);
            match name {
                Some(name) if !statistics.is_empty() => metrics.push((name, statistics, window)),
                _ => report.add(&format!("{path}: `name` or `statistics` is missing")),
            }
        }
        metrics
    }
}

fn report_all_data_points(mapping: &mut Mapping, report: &mut Report) {
    if mapping.flag("exportAllDataPoints") == Some(true) {
        let path = mapping.path_of("exportAllDataPoints");
        report.add(&format!("{path}: only the newest datapoint is exposed"));
    }
}

/// Converts a job of `discovery`.
pub(super) fn discovery(
    job: &mut Mapping,
    service: &Service,
    accounts: &[String],
    copied: &[String],
    report: &mut Report,
) -> Vec<Discover> {
    let (tags, tags_regex) = search_tags(job, report);
    if job.flag("includeContextOnInfoMetrics") == Some(true) {
        report.add(&job.path_of("includeContextOnInfoMetrics"));
    }
    for enhanced in job.list("enhancedMetrics", report) {
        report.add(&format!("{}: such metrics are not in CloudWatch", enhanced.path()));
    }
    let entry = Discover {
        aws_namespace: service.namespace.to_owned(),
        name: None,
        accounts: accounts.to_vec(),
        tags,
        tags_regex,
        // Services without tagged resources are listed.
        untagged: service.resource_types.is_empty(),
        copy_tags: copied.to_vec(),
        dimensions: Vec::new(),
        window: Window::default(),
        metrics: BTreeMap::new(),
    };
    group_by_window(job, &entry, report)
}

/// Converts a job of `customNamespace`.
pub(super) fn custom_namespace(
    job: &mut Mapping,
    accounts: &[String],
    report: &mut Report,
) -> Vec<Discover> {
    let Some(namespace) = job.text("namespace") else {
        report.add(&format!("{}: `namespace` is missing", job.path()));
        return Vec::new();
    };
    let entry = Discover {
        aws_namespace: namespace,
        name: job.text("name"),
        accounts: accounts.to_vec(),
        tags: BTreeMap::new(),
        tags_regex: BTreeMap::new(),
        untagged: true,
        copy_tags: Vec::new(),
        dimensions: Vec::new(),
        window: Window::default(),
        metrics: BTreeMap::new(),
    };
    group_by_window(job, &entry, report)
}

/// Copies of `entry` with the metrics of a job: one for each window.
fn group_by_window(job: &mut Mapping, template: &Discover, report: &mut Report) -> Vec<Discover> {
    // This exporter lists recently active metrics unless the range is long.
    _ = job.flag("recentlyActiveOnly");
    let dimensions = job.texts("dimensionNameRequirements");
    let defaults = Defaults::take(job, report);
    let mut by_window: BTreeMap<Window, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (name, statistics, window) in defaults.metrics(job, report) {
        let known = by_window.entry(window).or_default().entry(name).or_default();
        known.extend(statistics);
    }
    let entry = |(window, metrics)| {
        let dimensions = dimensions.clone();
        Discover { dimensions, window, metrics, ..template.clone() }
    };
    by_window.into_iter().map(entry).collect()
}

/// Converts a job of `static`.
pub(super) fn static_metrics(
    job: &mut Mapping,
    accounts: &[String],
    report: &mut Report,
) -> Vec<Metric> {
    let Some(namespace) = job.text("namespace") else {
        report.add(&format!("{}: `namespace` is missing", job.path()));
        return Vec::new();
    };
    let name = job.text("name");
    let mut select = BTreeMap::new();
    for mut dimension in job.list("dimensions", report) {
        if let (Some(key), Some(value)) = (dimension.text("name"), dimension.text("value")) {
            select.insert(key, vec![value]);
        }
        dimension.report_rest(report);
    }
    let defaults = Defaults::take(job, report);
    let metric = |(metric, statistics, window): (String, Vec<String>, Window)| {
        let is_basic = |name: &String| STATISTICS.contains(&name.as_str());
        let (basic, extended) = statistics.into_iter().partition(is_basic);
        Metric {
            aws_namespace: namespace.clone(),
            aws_metric_name: metric,
            name: name.clone(),
            accounts: accounts.to_vec(),
            aws_dimensions: select.keys().cloned().collect(),
            aws_dimension_select: select.clone(),
            aws_statistics: basic,
            aws_extended_statistics: extended,
            window,
        }
    };
    defaults.metrics(job, report).into_iter().map(metric).collect()
}

type Tags = BTreeMap<String, Vec<String>>;

/// Converts `searchTags` to exact values, if a pattern only lists values, or else to patterns.
fn search_tags(job: &mut Mapping, report: &mut Report) -> (Tags, Tags) {
    let (mut values, mut patterns) = (Tags::new(), Tags::new());
    for mut tag in job.list("searchTags", report) {
        let (key, pattern) = (tag.text("key"), tag.text("value").unwrap_or_default());
        tag.report_rest(report);
        let Some(key) = key else { continue };
        match exact_values(&pattern) {
            Some(exact_values) => {
                values.insert(key, exact_values);
            }
            None => {
                // In YACE, patterns match any part of a value. In this exporter, they match whole values.
                patterns.entry(key).or_default().push(format!(".*(?:{pattern}).*"));
            }
        }
    }
    (values, patterns)
}

/// The values that a pattern such as `^(a|b)$` matches; an empty list means any value. `None` if the
/// pattern does not list values.
fn exact_values(pattern: &str) -> Option<Vec<String>> {
    if matches!(pattern, "" | ".*" | "^.*$" | ".+" | "^.+$") {
        return Some(Vec::new());
    }
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let inner = match inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(group) => group,
        None if inner.contains('|') => return None,
        None => inner,
    };
    let values: Vec<_> = inner.split('|').map(str::to_owned).collect();
    let is_literal = |value: &String| regex::escape(value).replace("\\-", "-") == *value;
    values.iter().all(is_literal).then_some(values)
}
