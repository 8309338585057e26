//! The search of metrics: by words in the name or the help, with current values.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::html::Escaped;
use crate::registry::{Registry, ScrapeRequest};

/// How many families are shown, and how many series of each.
const MAX_FAMILIES: usize = 30;
const MAX_SERIES: usize = 20;

/// What a search found, or why there is nothing.
pub(super) enum Results {
    Families { shown: Vec<Family>, total: usize },
    Failed(String),
}

/// A family of the page.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Family {
    name: String,
    help: String,
    kind: String,
    /// Its first lines, as in the exposition.
    lines: Vec<String>,
    /// How many more there are.
    omitted: usize,
}

/// Scrapes, and picks the families that contain all `words` in their name or help.
pub(super) async fn run(registry: &Arc<Registry>, words: &str, time_limit: Duration) -> Results {
    let request = ScrapeRequest::new(Instant::now() + time_limit);
    match registry.scrape(request).await {
        Ok(page) => find(&String::from_utf8_lossy(&page), words),
        Err(error) => Results::Failed(error.to_string()),
    }
}

/// The families of a page in the text format that contain all words, whatever their case.
fn find(page: &str, words: &str) -> Results {
    let words: Vec<_> = words.split_whitespace().map(str::to_lowercase).collect();
    let (mut shown, mut total) = (Vec::new(), 0);
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, help)) = line.strip_prefix("# HELP ").map(split_word) else { continue };
        let mut family = Family { name: name.into(), help: help.into(), ..Family::default() };
        let text = format!("{name} {help}").to_lowercase();
        let matches = words.iter().all(|word| text.contains(word.as_str()));
        let is_shown = matches && shown.len() < MAX_FAMILIES;
        while let Some(line) = lines.next_if(|line| !line.starts_with("# HELP ")) {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                split_word(kind).1.clone_into(&mut family.kind);
            } else if is_shown && family.lines.len() < MAX_SERIES {
                family.lines.push(line.to_owned());
            } else {
                family.omitted += 1;
            }
        }
        total += usize::from(matches);
        if is_shown {
            shown.push(family);
        }
    }
    Results::Families { shown, total }
}

fn split_word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

pub(super) fn form(out: &mut String, words: &str) -> fmt::Result {
    writeln!(
        out,
        "<form action=\"/\"><input type=\"search\" name=\"search\" value=\"{}\" \
         placeholder=\"Name or help\" aria-label=\"Search metrics\"> \
         <button>Search metrics</button></form>",
        Escaped(words)
    )
}

pub(super) fn results(out: &mut String, results: &Results) -> fmt::Result {
    let (shown, total) = match results {
        Results::Families { shown, total } => (shown, *total),
        Results::Failed(error) => {
            return writeln!(out, "<p class=\"failed\">{}</p>", Escaped(error));
        }
    };
    match (total, total - shown.len()) {
        (0, _) => out.push_str("<p>No metric matches.</p>\n"),
        (_, 0) => writeln!(out, "<p>{total} found.</p>")?,
        (_, left) => writeln!(out, "<p>{total} found, the last {left} not shown.</p>")?,
    }
    for family in shown {
        write!(
            out,
            "<h3>{}</h3>\n<p>{}: {}</p>\n<pre>",
            Escaped(&family.name),
            Escaped(&family.kind),
            Escaped(&family.help),
        )?;
        for line in &family.lines {
            writeln!(out, "{}", Escaped(line))?;
        }
        if family.omitted > 0 {
            write!(out, "and {} more", family.omitted)?;
        }
        out.push_str("</pre>\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP load1 Load average.\n# TYPE load1 gauge\nload1 0.5\n\
                        # HELP up Whether <it> is up.\n# TYPE up gauge\nup{a=\"1\"} 1\nup{a=\"2\"} 0\n";

    #[test]
    fn words_are_searched_in_name_and_help() {
        for (words, names) in [
            ("load", vec!["load1"]),
            ("LOAD average", vec!["load1"]),
            ("load up", vec![]),
            ("e", vec!["load1", "up"]),
            ("gauge", vec![]),
        ] {
            let Results::Families { shown, total } = find(PAGE, words) else { panic!("{words}") };
            assert_eq!(shown.iter().map(|family| &family.name).collect::<Vec<_>>(), names);
            assert_eq!(total, names.len());
        }
        let Results::Families { shown, .. } = find(PAGE, "whether") else { panic!() };
        let lines = vec!["up{a=\"1\"} 1".to_owned(), "up{a=\"2\"} 0".to_owned()];
        let (name, help) = ("up".to_owned(), "Whether <it> is up.".to_owned());
        assert_eq!(shown, [Family { name, help, kind: "gauge".into(), lines, omitted: 0 }]);
    }

    #[test]
    fn results_are_limited() {
        let mut page = String::new();
        for family in 0..MAX_FAMILIES + 5 {
            let _ = write!(page, "# HELP f{family} X.\n# TYPE f{family} gauge\n");
            for series in 0..MAX_SERIES + 3 {
                let _ = writeln!(page, "f{family}{{n=\"{series}\"}} 1");
            }
        }
        let mut out = String::new();
        results(&mut out, &find(&page, "f")).unwrap();
        assert!(out.contains("35 found, the last 5 not shown"), "{out}");
        assert_eq!(out.matches("and 3 more").count(), MAX_FAMILIES);
        assert_eq!(out.matches("<h3>").count(), MAX_FAMILIES);
    }
}
