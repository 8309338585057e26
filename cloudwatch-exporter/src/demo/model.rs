//! Generates resources and metrics that the rules of a configuration select.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use fake_cloudwatch::{Metric, Model, Values};
use regex::bytes::Regex;

use crate::config::Config;
use crate::discovery::Discovery;
use crate::rule::{Rule, Select, Tags};
use crate::target::Target;

/// The number of resources of each type.
const RESOURCES_PER_TYPE: usize = 3;

/// The maximum number of dimension sets of a rule.
const MAX_SETS: usize = 20;

/// The region and account of a target that has none.
pub(crate) const DEFAULT_REGION: &str = "eu-west-1";
const DEFAULT_ACCOUNT: &str = "123456789012";

pub(super) fn model(config: &Config) -> Model {
    let mut builder = Builder::default();
    for rule in &config.rules {
        for target in config.targets.iter().filter(|target| rule.applies_to(target)) {
            builder.add(rule, &Location::of(target));
        }
    }
    builder.model
}

/// A region of an account.
struct Location<'a> {
    region: &'a str,
    account: &'a str,
}

impl<'a> Location<'a> {
    fn of(target: &'a Target) -> Self {
        let id = target.account.as_ref().map_or("", |account| &account.id);
        Self {
            region: target.region.as_deref().unwrap_or(DEFAULT_REGION),
            account: if id.is_empty() { DEFAULT_ACCOUNT } else { id },
        }
    }
}

type Dimensions = Vec<(String, String)>;

#[derive(Default)]
struct Builder {
    model: Model,
    metrics: BTreeSet<(String, String, Dimensions)>,
    arns: BTreeSet<String>,
}

impl Builder {
    fn add(&mut self, rule: &Rule, location: &Location<'_>) {
        let sets = match (&rule.discovery, &rule.dimensions) {
            (Some(discovery), _) => self.add_discovered(discovery, rule, location),
            (None, Some(names)) => self.add_selected(rule, names, location),
            (None, None) => vec![Vec::new()],
        };
        for set in sets {
            self.add_metric(rule, set);
        }
    }

    /// Adds resources of a service. Returns their dimensions.
    fn add_discovered(
        &mut self,
        discovery: &Discovery,
        rule: &Rule,
        location: &Location<'_>,
    ) -> Vec<Dimensions> {
        let mut sets = Vec::new();
        for number in 1..=RESOURCES_PER_TYPE {
            let id = format!("demo-{number}");
            let arn = discovery.service.example_arn(location.region, location.account, &id);
            let Some(dimensions) = arn.as_deref().and_then(|arn| discovery.dimensions(arn)) else {
                continue;
            };
            let mut tags: Vec<_> = discovery
                .tags
                .iter()
                .map(|(key, values)| (key.clone(), values.first().map_or("demo", |v| v).to_owned()))
                .collect();
            let more = rule.copied_tags.iter().map(String::as_str).chain(["Name"]);
            for key in more {
                if !tags.iter().any(|(known, _)| known == key) {
                    tags.push((key.to_owned(), id.clone()));
                }
            }
            self.add_resource(arn.unwrap_or_default(), &tags);
            sets.push(dimensions);
        }
        sets
    }

    /// Adds resources that the rule's tags select. Returns dimension sets with these names.
    fn add_selected(
        &mut self,
        rule: &Rule,
        names: &[String],
        location: &Location<'_>,
    ) -> Vec<Dimensions> {
        let mut sets = vec![Vec::new()];
        for name in names {
            let values = match &rule.tags {
                Some(tags) if tags.id_dimension == *name => self.add_tagged(tags, location),
                _ => values(&rule.select, name),
            };
            sets = sets
                .iter()
                .flat_map(|set: &Dimensions| {
                    values.iter().map(move |value| {
                        let mut set = set.clone();
                        set.push((name.clone(), value.clone()));
                        set
                    })
                })
                .take(MAX_SETS)
                .collect();
        }
        sets
    }

    /// Adds resources with the tags of a rule. Returns their IDs.
    fn add_tagged(&mut self, tags: &Tags, location: &Location<'_>) -> Vec<String> {
        let (service, kind) =
            tags.resource_type.split_once(':').unwrap_or((&tags.resource_type, ""));
        let mut ids = Vec::new();
        for number in 1..=RESOURCES_PER_TYPE {
            let name = format!("demo-{number}");
            let resource = match kind {
                "" => name.clone(),
                kind => format!("{kind}/{name}"),
            };
            let (region, account) = match service {
                "s3" => ("", ""),
                _ => (location.region, location.account),
            };
            let arn = format!("arn:aws:{service}:{region}:{account}:{resource}");
            let Some(id) = tags.id(&arn).map(str::to_owned) else { continue };
            let selections = tags.selections.iter().flatten();
            let mut pairs: Vec<_> = selections
                .map(|(key, values)| (key.clone(), values.first().map_or("demo", |v| v).to_owned()))
                .collect();
            if !pairs.iter().any(|(key, _)| key == "Name") {
                pairs.push(("Name".to_owned(), name));
            }
            self.add_resource(arn, &pairs);
            ids.push(id);
        }
        ids
    }

    fn add_resource(&mut self, arn: String, tags: &[(String, String)]) {
        if self.arns.insert(arn.clone()) {
            let tags: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
            self.model = std::mem::take(&mut self.model).resource(arn, &tags);
        }
    }

    fn add_metric(&mut self, rule: &Rule, mut dimensions: Dimensions) {
        dimensions.sort_unstable();
        let key = (rule.namespace.clone(), rule.metric.clone(), dimensions);
        if !self.metrics.insert(key.clone()) {
            return;
        }
        let metric = Metric::new(&rule.namespace, &rule.metric).values(generated_values(&key));
        let unit = crate::services::unit(&rule.namespace, &rule.metric).unwrap_or("None");
        let add = |metric: Metric, (name, value)| metric.dimension(name, value);
        let metric = key.2.into_iter().fold(metric.unit(unit), add);
        self.model = std::mem::take(&mut self.model).metric(metric);
    }
}

/// Values of a dimension that a rule selects.
fn values(select: &Select, dimension: &str) -> Vec<String> {
    let default = || (1..=RESOURCES_PER_TYPE).map(|number| format!("demo-{number}"));
    match select {
        Select::Values(values) => {
            values.get(dimension).cloned().unwrap_or_else(|| default().collect())
        }
        Select::Patterns(patterns) if patterns.contains_key(dimension) => {
            let patterns = patterns.get(dimension).map(Vec::as_slice).unwrap_or_default();
            let candidates = default().chain(patterns.iter().map(example));
            let is_selected = |value: &String| select.matches(dimension, value);
            candidates.filter(is_selected).collect::<BTreeSet<_>>().into_iter().collect()
        }
        _ => default().collect(),
    }
}

/// A value that a simple pattern matches: `web-1` for `web-.*`.
fn example(pattern: &Regex) -> String {
    let text = pattern.as_str().trim_start_matches("^(?:").trim_end_matches(")$");
    let text = text.replace(".*", "1").replace(".+", "1").replace("\\d+", "1");
    text.split('|').next().unwrap_or_default().replace(['(', ')', '\\', '^', '$'], "")
}

/// A sine wave whose mean depends on the metric.
fn generated_values(key: &impl Hash) -> Values {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let hash = hasher.finish();
    let mean = 10.0 + (hash % 80) as f64;
    Values::Sine { mean, amplitude: mean / 2.0, period: 3600.0 + (hash % 1800) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_selects_the_metrics_generated_for_it() {
        let text = "accounts: [{name: a, account_id: '111111111111', regions: [us-east-1, eu-west-1]}]\n\
            metrics:\n\
            - {aws_namespace: A, aws_metric_name: None}\n\
            - {aws_namespace: A, aws_metric_name: Two, aws_dimensions: [X, Y]}\n\
            - {aws_namespace: A, aws_metric_name: Some, aws_dimensions: [X], \
               aws_dimension_select: {X: [a, b]}}\n\
            - {aws_namespace: A, aws_metric_name: Like, aws_dimensions: [X], \
               aws_dimension_select_regex: {X: ['web-(.*)|db']}}\n\
            - {aws_namespace: A, aws_metric_name: Tagged, aws_dimensions: [X], aws_tag_select: \
               {resource_type_selection: 'ec2:instance', resource_id_dimension: X, \
               tag_selections: {Env: [prod]}}}\n\
            - {aws_namespace: A, aws_metric_name: Bucket, aws_dimensions: [X], aws_tag_select: \
               {resource_type_selection: s3, resource_id_dimension: X}}\n";
        let model = model(&Config::parse(text.as_bytes()).unwrap());
        let of = |name: &str| -> Vec<String> {
            let metrics = model.metrics.iter().filter(|metric| metric.name == name);
            let values = |metric: &Metric| {
                metric.dimensions.iter().map(|one| one.value.clone()).collect::<Vec<_>>().join("/")
            };
            metrics.map(values).collect()
        };
        assert_eq!(of("None"), [""]);
        assert_eq!(of("Two").len(), 9);
        assert_eq!(of("Some"), ["a", "b"]);
        assert_eq!(of("Like"), ["web-1"]);
        assert_eq!(of("Tagged"), ["demo-1", "demo-2", "demo-3"]);
        assert_eq!(of("Bucket"), ["demo-1", "demo-2", "demo-3"]);
        let instances = model
            .resources
            .iter()
            .filter(|one| one.arn.starts_with("arn:aws:ec2:"))
            .collect::<Vec<_>>();
        assert_eq!(instances.len(), 6, "in two regions");
        assert_eq!(instances[0].arn, "arn:aws:ec2:us-east-1:111111111111:instance/demo-1");
        assert!(instances[0].tags.contains(&("Env".to_owned(), "prod".to_owned())));
    }

    #[test]
    fn services_with_default_metrics_have_resources() {
        for service in [
            "ec2", "ebs", "rds", "alb", "nlb", "lambda", "dynamodb", "sqs", "sns", "ec", "ecs-svc",
            "s3",
        ] {
            let text = format!("discover: [{{aws_namespace: {service}}}]");
            let model = model(&Config::parse(text.as_bytes()).unwrap());
            assert_eq!(model.resources.len(), RESOURCES_PER_TYPE, "{service}");
            assert!(model.metrics.len() >= RESOURCES_PER_TYPE, "{service}");
        }
    }
}
