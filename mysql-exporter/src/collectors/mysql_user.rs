//! Limits and privileges of each account: `mysql.user`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("mysql.user", "Limits and privileges of accounts", |db, flags| {
        let with_privileges = flags.is_on(&PRIVILEGES);
        Ok(Source::asynchronous(User { db: db.clone(), with_privileges }))
    })
    .off_by_default()
    .reads(&["mysql.user"])
    .flags(&[&PRIVILEGES])
    .metrics(&[&COLUMNS, &PRIVILEGE]),
    privileges: |_, _| vec![Privilege::new("SELECT", "mysql.user")],
};

static PRIVILEGES: Flag = Flag::switch(
    "collect.mysql.user.privileges",
    false,
    "Expose the global privileges of each account.",
);

const ACCOUNT: [&str; 2] = ["mysql_user", "hostmask"];

static COLUMNS: [Column<Row, 2>; 4] = [
    Desc::gauge(
        "mysql_mysql_max_questions",
        "Statements per hour allowed for the account; 0 means no limit.",
        ACCOUNT,
    )
    .column(|row| row.number(2)),
    Desc::gauge(
        "mysql_mysql_max_updates",
        "Changes per hour allowed for the account; 0 means no limit.",
        ACCOUNT,
    )
    .column(|row| row.number(3)),
    Desc::gauge(
        "mysql_mysql_max_connections",
        "Connections per hour allowed for the account; 0 means no limit.",
        ACCOUNT,
    )
    .column(|row| row.number(4)),
    Desc::gauge(
        "mysql_mysql_max_user_connections",
        "Maximum number of simultaneous connections of the account; 0 means the server's limit.",
        ACCOUNT,
    )
    .column(|row| row.number(5)),
];
static PRIVILEGE: DynDesc = DynDesc::new(
    "mysql_mysql_<privilege>",
    "Whether the account has this global privilege.",
    Kind::Gauge,
    &ACCOUNT,
);

const LIMITS: &str =
    "User, Host, max_questions, max_updates, max_connections, max_user_connections";
/// The columns that every supported server has.
const PRIVILEGE_COLUMNS: [&str; 29] = [
    "select_priv",
    "insert_priv",
    "update_priv",
    "delete_priv",
    "create_priv",
    "drop_priv",
    "reload_priv",
    "shutdown_priv",
    "process_priv",
    "file_priv",
    "grant_priv",
    "references_priv",
    "index_priv",
    "alter_priv",
    "show_db_priv",
    "super_priv",
    "create_tmp_table_priv",
    "lock_tables_priv",
    "execute_priv",
    "repl_slave_priv",
    "repl_client_priv",
    "create_view_priv",
    "show_view_priv",
    "create_routine_priv",
    "alter_routine_priv",
    "create_user_priv",
    "event_priv",
    "trigger_priv",
    "create_tablespace_priv",
];

struct User {
    db: Db,
    with_privileges: bool,
}

#[async_trait]
impl AsyncCollector for User {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let more_columns =
            if self.with_privileges { PRIVILEGE_COLUMNS.join(", ") } else { "1".into() };
        let result_set =
            self.db.query(&format!("SELECT {LIMITS}, {more_columns} FROM mysql.user")).await?;
        result_set.table(out, &COLUMNS, [0, 1]);
        if self.with_privileges {
            write_privileges(out, &result_set);
        }
        Ok(())
    }
}

fn write_privileges(out: &mut Families, result_set: &ResultSet) {
    for (column, privilege) in (6..).zip(PRIVILEGE_COLUMNS) {
        let name = format!("mysql_mysql_{privilege}");
        let mut family = out.open(PRIVILEGE.with_name(&name));
        for row in &result_set.rows {
            let has_privilege = row.text(column).eq_ignore_ascii_case("y");
            family.sample(&[row.text(0), row.text(1)], f64::from(u8::from(has_privilege)));
        }
    }
}
