//! History list and checkpoint age of InnoDB, from `SHOW GLOBAL STATUS` and
//! `information_schema.INNODB_METRICS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::{Definition, Query};
use crate::db::{Db, ResultSet};
use crate::grants::Need;

pub(super) static QUERY: Query = Query {
    definition: Definition::new(
        "innodb_log",
        "Length of the history list of InnoDB, and age of its checkpoint",
        |db, _| Ok(Source::asynchronous(InnodbLog(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW GLOBAL STATUS", "information_schema.INNODB_METRICS"])
    .metrics(&[&HISTORY, &AGE, &LIMIT]),
    needs: |_, _| vec![Need::global("PROCESS")],
};

static HISTORY: Desc = Desc::gauge(
    "mysql_innodb_history_list_length",
    "Transactions whose undo records no purge has removed.",
    [],
);
static AGE: Desc = Desc::gauge(
    "mysql_innodb_checkpoint_age_bytes",
    "Bytes of the redo log since the last checkpoint: what a recovery would read.",
    [],
);
static LIMIT: Desc = Desc::gauge(
    "mysql_innodb_checkpoint_age_limit_bytes",
    "The age at which writes wait for a checkpoint; on MySQL, the capacity of the redo log.",
    [],
);

/// Parses everywhere: variables that a server does not know are left out.
const STATUS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_checkpoint_age', \
                      'Innodb_checkpoint_max_age', 'Innodb_redo_log_checkpoint_lsn', \
                      'Innodb_redo_log_current_lsn', 'Innodb_redo_log_capacity_resized')";
const METRICS: &str = "SELECT NAME, COUNT FROM information_schema.INNODB_METRICS WHERE NAME = \
                       'trx_rseg_history_len'";

struct InnodbLog(Db);

#[async_trait]
impl AsyncCollector for InnodbLog {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let mut values = session.query(METRICS).await?;
        values.rows.extend(session.query(STATUS).await?.rows);
        drop(session);
        write(out, &values);
        Ok(())
    }
}

/// Writes what there is of it. The rows are names and values.
fn write(out: &mut Families, values: &ResultSet) {
    let value = |name: &str| {
        let row = values.variable(name)?;
        row.number(1)
    };
    let age = value("Innodb_checkpoint_age").or_else(|| {
        let current = value("Innodb_redo_log_current_lsn")?;
        Some((current - value("Innodb_redo_log_checkpoint_lsn")?).max(0.0))
    });
    let limit = value("Innodb_checkpoint_max_age");
    for (desc, value) in [
        (&HISTORY, value("trx_rseg_history_len")),
        (&AGE, age),
        (&LIMIT, limit.or_else(|| value("Innodb_redo_log_capacity_resized"))),
    ] {
        if let Some(value) = value {
            out.family(desc).sample([], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::{exposed, exposed_as};

    #[test]
    fn both_flavours_tell_the_age() {
        let mariadb: [&[&str]; 3] = [
            &["trx_rseg_history_len", "6"],
            &["Innodb_checkpoint_age", "6341"],
            &["Innodb_checkpoint_max_age", "80819529"],
        ];
        exposed(&QUERY, &mariadb, write);
        let mysql: [&[&str]; 4] = [
            &["trx_rseg_history_len", "7"],
            &["Innodb_redo_log_checkpoint_lsn", "19459173"],
            &["Innodb_redo_log_current_lsn", "19459519"],
            &["Innodb_redo_log_capacity_resized", "104857600"],
        ];
        exposed_as(&QUERY, "mysql", &mysql, write);
    }
}
