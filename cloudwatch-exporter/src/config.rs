//! The configuration file: the Java exporter's, every key of it, in YAML or JSON. What it would
//! ignore or stumble over later is refused here, by line and key.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use exporter_core::config_file;
use exporter_core::web::config::ConfigError;
use regex::bytes::{Regex, RegexBuilder};
use serde_saphyr::Spanned;

use self::file::{File, Given, Metric, Shared, TagSelect, line_of};
use crate::rule::{Api, Rule, STATISTICS, Select, Statistic, Tags, Window};

/// What is asked for, and as whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) region: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) rules: Vec<Rule>,
    /// The text it was read from.
    pub(crate) source: Vec<u8>,
}

impl Config {
    /// Reads the file, and says what is wrong with it in one line.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let fault = |fault: Fault| ConfigError {
            file: path.to_path_buf(),
            line: fault.line,
            key: fault.key.map(str::to_owned),
            problem: fault.problem.replace(char::is_control, " "),
        };
        let text = config_file::read(path, config_file::SMALL).map_err(|error| {
            fault(Fault { line: None, key: None, problem: format!("cannot be read: {error}") })
        })?;
        Self::parse(&text).map_err(fault)
    }

    pub(crate) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let File { region, role_arn, metrics, shared } = file::parse(text)?;
        let Some(metrics) = metrics else {
            return Err(Fault {
                line: None,
                key: Some("metrics"),
                problem: "Must provide metrics".into(),
            });
        };
        let defaults = Defaults::new(&shared)?;
        let rules = metrics.into_iter().map(|metric| defaults.rule(metric));
        Ok(Self {
            region: text_of(region, "region")?,
            role_arn: text_of(role_arn, "role_arn")?,
            rules: rules.collect::<Result<_, _>>()?,
            source: text.to_vec(),
        })
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
}

impl Defaults {
    fn new(shared: &Shared) -> Result<Self, Fault> {
        let java = Self {
            window: Window { period: 60, range: 600, delay: 600 },
            set_timestamp: true,
            api: None,
            list_ttl: Duration::ZERO,
            warn_on_empty: false,
        };
        java.with(shared)
    }

    /// These, but for what is written down.
    fn with(&self, shared: &Shared) -> Result<Self, Fault> {
        let Shared { period_seconds, range_seconds, delay_seconds, .. } = shared;
        let ttl = &shared.list_metrics_cache_ttl;
        let seconds = |given: &Given<i64>, key, otherwise| match given {
            Some(given) => u32::try_from(given.value)
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
        })
    }

    fn rule(&self, metric: Spanned<Metric>) -> Result<Rule, Fault> {
        let line = line_of(&metric).unwrap_or_default();
        let metric = metric.value;
        let Self { window, set_timestamp, api, list_ttl, warn_on_empty } =
            self.with(&metric.shared)?;
        let both = (
            text_of(metric.aws_namespace, "aws_namespace")?,
            text_of(metric.aws_metric_name, "aws_metric_name")?,
        );
        let (Some(namespace), Some(name)) = both else {
            return Err(Fault::on(line, None, "Must provide aws_namespace and aws_metric_name"));
        };
        let dimensions = metric.aws_dimensions.map(names).transpose()?;
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
            (None, Some(given)) => Select::Patterns(patterns(&given)?),
            (None, None) => Select::All,
        };
        Ok(Rule {
            line,
            namespace,
            metric: name,
            dimensions,
            select,
            tags: metric.aws_tag_select.map(|given| tags(&given)).transpose()?,
            statistics: statistics(
                metric.aws_statistics.as_ref(),
                metric.aws_extended_statistics.as_ref(),
            )?,
            window,
            set_timestamp,
            api,
            list_ttl,
            warn_on_empty,
            help: metric.help.map(|given| given.value),
        })
    }
}

fn value_or(given: Option<&Spanned<bool>>, otherwise: bool) -> bool {
    given.map_or(otherwise, |given| given.value)
}

fn text_of(given: Given<String>, key: &'static str) -> Result<Option<String>, Fault> {
    match given {
        Some(given) if given.value.trim().is_empty() => {
            Err(Fault::at(&given, key, "is empty; give it a value or leave it out"))
        }
        given => Ok(given.map(|given| given.value)),
    }
}

fn names(given: Spanned<Vec<String>>) -> Result<Vec<String>, Fault> {
    let mut sorted: Vec<_> = given.value.iter().collect();
    sorted.sort_unstable();
    let twice = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some((*a).clone()),
        _ => None,
    });
    match twice {
        Some(name) => Err(Fault::at(&given, "aws_dimensions", format!("{name:?} is given twice"))),
        None => Ok(given.value),
    }
}

fn patterns(
    given: &Spanned<BTreeMap<String, Vec<String>>>,
) -> Result<BTreeMap<String, Vec<Regex>>, Fault> {
    let whole = |text: &String| {
        // Alone first: the parts of `a)(b` must not find others to pair with.
        let anchored = pattern(text).and_then(|_| pattern(&format!("^(?:{text})$")));
        anchored.map_err(|problem| Fault::at(given, "aws_dimension_select_regex", problem))
    };
    let of = |(name, texts): (&String, &Vec<String>)| {
        Ok((name.clone(), texts.iter().map(whole).collect::<Result<_, _>>()?))
    };
    given.value.iter().map(of).collect()
}

fn tags(given: &Spanned<TagSelect>) -> Result<Tags, Fault> {
    let select = &given.value;
    let (Some(resource_type), Some(id_dimension)) =
        (select.resource_type_selection.clone(), select.resource_id_dimension.clone())
    else {
        let problem = "Must provide resource_type_selection and resource_id_dimension";
        return Err(Fault::at(given, "aws_tag_select", problem));
    };
    let regexp = select.arn_resource_id_regexp.as_deref().unwrap_or(ID_PATTERN);
    let id_pattern = pattern(regexp)
        .map_err(|problem| Fault::at(given, "aws_tag_select.arn_resource_id_regexp", problem))?;
    if id_pattern.captures_len() < 2 {
        let problem = format!("{regexp:?} has no group; put the id in parentheses");
        return Err(Fault::at(given, "aws_tag_select.arn_resource_id_regexp", problem));
    }
    Ok(Tags { selections: select.tag_selections.clone(), resource_type, id_dimension, id_pattern })
}

/// All five where nothing is said; none of the five where only extended ones are wanted.
fn statistics(
    given: Option<&Spanned<Vec<String>>>,
    extended: Option<&Spanned<Vec<String>>>,
) -> Result<Vec<Statistic>, Fault> {
    let mut statistics = Vec::new();
    let mut add = |name: &str, is_extended| {
        let statistic = Statistic { name: name.to_owned(), is_extended };
        if !statistics.contains(&statistic) {
            statistics.push(statistic);
        }
    };
    match (given, extended) {
        (None, None) => STATISTICS.iter().for_each(|name| add(name, false)),
        (None, Some(_)) => {}
        (Some(given), _) => {
            for name in &given.value {
                if !STATISTICS.contains(&name.as_str()) {
                    let known = STATISTICS.join(", ");
                    let problem = format!(
                        "{name:?} is none of {known}; percentiles go to aws_extended_statistics"
                    );
                    return Err(Fault::at(given, "aws_statistics", problem));
                }
                add(name, false);
            }
        }
    }
    if let Some(extended) = extended {
        for name in &extended.value {
            if name.trim().is_empty() {
                let problem = "a statistic such as p95 is expected";
                return Err(Fault::at(extended, "aws_extended_statistics", problem));
            }
            add(name, true);
        }
    }
    if statistics.is_empty() {
        let line = given.or(extended).and_then(line_of);
        let problem = "no statistic is asked for; name one, or leave the key out for all five";
        return Err(Fault { line, key: Some("aws_statistics"), problem: problem.into() });
    }
    Ok(statistics)
}
