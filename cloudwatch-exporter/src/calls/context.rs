//! A call with the rules and dimension sets that its queries refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::types::Dimension;

use super::{Call, Query};
use crate::allowance::Allowance;
use crate::results::{DimensionSet, Results};
use crate::rule::{Rule, Statistic};

/// The state that the calls of a fetch refer to.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) rules: &'a [Rule],
    pub(crate) allowance: &'a Allowance,
    sets: BTreeMap<usize, RuleSets>,
}

#[derive(Debug)]
struct RuleSets {
    sets: Arc<Vec<DimensionSet>>,
    span: (u64, u64),
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        rules: &'a [Rule],
        results: &BTreeMap<usize, Results>,
        allowance: &'a Allowance,
    ) -> Self {
        let sets = |(index, results): (&usize, &Results)| {
            let sets = Arc::clone(&results.sets);
            (*index, RuleSets { sets, span: results.span })
        };
        Self { rules, allowance, sets: results.iter().map(sets).collect() }
    }
}

/// A call with its context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallContext<'a> {
    pub(crate) call: &'a Call,
    pub(crate) context: &'a Context<'a>,
}

/// A query with names instead of indices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedQuery<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) set: &'a DimensionSet,
    pub(crate) statistic: &'a Statistic,
    /// In seconds since 1970.
    pub(crate) span: (i64, i64),
}

impl<'a> CallContext<'a> {
    pub(crate) fn queries(self) -> impl Iterator<Item = NamedQuery<'a>> {
        self.call.queries.iter().filter_map(move |query: &'a Query| {
            let rule = self.context.rules.get(query.rule)?;
            let RuleSets { sets, span } = self.context.sets.get(&query.rule)?;
            let seconds = |time| i64::try_from(time).unwrap_or(i64::MAX);
            Some(NamedQuery {
                rule,
                set: sets.get(query.set)?,
                statistic: rule.statistics.get(query.statistic)?,
                span: (seconds(span.0), seconds(span.1)),
            })
        })
    }
}

impl<'a> NamedQuery<'a> {
    pub(crate) fn dimensions(self) -> impl Iterator<Item = Dimension> + 'a {
        let pairs = self.set.pairs();
        pairs.map(|(name, value)| Dimension::builder().name(name).value(value).build())
    }
}
