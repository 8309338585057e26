//! Password expiry, locks and TLS of accounts: `mysql.user`, or `mysql.global_priv` on MariaDB since
//! 10.4.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "mysql.accounts",
        "Password expiry, locks and TLS of accounts",
        |db, flags| {
            let limit = flags.parsed(&LIMIT, "a number")?;
            Ok(Source::asynchronous(Accounts { db: db.clone(), limit }))
        },
    )
    .off_by_default()
    .reads(&["mysql.user", "mysql.global_priv"])
    .flags(&[&LIMIT])
    .metrics(&[&INFO, &COLUMNS]),
    privileges: |server, _| {
        let table = if has_global_priv(server) { "mysql.global_priv" } else { "mysql.user" };
        vec![Privilege::new("SELECT", table)]
    },
};

static LIMIT: Flag = Flag::text(
    "collect.mysql.accounts.limit",
    "500",
    "Maximum number of accounts, in the order of their names.",
);

static INFO: Desc<4> = Desc::info(
    "mysql_account_info",
    "Authentication plugin and TLS requirement (none, any, x509 or specified) of an account.",
    ["user", "host", "plugin", "tls"],
);
static COLUMNS: [Column<Row, 2>; 4] = [
    Desc::gauge(
        "mysql_account_tls_required",
        "Whether an account has to use TLS.",
        ["user", "host"],
    )
    .column(|row| Some(f64::from(u8::from(tls(row.text(3)) != "none")))),
    Desc::gauge("mysql_account_locked", "Whether an account is locked.", ["user", "host"])
        .column(|row| row.number(4)),
    Desc::gauge(
        "mysql_account_password_expired",
        "Whether the password of an account has expired, or was marked as expired.",
        ["user", "host"],
    )
    .column(|row| {
        let is_past = row.number(6).zip(row.number(7)).is_some_and(|(expiry, now)| expiry <= now);
        Some(f64::from(u8::from(row.text(5) == "1" || is_past)))
    }),
    Desc::gauge(
        "mysql_account_password_expiry_timestamp_seconds",
        "Unix time when the password of an account expires. Absent if it does not expire.",
        ["user", "host"],
    )
    .column(|row| row.number(6)),
];

struct Accounts {
    db: Db,
    limit: u32,
}

#[async_trait]
impl AsyncCollector for Accounts {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        if !session.server().is_mariadb() && !session.server().is_mysql_since((5, 7, 6)) {
            return Err(Error::Absent("accounts with expiry"));
        }
        let sql = statement(session.server(), self.limit);
        let result_set = session.query(&sql).await?;
        drop(session);
        write(out, &result_set);
        Ok(())
    }
}

fn has_global_priv(server: &Server) -> bool {
    server.is_mariadb_since((10, 4, 0))
}

/// The columns are user, host, plugin, TLS, locked, expired, Unix time of the expiry, Unix time now.
fn statement(server: &Server, limit: u32) -> String {
    // The default is the lifetime set for the server; 0 means no expiry.
    if has_global_priv(server) {
        let value = |key: &str| format!("JSON_VALUE(Priv, '$.{key}')");
        let lifetime = format!(
            "COALESCE(NULLIF({}, '-1'), @@default_password_lifetime)",
            value("password_lifetime")
        );
        format!(
            "SELECT User, Host, COALESCE({plugin}, 'mysql_native_password'), COALESCE({tls}, '0'), \
             COALESCE({locked}, 'false') IN ('true', '1'), COALESCE({changed}, '') = '0' AND \
             COALESCE({locked}, 'false') NOT IN ('true', '1'), IF({lifetime} > 0 AND {changed} > 0, \
             {changed} + {lifetime} * 86400, NULL), UNIX_TIMESTAMP() FROM mysql.global_priv WHERE \
             COALESCE({role}, 'false') NOT IN ('true', '1') ORDER BY User, Host LIMIT {limit}",
            plugin = value("plugin"),
            tls = value("ssl_type"),
            locked = value("account_locked"),
            changed = value("password_last_changed"),
            role = value("is_role"),
        )
    } else if server.is_mariadb() {
        // There is no expiry before 10.4.
        format!(
            "SELECT User, Host, plugin, ssl_type, 0, password_expired = 'Y', NULL, \
             UNIX_TIMESTAMP() FROM mysql.user WHERE is_role = 'N' ORDER BY User, Host LIMIT {limit}"
        )
    } else {
        let lifetime = "COALESCE(password_lifetime, @@default_password_lifetime)";
        format!(
            "SELECT User, Host, plugin, ssl_type, account_locked = 'Y', password_expired = 'Y', \
             IF({lifetime} > 0, UNIX_TIMESTAMP(password_last_changed) + {lifetime} * 86400, NULL), \
             UNIX_TIMESTAMP() FROM mysql.user ORDER BY User, Host LIMIT {limit}"
        )
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let mut family = out.family(&INFO);
    for row in &result_set.rows {
        family.sample([row.text(0), row.text(1), row.text(2), tls(row.text(3))], 1.0);
    }
    result_set.table(out, &COLUMNS, [0, 1]);
}

/// The TLS requirement, from the word in `mysql.user` or the number in `mysql.global_priv`.
fn tls(ssl_type: &str) -> &'static str {
    match ssl_type {
        "" | "0" | "-1" => "none",
        "ANY" | "1" => "any",
        "X509" | "2" => "x509",
        _ => "specified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::assert_golden;

    #[test]
    fn accounts_are_exposed() {
        let rows: [&[&str]; 3] = [
            &["app", "%", "caching_sha2_password", "ANY", "0", "0", "1800000000", "1700000000"],
            &["old", "10.%", "ed25519", "2", "0", "0", "1600000000", "1700000000"],
            &["root", "localhost", "unix_socket", "", "1", "1", "", "1700000000"],
        ];
        assert_golden(&COLLECTOR, &rows, write);
    }

    #[test]
    fn the_table_depends_on_the_server() {
        for (version, table) in [
            ("10.11.6-MariaDB", "FROM mysql.global_priv"),
            ("10.3.39-MariaDB", "FROM mysql.user WHERE is_role"),
            ("9.7.4", "FROM mysql.user ORDER"),
        ] {
            let sql = statement(&Server::new(version, "", true), 7);
            assert!(sql.contains(table) && sql.ends_with("LIMIT 7"), "{version}: {sql}");
        }
    }
}
