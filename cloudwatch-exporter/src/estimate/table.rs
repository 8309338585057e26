//! Formats an estimate as a table.

use std::fmt::{self, Write as _};

use super::{Estimate, RuleEstimate, TargetEstimate};
use crate::cost::FREE_REQUESTS;

pub(crate) fn table(estimate: &Estimate) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, estimate);
    out
}

fn write(out: &mut String, estimate: &Estimate) -> fmt::Result {
    let rules = || estimate.targets.iter().flat_map(|target| &target.rules);
    let width = rules().map(|rule| rule.rule.chars().count()).max().unwrap_or(0).max(5);
    for target in &estimate.targets {
        if estimate.targets.len() > 1 {
            let TargetEstimate { account, account_id, region, dollars, .. } = target;
            writeln!(out, "{account} {account_id} {region}: ${dollars:.2} a month")?;
        }
        writeln!(
            out,
            "{:>4}  {:width$}  {:<19}  {:>6}  {:>8}  {:>6}  {:>8}  {:>9}  {:>11}  {:>11}  {:>11}",
            "line",
            "rule",
            "operation",
            "every",
            "sets",
            "calls",
            "billed",
            "lists/mo",
            "$/month",
            "$ by query",
            "$ as stream"
        )?;
        for rule in &target.rules {
            let RuleEstimate { line, rule: title, operation, every, .. } = rule;
            write!(out, "{line:>4}  {title:width$}  {operation:<19}  {every:>5.0}s  ")?;
            write_numbers(out, &[rule].into_iter())?;
        }
        if estimate.targets.len() > 1 {
            writeln!(out)?;
        }
    }
    write!(out, "{:>4}  {:width$}  {:<19}  {:>6}  ", "", "total", "", "")?;
    write_numbers(out, &rules())?;
    let free = estimate.free_dollars;
    let listed = if estimate.is_listed {
        "The dimension sets are those that AWS lists now. No datapoints were requested."
    } else {
        "The number of dimension sets is that of --plan.sets. No requests were sent to AWS."
    };
    write!(
        out,
        "\nCalls and billed units are those of one fetch, and there is one fetch for all scrapers every \
         period (an hour at most,\nand {} s at least: --plan.scrape-interval). A unit is a request or, \
         with GetMetricData, a metric with up to five\nstatistics; some bills count every query. Prices: \
         $0.01 for 1000 units, of which {FREE_REQUESTS} requests a month are free in\nan account: \
         ${free:.2} of the total, if nothing else uses them. That leaves ${:.2} a month.\n{listed}\n",
        estimate.scrape_interval,
        (estimate.dollars - free).max(0.0)
    )?;
    out.push_str(
        "\nAs a metric stream: one update a minute of each dimension set of the metric, $0.003 for 1000 updates, \
         and $0.029 for\na gigabyte in Firehose. Tags select nothing there, and other dimensions of the metric cost the \
         same again.\n",
    );
    if !estimate.savings.is_empty() {
        writeln!(out, "\nSavings per month, each change by itself:")?;
        for saving in &estimate.savings {
            writeln!(out, "{:>11.2}  {}", saving.dollars, saving.change)?;
        }
    }
    if let Some(budget) = estimate.budget_dollars {
        let fetched = estimate.dollars - estimate.stream_dollars;
        let scope = if estimate.stream_dollars > 0.0 { " without metric streams" } else { "" };
        let comparison = if fetched > budget { "more than" } else { "within" };
        writeln!(
            out,
            "
The total{scope} is {comparison} the budget of ${budget:.2} a month."
        )?;
    }
    Ok(())
}

/// Writes the sums of some rules.
fn write_numbers<'a>(
    out: &mut String,
    rules: &(impl Iterator<Item = &'a RuleEstimate> + Clone),
) -> fmt::Result {
    let sum = |value: fn(&RuleEstimate) -> f64| rules.clone().map(value).sum::<f64>();
    let mut streamed = rules.clone().filter_map(|rule| rule.stream_dollars).peekable();
    let streamed = match streamed.peek() {
        Some(_) => format!("{:.2}", streamed.sum::<f64>()),
        None => "-".to_owned(),
    };
    let count = |value: fn(&RuleEstimate) -> u64| rules.clone().map(value).sum::<u64>();
    writeln!(
        out,
        "{:>8}  {:>6}  {:>8}  {:>9.0}  {:>11.2}  {:>11.2}  {streamed:>11}",
        count(|rule| rule.sets as u64),
        count(|rule| rule.calls),
        count(|rule| rule.billed),
        sum(|rule| rule.lists),
        sum(|rule| rule.dollars),
        sum(|rule| rule.dollars_by_query)
    )
}

#[cfg(test)]
mod tests {
    use super::super::{assumed, from_results};
    use super::*;
    use crate::config::Config;

    fn planned(text: &str, sets: usize) -> String {
        let config = Config::parse(text.as_bytes()).unwrap();
        let mut fetched = config.rules.clone();
        for rule in &mut fetched {
            rule.from_stream = false;
        }
        let results: Vec<_> = fetched.iter().map(|rule| assumed(rule, sets)).collect();
        table(&from_results(&config, &vec![results; config.targets.len()], false))
    }

    /// The words of the line that contains `rule`.
    fn row<'a>(table: &'a str, rule: &str) -> Vec<&'a str> {
        let line = table.lines().find(|line| line.contains(rule)).unwrap();
        line.split_whitespace().collect()
    }

    #[test]
    fn costs_are_listed_by_rule() {
        let table = planned(
            "period_seconds: 300\n\
             metrics:\n\
             - {aws_namespace: A, aws_metric_name: Free, aws_dimensions: [D]}\n\
             - {aws_namespace: A, aws_metric_name: Data, aws_dimensions: [D], use_get_metric_data: true}\n\
             - {aws_namespace: A, aws_metric_name: Alone, list_metrics_cache_ttl: 900}\n",
            50,
        );
        let free = "3 A Free GetMetricStatistics 300s 50 50 50 8640 4.41 4.41 6.51";
        assert_eq!(row(&table, "Free").join(" "), free);
        let data = "4 A Data GetMetricData 300s 50 1 50 8640 4.41 21.69 6.51";
        assert_eq!(row(&table, "Data").join(" "), data);
        assert_eq!(row(&table, "Alone")[5..], ["1", "1", "1", "0", "0.09", "0.09", "0.13"]);
        assert_eq!(
            row(&table, "total"),
            ["total", "101", "52", "101", "17280", "8.90", "26.18", "13.15"]
        );
        assert!(table.contains("That leaves $4.32 a month."), "{table}");
        assert_eq!(row(&table, "list_metrics_cache_ttl: 3600")[0], "0.16", "{table}");
    }

    #[test]
    fn the_example_of_the_documentation_is_correct() {
        let rule =
            |n| format!("- {{aws_namespace: A, aws_metric_name: M{n}, aws_dimensions: [D]}}\n");
        let rules = (0..20).map(rule).collect::<Vec<_>>().concat();
        let table = planned(&format!("list_metrics_cache_ttl: 3600\nmetrics:\n{rules}"), 50);
        assert_eq!(row(&table, "total")[4], "14400", "{table}");
        assert_eq!(row(&table, "total")[5], "432.14", "{table}");
        assert_eq!(row(&table, "period_seconds: 300")[0], "345.60", "{table}");
    }

    #[test]
    fn a_metric_of_two_rules_is_counted_once() {
        let rule = |statistic| {
            format!(
                "- {{aws_namespace: A, aws_metric_name: M, aws_dimensions: [D], aws_statistics: \
                 [{statistic}], use_get_metric_data: true}}\n"
            )
        };
        let table = planned(&format!("metrics:\n{}{}", rule("Sum"), rule("Average")), 50);
        let numbers: Vec<_> = row(&table, "total")[1..4].to_vec();
        assert_eq!(numbers, ["100", "1", "50"], "{table}");
    }

    #[test]
    fn polling_and_streams_are_compared() {
        let stream = "region: r\nstream: {listen_address: ':1', access_key_file: k}\n";
        let rule = |more: &str| {
            format!("- {{aws_namespace: A, aws_metric_name: M, aws_dimensions: [D], {more}}}\n")
        };
        // Dollars a month for a metric: a stream costs 0.130, GetMetricData 0.432 each minute or 0.086
        // each five minutes.
        let table = planned(
            &format!(
                "{stream}budget_dollars: 500\nuse_get_metric_data: true\nlist_metrics_cache_ttl: 3600\nmetrics:\n{}{}{}{}{}",
                rule("aws_statistics: [Sum]"),
                rule("aws_statistics: [Sum], period_seconds: 300").replace(": M,", ": Five,"),
                rule("aws_extended_statistics: [p9, p99], from_stream: true")
                    .replace(": M,", ": Fed,"),
                rule("period_seconds: 86400").replace(": M,", ": Day,"),
                rule("from_stream: true"),
            ),
            1000,
        );
        assert_eq!(row(&table, "  7  A M")[8..], ["1440", "432.01", "432.01", "0.00"], "{table}");
        assert_eq!(row(&table, "A Five")[9..], ["86.41", "86.41", "130.23"], "{table}");
        let fed = "9 A Fed metric stream 60s 1000 0 0 0 260.45 260.45 260.45";
        assert_eq!(row(&table, "A Fed").join(" "), fed, "{table}");
        assert_eq!(row(&table, "A Day").last(), Some(&"-"), "{table}");
        let shared = "11 A M metric stream 60s 1000 0 0 0 130.23 130.23 130.23";
        assert_eq!(
            row(&table, "  11  A M").join(" "),
            shared,
            "another rule streams the metric already"
        );
        assert_eq!(row(&table, "from_stream: true for")[0], "432.01", "{table}");
        assert!(table.contains("more than the budget"), "{table}");
    }

    #[test]
    fn costs_are_listed_by_account_and_region() {
        let text = "accounts: [{name: one, account_id: '1', regions: [r1, r2]}, {name: two}]\n\
                    metrics: [{aws_namespace: A, aws_metric_name: M, aws_dimensions: [D]}, \
                    {aws_namespace: A, aws_metric_name: N, accounts: [two]}]";
        let table = planned(text, 10);
        assert_eq!(table.matches("a month\n").count(), 3, "{table}");
        assert_eq!(table.matches("A M ").count(), 3, "{table}");
        assert_eq!(table.matches("A N ").count(), 1, "{table}");
        assert!(table.contains("one 1 r2: $"), "{table}");
    }
}
