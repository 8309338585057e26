//! `--check`: explains each query, so that missing privileges and missing tables are found before
//! the first scrape.

use std::sync::Arc;

use exporter_core::exporter::CheckLine;

use super::collector::databases;
use super::query::CustomQuery;
use super::statement;
use crate::db::{Db, Error, Session};

/// A line for each query.
pub(super) async fn check(queries: &[Arc<CustomQuery>], db: &Db) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    for query in queries {
        let result = explain(query, db).await;
        let is_ok = result.is_ok();
        let finding = result.unwrap_or_else(|error| match error.server_code() {
            // The user may not access a database, table, column or routine, or lacks a privilege.
            Some(1044 | 1142 | 1143 | 1227 | 1356 | 1370) => {
                format!("lacks a grant: {error}")
            }
            _ => error.to_string(),
        });
        lines.push(CheckLine::new(is_ok, query.collector(), finding));
    }
    lines
}

async fn explain(query: &CustomQuery, db: &Db) -> Result<String, Error> {
    let mut session = db.session().await?;
    if !query.runs_on(session.server()) {
        return Ok("not for this server".into());
    }
    if !statement::is_explainable(&query.statement) {
        return Ok("a SHOW statement, which has no plan".into());
    }
    let databases = databases(&mut session, &query.databases).await?;
    let count = databases.len();
    let Some(first) = databases.into_iter().next() else {
        return Ok("none of its databases exists".into());
    };
    let rows = examined_rows(&mut session, &first, &query.statement).await?;
    let times = if count > 1 { format!(", in each of {count} databases") } else { String::new() };
    Ok(format!("reads about {rows} rows{times}"))
}

/// The rows that the server expects to read.
async fn examined_rows(
    session: &mut Session,
    database: &str,
    statement: &str,
) -> Result<u64, Error> {
    let format =
        if session.server().is_mysql_since((8, 0, 16)) { " FORMAT=TRADITIONAL" } else { "" };
    let plan = session.query_read_only(database, &format!("EXPLAIN{format} {statement}")).await?;
    let rows =
        plan.rows.iter().filter_map(|row| plan.value_by_name(row, "rows")?.parse::<u64>().ok());
    Ok(rows.fold(0, u64::saturating_add))
}
