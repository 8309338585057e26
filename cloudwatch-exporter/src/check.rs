//! What `--check` says beside whether the collector succeeded: who we are, and what each rule finds.

use exporter_core::exporter::CheckLine;

use crate::poll::{Poll, View};
use crate::rule::Rule;
use crate::sheet::{Point, Sheet};

/// After a scrape: nothing is asked for here but credentials.
pub(crate) async fn lines(poll: &Poll) -> Vec<CheckLine> {
    let View { setup, sheets, .. } = poll.view();
    let rules = &setup.config.rules;
    let count = format!("{} with {} rules", poll.file().display(), rules.len());
    let mut lines = vec![line(true, "configuration", count)];
    let cloud = match setup.cloud().await {
        Ok(cloud) => cloud,
        Err(failure) => {
            lines.push(line(false, "account", failure.to_string()));
            return lines;
        }
    };
    lines.push(line(true, "region", cloud.region().to_owned()));
    lines.push(match cloud.identity().await {
        Ok(identity) => line(true, "credentials", identity),
        Err(failure) => line(false, "credentials", failure.to_string()),
    });
    for (rule, sheet) in rules.iter().zip(&*sheets) {
        lines.push(of_rule(rule, sheet));
    }
    lines
}

fn of_rule(rule: &Rule, sheet: &Sheet) -> CheckLine {
    let what = format!("line {}: {}", rule.line, rule.title());
    let sets = sheet.sets.len();
    let points = sheet.points.iter().filter(|point| matches!(point, Point::At { .. })).count();
    let finding = match (sets, points) {
        (0, _) if sheet.is_incomplete => "could not be listed".to_owned(),
        (0, _) => {
            let names = rule.dimensions.as_deref().unwrap_or_default().join(", ");
            format!(
                "matches nothing: no metric of this name has exactly the dimensions [{names}], \
                 with values that are selected and, below three hours of range, recent data"
            )
        }
        (_, 0) => format!(
            "{sets} dimension sets, none with data in the {} s that ended {} s ago",
            rule.window.range, rule.window.delay
        ),
        _ => format!("{sets} dimension sets, {points} series"),
    };
    line(!sheet.is_incomplete, &what, finding)
}

fn line(is_fine: bool, what: &str, finding: String) -> CheckLine {
    CheckLine { is_fine, what: what.to_owned(), finding }
}
