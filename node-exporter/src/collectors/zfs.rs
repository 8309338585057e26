//! Statistics of the ZFS module, under its own names: `/proc/spl/kstat/zfs`.

mod kstat;

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use self::kstat::{Entry, dataset, entries, pool};
use super::Definition;
use crate::host::{Host, OrAbsent, if_exists};
use crate::proc::named::{MAX_NAMES, Named, Names};

pub(super) static DEFINITION: Definition =
    Definition::new("zfs", "ZFS caches, pools and datasets", |host, _| {
        let names = FILES.map(|_| Names::default());
        Ok(Source::blocking(Zfs { host: host.clone(), names }))
    })
    .cost("about 10 files, and one per dataset")
    .reads(&["/proc/spl/kstat/zfs/*", "/proc/spl/kstat/zfs/*/{io,objset-*,state}"])
    .metrics(&[&EntryFamilies, &STATE]);

/// The files of the whole module, with the prefixes of their families.
const FILES: [(&str, &str); 11] = [
    ("abdstats", "abd"),
    ("arcstats", "arc"),
    ("dbufstats", "dbuf"),
    ("dmu_tx", "dmu_tx"),
    ("dnodestats", "dnode"),
    ("fm", "fm"),
    ("vdev_cache_stats", "vdev_cache"),
    ("vdev_mirror_stats", "vdev_mirror"),
    ("xuio_stats", "xuio"),
    ("zfetchstats", "zfetch"),
    ("zil", "zil"),
];

/// The families that are named after entries of files.
struct EntryFamilies;

impl Describe for EntryFamilies {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let mut desc = |name, help, labels| visit(DynDesc::new(name, help, Kind::Untyped, labels));
        desc("node_zfs_<part>_<entry>", "Entry <entry> of <file> in /proc/spl/kstat/zfs.", &[]);
        desc("node_zfs_zpool_<entry>", POOL_HELP, &POOL);
        desc("node_zfs_zpool_dataset_<entry>", DATASET_HELP, &DATASET);
    }
}

const POOL: [&str; 1] = ["zpool"];
const POOL_HELP: &str = "Entry of a pool's io file in /proc/spl/kstat/zfs.";
const DATASET: [&str; 2] = ["zpool", "dataset"];
const DATASET_HELP: &str = "Entry of a pool's objset files in /proc/spl/kstat/zfs.";

static STATE: Desc<2> =
    Desc::gauge("node_zfs_zpool_state", "Whether a pool is in this state.", ["zpool", "state"]);
const STATES: [&str; 7] =
    ["online", "degraded", "faulted", "offline", "removed", "unavail", "suspended"];

struct Zfs {
    host: Host,
    /// The entries of [`FILES`].
    names: [Names; 11],
}

impl Collector for Zfs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let pools = self.host.list_proc_directories("spl/kstat/zfs").or_absent("ZFS")?;
        let mut result = Ok(());
        for ((file, prefix), names) in FILES.into_iter().zip(&mut self.names) {
            result = result.and(expose_module(&self.host, out, file, prefix, names));
        }
        result = result.and(self.expose_pools(out, &pools));
        result = result.and(self.expose_datasets(out, &pools));
        result.and(self.expose_states(out, &pools))
    }
}

/// The entries of one file of the whole module. The files differ between versions of ZFS.
fn expose_module(
    host: &Host,
    out: &mut Families,
    file: &str,
    prefix: &str,
    names: &mut Names,
) -> Result<(), Error> {
    let Some(text) = if_exists(host.proc(format!("spl/kstat/zfs/{file}")))? else { return Ok(()) };
    for (index, entry) in entries(&text).enumerate() {
        let Entry { name, value } = entry?;
        let family = names.get(index, name, |name| {
            Some(Named {
                name: format!("node_zfs_{prefix}_{}", name.replace('-', "_")),
                help: format!("Entry {name} of {file} in /proc/spl/kstat/zfs."),
            })
        });
        if let Some(family) = family {
            family.sample(out, value);
        }
    }
    Ok(())
}

/// The samples of each entry, by name.
type ByName<const N: usize> = BTreeMap<String, Vec<([String; N], f64)>>;

fn add_sample<const N: usize>(samples: &mut ByName<N>, name: &str, labels: [&str; N], value: f64) {
    if samples.len() < MAX_NAMES || samples.contains_key(name) {
        samples.entry(name.to_owned()).or_default().push((labels.map(str::to_owned), value));
    }
}

fn expose<const N: usize>(
    out: &mut Families,
    (prefix, help, labels): (&str, &str, [&str; N]),
    samples: &ByName<N>,
) {
    for (name, samples) in samples {
        let name = format!("{prefix}{}", name.replace('-', "_"));
        let Some(desc) = Desc::try_new(&name, help, Kind::Untyped, labels) else { continue };
        let mut family = out.family(&desc);
        for (labels, value) in samples {
            family.sample(labels.each_ref().map(String::as_str), *value);
        }
    }
}

impl Zfs {
    fn expose_pools(&self, out: &mut Families, pools: &[String]) -> Result<(), Error> {
        let mut samples = ByName::new();
        let mut result = Ok(());
        for name in pools {
            // ZFS 2.1 and later do not have this file.
            match if_exists(self.host.proc(format!("spl/kstat/zfs/{name}/io"))) {
                Ok(None) => {}
                Ok(Some(file)) => match pool(&file) {
                    Ok(entries) => {
                        for Entry { name: entry, value } in entries {
                            add_sample(&mut samples, entry, [name], value);
                        }
                    }
                    Err(error) => result = result.and(Err(error)),
                },
                Err(error) => result = result.and(Err(error)),
            }
        }
        expose(out, ("node_zfs_zpool_", POOL_HELP, POOL), &samples);
        result
    }

    fn expose_datasets(&self, out: &mut Families, pools: &[String]) -> Result<(), Error> {
        let mut samples = ByName::new();
        let mut result = Ok(());
        for name in pools {
            let directory = format!("spl/kstat/zfs/{name}");
            let files = self.host.list_proc(&directory).unwrap_or_default();
            for file in files.iter().filter(|file| file.starts_with("objset-")) {
                // A dataset that is destroyed meanwhile is left out.
                let read = if_exists(self.host.proc(format!("{directory}/{file}")));
                let add = |samples: &mut ByName<2>| -> Result<(), Error> {
                    let Some(file) = read? else { return Ok(()) };
                    let (dataset, entries) = dataset(&file)?;
                    for Entry { name: entry, value } in entries {
                        add_sample(samples, entry, [name, dataset], value);
                    }
                    Ok(())
                };
                result = result.and(add(&mut samples));
            }
        }
        expose(out, ("node_zfs_zpool_dataset_", DATASET_HELP, DATASET), &samples);
        result
    }

    fn expose_states(&self, out: &mut Families, pools: &[String]) -> Result<(), Error> {
        let mut result = Ok(());
        let mut family = out.family(&STATE);
        for pool in pools {
            match if_exists(self.host.proc(format!("spl/kstat/zfs/{pool}/state"))) {
                Ok(None) => {}
                Ok(Some(file)) => {
                    let found = file.trimmed().to_ascii_lowercase();
                    for state in STATES {
                        family.sample([pool, state], f64::from(found == state));
                    }
                }
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }
}
