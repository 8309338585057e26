//! State of software RAID arrays: `/proc/mdstat` and `/sys/block/md*/md`.
//!
//! An array in `mdstat` is a line that begins with its name and the indented lines that follow:
//! its size and disks, its current operation, its bitmap. See `md_seq_show` in `drivers/md/md.c`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("mdadm", "Software RAID arrays", |host, _| {
        Ok(Source::blocking(Mdadm(host.clone())))
    })
    .cost("one file, and two small files per array")
    .reads(&["/proc/mdstat", "/sys/block/md*/md/degraded", "/sys/block/md*/md/raid_disks"])
    .metrics(&[&STATE, &DISKS, &ARRAYS, &DEVICES]);

static STATE: Desc<2> = Desc::gauge(
    "node_md_state",
    "State of an array: 1 for the current one, 0 for the others.",
    ["device", "state"],
);
static DISKS: Desc<2> = Desc::gauge(
    "node_md_disks",
    "Disks of an array that are in use, failed or spare.",
    ["device", "state"],
);

static ARRAYS: [Column<Array, 1>; 3] = [
    Desc::gauge("node_md_disks_required", "Disks of a complete array.", DEVICE)
        .column(|array| Some(array.required)),
    Desc::gauge("node_md_blocks", "Size of an array in blocks of 1024 bytes.", DEVICE)
        .column(|array| Some(array.blocks)),
    Desc::gauge(
        "node_md_blocks_synced",
        "Blocks done by a running recovery, resync, check or reshape; all blocks if none is running.",
        DEVICE,
    )
    .column(|array| Some(array.synced)),
];
static DEVICES: [Column<Device, 1>; 2] = [
    Desc::gauge("node_md_raid_disks", "Disks that an array is configured to have.", DEVICE)
        .column(|device| device.disks),
    Desc::gauge("node_md_degraded", "Disks missing from an array.", DEVICE)
        .column(|device| device.degraded),
];

const DEVICE: [&str; 1] = ["device"];

struct Mdadm(Host);

impl Collector for Mdadm {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_long_lines("mdstat").or_absent("software RAID")?;
        let mut arrays = Vec::new();
        let result = parse(&file, &mut arrays);
        let mut family = out.family(&DISKS);
        for ([device], array) in &arrays {
            for (state, disks) in
                [("active", array.active), ("failed", array.failed), ("spare", array.spare)]
            {
                family.sample([device, state], disks);
            }
        }
        let mut family = out.family(&STATE);
        for ([device], array) in &arrays {
            for state in ["active", "inactive", "recovering", "resync", "check"] {
                family.sample([device, state], f64::from(array.state == state));
            }
        }
        out.table(&ARRAYS, &arrays);

        let mut devices = Vec::new();
        let result = result.and(self.devices(&mut devices));
        let rows: Vec<_> =
            devices.iter().map(|(name, device)| ([name.as_str()], *device)).collect();
        out.table(&DEVICES, &rows);
        result
    }
}

impl Mdadm {
    /// Adds the arrays in sysfs, including those that `mdstat` does not show. Returns the error of
    /// the first one that cannot be read.
    fn devices(&self, devices: &mut Vec<(String, Device)>) -> Result<(), Error> {
        let names = self.0.list_sys("block").unwrap_or_default();
        let mut result = Ok(());
        for name in names.into_iter().filter(|name| name.starts_with("md")) {
            match self.device(&name).or_absent("array of this name") {
                Ok(device) => devices.push((name, device)),
                Err(Error::Absent(_)) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        result
    }

    fn device(&self, name: &str) -> Result<Device, Error> {
        let device = self.0.device(format!("block/{name}/md"))?;
        let read = |file| device.sensor(file);
        // Empty for a container, and `3 (2)` while it grows from two disks to three.
        let disks = read("raid_disks")?.fields().optional_number::<u64>("a number of disks")?;
        let degraded = match read("degraded") {
            Ok(file) => file.fields().optional_number::<u64>("a number of disks")?,
            // A level without redundancy cannot be degraded.
            Err(_) => Some(0),
        };
        Ok(Device { disks: disks.map(|disks| disks as f64), degraded: degraded.map(|n| n as f64) })
    }
}

/// An array in sysfs.
#[derive(Clone, Copy)]
struct Device {
    disks: Option<f64>,
    degraded: Option<f64>,
}

/// An array in `/proc/mdstat`.
#[derive(Debug, Default, PartialEq)]
struct Array {
    /// `active`, `inactive` or `broken`, or its current operation.
    state: &'static str,
    required: f64,
    active: f64,
    failed: f64,
    spare: f64,
    blocks: f64,
    synced: f64,
}

/// Adds the arrays that can be read. Returns the error of the first one that cannot.
fn parse<'a>(file: &'a File, arrays: &mut Vec<([&'a str; 1], Array)>) -> Result<(), Error> {
    let mut result = Ok(());
    let mut lines = file.lines().peekable();
    while let Some(first_line) = lines.next() {
        if is_indented(&first_line) || is_header_or_footer(&first_line) {
            continue;
        }
        let mut further_lines = Vec::new();
        while let Some(line) = lines.next_if(is_indented) {
            further_lines.push(line);
        }
        match array(&first_line, &further_lines) {
            Ok(array) => arrays.push(array),
            Err(error) => result = result.and(Err(error)),
        }
    }
    result
}

fn is_indented(line: &Fields<'_>) -> bool {
    line.line().is_empty() || line.line().starts_with([' ', '\t'])
}

/// Whether a line is above or below the arrays.
fn is_header_or_footer(line: &Fields<'_>) -> bool {
    line.line().starts_with("Personalities") || line.line().starts_with("unused devices")
}

fn array<'a>(
    first_line: &Fields<'a>,
    further_lines: &[Fields<'a>],
) -> Result<([&'a str; 1], Array), Error> {
    let mut words = first_line.clone();
    let device = words.word("an array")?;
    words.skip(1); // a colon
    let state = match words.word("active or inactive")? {
        "active" => "active",
        "inactive" => "inactive",
        "broken" => "broken",
        _ => return Err(first_line.parse_error("active or inactive")),
    };
    let Some((size, rest)) = further_lines.split_first() else {
        return Err(first_line.parse_error("a line of its size below this one"));
    };
    let blocks = size.clone().number::<u64>("a number of blocks")? as f64;

    // The disks, such as sda1[0] or sdb1[2](F).
    let disks = || words.clone().words().filter(|word| word.contains('['));
    let count_marked = |mark| disks().filter(|disk| disk.contains(mark)).count() as f64;
    let (required, active) = match level(&words) {
        _ if state == "inactive" => (0.0, 0.0),
        // All listed disks are in use, because there is no redundancy.
        Some("raid0" | "linear") => (disks().count() as f64, disks().count() as f64),
        _ => {
            let disks = size.line().split('[').find_map(|text| pair(text, ']'));
            disks.ok_or_else(|| size.parse_error("required and active disks such as [2/2]"))?
        }
    };
    let mut array = Array {
        state,
        required,
        active,
        failed: count_marked("(F)"),
        spare: count_marked("(S)"),
        blocks,
        synced: blocks,
    };
    for line in rest {
        if let Some(activity) = activity(line) {
            array.state = activity;
            array.synced = synced(line)?;
        }
    }
    Ok(([device], array))
}

/// The RAID level: the first word that is not in parentheses, such as `(read-only)`.
fn level<'a>(words: &Fields<'a>) -> Option<&'a str> {
    words.clone().words().find(|word| !word.starts_with('('))
}

/// The current operation of an array, if the line shows one. The metric has no state for a reshape.
fn activity(line: &Fields<'_>) -> Option<&'static str> {
    if line.line().contains("bitmap") {
        return None;
    }
    [("recover", "recovering"), ("reshape", "reshape"), ("check", "check"), ("resync", "resync")]
        .into_iter()
        .find_map(|(word, state)| line.line().contains(word).then_some(state))
}

/// The synced blocks of an operation, from `recovery =  8.5% (16775552/195310144) ...`. An operation
/// that waits, such as `resync=DELAYED`, has synced none.
fn synced(line: &Fields<'_>) -> Result<f64, Error> {
    if ["=PENDING", "=DELAYED", "=REMOTE"].iter().any(|word| line.line().contains(word)) {
        return Ok(0.0);
    }
    let progress = line.line().split('(').find_map(|text| pair(text, ')'));
    let (done, _) = progress.ok_or_else(|| line.parse_error("progress such as (512/1024)"))?;
    Ok(done)
}

/// The two numbers at the beginning of a text such as `2/2] [UU]`, up to `end`.
fn pair(text: &str, end: char) -> Option<(f64, f64)> {
    let (first, second) = text.split_once(end)?.0.split_once('/')?;
    Some((first.parse::<u64>().ok()? as f64, second.parse::<u64>().ok()? as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Array)>, String> {
        let file = File::from_text(text);
        let mut arrays = Vec::new();
        let result = parse(&file, &mut arrays);
        result.map_err(|error| error.to_string())?;
        Ok(arrays.into_iter().map(|([device], array)| (device.to_owned(), array)).collect())
    }

    #[test]
    fn arrays_are_parsed() {
        let active = Array {
            state: "active",
            required: 2.0,
            active: 2.0,
            blocks: 1000.0,
            synced: 1000.0,
            ..Array::default()
        };
        for (first_line, size, rest, expected) in [
            ("active raid1 sda1[0] sdb1[1]", "1000 blocks [2/2] [UU]", "", Array { ..active }),
            (
                "active raid1 sda1[0]",
                "1000 blocks super 1.2 [2/1] [U_]",
                "",
                Array { active: 1.0, ..active },
            ),
            (
                "active (auto-read-only) raid1 sda1[0] sdb1[1] sdc[2](F) sdd[3](S) sde[4](S)",
                "1000 blocks super 1.2 [2/2] [UU]",
                "\tresync=PENDING",
                Array { state: "resync", failed: 1.0, spare: 2.0, synced: 0.0, ..active },
            ),
            (
                "active raid1 sda1[0] sdb1[1]",
                "1000 blocks [2/2] [UU]",
                "\tresync=DELAYED",
                Array { state: "resync", synced: 0.0, ..active },
            ),
            (
                "active raid1 sda1[0] sdb1[1]",
                "1000 blocks [2/2] [UU]",
                "\trecover=REMOTE",
                Array { state: "recovering", synced: 0.0, ..active },
            ),
            (
                "active raid6 sda1[0] sdb1[1]",
                "1000 blocks level 6, 64k chunk, algorithm 2 [2/2] [UU]",
                "[=>......]  recovery =  8.5% (85/1000) finish=17.0min speed=259783K/sec",
                Array { state: "recovering", synced: 85.0, ..active },
            ),
            (
                "active raid5 sda1[0] sdb1[1]",
                "1000 blocks [2/2] [UU]",
                "bitmap: 0/30 pages [0KB], 65536KB chunk\n      [>] check =  0.1% (1/1000) x",
                Array { state: "check", synced: 1.0, ..active },
            ),
            (
                "active raid5 sda1[0] sdb1[1]",
                "1000 blocks [2/2] [UU]",
                "[>] reshape =  0.1% (1/1000) x\n      bitmap: 0/30 pages [0KB], 64KB chunk",
                Array { state: "reshape", synced: 1.0, ..active },
            ),
            (
                "active (read-only) raid0 sda[0] sdb[1]",
                "1000 blocks 64k chunks",
                "",
                Array { ..active },
            ),
            (
                "active linear sda[0] sdb[1]",
                "1000 blocks super 1.2 0k rounding",
                "",
                Array { ..active },
            ),
            (
                "inactive sdb[1](S) sda[0](S)",
                "1000 blocks super external:imsm",
                "",
                Array { state: "inactive", required: 0.0, active: 0.0, spare: 2.0, ..active },
            ),
            (
                "broken raid0 sda[0] sdb[1](F)",
                "1000 blocks 64k chunks",
                "",
                Array { state: "broken", failed: 1.0, ..active },
            ),
        ] {
            let text = format!(
                "Personalities : [raid1] \nmd0 : {first_line}\n      {size}\n      {rest}\n\nunused devices: <none>\n"
            );
            assert_eq!(read(&text), Ok(vec![("md0".to_owned(), expected)]), "{text}");
        }
    }

    #[test]
    fn a_file_without_arrays_is_empty() {
        for text in ["", "Personalities : \nunused devices: <none>\n"] {
            assert_eq!(read(text), Ok(vec![]));
        }
    }

    #[test]
    fn invalid_arrays_are_errors() {
        for (text, expected, found) in [
            ("md0", "active or inactive", "md0"),
            ("md0 : lost", "active or inactive", "md0 : lost"),
            ("md0 : active raid1", "a line of its size below this one", "md0 : active raid1"),
            ("md0 : active raid1\n  x", "a number of blocks", "  x"),
            ("md0 : active raid1\n  9", "required and active disks such as [2/2]", "  9"),
            (
                "md0 : active raid1\n  9 blocks [2/2]\n  resync = 1%",
                "progress such as (512/1024)",
                "  resync = 1%",
            ),
        ] {
            let error = format!("test: expected {expected}, found {found:?}");
            assert_eq!(read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_invalid_array_does_not_hide_others() {
        let file = File::from_text("md0 : lost\nmd1 : inactive sda[0]\n  5 blocks\n");
        let mut arrays = Vec::new();
        let result = parse(&file, &mut arrays);
        assert_eq!(arrays.len(), 1);
        assert!(result.is_err());
    }
}
