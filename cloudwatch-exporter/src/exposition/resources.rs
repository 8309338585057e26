//! Resources as series, with their tags.

use std::collections::HashSet;

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;

use super::CommonLabels;
use crate::cache::Snapshot;
use crate::naming;

/// Its labels are these and the resource's tags.
pub(crate) static RESOURCE: DynDesc<'_> = DynDesc {
    name: "aws_resource_info",
    help: "A tagged resource, with its tags.",
    kind: Kind::Gauge,
    labels: &["job", "instance", "arn", "<id dimension>", "tag_<key>"],
};

/// Labels of one resource, by name.
type Row<'a> = Vec<(String, &'a str)>;

/// Writes each resource once, with all its tags.
pub(super) fn write(out: &mut Families, snapshot: &Snapshot, common: &CommonLabels<'_>) {
    let rules = &snapshot.setup.config.rules;
    let jobs: Vec<_> = rules.iter().map(|rule| naming::job(&rule.namespace)).collect();
    let mut labels = common.names();
    labels.push("arn".to_owned());
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (target, state) in snapshot.targets() {
        let mut seen = HashSet::new();
        for ((rule, job), results) in rules.iter().zip(&jobs).zip(&state.results) {
            let Some(tags) = &rule.tags else { continue };
            for resource in &*results.resources {
                let Some(id) = tags.id(&resource.arn) else { continue };
                if !seen.insert(&resource.arn) {
                    continue;
                }
                let values = common.values(job, target, None);
                let mut row: Row<'_> = common.names().into_iter().zip(values).collect();
                row.push(("arn".to_owned(), resource.arn.as_str()));
                row.push((naming::label(&tags.id_dimension), id));
                let pairs = resource.tags.iter();
                row.extend(pairs.map(|(key, value)| (naming::tag(key), value.as_str())));
                rows.push(row);
            }
        }
    }
    write_rows(out, &RESOURCE, labels, &rows);
}

/// Writes rows whose labels differ as one family: what a row lacks is empty.
fn write_rows(out: &mut Families, entry: &DynDesc<'_>, mut labels: Vec<String>, rows: &[Row<'_>]) {
    let mut known: HashSet<String> = labels.iter().cloned().collect();
    for (label, _) in rows.iter().flatten() {
        if known.insert(label.clone()) {
            labels.push(label.clone());
        }
    }
    let names: Vec<_> = labels.iter().map(String::as_str).collect();
    let mut family = out.open(DynDesc { labels: &names, ..*entry });
    for row in rows {
        // The first of two tags that are spelled the same.
        let value =
            |name: &&str| row.iter().find(|(label, _)| label == name).map_or("", |(_, v)| v);
        let values: Vec<_> = names.iter().map(value).collect();
        family.sample(&values, 1.0);
    }
}
