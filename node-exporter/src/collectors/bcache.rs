//! bcache, a cache for disks on faster disks: `/sys/fs/bcache`, see
//! `Documentation/admin-guide/bcache.rst`.

mod numbers;
mod tables;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::numbers::{human_readable, percentage, rate};
use self::tables::{BACKING, CACHE, DEBUG, PRIORITIES, READAHEADS, SET};
use super::Definition;
use crate::attributes::Values;
use crate::host::{Device, File, Host, if_exists, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("bcache", "Caches of block devices (bcache)", |host, flags| {
        let with_priority_stats = flags.is_on(&PRIORITY_STATS);
        Ok(Source::blocking(Bcache { host: host.clone(), with_priority_stats }))
    })
    .cost("about 40 small files per cache set and device")
    .rights("root for some caches' statistics")
    .reads(&[
        "/sys/fs/bcache/*/{*,internal/*}",
        "/sys/fs/bcache/*/bdev*/{dirty_data,stats_total/*,writeback_rate_debug}",
        "/sys/fs/bcache/*/cache*/{io_errors,metadata_written,priority_stats,written}",
    ])
    .flags(&[&PRIORITY_STATS])
    .metrics(&[&SET, &BACKING, &READAHEADS, &DEBUG, &CACHE, &PRIORITIES]);

static PRIORITY_STATS: Flag = Flag::switch(
    "collector.bcache.priorityStats",
    false,
    "Expose the contents of the cache, for which the kernel sorts all buckets.",
);

struct Bcache {
    host: Host,
    with_priority_stats: bool,
}

impl Collector for Bcache {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // Without the module the directory does not exist, and there is nothing to report.
        let sets = if_exists(self.host.devices("fs/bcache"))?.unwrap_or_default();
        let mut rows = Rows::default();
        let mut result = Ok(());
        // Directories of sets are named by UUID; no other directory has a dash in its name.
        for (uuid, set) in sets.iter().filter(|(name, _)| name.contains('-')) {
            result = result.and(rows.read_set(uuid, set, self.with_priority_stats));
        }
        rows.expose(out);
        result
    }
}

/// The rows of each table.
#[derive(Default)]
struct Rows {
    sets: Vec<([String; 1], Values<10>)>,
    backing: Vec<([String; 2], Values<7>)>,
    readaheads: Vec<([String; 2], Values<1>)>,
    debug: Vec<([String; 2], Values<5>)>,
    caches: Vec<([String; 2], Values<3>)>,
    priorities: Vec<([String; 2], Values<2>)>,
}

impl Rows {
    fn read_set(
        &mut self,
        uuid: &str,
        set: &Device,
        with_priority_stats: bool,
    ) -> Result<(), Error> {
        self.sets.push(([uuid.to_owned()], SET.values(|file| number(set, file))?));
        for (name, device) in set.devices()? {
            let labels = [&name, uuid].map(str::to_owned);
            if is_numbered(&name, "bdev") {
                self.read_backing(labels, &device)?;
            } else if is_numbered(&name, "cache") {
                let values = CACHE.values(|file| number(&device, file))?;
                self.caches.push((labels.clone(), values));
                if with_priority_stats && let Some(file) = if_exists(device.file("priority_stats"))?
                {
                    let values = PRIORITIES.values(|key| value_of_line(&file, key, percentage))?;
                    self.priorities.push((labels, values));
                }
            }
        }
        Ok(())
    }

    fn read_backing(&mut self, labels: [String; 2], device: &Device) -> Result<(), Error> {
        self.backing.push((labels.clone(), BACKING.values(|file| number(device, file))?));
        // Removed in Linux 5.9; it was always 0 before.
        let readaheads =
            READAHEADS.values(|file| Ok(number(device, file)?.filter(|number| *number > 0.0)))?;
        self.readaheads.push((labels.clone(), readaheads));
        if let Some(file) = if_exists(device.file("writeback_rate_debug"))? {
            self.debug.push((labels, DEBUG.values(|key| value_of_line(&file, key, rate))?));
        }
        Ok(())
    }

    fn expose(&self, out: &mut Families) {
        SET.expose_owned(out, &self.sets);
        BACKING.expose_owned(out, &self.backing);
        READAHEADS.expose_owned(out, &self.readaheads);
        DEBUG.expose_owned(out, &self.debug);
        CACHE.expose_owned(out, &self.caches);
        PRIORITIES.expose_owned(out, &self.priorities);
    }
}

/// Whether a name consists of `prefix` and a number.
fn is_numbered(name: &str, prefix: &str) -> bool {
    let number = name.strip_prefix(prefix).unwrap_or_default();
    number.starts_with(|first: char| first.is_ascii_digit())
}

/// A file that holds one number.
fn number(device: &Device, file: &str) -> Result<Option<f64>, Error> {
    let Some(text) = if_supported(device.string(file))? else { return Ok(None) };
    match human_readable(&text) {
        Some(number) => Ok(Some(number)),
        None => Err(device.parse_error(file, "a number such as 12 or 1.5k", &text)),
    }
}

/// The value of the line that begins with the key and a colon.
fn value_of_line(
    file: &File,
    key: &str,
    value: fn(&str) -> Option<f64>,
) -> Result<Option<f64>, Error> {
    for line in file.lines() {
        if let Some((name, text)) = line.line().split_once(':')
            && name.trim() == key
        {
            let number = value(text.trim());
            return number
                .map(Some)
                .ok_or_else(|| line.parse_error("a name, a colon and a number"));
        }
    }
    Ok(None)
}
