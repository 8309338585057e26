//! The lines of `--check` in addition to the result of the collector: the identity of the exporter,
//! and the results of each rule.

use exporter_core::exporter::CheckLine;

use crate::budget;
use crate::cache::Cache;
use crate::results::{Point, Results};
use crate::rule::Rule;
use crate::snapshot::Snapshot;

/// The lines, after a scrape. Requests only the identity of the credentials.
pub(crate) async fn lines(cache: &Cache) -> Vec<CheckLine> {
    let (setup, snapshot) = (cache.setup(), cache.snapshot());
    let config = &snapshot.config;
    let count = format!("{} with {} rules", cache.source().title(), config.rules.len());
    let mut lines = vec![CheckLine::new(true, "configuration", count)];
    for (index, (target, state)) in snapshot.targets().enumerate() {
        let prefix =
            if target.is_named() { format!("{}: ", target.title()) } else { String::new() };
        let applicable = config.rules.iter().zip(&state.results);
        let applicable = applicable.filter(|(rule, _)| rule.applies_to(target));
        if !applicable.clone().any(|(rule, _)| rule.is_fetched()) {
            // Nothing is requested from this target, so that no credentials are needed.
            lines.extend(applicable.map(|(rule, results)| rule_line(&prefix, rule, results)));
            continue;
        }
        let cloud = match setup.cloud(index).await {
            Ok(cloud) => cloud,
            Err(failure) => {
                lines.push(CheckLine::new(false, format!("{prefix}setup"), failure.to_string()));
                continue;
            }
        };
        lines.push(CheckLine::new(true, format!("{prefix}region"), cloud.region().to_owned()));
        let credentials = format!("{prefix}credentials");
        match cloud.identity().await {
            Ok(identity) => lines.push(CheckLine::new(true, credentials, identity)),
            Err(failure) => {
                // Without credentials, nothing is known about the rules.
                lines.push(CheckLine::new(false, credentials, failure.to_string()));
                continue;
            }
        }
        lines.extend(applicable.map(|(rule, results)| rule_line(&prefix, rule, results)));
    }
    lines.extend(budget(&snapshot));
    lines
}

/// Compares the cost of a month with the budget.
fn budget(snapshot: &Snapshot) -> Option<CheckLine> {
    let config = &snapshot.config;
    let budget = config.budget?;
    let results = snapshot.targets.iter().map(|target| &target.results);
    let dollars = budget::total(config, results);
    Some(if dollars <= budget {
        CheckLine::new(true, "budget", format!("${dollars:.2} of ${budget:.2} a month"))
    } else {
        let finding = format!(
            "a month costs ${dollars:.2}, more than the budget of ${budget:.2}; --plan shows the most \
             expensive rules, and changes that reduce the cost"
        );
        CheckLine::new(false, "budget", finding)
    })
}

fn rule_line(prefix: &str, rule: &Rule, results: &Results) -> CheckLine {
    let subject = format!("{prefix}line {}: {}", rule.line, rule.title());
    let sets = results.sets.len();
    let points = results.points.iter().filter(|point| matches!(point, Point::Value { .. })).count();
    let finding = match (sets, points) {
        _ if rule.from_stream => "its datapoints come from a metric stream".to_owned(),
        (0, _) if results.is_incomplete => "could not be listed".to_owned(),
        (0, _) => {
            let names = rule.dimensions.as_deref().unwrap_or_default().join(", ");
            format!(
                "matches nothing: no metric of this name has exactly the dimensions [{names}], \
                 with values that are selected and, below three hours of range, recent data"
            )
        }
        _ if results.is_incomplete => {
            format!("{sets} dimension sets, {points} series; not all datapoints could be fetched")
        }
        (_, 0) => format!(
            "{sets} dimension sets, none with data in the {} s that ended {} s ago",
            rule.window.range, rule.window.delay
        ),
        _ => format!("{sets} dimension sets, {points} series"),
    };
    CheckLine::new(!results.is_incomplete, subject, finding)
}
