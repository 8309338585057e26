//! The families of all files, merged by name.

use std::collections::{BTreeSet, HashMap};

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::{DynFamily, Families};
use exporter_core::value::{Bucket, HistogramValue, SummaryValue};

use super::cache::File;
use super::parser::{Distribution, Sample};

/// A family of one file or several.
pub(super) struct Merged<'f> {
    name: &'f str,
    help: &'f str,
    kind: Kind,
    labels: Vec<&'f str>,
    /// Which file, and which of its families.
    parts: Vec<(usize, usize)>,
}

/// Merges the families of all files. A family that contradicts an earlier one of the same name is
/// left out.
pub(super) fn families<'f>(files: &[&'f File], problems: &mut BTreeSet<String>) -> Vec<Merged<'f>> {
    let mut merged: Vec<Merged<'f>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (nth, file) in files.iter().enumerate() {
        for (which, family) in file.page.families.iter().enumerate() {
            let place = *places.entry(&family.name).or_insert_with(|| {
                let (name, help, kind) = (&family.name, &family.help, family.kind);
                merged.push(Merged { name, help, kind, labels: Vec::new(), parts: Vec::new() });
                merged.len() - 1
            });
            let Some(known) = merged.get_mut(place) else { continue };
            if let Some(what) = known.contradicted_by(&family.help, family.kind) {
                let (file, name) = (&file.name, known.name);
                problems.insert(format!("{file}: another {what} of {name} than in a file before"));
                continue;
            }
            if known.help.is_empty() {
                known.help = &family.help;
            }
            for label in &family.labels {
                if !known.labels.contains(&label.as_str()) {
                    known.labels.push(label);
                }
            }
            known.parts.push((nth, which));
        }
    }
    merged
}

impl<'f> Merged<'f> {
    fn contradicted_by(&self, help: &str, kind: Kind) -> Option<&'static str> {
        if self.kind != kind {
            Some("TYPE")
        } else if !self.help.is_empty() && !help.is_empty() && self.help != help {
            Some("HELP")
        } else {
            None
        }
    }

    pub(super) fn write(&self, files: &[&'f File], out: &mut Families) {
        let made_up;
        let mut help = self.help;
        if help.is_empty() {
            made_up = self.origin(files);
            help = &made_up;
        }
        let labels = &self.labels;
        let mut open = out.open(DynDesc::new(self.name, help, self.kind, labels));
        let mut values = vec![""; labels.len()];
        for (file, family) in self.parts.iter().filter_map(|(nth, which)| {
            let file = files.get(*nth)?;
            Some((file, file.page.families.get(*which)?))
        }) {
            let place = |label: &String| labels.iter().position(|known| known == label);
            let places: Vec<_> = family.labels.iter().filter_map(place).collect();
            file.page.series(family, &places, &mut values, |labels, sample| match sample {
                Sample::Number(value) => open.sample(labels, *value),
                Sample::Distribution(distribution) => {
                    distributed(&mut open, self.kind, labels, distribution);
                }
            });
        }
    }

    /// The help text of a family that has none.
    fn origin(&self, files: &[&File]) -> String {
        let names = self.parts.iter().filter_map(|(nth, _)| Some(files.get(*nth)?.name.as_str()));
        format!("Metric read from {}", names.collect::<Vec<_>>().join(", "))
    }
}

/// Writes a histogram or summary.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, not negative")]
fn distributed(open: &mut DynFamily<'_>, kind: Kind, labels: &[&str], distribution: &Distribution) {
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
