//! `--check`: reads all configuration, runs each collector once, and prints a table of the results.
//! Serves nothing.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::exporter::CheckLine;
use crate::query::Query;
use crate::registry::ScrapeRequest;
use crate::web::Site;

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Report {
    /// One line for each checked item.
    pub(crate) text: String,
    pub(crate) is_good: bool,
    /// One line for standard error if the check failed.
    pub(crate) verdict: String,
}

/// Runs each collector once, and reports on the web configuration, which was read before.
pub(crate) async fn report(site: &Site) -> Report {
    let mut text = String::new();
    for line in site.config.report() {
        row(&mut text, if line.is_fine { "ok" } else { "NOTE" }, &line.what, &line.finding);
    }
    let mut bad = Vec::new();
    for CheckLine { what, finding, .. } in site.config.failures() {
        row(&mut text, "FAILED", &what, &finding);
        bad.push(what);
    }
    let request = ScrapeRequest::new(Instant::now() + Duration::from_secs(60));
    let registry = match site.exporter.registry(&Query::default()) {
        Ok(registry) => registry,
        Err(verdict) => return Report { text, is_good: false, verdict },
    };
    let page = registry.scrape(request).await;
    for outcome in registry.outcomes() {
        let name = format!("collector {}", outcome.name);
        let failed = match outcome.last {
            None => Some("not run".to_owned()),
            Some(last) => match last.result {
                Ok(()) => {
                    row(&mut text, "ok", &name, &format!("{:.1?}", last.elapsed));
                    None
                }
                Err(_) if last.absent => {
                    row(&mut text, "absent", &name, "nothing of it here");
                    None
                }
                Err(error) => Some(error),
            },
        };
        if let Some(error) = failed {
            row(&mut text, "FAILED", &name, &error);
            bad.push(outcome.name.into_owned());
        }
    }
    for line in site.exporter.check().await {
        row(&mut text, if line.is_fine { "ok" } else { "FAILED" }, &line.what, &line.finding);
        if !line.is_fine {
            bad.push(line.what);
        }
    }
    match page {
        Ok(page) => row(&mut text, "ok", "exposition", &format!("{} bytes", page.len())),
        Err(error) => row(&mut text, "FAILED", "exposition", &error.to_string()),
    }
    let verdict = format!("these failed: {}", bad.join(", "));
    Report { text, is_good: bad.is_empty(), verdict }
}

fn row(text: &mut String, state: &str, what: &str, found: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{state:<7} {what:<28} {found}");
}
