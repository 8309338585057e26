//! The configuration file: the Java exporter's, with every key, in YAML or JSON, and keys of our
//! own. An error names the line and the key.

mod discover;
mod file;
mod keys;
mod target;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exporter_core::config_file::{self, line_of};
use exporter_core::web::ConfigError;
use regex::bytes::{Regex, RegexBuilder};
use serde_saphyr::Spanned;

use self::file::{Given, Metric, Shared, Whole};
pub(crate) use self::keys::{Strictness, Warning};
use self::target::Endpoints;
pub(crate) use self::target::{Role, Target};
use self::values::{accounts, names, patterns, statistics, tags, text_of, value_or};
use crate::rule::{Api, Rule, Select, Window};

/// How metrics and labels are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As by the Java exporter.
    #[default]
    Java,
    /// As by yet-another-cloudwatch-exporter.
    Yace,
}

/// What is asked for, where, and as whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) targets: Vec<Target>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) naming: Naming,
    /// Labels of every series of a rule.
    pub(crate) labels: Vec<(String, String)>,
    /// Dollars a month that asking may cost.
    pub(crate) budget: Option<f64>,
    /// The time between scrapes that costs are planned for, in seconds.
    pub(crate) scrape_interval: u64,
    /// What was left out.
    pub(crate) warnings: Vec<Warning>,
    /// The text it was read from.
    pub(crate) source: Vec<u8>,
}

/// Scrapes are taken to come at most this often, in seconds, where a month's requests are counted.
pub(crate) const SCRAPE_INTERVAL: u64 = 60;

impl Config {
    /// The configuration of `--demo` without a file.
    pub(crate) fn example() -> Result<Self, ConfigError> {
        let text = include_bytes!("demo/config.yml");
        Self::parse_as(text, Strictness::Refuse).map_err(|fault| {
            ConfigError::new(Path::new("the example"), fault.problem)
                .with_line(fault.line)
                .with_key(fault.key.map(str::to_owned))
        })
    }

    /// Reads the file. Warnings are logged; the error is one line.
    pub(crate) fn read(path: &Path, strictness: Strictness) -> Result<Self, ConfigError> {
        let fault = |fault: Fault| {
            ConfigError::new(path, fault.problem.replace(char::is_control, " "))
                .with_line(fault.line)
                .with_key(fault.key.map(str::to_owned))
        };
        let text = config_file::read(path, config_file::SMALL).map_err(|error| {
            fault(Fault { line: None, key: None, problem: format!("cannot be read: {error}") })
        })?;
        let config = Self::parse_as(&text, strictness).map_err(fault)?;
        for Warning { line, problem } in &config.warnings {
            let problem = problem.replace(char::is_control, " ");
            let line = line.unwrap_or_default();
            tracing::warn!(file = %path.display(), line, "{problem}");
        }
        Ok(config)
    }

    #[cfg(test)]
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Fault> {
        Self::parse_as(text, Strictness::Refuse)
    }

    pub(crate) fn parse_as(text: &[u8], strictness: Strictness) -> Result<Self, Fault> {
        let (mut file, mut warnings) = file::parse(text, strictness)?;
        let discover = file.discover.take().unwrap_or_default();
        let metrics = file.metrics.take().or_else(|| (!discover.is_empty()).then(Vec::new));
        let Some(metrics) = metrics else {
            return Err(Fault {
                line: None,
                key: Some("metrics"),
                problem: "Must provide metrics".into(),
            });
        };
        let region = text_of(file.region.take(), "region")?;
        let role_arn = text_of(file.role_arn.take(), "role_arn")?;
        let endpoints = Endpoints {
            fips: file.fips_endpoints.as_ref().map(|given| given.value),
            dual_stack: file.dual_stack_endpoints.as_ref().map(|given| given.value),
        };
        let mut targets = match file.accounts.take() {
            Some(_) if role_arn.is_some() => {
                let problem = "is for a file without `accounts`; give each account its own";
                return Err(Fault { line: None, key: Some("role_arn"), problem: problem.into() });
            }
            Some(accounts) => target::all(accounts, region.as_ref())?,
            None => target::only(region, role_arn),
        };
        for target in &mut targets {
            target.endpoints = endpoints;
        }
        let defaults = Defaults::new(&file.shared())?;
        let mut rules = Vec::with_capacity(metrics.len());
        for metric in metrics {
            rules.extend(defaults.rule(metric, &targets, strictness, &mut warnings)?);
        }
        for entry in discover {
            rules.extend(defaults.discovered(entry, &targets)?);
        }
        Ok(Self {
            targets,
            rules,
            naming: naming(file.naming.as_ref())?,
            labels: labels(file.labels)?,
            budget: budget(file.budget_dollars.as_ref())?,
            scrape_interval: SCRAPE_INTERVAL,
            warnings,
            source: text.to_vec(),
        })
    }
}

fn naming(given: Option<&Spanned<String>>) -> Result<Naming, Fault> {
    match given.map(|given| (given, given.value.as_str())) {
        None | Some((_, "java")) => Ok(Naming::Java),
        Some((_, "yace")) => Ok(Naming::Yace),
        Some((given, _)) => Err(Fault::at(given, "naming", "expected java or yace")),
    }
}

fn labels(given: Given<BTreeMap<String, String>>) -> Result<Vec<(String, String)>, Fault> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let is_legal = |name: &str| {
        let mut letters = name.chars();
        let first =
            letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_');
        first && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let taken = ["job", "instance", "account", "account_id", "region", "name"];
    for name in given.value.keys() {
        if !is_legal(name) || name.starts_with("__") || taken.contains(&name.as_str()) {
            let problem = format!("{name:?} cannot be the name of a label");
            return Err(Fault::at(&given, "labels", problem));
        }
    }
    Ok(given.value.into_iter().collect())
}

fn budget(given: Option<&Spanned<f64>>) -> Result<Option<f64>, Fault> {
    match given {
        Some(given) if !given.value.is_finite() || given.value <= 0.0 => {
            Err(Fault::at(given, "budget_dollars", "expected dollars a month, more than 0"))
        }
        given => Ok(given.map(|given| given.value)),
    }
}

/// A fault before it is known in which file it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: Option<u64>,
    pub(crate) key: Option<&'static str>,
    pub(crate) problem: String,
}

impl Fault {
    fn at<T>(value: &Spanned<T>, key: &'static str, problem: impl Into<String>) -> Self {
        Self { line: line_of(value), key: Some(key), problem: problem.into() }
    }

    fn on(line: u64, key: Option<&'static str>, problem: impl Into<String>) -> Self {
        Self { line: Some(line), key, problem: problem.into() }
    }
}

/// Each combination of values is asked for, whether it exists or not.
const MOST_COMBINATIONS: usize = 100_000;

/// What of an ARN is the id of its resource, where nothing else is said.
pub(crate) const ID_PATTERN: &str = "(?:([^:/]+)|[^:/]+/([^:]+))$";

/// A pattern in Java's manner: its classes are ASCII.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(false).build().map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("{text:?} is not a pattern: {reason}")
    })
}

/// What holds for each metric that does not say otherwise.
struct Defaults {
    window: Window,
    set_timestamp: bool,
    api: Option<Api>,
    list_ttl: Duration,
    warn_on_empty: bool,
    nil_to_zero: bool,
}

impl Defaults {
    fn new(shared: &Shared<'_>) -> Result<Self, Fault> {
        let java = Self {
            window: Window { period: 60, range: 600, delay: 600 },
            set_timestamp: true,
            api: None,
            list_ttl: Duration::ZERO,
            warn_on_empty: false,
            nil_to_zero: false,
        };
        java.with(shared)
    }

    /// These, but for what is written down.
    fn with(&self, shared: &Shared<'_>) -> Result<Self, Fault> {
        let Shared { period_seconds, range_seconds, delay_seconds, .. } = shared;
        let ttl = shared.list_metrics_cache_ttl;
        let seconds = |given: &Given<Whole>, key, otherwise| match given {
            Some(given) => u32::try_from(given.value.0)
                .map_err(|_| Fault::at(given, key, "expected a number of seconds, 0 or more")),
            None => Ok(otherwise),
        };
        let period = seconds(period_seconds, "period_seconds", self.window.period)?;
        let allowed = matches!(period, 1 | 5 | 10 | 20 | 30) || (period > 0 && period % 60 == 0);
        if let Some(given) = period_seconds.as_ref().filter(|_| !allowed) {
            let problem = "CloudWatch has periods of 1, 5, 10, 20, 30 and multiples of 60 seconds";
            return Err(Fault::at(given, "period_seconds", problem));
        }
        let range = seconds(range_seconds, "range_seconds", self.window.range)?;
        if let Some(given) = range_seconds.as_ref().filter(|_| range == 0) {
            return Err(Fault::at(given, "range_seconds", "expected more than 0 seconds"));
        }
        let api = shared.use_get_metric_data.as_ref();
        let api = api.map(|given| if given.value { Api::Data } else { Api::Statistics });
        let kept = Duration::from_secs(u64::from(seconds(
            ttl,
            "list_metrics_cache_ttl",
            u32::try_from(self.list_ttl.as_secs()).unwrap_or(u32::MAX),
        )?));
        Ok(Self {
            window: Window {
                period,
                range,
                delay: seconds(delay_seconds, "delay_seconds", self.window.delay)?,
            },
            set_timestamp: value_or(shared.set_timestamp.as_ref(), self.set_timestamp),
            api: api.or(self.api),
            list_ttl: kept,
            warn_on_empty: value_or(
                shared.warn_on_empty_list_dimensions.as_ref(),
                self.warn_on_empty,
            ),
            nil_to_zero: value_or(shared.nil_to_zero.as_ref(), self.nil_to_zero),
        })
    }

    /// The rule of a metric; `None` where it has nothing left that can be asked for.
    fn rule(
        &self,
        metric: Spanned<Metric>,
        targets: &[Target],
        strictness: Strictness,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Rule>, Fault> {
        let line = line_of(&metric).unwrap_or_default();
        let metric = metric.value;
        let Self { window, set_timestamp, api, list_ttl, warn_on_empty, nil_to_zero } =
            self.with(&metric.shared())?;
        let both = (
            text_of(metric.aws_namespace, "aws_namespace")?,
            text_of(metric.aws_metric_name, "aws_metric_name")?,
        );
        let (Some(namespace), Some(name)) = both else {
            return Err(Fault::on(line, None, "Must provide aws_namespace and aws_metric_name"));
        };
        let dimensions = metric.aws_dimensions.map(names).transpose()?.map(Arc::from);
        let select = match (metric.aws_dimension_select, metric.aws_dimension_select_regex) {
            (Some(_), Some(given)) => {
                let problem = "Must not provide aws_dimension_select and \
                               aws_dimension_select_regex at the same time";
                return Err(Fault::on(line_of(&given).unwrap_or(line), None, problem));
            }
            (Some(values), None) => {
                let sizes = values.value.values().map(Vec::len);
                if sizes.fold(1, usize::saturating_mul) > MOST_COMBINATIONS {
                    let problem = format!(
                        "has more than {MOST_COMBINATIONS} combinations of values; select fewer, or \
                         use aws_dimension_select_regex"
                    );
                    return Err(Fault::at(&values, "aws_dimension_select", problem));
                }
                Select::Values(values.value)
            }
            (None, Some(given)) => {
                Select::Patterns(patterns(&given, "aws_dimension_select_regex")?)
            }
            (None, None) => Select::All,
        };
        let statistics = statistics(
            metric.aws_statistics.as_ref(),
            metric.aws_extended_statistics.as_ref(),
            strictness,
            warnings,
        )?;
        if statistics.is_empty() {
            return Ok(None);
        }
        Ok(Some(Rule {
            line,
            namespace,
            metric: name,
            dimensions,
            select,
            discovery: None,
            tags: metric.aws_tag_select.map(|given| tags(&given)).transpose()?,
            statistics,
            window,
            set_timestamp,
            api,
            list_ttl,
            warn_on_empty,
            help: metric.help.map(|given| given.value),
            name: metric.name.map(|given| given.value),
            nil_to_zero,
            accounts: metric.accounts.map(|given| accounts(given, targets)).transpose()?,
            copied_tags: Vec::new(),
        }))
    }
}
