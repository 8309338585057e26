//! The latest scrapes: a chart of how long they took, and a table.

use std::fmt::{self, Write};
use std::time::SystemTime;

use super::html::{Age, Escaped};
use crate::web::recent_scrapes::{CAPACITY, RecentScrape};

/// How many scrapes the table has. The chart has all that are kept.
const TABLE_ROWS: usize = 10;
/// The height of the chart, and the width of a bar, in units of its own.
const CHART_HEIGHT: f64 = 40.0;
const BAR_WIDTH: usize = 10;

pub(super) fn section(out: &mut String, scrapes: &[RecentScrape], now: SystemTime) -> fmt::Result {
    if scrapes.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Recent scrapes</h2>\n");
    chart(out, scrapes)?;
    out.push_str(
        "<table>\n<tr><th>When</th><th>Client</th><th class=\"number\">Took</th>\
         <th class=\"number\">Series</th></tr>\n",
    );
    for scrape in scrapes.iter().take(TABLE_ROWS) {
        row(out, scrape, now)?;
    }
    out.push_str("</table>\n");
    Ok(())
}

/// A bar for each scrape, the newest on the right.
fn chart(out: &mut String, scrapes: &[RecentScrape]) -> fmt::Result {
    let seconds = |scrape: &RecentScrape| scrape.duration.as_secs_f64();
    let longest = scrapes.iter().map(seconds).fold(f64::MIN_POSITIVE, f64::max);
    write!(
        out,
        "<p>Duration of the last {}, at most {:.1} ms:</p>\n<svg role=\"img\" \
         aria-label=\"Duration of recent scrapes\" viewBox=\"0 0 {} {CHART_HEIGHT}\" \
         preserveAspectRatio=\"none\">",
        scrapes.len(),
        longest * 1e3,
        CAPACITY * BAR_WIDTH,
    )?;
    for (nth, scrape) in scrapes.iter().enumerate() {
        let height = (seconds(scrape) / longest * CHART_HEIGHT).max(1.0);
        let class = if scrape.status.is_success() { "" } else { " class=\"failed\"" };
        let x = CAPACITY.saturating_sub(nth + 1) * BAR_WIDTH;
        let (width, y) = (BAR_WIDTH - 2, CHART_HEIGHT - height);
        let size = format_args!("width=\"{width}\" height=\"{height:.1}\"");
        write!(out, "<rect{class} x=\"{x}\" y=\"{y:.1}\" {size}/>")?;
    }
    out.push_str("</svg>\n");
    Ok(())
}

fn row(out: &mut String, scrape: &RecentScrape, now: SystemTime) -> fmt::Result {
    write!(out, "<tr><td>{} ago</td><td>", Age::between(scrape.time, now))?;
    if let Some(client) = &scrape.client {
        write!(out, "{}, ", Escaped(client))?;
    }
    let took = scrape.duration.as_secs_f64() * 1e3;
    write!(out, "{}</td><td class=\"number\">{took:.1} ms</td>", Escaped(&scrape.peer))?;
    if scrape.status.is_success() {
        writeln!(out, "<td class=\"number\">{}</td></tr>", scrape.series)
    } else {
        let status = scrape.status.as_u16();
        writeln!(out, "<td class=\"number failed\">status {status}</td></tr>")
    }
}
