//! `--plan`: what a configuration costs a month, rule by rule, before any datapoint is asked for.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::{Ask, calls};
use crate::cloud::Cloud;
use crate::config::Config;
use crate::cost::{self, FREE_REQUESTS, Size, UNIT};
use crate::fetch::{SCRAPE, drafts};
use crate::rule::{Api, Rule};
use crate::sheet::{Point, Sheet};

/// What one rule costs.
#[derive(Debug, Default)]
struct Row {
    sets: usize,
    /// A fetch's.
    calls: u64,
    billed: u64,
    queries: u64,
    /// A month's.
    times: f64,
    lists: f64,
}

impl Row {
    fn requests(&self, api: Api) -> f64 {
        match api {
            Api::Data => self.lists,
            Api::Statistics => self.lists + self.billed as f64 * self.times,
        }
    }

    fn dollars(&self, units: u64) -> f64 {
        (self.lists + units as f64 * self.times) * UNIT
    }
}

/// The table. With `sets`, every metric that would have to be listed is taken to have that many
/// dimension sets, and AWS is asked nothing.
pub(crate) async fn print(
    config: &Config,
    sets: Option<usize>,
    concurrency: usize,
) -> Result<String, String> {
    let rules = &config.rules;
    let (sheets, asked) = match sets {
        Some(sets) => (rules.iter().map(|rule| assumed(rule, sets)).collect(), false),
        None => (listed(config, concurrency).await?, true),
    };
    Ok(table(rules, &sheets, asked))
}

async fn listed(config: &Config, concurrency: usize) -> Result<Vec<Sheet>, String> {
    let cloud = Cloud::open(config).await.map_err(|failure| failure.to_string())?;
    let now = crate::poll::now();
    let (mut drafts, failures) = drafts(&cloud, &config.rules, &[], now, concurrency).await;
    if let Some(failure) = failures.first() {
        let count = failures.len();
        return Err(format!(
            "{failure} ({count} calls failed); --plan --plan.sets=N takes the sets as N and asks \
             nothing"
        ));
    }
    Ok((0..config.rules.len()).map(|index| drafts.remove(&index).unwrap_or_default()).collect())
}

fn assumed(rule: &Rule, sets: usize) -> Sheet {
    let (sets, pages) = match rule.product() {
        Some(product) => (product.len(), 0),
        None if rule.is_listed() => (sets, sets.div_ceil(500).max(1)),
        None => (1, 0),
    };
    let name = |set: usize| [Box::from(set.to_string().as_str())].into();
    Sheet {
        sets: Arc::new((0..sets).map(name).collect()),
        pages: u32::try_from(pages).unwrap_or(u32::MAX),
        points: vec![Point::Open; sets * rule.statistics.len()],
        ..Sheet::default()
    }
}

fn table(rules: &[Rule], sheets: &[Sheet], asked: bool) -> String {
    let size =
        |(rule, sheet): (_, &Sheet)| (rule, Size { sets: sheet.sets.len(), pages: sheet.pages });
    let sizes: Vec<_> = rules.iter().zip(sheets).map(size).collect();
    let apis = cost::choose(&sizes, SCRAPE);
    let rows = rows(&sizes, sheets, &apis);
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, rules, &apis, &rows, asked);
    out
}

/// A call that several rules share is counted with its first, what it is billed with each.
fn rows(sizes: &[(&Rule, Size)], sheets: &[Sheet], apis: &[Api]) -> Vec<Row> {
    let row = |(rule, size): &(&Rule, Size)| Row {
        sets: size.sets,
        times: rule.window.times_a_month(SCRAPE),
        lists: size.lists_a_month(rule, SCRAPE),
        ..Row::default()
    };
    let mut rows: Vec<_> = sizes.iter().map(row).collect();
    let asks = sizes.iter().zip(sheets).zip(apis).enumerate();
    let asks: Vec<_> = asks
        .map(|(index, (((rule, _), sheet), api))| Ask { index, rule, sheet, api: *api })
        .collect();
    for call in calls(&asks) {
        let first = call.queries.first().map(|query| query.rule);
        if let Some(row) = first.and_then(|rule| rows.get_mut(rule)) {
            row.calls += 1;
        }
        for metric in call.queries.chunk_by(|a, b| (a.rule, a.set) == (b.rule, b.set)) {
            let rule = metric.first().map(|query| query.rule);
            let Some(row) = rule.and_then(|rule| rows.get_mut(rule)) else { continue };
            let (billed, queries) = match call.api {
                Api::Data => (cost::bundles(metric.len()), metric.len() as u64),
                Api::Statistics => (1, 1),
            };
            row.billed += billed;
            row.queries += queries;
        }
    }
    rows
}

fn write(out: &mut String, rules: &[Rule], apis: &[Api], rows: &[Row], asked: bool) -> fmt::Result {
    let width = rules.iter().map(|rule| rule.title().chars().count()).max().unwrap_or(0).max(5);
    writeln!(
        out,
        "{:>4}  {:width$}  {:<19}  {:>6}  {:>8}  {:>6}  {:>8}  {:>9}  {:>11}  {:>11}",
        "line",
        "rule",
        "operation",
        "every",
        "sets",
        "calls",
        "billed",
        "lists/mo",
        "$/month",
        "$ by query"
    )?;
    let mut total = Row::default();
    let (mut dollars, mut by_query, mut requests) = (0.0, 0.0, 0.0);
    for ((rule, api), row) in rules.iter().zip(apis).zip(rows) {
        let operation = match api {
            Api::Data => "GetMetricData",
            Api::Statistics => "GetMetricStatistics",
        };
        let every = 30.0 * 86_400.0 / row.times.max(f64::MIN_POSITIVE);
        writeln!(
            out,
            "{:>4}  {:width$}  {operation:<19}  {:>5.0}s  {:>8}  {:>6}  {:>8}  {:>9.0}  {:>11.2}  {:>11.2}",
            rule.line,
            rule.title(),
            every,
            row.sets,
            row.calls,
            row.billed,
            row.lists,
            row.dollars(row.billed),
            row.dollars(row.queries),
        )?;
        total.sets += row.sets;
        total.calls += row.calls;
        total.billed += row.billed;
        total.lists += row.lists;
        dollars += row.dollars(row.billed);
        by_query += row.dollars(row.queries);
        requests += row.requests(*api);
    }
    writeln!(
        out,
        "{:>4}  {:width$}  {:<19}  {:>6}  {:>8}  {:>6}  {:>8}  {:>9.0}  {:>11.2}  {:>11.2}",
        "", "total", "", "", total.sets, total.calls, total.billed, total.lists, dollars, by_query
    )?;
    let free = requests.min(FREE_REQUESTS) * UNIT;
    let asked = if asked {
        "Dimension sets are those that AWS lists now; listing them is all that was asked."
    } else {
        "Dimension sets are taken from --plan.sets; AWS was asked nothing."
    };
    write!(
        out,
        "\nCalls and billed units are those of one fetch, and there is one fetch for all scrapers every \
         period (an hour at most,\nand taken to be {SCRAPE} s at least). A unit is a request or, with \
         GetMetricData, a metric with up to five statistics;\nsome bills count every query. Prices: \
         $0.01 for 1000 units, of which {FREE_REQUESTS} requests a month are free in an account:\n\
         ${free:.2} of the total, if nothing else uses them. That leaves ${:.2} a month.\n{asked}\n",
        (dollars - free).max(0.0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str, sets: usize) -> String {
        let config = Config::parse(text.as_bytes()).unwrap();
        let sheets: Vec<_> = config.rules.iter().map(|rule| assumed(rule, sets)).collect();
        table(&config.rules, &sheets, false)
    }

    /// The words of the line that has `rule` in it.
    fn row<'a>(table: &'a str, rule: &str) -> Vec<&'a str> {
        let line = table.lines().find(|line| line.contains(rule)).unwrap();
        line.split_whitespace().collect()
    }

    #[test]
    fn what_costs_is_told_rule_by_rule() {
        let table = planned(
            "period_seconds: 300\n\
             metrics:\n\
             - {aws_namespace: A, aws_metric_name: Free, aws_dimensions: [D]}\n\
             - {aws_namespace: A, aws_metric_name: Data, aws_dimensions: [D], use_get_metric_data: true}\n\
             - {aws_namespace: A, aws_metric_name: Alone, list_metrics_cache_ttl: 900}\n",
            50,
        );
        assert_eq!(
            row(&table, "Free"),
            [
                "3",
                "A",
                "Free",
                "GetMetricStatistics",
                "300s",
                "50",
                "50",
                "50",
                "8640",
                "4.41",
                "4.41"
            ]
        );
        assert_eq!(
            row(&table, "Data"),
            ["4", "A", "Data", "GetMetricData", "300s", "50", "1", "50", "8640", "4.41", "21.69"]
        );
        assert_eq!(row(&table, "Alone")[5..], ["1", "1", "1", "0", "0.09", "0.09"]);
        assert_eq!(row(&table, "total"), ["total", "101", "52", "101", "17280", "8.90", "26.18"]);
        assert!(table.contains("That leaves $4.32 a month."), "{table}");
    }

    #[test]
    fn the_worked_example_of_a_machine_park() {
        let rule =
            |n| format!("- {{aws_namespace: A, aws_metric_name: M{n}, aws_dimensions: [D]}}\n");
        let rules = (0..20).map(rule).collect::<Vec<_>>().concat();
        let table = planned(&format!("list_metrics_cache_ttl: 3600\nmetrics:\n{rules}"), 50);
        assert_eq!(row(&table, "total")[4], "14400", "{table}");
        assert_eq!(row(&table, "total")[5], "432.14", "{table}");
    }
}
