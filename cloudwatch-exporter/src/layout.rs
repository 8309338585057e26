//! The families of a configuration, and how sheets become their samples.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;

use crate::name;
use crate::rule::Rule;
use crate::sheet::{Point, Resource, Sheet};

/// The families of all rules. Rules with the same metric share them, whatever their dimensions.
#[derive(Debug)]
pub(crate) struct Layout {
    families: Vec<Family>,
}

#[derive(Debug)]
struct Family {
    name: String,
    /// `job`, `instance`, and the dimensions of all its members.
    labels: Vec<String>,
    members: Vec<Member>,
}

/// One statistic of one rule.
#[derive(Debug)]
struct Member {
    rule: usize,
    statistic: usize,
    job: String,
    /// Where in the labels of the family each dimension is.
    places: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut families: Vec<Family> = Vec::new();
        let mut known = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let dimensions = rule.dimensions.as_deref();
            let base = name::family(&rule.namespace, &rule.metric, dimensions);
            let labels = labels(dimensions.unwrap_or_default());
            for (statistic, one) in rule.statistics.iter().enumerate() {
                let name = format!("{base}{}", name::suffix(&one.name));
                let at = *known.entry(name.clone()).or_insert_with(|| {
                    let labels = vec!["job".to_owned(), "instance".to_owned()];
                    families.push(Family { name, labels, members: Vec::new() });
                    families.len() - 1
                });
                let Some(family) = families.get_mut(at) else { continue };
                let places = labels.iter().map(|label| family.place(label)).collect();
                let job = name::job(&rule.namespace);
                family.members.push(Member { rule: index, statistic, job, places });
            }
        }
        Self { families }
    }

    /// Writes what is known, family after family.
    pub(crate) fn write(
        &self,
        out: &mut Families,
        rules: &[Rule],
        sheets: &[Arc<Sheet>],
        now: u64,
    ) {
        for family in &self.families {
            family.write(out, rules, sheets, now);
        }
        write_resources(out, rules, sheets);
    }
}

/// The labels of dimensions. Two that are spelled the same are kept apart.
fn labels(dimensions: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::with_capacity(dimensions.len());
    for dimension in dimensions {
        let mut label = name::label(dimension);
        while label == "job" || labels.contains(&label) {
            label.push('_');
        }
        labels.push(label);
    }
    labels
}

impl Family {
    /// Where a label is; it is added where it is not there yet.
    fn place(&mut self, label: &str) -> usize {
        self.labels.iter().position(|known| known == label).unwrap_or_else(|| {
            self.labels.push(label.to_owned());
            self.labels.len() - 1
        })
    }

    fn write(&self, out: &mut Families, rules: &[Rule], sheets: &[Arc<Sheet>], now: u64) {
        let mut parts = self
            .members
            .iter()
            .filter_map(|member| Some((member, rules.get(member.rule)?, sheets.get(member.rule)?)));
        let Some((member, rule, sheet)) = parts.clone().next() else { return };
        let help = help(rule, member.statistic, sheet);
        let labels: Vec<_> = self.labels.iter().map(String::as_str).collect();
        let entry = DynDesc { name: &self.name, help: &help, kind: Kind::Gauge, labels: &labels };
        let mut family = out.open(entry);
        for (member, rule, sheet) in parts.by_ref() {
            if is_too_old(rule, sheet, now) {
                continue;
            }
            let mut values = vec![""; labels.len()];
            if let Some(job) = values.first_mut() {
                *job = &member.job;
            }
            for (at, set) in sheet.sets.iter().enumerate() {
                let point = sheet.of(at, rule.statistics.len()).get(member.statistic);
                let Some(Point::At { value, millis }) = point else { continue };
                for (place, dimension) in member.places.iter().zip(set) {
                    if let Some(value) = values.get_mut(*place) {
                        *value = dimension;
                    }
                }
                match u64::try_from(*millis) {
                    Ok(millis) if rule.set_timestamp => {
                        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
                        family.sample_at(&values, *value, at);
                    }
                    _ => family.sample(&values, *value),
                }
            }
        }
    }
}

/// Whether a sheet was to be renewed so long ago that it says nothing of the present.
fn is_too_old(rule: &Rule, sheet: &Sheet, now: u64) -> bool {
    now > sheet.good_until + u64::from(rule.window.period).max(300)
}

fn help(rule: &Rule, statistic: usize, sheet: &Sheet) -> String {
    if let Some(help) = &rule.help {
        return help.clone();
    }
    let dimensions = match &rule.dimensions {
        Some(names) => format!("[{}]", names.join(", ")),
        None => "null".to_owned(),
    };
    format!(
        "CloudWatch metric {} {} Dimensions: {dimensions} Statistic: {} Unit: {}",
        rule.namespace,
        rule.metric,
        rule.statistics.get(statistic).map_or("", |statistic| &statistic.name),
        sheet.unit.as_deref().unwrap_or("N/A"),
    )
}

/// Its labels are these and the resource's tags.
pub(crate) static RESOURCE: DynDesc<'_> = DynDesc {
    name: "aws_resource_info",
    help: "A tagged resource, with its tags.",
    kind: Kind::Gauge,
    labels: &["job", "instance", "arn", "<id dimension>", "tag_<key>"],
};

/// Writes each resource once, with all its tags.
fn write_resources(out: &mut Families, rules: &[Rule], sheets: &[Arc<Sheet>]) {
    let mut rows: Vec<(&Resource, Vec<(String, &str)>)> = Vec::new();
    let mut labels: Vec<String> = ["job", "instance", "arn"].map(str::to_owned).to_vec();
    let mut seen = std::collections::HashSet::new();
    let jobs: Vec<_> = rules.iter().map(|rule| name::job(&rule.namespace)).collect();
    for ((rule, job), sheet) in rules.iter().zip(&jobs).zip(sheets) {
        let Some(tags) = &rule.tags else { continue };
        for resource in &*sheet.resources {
            let Some(id) = tags.id(&resource.arn) else { continue };
            if !seen.insert(&resource.arn) {
                continue;
            }
            let mut row = vec![
                ("job".to_owned(), job.as_str()),
                ("arn".to_owned(), resource.arn.as_str()),
                (name::label(&tags.id_dimension), id),
            ];
            let pairs = resource.tags.iter();
            row.extend(pairs.map(|(key, value)| (name::tag(key), value.as_str())));
            for (label, _) in &row {
                if !labels.contains(label) {
                    labels.push(label.clone());
                }
            }
            rows.push((resource, row));
        }
    }
    let names: Vec<_> = labels.iter().map(String::as_str).collect();
    let mut family = out.open(DynDesc { labels: &names, ..RESOURCE });
    for (_, row) in rows {
        // The first of two tags that are spelled the same.
        let value =
            |name: &&str| row.iter().find(|(label, _)| label == name).map_or("", |(_, v)| v);
        let values: Vec<_> = names.iter().map(value).collect();
        family.sample(&values, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::rule;

    #[test]
    fn labels_that_are_taken_give_way() {
        let names = ["Instance", "Job", "a-b", "a_b"].map(str::to_owned);
        assert_eq!(labels(&names), ["instance", "job_", "a_b", "a_b_"]);
        let rules = [rule("A", "M", &["Instance", "Job"]), rule("A", "M", &["Other", "Job"])];
        let layout = Layout::new(&rules);
        assert_eq!(layout.families.len(), 5);
        let family = &layout.families[0];
        assert_eq!(family.labels, ["job", "instance", "job_", "other"]);
        let places: Vec<_> = family.members.iter().map(|member| member.places.clone()).collect();
        assert_eq!(places, [[1, 2], [3, 2]], "a dimension `instance` is the label `instance`");
    }

    #[test]
    fn what_should_have_been_renewed_long_ago_is_not_shown() {
        let rules = [rule("A", "M", &["D"])];
        let layout = Layout::new(&rules);
        let sheet = Sheet {
            sets: Arc::new(vec![[Box::from("x")].into()]),
            points: vec![Point::At { value: 1.0, millis: 0 }; 5],
            good_until: 1000,
            ..Sheet::default()
        };
        let shown = |now| {
            let mut out = Families::default();
            layout.write(&mut out, &rules, &[Arc::new(sheet.clone())], now);
            exporter_core::testing::page(&[out]).len() > 100
        };
        assert!(shown(1300));
        assert!(!shown(1301));
    }
}
