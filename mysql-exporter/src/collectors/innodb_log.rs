//! History list and checkpoint age of InnoDB, from `SHOW GLOBAL STATUS` and
//! `information_schema.INNODB_METRICS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "innodb_log",
        "History list length and checkpoint age of InnoDB",
        |db, _| Ok(Source::asynchronous(InnodbLog(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW GLOBAL STATUS", "information_schema.INNODB_METRICS"])
    .metrics(&[&HISTORY, &AGE, &LIMIT]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static HISTORY: Desc = Desc::gauge(
    "mysql_innodb_history_list_length",
    "Transactions whose undo records are not purged yet.",
    [],
);
static AGE: Desc = Desc::gauge(
    "mysql_innodb_checkpoint_age_bytes",
    "Bytes of redo log since the last checkpoint, which a recovery would have to read.",
    [],
);
static LIMIT: Desc = Desc::gauge(
    "mysql_innodb_checkpoint_age_limit_bytes",
    "Checkpoint age at which writes have to wait; on MySQL, the capacity of the redo log.",
    [],
);

/// Valid on every server, because unknown variables are only missing in the result set.
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

/// Writes the values that exist. The columns are name and value.
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
    use crate::collectors::tests::{assert_golden, assert_golden_variant};

    #[test]
    fn both_flavours_have_a_checkpoint_age() {
        let mariadb: [&[&str]; 3] = [
            &["trx_rseg_history_len", "6"],
            &["Innodb_checkpoint_age", "6341"],
            &["Innodb_checkpoint_max_age", "80819529"],
        ];
        assert_golden(&COLLECTOR, &mariadb, write);
        let mysql: [&[&str]; 4] = [
            &["trx_rseg_history_len", "7"],
            &["Innodb_redo_log_checkpoint_lsn", "19459173"],
            &["Innodb_redo_log_current_lsn", "19459519"],
            &["Innodb_redo_log_capacity_resized", "104857600"],
        ];
        assert_golden_variant(&COLLECTOR, "mysql", &mysql, write);
    }
}
