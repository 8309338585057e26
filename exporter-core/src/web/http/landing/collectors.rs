//! The collectors: a summary, and a table with failures first.

use std::fmt::{self, Write};

use super::html::Escaped;
use crate::registry::Outcome;

/// How a collector's last run went, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Failing,
    Fine,
    NotRun,
    Absent,
}

impl Status {
    fn of(outcome: &Outcome) -> Self {
        match &outcome.last {
            None => Self::NotRun,
            Some(last) if last.result.is_ok() => Self::Fine,
            Some(last) if last.absent => Self::Absent,
            Some(_) => Self::Failing,
        }
    }
}

/// One line, such as "27 fine, 1 failing, 21 not on this machine".
pub(super) fn summary(out: &mut String, outcomes: &[Outcome]) -> fmt::Result {
    if outcomes.is_empty() {
        return Ok(());
    }
    let count = |status| outcomes.iter().filter(|outcome| Status::of(outcome) == status).count();
    let failing = count(Status::Failing);
    let class = if failing > 0 { " class=\"failed\"" } else { "" };
    write!(out, "<p class=\"summary\">{} fine, ", count(Status::Fine))?;
    write!(out, "<span{class}>{failing} failing</span>")?;
    for (status, text) in [(Status::Absent, "not on this machine"), (Status::NotRun, "not run yet")]
    {
        match count(status) {
            0 => {}
            count => write!(out, ", {count} {text}")?,
        }
    }
    out.push_str("</p>\n");
    Ok(())
}

pub(super) fn table(out: &mut String, outcomes: &[Outcome]) -> fmt::Result {
    if outcomes.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<h2>Collectors</h2>\n<table>\n<tr><th>Collector</th><th class=\"number\">Took</th>\
         <th>Last run</th><th class=\"wide\">About</th></tr>\n",
    );
    let mut sorted: Vec<_> = outcomes.iter().collect();
    sorted.sort_by_key(|outcome| Status::of(outcome));
    for outcome in sorted {
        row(out, outcome)?;
    }
    out.push_str("</table>\n");
    Ok(())
}

fn row(out: &mut String, outcome: &Outcome) -> fmt::Result {
    let (class, text) = match (Status::of(outcome), &outcome.last) {
        (Status::Absent, _) => ("absent", "not on this machine"),
        (Status::Failing, Some(last)) => {
            ("failed", last.result.as_ref().err().map_or("failed", String::as_str))
        }
        (Status::Fine, _) => ("fine", "fine"),
        _ => ("absent", "not run yet"),
    };
    let name = Escaped(&outcome.name);
    write!(out, "<tr class=\"{class}\"><td class=\"name\">{name}</td><td class=\"number\">")?;
    if let Some(last) = &outcome.last {
        write!(out, "{:.2} ms", last.elapsed.as_secs_f64() * 1e3)?;
    }
    let about = Escaped(&outcome.about);
    writeln!(out, "</td><td>{}</td><td class=\"wide\">{about}</td></tr>", Escaped(text))
}
