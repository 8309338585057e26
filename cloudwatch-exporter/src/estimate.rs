//! Estimates the cost of a configuration for a month, by rule and target, before any datapoint is
//! requested.

mod stream;
pub(crate) mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::allowance::Allowance;
use crate::calls::{RuleQueries, calls};
use crate::cloud::Connections;
use crate::config::Config;
use crate::cost::{self, FREE_REQUESTS, UNIT_PRICE};
use crate::fetch::Job;
use crate::fetch::pending::pending;
use crate::results::{DimensionSet, Point, Results, Size};
use crate::rule::{Api, Rule};
use crate::target::Target;

/// A month of 30 days.
pub(super) const MONTH: f64 = 30.0 * 86_400.0;

/// The cost of a configuration.
#[derive(Debug, Serialize)]
pub(crate) struct Estimate {
    /// The interval between scrapes, in seconds.
    pub(super) scrape_interval: u64,
    /// Whether AWS listed the dimension sets. Otherwise, a flag sets their number.
    pub(super) is_listed: bool,
    pub(super) targets: Vec<TargetEstimate>,
    /// The cost of a month, including that of free requests.
    pub(super) dollars: f64,
    /// The cost of a month, if every query is billed.
    pub(super) dollars_by_query: f64,
    /// The value of the free requests, if nothing else in the accounts uses them.
    pub(super) free_dollars: f64,
    /// The part of `dollars` for rules that are fed by metric streams.
    pub(super) stream_dollars: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_dollars: Option<f64>,
    pub(super) savings: Vec<Saving>,
}

#[derive(Debug, Serialize)]
pub(super) struct TargetEstimate {
    pub(super) account: String,
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) dollars: f64,
    pub(super) rules: Vec<RuleEstimate>,
}

/// The cost of one rule at one target.
#[derive(Debug, Serialize)]
pub(super) struct RuleEstimate {
    /// The line in the file.
    pub(super) line: u64,
    pub(super) rule: String,
    pub(super) operation: &'static str,
    /// Seconds between two fetches.
    pub(super) every: f64,
    pub(super) sets: usize,
    /// The calls of one fetch. The billed units and the queries are those of one fetch, too.
    pub(super) calls: u64,
    pub(super) billed: u64,
    pub(super) queries: u64,
    /// The `ListMetrics` requests of a month.
    pub(super) lists: f64,
    /// The cost of a month.
    pub(super) dollars: f64,
    pub(super) dollars_by_query: f64,
    /// The cost of a month as a metric stream. `None` if a stream cannot feed the rule.
    pub(super) stream_dollars: Option<f64>,
    /// The requests of a month that can be free.
    #[serde(skip)]
    requests: f64,
}

/// What a change to the file saves each month.
#[derive(Debug, Serialize)]
pub(super) struct Saving {
    pub(super) change: &'static str,
    pub(super) dollars: f64,
}

/// Estimates the cost. Lists the dimension sets, or assumes `sets` for each metric that would have to be
/// listed.
pub(crate) async fn estimate(
    config: &Config,
    sets: Option<usize>,
    connections: &Connections,
    concurrency: usize,
) -> Result<Estimate, String> {
    // The dimension sets of rules that are fed by metric streams are listed, too.
    let mut fetched = config.clone();
    fetched.rules.iter_mut().for_each(|rule| rule.from_stream = false);
    let results = match sets {
        Some(sets) => {
            let rules = fetched.rules.iter();
            vec![rules.map(|rule| assumed(rule, sets)).collect(); config.targets.len()]
        }
        None => listed(&fetched, connections, concurrency).await?,
    };
    Ok(from_results(config, &results, sets.is_none()))
}

async fn listed(
    config: &Config,
    connections: &Connections,
    concurrency: usize,
) -> Result<Vec<Vec<Results>>, String> {
    let mut targets = Vec::new();
    for target in &config.targets {
        let cloud = connections.open(target).await.map_err(|failure| failure.to_string())?;
        let rules = config.rules.iter().enumerate();
        let due = rules.filter(|(_, rule)| rule.applies_to(target)).map(|(index, _)| index);
        let job = Job {
            rules: &config.rules,
            due: due.collect(),
            known: BTreeMap::new(),
            stretch: BTreeMap::new(),
            now: crate::cache::now(),
            concurrency,
            scrape: config.scrape_interval,
        };
        let (mut results, failures) = pending(&cloud, &job, &Allowance::default()).await;
        if let Some(failure) = failures.first() {
            let count = failures.len();
            return Err(format!(
                "{failure} ({count} calls failed); --plan --plan.sets=N assumes N sets and \
                 sends no requests"
            ));
        }
        let results_of = |index| results.remove(&index).unwrap_or_default();
        targets.push((0..config.rules.len()).map(results_of).collect());
    }
    Ok(targets)
}

pub(super) fn assumed(rule: &Rule, sets: usize) -> Results {
    let (sets, pages) = match rule.product() {
        Some(product) => (product.len(), 0),
        None if rule.is_listed() => (sets, sets.div_ceil(500).max(1)),
        None => (1, 0),
    };
    let names = rule.dimensions.clone().unwrap_or_default();
    let set = |set: usize| DimensionSet {
        names: Arc::clone(&names),
        values: names.iter().map(|_| Box::from(set.to_string().as_str())).collect(),
        owner: None,
    };
    Results {
        sets: Arc::new((0..sets).map(set).collect()),
        pages: u32::try_from(pages).unwrap_or(u32::MAX),
        points: vec![Point::Pending; sets * rule.statistics.len()],
        ..Results::default()
    }
}

pub(super) fn from_results(config: &Config, results: &[Vec<Results>], is_listed: bool) -> Estimate {
    let scrape = config.scrape_interval;
    let targets = config.targets.iter().zip(results);
    let targets: Vec<_> = targets
        .map(|(target, results)| target_estimate(target, &config.rules, results, scrape))
        .collect();
    let rules = || targets.iter().flat_map(|target| &target.rules);
    let dollars = rules().map(|rule| rule.dollars).sum();
    let streamed = || rules().filter(|rule| rule.operation == STREAM);
    // Each account has its own free requests. Targets with the same name are the same account.
    let mut by_account: BTreeMap<&str, f64> = BTreeMap::new();
    for target in &targets {
        let requests: f64 = target.rules.iter().map(|rule| rule.requests).sum();
        *by_account.entry(&target.account).or_default() += requests;
    }
    Estimate {
        scrape_interval: scrape,
        is_listed,
        dollars,
        dollars_by_query: rules().map(|rule| rule.dollars_by_query).sum(),
        free_dollars: by_account
            .values()
            .map(|requests| requests.min(FREE_REQUESTS) * UNIT_PRICE)
            .sum(),
        stream_dollars: streamed().map(|rule| rule.dollars).sum(),
        budget_dollars: config.budget,
        savings: savings(config, results, &targets, dollars),
        targets,
    }
}

fn target_estimate(
    target: &Target,
    rules: &[Rule],
    results: &[Results],
    scrape: u64,
) -> TargetEstimate {
    let sizes: Vec<_> = rules
        .iter()
        .zip(results)
        .map(|(rule, results)| {
            let is_fetched = rule.applies_to(target) && !rule.from_stream;
            let size = if is_fetched { results.size() } else { Size::default() };
            (rule, size)
        })
        .collect();
    let apis = cost::choose_apis(&sizes, scrape);
    let mut rows: Vec<_> =
        sizes.iter().zip(&apis).map(|((rule, size), api)| row(rule, *size, *api, scrape)).collect();
    let rule_queries = sizes.iter().zip(results).zip(&apis).enumerate();
    let rule_queries: Vec<_> = rule_queries
        .filter(|(_, (((rule, _), _), _))| rule.applies_to(target) && !rule.from_stream)
        .map(|(index, (((rule, _), results), api))| RuleQueries { index, rule, results, api: *api })
        .collect();
    for call in calls(&rule_queries) {
        let first = call.queries.first().map(|query| query.rule);
        if let Some(row) = first.and_then(|rule| rows.get_mut(rule)) {
            row.calls += 1;
        }
        for metric in call.by_metric() {
            // A metric that several rules share is billed once, and counted for the first.
            let first = metric.first().map(|query| query.rule);
            if let Some(row) = first.and_then(|rule| rows.get_mut(rule)) {
                row.billed += match call.api {
                    Api::Data => cost::billed_metrics(metric.len()),
                    Api::Statistics => 1,
                };
            }
            for query in metric {
                if let Some(row) = rows.get_mut(query.rule) {
                    row.queries += match call.api {
                        Api::Data => 1,
                        Api::Statistics => u64::from(metric.first() == Some(query)),
                    };
                }
            }
        }
    }
    for ((row, (rule, _)), api) in rows.iter_mut().zip(&sizes).zip(&apis) {
        let times = rule.window.queries_per_month(scrape);
        let dollars = |units: u64| (row.lists + units as f64 * times) * UNIT_PRICE;
        (row.dollars, row.dollars_by_query) = (dollars(row.billed), dollars(row.queries));
        row.requests = match api {
            Api::Data => row.lists,
            Api::Statistics => row.lists + row.billed as f64 * times,
        };
    }
    for ((row, rule), (results, dollars)) in
        rows.iter_mut().zip(rules).zip(results.iter().zip(stream::dollars(rules, results)))
    {
        row.stream_dollars = rule.can_be_streamed().then_some(dollars);
        if rule.from_stream {
            row.operation = STREAM;
            row.every = 60.0;
            row.sets = results.sets.len();
            (row.dollars, row.dollars_by_query) = (dollars, dollars);
        }
    }
    let applied = rules.iter().map(|rule| rule.applies_to(target));
    let rows: Vec<_> = rows.into_iter().zip(applied).filter(|(_, applies)| *applies).collect();
    let rows: Vec<_> = rows.into_iter().map(|(row, _)| row).collect();
    let account = target.account.clone().unwrap_or_default();
    TargetEstimate {
        account: account.name,
        account_id: account.id,
        region: target.region.clone().unwrap_or_default(),
        dollars: rows.iter().map(|row| row.dollars).sum(),
        rules: rows,
    }
}

/// The operation of rules that are fed by metric streams.
const STREAM: &str = "metric stream";

/// The part of a rule's estimate that does not depend on its calls.
fn row(rule: &Rule, size: Size, api: Api, scrape: u64) -> RuleEstimate {
    RuleEstimate {
        line: rule.line,
        rule: rule.title(),
        operation: match api {
            Api::Data => "GetMetricData",
            Api::Statistics => "GetMetricStatistics",
        },
        every: MONTH / rule.window.queries_per_month(scrape).max(f64::MIN_POSITIVE),
        sets: size.sets,
        lists: cost::list_requests_per_month(rule, size, scrape),
        calls: 0,
        billed: 0,
        queries: 0,
        dollars: 0.0,
        dollars_by_query: 0.0,
        stream_dollars: None,
        requests: 0.0,
    }
}

/// The savings of single changes to the file.
fn savings(
    config: &Config,
    results: &[Vec<Results>],
    targets: &[TargetEstimate],
    dollars: f64,
) -> Vec<Saving> {
    let with = |change: &'static str, edit: fn(&mut Rule)| {
        let mut rules = config.rules.clone();
        rules.iter_mut().for_each(edit);
        let resized = |results: &Vec<Results>| -> Vec<_> {
            let results = results.iter().zip(&rules).map(|(results, rule)| {
                let points = vec![Point::Pending; results.sets.len() * rule.statistics.len()];
                Results { points, ..results.clone() }
            });
            results.collect()
        };
        let targets = config.targets.iter().zip(results.iter().map(resized));
        let after: f64 = targets
            .map(|(target, results)| {
                target_estimate(target, &rules, &results, config.scrape_interval).dollars
            })
            .sum();
        Saving { change, dollars: (dollars - after).max(0.0) }
    };
    let cheaper = targets
        .iter()
        .flat_map(|target| &target.rules)
        .filter_map(|rule| Some(rule.dollars - rule.stream_dollars?).filter(|saved| *saved > 0.0));
    let streamed = Saving {
        change: "from_stream: true for the rules whose stream costs less",
        dollars: cheaper.sum(),
    };
    let savings = [
        with("list_metrics_cache_ttl: 3600", |rule| {
            rule.list_ttl = rule.list_ttl.max(Duration::from_hours(1));
        }),
        with("period_seconds: 300", |rule| rule.window.period = rule.window.period.max(300)),
        with("one statistic for each metric", |rule| rule.statistics.truncate(1)),
        streamed,
    ];
    savings.into_iter().filter(|saving| saving.dollars >= 0.005).collect()
}
