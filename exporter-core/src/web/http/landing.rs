//! The landing page, on `/`: collectors, certificates, recent scrapes, and a search of the metrics.
//! It needs no script.

mod certificates;
mod collectors;
mod html;
mod scrapes;
mod search;

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::system::uname;

use self::html::{Age, Escaped};
use crate::instrument::start_time;
use crate::query::Query;
use crate::registry::Registry;
use crate::web::site::Site;

const STYLE: &str = include_str!("landing/style.css");

/// The page as it is now. `search=` in the query selects the metrics that are shown with their
/// values, for which the collectors run.
pub(super) async fn page(site: &Site, query: &Query) -> String {
    let registry = site.exporter.registry(&Query::default()).ok();
    let results = match (query.value("search").map(str::trim), &registry) {
        (Some(words), Some(registry)) if !words.is_empty() => {
            Some(match site.metrics.scrapes.enter(site.limits.requests) {
                Some(_in_progress) => search::run(registry, words, site.limits.scrape).await,
                None => search::Results::Failed("too many scrapes are in progress".into()),
            })
        }
        _ => None,
    };
    let mut out = String::with_capacity(16 * 1024);
    // Writing to a string does not fail.
    let _ = write(&mut out, site, query, registry.as_ref(), results.as_ref());
    out
}

fn write(
    out: &mut String,
    site: &Site,
    query: &Query,
    registry: Option<&Arc<Registry>>,
    results: Option<&search::Results>,
) -> fmt::Result {
    let now = SystemTime::now();
    let name = Escaped(&site.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{name}</title><style>{STYLE}</style></head><body>\n\
         <h1>{name}</h1>\n<p>{}</p>\n<p>",
        Escaped(&site.about),
    )?;
    let host = uname();
    write!(out, "Host <b>{}</b>", Escaped(&host.nodename().to_string_lossy()))?;
    if !site.version.is_empty() {
        write!(out, ", version {}", Escaped(&site.version))?;
    }
    writeln!(out, ", up {}</p>", Age::between(start_time(), now))?;
    writeln!(
        out,
        "<p><a href=\"{}\">Metrics</a> <a href=\"/-/healthy\">Health</a></p>",
        Escaped(&site.telemetry_path)
    )?;
    let outcomes = registry.map(|registry| registry.outcomes()).unwrap_or_default();
    collectors::summary(out, &outcomes)?;
    search::form(out, query.value("search").unwrap_or_default())?;
    if let Some(results) = results {
        search::results(out, results)?;
    }
    collectors::table(out, &outcomes)?;
    certificates::section(out, site, now)?;
    scrapes::section(out, &site.metrics.recent_scrapes.list(), now)?;
    out.push_str("</body></html>\n");
    Ok(())
}
