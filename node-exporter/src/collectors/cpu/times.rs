//! The time of each CPU in each mode, corrected so that it never decreases.

use std::mem;

use exporter_core::collector::Error;

use crate::host::{Fields, File};

/// The modes in the order of `/proc/stat`. [`GUEST_MODES`] follow on the same line.
pub(super) const MODES: [&str; 8] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
pub(super) const GUEST_MODES: [&str; 2] = ["user", "nice"];

/// The unit of `/proc/stat`, independent of the configuration of the kernel.
const TICKS_PER_SECOND: f64 = 100.0;

/// idle and iowait sometimes decrease slightly. A larger decrease means that the CPU was offline
/// and has restarted from 0.
const RESTART_THRESHOLD_SECONDS: f64 = 3.0;

/// The CPUs that are online, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Cpu>);

#[derive(Debug)]
pub(super) struct Cpu {
    number: u32,
    /// The number, as a label.
    pub(super) name: String,
    pub(super) seconds: [f64; MODES.len()],
    /// Part of user and nice.
    pub(super) guest_seconds: [f64; GUEST_MODES.len()],
}

impl Times {
    /// Updates the times from `/proc/stat`, and returns whether the CPUs are the same as before.
    pub(super) fn update(&mut self, file: &File) -> Result<bool, Error> {
        let current = file.lines().filter_map(parse).collect::<Result<Vec<_>, _>>()?;
        if current.is_empty() {
            return Err(file.parse_error("lines such as `cpu0 1 2 3 4`"));
        }
        let mut has_same_cpus = current.len() == self.0.len();
        // Both are sorted, so a single pass over both is enough.
        let mut previous = mem::take(&mut self.0).into_iter().peekable();
        for mut cpu in current {
            while previous.next_if(|previous| previous.number < cpu.number).is_some() {}
            match previous.next_if(|previous| previous.number == cpu.number) {
                Some(previous) => cpu.raise_to(&previous),
                None => has_same_cpus = false,
            }
            self.0.push(cpu);
        }
        Ok(has_same_cpus)
    }

    pub(super) fn cpus(&self) -> impl Iterator<Item = &Cpu> {
        self.0.iter()
    }
}

/// The sums over all CPUs, including offline ones, so that they do not decrease.
#[derive(Debug, Default)]
pub(super) struct Total(Option<Cpu>);

impl Total {
    /// Updates the sums from `/proc/stat`.
    pub(super) fn update(&mut self, file: &File) -> Result<&Cpu, Error> {
        let mut line = file.fields();
        if line.optional() != Some("cpu") {
            return Err(file.parse_error("a first line such as `cpu 1 2 3 4`"));
        }
        let mut total = times(0, "cpu", line)?;
        if let Some(previous) = &self.0 {
            total.raise_to(previous);
        }
        Ok(self.0.insert(total))
    }
}

impl Cpu {
    fn raise_to(&mut self, previous: &Self) {
        if previous.idle() - self.idle() >= RESTART_THRESHOLD_SECONDS {
            return;
        }
        let seconds = self.seconds.iter_mut().zip(&previous.seconds);
        for (now, previous) in
            seconds.chain(self.guest_seconds.iter_mut().zip(&previous.guest_seconds))
        {
            *now = now.max(*previous);
        }
    }

    fn idle(&self) -> f64 {
        let [_, _, _, idle, ..] = self.seconds;
        idle
    }
}

/// `None` for lines that do not belong to one CPU.
fn parse(mut line: Fields<'_>) -> Option<Result<Cpu, Error>> {
    let name = line.optional()?.strip_prefix("cpu").filter(|name| !name.is_empty())?;
    Some(cpu(name, line))
}

fn cpu(name: &str, line: Fields<'_>) -> Result<Cpu, Error> {
    let number = name.parse().map_err(|_| line.parse_error("the number of a CPU"))?;
    times(number, name, line)
}

fn times(number: u32, name: &str, mut line: Fields<'_>) -> Result<Cpu, Error> {
    let mut cpu = Cpu {
        number,
        name: name.to_owned(),
        seconds: [0.0; MODES.len()],
        guest_seconds: [0.0; GUEST_MODES.len()],
    };
    // All kernels have the first four.
    for (mode, seconds) in cpu.seconds.iter_mut().chain(&mut cpu.guest_seconds).enumerate() {
        let ticks: Option<u64> = match mode {
            0..4 => Some(line.number("ticks in four modes or more")?),
            _ => line.optional_number("ticks in each mode")?,
        };
        *seconds = ticks.unwrap_or_default() as f64 / TICKS_PER_SECOND;
    }
    Ok(cpu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    /// The values that may decrease between two readings: idle, iowait and guest.
    fn after(first: &str, second: &str) -> Vec<f64> {
        let [first, second] =
            [first, second].map(|line| parse(Fields::from_line(line)).unwrap().unwrap());
        let mut last = second;
        last.raise_to(&first);
        vec![last.idle(), last.seconds[4], last.guest_seconds[0]]
    }

    #[test]
    fn times_decrease_only_after_a_restart_of_the_cpu() {
        let first = "cpu0 0 0 0 1000 500 0 0 0 100 0";
        for (second, expected) in [
            ("cpu0 0 0 0 1001 501 0 0 0 101 0", [10.01, 5.01, 1.01]),
            ("cpu0 0 0 0 999 499 0 0 0 99 0", [10.0, 5.0, 1.0]),
            ("cpu0 0 0 0 701 1 0 0 0 1 0", [10.0, 5.0, 1.0]),
            ("cpu0 0 0 0 700 1 0 0 0 1 0", [7.0, 0.01, 0.01]),
            ("cpu0 0 0 0 1", [0.01, 0.0, 0.0]),
        ] {
            assert_eq!(after(first, second), expected, "{second}");
        }
    }

    #[test]
    fn lines_of_all_kernels_are_parsed() {
        for (line, expected) in [
            ("cpu0 1 2 3 4", Some("0")),
            ("cpu31 1 2 3 4 5 6 7 8", Some("31")),
            ("cpu31 1 2 3 4 5 6 7 8 9 10 11", Some("31")),
            ("cpu 1 2 3 4 5", None),
            ("intr 1 2 3 4 5", None),
            ("", None),
        ] {
            let name = parse(Fields::from_line(line)).map(|cpu| cpu.unwrap().name);
            assert_eq!(name.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn invalid_lines_are_errors() {
        for line in ["cpu0", "cpu0 1 2 3", "cpu0 1 2 3 x", "cpu0 1 2 3 4 x", "cpux 1 2 3 4"] {
            assert!(parse(Fields::from_line(line)).unwrap().is_err(), "{line}");
        }
    }

    #[test]
    fn the_total_does_not_decrease() {
        let mut total = Total::default();
        for (page, user, idle) in [
            ("cpu  100 0 0 400\ncpu0 100 0 0 400\n", 1.0, 4.0),
            ("cpu  110 0 0 399\n", 1.1, 4.0),
            ("cpu  5 0 0 1\n", 0.05, 0.01),
        ] {
            let found = total.update(&file(page)).unwrap();
            assert_eq!((found.seconds[0], found.idle()), (user, idle), "{page}");
        }
        for page in ["", "cpu0 1 2 3 4\n", "cpu 1 2 3\n", "intr 1 2 3 4\n"] {
            assert!(total.update(&file(page)).is_err(), "{page}");
        }
    }

    #[test]
    fn cpus_may_appear_and_disappear() {
        let mut times = Times::default();
        for (page, same, idle) in [
            ("cpu0 0 0 0 100\ncpu2 0 0 0 300\n", false, vec![1.0, 3.0]),
            ("cpu0 0 0 0 100\ncpu2 0 0 0 301\n", true, vec![1.0, 3.01]),
            ("cpu0 0 0 0 101\ncpu1 0 0 0 1\ncpu2 0 0 0 300\n", false, vec![1.01, 0.01, 3.01]),
            ("cpu2 0 0 0 299\n", false, vec![3.01]),
            ("cpu0 0 0 0 100\n", false, vec![1.0]),
        ] {
            let found = times.update(&file(page)).unwrap();
            let found = (found, times.cpus().map(Cpu::idle).collect::<Vec<_>>());
            assert_eq!(found, (same, idle), "{page}");
        }
        assert!(times.update(&file("")).is_err());
    }

    fn file(text: &str) -> File {
        let scratch = Scratch::new();
        scratch.write("stat", text);
        File::read(scratch.path().join("stat")).unwrap()
    }
}
