//! Sizes of tablespaces: `information_schema.INNODB_TABLESPACES`, or `INNODB_SYS_TABLESPACES`
//! before MySQL 8.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.innodb_tablespaces",
        "Sizes of InnoDB's tablespaces",
        |db, _| Ok(Source::asynchronous(InnodbTablespaces(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.INNODB_TABLESPACES"])
    .metrics(&[&INFO, &FILE_SIZE, &ALLOCATED_SIZE]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static INFO: Desc<4> = Desc::gauge(
    "mysql_info_schema_innodb_tablespace_space_info",
    "ID of a tablespace, with formats and type as labels.",
    ["tablespace_name", "file_format", "row_format", "space_type"],
);
static FILE_SIZE: Desc<1> = Desc::gauge(
    "mysql_info_schema_innodb_tablespace_file_size_bytes",
    "Apparent size of a tablespace's file.",
    ["tablespace_name"],
);
static ALLOCATED_SIZE: Desc<1> = Desc::gauge(
    "mysql_info_schema_innodb_tablespace_allocated_size_bytes",
    "Allocated size of a tablespace's file.",
    ["tablespace_name"],
);

struct InnodbTablespaces(Db);

#[async_trait]
impl AsyncCollector for InnodbTablespaces {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let sql = statement(session.server());
        let missing_type = if session.server().is_mariadb_since((10, 5, 0)) { "" } else { NONE };
        let result_set = session.query(sql).await?;
        drop(session);
        write(out, &result_set, missing_type);
        Ok(())
    }
}

/// The value that the original exposes for a column that the server does not have.
const NONE: &str = "NONE";

/// Selects all columns, because they differ between versions.
fn statement(server: &Server) -> &'static str {
    if server.is_mysql_since((8, 0, 0)) {
        "SELECT * FROM information_schema.INNODB_TABLESPACES"
    } else {
        "SELECT * FROM information_schema.INNODB_SYS_TABLESPACES"
    }
}

fn write(out: &mut Families, result_set: &ResultSet, missing_type: &str) {
    let mut family = out.family(&INFO);
    for row in &result_set.rows {
        let column = |name, default| result_set.value_by_name(row, name).unwrap_or(default);
        let Ok(space) = column("SPACE", "").parse() else { continue };
        let labels = [
            column("NAME", ""),
            column("FILE_FORMAT", NONE),
            column("ROW_FORMAT", NONE),
            column("SPACE_TYPE", missing_type),
        ];
        family.sample(labels, space);
    }
    for (desc, column) in [(&FILE_SIZE, "FILE_SIZE"), (&ALLOCATED_SIZE, "ALLOCATED_SIZE")] {
        let mut family = out.family(desc);
        for row in &result_set.rows {
            if let Some(size) =
                result_set.value_by_name(row, column).and_then(|size| size.parse().ok())
            {
                family.sample([result_set.value_by_name(row, "NAME").unwrap_or_default()], size);
            }
        }
    }
}
