//! TokuDB, which no supported server has any more: the flag is accepted, with a warning.

use exporter_core::collector::{Collector, Definition, Error, Source};
use exporter_core::families::Families;

use super::Query;

pub(super) static QUERY: Query = Query {
    definition: Definition {
        name: "engine_tokudb_status",
        about: "Nothing: the TokuDB engine is gone",
        on_by_default: false,
        reads: &[],
        flags: &[],
        metrics: &[],
        build: |_, _| {
            tracing::warn!(
                "--collect.engine_tokudb_status has nothing to collect: MariaDB dropped TokuDB in \
                 10.6, Percona Server in 8.0; leave the flag out"
            );
            Ok(Source::blocking(EngineTokudbStatus))
        },
    },
    needs: |_, _| Vec::new(),
};

struct EngineTokudbStatus;

impl Collector for EngineTokudbStatus {
    fn collect(&mut self, _out: &mut Families) -> Result<(), Error> {
        Err(Error::Absent("TokuDB"))
    }
}
