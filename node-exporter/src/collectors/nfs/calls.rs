//! Lines of call counts, which have the same format for client and server.

use exporter_core::collector::Error;

use crate::host::Fields;

/// The procedures of version 2 in the order of the protocol (RFC 1094).
pub(in crate::collectors) static VERSION_2: [&str; 18] = [
    "Null", "GetAttr", "SetAttr", "Root", "Lookup", "ReadLink", "Read", "WrCache", "Write",
    "Create", "Remove", "Rename", "Link", "SymLink", "MkDir", "RmDir", "ReadDir", "FsStat",
];

/// The procedures of version 3 in the order of the protocol (RFC 1813).
pub(in crate::collectors) static VERSION_3: [&str; 22] = [
    "Null",
    "GetAttr",
    "SetAttr",
    "Lookup",
    "Access",
    "ReadLink",
    "Read",
    "Write",
    "Create",
    "MkDir",
    "SymLink",
    "MkNod",
    "Remove",
    "RmDir",
    "Rename",
    "Link",
    "ReadDir",
    "ReadDirPlus",
    "FsStat",
    "FsInfo",
    "PathConf",
    "Commit",
];

/// The first numbers of a line that may have more.
pub(in crate::collectors) fn numbers<const N: usize>(
    mut line: Fields<'_>,
) -> Result<[f64; N], Error> {
    let mut numbers = [0.0; N];
    for number in &mut numbers {
        *number = line.number::<u64>("a count for each column of the line")? as f64;
    }
    Ok(numbers)
}

/// A line of counts, preceded by their number.
pub(in crate::collectors) fn counts(mut line: Fields<'_>) -> Result<Vec<f64>, Error> {
    let expected_count: usize = line.number("the number of counts")?;
    let mut counts = Vec::new();
    while let Some(count) = line.optional_number::<u64>("a count")? {
        counts.push(count as f64);
    }
    if counts.len() == expected_count {
        Ok(counts)
    } else {
        Err(line.parse_error("as many counts as the line announces"))
    }
}

/// A count by index; 0 for a procedure that the kernel does not know.
pub(in crate::collectors) fn count(counts: &[f64], index: usize) -> f64 {
    counts.get(index).copied().unwrap_or_default()
}
