//! Values of keys: names, patterns, tags and statistics.

use std::collections::BTreeMap;

use exporter_core::config_file::line_of;
use exporter_core::config_file::yaml::similar;
use regex::bytes::Regex;
use serde_saphyr::Spanned;

use super::file::{Given, TagSelect};
use super::keys::{Strictness, Warning};
use super::{Fault, ID_PATTERN, Target, pattern};
use crate::rule::{STATISTICS, Statistic, Tags};

/// Names of accounts, all of which must be there.
pub(super) fn accounts(
    given: Spanned<Vec<String>>,
    targets: &[Target],
) -> Result<Vec<String>, Fault> {
    let known: Vec<_> = targets.iter().filter_map(|target| target.account.as_ref()).collect();
    for name in &given.value {
        if !known.iter().any(|account| account.name == *name) {
            let problem = format!("there is no account called {name:?} in `accounts`");
            return Err(Fault::at(&given, "accounts", problem));
        }
    }
    Ok(given.value)
}

pub(super) fn value_or(given: Option<&Spanned<bool>>, otherwise: bool) -> bool {
    given.map_or(otherwise, |given| given.value)
}

pub(super) fn text_of(given: Given<String>, key: &'static str) -> Result<Option<String>, Fault> {
    match given {
        Some(given) if given.value.trim().is_empty() => {
            Err(Fault::at(&given, key, "is empty; give it a value or leave it out"))
        }
        given => Ok(given.map(|given| given.value)),
    }
}

pub(super) fn names(given: Spanned<Vec<String>>) -> Result<Vec<String>, Fault> {
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

pub(super) fn patterns(
    given: &Spanned<BTreeMap<String, Vec<String>>>,
    key: &'static str,
) -> Result<BTreeMap<String, Vec<Regex>>, Fault> {
    let whole = |text: &String| {
        // Alone first: the parts of `a)(b` must not find others to pair with.
        let anchored = pattern(text).and_then(|_| pattern(&format!("^(?:{text})$")));
        anchored.map_err(|problem| Fault::at(given, key, problem))
    };
    let of = |(name, texts): (&String, &Vec<String>)| {
        Ok((name.clone(), texts.iter().map(whole).collect::<Result<_, _>>()?))
    };
    given.value.iter().map(of).collect()
}

pub(super) fn tags(given: &Spanned<TagSelect>) -> Result<Tags, Fault> {
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
pub(super) fn statistics(
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
                let problem = format!("{name:?} is none of {known}; {hint}");
                if strictness == Strictness::Refuse {
                    return Err(Fault::at(given, "aws_statistics", problem));
                }
                let problem = format!("aws_statistics: {problem} It is left out");
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
        let problem = "no statistic is asked for; name one, or leave the key out for all five";
        return Err(Fault { line, key: Some("aws_statistics"), problem: problem.into() });
    }
    Ok(statistics)
}
