//! Statistics of the virtual memory system, under the kernel's names: `/proc/vmstat`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use regex::bytes::Regex;

use super::Definition;
use crate::filter;
use crate::host::Host;
use crate::proc::named::{MAX_NAMES, Named, Names};

pub(super) static DEFINITION: Definition =
    Definition::new("vmstat", "Virtual memory events", |host, flags| {
        let fields = filter::pattern(flags, &FIELDS)?;
        Ok(Source::blocking(Vmstat { host: host.clone(), fields, names: Names::default() }))
    })
    .cost("one file")
    .reads(&["/proc/vmstat"])
    .flags(&[&FIELDS])
    .metrics(&[&Field]);

static FIELDS: Flag = Flag::text(
    "collector.vmstat.fields",
    "^(oom_kill|pgpg|pswp|pg.*fault).*",
    "Pattern of the fields to expose.",
);

/// The family of each field. Fields differ between kernels, so they are not listed here.
struct Field;

impl Describe for Field {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let help = "Field <field> of /proc/vmstat.";
        visit(DynDesc::new("node_vmstat_<field>", help, Kind::Untyped, &[]));
    }
}

struct Vmstat {
    host: Host,
    /// None exposes all.
    fields: Option<Regex>,
    names: Names,
}

impl Collector for Vmstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc("vmstat")?;
        // Unwanted fields are not checked, so this is the only check of the file format.
        let mut first = file.fields();
        first.skip(1);
        first.number::<f64>("a field and its number")?;
        let select = |field: &str| {
            let is_selected =
                self.fields.as_ref().is_none_or(|fields| fields.is_match(field.as_bytes()));
            is_selected.then(|| Named {
                name: format!("node_vmstat_{field}"),
                help: format!("Field {field} of /proc/vmstat."),
            })
        };
        for (index, mut line) in file.lines().take(MAX_NAMES).enumerate() {
            let field = line.optional().unwrap_or_default();
            if let Some(named) = self.names.get(index, field, select) {
                named.sample(out, line.number("a number")?);
            }
        }
        Ok(())
    }
}
