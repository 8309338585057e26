//! The files of one control group. If a file is missing, its controller is not enabled for the
//! group, or the kernel is too old.

use std::io::ErrorKind;

use exporter_core::collector::Error;
use rustix::io::Errno;

use crate::host::{File, Host};

/// The resource usage of a control group. A limit that is not set is infinite.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu_user: Option<f64>,
    pub(super) cpu_system: Option<f64>,
    pub(super) periods: Option<f64>,
    pub(super) throttled_periods: Option<f64>,
    pub(super) throttled: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) memory_peak: Option<f64>,
    pub(super) swap: Option<f64>,
    /// In the order of [`MEMORY_KINDS`].
    pub(super) memory_kinds: [Option<f64>; MEMORY_KINDS.len()],
    /// In the order of [`MEMORY_LIMITS`].
    pub(super) memory_limits: [Option<f64>; MEMORY_LIMITS.len()],
    /// In the order of [`MEMORY_EVENTS`].
    pub(super) memory_events: [Option<f64>; MEMORY_EVENTS.len()],
    pub(super) io: Vec<Io>,
    pub(super) tasks: Option<f64>,
    pub(super) tasks_limit: Option<f64>,
    pub(super) tasks_refused: Option<f64>,
    /// Seconds in which some tasks waited, and in which all of them did; in the order of
    /// [`RESOURCES`].
    pub(super) pressure: [Option<[f64; 2]>; RESOURCES.len()],
}

/// I/O of a control group on a block device.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Io {
    pub(super) device: String,
    /// Bytes: read, written, discarded.
    pub(super) bytes: [f64; 3],
    /// Operations: reads, writes, discards.
    pub(super) operations: [f64; 3],
}

/// Keys of `memory.stat`.
pub(super) const MEMORY_KINDS: [&str; 10] = [
    "anon",
    "file",
    "kernel",
    "kernel_stack",
    "pagetables",
    "sock",
    "shmem",
    "file_mapped",
    "file_dirty",
    "slab",
];

/// Names of limits, each with its file.
pub(super) const MEMORY_LIMITS: [(&str, &str); 5] = [
    ("min", "memory.min"),
    ("low", "memory.low"),
    ("high", "memory.high"),
    ("max", "memory.max"),
    ("swap_max", "memory.swap.max"),
];

/// Keys of `memory.events`.
pub(super) const MEMORY_EVENTS: [&str; 5] = ["low", "high", "max", "oom", "oom_kill"];

pub(super) const RESOURCES: [&str; 3] = ["cpu", "io", "memory"];

const MICROSECONDS: f64 = 1e6;

/// Reads the files of a group from `directory`, relative to sysfs. A group that has been removed
/// has no values.
pub(super) fn read(host: &Host, directory: &str) -> Result<Usage, Error> {
    let Some(group) = if_available(host.device(directory))? else { return Ok(Usage::default()) };
    let file = |name: &str| if_available(group.file(name));
    let number = |name: &str| file(name)?.map(|file| number_or_max(&file)).transpose();
    let mut usage = Usage {
        memory: number("memory.current")?,
        memory_peak: number("memory.peak")?,
        swap: number("memory.swap.current")?,
        tasks: number("pids.current")?,
        tasks_limit: number("pids.max")?,
        ..Usage::default()
    };
    if let Some(file) = file("cpu.stat")? {
        let seconds = |micros: Option<f64>| micros.map(|micros| micros / MICROSECONDS);
        let [user, system, periods, throttled_periods, throttled] = parse_keys(
            &file,
            ["user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec"],
        )?;
        usage.cpu_user = seconds(user);
        usage.cpu_system = seconds(system);
        usage.periods = periods;
        usage.throttled_periods = throttled_periods;
        usage.throttled = seconds(throttled);
    }
    if let Some(file) = file("memory.stat")? {
        usage.memory_kinds = parse_keys(&file, MEMORY_KINDS)?;
    }
    if let Some(file) = file("memory.events")? {
        usage.memory_events = parse_keys(&file, MEMORY_EVENTS)?;
    }
    for (limit, (_, name)) in usage.memory_limits.iter_mut().zip(MEMORY_LIMITS) {
        *limit = number(name)?;
    }
    if let Some(file) = file("io.stat")? {
        usage.io = io(&file)?;
    }
    if let Some(file) = file("pids.events")? {
        [usage.tasks_refused] = parse_keys(&file, ["max"])?;
    }
    for (pressure, resource) in usage.pressure.iter_mut().zip(RESOURCES) {
        *pressure = file(&format!("{resource}.pressure"))?.map(|file| stalls(&file)).transpose()?;
    }
    Ok(usage)
}

fn if_available<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Read { source, .. })
            if source.kind() == ErrorKind::NotFound
                || [Errno::NODEV, Errno::OPNOTSUPP]
                    .iter()
                    .any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The number in a file, infinite if it is `max`.
fn number_or_max(file: &File) -> Result<f64, Error> {
    if file.trimmed() == "max" {
        return Ok(f64::INFINITY);
    }
    file.number::<u64>("a number or `max`").map(|number| number as f64)
}

/// The numbers of the given keys in a file with a key and a number per line.
fn parse_keys<const N: usize>(file: &File, keys: [&str; N]) -> Result<[Option<f64>; N], Error> {
    let mut numbers = [None; N];
    for mut line in file.lines() {
        let key = line.word("a key")?;
        if let Some(index) = keys.iter().position(|wanted| *wanted == key)
            && let Some(number) = numbers.get_mut(index)
        {
            *number = Some(line.number::<u64>("a number behind the key")? as f64);
        }
    }
    Ok(numbers)
}

/// Lines such as `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`. A device without any I/O
/// has only its number.
fn io(file: &File) -> Result<Vec<Io>, Error> {
    const EXPECTED: &str = "keys and numbers such as `rbytes=1`";
    let mut devices = Vec::new();
    for mut line in file.lines() {
        let mut io = Io { device: line.word("a device number")?.to_owned(), ..Io::default() };
        let mut has_counters = false;
        for word in line.clone().words() {
            let (key, number) = word.split_once('=').ok_or_else(|| line.parse_error(EXPECTED))?;
            let counter = match key {
                "rbytes" => &mut io.bytes[0],
                "wbytes" => &mut io.bytes[1],
                "dbytes" => &mut io.bytes[2],
                "rios" => &mut io.operations[0],
                "wios" => &mut io.operations[1],
                "dios" => &mut io.operations[2],
                // From cost models, if they are enabled.
                _ => continue,
            };
            *counter = number.parse::<u64>().map_err(|_| line.parse_error(EXPECTED))? as f64;
            has_counters = true;
        }
        if has_counters {
            devices.push(io);
        }
    }
    Ok(devices)
}

/// The totals of the lines `some` and `full`, in seconds. Before Linux 5.13 `cpu.pressure` has no
/// `full`.
fn stalls(file: &File) -> Result<[f64; 2], Error> {
    const EXPECTED: &str = "lines `some` and `full` with a `total=`";
    let mut totals = [0.0; 2];
    for mut line in file.lines() {
        let counter = match line.word(EXPECTED)? {
            "some" => &mut totals[0],
            "full" => &mut totals[1],
            _ => return Err(line.parse_error(EXPECTED)),
        };
        let total = line.clone().words().find_map(|word| word.strip_prefix("total="));
        let micros: Option<u64> = total.and_then(|total| total.parse().ok());
        *counter = micros.ok_or_else(|| line.parse_error(EXPECTED))? as f64 / MICROSECONDS;
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_limits_are_parsed() {
        for (text, expected) in
            [("0\n", Some(0.0)), ("1048576\n", Some(1_048_576.0)), ("max\n", Some(f64::INFINITY))]
        {
            assert_eq!(number_or_max(&File::from_text(text)).ok(), expected, "{text:?}");
        }
        for text in ["", "maximum", "-1", "1 2"] {
            let error = number_or_max(&File::from_text(text)).unwrap_err().to_string();
            assert!(error.contains("a number or `max`"), "{error}");
        }
    }

    #[test]
    fn missing_keys_have_no_value() {
        let keys = ["low", "max"];
        for (text, expected) in [
            ("low 1\nhigh 2\nmax 3\noom_group_kill 0\n", [Some(1.0), Some(3.0)]),
            ("max 3\n", [None, Some(3.0)]),
            ("", [None, None]),
        ] {
            assert_eq!(parse_keys(&File::from_text(text), keys).unwrap(), expected, "{text:?}");
        }
        parse_keys(&File::from_text("low\n"), keys).unwrap_err();
        parse_keys(&File::from_text("low x\n"), keys).unwrap_err();
    }

    #[test]
    fn io_statistics_are_parsed() {
        let text = "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n8:16\n";
        let io = io(&File::from_text(text)).unwrap();
        let bytes = [1.0, 2.0, 5.0];
        let expected = Io { device: "8:0".to_owned(), bytes, operations: [3.0, 4.0, 6.0] };
        assert_eq!(io, [expected]);
        for text in ["8:0 rbytes\n", "8:0 rbytes=-1\n", "8:0 wios=1e9\n"] {
            super::io(&File::from_text(text)).unwrap_err();
        }
    }

    #[test]
    fn full_stalls_are_optional() {
        let some = "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n";
        let full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        let read =
            |text: &str| stalls(&File::from_text(text)).unwrap().map(|seconds| seconds.to_string());
        assert_eq!(read(some), ["2.5", "0"]);
        assert_eq!(read(&[some, full].concat()), ["2.5", "0.5"]);
        for text in ["some\n", "some total=x\n", "other total=1\n"] {
            stalls(&File::from_text(text)).unwrap_err();
        }
    }
}
