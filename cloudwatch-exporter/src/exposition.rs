//! The families of a configuration, and the samples from the results.

mod resources;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

pub(crate) use self::resources::{INFO, RESOURCE};
use crate::config::Config;
use crate::name_filter::NameFilter;
use crate::naming::{self, Naming};
use crate::results::{Point, Results};
use crate::rule::{Api, Rule};
use crate::services;
use crate::snapshot::Snapshot;
use crate::target::Target;

/// The families of all rules. Rules with the same metric share families, even if their dimensions
/// differ.
#[derive(Debug)]
pub(crate) struct Exposition {
    families: Vec<Family>,
}

#[derive(Debug)]
struct Family {
    name: String,
    members: Vec<Member>,
}

/// One statistic of one rule.
#[derive(Debug)]
struct Member {
    rule: usize,
    statistic: usize,
    job: String,
}

impl Exposition {
    pub(crate) fn new(config: &Config) -> Self {
        let mut families: Vec<Family> = Vec::new();
        let mut known = BTreeMap::new();
        for (index, rule) in config.rules.iter().enumerate() {
            let dimensions = rule.dimensions.as_deref();
            let base = match config.naming {
                Naming::Java => naming::family(&rule.namespace, &rule.metric, dimensions),
                Naming::Yace => naming::yace::family(&rule.namespace, &rule.metric),
            };
            for (statistic_index, statistic) in rule.statistics.iter().enumerate() {
                let suffix = match config.naming {
                    Naming::Java => naming::suffix(&statistic.name),
                    Naming::Yace => naming::yace::suffix(&statistic.name),
                };
                let name = format!("{base}{suffix}");
                let family_index = *known.entry(name.clone()).or_insert_with(|| {
                    families.push(Family { name, members: Vec::new() });
                    families.len() - 1
                });
                let Some(family) = families.get_mut(family_index) else { continue };
                let job = naming::job(&rule.namespace);
                family.members.push(Member { rule: index, statistic: statistic_index, job });
            }
        }
        Self { families }
    }

    /// Writes all results, family after family.
    pub(crate) fn write(
        &self,
        out: &mut Families,
        snapshot: &Snapshot,
        names: &NameFilter,
        now: u64,
    ) {
        let labels = CommonLabels::of(&snapshot.config);
        for family in self.families.iter().filter(|family| names.shows(&family.name)) {
            family.write(out, snapshot, &labels, now);
        }
        resources::write(out, snapshot, &labels, names);
        if labels.is_named && names.shows(TARGET_UP.name) {
            write_targets(out, snapshot);
        }
    }
}

pub(crate) static TARGET_UP: Desc<'_, 3> = Desc::gauge(
    "cloudwatch_exporter_target_up",
    "Whether all calls to a region of an account succeeded in the last fetch.",
    ["account_id", "account", "region"],
);

fn write_targets(out: &mut Families, snapshot: &Snapshot) {
    let mut family = out.family(&TARGET_UP);
    for (target, state) in snapshot.targets() {
        let Some(account) = &target.account else { continue };
        let region = target.region.as_deref().unwrap_or_default();
        let is_up = state.is_reachable && state.failures.is_empty();
        family.sample([&account.id, &account.name, region], f64::from(u8::from(is_up)));
    }
}

/// The labels of all series, which precede those of the dimensions.
#[derive(Debug)]
struct CommonLabels<'a> {
    naming: Naming,
    is_named: bool,
    configured: &'a [(String, String)],
}

impl<'a> CommonLabels<'a> {
    fn of(config: &'a Config) -> Self {
        Self {
            naming: config.naming,
            is_named: config.targets.iter().any(Target::is_named),
            configured: &config.labels,
        }
    }

    fn names(&self) -> Vec<String> {
        let common: &[&str] = match (self.naming, self.is_named) {
            (Naming::Java, false) => &["job", "instance"],
            (Naming::Java, true) => &["job", "instance", "account_id", "account", "region"],
            (Naming::Yace, _) => &["name", "account_id", "region"],
        };
        let common = common.iter().map(|name| (*name).to_owned());
        common.chain(self.configured.iter().map(|(name, _)| name.clone())).collect()
    }

    /// The values, in the order of the names. `first` is the job, or the name of the resource.
    fn values<'b>(
        &'b self,
        first: &'b str,
        target: &'b Target,
        owner: Option<&'b str>,
    ) -> Vec<&'b str> {
        let region = target.region.as_deref().unwrap_or_default();
        let account = target.account.as_ref();
        let id = owner.unwrap_or(account.map_or("", |account| &account.id));
        let mut values = match self.naming {
            Naming::Java => vec![first, ""],
            Naming::Yace => vec![first, id, region],
        };
        if let (Naming::Java, true, Some(account)) = (self.naming, self.is_named, account) {
            values.extend([id, &account.name, region]);
        }
        values.extend(self.configured.iter().map(|(_, value)| value.as_str()));
        values
    }

    fn tag(&self, key: &str) -> String {
        match self.naming {
            Naming::Java => naming::tag(key),
            Naming::Yace => naming::yace::tag(key),
        }
    }
}

/// The labels of a family, and the positions of the labels of dimensions.
#[derive(Debug)]
struct Labels {
    naming: Naming,
    names: Vec<String>,
    /// By the address of the dimension names, which sets share.
    positions: HashMap<*const String, Vec<usize>>,
}

impl Labels {
    fn new(names: Vec<String>, naming: Naming) -> Self {
        Self { naming, names, positions: HashMap::new() }
    }

    /// Adds labels for dimensions with these names.
    fn add(&mut self, dimensions: &Arc<[String]>) {
        if self.positions.contains_key(&dimensions.as_ptr()) {
            return;
        }
        let labels = labels(dimensions, self.naming);
        let positions = labels.iter().map(|label| self.position(label)).collect();
        self.positions.insert(dimensions.as_ptr(), positions);
    }

    /// The position of a label, which is added if it is missing.
    fn position(&mut self, label: &str) -> usize {
        self.names.iter().position(|known| known == label).unwrap_or_else(|| {
            self.names.push(label.to_owned());
            self.names.len() - 1
        })
    }

    /// The positions of the labels of dimensions with these names.
    fn dimension_positions(&self, dimensions: &Arc<[String]>) -> &[usize] {
        self.positions.get(&dimensions.as_ptr()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The labels of dimensions. Dimensions with the same sanitized name get different labels.
fn labels(dimensions: &[String], naming: Naming) -> Vec<String> {
    const RESERVED: [&str; 1] = ["job"];
    let mut labels: Vec<String> = Vec::with_capacity(dimensions.len());
    for dimension in dimensions {
        let mut label = match naming {
            Naming::Java => naming::label(dimension),
            Naming::Yace => naming::yace::dimension(dimension),
        };
        while RESERVED.contains(&label.as_str()) || labels.contains(&label) {
            label.push('_');
        }
        labels.push(label);
    }
    labels
}

impl Family {
    /// The members at each target that they apply to.
    fn parts<'a>(
        &'a self,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = (&'a Member, &'a Rule, &'a Target, &'a Results)> {
        let rules = &snapshot.config.rules;
        self.members.iter().flat_map(move |member| {
            snapshot.targets().filter_map(move |(target, state)| {
                let rule = rules.get(member.rule).filter(|rule| rule.applies_to(target))?;
                Some((member, rule, target, &**state.results.get(member.rule)?))
            })
        })
    }

    fn write(&self, out: &mut Families, snapshot: &Snapshot, common: &CommonLabels<'_>, now: u64) {
        let mut parts = self.parts(snapshot);
        let Some((member, rule, _, results)) = parts.next() else { return };
        let help = help(rule, member.statistic, results);
        let mut labels = Labels::new(common.names(), common.naming);
        for (_, rule, _, results) in self.parts(snapshot) {
            if let Some(names) = &rule.dimensions {
                labels.add(names);
            }
            for set in &*results.sets {
                labels.add(&set.names);
            }
            for key in &rule.copied_tags {
                labels.position(&common.tag(key));
            }
        }
        let names: Vec<_> = labels.names.iter().map(String::as_str).collect();
        let entry = DynDesc::new(&self.name, &help, Kind::Gauge, &names);
        let mut family = out.open(entry);
        for (member, rule, target, results) in self.parts(snapshot) {
            if is_too_old(rule, results, now) {
                continue;
            }
            let tags: Vec<_> = rule
                .copied_tags
                .iter()
                .filter_map(|key| {
                    let label = common.tag(key);
                    Some((key, names.iter().position(|name| *name == label)?))
                })
                .collect();
            let mut values = vec![""; names.len()];
            for (set_index, set) in results.sets.iter().enumerate() {
                let index = set_index * rule.statistics.len() + member.statistic;
                let point = results.exposed_point(index, now);
                let (value, millis) = match point {
                    Point::Value { value, millis } => (value, Some(millis)),
                    Point::NoData if rule.nil_to_zero => (0.0, None),
                    Point::NoData | Point::Pending => continue,
                };
                let first = match common.naming {
                    Naming::Java => &member.job,
                    Naming::Yace => name(rule, results, set_index),
                };
                let common_values = common.values(first, target, set.owner.as_deref());
                values.fill("");
                for (value, common_value) in values.iter_mut().zip(common_values) {
                    *value = common_value;
                }
                for (position, dimension) in
                    labels.dimension_positions(&set.names).iter().zip(&set.values)
                {
                    if let Some(value) = values.get_mut(*position) {
                        *value = dimension;
                    }
                }
                for (key, position) in &tags {
                    let resource = results.resource(set_index);
                    let tag = resource
                        .and_then(|resource| resource.tags.iter().find(|(name, _)| name == *key));
                    if let (Some(value), Some((_, tag))) = (values.get_mut(*position), tag) {
                        *value = tag;
                    }
                }
                match millis.map(u64::try_from) {
                    Some(Ok(millis)) if rule.set_timestamp => {
                        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
                        family.sample_at(&values, value, time);
                    }
                    _ => family.sample(&values, value),
                }
            }
        }
    }
}

/// The label `name` of YACE: the ARN of the resource, or the name in the configuration.
fn name<'a>(rule: &'a Rule, results: &'a Results, set: usize) -> &'a str {
    let resource = results.resource(set).map(|resource| resource.arn.as_str());
    resource.or(rule.name.as_deref()).unwrap_or(match rule.discovery {
        Some(_) => "global",
        None => "",
    })
}

/// Whether results are too old to be exposed.
fn is_too_old(rule: &Rule, results: &Results, now: u64) -> bool {
    results.fetched_at.is_some()
        && now > results.valid_until + u64::from(rule.window.period).max(300)
}

fn help(rule: &Rule, statistic: usize, results: &Results) -> String {
    if let Some(help) = &rule.help {
        return help.clone();
    }
    let dimensions = match &rule.dimensions {
        _ if rule.discovery.is_some() => String::new(),
        Some(names) => format!("Dimensions: [{}] ", names.join(", ")),
        None => "Dimensions: null ".to_owned(),
    };
    // The Java exporter has no unit for metrics for which the configuration enables GetMetricData.
    let uses_data = rule.api == Some(Api::Data);
    let known = || (!uses_data).then(|| services::unit(&rule.namespace, &rule.metric)).flatten();
    format!(
        "CloudWatch metric {} {} {dimensions}Statistic: {} Unit: {}",
        rule.namespace,
        rule.metric,
        rule.statistics.get(statistic).map_or("", |statistic| &statistic.name),
        results.unit.as_deref().or_else(known).unwrap_or("N/A"),
    )
}
