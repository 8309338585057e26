//! `--convert`: converts a configuration file of yet-another-cloudwatch-exporter (YACE) to one for this
//! exporter.

mod accounts;
mod job;
mod mapping;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use exporter_core::config_file;
use serde::Serialize;
use serde_json::Value;

use self::accounts::{Account, Accounts};
use self::job::{Discover, Metric};
use self::mapping::{Mapping, Report};
use crate::config::{Config, Strictness};
use crate::naming::yace::custom_tag;
use crate::services;

/// A configuration file for this exporter, with the keys that a conversion uses.
#[derive(Debug, Serialize)]
struct File {
    naming: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    discover: Vec<Discover>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Metric>,
}

/// Converts a file of YACE. The result begins with comments that name what was not converted.
pub(crate) fn convert(path: &Path) -> Result<String, String> {
    let text = config_file::read(path, config_file::SMALL)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    converted(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn converted(text: &[u8]) -> Result<String, String> {
    let value: Value = config_file::yaml::parse(text).map_err(|fault| {
        format!("not valid YAML: {}", fault.problem.trim_start_matches("invalid YAML: "))
    })?;
    let mut report = Report::default();
    let file = file(value, &mut report)?;
    let yaml = serde_saphyr::to_string(&file).map_err(|error| error.to_string())?;
    // The output has to be a valid configuration for any input.
    Config::parse_as(yaml.as_bytes(), Strictness::Refuse)
        .map_err(|fault| format!("cannot be converted: {}", fault.problem))?;
    let comment =
        |line: &String| format!("# Not converted: {}\n", line.replace(char::is_control, " "));
    Ok(report.lines().iter().map(comment).chain([yaml]).collect())
}

fn file(value: Value, report: &mut Report) -> Result<File, String> {
    let mut top = Mapping::new("", value, report);
    let version = top.text("apiVersion").unwrap_or_default();
    if version != "v1alpha1" {
        return Err(format!("expected `apiVersion: v1alpha1`, found {version:?}"));
    }
    if top.text("sts-region").is_some() {
        report.add("sts-region: roles are assumed in the region of the account");
    }
    let mut accounts = Accounts::default();
    let mut custom_tags = CustomTags::default();
    let (mut discover, mut metrics) = (Vec::new(), Vec::new());
    let mut discovery = top.mapping("discovery", report);
    let exported = exported_tags(&mut discovery, report);
    for mut entry in discovery.list("jobs", report) {
        let Some(name) = entry.text("type") else {
            report.add(&format!("{}: `type` is missing", entry.path()));
            continue;
        };
        let Some(service) = services::find(&name) else {
            report.add(&format!("{}: the service {name} is unknown", entry.path()));
            continue;
        };
        let names = accounts.add(&mut entry, report);
        custom_tags.take(&mut entry, report);
        let copied = exported.get(service.namespace).or_else(|| exported.get(&name));
        let copied = copied.cloned().unwrap_or_default();
        discover.extend(job::discovery(&mut entry, service, &names, &copied, report));
        entry.report_rest(report);
    }
    discovery.report_rest(report);
    for mut entry in top.list("customNamespace", report) {
        let names = accounts.add(&mut entry, report);
        custom_tags.take(&mut entry, report);
        discover.extend(job::custom_namespace(&mut entry, &names, report));
        entry.report_rest(report);
    }
    for mut entry in top.list("static", report) {
        let names = accounts.add(&mut entry, report);
        custom_tags.take(&mut entry, report);
        metrics.extend(job::static_metrics(&mut entry, &names, report));
        entry.report_rest(report);
    }
    top.report_rest(report);
    if discover.is_empty() && metrics.is_empty() {
        return Err("no job can be converted".to_owned());
    }
    let labels = custom_tags.labels(report);
    Ok(File { naming: "yace", labels, accounts: accounts.all(), discover, metrics })
}

/// The tags that become labels of metrics, by namespace.
fn exported_tags(discovery: &mut Mapping, report: &mut Report) -> BTreeMap<String, Vec<String>> {
    let mut exported = discovery.mapping("exportedTagsOnMetrics", report);
    let namespaces = exported.keys();
    let tags = |name: String| {
        let tags = exported.texts(&name);
        (services::find(&name).map_or(name, |service| service.namespace.to_owned()), tags)
    };
    namespaces.into_iter().map(tags).collect()
}

/// `customTags` of jobs, which become `labels` of the whole file.
#[derive(Debug, Default)]
struct CustomTags {
    by_job: Vec<(String, BTreeMap<String, String>)>,
}

impl CustomTags {
    fn take(&mut self, entry: &mut Mapping, report: &mut Report) {
        let path = entry.path().to_owned();
        let mut tags = BTreeMap::new();
        for mut tag in entry.list("customTags", report) {
            if let (Some(key), Some(value)) = (tag.text("key"), tag.text("value")) {
                tags.insert(key, value);
            }
            tag.report_rest(report);
        }
        self.by_job.push((path, tags));
    }

    /// The tags that all jobs have.
    fn labels(self, report: &mut Report) -> BTreeMap<String, String> {
        let Some((_, first)) = self.by_job.first() else { return BTreeMap::new() };
        let is_common = |(key, value): &(&String, &String)| {
            self.by_job.iter().all(|(_, tags)| tags.get(*key) == Some(*value))
        };
        let common: BTreeMap<String, String> = first
            .iter()
            .filter(is_common)
            .map(|(key, value)| (custom_tag(key), value.clone()))
            .collect();
        for (path, tags) in &self.by_job {
            for key in tags.keys() {
                if !common.contains_key(&custom_tag(key)) {
                    report.add(&format!("{path}.customTags: {key}, which not all jobs have"));
                }
            }
        }
        common
    }
}
