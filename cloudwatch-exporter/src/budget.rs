//! `budget_dollars`: if the estimate for a month exceeds the budget, the most expensive rules are
//! queried less often.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::cost::{self, UNIT_PRICE};
use crate::results::{Results, Size};
use crate::rule::{Api, Rule};
use crate::usage;

/// The maximum number of periods between two queries of a rule.
const MAX_STRETCH: u32 = 4096;

/// For each target, the number of periods between two queries of each rule. Rules that are missing
/// are queried each period.
pub(crate) fn stretch<'a>(
    config: &Config,
    results: impl Iterator<Item = &'a Vec<Arc<Results>>>,
) -> Vec<BTreeMap<usize, u32>> {
    let Some(budget) = config.budget else {
        return vec![BTreeMap::new(); config.targets.len()];
    };
    let costs = costs(config, results);
    let (stretched, total) = stretched(budget, &costs);
    usage::BUDGET.set(budget);
    usage::PLANNED.set(total);
    usage::STRETCHED.set(stretched.iter().filter(|factor| **factor > 1).count() as f64);
    let mut by_target = vec![BTreeMap::new(); config.targets.len()];
    for (cost, factor) in costs.iter().zip(stretched).filter(|(_, factor)| *factor > 1) {
        if let Some(rules) = by_target.get_mut(cost.target) {
            rules.insert(cost.rule, factor);
        }
    }
    by_target
}

/// The cost of a month if every rule is queried each period.
pub(crate) fn total<'a>(
    config: &Config,
    results: impl Iterator<Item = &'a Vec<Arc<Results>>>,
) -> f64 {
    costs(config, results).iter().map(|cost| cost.dollars).sum()
}

/// The cost of a rule at a target, in dollars a month.
#[derive(Debug)]
struct Cost {
    target: usize,
    rule: usize,
    dollars: f64,
}

fn costs<'a>(config: &Config, results: impl Iterator<Item = &'a Vec<Arc<Results>>>) -> Vec<Cost> {
    let mut costs = Vec::new();
    for ((index, target), results) in config.targets.iter().enumerate().zip(results) {
        let size = |(rule, results): (_, &Arc<Results>)| (rule, results.size());
        let sizes: Vec<_> = config.rules.iter().zip(results).map(size).collect();
        let apis = cost::choose_apis(&sizes, config.scrape_interval);
        for (rule_index, ((rule, size), api)) in sizes.iter().zip(apis).enumerate() {
            if rule.applies_to(target) {
                let dollars = monthly(rule, *size, api, config.scrape_interval);
                costs.push(Cost { target: index, rule: rule_index, dollars });
            }
        }
    }
    costs
}

/// The cost of a rule in dollars a month, at list price.
pub(crate) fn monthly(rule: &Rule, size: Size, api: Api, scrape: u64) -> f64 {
    let units = match api {
        Api::Data => cost::billed_metrics(rule.statistics.len()),
        Api::Statistics => cost::statistics_calls(&rule.statistics),
    };
    let data = size.sets as f64 * units as f64 * rule.window.queries_per_month(scrape);
    (data + cost::list_requests_per_month(rule, size, scrape)) * UNIT_PRICE
}

/// The factor of each rule, and the resulting cost of a month.
fn stretched(budget: f64, costs: &[Cost]) -> (Vec<u32>, f64) {
    let mut factors = vec![1_u32; costs.len()];
    let mut total: f64 = costs.iter().map(|cost| cost.dollars).sum();
    let mut by_cost: Vec<_> = costs.iter().map(|cost| cost.dollars).enumerate().collect();
    while total > budget {
        let most_expensive = by_cost
            .iter_mut()
            .filter(|(index, _)| factors.get(*index).is_some_and(|factor| *factor < MAX_STRETCH))
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        let most_expensive = most_expensive.filter(|(_, dollars)| *dollars > 0.0);
        let Some((index, dollars)) = most_expensive else { break };
        *dollars /= 2.0;
        total -= *dollars;
        if let Some(factor) = factors.get_mut(*index) {
            *factor *= 2;
        }
    }
    (factors, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(budget: f64, dollars: &[f64]) -> (Vec<u32>, f64) {
        let cost = |(rule, dollars): (usize, &f64)| Cost { target: 0, rule, dollars: *dollars };
        stretched(budget, &dollars.iter().enumerate().map(cost).collect::<Vec<_>>())
    }

    #[test]
    fn the_most_expensive_rules_are_stretched_first() {
        assert_eq!(factors(100.0, &[60.0, 30.0]), (vec![1, 1], 90.0));
        assert_eq!(factors(60.0, &[60.0, 30.0]), (vec![2, 1], 60.0));
        assert_eq!(factors(40.0, &[60.0, 30.0]), (vec![4, 2], 30.0));
        assert_eq!(factors(10.0, &[0.0, 40.0]), (vec![1, 4], 10.0));
        let (factors, total) = factors(0.001, &[60.0, 30.0]);
        assert_eq!(factors, [MAX_STRETCH, MAX_STRETCH]);
        assert!(total < 0.03);
    }
}
