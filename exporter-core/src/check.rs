//! `--check`: reads everything, runs everything once, and says in a table what is fine and what
//! is not. Serves nothing.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use crate::format::{Escaping, Format};
use crate::registry::{ScrapeRequest, Selection};
use crate::web::Site;

/// What a check found.
#[derive(Debug)]
pub(crate) struct Report {
    /// A line for each thing looked at.
    pub(crate) text: String,
    pub(crate) good: bool,
    /// One line for standard error when it is not good.
    pub(crate) verdict: String,
}

/// Runs every collector once and tells of the web configuration, which was read before.
pub(crate) async fn report(site: &Site) -> Report {
    let mut text = String::new();
    for line in site.live.report() {
        row(&mut text, if line.is_fine { "ok" } else { "NOTE" }, &line.what, &line.finding);
    }
    let request = ScrapeRequest {
        format: Format::Text004,
        escaping: Escaping::Underscores,
        selection: Selection::All,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let page = site.registry.scrape(request).await;
    let mut bad = Vec::new();
    for outcome in site.registry.outcomes() {
        let name = format!("collector {}", outcome.name);
        match outcome.last {
            Some(last) => match last.result {
                Ok(()) => row(&mut text, "ok", &name, &format!("{:.1?}", last.elapsed)),
                Err(_) if last.absent => row(&mut text, "absent", &name, "nothing of it here"),
                Err(error) => {
                    bad.push(outcome.name);
                    row(&mut text, "FAILED", &name, &error);
                }
            },
            None => bad.push(outcome.name),
        }
    }
    match page {
        Ok(page) => row(&mut text, "ok", "exposition", &format!("{} bytes", page.len())),
        Err(error) => row(&mut text, "FAILED", "exposition", &error.to_string()),
    }
    let verdict = format!("these collectors failed: {}", bad.join(", "));
    Report { text, good: bad.is_empty(), verdict }
}

fn row(text: &mut String, state: &str, what: &str, found: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{state:<7} {what:<28} {found}");
}
