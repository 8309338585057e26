//! Converts the keys of the file to queries. Errors name the line and the key.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use exporter_core::config_file::{Fault, Spanned, line_of, yaml};
use exporter_core::desc::{Kind, is_label_name, is_metric_name};
use exporter_core::duration;

use super::file::{File, GivenDatabases, GivenQuery, GivenValue};
use super::query::{CustomQuery, DATABASE_LABEL, Databases, ValueColumn};
use super::statement;

/// The default of `max_series`.
const DEFAULT_MAX_SERIES: usize = 1000;
/// The maximum number of queries in a file.
const MAX_QUERIES: usize = 200;

/// Parses a file. `limit` is the maximum timeout of a query.
pub(super) fn queries(text: &[u8], limit: Duration) -> Result<Vec<CustomQuery>, Fault> {
    let file: File = yaml::parse(text)?;
    if file.queries.len() > MAX_QUERIES {
        let problem =
            format!("has {} queries, and the maximum is {MAX_QUERIES}", file.queries.len());
        return Err(Fault::new("queries", None, problem));
    }
    let mut queries: Vec<CustomQuery> = Vec::new();
    for given in &file.queries {
        let line = line_of(given);
        let parsed = query(&given.value, line, limit)?;
        if queries.iter().any(|other| other.name == parsed.name) {
            let line = given.value.name.as_ref().and_then(line_of).or(line);
            let problem = format!("{:?} is the name of two queries", parsed.name);
            return Err(Fault::new("name", line, problem));
        }
        queries.push(parsed);
    }
    Ok(queries)
}

fn query(given: &GivenQuery, line: Option<u64>, limit: Duration) -> Result<CustomQuery, Fault> {
    let name = required(given.name.as_ref(), "name", line)?;
    if !is_label_name(name) {
        let line = given.name.as_ref().and_then(line_of);
        let problem = "expected letters, digits and underscores, beginning with a letter";
        return Err(Fault::new("name", line, problem));
    }
    let key = |key: &str| format!("{name}.{key}");
    let text = required(given.statement.as_ref(), &key("statement"), line)?;
    let statement = statement::check(text).map_err(|problem| {
        Fault::new(key("statement"), given.statement.as_ref().and_then(line_of), problem)
    })?;
    let databases = databases(given.databases.as_ref(), &key("databases"))?;
    let mut labels: Vec<String> = Vec::new();
    for label in &given.labels {
        let fault = |problem| Fault::new(key("labels"), line_of(label), problem);
        if !is_label_name(&label.value) || label.value.starts_with("__") {
            return Err(fault(format!("{:?} is not a valid label name", label.value)));
        }
        if labels.contains(&label.value) {
            return Err(fault(format!("{:?} is given twice", label.value)));
        }
        if databases != Databases::None && label.value == DATABASE_LABEL {
            return Err(fault("the label database already exists because of `databases`".into()));
        }
        labels.push(label.value.clone());
    }
    if given.values.is_empty() {
        return Err(Fault::new(key("values"), line, "missing: list the columns with values"));
    }
    let mut values = Vec::new();
    let mut metrics = HashSet::new();
    for given in &given.values {
        let line = line_of(given);
        let value = value(name, &given.value, line)?;
        if !metrics.insert(value.metric.clone()) {
            let problem = format!("{} is the metric of two values", value.metric);
            return Err(Fault::new(key("values"), line, problem));
        }
        values.push(value);
    }
    let mut servers = Vec::new();
    for pattern in &given.servers {
        let parsed = pattern.value.parse();
        servers
            .push(parsed.map_err(|problem| Fault::new(key("servers"), line_of(pattern), problem))?);
    }
    let timeout = given_duration(given.timeout.as_ref(), &key("timeout"))?.unwrap_or(limit);
    if timeout > limit {
        let line = given.timeout.as_ref().and_then(line_of);
        let limit = limit.as_secs_f64();
        let problem = format!("more than --collector.timeout, which is {limit}s");
        return Err(Fault::new(key("timeout"), line, problem));
    }
    let interval = given_duration(given.interval.as_ref(), &key("interval"))?;
    let max_series = given.max_series.as_ref().map_or(DEFAULT_MAX_SERIES, |given| given.value);
    Ok(CustomQuery {
        name: name.to_owned(),
        statement: statement.to_owned(),
        labels,
        values,
        databases,
        servers,
        interval,
        timeout,
        max_series,
    })
}

fn value(query: &str, given: &GivenValue, line: Option<u64>) -> Result<ValueColumn, Fault> {
    let key = |key: &str| format!("{query}.values.{key}");
    let column = required(given.column.as_ref(), &key("column"), line)?;
    let help = required(given.help.as_ref(), &key("help"), line)?;
    let kind = match required(given.kind.as_ref(), &key("type"), line)? {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "untyped" => Kind::Untyped,
        other => {
            let line = given.kind.as_ref().and_then(line_of);
            let problem = format!("expected gauge, counter or untyped, found {other:?}");
            return Err(Fault::new(key("type"), line, problem));
        }
    };
    let unit = given.unit.as_ref().map_or("", |unit| unit.value.as_str());
    let total = if kind == Kind::Counter { "_total" } else { "" };
    let metric = given
        .metric
        .as_ref()
        .map_or_else(|| default_metric(query, column, unit, total), |metric| metric.value.clone());
    let line = given.metric.as_ref().and_then(line_of).or(line);
    if !is_metric_name(&metric) {
        let problem = format!("{metric:?} is not a valid metric name: set `metric`");
        return Err(Fault::new(key("metric"), line, problem));
    }
    let stem = metric.strip_suffix("_total");
    if kind == Kind::Counter && stem.is_none() {
        return Err(Fault::new(
            key("metric"),
            line,
            "the name of a counter has to end with _total",
        ));
    }
    if !unit.is_empty() && !stem.unwrap_or(&metric).ends_with(&format!("_{unit}")) {
        let problem = format!("the name has to end with its unit: _{unit}{total}");
        return Err(Fault::new(key("metric"), line, problem));
    }
    let (column, help) = (column.to_owned(), help.to_owned());
    Ok(ValueColumn { column, metric, help, kind, unit: unit.to_owned() })
}

fn default_metric(query: &str, column: &str, unit: &str, total: &str) -> String {
    let stem = column.to_ascii_lowercase();
    let stem = stem.strip_suffix(total).unwrap_or(&stem);
    let has_unit = unit.is_empty() || stem == unit || stem.ends_with(&format!("_{unit}"));
    let unit = if has_unit { String::new() } else { format!("_{unit}") };
    format!("mysql_query_{query}_{stem}{unit}{total}")
}

fn databases(given: Option<&Spanned<GivenDatabases>>, key: &str) -> Result<Databases, Fault> {
    let Some(given) = given else { return Ok(Databases::None) };
    match &given.value {
        GivenDatabases::Keyword(keyword) if keyword == "all" => Ok(Databases::All),
        GivenDatabases::Names(names) if !names.is_empty() => {
            Ok(Databases::Named(names.iter().cloned().collect::<BTreeSet<_>>()))
        }
        _ => Err(Fault::new(key, line_of(given), "expected all, or a list of names")),
    }
}

fn required<'a>(
    given: Option<&'a Spanned<String>>,
    key: &str,
    line: Option<u64>,
) -> Result<&'a str, Fault> {
    let text = given.map(|given| given.value.trim()).filter(|text| !text.is_empty());
    text.ok_or_else(|| Fault::new(key, given.and_then(line_of).or(line), "missing"))
}

fn given_duration(given: Option<&Spanned<String>>, key: &str) -> Result<Option<Duration>, Fault> {
    let Some(given) = given else { return Ok(None) };
    match duration::parse(&given.value) {
        Some(parsed) if !parsed.is_zero() => Ok(Some(parsed)),
        _ => {
            let problem = format!("expected a duration such as 60s, found {:?}", given.value);
            Err(Fault::new(key, line_of(given), problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);
    const GOOD: &str = "
queries:
  - name: transactions
    statement: |
      SELECT state, COUNT(*) AS open, MAX(age) AS oldest FROM t GROUP BY state;
    labels: [state]
    values:
      - {column: open, type: gauge, help: Open transactions.}
      - {column: oldest, type: gauge, help: Age of the oldest., unit: seconds}
      - {column: done, type: counter, help: Done., metric: app_done_total}
    databases: [app, shop]
    servers: [mysql >= 8.0, mariadb]
    interval: 1m
    timeout: 2s
    max_series: 50
";

    #[test]
    fn keys_are_parsed() {
        let queries = queries(GOOD.as_bytes(), LIMIT).unwrap();
        let [query] = &queries[..] else { panic!("{queries:?}") };
        assert!(query.statement.ends_with("GROUP BY state"), "{}", query.statement);
        let metrics: Vec<_> = query.values.iter().map(|value| value.metric.as_str()).collect();
        assert_eq!(
            metrics,
            [
                "mysql_query_transactions_open",
                "mysql_query_transactions_oldest_seconds",
                "app_done_total"
            ]
        );
        assert_eq!(query.databases, Databases::Named(["app", "shop"].map(String::from).into()));
        assert_eq!((query.servers.len(), query.max_series), (2, 50));
        let seconds = (query.interval, query.timeout);
        assert_eq!(seconds, (Some(Duration::from_secs(60)), Duration::from_secs(2)));
        assert_eq!(super::queries(b"", LIMIT).unwrap(), []);
    }

    #[test]
    fn errors_name_line_and_key() {
        for (good, bad, line, key, problem) in [
            ("    labels:", "    lables:", 6, None, "did you mean \"labels\"?"),
            ("name: transactions", "name: trans-actions", 3, Some("name"), "letters"),
            ("SELECT state", "DELETE state", 4, Some("transactions.statement"), "SELECT"),
            ("[state]", "[state, state]", 6, Some("transactions.labels"), "twice"),
            ("[state]", "[a-b]", 6, Some("transactions.labels"), "not a valid"),
            ("[state]", "[database]", 6, Some("transactions.labels"), "already exists"),
            (
                "open, type: gauge",
                "open, type: guage",
                8,
                Some("transactions.values.type"),
                "guage",
            ),
            ("help: Done.,", "", 10, Some("transactions.values.help"), "missing"),
            ("app_done_total", "app_done", 10, Some("transactions.values.metric"), "_total"),
            ("mysql >= 8.0", "oracle", 12, Some("transactions.servers"), "oracle"),
            ("1m", "often", 13, Some("transactions.interval"), "duration"),
            ("2s", "6s", 14, Some("transactions.timeout"), "--collector.timeout"),
            ("[app, shop]", "some", 11, Some("transactions.databases"), "all, or a list"),
            ("max_series: 50", "max_series: many", 15, None, "expected a value of type"),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let fault = queries(GOOD.replacen(good, bad, 1).as_bytes(), LIMIT).unwrap_err();
            assert_eq!(fault.key.as_deref(), key, "{bad}: {fault:?}");
            assert!(fault.problem.contains(problem), "{bad}: {fault:?}");
            let found = fault.line.unwrap_or_default();
            assert!(found.abs_diff(line) <= 1, "{bad}: {fault:?}, expected line {line}");
        }
        let twice = format!("{GOOD}{}", GOOD.trim_start().strip_prefix("queries:").unwrap());
        assert!(queries(twice.as_bytes(), LIMIT).unwrap_err().problem.contains("two queries"));
    }
}
