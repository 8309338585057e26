//! The configuration file: all keys of the Java exporter and additional ones, in YAML or JSON. Errors
//! name the line and the key.

mod accounts;
mod defaults;
mod discover;
mod file;
mod keys;
mod metrics;
mod pattern;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use exporter_core::config_file::{self, ConfigError, Fault};
use serde_saphyr::Spanned;

use self::defaults::Defaults;
use self::file::{Given, not_empty};
pub(crate) use self::keys::{Strictness, Warning};
#[cfg(test)]
pub(crate) use self::pattern::{ID_PATTERN, pattern};
pub(crate) use self::stream::Stream;
use crate::naming::Naming;
use crate::rule::Rule;
use crate::target::{Endpoints, Target};

/// The configuration: the metrics, the targets, and the identities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) targets: Vec<Target>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) naming: Naming,
    pub(crate) stream: Option<Stream>,
    /// Labels of every series.
    pub(crate) labels: Vec<(String, String)>,
    /// The budget in dollars a month.
    pub(crate) budget: Option<f64>,
    /// The interval between scrapes for estimates of cost, in seconds.
    pub(crate) scrape_interval: u64,
    /// Warnings about ignored keys and values.
    pub(crate) warnings: Vec<Warning>,
    /// The text of the file.
    pub(crate) source: Vec<u8>,
}

/// The default interval between scrapes for estimates of cost, in seconds.
pub(crate) const DEFAULT_SCRAPE_INTERVAL: u64 = 60;

impl Config {
    /// The configuration of `--demo` without a file.
    pub(crate) fn example() -> Result<Self, ConfigError> {
        let text = include_bytes!("demo/config.yml");
        Self::parse_as(text, Strictness::Refuse)
            .map_err(|fault| fault.in_file(Path::new("the example")))
    }

    /// Reads the file, and logs warnings. An error is one line.
    pub(crate) fn read(path: &Path, strictness: Strictness) -> Result<Self, ConfigError> {
        let text = config_file::read(path, config_file::SMALL).map_err(|error| {
            Fault::without_key(None, format!("cannot be read: {error}")).in_file(path)
        })?;
        let config = Self::parse_as(&text, strictness).map_err(|fault| fault.in_file(path))?;
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
            return Err(Fault::new("metrics", None, "Must provide metrics"));
        };
        let region = not_empty(file.region.take(), "region")?;
        let role_arn = not_empty(file.role_arn.take(), "role_arn")?;
        let endpoints = Endpoints {
            fips: file.fips_endpoints.as_ref().map(|given| given.value),
            dual_stack: file.dual_stack_endpoints.as_ref().map(|given| given.value),
        };
        let mut targets = match file.accounts.take() {
            Some(_) if role_arn.is_some() => {
                let problem = "is for a file without `accounts`; give each account its own";
                return Err(Fault::new("role_arn", None, problem));
            }
            Some(accounts) => accounts::targets(accounts, region.as_ref())?,
            None => accounts::single_target(region, role_arn),
        };
        for target in &mut targets {
            target.endpoints = endpoints;
        }
        let defaults = Defaults::new(&file.shared_keys())?;
        let mut rules = Vec::with_capacity(metrics.len());
        for metric in metrics {
            rules.extend(defaults.rule(metric, &targets, strictness, &mut warnings)?);
        }
        for entry in discover {
            rules.extend(defaults.discovery_rules(entry, &targets)?);
        }
        let stream = file.stream.take().map(stream::stream).transpose()?;
        stream::check(stream.as_ref(), &rules, &targets)?;
        Ok(Self {
            targets,
            rules,
            naming: naming(file.naming.as_ref())?,
            stream,
            labels: labels(file.labels)?,
            budget: budget(file.budget_dollars.as_ref())?,
            scrape_interval: DEFAULT_SCRAPE_INTERVAL,
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
    let is_valid = |name: &str| {
        let mut chars = name.chars();
        let is_first_valid = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        is_first_valid && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let reserved = ["job", "instance", "account", "account_id", "region", "name"];
    for name in given.value.keys() {
        if !is_valid(name) || name.starts_with("__") || reserved.contains(&name.as_str()) {
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
