//! Number of open files on the machine: `/proc/sys/fs/file-nr`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;

pub(super) static DEFINITION: Definition =
    Definition::new("filefd", "File handles", |host, _| Ok(Source::blocking(Filefd(host.clone()))))
        .cost("one small file")
        .reads(&["/proc/sys/fs/file-nr"])
        .metrics(&[&ALLOCATED, &MAXIMUM]);

static ALLOCATED: Desc = Desc::gauge("node_filefd_allocated", "File handles in use.", []);
static MAXIMUM: Desc =
    Desc::gauge("node_filefd_maximum", "File handles that may be in use at once.", []);

struct Filefd(Host);

impl Collector for Filefd {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("sys/fs/file-nr")?;
        let mut fields = file.fields();
        let allocated: u64 = fields.number("file handles in use")?;
        fields.skip(1); // free handles, always 0 since Linux 2.6
        let maximum: u64 = fields.number("the most file handles")?;
        out.family(&ALLOCATED).sample([], allocated as f64);
        out.family(&MAXIMUM).sample([], maximum as f64);
        Ok(())
    }
}
