//! Resources as series, with their tags.

use std::collections::{BTreeMap, HashSet};

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;

use super::CommonLabels;
use crate::name_filter::NameFilter;
use crate::naming::{self, Naming};
use crate::snapshot::Snapshot;

/// The labels are these and the tags of the resource.
pub(crate) static RESOURCE: DynDesc<'_> = DynDesc::new(
    "aws_resource_info",
    "A tagged resource, with its tags.",
    Kind::Gauge,
    &["job", "instance", "arn", "<id dimension>", "tag_<key>"],
);

/// The labels are these, the dimensions of the resource and its tags.
pub(crate) static INFO: DynDesc<'_> = DynDesc::new(
    "<namespace>_info",
    "A discovered resource, with its tags.",
    Kind::Gauge,
    &["job", "instance", "arn", "<dimension>", "tag_<key>"],
);

/// Labels of one resource, by name.
type Row<'a> = Vec<(String, &'a str)>;

/// Writes the families of resources that the page shows.
pub(super) fn write(
    out: &mut Families,
    snapshot: &Snapshot,
    common: &CommonLabels<'_>,
    names: &NameFilter,
) {
    if names.shows(RESOURCE.name) {
        write_selected(out, snapshot, common);
    }
    write_discovered(out, snapshot, common, names);
}

/// Writes each resource of `aws_tag_select` once, with all its tags.
fn write_selected(out: &mut Families, snapshot: &Snapshot, common: &CommonLabels<'_>) {
    let rules = &snapshot.config.rules;
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
    write_rows(out, &RESOURCE, labels, &rows, 1.0);
}

/// Writes the resources of each discovered namespace, with or without metrics.
fn write_discovered(
    out: &mut Families,
    snapshot: &Snapshot,
    common: &CommonLabels<'_>,
    names: &NameFilter,
) {
    let rules = &snapshot.config.rules;
    let mut by_family: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    let jobs: Vec<_> = rules.iter().map(|rule| naming::job(&rule.namespace)).collect();
    for (target, state) in snapshot.targets() {
        let mut seen = HashSet::new();
        for ((rule, job), results) in rules.iter().zip(&jobs).zip(&state.results) {
            let Some(discovery) = &rule.discovery else { continue };
            for resource in &*results.resources {
                if !seen.insert((job, &resource.arn)) {
                    continue;
                }
                let Some(dimensions) = discovery.dimensions(&resource.arn) else { continue };
                let pairs = resource.tags.iter();
                let tags = pairs.map(|(key, value)| (common.tag(key), value.as_str()));
                if common.naming == Naming::Yace {
                    let name = naming::yace::family(&rule.namespace, "info");
                    let arn = ("name".to_owned(), resource.arn.as_str());
                    by_family
                        .entry(name)
                        .or_default()
                        .push([arn].into_iter().chain(tags).collect());
                    continue;
                }
                let values = common.values(job, target, None);
                let mut row: Row<'_> = common.names().into_iter().zip(values).collect();
                row.push(("arn".to_owned(), resource.arn.as_str()));
                for (name, value) in dimensions {
                    // The value is a part of the ARN, so that the row can borrow it from there.
                    if let Some(start) = resource.arn.rfind(&value) {
                        let value =
                            resource.arn.get(start..start + value.len()).unwrap_or_default();
                        row.push((naming::label(&name), value));
                    }
                }
                row.extend(tags);
                by_family.entry(format!("{job}_info")).or_default().push(row);
            }
        }
    }
    for (name, rows) in by_family.iter().filter(|(name, _)| names.shows(name)) {
        let entry = INFO.with_name(name);
        match common.naming {
            Naming::Yace => write_rows(out, &entry, vec!["name".to_owned()], rows, 0.0),
            Naming::Java => {
                let mut labels = common.names();
                labels.push("arn".to_owned());
                write_rows(out, &entry, labels, rows, 1.0);
            }
        }
    }
}

/// Writes rows with different labels as one family. Missing labels are empty.
fn write_rows(
    out: &mut Families,
    entry: &DynDesc<'_>,
    mut labels: Vec<String>,
    rows: &[Row<'_>],
    sample: f64,
) {
    let mut known: HashSet<String> = labels.iter().cloned().collect();
    for (label, _) in rows.iter().flatten() {
        if known.insert(label.clone()) {
            labels.push(label.clone());
        }
    }
    let names: Vec<_> = labels.iter().map(String::as_str).collect();
    let mut family = out.open(entry.with_labels(&names));
    for row in rows {
        // If several tags have the same sanitized name, the first one is used.
        let value =
            |name: &&str| row.iter().find(|(label, _)| label == name).map_or("", |(_, v)| v);
        let values: Vec<_> = names.iter().map(value).collect();
        family.sample(&values, sample);
    }
}
