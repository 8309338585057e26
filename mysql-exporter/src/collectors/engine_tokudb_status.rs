//! TokuDB, which no supported server contains: the flag is accepted with a warning.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "engine_tokudb_status",
        "Nothing: no supported server has the TokuDB engine",
        |_, _| {
            tracing::warn!(
                "--collect.engine_tokudb_status has nothing to collect: MariaDB dropped TokuDB in \
                 10.6, Percona Server in 8.0; leave the flag out"
            );
            Ok(Source::blocking(EngineTokudbStatus))
        },
    )
    .off_by_default(),
    privileges: |_, _| Vec::new(),
};

struct EngineTokudbStatus;

impl Collector for EngineTokudbStatus {
    fn collect(&mut self, _out: &mut Families) -> Result<(), Error> {
        Err(Error::Absent("TokuDB"))
    }
}
