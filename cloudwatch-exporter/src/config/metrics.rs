//! The entries of `metrics`. Each becomes a rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use exporter_core::config_file::Fault;
use exporter_core::config_file::yaml::{line_of, similar};
use regex::bytes::Regex;
use serde_saphyr::Spanned;

use super::accounts::account_names;
use super::defaults::Defaults;
use super::file::{Metric, TagSelect, not_empty};
use super::keys::{Strictness, Warning};
use super::pattern::{ID_PATTERN, pattern};
use crate::rule::{Rule, STATISTICS, Select, Statistic, Tags};
use crate::target::Target;

/// The maximum number of combinations of dimension values in a rule. Each is queried, even if it does
/// not exist.
const MAX_COMBINATIONS: usize = 100_000;

impl Defaults {
    /// The rule of a metric; `None` if it has no valid statistic.
    pub(super) fn rule(
        &self,
        metric: Spanned<Metric>,
        targets: &[Target],
        strictness: Strictness,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Rule>, Fault> {
        let line = line_of(&metric).unwrap_or_default();
        let metric = metric.value;
        let Self { window, set_timestamp, api, list_ttl, warn_on_empty, nil_to_zero, from_stream } =
            self.with(&metric.shared_keys())?;
        let names = (
            not_empty(metric.aws_namespace, "aws_namespace")?,
            not_empty(metric.aws_metric_name, "aws_metric_name")?,
        );
        let (Some(namespace), Some(name)) = names else {
            return Err(Fault::without_key(
                Some(line),
                "Must provide aws_namespace and aws_metric_name",
            ));
        };
        let dimensions = metric.aws_dimensions.map(dimension_names).transpose()?.map(Arc::from);
        let select = match (metric.aws_dimension_select, metric.aws_dimension_select_regex) {
            (Some(_), Some(given)) => {
                let problem = "Must not provide aws_dimension_select and \
                               aws_dimension_select_regex at the same time";
                return Err(Fault::without_key(line_of(&given).or(Some(line)), problem));
            }
            (Some(values), None) => {
                let sizes = values.value.values().map(Vec::len);
                if sizes.fold(1, usize::saturating_mul) > MAX_COMBINATIONS {
                    let problem = format!(
                        "has more than {MAX_COMBINATIONS} combinations of values; select fewer, or \
                         use aws_dimension_select_regex"
                    );
                    return Err(Fault::at(&values, "aws_dimension_select", problem));
                }
                Select::Values(values.value)
            }
            (None, Some(given)) => {
                Select::Patterns(whole_patterns(&given, "aws_dimension_select_regex")?)
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
            from_stream,
            accounts: metric.accounts.map(|given| account_names(given, targets)).transpose()?,
            copied_tags: Vec::new(),
        }))
    }
}

/// The names of dimensions, each of which must be given once.
pub(super) fn dimension_names(given: Spanned<Vec<String>>) -> Result<Vec<String>, Fault> {
    let mut sorted: Vec<_> = given.value.iter().collect();
    sorted.sort_unstable();
    let duplicate = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some((*a).clone()),
        _ => None,
    });
    match duplicate {
        Some(name) => Err(Fault::at(&given, "aws_dimensions", format!("{name:?} is given twice"))),
        None => Ok(given.value),
    }
}

/// Compiles patterns, by name, so that they have to match whole values.
pub(super) fn whole_patterns(
    given: &Spanned<BTreeMap<String, Vec<String>>>,
    key: &'static str,
) -> Result<BTreeMap<String, Vec<Regex>>, Fault> {
    let whole = |text: &String| {
        // The pattern alone must be valid: `a)(b` would be valid in parentheses.
        let anchored = pattern(text).and_then(|_| pattern(&format!("^(?:{text})$")));
        anchored.map_err(|problem| Fault::at(given, key, problem))
    };
    let compiled = |(name, texts): (&String, &Vec<String>)| {
        Ok((name.clone(), texts.iter().map(whole).collect::<Result<_, _>>()?))
    };
    given.value.iter().map(compiled).collect()
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

/// The statistics of a metric: by default the five basic ones, or none of them if extended ones are
/// given.
fn statistics(
    given: Option<&Spanned<Vec<String>>>,
    extended: Option<&Spanned<Vec<String>>>,
    strictness: Strictness,
    warnings: &mut Vec<Warning>,
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
                if STATISTICS.contains(&name.as_str()) {
                    add(name, false);
                    continue;
                }
                let known = STATISTICS.join(", ");
                let hint = match similar(name, &STATISTICS) {
                    Some(similar) => format!("did you mean {similar}?"),
                    None => "percentiles go to aws_extended_statistics".to_owned(),
                };
                let problem = format!("{name:?} is not one of {known}; {hint}");
                if strictness == Strictness::Refuse {
                    return Err(Fault::at(given, "aws_statistics", problem));
                }
                let problem = format!("aws_statistics: {problem} It is ignored");
                warnings.push(Warning { line: line_of(given), problem });
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
    if statistics.is_empty() && strictness == Strictness::Refuse {
        let line = given.or(extended).and_then(line_of);
        let problem = "no statistic is requested; name one, or leave the key out for all five";
        return Err(Fault::new("aws_statistics", line, problem));
    }
    Ok(statistics)
}
