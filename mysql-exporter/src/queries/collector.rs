//! Runs a query, and exposes its result set.

use std::sync::Arc;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error};
use exporter_core::desc::DynDesc;
use exporter_core::families::{Families, Precedence};
use tokio::time::timeout;

use super::query::{CustomQuery, DATABASE_LABEL, Databases};
use crate::db::{self, Db, ResultSet, Session};
use crate::sql;

/// The collector of one query.
#[derive(Debug)]
pub(super) struct QueryCollector {
    db: Db,
    query: Arc<CustomQuery>,
}

/// Why the result of a query cannot be exposed.
#[derive(Debug, PartialEq, thiserror::Error)]
enum ResultError {
    #[error("the result has no column {wanted:?}, only {found}")]
    Column { wanted: String, found: String },
    #[error("the column {0:?} has a value that is not a number")]
    Number(String),
    #[error("not finished within its timeout of {0}s")]
    Timeout(f64),
    #[error("the result has more than {0} series, which is max_series: the rest is not exposed")]
    TooMany(usize),
}

/// The database in which a query ran, and the result set.
type DatabaseResult = (String, ResultSet);

impl QueryCollector {
    pub(super) fn new(db: Db, query: Arc<CustomQuery>) -> Self {
        Self { db, query }
    }
}

#[async_trait]
impl AsyncCollector for QueryCollector {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let limit = self.query.timeout;
        let results = timeout(limit, run(&self.db, &self.query)).await;
        let timed_out = |_| Error::Other(Box::new(ResultError::Timeout(limit.as_secs_f64())));
        let results = results.map_err(timed_out)??;
        write(&self.query, &results, out).map_err(|error| Error::Other(Box::new(error)))
    }
}

/// Runs a query in each of its databases.
async fn run(db: &Db, query: &CustomQuery) -> Result<Vec<DatabaseResult>, db::Error> {
    let mut session = db.session().await?;
    if !query.runs_on(session.server()) {
        return Ok(Vec::new());
    }
    let mut results = Vec::new();
    let mut rows = 0;
    for database in databases(&mut session, &query.databases).await? {
        let result_set = session.query_read_only(&database, &query.statement).await?;
        rows += result_set.rows.len();
        results.push((database, result_set));
        if rows > query.max_series {
            break;
        }
    }
    Ok(results)
}

/// The databases that a query runs in.
pub(super) async fn databases(
    session: &mut Session,
    databases: &Databases,
) -> Result<Vec<String>, db::Error> {
    const SYSTEM_DATABASES: [&str; 4] =
        ["information_schema", "mysql", "performance_schema", "sys"];
    let condition = match databases {
        Databases::None => return Ok(vec!["information_schema".into()]),
        Databases::Named(names) => format!("IN ({})", sql::list(names.iter().map(String::as_str))),
        Databases::All => format!("NOT IN ({})", sql::list(SYSTEM_DATABASES)),
    };
    let sql = format!(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME {condition} ORDER \
         BY SCHEMA_NAME"
    );
    let found = session.query(&sql).await?;
    Ok(found.rows.iter().map(|row| row.text(0).to_owned()).collect())
}

/// Writes a family for each value column.
fn write(
    query: &CustomQuery,
    results: &[DatabaseResult],
    out: &mut Families,
) -> Result<(), ResultError> {
    // A query cannot replace the metrics of the exporter's own collectors.
    out.set_precedence(Precedence::Guest);
    let has_database = query.databases != Databases::None;
    let database = has_database.then_some(DATABASE_LABEL);
    let names: Vec<_> =
        database.into_iter().chain(query.labels.iter().map(String::as_str)).collect();
    let mut remaining = query.max_series;
    let mut problem = None;
    for value in &query.values {
        let desc = DynDesc::new(&value.metric, &value.help, value.kind, &names);
        let mut family = out.open(desc.with_unit(&value.unit));
        for (database, result_set) in results {
            let labels: Result<Vec<_>, _> =
                query.labels.iter().map(|label| column(result_set, label)).collect();
            let (labels, column) = (labels?, column(result_set, &value.column)?);
            for row in &result_set.rows {
                // NULL values are not exposed.
                let Some(text) = row.value(column) else { continue };
                let Ok(number) = text.trim().parse::<f64>() else {
                    problem = Some(ResultError::Number(value.column.clone()));
                    continue;
                };
                if remaining == 0 {
                    return Err(ResultError::TooMany(query.max_series));
                }
                remaining -= 1;
                let database = has_database.then_some(database.as_str());
                let texts = labels.iter().map(|label| row.text(*label));
                let texts: Vec<_> = database.into_iter().chain(texts).collect();
                family.sample(&texts, number);
            }
        }
    }
    problem.map_or(Ok(()), Err)
}

/// The position of a column.
fn column(result_set: &ResultSet, name: &str) -> Result<usize, ResultError> {
    let found = result_set.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    found.ok_or_else(|| ResultError::Column {
        wanted: name.to_owned(),
        found: result_set.columns.join(", "),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use exporter_core::desc::Kind;
    use exporter_core::testing;

    use super::super::query::ValueColumn;
    use super::*;
    use crate::db::Row;

    fn query(databases: Databases) -> CustomQuery {
        let value = |column: &str, kind, unit: &str| ValueColumn {
            column: column.into(),
            metric: format!("app_{column}"),
            help: "Help.".into(),
            kind,
            unit: unit.into(),
        };
        CustomQuery {
            name: "q".into(),
            statement: "SELECT 1".into(),
            labels: vec!["who".into()],
            values: vec![
                value("wait_seconds", Kind::Gauge, "seconds"),
                value("done_total", Kind::Counter, ""),
            ],
            databases,
            servers: Vec::new(),
            interval: None,
            timeout: Duration::from_secs(1),
            max_series: 3,
        }
    }

    fn result_set(rows: &[[&str; 3]]) -> Vec<DatabaseResult> {
        let columns = ["WHO", "wait_seconds", "done_total"].map(str::to_owned).to_vec();
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        vec![("shop".into(), ResultSet { columns, rows })]
    }

    fn page(query: &CustomQuery, results: &[DatabaseResult]) -> (String, Result<(), ResultError>) {
        let mut out = Families::default();
        let result = write(query, results, &mut out);
        (String::from_utf8(testing::page(&[out])).unwrap(), result)
    }

    #[test]
    fn a_result_set_is_exposed() {
        let (page, result) = page(&query(Databases::All), &result_set(&[["a\"b", " 1.5", "7"]]));
        assert_eq!(result, Ok(()));
        assert_eq!(
            page,
            "# HELP app_wait_seconds Help.\n# TYPE app_wait_seconds gauge\n\
             app_wait_seconds{database=\"shop\",who=\"a\\\"b\"} 1.5\n\
             # HELP app_done_total Help.\n# TYPE app_done_total counter\n\
             app_done_total{database=\"shop\",who=\"a\\\"b\"} 7\n"
        );
    }

    #[test]
    fn invalid_values_are_errors_and_the_rest_is_exposed() {
        let query = query(Databases::None);
        let (text, result) = page(&query, &result_set(&[["a", "x", "1"], ["b", "2", "2"]]));
        assert_eq!(result, Err(ResultError::Number("wait_seconds".into())));
        assert!(text.contains("app_wait_seconds{who=\"b\"} 2\n"), "{text}");
        assert!(text.contains("app_done_total{who=\"a\"} 1\n"), "{text}");
        let rows = [["a", "1", "1"], ["b", "2", "2"]];
        let (text, result) = page(&query, &result_set(&rows));
        assert_eq!(result, Err(ResultError::TooMany(3)));
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 3, "{text}");
        let mut other = result_set(&rows);
        other[0].1.columns[0] = "whom".into();
        let (_, result) = page(&query, &other);
        let message = result.unwrap_err().to_string();
        assert_eq!(
            message,
            "the result has no column \"who\", only whom, wait_seconds, done_total"
        );
    }
}
