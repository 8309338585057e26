//! The metric reference of a program, generated from its definitions.

use std::fmt::Write as _;

use crate::collector::Definition;
use crate::exposition::desc::{Describe, Kind};
use crate::flags::{Flag, Value};
use crate::kernel::process::ProcessMetrics;
use crate::registry::DROPPED;
use crate::web::metrics;

/// The page `docs/metrics/<program>.md`: a section for each collector, with its flags, what it
/// reads and its metrics.
pub fn reference<Env>(title: &str, collectors: &[&Definition<Env>]) -> String {
    let mut page = format!(
        "# {title}\n\nMade from the definitions of the collectors; a test keeps it current \
         (`UPDATE=1` rewrites it).\n"
    );
    for def in collectors {
        section(&mut page, def);
    }
    page.push_str("\n## The exporter itself\n\nNot with `--web.disable-exporter-metrics`.\n");
    head(&mut page);
    for metric in metrics::METRICS {
        metrics(&mut page, *metric);
    }
    metrics(&mut page, &ProcessMetrics);
    metrics(&mut page, &DROPPED);
    page
}

fn section<Env>(page: &mut String, def: &Definition<Env>) {
    let state = if def.on_by_default { "on" } else { "off" };
    let reads: Vec<_> = def.reads.iter().map(|path| format!("`{path}`")).collect();
    line(page, &format!("\n## {}\n\n{}. By default {state}.", def.name, def.about));
    if !reads.is_empty() {
        line(page, &format!("Reads {}.", reads.join(", ")));
    }
    if !def.cost.is_empty() {
        let rights = if def.rights.is_empty() { "no rights" } else { def.rights };
        line(page, &format!("\nA scrape costs {}. Needs {rights}.", def.cost));
    }
    let shown: Vec<_> = def.flags.iter().filter(|flag| !flag.hidden).collect();
    if !shown.is_empty() {
        line(page, "\n| Flag | Default | Meaning |\n|---|---|---|");
    }
    for flag in shown {
        line(page, &format!("| `--{}` | {} | {} |", flag.name, default(flag), cell(flag.about)));
    }
    head(page);
    for metric in def.metrics {
        metrics(page, *metric);
    }
}

fn head(page: &mut String) {
    line(page, "\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|");
}

fn metrics(page: &mut String, metric: &dyn Describe) {
    metric.describe(&mut |entry| {
        let kind = match entry.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
            Kind::StateSet => "stateset",
            Kind::Summary => "summary",
            Kind::Untyped => "untyped",
        };
        let labels = entry.labels.join(", ");
        line(page, &format!("| `{}` | {kind} | {labels} | {} |", entry.name, cell(entry.help)));
    });
}

fn default(flag: &Flag) -> String {
    match flag.value {
        Value::Switch(on) => if on { "on" } else { "off" }.into(),
        Value::Text("") => String::new(),
        Value::Text(text) => format!("`{}`", cell(text)),
        Value::List(list) => cell(&list.join(", ")),
    }
}

/// Escapes text for a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("writing to a string does not fail");
}
