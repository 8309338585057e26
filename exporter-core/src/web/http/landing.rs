//! The page for people, on `/`.

use std::fmt::{self, Display, Formatter, Write};

use crate::query::Query;
use crate::registry::Outcome;
use crate::web::site::Site;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60em;\
padding:1em;color:#222;background:#fff}h1{margin-bottom:0}table{border-collapse:collapse}\
th,td{text-align:left;padding:.2em 1em .2em 0;border-bottom:1px solid #ddd;vertical-align:top}\
td:nth-child(2){text-align:right;white-space:nowrap}.failed{color:#b00020}.absent{color:#767676}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8ab4f8}\
th,td{border-color:#444}.failed{color:#ff8a80}}";

/// The page as it is now.
pub(super) fn page(site: &Site) -> String {
    let mut out = String::with_capacity(8 * 1024);
    // Writing to a string does not fail.
    let _ = write(&mut out, site);
    out
}

fn write(out: &mut String, site: &Site) -> fmt::Result {
    let name = Escaped(&site.name);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{name}</title><style>{STYLE}</style></head><body>\n\
         <h1>{name}</h1>\n<p>{}</p>\n<p>Version {}</p>\n<ul>\n",
        Escaped(&site.about),
        Escaped(&site.version),
    )?;
    let pages = [(site.telemetry_path.as_str(), "Metrics"), ("/-/healthy", "Health")];
    for (address, text) in pages {
        writeln!(out, "<li><a href=\"{}\">{}</a></li>", Escaped(address), Escaped(text))?;
    }
    out.push_str("</ul>\n");
    let registry = site.exporter.registry(&Query::default());
    let outcomes = registry.map(|registry| registry.outcomes()).unwrap_or_default();
    if !outcomes.is_empty() {
        out.push_str(
            "<table>\n<tr><th>Collector</th><th>Took</th><th>Last run</th><th>About</th></tr>\n",
        );
        for outcome in &outcomes {
            row(out, outcome)?;
        }
        out.push_str("</table>\n");
    }
    out.push_str("</body></html>\n");
    Ok(())
}

fn row(out: &mut String, outcome: &Outcome) -> fmt::Result {
    write!(out, "<tr><td>{}</td><td>", Escaped(&outcome.name))?;
    match &outcome.last {
        None => out.push_str("</td><td class=\"absent\">not yet"),
        Some(last) => {
            write!(out, "{:.2} ms</td>", last.elapsed.as_secs_f64() * 1e3)?;
            match &last.result {
                Ok(()) => out.push_str("<td>fine"),
                Err(error) => write!(out, "<td class=\"failed\">{}", Escaped(error))?,
            }
        }
    }
    writeln!(out, "</td><td>{}</td></tr>", Escaped(&outcome.about))
}

/// Text that stays text inside HTML, quoted attributes included.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let special = part.chars().next_back().and_then(|last| match last {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                _ => None,
            });
            match special {
                None => f.write_str(part)?,
                Some(entity) => {
                    f.write_str(part.get(..part.len() - 1).unwrap_or_default())?;
                    f.write_str(entity)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_html_gets_through() {
        let text = Escaped("<a href='x'>\"&\"</a>ü").to_string();
        assert_eq!(text, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;ü");
        assert_eq!(Escaped("").to_string(), "");
    }
}
