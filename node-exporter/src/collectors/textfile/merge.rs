//! The families of all files, merged by name.

use std::collections::{BTreeSet, HashMap};

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::{DynFamily, Families};
use exporter_core::value::{Bucket, HistogramValue, SummaryValue};

use super::cache::File;
use super::parser::{Distribution, Sample};

/// A family from one or more files.
pub(super) struct Merged<'f> {
    name: &'f str,
    help: &'f str,
    kind: Kind,
    labels: Vec<&'f str>,
    /// The index of each file, and the index of the family in that file.
    parts: Vec<(usize, usize)>,
}

/// Merges the families of all files. A family whose type or help text conflicts with an earlier one
/// of the same name is left out.
pub(super) fn families<'f>(files: &[&'f File], problems: &mut BTreeSet<String>) -> Vec<Merged<'f>> {
    let mut merged: Vec<Merged<'f>> = Vec::new();
    let mut indices: HashMap<&str, usize> = HashMap::new();
    for (file_index, file) in files.iter().enumerate() {
        for (family_index, family) in file.page.families.iter().enumerate() {
            let index = *indices.entry(&family.name).or_insert_with(|| {
                let (name, help, kind) = (&family.name, &family.help, family.kind);
                merged.push(Merged { name, help, kind, labels: Vec::new(), parts: Vec::new() });
                merged.len() - 1
            });
            let Some(merged_family) = merged.get_mut(index) else { continue };
            if let Some(conflict) = merged_family.conflict_with(&family.help, family.kind) {
                let (file, name) = (&file.name, merged_family.name);
                problems
                    .insert(format!("{file}: another {conflict} of {name} than in a file before"));
                continue;
            }
            if merged_family.help.is_empty() {
                merged_family.help = &family.help;
            }
            for label in &family.labels {
                if !merged_family.labels.contains(&label.as_str()) {
                    merged_family.labels.push(label);
                }
            }
            merged_family.parts.push((file_index, family_index));
        }
    }
    merged
}

impl<'f> Merged<'f> {
    fn conflict_with(&self, help: &str, kind: Kind) -> Option<&'static str> {
        if self.kind != kind {
            Some("TYPE")
        } else if !self.help.is_empty() && !help.is_empty() && self.help != help {
            Some("HELP")
        } else {
            None
        }
    }

    pub(super) fn write(&self, files: &[&'f File], out: &mut Families) {
        let generated;
        let mut help = self.help;
        if help.is_empty() {
            generated = self.default_help(files);
            help = &generated;
        }
        let labels = &self.labels;
        let mut open = out.open(DynDesc::new(self.name, help, self.kind, labels));
        let mut values = vec![""; labels.len()];
        for (file, family) in self.parts.iter().filter_map(|(file_index, family_index)| {
            let file = files.get(*file_index)?;
            Some((file, file.page.families.get(*family_index)?))
        }) {
            let position = |label: &String| labels.iter().position(|other| other == label);
            let indices: Vec<_> = family.labels.iter().filter_map(position).collect();
            file.page.series(family, &indices, &mut values, |labels, sample| match sample {
                Sample::Number(value) => open.sample(labels, *value),
                Sample::Distribution(distribution) => {
                    write_distribution(&mut open, self.kind, labels, distribution);
                }
            });
        }
    }

    /// The help text of a family without HELP.
    fn default_help(&self, files: &[&File]) -> String {
        let names = self
            .parts
            .iter()
            .filter_map(|(file_index, _)| Some(files.get(*file_index)?.name.as_str()));
        format!("Metric read from {}", names.collect::<Vec<_>>().join(", "))
    }
}

/// Writes a histogram or summary.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, not negative")]
fn write_distribution(
    open: &mut DynFamily<'_>,
    kind: Kind,
    labels: &[&str],
    distribution: &Distribution,
) {
    let Distribution { sum, count, points } = distribution;
    let (sum, count) = (*sum, *count as u64);
    if kind == Kind::Summary {
        open.summary(labels, &SummaryValue::new(count, sum).with_quantiles(points));
    } else {
        let bucket = |(le, count): &(f64, f64)| Bucket::new(*le, *count as u64);
        let buckets: Vec<_> = points.iter().map(bucket).collect();
        let value = HistogramValue::new(count, sum).with_buckets(&buckets);
        open.histogram(labels, &value);
    }
}
