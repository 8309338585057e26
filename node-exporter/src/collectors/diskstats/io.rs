//! A line of `/proc/diskstats`.

use exporter_core::collector::Error;

use crate::host::Fields;

/// The counters of a line of `/proc/diskstats`, in its order.
#[derive(Debug, PartialEq)]
pub(super) struct Io {
    pub(super) reads: f64,
    pub(super) reads_merged: f64,
    pub(super) read_sectors: f64,
    pub(super) read_ms: f64,
    pub(super) writes: f64,
    pub(super) writes_merged: f64,
    pub(super) written_sectors: f64,
    pub(super) write_ms: f64,
    pub(super) in_flight: f64,
    pub(super) busy_ms: f64,
    pub(super) weighted_ms: f64,
    /// Since Linux 4.18.
    pub(super) discards: Option<Discards>,
    /// Since Linux 5.5.
    pub(super) flushes: Option<Flushes>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Discards {
    pub(super) completed: f64,
    pub(super) merged: f64,
    pub(super) sectors: f64,
    pub(super) ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flushes {
    pub(super) completed: f64,
    pub(super) ms: f64,
}

/// Major and minor number, name and counters of a line.
pub(super) fn parse(mut line: Fields<'_>) -> Result<([&str; 2], [&str; 1], Io), Error> {
    let numbers = [line.word("a major number")?, line.word("a minor number")?];
    let device = line.word("a device name")?;
    let io = Io {
        reads: count(&mut line, "reads completed")?,
        reads_merged: count(&mut line, "reads merged")?,
        read_sectors: count(&mut line, "sectors read")?,
        read_ms: count(&mut line, "ms spent reading")?,
        writes: count(&mut line, "writes completed")?,
        writes_merged: count(&mut line, "writes merged")?,
        written_sectors: count(&mut line, "sectors written")?,
        write_ms: count(&mut line, "ms spent writing")?,
        in_flight: count(&mut line, "I/Os in progress")?,
        busy_ms: count(&mut line, "ms spent doing I/Os")?,
        weighted_ms: count(&mut line, "weighted ms spent doing I/Os")?,
        discards: match line.optional_number::<u64>("discards completed")? {
            None => None,
            Some(completed) => Some(Discards {
                completed: completed as f64,
                merged: count(&mut line, "discards merged")?,
                sectors: count(&mut line, "sectors discarded")?,
                ms: count(&mut line, "ms spent discarding")?,
            }),
        },
        flushes: match line.optional_number::<u64>("flushes completed")? {
            None => None,
            Some(completed) => Some(Flushes {
                completed: completed as f64,
                ms: count(&mut line, "ms spent flushing")?,
            }),
        },
    };
    Ok((numbers, [device], io))
}

fn count(line: &mut Fields<'_>, expected: &'static str) -> Result<f64, Error> {
    Ok(line.number::<u64>(expected)? as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kernels_are_parsed() {
        let old = "8 0 sda 1 2 3 4 5 6 7 8 9 10 11";
        let discards = Discards { completed: 12.0, merged: 13.0, sectors: 14.0, ms: 15.0 };
        let flushes = Flushes { completed: 16.0, ms: 17.0 };
        for (rest, discards, flushes) in [
            ("", None, None),
            (" 12 13 14 15", Some(discards), None),
            (" 12 13 14 15 16 17", Some(discards), Some(flushes)),
            (" 12 13 14 15 16 17 18 19", Some(discards), Some(flushes)),
        ] {
            let line = format!("{old}{rest}");
            let (numbers, device, io) = parse(Fields::from_line(&line)).unwrap();
            assert_eq!((numbers, device), (["8", "0"], ["sda"]), "{line}");
            let counted = (io.reads, io.write_ms, io.in_flight, io.busy_ms, io.weighted_ms);
            assert_eq!(counted, (1.0, 8.0, 9.0, 10.0, 11.0), "{line}");
            assert_eq!((io.discards, io.flushes), (discards, flushes), "{line}");
        }
    }

    #[test]
    fn invalid_lines_are_errors() {
        for (line, missing) in [
            ("", "a major number"),
            ("8 0", "a device name"),
            ("8 0 sda 1 0", "sectors read"),
            ("8 0 sda 1 0 x", "sectors read"),
            ("8 0 sda 1 -1", "reads merged"),
            ("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12", "discards merged"),
        ] {
            let error = parse(Fields::from_line(line)).unwrap_err().to_string();
            assert_eq!(error, format!("test: expected {missing}, found {line:?}"));
        }
    }
}
